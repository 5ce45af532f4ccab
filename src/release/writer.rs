//! Writes one column of a release: the text of its IDs with the block table, and the private
//! columns beside it. When the folder becomes a release is decided in `build.rs`.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::manifest::{ColumnEntry, Private, PrivateEntry, table_name, text_name};
use super::table::{BLOCK_BYTES_MAX, BLOCK_IDS, Block, Table};
use crate::base::ids::{ID_MAX, Id, IdKind, UserId};
use crate::pipeline::{Place, encode};

/// How many bytes of a private column are gathered before they are written.
const PRIVATE_BUFFER_BYTES: usize = 256 * 1024;

/// What stands for an author that is not known: it is no User ID.
pub(super) const UNKNOWN_AUTHOR: u64 = u64::MAX;
const _: () = assert!(UNKNOWN_AUTHOR > ID_MAX);

/// Writes `KIND-ids.txt` and `KIND-ids.idx`. One block is held in memory.
pub(super) struct ColumnWriter {
    kind: IdKind,
    file: File,
    block: Vec<u8>,
    block_ids: u64,
    table: Table,
    digest: Sha256,
}

impl ColumnWriter {
    pub(super) fn create(folder: &Path, kind: IdKind) -> io::Result<ColumnWriter> {
        let file = File::create_new(folder.join(text_name(kind)))?;
        let table = Table { blocks: Vec::new(), ids: 0, bytes: 0, sha256: [0; 32] };
        let block = Vec::with_capacity(BLOCK_BYTES_MAX);
        Ok(ColumnWriter { kind, file, block, block_ids: 0, table, digest: Sha256::new() })
    }

    pub(super) fn kind(&self) -> IdKind {
        self.kind
    }

    pub(super) fn push<I: Id>(&mut self, id: I) -> io::Result<()> {
        assert_eq!(I::KIND, self.kind, "an ID went to the column of another kind");
        encode::txt::push(&mut self.block, id.value());
        self.block_ids += 1;
        if self.block_ids == BLOCK_IDS { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> io::Result<()> {
        self.table.blocks.push(Block {
            offset: self.table.bytes,
            line_bytes: equal_line_bytes(&self.block, self.block_ids),
            sha256: Sha256::digest(&self.block).into(),
        });
        self.digest.update(&self.block);
        self.file.write_all(&self.block)?;
        self.table.ids += self.block_ids;
        self.table.bytes += self.block.len() as u64;
        self.block.clear();
        self.block_ids = 0;
        Ok(())
    }

    /// Writes what is left and the table into `folder`, and waits until both are on the disk.
    pub(super) fn finish(mut self, folder: &Path) -> io::Result<ColumnEntry> {
        if self.block_ids > 0 {
            self.end_block()?;
        }
        self.file.sync_all()?;
        self.table.sha256 = self.digest.finalize().into();
        let table = self.table.encode();
        let mut file = File::create_new(folder.join(table_name(self.kind)))?;
        file.write_all(&table)?;
        file.sync_all()?;
        Ok(ColumnEntry {
            kind: self.kind,
            file: text_name(self.kind),
            ids: self.table.ids,
            bytes: self.table.bytes,
            sha256: self.table.sha256,
            table: table_name(self.kind),
            table_sha256: Sha256::digest(&table).into(),
        })
    }
}

/// How long each line of the block is, if all are equally long; otherwise 0.
pub(super) fn equal_line_bytes(block: &[u8], ids: u64) -> u64 {
    let Some(first) = memchr::memchr(b'\n', block) else { return 0 };
    let line_bytes = first + 1;
    let equal = line_bytes as u64 * ids == block.len() as u64
        && block.chunks_exact(line_bytes).all(|line| line[first] == b'\n');
    if equal { line_bytes as u64 } else { 0 }
}

/// Writes a private column.
pub(super) struct PrivateWriter {
    kind: IdKind,
    holds: Private,
    file: File,
    buffer: Vec<u8>,
    digest: Sha256,
    /// Whether any record says something.
    tells: bool,
}

impl PrivateWriter {
    pub(super) fn create(folder: &Path, kind: IdKind, holds: Private) -> io::Result<PrivateWriter> {
        let file = File::create_new(folder.join(holds.file_name(kind)))?;
        let buffer = Vec::with_capacity(PRIVATE_BUFFER_BYTES);
        Ok(PrivateWriter { kind, holds, file, buffer, digest: Sha256::new(), tells: false })
    }

    pub(super) fn push_author(&mut self, author: Option<UserId>) -> io::Result<()> {
        debug_assert_eq!(self.holds, Private::Authors);
        self.tells |= author.is_some();
        self.push(&author.map_or(UNKNOWN_AUTHOR, Id::value).to_le_bytes())
    }

    pub(super) fn push_place(&mut self, place: Place) -> io::Result<()> {
        debug_assert_eq!(self.holds, Private::Places);
        self.tells |= place.length > 0;
        let mut record = [0; 16];
        record[..4].copy_from_slice(&place.source.to_le_bytes());
        record[4..8].copy_from_slice(&place.length.to_le_bytes());
        record[8..].copy_from_slice(&place.offset.to_le_bytes());
        self.push(&record)
    }

    fn push(&mut self, record: &[u8]) -> io::Result<()> {
        if self.buffer.len() + record.len() > PRIVATE_BUFFER_BYTES {
            self.write_buffer()?;
        }
        self.buffer.extend_from_slice(record);
        Ok(())
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        self.digest.update(&self.buffer);
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes what is left and waits until it is on the disk. A column in which no record says
    /// anything is removed again.
    pub(super) fn finish(mut self, folder: &Path) -> io::Result<Option<PrivateEntry>> {
        let file = self.holds.file_name(self.kind);
        if !self.tells {
            std::fs::remove_file(folder.join(file))?;
            return Ok(None);
        }
        self.write_buffer()?;
        self.file.sync_all()?;
        let sha256 = self.digest.finalize().into();
        Ok(Some(PrivateEntry { kind: self.kind, holds: self.holds, file, sha256 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_of_one_length_are_called_equal() {
        for (block, ids, expected) in [
            ("1\n", 1, 2),
            ("12\n34\n", 2, 3),
            ("12\n3\n", 2, 0),
            // Eight bytes for two lines, but the feeds do not stand where equal ones would.
            ("123\n4\n5\n", 3, 0),
            ("12\n3\n456\n", 3, 0),
            ("", 0, 0),
        ] {
            assert_eq!(equal_line_bytes(block.as_bytes(), ids), expected, "{block:?}");
        }
    }
}
