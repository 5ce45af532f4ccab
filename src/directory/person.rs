//! People: entering, finding, suspending and resuming them. Where they belong further stands in
//! `join` and `membership`, and how they are forgotten in `erasure`.

use serde::{Deserialize, Serialize};

use super::entity::{self, REASON_CHARS_MAX};
use super::words::{Role, Status};
use super::{DirectoryError, erasure, mail, membership, not_found, text};
use crate::audit::{self, Leaf, name};
use crate::base::party::{Actor, PersonId};
use crate::store::{EntityRow, MembershipRow, PersonRow, Tx};

/// Longest name.
pub(super) const NAME_CHARS_MAX: usize = 200;

/// A new person, as an operator describes them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// Their mail address.
    pub mail: String,
    /// Their name.
    pub name: String,
    /// The slugs of the entities that they belong to, one at least.
    pub entities: Vec<String>,
    /// What they are in each of these.
    pub role: Role,
}

/// Enters a person with their memberships. An address that was erased gets its row back, with all
/// that was charged to it; the caller has `ledger` carry that along.
///
/// # Errors
/// [`DirectoryError::Invalid`], [`DirectoryError::NotFound`] for an entity,
/// [`DirectoryError::Conflict`] if the address is taken.
pub fn add(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    request: &Add,
) -> Result<PersonRow, DirectoryError> {
    let mail = mail::normalised(&request.mail)?;
    let name = text::line("the name", &request.name, NAME_CHARS_MAX)?;
    if let Some(other) = tx.person_by_mail(&mail)? {
        let message = format!(
            "there is already a person `{}`: {}; \
             `hydrant person join {mail} --entity SLUG` proposes a further organisation for them",
            other.mail, other.name
        );
        return Err(DirectoryError::Conflict(message));
    }
    let mut entities: Vec<EntityRow> = Vec::new();
    for slug in &request.entities {
        let entity = entity::find(tx, slug)?;
        if !entities.contains(&entity) {
            entities.push(entity);
        }
    }
    if entities.is_empty() {
        let message = "a person belongs to one entity at least; name it with --entity";
        return Err(DirectoryError::Invalid(message.into()));
    }
    let row = enter(tx, now_ms, mail, name)?;
    audit::append(
        tx,
        now_ms,
        &Leaf::PersonAdded {
            person: name::of_person(tx, row.id)?,
            actor: name::of_actor(tx, actor)?,
        },
    )?;
    for entity in entities {
        let (person, role) = (row.id, request.role.word().to_owned());
        let row = MembershipRow { person, entity: entity.id, role, from_ms: now_ms };
        membership::enter(tx, now_ms, actor, &row)?;
    }
    Ok(row)
}

/// A row for a new person; for an address that was erased the one that it had.
fn enter(
    tx: &Tx<'_>,
    now_ms: i64,
    mail: String,
    name: String,
) -> Result<PersonRow, DirectoryError> {
    let known = erasure::remembered(tx, &mail)?;
    let mut row = PersonRow {
        id: PersonId(0),
        mail,
        name,
        status: Status::Active.word().to_owned(),
        status_reason: None,
        created_ms: now_ms,
        erased_ms: None,
    };
    match known {
        Some(known) => {
            (row.id, row.created_ms) = (known.id, known.created_ms);
            tx.person_update(&row)?;
            tx.person_commit_anew(&row)?;
        }
        None => row.id = tx.person_insert(&row)?,
    }
    Ok(row)
}

/// The person with that mail address, however it is written.
///
/// # Errors
/// [`DirectoryError::NotFound`], with the nearest address if one is near.
pub fn find(tx: &Tx<'_>, mail: &str) -> Result<PersonRow, DirectoryError> {
    let mail = mail::normalised(mail)?;
    if let Some(row) = tx.person_by_mail(&mail)? {
        return Ok(row);
    }
    let known = tx.people()?;
    let known = known.iter().filter(|row| row.erased_ms.is_none());
    let mails = known.map(|row| row.mail.as_str());
    Err(not_found("person", &mail, mails, "hydrant person list"))
}

/// Lets a person receive nothing until they are resumed.
///
/// # Errors
/// [`DirectoryError::Conflict`] if they are suspended already.
pub fn suspend(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    mail: &str,
    reason: Option<&str>,
) -> Result<PersonRow, DirectoryError> {
    let reason =
        reason.map(|reason| text::line("the reason", reason, REASON_CHARS_MAX)).transpose()?;
    let row = set_status(tx, mail, Status::Suspended, reason.as_deref())?;
    let (person, actor) = (name::of_person(tx, row.id)?, name::of_actor(tx, actor)?);
    let leaf = Leaf::PersonSuspended { person, actor };
    audit::append_decision(tx, now_ms, &leaf, reason.as_deref())?;
    Ok(row)
}

/// Lets a suspended person receive again.
///
/// # Errors
/// [`DirectoryError::Conflict`] if they are not suspended.
pub fn resume(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    mail: &str,
) -> Result<PersonRow, DirectoryError> {
    let row = set_status(tx, mail, Status::Active, None)?;
    audit::append(
        tx,
        now_ms,
        &Leaf::PersonResumed {
            person: name::of_person(tx, row.id)?,
            actor: name::of_actor(tx, actor)?,
        },
    )?;
    Ok(row)
}

fn set_status(
    tx: &Tx<'_>,
    mail: &str,
    status: Status,
    reason: Option<&str>,
) -> Result<PersonRow, DirectoryError> {
    let mut row = find(tx, mail)?;
    if row.status == status.word() {
        return Err(DirectoryError::Conflict(format!("`{}` is already {status}", row.mail)));
    }
    row.status = status.word().to_owned();
    row.status_reason = reason.map(str::to_owned);
    tx.person_set_status(row.id, &row.status, reason)?;
    Ok(row)
}
