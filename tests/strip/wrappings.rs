//! Compressions, archives, folders and patterns, and the bounds on them.

use std::fs;
use std::io::Write;
use std::process::Command;

use serde_json::Value;

use crate::{hydrant, ids, numbers, strip, tweet};

#[test]
fn every_wrapping_gives_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let plain: String = (20..2000).map(tweet).collect();
    let expected: Vec<u64> = (20..2000).collect();
    let half = plain.len() / 2;
    let gzip = |bytes: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let bzip2 = |bytes: &[u8]| {
        let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let zstd = |bytes: &[u8]| zstd::stream::encode_all(bytes, 1).unwrap();
    let xz = |bytes: &[u8]| {
        let mut out = liblzma::write::XzEncoder::new(Vec::new(), 1);
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let (first, second) = plain.as_bytes().split_at(half);
    let wide: Vec<u8> =
        "\u{feff}".encode_utf16().chain(plain.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for (name, bytes) in [
        ("gzip of two members", [gzip(first), gzip(second)].concat()),
        ("bzip2 of two streams", [bzip2(first), bzip2(second)].concat()),
        ("zstd of two frames", [zstd(first), zstd(second)].concat()),
        ("xz", xz(plain.as_bytes())),
        ("gzip in bzip2", bzip2(&gzip(plain.as_bytes()))),
        ("BOM", ["\u{feff}", &plain].concat().into_bytes()),
        ("CRLF", plain.replace('\n', "\r\n\r\n").into_bytes()),
        ("UTF-16", wide),
    ] {
        let path = folder.path().join("data");
        fs::write(&path, &bytes).unwrap();
        let output = hydrant(&[path.to_str().unwrap()]).output().unwrap();
        assert_eq!(
            (numbers(&output.stdout), output.status.code()),
            (expected.clone(), Some(0)),
            "{name}"
        );
        assert_eq!(ids(&["-"], &bytes), (expected.clone(), 0), "{name} on stdin");
    }
    let mut cut = gzip(plain.as_bytes());
    cut.truncate(cut.len() - 200);
    let (out, code) = ids(&[], &cut);
    assert!(code == 3 && !out.is_empty() && expected.starts_with(&out), "a cut gzip file");
}

/// Made by the programs that people make archives with.
#[test]
fn archives_and_folders_are_read_in_order_and_what_holds_no_records_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir_all(data.join("tweets_media")).unwrap();
    let tweets =
        "window.YTD.tweets.part0 = [ {\"tweet\":{\"id_str\":\"22\",\"full_text\":\"x\"}} ]";
    fs::write(data.join("tweets.js"), tweets).unwrap();
    fs::write(data.join("a.jsonl"), tweet(20) + &tweet(21)).unwrap();
    fs::write(data.join("tweets_media/20.jpg"), [0xFF, 0xD8, 0xFF, 0]).unwrap();
    fs::write(folder.path().join("Your archive.html"), "<html>").unwrap();
    for (program, arguments) in [
        ("tar", &["-cf", "x.tar", "data", "Your archive.html"][..]),
        ("tar", &["-czf", "x.tar.gz", "--format=pax", "data"]),
        ("python3", &["-m", "zipfile", "-c", "x.zip", "data", "Your archive.html"]),
    ] {
        let made = Command::new(program).args(arguments).current_dir(folder.path()).status();
        assert!(made.unwrap().success(), "{program} {arguments:?}");
    }
    for source in ["x.tar", "x.tar.gz", "x.zip", "data", "data/*.js*"] {
        let output = hydrant(&["--json", source]).current_dir(folder.path()).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stderr).unwrap();
        let mut out = numbers(&output.stdout);
        if source.starts_with('x') {
            // In the order of the archive, which is that of the disk.
            out.sort_unstable();
        }
        assert_eq!((out, output.status.code()), (vec![20, 21, 22], Some(0)), "{source}: {report}");
        let passed = source != "data/*.js*";
        assert_eq!(report["reasons"][0]["reason"] == "passed-over", passed, "{report}");
        let place = &report["reasons"][0]["first"][0]["source"];
        assert!(!passed || place.as_str().unwrap().contains(source), "{place}");
    }
    let zip = fs::read(folder.path().join("x.zip")).unwrap();
    let (mut out, code) = ids(&[], &zip);
    out.sort_unstable();
    assert_eq!((out, code), (vec![20, 21, 22], 0), "from a pipe");
    let (out, code) = ids(&[], &zip[..100]);
    assert!(out.len() < 3 && code == 3);
}

#[test]
fn an_error_names_the_bound_that_was_passed_and_a_flag_sets_it() {
    let gzip = |bytes: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let nested = gzip(&gzip(b"20\n"));
    for (bound, says) in [
        ("nesting=1", "it is packed more than 1 times over, which is the bound `nesting`"),
        ("nesting", "a bound looks like `swelling=2000`"),
        ("x=1", "there is no bound `x`"),
    ] {
        let output = strip(&["--bound", bound], &nested);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(says), "{said}");
    }
    assert_eq!(ids(&["--bound", "nesting=2"], &nested), (vec![20], 0));
    let record = format!("{{\"text\":\"{}\"}}\n", "x".repeat(4 << 20));
    let long = [tweet(20), record, tweet(21)].concat();
    assert_eq!(ids(&["--bound", "record-bytes=2000"], long.as_bytes()), (vec![20, 21], 3));
    assert_eq!(ids(&[], long.as_bytes()), (vec![20, 21], 0));
}
