//! Made-up tweets in the shape of v1.1, as its search and its stream send them.

use super::content::{Content, Piece};
use super::json::{LongDate, Style, put};
use super::tweets::{MadeUp, Maker};
use super::words::PROGRAMS;
use crate::base::ids::Id;

/// What a tweet is to the record that it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Own,
    Retweeted,
    Quoted,
}

/// Which interface sends the tweet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flavour {
    /// The search: `full_text`.
    Search,
    /// The stream: `text`, and `extended_tweet` where that is cut.
    Stream,
}

struct Tweet {
    id: u64,
    at_ms: i64,
    person: usize,
    role: Role,
    flavour: Flavour,
    style: Style,
}

impl Maker {
    /// Adds one tweet and a line feed to `out`.
    pub fn v1_line(&mut self, out: &mut Vec<u8>) -> MadeUp {
        let (made_up, person) = self.next_own();
        let (id, at_ms) = (made_up.id.value(), self.now_ms);
        let flavour = if self.chance.happens(50) { Flavour::Stream } else { Flavour::Search };
        let style = if self.chance.happens(60) { Style::Escaped } else { Style::Plain };
        self.v1(&Tweet { id, at_ms, person, role: Role::Own, flavour, style }, out);
        out.push(b'\n');
        made_up
    }

    fn v1(&mut self, tweet: &Tweet, out: &mut Vec<u8>) {
        let retweets = tweet.role == Role::Own && self.chance.happens(35);
        let quotes = !retweets && tweet.role != Role::Quoted && self.chance.happens(20);
        let replies = !retweets && self.chance.happens(25);
        let content = self.stock.content(&mut self.chance, tweet.style, tweet.at_ms);
        put!(out, "{\"created_at\":\"", LongDate(tweet.at_ms), "\",\"id\":", tweet.id);
        put!(out, ",\"id_str\":\"", tweet.id, "\",");
        let cut = tweet.flavour == Flavour::Stream && content.chars > 140;
        self.v1_text(tweet, &content, cut, out);
        let slash = slash(tweet.style);
        let (program, address) = *self.chance.pick(PROGRAMS);
        put!(out, "\"source\":\"<a href=\\\"");
        for (number, part) in address.split('/').enumerate() {
            put!(out, if number > 0 { slash } else { "" }, part);
        }
        put!(out, "\\\" rel=\\\"nofollow\\\">", program, "<", slash, "a>\",");
        self.v1_reply(replies, out);
        put!(out, "\"user\":", self.stock.people[tweet.person].v1(tweet.style), ",");
        self.v1_place(tweet.style, out);
        if cut {
            self.v1_extended(tweet, &content, out);
        }
        if retweets {
            put!(out, "\"retweeted_status\":");
            self.v1_carried(tweet, Role::Retweeted, out);
            put!(out, ",");
        }
        put!(out, "\"is_quote_status\":", if quotes { "true" } else { "false" }, ",");
        if quotes {
            self.v1_quoted(tweet, out);
        }
        self.v1_end(tweet, &content, out);
    }

    fn v1_text(&self, tweet: &Tweet, content: &Content, cut: bool, out: &mut Vec<u8>) {
        let field = if tweet.flavour == Flavour::Search { "full_text" } else { "text" };
        put!(out, "\"", field, "\":\"");
        if cut {
            let ellipsis = if tweet.style == Style::Escaped { "\\u2026" } else { "…" };
            put!(out, &content.text[..content.cut_bytes], ellipsis, "\",\"truncated\":true,");
            put!(out, "\"display_text_range\":[0,", content.cut_chars + 1, "],");
            put!(out, "\"entities\":{\"hashtags\":[],\"urls\":[],\"user_mentions\":[],");
            put!(out, "\"symbols\":[]},");
        } else {
            put!(out, &content.text[..], "\",\"truncated\":false,\"display_text_range\":[0,");
            put!(out, content.chars, "],");
            self.v1_entities(tweet, content, out);
        }
    }

