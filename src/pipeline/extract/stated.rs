//! The time that a record says it was made at, against the time in its ID: they are the same
//! second in every good record, so a swapped column or a shifted row is convicted.
//!
//! It does not catch rounding, which stays within the second. Times without a zone say nothing.

use super::harvest::Harvest;
use super::id::Pair;
use super::record::unquoted;
use crate::base::ids::{Id, TweetId};
use crate::pipeline::reason::Reason;

/// How far both may be apart, in seconds: one of them is cut to the second.
const APART_SECONDS_MAX: i64 = 1;

/// The last second in which IDs told no time, with a day on both sides for clocks of the time:
/// 2010-11-04.
const SEQUENTIAL_UNTIL: i64 = 1_288_834_974 + 86_400;

/// The first second in which an ID can be a snowflake.
const SNOWFLAKES_FROM: i64 = 1_288_834_974;

/// The pair, unless the record states another time than its ID does. An ID that tells no time, in
/// a record that is too late for one, is let through and noted: made-up data has such IDs.
///
/// # Errors
/// [`Reason::TimesDisagree`]; otherwise what was an error before.
#[inline]
pub(super) fn at(
    pair: Result<Pair, Reason>,
    stated: Option<&[u8]>,
    harvest: &mut Harvest,
) -> Result<Pair, Reason> {
    let (Ok(Pair::Agreed(id) | Pair::Rescued(id)), Some(stated)) = (pair, stated) else {
        return pair;
    };
    let Some(stated) = seconds(unquoted(stated).unwrap_or(stated)) else { return pair };
    let made_ms = TweetId::from_value(id).ok().and_then(TweetId::created_ms);
    let agrees = match made_ms {
        Some(made_ms) => {
            stated >= SNOWFLAKES_FROM
                && (made_ms.div_euclid(1000) - stated).abs() <= APART_SECONDS_MAX
        }
        None => {
            if stated > SEQUENTIAL_UNTIL {
                harvest.flag(Reason::TooOld);
            }
            true
        }
    };
    if agrees { pair } else { Err(Reason::TimesDisagree) }
}

/// Seconds since 1970 of a time with a zone, in one of the forms that the platform writes:
/// `Sun Mar 06 00:00:00 +0000 2022` and `2022-03-06T00:00:00.000Z`, the latter also with a blank
/// and with an offset, as Python writes it.
fn seconds(text: &[u8]) -> Option<i64> {
    match text.get(..4)? {
        [b'0'..=b'9', ..] => iso(text),
        [b'A'..=b'Z', .., b' '] => long(text),
        _ => None,
    }
}

fn long(text: &[u8]) -> Option<i64> {
    if text.len() != 30 {
        return None;
    }
    let month = 1 + MONTHS.iter().position(|month| text[4..7] == **month)? as i64;
    let day_seconds = clock(&text[11..19])? - offset(&text[20..25])?;
    Some(days(number(&text[26..30])?, month, number(&text[8..10])?)? * 86_400 + day_seconds)
}

fn iso(text: &[u8]) -> Option<i64> {
    let (&date, rest) = text.split_first_chunk::<10>()?;
    if date[4] != b'-' || date[7] != b'-' || !matches!(rest.first(), Some(b'T' | b' ')) {
        return None;
    }
    let day = days(number(&date[..4])?, number(&date[5..7])?, number(&date[8..])?)?;
    let mut zone = rest.get(9..)?;
    if let Some(fraction) = zone.strip_prefix(b".") {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        zone = &fraction[digits..];
    }
    let offset = if zone == b"Z" { 0 } else { offset(zone)? };
    Some(day * 86_400 + clock(&rest[1..9])? - offset)
}

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// `HH:MM:SS` in seconds.
fn clock(text: &[u8]) -> Option<i64> {
    let [h, hh, b':', m, mm, b':', s, ss] = text else { return None };
    let (hours, minutes) = (number(&[*h, *hh])?, number(&[*m, *mm])?);
    let seconds = number(&[*s, *ss])?;
    (hours < 24 && minutes < 60 && seconds <= 60).then_some(hours * 3600 + minutes * 60 + seconds)
}

