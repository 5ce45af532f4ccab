//! Archives of several files as streams: one row of [`ARCHIVES`] for each kind. The names in them
//! are told in reports and never used as paths.

#[cfg(feature = "parquet")]
mod parquet;
mod tar;
mod warc;
mod zip;

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::{Means, Stream};

/// A kind of archive.
pub(super) struct Archive {
    /// Its name in reports.
    pub(super) name: &'static str,
    /// The bytes that tell it, and where they stand.
    magic: &'static [&'static [u8]],
    magic_at: usize,
    /// Hands over each file that it holds.
    pub(super) entries: fn(Input<'_>, TakeEntry<'_>) -> io::Result<()>,
}

/// An archive that is gone through.
pub(super) struct Input<'a> {
    /// Its bytes.
    pub(super) stream: Stream<'a>,
    /// The file that holds it and nothing else, if it is one.
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "only Parquet seeks"))]
    pub(super) file: Option<File>,
    /// Where the bytes of `file` are counted that are read.
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "only Parquet seeks"))]
    pub(super) bytes_read: Arc<AtomicU64>,
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "only Parquet spools"))]
    pub(super) means: Means<'a>,
}

/// Every kind of archive.
pub(super) static ARCHIVES: &[Archive] = &[
    Archive {
        name: "zip",
        magic: &[b"PK\x03\x04", b"PK\x05\x06"],
        magic_at: 0,
        entries: |input, take| zip::entries(input.stream, take),
    },
    Archive {
        name: "tar",
        magic: &[b"ustar"],
        magic_at: 257,
        entries: |input, take| tar::entries(input.stream, take),
    },
    Archive {
        name: "warc",
        magic: &[b"WARC/1."],
        magic_at: 0,
        entries: |input, take| warc::entries(input.stream, take),
    },
    Archive { name: "parquet", magic: &[b"PAR1"], magic_at: 0, entries: PARQUET },
];

#[cfg(feature = "parquet")]
const PARQUET: fn(Input<'_>, TakeEntry<'_>) -> io::Result<()> = parquet::entries;
#[cfg(not(feature = "parquet"))]
const PARQUET: fn(Input<'_>, TakeEntry<'_>) -> io::Result<()> =
    |_, _| Err(broken("this program was built without the feature `parquet`"));

impl Archive {
    /// Whether a stream that begins with `head` is one of this kind.
    pub(super) fn is_told_by(&self, head: &[u8]) -> bool {
        let at = head.get(self.magic_at..).unwrap_or_default();
        self.magic.iter().any(|magic| at.starts_with(magic))
    }
}

/// A file in an archive.
pub(super) struct Entry<'a> {
    /// What the archive calls it; empty if it is all that the archive is.
    pub(super) name: &'a str,
    /// Its bytes; they need not be read to their end.
    pub(super) stream: &'a mut (dyn Read + Send),
}

/// Takes one entry after another; an error ends the archive.
pub(super) type TakeEntry<'a> = &'a mut dyn FnMut(Entry<'_>) -> io::Result<()>;

/// The error of an archive that is not what it says it is.
fn broken(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// A name that can be printed: nothing in it moves a cursor.
fn readable_name(name: &[u8]) -> String {
    String::from_utf8_lossy(name).replace(|letter: char| letter.is_control(), "\u{fffd}")
}

#[cfg(test)]
mod tests;
