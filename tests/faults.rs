//! PostgreSQL fails in every way that a network, a server and its other users know; judged by what
//! clients received and by what is charged.

mod harness;

use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use harness::database::{Database, Session};
use harness::proxy::{Break, Proxy};
use harness::server::OwnServer;
use harness::{Answer, Bench, Gateway, wait_until};

/// The IDs of the dataset; each is 20 bytes with its line feed.
const IDS: u64 = 100_000;

/// A bench with an entity, its key and a dataset, whose store is at `url`.
fn bench(url: &str) -> (Bench, String) {
    let bench = Bench::on(url);
    bench.entity("acme", "commercial");
    let key = bench.person("ada@acme.example", &["acme"]);
    bench.dataset("walks", 1, IDS);
    (bench, key)
}

fn path(ids: u64) -> String {
    format!("/v1/datasets/walks/tweet-ids?limit={ids}")
}

/// What is live of the entity's Tweet IDs, and what of that is open, as the database has it.
fn live(session: &Session) -> (u64, u64) {
    let live = session.one("SELECT coalesce(sum(live_ids), 0) FROM meters");
    let open = session.one("SELECT coalesce(sum(ids), 0) FROM open_charges");
    (live.parse().unwrap(), open.parse().unwrap())
}

/// Waits until all that went out is settled and nothing is held.
fn quiet(session: &Session) {
    wait_until("everything is settled", || {
        let held = session.one("SELECT coalesce(sum(held_ids), 0) FROM meters");
        (live(session).1, held.as_str()) == (0, "0")
    });
}

fn received(answer: &Answer) -> u64 {
    answer.body.len() as u64 / 20
}

#[test]
fn a_commit_whose_answer_is_lost_is_looked_up_and_answered_as_what_it_was() {
    let database = Database::fresh();
    let proxy = Proxy::before(database.host());
    let (bench, key) = bench(&proxy.url(&database.url()));
    let gateway = bench.serve();
    let looker = database.superuser();
    assert_eq!(gateway.get(&path(10), &key).status, 200);
    quiet(&looker);
    for round in 0..5 {
        let (before, _) = live(&looker);
        // The server has committed: the client is told so, and gets what it is charged for.
        proxy.arm(Break::After("COMMIT"));
        let answer = gateway.get(&path(10), &key);
        assert!(!proxy.is_armed(), "the commit was met");
        assert_eq!((answer.status, received(&answer)), (200, 10), "round {round}");
        quiet(&looker);
        assert_eq!(live(&looker).0, before + 10, "round {round}");
        // The server has never heard of it: nothing is charged, and nothing goes out.
        proxy.arm(Break::Before("COMMIT"));
        let answer = gateway.get(&path(10), &key);
        assert!(!proxy.is_armed(), "the commit was met");
        assert_eq!((answer.status, answer.problem().as_str()), (503, "unavailable"), "{round}");
        quiet(&looker);
        assert_eq!(live(&looker).0, before + 10, "round {round}");
        assert_eq!(gateway.get(&path(10), &key).status, 200, "it goes on at once");
        quiet(&looker);
    }
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn a_connection_that_is_cut_anywhere_in_a_charge_charges_nothing() {
    let database = Database::fresh();
    let proxy = Proxy::before(database.host());
    let (bench, key) = bench(&proxy.url(&database.url()));
    let gateway = bench.serve();
    let looker = database.superuser();
    assert_eq!(gateway.get(&path(10), &key).status, 200);
    for words in [
        "INSERT INTO open_charges",
        "UPDATE meters",
        "INSERT INTO journal",
        "INSERT INTO deliveries",
        "SELECT id, ceiling_ids",
        "INSERT INTO marks",
        "SELECT id FROM turn",
        "SAVEPOINT job",
        "RELEASE job",
    ] {
        quiet(&looker);
        let (before, _) = live(&looker);
        proxy.arm(Break::Before(words));
        let answer = gateway.get(&path(10), &key);
        assert!(!proxy.is_armed(), "{words} was met");
        // Before the turn nothing is lost, and the change begins anew.
        let begun_anew = words.contains("turn");
        assert_eq!(answer.status, if begun_anew { 200 } else { 503 }, "{words}");
        quiet(&looker);
        let charged = if begun_anew { 10 } else { 0 };
        assert_eq!(live(&looker).0, before + charged, "{words}");
    }
    assert_eq!(gateway.get(&path(10), &key).status, 200);
    assert_eq!(gateway.stop(), 0);
}

/// Downloads until told to stop; counts every ID of which a byte arrived, and the answers that
/// were complete.
struct Clients {
    received_ids: AtomicU64,
    complete: AtomicU64,
    unavailable: AtomicU64,
    stop: AtomicBool,
}

impl Clients {
    fn new() -> Clients {
        Clients {
            received_ids: AtomicU64::new(0),
            complete: AtomicU64::new(0),
            unavailable: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        }
    }

    fn download(&self, gateway: &Gateway, key: &str, ids: u64) {
        let bearer = format!("Bearer {key}");
        while !self.stop.load(Ordering::Relaxed) {
            let Ok(mut stream) = gateway.try_send(&path(ids), &[("Authorization", &bearer)]) else {
                continue;
            };
            let mut bytes = Vec::new();
            let _ = stream.read_to_end(&mut bytes);
            if !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
                continue;
            }
            let answer = Answer::parse(&bytes);
            match answer.status {
                200 => {
                    let arrived = answer.body.len().div_ceil(20) as u64;
                    self.received_ids.fetch_add(arrived, Ordering::Relaxed);
                    if arrived == ids {
                        self.complete.fetch_add(1, Ordering::Relaxed);
                    }
                }
                503 => {
                    self.unavailable.fetch_add(1, Ordering::Relaxed);
                }
                _ => panic!("{} {}", answer.head, answer.text()),
            }
        }
    }
}

