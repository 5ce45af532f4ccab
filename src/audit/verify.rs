//! Whether a log is whole: every entry against every tile, every checkpoint against the entries.
//! Needs the files and a key, and neither a database nor anything else of hydrant.
//!
//! The log is read once from its beginning; what is kept in memory is the right edge of the tree.
//! The first fault ends it: what comes after a fault shows nothing.

use std::collections::BTreeMap;

use super::checkpoint::{Checkpoint, NotACheckpoint};
use super::files::{CHECKPOINT, CHECKPOINTS, LogFiles, VERIFIER_KEY};
use super::key::VerifierKey;
use super::tile::{Edge, TILE_WIDTH, TileKind, TileName, entries, hashes, parse_number_path};
use super::tree::{Hash, Head, leaf_hash};

/// A log that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Its name and the key that signed it.
    pub key: VerifierKey,
    /// Its head.
    pub head: Head,
    /// At how many sizes it has the root of a checkpoint, its own and those that the verifier was
    /// given included.
    pub checkpoints: u64,
    /// The bytes of its newest entry.
    pub newest_entry: Vec<u8>,
}

/// Why a log is not whole.
#[derive(Debug, thiserror::Error)]
pub enum LogFault {
    /// A file cannot be read.
    #[error("cannot read {name}")]
    Io {
        /// The file's name within the log.
        name: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file that the log needs is not there.
    #[error("{name} is missing")]
    Missing {
        /// The file's name within the log.
        name: String,
    },
    /// The key is not the one that it should be, or none.
    #[error("{VERIFIER_KEY} is not the log's key")]
    Key,
    /// A checkpoint is not the log's.
    #[error("{name} is no checkpoint of this log: {why}")]
    Checkpoint {
        /// Which one.
        name: String,
        /// Why.
        why: NotACheckpoint,
    },
    /// A checkpoint was signed when the log was longer than it is.
    #[error("{name} was signed when the log had {size} entries, and it has {log_size}: it was cut")]
    Cut {
        /// Which checkpoint.
        name: String,
        /// The size in it.
        size: u64,
        /// The size of the log.
        log_size: u64,
    },
    /// A checkpoint was signed over other entries.
    #[error("the first {size} entries are not those of {name}: entries were changed")]
    Changed {
        /// Which checkpoint.
        name: String,
        /// The size in it.
        size: u64,
    },
    /// A file is not of this log.
    #[error("{name} is no part of a log of this size")]
    Stranger {
        /// The file's name within the log.
        name: String,
    },
    /// A tile or bundle has not the bytes of one.
    #[error("{name} does not hold {width} of what it should hold")]
    Form {
        /// The file's name within the log.
        name: String,
        /// How many entries or hashes it should hold.
        width: usize,
    },
    /// A tile has another hash than the entries give.
    #[error("{name} has another hash at {place} than the entries give")]
    Hash {
        /// The file's name within the log.
        name: String,
        /// The place in the tile, counted from 0.
        place: usize,
    },
}

/// Checks the log in `files`: all entries, all tiles, all checkpoints.
///
/// With `key` the log has to be of that key; without, the one that lies beside it is believed.
/// `kept` are names and notes of checkpoints that somebody kept from earlier: the log must extend
/// them.
///
/// # Errors
/// The first [`LogFault`].
pub fn verify(
    files: &dyn LogFiles,
    key: Option<&VerifierKey>,
    kept: &[(String, Vec<u8>)],
) -> Result<Whole, LogFault> {
    let key = own_key(files, key)?;
    let name = CHECKPOINT.to_owned();
    let head = open(&name, &needed(files, &name)?, &key)?.head;
    let names = names(files)?;
    let mut signed = Signed { files, key: &key, due: BTreeMap::new(), kept: BTreeMap::new() };
    for (name, note) in kept {
        let kept = open(name, note, &key)?.head;
        signed.kept.entry(kept.size).or_default().push((name.clone(), kept.root));
    }
    for name in names.iter().filter(|name| name.starts_with(CHECKPOINTS)) {
        let size = parse_number_path(&name[CHECKPOINTS.len()..]);
        let size = size.ok_or_else(|| LogFault::Stranger { name: name.clone() })?;
        signed.due.insert(size, name.clone());
    }
    signed.check_sizes(head.size)?;
    let tiles = names.iter().filter(|name| name.starts_with("tile/"));
    let mut walk = Walk::begin(files, head, tiles)?;
    let checkpoints = signed.count(head.size);
    signed.check(&walk.edge)?;
    while walk.edge.size() < head.size {
        walk.step(&mut signed)?;
    }
    walk.end()?;
    if walk.edge.root() != head.root {
        return Err(LogFault::Changed { name, size: head.size });
    }
    Ok(Whole { key, head, checkpoints, newest_entry: walk.newest_entry })
}

fn own_key(files: &dyn LogFiles, key: Option<&VerifierKey>) -> Result<VerifierKey, LogFault> {
    let beside = read(files, VERIFIER_KEY)?;
    let beside = match beside {
        Some(bytes) => {
            let text = String::from_utf8(bytes).map_err(|_| LogFault::Key)?;
            let text = text.strip_suffix('\n').ok_or(LogFault::Key)?;
            Some(text.parse::<VerifierKey>().map_err(|_| LogFault::Key)?)
        }
        None => None,
    };
    match (key, beside) {
        (Some(key), Some(beside)) if *key != beside => Err(LogFault::Key),
        (Some(key), _) => Ok(key.clone()),
        (None, Some(beside)) => Ok(beside),
        (None, None) => Err(LogFault::Missing { name: VERIFIER_KEY.into() }),
    }
}

fn open(name: &str, note: &[u8], key: &VerifierKey) -> Result<Checkpoint, LogFault> {
    let name = name.to_owned();
    Checkpoint::open(note, key).map_err(|why| LogFault::Checkpoint { name, why })
}

fn names(files: &dyn LogFiles) -> Result<Vec<String>, LogFault> {
    files.names().map_err(|source| LogFault::Io { name: "the log's folder".into(), source })
}

fn read(files: &dyn LogFiles, name: &str) -> Result<Option<Vec<u8>>, LogFault> {
    files.read(name).map_err(|source| LogFault::Io { name: name.to_owned(), source })
}

fn needed(files: &dyn LogFiles, name: &str) -> Result<Vec<u8>, LogFault> {
    read(files, name)?.ok_or_else(|| LogFault::Missing { name: name.to_owned() })
}

/// The checkpoints that the log has to extend, by size.
struct Signed<'a> {
    files: &'a dyn LogFiles,
    key: &'a VerifierKey,
    /// Those of the log's folder, which are read when their size is reached.
    due: BTreeMap<u64, String>,
    /// Those that somebody kept.
    kept: BTreeMap<u64, Vec<(String, Hash)>>,
}

