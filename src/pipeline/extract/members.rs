//! The members of one JSON object with all their keys, for the formats whose tweets stand deep
//! inside objects that nobody else knows. Not for the hot path: each level is walked anew.

use super::scan::{self, Skip, Walk};

/// Goes through the members of an object that an earlier walk found whole.
pub(super) struct Members<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Members<'a> {
    /// The members of `value`; none if it is no object.
    pub(super) fn of(value: &'a [u8]) -> Members<'a> {
        let at = if value.starts_with(b"{") { 1 } else { value.len() };
        Members { input: value, at }
    }

    /// The value that begins at `start`, and where it ends.
    fn value(&self, start: usize) -> (&'a [u8], usize) {
        let Walk::End(end) = scan::walk(self.input, start, &mut Skip) else {
            unreachable!("the object was walked before and found whole");
        };
        (&self.input[start..end], end)
    }
}

impl<'a> Iterator for Members<'a> {
    /// A key in its quotes, and its value.
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut start = scan::skip_blanks(self.input, self.at);
        if self.input.get(start) == Some(&b',') {
            start = scan::skip_blanks(self.input, start + 1);
        }
        if matches!(self.input.get(start), None | Some(b'}')) {
            self.at = self.input.len();
            return None;
        }
        let (key, end) = self.value(start);
        let colon = scan::skip_blanks(self.input, end);
        let (value, end) = self.value(scan::skip_blanks(self.input, colon + 1));
        self.at = end;
        Some((key, value))
    }
}

/// The value at the end of a path of keys (in their quotes); none if a key is absent, stands
/// twice, or is null.
pub(super) fn at_path<'a>(value: &'a [u8], path: &[&str]) -> Option<&'a [u8]> {
    path.iter().try_fold(value, |value, name| {
        let mut named = Members::of(value).filter(|(key, _)| *key == name.as_bytes());
        let (_, found) = named.next()?;
        (named.next().is_none() && found != b"null").then_some(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_paths_are_found_between_blanks() {
        let object = br#"{ "a" : {"b":[1, 2], "c" : null } , "d":"x}", "e":1,"e":2}"#;
        let keys: Vec<&[u8]> = Members::of(object).map(|(key, _)| key).collect();
        assert_eq!(keys, [b"\"a\"", b"\"d\"", b"\"e\"", b"\"e\""]);
        let at = |path: &[&str]| at_path(object, path).map(|value| value.to_vec());
        assert_eq!(at(&["\"a\"", "\"b\""]), Some(b"[1, 2]".to_vec()));
        assert_eq!(at(&["\"d\""]), Some(b"\"x}\"".to_vec()));
        for path in [&["\"a\"", "\"c\""][..], &["\"e\""], &["\"f\""], &["\"d\"", "\"b\""]] {
            assert_eq!(at(path), None);
        }
        assert_eq!(Members::of(b"{}").count() + Members::of(b"[1]").count(), 0);
    }
}
