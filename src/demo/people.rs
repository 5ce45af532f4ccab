//! The made-up people: each has one profile for the whole run, written out once in every shape.

use super::chance::Chance;
use super::json::{IsoDate, LongDate, Style, Text, put};
use super::words::{LOCATIONS, ORNAMENTS, SENTENCES, SYLLABLES};
use crate::base::ids::{Id, TweetId, UserId};

/// How many people there are.
const PEOPLE: u64 = 600;

/// When the first and the last of those with a snowflake joined, in milliseconds UTC:
/// January 2014, when user IDs became snowflakes, to April 2018.
const JOINED_MS: std::ops::Range<i64> = 1_388_534_400_000..1_525_046_400_000;

/// One person with their profile as each format shows it.
pub(super) struct Person {
    pub(super) id: UserId,
    pub(super) screen_name: String,
    pub(super) name: Text,
    escaped: Vec<u8>,
    plain: Vec<u8>,
    /// The profile of a v2 response.
    pub(super) v2: Vec<u8>,
}

impl Person {
    /// The profile as v1.1 shows it.
    pub(super) fn v1(&self, style: Style) -> &[u8] {
        match style {
            Style::Escaped => &self.escaped,
            Style::Plain => &self.plain,
        }
    }
}

/// Everybody.
pub(super) fn everybody(chance: &mut Chance) -> Vec<Person> {
    (0..PEOPLE).map(|number| person(number, chance)).collect()
}

struct Profile {
    id: u64,
    joined_ms: i64,
    name: Text,
    screen_name: String,
    location: Text,
    description: Text,
    followers: u64,
    following: u64,
    tweets: u64,
    pinned: Option<u64>,
}

fn person(number: u64, chance: &mut Chance) -> Person {
    let profile = profile(number, chance);
    Person {
        id: UserId::from_value(profile.id).expect("made-up user IDs are valid"),
        screen_name: profile.screen_name.clone(),
        name: profile.name.clone(),
        escaped: profile.v1(Style::Escaped),
        plain: profile.v1(Style::Plain),
        v2: profile.v2(),
    }
}

fn profile(number: u64, chance: &mut Chance) -> Profile {
    let span_ms = (JOINED_MS.end - JOINED_MS.start).unsigned_abs();
    // Half of the people are from the time when accounts were numbered one by one.
    let (id, joined_ms) = if number.is_multiple_of(2) {
        let hundreds = chance.below(4_800_000) / [1, 10, 1_000, 100_000][number as usize / 2 % 4];
        let id = hundreds * PEOPLE + number + 12;
        (id, 1_143_000_000_000 + (id * 80).cast_signed())
    } else {
        let joined_ms = JOINED_MS.start + chance.below(span_ms).cast_signed();
        (snowflake(joined_ms, chance), joined_ms)
    };
    let mut name = String::new();
    for _ in 0..2 + chance.below(2) {
        name.push_str(chance.pick::<&str>(SYLLABLES));
    }
    let screen_name = format!("{name}_{number}");
    let first = name.remove(0).to_ascii_uppercase();
    let name = format!("{first}{name}{}", chance.pick(ORNAMENTS));
    let pinned = chance.happens(30).then(|| snowflake(JOINED_MS.end, chance));
    Profile {
        id,
        joined_ms,
        name: Text::new(&name),
        screen_name,
        location: Text::new(chance.pick::<&str>(LOCATIONS)),
        description: Text::new(chance.pick(SENTENCES).1),
        followers: chance.below(5_000_000) >> chance.below(20),
        following: chance.below(4_000),
        tweets: chance.below(100_000),
        pinned,
    }
}

/// A snowflake of that millisecond.
pub(super) fn snowflake(time_ms: i64, chance: &mut Chance) -> u64 {
    let first = TweetId::first_of_ms(time_ms).expect("made-up times lie in this century").value();
    first | chance.below(1 << 22)
}

