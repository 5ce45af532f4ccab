//! Secrets that travel in links and cookies: how they are made and hashed; not what they open.

use std::fmt;

use rand::distr::{Alphanumeric, SampleString};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use sha2::{Digest, Sha256};

use super::token::TokenHash;

/// 62^43 > 2^256.
const SECRET_CHARS: usize = 43;

/// A secret of 256 bits in the clear: 43 letters and digits. It prints as `…`; only
/// [`Secret::reveal`] shows it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new secret from the system's generator of random numbers.
    ///
    /// # Panics
    /// If the system has none: then nothing secret can be made at all.
    pub fn generate() -> Secret {
        Secret(Alphanumeric.sample_string(&mut UnwrapErr(SysRng), SECRET_CHARS))
    }

    /// Reads what somebody sent as a secret; `None` if it cannot be one.
    pub fn parse(text: &str) -> Option<Secret> {
        let shaped = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (text.len() == SECRET_CHARS && shaped).then(|| Secret(text.to_owned()))
    }

    /// The secret itself, for the one link or cookie that carries it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it and looked up. No salt is needed: nobody can guess 256 bits.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(&self.0).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_as_it_was_made_and_never_printed_by_chance() {
        let secret = Secret::generate();
        assert_eq!(Secret::parse(secret.reveal()).unwrap().hash(), secret.hash());
        assert_ne!(Secret::generate().hash(), secret.hash());
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        let long = format!("{}a", secret.reveal());
        for text in ["", "a", long.as_str(), &secret.reveal()[1..], &"é".repeat(43)] {
            assert!(Secret::parse(text).is_none(), "{text:?}");
        }
    }
}
