//! The notary: takes the journal into the tree, signs its head, and puts copies of what it signed
//! outside the database. How often it is asked to is the caller's business.
//!
//! # The story of a checkpoint
//!
//! One thread at a time makes one. It first reads the copies, then takes the journal into the tree,
//! step by step. The last step, the comparison and the signature are one transaction: the new head
//! must extend the newest one that the store has signed and every head that a copy knows. If it
//! does not, nothing is signed, and the error says which head is missing. After the commit the
//! copies are written; a copy that cannot be is an alarm in the log, once, and in the status, as
//! long as it lasts.
//!
//! Several gateways on one database sign one log with one key, and may copy to the same places: a
//! copy that is ahead of the transaction can only be so because the store lost what it had, since
//! copies are read before it begins and written after a commit.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use super::checkpoint::Checkpoint;
use super::copy;
use super::head::{self, Comparison, Known, KnownHead, Place, UnreadableCopy};
use super::key::{KeyError, SigningKey, VerifierKey};
use super::log;
use super::tree::{Hash, Head};
use crate::base::origin::LogOrigin;
use crate::store::{CheckpointRow, Store, StoreError, Tx};

/// Where a log's key is and its copies go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPlaces {
    /// The log's name, if somebody has said one.
    pub origin: Option<LogOrigin>,
    /// Its name if nobody has when its key is made.
    pub origin_default: LogOrigin,
    /// The file of its key.
    pub key_file: PathBuf,
    /// The files that get a copy of each checkpoint.
    pub copies: Vec<PathBuf>,
}

/// Signs the heads of one log; clones share it.
#[derive(Clone)]
pub struct Notary(Arc<Shared>);

struct Shared {
    places: LogPlaces,
    /// Held by whoever makes a checkpoint; the key, once it has been read.
    turn: Mutex<Option<SigningKey>>,
    /// Why copies could not be read or written the last time.
    failed: Mutex<BTreeMap<PathBuf, String>>,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum NotaryError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The log has a key, and it is not here.
    #[error(
        "the audit log's key {} is missing: bring it back from a backup, or copy it from another \
         gateway on the same database; a log cannot go on under another key", path.display()
    )]
    KeyMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The log has another key.
    #[error(
        "{} is not the key of this audit log, whose verifier key is {expected}: bring the right \
         one back from a backup, or copy it from another gateway on the same database",
        path.display()
    )]
    OtherKey {
        /// Where the wrong key is.
        path: PathBuf,
        /// What checks signatures of the right one.
        expected: String,
    },
    /// The log has another name.
    #[error(
        "audit.origin is {wanted}, and the audit log is named {origin} since its first start: a \
         log's name stays, so set it to that or leave it out"
    )]
    OtherOrigin {
        /// What the settings say.
        wanted: LogOrigin,
        /// What the key says.
        origin: String,
    },
    /// The journal is shorter than it once was.
    #[error(
        "the audit log has {log_size} entries, and {} knows that it had {}: the database is an \
         older one, such as a restored backup; nothing is signed", known.place, known.head.size
    )]
    Behind {
        /// The largest head that is known.
        known: KnownHead,
        /// How many entries the journal has.
        log_size: u64,
    },
    /// The journal has other rows than it once had.
    #[error(
        "the first {} entries of the audit log are not those that {} knows: the database was \
         changed, or is an older one that has gone on; nothing is signed",
        known.head.size, known.place
    )]
    Forked {
        /// A head that the log had.
        known: KnownHead,
        /// The root that it has now at that size.
        log_root: Hash,
        /// How many entries the journal has.
        log_size: u64,
    },
}

/// What is known of the log's safekeeping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Safekeeping {
    /// The key that checks the log's signatures.
    pub verifier_key: VerifierKey,
    /// The newest checkpoint and when it was signed, in milliseconds UTC.
    pub checkpoint: Option<CheckpointRow>,
    /// The heads that are known.
    pub known: Known,
    /// Copies that could not be read or written when they were last tried.
    pub failed: Vec<UnreadableCopy>,
}

