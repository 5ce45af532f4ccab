//! Full objects from the platform on loopback, by the real binary: every fault of the platform, the
//! budgets of credentials, kills, and what became of each ID.

mod harness;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use harness::platform::{Fate, Fault, Platform, TOKEN, credential, problem};
use harness::{Bench, Ended, tweet_ids, upstream};
use serde_json::{Value, json};

/// 15 January 2027, 08:00 UTC.
const START_MS: i64 = 1_800_000_000_000;
const MINUTE_MS: i64 = 60_000;

/// A bench whose clock is that of the platform.
fn bench() -> (Bench, Platform) {
    let bench = Bench::with_clock(START_MS);
    let clock = bench.path("clock");
    let platform = Platform::start_at(Arc::new(move || {
        std::fs::read_to_string(&clock).unwrap().trim().parse().unwrap()
    }));
    (bench, platform)
}

fn ids(count: u64) -> Vec<u64> {
    tweet_ids(1, count).collect()
}

/// Writes IDs to a file, one a line.
fn list(bench: &Bench, name: &str, ids: &[u64]) {
    let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
    std::fs::write(bench.path(name), text).unwrap();
}

fn hydrate(bench: &Bench, arguments: &[&str]) -> Ended {
    bench.run(&[&["hydrate", "ids.txt", "-o", "archive.jsonl"], arguments].concat())
}

/// The objects of an archive by their IDs, each of which must stand there once.
#[track_caller]
fn objects(path: &Path) -> BTreeMap<u64, Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut objects = BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let id = line["data"]["id"].as_str().unwrap().parse().unwrap();
        assert!(objects.insert(id, line).is_none(), "{id} stands there twice");
    }
    objects
}

/// Compares archive and account with what becomes of the IDs on the platform.
#[track_caller]
fn check(bench: &Bench, kind: &str, ids: &[u64]) {
    let objects = objects(&bench.path("archive.jsonl"));
    let expected: Vec<u64> =
        ids.iter().copied().filter(|id| Fate::of(*id).has_object(kind)).collect();
    let mut found: Vec<u64> = objects.keys().copied().collect();
    found.sort_unstable();
    let mut sorted = expected.clone();
    sorted.sort_unstable();
    assert_eq!(found, sorted);
    let account = std::fs::read_to_string(bench.path("archive.jsonl.account.csv")).unwrap();
    let expected: Vec<String> = ids
        .iter()
        .map(|id| {
            let fate = Fate::of(*id);
            format!("{id},{}", fate.outcome())
        })
        .collect();
    assert_eq!(account.lines().skip(1).collect::<Vec<_>>(), expected);
    assert!(!bench.path("archive.jsonl.hydrating").exists());
}

fn budget(bench: &Bench) -> Value {
    bench.json(&["hydrate", "budget"])[0].clone()
}

/// Runs a command; at each line in which it says that it waits, its clock moves on to that minute.
/// Gives what it said.
fn through_waits(bench: &Bench, arguments: &[&str]) -> (Ended, Vec<i64>) {
    let mut command = bench.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut stdout, mut stderr, mut waits) = (String::new(), String::new(), Vec::new());
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(rest) = line.strip_prefix("waits until ") {
            let until = rest.split(" UTC").next().unwrap();
            let until: jiff::Timestamp =
                format!("{}:00Z", until.replace(' ', "T")).parse().unwrap();
            waits.push(until.as_millisecond());
            // It is shown to the minute, and the time may lie anywhere in it.
            bench.set_clock(until.as_millisecond() + MINUTE_MS);
        }
        stderr += &format!("{line}\n");
    }
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    let code = child.wait().unwrap().code().unwrap_or(-1);
    (Ended { code, stdout, stderr }, waits)
}

