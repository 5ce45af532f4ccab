//! Where the objects of a file come from: what is selected of a release, and its records in the
//! operator's own sources, or what the platform answers. Who may have them, and what is written of
//! them, is not known here.
//!
//! # The story
//!
//! A [`Selection`] says what somebody wants. It is resolved to *candidates*: ordinals of a release,
//! ascending, with their IDs. What is removed falls out before anything is read. The private column
//! of places tells where the record of each candidate lies ([`Stock`]); records are read in the
//! order of their places, which is that of the ordinals, in chunks: near ones with one read, and
//! several chunks at a time by two threads. Each record becomes an object or a reason why not
//! ([`crate::export::cover::LeftOut`]), and the [`Sink`] gets them in order. Memory holds a few
//! chunks, however much is selected.
//!
//! A source may have changed since the release was built. The place then points at something else,
//! so a record counts only if it holds the very ID that stands at the ordinal; whatever else lies
//! there is never shown.
//!
//! A selection that gives more objects than somebody may have today is gathered in batches: each
//! says where the next begins ([`Gathered::next`]). A release never changes, so the batches of
//! several days do not overlap and leave nothing out.
//!
//! Where a release was made of bare IDs there are no records; then the platform is asked
//! ([`upstream`]).

mod candidates;
mod chunk;
mod count;
mod feed;
mod gather;
mod record;
mod selection;
mod stock;
pub mod upstream;
mod users;

#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;

use super::cover::LeftOut;
use super::object::Object;
use crate::hydrate::HydrateError;
use crate::release::ReleaseError;

pub use count::{Counted, count};
pub use gather::gather;
pub use selection::{Filter, Part, Selection};
pub use stock::{Stock, Supply};

/// One batch of a selection.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What is wanted.
    pub selection: &'a Selection,
    /// The IDs of [`Part::Listed`], ascending, each once; otherwise none.
    pub listed: &'a [u64],
    /// Where the batch begins: 0, or [`Gathered::next`] of the one before.
    pub from: u64,
    /// How many objects it may have.
    pub objects_max: u64,
}

/// Takes what is gathered.
pub trait Sink {
    /// Takes the object of an ordinal, or the reason why there is none.
    ///
    /// # Errors
    /// Whatever ends the gathering: a full disk, somebody who cancelled.
    fn take(&mut self, ordinal: u64, object: Result<Object, LeftOut>) -> io::Result<()>;
}

/// What a batch came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// How many objects there were.
    pub objects: u64,
    /// What was left out, by reason; none of it is counted twice.
    pub left_out: Vec<(LeftOut, u64)>,
    /// Where the next batch begins; `None`: this was the last.
    pub next: Option<u64>,
    /// The sources that are not as they were when the release was built.
    pub changed: Vec<PathBuf>,
}

/// Why objects could not be gathered.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// The selection does not fit what it selects from.
    #[error("{0}")]
    Unfit(String),
    /// The release cannot be read.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// A file of the release, or the store of removals, cannot be read.
    #[error("cannot read what the release says of its records")]
    Read(#[source] io::Error),
    /// The platform, or what is kept of its answers, failed.
    #[error(transparent)]
    Platform(#[from] HydrateError),
    /// The sink took no more.
    #[error("cannot keep what was gathered")]
    Sink(#[source] io::Error),
}

/// Counts reasons.
#[derive(Debug, Default)]
struct Tally(std::collections::BTreeMap<LeftOut, u64>);

impl Tally {
    fn add(&mut self, reason: LeftOut) {
        *self.0.entry(reason).or_default() += 1;
    }

    fn into_rows(self) -> Vec<(LeftOut, u64)> {
        self.0.into_iter().collect()
    }
}
