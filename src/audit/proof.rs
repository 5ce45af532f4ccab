//! Proofs from tiles: that an entry is in a tree, that one tree begins with another. Where tiles
//! are kept is the caller's business.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use tlog_tiles::{Hash as HashText, HashReader, Tile};

use super::tree::{Hash, Head};
use crate::store::StoreError;

/// The height of tiles: 2^8 hashes.
const HEIGHT: u8 = 8;

/// Reads tiles by level and number; a tile may be wider than the tree that is asked about needs.
pub(super) struct Tiles<F> {
    fetch: F,
    read: RefCell<HashMap<(u8, u64), Vec<Hash>>>,
    failure: RefCell<Option<StoreError>>,
}

impl<F> Tiles<F>
where
    F: Fn(u8, u64) -> Result<Vec<Hash>, StoreError>,
{
    pub(super) fn new(fetch: F) -> Tiles<F> {
        Tiles { fetch, read: RefCell::default(), failure: RefCell::default() }
    }

    /// The root of the first `size` entries.
    ///
    /// # Errors
    /// What fetching says, or [`StoreError::Damaged`] if hashes are missing; so do the others here.
    pub(super) fn root(&self, size: u64) -> Result<Hash, StoreError> {
        self.done(tlog_tiles::tree_hash(size, self)).map(|root| root.0)
    }

    /// The hashes that lead from the entry `index` to the root of the first `size` entries.
    ///
    /// # Errors
    /// As [`Tiles::root`].
    pub(super) fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, StoreError> {
        let proof = self.done(tlog_tiles::prove_record(size, index, self))?;
        Ok(proof.iter().map(|hash| hash.0).collect())
    }

    /// Whether the tree with the head `now` begins with the one that has the head `before`, by the
    /// consistency proof of RFC 6962.
    ///
    /// # Errors
    /// As [`Tiles::root`].
    pub(super) fn extends(&self, before: &Head, now: &Head) -> Result<bool, StoreError> {
        if before.size == 0 || before.size > now.size {
            return Ok(before.size == 0);
        }
        let proof = self.done(tlog_tiles::prove_tree(now.size, before.size, self))?;
        let (root, root_before) = (HashText(now.root), HashText(before.root));
        let checked = tlog_tiles::check_tree(&proof, now.size, root, before.size, root_before);
        Ok(checked.is_ok())
    }

    fn done<T>(&self, result: Result<T, tlog_tiles::Error>) -> Result<T, StoreError> {
        result.map_err(|error| {
            let failure = self.failure.borrow_mut().take();
            let damaged = || format!("the tiles of the audit log are not whole: {error}").into();
            failure.unwrap_or_else(|| StoreError::Damaged(damaged()))
        })
    }

    fn hash(&self, index: u64) -> Result<HashText, tlog_tiles::Error> {
        let least = Tile::from_index(HEIGHT, index);
        let mut read = self.read.borrow_mut();
        let tile = match read.entry((least.level(), least.level_index())) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let tile = (self.fetch)(least.level(), least.level_index());
                let tile = tile.map_err(|failure| {
                    *self.failure.borrow_mut() = Some(failure);
                    tlog_tiles::Error::InvalidTile
                })?;
                place.insert(tile)
            }
        };
        if tile.len() < least.width() as usize {
            return Err(tlog_tiles::Error::InvalidTile);
        }
        least.hash_at_index(tile.as_flattened(), index)
    }
}

impl<F> HashReader for Tiles<F>
where
    F: Fn(u8, u64) -> Result<Vec<Hash>, StoreError>,
{
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<HashText>, tlog_tiles::Error> {
        indexes.iter().map(|index| self.hash(*index)).collect()
    }
}

/// Whether `hashes` lead from the entry `index` with that hash to `head`.
pub(super) fn includes(head: &Head, index: u64, leaf: Hash, hashes: &[Hash]) -> bool {
    let proof: Vec<HashText> = hashes.iter().map(|hash| HashText(*hash)).collect();
    let root = HashText(head.root);
    tlog_tiles::check_record(&proof, head.size, root, index, HashText(leaf)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tile::{Edge, TileKind};
    use crate::audit::tree::{join, leaf_hash};

    type Kept = HashMap<(u8, u64), Vec<Hash>>;

    /// The tiles of a tree of `size` entries, and its leaves.
    fn tiles(size: u32) -> (Kept, Vec<Hash>) {
        let leaves: Vec<Hash> = (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let mut tiles = HashMap::new();
        let mut edge = Edge::default();
        let mut keep = |name: crate::audit::tile::TileName, hashes: &[Hash]| {
            let TileKind::Hashes(level) = name.kind else { unreachable!("an edge has hashes") };
            tiles.insert((level, name.number), hashes.to_vec());
        };
        for leaf in &leaves {
            edge.push(*leaf, &mut keep);
        }
        for (name, hashes) in edge.partial() {
            keep(name, hashes);
        }
        (tiles, leaves)
    }

    #[test]
    fn every_entry_of_every_size_is_proven_and_no_other() {
        let (tiles, leaves) = tiles(700);
        let tiles = Tiles::new(|level, number| Ok(tiles[&(level, number)].clone()));
        for size in [1, 2, 3, 255, 256, 257, 511, 512, 513, 700] {
            let root = join(&leaves[..size], None).unwrap();
            let head = Head { size: size as u64, root };
            assert_eq!(tiles.root(head.size).unwrap(), root);
            for index in (0..size).step_by(37).chain([size - 1]) {
                let proof = tiles.inclusion(index as u64, head.size).unwrap();
                let (index, leaf) = (index as u64, leaves[index]);
                assert!(includes(&head, index, leaf, &proof), "{index} in {size}");
                assert!(!includes(&head, index, leaf_hash(b"another"), &proof));
                assert!(!includes(&head, index + 1, leaf, &proof));
                assert!(!includes(&head, index, leaf, &[&proof[..], &[root]].concat()));
            }
        }
    }

    #[test]
    fn a_tree_extends_its_beginnings_and_no_other_tree() {
        let (tiles, leaves) = tiles(700);
        let tiles = Tiles::new(|level, number| Ok(tiles[&(level, number)].clone()));
        let head =
            |size: usize| Head { size: size as u64, root: join(&leaves[..size], None).unwrap() };
        for now in [1, 256, 257, 512, 699, 700] {
            for before in [1, 2, 255, 256, 257, 511, 699, 700] {
                let extends = tiles.extends(&head(before), &head(now)).unwrap();
                assert_eq!(extends, before <= now, "{before} to {now}");
                let forked = Head { root: [7; 32], ..head(before) };
                assert!(!tiles.extends(&forked, &head(now)).unwrap());
            }
        }
    }
}
