//! The start of a ledger: what an earlier gateway left behind is settled, never given back.

use super::queue;
use crate::audit::{self, Leaf};
use crate::base::clock::Clock;
use crate::store::{StoreError, Tx};

/// What deliveries are told that were under way when their gateway stopped.
const REASON: &str = "the gateway stopped";

/// Enters a new incarnation and returns its number.
///
/// Nobody knows which bytes of an open charge arrived, so all of them count, from now on: the
/// earlier gateway is dead, and a byte that it gave to the kernel has left by now or never will.
pub(super) fn begin(tx: &Tx<'_>, clock: &Clock, profile: &str) -> Result<i64, StoreError> {
    if tx.instance().is_empty() {
        let text = "its connection has no instance's name, so nobody could settle its charges";
        return Err(StoreError::Unfit(text.into()));
    }
    let now_ms = super::clock::move_on(tx, clock)?;
    let incarnation = tx.incarnation_begin(now_ms)?;
    let charges = tx.open_charges_take_before(incarnation)?;
    for (meter_id, held_ids) in tx.holds_take_before(incarnation)? {
        tx.meter_lower(meter_id, 0, held_ids)?;
    }
    let broken = tx.deliveries_end_before(incarnation, REASON, now_ms)?;
    let leaf = Leaf::LedgerStarted { incarnation, broken, profile: profile.to_owned() };
    audit::append(tx, now_ms, &leaf)?;
    queue::settle(tx, &charges, now_ms)?;
    Ok(incarnation)
}
