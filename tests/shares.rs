//! Peer-review links on the real binary: what is charged is charged to the link alone, limits hold,
//! and whatever ends a link ends it at once. That they are blind is shown in `blind.rs`.

mod harness;

use std::io::Read;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use harness::review::{FORM, HTML, begun, page_of, terms};
use harness::{Bench, day_after_days, id_text, tweet_ids, tweets, wait_until};
use serde_json::{Value, json};

const NOW_MS: i64 = 1_800_000_000_000;
const DAY_MS: i64 = 86_400_000;
const MAKER: &str = "ada@uni.example";

/// A bench with an exempt university, somebody of it, and a dataset of so many IDs; the key is the
/// maker's.
fn bench(ids: u64) -> (Bench, String) {
    let bench = Bench::with_clock(NOW_MS);
    bench.entity("uni", "academic");
    let key = bench.person(MAKER, &["uni"]);
    bench.exempt("uni", MAKER, "2027-12-31");
    bench.dataset("walks", 1, ids);
    (bench, key)
}

/// A link that the maker makes by command, with what `more` says.
#[track_caller]
fn made(bench: &Bench, more: &[&str]) -> Value {
    let create = ["share", "create", "walks", "--person", MAKER, "--label", "a paper"];
    bench.json(&[&create[..], more].concat())
}

fn id_of(share: &Value) -> &str {
    share["id"].as_str().unwrap()
}

fn shown(bench: &Bench, share: &Value) -> Value {
    bench.json(&["share", "show", id_of(share)])
}

/// Waits until nothing of a link is under way, and returns how many IDs it has handed out.
#[track_caller]
fn used(bench: &Bench, share: &Value) -> u64 {
    wait_until("its deliveries have ended", || {
        let shown = shown(bench, share);
        let deliveries = shown["deliveries"].as_array().unwrap().clone();
        deliveries.iter().all(|delivery| delivery["state"] != "running")
    });
    shown(bench, share)["ids_used"].as_u64().unwrap()
}

#[test]
fn scanners_and_previews_charge_nothing_and_count_nothing() {
    let (bench, key) = bench(1_000);
    let share = made(&bench, &[]);
    let page = page_of(&share);
    let gateway = bench.serve();
    let file = begun(&gateway, &page);
    let bearer = format!("Bearer {key}");
    for fields in [&[][..], &[HTML], &[("Authorization", bearer.as_str())]] {
        for method in ["GET", "HEAD", "OPTIONS"] {
            gateway.ask(method, &page, fields, b"");
            gateway.ask(method, &format!("{page}/downloads"), fields, b"");
        }
        assert_eq!(gateway.ask("HEAD", &file, fields, b"").status, 200);
    }
    let seen = shown(&bench, &share);
    assert_eq!((&seen["downloads"], &seen["ids_used"]), (&json!(0), &json!(0)));
    assert_eq!((&seen["days"], &seen["deliveries"]), (&json!([]), &json!([])));
    assert_eq!(bench.json(&["deliveries"]), json!([]));
}

