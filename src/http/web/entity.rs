//! What an entity has used, for those who manage it and for those who run the gateway.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::admin::{operate, rows, text};
use super::chart;
use super::invitation;
use super::layout::Tab;
use super::table::Head::Words;
use super::table::table;
use super::visitor::Member;
use crate::base::clock::Clock;
use crate::base::ids::IdKind;
use crate::base::party::EntityId;
use crate::directory::entity;
use crate::directory::words::Rank;
use crate::http::api::Segment;
use crate::http::problem::Problem;
use crate::http::state::Gateway;
use crate::ledger::{self, Usage};
use crate::operation::Operation;
use crate::policy::Profile;
use crate::store::{StoreError, Tx};

/// The meters of an entity that a person should see.
pub(super) struct Meters(Vec<(IdKind, Usage)>);

/// The meter of Tweet IDs, and others that have a ceiling or were used.
pub(super) fn meters_of(
    tx: &Tx<'_>,
    profile: &Profile,
    clock: &Clock,
    entity: EntityId,
) -> Result<Meters, StoreError> {
    let mut meters = Vec::new();
    for kind in IdKind::ALL {
        let usage = ledger::usage(tx, profile, clock, entity, kind)?;
        let matters = usage.ceiling_ids.is_some() || usage.used_ids + usage.open_ids > 0;
        if kind == IdKind::Tweet || matters {
            meters.push((kind, usage));
        }
    }
    Ok(Meters(meters))
}

impl Meters {
    /// The meters one below the other.
    pub(super) fn draw(&self) -> Markup {
        html! {
            @for (kind, usage) in &self.0 {
                (chart::meter(usage, &format!("{} IDs", kind.title())))
            }
        }
    }
}

/// `GET /entities/{slug}`.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    Segment(slug): Segment,
    member: Member,
) -> Result<Response, Problem> {
    // Whether they may look is decided where the operation is carried out.
    let shown = operate(&gateway, &member, Operation::EntityShow { slug: slug.clone() }).await??;
    let list = Operation::InvitationList { slug: slug.clone() };
    let invitations = operate(&gateway, &member, list).await??;
    let invites = member.signed_in().rank != Some(Rank::Auditor);
    let (profile, clock) = (gateway.profile.clone(), gateway.clock.clone());
    let name = slug.clone();
    let look = gateway.store.look(move |tx| -> Result<Meters, Problem> {
        let row = entity::find(tx, &name)?;
        Ok(meters_of(tx, &profile, &clock, row.id)?)
    });
    let meters = look.await?;
    let name = text(&shown, "name");
    let content = html! {
        h1 { (name) }
        p class="lead" { (text(&shown, "sector")) ", " (text(&shown, "status")) }
        section class="card" aria-label="Use" { (meters.draw()) }
        p { a href={ "/entities/" (slug) "/report" } { "What it received, under which basis" } }
        h2 { "People" }
        (table(
            Some("Who belongs to it"),
            &[Words("Name"), Words("Mail"), Words("Role")],
            html! {
                @for person in rows(&shown["people"]) {
                    tr {
                        td { (text(person, "name")) }
                        td class="break" { (text(person, "mail")) }
                        td { (text(person, "role")) }
                    }
                }
            },
        ))
        h2 { "Use cases" }
        (use_cases(&shown["use_cases"]))
        @if invites { (invitation::part(&member, &slug, &invitations)) }
    };
    Ok(member.0.page(Tab::Account, name, content))
}

fn use_cases(shown: &Value) -> Markup {
    html! {
        @if rows(shown).is_empty() {
            p class="faint" { "None is declared." }
        } @else {
            (table(
                Some("What it uses what it receives for"),
                &[Words("Version"), Words("Use"), Words("State"), Words("Proposed")],
                html! {
                    @for row in rows(shown) {
                        tr {
                            td { (row["version"]) }
                            td class="break" { (text(row, "purpose")) }
                            td { span class="tag" { (text(row, "status")) } }
                            td { (text(row, "proposed")) }
                        }
                    }
                },
            ))
        }
    }
}
