//! The private column of where the record of each ID lies in its source; it is never served.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::error::ReleaseError;
use super::manifest::{Manifest, Private};
use crate::base::ids::IdKind;
use crate::pipeline::Place;

/// Bytes of a place.
const PLACE_BYTES: usize = 16;

/// How far apart two places may stand in the file for one read to fetch both.
const NEAR_PLACES: u64 = 256;

/// The places of a column's records, by ordinal.
#[derive(Debug)]
pub struct Places {
    file: File,
}

impl Places {
    pub(super) fn open(
        folder: &Path,
        manifest: &Manifest,
        kind: IdKind,
    ) -> Result<Option<Places>, ReleaseError> {
        let is_places =
            |entry: &&super::PrivateEntry| (entry.kind, entry.holds) == (kind, Private::Places);
        let Some(entry) = manifest.private.iter().find(is_places) else { return Ok(None) };
        let path = folder.join(&entry.file);
        let file = File::open(&path).map_err(ReleaseError::io(&path))?;
        let bytes = file.metadata().map_err(ReleaseError::io(&path))?.len();
        let column = manifest.columns.iter().find(|column| column.kind == kind);
        let expected = column.map_or(0, |column| column.ids) * PLACE_BYTES as u64;
        if bytes != expected {
            let what = format!("it has {bytes} bytes instead of {expected}");
            return Err(ReleaseError::damaged(&path, what));
        }
        Ok(Some(Places { file }))
    }

    /// The places of those ordinals, which ascend; of a record whose place is not known the length
    /// is 0.
    ///
    /// # Errors
    /// What the system said.
    pub fn read(&self, ordinals: &[u64], places: &mut Vec<Place>) -> io::Result<()> {
        places.clear();
        let mut bytes = Vec::new();
        for near in ordinals.chunk_by(|one, next| next - one <= NEAR_PLACES) {
            let (first, last) = (near[0], near[near.len() - 1]);
            let length = usize::try_from(last - first + 1).map_err(io::Error::other)?;
            bytes.resize(length * PLACE_BYTES, 0);
            self.file.read_exact_at(&mut bytes, first * PLACE_BYTES as u64)?;
            let (records, _) = bytes.as_chunks::<PLACE_BYTES>();
            places
                .extend(near.iter().map(|ordinal| place_of(&records[(ordinal - first) as usize])));
        }
        Ok(())
    }
}

fn place_of(record: &[u8; PLACE_BYTES]) -> Place {
    let [source, length] = [0, 4].map(|at| {
        u32::from_le_bytes(record[at..at + 4].try_into().expect("a place begins with two numbers"))
    });
    let offset = record[8..].try_into().expect("a place ends with a long number");
    Place { source, length, offset: u64::from_le_bytes(offset) }
}
