//! What callers do not wait for: settled, released and ended, in batches.
//!
//! The story: a caller puts a step into the queue and goes on. If no drain is under way, one is
//! handed to the store's writer, which takes all that has gathered when its turn comes: a busy
//! ledger settles many chunks with one leaf and one bucket. The writer serves in order, so an
//! admission that is asked for after a step sees what the step freed. A drain that fails puts its
//! steps back, and the next caller sends them on their way again; that they are lost with the
//! process is allowed, because a charge that is never settled counts in full until the successor
//! settles it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::delivery::Outcome;
use super::grant::Attempt;
use super::{Ledger, clock, distinct};
use crate::audit::{self, AttemptName, Leaf};
use crate::base::delivery::DeliveryId;
use crate::base::party::PersonId;
use crate::policy::window::minute_of;
use crate::store::{OpenChargeRow, StoreError, Tx};

/// How many attempts one leaf names at most: with 36 + 10 digits and punctuation each, they stay
/// below the longest leaf.
pub(super) const ATTEMPTS_PER_LEAF_MAX: usize = 1_000;

/// Something that is over.
#[derive(Debug)]
pub(super) enum Step {
    /// The chunk's bytes have left.
    Settle(Attempt),
    /// No byte of the chunk was sent.
    Release(Attempt),
    /// What a delivery was stripped from has been read to its end.
    Report { delivery: DeliveryId, report: String },
    /// The delivery is over.
    End { delivery: DeliveryId, outcome: Outcome },
}

/// The steps that wait.
#[derive(Default)]
pub(super) struct Queue(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    steps: Vec<Step>,
    /// Whether a drain is on its way that has not taken the steps yet.
    is_draining: bool,
    /// Why the last drain failed, if it did.
    failure: Option<StoreError>,
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().expect("nobody panics while they hold the queue")
    }
}

impl Ledger {
    /// Puts a step into the queue.
    pub(super) fn push(&self, step: Step) {
        self.0.queue.waiting().steps.push(step);
        self.drain();
    }

    /// Sends the steps that wait on their way, if they are not.
    pub(super) fn drain(&self) {
        let mut waiting = self.0.queue.waiting();
        if waiting.is_draining || waiting.steps.is_empty() {
            return;
        }
        // The drain is handed over before anybody else can look into the queue: whoever sees that
        // it is on its way, and then asks for an admission, comes after it.
        waiting.is_draining = true;
        let taken: Arc<Mutex<Vec<Step>>> = Arc::default();
        let (ledger, steps) = (self.clone(), Arc::clone(&taken));
        let work = move |tx: &Tx<'_>| -> Result<(), StoreError> {
            let mut steps = steps.lock().expect("the writer is alone");
            *steps = ledger.take();
            carry_out(tx, &ledger, &steps)
        };
        let ledger = self.clone();
        self.0.store.write_then(work, move |result: Result<(), StoreError>| {
            let steps = std::mem::take(&mut *taken.lock().expect("the writer is alone"));
            ledger.drained(steps, result);
        });
    }

    fn take(&self) -> Vec<Step> {
        let mut waiting = self.0.queue.waiting();
        waiting.is_draining = false;
        std::mem::take(&mut waiting.steps)
    }

    fn drained(&self, mut steps: Vec<Step>, result: Result<(), StoreError>) {
        let mut waiting = self.0.queue.waiting();
        match result {
            Err(error) => {
                tracing::error!(%error, steps = steps.len(), "could not settle; it is tried again");
                steps.append(&mut waiting.steps);
                waiting.steps = steps;
                waiting.is_draining = false;
                waiting.failure = Some(error);
            }
            Ok(()) if waiting.steps.is_empty() => waiting.failure = None,
            // What an earlier drain put back waits for the next one.
            Ok(()) => {}
        }
    }

    /// Why the steps that were drained last are still waiting, if they are.
    pub(super) fn drain_failure(&self) -> Option<StoreError> {
        self.0.queue.waiting().failure.clone()
    }
}

fn carry_out(tx: &Tx<'_>, ledger: &Ledger, steps: &[Step]) -> Result<(), StoreError> {
    if !tx.incarnation_runs(ledger.incarnation())? {
        tracing::error!(steps = steps.len(), "a later gateway has settled these: forgotten");
        return Ok(());
    }
    let now_ms = clock::settling_ms(tx, ledger)?;
    let mut settled = Vec::new();
    for step in steps {
        match step {
            Step::Settle(Attempt { delivery, number }) => {
                settled.extend(tx.open_charges_take(*delivery, *number, ledger.incarnation())?);
            }
            Step::Release(attempt) => release(tx, *attempt, ledger.incarnation(), now_ms)?,
            Step::Report { delivery, report } => tx.delivery_set_report(*delivery, report)?,
            Step::End { delivery, outcome } => {
                let reason = match outcome {
                    Outcome::Complete => None,
                    Outcome::Broken { reason } => Some(reason.as_str()),
                };
                tx.delivery_end(*delivery, reason, now_ms)?;
                for (meter_id, held_ids) in tx.holds_take(*delivery)? {
                    tx.meter_lower(meter_id, 0, held_ids)?;
                }
            }
        }
    }
    settle(tx, &settled, now_ms)
}

/// Puts charges that are open no more into the bucket of `now_ms`: what is live stays the same.
pub(super) fn settle(
    tx: &Tx<'_>,
    charges: &[OpenChargeRow],
    now_ms: i64,
) -> Result<(), StoreError> {
    let mut buckets: BTreeMap<(i64, PersonId), u64> = BTreeMap::new();
    let mut attempts = Vec::with_capacity(charges.len());
    for charge in charges {
        let counted_ids = match charge.seen_charge {
            Some(seen) => distinct::settle(tx, seen, minute_of(now_ms))?,
            None => charge.ids,
        };
        *buckets.entry((charge.meter_id, charge.person)).or_default() += counted_ids;
        attempts.push(AttemptName(charge.delivery, charge.attempt));
    }
    // Later charges may have taken over all that the settled ones had.
    for ((meter_id, person), ids) in buckets.into_iter().filter(|(_, ids)| *ids > 0) {
        tx.bucket_add(meter_id, minute_of(now_ms), person, ids)?;
    }
    // An attempt has a charge for each recipient, and is named once.
    attempts.sort_unstable();
    attempts.dedup();
    for attempts in attempts.chunks(ATTEMPTS_PER_LEAF_MAX) {
        audit::append(tx, now_ms, &Leaf::Settled { attempts: attempts.to_vec() })?;
    }
    Ok(())
}

fn release(tx: &Tx<'_>, attempt: Attempt, incarnation: i64, now_ms: i64) -> Result<(), StoreError> {
    let Attempt { delivery, number } = attempt;
    let charges = tx.open_charges_take(delivery, number, incarnation)?;
    let Some(first) = charges.first() else { return Ok(()) };
    tx.delivery_release(delivery, first.ids)?;
    for charge in &charges {
        let counted_ids = match charge.seen_charge {
            Some(seen) => distinct::give_back(tx, seen)?,
            None => charge.ids,
        };
        tx.meter_lower(charge.meter_id, counted_ids, 0)?;
    }
    let leaf = Leaf::Released { attempt: AttemptName(delivery, number) };
    audit::append(tx, now_ms, &leaf)?;
    Ok(())
}
