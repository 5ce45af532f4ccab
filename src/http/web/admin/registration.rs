//! People who registered and wait for an entity.

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::{decide, reason, refusal_form, rows, text};
use crate::directory::registration::Assign;
use crate::directory::words::Role;
use crate::http::problem::Problem;
use crate::http::router::unknown_address;
use crate::http::state::Gateway;
use crate::http::web::account::number;
use crate::http::web::form::{self, SentByMember};
use crate::http::web::visitor::Member;
use crate::operation::Operation;

/// One of them.
pub(super) fn card(member: &Member, row: &Value, entities: &Value, may_decide: bool) -> Markup {
    let id = text(row, "id");
    html! {
        section class="card" aria-label={ "Registration of " (text(row, "name")) } {
            h3 { (text(row, "name")) }
            dl {
                dt { "Mail" } dd { (text(row, "mail")) }
                dt { "Organisation" } dd { (text(row, "organisation")) }
                dt { "Purpose" } dd { (text(row, "purpose")) }
                dt { "Verified" } dd { (text(row, "verified")) }
            }
            @if may_decide {
                form method="post" action={ "/admin/registrations/" (id) "/assign" } {
                    (form::token(&member.0))
                    div class="row" {
                        div class="field" {
                            label for={ "entity-" (id) } { "Entity" }
                            select id={ "entity-" (id) } name="entity" {
                                @for entity in rows(entities) {
                                    option value=(text(entity, "slug")) { (text(entity, "name")) }
                                }
                            }
                        }
                        div class="field" {
                            label for={ "role-" (id) } { "Role" }
                            select id={ "role-" (id) } name="role" {
                                @for role in Role::WORDS { option value=(role) { (role) } }
                            }
                        }
                        button type="submit" { "Assign" }
                    }
                }
                (refusal_form(
                    member, &format!("/admin/registrations/{id}/refuse"), &format!("r-{id}"),
                ))
            }
        }
    }
}

/// `POST /admin/registrations/{id}/{decision}`.
pub(in crate::http) async fn answer(
    State(gateway): State<Gateway>,
    Path((id, decision)): Path<(String, String)>,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let registration = number(&id)?;
    let operation = match decision.as_str() {
        "assign" => Operation::RegistrationAssign(Assign {
            registration,
            slug: fields.text("entity"),
            role: Role::from_word(&fields.text("role")).unwrap_or(Role::Member),
        }),
        "refuse" => Operation::RegistrationRefuse { registration, reason: reason(&fields) },
        _ => return Err(unknown_address()),
    };
    decide(&gateway, &member, operation).await
}
