//! What an applicant for an academic exemption signs. Texts are never changed: a new one gets a
//! new version, and what was signed before stays known by version and digest.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// A text that people sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Attestation {
    /// Its version: the day from which it is used.
    pub version: &'static str,
    /// The text, as it is shown.
    pub text: &'static str,
}

/// The text that is signed now.
pub const CURRENT: Attestation = Attestation {
    version: "2026-11-24",
    text: "I apply on behalf of the academic institution that is named in this application, and I \
           am entitled to do so. The IDs that I and others of the institution receive are used for \
           non-commercial research alone, as the stated purpose describes it. They are neither \
           sold nor passed on to anybody for another purpose. I tell the operator at once if the \
           purpose, my role or the institution changes. I know that every delivery is recorded, \
           and that the exemption ends on its date, or when it is revoked. What I have stated here \
           is true.",
};

impl Attestation {
    /// The SHA-256 of the text.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.text).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_stands_for_one_text() {
        // Whoever changes the text gives it another version, and this test the new digest.
        let known =
            [("2026-11-24", "415e7a8e79b0df2dd54af4689b13ffb92814527ecc5e1ebb3a64dacd62b97773")];
        assert_eq!(known[0], (CURRENT.version, hex::encode(CURRENT.sha256()).as_str()));
    }
}
