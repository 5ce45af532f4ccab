//! Format 15, the CSV of other tools, told by the names in its header: twarc json2csv, TweetSets,
//! Hydrator, TAGS, 4CAT, archives of information operations. A table of users has a `username`
//! or `screen_name` and an `id`, but no author and no text.

use super::header::{Columns, Header};

/// Names of own Tweet IDs, the surest first.
const TWEET: &[&str] = &["id_str", "tweet_id", "tweetid", "status_id", "tweet_id_str", "id"];

/// Names of own User IDs, the surest first.
const USER: &[&str] = &[
    "user_id_str",
    "user_id",
    "from_user_id_str",
    "from_user_id",
    "author_id",
    "userid",
    "user.id_str",
    "user.id",
];

/// Names of Tweet IDs that are only named.
const REFERENCED: &[&str] = &[
    "retweet_or_quote_id",
    "retweet_id",
    "quote_id",
    "quoted_status_id",
    "quoted_status_id_str",
    "retweet_tweetid",
    "quoted_tweet_tweetid",
    "in_reply_to_status_id",
    "in_reply_to_status_id_str",
    "in_reply_to_tweet_id",
    "in_reply_to_tweetid",
];

/// Names of links to own tweets, which are enough to tell a table of tweets.
const TWEET_LINK: &[&str] = &["tweet_url", "status_url", "tweet_link", "permalink"];

/// Names of links that are to own tweets if there are own Tweet IDs, too.
const LINK: &[&str] = &["link", "url"];

/// Names of columns that only tables of tweets have.
const TEXT: &[&str] = &["text", "full_text", "body", "tweet_text", "tweet"];

/// Whether this looks at the cells of a column of that name.
pub(in crate::pipeline::extract) fn is_read(name: &str) -> bool {
    [TWEET, USER, REFERENCED, TWEET_LINK, LINK, &["created_at"]]
        .iter()
        .any(|names| names.contains(&name))
}

pub(in crate::pipeline::extract) fn recognise(header: &Header) -> bool {
    let columns = columns(header);
    // One column named `id` alone is a list, whose kind must be declared.
    let kinded = header.first(&["tweet_id", "tweetid", "status_id", "tweet_id_str"]).is_some()
        || columns.user.is_some();
    (columns.tweet.is_some() || columns.user.is_some()) && (header.names.len() > 1 || kinded)
        || columns.link.is_some()
}

pub(in crate::pipeline::extract) fn columns(header: &Header) -> Columns {
    let user = header.first(USER);
    let named = header.has("username") || header.has("screen_name");
    if named && user.is_none() && header.first(TEXT).is_none() {
        let user = header.first(&["id_str", "id"]);
        return Columns { user, ..Columns::default() };
    }
    let tweet = header.first(TWEET);
    let tweet_number = header.first(&["id"]).filter(|_| header.has("id_str"));
    Columns {
        tweet,
        tweet_number,
        user,
        link: header.first(TWEET_LINK).or(tweet.and_then(|_| header.first(LINK))),
        time: header.first(&["created_at"]),
        referenced: header.every(REFERENCED),
    }
}
