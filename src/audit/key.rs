//! The key that signs checkpoints, and the one that checks them, in the text forms that verifiers
//! of signed notes know. What is signed is not here.
//!
//! The private key is one line in a file of its own that only its owner reads:
//! `PRIVATE+KEY+ORIGIN+ID+KEY`. The origin in it is the log's name for ever. The verifier key,
//! `ORIGIN+ID+KEY`, is public.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::SigningKey as Ed25519Key;
use rand::TryRng;
use rand::rngs::SysRng;
use signed_note::{
    Note, Signer, StandardSigner, StandardVerifier, Verifier, VerifierList, key_id,
    new_ed25519_verifier_key,
};

use super::durable;
use crate::base::origin::LogOrigin;

/// What stands before an Ed25519 key in the text forms.
const ED25519: u8 = 1;

/// The key that signs checkpoints.
#[derive(Clone)]
pub struct SigningKey {
    signer: StandardSigner,
    verifier: VerifierKey,
}

/// The key that checks checkpoints: it is public, and auditors keep it.
#[derive(Clone)]
pub struct VerifierKey {
    text: String,
    verifier: StandardVerifier,
}

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("cannot use the audit log's key {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file holds something else.
    #[error(
        "{} is no key of an audit log; one line like PRIVATE+KEY+ORIGIN+… is expected, \
         bring the file back from a backup", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Others may read the file.
    #[error(
        "others than its owner may read {}, which signs the audit log: `chmod 600` it",
        path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
    },
}

/// A text that is no verifier key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a verifier key looks like data.example.org/log+1a2b3c4d+AZ…")]
pub struct NotAVerifierKey;

impl SigningKey {
    /// The key that follows from these bytes, which must be secret and by chance.
    pub fn from_seed(origin: &LogOrigin, seed: &[u8; 32]) -> SigningKey {
        SigningKey::parse(&private_text(origin, seed)).expect("the text form of a key is one")
    }

    fn parse(text: &str) -> Option<SigningKey> {
        let signer = StandardSigner::new(text).ok()?;
        signer.name().parse::<LogOrigin>().ok()?;
        let seed = BASE64_STANDARD.decode(text.splitn(5, '+').nth(4)?).ok()?;
        let seed: [u8; 32] = seed.get(1..)?.try_into().ok()?;
        let public = Ed25519Key::from_bytes(&seed).verifying_key();
        let verifier = new_ed25519_verifier_key(signer.name(), &public).parse().ok()?;
        Some(SigningKey { signer, verifier })
    }

    /// The key in the file at `path`; `None` if there is no such file.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(path: &Path) -> Result<Option<SigningKey>, KeyError> {
        let failed = |source| KeyError::Io { path: path.to_owned(), source };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(KeyError::Open { path: path.to_owned() });
        }
        let key = SigningKey::parse(text.trim_end());
        key.map(Some).ok_or_else(|| KeyError::Damaged { path: path.to_owned() })
    }

    /// Makes a key for the log of that name and keeps it in a new file at `path`, durably.
    ///
    /// # Errors
    /// [`KeyError::Io`], also if there is a file.
    ///
    /// # Panics
    /// If the system has no random numbers.
    pub fn create(path: &Path, origin: &LogOrigin) -> Result<SigningKey, KeyError> {
        let mut seed = [0; 32];
        SysRng.try_fill_bytes(&mut seed).expect("the system has random numbers");
        let text = private_text(origin, &seed) + "\n";
        durable::create_private(path, text.as_bytes())
            .map_err(|source| KeyError::Io { path: path.to_owned(), source })?;
        Ok(SigningKey::from_seed(origin, &seed))
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        self.signer.name()
    }

    /// The key that checks what this one signs.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// `text` as a signed note.
    ///
    /// # Panics
    /// If `text` is not lines of text that end with a line feed.
    pub(super) fn sign(&self, text: &str) -> String {
        let mut note = Note::new(text.as_bytes(), &[]).expect("a checkpoint is a note's text");
        note.add_sigs(&[&self.signer]).expect("a key that has been read signs");
        String::from_utf8(note.to_bytes()).expect("a note is text")
    }
}

