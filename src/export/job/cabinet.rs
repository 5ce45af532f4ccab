//! The folder in which made files are kept: where each lies, whether something in one was removed
//! since, and what is thrown away.
//!
//! # The story
//!
//! A file is made without what is removed, and its row says by which version of the removals. The
//! ledger hands it out only while that is the version in force, in the transaction of the charge;
//! so a removal bites at its commit, whoever committed it. Beside each file stands the list of all
//! Tweets and Users in it: when there is a newer version, that list is held against it. Either the
//! row is brought up to that version, or the file is purged: its row in a transaction, which also
//! writes a letter to its person, and then its bytes. The list of what is in a file that was
//! fetched stays, for `copies`.
//!
//! What lies in the folder and belongs to no row that may need it is thrown away now and then; so a
//! crash leaves nothing for long.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::content::Content;
use super::copies::objects;
use crate::base::clock::Clock;
use crate::base::date::DAY_MS;
use crate::directory::letter;
use crate::directory::words::Status;
use crate::removal::Known;
use crate::store::{ExportFileRow, Store, StoreError, Tx};

/// Why a file is purged, for its person.
const REMOVED: &str = "something in it must no longer be distributed";
/// Why a file is purged that is not on the disk.
const LOST: &str = "the file is no longer on the disk of the gateway";

/// What the names of lists end with that say what is in a file.
const CONTENT: &str = "ids";

/// What the names of lists of IDs begin with; the number of their export follows.
const LIST: &str = "list-";
/// How long the list of an export is kept that has no file any more, in milliseconds: for asking
/// for one again.
const LIST_MS: i64 = 30 * DAY_MS;

/// The subject of the letter about a purged file.
const SUBJECT: &str = "A file of your export was withdrawn";

/// Where files are kept. Clones share it.
#[derive(Clone, Debug)]
pub struct Cabinet(Arc<Shared>);

struct Shared {
    folder: PathBuf,
    store: Store,
    clock: Clock,
    known: Known,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Cabinet").field("folder", &self.folder).finish()
    }
}

/// Why nobody can tell what is in a file.
#[derive(Debug, thiserror::Error)]
pub enum CabinetError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another gateway keeps it, in a folder that is not seen here.
    #[error("the gateway {0} keeps it in a folder of its own: share export.folder among gateways")]
    Elsewhere(String),
    /// The disk did.
    #[error("cannot use {path}: {source}")]
    Disk {
        /// What.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A file of this process's own, which nobody else may read.
pub(super) fn new_file(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)
}

impl Cabinet {
    /// The cabinet in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// [`CabinetError::Disk`].
    pub fn open(folder: &Path, store: Store, clock: Clock) -> Result<Cabinet, CabinetError> {
        let made = {
            use std::os::unix::fs::DirBuilderExt;
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
        };
        made.map_err(|source| CabinetError::Disk { path: folder.to_owned(), source })?;
        let known = Known::new(store.clone());
        Ok(Cabinet(Arc::new(Shared { folder: folder.to_owned(), store, clock, known })))
    }

    /// What is removed.
    pub fn known(&self) -> &Known {
        &self.0.known
    }

