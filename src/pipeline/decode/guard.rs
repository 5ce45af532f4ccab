//! The bounds on what comes out of the decompressors, so that a small bomb cannot run for days.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that may come out whatever the ratio.
const FREE_BYTES: u64 = 64 << 20;

/// A bound of decompression was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Bomb {
    /// More output than the ratio allows.
    #[error("its compressed data swells more than {0} times, which is the bound `swelling`")]
    Swelling(u64),
    /// A window that takes more memory than there is for it.
    #[error("unpacking it takes more memory than the bound `window-bytes` allows")]
    Window,
    /// It has to lie on a disk to be read, and is longer than what it may take there.
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "only Parquet has to"))]
    #[error(
        "it can only be read from a disk, and takes more than {0} bytes there, which is the bound \
         `spool-bytes`"
    )]
    Spool(u64),
    /// Wrapped too often.
    #[error("it is packed more than {0} times over, which is the bound `nesting`")]
    Nested(usize),
    /// Too many files in archives.
    #[error("its archives hold more than {0} files, which is the bound `entries`")]
    Entries(u64),
}

/// Compares what was read with what comes out.
pub(super) struct Guard<R> {
    output: R,
    bytes_read: Arc<AtomicU64>,
    /// What came out of all decompressors of the source.
    bytes_out: Arc<AtomicU64>,
    swelling_max: u64,
}

impl<R> Guard<R> {
    pub(super) fn new(
        output: R,
        bytes_read: Arc<AtomicU64>,
        bytes_out: Arc<AtomicU64>,
        swelling_max: u64,
    ) -> Guard<R> {
        Guard { output, bytes_read, bytes_out, swelling_max }
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.output.read(buffer)?;
        let bytes_out = self.bytes_out.fetch_add(read as u64, Ordering::Relaxed) + read as u64;
        let allowed = self.bytes_read.load(Ordering::Relaxed).saturating_mul(self.swelling_max);
        if bytes_out > FREE_BYTES && bytes_out > allowed {
            return Err(io::Error::other(Bomb::Swelling(self.swelling_max)));
        }
        Ok(read)
    }
}

/// Tells a window that is too large from data that is damaged.
pub(super) struct Windowed<R>(pub(super) R);

impl<R: Read> Read for Windowed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| {
            // The libraries say it in words alone, each in its own.
            let said = error.to_string();
            let words = ["Frame requires too much memory", "memory limit reached"];
            let is_window = words.iter().any(|words| said.contains(words));
            if is_window { io::Error::other(Bomb::Window) } else { error }
        })
    }
}
