//! The fuzz targets with a fixed seed: every sample of `tests/data/strip`, packed in every way and
//! then damaged at random. `cargo fuzz run --fuzz-dir tests/fuzz NAME` goes on from here.

#[path = "../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use targets::{TARGETS, out, survives};

/// How often each target is tried.
const CASES: usize = 150;

/// Numbers that look like chance, and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// The samples of formats, by their names.
fn samples() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/strip");
    let mut samples: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none_or(|ending| ending != "tsv"))
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())
        })
        .collect();
    samples.sort();
    assert!(samples.len() > 30, "{} samples", samples.len());
    samples
}

fn tar(bytes: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..6].copy_from_slice(b"a.json");
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let padding = vec![0; bytes.len().next_multiple_of(512) - bytes.len() + 1_024];
    [&header[..], bytes, &padding].concat()
}

fn warc(bytes: &[u8]) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
    let block = [head.as_bytes(), bytes].concat();
    let about = "Content-Type: application/http; msgtype=response\r\n";
    let length = block.len();
    let record =
        format!("WARC/1.0\r\nWARC-Type: response\r\n{about}Content-Length: {length}\r\n\r\n");
    [record.as_bytes(), &block, b"\r\n\r\n"].concat()
}

#[cfg(feature = "parquet")]
fn parquet(bytes: &[u8]) -> Vec<u8> {
    use hydrant::base::ids::IdKind;
    let mut file = Vec::new();
    let form = hydrant::pipeline::encode::output("parquet").unwrap();
    let mut encode = (form.begin)(IdKind::Tweet, &mut file);
    for id in bytes.chunks(4) {
        let id = id.iter().fold(0, |id, byte| id << 8 | u64::from(*byte));
        encode.push(1_000_000_000_000_000_000 + id, &mut file).unwrap();
    }
    encode.finish(&mut file).unwrap();
    file
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: &[u8]) -> Vec<u8> {
    b"PAR1".to_vec()
}

/// A sample as `target` reads it.
fn packed(target: &str, bytes: &[u8]) -> Vec<u8> {
    match target {
        "gzip" => {
            let level = flate2::Compression::fast();
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap()
        }
        "bzip2" => {
            let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap()
        }
        "zstd" => zstd::encode_all(bytes, 1).unwrap(),
        "xz" => {
            let mut writer = liblzma::write::XzEncoder::new(Vec::new(), 1);
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap()
        }
        "zip" => {
            let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
            zip.start_file("a.json", zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
            zip.finish().unwrap().into_inner()
        }
        "tar" => tar(bytes),
        "warc" => warc(bytes),
        "parquet" => parquet(bytes),
        "utf-16" => {
            let text = String::from_utf8_lossy(bytes);
            let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
            units.flat_map(u16::to_le_bytes).collect()
        }
        _ => bytes.to_vec(),
    }
}

/// Damages `bytes` in one of the ways in which files are.
fn damage(bytes: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    let at = chance.below(bytes.len());
    match chance.below(7) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(..at)),
        2 => bytes.insert(at, chance.below(256) as u8),
        3 => {
            let again = bytes[at..(at + chance.below(64)).min(bytes.len())].to_vec();
            bytes.splice(at..at, again);
        }
        4 => {
            let from = chance.below(other.len());
            bytes.splice(at.., other[from..].iter().copied());
        }
        5 if !bytes.is_empty() => bytes[at] ^= 1 << chance.below(8),
        _ if !bytes.is_empty() => {
            const SIGNS: &[u8] = b"\"\\{}[],:\n\r\0 0123456789eE.-\xFF\xC3";
            bytes[at] = SIGNS[chance.below(SIGNS.len())];
        }
        _ => {}
    }
}

#[test]
fn any_damage_is_survived_and_gives_every_number_of_threads_the_same() {
    let samples = samples();
    let mut chance = Chance(0x2545_F491_4F6C_DD1D);
    for target in TARGETS {
        let seeds: Vec<Vec<u8>> =
            samples.iter().map(|(_, bytes)| packed(target.name, bytes)).collect();
        for _ in 0..CASES {
            let mut bytes = seeds[chance.below(seeds.len())].clone();
            for _ in 0..=chance.below(4) {
                let other = &seeds[chance.below(seeds.len())];
                damage(&mut bytes, other, &mut chance);
            }
            survives(target.name, &bytes);
        }
    }
}

#[test]
fn packing_changes_nothing() {
    let told = TARGETS.iter().find(|target| target.name == "any").unwrap();
    for (name, bytes) in samples() {
        let plain = out(told, &bytes, 1);
        for target in ["gzip", "bzip2", "zstd", "xz", "zip", "tar", "warc"] {
            let packed = out(told, &packed(target, &bytes), 2);
            assert_eq!(packed.ids(), plain.ids(), "{name} in {target}");
        }
    }
}
