//! Signing in at an OpenID provider, on the real binary with a real provider: the npm package
//! `oidc-provider`. What attackers try stands in `oidc_attacks`.

#![cfg(feature = "oidc")]

mod harness;

use harness::browser::Browser;
use harness::mail::MailServer;
use harness::provider::{Provider, leads_to, part, sign_in_there, way_there};
use harness::{Answer, Bench, Gateway};
use serde_json::{Value, json};

/// Who signs in at the real provider.
const ADA: &str = "subject-of-ada";
const BEL: &str = "subject-of-bel";
const ORCID: &str = "0000-0001-2345-6789";

/// Signs in at the real provider as `login`, and comes back.
#[track_caller]
fn by_provider(browser: &mut Browser, gateway: &Gateway, issuer: &str, login: &str) -> Answer {
    browser.get(gateway, "/sign-in");
    let there = way_there(&browser.send(gateway, "/sign-in/with/uni", &[]));
    come_back(browser, gateway, issuer, &there, login)
}

#[track_caller]
fn come_back(
    browser: &mut Browser,
    gateway: &Gateway,
    issuer: &str,
    there: &str,
    login: &str,
) -> Answer {
    let back = sign_in_there(issuer, there, login);
    let path = back.strip_prefix(&gateway.url("")).unwrap_or_else(|| panic!("back to {back}"));
    browser.get(gateway, path)
}

/// The leaves of the journal that are about signing in.
fn leaves(bench: &Bench) -> Vec<Value> {
    let database = rusqlite::Connection::open(bench.data().join("hydrant.sqlite")).unwrap();
    let mut statement = database.prepare("SELECT leaf FROM journal ORDER BY sequence").unwrap();
    let texts = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let leaves = texts.map(|text| serde_json::from_str::<Value>(&text.unwrap()).unwrap());
    let kinds = ["signed-in", "identity-linked", "identity-unlinked"];
    leaves.filter(|leaf| kinds.contains(&leaf["leaf"].as_str().unwrap())).collect()
}

/// How many cells of the tables of identities hold `text`.
fn cells_with(bench: &Bench, text: &str) -> i64 {
    let database = rusqlite::Connection::open(bench.data().join("hydrant.sqlite")).unwrap();
    let count = "SELECT (SELECT count(*) FROM identities WHERE issuer || subject || claims LIKE ?1)
        + (SELECT count(*) FROM identity_proofs
           WHERE concat(issuer, subject, claims, name, mail) LIKE ?1)
        + (SELECT count(*) FROM journal WHERE CAST(leaf AS TEXT) LIKE ?1)";
    database.query_row(count, [format!("%{text}%")], |row| row.get(0)).unwrap()
}

/// A university with Ada, a gateway that sends mail, and the real provider.
fn with_real_provider() -> (Bench, Gateway, Provider, MailServer) {
    let mail = MailServer::start();
    let mut provider = Provider::start();
    let mut bench = Bench::new();
    bench.set("HYDRANT__MAIL__URL", &mail.url());
    bench.set("HYDRANT__MAIL__FROM", "hydrant <hydrant@example.org>");
    bench.settings(&provider.settings(&bench.path("secret")));
    bench.entity("orrin", "academic");
    bench.done(&["entity", "edit", "orrin", "--domain", "orrin.example"]);
    bench.person("ada@orrin.example", &["orrin"]);
    let gateway = bench.serve();
    provider.knows(&gateway.url(""));
    (bench, gateway, provider, mail)
}

