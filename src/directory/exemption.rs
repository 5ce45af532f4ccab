//! Academic exemptions: applying, and what an operator decides; the ledger asks for itself
//! whether one is in force.

use serde::{Deserialize, Serialize};

use super::entity::{self, REASON_CHARS_MAX};
use super::words::{ExemptionStatus, Sector, Status};
use super::{DirectoryError, person, text};
use crate::audit::{self, Leaf, name};
use crate::base::date::{DAY_MS, rfc3339};
use crate::base::party::Actor;
use crate::store::{EntityRow, ExemptionRow, PersonRow, StoreError, Tx};

/// Longest purpose.
const PURPOSE_CHARS_MAX: usize = 2_000;

/// An application on behalf of an academic institution.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// The institution's slug.
    pub slug: String,
    /// The mail address of who applies for it.
    pub mail: String,
    /// The non-commercial research it is for.
    pub purpose: String,
    /// The end, in milliseconds UTC; at this instant it is over.
    pub until_ms: i64,
}

/// What an operator makes of an exemption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It is in force from now on.
    Approve,
    /// It never comes into force.
    Refuse,
    /// It was in force, and is no longer.
    Revoke,
}

impl Decision {
    /// The status that an exemption must have, and the one that it gets.
    fn step(self) -> (ExemptionStatus, ExemptionStatus) {
        match self {
            Decision::Approve => (ExemptionStatus::Applied, ExemptionStatus::Approved),
            Decision::Refuse => (ExemptionStatus::Applied, ExemptionStatus::Refused),
            Decision::Revoke => (ExemptionStatus::Approved, ExemptionStatus::Revoked),
        }
    }
}

