//! Who may do what over the operators' half of the API: every route with every kind of requester.

mod harness;

use harness::browser::Browser;
use harness::mail::MailServer;
use harness::{Bench, Gateway};

/// What a route takes.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    /// A rank.
    Look,
    /// The rank of an operator.
    Change,
    /// The rank of an operator who does not belong to the entity.
    Decide,
    /// To be the operator of the last column: nobody makes a key for another.
    Be,
}
use Takes::{Be, Change, Decide, Look};

/// Method, path below `/v1/admin` with the table's and with real names, body, and what it takes.
/// In an order in which each can be carried out.
const MATRIX: &[(&str, &str, &str, &str, Takes)] = &[
    ("GET", "/entities", "/entities", "", Look),
    ("POST", "/entities", "/entities", NEW_ENTITY, Change),
    ("GET", "/entities/{slug}", "/entities/uni", "", Look),
    ("POST", "/entities/{slug}/suspend", "/entities/uni/suspend", REASON, Decide),
    ("POST", "/entities/{slug}/resume", "/entities/uni/resume", "", Decide),
    ("GET", "/entities/{slug}/usage", "/entities/uni/usage", "", Look),
    ("PATCH", "/entities/{slug}", "/entities/uni", "{\"aliases\":[\"The Uni\"]}", Decide),
    ("POST", "/entities/{slug}/review", "/entities/state/review", REASON, Decide),
    ("GET", "/entity-duplicates", "/entity-duplicates", "", Look),
    ("GET", "/entities/{source}/merge/{target}", "/entities/state/merge/uni", "", Look),
    ("POST", "/entities/{source}/merge/{target}", "/entities/state/merge/uni", REASON, Decide),
    ("GET", "/use-cases", "/use-cases", "", Look),
    ("POST", "/entities/{slug}/use-cases", "/entities/uni/use-cases", USE_CASE, Change),
    ("POST", "/entities/{slug}/use-case/approve", "/entities/uni/use-case/approve", REASON, Decide),
    ("POST", "/entities/{slug}/use-cases", "/entities/uni/use-cases", OTHER_USE_CASE, Change),
    ("POST", "/entities/{slug}/use-case/refuse", "/entities/uni/use-case/refuse", REASON, Decide),
    ("GET", "/entities/{slug}/invitations", "/entities/uni/invitations", "", Look),
    ("POST", "/entities/{slug}/invitations", "/entities/uni/invitations", INVITATION, Change),
    ("DELETE", "/invitations/{invitation}", "/invitations/1", "", Change),
    ("GET", "/joins", "/joins", "", Look),
    ("GET", "/people/{mail}/joins/{slug}", "/people/ann@second.example/joins/uni", "", Look),
    ("POST", "/people/{mail}/joins/{slug}", "/people/ann@second.example/joins/uni", ROLE, Change),
    ("POST", "/joins/{join}/consent", "/joins/1/consent", CONSENT, Decide),
    ("POST", "/joins/{join}/withdraw", "/joins/1/withdraw", REASON, Decide),
    ("DELETE", "/people/{mail}/memberships/{slug}", LEAVE, "", Change),
    ("PATCH", "/people/{mail}/memberships/{slug}", UNI_MEMBER, MANAGER, Decide),
    ("GET", "/people/{mail}/identities", "/people/member@uni.example/identities", "", Look),
    (
        "DELETE",
        "/people/{mail}/identities",
        "/people/member@uni.example/identities",
        ISSUER,
        Change,
    ),
    ("GET", "/people/{mail}/export", "/people/member@uni.example/export", "", Look),
    ("GET", "/people", "/people", "", Look),
    ("POST", "/people", "/people", NEW_PERSON, Change),
    ("POST", "/people/{mail}/suspend", "/people/new@uni.example/suspend", REASON, Change),
    ("POST", "/people/{mail}/resume", "/people/new@uni.example/resume", "", Change),
    ("POST", "/people/{mail}/acceptances", "/people/new@uni.example/acceptances", PAPER, Change),
    ("POST", "/people/{mail}/erase", "/people/new@uni.example/erase", REASON, Change),
    ("GET", "/keys", "/keys?mail=member@uni.example", "", Look),
    ("POST", "/keys", "/keys", NEW_KEY, Be),
    ("POST", "/keys/{key}/reactivate", "/keys/2/reactivate", "", Change),
    ("POST", "/keys/{key}/rotate", "/keys/OWN/rotate", "{\"overlap\":\"2d\"}", Be),
    ("DELETE", "/keys/{key}", "/keys/2", "", Change),
    ("GET", "/sessions", "/sessions", "", Look),
    ("DELETE", "/sessions/{session}", "/sessions/1", "", Change),
    ("GET", "/registrations", "/registrations", "", Look),
    ("POST", "/registrations/{registration}/assign", "/registrations/1/assign", PLACE, Decide),
    ("POST", "/registrations/{registration}/refuse", "/registrations/2/refuse", REASON, Change),
    ("GET", "/exemptions", "/exemptions", "", Look),
    ("POST", "/exemptions", "/exemptions", APPLICATION, Change),
    ("POST", "/exemptions/{exemption}/approve", "/exemptions/1/approve", REASON, Decide),
    ("POST", "/exemptions/{exemption}/refuse", "/exemptions/2/refuse", REASON, Decide),
    ("POST", "/exemptions/{exemption}/revoke", "/exemptions/1/revoke", REASON, Decide),
    ("GET", "/permissions", "/permissions", "", Look),
    ("POST", "/permissions", "/permissions", LETTER, Decide),
    ("POST", "/permissions/{permission}/revoke", "/permissions/1/revoke", REASON, Decide),
    ("GET", "/exports", "/exports", "", Look),
    ("GET", "/exports/{export}", "/exports/1", "", Look),
    ("POST", "/export-files/{file}/cancel", "/export-files/1/cancel", REASON, Change),
    ("GET", "/shares", "/shares", "", Look),
    ("GET", "/shares/{share}", "/shares/1", "", Look),
    ("DELETE", "/shares/{share}", "/shares/1", "", Change),
    ("GET", "/documents", "/documents", "", Look),
    ("POST", "/documents", "/documents", VERSION, Change),
    ("GET", "/policy", "/policy", "", Look),
    ("GET", "/datasets", "/datasets", "", Look),
    ("GET", "/datasets/{slug}", "/datasets/walks", "", Look),
    ("PATCH", "/datasets/{slug}", "/datasets/walks", "{\"embargo\":\"2099-01-01\"}", Change),
    ("DELETE", "/datasets/{slug}", "/datasets/walks", "", Change),
    ("POST", "/removals", "/removals", REMOVAL, Change),
    ("GET", "/removals", "/removals", "", Look),
    ("GET", "/removals/holders", "/removals/holders", "", Look),
    ("POST", "/removals/{import}/revert", "/removals/1/revert", REASON, Change),
    ("GET", "/entities/{slug}/report", "/entities/uni/report?from=2026-01-01", "", Look),
    ("GET", "/deliveries", "/deliveries?rows_max=5", "", Look),
    ("GET", "/deliveries/{delivery}/receipt", "/deliveries/DELIVERY/receipt", "", Look),
    ("GET", "/instances", "/instances", "", Look),
    ("GET", "/ledger", "/ledger", "", Look),
    ("PUT", "/audit/checkpoint", "/audit/checkpoint", "", Change),
    ("GET", "/audit/checkpoints", "/audit/checkpoints?after=0", "", Look),
    ("GET", "/audit/reasons", "/audit/reasons", "", Look),
    ("GET", "/audit/files/{*names}", "/audit/files/checkpoint", "", Look),
];

