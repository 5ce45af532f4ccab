//! Values that a walk passed over: closed, but by which rules of JSON only shows when somebody
//! looks into them. Each look is a walk over one more level; a tear that it meets is noted, and
//! then nothing of the record is believed. Not for the outermost level, which is the record's.

use std::cell::Cell;

use super::record::Record;
use super::scan::{self, Skip, Walk};
use crate::pipeline::reason::Reason;

/// The first tear that was met inside a record: at which byte of the window, and why.
#[derive(Debug, Default)]
pub(crate) struct Torn(Cell<Option<(usize, Reason)>>);

impl Torn {
    /// The tear, if one was met.
    pub(crate) fn met(&self) -> Option<(usize, Reason)> {
        self.0.get()
    }

    fn note(&self, at: usize, reason: Reason) {
        self.0.set(self.0.get().or(Some((at, reason))));
    }
}

/// A value inside a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    /// The window, up to the value's end.
    input: &'a [u8],
    start: usize,
    torn: &'a Torn,
}

impl<'a> Value<'a> {
    /// The value that stands from `start` to `end` of `input`.
    pub(crate) fn new(input: &'a [u8], (start, end): (u32, u32), torn: &'a Torn) -> Value<'a> {
        Value { input: &input[..end as usize], start: start as usize, torn }
    }

    /// Its bytes.
    pub(crate) fn bytes(self) -> &'a [u8] {
        &self.input[self.start..]
    }

    /// Looks into an object; none if it is none, or torn.
    pub(crate) fn object(self) -> Option<Record<'a>> {
        if self.input.get(self.start) != Some(&b'{') {
            return None;
        }
        let (record, walk) = Record::walk(self.input, self.start, self.torn);
        (self.ended(self.start, walk)? == self.input.len()).then_some(record)
    }

    /// The elements of an array; none if it is none.
    pub(crate) fn elements(self) -> impl Iterator<Item = Value<'a>> {
        let mut inside = Inside::of(self, b'[');
        std::iter::from_fn(move || {
            let start = inside.next_start()?;
            inside.skip(start)
        })
    }

    /// The elements of an array as records; none in the place of one that is no object.
    pub(crate) fn records(self) -> impl Iterator<Item = Option<Record<'a>>> {
        let mut inside = Inside::of(self, b'[');
        std::iter::from_fn(move || {
            let start = inside.next_start()?;
            if self.input[start] != b'{' {
                return inside.skip(start).map(|_| None);
            }
            let (record, walk) = Record::walk(self.input, start, self.torn);
            inside.at = self.ended(start, walk)?;
            Some(Some(record))
        })
    }

    /// The members of an object, each a key in its quotes and a value; none if it is no object.
    /// Not for the hot path: values are walked to find their ends.
    pub(crate) fn members(self) -> impl Iterator<Item = (&'a [u8], Value<'a>)> {
        let mut inside = Inside::of(self, b'{');
        std::iter::from_fn(move || {
            let start = inside.next_start()?;
            let key = inside.skip(start)?;
            let colon = scan::skip_blanks(self.input, inside.at);
            if self.input[start] != b'"' || self.input.get(colon) != Some(&b':') {
                self.torn.note(colon, Reason::Syntax);
                return None;
            }
            let value = inside.skip(scan::skip_blanks(self.input, colon + 1))?;
            Some((key.bytes(), value))
        })
    }

    /// The value at the end of a path of keys (in their quotes); none if a key is absent, stands
    /// twice, or is null.
    pub(crate) fn at_path(self, path: &[&str]) -> Option<Value<'a>> {
        path.iter().try_fold(self, |value, name| {
            let mut named = value.members().filter(|(key, _)| *key == name.as_bytes());
            let (_, found) = named.next()?;
            (named.next().is_none() && found.bytes() != b"null").then_some(found)
        })
    }

    /// Where the walk from `start` on ended; notes a tear.
    fn ended(&self, start: usize, walk: Walk) -> Option<usize> {
        match walk {
            Walk::End(end) => return Some(end),
            Walk::Incomplete => self.torn.note(start, Reason::Bracket),
            Walk::Damaged(at, reason) => self.torn.note(at, reason),
        }
        None
    }
}

/// A way through the inside of an array or object.
struct Inside<'a> {
    value: Value<'a>,
    at: usize,
    is_first: bool,
}