impl NotaryError {
    /// The head that the log had and has no more, and how many entries it has instead, if that is
    /// what is wrong: the ledger must then charge nothing.
    pub fn lost_head(&self) -> Option<(Head, u64)> {
        match self {
            NotaryError::Behind { known, log_size } => Some((known.head, *log_size)),
            NotaryError::Forked { known, log_size, .. } => Some((known.head, *log_size)),
            _ => None,
        }
    }
}

impl Notary {
    /// A notary for the log with these places; nothing is read yet.
    pub fn new(places: LogPlaces) -> Notary {
        let (turn, failed) = (Mutex::default(), Mutex::default());
        Notary(Arc::new(Shared { places, turn, failed }))
    }

    /// Makes sure that the log can be signed: reads its key, or makes it if the log has none, and
    /// compares the log to all heads that are known.
    ///
    /// # Errors
    /// [`NotaryError`].
    pub fn open(&self, store: &Store) -> Result<(), NotaryError> {
        let mut turn = self.turn();
        let key = self.key(&mut turn, store)?;
        let copies = self.copies(&key);
        while store.write_blocking(log::integrate)? > 0 {}
        let known = store.read(|tx| head::with_database(tx, copies))?;
        refuse_unless_in_step(store.read(|tx| head::compare(tx, &known))?)
    }

    /// Signs the log's head as it is now, and copies it; the newest checkpoint if the log has not
    /// grown since. Waits for the disk.
    ///
    /// # Errors
    /// [`NotaryError`]; then nothing was signed. A copy that fails is no error: see
    /// [`Notary::safekeeping`].
    pub fn checkpoint(&self, store: &Store, now_ms: i64) -> Result<Checkpoint, NotaryError> {
        let mut turn = self.turn();
        let key = self.key(&mut turn, store)?;
        let copies = self.copies(&key);
        // What has gathered goes in step by step, so that the transaction below is short.
        while store.write_blocking(log::integrate)? >= log::STEP_ROWS_MAX.into() {}
        let signer = key.clone();
        let checkpoint = store.write_blocking(move |tx| {
            log::integrate(tx)?;
            let known = head::with_database(tx, copies)?;
            refuse_unless_in_step(head::compare(tx, &known)?)?;
            sign(tx, &signer, now_ms)
        })?;
        for path in &self.0.places.copies {
            let written = copy::write(path, &checkpoint, key.verifier());
            self.note(path, written.err().map(|error| error.to_string()));
        }
        Ok(checkpoint)
    }

    /// Moves the copies aside that hold a head in `heads`, which the log goes on without: the next
    /// checkpoint is smaller, and would not be written over them. Returns where they went.
    ///
    /// # Errors
    /// [`NotaryError`] of the key.
    pub fn abandon(&self, store: &Store, heads: &[Head]) -> Result<Vec<PathBuf>, NotaryError> {
        let mut turn = self.turn();
        let key = self.key(&mut turn, store)?;
        let mut moved = Vec::new();
        for known in self.copies(&key).heads.iter().filter(|known| heads.contains(&known.head)) {
            let Place::Copy(path) = &known.place else { continue };
            let aside = path.with_extension(format!("abandoned-{}", known.head.size));
            let renamed = std::fs::rename(path, &aside);
            self.note(path, renamed.err().map(|error| error.to_string()));
            moved.push(aside);
        }
        Ok(moved)
    }

    /// How the log is kept safe: its key, its newest checkpoint, and what became of the copies.
    ///
    /// # Errors
    /// [`NotaryError`].
    pub fn safekeeping(&self, store: &Store) -> Result<Safekeeping, NotaryError> {
        let key = {
            let mut turn = self.turn();
            self.key(&mut turn, store)?
        };
        let verifier_key = key.verifier().clone();
        let copies = &self.0.places.copies;
        let (known, checkpoint) = store.read(|tx| {
            let known = head::newest_known(tx, &verifier_key, copies)?;
            Ok::<_, StoreError>((known, tx.checkpoint_newest()?))
        })?;
        let told = |(path, why): (&PathBuf, &String)| UnreadableCopy {
            path: path.clone(),
            why: why.clone(),
        };
        let failed = self.failed().iter().map(told).collect();
        Ok(Safekeeping { verifier_key, checkpoint, known, failed })
    }