    fn v1_entities(&self, tweet: &Tweet, content: &Content, out: &mut Vec<u8>) {
        put!(out, "\"entities\":{\"hashtags\":[");
        if let Some(Piece { is, from, to }) = &content.tag {
            put!(out, "{\"text\":\"", self.stock.tags[*is].styled(tweet.style));
            put!(out, "\",\"indices\":[", *from, ",", *to, "]}");
        }
        put!(out, "],\"symbols\":[],\"user_mentions\":[");
        if let Some(Piece { is, from, to }) = &content.mention {
            let person = &self.stock.people[*is];
            put!(out, "{\"screen_name\":\"", &person.screen_name, "\",\"name\":\"");
            put!(out, person.name.styled(tweet.style), "\",\"id\":", person.id.value());
            put!(out, ",\"id_str\":\"", person.id.value(), "\",\"indices\":[", *from, ",", *to);
            put!(out, "]}");
        }
        put!(out, "],\"urls\":[");
        if let Some(Piece { is, from, to }) = &content.link {
            let slash = slash(tweet.style);
            put!(out, "{\"url\":\"https:", slash, slash, "t.co", slash, *is);
            put!(out, "\",\"expanded_url\":\"https:", slash, slash, "harbour.example", slash);
            put!(out, "story", slash, *is, "?id=20&amp;page=2\",\"display_url\":");
            put!(out, "\"harbour.example", slash, "story\",\"indices\":[", *from, ",", *to, "]}");
        }
        put!(out, "]");
        if let Some(media) = content.media {
            put!(out, ",\"media\":[");
            v1_media(tweet, media, out);
            put!(out, "]},\"extended_entities\":{\"media\":[");
            v1_media(tweet, media, out);
            put!(out, "]");
        }
        put!(out, "},");
    }

    fn v1_reply(&mut self, replies: bool, out: &mut Vec<u8>) {
        if !replies {
            put!(out, "\"in_reply_to_status_id\":null,\"in_reply_to_status_id_str\":null,");
            put!(out, "\"in_reply_to_user_id\":null,\"in_reply_to_user_id_str\":null,");
            put!(out, "\"in_reply_to_screen_name\":null,");
            return;
        }
        let (id, _) = self.earlier();
        let person = self.stock.person(&mut self.chance);
        let person = &self.stock.people[person];
        put!(out, "\"in_reply_to_status_id\":", id, ",\"in_reply_to_status_id_str\":\"", id);
        put!(out, "\",\"in_reply_to_user_id\":", person.id.value());
        put!(out, ",\"in_reply_to_user_id_str\":\"", person.id.value());
        put!(out, "\",\"in_reply_to_screen_name\":\"", &person.screen_name, "\",");
    }

    fn v1_place(&mut self, style: Style, out: &mut Vec<u8>) {
        if !self.chance.happens(8) {
            put!(out, "\"geo\":null,\"coordinates\":null,\"place\":null,\"contributors\":null,");
            return;
        }
        let degrees = self.chance.below(80);
        let fraction = 100_000 + self.chance.below(900_000);
        let slash = slash(style);
        put!(out, "\"geo\":{\"type\":\"Point\",\"coordinates\":[", degrees, ".", fraction);
        put!(out, ",-", degrees / 2, ".", fraction, "]},\"coordinates\":{\"type\":\"Point\",");
        put!(out, "\"coordinates\":[-", degrees / 2, ".", fraction, ",", degrees, ".", fraction);
        put!(out, "]},\"place\":{\"id\":\"07d9c", fraction, "000\",\"url\":\"https:", slash, slash);
        put!(out, "api.example", slash, "1.1", slash, "geo", slash, "id", slash, fraction);
        put!(out, ".json\",\"place_type\":\"city\",\"name\":\"Port Quillon\",\"full_name\":");
        put!(out, "\"Port Quillon, Orrin\",\"country_code\":\"XQ\",\"country\":\"Orrin\",");
        put!(out, "\"contained_within\":[],\"bounding_box\":{\"type\":\"Polygon\",");
        put!(out, "\"coordinates\":[[[-1.5e0,", degrees, ".0],[-1.25,", degrees, ".0],[-1.25,");
        put!(out, degrees, ".5],[-1.5E0,", degrees, ".5]]]},\"attributes\":{}},");
        put!(out, "\"contributors\":null,");
    }

