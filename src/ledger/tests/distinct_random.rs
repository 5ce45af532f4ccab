//! Random histories of IDs that count once, against a naive list of who was sent which ID when;
//! and the same histories with filters that are always, never or sometimes certain.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::ledger::charge::{Desk, Entitled};
use crate::policy::decision::{Verdict, Wanted};
use crate::policy::window::minute_of;
use crate::policy::{ChunkSize, Count, Level, Recipient};
use crate::store::Charged;

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Admit { person: usize, walk: Walk, ids: u64 },
    Open { delivery: usize },
    Settle { chunk: usize },
    Release { chunk: usize },
    End { delivery: usize },
    Wait { ms: i64 },
    Exempt { entity: usize },
    Revoke,
    Crash,
}

/// Which IDs an order has, one after the other; they may repeat themselves.
#[derive(Clone, Copy, Debug)]
struct Walk {
    first: u64,
    step: u64,
}

/// How many different IDs there are.
const ALL_IDS: u64 = 150;
const LIMIT_IDS: u64 = 100;
/// A short window makes much happen in few steps.
const WINDOW_MS: i64 = 2 * HOUR_MS;
const GRACE_MS: i64 = 5 * MINUTE_MS;
/// Which entities (by number) each person belongs to.
const MEMBERS: [&[usize]; 4] = [&[0], &[0], &[1], &[0, 1]];

impl Values for Walk {
    fn read(&self, ordinals: Range<u64>) -> io::Result<Vec<u64>> {
        Ok(ordinals.map(|ordinal| (self.first + ordinal * self.step) % ALL_IDS).collect())
    }
}

fn happening() -> impl Strategy<Value = Happening> {
    let walk = (0..ALL_IDS, prop_oneof![3 => Just(1), 1 => Just(7), 1 => Just(50)]);
    let walk = walk.prop_map(|(first, step)| Walk { first, step });
    prop_oneof![
        5 => (0..4_usize, walk, 1..120_u64)
            .prop_map(|(person, walk, ids)| Happening::Admit { person, walk, ids }),
        9 => any::<usize>().prop_map(|delivery| Happening::Open { delivery }),
        7 => any::<usize>().prop_map(|chunk| Happening::Settle { chunk }),
        3 => any::<usize>().prop_map(|chunk| Happening::Release { chunk }),
        2 => any::<usize>().prop_map(|delivery| Happening::End { delivery }),
        4 => (0..50 * MINUTE_MS).prop_map(|ms| Happening::Wait { ms }),
        1 => (0..2_usize).prop_map(|entity| Happening::Exempt { entity }),
        1 => Just(Happening::Revoke),
        1 => Just(Happening::Crash),
    ]
}

/// What was charged to an entity for one chunk.
struct Reference {
    entity: usize,
    ids: Vec<u64>,
    /// Whether they count once.
    once: bool,
    /// `None` while it is open.
    settled_ms: Option<i64>,
}

impl Reference {
    /// Whether it counts at `now_ms`: from its minute on until window and grace have passed.
    fn counts(&self, now_ms: i64) -> bool {
        self.settled_ms
            .is_none_or(|ms| now_ms < (minute_of(ms) + 1) * MINUTE_MS + WINDOW_MS + GRACE_MS)
    }
}

struct World {
    rig: Rig,
    filter: Option<Instead>,
    people: Vec<PersonId>,
    entities: Vec<EntityId>,
    exempt: Option<(usize, ExemptionRow)>,
    deliveries: Vec<(usize, Walk, Delivery)>,
    /// Each with the numbers of its references.
    chunks: Vec<(Vec<usize>, Granted<Chunk>)>,
    references: Vec<Reference>,
    /// What is the same whatever a filter says.
    told: Vec<String>,
}

impl World {
    fn new(filter: Option<Instead>) -> World {
        let mut profile = Profile {
            tweet_ids_max: LIMIT_IDS,
            chunk_ids_small_min: 3,
            chunk_ids_small_max: 12,
            chunk_ids_large: 20,
            count: Count::Distinct,
            ..small_profile()
        };
        profile.window.length_ms = WINDOW_MS;
        profile.window.grace_ms = GRACE_MS;
        let rig = match filter {
            Some(instead) => Rig::with_filter(profile, instead),
            None => Rig::with_profile(profile),
        };
        let entities = vec![rig.entity(), rig.entity()];
        let people = MEMBERS
            .iter()
            .map(|of| rig.person(&of.iter().map(|&entity| entities[entity]).collect::<Vec<_>>()))
            .collect();
        World {
            rig,
            filter,
            people,
            entities,
            exempt: None,
            deliveries: Vec::new(),
            chunks: Vec::new(),
            references: Vec::new(),
            told: Vec::new(),
        }
    }

