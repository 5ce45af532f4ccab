//! Archives of several files as streams: one row of [`ARCHIVES`] for each kind. The names in them
//! are told in reports and never used as paths.

mod tar;
mod warc;
mod zip;

use std::io::{self, Read};

use super::Stream;

/// A kind of archive.
pub(super) struct Archive {
    /// Its name in reports.
    pub(super) name: &'static str,
    /// The bytes that tell it, and where they stand.
    magic: &'static [&'static [u8]],
    magic_at: usize,
    /// Hands over each file that it holds.
    pub(super) entries: fn(Stream<'_>, TakeEntry<'_>) -> io::Result<()>,
}

/// Every kind of archive.
pub(super) static ARCHIVES: &[Archive] = &[
    Archive {
        name: "zip",
        magic: &[b"PK\x03\x04", b"PK\x05\x06"],
        magic_at: 0,
        entries: zip::entries,
    },
    Archive { name: "tar", magic: &[b"ustar"], magic_at: 257, entries: tar::entries },
    Archive { name: "warc", magic: &[b"WARC/1."], magic_at: 0, entries: warc::entries },
];

impl Archive {
    /// Whether a stream that begins with `head` is one of this kind.
    pub(super) fn is_told_by(&self, head: &[u8]) -> bool {
        let at = head.get(self.magic_at..).unwrap_or_default();
        self.magic.iter().any(|magic| at.starts_with(magic))
    }
}

/// A file in an archive.
pub(super) struct Entry<'a> {
    /// What the archive calls it.
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
