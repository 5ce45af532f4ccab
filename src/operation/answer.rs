//! The answers of operations as JSON: numbers of rows are strings, times are RFC 3339 in UTC.

use serde_json::{Value, json};

use crate::base::clock::Clock;
use crate::base::date::rfc3339;
use crate::base::ids::IdKind;
use crate::base::party::{EntityId, KeyId, PersonId};
use crate::directory::words::Status;
use crate::directory::{DirectoryError, Token, document, key, person};
use crate::ledger::{self, Usage};
use crate::policy::{Profile, Unit};
use crate::store::{EntityRow, KeyRow, MembershipRow, PersonRow, Tx};

type Answer = Result<Value, DirectoryError>;

/// Every row as `form` puts it.
pub(super) fn list<T>(rows: Vec<T>, form: impl FnMut(T) -> Answer) -> Answer {
    Ok(Value::Array(rows.into_iter().map(form).collect::<Result<_, _>>()?))
}

/// The instances with whether each is alive: `null` where the database cannot tell.
pub(super) fn instances(tx: &Tx<'_>) -> Answer {
    list(tx.instances()?, |row| {
        let alive = tx.instance_is_alive(&row.name)?;
        let state = match (alive, row.retired_ms) {
            (Some(true), _) => Some("alive"),
            (_, Some(_)) => Some("retired"),
            (Some(false), None) => Some("gone"),
            (None, None) => None,
        };
        Ok(json!({
            "name": row.name,
            "state": state,
            "alive": alive,
            "started": rfc3339(row.started_ms),
            "open": row.open_ids,
            "deliveries": row.deliveries,
            "retired": row.retired_ms.map(rfc3339),
            "retired_by": row.retired_by,
            "retired_reason": row.retired_reason,
        }))
    })
}

pub(super) fn person(tx: &Tx<'_>, profile: &Profile, row: &PersonRow, now_ms: i64) -> Answer {
    let entities = list(tx.memberships_of_person(row.id)?, |membership| {
        let MembershipRow { entity, role, from_ms, .. } = membership;
        let slug = entity_of(tx, entity)?.slug;
        Ok(json!({ "entity": slug, "role": role, "from": rfc3339(from_ms) }))
    })?;
    Ok(json!({
        "id": row.id.0.to_string(),
        "mail": row.erased_ms.is_none().then_some(&row.mail),
        "name": row.name,
        "status": Status::of_row(&row.status),
        "status_reason": row.status_reason,
        "memberships": entities,
        "documents_missing": documents_missing(tx, profile, row.id, now_ms)?,
        "created": rfc3339(row.created_ms),
        "erased": row.erased_ms.map(rfc3339),
    }))
}

pub(super) fn people(tx: &Tx<'_>, profile: &Profile, now_ms: i64) -> Answer {
    let people = tx.people()?.into_iter().filter(|row| row.erased_ms.is_none());
    list(people.collect(), |row| person(tx, profile, &row, now_ms))
}

fn documents_missing(tx: &Tx<'_>, profile: &Profile, person: PersonId, now_ms: i64) -> Answer {
    let missing = document::missing(tx, &profile.documents, now_ms, person)?;
    list(missing, |document| Ok(document.name.into()))
}

pub(super) fn key(tx: &Tx<'_>, row: &KeyRow, now_ms: i64) -> Answer {
    Ok(json!({
        "id": row.id.0.to_string(),
        "person": person_of(tx, row.person)?.mail,
        "label": row.label,
        "scope": row.scope,
        "status": key::state(row, now_ms).word(),
        "created": rfc3339(row.created_ms),
        "expires": rfc3339(row.expires_ms),
        "revoked": row.revoked_ms.map(rfc3339),
        "last_used": row.last_used_ms.map(rfc3339),
        "successor": row.successor.map(|KeyId(successor)| successor.to_string()),
    }))
}

