//! The rows of registrations: people who asked to be let in.

use crate::base::party::{EntityId, PersonId};
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One registration, from the form to the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationRow {
    /// Its number, never used twice.
    pub id: i64,
    /// The mail address, normalised.
    pub mail: String,
    /// The name.
    pub name: String,
    /// The organisation, in their own words.
    pub organisation: String,
    /// What it is for, in their own words.
    pub purpose: String,
    /// The word of its status.
    pub status: String,
    /// SHA-256 of the secret that was mailed last.
    pub hash: Option<[u8; 32]>,
    /// When the form was sent, in milliseconds UTC.
    pub created_ms: i64,
    /// To be verified before this instant, in milliseconds UTC.
    pub expires_ms: i64,
    /// When the address was verified, in milliseconds UTC.
    pub verified_ms: Option<i64>,
    /// When an operator decided, in milliseconds UTC.
    pub decided_ms: Option<i64>,
    /// The actor who did.
    pub decided_by: Option<String>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// Who came of it.
    pub person: Option<PersonId>,
    /// The entity that they were assigned to.
    pub entity: Option<EntityId>,
    /// The proof of who they are elsewhere that they sent along.
    pub proof_hash: Option<[u8; 32]>,
}

const INSERT: &str = "
    INSERT INTO registrations (mail, name, organisation, purpose, status, created_ms, expires_ms,
                               proof_hash)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    RETURNING id";
const SELECT_BY_ID: &str = "
    SELECT id, mail, name, organisation, purpose, status, hash, created_ms, expires_ms,
           verified_ms, decided_ms, decided_by, reason, person_id, entity_id, proof_hash
    FROM registrations WHERE id = ?1";
const SELECT_BY_HASH: &str = "
    SELECT id, mail, name, organisation, purpose, status, hash, created_ms, expires_ms,
           verified_ms, decided_ms, decided_by, reason, person_id, entity_id, proof_hash
    FROM registrations WHERE hash = ?1";
const SELECT_OF_MAIL: &str = "
    SELECT id, mail, name, organisation, purpose, status, hash, created_ms, expires_ms,
           verified_ms, decided_ms, decided_by, reason, person_id, entity_id, proof_hash
    FROM registrations WHERE mail = ?1 ORDER BY id";
const SELECT_ALL: &str = "
    SELECT id, mail, name, organisation, purpose, status, hash, created_ms, expires_ms,
           verified_ms, decided_ms, decided_by, reason, person_id, entity_id, proof_hash
    FROM registrations ORDER BY id";
const UPDATE_HASH: &str = "UPDATE registrations SET hash = ?2 WHERE id = ?1";
const UPDATE_VERIFIED: &str = "
    UPDATE registrations SET status = ?2, verified_ms = ?3, proof_hash = ?4 WHERE id = ?1";
const UPDATE_DECISION: &str = "
    UPDATE registrations
    SET status = ?2, decided_ms = ?3, decided_by = ?4, reason = ?5, person_id = ?6, entity_id = ?7,
        proof_hash = ?8
    WHERE id = ?1";
const DELETE_LETTERS_OF_MAIL: &str = "
    DELETE FROM letters WHERE mail = ?1
        OR registration_id IN (SELECT id FROM registrations WHERE mail = ?1)";
const DELETE_OF_MAIL: &str = "DELETE FROM registrations WHERE mail = ?1";
const DELETE_EXPIRED_LETTERS: &str = "
    DELETE FROM letters WHERE registration_id IN
        (SELECT id FROM registrations WHERE status = 'asked' AND expires_ms < ?1)";
const DELETE_EXPIRED: &str = "
    DELETE FROM registrations WHERE status = 'asked' AND expires_ms < ?1";

impl Tx<'_> {
    /// Adds a registration and returns its number; `row.id` and what follows later are not
    /// looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn registration_insert(&self, row: &RegistrationRow) -> Result<i64, StoreError> {
        let values = values![
            &row.mail,
            &row.name,
            &row.organisation,
            &row.purpose,
            &row.status,
            row.created_ms,
            row.expires_ms,
            row.proof_hash.as_ref()
        ];
        self.one(INSERT, values)
    }

    /// The registration with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn registration_by_id(&self, id: i64) -> Result<Option<RegistrationRow>, StoreError> {
        self.row(SELECT_BY_ID, values![id], registration)
    }

    /// The registration whose mailed secret has that SHA-256.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn registration_by_hash(
        &self,
        hash: &[u8; 32],
    ) -> Result<Option<RegistrationRow>, StoreError> {
        self.row(SELECT_BY_HASH, values![hash], registration)
    }

    /// The registrations of a normalised mail address, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn registrations_of(&self, mail: &str) -> Result<Vec<RegistrationRow>, StoreError> {
        self.rows(SELECT_OF_MAIL, values![mail], registration)
    }

    /// All registrations, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn registrations(&self) -> Result<Vec<RegistrationRow>, StoreError> {
        self.rows(SELECT_ALL, values![], registration)
    }

    /// Notes the hash of the secret that verifies a registration, in place of an earlier one.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn registration_set_hash(&self, id: i64, hash: &[u8; 32]) -> Result<(), StoreError> {
        self.write(UPDATE_HASH, values![id, hash])
    }

    /// Notes when the address of a registration was verified, and the proof that came with it, if
    /// that still holds.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn registration_set_verified(
        &self,
        id: i64,
        status: &str,
        verified_ms: i64,
        proof_hash: Option<&[u8; 32]>,
    ) -> Result<(), StoreError> {
        self.write(UPDATE_VERIFIED, values![id, status, verified_ms, proof_hash])
    }

    /// Writes the status and the decision of `row`.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn registration_decide(&self, row: &RegistrationRow) -> Result<(), StoreError> {
        let values = values![
            row.id,
            &row.status,
            row.decided_ms,
            &row.decided_by,
            &row.reason,
            row.person,
            row.entity,
            row.proof_hash.as_ref()
        ];
        self.write(UPDATE_DECISION, values)
    }

    /// Removes what was registered under a normalised mail address, with its letters.
    ///
    /// # Errors
    /// [`StoreError`] of the changes.
    pub fn registrations_remove_of(&self, mail: &str) -> Result<(), StoreError> {
        self.write(DELETE_LETTERS_OF_MAIL, values![mail])?;
        self.write(DELETE_OF_MAIL, values![mail])
    }

    /// Removes the registrations that nobody verified before that instant, with their letters.
    ///
    /// # Errors
    /// [`StoreError`] of the changes.
    pub fn registrations_remove_expired(&self, before_ms: i64) -> Result<(), StoreError> {
        self.write(DELETE_EXPIRED_LETTERS, values![before_ms])?;
        self.write(DELETE_EXPIRED, values![before_ms])
    }
}

fn registration(row: &Row<'_>) -> Result<RegistrationRow, StoreError> {
    Ok(RegistrationRow {
        id: row.get(0)?,
        mail: row.get(1)?,
        name: row.get(2)?,
        organisation: row.get(3)?,
        purpose: row.get(4)?,
        status: row.get(5)?,
        hash: row.get(6)?,
        created_ms: row.get(7)?,
        expires_ms: row.get(8)?,
        verified_ms: row.get(9)?,
        decided_ms: row.get(10)?,
        decided_by: row.get(11)?,
        reason: row.get(12)?,
        person: row.get::<Option<i64>>(13)?.map(PersonId),
        entity: row.get::<Option<i64>>(14)?.map(EntityId),
        proof_hash: row.get(15)?,
    })
}
