//! How long files of 50,000 objects take, and how much memory: CSV, XLSX and PDF of made-up Tweets
//! in Latin, Arabic, Hebrew, Japanese, Thai and emoji, each format in a process of its own.
//!
//! The answer: every Tweet is in the file (its table's rows or its pages' articles are counted by
//! another program), CSV within 10 s, XLSX within 20 s, PDF within 60 s, each within 300 MiB. The
//! rival is writing the same objects as lines of JSON. `HYDRANT_BENCH_OBJECTS` sets how many, and
//! the bars are the same share of it. Needs `pdftotext` and Python.
//!
//! `cargo bench --bench export`

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use hydrant::base::ids::{Id, TweetId, UserId};
use hydrant::export::cover::{Cover, LeftOut, Platform};
use hydrant::export::file::{FILES, FileKind, Format, Options, write};
use hydrant::export::object::{Author, Object, TweetCounts, TweetObject};

const OBJECTS: u64 = 50_000;

/// How long each may take for all objects.
const BARS: &[(Format, u64)] = &[(Format::Csv, 10), (Format::Xlsx, 20), (Format::Pdf, 60)];

const RESIDENT_MAX_MIB: u64 = 300;

/// What the Tweets say, in turn; each also says its number, so that no two are alike.
const TEXTS: &[&str] = &[
    "A made-up text of usual length, with a few words more than most and a link to somewhere",
    "Short and sweet 🐦",
    "مرحبا بالعالم، هذا نص مُختَلَق باللغة العربية مع كلمات English في وسطه",
    "שלום עולם, זה טקסט מומצא בעברית עם מספרים 123 ועוד מילים",
    "これは架空のツイートです。改行なしで続く長い日本語の文章、絵文字も入ります🎌",
    "ข้อความภาษาไทยที่แต่งขึ้น ไม่มีช่องว่างระหว่างคำ",
    "Family 👩‍👩‍👧‍👦 flags 🏳️‍🌈🇩🇪 and skin 👍🏽 in one text, then some plain words after them",
    "Two lines\nof text, \"quoted\", =1+1, and a very longwordwithoutanybreakinitatallwhatever",
];

fn object(number: u64) -> Object {
    // A Tweet each quarter of an hour: 50,000 make a year and a half.
    let created_ms = 1_600_000_000_000 + number as i64 * 900_000;
    let author = number * 7_919 % 5_000;
    Object::Tweet(Box::new(TweetObject {
        id: TweetId::first_of_ms(created_ms).unwrap(),
        author: Author {
            id: UserId::from_value(1_234_567_890_123_000_000 + author).unwrap(),
            username: format!("made_up_{author}"),
            name: format!("Made Up No. {author}"),
        },
        created_ms,
        text: format!("{} n{number}n", TEXTS[(number % TEXTS.len() as u64) as usize]),
        lang: None,
        reply_to: None,
        quote_of: None,
        retweet_of: None,
        counts: TweetCounts { likes: Some(number % 100), ..TweetCounts::default() },
        hashtags: vec!["madeup".into()],
        urls: vec![format!("https://example.org/{number}")],
        media: Vec::new(),
        source: Some("Made Up".into()),
    }))
}

fn cover(objects: u64) -> Cover {
    Cover {
        title: "A made-up dataset".into(),
        dataset: "made-up".into(),
        release: "0".into(),
        selection: "everything".into(),
        person: "Ada Example".into(),
        entity: "University of Examples".into(),
        made_ms: 1_800_000_000_000,
        zone: "UTC".into(),
        profile: "twitter-2020-03".into(),
        platform: Platform {
            name: "Twitter".into(),
            word: "Tweet".into(),
            permalink_base: "https://twitter.com".into(),
        },
        tweets: objects,
        users: 0,
        left_out: vec![(LeftOut::Protected, 3)],
        compliance_ms: None,
        terms: vec!["made up".into()],
    }
}

/// Counts the Tweets of a file by the number that each says.
const COUNT: &str = r#"
import glob, io, re, subprocess, sys, zipfile
path = sys.argv[1]
def texts():
    data = open(path, "rb").read()
    if data[:4] == b"%PDF":
        yield pdf(data)
        return
    inside = zipfile.ZipFile(io.BytesIO(data))
    for name in inside.namelist():
        data = inside.read(name)
        yield pdf(data) if name.endswith(".pdf") else data
def pdf(data):
    read = subprocess.run(["pdftotext", "-", "-"], input=data, stdout=subprocess.PIPE, check=True)
    return read.stdout
print(len({number for text in texts() for number in re.findall(rb"n(\d+)n", text)}))
"#;

fn main() {
    let objects =
        std::env::var("HYDRANT_BENCH_OBJECTS").map_or(OBJECTS, |objects| objects.parse().unwrap());
    let mut arguments = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    if let (Some(word), Some(path)) = (arguments.next(), arguments.next()) {
        return write_one(Format::from_word(&word).unwrap(), Path::new(&path), objects);
    }
    let folder = tempfile::tempdir().unwrap();
    rival(&folder.path().join("lines.json"), objects);
    for kind in FILES {
        let path = folder.path().join(kind.word);
        let written = Command::new(std::env::current_exe().unwrap())
            .args([kind.word, path.to_str().unwrap()])
            .status();
        assert!(written.unwrap().success(), "{} failed", kind.word);
        let counted = Command::new("python3").args(["-c", COUNT]).arg(&path).output().unwrap();
        let counted = String::from_utf8(counted.stdout).unwrap();
        assert_eq!(counted.trim(), objects.to_string(), "{}: not every Tweet is there", kind.word);
    }
}

fn rival(path: &Path, objects: u64) {
    let begun = Instant::now();
    let mut out = BufWriter::new(File::create(path).unwrap());
    for number in 0..objects {
        serde_json::to_writer(&mut out, &object(number)).unwrap();
        out.write_all(b"\n").unwrap();
    }
    out.flush().unwrap();
    println!("{objects} objects as lines of JSON: {:.2?}", begun.elapsed());
}

fn write_one(format: Format, path: &Path, objects: u64) {
    let mut out =
        File::options().read(true).write(true).create(true).truncate(true).open(path).unwrap();
    let begun = Instant::now();
    let mut made = (0..objects).map(|number| Ok(object(number)));
    let usual = Options::default();
    let written = write(&usual, format, &cover(objects), &mut made, &mut out, &mut |_| ()).unwrap();
    let took = begun.elapsed();
    let FileKind { word, .. } = format.kind();
    let bytes = out.metadata().unwrap().len();
    let resident_mib = peak_resident_kib() / 1_024;
    println!(
        "{word}: {took:.2?}, {} parts, {:.1} MB, {resident_mib} MiB resident at most, \
         {} signs without a font",
        written.parts,
        bytes as f64 / 1e6,
        written.missing_glyphs,
    );
    let (_, bar_s) = BARS.iter().find(|(known, _)| *known == format).expect("each has a bar");
    let bar = Duration::from_secs(*bar_s).mul_f64((objects as f64 / OBJECTS as f64).max(0.1));
    assert!(took <= bar, "{word}: {took:.2?} instead of {bar:.2?} at most");
    assert!(resident_mib <= RESIDENT_MAX_MIB, "{word}: {resident_mib} MiB resident");
    assert_eq!(written.missing_glyphs, 0);
}

/// The most memory that this process had resident, in KiB.
fn peak_resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
