//! Attacks on signing in at OpenID providers, on the real binary, with providers that forge
//! whatever an attack needs, or do not work.

#![cfg(feature = "oidc")]

mod harness;

use harness::browser::Browser;
use harness::forger::{Forger, SECRET, Signed, challenge_of, json_answer};
use harness::mail::MailServer;
use harness::provider::{leads_to, part, way_there};
use harness::{Bench, Gateway, wait_until};
use serde_json::{Value, json};

/// 2026-01-01.
const START_MS: i64 = 1_767_225_600_000;

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
