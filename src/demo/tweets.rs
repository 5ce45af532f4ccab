//! The maker of made-up tweets, and writers that stream any number of them.

use std::io::{self, Write};

use super::chance::Chance;
use super::content::{Sentence, Stock};
use super::json::Text;
use super::people::{everybody, snowflake};
use super::words::{SENTENCES, TAGS};
use crate::base::ids::{Id, TweetId, UserId};

/// When the first tweet is made: 2018-05-01T00:00:00Z. Some 33,000 tweets later, on 24 May, IDs
/// grow from 18 to 19 digits, so that made-up data has lines of both lengths.
const START_MS: i64 = 1_525_132_800_000;

/// The longest pause between two tweets, in milliseconds.
const PAUSE_MS_MAX: u64 = 120_000;

/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 1 << 20;

/// What was made: the record's own Tweet and its author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeUp {
    /// The Tweet's own ID.
    pub id: TweetId,
    /// Who is said to have written it.
    pub author: UserId,
}

/// Makes tweets one after the other; own IDs ascend and never repeat.
pub struct Maker {
    pub(super) chance: Chance,
    pub(super) now_ms: i64,
    pub(super) stock: Stock,
}

impl Maker {
    /// A maker whose tweets follow from `seed` alone.
    pub fn new(seed: u64) -> Maker {
        let mut chance = Chance::new(seed);
        let sentences = SENTENCES.iter().map(|&(lang, text)| (lang, Text::new(text)));
        let stock = Stock {
            sentences: sentences.map(|(lang, text)| Sentence { lang, text }).collect(),
            tags: TAGS.iter().map(|&tag| Text::new(tag)).collect(),
            people: everybody(&mut chance),
        };
        Maker { chance, now_ms: START_MS, stock }
    }

    /// The next own Tweet: a little later than the last one, by somebody.
    pub(super) fn next_own(&mut self) -> (MadeUp, usize) {
        self.now_ms += 1 + self.chance.below(PAUSE_MS_MAX).cast_signed();
        let id = snowflake(self.now_ms, &mut self.chance);
        let person = self.stock.person(&mut self.chance);
        let author = self.stock.people[person].id;
        let id = TweetId::from_value(id).expect("a snowflake of this century is an ID");
        (MadeUp { id, author }, person)
    }

    /// A Tweet that another one carries or names: earlier by up to two months.
    pub(super) fn earlier(&mut self) -> (u64, i64) {
        let at_ms = self.now_ms - 1_000 - self.chance.below(5_000_000_000).cast_signed();
        (snowflake(at_ms, &mut self.chance), at_ms)
    }
}

/// Writes so many v1.1 tweets as JSON lines.
///
/// # Errors
/// What `out` returns.
pub fn write_v1(lines: u64, seed: u64, out: &mut dyn Write) -> io::Result<()> {
    let mut maker = Maker::new(seed);
    stream(lines, out, |buffer| {
        maker.v1_line(buffer);
    })
}

/// Writes so many v2 response pages of `page_tweets` tweets each, one page a line.
///
/// # Errors
/// What `out` returns.
pub fn write_v2_pages(
    pages: u64,
    page_tweets: u64,
    seed: u64,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut maker = Maker::new(seed);
    stream(pages, out, |buffer| {
        maker.v2_page(page_tweets, buffer);
    })
}

/// Writes so many flattened v2 tweets as JSON lines.
///
/// # Errors
/// What `out` returns.
pub fn write_v2_flat(lines: u64, seed: u64, out: &mut dyn Write) -> io::Result<()> {
    let mut maker = Maker::new(seed);
    stream(lines, out, |buffer| {
        maker.v2_flat_line(buffer);
    })
}

