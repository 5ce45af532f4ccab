//! What may be shown of one Tweet or User, whatever form its record had in the source.

use serde::{Deserialize, Serialize};

use crate::base::ids::{IdKind, TweetId, UserId};

/// A public Tweet or User, whole and unaltered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Object {
    /// A Tweet with its author.
    Tweet(Box<TweetObject>),
    /// A user account.
    User(Box<UserObject>),
}

impl Object {
    /// Which kind of ID it has.
    pub fn kind(&self) -> IdKind {
        match self {
            Object::Tweet(_) => IdKind::Tweet,
            Object::User(_) => IdKind::User,
        }
    }
}

/// Who wrote a Tweet, as of when its record was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The account.
    pub id: UserId,
    /// Its name without the `@`.
    pub username: String,
    /// Its full name, as people see it.
    pub name: String,
}

/// A Tweet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TweetObject {
    /// The Tweet.
    pub id: TweetId,
    /// Who posted it: of a retweet whoever retweeted.
    pub author: Author,
    /// When, in milliseconds UTC.
    pub created_ms: i64,
    /// The full text, unaltered; of a retweet the original's.
    pub text: String,
    /// The language that the platform found, such as `en`.
    pub lang: Option<String>,
    /// The Tweet that it answers.
    pub reply_to: Option<TweetId>,
    /// The Tweet that it quotes.
    pub quote_of: Option<TweetId>,
    /// The Tweet that it repeats; then `text` is that one's.
    pub retweet_of: Option<Original>,
    /// How often it was answered, repeated, quoted and liked.
    pub counts: TweetCounts,
    /// Its hashtags without the `#`, in the order of the text.
    pub hashtags: Vec<String>,
    /// Where its links lead.
    pub urls: Vec<String>,
    /// The addresses of its pictures and films.
    pub media: Vec<String>,
    /// With what it was posted, such as `Twitter Web App`.
    pub source: Option<String>,
}

/// The Tweet that a retweet repeats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// The Tweet.
    pub id: TweetId,
    /// Who wrote it.
    pub author: Author,
    /// When, in milliseconds UTC.
    pub created_ms: i64,
}

/// The public counts of a Tweet; `None`: its record does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TweetCounts {
    /// How many Tweets answer it.
    pub replies: Option<u64>,
    /// How many repeat it.
    pub retweets: Option<u64>,
    /// How many quote it.
    pub quotes: Option<u64>,
    /// How many people like it.
    pub likes: Option<u64>,
}

/// A user account, as of when its record was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserObject {
    /// The account.
    pub id: UserId,
    /// Its name without the `@`.
    pub username: String,
    /// Its full name, as people see it.
    pub name: String,
    /// What it says of itself.
    pub description: Option<String>,
    /// Where it says it is.
    pub location: Option<String>,
    /// The address that it names.
    pub url: Option<String>,
    /// When it was made, in milliseconds UTC.
    pub created_ms: Option<i64>,
    /// Its public counts.
    pub counts: UserCounts,
    /// Whether the platform calls it verified.
    pub verified: Option<bool>,
}

/// The public counts of an account; `None`: its record does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCounts {
    /// How many follow it.
    pub followers: Option<u64>,
    /// How many it follows.
    pub following: Option<u64>,
    /// How many Tweets it posted.
    pub tweets: Option<u64>,
    /// On how many lists it stands.
    pub listed: Option<u64>,
}

impl TweetObject {
    /// What it is, in a word: `original`, `reply`, `quote` or `retweet`.
    pub fn form(&self) -> &'static str {
        match self {
            TweetObject { retweet_of: Some(_), .. } => "retweet",
            TweetObject { quote_of: Some(_), .. } => "quote",
            TweetObject { reply_to: Some(_), .. } => "reply",
            _ => "original",
        }
    }
}
