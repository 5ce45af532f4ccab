//! The answers of the operations on datasets as JSON.

use serde_json::{Map, Value, json};

use crate::base::date::rfc3339;
use crate::base::ids::IdKind;
use crate::directory::DirectoryError;
use crate::store::{DatasetRow, ReleaseRow, Supply, Tx};

type Answer = Result<Value, DirectoryError>;

/// A dataset with its current release.
pub(super) fn brief(tx: &Tx<'_>, row: &DatasetRow) -> Answer {
    let mut entities = Vec::new();
    for id in tx.dataset_entities(row.id)? {
        entities.extend(tx.entity_by_id(id)?.map(|entity| entity.slug));
    }
    let current = match &row.supply {
        Supply::Releases { current } => tx.release(row.id, current)?,
        Supply::Upstream(_) => None,
    };
    let upstream = match &row.supply {
        Supply::Releases { .. } => None,
        Supply::Upstream(name) => Some(name),
    };
    Ok(json!({
        "id": row.id.to_string(),
        "slug": row.slug,
        "title": row.title,
        "ids": row.ids,
        "scope": row.scope,
        "mode": row.supply.mode(),
        "upstream": upstream,
        "visibility": row.visibility,
        "entities": entities,
        "embargo": row.embargo_ms.map(rfc3339),
        "created": rfc3339(row.created_ms),
        "retired": row.retired_ms.map(rfc3339),
        "release": current.as_ref().map(release),
    }))
}

/// All datasets, each with its current release.
pub(super) fn list(tx: &Tx<'_>) -> Answer {
    tx.datasets()?.iter().map(|row| brief(tx, row)).collect()
}

/// A dataset with all its releases.
pub(super) fn whole(tx: &Tx<'_>, row: &DatasetRow) -> Answer {
    let mut answer = brief(tx, row)?;
    answer["releases"] = tx.releases(row.id)?.iter().map(release).collect();
    Ok(answer)
}

fn release(row: &ReleaseRow) -> Value {
    let count = |kind: IdKind| Some((kind.word().to_owned(), row.ids(kind)?.into()));
    let counts: Map<String, Value> = IdKind::ALL.into_iter().filter_map(count).collect();
    json!({ "id": row.id, "created": rfc3339(row.created_ms), "counts": counts })
}
