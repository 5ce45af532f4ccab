//! The world of one seed: gateways, people and clocks, and what may happen to them.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::links::Links;
use super::members::{MEMBERS, Members};
use super::seen::Seen;
use super::truth::{Ids, Truth};
use crate::base::clock::Clock;
use crate::base::ids::IdKind;
use crate::base::party::{EntityId, PersonId};
use crate::demo::chance::Chance;
use crate::ledger::profile as in_force;
use crate::ledger::tests::{
    From, HOUR_MS, MINUTE_MS, Rig, START_MS, memory, order_of, small_profile, verify,
};
use crate::ledger::{Chunk, Delivery, Denied, Granted, Ledger, Outcome};
use crate::policy::{Count, Profile, Recipient, Refusal};
use crate::store::failing::{Counted, Fault, Plan};
use crate::store::{DataFolder, ExemptionRow, Store};

const ENTITIES: usize = 3;
/// A short window makes much happen in few steps.
const WINDOW_MS: i64 = 2 * HOUR_MS;
const GRACE_MS: i64 = 30 * MINUTE_MS;
/// How often a gateway among several tells the time, at least.
const BEAT_MS: i64 = 5 * MINUTE_MS;
/// The ceilings that numbers may change between.
const CEILINGS_IDS: [u64; 3] = [1_000, 600, 1_400];
/// How often anything is tried again that a fault has hit.
const TRIES_MAX: usize = 10;

/// One gateway: its name, what it runs on, and what it is doing.
pub(super) struct Gateway {
    name: &'static str,
    pub(super) plan: Plan,
    pub(super) store: Store,
    pub(super) ledger: Ledger,
    /// Deliveries under way, each with the number of its person.
    pub(super) deliveries: Vec<(usize, Delivery)>,
    /// Chunks that may be on the wire, each with its number in the truth.
    pub(super) chunks: Vec<(usize, Granted<Chunk>)>,
}

pub(super) struct World {
    pub(super) chance: Chance,
    count: Count,
    ids: Ids,
    orders: u64,
    pub(super) rig: Rig,
    folder: DataFolder,
    pub(super) gateways: Vec<Gateway>,
    pub(super) people: Vec<PersonId>,
    pub(super) entities: Vec<EntityId>,
    pub(super) members: Members,
    exemptions: Vec<Option<ExemptionRow>>,
    pub(super) links: Links,
    pub(super) truth: Truth,
    /// A clock that never jumps.
    true_ms: i64,
    /// Whether ledger time is true time and every step so far is on the disk: then the ledger must
    /// not be stricter than it says either.
    pub(super) is_undisturbed: bool,
    pub(super) seen: Seen,
}

fn profile(ceiling_ids: u64, count: Count) -> Profile {
    let mut profile = Profile { count, ..small_profile() };
    profile.tweet_ids_max = ceiling_ids;
    profile.window.length_ms = WINDOW_MS;
    profile.window.grace_ms = GRACE_MS;
    profile
}

/// What an operator does before gateways start with other numbers.
fn put_in_force(store: &Store, clock: &Clock, wanted: &Arc<Profile>) {
    let (clock, wanted) = (clock.clone(), Arc::clone(wanted));
    let put = store.write_blocking(move |tx| match tx.profile_in_force()? {
        Some(row) if row.toml == wanted.toml() => Ok(()),
        _ => in_force::put(tx, clock.now_ms(), &wanted, None, None),
    });
    put.unwrap();
}

/// A database with nothing but its schema, made once.
fn empty_database() -> &'static PathBuf {
    static MADE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = MADE.get_or_init(|| {
        let dir = memory();
        let path = dir.path().join("empty.sqlite");
        drop(Store::open(&path).unwrap());
        // The writer's thread closes the file, and with it what is beside it.
        while path.with_extension("sqlite-wal").exists() {
            std::thread::yield_now();
        }
        (dir, path)
    });
    path
}

