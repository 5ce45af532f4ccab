//! The rows of removals: lists that were imported and what they say of each ID; what that means
//! together is the business of `removal`, and which lines it takes out of a release stands in
//! `view.rs`.

use crate::base::ids::IdKind;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// What became of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// Its events are being written, and do not count.
    Preparing,
    /// Its events count.
    InForce,
    /// Its events do not count any more.
    Reverted,
}

impl ImportState {
    /// The word of the database.
    pub fn word(self) -> &'static str {
        match self {
            ImportState::Preparing => "preparing",
            ImportState::InForce => "in-force",
            ImportState::Reverted => "reverted",
        }
    }

    fn from_word(word: &str) -> Option<ImportState> {
        let all = [ImportState::Preparing, ImportState::InForce, ImportState::Reverted];
        all.into_iter().find(|state| state.word() == word)
    }
}

/// A list that was imported. Times are milliseconds UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovalImportRow {
    /// Its number, never used twice.
    pub id: i64,
    /// What became of it.
    pub state: ImportState,
    /// SHA-256 of all that it says.
    pub sha256: [u8; 32],
    /// The names of its files.
    pub name: String,
    /// Why it was imported.
    pub reason: String,
    /// What was read and what came of it, as JSON.
    pub report: String,
    /// How many events it has, once all are there.
    pub events: u64,
    /// When it began.
    pub created_ms: i64,
    /// With which version of the removals it came into force.
    pub version: Option<i64>,
    /// When it was reverted.
    pub reverted_ms: Option<i64>,
    /// Why.
    pub reverted_reason: Option<String>,
}

/// What one import says of one aspect of an ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemovalEventRow {
    /// A Tweet or a User; nothing else is removed by lists.
    pub kind: IdKind,
    /// Its ID.
    pub element: u64,
    /// What about it.
    pub aspect: u32,
    /// Whether it must not be distributed.
    pub removes: bool,
    /// When that happened, in milliseconds UTC.
    pub at_ms: i64,
}

/// How events name a kind.
fn number_of(kind: IdKind) -> i64 {
    match kind {
        IdKind::Tweet => 0,
        IdKind::User => 1,
        IdKind::Dm => panic!("no list removes a DM"),
    }
}

const SELECT_VERSION: &str = "SELECT version FROM removal_state WHERE id = 1";
const UPDATE_VERSION: &str = "UPDATE removal_state SET version = ?1 WHERE id = 1";
const SELECT_TOLD: &str = "SELECT told_version FROM removal_state WHERE id = 1";
const UPDATE_TOLD: &str = "UPDATE removal_state SET told_version = ?1 WHERE id = 1";

const INSERT_IMPORT: &str = "
    INSERT INTO removal_imports (state, sha256, name, reason, report, events, created_ms)
    VALUES ('preparing', ?1, ?2, ?3, ?4, ?5, ?6)
    RETURNING id";
const ENFORCE_IMPORT: &str = "
    UPDATE removal_imports SET state = 'in-force', version = ?2, report = ?3
    WHERE id = ?1 AND state = 'preparing'";
const REVERT_IMPORT: &str = "
    UPDATE removal_imports SET state = 'reverted', reverted_ms = ?2, reverted_reason = ?3
    WHERE id = ?1 AND state = 'in-force'";
const DELETE_IMPORT: &str = "DELETE FROM removal_imports WHERE id = ?1 AND state = 'preparing'";
macro_rules! select_imports {
    ($rest:literal) => {
        concat!(
            "SELECT id, state, sha256, name, reason, report, events, created_ms, version, ",
            "reverted_ms, reverted_reason FROM removal_imports ",
            $rest
        )
    };
}
const SELECT_IMPORT: &str = select_imports!("WHERE id = ?1");
const SELECT_IMPORTS: &str = select_imports!("ORDER BY id DESC");
const SELECT_LEFT_BEHIND: &str =
    select_imports!("WHERE state = 'preparing' AND created_ms < ?1 ORDER BY id");
