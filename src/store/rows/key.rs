//! The rows of API keys, which hold a hash and never a token.

use crate::base::party::{KeyId, PersonId};
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Its number, never used twice.
    pub id: KeyId,
    /// Whose it is.
    pub person: PersonId,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// What it is for, in its owner's words.
    pub label: String,
    /// The word of its scope.
    pub scope: String,
    /// When it was issued, in milliseconds UTC.
    pub created_ms: i64,
    /// From when on it is void, in milliseconds UTC.
    pub expires_ms: i64,
    /// When it was revoked, in milliseconds UTC.
    pub revoked_ms: Option<i64>,
    /// When it was last used, in milliseconds UTC, exact to a day.
    pub last_used_ms: Option<i64>,
    /// Since when it is awake after it was dormant, in milliseconds UTC.
    pub reactivated_ms: Option<i64>,
    /// The key that takes its place.
    pub successor: Option<KeyId>,
}

const INSERT: &str = "
    INSERT INTO keys (person_id, hash, label, scope, created_ms, expires_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    RETURNING id";
const SELECT_BY_HASH: &str = "
    SELECT id, person_id, hash, label, scope, created_ms, expires_ms, revoked_ms, last_used_ms,
           reactivated_ms, successor_id
    FROM keys WHERE hash = ?1";
const SELECT_BY_ID: &str = "
    SELECT id, person_id, hash, label, scope, created_ms, expires_ms, revoked_ms, last_used_ms,
           reactivated_ms, successor_id
    FROM keys WHERE id = ?1";
const SELECT_ALL: &str = "
    SELECT id, person_id, hash, label, scope, created_ms, expires_ms, revoked_ms, last_used_ms,
           reactivated_ms, successor_id
    FROM keys ORDER BY id";
const UPDATE_REVOKED: &str = "UPDATE keys SET revoked_ms = ?2 WHERE id = ?1";
const UPDATE_LAST_USED: &str = "UPDATE keys SET last_used_ms = ?2 WHERE id = ?1";
const UPDATE_REACTIVATED: &str = "UPDATE keys SET reactivated_ms = ?2 WHERE id = ?1";
const UPDATE_SUCCESSOR: &str = "UPDATE keys SET successor_id = ?2, expires_ms = ?3 WHERE id = ?1";

impl Tx<'_> {
    /// Adds a key and returns its number; `row.id` and the later dates are not looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn key_insert(&self, row: &KeyRow) -> Result<KeyId, StoreError> {
        let values =
            values![row.person, &row.hash, &row.label, &row.scope, row.created_ms, row.expires_ms];
        self.one(INSERT, values).map(KeyId)
    }

    /// The key whose token has that SHA-256.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<KeyRow>, StoreError> {
        self.row(SELECT_BY_HASH, values![hash], key)
    }

    /// The key with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn key_by_id(&self, id: KeyId) -> Result<Option<KeyRow>, StoreError> {
        self.row(SELECT_BY_ID, values![id], key)
    }

    /// All keys, in the order in which they were issued.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        self.rows(SELECT_ALL, values![], key)
    }

    /// Notes when a key was revoked.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn key_set_revoked(&self, id: KeyId, revoked_ms: i64) -> Result<(), StoreError> {
        self.write(UPDATE_REVOKED, values![id, revoked_ms])
    }

    /// Notes when a dormant key was woken.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn key_set_reactivated(&self, id: KeyId, reactivated_ms: i64) -> Result<(), StoreError> {
        self.write(UPDATE_REACTIVATED, values![id, reactivated_ms])
    }

    /// Notes which key takes the place of another, and when the other is void.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn key_set_successor(
        &self,
        id: KeyId,
        successor: KeyId,
        expires_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(UPDATE_SUCCESSOR, values![id, successor, expires_ms])
    }

    /// Notes when a key was used.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn key_set_last_used(&self, id: KeyId, last_used_ms: i64) -> Result<(), StoreError> {
        self.write(UPDATE_LAST_USED, values![id, last_used_ms])
    }
}

fn key(row: &Row<'_>) -> Result<KeyRow, StoreError> {
    Ok(KeyRow {
        id: KeyId(row.get(0)?),
        person: PersonId(row.get(1)?),
        hash: row.get(2)?,
        label: row.get(3)?,
        scope: row.get(4)?,
        created_ms: row.get(5)?,
        expires_ms: row.get(6)?,
        revoked_ms: row.get(7)?,
        last_used_ms: row.get(8)?,
        reactivated_ms: row.get(9)?,
        successor: row.get::<Option<i64>>(10)?.map(KeyId),
    })
}
