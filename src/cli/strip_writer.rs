//! Writes the IDs of `hydrant strip` in the form that was asked for, and hashes what it writes.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use sha2::{Digest, Sha256};

use crate::base::ids::{DmId, Id, IdKind, TweetId, UserId};
use crate::pipeline::encode::Output;
use crate::pipeline::{Found, Outlet, Rejected, Written};

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 64 << 10;

/// When what was gathered is written.
#[derive(PartialEq, Eq)]
enum Flush {
    WhenFull,
    EachBatch,
}

/// The outlet of the command line.
pub(super) struct Writer {
    out: Box<dyn Write>,
    form: &'static Output,
    buffer: Vec<u8>,
    flush: Flush,
    digest: Sha256,
    bytes: u64,
    rejects: Option<BufWriter<File>>,
}

impl Writer {
    pub(super) fn new(
        out: Box<dyn Write>,
        form: &'static Output,
        kind: IdKind,
        rejects: Option<File>,
    ) -> Writer {
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + 1024);
        (form.begin)(&mut buffer, kind);
        let rejects = rejects.map(BufWriter::new);
        let (flush, digest) = (Flush::WhenFull, Sha256::new());
        Writer { out, form, buffer, flush, digest, bytes: 0, rejects }
    }

    /// Writes each batch at once, for a reader who waits.
    pub(super) fn flush_each_batch(&mut self) {
        self.flush = Flush::EachBatch;
    }

    fn ids<I: Id>(&mut self, found: &[Found<I>]) -> io::Result<()> {
        for found in found {
            (self.form.push)(&mut self.buffer, I::KIND, found.id.value());
            if self.buffer.len() >= BUFFER_BYTES {
                self.write()?;
            }
        }
        if self.flush == Flush::EachBatch {
            self.write()?;
            self.out.flush()?;
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.digest.update(&self.buffer);
        self.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the rest; says what was written in all.
    pub(super) fn finish(mut self) -> io::Result<Written> {
        self.write()?;
        self.out.flush()?;
        if let Some(rejects) = &mut self.rejects {
            rejects.flush()?;
        }
        let digest = self.digest.finalize();
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Written { bytes: self.bytes, sha256 })
    }
}

impl Outlet for Writer {
    fn tweets(&mut self, found: &[Found<TweetId>]) -> io::Result<()> {
        self.ids(found)
    }

    fn users(&mut self, found: &[Found<UserId>]) -> io::Result<()> {
        self.ids(found)
    }

    fn dms(&mut self, found: &[Found<DmId>]) -> io::Result<()> {
        self.ids(found)
    }

    /// A line of tab-separated values: source, line, byte, reason.
    fn rejected(&mut self, rejected: &Rejected<'_>) -> io::Result<()> {
        let Some(out) = &mut self.rejects else { return Ok(()) };
        let source = rejected.source.replace(['\t', '\n', '\r'], " ");
        let reason = rejected.reason.slug();
        writeln!(out, "{source}\t{}\t{}\t{reason}", rejected.line, rejected.byte)
    }
}
