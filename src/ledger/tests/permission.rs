//! What ends a permission ends a stream at its next chunk, and each charge names its basis.

use super::*;
use crate::ledger::objects::File;
use crate::policy::document::Published;
use crate::policy::{Basis, CredentialEnd, Document, ExemptionRule, Recipient};
use crate::store::{AcceptanceRow, Charged, DocumentRow};

/// Admits an order of 1,000, lets `change` happen, and returns what the next chunk is told.
fn after_first_chunk(rig: &Rig, order: Order, change: impl FnOnce()) -> Refusal {
    let (mut delivery, first) = rig.admit(order).unwrap();
    rig.ledger.settle(first);
    change();
    let refusal = rig.open(&mut delivery).unwrap_err();
    rig.ledger.end(delivery, Outcome::Broken { reason: refusal.to_string() });
    rig.flush();
    rig.verify();
    refusal
}

#[test]
fn whoever_may_not_receive_is_refused_at_once_and_at_the_next_chunk() {
    type Change = fn(&Rig, EntityId, PersonId, KeyId);
    type Told = fn(EntityId) -> Refusal;
    let cases: [(Change, Told); 5] = [
        (
            |rig, entity, _, _| {
                rig.write(move |tx| tx.entity_set_status(entity, "suspended", None));
            },
            |entity| Refusal::EntitySuspended { entity },
        ),
        (
            |rig, _, person, _| {
                rig.write(move |tx| tx.person_set_status(person, "suspended", None));
            },
            |_| Refusal::PersonSuspended,
        ),
        (
            |rig, _, person, _| rig.write(move |tx| tx.person_set_status(person, "odd", None)),
            |_| Refusal::PersonSuspended,
        ),
        (
            |rig, _, _, key| rig.write(move |tx| tx.key_set_revoked(key, START_MS)),
            |_| Refusal::KeyEnded { how: CredentialEnd::Revoked },
        ),
        (
            |rig, _, _, _| rig.clock.advance_ms(DAY_MS),
            |_| Refusal::KeyEnded { how: CredentialEnd::Expired },
        ),
    ];
    for (change, expected) in cases {
        let rig = Rig::new();
        let entity = rig.entity();
        let person = rig.person(&[entity]);
        let key = rig.key(person, START_MS + DAY_MS);
        let order = Order { credential: Some(Credential::Key(key)), ..order(person, 1_000) };
        let told = after_first_chunk(&rig, order.clone(), || change(&rig, entity, person, key));
        assert_eq!(told, expected(entity));
        assert_eq!(rig.deliver(order), (0, Err(expected(entity))));
        assert_eq!(rig.counts(entity), (10, 0, 0));
    }
}

#[test]
fn a_session_that_is_revoked_or_over_ends_its_stream_at_the_next_chunk() {
    type Change = fn(&Rig, SessionId);
    let cases: [(Change, CredentialEnd); 3] = [
        (
            |rig, session| rig.write(move |tx| tx.session_set_revoked(session, START_MS)),
            CredentialEnd::Revoked,
        ),
        (|rig, _| rig.clock.advance_ms(DAY_MS), CredentialEnd::Expired),
        (
            |rig, _| rig.write(|tx| tx.sessions_remove_ended(START_MS + 2 * DAY_MS)),
            CredentialEnd::Unknown,
        ),
    ];
    for (change, how) in cases {
        let rig = Rig::new();
        let entity = rig.entity();
        let person = rig.person(&[entity]);
        let session = rig.session(person, START_MS + DAY_MS);
        let credential = Some(Credential::Session(session));
        let order = Order { credential, ..order(person, 1_000) };
        let told = after_first_chunk(&rig, order.clone(), || change(&rig, session));
        assert_eq!(told, Refusal::SessionEnded { how });
        assert_eq!(rig.deliver(order), (0, Err(Refusal::SessionEnded { how })));
        assert_eq!(rig.counts(entity), (10, 0, 0));
    }
}

#[test]
fn a_key_number_is_no_session_and_a_session_of_somebody_else_opens_nothing() {
    let rig = Rig::new();
    let entity = rig.entity();
    let (ada, bel) = (rig.person(&[entity]), rig.person(&[entity]));
    let (key, session) = (rig.key(ada, START_MS + DAY_MS), rig.session(bel, START_MS + DAY_MS));
    assert_eq!(key.0, session.0, "so that a mix-up would show");
    for (person, credential, is_good) in [
        (ada, Credential::Key(key), true),
        (bel, Credential::Session(session), true),
        (bel, Credential::Key(key), false),
        (ada, Credential::Session(session), false),
    ] {
        let order = Order { credential: Some(credential), ..order(person, 1) };
        assert_eq!(rig.deliver(order).1.is_ok(), is_good, "{person:?} {credential}");
    }
}

