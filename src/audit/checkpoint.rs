//! A checkpoint: the head of the log as a signed note, in C2SP's `tlog-checkpoint` form. When one
//! is signed is not here.

use tlog_tiles::{Checkpoint as HeadText, Hash as HashText};

use super::key::{SigningKey, VerifierKey};
use super::tree::Head;

/// A head and the note that its log has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// What is signed.
    pub head: Head,
    /// The note: origin, size and root, a line each, an empty line, and signatures.
    pub note: String,
}

/// Why a text is no checkpoint of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACheckpoint {
    /// No signature of the log's key is on it, or one that does not fit.
    #[error("the key of the log has not signed this")]
    Signature,
    /// It is signed, and is no head of this log.
    #[error("what is signed is not the head of this log")]
    Text,
}

impl Checkpoint {
    /// Signs `head`. Whether it extends what was signed before has to be known already.
    pub(super) fn sign(key: &SigningKey, head: Head) -> Checkpoint {
        let text = HeadText::new(key.origin(), head.size, HashText(head.root), "");
        let text = text.expect("a key has a name").to_bytes();
        let text = String::from_utf8(text).expect("a checkpoint is text");
        Checkpoint { head, note: key.sign(&text) }
    }

    /// Reads a note that the log with that key has signed.
    ///
    /// # Errors
    /// [`NotACheckpoint`].
    pub fn open(note: &[u8], key: &VerifierKey) -> Result<Checkpoint, NotACheckpoint> {
        let text = key.open(note).ok_or(NotACheckpoint::Signature)?;
        let parsed = HeadText::from_bytes(text.as_bytes()).map_err(|_| NotACheckpoint::Text)?;
        if parsed.origin() != key.origin() {
            return Err(NotACheckpoint::Text);
        }
        let head = Head { size: parsed.size(), root: parsed.hash().0 };
        let note = String::from_utf8(note.to_vec()).map_err(|_| NotACheckpoint::Signature)?;
        Ok(Checkpoint { head, note })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_seed(&"example.org/log".parse().unwrap(), &[3; 32])
    }

    #[test]
    fn what_another_key_signed_or_anybody_changed_is_no_checkpoint() {
        let head = Head { size: 5, root: [7; 32] };
        let right = Checkpoint::sign(&key(), head).note;
        let other = SigningKey::from_seed(&"example.org/log".parse().unwrap(), &[4; 32]);
        let foreign = SigningKey::from_seed(&"example.org/other".parse().unwrap(), &[3; 32]);
        let cases = [
            (Checkpoint::sign(&other, head).note, NotACheckpoint::Signature),
            (Checkpoint::sign(&foreign, head).note, NotACheckpoint::Signature),
            (right.replace("\n5\n", "\n6\n"), NotACheckpoint::Signature),
            (right.replace("\n\n", "\n"), NotACheckpoint::Signature),
            (right.trim_end().to_owned(), NotACheckpoint::Signature),
            (String::new(), NotACheckpoint::Signature),
            (key().sign("example.org/log\n5\n"), NotACheckpoint::Text),
            (key().sign("example.org/other\n5\nAAAA\n"), NotACheckpoint::Text),
            (key().sign(&text_of(&right).replace("org/log", "org/other")), NotACheckpoint::Text),
            (key().sign(&text_of(&right).replace("\n5\n", "\n05\n")), NotACheckpoint::Text),
        ];
        for (note, expected) in cases {
            let opened = Checkpoint::open(note.as_bytes(), key().verifier());
            assert_eq!(opened, Err(expected), "{note}");
        }
    }

    fn text_of(note: &str) -> String {
        note.split_once("\n\n").unwrap().0.to_owned() + "\n"
    }

    #[test]
    fn signatures_of_witnesses_are_passed_over() {
        let right = Checkpoint::sign(&key(), Head { size: 5, root: [7; 32] });
        let witness = SigningKey::from_seed(&"witness.example".parse().unwrap(), &[9; 32]);
        let line = witness.sign(&text_of(&right.note));
        let line = line.rsplit_once("\n\n").unwrap().1;
        let note = format!("{}{line}", right.note);
        let opened = Checkpoint::open(note.as_bytes(), key().verifier()).unwrap();
        assert_eq!(opened.head, right.head);
    }
}
