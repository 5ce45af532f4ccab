//! The start of a ledger: what an earlier gateway left behind is settled, never given back.

use super::{profile, queue};
use crate::audit::{self, Leaf, name};
use crate::base::clock::Clock;
use crate::base::party::Actor;
use crate::policy::Profile;
use crate::store::{OpenChargeRow, Store, StoreError, Tx};

/// What deliveries are told that were under way when their gateway stopped.
const REASON: &str = "the gateway stopped";

/// What they are told when it was retired.
const REASON_RETIRED: &str = "the gateway was retired";

/// What was settled of an instance that never returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retired {
    /// How many IDs were open, at all meters together.
    pub settled_ids: u64,
    /// How many deliveries were under way.
    pub deliveries: u64,
}

/// A start that has taken over from the earlier ones of its instance.
struct Successor {
    incarnation: i64,
    /// What they left open: it is in no bucket yet.
    charges: Vec<OpenChargeRow>,
    /// How many deliveries they left under way.
    broken: u64,
}

/// Enters a new incarnation and returns its number.
///
/// Nobody knows which bytes of an open charge arrived, so all of them count, from now on: the
/// earlier gateway is dead, and a byte that it gave to the kernel has left by now or never will.
pub(super) fn begin(tx: &Tx<'_>, clock: &Clock, profile: &Profile) -> Result<i64, StoreError> {
    if let Some(freeze) = tx.freeze_in_force()? {
        return Err(StoreError::Frozen(freeze.why.into()));
    }
    let now_ms = super::clock::move_on(tx, clock)?;
    profile::require(tx, now_ms, profile)?;
    let Successor { incarnation, charges, broken } = take_over(tx, now_ms, REASON)?;
    let leaf = Leaf::LedgerStarted { incarnation, broken, profile: profile.name.clone() };
    audit::append(tx, now_ms, &leaf)?;
    queue::settle(tx, &charges, now_ms)?;
    Ok(incarnation)
}

/// Settles what the instance that `store` was opened for has left open, and ends its deliveries.
/// That the store has the instance's name is the proof that the instance is not alive.
///
/// # Errors
/// [`StoreError`] of the transaction; [`StoreError::Unfit`] if the store has no name.
pub fn retire(
    store: &Store,
    clock: &Clock,
    actor: &Actor,
    reason: &str,
) -> Result<Retired, StoreError> {
    let (clock, actor, reason) = (clock.clone(), actor.clone(), reason.to_owned());
    store.write_blocking(move |tx| {
        let now_ms = super::clock::move_on(tx, &clock)?;
        let Successor { incarnation, charges, broken } = take_over(tx, now_ms, REASON_RETIRED)?;
        tx.incarnation_retire(incarnation, now_ms, &actor.to_string(), &reason)?;
        let actor = name::of_actor(tx, &actor)?;
        let leaf = Leaf::InstanceRetired { incarnation, broken, actor };
        audit::append_decision(tx, now_ms, &leaf, Some(&reason))?;
        queue::settle(tx, &charges, now_ms)?;
        let settled_ids = charges.iter().map(|charge| charge.ids).sum();
        Ok(Retired { settled_ids, deliveries: broken })
    })
}

fn take_over(tx: &Tx<'_>, now_ms: i64, reason: &str) -> Result<Successor, StoreError> {
    if tx.instance().is_empty() {
        let text = "its connection has no instance's name, so nobody could settle its charges";
        return Err(StoreError::Unfit(text.into()));
    }
    let incarnation = tx.incarnation_begin(now_ms)?;
    let charges = tx.open_charges_take_before(incarnation)?;
    for (meter_id, held_ids) in tx.holds_take_before(incarnation)? {
        tx.meter_lower(meter_id, 0, held_ids)?;
    }
    let broken = tx.deliveries_end_before(incarnation, reason, now_ms)?;
    Ok(Successor { incarnation, charges, broken })
}
