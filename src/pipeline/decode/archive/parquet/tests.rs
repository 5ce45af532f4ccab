//! Parquet files that are whole, and damaged ones.

use super::*;
use crate::base::ids::IdKind;
use crate::pipeline::Bounds;
use crate::pipeline::decode::tests::walked;
use crate::pipeline::encode::output;

fn file(ids: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encode = (output("parquet").unwrap().begin)(IdKind::Tweet, &mut bytes);
    for id in 0..ids {
        encode.push(1_000_000_000_000_000_000 + id * 7_919, &mut bytes).unwrap();
    }
    encode.finish(&mut bytes).unwrap();
    bytes
}

#[test]
fn rows_are_lines_under_a_header() {
    let files = walked(file(2), Bounds::WIDE).unwrap();
    let text = "\"tweet_id\"\n\"1000000000000000000\"\n\"1000000000000007919\"\n";
    assert_eq!(String::from_utf8_lossy(&files[0].bytes), text);
    assert_eq!((files.len(), files[0].encodings.as_slice()), (1, &["parquet"][..]));
}

#[test]
fn any_damage_is_survived() {
    let whole = file(3_000);
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let mut damaged = 0;
    for case in 0..3_000 {
        let mut bytes = whole.clone();
        // Most of what can go wrong stands at the end.
        let from = if case % 3 == 0 { 4 } else { whole.len() - 600 };
        for _ in 0..=next(3) {
            let at = from + next(whole.len() - from);
            bytes[at] = next(256) as u8;
        }
        if case % 7 == 0 {
            let cut = next(bytes.len());
            bytes.remove(cut);
        }
        let bounds = Bounds { spool_bytes_max: 1 << 30, ..Bounds::NARROW };
        let Ok(files) = walked(bytes, bounds) else { continue };
        damaged += usize::from(files.iter().any(|file| file.damage.is_some()));
        for file in files {
            let lines = file.bytes.iter().filter(|byte| **byte == b'\n').count();
            assert!(lines <= 3_001, "case {case}: {lines} lines");
        }
    }
    assert!(damaged > 1_000, "{damaged} of 3,000 are told");
}

#[test]
fn what_comes_from_somebody_else_is_not_spooled() {
    let refused = walked(file(2), Bounds::NARROW).unwrap_err();
    assert!(refused.to_string().contains("the bound `spool-bytes`"), "{refused}");
}

#[test]
fn the_length_of_a_page_is_read_from_its_header() {
    for (header, bytes) in [
        (&[0x15, 0x00, 0x15, 0x02][..], Some(1)),
        (&[0x15, 0x06, 0x15, 0x80, 0x80, 0x80, 0x01], Some(1 << 20)),
        (&[0x15, 0x00, 0x15], None),
        (&[0x15, 0x00, 0x25, 0x02], None),
        (&[], None),
    ] {
        assert_eq!(unpacked_bytes(header), bytes, "{header:?}");
    }
}

#[test]
fn whole_numbers_of_bytes_and_times_are_words() {
    for (bytes, expected) in [(&[0x0D, 0xE0][..], "3552"), (&[0xFF], "-1"), (&[], "")] {
        let mut text = Vec::new();
        number(&mut text, bytes);
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
    let mut text = Vec::new();
    time(&mut text, 1_600_000_000_000_000, 1_000_000);
    time(&mut text, i64::MAX, 1);
    assert_eq!(String::from_utf8(text).unwrap(), "2020-09-13T12:26:40Z");
}
