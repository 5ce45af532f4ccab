//! The rows of holds; what a hold is good for is `ledger`'s business.

use rusqlite::OptionalExtension;

use super::Tx;
use crate::base::delivery::DeliveryId;
use crate::policy::Return;
use crate::store::StoreError;

const SELECT: &str = "SELECT ids FROM holds WHERE delivery_id = ?1 AND meter_id = ?2";
const UPSERT: &str = "
    INSERT INTO holds (delivery_id, meter_id, ids, expires_ms) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (delivery_id, meter_id) DO UPDATE SET ids = ?3, expires_ms = ?4";
const DELETE: &str = "DELETE FROM holds WHERE delivery_id = ?1 AND meter_id = ?2";
const SUM_EXPIRED: &str = "
    SELECT coalesce(sum(ids), 0) FROM holds WHERE meter_id = ?1 AND expires_ms <= ?2";
const DELETE_EXPIRED: &str = "DELETE FROM holds WHERE meter_id = ?1 AND expires_ms <= ?2";
const SELECT_OF_METER: &str = "
    SELECT expires_ms, ids FROM holds WHERE meter_id = ?1 AND expires_ms > ?2 ORDER BY expires_ms";
const TAKE_OF_DELIVERY: &str = "DELETE FROM holds WHERE delivery_id = ?1 RETURNING meter_id, ids";
const TAKE_ALL: &str = "DELETE FROM holds RETURNING meter_id, ids";

impl Tx<'_> {
    /// How many IDs are held for `delivery` at that meter.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn hold(&self, delivery: DeliveryId, meter_id: i64) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(SELECT)?;
        let held = statement.query_row((delivery.as_bytes(), meter_id), |row| row.get(0));
        Ok(held.optional()?.unwrap_or(0))
    }

    /// Holds that many IDs for `delivery` until `expires_ms`; 0 ends the hold.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn hold_set(
        &self,
        delivery: DeliveryId,
        meter_id: i64,
        ids: u64,
        expires_ms: i64,
    ) -> Result<(), StoreError> {
        let id = delivery.as_bytes();
        if ids == 0 {
            self.connection.prepare_cached(DELETE)?.execute((id, meter_id))?;
        } else {
            self.connection.prepare_cached(UPSERT)?.execute((id, meter_id, ids, expires_ms))?;
        }
        Ok(())
    }

    /// How many IDs are in holds of that meter that have expired at `now_ms`.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn holds_expired(&self, meter_id: i64, now_ms: i64) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(SUM_EXPIRED)?;
        Ok(statement.query_row((meter_id, now_ms), |row| row.get(0))?)
    }

    /// Removes the holds of that meter that have expired at `now_ms`; the caller takes their IDs
    /// off the meter.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn holds_remove_expired(&self, meter_id: i64, now_ms: i64) -> Result<(), StoreError> {
        self.connection.prepare_cached(DELETE_EXPIRED)?.execute((meter_id, now_ms))?;
        Ok(())
    }

    /// When how much of what is held at that meter comes back, if nobody renews it.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn holds_of_meter(&self, meter_id: i64, now_ms: i64) -> Result<Vec<Return>, StoreError> {
        let mut statement = self.connection.prepare_cached(SELECT_OF_METER)?;
        let rows = statement.query_map((meter_id, now_ms), |row| {
            Ok(Return { at_ms: row.get(0)?, ids: row.get(1)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Removes the holds of `delivery` and returns them by meter; the caller takes them off it.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn holds_take(&self, delivery: DeliveryId) -> Result<Vec<(i64, u64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(TAKE_OF_DELIVERY)?;
        let rows =
            statement.query_map([delivery.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Removes all holds there are and returns them by meter; the caller takes them off it.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn holds_take_all(&self) -> Result<Vec<(i64, u64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(TAKE_ALL)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
