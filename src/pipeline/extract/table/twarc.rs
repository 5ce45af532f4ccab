//! Format 14, the CSV of twarc-csv: `id`, `author_id` and `conversation_id`.

use super::header::{Columns, Header};

/// Names of Tweet IDs that are only named.
const REFERENCED: &[&str] = &[
    "referenced_tweets.replied_to.id",
    "referenced_tweets.retweeted.id",
    "referenced_tweets.quoted.id",
];

/// Whether this looks at the cells of a column of that name.
pub(in crate::pipeline::extract) fn is_read(name: &str) -> bool {
    ["id", "author_id", "created_at"].contains(&name) || REFERENCED.contains(&name)
}

pub(in crate::pipeline::extract) fn recognise(header: &Header) -> bool {
    header.has("id") && header.has("author_id") && header.has("conversation_id")
}

pub(in crate::pipeline::extract) fn columns(header: &Header) -> Columns {
    Columns {
        tweet: header.first(&["id"]),
        tweet_number: None,
        user: header.first(&["author_id"]),
        link: None,
        time: header.first(&["created_at"]),
        referenced: header.every(REFERENCED),
    }
}
