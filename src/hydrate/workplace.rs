//! The folder beside an archive in which a hydration works: its IDs, what became of each, how far
//! it is, and the one answer that is being applied. What is asked for is not known here.
//!
//! | file | what |
//! |---|---|
//! | `plan.json` | which hydration it is; never changes |
//! | `ids` | the IDs, 8 bytes each, little-endian, each once; never changes |
//! | `outcomes` | one byte for each ID: 0 or the code of its outcome |
//! | `progress.json` | how many IDs have an outcome, and how long the archive is with them |
//! | `answer` | the newest answer as it came, under a line that says which IDs it is about |
//! | `lock` | held by the process that works here |
//!
//! Each file but `outcomes` is replaced as a whole, and everything is durable before the next is
//! touched: answer, archive, outcomes, progress. What a process left undone its successor does
//! again from the answer, and comes to the same.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::archive::Archive;
use super::error::HydrateError;
use super::outcome::{Account, Outcome};
use super::page::{self, Understood};
use crate::base::ids::IdKind;

/// Bytes of an ID.
const ID_BYTES: u64 = 8;

/// What a hydration is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its number, a UUID.
    pub id: String,
    /// What is fetched.
    pub kind: IdKind,
    /// The name of the credential that asks; no other one goes on with it.
    pub credential: String,
    /// How many IDs there are.
    pub ids: u64,
    /// The SHA-256 of the file of IDs, in hexadecimal.
    pub ids_sha256: String,
}

/// How far a hydration is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    /// How many IDs have an outcome: the first ones.
    asked: u64,
    /// How long the archive is with their objects.
    archive_bytes: u64,
    /// What became of them.
    account: Account,
}

/// Which IDs an answer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct About {
    first: u64,
    ids: u64,
}

/// The place of one hydration, which this process has for itself.
#[derive(Debug)]
pub struct Workplace {
    folder: PathBuf,
    archive: Archive,
    plan: Plan,
    progress: Progress,
    ids: File,
    outcomes: File,
    _lock: File,
}

/// The folder in which an archive is worked on.
fn folder_of(archive: &Path) -> PathBuf {
    let mut name = archive.as_os_str().to_owned();
    name.push(".hydrating");
    name.into()
}

impl Workplace {
    /// Whether a hydration into `archive` was begun and has not ended.
    pub fn is_begun(archive: &Path) -> bool {
        folder_of(archive).is_dir()
    }

    /// Begins a hydration of `ids` into `archive`, which must not be there yet; each ID must come
    /// once. Either all of the folder is there afterwards, or nothing.
    ///
    /// # Errors
    /// [`HydrateError::Unfit`] if there is nothing to fetch, or if the archive is there;
    /// [`HydrateError::File`].
    pub fn begin(
        archive: &Path,
        kind: IdKind,
        credential: &str,
        ids: impl Iterator<Item = io::Result<u64>>,
    ) -> Result<Workplace, HydrateError> {
        let folder = folder_of(archive);
        if archive.exists() {
            let message = format!(
                "{} is there already, and nothing is being fetched into it: name another file",
                archive.display()
            );
            return Err(HydrateError::Unfit(message));
        }
        let parent = archive.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let draft = tempfile::Builder::new()
            .prefix(".hydrating-")
            .tempdir_in(parent)
            .map_err(HydrateError::file(parent))?;
        let (count, sha256) = write_ids(&draft.path().join("ids"), ids)?;
        if count == 0 {
            return Err(HydrateError::Unfit("there is no ID to fetch an object for".to_owned()));
        }
        let plan = Plan {
            id: uuid::Uuid::now_v7().to_string(),
            kind,
            credential: credential.to_owned(),
            ids: count,
            ids_sha256: sha256,
        };
        let outcomes = draft.path().join("outcomes");
        let made = File::create(&outcomes).and_then(|file| {
            file.set_len(count)?;
            file.sync_all()
        });
        made.map_err(HydrateError::file(&outcomes))?;
        write_json(&draft.path().join("progress.json"), &Progress::default())?;
        write_json(&draft.path().join("plan.json"), &plan)?;
        let draft = draft.keep();
        let placed = std::fs::rename(&draft, &folder).and_then(|()| sync_folder(parent));
        placed.map_err(HydrateError::file(&folder))?;
        Workplace::go_on(archive)
    }

