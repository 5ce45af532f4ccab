//! The rows of the audit log's signed heads; what is signed, and when, is `audit`'s.

use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// A head that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointRow {
    /// How many leaves the log had.
    pub size: u64,
    /// When it was signed, in milliseconds UTC.
    pub at_ms: i64,
    /// The root of the tree.
    pub root: [u8; 32],
    /// The signed note.
    pub note: String,
}

const INSERT: &str = "INSERT INTO checkpoints (size, at_ms, root, note) VALUES (?1, ?2, ?3, ?4)";
const SELECT_NEWEST: &str =
    "SELECT size, at_ms, root, note FROM checkpoints ORDER BY size DESC LIMIT 1";
const SELECT_AFTER: &str = "
    SELECT size, at_ms, root, note FROM checkpoints WHERE size > ?1 ORDER BY size LIMIT ?2";

impl Tx<'_> {
    /// Enters a head that was signed.
    ///
    /// # Errors
    /// [`StoreError`] of the change; that it is not larger than all before it is one.
    pub fn checkpoint_add(&self, row: &CheckpointRow) -> Result<(), StoreError> {
        self.write(INSERT, values![row.size, row.at_ms, &row.root, &row.note])?;
        Ok(())
    }

    /// The newest head that was signed.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn checkpoint_newest(&self) -> Result<Option<CheckpointRow>, StoreError> {
        self.row(SELECT_NEWEST, values![], checkpoint)
    }

    /// At most `rows_max` heads that were signed when the log had more than `size` leaves, the
    /// earliest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn checkpoints_after(
        &self,
        size: u64,
        rows_max: u32,
    ) -> Result<Vec<CheckpointRow>, StoreError> {
        self.rows(SELECT_AFTER, values![size, rows_max], checkpoint)
    }
}

fn checkpoint(row: &Row<'_>) -> Result<CheckpointRow, StoreError> {
    Ok(CheckpointRow {
        size: row.get(0)?,
        at_ms: row.get(1)?,
        root: row.get(2)?,
        note: row.get(3)?,
    })
}
