//! Archives of every kind, joined, nested, cut and damaged.

use proptest::prelude::*;

use crate::pipeline::Bounds;
use crate::pipeline::decode::tests::{Walked, bzip2, gzip, walked};

/// How an entry of a zip archive tells its lengths.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lengths {
    Before,
    /// Behind the data, with or without a mark.
    Behind,
    BehindUnmarked,
    Zip64,
    Zip64Behind,
}

const LENGTHS: [Lengths; 5] = [
    Lengths::Before,
    Lengths::Behind,
    Lengths::BehindUnmarked,
    Lengths::Zip64,
    Lengths::Zip64Behind,
];

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

/// An entry of a zip archive.
fn zip_entry(name: &str, bytes: &[u8], is_packed: bool, lengths: Lengths) -> Vec<u8> {
    let packed = if is_packed { deflated(bytes) } else { bytes.to_vec() };
    let crc = crc32fast::hash(bytes);
    let behind = !matches!(lengths, Lengths::Before | Lengths::Zip64);
    let wide = matches!(lengths, Lengths::Zip64 | Lengths::Zip64Behind);
    let (packed_bytes, plain_bytes) = (packed.len() as u64, bytes.len() as u64);
    let mut out = b"PK\x03\x04".to_vec();
    out.extend(45_u16.to_le_bytes());
    out.extend((if behind { 8_u16 } else { 0 }).to_le_bytes());
    out.extend((if is_packed { 8_u16 } else { 0 }).to_le_bytes());
    out.extend([0; 4]);
    out.extend((if behind { 0 } else { crc }).to_le_bytes());
    let (short_packed, short_plain) = match lengths {
        Lengths::Before => (packed_bytes as u32, plain_bytes as u32),
        Lengths::Zip64 => (u32::MAX, u32::MAX),
        _ => (0, 0),
    };
    out.extend(short_packed.to_le_bytes());
    out.extend(short_plain.to_le_bytes());
    out.extend((name.len() as u16).to_le_bytes());
    let mut extra = vec![0x55, 0x54, 1, 0, 0];
    if lengths == Lengths::Zip64 {
        extra.extend([1, 0, 16, 0]);
        extra.extend(plain_bytes.to_le_bytes());
        extra.extend(packed_bytes.to_le_bytes());
    }
    out.extend((extra.len() as u16).to_le_bytes());
    out.extend(name.as_bytes());
    out.extend(extra);
    out.extend(packed);
    if behind {
        if lengths != Lengths::BehindUnmarked {
            out.extend(b"PK\x07\x08");
        }
        out.extend(crc.to_le_bytes());
        for length in [packed_bytes, plain_bytes] {
            let bytes = length.to_le_bytes();
            out.extend(if wide { &bytes[..] } else { &bytes[..4] });
        }
    }
    out
}

/// What stands behind the entries: enough of a directory to be one.
fn zip(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut out = entries.concat();
    out.extend(b"PK\x01\x02 the directory is not read PK\x05\x06");
    out.extend([0; 18]);
    out
}

/// A file in a tar archive, with a header of that kind.
fn tar_entry(name: &str, kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    let length = format!("{:011o}\0", bytes.len());
    header[124..136].copy_from_slice(length.as_bytes());
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut out = header.to_vec();
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut out = entries.concat();
    out.resize(out.len() + 1024, 0);
    out
}

/// A record of a WARC, whose lines end as those of HTTP do.
fn warc_record(kind: &str, block: &[u8]) -> Vec<u8> {
    let media =
        if kind == "response" { "application/http; msgtype=response" } else { "text/plain" };
    let mut out = format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n",
        block.len()
    )
    .into_bytes();
    out.extend(block);
    out.extend(b"\r\n\r\n");
    out
}

fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn chunked(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in bytes.chunks(7) {
        out.extend(format!("{:x};made=up\r\n", chunk.len()).into_bytes());
        out.extend(chunk);
        out.extend(b"\r\n");
    }
    out.extend(b"0\r\n\r\n");
    out
}

fn files(bytes: Vec<u8>) -> Vec<Walked> {
    walked(bytes, Bounds::WIDE).unwrap()
}

