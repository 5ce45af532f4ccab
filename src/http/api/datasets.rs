//! The catalogue: `/v1/datasets`. Its public part needs no key; what is hidden is 404.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ids::unknown_dataset;
use super::{Query, Segment, rfc3339};
use crate::base::ids::IdKind;
use crate::http::auth::{Caller, entity_ids};
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::store::{DatasetRow, ReleaseRow, StoreError, Supply, Tx};

/// How many datasets a page has, unless the query says otherwise.
const PAGE_DATASETS: usize = 100;
/// How many it has at most.
const PAGE_DATASETS_MAX: usize = 1_000;

/// Which page of the catalogue is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Page {
    /// The slug after which the page begins.
    after: Option<String>,
    /// How many datasets at most.
    limit: Option<usize>,
}

/// `GET /v1/datasets`: what this requester may know of, by slug.
pub(in crate::http) async fn list(
    State(gateway): State<Gateway>,
    caller: Option<Caller>,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Problem> {
    let limit = page.limit.unwrap_or(PAGE_DATASETS);
    if !(1..=PAGE_DATASETS_MAX).contains(&limit) {
        let detail = format!("limit must be from 1 to {PAGE_DATASETS_MAX}");
        return Err(Problem::new(&problem::BAD_REQUEST, detail));
    }
    let now_ms = gateway.clock.now_ms();
    let entities = caller.map(|caller| entity_ids(&caller.0));
    let look = gateway.store.look(move |tx| -> Result<Value, StoreError> {
        let mut visible = tx.datasets_visible(entities.as_deref(), now_ms)?;
        visible.sort_by(|one, other| one.slug.cmp(&other.slug));
        let after = page.after.unwrap_or_default();
        let mut rest = visible.into_iter().filter(|dataset| dataset.slug > after);
        let shown: Vec<DatasetRow> = rest.by_ref().take(limit).collect();
        let next = rest
            .next()
            .and(shown.last())
            .map(|last| format!("/v1/datasets?after={}&limit={limit}", last.slug));
        let shown: Vec<Value> =
            shown.iter().map(|dataset| described(tx, dataset)).collect::<Result<_, _>>()?;
        Ok(json!({ "datasets": shown, "next": next }))
    });
    Ok(Json(look.await?))
}

/// `GET /v1/datasets/{slug}`.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    caller: Option<Caller>,
    Segment(slug): Segment,
) -> Result<Json<Value>, Problem> {
    look_at(&gateway, caller, slug, described).await
}

/// `GET /v1/datasets/{slug}/releases`: the newest first.
pub(in crate::http) async fn releases(
    State(gateway): State<Gateway>,
    caller: Option<Caller>,
    Segment(slug): Segment,
) -> Result<Json<Value>, Problem> {
    let look = look_at(&gateway, caller, slug, |tx, dataset| {
        let releases = tx.releases(dataset.id)?;
        let releases = releases.iter().map(|row| release(tx, dataset, row));
        let releases: Vec<Value> = releases.collect::<Result<_, _>>()?;
        Ok(json!({ "releases": releases }))
    });
    look.await
}

/// Answers with what `look` sees of a dataset that this requester may know of.
async fn look_at(
    gateway: &Gateway,
    caller: Option<Caller>,
    slug: String,
    look: impl FnOnce(&Tx<'_>, &DatasetRow) -> Result<Value, StoreError> + Send + 'static,
) -> Result<Json<Value>, Problem> {
    let now_ms = gateway.clock.now_ms();
    let entities = caller.map(|caller| entity_ids(&caller.0));
    let seen = gateway.store.look(move |tx| {
        let dataset = tx.dataset_visible_to(&slug, entities.as_deref(), now_ms)?;
        let dataset = dataset.ok_or_else(|| unknown_dataset(&slug))?;
        Ok::<_, Problem>(look(tx, &dataset)?)
    });
    Ok(Json(seen.await?))
}

fn described(tx: &Tx<'_>, dataset: &DatasetRow) -> Result<Value, StoreError> {
    let current = match &dataset.supply {
        Supply::Releases { current } => tx.release(dataset.id, current)?,
        Supply::Upstream(_) => None,
    };
    Ok(json!({
        "slug": dataset.slug,
        "title": dataset.title,
        "visibility": dataset.visibility.word(),
        "scope": dataset.scope,
        "mode": dataset.supply.mode(),
        "streams": streams(dataset),
        "created_at": rfc3339(dataset.created_ms),
        "release": current.map(|row| release(tx, dataset, &row)).transpose()?,
    }))
}

/// For each kind of ID of a dataset that is stripped in flight, where: nobody knows how many.
fn streams(dataset: &DatasetRow) -> Option<Value> {
    let Supply::Upstream(_) = dataset.supply else { return None };
    let address = |kind: &IdKind| {
        let address = format!("/v1/datasets/{}/{kind}-ids", dataset.slug);
        (format!("{kind}-ids"), json!({ "address": address }))
    };
    Some(Value::Object(dataset.ids.iter().map(address).collect()))
}

/// A release with, for each kind of ID that it has, how many are handed out, and where.
fn release(tx: &Tx<'_>, dataset: &DatasetRow, row: &ReleaseRow) -> Result<Value, StoreError> {
    let mut columns = serde_json::Map::new();
    for kind in IdKind::ALL {
        let Some(ids) = row.ids(kind) else { continue };
        let (slug, release) = (&dataset.slug, &row.id);
        let address = format!("/v1/datasets/{slug}/{kind}-ids?release={release}");
        let removed = tx.view_removed_ids(release, kind)?;
        let mut column = json!({ "ids": ids - removed, "address": address });
        if removed > 0 {
            column["removed"] = removed.into();
        }
        columns.insert(format!("{kind}-ids"), column);
    }
    Ok(json!({
        "release": row.id,
        "current": Some(&*row.id) == dataset.supply.current_release(),
        "created_at": rfc3339(row.created_ms),
        "columns": columns,
    }))
}
