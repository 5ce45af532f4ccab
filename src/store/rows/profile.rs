//! The rows of profiles that were ever in force; what their numbers mean is `policy`'s.

use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// A profile that is or was in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileRow {
    /// Its number; the highest is in force.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Every number of it, as TOML.
    pub toml: String,
    /// The SHA-256 of that text.
    pub sha256: [u8; 32],
    /// Since when, in milliseconds UTC.
    pub since_ms: i64,
    /// Who put it in force; `None`: the first start of a gateway.
    pub actor: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

const INSERT: &str = "
    INSERT INTO profiles (name, toml, sha256, since_ms, actor, reason)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const SELECT_NEWEST: &str = "
    SELECT id, name, toml, sha256, since_ms, actor, reason FROM profiles
    ORDER BY id DESC LIMIT 1";
const SELECT_FIRST_LEAF: &str = "SELECT at_ms FROM journal ORDER BY sequence LIMIT 1";

impl Tx<'_> {
    /// Puts a profile in force; `row.id` is not looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn profile_insert(&self, row: &ProfileRow) -> Result<(), StoreError> {
        let ProfileRow { name, toml, sha256, since_ms, actor, reason, .. } = row;
        self.write(INSERT, values![name, toml, sha256, *since_ms, actor, reason])
    }

    /// The profile in force; `None` before the first start of a gateway.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn profile_in_force(&self) -> Result<Option<ProfileRow>, StoreError> {
        self.row(SELECT_NEWEST, values![], profile)
    }

    /// The time of the journal's first leaf, in milliseconds UTC: nothing was charged before.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn journal_begin_ms(&self) -> Result<Option<i64>, StoreError> {
        self.row(SELECT_FIRST_LEAF, values![], |row| row.get(0))
    }
}

fn profile(row: &Row<'_>) -> Result<ProfileRow, StoreError> {
    Ok(ProfileRow {
        id: row.get(0)?,
        name: row.get(1)?,
        toml: row.get(2)?,
        sha256: row.get(3)?,
        since_ms: row.get(4)?,
        actor: row.get(5)?,
        reason: row.get(6)?,
    })
}