const ISSUER: &str = "{\"issuer\":\"https://id.example\"}";
const USE_CASE: &str = "{\"purpose\":\"the spread of made-up rumours\"}";
const OTHER_USE_CASE: &str = "{\"purpose\":\"another study\"}";
const INVITATION: &str = "{\"mail\":\"colleague@uni.example\",\"name\":\"Colleague\"}";
const ROLE: &str = "{\"role\":\"member\"}";
const CONSENT: &str = "{\"side\":\"person\",\"evidence\":\"a letter\"}";
const LEAVE: &str = "/people/ann@second.example/memberships/second";
const UNI_MEMBER: &str = "/people/member@uni.example/memberships/uni";
const MANAGER: &str = "{\"role\":\"manager\"}";
const REASON: &str = "{\"reason\":\"a letter of the library\"}";
const REMOVAL: &str = "{\"lines\":\"20\\n21\\n\",\"kind\":\"tweet\",\"reason\":\"gone\"}";
const PLACE: &str = "{\"slug\":\"uni\",\"role\":\"member\"}";
const PAPER: &str = "{\"documents\":[\"all\"],\"evidence\":\"signed paper\"}";
const NEW_ENTITY: &str = "{\"slug\":\"new\",\"name\":\"New\",\"sector\":\"commercial\"}";
const NEW_PERSON: &str = "{\"mail\":\"new@uni.example\",\"name\":\"New\",\
                          \"entities\":[\"uni\"],\"role\":\"member\"}";