/// `+HHMM` or `+HH:MM` in seconds.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, digits) = text.split_first()?;
    let (hours, minutes) = match digits {
        [h, hh, m, mm] | [h, hh, b':', m, mm] => (number(&[*h, *hh])?, number(&[*m, *mm])?),
        _ => return None,
    };
    let seconds = hours * 3600 + minutes * 60;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0'))
    })
}

/// Days from 1970-01-01 to that day of the Gregorian calendar; years are counted from March, so
/// that the day of leap years is the last.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::wants::{Columns, KindSet, Scope};
    use proptest::prelude::*;

    #[test]
    fn only_a_time_with_a_zone_says_anything() {
        for (text, expected) in [
            ("Sun Mar 06 00:00:00 +0000 2022", Some(1_646_524_800)),
            ("Sun Mar 06 02:00:00 +0200 2022", Some(1_646_524_800)),
            ("2022-03-06T00:00:00.000Z", Some(1_646_524_800)),
            ("2022-03-06T00:00:00Z", Some(1_646_524_800)),
            ("2022-03-06 00:00:00+00:00", Some(1_646_524_800)),
            ("2022-03-05T19:00:00.123456-0500", Some(1_646_524_800)),
            ("2022-03-06 00:00:00", None),
            ("2022-03-06 00:00", None),
            ("06/03/2022 00:00:00", None),
            ("2022-13-06T00:00:00Z", None),
            ("2022-03-06T25:00:00Z", None),
            ("Sun Mai 06 00:00:00 +0000 2022", None),
            ("", None),
            ("2022", None),
            ("Sun ", None),
        ] {
            assert_eq!(seconds(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn an_id_of_another_second_is_convicted() {
        let id = TweetId::first_of_ms(1_646_524_800_999).unwrap().value();
        let stated = |text: &'static str| Some(text.as_bytes());
        let wrong = Err(Reason::TimesDisagree);
        let mut harvest = Harvest::new(KindSet::ALL, Scope::Own, Columns::IdsOnly);
        for (id, text, expected) in [
            (id, stated("\"2022-03-06T00:00:00.000Z\""), Ok(id)),
            (id, stated("\"2022-03-06T00:00:01.000Z\""), Ok(id)),
            (id, stated("\"2022-03-06T00:00:02.000Z\""), wrong),
            (id, stated("\"2009-03-06T00:00:02.000Z\""), wrong),
            (id, stated("\"long ago\""), Ok(id)),
            (id, None, Ok(id)),
            (20, stated("\"Tue Mar 21 20:50:14 +0000 2006\""), Ok(20)),
        ] {
            let told = at(Ok(Pair::Agreed(id)), text, &mut harvest);
            assert_eq!(told, expected.map(Pair::Agreed), "{text:?}");
        }
        for told in [Ok(Pair::Absent), Err(Reason::Mangled)] {
            assert_eq!(at(told, stated("\"2022\""), &mut harvest), told);
        }
        assert!(harvest.flags.is_empty());
        let late = stated("\"Tue Mar 21 20:50:14 +0000 2017\"");
        assert_eq!(at(Ok(Pair::Agreed(20)), late, &mut harvest), Ok(Pair::Agreed(20)));
        assert_eq!(harvest.flags[0].reason, Reason::TooOld);
    }

    proptest! {
        #![proptest_config(crate::base::cases::remembered())]

        #[test]
        fn the_calendar_is_that_of_the_library(second in 0..4_000_000_000_i64) {
            let time = jiff::Timestamp::from_second(second).unwrap();
            let long = time.strftime("%a %b %d %H:%M:%S %z %Y").to_string();
            prop_assert_eq!(seconds(long.as_bytes()), Some(second));
            prop_assert_eq!(seconds(time.to_string().as_bytes()), Some(second));
        }

        #[test]
        fn any_text_is_survived(text in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = seconds(&text);
        }
    }
}