impl<'a> Inside<'a> {
    /// The way through a value that begins with `open`; at its end for any other.
    fn of(value: Value<'a>, open: u8) -> Inside<'a> {
        let fits = value.input.get(value.start) == Some(&open);
        let at = if fits { value.start + 1 } else { value.input.len() };
        Inside { value, at, is_first: true }
    }

    /// Where the next element or member begins; notes a comma that is missing or too many.
    fn next_start(&mut self) -> Option<usize> {
        let Value { input, torn, .. } = self.value;
        let last = input.len().checked_sub(1)?;
        let mut at = scan::skip_blanks(input, self.at);
        if at >= last {
            return None;
        }
        if !std::mem::take(&mut self.is_first) {
            if input[at] != b',' {
                torn.note(at, Reason::Syntax);
                return None;
            }
            at = scan::skip_blanks(input, at + 1);
            if at >= last {
                torn.note(at, Reason::Syntax);
                return None;
            }
        }
        Some(at)
    }

    /// The value that begins at `start`, behind which the way goes on.
    fn skip(&mut self, start: usize) -> Option<Value<'a>> {
        let Value { input, torn, .. } = self.value;
        self.at = self.value.ended(start, scan::walk(input, start, &mut Skip))?;
        Some(Value { input: &input[..self.at], start, torn })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `look` says of a value, and the tear that it met.
    fn look<T>(text: &str, look: impl Fn(Value<'_>) -> T) -> (T, Option<(usize, Reason)>) {
        let torn = Torn::default();
        let value = Value::new(text.as_bytes(), (0, text.len() as u32), &torn);
        (look(value), torn.met())
    }

    #[test]
    fn members_and_paths_are_found_between_blanks() {
        let object = r#"{ "a" : {"b":[1, 2], "c" : null } , "d":"x}", "e":1,"e":2}"#;
        let keys = |value: Value<'_>| value.members().map(|(key, _)| key.to_vec()).collect();
        let found: (Vec<Vec<u8>>, _) = look(object, keys);
        assert_eq!(found, ([b"\"a\"", b"\"d\"", b"\"e\"", b"\"e\""].map(Vec::from).into(), None));
        let at =
            |path: &[&str]| look(object, |value| value.at_path(path).map(|it| it.bytes().to_vec()));
        assert_eq!(at(&["\"a\"", "\"b\""]), (Some(b"[1, 2]".to_vec()), None));
        assert_eq!(at(&["\"d\""]), (Some(b"\"x}\"".to_vec()), None));
        for path in [&["\"a\"", "\"c\""][..], &["\"e\""], &["\"f\""], &["\"d\"", "\"b\""]] {
            assert_eq!(at(path), (None, None));
        }
        for other in ["{}", "[1]", "{ }", "\"x\"", "[]", "[ ]", "1"] {
            assert_eq!(look(other, |value| value.members().count()), (0, None), "{other}");
        }
    }

    #[test]
    fn elements_are_found_between_blanks() {
        let texts = |value: Value<'_>| value.elements().map(|it| it.bytes().to_vec()).collect();
        let found: (Vec<Vec<u8>>, _) = look(r#"[ 1 ,"a]",{"b":[2]} , [ ] ]"#, texts);
        let expected: Vec<Vec<u8>> =
            vec![b"1".into(), b"\"a]\"".into(), b"{\"b\":[2]}".into(), b"[ ]".into()];
        assert_eq!(found, (expected, None));
        let records = |value: Value<'_>| value.records().map(|it| it.is_some()).collect::<Vec<_>>();
        assert_eq!(look(r#"[{"a":1} , 2, { } ]"#, records), (vec![true, false, true], None));
    }

    #[test]
    fn what_is_closed_but_no_json_is_torn_where_it_is_looked_into() {
        for (text, at) in [
            ("[1 2]", 3),
            ("[1,]", 3),
            ("[,1]", 1),
            ("[1,,2]", 3),
            ("[{\"a\":1}x]", 8),
            ("[{]}]", 2),
        ] {
            let torn = look(text, |value| value.elements().count()).1;
            assert_eq!(torn.map(|(at, _)| at), Some(at), "{text}");
        }
        for (text, at) in [
            ("{\"a\" 1}", 5),
            ("{1:2}", 2),
            ("{\"a\":1 \"b\":2}", 7),
            ("{\"a\":1,}", 7),
            ("{\"a\":}", 5),
        ] {
            assert_eq!(
                look(text, |value| value.members().count()).1.map(|(at, _)| at),
                Some(at),
                "{text}"
            );
        }
        for (text, at) in [("{\"id\":1 2}", 8), ("{\"id\":1,\"id\":2}", 9), ("{\"id\":NaN}", 6)] {
            let (record, torn) = look(text, |value| value.object().is_some());
            assert_eq!((record, torn.map(|(at, _)| at)), (false, Some(at)), "{text}");
        }
    }
}
