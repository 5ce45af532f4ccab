//! API keys: issuing, rotating, waking, revoking and what state one is in; the secret itself is
//! `token`'s.

use serde::{Deserialize, Serialize};

use super::token::Token;
use super::words::{Scope, Status};
use super::{DirectoryError, text};
use super::{person, staff};
use crate::audit::{self, Leaf, name};
use crate::base::date::{DAY_MS, rfc3339};
use crate::base::party::{Actor, KeyId};
use crate::store::{KeyRow, PersonRow, StoreError, Tx};

/// How long keys of each scope live if nobody says otherwise, and at most, in days.
const LIFETIMES: &[(Scope, i64, i64)] =
    &[(Scope::Download, 365, 730), (Scope::Catalogue, 365, 730), (Scope::Operate, 90, 90)];
/// How long a key is good for beside its successor if nobody says otherwise, in milliseconds.
pub const OVERLAP_MS: i64 = 7 * DAY_MS;
/// How long it may be, in milliseconds.
pub const OVERLAP_MS_MAX: i64 = 30 * DAY_MS;
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
    /// How long it lives, in milliseconds; none means as long as is usual for its scope.
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
/// suspended, [`DirectoryError::Invalid`] for label or lifetime; [`DirectoryError::Forbidden`] for
/// a key to operate with that is not issued on the gateway's machine.
pub fn issue(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    request: &Issue,
) -> Result<(KeyRow, Token), DirectoryError> {
    let person = person::find(tx, &request.mail)?;
    check_owner(tx, actor, &person, request.scope)?;
    let label = request.label.as_deref().unwrap_or("key");
    let row = KeyRow {
        id: KeyId(0),
        person: person.id,
        hash: [0; 32],
        label: text::line("the label", label, LABEL_CHARS_MAX)?,
        scope: request.scope.word().to_owned(),
        created_ms: now_ms,
        expires_ms: now_ms + lifetime_ms(request.scope, request.lifetime_ms)?,
        revoked_ms: None,
        last_used_ms: None,
        reactivated_ms: None,
        successor: None,
    };
    enter(tx, now_ms, actor, row)
}

/// Whether a key of that scope may be made for `person`.
fn check_owner(
    tx: &Tx<'_>,
    actor: &Actor,
    person: &PersonRow,
    scope: Scope,
) -> Result<(), DirectoryError> {
    let mail = &person.mail;
    if Status::of_row(&person.status) != Status::Active {
        let message = format!("`{mail}` is suspended; `hydrant person resume {mail}` comes first");
        return Err(DirectoryError::Conflict(message));
    }
    if scope != Scope::Operate {
        return Ok(());
    }
    if !matches!(actor, Actor::Local(_)) {
        let message = "a key to operate with is issued on the machine of the gateway only, with \
                       `hydrant key issue --scope operate`";
        return Err(DirectoryError::Forbidden(message.into()));
    }
    if staff::rank_of(tx, person.id)?.is_none() {
        let message = format!(
            "`{mail}` does not run the gateway; `hydrant person appoint {mail} --as operator` \
             comes first"
        );
        return Err(DirectoryError::Conflict(message));
    }
    Ok(())
}

