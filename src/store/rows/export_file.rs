//! The rows of the files of exports: which are planned, under way, kept or gone. What is in one
//! stands on the disk.

use serde::Serialize;

use crate::base::party::PersonId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// How far a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileState {
    /// It waits for its person to ask for it.
    Planned,
    /// It waits for a gateway that makes it.
    Asked,
    /// A gateway makes it.
    Running,
    /// It can be fetched.
    Ready,
    /// It was charged and handed over, and can be fetched again.
    Fetched,
    /// Somebody ended it.
    Cancelled,
    /// It cannot be made.
    Failed,
    /// Something in it was removed, or its person was erased.
    Purged,
    /// It was kept long enough.
    Expired,
}

impl FileState {
    /// All of them, in the order in which a file may go through them.
    pub const ALL: [FileState; 9] = [
        FileState::Planned,
        FileState::Asked,
        FileState::Running,
        FileState::Ready,
        FileState::Fetched,
        FileState::Cancelled,
        FileState::Failed,
        FileState::Purged,
        FileState::Expired,
    ];

    /// The word of the database.
    pub fn word(self) -> &'static str {
        match self {
            FileState::Planned => "planned",
            FileState::Asked => "asked",
            FileState::Running => "running",
            FileState::Ready => "ready",
            FileState::Fetched => "fetched",
            FileState::Cancelled => "cancelled",
            FileState::Failed => "failed",
            FileState::Purged => "purged",
            FileState::Expired => "expired",
        }
    }

    /// Whether it is being made, or waits for that.
    pub fn is_under_way(self) -> bool {
        matches!(self, FileState::Asked | FileState::Running)
    }

    /// Whether there is a file that can be fetched.
    pub fn is_kept(self) -> bool {
        matches!(self, FileState::Ready | FileState::Fetched)
    }
}

/// A file of an export. Times are milliseconds UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportFileRow {
    /// Its number, in the ledger too.
    pub id: i64,
    /// Of which export.
    pub export: i64,
    /// Whose export that is.
    pub person: PersonId,
    /// Its place among the files of its export, from 1; one that is made again has the same.
    pub part: u32,
    /// How many objects it may have.
    pub objects_max: u64,
    /// At which ordinal of the release it begins; `None`: that is not known before the file before
    /// it is made.
    pub from: Option<u64>,
    /// At which ordinal the file behind it begins, once it is made; `None`: it is the last.
    pub next: Option<u64>,
    /// When it fits its person's allowance, as it was foreseen.
    pub planned_ms: i64,
    /// How far it is.
    pub state: FileState,
    /// Why it ended as it did.
    pub reason: Option<String>,
    /// How often its making was begun.
    pub attempt: u32,
    /// Which gateway makes it, or made it.
    pub instance: Option<String>,
    /// How many IDs have been looked up for it.
    pub gathered: u64,
    /// How many objects it has, once it is made.
    pub objects: u64,
    /// How long it is, once it is made.
    pub bytes: u64,
    /// Of its bytes.
    pub sha256: Option<[u8; 32]>,
    /// How its name ends, once it is made.
    pub extension: Option<String>,
    /// What was left out and why, as JSON.
    pub left_out: String,
    /// Which version of the removals it was last found to be clean of.
    pub removals: i64,
    /// How often it was begun to be handed over.
    pub fetches: u32,
    /// When its state changed.
    pub changed_ms: i64,
    /// Up to when it is kept, once it is made.
    pub kept_until_ms: Option<i64>,
}

impl ExportFileRow {
    /// The only file of an export, as it is planned for `now_ms`, without a place in its release.
    pub fn planned(export: i64, person: PersonId, now_ms: i64) -> ExportFileRow {
        ExportFileRow {
            id: 0,
            export,
            person,
            part: 1,
            objects_max: 0,
            from: None,
            next: None,
            planned_ms: now_ms,
            state: FileState::Planned,
            reason: None,
            attempt: 0,
            instance: None,
            gathered: 0,
            objects: 0,
            bytes: 0,
            sha256: None,
            extension: None,
            left_out: "[]".into(),
            removals: 0,
            fetches: 0,
            changed_ms: now_ms,
            kept_until_ms: None,
        }
    }
}

/// What is known of a file when it is made.
#[derive(Clone, Debug)]
pub struct MadeFile<'a> {
    /// Its number.
    pub id: i64,
    /// By which attempt.
    pub attempt: u32,
    /// At which ordinal the file behind it begins; `None`: it is the last.
    pub next: Option<u64>,
    /// How many objects it has.
    pub objects: u64,
    /// How long it is.
    pub bytes: u64,
    /// Of its bytes.
    pub sha256: &'a [u8; 32],
    /// How its name ends.
    pub extension: &'a str,
    /// What was left out and why, as JSON.
    pub left_out: &'a str,
    /// Which version of the removals it is clean of.
    pub removals: i64,
    /// When it was made.
    pub made_ms: i64,
    /// Up to when it is kept.
    pub kept_until_ms: i64,
}