const NEW_KEY: &str =
    "{\"mail\":\"operator@host.example\",\"scope\":\"download\",\"lifetime\":\"30d\"}";
const APPLICATION: &str = "{\"slug\":\"third\",\"mail\":\"inside@uni.example\",\
                           \"role\":\"professor\",\"purpose\":\"made up\",\
                           \"non_commercial\":true,\"attestation\":\"2026-11-24\",\
                           \"signed_by\":\"Ada\",\"until\":\"2027-06-30\"}";
const LETTER: &str = "{\"slug\":\"third\",\"issuer\":\"the platform\",\"reference\":\"letter 1\",\
                      \"issued_on\":\"2026-12-01\",\"from\":\"2027-01-01\",\
                      \"until\":\"2027-12-31\",\
                      \"ceiling_ids\":3000000,\"reason\":\"asked for\",\"document_sha256\":\
                      \"abababababababababababababababababababababababababababababababab\"}";
const VERSION: &str = "{\"document\":\"privacy-policy\",\"version\":\"2099\",\
                       \"url\":\"https://platform.example/privacy\",\"from\":\"2099-01-01\"}";

/// What the requester of each column may ask for, in the order in which they ask.
struct Requester {
    name: &'static str,
    key: String,
    may: fn(Takes) -> bool,
}

const NOW_MS: i64 = 1_800_000_000_000;
const DAY_MS: i64 = 86_400_000;

fn rank(bench: &Bench, mail: &str, entities: &[&str], rank: &str) -> String {
    bench.person(mail, entities);
    bench.done(&["person", "appoint", mail, "--as", rank]);
    bench.done(&["key", "issue", mail, "--scope", "operate"]).trim().to_owned()
}

fn requesters(bench: &Bench) -> Vec<Requester> {
    let suspended = rank(bench, "gone@host.example", &["host"], "operator");
    bench.done(&["person", "suspend", "gone@host.example"]);
    let dismissed = rank(bench, "was@host.example", &["host"], "operator");
    bench.done(&["person", "appoint", "was@host.example", "--as", "none"]);
    let inside =
        rank(bench, "inside@uni.example", &["uni", "second", "third", "state"], "operator");
    vec![
        Requester { name: "nobody", key: String::new(), may: |_| false },
        Requester { name: "member", key: bench.key("member@uni.example"), may: |_| false },
        Requester { name: "suspended operator", key: suspended, may: |_| false },
        Requester { name: "dismissed operator", key: dismissed, may: |_| false },
        Requester {
            name: "auditor",
            key: rank(bench, "audit@host.example", &["host"], "auditor"),
            may: |takes| takes == Look,
        },
        Requester {
            name: "operator of the entity",
            key: inside,
            may: |takes| matches!(takes, Look | Change),
        },
        Requester {
            name: "operator",
            key: rank(bench, "operator@host.example", &["host"], "operator"),
            may: |_| true,
        },
    ]
}

/// A bench with all that the matrix names, two keys of a member first; the second is dormant.
fn bench() -> Bench {
    let bench = Bench::with_clock(NOW_MS - 366 * DAY_MS);
    for slug in ["uni", "second", "third", "host"] {
        bench.entity(slug, "academic");
    }
    bench.entity("state", "government");
    bench.person("member@uni.example", &["uni"]);
    bench.done(&["key", "issue", "member@uni.example", "--expires", "700d"]);
    bench.person("ann@second.example", &["second"]);
    bench.set_clock(NOW_MS);
    bench.dataset("walks", 1, 10);
    bench
}

