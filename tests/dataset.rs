//! `hydrant dataset` on the real binary: what it builds, shows and refuses.

mod harness;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use harness::Bench;
use hydrant::demo::Maker;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Where the releases of a bench lie.
fn releases(bench: &Bench) -> PathBuf {
    bench.data().join("releases")
}

/// What lies there.
fn entries(bench: &Bench) -> Vec<String> {
    let entries = fs::read_dir(releases(bench)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Writes made-up tweets: 300 as v1.1 lines, 200 as v2 pages, one of the files compressed.
fn made_up(bench: &Bench) -> [&'static str; 2] {
    let mut maker = Maker::new(5);
    let (mut v1, mut v2) = (Vec::new(), Vec::new());
    for _ in 0..300 {
        maker.v1_line(&mut v1);
    }
    for _ in 0..4 {
        maker.v2_page(50, &mut v2);
    }
    fs::write(bench.path("v1.jsonl"), v1).unwrap();
    fs::write(bench.path("v2.jsonl.zst"), zstd::encode_all(&v2[..], 1).unwrap()).unwrap();
    ["v1.jsonl", "v2.jsonl.zst"]
}

/// Enters a dataset of made-up tweets.
fn add(bench: &Bench, slug: &str) -> Value {
    let [v1, v2] = made_up(bench);
    bench.json(&["dataset", "add", slug, v1, v2, "--title", "Made up"])
}

fn sha256(path: &Path) -> String {
    hex::encode(Sha256::digest(fs::read(path).unwrap()))
}

#[test]
fn a_release_holds_what_strip_writes() {
    let bench = Bench::new();
    let [v1, v2] = made_up(&bench);
    let kinds = ["tweet", "user"];
    let add = ["dataset", "add", "made-up", v1, v2, "--title", "Made up", "--ids", "user,tweet"];
    let added = bench.json(&[&add[..], &["--scope", "embedded"]].concat());
    let release = releases(&bench).join(added["release"]["id"].as_str().unwrap());
    for kind in kinds {
        let strip = ["strip", v1, v2, "--ids", kind, "--scope", "embedded", "-o", "stripped"];
        assert_eq!(bench.run(&strip).code, 0);
        let text = release.join(format!("{kind}-ids.txt"));
        assert_eq!(sha256(&text), sha256(&bench.path("stripped")), "{kind}");
        let lines = fs::read_to_string(text).unwrap().lines().count();
        assert_eq!(added["release"]["counts"][kind], lines);
        assert!(lines >= 500, "{lines}");
    }
    assert_eq!(added["ids"], serde_json::json!(kinds));
    assert_eq!(added["report"]["clean"], true);
}

#[test]
fn a_dataset_is_listed_and_shown() {
    let bench = Bench::new();
    let added = add(&bench, "made-up");
    let list = bench.json(&["dataset", "list"]);
    let [row] = &list.as_array().unwrap()[..] else { panic!("{list}") };
    assert_eq!((&row["slug"], &row["visibility"]), (&"made-up".into(), &"signed-in".into()));
    assert_eq!(row["release"], added["release"]);
    let shown = bench.json(&["dataset", "show", "made-up", "--verify"]);
    assert_eq!(shown["releases"][0], added["release"]);
    let sources = shown["manifest"]["sources"].as_array().unwrap();
    for (source, name) in sources.iter().zip(["v1.jsonl", "v2.jsonl.zst"]) {
        assert_eq!(source["sha256"], sha256(&bench.path(name)));
    }
    for (arguments, expected) in [
        (&["dataset", "list"][..], "made-up  Made up  signed-in        500"),
        (&["dataset", "show", "made-up"], "v2.jsonl.zst"),
    ] {
        let ended = bench.run(arguments);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stdout.contains(expected), "{}", ended.stdout);
    }
}

#[test]
fn nothing_is_listed_where_nothing_is() {
    let bench = Bench::new();
    fs::create_dir(bench.path("data")).unwrap();
    assert_eq!(bench.json(&["dataset", "list"]), serde_json::json!([]));
    let ended = bench.run(&["dataset", "list"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""));
    assert!(ended.stderr.contains("`hydrant dataset add` enters one"), "{}", ended.stderr);
}

#[test]
fn the_same_content_again_reuses_its_release() {
    let bench = Bench::new();
    let (first, second) = (add(&bench, "one"), add(&bench, "two"));
    assert_eq!(first["release"]["id"], second["release"]["id"]);
    assert_eq!((&first["reused"], &second["reused"]), (&false.into(), &true.into()));
    assert_eq!(entries(&bench).len(), 1);
}

#[test]
fn a_refresh_makes_another_release_current_and_keeps_the_first() {
    let bench = Bench::new();
    let first = add(&bench, "made-up")["release"]["id"].clone();
    let same = bench.json(&["dataset", "refresh", "made-up"]);
    assert_eq!((&same["release"]["id"], &same["reused"]), (&first, &true.into()));
    let next = bench.json(&["dataset", "refresh", "made-up", "v1.jsonl"]);
    assert_ne!(next["release"]["id"], first);
    let shown = bench.json(&["dataset", "show", "made-up"]);
    assert_eq!(shown["release"], next["release"]);
    assert_eq!(shown["releases"].as_array().unwrap().len(), 2);
}

#[test]
fn damaged_records_are_told_and_refused_only_where_strictness_was_asked_for() {
    let bench = Bench::new();
    let [v1, _] = made_up(&bench);
    let text = fs::read_to_string(bench.path(v1)).unwrap();
    let damaged = text.replacen("\n{", "\n{\"id_str\": \"12\n{", 1);
    fs::write(bench.path("damaged.jsonl"), damaged).unwrap();
    let add = ["dataset", "add", "damaged", "damaged.jsonl", "--title", "Damaged"];
    let strict = bench.run(&[&add[..], &["--strict"]].concat());
    assert_eq!(strict.code, 1, "{strict:?}");
    assert!(strict.stderr.contains("damaged.jsonl, line 2"), "{}", strict.stderr);
    assert_eq!(entries(&bench).len(), 0, "a refused build leaves nothing");
    let ended = bench.run(&add);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("damaged.jsonl, line 2"), "{}", ended.stderr);
    let shown = bench.json(&["dataset", "show", "damaged"]);
    assert_eq!(shown["manifest"]["report"]["clean"], false);
    assert_eq!(shown["release"]["counts"]["tweet"], 300);
}

