//! Exports as people meet them: asked for, planned over days, made one after the other, kept for
//! a while, and purged when something in them is removed. What a file looks like is told in
//! [`super::file`], where objects come from in [`super::source`].
//!
//! # The story
//!
//! Somebody selects objects of a dataset in a browser ([`ask`]). What they select comes in files,
//! each of which fits the allowance of one day, with the dates at which they fit ([`plan`]).
//! Nothing is made until they ask for a file; then it waits in the store until a gateway takes it
//! ([`maker`]), one at a time for each person. What is gathered goes to a spool on the disk, so
//! that a gateway that takes over looks up nothing twice; an attempt that is no longer the newest
//! can finish nothing. A file that is made is kept in the [`cabinet`] and handed out by `deliver`:
//! charged whole at its first byte, by the ledger.

pub mod ask;
pub mod cabinet;
mod content;
mod copies;
pub mod maker;
pub mod plan;
mod spool;
mod write;

pub use cabinet::{Cabinet, CabinetError};

/// How files are made and kept.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How long one is kept, in milliseconds.
    pub keep_ms: i64,
    /// How many objects one has at most.
    pub file_objects_max: u64,
    /// How long ago removals have to have been imported last, in milliseconds; `None`: it does not
    /// matter.
    pub compliance_age_ms: Option<i64>,
}
