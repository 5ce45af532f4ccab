//! Tar archives as a stream: old, POSIX and GNU headers, with long names and lengths of pax.

use std::io::{self, Read};

use super::{Entry, TakeEntry, broken, readable_name};
use crate::pipeline::decode::Stream;

/// Headers and data fill blocks of so many bytes.
const BLOCK_BYTES: usize = 512;

/// The longest long name or list of pax attributes.
const ATTRIBUTES_BYTES_MAX: u64 = 1 << 20;

/// Hands over each file of the archive; links, folders and devices hold nothing.
pub(super) fn entries(mut stream: Stream<'_>, take: TakeEntry<'_>) -> io::Result<()> {
    let mut ended = false;
    let mut next = Attributes::default();
    while let Some(header) = header(&mut stream, &mut ended)? {
        let kind = header[156];
        let attributes = std::mem::take(&mut next);
        let bytes = match attributes.bytes {
            Some(bytes) if !matches!(kind, b'L' | b'K' | b'x' | b'g') => bytes,
            _ => number(&header[124..136])?,
        };
        match kind {
            b'L' | b'x' => {
                let text = small(&mut stream, bytes)?;
                next = attributes;
                if kind == b'L' {
                    next.name = Some(readable_name(until_nul(&text)));
                } else {
                    next.read_pax(&text)?;
                }
            }
            b'0' | 0 | b'7' | b'S' => {
                let name = attributes.name.unwrap_or_else(|| name(&header));
                let body = Read::take(&mut stream, bytes);
                let mut body = match kind == b'S' || attributes.is_sparse {
                    true => Body { data: body, sealed: Some("a sparse file in a tar archive") },
                    false => Body { data: body, sealed: None },
                };
                if !name.ends_with('/') {
                    take(Entry { name: &name, stream: &mut body })?;
                }
                let rest = body.data.limit();
                skip(&mut stream, rest + padding(bytes))?;
            }
            _ => {
                next = if matches!(kind, b'K' | b'g') { attributes } else { Attributes::default() };
                skip(&mut stream, bytes + padding(bytes))?;
            }
        }
    }
    Ok(())
}

/// What the headers before a file say of it.
#[derive(Default)]
struct Attributes {
    name: Option<String>,
    bytes: Option<u64>,
    is_sparse: bool,
}

impl Attributes {
    /// Reads lines of `LENGTH KEY=VALUE`.
    fn read_pax(&mut self, mut text: &[u8]) -> io::Result<()> {
        let wrong = || broken("the attributes of a file in a tar archive are broken");
        while let Some(blank) = memchr::memchr(b' ', text) {
            let length: usize = ascii(&text[..blank]).ok_or_else(wrong)?;
            let line = text.get(blank + 1..length.saturating_sub(1)).ok_or_else(wrong)?;
            let equals = memchr::memchr(b'=', line).ok_or_else(wrong)?;
            let value = &line[equals + 1..];
            match &line[..equals] {
                b"path" => self.name = Some(readable_name(value)),
                b"size" => self.bytes = Some(ascii(value).ok_or_else(wrong)?),
                key => self.is_sparse |= key.starts_with(b"GNU.sparse"),
            }
            text = text.get(length..).ok_or_else(wrong)?;
        }
        Ok(())
    }
}

/// The data of a file; one that cannot be read says why.
struct Body<'a, 'b> {
    data: io::Take<&'a mut Stream<'b>>,
    sealed: Option<&'static str>,
}

impl Read for Body<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(why) = self.sealed {
            return Err(broken(why));
        }
        match self.data.read(buffer)? {
            0 if self.data.limit() > 0 && !buffer.is_empty() => {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            read => Ok(read),
        }
    }
}

/// The next header; none at the end. Blocks of zeros end an archive, but another may be joined on;
/// without them it was cut.
fn header(stream: &mut Stream<'_>, ended: &mut bool) -> io::Result<Option<[u8; BLOCK_BYTES]>> {
    loop {
        let mut block = [0; BLOCK_BYTES];
        let mut filled = 0;
        while filled < BLOCK_BYTES {
            match stream.read(&mut block[filled..]) {
                Ok(0) if filled == 0 && *ended => return Ok(None),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        *ended = block.iter().all(|byte| *byte == 0);
        if *ended {
            continue;
        }
        // The sum of a header counts its own field as blanks; some old programs sum signed bytes.
        let told = number(&block[148..156])?;
        let summed = block.iter().enumerate().map(|(at, byte)| match at {
            148..156 => i64::from(b' '),
            _ => i64::from(*byte),
        });
        let high = block.iter().filter(|byte| **byte >= 128).count() as i64;
        let sum: i64 = summed.sum();
        let told = i64::try_from(told).unwrap_or(-1);
        if told != sum && told != sum - 256 * high {
            return Err(broken("no header of a tar archive stands where one should"));
        }
        return Ok(Some(block));
    }
}

/// A number in octal digits, or in binary if its first bit is set.
fn number(field: &[u8]) -> io::Result<u64> {
    let wrong = || broken("a header of a tar archive is broken");
    if field[0] & 0x80 != 0 {
        let (wide, low) = field.split_at(field.len() - 8);
        if wide.iter().any(|byte| byte & 0x7f != 0) {
            return Err(wrong());
        }
        return Ok(u64::from_be_bytes(low.try_into().map_err(|_| wrong())?));
    }
    let text = until_nul(field).trim_ascii();
    if text.is_empty() {
        return Ok(0);
    }
    let text = std::str::from_utf8(text).map_err(|_| wrong())?;
    u64::from_str_radix(text, 8).map_err(|_| wrong())
}

fn ascii<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn name(header: &[u8; BLOCK_BYTES]) -> String {
    let name = readable_name(until_nul(&header[..100]));
    let is_posix = &header[257..263] == b"ustar\0";
    let prefix = if is_posix { until_nul(&header[345..500]) } else { &[] };
    if prefix.is_empty() { name } else { readable_name(prefix) + "/" + &name }
}

fn until_nul(text: &[u8]) -> &[u8] {
    &text[..memchr::memchr(0, text).unwrap_or(text.len())]
}

fn padding(bytes: u64) -> u64 {
    bytes.next_multiple_of(BLOCK_BYTES as u64) - bytes
}

/// The text of a header that describes the next one.
fn small(stream: &mut Stream<'_>, bytes: u64) -> io::Result<Vec<u8>> {
    if bytes > ATTRIBUTES_BYTES_MAX {
        return Err(broken("a header of a tar archive is longer than any"));
    }
    let mut text = vec![0; bytes as usize];
    stream.read_exact(&mut text)?;
    skip(stream, padding(bytes))?;
    Ok(text)
}

fn skip(stream: &mut Stream<'_>, bytes: u64) -> io::Result<()> {
    let skipped = io::copy(&mut Read::take(stream, bytes), &mut io::sink())?;
    if skipped < bytes { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}