    /// Takes up a hydration into `archive` that was begun.
    ///
    /// # Errors
    /// [`HydrateError::Unfit`] if another process works on it; [`HydrateError::Damaged`] if the
    /// folder is not as it was left; [`HydrateError::File`].
    pub fn go_on(archive: &Path) -> Result<Workplace, HydrateError> {
        let folder = folder_of(archive);
        let open = |name: &str| {
            let path = folder.join(name);
            let mut options = OpenOptions::new();
            let options = options.read(true).write(true).create(name == "lock").truncate(false);
            options.open(&path).map_err(HydrateError::file(path))
        };
        let lock = open("lock")?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = format!("another process fetches into {} now", archive.display());
                return Err(HydrateError::Unfit(message));
            }
            Err(TryLockError::Error(error)) => return Err(HydrateError::file(&folder)(error)),
        }
        let plan: Plan = read_json(&folder.join("plan.json"))?;
        let progress: Progress = read_json(&folder.join("progress.json"))?;
        let (ids, outcomes) = (open("ids")?, open("outcomes")?);
        for (file, name, bytes) in
            [(&ids, "ids", plan.ids * ID_BYTES), (&outcomes, "outcomes", plan.ids)]
        {
            let path = folder.join(name);
            let length = file.metadata().map_err(HydrateError::file(&path))?.len();
            if length != bytes {
                return Err(HydrateError::Damaged { path, what: "it has another length" });
            }
        }
        let archive = Archive::at(archive);
        if progress == Progress::default() && !archive.path().exists() {
            archive.create().map_err(HydrateError::file(archive.path()))?;
        }
        let bytes = archive.path().metadata().map_err(HydrateError::file(archive.path()))?.len();
        if bytes < progress.archive_bytes {
            let path = archive.path().to_owned();
            return Err(HydrateError::Damaged { path, what: "it is shorter than it was" });
        }
        let mut place = Workplace { folder, archive, plan, progress, ids, outcomes, _lock: lock };
        place.apply_kept()?;
        Ok(place)
    }

    /// Makes sure that it was begun for these very IDs.
    ///
    /// # Errors
    /// [`HydrateError::Unfit`] if not; [`HydrateError::File`] if they cannot be read.
    pub fn require(&self, ids: impl Iterator<Item = io::Result<u64>>) -> Result<(), HydrateError> {
        let digest = write_ids_to(io::sink(), ids).map_err(HydrateError::file(&self.folder))?;
        if digest == (self.plan.ids, self.plan.ids_sha256.clone()) {
            return Ok(());
        }
        let message = format!(
            "{} was begun with {} other IDs: name no IDs to go on with those, or another file",
            self.archive.path().display(),
            self.plan.ids
        );
        Err(HydrateError::Unfit(message))
    }

    /// What it is about.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The archive.
    pub fn archive(&self) -> &Path {
        self.archive.path()
    }

    /// How many IDs have an outcome.
    pub fn asked(&self) -> u64 {
        self.progress.asked
    }

    /// What became of them.
    pub fn account(&self) -> Account {
        self.progress.account
    }

    /// The IDs of the next request: at most so many; none when all have an outcome.
    pub(super) fn next(&self, ids_max: u64) -> Result<Vec<u64>, HydrateError> {
        let ids = ids_max.min(self.plan.ids - self.progress.asked);
        self.ids_from(self.progress.asked, ids)
    }

    fn ids_from(&self, first: u64, ids: u64) -> Result<Vec<u64>, HydrateError> {
        let mut bytes = vec![0; usize::try_from(ids * ID_BYTES).expect("a request is small")];
        let path = self.folder.join("ids");
        self.ids.read_exact_at(&mut bytes, first * ID_BYTES).map_err(HydrateError::file(path))?;
        let (ids, _) = bytes.as_chunks::<{ ID_BYTES as usize }>();
        Ok(ids.iter().map(|id| u64::from_le_bytes(*id)).collect())
    }

    /// Keeps the answer to a request for the next `ids` IDs and applies it. Once this has begun
    /// to apply it, nobody has to ask for them again.
    pub(super) fn keep(&mut self, ids: u64, body: &[u8]) -> Result<(), HydrateError> {
        let about = About { first: self.progress.asked, ids };
        let mut bytes = serde_json::to_vec(&about).expect("numbers are JSON");
        bytes.push(b'\n');
        bytes.extend_from_slice(body);
        write_durably(&self.folder.join("answer"), &bytes)?;
        self.apply_kept()
    }

    /// Applies the answer that is kept, if it has not been applied to its end.
    fn apply_kept(&mut self) -> Result<(), HydrateError> {
        let path = self.folder.join("answer");
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(HydrateError::file(path)(error)),
        };
        let damaged = |what| HydrateError::Damaged { path: path.clone(), what };
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (head, body) = bytes.split_at(end.ok_or_else(|| damaged("it has no first line"))?);
        let about: About =
            serde_json::from_slice(head).map_err(|_| damaged("its first line is no place"))?;
        if about.first < self.progress.asked {
            return Ok(());
        }
        let is_next = about.first == self.progress.asked;
        if !is_next || about.ids > self.plan.ids - about.first {
            return Err(damaged("it is about other IDs"));
        }
        let page = serde_json::from_slice(body).map_err(|_| damaged("it is no JSON"))?;
        let ids = self.ids_from(about.first, about.ids)?;
        self.apply(page::understand(&page, self.plan.kind, &ids))
    }

    fn apply(&mut self, understood: Understood) -> Result<(), HydrateError> {
        let Progress { asked, archive_bytes, mut account } = self.progress;
        let archive_bytes = self
            .archive
            .append_at(archive_bytes, &understood.lines)
            .map_err(HydrateError::file(self.archive.path()))?;
        let codes: Vec<u8> = understood.outcomes.iter().map(|outcome| outcome.code()).collect();
        let noted =
            self.outcomes.write_all_at(&codes, asked).and_then(|()| self.outcomes.sync_data());
        noted.map_err(HydrateError::file(self.folder.join("outcomes")))?;
        understood.outcomes.iter().for_each(|outcome| account.add(*outcome));
        let asked = asked + codes.len() as u64;
        let progress = Progress { asked, archive_bytes, account };
        write_json(&self.folder.join("progress.json"), &progress)?;
        self.progress = progress;
        Ok(())
    }

    /// Hands each ID that has an outcome with it to `take`, in their order.
    ///
    /// # Errors
    /// [`HydrateError::File`], or what `take` returns.
    pub fn each(
        &self,
        mut take: impl FnMut(u64, Outcome) -> Result<(), HydrateError>,
    ) -> Result<(), HydrateError> {
        const AT_ONCE: u64 = 8_192;
        let path = self.folder.join("outcomes");
        let mut first = 0;
        while first < self.progress.asked {
            let ids = self.ids_from(first, AT_ONCE.min(self.progress.asked - first))?;
            let mut codes = vec![0; ids.len()];
            self.outcomes.read_exact_at(&mut codes, first).map_err(HydrateError::file(&path))?;
            for (id, code) in ids.iter().zip(codes) {
                let outcome = Outcome::from_code(code).ok_or_else(|| HydrateError::Damaged {
                    path: path.clone(),
                    what: "an ID that was asked for has no outcome",
                })?;
                take(*id, outcome)?;
            }
            first += ids.len() as u64;
        }
        Ok(())
    }

    /// Writes what became of each ID as CSV to `path`, whole or not at all.
    ///
    /// # Errors
    /// [`HydrateError::File`].
    pub fn write_account(&self, path: &Path) -> Result<(), HydrateError> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let file = tempfile::Builder::new()
            .prefix(".hydrant-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
            .tempfile_in(parent)
            .map_err(HydrateError::file(parent))?;
        let mut out = BufWriter::new(file);
        out.write_all(b"id,outcome\n").map_err(HydrateError::file(path))?;
        self.each(|id, outcome| {
            writeln!(out, "{id},{}", outcome.word()).map_err(HydrateError::file(path))
        })?;
        let file =
            out.into_inner().map_err(|error| HydrateError::file(path)(error.into_error()))?;
        file.as_file().sync_all().map_err(HydrateError::file(path))?;
        file.persist(path).map_err(|error| HydrateError::file(path)(error.error))?;
        sync_folder(parent).map_err(HydrateError::file(parent))
    }

    /// Removes the folder of a hydration that has ended; the archive stays.
    ///
    /// # Errors
    /// [`HydrateError::File`].
    ///
    /// # Panics
    /// If an ID has no outcome yet.
    pub fn remove(self) -> Result<(), HydrateError> {
        assert_eq!(self.progress.asked, self.plan.ids, "what has not ended is not removed");
        std::fs::remove_dir_all(&self.folder).map_err(HydrateError::file(&self.folder))
    }
}

