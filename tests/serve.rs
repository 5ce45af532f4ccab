//! Downloads from the real gateway: their bytes, their charges, their ranges and their refusals.

mod harness;

use std::io::Read;
use std::process::Command;

use harness::{Answer, Bench, Gateway, id_text, wait_until};
use serde_json::Value;

/// A bench with one entity, one person of it and one dataset of so many IDs; and the person's key.
fn one_dataset(count: u64) -> (Bench, String) {
    let bench = Bench::new();
    bench.entity("acme", "commercial");
    let key = bench.person("ada@acme.example", &["acme"]);
    bench.dataset("walks", 1, count);
    (bench, key)
}

/// What an entity has live of its Tweet IDs, by its meter.
fn live(tweets: &Value) -> u64 {
    tweets["used"].as_u64().unwrap() + tweets["open"].as_u64().unwrap()
}

/// The meter of Tweet IDs of the requester's one entity.
fn tweets(gateway: &Gateway, key: &str) -> Value {
    harness::tweets(&gateway.get("/v1/usage", key).json()["entities"][0])
}

/// The same, once everything that was sent is settled.
fn settled(gateway: &Gateway, key: &str) -> Value {
    let mut meter = Value::Null;
    wait_until("everything is settled", || {
        meter = tweets(gateway, key);
        meter["open"] == 0 && meter["held"] == 0
    });
    meter
}

const IDS: &str = "/v1/datasets/walks/tweet-ids";

#[test]
fn a_download_is_the_release_byte_for_byte_and_nothing_but_digits_and_line_feeds() {
    let (bench, key) = one_dataset(150_000);
    let gateway = bench.serve();
    let answer = gateway.get(IDS, &key);
    assert_eq!(answer.status, 200, "{}", answer.head);
    assert_eq!(answer.text(), id_text(1, 150_000));
    assert!(answer.body.iter().all(|&byte| byte == b'\n' || byte.is_ascii_digit()));
    assert_eq!(answer.field("content-length"), Some(answer.body.len().to_string().as_str()));
    assert_eq!(answer.field("accept-ranges"), Some("bytes"));
    assert_eq!(answer.field("cache-control"), Some("private, no-store"));
    assert!(answer.field("repr-digest").unwrap().starts_with("sha-256=:"), "{}", answer.head);

    let usage = settled(&gateway, &key);
    assert_eq!(live(&usage), 150_000);
    let delivery = answer.field("hydrant-delivery").unwrap();
    let delivery = gateway.get(&format!("/v1/deliveries/{delivery}"), &key).json();
    assert_eq!(delivery["charged"], 150_000, "{delivery}");
    assert_eq!(delivery["state"], "complete", "{delivery}");
    assert_eq!(delivery["charged_to"][0]["basis"], "limit", "{delivery}");
}

#[test]
fn where_an_id_counts_once_it_is_handed_over_again_for_free_and_people_are_told_so() {
    let (bench, key) = one_dataset(3_000);
    // 2,000 of these are new to whoever has those.
    let list = bench.path("more.txt");
    std::fs::write(&list, &id_text(1, 5_000)[id_text(1, 2_000).len()..]).unwrap();
    let add = ["dataset", "add", "more", list.to_str().unwrap(), "--title", "More", "--ids"];
    bench.done(&[&add[..], &["tweet", "--visibility", "signed-in"]].concat());
    let profile = include_str!("../schema/profiles/twitter-2020-03.toml");
    let profile = profile.replace("1_500_000", "4_000");
    std::fs::write(bench.path("small.toml"), profile).unwrap();
    let mut command = bench.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("HYDRANT__POLICY__COUNT", "distinct");
    command.env("HYDRANT__POLICY__PROFILE", "./small.toml");
    let gateway = Gateway::start(command);
    for _ in 0..2 {
        assert_eq!(gateway.get(IDS, &key).text(), id_text(1, 3_000));
        let usage = settled(&gateway, &key);
        assert_eq!((live(&usage), usage["count"].as_str()), (3_000, Some("distinct")));
    }
    let more = "/v1/datasets/more/tweet-ids";
    let refused = gateway.get(more, &key);
    assert_eq!((refused.status, refused.problem().as_str()), (429, "allowance-used"));
    let refused = refused.json();
    assert_eq!((&refused["requested"], &refused["remaining"]), (&2_000.into(), &1_000.into()));
    assert_eq!(
        refused["detail"],
        "acme has room for 1000 more distinct Tweet IDs now, 2000 of those asked for are new to it"
    );
    let part = gateway.get(&format!("{more}?limit=2000"), &key);
    assert_eq!(part.status, 200, "1,000 it has, and 1,000 are left");
    assert_eq!(live(&settled(&gateway, &key)), 4_000);
    assert_eq!(gateway.get(IDS, &key).status, 200);
    let objects = &gateway.get("/v1/usage", &key).json()["objects"];
    assert_eq!((&objects["used"], &objects["remaining"]), (&0.into(), &50_000.into()));
    assert!(bench.done(&["usage", "acme"]).contains("COUNTED"));
}

