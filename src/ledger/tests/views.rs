//! Chunks of views: only what is not left out is charged, and no chunk of a view is granted once
//! another one is in force.

use super::*;
use crate::audit::{Entry, Leaf, View};
use crate::base::gaps::Run;
use crate::ledger::Parcel;
use crate::policy::Count;

/// The release that orders of the tests are of.
fn release() -> String {
    "0".repeat(64)
}

/// Gaps of `ids` lines from ordinal `first` on, every `step` ordinals.
fn gaps(version: i64, first: u64, ids: u64, step: u64) -> Arc<Gaps> {
    let run = |n: u64| Run {
        first: first + n * step,
        ids,
        byte: (first + n * step) * 20,
        bytes: ids * 20,
    };
    Arc::new(Gaps::of(version, (0..10).map(run)))
}

fn viewed(person: PersonId, ordinals: Range<u64>, gaps: &Arc<Gaps>) -> Order {
    let order = order_of(person, 1, ordinals.clone());
    let Ordered::Release { dataset, release, view, .. } = order.ordered else {
        panic!("it is of a release")
    };
    let gaps = Arc::clone(gaps);
    let values: Arc<dyn Values> = Arc::new(Kept(Arc::clone(&gaps)));
    let ordered = Ordered::Release { dataset, release, ordinals, view, gaps };
    Order { ordered, values: Some(values), ..order }
}

/// The release's IDs without what is left out.
#[derive(Debug)]
struct Kept(Arc<Gaps>);

impl Values for Kept {
    fn read(&self, ordinals: Range<u64>) -> io::Result<Vec<u64>> {
        Ok(ordinals.filter(|ordinal| !self.0.holds(*ordinal)).map(|ordinal| 1 + ordinal).collect())
    }
}

fn put_in_force(rig: &Rig, gaps: &Arc<Gaps>) {
    let gaps = Arc::clone(gaps);
    rig.write(move |tx| {
        tx.removal_set_version(gaps.version())?;
        tx.view_set(&release(), IdKind::Tweet, &gaps)
    });
}

fn is_changed<T>(result: Result<T, Denied>) -> bool {
    matches!(result, Err(Denied::Changed))
}

#[test]
fn what_is_left_out_is_neither_charged_nor_told_as_delivered() {
    for count in [Count::Deliveries, Count::Distinct] {
        let rig = Rig::with_profile(Profile { count, ..small_profile() });
        let entity = rig.entity();
        let person = rig.person(&[entity]);
        let gaps = gaps(1, 5, 7, 20);
        put_in_force(&rig, &gaps);
        // The order begins and ends with what is left out, and a chunk would be all of it.
        let (sent, result) = rig.deliver(viewed(person, 6..213, &gaps));
        result.unwrap();
        let kept = gaps.ids_kept(&(6..213));
        assert_eq!(sent, kept);
        assert_eq!(rig.counts(entity), (kept, 0, 0), "{count:?}");
        let leaves = rig.journal();
        let opened: Vec<(u64, u64, Option<View>)> = leaves
            .iter()
            .filter_map(|row| match Entry::parse(row.leaf.as_bytes())?.leaf {
                Leaf::Opened { first, ids, view, .. } => Some((first, ids, view)),
                _ => None,
            })
            .collect();
        let mut next = 6;
        for (first, ids, view) in &opened {
            let View { version, end } = view.unwrap();
            assert_eq!((*first, version), (next, 1));
            assert_eq!(gaps.ids_kept(&(*first..end)), *ids);
            next = end;
        }
        assert_eq!(next, 213, "the chunks are all of the order");
        rig.verify();
    }
}

#[test]
fn no_chunk_of_a_view_is_granted_once_another_is_in_force() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let none = Gaps::none();
    let (mut delivery, first) = rig.admit(viewed(person, 0..200, &none)).unwrap();
    let next = gaps(1, 150, 1, 2);
    put_in_force(&rig, &next);
    assert!(is_changed(rig.wait(rig.ledger.open(&mut delivery))));
    assert!(is_changed(rig.wait(rig.ledger.admit(viewed(person, 0..200, &none)))));
    let charged = first.chunk().ids();
    rig.ledger.settle(first);
    rig.ledger.end(delivery, Outcome::Broken { reason: "the view changed".into() });
    rig.flush();
    assert_eq!(rig.counts(entity), (charged, 0, 0), "nothing more is charged or held");
    let (sent, result) = rig.deliver(viewed(person, 0..200, &next));
    assert_eq!((sent, result), (190, Ok(())));
    // A column of another kind, and another release, go on.
    let other = Order { kind: IdKind::User, ..viewed(person, 0..9, &none) };
    rig.deliver(other).1.unwrap();
    rig.verify();
}

#[test]
fn what_was_stripped_without_the_newest_removals_is_not_granted() {
    let rig = Rig::new();
    let entity = rig.entity();
    let person = rig.person(&[entity]);
    let parcel = |ids| Parcel { ids, sha256: [1; 32], values: Arc::new(From(1)) };
    let order = |kind, removals| {
        let ordered = Ordered::Body { ordinals: 0..30, removals, next: parcel(10) };
        Order { person, credential: None, kind, ordered, values: Some(Arc::new(From(1))) }
    };
    let (mut delivery, first) = rig.admit(order(IdKind::Tweet, 0)).unwrap();
    rig.write(|tx| tx.removal_set_version(1));
    assert!(is_changed(rig.wait(rig.ledger.open_parcel(&mut delivery, parcel(20)))));
    assert!(is_changed(rig.wait(rig.ledger.admit(order(IdKind::Tweet, 0)))));
    rig.ledger.settle(first);
    rig.ledger.end(delivery, Outcome::Complete);
    rig.admit(order(IdKind::Tweet, 1)).map(drop).unwrap();
    rig.admit(order(IdKind::Dm, 0)).map(drop).unwrap();
}
