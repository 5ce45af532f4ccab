//! Format 13, JSON lines of snscrape and twscrape: `_type` ends in `.Tweet` or `.User`. The link
//! beside the number tells whether something rounded it on its way.

use super::harvest::Harvest;
use super::id::{self, Pair};
use super::key::Key;
use super::record::{Record, unescaped, unquoted};
use super::stated;
use crate::base::ids::IdKind;
use crate::pipeline::reason::Reason;
use crate::pipeline::wants::Scope;

/// How many levels of tweets in tweets are looked at; real ones have two.
const CARRIED_LEVELS_MAX: u8 = 8;

/// Endings of `_type`.
const TYPES: &[&[u8]] = &[b".Tweet", b".User", b".TweetRef", b".Tombstone"];

pub(super) fn recognise(record: &Record<'_>) -> bool {
    TYPES.iter().any(|ending| is_a(record, ending))
}

fn is_a(record: &Record<'_>, ending: &[u8]) -> bool {
    let name = record.value(Key::UnderscoreType).and_then(unquoted);
    name.is_some_and(|name| name.ends_with(ending))
}

pub(super) fn extract(record: &Record<'_>, harvest: &mut Harvest) {
    if is_a(record, b".Tweet") {
        tweet(record, Scope::Own, CARRIED_LEVELS_MAX, harvest);
    } else if is_a(record, b".User") {
        harvest.id(IdKind::User, Scope::Own, id::required(of_id(record)), None);
    } else {
        harvest.hold_other_kind();
    }
}

/// The ID in `id`, `id_str` and `id.str`.
fn of_id(record: &Record<'_>) -> Result<Pair, Reason> {
    let text = record.value(Key::IdStr).or(record.value(Key::IdDotStr));
    id::pair(record.value(Key::Id), text)
}

fn tweet(record: &Record<'_>, scope: Scope, levels: u8, harvest: &mut Harvest) {
    let link = record.value(Key::Url).and_then(unquoted).and_then(unescaped);
    let link = link.and_then(|link| id::of_url(link.as_bytes()));
    let own = id::beside_link(of_id(record), record.value(Key::Id), link);
    let own = stated::at(id::required(own), record.value(Key::Date), harvest);
    if let Err(reason) = own {
        return harvest.flag(reason);
    }
    let author = record.object(Key::User).map_or(Ok(Pair::Absent), |user| of_id(&user));
    harvest.id(IdKind::Tweet, scope, own, author.ok().and_then(Pair::id));
    harvest.id(IdKind::User, scope, author, None);
    if harvest.reaches(Scope::Embedded) && levels > 0 {
        for carried in [Key::RetweetedTweet, Key::QuotedTweet] {
            match record.object(carried) {
                Some(carried) if is_a(&carried, b".Tweet") || carried.has(Key::User) => {
                    tweet(&carried, Scope::Embedded, levels - 1, harvest);
                }
                Some(named) => harvest.id(IdKind::Tweet, Scope::Referenced, of_id(&named), None),
                None => {}
            }
        }
    }
    if harvest.reaches(Scope::Referenced) {
        let parent = id::pair(None, record.value(Key::InReplyToTweetId));
        harvest.id(IdKind::Tweet, Scope::Referenced, parent, None);
        let user = record.object(Key::InReplyToUser);
        let user = user.map_or(Ok(Pair::Absent), |user| of_id(&user));
        harvest.id(IdKind::User, Scope::Referenced, user, None);
    }
}
