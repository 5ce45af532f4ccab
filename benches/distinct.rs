//! What it costs the ledger to count each ID once: 1,500,000 IDs in one download, new and seen, in
//! the order of time and shuffled.
//!
//! The answer: all new in the order of time takes 3 s of the ledger at most, the time of its
//! commits included. The rival is the same download where each ID counts each time, which writes
//! no ID down; the ceiling is what the disk takes for the commits alone. With
//! `HYDRANT_TEST_POSTGRES` set to the URL of a database that may be filled, that one is measured
//! instead of a file.
//!
//! `cargo bench --bench distinct`

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hydrant::base::clock::Clock;
use hydrant::base::gaps::Gaps;
use hydrant::base::ids::IdKind;
use hydrant::base::party::{EntityId, PersonId};
use hydrant::ledger::{Ledger, Order, Ordered, Outcome, Values};
use hydrant::policy::{Count, Profile};
use hydrant::store::{
    Address, DataFolder, EntityRow, FolderLock, MembershipRow, PersonRow, Store, StoreError,
};

const IDS: u64 = 1_500_000;

/// How long they may take if all are new and come in the order of time.
const NEW_MAX: Duration = Duration::from_secs(3);

/// IDs as Tweets have them: a few a millisecond.
fn in_the_order_of_time() -> Vec<u64> {
    (0..IDS).map(|number| (1 << 60) + number * 7_919_777).collect()
}

/// The same ones, each place taken by chance.
fn shuffled() -> Vec<u64> {
    let mut ids = in_the_order_of_time();
    let mut state = 7_u64;
    for place in (1..ids.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ids.swap(place, (state >> 33) as usize % (place + 1));
    }
    ids
}

#[derive(Debug)]
struct List(Vec<u64>);

impl Values for List {
    fn read(&self, ordinals: Range<u64>) -> io::Result<Vec<u64>> {
        Ok(self.0[ordinals.start as usize..ordinals.end as usize].to_vec())
    }
}

/// A ledger on an empty store, with one person of one entity.
struct Bench {
    ledger: Ledger,
    person: PersonId,
    runtime: tokio::runtime::Runtime,
    _lock: FolderLock,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(count: Count) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::create(folder.path()).unwrap();
        let lock = data.lock("a bench").unwrap();
        let store = match std::env::var("HYDRANT_TEST_POSTGRES") {
            Ok(url) => {
                let address = Address::parse(&url).unwrap();
                Store::connect(&address.for_instance("bench")).unwrap()
            }
            Err(_) => Store::open(&data.database()).unwrap(),
        };
        let person = store.write_blocking(enter).unwrap();
        let mut profile = Profile::built_in("twitter-2020-03").unwrap();
        // Nobody here has accepted any.
        profile.documents.clear();
        profile.count = count;
        let ledger = Ledger::start(&lock, store, Clock::system(), Arc::new(profile)).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        Bench { ledger, person, runtime, _lock: lock, _folder: folder }
    }

    /// Charges a download of `ids`, one chunk after the other, and returns how long that took.
    fn download(&self, ids: Vec<u64>) -> Duration {
        let order = Order {
            person: self.person,
            credential: None,
            kind: IdKind::Tweet,
            ordered: Ordered::Release {
                dataset: 1,
                release: "0".repeat(64).into(),
                ordinals: 0..ids.len() as u64,
                view: "0".into(),
                gaps: Gaps::none(),
            },
            values: Some(Arc::new(List(ids))),
        };
        let begun = Instant::now();
        self.runtime.block_on(async {
            let (mut delivery, first) = self.ledger.admit(order).await.unwrap();
            self.ledger.settle(first);
            while let Some(next) = self.ledger.open(&mut delivery).await.unwrap() {
                self.ledger.settle(next);
            }
            self.ledger.end(delivery, Outcome::Complete);
            self.ledger.flush().await.unwrap();
        });
        begun.elapsed()
    }
}

fn enter(tx: &hydrant::store::Tx<'_>) -> Result<PersonId, StoreError> {
    let number = tx.entities()?.len();
    let entity = tx.entity_insert(&EntityRow {
        id: EntityId(0),
        slug: format!("bench-{number}"),
        name: "A Bench".into(),
        sector: "commercial".into(),
        ror: None,
        status: "active".into(),
        status_reason: None,
        created_ms: 0,
        use_case: None,
        merged_into: None,
        reviewed_ms: None,
    })?;
    let person = tx.person_insert(&PersonRow {
        id: PersonId(0),
        mail: format!("bench-{number}@example.org"),
        name: "A Person".into(),
        status: "active".into(),
        status_reason: None,
        created_ms: 0,
        erased_ms: None,
    })?;
    tx.membership_insert(&MembershipRow { person, entity, role: "member".into(), from_ms: 0 })?;
    Ok(person)
}

fn main() {
    let is_file = std::env::var("HYDRANT_TEST_POSTGRES").is_err();
    let rival = Bench::new(Count::Deliveries).download(in_the_order_of_time());
    println!("each time, in the order of time {rival:10.2?}");
    let mut all = Vec::new();
    for (name, ids) in [("in the order of time", in_the_order_of_time()), ("shuffled", shuffled())]
    {
        let bench = Bench::new(Count::Distinct);
        for what in ["all new", "all seen", "all seen twice"] {
            let took = bench.download(ids.clone());
            println!("once, {name}, {what} {took:10.2?}");
            all.push(took);
        }
        let bytes = bench.ledger.filter_bytes();
        println!("once, {name}, filter in memory {:10} KiB for {IDS} IDs", bytes / 1024);
    }
    assert!(!is_file || all[0] <= NEW_MAX, "{IDS} new IDs take too long: {:?}", all[0]);
}
