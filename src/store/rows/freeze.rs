//! The rows that say when the ledger was frozen and how it was thawed; what that means is
//! `ledger`'s business.

use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One time that the ledger was frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreezeRow {
    /// Its row number; not looked at when it is added.
    pub id: i64,
    /// Since when, in milliseconds UTC by the wall clock.
    pub at_ms: i64,
    /// Why, as a clause.
    pub why: String,
    /// How many entries the largest head of the audit log has that was known.
    pub known_size: u64,
    /// The root of that head; the hash of its last entry, if no more of it is known.
    pub known_root: [u8; 32],
    /// How many entries the log of the store had instead.
    pub log_size: u64,
}

const INSERT: &str = "
    INSERT INTO freezes (at_ms, why, known_size, known_root, log_size)
    VALUES (?1, ?2, ?3, ?4, ?5)";
const SELECT_IN_FORCE: &str = "
    SELECT id, at_ms, why, known_size, known_root, log_size
    FROM freezes WHERE thawed_ms IS NULL ORDER BY known_size DESC, id LIMIT 1";
const INSERT_ABANDONED: &str = "
    INSERT INTO abandoned_heads (size, root) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
const SELECT_ABANDONED: &str = "SELECT 1 FROM abandoned_heads WHERE size = ?1 AND root = ?2";
const THAW: &str = "
    UPDATE freezes SET thawed_ms = ?1, thawed_by = ?2, reason = ?3 WHERE thawed_ms IS NULL";

impl Tx<'_> {
    /// Freezes the ledger.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn freeze_add(&self, row: &FreezeRow) -> Result<(), StoreError> {
        let FreezeRow { id: _, at_ms, why, known_size, known_root, log_size } = row;
        self.write(INSERT, values![*at_ms, why, *known_size, known_root, *log_size])?;
        Ok(())
    }

    /// Why the ledger is frozen, if it is: by whoever knows of most.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn freeze_in_force(&self) -> Result<Option<FreezeRow>, StoreError> {
        self.row(SELECT_IN_FORCE, values![], freeze)
    }

    /// Goes on without a head of the log.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn head_abandon(&self, size: u64, root: &[u8; 32]) -> Result<(), StoreError> {
        self.write(INSERT_ABANDONED, values![size, root])?;
        Ok(())
    }

    /// Whether the log goes on without that head.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn head_is_abandoned(&self, size: u64, root: &[u8; 32]) -> Result<bool, StoreError> {
        Ok(self.row(SELECT_ABANDONED, values![size, root], |_| Ok(()))?.is_some())
    }

    /// Thaws the ledger.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn freeze_end(&self, now_ms: i64, actor: &str, reason: &str) -> Result<(), StoreError> {
        let changed = self.change(THAW, values![now_ms, actor, reason])?;
        assert!(changed > 0, "it was found frozen in this very transaction");
        Ok(())
    }
}

fn freeze(row: &Row<'_>) -> Result<FreezeRow, StoreError> {
    Ok(FreezeRow {
        id: row.get(0)?,
        at_ms: row.get(1)?,
        why: row.get(2)?,
        known_size: row.get(3)?,
        known_root: row.get(4)?,
        log_size: row.get(5)?,
    })
}
