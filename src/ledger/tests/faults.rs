//! A store that fails at its n-th call, for every n: nothing is granted that is not charged, and
//! nothing is wrong once it works again.

use super::*;
use crate::store::failing::{Counted, Fault, Plan};

/// How many calls a delivery can take at the most; the test says when they are too few.
const CALLS_MAX: u64 = 400;
/// How often anything is tried again.
const TRIES_MAX: usize = 10;

/// Hands 100 IDs over, of which the last chunk is not sent, on a store whose call number `call`
/// fails. Returns whether the delivery had so many calls.
fn deliver_with_fault(call: u64, fault: Fault) -> bool {
    let dir = memory();
    let plan = Plan::new(Counted::All);
    let path = DataFolder::create(dir.path()).unwrap().database();
    let store = Store::failing(&path, "local", &plan).unwrap();
    let mut rig = Rig::on(dir, store, Clock::manual(START_MS), small_profile());
    let entity = rig.entity();
    let person = rig.person(&[entity]);
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
    assert_eq!(live_ids(&rig, entity), sent_ids, "{fault:?} at call {call}");
    assert_eq!(rig.usage(entity).held_ids, 0, "{fault:?} at call {call}");
    rig.verify();
    rig.restart();
    rig.verify();
    assert_eq!(rig.counts(entity), (sent_ids, 0, 0), "{fault:?} at call {call}");
    is_spent
}

fn live_ids(rig: &Rig, entity: EntityId) -> u64 {
    let usage = rig.usage(entity);
    usage.used_ids + usage.open_ids
}

/// Lets every call fail, one after the other, until the delivery has no more of them.
fn every_call(fault: Fault) {
    let calls = (0..CALLS_MAX).position(|call| !deliver_with_fault(call, fault));
    let calls = calls.expect("a delivery has fewer calls than that");
    assert!(calls > 50, "so many calls make a delivery: {calls}");
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
