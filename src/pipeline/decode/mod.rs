//! Wrappings off: compression told by its magic bytes and nested as it comes, then byte order
//! marks and UTF-16. One row of [`CODECS`] for each compression; archives are refused by name.
//! Bounded, so that a bomb ends.

mod guard;
mod text;

use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use guard::Bomb;

use super::Bounds;

/// A stream of bytes on its way through the decoders.
pub(crate) type Stream = Box<dyn Read + Send>;

/// A compression.
pub struct Codec {
    /// Its name in reports.
    pub name: &'static str,
    /// The first bytes of its files.
    magic: &'static [&'static [u8]],
    /// Takes the compression off, within so many bytes of memory for its window.
    open: fn(Stream, u64) -> io::Result<Stream>,
}

/// Every compression. All read on behind the first member, stream or frame.
pub static CODECS: &[Codec] = &[
    Codec {
        name: "gzip",
        magic: &[b"\x1f\x8b\x08"],
        open: |input, _| Ok(Box::new(flate2::bufread::MultiGzDecoder::new(buffered(input)))),
    },
    Codec {
        name: "bzip2",
        magic: &[b"BZh"],
        open: |input, _| Ok(Box::new(bzip2::bufread::MultiBzDecoder::new(buffered(input)))),
    },
    Codec {
        name: "zstd",
        magic: &[b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18", b"\x5f\x2a\x4d\x18"],
        open: |input, window_bytes_max| {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered(input))?;
            decoder.window_log_max(window_bytes_max.ilog2())?;
            Ok(Box::new(guard::Windowed(decoder)))
        },
    },
    Codec {
        name: "xz",
        magic: &[b"\xfd7zXZ\x00"],
        open: |input, window_bytes_max| {
            let flags = liblzma::stream::CONCATENATED;
            let stream = liblzma::stream::Stream::new_stream_decoder(window_bytes_max, flags)?;
            let decoder = liblzma::bufread::XzDecoder::new_stream(buffered(input), stream);
            Ok(Box::new(guard::Windowed(decoder)))
        },
    },
];

/// An archive of several files, which is told but not read.
#[derive(Debug)]
pub(crate) struct Archive {
    /// Its name in messages.
    pub(crate) name: &'static str,
    /// The command that writes what it holds to stdout.
    pub(crate) unpack: &'static str,
    /// The bytes that tell it, and where they stand.
    magic: &'static [&'static [u8]],
    magic_at: usize,
}

/// Every archive that is told.
static ARCHIVES: &[Archive] = &[
    Archive {
        name: "zip",
        unpack: "unzip -p",
        magic: &[b"PK\x03\x04", b"PK\x05\x06"],
        magic_at: 0,
    },
    Archive { name: "tar", unpack: "tar -xOf", magic: &[b"ustar"], magic_at: 257 },
];

/// The input, or what was packed in it, is an archive.
#[derive(Debug, thiserror::Error)]
#[error("a {} archive", .0.name)]
pub(crate) struct Archived(pub(crate) &'static Archive);

/// How many compressions may be nested.
pub(crate) const NESTED_MAX: usize = 4;

/// Bytes read at a time by a decompressor.
const BUFFER_BYTES: usize = 64 << 10;

/// How far the magic that stands farthest in reaches: that of tar.
const MAGIC_BYTES: usize = 262;

fn buffered(input: Stream) -> BufReader<Stream> {
    BufReader::with_capacity(BUFFER_BYTES, input)
}

/// A decoded source.
pub(crate) struct Decoded {
    /// Its bytes: decompressed, as UTF-8 (where it was UTF-16), without byte order mark.
    pub(crate) stream: Stream,
    /// The wrappings that were taken off, from the outside in.
    pub(crate) encodings: Vec<&'static str>,
}

/// Takes the wrappings off `input`; `bytes_read` counts its bytes as they are read.
pub(crate) fn decode(
    input: Stream,
    bytes_read: Arc<AtomicU64>,
    bounds: Bounds,
) -> io::Result<Decoded> {
    let mut stream: Stream = Box::new(Counted { input, bytes_read: bytes_read.clone() });
    let mut encodings = Vec::new();
    loop {
        let (head, rest) = peeked(stream)?;
        stream = rest;
        if let Some(archive) = ARCHIVES.iter().find(|archive| is_archive(archive, &head)) {
            return Err(io::Error::other(Archived(archive)));
        }
        let codec = CODECS.iter().find(|codec| {
            codec.magic.iter().any(|magic| head.starts_with(magic)) && !is_text(codec, &head)
        });
        let Some(codec) = codec else { break };
        if encodings.len() == NESTED_MAX {
            return Err(io::Error::other(Bomb::Nested));
        }
        stream = (codec.open)(stream, bounds.window_bytes_max)?;
        encodings.push(codec.name);
    }
    if !encodings.is_empty() {
        stream = Box::new(guard::Guard::new(stream, bytes_read, bounds.swelling_max));
    }
    let (stream, encoding) = text::plain(stream)?;
    encodings.extend(encoding);
    Ok(Decoded { stream, encodings })
}

/// Whether bytes that look like `codec`'s magic are a text: `BZh` needs a digit and a magic.
fn is_text(codec: &Codec, head: &[u8]) -> bool {
    codec.name == "bzip2" && !matches!(head, [_, _, _, b'1'..=b'9', 0x31 | 0x17, ..])
}

fn is_archive(archive: &Archive, head: &[u8]) -> bool {
    let at = head.get(archive.magic_at..).unwrap_or_default();
    archive.magic.iter().any(|magic| at.starts_with(magic))
}

/// The first bytes of a stream, and the whole stream again.
///
/// No magic holds a line feed or stands behind one, so a line is enough: whoever sends one at a
/// time is not made to wait for the next.
fn peeked(mut stream: Stream) -> io::Result<(Vec<u8>, Stream)> {
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
struct Counted {
    input: Stream,
    bytes_read: Arc<AtomicU64>,
}

impl Read for Counted {
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
