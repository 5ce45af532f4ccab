//! The end of a delivery: what is open is settled or given back, what is held is free.

use std::io;

use tokio::task::JoinHandle;

use super::frame::Frame;
use super::passage::Step;
use super::{Account, CONNECTION_ENDED, Deliverer, Loaded};
use crate::ledger::Outcome;

/// What remains to be done for a delivery when its connection asks for nothing more.
pub(super) struct Closing {
    pub(super) deliverer: Deliverer,
    pub(super) step: Step,
    pub(super) reading: Option<JoinHandle<io::Result<Frame>>>,
    pub(super) account: Account,
    pub(super) outcome: Outcome,
}

impl Closing {
    pub(super) async fn run(self) {
        if let Some(reading) = self.reading {
            // It shares its chunk; its bytes are of no use any more.
            let _ = reading.await;
        }
        let (course, untaken) = match self.step {
            Step::Opened(course, untaken) => (course, untaken),
            Step::Sending(course) | Step::Done(course) => (course, None),
            Step::Opening(opening, waits) => {
                drop(waits);
                let (course, answer) = opening.await.expect("the ledger answers");
                (course, answer.ok().flatten())
            }
            Step::Between => unreachable!("a step is exchanged within one call"),
        };
        // Whatever still makes parcels ends with this.
        drop(course.parcels);
        let delivery = course.delivery;
        let ledger = &self.deliverer.ledger;
        if let Some(Loaded { granted, .. }) = untaken {
            // Nobody has read a byte of it.
            ledger.release(granted);
        }
        if matches!(self.outcome, Outcome::Complete) {
            // Nothing is held any more, so nobody waits for the end.
            let outcome = match self.account.drained().await {
                true => Outcome::Complete,
                false => Outcome::Broken { reason: CONNECTION_ENDED.to_owned() },
            };
            ledger.end(delivery, outcome);
        } else {
            // What is held is freed before anything is waited for: an immediate resume fits.
            ledger.end(delivery, self.outcome);
            self.account.closed().await;
        }
        self.account.close(ledger);
    }
}
