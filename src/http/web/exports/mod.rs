//! Exports: full objects as files, for people who ask for them by hand. Everything below `/exports`
//! is for a browser session alone; whoever comes with a key is told why not.
//!
//! | file | what |
//! |---|---|
//! | `list` | what somebody has asked for, and how much of the allowance is left |
//! | `select` | the form by which they select, and what becomes of it |
//! | `one` | an export with its files, the plan over days, and progress |
//! | `fetch` | having a file made, confirming it, fetching it, giving it up |
//! | `events` | progress for scripts |

mod events;
mod fetch;
mod list;
mod one;
mod select;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::export::job::ask::AskError;
use crate::http::problem::{self, Problem, Told};
use crate::http::state::Gateway;

/// Every route below `/exports`.
pub(in crate::http) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/exports", get(list::show).post(select::ask))
        // The list that somebody uploads has a bound of its own.
        .layer(DefaultBodyLimit::disable())
        .route("/exports/new", get(select::show))
        .route("/exports/{id}", get(one::show))
        .route("/exports/{id}/events", get(events::show))
        .route("/exports/files/{id}", get(fetch::confirm).post(fetch::fetch))
        .route("/exports/files/{id}/make", post(fetch::make))
        .route("/exports/files/{id}/cancel", post(fetch::cancel))
        .route_layer(middleware::from_fn(people_only))
}

/// Refuses whoever comes with a key, whether or not they have a session as well.
async fn people_only(request: Request, next: Next) -> Response {
    if !request.headers().contains_key(header::AUTHORIZATION) {
        return next.run(request).await;
    }
    let mut refused = by_hand().await.into_response();
    // A program asks: it gets no page.
    refused.extensions_mut().remove::<Told>();
    refused
}

/// Why programs get no objects: any request to `/v1/exports`.
pub(in crate::http) async fn by_hand() -> Problem {
    let detail = "full objects are handed out by non-automated means alone: to a person who has \
                  signed in with a browser, file by file; no key and no link obtains one";
    Problem::new(&problem::OBJECTS_BY_HAND, detail)
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Problem {
        match error {
            AskError::NotFound(detail) => Problem::new(&problem::NOT_FOUND, detail),
            AskError::Conflict(detail) => Problem::new(&problem::CONFLICT, detail),
            AskError::Store(error) => error.into(),
            AskError::Invalid(_) | AskError::NoPlan(_) => {
                Problem::new(&problem::BAD_REQUEST, error.to_string())
            }
            AskError::Gather(_) | AskError::Release(_) | AskError::Disk(_) => {
                Problem::internal(&error)
            }
        }
    }
}

/// The number in an address.
///
/// # Errors
/// 404 if there is none.
fn number(text: &str) -> Result<i64, Problem> {
    text.parse().map_err(|_| Problem::new(&problem::NOT_FOUND, "there is no such export of yours"))
}
