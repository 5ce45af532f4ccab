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
use crate::store::{StoreError, Tx};

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
    let (profile, now_ms) = (gateway.profile.clone(), gateway.clock.now_ms());
    let look = gateway.store.look(move |tx| -> Result<Value, StoreError> {
        let missing = document::missing(tx, &profile.documents, now_ms, requester.person)?;
        Ok(json!({ "missing": listed(&missing) }))
    });
    Ok(Json(look.await?))
}

/// `POST /v1/acceptances`: records that the key's person accepts the documents that the body names,
/// `{"documents": [{"document": "developer-policy", "version": "…"}, …]}`: in the version that is
/// in force, or in one that comes into force later.
/// Accepting the same version again changes nothing.
pub(in crate::http) async fn accept(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let acceptance = match read(&form::whole(body).await?) {
        Ok(acceptance) => acceptance,
        Err(detail) => return Err(not_understood(&gateway, requester.person, detail).await),
    };
    let (profile, now_ms) = (gateway.profile.clone(), gateway.clock.now_ms());
    let write = gateway.store.write(move |tx| -> Result<Value, Problem> {
        let mut accepted = Vec::new();
        for Accepted { document: name, version } in &acceptance.documents {
            let found = document::find(tx, &profile.documents, now_ms, name, version)?;
            let Some(found) = found else {
                let detail = format!(
                    "there is no document {name:?} in version {version:?}; \
                     GET /v1/documents lists them"
                );
                let missing = document::missing(tx, &profile.documents, now_ms, requester.person)?;
                return Err(bad(detail, &missing));
            };
            accepted.push(found);
        }
        let actor = Actor::Person(requester.person);
        let evidence = format!("POST /v1/acceptances with {}", requester.by);
        document::accept(tx, now_ms, &actor, requester.person, &accepted, &evidence)
            .map_err(|error| Problem::internal(&error))?;
        let missing = document::missing(tx, &profile.documents, now_ms, requester.person)?;
        Ok(json!({ "missing": listed(&missing) }))
    });
    Ok(Json(write.await?))
}

/// What a body says, or what is wrong with it.
fn read(body: &[u8]) -> Result<Acceptance, String> {
    serde_json::from_slice(body).map_err(|error| {
        format!(
            "the body is not the JSON expected: {error}; \
             send {{\"documents\": [{{\"document\": \"terms-of-service\", \
             \"version\": \"…\"}}]}}; GET /v1/documents lists them"
        )
    })
}

/// The refusal of a body, with one that would do as long as something is missing.
async fn not_understood(gateway: &Gateway, person: PersonId, detail: String) -> Problem {
    let (profile, now_ms) = (gateway.profile.clone(), gateway.clock.now_ms());
    let look = move |tx: &Tx<'_>| document::missing(tx, &profile.documents, now_ms, person);
    match gateway.store.look(look).await {
        Ok(missing) => bad(detail, &missing),
        Err(error) => Problem::from(error),
    }
}

fn bad(detail: String, missing: &[Document]) -> Problem {
    let problem = Problem::new(&problem::BAD_REQUEST, detail).with("documents", "/v1/documents");
    if missing.is_empty() { problem } else { problem.with("example", example(missing)) }
}
