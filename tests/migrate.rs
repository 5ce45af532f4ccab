//! `hydrant migrate` moves a busy store from its file to PostgreSQL, and `hydrant instance` ends
//! what never returns.

mod harness;

use std::io::Read;

use harness::database::Database;
use harness::proxy::{Break, Proxy};
use harness::{Bench, Gateway, tweets};
use serde_json::Value;

const PATH: &str = "/v1/datasets/walks/tweet-ids";

/// A bench with some of everything, whose gateway was killed in the middle of downloads.
fn busy() -> (Bench, String) {
    let bench = Bench::new();
    bench.entity("acme", "commercial");
    bench.entity("uni", "academic");
    let key = bench.person("ada@acme.example", &["acme"]);
    let grace = bench.person("grace@uni.example", &["uni", "acme"]);
    bench.exempt("uni", "grace@uni.example", &harness::day_after_days(100));
    bench.dataset("walks", 1, 100_000);
    bench.done(&["person", "suspend", "grace@uni.example", "--reason", "left"]);
    bench.done(&["person", "resume", "grace@uni.example"]);
    let gateway = bench.serve();
    assert_eq!(gateway.get(&format!("{PATH}?limit=700"), &key).status, 200);
    assert_eq!(gateway.get(&format!("{PATH}?limit=30"), &grace).status, 200);
    harness::wait_until("both are settled", || used(&bench).0 == 730);
    leave_open(&gateway, &key);
    drop(gateway);
    (bench, key)
}

/// Kills the gateway while a client that reads no further has an open charge.
fn leave_open(gateway: &Gateway, key: &str) {
    let bearer = format!("Bearer {key}");
    let mut stream = gateway.send("GET", PATH, &[("Authorization", &bearer)], b"");
    stream.read_exact(&mut [0; 1_000]).unwrap();
    gateway.kill_now();
}

fn used(bench: &Bench) -> (u64, u64) {
    let usage = tweets(&bench.usage("acme"));
    (usage["used"].as_u64().unwrap(), usage["open"].as_u64().unwrap())
}

fn rows(moved: &Value, table: &str) -> u64 {
    let tables = moved["tables"].as_array().unwrap();
    let found = tables.iter().find(|row| row["table"] == table);
    found.unwrap_or_else(|| panic!("{table}"))["rows"].as_u64().unwrap()
}

#[test]
fn a_busy_store_moves_with_its_totals_and_goes_on_where_it_was() {
    let (mut bench, key) = busy();
    let (used_ids, open_ids) = used(&bench);
    assert!(used_ids >= 730 && open_ids > 0, "{used_ids} used, {open_ids} open");
    let listed = bench.json(&["deliveries"]);
    let database = Database::fresh();
    let moved = bench.json(&["migrate", "--to", &database.url()]);
    assert_eq!(rows(&moved, "entities"), 2);
    assert_eq!(rows(&moved, "deliveries"), 3);
    assert!(rows(&moved, "open_charges") > 0 && rows(&moved, "journal") > 10);
    let acme = &moved["meters"].as_array().unwrap()[0];
    assert_eq!(acme["live"].as_u64().unwrap(), used_ids + open_ids);
    assert_eq!(acme["open"].as_u64().unwrap(), open_ids);
    // The file is left, and nobody works on it by accident.
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["usage", "acme"]] {
        let refused = bench.run(command);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains("the store has moved to postgres://"), "{refused:?}");
        assert!(!refused.stderr.contains("made-up"), "no password: {refused:?}");
    }
    let again = bench.run(&["migrate", "--to", &database.url()]);
    assert!(again.stderr.contains("has moved to"), "{again:?}");
    // Settled by the move: nobody else would.
    bench.set("HYDRANT__STORE__URL", &database.url());
    assert_eq!(used(&bench), (used_ids + open_ids, 0));
    let after = bench.json(&["deliveries"]);
    assert_eq!(after.as_array().unwrap().len(), listed.as_array().unwrap().len());
    assert_eq!(after[0]["reason"], "the gateway was retired");
    let gateway = bench.serve();
    assert_eq!(gateway.get(&format!("{PATH}?limit=5"), &key).status, 200);
    // Row numbers go on, and the journal too.
    bench.entity("later", "commercial");
    assert_eq!(bench.json(&["entity", "show", "later"])["id"], "3");
    assert_eq!(gateway.stop(), 0);
    assert_eq!(used(&bench), (used_ids + open_ids + 5, 0));
    let gaps = "SELECT count(*) <> max(sequence) FROM journal";
    assert_eq!(database.superuser().one(gaps), "f");
    // The schema guards what came as it guards what is written there.
    let raised = "UPDATE meters SET live_ids = ceiling_ids + 1 WHERE ceiling_ids IS NOT NULL";
    assert!(database.superuser().try_run(raised).is_err());
    assert!(database.superuser().try_run("DELETE FROM journal").is_err());
}

