//! Months that begin on a day of somebody's choice, in UTC; what is counted in one is not known
//! here.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The days of the month on which a month may begin. Whoever wants the last day takes 31: a month
/// that has no such day begins its period on its last.
pub const MONTH_DAYS: std::ops::RangeInclusive<u32> = 1..=31;

/// A month from a day to that day of the next month, this one not included; in milliseconds UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    /// Its first instant.
    pub begin_ms: i64,
    /// The first instant after it.
    pub end_ms: i64,
}

impl Month {
    /// The month in which `now_ms` lies, of those that begin on that `day` of [`MONTH_DAYS`].
    ///
    /// # Panics
    /// If there is no such day.
    pub fn around(now_ms: i64, day: u32) -> Month {
        assert!(MONTH_DAYS.contains(&day), "the settings take days of a month only");
        let bound = if now_ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let now = Timestamp::from_millisecond(now_ms).unwrap_or(bound);
        let first = now.to_zoned_datetime(TimeZone::UTC).date().first_of_month();
        let here_ms = begin_ms(first, day);
        if here_ms <= now_ms {
            Month { begin_ms: here_ms, end_ms: beside_ms(first, 1, day) }
        } else {
            Month { begin_ms: beside_ms(first, -1, day), end_ms: here_ms }
        }
    }
}

/// Where the month begins that lies so many months beside that of `first`.
fn beside_ms(first: Date, months: i64, day: u32) -> i64 {
    begin_ms(first.saturating_add(months.months()), day)
}

/// The beginning of `day` in the month of `first`; of its last day, if it has no such day.
fn begin_ms(first: Date, day: u32) -> i64 {
    let last = first.days_in_month();
    let day = i8::try_from(day).unwrap_or(last).min(last);
    let date = first.saturating_add((i64::from(day) - 1).days());
    let zoned = date.to_zoned_datetime(TimeZone::UTC);
    zoned.map_or(Timestamp::MAX, |zoned| zoned.timestamp()).as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::date::rfc3339;

    #[test]
    fn a_month_begins_on_its_day_or_on_the_last_there_is() {
        for (now, day, begin, end) in [
            ("2027-06-30T12:00:00Z", 1, "2027-06-01T00:00:00Z", "2027-07-01T00:00:00Z"),
            ("2027-06-01T00:00:00Z", 1, "2027-06-01T00:00:00Z", "2027-07-01T00:00:00Z"),
            ("2027-05-31T23:59:59.999Z", 1, "2027-05-01T00:00:00Z", "2027-06-01T00:00:00Z"),
            ("2027-06-18T23:59:59Z", 19, "2027-05-19T00:00:00Z", "2027-06-19T00:00:00Z"),
            ("2027-06-19T00:00:00Z", 19, "2027-06-19T00:00:00Z", "2027-07-19T00:00:00Z"),
            ("2027-02-15T00:00:00Z", 31, "2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z"),
            ("2027-02-28T00:00:00Z", 31, "2027-02-28T00:00:00Z", "2027-03-31T00:00:00Z"),
            ("2028-02-29T00:00:00Z", 30, "2028-02-29T00:00:00Z", "2028-03-30T00:00:00Z"),
            ("2027-01-01T00:00:00Z", 2, "2026-12-02T00:00:00Z", "2027-01-02T00:00:00Z"),
        ] {
            let now_ms = now.parse::<Timestamp>().unwrap().as_millisecond();
            let month = Month::around(now_ms, day);
            assert_eq!(
                (rfc3339(month.begin_ms), rfc3339(month.end_ms)),
                (begin.into(), end.into())
            );
        }
        for beyond in [i64::MIN, i64::MAX] {
            let month = Month::around(beyond, 31);
            assert!(month.begin_ms <= month.end_ms);
        }
    }
}
