//! The thread that reads and decodes a source, and the few buffers that go round between it and
//! the one that extracts.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use super::source::Source;
use super::{Bounds, decode};

/// Bytes of a buffer.
const BLOCK_BYTES: usize = 512 << 10;

/// Buffers that go round, those apart that wait for their turn to be extracted.
const BLOCKS: usize = 4;

/// What is read at once at least while more is at hand. Whoever sends less waits for an answer.
const PLENTY_BYTES: usize = 32 << 10;

/// What the reading thread says.
pub(super) enum Said {
    /// The wrappings of the source, before anything else.
    Encodings(Vec<&'static str>),
    /// The next bytes.
    Block(Vec<u8>),
}

/// The other end of the reading thread. Dropping it ends the thread at its next block.
pub(super) struct Blocks {
    said: Receiver<io::Result<Said>>,
    empty: Sender<Vec<u8>>,
}

impl Blocks {
    /// The next thing said, if it was said already.
    pub(super) fn next_at_hand(&self) -> Option<io::Result<Said>> {
        self.said.try_recv().ok()
    }

    /// The next thing said; none at the end.
    pub(super) fn next(&self) -> Option<io::Result<Said>> {
        self.said.recv().ok()
    }

    /// Gives a buffer back.
    pub(super) fn give_back(&self, block: Vec<u8>) {
        // At the end nobody waits for buffers any more.
        let _ = self.empty.send(block);
    }
}

/// Begins to read `source` on a thread of its own, so many blocks ahead.
pub(super) fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    source: &'scope Source,
    bytes_read: Arc<AtomicU64>,
    bounds: Bounds,
    ahead: usize,
) -> io::Result<(Blocks, ScopedJoinHandle<'scope, ()>)> {
    let stream = source.open()?;
    let (say, said) = sync_channel(BLOCKS + ahead);
    let (give, given) = channel();
    for _ in 0..BLOCKS + ahead {
        give.send(Vec::new()).expect("the receiver is held here");
    }
    let thread = scope.spawn(move || {
        let decoded = decode::decode(stream, bytes_read, bounds);
        if let Err(error) = decoded.and_then(|decoded| read(decoded, &say, &given)) {
            // If nobody listens any more, nobody minds the error.
            let _ = say.send(Err(error));
        }
    });
    Ok((Blocks { said, empty: give }, thread))
}

fn read(
    mut decoded: decode::Decoded,
    say: &SyncSender<io::Result<Said>>,
    given: &Receiver<Vec<u8>>,
) -> io::Result<()> {
    if say.send(Ok(Said::Encodings(decoded.encodings))).is_err() {
        return Ok(());
    }
    // The beginning of a line whose end is not read yet.
    let mut begun: Vec<u8> = Vec::new();
    while let Ok(mut block) = given.recv() {
        if block.capacity() > 2 * BLOCK_BYTES {
            // It held a long record, whose memory is not kept.
            block = Vec::new();
        }
        block.resize(BLOCK_BYTES, 0);
        let kept = begun.len();
        block[..kept].copy_from_slice(&begun);
        begun.clear();
        let read = loop {
            match decoded.stream.read(&mut block[kept..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // What was read before is said before.
                    block.truncate(kept);
                    if kept > 0 && say.send(Ok(Said::Block(block))).is_err() {
                        return Ok(());
                    }
                    return Err(error);
                }
                Ok(read) => break read,
            }
        };
        block.truncate(kept + read);
        // Whole lines can be extracted by anybody.
        let line_end = (read >= PLENTY_BYTES).then(|| memchr::memrchr(b'\n', &block)).flatten();
        if let Some(line_end) = line_end {
            begun.extend_from_slice(&block[line_end + 1..]);
            block.truncate(line_end + 1);
        }
        if block.is_empty() || say.send(Ok(Said::Block(block))).is_err() || read == 0 {
            break;
        }
    }
    Ok(())
}
