//! Byte ranges and conditions of RFC 9110, decided purely from header texts; no bytes, no charge.
//!
//! The reading is the strict one wherever the RFC leaves a choice, because a range that is ignored
//! would hand out, and charge, a whole file to somebody who asked for a corner of it.

/// A strong entity tag without its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntityTag(String);

impl EntityTag {
    /// A tag of letters, digits, `.`, `:` and `-`.
    pub(crate) fn new(opaque: String) -> EntityTag {
        let plain = opaque.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-".contains(&b));
        assert!(plain, "an entity tag is made of characters that need no quoting");
        EntityTag(opaque)
    }

    /// The tag without quotes.
    pub(crate) fn opaque(&self) -> &str {
        &self.0
    }

    /// The tag as a header value.
    pub(crate) fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }

    /// Whether one of the tags of an `If-None-Match` or `If-Match` list is this one.
    fn is_listed(&self, list: &str, weak_matches: WeakTags) -> bool {
        // A star stands alone, or it is no star.
        if list.trim() == "*" {
            return true;
        }
        list.split(',').map(str::trim).any(|listed| {
            let strong = match weak_matches {
                WeakTags::Match => listed.strip_prefix("W/").unwrap_or(listed),
                WeakTags::Differ => listed,
            };
            strong == self.quoted()
        })
    }
}

#[derive(Clone, Copy)]
enum WeakTags {
    Match,
    Differ,
}

/// The header fields that decide which part is wanted, and whether.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Conditions<'a> {
    pub(crate) range: Option<&'a str>,
    pub(crate) if_range: Option<&'a str>,
    pub(crate) if_match: Option<&'a str>,
    pub(crate) if_none_match: Option<&'a str>,
}

/// What a request asks of a representation of known length.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: 200.
    Whole,
    /// These bytes, first and one beyond the last: 206.
    Part {
        from: u64,
        until: u64,
        /// Whether a validator vouches that the earlier part was of the same representation.
        validated: Validated,
    },
    /// The client has it already: 304.
    NotModified,
    /// The client wants another representation than there is: 412.
    PreconditionFailed,
    /// No such bytes: 416.
    NotSatisfiable,
}

/// Whether `If-Range` (or `If-Match`) vouches for a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validated {
    Yes,
    No,
}

