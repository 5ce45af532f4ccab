//! Format 4, lines of the v2 filtered stream: `data` with `matching_rules`, whose 19-digit IDs
//! are rules and give nothing.

use super::harvest::Harvest;
use super::key::Key;
use super::record::Record;
use super::v2_page;

pub(super) fn recognise(record: &Record<'_>) -> bool {
    record.is_object(Key::Data) && record.has(Key::MatchingRules)
}

pub(super) fn extract(record: &Record<'_>, harvest: &mut Harvest) {
    v2_page::extract(record, harvest);
}
