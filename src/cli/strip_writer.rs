//! Writes the IDs of `hydrant strip` in the form that was asked for, packed if so, and hashes what
//! goes out.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::base::ids::{DmId, Id, IdKind, TweetId, UserId};
use crate::pipeline::encode::{Encode, Output, Packed, Packing};
use crate::pipeline::{Found, Outlet, Rejected, Written};

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 64 << 10;

/// When what was gathered is written.
#[derive(PartialEq, Eq)]
enum Flush {
    WhenFull,
    EachBatch,
}

/// Hashes and counts what goes out.
struct Hashed {
    out: Box<dyn Write>,
    sum: Rc<RefCell<Sum>>,
}

/// What went out so far.
#[derive(Default)]
struct Sum {
    digest: Sha256,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        let mut sum = self.sum.borrow_mut();
        sum.digest.update(&bytes[..written]);
        sum.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The outlet of the command line.
pub(super) struct Writer {
    out: Box<dyn Packed>,
    encode: Box<dyn Encode>,
    buffer: Vec<u8>,
    flush: Flush,
    sum: Rc<RefCell<Sum>>,
    rejects: Option<BufWriter<File>>,
}

impl Writer {
    pub(super) fn new(
        out: Box<dyn Write>,
        form: &'static Output,
        packing: &'static Packing,
        kind: IdKind,
        rejects: Option<File>,
    ) -> io::Result<Writer> {
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + 1024);
        let encode = (form.begin)(kind, &mut buffer);
        let sum = Rc::default();
        let out = packing.around(Box::new(Hashed { out, sum: Rc::clone(&sum) }))?;
        let rejects = rejects.map(BufWriter::new);
        Ok(Writer { out, encode, buffer, flush: Flush::WhenFull, sum, rejects })
    }

    /// Writes each batch at once, for a reader who waits.
    pub(super) fn flush_each_batch(&mut self) {
        self.flush = Flush::EachBatch;
    }

    fn ids<I: Id>(&mut self, found: &[Found<I>]) -> io::Result<()> {
        for found in found {
            self.encode.push(found.id.value(), &mut self.buffer)?;
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
        self.buffer.clear();
        Ok(())
    }

    /// Writes the rest; says what was written in all.
    pub(super) fn finish(mut self) -> io::Result<Written> {
        self.encode.finish(&mut self.buffer)?;
        self.write()?;
        self.out.finish()?;
        if let Some(rejects) = &mut self.rejects {
            rejects.flush()?;
        }
        let sum = self.sum.take();
        Ok(Written { bytes: sum.bytes, sha256: hex::encode(sum.digest.finalize()) })
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
