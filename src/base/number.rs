//! Numbers as people read them.

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
}
