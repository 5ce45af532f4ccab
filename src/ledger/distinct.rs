//! What a recipient has, where an element counts once: references, and which charge an element is
//! counted with. An element is an ID, or a file of objects. When something may be charged is not
//! decided here.
//!
//! # The story
//!
//! Each attempt that is charged leaves a reference to each of its elements. An element is live as
//! long as a reference to it is: as one is open, or settled within the window. It is counted once,
//! with the charge of its newest reference: in the bucket of that charge's minute, or as open. So
//! a chunk that is opened takes the elements that the recipient has with it, out of the buckets
//! and open charges in which they were; only those that are new add to what is live. Settling puts
//! the whole charge into the bucket of its minute and touches no element.
//!
//! A charge that is given back, or leaves the window, takes its references with it, and no others.
//! An element whose newest reference that was goes back to the next newest one, into the bucket
//! where that is; only if there is none it is no longer live. That is what keeps an ID charged
//! that somebody was sent because another stream had paid for it, when that stream's chunk is then
//! given back.
//!
//! An older reference is dropped early when it cannot matter any more: when it is settled, and a
//! newer one is settled in the same minute or later.

use std::collections::BTreeMap;

use super::filter::{Filters, Sorted};
use super::values::Elements;
use crate::base::party::PersonId;
use crate::store::{MeterRow, SeenChargeRow, SeenRow, StoreError, Tx};

/// How many elements leave in one transaction, at least: a transaction stops at the charge that
/// makes it this many.
const LEAVE_ELEMENTS: u64 = if cfg!(test) { 64 } else { 65_536 };

/// As how many elements a charge itself counts there, for the statements that it takes.
const CHARGE_ELEMENTS: u64 = 16;

/// Elements that are about to be charged to a meter, by whether its recipient has them.
pub(super) struct Sifted {
    elements: Elements,
    weight: u64,
    /// New by the filter's word alone; ascending.
    unproven: Vec<u64>,
    /// New by the tables; ascending.
    new: Vec<u64>,
    /// What the recipient has.
    seen: Vec<SeenRow>,
}

/// A charge that was written.
pub(super) struct Opened {
    /// Its number.
    pub(super) charge: i64,
    /// How much it adds to what is live.
    pub(super) fresh: u64,
}

impl Sifted {
    /// Looks up what the filter is not certain of.
    pub(super) fn of(
        tx: &Tx<'_>,
        filters: &Filters,
        meter_id: i64,
        elements: &Elements,
        weight: u64,
    ) -> Result<Sifted, StoreError> {
        let Sorted { new: unproven, perhaps } = filters.sort(meter_id, elements.as_slice());
        let (elements, new, seen) = (elements.clone(), Vec::new(), Vec::new());
        let mut sifted = Sifted { elements, weight, unproven, new, seen };
        sifted.look_up(tx, meter_id, &perhaps)?;
        Ok(sifted)
    }

    /// Looks up what the filter said is new, and returns whether it said so of anything.
    pub(super) fn prove(&mut self, tx: &Tx<'_>, meter_id: i64) -> Result<bool, StoreError> {
        let unproven = std::mem::take(&mut self.unproven);
        self.look_up(tx, meter_id, &unproven)?;
        Ok(!unproven.is_empty())
    }

    /// How much the charge adds to what is live; at most, as long as something is not proven.
    pub(super) fn fresh_max(&self) -> u64 {
        (self.new.len() + self.unproven.len()) as u64 * self.weight
    }

    fn look_up(&mut self, tx: &Tx<'_>, meter_id: i64, elements: &[u64]) -> Result<(), StoreError> {
        if elements.is_empty() {
            return Ok(());
        }
        let mut seen = tx.seen_of(meter_id, elements)?;
        seen.sort_unstable_by_key(|row| row.element);
        let is_new =
            |element: &&u64| seen.binary_search_by_key(*element, |row| row.element).is_err();
        self.new.extend(elements.iter().filter(is_new));
        self.new.sort_unstable();
        self.seen.append(&mut seen);
        Ok(())
    }
}

/// Opens a charge of what was sifted: whatever of it the recipient has moves to the new charge.
pub(super) fn open(
    tx: &Tx<'_>,
    filters: &Filters,
    meter_id: i64,
    person: PersonId,
    sifted: &mut Sifted,
) -> Result<Opened, StoreError> {
    let elements = sifted.elements.as_slice();
    let charge = tx.seen_charge_add(meter_id, person, sifted.weight, elements)?;
    let added = tx.seen_add(meter_id, charge, &sifted.new)?;
    assert_eq!(added, sifted.new.len() as u64, "what is new by the tables has no reference");
    let unproven = std::mem::take(&mut sifted.unproven);
    let fresh = added + tx.seen_add(meter_id, charge, &unproven)?;
    if fresh < added + unproven.len() as u64 {
        // The filter was wrong: what was not added had a reference.
        let mut found = tx.seen_of(meter_id, &unproven)?;
        found.retain(|row| row.charge != charge);
        filters.was_wrong(meter_id, found.len() as u64);
        sifted.seen.append(&mut found);
    }
    for (owner, elements) in by_charge(&sifted.seen) {
        let owner = tx.seen_charge(owner)?;
        assert_eq!(owner.weight, sifted.weight, "an element always counts the same");
        take_over(tx, owner, &elements)?;
    }
    let seen: Vec<u64> = sifted.seen.iter().map(|row| row.element).collect();
    if !seen.is_empty() {
        tx.seen_move(meter_id, charge, &seen)?;
    }
    filters.add(meter_id, elements);
    Ok(Opened { charge, fresh: fresh * sifted.weight })
}

