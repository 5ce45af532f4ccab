//! The rows of the modelled ledger and the transactions on them, each of which is one step: what
//! happens inside one is `transaction.rs`'s, who calls them `protocol.rs`'s.
//!
//! Every chunk is one ID. Times are ages in ticks; ledger time is the truth here, and `clock.rs`
//! models what it takes for that. Whether something fits is decided by `policy::Level` itself.

use hydrant::policy::decision::Wanted;
use hydrant::policy::{Level, Verdict};

use crate::ages::Ages;
use crate::design::{
    Attempts, Design, Ended, Grace, Joining, LinkCeiling, LinkCounts, Membership, Merging, Over,
    Restored, RightToSend, Successor, WindowStarts,
};
use crate::scope::Scope;

/// How many entities there are at most, how many people, and how many gateways.
pub const ENTITIES: usize = 2;
pub const PEOPLE: usize = 2;
pub const GATEWAYS: usize = 2;

/// The incarnation of a process that has not settled what its predecessors left open.
pub const NOT_BEGUN: u8 = 0;

/// Which entities, one bit each.
pub type Entities = u8;

/// One try to hand over one chunk.
pub type Attempt = u8;

/// What a whole ledger has stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Store {
    pub meters: [Meter; ENTITIES],
    pub opens: Vec<OpenCharge>,
    pub holds: Vec<Hold>,
    /// The entities that each person belongs to.
    pub members: [Entities; PEOPLE],
    /// The newest incarnation of each gateway.
    pub incarnations: [u8; GATEWAYS],
    /// Whether a newer head of the audit log is known outside than this store has.
    pub is_behind: bool,
    pub is_frozen: bool,
    /// Whether what entitles the links is over.
    pub is_ended: bool,
}

/// The meter of an entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Meter {
    pub live: u8,
    pub held: u8,
    /// Settled charges by the time since they were settled, for each person.
    pub buckets: [Ages; PEOPLE],
}

/// A charge that counts until it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpenCharge {
    pub attempt: Attempt,
    pub gateway: u8,
    pub incarnation: u8,
    pub person: u8,
    pub entities: Entities,
    /// Always one, unless two attempts have one name.
    pub ids: u8,
}

/// What a delivery may still take without asking anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hold {
    pub delivery: Delivery,
    pub entity: u8,
    pub ids: u8,
    pub age: u8,
}

/// A delivery is known by its stream and the incarnation of its gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Delivery {
    pub stream: u8,
    pub gateway: u8,
    pub incarnation: u8,
}

/// The numbers of a set of entities.
pub fn each(entities: Entities) -> impl Iterator<Item = usize> {
    (0..ENTITIES).filter(move |entity| entities & (1 << entity) != 0)
}

impl Meter {
    /// What is live when nothing is counted that has left its window.
    pub fn counts(&self, leaves_at: u8) -> u8 {
        let left: u8 =
            self.buckets.iter().map(|ages| ages.sum() - ages.younger_than(leaves_at)).sum();
        self.live - left
    }

    fn settled(&self) -> u8 {
        self.buckets.iter().map(Ages::sum).sum()
    }
}

impl Store {
    /// Whether every meter is the sum of its rows.
    pub fn is_balanced(&self) -> bool {
        (0..ENTITIES).all(|entity| {
            let meter = &self.meters[entity];
            let charged = |open: &&OpenCharge| open.entities & (1 << entity) != 0;
            let open: u8 = self.opens.iter().filter(charged).map(|open| open.ids).sum();
            let of_it = |hold: &&Hold| usize::from(hold.entity) == entity;
            let held: u8 = self.holds.iter().filter(of_it).map(|hold| hold.ids).sum();
            meter.live == meter.settled() + open && meter.held == held
        })
    }

    /// A tick goes by.
    pub fn tick(&mut self, scope: &Scope) {
        for ages in self.meters.iter_mut().flat_map(|meter| &mut meter.buckets) {
            ages.tick(scope.window + scope.grace);
        }
        for hold in &mut self.holds {
            hold.age = (hold.age + 1).min(scope.hold);
        }
    }
}

/// A transaction of a gateway.
pub struct Desk<'a> {
    pub design: &'a Design,
    pub scope: &'a Scope,
    pub store: &'a mut Store,
}

/// Something that is over, as in `ledger/queue.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Waiting {
    Settle(Attempt),
    Release(Attempt),
    /// Not in the right design: an ID was sent that is charged only now.
    ChargeAfterwards(u8),
    End(u8),
}

