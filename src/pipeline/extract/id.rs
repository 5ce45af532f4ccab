//! IDs as they stand in JSON values and table cells: digits, quoted digits, `id` beside `id_str`.
//! A value that went through a floating-point number is refused, never expanded into digits.

use super::key::Key;
use super::record::{Record, unescaped, unquoted};
use crate::base::ids::{ID_DIGITS_MAX, parse_digits};
use crate::pipeline::reason::Reason;

/// The ID in a JSON value: a string of digits or a whole number.
///
/// # Errors
/// [`Reason::Mangled`] for a number in floating-point syntax, [`Reason::NotAnId`] else.
#[inline]
pub(crate) fn of_value(value: &[u8]) -> Result<u64, Reason> {
    let text = unquoted(value).unwrap_or(value);
    parse_digits(text).map_err(|_| why_not(text)).or_else(|reason| {
        if !text.contains(&b'\\') {
            return Err(reason);
        }
        let text = unescaped(text).ok_or(Reason::NotAnId)?;
        parse_digits(text.as_bytes()).map_err(|_| why_not(text.as_bytes()))
    })
}

/// The ID in a table cell or a line of a list.
///
/// # Errors
/// As [`of_value`].
#[inline]
pub(crate) fn of_text(text: &[u8]) -> Result<u64, Reason> {
    parse_digits(text).map_err(|_| why_not(text))
}

/// The ID in the URL of a tweet: the digits after `/status/` or `/statuses/`.
pub(crate) fn of_url(text: &[u8]) -> Option<u64> {
    let after = [b"/status/".as_slice(), b"/statuses/"]
        .into_iter()
        .find_map(|part| memchr::memmem::find(text, part).map(|at| &text[at + part.len()..]))?;
    let digits = after.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(after.len());
    parse_digits(&after[..digits]).ok()
}

/// Why `text` is no ID: mangled, if a number in floating-point syntax stands there.
#[cold]
fn why_not(text: &[u8]) -> Reason {
    let number = text.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-');
    let float = number
        && text.iter().any(|byte| matches!(byte, b'.' | b',' | b'e' | b'E'))
        && text.iter().all(|byte| {
            byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'e' | b'E' | b'+' | b'-')
        });
    if float { Reason::Mangled } else { Reason::NotAnId }
}

/// An ID, and whether another spelling of it beside was rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    /// There is none: both spellings are absent or null.
    Absent,
    /// Both spellings agree, or there is only one.
    Agreed(u64),
    /// The number was rounded; the text tells the right ID.
    Rescued(u64),
}

impl Pair {
    /// The ID, if there is one.
    pub(crate) fn id(self) -> Option<u64> {
        match self {
            Pair::Absent => None,
            Pair::Agreed(id) | Pair::Rescued(id) => Some(id),
        }
    }
}

/// The same, where a record without an ID is none.
///
/// # Errors
/// [`Reason::NotAnId`] if it is absent; otherwise as [`pair`].
#[inline]
pub(crate) fn required(pair: Result<Pair, Reason>) -> Result<Pair, Reason> {
    if pair == Ok(Pair::Absent) { Err(Reason::NotAnId) } else { pair }
}

/// The ID that a number and a string tell together, as `id` and `id_str` do.
///
/// # Errors
/// [`Reason::IdsDisagree`] if the number is neither the ID nor a rounding of it; otherwise as
/// [`of_value`].
#[inline]
pub(crate) fn pair(number: Option<&[u8]>, text: Option<&[u8]>) -> Result<Pair, Reason> {
    paired(number, text, of_value)
}

/// The same for the cells of a table.
///
/// # Errors
/// As [`pair`].
pub(crate) fn pair_of_text(number: Option<&[u8]>, text: Option<&[u8]>) -> Result<Pair, Reason> {
    paired(number, text, of_text)
}

/// The ID that was `told`, with the one in the link beside it: that rescues a rounded ID, which is
/// `spelled` so, and convicts any other.
///
/// # Errors
/// [`Reason::LinkDisagrees`] if the link names an ID of which the other is no rounding; otherwise
/// what was an error before.
pub(crate) fn beside_link(
    told: Result<Pair, Reason>,
    spelled: Option<&[u8]>,
    link: Option<u64>,
) -> Result<Pair, Reason> {
    let Some(link) = link else { return told };
    match (told, spelled) {
        (Ok(Pair::Agreed(id) | Pair::Rescued(id)), _) if id == link => told,
        (Ok(Pair::Absent), _) => Ok(Pair::Agreed(link)),
        (Ok(Pair::Agreed(_)) | Err(Reason::Mangled), Some(spelled))
            if rounds_to(link, unquoted(spelled).unwrap_or(spelled)) =>
        {
            Ok(Pair::Rescued(link))
        }
        (Ok(_) | Err(Reason::Mangled), _) => Err(Reason::LinkDisagrees),
        (Err(_), _) => told,
    }
}

#[inline]
fn paired(
    number: Option<&[u8]>,
    text: Option<&[u8]>,
    read: impl Fn(&[u8]) -> Result<u64, Reason>,
) -> Result<Pair, Reason> {
    match (number, text) {
        (None, None) => Ok(Pair::Absent),
        (Some(only), None) | (None, Some(only)) => read(only).map(Pair::Agreed),
        (Some(number), Some(text)) => {
            let id = read(text)?;
            match read(number) {
                Ok(other) if other == id => Ok(Pair::Agreed(id)),
                _ if rounds_to(id, unquoted(number).unwrap_or(number)) => Ok(Pair::Rescued(id)),
                _ => Err(Reason::IdsDisagree),
            }
        }
    }
}

