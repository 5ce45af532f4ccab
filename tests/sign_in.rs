//! Signing in and the attacks on it, over HTTP against the real binary.

mod harness;

use harness::browser::Browser;
use harness::{Bench, Gateway, PATIENCE};

/// When the clocks of these tests begin: 2026-01-01.
const START_MS: i64 = 1_767_225_600_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// A gateway with one person, whose clock a test moves.
fn bench() -> (Bench, Gateway) {
    let bench = Bench::with_clock(START_MS);
    bench.entity("acme", "commercial");
    bench.person("ada@example.org", &["acme"]);
    let gateway = bench.serve();
    (bench, gateway)
}

/// The path of a fresh link for a person.
fn link(bench: &Bench, mail: &str) -> String {
    bench.json(&["person", "invite", mail])["path"].as_str().unwrap().to_owned()
}

fn signed_in(bench: &Bench, gateway: &Gateway, mail: &str) -> Browser {
    let mut browser = Browser::default();
    browser.sign_in(gateway, &link(bench, mail));
    browser
}

#[test]
fn a_link_is_good_for_one_time_and_a_look_at_it_changes_nothing() {
    let (bench, gateway) = bench();
    let path = link(&bench, "ada@example.org");
    for _ in 0..3 {
        let scanned = Browser::default().get(&gateway, &path);
        assert_eq!(scanned.status, 200);
        assert!(scanned.text().contains("Ada Example"));
    }
    assert_eq!(bench.json(&["session", "list"]), serde_json::json!([]));
    let (mut browser, mut second) = (Browser::default(), Browser::default());
    assert_eq!(second.get(&gateway, &path).status, 200);
    browser.sign_in(&gateway, &path);
    assert_eq!(browser.get(&gateway, "/account").status, 200);
    assert_eq!(second.get(&gateway, &path).status, 410);
    let answer = second.send(&gateway, &path, &[]);
    assert_eq!(answer.status, 410, "{}", answer.text());
    assert_eq!(second.session(), None);
}

#[test]
fn a_link_that_is_late_or_guessed_opens_nothing() {
    let (bench, gateway) = bench();
    let path = link(&bench, "ada@example.org");
    let mut browser = Browser::default();
    assert_eq!(browser.get(&gateway, &path).status, 200);
    bench.set_clock(START_MS + 15 * MINUTE_MS);
    assert_eq!(browser.get(&gateway, &path).status, 410);
    assert_eq!(browser.send(&gateway, &path, &[]).status, 410);
    let guessed = format!("/sign-in/{}", "a".repeat(43));
    for path in [guessed.as_str(), "/sign-in/short", "/sign-in/..%2f..%2fetc%2fpasswd"] {
        assert_eq!(browser.get(&gateway, path).status, 404, "{path}");
        assert_eq!(browser.send(&gateway, path, &[]).status, 404, "{path}");
    }
    assert_eq!(browser.session(), None);
}

