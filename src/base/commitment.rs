//! How the audit log names people, entities and reasons: by salted commitments. Where salts are
//! kept and erased is not here.
//!
//! A commitment is SHA-256 over a domain, the kind of party, 32 secret bytes by chance (the salt)
//! and what the party is known by: a person's mail address, an entity's short name. The reason of a
//! decision, which may name people, is committed to in the same way. Whoever is
//! given the salt can check that a leaf is about that party; whoever is not can neither find the
//! party nor try names, and once the salt is erased nobody can.

use std::fmt;
use std::str::FromStr;

use rand::TryRng;
use rand::rngs::SysRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What is hashed first, so that no other hash of hydrant can be taken for a commitment.
const DOMAIN: &[u8] = b"hydrant/commitment/v1\n";

/// What a commitment is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartyKind {
    /// A person, known by their mail address.
    Person,
    /// An entity, known by its short name.
    Entity,
}

/// The secret half of a commitment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 32]);

/// The name of a person or an entity in the audit log; 64 hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Commitment(pub [u8; 32]);

/// Why a text is no commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a commitment is 64 hexadecimal digits in lower case")]
pub struct NotACommitment;

impl PartyKind {
    fn word(self) -> &'static str {
        match self {
            PartyKind::Person => "person",
            PartyKind::Entity => "entity",
        }
    }
}

impl Salt {
    /// A new salt from the system's generator of random numbers.
    ///
    /// # Panics
    /// If the system has none: then nothing secret can be made at all.
    pub fn generate() -> Salt {
        Salt(random_bytes())
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Salt(…)")
    }
}

impl Commitment {
    /// The commitment to the party of that kind that is known by `identity`.
    pub fn to(kind: PartyKind, salt: &Salt, identity: &str) -> Commitment {
        Commitment::of(kind.word(), salt, identity)
    }

    /// The commitment to the reason of a decision.
    pub fn to_reason(salt: &Salt, reason: &str) -> Commitment {
        Commitment::of("reason", salt, reason)
    }

    fn of(kind: &str, salt: &Salt, text: &str) -> Commitment {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        hash.update(kind);
        hash.update(b"\n");
        // The salt's length is fixed, so nothing of it can be taken for the text.
        hash.update(salt.0);
        hash.update(text);
        Commitment(hash.finalize().into())
    }

    /// A name that commits to nothing: what a party is called whose salt has been erased.
    ///
    /// # Panics
    /// If the system has no random numbers.
    pub fn to_nobody() -> Commitment {
        Commitment(random_bytes())
    }
}

fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    SysRng.try_fill_bytes(&mut bytes).expect("the system has random numbers");
    bytes
}

impl fmt::Display for Commitment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Commitment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Commitment({self})")
    }
}

impl FromStr for Commitment {
    type Err = NotACommitment;

    fn from_str(text: &str) -> Result<Commitment, NotACommitment> {
        let mut bytes = [0; 32];
        let upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) if !upper => Ok(Commitment(bytes)),
            _ => Err(NotACommitment),
        }
    }
}

impl TryFrom<String> for Commitment {
    type Error = NotACommitment;

    fn try_from(text: String) -> Result<Commitment, NotACommitment> {
        text.parse()
    }
}

impl From<Commitment> for String {
    fn from(commitment: Commitment) -> String {
        commitment.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_follows_from_kind_salt_and_identity_alone() {
        let salt = Salt([7; 32]);
        let commitment = Commitment::to(PartyKind::Entity, &salt, "acme");
        // printf 'hydrant/commitment/v1\nentity\n%b%s' "$(printf '\\a%.0s' {1..32})" acme |
        //     sha256sum
        let expected = "4b0cb0a0";
        assert_eq!(&commitment.to_string()[..8], expected);
        assert_ne!(commitment, Commitment::to(PartyKind::Person, &salt, "acme"));
        assert_ne!(commitment, Commitment::to(PartyKind::Entity, &Salt([8; 32]), "acme"));
        assert_ne!(commitment, Commitment::to(PartyKind::Entity, &salt, "acm"));
    }

    #[test]
    fn a_commitment_is_read_as_it_is_written() {
        let commitment = Commitment::to_nobody();
        assert_eq!(commitment.to_string().parse(), Ok(commitment));
        for text in ["", "7", &"A".repeat(64), &"a".repeat(63), &"g".repeat(64)] {
            assert_eq!(text.parse::<Commitment>(), Err(NotACommitment), "{text:?}");
        }
    }

    #[test]
    fn two_salts_differ_and_none_is_printed() {
        assert_ne!(Salt::generate(), Salt::generate());
        assert_eq!(format!("{:?}", Salt([1; 32])), "Salt(…)");
    }
}
