//! Format 1, the v1.1 tweet: `id_str` (or `id`, before November 2010) with text and `user`.
//! Retweeted and quoted tweets are embedded, nested again; replies are referenced.

use super::harvest::Harvest;
use super::id;
use super::key::Key;
use super::record::Record;
use super::stated;
use crate::base::ids::IdKind;
use crate::pipeline::reason::Reason;
use crate::pipeline::wants::Scope;

/// How many levels of tweets in tweets are looked at; real ones have two.
const CARRIED_LEVELS_MAX: u8 = 8;

pub(super) fn recognise(record: &Record<'_>) -> bool {
    (record.has(Key::IdStr) || record.has(Key::Id))
        && (record.has(Key::Text) || record.has(Key::FullText))
        && record.is_object(Key::User)
        && !record.has(Key::Recipient)
}

pub(super) fn extract(record: &Record<'_>, harvest: &mut Harvest) {
    tweet(record, Scope::Own, CARRIED_LEVELS_MAX, harvest);
}

/// Brings in the tweet itself and what it carries, if the scope reaches there.
fn tweet(record: &Record<'_>, scope: Scope, levels: u8, harvest: &mut Harvest) {
    let own = id::required(id::of_keys(record, Key::Id, Key::IdStr));
    let own = stated::at(own, record.value(Key::CreatedAt), harvest);
    if let Err(reason @ (Reason::IdsDisagree | Reason::TimesDisagree)) = own {
        harvest.flag(reason);
        return;
    }
    let user = (harvest.wants_authors() || harvest.wants(IdKind::User, scope))
        .then(|| record.object(Key::User))
        .flatten();
    let author = user.map(|user| id::of_keys(&user, Key::Id, Key::IdStr));
    let author_id = author.and_then(|author| author.ok()).and_then(|author| author.id());
    harvest.id(IdKind::Tweet, scope, own, author_id);
    harvest.id(IdKind::User, scope, author.unwrap_or(Ok(id::Pair::Absent)), None);
    if harvest.reaches(Scope::Embedded) && levels > 0 {
        for carried in [Key::RetweetedStatus, Key::QuotedStatus] {
            if let Some(carried) = record.object(carried) {
                tweet(&carried, Scope::Embedded, levels - 1, harvest);
            }
        }
    }
    if harvest.reaches(Scope::Referenced) {
        referenced(record, harvest);
    }
}

/// Brings in what the tweet only names.
fn referenced(record: &Record<'_>, harvest: &mut Harvest) {
    for (kind, number, text) in [
        (IdKind::Tweet, Key::InReplyToStatusId, Key::InReplyToStatusIdStr),
        (IdKind::Tweet, Key::QuotedStatusId, Key::QuotedStatusIdStr),
        (IdKind::User, Key::InReplyToUserId, Key::InReplyToUserIdStr),
    ] {
        harvest.id(kind, Scope::Referenced, id::of_keys(record, number, text), None);
    }
    if let Some(history) = record.object(Key::EditHistory) {
        for edit in history.elements(Key::EditTweetIds) {
            harvest.id(IdKind::Tweet, Scope::Referenced, id::pair(None, Some(edit.bytes())), None);
        }
    }
    let Some(entities) = record.object(Key::Entities) else { return };
    for media in entities.records(Key::Media).flatten() {
        let source = id::of_keys(&media, Key::SourceStatusId, Key::SourceStatusIdStr);
        harvest.id(IdKind::Tweet, Scope::Referenced, source, None);
    }
}
