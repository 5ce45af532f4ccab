//! The operations on the audit log, and a delivery's receipt; HTTP gives receipts as well.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::answer::list;
use super::{Context, ErrorKind, OperationError};
use crate::audit::head::{Known, Place};
use crate::audit::{self, NotaryError, Receipt, Safekeeping, published};
use crate::base::causes::with_causes;
use crate::base::date::rfc3339;
use crate::base::delivery::DeliveryId;
use crate::directory::DirectoryError;
use crate::store::{StoreError, Tx};

/// The receipt of a delivery, as far as there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryReceipt {
    /// Its text.
    Ready(String),
    /// The next checkpoint makes it possible.
    NotYet,
    /// The log knows no such delivery.
    Unknown,
}

/// The receipt of a delivery against the newest checkpoint.
///
/// # Errors
/// [`StoreError`] of the looks.
pub fn receipt(tx: &Tx<'_>, delivery: DeliveryId) -> Result<DeliveryReceipt, StoreError> {
    Ok(match audit::receipt(tx, delivery)? {
        Receipt::Ready(proofs) => DeliveryReceipt::Ready(audit::receipt::text(&proofs)),
        Receipt::NotYet => DeliveryReceipt::NotYet,
        Receipt::Unknown => DeliveryReceipt::Unknown,
    })
}

/// Every reason, with the decision that it is about by its number in the log, and what shows that
/// the log holds it.
pub(super) fn reasons(tx: &Tx<'_>) -> Result<Value, DirectoryError> {
    list(tx.reasons()?, |row| {
        let decision = tx.journal_row(row.sequence)?;
        let decision: Value = decision
            .and_then(|decision| serde_json::from_str(&decision.leaf).ok())
            .unwrap_or_default();
        Ok(json!({
            "entry": (row.sequence - 1).to_string(),
            "at": decision["at_ms"].as_i64().map(rfc3339),
            "decision": decision["leaf"],
            "reason": row.reason,
            "salt": row.salt.map(|salt| hex::encode(salt.0)),
        }))
    })
}

/// Signs the head of the log as it is now, and tells how the log is kept safe.
pub(super) fn checkpoint(context: &Context) -> Result<Value, OperationError> {
    let signed = context.notary.checkpoint(&context.store, context.clock.now_ms());
    let signed = signed.map_err(refused)?;
    let kept = context.notary.safekeeping(&context.store).map_err(refused)?;
    let mut answer = described(&kept);
    answer["note"] = signed.note.into();
    Ok(answer)
}

fn described(kept: &Safekeeping) -> Value {
    let Safekeeping { verifier_key, checkpoint, known, failed } = kept;
    let Known { heads, unreadable } = known;
    let read = heads.iter().filter_map(|known| match &known.place {
        Place::Copy(path) => Some(json!({ "path": path, "size": known.head.size })),
        Place::Database => None,
    });
    // One that cannot be read cannot be written either; the newer reason is the one just met.
    let failed = failed.iter().filter(|copy| !unreadable.iter().any(|one| one.path == copy.path));
    let failed = unreadable
        .iter()
        .chain(failed)
        .map(|copy| json!({ "path": copy.path, "failure": copy.why }));
    json!({
        "origin": verifier_key.origin(),
        "verifier_key": verifier_key.to_string(),
        "size": checkpoint.as_ref().map(|row| row.size),
        "root": checkpoint.as_ref().map(|row| BASE64_STANDARD.encode(row.root)),
        "signed": checkpoint.as_ref().map(|row| rfc3339(row.at_ms)),
        "copies": read.chain(failed).collect::<Vec<_>>(),
    })
}

/// The receipt of a delivery; signs the log first if that is needed for it.
pub(super) fn receipt_of(context: &Context, delivery: DeliveryId) -> Result<Value, OperationError> {
    let look = || context.store.read(|tx| receipt(tx, delivery)).map_err(unavailable);
    let mut found = look()?;
    if found == DeliveryReceipt::NotYet {
        let signed = context.notary.checkpoint(&context.store, context.clock.now_ms());
        signed.map_err(refused)?;
        found = look()?;
    }
    match found {
        DeliveryReceipt::Ready(text) => {
            Ok(json!({ "delivery": delivery.to_string(), "receipt": text }))
        }
        DeliveryReceipt::NotYet => {
            let message = "the delivery goes on; ask again when it has ended".to_owned();
            Err(OperationError { kind: ErrorKind::Conflict, message })
        }
        DeliveryReceipt::Unknown => {
            let message = format!(
                "the audit log knows no delivery {delivery}; `hydrant deliveries --json` lists them"
            );
            Err(OperationError { kind: ErrorKind::NotFound, message })
        }
    }
}

/// The first of these files of the log, in base 64; null for one that the log does not have.
pub(super) fn files(context: &Context, names: &[String]) -> Result<Value, OperationError> {
    let files = context.store.read(|tx| published::files(tx, names)).map_err(unavailable)?;
    let files = files.into_iter().map(|file| file.map(|bytes| BASE64_STANDARD.encode(bytes)));
    Ok(json!({ "files": files.collect::<Vec<_>>() }))
}

/// The sizes of the checkpoints after that of `size`.
pub(super) fn checkpoint_sizes(context: &Context, size: u64) -> Result<Value, OperationError> {
    let sizes = context.store.read(|tx| published::checkpoint_sizes(tx, size));
    Ok(json!({ "sizes": sizes.map_err(unavailable)? }))
}

fn unavailable(error: StoreError) -> OperationError {
    OperationError { kind: ErrorKind::Unavailable, message: error.to_string() }
}

fn refused(error: NotaryError) -> OperationError {
    OperationError { kind: ErrorKind::Unavailable, message: with_causes(&error) }
}
