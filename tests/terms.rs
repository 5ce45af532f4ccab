//! Under which terms anybody receives, on the real binary: documents, exemptions, written
//! permissions, and the profile in force.

mod harness;

use harness::{Bench, Gateway, tweets, wait_until};
use serde_json::{Value, json};

const IDS: &str = "/v1/datasets/walks/tweet-ids";
/// 24 November 2025, 00:00 UTC.
const NOW_MS: i64 = 1_763_942_400_000;
const DAY_MS: i64 = 86_400_000;

/// A university with Ada, who has accepted everything, and a dataset of 6,000 IDs; an entity may
/// have 2,000 of them.
fn bench() -> (Bench, String) {
    let mut bench = Bench::with_clock(NOW_MS);
    bench.set_ceiling(2_000);
    bench.entity("uni", "academic");
    let key = bench.person("ada@uni.example", &["uni"]);
    bench.dataset("walks", 1, 6_000);
    (bench, key)
}

fn download(gateway: &Gateway, key: &str, ids: u64) -> (u16, usize) {
    let answer = gateway.get(&format!("{IDS}?limit={ids}"), key);
    let lines = if answer.status == 200 { answer.text().lines().count() } else { 0 };
    (answer.status, lines)
}

/// How full the entity is, once nothing is under way.
fn settled(bench: &Bench) -> Value {
    let mut meter = Value::Null;
    wait_until("everything is settled", || {
        meter = tweets(&bench.usage("uni"));
        meter["open"] == 0 && meter["held"] == 0
    });
    meter
}

#[test]
fn a_new_version_of_a_document_asks_everybody_again_on_every_way_to_receive() {
    let (bench, key) = bench();
    let gateway = bench.serve();
    assert_eq!(download(&gateway, &key, 10), (200, 10));
    bench.done(&[
        "document",
        "publish",
        "privacy-policy",
        "--version",
        "2025-12",
        "--url",
        "https://platform.example/privacy",
        "--from",
        "2025-12-01",
    ]);
    let listed = gateway.get("/v1/documents", &key).json();
    assert_eq!(listed["missing"], json!([]));
    assert_eq!(listed["upcoming"][0]["version"], "2025-12");
    assert!(bench.done(&["document", "list"]).contains("To come:"));
    assert_eq!(download(&gateway, &key, 10), (200, 10));
    bench.set_clock(NOW_MS + 7 * DAY_MS);
    let bearer = format!("Bearer {key}");
    let fields = [("Authorization", bearer.as_str())];
    for answer in
        [gateway.get(IDS, &key), gateway.ask("POST", "/v1/strip?ids=tweet", &fields, b"20\n")]
    {
        assert_eq!((answer.status, answer.problem().as_str()), (403, "acceptance-missing"));
        let refused = answer.json();
        assert_eq!(refused["accept"], "/v1/acceptances");
        assert_eq!(refused["missing"][0]["url"], "https://platform.example/privacy");
        assert_eq!(refused["missing"].as_array().unwrap().len(), 1);
    }
    let example = gateway.get(IDS, &key).json()["example"].to_string();
    let accepted = gateway.ask("POST", "/v1/acceptances", &fields, example.as_bytes());
    assert_eq!(accepted.json()["missing"], json!([]));
    assert_eq!(download(&gateway, &key, 10), (200, 10));
    // The version that was in force before cannot be accepted any more.
    let old = br#"{"documents": [{"document": "privacy-policy", "version": "2020-01-01"}]}"#;
    assert_eq!(gateway.ask("POST", "/v1/acceptances", &fields, old).status, 400);
}

