//! Open, settle, release, end: what counts when, what is written down, and what time does to it.

use super::*;
use crate::audit::{Leaf, RecipientName, name};
use crate::base::party::Actor;
use crate::store::{DeliveryState, Party};

fn leaves(rig: &Rig) -> Vec<Leaf> {
    let rows = rig.journal();
    rows.iter().map(|row| serde_json::from_str(&row.leaf).unwrap()).collect()
}

#[test]
fn an_open_charge_never_expires() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let (delivery, first) = rig.admit(order(person, 10)).unwrap();
    rig.clock.advance_ms(1_000 * DAY_MS);
    assert_eq!(rig.counts(entity), (0, 10, 0));
    assert_eq!(rig.deliver(order(person, 991)).1.unwrap_err().word(), "not-now");
    // Its 30 days begin when it is settled, not when it was charged.
    rig.ledger.settle(first);
    rig.ledger.end(delivery, Outcome::Complete);
    rig.flush();
    rig.clock.advance_ms(CHARGED_MS - 1);
    assert_eq!(rig.counts(entity), (10, 0, 0));
    rig.clock.advance_ms(1);
    assert_eq!(rig.counts(entity), (0, 0, 0));
    rig.verify();
}

#[test]
fn a_charge_leaves_to_the_minute_when_window_and_grace_are_over() {
    for settled_ms in [0, 1, MINUTE_MS - 1] {
        let rig = Rig::new();
        let entity = rig.entity();
        let person = rig.person(&[entity]);
        rig.clock.advance_ms(settled_ms);
        assert_eq!(rig.deliver(order(person, 1_000)).0, 1_000);
        rig.clock.advance_ms(CHARGED_MS - settled_ms - 1);
        assert_eq!(rig.usage(entity).used_ids, 1_000, "{settled_ms}");
        assert_eq!(rig.deliver(order(person, 1)).0, 0, "{settled_ms}");
        rig.clock.advance_ms(1);
        assert_eq!(rig.usage(entity).used_ids, 0, "{settled_ms}");
        assert_eq!(rig.deliver(order(person, 1)).0, 1, "{settled_ms}");
    }
}

#[test]
fn only_what_was_released_is_given_back() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let (mut delivery, first) = rig.admit(order(person, 1_000)).unwrap();
    let second = rig.open(&mut delivery).unwrap().unwrap();
    let third = rig.open(&mut delivery).unwrap().unwrap();
    assert_eq!((first.chunk().ids(), second.chunk().ids(), third.chunk().ids()), (10, 20, 40));
    assert_eq!(rig.counts(entity), (0, 70, 930));
    rig.ledger.settle(first);
    rig.ledger.release(second);
    rig.flush();
    assert_eq!(rig.counts(entity), (10, 40, 930));
    let id = delivery.id();
    rig.ledger.end(delivery, Outcome::Broken { reason: "the client went away".into() });
    rig.flush();
    assert_eq!(rig.counts(entity), (10, 40, 0));
    let row = rig.row(id);
    assert_eq!((row.charged_ids, row.released_ids), (50, 20));
    assert_eq!(row.state, DeliveryState::Broken);
    assert_eq!(row.reason.as_deref(), Some("the client went away"));
    // A chunk may be settled after its delivery has ended.
    rig.ledger.settle(third);
    rig.flush();
    assert_eq!(rig.counts(entity), (50, 0, 0));
    rig.verify();
}

#[test]
fn a_grant_that_nobody_waits_for_any_more_gives_itself_back() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let (mut delivery, first) = rig.admit(order(person, 100)).unwrap();
    rig.ledger.settle(first);
    // The client goes away while the next chunk is being charged.
    rig.wait(async {
        let mut opening = Box::pin(rig.ledger.open(&mut delivery));
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(opening.as_mut().poll(context).is_ready())
        });
        polled.await
    });
    // Whether the grant was made before or after, the delivery can go on.
    let next = rig.open(&mut delivery).unwrap().unwrap();
    assert_eq!(next.chunk().ordinals.start, 10);
    rig.ledger.settle(next);
    let id = delivery.id();
    drop(delivery);
    rig.flush();
    let usage = rig.usage(entity);
    assert_eq!((usage.open_ids, usage.held_ids), (0, 0));
    assert_eq!(rig.row(id).charged_ids, usage.used_ids);
    rig.verify();

    // The writer waits until the caller is gone.
    let (gone, wait) = std::sync::mpsc::channel::<()>();
    let hold = move |_: &Tx<'_>| {
        assert!(wait.recv().is_err(), "nothing is sent");
        Ok::<_, StoreError>(())
    };
    rig.store.write_then(hold, |_: Result<(), StoreError>| {});
    let admission = rig.ledger.admit(order(person, 100));
    rig.wait(async {
        let mut admission = Box::pin(admission);
        std::future::poll_fn(|context| {
            let _ = admission.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
    });
    drop(gone);
    rig.flush();
    rig.flush();
    assert_eq!(rig.counts(entity), (usage.used_ids, 0, 0));
    rig.verify();
}

#[test]
fn a_grant_that_is_dropped_stays_charged() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let (delivery, first) = rig.admit(order(person, 100)).unwrap();
    drop((delivery, first));
    rig.flush();
    assert_eq!(rig.counts(entity), (0, 10, 0));
}