impl Profile {
    fn v1(&self, style: Style) -> Vec<u8> {
        let mut buffer = Vec::with_capacity(2_048);
        let out = &mut buffer;
        let slash = if style == Style::Escaped { "\\/" } else { "/" };
        put!(out, "{\"id\":", self.id, ",\"id_str\":\"", self.id, "\",\"name\":\"");
        put!(out, self.name.styled(style), "\",\"screen_name\":\"", &self.screen_name);
        put!(out, "\",\"location\":\"", self.location.styled(style), "\",\"description\":\"");
        put!(out, self.description.styled(style), "\",\"url\":\"https:", slash, slash, "t.co");
        put!(out, slash, "p", self.id % 99_991, "\",\"entities\":{\"url\":{\"urls\":[{\"url\":");
        put!(out, "\"https:", slash, slash, "t.co", slash, "p", self.id % 99_991);
        put!(out, "\",\"expanded_url\":\"http:", slash, slash, &self.screen_name, ".example");
        put!(out, "\",\"display_url\":\"", &self.screen_name, ".example\",\"indices\":[0,19]}]},");
        put!(out, "\"description\":{\"urls\":[]}},\"protected\":false,\"followers_count\":");
        put!(out, self.followers, ",\"friends_count\":", self.following, ",\"listed_count\":");
        put!(out, self.followers / 91, ",\"created_at\":\"", LongDate(self.joined_ms));
        put!(out, "\",\"favourites_count\":", self.tweets / 3, ",\"utc_offset\":null,");
        put!(out, "\"time_zone\":null,\"geo_enabled\":true,\"verified\":false,");
        put!(out, "\"statuses_count\":", self.tweets, ",\"lang\":null,");
        put!(out, "\"contributors_enabled\":false,\"is_translator\":false,");
        put!(out, "\"is_translation_enabled\":false,\"profile_background_color\":\"C0DEED\",");
        for (field, file) in [
            ("profile_background_image_url", "images/themes/theme1/bg.png"),
            ("profile_image_url", "profile_images/normal.jpg"),
            ("profile_banner_url", "profile_banners/1500x500"),
        ] {
            put!(out, "\"", field, "\":\"https:", slash, slash, "images.example", slash);
            for part in file.split_inclusive('/') {
                match part.strip_suffix('/') {
                    Some(part) => put!(out, part, slash),
                    None => put!(out, part),
                }
            }
            put!(out, "\",");
        }
        put!(out, "\"profile_background_tile\":false,\"profile_link_color\":\"1DA1F2\",");
        put!(out, "\"profile_sidebar_border_color\":\"C0DEED\",");
        put!(out, "\"profile_sidebar_fill_color\":\"DDEEF6\",\"profile_text_color\":\"333333\",");
        put!(out, "\"profile_use_background_image\":true,\"has_extended_profile\":false,");
        put!(out, "\"default_profile\":true,\"default_profile_image\":false,\"following\":null,");
        put!(out, "\"follow_request_sent\":null,\"notifications\":null,");
        put!(out, "\"translator_type\":\"none\",\"withheld_in_countries\":[]}");
        buffer
    }

    fn v2(&self) -> Vec<u8> {
        let mut buffer = Vec::with_capacity(1_024);
        let out = &mut buffer;
        put!(out, "{\"id\":\"", self.id, "\",\"name\":\"", self.name.styled(Style::Plain));
        put!(out, "\",\"username\":\"", &self.screen_name, "\",\"created_at\":\"");
        put!(out, IsoDate(self.joined_ms), "\",\"description\":\"");
        put!(out, self.description.styled(Style::Plain), "\",\"location\":\"");
        put!(out, self.location.styled(Style::Plain), "\",\"public_metrics\":{");
        put!(out, "\"followers_count\":", self.followers, ",\"following_count\":");
        put!(out, self.following, ",\"tweet_count\":", self.tweets, ",\"listed_count\":");
        put!(out, self.followers / 91, "},\"protected\":false,\"verified\":false,");
        if let Some(pinned) = self.pinned {
            put!(out, "\"pinned_tweet_id\":\"", pinned, "\",");
        }
        put!(out, "\"profile_image_url\":\"https://images.example/profile_images/normal.jpg\",");
        put!(out, "\"url\":\"https://t.co/p", self.id % 99_991, "\"}");
        buffer
    }
}