    /// The store of the rows.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// What time it is.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    fn path(&self, file: i64, attempt: u32, what: &str) -> PathBuf {
        self.0.folder.join(format!("{file}.{attempt}.{what}"))
    }

    /// Where the list stands of what is in a file.
    pub(super) fn content_path(&self, file: i64, attempt: u32) -> PathBuf {
        self.path(file, attempt, CONTENT)
    }

    /// Where an attempt to make a file keeps what it gathers.
    pub(super) fn spool(&self, file: i64, attempt: u32) -> PathBuf {
        self.path(file, attempt, "spool")
    }

    /// The folder in which the platform is asked for what a file holds, whatever attempt does.
    pub(super) fn answers(&self, file: i64) -> PathBuf {
        self.0.folder.join(format!("{file}.answers"))
    }

    /// The newest spool of an earlier attempt to make a file.
    pub(super) fn earlier_spool(&self, file: i64, attempt: u32) -> Option<PathBuf> {
        (1..attempt).rev().map(|earlier| self.spool(file, earlier)).find(|path| path.exists())
    }

    /// The empty file that an attempt writes.
    pub(super) fn begin(&self, file: i64, attempt: u32) -> Result<File, CabinetError> {
        let path = self.path(file, attempt, "part");
        new_file(&path).map_err(|source| CabinetError::Disk { path, source })
    }

    /// Puts what an attempt wrote where it is kept, with the list of what is in it; returns how
    /// long it is and its SHA-256.
    pub(super) fn keep(
        &self,
        file: i64,
        attempt: u32,
        written: &File,
        content: &Content,
    ) -> Result<(u64, [u8; 32]), CabinetError> {
        let path = self.path(file, attempt, "file");
        let kept = || {
            written.sync_all()?;
            let part = self.path(file, attempt, "part");
            let found = digest(&mut File::open(&part)?)?;
            content.write(&self.content_path(file, attempt))?;
            fs::rename(&part, &path)?;
            File::open(&self.0.folder)?.sync_all()?;
            Ok(found)
        };
        kept().map_err(|source| CabinetError::Disk { path: path.clone(), source })
    }

    fn list_path(&self, export: i64) -> PathBuf {
        self.0.folder.join(format!("{LIST}{export}"))
    }

    /// Keeps the IDs that somebody listed for an export, ascending.
    pub(super) fn keep_list(&self, export: i64, ids: &[u64]) -> Result<(), CabinetError> {
        let path = self.list_path(export);
        let kept = || {
            let mut out = io::BufWriter::new(new_file(&path)?);
            for id in ids {
                out.write_all(&id.to_le_bytes())?;
            }
            out.flush()?;
            out.get_ref().sync_all()
        };
        kept().map_err(|source| CabinetError::Disk { path: path.clone(), source })
    }

    /// The IDs that somebody listed for an export, ascending.
    pub(super) fn list(&self, export: i64) -> io::Result<Vec<u64>> {
        let bytes = fs::read(self.list_path(export))?;
        let (numbers, _) = bytes.as_chunks::<8>();
        Ok(numbers.iter().map(|number| u64::from_le_bytes(*number)).collect())
    }

    /// Throws away what an attempt gathered and has no use for any more, and everything of earlier
    /// ones.
    pub(super) fn forget_attempts(&self, file: i64, attempt: u32) {
        discard(&self.spool(file, attempt));
        discard(&self.answers(file));
        for earlier in 1..attempt {
            for what in ["spool", "part", CONTENT, "file"] {
                discard(&self.path(file, earlier, what));
            }
        }
    }

    /// The bytes of a file that is kept, if they are those that were made. Reads all of them.
    ///
    /// # Errors
    /// [`CabinetError`]: nobody can tell.
    pub fn bytes(&self, row: &ExportFileRow) -> Result<Option<File>, CabinetError> {
        let path = self.path(row.id, row.attempt, "file");
        let read = || {
            let mut file = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                file => file?,
            };
            let same = (row.bytes, row.sha256) == {
                let (bytes, sha256) = digest(&mut file)?;
                (bytes, Some(sha256))
            };
            Ok(same.then_some(file))
        };
        read().map_err(|source| CabinetError::Disk { path: path.clone(), source })
    }

    /// Whether more of a file may be sent that is being handed over, by the removals in force. A
    /// file that nobody has held against them is, now.
    ///
    /// # Errors
    /// [`StoreError`]: nobody can tell.
    pub fn may_go_on(&self, file: i64) -> Result<bool, StoreError> {
        if self.0.store.read(|tx| tx.export_file_may_go_on(file))? {
            return Ok(true);
        }
        let row = self.0.store.read(|tx| tx.export_file(file))?;
        if let Some(row) = row.filter(|row| row.state.is_kept()) {
            match self.check(&row) {
                Ok(_) => {}
                Err(CabinetError::Store(error)) => return Err(error),
                Err(error) => {
                    tracing::error!(%error, "nobody can tell whether a file may go on");
                    return Ok(false);
                }
            }
        }
        self.0.store.read(|tx| tx.export_file_may_go_on(file))
    }

    /// Holds a file against the removals in force; returns whether it is still kept. Waits for the
    /// disk.
    ///
    /// # Errors
    /// [`CabinetError`]: nobody can tell, and the file is handed to nobody until somebody can.
    pub fn check(&self, row: &ExportFileRow) -> Result<bool, CabinetError> {
        let path = self.content_path(row.id, row.attempt);
        let content = match Content::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return match self.maker_elsewhere(row.instance.as_deref())? {
                    Some(instance) => Err(CabinetError::Elsewhere(instance)),
                    None => self.purge(row, LOST, Vec::new(), row.removals).map(|()| false),
                };
            }
            Err(source) => return Err(CabinetError::Disk { path, source }),
        };
        let (version, gone) = self.0.store.read(|tx| -> Result<_, StoreError> {
            Ok((tx.removal_version()?, content.gone(tx, &self.0.known)?))
        })?;
        if !gone.is_empty() {
            return self.purge(row, REMOVED, gone, version).map(|()| false);
        }
        let id = row.id;
        self.0.store.write_blocking(move |tx| tx.export_file_found_clean(id, version))?;
        Ok(true)
    }

    /// The gateway that made a file, if that is another one.
    pub(super) fn maker_elsewhere(
        &self,
        maker: Option<&str>,
    ) -> Result<Option<String>, StoreError> {
        let own = self.0.store.read(|tx| Ok::<_, StoreError>(tx.instance().to_owned()))?;
        Ok(maker.filter(|instance| **instance != own).map(str::to_owned))
    }

    /// Holds every file that is kept against the removals in force, if it was not; returns how many
    /// were purged.
    ///
    /// # Errors
    /// The first [`CabinetError`]; the other files are held against them all the same.
    pub fn check_all(&self) -> Result<u64, CabinetError> {
        let rows = self.0.store.read(|tx| {
            tx.removal_version().and_then(|version| tx.export_files_unchecked(version))
        })?;
        let (mut purged, mut failed) = (0, None);
        for row in rows {
            match self.check(&row) {
                Ok(true) => {}
                Ok(false) => purged += 1,
                Err(CabinetError::Elsewhere(_)) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(purged), Err)
    }

    /// Ends a file that was kept, tells its person, and throws its bytes away. `gone` are those of
    /// its objects that the removals of that version name.
    fn purge(
        &self,
        row: &ExportFileRow,
        reason: &'static str,
        gone: Vec<Range<u64>>,
        version: i64,
    ) -> Result<(), CabinetError> {
        let (row, now_ms) = (row.clone(), self.0.clock.now_ms());
        let (id, attempt) = (row.id, row.attempt);
        let has_copy = self.0.store.write_blocking(move |tx| -> Result<bool, StoreError> {
            if !tx.export_file_purge(row.id, reason, now_ms)? {
                // Whoever did knows.
                return Ok(true);
            }
            let has_copy = tx.export_copy_held_against(row.id, &gone, version)?;
            tell(tx, now_ms, &row, reason, if has_copy { &gone } else { &[] })?;
            Ok(has_copy)
        })?;
        tracing::info!(file = id, reason, "a kept file is purged");
        discard(&self.path(id, attempt, "file"));
        if !has_copy {
            discard(&self.content_path(id, attempt));
        }
        Ok(())
    }

    /// Ends what was kept long enough, and throws away what belongs to no file any more; returns
    /// how many files have ended.
    ///
    /// # Errors
    /// [`CabinetError`].
    pub fn sweep(&self) -> Result<u64, CabinetError> {
        let now_ms = self.0.clock.now_ms();
        let ended = self.0.store.write_blocking(move |tx| tx.export_files_expire(now_ms))?;
        self.tidy()?;
        Ok(ended)
    }

    fn tidy(&self) -> Result<(), CabinetError> {
        let failed = |source| CabinetError::Disk { path: self.0.folder.clone(), source };
        // Before the rows are looked at, so that what is made meanwhile is not among them.
        let (mut files, mut contents, mut lists) = (Vec::new(), Vec::new(), Vec::new());
        for entry in fs::read_dir(&self.0.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let number = name.split('.').next().and_then(|number| number.parse::<i64>().ok());
            let is_content = path.extension().is_some_and(|extension| extension == CONTENT);
            let export = name.strip_prefix(LIST).and_then(|number| number.parse::<i64>().ok());
            let numbered = if is_content { &mut contents } else { &mut files };
            numbered.extend(number.map(|number| (number, path.clone())));
            lists.extend(export.map(|export| (export, path.clone())));
        }
        let since_ms = self.0.clock.now_ms() - LIST_MS;
        let (live, fetched, of_use) = self.0.store.read(|tx| -> Result<_, StoreError> {
            let (live, fetched) = (tx.export_files_live()?, tx.export_files_fetched()?);
            Ok((live, fetched, tx.exports_of_use(since_ms)?))
        })?;
        let gone = |live: &[i64], found: Vec<(i64, PathBuf)>| {
            let gone = found.into_iter().filter(|(number, _)| live.binary_search(number).is_err());
            gone.map(|(_, path)| path).collect::<Vec<_>>()
        };
        let mut known = [live.as_slice(), &fetched].concat();
        known.sort_unstable();
        let gone = [gone(&live, files), gone(&known, contents), gone(&of_use, lists)];
        for path in gone.concat() {
            discard(&path);
        }
        Ok(())
    }
}

