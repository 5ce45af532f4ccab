//! An answer of the platform, and what it says before anybody looks at objects: that it is one, how
//! many requests are left, or that no more are wanted.

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::error::Stopped;

/// The farthest time that a limit may name: windows are minutes long, and a day is a mistake.
const LIMIT_MS_MAX: i64 = 24 * 60 * 60 * 1_000;

/// How much of what the platform says is passed on to people.
const DETAIL_CHARS_MAX: usize = 300;

/// An answer that came whole.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) limit: Limit,
    pub(super) body: Vec<u8>,
}

/// What the header fields of an answer say of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limit {
    /// Requests in a window.
    pub(super) requests: Option<u64>,
    /// Requests that are left in this one.
    pub(super) remaining: Option<u64>,
    /// When the next window begins, in milliseconds of the own clock.
    pub(super) reset_ms: Option<i64>,
}

/// What an answer says.
#[derive(Debug)]
pub(super) enum Said {
    /// What was asked for, as far as there is any.
    Page(Value),
    /// Too many requests: more after that time, in milliseconds of the own clock, if it is known.
    Limited(Option<i64>),
    /// The month's cap is reached.
    UsageCap,
    /// Who asks should not ask again.
    Stop(Stopped),
    /// Something went wrong that may pass.
    Passing(String),
}

impl Limit {
    /// Reads the fields of an answer that came at `now_ms`. The time of a reset is the platform's;
    /// its own date tells how far away that is, whatever the own clock shows.
    pub(super) fn read(headers: &HeaderMap, now_ms: i64) -> Limit {
        let field = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
        let number = |name: &str| field(name)?.parse::<u64>().ok();
        let reset_ms = number("x-rate-limit-reset")
            .and_then(|seconds| i64::try_from(seconds).ok()?.checked_mul(1_000));
        let date_ms = field("date")
            .and_then(|text| jiff::fmt::rfc2822::parse(text).ok())
            .map(|date| date.timestamp().as_millisecond());
        let reset_ms = reset_ms.map(|reset_ms| {
            let away_ms = reset_ms.saturating_sub(date_ms.unwrap_or(now_ms));
            now_ms.saturating_add(away_ms)
        });
        Limit {
            requests: number("x-rate-limit-limit"),
            remaining: number("x-rate-limit-remaining"),
            reset_ms,
        }
    }

    /// When the next request may be sent, if the window has none left.
    pub(super) fn next_ms(&self) -> Option<i64> {
        self.reset_ms.filter(|_| self.remaining == Some(0))
    }

    /// Makes sure that a time to wait for is one of this day.
    pub(super) fn bounded(until_ms: i64, now_ms: i64) -> Result<i64, Stopped> {
        if until_ms.saturating_sub(now_ms) <= LIMIT_MS_MAX {
            return Ok(until_ms);
        }
        let until = crate::base::date::minute(until_ms);
        Err(Stopped::Limits(format!("its next window begins on {until}")))
    }
}

impl Reply {
    /// What it says to a request with the credential of that name.
    pub(super) fn said(&self, credential: &str) -> Said {
        let credential = || credential.to_owned();
        let body = serde_json::from_slice::<Value>(&self.body).ok().filter(Value::is_object);
        let body = body.unwrap_or_default();
        match self.status {
            200 | 201 if body.is_null() => Said::Passing("its answer is no JSON object".to_owned()),
            200 | 201 => Said::Page(body),
            429 if is_usage_cap(&body) => Said::UsageCap,
            429 => Said::Limited(self.limit.reset_ms),
            401 => Said::Stop(Stopped::Unauthenticated {
                credential: credential(),
                is_code_32: has_code(&body, 32),
            }),
            403 => {
                let (credential, detail) = (credential(), detail(&body));
                Said::Stop(Stopped::Forbidden { credential, detail })
            }
            status @ (408 | 500..) => Said::Passing(format!("it answered with status {status}")),
            status => Said::Stop(Stopped::Refused { status, detail: detail(&body) }),
        }
    }
}

fn is_usage_cap(body: &Value) -> bool {
    let text = |key: &str| body[key].as_str().unwrap_or_default();
    text("title") == "UsageCapExceeded" || text("type").ends_with("/problems/usage-capped")
}

