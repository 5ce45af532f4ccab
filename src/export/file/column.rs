//! The columns of the tables of Tweets and Users, the same in every format that has tables.

use std::borrow::Cow;

use super::Job;
use crate::base::date;
use crate::base::ids::{Id, TweetId};
use crate::export::object::{TweetObject, UserObject};

/// A column: how it is called, how wide it is shown, in characters, and what stands in it.
pub(super) struct Column<T> {
    pub(super) name: &'static str,
    pub(super) width: u16,
    pub(super) value: for<'a> fn(&'a T, &Job<'_>) -> Value<'a>,
}

/// What stands in a cell.
pub(super) enum Value<'a> {
    /// Nothing.
    Empty,
    /// The digits of an ID, which no program may take for a number.
    Id(u64),
    /// What people wrote, which no program may take for a formula.
    Text(Cow<'a, str>),
    /// Words of ours.
    Word(Cow<'a, str>),
    /// The address at which the object is shown.
    Permalink(String),
    /// Another address.
    Link(String),
    /// A number.
    Count(u64),
}

const fn column<T>(
    name: &'static str,
    width: u16,
    value: for<'a> fn(&'a T, &Job<'_>) -> Value<'a>,
) -> Column<T> {
    Column { name, width, value }
}

/// The table of Tweets. Beside each ID stands an address that holds it as well, which no
/// spreadsheet rounds.
pub(super) const TWEETS: &[Column<TweetObject>] = &[
    column("tweet_id", 21, |tweet, _| Value::Id(tweet.id.value())),
    column("permalink", 30, |tweet, job| {
        Value::Permalink(job.cover.platform.tweet_link(&tweet.author.username, tweet.id))
    }),
    column("created_at", 27, |tweet, job| time(Some(tweet.created_ms), job)),
    column("username", 18, |tweet, _| text(&tweet.author.username)),
    column("name", 24, |tweet, _| text(&tweet.author.name)),
    column("text", 80, |tweet, _| text(&tweet.text)),
    column("lang", 6, |tweet, _| optional(tweet.lang.as_ref())),
    column("kind", 9, |tweet, _| Value::Word(tweet.form().into())),
    column("author_id", 21, |tweet, _| Value::Id(tweet.author.id.value())),
    column("author_link", 30, |tweet, job| {
        Value::Link(job.cover.platform.user_link(tweet.author.id))
    }),
    column("reply_to_id", 21, |tweet, _| id(tweet.reply_to)),
    column("reply_to_link", 30, |tweet, job| other_link(tweet.reply_to, job)),
    column("quote_of_id", 21, |tweet, _| id(tweet.quote_of)),
    column("quote_of_link", 30, |tweet, job| other_link(tweet.quote_of, job)),
    column("retweet_of_id", 21, |tweet, _| id(tweet.retweet_of.as_ref().map(|of| of.id))),
    column("retweet_of_link", 30, |tweet, job| match &tweet.retweet_of {
        Some(of) => Value::Link(job.cover.platform.tweet_link(&of.author.username, of.id)),
        None => Value::Empty,
    }),
    column("retweet_of_created_at", 27, |tweet, job| {
        time(tweet.retweet_of.as_ref().map(|of| of.created_ms), job)
    }),
    column("retweet_of_username", 18, |tweet, _| {
        optional(tweet.retweet_of.as_ref().map(|of| &of.author.username))
    }),
    column("retweet_of_name", 24, |tweet, _| {
        optional(tweet.retweet_of.as_ref().map(|of| &of.author.name))
    }),
    column("replies", 9, |tweet, _| count(tweet.counts.replies)),
    column("retweets", 9, |tweet, _| count(tweet.counts.retweets)),
    column("quotes", 9, |tweet, _| count(tweet.counts.quotes)),
    column("likes", 9, |tweet, _| count(tweet.counts.likes)),
    column("hashtags", 24, |tweet, _| list(&tweet.hashtags)),
    column("urls", 30, |tweet, _| list(&tweet.urls)),
    column("media", 30, |tweet, _| list(&tweet.media)),
    column("source", 20, |tweet, _| optional(tweet.source.as_ref())),
];

/// The table of Users.
pub(super) const USERS: &[Column<UserObject>] = &[
    column("user_id", 21, |user, _| Value::Id(user.id.value())),
    column("permalink", 30, |user, job| Value::Permalink(job.cover.platform.user_link(user.id))),
    column("username", 18, |user, _| text(&user.username)),
    column("name", 24, |user, _| text(&user.name)),
    column("description", 80, |user, _| optional(user.description.as_ref())),
    column("location", 24, |user, _| optional(user.location.as_ref())),
    column("url", 30, |user, _| optional(user.url.as_ref())),
    column("created_at", 27, |user, job| time(user.created_ms, job)),
    column("followers", 10, |user, _| count(user.counts.followers)),
    column("following", 10, |user, _| count(user.counts.following)),
    column("tweets", 10, |user, _| count(user.counts.tweets)),
    column("listed", 9, |user, _| count(user.counts.listed)),
    column("verified", 9, |user, _| match user.verified {
        Some(true) => Value::Word("yes".into()),
        Some(false) => Value::Word("no".into()),
        None => Value::Empty,
    }),
];

fn text(text: &str) -> Value<'_> {
    Value::Text(text.into())
}

fn optional(said: Option<&String>) -> Value<'_> {
    said.map_or(Value::Empty, |said| text(said))
}

fn time<'a>(time_ms: Option<i64>, job: &Job<'_>) -> Value<'a> {
    time_ms.map_or(Value::Empty, |ms| Value::Word(date::in_zone(ms, &job.zone).into()))
}

fn id<'a>(id: Option<TweetId>) -> Value<'a> {
    id.map_or(Value::Empty, |id| Value::Id(id.value()))
}

/// The address of a Tweet of which only the ID is known.
fn other_link<'a>(id: Option<TweetId>, job: &Job<'_>) -> Value<'a> {
    id.map_or(Value::Empty, |id| Value::Link(job.cover.platform.tweet_link("i", id)))
}

fn count<'a>(count: Option<u64>) -> Value<'a> {
    count.map_or(Value::Empty, Value::Count)
}

/// Several texts without spaces of their own.
fn list(texts: &[String]) -> Value<'_> {
    if texts.is_empty() { Value::Empty } else { Value::Text(texts.join(" ").into()) }
}
