//! ROR identifiers, which name research organisations; whether one is registered is not known
//! here.
//!
//! An identifier is `0`, six characters of Crockford's base 32 (no i, l, o, u) that write a
//! number, and two digits that check it by ISO 7064 mod 97-10.

const LENGTH: usize = 9;
const ALPHABET: &str = "0123456789abcdefghjkmnpqrstvwxyz";

/// The nine characters of the identifier in `text`, which may be written as an address
/// (`https://ror.org/…`); `None` if there is no identifier or its check digits do not fit.
pub(super) fn parse(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let text = text.strip_prefix("https://").unwrap_or(&text);
    let id = text.strip_prefix("ror.org/").unwrap_or(text);
    if id.len() != LENGTH || !id.is_ascii() {
        return None;
    }
    let encoded = id.strip_prefix('0')?;
    let (number, check) = encoded.split_at(LENGTH - 3);
    let mut value: u64 = 0;
    for char in number.chars() {
        value = value * 32 + ALPHABET.find(char)? as u64;
    }
    let digits = format!("{:02}", 98 - value * 100 % 97);
    (check == digits).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_taken_only_with_its_check_digits() {
        for (text, expected) in [
            ("01an7q238", Some("01an7q238")),
            ("https://ror.org/013meh722", Some("013meh722")),
            ("ROR.org/052GG0110", Some("052gg0110")),
            ("01an7q239", None),
            ("01an7q328", None),
            ("10an7q238", None),
            ("01an7i238", None),
            ("01an7q23", None),
            ("01an7q2380", None),
            ("https://example.org/01an7q238", None),
            ("", None),
        ] {
            assert_eq!(parse(text).as_deref(), expected, "{text:?}");
        }
    }
}
