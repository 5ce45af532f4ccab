//! XLSX files as openpyxl reads them.

use super::*;
use crate::export::file::feed::Feed;
use crate::export::file::xlsx::{Limits, write_within};

/// Reads a workbook with openpyxl, undoing the escapes of ISO/IEC 29500-1, 22.9.2.19, where
/// openpyxl leaves them.
pub(super) const READ_XLSX: &str = r#"
import io, json, openpyxl, re, sys
book = openpyxl.load_workbook(io.BytesIO(open(sys.argv[1], "rb").read()))
def plain(cell):
    if cell.value is None: return ""
    if isinstance(cell.value, (int, float)): return str(cell.value)
    assert cell.data_type in "sn" and isinstance(cell.value, str), (cell.data_type, cell.value)
    return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), cell.value)
def table(sheet):
    rows = list(sheet.iter_rows())
    names = [cell.value for cell in rows[0] if cell.value]
    found = []
    for row in rows[1:]:
        cells = {name: plain(cell) for name, cell in zip(names, row)}
        cells["beside"] = [plain(cell) for cell in row[len(names):] if cell.value is not None]
        cells["links"] = [cell.hyperlink.target for cell in row if cell.hyperlink]
        cells["formats"] = [row[0].number_format, row[0].data_type]
        found.append(cells)
    return found
names = book.sheetnames
print(json.dumps({
    "names": names,
    "frozen": [book[name].freeze_panes for name in names],
    "widths": [book[name].column_dimensions["A"].width for name in names],
    "title": book.properties.title,
    "cover": [[plain(cell) for cell in row] for row in book[names[0]].iter_rows()],
    "tweets": sum((table(book[name]) for name in names if name.startswith("Tweets")), []),
    "users": sum((table(book[name]) for name in names if name.startswith("Users")), []),
}))
"#;

#[test]
fn openpyxl_reads_an_xlsx_file_and_finds_every_text_and_id() {
    let objects = odd_objects();
    let (written, file) = written(Format::Xlsx, &cover(&objects), &objects).unwrap();
    assert_eq!((written.container.extension, written.parts), ("xlsx", 1));
    let said = reader(READ_XLSX, &file);
    check_rows(&said, &objects);
    assert_eq!(said["names"], serde_json::json!(["About this file", "Tweets", "Users"]));
    assert_eq!(said["frozen"], serde_json::json!([null, "A2", "A2"]));
    assert!(said["widths"][1].as_f64().unwrap() > 20.0, "{}", said["widths"]);
    assert_eq!(said["title"], "A made-up dataset");
    assert_eq!(said["cover"][0], serde_json::json!(["Title", "A made-up dataset"]));
    for row in said["tweets"].as_array().unwrap() {
        assert_eq!(row["formats"], serde_json::json!(["@", "s"]));
        assert_eq!(row["links"][0], row["permalink"]);
        assert_eq!(row["beside"], serde_json::json!([]));
    }
}

#[test]
fn a_sheet_that_is_full_is_followed_by_another() {
    let objects: Vec<Object> =
        (0..7).map(|minutes| Object::Tweet(tweet(minutes, "made up").into())).collect();
    let cover = cover(&objects);
    let options = Options::default();
    let job = Job { cover: &cover, zone: TimeZone::UTC, options: &options };
    for (rows_max, sheets) in [(8, 1), (7, 2), (4, 3), (5, 2)] {
        let (mut feed, mut ignored) = (objects.iter().cloned().map(Ok), |_| ());
        let feed = Feed::new(&cover, &mut feed, &mut ignored);
        let mut out = tempfile::tempfile().unwrap();
        write_within(Limits { rows_max, links_max: 2 }, feed, &job, &mut out).unwrap();
        out.rewind().unwrap();
        let said = reader(READ_XLSX, &out);
        check_rows(&said, &objects);
        assert_eq!(said["names"].as_array().unwrap().len(), 1 + sheets, "{rows_max}");
        let links = said["tweets"].as_array().unwrap().iter();
        let links = links.filter(|row| row["links"] != serde_json::json!([])).count();
        let expected = (0..7).filter(|place| place % (rows_max - 1) < 2).count();
        assert_eq!(links, expected, "{rows_max}");
    }
}

#[test]
fn a_text_that_no_cell_holds_goes_on_beside_the_table() {
    let text = format!("=1{}", "🐦".repeat(40_000));
    let objects = [Object::Tweet(tweet(0, &text).into())];
    let (_, file) = written(Format::Xlsx, &cover(&objects), &objects).unwrap();
    let said = reader(READ_XLSX, &file);
    let row = &said["tweets"][0];
    let beside: Vec<&str> =
        row["beside"].as_array().unwrap().iter().map(|cell| cell.as_str().unwrap()).collect();
    assert_eq!(beside.len(), 3);
    let whole = format!("{}{}{}", row["text"].as_str().unwrap(), beside[1], beside[2]);
    assert!(whole == text);
}
