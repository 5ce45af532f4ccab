//! The rows that say who accepted which version of which document.

use crate::base::party::PersonId;
use crate::store::value::values;
use crate::store::{StoreError, Tx};

/// One acceptance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptanceRow {
    /// Who accepted.
    pub person: PersonId,
    /// The document's name.
    pub document: String,
    /// The version that was accepted.
    pub version: String,
    /// When, in milliseconds UTC.
    pub accepted_ms: i64,
    /// What shows it.
    pub evidence: String,
    /// Who recorded it.
    pub actor: String,
}

// A second acceptance of the same version changes nothing: the first date is the one that counts.
const INSERT: &str = "
    INSERT INTO acceptances (person_id, document, version, accepted_ms, evidence, actor)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
const SELECT_OF_PERSON: &str = "
    SELECT person_id, document, version, accepted_ms, evidence, actor FROM acceptances
    WHERE person_id = ?1 ORDER BY document, version";

impl Tx<'_> {
    /// Adds an acceptance, unless that version was accepted before.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn acceptance_insert(&self, row: &AcceptanceRow) -> Result<(), StoreError> {
        self.write(
            INSERT,
            values![
                row.person,
                &row.document,
                &row.version,
                row.accepted_ms,
                &row.evidence,
                &row.actor
            ],
        )
    }

    /// What a person has accepted, old versions included.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn acceptances_of(&self, person: PersonId) -> Result<Vec<AcceptanceRow>, StoreError> {
        self.rows(SELECT_OF_PERSON, values![person], |row| {
            Ok(AcceptanceRow {
                person: PersonId(row.get(0)?),
                document: row.get(1)?,
                version: row.get(2)?,
                accepted_ms: row.get(3)?,
                evidence: row.get(4)?,
                actor: row.get(5)?,
            })
        })
    }
}
