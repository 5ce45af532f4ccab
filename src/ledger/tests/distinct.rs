//! IDs that count once: what is free, when its date moves, and what keeps it charged.

use super::*;
use crate::policy::{Count, Part, Recipient};
use crate::store::DeliveryState;

fn distinct_profile() -> Profile {
    Profile { count: Count::Distinct, ..small_profile() }
}

fn rig() -> (Rig, EntityId, PersonId) {
    let rig = Rig::with_profile(distinct_profile());
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    (rig, entity, person)
}

/// An order of the IDs from `first` on.
fn ids(person: PersonId, first: u64, count: u64) -> Order {
    Order { values: Some(Arc::new(From(first))), ..order(person, count) }
}

#[test]
fn an_id_that_was_handed_over_is_free_and_its_date_moves() {
    let (rig, entity, person) = rig();
    assert_eq!(rig.deliver(ids(person, 1, 1_000)), (1_000, Ok(())));
    assert_eq!(rig.counts(entity), (1_000, 0, 0));
    rig.clock.advance_ms(10 * DAY_MS);
    assert_eq!(rig.deliver(ids(person, 1, 400)), (400, Ok(())));
    assert_eq!(rig.counts(entity), (1_000, 0, 0));
    assert_eq!(rig.deliver(ids(person, 5_000, 1)).1.unwrap_err().word(), "not-now");
    let returns: Vec<u64> = rig.usage(entity).returns.iter().map(|part| part.ids).collect();
    assert_eq!(returns, [600, 400]);
    // Only those leave whose date has not moved.
    rig.clock.advance_ms(CHARGED_MS - 10 * DAY_MS);
    assert_eq!(rig.deliver(ids(person, 5_000, 601)).1.unwrap_err().word(), "not-now");
    assert_eq!(rig.counts(entity), (400, 0, 0));
    assert_eq!(rig.deliver(ids(person, 5_000, 600)), (600, Ok(())));
    rig.clock.advance_ms(10 * DAY_MS);
    assert_eq!(rig.deliver(ids(person, 9_000, 400)), (400, Ok(())));
    assert_eq!(rig.counts(entity), (1_000, 0, 0));
    rig.verify();
}

#[test]
fn an_id_that_another_stream_paid_for_stays_charged_when_that_charge_is_given_back() {
    let (rig, entity, person) = rig();
    let (first, paid) = rig.admit(ids(person, 1, 10)).unwrap();
    let (second, free) = rig.admit(ids(person, 6, 10)).unwrap();
    assert_eq!(rig.counts(entity), (0, 15, 0));
    rig.ledger.release(paid);
    rig.flush();
    assert_eq!(rig.counts(entity), (0, 10, 0));
    rig.verify();
    // The other way round: the later charge goes, and what it took is the earlier one's again.
    let (third, later) = rig.admit(ids(person, 1, 10)).unwrap();
    rig.ledger.settle(free);
    rig.flush();
    assert_eq!(rig.counts(entity), (5, 10, 0));
    rig.ledger.release(later);
    rig.flush();
    assert_eq!(rig.counts(entity), (10, 0, 0));
    rig.verify();
    for delivery in [first, second, third] {
        rig.ledger.end(delivery, Outcome::Complete);
    }
    rig.clock.advance_ms(CHARGED_MS);
    assert_eq!(rig.deliver(ids(person, 7_000, 1_000)), (1_000, Ok(())));
    rig.verify();
}

#[test]
fn an_id_stays_until_the_last_of_its_references_has_left() {
    let (rig, entity, person) = rig();
    let (slow, early) = rig.admit(ids(person, 1, 10)).unwrap();
    let (quick, late) = rig.admit(ids(person, 1, 10)).unwrap();
    // The newer one is settled first, and the older one a day later.
    rig.ledger.settle(late);
    rig.flush();
    rig.clock.advance_ms(DAY_MS);
    rig.ledger.settle(early);
    rig.ledger.end(slow, Outcome::Complete);
    rig.ledger.end(quick, Outcome::Complete);
    rig.flush();
    rig.clock.advance_ms(CHARGED_MS - DAY_MS);
    assert_eq!(rig.deliver(ids(person, 5_000, 991)).1.unwrap_err().word(), "not-now");
    assert_eq!(rig.counts(entity), (10, 0, 0));
    rig.clock.advance_ms(DAY_MS);
    assert_eq!(rig.deliver(ids(person, 5_000, 991)), (991, Ok(())));
    rig.verify();
}

