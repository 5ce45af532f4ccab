//! A source decoded once more from its beginning, byte for byte as a strip decoded it, for whoever
//! reads records at the places that the strip told.

use std::io::{self, Read};
use std::path::PathBuf;

use super::source::Source;
use super::{Bounds, decode};

/// The decoded bytes of a file.
pub struct Replay {
    stream: decode::Stream,
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Replay")
    }
}

impl Replay {
    /// Begins to decode the file.
    ///
    /// # Errors
    /// What the system said, or what its beginning is instead of a source.
    pub fn open(path: PathBuf) -> io::Result<Replay> {
        let input = Source::File(path).open()?;
        let decoded = decode::decode(input, std::sync::Arc::default(), Bounds::WIDE)?;
        Ok(Replay { stream: decoded.stream })
    }
}

impl Read for Replay {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}
