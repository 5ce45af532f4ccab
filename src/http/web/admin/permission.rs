//! Written permissions of the platform: those that were entered, and a form for a further one.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::{entity_field, operate, reason, reason_field, rows, text, told};
use crate::base::date::{begin_ms, end_ms};
use crate::base::number::separated;
use crate::directory::permission::Add;
use crate::directory::words::Rank;
use crate::http::api::Segment;
use crate::http::problem::Problem;
use crate::http::state::Gateway;
use crate::http::web::account::number;
use crate::http::web::form::{self, Field, Fields, SentByMember};
use crate::http::web::layout::Tab;
use crate::http::web::table::Head::Words;
use crate::http::web::table::table;
use crate::http::web::visitor::Member;
use crate::operation::{ErrorKind, Operation, OperationError};

/// `GET /admin/permissions`.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    member: Member,
) -> Result<Response, Problem> {
    page(&gateway, &member, &Fields::default(), None).await
}

async fn page(
    gateway: &Gateway,
    member: &Member,
    said: &Fields,
    refusal: Option<&OperationError>,
) -> Result<Response, Problem> {
    let permissions = operate(gateway, member, Operation::PermissionList).await??;
    let entities = operate(gateway, member, Operation::EntityList).await??;
    let may_decide = member.signed_in().rank == Some(Rank::Operator);
    let content = html! {
        h1 { "Permissions of the platform" }
        p class="lead" {
            "Where the platform permits in writing that an entity receives more, enter its letter. "
            "It raises the ceiling while it is valid."
        }
        (told(refusal))
        @if rows(&permissions).is_empty() { p class="faint" { "None was entered." } }
        @for row in rows(&permissions) { (card(member, row, may_decide)) }
        @if may_decide { (entry(member, &entities, said)) }
    };
    Ok(member.0.page(Tab::Operators, "Permissions of the platform", content))
}

fn card(member: &Member, row: &Value, may_decide: bool) -> Markup {
    let (id, standing) = (text(row, "id"), text(row, "standing"));
    let ceiling = row["ceiling"].as_u64().map_or_else(|| "none".to_owned(), separated);
    html! {
        section class="card" aria-label={ "Permission " (id) } {
            h2 { (text(row, "entity")) " " span class="tag" { (standing) } }
            (table(
                Some(&format!("Permission {id}")),
                &[Words("Letter"), Words("Of"), Words("Ceiling"), Words("From"), Words("Until")],
                html! {
                    tr {
                        td class="break" { (text(row, "issuer")) ": " (text(row, "reference")) }
                        td { (text(row, "issued_on")) }
                        td { (ceiling) }
                        td { (text(row, "from")) }
                        td { (text(row, "until")) }
                    }
                },
            ))
            @if may_decide && !matches!(standing, "revoked" | "ended") {
                form method="post" action={ "/admin/permissions/" (id) "/revoke" } {
                    (form::token(&member.0))
                    div class="row" {
                        (reason_field(&format!("end-{id}"), "Reason for ending it"))
                        button class="danger" type="submit" { "End it" }
                    }
                }
            }
        }
    }
}

fn entry(member: &Member, entities: &Value, said: &Fields) -> Markup {
    let field = |name, label, hint, kind| {
        let value = said.text(name);
        Field { name, label, hint, value: &value, kind, autocomplete: "off", mistake: None }.draw()
    };
    html! {
        h2 { "Enter a letter" }
        form class="stack" method="post" action="/admin/permissions" {
            (form::token(&member.0))
            (entity_field("entity", "Entity", entities, &said.text("entity")))
            (field("issuer", "Who permits", "The platform, or its office.", "text"))
            (field("reference", "How they name the letter", "", "text"))
            (field("issued_on", "Date of the letter", "", "date"))
            (field("from", "Valid from", "", "date"))
            (field("until", "Last day", "", "date"))
            (field("ceiling", "Up to how many IDs (optional)", "Empty: without a ceiling.",
                "optional"))
            (field("exemption", "For the exemption with this number (optional)",
                "Empty: the letter stands by itself.", "optional"))
            (field("document", "SHA-256 of the letter's file",
                "As `sha256sum letter.pdf` prints it.", "text"))
            (field("reason", "Why it is entered", "", "text"))
            button type="submit" { "Enter the letter" }
        }
    }
}

/// `POST /admin/permissions`.
pub(in crate::http) async fn enter(
    State(gateway): State<Gateway>,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    match requested(&fields) {
        Ok(request) => done(&gateway, &member, &fields, Operation::PermissionAdd(request)).await,
        Err(message) => {
            let refusal = OperationError { kind: ErrorKind::Invalid, message };
            refused(&gateway, &member, &fields, refusal).await
        }
    }
}

/// `POST /admin/permissions/{id}/revoke`.
pub(in crate::http) async fn revoke(
    State(gateway): State<Gateway>,
    Segment(id): Segment,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let operation =
        Operation::PermissionRevoke { permission: number(&id)?, reason: reason(&fields) };
    done(&gateway, &member, &Fields::default(), operation).await
}

fn requested(fields: &Fields) -> Result<Add, String> {
    let exemption =
        fields.whole_number("exemption", "the exemption")?.map(i64::try_from).transpose();
    Ok(Add {
        slug: fields.text("entity"),
        issuer: fields.text("issuer"),
        reference: fields.text("reference"),
        issued_on: fields.text("issued_on"),
        from_ms: begin_ms(&fields.text("from")).map_err(|error| error.to_string())?,
        until_ms: end_ms(&fields.text("until")).map_err(|error| error.to_string())?,
        ceiling_ids: fields.whole_number("ceiling", "the ceiling")?,
        exemption: exemption.map_err(|_| "there is no such exemption".to_owned())?,
        document_sha256: fields.text("document"),
        reason: reason(fields),
    })
}

async fn done(
    gateway: &Gateway,
    member: &Member,
    said: &Fields,
    operation: Operation,
) -> Result<Response, Problem> {
    match operate(gateway, member, operation).await? {
        Ok(_) => Ok(Redirect::to("/admin/permissions").into_response()),
        Err(error) if error.kind == ErrorKind::Unavailable => Err(error.into()),
        Err(error) => refused(gateway, member, said, error).await,
    }
}

async fn refused(
    gateway: &Gateway,
    member: &Member,
    said: &Fields,
    error: OperationError,
) -> Result<Response, Problem> {
    let mut response = page(gateway, member, said, Some(&error)).await?;
    *response.status_mut() = Problem::from(error).status();
    Ok(response)
}
