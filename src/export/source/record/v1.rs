//! Tweets and Users of v1.1, in its three spellings of a text: classic, extended, compatible.

use serde::Deserialize;

use super::loose::{Flag, List, Number, One, Text};
use super::said::{address, label, long_date_ms, unescaped};
use super::{Held, Holds};
use crate::base::ids::{Id, TweetId, UserId};
use crate::export::cover::LeftOut;
use crate::export::object::{Author, Original, TweetCounts, TweetObject, UserCounts, UserObject};

/// A Tweet.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tweet<'a> {
    id: Number,
    id_str: Number,
    #[serde(borrow)]
    created_at: Text<'a>,
    text: Text<'a>,
    full_text: Text<'a>,
    truncated: Flag,
    extended_tweet: One<Extended<'a>>,
    user: One<User<'a>>,
    lang: Text<'a>,
    source: Text<'a>,
    in_reply_to_status_id: Number,
    in_reply_to_status_id_str: Number,
    quoted_status_id: Number,
    quoted_status_id_str: Number,
    retweeted_status: Option<Box<Tweet<'a>>>,
    quoted_status: Option<Box<Tweet<'a>>>,
    reply_count: Number,
    retweet_count: Number,
    quote_count: Number,
    favorite_count: Number,
    entities: One<Entities<'a>>,
    extended_entities: One<Entities<'a>>,
    withheld_in_countries: List<Text<'a>>,
    withheld_copyright: Flag,
    edit_history: One<EditHistory>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Extended<'a> {
    #[serde(borrow)]
    full_text: Text<'a>,
    entities: One<Entities<'a>>,
    extended_entities: One<Entities<'a>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct EditHistory {
    edit_tweet_ids: List<Number>,
}

/// What stands in a text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Entities<'a> {
    #[serde(borrow)]
    pub(super) hashtags: List<Hashtag<'a>>,
    pub(super) urls: List<Link<'a>>,
    pub(super) media: List<Media<'a>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Hashtag<'a> {
    #[serde(borrow)]
    text: Text<'a>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Link<'a> {
    #[serde(borrow)]
    expanded_url: Text<'a>,
    url: Text<'a>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Media<'a> {
    #[serde(borrow)]
    media_url_https: Text<'a>,
    media_url: Text<'a>,
}

/// A user account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct User<'a> {
    id: Number,
    id_str: Number,
    #[serde(borrow)]
    name: Text<'a>,
    screen_name: Text<'a>,
    description: Text<'a>,
    location: Text<'a>,
    url: Text<'a>,
    created_at: Text<'a>,
    entities: One<UserEntities<'a>>,
    followers_count: Number,
    friends_count: Number,
    statuses_count: Number,
    listed_count: Number,
    verified: Flag,
    protected: Flag,
    withheld_in_countries: List<Text<'a>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct UserEntities<'a> {
    #[serde(borrow)]
    url: One<UserLinks<'a>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct UserLinks<'a> {
    #[serde(borrow)]
    urls: List<Link<'a>>,
}

impl<'a> Entities<'a> {
    /// The hashtags in their order.
    pub(super) fn hashtags(&self) -> Vec<String> {
        self.hashtags.0.iter().filter_map(|tag| tag.text.owned()).collect()
    }

    /// Where the links lead.
    pub(super) fn urls(&self) -> Vec<String> {
        self.urls.0.iter().filter_map(Link::leads_to).map(str::to_owned).collect()
    }

    /// The addresses of the pictures and films.
    pub(super) fn media(&self) -> Vec<String> {
        let addresses = self.media.0.iter();
        let addresses =
            addresses.filter_map(|media| address([&media.media_url_https.0, &media.media_url.0]));
        addresses.map(str::to_owned).collect()
    }
}

impl Link<'_> {
    fn leads_to(&self) -> Option<&str> {
        address([&self.expanded_url.0, &self.url.0])
    }
}

impl Tweet<'_> {
    fn id(&self) -> Option<TweetId> {
        either(self.id_str, self.id)
    }

    /// The whole text, as people see it; none if the record has a part only.
    fn whole_text(&self) -> Result<String, LeftOut> {
        let extended = self.extended_tweet.0.as_ref();
        let full = extended.and_then(|extended| extended.full_text.0.as_deref());
        if let Some(full) = full.or(self.full_text.0.as_deref()) {
            return Ok(unescaped(full));
        }
        match &self.text.0 {
            Some(text) if !self.truncated.is_set() => Ok(unescaped(text)),
            Some(_) => Err(LeftOut::Truncated),
            None => Err(LeftOut::Damaged),
        }
    }

    /// What stands in the whole text; the pictures are listed apart, where there are several.
    fn entities(&self) -> [Option<&Entities<'_>>; 2] {
        match &self.extended_tweet.0 {
            Some(extended) => [extended.entities.0.as_ref(), extended.extended_entities.0.as_ref()],
            None => [self.entities.0.as_ref(), self.extended_entities.0.as_ref()],
        }
    }

    fn created_ms(&self) -> Result<i64, LeftOut> {
        let said = self.created_at.0.as_deref().and_then(long_date_ms);
        said.or_else(|| self.id()?.created_ms()).ok_or(LeftOut::TimeUnknown)
    }

    /// Whether it may be shown, as far as the record tells.
    fn check_public(&self) -> Result<&User<'_>, LeftOut> {
        let user = self.user.0.as_ref().ok_or(LeftOut::AuthorUnknown)?;
        user.check_public()?;
        if self.withheld_copyright.is_set() || !self.withheld_in_countries.0.is_empty() {
            return Err(LeftOut::Withheld);
        }
        Ok(user)
    }

    fn object(&self, id: TweetId) -> Result<TweetObject, LeftOut> {
        let author = self.check_public()?.author()?;
        let edits = self.edit_history.0.as_ref().map(|history| &history.edit_tweet_ids.0);
        if edits.and_then(|edits| edits.last()?.0).is_some_and(|newest| newest != id.value()) {
            return Err(LeftOut::Superseded);
        }
        let shown = self.retweeted_status.as_deref().unwrap_or(self);
        let retweet_of = match &self.retweeted_status {
            Some(original) => Some(Original {
                id: original.id().ok_or(LeftOut::Damaged)?,
                author: original.check_public()?.author()?,
                created_ms: original.created_ms()?,
            }),
            None => None,
        };
        let quoted = self.quoted_status.as_ref().and_then(|quoted| quoted.id());
        let quote_of = either(self.quoted_status_id_str, self.quoted_status_id).or(quoted);
        let [entities, extended] = shown.entities();
        let media = extended.or(entities).map(Entities::media).unwrap_or_default();
        Ok(TweetObject {
            id,
            author,
            created_ms: self.created_ms()?,
            text: shown.whole_text()?,
            lang: shown.lang.owned(),
            reply_to: either(self.in_reply_to_status_id_str, self.in_reply_to_status_id),
            // A retweet quotes nothing itself: what it repeats does.
            quote_of: quote_of.filter(|_| retweet_of.is_none()),
            retweet_of,
            counts: TweetCounts {
                replies: self.reply_count.0,
                retweets: self.retweet_count.0,
                quotes: self.quote_count.0,
                likes: self.favorite_count.0,
            },
            hashtags: entities.map(Entities::hashtags).unwrap_or_default(),
            urls: entities.map(Entities::urls).unwrap_or_default(),
            media,
            source: self.source.0.as_deref().and_then(label),
        })
    }

    /// The tweets that it carries, nested again.
    fn carried(&self) -> impl Iterator<Item = &Self> {
        self.retweeted_status.iter().chain(&self.quoted_status).map(|carried| &**carried)
    }
}

