//! Signing in without a password: links that are good for one time and 15 minutes.
//!
//! A link is looked at as often as somebody likes, for scanners of mail open every one; it is used
//! up by the one transaction that begins a session.

use super::letter;
use super::secret::Secret;
use super::session::{self, Lifetime};
use super::token::TokenHash;
use super::words::Status;
use super::{DirectoryError, mail, person};
use crate::audit::{self, Leaf, name};
use crate::base::date::DAY_MS;
use crate::base::party::Actor;
use crate::store::{PersonRow, SessionRow, SignInLinkRow, StoreError, Tx};

/// How long a link is good, in milliseconds.
pub const LINK_MS: i64 = 15 * 60_000;
/// How many links may be made for one person in an hour.
const LINKS_PER_HOUR_MAX: u64 = 10;
/// How many of these may be asked for by whoever knows the address.
const ASKED_PER_HOUR_MAX: u64 = 5;
const HOUR_MS: i64 = 3_600_000;

/// Why a link opens nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LinkError {
    /// Nobody made it.
    #[error("there is no such link")]
    Unknown,
    /// It was used already.
    #[error("this link was used already; it is good for one time only")]
    Used,
    /// Its time is over.
    #[error("this link is too old")]
    Expired,
    /// The person may not do anything.
    #[error("your access is suspended; ask your operator why")]
    Suspended,
    /// The store could not say or keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A browser that is about to get a session.
#[derive(Clone, Debug)]
pub struct Browser {
    /// What its session is called.
    pub label: String,
    /// How long its session lasts.
    pub lifetime: Lifetime,
    /// The hash of the session that it had before, which ends now.
    pub before: Option<TokenHash>,
}

