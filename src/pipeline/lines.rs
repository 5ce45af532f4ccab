//! The lines of a file after its containers are opened, one by one; what stands in them is not
//! looked at.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::decode::Means;
use super::reader::{self, Said};
use super::source::Source;
use super::{Bounds, PipelineError, Watch, run};

/// The longest line; of a longer one only so much is handed over.
const LINE_BYTES_MAX: usize = 1 << 20;

/// One line of a file.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Counted from 1.
    pub number: u64,
    /// Where it begins in the decoded file, counted from 0.
    pub byte: u64,
    /// Its bytes without the line feed.
    pub text: &'a [u8],
    /// Whether there is more of it than `text` holds.
    pub is_cut: bool,
}

/// Takes lines, and may end the reading.
pub type TakeLine<'a> = &'a mut dyn FnMut(Line<'_>) -> io::Result<()>;

/// Hands over all lines of a file in order; returns line and byte from which on nothing can be
/// read, if its compressed data is damaged.
///
/// # Errors
/// [`PipelineError`] if it cannot be opened or read, or passes a bound; [`PipelineError::Write`]
/// with what `take` returned.
pub fn lines(
    path: PathBuf,
    watch: &dyn Watch,
    take: TakeLine<'_>,
) -> Result<Option<(u64, u64)>, PipelineError> {
    let source = Source::File(path);
    let name = source.name();
    let bytes_read = Arc::new(AtomicU64::new(0));
    std::thread::scope(|scope| {
        let means = Means::within(Bounds::WIDE);
        let (blocks, thread) = reader::start(scope, &source, Arc::clone(&bytes_read), means, 0)
            .map_err(|error| PipelineError::Open { name: name.clone(), source: error })?;
        let refused = |source| PipelineError::Write { source };
        let mut lines = Lines { number: 1, byte: 0, bytes: 0, text: Vec::new() };
        let mut damaged = None;
        while let Some(said) = blocks.next() {
            let read = bytes_read.load(Ordering::Relaxed);
            match said {
                // A last line without a line feed does not run on into the next file.
                Ok(Said::Part(..)) if lines.bytes > 0 => lines.end(take).map_err(refused)?,
                Ok(Said::Part(..) | Said::PassedOver(_)) => {}
                Ok(Said::Block(block)) => {
                    lines.add(&block, take).map_err(refused)?;
                    watch.progress(read, lines.number);
                    blocks.give_back(block);
                }
                Err(error) => {
                    run::container_damage(&name, read, error)?;
                    damaged = Some((lines.number, lines.byte + lines.bytes));
                }
            }
        }
        drop(blocks);
        thread.join().expect("the reading thread does not panic");
        if lines.bytes > 0 {
            lines.end(take).map_err(refused)?;
        }
        Ok(damaged)
    })
}

/// Puts lines together from blocks.
struct Lines {
    number: u64,
    /// Where the line begins that is being put together.
    byte: u64,
    /// How many bytes of it there were.
    bytes: u64,
    /// As many of them as a line may have.
    text: Vec<u8>,
}

impl Lines {
    fn add(&mut self, mut block: &[u8], take: TakeLine<'_>) -> io::Result<()> {
        while let Some(end) = memchr::memchr(b'\n', block) {
            self.keep(&block[..end]);
            self.end(take)?;
            block = &block[end + 1..];
        }
        self.keep(block);
        Ok(())
    }

    fn keep(&mut self, part: &[u8]) {
        self.bytes += part.len() as u64;
        let room = LINE_BYTES_MAX - self.text.len();
        self.text.extend_from_slice(&part[..part.len().min(room)]);
    }

    fn end(&mut self, take: TakeLine<'_>) -> io::Result<()> {
        let Lines { number, byte, bytes, ref text } = *self;
        take(Line { number, byte, text, is_cut: bytes > text.len() as u64 })?;
        self.number += 1;
        self.byte += bytes + 1;
        self.bytes = 0;
        self.text.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Unwatched;

    #[test]
    fn lines_are_told_with_their_places_and_a_last_one_needs_no_line_feed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let long = "x".repeat(LINE_BYTES_MAX + 3);
        std::fs::write(file.path(), format!("\nab\n{long}\r\n\nlast")).unwrap();
        let mut told = Vec::new();
        let path = file.path().to_owned();
        let damaged = lines(path, &Unwatched, &mut |line| {
            told.push((line.number, line.byte, line.text.len(), line.is_cut));
            Ok(())
        });
        assert_eq!(damaged.unwrap(), None);
        let after = 4 + long.len() as u64 + 2;
        let expected = [
            (1, 0, 0, false),
            (2, 1, 2, false),
            (3, 4, LINE_BYTES_MAX, true),
            (4, after, 0, false),
            (5, after + 1, 4, false),
        ];
        assert_eq!(told, expected);
    }
}