#[test]
fn commits_that_are_cut_at_random_under_load_never_send_what_is_not_charged() {
    let database = Database::fresh();
    let proxy = Proxy::before(database.host());
    let (bench, key) = bench(&proxy.url(&database.url()));
    let gateway = bench.serve();
    let clients = Clients::new();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| clients.download(&gateway, &key, 50));
        }
        for round in 0..20 {
            let what =
                if round % 2 == 0 { Break::After("COMMIT") } else { Break::Before("COMMIT") };
            proxy.arm(what);
            wait_until("a commit is cut", || !proxy.is_armed());
            let so_far = clients.complete.load(Ordering::Relaxed);
            wait_until("downloads go on", || clients.complete.load(Ordering::Relaxed) > so_far);
        }
        clients.stop.store(true, Ordering::Relaxed);
    });
    let looker = database.superuser();
    quiet(&looker);
    let (received_ids, live_ids) = (clients.received_ids.into_inner(), live(&looker).0);
    // Whoever was told 503 got nothing; so all that is charged was also received.
    assert_eq!(received_ids, live_ids);
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn a_server_that_dies_under_load_is_waited_for_and_found_again() {
    let own = OwnServer::start();
    let database = Database::fresh_on(own.server());
    let (bench, key) = bench(&database.url());
    let gateway = bench.serve();
    let clients = Clients::new();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| clients.download(&gateway, &key, 50));
        }
        for _ in 0..3 {
            let so_far = clients.complete.load(Ordering::Relaxed);
            wait_until("downloads go on", || clients.complete.load(Ordering::Relaxed) > so_far);
            own.crash();
            let refused = clients.unavailable.load(Ordering::Relaxed);
            wait_until("clients are told to come back", || {
                clients.unavailable.load(Ordering::Relaxed) > refused
            });
            own.start_again();
        }
        let so_far = clients.complete.load(Ordering::Relaxed);
        wait_until("downloads go on", || clients.complete.load(Ordering::Relaxed) > so_far);
        clients.stop.store(true, Ordering::Relaxed);
    });
    let looker = database.superuser();
    quiet(&looker);
    let (received_ids, live_ids) = (clients.received_ids.into_inner(), live(&looker).0);
    assert!(received_ids <= live_ids, "{received_ids} received, {live_ids} charged");
    assert!(live_ids <= 1_500_000);
    assert_eq!(gateway.stop(), 0);
}

/// A standby that lagged behind and took over, as running gateways see it.
#[test]
fn a_server_that_lost_confirmed_commits_freezes_the_ledger_before_anything_more_goes_out() {
    let own = OwnServer::start();
    let database = Database::fresh_on(own.server());
    let (mut bench, key) = bench(&database.url());
    // No checkpoint will tell.
    bench.set("HYDRANT__AUDIT__CHECKPOINT_SECONDS", "3600");
    let gateway = bench.serve();
    let beside = bench.beside("two").serve();
    for gateway in [&gateway, &beside] {
        assert_eq!(gateway.get(&path(1_000), &key).status, 200);
    }
    own.crash();
    own.save();
    own.start_again();
    // Nothing was lost: both go on.
    for gateway in [&gateway, &beside] {
        wait_until("the server is found again", || gateway.get(&path(10), &key).status == 200);
    }
    assert_eq!(received(&gateway.get(&path(5_000), &key)), 5_000);
    quiet(&database.superuser());
    own.crash();
    own.restore();
    own.start_again();
    for gateway in [&gateway, &beside] {
        wait_until("the ledger is frozen", || {
            let answer = gateway.get(&path(1), &key);
            assert_eq!(answer.status, 503, "{}", answer.text());
            answer.problem() == "ledger-frozen"
        });
    }
    let status = bench.json(&["ledger", "status"]);
    assert!(status["known_size"].as_u64() > status["log_size"].as_u64(), "{status}");
    assert!(status["why"].as_str().unwrap().contains("a standby that lagged behind"), "{status}");

    // Nobody has what was lost: the entity may have received all that it may.
    let thawed = bench.json(&["ledger", "thaw", "--reason", "the standby had lagged behind"]);
    assert_eq!(thawed["phantoms"][0]["ids"], 1_500_000, "{thawed}");
    for gateway in [&gateway, &beside] {
        let answer = gateway.get(&path(1), &key);
        assert_eq!((answer.status, answer.problem().as_str()), (429, "allowance-used"));
    }
    // With that it is made good, also for a gateway that connects anew.
    own.crash();
    own.start_again();
    for gateway in [gateway, beside] {
        wait_until("the server is found again", || gateway.get(&path(1), &key).status == 429);
        assert_eq!(gateway.stop(), 0);
    }
}