#[test]
fn a_selection_is_charged_for_what_it_selects() {
    let (bench, key) = one_dataset(10_000);
    let gateway = bench.serve();
    let text = id_text(1, 10_000);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for (query, expected) in [
        ("?offset=10&limit=5", lines[10..15].concat()),
        ("?offset=9999", lines[9_999].to_owned()),
        ("?limit=1", lines[0].to_owned()),
        ("?offset=9990&limit=100", lines[9_990..].concat()),
        ("?offset=10000", String::new()),
    ] {
        let answer = gateway.get(&format!("{IDS}{query}"), &key);
        assert_eq!((answer.status, answer.text()), (200, expected.as_str()), "{query}");
        assert_eq!(answer.field("repr-digest"), None, "a digest of a part tells what is in it");
    }
    assert_eq!(live(&settled(&gateway, &key)), 5 + 1 + 1 + 10);
    for query in ["?offset=10001", "?limit=0", "?offset=-1", "?limit=x", "?page=1"] {
        let answer = gateway.get(&format!("{IDS}{query}"), &key);
        assert_eq!((answer.status, answer.problem().as_str()), (400, "bad-request"), "{query}");
    }
    assert_eq!(live(&settled(&gateway, &key)), 17);
}

#[test]
fn what_hands_out_nothing_costs_nothing() {
    let (bench, key) = one_dataset(1_000);
    let gateway = bench.serve();
    let bearer = format!("Bearer {key}");
    let head = gateway.ask("HEAD", IDS, &[("Authorization", &bearer)], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.field("content-length"), Some("20000"));
    let tag = head.field("etag").unwrap().to_owned();
    for (fields, status) in [
        (("If-None-Match", tag.as_str()), 304),
        (("If-Match", "\"other\""), 412),
        (("Range", "bytes=5-2"), 416),
        (("Range", "bytes=abc"), 416),
        (("Range", "bytes=-0"), 416),
        (("Range", "bytes=20000-"), 416),
        (("Range", "bytes=99999999999999999999-"), 416),
        (("Range", "bytes=0-0,5-6"), 416),
        (("Range", "bytes=0-0,0-0,0-0"), 416),
        (("Range", "bytes=40-"), 412),
    ] {
        let answer = gateway.get_with(IDS, &key, &[fields]);
        assert_eq!(answer.status, status, "{fields:?} {}", answer.head);
        if status == 416 {
            assert_eq!(answer.field("content-range"), Some("bytes */20000"), "{fields:?}");
        }
    }
    assert_eq!(live(&settled(&gateway, &key)), 0);
}

#[test]
fn a_range_is_charged_for_every_id_that_it_touches() {
    let (bench, key) = one_dataset(1_000);
    let gateway = bench.serve();
    let text = id_text(1, 1_000);
    let mut expected = 0;
    for (range, bytes, ids) in
        [("bytes=0-0", 0..1, 1), ("bytes=0-19", 0..20, 1), ("bytes=0-20", 0..21, 2)]
    {
        let answer = gateway.get_with(IDS, &key, &[("Range", range)]);
        assert_eq!(answer.status, 206, "{range}");
        assert_eq!(answer.text(), &text[bytes.clone()], "{range}");
        let content_range = format!("bytes {}-{}/20000", bytes.start, bytes.end - 1);
        assert_eq!(answer.field("content-range"), Some(content_range.as_str()));
        expected += ids;
        assert_eq!(live(&settled(&gateway, &key)), expected, "{range}");
    }
    // Nothing that was downloaded reaches so far, so the tag has to vouch for it.
    let late = ("Range", "bytes=19990-");
    assert_eq!(gateway.get_with(IDS, &key, &[late]).status, 412);
    let tag = gateway.get_with(IDS, &key, &[("Range", "bytes=0-0")]);
    let tag = ("If-Range", tag.field("etag").unwrap());
    let answer = gateway.get_with(IDS, &key, &[late, tag]);
    assert_eq!((answer.status, answer.text()), (206, &text[19_990..]));
    assert_eq!(live(&settled(&gateway, &key)), expected + 2);
    let other_unit = gateway.get_with(IDS, &key, &[("Range", "lines=1-2")]);
    assert_eq!((other_unit.status, other_unit.body.len()), (200, 20_000));
}

