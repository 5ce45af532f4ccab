//! What operations do with people where the directory and the ledger change together: they come,
//! they join further entities, they are shown what is held of them. What they did stays theirs.

use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::{self, entity_of, list, person_of};
use super::desk::{By, Numbers};
use super::entity::effect;
use super::{delivery, export as exports, invitation, share, sign_in, terms};
use crate::audit::{self, Leaf, name};
use crate::base::clock::Clock;
use crate::base::date::rfc3339;
use crate::base::party::PersonId;
use crate::directory::words::Side;
use crate::directory::{DirectoryError, erasure, join, person, registration};
use crate::ledger::carry;
use crate::policy::Profile;
use crate::store::{Consent, JoinRow, MembershipRow, Party, PersonRow, RegistrationRow, Tx};

pub(super) type Answer = Result<Value, DirectoryError>;

/// How many deliveries an export holds at most.
const EXPORTED_DELIVERIES_MAX: u32 = 1_000_000;

/// Enters a person. If the address was erased, its charges come along to where they belong now.
pub(super) fn add(
    tx: &Tx<'_>,
    by: &By,
    numbers: &Numbers,
    request: &person::Add,
) -> Result<PersonRow, DirectoryError> {
    let known = erasure::remembered(tx, &request.mail)?;
    let row = person::add(tx, by.now_ms, &by.actor, request)?;
    if known.is_some() {
        let Numbers { profile, clock } = numbers;
        for membership in tx.memberships_of_person(row.id)? {
            carry::join(tx, profile, clock, &by.actor, row.id, membership.entity)?;
        }
    }
    Ok(row)
}

/// Makes a person of a registration, as [`add`] enters one.
pub(super) fn assign(
    tx: &Tx<'_>,
    by: &By,
    numbers: &Numbers,
    request: &registration::Assign,
) -> Result<RegistrationRow, DirectoryError> {
    let asked = tx.registration_by_id(request.registration)?;
    let known = asked.map(|row| erasure::remembered(tx, &row.mail)).transpose()?.flatten();
    let row = registration::assign(tx, by.now_ms, &by.actor, request)?;
    if let (Some(_), Some(person), Some(entity)) = (known, row.person, row.entity) {
        carry::join(tx, &numbers.profile, &numbers.clock, &by.actor, person, entity)?;
    }
    Ok(row)
}

/// What would come along if a person joined an entity.
pub(super) fn join_effect(tx: &Tx<'_>, numbers: &Numbers, request: &join::Propose) -> Answer {
    let (person, entity) = join::check(tx, request)?;
    let (person, slug) = (person_of(tx, person)?, entity_of(tx, entity)?.slug);
    let carried = carry::join_effect(tx, &numbers.profile, &numbers.clock, person.id, entity)?;
    Ok(json!({
        "person": person.mail,
        "entity": slug,
        "role": request.role,
        "effect": effect(tx, numbers, entity, &carried)?,
    }))
}

/// A proposal with what it would bring along, as long as it waits.
pub(super) fn proposal(tx: &Tx<'_>, numbers: &Numbers, row: &JoinRow) -> Answer {
    let side = |consent: &Option<Consent>| {
        consent.as_ref().map(|consent| {
            json!({
                "at": rfc3339(consent.at_ms),
                "by": consent.by,
                "evidence": consent.evidence,
            })
        })
    };
    let mut answer = json!({
        "id": row.id.to_string(),
        "person": person_of(tx, row.person)?.mail,
        "entity": entity_of(tx, row.entity)?.slug,
        "role": row.role,
        "proposed": rfc3339(row.proposed_ms),
        "proposed_by": row.proposed_by,
        "consent_of_person": side(&row.of_person),
        "consent_of_entity": side(&row.of_entity),
        "outcome": row.outcome,
        "ended": row.ended_ms.map(rfc3339),
        "reason": row.reason,
    });
    if row.ended_ms.is_none() {
        let (person, entity) = (row.person, row.entity);
        let carried = carry::join_effect(tx, &numbers.profile, &numbers.clock, person, entity)?;
        answer["effect"] = effect(tx, numbers, entity, &carried)?;
        answer["managers"] = join::managers_of(tx, entity)?.len().into();
    }
    Ok(answer)
}

/// The proposals that wait.
pub(super) fn proposals(tx: &Tx<'_>, numbers: &Numbers) -> Answer {
    list(tx.joins_waiting()?, |row| proposal(tx, numbers, &row))
}

/// The proposals that wait for `person`: about themselves, or for an entity that they manage. What
/// a page shows to them.
///
/// # Errors
/// [`DirectoryError`] of the store.
pub fn proposals_before(
    tx: &Tx<'_>,
    profile: &Arc<Profile>,
    clock: &Clock,
    person: PersonId,
) -> Answer {
    let numbers = Numbers { profile: Arc::clone(profile), clock: clock.clone() };
    let mut rows = Vec::new();
    for row in tx.joins_waiting()? {
        let is_theirs = join::speaks_for(tx, person, &row, Side::Person)?
            && row.of_person.is_none()
            || join::speaks_for(tx, person, &row, Side::Entity)? && row.of_entity.is_none();
        if is_theirs {
            rows.push(row);
        }
    }
    list(rows, |row| proposal(tx, &numbers, &row))
}

