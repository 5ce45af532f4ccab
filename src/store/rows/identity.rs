//! The rows that say who somebody is elsewhere: subjects of OpenID providers.

use crate::base::party::PersonId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One subject of a provider that is a person here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityRow {
    /// The provider.
    pub issuer: String,
    /// Whom it means by it, in its own words.
    pub subject: String,
    /// Who that is here.
    pub person: PersonId,
    /// What the provider says of affiliation, as JSON.
    pub claims: String,
    /// When it was linked, in milliseconds UTC.
    pub linked_ms: i64,
    /// When it was last used, in milliseconds UTC.
    pub seen_ms: i64,
}

const UPSERT: &str = "
    INSERT INTO identities (issuer, subject, person_id, claims, linked_ms, seen_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (issuer, subject) DO UPDATE
    SET claims = excluded.claims, seen_ms = excluded.seen_ms";
const SELECT: &str = "
    SELECT issuer, subject, person_id, claims, linked_ms, seen_ms FROM identities
    WHERE issuer = ?1 AND subject = ?2";
const SELECT_OF_PERSON: &str = "
    SELECT issuer, subject, person_id, claims, linked_ms, seen_ms FROM identities
    WHERE person_id = ?1 ORDER BY issuer, subject";
const DELETE: &str = "DELETE FROM identities WHERE issuer = ?1 AND subject = ?2";
const DELETE_OF_PERSON: &str = "DELETE FROM identities WHERE person_id = ?1";

impl Tx<'_> {
    /// Links an identity; of one that is linked already, claims and last use change alone.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn identity_link(&self, row: &IdentityRow) -> Result<(), StoreError> {
        let values =
            values![&row.issuer, &row.subject, row.person, &row.claims, row.linked_ms, row.seen_ms];
        self.write(UPSERT, values)
    }

    /// Who a subject of a provider is here.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn identity(&self, issuer: &str, subject: &str) -> Result<Option<IdentityRow>, StoreError> {
        self.row(SELECT, values![issuer, subject], identity)
    }

    /// The identities of `person`.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn identities_of(&self, person: PersonId) -> Result<Vec<IdentityRow>, StoreError> {
        self.rows(SELECT_OF_PERSON, values![person], identity)
    }

    /// Removes an identity.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn identity_unlink(&self, issuer: &str, subject: &str) -> Result<(), StoreError> {
        self.write(DELETE, values![issuer, subject])
    }

    /// Removes the identities of `person`.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn identities_remove_of(&self, person: PersonId) -> Result<(), StoreError> {
        self.write(DELETE_OF_PERSON, values![person])
    }
}

fn identity(row: &Row<'_>) -> Result<IdentityRow, StoreError> {
    Ok(IdentityRow {
        issuer: row.get(0)?,
        subject: row.get(1)?,
        person: PersonId(row.get(2)?),
        claims: row.get(3)?,
        linked_ms: row.get(4)?,
        seen_ms: row.get(5)?,
    })
}
