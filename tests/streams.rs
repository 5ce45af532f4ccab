//! Datasets that are stripped in flight, with the real binary and an upstream that misbehaves:
//! what clients receive, what it costs, and that nothing incomplete ever looks complete.

mod harness;

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine;
use harness::upstream::{Behaviour, Upstream, answers, breaks_off, never_ends, sends, stalls};
use harness::{Answer, Bench, Gateway, PATIENCE, wait_until};
use serde_json::Value;
use sha2::{Digest, Sha256};

const IDS: &str = "/v1/datasets/far/tweet-ids";

struct Scene {
    bench: Bench,
    upstream: Upstream,
    key: String,
}

impl Scene {
    /// An entity that may have so many Tweet IDs, and a dataset that is stripped in flight.
    fn new(ids: u64, more_settings: &str) -> Scene {
        Scene::of(Bench::new(), ids, more_settings)
    }

    fn of(bench: Bench, ids: u64, more_settings: &str) -> Scene {
        let upstream = Upstream::start();
        let settings = bench.few_ids(ids) + &upstream.settings("far") + more_settings;
        bench.settings(&settings);
        bench.entity("acme", "commercial");
        let key = bench.person("ada@acme.example", &["acme"]);
        let add = ["dataset", "add", "far", "--mode", "stream", "--upstream", "far"];
        bench.done(&[&add[..], &["--title", "Far away", "--ids", "tweet"]].concat());
        Scene { bench, upstream, key }
    }

    fn used(&self, gateway: &Gateway) -> u64 {
        let mut used = 0;
        wait_until("everything is settled", || {
            let usage = gateway.get("/v1/usage", &self.key).json();
            let meter = harness::tweets(&usage["entities"][0]);
            used = meter["used"].as_u64().unwrap();
            meter["open"] == 0 && meter["held"] == 0
        });
        used
    }

    /// The newest delivery, once it has ended.
    fn newest(&self, gateway: &Gateway) -> Value {
        let mut newest = Value::Null;
        wait_until("the delivery has ended", || {
            let listed = gateway.get("/v1/deliveries", &self.key).json();
            newest = listed["deliveries"][0].clone();
            newest["state"] != "running"
        });
        newest
    }
}

/// The data of a chunked answer, and whether its last chunk came.
fn unchunked(answer: &Answer) -> (String, bool) {
    assert_eq!(answer.field("transfer-encoding"), Some("chunked"), "{}", answer.head);
    let mut rest = answer.body.as_slice();
    let mut data = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        rest = &rest[end + 2..];
        if size == 0 {
            return (String::from_utf8(data).unwrap(), rest == b"\r\n");
        }
        data.extend_from_slice(&rest[..size.min(rest.len())]);
        rest = rest.get(size + 2..).unwrap_or_default();
    }
    // What is cut within a line is no ID.
    let text = String::from_utf8(data).unwrap();
    let end = text.rfind('\n').map_or(0, |end| end + 1);
    (text[..end].to_owned(), false)
}

fn list(count: u64) -> String {
    harness::id_text(1, count)
}

fn lines(text: &str) -> u64 {
    text.lines().count() as u64
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn repr_digest(bytes: &[u8]) -> String {
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(bytes));
    format!("Repr-Digest: sha-256=:{digest}:\r\n")
}

