//! The audit log of the real gateway: receipts, exports, copies, and what an auditor finds.

mod harness;

use std::path::Path;
use std::process::Command;

use harness::{Bench, Ended, Gateway, ended};
use serde_json::Value;
use sha2::{Digest, Sha256};

const IDS: &str = "/v1/datasets/walks/tweet-ids";

/// A bench with a dataset and two people of one entity; and their keys.
fn bench() -> (Bench, [String; 2]) {
    let bench = Bench::new();
    bench.entity("acme", "commercial");
    let keys = ["ada@acme.example", "bo@acme.example"].map(|mail| bench.person(mail, &["acme"]));
    bench.dataset("walks", 1, 20_000);
    (bench, keys)
}

fn serve(bench: &Bench, variables: &[(&str, &str)]) -> Gateway {
    let mut command = bench.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.envs(variables.iter().copied());
    Gateway::start(command)
}

/// Downloads everything and returns the delivery.
fn deliver(gateway: &Gateway, key: &str) -> String {
    let answer = gateway.get(IDS, key);
    assert_eq!(answer.status, 200, "{}", answer.head);
    answer.field("hydrant-delivery").unwrap().to_owned()
}

/// What the second verifier says.
fn python(arguments: &[&str]) -> Ended {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/audit_verify.py");
    ended(Command::new("python3").arg(script).args(arguments).output().unwrap())
}

