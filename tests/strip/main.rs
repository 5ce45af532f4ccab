//! `hydrant strip`, the real binary: formats, wrappings, exit codes, reports, memory.

mod failures;
mod fuzz;
mod mangled;
#[cfg(feature = "parquet")]
mod parquet;
mod wrappings;

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The program with arguments, standard input and standard output still open.
fn hydrant(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hydrant"));
    command.arg("strip").args(arguments).stdin(Stdio::null());
    command
}

/// Runs the program on `input`.
fn strip(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = hydrant(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || {
        // A program that stops early closes the pipe.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

/// What a strip of `input` wrote, as numbers; its exit code.
fn ids(arguments: &[&str], input: &[u8]) -> (Vec<u64>, i32) {
    let output = strip(arguments, input);
    (numbers(&output.stdout), output.status.code().unwrap())
}

fn numbers(text: &[u8]) -> Vec<u64> {
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| std::str::from_utf8(line).unwrap().parse().unwrap())
        .collect()
}

/// The report of a strip with `--json`.
fn report(arguments: &[&str], input: &[u8]) -> Value {
    let output = strip(&[&["--json"], arguments].concat(), input);
    serde_json::from_slice(&output.stderr).unwrap()
}

/// A made-up v1.1 tweet on a line.
fn tweet(id: u64) -> String {
    format!("{{\"id\":{id},\"id_str\":\"{id}\",\"text\":\"made up\",\"user\":{{\"id\":7}}}}\n")
}

fn delete(id: u64) -> String {
    format!("{{\"delete\":{{\"status\":{{\"id\":{id},\"id_str\":\"{id}\"}}}}}}\n")
}

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/strip").join(file)
}

#[test]
fn every_format_gives_the_ids_of_each_kind_and_scope() {
    let expected = fs::read_to_string(data("expect.tsv")).unwrap();
    for row in expected.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let [file, kind, scope, ids] = cells[..] else { panic!("a row has four cells: {row}") };
        let path = data(file);
        let output =
            hydrant(&["--ids", kind, "--scope", scope, path.to_str().unwrap()]).output().unwrap();
        let expected = ids.split(' ').filter(|id| *id != "-").map(|id| id.to_owned() + "\n");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            expected.collect::<String>(),
            "{file}, {kind}, {scope}:\n{said}"
        );
        let damaged = [
            "cut-lines.jsonl",
            "cut-pretty.json",
            "mangled.jsonl",
            "scrape.jsonl",
            "times.jsonl",
            "tool-links.csv",
            "tool-tab.csv",
        ];
        let of_tweets = ["tool-links.csv", "tool-tab.csv"].contains(&file);
        let clean = !damaged.contains(&file) || of_tweets && kind != "tweet";
        assert_eq!(output.status.code(), Some(if clean { 0 } else { 3 }), "{file}, {kind}: {said}");
    }
}

/// Passes without having looked at anything unless `HYDRANT_TEST_CORPUS` names the folder of real
/// files, which are never part of this project.
#[test]
fn the_corpus_gives_the_counts_and_digests_that_are_known() {
    let Some(folder) = std::env::var_os("HYDRANT_TEST_CORPUS").map(PathBuf::from) else { return };
    let expected = fs::read_to_string(folder.join("expect.tsv")).unwrap();
    let mut files = 0;
    for row in expected.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let path = folder.join(cells[0]);
        for (kind, count) in ["tweet", "user", "dm"].into_iter().zip(&cells[1..4]) {
            let output =
                hydrant(&["--json", "--ids", kind, path.to_str().unwrap()]).output().unwrap();
            assert_eq!(numbers(&output.stdout).len().to_string(), *count, "{} {kind}", cells[0]);
            if kind == "tweet" && cells[4] != "-" {
                let report: Value = serde_json::from_slice(&output.stderr).unwrap();
                let sha256 = report["written"]["sha256"].as_str().unwrap();
                assert_eq!(&sha256[..16], cells[4], "{}", cells[0]);
            }
        }
        files += 1;
    }
    assert_eq!(files, 20, "the corpus has 20 files");
}

