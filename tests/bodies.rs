//! `POST /v1/strip` with the real binary: what comes out of a body, what it costs, and what is
//! refused before it is read.

mod harness;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::{Answer, Bench, Gateway, PATIENCE, wait_until};
use serde_json::Value;

const TWEETS: &str = "/v1/strip?ids=tweet";

/// A bench whose entity may have 10,000 Tweet IDs in any window, and a person's key.
fn bench() -> (Bench, String) {
    let bench = Bench::new();
    bench.settings(&bench.few_ids(10_000));
    bench.entity("acme", "commercial");
    let key = bench.person("ada@acme.example", &["acme"]);
    (bench, key)
}

fn post(gateway: &Gateway, path: &str, key: &str, body: &[u8]) -> Answer {
    gateway.ask("POST", path, &[("Authorization", &format!("Bearer {key}"))], body)
}

fn live(gateway: &Gateway, key: &str) -> (u64, u64, u64) {
    let meter = harness::tweets(&gateway.get("/v1/usage", key).json()["entities"][0]);
    let of = |name: &str| meter[name].as_u64().unwrap();
    (of("used"), of("open"), of("held"))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tweet(id: u64) -> String {
    format!("{{\"id\":{id},\"id_str\":\"{id}\",\"text\":\"made up\",\"user\":{{\"id\":7}}}}\n")
}

/// The head of a `POST`, whose body is sent by hand.
fn head(gateway: &Gateway, path: &str, key: &str, fields: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\n{fields}\r\n",
        gateway.address
    )
}

