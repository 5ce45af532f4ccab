//! Proposals that somebody joins a further entity: what they would bring along, and the consents.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::admin::{decide, field, operate, reason_field, rows, text};
use super::form::{self, SentByMember};
use super::table::Head::{Numbers, Words};
use super::table::table;
use super::visitor::Member;
use crate::base::number::separated;
use crate::directory::words::Side;
use crate::http::problem::Problem;
use crate::http::router::unknown_address;
use crate::http::state::Gateway;
use crate::operation::Operation;

/// What the meters of an entity become.
pub(super) fn effect(effect: &Value, caption: &str) -> Markup {
    let number =
        |row: &Value, name: &str| row[name].as_u64().map_or_else(|| "none".to_owned(), separated);
    html! {
        (table(
            Some(caption),
            &[
                Words("IDs"), Numbers("Before"), Numbers("Brought"), Numbers("After"),
                Numbers("Ceiling"), Words("Then"),
            ],
            html! {
                @for row in rows(effect) {
                    tr {
                        td { (text(row, "kind")) }
                        @for name in ["before", "brings", "after", "ceiling"] {
                            td class="number" { (number(row, name)) }
                        }
                        td {
                            @if row["over"] == true { "over: nothing goes out until it fits" }
                            @else { "fits" }
                        }
                    }
                }
            },
        ))
    }
}

fn described(row: &Value) -> Markup {
    let (person, entity) = (text(row, "person"), text(row, "entity"));
    html! {
        h3 { (person) " would join " (entity) }
        dl {
            dt { "As" } dd { (text(row, "role")) }
            dt { "Proposed" } dd { (text(row, "proposed")) }
            dt { "The person" } dd { (consent_of(&row["consent_of_person"])) }
            dt { "The entity" } dd { (consent_of(&row["consent_of_entity"])) }
        }
        (effect(&row["effect"], &format!("What {person} would bring along")))
    }
}

fn consent_of(consent: &Value) -> &'static str {
    if consent.is_null() { "has not consented yet" } else { "has consented" }
}

/// A proposal for those whose consent it waits for.
pub(super) fn for_members(member: &Member, row: &Value) -> Markup {
    let id = text(row, "id");
    let own = text(row, "person") == member.signed_in().person.mail;
    let (side, label) = match own {
        true => (Side::Person, "I consent"),
        false => (Side::Entity, "Consent for the entity"),
    };
    html! {
        section class="card" aria-label={ "Proposal " (id) } {
            (described(row))
            form method="post" action={ "/joins/" (id) "/consent" } {
                (form::token(&member.0))
                input type="hidden" name="side" value=(side.word());
                button type="submit" { (label) }
            }
            (withdrawal(member, id, "/account"))
        }
    }
}

/// A proposal for whoever runs the gateway.
pub(super) fn for_operators(member: &Member, row: &Value, may_decide: bool) -> Markup {
    let id = text(row, "id");
    let missing = [Side::Person, Side::Entity].into_iter().filter(|side| match side {
        Side::Person => row["consent_of_person"].is_null(),
        Side::Entity => row["consent_of_entity"].is_null(),
    });
    html! {
        section class="card" aria-label={ "Proposal " (id) } {
            (described(row))
            @if may_decide {
                @for side in missing {
                    form method="post" action={ "/joins/" (id) "/consent" } {
                        (form::token(&member.0))
                        input type="hidden" name="side" value=(side.word());
                        input type="hidden" name="page" value="/admin";
                        div class="row" {
                            (field(&format!("paper-{side}-{id}"), "evidence",
                                "Where the paper lies that shows it"))
                            button type="submit" { "Record the consent of the " (side) }
                        }
                    }
                }
                (withdrawal(member, id, "/admin"))
            }
        }
    }
}

fn withdrawal(member: &Member, id: &str, page: &str) -> Markup {
    html! {
        form method="post" action={ "/joins/" (id) "/withdraw" } {
            (form::token(&member.0))
            input type="hidden" name="page" value=(page);
            div class="row" {
                (reason_field(&format!("join-{id}"), "Reason for giving it up"))
                button class="danger" type="submit" { "Give it up" }
            }
        }
    }
}

/// `POST /joins/{id}/{decision}`.
pub(in crate::http) async fn answer(
    State(gateway): State<Gateway>,
    Path((id, decision)): Path<(String, String)>,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let join = super::account::number(&id)?;
    let operation = match (decision.as_str(), Side::from_word(&fields.text("side"))) {
        ("consent", Some(side)) => {
            let evidence = Some(fields.text("evidence")).filter(|said| !said.is_empty());
            Operation::JoinConsent { join, side, evidence }
        }
        ("withdraw", _) => Operation::JoinWithdraw { join, reason: fields.text("reason") },
        _ => return Err(unknown_address()),
    };
    if fields.text("page") == "/admin" {
        return decide(&gateway, &member, operation).await;
    }
    operate(&gateway, &member, operation).await??;
    Ok(Redirect::to("/account#joins").into_response())
}
