//! An export of the log into a folder, which any reader of tiled logs can take and anybody can
//! verify. Where its files come from is `published.rs`.
//!
//! Only what is new is fetched, and only entries: tiles are made anew from them. So an export also
//! verifies. What is there is read at its right edge, what comes must continue it, and the root
//! that results must be the signed one. The checkpoint is written last: a folder that was left
//! half done is finished by the next export.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::durable;
use super::files::{CHECKPOINT, CHECKPOINTS, LogFiles, LogFolder, VERIFIER_KEY};
use super::key::VerifierKey;
use super::tile::{Edge, TILE_WIDTH, TileKind, TileName, entries, hashes, new_tiles, number_path};
use super::tree::{Hash, Head, leaf_hash};

/// How many files are asked for at once.
const NAMES_MAX: usize = 64;

/// Where an export gets its files from.
pub trait LogSource {
    /// The bytes of the first of these files, of as many as come at once, one at least; `None` for
    /// one that the log does not have.
    ///
    /// # Errors
    /// Whatever keeps it from giving them.
    fn files(&self, names: &[String]) -> Result<Vec<Option<Vec<u8>>>, SourceError>;

    /// The sizes of the checkpoints after that of `size`, as many as come at once.
    ///
    /// # Errors
    /// Whatever keeps it from giving them.
    fn checkpoint_sizes(&self, size: u64) -> Result<Vec<u64>, SourceError>;
}

/// What a source may say.
pub type SourceError = Box<dyn Error + Send + Sync>;

/// What an export has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The log's head.
    pub head: Head,
    /// The key that checks it.
    pub key: VerifierKey,
    /// How many entries are new in the folder.
    pub entries_new: u64,
}

/// Why a log was not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The source failed.
    #[error("cannot read the log")]
    Source(#[source] SourceError),
    /// The source has not what a log has.
    #[error("the log has no right {name}")]
    Wrong {
        /// The file that is not right.
        name: String,
    },
    /// The folder cannot be read or written.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The folder holds another log.
    #[error("{} is not of this log, or is damaged: choose a new folder", path.display())]
    Foreign {
        /// The file that is not right.
        path: PathBuf,
    },
    /// The folder has a longer log, or one with other entries.
    #[error(
        "the folder has the log with {folder_size} entries, and the gateway's, with {log_size}, \
         does not continue it: the gateway's log was cut or changed"
    )]
    Forked {
        /// How many entries the log in the folder has.
        folder_size: u64,
        /// How many the source's has.
        log_size: u64,
    },
}

/// Brings `folder` up to the newest checkpoint of `source`; makes it if it is not there.
///
/// # Errors
/// [`ExportError`]. The checkpoint in the folder is then the one of before.
pub fn export(source: &dyn LogSource, folder: &Path) -> Result<Exported, ExportError> {
    let key = String::from_utf8(one(source, VERIFIER_KEY)?).ok();
    let key = key.as_deref().and_then(|key| key.strip_suffix('\n')?.parse().ok());
    let key: VerifierKey = key.ok_or_else(|| wrong(VERIFIER_KEY))?;
    let note = one(source, CHECKPOINT)?;
    let newest = Checkpoint::open(&note, &key).map_err(|_| wrong(CHECKPOINT))?;
    let mut export = Export::begin(source, folder, &key, newest.head)?;
    let size_before = export.edge.size();
    for names in new_bundles(size_before, newest.head.size) {
        export.bundles(&names)?;
    }
    if export.edge.root() != newest.head.root {
        return Err(export.forked());
    }
    let edge = export.edge.clone();
    for (name, hashes) in edge.partial() {
        export.put(&name.path(), hashes.as_flattened())?;
    }
    export.remove_partial(size_before)?;
    export.checkpoints(&key, size_before)?;
    export.put(VERIFIER_KEY, format!("{key}\n").as_bytes())?;
    export.finish(&note)?;
    let entries_new = newest.head.size - size_before;
    Ok(Exported { head: newest.head, key, entries_new })
}

/// The bundles that a log has and a shorter one has not, in parts that are asked for at once.
fn new_bundles(size_before: u64, size: u64) -> impl Iterator<Item = Vec<TileName>> {
    let mut bundles = new_tiles(size_before, size);
    bundles.retain(|name| name.kind == TileKind::Entries);
    bundles.chunks(NAMES_MAX).map(<[_]>::to_vec).collect::<Vec<_>>().into_iter()
}

fn wrong(name: &str) -> ExportError {
    ExportError::Wrong { name: name.to_owned() }
}

fn one(source: &dyn LogSource, name: &str) -> Result<Vec<u8>, ExportError> {
    let files = source.files(&[name.to_owned()]).map_err(ExportError::Source)?;
    files.into_iter().next().flatten().ok_or_else(|| wrong(name))
}

/// Each of these files, however many come at once.
fn each(
    source: &dyn LogSource,
    names: &[String],
    mut take: impl FnMut(&str, Vec<u8>) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let mut rest = names;
    while let Some(first) = rest.first() {
        let files = source.files(rest).map_err(ExportError::Source)?;
        if files.is_empty() || files.len() > rest.len() {
            return Err(wrong(first));
        }
        let (come, later) = rest.split_at(files.len());
        for (name, file) in come.iter().zip(files) {
            take(name, file.ok_or_else(|| wrong(name))?)?;
        }
        rest = later;
    }
    Ok(())
}

/// An export under way.
struct Export<'a> {
    source: &'a dyn LogSource,
    folder: &'a Path,
    /// The right edge of what is in the folder.
    edge: Edge,
    /// How many entries the folder had, and how many it will have.
    folder_size: u64,
    log_size: u64,
}

