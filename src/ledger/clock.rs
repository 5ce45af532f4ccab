//! Ledger time inside a transaction: read after the lock, moved on, written down.

use super::Shared;
use crate::audit::{self, Leaf, name};
use crate::base::clock::{Clock, Reading};
use crate::base::party::Actor;
use crate::policy::LedgerTime;
use crate::store::{StoreError, Tx};

/// The ledger time of this transaction, for a gateway that no other has taken over from.
///
/// The store's writer runs one transaction at a time, so the clock is read under its lock.
pub(super) fn now_ms(tx: &Tx<'_>, shared: &Shared) -> Result<i64, StoreError> {
    if !tx.incarnation_runs(shared.incarnation)? {
        let text = "a later gateway has settled what this one left open";
        return Err(StoreError::Unfit(text.into()));
    }
    move_on(tx, &shared.clock)
}

/// What the clocks that count say now: a database server has a wall clock for all its gateways.
fn read(tx: &Tx<'_>, clock: &Clock) -> Result<Reading, StoreError> {
    Ok(tx.wall_ms()?.map_or_else(|| clock.read(), |wall_ms| clock.read_beside(wall_ms)))
}

/// Moves ledger time on, in milliseconds UTC.
///
/// # Errors
/// [`StoreError`] of the look or the change.
pub(super) fn move_on(tx: &Tx<'_>, clock: &Clock) -> Result<i64, StoreError> {
    let reading = &read(tx, clock)?;
    let stored = tx.ledger_time()?;
    let (time, alarm) = match &stored {
        Some(stored) => stored.advance(reading),
        None => (LedgerTime::first(reading), None),
    };
    if let Some(alarm) = alarm {
        tracing::error!(%alarm, time_ms = time.time_ms, "look at this machine's clock");
    }
    if stored.as_ref() != Some(&time) {
        tx.ledger_time_set(&time)?;
    }
    Ok(time.time_ms)
}

/// The ledger time by the last commit, for those who only look.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn time_ms(tx: &Tx<'_>, clock: &Clock) -> Result<i64, StoreError> {
    let reading = &read(tx, clock)?;
    let stored = tx.ledger_time()?;
    Ok(stored.map_or(reading.wall_ms, |stored| stored.advance(reading).0.time_ms))
}

/// Believes the wall clock of this boot from now on, because `actor` says that it is right, and
/// returns the ledger time. It does not go back: a clock that is behind changes nothing.
///
/// # Errors
/// [`StoreError`] of the look or the change.
pub fn accept_clock(tx: &Tx<'_>, clock: &Clock, actor: &Actor) -> Result<i64, StoreError> {
    let from_ms = move_on(tx, clock)?;
    let stored = tx.ledger_time()?.expect("it was written a statement ago");
    let (accepted, _) = stored.accept(&read(tx, clock)?);
    tx.ledger_time_set(&accepted)?;
    let to_ms = accepted.time_ms;
    let leaf = Leaf::LedgerClockAccepted { from_ms, to_ms, actor: name::of_actor(tx, actor)? };
    audit::append(tx, to_ms, &leaf)?;
    Ok(to_ms)
}
