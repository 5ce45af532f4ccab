//! Files of full objects, from the form to the last byte: the real binary and a browser's session.

mod harness;

use std::io::Read;

use harness::asker::{Asker, HOUR_MS, NOW_MS, bench, ids_in, prepare, signed_in, unzipped};
use harness::browser::Browser;
use harness::{Answer, Bench, tweet_ids, wait_until};
use serde_json::{Value, json};

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

#[test]
fn nothing_is_made_without_removals_of_late_where_that_is_asked() {
    let mut bench = bench(30, 100);
    bench.set("HYDRANT__EXPORT__COMPLIANCE_AGE_HOURS", "24");
    let gateway = bench.serve();
    let mut ada = Asker::new(&bench, &gateway);
    let export = ada.select(&[]);
    let path = format!("/exports/files/{}/make", ada.makeable(&export)[0]);
    let refused = ada.browser.send(&gateway, &path, &[]);
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.text().contains("Removals were never"), "it says of what: {}", refused.text());

    let list = bench.path("gone.txt");
    std::fs::write(&list, format!("{}\n", tweet_ids(9, 1).next().unwrap())).unwrap();
    let list = list.to_str().unwrap();
    bench.done(&["removal", "import", list, "--kind", "tweet", "--reason", "deleted"]);
    let file = ada.make(&export);
    let fetched = ada.fetch(&file);
    assert_eq!(ids_in(&fetched.body).len(), 30);
    let cover = unzipped(&fetched.body, "cover.txt");
    assert!(cover.contains("2027-01-15"), "the cover dates the last import: {cover}");

    bench.set_clock(NOW_MS + 25 * HOUR_MS);
    let mut later = Asker::new(&bench, &gateway);
    let export = later.select(&[]);
    let path = format!("/exports/files/{}/make", later.makeable(&export)[0]);
    assert_eq!(later.browser.send(&gateway, &path, &[]).status, 409, "a day is over");
}

#[test]
fn progress_is_told_to_whoever_asked_until_nothing_is_made_any_more() {
    let bench = bench(20_000, 20_000);
    bench.person("bo@acme.example", &["acme"]);
    let gateway = bench.serve();
    let mut ada = Asker::new(&bench, &gateway);
    let export = ada.select(&[("format", "xlsx")]);
    let file = ada.begin(&export);
    let events = format!("{export}/events");
    let told = ada.browser.get(&gateway, &events);
    assert_eq!(told.field("content-type"), Some("text/event-stream"));
    // Chunks of the answer begin with lines of their own.
    let said = |what| told.text().lines().filter_map(move |line| line.strip_prefix(what));
    let data = said("data: ").map(|data| serde_json::from_str::<Value>(data).unwrap());
    let told: Vec<(&str, Value)> = said("event: ").zip(data).collect();
    let (last, before) = told.split_last().unwrap();
    assert_eq!(last, &("end", json!({})));
    let looked_up: Vec<u64> =
        before.iter().map(|(_, data)| data["looked_up"].as_u64().unwrap()).collect();
    assert!(looked_up.is_sorted() && looked_up.iter().all(|count| *count <= 20_000));
    for (kind, data) in before {
        assert_eq!((*kind, &data["file"]), ("progress", &json!(file)));
    }
    assert_eq!(ada.form(&file)[1].1, "20000", "it is made by then");
    let mut bo = signed_in(&bench, &gateway, "bo@acme.example");
    assert_eq!(bo.get(&gateway, &events).status, 404, "it is nobody else's");
}

#[test]
fn reviewers_get_no_objects() {
    let bench = bench(30, 100);
    let gateway = bench.serve();
    for method in ["GET", "POST"] {
        let refused = gateway.ask(method, "/s/any-link-at-all/exports", &[], b"");
        assert_eq!(refused.status, 403);
        assert!(refused.text().contains("objects-by-hand"), "{}", refused.text());
    }
}
