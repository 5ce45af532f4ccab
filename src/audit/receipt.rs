//! A receipt: what the log says of one delivery, with proofs that the log does say it. Which
//! leaves those are is decided in `log.rs`.
//!
//! A receipt is one text file of proofs in C2SP's `tlog-proof` form, one after the other: a
//! delivery has a leaf for each of its chunks, and a leaf has a proof. So somebody downloads,
//! keeps and shows one file, and any verifier of that form takes what begins at each line
//! `c2sp.org/tlog-proof@v1`. The entry itself stands in the line `extra`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::checkpoint::{Checkpoint, NotACheckpoint};
use super::entry::Entry;
use super::key::VerifierKey;
use super::leaf::Leaf;
use super::proof;
use super::tree::{Hash, leaf_hash};
use crate::base::delivery::DeliveryId;

/// The first line of a proof.
const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1\n";

/// A tree of 2^64 entries has proofs of that many hashes.
const HASHES_MAX: usize = 64;

/// That the log with a checkpoint has an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The entry's place in the log, counted from 0.
    pub index: u64,
    /// The entry.
    pub entry: Vec<u8>,
    /// From the entry's neighbour up to the root's child.
    pub hashes: Vec<Hash>,
    /// The note of the checkpoint.
    pub checkpoint: String,
}

/// What a receipt has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Of which delivery.
    pub delivery: DeliveryId,
    /// How many chunks were charged.
    pub chunks: u64,
    /// How many IDs these have.
    pub ids: u64,
    /// How many chunks were given back unsent.
    pub released_chunks: u64,
    /// How many entries the log had by the newest checkpoint of the receipt.
    pub log_size: u64,
}

/// Why a receipt shows nothing; proofs are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// It has not the form.
    #[error("proof {proof} of the receipt has not the form of c2sp.org/tlog-proof@v1")]
    Form {
        /// Which proof.
        proof: usize,
    },
    /// Its checkpoint is none of this log.
    #[error("the checkpoint in proof {proof} of the receipt is not the log's: {why}")]
    Checkpoint {
        /// Which proof.
        proof: usize,
        /// Why.
        why: NotACheckpoint,
    },
    /// The entry is not where the proof says.
    #[error("proof {proof} of the receipt does not lead from its entry to its checkpoint")]
    Inclusion {
        /// Which proof.
        proof: usize,
    },
    /// The entry is not about the receipt's delivery.
    #[error("the entry in proof {proof} of the receipt says nothing of the receipt's delivery")]
    Foreign {
        /// Which proof.
        proof: usize,
    },
}

/// The text of a receipt.
pub fn text(proofs: &[Proof]) -> String {
    let mut text = String::new();
    for proof in proofs {
        let entry = BASE64_STANDARD.encode(&proof.entry);
        text += &format!("{FIRST_LINE}extra {entry}\nindex {}\n", proof.index);
        for hash in &proof.hashes {
            text += &format!("{}\n", BASE64_STANDARD.encode(hash));
        }
        text += &format!("\n{}", proof.checkpoint);
    }
    text
}

/// Reads a receipt; what it says is not checked yet.
///
/// # Errors
/// [`ReceiptFault::Form`].
pub fn parse(text: &str) -> Result<Vec<Proof>, ReceiptFault> {
    let mut proofs: Vec<Proof> = Vec::new();
    for part in parts(text) {
        let form = ReceiptFault::Form { proof: proofs.len() + 1 };
        proofs.push(parse_proof(part).ok_or(form)?);
    }
    if proofs.is_empty() { Err(ReceiptFault::Form { proof: 1 }) } else { Ok(proofs) }
}

/// What stands behind each first line; a text that does not begin with one is one bad part.
fn parts(text: &str) -> Vec<&str> {
    let Some(text) = text.strip_prefix(FIRST_LINE) else { return vec![""] };
    let mut parts = Vec::new();
    let mut rest = text;
    let next = format!("\n{FIRST_LINE}");
    while let Some(at) = rest.find(&next) {
        parts.push(&rest[..=at]);
        rest = &rest[at + next.len()..];
    }
    parts.push(rest);
    parts
}

fn parse_proof(part: &str) -> Option<Proof> {
    let (head, checkpoint) = part.split_once("\n\n")?;
    let mut lines = head.split('\n');
    let entry = BASE64_STANDARD.decode(lines.next()?.strip_prefix("extra ")?).ok()?;
    let digits = lines.next()?.strip_prefix("index ")?;
    let index: u64 = digits.parse().ok().filter(|index: &u64| index.to_string() == digits)?;
    let hash = |line| BASE64_STANDARD.decode(line).ok()?.try_into().ok();
    let hashes: Vec<Hash> = lines.take(HASHES_MAX + 1).map(hash).collect::<Option<_>>()?;
    let checkpoint = checkpoint.to_owned();
    (hashes.len() <= HASHES_MAX).then_some(Proof { index, entry, hashes, checkpoint })
}

/// Checks every proof of a receipt, and that all of them are about one delivery.
///
/// # Errors
/// The first [`ReceiptFault`].
pub fn verify(text: &str, key: &VerifierKey) -> Result<Shown, ReceiptFault> {
    let mut shown: Option<Shown> = None;
    for (number, proof) in (1..).zip(parse(text)?) {
        let checkpoint = Checkpoint::open(proof.checkpoint.as_bytes(), key)
            .map_err(|why| ReceiptFault::Checkpoint { proof: number, why })?;
        let leaf = leaf_hash(&proof.entry);
        if !proof::includes(&checkpoint.head, proof.index, leaf, &proof.hashes) {
            return Err(ReceiptFault::Inclusion { proof: number });
        }
        let foreign = ReceiptFault::Foreign { proof: number };
        let entry = Entry::parse(&proof.entry).ok_or_else(|| foreign.clone())?;
        let delivery = entry.leaf.delivery().ok_or_else(|| foreign.clone())?;
        let shown = shown.get_or_insert(Shown {
            delivery,
            chunks: 0,
            ids: 0,
            released_chunks: 0,
            log_size: 0,
        });
        if shown.delivery != delivery {
            return Err(foreign);
        }
        match entry.leaf {
            Leaf::Opened { ids, .. } => {
                shown.chunks += 1;
                shown.ids += ids;
            }
            _ => shown.released_chunks += 1,
        }
        shown.log_size = shown.log_size.max(checkpoint.head.size);
    }
    Ok(shown.expect("a receipt has a proof"))
}
