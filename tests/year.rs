//! A year of a gateway in one story, by its pages, its API and its commands: from the registration
//! of a researcher to the erasure of another one.

mod harness;

use harness::browser::Browser;
use harness::mail::MailServer;
use harness::{Answer, Bench, Gateway, tweets, wait_until};
use serde_json::{Value, json};

/// 1 January 2026, 00:00 UTC.
const START_MS: i64 = 1_767_225_600_000;
const DAY_MS: i64 = 86_400_000;
const IDS: &str = "/v1/datasets/walks/tweet-ids";
/// More than any entity may have without an exemption.
const ALL_IDS: u64 = 1_600_000;

const BEL: &str = "bel@orrin.example";
const COR: &str = "cor@spin.example";

struct Year {
    bench: Bench,
    gateway: Gateway,
    mail: MailServer,
    /// The key of an operator.
    operator: String,
}

impl Year {
    fn begin() -> Year {
        let mail = MailServer::start();
        let mut bench = Bench::with_clock(START_MS);
        bench.set("HYDRANT__MAIL__URL", &mail.url());
        bench.set("HYDRANT__MAIL__FROM", "hydrant <hydrant@example.org>");
        bench.dataset("walks", 1, ALL_IDS);
        let uni = ["entity", "add", "orrin", "--name", "University of Orrin", "--sector"];
        let known_by = ["academic", "--ror", "05dxps055", "--domain", "orrin.example"];
        bench.done(&[&uni[..], &known_by].concat());
        bench.entity("library", "non-profit");
        bench.person("olga@library.example", &["library"]);
        bench.done(&["person", "appoint", "olga@library.example", "--as", "operator"]);
        let issue = ["key", "issue", "olga@library.example", "--scope", "operate"];
        let operator = bench.done(&issue).trim().to_owned();
        let gateway = bench.serve();
        Year { bench, gateway, mail, operator }
    }

    fn day(&self, day: i64) {
        self.bench.set_clock(START_MS + day * DAY_MS);
    }

    /// What the operator is answered over the API.
    #[track_caller]
    fn operate(&self, method: &str, path: &str, body: &Value) -> Value {
        let bearer = format!("Bearer {}", self.operator);
        let fields = [("Authorization", bearer.as_str())];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let path = format!("/v1/admin{path}");
        let answer = self.gateway.ask(method, &path, &fields, body.as_bytes());
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.head, answer.text());
        answer.json()
    }

    fn take(&self, key: &str, ids: u64) -> Answer {
        self.gateway.get(&format!("{IDS}?limit={ids}"), key)
    }

    /// Takes so many IDs, and waits until they are settled.
    #[track_caller]
    fn taken(&self, key: &str, ids: u64) {
        let answer = self.take(key, ids);
        assert_eq!(answer.status, 200, "{}", answer.head);
        assert_eq!(answer.text().lines().count() as u64, ids);
        wait_until("it is settled", || {
            let deliveries = self.bench.json(&["deliveries"]);
            deliveries.as_array().unwrap().iter().all(|row| row["state"] != "running")
        });
    }

    #[track_caller]
    fn refused(&self, key: &str, ids: u64, status: u16, problem: &str) {
        let answer = self.take(key, ids);
        let said = if answer.status == 200 { String::new() } else { answer.problem() };
        assert_eq!((answer.status, said.as_str()), (status, problem), "{}", answer.head);
    }

    fn meter(&self, slug: &str) -> Value {
        tweets(&self.bench.usage(slug))
    }

    /// Registers somebody, who is then put into the university; gives their browser, signed in.
    fn register(&self, name: &str, mail: &str) -> Browser {
        let mut browser = Browser::default();
        browser.get(&self.gateway, "/register");
        let said = [
            ("mail", mail),
            ("name", name),
            ("organisation", "University of Orrin"),
            ("purpose", "a study of harbours"),
        ];
        assert_eq!(browser.send(&self.gateway, "/register", &said).status, 200);
        let link = self.mail.next_link(mail);
        browser.get(&self.gateway, &link);
        assert_eq!(browser.send(&self.gateway, &link, &[]).status, 200);
        let waiting = self.operate("GET", "/registrations", &Value::Null);
        let id = waiting[0]["id"].as_str().unwrap().to_owned();
        let assign = json!({ "slug": "orrin", "role": "member" });
        self.operate("POST", &format!("/registrations/{id}/assign"), &assign);
        assert_eq!(self.mail.next()["to"][0], mail);
        browser.get(&self.gateway, "/sign-in");
        browser.send(&self.gateway, "/sign-in", &[("mail", mail)]);
        browser.sign_in(&self.gateway, &self.mail.next_link(mail));
        browser
    }

    /// Accepts all documents on their page.
    fn accept(&self, browser: &mut Browser) {
        let documents = self.gateway.ask("GET", "/v1/documents", &[], b"").json();
        let named = documents["documents"].as_array().unwrap().iter().map(|row| {
            let (name, version) = (row["document"].as_str(), row["version"].as_str());
            format!("{}@{}", name.unwrap(), version.unwrap())
        });
        let named: Vec<String> = named.collect();
        let ticked: Vec<_> = named.iter().map(|value| ("document", value.as_str())).collect();
        browser.get(&self.gateway, "/documents");
        assert_eq!(browser.send(&self.gateway, "/documents", &ticked).status, 303);
    }

    /// Applies for an exemption on its page, and the operator approves it.
    fn exempt(&self, browser: &mut Browser, until: &str) {
        browser.get(&self.gateway, "/exemptions/apply");
        let said = [
            ("entity", "orrin"),
            ("role", "professor of geography"),
            ("purpose", "a study of harbours"),
            ("until", until),
            ("attest", "yes"),
            ("signed_by", "Bel Corfen"),
        ];
        let answer = browser.send(&self.gateway, "/exemptions/apply", &said);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let all = self.operate("GET", "/exemptions", &Value::Null);
        let waits = |row: &&Value| row["status"] == "applied";
        let id = all.as_array().unwrap().iter().find(waits).unwrap()["id"].clone();
        let path = format!("/exemptions/{}/approve", id.as_str().unwrap());
        self.operate("POST", &path, &json!({ "reason": "letter of the dean" }));
        self.told("approved");
    }

    /// Bel is told something by a letter.
    #[track_caller]
    fn told(&self, what: &str) {
        let letter = self.mail.next();
        assert_eq!(letter["to"][0], BEL);
        assert!(letter["subject"].as_str().unwrap().contains(what), "{letter}");
    }
}