#[test]
fn a_person_gets_so_many_links_an_hour() {
    let (bench, _gateway) = bench();
    for _ in 0..10 {
        link(&bench, "ada@example.org");
    }
    let refused = bench.run(&["person", "invite", "ada@example.org"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("within the hour"), "{}", refused.stderr);
    bench.set_clock(START_MS + HOUR_MS);
    link(&bench, "ada@example.org");
}

#[test]
fn signing_in_makes_a_new_session_and_ends_the_one_that_the_browser_had() {
    let (bench, gateway) = bench();
    bench.person("eve@example.org", &["acme"]);
    // Eve plants her own session into the browser of Ada, and waits for Ada to sign in.
    let planted = signed_in(&bench, &gateway, "eve@example.org");
    let mut ada = planted.clone();
    ada.sign_in(&gateway, &link(&bench, "ada@example.org"));
    assert_ne!(ada.session(), planted.session());
    assert!(ada.get(&gateway, "/account").text().contains("ada@example.org"));
    let mut eve = planted;
    assert_eq!(eve.get(&gateway, "/account").status, 303, "her session is over");
    // A cookie that nobody made is not taken over either.
    let mut fixed = Browser::default();
    let chosen = "A".repeat(43);
    fixed.cookies.push(("hydrant-session".into(), chosen.clone()));
    fixed.sign_in(&gateway, &link(&bench, "ada@example.org"));
    assert_ne!(fixed.session(), Some(chosen.as_str()));
}

#[test]
fn a_foreign_cookie_opens_nothing() {
    let (bench, gateway) = bench();
    let good = signed_in(&bench, &gateway, "ada@example.org").session().unwrap().to_owned();
    let mut changed = good.clone();
    changed.replace_range(..1, if good.starts_with('a') { "b" } else { "a" });
    for (name, value, expected) in [
        ("hydrant-session", good.as_str(), 200),
        ("hydrant-session", changed.as_str(), 401),
        ("hydrant-session", "", 401),
        // Of another way in: here nothing came over TLS.
        ("__Host-hydrant", good.as_str(), 401),
    ] {
        let cookie = format!("{name}={value}");
        let answer = gateway.ask("GET", "/v1/usage", &[("Cookie", &cookie)], b"");
        assert_eq!(answer.status, expected, "{name}={value}");
    }
    let twice = format!("hydrant-session={good}; hydrant-session={changed}");
    assert_eq!(gateway.ask("GET", "/v1/usage", &[("Cookie", &twice)], b"").status, 401);
}

#[test]
fn a_form_from_elsewhere_is_refused() {
    let (bench, gateway) = bench();
    let mut browser = signed_in(&bench, &gateway, "ada@example.org");
    browser.get(&gateway, "/account");
    let own = gateway.url("");
    let fields = [("label", "mine"), ("life", "30")];
    let attempt = |more: &[(&str, &str)]| {
        browser.clone().send_from(&gateway, "/account/keys", &fields, more).status
    };
    for more in [
        &[("Origin", "null")][..],
        &[("Origin", "https://evil.example")],
        &[("Origin", "http://localhost:1")],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Origin", own.as_str()), ("Origin", "https://evil.example")],
        &[],
    ] {
        assert_eq!(attempt(more), 403, "{more:?}");
    }
    assert_eq!(attempt(&[("Origin", own.as_str())]), 200);
    assert_eq!(attempt(&[("Sec-Fetch-Site", "same-origin")]), 200);
    // The right place, but another page's form.
    for token in ["", "0123", &"a".repeat(64)] {
        let mut other = Browser { token: token.to_owned(), ..browser.clone() };
        assert_eq!(other.send(&gateway, "/account/keys", &fields).status, 403, "{token}");
    }
    let mut eve = Browser::default();
    eve.get(&gateway, "/sign-in");
    let mut mixed = Browser { token: eve.token, ..browser.clone() };
    assert_eq!(mixed.send(&gateway, "/account/keys", &fields).status, 403);
}

#[test]
fn a_cookie_changes_something_by_the_api_from_a_page_of_the_gateway_only() {
    let (bench, gateway) = bench();
    bench.done(&["person", "add", "new@example.org", "--name", "New", "--entity", "acme"]);
    let mut browser = signed_in(&bench, &gateway, "new@example.org");
    let documents = gateway.ask("GET", "/v1/documents", &[], b"").json();
    let body = serde_json::json!({ "documents": documents["documents"].as_array().unwrap()
        .iter()
        .map(|row| serde_json::json!({ "document": row["document"], "version": row["version"] }))
        .collect::<Vec<_>>() })
    .to_string();
    let own = gateway.url("");
    for (more, expected) in [
        (&[][..], 403),
        (&[("Origin", "null")], 403),
        (&[("Origin", "https://evil.example")], 403),
        (&[("Origin", own.as_str())], 200),
    ] {
        let answer = browser.ask(&gateway, "POST", "/v1/acceptances", more, &body);
        assert_eq!(answer.status, expected, "{more:?} {}", answer.text());
    }
}

#[test]
fn a_session_ends_by_itself_and_by_hand() {
    let (bench, gateway) = bench();
    let idle = signed_in(&bench, &gateway, "ada@example.org");
    let mut busy = signed_in(&bench, &gateway, "ada@example.org");
    let used = |browser: &mut Browser, hour: i64| {
        bench.set_clock(START_MS + hour * HOUR_MS);
        assert_eq!(browser.get(&gateway, "/account").status, 200, "hour {hour}");
        // Nobody waits until a use is noted; what is written next comes after it.
        link(&bench, "ada@example.org");
    };
    for hour in (1..=11).step_by(5) {
        used(&mut busy, hour);
    }
    bench.set_clock(START_MS + 12 * HOUR_MS + MINUTE_MS);
    assert_eq!(idle.clone().get(&gateway, "/account").status, 303);
    used(&mut busy, 13);
    // Its secret is replaced after a day; the one before is good for a minute more.
    let before = busy.clone();
    for hour in [20, 25] {
        used(&mut busy, hour);
    }
    assert_ne!(before.session(), busy.session());
    assert_eq!(before.clone().get(&gateway, "/account").status, 200);
    bench.set_clock(START_MS + 25 * HOUR_MS + 2 * MINUTE_MS);
    assert_eq!(before.clone().get(&gateway, "/account").status, 303);
    assert_eq!(busy.get(&gateway, "/account").status, 200);
    // And whatever somebody does, it is over after two weeks.
    for hour in (30..14 * 24).step_by(10) {
        used(&mut busy, hour);
    }
    bench.set_clock(START_MS + 14 * 24 * HOUR_MS);
    assert_eq!(busy.get(&gateway, "/account").status, 303);
    let mut third = signed_in(&bench, &gateway, "ada@example.org");
    let sessions = bench.json(&["session", "list", "ada@example.org"]);
    let id = sessions.as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
    bench.done(&["session", "revoke", &id]);
    assert_eq!(third.get(&gateway, "/account").status, 303);
}

#[test]
fn an_appointment_replaces_the_secret_of_a_session() {
    let (bench, gateway) = bench();
    let mut browser = signed_in(&bench, &gateway, "ada@example.org");
    assert_eq!(browser.get(&gateway, "/admin").status, 403);
    let before = browser.session().unwrap().to_owned();
    bench.done(&["person", "appoint", "ada@example.org", "--as", "operator"]);
    assert_eq!(browser.get(&gateway, "/admin").status, 200);
    assert_ne!(browser.session(), Some(before.as_str()));
}

#[test]
fn whoever_signs_out_or_is_suspended_is_nobody() {
    let (bench, gateway) = bench();
    let mut browser = signed_in(&bench, &gateway, "ada@example.org");
    let mut other = signed_in(&bench, &gateway, "ada@example.org");
    browser.get(&gateway, "/account");
    let stolen = browser.clone();
    assert_eq!(browser.send(&gateway, "/sign-out", &[]).status, 303);
    assert_eq!(browser.session(), None);
    assert_eq!(stolen.clone().get(&gateway, "/account").status, 303);
    assert_eq!(other.get(&gateway, "/account").status, 200);
    bench.done(&["person", "suspend", "ada@example.org"]);
    assert_eq!(other.get(&gateway, "/account").status, 303);
    let refused = bench.run(&["person", "invite", "ada@example.org"]);
    assert!(refused.stderr.contains("suspended"), "{}", refused.stderr);
}

#[test]
fn whoever_is_erased_has_no_session_and_no_link_any_more() {
    let (bench, gateway) = bench();
    let mut browser = signed_in(&bench, &gateway, "ada@example.org");
    let path = link(&bench, "ada@example.org");
    let held = bench.json(&["person", "export", "ada@example.org"]);
    assert_eq!(held["sessions"][0]["status"], "active", "{held}");
    bench.done(&["person", "erase", "ada@example.org", "--reason", "asked for"]);
    assert_eq!(browser.get(&gateway, "/account").status, 303);
    assert_eq!(browser.get(&gateway, &path).status, 404);
    assert_eq!(bench.json(&["session", "list"]), serde_json::json!([]));
}

#[test]
fn somebody_elses_keys_and_sessions_are_out_of_reach() {
    let (bench, gateway) = bench();
    bench.person("eve@example.org", &["acme"]);
    signed_in(&bench, &gateway, "ada@example.org");
    let mut eve = signed_in(&bench, &gateway, "eve@example.org");
    eve.get(&gateway, "/account");
    for path in ["/account/keys/1/revoke", "/account/sessions/1/revoke"] {
        assert_eq!(eve.send(&gateway, path, &[]).status, 404, "{path}");
    }
    assert_eq!(eve.get(&gateway, "/entities/acme").status, 403, "she manages nothing");
    assert_eq!(eve.send(&gateway, "/account/keys/2/revoke", &[]).status, 303);
}

#[test]
fn what_people_write_is_shown_as_text_or_refused() {
    let (bench, gateway) = bench();
    let name = "<script>alert(1)</script>\"'&";
    bench.done(&["entity", "add", "odd", "--name", name, "--sector", "commercial"]);
    bench.done(&["person", "add", "odd@example.org", "--name", name, "--entity", "odd"]);
    let list = bench.path("odd.txt");
    std::fs::write(&list, harness::id_text(9, 10)).unwrap();
    let add = ["dataset", "add", "odd", list.to_str().unwrap(), "--title"];
    let title = "javascript:alert(1)<img src=x onerror=alert(1)>";
    let more = [title, "--ids", "tweet", "--visibility", "public"];
    bench.done(&[&add[..], &more[..]].concat());
    let mut browser = signed_in(&bench, &gateway, "odd@example.org");
    for path in ["/", "/datasets/odd", "/account"] {
        let page = browser.get(&gateway, path);
        let text = page.text();
        assert_eq!(page.status, 200, "{path}");
        for bad in ["<script", "<img", "href=\"javascript:", "onerror=alert(1)>\""] {
            assert!(!text.contains(bad), "{path} has {bad}: {text}");
        }
        let policy = page.field("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
    for hidden in ["a\u{202e}b", "a\nb", "a\u{0}b"] {
        let words = format!("{hidden}@");
        let refused = bench.run(&["entity", "add", "bad", "--name", "x", "--sector", "none"]);
        assert_ne!(refused.code, 0);
        browser = Browser::default();
        browser.get(&gateway, "/sign-in");
        let answer = browser.send(&gateway, "/sign-in", &[("mail", &words)]);
        assert!(!answer.text().contains("\u{202e}b@example"), "{}", answer.text());
    }
}

#[test]
fn a_session_downloads_what_a_key_does_and_its_end_is_the_end_of_the_stream() {
    let bench = Bench::with_clock(START_MS);
    bench.entity("acme", "commercial");
    bench.person("ada@example.org", &["acme"]);
    bench.dataset("tweets", 1, 400_000);
    let gateway = bench.serve();
    let mut browser = signed_in(&bench, &gateway, "ada@example.org");
    let small = browser.get(&gateway, "/v1/datasets/tweets/tweet-ids?limit=1000");
    assert_eq!((small.status, small.text().lines().count()), (200, 1_000));
    let cookie = format!("hydrant-session={}", browser.session().unwrap());
    let fields = [("Cookie", cookie.as_str())];
    let mut stream = gateway.send("GET", "/v1/datasets/tweets/tweet-ids", &fields, b"");
    use std::io::Read;
    let mut begun = [0; 1_000];
    stream.read_exact(&mut begun).unwrap();
    let id = bench.json(&["session", "list"])[0]["id"].as_str().unwrap().to_owned();
    bench.done(&["session", "revoke", &id]);
    let mut rest = Vec::new();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = stream.read_to_end(&mut rest);
    let whole = harness::id_text(1, 400_000).len();
    assert!(rest.len() + begun.len() < whole, "the stream went on to its end");
    let again = gateway.ask("GET", "/v1/datasets/tweets/tweet-ids", &fields, b"");
    assert_eq!(again.status, 401);
}

#[test]
fn nobody_signs_in_over_a_network_without_tls_and_cookies_of_tls_are_bound_to_the_host() {
    let mut bench = Bench::with_clock(START_MS);
    bench.entity("acme", "commercial");
    bench.person("ada@example.org", &["acme"]);
    for (url, host, expected) in [
        ("http://ids.example.org", "ids.example.org", 403),
        ("https://ids.example.org", "ids.example.org", 303),
    ] {
        bench.set("HYDRANT__SERVER__PUBLIC_URL", url);
        let gateway = bench.serve();
        let path = link(&bench, "ada@example.org");
        let page = gateway.ask("GET", &path, &[("Host", host)], b"");
        let token = page.text().split_once("name=\"form\" value=\"").unwrap().1;
        let token = token.split('"').next().unwrap();
        let cookie = format!("__Host-hydrant-form={token}");
        let fields = [
            ("Host", host),
            ("Origin", url),
            ("Cookie", &cookie),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let answer = gateway.ask("POST", &path, &fields, format!("form={token}").as_bytes());
        assert_eq!(answer.status, expected, "{url} {}", answer.text());
        if expected == 303 {
            let set = answer.field("set-cookie").unwrap();
            for part in ["__Host-hydrant=", "; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"]
            {
                assert!(set.contains(part), "{set} lacks {part}");
            }
        }
        gateway.stop();
    }
}
