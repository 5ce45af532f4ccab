//! Sorting more pairs of numbers than memory holds: sorted runs on disk, merged as they are read.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::unnamed_file;

/// A pair, compared by its first number, then by its second.
pub(super) type Pair = (u64, u64);

/// Bytes of a pair on disk.
const PAIR_BYTES: usize = 16;

/// Takes pairs in any order and gives them back sorted.
pub(super) struct Sorter {
    pairs_max: usize,
    folder: PathBuf,
    pairs: Vec<Pair>,
    file: Option<File>,
    /// Where each run begins and ends in the file, in bytes.
    runs: Vec<(u64, u64)>,
}

impl Sorter {
    /// Uses about `memory_bytes_max` bytes, and an unnamed file in `folder` beyond that.
    pub(super) fn new(memory_bytes_max: usize, folder: &Path) -> Sorter {
        Sorter {
            pairs_max: (memory_bytes_max / PAIR_BYTES / 2).max(1),
            folder: folder.to_owned(),
            pairs: Vec::new(),
            file: None,
            runs: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, pair: Pair) -> io::Result<()> {
        if self.pairs.len() == self.pairs_max {
            self.write_run()?;
        }
        self.pairs.push(pair);
        Ok(())
    }

    fn write_run(&mut self) -> io::Result<()> {
        self.pairs.sort_unstable();
        let begin = self.runs.last().map_or(0, |run| run.1);
        let bytes = (self.pairs.len() * PAIR_BYTES) as u64;
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(unnamed_file(&self.folder)?),
        };
        let mut writer = io::BufWriter::with_capacity(1 << 16, file);
        for (first, second) in self.pairs.drain(..) {
            writer.write_all(&first.to_le_bytes())?;
            writer.write_all(&second.to_le_bytes())?;
        }
        writer.flush()?;
        self.runs.push((begin, begin + bytes));
        Ok(())
    }

    /// The pairs, sorted.
    pub(super) fn sorted(mut self) -> io::Result<Sorted> {
        if self.runs.is_empty() {
            self.pairs.sort_unstable();
            return Ok(Sorted::InMemory(self.pairs.into_iter()));
        }
        self.write_run()?;
        self.pairs = Vec::new();
        let file = self.file.expect("runs stand in a file");
        let buffer_pairs = (self.pairs_max / self.runs.len()).max(64);
        let mut runs = Vec::new();
        let mut heads = BinaryHeap::new();
        for (index, (at, end)) in self.runs.into_iter().enumerate() {
            let mut run = Run { at, end, buffer: Vec::new(), next: 0, buffer_pairs };
            if let Some(pair) = run.next(&file)? {
                heads.push(Reverse((pair, index)));
            }
            runs.push(run);
        }
        Ok(Sorted::OnDisk { file, runs, heads })
    }
}

/// Sorted pairs, one after another.
pub(super) enum Sorted {
    InMemory(std::vec::IntoIter<Pair>),
    OnDisk { file: File, runs: Vec<Run>, heads: BinaryHeap<Reverse<(Pair, usize)>> },
}

impl Sorted {
    /// The next pair.
    pub(super) fn next(&mut self) -> io::Result<Option<Pair>> {
        match self {
            Sorted::InMemory(pairs) => Ok(pairs.next()),
            Sorted::OnDisk { file, runs, heads } => {
                let Some(Reverse((pair, index))) = heads.pop() else { return Ok(None) };
                if let Some(next) = runs[index].next(file)? {
                    heads.push(Reverse((next, index)));
                }
                Ok(Some(pair))
            }
        }
    }
}

/// One sorted run in the file.
pub(super) struct Run {
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    next: usize,
    buffer_pairs: usize,
}

impl Run {
    fn next(&mut self, file: &File) -> io::Result<Option<Pair>> {
        if self.next == self.buffer.len() {
            let bytes = (self.end - self.at).min((self.buffer_pairs * PAIR_BYTES) as u64);
            if bytes == 0 {
                return Ok(None);
            }
            self.buffer.resize(bytes as usize, 0);
            file.read_exact_at(&mut self.buffer, self.at)?;
            self.at += bytes;
            self.next = 0;
        }
        let (pair, _) = self.buffer[self.next..].split_at(PAIR_BYTES);
        let (first, second) = pair.split_at(PAIR_BYTES / 2);
        self.next += PAIR_BYTES;
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("8 of 16 bytes"));
        Ok(Some((number(first), number(second))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_back_sorted_from_memory_and_from_disk() {
        let folder = tempfile::tempdir().unwrap();
        let numbers = (0..5000_u64).map(|step| (step * 7919 % 1009, step));
        let mut expected: Vec<_> = numbers.clone().collect();
        expected.sort_unstable();
        for memory_bytes_max in [1, 4096, 1 << 20] {
            let mut sorter = Sorter::new(memory_bytes_max, folder.path());
            for pair in numbers.clone() {
                sorter.push(pair).unwrap();
            }
            let mut sorted = sorter.sorted().unwrap();
            let mut back = Vec::new();
            while let Some(pair) = sorted.next().unwrap() {
                back.push(pair);
            }
            assert_eq!(back, expected);
        }
    }
}
