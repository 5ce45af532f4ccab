//! How two entities become one: people, datasets and names. What they have received adds up in
//! `ledger`, in the same transaction.

use super::entity::{self, REASON_CHARS_MAX};
use super::words::Status;
use super::{DirectoryError, exemption, invitation, join, membership, text};
use crate::audit::{self, Leaf, name};
use crate::base::party::Actor;
use crate::store::{EntityMarkRow, EntityRow, MarkKind, MembershipRow, Tx};

/// What moved with an entity, and what did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The entity that is no more.
    pub source: EntityRow,
    /// The entity that it is part of.
    pub target: EntityRow,
    /// People who belong to the target from now on.
    pub people_moved: u64,
    /// People who belonged to both.
    pub people_in_both: u64,
    /// Datasets for named entities that the source could see.
    pub datasets: u64,
    /// Exemptions of the source that were in force: they do not carry over.
    pub exemptions_left: Vec<i64>,
}

/// The two entities, if the one can be merged into the other.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if they are the same or one was
/// merged already.
pub fn check(
    tx: &Tx<'_>,
    source: &str,
    target: &str,
) -> Result<(EntityRow, EntityRow), DirectoryError> {
    let (source, target) = (entity::find(tx, source)?, entity::find(tx, target)?);
    if source.id == target.id {
        let slug = source.slug;
        let message = format!("`{slug}` cannot be merged into itself; name another with --into");
        return Err(DirectoryError::Conflict(message));
    }
    Ok((source, target))
}

/// The exemptions of an entity that are in force.
///
/// # Errors
/// [`DirectoryError`] of the store.
pub fn exemptions_in_force(
    tx: &Tx<'_>,
    now_ms: i64,
    row: &EntityRow,
) -> Result<Vec<i64>, DirectoryError> {
    let mut rows = tx.exemptions()?;
    rows.retain(|exemption| {
        exemption.entity == row.id && exemption::is_in_force(exemption, now_ms)
    });
    Ok(rows.into_iter().map(|exemption| exemption.id).collect())
}

/// Makes `source` a part of `target`: its people and the datasets that name it move, its names
/// become aliases. Its exemptions, permissions and use case stay behind.
///
/// # Errors
/// As [`check`]; [`DirectoryError::Invalid`] for the reason.
pub fn carry_out(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    source: &str,
    target: &str,
    reason: &str,
) -> Result<Merged, DirectoryError> {
    let reason = text::line("the reason", reason, REASON_CHARS_MAX)?;
    let (mut source, target) = check(tx, source, target)?;
    let exemptions_left = exemptions_in_force(tx, now_ms, &source)?;
    join::withdraw_all_of(tx, now_ms, actor, source.id)?;
    invitation::withdraw_all_of(tx, now_ms, actor, source.id)?;
    let there = tx.memberships_of_entity(target.id)?;
    let (mut people_moved, mut people_in_both) = (0, 0);
    for MembershipRow { person, role, .. } in tx.memberships_of_entity(source.id)? {
        membership::leave(tx, now_ms, actor, person, source.id)?;
        if there.iter().any(|membership| membership.person == person) {
            people_in_both += 1;
            continue;
        }
        people_moved += 1;
        let row = MembershipRow { person, entity: target.id, role, from_ms: now_ms };
        membership::enter(tx, now_ms, actor, &row)?;
    }
    let datasets = tx.dataset_entities_move(source.id, target.id)?;
    move_names(tx, &source, &target)?;
    source.status = Status::Merged.word().to_owned();
    source.status_reason = Some(reason.clone());
    source.merged_into = Some(target.id);
    tx.entity_update(&source)?;
    let leaf = Leaf::EntityMerged {
        source: name::of_entity(tx, source.id)?,
        target: name::of_entity(tx, target.id)?,
        actor: name::of_actor(tx, actor)?,
    };
    audit::append_decision(tx, now_ms, &leaf, Some(&reason))?;
    Ok(Merged { source, target, people_moved, people_in_both, datasets, exemptions_left })
}

fn move_names(tx: &Tx<'_>, source: &EntityRow, target: &EntityRow) -> Result<(), DirectoryError> {
    let mut marks = tx.entity_marks_of(source.id)?;
    let mark = source.name.clone();
    marks.push(EntityMarkRow { entity: source.id, kind: MarkKind::Alias, mark });
    marks.retain(|mark| mark.mark != target.name);
    for mark in marks {
        tx.entity_mark_insert(&EntityMarkRow { entity: target.id, ..mark })?;
    }
    Ok(())
}
