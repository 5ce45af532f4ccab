//! Registrations: people who ask to be let in, show that their address is theirs, and wait until
//! an operator assigns them an entity. Nobody activates themselves.

use serde::{Deserialize, Serialize};

use super::person::{self, NAME_CHARS_MAX};
use super::sign_in::LinkError;
use super::token::TokenHash;
use super::words::{RegistrationStatus, Role};
use super::{DirectoryError, entity, letter, mail, sign_in, text};
use crate::audit::{self, Leaf, name};
use crate::base::date::DAY_MS;
use crate::base::party::Actor;
use crate::store::{PersonRow, RegistrationRow, StoreError, Tx};

/// How long an address may be verified, in milliseconds.
const VERIFIABLE_MS: i64 = DAY_MS;
/// How many registrations of one address are listened to in an hour.
const ASKED_PER_HOUR_MAX: usize = 3;
const HOUR_MS: i64 = 3_600_000;
/// Who decided where somebody of the entity had invited them.
const BY_INVITATION: &str = "an invitation";
/// Longest organisation.
const ORGANISATION_CHARS_MAX: usize = 200;
/// Longest purpose.
const PURPOSE_CHARS_MAX: usize = 1_000;
/// Longest reason of a refusal.
const REASON_CHARS_MAX: usize = 500;

/// What somebody says of themselves.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// Their mail address.
    pub mail: String,
    /// Their name.
    pub name: String,
    /// Their organisation, in their own words.
    pub organisation: String,
    /// What they want the IDs for.
    pub purpose: String,
}

/// What an operator makes of a registration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    /// The registration's number.
    pub registration: i64,
    /// The slug of the entity that they belong to.
    pub slug: String,
    /// What they are in it.
    pub role: Role,
}

/// What is wrong with a registration, by the field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes(pub Vec<(&'static str, String)>);

/// The checked form of what somebody says, or all that is wrong with it.
///
/// # Errors
/// [`Mistakes`], one for each field that is not right.
pub fn checked(ask: &Ask) -> Result<Ask, Mistakes> {
    let mut mistakes = Vec::new();
    let mut take = |field, result: Result<String, DirectoryError>| {
        result.unwrap_or_else(|error| {
            mistakes.push((field, error.to_string()));
            String::new()
        })
    };
    let ask = Ask {
        mail: take("mail", mail::normalised(&ask.mail)),
        name: take("name", text::line("the name", &ask.name, NAME_CHARS_MAX)),
        organisation: take(
            "organisation",
            text::line("the organisation", &ask.organisation, ORGANISATION_CHARS_MAX),
        ),
        purpose: take("purpose", text::line("the purpose", &ask.purpose, PURPOSE_CHARS_MAX)),
    };
    if mistakes.is_empty() { Ok(ask) } else { Err(Mistakes(mistakes)) }
}

/// Enters a checked registration and sees to it that its address is asked; whoever is a person
/// here already gets a link to sign in by instead. The asker learns neither.
///
/// # Errors
/// The store's.
pub fn ask(tx: &Tx<'_>, now_ms: i64, ask: &Ask) -> Result<(), DirectoryError> {
    if tx.person_by_mail(&ask.mail)?.is_some() {
        return sign_in::ask(tx, now_ms, &ask.mail);
    }
    tx.registrations_remove_expired(now_ms)?;
    let earlier = tx.registrations_of(&ask.mail)?;
    let recent = earlier.iter().filter(|row| row.created_ms > now_ms - HOUR_MS).count();
    let waits = earlier.iter().any(|row| row.status == RegistrationStatus::Verified.word());
    if recent >= ASKED_PER_HOUR_MAX || waits {
        return Ok(());
    }
    let mut row = RegistrationRow {
        id: 0,
        mail: ask.mail.clone(),
        name: ask.name.clone(),
        organisation: ask.organisation.clone(),
        purpose: ask.purpose.clone(),
        status: RegistrationStatus::Asked.word().to_owned(),
        hash: None,
        created_ms: now_ms,
        expires_ms: now_ms + VERIFIABLE_MS,
        verified_ms: None,
        decided_ms: None,
        decided_by: None,
        reason: None,
        person: None,
        entity: None,
    };
    row.id = tx.registration_insert(&row)?;
    Ok(letter::verification(tx, now_ms, &row)?)
}

/// Whose link it is that verifies an address, without using it up.
///
/// # Errors
/// [`LinkError`] if it verifies nothing.
pub fn look(tx: &Tx<'_>, now_ms: i64, hash: &TokenHash) -> Result<RegistrationRow, LinkError> {
    let row = tx.registration_by_hash(&hash.0)?.ok_or(LinkError::Unknown)?;
    if row.status != RegistrationStatus::Asked.word() {
        return Err(LinkError::Used);
    }
    if now_ms >= row.expires_ms {
        return Err(LinkError::Expired);
    }
    Ok(row)
}