#[test]
fn without_an_entity_or_with_a_foreign_key_nothing_goes_out() {
    let rig = Rig::new();
    let entity = rig.entity();
    let (member, stranger) = (rig.person(&[entity]), rig.person(&[]));
    assert_eq!(rig.deliver(order(stranger, 1)).1, Err(Refusal::NoEntity));
    assert_eq!(rig.deliver(order(PersonId(999), 1)).1, Err(Refusal::PersonSuspended));
    let credential = Some(Credential::Key(rig.key(stranger, START_MS + DAY_MS)));
    let refused = Refusal::KeyEnded { how: CredentialEnd::Unknown };
    assert_eq!(rig.deliver(Order { credential, ..order(member, 1) }).1, Err(refused));
}

#[test]
fn an_exempt_entity_passes_the_limit_and_is_over_when_its_exemption_ends() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let exemption = rig.exempt(entity, START_MS + DAY_MS);
    assert_eq!(rig.deliver(order(person, 3_000)), (3_000, Ok(())));
    let usage = rig.usage(entity);
    assert_eq!((usage.used_ids, usage.ceiling_ids, usage.over), (3_000, None, false));
    assert_eq!(usage.basis, Basis::Exemption(exemption.id));
    rig.clock.advance_ms(DAY_MS - 1);
    assert_eq!(rig.deliver(order(person, 1)), (1, Ok(())));
    rig.clock.advance_ms(1);
    assert_eq!(rig.deliver(order(person, 1)).1.unwrap_err().word(), "over");
    let usage = rig.usage(entity);
    assert_eq!((usage.ceiling_ids, usage.over, usage.basis), (Some(1_000), true, Basis::Limit));
    rig.verify();
}

#[test]
fn an_exemption_that_is_revoked_in_the_middle_ends_the_stream_or_it_goes_on_under_the_limit() {
    for (before, expected) in [(0, None), (900, Some("over"))] {
        let rig = Rig::new();
        let entity = rig.entity();
        let person = rig.person(&[entity]);
        let exemption = rig.exempt(entity, START_MS + 9 * DAY_MS);
        let number = exemption.id;
        assert_eq!(rig.deliver(order(person, before.max(1))).0, before.max(1));
        let (mut delivery, first) = rig.admit(order(person, 700)).unwrap();
        assert!(!delivery.has_ceiling());
        assert_eq!(first.chunk().ordinals, 0..500);
        assert_eq!(rig.usage(entity).held_ids, 0, "who has no ceiling holds nothing");
        rig.ledger.settle(first);
        rig.revoke(exemption);
        let second = rig.open(&mut delivery);
        assert_eq!(second.as_ref().err().map(Refusal::word), expected);
        let id = delivery.id();
        if let Ok(Some(second)) = second {
            assert!(delivery.has_ceiling());
            assert_eq!(second.chunk().ids(), 20);
            rig.ledger.settle(second);
            let recipient = Recipient::Entity(entity);
            let both = [Basis::Limit, Basis::Exemption(number)];
            let charged = both.map(|basis| Charged { recipient, basis, use_case: None });
            assert_eq!(rig.row(id).recipients, charged);
        }
        drop(delivery);
        rig.flush();
        rig.verify();
    }
}

#[test]
fn an_exemption_that_comes_in_the_middle_frees_the_hold() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let (mut delivery, first) = rig.admit(order(person, 900)).unwrap();
    rig.ledger.settle(first);
    rig.exempt(entity, START_MS + DAY_MS);
    let second = rig.open(&mut delivery).unwrap().unwrap();
    assert_eq!(second.chunk().ordinals, 10..510);
    assert_eq!(rig.counts(entity), (10, 500, 0));
    rig.ledger.settle(second);
    rig.ledger.end(delivery, Outcome::Complete);
    rig.flush();
    rig.verify();
}

#[test]
fn an_exemption_covers_its_entity_alone_and_says_nothing_of_dm_ids() {
    let rig = Rig::with_profile(Profile { dm_ids_max: Some(5), ..small_profile() });
    let (exempt, limited) = (rig.entity(), rig.entity());
    let person = rig.person(&[exempt, limited]);
    let alone = rig.person(&[exempt]);
    rig.exempt(exempt, START_MS + DAY_MS);
    assert_eq!(rig.deliver(order(person, 1_001)).1.unwrap_err().word(), "never");
    let (_, result) = rig.deliver(Order { kind: IdKind::Dm, ..order(alone, 6) });
    assert_eq!(result.unwrap_err().word(), "never");
    assert_eq!(rig.deliver(order(alone, 1_001)), (1_001, Ok(())));
}

