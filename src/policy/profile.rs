//! The set of numbers in force, read from a TOML file; not what is done with them.
//!
//! No number of a platform's policy is a constant of the program: profiles are dated files, two
//! of which are compiled in, and every delivery records the name of its profile.

use serde::Serialize;
use toml::{Table, Value};

use super::access_level::{Lookups, UpstreamNumbers};
use super::decision::{Recipient, Unit};
use super::document::{DOCUMENTS, Document};
use super::window::{MINUTE_MS, Window};
use crate::base::ids::IdKind;

const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The profiles that need no file, the default first.
const BUILT_IN: &[(&str, &str)] = &[
    ("twitter-2020-03", include_str!("../../schema/profiles/twitter-2020-03.toml")),
    ("x-2025-10", include_str!("../../schema/profiles/x-2025-10.toml")),
];

/// The numbers in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Profile {
    /// What deliveries record, for instance `twitter-2020-03`.
    pub name: String,
    /// What people are shown for a Tweet: `Tweet` or `Post`.
    pub word: String,
    /// Tweet IDs per entity in any window.
    pub tweet_ids_max: u64,
    /// User IDs per entity in any window; none: recorded, not limited.
    pub user_ids_max: Option<u64>,
    /// DM IDs per entity in any window; none: recorded, not limited.
    pub dm_ids_max: Option<u64>,
    /// The trailing window with its grace.
    pub window: Window,
    /// How IDs are counted.
    pub count: Count,
    /// For how long a hold lasts that is not renewed, in milliseconds.
    pub hold_ms: i64,
    /// Tweet and User objects together per person in any window of objects.
    pub objects_per_person_max: u64,
    /// The trailing window of objects with its grace.
    pub objects_window: Window,
    /// What it takes for an exemption to lift the ceiling.
    pub exemption: ExemptionRule,
    /// The longest exemption, in days.
    pub exemption_days_max: u32,
    /// IDs of the first chunk of a recipient with a ceiling.
    pub chunk_ids_small_min: u64,
    /// IDs of a later chunk of a recipient with a ceiling, at most.
    pub chunk_ids_small_max: u64,
    /// IDs of a chunk of a recipient without a ceiling.
    pub chunk_ids_large: u64,
    /// What the platform lets its own callers have.
    pub upstream: UpstreamNumbers,
    /// How long a peer-review link lives if nobody says otherwise, in days.
    pub share_days_usual: u32,
    /// How long one may live at most, in days.
    pub share_days_max: u32,
    /// How many downloads may begin at one if nobody says otherwise.
    pub share_downloads_usual: u32,
    /// The documents that people accept first, as long as no operator has published newer ones.
    pub documents: Vec<Document>,
}

/// How IDs are counted that an entity has received before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Count {
    /// Every ID counts each time it is handed over.
    Deliveries,
    /// An ID that an entity has been handed within the window counts once, from the last time on.
    Distinct,
}

impl Count {
    /// The choices with their words, as profiles and settings name them.
    pub const WORDS: &[(&str, Count)] =
        &[("deliveries", Count::Deliveries), ("distinct", Count::Distinct)];

    /// The reading that `word` names, if it names one.
    pub fn from_word(word: &str) -> Option<Count> {
        let found = Count::WORDS.iter().find(|(known, _)| *known == word);
        found.map(|(_, count)| *count)
    }
}

/// What it takes for an academic exemption to lift the ceiling of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExemptionRule {
    /// It is registered, reviewed and in force.
    Registered,
    /// A permission of the platform that was given for it has to be valid too, and it lifts the
    /// ceiling up to its own only.
    RegisteredAndPermitted,
}

impl ExemptionRule {
    /// The rules with their words, as profiles name them.
    const WORDS: &[(&str, ExemptionRule)] = &[
        ("registered", ExemptionRule::Registered),
        ("registered-and-permitted", ExemptionRule::RegisteredAndPermitted),
    ];
}

/// Which size the chunks of a delivery have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkSize {
    /// Somebody who is charged has a ceiling: little may be charged in vain.
    Small,
    /// Nobody who is charged has one.
    Large,
}

/// What is wrong with a profile, all of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", mistakes.join("; "))]
pub struct ProfileError {
    /// One clause for each mistake: the key, its value, and what would be right.
    pub mistakes: Vec<String>,
}

