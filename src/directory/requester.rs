//! Who stands behind a key or a cookie that was shown: the look-up that each request begins with.

use super::key::{self, KeyState};
use super::session;
use super::token::TokenHash;
use super::words::{Scope, Status};
use crate::base::date::DAY_MS;
use crate::base::party::{Credential, EntityId, PersonId};
use crate::store::{EntityRow, StoreError, Tx};

/// A person who asks for something with a key of theirs, or in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requester {
    /// Who.
    pub person: PersonId,
    /// With which key, or in which session.
    pub by: Credential,
    /// Their name.
    pub name: String,
    /// What the key opens; a session opens as much as any key.
    pub scope: Scope,
    /// Every entity that the person belongs to now, suspended ones included, by number.
    pub entities: Vec<EntityRef>,
    /// Whether the last use should be noted, with [`key::note_use`] or [`session::note_use`]: of a
    /// key once a day, of a session once a minute.
    pub use_unnoted: bool,
}

/// An entity as a requester's answer names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityRef {
    /// Its number.
    pub id: EntityId,
    /// Its short name.
    pub slug: String,
    /// Its full name.
    pub name: String,
    /// Whether it may receive.
    pub status: Status,
}

/// Why a key opens nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuthError {
    /// Nobody has that key.
    #[error("this API key is not known here")]
    Unknown,
    /// An operator or its owner voided it.
    #[error("this API key was revoked; ask your operator for a new one")]
    Revoked,
    /// Its time is over.
    #[error("this API key has expired; ask your operator for a new one")]
    Expired,
    /// Nobody used it for more than a year.
    #[error("this API key was not used for over 365 days; ask your operator to reactivate it")]
    Dormant,
    /// No browser has that session, or it is another one's by now.
    #[error("this session is not known here; sign in again")]
    SessionUnknown,
    /// It was revoked, or its time is over.
    #[error("this session has ended; sign in again")]
    SessionEnded,
    /// The person may not receive anything.
    #[error("your access is suspended; ask your operator why")]
    Suspended,
    /// The store could not say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Finds out who holds the key with that hash.
///
/// # Errors
/// [`AuthError`] if the key opens nothing now. What the requester may receive, the ledger decides.
pub fn authenticate(tx: &Tx<'_>, hash: &TokenHash, now_ms: i64) -> Result<Requester, AuthError> {
    let row = tx.key_by_hash(&hash.0)?.ok_or(AuthError::Unknown)?;
    match key::state(&row, now_ms) {
        KeyState::Active => {}
        KeyState::Revoked => return Err(AuthError::Revoked),
        KeyState::Expired => return Err(AuthError::Expired),
        KeyState::Dormant => return Err(AuthError::Dormant),
    }
    // A scope of a newer program is none that this one may honour.
    let scope = Scope::from_word(&row.scope).ok_or(AuthError::Unknown)?;
    let use_unnoted = row.last_used_ms.is_none_or(|last_used_ms| now_ms - last_used_ms >= DAY_MS);
    requester(tx, row.person, Credential::Key(row.id), scope, use_unnoted)
}

/// Finds out whose session it is whose cookie carries a secret with that hash.
///
/// # Errors
/// [`AuthError`] if the session is over, or its person may do nothing.
pub fn authenticate_session(
    tx: &Tx<'_>,
    hash: &TokenHash,
    now_ms: i64,
) -> Result<Requester, AuthError> {
    let row = session::find(tx, hash, now_ms)?;
    let use_unnoted = session::is_use_unnoted(&row, now_ms);
    requester(tx, row.person, Credential::Session(row.id), Scope::Download, use_unnoted)
}

fn requester(
    tx: &Tx<'_>,
    person: PersonId,
    by: Credential,
    scope: Scope,
    use_unnoted: bool,
) -> Result<Requester, AuthError> {
    let person = tx.person_by_id(person)?.ok_or(AuthError::Unknown)?;
    if Status::of_row(&person.status) != Status::Active {
        return Err(AuthError::Suspended);
    }
    let entities = entities_of(tx, person.id)?;
    Ok(Requester { person: person.id, by, name: person.name, scope, entities, use_unnoted })
}

fn entities_of(tx: &Tx<'_>, person: PersonId) -> Result<Vec<EntityRef>, StoreError> {
    let mut entities = Vec::new();
    for membership in tx.memberships_of_person(person)? {
        let entity = tx.entity_by_id(membership.entity)?;
        let entity = entity.expect("a membership's entity is there: a foreign key says so");
        entities.push(EntityRef::from(entity));
    }
    Ok(entities)
}

impl From<EntityRow> for EntityRef {
    fn from(row: EntityRow) -> EntityRef {
        let status = Status::of_row(&row.status);
        EntityRef { id: row.id, slug: row.slug, name: row.name, status }
    }
}
