//! The rows of charges that come to a meter without a delivery of its own, and what they are
//! carried from; when one is right is decided by `ledger`.

use crate::base::ids::IdKind;
use crate::base::party::PersonId;
use crate::store::value::{Row, values};
use crate::store::{OpenChargeRow, StoreError, Tx};

/// Settled IDs of one person in one minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonBucketRow {
    /// Minutes since 1970.
    pub minute: i64,
    /// Who asked.
    pub person: PersonId,
    /// How many IDs.
    pub ids: u64,
}

const INSERT: &str = "
    INSERT INTO carries (meter_id, at_ms, ids, source, is_open) VALUES (?1, ?2, ?3, ?4, 1)";
const CLOSE: &str = "UPDATE carries SET is_open = 0 WHERE meter_id = ?1 AND is_open = 1";
const RAISE: &str = "UPDATE meters SET live_ids = live_ids + ?2 WHERE id = ?1";
const BUCKETS_OF_METER: &str = "
    SELECT minute, person_id, ids FROM buckets WHERE meter_id = ?1 ORDER BY minute, person_id";
const OPEN_OF_METER: &str = "
    SELECT delivery_id, attempt, meter_id, person_id, ids, seen_charge_id
    FROM open_charges WHERE meter_id = ?1 ORDER BY delivery_id, attempt";
// The charge of another meter once more, under the same opener and on the same basis.
const COPY_OPEN: &str = "
    INSERT INTO open_charges
        (delivery_id, attempt, meter_id, incarnation_id, person_id, ids, basis)
    SELECT delivery_id, attempt, ?4, incarnation_id, person_id, ids, basis
    FROM open_charges WHERE delivery_id = ?1 AND attempt = ?2 AND meter_id = ?3";
const METERS_OF_PERSON: &str = "
    SELECT DISTINCT m.id FROM memberships s
    JOIN meters m ON m.recipient = 'entity:' || s.entity_id
    WHERE s.person_id = ?1 AND m.unit = ?2
    ORDER BY m.id";

impl Tx<'_> {
    /// Raises what is live at a meter by IDs that come from `source`, above its ceiling if need
    /// be. The caller writes the buckets or open charges that they are in.
    ///
    /// # Errors
    /// [`StoreError`] of the changes.
    pub fn carry(
        &self,
        meter_id: i64,
        ids: u64,
        source: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(INSERT, values![meter_id, now_ms, ids, source])?;
        self.write(RAISE, values![meter_id, ids])?;
        self.write(CLOSE, values![meter_id])?;
        Ok(())
    }

    /// The settled charges of a meter, person by person, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn buckets_by_person(&self, meter_id: i64) -> Result<Vec<PersonBucketRow>, StoreError> {
        self.rows(BUCKETS_OF_METER, values![meter_id], bucket)
    }

    /// The open charges of a meter.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn open_charges_of_meter(&self, meter_id: i64) -> Result<Vec<OpenChargeRow>, StoreError> {
        self.rows(OPEN_OF_METER, values![meter_id], super::open_charge::charge)
    }

    /// Opens a charge at `target` as well; the caller raises that meter.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn open_charge_copy(&self, charge: &OpenChargeRow, target: i64) -> Result<(), StoreError> {
        let OpenChargeRow { delivery, attempt, meter_id, .. } = charge;
        self.write(COPY_OPEN, values![delivery.as_bytes(), *attempt, *meter_id, target])?;
        Ok(())
    }

    /// The meters for IDs of `kind` of every entity that a person belongs or ever belonged to.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn meters_of_person(&self, person: PersonId, kind: IdKind) -> Result<Vec<i64>, StoreError> {
        self.rows(METERS_OF_PERSON, values![person, kind.word()], |row| row.get(0))
    }
}

fn bucket(row: &Row<'_>) -> Result<PersonBucketRow, StoreError> {
    let person = PersonId(row.get(1)?);
    Ok(PersonBucketRow { minute: row.get(0)?, person, ids: row.get(2)? })
}
