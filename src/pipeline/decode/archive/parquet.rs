//! Parquet files as tables: their rows as CSV under a header of all columns that are no lists, so
//! that they take the lane of tables. Cells of columns that no format looks at are left empty.
//!
//! A file is read from its end, so it has to lie on a disk: one that comes out of an archive or a
//! pipe is spooled first. Row groups stand alone: one that is damaged ends a part, and the next
//! part begins with the row group behind it.
//!
//! The library panics at some numbers that contradict each other; that is damage as any other.
//!
//! Numbers keep their digits, however they are stored. Those of a column of floating point are
//! written with an exponent, by which whoever reads the cell knows that they may be rounded.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};

use bytes::Bytes;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{AsBytes, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{
    ChunkReader, FileReader, Length, RowGroupReader, SerializedFileReader,
};
use parquet::schema::types::ColumnDescriptor;

use super::{Entry, Input, TakeEntry};
use crate::base::date::rfc3339;
use crate::pipeline::decode::guard::Bomb;

/// How many rows are put into words at once.
const ROWS: usize = 1_024;

/// The longest cell. IDs, links and times are shorter; a longer one is none of these, and is told
/// apart by [`TOO_LONG`]: a part of it might look like one.
const CELL_BYTES_MAX: usize = 4_096;
const TOO_LONG: &[u8] = b"(too long)";

/// The bytes of a footer that are not the description of the file.
const FOOTER_BYTES: u64 = 8;

/// Hands over the rows of all row groups that can be read.
pub(super) fn entries(input: Input<'_>, take: TakeEntry<'_>) -> io::Result<()> {
    let bytes_max = input.means.bounds.window_bytes_max;
    let is_read = input.means.is_read;
    let file = Chunks::open(input, bytes_max)?;
    let reader = guarded(|| SerializedFileReader::new(file)).map_err(broken)?;
    let mut rows = Rows::new(&reader, is_read);
    let mut name = String::new();
    loop {
        take(Entry { name: &name, stream: &mut rows })?;
        if !rows.go_on() {
            return Ok(());
        }
        name = format!("from row group {} on", rows.group + 1);
    }
}

thread_local! {
    /// Whether a panic of this thread is damage.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Does `work`, in which a panic is an error, and told as one alone.
fn guarded<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    static SILENCE: Once = Once::new();
    SILENCE.call_once(|| {
        let told = panic::take_hook();
        panic::set_hook(Box::new(move |what| {
            if !IS_GUARDED.get() {
                told(what);
            }
        }));
    });
    let before = IS_GUARDED.replace(true);
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(before);
    let contradiction = || ParquetError::General("its numbers contradict each other".into());
    done.unwrap_or_else(|_| Err(contradiction()))
}

fn broken(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<Bomb>() {
            Ok(bomb) => io::Error::other(*bomb),
            Err(other) => io::Error::new(io::ErrorKind::InvalidData, other),
        },
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}

/// The bytes of the file, with an eye on what unpacking a page takes.
struct Chunks {
    file: File,
    length: u64,
    bytes_max: u64,
    bytes_read: Arc<AtomicU64>,
}

impl Chunks {
    fn open(input: Input<'_>, bytes_max: u64) -> io::Result<Chunks> {
        let bytes_read = Arc::clone(&input.bytes_read);
        let is_spooled = input.file.is_none();
        let file = match input.file {
            Some(file) => file,
            None => spooled(input)?,
        };
        let length = file.metadata()?.len();
        let mut footer = [0; FOOTER_BYTES as usize];
        file.read_exact_at(&mut footer, length.saturating_sub(FOOTER_BYTES))?;
        let [a, b, c, d, magic @ ..] = footer;
        if &magic != b"PAR1" {
            let why = "the file has no footer: it was cut, or its writing was never finished";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        if u64::from(u32::from_le_bytes([a, b, c, d])) > bytes_max {
            return Err(io::Error::other(Bomb::Window));
        }
        // What was spooled has been counted.
        let bytes_read = if is_spooled { Arc::default() } else { bytes_read };
        Ok(Chunks { file, length, bytes_max, bytes_read })
    }
}

/// The rest of a stream in a file without a name.
fn spooled(input: Input<'_>) -> io::Result<File> {
    let bytes_max = input.means.bounds.spool_bytes_max;
    let mut file = tempfile::tempfile_in(input.means.spool_folder)?;
    let copied = io::copy(&mut input.stream.take(bytes_max.saturating_add(1)), &mut file)?;
    if copied > bytes_max {
        return Err(io::Error::other(Bomb::Spool(bytes_max)));
    }
    file.flush()?;
    Ok(file)
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.length
    }
}

/// What stands behind a byte of the file.
struct Behind {
    file: File,
    at: u64,
}

impl Read for Behind {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl ChunkReader for Chunks {
    type T = io::BufReader<Behind>;

    /// The library reads the header of a page from here, and unpacks as much as it says.
    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let mut head = [0; 32];
        let read = self.file.read_at(&mut head, start)?;
        if let Some(bytes) = unpacked_bytes(&head[..read])
            && bytes > self.bytes_max
        {
            return Err(ParquetError::External(Box::new(Bomb::Window)));
        }
        let file = self.file.try_clone()?;
        Ok(io::BufReader::with_capacity(4_096, Behind { file, at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let end = start.saturating_add(length as u64);
        if length as u64 > self.bytes_max {
            return Err(ParquetError::External(Box::new(Bomb::Window)));
        }
        if end > self.length {
            return Err(ParquetError::EOF(format!("{length} bytes do not stand at byte {start}")));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        self.bytes_read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(bytes.into())
    }
}

/// How long a page is when it is unpacked, by its header: the second field, behind the kind of the
/// page, in the compact protocol of Thrift; both are numbers.
fn unpacked_bytes(header: &[u8]) -> Option<u64> {
    const NEXT_FIELD_IS_I32: u8 = 0x15;
    let mut at = 0;
    let mut number = || {
        (*header.get(at)? == NEXT_FIELD_IS_I32).then_some(())?;
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            at += 1;
            let byte = *header.get(at)?;
            value |= u64::from(byte & 0x7F).checked_shl(shift)?;
            shift += 7;
            if byte < 0x80 {
                at += 1;
                // A number that is not negative is doubled.
                return Some(value >> 1);
            }
        }
    };
    number()?;
    number()
}

/// The rows of row groups as CSV.
struct Rows<'a> {
    reader: &'a SerializedFileReader<Chunks>,
    is_read: fn(&str) -> bool,
    /// The row group that is read, or comes next.
    group: usize,
    /// Its columns, each at its place; none: no cell of that one is read.
    columns: Vec<Option<Column>>,
    rows_left: u64,
    rows_done: u64,
    is_begun: bool,
    is_damaged: bool,
    /// What was put into words and not handed over yet, from this byte on.
    text: Vec<u8>,
    handed: usize,
}

impl<'a> Rows<'a> {
    fn new(reader: &'a SerializedFileReader<Chunks>, is_read: fn(&str) -> bool) -> Rows<'a> {
        let mut rows = Rows {
            reader,
            is_read,
            group: 0,
            columns: Vec::new(),
            rows_left: 0,
            rows_done: 0,
            is_begun: false,
            is_damaged: false,
            text: Vec::new(),
            handed: 0,
        };
        rows.header();
        rows
    }

    /// The columns that are no part of a list, with their places in the file.
    fn flat(&self) -> impl Iterator<Item = (usize, &'a ColumnDescriptor)> {
        let schema = self.reader.metadata().file_metadata().schema_descr();
        let columns = schema.columns().iter().map(AsRef::as_ref).enumerate();
        columns.filter(|(_, column)| column.max_rep_level() == 0)
    }

    fn header(&mut self) {
        self.text.clear();
        self.handed = 0;
        let names: Vec<String> = self.flat().map(|(_, column)| column.path().string()).collect();
        for name in names {
            cell(&mut self.text, name.as_bytes());
        }
        end_row(&mut self.text);
    }

    /// Goes on behind the row group that was damaged; `false` if there is nothing more.
    fn go_on(&mut self) -> bool {
        if !std::mem::take(&mut self.is_damaged) {
            return false;
        }
        (self.columns, self.rows_left, self.is_begun) = (Vec::new(), 0, false);
        self.group += 1;
        self.header();
        self.group < self.reader.num_row_groups()
    }

    /// Puts the next rows into words; `false` if there are none.
    fn fill(&mut self) -> Result<bool, ParquetError> {
        while self.rows_left == 0 {
            if std::mem::take(&mut self.is_begun) {
                self.group += 1;
            }
            if self.group >= self.reader.num_row_groups() {
                return Ok(false);
            }
            self.open()?;
        }
        let count = self.rows_left.min(ROWS as u64) as usize;
        for column in self.columns.iter_mut().flatten() {
            column.fill(count)?;
        }
        for row in 0..count {
            for column in &self.columns {
                if let Some(column) = column {
                    self.text.extend_from_slice(column.cell(row));
                }
                self.text.push(b',');
            }
            end_row(&mut self.text);
        }
        self.rows_left -= count as u64;
        self.rows_done += count as u64;
        Ok(true)
    }

    fn open(&mut self) -> Result<(), ParquetError> {
        self.is_begun = true;
        self.rows_done = 0;
        let group = self.reader.get_row_group(self.group)?;
        let mut columns = Vec::new();
        // A column that stands alone is a list, whatever its name.
        let is_alone = self.flat().count() == 1;
        for (place, descriptor) in self.flat() {
            let name = descriptor.path().string().to_lowercase();
            let is_read = is_alone || (self.is_read)(&name);
            let column = is_read.then(|| Column::open(&*group, place, descriptor)).transpose()?;
            columns.push(column);
        }
        self.columns = columns;
        let rows = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
        self.rows_left = if self.columns.is_empty() { 0 } else { rows };
        Ok(())
    }
}

impl Read for Rows<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.handed == self.text.len() {
            self.text.clear();
            self.handed = 0;
            if self.is_damaged {
                return Ok(0);
            }
            match guarded(|| self.fill()) {
                Ok(true) => {}
                Ok(false) => return Ok(0),
                Err(error) => {
                    self.is_damaged = true;
                    self.text.clear();
                    let (group, row) = (self.group + 1, self.rows_done + 1);
                    let error = broken(error);
                    if error.get_ref().is_some_and(|inner| inner.is::<Bomb>()) {
                        return Err(error);
                    }
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!("row group {group} is damaged from its row {row} on: {error}"),
                    ));
                }
            }
        }
        let more = &self.text[self.handed..];
        let read = more.len().min(buffer.len());
        buffer[..read].copy_from_slice(&more[..read]);
        self.handed += read;
        Ok(read)
    }
}

