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
use crate::base::ids::{IdKind, parse_digits};
use crate::ledger::{Chunk, Content};

/// How many bytes a search through a block reads at once.
const PIECE_BYTES: usize = 32 * 1024;

/// How many lines apart two IDs may stand for one read to fetch both.
const NEAR_LINES: u64 = 256;

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

    /// Where its text lies.
    pub fn path(&self) -> &Path {
        &self.path
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

    pub(super) fn table(&self) -> &Table {
        &self.table
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
        // It is 0 where lines are of different lengths.
        if let Some(lines) = (byte - block.offset).checked_div(block.line_bytes) {
            return Ok(first + lines);
        }
        let lines = self.count_lines(block.offset..byte)?;
        if lines >= self.table.ids_of(index) {
            return Err(self.damaged(index));
        }
        Ok(first + lines)
    }

    /// How many blocks it has, for a scan.
    pub fn blocks(&self) -> usize {
        self.table.blocks.len()
    }

    /// Reads a whole block into `text`, for a scan that compares its IDs with others; what is read
    /// here is never sent. Returns the ordinals of its IDs and where it begins.
    ///
    /// # Errors
    /// What the system said.
    ///
    /// # Panics
    /// For a block beyond the last.
    pub fn read_block(&self, index: usize, text: &mut Vec<u8>) -> io::Result<(Range<u64>, u64)> {
        let begin = self.table.blocks[index].offset;
        let bytes = usize::try_from(self.table.end_of(index) - begin).map_err(io::Error::other)?;
        text.resize(bytes, 0);
        self.file.read_exact_at(text, begin)?;
        let first = self.table.first_of(index);
        Ok((first..first + self.table.ids_of(index), begin))
    }

    /// The IDs with those ordinals, which ascend: for objects, which are charged as a file of their
    /// own; what is read here is never sent.
    ///
    /// # Errors
    /// As [`Column::byte_of`].
    ///
    /// # Panics
    /// For an ordinal beyond the end.
    pub fn pick(&self, ordinals: &[u64], ids: &mut Vec<u64>) -> io::Result<()> {
        ids.clear();
        let mut text = Vec::new();
        let block_of = |ordinal: &u64| self.table.block_of(*ordinal);
        for within in ordinals.chunk_by(|one, next| block_of(one) == block_of(next)) {
            let index = block_of(&within[0]);
            let block = &self.table.blocks[index];
            let first = self.table.first_of(index);
            if block.line_bytes == 0 {
                self.read_block(index, &mut text)?;
                let mut lines = text.split(|byte| *byte == b'\n');
                let mut next = first;
                for ordinal in within {
                    let line = lines.nth((ordinal - next) as usize).unwrap_or_default();
                    ids.push(parse_digits(line).map_err(|_| self.damaged(index))?);
                    next = ordinal + 1;
                }
                continue;
            }
            for near in within.chunk_by(|one, next| next - one <= NEAR_LINES) {
                let (begin, end) = (near[0], near[near.len() - 1] + 1);
                let line_bytes = usize::try_from(block.line_bytes).expect("a line is short");
                text.resize((end - begin) as usize * line_bytes, 0);
                let at_byte = block.offset + (begin - first) * block.line_bytes;
                self.file.read_exact_at(&mut text, at_byte)?;
                for ordinal in near {
                    let at = (ordinal - begin) as usize * line_bytes;
                    let id = parse_digits(&text[at..at + line_bytes - 1]);
                    ids.push(id.map_err(|_| self.damaged(index))?);
                }
            }
        }
        Ok(())
    }

    /// The error for a block whose text is not what was built.
    pub fn damaged_block(&self, index: usize) -> io::Error {
        self.damaged(index)
    }

    /// The IDs with those ordinals, as numbers, for the ledger: it charges an ID that counts once
    /// by what it is. There is no grant yet, and what is read here is never sent.
    ///
    /// # Errors
    /// As [`Column::byte_of`].
    ///
    /// # Panics
    /// For ordinals beyond the end.
    pub(super) fn values_for_ledger(&self, ordinals: Range<u64>) -> io::Result<Vec<u64>> {
        let (start, end) = (self.byte_of(ordinals.start)?, self.byte_of(ordinals.end)?);
        let mut text = vec![0; usize::try_from(end - start).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut text, start)?;
        let lines = text.strip_suffix(b"\n").unwrap_or_default().split(|byte| *byte == b'\n');
        let values: Option<Vec<u64>> = lines.map(|line| parse_digits(line).ok()).collect();
        let expected = ordinals.end - ordinals.start;
        let values = values.filter(|values| values.len() as u64 == expected);
        values.ok_or_else(|| self.damaged(self.table.block_of(ordinals.start)))
    }

    /// Reads bytes of the lines of a chunk, left out or not, from byte `at_byte` of the text on,
    /// and returns how many; 0 at the end of the chunk.
    ///
    /// # Errors
    /// As [`Column::byte_of`].
    ///
    /// # Panics
    /// If the chunk is of another column, or does not reach `at_byte`.
    pub(super) fn read_chunk(
        &self,
        chunk: &Chunk,
        at_byte: u64,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        assert_eq!(
            (chunk.kind, &chunk.content),
            (self.kind, &Content::Release(Arc::clone(&self.release))),
            "a grant for one column was shown to another"
        );
        assert!(
            at_byte >= self.byte_of_within(chunk.ordinals.start, at_byte)?,
            "byte {at_byte} lies before the granted IDs {:?}",
            chunk.ordinals
        );
        let wanted_end = at_byte.saturating_add(buffer.len() as u64);
        let end = self.byte_of_beyond(chunk.ordinals.end, wanted_end)?;
        assert!(
            at_byte <= end,
            "byte {at_byte} lies behind the granted IDs {:?}, which end at byte {end}",
            chunk.ordinals
        );
        let length =
            usize::try_from(end - at_byte).map_or(buffer.len(), |left| left.min(buffer.len()));
        self.file.read_exact_at(&mut buffer[..length], at_byte)?;
        Ok(length)
    }

    /// As [`Column::byte_of`], but perhaps more, never beyond `byte`, where a look at the table
    /// tells that the ordinal lies before `byte`. It spares a large grant the search.
    fn byte_of_within(&self, ordinal: u64, byte: u64) -> io::Result<u64> {
        if ordinal < self.table.ids {
            let block_end = self.table.end_of(self.table.block_of(ordinal));
            if block_end <= byte {
                return Ok(block_end);
            }
        }
        self.byte_of(ordinal)
    }

    /// As [`Column::byte_of`], but perhaps less, never before `byte`, where a look at the table
    /// tells that the ordinal lies behind `byte`.
    fn byte_of_beyond(&self, ordinal: u64, byte: u64) -> io::Result<u64> {
        if ordinal < self.table.ids {
            let block = &self.table.blocks[self.table.block_of(ordinal)];
            if block.offset >= byte {
                return Ok(block.offset);
            }
        }
        self.byte_of(ordinal)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, prop_oneof, proptest};

    use super::super::writer::ColumnWriter;
    use super::*;
    use crate::base::gaps::Gaps;
    use crate::base::ids::{Id, UserId};

    /// A column of these IDs, and where each line begins, computed the simple way.
    fn column_of(ids: &[u64]) -> (tempfile::TempDir, Column, Vec<u64>) {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = ColumnWriter::create(folder.path(), IdKind::User).unwrap();
        let mut starts = vec![0];
        for &id in ids {
            writer.push(UserId::from_value(id).unwrap()).unwrap();
            starts.push(starts.last().unwrap() + id.to_string().len() as u64 + 1);
        }
        let entry = writer.finish(folder.path()).unwrap();
        let table = std::fs::read(folder.path().join(&entry.table)).unwrap();
        let table = Table::decode(&table).unwrap();
        let path = folder.path().join(&entry.file);
        let column = Column::open(IdKind::User, "r".into(), &path, table).unwrap();
        assert_eq!((column.ids(), column.bytes()), (ids.len() as u64, *starts.last().unwrap()));
        (folder, column, starts)
    }

    /// Every third ID and the last are what was written, whichever way they are read.
    fn check_pick(column: &Column, ids: &[u64]) {
        let last = ids.len().checked_sub(1);
        let mut ordinals: Vec<u64> =
            (0..ids.len()).step_by(3).chain(last).map(|n| n as u64).collect();
        ordinals.dedup();
        let mut picked = Vec::new();
        column.pick(&ordinals, &mut picked).unwrap();
        let expected: Vec<u64> = ordinals.iter().map(|ordinal| ids[*ordinal as usize]).collect();
        assert_eq!(picked, expected);
    }

    fn check(column: &Column, starts: &[u64], ordinal: u64) {
        let start = starts[ordinal as usize];
        assert_eq!(column.byte_of(ordinal).unwrap(), start, "ordinal {ordinal}");
        let Some(&next) = starts.get(ordinal as usize + 1) else { return };
        for byte in [start, next - 1] {
            assert_eq!(column.ordinal_at(byte).unwrap(), ordinal, "byte {byte}");
        }
    }

    /// Numbers of 1 to 19 digits, each length as likely as the others.
    fn id() -> impl Strategy<Value = u64> {
        (0..19_u32).prop_flat_map(|digits| {
            let least = if digits == 0 { 0 } else { 10_u64.pow(digits) };
            least..=10_u64.pow(digits).saturating_mul(10).saturating_sub(1).min(i64::MAX as u64)
        })
    }

    proptest! {
        #![proptest_config(crate::base::cases::remembered())]

        #[test]
        fn ordinals_and_bytes_agree_with_a_naive_count(
            ids in prop_oneof![
                proptest::collection::vec(id(), 0..300),
                proptest::collection::vec(1_000_000_u64..9_999_999, 0..300),
            ],
        ) {
            let (_folder, column, starts) = column_of(&ids);
            check_pick(&column, &ids);
            for ordinal in 0..starts.len() as u64 {
                check(&column, &starts, ordinal);
            }
        }
    }

    /// Blocks of one length, of mixed lengths, and a last one that is not full.
    fn three_blocks() -> Vec<u64> {
        let uniform = (0..BLOCK_IDS).map(|n| 1_000_000_000_000_000_000 + n);
        let mixed = (0..BLOCK_IDS + 77).map(|n| 7_u64.pow(u32::try_from(n % 20).unwrap()) + n);
        uniform.chain(mixed).collect()
    }

    #[test]
    fn every_block_boundary_is_found_from_both_sides() {
        let ids = three_blocks();
        let (_folder, column, starts) = column_of(&ids);
        assert_eq!(column.table.blocks.len(), 3);
        assert_eq!(column.table.blocks[0].line_bytes, 20);
        assert_eq!(column.table.blocks[1].line_bytes, 0);
        check_pick(&column, &ids);
        let count = ids.len() as u64;
        for around in [0, BLOCK_IDS, 2 * BLOCK_IDS, count] {
            for ordinal in around.saturating_sub(3)..=(around + 3).min(count) {
                check(&column, &starts, ordinal);
            }
        }
        for ordinal in (0..count).step_by(997) {
            check(&column, &starts, ordinal);
        }
    }

    fn chunk(ordinals: Range<u64>) -> Chunk {
        let content = Content::Release("r".into());
        Chunk { kind: IdKind::User, content, ordinals, gaps: Gaps::none() }
    }

    #[test]
    fn reading_a_chunk_gives_its_lines_and_then_ends() {
        let (folder, column, starts) = column_of(&three_blocks());
        let text = std::fs::read(folder.path().join("user-ids.txt")).unwrap();
        for (from, to) in [
            (0, 0),
            (0, 1),
            (5, 5 + BLOCK_IDS),
            (BLOCK_IDS, 2 * BLOCK_IDS),
            (BLOCK_IDS - 1, BLOCK_IDS + 1),
            (BLOCK_IDS + 9, 2 * BLOCK_IDS + 77),
            (0, column.ids()),
        ] {
            let (start, end) = (starts[from as usize], starts[to as usize]);
            let (mut read, mut at) = (Vec::new(), start);
            loop {
                let mut buffer = vec![0; 70_001];
                let length = column.read_chunk(&chunk(from..to), at, &mut buffer).unwrap();
                read.extend_from_slice(&buffer[..length]);
                at += length as u64;
                if length == 0 {
                    break;
                }
            }
            assert!(read == text[start as usize..end as usize], "{from}..{to}");
        }
    }

    #[test]
    fn the_ledger_reads_the_numbers_that_the_lines_say() {
        let ids = three_blocks();
        let (folder, column, _) = column_of(&ids);
        for (from, to) in
            [(0, 1), (5, 9), (BLOCK_IDS - 1, BLOCK_IDS + 1), (7, column.ids()), (9, 9)]
        {
            let values = column.values_for_ledger(from..to);
            // A text without a line has no number either.
            let expected = (from < to).then(|| ids[from as usize..to as usize].to_owned());
            assert_eq!(values.ok(), expected, "{from}..{to}");
        }
        std::fs::write(folder.path().join("user-ids.txt"), vec![b'x'; column.bytes() as usize])
            .unwrap();
        let error = column.values_for_ledger(0..9).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_byte_that_was_not_granted_is_never_read() {
        let (_folder, column, starts) = column_of(&three_blocks());
        let other_kind = Chunk { kind: IdKind::Tweet, ..chunk(0..9) };
        let other_release = Chunk { content: Content::Release("q".into()), ..chunk(0..9) };
        let mixed = BLOCK_IDS + 9;
        for (chunk, at) in [
            (chunk(5..9), starts[5] - 1),
            (chunk(5..9), starts[9] + 1),
            (chunk(mixed..mixed + 5), starts[mixed as usize] - 1),
            (chunk(mixed..mixed + 5), 0),
            (chunk(mixed..mixed + 5), starts[mixed as usize + 5] + 1),
            (chunk(0..mixed), starts[mixed as usize] + 1),
            (chunk(0..9), column.bytes()),
            (other_kind, 0),
            (other_release, 0),
        ] {
            let read = std::panic::AssertUnwindSafe(|| column.read_chunk(&chunk, at, &mut [0; 64]));
            assert!(std::panic::catch_unwind(read).is_err(), "{chunk:?} at {at}");
        }
    }

    #[test]
    fn a_text_that_lost_its_line_feeds_is_called_damaged() {
        let (folder, column, _) = column_of(&three_blocks());
        let path = folder.path().join("user-ids.txt");
        std::fs::write(path, vec![b'7'; column.bytes() as usize]).unwrap();
        let error = column.byte_of(BLOCK_IDS + 9).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains("from ordinal 65536 on"), "{error}");
    }
}
