//! The operator's commands on the real binary: what they print, keep, refuse and never show.

mod harness;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use harness::Bench;
use hydrant::store::{DataFolder, Store};
use serde_json::{Value, json};

/// What an application says besides, up to its end.
const SIGNED: &str = "--role professor --non-commercial --signed-by Ada --until";

/// An operator at a data folder, whose commands are written as one line.
struct Desk {
    bench: Bench,
}

impl Desk {
    fn new() -> Desk {
        Desk { bench: Bench::new() }
    }

    /// With an academic entity, a commercial one, and Ada in both.
    fn with_people() -> Desk {
        let desk = Desk::new();
        desk.done("entity add uni --name Example-University --sector academic --ror 01an7q238");
        desk.done("entity add company --name Company --sector commercial");
        desk.done("person add Ada@Example.org --name Ada --entity uni --entity company");
        desk
    }

    fn data(&self) -> PathBuf {
        self.bench.data()
    }

    /// The program with the words of `line` as its arguments, in an environment without settings.
    fn command(&self, line: &str) -> Command {
        let mut command = self.bench.command(&line.split(' ').collect::<Vec<_>>());
        command.env_clear();
        command
    }

    fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// What a command prints that has to succeed.
    fn done(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// As [`Desk::done`], with `--json`.
    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.done(&format!("{line} --json"))).unwrap()
    }

    /// What a command says on stderr that has to end with that exit code and to print no data.
    fn refused(&self, line: &str, code: i32) -> String {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(code), "{line}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "", "{line}");
        text(&output.stderr)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Whether any file below `folder` holds `needle`.
fn is_kept(folder: &Path, needle: &str) -> bool {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return is_kept(&path, needle);
        }
        let bytes = std::fs::read(&path).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}

#[test]
fn every_command_answers_in_json() {
    let desk = Desk::new();
    let entity = desk.json("entity add uni --name Uni --sector academic --ror 01an7q238");
    assert_eq!(entity["id"], "1");
    assert_eq!(entity["ror"], "https://ror.org/01an7q238");
    let person = desk.json("person add ada@example.org --name Ada --entity uni --role manager");
    assert_eq!(person["memberships"][0]["role"], "manager");
    assert_eq!(person["documents_missing"].as_array().unwrap().len(), 4);
    let accept = "person accept ada@example.org --documents all --evidence paper-3";
    assert_eq!(desk.json(accept)["documents_missing"], json!([]));

    let key = desk.json("key issue ada@example.org --label laptop --scope catalogue --expires 90d");
    assert!(key["token"].as_str().unwrap().starts_with("hydrant_"));
    assert_eq!(
        (key["scope"].as_str(), key["status"].as_str()),
        (Some("catalogue"), Some("active"))
    );
    assert_eq!(desk.json("key revoke 1")["status"], "revoked");
    assert_eq!(desk.json("key list ada@example.org")[0]["label"], "laptop");

    for (line, field, expected) in [
        ("entity suspend uni --reason late", "status", "suspended"),
        ("entity resume uni", "status", "active"),
        ("person suspend ada@example.org --reason left", "status_reason", "left"),
        ("person resume ada@example.org", "status", "active"),
    ] {
        assert_eq!(desk.json(line)[field], expected, "{line}");
    }
    assert_eq!(desk.json("entity list")[0]["slug"], "uni");
    assert_eq!(desk.json("person list")[0]["mail"], "ada@example.org");
    assert_eq!(desk.json("entity show uni")["people"][0]["name"], "Ada");
    let usage = desk.json("usage uni");
    assert_eq!(usage["meters"][0]["ceiling"], 1_500_000);
    assert_eq!(usage["meters"][0]["basis"], "limit");
    assert!(desk.json("config show").as_array().unwrap().len() > 10);
    assert_eq!(desk.json("config check")["ok"], true);
}

#[test]
fn tables_say_what_people_need_and_messages_go_to_stderr() {
    let desk = Desk::with_people();
    for (line, expected) in [
        ("entity list", "Example-University  academic    https://ror.org/01an7q238  active"),
        ("person list", "uni, company  active  4 missing"),
        ("entity show company", "Sector   commercial"),
        ("usage uni", "1,500,000"),
        ("config show", "server.listen                127.0.0.1:8080"),
    ] {
        let shown = desk.done(line);
        assert!(shown.contains(expected), "{line}: {shown}");
    }
    let silent = desk.run("entity suspend uni");
    assert_eq!(text(&silent.stdout), "");
    assert!(text(&silent.stderr).contains("`uni` is suspended"));
}

