//! Batch compliance on loopback, by the real binary: a job is created, gets its list, is waited
//! for, and its result becomes a file. The files lie on another host, which is trusted with
//! nothing.

mod harness;

use std::sync::Arc;

use harness::platform::{Platform, TOKEN, problem, result};
use harness::{Bench, tweet_ids, upstream};
use sha2::{Digest, Sha256};

const START_MS: i64 = 1_800_000_000_000;

fn bench() -> (Bench, Platform) {
    let bench = Bench::with_clock(START_MS);
    let clock = bench.path("clock");
    let platform = Platform::start_at(Arc::new(move || {
        std::fs::read_to_string(&clock).unwrap().trim().parse().unwrap()
    }));
    bench.settings(&platform.settings("elevated"));
    let text: String = tweet_ids(1, 300).map(|id| format!("{id}\n")).collect();
    std::fs::write(bench.path("ids.txt"), text).unwrap();
    (bench, platform)
}

fn ids() -> String {
    tweet_ids(1, 300).map(|id| format!("{id}\n")).collect()
}

#[test]
fn a_job_goes_from_its_list_to_a_file_that_removals_read() {
    for kind in ["tweet", "user"] {
        let (bench, platform) = bench();
        let create = ["compliance", "create", "ids.txt", "--name", "spring", "--kind", kind];
        let job = bench.done(&create).trim().to_owned();
        assert_eq!(platform.list(&job), Some(ids()));
        let listed = bench.json(&["compliance", "list"]);
        assert_eq!((&listed[0]["state"], &listed[0]["ids"]), (&"uploaded".into(), &300.into()));
        // The first look finds it under way.
        let early = bench.run(&["compliance", "fetch", &job, "-o", "gone.jsonl"]);
        assert!(early.code == 1 && early.stderr.contains("is in_progress"), "{early:?}");
        assert!(!bench.path("gone.jsonl").exists());
        let refreshed = bench.json(&["compliance", "list", "--refresh"]);
        assert_eq!(refreshed[0]["state"], "complete");
        let fetched = bench.json(&["compliance", "fetch", &job, "-o", "gone.jsonl", "--wait"]);
        let text = std::fs::read_to_string(bench.path("gone.jsonl")).unwrap();
        assert_eq!(text, result(&ids()));
        assert!(text.lines().count() > 40, "somebody is gone");
        assert_eq!(fetched["sha256"], hex::encode(Sha256::digest(&text)));
        assert_eq!((&fetched["kind"], &fetched["id"]), (&kind.into(), &job.as_str().into()));
        let listed = bench.json(&["compliance", "list"]);
        assert_eq!(listed[0]["result"], fetched["result"]);
        assert_eq!(listed[0]["result_sha256"], fetched["sha256"]);
        // The platform knows who asks; the host of files does not, and has to be asked whole.
        let head = &platform.asked()[0].head;
        assert!(head.contains(TOKEN), "{head}");
        for head in platform.storage_heads() {
            assert!(!head.to_lowercase().contains("authorization"), "{head}");
            assert!(!head.contains(TOKEN), "{head}");
            assert!(!head.to_lowercase().contains("transfer-encoding"), "{head}");
        }
        // Lookups of objects are another budget.
        assert_eq!(bench.json(&["hydrate", "budget"])[0]["spent"], 0);
    }
}

#[test]
fn a_result_comes_into_force_with_the_same_command() {
    let (bench, _platform) = bench();
    bench.done(&["dataset", "add", "walks", "ids.txt", "--title", "Walks", "--ids", "tweet"]);
    let job = bench.done(&["compliance", "create", "ids.txt"]).trim().to_owned();
    // The first look finds it under way.
    assert_eq!(bench.run(&["compliance", "fetch", &job, "-o", "gone.jsonl"]).code, 1);
    let fetch = ["compliance", "fetch", &job, "-o", "gone.jsonl", "--wait"];
    let import = bench.json(&[&fetch[..], &["--import", "they are gone"]].concat());
    let result = std::fs::read_to_string(bench.path("gone.jsonl")).unwrap();
    let gone = result.lines().filter(|line| !line.is_empty()).count();
    assert_eq!(import["effect"]["lines_removed"], gone);
    assert_eq!(import["reason"], "they are gone");
}

