//! Deliveries of what no release stands for: counted bodies, and streams of unknown length.

use super::*;
use crate::audit::{Content as Named, Leaf};
use crate::ledger::{Content, Parcel};
use crate::policy::Count;

fn parcel(ids: u64) -> Parcel {
    let sha256 = [u8::try_from(ids % 251).unwrap(); 32];
    Parcel { ids, sha256, values: Arc::new(From(1)) }
}

fn body(person: PersonId, ids: u64, first: u64) -> Order {
    let ordered = Ordered::Body { ordinals: 0..ids, removals: 0, next: parcel(first) };
    Order {
        person,
        credential: None,
        kind: IdKind::Tweet,
        ordered,
        values: Some(Arc::new(From(1))),
    }
}

fn stream(person: PersonId, offset: u64, first: u64) -> Order {
    let (view, next) = ("a view".into(), parcel(first));
    let ordered = Ordered::Stream { dataset: 7, view, removals: 0, first: offset, next };
    Order {
        person,
        credential: None,
        kind: IdKind::Tweet,
        ordered,
        values: Some(Arc::new(From(1))),
    }
}

fn further(rig: &Rig, delivery: &mut Delivery, ids: u64) -> Result<Granted<Chunk>, Refusal> {
    rig.wait(rig.ledger.open_parcel(delivery, parcel(ids))).map_err(refusal)
}

#[test]
fn a_body_is_admitted_as_a_whole_and_held_for() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    assert_eq!(rig.admit(body(person, 1_001, 10)).unwrap_err().word(), "never");
    let (mut delivery, first) = rig.admit(body(person, 55, 10)).unwrap();
    assert_eq!(rig.counts(entity), (0, 10, 45));
    assert_eq!(first.chunk().content, Content::Sha256(parcel(10).sha256));
    assert_eq!(delivery.parcel_ids_max(), 20);
    let second = further(&rig, &mut delivery, 20).unwrap();
    let third = further(&rig, &mut delivery, 25).unwrap();
    assert_eq!((second.chunk().ordinals.clone(), third.chunk().ordinals.clone()), (10..30, 30..55));
    assert_eq!(rig.counts(entity), (0, 55, 0));
    let id = delivery.id();
    rig.ledger.report(id, "{}".into());
    rig.ledger.end(delivery, Outcome::Complete);
    [first, second].into_iter().for_each(|granted| rig.ledger.settle(granted));
    rig.ledger.release(third);
    rig.flush();
    let row = rig.row(id);
    assert_eq!((row.dataset, &row.release, row.end), (None, &None, Some(55)));
    assert_eq!((row.charged_ids, row.report.as_deref()), (30, Some("{}")));
    assert_eq!(rig.counts(entity), (30, 0, 0));
    rig.verify();
}

#[test]
fn a_stream_holds_nothing_and_each_parcel_has_to_fit_by_itself() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    assert_eq!(rig.deliver(order(person, 950)).0, 950);
    let (mut delivery, first) = rig.admit(stream(person, 100, 10)).unwrap();
    assert_eq!(rig.counts(entity), (950, 10, 0));
    let second = further(&rig, &mut delivery, 20).unwrap();
    assert_eq!(second.chunk().ordinals, 110..130);
    // Somebody else is not kept out by what the stream may still want.
    assert_eq!(rig.deliver(order(person, 15)).0, 15);
    assert_eq!(further(&rig, &mut delivery, 6).unwrap_err().word(), "not-now");
    let last = further(&rig, &mut delivery, 5).unwrap();
    assert_eq!(last.chunk().ordinals, 130..135);
    assert_eq!(rig.counts(entity), (965, 35, 0));
    let id = delivery.id();
    [first, second, last].into_iter().for_each(|granted| rig.ledger.settle(granted));
    rig.ledger.end(delivery, Outcome::Broken { reason: "no more fits".into() });
    rig.flush();
    let row = rig.row(id);
    assert_eq!((row.dataset, row.first, row.end, row.charged_ids), (Some(7), 100, None, 35));
    let reached = |ordinal| {
        let look = |tx: &Tx<'_>| tx.delivery_latest(person, 7, IdKind::Tweet, ordinal);
        rig.store.read(look).unwrap().map(|row| row.view)
    };
    let expected = Some("a view".to_owned());
    assert_eq!([99, 100, 134, 135].map(reached), [None, expected.clone(), expected, None]);
    rig.verify();
}