fn has_code(body: &Value, code: u64) -> bool {
    let errors = body["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors.iter().any(|error| error["code"] == code)
}

/// What the platform says for people, on one line.
fn detail(body: &Value) -> String {
    let first = &body["errors"][0];
    let texts = [&body["detail"], &first["detail"], &first["message"], &body["title"]];
    let text = texts.iter().find_map(|text| text.as_str()).unwrap_or_default();
    let shown = text.chars().map(|char| if char.is_control() { ' ' } else { char });
    shown.take(DETAIL_CHARS_MAX).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn limit(fields: &[(&'static str, &'static str)], now_ms: i64) -> Limit {
        let fields = fields.iter();
        let headers = fields
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Limit::read(&headers, now_ms)
    }

    #[test]
    fn a_limit_is_what_the_header_says_by_the_platforms_own_clock() {
        let date = ("date", "Tue, 01 Jan 2030 00:00:00 GMT");
        let all = [
            ("x-rate-limit-limit", "300"),
            ("x-rate-limit-remaining", "0"),
            // A quarter of an hour after that date.
            ("x-rate-limit-reset", "1893456900"),
        ];
        let now_ms = 1_893_456_000_000;
        let read = limit(&all, now_ms);
        assert_eq!((read.requests, read.remaining), (Some(300), Some(0)));
        assert_eq!(read.next_ms(), Some(now_ms + 900_000));
        // The own clock is an hour off, and that changes nothing.
        let with_date = [&all[..], &[date]].concat();
        assert_eq!(limit(&with_date, now_ms + 3_600_000).next_ms(), Some(now_ms + 4_500_000));
        let left = [("x-rate-limit-remaining", "1"), all[2]];
        assert_eq!(limit(&left, now_ms).next_ms(), None);
        for wrong in ["-1", "soon", "99999999999999999999", ""] {
            let fields = [all[1], ("x-rate-limit-reset", wrong)];
            assert_eq!(limit(&fields, now_ms).next_ms(), None, "{wrong}");
        }
        assert!(Limit::bounded(now_ms + LIMIT_MS_MAX, now_ms).is_ok());
        assert!(Limit::bounded(i64::MAX, now_ms).is_err());
        assert!(Limit::bounded(i64::MIN, now_ms).is_ok());
    }

    #[test]
    fn an_answer_is_taken_for_what_it_says() {
        let word = |status: u16, body: &str| {
            let limit = Limit { reset_ms: Some(7), ..Limit::default() };
            let reply = Reply { status, limit, body: body.as_bytes().to_vec() };
            match reply.said("main") {
                Said::Page(_) => "page".to_owned(),
                Said::Limited(until_ms) => format!("limited {until_ms:?}"),
                Said::UsageCap => "cap".to_owned(),
                Said::Stop(stopped) => stopped.to_string(),
                Said::Passing(why) => why,
            }
        };
        for (status, body, expected) in [
            (200, "{\"data\":[]}", "page"),
            (200, "[]", "its answer is no JSON object"),
            (200, "{\"data\":[", "its answer is no JSON object"),
            (200, "<html>", "its answer is no JSON object"),
            (429, "{\"title\":\"Too Many Requests\",\"status\":429}", "limited Some(7)"),
            (429, "", "limited Some(7)"),
            (429, "{\"title\":\"UsageCapExceeded\",\"period\":\"Monthly\"}", "cap"),
            (
                429,
                "{\"type\":\"https://api.twitter.com/2/problems/usage-capped\",\"title\":\"x\"}",
                "cap",
            ),
            (503, "", "it answered with status 503"),
            (301, "", "the platform refuses the request (status 301)"),
            (
                400,
                "{\"errors\":[{\"message\":\"one\\ntwo\"}],\"title\":\"Invalid Request\"}",
                "the platform refuses the request (status 400): one two",
            ),
            (
                403,
                "{\"title\":\"Forbidden\",\"detail\":\"The application is suspended\"}",
                "the platform forbids it to the credential `main` (status 403): The application \
                 is suspended",
            ),
        ] {
            assert_eq!(word(status, body), expected, "{status} {body}");
        }
        let code32 = "{\"errors\":[{\"code\":32,\"message\":\"Could not authenticate you.\"}]}";
        for (body, said) in [(code32, "401, code 32)"), ("{\"title\":\"Unauthorized\"}", "401)")] {
            let told = word(401, body);
            assert!(told.contains(said), "{told}");
            assert!(told.contains("token is wrong"), "{told}");
            assert!(told.contains("application is suspended"), "{told}");
            assert!(told.contains("No other credential is tried"), "{told}");
        }
    }
}
