//! Format 12, captures of the site's GraphQL answers: results with `rest_id` and `legacy`, told by
//! `__typename`, however deep they stand in a timeline. A tombstone has no ID.

use super::harvest::Harvest;
use super::id::{self, Pair};
use super::key::Key;
use super::record::Record;
use super::stated;
use super::value::Value;
use crate::base::ids::IdKind;
use crate::pipeline::reason::Reason;
use crate::pipeline::wants::Scope;

/// How many levels of an answer are looked at; real ones have about 20.
const LEVELS_MAX: u8 = 64;

pub(super) fn recognise(record: &Record<'_>) -> bool {
    if is_result(record) {
        return true;
    }
    let holds_results = |key| {
        let value = record.value(key).filter(|value| value.starts_with(b"{"));
        value.is_some_and(|value| memchr::memmem::find(value, b"\"__typename\"").is_some())
    };
    let is_v2 = || record.object(Key::Data).is_some_and(|data| data.has(Key::Id));
    [Key::TweetResults, Key::UserResults, Key::ItemContent, Key::Content]
        .into_iter()
        .any(holds_results)
        || holds_results(Key::Data) && !is_v2()
}

fn is_result(record: &Record<'_>) -> bool {
    record.has(Key::RestId) && (record.has(Key::Legacy) || record.has(Key::Typename))
}

pub(super) fn extract(record: &Record<'_>, harvest: &mut Harvest) {
    visit(record.whole(), LEVELS_MAX, harvest);
}

/// Brings in every result in `value`.
fn visit(value: Value<'_>, levels: u8, harvest: &mut Harvest) {
    if !matches!(value.bytes().first(), Some(b'{' | b'[')) {
        return;
    }
    let Some(levels) = levels.checked_sub(1) else { return harvest.flag(Reason::TooDeep) };
    value.elements().for_each(|element| visit(element, levels, harvest));
    let Some(record) = value.object() else { return };
    match what(&record) {
        What::Tweet => tweet(&record, Scope::Own, levels, harvest),
        What::User => user(&record, Scope::Own, harvest),
        What::Gone => harvest.hold_other_kind(),
        What::Around => {
            value.members().for_each(|(_, inner)| visit(inner, levels, harvest));
        }
    }
}

/// What an object of an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Tweet,
    User,
    /// A tweet that is no more, or that nobody may see.
    Gone,
    /// Something around them.
    Around,
}

fn what(record: &Record<'_>) -> What {
    let is_named = |name| record.is_text(Key::Typename, name);
    if is_named("TweetTombstone") || is_named("TweetUnavailable") || is_named("UserUnavailable") {
        return What::Gone;
    }
    if !record.has(Key::RestId) {
        return What::Around;
    }
    let Some(legacy) = record.object(Key::Legacy) else {
        return if is_named("User") { What::User } else { What::Around };
    };
    match () {
        () if is_named("Tweet") => What::Tweet,
        () if is_named("User") => What::User,
        // What `TweetWithVisibilityResults` wraps has no name.
        () if !record.has(Key::Typename) && legacy.has(Key::FullText) => What::Tweet,
        () if !record.has(Key::Typename) && legacy.has(Key::ScreenName) => What::User,
        () => What::Around,
    }
}

fn user(record: &Record<'_>, scope: Scope, harvest: &mut Harvest) {
    harvest.id(IdKind::User, scope, id::required(of_rest(record)), None);
}

fn of_rest(record: &Record<'_>) -> Result<Pair, Reason> {
    id::pair(None, record.value(Key::RestId))
}

/// Brings in a tweet, its author, and what it carries and names as far as the scope reaches.
fn tweet(record: &Record<'_>, scope: Scope, levels: u8, harvest: &mut Harvest) {
    let legacy = record.object(Key::Legacy);
    let of_legacy = |key| legacy.as_ref().and_then(|legacy| legacy.value(key));
    let own =
        id::pair(record.value(Key::RestId), of_legacy(Key::IdStr).or(record.value(Key::RestId)));
    let own = stated::at(id::required(own), of_legacy(Key::CreatedAt), harvest);
    if let Err(reason) = own {
        return harvest.flag(reason);
    }
    let author = record
        .whole()
        .at_path(&["\"core\"", "\"user_results\"", "\"result\"", "\"rest_id\""])
        .map(Value::bytes)
        .or(of_legacy(Key::UserIdStr));
    let author = id::pair(None, author);
    harvest.id(IdKind::Tweet, scope, own, author.ok().and_then(Pair::id));
    harvest.id(IdKind::User, scope, author, None);
    if harvest.reaches(Scope::Embedded) {
        let retweeted =
            legacy.as_ref().and_then(|legacy| legacy.inside(Key::RetweetedStatusResult));
        for carried in [retweeted, record.inside(Key::QuotedStatusResult)].into_iter().flatten() {
            embedded(carried, levels, harvest);
        }
    }
    if harvest.reaches(Scope::Referenced) {
        for (kind, key) in [
            (IdKind::Tweet, Key::InReplyToStatusIdStr),
            (IdKind::Tweet, Key::QuotedStatusIdStr),
            (IdKind::User, Key::InReplyToUserIdStr),
        ] {
            harvest.id(kind, Scope::Referenced, id::pair(None, of_legacy(key)), None);
        }
        let edits = record.whole().at_path(&["\"edit_control\"", "\"edit_tweet_ids\""]);
        for edit in edits.into_iter().flat_map(Value::elements) {
            let edit = id::pair(None, Some(edit.bytes()));
            harvest.id(IdKind::Tweet, Scope::Referenced, edit, None);
        }
    }
}

/// Brings in the tweet of `{"result":{…}}`, which visibility may wrap.
fn embedded(carried: Value<'_>, levels: u8, harvest: &mut Harvest) {
    let Some(levels) = levels.checked_sub(1) else { return harvest.flag(Reason::TooDeep) };
    let Some(result) = carried.at_path(&["\"result\""]) else { return };
    let inner = result.at_path(&["\"tweet\""]).unwrap_or(result);
    if let Some(record) = inner.object().filter(|record| what(record) == What::Tweet) {
        tweet(&record, Scope::Embedded, levels, harvest);
    }
}
