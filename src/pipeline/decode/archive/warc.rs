//! Format 18, WARC: the bodies of answers that a crawler wrote down, with chunks joined. What
//! packs a body stays on it: that is told by its magic bytes, as everywhere.

use std::io::{self, BufRead, BufReader, Read};

use super::{Entry, TakeEntry, broken};
use crate::pipeline::decode::{BUFFER_BYTES, Stream};

/// The most bytes of a header.
const HEADER_BYTES_MAX: u64 = 256 << 10;

/// Media types that may hold records; others (pages, images) are passed over.
const MEDIA: &[&str] = &["json", "javascript", "text/plain", "text/csv", "octet-stream", "gzip"];

/// Hands over the body of each answer.
pub(super) fn entries(stream: Stream<'_>, take: TakeEntry<'_>) -> io::Result<()> {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, stream);
    let mut number = 0_u64;
    while begins_record(&mut input)? {
        number += 1;
        let headers = Headers::read(&mut input)?;
        let bytes = headers.get("content-length").and_then(|length| length.parse().ok());
        let bytes: u64 = bytes.ok_or_else(|| broken("a WARC record does not tell its length"))?;
        let mut block = Read::take(&mut input, bytes);
        record(&headers, number, &mut block, take)?;
        let rest = block.limit();
        let skipped = io::copy(&mut block, &mut io::sink())?;
        if skipped < rest {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

type Block<'a, 'b> = io::Take<&'a mut BufReader<Stream<'b>>>;

/// Hands over the body of a record, if it is an answer that may hold records of ours.
fn record(
    headers: &Headers,
    number: u64,
    block: &mut Block<'_, '_>,
    take: TakeEntry<'_>,
) -> io::Result<()> {
    let kind = headers.get("warc-type").unwrap_or_default();
    let is_http = headers.get("content-type").is_some_and(|media| media.contains("http"));
    let name = format!("record {number}");
    match kind {
        "resource" | "conversion" if may_hold_records(headers.get("content-type")) => {
            take(Entry { name: &name, stream: &mut Body { block, is_chunked: false, left: 0 } })
        }
        "response" if is_http => {
            let mut status = Vec::new();
            line(block, &mut status)?;
            let answer = Headers::read(block)?;
            if !may_hold_records(answer.get("content-type")) || block.limit() == 0 {
                return Ok(());
            }
            let is_chunked =
                answer.get("transfer-encoding").is_some_and(|coding| coding.contains("chunked"));
            let mut body = Body { is_chunked: is_chunked && begins_chunk(block)?, left: 0, block };
            let packed = answer.get("content-encoding").unwrap_or("identity");
            if !["identity", "gzip", "x-gzip", "zstd"].contains(&packed) {
                return take(Entry { name: &name, stream: &mut Sealed });
            }
            take(Entry { name: &name, stream: &mut body })
        }
        _ => Ok(()),
    }
}

fn may_hold_records(media: Option<&str>) -> bool {
    media.is_none_or(|media| MEDIA.iter().any(|known| media.contains(known)))
}

/// Goes to the next record; says whether there is one.
fn begins_record(input: &mut impl BufRead) -> io::Result<bool> {
    let mut text = Vec::new();
    loop {
        text.clear();
        if line(input, &mut text)? == 0 {
            return Ok(false);
        }
        match text.trim_ascii() {
            b"" => {}
            start if start.starts_with(b"WARC/1.") => return Ok(true),
            _ => return Err(broken("no record of a WARC stands where one should")),
        }
    }
}

/// Reads a line of a header; says how many bytes it has.
fn line(input: &mut impl BufRead, text: &mut Vec<u8>) -> io::Result<usize> {
    let read = Read::take(&mut *input, HEADER_BYTES_MAX).read_until(b'\n', text)?;
    if read as u64 == HEADER_BYTES_MAX {
        return Err(broken("a header of a WARC is longer than any"));
    }
    Ok(read)
}

/// Names in lower case with their values.
struct Headers(Vec<(String, String)>);

impl Headers {
    /// Reads lines up to an empty one.
    fn read(input: &mut impl BufRead) -> io::Result<Headers> {
        let (mut headers, mut bytes) = (Vec::new(), 0);
        let mut text = Vec::new();
        loop {
            text.clear();
            bytes += line(input, &mut text)?;
            if bytes as u64 > HEADER_BYTES_MAX {
                return Err(broken("a header of a WARC is longer than any"));
            }
            let text = String::from_utf8_lossy(&text);
            if text.trim().is_empty() {
                return Ok(Headers(headers));
            }
            if let Some((name, value)) = text.split_once(':') {
                headers.push((name.trim().to_lowercase(), value.trim().to_lowercase()));
            }
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// Whether a body that is said to come in chunks does: crawlers join chunks and leave the header.
fn begins_chunk(block: &mut Block<'_, '_>) -> io::Result<bool> {
    let head = block.fill_buf()?;
    let digits = head.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    Ok((1..=16).contains(&digits) && matches!(head.get(digits), Some(b'\r' | b'\n' | b';' | b' ')))
}

/// The bytes of a body, out of their chunks.
struct Body<'a, 'b, 'c> {
    block: &'a mut Block<'b, 'c>,
    is_chunked: bool,
    /// Bytes left of this chunk.
    left: u64,
}

impl Body<'_, '_, '_> {
    /// Reads the length of the next chunk; zero is the end.
    fn next_chunk(&mut self) -> io::Result<u64> {
        let mut text = Vec::new();
        // The line feed that ends the last chunk comes first.
        while text.trim_ascii().is_empty() {
            text.clear();
            if line(self.block, &mut text)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let length = text.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let length = std::str::from_utf8(length).ok();
        length
            .and_then(|length| u64::from_str_radix(length, 16).ok())
            .ok_or_else(|| broken("a chunk of an answer in a WARC does not tell its length"))
    }
}

impl Read for Body<'_, '_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_chunked || buffer.is_empty() {
            return match self.block.read(buffer)? {
                0 if self.block.limit() > 0 && !buffer.is_empty() => {
                    Err(io::ErrorKind::UnexpectedEof.into())
                }
                read => Ok(read),
            };
        }
        if self.left == 0 {
            self.left = self.next_chunk()?;
            if self.left == 0 {
                self.is_chunked = false;
                io::copy(self.block, &mut io::sink())?;
                return Ok(0);
            }
        }
        match Read::take(&mut *self.block, self.left).read(buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.left -= read as u64;
                Ok(read)
            }
        }
    }
}

/// A body that is packed in a way that nobody here unpacks.
struct Sealed;

impl Read for Sealed {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        Err(broken("an answer in a WARC is packed in an unknown way"))
    }
}
