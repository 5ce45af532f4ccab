//! Tweets and Users of v2: on pages with what they refer to beside them, or flattened, where it
//! stands inside them.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::loose::{Flag, List, Number, One, Text};
use super::said::{address, short_date_ms, unescaped};
use super::{Held, Holds};
use crate::base::ids::{Id, TweetId, UserId};
use crate::export::cover::LeftOut;
use crate::export::object::{Author, Original, TweetCounts, TweetObject, UserCounts, UserObject};

/// When the platform began to take Tweets of more than 280 letters (2023-02-08), of which `text`
/// has the beginning only.
const NOTES_SINCE_MS: i64 = 1_675_814_400_000;
/// How many letters the beginning of such a Tweet has at least.
const NOTE_BEGINNING_CHARS_MIN: usize = 200;

/// A page, or a line of a stream.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Page<'a> {
    #[serde(borrow)]
    data: Several<'a>,
    includes: One<Includes<'a>>,
}

/// Several objects, or a single one.
#[derive(Debug, Default)]
struct Several<'a>(Vec<Thing<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Several<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Several<'a>, D::Error> {
        let value = <&'de RawValue>::deserialize(input)?.get();
        let several = match value.as_bytes().first() {
            Some(b'[') => serde_json::from_str(value),
            Some(b'{') => serde_json::from_str(value).map(|one| vec![one]),
            _ => Ok(Vec::new()),
        };
        several.map(Several).map_err(D::Error::custom)
    }
}

/// What a page carries beside its own objects.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Includes<'a> {
    #[serde(borrow)]
    tweets: List<Thing<'a>>,
    users: List<Thing<'a>>,
    media: List<Media<'a>>,
}

/// A Tweet, which has a `text`, or a User, which has a `username`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Thing<'a> {
    id: Number,
    #[serde(borrow)]
    created_at: Text<'a>,
    entities: One<Entities<'a>>,
    public_metrics: One<Metrics>,
    withheld: One<Withheld>,

    text: Text<'a>,
    note_tweet: One<Note<'a>>,
    author_id: Number,
    /// Who wrote it; only flattened.
    author: Option<Box<Thing<'a>>>,
    lang: Text<'a>,
    source: Text<'a>,
    /// What it refers to; all there if flattened.
    referenced_tweets: List<Thing<'a>>,
    /// How another refers to it.
    #[serde(rename = "type")]
    how: Text<'a>,
    attachments: One<Attachments<'a>>,
    edit_history_tweet_ids: List<Number>,

    username: Text<'a>,
    name: Text<'a>,
    description: Text<'a>,
    location: Text<'a>,
    url: Text<'a>,
    verified: Flag,
    protected: Flag,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Note<'a> {
    #[serde(borrow)]
    text: Text<'a>,
    entities: One<Entities<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Withheld {}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entities<'a> {
    #[serde(borrow)]
    hashtags: List<Hashtag<'a>>,
    urls: List<Link<'a>>,
    /// Of a User.
    url: One<UserLinks<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Hashtag<'a> {
    #[serde(borrow)]
    tag: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Link<'a> {
    #[serde(borrow)]
    expanded_url: Text<'a>,
    url: Text<'a>,
    /// It leads to a picture or film of the Tweet.
    media_key: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UserLinks<'a> {
    #[serde(borrow)]
    urls: List<Link<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Attachments<'a> {
    #[serde(borrow)]
    media_keys: List<Text<'a>>,
    /// Only flattened.
    media: List<Media<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Media<'a> {
    #[serde(borrow)]
    media_key: Text<'a>,
    url: Text<'a>,
    preview_image_url: Text<'a>,
}

/// The public counts of a Tweet or a User.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Metrics {
    reply_count: Number,
    retweet_count: Number,
    quote_count: Number,
    like_count: Number,
    followers_count: Number,
    following_count: Number,
    tweet_count: Number,
    listed_count: Number,
}

static NOTHING: Includes<'static> =
    Includes { tweets: List(Vec::new()), users: List(Vec::new()), media: List(Vec::new()) };

