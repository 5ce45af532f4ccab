//! What the gateway answers to those who may not, to what is not there, and to what makes no sense.

mod harness;

use harness::{Answer, Bench, Gateway};

const IDS: &str = "/v1/datasets/walks/tweet-ids";

fn bench() -> (Bench, String) {
    let bench = Bench::new();
    bench.entity("acme", "commercial");
    let key = bench.person("ada@acme.example", &["acme"]);
    bench.dataset("walks", 1, 100);
    (bench, key)
}

#[track_caller]
fn check(answer: &Answer, status: u16, problem: &str) {
    assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{}", answer.head);
    let kind = answer.field("content-type").unwrap();
    assert!(kind.starts_with("application/problem+json"), "{kind}");
    assert_eq!(answer.json()["status"], status);
    assert_eq!(answer.field("cache-control"), Some("private, no-store"));
}

/// The key with one character of it changed.
fn mistyped(key: &str) -> String {
    let last = if key.ends_with('A') { 'B' } else { 'A' };
    format!("{}{last}", &key[..key.len() - 1])
}

#[test]
fn only_a_living_key_of_ours_opens_anything() {
    let (bench, key) = bench();
    let gateway = bench.serve();
    assert_eq!(gateway.get(IDS, &key).status, 200);
    for (field, problem) in [
        (None, "carries no key"),
        (Some(format!("Bearer {}", mistyped(&key))), "checksum"),
        (Some("Bearer nonsense".to_owned()), "hydrant_"),
        (Some(format!("Basic {key}")), "Bearer"),
        (Some(key.clone()), "Bearer"),
    ] {
        let fields: Vec<_> = field.iter().map(|field| ("Authorization", field.as_str())).collect();
        let answer = gateway.ask("GET", IDS, &fields, b"");
        check(&answer, 401, "unauthorized");
        assert!(answer.field("www-authenticate").is_some_and(|field| field.starts_with("Bearer")));
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(problem), "{field:?}: {detail}");
    }
    let keys = bench.json(&["key", "list"]);
    bench.done(&["key", "revoke", keys[0]["id"].as_str().unwrap()]);
    check(&gateway.get(IDS, &key), 401, "unauthorized");
}

#[test]
fn a_key_in_an_address_is_refused() {
    let (bench, key) = bench();
    let gateway = bench.serve();
    for query in [format!("?key={key}"), "?access_token=x".to_owned(), format!("?x={key}")] {
        check(&gateway.get(&format!("{IDS}{query}"), &key), 400, "key-in-query");
    }
}

#[test]
fn a_key_expires_and_a_key_that_nobody_uses_becomes_dormant() {
    let day_ms = 86_400_000;
    let start_ms = 1_772_323_200_000;
    let bench = Bench::with_clock(start_ms);
    bench.entity("acme", "commercial");
    let short = bench.person("ada@acme.example", &["acme"]);
    let issue = ["key", "issue", "ada@acme.example", "--expires", "700d"];
    let long = bench.done(&issue).trim().to_owned();
    bench.dataset("walks", 1, 10);
    let gateway = bench.serve();
    let ask = |key: &str| gateway.get(&format!("{IDS}?limit=1"), key);
    assert_eq!((ask(&short).status, ask(&long).status), (200, 200));
    bench.set_clock(start_ms + 364 * day_ms);
    assert_eq!(ask(&short).status, 200);
    bench.set_clock(start_ms + 367 * day_ms);
    check(&ask(&short), 401, "unauthorized");
    check(&ask(&long), 403, "key-dormant");
}