/// Enters an application, which waits for an operator.
///
/// # Errors
/// [`DirectoryError::NotFound`] for entity or person; [`DirectoryError::Conflict`] if the entity
/// is not academic, the person is not of it, one of them is suspended, or an application already
/// waits; [`DirectoryError::Invalid`] for purpose or end.
pub fn apply(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    days_max: u32,
    request: &Apply,
) -> Result<ExemptionRow, DirectoryError> {
    let entity = entity::find(tx, &request.slug)?;
    let person = person::find(tx, &request.mail)?;
    check_applicant(tx, &entity, &person)?;
    check_end(now_ms, days_max, request.until_ms)?;
    let mut row = ExemptionRow {
        id: 0,
        entity: entity.id,
        person: person.id,
        purpose: text::line("the purpose", &request.purpose, PURPOSE_CHARS_MAX)?,
        status: ExemptionStatus::Applied.word().to_owned(),
        applied_ms: now_ms,
        decided_ms: None,
        decided_by: None,
        reason: None,
        from_ms: None,
        until_ms: request.until_ms,
        revoked_ms: None,
        revoked_by: None,
        revoked_reason: None,
    };
    row.id = tx.exemption_insert(&row)?;
    let leaf = Leaf::ExemptionApplied {
        exemption: row.id,
        entity: name::of_entity(tx, row.entity)?,
        person: name::of_person(tx, row.person)?,
        until_ms: row.until_ms,
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    Ok(row)
}

fn check_applicant(
    tx: &Tx<'_>,
    entity: &EntityRow,
    person: &PersonRow,
) -> Result<(), DirectoryError> {
    let (slug, mail) = (&entity.slug, &person.mail);
    let conflict = |message| Err(DirectoryError::Conflict(message));
    if entity.sector != Sector::Academic.word() {
        let sector = &entity.sector;
        return conflict(format!("`{slug}` is {sector}; only an academic entity can be exempt"));
    }
    if Status::of_row(&entity.status) != Status::Active {
        return conflict(format!("`{slug}` is suspended; `hydrant entity resume {slug}` first"));
    }
    if Status::of_row(&person.status) != Status::Active {
        return conflict(format!("`{mail}` is suspended; `hydrant person resume {mail}` first"));
    }
    let memberships = tx.memberships_of_person(person.id)?;
    if !memberships.iter().any(|membership| membership.entity == entity.id) {
        return conflict(format!("`{mail}` does not belong to `{slug}` and cannot apply for it"));
    }
    let waits = |row: &&ExemptionRow| {
        row.entity == entity.id && row.status == ExemptionStatus::Applied.word()
    };
    if let Some(waiting) = tx.exemptions()?.iter().find(waits) {
        let id = waiting.id;
        return conflict(format!(
            "application {id} of `{slug}` still waits; \
             `hydrant exemption approve {id}` or `refuse {id}` decides it"
        ));
    }
    Ok(())
}

fn check_end(now_ms: i64, days_max: u32, until_ms: i64) -> Result<(), DirectoryError> {
    let latest_ms = now_ms + i64::from(days_max) * DAY_MS;
    if until_ms <= now_ms {
        let message = format!("the end {} has passed; give a later --until", rfc3339(until_ms));
        return Err(DirectoryError::Invalid(message));
    }
    if until_ms > latest_ms {
        let message = format!(
            "an exemption lasts {days_max} days at most; give an end up to {} with --until",
            rfc3339(latest_ms)
        );
        return Err(DirectoryError::Invalid(message));
    }
    Ok(())
}

/// Decides an application, or ends an exemption early; the ledger heeds it at the next chunk.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if it is not at the step that the
/// decision is about; [`DirectoryError::Invalid`] for the reason.
pub fn decide(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    exemption: i64,
    decision: Decision,
    reason: &str,
) -> Result<ExemptionRow, DirectoryError> {
    let reason = text::line("the reason", reason, REASON_CHARS_MAX)?;
    let mut row = tx.exemption_by_id(exemption)?.ok_or_else(|| {
        let message =
            format!("there is no exemption {exemption}; `hydrant exemption list` shows them");
        DirectoryError::NotFound(message)
    })?;
    let (before, after) = decision.step();
    if row.status != before.word() {
        let status = &row.status;
        let message = format!("exemption {exemption} is {status}, and only {before} ones can be");
        return Err(DirectoryError::Conflict(format!("{message} {after}")));
    }
    if decision == Decision::Approve && row.until_ms <= now_ms {
        let message = format!("exemption {exemption} would have ended before now; apply anew");
        return Err(DirectoryError::Conflict(message));
    }
    row.status = after.word().to_owned();
    if decision == Decision::Revoke {
        row.revoked_ms = Some(now_ms);
        row.revoked_by = Some(actor.to_string());
        row.revoked_reason = Some(reason);
    } else {
        row.decided_ms = Some(now_ms);
        row.decided_by = Some(actor.to_string());
        row.reason = Some(reason);
        row.from_ms = (decision == Decision::Approve).then_some(now_ms);
    }
    tx.exemption_decide(&row)?;
    audit::append(tx, now_ms, &leaf_of(tx, &row, decision, actor)?)?;
    Ok(row)
}

fn leaf_of(
    tx: &Tx<'_>,
    row: &ExemptionRow,
    decision: Decision,
    actor: &Actor,
) -> Result<Leaf, StoreError> {
    let (exemption, actor) = (row.id, name::of_actor(tx, actor)?);
    let entity = name::of_entity(tx, row.entity)?;
    Ok(match decision {
        Decision::Approve => {
            Leaf::ExemptionApproved { exemption, entity, until_ms: row.until_ms, actor }
        }
        Decision::Refuse => Leaf::ExemptionRefused { exemption, entity, actor },
        Decision::Revoke => Leaf::ExemptionRevoked { exemption, entity, actor },
    })
}

/// Whether the exemption lifts the ceiling at that time.
pub fn is_in_force(row: &ExemptionRow, now_ms: i64) -> bool {
    row.status == ExemptionStatus::Approved.word()
        && row.from_ms.is_some_and(|from_ms| from_ms <= now_ms)
        && now_ms < row.until_ms
}
