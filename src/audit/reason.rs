//! Why something was decided. The log commits to it and does not hold it: words may name people,
//! and who is named may ask to be erased.

use super::{Leaf, append};
use crate::base::commitment::{Commitment, Salt};
use crate::store::{StoreError, Tx};

/// Writes a decision into the journal, in the caller's transaction, and right behind it the
/// commitment to its reason, if one was given.
///
/// # Errors
/// As [`append`].
///
/// # Panics
/// As [`append`].
pub fn append_decision(
    tx: &Tx<'_>,
    now_ms: i64,
    decision: &Leaf,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    append(tx, now_ms, decision)?;
    let Some(reason) = reason else { return Ok(()) };
    let salt = Salt::generate();
    tx.reason_insert(&salt, reason)?;
    append(tx, now_ms, &Leaf::Reason { reason: Commitment::to_reason(&salt, reason) })
}
