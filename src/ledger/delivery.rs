//! A delivery under way: what was ordered, and how far it has come.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::Ledger;
use super::admit::Further;
use super::queue::Step;
use super::values::Values;
use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::base::party::{KeyId, PersonId};

/// What a requester asks for. Whom it is charged to is not said here: the ledger looks up the
/// person's entities itself, in each transaction anew.
#[derive(Clone, Debug)]
pub struct Order {
    /// Who asks.
    pub person: PersonId,
    /// With which key; without one, in a session.
    pub key: Option<KeyId>,
    /// Which kind of ID.
    pub kind: IdKind,
    /// Of which dataset.
    pub dataset: i64,
    /// Of which of its releases.
    pub release: Arc<str>,
    /// Which of the release's IDs; at least one.
    pub ordinals: Range<u64>,
    /// Which view of the release they are counted in, so that a resumed range can be compared.
    pub view: String,
    /// What those IDs are; asked only where an ID counts once.
    pub values: Arc<dyn Values>,
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was handed over.
    Complete,
    /// Not everything was.
    Broken {
        /// Why, for people.
        reason: String,
    },
}

/// A delivery under way. It ends by [`Ledger::end`]; one that is dropped ends as broken.
#[must_use = "a delivery that is dropped is broken"]
pub struct Delivery {
    pub(super) ledger: Ledger,
    pub(super) further: Further,
    pub(super) has_ceiling: bool,
    pub(super) ended: bool,
}

impl Delivery {
    /// Its number, which the answer names.
    pub fn id(&self) -> DeliveryId {
        self.further.attempt.delivery
    }

    /// Whether somebody who is charged has a ceiling, as of the newest chunk: then chunks are
    /// small, and the socket's buffers should be.
    pub fn has_ceiling(&self) -> bool {
        self.has_ceiling
    }

    /// Which ordinals have no charge yet.
    pub fn rest(&self) -> Range<u64> {
        self.further.rest.clone()
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Delivery").field("id", &self.id()).field("rest", &self.rest()).finish()
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if !self.ended {
            let outcome = Outcome::Broken { reason: "the connection ended".into() };
            self.ledger.push(Step::End { delivery: self.id(), outcome });
        }
    }
}
