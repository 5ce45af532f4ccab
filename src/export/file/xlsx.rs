//! XLSX files for spreadsheets: typed strings for IDs and texts, so that nothing is rounded or
//! calculated, and rows that leave memory as they are written.

use std::fs::File;

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, Url, Workbook, Worksheet, XlsxError,
};

use super::column::{Column, TWEETS, USERS, Value};
use super::feed::Feed;
use super::{Container, Job, WriteError, Written};

pub(super) const XLSX: Container = Container {
    extension: "xlsx",
    media_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};

/// What a sheet can hold in Excel and its kin.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) rows_max: u32,
    pub(super) links_max: u32,
}

/// Excel's limits: rows of a sheet with its header, links of a sheet.
const EXCEL: Limits = Limits { rows_max: 1_048_576, links_max: 65_530 };

/// How many UTF-16 units a cell holds.
const CELL_UNITS_MAX: usize = 32_767;

/// How many UTF-16 units a link may have.
const LINK_UNITS_MAX: usize = 2_080;

/// What stands beside the last column where a text goes on that no cell holds.
const GOES_ON: &str = "a long text goes on here:";

/// The looks of cells.
struct Looks {
    head: Format,
    /// A number format of text: an ID that somebody edits stays text.
    id: Format,
    /// Marked as if typed after an apostrophe: a text that somebody edits becomes no formula.
    text: Format,
    link: Format,
    wrapped: Format,
}

/// Writes a workbook: the cover sheet, then as many sheets as the rows need.
pub(super) fn write(feed: Feed<'_>, job: &Job<'_>, out: &mut File) -> Result<Written, WriteError> {
    write_within(EXCEL, feed, job, out)
}

pub(super) fn write_within(
    limits: Limits,
    mut feed: Feed<'_>,
    job: &Job<'_>,
    out: &mut File,
) -> Result<Written, WriteError> {
    let looks = Looks {
        head: Format::new().set_bold(),
        id: Format::new().set_num_format("@"),
        text: Format::new().set_quote_prefix(),
        link: Format::new().set_hyperlink(),
        wrapped: Format::new().set_text_wrap().set_align(FormatAlign::Top),
    };
    let mut workbook = Workbook::new();
    workbook.set_tempdir(&job.options.folder)?;
    workbook.set_properties(&properties(job)?);
    write_cover(&mut workbook, &looks, job)?;
    let mut tables = Tables { workbook: &mut workbook, looks: &looks, job, limits };
    let tweets = format!("{}s", job.cover.platform.word);
    if job.cover.tweets > 0 {
        tables.write(&tweets, TWEETS, || feed.tweet())?;
    }
    if job.cover.users > 0 {
        tables.write("Users", USERS, || feed.user())?;
    }
    feed.finish()?;
    workbook.save_to_writer(out)?;
    Ok(Written { container: XLSX, parts: 1, missing_glyphs: 0 })
}

fn properties(job: &Job<'_>) -> Result<DocProperties, XlsxError> {
    let made = ExcelDateTime::from_timestamp(job.cover.made_ms.div_euclid(1_000))?;
    Ok(DocProperties::new().set_title(&job.cover.title).set_creation_datetime(&made))
}

fn write_cover(workbook: &mut Workbook, looks: &Looks, job: &Job<'_>) -> Result<(), WriteError> {
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    sheet.set_name("About this file")?.set_column_width(0, 24)?.set_column_width(1, 100)?;
    for (row, (name, text)) in (0..).zip(job.cover.rows(&job.zone)) {
        sheet.write_string_with_format(row, 0, name, &looks.head)?;
        for (column, piece) in (1..).zip(pieces(&text)) {
            sheet.write_string_with_format(row, column, piece, &looks.wrapped)?;
        }
    }
    Ok(())
}

struct Tables<'a> {
    workbook: &'a mut Workbook,
    looks: &'a Looks,
    job: &'a Job<'a>,
    limits: Limits,
}

