//! Format 3, v2 response pages: `data`, an array or one object, with `includes`, `errors`, `meta`
//! in any order. What `data` holds is told object by object; `meta` holds cursors, no IDs.

use super::harvest::Harvest;
use super::key::Key;
use super::record::Record;
use super::v2_object;
use crate::pipeline::reason::Reason;
use crate::pipeline::wants::Scope;

pub(super) fn recognise(record: &Record<'_>) -> bool {
    if record.has(Key::MatchingRules) {
        return false;
    }
    record.is_array(Key::Data)
        || record.is_object(Key::Data)
        || (record.has(Key::Meta) || record.has(Key::Errors)) && !record.has(Key::Id)
}

pub(super) fn extract(record: &Record<'_>, harvest: &mut Harvest) {
    let mut objects = 0_u64;
    if let Some(only) = record.object(Key::Data) {
        objects += 1;
        v2_object::extract(&only, Scope::Own, harvest);
    }
    for element in record.records(Key::Data) {
        objects += 1;
        match element {
            Some(object) => v2_object::extract(&object, Scope::Own, harvest),
            None => harvest.flag(Reason::Unknown),
        }
    }
    if objects == 0 {
        harvest.flag(Reason::Empty);
    }
    includes(record, harvest);
}

/// Brings in the full objects that the page carries beside its own.
pub(super) fn includes(record: &Record<'_>, harvest: &mut Harvest) {
    if !harvest.reaches(Scope::Embedded) {
        return;
    }
    let Some(includes) = record.object(Key::Includes) else { return };
    for list in [Key::Tweets, Key::Users] {
        for object in includes.records(list).flatten() {
            v2_object::extract(&object, Scope::Embedded, harvest);
        }
    }
}