#[test]
fn every_chunk_has_its_leaf_and_many_settlements_share_one() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let before = leaves(&rig).len();
    let (mut delivery, first) = rig.admit(order(person, 30)).unwrap();
    let id = delivery.id();
    let second = rig.open(&mut delivery).unwrap().unwrap();
    assert!(rig.open(&mut delivery).unwrap().is_none());
    rig.ledger.settle(first);
    rig.ledger.settle(second);
    rig.ledger.end(delivery, Outcome::Complete);
    rig.flush();
    let told = &leaves(&rig)[before..];
    let Leaf::Opened { delivery, attempt: 1, first: 10, ids: 20, charges, profile, .. } = &told[1]
    else {
        panic!("{told:?}")
    };
    assert_eq!((*delivery, profile.as_str()), (id, "twitter-2020-03"));
    assert_eq!((charges[0].basis.as_str(), charges[0].live_ids), ("limit", 30));
    let entity = rig.store.read(|tx| name::of_entity(tx, entity)).unwrap();
    assert_eq!(charges[0].recipient, RecipientName::Entity(entity));
    let settled: usize = told
        .iter()
        .map(|leaf| if let Leaf::Settled { attempts } = leaf { attempts.len() } else { 0 })
        .sum();
    assert_eq!(settled, 2);
    assert_eq!(rig.row(id).state, DeliveryState::Complete);
}

#[test]
fn the_journal_is_replayed_as_before_after_names_are_erased() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    assert_eq!(rig.deliver(order(person, 300)).0, 300);
    rig.write(move |tx| {
        let actor = Actor::Local("ada".into());
        name::erase(tx, START_MS, &actor, Party::Entity(entity))?;
        name::erase(tx, START_MS, &actor, Party::Person(person))
    });
    rig.verify();
    assert_eq!(rig.deliver(order(person, 500)).0, 500);
    rig.flush();
    rig.verify();
    assert_eq!(rig.deliver(order(person, 201)).1.unwrap_err().word(), "not-now");
    // Both deliveries are charged to one name: the one that the meter was given at first.
    let recipients = leaves(&rig).into_iter().filter_map(|leaf| match leaf {
        Leaf::Opened { charges, .. } => Some(charges[0].recipient),
        _ => None,
    });
    let recipients: std::collections::BTreeSet<_> = recipients.collect();
    assert_eq!(recipients.len(), 1);
}

#[test]
fn refusals_of_one_person_for_one_reason_are_one_leaf_a_minute() {
    let rig = Rig::new();
    let entity = rig.entity();
    let (ada, bo) = (rig.person(&[entity]), rig.person(&[entity]));
    let before = leaves(&rig).len();
    for person in [ada, ada, bo, ada] {
        assert_eq!(rig.deliver(order(person, 2_000)).1.unwrap_err().word(), "never");
    }
    assert_eq!(leaves(&rig).len() - before, 2);
    rig.clock.advance_ms(MINUTE_MS);
    assert_eq!(rig.deliver(order(ada, 2_000)).0, 0);
    assert_eq!(leaves(&rig).len() - before, 3);
}

#[test]
fn the_deliveries_of_a_person_are_listed_newest_first() {
    let rig = Rig::new();
    let entity = rig.entity();
    let (ada, bo) = (rig.person(&[entity]), rig.person(&[entity]));
    for (person, dataset) in [(ada, 1), (ada, 2), (bo, 1), (ada, 1)] {
        rig.clock.advance_ms(1);
        assert_eq!(rig.deliver(order_of(person, dataset, 0..5)).0, 5);
    }
    let (all, older, latest, none) = rig
        .store
        .read(|tx| -> Result<_, StoreError> {
            let all = tx.deliveries_of(ada, None, 10)?;
            let older = tx.deliveries_of(ada, Some(all[0].id), 1)?;
            let latest = tx.delivery_latest(ada, 1, IdKind::Tweet, 0)?.unwrap();
            Ok((all, older, latest, tx.delivery_latest(bo, 2, IdKind::Tweet, 0)?))
        })
        .unwrap();
    assert_eq!(all.iter().filter_map(|row| row.dataset).collect::<Vec<_>>(), [1, 2, 1]);
    assert_eq!(older[0], all[1]);
    assert_eq!((latest.id, latest.view.as_str(), none), (all[0].id, "view of 1", None));
}

