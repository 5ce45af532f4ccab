//! Format 19, results of compliance jobs: `id`, `action` and `reason`. They name what is to be
//! removed, so they give nothing unless this format is asked for by its name. Whether the IDs are
//! of tweets or of users is known to the job alone: the kind asked for is believed.

use super::harvest::Harvest;
use super::id;
use super::key::Key;
use super::record::Record;
use crate::pipeline::wants::Scope;

pub(super) fn recognise(record: &Record<'_>) -> bool {
    record.has(Key::Id)
        && record.has(Key::Action)
        && (record.has(Key::Reason) || record.has(Key::RedactedAt))
        && !record.has(Key::Text)
}

pub(super) fn extract(record: &Record<'_>, harvest: &mut Harvest) {
    let own = id::required(id::pair(None, record.value(Key::Id)));
    match harvest.only_kind() {
        Some(kind) => harvest.id(kind, Scope::Own, own, None),
        None => harvest.hold_other_kind(),
    }
}