/// Enters a key as `row` has it, with a number and a token of its own.
fn enter(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    mut row: KeyRow,
) -> Result<(KeyRow, Token), DirectoryError> {
    let token = Token::generate();
    row.hash = token.hash().0;
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

fn lifetime_ms(scope: Scope, wanted_ms: Option<i64>) -> Result<i64, DirectoryError> {
    let row = LIFETIMES.iter().find(|row| row.0 == scope);
    let &(_, usual_days, days_max) = row.expect("every scope has a row");
    let lifetime_ms = wanted_ms.unwrap_or(usual_days * DAY_MS);
    if !(1..=days_max * DAY_MS).contains(&lifetime_ms) {
        let message = format!(
            "a key of the scope `{scope}` lives for at most {days_max}d; give less with --expires"
        );
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
    let mut row = find(tx, key)?;
    if let Some(revoked_ms) = row.revoked_ms {
        let message = format!("key {} was revoked at {} already", key.0, rfc3339(revoked_ms));
        return Err(DirectoryError::Conflict(message));
    }
    row.revoked_ms = Some(now_ms);
    tx.key_set_revoked(key, now_ms)?;
    audit::append(tx, now_ms, &Leaf::KeyRevoked { key, actor: name::of_actor(tx, actor)? })?;
    Ok(row)
}

/// The key with that number.
///
/// # Errors
/// [`DirectoryError::NotFound`].
pub fn find(tx: &Tx<'_>, key: KeyId) -> Result<KeyRow, DirectoryError> {
    tx.key_by_id(key)?.ok_or_else(|| {
        let number = key.0;
        let message = format!("there is no key {number}; `hydrant key list` shows them");
        DirectoryError::NotFound(message)
    })
}

/// Makes a key that takes the place of another one, with the same owner, label, scope and
/// lifetime. Both are good for `overlap_ms` ([`OVERLAP_MS`] if nobody says), unless the old one
/// expires before.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if the key is revoked or expired or
/// has a successor; [`DirectoryError::Invalid`] for the overlap; else as [`issue`].
pub fn rotate(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    key: KeyId,
    overlap_ms: Option<i64>,
) -> Result<(KeyRow, Token), DirectoryError> {
    let old = find(tx, key)?;
    let number = key.0;
    let overlap_ms = overlap_ms.unwrap_or(OVERLAP_MS);
    if !(0..=OVERLAP_MS_MAX).contains(&overlap_ms) {
        let days_max = OVERLAP_MS_MAX / DAY_MS;
        let message = format!("two keys overlap for at most {days_max}d; give less with --overlap");
        return Err(DirectoryError::Invalid(message));
    }
    if let Some(KeyId(successor)) = old.successor {
        let message = format!("key {number} has a successor already, key {successor}: rotate that");
        return Err(DirectoryError::Conflict(message));
    }
    let state = state(&old, now_ms);
    if matches!(state, KeyState::Revoked | KeyState::Expired) {
        let message =
            format!("key {number} is {}; `hydrant key issue` makes another", state.word());
        return Err(DirectoryError::Conflict(message));
    }
    let Some(scope) = Scope::from_word(&old.scope) else {
        let message = format!("key {number} is of a newer hydrant, which has to rotate it");
        return Err(DirectoryError::Conflict(message));
    };
    let person = tx.person_by_id(old.person)?;
    let person = person.expect("a key's owner is there: a foreign key says so");
    check_owner(tx, actor, &person, scope)?;
    let lifetime_ms = lifetime_ms(scope, Some(old.expires_ms - old.created_ms))?;
    let successor = KeyRow {
        created_ms: now_ms,
        expires_ms: now_ms + lifetime_ms,
        last_used_ms: None,
        reactivated_ms: None,
        ..old.clone()
    };
    let (row, token) = enter(tx, now_ms, actor, successor)?;
    let expires_ms = old.expires_ms.min(now_ms + overlap_ms);
    tx.key_set_successor(key, row.id, expires_ms)?;
    let (successor, actor) = (row.id, name::of_actor(tx, actor)?);
    audit::append(tx, now_ms, &Leaf::KeyRotated { key, successor, expires_ms, actor })?;
    Ok((row, token))
}

/// Wakes a key that is dormant; its year without use begins anew.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if it is not dormant.
pub fn reactivate(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    key: KeyId,
) -> Result<KeyRow, DirectoryError> {
    let mut row = find(tx, key)?;
    let state = state(&row, now_ms);
    if state != KeyState::Dormant {
        let message = format!("key {} is {}, and only dormant ones are woken", key.0, state.word());
        return Err(DirectoryError::Conflict(message));
    }
    row.reactivated_ms = Some(now_ms);
    tx.key_set_reactivated(key, now_ms)?;
    audit::append(tx, now_ms, &Leaf::KeyReactivated { key, actor: name::of_actor(tx, actor)? })?;
    Ok(row)
}

/// What the key is good for now.
pub fn state(row: &KeyRow, now_ms: i64) -> KeyState {
    let last_sign_ms = row.last_used_ms.unwrap_or(row.created_ms);
    let last_sign_ms = last_sign_ms.max(row.reactivated_ms.unwrap_or(i64::MIN));
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