#[test]
fn over_the_ceiling_nothing_is_sent_not_even_what_was_seen() {
    let (mut rig, entity, person) = rig();
    assert_eq!(rig.deliver(ids(person, 1, 600)).0, 600);
    let (mut delivery, first) = rig.admit(ids(person, 1, 100)).unwrap();
    let stale = rig.restart_with(Profile { tweet_ids_max: 500, ..distinct_profile() });
    assert_eq!(rig.deliver(ids(person, 1, 1)).1.unwrap_err().word(), "over");
    assert_eq!(rig.counts(entity), (600, 0, 0));
    assert!(rig.wait(stale.open(&mut delivery)).is_err());
    stale.settle(first);
    stale.end(delivery, Outcome::Complete);
    rig.clock.advance_ms(CHARGED_MS);
    assert_eq!(rig.deliver(ids(person, 1, 500)), (500, Ok(())));
    rig.verify();
}

#[test]
fn what_is_charged_without_a_ceiling_counts_each_time_until_it_ages_out() {
    let (rig, entity, person) = rig();
    rig.exempt(entity, START_MS + DAY_MS);
    assert_eq!(rig.deliver(ids(person, 1, 300)), (300, Ok(())));
    assert_eq!(rig.deliver(ids(person, 1, 300)), (300, Ok(())));
    assert_eq!(rig.counts(entity), (600, 0, 0));
    rig.clock.advance_ms(DAY_MS);
    // They are not in the set, so they are new now.
    assert_eq!(rig.deliver(ids(person, 1, 401)).1.unwrap_err().word(), "not-now");
    assert_eq!(rig.deliver(ids(person, 1, 400)), (400, Ok(())));
    assert_eq!(rig.deliver(ids(person, 1, 400)), (400, Ok(())));
    assert_eq!(rig.counts(entity), (1_000, 0, 0));
    rig.verify();
    rig.clock.advance_ms(CHARGED_MS - DAY_MS);
    assert_eq!(rig.deliver(ids(person, 1, 400)), (400, Ok(())));
    assert_eq!(rig.counts(entity), (400, 0, 0));
    rig.verify();
}

#[test]
fn each_entity_of_a_person_has_a_set_of_its_own_and_unlimited_kinds_have_none() {
    let (rig, first, person) = rig();
    let second = rig.entity();
    let both = rig.person(&[first, second]);
    assert_eq!(rig.deliver(ids(person, 1, 300)), (300, Ok(())));
    assert_eq!(rig.deliver(ids(both, 201, 300)), (300, Ok(())));
    assert_eq!((rig.counts(first), rig.counts(second)), ((500, 0, 0), (300, 0, 0)));
    for _ in 0..2 {
        let order = Order { kind: IdKind::User, ..ids(person, 1, 50) };
        assert_eq!(rig.deliver(order), (50, Ok(())));
    }
    assert_eq!(rig.usage_of(first, IdKind::User).used_ids, 100);
    rig.verify();
}

#[test]
fn only_new_ids_are_asked_for_and_an_id_that_comes_twice_is_one() {
    let (rig, entity, person) = rig();
    #[derive(Debug)]
    struct Each3Times;
    impl Values for Each3Times {
        fn read(&self, ordinals: Range<u64>) -> io::Result<Vec<u64>> {
            Ok(ordinals.map(|ordinal| ordinal / 3).collect())
        }
    }
    let thrice = Order { values: Some(Arc::new(Each3Times)), ..order(person, 2_400) };
    assert_eq!(rig.deliver(thrice.clone()), (2_400, Ok(())));
    assert_eq!(rig.counts(entity), (800, 0, 0));
    // 800 it has and 200 are new.
    assert_eq!(rig.deliver(ids(person, 0, 1_000)), (1_000, Ok(())));
    let refused = rig.deliver(ids(person, 500, 1_000)).1;
    let fits_at_ms = START_MS + CHARGED_MS;
    let expected = Refusal::NotNow {
        recipient: Recipient::Entity(entity),
        requested_ids: 500,
        remaining_ids: 0,
        ceiling_ids: 1_000,
        fits_at_ms,
        retry_at_ms: fits_at_ms,
    };
    assert_eq!(refused, Err(expected));
    assert_eq!(rig.deliver(thrice), (2_400, Ok(())));
    rig.verify();
}

