//! Random operations against a naive list of (time, IDs): the limit holds in every true window.

use proptest::prelude::*;

use super::*;

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Admit { person: usize, ids: u64 },
    Open { delivery: usize },
    Settle { chunk: usize },
    Release { chunk: usize },
    End { delivery: usize },
    Wait { ms: i64 },
    Jump { wall_ms: i64 },
    Crash,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0..4_usize, 1..400_u64).prop_map(|(person, ids)| Happening::Admit { person, ids }),
        8 => any::<usize>().prop_map(|delivery| Happening::Open { delivery }),
        6 => any::<usize>().prop_map(|chunk| Happening::Settle { chunk }),
        1 => any::<usize>().prop_map(|chunk| Happening::Release { chunk }),
        2 => any::<usize>().prop_map(|delivery| Happening::End { delivery }),
        4 => (0..40 * MINUTE_MS).prop_map(|ms| Happening::Wait { ms }),
        1 => (-DAY_MS..DAY_MS).prop_map(|wall_ms| Happening::Jump { wall_ms }),
        1 => Just(Happening::Crash),
    ]
}

/// A chunk that was granted: who is charged, and when it was sent at the latest.
struct Sent {
    person: usize,
    ids: u64,
    /// True time; `None` while it may still be sent.
    until_ms: Option<i64>,
}

/// The ledger under test, and what is true: a clock that never jumps, and who belongs where.
struct World {
    rig: Rig,
    people: Vec<PersonId>,
    entities: Vec<EntityId>,
    true_ms: i64,
    deliveries: Vec<(usize, Delivery)>,
    chunks: Vec<(usize, Granted<Chunk>)>,
    sent: Vec<Sent>,
}

/// Which entities (by number) each person belongs to.
const MEMBERS: [&[usize]; 4] = [&[0], &[0], &[1], &[0, 1]];
const LIMIT_IDS: u64 = 1_000;
/// A short window makes much happen in few steps.
const WINDOW_MS: i64 = 2 * HOUR_MS;

impl World {
    fn new() -> World {
        let mut profile = small_profile();
        profile.window.length_ms = WINDOW_MS;
        profile.window.grace_ms = 5 * MINUTE_MS;
        let rig = Rig::with_profile(profile);
        let entities = vec![rig.entity(), rig.entity()];
        let people = MEMBERS
            .iter()
            .map(|of| rig.person(&of.iter().map(|&entity| entities[entity]).collect::<Vec<_>>()))
            .collect();
        let (deliveries, chunks, sent) = (Vec::new(), Vec::new(), Vec::new());
        World { rig, people, entities, true_ms: 0, deliveries, chunks, sent }
    }

    fn grant(&mut self, person: usize, granted: Granted<Chunk>) {
        self.sent.push(Sent { person, ids: granted.chunk().ids(), until_ms: None });
        self.chunks.push((self.sent.len() - 1, granted));
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Admit { person, ids } => {
                if let Ok((delivery, first)) = self.rig.admit(order(self.people[person], ids)) {
                    self.deliveries.push((person, delivery));
                    self.grant(person, first);
                }
            }
            Happening::Open { delivery } if !self.deliveries.is_empty() => {
                let number = delivery % self.deliveries.len();
                let (person, mut delivery) = self.deliveries.swap_remove(number);
                if let Ok(Some(granted)) = self.rig.open(&mut delivery) {
                    self.deliveries.push((person, delivery));
                    self.grant(person, granted);
                }
            }
            Happening::Settle { chunk } if !self.chunks.is_empty() => {
                let (number, granted) = self.chunks.swap_remove(chunk % self.chunks.len());
                self.sent[number].until_ms = Some(self.true_ms);
                self.rig.ledger.settle(granted);
                self.rig.flush();
            }
            Happening::Release { chunk } if !self.chunks.is_empty() => {
                let (number, granted) = self.chunks.swap_remove(chunk % self.chunks.len());
                self.sent[number] = Sent { person: 0, ids: 0, until_ms: Some(self.true_ms) };
                self.rig.ledger.release(granted);
            }
            Happening::End { delivery } if !self.deliveries.is_empty() => {
                let number = delivery % self.deliveries.len();
                let (_, delivery) = self.deliveries.swap_remove(number);
                self.rig.ledger.end(delivery, Outcome::Complete);
            }
            Happening::Wait { ms } => {
                self.true_ms += ms;
                self.rig.clock.advance_ms(ms);
            }
            Happening::Jump { wall_ms } => {
                let mut reading = self.rig.clock.read();
                reading.wall_ms += wall_ms;
                self.rig.clock.set(reading);
            }
            Happening::Crash => {
                for (number, granted) in self.chunks.drain(..) {
                    self.sent[number].until_ms = Some(self.true_ms);
                    std::mem::forget(granted);
                }
                self.deliveries.drain(..).for_each(std::mem::forget);
                self.rig.restart();
            }
            _ => {}
        }
    }

    /// Asserts that no true window that ends now is over the limit: what was sent may have left
    /// at any time until it was settled.
    fn check(&self) {
        for (number, entity) in self.entities.iter().enumerate() {
            let in_window: u64 = self
                .sent
                .iter()
                .filter(|sent| MEMBERS[sent.person].contains(&number))
                .filter(|sent| sent.until_ms.is_none_or(|ms| ms > self.true_ms - WINDOW_MS))
                .map(|sent| sent.ids)
                .sum();
            assert!(in_window <= LIMIT_IDS, "{in_window} IDs in one window");
            let usage = self.rig.usage(*entity);
            let live_ids = usage.used_ids + usage.open_ids;
            assert!(live_ids >= in_window, "{live_ids} live IDs, and {in_window} in one window");
            assert!(live_ids + usage.held_ids <= LIMIT_IDS);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: Rig::CASES, ..crate::base::cases::remembered() })]

    #[test]
    fn no_true_window_is_ever_over_the_limit(
        happenings in proptest::collection::vec(happening(), 1..120)
    ) {
        let mut world = World::new();
        for happening in happenings {
            world.happen(happening);
            world.check();
        }
        world.rig.flush();
        world.rig.verify();
        for (_, delivery) in world.deliveries.drain(..) {
            world.rig.ledger.end(delivery, Outcome::Complete);
        }
        for (_, granted) in world.chunks.drain(..) {
            world.rig.ledger.settle(granted);
        }
        world.rig.flush();
        world.rig.verify();
        for entity in &world.entities {
            let usage = world.rig.usage(*entity);
            prop_assert_eq!((usage.open_ids, usage.held_ids), (0, 0));
        }
    }
}