/// Names and texts of files that all are whole.
fn texts(bytes: Vec<u8>) -> Vec<(String, String)> {
    let texts = files(bytes).into_iter().map(|file| {
        assert_eq!(file.damage, None, "{}", file.name);
        (file.name, String::from_utf8(file.bytes).unwrap())
    });
    texts.collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
}

#[test]
fn entries_of_a_zip_are_read_however_they_tell_their_lengths() {
    for lengths in LENGTHS {
        let archive = zip(&[
            zip_entry("folder/", b"", false, Lengths::Before),
            zip_entry("folder/a.js", b"first", true, lengths),
            zip_entry("empty", b"", true, lengths),
            zip_entry("b", &b"second\n".repeat(1000), true, lengths),
            zip_entry("c", b"third", false, Lengths::Before),
        ]);
        let second = "second\n".repeat(1000);
        let expected =
            pairs(&[("folder/a.js", "first"), ("empty", ""), ("b", &second), ("c", "third")]);
        assert_eq!(texts(archive), expected, "{lengths:?}");
    }
    let empty = [b"PK\x05\x06".as_slice(), &[0; 18]].concat();
    assert_eq!(texts(empty), []);
}

#[test]
fn damage_in_a_zip_costs_one_entry_where_the_next_can_be_found() {
    let mut broken = zip_entry("broken", b"text of some length", true, Lengths::Before);
    let last = broken.len() - 4;
    broken[last] ^= 0x55;
    let mut locked = zip_entry("locked", b"secret", false, Lengths::Before);
    locked[6] |= 1;
    let mut odd = zip_entry("odd", b"text", false, Lengths::Before);
    odd[8] = 14;
    let whole = zip_entry("whole", b"text", true, Lengths::Before);
    let files = files(zip(&[broken, locked, odd, whole]));
    let told = files.iter().map(|file| (file.name.as_str(), file.damage.is_some()));
    let expected = [("broken", true), ("locked", true), ("odd", true), ("whole", false)];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert!(files[1].bytes.is_empty() && files[3].bytes == b"text");
}

#[test]
fn files_of_a_tar_are_read_with_long_names_and_lengths() {
    let long = "folder/".repeat(30) + "tweets.json";
    let pax = |line: &str| {
        let length = line.len() + 4;
        tar_entry("pax", b'x', format!("{length} {line}\n").as_bytes())
    };
    let archive = [
        tar(&[
            tar_entry("folder/", b'5', b""),
            tar_entry("a.json", b'0', b"first"),
            tar_entry("link", b'2', b""),
            tar_entry("././@LongLink", b'L', long.as_bytes()),
            tar_entry("cut", b'0', &b"x".repeat(1024)),
            pax("path=named in attributes"),
            tar_entry("short", 0, b"third"),
        ]),
        tar(&[tar_entry("joined", b'0', b"fourth")]),
    ];
    let second = "x".repeat(1024);
    let expected = pairs(&[
        ("a.json", "first"),
        (&long, &second),
        ("named in attributes", "third"),
        ("joined", "fourth"),
    ]);
    assert_eq!(texts(archive.concat()), expected);
}

