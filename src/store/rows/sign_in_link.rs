//! The rows of sign-in links, which hold a hash and never a secret.

use crate::base::party::PersonId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One link by which a person signs in once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInLinkRow {
    /// Its number, never used twice.
    pub id: i64,
    /// Who signs in by it.
    pub person: PersonId,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// When it was made, in milliseconds UTC.
    pub created_ms: i64,
    /// From when on it is void, in milliseconds UTC.
    pub expires_ms: i64,
    /// When it was used, in milliseconds UTC.
    pub used_ms: Option<i64>,
}

const INSERT: &str = "
    INSERT INTO sign_in_links (person_id, hash, created_ms, expires_ms) VALUES (?1, ?2, ?3, ?4)
    RETURNING id";
const SELECT_BY_HASH: &str = "
    SELECT id, person_id, hash, created_ms, expires_ms, used_ms FROM sign_in_links
    WHERE hash = ?1";
const COUNT_SINCE: &str = "
    SELECT count(*) FROM sign_in_links WHERE person_id = ?1 AND created_ms > ?2";
const UPDATE_USED: &str = "UPDATE sign_in_links SET used_ms = ?2 WHERE id = ?1";
const DELETE_EXPIRED: &str = "DELETE FROM sign_in_links WHERE expires_ms < ?1";
const DELETE_OF_PERSON: &str = "DELETE FROM sign_in_links WHERE person_id = ?1";

impl Tx<'_> {
    /// Adds a link and returns its number; `row.id` and `row.used_ms` are not looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn sign_in_link_insert(&self, row: &SignInLinkRow) -> Result<i64, StoreError> {
        self.one(INSERT, values![row.person, &row.hash, row.created_ms, row.expires_ms])
    }

    /// The link whose secret has that SHA-256.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn sign_in_link_by_hash(
        &self,
        hash: &[u8; 32],
    ) -> Result<Option<SignInLinkRow>, StoreError> {
        self.row(SELECT_BY_HASH, values![hash], link)
    }

    /// How many links were made for `person` after that instant.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn sign_in_links_since(&self, person: PersonId, since_ms: i64) -> Result<u64, StoreError> {
        self.one(COUNT_SINCE, values![person, since_ms])
    }

    /// Notes when a link was used.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn sign_in_link_set_used(&self, id: i64, used_ms: i64) -> Result<(), StoreError> {
        self.write(UPDATE_USED, values![id, used_ms])
    }

    /// Removes the links that were void before that instant.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn sign_in_links_remove_expired(&self, before_ms: i64) -> Result<(), StoreError> {
        self.write(DELETE_EXPIRED, values![before_ms])
    }

    /// Removes all links of `person`.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn sign_in_links_remove_of(&self, person: PersonId) -> Result<(), StoreError> {
        self.write(DELETE_OF_PERSON, values![person])
    }
}

fn link(row: &Row<'_>) -> Result<SignInLinkRow, StoreError> {
    Ok(SignInLinkRow {
        id: row.get(0)?,
        person: PersonId(row.get(1)?),
        hash: row.get(2)?,
        created_ms: row.get(3)?,
        expires_ms: row.get(4)?,
        used_ms: row.get(5)?,
    })
}
