//! Nothing that a reviewer's browser ever receives tells of the maker of a blind link: everything
//! that is anybody's is planted with a mark, and every byte is searched for it.

mod harness;

use harness::review::{FORM, HTML, page_of, terms};
use harness::{Answer, Bench, Gateway, id_text};

const NOW_MS: i64 = 1_800_000_000_000;
const DAY_MS: i64 = 86_400_000;

/// All that a reviewer's browser ever receives, byte for byte.
#[derive(Default)]
struct Received(Vec<(String, Answer)>);

impl Received {
    fn ask(
        &mut self,
        gateway: &Gateway,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) -> &Answer {
        let host = [("Host", "review.example")];
        let answer = gateway.ask(method, path, &[&host, fields].concat(), body.as_bytes());
        self.0.push((format!("{method} {path} {fields:?}"), answer));
        &self.0.last().unwrap().1
    }

    /// As a browser, and as a program.
    fn both(&mut self, gateway: &Gateway, method: &str, path: &str, more: &[(&str, &str)]) {
        self.ask(gateway, method, path, more, "");
        self.ask(gateway, method, path, &[&[HTML], more].concat(), "");
    }

    #[track_caller]
    fn assert_without(&self, canaries: &[String]) {
        for (asked, answer) in &self.0 {
            let all = format!("{}\n{}", answer.head, String::from_utf8_lossy(&answer.body));
            let all = all.to_lowercase();
            for canary in canaries {
                let canary = canary.to_lowercase();
                let is_found = match canary.as_str() {
                    PLANTED => words(&all).any(|word| word.contains(PLANTED)),
                    canary => all.contains(canary),
                };
                assert!(!is_found, "{canary} in the answer to {asked}:\n{all}");
            }
        }
    }
}

/// What everything that is anybody's begins with.
const PLANTED: &str = "zq";

/// Secrets are longer than any word that is planted, and may hold its sign by chance: one in
/// thirty runs failed by that.
const WORD_BYTES_MAX: usize = 30;

fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_between = |sign: char| !(sign.is_ascii_alphanumeric() || "_-".contains(sign));
    text.split(is_between).filter(|word| word.len() <= WORD_BYTES_MAX)
}

/// A link under a neutral host, and everything that is anybody's begins with `zq`.
struct Planted {
    bench: Bench,
    canaries: Vec<String>,
    release: String,
}

fn planted() -> Planted {
    let mut bench = Bench::with_clock(NOW_MS);
    bench.set("HYDRANT__SERVER__PUBLIC_URL", "https://data.zqlibrary.example");
    bench.set("HYDRANT__SHARE__PUBLIC_URL", "https://review.example");
    bench.set("HYDRANT__SERVER__CONTACT", "zqhelp desk");
    let add = ["entity", "add", "zqslug", "--name", "Zqniversity", "--sector", "academic"];
    bench.done(&[&add[..], &["--ror", "0demnrs73", "--alias", "Zqalias"]].concat());
    let add = ["person", "add", "zqmail@zqhost.example", "--name", "Zqfirst Zqlast"];
    bench.done(&[&add[..], &["--entity", "zqslug", "--role", "manager"]].concat());
    let who = "zqmail@zqhost.example";
    bench.done(&["person", "accept", who, "--documents", "all", "--evidence", "zqpaper"]);
    let apply = ["exemption", "apply", "zqslug", "--person", who, "--purpose", "Zqproject title"];
    let signed = ["--role", "zqrole, ORCID 0000-0002-1825-0097", "--non-commercial"];
    let more = ["--signed-by", "Zqfirst Zqlast", "--until", "2027-12-31"];
    bench.done(&[&apply[..], &signed, &more].concat());
    bench.done(&["exemption", "approve", "1", "--reason", "zqreason"]);
    // Operators may publish documents at an address of their own.
    let own = ["document", "publish", "privacy-policy", "--version", "2027-01-02"];
    bench.done(&[&own[..], &["--url", "https://zqlibrary.example/privacy"]].concat());
    std::fs::create_dir(bench.path("zqfolder")).unwrap();
    let list = bench.path("zqfolder/zqfile.txt");
    std::fs::write(&list, id_text(1, 30_000)).unwrap();
    let add = ["dataset", "add", "zqdataset", list.to_str().unwrap(), "--title", "Zqtitle"];
    bench.done(&[&add[..], &["--ids", "tweet", "--visibility", "signed-in"]].concat());
    let dataset = bench.json(&["dataset", "show", "zqdataset"]);
    let release = dataset["releases"][0]["id"].as_str().unwrap().to_owned();
    let digest = {
        use base64::Engine;
        use sha2::Digest;
        let digest = sha2::Sha256::digest(id_text(1, 30_000));
        [hex::encode(digest), base64::prelude::BASE64_STANDARD.encode(digest)]
    };
    let canaries = [PLANTED, "0000-0002-1825-0097", "2027-01-15", "Set-Cookie", "Hydrant-"];
    let folder = bench.path("").to_str().unwrap().trim_end_matches('/').to_owned();
    let mut canaries: Vec<String> = canaries.iter().map(|canary| (*canary).to_owned()).collect();
    canaries.extend(digest.into_iter().chain([release.clone(), folder, "127.0.0.1".into()]));
    Planted { bench, canaries, release }
}

