//! Signing in at OpenID providers, on the real binary: a real provider (the npm package
//! `oidc-provider`), and one that forges whatever an attack needs.

#![cfg(feature = "oidc")]

mod harness;

use harness::browser::Browser;
use harness::forger::{Forger, SECRET, Signed, challenge_of, json_answer};
use harness::mail::MailServer;
use harness::provider::{Provider, sign_in_there};
use harness::{Answer, Bench, Gateway, wait_until};
use serde_json::{Value, json};

/// Who signs in at the real provider.
const ADA: &str = "subject-of-ada";
const BEL: &str = "subject-of-bel";
const ORCID: &str = "0000-0001-2345-6789";

/// 2026-01-01.
const START_MS: i64 = 1_767_225_600_000;

/// The address of the link on the page from which a browser goes on to a provider.
#[track_caller]
fn way_there(page: &Answer) -> String {
    assert_eq!(page.status, 200, "{}", page.text());
    let link = page.text().split_once("<a href=\"http").expect("the page has a link").1;
    let address = format!("http{}", link.split('"').next().unwrap()).replace("&amp;", "&");
    // Browsers that show pages go on by themselves, by no form that `form-action` would hold.
    assert_eq!(page.field("refresh"), Some(format!("0; url={address}").as_str()));
    let policy = page.field("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self'; "), "{policy}");
    address
}