#[test]
fn more_new_ids_than_the_ceiling_ever_allows_get_a_plan_of_parts() {
    let (rig, _, person) = rig();
    assert_eq!(rig.deliver(ids(person, 1, 300)).0, 300);
    // 300 it has: it fits though it is more than the ceiling.
    assert_eq!(rig.deliver(ids(person, 1, 1_000)).0, 1_000);
    let Err(Refusal::Never { requested_ids, ceiling_ids, parts, .. }) =
        rig.deliver(ids(person, 1, 2_001)).1
    else {
        panic!("it must never fit")
    };
    assert_eq!((requested_ids, ceiling_ids), (2_001, 1_000));
    let limits: Vec<u64> = parts.iter().map(|part: &Part| part.limit).collect();
    assert_eq!(limits, [1_000, 1_000, 1]);
}

#[test]
fn what_fits_is_not_refused_because_much_has_to_leave_first() {
    let (rig, entity, person) = rig();
    // 1,000 charges, far more than one transaction lets leave.
    for first in 0..1_000 {
        assert_eq!(rig.deliver(ids(person, first, 1)).0, 1);
    }
    rig.clock.advance_ms(CHARGED_MS);
    let before = rig.journal().len();
    assert_eq!(rig.deliver(ids(person, 5_000, 1_000)), (1_000, Ok(())));
    assert_eq!(rig.counts(entity), (1_000, 0, 0));
    let told = &rig.journal()[before..];
    assert!(!told.iter().any(|row| row.leaf.contains("refused")), "nobody was refused meanwhile");
    rig.verify();
}

#[test]
fn what_only_leaves_bit_by_bit_stays_charged_until_then() {
    let (rig, entity, person) = rig();
    for first in 0..100 {
        assert_eq!(rig.deliver(ids(person, first, 1)).0, 1);
    }
    rig.clock.advance_ms(CHARGED_MS);
    // It fits at once, so no more leaves than one transaction has time for.
    let (delivery, first) = rig.admit(ids(person, 5_000, 1)).unwrap();
    let recipient = Recipient::Entity(entity);
    let live = rig.store.read(|tx| tx.meter_find(recipient, IdKind::Tweet)).unwrap().unwrap();
    assert!((50..100).contains(&live.level.live_ids), "{live:?}");
    assert_eq!(rig.counts(entity), (0, 1, 0), "people are told what is so");
    rig.verify();
    rig.ledger.settle(first);
    rig.ledger.end(delivery, Outcome::Complete);
    rig.flush();
    rig.verify();
}

#[test]
fn handed_over_again_and_again_an_id_keeps_few_rows() {
    let (rig, entity, person) = rig();
    for _ in 0..20 {
        assert_eq!(rig.deliver(ids(person, 1, 1_000)), (1_000, Ok(())));
        rig.clock.advance_ms(DAY_MS);
    }
    let recipient = Recipient::Entity(entity);
    let older = rig
        .store
        .read(|tx| {
            let meter = tx.meter_find(recipient, IdKind::Tweet)?.unwrap();
            assert_eq!(tx.seen_counted(meter.id, 0)?, 1_000);
            let all: Vec<u64> = (1..=1_000).collect();
            let mut charges = Vec::new();
            while let Some(oldest) = tx
                .seen_charge_oldest(meter.id, i64::MAX)?
                .filter(|oldest| charges.last() != Some(&oldest.id))
            {
                charges.push(oldest.id);
            }
            assert_eq!(tx.seen_charge(charges[0])?.newest, 0, "it has been taken over since");
            tx.seen_older_of(meter.id, &all)
        })
        .unwrap();
    assert_eq!(older.len(), 1_000);
    rig.verify();
}

#[test]
fn the_successor_settles_what_was_open_and_each_id_counts_once() {
    let (mut rig, entity, person) = rig();
    assert_eq!(rig.deliver(ids(person, 1, 15)).0, 15);
    let (mut delivery, first) = rig.admit(ids(person, 1, 900)).unwrap();
    let second = rig.open(&mut delivery).unwrap().unwrap();
    let id = delivery.id();
    assert_eq!(rig.counts(entity), (0, 30, 870));
    std::mem::forget((first, second, delivery));
    rig.clock.advance_ms(HOUR_MS);
    rig.restart();
    assert_eq!(rig.counts(entity), (30, 0, 0));
    assert_eq!(rig.row(id).state, DeliveryState::Broken);
    rig.verify();
    rig.clock.advance_ms(CHARGED_MS);
    assert_eq!(rig.deliver(ids(person, 5_000, 1_000)), (1_000, Ok(())));
    rig.verify();
}