#[test]
fn a_reviewer_downloads_resumes_and_is_charged_to_the_link_alone() {
    let (bench, key) = bench(30_000);
    let share = made(
        &bench,
        &["--offset", "10000", "--limit", "20000", "--downloads", "2", "--ids-max", "90000"],
    );
    let all = id_text(1, 30_000);
    let text = &all[10_000 * 20..];
    let gateway = bench.serve();
    let page = page_of(&share);
    let file = begun(&gateway, &page);
    // A visitor's own key plays no part: not even a wrong one.
    let bearer = format!("Bearer {key}");
    for authorization in [bearer.as_str(), "Bearer wrong", "Basic x"] {
        let fields = [("Authorization", authorization), ("Range", "bytes=0-99999")];
        let part = gateway.ask("GET", &file, &fields, b"");
        assert!(part.status == 206 && part.text() == &text[..100_000], "{}", part.head);
    }
    // As `curl -C -` goes on, without a validator.
    let rest = gateway.ask("GET", &file, &[("Range", "bytes=100000-")], b"");
    assert!(rest.status == 206 && rest.text() == &text[100_000..], "{}", rest.head);
    assert_eq!(rest.field("content-range"), Some("bytes 100000-399999/400000"));
    assert_eq!(used(&bench, &share), 3 * 5_000 + 15_000);
    // Another download has nothing that it could go on with.
    let other = begun(&gateway, &page);
    let glued = gateway.ask("GET", &other, &[("Range", "bytes=100000-")], b"");
    assert_eq!((glued.status, glued.problem().as_str()), (412, "view-changed"));
    assert!(gateway.ask("GET", &other, &[], b"").text() == text, "all of it, as it stands");
    // Both have begun; what is asked for beyond them is refused at once.
    let said = terms(&gateway.ask("GET", &page, &[], b""));
    let third = gateway.ask("POST", &format!("{page}/downloads"), &[FORM], said.as_bytes());
    assert_eq!((third.status, third.problem().as_str()), (403, "link-spent"));

    assert_eq!(used(&bench, &share), 30_000 + 20_000);
    let uni = tweets(&bench.usage("uni"));
    assert_eq!((&uni["used"], &uni["open"]), (&json!(0), &json!(0)), "no entity is charged");
    assert_eq!(gateway.get("/v1/deliveries", &key).json()["deliveries"], json!([]));
    let seen = shown(&bench, &share);
    assert_eq!(seen["days"], json!([{ "day": "2027-01-15", "downloads": 2, "ids": 50_000 }]));
    let rows = bench.json(&["deliveries"]);
    let row = &rows.as_array().unwrap()[0];
    assert_eq!(row["person"], Value::Null);
    assert_eq!(row["charged_to"], json!([{ "link": "1", "basis": "peer-review:1" }]));

    // The receipt is the maker's.
    let checkpoint = bench.json(&["audit", "checkpoint"]);
    let verifier = checkpoint["verifier_key"].as_str().unwrap();
    let receipt = gateway.get("/v1/shares/1/deliveries/4/receipt", &key);
    assert_eq!(receipt.status, 200, "{}", receipt.text());
    std::fs::write(bench.path("receipt"), &receipt.body).unwrap();
    let file_name = bench.path("receipt");
    let verify = ["audit", "verify", file_name.to_str().unwrap(), "--key", verifier];
    let verified = bench.run(&verify);
    assert_eq!(verified.code, 0, "{verified:?}");
    assert!(receipt.text().contains("c2sp.org/tlog-proof"), "{}", receipt.text());
    assert_eq!(gateway.get("/v1/shares/1/deliveries/99/receipt", &key).status, 404);

    // The address of a download is good for a day.
    bench.set_clock(NOW_MS + DAY_MS);
    assert_eq!(gateway.ask("GET", &file, &[], b"").status, 410);
}

#[test]
fn what_was_removed_is_not_counted_for_reviewers_and_told_to_the_maker() {
    let (bench, key) = bench(100);
    let share = made(&bench, &[]);
    let page = page_of(&share);
    let gateway = bench.serve();
    let remove = |name: &str, ordinals: &[usize]| {
        let ids: Vec<_> = tweet_ids(1, 100).collect();
        let list: String = ordinals.iter().map(|n| format!("{}\n", ids[*n])).collect();
        std::fs::write(bench.path(name), list).unwrap();
        let file = bench.path(name);
        let list = ["removal", "import", file.to_str().unwrap(), "--kind", "tweet"];
        bench.json(&[&list[..], &["--reason", "they asked"]].concat())
    };
    remove("first.txt", &[3, 4]);
    let shown = gateway.ask("GET", &page, &[HTML], b"");
    assert!(shown.text().contains("98 Tweet IDs"), "{}", shown.text());
    let address = begun(&gateway, &page);
    let answer = gateway.ask("GET", &address, &[], b"");
    assert_eq!((answer.status, answer.text().lines().count()), (200, 98));
    assert_eq!(used(&bench, &share), 98);
    // What reviewers have by now, its maker is told of: nobody else knows whom to ask.
    remove("second.txt", &[4, 5, 20, 21]);
    let feed = gateway.get("/v1/removals", &key).json();
    let [entry] = &feed["removals"].as_array().unwrap()[..] else { panic!("{feed}") };
    assert_eq!(entry["removed"], json!([[5, 5], [20, 21]]));
    let by_link = json!([{ "link": id_of(&share), "lines": [[4, 4], [19, 20]] }]);
    assert_eq!(entry["deliveries"], by_link);
    let holders = bench.json(&["removal", "holders"]);
    assert_eq!(holders["holders"][0]["person"], MAKER);
    assert_eq!(holders["holders"][0]["lines"], 3);
}

