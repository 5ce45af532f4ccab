//! Opening a release's folder for reading, with all checks that cost no pass over the IDs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::authors::Authors;
use super::column::{Column, ColumnError};
use super::error::ReleaseError;
use super::manifest::{ColumnEntry, FORMAT, MANIFEST_NAME, Manifest};
use super::places::Places;
use super::table::Table;
use crate::base::ids::IdKind;
use crate::pipeline::{Blocks, Packing};

/// A release that is open for reading.
#[derive(Debug)]
pub struct Release {
    id: Arc<str>,
    folder: PathBuf,
    manifest: Manifest,
    columns: Vec<Column>,
}

impl Release {
    /// Opens the release in `folder`.
    ///
    /// Checked are `release.json` against the ID, every block table against its digest and the
    /// totals, and the length of every text; [`super::verify`] checks the texts as well.
    ///
    /// # Errors
    /// [`ReleaseError::Damaged`] with the file and what is wrong, [`ReleaseError::Newer`], or
    /// [`ReleaseError::Io`].
    pub fn open(folder: &Path) -> Result<Arc<Release>, ReleaseError> {
        let manifest = read_manifest(&folder.join(MANIFEST_NAME))?;
        let id: Arc<str> = manifest.release.as_str().into();
        let columns = manifest
            .columns
            .iter()
            .map(|entry| open_column(folder, entry, &id))
            .collect::<Result<_, _>>()?;
        Ok(Arc::new(Release { id, folder: folder.to_owned(), manifest, columns }))
    }

    /// The ID that follows from the content, 64 hexadecimal digits.
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The IDs of that kind, if the release has them.
    pub fn column(&self, kind: IdKind) -> Option<&Column> {
        self.columns.iter().find(|column| column.kind() == kind)
    }

    /// All columns, in the order of their kinds.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Who wrote its Tweets, where the sources told of any.
    ///
    /// # Errors
    /// [`ReleaseError`] if the file is not as long as it has to be, or cannot be opened.
    pub fn authors(&self) -> Result<Option<Authors>, ReleaseError> {
        Authors::open(&self.folder, &self.manifest)
    }

    /// Where the records of its IDs of that kind lie, if the sources told of any.
    ///
    /// # Errors
    /// [`ReleaseError`] if the file is not as long as it has to be, or cannot be opened.
    pub fn places(&self, kind: IdKind) -> Result<Option<Places>, ReleaseError> {
        Places::open(&self.folder, &self.manifest, kind)
    }

    /// The folder that it lies in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How records are read in the middle of its source of that number: out of which file, and
    /// where its blocks are; `None`: the source is plain, or was not made ready for that.
    ///
    /// # Errors
    /// [`ReleaseError`] if the table or the copy is damaged, or cannot be opened. The source itself
    /// is not looked at.
    pub fn blocks(&self, source: usize) -> Result<Option<(PathBuf, Blocks)>, ReleaseError> {
        let Some(source) = self.manifest.sources.get(source) else { return Ok(None) };
        let Some(entry) = &source.blocks else { return Ok(None) };
        let path = self.folder.join(&entry.table.file);
        let table = std::fs::read(&path).map_err(ReleaseError::io(&path))?;
        if Sha256::digest(&table).as_slice() != entry.table.sha256 {
            return Err(ReleaseError::damaged(&path, "its SHA-256 is not the one in release.json"));
        }
        let unknown = || format!("nobody knows the packing `{}`", entry.packing);
        let packing = Packing::from_word(&entry.packing).ok_or_else(unknown);
        let blocks = packing.and_then(|packing| Blocks::decode(&table, packing));
        let blocks = blocks.map_err(|what| ReleaseError::damaged(&path, what))?;
        let Some(copy) = &entry.copy else {
            return Ok(Some((PathBuf::from(&source.name), blocks)));
        };
        let path = self.folder.join(&copy.file);
        let bytes = std::fs::metadata(&path).map_err(ReleaseError::io(&path))?.len();
        if bytes != copy.bytes {
            let what = format!("it has {bytes} bytes instead of {}", copy.bytes);
            return Err(ReleaseError::damaged(&path, what));
        }
        Ok(Some((path, blocks)))
    }

    /// What the release says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

pub(super) fn read_manifest(path: &Path) -> Result<Manifest, ReleaseError> {
    /// What every format has, however new.
    #[derive(serde::Deserialize)]
    struct Head {
        format: u32,
    }
    let text = std::fs::read(path).map_err(ReleaseError::io(path))?;
    let malformed = |error: serde_json::Error| ReleaseError::damaged(path, error.to_string());
    let Head { format } = serde_json::from_slice(&text).map_err(malformed)?;
    if format > FORMAT {
        return Err(ReleaseError::Newer { path: path.to_owned(), found: format, known: FORMAT });
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(malformed)?;
    if manifest.release != manifest.content_id() {
        let what = format!("its content has the ID {}", manifest.content_id());
        return Err(ReleaseError::damaged(path, what));
    }
    Ok(manifest)
}

fn open_column(
    folder: &Path,
    entry: &ColumnEntry,
    release: &Arc<str>,
) -> Result<Column, ReleaseError> {
    let path = folder.join(&entry.table);
    let bytes = std::fs::read(&path).map_err(ReleaseError::io(&path))?;
    if Sha256::digest(&bytes).as_slice() != entry.table_sha256 {
        return Err(ReleaseError::damaged(&path, "its SHA-256 is not the one in release.json"));
    }
    let table = Table::decode(&bytes).map_err(|what| ReleaseError::damaged(&path, what))?;
    if (table.ids, table.bytes, table.sha256) != (entry.ids, entry.bytes, entry.sha256) {
        return Err(ReleaseError::damaged(&path, "its totals are not those in release.json"));
    }
    let path = folder.join(&entry.file);
    Column::open(entry.kind, Arc::clone(release), &path, table).map_err(|error| match error {
        ColumnError::Io(source) => ReleaseError::Io { path, source },
        ColumnError::Length { found, expected } => {
            ReleaseError::damaged(&path, format!("it has {found} bytes instead of {expected}"))
        }
    })
}
