//! API keys: issuing, revoking and what state one is in; the secret itself is `token`'s.

use serde::{Deserialize, Serialize};

use super::person;
use super::token::Token;
use super::words::{Scope, Status};
use super::{DirectoryError, text};
use crate::audit::{self, Leaf, name};
use crate::base::date::{DAY_MS, rfc3339};
use crate::base::party::{Actor, KeyId};
use crate::store::{KeyRow, StoreError, Tx};

/// How long a key lives if nobody says otherwise, in milliseconds.
pub const LIFETIME_MS: i64 = 365 * DAY_MS;
/// How long a key may live, in milliseconds.
pub const LIFETIME_MS_MAX: i64 = 2 * LIFETIME_MS;
/// After so long without use a key is refused, in milliseconds (the policy's 365 days).
const DORMANT_AFTER_MS: i64 = 365 * DAY_MS;
/// Longest label.
const LABEL_CHARS_MAX: usize = 100;

/// A key that somebody should get.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// The mail address of whom.
    pub mail: String,
    /// What it is for, in words.
    pub label: Option<String>,
    /// What it opens.
    pub scope: Scope,
    /// How long it lives, in milliseconds; none means [`LIFETIME_MS`].
    pub lifetime_ms: Option<i64>,
}

/// What a key is good for at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It opens what its scope says.
    Active,
    /// It was voided.
    Revoked,
    /// Its time is over.
    Expired,
    /// It was not used for over 365 days.
    Dormant,
}

impl KeyState {
    /// The word that people and JSON read.
    pub fn word(self) -> &'static str {
        match self {
            KeyState::Active => "active",
            KeyState::Revoked => "revoked",
            KeyState::Expired => "expired",
            KeyState::Dormant => "dormant",
        }
    }
}

/// Makes a key and returns it with its token, which cannot be had a second time.
///
/// # Errors
/// [`DirectoryError::NotFound`] for the person, [`DirectoryError::Conflict`] if they are
/// suspended, [`DirectoryError::Invalid`] for label or lifetime.
pub fn issue(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    request: &Issue,
) -> Result<(KeyRow, Token), DirectoryError> {
    let person = person::find(tx, &request.mail)?;
    if Status::of_row(&person.status) != Status::Active {
        let mail = person.mail;
        let message = format!("`{mail}` is suspended; `hydrant person resume {mail}` comes first");
        return Err(DirectoryError::Conflict(message));
    }
    let label = request.label.as_deref().unwrap_or("key");
    let token = Token::generate();
    let mut row = KeyRow {
        id: KeyId(0),
        person: person.id,
        hash: token.hash().0,
        label: text::line("the label", label, LABEL_CHARS_MAX)?,
        scope: request.scope.word().to_owned(),
        created_ms: now_ms,
        expires_ms: now_ms + lifetime_ms(request.lifetime_ms)?,
        revoked_ms: None,
        last_used_ms: None,
    };
    row.id = tx.key_insert(&row)?;
    let leaf = Leaf::KeyIssued {
        key: row.id,
        person: name::of_person(tx, row.person)?,
        scope: row.scope.clone(),
        expires_ms: row.expires_ms,
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    Ok((row, token))
}

fn lifetime_ms(wanted_ms: Option<i64>) -> Result<i64, DirectoryError> {
    let lifetime_ms = wanted_ms.unwrap_or(LIFETIME_MS);
    if !(1..=LIFETIME_MS_MAX).contains(&lifetime_ms) {
        let days_max = LIFETIME_MS_MAX / DAY_MS;
        let message = format!("a key lives for at most {days_max}d; give less with --expires");
        return Err(DirectoryError::Invalid(message));
    }
    Ok(lifetime_ms)
}

/// Voids a key from now on; a download under way stops at its next chunk.
///
/// # Errors
/// [`DirectoryError::NotFound`], or [`DirectoryError::Conflict`] if it is void already.
pub fn revoke(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    key: KeyId,
) -> Result<KeyRow, DirectoryError> {
    let mut row = tx.key_by_id(key)?.ok_or_else(|| {
        let number = key.0;
        let message = format!("there is no key {number}; `hydrant key list` shows them");
        DirectoryError::NotFound(message)
    })?;
    if let Some(revoked_ms) = row.revoked_ms {
        let message = format!("key {} was revoked at {} already", key.0, rfc3339(revoked_ms));
        return Err(DirectoryError::Conflict(message));
    }
    row.revoked_ms = Some(now_ms);
    tx.key_set_revoked(key, now_ms)?;
    audit::append(tx, now_ms, &Leaf::KeyRevoked { key, actor: name::of_actor(tx, actor)? })?;
    Ok(row)
}

/// What the key is good for now.
pub fn state(row: &KeyRow, now_ms: i64) -> KeyState {
    let last_sign_ms = row.last_used_ms.unwrap_or(row.created_ms);
    if row.revoked_ms.is_some() {
        KeyState::Revoked
    } else if now_ms >= row.expires_ms {
        KeyState::Expired
    } else if now_ms - last_sign_ms > DORMANT_AFTER_MS {
        KeyState::Dormant
    } else {
        KeyState::Active
    }
}

/// Notes that a key was used; no decision, so no leaf. Called when
/// [`super::Requester::use_unnoted`] says so, which is at most once a day.
///
/// # Errors
/// [`StoreError`] of the update.
pub fn note_use(tx: &Tx<'_>, now_ms: i64, key: KeyId) -> Result<(), StoreError> {
    tx.key_set_last_used(key, now_ms)
}