impl Profile {
    /// The names of the compiled-in profiles, the default first.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The compiled-in profile of that name.
    pub fn built_in(name: &str) -> Option<Profile> {
        let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
        Some(Profile::parse(text).expect("a test reads every compiled-in profile"))
    }

    /// Reads a profile from TOML.
    ///
    /// # Errors
    /// [`ProfileError`] with every mistake in it; of mistakes of syntax only the first.
    pub fn parse(toml: &str) -> Result<Profile, ProfileError> {
        let table = toml.parse::<Table>().map_err(|error| ProfileError {
            mistakes: vec![format!("the profile is not TOML: {}", error.to_string().trim())],
        })?;
        let mut fields = Fields { table, mistakes: Vec::new() };
        let profile = fields.profile();
        let unknown = fields.table.keys().map(|key| format!("{key} is not known: remove it"));
        let mistakes: Vec<String> = fields.mistakes.into_iter().chain(unknown).collect();
        if mistakes.is_empty() { Ok(profile) } else { Err(ProfileError { mistakes }) }
    }

    /// The profile as TOML, each number of it: [`Profile::parse`] reads it back as it is.
    pub fn toml(&self) -> String {
        let mut table = Table::new();
        let mut put = |key: &str, value: Value| table.insert(key.to_owned(), value);
        let number = |number: u64| Value::Integer(number.try_into().expect("a parser bounds it"));
        let word = |text: &str| Value::String(text.to_owned());
        put("name", word(&self.name));
        put("word", word(&self.word));
        put("tweet_ids_max", number(self.tweet_ids_max));
        for (key, most) in [("user_ids_max", self.user_ids_max), ("dm_ids_max", self.dm_ids_max)] {
            most.map(|most| put(key, number(most)));
        }
        put("window_days", Value::Integer(self.window.length_ms / DAY_MS));
        put("grace_minutes", Value::Integer(self.window.grace_ms / MINUTE_MS));
        put("count", word(word_of(Count::WORDS, self.count)));
        put("hold_minutes", Value::Integer(self.hold_ms / MINUTE_MS));
        put("objects_per_person_max", number(self.objects_per_person_max));
        put("objects_window_hours", Value::Integer(self.objects_window.length_ms / HOUR_MS));
        put("exemption", word(word_of(ExemptionRule::WORDS, self.exemption)));
        put("exemption_days_max", number(self.exemption_days_max.into()));
        put("chunk_ids_small_min", number(self.chunk_ids_small_min));
        put("chunk_ids_small_max", number(self.chunk_ids_small_max));
        put("chunk_ids_large", number(self.chunk_ids_large));
        let upstream = &self.upstream;
        put("upstream_essential_tweets_max", number(upstream.essential_tweets_max));
        put("upstream_elevated_tweets_max", number(upstream.elevated_tweets_max));
        put("upstream_academic_tweets_max", number(upstream.academic_tweets_max));
        put("upstream_essential_environments_max", number(upstream.essential_environments_max));
        put("upstream_elevated_environments_max", number(upstream.elevated_environments_max));
        put("upstream_lookups", word(word_of(Lookups::WORDS, upstream.lookups)));
        put("upstream_requests_max", number(upstream.requests_max));
        let window_minutes = upstream.requests_window_ms / MINUTE_MS;
        put("upstream_requests_window_minutes", Value::Integer(window_minutes));
        put("share_days_usual", number(self.share_days_usual.into()));
        put("share_days_max", number(self.share_days_max.into()));
        put("share_downloads_usual", number(self.share_downloads_usual.into()));
        let documents = self.documents.iter().map(|document| {
            let said = [("version", &document.version), ("url", &document.url)];
            let said = said.map(|(key, text)| (key.to_owned(), word(text)));
            (document.name.to_owned(), Value::Table(said.into_iter().collect()))
        });
        put("documents", Value::Table(documents.collect()));
        table.to_string()
    }

    /// Whether an ID of `kind` that an entity has been handed is not counted again: it may be
    /// asked of those kinds only that are limited, and holds for recipients with a ceiling.
    pub fn counts_once(&self, kind: IdKind) -> bool {
        self.count == Count::Distinct && self.ids_max(kind).is_some()
    }