#[test]
fn bytes_of_two_views_are_never_glued_together() {
    let (bench, key) = one_dataset(1_000);
    let gateway = bench.serve();
    let nothing_before = gateway.get_with(IDS, &key, &[("Range", "bytes=30-")]);
    assert_eq!((nothing_before.status, nothing_before.problem().as_str()), (412, "view-changed"));
    let problem = nothing_before.json();
    assert_eq!(problem["offset"], 1, "{problem}");
    let on = problem["continue"].as_str().unwrap();
    let continued = gateway.get(on, &key);
    assert_eq!(continued.status, 200);
    assert_eq!(continued.text(), &id_text(1, 1_000)[20..]);

    // With a validator the tag decides, whatever was delivered before.
    let tag =
        gateway.get_with(IDS, &key, &[("Range", "bytes=0-0")]).field("etag").unwrap().to_owned();
    let same = gateway.get_with(IDS, &key, &[("Range", "bytes=30-"), ("If-Range", &tag)]);
    assert_eq!((same.status, same.body.len()), (206, 19_970));
    let stale = gateway.get_with(IDS, &key, &[("Range", "bytes=30-"), ("If-Range", "\"stale\"")]);
    assert_eq!((stale.status, stale.body.len()), (200, 20_000));
    let weak = format!("W/{tag}");
    let weak = gateway.get_with(IDS, &key, &[("Range", "bytes=30-"), ("If-Range", &weak)]);
    assert_eq!((weak.status, weak.body.len()), (200, 20_000));
}

/// A probe of the first byte once made the gateway forget what had been downloaded before.
#[test]
fn a_probe_of_the_new_view_does_not_vouch_for_the_rest_of_it() {
    let (bench, key) = one_dataset(1_000);
    let gateway = bench.serve();
    assert_eq!(gateway.get_with(IDS, &key, &[("Range", "bytes=0-9999")]).status, 206);
    let list = bench.path("newer.txt");
    std::fs::write(&list, id_text(2, 1_000)).unwrap();
    bench.done(&["dataset", "refresh", "walks", list.to_str().unwrap()]);
    let probe = gateway.get_with(IDS, &key, &[("Range", "bytes=0-0")]);
    assert_eq!(probe.status, 206);
    let glued = gateway.get_with(IDS, &key, &[("Range", "bytes=10000-")]);
    assert_eq!((glued.status, glued.problem().as_str()), (412, "view-changed"));
    assert_ne!(glued.json()["earlier_release"], glued.json()["release"]);
    let old = glued.json()["earlier_release"].as_str().unwrap().to_owned();
    let rest =
        gateway.get_with(&format!("{IDS}?release={old}"), &key, &[("Range", "bytes=10000-")]);
    assert_eq!((rest.status, rest.text()), (206, &id_text(1, 1_000)[10_000..]));
}

#[test]
fn a_field_that_is_no_text_is_not_a_field_that_is_not_there() {
    let (bench, key) = one_dataset(100);
    let gateway = bench.serve();
    for (field, status) in [
        ("Range: bytes=0-9\u{e9}", 416),
        ("If-Match: \"\u{e9}\"", 412),
        ("If-Match: \"x\", *", 412),
    ] {
        let (name, value) = field.split_once(": ").unwrap();
        let answer = gateway.get_with(IDS, &key, &[(name, value)]);
        assert_eq!(answer.status, status, "{field}");
    }
    let twice = [("If-None-Match", "\"x\""), ("If-None-Match", "*")];
    assert_eq!(gateway.get_with(IDS, &key, &twice).status, 200, "a star stands alone");
    assert_eq!(live(&settled(&gateway, &key)), 100);
}