const INSERT: &str = "
    INSERT INTO export_files
        (export_id, person_id, part, objects_max, from_ordinal, planned_ms, state, attempt,
         gathered, objects, bytes, left_out, removals, fetches, changed_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, 0, 0, '[]', 0, 0, ?8)
    RETURNING id";
macro_rules! columns {
    () => {
        "id, export_id, person_id, part, objects_max, from_ordinal, next_ordinal, planned_ms, \
         state, reason, attempt, gathered, objects, bytes, sha256, left_out, removals, fetches, \
         changed_ms, kept_until_ms, instance, extension"
    };
}
macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM export_files ", $rest)
    };
}
const SELECT: &str = select!("WHERE id = ?1");
const SELECT_OF_EXPORT: &str = select!("WHERE export_id = ?1 ORDER BY part, id");
const SELECT_OF_PERSON: &str = select!("WHERE person_id = ?1 ORDER BY id");
const SELECT_UNDER_WAY: &str = select!("WHERE person_id = ?1 AND state IN ('asked', 'running')");
const SELECT_KEPT_BEFORE: &str =
    select!("WHERE state IN ('ready', 'fetched') AND removals <> ?1 ORDER BY id");
const SELECT_TO_MAKE: &str = select!(
    "WHERE state = 'asked' OR (state = 'running' AND lease_ms <= ?1) ORDER BY changed_ms, id
     LIMIT 1"
);
const SELECT_LIVE: &str = "
    SELECT id FROM export_files WHERE state IN ('asked', 'running', 'ready', 'fetched')
    ORDER BY id";
const SELECT_EXPORTS_OF_USE: &str = "
    SELECT DISTINCT export_id FROM export_files
    WHERE (state IN ('planned', 'asked', 'running', 'ready', 'fetched') OR changed_ms > ?1)
      AND person_id IN (SELECT id FROM people WHERE erased_ms IS NULL)
    ORDER BY export_id";
const IS_WANTED: &str = "
    SELECT EXISTS (SELECT 1 FROM export_files
                   WHERE state = 'asked' OR (state = 'running' AND lease_ms <= ?1))";
const ASK: &str = "
    UPDATE export_files SET state = 'asked', changed_ms = ?2, reason = NULL
    WHERE id = ?1 AND state = 'planned'";
const TAKE: &str = "
    UPDATE export_files SET state = 'running', attempt = attempt + 1, instance = ?2, lease_ms = ?3,
        gathered = 0
    WHERE id = ?1";
const LET_GO: &str = "
    UPDATE export_files SET state = 'asked', instance = NULL, lease_ms = NULL
    WHERE state = 'running' AND instance = ?1";
const RENEW: &str = "
    UPDATE export_files SET lease_ms = ?3, gathered = ?4
    WHERE id = ?1 AND attempt = ?2 AND state = 'running'";
const MADE: &str = "
    UPDATE export_files SET state = 'ready', objects = ?3, bytes = ?4, sha256 = ?5, left_out = ?6,
        removals = ?7, changed_ms = ?8, kept_until_ms = ?9, lease_ms = NULL,
        next_ordinal = ?10, extension = ?11
    WHERE id = ?1 AND attempt = ?2 AND state = 'running'";
const FOLLOW: &str = "
    UPDATE export_files SET from_ordinal = ?3
    WHERE export_id = ?1 AND part = ?2 AND state = 'planned'";
const NONE_FOLLOWS: &str = "
    UPDATE export_files SET state = 'cancelled', reason = ?3, changed_ms = ?4
    WHERE export_id = ?1 AND part > ?2 AND state = 'planned'";
const FAIL: &str = "
    UPDATE export_files SET state = 'failed', reason = ?3, left_out = ?4, changed_ms = ?5,
        instance = NULL, lease_ms = NULL
    WHERE id = ?1 AND attempt = ?2 AND state = 'running'";
const CANCEL: &str = "
    UPDATE export_files SET state = 'cancelled', reason = ?2, changed_ms = ?3, instance = NULL,
        lease_ms = NULL
    WHERE id = ?1 AND state IN ('planned', 'asked', 'running', 'ready', 'fetched')";
const PURGE: &str = "
    UPDATE export_files SET state = 'purged', reason = ?2, changed_ms = ?3
    WHERE id = ?1 AND state IN ('ready', 'fetched')";
