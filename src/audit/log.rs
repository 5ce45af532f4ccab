//! The log in the store: rows of the journal become leaves of its tree, and are proven from there.
//! When that happens, and who signs the result, is `notary.rs`.
//!
//! The tree follows the journal in steps of bounded size, each in a transaction of its own. A step
//! reads the rows that are new and the tiles at the tree's right edge, at most eight of them, so
//! its cost does not grow with the log.

use super::proof::Tiles;
use super::receipt::Proof;
use super::tile::{Edge, TILE_WIDTH, TileKind, TileName, hashes};
use super::tree::{Hash, Head, leaf_hash};
use crate::base::commitment::Commitment;
use crate::base::delivery::DeliveryId;
use crate::store::{CheckpointRow, StoreError, Tx};

/// How many rows of the journal one step takes into the tree at most.
pub(super) const STEP_ROWS_MAX: u32 = 1_024;

/// Takes the next rows of the journal into the tree, at most [`STEP_ROWS_MAX`], and returns how
/// many there were.
///
/// # Errors
/// [`StoreError`] of the looks or the changes.
pub(super) fn integrate(tx: &Tx<'_>) -> Result<u64, StoreError> {
    let mut edge = edge(tx)?;
    let size = edge.size();
    let rows = tx.journal_from(size + 1, STEP_ROWS_MAX)?;
    let mut filled: Vec<(TileName, Vec<Hash>)> = Vec::new();
    for (expected, row) in (size + 1..).zip(&rows) {
        if row.sequence != expected {
            let gap = format!("the journal has no row {expected}, and one with {}", row.sequence);
            return Err(StoreError::Damaged(gap.into()));
        }
        edge.push(leaf_hash(row.leaf.as_bytes()), |name, hashes| {
            filled.push((name, hashes.to_vec()));
        });
    }
    if rows.is_empty() {
        return Ok(0);
    }
    for (name, hashes) in &filled {
        set_tile(tx, name, hashes)?;
    }
    for (name, hashes) in edge.partial() {
        set_tile(tx, &name, hashes)?;
    }
    tx.audit_log_set_size(edge.size())?;
    Ok(rows.len() as u64)
}

fn set_tile(tx: &Tx<'_>, name: &TileName, hashes: &[Hash]) -> Result<(), StoreError> {
    let TileKind::Hashes(level) = name.kind else { unreachable!("an edge has hashes only") };
    tx.tile_set(level, name.number, hashes.as_flattened())
}

/// The right edge of the tree.
fn edge(tx: &Tx<'_>) -> Result<Edge, StoreError> {
    Edge::of_tree(tx.audit_log()?.size, |name| {
        let TileKind::Hashes(level) = name.kind else { unreachable!("an edge has hashes only") };
        let hashes = tile(tx, level, name.number)?;
        if hashes.len() != name.width {
            let damage = format!("{} of the audit log has {} hashes", name.path(), hashes.len());
            return Err(StoreError::Damaged(damage.into()));
        }
        Ok(hashes)
    })
}

fn tile(tx: &Tx<'_>, level: u8, number: u64) -> Result<Vec<Hash>, StoreError> {
    let bytes = tx.tile(level, number)?;
    bytes.as_deref().and_then(hashes).ok_or_else(|| {
        let damage = format!("the audit log has no tile {number} of level {level}");
        StoreError::Damaged(damage.into())
    })
}

/// The tiles of the tree, for proofs.
pub(super) fn tiles(tx: &Tx<'_>) -> Tiles<impl Fn(u8, u64) -> Result<Vec<Hash>, StoreError>> {
    Tiles::new(|level, number| tile(tx, level, number))
}

/// The head of the tree, as far as the journal is in it.
///
/// # Errors
/// [`StoreError`] of the looks.
pub fn head(tx: &Tx<'_>) -> Result<Head, StoreError> {
    let edge = edge(tx)?;
    Ok(Head { size: edge.size(), root: edge.root() })
}

/// The proofs that the log says what it does of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// All leaves about it are below a checkpoint.
    Ready(Vec<Proof>),
    /// Some will be with the next one.
    NotYet,
    /// The log knows of no such delivery.
    Unknown,
}

