//! The secret of an API key: how it is made, checked and hashed; not whose it is.
//!
//! A token is `hydrant_`, 43 letters and digits by chance (256 bits), and six that check what
//! stands before them. The prefix lets scanners of source code find a token that leaked; the
//! check tells a slip of the pen from a stranger without asking the database.

use std::fmt;

use rand::distr::{Alphanumeric, SampleString};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use sha2::{Digest, Sha256};

const PREFIX: &str = "hydrant_";
/// 62^43 > 2^256.
const SECRET_CHARS: usize = 43;
/// 62^6 > 2^32.
const CHECK_CHARS: usize = 6;
const TOKEN_CHARS: usize = PREFIX.len() + SECRET_CHARS + CHECK_CHARS;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A token in the clear. It prints as `hydrant_…`; only [`Token::reveal`] shows it.
#[derive(Clone)]
pub struct Token(String);

/// What is kept of a token: its SHA-256. No salt is needed, for nobody can guess 256 bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);

/// Why a text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// It does not look like one.
    #[error("an API key is `hydrant_` and 49 letters and digits")]
    Shape,
    /// A character is wrong or missing.
    #[error("the API key's checksum does not fit: it was mistyped or only copied in part")]
    Checksum,
}

impl Token {
    /// A new token from the system's generator of random numbers.
    ///
    /// # Panics
    /// If the system has none: then nothing secret can be made at all.
    pub fn generate() -> Token {
        let secret = Alphanumeric.sample_string(&mut UnwrapErr(SysRng), SECRET_CHARS);
        let checked = format!("{PREFIX}{secret}");
        let check = check_of(&checked);
        Token(checked + &check)
    }

    /// Reads what somebody sent as a token.
    ///
    /// # Errors
    /// [`BadToken`]; the database need not be asked then.
    pub fn parse(text: &str) -> Result<Token, BadToken> {
        let secret = text.strip_prefix(PREFIX).ok_or(BadToken::Shape)?;
        let shaped = secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if text.len() != TOKEN_CHARS || !shaped {
            return Err(BadToken::Shape);
        }
        let (checked, check) = text.split_at(TOKEN_CHARS - CHECK_CHARS);
        if check_of(checked) != check {
            return Err(BadToken::Checksum);
        }
        Ok(Token(text.to_owned()))
    }

    /// The token itself, for the one answer that hands it out.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it and looked up.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(&self.0).into())
    }
}

/// The CRC-32 of `text`, in six digits of base 62.
fn check_of(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes()) as usize;
    let mut check = [b'0'; CHECK_CHARS];
    for place in check.iter_mut().rev() {
        *place = DIGITS[rest % DIGITS.len()];
        rest /= DIGITS.len();
    }
    check.iter().map(|&digit| char::from(digit)).collect()
}

impl fmt::Display for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{PREFIX}…")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("TokenHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_changed_character_of_a_token_is_noticed() {
        let token = Token::generate();
        assert_eq!(Token::parse(token.reveal()).unwrap().hash(), token.hash());
        for place in 0..TOKEN_CHARS {
            let mut changed = token.reveal().as_bytes().to_vec();
            changed[place] = if changed[place] == b'7' { b'8' } else { b'7' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(Token::parse(&changed).is_err(), "place {place}");
        }
    }

    #[test]
    fn what_does_not_look_like_a_token_is_none() {
        let token = Token::generate();
        for text in ["", "hydrant_", "Bearer x", &token.reveal()[1..], &format!("{}0", token.0)] {
            assert_eq!(Token::parse(text).unwrap_err(), BadToken::Shape, "{text:?}");
        }
    }

    #[test]
    fn a_token_is_never_printed_by_chance() {
        let token = Token::generate();
        assert_eq!(format!("{token} {token:?}"), "hydrant_… hydrant_…");
    }

    #[test]
    fn two_tokens_differ() {
        assert_ne!(Token::generate().hash(), Token::generate().hash());
    }
}