/// Appends a cell, quoted, with the comma behind it.
fn cell(text: &mut Vec<u8>, bytes: &[u8]) {
    text.push(b'"');
    for byte in bytes {
        match byte {
            b'"' => text.extend(b"\"\""),
            // So that a row is a line, and its number tells which.
            b'\r' | b'\n' => text.push(b' '),
            byte => text.push(*byte),
        }
    }
    text.extend(b"\",");
}

/// Ends a row whose last cell has a comma behind it.
fn end_row(text: &mut Vec<u8>) {
    if text.last() == Some(&b',') {
        text.pop();
    }
    text.push(b'\n');
}

/// What the values of a column say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// What their type says.
    Plain,
    /// A number that is never negative.
    Unsigned,
    /// So many of these parts of a second since 1970, in UTC.
    Time { per_second: i64 },
    /// A time of nobody knows which zone: it says nothing.
    Nothing,
    /// A whole number as bytes.
    Whole,
}

impl Meaning {
    fn of(column: &ColumnDescriptor) -> Meaning {
        if let Some(logical) = column.logical_type_ref() {
            return match logical {
                LogicalType::Integer(integer) if !integer.is_signed => Meaning::Unsigned,
                LogicalType::Timestamp(time) if time.is_adjusted_to_u_t_c => {
                    let per_second = match time.unit {
                        TimeUnit::MILLIS => 1_000,
                        TimeUnit::MICROS => 1_000_000,
                        TimeUnit::NANOS => 1_000_000_000,
                    };
                    Meaning::Time { per_second }
                }
                LogicalType::Timestamp(_) | LogicalType::Date | LogicalType::Time(_) => {
                    Meaning::Nothing
                }
                LogicalType::Decimal(decimal) if decimal.scale == 0 => Meaning::Whole,
                LogicalType::Decimal(_) => Meaning::Nothing,
                _ => Meaning::Plain,
            };
        }
        match column.converted_type() {
            ConvertedType::UINT_32 | ConvertedType::UINT_64 => Meaning::Unsigned,
            ConvertedType::TIMESTAMP_MILLIS => Meaning::Time { per_second: 1_000 },
            ConvertedType::TIMESTAMP_MICROS => Meaning::Time { per_second: 1_000_000 },
            ConvertedType::DECIMAL if column.type_scale() == 0 => Meaning::Whole,
            ConvertedType::DECIMAL | ConvertedType::DATE => Meaning::Nothing,
            _ => Meaning::Plain,
        }
    }
}