    fn turn(&self) -> MutexGuard<'_, Option<SigningKey>> {
        self.0.turn.lock().unwrap_or_else(|poisoned| {
            // Whoever panicked left a key or none, and both are right.
            poisoned.into_inner()
        })
    }

    fn failed(&self) -> MutexGuard<'_, BTreeMap<PathBuf, String>> {
        self.0.failed.lock().expect("nobody panics while they hold this")
    }

    fn key(&self, turn: &mut Option<SigningKey>, store: &Store) -> Result<SigningKey, NotaryError> {
        if let Some(key) = turn {
            return Ok(key.clone());
        }
        let LogPlaces { origin, origin_default, key_file, .. } = &self.0.places;
        let expected = store.read(|tx| tx.audit_log())?.verifier_key;
        let path = key_file.clone();
        let key = match (SigningKey::read(key_file)?, &expected) {
            (Some(key), _) => key,
            (None, Some(_)) => return Err(NotaryError::KeyMissing { path }),
            (None, None) => {
                let origin = origin.as_ref().unwrap_or(origin_default);
                let key = SigningKey::create(key_file, origin)?;
                tracing::info!(
                    verifier_key = %key.verifier(), path = %path.display(),
                    "the audit log has a new key: keep a backup of it"
                );
                key
            }
        };
        if let Some(wanted) = origin.clone().filter(|wanted| wanted.as_str() != key.origin()) {
            return Err(NotaryError::OtherOrigin { wanted, origin: key.origin().to_owned() });
        }
        let own = key.verifier().to_string();
        let expected = store.write_blocking(move |tx| {
            // Another gateway may have been quicker.
            let expected = tx.audit_log()?.verifier_key;
            if expected.is_none() {
                tx.audit_log_set_key(&own)?;
            }
            Ok::<_, StoreError>(expected.unwrap_or(own))
        })?;
        if expected != key.verifier().to_string() {
            return Err(NotaryError::OtherKey { path, expected });
        }
        *turn = Some(key.clone());
        Ok(key)
    }

    /// The heads in the copies; what cannot be read is an alarm.
    fn copies(&self, key: &SigningKey) -> Known {
        let known = head::copies(key.verifier(), &self.0.places.copies);
        for UnreadableCopy { path, why } in &known.unreadable {
            self.note(path, Some(why.clone()));
        }
        known
    }

    /// Remembers how it went with a copy, and raises an alarm when that is another failure than
    /// before.
    fn note(&self, path: &PathBuf, why: Option<String>) {
        let mut failed = self.failed();
        let before = failed.remove(path);
        let Some(why) = why else {
            if before.is_some() {
                let path = path.display();
                tracing::info!(%path, "the copy of the checkpoint is written again");
            }
            return;
        };
        if before.as_ref() != Some(&why) {
            tracing::error!(
                path = %path.display(), why,
                "a copy of the audit log's checkpoint fails: a restored backup may go unnoticed"
            );
        }
        failed.insert(path.clone(), why);
    }
}

fn refuse_unless_in_step(comparison: Comparison) -> Result<(), NotaryError> {
    match comparison {
        Comparison::InStep => Ok(()),
        Comparison::Behind { known, log_size } => Err(NotaryError::Behind { known, log_size }),
        Comparison::Forked { known, log_root, log_size } => {
            Err(NotaryError::Forked { known, log_root, log_size })
        }
    }
}

/// Signs the tree's head, unless that is done already.
///
/// # Panics
/// If the head does not extend the newest one: that has just been compared.
fn sign(tx: &Tx<'_>, key: &SigningKey, now_ms: i64) -> Result<Checkpoint, NotaryError> {
    let head = log::head(tx)?;
    if let Some(newest) = tx.checkpoint_newest()? {
        let before = Head { size: newest.size, root: newest.root };
        if before == head {
            return Ok(Checkpoint { head, note: newest.note });
        }
        let extends = log::tiles(tx).extends(&before, &head)?;
        assert!(extends, "every checkpoint extends all earlier ones");
    }
    let checkpoint = Checkpoint::sign(key, head);
    tx.checkpoint_add(&CheckpointRow {
        size: head.size,
        at_ms: now_ms,
        root: head.root,
        note: checkpoint.note.clone(),
    })?;
    Ok(checkpoint)
}
