//! CSV files (RFC 4180, UTF-8) in a zip with the cover sheet.
//!
//! Two things are for those who open them in a spreadsheet all the same. The files begin with a
//! byte order mark: without it Excel shows every letter beyond ASCII wrong and says nothing, while
//! a program that does not expect the mark fails at the first column's name. And no cell begins
//! like a formula: where a text does, an apostrophe stands before it. A spreadsheet rounds IDs of
//! more than 15 digits; the addresses beside them hold them as well.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::column::{Column, TWEETS, USERS, Value};
use super::feed::Feed;
use super::{Job, WriteError, Written, ZIP};

/// What tells a spreadsheet that the text is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What the cover sheet adds for readers of CSV files.
const NOTES: &[&str] = &[
    "The tables are UTF-8 and begin with a byte order mark (Python: encoding=\"utf-8-sig\").",
    "A cell that a spreadsheet would take for a formula has an apostrophe before it. Programs: \
     where a cell matches ^'+[=+\\-@\\t\\r\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}], take its first \
     character away.",
    "Spreadsheets round the IDs in these tables: open the XLSX file in a spreadsheet instead, or \
     take the IDs from the addresses beside them.",
];

/// Objects per file from which one may be larger than 4 GiB, at 16 KiB each.
const LARGE_OBJECTS: u64 = 262_144;

/// Writes a zip of `cover.txt`, `tweets.csv` and `users.csv`; a table without rows is left out.
pub(super) fn write(
    mut feed: Feed<'_>,
    job: &Job<'_>,
    out: &mut File,
) -> Result<Written, WriteError> {
    let mut zip = ZipWriter::new(BufWriter::with_capacity(1 << 16, out));
    let options = entry_options(job);
    zip.start_file("cover.txt", options)?;
    zip.write_all(cover_text(job).as_bytes())?;
    let mut parts = 0;
    if job.cover.tweets > 0 {
        zip.start_file("tweets.csv", options)?;
        write_table(&mut zip, TWEETS, || feed.tweet(), job)?;
        parts += 1;
    }
    if job.cover.users > 0 {
        zip.start_file("users.csv", options)?;
        write_table(&mut zip, USERS, || feed.user(), job)?;
        parts += 1;
    }
    feed.finish()?;
    zip.finish()?.flush()?;
    Ok(Written { container: ZIP, parts, missing_glyphs: 0 })
}

/// How the files of a zip are stored: compressed, with the time at which they were made.
pub(super) fn entry_options(job: &Job<'_>) -> SimpleFileOptions {
    let made = jiff::Timestamp::from_millisecond(job.cover.made_ms).unwrap_or_default();
    let made = made.to_zoned_datetime(job.zone.clone());
    // A zip knows the years from 1980 to 2107.
    let made = DateTime::from_date_and_time(
        u16::try_from(made.year()).unwrap_or_default(),
        made.month() as u8,
        made.day() as u8,
        made.hour() as u8,
        made.minute() as u8,
        made.second() as u8,
    );
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(made.unwrap_or_default())
        .unix_permissions(0o644)
        .large_file(job.cover.tweets + job.cover.users >= LARGE_OBJECTS)
}

fn cover_text(job: &Job<'_>) -> String {
    let rows = job.cover.rows(&job.zone);
    let widest = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut sheet = String::new();
    for (name, text) in &rows {
        // A text of several lines stays beside its name.
        for (place, line) in text.lines().enumerate() {
            let name = if place == 0 { name } else { "" };
            let row = format!("{name:widest$}  {line}");
            sheet += row.trim_end();
            sheet.push('\n');
        }
    }
    for note in NOTES {
        sheet += &format!("\n{note}\n");
    }
    sheet
}

fn write_table<T>(
    out: &mut impl Write,
    columns: &[Column<T>],
    mut next: impl FnMut() -> Result<Option<Box<T>>, WriteError>,
    job: &Job<'_>,
) -> Result<(), WriteError> {
    out.write_all(BYTE_ORDER_MARK.as_bytes())?;
    let mut table = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .buffer_capacity(1 << 16)
        .from_writer(out);
    table.write_record(columns.iter().map(|column| column.name)).map_err(into_io)?;
    while let Some(object) = next()? {
        for column in columns {
            match (column.value)(&object, job) {
                Value::Empty => table.write_field(""),
                Value::Id(number) | Value::Count(number) => {
                    table.write_field(itoa::Buffer::new().format(number))
                }
                Value::Text(text) => table.write_field(inert(&text).as_bytes()),
                Value::Word(word) => table.write_field(word.as_bytes()),
                Value::Permalink(link) | Value::Link(link) => table.write_field(link),
            }
            .map_err(into_io)?;
        }
        table.write_record(None::<&[u8]>).map_err(into_io)?;
    }
    table.flush()?;
    Ok(())
}

fn into_io(error: csv::Error) -> io::Error {
    error.into()
}

/// The text as no spreadsheet takes it for a formula: with an apostrophe before it, if it begins
/// like one. So does a text that begins like one after apostrophes, so that whoever takes one away
/// has the text again, whatever it was.
pub(in crate::export) fn inert(text: &str) -> Cow<'_, str> {
    // The wide forms of these signs begin formulas where a Chinese or Japanese keyboard is usual.
    const BEGINNINGS: &[char] =
        &['=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    if text.trim_start_matches('\'').starts_with(BEGINNINGS) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_begins_like_a_formula_and_each_can_be_had_again() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-1", "'-1"),
            ("@made_up hello", "'@made_up hello"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("＝1", "'＝1"),
            ("'=1", "''=1"),
            ("'tis", "'tis"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(inert(text), expected, "{text:?}");
        }
    }
}
