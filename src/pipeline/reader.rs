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
const BLOCK_BYTES: usize = 256 << 10;

/// Buffers that go round.
const BLOCKS: usize = 4;

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

/// Begins to read `source` on a thread of its own.
pub(super) fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    source: &'scope Source,
    bytes_read: Arc<AtomicU64>,
    bounds: Bounds,
) -> io::Result<(Blocks, ScopedJoinHandle<'scope, ()>)> {
    let stream = source.open()?;
    let (say, said) = sync_channel(BLOCKS);
    let (give, given) = channel();
    for _ in 0..BLOCKS {
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
    while let Ok(mut block) = given.recv() {
        block.resize(BLOCK_BYTES, 0);
        let read = loop {
            match decoded.stream.read(&mut block) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        block.truncate(read);
        if read == 0 || say.send(Ok(Said::Block(block))).is_err() {
            break;
        }
    }
    Ok(())
}
