//! What the requester and their entities have used and what is left: `/v1/usage`.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::http::auth::Caller;
use crate::http::problem::Problem;
use crate::http::state::Gateway;
use crate::operation;

/// `GET /v1/usage`: each entity of the requester with its meters, as `hydrant usage` shows it; and
/// the objects of the person, who has an allowance of their own.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
) -> Result<Json<Value>, Problem> {
    let clock = gateway.clock.clone();
    let profile = gateway.profile.clone();
    let look = gateway.store.look(move |tx| -> Result<Value, Problem> {
        let mut entities = Vec::new();
        for entity in &requester.entities {
            let row = tx.entity_by_id(entity.id)?;
            let row =
                row.ok_or_else(|| Problem::internal(&"an entity of a member is not there"))?;
            let usage = operation::usage(tx, &profile, &clock, &row);
            entities.push(usage.map_err(|error| Problem::unavailable(&error))?);
        }
        let objects = operation::objects(tx, &profile, &clock, requester.person);
        let objects = objects.map_err(|error| Problem::unavailable(&error))?;
        Ok(json!({ "entities": entities, "objects": objects }))
    });
    Ok(Json(look.await?))
}
