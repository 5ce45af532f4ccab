//! One JSON object as a fixed set of slots: where the value of each known key stands.
//! What its values hold inside is looked at in the same way, by a walk over one more level.

use super::key::{KEYS, Key};
use super::scan::{self, Escapes, Keep, Span, Walk};
use super::value::{Torn, Value};
use crate::pipeline::reason::Reason;

/// The known keys of one JSON value; none if it is no object.
pub(crate) struct Record<'a> {
    input: &'a [u8],
    torn: &'a Torn,
    spans: [(u32, u32); KEYS],
    present: u128,
    /// Whether it may hold line feeds.
    on_lines: bool,
    /// Where the value itself stands, once it was found whole.
    whole: (u32, u32),
}

const _: () = assert!(KEYS <= 128, "the mask of present keys has 128 bits");

impl<'a> Record<'a> {
    /// An empty record over `input`.
    fn over(input: &'a [u8], torn: &'a Torn) -> Record<'a> {
        Record { input, torn, spans: [(0, 0); KEYS], present: 0, on_lines: false, whole: (0, 0) }
    }

    /// Walks the value that begins at `start` of `input`; tears further inside go to `torn`.
    pub(crate) fn walk(input: &'a [u8], start: usize, torn: &'a Torn) -> (Record<'a>, Walk) {
        let mut record = Record::over(input, torn);
        let walk = scan::walk(input, start, &mut record);
        record.ends(start, walk);
        (record, walk)
    }

    /// The same, if more input may come (see [`scan::walk_so_far`]).
    pub(crate) fn walk_so_far(input: &'a [u8], start: usize, torn: &'a Torn) -> (Record<'a>, Walk) {
        let mut record = Record::over(input, torn);
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

    /// The whole value; empty if it is damaged.
    pub(crate) fn whole(&self) -> Value<'a> {
        Value::new(self.input, self.whole, self.torn)
    }

    /// Whether it may hold line feeds.
    pub(crate) fn is_on_lines(&self) -> bool {
        self.on_lines
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

    /// The key's value, to look into; none if it is absent or null.
    pub(crate) fn inside(&self, key: Key) -> Option<Value<'a>> {
        self.value(key)?;
        Some(Value::new(self.input, self.spans[key as usize], self.torn))
    }

    /// The key's value, if it is an object.
    pub(crate) fn object(&self, key: Key) -> Option<Record<'a>> {
        self.inside(key)?.object()
    }

    /// The elements of the key's value, if it is an array; nothing otherwise.
    pub(crate) fn elements(&self, key: Key) -> impl Iterator<Item = Value<'a>> {
        self.inside(key).into_iter().flat_map(Value::elements)
    }

    /// The same as records; none in the place of one that is no object.
    pub(crate) fn records(&self, key: Key) -> impl Iterator<Item = Option<Record<'a>>> {
        self.inside(key).into_iter().flat_map(Value::records)
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
        self.on_lines = true;
        self.present = 0;
    }

    #[inline]
    fn member(&mut self, key: &[u8], escapes: Escapes, value: Span) -> Result<(), Reason> {
        let key = match escapes {
            Escapes::None => Key::of(key),
            Escapes::Some => unescaped_key(key),
        };
        let Some(key) = key else { return Ok(()) };
        if self.has(key) {
            return Err(Reason::DuplicateKey);
        }
        self.spans[key as usize] = (value.0 as u32, value.1 as u32);
        self.present |= 1 << key as u32;
        Ok(())
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
