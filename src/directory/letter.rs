//! Letters that are to go out by mail: writing one down, and taking it up again to be sent; not
//! how it is sent.
//!
//! A letter is a row of the same transaction as what it tells of, so a crash loses none. It holds
//! no secret: the link that it brings is made in the moment in which it is taken up to be sent.

use super::secret::Secret;
use super::words::LetterKind;
use super::{DirectoryError, sign_in};
use crate::base::date::DAY_MS;
use crate::store::{LetterRow, PersonRow, RegistrationRow, StoreError, Tx};

/// How many letters may wait; more are not written, and what they are about is told on pages.
const WAITING_MAX: u64 = 10_000;
/// How long it is worth trying to send a notice, in milliseconds.
const NOTICE_MS: i64 = 3 * DAY_MS;
/// How long the first try may take before another begins, in milliseconds; each further one
/// twice as long.
const FIRST_PAUSE_MS: i64 = 30_000;
/// The longest pause, in milliseconds.
const PAUSE_MS_MAX: i64 = 3_600_000;

/// A letter that is to be sent now.
#[derive(Debug)]
pub struct Letter {
    /// Its row, for [`sent`].
    pub id: i64,
    /// The address that it goes to.
    pub mail: String,
    /// What it says.
    pub content: Content,
}

/// What a letter says.
#[derive(Debug)]
pub enum Content {
    /// A link to sign in by.
    SignIn {
        /// Whose it is.
        name: String,
        /// The secret in the link.
        secret: Secret,
    },
    /// A link that shows that the address is theirs.
    Verification {
        /// Who registered.
        name: String,
        /// The secret in the link.
        secret: Secret,
    },
    /// What somebody should know.
    Notice {
        /// What it is about.
        subject: String,
        /// All of it.
        text: String,
    },
}

/// Writes a letter with a link to sign in by.
pub(super) fn sign_in(tx: &Tx<'_>, now_ms: i64, person: &PersonRow) -> Result<(), StoreError> {
    let row = LetterRow { person: Some(person.id), ..blank(LetterKind::SignIn, now_ms) };
    write(tx, LetterRow { mail: person.mail.clone(), ..row }, sign_in::LINK_MS)
}

/// Writes a letter with a link that verifies a registration.
pub(super) fn verification(
    tx: &Tx<'_>,
    now_ms: i64,
    registration: &RegistrationRow,
) -> Result<(), StoreError> {
    let row = LetterRow {
        registration: Some(registration.id),
        mail: registration.mail.clone(),
        ..blank(LetterKind::Verification, now_ms)
    };
    write(tx, row, registration.expires_ms - now_ms)
}

/// Writes a letter that tells something; where this gateway is and how to sign in is added.
///
/// # Errors
/// [`StoreError`] of the changes.
pub fn notice(
    tx: &Tx<'_>,
    now_ms: i64,
    mail: &str,
    subject: &str,
    text: &str,
) -> Result<(), StoreError> {
    let row = LetterRow {
        mail: mail.to_owned(),
        subject: Some(subject.to_owned()),
        text: Some(text.to_owned()),
        ..blank(LetterKind::Notice, now_ms)
    };
    write(tx, row, NOTICE_MS)
}

fn blank(kind: LetterKind, now_ms: i64) -> LetterRow {
    LetterRow {
        id: 0,
        mail: String::new(),
        kind: kind.word().to_owned(),
        person: None,
        registration: None,
        subject: None,
        text: None,
        created_ms: now_ms,
        due_ms: now_ms,
        expires_ms: now_ms,
        attempts: 0,
    }
}

fn write(tx: &Tx<'_>, row: LetterRow, good_ms: i64) -> Result<(), StoreError> {
    tx.letters_remove_expired(row.created_ms)?;
    if tx.letters_waiting()? < WAITING_MAX {
        tx.letter_insert(&LetterRow { expires_ms: row.created_ms + good_ms, ..row })?;
    }
    Ok(())
}

/// Takes up the letter that has been due longest; unless [`sent`] is told, it is due again later.
///
/// # Errors
/// [`StoreError`] of the changes.
pub fn take_up(tx: &Tx<'_>, now_ms: i64) -> Result<Option<Letter>, StoreError> {
    while let Some(row) = tx.letter_due(now_ms)? {
        let content = match row.expires_ms > now_ms {
            true => content(tx, now_ms, &row)?,
            false => None,
        };
        let Some(content) = content else {
            tx.letter_remove(row.id)?;
            continue;
        };
        let doubled = FIRST_PAUSE_MS.checked_shl(row.attempts).unwrap_or(PAUSE_MS_MAX);
        let pause_ms = doubled.clamp(FIRST_PAUSE_MS, PAUSE_MS_MAX);
        tx.letter_set_tried(row.id, row.attempts + 1, now_ms + pause_ms)?;
        return Ok(Some(Letter { id: row.id, mail: row.mail, content }));
    }
    Ok(None)
}

/// What a letter says; `None` if there is nothing to say any more.
fn content(tx: &Tx<'_>, now_ms: i64, row: &LetterRow) -> Result<Option<Content>, StoreError> {
    match LetterKind::from_word(&row.kind) {
        Some(LetterKind::SignIn) => {
            let Some(person) = row.person.map(|id| tx.person_by_id(id)).transpose()?.flatten()
            else {
                return Ok(None);
            };
            match sign_in::make_link(tx, now_ms, &person) {
                Ok((_, secret)) => Ok(Some(Content::SignIn { name: person.name, secret })),
                Err(DirectoryError::Store(error)) => Err(error),
                Err(_) => Ok(None),
            }
        }
        Some(LetterKind::Verification) => {
            let found = row.registration.map(|id| tx.registration_by_id(id)).transpose()?;
            let Some(registration) = found.flatten() else { return Ok(None) };
            let secret = Secret::generate();
            tx.registration_set_hash(registration.id, &secret.hash().0)?;
            Ok(Some(Content::Verification { name: registration.name, secret }))
        }
        Some(LetterKind::Notice) => Ok(row.subject.clone().zip(row.text.clone()).map(|parts| {
            let (subject, text) = parts;
            Content::Notice { subject, text }
        })),
        // Of a newer program.
        None => Ok(None),
    }
}

/// Notes that a letter needs no further try: it went out, or its address takes none.
///
/// # Errors
/// [`StoreError`] of the change.
pub fn sent(tx: &Tx<'_>, letter: i64) -> Result<(), StoreError> {
    tx.letter_remove(letter)
}
