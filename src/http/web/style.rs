//! The style sheet and the one script, under names that hold their digests: a browser keeps them
//! until they change.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::http::problem::Problem;
use crate::http::router::unknown_address;

/// A file that a page is made with.
struct Part {
    text: &'static str,
    ending: &'static str,
    media_type: &'static str,
}

static STYLE: Part =
    Part { text: include_str!("style.css"), ending: "css", media_type: "text/css; charset=utf-8" };
static SCRIPT: Part = Part {
    text: include_str!("progress.js"),
    ending: "js",
    media_type: "text/javascript; charset=utf-8",
};

/// Where the style sheet lies.
pub(in crate::http) static ADDRESS: LazyLock<String> =
    LazyLock::new(|| format!("/style/{}", STYLE.name()));

/// Where the script lies that follows a file which is being made.
pub(in crate::http) static SCRIPT_ADDRESS: LazyLock<String> =
    LazyLock::new(|| format!("/style/{}", SCRIPT.name()));

impl Part {
    fn name(&self) -> String {
        let digest = hex::encode(Sha256::digest(self.text));
        format!("{}.{}", &digest[..16], self.ending)
    }
}

/// `GET /style/{name}`.
pub(in crate::http) async fn show(Path(asked): Path<String>) -> Result<Response, Problem> {
    let part = [&STYLE, &SCRIPT].into_iter().find(|part| part.name() == asked);
    let part = part.ok_or_else(unknown_address)?;
    let mut response = part.text.into_response();
    let fields = response.headers_mut();
    let kind = HeaderValue::from_static(part.media_type);
    fields.insert(header::CONTENT_TYPE, kind);
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    fields.insert(header::CACHE_CONTROL, kept);
    Ok(response)
}