#[test]
fn a_delete_counts_wherever_it_stands() {
    let input = [delete(1), tweet(1), tweet(2), tweet(3), tweet(3), delete(3)].concat();
    assert_eq!(ids(&[], input.as_bytes()), (vec![2], 0));
    let report = report(&[], input.as_bytes());
    assert_eq!(report["ids"]["tweet"]["found"], 4);
    assert_eq!(report["ids"]["tweet"]["removed"], 3);
    assert_eq!(report["ids"]["tweet"]["handed_out"], 1);
}

#[test]
fn streaming_applies_deletes_forwards_and_reports_late_ones() {
    let input = [delete(1), tweet(1), tweet(2), tweet(3), delete(3), tweet(3)].concat();
    assert_eq!(ids(&["--stream"], input.as_bytes()), (vec![2, 3], 3));
    let report = report(&["--stream"], input.as_bytes());
    assert_eq!(report["reasons"][0]["reason"], "late-delete");
    assert_eq!(report["reasons"][0]["count"], 1);
    let early = [delete(1), tweet(1), tweet(2)].concat();
    assert_eq!(ids(&["--stream"], early.as_bytes()), (vec![2], 0));
}

#[test]
fn a_stream_hands_out_each_line_before_the_next_comes() {
    let mut child = hydrant(&["--stream"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for id in [20, 21, 22] {
        stdin.write_all(tweet(id).as_bytes()).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, format!("{id}\n"));
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn distinct_keeps_the_first_of_each() {
    let input: String = [5, 3, 5, 4, 3, 5].map(tweet).concat();
    assert_eq!(ids(&["--distinct"], input.as_bytes()), (vec![5, 3, 4], 0));
    assert_eq!(report(&["--distinct"], input.as_bytes())["ids"]["tweet"]["duplicates"], 3);
}

/// 2.5 million IDs exceed the memory of sets and spool, so runs are sorted on disk.
#[test]
fn distinct_is_exact_beyond_the_memory_bound() {
    let mut input = Vec::new();
    let (mut expected, mut seen) = (Vec::new(), HashSet::new());
    let mut state = 1_u64;
    for _ in 0..2_500_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let id = 1_000_000_000 + (state >> 42) % 1_500_000;
        if seen.insert(id) {
            expected.push(id);
        }
        writeln!(input, "{id}").unwrap();
    }
    let (out, code) = ids(&["--distinct"], &input);
    assert_eq!(code, 0);
    assert!(out == expected, "{} IDs instead of {}", out.len(), expected.len());
}

#[test]
fn exit_codes_tell_how_it_ended() {
    let damaged = [tweet(1), "{\"id\":2,\"te\n".to_owned(), tweet(3)].concat();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    for (arguments, input, expected, code) in [
        (&[][..], tweet(1), vec![1], 0),
        (&[], String::new(), vec![], 0),
        (&[], damaged.clone(), vec![1, 3], 3),
        (&["--strict"], damaged, vec![], 1),
        (&["/nowhere/at/all"], String::new(), vec![], 1),
        (&[folder], String::new(), vec![], 0),
        (&["/nowhere/*.json"], String::new(), vec![], 1),
        (&["--stream", "--distinct"], tweet(1), vec![], 2),
        (&["--ids", "place"], tweet(1), vec![], 2),
        (&["--format", "word"], tweet(1), vec![], 2),
        (&["--report", "-"], tweet(1), vec![], 2),
    ] {
        assert_eq!(ids(arguments, input.as_bytes()), (expected, code), "{arguments:?}");
    }
}

#[test]
fn strict_names_the_place_of_the_first_damage() {
    let input = [tweet(1), tweet(2), "{\"id\":NaN}\n".to_owned()].concat();
    let output = strip(&["--strict"], input.as_bytes());
    let said = String::from_utf8(output.stderr).unwrap();
    let byte = input.find("NaN").unwrap();
    assert_eq!(said, format!("hydrant: -, line 3, byte {byte}: not well-formed JSON\n"));
}

#[test]
fn the_report_and_the_rejects_name_places_and_reasons_but_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let input = [
        tweet(1),
        "{\"id\":\"1.5E+18\",\"text\":\"secret\",\"author_id\":\"5\"}\n".to_owned(),
        "{\"secret\":1}\n".to_owned(),
        tweet(2),
        "{\"limit\":{\"track\":1}}\n\"secret".to_owned(),
    ]
    .concat();
    let (rejects, report_path) = (path("rejects"), path("report"));
    let output = strip(&["--rejects", &rejects, "--report", &report_path], input.as_bytes());
    assert_eq!(output.status.code(), Some(3));
    let at = |text: &str| input.find(text).unwrap();
    let (mangled, unknown, cut) =
        (at("{\"id\":\"1.5"), at("{\"secret"), at("\"secret\u{22}:").max(at("\n\"secret") + 1));
    let expected =
        format!("-\t2\t{mangled}\tmangled\n-\t3\t{unknown}\tunknown\n-\t6\t{cut}\tnot-a-record\n");
    assert_eq!(fs::read_to_string(&rejects).unwrap(), expected);
    let text = fs::read_to_string(&report_path).unwrap();
    assert!(!text.contains("secret"));
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["clean"], false);
    let reasons = report["reasons"].as_array().unwrap().iter();
    let reasons: Vec<&str> = reasons.map(|row| row["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["not-a-record", "mangled", "unknown", "control"]);
    assert_eq!(report["written"]["bytes"], 4);
    assert_eq!(
        report["written"]["sha256"],
        "a6e2b7a040683432de03a18fd8a1939a2fdf82585b364bfc874bdd4095c4cae1"
    );
}

#[test]
fn the_report_tells_of_each_source_what_was_found_and_met() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (whole, broken) = (path("whole.jsonl"), path("broken.jsonl"));
    fs::write(&whole, tweet(20) + &tweet(21)).unwrap();
    fs::write(&broken, tweet(22) + "{\"id\":\n" + &delete(20)).unwrap();
    let output = hydrant(&["--json", &whole, &broken]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stderr).unwrap();
    let [first, second] = [&report["sources"][0], &report["sources"][1]];
    assert_eq!((&first["found"]["tweet"], &second["found"]["tweet"]), (&2.into(), &1.into()));
    assert_eq!((&first["reasons"], &second["reasons"]["control"]), (&Value::Null, &1.into()));
    assert_eq!(report["ids"]["tweet"]["removed"], 1);
    let said = hydrant(&[&whole, &broken]).output().unwrap().stderr;
    let said = String::from_utf8(said).unwrap();
    for line in [format!("{whole}: 2 IDs found"), format!("{broken}: 1 IDs found, 1 × damaged")] {
        assert!(said.contains(&line), "{said}");
    }
}

#[test]
fn a_file_appears_only_when_it_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids.txt");
    fs::write(&path, "before").unwrap();
    let target = path.to_str().unwrap();
    let broken = [tweet(1), "{\"id\":\n".to_owned()].concat();
    let (_, code) = ids(&["--strict", "-o", target], broken.as_bytes());
    assert_eq!((code, fs::read_to_string(&path).unwrap().as_str()), (1, "before"));
    let (out, code) = ids(&["-o", target], tweet(20).as_bytes());
    assert_eq!((out, code, fs::read_to_string(&path).unwrap().as_str()), (vec![], 0, "20\n"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

/// An interrupted strip once left a hidden file of any size beside its target.
#[test]
#[cfg(target_os = "linux")]
fn a_strip_that_is_killed_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids.txt");
    fs::write(&path, "before").unwrap();
    let mut child = hydrant(&["--stream", "-o", path.to_str().unwrap()])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // More than any pipe holds: when it is written, most of it was read.
    let lines: String = (1..20_000).map(tweet).collect();
    child.stdin.as_mut().unwrap().write_all(lines.as_bytes()).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

/// Once `-o`, `--rejects` or `--report` on the input itself destroyed the only copy of a dataset.
#[test]
fn a_file_that_is_read_is_never_written_nor_one_written_twice() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("v2.json"), tweet(20)).unwrap();
    std::os::unix::fs::symlink("v2.json", at("link")).unwrap();
    let dotted = at("./new");
    let (v2, link, new) = (&*at("v2.json"), &*at("link"), &*at("new"));
    for (arguments, name, says) in [
        (&["-o", v2][..], v2, "is both read and written; name another file with -o"),
        (&["-o", link], link, "is both read and written; name another file with -o"),
        (&["--rejects", v2], v2, "is both read and written; name another file with --rejects"),
        (&["--report", link], link, "is both read and written; name another file with --report"),
        (&["-o", new, "--report", &dotted], &dotted, "would be written by both -o and --report"),
        (&["--rejects", new, "--report", new], new, "by both --rejects and --report"),
    ] {
        for piped in [false, true] {
            let mut command = hydrant(arguments);
            match piped {
                true => command.stdin(fs::File::open(v2).unwrap()),
                false => command.arg(v2),
            };
            let output = command.output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
            assert!(said.contains(name) && said.contains(says), "{said}");
            assert_eq!(fs::read_to_string(v2).unwrap(), tweet(20), "{arguments:?}");
        }
    }
    let appended = fs::File::options().append(true).open(v2).unwrap();
    let output = hydrant(&[v2]).stdout(appended).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(fs::read_to_string(v2).unwrap(), tweet(20));
    let nowhere = ["--rejects", "/dev/null", "--report", "/dev/null", "-o", "/dev/null"];
    assert_eq!(ids(&nowhere, tweet(20).as_bytes()), (vec![], 0));
}

#[test]
fn a_folder_that_is_not_there_is_named_before_anything_is_read() {
    for flag in ["-o", "--rejects", "--report"] {
        let output = strip(&[flag, "/nonexistent/x"], tweet(20).as_bytes());
        let said = String::from_utf8(output.stderr).unwrap();
        let expected = "hydrant: the folder /nonexistent does not exist\n";
        assert_eq!((said.as_str(), output.status.code()), (expected, Some(1)));
    }
}

/// Once an error page that was saved in place of a dataset passed for a dataset without IDs.
#[test]
fn a_source_of_nothing_that_is_known_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().join("known.txt");
    fs::write(&known, "20\n").unwrap();
    let known = known.to_str().unwrap();
    for (input, reason, line, byte) in [
        ("<!DOCTYPE html><html><body>Sign in</body></html>\n", "not-a-record", 1, 0),
        ("\n \nnothing to see here", "not-a-record", 3, 3),
        ("Tweets\n\n", "not-a-record", 1, 0),
        ("\"\",\n", "not-a-record", 1, 0),
        ("\n{\"name\":1}\n[{\"name\":2}]\n", "nothing-known", 2, 1),
    ] {
        for arguments in [&[][..], &[known, "-"]] {
            let expected = if arguments.is_empty() { vec![] } else { vec![20] };
            assert_eq!(ids(arguments, input.as_bytes()), (expected, 3), "{input}");
        }
        let report = report(&[], input.as_bytes());
        assert_eq!(report["clean"], false);
        let row = &report["reasons"][0];
        assert_eq!((&row["reason"], &row["count"]), (&reason.into(), &1.into()), "{input}");
        let place = &row["first"][0];
        assert_eq!((&place["line"], &place["byte"]), (&line.into(), &byte.into()), "{input}");
    }
    let unknown = "{\"name\":1}\n";
    for (input, expected) in [
        (" \n\0\0\n".to_owned(), vec![]),
        ("[]\n".to_owned(), vec![]),
        ("{\"meta\":{\"result_count\":0}}\n".to_owned(), vec![]),
        ("id,text\n".to_owned(), vec![]),
        ("Tweets\n20\n".to_owned(), vec![20]),
        (delete(1), vec![]),
        (delete(1) + unknown, vec![]),
        (tweet(20) + unknown, vec![20]),
    ] {
        assert_eq!(ids(&[], input.as_bytes()), (expected, 0), "{input}");
    }
}

