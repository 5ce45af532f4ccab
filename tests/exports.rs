//! Files of full objects, from the form to the last byte: the real binary, a browser's session, and
//! made-up tweets of which each has a text.

mod harness;

use std::io::{Cursor, Read};

use harness::browser::Browser;
use harness::{Answer, Bench, Gateway, made_at, tweet_ids, wait_until};
use serde_json::{Value, json};

/// 2027-01-15.
const NOW_MS: i64 = 1_800_000_000_000;
const HOUR_MS: i64 = 3_600_000;

/// A text that no packer makes much shorter.
fn noise(n: u64) -> String {
    let mixed = |k: u64| (n * 31 + k + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (n << 17);
    (0..12).map(|k| format!("{:016x}", mixed(k).wrapping_mul(0xBF58_476D_1CE4_E5B9))).collect()
}

/// The made-up tweets of a series as v1.1 JSON lines: of each the author is the place in it.
fn tweets(series: u64, count: u64) -> String {
    let line = |(n, id): (u64, u64)| {
        let user = 1_000 + n;
        let tweet = json!({
            "created_at": made_at(id),
            "id": id,
            "id_str": id.to_string(),
            "full_text": format!("=made up, number {n} 🐟 {}", noise(n)),
            "truncated": false,
            "lang": "en",
            "user": {
                "id": user,
                "id_str": user.to_string(),
                "name": format!("Somebody {n}"),
                "screen_name": format!("made_up_{n}"),
            },
        });
        format!("{tweet}\n")
    };
    (0..).zip(tweet_ids(series, count)).map(line).collect()
}

/// A gateway's folder with the dataset `birds` of so many full tweets, a profile with so many
/// objects a day, and Ada, who belongs to a company.
fn bench(count: u64, objects_per_person_max: u64) -> Bench {
    let mut bench = Bench::with_clock(NOW_MS);
    prepare(&mut bench, count, objects_per_person_max);
    bench
}

fn prepare(bench: &mut Bench, count: u64, objects_per_person_max: u64) {
    let built_in = include_str!("../schema/profiles/twitter-2020-03.toml");
    let lines = built_in.lines().map(|line| match line.split(' ').next() {
        Some("name") => "name = \"own\"".to_owned(),
        Some("objects_per_person_max") => {
            format!("objects_per_person_max = {objects_per_person_max}")
        }
        _ => line.to_owned(),
    });
    let path = bench.path("own.toml");
    std::fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
    bench.set("HYDRANT__POLICY__PROFILE", path.to_str().unwrap());
    let source = bench.path("birds.jsonl");
    std::fs::write(&source, tweets(1, count)).unwrap();
    let source = source.to_str().unwrap();
    let add = ["dataset", "add", "birds", source, "--title", "Birds", "--ids", "tweet"];
    bench.done(&[&add[..], &["--visibility", "signed-in"]].concat());
    bench.person_of("acme", "ada@acme.example");
}

fn signed_in(bench: &Bench, gateway: &Gateway, mail: &str) -> Browser {
    let mut browser = Browser::default();
    let invited = bench.json(&["person", "invite", mail]);
    browser.sign_in(gateway, invited["path"].as_str().unwrap());
    browser
}

/// Somebody with a browser who wants files.
struct Asker<'a> {
    gateway: &'a Gateway,
    browser: Browser,
}

