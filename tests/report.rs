//! `hydrant report` on the real binary: what went to an entity under which basis, as a table, CSV,
//! PDF and page, whoever carries it out.

mod harness;

use std::io::Write;
use std::process::{Command, Stdio};

use harness::asker::{self, Asker, HOUR_MS};
use harness::browser::Browser;
use harness::review::{begun, page_of};
use harness::{Bench, Gateway, wait_until};
use serde_json::Value;

const NOW_MS: i64 = 1_800_000_000_000;

/// What poppler reads in a PDF file.
fn read_pdf(file: &[u8]) -> String {
    let mut child = Command::new("pdftotext")
        .args(["-raw", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(file).unwrap();
    let said = child.wait_with_output().unwrap();
    assert!(said.status.success());
    String::from_utf8(said.stdout).unwrap()
}

#[test]
fn a_report_tells_what_went_to_an_entity_under_which_basis() {
    let bench = Bench::with_clock(NOW_MS);
    bench.entity("uni", "academic");
    bench.entity("other", "commercial");
    let key = bench.person("ada@uni.example", &["uni"]);
    let other = bench.person("bob@other.example", &["other"]);
    bench.dataset("walks", 1, 1_500);
    let none = bench.json(&["report", "uni"]);
    assert_eq!(none["deliveries"].as_array().map(Vec::len), Some(0), "{none}");

    let gateway = bench.serve();
    for key in [&key, &other] {
        let answer = gateway.get("/v1/datasets/walks/tweet-ids", key);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    wait_until("all has arrived", || {
        let report = bench.json(&["report", "uni"]);
        report["deliveries"][0]["state"] == "complete"
    });
    // While the gateway runs it is asked; once it has stopped the command looks itself.
    let asked = bench.json(&["report", "uni"]);
    let pdf = bench.path("report.pdf");
    let pdf_name = pdf.to_str().unwrap();
    bench.done(&["report", "uni", "--as", "pdf", "--output", pdf_name]);
    assert_eq!(gateway.stop(), 0);
    let looked = bench.json(&["report", "uni"]);
    assert_eq!(looked["deliveries"], asked["deliveries"]);

    let [delivery] = looked["deliveries"].as_array().unwrap().as_slice() else {
        panic!("one delivery went to the entity: {looked}")
    };
    for (field, expected) in [
        ("person", "ada@uni.example"),
        ("dataset", "walks"),
        ("ids", "tweet"),
        ("basis", "limit"),
        ("profile", "twitter-2020-03"),
        ("state", "complete"),
    ] {
        assert_eq!(delivery[field], expected, "{delivery}");
    }
    assert_eq!(delivery["charged"], 1_500);
    let receipt = format!("/v1/deliveries/{}/receipt", delivery["delivery"].as_str().unwrap());
    assert_eq!(delivery["receipt"], receipt);

    let said = read_pdf(&std::fs::read(&pdf).unwrap());
    for expected in ["ada@uni.example", "1,500 tweet IDs of walks", "basis limit"] {
        assert!(said.contains(expected), "{expected} is not in {said}");
    }
    assert!(!said.contains("bob@"), "{said}");
    // A file that is there is not written over.
    let again = bench.run(&["report", "uni", "--as", "csv", "--output", pdf_name]);
    assert_ne!(again.code, 0);

    let table = bench.done(&["report", "uni", "--as", "csv"]);
    let rows: Vec<&str> = table.split("\r\n").filter(|row| !row.is_empty()).collect();
    assert_eq!(rows.len(), 2, "{table}");
    assert!(rows[1].contains(",ada@uni.example,,tweet,walks,"), "{table}");
    let shown = bench.done(&["report", "uni"]);
    assert!(shown.contains("1 delivery of 1,500 tweet IDs on the basis limit"), "{shown}");

    for (from, until, count) in [
        ("2027-01-01", "2027-12-31", 1),
        ("2027-01-16", "2027-12-31", 0),
        ("2027-01-01", "2027-01-14", 0),
        ("2027-01-15", "2027-01-15", 1),
    ] {
        let within: Value = bench.json(&["report", "uni", "--from", from, "--until", until]);
        assert_eq!(within["deliveries"].as_array().map(Vec::len), Some(count), "{from} {until}");
    }
}

#[test]
fn a_report_holds_the_files_of_people_while_they_belonged_to_it() {
    let bench = asker::bench(30, 100);
    bench.entity("later", "commercial");
    let gateway = bench.serve();
    let mut ada = Asker::new(&bench, &gateway);
    let export = ada.select(&[("part", "sample"), ("sample", "5")]);
    let first = ada.make(&export);
    assert_eq!(ada.fetch(&first).status, 200);
    bench.set_clock(NOW_MS + HOUR_MS);
    bench.done(&["person", "leave", "ada@acme.example", "--entity", "acme"]);
    bench.done(&["person", "join", "ada@acme.example", "--entity", "later"]);
    bench.done(&["person", "consent", "1", "--for", "person", "--evidence", "a form"]);
    bench.done(&["person", "consent", "1", "--for", "entity"]);
    bench.set_clock(NOW_MS + 2 * HOUR_MS);
    let export = ada.select(&[("part", "sample"), ("sample", "7")]);
    let second = ada.make(&export);
    assert_eq!(ada.fetch(&second).status, 200);
    for (slug, objects) in [("acme", 5), ("later", 7)] {
        wait_until("the file has arrived", || {
            let report = bench.json(&["report", slug]);
            let deliveries = report["deliveries"].as_array().unwrap();
            deliveries.len() == 1 && deliveries[0]["charged"] == objects
        });
    }
}

#[test]
fn a_report_holds_what_reviewers_took_by_links() {
    let bench = Bench::with_clock(NOW_MS);
    bench.entity("uni", "academic");
    bench.person("ada@uni.example", &["uni"]);
    bench.exempt("uni", "ada@uni.example", "2027-12-31");
    bench.dataset("walks", 1, 1_500);
    let create = ["share", "create", "walks", "--person", "ada@uni.example", "--label", "a paper"];
    let share = bench.json(&create);
    let gateway = bench.serve();
    let file = begun(&gateway, &page_of(&share));
    assert_eq!(gateway.ask("GET", &file, &[], b"").status, 200);
    wait_until("all has arrived", || {
        let report = bench.json(&["report", "uni"]);
        report["deliveries"][0]["state"] == "complete"
    });
    let report = bench.json(&["report", "uni"]);
    let delivery = &report["deliveries"][0];
    assert_eq!((&delivery["link"], &delivery["person"]), (&share["id"], &Value::Null));
    assert_eq!(delivery["charged"], 1_500);
}

fn signed_in(bench: &Bench, gateway: &Gateway, mail: &str) -> Browser {
    let mut browser = Browser::default();
    let invited = bench.json(&["person", "invite", mail]);
    browser.sign_in(gateway, invited["path"].as_str().unwrap());
    browser
}

#[test]
fn whoever_manages_an_entity_sees_its_report_on_a_page_and_nobody_else_does() {
    let bench = Bench::with_clock(NOW_MS);
    bench.entity("uni", "academic");
    bench.entity("other", "commercial");
    let key = bench.person("ada@uni.example", &["uni"]);
    let meg = ["person", "add", "meg@uni.example", "--name", "Meg", "--entity", "uni"];
    bench.done(&[&meg[..], &["--role", "manager"]].concat());
    bench.dataset("walks", 1, 1_500);
    let gateway = bench.serve();
    assert_eq!(gateway.get("/v1/datasets/walks/tweet-ids", &key).status, 200);

    let mut meg = signed_in(&bench, &gateway, "meg@uni.example");
    assert!(meg.get(&gateway, "/entities/uni").text().contains("/entities/uni/report"));
    let page = meg.get(&gateway, "/entities/uni/report?from=2027-01-15");
    assert_eq!(page.status, 200);
    assert!(page.text().contains("1 delivery of 1,500 tweet IDs"), "{}", page.text());
    let table = meg.get(&gateway, "/entities/uni/report.csv?from=2027-01-15&until=");
    assert!(table.text().contains(",ada@uni.example,,tweet,walks,"), "{}", table.text());
    let pages = meg.get(&gateway, "/entities/uni/report.pdf");
    assert_eq!(pages.field("content-type"), Some("application/pdf"));
    assert!(read_pdf(&pages.body).contains("1,500 tweet IDs of walks"));
    let later = meg.get(&gateway, "/entities/uni/report?from=2027-01-16");
    assert!(later.text().contains("Nothing was delivered"), "{}", later.text());
    let wrong = meg.get(&gateway, "/entities/uni/report?from=yesterday");
    assert_eq!(wrong.status, 400);
    assert!(wrong.text().contains("a date looks like"), "{}", wrong.text());

    let mut ada = signed_in(&bench, &gateway, "ada@uni.example");
    for (browser, slug) in [(&mut ada, "uni"), (&mut meg, "other")] {
        for page in ["report", "report.csv", "report.pdf"] {
            let answer = browser.get(&gateway, &format!("/entities/{slug}/{page}"));
            assert!([403, 404].contains(&answer.status), "{slug} {page}: {}", answer.status);
        }
    }
}
