//! What records of every form say in the same way: times, entities of HTML, who may be shown.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The time of v1.1: `Wed Oct 10 20:19:24 +0000 2018`, in milliseconds UTC.
pub(super) fn long_date_ms(text: &str) -> Option<i64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut parts = text.split(' ').filter(|part| !part.is_empty());
    let [_, month, day, time, zone, year] = [(); 6].map(|()| parts.next());
    if parts.next().is_some() || zone? != "+0000" {
        return None;
    }
    let month = month.filter(|month| month.len() == 3)?;
    let month = MONTHS.find(month).filter(|at| at % 3 == 0)? / 3 + 1;
    let mut clock = time?.split(':').map(|part| part.parse::<i8>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let (year, month) = (year?.parse().ok()?, i8::try_from(month).ok()?);
    let time = DateTime::new(year, month, day?.parse().ok()?, hour, minute, second, 0).ok()?;
    Some(TimeZone::UTC.to_timestamp(time).ok()?.as_millisecond())
}

/// The time of v2 and GNIP: `2018-10-10T20:19:24.000Z`, in milliseconds UTC.
pub(super) fn short_date_ms(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// The text with the characters for which `&amp;`, `&lt;` and `&gt;` stand: the interfaces send
/// these three so, and people see the characters.
pub(super) fn unescaped(text: &str) -> String {
    const ENTITIES: [(&str, char); 3] = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')];
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        shown.push_str(&rest[..at]);
        rest = &rest[at..];
        let found = ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity));
        let (length, letter) = found.map_or((1, '&'), |(entity, letter)| (entity.len(), *letter));
        shown.push(letter);
        rest = &rest[length..];
    }
    shown.push_str(rest);
    shown
}

/// The words between the tags of a link, as the `source` of v1.1 has them.
pub(super) fn label(source: &str) -> Option<String> {
    let text = match source.split_once('>') {
        Some((tag, text)) if tag.starts_with('<') => text.strip_suffix("</a>").unwrap_or(text),
        _ => source,
    };
    Some(unescaped(text)).filter(|text| !text.is_empty())
}

/// The address as people follow it: what it leads to, where that is told.
pub(super) fn address<'a>(choices: [&'a Option<Cow<'_, str>>; 2]) -> Option<&'a str> {
    choices.into_iter().flatten().map(AsRef::as_ref).find(|address| !address.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_spellings() {
        for (text, expected) in [
            ("Wed Oct 10 20:19:24 +0000 2018", Some(1_539_202_764_000)),
            ("Thu Jan 01 00:00:00 +0000 1970", Some(0)),
            ("Wed Oct 10 20:19:24 +0200 2018", None),
            ("Wed Okt 10 20:19:24 +0000 2018", None),
            ("Wed Oct 32 20:19:24 +0000 2018", None),
            ("Wed Oct 10 20:19 +0000 2018", None),
            ("Wed Oct 10 20:19:24 +0000 2018 again", None),
            ("", None),
        ] {
            assert_eq!(long_date_ms(text), expected, "{text}");
        }
        assert_eq!(short_date_ms("2018-10-10T20:19:24.123Z"), Some(1_539_202_764_123));
        assert_eq!(short_date_ms("2018-10-10"), None);
    }

    #[test]
    fn three_entities_are_shown_as_characters_and_once_only() {
        for (text, expected) in [
            ("a &amp; b &lt;3 &gt;", "a & b <3 >"),
            ("&amp;lt; &quot; & &am", "&lt; &quot; & &am"),
            ("", ""),
            ("é &amp;", "é &"),
        ] {
            assert_eq!(unescaped(text), expected);
        }
    }

    #[test]
    fn a_source_is_what_its_link_says() {
        for (source, expected) in [
            ("<a href=\"https://harbour.example\" rel=\"nofollow\">Pen &amp; Ink</a>", "Pen & Ink"),
            ("web", "web"),
        ] {
            assert_eq!(label(source).as_deref(), Some(expected));
        }
        assert_eq!(label("<a href=\"x\"></a>"), None);
        assert_eq!(label(""), None);
    }
}
