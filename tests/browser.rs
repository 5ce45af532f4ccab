//! The pages in a real browser: Chromium, driven by `tests/browser/walks.mjs` against the real
//! binary. What a walk needs besides (a link, a letter) it asks for here.

mod harness;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use harness::mail::{MailServer, link_in};
use harness::provider::Provider;
use harness::{Bench, Gateway};
use serde_json::Value;

/// 2026-01-01.
const START_MS: i64 = 1_767_225_600_000;

fn bench(mail: &MailServer, provider: Option<&mut Provider>) -> (Bench, Gateway) {
    let mut bench = match &provider {
        None => Bench::with_clock(START_MS),
        // It has no clock but the real one.
        Some(provider) => {
            let bench = Bench::new();
            bench.settings(&provider.settings(&bench.path("secret")));
            bench
        }
    };
    bench.set("HYDRANT__MAIL__URL", &mail.url());
    bench.set("HYDRANT__MAIL__FROM", "hydrant <hydrant@example.org>");
    for (slug, name, sector) in [
        ("orrin", "University of Orrin", "academic"),
        ("host", "Harbour Library", "academic"),
        ("pelican", "Pelican Analytics", "commercial"),
    ] {
        let add = ["entity", "add", slug, "--name", name, "--sector", sector];
        // An exemption names its institution by it.
        let ror = ["--ror", "0demnrs73"];
        bench.done(&[&add[..], if slug == "orrin" { &ror } else { &[] }].concat());
    }
    for (mail, name, entity) in [
        ("ada@orrin.example", "Ada Quill", "orrin"),
        ("operator@host.example", "Jor Selwyn", "host"),
    ] {
        let add = ["person", "add", mail, "--name", name, "--entity", entity];
        bench.done(&[&add[..], &["--role", "manager"]].concat());
        let accept = ["person", "accept", mail, "--documents", "all", "--evidence", "paper"];
        bench.done(&accept);
    }
    bench.done(&["person", "appoint", "operator@host.example", "--as", "operator"]);
    for (slug, title, count) in
        [("harbour", "Harbour talk of 2018", 1_000), ("ferries", "Ferries and weather", 640_000)]
    {
        let list = bench.path(&format!("{slug}.txt"));
        std::fs::write(&list, harness::id_text(count % 7, count)).unwrap();
        let list = list.to_str().unwrap();
        let add = ["dataset", "add", slug, list, "--title", title, "--ids", "tweet"];
        bench.done(&[&add[..], &["--visibility", "public"]].concat());
    }
    let gateway = bench.serve();
    if let Some(provider) = provider {
        provider.knows(&gateway.url(""));
    }
    (bench, gateway)
}

/// Runs a walk to its end, which has to be a good one.
#[track_caller]
fn walk(name: &str, prepare: impl FnOnce(&Bench, &Gateway), folder: &Path) {
    walk_by(name, prepare, folder, None);
}

/// As [`walk`], with a provider at which people sign in.
#[track_caller]
fn walk_by(
    name: &str,
    prepare: impl FnOnce(&Bench, &Gateway),
    folder: &Path,
    mut provider: Option<Provider>,
) {
    let mail = MailServer::start();
    let (bench, gateway) = bench(&mail, provider.as_mut());
    prepare(&bench, &gateway);
    let walks = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/walks.mjs");
    let mut node = Command::new("node")
        .args([walks, name, &gateway.url("")])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node is there: tests/run installs it");
    let mut answers = node.stdin.take().unwrap();
    for line in BufReader::new(node.stdout.take().unwrap()).lines() {
        let asked: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let address = asked["mail"].as_str().unwrap();
        let answer: Value = match asked["ask"].as_str().unwrap() {
            "issuer" => provider.as_ref().unwrap().issuer.clone().into(),
            "invite" => bench.json(&["person", "invite", address])["path"].clone(),
            what => {
                let letter = mail.next();
                assert_eq!(letter["to"][0], address, "{letter}");
                if what == "notice" { letter["subject"].clone() } else { link_in(&letter).into() }
            }
        };
        // A walk that has failed meanwhile tells why when it ends.
        let _ = writeln!(answers, "{answer}");
    }
    let ended = harness::ended(node.wait_with_output().unwrap());
    assert_eq!(ended.code, 0, "{name}: {}", ended.stderr);
}