/// Runs `curl` or `wget`, cuts it after some bytes, and lets it continue.
fn cut_and_continued(program: &str, first: &[&str], again: &[&str]) {
    let (bench, key) = one_dataset(300_000);
    let gateway = bench.serve();
    let file = bench.path("ids.txt");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).arg("--header").arg(format!("Authorization: Bearer {key}"));
        command.arg(gateway.url(IDS)).current_dir(file.parent().unwrap());
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        command
    };
    // Slowed down by its own option, so that it is in the middle when it is killed.
    let mut slow = run(first).spawn().unwrap();
    let received = || std::fs::metadata(&file).map_or(0, |file| file.len());
    wait_until("some bytes have arrived", || received() > 100_000);
    slow.kill().unwrap();
    slow.wait().unwrap();
    let before = received();
    assert!(before < 6_000_000, "it was cut in the middle, at {before}");
    let charged_before = live(&settled(&gateway, &key));
    // Two chunks of 4,096 and what the buffers of both sides hold.
    let received_ids = before.div_ceil(20);
    let over_ids = charged_before - received_ids;
    assert!(
        over_ids <= 2 * 4_096 + 16 * 1_024,
        "{charged_before} charged, {received_ids} received"
    );

    assert!(run(again).status().unwrap().success());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), id_text(1, 300_000));
    let charged = live(&settled(&gateway, &key));
    let expected = charged_before + 300_000 - before / 20;
    assert_eq!(charged, expected, "the rest is charged once");
}

#[test]
fn curl_continues_a_download_that_was_cut() {
    cut_and_continued(
        "curl",
        &["-sS", "--limit-rate", "400K", "-o", "ids.txt"],
        &["-sS", "--fail", "-C", "-", "-o", "ids.txt"],
    );
}

#[test]
fn wget_continues_a_download_that_was_cut() {
    cut_and_continued(
        "wget",
        &["-q", "--limit-rate=400k", "-O", "ids.txt"],
        &["-q", "-c", "-O", "ids.txt"],
    );
}

#[test]
fn of_64_at_once_exactly_15_fit_and_the_others_are_told_when_they_would() {
    let (bench, key) = one_dataset(100_000);
    let gateway = bench.serve();
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..64).map(|_| scope.spawn(|| gateway.get(IDS, &key))).collect();
        asked.into_iter().map(|answer| answer.join().unwrap()).collect()
    });
    let (fit, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((fit.len(), refused.len()), (15, 49));
    let text = id_text(1, 100_000);
    assert!(fit.iter().all(|answer| answer.text() == text));
    for answer in refused {
        assert_eq!((answer.status, answer.problem().as_str()), (429, "allowance-used"));
        let problem = answer.json();
        assert_eq!(problem["requested"], 100_000, "{problem}");
        assert_eq!(problem["remaining"], 0, "{problem}");
        let wait: u64 = answer.field("retry-after").unwrap().parse().unwrap();
        assert!(wait > 0 && wait <= 30 * 86_400 + 3_660, "{wait}");
        let limit = answer.field("ratelimit").unwrap();
        assert!(limit.starts_with("\"entity-30d\";r=0;t="), "{limit}");
        let policy = answer.field("ratelimit-policy");
        assert_eq!(policy, Some("\"entity-30d\";q=1500000;w=2592000"));
    }
    assert_eq!(live(&settled(&gateway, &key)), 1_500_000);
    let one_more = gateway.get(&format!("{IDS}?limit=1"), &key);
    assert_eq!(one_more.status, 429);
}

#[test]
fn more_than_the_ceiling_is_refused_with_a_plan_of_parts() {
    let (bench, key) = one_dataset(1_500_001);
    let gateway = bench.serve();
    let answer = gateway.get(IDS, &key);
    assert_eq!((answer.status, answer.problem().as_str()), (403, "never-fits"));
    let problem = answer.json();
    assert_eq!(problem["ceiling"], 1_500_000, "{problem}");
    let parts = problem["parts"].as_array().unwrap();
    let taken: u64 = parts.iter().map(|part| part["limit"].as_u64().unwrap()).sum();
    assert_eq!(taken, 1_500_001, "{problem}");
    assert_eq!(live(&settled(&gateway, &key)), 0);
    let first = parts[0]["address"].as_str().unwrap();
    assert_eq!(gateway.get(first, &key).status, 200);
    assert_eq!(live(&settled(&gateway, &key)), parts[0]["limit"].as_u64().unwrap());
}

#[test]
fn colleagues_share_one_allowance() {
    let (bench, ada) = one_dataset(800_000);
    let bob = bench.person("bob@acme.example", &["acme"]);
    let gateway = bench.serve();
    assert_eq!(gateway.get(IDS, &ada).status, 200);
    let refused = gateway.get(IDS, &bob);
    assert_eq!((refused.status, refused.json()["remaining"].as_u64()), (429, Some(700_000)));
    let rest = gateway.get(&format!("{IDS}?limit=700000"), &bob);
    assert_eq!(rest.status, 200);
    assert_eq!(live(&settled(&gateway, &ada)), 1_500_000);
}

