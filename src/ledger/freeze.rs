//! The frozen ledger: a store that is behind the log's newest known head, or another one, charges
//! nothing until an operator thaws it. How heads are known and compared is `audit`'s business.
//!
//! # The story of a thaw
//!
//! Last night's backup was restored, and a day of deliveries is charged no more. Where somebody
//! kept a copy of the journal, its entries are played again: every charge comes back with the
//! minute in which it was settled. For a part that nobody has, each entity may have received up to
//! its whole ceiling: that much is charged, once, as if it had been handed over now. An exempt
//! entity has no ceiling and is only named, unless the operator knows a figure. From then on the
//! log goes on from where it is, and names the head that it goes on without.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{clock, distinct};
use crate::audit::{self, AttemptName, Entry, Head, Leaf, RecipientName, name};
use crate::base::clock::Clock;
use crate::base::ids::IdKind;
use crate::base::party::{Actor, EntityId, PersonId};
use crate::policy::window::minute_of;
use crate::policy::{Profile, Recipient, Unit};
use crate::store::{FreezeRow, Party, StoreError, Tx};

/// Who stands in a bucket for people that nobody knows any more.
const NOBODY: PersonId = PersonId(0);

/// What an operator says when they thaw a ledger.
#[derive(Clone, Debug, Default)]
pub struct Thaw {
    /// Why it may go on, for the record.
    pub reason: String,
    /// The entries that a copy of the journal has beyond the store's, in order.
    pub entries: Vec<Vec<u8>>,
    /// What an entity is proven to have received, where that is more than its ceiling.
    pub proven: BTreeMap<EntityId, u64>,
    /// The heads of the log that are known and that it may have to go on without.
    pub heads: Vec<Head>,
}

/// What became of a thaw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thawed {
    /// Why it was frozen.
    pub freeze: FreezeRow,
    /// How many entries came back from the copy.
    pub replayed: u64,
    /// What was charged for the part that is lost: to whom, which kind, how many.
    pub phantoms: Vec<(EntityId, IdKind, u64)>,
    /// Entities that were exempt, and are charged nothing for the part that is lost.
    pub exempt: Vec<EntityId>,
    /// Heads that the log goes on without.
    pub abandoned: Vec<Head>,
}

