//! Where the log's hashes and entries lie: the tiles of C2SP's `tlog-tiles`, their names and bytes.
//!
//! A tile of level 0 holds the hashes of 256 entries, one of level 1 the roots of 256 full tiles of
//! level 0, and so on; beside each tile of level 0 lies a bundle with the entries themselves. The
//! rightmost one of each level may be partial, and then has its width in its name.

use super::LEAF_BYTES_MAX;
use super::tree::{Hash, empty_root, join, subtree_root};

/// How many hashes a full tile has.
pub const TILE_WIDTH: usize = 256;

/// How many levels a log of 2^64 entries has.
const LEVELS_MAX: u8 = 8;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Entries, each with its length before it in two bytes.
    Entries,
    /// Hashes of that level.
    Hashes(u8),
}

/// The name of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileName {
    /// What it holds.
    pub kind: TileKind,
    /// Its place within its level.
    pub number: u64,
    /// How many hashes or entries it holds, from 1 to [`TILE_WIDTH`].
    pub width: usize,
}

impl TileName {
    /// Its path below the log's folder or address, as `tile/0/x001/234.p/7`.
    pub fn path(&self) -> String {
        let mut path = match self.kind {
            TileKind::Entries => "tile/entries/".to_owned(),
            TileKind::Hashes(level) => format!("tile/{level}/"),
        };
        path += &number_path(self.number);
        if self.width < TILE_WIDTH {
            path += &format!(".p/{}", self.width);
        }
        path
    }

    /// Reads a path as [`TileName::path`] writes it; `None`: it is no tile's.
    pub fn parse(path: &str) -> Option<TileName> {
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().ok().filter(|level| *level < LEVELS_MAX)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok()?),
            None => (rest, TILE_WIDTH),
        };
        let name = TileName { kind, number: parse_number_path(number)?, width };
        // One spelling only: no zeros in front, no width of a full tile.
        ((1..=TILE_WIDTH).contains(&width) && name.path() == path).then_some(name)
    }
}

/// A number as path elements of three digits, all but the last with an `x` before them.
pub fn number_path(number: u64) -> String {
    let mut path = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

/// Reads a path as [`number_path`] writes it.
pub fn parse_number_path(path: &str) -> Option<u64> {
    let mut number: u64 = 0;
    for element in path.split('/') {
        let digits = element.strip_prefix('x').unwrap_or(element);
        if digits.len() != 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        number = number.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    (number_path(number) == path).then_some(number)
}

/// The tiles that a log of `size` entries has and one of `size_before` entries has not, entries
/// first: what has to be written when it grows.
pub fn new_tiles(size_before: u64, size: u64) -> Vec<TileName> {
    let mut names = Vec::new();
    for level in 0..LEVELS_MAX {
        let (before, now) = (size_before >> (8 * level), size >> (8 * level));
        if before == now {
            break;
        }
        let kind = TileKind::Hashes(level);
        let full = before / 256..now / 256;
        names.extend(full.map(|number| TileName { kind, number, width: TILE_WIDTH }));
        let width = (now % 256) as usize;
        if width > 0 {
            names.push(TileName { kind, number: now / 256, width });
        }
    }
    let is_level_0 = |name: &&TileName| name.kind == TileKind::Hashes(0);
    let entries = |name: &TileName| TileName { kind: TileKind::Entries, ..*name };
    let bundles: Vec<TileName> = names.iter().filter(is_level_0).map(entries).collect();
    [bundles, names].concat()
}

/// Adds `entry` to the bytes of a bundle.
///
/// # Panics
/// If it is longer than [`LEAF_BYTES_MAX`].
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) {
    let length = u16::try_from(entry.len());
    let length = length.unwrap_or_else(|_| panic!("an entry has {LEAF_BYTES_MAX} bytes at most"));
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
}

/// The entries in the bytes of a bundle; `None`: the bytes end within one.
pub fn entries(mut bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry);
        bundle = rest;
    }
    Some(entries)
}

/// The hashes in the bytes of a tile; `None`: the bytes end within one.
pub fn hashes(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    rest.is_empty().then(|| hashes.to_vec())
}