fn ask(gateway: &Gateway, key: &str, method: &str, path: &str, body: &str) -> harness::Answer {
    let bearer = format!("Bearer {key}");
    let fields = [("Authorization", bearer.as_str())];
    let fields = if key.is_empty() { &[][..] } else { &fields[..] };
    gateway.ask(method, &format!("/v1/admin{path}"), fields, body.as_bytes())
}

#[test]
fn every_route_takes_what_its_rank_allows_and_nothing_else() {
    let mut bench = bench();
    let mail = MailServer::start();
    bench.set("HYDRANT__MAIL__URL", &mail.url());
    bench.set("HYDRANT__MAIL__FROM", "hydrant@host.example");
    let requesters = requesters(&bench);
    for entity in ["uni", "second"] {
        let apply = ["exemption", "apply", entity, "--person", "inside@uni.example"];
        let signed = ["--role", "professor", "--non-commercial", "--signed-by", "Ada"];
        let wanted = ["--purpose", "made up", "--until", "2027-06-30"];
        bench.done(&[&apply[..], &signed, &wanted].concat());
    }
    // Only a provider proves one: tests/oidc.rs has it do so.
    let database = rusqlite::Connection::open(bench.data().join("hydrant.sqlite")).unwrap();
    let linked =
        "INSERT INTO identities SELECT 'https://id.example', 'x', id, '{}', 1, 1 FROM people
                  WHERE mail = 'member@uni.example'";
    assert_eq!(database.execute(linked, []).unwrap(), 1);
    // Only somebody in a browser asks for files: tests/exports.rs does.
    let asked = "
        INSERT INTO exports (id, person_id, dataset_id, release_id, unit, selection, format, ids,
                             asked_ms)
        SELECT 1, id, 1, 'aa', 'tweet', '{}', 'csv', 1, 1 FROM people
        WHERE mail = 'member@uni.example'";
    assert_eq!(database.execute(asked, []).unwrap(), 1);
    let planned = "
        INSERT INTO export_files (id, export_id, person_id, part, objects_max, planned_ms, state,
                                  attempt, gathered, objects, bytes, left_out, removals, fetches,
                                  changed_ms)
        SELECT 1, 1, person_id, 1, 1, 1, 'planned', 0, 0, 0, 0, '[]', 0, 0, 1 FROM exports";
    assert_eq!(database.execute(planned, []).unwrap(), 1);
    drop(database);
    bench.person("maker@host.example", &["host"]);
    bench.exempt("host", "maker@host.example", "2027-06-30");
    let create = ["share", "create", "walks", "--person", "maker@host.example"];
    bench.done(&[&create[..], &["--label", "a paper"]].concat());
    let gateway = bench.serve();
    let approved = mail.next();
    assert_eq!(approved["to"][0], "maker@host.example");
    let invited = bench.json(&["person", "invite", "member@uni.example"]);
    Browser::default().sign_in(&gateway, invited["path"].as_str().unwrap());
    for address in ["one@new.example", "two@new.example"] {
        let mut browser = Browser::default();
        browser.get(&gateway, "/register");
        let said = [("mail", address), ("name", "N"), ("organisation", "O"), ("purpose", "P")];
        browser.send(&gateway, "/register", &said);
        let link = mail.next_link(address);
        assert_eq!(browser.get(&gateway, &link).status, 200);
        assert_eq!(browser.send(&gateway, &link, &[]).status, 200);
    }
    let member = &requesters[1].key;
    let delivered = gateway.get("/v1/datasets/walks/tweet-ids", member);
    let delivery = delivered.field("Hydrant-Delivery").unwrap().to_owned();
    bench.done(&["audit", "checkpoint"]);
    let mut own_key = String::new();
    for &(method, route, path, body, takes) in MATRIX {
        let path = path.replace("DELIVERY", &delivery).replace("OWN", &own_key);
        // What is done cannot be done twice: whoever may do it is told so after the first.
        let mut worked = false;
        for Requester { name, key, may } in &requesters {
            let answer = ask(&gateway, key, method, &path, body);
            let why = format!("{method} {route} for {name}: {} {}", answer.head, answer.text());
            match (may(takes), answer.status) {
                (false, 401) => assert!(key.is_empty(), "{why}"),
                (false, 403) => assert!(!key.is_empty(), "{why}"),
                (true, 200 | 201) => {
                    worked = true;
                    if answer.json()["token"].is_string() {
                        own_key = answer.json()["id"].as_str().unwrap().to_owned();
                    }
                }
                (true, 404 | 409) => assert!(worked, "{why}"),
                _ => panic!("{why}"),
            }
        }
        assert!(worked, "{method} {route}: nobody could do it");
    }
}

