//! The style sheet, under a name that holds its digest: a browser keeps it until it changes.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::http::problem::Problem;
use crate::http::router::unknown_address;

const STYLE: &str = include_str!("style.css");

/// Where the style sheet lies.
pub(in crate::http) static ADDRESS: LazyLock<String> =
    LazyLock::new(|| format!("/style/{}", name()));

fn name() -> String {
    let digest = hex::encode(Sha256::digest(STYLE));
    format!("{}.css", &digest[..16])
}

/// `GET /style/{name}`.
pub(in crate::http) async fn show(Path(asked): Path<String>) -> Result<Response, Problem> {
    if asked != name() {
        return Err(unknown_address());
    }
    let mut response = STYLE.into_response();
    let fields = response.headers_mut();
    let kind = HeaderValue::from_static("text/css; charset=utf-8");
    fields.insert(header::CONTENT_TYPE, kind);
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    fields.insert(header::CACHE_CONTROL, kept);
    Ok(response)
}
