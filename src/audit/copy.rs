//! Copies of the newest checkpoint outside the database: one small file in each place that the
//! settings name. What is concluded from them is `head.rs`.

use std::io;
use std::path::Path;

use super::checkpoint::{Checkpoint, NotACheckpoint};
use super::durable;
use super::key::VerifierKey;

/// Why a copy cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file holds something else, which is left as it is.
    #[error("it is no checkpoint of this log ({0}); look at it, and move it away")]
    Foreign(NotACheckpoint),
}

/// The checkpoint in the copy at `path`; `None`: there is no file yet, or an empty one.
///
/// # Errors
/// [`CopyError`].
pub(super) fn read(path: &Path, key: &VerifierKey) -> Result<Option<Checkpoint>, CopyError> {
    match std::fs::read(path) {
        Ok(note) if note.is_empty() => Ok(None),
        Ok(note) => Checkpoint::open(&note, key).map(Some).map_err(CopyError::Foreign),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes `checkpoint` to the copy at `path`, durably, unless a larger one is there: only a
/// checkpoint of the same log that this one extends is ever written over.
///
/// # Errors
/// [`CopyError`].
pub(super) fn write(
    path: &Path,
    checkpoint: &Checkpoint,
    key: &VerifierKey,
) -> Result<(), CopyError> {
    let there = read(path, key)?;
    if there.is_some_and(|there| there.head.size >= checkpoint.head.size) {
        return Ok(());
    }
    Ok(durable::write(path, checkpoint.note.as_bytes())?)
}