#[test]
fn the_matrix_has_every_route() {
    let table = include_str!("../src/http/api/admin.rs");
    let routes = table.lines().filter_map(|line| {
        let (method, rest) = line.trim().strip_prefix("Route(")?.split_once(", \"")?;
        Some((method, rest.split_once('"')?.0))
    });
    let routes: Vec<_> = routes.collect();
    assert!(routes.len() > 20, "the table was not found");
    for (method, path) in routes {
        let known = MATRIX.iter().any(|row| (row.0, row.1) == (method, path));
        assert!(known, "{method} {path} is not in the matrix");
    }
}

#[test]
fn a_request_with_a_name_is_carried_out_once() {
    let bench = bench();
    let operator = rank(&bench, "operator@host.example", &["host"], "operator");
    let gateway = bench.serve();
    let send = |name: &str, path: &str, body: &str| {
        let bearer = format!("Bearer {operator}");
        let fields = [("Authorization", bearer.as_str()), ("Idempotency-Key", name)];
        gateway.ask("POST", &format!("/v1/admin{path}"), &fields, body.as_bytes())
    };
    let first = send("a-1", "/keys", NEW_KEY).json();
    assert!(first["token"].as_str().unwrap().starts_with("hydrant_"), "{first}");
    let again = send("\"a-1\"", "/keys", NEW_KEY).json();
    assert_eq!((&again["id"], &again["replayed"]), (&first["id"], &true.into()));
    assert!(again.get("token").is_none(), "a token is shown once: {again}");
    let other = send("a-1", "/entities", NEW_ENTITY);
    assert_eq!((other.status, other.problem().as_str()), (409, "conflict"));
    assert_ne!(send("a-2", "/keys", NEW_KEY).json()["id"], first["id"]);
    // What was refused was not done, and may be tried again under its name.
    let foreign = send("a-3", "/keys", "{\"mail\":\"member@uni.example\",\"scope\":\"download\"}");
    assert_eq!(foreign.status, 403);
    assert_eq!(send("a-3", "/entities", NEW_ENTITY).status, 201);
    assert_eq!(send(&"x".repeat(256), "/entities", NEW_ENTITY).status, 400);
    bench.set_clock(NOW_MS + DAY_MS + 1);
    assert!(send("a-1", "/keys", NEW_KEY).json()["token"].is_string());
}

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let bench = bench();
    let operator = rank(&bench, "operator@host.example", &["host"], "operator");
    let gateway = bench.serve();
    for (path, body, status, said) in [
        ("/entities", "[]", 400, "the body is not a JSON object"),
        ("/entities", "{\"slug\":\"a\"}", 400, "missing field `name`"),
        ("/entities/uni/suspend", "{\"why\":\"x\"}", 400, "unknown field `why`"),
        ("/entities/uni/suspend", "{\"slug\":\"x\"}", 400, "`slug` is decided by the address"),
        ("/entities/uni/suspend", "{\"operation\":\"x\"}", 400, "`operation` is decided"),
        ("/entities/unni/suspend", REASON, 404, "did you mean `uni`?"),
        ("/entities/uni/resume", "", 409, "already active"),
        ("/keys/one/rotate", "", 400, "key must be a whole number"),
        ("/keys/1/rotate", "{\"overlap\":\"soon\"}", 400, "overlap is \"soon\": a length"),
        (
            "/keys",
            "{\"mail\":\"operator@host.example\",\"scope\":\"operate\"}",
            403,
            "on the machine of the gateway only",
        ),
    ] {
        let answer = ask(&gateway, &operator, "POST", path, body);
        let detail = answer.json()["detail"].to_string().replace("\\\"", "\"");
        assert_eq!(answer.status, status, "{path} {body}: {detail}");
        assert!(detail.contains(said), "{path} {body}: {detail}");
    }
}

