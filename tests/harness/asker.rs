//! Somebody who asks for files of full objects in a browser, and a gateway that has some: made-up
//! tweets of which each has a text.

use std::io::{Cursor, Read};

use serde_json::json;

use super::browser::Browser;
use super::{Answer, Bench, Gateway, made_at, tweet_ids, wait_until};

/// 2027-01-15.
pub const NOW_MS: i64 = 1_800_000_000_000;
/// An hour in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;

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
pub fn bench(count: u64, objects_per_person_max: u64) -> Bench {
    let mut bench = Bench::with_clock(NOW_MS);
    prepare(&mut bench, count, objects_per_person_max);
    bench
}

/// Makes that of a folder.
pub fn prepare(bench: &mut Bench, count: u64, objects_per_person_max: u64) {
    let built_in = include_str!("../../schema/profiles/twitter-2020-03.toml");
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

/// A browser in which somebody is signed in.
pub fn signed_in(bench: &Bench, gateway: &Gateway, mail: &str) -> Browser {
    let mut browser = Browser::default();
    let invited = bench.json(&["person", "invite", mail]);
    browser.sign_in(gateway, invited["path"].as_str().unwrap());
    browser
}

/// Somebody with a browser who wants files.
pub struct Asker<'a> {
    pub gateway: &'a Gateway,
    pub browser: Browser,
}

impl Asker<'_> {
    /// Ada, signed in.
    pub fn new<'a>(bench: &Bench, gateway: &'a Gateway) -> Asker<'a> {
        Asker { gateway, browser: signed_in(bench, gateway, "ada@acme.example") }
    }

    /// Selects something; the address of the export that comes of it.
    #[track_caller]
    pub fn select(&mut self, fields: &[(&str, &str)]) -> String {
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
    pub fn page(&mut self, export: &str) -> String {
        let answer = self.browser.get(self.gateway, export);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text().to_owned()
    }

    /// The numbers of the files that the page of an export can have made, in its order.
    pub fn makeable(&mut self, export: &str) -> Vec<String> {
        let page = self.page(export);
        let parts = page.split("action=\"/exports/files/").skip(1);
        let of_form = parts.filter_map(|part| part.split_once("/make\"").map(|(id, _)| id));
        of_form.filter(|id| !id.contains('"')).map(str::to_owned).collect()
    }

    /// Has the first file made that can be, and waits until it is; its number.
    #[track_caller]
    pub fn make(&mut self, export: &str) -> String {
        let file = self.begin(export);
        wait_until("the file is made", || !self.page(export).contains("is made</h2>"));
        file
    }

    /// Has the first file made that can be; its number.
    #[track_caller]
    pub fn begin(&mut self, export: &str) -> String {
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
    pub fn form(&mut self, file: &str) -> Vec<(String, String)> {
        let shown = self.browser.get(self.gateway, &format!("/exports/files/{file}"));
        assert_eq!(shown.status, 200, "{}", shown.text());
        let value = |name: &str| {
            let from = format!("name=\"{name}\" value=\"");
            let rest = shown.text().split(&from).nth(1).unwrap_or_else(|| panic!("no {name}"));
            (name.to_owned(), rest.split('"').next().unwrap().to_owned())
        };
        vec![value("once"), value("objects")]
    }

    /// Sends the form that fetches a file.
    pub fn send(&mut self, file: &str, form: &[(String, String)]) -> Answer {
        let fields: Vec<_> = form.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        self.browser.send(self.gateway, &format!("/exports/files/{file}"), &fields)
    }

    /// Confirms a file and fetches it.
    pub fn fetch(&mut self, file: &str) -> Answer {
        let form = self.form(file);
        self.send(file, &form)
    }

    /// What is left of the allowance, as the page tells it.
    pub fn left(&mut self) -> u64 {
        let page = self.page("/exports");
        let text = page.split("there is room for <strong>").nth(1).unwrap();
        text.split('<').next().unwrap().replace(',', "").parse().unwrap()
    }
}

/// The text of one file in a zip.
pub fn unzipped(zip: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// The IDs in the table of Tweets in a zip.
pub fn ids_in(zip: &[u8]) -> Vec<u64> {
    let text = unzipped(zip, "tweets.csv");
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    reader.records().map(|record| record.unwrap()[0].parse().unwrap()).collect()
}
