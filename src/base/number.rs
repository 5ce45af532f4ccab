//! Numbers as people read them.

use std::ops::Range;

/// A number with a comma before every three digits: 1,500,000.
pub fn separated(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// Ranges of numbers from 0 as people who count from 1 name them: 5, 17 to 20.
pub fn from_one(ranges: &[Range<u64>]) -> String {
    let named: Vec<String> = ranges
        .iter()
        .map(|range| match range.end - range.start {
            1 => separated(range.end),
            _ => format!("{} to {}", separated(range.start + 1), separated(range.end)),
        })
        .collect();
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (1_500_000, "1,500,000")]
        {
            assert_eq!(separated(number), expected);
        }
    }

    #[test]
    fn people_count_from_one() {
        assert_eq!(from_one(&[4..5, 16..20, 1_999..2_000]), "5, 17 to 20, 2,000");
        assert_eq!(from_one(&[]), "");
    }
}
