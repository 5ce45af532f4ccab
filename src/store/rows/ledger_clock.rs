//! The rows of ledger time and of the gateways' starts; what a reading means is `policy`'s.

use crate::policy::LedgerTime;
use crate::policy::time::Wall;
use crate::store::value::values;
use crate::store::{StoreError, Tx};

const SELECT: &str = "
    SELECT time_ms, anchor_time_ms, anchor_wall_ms, anchor_boot_ms, boot_id, wall,
        behind_since_ms
    FROM ledger_clocks WHERE instance = ?1";
const SELECT_OTHERS: &str = "SELECT max(time_ms) FROM ledger_clocks WHERE instance <> ?1";
const UPSERT: &str = "
    INSERT INTO ledger_clocks
        (instance, time_ms, anchor_time_ms, anchor_wall_ms, anchor_boot_ms, boot_id, wall,
         behind_since_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (instance) DO UPDATE SET
        time_ms = ?2, anchor_time_ms = ?3, anchor_wall_ms = ?4, anchor_boot_ms = ?5,
        boot_id = ?6, wall = ?7, behind_since_ms = ?8";
const INSERT_INCARNATION: &str = "
    INSERT INTO incarnations (instance, started_ms, profile_id)
    VALUES (?1, ?2, (SELECT max(id) FROM profiles))
    RETURNING id";
const END_EARLIER: &str = "
    UPDATE incarnations SET ended_ms = ?3 WHERE instance = ?1 AND id < ?2 AND ended_ms IS NULL";
const RUNS: &str = "SELECT ended_ms IS NULL FROM incarnations WHERE id = ?1";
const SELECT_STATE: &str = "
    SELECT ended_ms IS NULL, profile_id IS NOT DISTINCT FROM (SELECT max(id) FROM profiles)
    FROM incarnations WHERE id = ?1";

/// Whether a start of a gateway may still charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartState {
    /// It may.
    Charges,
    /// It has a successor.
    Ended,
    /// It began under another profile than the one that is in force now.
    OtherProfile,
}

impl Tx<'_> {
    /// This instance's row of ledger time, if it has ever read a clock.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn ledger_time(&self) -> Result<Option<LedgerTime>, StoreError> {
        self.row(SELECT, values![self.instance()], |row| {
            let boot_id: String = row.get(4)?;
            let wall: String = row.get(5)?;
            Ok(LedgerTime {
                time_ms: row.get(0)?,
                anchor_time_ms: row.get(1)?,
                anchor_wall_ms: row.get(2)?,
                anchor_boot_ms: row.get(3)?,
                boot_id: boot_id.into(),
                wall: if wall == "believed" { Wall::Believed } else { Wall::Doubted },
                behind_since_ms: row.get(6)?,
            })
        })
    }

    /// The newest ledger time that any other instance has read, in milliseconds UTC.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn ledger_time_of_others(&self) -> Result<Option<i64>, StoreError> {
        self.one(SELECT_OTHERS, values![self.instance()])
    }

    /// Writes this instance's row of ledger time.
    ///
    /// # Errors
    /// [`StoreError`] of the change; that the time would go back is one.
    pub fn ledger_time_set(&self, time: &LedgerTime) -> Result<(), StoreError> {
        let wall = match time.wall {
            Wall::Believed => "believed",
            Wall::Doubted => "doubted",
        };
        let values = values![
            self.instance(),
            time.time_ms,
            time.anchor_time_ms,
            time.anchor_wall_ms,
            time.anchor_boot_ms,
            &*time.boot_id,
            wall,
            time.behind_since_ms
        ];
        self.write(UPSERT, values)
    }

    /// Enters a new start of this instance, ends its earlier ones, and returns the new one's
    /// number.
    ///
    /// # Errors
    /// [`StoreError`] of the changes.
    pub fn incarnation_begin(&self, now_ms: i64) -> Result<i64, StoreError> {
        let number: i64 = self.one(INSERT_INCARNATION, values![self.instance(), now_ms])?;
        self.write(END_EARLIER, values![self.instance(), number, now_ms])?;
        Ok(number)
    }

    /// Whether that start of a gateway has no successor yet.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn incarnation_runs(&self, incarnation: i64) -> Result<bool, StoreError> {
        let runs = self.row(RUNS, values![incarnation], |row| row.get(0))?;
        Ok(runs.unwrap_or(false))
    }

    /// Whether that start of a gateway may charge.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn incarnation_state(&self, incarnation: i64) -> Result<StartState, StoreError> {
        let found = self.row(SELECT_STATE, values![incarnation], |row| {
            Ok(match (row.get(0)?, row.get(1)?) {
                (false, _) => StartState::Ended,
                (true, false) => StartState::OtherProfile,
                (true, true) => StartState::Charges,
            })
        })?;
        Ok(found.unwrap_or(StartState::Ended))
    }
}
