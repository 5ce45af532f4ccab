//! The rows of the documents that operators have published, and of who accepted which version.

use crate::base::party::PersonId;
use crate::policy::document::{Accepted, Published};
use crate::store::value::{Row, values};
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

/// A version of a document that an operator has published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRow {
    /// Which version of which document, and from when on.
    pub published: Published,
    /// When it was published, in milliseconds UTC.
    pub published_ms: i64,
    /// Who published it.
    pub published_by: String,
}

/// What has been published and is in force, and what a person has accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentsStanding {
    /// Of each document the newest version that is in force.
    pub published: Vec<Published>,
    /// All that the person has accepted.
    pub accepted: Vec<Accepted>,
}

const INSERT_DOCUMENT: &str = "
    INSERT INTO documents (name, version, url, from_ms, published_ms, published_by)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const SELECT_DOCUMENTS: &str = "
    SELECT name, version, url, from_ms, published_ms, published_by FROM documents ORDER BY id";
const SELECT_STANDING: &str = "
    SELECT 1, d.name, d.version, d.url, d.from_ms FROM documents d
    WHERE d.from_ms <= ?2
      AND NOT EXISTS (SELECT 1 FROM documents n
                      WHERE n.name = d.name AND d.from_ms < n.from_ms AND n.from_ms <= ?2)
    UNION ALL
    SELECT 0, a.document, a.version, '', 0 FROM acceptances a WHERE a.person_id = ?1";
// A second acceptance of the same version changes nothing: the first date is the one that counts.
const INSERT: &str = "
    INSERT INTO acceptances (person_id, document, version, accepted_ms, evidence, actor)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
const SELECT_OF_PERSON: &str = "
    SELECT person_id, document, version, accepted_ms, evidence, actor FROM acceptances
    WHERE person_id = ?1 ORDER BY document, version";

impl Tx<'_> {
    /// Publishes a version of a document.
    ///
    /// # Errors
    /// [`StoreError`] of the insert, also if that version was published before.
    pub fn document_insert(&self, row: &DocumentRow) -> Result<(), StoreError> {
        let Published { name, version, url, from_ms } = &row.published;
        let values = values![name, version, url, *from_ms, row.published_ms, &row.published_by];
        self.write(INSERT_DOCUMENT, values)
    }

    /// Every version that was ever published, in the order in which that was done.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn documents(&self) -> Result<Vec<DocumentRow>, StoreError> {
        self.rows(SELECT_DOCUMENTS, values![], |row| {
            Ok(DocumentRow {
                published: published(row, 0)?,
                published_ms: row.get(4)?,
                published_by: row.get(5)?,
            })
        })
    }

    /// What is in force at `now_ms` and what `person` has accepted; without a person, nothing is.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn documents_standing(
        &self,
        person: Option<PersonId>,
        now_ms: i64,
    ) -> Result<DocumentsStanding, StoreError> {
        let mut standing = DocumentsStanding::default();
        // No row has the number 0.
        let person = person.unwrap_or(PersonId(0));
        self.rows(SELECT_STANDING, values![person, now_ms], |row| {
            match row.get(0)? {
                true => standing.published.push(published(row, 1)?),
                false => standing.accepted.push((row.get(1)?, row.get(2)?)),
            }
            Ok(())
        })?;
        Ok(standing)
    }

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

fn published(row: &Row<'_>, first: usize) -> Result<Published, StoreError> {
    Ok(Published {
        name: row.get(first)?,
        version: row.get(first + 1)?,
        url: row.get(first + 2)?,
        from_ms: row.get(first + 3)?,
    })
}
