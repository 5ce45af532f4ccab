//! The folder of a release that is being built, until it becomes one or goes.
//!
//! The story: a draft is a folder `.building-…` beside the releases, locked by its builder. When
//! everything in it is on the disk it is renamed to the release's ID in one step, so that whoever
//! looks sees a whole release or none. The kernel gives up the lock when the builder dies, however
//! it dies; the next builder finds such a folder unlocked and removes it. Between making a folder
//! and locking it lies a moment in which another builder could take it for such a leftover:
//! making and sweeping therefore happen under a lock of the folder that they both stand in.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::build::{Objects, write_manifest};
use super::error::ReleaseError;
use super::manifest::{MANIFEST_NAME, Manifest, Private, PrivateEntry};
use super::open::read_manifest;

const PREFIX: &str = ".building-";

/// A folder in which a release is being built; it goes with this value unless it is published.
pub(super) struct Draft {
    releases: PathBuf,
    path: PathBuf,
    _lock: File,
}

impl Draft {
    /// Makes a draft in the folder `releases`, and removes what dead builders left there.
    pub(super) fn begin(releases: &Path) -> Result<Draft, ReleaseError> {
        let gate = File::open(releases).map_err(ReleaseError::io(releases))?;
        gate.lock().map_err(ReleaseError::io(releases))?;
        sweep(releases).map_err(ReleaseError::io(releases))?;
        let path = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(releases)
            .map_err(ReleaseError::io(releases))?
            .keep();
        let lock = File::open(&path).and_then(|file| file.lock().map(|()| file));
        let lock = lock.map_err(ReleaseError::io(&path))?;
        Ok(Draft { releases: releases.to_owned(), path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the draft the release `id`; every file in it is on the disk already.
    /// If there is one of that ID, that one is kept, and learns what the draft knows beyond it.
    pub(super) fn publish(self, id: &str, objects: Objects) -> Result<Published, ReleaseError> {
        let target = self.releases.join(id);
        sync_folder(&self.path)?;
        match fs::rename(&self.path, &target) {
            Ok(()) => sync_folder(&self.releases).map(|()| Published::New),
            Err(error) if is_occupied(&error) => {
                match objects {
                    Objects::AsTheyLie => adopt(&self.path, &target)?,
                    Objects::AtHand => replace(&self.path, &target)?,
                }
                Ok(Published::Reused)
            }
            Err(source) => Err(ReleaseError::Io { path: target, source }),
        }
    }
}

/// Gives a release that is there already the private columns that a new build of the same content
/// has and it lacks, as one built from a bare list lacks the authors. What is served stays.
fn adopt(draft: &Path, target: &Path) -> Result<(), ReleaseError> {
    let manifest = |folder: &Path| read_manifest(&folder.join(MANIFEST_NAME));
    let (new, mut old) = (manifest(draft)?, manifest(target)?);
    let is_lacking = |entry: &PrivateEntry| {
        !old.private.iter().any(|had| (had.kind, had.holds) == (entry.kind, entry.holds))
    };
    // Places point into sources, so they go with these; authors are what they are.
    let adopted: Vec<PrivateEntry> = new
        .private
        .into_iter()
        .filter(|entry| entry.holds == Private::Authors && is_lacking(entry))
        .collect();
    if adopted.is_empty() {
        return Ok(());
    }
    for entry in &adopted {
        // A file that is there already was left by an adoption that did not come to its end.
        let path = target.join(&entry.file);
        fs::rename(draft.join(&entry.file), &path).map_err(ReleaseError::io(&path))?;
    }
    sync_folder(target)?;
    old.private.splice(0..0, adopted);
    let next = draft.join("release.json.next");
    write_manifest(&next, &old).map_err(ReleaseError::io(&next))?;
    let path = target.join(MANIFEST_NAME);
    fs::rename(&next, &path).map_err(ReleaseError::io(&path))?;
    sync_folder(target)
}

/// Gives a release that is there already the sources of the draft, with the places of its records
/// and what lets these be read at once. What is served stays.
///
/// Files of both may have the same names, and somebody may be reading the old ones: the new ones
/// get names of their own, `release.json` goes over to them in one step, and then the old ones go.
fn replace(draft: &Path, target: &Path) -> Result<(), ReleaseError> {
    let manifest = |folder: &Path| read_manifest(&folder.join(MANIFEST_NAME));
    let (mut new, old) = (manifest(draft)?, manifest(target)?);
    // Authors are what they are, whichever source told them.
    let is_author = |entry: &PrivateEntry| entry.holds == Private::Authors;
    let kept: Vec<PrivateEntry> =
        old.private.iter().filter(|entry| is_author(entry)).cloned().collect();
    if !kept.is_empty() {
        new.private.retain(|entry| !is_author(entry));
    }
    for file in private_files(&mut new) {
        let free = (1..).map(|number| match number {
            1 => file.clone(),
            number => format!("{file}-{number}"),
        });
        let is_free = |name: &String| !target.join(name).exists();
        let name = free.into_iter().find(is_free).expect("some name is free");
        let path = target.join(&name);
        fs::rename(draft.join(&*file), &path).map_err(ReleaseError::io(&path))?;
        *file = name;
    }
    sync_folder(target)?;
    new.private.splice(0..0, kept);
    new.built_ms = old.built_ms;
    let next = draft.join("release.json.next");
    write_manifest(&next, &new).map_err(ReleaseError::io(&next))?;
    let path = target.join(MANIFEST_NAME);
    fs::rename(&next, &path).map_err(ReleaseError::io(&path))?;
    sync_folder(target)?;
    let (mut old, mut new) = (old, new);
    let used: Vec<String> = private_files(&mut new).into_iter().map(|file| file.clone()).collect();
    for file in private_files(&mut old).into_iter().filter(|file| !used.contains(file)) {
        let path = target.join(&*file);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(ReleaseError::Io { path, source: error });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The names of all files of a release that are never served.
fn private_files(manifest: &mut Manifest) -> Vec<&mut String> {
    let private = manifest.private.iter_mut().map(|entry| &mut entry.file);
    let blocks = manifest.sources.iter_mut().filter_map(|source| source.blocks.as_mut());
    let blocks = blocks.flat_map(|blocks| {
        let copy = blocks.copy.as_mut().map(|copy| &mut copy.file);
        copy.into_iter().chain([&mut blocks.table.file])
    });
    private.chain(blocks).collect()
}

/// What became of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Published {
    New,
    Reused,
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename nothing lies here any more. What cannot be removed the next sweep finds.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn is_occupied(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}

fn sync_folder(path: &Path) -> Result<(), ReleaseError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(ReleaseError::io(path))
}

/// Removes the drafts of builders that are dead. The caller holds the lock of `releases`.
fn sweep(releases: &Path) -> io::Result<()> {
    for entry in fs::read_dir(releases)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
            continue;
        }
        let folder = match File::open(entry.path()) {
            Ok(folder) => folder,
            // Its builder published or removed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        match folder.try_lock() {
            Ok(()) => fs::remove_dir_all(entry.path())?,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::manifest::FORMAT;
    use super::*;

    fn nothing() -> Manifest {
        Manifest {
            format: FORMAT,
            release: String::new(),
            scope: "own".into(),
            built_ms: 1,
            columns: Vec::new(),
            private: Vec::new(),
            sources: Vec::new(),
            report: serde_json::Value::Null,
        }
    }

    fn names(releases: &Path) -> Vec<String> {
        let entries = fs::read_dir(releases).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_draft_becomes_a_release_in_one_step_and_only_once() {
        let releases = tempfile::tempdir().unwrap();
        for expected in [Published::New, Published::Reused] {
            let draft = Draft::begin(releases.path()).unwrap();
            let manifest = nothing();
            let path = draft.path().join(MANIFEST_NAME);
            write_manifest(&path, &Manifest { release: manifest.content_id(), ..manifest })
                .unwrap();
            assert_eq!(draft.publish("abc", Objects::AsTheyLie).unwrap(), expected);
            assert_eq!(names(releases.path()), ["abc"]);
        }
    }

    #[test]
    fn what_a_dead_builder_left_goes_and_what_a_live_one_has_stays() {
        let releases = tempfile::tempdir().unwrap();
        let dead = releases.path().join(".building-dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("tweet-ids.txt"), "20\n").unwrap();
        fs::create_dir(releases.path().join("kept")).unwrap();
        let live = Draft::begin(releases.path()).unwrap();
        assert!(!dead.exists());
        let other = Draft::begin(releases.path()).unwrap();
        assert!(live.path().is_dir() && other.path().is_dir());
        drop((live, other));
        assert_eq!(names(releases.path()), ["kept"]);
    }
}
