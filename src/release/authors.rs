//! The private column of who wrote the Tweets of a release, open for a scan; it is never served.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::error::ReleaseError;
use super::manifest::{Manifest, Private};
use super::writer::UNKNOWN_AUTHOR;
use crate::base::ids::IdKind;

/// Bytes of an author.
const AUTHOR_BYTES: u64 = 8;

/// The authors of a release's Tweets, by ordinal.
#[derive(Debug)]
pub struct Authors {
    file: File,
}

impl Authors {
    /// What stands for an author that the source did not tell: no User ID has this value.
    pub const UNKNOWN: u64 = UNKNOWN_AUTHOR;

    pub(super) fn open(
        folder: &Path,
        manifest: &Manifest,
    ) -> Result<Option<Authors>, ReleaseError> {
        let is_authors = |entry: &&super::PrivateEntry| {
            (entry.kind, entry.holds) == (IdKind::Tweet, Private::Authors)
        };
        let Some(entry) = manifest.private.iter().find(is_authors) else { return Ok(None) };
        let path = folder.join(&entry.file);
        let file = File::open(&path).map_err(ReleaseError::io(&path))?;
        let bytes = file.metadata().map_err(ReleaseError::io(&path))?.len();
        let column = manifest.columns.iter().find(|column| column.kind == IdKind::Tweet);
        let expected = column.map_or(0, |column| column.ids) * AUTHOR_BYTES;
        if bytes != expected {
            let what = format!("it has {bytes} bytes instead of {expected}");
            return Err(ReleaseError::damaged(&path, what));
        }
        Ok(Some(Authors { file }))
    }

    /// Reads the authors of those ordinals into `authors`; [`Authors::UNKNOWN`] where nobody knows.
    ///
    /// # Errors
    /// What the system said.
    pub fn read(&self, ordinals: &Range<u64>, authors: &mut Vec<u64>) -> io::Result<()> {
        let ids = usize::try_from(ordinals.end - ordinals.start).map_err(io::Error::other)?;
        let mut bytes = vec![0; ids * AUTHOR_BYTES as usize];
        self.file.read_exact_at(&mut bytes, ordinals.start * AUTHOR_BYTES)?;
        authors.clear();
        let (numbers, _) = bytes.as_chunks::<{ AUTHOR_BYTES as usize }>();
        authors.extend(numbers.iter().map(|number| u64::from_le_bytes(*number)));
        Ok(())
    }
}
