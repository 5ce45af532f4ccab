//! Colleagues whom a manager invites, and the use that they propose for what their entity receives:
//! the part of an entity's page that changes something.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::admin::{operate, rows, text};
use super::form::{self, Field, SentByMember};
use super::table::Head::Words;
use super::table::table;
use super::visitor::Member;
use crate::directory::invitation::Invite;
use crate::http::api::Segment;
use crate::http::problem::Problem;
use crate::http::state::Gateway;
use crate::operation::Operation;

/// The invitations that wait, and a form for a further one.
pub(super) fn part(member: &Member, slug: &str, invitations: &Value) -> Markup {
    html! {
        h2 { "Invitations" }
        @if !rows(invitations).is_empty() {
            (table(
                Some("Colleagues who have not come yet"),
                &[Words("Name"), Words("Mail"), Words("Invited"), Words("Take back")],
                html! {
                    @for row in rows(invitations) {
                        tr {
                            td { (text(row, "name")) }
                            td class="break" { (text(row, "mail")) }
                            td { (text(row, "invited")) }
                            td {
                                (form::button(&member.0,
                                    &format!("/invitations/{}/withdraw", text(row, "id")),
                                    "danger", "Take back",
                                    &format!("the invitation of {}", text(row, "name"))))
                            }
                        }
                    }
                },
            ))
        }
        form class="card" method="post" action={ "/entities/" (slug) "/invitations" } {
            h3 { "Invite a colleague" }
            (form::token(&member.0))
            div class="row" {
                (field("name", "Their name", "text"))
                (field("mail", "Their mail address", "email"))
                button type="submit" { "Invite" }
            }
        }
        form class="card" method="post" action={ "/entities/" (slug) "/use-cases" } {
            h3 { "Propose another use" }
            (form::token(&member.0))
            div class="row" {
                (field("purpose", "What the IDs would be used for", "text"))
                button type="submit" { "Propose" }
            }
        }
    }
}

fn field(name: &str, label: &str, kind: &str) -> Markup {
    Field { name, label, hint: "", value: "", kind, autocomplete: "off", mistake: None }.draw()
}

/// `POST /entities/{slug}/invitations`.
pub(in crate::http) async fn invite(
    State(gateway): State<Gateway>,
    Segment(slug): Segment,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let (mail, name) = (fields.text("mail"), fields.text("name"));
    done(&gateway, &member, Operation::InvitationAdd(Invite { slug, mail, name })).await
}

/// `POST /invitations/{id}/withdraw`.
pub(in crate::http) async fn withdraw(
    State(gateway): State<Gateway>,
    Segment(id): Segment,
    SentByMember { member, .. }: SentByMember,
) -> Result<Response, Problem> {
    let invitation = super::account::number(&id)?;
    done(&gateway, &member, Operation::InvitationWithdraw { invitation }).await
}

/// `POST /entities/{slug}/use-cases`.
pub(in crate::http) async fn propose(
    State(gateway): State<Gateway>,
    Segment(slug): Segment,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let purpose = fields.text("purpose");
    done(&gateway, &member, Operation::UseCasePropose { slug, purpose }).await
}

/// Carries it out, and leads back to the entity's page.
async fn done(
    gateway: &Gateway,
    member: &Member,
    operation: Operation,
) -> Result<Response, Problem> {
    let answer = operate(gateway, member, operation).await??;
    Ok(Redirect::to(&format!("/entities/{}", text(&answer, "entity"))).into_response())
}
