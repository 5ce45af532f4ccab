//! What operations say of entities, as JSON, and the merge of two, in which the directory and the
//! ledger change together.

use serde_json::{Value, json};

use super::answer::{entity_of, list, person_of};
use super::{By, Numbers, terms};
use crate::base::date::rfc3339;
use crate::base::ids::IdKind;
use crate::base::party::EntityId;
use crate::directory::duplicate::{self, Duplicate};
use crate::directory::words::Status;
use crate::directory::{DirectoryError, entity, merge};
use crate::ledger::carry::{self, Carried};
use crate::ledger::usage;
use crate::store::{EntityMarkRow, EntityRow, MarkKind, MembershipRow, Tx, UseCaseRow};

type Answer = Result<Value, DirectoryError>;

/// An entity by itself.
pub(super) fn brief(tx: &Tx<'_>, row: &EntityRow) -> Answer {
    formed(tx, row, &tx.entity_marks_of(row.id)?)
}

fn formed(tx: &Tx<'_>, row: &EntityRow, marks: &[EntityMarkRow]) -> Answer {
    let of = |kind| -> Vec<&str> {
        let marks = marks.iter().filter(|mark| mark.entity == row.id && mark.kind == kind);
        marks.map(|mark| mark.mark.as_str()).collect()
    };
    let target = row.merged_into.map(|target| entity_of(tx, target)).transpose()?;
    Ok(json!({
        "id": row.id.0.to_string(),
        "slug": row.slug,
        "name": row.name,
        "aliases": of(MarkKind::Alias),
        "sector": row.sector,
        "ror": row.ror.as_ref().map(|ror| format!("https://ror.org/{ror}")),
        "domains": of(MarkKind::Domain),
        "use_case": row.use_case,
        "status": Status::of_row(&row.status),
        "status_reason": row.status_reason,
        "merged_into": target.map(|target| target.slug),
        "reviewed": row.reviewed_ms.map(rfc3339),
        "created": rfc3339(row.created_ms),
    }))
}

/// All entities.
pub(super) fn all(tx: &Tx<'_>) -> Answer {
    let marks = tx.entity_marks()?;
    list(tx.entities()?, |row| formed(tx, &row, &marks))
}

/// A new entity, with those that it may be.
pub(super) fn added(tx: &Tx<'_>, row: &EntityRow) -> Answer {
    let mut answer = brief(tx, row)?;
    let of = |duplicate: &Duplicate| pair(duplicate, &duplicate.first);
    answer["resembles"] = duplicate::of(tx, row.id)?.iter().map(of).collect();
    Ok(answer)
}

/// Every pair of entities that may be one.
pub(super) fn duplicates(tx: &Tx<'_>) -> Answer {
    let pairs = duplicate::all(tx)?.into_iter().map(|duplicate| {
        let mut answer = pair(&duplicate, &duplicate.first);
        answer["other"] = duplicate.second.slug.clone().into();
        answer["other_name"] = duplicate.second.name.clone().into();
        answer
    });
    Ok(pairs.collect())
}

fn pair(duplicate: &Duplicate, shown: &EntityRow) -> Value {
    let why: Vec<String> = duplicate.why.iter().map(ToString::to_string).collect();
    json!({ "slug": shown.slug, "name": shown.name, "why": why })
}

/// An entity with its people, use cases and exemptions.
pub(super) fn whole(tx: &Tx<'_>, row: &EntityRow, now_ms: i64) -> Answer {
    let mut answer = brief(tx, row)?;
    answer["people"] = list(tx.memberships_of_entity(row.id)?, |membership| {
        let MembershipRow { person, role, from_ms, .. } = membership;
        let person = person_of(tx, person)?;
        let from = rfc3339(from_ms);
        Ok(json!({ "mail": person.mail, "name": person.name, "role": role, "from": from }))
    })?;
    answer["use_cases"] = list(tx.use_cases_of(row.id)?, |row| use_case(tx, &row))?;
    let mut rows = tx.exemptions()?;
    rows.retain(|exemption| exemption.entity == row.id);
    answer["exemptions"] = list(rows, |row| terms::exemption(tx, &row, now_ms))?;
    let mut rows = tx.permissions()?;
    rows.retain(|permission| permission.entity == row.id);
    answer["permissions"] = list(rows, |row| terms::permission(tx, &row, now_ms))?;
    Ok(answer)
}