fn nothing(_: &Bench, _: &Gateway) {}

#[test]
fn somebody_registers_is_let_in_accepts_and_downloads() {
    walk("registration", nothing, Path::new(""));
}

#[test]
fn somebody_applies_and_an_operator_approves() {
    walk("exemption", nothing, Path::new(""));
}

/// The exemption of the university, so that its people make links.
fn exempt(bench: &Bench, _: &Gateway) {
    bench.exempt("orrin", "ada@orrin.example", "2026-12-31");
}

#[test]
fn a_link_is_made_opened_accounted_for_and_ended() {
    walk("review", exempt, Path::new(""));
}

/// Writes the pictures of the README where `HYDRANT_TEST_PICTURES` says, or else nowhere.
#[test]
fn links_can_be_pictured() {
    let folder = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("HYDRANT_TEST_PICTURES").map(std::path::PathBuf::from);
    walk("reviewPictures", exempt, kept.as_deref().unwrap_or(folder.path()));
}

/// A dataset of made-up full tweets.
fn letters(bench: &Bench, _: &Gateway) {
    let line = |(n, id): (usize, u64)| {
        let user = 1_000 + n % 50;
        let user = serde_json::json!({
            "id_str": user.to_string(),
            "name": format!("Somebody {user}"),
            "screen_name": format!("made_up_{user}"),
        });
        let text = format!("Letter {n}: the ferry was late, and the tea was cold.");
        let made = harness::made_at(id);
        let id = id.to_string();
        let tweet = serde_json::json!({
            "created_at": made, "id_str": id, "full_text": text, "lang": "en", "user": user,
        });
        format!("{tweet}\n")
    };
    let tweets: String = harness::tweet_ids(3, 5_000).enumerate().map(line).collect();
    let source = bench.path("letters.jsonl");
    std::fs::write(&source, tweets).unwrap();
    let source = source.to_str().unwrap();
    let add = ["dataset", "add", "letters", source, "--title", "Letters home", "--ids", "tweet"];
    bench.done(&[&add[..], &["--visibility", "signed-in"]].concat());
}

/// Writes a picture of the README where `HYDRANT_TEST_PICTURES` says, or else nowhere.
#[test]
fn a_spreadsheet_is_selected_made_confirmed_and_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("HYDRANT_TEST_PICTURES").map(std::path::PathBuf::from);
    walk("exports", letters, kept.as_deref().unwrap_or(folder.path()));
}

#[test]
fn everything_can_be_done_from_the_keyboard() {
    walk("keyboard", nothing, Path::new(""));
}

#[cfg(feature = "oidc")]
#[test]
fn somebody_signs_in_by_an_account_elsewhere() {
    walk_by("elsewhere", nothing, Path::new(""), Some(Provider::start()));
}

#[test]
fn no_page_keeps_anybody_out_or_asks_another_host() {
    walk("accessibility", nothing, Path::new(""));
}

/// Writes the pictures of the README where `HYDRANT_TEST_PICTURES` says, or else nowhere.
#[test]
fn the_pages_can_be_pictured() {
    let folder = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("HYDRANT_TEST_PICTURES").map(std::path::PathBuf::from);
    let prepare = |bench: &Bench, gateway: &Gateway| {
        let key = bench.key("ada@orrin.example");
        for _ in 0..2 {
            assert_eq!(gateway.get("/v1/datasets/ferries/tweet-ids", &key).status, 200);
        }
        let apply = ["exemption", "apply", "orrin", "--person", "ada@orrin.example"];
        let more = ["--purpose", "How harbours were spoken of", "--until", "2026-09-30"];
        let signed = ["--role", "professor", "--non-commercial", "--signed-by", "Ada Quill"];
        bench.done(&[&apply[..], &more[..], &signed[..]].concat());
    };
    walk("pictures", prepare, kept.as_deref().unwrap_or(folder.path()));
}