const PURGE_OF_PERSON: &str = "
    UPDATE export_files SET state = 'purged', reason = ?2, changed_ms = ?3, instance = NULL,
        lease_ms = NULL
    WHERE person_id = ?1 AND state IN ('planned', 'asked', 'running', 'ready', 'fetched')";
const EXPIRE: &str = "
    UPDATE export_files SET state = 'expired', changed_ms = ?1
    WHERE state IN ('ready', 'fetched') AND kept_until_ms <= ?1";
const FOUND_CLEAN: &str = "
    UPDATE export_files SET removals = ?2
    WHERE id = ?1 AND removals < ?2 AND state IN ('ready', 'fetched')";
const FETCH: &str = "
    UPDATE export_files SET state = 'fetched', fetches = fetches + 1
    WHERE id = ?1 AND person_id = ?2 AND fetches = ?3 AND objects = ?4 AND ?5 < kept_until_ms
      AND state IN ('ready', 'fetched')
      AND removals = (SELECT version FROM removal_state WHERE id = 1)";
const MAY_GO_ON: &str = "
    SELECT f.state = 'fetched' AND p.status = 'active'
       AND f.removals = (SELECT version FROM removal_state WHERE id = 1)
    FROM export_files f JOIN people p ON p.id = f.person_id
    WHERE f.id = ?1";

