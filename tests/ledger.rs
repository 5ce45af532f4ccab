//! The real gateway on a database that is not the newest one: it freezes, tells the way out, and
//! goes on without letting anybody have more than the limit.

mod harness;

use std::path::PathBuf;

use harness::{Bench, Gateway, tweets, wait_until};
use serde_json::Value;

const IDS: &str = "/v1/datasets/walks/tweet-ids";
const NOW_MS: i64 = 1_760_000_000_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A gateway's folder, whose audit log has a copy of its head beside it.
struct Library {
    bench: Bench,
    copy: PathBuf,
    commercial: String,
    academic: String,
    count: &'static str,
}

impl Library {
    fn new() -> Library {
        let bench = Bench::with_clock(NOW_MS);
        bench.entity("acme", "commercial");
        bench.entity("college", "academic");
        let commercial = bench.person("ada@acme.example", &["acme"]);
        let academic = bench.person("bo@college.example", &["college"]);
        bench.exempt("college", "bo@college.example", "2026-06-30");
        bench.dataset("walks", 1, 20_000);
        let copy = bench.path("elsewhere.checkpoint");
        Library { bench, copy, commercial, academic, count: "deliveries" }
    }

    fn serve(&self) -> Gateway {
        let mut command = self.bench.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("HYDRANT__AUDIT__CHECKPOINT_COPIES", &self.copy);
        command.env("HYDRANT__AUDIT__CHECKPOINT_SECONDS", "3600");
        command.env("HYDRANT__POLICY__COUNT", self.count);
        Gateway::start(command)
    }

    /// A command with the gateway's settings.
    fn run(&self, arguments: &[&str]) -> harness::Ended {
        let mut command = self.bench.command(arguments);
        command.env("HYDRANT__AUDIT__CHECKPOINT_COPIES", &self.copy);
        command.env("HYDRANT__POLICY__COUNT", self.count);
        harness::ended(command.output().unwrap())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    }

    /// A backup, and then deliveries that it does not know: 5,000 IDs each.
    fn lose_a_day(&self) {
        let gateway = self.serve();
        assert_eq!(gateway.get(&format!("{IDS}?limit=3000"), &self.commercial).status, 200);
        assert_eq!(gateway.stop(), 0);
        let backup = self.bench.path("backup.sqlite");
        self.bench.back_up(&backup);
        let gateway = self.serve();
        for key in [&self.commercial, &self.academic] {
            assert_eq!(gateway.get(&format!("{IDS}?limit=5000"), key).status, 200);
        }
        assert_eq!(gateway.stop(), 0);
        let log = self.bench.path("log");
        self.json(&["audit", "export", "-o", log.to_str().unwrap()]);
        self.bench.restore(&backup);
    }

    fn used(&self, slug: &str) -> u64 {
        tweets(&self.bench.usage(slug))["used"].as_u64().unwrap()
    }
}

#[test]
fn a_restored_backup_freezes_the_ledger_until_a_copy_of_the_journal_is_played() {
    a_copy_is_played("deliveries", 9_000);
}

#[test]
fn what_counts_once_and_is_lost_counts_each_time_when_a_copy_of_the_journal_is_played() {
    // 3,000 IDs are in the backup, and which the 5,000 were after it nobody can tell any more.
    a_copy_is_played("distinct", 8_000);
}

/// `last` is what the entity has used in the end, when 1,000 IDs of the backup came once more.
fn a_copy_is_played(count: &'static str, last: u64) {
    let library = Library { count, ..Library::new() };
    library.lose_a_day();
    let gateway = library.serve();
    let refused = gateway.get(IDS, &library.commercial);
    assert_eq!((refused.status, refused.problem().as_str()), (503, "ledger-frozen"));
    assert_eq!(gateway.ask("GET", "/readyz", &[], b"").status, 503);
    assert_eq!(gateway.ask("GET", "/healthz", &[], b"").status, 200);
    // Nothing else is written either.
    let entered = library.run(&["entity", "add", "new", "--name", "New", "--sector", "academic"]);
    assert!(entered.code == 1 && entered.stderr.contains("frozen"), "{}", entered.stderr);
    let status = library.json(&["ledger", "status"]);
    assert_eq!(status["state"], "frozen");
    assert!(status["known_size"].as_u64() > status["log_size"].as_u64());
    assert!(library.run(&["ledger", "status"]).stderr.contains("hydrant ledger thaw --journal"));
    assert_eq!(library.used("acme"), 3_000);

    // A reason is needed; then the gateway goes on without a restart.
    let log = library.bench.path("log");
    let log = log.to_str().unwrap();
    assert_eq!(library.run(&["ledger", "thaw", "--journal", log]).code, 2);
    let reason = "the disk broke, and last night's backup was restored";
    let thawed = library.json(&["ledger", "thaw", "--journal", log, "--reason", reason]);
    assert!(thawed["replayed"].as_u64() > Some(0), "{thawed}");
    assert_eq!(thawed["phantoms"], serde_json::json!([]));
    assert_eq!((library.used("acme"), library.used("college")), (8_000, 5_000));
    assert_eq!(library.json(&["ledger", "status"])["state"], "charging");
    assert_eq!(gateway.get(&format!("{IDS}?limit=1000"), &library.commercial).status, 200);
    wait_until("the chunk is settled", || library.used("acme") == last);
    assert_eq!(gateway.stop(), 0);

    // The log goes on from where it was, and an auditor who kept its head agrees.
    let again = library.serve();
    assert_eq!(again.get(&format!("{IDS}?limit=1000"), &library.commercial).status, 200);
    assert_eq!(again.stop(), 0);
    library.json(&["audit", "export", "-o", log]);
    let verified = library.run(&["audit", "verify", log]);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
}

