//! Wrappings off: compression told by its magic bytes and nested as it comes, then byte order
//! marks and UTF-16. One row of [`CODECS`] for each compression; archives are in `archive`.
//! Bounded, so that a bomb ends.
//!
//! A source is walked: each file in it is handed over as a stream, in the order of the source,
//! however deep archives are nested. What is damaged ends with an error where the damage is, and
//! costs no other file that can still be found.

mod archive;
mod beside;
mod bzip2_blocks;
mod guard;
mod members;
mod text;
mod window;

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use archive::{ARCHIVES, Archive, Entry, Input};
pub(crate) use guard::Bomb;

use super::{Bounds, bystander};

/// A stream of bytes on its way through the decoders.
pub(crate) type Stream<'a> = Box<dyn Read + Send + 'a>;

/// A compression.
pub struct Codec {
    /// Its name in reports.
    pub name: &'static str,
    /// The first bytes of its files.
    magic: &'static [&'static [u8]],
    /// Takes the compression off by these means.
    open: for<'a> fn(Stream<'a>, &Means<'_>) -> io::Result<Stream<'a>>,
}

/// Every compression. All read on behind the first member, stream or frame.
pub static CODECS: &[Codec] = &[
    Codec {
        name: "gzip",
        magic: &[b"\x1f\x8b\x08"],
        open: |input, means| Ok(members(&members::GZIP, input, means)),
    },
    Codec {
        name: "bzip2",
        magic: &[b"BZh"],
        open: |input, means| Ok(Box::new(bzip2_blocks::Unpacking::new(input, means.threads))),
    },
    Codec {
        name: "zstd",
        magic: &[b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18", b"\x5f\x2a\x4d\x18"],
        open: |input, means| Ok(members(&members::ZSTD, input, means)),
    },
    Codec {
        name: "xz",
        magic: &[b"\xfd7zXZ\x00"],
        open: |input, means| {
            let flags = liblzma::stream::CONCATENATED;
            let window = means.bounds.window_bytes_max;
            let stream = liblzma::stream::Stream::new_stream_decoder(window, flags)?;
            let decoder = liblzma::bufread::XzDecoder::new_stream(buffered(input), stream);
            Ok(Box::new(guard::Windowed(decoder)))
        },
    },
];

/// Bytes read at a time by a decompressor.
const BUFFER_BYTES: usize = 64 << 10;

/// How far the magic that stands farthest in reaches: that of tar.
const MAGIC_BYTES: usize = 262;

fn buffered(input: Stream<'_>) -> BufReader<Stream<'_>> {
    BufReader::with_capacity(BUFFER_BYTES, input)
}

fn members<'a>(kind: &'static members::Kind, input: Stream<'a>, means: &Means<'_>) -> Stream<'a> {
    let window_bytes_max = means.bounds.window_bytes_max;
    Box::new(members::Unpacking::new(kind, input, window_bytes_max, means.threads))
}

/// A file in a source: the source itself, or one in an archive.
pub(crate) struct Part<'a> {
    /// The names in the archives that lead to it, with slashes between; empty for the source.
    pub(crate) name: &'a str,
    /// The wrappings that were taken off, from the outside in.
    pub(crate) encodings: Vec<&'static str>,
    /// What it holds.
    pub(crate) holds: Holds<'a>,
}

/// What a part holds.
pub(crate) enum Holds<'a> {
    /// Its bytes: decompressed, as UTF-8 (where it was UTF-16), without byte order mark.
    Data(Stream<'a>),
    /// No records, by its name: it is not read.
    NoRecords,
}