#[test]
fn a_dataset_is_stripped_in_flight_and_charged_as_it_goes() {
    let scene = Scene::new(20_000, "");
    let tweets: String = harness::tweet_ids(1, 9_000)
        .map(|id| {
            format!("{{\"id\":{id},\"id_str\":\"{id}\",\"text\":\"a\",\"user\":{{\"id\":7}}}}\n")
        })
        .collect();
    let packed = gzip((tweets + "nonsense\n").as_bytes());
    scene.upstream.becomes(answers(&repr_digest(&packed), &packed));
    let gateway = scene.bench.serve();
    let answer = gateway.get(IDS, &scene.key);
    assert_eq!((answer.status, unchunked(&answer)), (200, (list(9_000), true)));
    assert_eq!(answer.field("accept-ranges"), Some("none"));
    assert_eq!(answer.field("content-length"), None);
    assert_eq!(scene.used(&gateway), 9_000);
    let newest = scene.newest(&gateway);
    assert_eq!(newest["delivery"], answer.field("hydrant-delivery").unwrap());
    assert_eq!((&newest["dataset"], &newest["state"]), (&"far".into(), &"complete".into()));
    assert_eq!((&newest["release"], &newest["requested"]), (&Value::Null, &Value::Null));
    assert_eq!(newest["charged"], 9_000);
    let address = format!("/v1/deliveries/{}", newest["delivery"].as_str().unwrap());
    let report = &gateway.get(&address, &scene.key).json()["report"];
    assert_eq!(
        (&report["ids"]["tweet"]["handed_out"], &report["clean"]),
        (&9_000.into(), &false.into())
    );
    let shown = gateway.get("/v1/datasets/far", &scene.key).json();
    assert_eq!((&shown["mode"], &shown["release"]), (&"stream".into(), &Value::Null));
    assert_eq!(shown["streams"]["tweet-ids"]["address"], IDS);
    let asked = &scene.upstream.heads()[0];
    assert!(asked.starts_with("GET /tweets HTTP/1.1\r\n"), "{asked}");
    assert!(asked.to_lowercase().contains("accept-encoding: identity"), "{asked}");
    assert!(!asked.contains("hydrant_"), "a key of ours never leaves: {asked}");
}

