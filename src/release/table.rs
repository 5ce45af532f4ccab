//! The block table of a column: where each block of 65,536 IDs begins, and its digest.
//! How it stands in a `.idx` file is told in `schema/release.md`; no file is opened here.

use crate::base::ids::ID_LINE_BYTES_MAX;

/// How many IDs one block holds; the last block of a column may hold fewer.
pub const BLOCK_IDS: u64 = 65_536;

/// Bytes of the longest block: what a builder holds in memory, and a reader scans at most.
pub const BLOCK_BYTES_MAX: usize = BLOCK_IDS as usize * ID_LINE_BYTES_MAX;

/// The shortest line: one digit and its line feed.
const LINE_BYTES_MIN: u64 = 2;

const MAGIC: &[u8; 16] = b"hydrant idx v1\n\0";
const ROW_BYTES: usize = 56;

/// One block of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Where the block's first line begins in the text.
    pub(super) offset: u64,
    /// Bytes of each line, line feed included, if all lines of the block are equally long;
    /// otherwise 0. It turns the search for an ordinal into one multiplication.
    pub(super) line_bytes: u64,
    /// SHA-256 of the block's bytes.
    pub(super) sha256: [u8; 32],
}

/// All blocks of a column and its totals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) blocks: Vec<Block>,
    pub(super) ids: u64,
    pub(super) bytes: u64,
    /// SHA-256 of the whole text.
    pub(super) sha256: [u8; 32],
}

impl Table {
    /// The ordinals' block, as an index of `blocks`.
    pub(super) fn block_of(&self, ordinal: u64) -> usize {
        assert!(ordinal < self.ids, "ordinal {ordinal} of {} has no block", self.ids);
        usize::try_from(ordinal / BLOCK_IDS).expect("the table of the block is in memory")
    }

    /// The block that holds that byte of the text, as an index of `blocks`.
    pub(super) fn block_at(&self, byte: u64) -> usize {
        assert!(byte < self.bytes, "byte {byte} of {} has no block", self.bytes);
        self.blocks.partition_point(|block| block.offset <= byte) - 1
    }

    /// The ordinal of the first ID of block `index`.
    pub(super) fn first_of(&self, index: usize) -> u64 {
        index as u64 * BLOCK_IDS
    }

    /// Where block `index` ends in the text; of a block behind the last one, where the text ends.
    pub(super) fn end_of(&self, index: usize) -> u64 {
        self.blocks.get(index + 1).map_or(self.bytes, |next| next.offset)
    }

    /// How many IDs block `index` holds.
    pub(super) fn ids_of(&self, index: usize) -> u64 {
        (self.ids - self.first_of(index)).min(BLOCK_IDS)
    }

    /// The bytes of a `.idx` file.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for (index, block) in self.blocks.iter().enumerate() {
            let numbers = [self.first_of(index), block.offset, block.line_bytes];
            push_row(&mut bytes, numbers, &block.sha256);
        }
        push_row(&mut bytes, [self.ids, self.bytes, 0], &self.sha256);
        bytes
    }

    /// Reads a `.idx` file.
    ///
    /// # Errors
    /// A clause that says what is wrong with it.
    pub(super) fn decode(bytes: &[u8]) -> Result<Table, String> {
        let rows = bytes.strip_prefix(MAGIC).ok_or("it is no block table of version 1")?;
        if rows.is_empty() || rows.len() % ROW_BYTES != 0 {
            return Err(format!("{} bytes are no whole number of rows", bytes.len()));
        }
        let mut rows: Vec<Row> = rows.chunks_exact(ROW_BYTES).map(Row::decode).collect();
        let end = rows.pop().expect("there is at least one row");
        let mut blocks = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let next = rows.get(index + 1).unwrap_or(&end);
            row.check(index as u64 * BLOCK_IDS, next)
                .map_err(|what| format!("row {index} {what}"))?;
            let Row { offset, line_bytes, sha256, .. } = *row;
            blocks.push(Block { offset, line_bytes, sha256 });
        }
        let begins_at_zero = rows.first().unwrap_or(&end).is_start(&end);
        if !begins_at_zero {
            return Err("its first row does not stand at byte 0".into());
        }
        Ok(Table { blocks, ids: end.ordinal, bytes: end.offset, sha256: end.sha256 })
    }
}