#[test]
fn an_exemption_is_applied_for_reminded_of_renewed_and_revoked() {
    let (bench, key) = bench();
    let gateway = bench.serve();
    let apply = |until: &str| {
        let who = ["exemption", "apply", "uni", "--person", "ada@uni.example"];
        let said = ["--role", "professor", "--purpose", "rumours", "--non-commercial"];
        let signed = ["--signed-by", "Ada Example", "--reference", "grant 7", "--until", until];
        bench.json(&[&who[..], &said, &signed].concat())
    };
    let applied = apply("2026-11-23");
    assert_eq!(applied["attestation_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(applied["evidence"]["mail_domain"], "uni.example");
    assert_eq!(bench.json(&["exemption", "list", "--waiting"]).as_array().unwrap().len(), 1);
    assert!(bench.done(&["exemption", "show", "1"]).contains("professor"));
    assert!(bench.done(&["exemption", "text"]).contains("non-commercial research"));
    assert_eq!(download(&gateway, &key, 3_000).0, 403);
    let approve = ["exemption", "approve", "1", "--reason", "letter seen", "--conditions", "none"];
    assert_eq!(bench.json(&approve)["conditions"], "none");
    assert_eq!(download(&gateway, &key, 3_000), (200, 3_000));
    assert_eq!(settled(&bench)["basis"], "exemption:1");
    // Thirty days before the end it is called to mind, and a renewal follows without a gap.
    assert_eq!(bench.json(&["exemption", "show", "1"])["reminder_due"], Value::Null);
    bench.set_clock(NOW_MS + 336 * DAY_MS);
    wait_until("the end is called to mind", || {
        bench.json(&["exemption", "show", "1"])["reminder_due"].is_string()
    });
    let renewal = apply("2027-11-23");
    assert_eq!(renewal["wanted_from"], "2026-11-24T00:00:00Z");
    bench.done(&["exemption", "approve", "2", "--reason", "still the same"]);
    assert_eq!(bench.json(&["exemption", "show", "2"])["standing"], "upcoming");
    let key = bench.key("ada@uni.example");
    for (day, expected) in [(364, "exemption:1"), (365, "exemption:2")] {
        bench.set_clock(NOW_MS + day * DAY_MS);
        assert_eq!(download(&gateway, &key, 3_000), (200, 3_000), "{day}");
        assert_eq!(settled(&bench)["basis"], expected, "{day}");
    }
    bench.done(&["exemption", "revoke", "2", "--reason", "sold on"]);
    let refused = gateway.get(&format!("{IDS}?limit=1"), &key);
    assert_eq!((refused.status, refused.problem().as_str()), (429, "allowance-used"));
    assert_eq!(refused.json()["profile"], "own");
    let usage = bench.done(&["usage", "uni"]);
    for word in ["CEILING", "BASIS", "PROFILE", "own", "RETURNS AT", "30 days and 1 hours"] {
        assert!(usage.contains(word), "{word}: {usage}");
    }
}

#[test]
fn a_permission_raises_the_ceiling_until_its_last_day() {
    let (bench, key) = bench();
    let letter = bench.path("letter.pdf");
    std::fs::write(&letter, "dear university").unwrap();
    let add = |most: &[&str]| {
        let what = ["permission", "add", "uni", "--issuer", "the platform", "--reference", "L-1"];
        let when = ["--issued-on", "2025-11-01", "--from", "2025-11-01", "--until", "2025-12-01"];
        let why = ["--document", letter.to_str().unwrap(), "--reason", "asked for"];
        bench.run(&[&what[..], &when, &why, most, &["--json"]].concat())
    };
    assert_eq!(add(&[]).code, 2, "a ceiling, or that there is none, has to be said");
    assert_eq!(add(&["--ceiling", "9", "--no-ceiling"]).code, 2);
    let gateway = bench.serve();
    assert_eq!(download(&gateway, &key, 2_000), (200, 2_000));
    let entered = add(&["--ceiling", "5000"]);
    assert_eq!(entered.code, 0, "{entered:?}");
    let entered: Value = serde_json::from_str(&entered.stdout).unwrap();
    // printf 'dear university' | sha256sum
    let digest = "99eec6bd7c7ddb8fd5c7eee8724a4abd4b1b63c6c465192d10d287e5d85d41d2";
    assert_eq!(entered["document_sha256"], digest);
    assert_eq!(download(&gateway, &key, 3_000), (200, 3_000));
    let meter = settled(&bench);
    assert_eq!((&meter["basis"], &meter["ceiling"]), (&"permission:1".into(), &5_000.into()));
    assert_eq!(meter["basis_until"], "2025-12-02T00:00:00Z");
    // Both were begun in the same millisecond of the simulated clock, so their order is chance.
    let deliveries = gateway.get("/v1/deliveries", &key).json()["deliveries"].clone();
    let deliveries = deliveries.as_array().unwrap().iter();
    let mut bases: Vec<_> =
        deliveries.map(|one| one["charged_to"][0]["basis"].as_str().unwrap()).collect();
    bases.sort_unstable();
    assert_eq!(bases, ["limit", "permission:1"]);
    assert_eq!(download(&gateway, &key, 1).0, 429);
    assert!(bench.done(&["permission", "list"]).contains("L-1"));
    bench.set_clock(NOW_MS + 8 * DAY_MS);
    let meter = tweets(&bench.usage("uni"));
    assert_eq!((&meter["basis"], &meter["over"]), (&"limit".into(), &true.into()));
    assert_eq!(download(&gateway, &key, 1).0, 429);
    let late = bench.run(&["permission", "revoke", "1", "--reason", "late"]);
    assert!(late.code == 1 && late.stderr.contains("is ended already"), "{late:?}");
}

#[test]
fn a_profile_is_shown_checked_and_switched_only_by_decision() {
    let (mut bench, key) = bench();
    assert_eq!(bench.json(&["policy", "show"])["in_force"], false);
    let gateway = bench.serve();
    assert_eq!(download(&gateway, &key, 1_500), (200, 1_500));
    settled(&bench);
    let shown = bench.json(&["policy", "show"]);
    assert_eq!((&shown["profile"], &shown["in_force"]), (&"own".into(), &true.into()));
    assert_eq!(shown["numbers"]["tweet_ids_max"], 2_000);

    let lower = std::fs::read_to_string(bench.path("own.toml")).unwrap();
    let lower = lower.replace("name = \"own\"", "name = \"lower\"").replace("2000", "1000");
    std::fs::write(bench.path("lower.toml"), &lower).unwrap();
    std::fs::write(bench.path("bad.toml"), lower.replace("1000", "0") + "\nodd = 1\n").unwrap();
    let bad = bench.run(&["policy", "check", "./bad.toml"]);
    assert!(bad.code == 1 && bad.stderr.contains("2 mistakes"), "{bad:?}");
    assert!(bench.run(&["policy", "check", "./lower.toml"]).stderr.contains("`lower` is right"));

    let preview = bench.json(&["policy", "switch", "./lower.toml", "--dry-run"]);
    let over = &preview["over"][0];
    assert_eq!((&over["entity"], &over["excess"]), (&"uni".into(), &500.into()));
    assert_eq!(over["until"], "2025-12-24T01:01:00Z");
    let table = bench.done(&["policy", "switch", "./lower.toml", "--dry-run"]);
    assert!(table.contains("tweet_ids_max") && table.contains("uni"), "{table}");
    let switch = ["policy", "switch", "./lower.toml", "--reason", "a new policy"];
    let running = bench.run(&switch);
    assert!(running.code == 1 && running.stderr.contains("a gateway runs"), "{running:?}");
    assert_eq!(bench.run(&["policy", "switch", "./lower.toml"]).code, 2, "a reason is needed");
    assert_eq!(gateway.stop(), 0);

    // Other settings alone change nothing: the gateway does not start.
    bench.set("HYDRANT__POLICY__PROFILE", "./lower.toml");
    let refused = bench.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("hydrant policy switch"), "{refused:?}");
    assert_eq!(tweets(&bench.usage("uni"))["ceiling"], 2_000, "commands go by what is in force");
    bench.done(&switch);
    let gateway = bench.serve();
    let refused = gateway.get(&format!("{IDS}?limit=1"), &key);
    assert_eq!((refused.status, &refused.json()["profile"]), (429, &"lower".into()));
    assert_eq!(bench.json(&["policy", "show"])["reason"], "a new policy");
    assert_eq!(bench.usage("uni")["profile"], "lower");
}

#[test]
fn by_the_later_profile_an_exemption_lifts_what_the_platform_permits() {
    let mut bench = Bench::with_clock(NOW_MS);
    bench.set("HYDRANT__POLICY__PROFILE", "x-2025-10");
    bench.entity("uni", "academic");
    bench.person("ada@uni.example", &["uni"]);
    let who = ["exemption", "apply", "uni", "--person", "ada@uni.example", "--role", "professor"];
    let said = ["--purpose", "rumours", "--non-commercial", "--signed-by", "Ada", "--until"];
    let apply = [&who[..], &said, &["2026-06-30"]].concat();
    let vague = bench.run(&apply);
    assert!(vague.code == 1 && vague.stderr.contains("--ceiling"), "{vague:?}");
    bench.done(&[&apply[..], &["--ceiling", "4000000"]].concat());
    bench.done(&["exemption", "approve", "1", "--reason", "letter seen", "--ceiling", "3000000"]);
    assert_eq!(tweets(&bench.usage("uni"))["basis"], "limit");
    let letter = bench.path("letter.pdf");
    std::fs::write(&letter, "dear university").unwrap();
    let what = ["permission", "add", "uni", "--issuer", "the platform", "--reference", "L-1"];
    let when = ["--issued-on", "2025-11-01", "--from", "2025-11-01", "--until", "2025-12-01"];
    let why = ["--document", letter.to_str().unwrap(), "--reason", "approved"];
    bench.done(&[&what[..], &when, &why, &["--no-ceiling", "--exemption", "1"]].concat());
    let meter = tweets(&bench.usage("uni"));
    assert_eq!((&meter["basis"], &meter["ceiling"]), (&"exemption:1".into(), &3_000_000.into()));
}
