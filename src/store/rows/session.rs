//! The rows of sessions, which hold hashes and never the secret of a cookie.

use crate::base::party::{PersonId, SessionId};
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One browser in which a person has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its number, never used twice.
    pub id: SessionId,
    /// Whose it is.
    pub person: PersonId,
    /// SHA-256 of the cookie's secret.
    pub hash: [u8; 32],
    /// SHA-256 of the secret before this one.
    pub previous_hash: Option<[u8; 32]>,
    /// What its forms carry.
    pub form_key: [u8; 32],
    /// The families of the browser and of its system.
    pub label: String,
    /// When it began, in milliseconds UTC.
    pub created_ms: i64,
    /// When it was last used, in milliseconds UTC, exact to a minute.
    pub seen_ms: i64,
    /// Since when the secret is this one, in milliseconds UTC; 0: it is to be replaced.
    pub rotated_ms: i64,
    /// When it is over if nobody uses it before, in milliseconds UTC.
    pub until_ms: i64,
    /// When it is over anyway, in milliseconds UTC.
    pub end_ms: i64,
    /// When it was revoked, in milliseconds UTC.
    pub revoked_ms: Option<i64>,
}

const INSERT: &str = "
    INSERT INTO sessions (person_id, hash, form_key, label, created_ms, seen_ms, rotated_ms,
                          until_ms, end_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    RETURNING id";
const SELECT_BY_HASH: &str = "
    SELECT id, person_id, hash, previous_hash, form_key, label, created_ms, seen_ms, rotated_ms,
           until_ms, end_ms, revoked_ms
    FROM sessions WHERE hash = ?1 OR previous_hash = ?1";
const SELECT_BY_ID: &str = "
    SELECT id, person_id, hash, previous_hash, form_key, label, created_ms, seen_ms, rotated_ms,
           until_ms, end_ms, revoked_ms
    FROM sessions WHERE id = ?1";
const SELECT_ALL: &str = "
    SELECT id, person_id, hash, previous_hash, form_key, label, created_ms, seen_ms, rotated_ms,
           until_ms, end_ms, revoked_ms
    FROM sessions ORDER BY id";
const SELECT_OF_PERSON: &str = "
    SELECT id, person_id, hash, previous_hash, form_key, label, created_ms, seen_ms, rotated_ms,
           until_ms, end_ms, revoked_ms
    FROM sessions WHERE person_id = ?1 ORDER BY id";
const UPDATE_SEEN: &str = "UPDATE sessions SET seen_ms = ?2, until_ms = ?3 WHERE id = ?1";
const UPDATE_SECRET: &str = "
    UPDATE sessions SET previous_hash = hash, hash = ?2, rotated_ms = ?3 WHERE id = ?1";
const UPDATE_OUTDATED: &str = "UPDATE sessions SET rotated_ms = 0 WHERE person_id = ?1";
const UPDATE_REVOKED: &str = "UPDATE sessions SET revoked_ms = ?2 WHERE id = ?1";
const DELETE_ENDED: &str = "DELETE FROM sessions WHERE until_ms < ?1";
const DELETE_OF_PERSON: &str = "DELETE FROM sessions WHERE person_id = ?1";

impl Tx<'_> {
    /// Adds a session and returns its number; `row.id`, `row.previous_hash` and `row.revoked_ms`
    /// are not looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn session_insert(&self, row: &SessionRow) -> Result<SessionId, StoreError> {
        let values = values![
            row.person,
            &row.hash,
            &row.form_key,
            &row.label,
            row.created_ms,
            row.seen_ms,
            row.rotated_ms,
            row.until_ms,
            row.end_ms
        ];
        self.one(INSERT, values).map(SessionId)
    }

    /// The session whose secret, or whose last one before it, has that SHA-256.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn session_by_hash(&self, hash: &[u8; 32]) -> Result<Option<SessionRow>, StoreError> {
        self.row(SELECT_BY_HASH, values![hash], session)
    }

    /// The session with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn session_by_id(&self, id: SessionId) -> Result<Option<SessionRow>, StoreError> {
        self.row(SELECT_BY_ID, values![id], session)
    }

    /// All sessions, in the order in which they began.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn sessions(&self) -> Result<Vec<SessionRow>, StoreError> {
        self.rows(SELECT_ALL, values![], session)
    }

    /// The sessions of `person`, in the order in which they began.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn sessions_of(&self, person: PersonId) -> Result<Vec<SessionRow>, StoreError> {
        self.rows(SELECT_OF_PERSON, values![person], session)
    }

    /// Notes when a session was used, and up to when it is good now.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn session_set_seen(
        &self,
        id: SessionId,
        seen_ms: i64,
        until_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(UPDATE_SEEN, values![id, seen_ms, until_ms])
    }

    /// Gives a session another secret; the one that it had becomes the previous one.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn session_set_secret(
        &self,
        id: SessionId,
        hash: &[u8; 32],
        rotated_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(UPDATE_SECRET, values![id, hash, rotated_ms])
    }

    /// Marks the secrets of all sessions of `person` as to be replaced.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn sessions_outdate(&self, person: PersonId) -> Result<(), StoreError> {
        self.write(UPDATE_OUTDATED, values![person])
    }

    /// Notes when a session was revoked.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn session_set_revoked(&self, id: SessionId, revoked_ms: i64) -> Result<(), StoreError> {
        self.write(UPDATE_REVOKED, values![id, revoked_ms])
    }

    /// Removes the sessions that were over before that instant.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn sessions_remove_ended(&self, before_ms: i64) -> Result<(), StoreError> {
        self.write(DELETE_ENDED, values![before_ms])
    }

    /// Removes all sessions of `person`.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn sessions_remove_of(&self, person: PersonId) -> Result<(), StoreError> {
        self.write(DELETE_OF_PERSON, values![person])
    }
}

fn session(row: &Row<'_>) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        id: SessionId(row.get(0)?),
        person: PersonId(row.get(1)?),
        hash: row.get(2)?,
        previous_hash: row.get(3)?,
        form_key: row.get(4)?,
        label: row.get(5)?,
        created_ms: row.get(6)?,
        seen_ms: row.get(7)?,
        rotated_ms: row.get(8)?,
        until_ms: row.get(9)?,
        end_ms: row.get(10)?,
        revoked_ms: row.get(11)?,
    })
}