impl Asker<'_> {
    fn new<'a>(bench: &Bench, gateway: &'a Gateway) -> Asker<'a> {
        Asker { gateway, browser: signed_in(bench, gateway, "ada@acme.example") }
    }

    /// Selects something; the address of the export that comes of it.
    #[track_caller]
    fn select(&mut self, fields: &[(&str, &str)]) -> String {
        let shown = self.browser.get(self.gateway, "/exports/new?dataset=birds");
        assert_eq!(shown.status, 200, "{}", shown.text());
        let usual = [("dataset", "birds"), ("kind", "tweet"), ("format", "csv"), ("part", "all")];
        let said = |name: &str| fields.iter().any(|(said, _)| *said == name);
        let usual = usual.into_iter().filter(|(name, _)| !said(name));
        let fields: Vec<_> = usual.chain(fields.iter().copied()).collect();
        let answer = self.browser.send(self.gateway, "/exports", &fields);
        assert_eq!(answer.status, 303, "{}", answer.text());
        answer.field("location").unwrap().to_owned()
    }

    /// The page of an export.
    fn page(&mut self, export: &str) -> String {
        let answer = self.browser.get(self.gateway, export);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text().to_owned()
    }

    /// The numbers of the files that the page of an export can have made, in its order.
    fn makeable(&mut self, export: &str) -> Vec<String> {
        let page = self.page(export);
        let parts = page.split("action=\"/exports/files/").skip(1);
        let of_form = parts.filter_map(|part| part.split_once("/make\"").map(|(id, _)| id));
        of_form.filter(|id| !id.contains('"')).map(str::to_owned).collect()
    }

    /// Has the first file made that can be, and waits until it is; its number.
    #[track_caller]
    fn make(&mut self, export: &str) -> String {
        let file = self.begin(export);
        wait_until("the file is made", || !self.page(export).contains("is made</h2>"));
        file
    }

    /// Has the first file made that can be; its number.
    #[track_caller]
    fn begin(&mut self, export: &str) -> String {
        let file = self.makeable(export).first().expect("a file can be made").clone();
        let answer = self.browser.send(self.gateway, &format!("/exports/files/{file}/make"), &[]);
        assert_eq!(answer.status, 303, "{}", answer.text());
        // One that is made again has another number.
        let under_way = self.page(export);
        let forms = under_way.split("action=\"/exports/files/").skip(1);
        let given_up = forms.filter_map(|form| form.split_once("/cancel\"")?.0.parse().ok());
        given_up.max().map_or(file, |id: u64| id.to_string())
    }

    /// The fields of the form that fetches a file.
    #[track_caller]
    fn form(&mut self, file: &str) -> Vec<(String, String)> {
        let shown = self.browser.get(self.gateway, &format!("/exports/files/{file}"));
        assert_eq!(shown.status, 200, "{}", shown.text());
        let value = |name: &str| {
            let from = format!("name=\"{name}\" value=\"");
            let rest = shown.text().split(&from).nth(1).unwrap_or_else(|| panic!("no {name}"));
            (name.to_owned(), rest.split('"').next().unwrap().to_owned())
        };
        vec![value("once"), value("objects")]
    }

    fn send(&mut self, file: &str, form: &[(String, String)]) -> Answer {
        let fields: Vec<_> = form.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        self.browser.send(self.gateway, &format!("/exports/files/{file}"), &fields)
    }

    /// Confirms a file and fetches it.
    fn fetch(&mut self, file: &str) -> Answer {
        let form = self.form(file);
        self.send(file, &form)
    }

    /// What is left of the allowance, as the page tells it.
    fn left(&mut self) -> u64 {
        let page = self.page("/exports");
        let text = page.split("there is room for <strong>").nth(1).unwrap();
        text.split('<').next().unwrap().replace(',', "").parse().unwrap()
    }
}

