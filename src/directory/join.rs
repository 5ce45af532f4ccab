//! Belonging to a further entity: it is proposed, both sides consent, and then it is carried out.
//! What live charges it brings along is `ledger`'s business, and is shown to both before.

use serde::{Deserialize, Serialize};

use super::entity::{self, REASON_CHARS_MAX};
use super::words::{Role, Side, Status};
use super::{DirectoryError, membership, person, text};
use crate::audit::{self, Leaf, name};
use crate::base::party::{Actor, EntityId, PersonId};
use crate::store::{Consent, JoinRow, MembershipRow, StoreError, Tx};

/// Longest evidence.
const EVIDENCE_CHARS_MAX: usize = 2_000;

/// The words of how a proposal ends.
const JOINED: &str = "joined";
const WITHDRAWN: &str = "withdrawn";

/// That a person should belong to a further entity.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Propose {
    /// Their mail address.
    pub mail: String,
    /// The entity's slug.
    pub slug: String,
    /// What they would be in it.
    pub role: Role,
}

/// Who would join what, if they can.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if the person belongs to the entity,
/// or one of them does not take part now.
pub fn check(tx: &Tx<'_>, request: &Propose) -> Result<(PersonId, EntityId), DirectoryError> {
    let (person, entity) = (person::find(tx, &request.mail)?, entity::find(tx, &request.slug)?);
    let (mail, slug) = (&person.mail, &entity.slug);
    let conflict = |message| Err(DirectoryError::Conflict(message));
    let status = Status::of_row(&person.status);
    if status != Status::Active {
        return conflict(format!("`{mail}` is {status} and cannot join anything now"));
    }
    if Status::of_row(&entity.status) == Status::Suspended {
        return conflict(format!("`{slug}` is suspended; `hydrant entity resume {slug}` first"));
    }
    if belongs(tx, person.id, entity.id)? {
        return conflict(format!("`{mail}` belongs to `{slug}` already"));
    }
    let mut waiting = tx.joins_waiting()?;
    waiting.retain(|row| row.person == person.id && row.entity == entity.id);
    if let Some(JoinRow { id, .. }) = waiting.first() {
        return conflict(format!(
            "that `{mail}` joins `{slug}` is proposed already, under number {id}; \
             `hydrant person joins` shows what it waits for"
        ));
    }
    Ok((person.id, entity.id))
}

