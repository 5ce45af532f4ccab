//! The answers about exports: who asked for which files of what, and how far each is. What is in a
//! file is never told.

use serde_json::{Value, json};

use super::answer::{list, person_of};
use super::desk::By;
use crate::base::date::rfc3339;
use crate::directory::{DirectoryError, person};
use crate::export::cover::LeftOut;
use crate::store::{ExportFileRow, ExportRow, Tx};

type Answer = Result<Value, DirectoryError>;

/// How many exports are listed.
const ROWS_MAX: u32 = 1_000;

/// The newest exports, or those of the person with that mail address.
pub(super) fn all(tx: &Tx<'_>, mail: Option<&str>) -> Answer {
    let person = mail.map(|mail| person::find(tx, mail)).transpose()?;
    list(tx.exports(person.map(|person| person.id), ROWS_MAX)?, |row| whole(tx, &row))
}

/// One export with its files.
pub(super) fn one(tx: &Tx<'_>, id: i64) -> Answer {
    let row = tx.export(id)?;
    whole(tx, &row.ok_or_else(|| DirectoryError::NotFound(format!("there is no export {id}")))?)
}

/// Ends a file for everybody; its bytes go with the next sweep.
pub(super) fn cancel(tx: &Tx<'_>, by: &By, file: i64, reason: &str) -> Answer {
    let unknown = || DirectoryError::NotFound(format!("there is no file {file} of an export"));
    let row = tx.export_file(file)?.ok_or_else(unknown)?;
    if !tx.export_file_cancel(file, Some(reason), by.now_ms)? {
        let clause = format!("file {file} has ended: it is {}", row.state.word());
        return Err(DirectoryError::Conflict(clause));
    }
    one(tx, row.export)
}

fn whole(tx: &Tx<'_>, row: &ExportRow) -> Answer {
    let dataset = tx.dataset_by_id(row.dataset)?;
    let selection: Value = serde_json::from_str(&row.selection).unwrap_or(Value::Null);
    let files = tx.export_files_of(row.id)?;
    Ok(json!({
        "id": row.id.to_string(),
        "person": person_of(tx, row.person)?.mail,
        "dataset": dataset.map(|dataset| dataset.slug),
        "release": row.release,
        "objects": row.kind.word(),
        "selection": selection,
        "format": row.format,
        "ids": row.ids,
        "asked": rfc3339(row.asked_ms),
        "files": files.iter().map(file).collect::<Vec<Value>>(),
    }))
}

fn file(row: &ExportFileRow) -> Value {
    let left_out: Vec<(LeftOut, u64)> = serde_json::from_str(&row.left_out).unwrap_or_default();
    let left_out = left_out.iter().map(|(why, count)| (why.word().to_owned(), json!(count)));
    json!({
        "id": row.id.to_string(),
        "part": row.part,
        "planned": rfc3339(row.planned_ms),
        "state": row.state,
        "reason": row.reason,
        "objects_max": row.objects_max,
        "looked_up": row.gathered,
        "objects": row.objects,
        "bytes": row.bytes,
        "sha256": row.sha256.map(hex::encode),
        "left_out": left_out.collect::<serde_json::Map<_, _>>(),
        "fetched": row.fetches,
        "gateway": row.instance,
        "changed": rfc3339(row.changed_ms),
        "kept_until": row.kept_until_ms.map(rfc3339),
    })
}