/// The one answer that holds a token.
pub(super) fn key_issued(
    tx: &Tx<'_>,
    profile: &Profile,
    row: &KeyRow,
    token: &Token,
    now_ms: i64,
) -> Answer {
    let mut answer = json!({ "token": token.reveal() });
    let fields = key(tx, row, now_ms)?;
    for (name, value) in fields.as_object().expect("a key's answer has fields") {
        answer[name] = value.clone();
    }
    answer["documents_missing"] = documents_missing(tx, profile, row.person, now_ms)?;
    Ok(answer)
}

pub(super) fn keys(tx: &Tx<'_>, mail: Option<&str>, now_ms: i64) -> Answer {
    let mut rows = tx.keys()?;
    if let Some(mail) = mail {
        let owner = person::find(tx, mail)?.id;
        rows.retain(|row| row.person == owner);
    }
    list(rows, |row| key(tx, &row, now_ms))
}

/// The meters of an entity, one for each kind of ID, as operators and requesters see them.
///
/// # Errors
/// [`DirectoryError`] of the store.
pub fn usage(tx: &Tx<'_>, profile: &Profile, clock: &Clock, row: &EntityRow) -> Answer {
    let meters = list(IdKind::ALL.to_vec(), |kind| {
        let usage = ledger::usage(tx, profile, clock, row.id, kind)?;
        let mut answer = json!({ "kind": kind });
        answer["count"] = match profile.counts_once(kind) && usage.ceiling_ids.is_some() {
            true => "distinct".into(),
            false => "deliveries".into(),
        };
        extend(&mut answer, meter(usage, "ids")?);
        Ok(answer)
    })?;
    Ok(json!({
        "entity": row.slug,
        "name": row.name,
        "status": Status::of_row(&row.status),
        "profile": profile.name,
        "window_seconds": profile.window.length_ms / 1_000,
        "grace_seconds": profile.window.grace_ms / 1_000,
        "meters": meters,
    }))
}

/// How many objects a person was handed, and how many are left.
///
/// # Errors
/// [`DirectoryError`] of the store.
pub fn objects(tx: &Tx<'_>, profile: &Profile, clock: &Clock, person: PersonId) -> Answer {
    let usage = ledger::usage(tx, profile, clock, person, Unit::Objects)?;
    let mut answer = json!({
        "profile": usage.profile,
        "window_seconds": usage.window_ms / 1_000,
        "grace_seconds": usage.grace_ms / 1_000,
    });
    extend(&mut answer, meter(usage, "objects")?);
    Ok(answer)
}

/// A meter, whose `units` come back.
fn meter(usage: Usage, units: &str) -> Answer {
    let returns =
        list(usage.returns, |part| Ok(json!({ "at": rfc3339(part.at_ms), units: part.ids })))?;
    Ok(json!({
        "at": rfc3339(usage.at_ms),
        "used": usage.used_ids,
        "open": usage.open_ids,
        "held": usage.held_ids,
        "ceiling": usage.ceiling_ids,
        "remaining": usage.remaining_ids,
        "over": usage.over,
        "basis": usage.basis,
        "basis_until": usage.basis_until_ms.map(rfc3339),
        "returns": returns,
    }))
}

fn extend(answer: &mut Value, more: Value) {
    let (Value::Object(answer), Value::Object(more)) = (answer, more) else {
        unreachable!("both are made of fields a few lines above")
    };
    answer.extend(more);
}

pub(super) fn entity_of(tx: &Tx<'_>, id: EntityId) -> Result<EntityRow, DirectoryError> {
    let row = tx.entity_by_id(id)?;
    Ok(row.expect("the row that names an entity holds it by a foreign key"))
}

pub(super) fn person_of(tx: &Tx<'_>, id: PersonId) -> Result<PersonRow, DirectoryError> {
    let row = tx.person_by_id(id)?;
    Ok(row.expect("the row that names a person holds them by a foreign key"))
}
