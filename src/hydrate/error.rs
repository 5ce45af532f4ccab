//! Why a hydration did not go on; how a person is told is the command's business.

use std::io;
use std::path::PathBuf;

use super::books::BooksError;
use crate::base::date::minute;
use crate::upstream::UpstreamError;

/// Why a hydration or a compliance job did not go on.
#[derive(Debug, thiserror::Error)]
pub enum HydrateError {
    /// The platform's address cannot be used.
    #[error("the platform cannot be asked")]
    Platform(#[from] UpstreamError),
    /// There is a reason to stop. Nothing is lost, and the same command goes on later.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The books cannot be kept, so nothing is asked.
    #[error("what is asked for cannot be written down")]
    Books(#[from] BooksError),
    /// A file cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What stands in the folder beside the archive is not what was written there.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// What was asked makes no sense with what is there.
    #[error("{0}")]
    Unfit(String),
}

impl HydrateError {
    /// Makes an error of the file at `path`.
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> HydrateError {
        let path = path.into();
        move |source| HydrateError::File { path, source }
    }
}

/// Why somebody stopped who could go on later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// Somebody asked for it.
    #[error("stopped as asked")]
    Asked,
    /// The month's budget is spent.
    #[error(
        "the budget of the credential `{credential}` is spent, {tweets_max} Tweets a month: the \
         next month begins on {}", minute(*.until_ms)
    )]
    Budget {
        /// Whose.
        credential: String,
        /// How much it is.
        tweets_max: u64,
        /// When the next one begins, in milliseconds UTC.
        until_ms: i64,
    },
    /// The platform said that the month's cap is reached.
    #[error(
        "the platform says that the month's usage cap of the credential `{credential}` is reached \
         (UsageCapExceeded), whatever its rate limit leaves: it is asked again from {} on; if its \
         dashboard names another day, set period_day", minute(*.until_ms)
    )]
    UsageCap {
        /// Whose.
        credential: String,
        /// When it ends by what the settings know, in milliseconds UTC.
        until_ms: i64,
    },
    /// Another credential of the same use case has nothing left.
    #[error(
        "the credential `{credential}` of the same use case has nothing left until {}: another one \
         does not get round that", minute(*.until_ms)
    )]
    Sibling {
        /// Which.
        credential: String,
        /// When its next month begins, in milliseconds UTC.
        until_ms: i64,
    },
    /// The platform does not know who asks.
    #[error(
        "the platform does not authenticate the credential `{credential}` (status 401{}): either \
         its token is wrong or was made anew, or the application is suspended; its dashboard tells \
         which. No other credential is tried", code32(*.is_code_32)
    )]
    Unauthenticated {
        /// Which credential.
        credential: String,
        /// Whether the answer was the platform's error 32.
        is_code_32: bool,
    },
    /// The platform forbids it.
    #[error(
        "the platform forbids it to the credential `{credential}` (status 403){}",
        because(.detail)
    )]
    Forbidden {
        /// Which credential.
        credential: String,
        /// What the platform said; empty: nothing.
        detail: String,
    },
    /// The platform does not understand the request.
    #[error("the platform refuses the request (status {status}){}", because(.detail))]
    Refused {
        /// The answer's status.
        status: u16,
        /// What the platform said; empty: nothing.
        detail: String,
    },
    /// The platform or the network fails again and again.
    #[error("{attempts} attempts in a row failed, the last because {last}")]
    Failing {
        /// How many.
        attempts: u32,
        /// Why the last one did.
        last: String,
    },
    /// The platform sets limits that make no sense.
    #[error("the platform limits requests in a way that never ends: {0}")]
    Limits(String),
}

impl Stopped {
    /// From when on it makes sense to go on, in milliseconds UTC, where that is known.
    pub fn until_ms(&self) -> Option<i64> {
        match self {
            Stopped::Budget { until_ms, .. }
            | Stopped::UsageCap { until_ms, .. }
            | Stopped::Sibling { until_ms, .. } => Some(*until_ms),
            _ => None,
        }
    }
}

fn code32(is_code_32: bool) -> &'static str {
    if is_code_32 { ", code 32" } else { "" }
}

fn because(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(": {detail}") }
}
