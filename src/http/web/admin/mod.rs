//! What waits for operators, one file for each kind of thing; what is entered on pages of its own
//! stands in `permission` and `merge`.
//!
//! Everything here is an operation, carried out for the person who has signed in: whether they may
//! is decided there, in the very transaction.

pub(in crate::http) mod exemption;
pub(in crate::http) mod merge;
pub(in crate::http) mod permission;
pub(in crate::http) mod registration;
pub(in crate::http) mod use_case;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::form::{self, Fields};
use super::join;
use super::layout::{Tab, sentence};
use super::table::Head::Words;
use super::table::table;
use super::visitor::Member;
use crate::base::party::Actor;
use crate::directory::words::Rank;
use crate::http::problem::Problem;
use crate::http::state::Gateway;
use crate::operation::{ErrorKind, Operation, OperationError};

/// Carries `operation` out for `member`.
///
/// # Errors
/// The inner error is the operation's refusal.
pub(super) async fn operate(
    gateway: &Gateway,
    member: &Member,
    operation: Operation,
) -> Result<Result<Value, OperationError>, Problem> {
    let actor = Actor::Person(member.signed_in().requester.person);
    gateway.carry_out(operation, actor, None).await
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
    let ask = |operation| operate(gateway, member, operation);
    let registrations = ask(Operation::RegistrationList).await??;
    let exemptions = ask(Operation::ExemptionList).await??;
    let entities = ask(Operation::EntityList).await??;
    let use_cases = ask(Operation::UseCaseList { slug: None }).await??;
    let joins = ask(Operation::JoinList).await??;
    let may_decide = member.signed_in().rank == Some(Rank::Operator);
    let registrations = waiting(&registrations, "verified")
        .map(|row| registration::card(member, row, &entities, may_decide));
    let exemptions =
        waiting(&exemptions, "applied").map(|row| exemption::card(member, row, may_decide));
    let use_cases =
        waiting(&use_cases, "proposed").map(|row| use_case::card(member, row, may_decide));
    let reviews =
        waiting(&entities, "pending").map(|row| use_case::review(member, row, may_decide));
    let joins = rows(&joins).iter().map(|row| join::for_operators(member, row, may_decide));
    let content = html! {
        h1 { "What waits for you" }
        @if !may_decide {
            div class="notice" { p { "As an auditor you see everything and change nothing." } }
        }
        (told(refusal))
        p {
            a href="/admin/permissions" { "Permissions of the platform" } ", "
            a href="/admin/merge" { "merge two entities" }
        }
        (section("Registrations", registrations.collect()))
        (section("Applications for exemptions", exemptions.collect()))
        (section("Use cases", use_cases.collect()))
        (section("Government entities to review", reviews.collect()))
        (section("People who would join a further entity", joins.collect()))
        h2 { "Entities" }
        (all_entities(&entities))
    };
    Ok(member.0.page(Tab::Operators, "What waits for you", content))
}

/// What waits of one kind, a card each.
fn section(title: &str, cards: Vec<Markup>) -> Markup {
    html! {
        h2 { (title) " (" (cards.len()) ")" }
        @if cards.is_empty() { p class="faint" { "Nothing waits." } }
        @for card in &cards { (card) }
    }
}

/// Why something was not done.
pub(super) fn told(refusal: Option<&OperationError>) -> Markup {
    html! {
        @if let Some(refusal) = refusal {
            div class="notice bad" role="alert" { p { (sentence(&refusal.message)) } }
        }
    }
}

/// The rows of an answer.
pub(super) fn rows(answer: &Value) -> &[Value] {
    answer.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn waiting<'a>(answer: &'a Value, status: &'a str) -> impl Iterator<Item = &'a Value> {
    rows(answer).iter().filter(move |row| row["status"] == status)
}

/// What stands in a field of a row, if it is a text.
pub(super) fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_default()
}

/// A form that refuses what `action` says, with a reason.
fn refusal_form(member: &Member, action: &str, of: &str) -> Markup {
    html! {
        form method="post" action=(action) {
            (form::token(&member.0))
            div class="row" {
                (reason_field(&format!("not-{of}"), "Reason for refusing"))
                button class="danger" type="submit" { "Refuse" }
            }
        }
    }
}

/// The field of a reason.
pub(super) fn reason_field(id: &str, label: &str) -> Markup {
    html! {
        div class="field" {
            label for=(id) { (label) }
            input id=(id) name="reason" type="text" required autocomplete="off";
        }
    }
}

/// A field that may be empty, with an `id` of its own.
pub(super) fn field(id: &str, name: &str, label: &str) -> Markup {
    html! {
        div class="field" {
            label for=(id) { (label) " (optional)" }
            input id=(id) name=(name) type="text" autocomplete="off";
        }
    }
}

/// The choice of an entity by its slug.
fn entity_field(name: &str, label: &str, entities: &Value, chosen: &str) -> Markup {
    let open = rows(entities).iter().filter(|entity| text(entity, "merged_into").is_empty());
    html! {
        div class="field" {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @for entity in open {
                    option value=(text(entity, "slug"))
                        selected[text(entity, "slug") == chosen] { (text(entity, "name")) }
                }
            }
        }
    }
}

fn all_entities(entities: &Value) -> Markup {
    html! {
        (table(
            Some("All entities"),
            &[Words("Name"), Words("Sector"), Words("State")],
            html! {
                @for entity in rows(entities) {
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

fn reason(fields: &Fields) -> String {
    fields.text("reason")
}

/// Carries a decision out; a refusal is told on the page from which it came.
pub(super) async fn decide(
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