fn connect(gateway: &Gateway) -> TcpStream {
    let stream = TcpStream::connect(gateway.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    bytes
}

#[test]
fn every_format_gives_over_http_what_it_gives_on_the_command_line() {
    let (bench, key) = bench();
    let gateway = bench.serve();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/strip");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let (mut compared, mut charged) = (0, 0);
    for file in files {
        for kind in ["tweet", "user", "dm"] {
            for scope in ["own", "referenced"] {
                let mut strip = Command::new(env!("CARGO_BIN_EXE_hydrant"));
                strip.args(["strip", "--ids", kind, "--scope", scope]).arg(&file);
                let said = strip.output().unwrap();
                if said.stdout.is_empty() || ![Some(0), Some(3)].contains(&said.status.code()) {
                    continue;
                }
                let body = std::fs::read(&file).unwrap();
                for body in [gzip(&body), body] {
                    let path = format!("/v1/strip?ids={kind}&scope={scope}");
                    let answer = post(&gateway, &path, &key, &body);
                    let name = file.display();
                    assert_eq!(answer.status, 200, "{name} {kind}: {}", answer.text());
                    assert_eq!(answer.body, said.stdout, "{name} {kind}");
                    let length = answer.field("content-length").unwrap();
                    assert_eq!(length, said.stdout.len().to_string());
                    let damaged = answer.field("hydrant-records-damaged").unwrap();
                    assert_eq!(damaged == "0", said.status.code() == Some(0), "{name}");
                    compared += 1;
                    if kind == "tweet" {
                        charged += answer.text().lines().count() as u64;
                    }
                }
            }
        }
    }
    assert!(compared > 30, "{compared}");
    wait_until("all is settled", || live(&gateway, &key) == (charged, 0, 0));
}

#[test]
fn a_delivery_of_a_body_names_no_dataset_and_keeps_its_report() {
    let (bench, key) = bench();
    let gateway = bench.serve();
    let body = format!("{}nonsense\n{}{}", tweet(20), tweet(21), tweet(21));
    let answer = post(&gateway, "/v1/strip?ids=tweet&distinct=true", &key, body.as_bytes());
    assert_eq!((answer.status, answer.text()), (200, "20\n21\n"));
    assert_eq!(answer.field("hydrant-records"), Some("4"));
    assert_eq!(answer.field("hydrant-records-damaged"), Some("1"));
    let disposition = answer.field("content-disposition").unwrap();
    assert_eq!(disposition, "attachment; filename=\"tweet-ids.txt\"");
    let id = answer.field("hydrant-delivery").unwrap();
    let mut shown = Value::Null;
    wait_until("the delivery has ended", || {
        shown = gateway.get(&format!("/v1/deliveries/{id}"), &key).json();
        shown["state"] == "complete"
    });
    assert_eq!((&shown["dataset"], &shown["release"]), (&Value::Null, &Value::Null));
    assert_eq!((&shown["requested"], &shown["charged"]), (&2.into(), &2.into()));
    assert_eq!(shown["report"]["ids"]["tweet"]["duplicates"], 1);
    assert_eq!(shown["report"]["reasons"][0]["first"][0]["line"], 2);
    let listed = bench.json(&["deliveries", "--entity", "acme"]);
    assert_eq!((&listed[0]["dataset"], &listed[0]["charged"]), (&Value::Null, &2.into()));
}

#[test]
fn exactly_what_is_counted_is_admitted_or_nothing() {
    let (bench, key) = bench();
    let gateway = bench.serve();
    let list = |count| harness::id_text(1, count).into_bytes();
    let never = post(&gateway, TWEETS, &key, &list(10_001));
    assert_eq!((never.status, never.problem().as_str()), (403, "never-fits"));
    assert_eq!(
        (never.json()["requested"].as_u64(), &never.json()["parts"][0]["address"]),
        (Some(10_001), &Value::Null)
    );
    let first = post(&gateway, TWEETS, &key, &list(9_000));
    assert_eq!((first.status, first.body), (200, list(9_000)));
    let late = post(&gateway, TWEETS, &key, &list(1_001));
    assert_eq!((late.status, late.problem().as_str()), (429, "allowance-used"));
    assert_eq!(late.json()["remaining"], 1_000);
    assert!(late.field("retry-after").is_some() && late.field("hydrant-delivery").is_none());
    let exact = post(&gateway, TWEETS, &key, &list(1_000));
    assert_eq!((exact.status, exact.body), (200, list(1_000)));
    wait_until("all is settled", || live(&gateway, &key) == (10_000, 0, 0));
    assert_eq!(bench.json(&["deliveries", "--entity", "acme"]).as_array().unwrap().len(), 2);
    // User IDs have no limit.
    assert_eq!(post(&gateway, "/v1/strip?ids=user", &key, &list(1)).status, 200);
}

#[test]
fn what_is_refused_is_refused_before_the_body_is_read() {
    let (bench, key) = bench();
    bench.entity("full", "commercial");
    let full = bench.person("bo@full.example", &["full"]);
    bench.done(&["person", "add", "cy@acme.example", "--name", "Cy", "--entity", "acme"]);
    let unaccepted = bench.key("cy@acme.example");
    let catalogue = ["key", "issue", "ada@acme.example", "--scope", "catalogue"];
    let catalogue = bench.done(&catalogue).trim().to_owned();
    let gateway = bench.serve();
    let filled = post(&gateway, TWEETS, &full, harness::id_text(1, 10_000).as_bytes());
    assert_eq!(filled.status, 200);
    let large = "Content-Length: 1000000000000\r\n";
    let small = "Content-Length: 10\r\n";
    for (path, key, fields, status, problem) in [
        (TWEETS, "hydrant_nonsense", small, 401, "unauthorized"),
        (TWEETS, &unaccepted, small, 403, "acceptance-missing"),
        (TWEETS, &catalogue, small, 403, "not-allowed"),
        (TWEETS, &full, small, 429, "allowance-used"),
        (TWEETS, &key, large, 413, "too-large"),
        ("/v1/strip", &key, small, 400, "bad-request"),
        ("/v1/strip?ids=tweets", &key, small, 400, "bad-request"),
        ("/v1/strip?ids=tweet&scope=far", &key, small, 400, "bad-request"),
        ("/v1/strip?ids=tweet&upstream=http://x", &key, small, 400, "bad-request"),
    ] {
        for expect in ["", "Expect: 100-continue\r\n"] {
            let mut stream = connect(&gateway);
            let head = head(&gateway, path, key, &format!("{fields}{expect}"));
            stream.write_all(head.as_bytes()).unwrap();
            // Not a byte of the body is sent, and nobody asks for one.
            let bytes = rest(&mut stream);
            assert!(!bytes.starts_with(b"HTTP/1.1 100"), "{path}");
            let answer = Answer::parse(&bytes);
            assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{path}");
            assert_eq!(answer.field("connection"), Some("close"));
        }
    }
    assert_eq!(gateway.get(TWEETS, &key).status, 405);
}

/// A refusal that closes the connection while the client still sends would be lost with a reset.
#[test]
fn a_client_that_goes_on_sending_still_hears_the_refusal() {
    let (bench, _) = bench();
    let gateway = bench.serve();
    for _ in 0..20 {
        let mut stream = connect(&gateway);
        let fields = "Content-Length: 4000000\r\n";
        stream.write_all(head(&gateway, TWEETS, "wrong", fields).as_bytes()).unwrap();
        stream.write_all(&vec![b'1'; 4_000_000]).unwrap();
        assert_eq!(Answer::parse(&rest(&mut stream)).status, 401);
    }
}

#[test]
fn a_client_that_asks_first_is_told_to_go_on_when_it_may() {
    let (bench, key) = bench();
    let gateway = bench.serve();
    let mut stream = connect(&gateway);
    let fields = "Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n";
    stream.write_all(head(&gateway, TWEETS, &key, fields).as_bytes()).unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"20\n").unwrap();
    assert_eq!(Answer::parse(&rest(&mut stream)).text(), "20\n");
}

