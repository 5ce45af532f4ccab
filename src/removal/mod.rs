//! Removals: IDs and users that must no longer be distributed, how lists of them come into force,
//! and who holds lines that are gone. What a view is, byte for byte, is told in `release`; that no
//! chunk of an old view goes out, `ledger` sees to.
//!
//! # The story
//!
//! A list says of a Tweet or a user that something happened to it: deleted, dropped, withheld,
//! protected, suspended, or that it is none of these any more ([`Event`]). Each of these is an
//! *aspect*; the newest event of an aspect counts, in whatever order lists come, and an ID is
//! removed as long as one aspect says so. Nothing is erased, so what is reversible is reversed by a
//! later event, and an import as a whole by reverting it.
//!
//! An import is read into events ([`read`]) and goes through three steps. Its *change* is found:
//! which IDs it removes, and which it lets come back ([`change`]). All releases are scanned for
//! these beside the serving, which gives each its next view ([`scan`]). Meanwhile its events are
//! written in small pieces that do not count yet. Then one short transaction puts the import, all
//! views and the version of the removals in force together; should another import or release have
//! come between, the whole is tried anew ([`import`]). A crash leaves the state before it or the
//! state after it.
//!
//! Whoever asks whether an ID is removed asks the events, by their key; a Bloom filter in front
//! spares most looks and decides nothing ([`Known`]).
//!
//! Why events stand as rows and not in sorted files: a list of 10^5 is written in about a second
//! beside the serving, comes into force and is reverted by one row, is seen by every gateway of a
//! database at its commit, and moves and is backed up with everything else; a look is one descent
//! of the key. `benches/removal.rs` measures it.

pub mod change;
mod event;
pub mod holders;
pub mod import;
mod known;
mod list;
mod probe;
pub mod scan;
mod spool;

#[cfg(test)]
mod tests;

use std::io;

use crate::base::ids::IdKind;
use crate::release::ReleaseError;
use crate::store::StoreError;

pub use event::{Aspect, Event, is_removed};
pub use known::{Known, Listed};
pub use list::{Damage, List, Report, read, read_text};
pub use spool::{read_spool, write_spool};

/// The kinds that lists remove, in the order in which everything here keeps them.
pub const KINDS: [IdKind; 2] = [IdKind::Tweet, IdKind::User];

/// Why removals could not be read, found out or put in force.
#[derive(Debug, thiserror::Error)]
pub enum RemovalError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A list cannot be read.
    #[error(transparent)]
    Pipeline(#[from] crate::pipeline::PipelineError),
    /// A list says nothing about which kind its IDs are.
    #[error(
        "{name}, line {line}: this line does not tell whether it is about a Tweet or a user; say \
         --kind tweet or --kind user"
    )]
    KindUndeclared {
        /// The file.
        name: String,
        /// The line, from 1.
        line: u64,
    },
    /// A release cannot be scanned.
    #[error(
        "the release {release} cannot be scanned, so no removal can come into force: restore \
             its folder, or retire the dataset that has it"
    )]
    Release {
        /// Which one.
        release: String,
        /// Why not.
        #[source]
        source: ReleaseError,
    },
    /// A file of ours cannot be read or written.
    #[error("cannot use the list {path}: {source}")]
    Spool {
        /// Which one.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}
