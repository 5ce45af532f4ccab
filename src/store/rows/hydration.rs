//! The rows of hydrations: which objects are fetched into which archive, and how far it is; what
//! was fetched is in the archive itself.

use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One hydration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HydrationRow {
    /// Its number, a UUID.
    pub id: String,
    /// `tweet` or `user`.
    pub kind: String,
    /// The name of the credential that asks.
    pub credential: String,
    /// The path of the archive.
    pub archive: String,
    /// How many IDs are asked for.
    pub ids: u64,
    /// `running`, `paused` or `done`.
    pub state: String,
    /// Why it is paused.
    pub why: Option<String>,
    /// What became of the IDs: found, deleted, protected, suspended, withheld, unknown.
    pub outcomes: [u64; 6],
    /// When it began, in milliseconds UTC.
    pub started_ms: i64,
    /// Who began it.
    pub started_by: String,
    /// When it was heard of last, in milliseconds UTC.
    pub changed_ms: i64,
}

const INSERT: &str = "
    INSERT INTO hydrations
        (id, kind, credential, archive, ids, state, why, found, deleted, protected, suspended,
         withheld, unknown, started_ms, started_by, changed_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
const UPDATE: &str = "
    UPDATE hydrations SET state = ?2, why = ?3, found = ?4, deleted = ?5, protected = ?6,
        suspended = ?7, withheld = ?8, unknown = ?9, changed_ms = ?10
    WHERE id = ?1";
const SELECT_BY_ID: &str = "
    SELECT id, kind, credential, archive, ids, state, why, found, deleted, protected, suspended,
           withheld, unknown, started_ms, started_by, changed_ms
    FROM hydrations WHERE id = ?1";
const SELECT_NEWEST: &str = "
    SELECT id, kind, credential, archive, ids, state, why, found, deleted, protected, suspended,
           withheld, unknown, started_ms, started_by, changed_ms
    FROM hydrations ORDER BY started_ms DESC, id DESC LIMIT ?1";

impl Tx<'_> {
    /// Adds a hydration.
    ///
    /// # Errors
    /// [`StoreError`] of the insert, also if there is one of that number.
    pub fn hydration_insert(&self, row: &HydrationRow) -> Result<(), StoreError> {
        let [found, deleted, protected, suspended, withheld, unknown] = row.outcomes;
        let values = values![
            &row.id,
            &row.kind,
            &row.credential,
            &row.archive,
            row.ids,
            &row.state,
            &row.why,
            found,
            deleted,
            protected,
            suspended,
            withheld,
            unknown,
            row.started_ms,
            &row.started_by,
            row.changed_ms
        ];
        self.change(INSERT, values).map(drop)
    }

    /// Notes how far a hydration is: state, reason, outcomes and time of `row`.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn hydration_update(&self, row: &HydrationRow) -> Result<(), StoreError> {
        let [found, deleted, protected, suspended, withheld, unknown] = row.outcomes;
        let values = values![
            &row.id,
            &row.state,
            &row.why,
            found,
            deleted,
            protected,
            suspended,
            withheld,
            unknown,
            row.changed_ms
        ];
        let changed = self.change(UPDATE, values)?;
        assert_eq!(changed, 1, "the hydration was found in this very transaction");
        Ok(())
    }

    /// The hydration of that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn hydration_by_id(&self, id: &str) -> Result<Option<HydrationRow>, StoreError> {
        self.row(SELECT_BY_ID, values![id], hydration)
    }

    /// The newest hydrations, at most so many.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn hydrations(&self, rows_max: u32) -> Result<Vec<HydrationRow>, StoreError> {
        self.rows(SELECT_NEWEST, values![rows_max], hydration)
    }
}

fn hydration(row: &Row<'_>) -> Result<HydrationRow, StoreError> {
    Ok(HydrationRow {
        id: row.get(0)?,
        kind: row.get(1)?,
        credential: row.get(2)?,
        archive: row.get(3)?,
        ids: row.get(4)?,
        state: row.get(5)?,
        why: row.get(6)?,
        outcomes: [row.get(7)?, row.get(8)?, row.get(9)?, row.get(10)?, row.get(11)?, row.get(12)?],
        started_ms: row.get(13)?,
        started_by: row.get(14)?,
        changed_ms: row.get(15)?,
    })
}