#[test]
fn a_gateway_that_stands_still_in_a_change_holds_the_others_up_for_seconds_only() {
    let database = Database::fresh();
    let proxy = Proxy::before(database.host());
    let (bench, key) = bench(&proxy.url(&database.url()));
    let mut beside = bench.beside("two");
    beside.set("HYDRANT__STORE__URL", &database.url());
    let (gateway, other) = (bench.serve(), beside.serve());
    assert_eq!(gateway.get(&path(10), &key).status, 200);
    assert_eq!(other.get(&path(10), &key).status, 200);
    quiet(&database.superuser());
    let holds = proxy.hold("INSERT INTO open_charges");
    std::thread::scope(|scope| {
        let stuck = scope.spawn(|| gateway.get(&path(10), &key));
        let go_on = holds.recv_timeout(harness::PATIENCE).unwrap();
        gateway.signal("STOP");
        let since = Instant::now();
        assert_eq!(other.get(&path(10), &key).status, 200);
        let waited = since.elapsed();
        assert!(waited < Duration::from_secs(9), "{waited:?}");
        // It is not dead: its name is its own, and nobody may settle what it has sent.
        let retired = beside.run(&["instance", "retire", "one", "--reason", "it is silent"]);
        assert!(retired.stderr.contains("`one` is alive"), "{retired:?}");
        gateway.signal("CONT");
        go_on.send(()).unwrap();
        assert_eq!(stuck.join().unwrap().status, 503);
    });
    assert_eq!(gateway.get(&path(10), &key).status, 200);
    quiet(&database.superuser());
    assert_eq!(live(&database.superuser()).0, 40);
    assert_eq!((gateway.stop(), other.stop()), (0, 0));
}

#[test]
fn a_deadlock_with_somebody_else_is_503_and_nothing_is_lost() {
    let database = Database::fresh();
    let (bench, key) = bench(&database.url());
    let gateway = bench.serve();
    assert_eq!(gateway.get(&path(10), &key).status, 200);
    let looker = database.superuser();
    quiet(&looker);
    std::thread::scope(|scope| {
        let foreign = database.superuser();
        // Only the gateway's session looks for deadlocks, so it is the one that gives way.
        foreign.run("SET deadlock_timeout = '1h'; BEGIN; SELECT id FROM meters FOR UPDATE");
        let stuck = scope.spawn(|| gateway.get(&path(10), &key));
        let waits = "
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        wait_until("the gateway waits for the row", || looker.one(waits) == "1");
        foreign.run("SELECT id FROM turn FOR UPDATE");
        assert_eq!(stuck.join().unwrap().status, 503);
        foreign.run("ROLLBACK");
    });
    assert_eq!(gateway.get(&path(10), &key).status, 200);
    quiet(&looker);
    assert_eq!(live(&looker).0, 20);
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn too_many_connections_are_503_until_there_are_fewer() {
    let database = Database::fresh();
    let (bench, key) = bench(&database.url());
    let gateway = bench.serve();
    let limit = |connections: i32| {
        let role = database.role();
        database.admin().run(&format!("ALTER ROLE {role} CONNECTION LIMIT {connections}"));
    };
    // Nobody gets another one, and those that there are end.
    limit(0);
    database.superuser().run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let answer = gateway.get(&path(10), &key);
    assert_eq!((answer.status, answer.problem().as_str()), (503, "unavailable"));
    let refused = bench.beside("two").run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(refused.stderr.contains("too many connections"), "{refused:?}");
    limit(-1);
    assert_eq!(gateway.get(&path(10), &key).status, 200);
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn a_replica_and_a_server_that_may_lose_commits_are_refused() {
    let primary = OwnServer::start_with(&["fsync=off"]);
    let replica = primary.replica();
    let refused = |url: &str| {
        let bench = Bench::on(url);
        let ended = bench.run(&["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(ended.code, 1, "{ended:?}");
        ended.stderr
    };
    assert!(refused(replica.server().admin_url()).contains("it is a replica"));
    assert!(refused(primary.server().admin_url()).contains("fsync is off"));
    let url = format!("{}?options=-c%20synchronous_commit%3Doff", primary.server().admin_url());
    assert!(refused(&url).contains("synchronous_commit is off"));
}
