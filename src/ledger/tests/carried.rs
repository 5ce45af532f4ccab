//! People who join further entities, and entities that are merged: what they bring along.

use super::*;
use crate::base::party::Actor;
use crate::ledger::carry::{join, join_effect, merge, merge_effect};
use crate::policy::Count;

fn actor() -> Actor {
    Actor::Local("ada".into())
}

impl Rig {
    /// Lets `person` join `entity`, and returns how many Tweet IDs came along.
    fn join(&self, person: PersonId, entity: EntityId) -> u64 {
        let (clock, profile) = (self.clock.clone(), Arc::clone(self.ledger.profile()));
        let effect = self.store.read(|tx| join_effect(tx, &profile, &clock, person, entity));
        let carried = self.write(move |tx| {
            let (role, from_ms) = ("member".to_owned(), START_MS);
            let carried = join(tx, &profile, &clock, &actor(), person, entity)?;
            tx.membership_insert(&MembershipRow { person, entity, role, from_ms })?;
            Ok(carried)
        });
        assert_eq!(effect.unwrap(), carried, "what was shown is what comes");
        carried.iter().map(|part| part.ids).sum()
    }

    fn merge(&self, source: EntityId, target: EntityId) -> u64 {
        let (clock, profile) = (self.clock.clone(), Arc::clone(self.ledger.profile()));
        let effect = self.store.read(|tx| merge_effect(tx, &profile, &clock, source, target));
        let carried = self.write(move |tx| merge(tx, &profile, &clock, &actor(), source, target));
        assert_eq!(effect.unwrap(), carried, "what was shown is what comes");
        carried.iter().map(|part| part.ids).sum()
    }
}

#[test]
fn who_joins_brings_along_what_is_live_and_only_what_is_theirs() {
    let rig = Rig::new();
    let (first, second) = (rig.entity(), rig.entity());
    let (ada, bob) = (rig.person(&[first]), rig.person(&[first]));
    assert_eq!(rig.deliver(order(ada, 300)).0, 300);
    assert_eq!(rig.deliver(order(bob, 200)).0, 200);
    rig.clock.advance_ms(10 * DAY_MS);
    assert_eq!(rig.deliver(order(ada, 50)).0, 50);
    assert_eq!(rig.join(ada, second), 350);
    assert_eq!((rig.counts(first).0, rig.counts(second).0), (550, 350));
    rig.verify();
    // Both are charged from now on, and each part leaves both at the same time.
    assert_eq!(rig.deliver(order(ada, 100)).0, 100);
    assert_eq!((rig.counts(first).0, rig.counts(second).0), (650, 450));
    rig.clock.advance_ms(CHARGED_MS - 10 * DAY_MS);
    assert_eq!((rig.counts(first).0, rig.counts(second).0), (150, 150));
    rig.verify();
}

#[test]
fn who_joins_brings_along_what_a_colleague_has_fetched_again_since() {
    let rig = Rig::with_profile(Profile { count: Count::Distinct, ..small_profile() });
    let (first, second) = (rig.entity(), rig.entity());
    let (ada, bob) = (rig.person(&[first]), rig.person(&[first]));
    assert_eq!(rig.deliver(order(ada, 300)).0, 300);
    for _ in 0..3 {
        rig.clock.advance_ms(DAY_MS);
        assert_eq!(rig.deliver(order(bob, 200)).0, 200);
    }
    assert_eq!(rig.counts(first), (300, 0, 0));
    assert_eq!(rig.join(ada, second), 300);
    assert_eq!(rig.counts(second), (300, 0, 0));
    rig.verify();
    // They leave with the day on which she got them.
    rig.clock.advance_ms(CHARGED_MS - 3 * DAY_MS);
    assert_eq!((rig.counts(first), rig.counts(second)), ((200, 0, 0), (0, 0, 0)));
    assert_eq!(rig.merge(first, second), 200);
    assert_eq!(rig.deliver(order(ada, 1_000)).0, 0, "200 that count each time are in the way");
    assert_eq!(rig.deliver(order(ada, 800)).0, 800);
    rig.verify();
}

#[test]
fn what_is_under_way_is_brought_along_and_settled_everywhere() {
    let rig = Rig::new();
    let (first, second) = (rig.entity(), rig.entity());
    let ada = rig.person(&[first]);
    let (mut delivery, chunk) = rig.admit(order(ada, 100)).unwrap();
    assert_eq!(rig.join(ada, second), 10);
    assert_eq!(rig.counts(second), (0, 10, 0));
    let next = rig.open(&mut delivery).unwrap().unwrap();
    assert_eq!(rig.counts(second).1, 30);
    rig.ledger.settle(chunk);
    rig.ledger.release(next);
    rig.ledger.end(delivery, Outcome::Complete);
    rig.flush();
    assert_eq!((rig.counts(first).0, rig.counts(second).0), (10, 10));
    rig.verify();
}

#[test]
fn who_leaves_and_comes_back_is_not_counted_twice() {
    let rig = Rig::new();
    let (first, second) = (rig.entity(), rig.entity());
    let ada = rig.person(&[first]);
    assert_eq!(rig.deliver(order(ada, 300)).0, 300);
    assert_eq!(rig.join(ada, second), 300);
    assert_eq!(rig.deliver(order(ada, 100)).0, 100);
    let third = rig.entity();
    assert_eq!(rig.join(ada, third), 400);
    let (clock, profile) = (rig.clock.clone(), Arc::clone(rig.ledger.profile()));
    let again = rig.write(move |tx| join(tx, &profile, &clock, &actor(), ada, second));
    assert_eq!(again, []);
    rig.verify();
}

