//! The rows of what entities declare that they use what they receive for, version by version;
//! which one is in force stands with the entity.

use crate::base::party::EntityId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One version of a use case. Times are milliseconds UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseCaseRow {
    /// Whose.
    pub entity: EntityId,
    /// Which version, from 1 on.
    pub version: u32,
    /// What it is for.
    pub purpose: String,
    /// The word of its status.
    pub status: String,
    /// When it was proposed.
    pub proposed_ms: i64,
    /// Who proposed it.
    pub proposed_by: String,
    /// When it was approved or refused.
    pub decided_ms: Option<i64>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// Why it was decided so.
    pub reason: Option<String>,
}

// A decision replaces the row of its proposal.
const UPSERT: &str = "
    INSERT INTO use_cases
        (entity_id, version, purpose, status, proposed_ms, proposed_by, decided_ms, decided_by,
         reason)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (entity_id, version) DO UPDATE
    SET status = excluded.status, decided_ms = excluded.decided_ms,
        decided_by = excluded.decided_by, reason = excluded.reason";
const SELECT_OF_ENTITY: &str = "
    SELECT entity_id, version, purpose, status, proposed_ms, proposed_by, decided_ms, decided_by,
           reason
    FROM use_cases WHERE entity_id = ?1 ORDER BY version";
const SELECT_ALL: &str = "
    SELECT entity_id, version, purpose, status, proposed_ms, proposed_by, decided_ms, decided_by,
           reason
    FROM use_cases ORDER BY entity_id, version";

impl Tx<'_> {
    /// Enters a version, or what was decided of it.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn use_case_set(&self, row: &UseCaseRow) -> Result<(), StoreError> {
        self.write(
            UPSERT,
            values![
                row.entity,
                row.version,
                &row.purpose,
                &row.status,
                row.proposed_ms,
                &row.proposed_by,
                row.decided_ms,
                &row.decided_by,
                &row.reason
            ],
        )
    }

    /// Every version of an entity's use case, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn use_cases_of(&self, entity: EntityId) -> Result<Vec<UseCaseRow>, StoreError> {
        self.rows(SELECT_OF_ENTITY, values![entity], use_case)
    }

    /// Every version of every entity's use case.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn use_cases(&self) -> Result<Vec<UseCaseRow>, StoreError> {
        self.rows(SELECT_ALL, values![], use_case)
    }
}

fn use_case(row: &Row<'_>) -> Result<UseCaseRow, StoreError> {
    Ok(UseCaseRow {
        entity: EntityId(row.get(0)?),
        version: row.get(1)?,
        purpose: row.get(2)?,
        status: row.get(3)?,
        proposed_ms: row.get(4)?,
        proposed_by: row.get(5)?,
        decided_ms: row.get(6)?,
        decided_by: row.get(7)?,
        reason: row.get(8)?,
    })
}
