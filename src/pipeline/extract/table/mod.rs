//! The lane of tables: rows under a header whose names tell the columns. Cells may hold line
//! feeds, so a row ends where its quotes say. The formats are `twarc` and `tool`.
//!
//! Rows whose quotes leave no doubt are read by masks; any other one cell by cell, and what that
//! says counts.
//!
//! A row that does not fit its header is damaged. If it spans lines, a quote may have swallowed
//! good rows: reading goes on at the next line that begins a row which fits in every way.

mod header;
pub(super) mod tool;
pub(super) mod twarc;

pub(super) use header::{Columns, Header};

use super::harvest::Harvest;
use super::id::{self, Pair};
use super::{FORMATS, Format, More, Task, Window, id_list, row_of, scan, stated};
use crate::base::ids::IdKind;
use crate::pipeline::reason::Reason;
use crate::pipeline::wants::Scope;
use csv_core::ReadRecordResult;

/// The lane of tables.
pub(super) struct Table {
    row: usize,
    header: Header,
    columns: Columns,
    reader: csv_core::Reader,
    cells: Cells,
    /// Room for the ends of a row's cells.
    ends: Vec<usize>,
    before_header: bool,
    /// Whether a row was damaged and the next line that fits is looked for.
    lost: bool,
}

/// The cells of one row.
struct Cells {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

impl Cells {
    /// The cell of that column without what tools put around an ID.
    fn cell(&self, column: usize) -> &[u8] {
        let start = if column == 0 { 0 } else { self.ends[column - 1] };
        id_list::bare(&self.bytes[start..self.ends[column]])
    }
}

/// What reading one row came to.
enum Row {
    /// It ends before this byte.
    End(usize),
    /// The input ends inside it.
    Incomplete,
}

impl Table {
    pub(super) fn new(format: &'static Format, header: Header, columns: Columns) -> Table {
        let header_cells = header.names.len();
        let reader = csv_core::ReaderBuilder::new().delimiter(header.delimiter).build();
        Table {
            row: row_of(format),
            header,
            columns,
            reader,
            ends: vec![0; header_cells],
            cells: Cells { bytes: vec![0; 4096], ends: vec![0; 256], count: 0 },
            before_header: true,
            lost: false,
        }
    }

    /// One that goes on within this table.
    pub(super) fn within(&self) -> Table {
        let (header, columns) = (self.header.clone(), self.columns.clone());
        Table { before_header: false, ..Table::new(&FORMATS[self.row], header, columns) }
    }

    /// Whether the next row is read as any other.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.before_header && !self.lost
    }

    /// Roles and names of the columns that are read.
    pub(super) fn used_columns(&self) -> Vec<(String, String)> {
        self.columns.named(&self.header)
    }

    /// Uses up whole rows of the window.
    pub(super) fn take(
        &mut self,
        window: &Window<'_>,
        task: &Task,
        formats: &mut [u64; FORMATS.len()],
        harvest: &mut Harvest,
    ) -> usize {
        let mut at = 0;
        while !harvest.is_full() {
            if self.is_at_rest() {
                at = self.swift_rows(window, at, &mut formats[self.row], harvest);
            }
            at = skip_padding(window.input, at);
            if at == window.input.len() {
                break;
            }
            let end = match self.read(window, at) {
                Row::End(end) => end,
                Row::Incomplete if window.may_grow(at, task) => break,
                Row::Incomplete => {
                    at = self.damaged(window, at, window.input.len(), Reason::TooLong, harvest);
                    continue;
                }
            };
            if std::mem::take(&mut self.before_header) {
                at = end;
                continue;
            }
            let raw = &window.input[at..end];
            if let Err(reason) = self.fits(raw, window.more == More::Ended) {
                at = self.damaged(window, at, end, reason, harvest);
                continue;
            }
            self.lost = false;
            harvest.begin(window.byte(at), raw.len());
            formats[self.row] += 1;
            self.columns.ids(|column| self.cells.cell(column), harvest);
            harvest.end();
            at = end;
        }
        at
    }

    /// Uses up whole rows that are as they should be; says where the first one stands that has to
    /// be read cell by cell.
    fn swift_rows(
        &mut self,
        window: &Window<'_>,
        start: usize,
        rows: &mut u64,
        harvest: &mut Harvest,
    ) -> usize {
        let Table { columns, header, ends, .. } = self;
        scan::rows(window.input, start, header.delimiter, ends, |row| {
            let line = row.line();
            let is_padding = matches!(line, [] | [0 | b'\r' | 0xEF, ..]);
            if is_padding || row.cells() != header.names.len() || harvest.is_full() {
                return false;
            }
            if columns.all().any(|column| row.cell(column).is_none()) {
                return false;
            }
            // The line is followed by one byte that ends it, or by the first of two.
            harvest.begin(window.byte(row.start()), line.len() + 1);
            let cell = |column| row.cell(column).unwrap_or_default();
            columns.ids(|column| id_list::bare(cell(column)), harvest);
            harvest.end();
            *rows += 1;
            true
        })
    }