/// The text of one file in a zip.
fn unzipped(zip: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// The IDs in the table of Tweets in a zip.
fn ids_in(zip: &[u8]) -> Vec<u64> {
    let text = unzipped(zip, "tweets.csv");
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    reader.records().map(|record| record.unwrap()[0].parse().unwrap()).collect()
}

fn deliveries(bench: &Bench) -> Vec<Value> {
    bench.json(&["deliveries"]).as_array().unwrap().clone()
}

#[test]
fn a_file_is_selected_made_confirmed_charged_and_fetched_again_for_nothing() {
    let bench = bench(30, 20);
    let key = bench.key("ada@acme.example");
    let gateway = bench.serve();
    let mut ada = Asker::new(&bench, &gateway);
    assert!(ada.page("/datasets/birds").contains("/exports/new?dataset=birds"));
    let export = ada.select(&[]);
    // 30 do not fit today: two files, of which the second waits for the first.
    let page = ada.page(&export);
    for text in ["1 of 2", "2 of 2", "2027-01-15", "2027-01-16", "tweet_id", "permalink"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert_eq!(ada.makeable(&export).len(), 1);
    assert_eq!(ada.left(), 20);
    let file = ada.make(&export);
    assert_eq!(ada.left(), 20, "making counts nothing");

    let answer = ada.fetch(&file);
    assert_eq!(answer.status, 200, "{}", answer.head);
    assert_eq!(answer.field("content-type"), Some("application/zip"));
    let name = "attachment; filename=\"birds-export-1-1.zip\"";
    assert_eq!(answer.field("content-disposition"), Some(name));
    assert_eq!(answer.field("cache-control"), Some("private, no-store"));
    let expected: Vec<u64> = tweet_ids(1, 20).collect();
    assert_eq!(ids_in(&answer.body), expected);
    assert!(unzipped(&answer.body, "tweets.csv").contains("made up, number 7 🐟"));
    let cover = unzipped(&answer.body, "cover.txt");
    for text in ["Birds", "ada@acme.example", "acme", "own"] {
        assert!(cover.contains(text), "{text}: {cover}");
    }
    let delivery = answer.field("hydrant-delivery").unwrap().to_owned();
    wait_until("it is settled", || deliveries(&bench)[0]["state"] == "complete");
    let row = &deliveries(&bench)[0];
    let told = (&row["delivery"], &row["ids"], &row["charged"], &row["dataset"]);
    assert_eq!(told, (&json!(delivery), &json!("object"), &json!(20), &json!("birds")));
    assert_eq!(row["charged_to"][0]["person"], "ada@acme.example");
    assert_eq!(harness::tweets(&bench.usage("acme"))["used"], 0, "no ID is charged");
    let receipt = bench.done(&["audit", "receipt", &delivery]);
    assert!(receipt.contains("c2sp.org/tlog-proof"), "{receipt}");

    // A second time, for nothing; and neither by the old form nor by a changed count.
    assert_eq!(ada.left(), 0);
    let form = ada.form(&file);
    assert_eq!(ada.send(&file, &form).body, answer.body);
    assert_eq!(ada.left(), 0);
    assert_eq!(ada.send(&file, &form).status, 409);
    let mut other = ada.form(&file);
    other[1].1 = "19".into();
    assert_eq!(ada.send(&file, &other).status, 409);

    // Nobody gets it with a key, or without a form, or as somebody else.
    for path in [&*export, "/exports", "/exports/new?dataset=birds", "/v1/exports"] {
        let refused = gateway.get(path, &key);
        assert_eq!((refused.status, &*refused.problem()), (403, "objects-by-hand"), "{path}");
    }
    let path = format!("/exports/files/{file}");
    let bearer = format!("Bearer {key}");
    let session = ada.browser.session().unwrap().to_owned();
    let cookie = format!("hydrant-session={session}");
    let fields = [("Authorization", bearer.as_str()), ("Cookie", cookie.as_str())];
    assert_eq!(gateway.ask("POST", &path, &fields, b"").status, 403);
    assert_eq!(gateway.ask("GET", &path, &[], b"").status, 303, "who is nobody signs in first");
    bench.done(&["person", "add", "bo@acme.example", "--name", "Bo", "--entity", "acme"]);
    let mut bo = signed_in(&bench, &gateway, "bo@acme.example");
    assert_eq!(bo.get(&gateway, &path).status, 404);
    assert_eq!(bo.get(&gateway, &export).status, 404);
}

#[test]
fn one_object_more_is_refused_across_sessions_and_midnight() {
    let bench = bench(30, 20);
    let gateway = bench.serve();
    let mut ada = Asker::new(&bench, &gateway);
    let export = ada.select(&[]);
    let first = ada.make(&export);
    assert_eq!(ada.fetch(&first).status, 200);
    wait_until("it is settled", || deliveries(&bench)[0]["state"] == "complete");
    // The next calendar day, in another session, and even 24 hours later.
    bench.set_clock(NOW_MS + 24 * HOUR_MS);
    let mut again = Asker::new(&bench, &gateway);
    let ids = tweet_ids(1, 30).nth(29).unwrap().to_string();
    let one_more = again.select(&[("part", "listed"), ("ids", &ids)]);
    let file = again.make(&one_more);
    let refused = again.fetch(&file);
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert!(refused.text().contains("there is room for 0 more now"), "{}", refused.text());
    assert_eq!(refused.field("retry-after"), Some("3660"));
    bench.set_clock(NOW_MS + 25 * HOUR_MS + 60_000);
    let answer = again.fetch(&file);
    assert_eq!((answer.status, ids_in(&answer.body).len()), (200, 1));
    // The rest of the first export is made by hand, when its day has come.
    let second = again.make(&export);
    let rest = again.fetch(&second);
    assert_eq!(ids_in(&rest.body), tweet_ids(1, 30).skip(20).collect::<Vec<_>>());
}

#[test]
fn what_a_removal_hits_is_never_served_again() {
    let bench = bench(30, 100);
    let gateway = bench.serve();
    let mut ada = Asker::new(&bench, &gateway);
    let export = ada.select(&[]);
    let file = ada.make(&export);
    let form = ada.form(&file);
    // By the author of the eighth.
    let list = bench.path("gone.txt");
    std::fs::write(&list, "1007\n").unwrap();
    let list = list.to_str().unwrap();
    bench.done(&["removal", "import", list, "--kind", "user", "--reason", "deleted"]);
    let refused = ada.send(&file, &form);
    assert_eq!(refused.status, 410, "{}", refused.text());
    assert!(deliveries(&bench).is_empty(), "nothing is charged");
    let kept = |ending: &str| {
        let names = std::fs::read_dir(bench.data().join("exports")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(ending)).count()
    };
    wait_until("its bytes are gone", || kept(".file") == 0 && kept(".ids") == 0);
    let page = ada.page(&export);
    assert!(page.contains("withdrawn") && page.contains("Make again"), "{page}");

    let again = ada.make(&export);
    let answer = ada.fetch(&again);
    let expected: Vec<u64> =
        (0..).zip(tweet_ids(1, 30)).filter(|(n, _)| *n != 7).map(|(_, id)| id).collect();
    assert_eq!(ids_in(&answer.body), expected);
    assert!(unzipped(&answer.body, "cover.txt").contains("must no longer be distributed"));
    // A list that hits nothing in it takes nothing away.
    std::fs::write(list, format!("{}\n", tweet_ids(9, 1).next().unwrap())).unwrap();
    bench.done(&["removal", "import", list, "--kind", "tweet", "--reason", "deleted"]);
    assert_eq!(ada.fetch(&again).status, 200);
}

#[test]
fn a_file_that_is_given_up_or_kept_long_enough_is_gone() {
    let bench = bench(30, 100);
    let gateway = bench.serve();
    let mut ada = Asker::new(&bench, &gateway);
    let export = ada.select(&[("part", "sample"), ("sample", "5")]);
    let file = ada.make(&export);
    let cancelled = ada.browser.send(&gateway, &format!("/exports/files/{file}/cancel"), &[]);
    assert_eq!(cancelled.status, 303);
    assert!(ada.page(&export).contains("given up"));
    let path = format!("/exports/files/{file}");
    assert_eq!(ada.browser.get(&gateway, &path).status, 303, "there is nothing to confirm");
    let again = ada.make(&export);
    let path = format!("/exports/files/{again}");
    bench.set_clock(NOW_MS + 72 * HOUR_MS);
    // The session is over by then.
    let mut later = Asker::new(&bench, &gateway);
    assert_eq!(later.browser.get(&gateway, &path).status, 303, "it was kept for 72 hours");
    later.page("/exports");
    let refused = later.send(&again, &[]);
    assert_eq!(refused.status, 410, "{}", refused.text());
}

/// The address and body of the request that fetches a file, for a connection that is read slowly.
fn request(ada: &mut Asker<'_>, file: &str) -> (String, Vec<(&'static str, String)>, String) {
    let form = ada.form(file);
    let mut body = format!("form={}", ada.browser.token);
    for (name, value) in &form {
        body += &format!("&{name}={value}");
    }
    let cookies: Vec<String> =
        ada.browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let fields = vec![
        ("Cookie", cookies.join("; ")),
        ("Origin", ada.gateway.url("")),
        ("Content-Type", "application/x-www-form-urlencoded".to_owned()),
    ];
    (format!("/exports/files/{file}"), fields, body)
}

/// Begins to fetch a file, and reads its head and a little more.
fn begin_to_fetch(ada: &mut Asker<'_>, file: &str) -> (std::net::TcpStream, Vec<u8>, u64) {
    let (path, fields, body) = request(ada, file);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut stream = ada.gateway.send("POST", &path, &fields, body.as_bytes());
    let mut begun = vec![0; 4_096];
    stream.read_exact(&mut begun).unwrap();
    let head = String::from_utf8_lossy(&begun).into_owned();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let length = head.to_lowercase();
    let length = length.split("content-length: ").nth(1).unwrap().split('\r').next().unwrap();
    (stream, begun, length.parse().unwrap())
}

#[test]
fn a_removal_breaks_a_download_off_that_is_under_way() {
    let bench = bench(20_000, 50_000);
    let gateway = bench.serve();
    let mut ada = Asker::new(&bench, &gateway);
    let export = ada.select(&[]);
    let file = ada.make(&export);
    let (mut stream, mut received, length) = begin_to_fetch(&mut ada, &file);
    let list = bench.path("gone.txt");
    std::fs::write(&list, format!("{}\n", tweet_ids(1, 20_000).last().unwrap())).unwrap();
    let list = list.to_str().unwrap();
    bench.done(&["removal", "import", list, "--kind", "tweet", "--reason", "deleted"]);
    // It ends visibly, with less than was announced.
    let _ = stream.read_to_end(&mut received);
    let body = Answer::parse(&received).body;
    assert!((body.len() as u64) < length, "{} of {length}", body.len());
    wait_until("it is told why", || deliveries(&bench)[0]["state"] == "broken");
    let row = &deliveries(&bench)[0];
    assert!(row["reason"].as_str().unwrap().contains("removed"), "{row}");
    assert_eq!(row["charged"], 20_000, "what went out counts");
    assert!(ada.page(&export).contains("withdrawn"));
    let again = ada.make(&export);
    let answer = ada.fetch(&again);
    assert_eq!(ids_in(&answer.body).len(), 19_999);
}

#[test]
fn a_gateway_that_is_killed_loses_nothing_and_charges_nothing_twice() {
    let bench = bench(20_000, 20_000);
    let mut gateway = bench.serve();
    let mut file = String::new();
    let mut browser = Browser::default();
    let mut export = String::new();
    // In the middle of making it, wherever that is.
    for round in 0..4 {
        let mut ada = match round {
            0 => Asker::new(&bench, &gateway),
            _ => Asker { gateway: &gateway, browser },
        };
        if round == 0 {
            export = ada.select(&[]);
            file = ada.begin(&export);
        }
        let state = || bench.json(&["export", "show", "1"])["files"][0]["state"].clone();
        wait_until("it is begun", || state() != "asked");
        browser = ada.browser;
        gateway.kill_now();
        gateway.wait();
        gateway = bench.serve();
    }
    let mut ada = Asker { gateway: &gateway, browser };
    wait_until("the file is made", || !ada.page(&export).contains("is made</h2>"));
    let kept = || std::fs::read_dir(bench.data().join("exports")).unwrap().count();
    wait_until("the file and the list of what is in it are all that is kept", || kept() == 2);
    // In the middle of sending it.
    let (stream, _, length) = begin_to_fetch(&mut ada, &file);
    let browser = ada.browser;
    gateway.kill_now();
    gateway.wait();
    drop(stream);
    let gateway = bench.serve();
    let mut ada = Asker { gateway: &gateway, browser };
    assert_eq!(ada.left(), 0, "what may have arrived is charged");
    let row = &deliveries(&bench)[0];
    assert_eq!((&row["state"], &row["charged"]), (&json!("broken"), &json!(20_000)));
    let answer = ada.fetch(&file);
    assert_eq!((answer.status, answer.body.len() as u64), (200, length));
    assert_eq!(ids_in(&answer.body), tweet_ids(1, 20_000).collect::<Vec<_>>());
    assert_eq!(ada.left(), 0);
}

#[test]
fn gateways_on_one_database_make_and_hand_out_one_file() {
    let database = harness::database::Database::fresh();
    let mut one = Bench::on(&database.url());
    prepare(&mut one, 3_000, 3_000);
    let mut two = one.beside("two");
    let folder = one.path("exports");
    one.set("HYDRANT__EXPORT__FOLDER", folder.to_str().unwrap());
    two.set("HYDRANT__EXPORT__FOLDER", folder.to_str().unwrap());
    let gateways = [one.serve(), two.serve()];
    let mut ada = Asker::new(&one, &gateways[0]);
    let export = ada.select(&[]);
    let file = ada.make(&export);
    let answer = ada.fetch(&file);
    assert_eq!(ids_in(&answer.body).len(), 3_000);
    // The other one knows the session, the file and that it is charged.
    let mut there = Asker { gateway: &gateways[1], browser: ada.browser.clone() };
    assert_eq!(there.fetch(&file).body, answer.body);
    wait_until("both are settled", || {
        deliveries(&one).iter().all(|row| row["state"] == "complete")
    });
    assert_eq!(there.left(), 0);
    // A removal that the one imports is in force at the other.
    let list = one.path("gone.txt");
    std::fs::write(&list, "1007\n").unwrap();
    let list = list.to_str().unwrap();
    one.done(&["removal", "import", list, "--kind", "user", "--reason", "deleted"]);
    let path = format!("/exports/files/{file}");
    let refused = there.browser.get(&gateways[1], &path).status;
    assert!(refused == 200 || refused == 303);
    if refused == 200 {
        assert_eq!(there.fetch(&file).status, 410);
    }
    wait_until("it is withdrawn", || there.page(&export).contains("withdrawn"));
}

#[test]
fn every_format_and_users_can_be_had() {
    let bench = bench(30, 1_000);
    let gateway = bench.serve();
    let mut ada = Asker::new(&bench, &gateway);
    for (format, media_type, begins) in [
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "PK"),
        ("pdf", "application/pdf", "%PDF-"),
        ("csv", "application/zip", "PK"),
    ] {
        let export = ada.select(&[("format", format)]);
        let file = ada.make(&export);
        let answer = ada.fetch(&file);
        assert_eq!(answer.status, 200, "{format}: {}", answer.head);
        assert_eq!(answer.field("content-type"), Some(media_type));
        assert!(answer.body.starts_with(begins.as_bytes()), "{format}");
    }
    let export = ada.select(&[("kind", "user"), ("part", "sample"), ("sample", "7")]);
    let file = ada.make(&export);
    let users = unzipped(&ada.fetch(&file).body, "users.csv");
    assert_eq!(users.lines().count(), 1 + 7, "{users}");
    assert!(users.contains("made_up_"), "{users}");
    // What a Tweet has to have is looked for in its record.
    let export = ada.select(&[("author", "made_up_7")]);
    let file = ada.make(&export);
    let expected: Vec<u64> = tweet_ids(1, 30).skip(7).take(1).collect();
    assert_eq!(ids_in(&ada.fetch(&file).body), expected);
}

