//! The secret of a peer-review link: 256 bits that can be printed, read aloud and typed; not what
//! they open.
//!
//! It is written in the 32 signs of Crockford's base 32, which has no letter that looks like a
//! digit. Whoever types it may group it, and take capitals, `O` for 0 and `I` or `L` for 1.

use std::fmt;

use rand::TryRng;
use rand::rngs::SysRng;
use sha2::{Digest, Sha256};

use crate::directory::TokenHash;

/// 32^52 > 2^256; the last sign carries one bit.
const SIGNS: usize = 52;
/// How many signs stand together on paper.
const GROUP_SIGNS: usize = 4;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The secret of a link in the clear. It prints as `LinkToken(…)`; only [`LinkToken::reveal`]
/// shows it.
#[derive(Clone)]
pub struct LinkToken([u8; 32]);

impl LinkToken {
    /// A new secret from the system's generator of random numbers.
    ///
    /// # Panics
    /// If the system has none: then nothing secret can be made at all.
    pub fn generate() -> LinkToken {
        let mut secret = [0; 32];
        SysRng.try_fill_bytes(&mut secret).expect("the system has random numbers");
        LinkToken(secret)
    }

    /// Reads what somebody sent as a secret; `None` if it cannot be one.
    pub fn parse(text: &str) -> Option<LinkToken> {
        let mut secret = [0; 32];
        let (mut bits, mut held, mut filled, mut signs) = (0_u32, 0_u32, 0, 0);
        for byte in text.bytes().filter(|byte| *byte != b'-') {
            held = held << 5 | value_of(byte)?;
            bits += 5;
            signs += 1;
            if bits >= 8 && filled < secret.len() {
                bits -= 8;
                secret[filled] = u8::try_from(held >> bits & 0xff).expect("eight bits");
                filled += 1;
            }
            held &= (1 << bits) - 1;
            if signs > SIGNS {
                return None;
            }
        }
        // One secret has one text: what the last sign has too much is nothing.
        (signs == SIGNS && filled == secret.len() && held == 0).then_some(LinkToken(secret))
    }

    /// The secret itself, for the one answer that hands it out.
    pub fn reveal(&self) -> String {
        let mut text = String::with_capacity(SIGNS);
        let (mut bits, mut held) = (0_u32, 0_u32);
        for byte in self.0 {
            held = held << 8 | u32::from(byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                text.push(sign_of(held >> bits & 31));
            }
            held &= (1 << bits) - 1;
        }
        text.push(sign_of(held << (5 - bits)));
        text
    }

    /// The text of a secret in groups, as it is printed.
    pub fn grouped(text: &str) -> String {
        let signs: Vec<char> = text.chars().collect();
        let groups = signs.chunks(GROUP_SIGNS).map(|group| group.iter().collect::<String>());
        groups.collect::<Vec<_>>().join("-")
    }

    /// What is kept of it and looked up. No salt is needed: nobody can guess 256 bits.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0).into())
    }
}

fn sign_of(value: u32) -> char {
    char::from(ALPHABET[value as usize])
}

fn value_of(sign: u8) -> Option<u32> {
    let sign = match sign.to_ascii_lowercase() {
        b'o' => b'0',
        b'i' | b'l' => b'1',
        sign => sign,
    };
    let place = ALPHABET.iter().position(|known| *known == sign)?;
    u32::try_from(place).ok()
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("LinkToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_however_somebody_types_it() {
        for _ in 0..200 {
            let token = LinkToken::generate();
            let text = token.reveal();
            assert_eq!(text.len(), SIGNS);
            let typed = LinkToken::grouped(&text).to_uppercase().replace('0', "O");
            for text in [text.clone(), typed.replace('1', "L"), typed.replace('1', "i")] {
                assert_eq!(LinkToken::parse(&text).unwrap().0, token.0, "{text}");
            }
            assert_eq!(LinkToken::grouped(&text).len(), SIGNS + 12);
        }
    }

    #[test]
    fn what_is_too_short_too_long_or_strange_is_no_secret() {
        let text = LinkToken::generate().reveal();
        let strange = |sign: &str| format!("{}{sign}", &text[1..]);
        for text in [
            String::new(),
            text[1..].to_owned(),
            format!("{text}0"),
            strange("u"),
            strange("é"),
            format!("{}z", &text[..SIGNS - 1]),
        ] {
            assert!(LinkToken::parse(&text).is_none(), "{text}");
        }
        assert_ne!(LinkToken::generate().hash(), LinkToken::generate().hash());
        assert_eq!(format!("{:?}", LinkToken::generate()), "LinkToken(…)");
    }
}