#[test]
fn a_body_that_is_too_large_too_slow_or_broken_costs_nothing() {
    let (bench, key) = bench();
    let settings = bench.few_ids(10_000);
    bench.settings(&format!("{settings}[strip]\nbody_bytes_max = 200_000\nidle_seconds_max = 1\n"));
    let gateway = bench.serve();
    let chunked = "Transfer-Encoding: chunked\r\n";
    let chunk = format!("4e20\r\n{}\r\n", harness::id_text(1, 1_000));
    // Beyond the bound, without a length that would tell.
    let mut stream = connect(&gateway);
    stream.write_all(head(&gateway, TWEETS, &key, chunked).as_bytes()).unwrap();
    (0..11).for_each(|_| stream.write_all(chunk.as_bytes()).unwrap());
    assert_eq!(Answer::parse(&rest(&mut stream)).status, 413);
    // A byte now and then, and then none.
    let mut stream = connect(&gateway);
    stream.write_all(head(&gateway, TWEETS, &key, chunked).as_bytes()).unwrap();
    let mut drip = stream.try_clone().unwrap();
    let dripping = std::thread::spawn(move || {
        while drip.write_all(b"1\r\n2\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let slow = Answer::parse(&rest(&mut stream));
    assert_eq!((slow.status, slow.problem().as_str()), (408, "too-slow"));
    drop(stream);
    dripping.join().unwrap();
    // A client that goes away before the end: what it sent might have been cut anywhere.
    let mut stream = connect(&gateway);
    stream.write_all(head(&gateway, TWEETS, &key, chunked).as_bytes()).unwrap();
    stream.write_all(chunk.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let broken = rest(&mut stream);
    assert!(broken.is_empty() || Answer::parse(&broken).status == 400);
    assert_eq!(live(&gateway, &key), (0, 0, 0));
    assert_eq!(bench.json(&["deliveries"]), Value::Array(Vec::new()));
}

#[test]
fn a_body_that_cannot_be_read_is_refused_by_name() {
    let (bench, key) = bench();
    let gateway = bench.serve();
    let html = "<!DOCTYPE html><html><body>Sign in</body></html>\n";
    let damaged = format!("{}{{\"id\n{}", tweet(20), tweet(21));
    let nested = (0..5).fold(b"20\n".to_vec(), |bytes, _| gzip(&bytes));
    let mut wide = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(27).unwrap();
    wide.write_all(&vec![b'1'; 300 << 20]).unwrap();
    let wide = wide.finish().unwrap();
    for (path, body, status, problem, says) in [
        (TWEETS, html.as_bytes(), 422, "unreadable", "no Tweet ID was found"),
        (TWEETS, b"PK\x03\x04..", 422, "unreadable", "something is damaged"),
        ("/v1/strip?ids=tweet&strict=true", damaged.as_bytes(), 422, "damaged", "line 2"),
        (TWEETS, &nested, 413, "too-large", "the bound `nesting`"),
        (TWEETS, &wide, 413, "too-large", "the bound `window-bytes`"),
    ] {
        let answer = post(&gateway, path, &key, body);
        assert_eq!((answer.status, answer.problem().as_str()), (status, problem));
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says), "{detail}");
    }
    let empty = post(&gateway, TWEETS, &key, b"[]\n");
    assert_eq!((empty.status, empty.text()), (200, ""));
    assert_eq!(live(&gateway, &key), (0, 0, 0));
}

#[test]
fn a_bomb_stops_at_the_bound_in_little_memory() {
    let (bench, key) = bench();
    let gateway = bench.serve();
    // 16 GiB of line feeds in 16 MiB; packed twice, in a few KiB.
    let member = packed(&vec![b'\n'; 64 << 20]);
    let bomb = member.repeat(256);
    let twice = packed(&bomb);
    let deep = vec![b'['; 40 << 20];
    let long = [b"{\"id_str\":\"20\",\"text\":\"".to_vec(), vec![b'a'; 100 << 20]].concat();
    for (body, status) in [(bomb, 413), (twice, 413), (deep, 422), (long, 422)] {
        let answer = post(&gateway, TWEETS, &key, &body);
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    let resident = harness::resident_bytes_max(gateway.pid());
    assert!(resident < 64 << 20, "{resident} bytes");
    assert_eq!(live(&gateway, &key), (0, 0, 0));
}

#[test]
fn a_body_of_millions_of_ids_is_spooled_in_little_memory() {
    let bench = Bench::new();
    bench.entity("uni", "academic");
    let key = bench.person("ada@uni.example", &["uni"]);
    bench.exempt("uni", "ada@uni.example", &harness::day_after_days(30));
    let gateway = bench.serve();
    let list = harness::id_text(1, 3_000_000);
    let answer = post(&gateway, TWEETS, &key, list.as_bytes());
    assert_eq!(answer.status, 200);
    assert!(answer.body == list.as_bytes(), "all IDs come back in order");
    let resident = harness::resident_bytes_max(gateway.pid());
    assert!(resident < 64 << 20, "{resident} bytes");
    wait_until("all is settled", || live(&gateway, &key) == (3_000_000, 0, 0));
}

#[test]
fn a_client_that_leaves_is_charged_for_little_of_its_body() {
    let bench = Bench::new();
    bench.entity("acme", "commercial");
    let key = bench.person("ada@acme.example", &["acme"]);
    let gateway = bench.serve();
    let list = harness::id_text(1, 1_000_000);
    let bearer = format!("Bearer {key}");
    let fields = [("Authorization", bearer.as_str())];
    let mut stream = gateway.send("POST", TWEETS, &fields, list.as_bytes());
    let mut begun = [0; 60_000];
    stream.read_exact(&mut begun).unwrap();
    drop(stream);
    let mut used = 0;
    wait_until("what went out is settled and the rest free", || {
        let (settled, open, held) = live(&gateway, &key);
        used = settled;
        settled > 0 && (open, held) == (0, 0)
    });
    assert!((3_000..13_000).contains(&used), "{used}");
}

#[test]
fn no_more_strips_run_than_there_are_places() {
    let (bench, key) = bench();
    let settings = bench.few_ids(10_000);
    bench.settings(&format!("{settings}[strip]\nrunning_max = 1\n"));
    let gateway = bench.serve();
    let mut first = connect(&gateway);
    let fields = "Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n";
    first.write_all(head(&gateway, TWEETS, &key, fields).as_bytes()).unwrap();
    first.read_exact(&mut [0; 25]).unwrap();
    let second = post(&gateway, TWEETS, &key, b"20\n");
    assert_eq!((second.status, second.problem().as_str()), (503, "busy"));
    assert!(second.field("retry-after").is_some());
    first.write_all(b"20\n").unwrap();
    assert_eq!(Answer::parse(&rest(&mut first)).text(), "20\n");
    assert_eq!(post(&gateway, TWEETS, &key, b"20\n").status, 200);
}

#[test]
fn where_an_id_counts_once_the_same_body_costs_nothing_more() {
    let (bench, key) = bench();
    let settings = bench.few_ids(10_000);
    bench.settings(&format!("{settings}count = \"distinct\"\n"));
    let gateway = bench.serve();
    let all = harness::id_text(1, 10_000);
    for body in [&all[..], &all[..], &all[..200]] {
        let answer = post(&gateway, TWEETS, &key, body.as_bytes());
        assert_eq!((answer.status, answer.text()), (200, body));
        wait_until("it is settled", || live(&gateway, &key) == (10_000, 0, 0));
    }
    let more = post(&gateway, TWEETS, &key, harness::id_text(1, 10_001).as_bytes());
    assert_eq!((more.status, more.problem().as_str()), (429, "allowance-used"));
    assert_eq!(
        (more.json()["requested"].as_u64(), more.json()["remaining"].as_u64()),
        (Some(1), Some(0))
    );
}
