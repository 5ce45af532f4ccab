//! A small answer that is kept as a file; deliveries, which are charged as they go, are not among
//! them.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};

/// `body` as a file of that media type and name, which holds no quotes.
pub(super) fn attachment(kind: &str, name: &str, body: impl Into<Body>) -> Response {
    let fields = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (fields, body.into()).into_response()
}