/// Why a ledger is not thawed; nothing was changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ThawError {
    /// There is nothing to thaw.
    #[error("the ledger is not frozen")]
    NotFrozen,
    /// The copy cannot be played.
    #[error(
        "entry {number} of the copy cannot be played again: {why}; thaw the ledger without the copy"
    )]
    Entry {
        /// Its number in the log, from 1 on.
        number: u64,
        /// Why.
        why: &'static str,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Freezes the ledger, unless it is already: its log has `log_size` entries and not the head
/// `known`.
///
/// # Errors
/// [`StoreError`] of the look or the change.
pub fn freeze(
    tx: &Tx<'_>,
    now_ms: i64,
    why: &str,
    known: &Head,
    log_size: u64,
) -> Result<(), StoreError> {
    if tx.freeze_in_force()?.is_some() {
        return Ok(());
    }
    let (why, known_size, known_root) = (why.to_owned(), known.size, known.root);
    tx.freeze_add(&FreezeRow { id: 0, at_ms: now_ms, why, known_size, known_root, log_size })
}

/// Thaws the ledger as `thaw` says.
///
/// # Errors
/// [`ThawError`].
pub fn thaw(
    tx: &Tx<'_>,
    profile: &Profile,
    clock: &Clock,
    actor: &Actor,
    thaw: &Thaw,
) -> Result<Thawed, ThawError> {
    let freeze = tx.freeze_in_force()?.ok_or(ThawError::NotFrozen)?;
    // First: from here on the journal takes entries again. An error takes it all back.
    tx.freeze_end(clock.now_ms(), &actor.to_string(), &thaw.reason)?;
    let replayed = thaw.entries.len() as u64;
    let now_ms = clock::move_on(tx, clock)?;
    Replay::default().play(tx, profile, now_ms, freeze.log_size, &thaw.entries)?;
    let resumed_size = freeze.log_size + replayed;
    let mut abandoned = Vec::new();
    for head in &thaw.heads {
        if head.size > resumed_size || (replayed == 0 && !audit::head::is_in_log(tx, head)?) {
            tx.head_abandon(head.size, &head.root)?;
            abandoned.push(*head);
        }
    }
    let (mut phantoms, mut exempt) = (Vec::new(), Vec::new());
    // A gateway may know of entries that no signed head covers.
    if replayed == 0 || freeze.known_size > resumed_size || !abandoned.is_empty() {
        for entity in tx.entities()? {
            charge_phantoms(tx, profile, thaw, entity.id, now_ms, &mut phantoms, &mut exempt)?;
        }
        let objects = profile.objects_per_person_max;
        for person in tx.people()? {
            charge_phantom(tx, person.id.into(), Unit::Objects, objects, now_ms)?;
        }
        // What a link may hand out it may have handed out: whoever needs another one makes it.
        for share in tx.shares(None)? {
            if share.revoked_ms.is_none() && share.published_ms.is_none() {
                let unit = Unit::Ids(share.kind);
                charge_phantom(tx, share.id.into(), unit, share.ids_max, now_ms)?;
            }
        }
    }
    let leaf = Leaf::LedgerThawed {
        known_size: freeze.known_size,
        known_root: hex::encode(freeze.known_root),
        log_size: freeze.log_size,
        replayed,
        phantoms: phantoms.len() as u64,
        actor: name::of_actor(tx, actor)?,
    };
    audit::append_decision(tx, now_ms, &leaf, Some(&thaw.reason))?;
    Ok(Thawed { freeze, replayed, phantoms, exempt, abandoned })
}

/// Charges `entity` with its whole ceiling, for each kind that has one.
fn charge_phantoms(
    tx: &Tx<'_>,
    profile: &Profile,
    thaw: &Thaw,
    entity: EntityId,
    now_ms: i64,
    phantoms: &mut Vec<(EntityId, IdKind, u64)>,
    exempt: &mut Vec<EntityId>,
) -> Result<(), StoreError> {
    for kind in IdKind::ALL {
        if profile.ids_max(kind).is_none() {
            continue;
        }
        let entitled = profile.entitlement(kind, &tx.titles(entity, now_ms)?);
        let proven_ids = if kind == IdKind::Tweet { thaw.proven.get(&entity) } else { None };
        let ids = entitled.ceiling_ids.max(proven_ids.copied());
        if entitled.ceiling_ids.is_none() {
            exempt.push(entity);
        }
        let Some(ids) = ids.filter(|ids| *ids > 0) else { continue };
        charge_phantom(tx, entity.into(), kind.into(), ids, now_ms)?;
        phantoms.push((entity, kind, ids));
    }
    Ok(())
}

/// Charges `recipient` with what the part that is lost may have held, from now on.
fn charge_phantom(
    tx: &Tx<'_>,
    recipient: Recipient,
    unit: Unit,
    ids: u64,
    now_ms: i64,
) -> Result<(), StoreError> {
    if ids == 0 {
        return Ok(());
    }
    let meter = tx.meter(recipient, unit)?;
    tx.carry(meter.id, ids, "phantom", now_ms)?;
    tx.bucket_add(meter.id, minute_of(now_ms), NOBODY, ids)?;
    let recipient = RecipientName::of(recipient, meter.commitment);
    audit::append(tx, now_ms, &Leaf::PhantomCharged { recipient, kind: unit, ids })?;
    Ok(())
}

/// What an attempt charged where an ID counts once.
struct Once {
    meter_id: i64,
    recipient: RecipientName,
    unit: Unit,
    person: PersonId,
    ids: u64,
}

/// Charges that the copy opened and has not settled yet.
#[derive(Default)]
struct Replay {
    open: BTreeMap<AttemptName, Vec<(i64, PersonId, u64)>>,
    /// The meters by the names that leaves have for their recipients.
    meters: HashMap<(RecipientName, Unit), i64>,
    /// What attempts charged where an element counts once. The set is not in the journal, so each
    /// counts again from now on, also those that the recipient had: their date has moved.
    once: BTreeMap<AttemptName, Vec<Once>>,
    /// The meters of links, which nothing leaves.
    links: HashSet<i64>,
}

impl Replay {
    /// Plays `entries`, which follow `log_size` others; what stays open is settled now.
    fn play(
        mut self,
        tx: &Tx<'_>,
        profile: &Profile,
        now_ms: i64,
        log_size: u64,
        entries: &[Vec<u8>],
    ) -> Result<(), ThawError> {
        let newest_left = profile.window.newest_left(now_ms);
        for (recipient, unit, meter) in tx.meters()? {
            let name = RecipientName::of(recipient, meter.commitment);
            if let Recipient::Link(_) = recipient {
                self.links.insert(meter.id);
            }
            self.meters.insert((name, unit), meter.id);
        }
        for (number, bytes) in (log_size + 1..).zip(entries) {
            let fault = |why| ThawError::Entry { number, why };
            let entry = Entry::parse(bytes).ok_or(fault("it is none of this program's"))?;
            let text = std::str::from_utf8(bytes).map_err(|_| fault("it is no text"))?;
            let at_ms = entry.at_ms;
            tx.journal_append(at_ms, text, entry.leaf.delivery())?;
            match entry.leaf {
                Leaf::Opened { delivery, attempt, person, kind, ids, charges, .. } => {
                    let party = person.map(|person| tx.party_by_commitment(person)).transpose()?;
                    let person = match party.flatten() {
                        Some(Party::Person(person)) => person,
                        _ => NOBODY,
                    };
                    let (mut open, mut once) = (Vec::new(), Vec::new());
                    for charge in charges {
                        let (recipient, unit) = (charge.recipient, Unit::Ids(kind));
                        let meter_id = self.meter(tx, recipient, unit)?;
                        match charge.fresh_ids {
                            None => open.push((meter_id, person, ids)),
                            Some(_) => once.push(Once { meter_id, recipient, unit, person, ids }),
                        }
                    }
                    self.open.insert(AttemptName(delivery, attempt), open);
                    self.once.insert(AttemptName(delivery, attempt), once);
                }
                Leaf::ObjectsOpened { delivery, attempt, objects, charge, .. } => {
                    let (recipient, unit) = (charge.recipient, Unit::Objects);
                    let meter_id = self.meter(tx, recipient, unit)?;
                    let once = Once { meter_id, recipient, unit, person: NOBODY, ids: objects };
                    self.once.insert(AttemptName(delivery, attempt), vec![once]);
                }
                Leaf::Settled { attempts } => {
                    for attempt in attempts {
                        self.settle(tx, attempt, minute_of(at_ms), newest_left, now_ms)?;
                    }
                }
                Leaf::Released { attempt } => {
                    self.open.remove(&attempt);
                    self.once.remove(&attempt);
                    for row in tx.open_charges_take_any(attempt.0, attempt.1)? {
                        let counted_ids = match row.seen_charge {
                            Some(seen) => distinct::give_back(tx, seen)?,
                            None => row.ids,
                        };
                        tx.meter_lower(row.meter_id, counted_ids, 0)?;
                    }
                }
                Leaf::Carried { .. } | Leaf::PhantomCharged { .. } => {
                    return Err(fault("charges came to an entity without a delivery"));
                }
                Leaf::LedgerTimeLeapt { since, by } => tx.buckets_put_forward(since, by)?,
                _ => {}
            }
        }
        self.charge_once(tx, now_ms)?;
        let left: Vec<AttemptName> = self.open.keys().copied().collect();
        for attempt in &left {
            self.settle(tx, *attempt, minute_of(now_ms), newest_left, now_ms)?;
        }
        for attempts in left.chunks(super::queue::ATTEMPTS_PER_LEAF_MAX) {
            audit::append(tx, now_ms, &Leaf::Settled { attempts: attempts.to_vec() })?;
        }
        Ok(())
    }

    /// Charges what counts once by itself, from now on.
    fn charge_once(&mut self, tx: &Tx<'_>, now_ms: i64) -> Result<(), StoreError> {
        for once in std::mem::take(&mut self.once).into_values().flatten() {
            let Once { meter_id, recipient, unit: kind, person, ids } = once;
            tx.carry(meter_id, ids, "replay", now_ms)?;
            tx.bucket_add(meter_id, minute_of(now_ms), person, ids)?;
            audit::append(tx, now_ms, &Leaf::PhantomCharged { recipient, kind, ids })?;
        }
        Ok(())
    }

    /// Puts what an attempt was charged into the bucket of `minute`, if that still counts.
    fn settle(
        &mut self,
        tx: &Tx<'_>,
        attempt: AttemptName,
        minute: i64,
        newest_left: i64,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        // What the store knows as open is live there already.
        for row in tx.open_charges_take_any(attempt.0, attempt.1)? {
            let counted_ids = match row.seen_charge {
                Some(seen) => distinct::settle(tx, seen, minute)?,
                None => row.ids,
            };
            if counted_ids > 0 {
                tx.bucket_add(row.meter_id, minute, row.person, counted_ids)?;
            }
        }
        for (meter_id, person, ids) in self.open.remove(&attempt).unwrap_or_default() {
            if minute > newest_left || self.links.contains(&meter_id) {
                tx.carry(meter_id, ids, "replay", now_ms)?;
                tx.bucket_add(meter_id, minute, person, ids)?;
            }
        }
        Ok(())
    }

    /// The meter of whoever is named so; that of an entity which is not known any more is made, so
    /// that its charges are on record.
    fn meter(
        &mut self,
        tx: &Tx<'_>,
        recipient: RecipientName,
        unit: Unit,
    ) -> Result<i64, StoreError> {
        if let Some(meter_id) = self.meters.get(&(recipient, unit)) {
            return Ok(*meter_id);
        }
        let party = match recipient {
            RecipientName::Entity(name) | RecipientName::Person(name) => {
                tx.party_by_commitment(name)?
            }
            RecipientName::Link(_) => None,
        };
        let whose = match (party, recipient) {
            (_, RecipientName::Link(share)) => Recipient::Link(share),
            (Some(Party::Entity(entity)), _) => Recipient::Entity(entity),
            (Some(Party::Person(person)), _) => Recipient::Person(person),
            (None, RecipientName::Entity(_)) => Recipient::Entity(EntityId(0)),
            (None, RecipientName::Person(_)) => Recipient::Person(NOBODY),
        };
        let meter = tx.meter(whose, unit)?;
        if let Recipient::Link(_) = whose {
            self.links.insert(meter.id);
        }
        self.meters.insert((recipient, unit), meter.id);
        Ok(meter.id)
    }
}