#[test]
fn what_opens_nothing_is_404_of_one_size_and_slowed_down() {
    let (bench, _) = bench(100);
    let share = made(&bench, &[]);
    let token = share["token"].as_str().unwrap().to_owned();
    let gateway = bench.serve();
    let other = format!("{}{}", if token.starts_with('a') { "b" } else { "a" }, &token[1..]);
    let mut sizes = Vec::new();
    for guess in ["x", &other, &token[1..], &format!("{token}0"), "%F0%9F%92%A9", "%F0%28"] {
        let answer = gateway.ask("GET", &format!("/s/{guess}"), &[], b"");
        sizes.push((answer.status, answer.head.len(), answer.body));
        let answer = gateway.ask("GET", &format!("/s/downloads/{guess}"), &[], b"");
        sizes.push((answer.status, answer.head.len(), answer.body));
    }
    for path in ["/s/", "/s/style/x.css", "/s/x/y", "/s/x/downloads/y/z"] {
        let answer = gateway.ask("GET", path, &[], b"");
        sizes.push((answer.status, answer.head.len(), answer.body));
    }
    assert_eq!(sizes[0].0, 404);
    assert!(sizes.iter().all(|answer| *answer == sizes[0]), "{sizes:?}");
    for _ in 0..30 {
        gateway.ask("GET", &format!("/s/{other}"), &[], b"");
    }
    let slowed = gateway.ask("GET", &format!("/s/{other}"), &[], b"");
    assert_eq!((slowed.status, slowed.field("retry-after")), (429, Some("61")));
    // Whoever has a link opens it all the same, however it is typed.
    let typed = format!("/s/{}-{}", token[..10].to_uppercase(), &token[10..]);
    assert_eq!(gateway.ask("GET", &typed, &[], b"").status, 200);

    bench.set_clock(NOW_MS + 59 * DAY_MS);
    assert_eq!(gateway.ask("GET", &page_of(&share), &[], b"").status, 200);
    bench.set_clock(NOW_MS + 61 * DAY_MS);
    assert_eq!(gateway.ask("GET", &page_of(&share), &[], b"").status, 410);
    bench.done(&["share", "extend", "1", "--until", "2027-06-30"]);
    assert_eq!(gateway.ask("GET", &page_of(&share), &[], b"").status, 200);
    bench.done(&["share", "revoke", "1"]);
    let gone = gateway.ask("GET", &page_of(&share), &[], b"");
    assert_eq!((gone.status, gone.problem().as_str()), (410, "link-closed"));
}

#[test]
fn ten_downloads_at_once_stop_exactly_at_the_limits_of_the_link() {
    let (bench, _) = bench(20_000);
    let few_ids = made(&bench, &["--ids-max", "70000", "--downloads", "99"]);
    let few_downloads = made(&bench, &["--downloads", "4"]);
    let gateway = bench.serve();
    for (share, whole, ids) in [(&few_ids, 3, 60_000), (&few_downloads, 4, 80_000)] {
        let files: Vec<String> = (0..10).map(|_| begun(&gateway, &page_of(share))).collect();
        let received = AtomicU64::new(0);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let asked: Vec<_> = files
                .iter()
                .map(|file| {
                    scope.spawn(|| {
                        let answer = gateway.ask("GET", file, &[], b"");
                        let lines = answer.body.iter().filter(|byte| **byte == b'\n').count();
                        if answer.status == 200 {
                            received.fetch_add(lines as u64, Ordering::Relaxed);
                        }
                        answer.status
                    })
                })
                .collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let granted = statuses.iter().filter(|status| **status == 200).count();
        assert_eq!(granted, whole, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 403, 429].contains(status)), "{statuses:?}");
        assert_eq!(received.into_inner(), ids);
        assert_eq!(used(&bench, share), ids);
    }
    // The last 10,000 are there for whoever asks for no more.
    let file = begun(&gateway, &page_of(&few_ids));
    assert_eq!(gateway.ask("GET", &file, &[], b"").status, 403);
    let part = gateway.ask("GET", &file, &[("Range", "bytes=0-199999")], b"");
    assert_eq!((part.status, used(&bench, &few_ids)), (206, 70_000));
    assert_eq!(gateway.ask("GET", &file, &[("Range", "bytes=0-0")], b"").status, 403);
}

/// Reads what comes until so many bytes are there.
fn read_some(stream: &mut TcpStream, bytes: usize) -> Vec<u8> {
    let mut read = vec![0; bytes];
    stream.read_exact(&mut read).unwrap();
    read
}

