//! Durable charges per second: an admission with its first chunk, settled and ended. Its rival is
//! the same ledger with one caller, whose every charge has a commit of its own; its ceiling is one
//! commit a group. `cargo bench --bench ledger`, with `HYDRANT_TEST_POSTGRES` for the server.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "../tests/harness/database.rs"]
mod database;

use std::sync::Arc;
use std::time::Instant;

use database::Database;
use hydrant::base::clock::Clock;
use hydrant::base::ids::IdKind;
use hydrant::base::party::{EntityId, PersonId};
use hydrant::ledger::{Ledger, Order, Ordered, Outcome};
use hydrant::policy::Profile;
use hydrant::store::{Address, DataFolder, EntityRow, MembershipRow, PersonRow, Store, StoreError};

/// How many charges each figure is taken over, for each caller, and at least.
const CHARGES_PER_CALLER: u64 = 50;
const CHARGES_MIN: u64 = 400;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let file = Store::open(&folder.path().join("bench.sqlite")).unwrap();
    measure("SQLite", file);
    let database = Database::fresh();
    let address = Address::parse(&database.url()).unwrap().for_instance("bench");
    measure("PostgreSQL", Store::connect(&address).unwrap());
}

fn measure(engine: &str, store: Store) {
    let folder = tempfile::tempdir().unwrap();
    let lock = DataFolder::create(folder.path()).unwrap().lock("a benchmark").unwrap();
    let mut profile = Profile::built_in("twitter-2020-03").unwrap();
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
        key: None,
        kind: IdKind::Tweet,
        ordered: Ordered::Release {
            dataset: 1,
            release: "0".repeat(64).into(),
            ordinals: 0..10,
            view: "0".into(),
        },
        values: None,
    };
    for _ in 0..charges {
        let (delivery, first) = ledger.admit(order.clone()).await.unwrap();
        ledger.settle(first);
        ledger.end(delivery, Outcome::Complete);
    }
}

fn somebody(store: &Store) -> PersonId {
    let entered = store.write_blocking(|tx| -> Result<PersonId, StoreError> {
        let entity = tx.entity_insert(&EntityRow {
            id: EntityId(0),
            slug: "acme".into(),
            name: "Acme".into(),
            sector: "commercial".into(),
            ror: None,
            status: "active".into(),
            status_reason: None,
            created_ms: 1,
        })?;
        let person = tx.person_insert(&PersonRow {
            id: PersonId(0),
            mail: "ada@example.org".into(),
            name: "Ada".into(),
            status: "active".into(),
            status_reason: None,
            created_ms: 1,
        })?;
        let (role, from_ms) = ("member".to_owned(), 1);
        tx.membership_insert(&MembershipRow { person, entity, role, from_ms })?;
        Ok(person)
    });
    entered.unwrap()
}
