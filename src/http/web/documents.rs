//! The documents that everybody accepts before they receive anything.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::form::{self, SentByMember};
use super::layout::Tab;
use super::visitor::Member;
use crate::base::party::Actor;
use crate::directory::DirectoryError;
use crate::directory::document;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::policy::Document;
use crate::store::StoreError;

/// `GET /documents`.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    member: Member,
) -> Result<Response, Problem> {
    page(&gateway, &member, None).await
}

async fn page(
    gateway: &Gateway,
    member: &Member,
    mistake: Option<&str>,
) -> Result<Response, Problem> {
    let person = member.signed_in().requester.person;
    let (profile, now_ms) = (gateway.profile.clone(), gateway.clock.now_ms());
    let look = gateway.store.look(move |tx| -> Result<_, StoreError> {
        let documents = document::in_force(tx, &profile.documents, now_ms)?;
        Ok((documents, document::missing(tx, &profile.documents, now_ms, person)?))
    });
    let (documents, missing) = look.await?;
    let is_missing = |document: &Document| missing.contains(document);
    let content = html! {
        h1 { "Documents" }
        p class="lead" {
            "Whoever receives IDs accepts these four first, in their present version."
        }
        @if missing.is_empty() {
            div class="notice good" role="status" { p { "You have accepted all of them." } }
        }
        @if let Some(mistake) = mistake {
            div class="notice bad" role="alert" { p { (mistake) } }
        }
        form method="post" action="/documents" {
            (form::token(&member.0))
            fieldset {
                legend { "The documents" }
                @for document in &documents {
                    div class="field check" {
                        @if is_missing(document) {
                            input type="checkbox" id=(document.name) name="document"
                                value={ (document.name) "@" (document.version) };
                            label for=(document.name) { "I have read and accept the " }
                        } @else {
                            span class="tag good" { "accepted" } " "
                        }
                        a href=(document.url) rel="noreferrer" { (document.title) }
                        span class="faint" { " of " (document.version) }
                    }
                }
            }
            @if !missing.is_empty() { button type="submit" { "Accept" } }
        }
    };
    Ok(member.0.page(Tab::Documents, "Documents", content))
}

/// `POST /documents`: accepts those that are ticked.
pub(in crate::http) async fn accept(
    State(gateway): State<Gateway>,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let ticked = fields.all("document");
    let is_ticked = |document: &&Document| {
        ticked.iter().any(|value| *value == format!("{}@{}", document.name, document.version))
    };
    let (profile, now_ms) = (gateway.profile.clone(), gateway.clock.now_ms());
    let look =
        gateway.store.look(move |tx| document::in_force(tx, &profile.documents, now_ms)).await?;
    let accepted: Vec<Document> = look.into_iter().filter(|one| is_ticked(&one)).collect();
    if accepted.is_empty() {
        let mistake = "Tick what you accept.";
        let mut response = page(&gateway, &member, Some(mistake)).await?;
        *response.status_mut() = problem::BAD_REQUEST.status;
        return Ok(response);
    }
    let requester = member.signed_in().requester.clone();
    let write = gateway.store.write(move |tx| -> Result<(), DirectoryError> {
        let actor = Actor::Person(requester.person);
        let evidence = format!("the page /documents in {}", requester.by);
        document::accept(tx, now_ms, &actor, requester.person, &accepted, &evidence)
    });
    write.await?;
    Ok(Redirect::to("/documents").into_response())
}
