//! Wrappings of every kind, nested, cut and swollen.

use std::io::Write;

use proptest::prelude::*;

use super::*;

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

type Encode = fn(&[u8]) -> Vec<u8>;

const ENCODERS: [(&str, Encode); 4] =
    [("gzip", gzip), ("bzip2", bzip2), ("zstd", zstd), ("xz", xz)];

/// The files of a source: their names, wrappings and bytes, and the damage that ended each.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Walked {
    pub(super) name: String,
    pub(super) encodings: Vec<&'static str>,
    pub(super) bytes: Vec<u8>,
    pub(super) damage: Option<String>,
    pub(super) is_passed_over: bool,
}

pub(super) fn walked(bytes: Vec<u8>, bounds: Bounds) -> io::Result<Vec<Walked>> {
    walked_by(bytes, bounds, 1)
}

fn walked_by(bytes: Vec<u8>, bounds: Bounds, threads: usize) -> io::Result<Vec<Walked>> {
    let mut files = Vec::new();
    let spool_folder = std::env::temp_dir();
    let means = Means { threads, ..Means::within(bounds, &spool_folder) };
    let opened = Opened { stream: Box::new(Cursor::new(bytes)), file: None };
    walk(opened, Arc::default(), means, &mut |part| {
        let mut file = Walked { name: part.name.to_owned(), ..Walked::default() };
        file.encodings = part.encodings;
        match part.holds {
            Holds::NoRecords => file.is_passed_over = true,
            Holds::Data(mut stream) => match stream.read_to_end(&mut file.bytes) {
                Err(error) if is_final(&error) => return Err(error),
                Err(error) => file.damage = Some(error.to_string()),
                Ok(_) => {}
            },
        }
        files.push(file);
        Ok(())
    })?;
    Ok(files)
}

/// The one file of a source that is no archive.
fn decoded_within(bytes: Vec<u8>, bounds: Bounds) -> io::Result<(Vec<u8>, Vec<&'static str>)> {
    let mut files = walked(bytes, bounds)?;
    assert_eq!(files.len(), 1);
    let file = files.remove(0);
    match file.damage {
        Some(damage) => Err(io::Error::other(damage)),
        None => Ok((file.bytes, file.encodings)),
    }
}

fn decoded(bytes: Vec<u8>) -> io::Result<(Vec<u8>, Vec<&'static str>)> {
    decoded_within(bytes, Bounds { nesting_max: 4, ..Bounds::WIDE })
}

#[test]
fn every_codec_has_an_encoder_here() {
    assert!(CODECS.iter().map(|codec| codec.name).eq(ENCODERS.map(|(name, _)| name)));
}

#[test]
fn all_members_of_a_file_are_read() {
    for (name, encode) in ENCODERS {
        let joined = [encode(b"first\n"), encode(b""), encode(b"second\n")].concat();
        assert_eq!(decoded(joined).unwrap(), (b"first\nsecond\n".to_vec(), vec![name]), "{name}");
    }
}

#[test]
fn a_skippable_frame_of_zstd_is_skipped() {
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    let joined = [&skippable[..], &zstd(b"text")].concat();
    assert_eq!(decoded(joined).unwrap().0, b"text");
}

#[test]
fn wrappings_nest_up_to_the_bound() {
    let (mut bytes, mut names) = (b"text".to_vec(), Vec::new());
    for (name, encode) in ENCODERS {
        bytes = encode(&bytes);
        names.insert(0, name);
    }
    assert_eq!(decoded(bytes.clone()).unwrap(), (b"text".to_vec(), names));
    let error = decoded(gzip(&bytes)).unwrap_err();
    assert_eq!(error.get_ref().unwrap().downcast_ref(), Some(&Bomb::Nested(4)));
}

#[test]
fn a_bomb_stops_at_the_bound() {
    let error = decoded(gzip(&bzip2(&vec![b'\n'; 200 << 20]))).unwrap_err();
    assert_eq!(error.get_ref().unwrap().downcast_ref(), Some(&Bomb::Swelling(1_000)));
}

#[test]
fn a_window_that_is_too_large_is_told_from_damage() {
    let text: Vec<u8> = (0..400_000_u32).flat_map(|n| (n ^ n << 7).to_le_bytes()).collect();
    let mut wide = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(25).unwrap();
    wide.write_all(&text).unwrap();
    for (name, bytes) in [("zstd", wide.finish().unwrap()), ("xz", xz(&text))] {
        let within = |window_bytes_max| {
            decoded_within(bytes.clone(), Bounds { window_bytes_max, ..Bounds::WIDE })
        };
        assert_eq!(within(32 << 20).unwrap().0.len(), text.len(), "{name}");
        let error = within(1 << 20).unwrap_err();
        assert_eq!(error.get_ref().and_then(|inner| inner.downcast_ref()), Some(&Bomb::Window));
    }
}

#[test]
fn cut_data_gives_what_was_before_and_then_an_error() {
    for (name, encode) in ENCODERS {
        let text: Vec<u8> = (0..400_000_u32).flat_map(|n| (n ^ n << 7).to_le_bytes()).collect();
        let mut bytes = encode(&text);
        bytes.truncate(bytes.len() - 10);
        let [file] = &walked(bytes, Bounds::WIDE).unwrap()[..] else { panic!("one file") };
        assert!(file.damage.is_some(), "{name}");
        assert!(text.starts_with(&file.bytes) && !file.bytes.is_empty(), "{name}");
    }
}

