//! Activities of GNIP and PowerTrack: the text is a `body`, the long one stands in `long_object`.

use serde::Deserialize;

use super::loose::{Flag, List, Number, One, Text};
use super::said::{short_date_ms, unescaped};
use super::v1::Entities;
use super::{Held, Holds};
use crate::base::ids::{Id, TweetId, UserId, parse_digits};
use crate::export::cover::LeftOut;
use crate::export::object::{Author, Original, TweetCounts, TweetObject, UserCounts, UserObject};

/// An activity: a post, or a share of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Activity<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    verb: Text<'a>,
    #[serde(rename = "postedTime")]
    posted_time: Text<'a>,
    body: Text<'a>,
    long_object: One<Long<'a>>,
    actor: One<Actor<'a>>,
    /// Of a share: the activity that is shared.
    object: Option<Box<Activity<'a>>>,
    #[serde(rename = "inReplyTo")]
    in_reply_to: One<Link<'a>>,
    twitter_quoted_status: Option<Box<Activity<'a>>>,
    twitter_lang: Text<'a>,
    twitter_entities: One<Entities<'a>>,
    twitter_extended_entities: One<Entities<'a>>,
    generator: One<Named<'a>>,
    #[serde(rename = "retweetCount")]
    retweet_count: Number,
    #[serde(rename = "favoritesCount")]
    favorites_count: Number,
    withheld_in_countries: List<Text<'a>>,
    withheld_copyright: Flag,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Long<'a> {
    #[serde(borrow)]
    body: Text<'a>,
    twitter_entities: One<Entities<'a>>,
    twitter_extended_entities: One<Entities<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Link<'a> {
    #[serde(borrow)]
    link: Text<'a>,
    href: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named<'a> {
    #[serde(borrow, rename = "displayName")]
    display_name: Text<'a>,
}

/// Who acts.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Actor<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    display_name: Text<'a>,
    preferred_username: Text<'a>,
    summary: Text<'a>,
    location: One<Named<'a>>,
    links: List<Link<'a>>,
    posted_time: Text<'a>,
    followers_count: Number,
    friends_count: Number,
    statuses_count: Number,
    listed_count: Number,
    verified: Flag,
    protected: Flag,
}