/// Writes IDs, and says how many there are and what they hash to.
fn write_ids(
    path: &Path,
    ids: impl Iterator<Item = io::Result<u64>>,
) -> Result<(u64, String), HydrateError> {
    let written = || {
        let mut out = BufWriter::new(File::create(path)?);
        let written = write_ids_to(&mut out, ids)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(written)
    };
    written().map_err(HydrateError::file(path))
}

fn write_ids_to(
    mut out: impl Write,
    ids: impl Iterator<Item = io::Result<u64>>,
) -> io::Result<(u64, String)> {
    let (mut count, mut digest) = (0, Sha256::new());
    for id in ids {
        let bytes = id?.to_le_bytes();
        digest.update(bytes);
        out.write_all(&bytes)?;
        count += 1;
    }
    Ok((count, hex::encode(digest.finalize())))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), HydrateError> {
    let mut bytes = serde_json::to_vec(value).expect("plans and progress are JSON");
    bytes.push(b'\n');
    write_durably(path, &bytes)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, HydrateError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)
    });
    read.map_err(HydrateError::file(path))?;
    serde_json::from_slice(&bytes)
        .map_err(|_| HydrateError::Damaged { path: path.to_owned(), what: "it cannot be read" })
}

/// Replaces a file as a whole; afterwards it is on the disk.
fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), HydrateError> {
    let next = path.with_extension("next");
    let written = || {
        let mut file = File::create(&next)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&next, path)?;
        sync_folder(path.parent().expect("a file stands in a folder"))
    };
    written().map_err(HydrateError::file(path))
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