/// Writes a letter about a file that its person can no longer fetch, of which they have a copy if
/// some of it is `gone`.
fn tell(
    tx: &Tx<'_>,
    now_ms: i64,
    row: &ExportFileRow,
    reason: &str,
    gone: &[Range<u64>],
) -> Result<(), StoreError> {
    let person = tx.person_by_id(row.person)?;
    let Some(person) = person.filter(|row| Status::of_row(&row.status) == Status::Active) else {
        return Ok(());
    };
    let export = tx.export(row.export)?;
    let dataset = export.map(|export| tx.dataset_by_id(export.dataset)).transpose()?.flatten();
    let title = dataset.map_or_else(|| "a dataset".to_owned(), |dataset| dataset.title);
    let held = match gone {
        [] => String::new(),
        gone => format!(
            "\n\nYou have fetched this file. Delete these of its objects from every copy, and \
             everything that you made of them, within 24 hours, counted in its order: {}.",
            objects(gone)
        ),
    };
    let text = format!(
        "A file of your export of “{title}” can no longer be fetched: {reason}.\n\nYou can ask \
         for it again on the page of your exports; it is then made without that.{held}"
    );
    letter::notice(tx, now_ms, &person.mail, SUBJECT, &text)
}

/// How long a file is, and its SHA-256.
fn digest(file: &mut File) -> io::Result<(u64, [u8; 32])> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((bytes, hash.finalize().into()));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// Throws a file away; one that cannot be is thrown away by a later sweep.
fn discard(path: &Path) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(%error, path = %path.display(), "a file stays for now"),
    }
}