#[test]
fn what_nobody_has_is_charged_at_the_ceiling_for_one_window() {
    let library = Library::new();
    library.lose_a_day();
    // A command notices it as well, before it writes.
    let entered = library.run(&["entity", "add", "new", "--name", "New", "--sector", "academic"]);
    assert!(entered.code == 1 && entered.stderr.contains("frozen"), "{}", entered.stderr);
    let thaw = ["ledger", "thaw", "--reason", "nobody has the journal"];
    let thawed = library.json(&thaw);
    assert_eq!(thawed["phantoms"][0]["entity"], "acme");
    assert_eq!(thawed["phantoms"][0]["ids"], 1_500_000);
    assert_eq!(thawed["exempt"], serde_json::json!(["college"]));
    assert!(library.run(&thaw).stderr.contains("not frozen"));

    let gateway = library.serve();
    let refused = gateway.get(&format!("{IDS}?limit=1"), &library.commercial);
    assert_eq!((refused.status, refused.problem().as_str()), (429, "allowance-used"));
    assert_eq!(gateway.get(&format!("{IDS}?limit=100"), &library.academic).status, 200);
    library.bench.set_clock(NOW_MS + 30 * DAY_MS + 2 * HOUR_MS);
    assert_eq!(gateway.get(&format!("{IDS}?limit=1"), &library.commercial).status, 200);
    assert_eq!(gateway.stop(), 0);
    // The head that it goes on without is kept, and freezes nothing any more.
    assert!(library.bench.path("elsewhere.checkpoint").exists());
    let again = library.serve();
    assert_eq!(again.get(&format!("{IDS}?limit=1"), &library.commercial).status, 200);
    assert_eq!(again.stop(), 0);
}

#[test]
fn a_larger_figure_that_is_proven_is_charged_instead_also_to_the_exempt() {
    let library = Library::new();
    library.lose_a_day();
    let thaw = ["ledger", "thaw", "--reason", "by the web server's log"];
    let proven = ["--proven", "college=2,000,000", "--proven", "acme=7"];
    let thawed = library.json(&[&thaw[..], &proven].concat());
    let charged: Vec<(&str, u64)> = thawed["phantoms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["entity"].as_str().unwrap(), row["ids"].as_u64().unwrap()))
        .collect();
    assert_eq!(charged, [("acme", 1_500_000), ("college", 2_000_000)]);
    let unknown = library.run(&["ledger", "thaw", "--reason", "x", "--proven", "nobody=1"]);
    assert_eq!(unknown.code, 1);
}

#[test]
fn a_copy_of_the_journal_that_does_not_fit_is_refused_and_changes_nothing() {
    let library = Library::new();
    library.lose_a_day();
    let log = library.bench.path("log");
    let bundle = std::fs::read_dir(log.join("tile/entries/000.p")).unwrap().last().unwrap();
    let bundle = bundle.unwrap().path();
    let mut bytes = std::fs::read(&bundle).unwrap();
    let place = bytes.len() / 2;
    bytes[place] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    let thaw = ["ledger", "thaw", "--reason", "x", "--journal", log.to_str().unwrap()];
    let refused = library.run(&thaw);
    assert!(refused.code == 1 && refused.stderr.contains("not whole"), "{}", refused.stderr);
    assert_eq!(library.json(&["ledger", "status"])["state"], "frozen");
}

#[test]
fn the_clock_is_accepted_only_with_a_reason() {
    let library = Library::new();
    let accept = ["ledger", "clock", "accept"];
    assert_eq!(library.run(&accept).code, 2);
    let reason = ["--reason", "compared with a radio clock"];
    let accepted = library.json(&[&accept[..], &reason].concat());
    assert_eq!(accepted["time"], "2025-10-09T08:53:20Z");
    assert_eq!(library.json(&["ledger", "status"])["wall_clock"], "believed");
}