/// A column of a row group, and the cells of the next rows.
struct Column {
    reader: ColumnReader,
    meaning: Meaning,
    /// The level at which there is a value.
    level: i16,
    levels: Vec<i16>,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Column {
    fn open(
        group: &dyn RowGroupReader,
        place: usize,
        descriptor: &ColumnDescriptor,
    ) -> Result<Column, ParquetError> {
        Ok(Column {
            reader: group.get_column_reader(place)?,
            meaning: Meaning::of(descriptor),
            level: descriptor.max_def_level(),
            levels: Vec::new(),
            text: Vec::new(),
            ends: Vec::new(),
        })
    }

    /// The text of a cell.
    fn cell(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.text[start..self.ends[row]]
    }

    /// Reads the cells of so many rows.
    fn fill(&mut self, rows: usize) -> Result<(), ParquetError> {
        let meaning = self.meaning;
        let whole = |text: &mut Vec<u8>, value: i64| match meaning {
            Meaning::Plain | Meaning::Whole => {
                text.extend(itoa::Buffer::new().format(value).as_bytes());
            }
            Meaning::Unsigned => {
                text.extend(itoa::Buffer::new().format(value as u64).as_bytes());
            }
            Meaning::Time { per_second } => time(text, value, per_second),
            Meaning::Nothing => {}
        };
        let bytes = |text: &mut Vec<u8>, value: &[u8]| match meaning {
            Meaning::Whole => number(text, value),
            Meaning::Nothing => {}
            _ if value.len() > CELL_BYTES_MAX => text.extend(TOO_LONG),
            _ => {
                cell(text, value);
                text.pop();
            }
        };
        let Column { reader, level, levels, text, ends, .. } = self;
        let mut cells = Cells { rows, level: *level, levels, text, ends };
        match reader {
            ColumnReader::BoolColumnReader(reader) => {
                cells.read(reader, |text, value| text.extend(value.to_string().as_bytes()))
            }
            ColumnReader::Int32ColumnReader(reader) => cells.read(reader, |text, value| {
                let value = match meaning {
                    Meaning::Unsigned => i64::from(*value as u32),
                    _ => i64::from(*value),
                };
                whole(text, value);
            }),
            ColumnReader::Int64ColumnReader(reader) => {
                cells.read(reader, |text, value| whole(text, *value))
            }
            ColumnReader::Int96ColumnReader(reader) => {
                cells.read(reader, |text, value| time(text, value.to_millis(), 1_000))
            }
            ColumnReader::FloatColumnReader(reader) => {
                cells.read(reader, |text, value| float(text, f64::from(*value)))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                cells.read(reader, |text, value| float(text, *value))
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                cells.read(reader, |text, value| bytes(text, value.as_bytes()))
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                cells.read(reader, |text, value| bytes(text, value.as_bytes()))
            }
        }
    }
}

/// The cells that are read.
struct Cells<'a> {
    rows: usize,
    level: i16,
    levels: &'a mut Vec<i16>,
    text: &'a mut Vec<u8>,
    ends: &'a mut Vec<usize>,
}