#[test]
fn who_has_not_accepted_the_documents_is_told_where_to() {
    let (bench, _) = bench();
    let add = ["person", "add", "bob@acme.example", "--name", "Bob", "--entity", "acme"];
    bench.done(&add);
    let key = bench.key("bob@acme.example");
    let gateway = bench.serve();
    let refused = gateway.get(IDS, &key);
    check(&refused, 403, "acceptance-missing");
    let refused = refused.json();
    assert_eq!(refused["accept"], "/v1/acceptances");
    assert_eq!(refused["missing"].as_array().unwrap().len(), 4);

    let documents = gateway.get("/v1/documents", &key).json()["documents"].clone();
    let accepted: Vec<_> = documents.as_array().unwrap().iter().map(|document| {
        serde_json::json!({ "document": document["document"], "version": document["version"] })
    }).collect();
    let accept = |documents: &[serde_json::Value]| {
        let body = serde_json::json!({ "documents": documents }).to_string();
        let bearer = format!("Bearer {key}");
        gateway.ask("POST", "/v1/acceptances", &[("Authorization", &bearer)], body.as_bytes())
    };
    assert_eq!(refused["example"], serde_json::json!({ "documents": accepted }));
    let three = accept(&accepted[..3]);
    assert_eq!((three.status, three.json()["missing"].as_array().unwrap().len()), (200, 1));
    check(&gateway.get(IDS, &key), 403, "acceptance-missing");
    let wrong = accept(&[serde_json::json!({ "name": "tos" })]);
    check(&wrong, 400, "bad-request");
    let wrong = wrong.json();
    assert_eq!(wrong["example"], serde_json::json!({ "documents": accepted[3..] }));
    let detail = wrong["detail"].as_str().unwrap();
    let expected = "send {\"documents\": [{\"document\": \"terms-of-service\", \
                    \"version\": \"…\"}]}; GET /v1/documents lists them";
    assert!(detail.ends_with(expected), "{detail}");
    assert_eq!(accept(&accepted).json()["missing"], serde_json::json!([]));
    assert_eq!(gateway.get(IDS, &key).status, 200);

    let old = serde_json::json!({ "document": documents[0]["document"], "version": "1999" });
    check(&accept(&[old]), 400, "bad-request");
}