#[test]
fn an_exemption_goes_its_way() {
    let desk = Desk::with_people();
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 300);
    let until = &until.to_string()[..10];
    let apply =
        format!("exemption apply uni --person ada@example.org --purpose study {SIGNED} {until}");
    let applied = text(&desk.run(&apply).stderr);
    assert!(applied.contains(&format!("to the end of {until} (UTC), waits")), "{applied}");
    assert!(desk.refused(&apply, 1).contains("`hydrant exemption approve 1`"));
    let refused = desk.json("exemption refuse 1 --reason unclear");
    assert_eq!(refused["status"], "refused");
    assert_eq!(refused["in_force"], false);
    desk.done(&apply);
    assert!(desk.done("exemption list").contains(&format!("to the end of {until} (UTC)")));
    let approved = desk.json("exemption approve 2 --reason fine");
    assert_eq!(approved["in_force"], true);
    assert!(approved["decided_by"].as_str().unwrap().starts_with("local:"));
    assert!(desk.done("exemption list").contains("in force"));
    let meter = &desk.json("usage uni")["meters"][0];
    assert_eq!(meter["basis"], "exemption:2");
    assert_eq!(meter["ceiling"], Value::Null);
    desk.done("exemption revoke 2 --reason misuse");
    assert_eq!(desk.json("exemption list")[1]["reason"], "fine");
    let ended = desk.json("exemption list")[1]["revoked"].as_str().unwrap().to_owned();
    let list = desk.done("exemption list");
    let line = list.lines().last().unwrap();
    assert!(line.contains("fine; revoked: misuse"), "{list}");
    assert!(line.contains(&format!("until {} {}", &ended[..10], &ended[11..16])), "{list}");
    assert_eq!(desk.json("usage uni")["meters"][0]["basis"], "limit");
    assert!(desk.refused("exemption approve 2 --reason again", 1).contains("is revoked"));
}

#[test]
fn a_token_stands_alone_on_stdout_and_nowhere_else() {
    let desk = Desk::with_people();
    let issued = desk.run("key issue ada@example.org");
    let token = text(&issued.stdout);
    let token = token.strip_suffix('\n').unwrap();
    assert_eq!(token.len(), "hydrant_".len() + 49);
    assert!(!text(&issued.stderr).contains(token));
    for line in ["key list", "key list --json", "person list --json", "entity show uni --json"] {
        let shown = desk.done(line);
        assert!(!shown.contains("hydrant_"), "{line}: {shown}");
    }
    // The mail address shows that the search finds what is there.
    assert!(is_kept(&desk.data(), "ada@example.org"));
    assert!(!is_kept(&desk.data(), token));
    assert!(!is_kept(&desk.data(), &token["hydrant_".len()..]));
}

#[test]
fn what_cannot_be_done_says_why_and_what_can() {
    let desk = Desk::with_people();
    let apply = format!("exemption apply uni --person ada@example.org --purpose p {SIGNED}");
    let apply_late = format!("{apply} 2999-01-01");
    let apply_vague = format!("{apply} 1.1.30");
    let apply_company = apply_late.replace("uni", "company");
    for (line, code, expected) in [
        ("entity show unj", 1, "there is no entity `unj`; did you mean `uni`?"),
        ("usage zebra", 1, "there is no entity `zebra`; `hydrant entity list` shows them"),
        ("entity add uni --name U --sector academic", 1, "there is already an entity `uni`"),
        ("entity add Uni --name U --sector academic", 1, "`Uni` is no slug"),
        ("entity add u --name U --sector academic --ror 01an7q239", 1, "no ROR identifier"),
        ("entity add u --name U --sector school", 2, "[possible values: academic, commercial"),
        ("person add ada --name A --entity uni", 1, "`ada` is no mail address"),
        ("person add b@example.org --name B --entity unj", 1, "did you mean `uni`?"),
        ("person add b@example.org --name B", 2, "--entity <SLUG>"),
        ("person accept ada@example.org --documents tos --evidence x", 2, "terms-of-service"),
        ("key issue ada@example.org --expires 900d", 1, "download` lives for at most 730d"),
        ("key issue ada@example.org --expires soon", 2, "looks like 90d, 2w or 12h"),
        ("key revoke 9", 1, "there is no key 9; `hydrant key list` shows them"),
        ("key revoke abc", 2, "`abc` is no key number; `hydrant key list` shows them"),
        ("exemption approve abc --reason r", 2, "`abc` is no exemption number"),
        ("person add ada@example.org --name A --entity uni", 1, "person join ada@example.org"),
        ("deliveries --entity unj", 1, "did you mean `uni`?"),
        ("deliveries --limit 0", 2, "0 is not in"),
        (&apply_vague, 2, "a date looks like 2027-06-30"),
        (&apply_late, 1, "an exemption lasts 366 days at most"),
        (&apply_company, 1, "only an academic entity can be exempt"),
        ("exemption revoke 1 --reason r", 1, "there is no exemption 1"),
        ("entity zebra", 2, "unrecognized subcommand"),
    ] {
        let said = desk.refused(line, code);
        assert!(said.contains(expected), "{line}: {said}");
    }
    // Nothing of it was kept.
    assert_eq!(desk.json("entity list").as_array().unwrap().len(), 2);
    assert_eq!(desk.json("person list").as_array().unwrap().len(), 1);
    assert_eq!(desk.json("key list").as_array().unwrap().len(), 0);
}

