//! One attempt to sign in at a provider: what a browser brings along so that its answer counts.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How long somebody may take at the provider, in milliseconds.
pub const ATTEMPT_MS: i64 = 10 * 60_000;

/// What somebody wants of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To sign in.
    SignIn,
    /// To be able to sign in so later; they have signed in already.
    Link,
}

/// Why an answer belongs to no attempt of this browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttemptError {
    /// Its state was not made for this browser and this provider.
    #[error("the answer belongs to another browser, or to another attempt")]
    Foreign,
    /// It took too long.
    #[error("it took more than ten minutes; begin again")]
    TooLate,
}

/// An attempt. All that it holds follows from the secret in the browser's cookie, the provider's
/// name, the purpose and the time.
#[derive(Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What somebody wants.
    pub purpose: Purpose,
    /// What the provider gives back as it is.
    pub(super) state: String,
    /// What the ID token has to hold.
    pub(super) nonce: String,
    /// What only this browser can show, and of which the provider knows the hash.
    pub(super) verifier: String,
    /// When it began, in milliseconds UTC.
    pub(super) began_ms: i64,
}

impl Attempt {
    /// An attempt that begins now in the browser with that `secret`, of 256 bits by chance.
    pub fn begin(secret: &str, provider: &str, purpose: Purpose, now_ms: i64) -> Attempt {
        let about = format!("{}{now_ms}", purpose.letter());
        let text = |what| {
            let mac = mac(secret, provider, &about, what).finalize().into_bytes();
            BASE64_URL_SAFE_NO_PAD.encode(mac)
        };
        Attempt {
            purpose,
            state: format!("{about}.{}", text("state")),
            nonce: text("nonce"),
            verifier: text("verifier"),
            began_ms: now_ms,
        }
    }

    /// The attempt of the browser with that `secret` to which an answer with this `state` belongs.
    ///
    /// # Errors
    /// [`AttemptError`] if there is none.
    pub fn resume(
        secret: &str,
        provider: &str,
        state: &str,
        now_ms: i64,
    ) -> Result<Attempt, AttemptError> {
        let (about, sum) = state.split_once('.').ok_or(AttemptError::Foreign)?;
        let sum = BASE64_URL_SAFE_NO_PAD.decode(sum).map_err(|_| AttemptError::Foreign)?;
        let expected = mac(secret, provider, about, "state");
        // In a time that does not depend on where they differ.
        expected.verify_slice(&sum).map_err(|_| AttemptError::Foreign)?;
        let purpose = Purpose::from_letter(about.get(..1)).ok_or(AttemptError::Foreign)?;
        let began_ms = about.get(1..).and_then(|time| time.parse().ok());
        let began_ms: i64 = began_ms.ok_or(AttemptError::Foreign)?;
        if !(0..ATTEMPT_MS).contains(&now_ms.saturating_sub(began_ms)) {
            return Err(AttemptError::TooLate);
        }
        Ok(Attempt::begin(secret, provider, purpose, began_ms))
    }
}

impl Purpose {
    fn letter(self) -> &'static str {
        match self {
            Purpose::SignIn => "s",
            Purpose::Link => "l",
        }
    }

    fn from_letter(letter: Option<&str>) -> Option<Purpose> {
        [Purpose::SignIn, Purpose::Link].into_iter().find(|known| Some(known.letter()) == letter)
    }
}

/// Of what cannot be told from chance without the secret, and differs with each part.
fn mac(secret: &str, provider: &str, about: &str, what: &str) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key may have any length");
    // No part can hold the line break between them.
    mac.update(format!("hydrant/attempt/v1\n{what}\n{provider}\n{about}").as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_belongs_to_the_attempt_of_its_browser_and_provider_alone() {
        let begun = Attempt::begin("secret", "one", Purpose::Link, 5_000);
        let again = |secret, provider, state: &str, now_ms| {
            Attempt::resume(secret, provider, state, now_ms).map(|found| found == begun)
        };
        let state = begun.state.as_str();
        let with_other_purpose = state.replacen('l', "s", 1);
        let with_other_time = state.replacen("5000", "5001", 1);
        let foreign = Err(AttemptError::Foreign);
        for (secret, provider, state, now_ms, expected) in [
            ("secret", "one", state, 5_000, Ok(true)),
            ("secret", "one", state, 5_000 + ATTEMPT_MS - 1, Ok(true)),
            ("secret", "one", state, 5_000 + ATTEMPT_MS, Err(AttemptError::TooLate)),
            ("secret", "one", state, 4_999, Err(AttemptError::TooLate)),
            ("secreT", "one", state, 5_000, foreign),
            ("secret", "two", state, 5_000, foreign),
            ("secret", "one", &with_other_purpose, 5_000, foreign),
            ("secret", "one", &with_other_time, 5_001, foreign),
            ("secret", "one", &state[..state.len() - 1], 5_000, foreign),
            ("secret", "one", "l5000.", 5_000, foreign),
            ("secret", "one", "l5000", 5_000, foreign),
            ("secret", "one", "", 5_000, foreign),
        ] {
            assert_eq!(again(secret, provider, state, now_ms), expected, "{provider} {state}");
        }
    }

    #[test]
    fn what_is_told_tells_nothing_of_what_is_not() {
        let Attempt { state, nonce, verifier, .. } =
            Attempt::begin("secret", "one", Purpose::SignIn, 1);
        assert!(!state.contains(&nonce) && !state.contains(&verifier) && nonce != verifier);
        // RFC 7636: 43 to 128 characters that need no escape.
        assert_eq!(verifier.len(), 43);
        let other = Attempt::begin("secret", "one", Purpose::SignIn, 2);
        assert!(other.nonce != nonce && other.verifier != verifier && other.state != state);
    }
}
