//! What happens to entities and people over time, on the real binary: reviews, use cases, merges,
//! further employers, erasure and what is forgotten; charges come along wherever people go.

mod harness;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use harness::database::{Database, Session};
use harness::{Bench, Gateway, tweets, wait_until};
use serde_json::{Value, json};

const PATH: &str = "/v1/datasets/walks/tweet-ids";
const START_MS: i64 = 1_800_000_000_000;
const DAY_MS: i64 = 86_400_000;

/// Runs `test` on a bench for each engine, with its database where that is on a server.
fn on_every_engine(test: impl Fn(Bench, Option<&Database>)) {
    test(Bench::new(), None);
    let database = Database::fresh();
    test(Bench::on(&database.url()), Some(&database));
}

/// Downloads `count` IDs and waits until they are settled.
#[track_caller]
fn download(bench: &Bench, gateway: &Gateway, key: &str, count: u64) {
    let answer = gateway.get(&format!("{PATH}?limit={count}"), key);
    assert_eq!(answer.status, 200, "{}", answer.text());
    wait_until("it is settled", || {
        let deliveries = bench.json(&["deliveries"]);
        deliveries.as_array().unwrap().iter().all(|row| row["state"] != "running")
    });
}

fn used(bench: &Bench, slug: &str) -> u64 {
    let meter = tweets(&bench.usage(slug));
    meter["used"].as_u64().unwrap() + meter["open"].as_u64().unwrap()
}

