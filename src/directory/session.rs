//! Sessions: browsers in which somebody has signed in; how one signs in is `sign_in`'s business.
//!
//! A session's secret lives in a cookie and is replaced once a day and whenever the person's rank
//! changes; for a minute the one before it is still good, because a browser asks for several
//! things at once. A session is over when nobody has used it for a while, at its end anyway, or
//! when somebody revokes it; a download that began with it ends at its next chunk.

use rand::RngExt;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use super::secret::Secret;
use super::sign_in::Browser;
use super::token::TokenHash;
use super::{AuthError, DirectoryError};
use crate::audit::{self, Leaf, name};
use crate::base::date::DAY_MS;
use crate::base::party::{Actor, PersonId, SessionId};
use crate::store::{SessionRow, StoreError, Tx};

/// How old the secret of a session may become, in milliseconds.
const SECRET_MS_MAX: i64 = DAY_MS;
/// How long a replaced secret is still good, in milliseconds.
const PREVIOUS_MS_MAX: i64 = 60_000;
/// How exact the last use is known, in milliseconds.
const SEEN_MS: i64 = 60_000;
/// How long a session that is over is still listed, in milliseconds.
const KEPT_MS: i64 = 30 * DAY_MS;

/// How long sessions last, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Without use.
    pub idle_ms: i64,
    /// In all.
    pub whole_ms: i64,
}

/// What a session is good for at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// It stands for its person.
    Active,
    /// It was voided.
    Revoked,
    /// Its time is over.
    Ended,
}

impl SessionState {
    /// The word that people and JSON read.
    pub fn word(self) -> &'static str {
        match self {
            SessionState::Active => "active",
            SessionState::Revoked => "revoked",
            SessionState::Ended => "ended",
        }
    }
}

/// What the session is good for now.
pub fn state(row: &SessionRow, now_ms: i64) -> SessionState {
    if row.revoked_ms.is_some() {
        SessionState::Revoked
    } else if now_ms >= row.until_ms {
        SessionState::Ended
    } else {
        SessionState::Active
    }
}

/// Begins a session of `person` in `browser` and returns it with the secret of its cookie;
/// `issuer` is the provider that has proved who they are, if one has.
///
/// # Errors
/// [`StoreError`] of the changes.
pub(super) fn begin(
    tx: &Tx<'_>,
    now_ms: i64,
    person: PersonId,
    browser: Browser,
    issuer: Option<String>,
) -> Result<(SessionRow, Secret), StoreError> {
    let Browser { label, lifetime, .. } = browser;
    tx.sessions_remove_ended(now_ms - KEPT_MS)?;
    let secret = Secret::generate();
    let mut row = SessionRow {
        id: SessionId(0),
        person,
        hash: secret.hash().0,
        previous_hash: None,
        form_key: UnwrapErr(SysRng).random(),
        label,
        created_ms: now_ms,
        seen_ms: now_ms,
        rotated_ms: now_ms,
        until_ms: now_ms + lifetime.idle_ms.min(lifetime.whole_ms),
        end_ms: now_ms + lifetime.whole_ms,
        revoked_ms: None,
    };
    row.id = tx.session_insert(&row)?;
    let leaf = Leaf::SignedIn { session: row.id, person: name::of_person(tx, person)?, issuer };
    audit::append(tx, now_ms, &leaf)?;
    Ok((row, secret))
}

/// The session whose cookie carries a secret with that hash.
///
/// # Errors
/// [`AuthError::SessionUnknown`], [`AuthError::SessionEnded`], or the store's.
pub fn find(tx: &Tx<'_>, hash: &TokenHash, now_ms: i64) -> Result<SessionRow, AuthError> {
    let row = tx.session_by_hash(&hash.0)?.ok_or(AuthError::SessionUnknown)?;
    let is_replaced = row.hash != hash.0;
    if is_replaced && now_ms - row.rotated_ms > PREVIOUS_MS_MAX {
        return Err(AuthError::SessionUnknown);
    }
    match state(&row, now_ms) {
        SessionState::Active => Ok(row),
        SessionState::Revoked | SessionState::Ended => Err(AuthError::SessionEnded),
    }
}

