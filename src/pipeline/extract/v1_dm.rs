//! Format 9, v1.1 DM events: `events[]` or `event{}` of the type `message_create`.

use super::harvest::Harvest;
use super::id;
use super::key::Key;
use super::record::Record;
use super::v2_object::of_key;
use super::value::Value;
use crate::base::ids::IdKind;
use crate::pipeline::reason::Reason;
use crate::pipeline::wants::Scope;

pub(super) fn recognise(record: &Record<'_>) -> bool {
    record.is_array(Key::Events) || record.is_object(Key::Event) || is_event(record)
}

fn is_event(record: &Record<'_>) -> bool {
    record.is_text(Key::Type, "message_create") && record.is_object(Key::MessageCreate)
}

pub(super) fn extract(record: &Record<'_>, harvest: &mut Harvest) {
    if is_event(record) {
        return event(record, harvest);
    }
    let mut events = 0_u64;
    let only = record.inside(Key::Event).map(Value::object);
    for element in record.records(Key::Events).chain(only) {
        events += 1;
        match element {
            Some(element) if is_event(&element) => event(&element, harvest),
            _ => harvest.flag(Reason::Unknown),
        }
    }
    if events == 0 {
        harvest.flag(Reason::Empty);
    }
}

/// Brings in the message, its sender, then its recipient.
fn event(record: &Record<'_>, harvest: &mut Harvest) {
    harvest.id(IdKind::Dm, Scope::Own, id::required(of_key(record, Key::Id)), None);
    let Some(message) = record.object(Key::MessageCreate) else { return };
    harvest.id(IdKind::User, Scope::Own, of_key(&message, Key::SenderId), None);
    if let Some(target) = message.object(Key::Target) {
        harvest.id(IdKind::User, Scope::Own, of_key(&target, Key::RecipientId), None);
    }
}
