//! Several gateways on one PostgreSQL database, judged by what clients received; with the wrong
//! ways to lock beside them, which must exceed.

mod harness;

use std::io::Read;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};

use harness::database::{Database, Session};
use harness::{Answer, Bench, Gateway};

const GATEWAYS: usize = 4;
const CLIENTS: usize = 16;
const ROUNDS: usize = 5;

/// How many chunks are granted in each round; the ceiling is the same number of IDs.
fn grants() -> u64 {
    let said = std::env::var("HYDRANT_TEST_GRANTS").ok();
    said.map_or(1_000, |said| said.parse().expect("HYDRANT_TEST_GRANTS is a number"))
}

/// Downloads single IDs until the entity has none left; counts those that arrived.
fn drain(gateway: &Gateway, key: &str, received_ids: &AtomicU64) {
    let bearer = format!("Bearer {key}");
    loop {
        let path = "/v1/datasets/walks/tweet-ids?limit=1";
        let mut stream = gateway.try_send(path, &[("Authorization", &bearer)]).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let answer = Answer::parse(&bytes);
        match answer.status {
            200 => {
                received_ids.fetch_add(answer.body.len() as u64 / 20, Ordering::Relaxed);
            }
            429 => return,
            _ => panic!("{} {}", answer.head, answer.text()),
        }
    }
}

#[test]
fn four_gateways_with_sixteen_clients_each_hand_out_the_ceiling_and_not_one_id_more() {
    let database = Database::fresh();
    let mut first = Bench::on(&database.url());
    first.set_ceiling(grants());
    first.dataset("walks", 1, 10);
    let others: Vec<_> = ["two", "three", "four"].map(|name| first.beside(name)).into();
    let benches = std::iter::once(&first).chain(&others);
    let gateways: Vec<Gateway> = benches.map(Bench::serve).collect();
    assert_eq!(gateways.len(), GATEWAYS);
    for round in 0..ROUNDS {
        let slug = format!("entity-{round}");
        first.entity(&slug, "commercial");
        let key = first.person(&format!("person-{round}@example.org"), &[&slug]);
        let received_ids = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for gateway in &gateways {
                for _ in 0..CLIENTS {
                    scope.spawn(|| drain(gateway, &key, &received_ids));
                }
            }
        });
        assert_eq!(received_ids.into_inner(), grants(), "round {round}");
        let tweets = harness::tweets(&first.usage(&slug));
        assert_eq!(tweets["used"].as_u64().unwrap() + tweets["open"].as_u64().unwrap(), grants());
    }
    for gateway in gateways {
        assert_eq!(gateway.stop(), 0);
    }
    let unbalanced = "
        SELECT count(*) FROM meters m
        WHERE live_ids <> (SELECT coalesce(sum(ids), 0) FROM buckets b WHERE b.meter_id = m.id)";
    assert_eq!(database.superuser().one(unbalanced), "0", "all that is live is settled");
}

/// How many charges are written by many sessions at once that each look before they write, with a
/// ceiling of 20.
fn charges_written(begin: &str, look: &str, write: &str) -> u64 {
    let database = Database::fresh();
    database.superuser().run(
        "CREATE TABLE ceilings (id BIGINT PRIMARY KEY, ids BIGINT);
         CREATE TABLE charges (n BIGINT);
         INSERT INTO ceilings VALUES (1, 20);
         GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC",
    );
    let together = Barrier::new(CLIENTS);
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let session = Session::open(&database.url());
                together.wait();
                for _ in 0..20 {
                    session.run(begin);
                    let fits = look.is_empty() || session.one(look) == "t";
                    if fits {
                        // A snapshot that is too old may also be noticed.
                        let _ = session.try_run(write);
                    }
                    let _ = session.try_run("COMMIT");
                }
            });
        }
    });
    database.superuser().one("SELECT count(*) FROM charges").parse().unwrap()
}

const FITS: &str = "SELECT (SELECT count(*) FROM charges) < 20";
const WRITE: &str = "INSERT INTO charges VALUES (1)";

/// Runs rounds until one exceeds; a race is not lost every time.
fn exceeds(begin: &str, look: &str, write: &str) -> bool {
    (0..30).any(|_| charges_written(begin, look, write) > 20)
}

#[test]
fn a_count_in_the_statement_that_locks_is_older_than_the_lock_and_exceeds() {
    let write = "
        WITH locked AS (SELECT ids FROM ceilings WHERE id = 1 FOR UPDATE)
        INSERT INTO charges SELECT 1 FROM locked
        WHERE (SELECT count(*) FROM charges) < locked.ids";
    assert!(exceeds("BEGIN", "", write));
}

#[test]
fn a_lock_as_first_statement_of_repeatable_read_comes_after_the_snapshot_and_exceeds() {
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_advisory_xact_lock(1)";
    assert!(exceeds(begin, FITS, WRITE));
}

#[test]
fn a_lock_that_is_a_statement_of_its_own_in_read_committed_never_exceeds() {
    let begin = "
        BEGIN ISOLATION LEVEL READ COMMITTED; SELECT ids FROM ceilings WHERE id = 1 FOR UPDATE";
    for _ in 0..3 {
        assert_eq!(charges_written(begin, FITS, WRITE), 20);
    }
}

#[test]
fn a_second_gateway_of_the_same_name_is_refused_and_told_so() {
    let database = Database::fresh();
    let first = Bench::on(&database.url());
    let gateway = first.serve();
    let second = first.beside("one");
    let refused = second.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("a gateway named one works on it already"), "{refused:?}");
    assert!(refused.stderr.contains("`instance`"), "{refused:?}");
    // Under another name it may; and the first one is not disturbed.
    let third = first.beside("another");
    let beside = third.serve();
    assert_eq!(beside.stop(), 0);
    assert_eq!(gateway.stop(), 0);
    // The name is free as soon as its holder is gone.
    assert_eq!(second.serve().stop(), 0);
}

#[test]
fn commands_work_beside_gateways_and_without_a_data_folder() {
    let database = Database::fresh();
    let first = Bench::on(&database.url());
    first.entity("acme", "commercial");
    assert!(!first.data().exists(), "nothing was put there");
    let gateway = first.serve();
    // Through the gateway, and beside it from another machine's folder.
    first.entity("through", "commercial");
    first.beside("two").entity("beside", "commercial");
    let listed = first.json(&["entity", "list"]);
    let slugs = listed.as_array().unwrap().iter().map(|entity| entity["slug"].as_str().unwrap());
    assert_eq!(slugs.collect::<Vec<_>>(), ["acme", "beside", "through"]);
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let bench = Bench::on("postgres://ada:secret@127.0.0.1:1/hydrant");
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["entity", "list"]] {
        let ended = bench.run(command);
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.stderr.contains("postgres://127.0.0.1:1/hydrant"), "{ended:?}");
        assert!(ended.stderr.contains("does not answer"), "{ended:?}");
        assert!(!ended.stderr.contains("secret"), "{ended:?}");
    }
}