    /// How many IDs of `kind` an entity may have live without an exemption; `None`: no limit.
    pub fn ids_max(&self, kind: IdKind) -> Option<u64> {
        match kind {
            IdKind::Tweet => Some(self.tweet_ids_max),
            IdKind::User => self.user_ids_max,
            IdKind::Dm => self.dm_ids_max,
        }
    }

    /// How much of `unit` a recipient may have live without an exemption; `None`: no limit.
    pub fn units_max(&self, unit: Unit) -> Option<u64> {
        match unit {
            Unit::Ids(kind) => self.ids_max(kind),
            Unit::Objects => Some(self.objects_per_person_max),
        }
    }

    /// The window in which `unit` counts at that recipient.
    pub fn window_at(&self, recipient: Recipient, unit: Unit) -> Window {
        match recipient {
            Recipient::Link(_) => Window::WITHOUT_END,
            Recipient::Entity(_) | Recipient::Person(_) => self.window_of(unit),
        }
    }

    /// The trailing window in which `unit` counts at entities and people.
    pub fn window_of(&self, unit: Unit) -> Window {
        match unit {
            Unit::Ids(_) => self.window,
            Unit::Objects => self.objects_window,
        }
    }

    /// How many IDs the chunk with that number (0 is the first) of a delivery has at most.
    pub fn chunk_ids(&self, size: ChunkSize, number: u32) -> u64 {
        match size {
            ChunkSize::Small => {
                let grown = self.chunk_ids_small_min << number.min(16);
                grown.min(self.chunk_ids_small_max)
            }
            ChunkSize::Large => self.chunk_ids_large,
        }
    }
}

/// The word of `value`, which stands in the list.
fn word_of<T: Copy + PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    let found = words.iter().find(|(_, known)| *known == value);
    found.expect("every choice has a word").0
}

