//! The parcels of one delivery, in order, however they are made; who pays for them is not said.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::stream::{Outflow, Said};
use super::{Body, Report, Sealed, StripError};
use crate::ledger::Values;

/// The parcels of one delivery, in order.
#[derive(Debug)]
pub struct Parcels {
    supply: Supply,
    /// The ordinal of the first ID of the first parcel.
    first: u64,
    /// The version of the removals that the IDs are without.
    removals: i64,
    report: Option<Report>,
    /// What was taken and put back, the next one last.
    put_back: Vec<Sealed>,
}

#[derive(Debug)]
enum Supply {
    /// All is counted.
    Body { body: Body, next: u64 },
    /// One parcel is held back until the next one is whole or the source has ended as it should:
    /// so a source that breaks off, or turns out to be wrong, never looks complete.
    Stream { outflow: Outflow, held: Option<Sealed> },
}

impl Parcels {
    /// The IDs of a body.
    pub fn of_body(body: Body) -> Parcels {
        let (report, removals) = (Some(body.report().clone()), body.removals());
        let supply = Supply::Body { body, next: 0 };
        Parcels { supply, first: 0, removals, report, put_back: Vec::new() }
    }

    pub(super) fn of_stream(outflow: Outflow, first: u64, removals: i64) -> Parcels {
        let supply = Supply::Stream { outflow, held: None };
        Parcels { supply, first, removals, report: None, put_back: Vec::new() }
    }

    /// The version of the removals that the IDs are without.
    pub fn removals(&self) -> i64 {
        self.removals
    }

    /// How many IDs there are, if they are counted.
    pub fn ids(&self) -> Option<u64> {
        match &self.supply {
            Supply::Body { body, .. } => Some(body.ids()),
            Supply::Stream { .. } => None,
        }
    }

    /// How many bytes all of them take, if they are counted.
    pub fn text_bytes(&self) -> Option<u64> {
        match &self.supply {
            Supply::Body { body, .. } => Some(body.text_bytes()),
            Supply::Stream { .. } => None,
        }
    }

    /// What all the IDs are, if they are counted; for the ledger alone.
    pub fn values(&self) -> Option<Arc<dyn Values>> {
        match &self.supply {
            Supply::Body { body, .. } => Some(Arc::new(body.clone())),
            Supply::Stream { .. } => None,
        }
    }

    /// The ordinal of the first ID of the first parcel.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// What was read and what fell out, as soon as that is known; once.
    pub fn take_report(&mut self) -> Option<Report> {
        self.report.take()
    }

    /// Puts a parcel back, to be the next one.
    pub fn put_back(&mut self, sealed: Sealed) {
        self.put_back.push(sealed);
    }

    /// The next parcel, of at most `ids_max` IDs, which never grows smaller; `None` at the end.
    ///
    /// # Errors
    /// [`StripError`]: there will be no more, and these were not all.
    pub async fn next(&mut self, ids_max: u64) -> Result<Option<Sealed>, StripError> {
        if let Some(sealed) = self.put_back.pop() {
            return Ok(Some(sealed));
        }
        match &mut self.supply {
            Supply::Body { body, next } => {
                let (read, first) = (body.clone(), *next);
                let sealed = tokio::task::spawn_blocking(move || read.seal(first, ids_max)).await;
                let sealed = sealed.map_err(|panic| io::Error::other(panic.to_string())).flatten();
                let sealed = sealed.map_err(StripError::Spool)?;
                *next += sealed.as_ref().map_or(0, Sealed::ids);
                Ok(sealed)
            }
            Supply::Stream { outflow, held } => {
                outflow.ids_max.store(ids_max, Ordering::Relaxed);
                loop {
                    match outflow.said.recv().await {
                        Some(Said::Parcel(sealed)) => {
                            if let Some(whole) = held.replace(sealed) {
                                return Ok(Some(whole));
                            }
                        }
                        Some(Said::Ended(ended)) => {
                            self.report = Some(ended?);
                            return Ok(held.take());
                        }
                        // The end was told before.
                        None => return Ok(None),
                    }
                }
            }
        }
    }
}
