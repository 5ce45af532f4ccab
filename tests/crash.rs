//! The gateway is killed in the middle of downloads, judged by what its clients received.

mod harness;

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use harness::database::Database;
use harness::{Bench, Gateway, wait_until};
use rand::{RngExt, SeedableRng};

/// How many kills each store meets; `HYDRANT_TEST_KILLS` sets more.
const KILLS: u64 = 25;

fn kills() -> u64 {
    let said = std::env::var("HYDRANT_TEST_KILLS").ok();
    said.map_or(KILLS, |said| said.parse().expect("HYDRANT_TEST_KILLS is a number"))
}

/// The IDs of one download; several downloads at once share an entity.
const IDS: u64 = 100_000;

/// The entities that take turns, so that each one meets several kills and none is full too soon.
const ENTITIES: usize = 4;

/// Downloads with `key` until the gateway is gone or refuses; counts the IDs of which at least one
/// byte arrived.
fn download(gateway: &Gateway, key: &str, received_ids: &AtomicU64) {
    loop {
        let bearer = format!("Bearer {key}");
        let path = "/v1/datasets/walks/tweet-ids";
        let Ok(mut stream) = gateway.try_send(path, &[("Authorization", &bearer)]) else { return };
        let mut bytes = Vec::new();
        // Whatever ends it: what has arrived has arrived.
        let _ = stream.read_to_end(&mut bytes);
        let Some(head_end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return };
        if !bytes.starts_with(b"HTTP/1.1 200") {
            return;
        }
        let body = &bytes[head_end + 4..];
        received_ids.fetch_add(body.len().div_ceil(20) as u64, Ordering::Relaxed);
        if (body.len() as u64) < IDS * 20 {
            return;
        }
    }
}

/// The live Tweet IDs of an entity and its ceiling, asked without a gateway.
fn live(bench: &Bench, slug: &str) -> (u64, Option<u64>, u64) {
    let usage = bench.usage(slug);
    let tweets = harness::tweets(&usage);
    let number = |name: &str| tweets[name].as_u64();
    let open = number("open").unwrap();
    (number("used").unwrap() + open, number("ceiling"), open)
}

#[test]
fn after_any_kill_every_id_that_a_client_received_is_charged() {
    kill(&Bench::new());
}

#[test]
fn after_any_kill_every_id_that_a_client_received_is_charged_on_postgres_too() {
    let database = Database::fresh();
    kill(&Bench::on(&database.url()));
}

/// Kills gateways on that store in the middle of downloads.
fn kill(bench: &Bench) {
    let mut entities = Vec::new();
    for n in 0..ENTITIES {
        let slug = format!("entity-{n}");
        let sector = if n == 0 { "academic" } else { "commercial" };
        bench.entity(&slug, sector);
        let mail = format!("person-{n}@example.org");
        let key = bench.person(&mail, &[&slug]);
        if n == 0 {
            // Without a ceiling chunks and buffers are large: another path through the gateway.
            bench.exempt(&slug, &mail, &harness::day_after_days(100));
        }
        entities.push((slug, key, AtomicU64::new(0)));
    }
    bench.dataset("walks", 1, IDS);
    let seed: u64 = rand::random();
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    for round in 0..kills() {
        let (slug, key, received_ids) = &entities[usize::try_from(round).unwrap() % ENTITIES];
        let gateway = bench.serve();
        let pause = Duration::from_micros(random.random_range(0..150_000));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| download(&gateway, key, received_ids));
            }
            std::thread::sleep(pause);
            gateway.kill_now();
        });
        drop(gateway);
        // The next start settles what was open; it is asked while nobody downloads.
        let gateway = bench.serve();
        let (live_ids, ceiling_ids, open_ids) = live(bench, slug);
        assert_eq!(gateway.stop(), 0);
        let received_ids = received_ids.load(Ordering::Relaxed);
        let place = format!("seed {seed}, round {round}");
        assert!(received_ids <= live_ids, "{place}: {received_ids} received, {live_ids} live");
        assert!(ceiling_ids.is_none_or(|ceiling_ids| live_ids <= ceiling_ids), "{place}");
        assert_eq!(open_ids, 0, "{place}: the successor settles what was open");
    }
    let all: u64 = entities.iter().map(|entity| entity.2.load(Ordering::Relaxed)).sum();
    assert!(all > IDS, "the clients received something: {all} IDs");
}

