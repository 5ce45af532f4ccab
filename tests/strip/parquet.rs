//! Parquet on the real binary: tables as pandas, Spark and others write them, damage, and the way
//! out and in again.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::Value;

use super::{hydrant, ids, numbers, strip, tweet};

/// The cells of a column; none: it is missing.
enum Cells {
    Numbers(Vec<Option<i64>>),
    Floats(Vec<Option<f64>>),
    Texts(Vec<Option<ByteArray>>),
}

fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Cells {
    let bytes = values.into_iter().map(|value| Some(value.to_string().into_bytes().into()));
    Cells::Texts(bytes.collect())
}

fn whole(values: impl IntoIterator<Item = u64>) -> Cells {
    Cells::Numbers(values.into_iter().map(|value| Some(value as i64)).collect())
}

/// A Parquet file of row groups with the columns of `schema`.
fn written(schema: &str, properties: WriterProperties, groups: Vec<Vec<Cells>>) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, schema, Arc::new(properties)).unwrap();
    for columns in groups {
        let mut group = writer.next_row_group().unwrap();
        for cells in columns {
            let mut column = group.next_column().unwrap().unwrap();
            macro_rules! write {
                ($type:ty, $cells:expr) => {{
                    let levels: Vec<i16> =
                        $cells.iter().map(|cell| cell.is_some().into()).collect();
                    let values: Vec<_> = $cells.into_iter().flatten().collect();
                    column.typed::<$type>().write_batch(&values, Some(&levels), None).unwrap();
                }};
            }
            match cells {
                Cells::Numbers(cells) => write!(Int64Type, cells),
                Cells::Floats(cells) => write!(DoubleType, cells),
                Cells::Texts(cells) => write!(ByteArrayType, cells),
            }
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    file
}

fn usual() -> WriterProperties {
    WriterProperties::builder().set_compression(Compression::SNAPPY).build()
}

const TWEETS: &str = "message t {
    optional int64 id (INTEGER(64, false));
    optional binary text (STRING);
    optional int64 author_id;
}";

/// Made-up IDs in order, a second apart.
fn made(first: u64, count: u64) -> Vec<u64> {
    (first..first + count).map(|n| ((300_000_000_000 + n * 1_000) << 22) | (n % 4_096)).collect()
}

fn tweets_file(properties: WriterProperties) -> Vec<u8> {
    let group = |first| {
        let text = "made up, \"quoted\"\nand on a second line, ";
        vec![whole(made(first, 500)), texts((0..500).map(|n| format!("{text}{n}"))), whole(7..507)]
    };
    written(TWEETS, properties, vec![group(0), group(500), group(1_000)])
}

/// Strips a file of these bytes by its name.
fn stripped(arguments: &[&str], file: &[u8]) -> (Vec<u64>, Value, i32) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    fs::write(&path, file).unwrap();
    let path = path.to_str().unwrap();
    let output = hydrant(&[&["--json"], arguments, &[path]].concat()).output().unwrap();
    let report = serde_json::from_slice(&output.stderr)
        .unwrap_or_else(|_| String::from_utf8_lossy(&output.stderr).into_owned().into());
    (numbers(&output.stdout), report, output.status.code().unwrap())
}

#[test]
fn ids_come_whole_out_of_every_packing_version_and_row_group() {
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::LZ4_RAW,
        Compression::ZSTD(Default::default()),
    ] {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for dictionary in [true, false] {
                let properties = WriterProperties::builder()
                    .set_compression(compression)
                    .set_writer_version(version)
                    .set_dictionary_enabled(dictionary)
                    .set_data_page_size_limit(2_000)
                    .set_data_page_row_count_limit(100)
                    .build();
                let file = tweets_file(properties);
                let (found, report, code) = stripped(&[], &file);
                assert_eq!(code, 0, "{report}");
                assert_eq!(found, made(0, 1_500), "{compression} {version:?}");
                let source = &report["sources"][0];
                assert_eq!(source["encodings"], serde_json::json!(["parquet"]), "{report}");
                let (users, _, _) = stripped(&["--ids", "user"], &file);
                assert_eq!(users.len(), 1_500);
                assert_eq!(users[..3], [7, 8, 9]);
            }
        }
    }
}

