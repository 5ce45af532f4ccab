//! Format 11, the archive that a user gets of the own account: scripts that begin
//! `window.YTD.<name>.part<n> = [`, each record wrapped in an object that names what it is.
//!
//! Own are tweets and likes, the owner, followers and followed, and messages. A deleted tweet is a
//! removal. What else an archive holds (devices, advertisements, settings) has no ID of ours.

use super::harvest::Harvest;
use super::id;
use super::key::Key;
use super::record::Record;
use super::v1_tweet;
use super::value::Value;
use crate::base::ids::IdKind;
use crate::pipeline::reason::Reason;
use crate::pipeline::wants::Scope;

/// How a script of an archive begins.
pub(super) const SCRIPT: &[u8] = b"window.";

pub(super) fn recognise(record: &Record<'_>) -> bool {
    let wrappers = [Key::Tweet, Key::Like, Key::Follower, Key::Following, Key::Account];
    wrappers.into_iter().any(|key| record.is_object(key)) && !record.has(Key::RestId)
        || record.is_object(Key::DmConversation)
        || is_bare(record)
}

/// A tweet without its author, as in archives of 2019, which have no wrappers.
fn is_bare(record: &Record<'_>) -> bool {
    let others = [Key::User, Key::AuthorId, Key::Recipient, Key::UnderscoreType];
    record.has(Key::IdStr) && record.has(Key::FullText) && !record.has_any(&others)
}

pub(super) fn extract(record: &Record<'_>, harvest: &mut Harvest) {
    if is_bare(record) {
        return tweet(record, harvest);
    }
    if let Some(inner) = record.object(Key::Tweet) {
        return tweet(&inner, harvest);
    }
    if let Some(like) = record.inside(Key::Like) {
        return one(IdKind::Tweet, like, "\"tweetId\"", harvest);
    }
    for key in [Key::Follower, Key::Following, Key::Account] {
        if let Some(user) = record.inside(key) {
            return one(IdKind::User, user, "\"accountId\"", harvest);
        }
    }
    match record.inside(Key::DmConversation) {
        Some(conversation) => messages(conversation, harvest),
        None => harvest.hold_other_kind(),
    }
}

fn tweet(record: &Record<'_>, harvest: &mut Harvest) {
    if record.has(Key::DeletedAt) {
        let deleted = id::of_keys(record, Key::Id, Key::IdStr);
        match deleted.map(|pair| pair.id().or_else(|| header_id(record))) {
            Ok(Some(id)) => harvest.delete(IdKind::Tweet, id),
            Ok(None) => {}
            Err(reason) => return harvest.flag(reason),
        }
        return harvest.flag(Reason::Removal);
    }
    if !record.has(Key::IdStr) && !record.has(Key::Id) && header_id(record).is_some() {
        // A header of a tweet, which stands among the tweets in full.
        return harvest.hold_other_kind();
    }
    v1_tweet::extract(record, harvest);
}

/// The ID in the header of a tweet, which spells its key otherwise.
fn header_id(record: &Record<'_>) -> Option<u64> {
    let named = record.whole().at_path(&["\"tweet_id\""]);
    id::pair(None, named.map(Value::bytes)).ok()?.id()
}

/// Brings in the one ID of an object.
fn one(kind: IdKind, object: Value<'_>, key: &str, harvest: &mut Harvest) {
    let named = object.at_path(&[key]).map(Value::bytes);
    harvest.id(kind, Scope::Own, id::required(id::pair(None, named)), None);
}

/// Brings in the messages of a conversation; their people are only named.
fn messages(conversation: Value<'_>, harvest: &mut Harvest) {
    harvest.hold_other_kind();
    let messages = conversation.at_path(&["\"messages\""]);
    for event in messages.into_iter().flat_map(Value::elements) {
        let created = event.members().find(|(name, _)| *name == b"\"messageCreate\"");
        let Some((_, message)) = created else { continue };
        let named = |key| id::pair(None, message.at_path(&[key]).map(Value::bytes));
        let own = id::required(named("\"id\""));
        harvest.id(IdKind::Dm, Scope::Own, own, None);
        for person in ["\"senderId\"", "\"recipientId\""] {
            harvest.id(IdKind::User, Scope::Referenced, named(person), None);
        }
    }
}
