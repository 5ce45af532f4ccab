//! Removals with the real binary: lists come into force while downloads run, and not one removed
//! ID goes out afterwards; judged by the bytes that clients received.

mod harness;

use std::io::Read;
use std::process::Command;

use harness::browser::Browser;
use harness::database::Database;
use harness::mail::MailServer;
use harness::upstream::{Upstream, answers};
use harness::{Bench, Gateway, id_text, tweet_ids, wait_until};
use serde_json::{Value, json};

const IDS: &str = "/v1/datasets/walks/tweet-ids";
const COUNT: u64 = 50_000;

/// A bench with one entity, a key of its person, and a dataset of made-up Tweet IDs.
fn walks(mut bench: Bench, count: u64) -> (Bench, String) {
    bench.set("HYDRANT__SERVER__IDLE_SECONDS_MAX", "60");
    bench.entity("acme", "commercial");
    let key = bench.person("ada@acme.example", &["acme"]);
    bench.dataset("walks", 1, count);
    (bench, key)
}

/// The ID of that ordinal of the dataset.
fn id(ordinal: u64) -> u64 {
    tweet_ids(1, ordinal + 1).last().unwrap()
}

/// Writes a list of the IDs of these ordinals.
fn list(bench: &Bench, name: &str, ordinals: impl IntoIterator<Item = u64>) -> String {
    let text: String = ordinals.into_iter().map(|ordinal| format!("{}\n", id(ordinal))).collect();
    write(bench, name, &text)
}