impl World {
    pub(super) fn new(seed: u64) -> World {
        let (count, ids) = match seed % 4 {
            0 | 2 => (Count::Deliveries, Ids::OfTheirOrder),
            1 => (Count::Distinct, Ids::OfTheirOrder),
            _ => (Count::Distinct, Ids::Common),
        };
        let dir = memory();
        let folder = DataFolder::create(dir.path()).unwrap();
        std::fs::copy(empty_database(), folder.database()).unwrap();
        let clock = Clock::manual(START_MS);
        let plan = Plan::new(Counted::Statements);
        let store = Store::failing(&folder.database(), "east", &plan).unwrap();
        let rig = Rig::on(dir, store.clone(), clock, profile(CEILINGS_IDS[0], count));
        let entities: Vec<EntityId> = (0..ENTITIES).map(|_| rig.entity()).collect();
        let people = MEMBERS
            .iter()
            .map(|of| rig.person(&of.iter().map(|&entity| entities[entity]).collect::<Vec<_>>()))
            .collect();
        let exempt = rig.entity();
        let links = Links::new(exempt, rig.person(&[exempt]));
        let east = Gateway {
            name: "east",
            plan,
            store,
            ledger: rig.ledger.clone(),
            deliveries: Vec::new(),
            chunks: Vec::new(),
        };
        let mut world = World {
            chance: Chance::new(seed),
            count,
            ids,
            orders: 0,
            folder,
            gateways: vec![east],
            people,
            exemptions: entities.iter().map(|_| None).collect(),
            entities,
            links,
            members: Members::new(),
            truth: Truth::new(ids),
            true_ms: START_MS,
            is_undisturbed: true,
            seen: Seen::default(),
            rig,
        };
        if world.chance.happens(50) {
            let plan = Plan::new(Counted::Statements);
            let store = Store::failing(&world.folder.database(), "west", &plan).unwrap();
            let ledger = world.start(&store, CEILINGS_IDS[0]);
            let (deliveries, chunks) = (Vec::new(), Vec::new());
            world.gateways.push(Gateway { name: "west", plan, store, ledger, deliveries, chunks });
        }
        world
    }

    fn start(&self, store: &Store, ceiling_ids: u64) -> Ledger {
        let (store, clock) = (store.clone(), self.rig.clock.clone());
        let wanted = Arc::new(profile(ceiling_ids, self.count));
        put_in_force(&store, &clock, &wanted);
        Ledger::start(&self.rig.lock, store, clock, wanted).unwrap()
    }

    /// Lets one thing happen, checks what must hold, and tells what it was.
    pub(super) fn step(&mut self) -> String {
        let at = self.chance.below(self.gateways.len() as u64) as usize;
        let told = match self.chance.below(100) {
            0..=12 => self.admit(at),
            13..=15 => self.admit_at_link(at),
            16 => match self.chance.happens(15) {
                true => self.end_link(),
                false => self.admit(at),
            },
            17..=41 => self.open(at),
            42..=60 => self.settle(at),
            61..=65 => self.release(at),
            66..=72 => self.end(at),
            73..=81 => self.wait(),
            82..=83 => self.jump(),
            84..=86 => self.crash(at),
            87..=90 => self.exempt(),
            91..=93 => self.join(at),
            94 => self.leave(at),
            95 => self.merge(at),
            _ => self.plan_fault(at),
        };
        self.quiesce();
        self.check();
        format!("{}: {told}", self.gateways[at].name)
    }

    /// Waits until both writers are idle: then the next step follows from the seed alone.
    fn quiesce(&mut self) {
        for gateway in &self.gateways {
            let flushed =
                (0..TRIES_MAX).position(|_| self.rig.wait(gateway.ledger.flush()).is_ok());
            let tries = flushed.expect("a store that works again takes what waited");
            self.is_undisturbed &= tries == 0;
        }
    }

    fn admit(&mut self, at: usize) -> String {
        let person = self.chance.below(self.people.len() as u64) as usize;
        let ids = match self.chance.below(10) {
            0 => 1_000 + self.chance.below(600),
            1 => 1,
            _ => 1 + self.chance.below(400),
        };
        // Those that are in common are few enough for chunks to meet.
        let first = match self.ids {
            Ids::OfTheirOrder => self.chance.below(500),
            Ids::Common => self.chance.below(20),
        };
        let mut wanted = order_of(self.people[person], 1, first..first + ids);
        self.orders += 1;
        let release = match self.ids {
            Ids::OfTheirOrder => self.orders * 1_000_000,
            Ids::Common => 0,
        };
        wanted.values = Some(Arc::new(From(release)));
        let admitted = self.rig.wait(self.gateways[at].ledger.admit(wanted));
        match admitted {
            Ok((delivery, granted)) => {
                self.gateways[at].deliveries.push((person, delivery));
                self.grant(at, person, granted)
            }
            Err(denied) => self.denied(at, person, &denied),
        }
    }

