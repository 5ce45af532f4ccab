//! What whoever opens a peer-review link sees: `/s/…`. Who made the link is nowhere in it.
//!
//! # What keeps it blind
//!
//! A page is built from [`facts::Facts`], which have no field for a name unless the link shows its
//! maker; a refusal from [`neutral::Refused`], which knows one text for each kind, whatever went
//! wrong. Nothing that other handlers answer passes through: a [`super::problem::Problem`] of
//! theirs becomes the refusal of its status. Tags are keyed hashes of the link's own; there are no
//! digests, no numbers of deliveries or releases, and the file is called by what it holds.
//!
//! # What is kept of a visitor
//!
//! Nothing. No key, cookie or session is read, and none is set. `GET` and `HEAD` change nothing:
//! scanners of mail and previews open every address. A download begins with a `POST` in which the
//! terms are accepted, and is counted by the ledger with its first ID.

mod download;
mod facts;
mod file;
mod neutral;
mod page;

use axum::Router;
use axum::http::HeaderMap;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};

use self::neutral::{BY_HAND, NOT_FOUND, NOT_THAT_WAY, Refused};
use super::state::Gateway;
use super::web::style;

/// All routes below `/s`.
pub(super) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/{token}", get(page::show))
        .route("/{token}/downloads", post(download::begin))
        .route("/{token}/exports", any(async || Refused::new(&BY_HAND)))
        .route("/downloads/{secret}", get(file::deliver).head(file::describe))
        .route("/style/{name}", get(style::show))
        .fallback(async || Refused::new(&NOT_FOUND))
        .method_not_allowed_fallback(async || Refused::new(&NOT_THAT_WAY))
        .layer(middleware::from_fn(neutral::told))
}

/// The answer where links are not opened, or nothing else is: it tells nothing.
pub(super) fn nothing_here(headers: &HeaderMap) -> Response {
    neutral::shown(Refused::new(&NOT_FOUND).into_response(), headers)
}
