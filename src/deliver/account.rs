//! The chunks of one delivery that are open, against what the connection says of its bytes.
//!
//! What stands on a wire before a body's first byte is not known exactly: an earlier answer's last
//! bytes may still wait in hyper, and the answer's head has its own length. So each question is
//! answered on its safe side. A chunk is *untouched* only if not even its place could have been
//! reached had there been no head at all; it *has left* only if [`HEAD_BYTES_MAX`] more bytes than
//! the body's have left as well, or everything has.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::ledger::{Chunk, Granted, Ledger};

/// More than may stand on the wire before the first byte of an answer's body: the last frame of an
/// earlier answer on the same connection, what hyper buffers, and the head itself.
const HEAD_BYTES_MAX: u64 = 1024 * 1024;

/// How often a connection is asked whether it has drained or closed.
const LOOK: Duration = Duration::from_millis(10);

/// What a delivery needs to know of the connection that it goes to.
pub trait Wire: Send + Sync {
    /// Bytes that the kernel has accepted since the connection began.
    fn written(&self) -> u64;
    /// Of these, the bytes that the other side has confirmed.
    fn left(&self) -> u64;
    /// How often the connection had nothing more to write.
    fn flushes(&self) -> u64;
    /// Whether the connection is over.
    fn is_closed(&self) -> bool;
    /// Lets the kernel hold about so many bytes of what is sent from now on.
    fn bound_queue(&self, bytes: usize);
}

/// What the kernel may hold for a recipient with a ceiling, in bytes: little, so that a download
/// that breaks off has charged little that was not received.
pub(super) const SMALL_QUEUE_BYTES: usize = 32 * 1024;

pub(super) struct Account<T = Chunk> {
    wire: Arc<dyn Wire>,
    /// What the wire had written when the answer began.
    written_before: u64,
    /// How often the wire had been flushed when the answer's last byte was handed over.
    flushes_at_end: u64,
    /// Oldest first.
    open: VecDeque<OpenChunk<T>>,
}

struct OpenChunk<T> {
    /// Shared with the read that is under way.
    granted: Arc<Granted<T>>,
    /// The body's bytes that carry the chunk; the end is not known before it is located.
    body_from: u64,
    body_until: Option<u64>,
}

impl<T> Account<T> {
    pub(super) fn new(wire: Arc<dyn Wire>) -> Account<T> {
        let written_before = wire.written();
        Account { wire, written_before, flushes_at_end: 0, open: VecDeque::new() }
    }

    /// Moves the account out of a passage that is being dropped: nothing more is handed over.
    pub(super) fn take(&mut self) -> Account<T> {
        Account {
            wire: Arc::clone(&self.wire),
            written_before: self.written_before,
            flushes_at_end: self.wire.flushes(),
            open: std::mem::take(&mut self.open),
        }
    }

    pub(super) fn take_up(&mut self, granted: Granted<T>, body_from: u64) {
        self.open.push_back(OpenChunk { granted: Arc::new(granted), body_from, body_until: None });
    }

    pub(super) fn newest_ends(&mut self, body_until: u64) {
        self.open.back_mut().expect("a chunk was taken up").body_until = Some(body_until);
    }

    pub(super) fn newest(&self) -> Arc<Granted<T>> {
        Arc::clone(&self.open.back().expect("a chunk is being sent").granted)
    }

    /// Settles the chunks of which every byte has left, oldest first.
    pub(super) fn settle_what_has_left(&mut self, ledger: &Ledger) {
        // The newest chunk is still being read from; it cannot have left.
        while self.open.len() > 1 {
            let oldest = self.open.front().expect("there are several");
            let until = oldest.body_until.expect("only the newest chunk's end may be unknown");
            if self.wire.left() < self.written_before + HEAD_BYTES_MAX + until {
                return;
            }
            let oldest = self.open.pop_front().expect("there are several");
            settle(ledger, oldest);
        }
    }

    /// Waits until the last byte has left; `false` if the connection was over before.
    pub(super) async fn drained(&self) -> bool {
        // hyper flushes once its buffer is empty: from then on `written` covers the whole answer.
        while self.wire.flushes() == self.flushes_at_end && !self.wire.is_closed() {
            tokio::time::sleep(LOOK).await;
        }
        if self.wire.flushes() == self.flushes_at_end {
            return false;
        }
        let written = self.wire.written();
        while self.wire.left() < written && !self.wire.is_closed() {
            tokio::time::sleep(LOOK).await;
        }
        self.wire.left() >= written
    }

    /// Lets the kernel hold little of what is sent from now on.
    pub(super) fn keep_queue_small(&self) {
        self.wire.bound_queue(SMALL_QUEUE_BYTES);
    }

    /// Ends when the connection is over.
    pub(super) async fn closed(&self) {
        while !self.wire.is_closed() {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Gives back what is untouched and settles everything else.
    pub(super) fn close(self, ledger: &Ledger) {
        let body_written = self.wire.written() - self.written_before;
        for chunk in self.open {
            if body_written <= chunk.body_from {
                let granted = Arc::into_inner(chunk.granted).expect("no read is under way");
                ledger.release(granted);
            } else {
                settle(ledger, chunk);
            }
        }
    }
}

fn settle<T>(ledger: &Ledger, chunk: OpenChunk<T>) {
    let granted = Arc::into_inner(chunk.granted).expect("no read of this chunk is under way");
    ledger.settle(granted);
}