impl Tx<'_> {
    /// Adds a file that is planned or asked for, and returns its number; of `row` nothing is looked
    /// at that only comes later.
    ///
    /// # Errors
    /// [`StoreError`] of the insert, also if the person has another one under way.
    pub fn export_file_insert(&self, row: &ExportFileRow) -> Result<i64, StoreError> {
        self.one(
            INSERT,
            values![
                row.export,
                row.person,
                row.part,
                row.objects_max,
                row.from,
                row.planned_ms,
                row.state.word(),
                row.changed_ms
            ],
        )
    }

    /// The file with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn export_file(&self, id: i64) -> Result<Option<ExportFileRow>, StoreError> {
        self.row(SELECT, values![id], export_file)
    }

    /// The files of an export, in their order.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn export_files_of(&self, export: i64) -> Result<Vec<ExportFileRow>, StoreError> {
        self.rows(SELECT_OF_EXPORT, values![export], export_file)
    }

    /// All files of a person.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn export_files_of_person(
        &self,
        person: PersonId,
    ) -> Result<Vec<ExportFileRow>, StoreError> {
        self.rows(SELECT_OF_PERSON, values![person], export_file)
    }

    /// The file of a person that is being made, or waits for that.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn export_file_under_way(
        &self,
        person: PersonId,
    ) -> Result<Option<ExportFileRow>, StoreError> {
        self.row(SELECT_UNDER_WAY, values![person], export_file)
    }

    /// The files that can be fetched and were not held against that version of the removals.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn export_files_unchecked(&self, removals: i64) -> Result<Vec<ExportFileRow>, StoreError> {
        self.rows(SELECT_KEPT_BEFORE, values![removals], export_file)
    }

    /// The numbers of the files of which something may lie on the disk.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn export_files_live(&self) -> Result<Vec<i64>, StoreError> {
        self.rows(SELECT_LIVE, values![], |row| row.get(0))
    }

    /// The numbers of the exports of which a file may still be made, or that changed since then.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn exports_of_use(&self, since_ms: i64) -> Result<Vec<i64>, StoreError> {
        self.rows(SELECT_EXPORTS_OF_USE, values![since_ms], |row| row.get(0))
    }

    /// Whether [`Tx::export_file_take`] would take one.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn export_file_is_wanted(&self, now_ms: i64) -> Result<bool, StoreError> {
        self.one(IS_WANTED, values![now_ms])
    }

    /// Asks for a file that was planned; `false` if it is no longer.
    ///
    /// # Errors
    /// [`StoreError`] of the change, also if the person has another one under way.
    pub fn export_file_ask(&self, id: i64, now_ms: i64) -> Result<bool, StoreError> {
        Ok(self.change(ASK, values![id, now_ms])? == 1)
    }

    /// Takes the file that has waited longest, or whose maker is not heard of, for this gateway up
    /// to `lease_ms`.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn export_file_take(
        &self,
        now_ms: i64,
        lease_ms: i64,
    ) -> Result<Option<ExportFileRow>, StoreError> {
        let Some(found) = self.row(SELECT_TO_MAKE, values![now_ms], export_file)? else {
            return Ok(None);
        };
        self.change(TAKE, values![found.id, self.instance(), lease_ms])?;
        self.export_file(found.id)
    }

    /// Lets others make what this gateway was making when it ended.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn export_files_let_go(&self) -> Result<u64, StoreError> {
        self.change(LET_GO, values![self.instance()])
    }

    /// Notes how far an attempt is and keeps the file for it up to `lease_ms`; `false` if it is no
    /// longer that attempt's.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn export_file_renew(
        &self,
        id: i64,
        attempt: u32,
        lease_ms: i64,
        gathered: u64,
    ) -> Result<bool, StoreError> {
        Ok(self.change(RENEW, values![id, attempt, lease_ms, gathered])? == 1)
    }

    /// Lets a file be fetched that was made; `false` if it is no longer that attempt's.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn export_file_made(&self, made: &MadeFile<'_>) -> Result<bool, StoreError> {
        let values = values![
            made.id,
            made.attempt,
            made.objects,
            made.bytes,
            made.sha256,
            made.left_out,
            made.removals,
            made.made_ms,
            made.kept_until_ms,
            made.next,
            made.extension
        ];
        Ok(self.change(MADE, values)? == 1)
    }

    /// Notes at which ordinal the planned file of that part begins; `false` if there is none.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn export_file_follow(
        &self,
        export: i64,
        part: u32,
        from: u64,
    ) -> Result<bool, StoreError> {
        Ok(self.change(FOLLOW, values![export, part, from])? > 0)
    }

    /// Ends the files that are planned behind that part: nothing is left for them.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn export_files_end_after(
        &self,
        export: i64,
        part: u32,
        reason: &str,
        now_ms: i64,
    ) -> Result<u64, StoreError> {
        self.change(NONE_FOLLOWS, values![export, part, reason, now_ms])
    }

    /// Notes that a file cannot be made; `false` if it is no longer that attempt's.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn export_file_fail(
        &self,
        id: i64,
        attempt: u32,
        reason: &str,
        left_out: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        Ok(self.change(FAIL, values![id, attempt, reason, left_out, now_ms])? == 1)
    }

    /// Ends a file that is planned, under way or kept; `false` if it has ended.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn export_file_cancel(
        &self,
        id: i64,
        reason: Option<&str>,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        Ok(self.change(CANCEL, values![id, reason, now_ms])? == 1)
    }

    /// Ends a file that must no longer be handed out; `false` if it has ended.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn export_file_purge(
        &self,
        id: i64,
        reason: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        Ok(self.change(PURGE, values![id, reason, now_ms])? == 1)
    }

    /// Ends every file of a person that has not ended, and returns how many there were.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn export_files_purge_of(
        &self,
        person: PersonId,
        reason: &str,
        now_ms: i64,
    ) -> Result<u64, StoreError> {
        self.change(PURGE_OF_PERSON, values![person, reason, now_ms])
    }

    /// Ends what was kept up to now, and returns how many files that were.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn export_files_expire(&self, now_ms: i64) -> Result<u64, StoreError> {
        self.change(EXPIRE, values![now_ms])
    }

    /// Notes that nothing in a file is removed by that version of the removals.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn export_file_found_clean(&self, id: i64, removals: i64) -> Result<bool, StoreError> {
        Ok(self.change(FOUND_CLEAN, values![id, removals])? == 1)
    }

    /// Begins to hand a file over: `false` if it is not that person's, not kept, not of so many
    /// objects, was fetched another number of times, or was not found to be clean of the removals
    /// in force.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn export_file_fetch(
        &self,
        id: i64,
        person: PersonId,
        fetches: u32,
        objects: u64,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        Ok(self.change(FETCH, values![id, person, fetches, objects, now_ms])? == 1)
    }

    /// Whether more of a file may be sent that is being handed over: it is kept, its person is
    /// active, and it was found to be clean of the removals in force.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn export_file_may_go_on(&self, id: i64) -> Result<bool, StoreError> {
        Ok(self.row(MAY_GO_ON, values![id], |row| row.get(0))?.unwrap_or(false))
    }
}

fn export_file(row: &Row<'_>) -> Result<ExportFileRow, StoreError> {
    let state: String = row.get(8)?;
    let state = FileState::ALL.into_iter().find(|known| known.word() == state);
    Ok(ExportFileRow {
        id: row.get(0)?,
        export: row.get(1)?,
        person: PersonId(row.get(2)?),
        part: row.get(3)?,
        objects_max: row.get(4)?,
        from: row.get(5)?,
        next: row.get(6)?,
        planned_ms: row.get(7)?,
        state: state.ok_or_else(|| StoreError::Damaged("the state of a file".into()))?,
        reason: row.get(9)?,
        attempt: row.get(10)?,
        gathered: row.get(11)?,
        objects: row.get(12)?,
        bytes: row.get(13)?,
        sha256: row.get(14)?,
        left_out: row.get(15)?,
        removals: row.get(16)?,
        fetches: row.get(17)?,
        changed_ms: row.get(18)?,
        kept_until_ms: row.get(19)?,
        instance: row.get(20)?,
        extension: row.get(21)?,
    })
}