impl Activity<'_> {
    fn id(&self) -> Option<TweetId> {
        tagged(&self.id)
    }

    fn original(&self) -> Option<&Self> {
        self.object.as_deref().filter(|_| self.verb.as_str() == "share")
    }

    fn created_ms(&self) -> Result<i64, LeftOut> {
        let said = self.posted_time.0.as_deref().and_then(short_date_ms);
        said.or_else(|| self.id()?.created_ms()).ok_or(LeftOut::TimeUnknown)
    }

    /// The whole text, as people see it; none if the record has a part only.
    fn whole_text(&self) -> Result<String, LeftOut> {
        if let Some(long) = &self.long_object.0
            && let Some(body) = &long.body.0
        {
            return Ok(unescaped(body));
        }
        let body = self.body.0.as_deref().ok_or(LeftOut::Damaged)?;
        // Without `long_object` a long text is cut at 140 letters, and says so by its end only.
        let rest = body.rsplit_once("… https://t.co/");
        if rest.is_some_and(|(_, rest)| rest.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
            return Err(LeftOut::Truncated);
        }
        Ok(unescaped(body))
    }

    fn entities(&self) -> [Option<&Entities<'_>>; 2] {
        match &self.long_object.0 {
            Some(long) => {
                [long.twitter_entities.0.as_ref(), long.twitter_extended_entities.0.as_ref()]
            }
            None => [self.twitter_entities.0.as_ref(), self.twitter_extended_entities.0.as_ref()],
        }
    }

    fn writer(&self) -> Result<Author, LeftOut> {
        if self.withheld_copyright.is_set() || !self.withheld_in_countries.0.is_empty() {
            return Err(LeftOut::Withheld);
        }
        let actor = self.actor.0.as_ref().ok_or(LeftOut::AuthorUnknown)?;
        if actor.protected.is_set() {
            return Err(LeftOut::Protected);
        }
        actor.author()
    }

    fn object(&self, id: TweetId) -> Result<TweetObject, LeftOut> {
        let author = self.writer()?;
        let shown = self.original().unwrap_or(self);
        let retweet_of = match self.original() {
            Some(original) => Some(Original {
                id: original.id().ok_or(LeftOut::Damaged)?,
                author: original.writer()?,
                created_ms: original.created_ms()?,
            }),
            None => None,
        };
        let [entities, extended] = shown.entities();
        let quoted = self.twitter_quoted_status.as_ref().and_then(|quoted| quoted.id());
        Ok(TweetObject {
            id,
            author,
            created_ms: self.created_ms()?,
            text: shown.whole_text()?,
            lang: shown.twitter_lang.owned(),
            reply_to: self.in_reply_to.0.as_ref().and_then(|parent| ending(parent.link.as_str())),
            quote_of: quoted.filter(|_| retweet_of.is_none()),
            retweet_of,
            counts: TweetCounts {
                replies: None,
                retweets: self.retweet_count.0,
                quotes: None,
                likes: self.favorites_count.0,
            },
            hashtags: entities.map(Entities::hashtags).unwrap_or_default(),
            urls: entities.map(Entities::urls).unwrap_or_default(),
            media: extended.or(entities).map(Entities::media).unwrap_or_default(),
            source: self.generator.0.as_ref().and_then(|program| program.display_name.owned()),
        })
    }

    fn carried(&self) -> impl Iterator<Item = &Self> {
        self.original().into_iter().chain(self.twitter_quoted_status.as_deref())
    }
}

impl Holds for Activity<'_> {
    fn tweet(&self, id: TweetId) -> Held<TweetObject> {
        if self.id() == Some(id) {
            return Some(self.object(id));
        }
        self.carried().find_map(|carried| carried.tweet(id))
    }

    fn user(&self, id: UserId) -> Held<UserObject> {
        let own = self.actor.0.as_ref().filter(|actor| tagged(&actor.id) == Some(id));
        match own {
            Some(actor) => Some(actor.object()),
            None => self.carried().find_map(|carried| carried.user(id)),
        }
    }
}

impl Actor<'_> {
    fn author(&self) -> Result<Author, LeftOut> {
        let known = |text: &Text<'_>| text.owned().ok_or(LeftOut::AuthorUnknown);
        Ok(Author {
            id: tagged(&self.id).ok_or(LeftOut::AuthorUnknown)?,
            username: known(&self.preferred_username)?,
            name: known(&self.display_name)?,
        })
    }

    fn object(&self) -> Result<UserObject, LeftOut> {
        if self.protected.is_set() {
            return Err(LeftOut::Protected);
        }
        let Author { id, username, name } = self.author()?;
        Ok(UserObject {
            id,
            username,
            name,
            description: self.summary.owned(),
            location: self.location.0.as_ref().and_then(|place| place.display_name.owned()),
            url: self.links.0.iter().find_map(|link| link.href.owned()),
            created_ms: self.posted_time.0.as_deref().and_then(short_date_ms),
            counts: UserCounts {
                followers: self.followers_count.0,
                following: self.friends_count.0,
                tweets: self.statuses_count.0,
                listed: self.listed_count.0,
            },
            verified: self.verified.0,
        })
    }
}

/// The ID behind a tag, such as `tag:search.twitter.com,2005:20` or `id:twitter.com:12`.
fn tagged<I: Id>(tag: &Text<'_>) -> Option<I> {
    I::parse(tag.as_str().rsplit_once(':')?.1.as_bytes()).ok()
}

/// The ID at the end of an address.
fn ending(address: &str) -> Option<TweetId> {
    TweetId::from_value(parse_digits(address.rsplit_once('/')?.1.as_bytes()).ok()?).ok()
}
