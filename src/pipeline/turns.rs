//! Sources whose reading begins before their turn: datasets are often thousands of small packed
//! files, each too short to keep more than one thread busy.
//!
//! A small file is read and unpacked into its few buffers while those before it are extracted, and
//! waits there. So the order stays, and memory is bounded: some more buffers and codec windows.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::{Scope, ScopedJoinHandle};

use super::Bounds;
use super::decode::Means;
use super::reader::{self, Blocks};
use super::source::Source;

/// Files that are read before their turn, at most.
const FILES_MAX: usize = 4;

/// A file that is longer keeps all threads busy in its turn.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// A source that is being read.
pub(super) struct Begun<'scope> {
    pub(super) blocks: Blocks,
    pub(super) thread: ScopedJoinHandle<'scope, ()>,
    /// Bytes read so far, as they are stored.
    pub(super) bytes_read: Arc<AtomicU64>,
}

/// How sources are read.
#[derive(Clone, Copy)]
pub(super) struct Plan<'scope> {
    pub(super) bounds: Bounds,
    pub(super) spool_folder: &'scope Path,
    /// Threads that read and unpack in all.
    pub(super) threads: usize,
    /// Blocks that each source is read ahead, beyond the few that go round.
    pub(super) blocks: usize,
}

/// The sources to come.
pub(super) struct Turns<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    plan: Plan<'scope>,
    /// Those not begun, in order.
    sources: VecDeque<&'scope Source>,
    /// Those begun, in order; what failed to open is told in its turn.
    begun: VecDeque<io::Result<Begun<'scope>>>,
}

impl<'scope, 'env> Turns<'scope, 'env> {
    /// Reads those of `sources` that may hold records, one after the other.
    pub(super) fn new(
        scope: &'scope Scope<'scope, 'env>,
        sources: &'scope [Source],
        plan: Plan<'scope>,
    ) -> Turns<'scope, 'env> {
        let sources = sources.iter().filter(|source| !source.holds_no_records()).collect();
        Turns { scope, plan, sources, begun: VecDeque::new() }
    }

    /// The next source, whose turn it is.
    ///
    /// # Errors
    /// What the system said when it was opened.
    ///
    /// # Panics
    /// If there is none.
    pub(super) fn next(&mut self) -> io::Result<Begun<'scope>> {
        let next = match self.begun.pop_front() {
            Some(begun) => begun,
            None => {
                let source = self.sources.pop_front().expect("each source has one turn");
                self.begin(source, self.plan.threads)
            }
        };
        let files = FILES_MAX.min(self.plan.threads - 1);
        while self.begun.len() < files
            && let Some(source) = self.sources.pop_front_if(|source| is_small(source))
        {
            let threads = (self.plan.threads / (FILES_MAX + 1)).max(1);
            self.begun.push_back(self.begin(source, threads));
        }
        next
    }

    fn begin(&self, source: &'scope Source, threads: usize) -> io::Result<Begun<'scope>> {
        let Plan { bounds, spool_folder, blocks, .. } = self.plan;
        let means = Means { threads, ..reader::means(bounds, spool_folder) };
        let bytes_read = Arc::new(AtomicU64::new(0));
        let (blocks, thread) =
            reader::start(self.scope, source, Arc::clone(&bytes_read), means, blocks)?;
        Ok(Begun { blocks, thread, bytes_read })
    }
}

/// Whether it is a file that one thread soon has read.
fn is_small(source: &Source) -> bool {
    matches!(source, Source::File(_) | Source::Found(_))
        && source.bytes().is_some_and(|bytes| bytes <= FILE_BYTES_MAX)
}