fn write(bench: &Bench, name: &str, text: &str) -> String {
    let path = bench.path(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn remove(bench: &Bench, list: &str) -> Value {
    bench.json(&["removal", "import", list, "--kind", "tweet", "--reason", "they asked"])
}

/// The text of the dataset without these ordinals.
fn text_without(count: u64, gone: impl Fn(u64) -> bool) -> String {
    let lines = (0..).zip(tweet_ids(1, count)).filter(|(ordinal, _)| !gone(*ordinal));
    lines.map(|(_, id)| format!("{id}\n")).collect()
}

/// Runs a program that downloads to its end and gives its exit code.
fn download(program: &str, arguments: &[&str], file: &str, key: &str, url: &str) -> i32 {
    let field = format!("Authorization: Bearer {key}");
    let mut command = Command::new(program);
    match program {
        "curl" => command.args(["-sS", "-f", "-H", &field, "-o", file]),
        _ => command.args(["-q", "--header", &field, "-O", file]),
    };
    let status = command.args(arguments).arg(url).status().unwrap();
    status.code().unwrap_or(-1)
}

#[test]
fn two_halves_under_two_views_are_never_glued_and_the_way_on_is_named() {
    let (bench, key) = walks(Bench::new(), COUNT);
    let gateway = bench.serve();
    let gone = |ordinal: u64| ordinal % 100 == 3;
    let before = text_without(COUNT, |_| false);
    let after = text_without(COUNT, gone);
    // The half ends in the middle of a line.
    let half = gateway.get_with(IDS, &key, &[("Range", "bytes=0-499989")]);
    let old_tag = half.field("etag").unwrap().to_owned();
    assert_eq!(half.status, 206);
    let answer = remove(&bench, &list(&bench, "gone.txt", (0..COUNT).filter(|n| gone(*n))));
    assert_eq!(answer["effect"]["lines_removed"], COUNT / 100);
    let url = gateway.url(IDS);
    for (program, arguments) in [("curl", &["-C", "-"][..]), ("wget", &["-c", "--tries=1"])] {
        let file = bench.path(program);
        std::fs::write(&file, &half.body).unwrap();
        let code = download(program, arguments, file.to_str().unwrap(), &key, &url);
        assert_ne!(code, 0, "{program} is told");
        assert_eq!(std::fs::read(&file).unwrap(), half.body, "{program} keeps what it has");
    }
    let refused = gateway.get_with(IDS, &key, &[("Range", "bytes=499990-")]);
    assert_eq!((refused.status, refused.problem()), (412, "view-changed".to_owned()));
    let told = refused.json();
    let offset = told["offset"].as_u64().unwrap();
    let keep = told["keep_bytes"].as_u64().unwrap() as usize;
    assert_eq!((offset, keep), (499_990 / 20, 499_980), "offsets are the same in every view");
    let rest = gateway.get(told["continue"].as_str().unwrap(), &key);
    assert_eq!(rest.status, 200);
    let whole = [&half.body[..keep], &rest.body].concat();
    let expected = text_without(COUNT, |ordinal| ordinal >= offset && gone(ordinal));
    assert!(whole == expected.as_bytes(), "the old view up to there, the new one from there on");
    assert!(whole.starts_with(&before.as_bytes()[..keep]));
    // A validator of the old view gets the whole new one; its digest is nobody's.
    let fields = [("Range", "bytes=499990-"), ("If-Range", old_tag.as_str())];
    let fresh = gateway.get_with(IDS, &key, &fields);
    assert_eq!((fresh.status, fresh.field("repr-digest")), (200, None));
    assert!(fresh.body == after.as_bytes());
    assert_eq!(fresh.field("content-length"), Some(after.len().to_string().as_str()));
    assert_ne!(fresh.field("etag"), Some(old_tag.as_str()));
    // Every range of the new view is exact, and who has its beginning goes on.
    for (from, to) in [(0, 0), (1, 80), (59, 61), (60, 60), (499_990, 700_000)] {
        let range = format!("bytes={from}-{to}");
        let part = gateway.get_with(IDS, &key, &[("Range", &range)]);
        assert_eq!(part.status, 206, "{range}: {}", part.text());
        assert!(part.body == after.as_bytes()[from..=to], "{range}");
    }
    let file = bench.path("resumed");
    std::fs::write(&file, &after.as_bytes()[..600_000]).unwrap();
    assert_eq!(download("curl", &["-C", "-"], file.to_str().unwrap(), &key, &url), 0);
    assert!(std::fs::read(&file).unwrap() == after.as_bytes());
}

#[test]
fn only_what_goes_out_is_charged_and_parts_by_ordinal_are_the_same_in_every_view() {
    let (bench, key) = walks(Bench::new(), 1_000);
    let gateway = bench.serve();
    remove(&bench, &list(&bench, "gone.txt", [0, 1, 500, 501, 502, 999]));
    let charged = || {
        let meter = harness::tweets(&bench.usage("acme"));
        meter["used"].as_u64().unwrap() + meter["open"].as_u64().unwrap()
    };
    for (query, ids) in [("", 994), ("?offset=0&limit=2", 0), ("?offset=498&limit=10", 7)] {
        let before = charged();
        let answer = gateway.get(&format!("{IDS}{query}"), &key);
        assert_eq!((answer.status, answer.text().lines().count()), (200, ids), "{query}");
        assert_eq!(charged() - before, ids as u64, "{query}");
    }
    let shown = gateway.get("/v1/datasets/walks", &key).json();
    let column = &shown["release"]["columns"]["tweet-ids"];
    assert_eq!((&column["ids"], &column["removed"]), (&json!(994), &json!(6)));
}

/// Begins a download, removes the ID of `gone` through `importer` while it is under way, and
/// reads on to the end: the answer breaks off, and the ID is not in it.
fn removed_on_the_way(gateway: &Gateway, importer: &Bench, key: &str, count: u64, gone: u64) {
    let bearer = format!("Bearer {key}");
    let mut stream = gateway.send("GET", IDS, &[("Authorization", &bearer)], b"");
    let mut received = vec![0; 64 * 1024];
    stream.read_exact(&mut received).unwrap();
    remove(importer, &list(importer, &format!("gone-{gone}.txt"), [gone]));
    // The connection breaks visibly, by its end or by a reset.
    let _ = stream.read_to_end(&mut received);
    let text = String::from_utf8_lossy(&received);
    assert!(!text.contains(&id(gone).to_string()), "a removed ID went out after the commit");
    assert!((received.len() as u64) < count * 20, "the answer ends before its length");
    // The next download is of the new view, at once and whole.
    let next = gateway.get(&format!("{IDS}?offset={}&limit=3", gone - 1), key);
    assert_eq!(next.text(), format!("{}\n{}\n", id(gone - 1), id(gone + 1)));
}

#[test]
fn a_download_under_way_ends_visibly_and_sends_nothing_removed() {
    let (bench, key) = walks(Bench::new(), 400_000);
    let gateway = bench.serve();
    removed_on_the_way(&gateway, &bench, &key, 400_000, 399_000);
    let mut newest = Value::Null;
    wait_until("the delivery has ended", || {
        newest = gateway.get("/v1/deliveries?limit=5", &key).json()["deliveries"][1].clone();
        newest["state"] == "broken"
    });
    let reason = newest["reason"].as_str().unwrap();
    assert!(reason.contains("left out"), "{reason}");
}

#[test]
fn an_exempt_download_in_large_chunks_ends_as_well() {
    let bench = Bench::new();
    bench.entity("uni", "academic");
    let key = bench.person("ada@uni.example", &["uni"]);
    bench.exempt("uni", "ada@uni.example", &harness::day_after_days(30));
    let count = 4_000_000;
    bench.dataset("walks", 1, count);
    let gateway = bench.serve();
    removed_on_the_way(&gateway, &bench, &key, count, count - 1_000);
}

#[test]
fn several_gateways_of_one_database_have_the_new_view_at_the_commit() {
    let database = Database::fresh();
    let (first, key) = walks(Bench::on(&database.url()), 300_000);
    let second = first.beside("two");
    let (one, two) = (first.serve(), second.serve());
    removed_on_the_way(&two, &first, &key, 300_000, 299_000);
    removed_on_the_way(&one, &second, &key, 300_000, 298_000);
    for gateway in [&one, &two] {
        let answer = gateway.get(&format!("{IDS}?offset=297999&limit=1003"), &key);
        assert_eq!(answer.text().lines().count(), 1_001);
    }
}

#[test]
fn an_import_is_done_once_and_reverted_as_a_whole() {
    let (bench, key) = walks(Bench::new(), 1_000);
    let gateway = bench.serve();
    let tag = |gateway: &Gateway| {
        let head = gateway.ask("HEAD", IDS, &[("Authorization", &format!("Bearer {key}"))], b"");
        head.field("etag").unwrap().to_owned()
    };
    let untouched = tag(&gateway);
    let first = list(&bench, "one.txt", 10..20);
    let told = ["removal", "import", &first, "--kind", "tweet", "--reason", "r", "--dry-run"];
    assert_eq!(bench.json(&told)["effect"]["lines_removed"], 10);
    assert_eq!(tag(&gateway), untouched, "a dry run does nothing");
    let done = remove(&bench, &first);
    assert_eq!(done["state"], "in-force");
    let removed = tag(&gateway);
    let again = remove(&bench, &first);
    assert_eq!((&again["repeated"], &again["id"]), (&json!(true), &done["id"]));
    assert_eq!(tag(&gateway), removed, "the same list once more changes nothing");
    let second = remove(&bench, &list(&bench, "two.txt", 15..25));
    assert_eq!(second["effect"]["lines_removed"], 5);
    let number = done["id"].as_str().unwrap();
    let reverted = bench.json(&["removal", "revert", number, "--reason", "a mistake"]);
    assert_eq!(reverted["effect"]["lines_restored"], 5, "what the other list says stays gone");
    let text = gateway.get(IDS, &key);
    assert!(text.body == text_without(1_000, |n| (15..25).contains(&n)).as_bytes());
    let twice = bench.run(&["removal", "revert", number, "--reason", "again"]);
    assert_eq!(twice.code, 1);
    assert!(twice.stderr.contains("is reverted already"), "{}", twice.stderr);
    let listed = bench.json(&["removal", "list"]);
    let states: Vec<_> = listed.as_array().unwrap().iter().map(|row| &row["state"]).collect();
    assert_eq!(states, ["in-force", "reverted"]);
    bench.done(&["removal", "revert", second["id"].as_str().unwrap(), "--reason", "all back"]);
    assert_eq!(tag(&gateway), untouched, "the same bytes have the same tag");
    assert!(gateway.get(IDS, &key).body == id_text(1, 1_000).as_bytes());
}

#[test]
fn the_newest_event_counts_whichever_list_comes_first() {
    let notice = |word: &str, ordinal: u64, at: u64| {
        format!(
            "{{\"{word}\":{{\"status\":{{\"id_str\":\"{}\"}},\"timestamp_ms\":\"{at}\"}}}}\n",
            id(ordinal)
        )
    };
    let early = notice("drop", 5, 1_000) + &notice("undrop", 6, 1_000);
    let late = notice("undrop", 5, 2_000) + &notice("drop", 6, 2_000);
    for lists in [[&early, &late], [&late, &early]] {
        let (bench, key) = walks(Bench::new(), 10);
        for (number, text) in lists.iter().enumerate() {
            let path = write(&bench, &format!("{number}.jsonl"), text);
            bench.done(&["removal", "import", &path, "--reason", "a stream"]);
        }
        let gateway = bench.serve();
        assert_eq!(gateway.get(IDS, &key).text(), text_without(10, |n| n == 6));
    }
}

/// Full Tweets, of which the author of ordinal n is 1000 + n % 10.
fn full_tweets(count: u64) -> String {
    let line = |(n, id): (u64, u64)| {
        let user = 1_000 + n % 10;
        format!(
            "{{\"id\":{id},\"id_str\":\"{id}\",\"text\":\"made up\",\
             \"user\":{{\"id\":{user},\"id_str\":\"{user}\"}}}}\n"
        )
    };
    (0..).zip(tweet_ids(1, count)).map(line).collect()
}

#[test]
fn a_removed_user_takes_their_tweets_along_where_the_release_knows_authors() {
    let (bench, key) = walks(Bench::new(), 200);
    let full = write(&bench, "full.jsonl", &full_tweets(200));
    let add = ["dataset", "add", "people", &full, "--title", "P", "--ids", "tweet,user"];
    // The same Tweets in another order, so that it is another release.
    let turned: String = full_tweets(200).lines().rev().map(|line| format!("{line}\n")).collect();
    write(&bench, "full.jsonl", &turned);
    bench.done(&[&add[..], &["--visibility", "signed-in"]].concat());
    let gateway = bench.serve();
    let notices = "{\"user_suspend\":{\"id\":1003,\"timestamp_ms\":\"5\"}}\n\
                   {\"user_protect\":{\"id\":1004,\"timestamp_ms\":\"5\"}}\n";
    let notices = write(&bench, "users.jsonl", notices);
    let ended = bench.run(&["removal", "import", &notices, "--reason", "the platform says so"]);
    assert_eq!(ended.code, 3, "a dataset that users do not reach is no clean end: {ended:?}");
    assert!(ended.stderr.contains("WARNING: walks:"), "{}", ended.stderr);
    assert!(ended.stderr.contains("hydrant dataset refresh"), "{}", ended.stderr);
    let of = |path: &str| gateway.get(path, &key).text().lines().count();
    assert_eq!(of("/v1/datasets/people/tweet-ids"), 160);
    assert_eq!(of("/v1/datasets/people/user-ids"), 160, "their own IDs go as well");
    assert_eq!(of(IDS), 200, "nobody knows who wrote these");
    // From sources that tell, the same release learns its authors and takes the removal on.
    let full = write(&bench, "full.jsonl", &full_tweets(200));
    bench.done(&["dataset", "refresh", "walks", &full]);
    let gone = |n: u64| n % 10 == 3 || n % 10 == 4;
    assert_eq!(gateway.get(IDS, &key).text(), text_without(200, gone));
    // One of the two comes back, and a Tweet of theirs that went for itself does not.
    let more = format!(
        "{{\"user_unprotect\":{{\"id\":1004,\"timestamp_ms\":\"6\"}}}}\n\
         {{\"delete\":{{\"status\":{{\"id_str\":\"{}\"}},\"timestamp_ms\":\"6\"}}}}\n",
        id(14)
    );
    let more = write(&bench, "more.jsonl", &more);
    bench.done(&["removal", "import", &more, "--reason", "news"]);
    assert_eq!(gateway.get(IDS, &key).text(), text_without(200, |n| n % 10 == 3 || n == 14));
}

#[test]
fn damaged_lines_are_told_with_their_places_and_the_rest_is_in_force() {
    let (bench, key) = walks(Bench::new(), 10);
    let text = format!(
        "\n{{\"id\":\"{}\",\"action\":\"delete\",\"reason\":\"deleted\"}}\nnonsense\n\
         {{\"id\":\"{}\",\"action\":\"delete\",\"redacted_at\":\"2020-07-29T17:02:47.000Z\",\
         \"reason\":\"protected\"}}\n\
         {{\"id\":\"9\",\"action\":\"delete\",\"reason\":\"scrub_geo\"}}\n",
        id(1),
        id(2)
    );
    let path = write(&bench, "job.json", &text);
    let arguments = ["removal", "import", &path, "--kind", "tweet", "--reason", "a job"];
    let ended = bench.run(&[&arguments[..], &["--json"]].concat());
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("job.json, line 3, byte "), "{}", ended.stderr);
    let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
    let list = &answer["list"];
    assert_eq!((&list["damaged"], &list["scrub_geo"]), (&json!(1), &json!(1)));
    let undeclared = bench.run(&["removal", "import", &path, "--reason", "a job"]);
    assert_eq!(undeclared.code, 1);
    assert!(undeclared.stderr.contains("--kind"), "{}", undeclared.stderr);
    let gateway = bench.serve();
    assert_eq!(gateway.get(IDS, &key).text(), text_without(10, |n| n == 1 || n == 2));
}

#[test]
fn whoever_holds_removed_lines_is_listed_gets_a_letter_and_reads_which_they_are() {
    let mail = MailServer::start();
    let (mut bench, key) = walks(Bench::new(), 100);
    bench.set("HYDRANT__MAIL__URL", &mail.url());
    bench.set("HYDRANT__MAIL__FROM", "hydrant@example.org");
    let other = bench.person("bel@acme.example", &["acme"]);
    let gateway = bench.serve();
    remove(&bench, &list(&bench, "first.txt", [3]));
    // Ada has the lines 10 to 89 of the view without ordinal 3, Bel the first five.
    assert_eq!(gateway.get(&format!("{IDS}?offset=10&limit=80"), &key).status, 200);
    assert_eq!(gateway.get(&format!("{IDS}?limit=6"), &other).text().lines().count(), 5);
    wait_until("everything is sent", || harness::tweets(&bench.usage("acme"))["open"] == 0);
    remove(&bench, &list(&bench, "second.txt", [4, 5, 20, 21, 95]));
    let mut letters = [mail.next(), mail.next()];
    letters.sort_by_key(|letter| letter["to"][0].as_str().unwrap().to_owned());
    for (letter, to) in letters.iter().zip(["ada@acme.example", "bel@acme.example"]) {
        assert_eq!(letter["to"][0], to);
        let text = letter["text"].as_str().unwrap();
        assert!(text.contains("walks (Tweet IDs): 2 lines"), "{text}");
        assert!(!text.contains(&id(20).to_string()[..10]), "no ID goes by mail");
    }
    let feed = gateway.get("/v1/removals", &key).json();
    let [entry] = &feed["removals"].as_array().unwrap()[..] else { panic!("{feed}") };
    assert_eq!(entry["dataset"], "walks");
    assert_eq!(entry["removed"], json!([[20, 21]]));
    assert_eq!(entry["deliveries"][0]["lines"], json!([[11, 12]]));
    let of_bel = gateway.get("/v1/removals?since=1", &other).json();
    assert_eq!(of_bel["removals"][0]["removed"], json!([[4, 5]]));
    let lines = &of_bel["removals"][0]["deliveries"][0]["lines"];
    assert_eq!(*lines, json!([[4, 5]]), "the third line was left out then");
    let nothing_new = format!("/v1/removals?since={}", feed["until"]);
    assert_eq!(gateway.get(&nothing_new, &key).json()["removals"], json!([]));
    assert_eq!(gateway.get("/v1/removals?since=-1", &key).status, 400);
    let holders = bench.json(&["removal", "holders"]);
    let mut rows: Vec<_> = holders["holders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["person"].as_str().unwrap(), row["lines"].as_u64().unwrap()))
        .collect();
    rows.sort_unstable();
    assert_eq!(rows, [("ada@acme.example", 2), ("bel@acme.example", 2)]);
    // Nobody is told twice.
    bench.done(&["removal", "list"]);
    assert!(mail.is_idle());
    let invited = bench.json(&["person", "invite", "ada@acme.example"]);
    let mut browser = Browser::default();
    browser.sign_in(&gateway, invited["path"].as_str().unwrap());
    let page = browser.get(&gateway, "/account").text().to_owned();
    assert!(page.contains("What you should delete") && page.contains("/v1/removals"), "{page}");
}

#[test]
fn bodies_and_streams_leave_out_what_is_removed_and_count_it() {
    let (bench, key) = walks(Bench::new(), 10);
    let upstream = Upstream::start();
    bench.settings(&upstream.settings("far"));
    let add = ["dataset", "add", "far", "--mode", "stream", "--upstream", "far", "--title", "Far"];
    bench.done(&add);
    let tweets = full_tweets(40);
    upstream.becomes(answers("ETag: \"one\"\r\n", &tweets));
    let gateway = bench.serve();
    let gone = |n: u64| n % 10 == 7 || n == 5;
    let text = format!("{}\n{{\"user_delete\":{{\"id\":1007}}}}\n", id(5));
    let path = write(&bench, "gone.jsonl", &text);
    let ended = bench.run(&["removal", "import", &path, "--kind", "tweet", "--reason", "r"]);
    assert_eq!(ended.code, 3, "the list of IDs knows no authors");
    let bearer = format!("Bearer {key}");
    let fields = [("Authorization", bearer.as_str())];
    let stripped = gateway.ask("POST", "/v1/strip?ids=tweet", &fields, tweets.as_bytes());
    assert_eq!(stripped.status, 200, "{}", stripped.text());
    assert_eq!(stripped.text(), text_without(40, gone));
    let delivery = stripped.field("hydrant-delivery").unwrap().to_owned();
    let mut shown = Value::Null;
    wait_until("the delivery has ended", || {
        shown = gateway.get(&format!("/v1/deliveries/{delivery}"), &key).json();
        shown["state"] == "complete"
    });
    assert_eq!(shown["report"]["ids"]["tweet"]["suppressed"], 5);
    let streamed = gateway.get("/v1/datasets/far/tweet-ids", &key);
    let body = streamed.text().to_owned();
    for n in 0..40 {
        assert_eq!(body.contains(&id(n).to_string()), !gone(n), "ordinal {n}");
    }
    // What comes after an offset counts without what was removed then: it is not mixed.
    let first = list(&bench, "more.txt", [0]);
    bench.run(&["removal", "import", &first, "--kind", "tweet", "--reason", "r"]);
    let resumed = gateway.get("/v1/datasets/far/tweet-ids?offset=3", &key);
    assert_eq!((resumed.status, resumed.problem()), (412, "view-changed".to_owned()));
    // The command strips by a list alone.
    let full = write(&bench, "full.jsonl", &tweets);
    let strip = bench.done(&["strip", &full, "--removals", &path]);
    assert_eq!(strip, text_without(40, gone));
}

#[test]
fn whoever_is_killed_during_an_import_leaves_the_state_before_it_or_after_it() {
    let (bench, key) = walks(Bench::new(), COUNT);
    let gone = |n: u64| n.is_multiple_of(2);
    let path = list(&bench, "gone.txt", (0..COUNT).filter(|n| gone(*n)));
    let (whole, without) = (text_without(COUNT, |_| false), text_without(COUNT, gone));
    let mut kills_before = 0;
    for wait_ms in [5, 50, 100, 150, 200, 250, 300, 350] {
        let arguments = ["removal", "import", &path, "--kind", "tweet", "--reason", "r"];
        let mut import = bench.command(&arguments);
        import.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut import = import.spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait_ms));
        import.kill().unwrap();
        import.wait().unwrap();
        let gateway = bench.serve();
        let text = gateway.get(IDS, &key);
        let imports = bench.json(&["removal", "list"]);
        let in_force = imports.as_array().unwrap().iter().any(|row| row["state"] == "in-force");
        let expected = if in_force { &without } else { &whole };
        assert!(text.body == expected.as_bytes(), "after {wait_ms} ms");
        kills_before += usize::from(!in_force);
        assert_eq!(gateway.stop(), 0);
    }
    assert!(kills_before > 0, "at least one kill came before the commit");
    let gateway = bench.serve();
    remove(&bench, &path);
    assert!(gateway.get(IDS, &key).body == without.as_bytes(), "what was left behind is no harm");
}