/// Writes so many records through one large buffer, each as `make` adds it to the buffer.
///
/// # Errors
/// What `out` returns.
pub fn stream(
    records: u64,
    out: &mut dyn Write,
    mut make: impl FnMut(&mut Vec<u8>),
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    for _ in 0..records {
        make(&mut buffer);
        if buffer.len() >= BUFFER_BYTES {
            out.write_all(&buffer)?;
            buffer.clear();
        }
    }
    out.write_all(&buffer)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    fn records(lines: &[u8]) -> Vec<Value> {
        lines
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).expect("a made-up record is JSON"))
            .collect()
    }

    fn id_of(record: &Value, field: &str) -> TweetId {
        TweetId::parse(record[field].as_str().unwrap().as_bytes()).unwrap()
    }

    fn made_ms(text: &str) -> i64 {
        let long = jiff::fmt::strtime::parse("%a %b %d %H:%M:%S %z %Y", text);
        let time = long.and_then(|parts| parts.to_timestamp()).or_else(|_| text.parse());
        time.unwrap().as_millisecond()
    }

    #[test]
    fn v1_tweets_agree_with_themselves() {
        let mut maker = Maker::new(7);
        let mut lines = Vec::new();
        let made_up: Vec<MadeUp> = (0..2_000).map(|_| maker.v1_line(&mut lines)).collect();
        let records = records(&lines);
        let mut seen: HashSet<&str> = HashSet::new();
        for (record, made_up) in records.iter().zip(&made_up) {
            for tweet in [record, &record["retweeted_status"], &record["quoted_status"]] {
                let Some(id) = tweet["id"].as_u64() else { continue };
                assert_eq!(id_of(tweet, "id_str").value(), id);
                let at_ms = made_ms(tweet["created_at"].as_str().unwrap());
                assert_eq!(id_of(tweet, "id_str").created_ms().unwrap() / 1_000, at_ms / 1_000);
                assert!(tweet["user"]["id_str"].is_string());
            }
            assert_eq!(id_of(record, "id_str"), made_up.id);
            assert_eq!(record["user"]["id"].as_u64(), Some(made_up.author.value()));
            for (field, value) in record.as_object().unwrap() {
                if !value.is_null() {
                    seen.insert(field);
                }
            }
            seen.insert(record["lang"].as_str().unwrap());
        }
        for expected in [
            "retweeted_status",
            "quoted_status",
            "extended_tweet",
            "full_text",
            "text",
            "geo",
            "place",
            "in_reply_to_status_id",
            "extended_entities",
            "ja",
            "ar",
            "und",
        ] {
            assert!(seen.contains(expected), "no tweet has {expected}");
        }
        assert!(made_up.is_sorted_by(|one, next| one.id < next.id), "own IDs ascend");
    }

    #[test]
    fn v2_tweets_agree_with_themselves() {
        let mut maker = Maker::new(7);
        let (mut pages, mut flat) = (Vec::new(), Vec::new());
        let made_up: Vec<MadeUp> = (0..10).flat_map(|_| maker.v2_page(100, &mut pages)).collect();
        let pages = records(&pages);
        let data: Vec<&Value> =
            pages.iter().flat_map(|page| page["data"].as_array().unwrap()).collect();
        assert_eq!(data.len(), 1_000);
        for (tweet, made_up) in data.iter().zip(&made_up) {
            assert_eq!(id_of(tweet, "id"), made_up.id);
            let at_ms = made_ms(tweet["created_at"].as_str().unwrap());
            assert_eq!(made_up.id.created_ms().unwrap() / 1_000, at_ms / 1_000);
            assert_eq!(tweet["author_id"], made_up.author.to_string());
        }
        assert!(pages.iter().all(|page| page["includes"]["tweets"][0]["text"].is_string()));
        assert!(pages.iter().any(|page| page["errors"].is_array()));
        for _ in 0..300 {
            maker.v2_flat_line(&mut flat);
        }
        let flat = records(&flat);
        assert!(flat.iter().all(|tweet| tweet["author"]["id"] == tweet["author_id"]));
        assert!(flat.iter().any(|tweet| tweet["referenced_tweets"][0]["text"].is_string()));
    }

    #[test]
    fn the_same_seed_makes_the_same_bytes() {
        let write = |seed| {
            let mut bytes = Vec::new();
            write_v1(50, seed, &mut bytes).unwrap();
            write_v2_pages(2, 10, seed, &mut bytes).unwrap();
            write_v2_flat(20, seed, &mut bytes).unwrap();
            bytes
        };
        assert_eq!(write(1), write(1));
        assert_ne!(write(1), write(2));
    }
}
