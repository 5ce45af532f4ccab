//! What the requester's entities have used and what is left: `/v1/usage`.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::rfc3339;
use crate::base::ids::IdKind;
use crate::directory::EntityRef;
use crate::http::auth::Caller;
use crate::http::problem::Problem;
use crate::http::state::Gateway;
use crate::ledger::{self, Usage};
use crate::store::StoreError;

/// `GET /v1/usage`: each entity of the requester, each kind of ID.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
) -> Result<Json<Value>, Problem> {
    let reading = gateway.clock.read();
    let profile = gateway.profile.clone();
    let look = gateway.store.look(move |tx| -> Result<Value, StoreError> {
        let mut entities = Vec::new();
        for entity in &requester.entities {
            for kind in IdKind::ALL {
                let usage = ledger::usage(tx, &profile, &reading, entity.id, kind)?;
                entities.push(described(entity, &usage));
            }
        }
        Ok(json!({ "usage": entities }))
    });
    Ok(Json(look.await?))
}

fn described(entity: &EntityRef, usage: &Usage) -> Value {
    let returns: Vec<Value> = usage
        .returns
        .iter()
        .map(|back| json!({ "at": rfc3339(back.at_ms), "ids": back.ids }))
        .collect();
    json!({
        "entity": entity.slug,
        "name": entity.name,
        "ids": usage.kind.word(),
        "at": rfc3339(usage.at_ms),
        "used": usage.used_ids,
        "open": usage.open_ids,
        "held": usage.held_ids,
        "ceiling": usage.ceiling_ids,
        "remaining": usage.remaining_ids,
        "over": usage.over,
        "basis": usage.basis,
        "returns": returns,
        "window_seconds": usage.window_ms / 1_000,
        "grace_seconds": usage.grace_ms / 1_000,
        "profile": usage.profile,
    })
}