#[test]
fn marks_are_taken_off_and_utf_16_is_narrowed() {
    let text = "1,ü,🐟\n";
    let wide = |unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(unit).collect()
    };
    for (bytes, encodings) in [
        (text.as_bytes().to_vec(), vec![]),
        (["\u{feff}", text].concat().into_bytes(), vec![]),
        (wide(u16::to_le_bytes), vec!["utf-16le"]),
        (wide(u16::to_be_bytes), vec!["utf-16be"]),
        (gzip(&wide(u16::to_le_bytes)), vec!["gzip", "utf-16le"]),
        (b"BZh is how this text begins".to_vec(), vec![]),
        (Vec::new(), vec![]),
    ] {
        let (out, told) = decoded(bytes.clone()).unwrap();
        assert_eq!(told, encodings);
        if told.iter().any(|name| name.starts_with("utf")) || bytes.starts_with(b"\xEF") {
            assert_eq!(String::from_utf8(out).unwrap(), text);
        } else {
            assert_eq!(out, bytes);
        }
    }
}

proptest! {
    #![proptest_config(crate::base::cases::remembered())]

    #[test]
    fn utf_16_is_narrowed_the_same_across_steps(
        text in "[a🐟ü]{0,40}", length in 32_700..32_800_usize
    ) {
        let text = "x".repeat(length / 2) + &text;
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
        prop_assert_eq!(decoded(bytes).unwrap().0, text.into_bytes());
    }

    #[test]
    fn any_damage_to_a_container_is_survived(
        which in 0..4_usize, at in any::<prop::sample::Index>(), byte in any::<u8>()
    ) {
        let mut bytes = ENCODERS[which].1(&b"a made-up record\n".repeat(200));
        let index = at.index(bytes.len());
        bytes[index] = byte;
        let _ = decoded(bytes);
    }
}

/// As bgzip writes it: members of up to 65,280 bytes that tell how long they are.
fn bgzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    for chunk in bytes.chunks(65_280) {
        let level = flate2::Compression::fast();
        let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), level);
        writer.write_all(chunk).unwrap();
        let body = writer.finish().unwrap();
        let length = u16::try_from(body.len() + 26 - 1).unwrap();
        packed.extend(b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0");
        packed.extend(length.to_le_bytes());
        packed.extend(body);
        packed.extend(crc32fast::hash(chunk).to_le_bytes());
        packed.extend((chunk.len() as u32).to_le_bytes());
    }
    packed
}

/// Packers whose pieces are unpacked beside each other, and who unpacks them one after the other.
#[allow(clippy::type_complexity, reason = "two functions")]
const PACKERS: [(fn(&[u8]) -> Vec<u8>, fn(&[u8]) -> Box<dyn Read + '_>); 3] = [
    (bzip2, |bytes| Box::new(bzip2::read::MultiBzDecoder::new(bytes))),
    (bgzip, |bytes| Box::new(flate2::read::MultiGzDecoder::new(bytes))),
    // Frames that tell what they hold, and one of a live stream at the end.
    (zstd_frames, |bytes| Box::new(zstd::stream::read::Decoder::new(bytes).unwrap())),
];

fn zstd_frames(bytes: &[u8]) -> Vec<u8> {
    let (told, live) = bytes.split_at(bytes.len() * 9 / 10);
    let frames = told.chunks(100_000).map(|chunk| zstd::bulk::compress(chunk, 1).unwrap());
    let mut packed: Vec<u8> = frames.flatten().collect();
    packed.extend(zstd::encode_all(live, 1).unwrap());
    packed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..crate::base::cases::remembered() })]

    #[test]
    fn several_threads_unpack_the_same_and_meet_the_same_damage(
        pieces in prop::collection::vec((0..300_000_usize, any::<u8>(), 0..9_usize), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        damage in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        behind in prop_oneof![4 => Just(""), 1 => Just("\n"), 1 => Just("BZh9 no stream")],
        packer in 0..PACKERS.len(),
    ) {
        let (pack, unpack) = PACKERS[packer];
        let mut bytes = Vec::new();
        for (length, byte, swelling) in pieces {
            // A stream holds up to a few blocks, of which the last may swell beyond all measure.
            let noise = (0..length as u64).map(|at| ((at * at * u64::from(byte)) >> 7) as u8);
            let swollen = std::iter::repeat_n(byte, length * swelling);
            bytes.extend(pack(&noise.chain(swollen).collect::<Vec<u8>>()));
        }
        bytes.extend_from_slice(behind.as_bytes());
        if let Some((at, byte)) = damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()) + 1);
        }
        let by = |threads| -> Result<_, ()> {
            let files = walked_by(bytes.clone(), Bounds::WIDE, threads).map_err(|_| ())?;
            let [file] = &files[..] else { return Err(()) };
            Ok((file.bytes.clone(), file.damage.is_some()))
        };
        let alone = by(1);
        for threads in [2, 3, 8] {
            prop_assert!(by(threads) == alone, "{} threads", threads);
        }
        let mut naive = Vec::new();
        let result = unpack(&bytes).read_to_end(&mut naive);
        match alone {
            // The library loses what it has unpacked in the step in which it meets the damage.
            Ok((ours, damaged)) => {
                prop_assert_eq!(damaged, result.is_err());
                prop_assert!(ours == naive || damaged);
                prop_assert!(ours.starts_with(&naive) || naive.starts_with(&ours));
            }
            Err(()) => prop_assert!(result.is_err()),
        }
    }
}