    fn is_exempt(&self, entity: usize) -> bool {
        self.exempt.as_ref().is_some_and(|(exempt, _)| *exempt == entity)
    }

    /// The IDs that an entity has and that count once.
    fn has(&self, entity: usize) -> HashSet<u64> {
        let now_ms = self.rig.clock.now_ms();
        let living = self.references.iter().filter(|one| one.entity == entity && one.once);
        living.filter(|one| one.counts(now_ms)).flat_map(|one| one.ids.clone()).collect()
    }

    /// What is live by the naive list.
    fn live(&self, entity: usize) -> u64 {
        let now_ms = self.rig.clock.now_ms();
        let each = self.references.iter().filter(|one| one.entity == entity && !one.once);
        let each = each.filter(|one| one.counts(now_ms)).map(|one| one.ids.len() as u64);
        each.sum::<u64>() + self.has(entity).len() as u64
    }

    /// The meter of an entity once everything that has to leave has left.
    fn level(&self, entity: usize) -> (i64, Level) {
        let recipient = Recipient::Entity(self.entities[entity]);
        let limit = self.rig.ledger.profile().limit(IdKind::Tweet.into());
        let ceiling_ids = limit.ceiling_ids.filter(|_| !self.is_exempt(entity));
        let charged = Charged { recipient, basis: limit.basis, use_case: None };
        let entitled = Entitled { charged, ceiling_ids };
        let (ledger, now_ms) = (self.rig.ledger.clone(), self.rig.clock.now_ms());
        self.rig.write(move |tx| {
            let desk = Desk { tx, shared: &ledger.0, now_ms };
            loop {
                let charging = desk.lock(entitled, IdKind::Tweet)?;
                if !charging.is_leaving {
                    return Ok((charging.meter.id, charging.meter.level));
                }
            }
        })
    }

    /// How many of these IDs are new to an entity, or count each time.
    fn fresh(&self, entity: usize, ids: &[u64]) -> u64 {
        if self.is_exempt(entity) {
            return ids.len() as u64;
        }
        let has = self.has(entity);
        ids.iter().filter(|id| !has.contains(id)).collect::<HashSet<_>>().len() as u64
    }

    /// Whether `wanted` fits every entity of a person.
    fn fits(&self, person: usize, wanted: impl Fn(i64, usize) -> Wanted) -> bool {
        MEMBERS[person].iter().all(|&entity| {
            let (meter_id, level) = self.level(entity);
            assert_eq!(level.live_ids, self.live(entity), "entity {entity}");
            level.verdict(wanted(meter_id, entity)) == Verdict::Fits
        })
    }

