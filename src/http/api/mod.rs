//! The API for programs: one file for each noun of the address.

pub(super) mod acceptances;
pub(super) mod admin;
pub(super) mod datasets;
pub(super) mod deliveries;
pub(super) mod documents;
pub(super) mod health;
pub(super) mod ids;
pub(super) mod removals;
pub(super) mod selection;
pub(super) mod shares;
mod stream;
pub(super) mod strip;
pub(super) mod usage;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::problem::{self, Problem};

/// A query whose mistakes are answered with a problem.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query<T>, Problem> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri)
            .map_err(|error| Problem::new(&problem::BAD_REQUEST, mistake(&error.body_text())))?;
        Ok(Query(query.0))
    }
}

/// What is wrong with a query, from the parser's `Failed to …: KEY: REASON`. Its words are for
/// whoever writes a parser; those that we know are said anew, others are passed on.
fn mistake(said: &str) -> String {
    let said = said.split_once("query string: ").map_or(said, |(_, rest)| rest);
    if let Some((_, unknown)) = said.split_once("unknown field `")
        && let Some((name, known)) = unknown.rsplit_once("`, expected ")
    {
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        return format!("there is no parameter `{name}` here; known: {}", known.join(", "));
    }
    if let Some((_, twice)) = said.split_once("duplicate field ") {
        return format!("the parameter {twice} may be given only once");
    }
    match said.split_once(": ") {
        Some((name, "number too large to fit in target type")) => {
            format!("{name} is larger than any number that is taken here")
        }
        Some((
            name,
            "invalid digit found in string" | "cannot parse integer from empty string",
        )) => {
            format!("{name} must be a whole number")
        }
        _ => format!("the query cannot be understood: {said}"),
    }
}

/// A path segment whose mistakes are answered like an unknown one.
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Segment, Problem> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        let path = path.map_err(|_| super::router::unknown_address())?;
        Ok(Segment(path.0))
    }
}

/// A time for people and programs: RFC 3339 in UTC.
pub(super) fn rfc3339(time_ms: i64) -> Value {
    match Timestamp::from_millisecond(time_ms) {
        Ok(time) => json!(time.to_string()),
        Err(_) => Value::Null,
    }
}

/// Seconds from `now_ms` to `then_ms`, rounded up, never negative.
pub(super) fn seconds_until(now_ms: i64, then_ms: i64) -> i64 {
    (then_ms - now_ms).max(0).div_euclid(1_000)
        + i64::from((then_ms - now_ms).rem_euclid(1_000) > 0 && then_ms > now_ms)
}
