//! Letters over a real server of mail: links to sign in by, registrations, and what a server does.

mod harness;

use harness::browser::Browser;
use harness::mail::{MailServer, link_in};
use harness::{Bench, Gateway};

const START_MS: i64 = 1_767_225_600_000;
const MINUTE_MS: i64 = 60_000;

fn bench(mail: &MailServer) -> (Bench, Gateway) {
    let mut bench = Bench::with_clock(START_MS);
    bench.set("HYDRANT__MAIL__URL", &mail.url());
    bench.set("HYDRANT__MAIL__FROM", "hydrant <hydrant@example.org>");
    bench.entity("acme", "commercial");
    bench.person("ada@example.org", &["acme"]);
    let gateway = bench.serve();
    (bench, gateway)
}

fn ask(gateway: &Gateway, mail: &str) -> String {
    let mut browser = Browser::default();
    browser.get(gateway, "/sign-in");
    let answer = browser.send(gateway, "/sign-in", &[("mail", mail)]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text().to_owned()
}

fn register(gateway: &Gateway, mail: &str) -> harness::Answer {
    let mut browser = Browser::default();
    browser.get(gateway, "/register");
    let fields = [
        ("mail", mail),
        ("name", "Bel <b>Corfen</b>"),
        ("organisation", "University of Orrin"),
        ("purpose", "a study of harbours"),
    ];
    browser.send(gateway, "/register", &fields)
}

#[test]
fn a_link_comes_by_mail_and_the_answer_tells_nobody_who_is_known() {
    let mail = MailServer::start();
    let (_bench, gateway) = bench(&mail);
    let known = ask(&gateway, " Ada@Example.org ");
    let path = mail.next_link("ada@example.org");
    Browser::default().sign_in(&gateway, &path);
    assert_eq!(ask(&gateway, "nobody@example.org"), known);
    // What is asked for afterwards comes first, so nothing went to nobody.
    ask(&gateway, "ada@example.org");
    mail.next_link("ada@example.org");
    assert!(mail.is_idle());
}

#[test]
fn links_are_sent_so_often_and_to_nobody_who_is_suspended() {
    let mail = MailServer::start();
    let (bench, gateway) = bench(&mail);
    bench.person("bel@example.org", &["acme"]);
    for _ in 0..5 {
        ask(&gateway, "ada@example.org");
        mail.next_link("ada@example.org");
    }
    ask(&gateway, "ada@example.org");
    bench.person("cor@example.org", &["acme"]);
    bench.done(&["person", "suspend", "cor@example.org"]);
    ask(&gateway, "cor@example.org");
    ask(&gateway, "bel@example.org");
    mail.next_link("bel@example.org");
    assert!(mail.is_idle());
}

#[test]
fn a_registration_is_verified_and_then_waits_for_an_operator() {
    let mail = MailServer::start();
    let (bench, gateway) = bench(&mail);
    assert_eq!(register(&gateway, "bel@orrin.example").status, 200);
    let path = mail.next_link("bel@orrin.example");
    let list = || bench.json(&["registration", "list"]);
    assert_eq!(list(), serde_json::json!([]), "nobody is shown who is not verified");
    let mut browser = Browser::default();
    let page = browser.get(&gateway, &path);
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Bel &lt;b&gt;Corfen"), "{}", page.text());
    assert_eq!(list(), serde_json::json!([]), "a look changes nothing");
    assert_eq!(browser.send(&gateway, &path, &[]).status, 200);
    assert_eq!(browser.send(&gateway, &path, &[]).status, 410);
    let waiting = list();
    assert_eq!((&waiting[0]["status"], &waiting[0]["id"]), (&"verified".into(), &"1".into()));
    // Nobody activates themselves.
    ask(&gateway, "bel@orrin.example");
    register(&gateway, "bel@orrin.example");
    bench.done(&["registration", "assign", "1", "--entity", "acme"]);
    let told = mail.next();
    assert_eq!(told["to"][0], "bel@orrin.example");
    assert!(told["subject"].as_str().unwrap().contains("accepted"), "{told}");
    ask(&gateway, "bel@orrin.example");
    Browser::default().sign_in(&gateway, &mail.next_link("bel@orrin.example"));
    let again = bench.run(&["registration", "refuse", "1", "--reason", "no"]);
    assert!(again.code == 1 && again.stderr.contains("assigned already"), "{again:?}");
}

#[test]
fn whoever_is_known_gets_a_link_instead_and_a_refusal_is_told_with_its_reason() {
    let mail = MailServer::start();
    let (bench, gateway) = bench(&mail);
    let unknown = register(&gateway, "eve@evil.example");
    let verify = mail.next_link("eve@evil.example");
    let known = register(&gateway, "ada@example.org");
    assert_eq!(
        unknown.text().replace("eve@evil.example", "ada@example.org"),
        known.text(),
        "the answers are the same"
    );
    assert!(mail.next_link("ada@example.org").starts_with("/sign-in/"));
    let mut browser = Browser::default();
    browser.get(&gateway, &verify);
    browser.send(&gateway, &verify, &[]);
    bench.done(&["registration", "refuse", "1", "--reason", "we do not know you"]);
    let told = mail.next();
    assert!(told["text"].as_str().unwrap().contains("we do not know you"), "{told}");
}

#[test]
fn a_registration_is_verified_within_a_day_or_not_at_all() {
    let mail = MailServer::start();
    let (bench, gateway) = bench(&mail);
    register(&gateway, "bel@orrin.example");
    let path = mail.next_link("bel@orrin.example");
    bench.set_clock(START_MS + 24 * 60 * MINUTE_MS);
    let mut browser = Browser::default();
    assert_eq!(browser.get(&gateway, &path).status, 410);
    for fields in [
        [("mail", "no address"), ("name", "A"), ("organisation", "B"), ("purpose", "C")],
        [("mail", "a@b.example"), ("name", "A\u{202e}B"), ("organisation", "B"), ("purpose", "C")],
        [("mail", "a@b.example"), ("name", ""), ("organisation", "B"), ("purpose", "C")],
    ] {
        browser.get(&gateway, "/register");
        let answer = browser.send(&gateway, "/register", &fields);
        assert_eq!(answer.status, 400, "{fields:?}");
        assert!(answer.text().contains("aria-invalid=\"true\""), "{}", answer.text());
    }
}

#[test]
fn a_letter_waits_for_a_server_and_is_given_up_where_nobody_takes_it() {
    let mail = MailServer::start();
    let (bench, gateway) = bench(&mail);
    bench.person("full@example.org", &["acme"]);
    bench.person("gone@example.org", &["acme"]);
    ask(&gateway, "full@example.org");
    assert_eq!(mail.next()["refused"], "full@example.org");
    ask(&gateway, "gone@example.org");
    assert_eq!(mail.next()["refused"], "gone@example.org");
    // Due again after half a minute; the one that is given up is not.
    bench.set_clock(START_MS + MINUTE_MS / 2);
    assert_eq!(mail.next()["refused"], "full@example.org");
    ask(&gateway, "ada@example.org");
    mail.next_link("ada@example.org");
    assert!(mail.is_idle());
}

#[test]
fn a_letter_outlives_the_gateway_that_wrote_it() {
    let mail = MailServer::start();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("smtp://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let mut bench = Bench::with_clock(START_MS);
    bench.set("HYDRANT__MAIL__URL", &closed);
    bench.set("HYDRANT__MAIL__FROM", "hydrant@example.org");
    bench.entity("acme", "commercial");
    bench.person("ada@example.org", &["acme"]);
    let gateway = bench.serve();
    ask(&gateway, "ada@example.org");
    // The list shows that the writer has come past it.
    bench.done(&["session", "list"]);
    bench.person("bel@example.org", &["acme"]);
    gateway.kill_now();
    gateway.wait();
    bench.set("HYDRANT__MAIL__URL", &mail.url());
    bench.set_clock(START_MS + MINUTE_MS);
    let gateway = bench.serve();
    let letter = mail.next();
    assert_eq!(letter["from"], "hydrant@example.org");
    Browser::default().sign_in(&gateway, &link_in(&letter));
}

#[test]
fn a_colleague_whom_a_manager_invited_needs_no_operator() {
    let mail = MailServer::start();
    let (bench, gateway) = bench(&mail);
    let add = ["person", "add", "head@acme.example", "--name", "Head", "--entity", "acme"];
    bench.done(&[&add[..], &["--role", "manager"]].concat());
    let mut head = Browser::default();
    let invited = bench.json(&["person", "invite", "head@acme.example"]);
    head.sign_in(&gateway, invited["path"].as_str().unwrap());
    let body = serde_json::json!({ "mail": "cy@acme.example", "name": "Cy" }).to_string();
    let origin = gateway.url("");
    let path = "/v1/admin/entities/acme/invitations";
    let answer = head.ask(&gateway, "POST", path, &[("Origin", &origin)], &body);
    assert!(answer.status < 300, "{}", answer.text());
    let letter = mail.next();
    assert_eq!(
        (&letter["to"][0], &letter["subject"]),
        (&"cy@acme.example".into(), &"You are invited".into())
    );
    register(&gateway, "cy@acme.example");
    let link = mail.next_link("cy@acme.example");
    let mut cy = Browser::default();
    cy.get(&gateway, &link);
    let verified = cy.send(&gateway, &link, &[]);
    assert!(verified.text().contains("you can sign in at once"), "{}", verified.text());
    ask(&gateway, "cy@acme.example");
    cy.sign_in(&gateway, &mail.next_link("cy@acme.example"));
    assert!(cy.get(&gateway, "/account").text().contains("acme"));
    let settled = bench.json(&["registration", "list"]);
    assert_eq!(settled[0]["decided_by"], "an invitation", "{settled}");
}
