//! Charges that come to an entity without a delivery of its own: a person joins and brings along
//! what they have received, or another entity is merged in. Nothing is ever taken away: who leaves
//! leaves their charges behind.
//!
//! What one person received in one minute counts at every entity that they belonged to then, so it
//! may be at the target already: for each person and minute the larger number is the right one.
//! An entity may be over its ceiling afterwards; then nothing goes out to it until it fits.

use std::collections::{BTreeMap, BTreeSet};

use super::clock;
use crate::audit::{self, Leaf, RecipientName, name};
use crate::base::clock::Clock;
use crate::base::ids::IdKind;
use crate::base::party::{Actor, EntityId, PersonId};
use crate::policy::{Profile, Recipient};
use crate::store::{MeterRow, OpenChargeRow, StoreError, Tx};

/// What comes, or would come, to an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Of which kind.
    pub kind: IdKind,
    /// How many live IDs come to it.
    pub ids: u64,
    /// How many are live there with them.
    pub live_ids: u64,
}

/// Live charges that may come to a meter.
#[derive(Default)]
struct Load {
    /// By minute and person.
    buckets: BTreeMap<(i64, PersonId), u64>,
    open: Vec<OpenChargeRow>,
}

/// What would come to `entity` if `person` joined it: to be shown to whoever agrees to it.
///
/// # Errors
/// [`StoreError`] of the looks.
pub fn join_effect(
    tx: &Tx<'_>,
    profile: &Profile,
    clock: &Clock,
    person: PersonId,
    entity: EntityId,
) -> Result<Vec<Carried>, StoreError> {
    let newest_left = profile.window.newest_left(clock::time_ms(tx, clock)?);
    let mut effects = Vec::new();
    for kind in IdKind::ALL {
        let (load, _) = load_of_person(tx, person, kind, newest_left)?;
        let (there, live_ids) = match tx.meter_find(Recipient::Entity(entity), kind)? {
            Some(meter) => {
                let left_ids = tx.buckets_left(meter.id, newest_left)?;
                (load_of_meter(tx, &meter, newest_left)?, meter.level.live_ids - left_ids)
            }
            None => (Load::default(), 0),
        };
        let ids = load.beyond(&there).ids();
        effects.push(Carried { kind, ids, live_ids: live_ids + ids });
    }
    effects.retain(|effect| effect.ids > 0);
    Ok(effects)
}

/// Copies what `person` has received, as far as it is live, to `entity`, which they join.
///
/// # Errors
/// [`StoreError`] of the looks or the changes.
pub fn join(
    tx: &Tx<'_>,
    profile: &Profile,
    clock: &Clock,
    actor: &Actor,
    person: PersonId,
    entity: EntityId,
) -> Result<Vec<Carried>, StoreError> {
    let now_ms = clock::move_on(tx, clock)?;
    let newest_left = profile.window.newest_left(now_ms);
    let mut carried = Vec::new();
    for kind in IdKind::ALL {
        let (load, sources) = load_of_person(tx, person, kind, newest_left)?;
        let target = tx.meter(Recipient::Entity(entity), kind)?;
        let Some(carry) = unload(tx, load, &target, kind, "join", newest_left, now_ms)? else {
            continue;
        };
        let leaf = Leaf::Carried {
            target: RecipientName::Entity(target.commitment),
            sources,
            person: Some(name::of_person(tx, person)?),
            kind,
            ids: carry.ids,
            actor: name::of_actor(tx, actor)?,
        };
        audit::append(tx, now_ms, &leaf)?;
        carried.push(carry);
    }
    Ok(carried)
}

