//! Control lines of streams: they hold no ID to hand out, and a delete takes one away.

use super::harvest::Harvest;
use super::id;
use super::key::Key;
use super::record::Record;
use crate::base::ids::IdKind;

/// The keys of control lines. `event` is one only with a word as its value.
const KEYS: &[Key] = &[
    Key::Delete,
    Key::ScrubGeo,
    Key::Limit,
    Key::StatusWithheld,
    Key::UserWithheld,
    Key::Disconnect,
    Key::Warning,
    Key::Friends,
    Key::FriendsStr,
    Key::Control,
    Key::Info,
];

pub(super) fn recognise(record: &Record<'_>) -> bool {
    if record.has(Key::Id) || record.has(Key::IdStr) {
        return false;
    }
    record.has_any(KEYS) || record.has(Key::Event) && !record.is_object(Key::Event)
}

/// Notes what was deleted: `{"delete":{"status":{"id":…,"id_str":…}}}`.
pub(super) fn extract(record: &Record<'_>, harvest: &mut Harvest) {
    let Some(delete) = record.object(Key::Delete) else { return };
    for (key, kind) in [(Key::Status, IdKind::Tweet), (Key::DirectMessage, IdKind::Dm)] {
        let Some(deleted) = delete.object(key) else { continue };
        match id::required(id::of_keys(&deleted, Key::Id, Key::IdStr)) {
            Ok(pair) => harvest.delete(kind, pair.id().expect("a required ID is there")),
            Err(reason) => harvest.flag(reason),
        }
    }
}