/// What the first one says, where there is neither a database nor a data folder.
fn verify(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hydrant"));
    command.current_dir(folder).args(["audit", "verify", "--json"]).args(arguments);
    ended(command.output().unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_requester_gets_a_receipt_of_their_own_delivery_that_both_verifiers_take() {
    let (bench, [ada, bo]) = bench();
    let gateway = serve(&bench, &[("HYDRANT__AUDIT__CHECKPOINT_SECONDS", "3600")]);
    let delivery = deliver(&gateway, &ada);
    let path = format!("/v1/deliveries/{delivery}/receipt");
    let early = gateway.get(&path, &ada);
    assert_eq!((early.status, early.problem().as_str()), (503, "receipt-not-ready"));
    assert_eq!(early.field("retry-after"), Some("3600"));
    // Through the running gateway.
    let checkpoint = bench.json(&["audit", "checkpoint"]);
    let key = checkpoint["verifier_key"].as_str().unwrap();
    let receipt = gateway.get(&path, &ada);
    assert_eq!(receipt.status, 200, "{}", receipt.head);
    assert_eq!(receipt.field("content-type"), Some("text/plain; charset=utf-8"));
    assert!(receipt.field("content-disposition").unwrap().contains(".tlog-proof"));
    assert_eq!(gateway.get(&path, &bo).status, 404, "it is nobody else's");
    assert_eq!(gateway.get("/v1/deliveries/none/receipt", &ada).status, 404);
    for name in ["ada", "acme", "Example"] {
        assert!(!receipt.text().contains(name), "{name}");
    }

    let file = bench.path("receipt");
    std::fs::write(&file, &receipt.body).unwrap();
    let auditor = tempfile::tempdir().unwrap();
    let first = verify(auditor.path(), &[text(&file), "--key", key]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let first: Value = serde_json::from_str(&first.stdout).unwrap();
    assert_eq!(
        (&first["delivery"], &first["ids"]),
        (&Value::from(delivery.as_str()), &20_000.into())
    );
    let second = python(&["receipt", text(&file), "--key", key]);
    assert_eq!(second.code, 0, "{}", second.stderr);
    let second: Value = serde_json::from_str(&second.stdout).unwrap();
    assert_eq!((&second["ids"], &second["chunks"]), (&first["ids"], &first["chunks"]));
    let without = verify(auditor.path(), &[text(&file)]);
    assert!(without.code == 1 && without.stderr.contains("--key"), "{}", without.stderr);

    // The operator gets the same, signed for the purpose if it has to be.
    let printed = bench.done(&["audit", "receipt", &delivery]);
    assert_eq!(printed.trim_end(), receipt.text().trim_end());
    let newer = deliver(&gateway, &bo);
    assert!(bench.done(&["audit", "receipt", &newer]).starts_with("c2sp.org/tlog-proof@v1\n"));
    let unknown = bench.run(&["audit", "receipt", "0190aaaa-0000-7000-8000-000000000000"]);
    assert!(
        unknown.code == 1 && unknown.stderr.contains("knows no delivery"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn an_export_is_verified_without_a_database_and_continues_what_an_auditor_kept() {
    let (bench, [ada, _]) = bench();
    let (log, kept) = (bench.path("log"), bench.path("kept"));
    // Without a gateway, then through one.
    bench.done(&["audit", "export", "-o", text(&log)]);
    std::fs::copy(log.join("checkpoint"), &kept).unwrap();
    let gateway = serve(&bench, &[]);
    let delivery = deliver(&gateway, &ada);
    let receipt = bench.path("receipt");
    std::fs::write(&receipt, bench.done(&["audit", "receipt", &delivery])).unwrap();
    let exported = bench.json(&["audit", "export", "-o", text(&log)]);
    assert!(exported["entries_new"].as_u64().unwrap() > 5, "{exported}");
    assert_eq!(gateway.stop(), 0);
    bench.done(&["audit", "export", "-o", text(&log)]);

    let auditor = tempfile::tempdir().unwrap();
    let key = exported["verifier_key"].as_str().unwrap();
    let arguments = [text(&log), "--key", key, "--kept", text(&kept), "--kept", text(&receipt)];
    let first = verify(auditor.path(), &arguments);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let second = python(&[&["log"], &arguments[..]].concat());
    assert_eq!(second.code, 0, "{}", second.stderr);
    let [first, second] =
        [first, second].map(|ended| -> Value { serde_json::from_str(&ended.stdout).unwrap() });
    for name in ["size", "root", "checkpoints"] {
        assert_eq!(first[name], second[name], "{name}");
    }

    // Somebody changes one letter of one leaf.
    let bundle =
        std::fs::read_dir(log.join("tile/entries/000.p")).unwrap().last().unwrap().unwrap();
    let mut bytes = std::fs::read(bundle.path()).unwrap();
    let place = bytes.len() / 2;
    bytes[place] ^= 1;
    std::fs::write(bundle.path(), bytes).unwrap();
    let first = verify(auditor.path(), &[text(&log)]);
    assert!(first.code == 1 && first.stderr.contains("is not whole"), "{}", first.stderr);
    assert_eq!(python(&["log", text(&log)]).code, 1);
}

#[test]
fn a_gateway_signs_when_it_stops_and_leaves_the_copy_that_an_older_database_contradicts() {
    let (bench, [ada, _]) = bench();
    let copy = bench.path("elsewhere.checkpoint");
    let variables = [("HYDRANT__AUDIT__CHECKPOINT_COPIES", text(&copy))];
    let gateway = serve(&bench, &variables);
    assert_eq!(gateway.stop(), 0);
    let first = std::fs::read_to_string(&copy).unwrap();
    let backup = bench.path("backup.sqlite");
    bench.back_up(&backup);

    let gateway = serve(&bench, &variables);
    deliver(&gateway, &ada);
    assert_eq!(gateway.stop(), 0);
    let second = std::fs::read_to_string(&copy).unwrap();
    assert_ne!(first, second);

    bench.restore(&backup);
    let gateway = serve(&bench, &variables);
    let refused = gateway.get(IDS, &ada);
    assert_eq!((refused.status, refused.problem().as_str()), (503, "ledger-frozen"));
    assert!(refused.text().contains("the database is an older one"), "{}", refused.text());
    assert_eq!(gateway.stop(), 0);
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), second, "the evidence stays");
}

#[test]
fn the_log_commits_to_reasons_and_forgets_one_that_names_somebody_who_is_erased() {
    let (bench, _) = bench();
    let name = "Bo Bobson";
    bench.done(&["person", "add", "bobson@acme.example", "--name", name, "--entity", "acme"]);
    bench.done(&["entity", "suspend", "acme", "--reason", "a letter of Bo Bobson"]);
    bench.done(&["ledger", "clock", "accept", "--reason", "looked at the station's clock"]);
    let reasons = bench.json(&["audit", "reasons"]);
    let decided: Vec<&str> =
        reasons.as_array().unwrap().iter().map(|row| row["decision"].as_str().unwrap()).collect();
    assert_eq!(decided, ["entity-suspended", "ledger-clock-accepted"]);
    let folder = tempfile::tempdir().unwrap();
    bench.done(&["audit", "export", "-o", text(folder.path())]);
    let log = entries(folder.path());
    for row in reasons.as_array().unwrap() {
        let salt = hex::decode(row["salt"].as_str().unwrap()).unwrap();
        let mut hash = Sha256::new_with_prefix(b"hydrant/commitment/v1\nreason\n");
        hash.update(salt);
        hash.update(row["reason"].as_str().unwrap());
        let entry = format!("\"leaf\":\"reason\",\"reason\":\"{}\"", hex::encode(hash.finalize()));
        assert!(log.contains(&entry), "{row} is not in the log as {entry}");
    }
    assert!(!log.contains("Bobson") && !log.contains("station"), "no words in the log");

    bench.done(&["person", "erase", "bobson@acme.example", "--reason", "asked by Bo Bobson"]);
    let reasons = bench.json(&["audit", "reasons"]);
    let left: Vec<(&str, bool)> = reasons
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["reason"].as_str().unwrap(), row["salt"].is_string()))
        .collect();
    let expected = [
        ("a letter of (erased)", false),
        ("looked at the station's clock", true),
        ("asked by (erased)", false),
    ];
    assert_eq!(left, expected);
}

/// All entries of an exported log, one after another.
fn entries(folder: &Path) -> String {
    let mut found = String::new();
    let mut folders = vec![folder.join("tile/entries")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found += &String::from_utf8_lossy(&std::fs::read(path).unwrap()),
            }
        }
    }
    found
}