/// Proofs for every leaf that is about this delivery alone, against the newest checkpoint: its
/// chunks as they were opened, and those that were given back. That chunks were settled is told
/// for many deliveries at once, so it stands in nobody's receipt.
///
/// # Errors
/// [`StoreError`] of the looks.
pub fn receipt(tx: &Tx<'_>, delivery: DeliveryId) -> Result<Receipt, StoreError> {
    let rows = tx.journal_of_delivery(delivery)?;
    let Some(last) = rows.last() else { return Ok(Receipt::Unknown) };
    let checkpoint = tx.checkpoint_newest()?;
    let covering = checkpoint.filter(|checkpoint| last.sequence <= checkpoint.size);
    let Some(CheckpointRow { size, note, .. }) = covering else { return Ok(Receipt::NotYet) };
    let tiles = tiles(tx);
    let proofs = rows.into_iter().map(|row| {
        let index = row.sequence - 1;
        Ok(Proof {
            index,
            entry: row.leaf.into_bytes(),
            hashes: tiles.inclusion(index, size)?,
            checkpoint: note.clone(),
        })
    });
    Ok(Receipt::Ready(proofs.collect::<Result<_, StoreError>>()?))
}

/// Everything in the store that does not agree with the journal, one clause each; nothing, if the
/// log is whole. The whole journal is read: this is for `doctor` and for tests.
///
/// Every tile must be the one that the journal gives, every checkpoint must be of a beginning of
/// the journal, and every commitment whose salt is there must be to the party that has it.
///
/// # Errors
/// [`StoreError`] of the looks.
pub fn faults(tx: &Tx<'_>) -> Result<Vec<String>, StoreError> {
    let mut faults = Vec::new();
    for row in tx.commitments()? {
        let Some(salt) = &row.salt else { continue };
        let expected = Commitment::to(row.party.kind(), salt, &row.identity);
        if row.commitment != expected {
            faults.push(format!("{:?} is not who the audit log names so", row.party));
        }
    }
    let size = tx.audit_log()?.size;
    let mut walk = Walk { tx, edge: Edge::default(), next: None, faults };
    walk.next = tx.checkpoints_after(0, 1)?.pop();
    while walk.edge.size() < size {
        let rows = tx.journal_from(walk.edge.size() + 1, STEP_ROWS_MAX)?;
        if rows.is_empty() {
            let rows = walk.edge.size();
            walk.faults.push(format!("the tree has {size} leaves, and the journal {rows} rows"));
            return Ok(walk.faults);
        }
        for row in rows.iter().take((size - walk.edge.size()) as usize) {
            walk.step(row.leaf.as_bytes())?;
        }
    }
    let partial = walk.edge.clone();
    for (name, hashes) in partial.partial() {
        walk.check(&name, hashes)?;
    }
    if let Some(beyond) = walk.next {
        walk.faults
            .push(format!("a checkpoint of {} leaves, and the tree has {size}", beyond.size));
    }
    Ok(walk.faults)
}

/// How far the journal has been read against the tree.
struct Walk<'a> {
    tx: &'a Tx<'a>,
    edge: Edge,
    /// The next checkpoint on the way.
    next: Option<CheckpointRow>,
    faults: Vec<String>,
}

impl Walk<'_> {
    fn step(&mut self, entry: &[u8]) -> Result<(), StoreError> {
        let mut filled: Vec<(TileName, Vec<Hash>)> = Vec::new();
        self.edge.push(leaf_hash(entry), |name, hashes| filled.push((name, hashes.to_vec())));
        for (name, hashes) in filled {
            self.check(&name, &hashes)?;
        }
        let size = self.edge.size();
        if let Some(signed) = self.next.take_if(|signed| signed.size == size) {
            if signed.root != self.edge.root() {
                self.faults.push(format!("the checkpoint of {size} leaves is of another journal"));
            }
            self.next = self.tx.checkpoints_after(size, 1)?.pop();
        }
        Ok(())
    }

    fn check(&mut self, name: &TileName, expected: &[Hash]) -> Result<(), StoreError> {
        let TileKind::Hashes(level) = name.kind else { unreachable!("an edge has hashes only") };
        let found = self.tx.tile(level, name.number)?;
        if found.as_deref() != Some(expected.as_flattened()) {
            let (path, first) = (name.path(), name.number * TILE_WIDTH as u64);
            self.faults.push(format!("{path}, from {first} on, is not what the journal gives"));
        }
        Ok(())
    }
}