/// Makes a link for the person with that mail address, for an operator to hand over.
///
/// # Errors
/// [`DirectoryError::NotFound`], or [`DirectoryError::Conflict`] if they are suspended or have had
/// too many.
pub fn invite(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    mail: &str,
) -> Result<(PersonRow, SignInLinkRow, Secret), DirectoryError> {
    let person = person::find(tx, mail)?;
    let (row, secret) = make_link(tx, now_ms, &person)?;
    let leaf = Leaf::SignInLinkMade {
        person: name::of_person(tx, person.id)?,
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    Ok((person, row, secret))
}

/// Makes a link and returns it with its secret, which cannot be had a second time.
///
/// # Errors
/// [`DirectoryError::Conflict`] if the person is suspended or has had too many.
pub(super) fn make_link(
    tx: &Tx<'_>,
    now_ms: i64,
    person: &PersonRow,
) -> Result<(SignInLinkRow, Secret), DirectoryError> {
    let mail = &person.mail;
    if Status::of_row(&person.status) != Status::Active {
        let message = format!("`{mail}` is suspended; `hydrant person resume {mail}` comes first");
        return Err(DirectoryError::Conflict(message));
    }
    if tx.sign_in_links_since(person.id, now_ms - HOUR_MS)? >= LINKS_PER_HOUR_MAX {
        let message =
            format!("`{mail}` has had {LINKS_PER_HOUR_MAX} links within the hour; try again later");
        return Err(DirectoryError::Conflict(message));
    }
    tx.sign_in_links_remove_expired(now_ms - DAY_MS)?;
    let secret = Secret::generate();
    let mut row = SignInLinkRow {
        id: 0,
        person: person.id,
        hash: secret.hash().0,
        created_ms: now_ms,
        expires_ms: now_ms + LINK_MS,
        used_ms: None,
    };
    row.id = tx.sign_in_link_insert(&row)?;
    Ok((row, secret))
}

/// The normalised form of a mail address.
///
/// # Errors
/// [`DirectoryError::Invalid`] for what is no address.
pub fn checked_mail(mail: &str) -> Result<String, DirectoryError> {
    mail::normalised(mail)
}

/// Sees to it that a link is mailed to the person with that address, if there is one who may sign
/// in and has not asked too often. Whether there is one the asker never learns.
///
/// # Errors
/// [`DirectoryError::Invalid`] for what is no address, or the store's.
pub fn ask(tx: &Tx<'_>, now_ms: i64, mail: &str) -> Result<(), DirectoryError> {
    let mail = mail::normalised(mail)?;
    let Some(person) = tx.person_by_mail(&mail)? else { return Ok(()) };
    if Status::of_row(&person.status) != Status::Active {
        return Ok(());
    }
    let since_ms = now_ms - HOUR_MS;
    let made = tx.sign_in_links_since(person.id, since_ms)?;
    if made + tx.letters_waiting_for(&mail, since_ms)? < ASKED_PER_HOUR_MAX {
        letter::sign_in(tx, now_ms, &person)?;
    }
    Ok(())
}

/// Whose link it is, without using it up.
///
/// # Errors
/// [`LinkError`] if it would open nothing.
pub fn look(
    tx: &Tx<'_>,
    now_ms: i64,
    hash: &TokenHash,
) -> Result<(SignInLinkRow, PersonRow), LinkError> {
    let link = tx.sign_in_link_by_hash(&hash.0)?.ok_or(LinkError::Unknown)?;
    if link.used_ms.is_some() {
        return Err(LinkError::Used);
    }
    if now_ms >= link.expires_ms {
        return Err(LinkError::Expired);
    }
    let person = tx.person_by_id(link.person)?.ok_or(LinkError::Unknown)?;
    match Status::of_row(&person.status) {
        Status::Active => Ok((link, person)),
        _ => Err(LinkError::Suspended),
    }
}

/// Uses a link up and begins a session in `browser`; the session that it had is over.
///
/// # Errors
/// [`LinkError`] if the link opens nothing; then nothing changes.
pub fn sign_in(
    tx: &Tx<'_>,
    now_ms: i64,
    hash: &TokenHash,
    browser: Browser,
) -> Result<(SessionRow, Secret), LinkError> {
    let (link, person) = look(tx, now_ms, hash)?;
    tx.sign_in_link_set_used(link.id, now_ms)?;
    Ok(enter(tx, now_ms, &person, browser)?)
}

/// Begins a session of a person who has proved who they are; the one that `browser` had is over.
///
/// # Errors
/// [`StoreError`] of the changes.
pub fn enter(
    tx: &Tx<'_>,
    now_ms: i64,
    person: &PersonRow,
    browser: Browser,
) -> Result<(SessionRow, Secret), StoreError> {
    enter_by(tx, now_ms, person, browser, None)
}

/// As [`enter`]; `issuer` is the provider that has proved it, if one has.
pub(super) fn enter_by(
    tx: &Tx<'_>,
    now_ms: i64,
    person: &PersonRow,
    browser: Browser,
    issuer: Option<String>,
) -> Result<(SessionRow, Secret), StoreError> {
    if let Some(before) = browser.before
        && let Some(row) = tx.session_by_hash(&before.0)?
    {
        // Over already is as good.
        let ended = session::revoke(tx, now_ms, &Actor::Person(person.id), row.id);
        if let Err(DirectoryError::Store(error)) = ended {
            return Err(error);
        }
    }
    session::begin(tx, now_ms, person.id, browser, issuer)
}

/// Removes all by which a person could sign in, with what they registered as and what is to be
/// sent to them; a download that began in a session of theirs ends at its next chunk.
///
/// # Errors
/// [`StoreError`] of the changes.
pub(super) fn forget(tx: &Tx<'_>, person: &PersonRow) -> Result<(), StoreError> {
    tx.sign_in_links_remove_of(person.id)?;
    tx.sessions_remove_of(person.id)?;
    tx.identity_proofs_remove_of(person.id, &person.mail)?;
    tx.identities_remove_of(person.id)?;
    tx.registrations_remove_of(&person.mail)
}