/// The value of a field of an address.
fn part(address: &str, name: &str) -> String {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let found = form_urlencoded::parse(query.as_bytes()).find(|(field, _)| field == name);
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

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

#[track_caller]
fn leads_to(answer: &Answer, expected: &str) {
    let found = (answer.status, answer.field("location"));
    assert_eq!(found, (303, Some(expected)), "{}", answer.text());
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

    // She unlinks it; her sessions go on, and the provider opens nothing any more.
    other.get(&gateway, "/account");
    let row = [("issuer", provider.issuer.as_str()), ("subject", "subject-of-ada")];
    leads_to(&other.send(&gateway, "/account/identities/unlink", &row), "/account#identities");
    assert_eq!(other.get(&gateway, "/account").status, 200);
    let again = by_provider(&mut Browser::default(), &gateway, &provider.issuer, ADA);
    leads_to(&again, "/sign-in/unlinked");

    let leaves = leaves(&bench);
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

/// A gateway with Ada, whose clock stands still, and two providers that forge.
struct Forged {
    bench: Bench,
    gateway: Gateway,
    one: Forger,
    two: Forger,
}

fn forged() -> Forged {
    let (one, two) = (Forger::start(), Forger::start());
    let bench = Bench::with_clock(START_MS);
    std::fs::write(bench.path("secret"), SECRET).unwrap();
    let provider = |name: &str, forger: &Forger| {
        format!(
            "[sign_in.providers.{name}]\nissuer = \"{}\"\nclient_id = \"hydrant\"\n\
             client_secret_file = \"secret\"\nallow_private = true\n",
            forger.issuer
        )
    };
    bench.settings(&(provider("one", &one) + &provider("two", &two)));
    bench.entity("acme", "commercial");
    bench.person("ada@example.org", &["acme"]);
    let gateway = bench.serve();
    Forged { bench, gateway, one, two }
}

impl Forged {
    /// Begins to sign in at `one` and returns where its page leads to.
    fn begin(&self, browser: &mut Browser) -> String {
        browser.get(&self.gateway, "/sign-in");
        way_there(&browser.send(&self.gateway, "/sign-in/with/one", &[]))
    }

    /// The claims that are right for somebody who was sent `there`.
    fn claims(&self, there: &str) -> Value {
        let seconds = START_MS / 1_000;
        json!({
            "iss": self.one.issuer,
            "sub": "ada",
            "aud": "hydrant",
            "iat": seconds,
            "exp": seconds + 300,
            "nonce": part(there, "nonce"),
        })
    }

    /// Lets Ada sign in at `one` from now on.
    fn link(&self) {
        let link = self.bench.json(&["person", "invite", "ada@example.org"])["path"].clone();
        let mut ada = Browser::default();
        ada.sign_in(&self.gateway, link.as_str().unwrap());
        ada.get(&self.gateway, "/account");
        let there = way_there(&ada.send(&self.gateway, "/account/identities/with/one", &[]));
        self.one.plans(|plan| plan.claims = self.claims(&there));
        let answer = answered("one", &there, &format!("code=c&iss={}", self.one.issuer));
        leads_to(&ada.get(&self.gateway, &answer), "/account");
        ada.get(&self.gateway, "/account");
        leads_to(&ada.send(&self.gateway, "/account/identities/link", &[]), "/account#identities");
        let session = self.bench.json(&["session", "list"])[0]["id"].clone();
        self.bench.done(&["session", "revoke", session.as_str().unwrap()]);
    }

    fn active_sessions(&self) -> usize {
        let sessions = self.bench.json(&["session", "list"]);
        let rows = sessions.as_array().unwrap().iter();
        rows.filter(|row| row["status"] == "active").count()
    }
}

/// The path of an answer to whoever was sent `there`, with their state.
fn answered(provider: &str, there: &str, rest: &str) -> String {
    let state = part(there, "state");
    format!("/sign-in/with/{provider}/callback?state={state}&{rest}")
}

/// What an attack changes in a token that would be right.
type Change = fn(&mut Value);

#[test]
fn a_token_that_proves_nothing_signs_nobody_in() {
    let forged = forged();
    forged.link();
    let nothing: Change = |_| {};
    let rows: [(&str, Signed, Change, u16); 24] = [
        ("nothing is wrong", Signed::Rs256, nothing, 303),
        ("nothing is wrong, elliptic", Signed::Es256, nothing, 303),
        ("azp is right", Signed::Rs256, |claims| claims["azp"] = "hydrant".into(), 303),
        ("a list of one audience", Signed::Rs256, |claims| claims["aud"] = json!(["hydrant"]), 303),
        ("alg=none", Signed::None, nothing, 401),
        ("no signature", Signed::Stripped, nothing, 401),
        ("HS256 with the secret", Signed::WithSecret, nothing, 401),
        ("HS256 with the public key", Signed::WithPublicKey, nothing, 401),
        ("another key", Signed::ByStranger, nothing, 401),
        ("wrong nonce", Signed::Rs256, |claims| claims["nonce"] = "other".into(), 401),
        ("no nonce", Signed::Rs256, |claims| drop(claims["nonce"].take()), 401),
        ("wrong audience", Signed::Rs256, |claims| claims["aud"] = "other".into(), 401),
        (
            "a further audience",
            Signed::Rs256,
            |claims| claims["aud"] = json!(["hydrant", "x"]),
            401,
        ),
        ("no audience", Signed::Rs256, |claims| claims["aud"] = json!([]), 401),
        ("made for another", Signed::Rs256, |claims| claims["azp"] = "other".into(), 401),
        ("wrong issuer", Signed::Rs256, |claims| claims["iss"] = "http://127.0.0.1:1".into(), 401),
        (
            "issuer with a slash",
            Signed::Rs256,
            |claims| {
                claims["iss"] = format!("{}/", claims["iss"].as_str().unwrap()).into();
            },
            401,
        ),
        ("expired", Signed::Rs256, |claims| claims["exp"] = json!(START_MS / 1_000 - 61), 401),
        (
            "made before it was asked for",
            Signed::Rs256,
            |claims| {
                claims["iat"] = json!(START_MS / 1_000 - 3_600);
            },
            401,
        ),
        (
            "made in times to come",
            Signed::Rs256,
            |claims| {
                claims["iat"] = json!(START_MS / 1_000 + 3_600);
            },
            401,
        ),
        ("no subject", Signed::Rs256, |claims| claims["sub"] = "".into(), 401),
        (
            "a subject with hidden marks",
            Signed::Rs256,
            |claims| {
                claims["sub"] = "a\u{202e}da".into();
            },
            401,
        ),
        (
            "another access token",
            Signed::Rs256,
            |claims| {
                claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA".into();
            },
            401,
        ),
        ("no claims", Signed::Rs256, |claims| *claims = json!({}), 401),
    ];
    let (mut refused, mut secrets) = (0, Vec::new());
    for (name, signed, change, expected) in rows {
        let mut browser = Browser::default();
        let there = forged.begin(&mut browser);
        let mut claims = forged.claims(&there);
        change(&mut claims);
        forged.one.plans(|plan| (plan.signed, plan.claims) = (signed, claims));
        let before = forged.active_sessions();
        let answer = browser.get(&forged.gateway, &answered("one", &there, "code=the-code-of-ada"));
        assert_eq!(answer.status, expected, "{name}: {}", answer.text());
        let begun = usize::from(expected == 303);
        assert_eq!(browser.session().is_some(), begun == 1, "{name}");
        assert_eq!(forged.active_sessions(), before + begun, "{name}");
        refused += 1 - begun;
        secrets.extend(["state", "nonce"].map(|field| part(&there, field)));
        // What was changed for the token is what this browser alone can show.
        let exchange = forged.one.exchanges().pop().unwrap();
        let body = format!("x?{}", exchange.rsplit_once("\r\n\r\n").unwrap().1);
        let verifier = part(&body, "code_verifier");
        assert_eq!(challenge_of(&verifier), part(&there, "code_challenge"), "{name}");
        secrets.push(verifier);
    }
    wait_until("every refusal is logged", || {
        forged.gateway.log().matches("a sign-in was refused").count() == refused
    });
    let log = forged.gateway.log();
    secrets.extend([SECRET.to_owned(), "the-code-of-ada".to_owned(), "open more".to_owned()]);
    for secret in secrets {
        assert!(!log.contains(&secret), "the log has {secret}");
    }
}

#[test]
fn an_answer_that_this_browser_did_not_ask_for_counts_for_nothing() {
    let forged = forged();
    forged.link();
    let mut browser = Browser::default();
    let there = forged.begin(&mut browser);
    forged.one.plans(|plan| plan.claims = forged.claims(&there));
    let mut stranger = Browser::default();
    let strangers = forged.begin(&mut stranger);
    let issuer = |issuer: &str| format!("code=c&iss={issuer}");
    let exchanges = forged.one.exchanges().len();
    let nobody = Browser::default();
    for (name, by, path, expected) in [
        ("wrong state", &browser, answered("one", &strangers, "code=c"), 400),
        ("no state", &browser, "/sign-in/with/one/callback?code=c".to_owned(), 400),
        ("two states", &browser, answered("one", &there, "code=c&state=x"), 400),
        ("two codes", &browser, answered("one", &there, "code=c&code=d"), 400),
        ("no cookie", &nobody, answered("one", &there, "code=c"), 400),
        ("the cookie of another browser", &stranger, answered("one", &there, "code=c"), 400),
        ("no code", &browser, answered("one", &there, ""), 400),
        ("refused", &browser, answered("one", &there, "error=access_denied&code=c"), 400),
        ("an odd error", &browser, answered("one", &there, "error=%3Cscript%3E"), 400),
        ("another sender", &browser, answered("one", &there, &issuer(&forged.two.issuer)), 401),
        ("no such provider", &browser, answered("three", &there, "code=c"), 404),
        // Mix-up: what was asked of one comes back by the other one's address.
        ("mixed up", &browser, answered("two", &there, "code=c"), 400),
    ] {
        let mut by = by.clone();
        let answer = by.get(&forged.gateway, &path);
        assert_eq!(answer.status, expected, "{name}: {}", answer.text());
        assert_eq!(by.session(), None, "{name}");
        assert!(!answer.text().contains("<script"), "{name}");
    }
    assert_eq!(forged.one.exchanges().len(), exchanges, "no code went anywhere");
    assert_eq!(forged.two.questions(), 0, "the other provider never heard of it");
    assert_eq!(forged.active_sessions(), 0);

    // And after all of it the right answer counts: once, even if the provider would take it twice.
    let right = answered("one", &there, &issuer(&forged.one.issuer));
    let kept = browser.clone();
    leads_to(&browser.get(&forged.gateway, &right), "/account");
    let again = kept.clone().get(&forged.gateway, &right);
    assert_eq!(again.status, 400, "{}", again.text());
    assert_eq!(forged.active_sessions(), 1);

    // Ten minutes are enough.
    let late = forged.begin(&mut stranger);
    forged.bench.set_clock(START_MS + 10 * 60_000);
    let answer = stranger.get(&forged.gateway, &answered("one", &late, "code=c"));
    assert_eq!(answer.status, 400, "{}", answer.text());
}

#[test]
fn a_provider_that_names_itself_has_to_and_what_it_says_more_is_about_the_same_subject() {
    let forged = forged();
    forged.one.plans(|plan| {
        plan.names_itself = true;
        plan.more =
            Some(json!({ "sub": "ada", "email": "ada@example.org", "email_verified": true }));
    });
    forged.link();
    for (name, rest, more, expected) in [
        ("not named", "code=c".to_owned(), json!({ "sub": "ada" }), 401),
        ("named", format!("code=c&iss={}", forged.one.issuer), json!({ "sub": "ada" }), 303),
        ("of another", format!("code=c&iss={}", forged.one.issuer), json!({ "sub": "eve" }), 401),
        ("of nobody", format!("code=c&iss={}", forged.one.issuer), json!({}), 502),
    ] {
        let mut browser = Browser::default();
        let there = forged.begin(&mut browser);
        forged.one.plans(|plan| {
            plan.claims = forged.claims(&there);
            plan.more = Some(more);
        });
        let answer = browser.get(&forged.gateway, &answered("one", &there, &rest));
        assert_eq!(answer.status, expected, "{name}: {}", answer.text());
    }
}

#[test]
fn a_code_that_the_provider_takes_for_used_or_wrong_opens_nothing() {
    let forged = forged();
    for (status, body, expected) in [
        (400, "{\"error\":\"invalid_grant\",\"error_description\":\"used\"}", 400),
        (401, "{\"error\":\"invalid_client\"}", 400),
        (200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\"}", 401),
        (200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"id_token\":\"a.b.c\"}", 401),
        (200, "<html>", 401),
        (500, "", 502),
        (302, "", 502),
    ] {
        let mut browser = Browser::default();
        let there = forged.begin(&mut browser);
        forged.one.plans(|plan| plan.refusal = Some((status, body.to_owned())));
        let answer = browser.get(&forged.gateway, &answered("one", &there, "code=c"));
        assert_eq!(answer.status, expected, "{status} {body}: {}", answer.text());
        assert_eq!(browser.session(), None);
    }
}

#[test]
fn a_provider_that_cannot_be_used_gets_a_page_and_stops_nothing() {
    let forged = forged();
    let issuer = &forged.one.issuer;
    let with = |change: fn(&mut Value)| {
        let mut said = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        change(&mut said);
        json_answer(200, &said.to_string())
    };
    let elsewhere = format!("HTTP/1.1 302 X\r\nLocation: {}/\r\n\r\n", forged.two.issuer);
    let endless = format!("HTTP/1.1 200 X\r\nContent-Type: application/json\r\n\r\n{}", {
        " ".repeat(1024 * 1024)
    });
    let mut now_ms = START_MS;
    for (name, description, expected) in [
        ("closes", Vec::new(), 502),
        ("not found", json_answer(404, "{}"), 502),
        ("redirects", elsewhere.into_bytes(), 502),
        ("no JSON", json_answer(200, "<html>"), 502),
        ("too much", endless.into_bytes(), 502),
        ("another issuer", with(|said| said["issuer"] = "http://127.0.0.1:1".into()), 502),
        ("no tokens", with(|said| drop(said["token_endpoint"].take())), 502),
        (
            "a script",
            with(|said| {
                said["authorization_endpoint"] = "javascript:alert(1)".into();
            }),
            502,
        ),
        (
            "without TLS",
            with(|said| {
                said["authorization_endpoint"] = "http://id.example/authorize".into();
            }),
            502,
        ),
        ("keys without TLS", with(|said| said["jwks_uri"] = "http://id.example/keys".into()), 502),
        ("keys in a file", with(|said| said["jwks_uri"] = "file:///etc/passwd".into()), 502),
        ("nothing is wrong", with(|_| {}), 200),
    ] {
        // What has failed is asked again after a while.
        now_ms += 11_000;
        forged.bench.set_clock(now_ms);
        forged.one.plans(|plan| plan.description = Some(description));
        let mut browser = Browser::default();
        browser.get(&forged.gateway, "/sign-in");
        let answer = browser.send(&forged.gateway, "/sign-in/with/one", &[]);
        assert_eq!(answer.status, expected, "{name}: {}", answer.text());
        let kind = answer.field("content-type").unwrap();
        assert!(kind.starts_with("text/html"), "{name}: {kind}");
        assert_eq!(forged.gateway.ask("GET", "/readyz", &[], b"").status, 200, "{name}");
    }
    assert_eq!(forged.two.questions(), 0, "nobody followed a redirect");
    // What is known is not asked again.
    let asked = forged.one.questions();
    forged.begin(&mut Browser::default());
    assert_eq!(forged.one.questions(), asked);
    let mut browser = Browser::default();
    browser.get(&forged.gateway, "/sign-in");
    assert_eq!(browser.send(&forged.gateway, "/sign-in/with/none", &[]).status, 404);
    // A form from elsewhere sends nobody anywhere.
    let origin = [("Origin", "https://evil.example")];
    let cross = browser.send_from(&forged.gateway, "/sign-in/with/one", &[], &origin);
    assert_eq!(cross.status, 403);
}

#[test]
fn an_address_in_a_private_network_is_out_of_reach_unless_the_settings_say_so() {
    let forger = Forger::start();
    let port = forger.issuer.rsplit(':').next().unwrap();
    let bench = Bench::with_clock(START_MS);
    // A name, which the settings cannot judge; it leads to this machine.
    bench.settings(&format!(
        "[sign_in.providers.one]\nissuer = \"https://localhost:{port}\"\nclient_id = \"hydrant\"\n"
    ));
    bench.entity("acme", "commercial");
    let gateway = bench.serve();
    let mut browser = Browser::default();
    browser.get(&gateway, "/sign-in");
    let answer = browser.send(&gateway, "/sign-in/with/one", &[]);
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(forger.questions(), 0);
}

#[test]
fn what_one_browser_has_shown_another_one_cannot_link() {
    let mut forged = forged();
    let mail = MailServer::start();
    forged.gateway.signal("TERM");
    forged.bench.set("HYDRANT__MAIL__URL", &mail.url());
    forged.bench.set("HYDRANT__MAIL__FROM", "hydrant <hydrant@example.org>");
    forged.gateway = {
        let old = forged.gateway;
        old.wait();
        forged.bench.serve()
    };
    // Eve registers with the address of Bel, after having shown who she is herself.
    let mut eve = Browser::default();
    let there = forged.begin(&mut eve);
    let mut claims = forged.claims(&there);
    claims["sub"] = "eve".into();
    claims["email"] = "bel@example.org".into();
    claims["email_verified"] = true.into();
    forged.one.plans(|plan| plan.claims = claims);
    let back = answered("one", &there, "code=c");
    leads_to(&eve.get(&forged.gateway, &back), "/sign-in/unlinked");
    eve.get(&forged.gateway, "/register");
    let form =
        [("name", "Bel"), ("mail", "bel@example.org"), ("organisation", "O"), ("purpose", "p")];
    assert_eq!(eve.send(&forged.gateway, "/register", &form).status, 200);
    // Bel confirms unawares that the address is hers.
    let link = mail.next_link("bel@example.org");
    let mut bel = Browser::default();
    assert!(!bel.get(&forged.gateway, &link).text().contains("you will also sign in"));
    assert_eq!(bel.send(&forged.gateway, &link, &[]).status, 200);
    let waiting = forged.bench.json(&["registration", "list"]);
    assert_eq!(waiting[0]["identity"], Value::Null, "{waiting}");
    forged.bench.done(&["registration", "assign", "1", "--entity", "acme"]);
    assert_eq!(forged.bench.json(&["person", "identities", "bel@example.org"]), json!([]));
    let mut eve = Browser::default();
    let there = forged.begin(&mut eve);
    let mut claims = forged.claims(&there);
    claims["sub"] = "eve".into();
    forged.one.plans(|plan| plan.claims = claims);
    let back = answered("one", &there, "code=c");
    leads_to(&eve.get(&forged.gateway, &back), "/sign-in/unlinked");
    // What she has shown is good for an hour, and can be forgotten before.
    let mut forgetful = eve.clone();
    forgetful.get(&forged.gateway, "/sign-in/unlinked");
    leads_to(&forgetful.send(&forged.gateway, "/sign-in/unlinked/forget", &[]), "/sign-in");
    leads_to(&eve.get(&forged.gateway, "/sign-in/unlinked"), "/sign-in");
}

#[test]
fn over_tls_the_cookie_is_bound_to_the_host_and_without_it_nobody_is_sent_anywhere() {
    let forger = Forger::start();
    let mut bench = Bench::with_clock(START_MS);
    bench.settings(&format!(
        "[sign_in.providers.one]\nissuer = \"{}\"\nclient_id = \"hydrant\"\nallow_private = true\n",
        forger.issuer
    ));
    bench.entity("acme", "commercial");
    for (url, expected) in [("https://ids.example.org", 200), ("http://ids.example.org", 403)] {
        bench.set("HYDRANT__SERVER__PUBLIC_URL", url);
        let gateway = bench.serve();
        let host = ("Host", "ids.example.org");
        let page = gateway.ask("GET", "/sign-in", &[host], b"");
        let shows = page.text().contains("Sign in with one");
        assert_eq!(shows, expected == 200, "{url}: {}", page.text());
        let page = gateway.ask("GET", "/register", &[host], b"");
        let token = page.field("set-cookie").unwrap_or_default().split(['=', ';']).nth(1);
        let token = token.unwrap_or("x").to_owned();
        let cookie = format!("__Host-hydrant-form={token}");
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        let fields = [host, ("Origin", url), ("Cookie", cookie.as_str()), kind];
        let body = format!("form={token}");
        let answer = gateway.ask("POST", "/sign-in/with/one", &fields, body.as_bytes());
        assert_eq!(answer.status, expected, "{url}: {}", answer.text());
        if expected == 200 {
            let set = answer.field("set-cookie").unwrap();
            for part in
                ["__Host-hydrant-proof=", "; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"]
            {
                assert!(set.contains(part), "{set} lacks {part}");
            }
            let there = way_there(&answer);
            let expected = format!("{url}/sign-in/with/one/callback");
            assert_eq!(part(&there, "redirect_uri"), expected);
        }
        gateway.stop();
    }
}