/// Reads to the end, however it comes.
fn read_rest(stream: &mut TcpStream, read: &mut Vec<u8>) {
    let mut piece = [0; 64 * 1024];
    while let Ok(bytes @ 1..) = stream.read(&mut piece) {
        read.extend_from_slice(&piece[..bytes]);
    }
}

/// The whole IDs in what a connection received.
fn lines(read: &[u8]) -> u64 {
    let end = read.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    read[end..].iter().skip(4).filter(|byte| **byte == b'\n').count() as u64
}

#[test]
fn whatever_ends_a_link_ends_a_download_under_way_within_a_chunk() {
    type End = fn(&Bench);
    let ends: [End; 5] = [
        |bench| drop(bench.done(&["share", "revoke", "1"])),
        |bench| drop(bench.done(&["share", "publish", "1"])),
        |bench| bench.set_clock(NOW_MS + 80 * DAY_MS),
        |bench| drop(bench.done(&["exemption", "revoke", "1", "--reason", "a mistake"])),
        |bench| drop(bench.done(&["person", "suspend", MAKER])),
    ];
    for end in ends {
        let (bench, _) = bench(400_000);
        let share = made(&bench, &["--downloads", "2"]);
        let gateway = bench.serve();
        let file = begun(&gateway, &page_of(&share));
        let mut stream = gateway.send("GET", &file, &[], b"");
        let mut read = read_some(&mut stream, 100_000);
        end(&bench);
        // What was on its way by then: two chunks, and the buffers of both sides.
        read_rest(&mut stream, &mut read);
        let received = lines(&read);
        assert!(received < 300_000, "{received} IDs arrived: the download went on");
        let used = used(&bench, &share);
        assert!(received <= used, "{received} IDs arrived, and {used} are charged");
        assert!(used - received <= 10_000, "{used} are charged for {received}");
        let status = gateway.ask("GET", &file, &[], b"").status;
        assert_eq!(status, 410);
    }
}

#[test]
fn a_gateway_that_is_killed_has_charged_all_that_a_reviewer_received() {
    let (bench, _) = bench(400_000);
    let share = made(&bench, &["--ids-max", "500000"]);
    let gateway = bench.serve();
    let file = begun(&gateway, &page_of(&share));
    let mut stream = gateway.send("GET", &file, &[], b"");
    let mut read = read_some(&mut stream, 1_000_000);
    gateway.kill_now();
    read_rest(&mut stream, &mut read);
    drop(gateway);
    let gateway = bench.serve();
    let (received, charged) = (lines(&read), used(&bench, &share));
    assert!(received <= charged, "{received} IDs arrived, and {charged} are charged");
    // The address goes on where it stopped, as a part of the same download.
    let fields = [("Range", format!("bytes={}-", received * 20))];
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let rest = gateway.ask("GET", &file, &fields, b"");
    assert_eq!((rest.status, rest.body.len() as u64), (206, (400_000 - received) * 20));
    assert_eq!(shown(&bench, &share)["downloads"], 1);
}

#[test]
fn passphrases_that_are_guessed_are_slowed_down() {
    let (bench, _) = bench(100);
    std::fs::write(bench.path("phrase"), "four words of mine\n").unwrap();
    let share = made(&bench, &["--passphrase-file", bench.path("phrase").to_str().unwrap()]);
    let gateway = bench.serve();
    let page = page_of(&share);
    let said = terms(&gateway.ask("GET", &page, &[], b""));
    let say = |phrase: &str| {
        let body = format!("{said}passphrase={phrase}");
        gateway.ask("POST", &format!("{page}/downloads"), &[FORM], body.as_bytes())
    };
    for _ in 0..5 {
        let wrong = say("wrong+words");
        assert_eq!((wrong.status, wrong.problem().as_str()), (403, "passphrase-wrong"));
    }
    // Even the right one waits now: whoever guesses many at once learns nothing.
    let waits = say("four+words+of+mine");
    assert_eq!((waits.status, waits.field("retry-after")), (429, Some("2")));
    bench.set_clock(NOW_MS + 2_000);
    assert_eq!(say("wrong+again").status, 403);
    let waits = say("four+words+of+mine");
    assert_eq!((waits.status, waits.field("retry-after")), (429, Some("3")));
    bench.set_clock(NOW_MS + 5_000);
    assert_eq!(say("four+words+of+mine").status, 303);
    assert_eq!(say("wrong+words").status, 403, "a right one begins anew");
    // It stands nowhere in the clear.
    let database = std::fs::read(bench.data().join("hydrant.sqlite")).unwrap();
    let wal = std::fs::read(bench.data().join("hydrant.sqlite-wal")).unwrap_or_default();
    for file in [database, wal] {
        assert!(!file.windows(18).any(|bytes| bytes == b"four words of mine"));
    }
}

