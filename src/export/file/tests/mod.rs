//! Files as independent readers find them, over made-up objects with every oddity of texts.

mod csv;
mod pdf;
mod random;
mod xlsx;

use std::io::{Read, Seek};
use std::process::{Command, Stdio};

use super::*;
use crate::base::ids::{Id, TweetId, UserId};
use crate::export::cover::{LeftOut, Platform};
use crate::export::object::{Author, Original, TweetCounts, TweetObject, UserCounts, UserObject};

/// A Tweet with `text`, posted so many minutes into 2027.
fn tweet(minutes: i64, text: &str) -> TweetObject {
    let created_ms = 1_798_761_600_000 + minutes * 60_000;
    TweetObject {
        id: TweetId::first_of_ms(created_ms).unwrap(),
        author: author(1),
        created_ms,
        text: text.to_owned(),
        lang: Some("en".into()),
        reply_to: None,
        quote_of: None,
        retweet_of: None,
        counts: TweetCounts { likes: Some(3), ..TweetCounts::default() },
        hashtags: vec!["made".into(), "up".into()],
        urls: vec!["https://example.org/?a=1&b=2".into()],
        media: Vec::new(),
        source: Some("Made Up".into()),
    }
}

fn author(number: u64) -> Author {
    Author {
        id: UserId::from_value(1_234_567_890_123_456_000 + number).unwrap(),
        username: format!("made_up_{number}"),
        name: format!("Made Up, No. {number} 🐦"),
    }
}

fn user(number: u64) -> UserObject {
    let Author { id, username, name } = author(number);
    UserObject {
        id,
        username,
        name,
        description: Some("=cmd|' /C calc'!A0".into()),
        location: None,
        url: Some("https://example.org".into()),
        created_ms: Some(1_400_000_000_000),
        counts: UserCounts { followers: Some(7), ..UserCounts::default() },
        verified: Some(false),
    }
}

fn cover(objects: &[Object]) -> Cover {
    let count = |kind| objects.iter().filter(|object| object.kind() == kind).count() as u64;
    Cover {
        title: "A made-up dataset".into(),
        dataset: "made-up".into(),
        release: "0123".into(),
        selection: "everything".into(),
        person: "Ada Example".into(),
        entity: "University of Examples".into(),
        made_ms: 1_800_000_000_000,
        zone: "Europe/Berlin".into(),
        profile: "twitter-2020-03".into(),
        platform: Platform {
            name: "Twitter".into(),
            word: "Tweet".into(),
            permalink_base: "https://twitter.com".into(),
        },
        tweets: count(IdKind::Tweet),
        users: count(IdKind::User),
        left_out: vec![(LeftOut::Protected, 2), (LeftOut::Damaged, 0)],
        compliance_ms: None,
        terms: vec!["Developer Policy of 2020-03-10".into()],
    }
}

/// Texts that have broken somebody's file before.
const ODDITIES: &[&str] = &[
    "=SUM(A1:A9)",
    "+1",
    "-1",
    "@made_up hello",
    "'=1",
    "\"quoted\", with; commas\nand lines\r\nof both kinds",
    "\tindented",
    "bidi \u{202e}txet\u{202c} and \u{200f}marks\u{200e} \u{2066}isolated\u{2069}",
    "zero\u{200b}width\u{200d}joined\u{feff}",
    "control \u{1} \u{b} \u{1f} \u{7f} \u{85}",
    "not characters \u{fffe} \u{ffff}",
    "_x0041_ _x000D_ &amp; <b> ]]>",
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇩🇪 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "العربية مع English و123",
    "עברית, עם \"מרכאות\"",
    "日本語のツイート。改行なしで長く続く文",
    "ภาษาไทยไม่มีช่องว่าง",
    "हिन्दी தமிழ் 한국어 Ελληνικά Кириллица",
    " spaces before and after ",
    "",
];

/// Objects with every oddity, a 10,000-character text, every kind of Tweet, and two Users.
fn odd_objects() -> Vec<Object> {
    let mut texts: Vec<String> = ODDITIES.iter().map(|text| (*text).to_owned()).collect();
    texts.push("ten thousand ".repeat(770));
    texts.push("🐦".repeat(10_000));
    let mut tweets: Vec<TweetObject> =
        (0..).zip(&texts).map(|(minutes, text)| tweet(minutes * 500, text)).collect();
    let first = tweets[0].clone();
    let count = tweets.len();
    tweets[count - 1].reply_to = Some(first.id);
    tweets[count - 2].quote_of = Some(first.id);
    tweets[count - 3].retweet_of =
        Some(Original { id: first.id, author: author(1), created_ms: first.created_ms });
    let tweets = tweets.into_iter().map(|tweet| Object::Tweet(tweet.into()));
    tweets.chain([1, 2].map(|number| Object::User(user(number).into()))).collect()
}