/// Records the consent of one side, and carries the join out if it was the last.
pub(super) fn consent(
    tx: &Tx<'_>,
    by: &By,
    numbers: &Numbers,
    join: i64,
    side: Side,
    evidence: Option<&str>,
) -> Answer {
    let row = join::consent(tx, by.now_ms, &by.actor, join, side, evidence)?;
    if !join::is_agreed(&row) {
        return proposal(tx, numbers, &row);
    }
    let mut answer = proposal(tx, numbers, &row)?;
    let Numbers { profile, clock } = numbers;
    carry::join(tx, profile, clock, &by.actor, row.person, row.entity)?;
    let row = join::carry_out(tx, by.now_ms, &by.actor, row)?;
    answer["outcome"] = row.outcome.into();
    answer["ended"] = row.ended_ms.map(rfc3339).into();
    Ok(answer)
}

/// Writes down that what is held of a person is handed out.
pub(super) fn note_export(tx: &Tx<'_>, by: &By, mail: &str) -> Answer {
    let person = person::find(tx, mail)?;
    let (person, actor) = (name::of_person(tx, person.id)?, name::of_actor(tx, &by.actor)?);
    audit::append(tx, by.now_ms, &Leaf::PersonExported { person, actor })?;
    Ok(Value::Null)
}

/// Everything that is held of a person.
pub(super) fn export(tx: &Tx<'_>, numbers: &Numbers, now_ms: i64, mail: &str) -> Answer {
    let row = person::find(tx, mail)?;
    let mut answer = answer::person(tx, &numbers.profile, &row, now_ms)?;
    let past = tx.memberships_past(row.id)?;
    answer["past_memberships"] =
        list(past, |(MembershipRow { entity, role, from_ms, .. }, until_ms)| {
            let (slug, until) = (entity_of(tx, entity)?.slug, rfc3339(until_ms));
            Ok(json!({ "entity": slug, "role": role, "from": rfc3339(from_ms), "until": until }))
        })?;
    answer["rank"] = tx.staff_rank(row.id)?.into();
    answer["acceptances"] = list(tx.acceptances_of(row.id)?, |row| {
        Ok(json!({
            "document": row.document,
            "version": row.version,
            "accepted": rfc3339(row.accepted_ms),
            "evidence": row.evidence,
            "recorded_by": row.actor,
        }))
    })?;
    answer["keys"] = answer::keys(tx, Some(mail), now_ms)?;
    answer["sessions"] = sign_in::sessions(tx, Some(mail), now_ms)?;
    answer["identities"] = sign_in::identities(tx, mail)?;
    let registered = tx.registrations_of(&row.mail)?;
    answer["registrations"] = list(registered, |row| sign_in::registration(tx, &row))?;
    let mut exemptions = tx.exemptions()?;
    exemptions.retain(|exemption| exemption.person == row.id);
    answer["exemptions"] = list(exemptions, |row| terms::exemption(tx, &row, now_ms))?;
    answer["exports"] = exports::all(tx, Some(mail))?;
    answer["links"] = share::all(tx, &numbers.profile, Some(mail), now_ms)?;
    answer["joins"] = list(tx.joins_of_person(row.id)?, |row| proposal(tx, numbers, &row))?;
    answer["invitations"] =
        list(tx.invitations_to(&row.mail)?, |row| invitation::invited(tx, &row))?;
    let deliveries = tx.deliveries_newest(Some(row.id), None, EXPORTED_DELIVERIES_MAX)?;
    answer["deliveries"] = list(deliveries, |row| delivery::described(tx, &row))?;
    answer["objects"] = answer::objects(tx, &numbers.profile, &numbers.clock, row.id)?;
    answer["audit_log"] = named_in_log(tx, row.id)?;
    Ok(answer)
}

/// The leaves that name a person, with what shows that it is them.
fn named_in_log(tx: &Tx<'_>, person: PersonId) -> Answer {
    let Some(commitment) = tx.commitment(Party::Person(person))? else { return Ok(Value::Null) };
    let own = tx.commitments()?.into_iter().find(|row| row.party == Party::Person(person));
    let salt = own.and_then(|row| row.salt).map(|salt| hex::encode(salt.0));
    let leaves = tx.leaves_naming(&commitment.to_string())?;
    let leaves: Vec<Value> =
        leaves.iter().filter_map(|leaf| serde_json::from_str(leaf).ok()).collect();
    Ok(json!({ "commitment": commitment.to_string(), "salt": salt, "leaves": leaves }))
}
