//! An exported log that has more entries than the store's, which lost them: what it has beyond.
//! What is done with them is the ledger's business.

use std::path::Path;

use super::files::{LogFiles, LogFolder};
use super::key::VerifierKey;
use super::tile::{TILE_WIDTH, TileKind, TileName, entries};
use super::verify::{LogFault, verify};
use crate::store::{StoreError, Tx};

/// How many rows of the journal are compared together.
const ROWS_MAX: u32 = 4_096;

/// Why a copy of the log does not help.
#[derive(Debug, thiserror::Error)]
pub enum LogCopyError {
    /// It is not whole.
    #[error("the copy is not whole: {0}")]
    Fault(#[from] LogFault),
    /// It cannot be read.
    #[error("the copy cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It is the copy of another log, or the store has gone on since it lost entries.
    #[error(
        "entry {sequence} of the copy is not that of the database, which has gone on by itself: \
         thaw the ledger without the copy"
    )]
    Other {
        /// The first entry that differs, counted from 1.
        sequence: u64,
    },
    /// It has no more entries than the store.
    #[error("the copy has {size} entries, and the database has {log_size}: it has nothing to add")]
    NothingMore {
        /// How many it has.
        size: u64,
        /// How many the store has.
        log_size: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A copy of the log in a folder.
pub struct LogCopy;

impl LogCopy {
    /// The entries that the log in `folder` has beyond the store's journal, in order; the log has
    /// to be whole, signed by `key`, and to begin with what the journal has.
    ///
    /// # Errors
    /// [`LogCopyError`].
    pub fn beyond(
        tx: &Tx<'_>,
        folder: &Path,
        key: &VerifierKey,
    ) -> Result<Vec<Vec<u8>>, LogCopyError> {
        let files = LogFolder(folder.to_owned());
        let size = verify(&files, Some(key), &[])?.head.size;
        let mut entries = Entries { files: &files, size, next: 0, bundle: Vec::new() };
        let mut log_size = 0;
        loop {
            let rows = tx.journal_from(log_size + 1, ROWS_MAX)?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                log_size = row.sequence;
                if entries.next()?.is_none_or(|entry| entry != row.leaf.as_bytes()) {
                    return Err(if log_size > size {
                        LogCopyError::NothingMore { size, log_size }
                    } else {
                        LogCopyError::Other { sequence: log_size }
                    });
                }
            }
        }
        let mut beyond = Vec::new();
        while let Some(entry) = entries.next()? {
            beyond.push(entry);
        }
        if beyond.is_empty() {
            return Err(LogCopyError::NothingMore { size, log_size });
        }
        Ok(beyond)
    }
}

/// The entries of a log one by one.
struct Entries<'a> {
    files: &'a LogFolder,
    size: u64,
    next: u64,
    /// What is left of the bundle that was read last, the next entry last.
    bundle: Vec<Vec<u8>>,
}

impl Entries<'_> {
    fn next(&mut self) -> Result<Option<Vec<u8>>, LogCopyError> {
        if self.bundle.is_empty() {
            if self.next == self.size {
                return Ok(None);
            }
            let number = self.next / TILE_WIDTH as u64;
            let width = (self.size - self.next).min(TILE_WIDTH as u64) as usize;
            let name = TileName { kind: TileKind::Entries, number, width }.path();
            let bytes = self.files.read(&name)?;
            let missing = || LogFault::Missing { name };
            let bytes = bytes.ok_or_else(missing)?;
            let found = entries(&bytes).expect("the log was found whole");
            self.bundle = found.into_iter().rev().map(<[u8]>::to_vec).collect();
        }
        self.next += 1;
        Ok(self.bundle.pop())
    }
}