fn written(
    format: Format,
    cover: &Cover,
    objects: &[Object],
) -> Result<(Written, File), WriteError> {
    let mut out = tempfile::tempfile().unwrap();
    let mut told = 0;
    let mut objects = objects.iter().cloned().map(Ok);
    let usual = Options::default();
    let written = write(&usual, format, cover, &mut objects, &mut out, &mut |count| {
        assert_eq!(count, told + 1);
        told = count;
    })?;
    assert_eq!(told, cover.tweets + cover.users);
    out.rewind().unwrap();
    Ok((written, out))
}

/// What a program of another make says of a file, which it is given as its first argument.
fn reader(script: &str, file: &File) -> serde_json::Value {
    let mut python = Command::new("/usr/bin/python3")
        .args(["-c", script, "/dev/stdin"])
        .stdin(Stdio::from(file.try_clone().unwrap()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    python.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(python.wait().unwrap().success(), "{said}");
    serde_json::from_str(&said).unwrap()
}

/// Checks that the rows of a table hold what the objects hold.
fn check_rows(said: &serde_json::Value, objects: &[Object]) {
    let rows = |table: &str| said[table].as_array().unwrap().clone().into_iter();
    let mut rows = rows("tweets").chain(rows("users"));
    for object in objects {
        let row = rows.next().unwrap();
        match object {
            Object::Tweet(tweet) => {
                assert_eq!(row["tweet_id"], tweet.id.to_string());
                assert_eq!(row["text"], tweet.text, "{:?}", tweet.text);
                assert_eq!(row["name"], tweet.author.name);
                assert_eq!(row["kind"], tweet.form());
                let link = format!("https://twitter.com/made_up_1/status/{}", tweet.id);
                assert_eq!(row["permalink"], link);
                let reply_to = tweet.reply_to.map_or(String::new(), |id| id.to_string());
                assert_eq!(row["reply_to_id"], reply_to);
                assert_eq!(row["likes"], "3");
                assert_eq!(row["hashtags"], "made up");
            }
            Object::User(user) => {
                assert_eq!(row["user_id"], user.id.to_string());
                assert_eq!(row["description"], user.description.clone().unwrap());
                assert_eq!(row["verified"], "no");
            }
        }
    }
    assert_eq!(rows.next(), None);
}

#[test]
fn objects_out_of_turn_or_other_than_promised_are_no_file() {
    let tweets = [1, 2].map(|minutes| Object::Tweet(tweet(minutes, "x").into()));
    let user = Object::User(user(1).into());
    let [first, second] = tweets;
    for kind in FILES {
        let check = |objects: &[&Object], promised: &[&Object]| {
            let owned = |objects: &[&Object]| -> Vec<Object> {
                objects.iter().map(|object| (*object).clone()).collect()
            };
            let cover = cover(&owned(promised));
            written(kind.format, &cover, &owned(objects)).map(|_| ())
        };
        check(&[], &[]).unwrap();
        check(&[&first, &first, &user], &[&first, &first, &user]).unwrap();
        for objects in [[&second, &first], [&user, &first]] {
            let error = check(&objects, &objects).unwrap_err();
            assert!(matches!(error, WriteError::Order { .. }), "{error}");
        }
        for objects in [&[&first, &second][..], &[&first, &user], &[&user], &[]] {
            let error = check(objects, &[&first]).unwrap_err();
            assert!(matches!(error, WriteError::Count { .. }), "{error}");
        }
    }
}

#[test]
fn whoever_reads_objects_can_stop_the_file() {
    for kind in FILES {
        let mut objects = std::iter::once(Err(io::Error::other("nobody wants it any more")));
        let mut out = tempfile::tempfile().unwrap();
        let usual = Options::default();
        let failed = write(&usual, kind.format, &cover(&[]), &mut objects, &mut out, &mut |_| ());
        assert!(matches!(failed, Err(WriteError::Objects(_))));
    }
}

#[test]
fn a_word_names_one_format() {
    for kind in FILES {
        assert_eq!(Format::from_word(kind.word), Some(kind.format));
    }
    assert_eq!(Format::from_word("doc"), None);
}

/// What poppler reads in a PDF file.
pub(in crate::export) fn read_pdf(file: &[u8]) -> String {
    pdf::poppler("pdftotext", &[], file)
}