impl Tables<'_> {
    /// Writes a table; where a sheet is full, another begins.
    fn write<T>(
        &mut self,
        name: &str,
        columns: &[Column<T>],
        mut next: impl FnMut() -> Result<Option<Box<T>>, WriteError>,
    ) -> Result<(), WriteError> {
        let mut waiting = next()?;
        for number in 1.. {
            let name = if number == 1 { name.to_owned() } else { format!("{name} {number}") };
            let sheet = self.workbook.add_worksheet_with_constant_memory()?;
            sheet.set_name(name)?;
            write_head(sheet, columns, &self.looks.head)?;
            for row in 1..self.limits.rows_max {
                let Some(object) = waiting else { return Ok(()) };
                let is_linked = row <= self.limits.links_max;
                write_row(sheet, row, columns, &object, is_linked, self.looks, self.job)?;
                waiting = next()?;
            }
            if waiting.is_none() {
                break;
            }
        }
        Ok(())
    }
}

fn write_head<T>(
    sheet: &mut Worksheet,
    columns: &[Column<T>],
    look: &Format,
) -> Result<(), XlsxError> {
    for (number, column) in (0..).zip(columns) {
        sheet.set_column_width(number, column.width)?;
        sheet.write_string_with_format(0, number, column.name, look)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

fn write_row<T>(
    sheet: &mut Worksheet,
    row: u32,
    columns: &[Column<T>],
    object: &T,
    is_linked: bool,
    looks: &Looks,
    job: &Job<'_>,
) -> Result<(), XlsxError> {
    let mut beside = columns.len() as u16;
    for (number, column) in (0..).zip(columns) {
        match (column.value)(object, job) {
            Value::Empty => {}
            Value::Id(id) => {
                let mut digits = itoa::Buffer::new();
                sheet.write_string_with_format(row, number, digits.format(id), &looks.id)?;
            }
            Value::Count(count) => {
                sheet.write_number(row, number, count as f64)?;
            }
            Value::Word(word) => {
                sheet.write_string(row, number, word)?;
            }
            Value::Permalink(link) if is_linked && utf16_units(&link) <= LINK_UNITS_MAX => {
                sheet.write_url_with_format(row, number, Url::new(link), &looks.link)?;
            }
            Value::Permalink(link) | Value::Link(link) => {
                sheet.write_string(row, number, link)?;
            }
            Value::Text(text) => {
                let mut pieces = pieces(&text);
                let first = pieces.next().unwrap_or_default();
                sheet.write_string_with_format(row, number, first, &looks.text)?;
                let rest: Vec<&str> = pieces.collect();
                let goes_on = (!rest.is_empty()).then_some(GOES_ON);
                for piece in goes_on.into_iter().chain(rest) {
                    sheet.write_string_with_format(row, beside, piece, &looks.text)?;
                    beside += 1;
                }
            }
        }
    }
    Ok(())
}

fn utf16_units(text: &str) -> usize {
    // A text has no more UTF-16 units than bytes, which are counted faster.
    if text.len() <= LINK_UNITS_MAX { text.len() } else { text.encode_utf16().count() }
}

/// The text in pieces that each fit a cell.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if rest.len() <= CELL_UNITS_MAX {
            return Some(std::mem::take(&mut rest));
        }
        let mut units = 0;
        let fits = |(_, letter): &(usize, char)| {
            units += letter.len_utf16();
            units > CELL_UNITS_MAX
        };
        let end = rest.char_indices().find(fits).map_or(rest.len(), |(place, _)| place);
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_fit_a_cell_and_lose_nothing() {
        for text in ["", "short", &"ä".repeat(32_767), &"🐦".repeat(40_000), &"a".repeat(32_768)]
        {
            let all: Vec<&str> = pieces(text).collect();
            assert_eq!(all.concat(), text);
            for piece in all {
                assert!(piece.encode_utf16().count() <= CELL_UNITS_MAX);
            }
        }
    }
}
