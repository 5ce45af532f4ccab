//! Durable charges per second: an admission with its first chunk, settled and ended. Its rival is
//! the same ledger with one caller, whose every charge has a commit of its own; its ceiling is one
//! commit a group. Then what a charge costs where there is much already: the answer is that it
//! costs the same. `cargo bench --bench ledger`, with `HYDRANT_TEST_POSTGRES` for the server.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "../tests/harness/database.rs"]
mod database;

use std::sync::Arc;
use std::time::{Duration, Instant};

use database::Database;
use hydrant::base::clock::Clock;
use hydrant::base::gaps::Gaps;
use hydrant::base::ids::IdKind;
use hydrant::base::party::{EntityId, PersonId};
use hydrant::ledger::{Ledger, Order, Ordered, Outcome};
use hydrant::policy::{Profile, Recipient};
use hydrant::store::{Address, DataFolder, EntityRow, MembershipRow, PersonRow, Store, StoreError};

/// How many charges each figure is taken over, for each caller, and at least.
const CHARGES_PER_CALLER: u64 = 50;
const CHARGES_MIN: u64 = 400;

/// How many charges, and how often, the cost of one is taken over.
const FLAT_CHARGES: u64 = 200;
const FLAT_ROUNDS: usize = 5;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let file = Store::open(&folder.path().join("bench.sqlite")).unwrap();
    measure("SQLite", file);
    let database = Database::fresh();
    let address = Address::parse(&database.url()).unwrap().for_instance("bench");
    measure("PostgreSQL", Store::connect(&address).unwrap());
    flat();
}

/// What a charge costs with few and with many entities and past charges.
fn flat() {
    let mut few_took = Duration::ZERO;
    for (entities, buckets) in [(1_000, 10_000), (100_000, 10_000_000)] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("bench.sqlite")).unwrap();
        let person = somebody(&store);
        fill(&store, entities, buckets / entities);
        let lock = DataFolder::create(folder.path()).unwrap().lock("a benchmark").unwrap();
        let mut profile = Profile::built_in("twitter-2020-03").unwrap();
        // Nobody here has accepted any.
        profile.documents.clear();
        let profile = Arc::new(profile);
        let ledger = Ledger::start(&lock, store, Clock::system(), profile).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mut took: Vec<Duration> = (0..FLAT_ROUNDS)
            .map(|_| {
                let since = Instant::now();
                runtime.block_on(charge(ledger.clone(), person, FLAT_CHARGES));
                since.elapsed()
            })
            .collect();
        took.sort_unstable();
        let took = took[FLAT_ROUNDS / 2] / FLAT_CHARGES as u32;
        if few_took.is_zero() {
            few_took = took;
        }
        let ratio = took.as_secs_f64() / few_took.as_secs_f64();
        println!(
            "SQLite: {entities} entities, {buckets} past charges: {took:.2?} a charge, \
             {ratio:.2} × few"
        );
    }
}

/// Enters `entities` with so many past charges each, all within the window.
fn fill(store: &Store, entities: u64, charges: u64) {
    let now_ms = Clock::system().now_ms();
    let first_minute = now_ms / 60_000 - i64::try_from(charges).unwrap();
    for some in (0..entities).collect::<Vec<_>>().chunks(1_000) {
        let some = some.to_vec();
        let filled = store.write_blocking(move |tx| -> Result<(), StoreError> {
            for number in some {
                let entity = tx.entity_insert(&entity(format!("entity-{number}")))?;
                let meter = tx.meter(Recipient::Entity(entity), IdKind::Tweet)?;
                tx.carry(meter.id, charges, "merge", now_ms)?;
                for minute in (first_minute..).take(charges as usize) {
                    tx.bucket_add(meter.id, minute, PersonId(1), 1)?;
                }
            }
            Ok(())
        });
        filled.unwrap();
    }
}

fn measure(engine: &str, store: Store) {
    let folder = tempfile::tempdir().unwrap();
    let lock = DataFolder::create(folder.path()).unwrap().lock("a benchmark").unwrap();
    let mut profile = Profile::built_in("twitter-2020-03").unwrap();
    // Nobody here has accepted any.
    profile.documents.clear();
    profile.tweet_ids_max = 1_000_000_000_000;
    let ledger = Ledger::start(&lock, store.clone(), Clock::system(), Arc::new(profile)).unwrap();
    let person = somebody(&store);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut alone = 0.0;
    for callers in [1, 8, 16, 64] {
        let each = CHARGES_PER_CALLER.max(CHARGES_MIN / callers);
        let since = Instant::now();
        runtime.block_on(async {
            let tasks = (0..callers).map(|_| tokio::spawn(charge(ledger.clone(), person, each)));
            for task in tasks.collect::<Vec<_>>() {
                task.await.unwrap();
            }
            ledger.flush().await.unwrap();
        });
        let a_second = (callers * each) as f64 / since.elapsed().as_secs_f64();
        if callers == 1 {
            alone = a_second;
        }
        let ratio = a_second / alone;
        println!(
            "{engine}: {callers:2} callers, {a_second:6.0} charges/s, {ratio:.1} × one caller"
        );
    }
}

async fn charge(ledger: Ledger, person: PersonId, charges: u64) {
    let order = Order {
        person,
        credential: None,
        kind: IdKind::Tweet,
        ordered: Ordered::Release {
            dataset: 1,
            release: "0".repeat(64).into(),
            ordinals: 0..10,
            view: "0".into(),
            gaps: Gaps::none(),
        },
        values: None,
    };
    for _ in 0..charges {
        let (delivery, first) = ledger.admit(order.clone()).await.unwrap();
        ledger.settle(first);
        ledger.end(delivery, Outcome::Complete);
    }
}

fn entity(slug: String) -> EntityRow {
    EntityRow {
        id: EntityId(0),
        slug,
        name: "Acme".into(),
        sector: "commercial".into(),
        ror: None,
        status: "active".into(),
        status_reason: None,
        created_ms: 1,
        use_case: None,
        merged_into: None,
        reviewed_ms: None,
    }
}

fn somebody(store: &Store) -> PersonId {
    let entered = store.write_blocking(|tx| -> Result<PersonId, StoreError> {
        let entity = tx.entity_insert(&entity("acme".into()))?;
        let person = tx.person_insert(&PersonRow {
            id: PersonId(0),
            mail: "ada@example.org".into(),
            name: "Ada".into(),
            status: "active".into(),
            status_reason: None,
            created_ms: 1,
            erased_ms: None,
        })?;
        let (role, from_ms) = ("member".to_owned(), 1);
        tx.membership_insert(&MembershipRow { person, entity, role, from_ms })?;
        Ok(person)
    });
    entered.unwrap()
}
