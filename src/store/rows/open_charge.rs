//! The rows of open charges: what may be under way to a recipient and counts until it is settled.

use crate::base::delivery::DeliveryId;
use crate::base::party::PersonId;
use crate::policy::Basis;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One charge of one attempt to hand over a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenChargeRow {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The attempt's number within the delivery, from 0.
    pub attempt: u32,
    /// The meter that is charged.
    pub meter_id: i64,
    /// Who asked.
    pub person: PersonId,
    /// How many IDs, or objects, were granted.
    pub ids: u64,
    /// The charge in the set of what the recipient has, if it is in it; if not, all IDs count.
    pub seen_charge: Option<i64>,
}

const INSERT: &str = "
    INSERT INTO open_charges
        (delivery_id, attempt, meter_id, incarnation_id, person_id, ids, basis, seen_charge_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const TAKE: &str = "
    DELETE FROM open_charges WHERE delivery_id = ?1 AND attempt = ?2 AND incarnation_id = ?3
    RETURNING delivery_id, attempt, meter_id, person_id, ids, seen_charge_id";
const TAKE_ANY: &str = "
    DELETE FROM open_charges WHERE delivery_id = ?1 AND attempt = ?2
    RETURNING delivery_id, attempt, meter_id, person_id, ids, seen_charge_id";
const TAKE_EARLIER: &str = "
    DELETE FROM open_charges
    WHERE incarnation_id IN (SELECT id FROM incarnations WHERE instance = ?1 AND id < ?2)
    RETURNING delivery_id, attempt, meter_id, person_id, ids, seen_charge_id";

impl Tx<'_> {
    /// Writes a charge that `incarnation` opens.
    ///
    /// # Errors
    /// [`StoreError`] of the change; that the attempt was used before is one.
    pub fn open_charge_add(
        &self,
        charge: &OpenChargeRow,
        incarnation: i64,
        basis: Basis,
    ) -> Result<(), StoreError> {
        let &OpenChargeRow { delivery, attempt, meter_id, person, ids, seen_charge } = charge;
        let basis = basis.to_string();
        self.change(
            INSERT,
            values![
                delivery.as_bytes(),
                attempt,
                meter_id,
                incarnation,
                person,
                ids,
                &basis,
                seen_charge
            ],
        )?;
        Ok(())
    }

    /// Removes the charges of an attempt that `incarnation` opened, and returns them; none if they
    /// are gone already or somebody else's. Their IDs are still live: the caller puts them into
    /// buckets or takes them off.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn open_charges_take(
        &self,
        delivery: DeliveryId,
        attempt: u32,
        incarnation: i64,
    ) -> Result<Vec<OpenChargeRow>, StoreError> {
        self.rows(TAKE, values![delivery.as_bytes(), attempt, incarnation], charge)
    }

    /// As [`Tx::open_charges_take`], whoever opened it: only for a thaw, which nobody survives.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn open_charges_take_any(
        &self,
        delivery: DeliveryId,
        attempt: u32,
    ) -> Result<Vec<OpenChargeRow>, StoreError> {
        self.rows(TAKE_ANY, values![delivery.as_bytes(), attempt], charge)
    }

    /// As [`Tx::open_charges_take`], of every attempt that a start of this instance
    /// before `incarnation` opened.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn open_charges_take_before(
        &self,
        incarnation: i64,
    ) -> Result<Vec<OpenChargeRow>, StoreError> {
        self.rows(TAKE_EARLIER, values![self.instance(), incarnation], charge)
    }
}

pub(super) fn charge(row: &Row<'_>) -> Result<OpenChargeRow, StoreError> {
    Ok(OpenChargeRow {
        delivery: DeliveryId::from_bytes(row.get(0)?),
        attempt: row.get(1)?,
        meter_id: row.get(2)?,
        person: PersonId(row.get(3)?),
        ids: row.get(4)?,
        seen_charge: row.get(5)?,
    })
}