#[test]
fn texts_numbers_and_names_of_tools_are_understood() {
    let schema = "message t { optional binary tweet_id (STRING); optional binary created_at; }";
    let expected = made(0, 40);
    let (found, _, code) =
        stripped(&[], &written(schema, usual(), vec![vec![texts(&expected), texts(0..40)]]));
    assert_eq!((found, code), (expected.clone(), 0));
    // One column alone is a list, whose kind has to be said.
    let alone = written("message t { required int64 id; }", usual(), vec![]);
    assert_eq!(stripped(&["--ids", "tweet"], &alone).0, [0; 0]);
    let alone = "message t { optional int64 ids; }";
    let alone = written(alone, usual(), vec![vec![whole(expected.clone())]]);
    let (found, report, code) = stripped(&["--ids", "tweet"], &alone);
    assert_eq!((found, code), (expected, 0), "{report}");
}

#[test]
fn numbers_of_floating_point_are_refused_and_counted_each() {
    let schema = "message t { optional double id; optional int64 author_id; }";
    let floats = made(0, 30).into_iter().map(|id| Some(id as f64)).chain([None, Some(f64::NAN)]);
    let file = written(schema, usual(), vec![vec![Cells::Floats(floats.collect()), whole(1..33)]]);
    let (found, report, code) = stripped(&[], &file);
    assert_eq!((found.len(), code), (0, 3), "{report}");
    let mangled = report["reasons"].as_array().unwrap();
    let mangled = mangled.iter().find(|row| row["reason"] == "mangled").unwrap();
    assert_eq!(mangled["count"], 30, "{report}");
    assert_ne!(stripped(&["--strict"], &file).2, 0);
    let (users, _, _) = stripped(&["--ids", "user"], &file);
    assert_eq!(users.len(), 32);
}

#[test]
fn an_id_that_is_missing_is_told_with_its_row() {
    let mut cells: Vec<Option<i64>> = made(0, 10).into_iter().map(|id| Some(id as i64)).collect();
    cells[4] = None;
    let texts = texts((0..10).map(|n| format!("made\nup {n}")));
    let columns = vec![Cells::Numbers(cells), texts, whole(1..11)];
    let (found, report, _) = stripped(&[], &written(TWEETS, usual(), vec![columns]));
    assert_eq!(found.len(), 9, "{report}");
    let reasons = report["reasons"].as_array().unwrap();
    let place = &reasons[0]["first"][0];
    assert_eq!(place["line"], 6, "a line each, the header first: {report}");
}

#[test]
fn times_convict_ids_of_another_second() {
    let schema = "message t {
        optional int64 id; optional int64 author_id;
        optional int64 created_at (TIMESTAMP(MICROS, true)); }";
    let made = made(0, 30);
    let times = made.iter().map(|id| ((id >> 22) + 1_288_834_974_657) * 1_000);
    let mut times: Vec<u64> = times.collect();
    let good = written(
        schema,
        usual(),
        vec![vec![whole(made.clone()), whole(1..31), whole(times.clone())]],
    );
    let (found, report, code) = stripped(&[], &good);
    assert_eq!((found, code), (made.clone(), 0), "{report}");
    times[7] += 60_000_000;
    let columns = vec![whole(made), whole(1..31), whole(times)];
    let (_, report, _) = stripped(&[], &written(schema, usual(), vec![columns]));
    assert!(!report["reasons"].as_array().unwrap().is_empty(), "{report}");
}

#[test]
fn a_file_from_a_pipe_or_an_archive_is_spooled_within_a_bound() {
    let file = tweets_file(usual());
    assert_eq!(ids(&[], &file), (made(0, 1_500), 0));
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for name in ["a.parquet", "b.jsonl"] {
        zip.start_file(name, options).unwrap();
        let bytes = if name == "a.parquet" { file.clone() } else { tweet(20).into_bytes() };
        std::io::Write::write_all(&mut zip, &bytes).unwrap();
    }
    let zip = zip.finish().unwrap().into_inner();
    let (found, code) = ids(&[], &zip);
    assert_eq!((found.len(), found[1_500], code), (1_501, 20, 0));
    let refused = strip(&["--bound", "spool-bytes=1000"], &file);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("the bound `spool-bytes`"), "{said}");
}

