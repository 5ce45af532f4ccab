//! What waits for operators: registrations and applications for exemptions.
//!
//! Everything here is an operation, carried out for the person who has signed in: whether they may
//! is decided there, in the very transaction.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::account::number;
use super::form::{self, Fields, SentByMember};
use super::identity;
use super::layout::{Tab, sentence};
use super::table::Head::Words;
use super::table::table;
use super::visitor::Member;
use crate::base::party::Actor;
use crate::directory::exemption::Decision;
use crate::directory::registration::Assign;
use crate::directory::words::{Rank, Role};
use crate::http::problem::Problem;
use crate::http::state::Gateway;
use crate::operation::{self, ErrorKind, Operation, OperationError};

/// Carries `operation` out for `member`.
///
/// # Errors
/// The inner error is the operation's refusal.
pub(super) async fn operate(
    gateway: &Gateway,
    member: &Member,
    operation: Operation,
) -> Result<Result<Value, OperationError>, Problem> {
    let context = gateway.context.clone();
    let actor = Actor::Person(member.signed_in().requester.person);
    let carried = move || operation::execute(operation, &context, &actor);
    let outcome = tokio::task::spawn_blocking(carried).await;
    outcome.map_err(|panic| Problem::internal(&panic))
}

/// `GET /admin`.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    member: Member,
) -> Result<Response, Problem> {
    page(&gateway, &member, None).await
}

async fn page(
    gateway: &Gateway,
    member: &Member,
    refusal: Option<&OperationError>,
) -> Result<Response, Problem> {
    let registrations = operate(gateway, member, Operation::RegistrationList).await??;
    let exemptions = operate(gateway, member, Operation::ExemptionList).await??;
    let entities = operate(gateway, member, Operation::EntityList).await??;
    let waiting = |all: &Value, status: &str| -> Vec<Value> {
        let rows = all.as_array().map(Vec::as_slice).unwrap_or_default();
        rows.iter().filter(|row| row["status"] == status).cloned().collect()
    };
    let (registered, applied) =
        (waiting(&registrations, "verified"), waiting(&exemptions, "applied"));
    let may_decide = member.signed_in().rank == Some(Rank::Operator);
    let content = html! {
        h1 { "What waits for you" }
        @if !may_decide {
            div class="notice" { p { "As an auditor you see everything and change nothing." } }
        }
        @if let Some(refusal) = refusal {
            div class="notice bad" role="alert" { p { (sentence(&refusal.message)) } }
        }
        h2 { "Registrations (" (registered.len()) ")" }
        @if registered.is_empty() { p class="faint" { "Nobody waits." } }
        @for row in &registered { (registration(member, row, &entities, may_decide)) }
        h2 { "Applications for exemptions (" (applied.len()) ")" }
        @if applied.is_empty() { p class="faint" { "Nobody waits." } }
        @for row in &applied { (exemption(member, row, may_decide)) }
        h2 { "Entities" }
        (all_entities(&entities))
    };
    Ok(member.0.page(Tab::Operators, "What waits for you", content))
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_default()
}

