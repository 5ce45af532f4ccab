//! The thread that reads and decodes a source, and the few buffers that go round between it and
//! the one that extracts.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use super::Bounds;
use super::buffer::Buffer;
use super::decode::{self, Holds, Means, Part, Unheard, is_final};
use super::extract::reads_column;
use super::source::Source;

/// Bytes of a buffer.
const BLOCK_BYTES: usize = 512 << 10;

/// Buffers that go round, those apart that wait for their turn to be extracted.
const BLOCKS: usize = 4;

/// What is read at once at least while more is at hand. Whoever sends less waits for an answer.
const PLENTY_BYTES: usize = 32 << 10;

/// What the reading thread says.
pub(super) enum Said {
    /// The next file of the source begins: its name in archives, and its wrappings.
    Part(String, Vec<&'static str>),
    /// A file in an archive that holds no records, by its name, is passed over.
    PassedOver(String),
    /// The next bytes.
    Block(Buffer),
}

/// The other end of the reading thread. Dropping it ends the thread at its next block.
pub(super) struct Blocks {
    said: Receiver<io::Result<Said>>,
    empty: Sender<Buffer>,
}

impl Blocks {
    /// The next thing said, if it was said already.
    pub(super) fn next_at_hand(&self) -> Option<io::Result<Said>> {
        self.said.try_recv().ok()
    }

    /// The next thing said; none at the end. An error ends the file, and may end the source.
    pub(super) fn next(&self) -> Option<io::Result<Said>> {
        self.said.recv().ok()
    }

    /// Gives a buffer back.
    pub(super) fn give_back(&self, block: Buffer) {
        // At the end nobody waits for buffers any more.
        let _ = self.empty.send(block);
    }
}

/// With what sources are unwrapped: tables without the cells that no format looks at.
pub(super) fn means(bounds: Bounds, spool_folder: &Path) -> Means<'_> {
    Means { is_read: reads_column, ..Means::within(bounds, spool_folder) }
}

/// Begins to read `source` on a thread of its own, so many blocks ahead.
pub(super) fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    source: &'scope Source,
    bytes_read: Arc<AtomicU64>,
    means: Means<'scope>,
    ahead: usize,
) -> io::Result<(Blocks, ScopedJoinHandle<'scope, ()>)> {
    let opened = source.open()?;
    let (say, said) = sync_channel(BLOCKS + ahead);
    let (give, given) = channel();
    for _ in 0..BLOCKS + ahead {
        give.send(Buffer::default()).expect("the receiver is held here");
    }
    let thread = scope.spawn(move || {
        let mut spare = None;
        let walked = decode::walk(opened, bytes_read, means, &mut |part| {
            read(part, &say, &given, &mut spare)
        });
        if let Err(error) = walked {
            // If nobody listens any more, nobody minds the error.
            let _ = say.send(Err(error));
        }
    });
    Ok((Blocks { said, empty: give }, thread))
}

/// Reads one file; only an error that ends the source is returned. The buffer that was not filled
/// at the end is kept for the next file.
fn read(
    part: Part<'_>,
    say: &SyncSender<io::Result<Said>>,
    given: &Receiver<Buffer>,
    spare: &mut Option<Buffer>,
) -> io::Result<()> {
    let unheard = |_| io::Error::other(Unheard);
    let name = part.name.to_owned();
    let mut stream = match part.holds {
        Holds::NoRecords => return say.send(Ok(Said::PassedOver(name))).map_err(unheard),
        Holds::Data(stream) => stream,
    };
    say.send(Ok(Said::Part(name, part.encodings))).map_err(unheard)?;
    // The beginning of a line whose end is not read yet.
    let mut begun: Vec<u8> = Vec::new();
    loop {
        let unused = spare.take().map_or_else(|| given.recv(), Ok);
        let mut block = unused.map_err(|_| io::Error::other(Unheard))?;
        if block.room_bytes() > 2 * BLOCK_BYTES {
            // It held a long record, whose memory is not kept.
            block = Buffer::default();
        }
        block.truncate(0);
        block.append(&begun);
        begun.clear();
        let read = loop {
            match block.fill(BLOCK_BYTES, |room| stream.read(room)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        // Whole lines can be extracted by anybody.
        let is_plenty = read.as_ref().is_ok_and(|read| *read >= PLENTY_BYTES);
        let line_end = is_plenty.then(|| memchr::memrchr(b'\n', &block)).flatten();
        if let Some(line_end) = line_end {
            begun.extend_from_slice(&block[line_end + 1..]);
            block.truncate(line_end + 1);
        }
        // What was read before an error is said before it.
        if block.is_empty() {
            *spare = Some(block);
        } else {
            say.send(Ok(Said::Block(block))).map_err(unheard)?;
        }
        match read {
            Ok(1..) => {}
            Ok(0) => return Ok(()),
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => return say.send(Err(error)).map_err(unheard),
        }
    }
}