#[test]
fn where_the_platform_has_to_permit_it_an_exemption_lifts_up_to_both_figures() {
    // The exemption's ceiling, and whether a permission is given for it, and with which ceiling.
    for (own, given, expected) in [
        (None, None, 1_000),
        (None, Some(None), 1_000),
        (Some(3_000), None, 1_000),
        (Some(3_000), Some(None), 3_000),
        (Some(3_000), Some(Some(2_000)), 2_000),
    ] {
        let exemption = ExemptionRule::RegisteredAndPermitted;
        let rig = Rig::with_profile(Profile { exemption, ..small_profile() });
        let entity = rig.entity();
        let person = rig.person(&[entity]);
        let row = rig.exempt_up_to(entity, START_MS + DAY_MS, own);
        if let Some(ceiling_ids) = given {
            rig.permit(entity, START_MS + DAY_MS, ceiling_ids, Some(row.id));
        }
        assert_eq!(rig.usage(entity).ceiling_ids, Some(expected), "{own:?} {given:?}");
        assert_eq!(rig.deliver(order(person, expected + 1)).1.unwrap_err().word(), "never");
        assert_eq!(rig.deliver(order(person, expected)), (expected, Ok(())));
        assert_eq!(rig.deliver(order(person, 1)).1.unwrap_err().word(), "not-now");
        rig.verify();
    }
}

#[test]
fn a_permission_raises_the_ceiling_while_it_is_valid_and_not_a_moment_longer() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let permission = rig.permit(entity, START_MS + DAY_MS, Some(3_000), None);
    let (mut delivery, first) = rig.admit(order(person, 2_000)).unwrap();
    let usage = rig.usage(entity);
    assert_eq!(usage.basis, Basis::Permission(permission));
    assert_eq!((usage.ceiling_ids, usage.basis_until_ms), (Some(3_000), Some(START_MS + DAY_MS)));
    assert!(delivery.has_ceiling());
    rig.ledger.settle(first);
    let mut sent = 10;
    while sent < 1_100 {
        let next = rig.open(&mut delivery).unwrap().unwrap();
        sent += next.chunk().ids();
        rig.ledger.settle(next);
    }
    let (recipient, id) = (Recipient::Entity(entity), delivery.id());
    let charged = [Charged { recipient, basis: Basis::Permission(permission), use_case: None }];
    assert_eq!(rig.row(id).recipients, charged);
    rig.clock.advance_ms(DAY_MS);
    // It has ended in the middle, and more is live than the limit: not one more.
    assert_eq!(rig.open(&mut delivery).unwrap_err().word(), "over");
    drop(delivery);
    rig.flush();
    let usage = rig.usage(entity);
    assert_eq!((usage.basis, usage.over), (Basis::Limit, true));
    assert_eq!(rig.deliver(order(person, 1)).1.unwrap_err().word(), "over");
    rig.clock.advance_ms(CHARGED_MS);
    assert_eq!(rig.deliver(order(person, 1_000)), (1_000, Ok(())));
    rig.verify();
}

#[test]
fn a_permission_that_is_revoked_in_the_middle_ends_there_or_goes_on_under_the_limit() {
    for (before, expected) in [(1, None), (900, Some("not-now")), (1_500, Some("over"))] {
        let rig = Rig::new();
        let entity = rig.entity();
        let person = rig.person(&[entity]);
        let permission = rig.permit(entity, START_MS + DAY_MS, Some(2_500), None);
        assert_eq!(rig.deliver(order(person, before)).0, before);
        let (mut delivery, first) = rig.admit(order(person, 800)).unwrap();
        rig.ledger.settle(first);
        rig.withdraw(permission);
        let mut sent = before + 10;
        let stopped = loop {
            match rig.open(&mut delivery) {
                Ok(Some(next)) => {
                    sent += next.chunk().ids();
                    rig.ledger.settle(next);
                }
                Ok(None) => break None,
                Err(refusal) => break Some(refusal),
            }
        };
        assert_eq!(stopped.as_ref().map(Refusal::word), expected, "{before}");
        assert!(sent <= 1_000 || before + 10 > 1_000, "{before}: {sent} is more than the limit");
        drop(delivery);
        rig.flush();
        rig.verify();
    }
}