fn registration(member: &Member, row: &Value, entities: &Value, may_decide: bool) -> Markup {
    let id = text(row, "id");
    let entities = entities.as_array().map(Vec::as_slice).unwrap_or_default();
    html! {
        section class="card" aria-label={ "Registration of " (text(row, "name")) } {
            h3 { (text(row, "name")) }
            dl {
                dt { "Mail" } dd { (text(row, "mail")) }
                dt { "Organisation" } dd { (text(row, "organisation")) }
                dt { "Purpose" } dd { (text(row, "purpose")) }
                dt { "Verified" } dd { (text(row, "verified")) }
                @if let Some(told) = identity::told(&row["identity"]) {
                    dt { "Proved" } dd { (told) }
                }
            }
            @if may_decide {
                form method="post" action={ "/admin/registrations/" (id) "/assign" } {
                    (form::token(&member.0))
                    div class="row" {
                        div class="field" {
                            label for={ "entity-" (id) } { "Entity" }
                            select id={ "entity-" (id) } name="entity" {
                                @for entity in entities {
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
                (refusal_form(member, &format!("/admin/registrations/{id}/refuse"), id, "r"))
            }
        }
    }
}

fn exemption(member: &Member, row: &Value, may_decide: bool) -> Markup {
    let id = text(row, "id");
    html! {
        section class="card" aria-label={ "Application " (id) } {
            h3 { (text(row, "entity")) }
            dl {
                dt { "Applicant" } dd { (text(row, "person")) }
                dt { "Role" } dd { (text(row, "role")) }
                dt { "Purpose" } dd { (text(row, "purpose")) }
                dt { "Signed by" } dd { (text(row, "signed_by")) }
                @if !text(row, "reference").is_empty() {
                    dt { "Supported by" } dd { (text(row, "reference")) }
                }
                (identity::evidence(&row["evidence"]))
                dt { "Applied" } dd { (text(row, "applied")) }
                dt { "Until" } dd { (text(row, "until")) }
            }
            @if may_decide {
                form method="post" action={ "/admin/exemptions/" (id) "/approve" } {
                    (form::token(&member.0))
                    div class="row" {
                        (reason_field(&format!("why-{id}"), "Reason for approving"))
                        div class="field" {
                            label for={ "conditions-" (id) } { "Conditions (optional)" }
                            input id={ "conditions-" (id) } name="conditions" type="text"
                                autocomplete="off";
                        }
                        button type="submit" { "Approve" }
                    }
                }
                (refusal_form(member, &format!("/admin/exemptions/{id}/refuse"), id, "x"))
            }
        }
    }
}

fn refusal_form(member: &Member, action: &str, id: &str, of: &str) -> Markup {
    html! {
        form method="post" action=(action) {
            (form::token(&member.0))
            div class="row" {
                (reason_field(&format!("not-{of}-{id}"), "Reason for refusing"))
                button class="danger" type="submit" { "Refuse" }
            }
        }
    }
}

fn reason_field(id: &str, label: &str) -> Markup {
    html! {
        div class="field" {
            label for=(id) { (label) }
            input id=(id) name="reason" type="text" required autocomplete="off";
        }
    }
}

fn all_entities(entities: &Value) -> Markup {
    let entities = entities.as_array().map(Vec::as_slice).unwrap_or_default();
    html! {
        (table(
            Some("All entities"),
            &[Words("Name"), Words("Sector"), Words("State")],
            html! {
                @for entity in entities {
                    tr {
                        td {
                            a href={ "/entities/" (text(entity, "slug")) } {
                                (text(entity, "name"))
                            }
                        }
                        td { (text(entity, "sector")) }
                        td { span class="tag" { (text(entity, "status")) } }
                    }
                }
            },
        ))
    }
}

/// `POST /admin/registrations/{id}/{decision}`.
pub(in crate::http) async fn decide_registration(
    State(gateway): State<Gateway>,
    axum::extract::Path((id, decision)): axum::extract::Path<(String, String)>,
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
        _ => return Err(crate::http::router::unknown_address()),
    };
    decide(&gateway, &member, operation).await
}

/// `POST /admin/exemptions/{id}/{decision}`.
pub(in crate::http) async fn decide_exemption(
    State(gateway): State<Gateway>,
    axum::extract::Path((id, decision)): axum::extract::Path<(String, String)>,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let decision = match decision.as_str() {
        "approve" => Decision::Approve,
        "refuse" => Decision::Refuse,
        _ => return Err(crate::http::router::unknown_address()),
    };
    let (exemption, reason) = (number(&id)?, reason(&fields));
    let conditions = Some(fields.text("conditions")).filter(|conditions| !conditions.is_empty());
    let operation = Operation::ExemptionDecide {
        exemption,
        decision,
        reason,
        conditions,
        // As many as were applied for.
        ceiling_ids: None,
    };
    decide(&gateway, &member, operation).await
}

fn reason(fields: &Fields) -> String {
    fields.text("reason")
}

/// Carries a decision out; a refusal is told on the page from which it came.
async fn decide(
    gateway: &Gateway,
    member: &Member,
    operation: Operation,
) -> Result<Response, Problem> {
    match operate(gateway, member, operation).await? {
        Ok(_) => Ok(Redirect::to("/admin").into_response()),
        Err(error) if error.kind == ErrorKind::Unavailable => Err(error.into()),
        Err(error) => {
            let mut response = page(gateway, member, Some(&error)).await?;
            *response.status_mut() = Problem::from(error).status();
            Ok(response)
        }
    }
}