    fn open(&mut self, at: usize) -> String {
        let Some((person, mut delivery)) = self.take_delivery(at) else { return "idle".into() };
        let opened = self.rig.wait(self.gateways[at].ledger.open(&mut delivery));
        match opened {
            Ok(Some(granted)) => {
                self.gateways[at].deliveries.push((person, delivery));
                match Links::opens_one(person) {
                    true => self.grant_at_link(at, person, granted),
                    false => self.grant(at, person, granted),
                }
            }
            Ok(None) => {
                self.gateways[at].ledger.end(delivery, Outcome::Complete);
                "complete".into()
            }
            Err(denied) => self.denied(at, person, &denied),
        }
    }

    fn grant(&mut self, at: usize, person: usize, granted: Granted<Chunk>) -> String {
        let ordinals = granted.chunk().ordinals.clone();
        let told = format!("person {person} is granted {ordinals:?}");
        let entities = self.members.of(person);
        let number = self.truth.hand(person, entities, ordinals);
        self.gateways[at].chunks.push((number, granted));
        self.seen.granted += 1;
        let ceiling_ids = self.gateways[at].ledger.profile().tweet_ids_max;
        for &entity in entities {
            let in_window = self.received(entity);
            let exempt = self.is_exempt(entity);
            assert!(
                exempt || in_window <= ceiling_ids,
                "{told}, and entity {entity} has {in_window} of {ceiling_ids} IDs in one window"
            );
        }
        told
    }

    /// How many IDs that count an entity may have received in the window that ends now.
    pub(super) fn received(&self, entity: usize) -> u64 {
        self.truth.received(entity, self.true_ms - WINDOW_MS)
    }

    pub(super) fn denied(&mut self, at: usize, person: usize, denied: &Denied) -> String {
        match denied {
            Denied::Refused(_) if Links::opens_one(person) => self.denied_at_link(person, denied),
            Denied::Refused(Refusal::NotNow { remaining_ids, requested_ids, .. }) => {
                self.seen.refused_now += 1;
                assert!(remaining_ids < requested_ids, "what remains is less than what is asked");
            }
            Denied::Refused(Refusal::Over { live_ids, ceiling_ids, .. }) => {
                self.seen.refused_over += 1;
                assert!(live_ids > ceiling_ids);
            }
            Denied::Refused(Refusal::Never { requested_ids, ceiling_ids, .. }) => {
                self.seen.refused_for_ever += 1;
                assert!(requested_ids > ceiling_ids);
            }
            Denied::Refused(Refusal::NoEntity) => {
                assert!(self.members.of(person).is_empty(), "who belongs somewhere is charged");
            }
            Denied::Refused(other) => panic!("nobody is suspended: {other}"),
            Denied::Changed => panic!("nothing is ever removed here"),
            Denied::Unread(error) => panic!("every ID can be read: {error}"),
            Denied::Unavailable(_) => {
                self.seen.unavailable += 1;
                self.is_undisturbed = false;
                assert!(
                    self.gateways[at].plan.is_spent(),
                    "nothing else fails than what is told: {denied:?}"
                );
            }
        }
        format!("person {person} is denied: {denied}")
    }

    fn take_delivery(&mut self, at: usize) -> Option<(usize, Delivery)> {
        let count = self.gateways[at].deliveries.len();
        let number = self.chance.below(count.max(1) as u64) as usize;
        (count > 0).then(|| self.gateways[at].deliveries.swap_remove(number))
    }

    fn take_chunk(&mut self, at: usize) -> Option<(usize, Granted<Chunk>)> {
        let count = self.gateways[at].chunks.len();
        let number = self.chance.below(count.max(1) as u64) as usize;
        (count > 0).then(|| self.gateways[at].chunks.swap_remove(number))
    }

    pub(super) fn settle(&mut self, at: usize) -> String {
        let Some((number, granted)) = self.take_chunk(at) else { return "idle".into() };
        self.truth.arrived(number, self.true_ms);
        self.gateways[at].ledger.settle(granted);
        self.seen.settled += 1;
        format!("chunk {number} has left")
    }

