//! The rows of the audit log's tree, which only grows; which hash stands where is `audit`'s.

use crate::store::value::values;
use crate::store::{StoreError, Tx};

const SELECT_LOG: &str = "SELECT size, verifier_key FROM audit_log WHERE id = 1";
const SET_SIZE: &str = "UPDATE audit_log SET size = ?1 WHERE id = 1";
const SET_KEY: &str = "UPDATE audit_log SET verifier_key = ?1 WHERE id = 1";
const SELECT: &str = "SELECT hashes FROM tiles WHERE level = ?1 AND number = ?2";
const UPSERT: &str = "
    INSERT INTO tiles (level, number, hashes) VALUES (?1, ?2, ?3)
    ON CONFLICT (level, number) DO UPDATE SET hashes = ?3";

/// How far the tree of the audit log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLogRow {
    /// How many rows of the journal are in it.
    pub size: u64,
    /// What checks its signatures; `None`: it has no key yet.
    pub verifier_key: Option<String>,
}

impl Tx<'_> {
    /// How far the tree goes, and who signs it.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn audit_log(&self) -> Result<AuditLogRow, StoreError> {
        let row = self.row(SELECT_LOG, values![], |row| {
            Ok(AuditLogRow { size: row.get(0)?, verifier_key: row.get(1)? })
        })?;
        row.ok_or_else(|| StoreError::Damaged("the row of the audit log is gone".into()))
    }

    /// Writes how many rows of the journal are in the tree.
    ///
    /// # Errors
    /// [`StoreError`] of the change; that it would shrink is one.
    pub fn audit_log_set_size(&self, size: u64) -> Result<(), StoreError> {
        self.write(SET_SIZE, values![size])?;
        Ok(())
    }

    /// Writes who signs the log.
    ///
    /// # Errors
    /// [`StoreError`] of the change; that it would be another key is one.
    pub fn audit_log_set_key(&self, verifier_key: &str) -> Result<(), StoreError> {
        self.write(SET_KEY, values![verifier_key])?;
        Ok(())
    }

    /// The hashes of a tile, 32 bytes each; `None`: there is none.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn tile(&self, level: u8, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.row(SELECT, values![u32::from(level), number], |row| row.get(0))
    }

    /// Writes the hashes of a tile.
    ///
    /// # Errors
    /// [`StoreError`] of the change; that it would not begin with those before is one.
    pub fn tile_set(&self, level: u8, number: u64, hashes: &[u8]) -> Result<(), StoreError> {
        self.write(UPSERT, values![u32::from(level), number, hashes])?;
        Ok(())
    }
}
