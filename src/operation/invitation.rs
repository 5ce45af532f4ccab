//! Colleagues whom managers invite: what operations say of invitations, and how whoever is invited
//! is let in, in which the directory and the ledger change together.

use std::sync::Arc;

use serde_json::json;

use super::answer::{entity_of, list};
use super::desk::{By, Numbers};
use super::person::{Answer, add, consent};
use crate::base::clock::Clock;
use crate::base::date::rfc3339;
use crate::base::party::Actor;
use crate::directory::words::{Side, Status};
use crate::directory::{DirectoryError, entity, invitation, join, person};
use crate::policy::Profile;
use crate::store::{InvitationRow, PersonRow, Tx};

/// What shows the consent of an entity whose operator invited somebody.
const BY_INVITATION: &str = "an invitation";

/// An invitation.
pub(super) fn invited(tx: &Tx<'_>, row: &InvitationRow) -> Answer {
    Ok(json!({
        "id": row.id.to_string(),
        "entity": entity_of(tx, row.entity)?.slug,
        "mail": row.mail,
        "name": row.name,
        "invited": rfc3339(row.invited_ms),
        "invited_by": row.invited_by,
    }))
}

/// The invitations of an entity that wait.
pub(super) fn all(tx: &Tx<'_>, slug: &str) -> Answer {
    let entity = entity::find(tx, slug)?.id;
    let mut rows = tx.invitations()?;
    rows.retain(|row| row.entity == entity);
    list(rows, |row| invited(tx, &row))
}

/// Lets whoever has shown that they read mail at an address into the entities that they are
/// invited to, and returns who they are, if they are anybody here. Somebody new is a person of the
/// entity at once; somebody known is asked whether they join it, with its consent given.
///
/// # Errors
/// [`DirectoryError::Invalid`] if it is no address, or of the store.
pub fn welcome(
    tx: &Tx<'_>,
    profile: &Arc<Profile>,
    clock: &Clock,
    now_ms: i64,
    mail: &str,
) -> Result<Option<PersonRow>, DirectoryError> {
    let numbers = Numbers { profile: Arc::clone(profile), clock: clock.clone() };
    let mail = mail.trim().to_lowercase();
    for invitation in tx.invitations_to(&mail)? {
        tx.invitation_remove(invitation.id)?;
        if let Some(actor) = invitation::standing_inviter(tx, &invitation)? {
            let by = By { actor, now_ms, profile: Arc::clone(&numbers.profile) };
            let entity = entity::in_the_end(tx, entity_of(tx, invitation.entity)?)?.slug;
            match tx.person_by_mail(&mail)? {
                None => newcomer(tx, &by, &numbers, &invitation, entity)?,
                Some(person) => known(tx, &by, &numbers, &person, entity)?,
            }
        }
    }
    Ok(tx.person_by_mail(&mail)?)
}

fn newcomer(
    tx: &Tx<'_>,
    by: &By,
    numbers: &Numbers,
    invitation: &InvitationRow,
    slug: String,
) -> Result<(), DirectoryError> {
    let request = person::Add {
        mail: invitation.mail.clone(),
        name: invitation.name.clone(),
        entities: vec![slug],
        role: invitation::ROLE,
    };
    add(tx, by, numbers, &request).map(drop)
}

fn known(
    tx: &Tx<'_>,
    by: &By,
    numbers: &Numbers,
    person: &PersonRow,
    slug: String,
) -> Result<(), DirectoryError> {
    let request = join::Propose { mail: person.mail.clone(), slug, role: invitation::ROLE };
    if Status::of_row(&person.status) == Status::Pending {
        // They have registered and wait for an entity: here it is.
        person::resume(tx, by.now_ms, &by.actor, &person.mail)?;
    }
    let row = match join::propose(tx, by.now_ms, &by.actor, &request) {
        Ok(row) => row,
        // They belong to it meanwhile, or may not now: there is nothing to invite to.
        Err(DirectoryError::Conflict(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    consent(tx, by, numbers, row.id, Side::Entity, Some(BY_INVITATION))?;
    if tx.memberships_of_person(person.id)?.is_empty() {
        // They received nothing anywhere, and asked for exactly this.
        let (actor, profile) = (Actor::Person(person.id), Arc::clone(&by.profile));
        let own = By { actor, now_ms: by.now_ms, profile };
        consent(tx, &own, numbers, row.id, Side::Person, None)?;
    }
    Ok(())
}
