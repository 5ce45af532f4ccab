//! The rows of holds; what a hold is good for is `ledger`'s business.

use crate::base::delivery::DeliveryId;
use crate::policy::Return;
use crate::store::value::values;
use crate::store::{StoreError, Tx};

const SELECT: &str = "SELECT ids FROM holds WHERE delivery_id = ?1 AND meter_id = ?2";
const UPSERT: &str = "
    INSERT INTO holds (delivery_id, meter_id, ids, expires_ms) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (delivery_id, meter_id) DO UPDATE SET ids = ?3, expires_ms = ?4";
const DELETE: &str = "DELETE FROM holds WHERE delivery_id = ?1 AND meter_id = ?2";
const SUM_EXPIRED: &str = "
    SELECT CAST(coalesce(sum(ids), 0) AS BIGINT) FROM holds
    WHERE meter_id = ?1 AND expires_ms <= ?2";
const DELETE_EXPIRED: &str = "DELETE FROM holds WHERE meter_id = ?1 AND expires_ms <= ?2";
const SELECT_OF_METER: &str = "
    SELECT expires_ms, ids FROM holds WHERE meter_id = ?1 AND expires_ms > ?2 ORDER BY expires_ms";
const TAKE_OF_DELIVERY: &str = "DELETE FROM holds WHERE delivery_id = ?1 RETURNING meter_id, ids";
const TAKE_BEFORE: &str = "
    DELETE FROM holds
    WHERE delivery_id IN (
        SELECT d.id FROM deliveries d
        WHERE d.state = 'running'
          AND d.incarnation_id IN (SELECT id FROM incarnations WHERE instance = ?1 AND id < ?2))
    RETURNING meter_id, ids";

impl Tx<'_> {
    /// How many IDs are held for `delivery` at that meter.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn hold(&self, delivery: DeliveryId, meter_id: i64) -> Result<u64, StoreError> {
        let held = self.row(SELECT, values![delivery.as_bytes(), meter_id], |row| row.get(0))?;
        Ok(held.unwrap_or(0))
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
            self.write(DELETE, values![id, meter_id])
        } else {
            self.write(UPSERT, values![id, meter_id, ids, expires_ms])
        }
    }

    /// How many IDs are in holds of that meter that have expired at `now_ms`.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn holds_expired(&self, meter_id: i64, now_ms: i64) -> Result<u64, StoreError> {
        self.one(SUM_EXPIRED, values![meter_id, now_ms])
    }

    /// Removes the holds of that meter that have expired at `now_ms`; the caller takes their IDs
    /// off the meter.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn holds_remove_expired(&self, meter_id: i64, now_ms: i64) -> Result<(), StoreError> {
        self.write(DELETE_EXPIRED, values![meter_id, now_ms])
    }

    /// When how much of what is held at that meter comes back, if nobody renews it.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn holds_of_meter(&self, meter_id: i64, now_ms: i64) -> Result<Vec<Return>, StoreError> {
        self.rows(SELECT_OF_METER, values![meter_id, now_ms], |row| {
            Ok(Return { at_ms: row.get(0)?, ids: row.get(1)? })
        })
    }

    /// Removes the holds of `delivery` and returns them by meter; the caller takes them off it.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn holds_take(&self, delivery: DeliveryId) -> Result<Vec<(i64, u64)>, StoreError> {
        self.rows(TAKE_OF_DELIVERY, values![delivery.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    /// Removes the holds of what starts of this instance before `incarnation` left under way, and
    /// returns them by meter; the caller takes them off it, and ends the deliveries afterwards.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn holds_take_before(&self, incarnation: i64) -> Result<Vec<(i64, u64)>, StoreError> {
        let values = values![self.instance(), incarnation];
        self.rows(TAKE_BEFORE, values, |row| Ok((row.get(0)?, row.get(1)?)))
    }
}