/// Whether the last use of the session should be noted: at most once a minute.
pub fn is_use_unnoted(row: &SessionRow, now_ms: i64) -> bool {
    now_ms - row.seen_ms >= SEEN_MS
}

/// Notes that a session was used; no decision, so no leaf.
///
/// # Errors
/// [`StoreError`] of the update.
pub fn note_use(
    tx: &Tx<'_>,
    now_ms: i64,
    session: SessionId,
    lifetime: Lifetime,
) -> Result<(), StoreError> {
    let Some(row) = tx.session_by_id(session)? else { return Ok(()) };
    if state(&row, now_ms) != SessionState::Active || now_ms <= row.seen_ms {
        return Ok(());
    }
    tx.session_set_seen(session, now_ms, (now_ms + lifetime.idle_ms).min(row.end_ms))
}

/// Whether the session that was found by `hash` needs another secret.
pub fn is_secret_old(row: &SessionRow, hash: &TokenHash, now_ms: i64) -> bool {
    row.hash == hash.0 && now_ms - row.rotated_ms >= SECRET_MS_MAX
}

/// Gives the session another secret, if the one with that hash is in force and old.
///
/// # Errors
/// [`StoreError`] of the changes.
pub fn rotate(
    tx: &Tx<'_>,
    now_ms: i64,
    session: SessionId,
    hash: &TokenHash,
) -> Result<Option<Secret>, StoreError> {
    let row = tx.session_by_id(session)?.filter(|row| is_secret_old(row, hash, now_ms));
    if row.is_none_or(|row| state(&row, now_ms) != SessionState::Active) {
        return Ok(None);
    }
    let secret = Secret::generate();
    tx.session_set_secret(session, &secret.hash().0, now_ms)?;
    Ok(Some(secret))
}

/// Voids a session from now on; a download under way stops at its next chunk.
///
/// # Errors
/// [`DirectoryError::NotFound`], or [`DirectoryError::Conflict`] if it is over already.
pub fn revoke(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    session: SessionId,
) -> Result<SessionRow, DirectoryError> {
    let mut row = tx.session_by_id(session)?.ok_or_else(|| {
        let number = session.0;
        let message = format!("there is no session {number}; `hydrant session list` shows them");
        DirectoryError::NotFound(message)
    })?;
    match state(&row, now_ms) {
        SessionState::Active => {}
        over => {
            let message = format!("session {} is {} already", session.0, over.word());
            return Err(DirectoryError::Conflict(message));
        }
    }
    row.revoked_ms = Some(now_ms);
    tx.session_set_revoked(session, now_ms)?;
    let leaf = Leaf::SessionRevoked { session, actor: name::of_actor(tx, actor)? };
    audit::append(tx, now_ms, &leaf)?;
    Ok(row)
}

/// What a session is called after the browser's own words: families, nothing that tells one
/// machine from another.
pub fn label_of(user_agent: &str) -> String {
    let first = |known: &[(&str, &'static str)]| {
        known.iter().find(|(sign, _)| user_agent.contains(sign)).map(|(_, family)| *family)
    };
    // Every browser claims to be the ones before it: the newest name says what it is.
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Chromium/", "Chromium"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iPadOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("a browser on {system}"),
        (None, None) => "a browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_called_after_families_only() {
        for (user_agent, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", {
                "Firefox on Linux"
            }),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/1",
                { "Edge on Windows" },
            ),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Version/17.5 Safari/605.1.15", {
                "Safari on macOS"
            }),
            ("curl/8.5.0", "curl"),
            ("<script>alert(1)</script>", "a browser"),
            ("", "a browser"),
        ] {
            assert_eq!(label_of(user_agent), expected);
        }
    }
}