impl Signed<'_> {
    /// How many sizes these and the head of the log itself have.
    fn count(&self, log_size: u64) -> u64 {
        let is_new = |size: &&u64| !self.due.contains_key(size);
        let kept = self.kept.keys().chain(std::iter::once(&log_size)).filter(is_new);
        let kept: std::collections::BTreeSet<_> = kept.collect();
        (self.due.len() + kept.len()) as u64
    }

    /// A log that is shorter than a checkpoint was cut; none of its entries need be read for that.
    fn check_sizes(&self, log_size: u64) -> Result<(), LogFault> {
        let due = self.due.last_key_value().map(|(size, name)| (*size, name));
        let kept = self.kept.last_key_value().map(|(size, all)| (*size, &all[0].0));
        match due.into_iter().chain(kept).find(|(size, _)| *size > log_size) {
            Some((size, name)) => Err(LogFault::Cut { name: name.clone(), size, log_size }),
            None => Ok(()),
        }
    }

    /// Checks those that were signed when the log had the size that it has been read to.
    fn check(&mut self, edge: &Edge) -> Result<(), LogFault> {
        let size = edge.size();
        if let Some(name) = self.due.remove(&size) {
            let head = open(&name, &needed(self.files, &name)?, self.key)?.head;
            if head.size != size {
                return Err(LogFault::Stranger { name });
            }
            if head.root != edge.root() {
                return Err(LogFault::Changed { name, size });
            }
        }
        for (name, root) in self.kept.remove(&size).unwrap_or_default() {
            if root != edge.root() {
                return Err(LogFault::Changed { name, size });
            }
        }
        Ok(())
    }
}

/// How far the log has been read.
struct Walk<'a> {
    files: &'a dyn LogFiles,
    head: Head,
    edge: Edge,
    /// Partial tiles that are not at the log's right edge: those of smaller heads, which may lie
    /// there until their tile is full.
    older: BTreeMap<(TileKind, u64), Vec<TileName>>,
    newest_entry: Vec<u8>,
}