#[test]
fn a_join_may_leave_an_entity_over_and_nothing_goes_out_until_it_fits() {
    let rig = Rig::new();
    let (first, second) = (rig.entity(), rig.entity());
    let (ada, bob) = (rig.person(&[first]), rig.person(&[second]));
    assert_eq!(rig.deliver(order(ada, 700)).0, 700);
    rig.clock.advance_ms(DAY_MS);
    assert_eq!(rig.deliver(order(bob, 600)).0, 600);
    assert_eq!(rig.join(ada, second), 700);
    assert!(rig.usage(second).over);
    assert_eq!(rig.usage(second).remaining_ids, Some(0));
    assert!(matches!(rig.deliver(order(bob, 1)), (0, Err(Refusal::Over { .. }))));
    rig.verify();
    rig.clock.advance_ms(CHARGED_MS - DAY_MS);
    assert_eq!(rig.deliver(order(bob, 400)).0, 400);
    rig.verify();
}

#[test]
fn a_merged_entity_adds_up_and_what_both_were_charged_counts_once() {
    let rig = Rig::new();
    let (first, second) = (rig.entity(), rig.entity());
    let (ada, bob) = (rig.person(&[first]), rig.person(&[second]));
    let both = rig.person(&[first, second]);
    assert_eq!(rig.deliver(order(ada, 300)).0, 300);
    assert_eq!(rig.deliver(order(bob, 200)).0, 200);
    assert_eq!(rig.deliver(order(both, 100)).0, 100);
    let (delivery, chunk) = rig.admit(order(ada, 10)).unwrap();
    assert_eq!(rig.merge(first, second), 310);
    assert_eq!(rig.counts(second), (600, 10, 0));
    rig.verify();
    rig.ledger.settle(chunk);
    rig.ledger.end(delivery, Outcome::Complete);
    rig.flush();
    assert_eq!(rig.counts(second), (610, 0, 0));
    rig.verify();
}

// A chunk that is opened takes the IDs that the entity has with it; but what was opened before may
// arrive after it, and then the IDs count from then on. A merge saw the newest charge alone.
#[test]
fn a_merge_dates_an_id_by_the_chunk_that_arrived_last() {
    let rig = Rig::with_profile(Profile { count: Count::Distinct, ..small_profile() });
    let (first, second, third) = (rig.entity(), rig.entity(), rig.entity());
    let (ada, bob) = (rig.person(&[first]), rig.person(&[first]));
    let (slow, slow_chunk) = rig.admit(order(ada, 10)).unwrap();
    assert_eq!(rig.deliver(order(bob, 10)).0, 10);
    rig.clock.advance_ms(DAY_MS);
    rig.ledger.settle(slow_chunk);
    rig.ledger.end(slow, Outcome::Complete);
    rig.flush();
    assert_eq!(rig.merge(first, second), 10);
    rig.verify();
    rig.clock.advance_ms(CHARGED_MS - DAY_MS);
    assert_eq!(rig.counts(second), (10, 0, 0));
    assert_eq!(rig.merge(first, third), 10, "although nobody has looked at the first since");
    assert_eq!(rig.counts(third), (10, 0, 0));
    rig.verify();
    rig.clock.advance_ms(DAY_MS);
    assert_eq!((rig.counts(second), rig.counts(third)), ((0, 0, 0), (0, 0, 0)));
    rig.verify();
}

// As above, but the newest charge is given back: at the source the IDs go back to the older one.
#[test]
fn a_merge_keeps_what_a_chunk_has_taken_over_that_is_then_given_back() {
    let rig = Rig::with_profile(Profile { count: Count::Distinct, ..small_profile() });
    let (first, second) = (rig.entity(), rig.entity());
    let (ada, bob) = (rig.person(&[first]), rig.person(&[first]));
    assert_eq!(rig.deliver(order(ada, 10)).0, 10);
    let (again, chunk) = rig.admit(order(bob, 10)).unwrap();
    assert_eq!(rig.counts(first), (0, 10, 0));
    assert_eq!(rig.merge(first, second), 20, "the chunk, and what remains if it is given back");
    rig.verify();
    rig.ledger.release(chunk);
    rig.ledger.end(again, Outcome::Complete);
    rig.flush();
    assert_eq!((rig.counts(first), rig.counts(second)), ((10, 0, 0), (10, 0, 0)));
    rig.verify();
}

#[test]
fn without_a_carry_the_database_itself_refuses_to_rise() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    assert_eq!(rig.deliver(order(person, 1_000)).0, 1_000);
    let risen = rig.store.write_blocking(|tx| {
        let (_, _, mut meter) = tx.meters()?.remove(0);
        meter.level.live_ids += 1;
        tx.meter_set(&meter)
    });
    assert!(matches!(risen, Err(StoreError::Database(_))), "{risen:?}");
    // Nor does a carry that is over allow it.
    let carried = rig.store.write_blocking(|tx| {
        let (_, _, mut meter) = tx.meters()?.remove(0);
        tx.carry(meter.id, 5, "join", START_MS)?;
        meter.level.live_ids += 10;
        tx.meter_set(&meter)
    });
    assert!(matches!(carried, Err(StoreError::Database(_))), "{carried:?}");
}