/// Takes one part after another; an error ends the walk.
pub(crate) type TakePart<'a> = &'a mut dyn FnMut(Part<'_>) -> io::Result<()>;

/// Nobody listens any more: the walk ends.
#[derive(Debug, thiserror::Error)]
#[error("nobody listens any more")]
pub(crate) struct Unheard;

/// Whether an error ends the walk: anything but damage to the data.
pub(crate) fn is_final(error: &io::Error) -> bool {
    let inner = error.get_ref();
    inner.is_some_and(|inner| inner.is::<Broken>() || inner.is::<Bomb>() || inner.is::<Unheard>())
}

/// A source that was opened.
pub(crate) struct Opened<'a> {
    /// Its bytes from its beginning.
    pub(crate) stream: Stream<'a>,
    /// The same as a file on a disk, if it is one.
    pub(crate) file: Option<File>,
}

/// With what wrappings are taken off.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    /// How much of the source is put up with.
    pub(crate) bounds: Bounds,
    /// How many threads unpack, where the compression allows more than one.
    pub(crate) threads: usize,
    /// Where what can only be read from a disk is spooled.
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "only Parquet is"))]
    pub(crate) spool_folder: &'a Path,
    /// Whether anybody looks at a column of that name, in lower case.
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "only Parquet has such"))]
    pub(crate) is_read: fn(&str) -> bool,
}

impl Means<'_> {
    /// One thread within these bounds, and every column is looked at.
    pub(crate) fn within(bounds: Bounds, spool_folder: &Path) -> Means<'_> {
        Means { bounds, threads: 1, spool_folder, is_read: |_| true }
    }
}

/// Takes the wrappings off `input` and hands over each file in it; `bytes_read` counts its bytes
/// as they are read.
pub(crate) fn walk(
    input: Opened<'_>,
    bytes_read: Arc<AtomicU64>,
    means: Means<'_>,
    take: TakePart<'_>,
) -> io::Result<()> {
    let Opened { stream, mut file } = input;
    let stream = Box::new(Counted { input: stream, bytes_read: bytes_read.clone() });
    let mut walk = Walk { means, bytes_read, bytes_out: Arc::default(), entries: 0, take };
    walk.open("", Vec::new(), stream, &mut file)
}

struct Walk<'t> {
    means: Means<'t>,
    bytes_read: Arc<AtomicU64>,
    bytes_out: Arc<AtomicU64>,
    entries: u64,
    take: TakePart<'t>,
}

