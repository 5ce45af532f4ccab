//! How long what is personal is kept, and what is forgotten when that is over. When that is looked
//! at stands in `cli`.

use serde::{Deserialize, Serialize};

use super::erasure;
use crate::base::date::DAY_MS;
use crate::store::{StoreError, Tx};

/// How long what is personal is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// How many days after its end a delivery tells who asked; 0: for ever.
    pub delivery_days: u32,
    /// How many days an invitation waits, and a proposal is kept that has ended.
    pub invitation_days: u32,
}

/// What a sweep has forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    /// Deliveries that do not tell any more who asked.
    pub deliveries: u64,
    /// Invitations that nobody accepted.
    pub invitations: u64,
    /// Proposals that had ended.
    pub joins: u64,
    /// Proofs of who somebody is elsewhere that nobody made use of.
    pub proofs: u64,
    /// Hashes of addresses of erased people of whom nothing counts any more.
    pub addresses: u64,
}

impl Forgotten {
    /// Whether there was anything.
    pub fn is_nothing(&self) -> bool {
        *self == Forgotten::default()
    }
}

/// Forgets what is personal and older than `retention` says; and the address of an erased person
/// of whom nothing counts any more, where what was settled up to the minute `newest_left` does not.
///
/// # Errors
/// [`StoreError`] of the looks or the changes.
pub fn sweep(
    tx: &Tx<'_>,
    now_ms: i64,
    newest_left: i64,
    retention: Retention,
) -> Result<Forgotten, StoreError> {
    tx.downloads_remove_over(now_ms)?;
    let before = |days: u32| now_ms - i64::from(days) * DAY_MS;
    let mut forgotten = Forgotten {
        deliveries: tx.deliveries_forget_erased()?,
        invitations: tx.invitations_remove_old(before(retention.invitation_days))?,
        joins: tx.joins_remove_ended(before(retention.invitation_days))?,
        proofs: tx.identity_proofs_remove_expired(now_ms)?,
        addresses: 0,
    };
    if retention.delivery_days > 0 {
        forgotten.deliveries += tx.deliveries_forget_old(before(retention.delivery_days))?;
    }
    // Whoever was erased later has something that counts, or may have it soon.
    let window_ms = newest_left.saturating_mul(60_000);
    for row in tx.people_erased(window_ms)?.into_iter().filter(erasure::is_remembered) {
        if !tx.person_has_live(row.id, newest_left)? {
            erasure::forget(tx, row)?;
            forgotten.addresses += 1;
        }
    }
    Ok(forgotten)
}
