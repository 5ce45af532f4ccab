//! The right to send a chunk of IDs, which only a confirmed charge yields.

use std::ops::Range;
use std::sync::Arc;

use super::Ledger;
use super::queue::Step;
use crate::base::delivery::DeliveryId;
use crate::base::gaps::Gaps;
use crate::base::ids::IdKind;

/// A range of IDs, and what stands for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Which kind of ID.
    pub kind: IdKind,
    /// What says which IDs these are.
    pub content: Content,
    /// Which of the IDs of the release, body or stream, counted from 0.
    pub ordinals: Range<u64>,
    /// Which of them are left out: they are neither charged nor sent.
    pub gaps: Arc<Gaps>,
}

/// What says for ever which IDs a chunk has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The immutable release that they stand in.
    Release(Arc<str>),
    /// The SHA-256 of the bytes that are sent for them.
    Sha256([u8; 32]),
}

impl Chunk {
    /// How many IDs that are.
    pub fn ids(&self) -> u64 {
        self.gaps.ids_kept(&self.ordinals)
    }
}

/// One try to hand over one chunk of one delivery; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Attempt {
    pub(super) delivery: DeliveryId,
    /// Counts the attempts of the delivery from 0.
    pub(super) number: u32,
}

/// A `T` that is charged and may be sent, once.
///
/// It cannot be made or copied outside the ledger, and the encoder takes nothing else, so "send
/// before charge" does not compile:
///
/// ```compile_fail,E0451
/// use hydrant::ledger::{Chunk, Granted};
/// fn forge(chunk: Chunk, real: Granted<Chunk>) -> Granted<Chunk> {
///     Granted { what: chunk, ..real }
/// }
/// ```
///
/// ```compile_fail,E0599
/// fn copy(granted: &hydrant::ledger::Granted<hydrant::ledger::Chunk>) {
///     let _twice = hydrant::ledger::Granted::clone(granted);
/// }
/// ```
///
/// Give it back by [`Ledger::settle`] or [`Ledger::release`]. One that is merely dropped counts in
/// full until the next start of the gateway settles it: nobody knows what became of its bytes.
#[must_use = "a charged chunk counts until it is settled or released"]
#[derive(Debug)]
pub struct Granted<T> {
    what: T,
    attempt: Attempt,
    incarnation: i64,
    given_back: bool,
}

impl Granted<Chunk> {
    /// What may be sent.
    pub fn chunk(&self) -> &Chunk {
        &self.what
    }
}

impl<T> Granted<T> {
    pub(super) fn what(&self) -> &T {
        &self.what
    }

    pub(super) fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// Takes the grant back from its holder.
    ///
    /// # Panics
    /// If another start of the ledger granted it: only the opener settles or releases.
    pub(super) fn give_back(mut self, ledger: &Ledger) -> Attempt {
        assert_eq!(
            self.incarnation,
            ledger.incarnation(),
            "a chunk is given back to the ledger that granted it"
        );
        self.given_back = true;
        self.attempt
    }
}

impl<T> Drop for Granted<T> {
    fn drop(&mut self) {
        if !self.given_back {
            let Attempt { delivery, number } = self.attempt;
            tracing::warn!(%delivery, number, "a charged chunk was dropped: it stays charged");
        }
    }
}

/// A `T` that is charged, on its way to the caller who asked for it.
///
/// If that caller has gone meanwhile, nobody has sent a byte of it, and its charge is given back.
pub(super) struct Unclaimed<T> {
    ledger: Ledger,
    what: Option<T>,
    attempt: Attempt,
}

impl<T> Unclaimed<T> {
    pub(super) fn new(ledger: &Ledger, what: T, attempt: Attempt) -> Unclaimed<T> {
        Unclaimed { ledger: ledger.clone(), what: Some(what), attempt }
    }

    /// Hands it to its caller, after the commit.
    pub(super) fn claim(mut self) -> Granted<T> {
        let what = self.what.take().expect("it is claimed once");
        let (attempt, incarnation) = (self.attempt, self.ledger.incarnation());
        Granted { what, attempt, incarnation, given_back: false }
    }
}

impl<T> Drop for Unclaimed<T> {
    fn drop(&mut self) {
        if self.what.is_some() {
            self.ledger.push(Step::Release(self.attempt));
        }
    }
}
