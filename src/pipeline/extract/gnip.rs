//! Format 7, GNIP and PowerTrack Activity Streams: IDs are the ends of tags such as
//! `tag:search.twitter.com,2005:T`; a `delete` verb takes one away.

use super::harvest::Harvest;
use super::id::{self, Pair};
use super::key::Key;
use super::record::{Record, unescaped, unquoted};
use super::stated;
use crate::base::ids::IdKind;
use crate::pipeline::reason::Reason;
use crate::pipeline::wants::Scope;

pub(super) fn recognise(record: &Record<'_>) -> bool {
    record.has(Key::Verb)
        && (record.is_text(Key::ObjectType, "activity") || record.is_object(Key::Object))
}

pub(super) fn extract(record: &Record<'_>, harvest: &mut Harvest) {
    if record.is_text(Key::Verb, "delete") {
        return delete(record, harvest);
    }
    let author = record
        .object(Key::Actor)
        .map_or(Ok(Pair::Absent), |actor| tagged(actor.value(Key::Id), USER_TAGS));
    let own = id::required(tagged(record.value(Key::Id), TWEET_TAGS));
    let own = stated::at(own, record.value(Key::PostedTime), harvest);
    if own == Err(Reason::TimesDisagree) {
        return harvest.flag(Reason::TimesDisagree);
    }
    harvest.id(IdKind::Tweet, Scope::Own, own, author.ok().and_then(Pair::id));
    harvest.id(IdKind::User, Scope::Own, author, None);
    if harvest.reaches(Scope::Embedded) {
        if record.is_text(Key::Verb, "share") {
            embedded(record.object(Key::Object), harvest);
        }
        embedded(record.object(Key::TwitterQuotedStatus), harvest);
    }
    if harvest.reaches(Scope::Referenced)
        && let Some(parent) = record.object(Key::InReplyTo)
    {
        let parent = parent.value(Key::Link).map_or(Ok(Pair::Absent), link);
        harvest.id(IdKind::Tweet, Scope::Referenced, parent, None);
    }
}

/// What a tweet's ID follows; an embedded one of an activity is spelled `object:`.
const TWEET_TAGS: &[&str] = &[
    "tag:search.twitter.com,2005:",
    "tag:search.x.com,2005:",
    "object:search.twitter.com,2005:",
    "object:search.x.com,2005:",
];

/// What a user's ID follows.
const USER_TAGS: &[&str] = &["id:twitter.com:", "id:x.com:"];

fn delete(record: &Record<'_>, harvest: &mut Harvest) {
    let object = record.object(Key::Object);
    let named = object.and_then(|object| object.value(Key::Id)).or(record.value(Key::Id));
    match tagged(named, TWEET_TAGS) {
        Ok(pair) => {
            if let Some(id) = pair.id() {
                harvest.delete(IdKind::Tweet, id);
            }
            harvest.flag(Reason::Control);
        }
        Err(reason) => harvest.flag(reason),
    }
}

fn embedded(activity: Option<Record<'_>>, harvest: &mut Harvest) {
    let Some(activity) = activity else { return };
    let author = activity
        .object(Key::Actor)
        .map_or(Ok(Pair::Absent), |actor| tagged(actor.value(Key::Id), USER_TAGS));
    let tweet = tagged(activity.value(Key::Id), TWEET_TAGS);
    harvest.id(IdKind::Tweet, Scope::Embedded, tweet, author.ok().and_then(Pair::id));
    harvest.id(IdKind::User, Scope::Embedded, author, None);
}

/// The ID behind one of `tags`; absent if there is no value.
fn tagged(value: Option<&[u8]>, tags: &[&str]) -> Result<Pair, Reason> {
    let Some(value) = value else { return Ok(Pair::Absent) };
    let text = unquoted(value).ok_or(Reason::NotAnId)?;
    let digits = tags.iter().find_map(|tag| text.strip_prefix(tag.as_bytes()));
    id::of_text(digits.ok_or(Reason::NotAnId)?).map(Pair::Agreed)
}

/// The ID in the URL of a tweet, whose slashes may be spelled with escapes.
fn link(value: &[u8]) -> Result<Pair, Reason> {
    let inside = unquoted(value).ok_or(Reason::NotAnId)?;
    let text = unescaped(inside).ok_or(Reason::NotAnId)?;
    id::of_url(text.as_bytes()).map(Pair::Agreed).ok_or(Reason::NotAnId)
}