/// The ID of a record's keys `number` and `text`.
///
/// # Errors
/// As [`pair`].
#[inline]
pub(crate) fn of_keys(record: &Record<'_>, number: Key, text: Key) -> Result<Pair, Reason> {
    pair(record.value(number), record.value(text))
}

/// Whether `number` is what is left of `id` after a floating-point number.
///
/// Programs print such a number in full (872836479608733696), or its shortest digits filled up
/// with zeros (872836479608733700), or with an exponent and as few digits as they like; Excel
/// keeps 15 digits (872836479608733000). Any other number near the ID is another ID, and nobody
/// can tell which of the two is right.
#[cold]
fn rounds_to(id: u64, number: &[u8]) -> bool {
    let Some(text) = std::str::from_utf8(number).ok() else { return false };
    // Spreadsheets of many countries write a comma where others write a point.
    let text = text.replace(',', ".");
    let Ok(rounded) = text.parse::<f64>() else { return false };
    if let Ok(whole) = parse_digits(number) {
        let zeros = 10_u64.pow(number.len().saturating_sub(EXCEL_DIGITS) as u32);
        let excel = zeros > 1 && whole == id / zeros * zeros;
        let double = rounded == id as f64;
        return excel || double && (whole == rounded as u64 || whole.is_multiple_of(100));
    }
    let mantissa = text.split(['e', 'E']).next().unwrap_or(&text);
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let shortened = format!("{:.*e}", digits.saturating_sub(1).min(ID_DIGITS_MAX), id as f64);
    rounded == id as f64 || shortened.parse() == Ok(rounded)
}

/// How many digits of a number Excel keeps.
const EXCEL_DIGITS: usize = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_an_id_only_as_whole_digits() {
        for (value, expected) in [
            ("20", Ok(20)),
            ("\"1050118621198921728\"", Ok(1_050_118_621_198_921_728)),
            ("\"\\u0032\\u0030\"", Ok(20)),
            ("1.05e18", Err(Reason::Mangled)),
            ("\"1.05E+18\"", Err(Reason::Mangled)),
            ("\"1050118621198921728.0\"", Err(Reason::Mangled)),
            ("-1", Err(Reason::NotAnId)),
            ("\"abc\"", Err(Reason::NotAnId)),
            ("\"\"", Err(Reason::NotAnId)),
            ("[1]", Err(Reason::NotAnId)),
            ("9223372036854775808", Err(Reason::NotAnId)),
        ] {
            assert_eq!(of_value(value.as_bytes()), expected, "{value}");
        }
    }

    #[test]
    fn the_text_wins_over_a_number_that_is_its_rounding_and_over_no_other() {
        let id = 872_836_479_608_733_697;
        for (number, expected) in [
            ("872836479608733697", Ok(Pair::Agreed(id))),
            ("872836479608733696", Ok(Pair::Rescued(id))),
            ("872836479608733700", Ok(Pair::Rescued(id))),
            ("8.728364796087337e17", Ok(Pair::Rescued(id))),
            ("872836479608733698", Err(Reason::IdsDisagree)),
            ("872836479608733000", Ok(Pair::Rescued(id))),
            ("8.72836E+17", Ok(Pair::Rescued(id))),
            ("8.72837E+17", Err(Reason::IdsDisagree)),
            ("872836479608734000", Err(Reason::IdsDisagree)),
            ("1", Err(Reason::IdsDisagree)),
            ("\"abc\"", Err(Reason::IdsDisagree)),
        ] {
            let text = b"\"872836479608733697\"".as_slice();
            assert_eq!(pair(Some(number.as_bytes()), Some(text)), expected, "{number}");
        }
        assert_eq!(pair(None, None), Ok(Pair::Absent));
        assert_eq!(pair(Some(b"7"), None), Ok(Pair::Agreed(7)));
    }

    #[test]
    fn a_link_rescues_a_rounded_cell_and_convicts_any_other() {
        let id = 872_836_479_608_733_697;
        for (cell, expected) in [
            ("872836479608733697", Ok(Pair::Agreed(id))),
            ("872836479608733700", Ok(Pair::Rescued(id))),
            ("8.72836E+17", Ok(Pair::Rescued(id))),
            ("8,72836E+17", Ok(Pair::Rescued(id))),
            ("8.72837E+17", Err(Reason::LinkDisagrees)),
            ("872836479608733698", Err(Reason::LinkDisagrees)),
            ("20", Err(Reason::LinkDisagrees)),
            ("abc", Err(Reason::NotAnId)),
        ] {
            let cell = cell.as_bytes();
            let told = pair_of_text(None, Some(cell));
            assert_eq!(beside_link(told, Some(cell), Some(id)), expected, "{cell:?}");
        }
        assert_eq!(beside_link(Ok(Pair::Absent), None, Some(id)), Ok(Pair::Agreed(id)));
        assert_eq!(beside_link(Ok(Pair::Agreed(7)), Some(b"7"), None), Ok(Pair::Agreed(7)));
        let rescued = Ok(Pair::Rescued(id));
        assert_eq!(beside_link(rescued, None, Some(id)), rescued);
        assert_eq!(beside_link(rescued, None, Some(id + 1)), Err(Reason::LinkDisagrees));
    }
}