impl Holds for Tweet<'_> {
    fn tweet(&self, id: TweetId) -> Held<TweetObject> {
        if self.id() == Some(id) {
            return Some(self.object(id));
        }
        self.carried().find_map(|carried| carried.tweet(id))
    }

    fn user(&self, id: UserId) -> Held<UserObject> {
        let own = self.user.0.as_ref().filter(|user| user.id() == Some(id));
        match own {
            Some(user) => Some(user.object(id)),
            None => self.carried().find_map(|carried| carried.user(id)),
        }
    }
}

impl User<'_> {
    fn id(&self) -> Option<UserId> {
        either(self.id_str, self.id)
    }

    fn check_public(&self) -> Result<(), LeftOut> {
        match () {
            () if self.protected.is_set() => Err(LeftOut::Protected),
            () if !self.withheld_in_countries.0.is_empty() => Err(LeftOut::Withheld),
            () => Ok(()),
        }
    }

    fn author(&self) -> Result<Author, LeftOut> {
        let known = |text: &Text<'_>| text.owned().ok_or(LeftOut::AuthorUnknown);
        Ok(Author {
            id: self.id().ok_or(LeftOut::AuthorUnknown)?,
            username: known(&self.screen_name)?,
            name: known(&self.name)?,
        })
    }

    fn object(&self, id: UserId) -> Result<UserObject, LeftOut> {
        self.check_public()?;
        let Author { username, name, .. } = self.author()?;
        let links = self.entities.0.as_ref().and_then(|entities| entities.url.0.as_ref());
        let link = links.and_then(|links| links.urls.0.first()?.leads_to());
        Ok(UserObject {
            id,
            username,
            name,
            description: self.description.owned(),
            location: self.location.owned(),
            url: link.map(str::to_owned).or_else(|| self.url.owned()),
            created_ms: self.created_at.0.as_deref().and_then(long_date_ms),
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

/// The ID of two spellings; the digits count, because a number may have been rounded.
fn either<I: Id>(digits: Number, number: Number) -> Option<I> {
    I::from_value(digits.0.or(number.0)?).ok()
}