#[test]
fn keys_rotate_with_an_overlap_and_sleep_until_they_are_woken() {
    let bench = bench();
    let (day, mail) = ("/v1/usage", "member@uni.example");
    let old = bench.key(mail);
    let gateway = bench.serve();
    let id = |token: &str| {
        let keys = bench.json(&["key", "list", mail]);
        assert_eq!(gateway.get(day, token).status, 200);
        keys.as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned()
    };
    let number = id(&old);
    let new = bench.done(&["key", "rotate", &number, "--overlap", "2d"]).trim().to_owned();
    assert_eq!((gateway.get(day, &old).status, gateway.get(day, &new).status), (200, 200));
    let twice = bench.run(&["key", "rotate", &number]);
    assert!(twice.code == 1 && twice.stderr.contains("has a successor already"), "{twice:?}");
    bench.set_clock(NOW_MS + 2 * DAY_MS);
    assert_eq!((gateway.get(day, &old).status, gateway.get(day, &new).status), (401, 200));

    bench.set_clock(NOW_MS + 300 * DAY_MS);
    let long = bench.done(&["key", "issue", mail, "--expires", "700d"]).trim().to_owned();
    let number = id(&long);
    bench.set_clock(NOW_MS + 666 * DAY_MS);
    let dormant = gateway.get(day, &long);
    assert_eq!((dormant.status, dormant.problem().as_str()), (403, "key-dormant"));
    bench.done(&["key", "reactivate", &number]);
    assert_eq!(gateway.get(day, &long).status, 200);
    let awake = bench.run(&["key", "reactivate", &number]);
    assert!(awake.code == 1 && awake.stderr.contains("only dormant ones"), "{awake:?}");
}

#[test]
fn a_dataset_is_edited_and_retired_and_each_requester_sees_what_they_may() {
    let bench = bench();
    let key = bench.key("member@uni.example");
    let gateway = bench.serve();
    let seen = |key: &str| {
        let bearer = format!("Bearer {key}");
        let fields = [("Authorization", bearer.as_str())];
        let fields = if key.is_empty() { &[][..] } else { &fields[..] };
        let answer = gateway.ask("GET", "/v1/datasets/walks", fields, b"");
        (answer.status == 200).then(|| answer.json()["title"].as_str().unwrap().to_owned())
    };
    let title = Some("Made up".to_owned());
    assert_eq!((seen(""), seen(&key)), (None, title.clone()));
    bench.done(&["dataset", "edit", "walks", "--visibility", "public"]);
    assert_eq!((seen(""), seen(&key)), (title.clone(), title.clone()));
    bench.done(&["dataset", "edit", "walks", "--entity", "second"]);
    assert_eq!((seen(""), seen(&key)), (None, None));
    bench.done(&["dataset", "edit", "walks", "--entity", "uni", "--title", "Walks"]);
    assert_eq!((seen(""), seen(&key)), (None, Some("Walks".into())));
    bench.done(&["dataset", "edit", "walks", "--embargo", "2099-01-01"]);
    assert_eq!(seen(&key), None);
    bench.done(&["dataset", "edit", "walks", "--no-embargo"]);
    assert_eq!(seen(&key), Some("Walks".into()));
    let nobody = bench.run(&["dataset", "edit", "walks"]);
    assert_eq!(nobody.code, 2, "{nobody:?}");
    let all = bench.run(&["dataset", "edit", "walks", "--visibility", "public", "--entity", "uni"]);
    assert!(all.code == 1 && all.stderr.contains("only with the visibility"), "{all:?}");
    bench.done(&["dataset", "retire", "walks"]);
    assert_eq!(seen(&key), None);
    let again = bench.run(&["dataset", "edit", "walks", "--title", "x"]);
    assert!(again.code == 1 && again.stderr.contains("is retired"), "{again:?}");
}
