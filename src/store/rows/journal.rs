//! The rows of the journal, which is only ever added to; what a leaf says is `audit`'s business.

use crate::base::delivery::DeliveryId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One decision as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// Its place in the journal, from 1 on, without gaps.
    pub sequence: u64,
    /// When it was written, in milliseconds UTC.
    pub at_ms: i64,
    /// The leaf, a JSON object: the bytes that the audit log's tree is over.
    pub leaf: String,
}

// The writer is alone, so the next number is free until the commit. A number that a rowid table
// chose by itself would do as well; this one cannot leave a gap.
const INSERT: &str = "
    INSERT INTO journal (sequence, at_ms, leaf, delivery_id)
    VALUES ((SELECT coalesce(max(sequence), 0) + 1 FROM journal), ?1, ?2, ?3)";
const SELECT_FROM: &str = "
    SELECT sequence, at_ms, leaf FROM journal WHERE sequence >= ?1 ORDER BY sequence LIMIT ?2";
const SELECT: &str = "SELECT sequence, at_ms, leaf FROM journal WHERE sequence = ?1";
const SELECT_OF_DELIVERY: &str = "
    SELECT sequence, at_ms, leaf FROM journal WHERE delivery_id = ?1 ORDER BY sequence";

impl Tx<'_> {
    /// Adds `leaf` to the journal under the next sequence number; `delivery` is the one delivery
    /// that it is about.
    ///
    /// # Errors
    /// [`StoreError::Frozen`], or [`StoreError`] of the insert.
    pub fn journal_append(
        &self,
        at_ms: i64,
        leaf: &str,
        delivery: Option<DeliveryId>,
    ) -> Result<(), StoreError> {
        if let Some(freeze) = self.freeze_in_force()? {
            return Err(StoreError::Frozen(freeze.why.into()));
        }
        let delivery = delivery.as_ref().map(DeliveryId::as_bytes);
        self.write(INSERT, values![at_ms, leaf, delivery])
    }

    /// At most `rows_max` rows of the journal, beginning with number `sequence`.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn journal_from(
        &self,
        sequence: u64,
        rows_max: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        self.rows(SELECT_FROM, values![sequence, rows_max], journal)
    }

    /// The row of the journal with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn journal_row(&self, sequence: u64) -> Result<Option<JournalRow>, StoreError> {
        self.row(SELECT, values![sequence], journal)
    }

    /// All rows of the journal that are about one delivery, in order.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn journal_of_delivery(&self, delivery: DeliveryId) -> Result<Vec<JournalRow>, StoreError> {
        self.rows(SELECT_OF_DELIVERY, values![delivery.as_bytes()], journal)
    }
}

fn journal(row: &Row<'_>) -> Result<JournalRow, StoreError> {
    Ok(JournalRow { sequence: row.get(0)?, at_ms: row.get(1)?, leaf: row.get(2)? })
}
