//! What entities use what they receive for: proposing another use and deciding about it. Which
//! version is in force stands with the entity, and each delivery keeps the one it was made under.

use super::entity::{self, REASON_CHARS_MAX};
use super::words::UseCaseStatus;
use super::{DirectoryError, text};
use crate::audit::{self, Leaf, name};
use crate::base::party::Actor;
use crate::store::{EntityRow, Tx, UseCaseRow};

/// Longest purpose.
const PURPOSE_CHARS_MAX: usize = 2_000;

/// Why the first version is approved: an operator enters it with the entity.
const FIRST_REASON: &str = "declared when the entity was entered";

/// What an operator makes of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is in force from now on.
    Approve,
    /// It never comes into force.
    Refuse,
}

/// Enters the first version of a new entity, which is in force at once.
pub(super) fn enter_first(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    entity: &EntityRow,
    purpose: &str,
) -> Result<EntityRow, DirectoryError> {
    enter(tx, now_ms, actor, entity, purpose)?;
    decide(tx, now_ms, actor, &entity.slug, Verdict::Approve, FIRST_REASON)?;
    entity::find(tx, &entity.slug)
}

/// Proposes another use, which is in force once an operator has approved it.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if a version waits already;
/// [`DirectoryError::Invalid`] for the purpose.
pub fn propose(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    slug: &str,
    purpose: &str,
) -> Result<UseCaseRow, DirectoryError> {
    let entity = entity::find(tx, slug)?;
    if let Some(waiting) = waiting(tx, &entity)? {
        let version = waiting.version;
        let message = format!(
            "version {version} of the use case of `{slug}` still waits; \
             `hydrant entity use-case approve {slug} --reason TEXT` or `refuse` decides it"
        );
        return Err(DirectoryError::Conflict(message));
    }
    enter(tx, now_ms, actor, &entity, purpose)
}

fn enter(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    entity: &EntityRow,
    purpose: &str,
) -> Result<UseCaseRow, DirectoryError> {
    let last = tx.use_cases_of(entity.id)?.last().map_or(0, |row| row.version);
    let row = UseCaseRow {
        entity: entity.id,
        version: last + 1,
        purpose: text::line("the use case", purpose, PURPOSE_CHARS_MAX)?,
        status: UseCaseStatus::Proposed.word().to_owned(),
        proposed_ms: now_ms,
        proposed_by: actor.to_string(),
        decided_ms: None,
        decided_by: None,
        reason: None,
    };
    tx.use_case_set(&row)?;
    let (entity, actor) = (name::of_entity(tx, row.entity)?, name::of_actor(tx, actor)?);
    let leaf = Leaf::UseCaseProposed { entity, version: row.version, actor };
    audit::append(tx, now_ms, &leaf)?;
    Ok(row)
}

/// Decides about the version that waits.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if none waits;
/// [`DirectoryError::Invalid`] for the reason.
pub fn decide(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    slug: &str,
    verdict: Verdict,
    reason: &str,
) -> Result<UseCaseRow, DirectoryError> {
    let reason = text::line("the reason", reason, REASON_CHARS_MAX)?;
    let mut entity = entity::find(tx, slug)?;
    let Some(mut row) = waiting(tx, &entity)? else {
        let message = format!(
            "no version of the use case of `{slug}` waits; \
             `hydrant entity use-case propose {slug} --purpose TEXT` enters one"
        );
        return Err(DirectoryError::Conflict(message));
    };
    let status = match verdict {
        Verdict::Approve => UseCaseStatus::Approved,
        Verdict::Refuse => UseCaseStatus::Refused,
    };
    row.status = status.word().to_owned();
    row.decided_ms = Some(now_ms);
    row.decided_by = Some(actor.to_string());
    row.reason = Some(reason.clone());
    tx.use_case_set(&row)?;
    let (name, actor) = (name::of_entity(tx, row.entity)?, name::of_actor(tx, actor)?);
    let leaf = match verdict {
        Verdict::Approve => {
            entity.use_case = Some(row.version);
            tx.entity_update(&entity)?;
            Leaf::UseCaseApproved { entity: name, version: row.version, actor }
        }
        Verdict::Refuse => Leaf::UseCaseRefused { entity: name, version: row.version, actor },
    };
    audit::append_decision(tx, now_ms, &leaf, Some(&reason))?;
    Ok(row)
}

fn waiting(tx: &Tx<'_>, entity: &EntityRow) -> Result<Option<UseCaseRow>, DirectoryError> {
    let rows = tx.use_cases_of(entity.id)?;
    Ok(rows.into_iter().find(|row| row.status == UseCaseStatus::Proposed.word()))
}
