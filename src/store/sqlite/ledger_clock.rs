//! The rows of ledger time and of the gateway's starts; what a reading means is `policy`'s.

use rusqlite::OptionalExtension;

use super::Tx;
use crate::policy::LedgerTime;
use crate::policy::time::Wall;
use crate::store::StoreError;

const SELECT: &str = "
    SELECT time_ms, anchor_time_ms, anchor_wall_ms, anchor_boot_ms, boot_id, wall
    FROM ledger_clock WHERE id = 1";
const UPSERT: &str = "
    INSERT INTO ledger_clock
        (id, time_ms, anchor_time_ms, anchor_wall_ms, anchor_boot_ms, boot_id, wall)
    VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (id) DO UPDATE SET
        time_ms = ?1, anchor_time_ms = ?2, anchor_wall_ms = ?3, anchor_boot_ms = ?4,
        boot_id = ?5, wall = ?6";
const INSERT_INCARNATION: &str = "INSERT INTO incarnations (started_ms) VALUES (?1) RETURNING id";
const END_EARLIER: &str = "
    UPDATE incarnations SET ended_ms = ?2 WHERE id < ?1 AND ended_ms IS NULL";
const RUNS: &str = "SELECT ended_ms IS NULL FROM incarnations WHERE id = ?1";

impl Tx<'_> {
    /// The row of ledger time, if a ledger was ever started.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn ledger_time(&self) -> Result<Option<LedgerTime>, StoreError> {
        let mut statement = self.connection.prepare_cached(SELECT)?;
        let time = statement.query_row([], |row| {
            let boot_id: String = row.get(4)?;
            let wall: String = row.get(5)?;
            Ok(LedgerTime {
                time_ms: row.get(0)?,
                anchor_time_ms: row.get(1)?,
                anchor_wall_ms: row.get(2)?,
                anchor_boot_ms: row.get(3)?,
                boot_id: boot_id.into(),
                wall: if wall == "believed" { Wall::Believed } else { Wall::Doubted },
            })
        });
        Ok(time.optional()?)
    }

    /// Writes the row of ledger time.
    ///
    /// # Errors
    /// [`StoreError`] of the change; that the time would go back is one.
    pub fn ledger_time_set(&self, time: &LedgerTime) -> Result<(), StoreError> {
        let wall = match time.wall {
            Wall::Believed => "believed",
            Wall::Doubted => "doubted",
        };
        self.connection.prepare_cached(UPSERT)?.execute((
            time.time_ms,
            time.anchor_time_ms,
            time.anchor_wall_ms,
            time.anchor_boot_ms,
            &*time.boot_id,
            wall,
        ))?;
        Ok(())
    }

    /// Enters a new start of a gateway, ends all earlier ones, and returns the new one's number.
    ///
    /// # Errors
    /// [`StoreError`] of the changes.
    pub fn incarnation_begin(&self, now_ms: i64) -> Result<i64, StoreError> {
        let number: i64 =
            self.connection.query_row(INSERT_INCARNATION, [now_ms], |row| row.get(0))?;
        self.connection.execute(END_EARLIER, (number, now_ms))?;
        Ok(number)
    }

    /// Whether that start of a gateway has no successor yet.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn incarnation_runs(&self, incarnation: i64) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(RUNS)?;
        Ok(statement.query_row([incarnation], |row| row.get(0)).optional()?.unwrap_or(false))
    }
}
