//! How other tools fail at datasets of tweets, one by one, and what this one does instead.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::{data, delete, hydrant, ids, numbers, report, strip, tweet};

/// A made-up Tweet ID of March 2022.
const FIRST: u64 = 1_500_000_000_001_000_003;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// Others stop at the first damaged line, and end with 0. Bytes are those of the decoded text, of
/// which a byte order mark is no part.
#[test]
fn a_damaged_line_costs_that_line_alone_and_its_place_is_told() {
    let before: String = (0..3).map(|number| tweet(FIRST + number)).collect();
    let after: String = (3..6).map(|number| tweet(FIRST + number)).collect();
    let plain = format!("{before}{{\"id\":NaN}}\n{after}");
    let marked = format!("\u{feff}{plain}");
    for (name, input, byte) in [
        ("plain", plain.clone().into_bytes(), before.len() + 6),
        ("gzip", gzip(plain.as_bytes()), before.len() + 6),
        (
            "gzip of two members",
            [gzip(before.as_bytes()), gzip(&plain.as_bytes()[before.len()..])].concat(),
            before.len() + 6,
        ),
        ("byte order mark", marked.clone().into_bytes(), before.len() + 6),
        ("gzip of a byte order mark", gzip(marked.as_bytes()), before.len() + 6),
    ] {
        assert_eq!(ids(&[], &input), ((FIRST..FIRST + 6).collect(), 3), "{name}");
        let report = report(&[], &input);
        let reasons = report["reasons"].as_array().unwrap();
        assert_eq!((reasons.len(), &reasons[0]["count"]), (1, &1.into()), "{name}: {report}");
        let place = &reasons[0]["first"][0];
        assert_eq!((&place["line"], &place["byte"]), (&4.into(), &byte.into()), "{name}");
        let strict = strip(&["--strict"], &input);
        assert_eq!((strict.stdout.as_slice(), strict.status.code()), (&b""[..], Some(1)), "{name}");
    }
}

/// Others read an array as a single damaged line.
#[test]
fn a_damaged_record_of_an_array_costs_that_record_alone() {
    let good: Vec<String> = (0..6).map(|number| tweet(FIRST + number)).collect();
    let mut records: Vec<&str> = good.iter().map(|line| line.trim_end()).collect();
    records.insert(3, "{\"id\":NaN}");
    let lines = format!("[\n{}\n]\n", records.join(",\n"));
    let byte = lines.find("NaN").unwrap();
    for (name, input) in [("plain", lines.clone().into_bytes()), ("gzip", gzip(lines.as_bytes()))] {
        assert_eq!(ids(&[], &input), ((FIRST..FIRST + 6).collect(), 3), "{name}");
        let report = report(&[], &input);
        let place = &report["reasons"][0]["first"][0];
        assert_eq!((&place["line"], &place["byte"]), (&5.into(), &byte.into()), "{name}: {report}");
    }
    let whole = format!("[{}]", good.join(","));
    for input in [whole.clone().into_bytes(), format!("\u{feff}{whole}").into_bytes()] {
        assert_eq!(ids(&[], &input), ((FIRST..FIRST + 6).collect(), 0));
    }
}

/// Others print whatever stands at `id`.
#[test]
fn ids_of_users_lists_and_deleted_tweets_are_never_printed_as_tweet_ids() {
    let user = "{\"id\":\"1400000000000999983\",\"username\":\"made_up\",\"name\":\"Made Up\"}\n";
    let users = format!("{{\"data\":[{}]}}\n", user.trim_end());
    let lists = "{\"data\":[{\"id\":\"1500000000009000027\",\"name\":\"a list\",\
                 \"member_count\":3,\"owner_id\":\"1400000000008999847\"}]}\n";
    let rules = format!(
        "{{\"data\":{{\"id\":\"{FIRST}\",\"text\":\"made up\"}},\
         \"matching_rules\":[{{\"id\":\"1500000000008000024\",\"tag\":\"made up\"}}]}}\n"
    );
    for (input, expected) in [
        (user.to_owned(), vec![]),
        (users, vec![]),
        (lists.to_owned(), vec![]),
        (rules, vec![FIRST]),
        (delete(FIRST), vec![]),
        (tweet(FIRST) + &delete(FIRST), vec![]),
        (delete(FIRST) + &tweet(FIRST) + &tweet(FIRST + 1), vec![FIRST + 1]),
    ] {
        assert_eq!(ids(&[], input.as_bytes()).0, expected, "{input}");
    }
    for file in ["v2-users.json", "users.csv", "compliance.jsonl"] {
        let output = hydrant(&[data(file).to_str().unwrap()]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{file}");
    }
}

/// Others print `id`, which JavaScript and jq have rounded.
#[test]
fn id_str_wins_over_an_id_that_was_rounded() {
    // Twenty IDs, of which the first alone fits into a floating-point number.
    let rounded = |id: u64| id as f64 as u64;
    let twenty: Vec<u64> = (0..20).map(|number| rounded(FIRST) + number * 12).collect();
    let mangled = twenty.iter().filter(|id| rounded(**id) != **id).count();
    let input: String = twenty
        .iter()
        .map(|id| {
            let number = rounded(*id);
            format!("{{\"id\":{number},\"id_str\":\"{id}\",\"text\":\"made up\",\"user\":{{}}}}\n")
        })
        .collect();
    let output = strip(&["--json"], input.as_bytes());
    assert_eq!(numbers(&output.stdout), twenty);
    let report: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(mangled, 19, "the sample itself");
    let rescued = report["reasons"].as_array().unwrap().iter();
    let rescued = rescued.filter(|row| row["reason"] == "rescued").map(|row| &row["count"]);
    assert_eq!(rescued.collect::<Vec<_>>(), [&Value::from(19)], "{report}");
}

/// Others want API keys before they read a file that lies on this machine.
#[test]
fn nothing_is_needed_from_the_environment_nor_from_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tweets.jsonl");
    fs::write(&path, tweet(FIRST)).unwrap();
    let output =
        hydrant(&["tweets.jsonl"]).env_clear().current_dir(folder.path()).output().unwrap();
    assert_eq!((numbers(&output.stdout), output.status.code()), (vec![FIRST], Some(0)));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no file of settings is made");
}

