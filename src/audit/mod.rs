//! The audit log: a record of every decision that outsiders can check, without a database and
//! without trusting whoever keeps it. The rows themselves are `store`'s.
//!
//! # The story
//!
//! A decision writes a leaf into the journal, in its own transaction ([`append`]). A leaf names
//! people, entities and reasons by salted commitments, and holds no names, mail addresses, tokens,
//! words or lists of IDs: what a person may ask to have erased stands in the tables alone. A
//! range of an immutable release stands for its IDs.
//!
//! Every few seconds the notary takes what is new in the journal into a Merkle tree, compares the
//! tree to every head that is known, signs its new head, and copies it to places outside of the
//! database ([`Notary`]). Each head must extend all earlier ones, or nothing is signed.
//!
//! From there outsiders get a receipt for one delivery ([`receipt()`]) or the whole log
//! ([`export()`]), and check it ([`receipt::verify`], [`verify()`]). Later changes are noticed by
//! whoever holds an earlier checkpoint; more is not claimed.
//!
//! | file | what |
//! |---|---|
//! | `leaf`, `entry`, `name`, `reason` | what is recorded, in which bytes, under which names |
//! | `tree`, `tile`, `proof` | the Merkle tree, how it lies in tiles, proofs from them |
//! | `key`, `checkpoint` | who signs, and what |
//! | `log`, `notary` | the log in the store: how it grows, how it is signed |
//! | `head`, `copy` | heads that are known, and how the store compares to them |
//! | `published`, `export`, `files` | the log as files |
//! | `receipt`, `verify` | what an auditor checks |
//! | `durable` | files that are whole or not there |

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
mod log_copy;
pub mod name;
mod notary;
mod proof;
pub mod published;
mod reason;
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
pub use leaf::{AttemptName, Charge, Content, Leaf, View};
pub use log::{Receipt, faults, receipt};
pub use log_copy::{LogCopy, LogCopyError};
pub use name::{ActorName, NotAName, RecipientName};
pub use notary::{LogPlaces, Notary, NotaryError, Safekeeping};
pub use reason::append_decision;
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
