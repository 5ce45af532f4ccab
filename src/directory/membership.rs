//! Belonging to an entity: how it begins and ends. Who may decide that, and what it brings along,
//! stands elsewhere.

use super::entity;
use super::words::Role;
use super::{DirectoryError, person};
use crate::audit::{self, Leaf, name};
use crate::base::party::{Actor, EntityId, PersonId};
use crate::store::{MembershipRow, PersonRow, Tx};

/// Makes a person part of an entity.
pub(super) fn enter(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    row: &MembershipRow,
) -> Result<(), DirectoryError> {
    tx.membership_insert(row)?;
    let leaf = Leaf::MembershipJoined {
        person: name::of_person(tx, row.person)?,
        entity: name::of_entity(tx, row.entity)?,
        role: row.role.clone(),
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    Ok(())
}

/// Ends that a person is part of an entity, if they are.
pub(super) fn leave(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    person: PersonId,
    entity: EntityId,
) -> Result<bool, DirectoryError> {
    if !tx.membership_end(person, entity, now_ms)? {
        return Ok(false);
    }
    let leaf = Leaf::MembershipLeft {
        person: name::of_person(tx, person)?,
        entity: name::of_entity(tx, entity)?,
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    Ok(true)
}

/// Lets the person with that address leave an entity. What they received there stays with it, and
/// goes with them.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if they do not belong to it.
pub fn end(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    mail: &str,
    slug: &str,
) -> Result<PersonRow, DirectoryError> {
    let (person, entity) = (person::find(tx, mail)?, entity::find(tx, slug)?);
    if !leave(tx, now_ms, actor, person.id, entity.id)? {
        let mail = person.mail;
        let message = format!("`{mail}` does not belong to `{slug}`");
        return Err(DirectoryError::Conflict(message));
    }
    Ok(person)
}

/// Changes what the person with that address is in an entity.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if they do not belong to it, or are
/// that already.
pub fn change(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    mail: &str,
    slug: &str,
    role: Role,
) -> Result<PersonRow, DirectoryError> {
    let (person, entity) = (person::find(tx, mail)?, entity::find(tx, slug)?);
    let memberships = tx.memberships_of_person(person.id)?;
    let word = role.word();
    let mail = &person.mail;
    match memberships.iter().find(|row| row.entity == entity.id) {
        None => {
            let message = format!(
                "`{mail}` does not belong to `{slug}`; `hydrant person join {mail} --entity \
                 {slug} --role {word}` proposes it"
            );
            return Err(DirectoryError::Conflict(message));
        }
        Some(row) if row.role == word => {
            let message = format!("`{mail}` is {word} of `{slug}` already");
            return Err(DirectoryError::Conflict(message));
        }
        Some(_) => tx.membership_set_role(person.id, entity.id, word)?,
    }
    let leaf = Leaf::RoleChanged {
        person: name::of_person(tx, person.id)?,
        entity: name::of_entity(tx, entity.id)?,
        role: word.to_owned(),
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    Ok(person)
}