    fn v1_extended(&self, tweet: &Tweet, content: &Content, out: &mut Vec<u8>) {
        put!(out, "\"extended_tweet\":{\"full_text\":\"", &content.text[..]);
        put!(out, "\",\"display_text_range\":[0,", content.chars, "],");
        self.v1_entities(tweet, content, out);
        out.pop();
        put!(out, "},");
    }

    fn v1_carried(&mut self, tweet: &Tweet, role: Role, out: &mut Vec<u8>) -> u64 {
        let (id, at_ms) = self.earlier();
        let person = self.stock.person(&mut self.chance);
        self.v1(&Tweet { id, at_ms, person, role, ..*tweet }, out);
        id
    }

    fn v1_quoted(&mut self, tweet: &Tweet, out: &mut Vec<u8>) {
        put!(out, "\"quoted_status\":");
        let id = self.v1_carried(tweet, Role::Quoted, out);
        let slash = slash(tweet.style);
        put!(out, ",\"quoted_status_id\":", id, ",\"quoted_status_id_str\":\"", id);
        put!(out, "\",\"quoted_status_permalink\":{\"url\":\"https:", slash, slash, "t.co", slash);
        put!(out, id % 1_000_000_007, "\",\"expanded\":\"https:", slash, slash);
        put!(out, "tweets.example", slash, "status", slash, id, "\",\"display\":\"tweets\"},");
    }

    fn v1_end(&mut self, tweet: &Tweet, content: &Content, out: &mut Vec<u8>) {
        if tweet.flavour == Flavour::Stream {
            put!(out, "\"quote_count\":", self.chance.below(20), ",\"reply_count\":");
            put!(out, self.chance.below(50), ",");
        }
        put!(out, "\"retweet_count\":", self.chance.below(3_000), ",\"favorite_count\":");
        put!(out, self.chance.below(9_000), ",\"favorited\":false,\"retweeted\":false,");
        if content.link.is_some() {
            put!(out, "\"possibly_sensitive\":false,");
        }
        if tweet.flavour == Flavour::Stream {
            put!(out, "\"filter_level\":\"low\",");
        }
        put!(out, "\"lang\":\"", content.lang, "\"");
        if tweet.flavour == Flavour::Stream && tweet.role == Role::Own {
            put!(out, ",\"timestamp_ms\":\"", tweet.at_ms.cast_unsigned(), "\"");
        }
        put!(out, "}");
    }
}

fn v1_media(tweet: &Tweet, media: u64, out: &mut Vec<u8>) {
    let slash = slash(tweet.style);
    put!(out, "{\"id\":", media, ",\"id_str\":\"", media, "\",\"indices\":[0,23],");
    put!(out, "\"media_url_https\":\"https:", slash, slash, "images.example", slash, "media");
    put!(out, slash, media, ".jpg\",\"type\":\"photo\",\"sizes\":{");
    put!(out, "\"thumb\":{\"w\":150,\"h\":150,\"resize\":\"crop\"},");
    put!(out, "\"large\":{\"w\":1536,\"h\":2048,\"resize\":\"fit\"}},");
    put!(out, "\"source_status_id\":", tweet.id, ",\"source_status_id_str\":\"", tweet.id, "\"}");
}

fn slash(style: Style) -> &'static str {
    if style == Style::Escaped { "\\/" } else { "/" }
}
