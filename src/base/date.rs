//! Times as people and JSON write them; inside the program they are milliseconds UTC (`_ms`).

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Milliseconds of a day of 24 hours.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Why a text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a date looks like 2027-06-30, or with a time and a zone like 2027-06-30T12:00:00Z")]
pub struct NotADate;

/// Why a text is no length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a length of time looks like 90d, 2w or 12h, and is more than nothing")]
pub struct NotALength;

/// The time as RFC 3339 in UTC, such as `2027-06-30T12:00:00Z`.
pub fn rfc3339(time_ms: i64) -> String {
    timestamp(time_ms).to_string()
}

/// The day in UTC, such as `2027-06-30`.
pub fn day(time_ms: i64) -> String {
    timestamp(time_ms).strftime("%Y-%m-%d").to_string()
}

/// The time to the minute for a table that people read, such as `2027-06-30 12:00 UTC`.
pub fn minute(time_ms: i64) -> String {
    timestamp(time_ms).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The time to the second in a zone, with the distance from UTC: `2027-06-30 14:00:00 +02:00`.
pub fn in_zone(time_ms: i64, zone: &TimeZone) -> String {
    let shown = timestamp(time_ms).to_zoned_datetime(zone.clone());
    shown.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// An end that is not included, as people say it: `to the end of 2027-06-30 (UTC)` at a midnight,
/// else `until 2027-06-30 12:00 UTC`.
pub fn until(end_ms: i64) -> String {
    if end_ms.rem_euclid(DAY_MS) == 0 {
        timestamp(end_ms.saturating_sub(1)).strftime("to the end of %Y-%m-%d (UTC)").to_string()
    } else {
        format!("until {}", minute(end_ms))
    }
}

/// The end of what `text` names: of a date its last instant in UTC, so that "until 30 June"
/// includes that day; of a time with a zone that very time.
///
/// # Errors
/// [`NotADate`] if it is neither.
pub fn end_ms(text: &str) -> Result<i64, NotADate> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_millisecond());
    }
    // Read strictly, because a lenient reader takes `2027-06-30T12:00` and drops its hours.
    let date = Date::strptime("%Y-%m-%d", text).map_err(|_| NotADate)?;
    let next = date.tomorrow().map_err(|_| NotADate)?;
    let end = next.to_zoned_datetime(TimeZone::UTC).map_err(|_| NotADate)?;
    Ok(end.timestamp().as_millisecond())
}

/// The beginning of what `text` names: of a date its first instant in UTC, so that "from 30 June
/// on" includes that day; of a time with a zone that very time.
///
/// # Errors
/// [`NotADate`] if it is neither.
pub fn begin_ms(text: &str) -> Result<i64, NotADate> {
    let end_ms = end_ms(text)?;
    let is_time = text.parse::<Timestamp>().is_ok();
    Ok(if is_time { end_ms } else { end_ms - DAY_MS })
}

/// Reads a length of time such as `90d`; days have 24 hours and weeks 7 days.
///
/// # Errors
/// [`NotALength`] for anything else, for months and years, whose length varies, and for nothing.
pub fn length_ms(text: &str) -> Result<i64, NotALength> {
    let span: jiff::Span = text.parse().map_err(|_| NotALength)?;
    let total = span
        .total((jiff::Unit::Millisecond, jiff::SpanRelativeTo::days_are_24_hours()))
        .map_err(|_| NotALength)?;
    // Spans end long before a float loses a millisecond.
    if total >= 1.0 { Ok(total as i64) } else { Err(NotALength) }
}

fn timestamp(time_ms: i64) -> Timestamp {
    let bound = if time_ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(time_ms).unwrap_or(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_ends_with_its_last_instant_and_a_time_is_itself() {
        for (text, expected) in [
            ("2027-06-30", Some("2027-07-01T00:00:00Z")),
            ("2028-02-29", Some("2028-03-01T00:00:00Z")),
            ("2027-06-30T12:00:00+02:00", Some("2027-06-30T10:00:00Z")),
            ("2027-06-30T12:00:00", None),
            ("2027-02-29", None),
            ("30.6.2027", None),
            ("soon", None),
            ("", None),
        ] {
            let begin = begin_ms(text).ok();
            let day_ms = if text.len() == 10 { DAY_MS } else { 0 };
            assert_eq!(begin.map(|ms| ms + day_ms), end_ms(text).ok(), "{text}");
            let end = end_ms(text).ok().map(rfc3339);
            assert_eq!(end.as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn an_end_is_said_as_it_was_named() {
        for (text, expected) in [
            ("2027-06-30", "to the end of 2027-06-30 (UTC)"),
            ("2027-06-30T12:00:00Z", "until 2027-06-30 12:00 UTC"),
        ] {
            assert_eq!(end_ms(text).map(until).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn a_time_in_a_zone_tells_its_distance() {
        let time_ms = end_ms("2027-06-30T12:00:00Z").unwrap();
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(in_zone(time_ms, &berlin), "2027-06-30 14:00:00 +02:00");
        assert_eq!(in_zone(time_ms, &TimeZone::UTC), "2027-06-30 12:00:00 +00:00");
    }

    #[test]
    fn a_length_is_days_weeks_or_hours() {
        for (text, expected) in [
            ("90d", Ok(90 * DAY_MS)),
            ("2w", Ok(14 * DAY_MS)),
            ("12h", Ok(DAY_MS / 2)),
            ("1 day 12 hours", Ok(DAY_MS * 3 / 2)),
            ("0d", Err(NotALength)),
            ("-3d", Err(NotALength)),
            ("1y", Err(NotALength)),
            ("90", Err(NotALength)),
            ("", Err(NotALength)),
        ] {
            assert_eq!(length_ms(text), expected, "{text:?}");
        }
    }

    #[test]
    fn times_beyond_the_calendar_are_shown_as_its_bounds() {
        assert_eq!(rfc3339(i64::MAX), Timestamp::MAX.to_string());
        assert_eq!(minute(0), "1970-01-01 00:00 UTC");
    }
}