#[test]
fn a_clock_that_jumps_expires_nothing_early_and_stops_nothing() {
    for jump_ms in [-3_650 * DAY_MS, -DAY_MS, -1_000, 1_000, HOUR_MS, 31 * DAY_MS, 3_650 * DAY_MS] {
        let rig = Rig::new();
        let entity = rig.entity();
        let person = rig.person(&[entity]);
        assert_eq!(rig.deliver(order(person, 900)).0, 900);
        let jumped = |rig: &Rig, wall_ms: i64, boot_ms: i64| {
            let mut reading = rig.clock.read();
            reading.wall_ms += wall_ms;
            reading.boot_ms += boot_ms;
            rig.clock.set(reading);
        };
        jumped(&rig, jump_ms, 1);
        assert_eq!(rig.deliver(order(person, 101)).0, 0, "{jump_ms}");
        assert_eq!(rig.deliver(order(person, 100)).0, 100, "{jump_ms}");
        // Real time goes on from there; two seconds make up for what a jump may cost.
        jumped(&rig, CHARGED_MS - 1_000, CHARGED_MS - 1_000);
        assert_eq!(rig.deliver(order(person, 1)).0, 0, "{jump_ms}");
        jumped(&rig, MINUTE_MS + 3_000, MINUTE_MS + 3_000);
        assert_eq!(rig.deliver(order(person, 1)).0, 1, "{jump_ms}");
        rig.verify();
    }
}

#[test]
fn after_a_new_boot_with_a_wrong_clock_time_goes_on_until_an_operator_vouches_for_it() {
    use crate::base::party::Actor;
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    assert_eq!(rig.deliver(order(person, 600)).0, 600);
    rig.clock.advance_ms(MINUTE_MS);
    rig.flush();
    reboot(&rig, START_MS + 40 * DAY_MS);
    assert_eq!(rig.deliver(order(person, 401)).0, 0);
    rig.clock.advance_ms(DAY_MS);
    assert_eq!(rig.deliver(order(person, 401)).0, 0);
    let clock = rig.clock.clone();
    let actor = Actor::Local("ada".into());
    let accepted_ms =
        rig.write(move |tx| crate::ledger::accept_clock(tx, &clock, &actor, "looked"));
    assert_eq!(accepted_ms, START_MS + 41 * DAY_MS);
    assert_eq!(rig.deliver(order(person, 1_000)).0, 1_000);
    rig.verify();
}

/// Starts the machine anew, with a clock that is not known to be right.
fn reboot(rig: &Rig, wall_ms: i64) {
    rig.wait(rig.ledger.ready()).unwrap();
    let mut booted = rig.clock.read();
    booted.boot_id = format!("after {}", booted.boot_id).into();
    booted.synchronised = false;
    (booted.wall_ms, booted.boot_ms) = (wall_ms, 5_000);
    rig.clock.set(booted);
}

/// The machine was off for ten days, and nobody knew so for a day: what was handed over in that
/// day was stamped ten days too early, and left the window ten days too early once the time had
/// caught up.
#[test]
fn what_was_settled_while_the_time_was_behind_counts_from_when_it_left() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    assert_eq!(rig.deliver(order(person, 400)).0, 400);
    rig.clock.advance_ms(MINUTE_MS);
    reboot(&rig, START_MS + 10 * DAY_MS);
    assert_eq!(rig.deliver(order(person, 600)).0, 600);
    rig.clock.advance_ms(DAY_MS);
    let mut synchronised = rig.clock.read();
    synchronised.synchronised = true;
    rig.clock.set(synchronised);
    assert_eq!(rig.deliver(order(person, 1)).0, 0);
    // The first ones leave in time, …
    rig.clock.advance_ms(CHARGED_MS - 11 * DAY_MS);
    assert_eq!(rig.deliver(order(person, 401)).0, 0);
    assert_eq!(rig.deliver(order(person, 400)).0, 400);
    // … and the others when 30 days have gone by since they left.
    rig.clock.advance_ms(10 * DAY_MS - MINUTE_MS);
    assert_eq!(rig.deliver(order(person, 1)).0, 0);
    rig.clock.advance_ms(4 * MINUTE_MS);
    assert_eq!(rig.deliver(order(person, 600)).0, 600);
    rig.verify();
}

/// As above, but the machine was started once more before anybody knew: the leap of that boot was
/// taken for time that the machine was off, and what had been stamped too early left too early.
#[test]
fn what_was_settled_while_the_time_was_behind_is_not_forgotten_at_the_next_boot() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    assert_eq!(rig.deliver(order(person, 400)).0, 400);
    rig.clock.advance_ms(MINUTE_MS);
    reboot(&rig, START_MS + 40 * DAY_MS);
    assert_eq!(rig.deliver(order(person, 600)).0, 600);
    rig.clock.advance_ms(DAY_MS);
    reboot(&rig, START_MS + 41 * DAY_MS);
    let mut synchronised = rig.clock.read();
    synchronised.synchronised = true;
    rig.clock.set(synchronised);
    // The first ones have left long ago, the others a day ago.
    assert_eq!(rig.deliver(order(person, 401)).0, 0);
    assert_eq!(rig.deliver(order(person, 400)).0, 400);
    rig.clock.advance_ms(CHARGED_MS - 2 * DAY_MS);
    assert_eq!(rig.deliver(order(person, 1)).0, 0);
    rig.clock.advance_ms(DAY_MS + 4 * MINUTE_MS);
    assert_eq!(rig.deliver(order(person, 600)).0, 600);
    rig.verify();
}