/// The partial tiles at the right edge of a tree that grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    /// The hashes of each level that do not fill a tile yet.
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// The edge of a tree of `size` entries, whose partial tile of each level `partial` knows; it
    /// is asked for its number and width.
    ///
    /// # Errors
    /// What `partial` says.
    ///
    /// # Panics
    /// If `partial` gives a tile of another width.
    pub fn of_tree<E>(
        size: u64,
        mut partial: impl FnMut(TileName) -> Result<Vec<Hash>, E>,
    ) -> Result<Edge, E> {
        let mut levels = Vec::new();
        for level in (0..LEVELS_MAX).take_while(|level| size >> (8 * level) > 0) {
            let count = size >> (8 * level);
            let width = (count % 256) as usize;
            let kind = TileKind::Hashes(level);
            let hashes = match width {
                0 => Vec::new(),
                _ => partial(TileName { kind, number: count / 256, width })?,
            };
            assert_eq!(hashes.len(), width, "a partial tile is as wide as its name says");
            levels.push(hashes);
        }
        Ok(Edge { size, levels })
    }

    /// Adds the hash of the next entry; `filled` is told of every tile that is full with it.
    pub fn push(&mut self, leaf: Hash, mut filled: impl FnMut(TileName, &[Hash])) {
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::with_capacity(TILE_WIDTH));
            }
            let hashes = &mut self.levels[level];
            hashes.push(hash);
            if hashes.len() < TILE_WIDTH {
                break;
            }
            let kind = TileKind::Hashes(u8::try_from(level).expect("there are 8 levels at most"));
            let number = self.size >> (8 * (level + 1));
            filled(TileName { kind, number, width: TILE_WIDTH }, hashes);
            hash = subtree_root(hashes);
            hashes.clear();
        }
        self.size += 1;
    }

    /// How many entries the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The tree's root.
    pub fn root(&self) -> Hash {
        let joined = self.levels.iter().fold(None, |right, hashes| join(hashes, right));
        joined.unwrap_or_else(empty_root)
    }

    /// The partial tiles, those without hashes left out.
    pub fn partial(&self) -> impl Iterator<Item = (TileName, &[Hash])> {
        self.levels.iter().zip(0..).filter(|(hashes, _)| !hashes.is_empty()).map(
            |(hashes, level)| {
                let number = self.size >> (8 * (level + 1));
                let kind = TileKind::Hashes(level);
                (TileName { kind, number, width: hashes.len() }, hashes.as_slice())
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::audit::tree::leaf_hash;

    #[test]
    fn names_are_those_of_the_specification() {
        for (kind, number, width, path) in [
            (TileKind::Hashes(0), 1_234_067, 256, "tile/0/x001/x234/067"),
            (TileKind::Hashes(2), 0, 1, "tile/2/000.p/1"),
            (TileKind::Entries, 999, 255, "tile/entries/999.p/255"),
            (TileKind::Entries, u64::MAX, 256, "tile/entries/x018/x446/x744/x073/x709/x551/615"),
        ] {
            let name = TileName { kind, number, width };
            assert_eq!(name.path(), path);
            assert_eq!(TileName::parse(path), Some(name));
        }
        for path in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/00/000",
            "tile/8/000",
            "tile/data/000",
            "tile/0/x000/000",
            "tile/0/001/000",
            "tile/0/x001/x000",
            "tile/0/000.p/0",
            "tile/0/000.p/01",
            "tile/0/000.p/256",
            "tile/0/+01",
            "tile/entries/x018/x446/x744/x073/x709/x551/616",
        ] {
            assert_eq!(TileName::parse(path), None, "{path}");
        }
    }

    #[test]
    fn a_tree_of_70_000_has_the_tiles_that_the_specification_counts() {
        let count = |level, is_full: bool| {
            new_tiles(0, 70_000)
                .iter()
                .filter(|name| name.kind == TileKind::Hashes(level))
                .filter(|name| (name.width == TILE_WIDTH) == is_full)
                .count()
        };
        assert_eq!((count(0, true), count(0, false)), (273, 1));
        assert_eq!((count(1, true), count(1, false)), (1, 1));
        assert_eq!((count(2, true), count(2, false)), (0, 1));
        let widths: Vec<_> = new_tiles(69_999, 70_000).iter().map(TileName::path).collect();
        assert_eq!(widths, ["tile/entries/273.p/112", "tile/0/273.p/112"]);
    }

    #[test]
    fn an_edge_grows_into_the_root_and_the_tiles_of_its_tree() {
        let leaves: Vec<Hash> = (0..66_000u32).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let mut tiles = BTreeMap::new();
        let mut edge = Edge::default();
        for (size, leaf) in (1..).zip(&leaves) {
            edge.push(*leaf, |name, hashes| {
                tiles.insert(name, hashes.to_vec());
            });
            let partial: Vec<TileName> = edge.partial().map(|(name, _)| name).collect();
            let expected = new_tiles(0, size).into_iter();
            if size < 600 || size % 977 == 0 || (65_530..65_540).contains(&size) {
                let is_partial =
                    |name: &TileName| name.width < TILE_WIDTH && name.kind != TileKind::Entries;
                assert_eq!(partial, expected.filter(is_partial).collect::<Vec<_>>());
                assert_eq!(Some(edge.root()), join(&leaves[..size as usize], None), "of {size}");
            }
        }
        assert_eq!(tiles[&TileName::parse("tile/0/017").unwrap()], leaves[17 * 256..18 * 256]);
        let upper = &tiles[&TileName::parse("tile/1/000").unwrap()];
        assert_eq!(upper[9], subtree_root(&leaves[9 * 256..10 * 256]));
        let reopened = Edge::of_tree(edge.size(), |wanted| {
            let (_, hashes) = edge.partial().find(|(name, _)| *name == wanted).unwrap();
            Ok::<_, ()>(hashes.to_vec())
        });
        assert_eq!(reopened, Ok(edge));
    }

    #[test]
    fn a_bundle_is_read_as_it_is_written() {
        let mut bundle = Vec::new();
        for entry in [&b"one"[..], b"", &[7; LEAF_BYTES_MAX]] {
            push_entry(&mut bundle, entry);
        }
        assert_eq!(entries(&bundle), Some(vec![&b"one"[..], b"", &[7; LEAF_BYTES_MAX]]));
        assert_eq!(entries(&bundle[..bundle.len() - 1]), None);
        assert_eq!(entries(&[0]), None);
    }
}