#[test]
fn a_second_job_is_refused_while_one_is_under_way() {
    let (bench, _platform) = bench();
    let job = bench.done(&["compliance", "create", "ids.txt"]).trim().to_owned();
    bench.run(&["compliance", "fetch", &job, "-o", "early.jsonl"]);
    let second = bench.run(&["compliance", "create", "ids.txt"]);
    assert!(second.code == 1 && second.stderr.contains("a job is under way"), "{second:?}");
    assert_eq!(bench.json(&["compliance", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn a_list_that_did_not_arrive_is_uploaded_once_more() {
    let (bench, platform) = bench();
    let elsewhere = upstream::Upstream::start();
    platform.stores_at(&format!("http://{}", elsewhere.address));
    let failed = bench.run(&["compliance", "create", "ids.txt"]);
    assert!(failed.code == 1 && failed.stderr.contains("status 503"), "{failed:?}");
    let job = bench.json(&["compliance", "list"])[0]["id"].as_str().unwrap().to_owned();
    let again = format!("`hydrant compliance upload {job}` tries the upload again");
    assert!(failed.stderr.contains(&again), "{failed:?}");
    elsewhere.becomes(upstream::answers("", ""));
    bench.done(&["compliance", "upload", &job, "ids.txt"]);
    assert_eq!(bench.json(&["compliance", "list"])[0]["state"], "uploaded");
    let head = elsewhere.heads().pop().unwrap();
    assert!(head.starts_with(&format!("PUT /up/{job}?signature=u ")), "{head}");
    let unknown = bench.run(&["compliance", "upload", "7", "ids.txt"]);
    assert!(unknown.code == 1 && unknown.stderr.contains("no job 7 was created here"));
}

#[test]
fn files_are_followed_only_to_where_the_settings_let_them_be() {
    for (origin, said) in [
        ("ftp://storage.example.org", "no https address"),
        ("file:///etc", "no https address"),
        ("https://no-such-host.invalid", "cannot be asked"),
    ] {
        let (bench, platform) = bench();
        platform.stores_at(origin);
        let refused = bench.run(&["compliance", "create", "ids.txt"]);
        assert_eq!(refused.code, 1, "{origin}");
        assert!(refused.stderr.contains(said), "{origin}: {}", refused.stderr);
        assert!(!refused.stderr.contains("signature"), "{origin}: {}", refused.stderr);
    }
}

#[test]
fn a_result_is_there_whole_or_not_at_all() {
    let elsewhere = upstream::Upstream::start();
    for (behaviour, said) in [
        (upstream::breaks_off("", "{\"id\":\"20\",\"action\":\"delete\"}\n"), "broke off"),
        (upstream::sends("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"), "status 403"),
        (
            upstream::sends("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"),
            "status 302",
        ),
    ] {
        let (bench, platform) = bench();
        platform.stores_at(&format!("http://{}", elsewhere.address));
        elsewhere.becomes(upstream::answers("", ""));
        let job = bench.done(&["compliance", "create", "ids.txt"]).trim().to_owned();
        // The list lies elsewhere, so the platform has not begun by itself: say that it has.
        let done = format!(
            "{{\"data\":{{\"id\":\"{job}\",\"type\":\"tweets\",\"status\":\"complete\",\
             \"download_url\":\"http://{}/down/{job}\"}}}}",
            elsewhere.address
        );
        platform.faults([harness::platform::Fault::Says(200, done)]);
        elsewhere.becomes(behaviour);
        let failed = bench.run(&["compliance", "fetch", &job, "-o", "gone.jsonl"]);
        assert_eq!(failed.code, 1);
        assert!(failed.stderr.contains(said), "{said}: {}", failed.stderr);
        assert!(!bench.path("gone.jsonl").exists(), "{said}");
        assert_eq!(std::fs::read_dir(bench.path("")).unwrap().filter(is_left).count(), 0);
    }
}

/// A file that a download left behind.
fn is_left(entry: &std::io::Result<std::fs::DirEntry>) -> bool {
    entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".hydrant-")
}

#[test]
fn somebody_who_is_not_known_creates_nothing() {
    let (bench, platform) = bench();
    bench.entity("uni", "academic");
    platform.faults([problem(401, "code-32")]);
    let refused = bench.run(&["compliance", "create", "ids.txt"]);
    assert!(refused.code == 1 && refused.stderr.contains("code 32"), "{refused:?}");
    assert_eq!(platform.asked().len(), 1);
    assert!(bench.json(&["compliance", "list"]).as_array().unwrap().is_empty());
    // What may have arrived is not sent again: a second job would have no list.
    platform.faults([problem(503, "service-unavailable")]);
    let failed = bench.run(&["compliance", "create", "ids.txt"]);
    assert!(failed.code == 1 && failed.stderr.contains("status 503"), "{failed:?}");
    assert_eq!(platform.asked().len(), 2);
}