/// Takes elements off the charge that they were counted with; its references become older ones.
fn take_over(tx: &Tx<'_>, mut owner: SeenChargeRow, elements: &[u64]) -> Result<(), StoreError> {
    let count = elements.len() as u64;
    if let Some(minute) = owner.minute {
        tx.bucket_lower(owner.meter_id, minute, owner.person, count * owner.weight)?;
        // What is no newer than the owner, and settled no later, has been of no use since then.
        let dropped = tx.seen_older_remove_until(owner.meter_id, elements, minute)?;
        for (charge, elements) in by_charge(&dropped) {
            let mut row = tx.seen_charge(charge)?;
            row.older -= elements.len() as u64;
            if row.newest == 0 && row.older == 0 {
                tx.seen_charge_empty(row.id)?;
            } else {
                tx.seen_charge_count(&row)?;
            }
        }
    }
    tx.seen_older_add(owner.meter_id, owner.id, elements)?;
    owner.newest -= count;
    owner.older += count;
    tx.seen_charge_count(&owner)
}

/// Settles a charge in `minute`, and returns how much is counted in it: that goes into the bucket.
pub(super) fn settle(tx: &Tx<'_>, charge: i64, minute: i64) -> Result<u64, StoreError> {
    tx.seen_charge_settle(charge, minute)?;
    let row = tx.seen_charge(charge)?;
    Ok(row.newest * row.weight)
}

/// Gives an open charge back, and returns how much is no longer live.
pub(super) fn give_back(tx: &Tx<'_>, charge: i64) -> Result<u64, StoreError> {
    let row = tx.seen_charge(charge)?;
    let elements = tx.seen_charge_elements(charge)?;
    leave(tx, &row, &elements)
}

/// What [`expire`] has done.
pub(super) struct Expired {
    /// The newest minute of which every charge has left.
    pub(super) newest_left: i64,
    /// Whether there is more that is to leave.
    pub(super) is_leaving: bool,
}

/// Lets the charges of a meter leave whose minute is `newest_left` or before, the oldest first, as
/// many as one transaction may hold the store up for: what is left over stays live until the next.
/// What they leave behind in buckets is not theirs.
pub(super) fn expire(
    tx: &Tx<'_>,
    meter: &mut MeterRow,
    newest_left: i64,
) -> Result<Expired, StoreError> {
    let mut work = 0;
    while let Some(row) = tx.seen_charge_oldest(meter.id, newest_left)? {
        if work >= LEAVE_ELEMENTS {
            let oldest = row.minute.expect("only settled charges have a minute");
            return Ok(Expired { newest_left: oldest - 1, is_leaving: true });
        }
        let elements = tx.seen_charge_elements(row.id)?;
        meter.level.live_ids -= leave(tx, &row, &elements)?;
        work += CHARGE_ELEMENTS + elements.len() as u64;
    }
    Ok(Expired { newest_left, is_leaving: false })
}

/// Removes a charge with its references, hands what was counted with it to the next newest
/// references, and returns how much has none and is no longer live.
fn leave(tx: &Tx<'_>, row: &SeenChargeRow, elements: &[u64]) -> Result<u64, StoreError> {
    let meter_id = row.meter_id;
    let mut counted = elements.to_owned();
    if row.newest < elements.len() as u64 {
        let mut found = tx.seen_of(meter_id, elements)?;
        found.retain(|found| found.charge == row.id);
        counted = found.into_iter().map(|found| found.element).collect();
    }
    if counted.len() as u64 != row.newest {
        return Err(StoreError::Damaged("a charge does not have the references it counts".into()));
    }
    if row.older > 0 {
        tx.seen_older_remove(meter_id, row.id, elements)?;
    }
    if let Some(minute) = row.minute {
        tx.bucket_lower(meter_id, minute, row.person, row.newest * row.weight)?;
    }
    let heirs = tx.seen_older_of(meter_id, &counted)?;
    let mut inherited = 0;
    for (heir, elements) in by_charge(&heirs) {
        let mut heir = tx.seen_charge(heir)?;
        let count = elements.len() as u64;
        tx.seen_move(meter_id, heir.id, &elements)?;
        tx.seen_older_remove(meter_id, heir.id, &elements)?;
        if let Some(minute) = heir.minute {
            tx.bucket_add(meter_id, minute, heir.person, count * heir.weight)?;
        }
        heir.newest += count;
        heir.older -= count;
        tx.seen_charge_count(&heir)?;
        inherited += count;
    }
    if !heirs.is_empty() {
        let mut heirs: Vec<u64> = heirs.into_iter().map(|row| row.element).collect();
        heirs.sort_unstable();
        counted.retain(|element| heirs.binary_search(element).is_err());
    }
    if !counted.is_empty() {
        tx.seen_remove(meter_id, &counted)?;
    }
    tx.seen_charge_remove(row.id)?;
    Ok((row.newest - inherited) * row.weight)
}

/// The elements of each charge, ascending.
fn by_charge(rows: &[SeenRow]) -> BTreeMap<i64, Vec<u64>> {
    let mut by_charge: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
    for row in rows {
        by_charge.entry(row.charge).or_default().push(row.element);
    }
    by_charge.values_mut().for_each(|elements| elements.sort_unstable());
    by_charge
}