    /// Reads the cells of the row that begins at `at`.
    fn read(&mut self, window: &Window<'_>, at: usize) -> Row {
        let (mut used, mut bytes) = (at, 0);
        self.cells.count = 0;
        loop {
            let (result, read, written, ended) = self.reader.read_record(
                &window.input[used..],
                &mut self.cells.bytes[bytes..],
                &mut self.cells.ends[self.cells.count..],
            );
            used += read;
            bytes += written;
            self.cells.count += ended;
            match result {
                ReadRecordResult::Record => return Row::End(used),
                ReadRecordResult::OutputFull => self.cells.bytes.resize(bytes * 2, 0),
                ReadRecordResult::OutputEndsFull => {
                    self.cells.ends.resize(self.cells.count * 2, 0);
                }
                // An empty input, given once more, tells the reader that nothing comes.
                ReadRecordResult::InputEmpty if window.more == More::Ended => {}
                ReadRecordResult::InputEmpty => {
                    self.reader.reset();
                    return Row::Incomplete;
                }
                ReadRecordResult::End => return Row::End(window.input.len()),
            }
        }
    }

    /// Whether the row in `raw`, whose cells were read, is one of this table.
    fn fits(&self, raw: &[u8], last: bool) -> Result<(), Reason> {
        if self.cells.count != self.header.names.len() {
            return Err(Reason::Ragged);
        }
        let body = raw.trim_ascii_end();
        if (last || memchr::memchr(b'\n', body).is_some()) && !is_well_quoted(body, &self.header) {
            return Err(Reason::Ragged);
        }
        if self.lost {
            let own = self.columns.tweet.or(self.columns.user);
            let is_id = own.is_some_and(|own| id::of_text(self.cells.cell(own)).is_ok());
            return if is_id { Ok(()) } else { Err(Reason::Ragged) };
        }
        Ok(())
    }

    /// Notes the damaged row from `at` to `end`; says where to read on.
    fn damaged(
        &mut self,
        window: &Window<'_>,
        at: usize,
        end: usize,
        reason: Reason,
        harvest: &mut Harvest,
    ) -> usize {
        if !self.lost {
            harvest.begin(window.byte(at), end - at);
            harvest.flag(reason);
        }
        let line_end = memchr::memchr(b'\n', &window.input[at..end]).map(|line| at + line + 1);
        self.lost = self.lost || line_end.is_some_and(|line_end| line_end < end);
        self.reader.reset();
        line_end.unwrap_or(end)
    }
}

impl Columns {
    /// Brings in the IDs of a row whose cells these are.
    #[inline]
    fn ids<'a>(&self, cell: impl Fn(usize) -> &'a [u8], harvest: &mut Harvest) {
        let cell_of = |column: Option<usize>| column.map(&cell).filter(|cell| !cell.is_empty());
        let author = match cell_of(self.user).map(id::of_text) {
            None => Ok(Pair::Absent),
            Some(Err(Reason::NotAnId)) => {
                if harvest.wants(IdKind::User, Scope::Own) {
                    harvest.flag(Reason::Hashed);
                }
                Ok(Pair::Absent)
            }
            Some(read) => read.map(Pair::Agreed),
        };
        if self.tweet.is_some() || self.link.is_some() {
            let (number, text) = (cell_of(self.tweet_number), cell_of(self.tweet));
            let link = cell_of(self.link).and_then(id::of_url);
            let told = id::pair_of_text(number, text);
            let pair = id::beside_link(told, text.or(number), link);
            let pair = stated::at(pair, cell_of(self.time), harvest);
            if pair == Ok(Pair::Absent) && harvest.wants(IdKind::Tweet, Scope::Own) {
                harvest.flag(Reason::Empty);
            }
            harvest.id(IdKind::Tweet, Scope::Own, pair, author.ok().and_then(Pair::id));
        }
        if self.user.is_some() {
            harvest.id(IdKind::User, Scope::Own, author, None);
        }
        if harvest.reaches(Scope::Referenced) {
            for &column in &self.referenced {
                match cell_of(Some(column)).map(id::of_text) {
                    None | Some(Err(Reason::NotAnId)) => {}
                    Some(read) => {
                        let pair = read.map(Pair::Agreed);
                        harvest.id(IdKind::Tweet, Scope::Referenced, pair, None);
                    }
                }
            }
        }
    }
}

/// Skips blank lines, padding and byte order marks of joined files before a row.
fn skip_padding(input: &[u8], mut at: usize) -> usize {
    loop {
        match input.get(at) {
            Some(b'\n' | b'\r' | 0) => at += 1,
            Some(0xEF) if input[at..].starts_with(b"\xEF\xBB\xBF") => at += 3,
            _ => return at,
        }
    }
}

/// Whether each quote of a row opens a cell, closes one, or is doubled inside one.
fn is_well_quoted(row: &[u8], header: &Header) -> bool {
    let mut at = 0;
    while at < row.len() {
        if row[at] == b'"' {
            at += 1;
            loop {
                let Some(quote) = memchr::memchr(b'"', &row[at..]) else { return false };
                at += quote + 1;
                if row.get(at) != Some(&b'"') {
                    break;
                }
                at += 1;
            }
            if row.get(at).is_some_and(|byte| *byte != header.delimiter) {
                return false;
            }
            at += 1;
        } else {
            let cell = &row[at..];
            at += memchr::memchr(header.delimiter, cell).map_or(cell.len(), |end| end + 1);
        }
    }
    true
}