impl<'a> Walk<'a> {
    fn begin(
        files: &'a dyn LogFiles,
        head: Head,
        tiles: impl Iterator<Item = &'a String>,
    ) -> Result<Walk<'a>, LogFault> {
        let mut older: BTreeMap<_, Vec<TileName>> = BTreeMap::new();
        for path in tiles {
            let stranger = || LogFault::Stranger { name: path.clone() };
            let name = TileName::parse(path).ok_or_else(stranger)?;
            let width = width_in(&name, head.size).ok_or_else(stranger)?;
            match name.width.cmp(&width) {
                std::cmp::Ordering::Greater => return Err(stranger()),
                std::cmp::Ordering::Less => {
                    older.entry((name.kind, name.number)).or_default().push(name);
                }
                std::cmp::Ordering::Equal => {}
            }
        }
        Ok(Walk { files, head, edge: Edge::default(), older, newest_entry: Vec::new() })
    }

    /// Reads the next bundle with its tile, and all tiles that are full with it.
    fn step(&mut self, signed: &mut Signed<'_>) -> Result<(), LogFault> {
        let number = self.edge.size() / TILE_WIDTH as u64;
        let width = (self.head.size - self.edge.size()).min(TILE_WIDTH as u64) as usize;
        let bundle = TileName { kind: TileKind::Entries, number, width };
        let bytes = needed(self.files, &bundle.path())?;
        let whole = || LogFault::Form { name: bundle.path(), width };
        let entries = entries(&bytes).filter(|entries| entries.len() == width).ok_or_else(whole)?;
        self.check_older(&bundle, |older, bytes| {
            let length: usize = entries[..older.width].iter().map(|entry| 2 + entry.len()).sum();
            (bytes == &bundle_bytes(&entries)[..length]).then_some(())
        })?;
        let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        self.check_tile(&TileName { kind: TileKind::Hashes(0), ..bundle }, &leaves)?;
        for leaf in leaves {
            let mut full: Vec<(TileName, Vec<Hash>)> = Vec::new();
            self.edge.push(leaf, |name, hashes| {
                if name.kind != TileKind::Hashes(0) {
                    full.push((name, hashes.to_vec()));
                }
            });
            for (name, hashes) in full {
                self.check_tile(&name, &hashes)?;
            }
            signed.check(&self.edge)?;
        }
        if let Some(newest) = entries.last() {
            self.newest_entry = newest.to_vec();
        }
        Ok(())
    }

    /// Checks the partial tiles above the entries.
    fn end(&mut self) -> Result<(), LogFault> {
        let edge = self.edge.clone();
        for (name, hashes) in edge.partial().filter(|(name, _)| name.kind != TileKind::Hashes(0)) {
            self.check_tile(&name, hashes)?;
        }
        Ok(())
    }

    fn check_tile(&mut self, name: &TileName, expected: &[Hash]) -> Result<(), LogFault> {
        check_hashes(name, &needed(self.files, &name.path())?, expected)?;
        for older in self.older.remove(&(name.kind, name.number)).unwrap_or_default() {
            let bytes = needed(self.files, &older.path())?;
            check_hashes(&older, &bytes, &expected[..older.width])?;
        }
        Ok(())
    }

    fn check_older(
        &mut self,
        name: &TileName,
        fits: impl Fn(&TileName, &[u8]) -> Option<()>,
    ) -> Result<(), LogFault> {
        for older in self.older.remove(&(name.kind, name.number)).unwrap_or_default() {
            let bytes = needed(self.files, &older.path())?;
            let (name, width) = (older.path(), older.width);
            fits(&older, &bytes).ok_or(LogFault::Form { name, width })?;
        }
        Ok(())
    }
}

/// How wide the tile in that place is in a log of `size` entries; `None`: it has none there.
fn width_in(name: &TileName, size: u64) -> Option<usize> {
    let level = match name.kind {
        TileKind::Entries => 0,
        TileKind::Hashes(level) => level,
    };
    let count = size >> (8 * level);
    let before = name.number.checked_mul(TILE_WIDTH as u64)?;
    let width = count.checked_sub(before).filter(|width| *width > 0)?;
    Some(width.min(TILE_WIDTH as u64) as usize)
}

fn bundle_bytes(entries: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        super::tile::push_entry(&mut bytes, entry);
    }
    bytes
}

fn check_hashes(name: &TileName, bytes: &[u8], expected: &[Hash]) -> Result<(), LogFault> {
    let found = hashes(bytes).filter(|found| found.len() == expected.len());
    let found = found.ok_or_else(|| LogFault::Form { name: name.path(), width: expected.len() })?;
    match found.iter().zip(expected).position(|(found, expected)| found != expected) {
        Some(place) => Err(LogFault::Hash { name: name.path(), place }),
        None => Ok(()),
    }
}