fn push_row(bytes: &mut Vec<u8>, numbers: [u64; 3], sha256: &[u8; 32]) {
    for number in numbers {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(sha256);
}

struct Row {
    ordinal: u64,
    offset: u64,
    line_bytes: u64,
    sha256: [u8; 32],
}

impl Row {
    fn decode(bytes: &[u8]) -> Row {
        let number = |at: usize| {
            u64::from_le_bytes(bytes[at..at + 8].try_into().expect("a row holds three numbers"))
        };
        Row {
            ordinal: number(0),
            offset: number(8),
            line_bytes: number(16),
            sha256: bytes[24..].try_into().expect("a row ends with 32 bytes of digest"),
        }
    }

    /// Whether this row begins the text; the closing row does so when there is no ID.
    fn is_start(&self, end: &Row) -> bool {
        self.ordinal == 0 && self.offset == 0 && (end.ordinal == 0) == (end.offset == 0)
    }

    fn check(&self, ordinal: u64, next: &Row) -> Result<(), String> {
        if self.ordinal != ordinal {
            return Err(format!("begins with ordinal {} instead of {ordinal}", self.ordinal));
        }
        let ids = next.ordinal.wrapping_sub(ordinal);
        if ids == 0 || ids > BLOCK_IDS {
            return Err(format!("is followed by ordinal {}", next.ordinal));
        }
        let bytes = next.offset.wrapping_sub(self.offset);
        let possible = ids * LINE_BYTES_MIN..=ids * ID_LINE_BYTES_MAX as u64;
        if !possible.contains(&bytes) {
            return Err(format!("has {bytes} bytes for {ids} IDs"));
        }
        if self.line_bytes != 0 && self.line_bytes.checked_mul(ids) != Some(bytes) {
            return Err(format!("has {bytes} bytes for {ids} lines of {}", self.line_bytes));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let first = Block { offset: 0, line_bytes: 0, sha256: [1; 32] };
        let second = Block { offset: 1_000_000, line_bytes: 20, sha256: [2; 32] };
        Table { blocks: vec![first, second], ids: BLOCK_IDS + 5, bytes: 1_000_100, sha256: [3; 32] }
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let empty = Table { blocks: Vec::new(), ids: 0, bytes: 0, sha256: [9; 32] };
        for table in [table(), empty] {
            assert_eq!(Table::decode(&table.encode()), Ok(table));
        }
    }

    #[test]
    fn a_table_that_contradicts_itself_is_refused() {
        let whole = table().encode();
        let with = |at: usize, value: u64| {
            let mut bytes = whole.clone();
            bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
            bytes
        };
        let (first, second, end) = (16, 16 + ROW_BYTES, 16 + 2 * ROW_BYTES);
        for (bytes, expected) in [
            (Vec::new(), "no block table"),
            (whole[..16].to_vec(), "no whole number of rows"),
            (whole[..whole.len() - 1].to_vec(), "no whole number of rows"),
            // Without its closing row the last block would count as the end.
            (whole[..end].to_vec(), "lines"),
            (with(first, 1), "begins with ordinal 1 instead of 0"),
            (with(first + 8, 7), "does not stand at byte 0"),
            (with(second, BLOCK_IDS - 1), "ordinal"),
            (with(second + 8, 0), "has 0 bytes for 65536 IDs"),
            (with(second + 8, u64::MAX), "bytes for"),
            (with(second + 16, 19), "100 bytes for 5 lines of 19"),
            (with(end, u64::MAX), "is followed by"),
            (with(end + 8, 1_000_009), "9 bytes for 5 IDs"),
        ] {
            match Table::decode(&bytes) {
                Err(what) => assert!(what.contains(expected), "{what:?} lacks {expected:?}"),
                // Cutting the closing row off leaves a table of one block and its end, which only
                // the totals in `release.json` convict.
                Ok(cut) => assert_eq!((cut.ids, expected), (BLOCK_IDS, "lines")),
            }
        }
    }
}
