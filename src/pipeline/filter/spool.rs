//! A queue of rows of fixed width that moves to an unnamed file when it outgrows its memory.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::unnamed_file;

/// Bytes read back at a time.
const READ_BYTES: usize = 256 << 10;

/// Rows of bytes, first in, first out.
#[derive(Debug)]
pub(crate) struct Spool {
    row_bytes: usize,
    memory_bytes_max: usize,
    folder: PathBuf,
    memory: Vec<u8>,
    file: Option<File>,
    rows: u64,
}

impl Spool {
    pub(crate) fn new(row_bytes: usize, memory_bytes_max: usize, folder: &Path) -> Spool {
        Spool {
            row_bytes,
            memory_bytes_max,
            folder: folder.to_owned(),
            memory: Vec::new(),
            file: None,
            rows: 0,
        }
    }

    /// How many rows were pushed.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Appends a row.
    #[inline]
    pub(crate) fn push(&mut self, row: &[u8]) -> io::Result<()> {
        debug_assert_eq!(row.len(), self.row_bytes, "every row has the spool's width");
        if self.memory.len() + row.len() > self.memory_bytes_max {
            self.write_out()?;
        }
        self.memory.extend_from_slice(row);
        self.rows += 1;
        Ok(())
    }

    fn write_out(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(unnamed_file(&self.folder)?),
        };
        file.write_all(&self.memory)?;
        self.memory.clear();
        Ok(())
    }

    /// Goes through all rows in the order in which they were pushed.
    pub(crate) fn for_each(
        &mut self,
        mut each: impl FnMut(u64, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut ordinal = 0;
        if let Some(file) = &mut self.file {
            file.rewind()?;
            let on_disk = self.rows - (self.memory.len() / self.row_bytes) as u64;
            let mut reader = BufReader::with_capacity(READ_BYTES, &*file);
            let mut row = vec![0; self.row_bytes];
            while ordinal < on_disk {
                reader.read_exact(&mut row)?;
                each(ordinal, &row)?;
                ordinal += 1;
            }
        }
        for row in self.memory.chunks_exact(self.row_bytes) {
            each(ordinal, row)?;
            ordinal += 1;
        }
        Ok(())
    }

    /// Appends the bytes of `rows` rows from row `first` on to `bytes`.
    pub(crate) fn read(&self, first: u64, rows: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
        let end = first + rows;
        assert!(end <= self.rows, "only rows that were pushed are read");
        let on_disk = self.rows - (self.memory.len() / self.row_bytes) as u64;
        let row_bytes = self.row_bytes as u64;
        if first < on_disk {
            let file = self.file.as_ref().expect("rows that are not in memory are in the file");
            let length = (end.min(on_disk) - first) * row_bytes;
            let begin = bytes.len();
            bytes.resize(begin + usize::try_from(length).expect("a part fits into memory"), 0);
            file.read_exact_at(&mut bytes[begin..], first * row_bytes)?;
        }
        if end > on_disk {
            let place = |row: u64| (row.max(on_disk) - on_disk) as usize * self.row_bytes;
            bytes.extend_from_slice(&self.memory[place(first)..place(end)]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_order_from_memory_and_from_disk() {
        let folder = tempfile::tempdir().unwrap();
        for memory_bytes_max in [8, 64, 1 << 20] {
            let mut spool = Spool::new(8, memory_bytes_max, folder.path());
            for number in 0..1000_u64 {
                spool.push(&number.to_le_bytes()).unwrap();
            }
            let mut back = Vec::new();
            spool
                .for_each(|ordinal, row| {
                    assert_eq!(ordinal, u64::from_le_bytes(row.try_into().unwrap()));
                    back.push(ordinal);
                    Ok(())
                })
                .unwrap();
            assert_eq!(back, (0..1000).collect::<Vec<_>>());
        }
    }
}