/// Others refuse a list for its header, its byte order mark or its blank lines.
#[test]
fn a_list_is_read_whatever_stands_round_its_ids() {
    let (one, two) = (FIRST, FIRST + 4_194_304);
    for input in [
        format!("tweet_id\n{one}\n{two}\n"),
        format!("id\n{one}\n{two}\n"),
        format!("Tweet IDs\n{one}\n{two}\n"),
        format!("\u{feff}{one}\n{two}\n"),
        format!("\u{feff}tweet_id\r\n{one}\r\n{two}\r\n"),
        format!("\n{one}\n\n\n{two}\n\n"),
        format!("{one}\r\n\r\n{two}\r\n"),
        format!("{one}\n{two}"),
        format!("\"{one}\",\n\"{two}\",\n"),
    ] {
        assert_eq!(ids(&[], input.as_bytes()), (vec![one, two], 0), "{input:?}");
        assert_eq!(ids(&[], &gzip(input.as_bytes())), (vec![one, two], 0), "{input:?}, gzip");
    }
    let lines = format!("\r\n{}\r\n\r\n{}\r\n", tweet(one).trim_end(), tweet(two).trim_end());
    assert_eq!(ids(&[], lines.as_bytes()), (vec![one, two], 0));
}

/// Others accept what a spreadsheet has made of IDs, and publish wrong tweets.
#[test]
fn numbers_of_a_spreadsheet_are_refused_or_convicted() {
    let written = "tweet_id,text\n1.5E+18,made up\n1.50000000000100E+18,made up\n";
    assert_eq!(ids(&[], written.as_bytes()), (vec![], 3));
    assert_eq!(ids(&["--strict"], written.as_bytes()), (vec![], 1));
    assert_eq!(report(&[], written.as_bytes())["reasons"][0]["reason"], "mangled");
    let rounded: String = (1..=40)
        .map(|number| format!("{}\n", (FIRST + number * 7_919_373) / 10_000 * 10_000))
        .collect();
    assert_eq!(ids(&[], rounded.as_bytes()).1, 3);
    assert_eq!(ids(&["--strict"], rounded.as_bytes()), (vec![], 1));
    assert_eq!(report(&[], rounded.as_bytes())["reasons"][0]["reason"], "column-of-spreadsheet");
    let linked = format!("tweet_id,tweet_url\n1.5E+18,https://x.com/made_up/status/{FIRST}\n");
    assert_eq!(ids(&[], linked.as_bytes()).0, [FIRST]);
}

/// Others write Python's bytes into cells, which nothing reads again.
#[test]
fn cells_of_bytes_of_python_are_read() {
    let second = FIRST + 1_000_003;
    let input = format!("tweet_id,user_id,text\nb'{FIRST}',b'7',b'x'\n\"b'{second}'\",b'7',b'y'\n");
    assert_eq!(ids(&[], input.as_bytes()), (vec![FIRST, second], 0));
    assert_eq!(ids(&["--ids", "user"], input.as_bytes()), (vec![7, 7], 0));
}

/// Others leave half a file, and go on behind the wrong line.
#[test]
fn a_strip_that_is_interrupted_leaves_no_half_file_that_looks_whole() {
    for (signal, name) in
        [(rustix::process::Signal::INT, "INT"), (rustix::process::Signal::KILL, "KILL")]
    {
        for before in [None, Some("made before\n")] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ids.txt");
            if let Some(text) = before {
                fs::write(&path, text).unwrap();
            }
            assert_ne!(interrupted(&path, signal), Some(0), "{name}");
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), before, "{name}");
        }
    }
}

/// Ends a strip to `path` by `signal` amid its input; its exit code, if it had one.
fn interrupted(path: &Path, signal: rustix::process::Signal) -> Option<i32> {
    let mut child = hydrant(&["-o", path.to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines: String = (0..20_000).map(|number| tweet(FIRST + number)).collect();
    // More than a pipe holds: once this returns, the program has read most of it.
    stdin.write_all(lines.as_bytes()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), signal).unwrap();
    // The end of the input must not come first.
    let code = child.wait().unwrap().code();
    drop(stdin);
    code
}