impl Walk<'_> {
    /// Takes the wrappings off a file, which may lie on a disk as it is.
    fn open(
        &mut self,
        name: &str,
        mut encodings: Vec<&'static str>,
        mut stream: Stream<'_>,
        file: &mut Option<File>,
    ) -> io::Result<()> {
        loop {
            let (head, rest) = peeked(stream)?;
            stream = rest;
            let archive = ARCHIVES.iter().find(|archive| archive.is_told_by(&head));
            let codec = CODECS.iter().find(|codec| {
                codec.magic.iter().any(|magic| head.starts_with(magic)) && !is_text(codec, &head)
            });
            if archive.is_none() && codec.is_none() {
                break;
            }
            if encodings.len() >= self.means.bounds.nesting_max {
                return Err(io::Error::other(Bomb::Nested(self.means.bounds.nesting_max)));
            }
            if let Some(archive) = archive {
                encodings.push(archive.name);
                let (file, bytes_read) = (file.take(), Arc::clone(&self.bytes_read));
                let input = Input { stream, file, bytes_read, means: self.means };
                return self.archive(archive, name, &encodings, input);
            }
            *file = None;
            if let Some(codec) = codec {
                encodings.push(codec.name);
                let plain = (codec.open)(stream, &self.means)?;
                stream = self.guarded(plain);
            }
        }
        let (stream, encoding) = text::plain(stream)?;
        encodings.extend(encoding);
        (self.take)(Part { name, encodings, holds: Holds::Data(stream) })
    }

    fn guarded<'a>(&self, output: Stream<'a>) -> Stream<'a> {
        let (bytes_read, bytes_out) = (self.bytes_read.clone(), self.bytes_out.clone());
        Box::new(guard::Guard::new(output, bytes_read, bytes_out, self.means.bounds.swelling_max))
    }

    /// Goes through an archive; what is wrong with the archive itself is told as its own part.
    fn archive(
        &mut self,
        archive: &Archive,
        name: &str,
        encodings: &[&'static str],
        input: Input<'_>,
    ) -> io::Result<()> {
        let result =
            (archive.entries)(input, &mut |entry| self.entry(archive, name, encodings, entry));
        self.told(name, encodings, result)
    }

    fn entry(
        &mut self,
        archive: &Archive,
        within: &str,
        encodings: &[&'static str],
        entry: Entry<'_>,
    ) -> io::Result<()> {
        self.entries += 1;
        if self.entries > self.means.bounds.entries_max {
            return Err(io::Error::other(Bomb::Entries(self.means.bounds.entries_max)));
        }
        let separator = if within.is_empty() || entry.name.is_empty() { "" } else { "/" };
        let name = format!("{within}{separator}{}", entry.name);
        if bystander::is_one(&name) {
            let encodings = encodings.to_vec();
            return (self.take)(Part { name: &name, encodings, holds: Holds::NoRecords });
        }
        let mut stream: Stream<'_> = Box::new(entry.stream);
        if archive.name == "zip" {
            stream = self.guarded(stream);
        }
        let result = self.open(&name, encodings.to_vec(), stream, &mut None);
        self.told(&name, encodings, result)
    }

    /// Hands over damage as a part that begins with it; lets through what ends the walk.
    fn told(
        &mut self,
        name: &str,
        encodings: &[&'static str],
        result: io::Result<()>,
    ) -> io::Result<()> {
        match result {
            Err(error) if !is_final(&error) => {
                let stream = Box::new(Failing(Some(error)));
                let encodings = encodings.to_vec();
                (self.take)(Part { name, encodings, holds: Holds::Data(stream) })
            }
            told => told,
        }
    }
}

/// Whether bytes that look like `codec`'s magic are a text: `BZh` needs a digit and a magic.
fn is_text(codec: &Codec, head: &[u8]) -> bool {
    codec.name == "bzip2" && !matches!(head, [_, _, _, b'1'..=b'9', 0x31 | 0x17, ..])
}

/// The first bytes of a stream, and the whole stream again.
///
/// No magic holds a line feed or stands behind one, so a line is enough: whoever sends one at a
/// time is not made to wait for the next.
fn peeked(mut stream: Stream<'_>) -> io::Result<(Vec<u8>, Stream<'_>)> {
    let mut head = vec![0; MAGIC_BYTES];
    let mut filled = 0;
    while filled < MAGIC_BYTES && !head[..filled].contains(&b'\n') {
        match stream.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What is broken behind the first bytes is told when reading comes there again.
            Err(error) if filled == 0 || error.get_ref().is_some_and(|e| e.is::<Broken>()) => {
                return Err(error);
            }
            Err(error) => {
                head.truncate(filled);
                let rest = Failing(Some(error));
                return Ok((head.clone(), Box::new(Cursor::new(head).chain(rest))));
            }
        }
    }
    head.truncate(filled);
    Ok((head.clone(), Box::new(Cursor::new(head).chain(stream))))
}

/// A stream that fails once, where the one that was looked at did, and then ends.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Counts what is read through it.
struct Counted<'a> {
    input: Stream<'a>,
    bytes_read: Arc<AtomicU64>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer).map_err(Broken::at_source)?;
        self.bytes_read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The source itself could not be read, as against its compressed data being damaged.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Broken(pub(crate) io::Error);

impl Broken {
    /// What the system said, if `error` is a broken source.
    pub(crate) fn inside(error: io::Error) -> io::Error {
        match error.downcast::<Broken>() {
            Ok(Broken(inner)) => inner,
            Err(other) => other,
        }
    }

    fn at_source(error: io::Error) -> io::Error {
        if error.kind() == io::ErrorKind::Interrupted {
            return error;
        }
        io::Error::other(Broken(error))
    }
}

#[cfg(test)]
mod tests;
