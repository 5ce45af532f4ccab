//! `hydrant demo` on the real binary: what it prints works, and it finds its data again.

mod harness;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use harness::Bench;
use harness::database::Database;
use serde_json::Value;

/// A demo that runs until this value goes.
struct Demo {
    process: Child,
    stdout: BufReader<ChildStdout>,
}

impl Demo {
    fn start(folder: &Path, more: &[&str]) -> Demo {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hydrant"));
        command.args(["demo", "--listen", "127.0.0.1:0"]).args(more).current_dir(folder);
        Demo::start_as(command)
    }

    fn start_as(mut command: Command) -> Demo {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        Demo { process, stdout }
    }

    /// What a demo with `--json` prints once it serves.
    fn told(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
    }

    /// Runs every line that begins with `curl` or `wc` or `cmp`, as somebody would paste it.
    fn paste_lines(&mut self, folder: &Path) -> Vec<String> {
        let mut answers = Vec::new();
        // The last of the lines is the one with the limit.
        while !answers.last().is_some_and(|(line, _): &(String, String)| line.contains("limit=")) {
            let mut line = String::new();
            assert!(self.stdout.read_line(&mut line).unwrap() > 0, "the demo ended: {answers:?}");
            if ["curl", "wc", "cmp"].iter().any(|word| line.starts_with(word)) {
                let output =
                    Command::new("sh").args(["-c", &line]).current_dir(folder).output().unwrap();
                assert!(output.status.success(), "{line} {output:?}");
                answers.push((line, String::from_utf8(output.stdout).unwrap()));
            }
        }
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The tokens of a demo's three requesters.
fn tokens(told: &Value) -> Vec<&str> {
    let requesters = told["requesters"].as_array().unwrap();
    requesters.iter().map(|requester| requester["token"].as_str().unwrap()).collect()
}

fn status(told: &Value, token: &str) -> u16 {
    let url = format!("{}/v1/usage", told["url"].as_str().unwrap());
    let bearer = format!("Authorization: Bearer {token}");
    let asked = ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", &bearer, &url];
    let output = Command::new("curl").args(asked).output().unwrap();
    String::from_utf8(output.stdout).unwrap().parse().unwrap()
}

#[test]
fn the_lines_that_a_demo_prints_work_as_pasted_and_its_data_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(folder.path(), &[]);
    let answers = demo.paste_lines(folder.path());
    let all = answers.join("\n");
    for expected in [
        "harbour-2018",
        "100000 tweet-ids.txt",
        "the same",
        "\"remaining\":50000",
        "HTTP/1.1 429",
        "university-of-orrin",
    ] {
        assert!(all.contains(expected), "{all} lacks {expected:?}");
    }
    drop(demo);
    let mut demo = Demo::start(folder.path(), &["--json"]);
    let first = demo.told();
    assert_eq!(status(&first, tokens(&first)[0]), 200);
    drop(demo);
    let mut demo = Demo::start(folder.path(), &["--json"]);
    let second = demo.told();
    assert_eq!(status(&second, tokens(&second)[0]), 200);
    assert_eq!(status(&second, tokens(&first)[0]), 401, "the keys of an earlier start are void");
    drop(demo);
    let kept = folder.path().join("hydrant-demo/demo/kept");
    std::fs::write(&kept, "").unwrap();
    let mut demo = Demo::start(folder.path(), &["--json", "--fresh"]);
    let fresh = demo.told();
    assert_eq!(status(&fresh, tokens(&fresh)[0]), 200);
    assert!(!kept.exists(), "`--fresh` begins anew");
}

#[test]
fn a_demos_exemption_holds_where_the_platform_has_to_permit_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hydrant"));
    command.args(["demo", "--listen", "127.0.0.1:0", "--json"]).current_dir(folder.path());
    command.env("HYDRANT__POLICY__PROFILE", "x-2025-10");
    let mut demo = Demo::start_as(command);
    let told = demo.told();
    let url = format!("{}/v1/usage", told["url"].as_str().unwrap());
    let bearer = format!("Authorization: Bearer {}", tokens(&told)[1]);
    let output = Command::new("curl").args(["-sS", "-H", &bearer, &url]).output().unwrap();
    let usage = String::from_utf8(output.stdout).unwrap();
    assert!(usage.contains("exemption") && usage.contains("10000000"), "{usage}");
}

#[test]
fn a_folder_that_no_demo_made_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hydrant-demo");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("thesis.txt"), "ten years of work").unwrap();
    for more in [&[][..], &["--fresh"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_hydrant"))
            .args(["demo", "--listen", "127.0.0.1:0"])
            .args(more)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("holds something that no demo made"), "{message}");
    }
    assert_eq!(std::fs::read_dir(data).unwrap().count(), 1);
}

#[test]
fn a_demo_on_a_server_begins_with_an_empty_database_and_finds_it_again() {
    let database = Database::fresh();
    let bench = Bench::on(&database.url());
    let start = ["demo", "--listen", "127.0.0.1:0", "--json"];
    let entities = || database.superuser().one("SELECT count(*) FROM entities");
    for _ in 0..2 {
        let told = Demo::start_as(bench.command(&start)).told();
        assert!(told["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{told}");
        assert_eq!(entities(), "4");
    }
}

#[test]
fn a_demo_leaves_somebodys_database_as_it_is() {
    let database = Database::fresh();
    let bench = Bench::on(&database.url());
    bench.entity("acme", "commercial");
    let written = || database.superuser().rows("SELECT * FROM journal");
    let before = written();
    let refused = bench.run(&["demo", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("make an empty database for it"), "{refused:?}");
    assert_eq!(written(), before);
    let key = database.superuser().one("SELECT verifier_key FROM audit_log");
    assert_eq!(key, "NULL", "its log has no key of the demo's");
}
