//! A store that fails at its n-th call, for every n: nothing is granted that is not charged, and
//! nothing is wrong once it works again.

use super::*;
use crate::policy::Count;
use crate::store::failing::{Counted, Fault, Plan};

/// How many calls a delivery can take at the most; the test says when they are too few.
const CALLS_MAX: u64 = 1_000;
/// How often anything is tried again.
const TRIES_MAX: usize = 10;

/// How IDs are counted, and what has become of those that the entity was handed before.
#[derive(Clone, Copy, Debug)]
enum Before {
    /// Each counts each time, and there are none.
    Nothing,
    /// Each counts once, and the first [`SEEN_IDS`] are not new.
    Seen,
    /// Each counts once, and as many are about to leave the window.
    Leaving,
}

const SEEN_IDS: u64 = 45;

/// Hands 100 IDs over, of which the last chunk is not sent, on a store whose call number `call`
/// fails. Returns whether the delivery had so many calls.
fn deliver_with_fault(call: u64, fault: Fault, before: Before) -> bool {
    let dir = memory();
    let plan = Plan::new(Counted::All);
    let path = DataFolder::create(dir.path()).unwrap().database();
    let store = Store::failing(&path, "local", &plan).unwrap();
    let count = if let Before::Nothing = before { Count::Deliveries } else { Count::Distinct };
    let profile = Profile { count, ..small_profile() };
    let mut rig = Rig::on(dir, store, Clock::manual(START_MS), profile);
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let mut staying_ids = 0;
    if !matches!(before, Before::Nothing) {
        assert_eq!(rig.deliver(order(person, SEEN_IDS)).0, SEEN_IDS);
        match before {
            Before::Leaving => rig.clock.advance_ms(CHARGED_MS),
            _ => staying_ids = SEEN_IDS,
        }
    }
    plan.fail_after(call, fault);

    let mut sent_ids = 0;
    if let Ok((mut delivery, first)) = rig.wait(rig.ledger.admit(order(person, 100))) {
        sent_ids += first.chunk().ids();
        assert!(live_ids(&rig, entity) >= sent_ids, "what is sent is charged");
        rig.ledger.settle(first);
        while let Ok(Some(granted)) = rig.wait(rig.ledger.open(&mut delivery)) {
            let (ids, is_last) = (granted.chunk().ids(), delivery.rest().is_empty());
            if is_last {
                rig.ledger.release(granted);
            } else {
                sent_ids += ids;
                assert!(live_ids(&rig, entity) >= sent_ids, "what is sent is charged");
                rig.ledger.settle(granted);
            }
        }
        rig.ledger.end(delivery, Outcome::Complete);
    }
    let is_spent = (0..TRIES_MAX).any(|_| rig.wait(rig.ledger.flush()).is_ok()) && plan.is_spent();
    plan.clear();
    // As long as nothing died, nothing is charged in vain.
    let told = format!("{fault:?} at call {call}, {before:?}");
    let counted_ids = sent_ids.max(staying_ids);
    assert_eq!(live_ids(&rig, entity), counted_ids, "{told}");
    assert_eq!(rig.usage(entity).held_ids, 0, "{told}");
    rig.verify();
    rig.restart();
    rig.verify();
    assert_eq!(rig.counts(entity), (counted_ids, 0, 0), "{told}");
    is_spent
}

fn live_ids(rig: &Rig, entity: EntityId) -> u64 {
    let usage = rig.usage(entity);
    usage.used_ids + usage.open_ids
}

/// Lets every call fail, one after the other, until the delivery has no more of them.
fn every_call(fault: Fault) {
    for before in [Before::Nothing, Before::Seen, Before::Leaving] {
        let calls = (0..CALLS_MAX).position(|call| !deliver_with_fault(call, fault, before));
        let calls = calls.expect("a delivery has fewer calls than that");
        assert!(calls > 50, "so many calls make a delivery: {calls}");
    }
}

#[test]
fn a_disk_that_is_full_at_any_call_grants_nothing_uncharged() {
    every_call(Fault::Full);
}

#[test]
fn a_disk_that_fails_at_any_call_grants_nothing_uncharged() {
    every_call(Fault::Broken);
}

#[test]
fn a_commit_that_nobody_confirms_grants_nothing_uncharged() {
    every_call(Fault::Unconfirmed);
}