/// Decides what is wanted of a representation with that tag and length.
pub(crate) fn decide(conditions: Conditions<'_>, tag: &EntityTag, bytes: u64) -> Wanted {
    let mut validated = Validated::No;
    if let Some(list) = conditions.if_match {
        if !tag.is_listed(list, WeakTags::Differ) {
            return Wanted::PreconditionFailed;
        }
        // `*` only says that there is a representation, not which one.
        if list.trim() != "*" {
            validated = Validated::Yes;
        }
    }
    if conditions.if_none_match.is_some_and(|list| tag.is_listed(list, WeakTags::Match)) {
        return Wanted::NotModified;
    }
    let Some(range) = conditions.range else { return Wanted::Whole };
    if let Some(validator) = conditions.if_range {
        // A weak tag, a date or another tag never vouches for bytes.
        if validator.trim() != tag.quoted() {
            return Wanted::Whole;
        }
        validated = Validated::Yes;
    }
    match parse(range, bytes) {
        Parsed::OtherUnit => Wanted::Whole,
        Parsed::Bytes { from, until } => Wanted::Part { from, until, validated },
        Parsed::None => Wanted::NotSatisfiable,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Parsed {
    OtherUnit,
    Bytes { from: u64, until: u64 },
    None,
}

/// Reads a `Range` value against a representation of `length` bytes.
/// Several ranges are not served: overlapping ones would be charged twice.
fn parse(range: &str, length: u64) -> Parsed {
    let Some((unit, set)) = range.split_once('=') else { return Parsed::None };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Parsed::OtherUnit;
    }
    let Some((first, last)) = set.trim().split_once('-') else { return Parsed::None };
    let (first, last) = (first.trim(), last.trim());
    let bounds = match (number(first), number(last)) {
        (Some(from), Some(last)) if from <= last => (from, last.saturating_add(1).min(length)),
        (Some(from), None) if last.is_empty() => (from, length),
        (None, Some(suffix)) if first.is_empty() => (length.saturating_sub(suffix), length),
        _ => return Parsed::None,
    };
    match bounds {
        (from, until) if from < until => Parsed::Bytes { from, until },
        _ => Parsed::None,
    }
}

/// A whole number of digits; one beyond 64 bits is as good as endless.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag() -> EntityTag {
        EntityTag::new("r-1".to_owned())
    }

    fn part(from: u64, until: u64, validated: Validated) -> Wanted {
        Wanted::Part { from, until, validated }
    }

    #[test]
    fn a_range_gives_its_bytes_or_416_and_never_more() {
        for (range, expected) in [
            ("bytes=0-0", part(0, 1, Validated::No)),
            ("bytes=0-", part(0, 100, Validated::No)),
            ("bytes=10-19", part(10, 20, Validated::No)),
            ("bytes=10-1000", part(10, 100, Validated::No)),
            ("bytes=-5", part(95, 100, Validated::No)),
            ("bytes=-500", part(0, 100, Validated::No)),
            ("Bytes = 99-99", part(99, 100, Validated::No)),
            ("bytes=0-18446744073709551616", part(0, 100, Validated::No)),
            ("bytes=5-2", Wanted::NotSatisfiable),
            ("bytes=abc", Wanted::NotSatisfiable),
            ("bytes=", Wanted::NotSatisfiable),
            ("bytes=-", Wanted::NotSatisfiable),
            ("bytes=-0", Wanted::NotSatisfiable),
            ("bytes=100-", Wanted::NotSatisfiable),
            ("bytes=18446744073709551616-", Wanted::NotSatisfiable),
            ("bytes=+1-2", Wanted::NotSatisfiable),
            ("bytes=0-1,3-4", Wanted::NotSatisfiable),
            ("bytes=0-0,0-0,0-0", Wanted::NotSatisfiable),
            ("bytes", Wanted::NotSatisfiable),
            ("lines=0-1", Wanted::Whole),
        ] {
            let conditions = Conditions { range: Some(range), ..Conditions::default() };
            assert_eq!(decide(conditions, &tag(), 100), expected, "{range}");
        }
    }

    #[test]
    fn nothing_can_be_cut_from_an_empty_file() {
        for range in ["bytes=0-0", "bytes=0-", "bytes=-1"] {
            let conditions = Conditions { range: Some(range), ..Conditions::default() };
            assert_eq!(decide(conditions, &tag(), 0), Wanted::NotSatisfiable, "{range}");
        }
    }

    #[test]
    fn only_the_very_same_strong_tag_vouches_for_a_range() {
        for (if_range, expected) in [
            ("\"r-1\"", part(5, 10, Validated::Yes)),
            ("W/\"r-1\"", Wanted::Whole),
            ("\"r-2\"", Wanted::Whole),
            ("r-1", Wanted::Whole),
            ("Sat, 01 Jan 2022 00:00:00 GMT", Wanted::Whole),
        ] {
            let conditions = Conditions {
                range: Some("bytes=5-9"),
                if_range: Some(if_range),
                ..Conditions::default()
            };
            assert_eq!(decide(conditions, &tag(), 100), expected, "{if_range}");
        }
    }

    #[test]
    fn conditions_come_before_ranges() {
        for (if_match, if_none_match, expected) in [
            (None, Some("\"r-1\""), Wanted::NotModified),
            (None, Some("\"x\", W/\"r-1\""), Wanted::NotModified),
            (None, Some("*"), Wanted::NotModified),
            (None, Some("\"x\""), part(5, 10, Validated::No)),
            (Some("\"x\""), None, Wanted::PreconditionFailed),
            (Some("W/\"r-1\""), None, Wanted::PreconditionFailed),
            (Some("\"r-1\""), None, part(5, 10, Validated::Yes)),
            (Some("*"), None, part(5, 10, Validated::No)),
            (Some("\"x\", *"), None, Wanted::PreconditionFailed),
            (Some("\u{FFFD}"), None, Wanted::PreconditionFailed),
        ] {
            let conditions =
                Conditions { range: Some("bytes=5-9"), if_range: None, if_match, if_none_match };
            assert_eq!(decide(conditions, &tag(), 100), expected, "{if_match:?} {if_none_match:?}");
        }
    }
}