#[test]
fn a_data_folder_is_not_made_by_looking() {
    let desk = Desk::new();
    assert!(desk.refused("entity list", 1).contains("there is no data folder"));
    assert!(!desk.data().exists());
}

#[test]
fn settings_mistakes_are_told_all_at_once() {
    let desk = Desk::new();
    let file = desk.bench.path("hydrant.toml");
    std::fs::write(&file, "[server]\nlisen = \"x\"\nlisten = 8080\n").unwrap();
    for line in ["config check", "entity list"] {
        let mut command = desk.command(line);
        let output = command.env("HYDRANT__POLICY__COUNT", "twice").output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}");
        let said = text(&output.stderr);
        for expected in [
            "the settings have 3 mistakes to correct:",
            "server.lisen (hydrant.toml line 2) is no setting; did you mean server.listen?",
            "server.listen = \"8080\" (hydrant.toml line 3): needs an address and a port",
            "policy.count = \"twice\" (variable HYDRANT__POLICY__COUNT): needs deliveries",
        ] {
            assert!(said.contains(expected), "{line}: {said}");
        }
    }
}

#[test]
fn commands_that_run_at_once_wait_for_each_other() {
    let desk = Desk::with_people();
    let children: Vec<_> = (0..4)
        .map(|number| {
            let line = format!("entity add e{number} --name E --sector individual");
            desk.command(&line).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(desk.json("entity list").as_array().unwrap().len(), 6);
}

#[test]
fn commands_are_the_same_while_a_gateway_holds_the_folder() {
    let desk = Desk::with_people();
    let alone = desk.done("entity list");
    let gateway = desk.bench.serve();
    assert_eq!(desk.done("entity list"), alone);
    desk.done("entity add late --name Late --sector individual");
    assert!(desk.refused("entity show lage", 1).contains("did you mean `late`?"));
    let token = desk.done("key issue ada@example.org");
    assert!(token.starts_with("hydrant_"));
    assert_eq!(gateway.stop(), 0);
    assert!(!desk.data().join("control.sock").exists());
    assert_eq!(desk.json("entity show late")["name"], "Late");
    assert_eq!(desk.json("key list")[0]["person"], "ada@example.org");
    let store = Store::open(&desk.data().join("hydrant.sqlite")).unwrap();
    let leaves = store.read(|tx| tx.journal_from(1, 100)).unwrap();
    // The gateway names the account at the other end of the socket, as the command alone does.
    let leaf = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let leaves: Vec<Value> = leaves.iter().map(|row| leaf(&row.leaf)).collect();
    let actors: Vec<&str> = leaves
        .iter()
        .filter(|leaf| leaf["leaf"] == "entity-added")
        .map(|leaf| leaf["actor"].as_str().unwrap())
        .collect();
    assert_eq!(actors.len(), 3);
    assert!(actors.iter().all(|&actor| actor == actors[0] && actor.starts_with("local:")));
}

#[test]
fn whoever_holds_the_folder_without_answering_is_named() {
    let desk = Desk::with_people();
    let folder = DataFolder::existing(&desk.data()).unwrap();
    let _lock = folder.lock("somebody else (process 1)").unwrap();
    let said = desk.refused("entity list", 1);
    assert!(said.contains("is in use by somebody else (process 1)"), "{said}");
    assert!(said.contains("control.sock"), "{said}");
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let desk = Desk::with_people();
    let mut child = desk.command("entity list").stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
