//! Strings, numbers, literals and blanks of JSON: where each ends. Eight bytes at a step where it
//! pays; the naive twins are in the tests.

use super::Escapes;
use super::careful::Stop;
use crate::pipeline::reason::Reason;

/// One in every byte of a word.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The highest bit of every byte of a word.
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Bytes of `word` that are zero, as their highest bits; exact up to the first one.
#[inline]
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// The byte after the closing quote of the string whose text begins at `at`.
#[inline]
pub(super) fn string_end(input: &[u8], at: usize) -> Result<(usize, Escapes), Stop> {
    let mut at = at;
    let mut escapes = Escapes::None;
    loop {
        at = special(input, at);
        match input.get(at) {
            None => return Err(Stop::Incomplete),
            Some(b'"') => return Ok((at + 1, escapes)),
            Some(b'\\') => {
                escapes = Escapes::Some;
                at = escape_end(input, at)?;
            }
            Some(b'\n') => return Err(Stop::Damaged(at, Reason::LineFeedInString)),
            Some(0) => return Err(Stop::Damaged(at, Reason::Syntax)),
            // Other control characters are wrong by the book, but cost nobody an ID.
            Some(_) => at += 1,
        }
    }
}

/// The next quote, backslash or control character at or after `at`, or the end of the input.
#[inline]
fn special(input: &[u8], mut at: usize) -> usize {
    while let Some(bytes) = input.get(at..at + 8) {
        let word = u64::from_le_bytes(bytes.try_into().expect("the slice has 8 bytes"));
        let quotes = zeros(word ^ (ONES * b'"' as u64));
        let backslashes = zeros(word ^ (ONES * b'\\' as u64));
        let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let hits = quotes | backslashes | controls;
        if hits != 0 {
            return at + (hits.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = input.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            break;
        }
        at += 1;
    }
    at
}

/// The byte after the escape that begins with the backslash at `at`, which any byte may follow but
/// those that no string holds: what it spells matters to whoever reads the string.
#[inline]
fn escape_end(input: &[u8], at: usize) -> Result<usize, Stop> {
    match input.get(at + 1) {
        None => Err(Stop::Incomplete),
        Some(b'\n') => Err(Stop::Damaged(at + 1, Reason::LineFeedInString)),
        Some(0) => Err(Stop::Damaged(at + 1, Reason::Syntax)),
        Some(_) => Ok(at + 2),
    }
}

/// The byte after the number or literal that begins at `at`.
#[inline]
pub(super) fn scalar_end(input: &[u8], at: usize) -> Result<usize, Stop> {
    match input[at] {
        b't' => literal_end(input, at, b"true"),
        b'f' => literal_end(input, at, b"false"),
        b'n' => literal_end(input, at, b"null"),
        b'-' | b'0'..=b'9' => number_end(input, at),
        b'}' | b']' => Err(Stop::Damaged(at, Reason::Bracket)),
        _ => Err(Stop::Damaged(at, Reason::Syntax)),
    }
}

#[inline]
fn literal_end(input: &[u8], at: usize, literal: &[u8]) -> Result<usize, Stop> {
    let rest = &input[at..];
    if rest.starts_with(literal) {
        return Ok(at + literal.len());
    }
    if rest.len() < literal.len() && literal.starts_with(rest) {
        return Err(Stop::Incomplete);
    }
    Err(Stop::Damaged(at, Reason::Syntax))
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`; more digits may follow at the input's end.
fn number_end(input: &[u8], at: usize) -> Result<usize, Stop> {
    let mut end = at + usize::from(input[at] == b'-');
    let whole = end;
    end = digits_end(input, end)?;
    if end == whole || end - whole > 1 && input[whole] == b'0' {
        return Err(Stop::Damaged(end, Reason::Syntax));
    }
    if input[end] == b'.' {
        let fraction = end + 1;
        end = digits_end(input, fraction)?;
        if end == fraction {
            return Err(Stop::Damaged(end, Reason::Syntax));
        }
    }
    if matches!(input[end], b'e' | b'E') {
        let sign = matches!(input.get(end + 1), Some(b'+' | b'-'));
        let exponent = end + 1 + usize::from(sign);
        end = digits_end(input, exponent)?;
        if end == exponent {
            return Err(Stop::Damaged(end, Reason::Syntax));
        }
    }
    Ok(end)
}

/// The first byte at or after `at` that is no digit; incomplete if the input ends first.
#[inline]
fn digits_end(input: &[u8], mut at: usize) -> Result<usize, Stop> {
    while let Some(byte) = input.get(at) {
        if !byte.is_ascii_digit() {
            return Ok(at);
        }
        at += 1;
    }
    Err(Stop::Incomplete)
}

/// The first byte at or after `at` that is no blank of JSON, or the end of the input.
#[inline]
pub(crate) fn skip_blanks(input: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = input.get(at) {
        at += 1;
    }
    at
}
