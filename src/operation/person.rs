//! What operations do with people where the directory and the ledger change together: they come,
//! they join further entities, they are shown what is held of them. What they did stays theirs.

use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::{self, entity_of, list, person_of};
use super::entity::effect;
use super::{By, Context, Numbers, Once, OperationError, delivery, share, sign_in, terms};
use crate::audit::{self, Leaf, name};
use crate::base::clock::Clock;
use crate::base::date::rfc3339;
use crate::base::party::{Actor, PersonId};
use crate::directory::retention::{self, Forgotten, Retention};
use crate::directory::words::{Side, Status};
use crate::directory::{DirectoryError, entity, erasure, invitation, join, person, registration};
use crate::ledger::{carry, time_ms};
use crate::policy::Profile;
use crate::store::{
    Consent, InvitationRow, JoinRow, MembershipRow, Party, PersonRow, RegistrationRow, Tx,
};

type Answer = Result<Value, DirectoryError>;

/// How many deliveries an export holds at most.
const EXPORTED_DELIVERIES_MAX: u32 = 1_000_000;

/// What shows the consent of an entity whose operator invited somebody.
const BY_INVITATION: &str = "an invitation";

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
pub(super) fn invitations(tx: &Tx<'_>, slug: &str) -> Answer {
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
    let registered = tx.registrations_of(&row.mail)?;
    answer["registrations"] = list(registered, |row| sign_in::registration(tx, &row))?;
    let mut exemptions = tx.exemptions()?;
    exemptions.retain(|exemption| exemption.person == row.id);
    answer["exemptions"] = list(exemptions, |row| terms::exemption(tx, &row, now_ms))?;
    answer["links"] = share::all(tx, &numbers.profile, Some(mail), now_ms)?;
    answer["joins"] = list(tx.joins_of_person(row.id)?, |row| proposal(tx, numbers, &row))?;
    answer["invitations"] = list(tx.invitations_to(&row.mail)?, |row| invited(tx, &row))?;
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

/// Forgets what is personal and has been kept long enough. Waits for the disk.
///
/// # Errors
/// [`OperationError`]; then nothing is forgotten.
pub fn sweep(context: &Context, retention: Retention) -> Result<Forgotten, OperationError> {
    let (now_ms, clock) = (context.clock.now_ms(), context.clock.clone());
    let window = context.profile.window;
    let swept = context.store.write_blocking(move |tx| {
        let newest_left = window.newest_left(time_ms(tx, &clock)?);
        Once::forget_old(tx, now_ms)?;
        retention::sweep(tx, now_ms, newest_left, retention).map_err(DirectoryError::from)
    });
    Ok(swept?)
}