#[test]
fn an_exempt_entity_passes_the_limit_until_the_day_its_exemption_ends() {
    // 2026-03-01T00:00:00Z
    let start_ms = 1_772_323_200_000;
    let bench = Bench::with_clock(start_ms);
    bench.entity("uni", "academic");
    let key = bench.person("ada@uni.example", &["uni"]);
    bench.dataset("walks", 1, 2_000_000);
    bench.exempt("uni", "ada@uni.example", "2026-03-11");
    let gateway = bench.serve();
    assert_eq!(gateway.get(IDS, &key).body.len(), 40_000_000);
    let usage = settled(&gateway, &key);
    assert_eq!(live(&usage), 2_000_000);
    assert_eq!(usage["ceiling"], Value::Null, "{usage}");
    assert!(usage["basis"].as_str().unwrap().starts_with("exemption:"), "{usage}");

    bench.set_clock(start_ms + 11 * 86_400_000);
    let one = format!("{IDS}?limit=1");
    let ended = gateway.get(&one, &key);
    assert_eq!((ended.status, ended.problem().as_str()), (429, "allowance-used"));
    assert_eq!(ended.json()["remaining"], 0);
    assert_eq!(tweets(&gateway, &key)["over"], true);

    // A window and its hour of grace after the download the allowance is whole again.
    bench.set_clock(start_ms + 30 * 86_400_000 + 3_600_000 - 60_000);
    assert_eq!(gateway.get(&one, &key).status, 429);
    bench.set_clock(start_ms + 30 * 86_400_000 + 3_600_000 + 120_000);
    assert_eq!(gateway.get(&one, &key).status, 200);
    assert_eq!(live(&settled(&gateway, &key)), 1);
}

#[test]
fn a_revoked_key_ends_a_download_within_a_chunk() {
    let (bench, key) = one_dataset(1_400_000);
    let gateway = bench.serve();
    let bearer = format!("Bearer {key}");
    let mut stream = gateway.send("GET", IDS, &[("Authorization", &bearer)], b"");
    let mut first = vec![0; 64 * 1024];
    stream.read_exact(&mut first).unwrap();
    let keys = bench.json(&["key", "list", "ada@acme.example"]);
    bench.done(&["key", "revoke", keys[0]["id"].as_str().unwrap()]);
    let mut rest = Vec::new();
    // A reset is as good as an end.
    let _ = stream.read_to_end(&mut rest);
    let received = first.len() + rest.len();
    assert!(received < 2_000_000, "{received} bytes came after the revocation");
    assert_eq!(gateway.get(IDS, &key).status, 401);
}

#[test]
fn an_operator_sees_who_received_what() {
    let bench = Bench::new();
    bench.entity("acme", "commercial");
    bench.entity("uni", "academic");
    bench.dataset("walks", 1, 100);
    let ada = bench.person("ada@acme.example", &["acme"]);
    let bob = bench.person("bob@uni.example", &["uni"]);
    let both = bench.person("eve@both.example", &["acme", "uni"]);
    let gateway = bench.serve();
    for (key, limit) in [(&ada, 10), (&bob, 20), (&both, 30)] {
        let path = format!("/v1/datasets/walks/tweet-ids?limit={limit}");
        assert_eq!(gateway.get(&path, key).status, 200);
    }
    for (more, expected) in [
        (&[][..], &[30, 20, 10][..]),
        (&["--entity", "acme"], &[30, 10]),
        (&["--entity", "uni"], &[30, 20]),
        (&["--person", "Ada@acme.example"], &[10]),
        (&["--entity", "uni", "--person", "ada@acme.example"], &[]),
        (&["--limit", "1"], &[30]),
    ] {
        let shown = bench.json(&[&["deliveries"], more].concat());
        let charged: Vec<_> =
            shown.as_array().unwrap().iter().map(|one| one["charged"].clone()).collect();
        assert_eq!(charged, expected, "{more:?}");
    }
    let newest = bench.json(&["deliveries", "--limit", "1"])[0].clone();
    assert_eq!(newest["person"], "eve@both.example");
    assert_eq!((&newest["dataset"], &newest["ids"]), (&"walks".into(), &"tweet".into()));
    assert_eq!(newest["charged_to"][1]["entity"], "uni");
    assert_eq!(newest["charged_to"][1]["basis"], "limit");
    let table = bench.done(&["deliveries", "--person", "ada@acme.example"]);
    let line = table.lines().last().unwrap();
    let words: Vec<&str> = line.split_whitespace().skip_while(|word| !word.contains('@')).collect();
    assert_eq!(words[..6], ["ada@acme.example", "walks", "tweet", "10", "acme", "(limit)"]);
}