/// Notes that the address of a registration is theirs; from now on it waits for an operator.
///
/// # Errors
/// [`LinkError`] if the link verifies nothing; then nothing changes.
pub fn verify(tx: &Tx<'_>, now_ms: i64, hash: &TokenHash) -> Result<RegistrationRow, LinkError> {
    let mut row = look(tx, now_ms, hash)?;
    let verified = RegistrationStatus::Verified.word();
    let is_waiting = |other: &RegistrationRow| other.status == verified;
    if tx.registrations_of(&row.mail)?.iter().any(is_waiting) {
        return Err(LinkError::Used);
    }
    verified.clone_into(&mut row.status);
    row.verified_ms = Some(now_ms);
    tx.registration_set_verified(row.id, verified, now_ms)?;
    audit::append(tx, now_ms, &Leaf::RegistrationVerified { registration: row.id })?;
    Ok(row)
}

/// Notes that a verified registration needs no operator, because an invitation made a person of it.
///
/// # Errors
/// [`StoreError`] of the changes.
pub fn settle_invited(
    tx: &Tx<'_>,
    now_ms: i64,
    mut row: RegistrationRow,
    person: &PersonRow,
) -> Result<(), StoreError> {
    RegistrationStatus::Assigned.word().clone_into(&mut row.status);
    row.decided_ms = Some(now_ms);
    row.decided_by = Some(BY_INVITATION.to_owned());
    row.person = Some(person.id);
    row.entity = tx.memberships_of_person(person.id)?.first().map(|first| first.entity);
    tx.registration_decide(&row)
}

/// The registrations that were verified, with those that are decided.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn verified(tx: &Tx<'_>) -> Result<Vec<RegistrationRow>, StoreError> {
    let mut rows = tx.registrations()?;
    rows.retain(|row| row.verified_ms.is_some());
    Ok(rows)
}

/// Makes a person of a registration, who belongs to an entity, and writes to them.
///
/// # Errors
/// [`DirectoryError::NotFound`], or [`DirectoryError::Conflict`] if it does not wait, or the
/// address is somebody's by now.
pub fn assign(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    request: &Assign,
) -> Result<RegistrationRow, DirectoryError> {
    let mut row = waiting(tx, request.registration)?;
    let entity = entity::find(tx, &request.slug)?;
    let add = person::Add {
        mail: row.mail.clone(),
        name: row.name.clone(),
        entities: vec![entity.slug.clone()],
        role: request.role,
    };
    let person = person::add(tx, now_ms, actor, &add)?;
    RegistrationStatus::Assigned.word().clone_into(&mut row.status);
    row.decided_ms = Some(now_ms);
    row.decided_by = Some(actor.to_string());
    row.person = Some(person.id);
    row.entity = Some(entity.id);
    tx.registration_decide(&row)?;
    let leaf = Leaf::RegistrationAssigned {
        registration: row.id,
        person: name::of_person(tx, person.id)?,
        entity: name::of_entity(tx, entity.id)?,
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    let text = format!(
        "Your registration was accepted: you receive as part of {}.\n\n\
         Sign in, accept the documents, and make a key for downloads.",
        entity.name
    );
    letter::notice(tx, now_ms, &row.mail, "Your registration was accepted", &text)?;
    Ok(row)
}

/// Turns a registration down, and writes to whoever it was.
///
/// # Errors
/// [`DirectoryError::NotFound`], [`DirectoryError::Conflict`] if it does not wait, or
/// [`DirectoryError::Invalid`] for the reason.
pub fn refuse(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    registration: i64,
    reason: &str,
) -> Result<RegistrationRow, DirectoryError> {
    let mut row = waiting(tx, registration)?;
    let reason = text::line("the reason", reason, REASON_CHARS_MAX)?;
    RegistrationStatus::Refused.word().clone_into(&mut row.status);
    row.decided_ms = Some(now_ms);
    row.decided_by = Some(actor.to_string());
    row.reason = Some(reason.clone());
    tx.registration_decide(&row)?;
    let leaf =
        Leaf::RegistrationRefused { registration: row.id, actor: name::of_actor(tx, actor)? };
    audit::append_decision(tx, now_ms, &leaf, Some(&reason))?;
    let text = format!("Your registration was not accepted: {reason}");
    letter::notice(tx, now_ms, &row.mail, "Your registration was not accepted", &text)?;
    Ok(row)
}

fn waiting(tx: &Tx<'_>, id: i64) -> Result<RegistrationRow, DirectoryError> {
    let row = tx.registration_by_id(id)?.ok_or_else(|| {
        let message =
            format!("there is no registration {id}; `hydrant registration list` shows them");
        DirectoryError::NotFound(message)
    })?;
    if row.status == RegistrationStatus::Verified.word() {
        return Ok(row);
    }
    let message = match RegistrationStatus::from_word(&row.status) {
        Some(RegistrationStatus::Asked) => {
            format!("registration {id} waits until its mail address is verified")
        }
        _ => format!("registration {id} is {} already", row.status),
    };
    Err(DirectoryError::Conflict(message))
}
