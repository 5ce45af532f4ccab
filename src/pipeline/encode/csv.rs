//! The CSV form: a header and one column of digits, which needs no quotes.

use super::{column, txt};
use crate::base::ids::IdKind;

/// Writes the header.
pub fn begin(buffer: &mut Vec<u8>, kind: IdKind) {
    buffer.extend_from_slice(column(kind).as_bytes());
    buffer.push(b'\n');
}

/// Writes one row.
pub fn push(buffer: &mut Vec<u8>, _kind: IdKind, id: u64) {
    txt::push(buffer, id);
}
