//! A column of a release that is open for reading: its text of IDs and the way from ordinals to
//! bytes and back. Reads are positioned; nothing is parsed, and nothing but the table is kept.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::memchr_iter;

use super::table::{BLOCK_IDS, Table};
use crate::base::ids::IdKind;

/// How many bytes a search through a block reads at once.
const PIECE_BYTES: usize = 32 * 1024;

/// All IDs of one kind of a release, one a line, in the order of their ordinals from 0 on.
#[derive(Debug)]
pub struct Column {
    kind: IdKind,
    release: Arc<str>,
    path: PathBuf,
    file: File,
    table: Table,
}

impl Column {
    /// Opens the text at `path`, which has to be as long as its table says.
    pub(super) fn open(
        kind: IdKind,
        release: Arc<str>,
        path: &Path,
        table: Table,
    ) -> Result<Column, ColumnError> {
        let file = File::open(path).map_err(ColumnError::Io)?;
        let found = file.metadata().map_err(ColumnError::Io)?.len();
        if found != table.bytes {
            return Err(ColumnError::Length { found, expected: table.bytes });
        }
        Ok(Column { kind, release, path: path.to_owned(), file, table })
    }

    /// Which kind of IDs stands here.
    pub fn kind(&self) -> IdKind {
        self.kind
    }

    /// The release that this column belongs to.
    pub fn release(&self) -> &Arc<str> {
        &self.release
    }

    /// How many IDs there are.
    pub fn ids(&self) -> u64 {
        self.table.ids
    }

    /// How many bytes the text has.
    pub fn bytes(&self) -> u64 {
        self.table.bytes
    }

    /// The SHA-256 of the whole text.
    pub fn sha256(&self) -> [u8; 32] {
        self.table.sha256
    }

    /// Where the line of that ID begins; for `ordinal == ids` where the text ends.
    ///
    /// # Errors
    /// What the system said, or [`io::ErrorKind::InvalidData`] if the text is not what its table
    /// says.
    ///
    /// # Panics
    /// For an ordinal beyond the end.
    pub fn byte_of(&self, ordinal: u64) -> io::Result<u64> {
        if ordinal == self.table.ids {
            return Ok(self.table.bytes);
        }
        let index = self.table.block_of(ordinal);
        let block = &self.table.blocks[index];
        let skipped = ordinal - self.table.first_of(index);
        if skipped == 0 || block.line_bytes != 0 {
            return Ok(block.offset + skipped * block.line_bytes);
        }
        self.after_lines(block.offset..self.table.end_of(index), skipped)
    }

    /// The ordinal of the ID whose line holds that byte; a line feed belongs to the line it ends.
    ///
    /// # Errors
    /// As [`Column::byte_of`].
    ///
    /// # Panics
    /// For a byte beyond the end.
    pub fn ordinal_at(&self, byte: u64) -> io::Result<u64> {
        let index = self.table.block_at(byte);
        let block = &self.table.blocks[index];
        let first = self.table.first_of(index);
        if block.line_bytes != 0 {
            return Ok(first + (byte - block.offset) / block.line_bytes);
        }
        let lines = self.count_lines(block.offset..byte)?;
        if lines >= self.table.ids_of(index) {
            return Err(self.damaged(index));
        }
        Ok(first + lines)
    }

    /// Where the line after the first `lines` lines of `range` begins.
    fn after_lines(&self, range: Range<u64>, lines: u64) -> io::Result<u64> {
        let mut buffer = [0; PIECE_BYTES];
        let mut left = usize::try_from(lines).expect("a block has 65,536 lines at most");
        let mut at = range.start;
        while at < range.end {
            let piece = self.piece(at..range.end, &mut buffer)?;
            let found = memchr_iter(b'\n', piece).count();
            if found >= left {
                let feed = memchr_iter(b'\n', piece).nth(left - 1).expect("it was just counted");
                return Ok(at + feed as u64 + 1);
            }
            left -= found;
            at += piece.len() as u64;
        }
        Err(self.damaged(self.table.block_at(range.start)))
    }

    fn count_lines(&self, range: Range<u64>) -> io::Result<u64> {
        let mut buffer = [0; PIECE_BYTES];
        let mut lines = 0;
        let mut at = range.start;
        while at < range.end {
            let piece = self.piece(at..range.end, &mut buffer)?;
            lines += memchr_iter(b'\n', piece).count() as u64;
            at += piece.len() as u64;
        }
        Ok(lines)
    }

    /// The first bytes of `range`, as many as the buffer takes.
    fn piece<'a>(&self, range: Range<u64>, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let wanted = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let piece = &mut buffer[..wanted.min(PIECE_BYTES)];
        self.file.read_exact_at(piece, range.start)?;
        Ok(piece)
    }

    fn damaged(&self, block: usize) -> io::Error {
        let first = block as u64 * BLOCK_IDS;
        let text = format!(
            "{} is damaged in the {BLOCK_IDS} IDs from ordinal {first} on",
            self.path.display()
        );
        io::Error::new(io::ErrorKind::InvalidData, text)
    }
}

/// Why a column cannot be opened.
#[derive(Debug)]
pub(super) enum ColumnError {
    Io(io::Error),
    Length { found: u64, expected: u64 },
}