#[test]
fn every_id_has_an_outcome_and_every_object_what_it_refers_to() {
    for (kind, output) in [("tweet", "tweet_ids"), ("user", "user_ids")] {
        let (bench, platform) = bench();
        bench.settings(&platform.settings("elevated"));
        let ids = ids(250);
        list(&bench, "ids.txt", &ids);
        let ended = hydrate(&bench, &["--kind", kind, "--json"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        check(&bench, kind, &ids);
        let told: Value = serde_json::from_str(&ended.stdout).unwrap();
        for fate in [
            Fate::Found,
            Fate::Deleted,
            Fate::Protected,
            Fate::Suspended,
            Fate::Withheld,
            Fate::Missing,
        ] {
            let expected = ids.iter().filter(|id| Fate::of(**id) == fate).count();
            assert_eq!(told["outcomes"][fate.outcome()], expected, "{fate:?}");
        }
        // As much as fits in a request, in the order of the list, each ID once.
        let asked = platform.asked();
        let sizes: Vec<usize> = asked.iter().map(|asked| asked.ids.len()).collect();
        assert_eq!(sizes, [100, 100, 50]);
        assert_eq!(asked.iter().flat_map(|asked| asked.ids.clone()).collect::<Vec<_>>(), ids);
        let head = &asked[0].head;
        assert!(head.contains("tweet.fields=") && head.contains("user.fields="), "{head}");
        assert!(head.contains("expansions="), "{head}");
        assert_eq!(head.contains("media.fields="), kind == "tweet", "{head}");
        // The archive is read by the pipeline again.
        let strip = ["strip", "archive.jsonl", "--ids", kind, "--strict"];
        let stripped = bench.done(&strip);
        let objects = objects(&bench.path("archive.jsonl"));
        assert_eq!(stripped.lines().count(), objects.len(), "{output}");
        let listed = bench.json(&["hydrate", "list"]);
        assert_eq!((&listed[0]["state"], &listed[0]["asked"]), (&json!("done"), &json!(250)));
        let spent = budget(&bench);
        let (tweets, users) = if kind == "tweet" { (250, 0) } else { (0, 250) };
        assert_eq!((&spent["spent"], &spent["users"]), (&json!(tweets), &json!(users)));
        assert_eq!(spent["requests"], 3);
    }
}

#[test]
fn an_archive_is_packed_as_its_name_says() {
    for name in ["archive.jsonl.gz", "archive.jsonl.zst"] {
        let (bench, platform) = bench();
        bench.settings(&platform.settings("elevated"));
        let ids = ids(120);
        list(&bench, "ids.txt", &ids);
        bench.done(&["hydrate", "ids.txt", "-o", name]);
        let stripped = bench.done(&["strip", name, "--strict"]);
        let expected = ids.iter().filter(|id| Fate::of(**id).has_object("tweet"));
        let expected: String = expected.map(|id| format!("{id}\n")).collect();
        assert_eq!(stripped, expected);
    }
}

#[test]
fn what_is_no_id_is_refused_and_what_comes_twice_is_asked_once() {
    let (bench, platform) = bench();
    bench.settings(&platform.settings("elevated"));
    let ids = ids(3);
    let text = format!("{0}\n1.5E+18\n{1}\n{0}\n{2}\n", ids[0], ids[1], ids[2]);
    std::fs::write(bench.path("ids.txt"), text).unwrap();
    let strict = hydrate(&bench, &["--strict"]);
    assert_eq!(strict.code, 1, "{strict:?}");
    assert!(platform.asked().is_empty());
    let ended = hydrate(&bench, &[]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("floating-point"), "{ended:?}");
    assert_eq!(platform.asked()[0].ids, ids);
    check(&bench, "tweet", &ids);
    let there = hydrate(&bench, &[]);
    assert!(there.code == 1 && there.stderr.contains("is there already"), "{there:?}");
    assert_eq!(platform.asked().len(), 1);
}

#[test]
fn a_rate_limit_is_waited_for_as_the_headers_say_and_not_longer() {
    let (bench, platform) = bench();
    bench.settings(&platform.settings("elevated"));
    // Not what any documentation says.
    platform.limits(2, 7 * MINUTE_MS);
    let ids = ids(700);
    list(&bench, "ids.txt", &ids);
    let (ended, waits) =
        through_waits(&bench, &["hydrate", "ids.txt", "-o", "archive.jsonl", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    check(&bench, "tweet", &ids);
    // Seven requests in windows of two: three waits, each to the end of its window, and none of
    // the requests came too early.
    let first = START_MS + 7 * MINUTE_MS;
    assert_eq!(waits, [first, first + 8 * MINUTE_MS, first + 16 * MINUTE_MS]);
    let asked = platform.asked();
    assert!(asked.iter().all(|asked| asked.status == 200), "{}", asked.len());
    assert_eq!(budget(&bench)["tweets_requests"], 2);
}

#[test]
fn a_429_waits_for_the_reset_and_asks_again() {
    let (bench, platform) = bench();
    bench.settings(&platform.settings("elevated"));
    platform.limits(1, 15 * MINUTE_MS);
    let ids = ids(100);
    list(&bench, "ids.txt", &ids);
    // Somebody else uses the same credential up.
    let (other, other_ids) = (["hydrate", "other.txt", "-o", "other.jsonl"], &ids[..1]);
    list(&bench, "other.txt", other_ids);
    bench.done(&other);
    let (ended, waits) = through_waits(&bench, &["hydrate", "ids.txt", "-o", "archive.jsonl"]);
    assert_eq!((ended.code, waits), (0, vec![START_MS + 15 * MINUTE_MS]), "{}", ended.stderr);
    let statuses: Vec<u16> = platform.asked().iter().map(|asked| asked.status).collect();
    assert_eq!(statuses, [200, 429, 200]);
    // What was asked for in vain was spent all the same.
    assert_eq!(budget(&bench)["spent"], 201);
    check(&bench, "tweet", &ids);
}

#[test]
fn a_usage_cap_stops_until_the_month_ends_although_requests_remain() {
    let (bench, platform) = bench();
    bench.settings(&format!("{}period_day = 20\n", platform.settings("elevated")));
    platform.limits(300, 15 * MINUTE_MS);
    platform.caps(Some(100));
    let ids = ids(300);
    list(&bench, "ids.txt", &ids);
    let capped = hydrate(&bench, &[]);
    assert_eq!(capped.code, 1, "{capped:?}");
    for said in ["UsageCapExceeded", "2027-01-20 00:00 UTC", "100 of 300 IDs", "goes on"] {
        assert!(capped.stderr.contains(said), "{said}: {}", capped.stderr);
    }
    assert_eq!(platform.asked().len(), 2);
    // Nobody asks again before that, whatever the platform would say by now.
    platform.caps(None);
    for now_ms in [START_MS, START_MS + 4 * 24 * 60 * MINUTE_MS] {
        bench.set_clock(now_ms);
        let still = hydrate(&bench, &[]);
        assert!(still.code == 1 && still.stderr.contains("UsageCapExceeded"), "{still:?}");
    }
    assert_eq!(platform.asked().len(), 2);
    let listed = bench.json(&["hydrate", "list"]);
    assert_eq!(listed[0]["state"], "paused");
    assert!(listed[0]["why"].as_str().unwrap().contains("UsageCapExceeded"), "{listed}");
    bench.set_clock(START_MS + 5 * 24 * 60 * MINUTE_MS);
    assert_eq!(hydrate(&bench, &[]).code, 0);
    check(&bench, "tweet", &ids);
}

#[test]
fn a_budget_is_spent_to_its_end_and_goes_on_in_the_next_month() {
    let (bench, platform) = bench();
    bench.settings(&platform.settings("250"));
    let ids = ids(600);
    list(&bench, "ids.txt", &ids);
    let dry = bench.json(&["hydrate", "ids.txt", "-o", "archive.jsonl", "--dry-run"]);
    assert_eq!((&dry["requests"], &dry["beyond"]), (&json!(6), &json!(350)), "{dry}");
    assert!(platform.asked().is_empty(), "a dry run asks nobody");
    assert!(!bench.path("archive.jsonl.hydrating").exists());
    let ended = hydrate(&bench, &[]);
    assert_eq!(ended.code, 1, "{ended:?}");
    for said in ["is spent, 250 Tweets a month", "2027-02-01 00:00 UTC", "250 of 600 IDs"] {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
    let sizes = |platform: &Platform| {
        platform.asked().iter().map(|asked| asked.ids.len()).collect::<Vec<_>>()
    };
    assert_eq!(sizes(&platform), [100, 100, 50]);
    assert_eq!(hydrate(&bench, &[]).code, 1);
    assert_eq!(sizes(&platform).len(), 3);
    // The rest waits through two months, and needs no list any more.
    let (ended, waits) = through_waits(&bench, &["hydrate", "-o", "archive.jsonl", "--wait"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let month = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    assert_eq!(waits, [month("2027-02-01T00:00:00Z"), month("2027-03-01T00:00:00Z")]);
    assert_eq!(sizes(&platform), [100, 100, 50, 100, 100, 50, 100]);
    check(&bench, "tweet", &ids);
    assert_eq!((&budget(&bench)["spent"], &budget(&bench)["left"]), (&json!(100), &json!(150)));
}

/// What the platform does, what is said of it, and whether it may pass.
fn faults() -> Vec<(&'static str, Fault, &'static str)> {
    let bomb = {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        for _ in 0..1_024 {
            encoder.write_all(&[b' '; 64 << 10]).unwrap();
        }
        encoder.finish().unwrap()
    };
    let json = "Content-Type: application/json\r\n";
    vec![
        ("503", problem(503, "service-unavailable"), "status 503"),
        ("500 without words", Fault::Says(500, String::new()), "status 500"),
        ("short body", Fault::Does(upstream::breaks_off(json, "{\"data\":[]}")), "broke off"),
        ("no answer", Fault::Does(upstream::sends("")), "did not answer"),
        ("no HTTP", Fault::Does(upstream::sends("SSH-2.0-x\r\n")), "did not answer"),
        ("slow", Fault::Does(upstream::stalls("{\"data\":[")), "longer than 2 seconds"),
        ("endless", Fault::Does(upstream::never_ends([b' '; 65_536])), "more than 1048576 bytes"),
        (
            "announced too large",
            Fault::Does(upstream::sends("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")),
            "more than 1048576 bytes",
        ),
        (
            "bomb",
            Fault::Does(upstream::answers("Content-Encoding: gzip\r\n", bomb)),
            "no JSON object",
        ),
        ("wrong JSON", Fault::Does(upstream::answers(json, "{\"data\":[{]}")), "no JSON object"),
        ("a page of a proxy", Fault::Does(upstream::answers("", "<html>")), "no JSON object"),
        ("deep", Fault::Does(upstream::answers(json, "[".repeat(500_000))), "no JSON object"),
        (
            "other JSON",
            Fault::Does(upstream::answers(json, "{\"message\":\"maintenance\"}")),
            "neither objects nor reasons",
        ),
    ]
}

#[test]
fn a_fault_that_passes_is_tried_again_and_each_attempt_is_spent() {
    for (name, fault, said) in faults() {
        let (bench, platform) = bench();
        bench.settings(&platform.settings("elevated"));
        let ids = ids(100);
        list(&bench, "ids.txt", &ids);
        platform.faults([fault.clone(), fault.clone()]);
        let (ended, waits) = through_waits(&bench, &["hydrate", "ids.txt", "-o", "archive.jsonl"]);
        assert_eq!((ended.code, waits.len()), (0, 2), "{name}: {ended:?}");
        assert!(ended.stderr.contains("tries again: "), "{name}: {ended:?}");
        assert!(ended.stderr.contains(said), "{name}: {ended:?}");
        assert_eq!(platform.faults_left(), 0, "{name}");
        check(&bench, "tweet", &ids);
        let spent = budget(&bench);
        assert_eq!((&spent["requests"], &spent["spent"]), (&json!(3), &json!(300)), "{name}");
    }
}

#[test]
fn a_fault_that_stays_stops_after_a_few_attempts_and_loses_nothing() {
    for (name, fault, said) in faults() {
        let (bench, platform) = bench();
        bench.settings(&platform.settings("elevated"));
        let ids = ids(200);
        list(&bench, "ids.txt", &ids[..100]);
        list(&bench, "rest.txt", &ids[100..]);
        platform.faults([fault.clone(), fault.clone(), fault]);
        let arguments = ["hydrate", "ids.txt", "rest.txt", "-o", "archive.jsonl"];
        let (ended, _) = through_waits(&bench, &arguments);
        assert_eq!(ended.code, 1, "{name}: {ended:?}");
        assert!(ended.stderr.contains("3 attempts in a row failed"), "{name}: {ended:?}");
        assert!(ended.stderr.contains(said), "{name}: {ended:?}");
        assert_eq!(std::fs::read(bench.path("archive.jsonl")).unwrap(), b"", "{name}");
        assert_eq!(budget(&bench)["spent"], 300, "{name}");
        bench.done(&["hydrate", "-o", "archive.jsonl"]);
        check(&bench, "tweet", &ids);
    }
}

#[test]
fn a_word_that_somebody_is_not_wanted_stops_at_once_and_is_explained() {
    let code32 = ["status 401, code 32", "token is wrong", "application is suspended"];
    let plain = ["status 401)", "token is wrong", "application is suspended"];
    let found = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let cases: [(Fault, &[&str], Value); 5] = [
        (problem(401, "code-32"), &code32, json!("unauthenticated")),
        (problem(401, "unauthorized"), &plain, json!("unauthenticated")),
        (problem(403, "forbidden"), &["status 403", "attached to a Project"], json!("forbidden")),
        (Fault::Says(400, "{\"title\":\"Invalid Request\"}".into()), &["400"], Value::Null),
        (Fault::Does(upstream::sends(found)), &["status 302"], Value::Null),
    ];
    for (fault, said, stop) in cases {
        let (bench, platform) = bench();
        let second = credential("spare", "BBBB", "elevated", "staging", "study");
        bench.settings(&format!("{}{second}", platform.settings("elevated")));
        let ids = ids(10);
        list(&bench, "ids.txt", &ids);
        platform.faults([fault]);
        let ended = hydrate(&bench, &["--credential", "main"]);
        assert_eq!(ended.code, 1, "{ended:?}");
        for said in said {
            assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
        }
        assert_eq!(budget(&bench)["stop"], stop);
        // Only one request, with the one credential.
        let asked = platform.asked();
        assert_eq!(asked.len(), 1);
        assert!(asked[0].head.contains(TOKEN), "{}", asked[0].head);
        let other = hydrate(&bench, &["--credential", "spare"]);
        assert!(other.code == 1 && other.stderr.contains("does not go on with it"), "{other:?}");
        assert_eq!(platform.asked().len(), 1);
        // Once whatever it was is mended it goes on.
        assert_eq!(hydrate(&bench, &["--credential", "main"]).code, 0);
        check(&bench, "tweet", &ids);
    }
}

#[test]
fn a_second_credential_does_not_get_round_a_budget() {
    let (bench, platform) = bench();
    let second = credential("spare", &format!("{TOKEN}2"), "100", "staging", "study");
    bench.settings(&format!("{}{second}", platform.settings("100")));
    list(&bench, "ids.txt", &ids(200));
    let spent = hydrate(&bench, &["--credential", "main"]);
    assert!(spent.code == 1 && spent.stderr.contains("100 of 200"), "{spent:?}");
    list(&bench, "rest.txt", &ids(200)[100..]);
    let round = ["hydrate", "rest.txt", "-o", "rest.jsonl", "--credential", "spare"];
    let refused = bench.run(&round);
    assert!(refused.code == 1 && refused.stderr.contains("does not get round"), "{refused:?}");
    assert_eq!(platform.asked().len(), 1);
    let nobody = bench.run(&["hydrate", "rest.txt", "-o", "more.jsonl"]);
    assert!(nobody.stderr.contains("choose one with --credential"), "{nobody:?}");
}

#[test]
fn the_rules_about_credentials_are_checked_at_once() {
    let (bench, platform) = bench();
    let check = |text: &str| {
        bench.settings(&format!("environment = \"prod\"\n{}{text}", platform.base_settings()));
        bench.run(&["config", "check"])
    };
    let good = check(&credential("a", "A", "elevated", "prod", "study"));
    assert_eq!(good.code, 0, "{good:?}");
    let text = [
        credential("a", "A", "elevated", "prod", "study"),
        credential("b", "B", "elevated", "prod", "study"),
        credential("c", "C", "elevated", "dev", "study"),
        credential("d", "D", "elevated", "staging", "study"),
        credential("e", "E", "essential", "prod", "other"),
        credential("f", "E", "essential", "dev", "other"),
        credential("g", "G h", "basic", "test", "third"),
    ];
    let bad = check(&text.concat());
    assert_eq!(bad.code, 1);
    for said in [
        "b.use_case = \"study\"",
        "a is a production credential for that use case already",
        "c.environment = \"dev\"",
        "does not use credentials of dev",
        "does not use credentials of staging",
        "d.level = \"elevated\"",
        "more than 3 environments",
        "f.level = \"essential\"",
        "more than 1 environment,",
        "another credential has the same token",
        "g.level = \"basic\"",
        "g.environment = \"test\"",
        "is no token",
    ] {
        assert!(bad.stderr.contains(said), "{said}: {}", bad.stderr);
    }
    assert!(!bad.stderr.contains("G h"), "a token is not shown: {}", bad.stderr);
    let refused = bench.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(refused.code == 1 && refused.stderr.contains("does not use credentials of dev"));
    check(&credential("a", "A-secret", "elevated", "prod", "study"));
    let shown = bench.done(&["config", "show"]);
    assert!(shown.contains("hydrate.credentials.a.level"), "{shown}");
    assert!(!shown.contains("A-secret"), "{shown}");
}

#[test]
fn the_platform_is_where_the_settings_say_and_nowhere_inwards() {
    let (bench, platform) = bench();
    let port = platform.address.port();
    list(&bench, "ids.txt", &ids(1));
    for (url, private, said) in [
        (format!("http://127.0.0.1:{port}"), false, "lies in a private network"),
        (format!("http://localhost:{port}"), false, "https is needed"),
        (format!("https://localhost:{port}"), false, "has an address in a private network"),
        (format!("https://169.254.169.254:{port}"), false, "lies in a private network"),
        ("file:///etc/passwd".into(), true, "needs an address"),
        (format!("http://localhost:{port}/2"), true, "needs an address"),
        (format!("http://a:b@localhost:{port}"), true, "needs an address"),
    ] {
        let main = credential("main", TOKEN, "elevated", "dev", "study");
        bench.settings(&format!("[hydrate]\nurl = \"{url}\"\nallow_private = {private}\n{main}"));
        let ended = hydrate(&bench, &[]);
        assert_eq!(ended.code, 1, "{url}");
        assert!(ended.stderr.contains(said), "{url}: {}", ended.stderr);
    }
    assert!(platform.asked().is_empty());
}

#[test]
fn a_hydration_goes_through_a_gateway_that_runs() {
    let (bench, platform) = bench();
    bench.settings(&platform.settings("elevated"));
    let ids = ids(150);
    list(&bench, "ids.txt", &ids);
    let gateway = bench.serve();
    assert_eq!(hydrate(&bench, &[]).code, 0);
    check(&bench, "tweet", &ids);
    assert_eq!(budget(&bench)["spent"], 150);
    assert_eq!(gateway.stop(), 0);
    assert_eq!(budget(&bench)["spent"], 150);
}

#[test]
fn another_list_or_kind_does_not_mix_into_an_archive() {
    let (bench, platform) = bench();
    bench.settings(&platform.settings("100"));
    list(&bench, "ids.txt", &ids(150));
    assert_eq!(hydrate(&bench, &[]).code, 1);
    list(&bench, "other.txt", &ids(151));
    let other = bench.run(&["hydrate", "other.txt", "-o", "archive.jsonl"]);
    assert!(other.code == 1 && other.stderr.contains("150 other IDs"), "{other:?}");
    let kind = bench.run(&["hydrate", "-o", "archive.jsonl", "--kind", "user"]);
    assert!(kind.code == 1 && kind.stderr.contains("give --kind tweet"), "{kind:?}");
    assert_eq!(platform.asked().len(), 1);
}

#[test]
fn a_signal_pauses_and_the_same_command_goes_on() {
    let (bench, platform) = bench();
    bench.settings(&platform.settings("elevated"));
    platform.limits(1, 15 * MINUTE_MS);
    let ids = ids(200);
    list(&bench, "ids.txt", &ids);
    let mut command = bench.command(&["hydrate", "ids.txt", "-o", "archive.jsonl"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.starts_with("waits until ") {
            let pid = child.id().to_string();
            let sent = std::process::Command::new("kill").args(["-s", "INT", &pid]).status();
            assert!(sent.unwrap().success());
        }
        stderr += &line;
    }
    assert_eq!(child.wait().unwrap().code(), Some(1));
    for said in ["stopped as asked", "100 of 200 IDs", "hydrant hydrate --output archive.jsonl"] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    assert_eq!(bench.json(&["hydrate", "list"])[0]["state"], "paused");
    bench.set_clock(START_MS + 15 * MINUTE_MS);
    bench.done(&["hydrate", "-o", "archive.jsonl"]);
    assert_eq!(platform.asked().len(), 2);
    check(&bench, "tweet", &ids);
}
