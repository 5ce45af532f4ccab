//! How an answer is printed: as JSON for programs, as a table for people.

use std::io::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde_json::Value;

use crate::base::date;
pub(crate) use crate::base::number::separated;

/// One column of a table, or one line of a record.
pub(crate) struct Column {
    title: &'static str,
    field: &'static str,
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    Text,
    Date,
    Count { none: &'static str },
}

/// A column of words; a list is shown with commas between.
pub(crate) const fn text(title: &'static str, field: &'static str) -> Column {
    Column { title, field, form: Form::Text }
}

/// A column of times, shown to the minute.
pub(crate) const fn date(title: &'static str, field: &'static str) -> Column {
    Column { title, field, form: Form::Date }
}

/// A column of numbers with separators; `none` stands where there is no number.
pub(crate) const fn count(title: &'static str, field: &'static str, none: &'static str) -> Column {
    Column { title, field, form: Form::Count { none } }
}

/// Prints `value` as it is.
pub(crate) fn json(value: &Value) -> anyhow::Result<()> {
    print(&format!("{value:#}"))
}

/// Prints a list as a table with one row for each element.
pub(crate) fn table(rows: &[Value], columns: &[Column]) -> anyhow::Result<()> {
    let mut table = bare();
    table.set_header(columns.iter().map(|column| column.title.to_uppercase()));
    for row in rows {
        table.add_row(columns.iter().map(|column| column.of(row)));
    }
    for (shown, column) in table.column_iter_mut().zip(columns) {
        if matches!(column.form, Form::Count { .. }) {
            shown.set_cell_alignment(CellAlignment::Right);
        }
    }
    print_table(table)
}

/// Prints one thing, a line for each of its fields that is there.
pub(crate) fn record(value: &Value, columns: &[Column]) -> anyhow::Result<()> {
    let mut table = bare();
    for column in columns {
        let shown = column.of(value);
        if !shown.is_empty() {
            table.add_row([column.title.to_owned(), shown]);
        }
    }
    print_table(table)
}

/// Prints one line or several on stdout, with a line feed at the end.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    // Not `println!`, which panics when nobody reads any more.
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(())
}

/// The text in a field of an answer; empty if there is none.
pub(crate) fn field<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The elements of a list in an answer.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A time of an answer to the minute.
pub(crate) fn minute(rfc3339: &str) -> String {
    let time = rfc3339.parse::<Timestamp>();
    time.map_or_else(|_| rfc3339.to_owned(), |time| date::minute(time.as_millisecond()))
}

/// The end of an answer as words after a verb, as [`date::until`] has them.
pub(crate) fn until(rfc3339: &str) -> String {
    let time = rfc3339.parse::<Timestamp>();
    time.map_or_else(|_| rfc3339.to_owned(), |time| date::until(time.as_millisecond()))
}

impl Column {
    fn of(&self, row: &Value) -> String {
        let value = &row[self.field];
        match (self.form, value) {
            (Form::Count { none }, Value::Null) => none.to_owned(),
            (_, Value::Null) => String::new(),
            (Form::Count { .. }, value) => value.as_u64().map(separated).unwrap_or_default(),
            (Form::Date, Value::String(time)) => minute(time),
            (_, Value::String(text)) => text.clone(),
            (_, Value::Array(texts)) => {
                texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
            }
            (_, value) => value.to_string(),
        }
    }
}

/// A table without lines, which people read and `awk` too.
fn bare() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table
}

/// Columns stand two spaces apart and begin at the edge.
fn print_table(mut table: Table) -> anyhow::Result<()> {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    print(&table.trim_fmt())
}
