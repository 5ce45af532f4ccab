//! Byte order marks and UTF-16: what comes out is UTF-8 without a mark, or bytes as they were.

use std::io::{self, Cursor, Read};

use super::Stream;

/// Bytes of UTF-16 that are turned at a time.
const STEP_BYTES: usize = 32 << 10;

/// Takes the mark off a stream, and turns UTF-16 into UTF-8; says which encoding it was.
pub(super) fn plain(mut stream: Stream<'_>) -> io::Result<(Stream<'_>, Option<&'static str>)> {
    let mut head = Vec::with_capacity(3);
    stream.by_ref().take(3).read_to_end(&mut head)?;
    let (mark, wide) = match head.as_slice() {
        [0xEF, 0xBB, 0xBF] => (3, None),
        [0xFF, 0xFE, ..] => (2, Some(("utf-16le", u16::from_le_bytes as fn([u8; 2]) -> u16))),
        [0xFE, 0xFF, ..] => (2, Some(("utf-16be", u16::from_be_bytes as fn([u8; 2]) -> u16))),
        _ => (0, None),
    };
    let rest: Stream<'_> = Box::new(Cursor::new(head.split_off(mark)).chain(stream));
    Ok(match wide {
        None => (rest, None),
        Some((name, unit)) => {
            let narrow = Narrowed { input: rest, unit, high: None, out: Vec::new(), at: 0 };
            (Box::new(narrow), Some(name))
        }
    })
}

/// Turns UTF-16 into UTF-8 as it is read; a lone surrogate becomes U+FFFD.
struct Narrowed<'a> {
    input: Stream<'a>,
    unit: fn([u8; 2]) -> u16,
    /// A high surrogate at the end of the last step.
    high: Option<u16>,
    out: Vec<u8>,
    at: usize,
}

impl Narrowed<'_> {
    /// Turns one step; leaves nothing at the end of the input.
    fn step(&mut self) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(STEP_BYTES);
        self.input.by_ref().take(STEP_BYTES as u64).read_to_end(&mut bytes)?;
        self.out.clear();
        self.at = 0;
        let ended = bytes.len() < STEP_BYTES;
        let pairs = bytes.chunks_exact(2).map(|pair| (self.unit)([pair[0], pair[1]]));
        let mut units: Vec<u16> = self.high.take().into_iter().chain(pairs).collect();
        if !ended && matches!(units.last(), Some(0xD800..=0xDBFF)) {
            self.high = units.pop();
        }
        for read in char::decode_utf16(units) {
            let letter = read.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Ok(())
    }
}

impl Read for Narrowed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.out.len() {
            self.step()?;
        }
        let length = buffer.len().min(self.out.len() - self.at);
        buffer[..length].copy_from_slice(&self.out[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}