/// Whether a text can stand for a version of a document.
pub fn is_version(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

/// Whether a text is an address that people can be sent to, and no script.
pub fn is_link(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let printable = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && text.len() <= 2_000
        && text.bytes().all(printable)
}

/// The keys of a file that nobody has asked for yet, and what was wrong with those before.
struct Fields {
    table: Table,
    mistakes: Vec<String>,
}

impl Fields {
    fn profile(&mut self) -> Profile {
        let day = 1..=3_650;
        let ids = 1..=1_000_000_000_000;
        let grace_ms = self.number("grace_minutes", 0..=1_440) as i64 * MINUTE_MS;
        let profile = Profile {
            name: self.slug("name"),
            word: self.one_of("word", &[("Tweet", "Tweet"), ("Post", "Post")]).to_owned(),
            tweet_ids_max: self.number("tweet_ids_max", ids.clone()),
            user_ids_max: self.optional_number("user_ids_max", ids.clone()),
            dm_ids_max: self.optional_number("dm_ids_max", ids.clone()),
            window: Window {
                length_ms: self.number("window_days", day.clone()) as i64 * DAY_MS,
                grace_ms,
            },
            count: self.one_of("count", Count::WORDS),
            hold_ms: self.number("hold_minutes", 1..=1_440) as i64 * MINUTE_MS,
            objects_per_person_max: self.number("objects_per_person_max", 0..=1_000_000_000),
            objects_window: Window {
                length_ms: self.number("objects_window_hours", 1..=8_760) as i64 * HOUR_MS,
                grace_ms,
            },
            exemption: self.one_of("exemption", ExemptionRule::WORDS),
            exemption_days_max: self.number("exemption_days_max", day) as u32,
            chunk_ids_small_min: self.number("chunk_ids_small_min", 1..=4_096),
            chunk_ids_small_max: self.number("chunk_ids_small_max", 1..=4_096),
            chunk_ids_large: self.number("chunk_ids_large", 1..=1 << 24),
            upstream: self.upstream(),
            // A profile from before there were links says nothing of them.
            share_days_usual: self.optional_number("share_days_usual", 1..=365).unwrap_or(60)
                as u32,
            share_days_max: self.optional_number("share_days_max", 1..=3_650).unwrap_or(365) as u32,
            share_downloads_usual: self
                .optional_number("share_downloads_usual", 1..=100_000)
                .unwrap_or(20) as u32,
            documents: self.documents(),
        };
        let (least, most) = (profile.chunk_ids_small_min, profile.chunk_ids_small_max);
        if least > most {
            self.mistakes.push(format!(
                "chunk_ids_small_min is {least}: at most chunk_ids_small_max ({most}) is right"
            ));
        }
        profile
    }

    fn number(&mut self, key: &str, range: std::ops::RangeInclusive<u64>) -> u64 {
        let least = *range.start();
        match self.table.contains_key(key) {
            true => self.optional_number(key, range).unwrap_or(least),
            false => {
                self.mistakes.push(format!("{key} is missing: a whole number is needed"));
                least
            }
        }
    }

    fn optional_number(&mut self, key: &str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let value = self.table.remove(key)?;
        let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = range.into_inner();
            self.mistakes
                .push(format!("{key} is {value}: a whole number from {least} to {most} is right"));
        }
        number
    }

    fn slug(&mut self, key: &str) -> String {
        let Some(value) = self.table.remove(key) else {
            self.mistakes.push(format!("{key} is missing: a name is needed"));
            return String::new();
        };
        let is_slug = |text: &&str| {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            (1..=64).contains(&text.len()) && text.bytes().all(|byte| plain(byte) || byte == b'-')
        };
        match value.as_str().filter(is_slug) {
            Some(text) => text.to_owned(),
            None => {
                self.mistakes.push(format!(
                    "{key} is {value}: 1 to 64 lower-case letters, digits and hyphens are right"
                ));
                String::new()
            }
        }
    }

    /// The numbers about the platform's own interface; those of the default profile, if the file
    /// says nothing of any, as one has that was put in force before there were such numbers.
    fn upstream(&mut self) -> UpstreamNumbers {
        if !self.table.keys().any(|key| key.starts_with("upstream_")) {
            let (name, _) = BUILT_IN[0];
            return Profile::built_in(name).expect("the default is built in").upstream;
        }
        let tweets = 1..=1_000_000_000_000;
        let environments = 1..=100;
        UpstreamNumbers {
            essential_tweets_max: self.number("upstream_essential_tweets_max", tweets.clone()),
            elevated_tweets_max: self.number("upstream_elevated_tweets_max", tweets.clone()),
            academic_tweets_max: self.number("upstream_academic_tweets_max", tweets),
            essential_environments_max: self
                .number("upstream_essential_environments_max", environments.clone()),
            elevated_environments_max: self
                .number("upstream_elevated_environments_max", environments),
            lookups: self.one_of("upstream_lookups", Lookups::WORDS),
            requests_max: self.number("upstream_requests_max", 1..=1_000_000_000),
            requests_window_ms: self.number("upstream_requests_window_minutes", 1..=1_440) as i64
                * MINUTE_MS,
        }
    }

    /// The documents; those of the default profile, if the file says nothing of any.
    fn documents(&mut self) -> Vec<Document> {
        let Some(value) = self.table.remove("documents") else {
            let (name, _) = BUILT_IN[0];
            return Profile::built_in(name).expect("the default is built in").documents;
        };
        let Value::Table(mut all) = value else {
            self.mistakes
                .push("documents is no table: [documents.developer-policy] begins one".into());
            return Vec::new();
        };
        let mut documents = Vec::new();
        for (name, _) in DOCUMENTS {
            let Some(said) = all.remove(*name) else { continue };
            let text = |key: &str| said.get(key).and_then(Value::as_str).unwrap_or_default();
            let (version, url) = (text("version"), text("url"));
            let keys = said.as_table().map_or(0, Table::len);
            if keys != 2 || !is_version(version) || !is_link(url) {
                self.mistakes.push(format!(
                    "documents.{name} is {said}: a version of 1 to 64 letters, digits, dots and \
                     hyphens and a url of https or http are right"
                ));
            } else {
                documents.extend(Document::of(name, version, url));
            }
        }
        for unknown in all.keys() {
            let known: Vec<&str> = DOCUMENTS.iter().map(|(name, _)| *name).collect();
            let known = known.join(", ");
            self.mistakes.push(format!("documents.{unknown} is not known: {known} are"));
        }
        documents
    }

    fn one_of<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> T {
        let value = self.table.remove(key);
        let word = value.as_ref().and_then(Value::as_str);
        match choices.iter().find(|(choice, _)| Some(*choice) == word) {
            Some((_, chosen)) => *chosen,
            None => {
                let found = value.map_or_else(|| "missing".to_owned(), |value| value.to_string());
                let words: Vec<String> =
                    choices.iter().map(|(choice, _)| format!("\"{choice}\"")).collect();
                self.mistakes.push(format!("{key} is {found}: {} is right", words.join(" or ")));
                choices[0].1
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profiles_are_valid_and_named_as_their_files() {
        for name in Profile::built_in_names() {
            assert_eq!(Profile::built_in(name).unwrap().name, name);
        }
        assert_eq!(Profile::built_in("nope"), None);
        let profile = Profile::built_in("twitter-2020-03").unwrap();
        assert_eq!(profile.ids_max(IdKind::Tweet), Some(1_500_000));
        assert_eq!(profile.ids_max(IdKind::User), None);
        assert_eq!(profile.window.length_ms, 2_592_000_000);
        assert_eq!(profile.window.grace_ms, 3_600_000);
    }

    #[test]
    fn a_profile_is_read_as_it_is_written() {
        for name in Profile::built_in_names() {
            let mut profile = Profile::built_in(name).unwrap();
            assert_eq!(profile.documents.len(), DOCUMENTS.len(), "{name}");
            assert_eq!(Profile::parse(&profile.toml()), Ok(profile.clone()));
            profile.dm_ids_max = Some(7);
            profile.count = Count::Distinct;
            profile.documents.pop();
            assert_eq!(Profile::parse(&profile.toml()), Ok(profile));
        }
    }

    #[test]
    fn a_profile_without_documents_has_those_of_the_default() {
        let (_, default) = BUILT_IN[0];
        let numbers = default.split("[documents").next().unwrap();
        let profile = Profile::parse(numbers).unwrap();
        assert_eq!(profile, Profile::built_in("twitter-2020-03").unwrap());
        for (wrong, expected) in [
            ("[documents.manifesto]\nversion = \"1\"", "documents.manifesto is not known"),
            ("[documents.developer-policy]\nversion = \"1\"", "documents.developer-policy is"),
            (
                "[documents.developer-policy]\nversion = \"1\"\nurl = \"javascript:x\"",
                "a url of https or http",
            ),
        ] {
            let error = Profile::parse(&format!("{numbers}{wrong}")).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn chunks_grow_where_there_is_a_ceiling_and_are_large_where_there_is_none() {
        let profile = Profile::built_in("twitter-2020-03").unwrap();
        let small: Vec<u64> =
            (0..5).map(|number| profile.chunk_ids(ChunkSize::Small, number)).collect();
        assert_eq!(small, [1_000, 2_000, 4_000, 4_096, 4_096]);
        assert_eq!(profile.chunk_ids(ChunkSize::Small, u32::MAX), 4_096);
        assert_eq!(profile.chunk_ids(ChunkSize::Large, 0), 1_048_576);
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let (_, good) = BUILT_IN[0];
        let bad = good
            .replace("tweet_ids_max = 1_500_000", "tweet_ids_max = \"many\"\nwidnow = 3")
            .replace("window_days = 30", "")
            .replace("grace_minutes = 60", "grace_minutes = -1")
            .replace("\"deliveries\"", "\"never\"")
            .replace("chunk_ids_small_max = 4_096", "chunk_ids_small_max = 10");
        let error = Profile::parse(&bad).unwrap_err();
        let expected = [
            "grace_minutes is -1: a whole number from 0 to 1440 is right",
            "tweet_ids_max is \"many\": a whole number from 1 to 1000000000000 is right",
            "window_days is missing: a whole number is needed",
            "count is \"never\": \"deliveries\" or \"distinct\" is right",
            "chunk_ids_small_min is 1000: at most chunk_ids_small_max (10) is right",
            "widnow is not known: remove it",
        ];
        assert_eq!(error.mistakes, expected);
        let syntax = Profile::parse("name = ").unwrap_err();
        assert!(syntax.to_string().starts_with("the profile is not TOML"), "{syntax}");
    }
}
