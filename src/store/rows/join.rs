//! The rows of people who are to belong to a further entity; when one is carried out is
//! `directory`'s business.

use crate::base::party::{EntityId, PersonId};
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// That one side agrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Since when, in milliseconds UTC.
    pub at_ms: i64,
    /// Who said so, or recorded it.
    pub by: String,
    /// What shows it, if it was recorded.
    pub evidence: Option<String>,
}

/// One proposal that a person belongs to a further entity. Times are milliseconds UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRow {
    /// Its number, never used twice.
    pub id: i64,
    /// Who.
    pub person: PersonId,
    /// Which entity.
    pub entity: EntityId,
    /// The word of the role.
    pub role: String,
    /// When it was proposed.
    pub proposed_ms: i64,
    /// Who proposed it.
    pub proposed_by: String,
    /// The person's consent.
    pub of_person: Option<Consent>,
    /// The entity's consent.
    pub of_entity: Option<Consent>,
    /// When it was carried out or withdrawn; `None`: it waits.
    pub ended_ms: Option<i64>,
    /// The word of how it ended.
    pub outcome: Option<String>,
    /// Why it was withdrawn.
    pub reason: Option<String>,
}

const INSERT: &str = "
    INSERT INTO joins (person_id, entity_id, role, proposed_ms, proposed_by)
    VALUES (?1, ?2, ?3, ?4, ?5)
    RETURNING id";
const UPDATE: &str = "
    UPDATE joins
    SET person_ms = ?2, person_by = ?3, person_evidence = ?4,
        entity_ms = ?5, entity_by = ?6, entity_evidence = ?7,
        ended_ms = ?8, outcome = ?9, reason = ?10
    WHERE id = ?1";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, person_id, entity_id, role, proposed_ms, proposed_by, person_ms, ",
            "person_by, person_evidence, entity_ms, entity_by, entity_evidence, ended_ms, ",
            "outcome, reason FROM joins ",
            $rest
        )
    };
}
const SELECT_BY_ID: &str = select!("WHERE id = ?1");
const SELECT_WAITING: &str = select!("WHERE ended_ms IS NULL ORDER BY id");
const SELECT_OF_PERSON: &str = select!("WHERE person_id = ?1 ORDER BY id");
const DELETE_ENDED: &str = "DELETE FROM joins WHERE ended_ms < ?1";
const DELETE_OF_PERSON: &str = "DELETE FROM joins WHERE person_id = ?1";

impl Tx<'_> {
    /// Adds a proposal and returns its number; `row.id` and what follows later are not looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn join_insert(&self, row: &JoinRow) -> Result<i64, StoreError> {
        self.one(
            INSERT,
            values![row.person, row.entity, &row.role, row.proposed_ms, &row.proposed_by],
        )
    }

    /// Writes what came after the proposal: consents and the end.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn join_update(&self, row: &JoinRow) -> Result<(), StoreError> {
        let of = |side: &Option<Consent>| side.clone().map(|side| (side.at_ms, side.by));
        let (person, entity) = (of(&row.of_person), of(&row.of_entity));
        let evidence = |side: &'_ Option<Consent>| side.as_ref().and_then(|c| c.evidence.clone());
        let changed = self.change(
            UPDATE,
            values![
                row.id,
                person.as_ref().map(|(at_ms, _)| *at_ms),
                person.as_ref().map(|(_, by)| by),
                &evidence(&row.of_person),
                entity.as_ref().map(|(at_ms, _)| *at_ms),
                entity.as_ref().map(|(_, by)| by),
                &evidence(&row.of_entity),
                row.ended_ms,
                &row.outcome,
                &row.reason
            ],
        )?;
        assert_eq!(changed, 1, "the proposal was found in this very transaction");
        Ok(())
    }

    /// The proposal with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn join_by_id(&self, id: i64) -> Result<Option<JoinRow>, StoreError> {
        self.row(SELECT_BY_ID, values![id], join)
    }

    /// The proposals that wait for a consent, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn joins_waiting(&self) -> Result<Vec<JoinRow>, StoreError> {
        self.rows(SELECT_WAITING, values![], join)
    }

    /// Every proposal about a person, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn joins_of_person(&self, person: PersonId) -> Result<Vec<JoinRow>, StoreError> {
        self.rows(SELECT_OF_PERSON, values![person], join)
    }

    /// Removes the proposals that ended before `before_ms`, and returns how many there were.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn joins_remove_ended(&self, before_ms: i64) -> Result<u64, StoreError> {
        self.change(DELETE_ENDED, values![before_ms])
    }

    /// Removes every proposal about a person.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn joins_remove_of_person(&self, person: PersonId) -> Result<(), StoreError> {
        self.write(DELETE_OF_PERSON, values![person])
    }
}

fn join(row: &Row<'_>) -> Result<JoinRow, StoreError> {
    Ok(JoinRow {
        id: row.get(0)?,
        person: PersonId(row.get(1)?),
        entity: EntityId(row.get(2)?),
        role: row.get(3)?,
        proposed_ms: row.get(4)?,
        proposed_by: row.get(5)?,
        of_person: consent(row, 6)?,
        of_entity: consent(row, 9)?,
        ended_ms: row.get(12)?,
        outcome: row.get(13)?,
        reason: row.get(14)?,
    })
}

/// The consent in three columns from `first` on.
fn consent(row: &Row<'_>, first: usize) -> Result<Option<Consent>, StoreError> {
    let Some(at_ms) = row.get(first)? else { return Ok(None) };
    let by: Option<String> = row.get(first + 1)?;
    Ok(Some(Consent { at_ms, by: by.unwrap_or_default(), evidence: row.get(first + 2)? }))
}