fn private_text(origin: &LogOrigin, seed: &[u8; 32]) -> String {
    let origin = origin.as_str();
    let public = Ed25519Key::from_bytes(seed).verifying_key();
    let id = key_id(origin, &[&[ED25519], public.as_bytes().as_slice()].concat());
    let key = BASE64_STANDARD.encode([&[ED25519], seed.as_slice()].concat());
    format!("PRIVATE+KEY+{origin}+{id:08x}+{key}")
}

impl VerifierKey {
    /// The log's name.
    pub fn origin(&self) -> &str {
        self.verifier.name()
    }

    /// The text of a signed note, if this key has signed it.
    ///
    /// Signatures of other keys, such as a witness's, are passed over.
    pub(super) fn open(&self, note: &[u8]) -> Option<String> {
        let note = Note::from_bytes(note).ok()?;
        note.verify(&VerifierList::new(vec![Box::new(self.verifier.clone())])).ok()?;
        String::from_utf8(note.text().to_vec()).ok()
    }
}

impl std::str::FromStr for VerifierKey {
    type Err = NotAVerifierKey;

    fn from_str(text: &str) -> Result<VerifierKey, NotAVerifierKey> {
        let verifier = StandardVerifier::new(text).map_err(|_| NotAVerifierKey)?;
        // One spelling only, so that two keys are the same if their texts are.
        let id = format!("{:08x}", verifier.key_id());
        let is_spelt = text.split('+').nth(1) == Some(&id);
        (is_spelt && verifier.name().parse::<LogOrigin>().is_ok())
            .then(|| VerifierKey { text: text.to_owned(), verifier })
            .ok_or(NotAVerifierKey)
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.text)
    }
}

impl std::fmt::Debug for VerifierKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "VerifierKey({})", self.text)
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "SigningKey({})", self.origin())
    }
}

impl PartialEq for VerifierKey {
    fn eq(&self, other: &VerifierKey) -> bool {
        self.text == other.text
    }
}

impl Eq for VerifierKey {}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> LogOrigin {
        "example.org/log".parse().unwrap()
    }

    #[test]
    fn a_key_is_kept_in_a_file_that_only_its_owner_reads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.key");
        assert!(SigningKey::read(&path).unwrap().is_none());
        let made = SigningKey::create(&path, &origin()).unwrap();
        let read = SigningKey::read(&path).unwrap().unwrap();
        assert_eq!(read.verifier(), made.verifier());
        assert_eq!(read.origin(), "example.org/log");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = SigningKey::create(&path, &origin()).unwrap_err();
        assert!(matches!(again, KeyError::Io { .. }), "a key is never written over");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(matches!(SigningKey::read(&path), Err(KeyError::Open { .. })));
    }

    #[test]
    fn a_damaged_key_is_no_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.key");
        SigningKey::create(&path, &origin()).unwrap();
        let right = std::fs::read_to_string(&path).unwrap();
        let damaged = [
            String::new(),
            right.replace("example", "exemple"),
            right.replace("PRIVATE", "PUBLIC"),
            right[..right.len() - 6].to_owned(),
            right.replace("+A", "+B"),
        ];
        for text in damaged {
            std::fs::write(&path, &text).unwrap();
            let read = SigningKey::read(&path);
            assert!(matches!(read, Err(KeyError::Damaged { .. })), "{text:?}: {read:?}");
        }
    }

    #[test]
    fn a_verifier_key_has_one_spelling() {
        let right = SigningKey::from_seed(&origin(), &[3; 32]).verifier().to_string();
        assert_eq!(right.parse::<VerifierKey>().unwrap().to_string(), right);
        let (name, rest) = right.split_once('+').unwrap();
        let wrong = [
            format!("{name}+{}", rest.to_ascii_uppercase()),
            format!("{name} +{rest}"),
            format!("{right}\n"),
            right[..right.len() - 1].to_owned(),
            rest.to_owned(),
        ];
        for text in wrong {
            assert_eq!(text.parse::<VerifierKey>(), Err(NotAVerifierKey), "{text:?}");
        }
    }
}