    fn grant(&mut self, person: usize, walk: Walk, granted: Granted<Chunk>) {
        let ids = walk.read(granted.chunk().ordinals.clone()).unwrap();
        let mut numbers = Vec::new();
        for &entity in MEMBERS[person] {
            let once = !self.is_exempt(entity);
            numbers.push(self.references.len());
            self.references.push(Reference { entity, ids: ids.clone(), once, settled_ms: None });
        }
        self.chunks.push((numbers, granted));
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Admit { person, walk, ids } => self.admit(person, walk, ids),
            Happening::Open { delivery } if !self.deliveries.is_empty() => self.open(delivery),
            Happening::Settle { chunk } if !self.chunks.is_empty() => {
                let (numbers, granted) = self.chunks.swap_remove(chunk % self.chunks.len());
                self.rig.ledger.settle(granted);
                self.rig.flush();
                for number in numbers {
                    self.references[number].settled_ms = Some(self.rig.clock.now_ms());
                }
            }
            Happening::Release { chunk } if !self.chunks.is_empty() => {
                let (numbers, granted) = self.chunks.swap_remove(chunk % self.chunks.len());
                self.rig.ledger.release(granted);
                self.rig.flush();
                numbers.into_iter().for_each(|number| self.references[number].ids.clear());
            }
            Happening::End { delivery } if !self.deliveries.is_empty() => {
                let number = delivery % self.deliveries.len();
                let (_, _, delivery) = self.deliveries.swap_remove(number);
                self.rig.ledger.end(delivery, Outcome::Complete);
                self.rig.flush();
            }
            Happening::Wait { ms } => self.rig.clock.advance_ms(ms),
            Happening::Exempt { entity } if self.exempt.is_none() => {
                let row = self.rig.exempt(self.entities[entity], START_MS + 1_000 * DAY_MS);
                self.exempt = Some((entity, row));
            }
            Happening::Revoke => {
                if let Some((_, row)) = self.exempt.take() {
                    self.rig.revoke(row);
                }
            }
            Happening::Crash => {
                for (numbers, granted) in self.chunks.drain(..) {
                    for number in numbers {
                        self.references[number].settled_ms = Some(self.rig.clock.now_ms());
                    }
                    std::mem::forget(granted);
                }
                self.deliveries.drain(..).for_each(std::mem::forget);
                self.rig.restart();
                if let Some(instead) = self.filter {
                    self.rig.replace_filters(instead);
                }
            }
            _ => {}
        }
    }

    fn admit(&mut self, person: usize, walk: Walk, ids: u64) {
        let all = walk.read(0..ids).unwrap();
        let fits = self.fits(person, |_, entity| Wanted {
            from_hold_ids: 0,
            fresh_ids: self.fresh(entity, &all),
        });
        let order = Order { values: Some(Arc::new(walk)), ..order(self.people[person], ids) };
        match self.rig.admit(order) {
            Ok((delivery, first)) => {
                assert!(fits, "{ids} IDs of {walk:?} were admitted");
                self.deliveries.push((person, walk, delivery));
                self.grant(person, walk, first);
            }
            Err(refusal) => {
                assert!(!fits, "{ids} IDs of {walk:?} were refused: {refusal:?}");
                self.told.push(format!("{refusal:?}"));
            }
        }
    }

    fn open(&mut self, delivery: usize) {
        let number = delivery % self.deliveries.len();
        let (person, walk, mut delivery) = self.deliveries.swap_remove(number);
        if delivery.rest().is_empty() {
            assert!(self.rig.open(&mut delivery).unwrap().is_none());
            return;
        }
        let is_large = MEMBERS[person].iter().all(|entity| self.is_exempt(*entity));
        let attempt = delivery.further.attempt.number;
        let size = if is_large { ChunkSize::Large } else { ChunkSize::Small };
        let ids = self.rig.ledger.profile().chunk_ids(size, attempt);
        let rest = delivery.rest();
        let next = walk.read(rest.start..rest.end.min(rest.start + ids)).unwrap();
        let fits = self.fits(person, |meter_id, entity| {
            let fresh_ids = self.fresh(entity, &next);
            let held = self.rig.store.read(|tx| tx.hold(delivery.id(), meter_id)).unwrap();
            let from_hold_ids = held.min(fresh_ids);
            Wanted { from_hold_ids, fresh_ids: fresh_ids - from_hold_ids }
        });
        match self.rig.open(&mut delivery) {
            Ok(granted) => {
                assert!(fits, "{next:?} was granted");
                self.deliveries.push((person, walk, delivery));
                self.grant(person, walk, granted.expect("there is more"));
            }
            Err(refusal) => {
                assert!(!fits, "{next:?} was refused: {refusal:?}");
                self.told.push(format!("{refusal:?}"));
            }
        }
    }

    /// Asserts that what is live is what the naive list says, and notes what everybody is told.
    fn check(&mut self) {
        for entity in 0..self.entities.len() {
            // What people see before anybody has locked anything, and what is so.
            let seen = self.rig.counts(self.entities[entity]);
            let (_, level) = self.level(entity);
            assert_eq!(level.live_ids, self.live(entity), "entity {entity}");
            assert!(seen.0 + seen.1 <= level.live_ids);
            let usage = self.rig.usage(self.entities[entity]);
            assert_eq!(usage.used_ids + usage.open_ids, level.live_ids);
            self.told.push(format!("{usage:?}"));
        }
    }

    fn live_through(mut self, happenings: &[Happening]) -> Vec<String> {
        for happening in happenings {
            self.happen(*happening);
            self.check();
        }
        self.rig.verify();
        for (_, _, delivery) in self.deliveries.drain(..) {
            self.rig.ledger.end(delivery, Outcome::Complete);
        }
        for (_, granted) in self.chunks.drain(..) {
            self.rig.ledger.settle(granted);
        }
        self.rig.flush();
        self.rig.verify();
        self.rig.clock.advance_ms(CHARGED_MS);
        for entity in 0..self.entities.len() {
            assert_eq!(self.level(entity).1.live_ids, 0, "everything leaves in the end");
        }
        self.rig.verify();
        self.told
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: Rig::CASES / 2, ..crate::base::cases::remembered() })]

    #[test]
    fn an_id_counts_once_as_the_naive_list_says_whatever_the_filter_says(
        happenings in proptest::collection::vec(happening(), 1..80)
    ) {
        let told = World::new(None).live_through(&happenings);
        for instead in [Instead::AlwaysPerhaps, Instead::AlwaysNew, Instead::Random] {
            let otherwise = World::new(Some(instead)).live_through(&happenings);
            prop_assert_eq!(&told, &otherwise, "{:?}", instead);
        }
    }
}