#[test]
fn a_source_without_ids_is_refused_before_anything_is_entered() {
    let bench = Bench::new();
    fs::write(bench.path("page.html"), "<html>Sign in</html>\n").unwrap();
    fs::write(bench.path("none.json"), "[]\n").unwrap();
    let add_none = ["dataset", "add", "none", "page.html", "none.json", "--title", "None"];
    let refresh = ["dataset", "refresh", "made-up", "none.json"];
    let refused = |arguments: &[&str], sources: &str, report: &str| {
        let ended = bench.run(arguments);
        let expected = format!("hydrant: no IDs were found in {sources}; nothing was entered\n");
        assert!(ended.code == 1 && ended.stderr.ends_with(&expected), "{ended:?}");
        assert!(ended.stderr.contains(report), "{}", ended.stderr);
    };
    refused(&add_none, "page.html, none.json", "1 × text that is no record");
    assert_eq!(bench.json(&["dataset", "list"]), serde_json::json!([]));
    assert_eq!(entries(&bench).len(), 0);
    let added = add(&bench, "made-up");
    refused(&refresh, "none.json", "0 handed out");
    let shown = bench.json(&["dataset", "show", "made-up"]);
    assert_eq!(shown["release"], added["release"]);
    assert_eq!(entries(&bench).len(), 1);
}

#[test]
fn what_cannot_be_entered_is_refused_with_a_way_on() {
    let bench = Bench::new();
    add(&bench, "made-up");
    let again = |slug, more: &[&str]| {
        let begin = ["dataset", "add", slug, "v1.jsonl", "--title", "Again"];
        bench.run(&[&begin[..], more].concat())
    };
    let before = entries(&bench);
    for (ended, code, expected) in [
        (again("made-up", &[]), 1, "there is already a dataset `made-up`: Made up"),
        (again("Made Up", &[]), 1, "is no slug"),
        (again("new", &["--entity", "nobody"]), 1, "there is no entity `nobody`"),
        (again("new", &["--visibility", "entities"]), 1, "--entity SLUG"),
        (again("new", &["--mode", "stream"]), 1, "not"),
        (again("new", &["missing.jsonl"]), 1, "missing.jsonl"),
        (again("new", &["-"]), 1, "standard input"),
        (again("new", &["/dev/null"]), 1, "is no file"),
        (again("new", &["--ids", "list"]), 2, "possible values: tweet, user, dm"),
        (again("new", &["--embargo", "soon"]), 2, "a date looks like 2027-06-30"),
        (bench.run(&["dataset", "add", "new", "--title", "T"]), 2, "<SOURCE>..."),
        (bench.run(&["dataset", "show", "madeup"]), 1, "did you mean `made-up`?"),
        (bench.run(&["dataset", "refresh", "other"]), 1, "`hydrant dataset list` shows them"),
    ] {
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(ended.stderr.contains(expected), "{} lacks {expected:?}", ended.stderr);
    }
    assert_eq!(entries(&bench), before, "a refusal leaves no release behind");
}