#[test]
fn a_list_is_uploaded_within_its_bounds() {
    let mut bench = bench(30, 1_000);
    bench.set("HYDRANT__EXPORT__UPLOAD_BYTES_MAX", "200000");
    let gateway = bench.serve();
    let mut ada = Asker::new(&bench, &gateway);
    let upload = |ada: &mut Asker<'_>, list: &str| {
        ada.page("/exports/new?dataset=birds");
        let token = ada.browser.token.clone();
        let mut body = String::new();
        for (name, value) in [
            ("form", token.as_str()),
            ("dataset", "birds"),
            ("kind", "tweet"),
            ("format", "csv"),
            ("part", "listed"),
        ] {
            body += "--line\r\nContent-Disposition: form-data; name=";
            body += &format!("\"{name}\"\r\n\r\n{value}\r\n");
        }
        body += "--line\r\nContent-Disposition: form-data; name=\"file\"; filename=\"l.csv\"";
        body += &format!("\r\nContent-Type: text/csv\r\n\r\n{list}\r\n--line--\r\n");
        let kind = ("Content-Type", "multipart/form-data; boundary=line");
        let origin = gateway.url("");
        let fields = [kind, ("Origin", origin.as_str())];
        ada.browser.ask(&gateway, "POST", "/exports", &fields, &body)
    };
    // A table with a heading, 5 IDs of the dataset, and several thousand others.
    let of_it = tweet_ids(1, 30).step_by(6);
    let rows = of_it.clone().chain(tweet_ids(9, 6_000)).map(|id| format!("\"{id}\",x\n"));
    let list = format!("tweet_id,text\n{}", rows.collect::<String>());
    assert!(list.len() > 64 * 1024, "more than other forms may have");
    let answer = upload(&mut ada, &list);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let export = answer.field("location").unwrap().to_owned();
    let file = ada.make(&export);
    let fetched = ada.fetch(&file);
    assert_eq!(ids_in(&fetched.body), of_it.collect::<Vec<_>>());
    let wrong = upload(&mut ada, "tweet_id\n20\nnone\n");
    let said = "Line 3 of the list is `none`";
    assert!(wrong.status == 400 && wrong.text().contains(said), "{}", wrong.text());
    assert_eq!(upload(&mut ada, &"1234567890\n".repeat(20_000)).status, 413);
}
