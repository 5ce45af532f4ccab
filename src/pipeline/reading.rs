//! A source while it is read, file by file: the bytes that are not used up, and where they stand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::buffer::Buffer;
use super::extract::{Extractor, Task, feeds};
use super::reader::Blocks;
use super::{FORMATS, PipelineError};

/// Pending bytes up to which a record is tried again at every line feed that comes.
const EAGER_BYTES: usize = 1 << 20;

/// A source that is being read, file by file.
pub(super) struct Reading {
    /// The source's name.
    pub(super) source: String,
    pub(super) bytes_read: Arc<AtomicU64>,
    /// Bytes of all files before this one.
    pub(super) bytes_decoded: u64,
    pub(super) encodings: Vec<&'static str>,
    pub(super) files: u64,
    pub(super) all_records: u64,
    pub(super) formats: [u64; FORMATS.len()],
    pub(super) columns: BTreeMap<String, String>,
    /// The longest record.
    pub(super) record_bytes_max: usize,
    /// The name of this file, as reports call it.
    pub(super) name: String,
    /// What the strip had met before this file.
    pub(super) seen_before: [u64; 3],
    /// The bytes that are not used up yet.
    pub(super) window: Buffer,
    /// How many of them were tried in vain.
    pub(super) tried: usize,
    pub(super) lines: Lines,
    pub(super) extractor: Extractor,
    pub(super) part_bytes: u64,
    /// The white space and padding that it begins with.
    pub(super) blank: Lines,
    /// Line and byte of what follows.
    pub(super) begins: Option<(u64, u64)>,
    pub(super) records: u64,
}

impl Reading {
    pub(super) fn new(source: String, bytes_read: Arc<AtomicU64>, task: Task) -> Reading {
        Reading {
            name: source.clone(),
            source,
            bytes_read,
            bytes_decoded: 0,
            encodings: Vec::new(),
            files: 0,
            all_records: 0,
            formats: [0; FORMATS.len()],
            columns: BTreeMap::new(),
            record_bytes_max: task.record_bytes_max,
            seen_before: [0; 3],
            window: Buffer::default(),
            tried: 0,
            lines: Lines::default(),
            extractor: Extractor::new(task),
            part_bytes: 0,
            blank: Lines::default(),
            begins: None,
            records: 0,
        }
    }

    /// What reports call a file in an archive.
    pub(super) fn name_of(&self, part: &str) -> String {
        if part.is_empty() { self.source.clone() } else { format!("{}/{part}", self.source) }
    }

    pub(super) fn begin_part(&mut self, part: &str, encodings: Vec<&'static str>, task: Task) {
        self.name = self.name_of(part);
        self.files += 1;
        for encoding in encodings {
            if !self.encodings.contains(&encoding) {
                self.encodings.push(encoding);
            }
        }
        self.window.truncate(0);
        self.extractor = Extractor::new(task);
        (self.tried, self.part_bytes, self.records) = (0, 0, 0);
        (self.lines, self.blank, self.begins) = (Lines::default(), Lines::default(), None);
    }

    pub(super) fn end_part(&mut self) {
        self.bytes_decoded += std::mem::take(&mut self.part_bytes);
        self.all_records += std::mem::take(&mut self.records);
        for (all, count) in self.formats.iter_mut().zip(self.extractor.formats) {
            *all += count;
        }
        self.extractor.formats = [0; FORMATS.len()];
        self.columns.extend(self.extractor.columns());
        self.begins = None;
    }

    /// Adds a block; says whether it is worth trying to extract from the window.
    ///
    /// A long record is tried again only when its bytes have doubled, so that it is not walked
    /// from its start at every block.
    pub(super) fn add(&mut self, mut block: Buffer, blocks: &Blocks) -> bool {
        self.part_bytes += block.len() as u64;
        if self.begins.is_none() {
            let text = block.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != 0);
            self.blank.pass(&block[..text.unwrap_or(block.len())]);
            self.begins = text.map(|_| (self.blank.line(), self.blank.byte));
        }
        let pending = self.tried;
        let begin = self.window.len();
        if begin == 0 {
            std::mem::swap(&mut self.window, &mut block);
        } else {
            self.window.append(&block);
        }
        blocks.give_back(block);
        let line_ended = || memchr::memchr(b'\n', &self.window[begin..]).is_some();
        pending == 0
            || self.window.len() >= 2 * pending
            || self.window.len() >= self.record_bytes_max
            || pending <= EAGER_BYTES && line_ended()
    }

    /// Counts the lines of so many bytes more that the extractor used up.
    pub(super) fn count_lines(&mut self, bytes: usize) {
        self.lines.feeds = self.extractor.feeds();
        self.lines.byte += bytes as u64;
    }

    pub(super) fn kind_undeclared(&self) -> PipelineError {
        PipelineError::KindUndeclared { name: self.name.clone() }
    }
}

/// Counts the lines of a decoded source.
#[derive(Clone, Copy, Default)]
pub(super) struct Lines {
    /// Line feeds before `byte`.
    pub(super) feeds: u64,
    pub(super) byte: u64,
}

impl Lines {
    pub(super) fn pass(&mut self, bytes: &[u8]) {
        self.feeds += feeds(bytes);
        self.byte += bytes.len() as u64;
    }

    /// The number of the line reached.
    pub(super) fn line(&self) -> u64 {
        self.feeds + 1
    }

    /// The line of a byte in `input`, which begins where `begun` stands; this
    /// count goes on from where it is, so asking in order is cheap.
    pub(super) fn at(&mut self, begun: Lines, input: &[u8], byte: u64) -> u64 {
        if byte < self.byte {
            *self = begun;
        }
        let from = (self.byte - begun.byte) as usize;
        let to = ((byte - begun.byte) as usize).min(input.len());
        self.pass(&input[from.min(to)..to]);
        self.line()
    }
}
