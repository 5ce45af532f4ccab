//! Charges that come to an entity without a delivery of its own: a person joins and brings along
//! what they have received, or another entity is merged in. Nothing is ever taken away: who leaves
//! leaves their charges behind.
//!
//! What one person received in one minute counts at every entity that they belonged to then, so it
//! may be at the target already: for each person and minute the larger number is the right one.
//! An entity may be over its ceiling afterwards; then nothing goes out to it until it fits.

use std::collections::{BTreeMap, BTreeSet};

use super::clock;
use crate::audit::{self, AttemptName, Leaf, RecipientName, name};
use crate::base::clock::Clock;
use crate::base::ids::IdKind;
use crate::base::party::{Actor, EntityId, PersonId};
use crate::policy::{Profile, Recipient};
use crate::store::{MeterRow, OpenChargeRow, SeenLaterRow, StoreError, Tx};

/// How many minutes or attempts one leaf names at most: with 46 characters and their punctuation
/// each they stay below the longest leaf.
const PARTS_MAX: usize = 500;

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
    effect(tx, newest_left, entity, |kind| load_of_person(tx, person, kind, newest_left))
}

/// What would come to `target` if `source` were merged into it.
///
/// # Errors
/// [`StoreError`] of the looks.
pub fn merge_effect(
    tx: &Tx<'_>,
    profile: &Profile,
    clock: &Clock,
    source: EntityId,
    target: EntityId,
) -> Result<Vec<Carried>, StoreError> {
    let newest_left = profile.window.newest_left(clock::time_ms(tx, clock)?);
    effect(tx, newest_left, target, |kind| {
        let meter = tx.meter_find(Recipient::Entity(source), kind)?;
        meter.map_or(Ok(Load::default()), |meter| load_of_meter(tx, &meter, newest_left))
    })
}

/// What would come to `entity` if the loads came to it.
fn effect(
    tx: &Tx<'_>,
    newest_left: i64,
    entity: EntityId,
    load_of: impl Fn(IdKind) -> Result<Load, StoreError>,
) -> Result<Vec<Carried>, StoreError> {
    let mut effects = Vec::new();
    for kind in IdKind::ALL {
        let load = load_of(kind)?;
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
        let load = load_of_person(tx, person, kind, newest_left)?;
        let target = tx.meter(Recipient::Entity(entity), kind)?;
        let carry = Carry { tx, kind, newest_left, now_ms, source: "join", actor };
        carried.extend(carry.unload(load, &target)?);
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
        let carry = Carry { tx, kind, newest_left, now_ms, source: "merge", actor };
        carried.extend(carry.unload(load, &target)?);
    }
    Ok(carried)
}

/// How a load is put down.
struct Carry<'a> {
    tx: &'a Tx<'a>,
    kind: IdKind,
    newest_left: i64,
    now_ms: i64,
    /// The word of what brings it.
    source: &'a str,
    actor: &'a Actor,
}

impl Carry<'_> {
    /// Raises `target` by what it does not have of `load`; `None` if it has all of it.
    fn unload(&self, load: Load, target: &MeterRow) -> Result<Option<Carried>, StoreError> {
        let Carry { tx, kind, newest_left, now_ms, source, .. } = *self;
        let beyond = load.beyond(&load_of_meter(tx, target, newest_left)?);
        let ids = beyond.ids();
        if ids == 0 {
            return Ok(None);
        }
        // What has left the window is still in the meter's row, until it is charged next.
        let live_ids = target.level.live_ids - tx.buckets_left(target.id, newest_left)?;
        tx.carry(target.id, ids, source, now_ms)?;
        let mut settled: BTreeMap<i64, u64> = BTreeMap::new();
        for (&(minute, person), &ids) in &beyond.buckets {
            tx.bucket_add(target.id, minute, person, ids)?;
            *settled.entry(minute).or_default() += ids;
        }
        for charge in &beyond.open {
            tx.open_charge_copy(charge, target.id)?;
        }
        self.write(target, &settled.into_iter().collect::<Vec<_>>(), &beyond.open)?;
        Ok(Some(Carried { kind, ids, live_ids: live_ids + ids }))
    }

    /// Writes down what came, in as many leaves as it takes.
    fn write(
        &self,
        target: &MeterRow,
        settled: &[(i64, u64)],
        open: &[OpenChargeRow],
    ) -> Result<(), StoreError> {
        let actor = name::of_actor(self.tx, self.actor)?;
        let target = RecipientName::Entity(target.commitment);
        let named =
            |charge: &OpenChargeRow| (AttemptName(charge.delivery, charge.attempt), charge.ids);
        let (mut settled, mut open) = (settled.chunks(PARTS_MAX), open.chunks(PARTS_MAX));
        loop {
            let parts = (settled.next(), open.next());
            if let (None, None) = parts {
                return Ok(());
            }
            let leaf = Leaf::Carried {
                target,
                kind: self.kind,
                settled: parts.0.unwrap_or_default().to_vec(),
                open: parts.1.unwrap_or_default().iter().map(named).collect(),
                actor: actor.clone(),
            };
            audit::append(self.tx, self.now_ms, &leaf)?;
        }
    }
}

/// What is live of a person, at whichever entity they received it.
fn load_of_person(
    tx: &Tx<'_>,
    person: PersonId,
    kind: IdKind,
    newest_left: i64,
) -> Result<Load, StoreError> {
    let mut all = Load::default();
    for meter_id in tx.meters_of_person(person, kind)? {
        let mut load = load_of(tx, meter_id, newest_left)?;
        load.buckets.retain(|(_, whose), _| *whose == person);
        load.open.retain(|charge| charge.person == person);
        // Where an ID counts once, a colleague may have fetched it again: it is in the bucket of
        // the colleague then. That does not undo that this person has it.
        for (minute, ids) in tx.seen_superseded(meter_id, person, newest_left)? {
            *load.buckets.entry((minute, person)).or_default() += ids;
        }
        load.buckets.retain(|_, ids| *ids > 0);
        let beyond = load.beyond(&all);
        for (place, ids) in beyond.buckets {
            *all.buckets.entry(place).or_default() += ids;
        }
        all.open.extend(beyond.open);
    }
    Ok(all)
}

/// What is live of an entity.
///
/// Where an ID counts once, it is in the bucket of the charge that was opened last, or in none
/// while that is open. What was opened before may be settled later, and falls heir to the ID there:
/// here it has to have it at once, because nothing that is carried knows which IDs it stands for.
fn load_of_meter(tx: &Tx<'_>, meter: &MeterRow, newest_left: i64) -> Result<Load, StoreError> {
    let mut load = load_of(tx, meter.id, newest_left)?;
    for SeenLaterRow { counted, last, ids } in tx.seen_later(meter.id, newest_left)? {
        *load.buckets.entry(last).or_default() += ids;
        if let Some(there_ids) = counted.and_then(|counted| load.buckets.get_mut(&counted)) {
            *there_ids = there_ids.saturating_sub(ids);
        }
    }
    Ok(load)
}

fn load_of(tx: &Tx<'_>, meter_id: i64, newest_left: i64) -> Result<Load, StoreError> {
    let rows = tx.buckets_by_person(meter_id)?;
    let live = rows.iter().filter(|row| row.minute > newest_left);
    let buckets = live.map(|row| ((row.minute, row.person), row.ids)).collect();
    Ok(Load { buckets, open: tx.open_charges_of_meter(meter_id)? })
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
