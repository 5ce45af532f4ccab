//! The documents that everybody accepts before they receive anything: `/v1/documents`.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::rfc3339;
use crate::directory::document::{self, Document};
use crate::http::auth::Caller;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::store::StoreError;

/// `GET /v1/documents`: all of them, and the versions that are to come; with a key, also which are
/// still to be accepted.
pub(in crate::http) async fn list(
    State(gateway): State<Gateway>,
    caller: Option<Caller>,
) -> Result<Json<Value>, Problem> {
    let (profile, now_ms) = (gateway.profile.clone(), gateway.clock.now_ms());
    let look = gateway.store.look(move |tx| -> Result<Value, StoreError> {
        let of_profile = &profile.documents;
        let upcoming = document::upcoming(tx, now_ms)?;
        let upcoming = upcoming.into_iter().map(|(document, from_ms)| {
            let mut shown = shown(&document);
            shown["from"] = rfc3339(from_ms);
            shown
        });
        let mut answer = json!({
            "documents": listed(&document::in_force(tx, of_profile, now_ms)?),
            "upcoming": upcoming.collect::<Vec<_>>(),
        });
        if let Some(Caller(requester)) = caller {
            let missing = document::missing(tx, of_profile, now_ms, requester.person)?;
            answer["missing"] = listed(&missing);
        }
        Ok(answer)
    });
    Ok(Json(look.await?))
}

/// The refusal of somebody who has yet to accept these documents: it says which, and where.
pub(in crate::http) fn not_accepted(missing: &[Document]) -> Problem {
    let titles: Vec<&str> = missing.iter().map(|document| document.title).collect();
    let detail = format!("not accepted yet: {}", titles.join(", "));
    Problem::new(&problem::ACCEPTANCE_MISSING, detail)
        .with("missing", listed(missing))
        .with("example", example(missing))
        .with("documents", "/v1/documents")
        .with("accept", "/v1/acceptances")
}

/// The body of a `POST /v1/acceptances` that accepts these documents.
pub(in crate::http) fn example(documents: &[Document]) -> Value {
    let named = documents
        .iter()
        .map(|document| json!({ "document": document.name, "version": document.version }));
    json!({ "documents": named.collect::<Vec<_>>() })
}

/// Documents as the API shows them.
pub(in crate::http) fn listed(documents: &[Document]) -> Value {
    Value::Array(documents.iter().map(shown).collect())
}

fn shown(document: &Document) -> Value {
    json!({
        "document": document.name,
        "title": document.title,
        "version": document.version,
        "url": document.url,
    })
}
