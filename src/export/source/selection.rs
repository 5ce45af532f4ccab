//! What somebody wants objects of: the words of it, and whether an object has what its text has to
//! have. Which ordinals that are is found by `candidates` and `users`.

use serde::{Deserialize, Serialize};

use super::GatherError;
use crate::base::date::minute;
use crate::base::ids::{Id, IdKind};
use crate::base::number::separated;
use crate::export::object::{Object, TweetObject};

/// What somebody wants objects of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Tweets, or the Users that wrote them.
    pub kind: IdKind,
    /// Which of them.
    pub part: Part,
    /// What each Tweet has to have.
    #[serde(default)]
    pub filter: Filter,
}

/// Which part of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Part {
    /// All of it.
    All,
    /// What was posted in a time, in milliseconds UTC: from the first on, before the second.
    Between {
        /// The first instant; `None`: from the beginning.
        from_ms: Option<i64>,
        /// The first instant that is too late; `None`: to the end.
        until_ms: Option<i64>,
    },
    /// So many by chance; the same seed gives the same ones.
    Sample {
        /// How many.
        objects: u64,
        /// Which chance.
        seed: u64,
    },
    /// What somebody listed by ID.
    Listed {
        /// How many IDs the list has.
        ids: u64,
    },
}

/// What a Tweet has to have; everything that is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Its text has each of these, in whatever case.
    pub words: Vec<String>,
    /// It has this hashtag, in whatever case; without the `#`.
    pub hashtag: Option<String>,
    /// It is in this language, such as `en`.
    pub lang: Option<String>,
    /// Somebody of this name (without the `@`) or User ID posted it.
    pub author: Option<String>,
}

impl Selection {
    /// All Tweets of a release.
    pub fn all() -> Selection {
        Selection { kind: IdKind::Tweet, part: Part::All, filter: Filter::default() }
    }

    /// What is selected, in words for the cover sheet.
    pub fn in_words(&self) -> String {
        let kind = match self.kind {
            IdKind::User => "Users",
            _ => "Tweets",
        };
        let mut words = match &self.part {
            Part::All => format!("all {kind}"),
            Part::Between { from_ms, until_ms } => {
                let of = if self.kind == IdKind::User { "Users that posted" } else { kind };
                let from = from_ms.map(|from_ms| format!(" from {}", minute(from_ms)));
                let until = until_ms.map(|until_ms| format!(" before {}", minute(until_ms)));
                format!("{of}{}{}", from.unwrap_or_default(), until.unwrap_or_default())
            }
            Part::Sample { objects, seed } => {
                format!("{} {kind} by chance, seed {seed}", separated(*objects))
            }
            Part::Listed { ids } => format!("{kind} of a list of {} IDs", separated(*ids)),
        };
        let Filter { words: texts, hashtag, lang, author } = &self.filter;
        let mut say = |what: &str, text: &str| words.push_str(&format!(", {what} {text}"));
        texts.iter().for_each(|text| say("with the text", &format!("\"{text}\"")));
        hashtag.iter().for_each(|hashtag| say("with the hashtag", &format!("#{hashtag}")));
        lang.iter().for_each(|lang| say("in the language", lang));
        author.iter().for_each(|author| say("by", author));
        words
    }

    /// Whether it makes sense at all.
    ///
    /// # Errors
    /// [`GatherError::Unfit`] with what does not.
    pub fn check(&self) -> Result<(), GatherError> {
        let unfit = |what: &str| Err(GatherError::Unfit(what.to_owned()));
        match (&self.part, self.kind) {
            (_, IdKind::Dm) => unfit("objects are made of Tweets and Users, not of messages"),
            (_, IdKind::User) if self.filter != Filter::default() => {
                unfit("words, hashtags, languages and authors choose Tweets, not Users")
            }
            (Part::Between { from_ms: Some(from), until_ms: Some(until) }, _) if from >= until => {
                unfit("the time ends before it begins")
            }
            (Part::Sample { objects: 0, .. } | Part::Listed { ids: 0 }, _) => {
                unfit("nothing is selected")
            }
            _ => Ok(()),
        }
    }
}

/// A filter with its texts as they are compared.
pub(super) struct Sieve {
    words: Vec<String>,
    hashtag: Option<String>,
    lang: Option<String>,
    author: Option<String>,
    /// The time in which it has to be posted, for IDs that tell none.
    between: (i64, i64),
}

impl Sieve {
    pub(super) fn of(selection: &Selection) -> Sieve {
        let Filter { words, hashtag, lang, author } = &selection.filter;
        let folded = |text: &String, sign| text.trim().trim_start_matches(sign).to_lowercase();
        Sieve {
            words: words.iter().map(|word| word.to_lowercase()).collect(),
            hashtag: hashtag.as_ref().map(|hashtag| folded(hashtag, ['#', '＃'].as_slice())),
            lang: lang.as_ref().map(|lang| folded(lang, &[])),
            author: author.as_ref().map(|author| folded(author, &['@'])),
            between: selection.part.between(),
        }
    }

    /// Whether the object has what it has to have.
    pub(super) fn passes(&self, object: &Object) -> bool {
        match object {
            Object::Tweet(tweet) => self.passes_tweet(tweet),
            Object::User(_) => true,
        }
    }

    fn passes_tweet(&self, tweet: &TweetObject) -> bool {
        let (from_ms, until_ms) = self.between;
        let is_in_time =
            tweet.id.created_ms().is_some() || (from_ms..until_ms).contains(&tweet.created_ms);
        let text = if self.words.is_empty() { String::new() } else { tweet.text.to_lowercase() };
        let same = |wanted: &Option<String>, said: Option<&str>| {
            let said = || said.map(str::to_lowercase);
            wanted.is_none() || *wanted == said()
        };
        let has_hashtag =
            |hashtag: &String| tweet.hashtags.iter().any(|other| other.to_lowercase() == *hashtag);
        is_in_time
            && self.words.iter().all(|word| text.contains(word))
            && self.hashtag.as_ref().is_none_or(has_hashtag)
            && same(&self.lang, tweet.lang.as_deref())
            && (same(&self.author, Some(&tweet.author.username))
                || self.author.as_deref() == Some(&tweet.author.id.value().to_string()))
    }
}

impl Part {
    /// From when on and before when, in milliseconds UTC.
    pub(super) fn between(&self) -> (i64, i64) {
        match self {
            Part::Between { from_ms, until_ms } => {
                (from_ms.unwrap_or(i64::MIN), until_ms.unwrap_or(i64::MAX))
            }
            _ => (i64::MIN, i64::MAX),
        }
    }
}

/// Chance that a seed repeats, whatever library or version: SplitMix64.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn of(seed: u64) -> Chance {
        Chance(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.0)
    }

    /// A number below `end`, each as likely as the others up to one part in 2^64 / `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// So many different numbers below `end`, ascending: each set of them is as likely as the
    /// others (Floyd's way).
    pub(super) fn numbers(&mut self, count: u64, end: u64) -> Vec<u64> {
        let mut chosen = hashbrown::HashSet::new();
        for last in end.saturating_sub(count)..end {
            let number = self.below(last + 1);
            if !chosen.insert(number) {
                chosen.insert(last);
            }
        }
        let mut chosen: Vec<u64> = chosen.into_iter().collect();
        chosen.sort_unstable();
        chosen
    }
}

/// A number of which each bit depends on all bits of `number`.
pub(super) fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ number >> 31
}