    fn release(&mut self, at: usize) -> String {
        let Some((number, granted)) = self.take_chunk(at) else { return "idle".into() };
        self.truth.take_back(number);
        self.gateways[at].ledger.release(granted);
        self.seen.released += 1;
        format!("chunk {number} was not sent")
    }

    fn end(&mut self, at: usize) -> String {
        let Some((person, delivery)) = self.take_delivery(at) else { return "idle".into() };
        if self.chance.happens(50) {
            drop(delivery);
        } else {
            self.gateways[at].ledger.end(delivery, Outcome::Complete);
        }
        format!("a delivery of person {person} ends")
    }

    fn wait(&mut self) -> String {
        let most_ms = *self.chance.pick(&[1_000, 12 * MINUTE_MS, 45 * MINUTE_MS, 3 * HOUR_MS]);
        let ms = self.chance.below(most_ms as u64) as i64;
        let before: u64 = self.live();
        self.go_by(ms);
        self.seen.returned += u64::from(self.live() < before);
        format!("{ms} ms go by")
    }

    /// Lets time go by, in which those gateways that are among several tell what time it is.
    fn go_by(&mut self, ms: i64) {
        let mut left_ms = ms;
        while left_ms > 0 {
            let step_ms = left_ms.min(BEAT_MS);
            self.true_ms += step_ms;
            self.rig.clock.advance_ms(step_ms);
            left_ms -= step_ms;
            if self.gateways.len() > 1 {
                for gateway in &self.gateways {
                    let told = self.rig.wait(gateway.ledger.ready());
                    self.is_undisturbed &= told.is_ok();
                }
            }
        }
    }

    fn live(&self) -> u64 {
        self.entities.iter().map(|&entity| self.rig.usage(entity)).map(|usage| usage.used_ids).sum()
    }

    fn jump(&mut self) -> String {
        let by_ms = *self.chance.pick(&[-HOUR_MS, -1_000, 1_000, HOUR_MS, 31 * 24 * HOUR_MS]);
        let mut reading = self.rig.clock.read();
        reading.wall_ms += by_ms;
        if self.chance.happens(30) {
            // The machine was started anew, and its clock is wrong.
            let boot = format!("boot-{}", self.chance.next());
            (reading.boot_id, reading.boot_ms) = (boot.into(), 0);
            reading.synchronised = false;
        }
        self.rig.clock.set(reading);
        self.is_undisturbed = false;
        self.seen.jumped += 1;
        format!("the wall clock jumps by {by_ms} ms")
    }

    /// kill -9, some time, and a successor, perhaps with other numbers.
    fn crash(&mut self, at: usize) -> String {
        let down_ms = self.chance.below(20 * MINUTE_MS as u64) as i64;
        let ceiling_ids = match self.chance.below(3) {
            // Other numbers come into force while no gateway runs.
            0 if self.gateways.len() == 1 => *self.chance.pick(&CEILINGS_IDS),
            _ => self.gateways[at].ledger.profile().tweet_ids_max,
        };
        self.go_by(down_ms);
        self.gateways[at].plan.clear();
        // What the dead one gave to the kernel may arrive until the successor settles it.
        let chunks = std::mem::take(&mut self.gateways[at].chunks);
        for (number, _) in &chunks {
            self.truth.arrived(*number, self.true_ms);
        }
        let next = self.start(&self.gateways[at].store, ceiling_ids);
        let stale = std::mem::replace(&mut self.gateways[at].ledger, next);
        let deliveries = std::mem::take(&mut self.gateways[at].deliveries);
        self.wake(&stale, deliveries, chunks);
        self.seen.crashed += 1;
        format!("crash, and a successor with {ceiling_ids} IDs after {down_ms} ms")
    }

    /// The dead one was only paused: whatever it tries has no effect.
    fn wake(
        &mut self,
        stale: &Ledger,
        deliveries: Vec<(usize, Delivery)>,
        chunks: Vec<(usize, Granted<Chunk>)>,
    ) {
        for (_, mut delivery) in deliveries {
            let opened = self.rig.wait(stale.open(&mut delivery));
            assert!(!matches!(opened, Ok(Some(_))), "a predecessor is granted nothing");
            self.seen.stale += 1;
        }
        for (_, granted) in chunks {
            if self.chance.happens(50) { stale.settle(granted) } else { stale.release(granted) }
        }
        self.rig.wait(stale.flush()).unwrap();
    }