impl<'a> Export<'a> {
    fn begin(
        source: &'a dyn LogSource,
        folder: &'a Path,
        key: &VerifierKey,
        head: Head,
    ) -> Result<Export<'a>, ExportError> {
        let files = LogFolder(folder.to_owned());
        let read = |name: &str| {
            let path = folder.join(name);
            files.read(name).map_err(|source| ExportError::Io { path, source })
        };
        let foreign = |name: &str| ExportError::Foreign { path: folder.join(name) };
        if let Some(there) = read(VERIFIER_KEY)?
            && there != format!("{key}\n").into_bytes()
        {
            return Err(foreign(VERIFIER_KEY));
        }
        let before = match read(CHECKPOINT)? {
            Some(note) => Checkpoint::open(&note, key).map_err(|_| foreign(CHECKPOINT))?.head,
            None => Head { size: 0, root: super::tree::empty_root() },
        };
        let edge = Edge::of_tree(before.size, |name| {
            let bytes = read(&name.path())?;
            let hashes = bytes.as_deref().and_then(hashes);
            hashes.filter(|found| found.len() == name.width).ok_or_else(|| foreign(&name.path()))
        })?;
        if edge.root() != before.root {
            return Err(foreign("tile"));
        }
        let (folder_size, log_size) = (before.size, head.size);
        let export = Export { source, folder, edge, folder_size, log_size };
        if folder_size > log_size { Err(export.forked()) } else { Ok(export) }
    }

    fn forked(&self) -> ExportError {
        ExportError::Forked { folder_size: self.folder_size, log_size: self.log_size }
    }

    /// Fetches these bundles and takes their entries into the tree.
    fn bundles(&mut self, names: &[TileName]) -> Result<(), ExportError> {
        let paths: Vec<String> = names.iter().map(TileName::path).collect();
        let mut widths = names.iter().map(|name| name.width);
        each(self.source, &paths, |path, bytes| {
            let width = widths.next().expect("a file comes for each name");
            self.bundle(path, &bytes, width)
        })
    }

    fn bundle(&mut self, path: &str, bytes: &[u8], width: usize) -> Result<(), ExportError> {
        let entries = entries(bytes).filter(|entries| entries.len() == width);
        let leaves: Vec<Hash> =
            entries.ok_or_else(|| wrong(path))?.into_iter().map(leaf_hash).collect();
        let known = (self.edge.size() % TILE_WIDTH as u64) as usize;
        let is_level_0 = |(name, _): &(TileName, &[Hash])| name.kind == TileKind::Hashes(0);
        let there = self.edge.partial().find(is_level_0).map_or(&[][..], |(_, hashes)| hashes);
        if leaves[..known] != *there {
            return Err(self.forked());
        }
        let mut filled: Vec<(TileName, Vec<Hash>)> = Vec::new();
        for leaf in &leaves[known..] {
            self.edge.push(*leaf, |name, hashes| filled.push((name, hashes.to_vec())));
        }
        self.put(path, bytes)?;
        for (name, hashes) in filled {
            self.put(&name.path(), hashes.as_flattened())?;
        }
        Ok(())
    }

    /// Takes away the partial tiles of before whose tiles are full by now.
    fn remove_partial(&self, size_before: u64) -> Result<(), ExportError> {
        let edge_before = |level: u32| size_before.checked_shr(8 * (level + 1)).unwrap_or(0);
        let edge_now = |level: u32| self.log_size.checked_shr(8 * (level + 1)).unwrap_or(0);
        for level in (0..8).filter(|level| edge_before(*level) < edge_now(*level)) {
            let number = number_path(edge_before(level));
            let mut folders = vec![format!("tile/{level}/{number}.p")];
            if level == 0 {
                folders.push(format!("tile/entries/{number}.p"));
            }
            for folder in folders {
                let path = self.folder.join(folder);
                match std::fs::remove_dir_all(&path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    removed => removed.map_err(|source| ExportError::Io { path, source })?,
                }
            }
        }
        Ok(())
    }

    /// Fetches the checkpoints that are new.
    fn checkpoints(&self, key: &VerifierKey, size_before: u64) -> Result<(), ExportError> {
        let mut after = size_before;
        loop {
            let sizes = self.source.checkpoint_sizes(after).map_err(ExportError::Source)?;
            let new = sizes.iter().filter(|size| (after + 1..=self.log_size).contains(*size));
            let names: Vec<String> =
                new.map(|size| format!("{CHECKPOINTS}{}", number_path(*size))).collect();
            let Some(last) = sizes.last().filter(|_| !names.is_empty()) else { return Ok(()) };
            after = *last;
            for names in names.chunks(NAMES_MAX) {
                each(self.source, names, |name, note| {
                    Checkpoint::open(&note, key).map_err(|_| wrong(name))?;
                    self.put(name, &note)
                })?;
            }
        }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let path = self.folder.join(name);
        let written = || {
            std::fs::create_dir_all(path.parent().unwrap_or(self.folder))?;
            durable::write_later(&path, bytes)
        };
        written().map_err(|source| ExportError::Io { path: path.clone(), source })
    }

    /// Makes everything durable, and then writes the checkpoint that says that it is there.
    fn finish(&self, note: &[u8]) -> Result<(), ExportError> {
        let path = self.folder.join(CHECKPOINT);
        let written = || {
            rustix::fs::syncfs(std::fs::File::open(self.folder)?)?;
            durable::write(&path, note)
        };
        written().map_err(|source| ExportError::Io { path: path.clone(), source })
    }
}
