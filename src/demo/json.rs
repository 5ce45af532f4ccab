//! Writing JSON by putting pieces one after the other: as fast as memory, and as correct as the
//! caller; the tests parse what comes out.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Puts pieces at the end of a buffer: texts as they are, numbers as digits.
macro_rules! put {
    ($out:expr, $($piece:expr),+ $(,)?) => {
        { $( $crate::demo::json::Piece::put(&$piece, $out); )+ }
    };
}
pub(super) use put;

/// What [`put!`] can write.
pub(super) trait Piece {
    fn put(&self, out: &mut Vec<u8>);
}

impl Piece for &str {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Piece for &String {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Piece for &[u8] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl Piece for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(itoa::Buffer::new().format(*self).as_bytes());
    }
}

/// `"created_at"` of v1.1: `Thu May 24 03:06:40 +0000 2018`; milliseconds UTC.
pub(super) struct LongDate(pub(super) i64);

/// `"created_at"` of v2: `2018-05-24T03:06:40.000Z`; milliseconds UTC.
pub(super) struct IsoDate(pub(super) i64);

impl Piece for LongDate {
    fn put(&self, out: &mut Vec<u8>) {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let time = civil(self.0);
        let day = DAYS[usize::from(time.weekday().to_monday_zero_offset().unsigned_abs())];
        let month = MONTHS[usize::from(time.month().unsigned_abs()) - 1];
        put!(out, day, " ", month, " ", Two(time.day()), " ");
        put!(out, Two(time.hour()), ":", Two(time.minute()), ":", Two(time.second()));
        put!(out, " +0000 ", u64::from(time.year().unsigned_abs()));
    }
}

impl Piece for IsoDate {
    fn put(&self, out: &mut Vec<u8>) {
        let time = civil(self.0);
        put!(out, u64::from(time.year().unsigned_abs()), "-", Two(time.month()), "-");
        put!(out, Two(time.day()), "T", Two(time.hour()), ":", Two(time.minute()), ":");
        put!(out, Two(time.second()), ".000Z");
    }
}

fn civil(time_ms: i64) -> jiff::civil::DateTime {
    let time = Timestamp::from_millisecond(time_ms).expect("made-up times lie in this century");
    TimeZone::UTC.to_datetime(time)
}

/// A number of two digits.
struct Two(i8);

impl Piece for Two {
    fn put(&self, out: &mut Vec<u8>) {
        let number = self.0.unsigned_abs();
        out.extend_from_slice(&[b'0' + number / 10, b'0' + number % 10]);
    }
}

/// How a text stands between the quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Everything beyond ASCII as `\uXXXX`, slashes as `\/`: as the platform sends it.
    Escaped,
    /// In UTF-8: as most tools write it.
    Plain,
}

/// A text in both styles, and how many characters it has.
#[derive(Clone, Debug)]
pub(super) struct Text {
    escaped: String,
    plain: String,
    pub(super) chars: u64,
}

impl Text {
    pub(super) fn new(text: &str) -> Text {
        let quoted = serde_json::to_string(text).expect("every text can be written as JSON");
        let plain = quoted[1..quoted.len() - 1].to_owned();
        let mut escaped = String::new();
        for unit in plain.chars() {
            match unit {
                '/' => escaped.push_str("\\/"),
                unit if unit.is_ascii() => escaped.push(unit),
                unit => {
                    for half in unit.encode_utf16(&mut [0; 2]) {
                        escaped.push_str(&format!("\\u{half:04x}"));
                    }
                }
            }
        }
        Text { escaped, plain, chars: text.chars().count() as u64 }
    }

    pub(super) fn styled(&self, style: Style) -> &str {
        match style {
            Style::Escaped => &self.escaped,
            Style::Plain => &self.plain,
        }
    }
}