#[test]
fn what_has_no_meaning_in_flight_is_refused_and_head_asks_nobody() {
    let scene = Scene::new(20_000, "");
    scene.upstream.becomes(answers("", list(10)));
    let gateway = scene.bench.serve();
    let head =
        gateway.ask("HEAD", IDS, &[("Authorization", &format!("Bearer {}", scene.key))], b"");
    assert_eq!((head.status, head.field("accept-ranges")), (200, Some("none")));
    for (path, fields, status) in [
        (IDS, &[("Range", "bytes=100-")][..], 416),
        (IDS, &[("Range", "bytes=0-9")], 416),
        ("/v1/datasets/far/tweet-ids?limit=5", &[], 400),
        ("/v1/datasets/far/user-ids", &[], 404),
        ("/v1/datasets/far/tweet-ids?url=http://x", &[], 400),
    ] {
        let answer = gateway.get_with(path, &scene.key, fields);
        assert_eq!(answer.status, status, "{path} {fields:?}");
    }
    // Without chunks an answer that breaks off would look whole.
    let mut stream = TcpStream::connect(gateway.address).unwrap();
    let request = format!(
        "GET {IDS} HTTP/1.0\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n",
        gateway.address, scene.key
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(Answer::parse(&bytes).status, 400);
    assert_eq!(scene.upstream.heads(), Vec::<String>::new());
    let whole = gateway.get_with(IDS, &scene.key, &[("Range", "bytes=0-")]);
    assert_eq!(unchunked(&whole), (list(10), true));
}

#[test]
fn an_upstream_that_fails_before_the_first_chunk_is_502_or_504_and_costs_nothing() {
    let scene = Scene::new(20_000, "bytes_max = 3_000_000\n");
    let gateway = scene.bench.serve();
    let some = list(10);
    let head = "HTTP/1.1 200 OK\r\n";
    let silent: Behaviour = std::sync::Arc::new(|stream| stream.read(&mut [0]).map(drop));
    let bomb = gzip(&vec![b'\n'; 200 << 20]);
    for (name, behaviour, status) in [
        ("5xx", sends("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), 502),
        ("not found", sends("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), 502),
        ("part", sends("HTTP/1.1 206 Part\r\nContent-Length: 3\r\n\r\n20\n"), 502),
        (
            "redirect",
            sends(format!(
                "HTTP/1.1 302 Go\r\nLocation: http://{}/x\r\n\r\n",
                scene.upstream.address
            )),
            502,
        ),
        ("no HTTP", sends("20\n21\n"), 502),
        ("closes", sends(""), 502),
        ("short", breaks_off("", &some), 502),
        ("neither length nor digest", sends(format!("{head}\r\n{some}")), 502),
        ("wrong digest", answers(&repr_digest(b"another"), &some), 502),
        ("cut packing", answers("", &gzip(list(20_000).as_bytes())[..500]), 502),
        ("bomb", answers("", &bomb), 502),
        ("announces too much", sends(format!("{head}Content-Length: 3000001\r\n\r\n")), 502),
        ("endless blanks", never_ends("\n".repeat(100_000)), 502),
        ("sign-in page", answers("", "<!DOCTYPE html><html>Sign in</html>\n"), 502),
        ("archive", answers("", "PK\x03\x04 and so on"), 502),
        ("silent", silent, 504),
        ("stalls", stalls(&some), 504),
    ] {
        scene.upstream.becomes(behaviour);
        let asked = scene.upstream.heads().len();
        let answer = gateway.get(IDS, &scene.key);
        assert_eq!(answer.status, status, "{name}: {} {}", answer.head, answer.text());
        let problem = if status == 502 { "upstream-failed" } else { "upstream-slow" };
        assert_eq!(answer.problem(), problem, "{name}");
        assert_eq!(scene.upstream.heads().len(), asked + 1, "{name}: nothing is tried twice");
    }
    assert_eq!(scene.used(&gateway), 0);
    assert_eq!(scene.bench.json(&["deliveries"]), Value::Array(Vec::new()));
}

#[test]
fn an_upstream_that_fails_half_way_leaves_an_answer_that_is_visibly_broken() {
    let scene = Scene::new(1_500_000, "bytes_max = 3_000_000\n");
    let gateway = scene.bench.serve();
    let many = list(100_000);
    let packed = gzip(many.as_bytes());
    let mut used = 0;
    for (name, behaviour, why) in [
        ("short", breaks_off("", &many), "breaks off"),
        ("wrong digest", answers(&repr_digest(b"another"), &many), "another digest"),
        ("slow", stalls(&many), "too slow"),
        ("endless", never_ends(list(1_000)), "more than 3000000 bytes"),
        ("cut packing", answers("", &packed[..packed.len() - 10]), "ends early"),
    ] {
        scene.upstream.becomes(behaviour);
        let answer = gateway.get(IDS, &scene.key);
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let (received, complete) = unchunked(&answer);
        assert!(!complete, "{name}: the last chunk must not come");
        if name == "endless" {
            let block = list(1_000);
            assert!(
                received
                    .as_bytes()
                    .chunks(block.len())
                    .all(|part| block.as_bytes().starts_with(part))
            );
        } else {
            assert!(many.starts_with(&received), "{name}");
            // The last parcel is held back, so even a client that ignores framing lacks some.
            assert!(lines(&received) < 100_000, "{name}");
        }
        let newest = scene.newest(&gateway);
        assert_eq!(newest["state"], "broken", "{name}");
        let reason = newest["reason"].as_str().unwrap();
        assert!(reason.contains(why), "{name}: {reason}");
        let charged = newest["charged"].as_u64().unwrap();
        assert!(lines(&received) <= charged && charged <= lines(&received) + 8_192, "{name}");
        used += charged;
        assert_eq!(scene.used(&gateway), used, "{name}: only what was sent is charged");
    }
}

#[test]
fn with_nothing_left_nobody_asks_the_upstream() {
    let scene = Scene::new(1_000, "");
    scene.upstream.becomes(answers("", list(1_000)));
    let gateway = scene.bench.serve();
    assert_eq!(unchunked(&gateway.get(IDS, &scene.key)), (list(1_000), true));
    assert_eq!(scene.used(&gateway), 1_000);
    let refused = gateway.get(IDS, &scene.key);
    assert_eq!((refused.status, refused.problem().as_str()), (429, "allowance-used"));
    assert!(refused.field("retry-after").is_some());
    assert_eq!(scene.upstream.heads().len(), 1);
}

#[test]
fn a_stream_stops_at_the_ceiling_and_goes_on_from_there_when_it_fits() {
    const START_MS: i64 = 1_800_000_000_000;
    let bench = Bench::with_clock(START_MS);
    let scene = Scene::of(bench, 5_000, "");
    let all = list(12_000);
    scene.upstream.becomes(answers("ETag: \"one\"\r\n", &all));
    let gateway = scene.bench.serve();
    let mut received = String::new();
    for (days, expected) in [(0, 5_000), (31, 5_000), (62, 2_000)] {
        scene.bench.set_clock(START_MS + days * 86_400_000);
        let key = scene.bench.key("ada@acme.example");
        let on = format!("{IDS}?offset={}", lines(&received));
        let (part, complete) = unchunked(&gateway.get(&on, &key));
        received += &part;
        assert_eq!(lines(&part), expected, "to the last ID of the allowance");
        assert_eq!(complete, received == all, "what stops early breaks the connection");
        assert!(all.starts_with(&received));
        assert_eq!(scene.used(&gateway), expected);
        let newest = scene.newest(&gateway);
        assert_eq!(newest["charged"], expected);
        let reason = newest["reason"].as_str().unwrap_or_default();
        assert_eq!(reason.contains("no room"), !complete, "{newest}");
    }
    assert!(received == all, "the parts are the whole");
    let key = scene.bench.key("ada@acme.example");
    let rows = gateway.get("/v1/deliveries", &key).json()["deliveries"].clone();
    let offsets = rows.as_array().unwrap().iter().map(|row| row["offset"].as_u64().unwrap());
    assert_eq!(offsets.collect::<Vec<_>>(), [10_000, 5_000, 0]);
}

#[test]
fn a_stream_goes_on_only_in_what_it_began_with() {
    let scene = Scene::new(20_000, "");
    let gateway = scene.bench.serve();
    let resume = |offset: u64| gateway.get(&format!("{IDS}?offset={offset}"), &scene.key);
    let content = list(3_000);
    let tagged = |tag: &str| answers(&format!("ETag: {tag}\r\n"), &content);
    let view_changed = |answer: &Answer| {
        assert_eq!((answer.status, answer.problem().as_str()), (412, "view-changed"));
    };
    scene.upstream.becomes(tagged("\"one\""));
    view_changed(&resume(100));
    assert!(unchunked(&gateway.get(IDS, &scene.key)).1);
    assert_eq!(unchunked(&resume(2_990)), (content[2_990 * 20..].to_owned(), true));
    let past = resume(3_000);
    assert_eq!((past.status, past.text()), (200, ""));
    view_changed(&resume(3_001));
    scene.upstream.becomes(tagged("\"two\""));
    view_changed(&resume(2_990));
    scene.upstream.becomes(tagged("W/\"one\""));
    view_changed(&resume(2_990));
    scene.upstream.becomes(answers("", &content));
    view_changed(&resume(2_990));
    for fields in [
        repr_digest(content.as_bytes()),
        "Last-Modified: Tue, 01 Jan 2030 00:00:00 GMT\r\n".to_owned(),
    ] {
        scene.upstream.becomes(answers(&fields, &content));
        view_changed(&resume(2_990));
        assert!(unchunked(&gateway.get(IDS, &scene.key)).1);
        assert_eq!(unchunked(&resume(2_999)).0, content[2_999 * 20..]);
    }
    // Three times all of it, and the ends that were asked for.
    assert_eq!(scene.used(&gateway), 3 * 3_000 + 10 + 1 + 1);
}

#[test]
fn an_address_that_leads_inwards_is_not_even_tried() {
    let bench = Bench::new();
    let upstream = Upstream::start();
    upstream.becomes(answers("", list(10)));
    let port = upstream.address.port();
    // Only a name gets past the check of the settings, and every spelling of an address is one.
    let named = |name: &str, host: &str| {
        format!("[upstreams.{name}]\nurl = \"http://{host}:{port}/tweets\"\n")
    };
    bench.settings(&(named("local", "localhost") + &named("number", "2130706433")));
    bench.entity("acme", "commercial");
    let key = bench.person("ada@acme.example", &["acme"]);
    for name in ["local", "number"] {
        let add = ["dataset", "add", name, "--mode", "stream", "--upstream", name];
        bench.done(&[&add[..], &["--title", "Inwards"]].concat());
    }
    let gateway = bench.serve();
    for name in ["local", "number"] {
        let answer = gateway.get(&format!("/v1/datasets/{name}/tweet-ids"), &key);
        assert_eq!((answer.status, answer.problem().as_str()), (502, "upstream-failed"));
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("private network"), "{detail}");
    }
    assert_eq!(upstream.heads(), Vec::<String>::new());
    let unknown = ["dataset", "add", "x", "--mode", "stream", "--upstream", "nowhere"];
    let ended = bench.run(&[&unknown[..], &["--title", "Nowhere"]].concat());
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("known: local, number"), "{}", ended.stderr);
}

#[test]
fn an_upstream_is_told_its_secret_and_no_proxy_comes_between() {
    let secret = "secret_header = \"X-Key\"\nsecret_file = \"./secret\"\n";
    let bench = Bench::new();
    std::fs::write(bench.path("secret"), "sesame\n").unwrap();
    let scene = Scene::of(bench, 10_000, secret);
    scene.upstream.becomes(answers("", list(10)));
    let mut command = scene.bench.command(&["serve", "--listen", "127.0.0.1:0"]);
    // Nobody listens there: a gateway that heeded it would reach nothing.
    command.env("http_proxy", "http://127.0.0.1:9").env("ALL_PROXY", "http://127.0.0.1:9");
    let gateway = Gateway::start(command);
    assert_eq!(unchunked(&gateway.get(IDS, &scene.key)), (list(10), true));
    assert!(scene.upstream.heads()[0].to_lowercase().contains("x-key: sesame\r\n"));
}

/// Tweets without end: nothing of them is kept, and whoever leaves ends it.
#[test]
fn an_endless_upstream_takes_little_memory_and_ends_with_its_client() {
    let scene = Scene::new(10_000, "");
    scene.bench.entity("uni", "academic");
    let key = scene.bench.person("grace@uni.example", &["uni"]);
    scene.bench.exempt("uni", "grace@uni.example", &harness::day_after_days(30));
    let filler = "made-up words ".repeat(60);
    let block: String = harness::tweet_ids(1, 500)
        .map(|id| {
            format!(
                "{{\"id\":{id},\"id_str\":\"{id}\",\"text\":\"{filler}\",\"user\":{{\"id\":7}}}}\n"
            )
        })
        .collect();
    scene.upstream.becomes(never_ends(&block));
    let gateway = scene.bench.serve();
    let bearer = format!("Bearer {key}");
    let mut stream = gateway.send("GET", IDS, &[("Authorization", &bearer)], b"");
    // 500,000 IDs: half a gigabyte of tweets.
    let mut received = vec![0; 10_000_000];
    stream.read_exact(&mut received).unwrap();
    let resident = harness::resident_bytes_max(gateway.pid());
    drop(stream);
    wait_until("the upstream is let go", || scene.upstream.failures() == 1);
    assert!(resident < 64 << 20, "{resident} bytes");
    let usage = || harness::tweets(&gateway.get("/v1/usage", &key).json()["entities"][0]);
    wait_until("it is settled", || {
        usage()["open"] == 0 && usage()["used"].as_u64() > Some(499_000)
    });
}

#[test]
fn a_client_with_a_ceiling_that_leaves_is_charged_for_little_and_lets_the_upstream_go() {
    let scene = Scene::new(1_500_000, "");
    scene.upstream.becomes(never_ends(list(1_000)));
    let gateway = scene.bench.serve();
    let bearer = format!("Bearer {}", scene.key);
    let mut stream = gateway.send("GET", IDS, &[("Authorization", &bearer)], b"");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.read_exact(&mut [0; 200_000]).unwrap();
    drop(stream);
    let used = scene.used(&gateway);
    wait_until("the upstream is let go", || scene.upstream.failures() == 1);
    // 10,000 IDs were read: two chunks and the buffers of both sides come on top.
    assert!((9_990..20_000).contains(&used), "{used}");
    assert_eq!(scene.newest(&gateway)["state"], "broken");
}

#[test]
fn a_client_that_leaves_while_the_upstream_is_slow_lets_it_go_at_once() {
    let scene = Scene::new(10_000, "");
    let settings = scene.bench.few_ids(10_000) + &scene.upstream.settings("far");
    scene.bench.settings(&settings.replace("idle_seconds_max = 1", "idle_seconds_max = 3600"));
    let (left, closed) = std::sync::mpsc::channel();
    let bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{}", list(9_000));
    scene.upstream.becomes(std::sync::Arc::new(move |stream| {
        stream.write_all(bytes.as_bytes())?;
        let ended = stream.read(&mut [0]);
        left.send(()).unwrap();
        ended.map(drop)
    }));
    let gateway = scene.bench.serve();
    let bearer = format!("Bearer {}", scene.key);
    let mut stream = gateway.send("GET", IDS, &[("Authorization", &bearer)], b"");
    stream.read_exact(&mut [0; 20_000]).unwrap();
    drop(stream);
    closed.recv_timeout(PATIENCE).unwrap();
    let used = scene.used(&gateway);
    assert!((1_000..9_000).contains(&used), "{used}");
}

#[test]
fn a_key_that_is_revoked_ends_its_stream_within_a_chunk() {
    let scene = Scene::new(1_500_000, "");
    let (more, wanted) = std::sync::mpsc::channel::<()>();
    let wanted = std::sync::Mutex::new(wanted);
    let block = list(9_000);
    scene.upstream.becomes(std::sync::Arc::new(move |stream| {
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{block}", 20 * block.len())?;
        let _ = wanted.lock().unwrap().recv();
        (1..20).try_for_each(|_| stream.write_all(block.as_bytes()))
    }));
    let settings = scene.bench.few_ids(1_500_000) + &scene.upstream.settings("far");
    scene.bench.settings(&settings.replace("idle_seconds_max = 1", "idle_seconds_max = 3600"));
    let gateway = scene.bench.serve();
    let bearer = format!("Bearer {}", scene.key);
    let mut stream = gateway.send("GET", IDS, &[("Authorization", &bearer)], b"");
    stream.read_exact(&mut [0; 20_000]).unwrap();
    let keys = scene.bench.json(&["key", "list"]);
    scene.bench.done(&["key", "revoke", keys[0]["id"].as_str().unwrap()]);
    more.send(()).unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(!rest.ends_with(b"0\r\n\r\n"), "the answer breaks off");
    let mut newest = Value::Null;
    wait_until("the delivery has ended", || {
        newest = scene.bench.json(&["deliveries"])[0].clone();
        newest["state"] != "running"
    });
    assert!(newest["reason"].as_str().unwrap().contains("revoked"), "{newest}");
    assert!(newest["charged"].as_u64().unwrap() <= 9_000, "{newest}");
}

/// Whatever a client has of a stream whose gateway died, it was charged before.
#[test]
fn a_gateway_that_dies_in_a_stream_has_charged_what_was_received() {
    let scene = Scene::new(1_500_000, "");
    scene.upstream.becomes(never_ends(list(1_000)));
    let mut received = 0;
    for reads in [1, 30_000, 100_000, 300_000] {
        let gateway = scene.bench.serve();
        let bearer = format!("Bearer {}", scene.key);
        let mut stream = gateway.send("GET", IDS, &[("Authorization", &bearer)], b"");
        let mut bytes = vec![0; reads];
        stream.read_exact(&mut bytes).unwrap();
        gateway.kill_now();
        let _ = stream.read_to_end(&mut bytes);
        let _ = gateway.wait();
        received += lines(&unchunked(&Answer::parse(&bytes)).0);
        let gateway = scene.bench.serve();
        let used = scene.used(&gateway);
        assert!(received <= used, "{received} received, {used} charged");
        assert!(used <= received + 4 * 20_000, "{received} received, {used} charged");
        assert_eq!(scene.newest(&gateway)["reason"], "the gateway stopped");
        let _ = gateway.stop();
    }
}

#[test]
fn a_certificate_is_checked_as_this_machine_checks_them() {
    let bench = Bench::new();
    let upstream = Upstream::start_tls();
    upstream.becomes(answers("", list(10)));
    bench.settings(&upstream.settings("far"));
    bench.entity("acme", "commercial");
    let key = bench.person("ada@acme.example", &["acme"]);
    let add = ["dataset", "add", "far", "--mode", "stream", "--upstream", "far"];
    bench.done(&[&add[..], &["--title", "Far away"]].concat());
    let ask = |authority: Option<std::path::PathBuf>| {
        let mut command = bench.command(&["serve", "--listen", "127.0.0.1:0"]);
        if let Some(authority) = authority {
            command.env("SSL_CERT_FILE", authority);
        }
        let gateway = Gateway::start(command);
        gateway.get(IDS, &key)
    };
    let unknown = ask(None);
    assert_eq!((unknown.status, unknown.problem().as_str()), (502, "upstream-failed"));
    assert_eq!(upstream.heads(), Vec::<String>::new(), "nothing is said to a stranger");
    assert_eq!(unchunked(&ask(Some(harness::upstream::authority()))), (list(10), true));
}