/// What an operation answers that has no command, asked over the control socket of the gateway.
fn asked(bench: &Bench, operation: &Value) -> Value {
    let mut stream = UnixStream::connect(bench.data().join("control.sock")).unwrap();
    stream.write_all(format!("{operation}\n").as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    let answer: Value = serde_json::from_str(&line).unwrap();
    assert!(answer["ok"].is_object(), "{operation}: {answer}");
    answer["ok"].clone()
}

/// Every text in every table of the database.
fn all_texts(bench: &Bench, database: Option<&Database>) -> Vec<String> {
    match database {
        Some(database) => {
            let session = Session::open(&database.url());
            let tables = "SELECT table_name FROM information_schema.tables
                          WHERE table_schema = current_schema()";
            let tables = session.rows(tables).into_iter().flatten();
            let rows = tables.map(|table| session.rows(&format!("SELECT * FROM {table}")));
            rows.flatten().flatten().collect()
        }
        None => {
            let database = rusqlite::Connection::open(bench.data().join("hydrant.sqlite")).unwrap();
            let tables: Vec<String> = column(&database, "SELECT name FROM pragma_table_list()");
            let tables = tables.into_iter().filter(|table| !table.starts_with("sqlite_"));
            let mut texts = Vec::new();
            for table in tables {
                let names = format!("SELECT name FROM pragma_table_info('{table}')");
                for name in column(&database, &names) {
                    let all = format!("SELECT coalesce(CAST({name} AS TEXT), '') FROM {table}");
                    let mut statement = database.prepare(&all).unwrap();
                    let bytes = statement.query_map([], |row| {
                        row.get_ref(0).map(|cell| cell.as_bytes().unwrap_or_default().to_vec())
                    });
                    let bytes = bytes.unwrap().map(Result::unwrap);
                    texts.extend(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
                }
            }
            texts
        }
    }
}

fn column(database: &rusqlite::Connection, select: &str) -> Vec<String> {
    let mut statement = database.prepare(select).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn an_entity_is_what_was_said_of_it_last() {
    let bench = Bench::new();
    let add = ["entity", "add", "uni", "--name", "Example University", "--sector", "academic"];
    let more = ["--alias", "EU", "--domain", "Uni.Example", "--use-case", "spread of rumours"];
    let added = bench.json(&[&add[..], &more].concat());
    assert_eq!(added["aliases"], json!(["EU"]));
    assert_eq!(added["domains"], json!(["uni.example"]));
    assert_eq!((added["use_case"].as_u64(), &added["status"]), (Some(1), &json!("active")));
    let edit = ["entity", "edit", "uni", "--name", "University of Example", "--ror", "05dxps055"];
    let edit = [&edit[..], &["--remove-alias", "EU", "--domain", "u.example"]].concat();
    let edited = bench.json(&edit);
    assert_eq!(edited["aliases"], json!([]));
    assert_eq!(edited["domains"], json!(["u.example", "uni.example"]));
    assert_eq!(edited["ror"], "https://ror.org/05dxps055");
    let listed = bench.done(&["entity", "list"]);
    assert!(listed.contains("University of Example"), "{listed}");
    assert!(listed.contains("version 1"), "{listed}");

    // What looks like it is pointed out, and so is what has something in common.
    let twin = bench.run(&[
        "entity",
        "add",
        "eu",
        "--name",
        "Example University",
        "--sector",
        "academic",
        "--domain",
        "uni.example",
    ]);
    for expected in
        ["the same mail domain uni.example", "similar names", "entity merge eu --into uni"]
    {
        assert!(twin.stderr.contains(expected), "{}", twin.stderr);
    }
    bench.entity("other", "commercial");
    let duplicates = bench.json(&["entity", "duplicates"]);
    assert_eq!(duplicates.as_array().unwrap().len(), 1, "{duplicates}");
    assert_eq!((&duplicates[0]["slug"], &duplicates[0]["other"]), (&json!("uni"), &json!("eu")));
    for (arguments, expected) in [
        (&["entity", "edit", "uni"][..], "nothing would change"),
        (&["entity", "edit", "uni", "--domain", "nowhere"], "`nowhere` is no mail domain"),
        (&["entity", "edit", "uni", "--remove-alias", "EU"], "`uni` is not known by `EU`"),
        (&["entity", "merge", "uni", "--into", "uni", "--dry-run"], "merged into itself"),
        (&["entity", "use-case", "approve", "uni", "--reason", "r"], "no version of the use case"),
    ] {
        let ended = bench.run(arguments);
        assert_eq!(ended.code, 1, "{arguments:?}");
        assert!(ended.stderr.contains(expected), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn a_government_entity_receives_nothing_before_its_review() {
    let bench = Bench::new();
    let add = ["entity", "add", "office", "--name", "An Office", "--sector", "government"];
    let added = bench.run(&add);
    assert!(added.stderr.contains("`hydrant entity review office"), "{}", added.stderr);
    let key = bench.person("ada@office.example", &["office"]);
    bench.dataset("walks", 1, 100);
    let gateway = bench.serve();
    let refused = gateway.get(PATH, &key);
    assert_eq!((refused.status, refused.problem().as_str()), (403, "not-allowed"));
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("until an operator has reviewed it"), "{detail}");
    let resumed = bench.run(&["entity", "resume", "office"]);
    assert!(resumed.stderr.contains("waits for its review"), "{}", resumed.stderr);
    // A suspension in between is no review.
    bench.done(&["entity", "suspend", "office", "--reason", "late"]);
    assert_eq!(bench.json(&["entity", "resume", "office"])["status"], "pending");
    assert_eq!(gateway.get(PATH, &key).status, 403);
    bench.done(&["entity", "review", "office", "--reason", "letter of the ministry"]);
    download(&bench, &gateway, &key, 100);
    bench.done(&["entity", "suspend", "office"]);
    assert_eq!(bench.json(&["entity", "resume", "office"])["status"], "active");
    // Who becomes a body of a state is reviewed as well.
    bench.entity("club", "non-profit");
    let edited = bench.json(&["entity", "edit", "club", "--sector", "government"]);
    assert_eq!(edited["status"], "pending");
}

#[test]
fn a_delivery_says_under_which_use_case_it_was_made() {
    let bench = Bench::new();
    bench.entity("acme", "commercial");
    let key = bench.person("ada@acme.example", &["acme"]);
    bench.dataset("walks", 1, 100);
    let gateway = bench.serve();
    download(&bench, &gateway, &key, 10);
    let propose = ["entity", "use-case", "propose", "acme", "--purpose", "market of umbrellas"];
    bench.done(&propose);
    let twice = bench.run(&propose);
    assert!(twice.stderr.contains("still waits"), "{}", twice.stderr);
    bench.done(&["entity", "use-case", "refuse", "acme", "--reason", "too vague"]);
    download(&bench, &gateway, &key, 10);
    bench.done(&propose);
    download(&bench, &gateway, &key, 10);
    bench.done(&["entity", "use-case", "approve", "acme", "--reason", "clear"]);
    download(&bench, &gateway, &key, 10);
    let versions = |rows: &Value| -> Vec<Value> {
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row["charged_to"][0]["use_case"].clone())
            .collect()
    };
    let expected = [json!(2), Value::Null, Value::Null, Value::Null];
    assert_eq!(versions(&bench.json(&["deliveries"])), expected);
    let own = gateway.get("/v1/deliveries", &key).json();
    assert_eq!(versions(&own["deliveries"]), expected);
    let listed = bench.done(&["deliveries"]);
    assert!(listed.contains("acme (limit, use case 2)"), "{listed}");
    // The receipt carries the leaf, and the leaf the version.
    let newest = own["deliveries"][0]["delivery"].as_str().unwrap().to_owned();
    let receipt = bench.done(&["audit", "receipt", &newest]);
    let leaf = receipt.lines().find_map(|line| line.strip_prefix("extra ")).unwrap();
    let leaf: Value = serde_json::from_slice(&BASE64_STANDARD.decode(leaf).unwrap()).unwrap();
    assert_eq!((&leaf["leaf"], &leaf["charges"][0]["use_case"]), (&json!("opened"), &json!(2)));
    let history = bench.json(&["entity", "use-case", "list", "acme"]);
    let states: Vec<_> = history.as_array().unwrap().iter().map(|row| &row["status"]).collect();
    assert_eq!(states, ["refused", "approved"]);
}

#[test]
fn a_merge_adds_up_and_may_leave_the_entity_over() {
    on_every_engine(|mut bench, _| {
        bench.set_ceiling(1_000);
        for slug in ["acme", "acme-labs"] {
            bench.entity(slug, "commercial");
        }
        let ada = bench.person("ada@acme.example", &["acme"]);
        let bob = bench.person("bob@acme.example", &["acme-labs"]);
        let cy = bench.person("cy@acme.example", &["acme", "acme-labs"]);
        bench.dataset("walks", 1, 2_000);
        bench.dataset("named", 2, 50);
        bench.done(&["dataset", "edit", "named", "--entity", "acme"]);
        let gateway = bench.serve();
        download(&bench, &gateway, &ada, 500);
        download(&bench, &gateway, &bob, 600);
        download(&bench, &gateway, &cy, 50);
        assert_eq!(gateway.get("/v1/datasets/named", &bob).status, 404);

        let dry_run = bench.json(&["entity", "merge", "acme", "--into", "acme-labs", "--dry-run"]);
        let effect = &dry_run["effect"][0];
        assert_eq!(effect["kind"], "tweet");
        // What was charged to both counts once.
        assert_eq!((&effect["before"], &effect["brings"]), (&json!(650), &json!(500)));
        assert_eq!((&effect["after"], &effect["over"]), (&json!(1_150), &json!(true)));
        assert_eq!((used(&bench, "acme"), used(&bench, "acme-labs")), (550, 650));
        let reason = ["--reason", "one company"];
        let merge = ["entity", "merge", "acme", "--into", "acme-labs"];
        let merged = bench.json(&[&merge[..], &reason].concat());
        assert_eq!((&merged["people_moved"], &merged["people_in_both"]), (&json!(1), &json!(1)));
        assert_eq!(
            (&merged["datasets"], &merged["effect"][0]["after"]),
            (&json!(1), &json!(1_150))
        );

        let meter = tweets(&bench.usage("acme-labs"));
        assert_eq!((&meter["used"], &meter["over"]), (&json!(1_150), &json!(true)));
        for key in [&ada, &bob, &cy] {
            let refused = gateway.get(&format!("{PATH}?limit=1"), key);
            assert_eq!((refused.status, refused.problem().as_str()), (429, "allowance-used"));
        }
        assert_eq!(gateway.get("/v1/datasets/named", &bob).status, 200);
        let gone = bench.run(&["usage", "acme"]);
        assert!(gone.stderr.contains("`acme` was merged into `acme-labs`"), "{}", gone.stderr);
        assert_eq!(bench.json(&["entity", "show", "acme"])["merged_into"], "acme-labs");
        let aliases = bench.json(&["entity", "show", "acme-labs"])["aliases"].clone();
        assert_eq!(aliases, json!(["acme"]));
        // Both histories stay.
        let before = bench.json(&["deliveries", "--entity", "acme"]);
        assert_eq!(before.as_array().unwrap().len(), 2);
    });
}

#[test]
fn a_second_employer_gets_what_a_person_received_and_loses_nothing_when_they_leave() {
    on_every_engine(|bench, _| {
        for slug in ["acme", "uni"] {
            bench.entity(slug, "commercial");
        }
        let add = ["person", "add", "meg@uni.example", "--name", "Meg", "--entity", "uni"];
        bench.done(&[&add[..], &["--role", "manager"]].concat());
        let ada = bench.person("ada@acme.example", &["acme"]);
        bench.dataset("walks", 1, 1_000);
        let gateway = bench.serve();
        download(&bench, &gateway, &ada, 300);
        let join = ["person", "join", "ada@acme.example", "--entity", "uni"];
        let dry_run = bench.run(&[&join[..], &["--dry-run"]].concat());
        assert!(dry_run.stdout.contains("300"), "{}", dry_run.stdout);
        assert_eq!(bench.json(&["person", "joins"]), json!([]));
        let proposed = bench.json(&join);
        assert_eq!(proposed["effect"][0]["brings"], 300);
        let consent = |side, evidence: &[&str]| {
            bench.run(&[&["person", "consent", "1", "--for", side][..], evidence].concat())
        };
        for side in ["person", "entity"] {
            let bare = consent(side, &[]);
            assert!(bare.stderr.contains("theirs to give"), "{}", bare.stderr);
        }
        let first = consent("person", &["--evidence", "form in binder 7"]);
        assert!(first.stderr.contains("waits for the entity"), "{}", first.stderr);
        assert_eq!(used(&bench, "uni"), 0);
        let last = consent("entity", &["--evidence", "mail of Meg"]);
        assert!(last.stderr.contains("belongs to `uni` from now on"), "{}", last.stderr);
        assert_eq!((used(&bench, "acme"), used(&bench, "uni")), (300, 300));
        download(&bench, &gateway, &ada, 100);
        assert_eq!((used(&bench, "acme"), used(&bench, "uni")), (400, 400));
        bench.done(&["person", "leave", "ada@acme.example", "--entity", "acme"]);
        download(&bench, &gateway, &ada, 10);
        assert_eq!((used(&bench, "acme"), used(&bench, "uni")), (400, 410));
        let again = bench.run(&["person", "leave", "ada@acme.example", "--entity", "acme"]);
        assert!(again.stderr.contains("does not belong to `acme`"), "{}", again.stderr);
        let past =
            bench.json(&["person", "export", "ada@acme.example"])["past_memberships"].clone();
        assert_eq!(past[0]["entity"], "acme");
    });
}

#[test]
fn whoever_is_erased_is_in_no_row_and_erasing_resets_nothing() {
    on_every_engine(|bench, database| {
        for slug in ["acme", "uni"] {
            bench.entity(slug, "commercial");
        }
        let key = bench.person("ada@acme.example", &["acme"]);
        bench.done(&["person", "appoint", "ada@acme.example", "--as", "auditor"]);
        bench.done(&[
            "entity",
            "suspend",
            "uni",
            "--reason",
            "Ada Example asked, see ADA@acme.example",
        ]);
        bench.done(&["entity", "suspend", "acme", "--reason", "as ada@acme.example said"]);
        bench.done(&["entity", "resume", "acme"]);
        bench.dataset("walks", 1, 1_000);
        let gateway = bench.serve();
        download(&bench, &gateway, &key, 300);

        let held = bench.json(&["person", "export", "ada@acme.example"]);
        assert_eq!(held["memberships"][0]["entity"], "acme");
        assert_eq!(held["acceptances"].as_array().unwrap().len(), 4);
        assert_eq!(held["keys"][0]["status"], "active");
        assert_eq!(held["rank"], "auditor");
        assert_eq!(held["deliveries"][0]["charged"], 300);
        let leaves = held["audit_log"]["leaves"].as_array().unwrap();
        assert!(leaves.iter().any(|leaf| leaf["leaf"] == "opened"), "{leaves:?}");
        assert!(!held.to_string().contains("hash"), "{held}");
        let person = held["id"].clone();
        let commitment = held["audit_log"]["commitment"].as_str().unwrap().to_owned();

        bench.done(&["person", "erase", "ada@acme.example", "--reason", "asked by letter"]);
        assert_eq!(gateway.get(PATH, &key).status, 401);
        let gone = bench.run(&["person", "export", "ada@acme.example"]);
        assert!(gone.stderr.contains("there is no person"), "{}", gone.stderr);
        assert_eq!(bench.json(&["person", "list"]), json!([]));
        assert_eq!(bench.json(&["entity", "show", "acme"])["people"], json!([]));
        assert_eq!(bench.json(&["deliveries"])[0]["person"], Value::Null);
        let texts = all_texts(&bench, database);
        assert!(texts.iter().any(|text| text.contains("(erased) asked, see (erased)")));
        assert!(texts.iter().any(|text| text.contains(&commitment)), "the log stays");
        for text in &texts {
            let text = text.to_lowercase();
            assert!(!text.contains("ada@acme"), "{text}");
            assert!(!text.contains("ada example"), "{text}");
        }
        assert_eq!(used(&bench, "acme"), 300);

        // The same address again is the same row, with everything that it was charged.
        bench.done(&["entity", "resume", "uni"]);
        let add = ["person", "add", "ADA@acme.example", "--name", "Ada", "--entity", "uni"];
        let again = bench.json(&add);
        assert_eq!(again["id"], person);
        assert_eq!(again["documents_missing"].as_array().unwrap().len(), 4);
        assert_eq!(again["memberships"].as_array().unwrap().len(), 1);
        assert_eq!((used(&bench, "acme"), used(&bench, "uni")), (300, 300));
        let held = bench.json(&["person", "export", "ada@acme.example"]);
        assert_ne!(held["audit_log"]["commitment"], json!(commitment));
        assert_eq!(held["keys"][0]["status"], "revoked");
    });
}

#[test]
fn the_links_of_whoever_is_erased_are_closed_and_name_nobody() {
    on_every_engine(|bench, database| {
        bench.entity("uni", "academic");
        let key = bench.person("ada@uni.example", &["uni"]);
        bench.exempt("uni", "ada@uni.example", &harness::day_after_days(300));
        bench.dataset("walks", 1, 1_000);
        let gateway = bench.serve();
        let bearer = format!("Bearer {key}");
        let fields = [("Authorization", bearer.as_str()), ("Idempotency-Key", "a")];
        let body = json!({ "dataset": "walks", "label": "Ada Example, paper 7",
            "note": "ask ada@uni.example", "passphrase": "words of Ada Example" });
        let made = gateway.ask("POST", "/v1/shares", &fields, body.to_string().as_bytes());
        assert_eq!(made.status, 201, "{}", made.text());
        let page = format!("/s/{}", made.json()["token"].as_str().unwrap());
        assert_eq!(gateway.ask("GET", &page, &[], b"").status, 200);
        bench.done(&["person", "suspend", "ada@uni.example"]);
        assert_eq!(gateway.ask("GET", &page, &[], b"").status, 410);
        bench.done(&["person", "resume", "ada@uni.example"]);
        assert_eq!(gateway.ask("GET", &page, &[], b"").status, 200);
        bench.done(&["person", "erase", "ada@uni.example", "--reason", "asked by letter"]);
        assert_eq!(gateway.ask("GET", &page, &[], b"").status, 410);
        let share = bench.json(&["share", "show", "1"]);
        assert_eq!((&share["state"], &share["label"]), (&json!("revoked"), &json!("(erased)")));
        for text in &all_texts(&bench, database) {
            let text = text.to_lowercase();
            assert!(!text.contains("ada@uni") && !text.contains("ada example"), "{text}");
        }
    });
}

#[test]
fn what_is_old_enough_is_forgotten_while_the_gateway_runs() {
    let mut bench = Bench::with_clock(START_MS);
    bench.set("HYDRANT__PRIVACY__DELIVERY_DAYS", "40");
    bench.set("HYDRANT__PRIVACY__INVITATION_DAYS", "7");
    bench.entity("acme", "commercial");
    let ada = bench.person("ada@acme.example", &["acme"]);
    let bob = bench.person("bob@acme.example", &["acme"]);
    bench.dataset("walks", 1, 1_000);
    let gateway = bench.serve();
    download(&bench, &gateway, &ada, 300);
    download(&bench, &gateway, &bob, 100);
    let invite = json!({ "operation": "invitation-add", "slug": "acme",
        "mail": "cy@acme.example", "name": "Cy" });
    asked(&bench, &invite);
    bench.done(&["person", "erase", "ada@acme.example", "--reason", "asked"]);
    let invited = || {
        let list = json!({ "operation": "invitation-list", "slug": "acme" }).to_string();
        let mut stream = UnixStream::connect(bench.data().join("control.sock")).unwrap();
        stream.write_all(format!("{list}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.contains("cy@acme.example")
    };
    let mails = || {
        let database = rusqlite::Connection::open(bench.data().join("hydrant.sqlite")).unwrap();
        column(&database, "SELECT mail FROM people ORDER BY id")
    };
    let hash = mails().remove(0);
    assert_eq!(hash.len(), "erased:".len() + 64, "{hash}");
    assert!(invited());

    bench.set_clock(START_MS + 8 * DAY_MS);
    wait_until("the invitation is forgotten", || !invited());
    // As long as anything counts, the address finds its meters.
    bench.set_clock(START_MS + 29 * DAY_MS);
    bench.json(&["ledger", "status"]);
    bench.set_clock(START_MS + 32 * DAY_MS);
    wait_until("the address is forgotten", || mails()[0] == "erased:1");
    let askers = || -> Vec<Value> {
        let deliveries = bench.json(&["deliveries"]);
        deliveries.as_array().unwrap().iter().map(|row| row["person"].clone()).collect()
    };
    // They began in the same millisecond, so either may be listed first.
    assert!(askers().contains(&json!("bob@acme.example")), "{:?}", askers());
    let add = ["person", "add", "ada@acme.example", "--name", "Ada", "--entity", "acme"];
    assert_eq!(bench.json(&add)["id"], "3", "nothing is left that could be theirs");
    bench.set_clock(START_MS + 41 * DAY_MS);
    wait_until("who asked is forgotten", || askers().iter().all(Value::is_null));
    assert_eq!(bench.json(&["deliveries"])[0]["charged_to"][0]["entity"], "acme");
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn no_address_and_no_name_stands_in_the_log() {
    let mut bench = Bench::new();
    bench.set("HYDRANT__LOG__LEVEL", "trace");
    bench.entity("acme", "commercial");
    bench.entity("uni", "academic");
    let first = bench.person("ada@acme.example", &["acme"]);
    bench.dataset("walks", 1, 5_000);
    let mut command = bench.command(&["serve", "--listen", "127.0.0.1:0"]);
    let log = bench.path("log");
    let shell = format!("exec \"$0\" \"$@\" 2> {}", log.display());
    let mut through_shell = std::process::Command::new("sh");
    through_shell.arg("-c").arg(shell).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        through_shell.env(name, value.unwrap());
    }
    through_shell.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::null());
    command = through_shell;
    let gateway = Gateway::start(command);
    let second = bench.person("bob@uni.example", &["uni"]);
    download(&bench, &gateway, &first, 4_000);
    download(&bench, &gateway, &second, 10);
    assert_eq!(gateway.get("/v1/usage", &first).status, 200);
    assert_eq!(gateway.get(&format!("{PATH}?limit=9999999"), &first).status, 200);
    assert_eq!(gateway.get(PATH, &format!("{first}x")).status, 401);
    bench.done(&["person", "join", "ada@acme.example", "--entity", "uni"]);
    bench.run(&["person", "add", "ada@acme.example", "--name", "Ada", "--entity", "uni"]);
    bench.run(&["person", "suspend", "nobody@acme.example"]);
    bench.json(&["person", "export", "ada@acme.example"]);
    bench.done(&["person", "suspend", "bob@uni.example", "--reason", "Ada Example asked"]);
    assert_eq!(gateway.get(PATH, &second).status, 403);
    bench.done(&["person", "erase", "ada@acme.example", "--reason", "asked"]);
    assert_eq!(gateway.stop(), 0);
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("answered"), "the log was written: {log}");
    for word in ["@acme", "@uni", "Ada Example", "hydrant_"] {
        assert!(!log.contains(word), "{word} stands in the log");
    }
}

#[test]
fn colleagues_are_invited_and_roles_changed_by_command() {
    let bench = Bench::new();
    bench.entity("acme", "commercial");
    bench.person("ada@acme.example", &["acme"]);
    let add = ["entity", "invitation", "add", "acme", "cy@acme.example", "--name", "Cy"];
    bench.done(&add);
    let twice = bench.run(&add);
    assert!(twice.code == 1 && twice.stderr.contains("is invited to `acme` already"), "{twice:?}");
    let waiting = bench.json(&["entity", "invitation", "list", "acme"]);
    assert_eq!(waiting[0]["mail"], "cy@acme.example");
    bench.done(&["entity", "invitation", "withdraw", waiting[0]["id"].as_str().unwrap()]);
    assert_eq!(bench.json(&["entity", "invitation", "list", "acme"]), json!([]));

    let role = |role: &str| {
        bench.run(&["person", "role", "ada@acme.example", "--entity", "acme", "--as", role])
    };
    assert_eq!(role("manager").code, 0);
    let shown = bench.json(&["entity", "show", "acme"]);
    assert_eq!(shown["people"][0]["role"], "manager");
    let same = role("manager");
    assert!(same.code == 1 && same.stderr.contains("is manager of `acme` already"), "{same:?}");
    assert_eq!(role("member").code, 0);
    bench.entity("lab", "academic");
    let foreign =
        bench.run(&["person", "role", "ada@acme.example", "--entity", "lab", "--as", "member"]);
    assert!(foreign.code == 1 && foreign.stderr.contains("hydrant person join"), "{foreign:?}");
}
