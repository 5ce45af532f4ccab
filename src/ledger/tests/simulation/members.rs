//! Who belongs where in the world of one seed, and how that changes: a person joins an entity or
//! leaves one, an entity is merged into another. What goes out to whom is not here.

use std::collections::BTreeSet;

use super::truth::Brought;
use super::world::World;
use crate::base::party::{Actor, EntityId, PersonId};
use crate::ledger::carry;
use crate::ledger::tests::START_MS;
use crate::store::{MembershipRow, StoreError, Tx};

/// Which entities (by number) each person belongs to at first.
pub(super) const MEMBERS: [&[usize]; 5] = [&[0], &[0], &[1], &[0, 1], &[1, 2]];

/// The entities of each person, by number.
pub(super) struct Members {
    entities: Vec<BTreeSet<usize>>,
    /// How often anything about them was to change.
    changes: i64,
}

impl Members {
    pub(super) fn new() -> Members {
        let entities = MEMBERS.iter().map(|of| of.iter().copied().collect()).collect();
        Members { entities, changes: 0 }
    }

    /// The entities of `person`.
    pub(super) fn of(&self, person: usize) -> &BTreeSet<usize> {
        &self.entities[person]
    }

    /// The people of `entity`.
    fn people(&self, entity: usize) -> Vec<usize> {
        (0..self.entities.len()).filter(|&person| self.of(person).contains(&entity)).collect()
    }

    /// A moment that no membership begins at yet, before everything else that happens.
    fn change_ms(&mut self) -> i64 {
        self.changes += 1;
        START_MS - 1_000 + self.changes
    }
}

fn operator() -> Actor {
    Actor::Local("ada".into())
}

fn begin(tx: &Tx<'_>, person: PersonId, entity: EntityId, from_ms: i64) -> Result<(), StoreError> {
    tx.membership_insert(&MembershipRow { person, entity, role: "member".into(), from_ms })
}

impl World {
    /// A person joins a further entity, perhaps while something that they received has just left.
    pub(super) fn join(&mut self, at: usize) -> String {
        let person = self.chance.below(self.people.len() as u64) as usize;
        let foreign: Vec<usize> =
            (0..self.entities.len()).filter(|e| !self.members.of(person).contains(e)).collect();
        if foreign.is_empty() {
            return "idle".into();
        }
        let entity = *self.chance.pick(&foreign);
        let first = self.perhaps_settle(at);
        let from_ms = self.members.change_ms();
        let (clock, profile) = self.terms(at);
        let (who, target) = (self.people[person], self.entities[entity]);
        let joined = self.gateways[at].store.write_blocking(move |tx| {
            carry::join(tx, &profile, &clock, &operator(), who, target)?;
            begin(tx, who, target, from_ms)
        });
        let told = format!("{first}person {person} joins entity {entity}");
        if !self.has_come_about(at, joined, |now| now.contains(&target), who) {
            return format!("{told}, which fails");
        }
        self.members.entities[person].insert(entity);
        let brought = self.truth.join(person, entity);
        self.seen.joined += 1;
        self.carried(at, entity, brought);
        format!("{told} and brings {brought:?}")
    }

    /// A person leaves one of their entities; what they received stays there.
    pub(super) fn leave(&mut self, at: usize) -> String {
        let person = self.chance.below(self.people.len() as u64) as usize;
        let entities: Vec<usize> = self.members.of(person).iter().copied().collect();
        if entities.is_empty() {
            return "idle".into();
        }
        let entity = *self.chance.pick(&entities);
        let until_ms = self.members.change_ms();
        let (who, source) = (self.people[person], self.entities[entity]);
        let left = self.gateways[at]
            .store
            .write_blocking(move |tx| tx.membership_end(who, source, until_ms).map(drop));
        let told = format!("person {person} leaves entity {entity}");
        if !self.has_come_about(at, left, |now| !now.contains(&source), who) {
            return format!("{told}, which fails");
        }
        self.members.entities[person].remove(&entity);
        self.seen.left += 1;
        told
    }

    /// An entity is merged into another: its people belong to that one from then on.
    pub(super) fn merge(&mut self, at: usize) -> String {
        let source = self.chance.below(self.entities.len() as u64) as usize;
        let others: Vec<usize> = (0..self.entities.len()).filter(|&e| e != source).collect();
        let target = *self.chance.pick(&others);
        let people = self.members.people(source);
        let Some(&somebody) = people.first() else { return "idle".into() };
        let first = self.perhaps_settle(at);
        let change_ms = self.members.change_ms();
        let (clock, profile) = self.terms(at);
        let (from, to) = (self.entities[source], self.entities[target]);
        let moves: Vec<(PersonId, bool)> = people
            .iter()
            .map(|&person| (self.people[person], self.members.of(person).contains(&target)))
            .collect();
        let merged = self.gateways[at].store.write_blocking(move |tx| {
            carry::merge(tx, &profile, &clock, &operator(), from, to)?;
            for (person, is_there) in moves {
                tx.membership_end(person, from, change_ms)?;
                if !is_there {
                    begin(tx, person, to, change_ms)?;
                }
            }
            Ok(())
        });
        let told = format!("{first}entity {source} is merged into entity {target}");
        let who = self.people[somebody];
        if !self.has_come_about(at, merged, |now| !now.contains(&from), who) {
            return format!("{told}, which fails");
        }
        for person in people {
            self.members.entities[person].remove(&source);
            self.members.entities[person].insert(target);
        }
        let brought = self.truth.merge(source, target);
        self.seen.merged += 1;
        self.carried(at, target, brought);
        format!("{told}, with {brought:?}")
    }

    /// What was settled just before is in the queue, or was put back there, when it is carried.
    fn perhaps_settle(&mut self, at: usize) -> String {
        if self.chance.happens(30) { format!("{}, ", self.settle(at)) } else { String::new() }
    }

    /// Whether a change is in force that may have failed: it is, if the entities that `who` belongs
    /// to are those of afterwards. Nobody tries again, so it is whole or it is not there.
    fn has_come_about(
        &mut self,
        at: usize,
        result: Result<(), StoreError>,
        is_after: impl Fn(&[EntityId]) -> bool,
        who: PersonId,
    ) -> bool {
        let entities = self.rig.store.read(|tx| tx.memberships_of_person(who)).unwrap();
        let entities: Vec<EntityId> = entities.into_iter().map(|row| row.entity).collect();
        let is_there = is_after(&entities);
        match result {
            Ok(()) => assert!(is_there, "what is said to be committed is there"),
            Err(error) => {
                self.seen.unavailable += 1;
                let is_told = self.gateways[at].plan.is_spent();
                assert!(is_told, "nothing else fails than what is told: {error}");
            }
        }
        is_there
    }

    fn carried(&mut self, at: usize, entity: usize, brought: Brought) {
        self.seen.carried += u64::from(brought.chunks > 0);
        self.seen.carried_open += u64::from(brought.open_chunks > 0);
        let ceiling_ids = self.gateways[at].ledger.profile().tweet_ids_max;
        self.seen.carried_over += u64::from(
            brought.chunks > 0 && self.received(entity) > ceiling_ids && !self.is_exempt(entity),
        );
        self.is_strict_no_more();
    }
}
