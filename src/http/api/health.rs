//! Whether the process lives, and whether it can record deliveries.

use axum::extract::State;

use crate::http::problem::Problem;
use crate::http::state::Gateway;

/// `GET /healthz`: the process answers.
pub(in crate::http) async fn alive() -> &'static str {
    "alive\n"
}

/// `GET /readyz`: a commit is on the disk, so IDs can go out.
pub(in crate::http) async fn ready(
    State(gateway): State<Gateway>,
) -> Result<&'static str, Problem> {
    gateway.ledger.ready().await?;
    Ok("ready\n")
}
