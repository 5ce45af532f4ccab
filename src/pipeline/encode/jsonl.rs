//! The JSON lines form: an object a line; the ID is a string, so that no reader rounds it.

use super::{column, txt};
use crate::base::ids::IdKind;

/// Writes one object.
pub fn push(buffer: &mut Vec<u8>, kind: IdKind, id: u64) {
    buffer.extend_from_slice(b"{\"");
    buffer.extend_from_slice(column(kind).as_bytes());
    buffer.extend_from_slice(b"\":\"");
    txt::push_digits(buffer, id);
    buffer.extend_from_slice(b"\"}\n");
}
