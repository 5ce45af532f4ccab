//! One v2 object, told by what it holds: a tweet, a user, a DM event, or counts and lists, which
//! hold no ID to hand out. Used by every v2 format; not a format of its own.

use super::harvest::Harvest;
use super::id;
use super::key::Key;
use super::record::Record;
use super::stated;
use super::v2_dm;
use crate::base::ids::IdKind;
use crate::pipeline::reason::Reason;
use crate::pipeline::wants::Scope;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Tweet,
    User,
    DmEvent,
    /// Counts, lists: known, but without IDs of ours.
    Other,
    Unknown,
}

pub(super) fn what(record: &Record<'_>) -> What {
    if record.has(Key::EventType) {
        What::DmEvent
    } else if record.has(Key::Id) && record.has(Key::Text) {
        What::Tweet
    } else if record.has(Key::Id) && record.has(Key::Username) {
        What::User
    } else if record.has(Key::TweetCount) || record.has(Key::MemberCount) {
        What::Other
    } else {
        What::Unknown
    }
}

/// Brings in the object and what it names.
pub(super) fn extract(record: &Record<'_>, scope: Scope, harvest: &mut Harvest) {
    match what(record) {
        What::Tweet => tweet(record, scope, harvest),
        What::User => {
            harvest.id(IdKind::User, scope, id::required(of_key(record, Key::Id)), None);
        }
        What::DmEvent => v2_dm::event(record, scope, harvest),
        What::Other => harvest.hold_other_kind(),
        What::Unknown => harvest.flag(Reason::Unknown),
    }
}

fn tweet(record: &Record<'_>, scope: Scope, harvest: &mut Harvest) {
    let own =
        stated::at(id::required(of_key(record, Key::Id)), record.value(Key::CreatedAt), harvest);
    if own == Err(Reason::TimesDisagree) {
        return harvest.flag(Reason::TimesDisagree);
    }
    let author = of_key(record, Key::AuthorId);
    let author_id = author.ok().and_then(|author| author.id());
    harvest.id(IdKind::Tweet, scope, own, author_id);
    harvest.id(IdKind::User, scope, author, None);
    if !harvest.reaches(Scope::Embedded) {
        return;
    }
    referenced_tweets(record, harvest);
    if harvest.reaches(Scope::Referenced) {
        for edit in record.elements(Key::EditHistoryTweetIds) {
            harvest.id(IdKind::Tweet, Scope::Referenced, id::pair(None, Some(edit.bytes())), None);
        }
        let replied_to = of_key(record, Key::InReplyToUserId);
        harvest.id(IdKind::User, Scope::Referenced, replied_to, None);
    }
}

/// Brings in `referenced_tweets[]`: embedded where flattening made full objects of them.
pub(super) fn referenced_tweets(record: &Record<'_>, harvest: &mut Harvest) {
    for other in record.records(Key::ReferencedTweets).flatten() {
        let scope = if other.has(Key::Text) { Scope::Embedded } else { Scope::Referenced };
        let author = of_key(&other, Key::AuthorId);
        let author_id = author.ok().and_then(|author| author.id());
        harvest.id(IdKind::Tweet, scope, of_key(&other, Key::Id), author_id);
        harvest.id(IdKind::User, scope, author, None);
    }
}

/// The ID of a key that has one spelling only.
pub(super) fn of_key(record: &Record<'_>, key: Key) -> Result<id::Pair, Reason> {
    id::pair(None, record.value(key))
}