#[test]
fn nothing_that_a_reviewer_receives_tells_of_the_maker() {
    let Planted { bench, canaries, release } = planted();
    std::fs::write(bench.path("zqphrase"), "zqphrase of words\n").unwrap();
    let create = ["share", "create", "zqdataset", "--person", "zqmail@zqhost.example"];
    let phrase = bench.path("zqphrase");
    let more = ["--label", "zqlabel", "--note", "zqnote", "--passphrase-file"];
    let share = bench.json(&[&create[..], &more, &[phrase.to_str().unwrap()]].concat());
    let url = share["url"].as_str().unwrap();
    assert_eq!(url, format!("https://review.example{}", page_of(&share)));
    let page = page_of(&share);
    let post = format!("{page}/downloads");
    let gateway = bench.serve();
    let mut received = Received::default();

    // The page, as whoever may open it: also with a session and a key of the gateway's.
    received.both(&gateway, "GET", &page, &[]);
    received.both(&gateway, "HEAD", &page, &[]);
    let session = ("Cookie", "hydrant-session=zzz; __Host-hydrant=zzz");
    received.both(&gateway, "GET", &page, &[session, ("Authorization", "Bearer hydrant_zzz")]);
    let shown = received.ask(&gateway, "GET", &page, &[HTML], "");
    assert_eq!(shown.status, 200);
    assert!(shown.text().contains("30,000 Tweet IDs"), "{}", shown.text());
    assert_eq!(shown.field("referrer-policy"), Some("no-referrer"));
    assert_eq!(shown.field("cache-control"), Some("private, no-store"));
    assert!(shown.field("x-robots-tag").unwrap().contains("noindex"));
    let policy = shown.field("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let style = shown.text().split("href=\"/s/style/").nth(1).unwrap().split('"').next().unwrap();
    let (style, said) = (format!("/s/style/{style}"), terms(shown));
    assert_eq!(said.matches("accept=").count(), 4);
    assert_eq!(received.ask(&gateway, "GET", &style, &[], "").status, 200);

    // Everything that may go wrong.
    let right = format!("{said}passphrase=zqphrase+of+words");
    let mut waited_ms = 0;
    for (body, status) in [
        ("", 403),
        (said.as_str(), 403),
        ("passphrase=wrong+words+here", 403),
        ("passphrase=zqphrase+of+words", 403),
    ] {
        for more in [&[FORM][..], &[FORM, HTML]] {
            // Whoever guesses often waits: that is a test of its own.
            waited_ms += 120_000;
            bench.set_clock(NOW_MS + waited_ms);
            assert_eq!(received.ask(&gateway, "POST", &post, more, body).status, status, "{body}");
        }
    }
    bench.set_clock(NOW_MS + DAY_MS);
    received.both(&gateway, "POST", &post, &[]);
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/s/"),
        ("GET", "/v1/datasets"),
        ("GET", "/v1/datasets/zqnone"),
        ("GET", "/problems"),
        ("GET", "/sign-in"),
        ("GET", "/style/x.css"),
        ("GET", "/s/style/x.css"),
        ("GET", "/s/nothing"),
        ("GET", "/s/nothing/at/all"),
        ("GET", "/s/downloads/nothing"),
        ("PUT", &page),
        ("GET", &post),
        ("DELETE", &post),
        ("POST", "/s/downloads/nothing"),
        ("GET", "/s/%00"),
        ("GET", "/s/..%2f..%2f"),
        ("GET", "/s/x?key=1"),
    ] {
        received.both(&gateway, method, path, &[]);
        assert!((400..500).contains(&received.0.last().unwrap().1.status), "{method} {path}");
    }

    // The download, in every way.
    let answer = received.ask(&gateway, "POST", &post, &[FORM], &right);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let file = answer.field("location").unwrap().to_owned();
    assert!(!file.contains(share["token"].as_str().unwrap()), "who has the file has not the link");
    received.both(&gateway, "HEAD", &file, &[]);
    let whole = received.ask(&gateway, "GET", &file, &[], "");
    assert!(whole.status == 200 && whole.text() == id_text(1, 30_000), "{}", whole.head);
    let file_name = "attachment; filename=\"tweet-ids.txt\"";
    assert_eq!(whole.field("content-disposition"), Some(file_name));
    let tag = whole.field("etag").unwrap().to_owned();
    for (fields, status) in [
        (&[("Range", "bytes=0-19")][..], 206),
        (&[("Range", "bytes=20-39")], 206),
        (&[("Range", "bytes=20-39"), ("If-Range", &tag)], 206),
        (&[("Range", "bytes=9999999-")], 416),
        (&[("If-None-Match", &tag)], 304),
        (&[("If-Match", "\"other\"")], 412),
    ] {
        assert_eq!(received.ask(&gateway, "GET", &file, fields, "").status, status, "{fields:?}");
    }

    // The end.
    bench.done(&["share", "revoke", share["id"].as_str().unwrap()]);
    for (method, path) in [("GET", &page), ("POST", &post), ("GET", &file), ("HEAD", &file)] {
        received.both(&gateway, method, path, &[]);
        assert_eq!(received.0.last().unwrap().1.status, 410, "{method} {path}");
    }
    received.assert_without(&canaries);

    // The same search finds what a link shows that is not blind.
    let named = bench.json(&[&create[..], &["--label", "l", "--named"]].concat());
    let mut named_received = Received::default();
    named_received.both(&gateway, "GET", &page_of(&named), &[]);
    let text = named_received.0[0].1.text().to_owned();
    for name in ["Zqfirst Zqlast", "Zqniversity", "Zqtitle"] {
        assert!(text.contains(name), "{name} is not in {text}");
    }
    assert!(!text.contains(&release) && !text.contains("zqdataset") && !text.contains("zqmail"));
    // Under the gateway's own name there is no link, so nobody can try there whose it is.
    let own = gateway.ask("GET", &page_of(&named), &[("Host", "data.zqlibrary.example")], b"");
    assert_eq!(own.status, 404);
    // Two links of the same IDs have nothing in common that can be compared.
    let other = bench.json(&[&create[..], &["--label", "l"]].concat());
    let page = page_of(&other);
    let said = terms(received.ask(&gateway, "GET", &page, &[], ""));
    let post = format!("{page}/downloads");
    let file = received.ask(&gateway, "POST", &post, &[FORM], &said).field("location");
    let file = file.unwrap().to_owned();
    assert_ne!(received.ask(&gateway, "HEAD", &file, &[], "").field("etag"), Some(tag.as_str()));
}
