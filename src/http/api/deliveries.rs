//! What was handed to the requester's person: `/v1/deliveries`.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Query, Segment, rfc3339};
use crate::base::delivery::DeliveryId;
use crate::directory::Requester;
use crate::http::attachment::attachment;
use crate::http::auth::Caller;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::operation::{self, DeliveryReceipt};
use crate::policy::Recipient;
use crate::store::{DeliveryRow, StoreError, Tx};

/// How many deliveries a page has, unless the query says otherwise.
const PAGE_DELIVERIES: u32 = 100;
/// How many it has at most.
const PAGE_DELIVERIES_MAX: u32 = 1_000;

/// Which page of the deliveries is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Page {
    /// The delivery after which the page begins: older ones follow.
    before: Option<String>,
    /// How many deliveries at most.
    limit: Option<u32>,
}

/// `GET /v1/deliveries`: the requester's own, the newest first.
pub(in crate::http) async fn list(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Problem> {
    let limit = page.limit.unwrap_or(PAGE_DELIVERIES);
    if !(1..=PAGE_DELIVERIES_MAX).contains(&limit) {
        let detail = format!("limit must be from 1 to {PAGE_DELIVERIES_MAX}");
        return Err(Problem::new(&problem::BAD_REQUEST, detail));
    }
    let before = page.before.map(|id| id.parse().map_err(|_| unknown())).transpose()?;
    let look = gateway.store.look(move |tx| {
        let rows = tx.deliveries_of(requester.person, before, limit)?;
        let next = (rows.len() == limit as usize)
            .then(|| rows.last())
            .flatten()
            .map(|last| format!("/v1/deliveries?before={}&limit={limit}", last.id));
        let shown: Vec<Value> =
            rows.iter().map(|row| described(tx, row, &requester)).collect::<Result<_, _>>()?;
        Ok::<_, Problem>(json!({ "deliveries": shown, "next": next }))
    });
    Ok(Json(look.await?))
}

/// `GET /v1/deliveries/{id}`: one of the requester's own.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
    Segment(id): Segment,
) -> Result<Json<Value>, Problem> {
    let id = id.parse().map_err(|_| unknown())?;
    let look = gateway.store.look(move |tx| {
        let row = tx.delivery(id)?.filter(|row| row.person == Some(requester.person));
        let row = row.ok_or_else(unknown)?;
        let mut shown = described(tx, &row, &requester)?;
        shown["report"] = row.report.map_or(Value::Null, |report| {
            serde_json::from_str(&report).unwrap_or(Value::String(report))
        });
        Ok::<_, Problem>(shown)
    });
    Ok(Json(look.await?))
}

/// `GET /v1/deliveries/{id}/receipt`: proofs that the audit log holds one of the requester's own.
pub(in crate::http) async fn receipt(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
    Segment(id): Segment,
) -> Result<Response, Problem> {
    let id: DeliveryId = id.parse().map_err(|_| unknown())?;
    let look = gateway.store.look(move |tx| {
        let row = tx.delivery(id)?.filter(|row| row.person == Some(requester.person));
        row.ok_or_else(unknown).map(drop)
    });
    look.await?;
    receipt_of(&gateway, id).await
}

/// The receipt of a delivery, whoever's it is.
pub(super) async fn receipt_of(gateway: &Gateway, id: DeliveryId) -> Result<Response, Problem> {
    let look = gateway.store.look(move |tx| Ok::<_, Problem>(operation::receipt(tx, id)?));
    match look.await? {
        DeliveryReceipt::Ready(text) => {
            Ok(attachment("text/plain; charset=utf-8", &format!("{id}.tlog-proof"), text))
        }
        // The gateway signs by itself; a request does not make it write.
        DeliveryReceipt::NotYet => {
            let detail = "the audit log has not been signed since the newest part of this delivery";
            let seconds = gateway.checkpoint_interval.as_secs().to_string();
            Err(Problem::new(&problem::RECEIPT_NOT_READY, detail)
                .with_header(header::RETRY_AFTER, &seconds))
        }
        DeliveryReceipt::Unknown => {
            let detail = "this delivery is older than the receipts of this gateway";
            Err(Problem::new(&problem::NOT_FOUND, detail)
                .with_advice("Its operator can tell what was delivered."))
        }
    }
}

fn unknown() -> Problem {
    Problem::new(&problem::NOT_FOUND, "there is no such delivery of yours")
        .with_advice("GET /v1/deliveries lists yours.")
}

fn described(tx: &Tx<'_>, row: &DeliveryRow, requester: &Requester) -> Result<Value, StoreError> {
    // Whoever received of a dataset knew its name; it stays theirs to see when it is retired.
    let dataset = row.dataset.map(|id| tx.dataset_by_id(id)).transpose()?.flatten();
    let charged: Vec<Value> = row
        .recipients
        .iter()
        .map(|charged| {
            // An entity that the person has left keeps its charge; its name is not theirs to see.
            let entity = requester
                .entities
                .iter()
                .find(|entity| Recipient::Entity(entity.id) == charged.recipient);
            json!({
                "entity": entity.map(|entity| &entity.slug),
                "basis": charged.basis,
                "use_case": charged.use_case,
            })
        })
        .collect();
    Ok(json!({
        "delivery": row.id.to_string(),
        "key": row.key.map(|key| key.0.to_string()),
        "dataset": dataset.map(|dataset| dataset.slug),
        "ids": row.unit.word(),
        "release": row.release,
        "offset": row.first,
        "requested": row.end.map(|end| end - row.first),
        "charged": row.charged_ids,
        "charged_to": charged,
        "state": row.state,
        "reason": row.reason,
        "profile": row.profile,
        "started_at": rfc3339(row.started_ms),
        "ended_at": row.ended_ms.map(rfc3339),
    }))
}