#[test]
fn an_embargo_and_the_entities_that_see_a_dataset_are_kept() {
    let bench = Bench::new();
    let [v1, _] = made_up(&bench);
    let entity = ["entity", "add", "example-university", "--name", "E", "--sector", "academic"];
    bench.json(&entity);
    let begin = ["dataset", "add", "named", v1, "--title", "Named"];
    let more = ["--entity", "example-university", "--embargo", "2027-06-30"];
    let added = bench.json(&[&begin[..], &more].concat());
    assert_eq!(added["visibility"], "entities");
    assert_eq!(added["entities"], serde_json::json!(["example-university"]));
    assert_eq!(added["embargo"], "2027-06-30T00:00:00Z");
}

#[test]
fn damage_of_a_release_is_found() {
    let bench = Bench::new();
    let added = add(&bench, "made-up");
    let release = releases(&bench).join(added["release"]["id"].as_str().unwrap());
    let path = release.join("tweet-ids.txt");
    let mut text = fs::read(&path).unwrap();
    text[100] ^= 1;
    fs::write(&path, text).unwrap();
    let ended = bench.run(&["dataset", "show", "made-up", "--verify"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let expected = "tweet-ids.txt: the block at byte 0 does not have the SHA-256 of its table";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
}

/// Once a builder that was killed left its folder behind, nobody knew whether it was a release.
#[test]
fn a_builder_that_is_killed_leaves_no_release_and_the_next_one_tidies_up() {
    let bench = Bench::new();
    let mut maker = Maker::new(5);
    let mut lines = Vec::new();
    while lines.len() < 32 << 20 {
        maker.v1_line(&mut lines);
    }
    fs::write(bench.path("large.jsonl"), lines).unwrap();
    let add = ["dataset", "add", "large", "large.jsonl", "--title", "Large"];
    let mut builder = bench.command(&add).stderr(Stdio::null()).spawn().unwrap();
    while !releases(&bench).is_dir() || entries(&bench).is_empty() {
        assert!(builder.try_wait().unwrap().is_none(), "the builder ended before it began");
        std::thread::yield_now();
    }
    builder.kill().unwrap();
    builder.wait().unwrap();
    // Should it have been quicker than the kill, then its release is whole.
    for name in entries(&bench).iter().filter(|name| !name.starts_with(".building-")) {
        hydrant::release::verify(&releases(&bench).join(name)).unwrap();
    }
    let again = ["dataset", "add", "again", "large.jsonl", "--title", "Large"];
    let added = bench.json(&again);
    assert_eq!(entries(&bench), [added["release"]["id"].as_str().unwrap()]);
}

#[test]
fn a_folder_and_a_pattern_stand_for_their_files_and_the_rest_is_told() {
    let bench = Bench::new();
    let [v1, v2] = made_up(&bench);
    fs::create_dir_all(bench.path("walks/more")).unwrap();
    fs::rename(bench.path(v1), bench.path("walks/more/v1.jsonl")).unwrap();
    fs::rename(bench.path(v2), bench.path("walks/v2.jsonl.zst")).unwrap();
    fs::write(bench.path("walks/README.md"), "what lies here\n").unwrap();
    let told = bench.run(&["dataset", "add", "walks", "walks", "--title", "Walks"]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stderr.contains("passed over") && told.stderr.contains("README.md"));
    let shown = bench.json(&["dataset", "show", "walks"]);
    let sources = shown["manifest"]["sources"].as_array().unwrap();
    let names: Vec<&str> = sources.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 2, "{shown}");
    assert!(names[0].ends_with("walks/more/v1.jsonl") && names[1].ends_with("v2.jsonl.zst"));

    // By a pattern, with objects at hand: the same IDs in the same order.
    let pattern = ["dataset", "refresh", "walks", "walks/more", "walks/*.zst", "--objects"];
    let again = bench.json(&pattern);
    assert_eq!(again["release"]["id"], shown["manifest"]["release"], "{again}");
    for (name, says) in [("walks/*.csv", "no file fits the pattern"), ("nothing", "no file of rec")]
    {
        fs::create_dir_all(bench.path("nothing")).unwrap();
        let refused = bench.run(&["dataset", "refresh", "walks", name]);
        assert!(refused.code == 1 && refused.stderr.contains(says), "{}", refused.stderr);
    }
}
