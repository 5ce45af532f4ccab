//! Which heads of the log are known, and whether the log of the store has them all: how a store
//! that was restored from a backup, or replaced by another, is noticed. What is then done is the
//! ledger's business.

use std::fmt;
use std::path::{Path, PathBuf};

use super::copy;
use super::key::VerifierKey;
use super::log;
use super::tree::{Hash, Head};
use crate::store::{StoreError, Tx};

/// Where a head is known from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The store's own checkpoints.
    Database,
    /// A copy outside of it.
    Copy(PathBuf),
}

/// A head that the log once had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownHead {
    /// The head.
    pub head: Head,
    /// Where it is known from.
    pub place: Place,
}

/// A copy that cannot be read: it may hold a newer head than all that can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableCopy {
    /// Which one.
    pub path: PathBuf,
    /// Why, as a clause.
    pub why: String,
}

/// All heads that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The largest first.
    pub heads: Vec<KnownHead>,
    /// Where none could be read, although there is something.
    pub unreadable: Vec<UnreadableCopy>,
}

/// How the log of the store compares to the heads that are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// It has them all.
    InStep,
    /// It is shorter than it once was: the store is an older one.
    Behind {
        /// The largest head that is known.
        known: KnownHead,
        /// How many entries the log of the store has.
        log_size: u64,
    },
    /// It has other entries than it once had.
    Forked {
        /// A head that it had.
        known: KnownHead,
        /// The root that the log of the store has at that size.
        log_root: Hash,
        /// How many entries the log of the store has.
        log_size: u64,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Database => out.write_str("the database"),
            Place::Copy(path) => write!(out, "{}", path.display()),
        }
    }
}

impl Known {
    /// The largest head that is known.
    pub fn newest(&self) -> Option<&KnownHead> {
        self.heads.first()
    }
}

/// The heads in the copies at these paths.
pub(super) fn copies(key: &VerifierKey, paths: &[PathBuf]) -> Known {
    let mut known = Known::default();
    for path in paths {
        match copy::read(path, key) {
            Ok(Some(checkpoint)) => {
                let place = Place::Copy(path.clone());
                known.heads.push(KnownHead { head: checkpoint.head, place });
            }
            Ok(None) => {}
            Err(error) => known.unreadable.push(unreadable(path, &error)),
        }
    }
    known
}

pub(super) fn unreadable(path: &Path, error: &copy::CopyError) -> UnreadableCopy {
    UnreadableCopy { path: path.to_owned(), why: error.to_string() }
}

/// Every head that is known: the newest that the store has signed, and those of the copies at
/// `paths`, the largest first.
///
/// # Errors
/// [`StoreError`] of the look; a copy that cannot be read is told in the answer.
pub fn newest_known(
    tx: &Tx<'_>,
    key: &VerifierKey,
    paths: &[PathBuf],
) -> Result<Known, StoreError> {
    with_database(tx, copies(key, paths))
}

/// Adds to the heads of the copies that of the store, and leaves out what the log goes on without
/// since it was thawed.
pub(super) fn with_database(tx: &Tx<'_>, mut known: Known) -> Result<Known, StoreError> {
    if let Some(newest) = tx.checkpoint_newest()? {
        let head = Head { size: newest.size, root: newest.root };
        known.heads.push(KnownHead { head, place: Place::Database });
    }
    let mut held = Vec::new();
    for known in known.heads {
        if !tx.head_is_abandoned(known.head.size, &known.head.root)? {
            held.push(known);
        }
    }
    known.heads = held;
    known.heads.sort_by_key(|known| std::cmp::Reverse(known.head.size));
    Ok(known)
}

/// Compares the log of the store, as far as the journal is in its tree, to the heads in `known`.
/// An older store that has grown on since is [`Comparison::Forked`].
///
/// # Errors
/// [`StoreError`] of the looks.
pub fn compare(tx: &Tx<'_>, known: &Known) -> Result<Comparison, StoreError> {
    let log_size = tx.audit_log()?.size;
    let tiles = log::tiles(tx);
    for known in known.heads.iter().filter(|known| known.head.size <= log_size) {
        let log_root = tiles.root(known.head.size)?;
        if log_root != known.head.root {
            return Ok(Comparison::Forked { known: known.clone(), log_root, log_size });
        }
    }
    Ok(match known.newest() {
        Some(known) if known.head.size > log_size => {
            Comparison::Behind { known: known.clone(), log_size }
        }
        _ => Comparison::InStep,
    })
}

/// Whether the log of the store, as far as the journal is in its tree, has that head.
///
/// # Errors
/// [`StoreError`] of the looks.
pub fn is_in_log(tx: &Tx<'_>, head: &Head) -> Result<bool, StoreError> {
    Ok(head.size <= tx.audit_log()?.size && log::tiles(tx).root(head.size)? == head.root)
}
