//! The documents that everybody accepts before they receive anything: `/v1/documents`.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::directory::document::{self, Document};
use crate::http::auth::Caller;
use crate::http::problem::Problem;
use crate::http::state::Gateway;
use crate::store::StoreError;

/// `GET /v1/documents`: all of them; with a key, also which of them are still to be accepted.
pub(in crate::http) async fn list(
    State(gateway): State<Gateway>,
    caller: Option<Caller>,
) -> Result<Json<Value>, Problem> {
    let mut answer = json!({ "documents": listed(document::DOCUMENTS) });
    if let Some(Caller(requester)) = caller {
        let look = gateway.store.look(move |tx| -> Result<Value, StoreError> {
            Ok(listed(document::missing(tx, requester.person)?))
        });
        answer["missing"] = look.await?;
    }
    Ok(Json(answer))
}

/// The body of a `POST /v1/acceptances` that accepts these documents.
pub(in crate::http) fn example<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Value {
    let named = documents
        .into_iter()
        .map(|document| json!({ "document": document.name, "version": document.version }));
    json!({ "documents": named.collect::<Vec<_>>() })
}

/// Documents as the API shows them.
pub(in crate::http) fn listed<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Value {
    let listed = documents.into_iter().map(|document| {
        json!({
            "document": document.name,
            "title": document.title,
            "version": document.version,
            "url": document.url,
        })
    });
    Value::Array(listed.collect())
}