#[test]
fn the_reading_can_be_changed_and_what_was_charged_stays_as_it_was() {
    let (mut rig, entity, person) = rig();
    assert_eq!(rig.deliver(ids(person, 1, 100)).0, 100);
    rig.restart_with(small_profile());
    assert_eq!(rig.deliver(ids(person, 1, 100)).0, 100);
    assert_eq!(rig.counts(entity), (200, 0, 0));
    rig.restart_with(distinct_profile());
    assert_eq!(rig.deliver(ids(person, 1, 150)).0, 150);
    assert_eq!(rig.counts(entity), (250, 0, 0));
    rig.verify();
    rig.restart_with(small_profile());
    rig.clock.advance_ms(CHARGED_MS);
    assert_eq!(rig.deliver(ids(person, 1, 1_000)).0, 1_000);
    rig.verify();
}

#[test]
fn under_a_permission_with_a_ceiling_an_id_counts_once_and_without_one_each_time() {
    for (ceiling_ids, after_second) in [(Some(3_000), 1_500), (None, 3_000)] {
        let (rig, entity, person) = rig();
        rig.permit(entity, START_MS + DAY_MS, ceiling_ids, None);
        assert_eq!(rig.deliver(ids(person, 1, 1_500)), (1_500, Ok(())));
        assert_eq!(rig.counts(entity), (1_500, 0, 0));
        assert_eq!(rig.deliver(ids(person, 1, 1_500)), (1_500, Ok(())));
        assert_eq!(rig.counts(entity), (after_second, 0, 0), "{ceiling_ids:?}");
        rig.verify();
        // It ends: nothing goes out as long as more is live than the limit, not even what was seen.
        rig.clock.advance_ms(DAY_MS);
        assert_eq!(rig.deliver(ids(person, 1, 1)).1.unwrap_err().word(), "over");
        rig.clock.advance_ms(CHARGED_MS);
        assert_eq!(rig.deliver(ids(person, 1, 1_000)), (1_000, Ok(())));
        assert_eq!(rig.deliver(ids(person, 1, 1_000)), (1_000, Ok(())));
        assert_eq!(rig.counts(entity), (1_000, 0, 0));
        rig.verify();
    }
}

#[test]
fn what_was_seen_under_the_limit_is_free_under_a_permission_with_a_ceiling_and_after_it() {
    let (rig, entity, person) = rig();
    assert_eq!(rig.deliver(ids(person, 1, 800)).0, 800);
    let permission = rig.permit(entity, START_MS + 9 * DAY_MS, Some(5_000), None);
    assert_eq!(rig.deliver(ids(person, 1, 1_000)), (1_000, Ok(())));
    assert_eq!(rig.counts(entity), (1_000, 0, 0));
    rig.withdraw(permission);
    assert_eq!(rig.deliver(ids(person, 1, 1_000)), (1_000, Ok(())));
    assert_eq!(rig.deliver(ids(person, 2_000, 1)).1.unwrap_err().word(), "not-now");
    rig.verify();
}

#[test]
fn where_the_ids_cannot_be_read_nothing_is_granted() {
    let (rig, entity, person) = rig();
    #[derive(Debug)]
    struct Unreadable;
    impl Values for Unreadable {
        fn read(&self, ordinals: Range<u64>) -> io::Result<Vec<u64>> {
            match ordinals.start {
                0 => From(1).read(ordinals),
                _ => Err(io::Error::other("the disk is gone")),
            }
        }
    }
    let values: Arc<dyn Values> = Arc::new(Unreadable);
    let late = Order { values: Some(Arc::clone(&values)), ..order_of(person, 1, 5..9) };
    let admitted = rig.wait(rig.ledger.admit(late));
    assert!(matches!(admitted, Err(Denied::Unread(_))), "{admitted:?}");
    let (mut delivery, first) =
        rig.admit(Order { values: Some(values), ..order(person, 100) }).unwrap();
    let opened = rig.wait(rig.ledger.open(&mut delivery));
    assert!(matches!(opened, Err(Denied::Unread(_))), "{opened:?}");
    rig.ledger.settle(first);
    rig.ledger.end(delivery, Outcome::Broken { reason: "unreadable".into() });
    rig.flush();
    assert_eq!(rig.counts(entity), (10, 0, 0));
    rig.verify();
}
