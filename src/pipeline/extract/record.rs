//! One JSON object as a fixed set of slots: where the value of each known key stands.
//! Children are looked at in the same way, by a walk over their own bytes.

use super::key::{KEYS, Key};
use super::scan::{self, Escapes, Keep, Skip, Walk};
use crate::pipeline::reason::Reason;

/// The known keys of one JSON value; none if it is no object.
pub(crate) struct Record<'a> {
    input: &'a [u8],
    spans: [(u32, u32); KEYS],
    present: u128,
    current: Option<Key>,
    /// Where the value itself stands, once it was found whole.
    whole: (u32, u32),
}

const _: () = assert!(KEYS <= 128, "the mask of present keys has 128 bits");

impl<'a> Record<'a> {
    /// An empty record over `input`.
    fn over(input: &'a [u8]) -> Record<'a> {
        assert!(u32::try_from(input.len()).is_ok(), "a window stays below 4 GiB");
        Record { input, spans: [(0, 0); KEYS], present: 0, current: None, whole: (0, 0) }
    }

    /// Walks the value that begins at `start` of `input`.
    pub(crate) fn walk(input: &'a [u8], start: usize) -> (Record<'a>, Walk) {
        let mut record = Record::over(input);
        let walk = scan::walk(input, start, &mut record);
        record.ends(start, walk);
        (record, walk)
    }

    /// The same, if more input may come (see [`scan::walk_so_far`]).
    pub(crate) fn walk_so_far(input: &'a [u8], start: usize) -> (Record<'a>, Walk) {
        let mut record = Record::over(input);
        let walk = scan::walk_so_far(input, start, &mut record);
        record.ends(start, walk);
        (record, walk)
    }

    /// Notes where the value stands that was walked from `start` on.
    #[inline]
    fn ends(&mut self, start: usize, walk: Walk) {
        if let Walk::End(end) = walk {
            self.whole = (start as u32, end as u32);
        }
    }

    /// The record of a whole value that an earlier walk found whole; none if it is no object
    /// or names a key twice.
    pub(crate) fn of(value: &'a [u8]) -> Option<Record<'a>> {
        if value.first() != Some(&b'{') {
            return None;
        }
        match Record::walk(value, 0) {
            (record, Walk::End(_)) => Some(record),
            _ => None,
        }
    }

    /// The bytes of the whole value; none if it is damaged.
    pub(crate) fn whole(&self) -> &'a [u8] {
        &self.input[self.whole.0 as usize..self.whole.1 as usize]
    }

    /// Whether the key is there, whatever its value.
    #[inline]
    pub(crate) fn has(&self, key: Key) -> bool {
        self.present >> key as u32 & 1 != 0
    }

    /// Whether any of `keys` is there.
    pub(crate) fn has_any(&self, keys: &[Key]) -> bool {
        keys.iter().any(|key| self.has(*key))
    }

    /// The bytes of the key's value; none if it is absent or null.
    #[inline]
    pub(crate) fn value(&self, key: Key) -> Option<&'a [u8]> {
        if !self.has(key) {
            return None;
        }
        let (start, end) = self.spans[key as usize];
        let value = &self.input[start as usize..end as usize];
        (value != b"null").then_some(value)
    }

    /// The key's value, if it is an object.
    pub(crate) fn object(&self, key: Key) -> Option<Record<'a>> {
        Record::of(self.value(key)?)
    }

    /// The elements of the key's value, if it is an array; nothing otherwise.
    pub(crate) fn elements(&self, key: Key) -> Elements<'a> {
        Elements::of(self.value(key).unwrap_or_default())
    }

    /// Whether the key's value is an array.
    pub(crate) fn is_array(&self, key: Key) -> bool {
        self.value(key).is_some_and(|value| value.starts_with(b"["))
    }

    /// Whether the key's value is an object.
    pub(crate) fn is_object(&self, key: Key) -> bool {
        self.value(key).is_some_and(|value| value.starts_with(b"{"))
    }

    /// Whether the key's value is the string `text` (spelled without escapes).
    pub(crate) fn is_text(&self, key: Key, text: &str) -> bool {
        self.value(key).and_then(unquoted) == Some(text.as_bytes())
    }
}

impl Keep for Record<'_> {
    fn restart(&mut self) {
        self.present = 0;
        self.current = None;
    }

    #[inline]
    fn key(&mut self, key: &[u8], escapes: Escapes) -> Result<(), Reason> {
        self.current = match escapes {
            Escapes::None => Key::of(key),
            Escapes::Some => unescaped_key(key),
        };
        match self.current {
            Some(key) if self.has(key) => Err(Reason::DuplicateKey),
            _ => Ok(()),
        }
    }

    #[inline]
    fn value(&mut self, start: usize, end: usize) {
        if let Some(key) = self.current.take() {
            self.spans[key as usize] = (start as u32, end as u32);
            self.present |= 1 << key as u32;
        }
    }
}

/// The key that is spelled with escapes, as in `"id\u005fstr"`.
#[cold]
fn unescaped_key(key: &[u8]) -> Option<Key> {
    Key::of(unescaped(key)?.as_bytes())
}

/// The text of a string's inside with its escapes resolved; none if it is no UTF-8.
#[cold]
pub(crate) fn unescaped(inside: &[u8]) -> Option<String> {
    let quoted = [b"\"", inside, b"\""].concat();
    serde_json::from_slice(&quoted).ok()
}

/// The inside of a JSON string; none for any other value.
#[inline]
pub(crate) fn unquoted(value: &[u8]) -> Option<&[u8]> {
    match value {
        [b'"', inside @ .., b'"'] => Some(inside),
        _ => None,
    }
}

/// Goes through the elements of an array that an earlier walk found whole.
pub(crate) struct Elements<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Elements<'a> {
    /// The elements of `value`; none if it is no array.
    pub(crate) fn of(value: &'a [u8]) -> Elements<'a> {
        let at = if value.starts_with(b"[") { 1 } else { value.len() };
        Elements { input: value, at }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let mut start = scan::skip_blanks(self.input, self.at);
        if self.input.get(start) == Some(&b',') {
            start = scan::skip_blanks(self.input, start + 1);
        }
        if matches!(self.input.get(start), None | Some(b']')) {
            self.at = self.input.len();
            return None;
        }
        let Walk::End(end) = scan::walk(self.input, start, &mut Skip) else {
            unreachable!("the array was walked before and found whole");
        };
        self.at = end;
        Some(&self.input[start..end])
    }
}