#[test]
fn a_year_goes_by_and_nobody_receives_what_is_not_theirs() {
    let year = Year::begin();

    // January: Bel registers, is let in, accepts, and takes what everybody may.
    let mut bel = year.register("Bel Corfen", BEL);
    let issue = ["key", "issue", BEL, "--expires", "700d"];
    let key = year.bench.done(&issue).trim().to_owned();
    year.refused(&key, 1_000, 403, "acceptance-missing");
    year.accept(&mut bel);
    year.taken(&key, 1_000);
    year.refused(&key, ALL_IDS, 403, "never-fits");

    // An exemption until June: more than 1,500,000 go out, and stand on the meter.
    year.exempt(&mut bel, "2026-06-30");
    year.taken(&key, ALL_IDS);
    let meter = year.meter("orrin");
    assert_eq!((&meter["used"], &meter["basis"]), (&json!(1_601_000), &json!("exemption:1")));
    let table = year.bench.done(&["usage", "orrin"]);
    for word in ["1,601,000", "exemption:1", "twitter-2020-03"] {
        assert!(table.contains(word), "{word}: {table}");
    }

    // June: Bel is reminded.
    year.day(170);
    year.told("ends soon");

    // July: it has expired. A renewal lifts the ceiling again.
    year.day(181);
    year.refused(&key, ALL_IDS, 403, "never-fits");
    let mut bel = Browser::default();
    bel.get(&year.gateway, "/sign-in");
    bel.send(&year.gateway, "/sign-in", &[("mail", BEL)]);
    bel.sign_in(&year.gateway, &year.mail.next_link(BEL));
    // A key to operate with lives for 90 days.
    let issue = ["key", "issue", "olga@library.example", "--scope", "operate"];
    let year = Year { operator: year.bench.done(&issue).trim().to_owned(), ..year };
    year.exempt(&mut bel, "2027-03-31");
    year.taken(&key, ALL_IDS);

    // A second employer of Cor's gets what Cor has received, with both consents.
    let cor = year.bench.person_of("spin", COR);
    let dan = year.bench.person_of("labs", "dan@labs.example");
    year.bench.entity("harbour", "commercial");
    year.taken(&cor, 900_000);
    year.taken(&dan, 800_000);
    year.bench.done(&["person", "join", COR, "--entity", "harbour"]);
    for (side, evidence) in [("person", "form in binder 7"), ("entity", "letter of harbour")] {
        let consent = ["person", "consent", "1", "--for", side];
        let with = year.bench.run(&[&consent[..], &["--evidence", evidence]].concat());
        if with.code != 0 {
            // There is no manager whose consent there could be evidence of.
            year.bench.done(&consent);
        }
    }
    assert_eq!(year.meter("harbour")["used"], 900_000);

    // Two firms become one, which is over its ceiling until enough has aged out.
    let merge = json!({ "reason": "one company" });
    year.operate("POST", "/entities/labs/merge/spin", &merge);
    let meter = year.meter("spin");
    assert_eq!((&meter["used"], &meter["over"]), (&json!(1_700_000), &json!(true)));
    year.refused(&dan, 1, 429, "allowance-used");
    year.day(181 + 31);
    year.taken(&dan, 1);

    // Suspended, nobody of the university receives anything; resumed, they do.
    year.operate("POST", "/entities/orrin/suspend", &json!({ "reason": "asked by the dean" }));
    year.refused(&key, 1, 403, "not-allowed");
    year.operate("POST", "/entities/orrin/resume", &Value::Null);
    year.taken(&key, 1);

    // Cor is erased: the meters stay, the key is void, and nobody finds the address any more.
    let used_before = year.meter("spin")["used"].clone();
    year.bench.done(&["person", "erase", COR, "--reason", "asked by letter"]);
    assert_eq!(year.meter("spin")["used"], used_before);
    year.refused(&cor, 1, 401, "unauthorized");
    assert!(!year.bench.done(&["person", "list"]).contains(COR));

    // A year after its last use Bel's key sleeps until it is woken.
    year.day(181 + 31 + 366);
    year.refused(&key, 1, 403, "key-dormant");
    let keys = year.bench.json(&["key", "list", BEL]);
    year.bench.done(&["key", "reactivate", keys[0]["id"].as_str().unwrap()]);
    year.taken(&key, 1);

    // And the log of it all is whole.
    let log = year.bench.path("log");
    let log = log.to_str().unwrap();
    year.bench.done(&["audit", "checkpoint"]);
    year.bench.done(&["audit", "export", "-o", log]);
    year.bench.done(&["audit", "verify", log]);
}
