//! The audit log: what a leaf is, and how one is written in the transaction of the decision that
//! it records. The rows themselves are `store`'s.
//!
//! A leaf names people and entities by salted commitments, and holds no names, mail addresses,
//! tokens, reasons in words or lists of IDs: what a person may ask to have erased stands in the
//! tables alone. A range of an immutable release stands for its IDs.

mod checkpoint;
mod copy;
mod durable;
mod entry;
mod export;
mod files;
pub mod head;
mod key;
mod leaf;
mod log;
pub mod name;
mod notary;
mod proof;
pub mod published;
pub mod receipt;
mod tile;
mod tree;
mod verify;

#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoint, NotACheckpoint};
pub use entry::Entry;
pub use export::{ExportError, Exported, LogSource, SourceError, export};
pub use files::{LogFiles, LogFolder};
pub use key::{KeyError, NotAVerifierKey, SigningKey, VerifierKey};
pub use leaf::{AttemptName, Charge, Leaf};
pub use log::{Receipt, faults, receipt};
pub use name::{ActorName, NotAName, RecipientName};
pub use notary::{LogPlaces, Notary, NotaryError, Safekeeping};
pub use tree::{Hash, Head};
pub use verify::{LogFault, Whole, verify};

use crate::store::{StoreError, Tx};

/// The longest leaf in bytes: what one entry bundle of a transparency log can hold.
pub const LEAF_BYTES_MAX: usize = 65_535;

/// Writes `leaf` into the journal, in the caller's transaction.
///
/// # Errors
/// [`StoreError`] of the insert; the caller's whole transaction is then given up.
///
/// # Panics
/// If the leaf is longer than [`LEAF_BYTES_MAX`]: leaves are small by construction.
pub fn append(tx: &Tx<'_>, now_ms: i64, leaf: &Leaf) -> Result<(), StoreError> {
    let delivery = leaf.delivery();
    let text = Entry { at_ms: now_ms, leaf }.text();
    assert!(
        text.len() <= LEAF_BYTES_MAX,
        "a leaf names ranges and numbers and never lists IDs, so it is short"
    );
    tx.journal_append(now_ms, &text, delivery)
}
