//! Format 5, one v2 object a line as twarc2 `flatten` writes it: tweets with `author_id`, or
//! users with `username`. The `author` object and its pinned tweet give nothing.

use super::harvest::Harvest;
use super::key::Key;
use super::record::Record;
use super::v2_object::{self, What};
use crate::pipeline::wants::Scope;

pub(super) fn recognise(record: &Record<'_>) -> bool {
    match v2_object::what(record) {
        What::Tweet => {
            record.has(Key::AuthorId) && !record.has(Key::User) && !record.has(Key::Recipient)
        }
        What::User => !record.has(Key::IdStr),
        _ => false,
    }
}

pub(super) fn extract(record: &Record<'_>, harvest: &mut Harvest) {
    v2_object::extract(record, Scope::Own, harvest);
}