impl<'a> Includes<'a> {
    fn user(&self, id: Option<u64>) -> Option<&Thing<'a>> {
        self.users.0.iter().find(|user| id.is_some() && user.id.0 == id)
    }

    fn tweet(&self, id: Option<u64>) -> Option<&Thing<'a>> {
        self.tweets.0.iter().find(|tweet| id.is_some() && tweet.id.0 == id)
    }

    fn media(&self, tweet: &Thing<'_>) -> Vec<String> {
        let Some(attachments) = &tweet.attachments.0 else { return Vec::new() };
        let of_key = |key: &Text<'_>| self.media.0.iter().find(|media| media.media_key == *key);
        let beside = attachments.media_keys.0.iter().filter_map(of_key);
        let media = attachments.media.0.iter().chain(beside);
        media
            .filter_map(|media| address([&media.url.0, &media.preview_image_url.0]))
            .map(str::to_owned)
            .collect()
    }
}

impl<'a> Thing<'a> {
    fn is_tweet(&self) -> bool {
        self.text.0.is_some()
    }

    fn is_user(&self) -> bool {
        self.username.0.is_some() && !self.is_tweet()
    }

    fn check_public(&self) -> Result<(), LeftOut> {
        match () {
            () if self.protected.is_set() => Err(LeftOut::Protected),
            () if self.withheld.0.is_some() => Err(LeftOut::Withheld),
            () => Ok(()),
        }
    }

    /// Who wrote the Tweet, if that account may be shown.
    fn writer(&self, includes: &Includes<'_>) -> Result<Author, LeftOut> {
        let author = self.author.as_deref().or_else(|| includes.user(self.author_id.0));
        let author = author.ok_or(LeftOut::AuthorUnknown)?;
        author.check_public()?;
        author.as_author()
    }

    fn as_author(&self) -> Result<Author, LeftOut> {
        let known = |text: &Text<'_>| text.owned().ok_or(LeftOut::AuthorUnknown);
        Ok(Author {
            id: id(self.id).ok_or(LeftOut::AuthorUnknown)?,
            username: known(&self.username)?,
            name: known(&self.name)?,
        })
    }

    fn created_ms(&self) -> Result<i64, LeftOut> {
        let said = self.created_at.0.as_deref().and_then(short_date_ms);
        let told = || id::<TweetId>(self.id)?.created_ms();
        said.or_else(told).ok_or(LeftOut::TimeUnknown)
    }

    /// The whole text, as people see it; none if the record has a part only.
    fn whole_text(&self, created_ms: i64) -> Result<String, LeftOut> {
        if let Some(note) = &self.note_tweet.0
            && let Some(text) = &note.text.0
        {
            return Ok(unescaped(text));
        }
        let text = unescaped(self.text.as_str());
        if created_ms >= NOTES_SINCE_MS && is_beginning(&text) {
            return Err(LeftOut::Truncated);
        }
        Ok(text)
    }