impl Cells<'_> {
    fn read<T: DataType>(
        &mut self,
        reader: &mut ColumnReaderImpl<T>,
        put: impl Fn(&mut Vec<u8>, &T::T),
    ) -> Result<(), ParquetError> {
        self.levels.clear();
        self.text.clear();
        self.ends.clear();
        let mut values = Vec::with_capacity(self.rows);
        let mut rows = 0;
        while rows < self.rows {
            let more = self.rows - rows;
            let (read, _, _) = reader.read_records(more, Some(self.levels), None, &mut values)?;
            if read == 0 {
                let why = format!("a column ends {more} rows before the others");
                return Err(ParquetError::EOF(why));
            }
            rows += read;
        }
        let mut values = values.iter();
        for row in 0..self.rows {
            let has_value = self.level == 0 || self.levels.get(row) == Some(&self.level);
            if has_value {
                let missing = || ParquetError::General("a column has too few values".into());
                put(self.text, values.next().ok_or_else(missing)?);
            }
            self.ends.push(self.text.len());
        }
        Ok(())
    }
}

/// A number of floating point, by whose sign everybody knows it. pandas writes what is missing as
/// no number.
fn float(text: &mut Vec<u8>, value: f64) {
    if !value.is_nan() {
        text.extend(format!("{value:e}").as_bytes());
    }
}

/// A time, in UTC.
fn time(text: &mut Vec<u8>, value: i64, per_second: i64) {
    /// From the year -9999 to 9999.
    const MS: std::ops::Range<i64> = -377_705_023_201_000..253_402_207_200_000;
    let ms = i128::from(value) * 1_000 / i128::from(per_second);
    if let Some(ms) = i64::try_from(ms).ok().filter(|ms| MS.contains(ms)) {
        text.extend(rfc3339(ms).as_bytes());
    }
}

/// A whole number of up to 16 bytes, the highest first.
fn number(text: &mut Vec<u8>, bytes: &[u8]) {
    let is_negative = bytes.first().is_some_and(|byte| *byte >= 0x80);
    let mut wide = [if is_negative { 0xFF } else { 0 }; 16];
    if let Some(start) = wide.len().checked_sub(bytes.len()).filter(|_| !bytes.is_empty()) {
        wide[start..].copy_from_slice(bytes);
        text.extend(i128::from_be_bytes(wide).to_string().as_bytes());
    }
}

#[cfg(test)]
mod tests;
