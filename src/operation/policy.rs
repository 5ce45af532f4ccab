//! The operations on the profile in force: how it reads, what another one would change, and the
//! switch to it.

use serde_json::{Value, json};

use super::{Context, ErrorKind, OperationError};
use crate::base::date::rfc3339;
use crate::base::party::Actor;
use crate::directory::{DirectoryError, document};
use crate::ledger::profile::{self, Over, SwitchError};
use crate::policy::{Profile, Recipient, Unit};
use crate::store::{ProfileRow, StoreError, Tx};

/// The profile in force, and since when; or the one that the first start would put in force.
pub(super) fn show(tx: &Tx<'_>, wanted: &Profile) -> Result<Value, DirectoryError> {
    let (profile, row) = match profile::in_force(tx)? {
        Some((profile, row)) => (profile, Some(row)),
        None => (wanted.clone(), None),
    };
    Ok(shown(&profile, row.as_ref()))
}

/// A profile, and since when it is in force; without a row it is not.
pub fn shown(profile: &Profile, row: Option<&ProfileRow>) -> Value {
    json!({
        "profile": profile.name,
        "in_force": row.is_some(),
        "since": row.map(|row| rfc3339(row.since_ms)),
        "actor": row.and_then(|row| row.actor.as_deref()),
        "reason": row.and_then(|row| row.reason.as_deref()),
        "sha256": row.map(|row| hex::encode(row.sha256)),
        "numbers": numbers(profile),
    })
}

/// Every number of a profile under its key.
fn numbers(profile: &Profile) -> Value {
    let table: toml::Table = profile.toml().parse().expect("it was written a line ago");
    serde_json::to_value(table).expect("a profile has texts and whole numbers only")
}

/// What would change if the profile in `toml` were put in force.
pub(super) fn preview(context: &Context, toml: &str) -> Result<Value, OperationError> {
    let wanted = parse(toml)?;
    context.store.read(|tx| {
        let mut answer = changes(tx, context, &wanted)?;
        let hindrance = match profile::check(tx, &context.clock, &wanted) {
            Ok(()) => Value::Null,
            Err(SwitchError::Store(error)) => return Err(error.into()),
            Err(error) => error.to_string().into(),
        };
        answer["hindrance"] = hindrance;
        Ok(answer)
    })
}

/// Puts the profile in `toml` in force.
pub(super) fn switch(
    context: &Context,
    actor: &Actor,
    toml: &str,
    reason: &str,
) -> Result<Value, OperationError> {
    if reason.trim().is_empty() {
        let message = "a reason is needed: --reason TEXT".to_owned();
        return Err(OperationError { kind: ErrorKind::Invalid, message });
    }
    let wanted = parse(toml)?;
    let (context, actor, reason) = (context.clone(), actor.clone(), reason.trim().to_owned());
    context.store.clone().write_blocking(move |tx| {
        let answer = changes(tx, &context, &wanted)?;
        match profile::switch(tx, &context.clock, &actor, &reason, &wanted) {
            Ok(()) => Ok(answer),
            Err(SwitchError::Store(error)) => Err(error.into()),
            Err(error) => {
                Err(OperationError { kind: ErrorKind::Conflict, message: error.to_string() })
            }
        }
    })
}

fn parse(toml: &str) -> Result<Profile, OperationError> {
    Profile::parse(toml)
        .map_err(|error| OperationError { kind: ErrorKind::Invalid, message: error.to_string() })
}

/// Who would be over, and which numbers and documents would be others.
fn changes(tx: &Tx<'_>, context: &Context, wanted: &Profile) -> Result<Value, OperationError> {
    let present = profile::in_force(tx)?.map(|(profile, _)| profile);
    let (mut numbers_changed, now_ms) = (Vec::new(), context.clock.now_ms());
    let (before, after) = (present.as_ref().map(numbers), numbers(wanted));
    let keys = after.as_object().into_iter().flatten().map(|(key, _)| key);
    let before_keys = before.iter().filter_map(Value::as_object).flatten().map(|(key, _)| key);
    let mut keys: Vec<&String> = keys.chain(before_keys).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys.into_iter().filter(|key| *key != "documents") {
        let before = before.as_ref().map_or(&Value::Null, |numbers| &numbers[key]);
        if *before != after[key] {
            numbers_changed.push(json!({ "key": key, "before": before, "after": after[key] }));
        }
    }
    let of_present = present.as_ref().map_or(&[][..], |profile| &profile.documents);
    let before = document::in_force(tx, of_present, now_ms)?;
    let mut asked_again = document::in_force(tx, &wanted.documents, now_ms)?;
    asked_again.retain(|document| !before.contains(document));
    let mut over = Vec::new();
    for one in profile::over(tx, &context.clock, wanted)? {
        over.push(described(tx, &one)?);
    }
    Ok(json!({
        "before": present.map(|profile| profile.name),
        "after": wanted.name,
        "changes": numbers_changed,
        "documents": asked_again,
        "over": over,
    }))
}

fn described(tx: &Tx<'_>, over: &Over) -> Result<Value, StoreError> {
    let (who, kind) = match over.recipient {
        Recipient::Entity(entity) => (tx.entity_by_id(entity)?.map(|row| row.slug), "entity"),
        Recipient::Person(person) => (tx.person_by_id(person)?.map(|row| row.mail), "person"),
        Recipient::Link(share) => (Some(share.0.to_string()), "link"),
    };
    let unit = match over.unit {
        Unit::Ids(kind) => format!("{} IDs", kind.title()),
        Unit::Objects => "objects".to_owned(),
    };
    Ok(json!({
        kind: who,
        "who": who,
        "unit": unit,
        "live": over.live_ids,
        "ceiling": over.ceiling_ids,
        "excess": over.live_ids - over.ceiling_ids,
        "basis": over.basis,
        "until": over.until_ms.map(rfc3339),
    }))
}
