//! A record of a source as objects: what may be shown of the Tweets and Users that stand in it.
//! One file for each family of forms; where records lie, and who may see them, is not known here.
//!
//! A record either gives the whole object, with everything that has to be shown of it, or the
//! reason why it does not: nothing is filled in by halves.

mod gnip;
mod loose;
mod said;
mod v1;
mod v2;

#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::base::ids::{TweetId, UserId};
use crate::export::cover::LeftOut;
use crate::export::object::{TweetObject, UserObject};

/// What a record has of an ID: nothing, an object, or a reason why it may not be shown.
pub(super) type Held<T> = Option<Result<T, LeftOut>>;

/// A record that was understood.
pub(super) trait Holds {
    /// The Tweet of that ID.
    fn tweet(&self, id: TweetId) -> Held<TweetObject>;
    /// The User of that ID.
    fn user(&self, id: UserId) -> Held<UserObject>;
}

/// The names of the forms of which objects can be made, as reports of strips have them.
pub(super) const FORMS: &[&str] =
    &["v1-tweet", "v1-page", "v2-flat", "v2-stream", "v2-page", "gnip"];

/// The signs by which forms are told apart.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Signs {
    text: Option<IgnoredAny>,
    full_text: Option<IgnoredAny>,
    user: Option<IgnoredAny>,
    recipient: Option<IgnoredAny>,
    author_id: Option<IgnoredAny>,
    username: Option<IgnoredAny>,
    id_str: Option<IgnoredAny>,
    data: Option<IgnoredAny>,
    verb: Option<IgnoredAny>,
    statuses: Option<IgnoredAny>,
    results: Option<IgnoredAny>,
    for_user: Option<IgnoredAny>,
    message: Option<IgnoredAny>,
}

/// A message of a stream for several users.
#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    message: &'a serde_json::value::RawValue,
}

/// Understands a record.
///
/// # Errors
/// [`LeftOut::Damaged`] if it is no whole JSON object; [`LeftOut::NotInSource`] if it is of no form
/// that has objects, as rows of tables and bare IDs are.
pub(super) fn understand<'a>(record: &'a [u8]) -> Result<Box<dyn Holds + 'a>, LeftOut> {
    if record.first() != Some(&b'{') {
        return Err(LeftOut::NotInSource);
    }
    let signs: Signs = parse(record)?;
    let has_text = signs.text.is_some() || signs.full_text.is_some();
    if signs.for_user.is_some() && signs.message.is_some() {
        let wrapped: Wrapped<'a> = parse(record)?;
        understand(wrapped.message.get().as_bytes())
    } else if has_text && signs.user.is_some() && signs.recipient.is_none() {
        Ok(Box::new(parse::<v1::Tweet<'a>>(record)?))
    } else if signs.statuses.is_some() || signs.results.is_some() {
        Ok(Box::new(parse::<Page<'a>>(record)?))
    } else if signs.data.is_some() {
        Ok(Box::new(parse::<v2::Page<'a>>(record)?))
    } else if signs.verb.is_some() {
        Ok(Box::new(parse::<gnip::Activity<'a>>(record)?))
    } else if has_text && signs.author_id.is_some()
        || signs.username.is_some() && signs.id_str.is_none()
    {
        Ok(Box::new(parse::<v2::Thing<'a>>(record)?))
    } else {
        Err(LeftOut::NotInSource)
    }
}

/// The ID of the one object that a page is about.
pub(super) fn id_of_page(record: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct About {
        data: Own,
    }
    #[derive(Deserialize)]
    struct Own {
        id: loose::Number,
    }
    parse::<About>(record).ok()?.data.id.0
}

fn parse<'a, T: Deserialize<'a>>(record: &'a [u8]) -> Result<T, LeftOut> {
    serde_json::from_slice(record).map_err(|_| LeftOut::Damaged)
}

/// A page of v1.1 search, or of premium search, which may hold activities.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Page<'a> {
    #[serde(borrow)]
    statuses: Vec<&'a serde_json::value::RawValue>,
    results: Vec<&'a serde_json::value::RawValue>,
}

impl Page<'_> {
    fn find<T>(&self, find: impl Fn(&dyn Holds) -> Held<T>) -> Held<T> {
        self.statuses
            .iter()
            .chain(&self.results)
            .find_map(|element| find(&*understand(element.get().as_bytes()).ok()?))
    }
}

impl Holds for Page<'_> {
    fn tweet(&self, id: TweetId) -> Held<TweetObject> {
        self.find(|element| element.tweet(id))
    }

    fn user(&self, id: UserId) -> Held<UserObject> {
        self.find(|element| element.user(id))
    }
}
