//! The audit log as a whole: logs for the tests of its parts, and how their files are read.

mod damage;
mod golden;
mod journal;
mod python;
mod store;

use std::collections::BTreeMap;
use std::io;

use crate::audit::checkpoint::Checkpoint;
use crate::audit::files::LogFiles;
use crate::audit::tile::{Edge, TileKind, TileName, new_tiles, number_path, push_entry};
use crate::audit::tree::{Hash, Head, leaf_hash};
use crate::audit::{SigningKey, VerifierKey};
use crate::base::origin::LogOrigin;

/// A log as files in memory.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

impl LogFiles for Files {
    fn names(&self) -> io::Result<Vec<String>> {
        let below = |name: &&String| name.contains('/');
        Ok(self.keys().filter(below).cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.get(name).cloned())
    }
}

pub(super) fn key() -> SigningKey {
    SigningKey::from_seed(&origin("example.org/log"), &[3; 32])
}

pub(super) fn origin(text: &str) -> LogOrigin {
    text.parse().unwrap()
}

pub(super) fn verifier() -> VerifierKey {
    key().verifier().clone()
}

/// So many entries, no two alike.
pub(super) fn made_up(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| format!(r#"{{"at_ms":{n},"leaf":"made-up-{n}"}}"#).into_bytes()).collect()
}

/// The head of the first `size` of `entries`.
pub(super) fn head(entries: &[Vec<u8>], size: usize) -> Head {
    let mut edge = Edge::default();
    for entry in &entries[..size] {
        edge.push(leaf_hash(entry), |_, _| {});
    }
    Head { size: edge.size(), root: edge.root() }
}

/// The log of these entries, with a checkpoint at each of these sizes, the last of which is its
/// own: made here by slicing all hashes of each level, not by growing.
pub(super) fn log(entries: &[Vec<u8>], sizes: &[usize]) -> Files {
    let mut files = Files::new();
    let mut levels: Vec<Vec<Hash>> = vec![entries.iter().map(|entry| leaf_hash(entry)).collect()];
    while let Some(below) = levels.last().filter(|below| below.len() >= 256) {
        let (full, _) = below.as_chunks::<256>();
        levels.push(full.iter().map(|tile| crate::audit::tree::subtree_root(tile)).collect());
    }
    for name in new_tiles(0, entries.len() as u64) {
        files.insert(name.path(), bytes_of(&name, entries, &levels));
    }
    for size in sizes {
        let note = Checkpoint::sign(&key(), head(entries, *size)).note.into_bytes();
        files.insert(format!("checkpoints/{}", number_path(*size as u64)), note.clone());
        files.insert("checkpoint".into(), note);
    }
    files.insert("verifier-key".into(), format!("{}\n", verifier()).into_bytes());
    files
}

fn bytes_of(name: &TileName, entries: &[Vec<u8>], levels: &[Vec<Hash>]) -> Vec<u8> {
    let begin = name.number as usize * 256;
    match name.kind {
        TileKind::Hashes(level) => {
            levels[usize::from(level)][begin..begin + name.width].as_flattened().to_vec()
        }
        TileKind::Entries => {
            let mut bundle = Vec::new();
            for entry in &entries[begin..begin + name.width] {
                push_entry(&mut bundle, entry);
            }
            bundle
        }
    }
}
