//! The profile in force: the first start sets it, no other numbers charge, and a switch is decided.

use super::*;
use crate::ledger::profile::{Over, check, in_force, over};
use crate::policy::{Basis, Recipient, Unit};

fn lowered() -> Profile {
    Profile { name: "lowered".into(), tweet_ids_max: 500, ..small_profile() }
}

/// What a start with that profile would say.
fn started(rig: &Rig, profile: Profile) -> Result<Ledger, String> {
    let (store, clock) = (rig.store.clone(), rig.clock.clone());
    Ledger::start(&rig.lock, store, clock, Arc::new(profile)).map_err(|error| error.to_string())
}

#[test]
fn the_first_start_puts_its_profile_in_force_and_no_other_one_starts() {
    let rig = Rig::new();
    let (profile, row) = rig.store.read(in_force).unwrap().unwrap();
    assert_eq!((profile, row.actor, row.since_ms), (small_profile(), None, START_MS));
    let refused = started(&rig, lowered()).err().unwrap();
    for expected in ["the profile `lowered`, and `twitter-2020-03` is", "hydrant policy switch"] {
        assert!(refused.contains(expected), "{refused}");
    }
    // A typo in a number, not in a name.
    let typo = Profile { tweet_ids_max: 10_000, ..small_profile() };
    let refused = started(&rig, typo).err().unwrap();
    assert!(refused.contains("other numbers for `twitter-2020-03`"), "{refused}");
    assert!(started(&rig, small_profile()).is_ok());
    let switches = rig.journal().into_iter().filter(|row| row.leaf.contains("policy-switched"));
    assert_eq!(switches.count(), 1, "who starts with what is in force changes nothing");
}

#[test]
fn a_gateway_charges_nothing_once_another_profile_is_in_force() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let (mut delivery, first) = rig.admit(order(person, 100)).unwrap();
    rig.switch(&lowered()).unwrap();
    let said = rig.wait(rig.ledger.open(&mut delivery)).unwrap_err();
    assert!(matches!(&said, Denied::Unavailable(StoreError::Unfit(_))), "{said:?}");
    let said = rig.wait(rig.ledger.admit(order(person, 1))).unwrap_err();
    assert!(matches!(&said, Denied::Unavailable(StoreError::Unfit(_))), "{said:?}");
    // What it has sent already is settled all the same.
    rig.ledger.settle(first);
    rig.ledger.end(delivery, Outcome::Complete);
    rig.flush();
    assert_eq!(rig.counts(entity), (10, 0, 0));
    assert!(started(&rig, lowered()).is_ok());
    let leaf = rig.journal().into_iter().rev().find(|row| row.leaf.contains("policy-switched"));
    let leaf = leaf.unwrap().leaf;
    for part in ["\"old\":\"twitter-2020-03\"", "\"new\":\"lowered\"", "local:operator"] {
        assert!(leaf.contains(part), "{leaf}");
    }
    assert!(!leaf.contains("a new policy"), "reasons in words stand in the tables alone");
    let (_, row) = rig.store.read(in_force).unwrap().unwrap();
    assert_eq!(row.reason.as_deref(), Some("a new policy"));
    rig.verify();
}

#[test]
fn a_switch_names_who_has_more_than_they_may_and_until_when() {
    let mut rig = Rig::new();
    let (full, lean, exempt) = (rig.entity(), rig.entity(), rig.entity());
    for (entity, ids) in [(full, 300), (lean, 500), (exempt, 700)] {
        let person = rig.person(&[entity]);
        assert_eq!(rig.deliver(order(person, ids)).0, ids);
    }
    rig.clock.advance_ms(DAY_MS);
    let person = rig.person(&[full]);
    assert_eq!(rig.deliver(order(person, 300)).0, 300);
    rig.exempt(exempt, START_MS + 9 * DAY_MS);
    let file = crate::ledger::objects::File { number: 1, objects: 30 };
    let granted = rig.wait(rig.ledger.admit_file(rig.order(person, file))).unwrap();
    rig.ledger.settle(granted);
    rig.flush();
    let wanted = Profile { objects_per_person_max: 20, ..lowered() };
    let named = rig.store.read(|tx| over(tx, &rig.clock, &wanted)).unwrap();
    let objects_until_ms = START_MS + DAY_MS + 25 * HOUR_MS + MINUTE_MS;
    let expected = [
        (full.into(), IdKind::Tweet.into(), 600, 500, START_MS + CHARGED_MS),
        (person.into(), Unit::Objects, 30, 20, objects_until_ms),
    ];
    let expected = expected.map(|(recipient, unit, live_ids, ceiling_ids, until_ms)| Over {
        recipient,
        unit,
        live_ids,
        ceiling_ids,
        basis: Basis::Limit,
        until_ms: Some(until_ms),
    });
    assert_eq!(named, expected);
    // It is as foretold.
    rig.restart_with(wanted);
    assert_eq!(rig.deliver(order(person, 1)).1.unwrap_err().word(), "over");
    rig.clock.advance_ms(START_MS + CHARGED_MS - rig.clock.now_ms());
    assert_eq!(rig.deliver(order(person, 1)), (1, Ok(())));
    assert_eq!(rig.usage(full).recipient, Recipient::Entity(full));
    rig.verify();
}

#[test]
fn a_window_becomes_longer_only_as_long_as_nothing_has_left_it() {
    let longer = |profile: Profile| {
        let mut profile = Profile { name: "longer".into(), ..profile };
        profile.window.length_ms += DAY_MS;
        profile
    };
    let mut rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    assert_eq!(rig.deliver(order(person, 1_000)).0, 1_000);
    rig.restart_with(longer(small_profile()));
    // What is there counts for the longer window.
    rig.clock.advance_ms(CHARGED_MS);
    assert_eq!(rig.deliver(order(person, 1)).1.unwrap_err().word(), "not-now");
    rig.clock.advance_ms(DAY_MS);
    let still_longer = longer(longer(small_profile()));
    let refused = rig.switch(&still_longer).unwrap_err();
    assert!(matches!(&refused, SwitchError::Longer { what: "IDs", .. }), "{refused}");
    let mut objects = longer(small_profile());
    objects.objects_window.length_ms += HOUR_MS;
    let refused = rig.store.read(|tx| check(tx, &rig.clock, &objects)).unwrap_err();
    assert!(matches!(&refused, SwitchError::Longer { what: "objects", .. }), "{refused}");
    // Shorter it may always become.
    assert_eq!(rig.deliver(order(person, 1_000)).0, 1_000);
    rig.clock.advance_ms(CHARGED_MS);
    rig.restart_with(small_profile());
    assert_eq!(rig.deliver(order(person, 1_000)), (1_000, Ok(())));
    rig.verify();
}

#[test]
fn what_is_in_force_already_is_no_switch() {
    let rig = Rig::new();
    assert!(matches!(rig.switch(&small_profile()), Err(SwitchError::Same(_))));
    let fresh = Fresh::new(Engine::Sqlite);
    let before = fresh.open().read(|tx| check(tx, &rig.clock, &lowered()));
    assert!(matches!(before, Err(SwitchError::NotBegun)), "{before:?}");
}