/// Copies what is live at `source` to `target`, into which it is merged.
///
/// # Errors
/// [`StoreError`] of the looks or the changes.
pub fn merge(
    tx: &Tx<'_>,
    profile: &Profile,
    clock: &Clock,
    actor: &Actor,
    source: EntityId,
    target: EntityId,
) -> Result<Vec<Carried>, StoreError> {
    assert_ne!(source, target, "an entity is merged into another one");
    let now_ms = clock::move_on(tx, clock)?;
    let newest_left = profile.window.newest_left(now_ms);
    let mut carried = Vec::new();
    for kind in IdKind::ALL {
        let Some(source) = tx.meter_find(Recipient::Entity(source), kind)? else { continue };
        let load = load_of_meter(tx, &source, newest_left)?;
        let target = tx.meter(Recipient::Entity(target), kind)?;
        let Some(carry) = unload(tx, load, &target, kind, "merge", newest_left, now_ms)? else {
            continue;
        };
        let leaf = Leaf::Carried {
            target: RecipientName::Entity(target.commitment),
            sources: vec![RecipientName::Entity(source.commitment)],
            person: None,
            kind,
            ids: carry.ids,
            actor: name::of_actor(tx, actor)?,
        };
        audit::append(tx, now_ms, &leaf)?;
        carried.push(carry);
    }
    Ok(carried)
}

/// Raises `target` by what it does not have of `load`; `None` if it has all of it.
fn unload(
    tx: &Tx<'_>,
    load: Load,
    target: &MeterRow,
    kind: IdKind,
    source: &str,
    newest_left: i64,
    now_ms: i64,
) -> Result<Option<Carried>, StoreError> {
    let beyond = load.beyond(&load_of_meter(tx, target, newest_left)?);
    let ids = beyond.ids();
    if ids == 0 {
        return Ok(None);
    }
    tx.carry(target.id, ids, source, now_ms)?;
    for ((minute, person), ids) in beyond.buckets {
        tx.bucket_add(target.id, minute, person, ids)?;
    }
    for charge in beyond.open {
        tx.open_charge_copy(&charge, target.id)?;
    }
    Ok(Some(Carried { kind, ids, live_ids: target.level.live_ids + ids }))
}

/// What is live of a person, at whichever entity they received it, and by which names the log
/// knows these entities.
fn load_of_person(
    tx: &Tx<'_>,
    person: PersonId,
    kind: IdKind,
    newest_left: i64,
) -> Result<(Load, Vec<RecipientName>), StoreError> {
    let meters = tx.meters()?;
    let own = tx.meters_of_person(person, kind)?;
    let (mut all, mut sources) = (Load::default(), Vec::new());
    for (_, _, meter) in meters.iter().filter(|(_, _, meter)| own.contains(&meter.id)) {
        let mut load = load_of_meter(tx, meter, newest_left)?;
        load.buckets.retain(|(_, whose), _| *whose == person);
        load.open.retain(|charge| charge.person == person);
        let beyond = load.beyond(&all);
        for (place, ids) in beyond.buckets {
            *all.buckets.entry(place).or_default() += ids;
        }
        all.open.extend(beyond.open);
        sources.push(RecipientName::Entity(meter.commitment));
    }
    Ok((all, sources))
}

fn load_of_meter(tx: &Tx<'_>, meter: &MeterRow, newest_left: i64) -> Result<Load, StoreError> {
    let rows = tx.buckets_by_person(meter.id)?;
    let live = rows.iter().filter(|row| row.minute > newest_left);
    let buckets = live.map(|row| ((row.minute, row.person), row.ids)).collect();
    Ok(Load { buckets, open: tx.open_charges_of_meter(meter.id)? })
}

impl Load {
    /// What of this load is not in `there`.
    fn beyond(mut self, there: &Load) -> Load {
        for (place, ids) in &mut self.buckets {
            *ids = ids.saturating_sub(there.buckets.get(place).copied().unwrap_or(0));
        }
        self.buckets.retain(|_, ids| *ids > 0);
        let known: BTreeSet<_> =
            there.open.iter().map(|charge| (charge.delivery, charge.attempt)).collect();
        self.open.retain(|charge| !known.contains(&(charge.delivery, charge.attempt)));
        self
    }

    fn ids(&self) -> u64 {
        let open: u64 = self.open.iter().map(|charge| charge.ids).sum();
        self.buckets.values().sum::<u64>() + open
    }
}