    fn exempt(&mut self) -> String {
        // An operator tries until it is entered.
        self.gateways[0].plan.clear();
        let entity = self.chance.below(ENTITIES as u64) as usize;
        if let Some(row) = self.exemptions[entity].take() {
            self.rig.revoke(row);
            return format!("entity {entity} is exempt no more");
        }
        let lasts_ms = self.chance.below(2 * HOUR_MS as u64) as i64;
        let until_ms = self.ledger_ms() + lasts_ms;
        self.exemptions[entity] = Some(self.rig.exempt(self.entities[entity], until_ms));
        self.seen.exempted += 1;
        format!("entity {entity} is exempt for {lasts_ms} ms")
    }

    pub(super) fn is_exempt(&self, entity: usize) -> bool {
        let now_ms = self.ledger_ms();
        self.exemptions[entity].as_ref().is_some_and(|row| now_ms < row.until_ms)
    }

    pub(super) fn ledger_ms(&self) -> i64 {
        self.rig.usage(self.entities[0]).at_ms
    }

    fn plan_fault(&mut self, at: usize) -> String {
        let fault = *self.chance.pick(&[Fault::Full, Fault::Broken, Fault::Unconfirmed]);
        let calls = self.chance.below(40);
        self.gateways[at].plan.fail_after(calls, fault);
        format!("the store will fail after {calls} calls: {fault:?}")
    }

    /// What the gateway goes by, for who acts beside its ledger.
    pub(super) fn terms(&self, at: usize) -> (Clock, Arc<Profile>) {
        (self.rig.clock.clone(), Arc::clone(self.gateways[at].ledger.profile()))
    }

    /// What is carried counts each time, so that an entity that has some of it may be charged for
    /// more than it has.
    pub(super) fn is_strict_no_more(&mut self) {
        self.is_undisturbed &= self.ids == Ids::OfTheirOrder;
    }

    /// What is live is at least what may have been received in any window that ends now; and, as
    /// long as nothing has disturbed the ledger, it is not more than its grace and its minutes
    /// explain.
    fn check(&self) {
        self.check_links();
        for (number, &entity) in self.entities.iter().enumerate() {
            let usage = self.rig.usage(entity);
            let told_ids = usage.used_ids + usage.open_ids;
            let live_ids = match self.ids {
                Ids::OfTheirOrder => told_ids,
                Ids::Common => self.live_of(entity),
            };
            let least = self.received(number);
            assert!(live_ids >= least, "entity {number}: {live_ids} live, {least} in one window");
            if self.is_undisturbed {
                let since_ms = self.true_ms - WINDOW_MS - GRACE_MS - MINUTE_MS;
                let most = self.truth.handed_over(number, since_ms);
                assert!(told_ids <= most, "entity {number}: {told_ids} live, {most} at the most");
            }
        }
    }

    /// How many IDs are live at an entity by its meter alone. An ID that has left with its newest
    /// charge may have to go back to an older one: until the next transaction that locks the meter,
    /// usage does not tell of it.
    fn live_of(&self, entity: EntityId) -> u64 {
        let recipient = Recipient::Entity(entity);
        let meter = self.rig.store.read(|tx| tx.meter_find(recipient, IdKind::Tweet)).unwrap();
        meter.map_or(0, |meter| meter.level.live_ids)
    }

    /// Ends everything, and asks whether rows, meters and journal agree.
    pub(super) fn finish(mut self) -> Seen {
        for gateway in &mut self.gateways {
            gateway.plan.clear();
            for (_, delivery) in gateway.deliveries.drain(..) {
                gateway.ledger.end(delivery, Outcome::Complete);
            }
            for (number, granted) in gateway.chunks.drain(..) {
                self.truth.arrived(number, self.true_ms);
                gateway.ledger.settle(granted);
            }
        }
        self.quiesce();
        self.check();
        let profile = self.rig.ledger.profile();
        let faults = self.rig.store.read(|tx| verify(tx, profile, &self.rig.clock)).unwrap();
        assert_eq!(faults, Vec::<String>::new());
        self.seen
    }
}
