//! A gateway that dies, one that is not dead after all, and a store that fails.

use super::*;
use crate::policy::Recipient;
use crate::store::DeliveryState;

#[test]
fn the_successor_settles_what_was_open_and_frees_what_was_held() {
    let mut rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let (mut delivery, first) = rig.admit(order(person, 900)).unwrap();
    let second = rig.open(&mut delivery).unwrap().unwrap();
    let id = delivery.id();
    assert_eq!(rig.counts(entity), (0, 30, 870));
    // kill -9, and an hour until the next start.
    std::mem::forget((first, second, delivery));
    rig.clock.advance_ms(HOUR_MS);
    rig.restart();
    assert_eq!(rig.counts(entity), (30, 0, 0));
    let row = rig.row(id);
    assert_eq!((row.charged_ids, row.state), (30, DeliveryState::Broken));
    assert_eq!(row.reason.as_deref(), Some("the gateway stopped"));
    rig.verify();
    // The window of what was open begins at the restart.
    rig.clock.advance_ms(CHARGED_MS - 1);
    assert_eq!(rig.counts(entity), (30, 0, 0));
    rig.clock.advance_ms(1);
    assert_eq!(rig.counts(entity), (0, 0, 0));
    rig.verify();
}

#[test]
fn a_predecessor_that_wakes_up_grants_and_frees_nothing() {
    let mut rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let (mut delivery, first) = rig.admit(order(person, 900)).unwrap();
    let second = rig.open(&mut delivery).unwrap().unwrap();
    let stale = rig.restart();
    assert_eq!(rig.counts(entity), (30, 0, 0));
    // Somebody else holds now what the predecessor once held.
    let (other, other_first) = rig.admit(order(person, 900)).unwrap();
    let opened = rig.wait(stale.open(&mut delivery));
    assert!(matches!(opened, Err(Denied::Unavailable(StoreError::Unfit(_)))), "{opened:?}");
    let admitted = rig.wait(stale.admit(order(person, 1)));
    assert!(matches!(admitted, Err(Denied::Unavailable(StoreError::Unfit(_)))), "{admitted:?}");
    stale.settle(first);
    stale.release(second);
    stale.end(delivery, Outcome::Complete);
    rig.wait(stale.flush()).unwrap();
    assert_eq!(rig.counts(entity), (30, 10, 890));
    rig.ledger.settle(other_first);
    rig.ledger.end(other, Outcome::Complete);
    rig.flush();
    rig.verify();
}

#[test]
#[should_panic(expected = "a chunk is given back to the ledger that granted it")]
fn a_chunk_of_another_start_is_not_taken_back() {
    let mut rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let (_delivery, first) = rig.admit(order(person, 900)).unwrap();
    rig.restart();
    rig.ledger.release(first);
}

#[test]
fn a_store_that_has_stopped_grants_nothing() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let (mut delivery, first) = rig.admit(order(person, 900)).unwrap();
    let broken: Result<(), StoreError> = rig.store.write_blocking(|_| panic!("a bug"));
    assert!(broken.is_err());
    let admitted = rig.wait(rig.ledger.admit(order(person, 1)));
    assert!(matches!(admitted, Err(Denied::Unavailable(StoreError::Stopped))), "{admitted:?}");
    let opened = rig.wait(rig.ledger.open(&mut delivery));
    assert!(matches!(opened, Err(Denied::Unavailable(StoreError::Stopped))), "{opened:?}");
    rig.ledger.settle(first);
    assert!(rig.wait(rig.ledger.flush()).is_err());
}

#[test]
fn steps_that_could_not_be_written_are_tried_again() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let (delivery, first) = rig.admit(order(person, 900)).unwrap();
    // A damaged row makes every settlement of this meter fail: its bucket cannot grow further.
    let meter = rig
        .store
        .read(|tx| tx.meter_find(Recipient::Entity(entity), IdKind::Tweet))
        .unwrap()
        .unwrap()
        .id;
    let minute = crate::policy::window::minute_of(START_MS);
    let most = i64::MAX as u64;
    rig.write(move |tx| tx.bucket_add(meter, minute, person, most));
    rig.ledger.settle(first);
    rig.ledger.end(delivery, Outcome::Complete);
    rig.wait(rig.ledger.flush()).unwrap_err();
    rig.write(move |tx| tx.buckets_remove(meter, minute));
    rig.flush();
    assert_eq!(rig.counts(entity), (10, 0, 0));
    rig.verify();
}
