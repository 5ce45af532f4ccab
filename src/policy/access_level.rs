//! What the platform lets its own callers have: access levels, and the numbers that go with them.
//! How much of it a credential has used is not known here.

use serde::{Deserialize, Serialize};

use crate::base::ids::IdKind;

/// Which access the platform has given to a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessLevel {
    /// The one that everybody has.
    Essential,
    /// The one that is asked for.
    Elevated,
    /// The one of academic research.
    Academic,
    /// By a contract, with so many Tweets a month.
    Own(u64),
}

/// The numbers of a profile about the platform's own interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct UpstreamNumbers {
    /// Tweets a month with Essential access.
    pub essential_tweets_max: u64,
    /// Tweets a month with Elevated access.
    pub elevated_tweets_max: u64,
    /// Tweets a month with Academic access.
    pub academic_tweets_max: u64,
    /// Environments of one use case with Essential access.
    pub essential_environments_max: u64,
    /// Environments of one use case with any other access.
    pub elevated_environments_max: u64,
    /// Whether a Tweet that is looked up by its ID counts.
    pub lookups: Lookups,
    /// Requests for objects by ID in each window, by the platform's documentation.
    pub requests_max: u64,
    /// How long such a window is, in milliseconds.
    pub requests_window_ms: i64,
}

/// Whether Tweets that are looked up by their IDs count against the month's budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lookups {
    /// They do.
    Count,
    /// They do not.
    AreFree,
}

impl Lookups {
    /// The choices with their words, as profiles name them.
    pub(super) const WORDS: &[(&str, Lookups)] =
        &[("count", Lookups::Count), ("are-free", Lookups::AreFree)];
}

impl AccessLevel {
    /// The level that `word` names: one of three words, or a number of Tweets a month.
    pub fn from_word(word: &str) -> Option<AccessLevel> {
        match word {
            "essential" => Some(AccessLevel::Essential),
            "elevated" => Some(AccessLevel::Elevated),
            "academic" => Some(AccessLevel::Academic),
            number => number.parse().ok().filter(|number| *number > 0).map(AccessLevel::Own),
        }
    }

    /// The word that people read.
    pub fn word(self) -> &'static str {
        match self {
            AccessLevel::Essential => "essential",
            AccessLevel::Elevated => "elevated",
            AccessLevel::Academic => "academic",
            AccessLevel::Own(_) => "own",
        }
    }
}

impl UpstreamNumbers {
    /// How many Tweets a month a credential of that level may ask for.
    pub fn tweets_max(&self, level: AccessLevel) -> u64 {
        match level {
            AccessLevel::Essential => self.essential_tweets_max,
            AccessLevel::Elevated => self.elevated_tweets_max,
            AccessLevel::Academic => self.academic_tweets_max,
            AccessLevel::Own(tweets_max) => tweets_max,
        }
    }

    /// How many environments one use case may have with that level.
    pub fn environments_max(&self, level: AccessLevel) -> u64 {
        match level {
            AccessLevel::Essential => self.essential_environments_max,
            _ => self.elevated_environments_max,
        }
    }

    /// How many objects of `kind` a credential of that level may ask for in a month; `None`: they
    /// are written down and not limited.
    pub fn budget(&self, level: AccessLevel, kind: IdKind) -> Option<u64> {
        let counts = kind == IdKind::Tweet && self.lookups == Lookups::Count;
        counts.then(|| self.tweets_max(level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Profile;

    #[test]
    fn the_numbers_of_a_level_are_those_of_the_platform() {
        let numbers = Profile::built_in("twitter-2020-03").unwrap().upstream;
        for (word, tweets_max, environments_max) in [
            ("essential", Some(500_000), Some(1)),
            ("elevated", Some(2_000_000), Some(3)),
            ("academic", Some(10_000_000), Some(3)),
            ("750000", Some(750_000), Some(3)),
            ("0", None, None),
            ("Elevated", None, None),
            ("", None, None),
        ] {
            let level = AccessLevel::from_word(word);
            assert_eq!(level.map(|level| numbers.tweets_max(level)), tweets_max, "{word}");
            let environments = level.map(|level| numbers.environments_max(level));
            assert_eq!(environments, environments_max, "{word}");
        }
    }

    #[test]
    fn only_tweets_have_a_budget_and_only_if_lookups_count() {
        let mut numbers = Profile::built_in("twitter-2020-03").unwrap().upstream;
        assert_eq!(numbers.budget(AccessLevel::Own(7), IdKind::Tweet), Some(7));
        assert_eq!(numbers.budget(AccessLevel::Own(7), IdKind::User), None);
        numbers.lookups = Lookups::AreFree;
        assert_eq!(numbers.budget(AccessLevel::Own(7), IdKind::Tweet), None);
    }
}
