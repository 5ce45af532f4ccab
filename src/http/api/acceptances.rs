//! Accepting the documents: `/v1/acceptances`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::documents::{example, listed};
use crate::base::party::{Actor, PersonId};
use crate::directory::document::{self, Document};
use crate::http::auth::Caller;
use crate::http::form;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::store::StoreError;

/// What somebody accepts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Acceptance {
    documents: Vec<Accepted>,
}

/// A document in the version that was read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    document: String,
    version: String,
}

/// `GET /v1/acceptances`: what the person has still to accept.
pub(in crate::http) async fn list(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
) -> Result<Json<Value>, Problem> {
    let look = gateway.store.look(move |tx| -> Result<Value, StoreError> {
        Ok(json!({ "missing": listed(document::missing(tx, requester.person)?) }))
    });
    Ok(Json(look.await?))
}

/// `POST /v1/acceptances`: records that the key's person accepts the documents that the body names,
/// `{"documents": [{"document": "developer-policy", "version": "…"}, …]}`.
/// Accepting the same version again changes nothing.
pub(in crate::http) async fn accept(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let accepted = match named(&form::whole(body).await?) {
        Ok(accepted) => accepted,
        Err(detail) => return Err(not_understood(&gateway, requester.person, detail).await),
    };
    let now_ms = gateway.clock.now_ms();
    let write = gateway.store.write(move |tx| -> Result<Value, Problem> {
        let actor = Actor::Person(requester.person);
        let evidence = format!("POST /v1/acceptances with key {}", requester.key.0);
        document::accept(tx, now_ms, &actor, requester.person, &accepted, &evidence)
            .map_err(|error| Problem::internal(&error))?;
        Ok(json!({ "missing": listed(document::missing(tx, requester.person)?) }))
    });
    Ok(Json(write.await?))
}

/// The documents that a body names, or what is wrong with it.
fn named(body: &[u8]) -> Result<Vec<&'static Document>, String> {
    let acceptance: Acceptance = serde_json::from_slice(body).map_err(|error| {
        format!(
            "the body is not the JSON expected: {error}; \
             send {{\"documents\": [{{\"document\": \"terms-of-service\", \
             \"version\": \"…\"}}]}}; GET /v1/documents lists them"
        )
    })?;
    let find = |Accepted { document: name, version }: &Accepted| {
        let known = document::DOCUMENTS
            .iter()
            .find(|known| known.name == name.as_str() && known.version == version.as_str());
        known.ok_or_else(|| {
            format!(
                "there is no document {name:?} in version {version:?}; \
                 GET /v1/documents lists them"
            )
        })
    };
    acceptance.documents.iter().map(find).collect()
}

/// The refusal of a body, with one that would do as long as something is missing.
async fn not_understood(gateway: &Gateway, person: PersonId, detail: String) -> Problem {
    let look = gateway.store.look(move |tx| document::missing(tx, person));
    let problem = Problem::new(&problem::BAD_REQUEST, detail).with("documents", "/v1/documents");
    match look.await {
        Ok(missing) if missing.is_empty() => problem,
        Ok(missing) => problem.with("example", example(missing)),
        Err(error) => Problem::from(error),
    }
}