#[test]
fn a_verified_address_links_nothing_until_its_holder_has_shown_it_here() {
    let (bench, gateway, provider, mail) = with_real_provider();
    let mut ada = Browser::default();
    let page = ada.get(&gateway, "/sign-in");
    assert!(page.text().contains("Sign in with Orrin"), "{}", page.text());
    // The provider vouches for an address that is Ada's here, and that is not enough.
    leads_to(&by_provider(&mut ada, &gateway, &provider.issuer, ADA), "/sign-in/unlinked");
    assert_eq!(ada.session(), None);
    let page = ada.get(&gateway, "/sign-in/unlinked");
    assert!(page.text().contains("Ada Quill (subject-of-ada) at Orrin"), "{}", page.text());
    assert!(page.text().contains("value=\"ada@orrin.example\""), "{}", page.text());

    // The letter to the address, opened in the same browser, and a button make it hers.
    ada.send(&gateway, "/sign-in", &[("mail", "ada@orrin.example")]);
    ada.sign_in(&gateway, &mail.next_link("ada@orrin.example"));
    assert_eq!(bench.json(&["person", "identities", "ada@orrin.example"]), json!([]));
    let page = ada.get(&gateway, "/account");
    assert!(page.text().contains("You have shown that you are"), "{}", page.text());
    leads_to(&ada.send(&gateway, "/account/identities/link", &[]), "/account#identities");
    assert_eq!(mail.next()["subject"], "Another way to sign in");
    let linked = bench.json(&["person", "identities", "ada@orrin.example"]);
    assert_eq!(linked[0]["subject"], "subject-of-ada", "{linked}");
    assert_eq!(linked[0]["affiliations"], json!(["member@orrin.example", "staff@orrin.example"]));

    // From now on she signs in by it, in whatever browser, and gets a session of her own.
    let mut other = Browser::default();
    leads_to(&by_provider(&mut other, &gateway, &provider.issuer, ADA), "/account");
    assert_ne!(other.session(), ada.session());
    assert!(other.get(&gateway, "/account").text().contains("ada@orrin.example"));

    // Suspended she is nobody, as with a link.
    bench.done(&["person", "suspend", "ada@orrin.example"]);
    let refused = by_provider(&mut Browser::default(), &gateway, &provider.issuer, ADA);
    assert_eq!(refused.status, 403, "{}", refused.text());
    bench.done(&["person", "resume", "ada@orrin.example"]);

    // What the provider asserts stands beside an application, and exempts nobody.
    let apply = ["exemption", "apply", "orrin", "--person", "ada@orrin.example", "--purpose", "x"];
    let signed = ["--role", "professor", "--non-commercial", "--signed-by", "Ada"];
    let until = harness::day_after_days(30);
    bench.done(&[&apply[..], &signed, &["--until", &until]].concat());
    let applied = bench.json(&["exemption", "list"]);
    assert_eq!(applied[0]["status"], "applied");
    let asserted = &applied[0]["evidence"]["affiliations"][0];
    assert_eq!(asserted["affiliation"], "member@orrin.example", "{applied}");
    assert_eq!((&asserted["is_institutions"], asserted["issuer"].as_str()), {
        (&json!(true), Some(provider.issuer.as_str()))
    });
    assert_eq!(asserted["asserted"].as_str().unwrap().len(), "2026-01-01".len());
    assert!(bench.done(&["exemption", "show", "1"]).contains("staff@orrin.example (says"));
    assert_eq!(harness::tweets(&bench.usage("orrin"))["basis"], "limit");
    bench.person_of("host", "jor@host.example");
    bench.done(&["person", "appoint", "jor@host.example", "--as", "operator"]);
    let link = bench.json(&["person", "invite", "jor@host.example"])["path"].clone();
    let mut jor = Browser::default();
    jor.sign_in(&gateway, link.as_str().unwrap());
    let page = jor.get(&gateway, "/admin");
    let told = "member@orrin.example (of the institution), says ";
    assert!(page.text().contains(told), "{}", page.text());

    // She unlinks it; her sessions go on, and the provider opens nothing any more.
    other.get(&gateway, "/account");
    let row = [("issuer", provider.issuer.as_str()), ("subject", "subject-of-ada")];
    leads_to(&other.send(&gateway, "/account/identities/unlink", &row), "/account#identities");
    assert_eq!(other.get(&gateway, "/account").status, 200);
    let again = by_provider(&mut Browser::default(), &gateway, &provider.issuer, ADA);
    leads_to(&again, "/sign-in/unlinked");

    let mut leaves = leaves(&bench);
    // The one of the operator, by a link.
    leaves.remove(3);
    let kinds: Vec<&str> = leaves.iter().map(|leaf| leaf["leaf"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["signed-in", "identity-linked", "signed-in", "identity-unlinked"]);
    assert_eq!((&leaves[0]["issuer"], &leaves[2]["issuer"]), (&Value::Null, &leaves[1]["issuer"]));
    assert_eq!(leaves[1]["issuer"], provider.issuer.as_str());
    gateway.stop();
}

#[test]
fn somebody_links_an_account_while_signed_in_and_is_forgotten_with_it() {
    let (bench, gateway, provider, _mail) = with_real_provider();
    let link = bench.json(&["person", "invite", "ada@orrin.example"])["path"].clone();
    let mut ada = Browser::default();
    ada.sign_in(&gateway, link.as_str().unwrap());
    let page = ada.get(&gateway, "/account");
    assert!(page.text().contains("Link Orrin"), "{}", page.text());
    // ORCID and its like tell no address: the subject is enough.
    let there = way_there(&ada.send(&gateway, "/account/identities/with/uni", &[]));
    assert_eq!(part(&there, "code_challenge_method"), "S256");
    leads_to(&come_back(&mut ada, &gateway, &provider.issuer, &there, ORCID), "/account");
    assert_eq!(bench.json(&["person", "identities", "ada@orrin.example"]), json!([]));
    let page = ada.get(&gateway, "/account");
    assert!(page.text().contains("(0000-0001-2345-6789) at Orrin"), "{}", page.text());
    leads_to(&ada.send(&gateway, "/account/identities/link", &[]), "/account#identities");
    let twice = ada.send(&gateway, "/account/identities/link", &[]);
    assert_eq!(twice.status, 410, "{}", twice.text());

    // Nobody else links it: it is somebody's.
    bench.person("bel@orrin.example", &["orrin"]);
    let link = bench.json(&["person", "invite", "bel@orrin.example"])["path"].clone();
    let mut bel = Browser::default();
    bel.sign_in(&gateway, link.as_str().unwrap());
    bel.get(&gateway, "/account");
    let there = way_there(&bel.send(&gateway, "/account/identities/with/uni", &[]));
    let taken = come_back(&mut bel, &gateway, &provider.issuer, &there, ORCID);
    assert_eq!(taken.status, 409, "{}", taken.text());
    // Nor unlinks it.
    bel.get(&gateway, "/account");
    let row = [("issuer", provider.issuer.as_str()), ("subject", "0000-0001-2345-6789")];
    assert_eq!(bel.send(&gateway, "/account/identities/unlink", &row).status, 404);

    let held = bench.json(&["person", "export", "ada@orrin.example"]);
    assert_eq!(held["identities"][0]["subject"], "0000-0001-2345-6789", "{held}");
    assert!(cells_with(&bench, "0000-0001-2345-6789") > 0);
    bench.done(&["person", "erase", "ada@orrin.example", "--reason", "asked for"]);
    assert_eq!(cells_with(&bench, "0000-0001-2345-6789"), 0);
    let gone = by_provider(&mut Browser::default(), &gateway, &provider.issuer, ORCID);
    leads_to(&gone, "/sign-in/unlinked");
    gateway.stop();
}

#[test]
fn an_operator_takes_an_identity_away() {
    let (bench, gateway, provider, _mail) = with_real_provider();
    let link = bench.json(&["person", "invite", "ada@orrin.example"])["path"].clone();
    let mut ada = Browser::default();
    ada.sign_in(&gateway, link.as_str().unwrap());
    ada.get(&gateway, "/account");
    let there = way_there(&ada.send(&gateway, "/account/identities/with/uni", &[]));
    come_back(&mut ada, &gateway, &provider.issuer, &there, ADA);
    ada.get(&gateway, "/account");
    ada.send(&gateway, "/account/identities/link", &[]);
    let listed = bench.done(&["person", "identities", "ada@orrin.example"]);
    assert!(listed.contains("subject-of-ada"), "{listed}");
    let unlink = ["person", "unlink", "ada@orrin.example", "--issuer"];
    let wrong = bench.run(&[&unlink[..], &["https://elsewhere.example"]].concat());
    assert!(wrong.code == 1 && wrong.stderr.contains("has no such identity"), "{wrong:?}");
    bench.done(&[&unlink[..], &[provider.issuer.as_str()]].concat());
    let gone = by_provider(&mut Browser::default(), &gateway, &provider.issuer, ADA);
    leads_to(&gone, "/sign-in/unlinked");
    gateway.stop();
}

#[test]
fn somebody_new_registers_with_what_a_provider_proved_and_signs_in_by_it_once_assigned() {
    let (bench, gateway, provider, mail) = with_real_provider();
    let mut bel = Browser::default();
    leads_to(&by_provider(&mut bel, &gateway, &provider.issuer, BEL), "/sign-in/unlinked");
    let page = bel.get(&gateway, "/register");
    for filled in ["value=\"Bel Quill\"", "value=\"bel@orrin.example\""] {
        assert!(page.text().contains(filled), "{filled}: {}", page.text());
    }
    let form = [
        ("name", "Bel Quill"),
        ("mail", "bel@orrin.example"),
        ("organisation", "University of Orrin"),
        ("purpose", "a study"),
    ];
    assert_eq!(bel.send(&gateway, "/register", &form).status, 200);
    let link = mail.next_link("bel@orrin.example");
    let page = bel.get(&gateway, &link);
    assert!(page.text().contains("subject-of-bel"), "{}", page.text());
    assert_eq!(bel.send(&gateway, &link, &[]).status, 200);
    // Nobody activates themselves.
    let early = by_provider(&mut Browser::default(), &gateway, &provider.issuer, BEL);
    leads_to(&early, "/sign-in/unlinked");
    let waiting = bench.json(&["registration", "list"]);
    assert_eq!(waiting[0]["identity"]["subject"], "subject-of-bel", "{waiting}");
    bench.done(&["registration", "assign", "1", "--entity", "orrin"]);
    assert_eq!(mail.next()["subject"], "Your registration was accepted");
    leads_to(&by_provider(&mut bel, &gateway, &provider.issuer, BEL), "/account");
    assert!(bel.get(&gateway, "/account").text().contains("bel@orrin.example"));
    gateway.stop();
}
