//! Who stands behind a key that was shown: the look-up that each request begins with.

use super::key::{self, KeyState};
use super::token::TokenHash;
use super::words::{Scope, Status};
use crate::base::date::DAY_MS;
use crate::base::party::{EntityId, KeyId, PersonId};
use crate::store::{EntityRow, StoreError, Tx};

/// A person who asks for something with a key of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requester {
    /// Who.
    pub person: PersonId,
    /// With which key.
    pub key: KeyId,
    /// Their name.
    pub name: String,
    /// What the key opens.
    pub scope: Scope,
    /// Every entity that the person belongs to now, suspended ones included, by number.
    pub entities: Vec<EntityRef>,
    /// Whether the key's last use should be noted with [`key::note_use`]: at most once a day.
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
    let person = tx.person_by_id(row.person)?.ok_or(AuthError::Unknown)?;
    if Status::of_row(&person.status) != Status::Active {
        return Err(AuthError::Suspended);
    }
    Ok(Requester {
        person: person.id,
        key: row.id,
        name: person.name,
        scope,
        entities: entities_of(tx, person.id)?,
        use_unnoted: row.last_used_ms.is_none_or(|last_used_ms| now_ms - last_used_ms >= DAY_MS),
    })
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