#[test]
fn a_damaged_row_group_costs_no_other_one() {
    let file = tweets_file(usual());
    let text = file.windows(7).position(|at| at == b"made up").unwrap();
    let mut damaged = file.clone();
    // The first page of IDs stands before the first texts.
    damaged[4..text].fill(0xEE);
    let (found, report, code) = stripped(&[], &damaged);
    assert_eq!((found, code), (made(500, 1_000), 3), "{report}");
    let place = &report["reasons"][0];
    assert_eq!((&place["reason"], &place["count"]), (&"container".into(), &1.into()), "{report}");
    assert_eq!(place["first"][0]["line"], 2, "its first row");
    // Without its end a file says nothing.
    let (found, report, code) = stripped(&[], &file[..file.len() - 20]);
    assert_eq!((found.len(), code), (0, 3), "{report}");
    assert_eq!(report["reasons"][0]["reason"], "container", "{report}");
}

#[test]
fn a_page_that_swells_beyond_the_bound_ends_the_strip() {
    let schema = "message t { optional binary id (STRING); optional binary author_id (STRING); }";
    for compression in [Compression::GZIP(Default::default()), Compression::SNAPPY] {
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_dictionary_enabled(false)
            .build();
        let columns = vec![texts(["7".repeat(3 << 20)]), texts([7])];
        let file = written(schema, properties, vec![columns]);
        let (_, said, code) = stripped(&["--bound", "window-bytes=1048576"], &file);
        assert_eq!(code, 1, "{said}");
        assert!(said.to_string().contains("window-bytes"), "{said}");
    }
}

#[test]
fn a_long_text_that_every_row_names_takes_no_memory_for_each() {
    let schema = "message t { optional binary id (STRING); optional int64 author_id; }";
    let long = format!("https://x.com/a/status/{}", "7".repeat(1 << 20));
    // All share one text.
    let long = ByteArray::from(bytes::Bytes::from(long));
    let columns = vec![Cells::Texts(vec![Some(long); 20_000]), whole(1..20_001)];
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_dictionary_page_size_limit(8 << 20)
        .build();
    let file = written(schema, properties, vec![columns]);
    assert!(file.len() < 3 << 20, "it stands there once");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    fs::write(&path, file).unwrap();
    // Twenty gigabytes of text, within 300 MB of addresses.
    let limit = format!(
        "ulimit -v 300000; exec {} strip {}",
        env!("CARGO_BIN_EXE_hydrant"),
        path.display()
    );
    let output = std::process::Command::new("sh").args(["-c", &limit]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
}

#[test]
fn what_goes_out_as_parquet_comes_in_again() {
    let count = 300_000;
    let list: String = made(0, count).iter().map(|id| format!("{id}\n")).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.parquet");
    let path_name = path.to_str().unwrap();
    let arguments = ["--ids", "tweet", "--as", "parquet", "-o", path_name];
    let output = strip(&arguments, list.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let again = hydrant(&[path_name]).output().unwrap();
    assert_eq!(numbers(&again.stdout), made(0, count));
    assert_eq!(column_type(&path), PhysicalType::BYTE_ARRAY, "texts keep their digits");
    let empty = strip(&["--ids", "tweet", "--as", "parquet"], b"");
    let (found, report, _) = stripped(&[], &empty.stdout);
    assert!(found.is_empty(), "{report}");
}

fn column_type(path: &Path) -> PhysicalType {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let file = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let schema = file.metadata().file_metadata().schema_descr();
    let column = schema.column(0);
    assert_eq!(column.name(), "tweet_id");
    assert_eq!(column.self_type().get_basic_info().repetition(), Repetition::REQUIRED);
    column.physical_type()
}