impl Desk<'_> {
    /// From which age on a bucket counts no more.
    fn leaves_at(&self) -> u8 {
        leaves_at(self.design, self.scope)
    }

    /// Brings the meter up to date: `Desk::lock` of `ledger/charge.rs`.
    fn lock(&mut self, entity: usize) {
        let leaves_at = self.leaves_at();
        let is_link = self.scope.links & (1 << entity) != 0;
        let meter = &mut self.store.meters[entity];
        if !is_link || self.design.link_counts == LinkCounts::WithinTheWindow {
            meter.live -=
                meter.buckets.iter_mut().map(|ages| ages.take_from(leaves_at)).sum::<u8>();
        }
        let may_expire = self.design.right_to_send != RightToSend::Room;
        let hold_ticks = self.scope.hold;
        self.store.holds.retain(|hold| {
            let is_over = usize::from(hold.entity) == entity && hold.age >= hold_ticks;
            if is_over && may_expire {
                meter.held -= hold.ids;
            }
            !(is_over && may_expire)
        });
    }

    /// Whether what entitles `person`, who opens a link, is over: `link_ceiling` of
    /// `ledger/link.rs`.
    fn is_ended(&self, person: u8) -> bool {
        self.store.is_ended && self.store.members[usize::from(person)] & self.scope.links != 0
    }

    /// Whom a delivery to `person` is charged to.
    pub fn charged(&self, person: u8) -> Entities {
        let all = self.store.members[usize::from(person)];
        match self.design.membership {
            Membership::EveryEntityIsCharged => all,
            Membership::OneEntityIsCharged => 1 << all.ilog2(),
        }
    }

    fn hold_of(&self, delivery: Delivery, entity: usize) -> u8 {
        let is_it = |hold: &&Hold| hold.delivery == delivery && usize::from(hold.entity) == entity;
        self.store.holds.iter().find(is_it).map_or(0, |hold| hold.ids)
    }

    fn hold_set(&mut self, delivery: Delivery, entity: usize, ids: u8) {
        let before = self.hold_of(delivery, entity);
        self.store
            .holds
            .retain(|hold| (hold.delivery, usize::from(hold.entity)) != (delivery, entity));
        if ids > 0 {
            let entity = u8::try_from(entity).expect("there are two");
            self.store.holds.push(Hold { delivery, entity, ids, age: 0 });
            self.store.holds.sort_unstable();
        }
        let meter = &mut self.store.meters[entity];
        meter.held = meter.held - before + ids;
    }

    /// How many IDs an entity may receive, or a link may hand out: `ceiling` of `ledger/link.rs`.
    fn ceiling(&self, entity: usize) -> u8 {
        let is_link = self.scope.links & (1 << entity) != 0;
        if !is_link || self.design.link_ceiling == LinkCeiling::EachAll {
            return self.scope.ceiling;
        }
        let others = each(self.scope.links).filter(|other| *other != entity);
        let taken = |other: usize| self.store.meters[other].live + self.store.meters[other].held;
        self.scope.ceiling.saturating_sub(others.map(taken).sum())
    }

    /// Whether it fits: `Level::verdict` of `policy/decision.rs`.
    fn fits(&self, entity: usize, from_hold: u8, fresh: u8) -> bool {
        let meter = &self.store.meters[entity];
        let level = Level {
            ceiling_ids: Some(self.ceiling(entity).into()),
            live_ids: meter.live.into(),
            held_ids: meter.held.into(),
        };
        let wanted = Wanted { from_hold_ids: from_hold.into(), fresh_ids: fresh.into() };
        match self.design.over {
            Over::WhatIsHeldOrSeen if fresh == 0 => true,
            _ => level.verdict(wanted) == Verdict::Fits,
        }
    }

    /// Admits an order of `ids` and opens its first chunk: `admit` of `ledger/admit.rs`.
    /// Says whether it did.
    pub fn admit(&mut self, delivery: Delivery, person: u8, ids: u8, attempt: Attempt) -> bool {
        let entities = self.charged(person);
        each(entities).for_each(|entity| self.lock(entity));
        let fits = each(entities).all(|entity| self.fits(entity, 0, ids));
        if self.store.is_frozen || self.is_ended(person) || !fits {
            return false;
        }
        let held = match self.design.right_to_send {
            RightToSend::Grant => ids - 1,
            RightToSend::Reservation | RightToSend::Room => ids,
        };
        each(entities).for_each(|entity| self.hold_set(delivery, entity, held));
        if self.design.right_to_send == RightToSend::Grant {
            self.charge(delivery, person, entities, attempt);
        }
        true
    }

    /// Opens the next chunk of a delivery: `open` of `ledger/admit.rs`. Says whether it did.
    pub fn open(
        &mut self,
        delivery: Delivery,
        person: u8,
        entities: Entities,
        attempt: Attempt,
    ) -> bool {
        each(entities).for_each(|entity| self.lock(entity));
        let fits = |entity| {
            let from_hold = self.hold_of(delivery, entity).min(1);
            self.fits(entity, from_hold, 1 - from_hold)
        };
        let looks = self.design.ended == Ended::LookedUpForEachChunk;
        let is_ended = looks && self.is_ended(person);
        if self.store.is_frozen || is_ended || !each(entities).all(fits) {
            return false;
        }
        for entity in each(entities) {
            let held = self.hold_of(delivery, entity);
            self.hold_set(delivery, entity, held.saturating_sub(1));
        }
        self.charge(delivery, person, entities, attempt);
        true
    }

    /// Writes the charge of one chunk: `Desk::charge` of `ledger/charge.rs`.
    fn charge(&mut self, of: Delivery, person: u8, entities: Entities, attempt: Attempt) {
        each(entities).for_each(|entity| self.store.meters[entity].live += 1);
        if self.design.window_starts == WindowStarts::WhenCharged {
            return self.bucket_add(person, entities, 1);
        }
        let Delivery { gateway, incarnation, .. } = of;
        let opens = &mut self.store.opens;
        match opens.iter_mut().find(|open| open.attempt == attempt) {
            Some(namesake) => {
                namesake.ids += 1;
                namesake.incarnation = incarnation;
            }
            None => {
                opens.push(OpenCharge { attempt, gateway, incarnation, person, entities, ids: 1 });
                opens.sort_unstable();
            }
        }
    }

    fn bucket_add(&mut self, person: u8, entities: Entities, ids: u8) {
        for entity in each(entities) {
            self.store.meters[entity].buckets[usize::from(person)].add(0, ids);
        }
    }

    /// Carries out what is over: `carry_out` of `ledger/queue.rs`.
    pub fn carry_out(&mut self, waiting: &[Waiting], of: impl Fn(u8) -> (Delivery, u8)) {
        for step in waiting {
            match *step {
                Waiting::Settle(attempt) => self.close(attempt, Desk::settle),
                Waiting::Release(attempt) => self.close(attempt, Desk::release),
                Waiting::ChargeAfterwards(stream) => {
                    let (delivery, person) = of(stream);
                    self.charge_afterwards(delivery, person);
                }
                Waiting::End(stream) => {
                    let (delivery, _) = of(stream);
                    (0..ENTITIES).for_each(|entity| self.hold_set(delivery, entity, 0));
                }
            }
        }
    }

    fn close(&mut self, attempt: Attempt, how: impl Fn(&mut Self, OpenCharge)) {
        let found = self.store.opens.iter().position(|open| open.attempt == attempt);
        if let Some(place) = found {
            let open = self.store.opens.remove(place);
            how(self, open);
        }
    }

    fn settle(&mut self, open: OpenCharge) {
        self.bucket_add(open.person, open.entities, open.ids);
    }

    fn release(&mut self, open: OpenCharge) {
        each(open.entities).for_each(|entity| self.store.meters[entity].live -= open.ids);
    }

    fn charge_afterwards(&mut self, delivery: Delivery, person: u8) {
        let entities = self.charged(person);
        for entity in each(entities) {
            let held = self.hold_of(delivery, entity);
            self.hold_set(delivery, entity, held.saturating_sub(1));
            self.store.meters[entity].live += 1;
        }
        self.bucket_add(person, entities, 1);
    }

    /// Begins a new incarnation of a gateway: `begin` of `ledger/recover.rs`; a ledger that is
    /// behind is frozen first, and begins after the thaw.
    pub fn recover(&mut self, gateway: u8, stream_person: impl Fn(u8) -> u8) {
        if self.store.is_behind && self.design.restored != Restored::GoesOn {
            self.store.is_frozen = true;
            return;
        }
        self.store.incarnations[usize::from(gateway)] += 1;
        self.end_holds(gateway, stream_person);
        if self.design.attempts == Attempts::EachHasItsName {
            self.settle_all(gateway);
        }
    }

    fn end_holds(&mut self, gateway: u8, stream_person: impl Fn(u8) -> u8) {
        for hold in self.store.holds.clone() {
            if hold.delivery.gateway == gateway {
                let entity = usize::from(hold.entity);
                self.hold_set(hold.delivery, entity, 0);
                if self.design.right_to_send == RightToSend::Reservation {
                    self.store.meters[entity].live += hold.ids;
                    let person = stream_person(hold.delivery.stream);
                    self.bucket_add(person, 1 << entity, hold.ids);
                }
            }
        }
    }

    /// Settles what a gateway has open.
    pub fn settle_all(&mut self, gateway: u8) {
        let (of_it, others): (Vec<OpenCharge>, Vec<OpenCharge>) =
            self.store.opens.iter().partition(|open| open.gateway == gateway);
        self.store.opens = others;
        for open in of_it {
            match self.design.successor {
                Successor::Settles => self.settle(open),
                Successor::Refunds => self.release(open),
            }
        }
    }

    /// Lets a frozen ledger go on, as `ledger/freeze.rs` does without a copy of the journal: what
    /// is not known is taken for a whole ceiling.
    pub fn thaw(&mut self) {
        if self.design.restored == Restored::FreezesAndChargesTheGap {
            let everybody = self.store.members.iter().fold(0, |all, of| all | of);
            each(everybody).for_each(|entity| self.store.meters[entity].live += self.scope.ceiling);
            self.bucket_add(0, everybody, self.scope.ceiling);
        }
        (self.store.is_frozen, self.store.is_behind) = (false, false);
    }

    /// A person joins an entity, and all that is live for them goes along: `ledger/carry.rs`.
    pub fn join(&mut self, person: u8, entity: usize) {
        let from = self.store.members[usize::from(person)];
        self.store.members[usize::from(person)] |= 1 << entity;
        if self.design.joining == Joining::BringsNothing {
            return;
        }
        let source = each(from).next().expect("a person who joins belongs somewhere already");
        let settled = self.store.meters[source].buckets[usize::from(person)];
        self.carry_settled(person, &settled, entity);
        if self.design.joining == Joining::CopiesWhatIsLive {
            self.carry_open(|open| open.person == person, entity);
        }
    }

    /// The people of `source` belong to `target` from now on.
    pub fn move_people(&mut self, source: usize, target: usize) {
        for of in self.store.members.iter_mut().filter(|of| **of & (1 << source) != 0) {
            *of = *of & !(1 << source) | 1 << target;
        }
    }

    /// What is live at `source` counts at `target` as well: `ledger/carry.rs`.
    pub fn merge_charges(&mut self, source: usize, target: usize) {
        let from = self.store.meters[source].buckets;
        if self.design.merging == Merging::AddsUpToTheLarger {
            let sum = |buckets: &[Ages]| {
                let mut all = Ages::default();
                buckets.iter().for_each(|ages| all += ages);
                all
            };
            let there = sum(&self.store.meters[target].buckets);
            let beyond = sum(&from).beyond(&there, self.leaves_at());
            self.store.meters[target].live += beyond.sum();
            self.store.meters[target].buckets[0] += &beyond;
        } else {
            (0..).zip(&from).for_each(|(person, ages)| self.carry_settled(person, ages, target));
        }
        if self.design.merging != Merging::AddsWhatIsSettled {
            self.carry_open(|open| open.entities & (1 << source) != 0, target);
        }
    }

    /// What a person has received in one minute may be at `entity` already.
    fn carry_settled(&mut self, person: u8, settled: &Ages, entity: usize) {
        let leaves_at = self.leaves_at();
        let meter = &mut self.store.meters[entity];
        let there = &mut meter.buckets[usize::from(person)];
        let beyond = settled.beyond(there, leaves_at);
        *there += &beyond;
        meter.live += beyond.sum();
    }

    fn carry_open(&mut self, is_carried: impl Fn(&OpenCharge) -> bool, entity: usize) {
        for open in self.store.opens.iter_mut().filter(|open| is_carried(open)) {
            if open.entities & (1 << entity) == 0 {
                open.entities |= 1 << entity;
                self.store.meters[entity].live += open.ids;
            }
        }
        self.store.opens.sort_unstable();
    }
}

/// From which age on a bucket counts no more.
pub fn leaves_at(design: &Design, scope: &Scope) -> u8 {
    match design.grace {
        Grace::Kept => scope.window + scope.grace,
        Grace::None => scope.window,
    }
}
