//! The rows of requests that were carried out under a name of the sender's choice, so that sending
//! one twice does nothing twice; what a request is, is not known here.

use crate::store::value::values;
use crate::store::{StoreError, Tx};

/// A request that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRow {
    /// Who sent it.
    pub actor: String,
    /// The name that they gave it.
    pub name: String,
    /// SHA-256 of what was asked for.
    pub sha256: [u8; 32],
    /// What was answered, as JSON without secrets.
    pub answer: String,
    /// When it was carried out, in milliseconds UTC.
    pub at_ms: i64,
}

const INSERT: &str = "
    INSERT INTO requests (actor, name, sha256, answer, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)";
const SELECT: &str = "
    SELECT actor, name, sha256, answer, at_ms FROM requests WHERE actor = ?1 AND name = ?2";
const DELETE_OLD: &str = "DELETE FROM requests WHERE at_ms < ?1";

impl Tx<'_> {
    /// Notes a request that was carried out.
    ///
    /// # Errors
    /// [`StoreError`] of the insert, also if the actor has used that name.
    pub fn request_insert(&self, row: &RequestRow) -> Result<(), StoreError> {
        let values = values![&row.actor, &row.name, &row.sha256, &row.answer, row.at_ms];
        self.change(INSERT, values).map(drop)
    }

    /// The request to which `actor` gave that name.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn request(&self, actor: &str, name: &str) -> Result<Option<RequestRow>, StoreError> {
        self.row(SELECT, values![actor, name], |row| {
            Ok(RequestRow {
                actor: row.get(0)?,
                name: row.get(1)?,
                sha256: row.get(2)?,
                answer: row.get(3)?,
                at_ms: row.get(4)?,
            })
        })
    }

    /// Forgets the requests that were carried out before `before_ms`.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn requests_forget(&self, before_ms: i64) -> Result<(), StoreError> {
        self.write(DELETE_OLD, values![before_ms])
    }
}
