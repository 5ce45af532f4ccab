//! Colleagues whom a manager would have in their entity: inviting them, and who may still be let
//! in. They become people of it once they have shown that they read mail at the address.

use serde::{Deserialize, Serialize};

use super::words::{Rank, Role, Status};
use super::{DirectoryError, entity, join, letter, mail, staff, text};
use crate::audit::{self, Leaf, name};
use crate::base::party::{Actor, EntityId};
use crate::store::{InvitationRow, Tx};

/// Longest name.
const NAME_CHARS_MAX: usize = 200;
/// How many invitations of one entity may wait at a time.
const WAITING_MAX: usize = 200;

/// What an invited colleague is in the entity.
pub const ROLE: Role = Role::Member;

/// A colleague, as a manager describes them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// The slug of the entity.
    pub slug: String,
    /// The colleague's mail address.
    pub mail: String,
    /// Their name.
    pub name: String,
}

/// Invites a colleague, and writes them a letter. Whether the address is known here is not told: it may be somebody of
/// another entity.
///
/// # Errors
/// [`DirectoryError::Conflict`] if they belong to the entity or are invited already, or it is
/// suspended; [`DirectoryError::Invalid`] for address or name.
pub fn invite(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    request: &Invite,
) -> Result<InvitationRow, DirectoryError> {
    let entity = entity::find(tx, &request.slug)?;
    let mut row = InvitationRow {
        id: 0,
        entity: entity.id,
        mail: mail::normalised(&request.mail)?,
        name: text::line("the name", &request.name, NAME_CHARS_MAX)?,
        invited_ms: now_ms,
        invited_by: actor.to_string(),
    };
    let (mail, slug) = (&row.mail, &entity.slug);
    let conflict = |message| Err(DirectoryError::Conflict(message));
    if Status::of_row(&entity.status) == Status::Suspended {
        return conflict(format!("`{slug}` is suspended and takes nobody in"));
    }
    if let Some(person) = tx.person_by_mail(mail)?
        && tx.memberships_of_person(person.id)?.iter().any(|row| row.entity == entity.id)
    {
        return conflict(format!("`{mail}` belongs to `{slug}` already"));
    }
    let mut waiting = tx.invitations()?;
    waiting.retain(|row| row.entity == entity.id);
    if waiting.iter().any(|row| row.mail == *mail) {
        return conflict(format!("`{mail}` is invited to `{slug}` already"));
    }
    if waiting.len() >= WAITING_MAX {
        return conflict(format!(
            "{WAITING_MAX} invitations of `{slug}` wait; withdraw some first"
        ));
    }
    row.id = tx.invitation_insert(&row)?;
    let text = format!(
        "Dear {},\n\n{} would have you as a colleague here. Sign in with this address, or register \
         with it if you were never here before; then you belong to it.",
        row.name, entity.name
    );
    letter::notice(tx, now_ms, mail, "You are invited", &text)?;
    let (entity, actor) = (name::of_entity(tx, row.entity)?, name::of_actor(tx, actor)?);
    audit::append(tx, now_ms, &Leaf::Invited { invitation: row.id, entity, actor })?;
    Ok(row)
}

/// The invitation with that number.
///
/// # Errors
/// [`DirectoryError::NotFound`].
pub fn find(tx: &Tx<'_>, invitation: i64) -> Result<InvitationRow, DirectoryError> {
    tx.invitation_by_id(invitation)?.ok_or_else(|| {
        let message = format!("there is no invitation {invitation}, or it was accepted");
        DirectoryError::NotFound(message)
    })
}

/// Takes an invitation back.
///
/// # Errors
/// [`DirectoryError::NotFound`].
pub fn withdraw(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    invitation: i64,
) -> Result<InvitationRow, DirectoryError> {
    let row = find(tx, invitation)?;
    tx.invitation_remove(invitation)?;
    let actor = name::of_actor(tx, actor)?;
    audit::append(tx, now_ms, &Leaf::InvitationWithdrawn { invitation, actor })?;
    Ok(row)
}

/// Takes every invitation of an entity back.
pub(super) fn withdraw_all_of(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    entity: EntityId,
) -> Result<(), DirectoryError> {
    for row in tx.invitations()?.into_iter().filter(|row| row.entity == entity) {
        withdraw(tx, now_ms, actor, row.id)?;
    }
    Ok(())
}

/// Who invited, if that still holds: they are still a manager of the entity or an operator, and
/// the entity takes people in.
///
/// # Errors
/// [`DirectoryError`] of the store.
pub fn standing_inviter(tx: &Tx<'_>, row: &InvitationRow) -> Result<Option<Actor>, DirectoryError> {
    let entity = tx.entity_by_id(row.entity)?;
    let status = entity.map_or(Status::Suspended, |entity| Status::of_row(&entity.status));
    if !matches!(status, Status::Active | Status::Pending) {
        return Ok(None);
    }
    let Ok(actor) = row.invited_by.parse::<Actor>() else { return Ok(None) };
    let stands = match &actor {
        Actor::Local(_) => true,
        Actor::Person(person) => {
            let inviter = tx.person_by_id(*person)?;
            let is_active =
                inviter.is_some_and(|row| Status::of_row(&row.status) == Status::Active);
            join::managers_of(tx, row.entity)?.contains(person)
                || is_active && staff::rank_of(tx, *person)? == Some(Rank::Operator)
        }
    };
    Ok(stands.then_some(actor))
}