#[test]
fn operators_import_by_http_and_the_log_commits_to_the_list() {
    let (bench, key) = walks(Bench::new(), 10);
    bench.person("olga@host.example", &["acme"]);
    bench.done(&["person", "appoint", "olga@host.example", "--as", "operator"]);
    let operator = bench.done(&["key", "issue", "olga@host.example", "--scope", "operate"]);
    let gateway = bench.serve();
    let bearer = format!("Bearer {}", operator.trim());
    let ask = |method: &str, path: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        gateway.ask(method, path, &[("Authorization", &bearer)], body.as_bytes())
    };
    let lines = format!("{}\n{}\n", id(1), id(2));
    let body = json!({ "lines": lines, "kind": "tweet", "reason": "they asked" });
    let done = ask("POST", "/v1/admin/removals", body);
    assert_eq!(done.status, 200, "{}", done.text());
    let number = done.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(gateway.get(IDS, &key).text(), text_without(10, |n| n == 1 || n == 2));
    // A file of the machine is nobody's from outside.
    let sneaky = json!({ "removal": "import-file", "path": "/etc/passwd" });
    assert_eq!(ask("POST", "/v1/admin/removals", sneaky).status, 400);
    let revert = format!("/v1/admin/removals/{number}/revert");
    assert_eq!(ask("POST", &revert, json!({ "reason": "a mistake" })).status, 200);
    assert_eq!(gateway.get(IDS, &key).text(), text_without(10, |_| false));
    assert_eq!(ask("GET", "/v1/admin/removals", Value::Null).json()[0]["state"], "reverted");
    assert_eq!(gateway.stop(), 0);
    let log = bench.path("log");
    bench.done(&["audit", "export", "-o", log.to_str().unwrap()]);
    let mut text = String::new();
    let mut folders = vec![log];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => text += &String::from_utf8_lossy(&std::fs::read(path).unwrap()),
            }
        }
    }
    for expected in ["removals-imported", "removals-reverted", "\"events\":2"] {
        assert!(text.contains(expected), "{expected}");
    }
    assert!(!text.contains(&id(1).to_string()), "no removed ID stands in the log");
    assert!(!text.contains("they asked"), "nor the words of a reason");
}