#[test]
fn a_stop_lets_downloads_end_and_settles_them() {
    let bench = Bench::new();
    bench.entity("acme", "commercial");
    let key = bench.person("ada@acme.example", &["acme"]);
    bench.dataset("walks", 1, 1_000_000);
    let gateway = bench.serve();
    let bearer = format!("Bearer {key}");
    let path = "/v1/datasets/walks/tweet-ids";
    let mut stream = gateway.send("GET", path, &[("Authorization", &bearer)], b"");
    let mut begun = [0; 1_000];
    stream.read_exact(&mut begun).unwrap();
    let (rest, code) = std::thread::scope(|scope| {
        let stop = scope.spawn(|| gateway.stop());
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        (rest, stop.join().unwrap())
    });
    assert_eq!(code, 0);
    let all = [&begun[..], &rest].concat();
    assert_eq!(harness::Answer::parse(&all).body.len(), 20_000_000, "nothing was cut");
    assert_eq!(live(&bench, "acme"), (1_000_000, Some(1_500_000), 0));
}

#[test]
fn a_second_signal_cuts_what_still_runs_and_the_rest_is_given_back() {
    let bench = Bench::new();
    bench.entity("acme", "commercial");
    let key = bench.person("ada@acme.example", &["acme"]);
    bench.dataset("walks", 1, 1_000_000);
    let gateway = bench.serve();
    let bearer = format!("Bearer {key}");
    let path = "/v1/datasets/walks/tweet-ids";
    // Its client never reads on, so the download would last until the deadline.
    let mut stream = gateway.send("GET", path, &[("Authorization", &bearer)], b"");
    stream.read_exact(&mut [0; 1_000]).unwrap();
    gateway.signal("TERM");
    wait_until("no new connections are taken", || {
        std::net::TcpStream::connect(gateway.address).is_err()
    });
    assert!(live(&bench, "acme").0 < 200_000, "commands still go through the gateway");
    gateway.signal("INT");
    assert_eq!(gateway.wait(), 0);
    let (live_ids, _, open_ids) = live(&bench, "acme");
    assert!(live_ids < 200_000 && open_ids == 0, "{live_ids} live, {open_ids} open");
}

#[test]
fn a_second_gateway_is_refused_and_told_of_the_first() {
    let bench = Bench::new();
    bench.entity("acme", "commercial");
    let gateway = bench.serve();
    let second = bench.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, 1, "{second:?}");
    let first = format!("process {}", gateway.pid());
    assert!(second.stderr.contains(&first), "{}", second.stderr);
    assert!(second.stderr.contains("is in use by"), "{}", second.stderr);
    // The first one is not disturbed: commands still go through it.
    bench.entity("later", "commercial");
    assert_eq!(bench.json(&["entity", "list"]).as_array().unwrap().len(), 2);
}

/// The gateway's data folder lies on a file system of its own with little room, which a
/// namespace of its own mounts.
#[test]
fn a_full_disk_gives_503_and_sends_nothing_until_there_is_room_again() {
    let bench = Bench::new();
    bench.entity("acme", "commercial");
    let key = bench.person("ada@acme.example", &["acme"]);
    bench.dataset("walks", 1, 10_000);
    let small = bench.path("small");
    std::fs::create_dir(&small).unwrap();
    let script = "mount -t tmpfs -o size=8m,mode=0700 tmpfs small && cp -a data/. small/ \
                  && exec \"$0\" serve --listen 127.0.0.1:0 --data small";
    let mut command = std::process::Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script]);
    command.arg(env!("CARGO_BIN_EXE_hydrant")).current_dir(bench.path("."));
    let gateway = Gateway::start(command);
    let path = "/v1/datasets/walks/tweet-ids?limit=10";
    assert_eq!(gateway.get(path, &key).status, 200);

    let inside = format!("/proc/{}/root{}", gateway.pid(), small.display());
    let filler = std::path::Path::new(&inside).join("filler");
    let filled = std::fs::write(&filler, vec![1; 16 << 20]);
    assert!(filled.is_err(), "the file system is full now");
    let mut last = 0;
    wait_until("the log of the database has no room left", || {
        let answer = gateway.get(path, &key);
        last = answer.status;
        assert!(answer.status == 200 || answer.status == 503, "{}", answer.head);
        if answer.status == 503 {
            assert_eq!(answer.problem(), "unavailable");
        }
        answer.status == 503
    });
    std::fs::remove_file(&filler).unwrap();
    wait_until("it recovers", || gateway.get(path, &key).status == 200);
}