const SELECT_SAME: &str =
    select_imports!("WHERE state = 'in-force' AND sha256 = ?1 ORDER BY id LIMIT 1");

const INSERT_EVENT: &str = "
    INSERT INTO removal_events (kind, element, aspect, import_id, removes, at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const COUNT_EVENTS: &str = "SELECT count(*) FROM removal_events WHERE import_id = ?1";
const DELETE_EVENTS: &str = "DELETE FROM removal_events WHERE import_id = ?1";
// Driven by the list: each of its IDs is one look into the key.
const SELECT_OF_ELEMENTS: &str = "
    SELECT e.element, e.aspect, e.removes, e.at_ms
    FROM rarray(?2) AS l CROSS JOIN removal_events AS e
    WHERE e.kind = ?1 AND e.element = l.value AND e.import_id <> ?3
      AND EXISTS (SELECT 1 FROM removal_imports i
                  WHERE i.id = e.import_id AND i.state = 'in-force')";
const SELECT_OF_IMPORT: &str = "
    SELECT element, aspect, removes, at_ms FROM removal_events
    WHERE import_id = ?1 AND kind = ?2 AND element > ?3
    ORDER BY element LIMIT ?4";
const SELECT_IN_FORCE: &str = "
    SELECT e.element, e.aspect, e.removes, e.at_ms FROM removal_events e
    WHERE e.kind = ?1 AND e.element > ?2
      AND EXISTS (SELECT 1 FROM removal_imports i
                  WHERE i.id = e.import_id AND i.state = 'in-force')
    ORDER BY e.element, e.aspect, e.import_id LIMIT ?3";
const SELECT_NEWEST_TIME: &str = "
    SELECT max(created_ms) FROM removal_imports WHERE state = 'in-force'";

impl Tx<'_> {
    /// The version of the removals; 0: there was never one.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn removal_version(&self) -> Result<i64, StoreError> {
        self.one(SELECT_VERSION, values![])
    }

    /// Sets the version of the removals.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn removal_set_version(&self, version: i64) -> Result<(), StoreError> {
        self.write(UPDATE_VERSION, values![version])
    }

    /// Up to which version those who hold what went have been told.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn removal_told_version(&self) -> Result<i64, StoreError> {
        self.one(SELECT_TOLD, values![])
    }

    /// Notes that they have been told up to `version`.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn removal_set_told_version(&self, version: i64) -> Result<(), StoreError> {
        self.write(UPDATE_TOLD, values![version])
    }

    /// Adds an import whose events are still to be written, and returns its number.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn removal_import_insert(&self, row: &RemovalImportRow) -> Result<i64, StoreError> {
        let RemovalImportRow { sha256, name, reason, report, events, created_ms, .. } = row;
        self.one(INSERT_IMPORT, values![sha256, name, reason, report, *events, *created_ms])
    }

    /// Lets an import that was prepared count from now on; whether it was.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn removal_import_enforce(
        &self,
        id: i64,
        version: i64,
        report: &str,
    ) -> Result<bool, StoreError> {
        Ok(self.change(ENFORCE_IMPORT, values![id, version, report])? == 1)
    }

    /// Lets an import count no longer; whether it did.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn removal_import_revert(
        &self,
        id: i64,
        now_ms: i64,
        reason: &str,
    ) -> Result<bool, StoreError> {
        Ok(self.change(REVERT_IMPORT, values![id, now_ms, reason])? == 1)
    }

    /// Forgets an import that never came into force, with all its events.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn removal_import_discard(&self, id: i64) -> Result<(), StoreError> {
        if self.change(DELETE_IMPORT, values![id])? == 1 {
            self.write(DELETE_EVENTS, values![id])?;
        }
        Ok(())
    }

    /// The import of that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn removal_import(&self, id: i64) -> Result<Option<RemovalImportRow>, StoreError> {
        self.row(SELECT_IMPORT, values![id], import)
    }

    /// All imports, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn removal_imports(&self) -> Result<Vec<RemovalImportRow>, StoreError> {
        self.rows(SELECT_IMPORTS, values![], import)
    }

    /// The imports that were begun before that instant and never came into force.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn removal_imports_left(
        &self,
        before_ms: i64,
    ) -> Result<Vec<RemovalImportRow>, StoreError> {
        self.rows(SELECT_LEFT_BEHIND, values![before_ms], import)
    }

    /// The import in force that says the same.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn removal_import_same(
        &self,
        sha256: &[u8; 32],
    ) -> Result<Option<RemovalImportRow>, StoreError> {
        self.row(SELECT_SAME, values![sha256], import)
    }

    /// When the newest import that is in force was begun, in milliseconds UTC.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn removal_newest_ms(&self) -> Result<Option<i64>, StoreError> {
        self.one(SELECT_NEWEST_TIME, values![])
    }

    /// Adds what an import says.
    ///
    /// # Errors
    /// [`StoreError`] of the insert, perhaps of a later statement.
    pub fn removal_event_insert(
        &self,
        import: i64,
        event: &RemovalEventRow,
    ) -> Result<(), StoreError> {
        let RemovalEventRow { kind, element, aspect, removes, at_ms } = *event;
        let (kind, removes) = (number_of(kind), i64::from(removes));
        self.write(INSERT_EVENT, values![kind, element, aspect, import, removes, at_ms])
    }

    /// How many events of an import are there.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn removal_events_count(&self, import: i64) -> Result<u64, StoreError> {
        self.one(COUNT_EVENTS, values![import])
    }

    /// All events that count, of imports other than `except`, about these IDs; in any order.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn removal_events_about(
        &self,
        kind: IdKind,
        elements: &[u64],
        except: Option<i64>,
    ) -> Result<Vec<RemovalEventRow>, StoreError> {
        // No import has the number 0.
        let values = values![number_of(kind), elements, except.unwrap_or(0)];
        self.rows(SELECT_OF_ELEMENTS, values, |row| event(kind, row))
    }

    /// The first events of one import, at most `rows_max`, about IDs above `after`, ascending. The
    /// last ID may have more.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn removal_events_of(
        &self,
        import: i64,
        kind: IdKind,
        after: Option<u64>,
        rows_max: u32,
    ) -> Result<Vec<RemovalEventRow>, StoreError> {
        let values = values![import, number_of(kind), before_first(after)?, rows_max];
        self.rows(SELECT_OF_IMPORT, values, |row| event(kind, row))
    }

    /// The first events that count, at most `rows_max`, about IDs above `after`, ascending. The
    /// last ID may have more.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn removal_events_after(
        &self,
        kind: IdKind,
        after: Option<u64>,
        rows_max: u32,
    ) -> Result<Vec<RemovalEventRow>, StoreError> {
        let values = values![number_of(kind), before_first(after)?, rows_max];
        self.rows(SELECT_IN_FORCE, values, |row| event(kind, row))
    }
}

/// What stands for "from the first on": no ID is below 0.
fn before_first(after: Option<u64>) -> Result<i64, StoreError> {
    let too_large = |_| StoreError::Damaged("an ID is too large".into());
    after.map_or(Ok(-1), |after| i64::try_from(after).map_err(too_large))
}

fn event(kind: IdKind, row: &Row<'_>) -> Result<RemovalEventRow, StoreError> {
    Ok(RemovalEventRow {
        kind,
        element: row.get(0)?,
        aspect: row.get(1)?,
        removes: row.get(2)?,
        at_ms: row.get(3)?,
    })
}

fn import(row: &Row<'_>) -> Result<RemovalImportRow, StoreError> {
    let state: String = row.get(1)?;
    Ok(RemovalImportRow {
        id: row.get(0)?,
        state: ImportState::from_word(&state)
            .ok_or_else(|| StoreError::Damaged("the state of an import".into()))?,
        sha256: row.get(2)?,
        name: row.get(3)?,
        reason: row.get(4)?,
        report: row.get(5)?,
        events: row.get(6)?,
        created_ms: row.get(7)?,
        version: row.get(8)?,
        reverted_ms: row.get(9)?,
        reverted_reason: row.get(10)?,
    })
}
