//! The passphrase that a link may ask for: how it is hashed, compared, and how often it may be
//! tried.
//!
//! An attempt is counted before it is looked at, in a transaction of its own: however many arrive
//! at once, beyond the first few one at a time is looked at, and each wrong one makes the next
//! wait longer. That slows down whoever has the link and guesses; nobody else can guess at all.

use std::fmt;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};

use crate::base::party::ShareId;
use crate::directory::DirectoryError;
use crate::store::{StoreError, Tx};

/// The least that is worth a slow hash.
const CHARS_MIN: usize = 8;
/// Longest passphrase.
const CHARS_MAX: usize = 200;
/// How many wrong ones in a row nobody has to wait for.
const ATTEMPTS_FREE: u32 = 5;
/// How long the next attempt waits at most, in milliseconds.
const WAIT_MS_MAX: i64 = 60_000;

/// A passphrase in the clear. It prints as `Passphrase(…)`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Passphrase(pub String);

impl fmt::Debug for Passphrase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Passphrase(…)")
    }
}

impl Passphrase {
    /// Its slow hash (argon2id with a salt of its own), as a PHC string. Takes some 20 ms.
    ///
    /// # Errors
    /// [`DirectoryError::Invalid`] if it is too short or too long.
    ///
    /// # Panics
    /// If the system has no random numbers.
    pub fn hash(&self) -> Result<String, DirectoryError> {
        let text = self.0.trim();
        let chars = text.chars().count();
        if !(CHARS_MIN..=CHARS_MAX).contains(&chars) {
            let message = format!(
                "the passphrase has {chars} characters; {CHARS_MIN} to {CHARS_MAX} are right, such \
                 as four words"
            );
            return Err(DirectoryError::Invalid(message));
        }
        let hash = Argon2::default().hash_password(text.as_bytes());
        Ok(hash.expect("the parameters are argon2's own").to_string())
    }

    /// Whether it is the one with that hash. Takes some 20 ms.
    pub fn is(&self, hash: &str) -> bool {
        let Ok(hash) = PasswordHash::new(hash) else { return false };
        let text = self.0.trim();
        text.chars().count() <= CHARS_MAX
            && Argon2::default().verify_password(text.as_bytes(), &hash).is_ok()
    }
}

/// Counts an attempt that is about to be looked at, as a wrong one; or says how many milliseconds
/// it has to wait first.
///
/// # Errors
/// [`StoreError`] of the look or the change.
pub fn take_attempt(
    tx: &Tx<'_>,
    now_ms: i64,
    share: ShareId,
) -> Result<Result<(), i64>, StoreError> {
    let Some(row) = tx.share(share)? else { return Ok(Err(WAIT_MS_MAX)) };
    if now_ms < row.attempt_after_ms {
        return Ok(Err(row.attempt_after_ms - now_ms));
    }
    let attempts = row.attempts.saturating_add(1);
    let after_ms = match attempts.checked_sub(ATTEMPTS_FREE) {
        None => 0,
        Some(beyond) => now_ms + (1_000 << beyond.min(16)).min(WAIT_MS_MAX),
    };
    tx.share_set_attempts(share, attempts, after_ms)?;
    Ok(Ok(()))
}

/// Notes that the attempt which was counted last was right.
///
/// # Errors
/// [`StoreError`] of the change.
pub fn forgive_attempts(tx: &Tx<'_>, share: ShareId) -> Result<(), StoreError> {
    tx.share_set_attempts(share, 0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_known_by_its_hash_and_by_nothing_else() {
        let phrase = |text: &str| Passphrase(text.to_owned());
        let hash = phrase(" four words of mine ").hash().unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert_ne!(hash, phrase("four words of mine").hash().unwrap(), "each has its own salt");
        for (text, expected) in [
            ("four words of mine", true),
            ("four words of mine ", true),
            ("Four words of mine", false),
            ("", false),
        ] {
            assert_eq!(phrase(text).is(&hash), expected, "{text:?}");
        }
        assert!(!phrase("four words of mine").is("no hash"));
        for text in ["short", &"x".repeat(CHARS_MAX + 1)] {
            phrase(text).hash().unwrap_err();
        }
        assert_eq!(format!("{:?}", phrase("secret words")), "Passphrase(…)");
    }
}
