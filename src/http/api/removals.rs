//! What the requester's person should delete: `/v1/removals`. Releases and ordinals, never IDs.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::Query;
use super::ids::printable;
use crate::http::auth::Caller;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::removal::holders::{Feed, feed};

/// How many entries a page has, or a few more.
const PAGE_ENTRIES: usize = 100;

/// Where the page begins.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Since {
    /// The version after which it begins: `until` of the page before; 0: the first.
    since: Option<i64>,
}

/// `GET /v1/removals`: what changed of what the requester's person was sent, the oldest first.
pub(in crate::http) async fn list(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
    Query(Since { since }): Query<Since>,
) -> Result<Response, Problem> {
    let since = since.unwrap_or(0);
    if since < 0 {
        let detail = "since is the version that an earlier page ended with, or 0";
        return Err(Problem::new(&problem::BAD_REQUEST, detail));
    }
    let look = gateway.store.look(move |tx| feed(tx, requester.person, since, PAGE_ENTRIES));
    let page: Result<Feed, crate::store::StoreError> = look.await;
    let Feed { removals, files, until, has_more } = page?;
    let next = has_more.then(|| format!("/v1/removals?since={until}"));
    let body = json!({ "removals": removals, "files": files, "until": until, "next": next });
    let mut response = Json(body).into_response();
    if let Some(next) = next {
        let link = printable(&format!("<{next}>; rel=\"next\""));
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}