#[test]
fn a_leaf_commits_to_the_digest_of_a_parcel() {
    let rig = Rig::new();
    let person = rig.person(&[rig.entity()]);
    for (order, dataset) in [(body(person, 10, 10), None), (stream(person, 0, 10), Some(7))] {
        let (delivery, first) = rig.admit(order).unwrap();
        rig.ledger.settle(first);
        rig.ledger.end(delivery, Outcome::Complete);
        rig.flush();
        let journal = rig.journal();
        let opened = journal.iter().rev().find(|row| row.leaf.contains("\"opened\"")).unwrap();
        let digest = hex::encode(parcel(10).sha256);
        assert!(opened.leaf.contains(&format!("\"sha256\":\"{digest}\"")), "{}", opened.leaf);
        assert!(!opened.leaf.contains("\"release\""), "{}", opened.leaf);
        let Ok(Leaf::Opened { content, dataset: named, ids: 10, .. }) =
            serde_json::from_str(&opened.leaf)
        else {
            panic!("{}", opened.leaf)
        };
        assert_eq!((content, named), (Named::Sha256(digest), dataset));
    }
    rig.verify();
}

#[test]
fn an_inquiry_says_whether_one_id_fits_and_charges_nothing() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let inquire = || rig.wait(rig.ledger.inquire(person, None, IdKind::Tweet, None));
    assert_eq!(rig.deliver(order(person, 999)).0, 999);
    inquire().unwrap();
    assert_eq!(rig.counts(entity), (999, 0, 0));
    assert_eq!(rig.deliver(order(person, 1)).0, 1);
    assert_eq!(refusal(inquire().unwrap_err()).word(), "not-now");
    rig.wait(rig.ledger.inquire(person, None, IdKind::User, None)).unwrap();
    rig.verify();
}

/// Where an ID counts once, a body is admitted for what of it is new, and so is each parcel of a
/// stream.
#[test]
fn ids_that_count_once_count_once_in_bodies_and_streams_too() {
    let rig = Rig::with_profile(Profile { count: Count::Distinct, ..small_profile() });
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    assert_eq!(rig.deliver(order(person, 990)).0, 990);
    // 1 to 990 are there; 11 of these are new.
    assert_eq!(rig.admit(body(person, 1_001, 10)).unwrap_err().word(), "not-now");
    let (mut delivery, first) = rig.admit(body(person, 1_000, 10)).unwrap();
    assert_eq!(rig.counts(entity), (980, 10, 10));
    rig.ledger.settle(first);
    let mut left = 990;
    while left > 0 {
        let ids = left.min(delivery.parcel_ids_max());
        let granted = further(&rig, &mut delivery, ids).unwrap();
        rig.ledger.settle(granted);
        left -= ids;
    }
    rig.ledger.end(delivery, Outcome::Complete);
    rig.flush();
    assert_eq!(rig.counts(entity), (1_000, 0, 0));
    rig.wait(rig.ledger.inquire(person, None, IdKind::Tweet, None)).unwrap();
    let (mut delivery, first) = rig.admit(stream(person, 980, 10)).unwrap();
    let second = further(&rig, &mut delivery, 10).unwrap();
    assert_eq!(further(&rig, &mut delivery, 1).unwrap_err().word(), "not-now");
    [first, second].into_iter().for_each(|granted| rig.ledger.settle(granted));
    rig.ledger.end(delivery, Outcome::Broken { reason: "no more fits".into() });
    rig.flush();
    assert_eq!(rig.counts(entity), (1_000, 0, 0));
    rig.verify();
}

#[test]
fn what_a_dead_gateway_left_open_of_a_stream_is_settled() {
    let mut rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let (mut delivery, _first) = rig.admit(stream(person, 0, 10)).unwrap();
    let _second = further(&rig, &mut delivery, 20).unwrap();
    let id = delivery.id();
    std::mem::forget(delivery);
    let _dead = rig.restart();
    assert_eq!(rig.counts(entity), (30, 0, 0));
    assert_eq!(rig.row(id).reason.as_deref(), Some("the gateway stopped"));
    rig.verify();
}
