//! Small bodies that are read whole before anything is done: JSON and forms, not data.

use std::time::Duration;

use axum::body::{Body, Bytes};

use super::problem::{self, Problem};

/// More than anything takes that people fill in.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a client may take to send it.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// Reads a body within its bounds.
///
/// # Errors
/// 408 and 413.
pub(crate) async fn whole(body: Body) -> Result<Bytes, Problem> {
    let bytes = tokio::time::timeout(BODY_TIME_MAX, axum::body::to_bytes(body, BODY_BYTES_MAX));
    match bytes.await {
        Err(_) => {
            let detail = format!("the body must arrive within {} seconds", BODY_TIME_MAX.as_secs());
            Err(Problem::new(&problem::TOO_SLOW, detail))
        }
        Ok(Err(_)) => {
            let detail = format!("the body may have {BODY_BYTES_MAX} bytes at most");
            Err(Problem::new(&problem::TOO_LARGE, detail))
        }
        Ok(Ok(bytes)) => Ok(bytes),
    }
}
