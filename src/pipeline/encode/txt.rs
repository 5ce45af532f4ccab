//! The plain text form: the digits of each ID and a line feed, nothing else.

use crate::base::ids::ID_DIGITS_MAX;

/// Appends the digits of `id` and a line feed to `buffer`.
#[inline]
pub fn push(buffer: &mut Vec<u8>, id: u64) {
    push_digits(buffer, id);
    buffer.push(b'\n');
}

/// Appends the digits of `id` to `buffer`.
#[inline]
pub fn push_digits(buffer: &mut Vec<u8>, id: u64) {
    let mut digits = [0_u8; ID_DIGITS_MAX + 1];
    let mut first = digits.len();
    let mut rest = id;
    loop {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    buffer.extend_from_slice(&digits[first..]);
}