#[test]
fn a_target_that_is_not_empty_is_left_as_it_is_and_the_file_is_used_on() {
    let (bench, key) = busy();
    let database = Database::fresh();
    Bench::on(&database.url()).entity("somebody", "commercial");
    let before = used(&bench);
    let refused = bench.run(&["migrate", "--to", &database.url()]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("its table entities has 1 rows"), "{refused:?}");
    assert_eq!(database.superuser().one("SELECT count(*) FROM people"), "0");
    assert_eq!(used(&bench), before);
    let gateway = bench.serve();
    let running = bench.run(&["migrate", "--to", &database.url()]);
    assert!(running.stderr.contains("is in use by"), "{running:?}");
    assert_eq!(gateway.get(&format!("{PATH}?limit=5"), &key).status, 200);
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn a_move_that_was_broken_off_is_done_again_or_given_up() {
    let (bench, _) = busy();
    let database = Database::fresh();
    let proxy = Proxy::before(database.host());
    let url = proxy.url(&database.url());
    // So that the only commit is the move's.
    assert_eq!(Bench::on(&url).done(&["entity", "list"]), "");
    // The server never heard of the commit.
    proxy.arm(Break::Before("COMMIT"));
    let cut = bench.run(&["migrate", "--to", &url]);
    assert!(cut.stderr.contains("run the same command again"), "{cut:?}");
    let refused = bench.run(&["usage", "acme"]);
    assert!(refused.stderr.contains("that was broken off"), "{refused:?}");
    assert_eq!(database.superuser().one("SELECT count(*) FROM entities"), "0");
    assert!(bench.run(&["migrate", "--abandon"]).stderr.contains("the file is used again"));
    bench.usage("acme");
    // It committed, and nobody could be asked whether it did.
    proxy.arm(Break::LastAfter("COMMIT"));
    let cut = bench.run(&["migrate", "--to", &url]);
    assert!(cut.stderr.contains("run the same command again"), "{cut:?}");
    assert_eq!(database.superuser().one("SELECT count(*) FROM entities"), "2");
    proxy.listen_again();
    let elsewhere = Database::fresh();
    let other = bench.run(&["migrate", "--to", &elsewhere.url()]);
    assert!(other.stderr.contains("has moved to"), "{other:?}");
    assert_eq!(rows(&bench.json(&["migrate", "--to", &url]), "entities"), 2);
    assert!(bench.run(&["usage", "acme"]).stderr.contains("set store.url to it"));
    assert!(bench.run(&["migrate", "--abandon"]).stderr.contains("no move was broken off"));
}

#[test]
fn an_instance_that_never_returns_is_retired_with_what_it_left() {
    let database = Database::fresh();
    let bench = Bench::on(&database.url());
    bench.entity("acme", "commercial");
    let key = bench.person("ada@acme.example", &["acme"]);
    bench.dataset("walks", 1, 100_000);
    let lost = bench.serve();
    let alive = bench.run(&["instance", "retire", "one", "--reason", "test"]);
    assert!(alive.stderr.contains("`one` is alive"), "{alive:?}");
    leave_open(&lost, &key);
    drop(lost);
    let other = bench.beside("two");
    let gateway = other.serve();
    // Its open charge counts, and nobody settles it because it is silent.
    let open_ids = used(&other).1;
    assert!(open_ids > 0);
    let listed = other.json(&["instance", "list"]);
    assert_eq!((&listed[0]["name"], &listed[0]["state"]), (&"one".into(), &"gone".into()));
    assert_eq!(listed[0]["open"].as_u64(), Some(open_ids));
    assert_eq!((&listed[1]["name"], &listed[1]["state"]), (&"two".into(), &"alive".into()));
    let unknown = other.run(&["instance", "retire", "three", "--reason", "test"]);
    assert!(unknown.stderr.contains("there is no instance `three`"), "{unknown:?}");
    let retired = other.json(&["instance", "retire", "one", "--reason", "its disk is broken"]);
    assert_eq!(retired["settled"].as_u64(), Some(open_ids));
    assert_eq!(retired["deliveries"], 1);
    assert_eq!(used(&other), (open_ids, 0));
    let listed = other.json(&["instance", "list"]);
    assert_eq!(listed[0]["state"], "retired");
    assert_eq!(listed[0]["retired_reason"], "its disk is broken");
    assert_eq!(gateway.stop(), 0);
}
