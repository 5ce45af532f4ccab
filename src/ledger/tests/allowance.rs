//! How much goes out, and what those are told to whom nothing goes out.

use super::*;
use crate::policy::window::minute_of;
use crate::policy::{Part, Recipient};

/// What an entity is told that may have 1,000 IDs.
fn not_now(entity: EntityId, requested: u64, remaining: u64, fits: i64, retry: i64) -> Refusal {
    not_now_of(1_000, entity, [requested, remaining], fits, retry)
}

fn not_now_of(
    ceiling_ids: u64,
    entity: EntityId,
    [requested, remaining]: [u64; 2],
    fits: i64,
    retry: i64,
) -> Refusal {
    Refusal::NotNow {
        recipient: Recipient::Entity(entity),
        requested_ids: requested,
        remaining_ids: remaining,
        ceiling_ids,
        fits_at_ms: fits,
        retry_at_ms: retry,
    }
}

#[test]
fn exactly_the_ceiling_goes_out_and_not_one_more() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    assert_eq!(rig.deliver(order(person, 1_000)), (1_000, Ok(())));
    assert_eq!(rig.counts(entity), (1_000, 0, 0));
    let fits_at_ms = START_MS + CHARGED_MS;
    let refused = not_now(entity, 1, 0, fits_at_ms, fits_at_ms);
    assert_eq!(rig.deliver(order(person, 1)), (0, Err(refused.clone())));
    rig.clock.advance_ms(CHARGED_MS - 1);
    assert_eq!(rig.deliver(order(person, 1)), (0, Err(refused)));
    rig.clock.advance_ms(1);
    assert_eq!(rig.deliver(order(person, 1_000)), (1_000, Ok(())));
    rig.verify();
}

#[test]
fn more_than_the_ceiling_ever_allows_gets_a_plan_of_parts() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    assert_eq!(rig.deliver(order(person, 300)).0, 300);
    let asked = order_of(person, 1, 100..1_800);
    let Err(Refusal::Never { requested_ids, ceiling_ids, parts, .. }) = rig.deliver(asked).1 else {
        panic!("it must never fit")
    };
    assert_eq!((requested_ids, ceiling_ids), (1_700, 1_000));
    let later_ms = START_MS + CHARGED_MS;
    let expected = [
        Part { offset: 100, limit: 700, earliest_ms: START_MS },
        Part { offset: 800, limit: 1_000, earliest_ms: later_ms },
    ];
    assert_eq!(parts, expected);
    // The plan can be followed.
    for part in parts {
        rig.clock.advance_ms(part.earliest_ms - rig.clock.now_ms());
        let ordinals = part.offset..part.offset + part.limit;
        assert_eq!(rig.deliver(order_of(person, 1, ordinals)), (part.limit, Ok(())));
    }
}

#[test]
fn of_64_at_once_for_100_000_exactly_15_succeed() {
    let rig = Rig::with_profile(without_documents("twitter-2020-03"));
    let entity = rig.entity();
    let people = [rig.person(&[entity]), rig.person(&[entity])];
    let waiting: Vec<_> = (0..64)
        .map(|number| {
            let ledger = rig.ledger.clone();
            let order = order(people[number % 2], 100_000);
            rig.runtime.spawn(async move { ledger.admit(order).await })
        })
        .collect();
    let (mut granted, mut refused) = (Vec::new(), 0);
    let fits_at_ms = START_MS + CHARGED_MS;
    let retry_at_ms = START_MS + 10 * MINUTE_MS;
    let expected = not_now_of(1_500_000, entity, [100_000, 0], fits_at_ms, retry_at_ms);
    for result in waiting {
        match rig.wait(result).unwrap().map_err(refusal) {
            Ok(admitted) => granted.push(admitted),
            Err(refusal) => {
                assert_eq!(refusal, expected);
                refused += 1;
            }
        }
    }
    assert_eq!((granted.len(), refused), (15, 49));
    let usage = rig.usage(entity);
    assert_eq!((usage.open_ids, usage.held_ids), (15_000, 1_485_000));
    assert_eq!(usage.remaining_ids, Some(0));
    for (delivery, chunk) in granted {
        rig.ledger.release(chunk);
        rig.ledger.end(delivery, Outcome::Broken { reason: "enough".into() });
    }
    rig.flush();
    assert_eq!(rig.counts(entity), (0, 0, 0));
    rig.verify();
}

#[test]
fn two_people_of_one_entity_have_one_total() {
    let rig = Rig::new();
    let entity = rig.entity();
    let (ada, bo) = (rig.person(&[entity]), rig.person(&[entity]));
    assert_eq!(rig.deliver(order(ada, 600)), (600, Ok(())));
    rig.clock.advance_ms(DAY_MS);
    let fits_at_ms = START_MS + CHARGED_MS;
    assert_eq!(
        rig.deliver(order(bo, 401)).1,
        Err(not_now(entity, 401, 400, fits_at_ms, fits_at_ms))
    );
    assert_eq!(rig.deliver(order(bo, 400)), (400, Ok(())));
    assert_eq!(rig.counts(entity), (1_000, 0, 0));
    let minute =
        |day: i64| rig.ledger.profile().window.leaves_ms(minute_of(START_MS + day * DAY_MS));
    let returns: Vec<_> =
        rig.usage(entity).returns.iter().map(|part| (part.at_ms, part.ids)).collect();
    assert_eq!(returns, [(minute(0), 600), (minute(1), 400)]);
    rig.verify();
}