/// A version of a use case.
pub(super) fn use_case(tx: &Tx<'_>, row: &UseCaseRow) -> Answer {
    Ok(json!({
        "entity": entity_of(tx, row.entity)?.slug,
        "version": row.version,
        "purpose": row.purpose,
        "status": row.status,
        "proposed": rfc3339(row.proposed_ms),
        "proposed_by": row.proposed_by,
        "decided": row.decided_ms.map(rfc3339),
        "decided_by": row.decided_by,
        "reason": row.reason,
    }))
}

/// The versions of an entity's use case, or of every entity's.
pub(super) fn use_cases(tx: &Tx<'_>, slug: Option<&str>) -> Answer {
    let rows = match slug {
        Some(slug) => tx.use_cases_of(entity::find_merged_too(tx, slug)?.id)?,
        None => tx.use_cases()?,
    };
    list(rows, |row| use_case(tx, &row))
}

/// What the meters of an entity become when something is carried to them: a row for each kind.
pub(super) fn effect(
    tx: &Tx<'_>,
    numbers: &Numbers,
    entity: EntityId,
    carried: &[Carried],
) -> Answer {
    list(IdKind::ALL.to_vec(), |kind| {
        let usage = usage(tx, &numbers.profile, &numbers.clock, entity, kind)?;
        let before = usage.used_ids + usage.open_ids;
        let brings = carried.iter().find(|part| part.kind == kind).map_or(0, |part| part.ids);
        let after = before + brings;
        Ok(json!({
            "kind": kind,
            "before": before,
            "brings": brings,
            "after": after,
            "ceiling": usage.ceiling_ids,
            "basis": usage.basis,
            "over": usage.ceiling_ids.is_some_and(|ceiling_ids| after > ceiling_ids),
        }))
    })
}

/// What a merge would do.
pub(super) fn merge_effect(
    tx: &Tx<'_>,
    now_ms: i64,
    numbers: &Numbers,
    source: &str,
    target: &str,
) -> Answer {
    let (source, target) = merge::check(tx, source, target)?;
    let Numbers { profile, clock } = numbers;
    let carried = carry::merge_effect(tx, profile, clock, source.id, target.id)?;
    let there = tx.memberships_of_entity(target.id)?;
    let people = tx.memberships_of_entity(source.id)?;
    let is_there = |row: &&MembershipRow| there.iter().any(|there| there.person == row.person);
    let in_both = people.iter().filter(is_there).count();
    let exemptions = merge::exemptions_in_force(tx, now_ms, &source)?;
    Ok(json!({
        "source": source.slug,
        "target": target.slug,
        "effect": effect(tx, numbers, target.id, &carried)?,
        "people_moved": people.len() - in_both,
        "people_in_both": in_both,
        "exemptions_left": numbered(&exemptions),
    }))
}

/// Merges one entity into another, charges and all.
pub(super) fn merge(
    tx: &Tx<'_>,
    by: &By,
    numbers: &Numbers,
    [source, target]: [&str; 2],
    reason: &str,
) -> Answer {
    let mut answer = merge_effect(tx, by.now_ms, numbers, source, target)?;
    let (source_row, target_row) = merge::check(tx, source, target)?;
    let Numbers { profile, clock } = numbers;
    carry::merge(tx, profile, clock, &by.actor, source_row.id, target_row.id)?;
    let merged = merge::carry_out(tx, by.now_ms, &by.actor, source, target, reason)?;
    answer["people_moved"] = merged.people_moved.into();
    answer["people_in_both"] = merged.people_in_both.into();
    answer["datasets"] = merged.datasets.into();
    answer["exemptions_left"] = numbered(&merged.exemptions_left);
    Ok(answer)
}

fn numbered(exemptions: &[i64]) -> Value {
    exemptions.iter().map(i64::to_string).collect()
}
