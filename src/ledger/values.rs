//! Where the ledger learns which IDs an order is about; how they are kept or sent is not here.

use std::fmt;
use std::io;
use std::ops::Range;

/// The IDs of an order, by ordinal, for the ledger alone: it has to know an ID to tell whether the
/// recipient has it. Nothing that is read here is ever sent; what is sent needs a grant.
pub trait Values: fmt::Debug + Send + Sync {
    /// The IDs with those ordinals, in their order, without what is left out. Called on threads
    /// that may wait.
    ///
    /// # Errors
    /// What the system said: then nothing is granted.
    fn read(&self, ordinals: Range<u64>) -> io::Result<Vec<u64>>;
}

/// Elements of a set, ascending, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Elements(Vec<u64>);

impl Elements {
    pub(super) fn of(mut values: Vec<u64>) -> Elements {
        values.sort_unstable();
        values.dedup();
        Elements(values)
    }

    pub(super) fn as_slice(&self) -> &[u64] {
        &self.0
    }
}
