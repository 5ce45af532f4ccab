//! `release.json`: what a release says of itself; and how its ID follows from its content.
//! The rest of the folder is described in `schema/release.md`.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::base::ids::IdKind;

/// The version of the file format that this program writes and reads.
pub const FORMAT: u32 = 1;

/// The name of the file.
pub(super) const MANIFEST_NAME: &str = "release.json";

/// What stands in `release.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the file format.
    pub format: u32,
    /// The release's ID: [`Manifest::content_id`].
    pub release: String,
    /// How far the IDs were looked for: `own`, `embedded`, `referenced`.
    pub scope: String,
    /// When it was built, in milliseconds UTC.
    pub built_ms: i64,
    /// The columns that are served, in the order of their kinds.
    pub columns: Vec<ColumnEntry>,
    /// The columns that are never served.
    pub private: Vec<PrivateEntry>,
    /// What it was built from.
    pub sources: Vec<SourceEntry>,
    /// The report of the strip.
    pub report: serde_json::Value,
}

/// A column that is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnEntry {
    /// Which kind of IDs.
    pub kind: IdKind,
    /// The text's file name.
    pub file: String,
    /// How many IDs it has.
    pub ids: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// SHA-256 of the text.
    #[serde(with = "hex::serde")]
    pub sha256: [u8; 32],
    /// The file name of its block table.
    pub table: String,
    /// SHA-256 of the block table.
    #[serde(with = "hex::serde")]
    pub table_sha256: [u8; 32],
}

/// A column that is never served: one record for each ID of a kind, in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateEntry {
    /// To which kind of IDs it belongs.
    pub kind: IdKind,
    /// What it holds.
    pub holds: Private,
    /// The file's name.
    pub file: String,
    /// SHA-256 of the file.
    #[serde(with = "hex::serde")]
    pub sha256: [u8; 32],
}

/// What a private column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Private {
    /// Who wrote the Tweet.
    Authors,
    /// Where the record lies in its source.
    Places,
}

/// A file that a release was built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceEntry {
    /// Its path.
    pub name: String,
    /// How many bytes it has, as it lies on the disk.
    pub bytes: u64,
    /// SHA-256 of those bytes.
    #[serde(with = "hex::serde")]
    pub sha256: [u8; 32],
    /// When it was last changed, in milliseconds UTC.
    pub modified_ms: i64,
    /// How its records are read in the middle of it, where it is packed and was made ready for
    /// objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<BlocksEntry>,
}

/// How records are read in the middle of a packed source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlocksEntry {
    /// How what is read is packed: `gzip`, `zstd`, `bzip2`.
    pub packing: String,
    /// The source packed anew, in this folder; absent where the source itself has blocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<FileEntry>,
    /// The table of its blocks, in this folder.
    pub table: FileEntry,
}

/// A file of the release that is never served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name.
    pub file: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// SHA-256 of the file.
    #[serde(with = "hex::serde")]
    pub sha256: [u8; 32],
}

impl Manifest {
    /// The ID that this content has: the SHA-256, in hexadecimal, of one line for the scope and
    /// one for each column. Sources, times and private columns play no part: who receives the
    /// same bytes receives the same release.
    pub fn content_id(&self) -> String {
        use std::fmt::Write;
        let mut text = format!("hydrant release {FORMAT}\nscope {}\n", self.scope);
        for ColumnEntry { kind, ids, bytes, sha256, .. } in &self.columns {
            writeln!(text, "{kind} {ids} {bytes} {}", hex::encode(sha256))
                .expect("a string takes every text");
        }
        hex::encode(Sha256::digest(text))
    }
}

/// The file name of the text of a kind's IDs.
pub(super) fn text_name(kind: IdKind) -> String {
    format!("{kind}-ids.txt")
}

/// The file name of the block table of a kind's IDs.
pub(super) fn table_name(kind: IdKind) -> String {
    format!("{kind}-ids.idx")
}

impl Private {
    /// Its file name beside the IDs of `kind`.
    pub(super) fn file_name(self, kind: IdKind) -> String {
        match self {
            Private::Authors => format!("{kind}-authors.u64"),
            Private::Places => format!("{kind}-places"),
        }
    }

    /// How many bytes it has for each ID.
    pub(super) fn record_bytes(self) -> u64 {
        match self {
            Private::Authors => 8,
            Private::Places => 16,
        }
    }
}