#[test]
fn what_is_hidden_looks_like_what_is_not_there() {
    let (bench, ada) = bench();
    bench.entity("uni", "academic");
    let grace = bench.person("grace@uni.example", &["uni"]);
    let list = bench.path("walks.txt");
    let list = list.to_str().unwrap();
    for (slug, more) in [
        ("open", ["--visibility", "public"]),
        ("theirs", ["--entity", "uni"]),
        ("later", ["--embargo", "2099-01-01"]),
    ] {
        let add = ["dataset", "add", slug, list, "--title", "Made up", "--ids", "tweet"];
        bench.done(&[&add[..], &more].concat());
    }
    let gateway = bench.serve();
    let slugs = |answer: Answer| {
        let shown = answer.json()["datasets"].as_array().unwrap().clone();
        shown.iter().map(|one| one["slug"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(slugs(gateway.ask("GET", "/v1/datasets", &[], b"")), ["open"]);
    assert_eq!(slugs(gateway.get("/v1/datasets", &ada)), ["open", "walks"]);
    assert_eq!(slugs(gateway.get("/v1/datasets", &grace)), ["open", "theirs", "walks"]);
    assert_eq!(slugs(gateway.get("/v1/datasets?after=open&limit=1", &grace)), ["theirs"]);

    let unknown = gateway.get("/v1/datasets/nothing/tweet-ids", &ada);
    check(&unknown, 404, "not-found");
    // A browser is shown a page, whoever takes anything gets the problem.
    for (accept, is_page) in [("text/html,*/*;q=0.8", true), ("*/*", false)] {
        let answer = gateway.ask("GET", "/nowhere", &[("Accept", accept)], b"");
        assert_eq!(answer.status, 404);
        assert_eq!(answer.text().contains("<h1>"), is_page, "{}", answer.text());
    }
    for path in ["/v1/datasets/theirs/tweet-ids", "/v1/datasets/later/tweet-ids"] {
        let hidden = gateway.get(path, &ada);
        check(&hidden, 404, "not-found");
        let slug = path.split('/').nth(3).unwrap();
        let same = unknown.text().replace("nothing", slug);
        assert_eq!(hidden.text(), same, "{path}");
    }
    assert_eq!(gateway.get("/v1/datasets/theirs/tweet-ids", &grace).status, 200);
    check(&gateway.get("/v1/datasets/walks/user-ids", &ada), 404, "not-found");
    check(&gateway.get(&format!("{IDS}?release=none"), &ada), 404, "not-found");
}

#[test]
fn one_sees_only_ones_own_deliveries() {
    let (bench, ada) = bench();
    let bob = bench.person("bob@acme.example", &["acme"]);
    let gateway = bench.serve();
    let delivery = gateway.get(IDS, &ada).field("hydrant-delivery").unwrap().to_owned();
    let path = format!("/v1/deliveries/{delivery}");
    let shown = gateway.get(&path, &ada).json();
    assert_eq!(shown["requested"], 100);
    assert_eq!((&shown["dataset"], &shown["key"]), (&"walks".into(), &"1".into()));
    let hidden = gateway.get(&path, &bob);
    check(&hidden, 404, "not-found");
    assert_eq!(hidden.json()["advice"], "GET /v1/deliveries lists yours.");
    assert_eq!(gateway.get("/v1/deliveries", &bob).json()["deliveries"], serde_json::json!([]));
    let list = gateway.get("/v1/deliveries", &ada).json();
    assert_eq!(list["deliveries"][0]["delivery"], delivery.as_str(), "{list}");
}

#[test]
fn addresses_methods_and_hosts_that_are_not_ours() {
    let (bench, key) = bench();
    let gateway = bench.serve();
    for path in
        ["/v2", "/v1", "/v1/datasets/..%2f..%2fx/tweet-ids", "/v1/datasets/%00", "/v1/%c0%af"]
    {
        check(&gateway.get(path, &key), 404, "not-found");
    }
    let long = format!("/v1/datasets/{}", "x".repeat(300));
    check(&gateway.get(&long, &key), 404, "not-found");
    for (method, path) in [("POST", IDS), ("DELETE", "/v1/usage"), ("BREW", "/v1/datasets")] {
        let bearer = format!("Bearer {key}");
        let answer = gateway.ask(method, path, &[("Authorization", &bearer)], b"");
        check(&answer, 405, "method-not-allowed");
        assert!(answer.field("allow").is_some_and(|allow| allow.contains("GET")), "{method}");
    }
    let foreign = gateway.get_with("/v1/usage", &key, &[("Host", "evil.example")]);
    check(&foreign, 421, "misdirected");
    assert_eq!(gateway.ask("GET", "/healthz", &[], b"").text(), "alive\n");
    assert_eq!(gateway.ask("GET", "/readyz", &[], b"").text(), "ready\n");
}

#[test]
fn every_problem_is_explained_under_its_type() {
    let (bench, _) = bench();
    let gateway = bench.serve();
    let all = gateway.ask("GET", "/problems", &[], b"").json();
    for problem in all["problems"].as_array().unwrap() {
        let path = problem["type"].as_str().unwrap();
        assert_eq!(&gateway.ask("GET", path, &[], b"").json(), problem);
    }
    let unknown = gateway.ask("GET", "/problems/x", &[], b"");
    check(&unknown, 404, "not-found");
    assert_eq!(unknown.json()["advice"], "GET /problems lists them.");
}

#[test]
fn a_query_that_makes_no_sense_is_told_what_would() {
    let (bench, key) = bench();
    let gateway = bench.serve();
    for (path, query, expected) in [
        (IDS, "offset=x", "offset must be a whole number"),
        (IDS, "limit=", "limit must be a whole number"),
        (IDS, "limit=-1", "limit must be a whole number"),
        (IDS, "limit=99999999999999999999", "limit is larger than any number that is taken here"),
        (IDS, "page=2", "there is no parameter `page` here; known: release, offset, limit"),
        (IDS, "a`b=2", "there is no parameter `a`b` here; known: release, offset, limit"),
        (IDS, "limit=1&limit=2", "the parameter `limit` may be given only once"),
        ("/v1/deliveries", "x=", "there is no parameter `x` here; known: before, limit"),
        ("/v1/datasets", "limit=1.5", "limit must be a whole number"),
    ] {
        let answer = gateway.get(&format!("{path}?{query}"), &key);
        check(&answer, 400, "bad-request");
        assert_eq!(answer.json()["detail"], expected, "{path}?{query}");
    }
}

#[test]
fn a_suspended_entity_receives_nothing() {
    let (bench, key) = bench();
    let gateway = bench.serve();
    assert_eq!(gateway.get(IDS, &key).status, 200);
    bench.done(&["entity", "suspend", "acme", "--reason", "unpaid"]);
    check(&gateway.get(IDS, &key), 403, "not-allowed");
    bench.done(&["entity", "resume", "acme"]);
    assert_eq!(gateway.get(IDS, &key).status, 200);
}

#[test]
fn a_body_that_is_too_large_or_makes_no_sense_is_refused() {
    let (bench, key) = bench();
    let gateway: Gateway = bench.serve();
    let bearer = format!("Bearer {key}");
    for (body, status, problem) in [
        ("not json", 400, "bad-request"),
        ("{\"documents\":[],\"more\":1}", 400, "bad-request"),
        ("{\"documents\":[],\"documents\":[]}", 400, "bad-request"),
    ] {
        let fields = [("Authorization", bearer.as_str())];
        let answer = gateway.ask("POST", "/v1/acceptances", &fields, body.as_bytes());
        check(&answer, status, problem);
    }
    let large = vec![b' '; 70_000];
    let answer = gateway.ask("POST", "/v1/acceptances", &[("Authorization", &bearer)], &large);
    check(&answer, 413, "too-large");
}