#[test]
fn answers_in_a_warc_come_out_of_their_chunks_and_wrappings() {
    let json = b"{\"made\":\"up\"}\n".repeat(20);
    let chunks = answer("Transfer-Encoding: chunked\r\n", &chunked(&json));
    let packed_chunks =
        answer("Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n", &chunked(&gzip(&json)));
    let records = [
        warc_record("warcinfo", b"software: made-up\r\n"),
        warc_record("request", b"GET / HTTP/1.1\r\n\r\n"),
        warc_record("response", &answer("", &json)),
        warc_record("response", &chunks),
        warc_record("response", &packed_chunks),
        warc_record("response", &answer("Transfer-Encoding: chunked\r\n", &json)),
        warc_record("response", b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\nPNG"),
        warc_record("resource", &json),
    ];
    let text = String::from_utf8(json).unwrap();
    let expected: Vec<_> =
        [3, 4, 5, 6, 8].map(|number| (format!("record {number}"), text.clone())).into();
    assert_eq!(texts(records.concat()), expected);
    let members: Vec<u8> = records.iter().flat_map(|record| gzip(record)).collect();
    assert_eq!(texts(members), expected);
    let brotli = warc_record("response", &answer("Content-Encoding: br\r\n", b"?"));
    assert!(files(brotli)[0].damage.is_some());
}

#[test]
fn archives_nest_and_their_files_are_named_by_the_way_to_them() {
    let inner = tar(&[tar_entry("01.json.bz2", b'0', &bzip2(b"first"))]);
    let archive = zip(&[
        zip_entry("day.tar.gz", &gzip(&inner), true, Lengths::Behind),
        zip_entry("README.txt", b"for people", true, Lengths::Before),
    ]);
    let files = files(archive.clone());
    assert_eq!(files[0].name, "day.tar.gz/01.json.bz2");
    assert_eq!(files[0].encodings, ["zip", "gzip", "tar", "bzip2"]);
    assert_eq!(files[0].bytes, b"first");
    assert!(files[1].is_passed_over && files[1].bytes.is_empty());
    for (bounds, says) in [
        (Bounds { nesting_max: 3, ..Bounds::WIDE }, "the bound `nesting`"),
        (Bounds { entries_max: 1, ..Bounds::WIDE }, "the bound `entries`"),
    ] {
        let said = walked(archive.clone(), bounds).unwrap_err().to_string();
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn a_bomb_in_many_entries_is_stopped() {
    let zeros = vec![b'\n'; 40 << 20];
    let entry = zip_entry("zeros", &zeros, true, Lengths::Before);
    let archive = zip(&vec![entry; 4]);
    let said = walked(archive, Bounds::NARROW).unwrap_err().to_string();
    assert!(said.contains("the bound `swelling`"), "{said}");
}

#[test]
fn a_name_in_an_archive_cannot_move_the_cursor() {
    let archive = zip(&[zip_entry("a\u{1b}[2J\n", b"text", true, Lengths::Before)]);
    assert_eq!(files(archive)[0].name, "a\u{fffd}[2J\u{fffd}");
}

/// One small archive of each kind.
fn each_kind() -> [Vec<u8>; 3] {
    [
        zip(&[
            zip_entry("a", b"first", true, Lengths::Zip64Behind),
            zip_entry("b", b"second", true, Lengths::Before),
        ]),
        tar(&[tar_entry("a", b'0', b"first"), tar_entry("b", b'0', b"second")]),
        [
            warc_record("response", &answer("Transfer-Encoding: chunked\r\n", &chunked(b"first"))),
            warc_record("response", &answer("", b"second")),
        ]
        .concat(),
    ]
}

#[test]
fn an_archive_that_is_cut_anywhere_says_so_unless_only_its_directory_is_lost() {
    for archive in each_kind() {
        let whole = files(archive.clone());
        // Nothing tells how many records a WARC has, so one that ends between two is whole.
        let between = archive.windows(8).position(|bytes| bytes == b"\r\n\r\nWARC");
        let between = between.map_or(0..0, |at| at..at + 5);
        for cut in 10..archive.len() {
            let files = walked(archive[..cut].to_vec(), Bounds::WIDE).unwrap();
            for file in files.iter().filter(|file| file.damage.is_none()) {
                let same =
                    whole.iter().any(|whole| whole.bytes == file.bytes || file.name.is_empty());
                assert!(same, "cut at {cut}: {file:?}");
            }
            let lost = files.iter().filter(|file| file.damage.is_none()).count() < whole.len();
            let told = files.iter().any(|file| file.damage.is_some() || file.name.is_empty());
            assert!(!lost || told || between.contains(&cut), "cut at {cut}: {files:?}");
        }
    }
}

proptest! {
    #![proptest_config(crate::base::cases::remembered())]

    #[test]
    fn any_damage_to_an_archive_is_survived(
        which in 0..3_usize, at in any::<prop::sample::Index>(), byte in any::<u8>()
    ) {
        let mut archive = each_kind()[which].clone();
        let index = at.index(archive.len());
        archive[index] = byte;
        let _ = walked(archive, Bounds::NARROW);
    }
}