#[test]
fn the_title_that_allows_most_counts_and_when_it_ends_the_next_one_does() {
    let rig = Rig::new();
    let entity = rig.entity();
    let small = rig.permit(entity, START_MS + 9 * DAY_MS, Some(2_000), None);
    let large = rig.permit(entity, START_MS + 2 * DAY_MS, Some(3_000), None);
    let exemption = rig.exempt(entity, START_MS + DAY_MS).id;
    for (basis, ceiling_ids) in [
        (Basis::Exemption(exemption), None),
        (Basis::Permission(large), Some(3_000)),
        (Basis::Permission(small), Some(2_000)),
    ] {
        let usage = rig.usage(entity);
        assert_eq!((usage.basis, usage.ceiling_ids), (basis, ceiling_ids));
        rig.clock.advance_ms(DAY_MS);
    }
    rig.clock.advance_ms(6 * DAY_MS);
    assert_eq!(rig.usage(entity).basis, Basis::Limit);
}

#[test]
fn a_permission_is_for_tweet_ids_alone() {
    let profile = Profile { dm_ids_max: Some(5), user_ids_max: Some(5), ..small_profile() };
    let rig = Rig::with_profile(profile);
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    rig.permit(entity, START_MS + DAY_MS, None, None);
    for kind in [IdKind::User, IdKind::Dm] {
        let (_, result) = rig.deliver(Order { kind, ..order(person, 6) });
        assert_eq!(result.unwrap_err().word(), "never", "{kind}");
    }
    assert_eq!(rig.deliver(order(person, 1_001)), (1_001, Ok(())));
}

#[test]
fn nobody_begins_without_the_documents_and_nobody_is_stopped_in_the_middle() {
    let documents = Profile::built_in("twitter-2020-03").unwrap().documents;
    let rig = Rig::with_profile(Profile { documents: documents.clone(), ..small_profile() });
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let refused = |missing: &[Document]| Refusal::DocumentsMissing { missing: missing.to_vec() };
    assert_eq!(rig.deliver(order(person, 1)), (0, Err(refused(&documents))));
    let inquired = rig.wait(rig.ledger.inquire(person, None, IdKind::Tweet, None));
    assert_eq!(inquired.map_err(refusal), Err(refused(&documents)));
    let file = File { number: 1, objects: 1 };
    let fetched = rig.wait(rig.ledger.admit_file(rig.order(person, file))).map_err(refusal);
    assert_eq!(fetched.unwrap_err(), refused(&documents));
    for document in documents {
        rig.write(move |tx| {
            tx.acceptance_insert(&AcceptanceRow {
                person,
                document: document.name.into(),
                version: document.version,
                accepted_ms: START_MS,
                evidence: "paper".into(),
                actor: "local:operator".into(),
            })
        });
    }
    let (mut delivery, first) = rig.admit(order(person, 100)).unwrap();
    rig.ledger.settle(first);
    let published = Published {
        name: "privacy-policy".into(),
        version: "2".into(),
        url: "https://platform.example".into(),
        from_ms: START_MS,
    };
    let newer = Document::of("privacy-policy", "2", "https://platform.example").unwrap();
    rig.write(move |tx| {
        let published_by = "local:operator".into();
        tx.document_insert(&DocumentRow { published, published_ms: START_MS, published_by })
    });
    assert_eq!(rig.deliver(order(person, 1)), (0, Err(refused(&[newer]))));
    let second = rig.open(&mut delivery).unwrap().unwrap();
    rig.ledger.settle(second);
    rig.ledger.end(delivery, Outcome::Complete);
    rig.flush();
    assert_eq!(rig.counts(entity), (30, 0, 0));
    rig.verify();
}

#[test]
fn who_joins_an_entity_in_the_middle_is_charged_there_from_the_next_chunk_on() {
    let rig = Rig::new();
    let (first_entity, second_entity) = (rig.entity(), rig.entity());
    let person = rig.person(&[first_entity]);
    let (mut delivery, first) = rig.admit(order(person, 30)).unwrap();
    rig.write(move |tx| {
        let (role, from_ms) = ("member".to_owned(), START_MS);
        tx.membership_insert(&MembershipRow { person, entity: second_entity, role, from_ms })
    });
    let second = rig.open(&mut delivery).unwrap().unwrap();
    assert_eq!((rig.counts(first_entity), rig.counts(second_entity)), ((0, 30, 0), (0, 20, 0)));
    rig.ledger.settle(first);
    rig.ledger.settle(second);
    rig.ledger.end(delivery, Outcome::Complete);
    rig.flush();
    rig.verify();
}
