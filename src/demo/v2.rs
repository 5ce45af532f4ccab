//! Made-up tweets in the shape of v2: response pages, and flattened, one tweet a line.

use super::content::{Content, Piece};
use super::json::{IsoDate, Style, put};
use super::tweets::{MadeUp, Maker};
use crate::base::ids::Id;

/// A tweet that another one refers to.
struct Reference {
    relation: &'static str,
    id: u64,
    at_ms: i64,
    person: usize,
}

/// What a page carries beside its tweets.
#[derive(Default)]
struct Includes {
    people: Vec<usize>,
    tweets: Vec<u8>,
    media: Vec<u8>,
}

impl Maker {
    /// Adds one response page of so many tweets and a line feed to `out`.
    pub fn v2_page(&mut self, tweets: u64, out: &mut Vec<u8>) -> Vec<MadeUp> {
        let mut includes = Includes::default();
        let mut page = Vec::new();
        put!(out, "{\"data\":[");
        for number in 0..tweets {
            put!(out, if number > 0 { "," } else { "" });
            let (made_up, person) = self.next_own();
            let references = self.references();
            let (id, at_ms) = (made_up.id.value(), self.now_ms);
            let media = self.v2(id, at_ms, person, &references, out);
            put!(out, "}");
            self.include(person, &references, media, &mut includes);
            page.push(made_up);
        }
        put!(out, "],\"includes\":{\"users\":[");
        includes.people.sort_unstable();
        includes.people.dedup();
        for (number, person) in includes.people.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            put!(out, comma, &self.stock.people[*person].v2[..]);
        }
        put!(out, "],\"tweets\":[", without_comma(&includes.tweets), "],\"media\":[");
        put!(out, without_comma(&includes.media), "]},");
        self.v2_errors(out);
        put!(out, "\"meta\":{\"result_count\":", page.len() as u64);
        if let (Some(oldest), Some(newest)) = (page.first(), page.last()) {
            put!(out, ",\"newest_id\":\"", newest.id.value(), "\",\"oldest_id\":\"");
            put!(out, oldest.id.value(), "\",\"next_token\":\"b26v89c19zqg8o3f");
            put!(out, self.chance.below(u64::MAX), "\"");
        }
        put!(out, "}}\n");
        page
    }

    /// Adds one flattened tweet and a line feed to `out`.
    pub fn v2_flat_line(&mut self, out: &mut Vec<u8>) -> MadeUp {
        let (made_up, person) = self.next_own();
        let references = self.references();
        self.v2(made_up.id.value(), self.now_ms, person, &[], out);
        if !references.is_empty() {
            put!(out, ",\"referenced_tweets\":[");
            for (number, reference) in references.iter().enumerate() {
                put!(out, if number > 0 { "," } else { "" });
                let &Reference { relation, id, at_ms, person } = reference;
                self.v2(id, at_ms, person, &[], out);
                put!(out, ",\"type\":\"", relation, "\",\"author\":");
                put!(out, &self.stock.people[person].v2[..], "}");
            }
            put!(out, "]");
        }
        put!(out, ",\"author\":", &self.stock.people[person].v2[..]);
        put!(out, ",\"__twarc\":{\"url\":\"https://api.example/2/tweets/search/all?max_results=");
        put!(out, "100\",\"version\":\"2.14.0\",\"retrieved_at\":\"", IsoDate(self.now_ms), "\"}}");
        put!(out, "\n");
        made_up
    }

    fn references(&mut self) -> Vec<Reference> {
        let mut references = Vec::new();
        for (relation, percent) in [("retweeted", 30), ("quoted", 15), ("replied_to", 25)] {
            // Who retweets does nothing else.
            let retweeted =
                references.first().is_some_and(|first: &Reference| first.relation == "retweeted");
            if !retweeted && self.chance.happens(percent) {
                let (id, at_ms) = self.earlier();
                let person = self.stock.person(&mut self.chance);
                references.push(Reference { relation, id, at_ms, person });
            }
        }
        references
    }

    fn include(
        &mut self,
        person: usize,
        references: &[Reference],
        media: Option<u64>,
        includes: &mut Includes,
    ) {
        includes.people.push(person);
        for reference in references {
            includes.people.push(reference.person);
            let &Reference { id, at_ms, person, .. } = reference;
            self.v2(id, at_ms, person, &[], &mut includes.tweets);
            put!(&mut includes.tweets, "},");
        }
        if let Some(media) = media {
            let out = &mut includes.media;
            put!(out, "{\"media_key\":\"3_", media, "\",\"type\":\"photo\",\"height\":2048,");
            put!(out, "\"width\":1536,\"url\":\"https://images.example/media/", media, ".jpg\"},");
        }
    }

    /// Adds a tweet without its closing brace, and returns the ID of its photo.
    fn v2(
        &mut self,
        id: u64,
        at_ms: i64,
        person: usize,
        references: &[Reference],
        out: &mut Vec<u8>,
    ) -> Option<u64> {
        let content = self.stock.content(&mut self.chance, Style::Plain, at_ms);
        put!(out, "{\"id\":\"", id, "\",\"text\":\"", &content.text[..], "\",\"author_id\":\"");
        put!(out, self.stock.people[person].id.value(), "\",\"created_at\":\"", IsoDate(at_ms));
        put!(out, "\",\"conversation_id\":\"", references.last().map_or(id, |last| last.id));
        put!(out, "\",\"edit_history_tweet_ids\":[\"", id, "\"],\"lang\":\"", content.lang);
        put!(out, "\",\"possibly_sensitive\":false,\"reply_settings\":\"everyone\",");
        put!(out, "\"public_metrics\":{\"retweet_count\":", self.chance.below(3_000));
        put!(out, ",\"reply_count\":", self.chance.below(90), ",\"like_count\":");
        put!(out, self.chance.below(9_000), ",\"quote_count\":", self.chance.below(40), "},");
        put!(out, "\"context_annotations\":[{\"domain\":{\"id\":\"46\",\"name\":\"Harbours\",");
        put!(out, "\"description\":\"Places with boats\"},\"entity\":{\"id\":\"");
        put!(out, 700_000_000_000_000_000 + self.chance.below(1_000), "\",\"name\":\"Quay\"}}]");
        self.v2_entities(&content, out);
        if !references.is_empty() {
            put!(out, ",\"referenced_tweets\":[");
            for (number, reference) in references.iter().enumerate() {
                put!(out, if number > 0 { "," } else { "" }, "{\"type\":\"", reference.relation);
                put!(out, "\",\"id\":\"", reference.id, "\"}");
            }
            put!(out, "]");
        }
        if let Some(media) = content.media {
            put!(out, ",\"attachments\":{\"media_keys\":[\"3_", media, "\"]}");
        }
        content.media
    }

    fn v2_entities(&self, content: &Content, out: &mut Vec<u8>) {
        put!(out, ",\"entities\":{\"annotations\":[]");
        if let Some(Piece { is, from, to }) = &content.tag {
            put!(out, ",\"hashtags\":[{\"start\":", *from, ",\"end\":", *to, ",\"tag\":\"");
            put!(out, self.stock.tags[*is].styled(Style::Plain), "\"}]");
        }
        if let Some(Piece { is, from, to }) = &content.mention {
            let person = &self.stock.people[*is];
            put!(out, ",\"mentions\":[{\"start\":", *from, ",\"end\":", *to, ",\"username\":\"");
            put!(out, &person.screen_name, "\",\"id\":\"", person.id.value(), "\"}]");
        }
        if let Some(Piece { is, from, to }) = &content.link {
            put!(
                out,
                ",\"urls\":[{\"start\":",
                *from,
                ",\"end\":",
                *to,
                ",\"url\":\"https://t.co/"
            );
            put!(out, *is, "\",\"expanded_url\":\"https://harbour.example/story/", *is, "\"}]");
        }
        put!(out, "}");
    }

    fn v2_errors(&mut self, out: &mut Vec<u8>) {
        if !self.chance.happens(20) {
            return;
        }
        let (id, _) = self.earlier();
        put!(out, "\"errors\":[{\"resource_type\":\"tweet\",\"resource_id\":\"", id);
        put!(out, "\",\"value\":\"", id, "\",\"parameter\":\"referenced_tweets.id\",\"title\":");
        put!(out, "\"Not Found Error\",\"type\":\"https://api.example/problems/not-found\"}],");
    }
}

fn without_comma(list: &[u8]) -> &[u8] {
    list.strip_suffix(b",").unwrap_or(list)
}