/// Proposes that a person belongs to a further entity.
///
/// # Errors
/// As [`check`].
pub fn propose(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    request: &Propose,
) -> Result<JoinRow, DirectoryError> {
    let (person, entity) = check(tx, request)?;
    let mut row = JoinRow {
        id: 0,
        person,
        entity,
        role: request.role.word().to_owned(),
        proposed_ms: now_ms,
        proposed_by: actor.to_string(),
        of_person: None,
        of_entity: None,
        ended_ms: None,
        outcome: None,
        reason: None,
    };
    row.id = tx.join_insert(&row)?;
    let leaf = Leaf::JoinProposed {
        join: row.id,
        person: name::of_person(tx, person)?,
        entity: name::of_entity(tx, entity)?,
        role: row.role.clone(),
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    Ok(row)
}

/// The proposal with that number that still waits.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if it has ended.
pub fn find_waiting(tx: &Tx<'_>, join: i64) -> Result<JoinRow, DirectoryError> {
    let Some(row) = tx.join_by_id(join)? else {
        let message = format!("there is no proposal {join}; `hydrant person joins` shows them");
        return Err(DirectoryError::NotFound(message));
    };
    match row.outcome {
        None => Ok(row),
        Some(outcome) => Err(DirectoryError::Conflict(format!("proposal {join} is {outcome}"))),
    }
}

/// Whether `person` may speak for that side: they are the person, or an active manager of the
/// entity.
///
/// # Errors
/// [`StoreError`] of the looks.
pub fn speaks_for(
    tx: &Tx<'_>,
    person: PersonId,
    row: &JoinRow,
    side: Side,
) -> Result<bool, StoreError> {
    Ok(match side {
        Side::Person => person == row.person,
        Side::Entity => managers_of(tx, row.entity)?.contains(&person),
    })
}

/// The managers of an entity who may act.
///
/// # Errors
/// [`StoreError`] of the looks.
pub fn managers_of(tx: &Tx<'_>, entity: EntityId) -> Result<Vec<PersonId>, StoreError> {
    let mut managers = Vec::new();
    for membership in tx.memberships_of_entity(entity)? {
        let person = tx.person_by_id(membership.person)?;
        let is_active = person.is_some_and(|row| Status::of_row(&row.status) == Status::Active);
        if is_active && Role::from_word(&membership.role) == Some(Role::Manager) {
            managers.push(membership.person);
        }
    }
    Ok(managers)
}

/// Records that one side consents. Whoever does not speak for it is an operator with evidence; an
/// entity without a manager has none that could be asked, so there an operator consents in place.
/// The caller carries the join out when [`is_agreed`] says so.
///
/// # Errors
/// As [`find_waiting`]; [`DirectoryError::Forbidden`] for an operator who would be on both sides;
/// [`DirectoryError::Conflict`] if that side has consented; [`DirectoryError::Invalid`] for
/// missing evidence.
pub fn consent(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    join: i64,
    side: Side,
    evidence: Option<&str>,
) -> Result<JoinRow, DirectoryError> {
    let mut row = find_waiting(tx, join)?;
    let evidence = evidence
        .map(|evidence| text::line("the evidence", evidence, EVIDENCE_CHARS_MAX))
        .transpose()?;
    let speaks = match actor {
        Actor::Person(person) => speaks_for(tx, *person, &row, side)?,
        Actor::Local(_) => false,
    };
    if !speaks {
        if *actor == Actor::Person(row.person) {
            let message = "nobody consents for both sides; ask a manager or another operator";
            return Err(DirectoryError::Forbidden(message.into()));
        }
        let in_place = side == Side::Entity && managers_of(tx, row.entity)?.is_empty();
        if evidence.is_none() && !in_place {
            let message = format!(
                "the consent of the {side} is theirs to give; \
                 if you have it on paper, say where it lies with --evidence"
            );
            return Err(DirectoryError::Invalid(message));
        }
    }
    let consent = match side {
        Side::Person => &mut row.of_person,
        Side::Entity => &mut row.of_entity,
    };
    if consent.is_some() {
        let message = format!("the {side} has consented to proposal {join} already");
        return Err(DirectoryError::Conflict(message));
    }
    *consent = Some(Consent { at_ms: now_ms, by: actor.to_string(), evidence });
    tx.join_update(&row)?;
    let (side, actor) = (side.word().to_owned(), name::of_actor(tx, actor)?);
    audit::append(tx, now_ms, &Leaf::JoinConsented { join, side, actor })?;
    Ok(row)
}

/// Whether both sides have consented.
pub fn is_agreed(row: &JoinRow) -> bool {
    row.of_person.is_some() && row.of_entity.is_some()
}

/// Makes the person part of the entity, as both have agreed.
///
/// # Errors
/// [`DirectoryError::Conflict`] if they became part of it meanwhile.
pub fn carry_out(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    mut row: JoinRow,
) -> Result<JoinRow, DirectoryError> {
    assert!(is_agreed(&row), "a join is carried out when both sides have consented");
    if belongs(tx, row.person, row.entity)? {
        let message = "the person belongs to the entity by now; withdraw the proposal".to_owned();
        return Err(DirectoryError::Conflict(message));
    }
    let JoinRow { person, entity, .. } = row;
    let entered = MembershipRow { person, entity, role: row.role.clone(), from_ms: now_ms };
    membership::enter(tx, now_ms, actor, &entered)?;
    row.ended_ms = Some(now_ms);
    row.outcome = Some(JOINED.to_owned());
    tx.join_update(&row)?;
    Ok(row)
}

/// Gives a proposal up.
///
/// # Errors
/// As [`find_waiting`]; [`DirectoryError::Invalid`] for the reason.
pub fn withdraw(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    join: i64,
    reason: &str,
) -> Result<JoinRow, DirectoryError> {
    let reason = text::line("the reason", reason, REASON_CHARS_MAX)?;
    let mut row = find_waiting(tx, join)?;
    row.ended_ms = Some(now_ms);
    row.outcome = Some(WITHDRAWN.to_owned());
    row.reason = Some(reason);
    tx.join_update(&row)?;
    let actor = name::of_actor(tx, actor)?;
    let leaf = Leaf::JoinWithdrawn { join, actor };
    audit::append_decision(tx, now_ms, &leaf, row.reason.as_deref())?;
    Ok(row)
}

/// Gives every proposal up that waits for an entity.
pub(super) fn withdraw_all_of(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    entity: EntityId,
) -> Result<(), DirectoryError> {
    for row in tx.joins_waiting()?.into_iter().filter(|row| row.entity == entity) {
        withdraw(tx, now_ms, actor, row.id, "the entity was merged into another one")?;
    }
    Ok(())
}

fn belongs(tx: &Tx<'_>, person: PersonId, entity: EntityId) -> Result<bool, StoreError> {
    let memberships = tx.memberships_of_person(person)?;
    Ok(memberships.iter().any(|membership| membership.entity == entity))
}