#[test]
fn makers_make_links_over_the_api_and_see_numbers_and_days() {
    let (bench, key) = bench(1_000);
    bench.entity("acme", "commercial");
    let stranger = bench.person("bob@acme.example", &["acme"]);
    let gateway = bench.serve();
    let send = |key: &str, method: &str, path: &str, name: &str, body: &Value| {
        let bearer = format!("Bearer {key}");
        let fields = [("Authorization", bearer.as_str()), ("Idempotency-Key", name)];
        let fields = if name.is_empty() { &fields[..1] } else { &fields[..] };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        gateway.ask(method, path, fields, body.as_bytes())
    };
    let wanted = json!({ "dataset": "walks", "label": "Paper 7", "until": "2027-02-28",
        "downloads_max": 3, "note": "for the editor" });
    let first = send(&key, "POST", "/v1/shares", "a-1", &wanted);
    assert_eq!(first.status, 201, "{}", first.text());
    let share = first.json();
    assert_eq!((&share["state"], &share["face"]), (&json!("open"), &json!("blind")));
    assert_eq!((&share["ids_max"], &share["exemption"]), (&json!(3_000), &json!("1")));
    assert_eq!(share["expires"], "2027-03-01T00:00:00Z");
    let url = share["url"].as_str().unwrap().to_owned();
    let page = url.strip_prefix(&gateway.url("")).unwrap().to_owned();
    // The same request once more is the same link, and its secret is not said again.
    let again = send(&key, "POST", "/v1/shares", "a-1", &wanted).json();
    assert_eq!((&again["id"], &again["replayed"]), (&share["id"], &json!(true)));
    assert!(!again.to_string().contains(share["token"].as_str().unwrap()), "{again}");
    let other = json!({ "dataset": "walks", "label": "Other" });
    assert_eq!(send(&key, "POST", "/v1/shares", "a-1", &other).status, 409);

    for (key, body, status) in [
        (&stranger, &wanted, 409),
        (&key, &json!({ "label": "x" }), 400),
        (&key, &json!({ "dataset": "none", "label": "x" }), 404),
        (&key, &json!({ "dataset": "walks", "label": "x", "ids": "dm" }), 400),
        (&key, &json!({ "dataset": "walks", "label": "x", "until": "2029-01-01" }), 400),
        (&key, &json!({ "dataset": "walks", "label": "x", "until": "2026-01-01" }), 400),
        (&key, &json!({ "dataset": "walks", "label": "x", "ids_max": 999 }), 400),
        (&key, &json!({ "dataset": "walks", "label": "x", "downloads_max": 0 }), 400),
        (&key, &json!({ "dataset": "walks", "label": "x", "passphrase": "short" }), 400),
        (&key, &json!({ "dataset": "walks", "label": "x", "mail": "bob@acme.example" }), 400),
        (&key, &json!({ "dataset": "walks", "label": " " }), 400),
    ] {
        let answer = send(key, "POST", "/v1/shares", "", body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
    for (method, path) in [
        ("GET", "/v1/shares/1"),
        ("DELETE", "/v1/shares/1"),
        ("POST", "/v1/shares/1/publish"),
        ("GET", "/v1/shares/1/account.csv"),
        ("GET", "/v1/shares/1/deliveries/1/receipt"),
    ] {
        let answer = send(&stranger, method, path, "", &Value::Null);
        assert_eq!(answer.status, 403, "{method} {path}");
    }
    assert_eq!(send(&stranger, "GET", "/v1/shares", "", &Value::Null).json()["shares"], json!([]));
    assert_eq!(gateway.ask("GET", "/v1/shares", &[], b"").status, 401);

    let file = begun(&gateway, &page);
    let agent = [("User-Agent", "zqagent/1.0"), ("X-Forwarded-For", "203.0.113.9")];
    assert_eq!(gateway.ask("GET", &file, &agent, b"").status, 200);
    assert_eq!(used(&bench, &share), 1_000);
    let seen = send(&key, "GET", "/v1/shares/1", "", &Value::Null);
    let days = json!([{ "day": "2027-01-15", "downloads": 1, "ids": 1_000 }]);
    assert_eq!(seen.json()["days"], days);
    for nothing in ["zqagent", "203.0.113.9", "127.0.0.1", "T08:", "token"] {
        assert!(!seen.text().replace("\"created\":\"2027-01-15T08:", "").contains(nothing));
    }
    let csv = send(&key, "GET", "/v1/shares/1/account.csv", "", &Value::Null);
    assert_eq!(csv.text(), "day,downloads,ids\r\n2027-01-15,1,1000\r\nall,1,1000\r\n");
    let text = send(&key, "GET", "/v1/shares/1/account.txt", "", &Value::Null);
    assert!(text.text().contains("for the editor"), "{}", text.text());
    for name in ["Ada", "uni", "walks", "Paper 7"] {
        assert!(!text.text().contains(name), "{name} in {}", text.text());
    }
    let listed = send(&key, "GET", "/v1/shares", "", &Value::Null).json();
    assert_eq!(listed["shares"].as_array().unwrap().len(), 1);

    let until = json!({ "until": "2027-05-31" });
    let extended = send(&key, "POST", "/v1/shares/1/extend", "", &until);
    assert_eq!(extended.json()["expires"], "2027-06-01T00:00:00Z");
    let earlier = json!({ "until": "2027-05-01" });
    assert_eq!(send(&key, "POST", "/v1/shares/1/extend", "", &earlier).status, 400);
    let published = send(&key, "POST", "/v1/shares/1/publish", "", &Value::Null);
    assert_eq!(published.json()["state"], "published");
    let landing = gateway.ask("GET", &page, &[HTML], b"");
    assert_eq!(landing.status, 200);
    assert!(landing.text().contains("Ada Example") && !landing.text().contains("<form"));
    let post = format!("{page}/downloads");
    assert_eq!(gateway.ask("POST", &post, &[FORM], b"").status, 410);
    assert_eq!(send(&key, "POST", "/v1/shares/1/extend", "", &until).status, 409);
    // A page with names stays when its time is up, until somebody takes it away.
    bench.set_clock(NOW_MS + 200 * DAY_MS);
    assert_eq!(gateway.ask("GET", &page, &[HTML], b"").status, 200);
    assert_eq!(send(&key, "DELETE", "/v1/shares/1", "", &Value::Null).status, 200);
    assert_eq!(gateway.ask("GET", &page, &[HTML], b"").status, 410);
}

#[test]
fn commands_make_show_and_end_links() {
    let bench = Bench::new();
    bench.entity("uni", "academic");
    bench.person(MAKER, &["uni"]);
    bench.dataset("walks", 1, 100);
    let create = ["share", "create", "walks", "--person", MAKER, "--label", "a paper"];
    let bare = bench.run(&create);
    assert!(bare.code == 1 && bare.stderr.contains("academic exemption is in force"), "{bare:?}");
    bench.exempt("uni", MAKER, &day_after_days(300));
    let made = bench.run(&create);
    let url = made.stdout.trim();
    assert!(url.starts_with("http://127.0.0.1:8080/s/") && url.len() == 24 + 52, "{made:?}");
    assert!(made.stderr.contains("shown only this once"), "{made:?}");
    assert!(made.stderr.contains("share.public_url"), "{made:?}");
    let listed = bench.done(&["share", "list", "--person", MAKER]);
    assert!(listed.contains("a paper") && listed.contains("open"), "{listed}");
    assert!(!listed.contains(&url[24..]), "the token is nowhere any more");
    let shown = bench.done(&["share", "show", "1"]);
    assert!(shown.contains("peer-review") && shown.contains("blind"), "{shown}");
    let account = bench.done(&["share", "export", "1"]);
    assert!(account.starts_with("Account of a link"), "{account}");
    assert_eq!(bench.done(&["share", "export", "1", "--as", "csv"]).lines().count(), 2);
    assert_eq!(bench.run(&["share", "create", "walks", "--person", MAKER]).code, 2);
    bench.done(&["share", "revoke", "1"]);
    let twice = bench.run(&["share", "revoke", "1"]);
    assert!(twice.code == 1 && twice.stderr.contains("revoked at"), "{twice:?}");
    let none = bench.run(&["share", "show", "9"]);
    assert!(none.code == 1 && none.stderr.contains("there is no link 9"), "{none:?}");
    bench.done(&["dataset", "retire", "walks"]);
    let retired = bench.run(&create);
    assert!(retired.stderr.contains("there is no dataset `walks`"), "{retired:?}");
}