#[test]
fn a_person_in_a_full_and_an_empty_entity_is_refused_by_the_full_one() {
    let rig = Rig::new();
    let (empty, full) = (rig.entity(), rig.entity());
    let colleague = rig.person(&[full]);
    let both = rig.person(&[full, empty]);
    assert_eq!(rig.deliver(order(colleague, 1_000)).0, 1_000);
    let fits_at_ms = START_MS + CHARGED_MS;
    assert_eq!(rig.deliver(order(both, 1)).1, Err(not_now(full, 1, 0, fits_at_ms, fits_at_ms)));
    assert_eq!(rig.counts(empty), (0, 0, 0));
    // Once there is room, both are charged in full.
    rig.clock.advance_ms(CHARGED_MS);
    assert_eq!(rig.deliver(order(both, 70)), (70, Ok(())));
    assert_eq!((rig.counts(empty), rig.counts(full)), ((70, 0, 0), (70, 0, 0)));
    rig.verify();
}

#[test]
fn user_and_dm_ids_are_recorded_and_not_limited() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    for kind in [IdKind::User, IdKind::Dm] {
        let order = Order { kind, ..order(person, 5_000) };
        assert_eq!(rig.deliver(order), (5_000, Ok(())));
        let usage = rig.usage_of(entity, kind);
        assert_eq!((usage.used_ids, usage.ceiling_ids, usage.over), (5_000, None, false));
    }
    assert_eq!(rig.counts(entity), (0, 0, 0));
    rig.verify();
}

#[test]
fn a_lowered_ceiling_freezes_out_until_enough_has_left() {
    let mut rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    assert_eq!(rig.deliver(order(person, 300)).0, 300);
    rig.clock.advance_ms(DAY_MS);
    assert_eq!(rig.deliver(order(person, 300)).0, 300);
    rig.restart_with(Profile { tweet_ids_max: 500, ..small_profile() });
    let usage = rig.usage(entity);
    assert_eq!((usage.over, usage.remaining_ids), (true, Some(0)));
    let fits_at_ms = START_MS + CHARGED_MS;
    let over = Refusal::Over {
        recipient: Recipient::Entity(entity),
        requested_ids: 1,
        live_ids: 600,
        ceiling_ids: 500,
        fits_at_ms,
        retry_at_ms: fits_at_ms,
    };
    assert_eq!(rig.deliver(order(person, 1)), (0, Err(over)));
    rig.clock.advance_ms(fits_at_ms - rig.clock.now_ms());
    assert_eq!(rig.deliver(order(person, 1)), (1, Ok(())));
    rig.verify();
}

#[test]
fn what_another_delivery_holds_is_not_free_until_it_ends_or_the_hold_runs_out() {
    let rig = Rig::new();
    let entity = rig.entity();
    let (ada, bo) = (rig.person(&[entity]), rig.person(&[entity]));
    let (mut slow, first) = rig.admit(order(ada, 900)).unwrap();
    assert_eq!(rig.counts(entity), (0, 10, 890));
    rig.ledger.settle(first);
    let (fits_at_ms, held_until_ms) = (START_MS + CHARGED_MS, START_MS + 10 * MINUTE_MS);
    let refused = not_now(entity, 101, 100, fits_at_ms, held_until_ms);
    assert_eq!(rig.deliver(order(bo, 101)).1, Err(refused));
    // Each chunk renews the hold.
    rig.clock.advance_ms(9 * MINUTE_MS);
    let second = rig.open(&mut slow).unwrap().unwrap();
    rig.clock.advance_ms(9 * MINUTE_MS);
    assert_eq!(rig.deliver(order(bo, 101)).0, 0);
    rig.clock.advance_ms(MINUTE_MS);
    assert_eq!(rig.deliver(order(bo, 101)), (101, Ok(())));
    assert_eq!(rig.counts(entity), (111, 20, 0));
    // Without its hold the slow one is a newcomer: it gets what is left, and no more.
    rig.ledger.settle(second);
    let mut more = 0;
    let stopped = loop {
        match rig.open(&mut slow) {
            Ok(granted) => {
                let granted = granted.expect("it does not fit as a whole");
                more += granted.chunk().ids();
                rig.ledger.settle(granted);
            }
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(stopped.word(), "not-now");
    rig.ledger.end(slow, Outcome::Broken { reason: stopped.to_string() });
    rig.flush();
    assert_eq!(rig.counts(entity), (131 + more, 0, 0));
    assert!(131 + more <= 1_000 && 131 + more + 40 > 1_000, "{more}");
    rig.verify();
}

#[test]
fn a_disconnect_frees_what_is_held_before_the_next_admission() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    for _ in 0..20 {
        let (delivery, first) = rig.admit(order(person, 1_000)).unwrap();
        rig.ledger.release(first);
        drop(delivery);
    }
    rig.flush();
    assert_eq!(rig.counts(entity), (0, 0, 0));
    rig.verify();
}