    fn entities(&self) -> Option<&Entities<'a>> {
        let of_note = self.note_tweet.0.as_ref().and_then(|note| note.entities.0.as_ref());
        of_note.or(self.entities.0.as_ref())
    }

    /// What it refers to in that way: what is known of it, and all of it where that is there.
    fn refers<'t>(
        &'t self,
        how: &str,
        includes: &'t Includes<'a>,
    ) -> Option<(TweetId, Option<&'t Thing<'a>>)> {
        let reference =
            self.referenced_tweets.0.iter().find(|reference| reference.how.as_str() == how)?;
        let whole = Some(reference).filter(|reference| reference.is_tweet());
        Some((id(reference.id)?, whole.or_else(|| includes.tweet(reference.id.0))))
    }

    fn tweet_object(&self, includes: &Includes<'a>) -> Result<TweetObject, LeftOut> {
        self.check_public()?;
        let author = self.writer(includes)?;
        let newest = self.edit_history_tweet_ids.0.last().and_then(|newest| newest.0);
        if newest.is_some_and(|newest| Some(newest) != self.id.0) {
            return Err(LeftOut::Superseded);
        }
        let (shown, retweet_of) = match self.refers("retweeted", includes) {
            None => (self, None),
            // Its own text is a part of the original's.
            Some((_, None)) => return Err(LeftOut::Truncated),
            Some((id, Some(original))) => {
                original.check_public()?;
                let (author, created_ms) = (original.writer(includes)?, original.created_ms()?);
                (original, Some(Original { id, author, created_ms }))
            }
        };
        let metrics = self.public_metrics.0.unwrap_or_default();
        let entities = shown.entities();
        let hashtags = entities.iter().flat_map(|entities| &entities.hashtags.0);
        let links = entities.iter().flat_map(|entities| &entities.urls.0);
        let links = links.filter(|link| link.media_key.0.is_none());
        let created_ms = self.created_ms()?;
        let shown_ms = retweet_of.as_ref().map_or(created_ms, |original| original.created_ms);
        Ok(TweetObject {
            id: id(self.id).ok_or(LeftOut::Damaged)?,
            author,
            created_ms,
            text: shown.whole_text(shown_ms)?,
            lang: shown.lang.owned(),
            reply_to: self.refers("replied_to", includes).map(|(id, _)| id),
            quote_of: self
                .refers("quoted", includes)
                .map(|(id, _)| id)
                .filter(|_| retweet_of.is_none()),
            retweet_of,
            counts: TweetCounts {
                replies: metrics.reply_count.0,
                retweets: metrics.retweet_count.0,
                quotes: metrics.quote_count.0,
                likes: metrics.like_count.0,
            },
            hashtags: hashtags.filter_map(|hashtag| hashtag.tag.owned()).collect(),
            urls: links.filter_map(Link::leads_to).map(str::to_owned).collect(),
            media: includes.media(shown),
            source: self.source.owned(),
        })
    }

    fn user_object(&self) -> Result<UserObject, LeftOut> {
        self.check_public()?;
        let Author { id, username, name } = self.as_author()?;
        let links = self.entities.0.as_ref().and_then(|entities| entities.url.0.as_ref());
        let link = links.and_then(|links| links.urls.0.first()?.leads_to());
        let metrics = self.public_metrics.0.unwrap_or_default();
        Ok(UserObject {
            id,
            username,
            name,
            description: self.description.owned(),
            location: self.location.owned(),
            url: link.map(str::to_owned).or_else(|| self.url.owned()),
            created_ms: self.created_at.0.as_deref().and_then(short_date_ms),
            counts: UserCounts {
                followers: metrics.followers_count.0,
                following: metrics.following_count.0,
                tweets: metrics.tweet_count.0,
                listed: metrics.listed_count.0,
            },
            verified: self.verified.0,
        })
    }

    /// The Tweet of that ID: this one, or one that is all there inside it.
    fn find_tweet(&self, id: TweetId, includes: &Includes<'a>) -> Held<TweetObject> {
        if self.is_tweet() && self.id.0 == Some(id.value()) {
            return Some(self.tweet_object(includes));
        }
        self.referenced_tweets.0.iter().find_map(|other| other.find_tweet(id, includes))
    }

    /// The User of that ID: this one, or who wrote this or what is all there inside it.
    fn find_user(&self, id: UserId) -> Held<UserObject> {
        if self.is_user() && self.id.0 == Some(id.value()) {
            return Some(self.user_object());
        }
        let author = self.author.as_deref().filter(|author| author.id.0 == Some(id.value()));
        match author {
            Some(author) => Some(author.user_object()),
            None => self.referenced_tweets.0.iter().find_map(|other| other.find_user(id)),
        }
    }
}

impl Link<'_> {
    fn leads_to(&self) -> Option<&str> {
        address([&self.expanded_url.0, &self.url.0])
    }
}

impl Holds for Thing<'_> {
    fn tweet(&self, id: TweetId) -> Held<TweetObject> {
        self.find_tweet(id, &NOTHING)
    }

    fn user(&self, id: UserId) -> Held<UserObject> {
        self.find_user(id)
    }
}

impl Holds for Page<'_> {
    fn tweet(&self, id: TweetId) -> Held<TweetObject> {
        let includes = self.includes.0.as_ref().unwrap_or(&NOTHING);
        let mut things = self.data.0.iter().chain(&includes.tweets.0);
        things.find_map(|thing| thing.find_tweet(id, includes))
    }

    fn user(&self, id: UserId) -> Held<UserObject> {
        let includes = self.includes.0.as_ref().unwrap_or(&NOTHING);
        let mut things = self.data.0.iter().chain(&includes.users.0).chain(&includes.tweets.0);
        things.find_map(|thing| thing.find_user(id))
    }
}

fn id<I: Id>(number: Number) -> Option<I> {
    I::from_value(number.0?).ok()
}

/// Whether a text ends as the beginnings of longer ones do: in dots and a link to the whole.
fn is_beginning(text: &str) -> bool {
    let is_cut = text.rsplit_once("… https://t.co/").is_some_and(|(_, rest)| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    is_cut && text.chars().count() >= NOTE_BEGINNING_CHARS_MIN
}
