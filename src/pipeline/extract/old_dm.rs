//! Format 10, Direct Messages of before 2018: they look like v1.1 tweets, but have a recipient.
//! In a stream they come as `{"direct_message":{…}}`.

use super::harvest::Harvest;
use super::id::{self, Pair};
use super::key::Key;
use super::record::Record;
use crate::base::ids::IdKind;
use crate::pipeline::reason::Reason;
use crate::pipeline::wants::Scope;

pub(super) fn recognise(record: &Record<'_>) -> bool {
    record.is_object(Key::DirectMessage) || is_message(record)
}

fn is_message(record: &Record<'_>) -> bool {
    (record.has(Key::Id) || record.has(Key::IdStr))
        && record.has(Key::Text)
        && (record.has(Key::Recipient) || record.has(Key::RecipientId))
        && (record.has(Key::Sender) || record.has(Key::SenderId))
}

pub(super) fn extract(record: &Record<'_>, harvest: &mut Harvest) {
    match record.object(Key::DirectMessage) {
        Some(inner) => message(&inner, harvest),
        None => message(record, harvest),
    }
}

/// Brings in the message, its sender, then its recipient.
fn message(record: &Record<'_>, harvest: &mut Harvest) {
    let own = id::required(id::of_keys(record, Key::Id, Key::IdStr));
    if own == Err(Reason::IdsDisagree) {
        harvest.flag(Reason::IdsDisagree);
        return;
    }
    harvest.id(IdKind::Dm, Scope::Own, own, None);
    for (number, text, object) in [
        (Key::SenderId, Key::SenderIdStr, Key::Sender),
        (Key::RecipientId, Key::RecipientIdStr, Key::Recipient),
    ] {
        let user = match id::of_keys(record, number, text) {
            Ok(Pair::Absent) => record
                .object(object)
                .map_or(Ok(Pair::Absent), |user| id::of_keys(&user, Key::Id, Key::IdStr)),
            named => named,
        };
        harvest.id(IdKind::User, Scope::Own, user, None);
    }
}
