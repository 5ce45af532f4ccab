//! CSV files as Python's `csv` reads them.

use super::*;

/// Reads a zip of tables with Python's `csv`.
pub(super) const READ_CSV: &str = r#"
import csv, io, json, re, sys, zipfile
csv.field_size_limit(1 << 30)
inside = zipfile.ZipFile(io.BytesIO(open(sys.argv[1], "rb").read()))
assert inside.testzip() is None
def table(name):
    if name not in inside.namelist(): return []
    text = inside.read(name).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    for row in rows:
        for name, cell in row.items():
            assert cell[:1] not in list("=+-@\t\r") or cell == "", cell
            if re.match(r"^'+[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]", cell): row[name] = cell[1:]
    return rows
print(json.dumps({
    "names": inside.namelist(), "cover": inside.read("cover.txt").decode(),
    "made": inside.infolist()[0].date_time,
    "tweets": table("tweets.csv"), "users": table("users.csv"),
}))
"#;

#[test]
fn python_reads_a_csv_file_and_finds_every_text_and_id() {
    let objects = odd_objects();
    let (written, file) = written(Format::Csv, &cover(&objects), &objects).unwrap();
    assert_eq!((written.container.extension, written.parts), ("zip", 2));
    let said = reader(READ_CSV, &file);
    check_rows(&said, &objects);
    assert_eq!(said["tweets"][0]["created_at"], "2027-01-01 01:00:00 +01:00");
    let cover = said["cover"].as_str().unwrap();
    for expected in ["A made-up dataset", "Tweets: 22", "2 of protected accounts", "Europe/Berlin"]
    {
        assert!(cover.contains(expected), "{cover}");
    }
    assert_eq!(said["made"], serde_json::json!([2027, 1, 15, 9, 0, 0]));
}

#[test]
fn ids_that_a_spreadsheet_rounds_are_still_in_the_addresses() {
    let objects = odd_objects();
    let (_, file) = written(Format::Csv, &cover(&objects), &objects).unwrap();
    let said = reader(READ_CSV, &file);
    let mut rounded = 0;
    for row in said["tweets"].as_array().unwrap() {
        for (id, link) in [
            ("tweet_id", "permalink"),
            ("author_id", "author_link"),
            ("reply_to_id", "reply_to_link"),
            ("quote_of_id", "quote_of_link"),
            ("retweet_of_id", "retweet_of_link"),
        ] {
            let (id, link) = (row[id].as_str().unwrap(), row[link].as_str().unwrap());
            // What is left of a cell that was read as a number of double precision.
            let mangled = id.parse::<f64>().map_or(String::new(), |number| format!("{number}"));
            rounded += u32::from(mangled != id);
            assert_eq!(link.rsplit('/').next().unwrap(), id);
        }
    }
    assert!(rounded > 0, "the test rounds");
}