#[test]
fn a_line_of_a_list_that_is_no_entry_is_said_to_be_none() {
    let input = b"20\nsee above\nhttps://x.com/made_up/status/21\n1.5E+18\n";
    assert_eq!(ids(&[], input), (vec![20, 21], 3));
    let report = report(&[], input);
    let reasons = report["reasons"].as_array().unwrap().iter();
    let reasons: Vec<_> = reasons.map(|row| (&row["reason"], &row["first"][0]["line"])).collect();
    assert_eq!(reasons, [(&"not-an-entry".into(), &2.into()), (&"mangled".into(), &4.into())]);
    let said = &report["reasons"][0]["says"];
    assert_eq!(*said, "this line is neither an ID nor a link to a tweet");
}

#[test]
fn forms_other_than_text_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    for (form, expected) in
        [("csv", "tweet_id\n20\n"), ("jsonl", "{\"tweet_id\":\"20\"}\n"), ("txt", "20\n")]
    {
        ids(&["--as", form, "-o", path.to_str().unwrap()], tweet(20).as_bytes());
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        for (ending, packing) in [("gz", "gzip"), ("zst", "zstd")] {
            let packed = folder.path().join(format!("out.{ending}"));
            let named = ["--as", form, "-o", packed.to_str().unwrap()];
            let report = report(&named, tweet(20).as_bytes());
            let bytes = fs::read(&packed).unwrap();
            assert_eq!(report["written"]["bytes"], bytes.len());
            let stdout = strip(&["--as", form, "--pack", packing], tweet(20).as_bytes()).stdout;
            assert_eq!(bytes, stdout, "{form}, {packing}");
            let mut text = String::new();
            match packing {
                "gzip" => flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text),
                _ => zstd::Decoder::new(&*bytes).unwrap().read_to_string(&mut text),
            }
            .unwrap();
            assert_eq!(text, expected, "{form}, {packing}");
            if form == "csv" {
                assert_eq!(ids(&[], &bytes), (vec![20], 0), "{form}, {packing}, read back");
            }
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let input: Vec<u8> = (20..200_000_u64).flat_map(|id| format!("{id}\n").into_bytes()).collect();
    let mut child = hydrant(&["--stream"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let feeder = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    stdout.read_exact(&mut [0; 10]).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn a_users_page_asked_for_tweets_gives_none_and_says_so() {
    let output = hydrant(&[data("v2-users.json").to_str().unwrap()]).output().unwrap();
    assert_eq!((output.stdout.as_slice(), output.status.code()), (&b""[..], Some(0)));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("1 × holds no ID of the kind asked for"), "{said}");
}

/// 1 GiB of made-up v1.1 tweets through a pipe.
#[test]
fn a_gibibyte_takes_no_more_than_64_mebibytes() {
    const INPUT_BYTES: usize = 1 << 30;
    let filler = "made-up words, \\\"quoted\\\" and more; ".repeat(40);
    let mut block = Vec::new();
    for id in 1_500_000_000_000_000_000..1_500_000_000_000_000_600_u64 {
        writeln!(
            block,
            "{{\"id\":{id},\"id_str\":\"{id}\",\"text\":\"{filler}\",\"user\":{{\"id\":7,\
             \"description\":\"{filler}\"}},\"entities\":{{\"urls\":[],\"hashtags\":[]}}}}"
        )
        .unwrap();
    }
    let blocks = INPUT_BYTES.div_ceil(block.len());
    let mut child = hydrant(&["-o", "/dev/null", "--json"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for _ in 0..blocks {
        stdin.write_all(&block).unwrap();
    }
    // The program still waits for the end of its input: its peak so far is all but its peak.
    let before_end = peak_bytes(child.id());
    drop(stdin);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success());
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["ids"]["tweet"]["handed_out"], 600 * blocks as u64);
    assert!(before_end <= 64 << 20, "{before_end} bytes resident at the peak");
}

/// White space before the first record was once kept until something followed it.
#[test]
fn blanks_without_end_take_no_memory() {
    let mut child = hydrant(&["-o", "/dev/null", "--json"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let blanks = vec![b'\n'; 1 << 20];
    for _ in 0..256 {
        stdin.write_all(&blanks).unwrap();
    }
    let before_end = peak_bytes(child.id());
    stdin.write_all(b"20\nnonsense\n").unwrap();
    drop(stdin);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["ids"]["tweet"]["handed_out"], 1);
    assert_eq!(report["reasons"][0]["first"][0]["line"], (256 << 20) + 2);
    assert!(before_end <= 64 << 20, "{before_end} bytes resident at the peak");
}

/// The most memory that a process held so far, in bytes.
fn peak_bytes(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}
