//! Ledger time inside a transaction: read after the lock, moved on, written down.

use super::Ledger;
use crate::audit::{self, Leaf, name};
use crate::base::clock::{Clock, Reading};
use crate::base::party::Actor;
use crate::policy::LedgerTime;
use crate::policy::time::{Advanced, Leap};
use crate::policy::window::minute_of;
use crate::store::{StartState, StoreError, Tx};

/// The ledger time of this transaction, for a gateway that no other has taken over from.
///
/// The store's writer runs one transaction at a time, so the clock is read under its lock.
pub(super) fn now_ms(tx: &Tx<'_>, ledger: &Ledger) -> Result<i64, StoreError> {
    let text = match tx.incarnation_state(ledger.incarnation())? {
        StartState::Charges => return settling_ms(tx, ledger),
        StartState::Ended => "a later gateway has settled what this one left open",
        StartState::OtherProfile => {
            "another profile was put in force since this gateway started: start it again with \
             settings that name that profile"
        }
    };
    Err(StoreError::Unfit(text.into()))
}

/// The ledger time of a transaction that charges nothing: what was sent is settled whatever
/// profile is in force meanwhile.
pub(super) fn settling_ms(tx: &Tx<'_>, ledger: &Ledger) -> Result<i64, StoreError> {
    match tx.freeze_in_force()? {
        Some(freeze) => Err(StoreError::Frozen(freeze.why.into())),
        None => move_on(tx, &ledger.0.clock),
    }
}

/// What the clocks that count say now: a database server has a wall clock for all its gateways.
fn read(tx: &Tx<'_>, clock: &Clock) -> Result<Reading, StoreError> {
    Ok(tx.wall_ms()?.map_or_else(|| clock.read(), |wall_ms| clock.read_beside(wall_ms)))
}

/// What ledger time becomes now; and the row that is there, if there is one.
fn look(tx: &Tx<'_>, clock: &Clock) -> Result<(Advanced, Option<LedgerTime>), StoreError> {
    let reading = read(tx, clock)?;
    let stored = tx.ledger_time()?;
    let others_ms = tx.ledger_time_of_others()?;
    let advanced = match (&stored, others_ms) {
        (Some(stored), others_ms) => stored.advance(&reading, others_ms),
        // Who has never read a clock goes on from the others as after a new boot.
        (None, Some(others_ms)) => LedgerTime::of_another_boot(others_ms).advance(&reading, None),
        (None, None) => Advanced { time: LedgerTime::first(&reading), alarm: None, leap: None },
    };
    Ok((advanced, stored))
}

/// Moves ledger time on, in milliseconds UTC.
///
/// # Errors
/// [`StoreError`] of the look or the change.
pub(super) fn move_on(tx: &Tx<'_>, clock: &Clock) -> Result<i64, StoreError> {
    let (advanced, stored) = look(tx, clock)?;
    write(tx, &advanced, stored.as_ref())?;
    Ok(advanced.time.time_ms)
}

fn write(tx: &Tx<'_>, advanced: &Advanced, stored: Option<&LedgerTime>) -> Result<(), StoreError> {
    let Advanced { time, alarm, leap } = advanced;
    if let Some(alarm) = alarm {
        tracing::error!(%alarm, time_ms = time.time_ms, "look at this machine's clock");
    }
    if let Some(Leap { since_ms, by_ms }) = leap {
        // What was settled while the time was behind counts from when it really left. A minute
        // more: two that are put together must not leave before the later of them.
        let (since, by) = (minute_of(*since_ms), minute_of(*by_ms) + 1);
        tx.buckets_put_forward(since, by)?;
        audit::append(tx, time.time_ms, &Leaf::LedgerTimeLeapt { since, by })?;
        tracing::warn!(by_ms, "ledger time was behind, and so was what was settled meanwhile");
    }
    if stored != Some(time) {
        tx.ledger_time_set(time)?;
    }
    Ok(())
}

/// The ledger time by the last commit, for those who only look.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn time_ms(tx: &Tx<'_>, clock: &Clock) -> Result<i64, StoreError> {
    Ok(look(tx, clock)?.0.time.time_ms)
}

/// Believes the wall clock of this boot from now on, because `actor` says that it is right, and
/// returns the ledger time. It does not go back: a clock that is behind changes nothing.
///
/// # Errors
/// [`StoreError`] of the look or the change.
pub fn accept_clock(
    tx: &Tx<'_>,
    clock: &Clock,
    actor: &Actor,
    reason: &str,
) -> Result<i64, StoreError> {
    let from_ms = move_on(tx, clock)?;
    let stored = tx.ledger_time()?.expect("it was written a statement ago");
    let mut accepted = stored.accept(&read(tx, clock)?);
    if let (Some(leap), Some(_)) = (&mut accepted.leap, tx.ledger_time_of_others()?) {
        leap.since_ms = i64::MIN;
    }
    write(tx, &accepted, Some(&stored))?;
    let to_ms = accepted.time.time_ms;
    let leaf = Leaf::LedgerClockAccepted { from_ms, to_ms, actor: name::of_actor(tx, actor)? };
    audit::append_decision(tx, to_ms, &leaf, Some(reason))?;
    Ok(to_ms)
}
