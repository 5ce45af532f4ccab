//! Format 8, v2 DM events one a line: MessageCreate, ParticipantsJoin, ParticipantsLeave.
//! `dm_conversation_id` is neither a DM nor a user, and would leak two users.

use super::harvest::Harvest;
use super::id;
use super::key::Key;
use super::record::Record;
use super::v2_object::{of_key, referenced_tweets};
use crate::base::ids::IdKind;
use crate::pipeline::wants::Scope;

pub(super) fn recognise(record: &Record<'_>) -> bool {
    record.has(Key::EventType) && (record.has(Key::Id) || record.has(Key::DmEventId))
}

pub(super) fn extract(record: &Record<'_>, harvest: &mut Harvest) {
    event(record, Scope::Own, harvest);
}

/// Brings in the event, its sender and its participants.
pub(super) fn event(record: &Record<'_>, scope: Scope, harvest: &mut Harvest) {
    let key = if record.has(Key::Id) { Key::Id } else { Key::DmEventId };
    harvest.id(IdKind::Dm, scope, id::required(of_key(record, key)), None);
    harvest.id(IdKind::User, scope, of_key(record, Key::SenderId), None);
    for participant in record.elements(Key::ParticipantIds) {
        harvest.id(IdKind::User, scope, id::pair(None, Some(participant.bytes())), None);
    }
    if harvest.reaches(Scope::Embedded) {
        referenced_tweets(record, harvest);
    }
}
