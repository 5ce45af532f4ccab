//! Threads that extract pieces of a source beside each other.
//!
//! Once the beginning of a file has told what it is, a piece of whole lines is read as if a record
//! began with it. That is a guess: the lines may be those of one pretty-printed record, stand in an
//! array, or in a quoted cell. Whoever puts the pieces together in
//! their order knows, and reads a piece again where the guess was wrong; so what comes out is the
//! same with and without a crew. After a few wrong guesses in a row a source is read in turn.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::Scope;

use super::buffer::Buffer;
use super::extract::{Extractor, Harvest, Piece};

/// More threads than one that reads can feed, and than there is memory for.
const THREADS_MAX: usize = 16;

/// How many threads are worth their while: one a core, up to 16.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(THREADS_MAX)
}

/// Wrong guesses in a row after which a source is no longer guessed at.
const WRONG_MAX: u32 = 4;

/// A piece for somebody to read.
struct Job {
    block: Buffer,
    /// Who reads it, as if a record began with it.
    extractor: Extractor,
    /// What is looked for.
    like: Arc<Harvest>,
    done: SyncSender<Done>,
}

/// A piece that was read.
pub(super) struct Done {
    /// Its bytes.
    pub(super) block: Buffer,
    /// What they hold, if they stand by themselves.
    pub(super) piece: Piece,
}

/// A piece that somebody reads; its receiver gives it back.
pub(super) type Reading = Receiver<Done>;

/// The threads, which end when this is dropped.
pub(super) struct Crew {
    jobs: Sender<Job>,
    threads: usize,
}

impl Crew {
    /// So many threads.
    pub(super) fn start<'scope>(scope: &'scope Scope<'scope, '_>, threads: usize) -> Crew {
        let (jobs, waiting) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..threads {
            let waiting = Arc::clone(&waiting);
            scope.spawn(move || work(&waiting));
        }
        Crew { jobs, threads }
    }

    /// How many pieces may be under way: one in work and one in wait for each thread.
    pub(super) fn ahead(&self) -> usize {
        2 * self.threads
    }

    /// Whether there are threads to spare beside one that reads and one that extracts.
    fn is_plenty(&self) -> bool {
        self.threads > 2
    }

    fn read(&self, block: Buffer, extractor: Extractor, like: &Arc<Harvest>) -> Reading {
        let (done, reading) = sync_channel(1);
        let like = Arc::clone(like);
        let job = Job { block, extractor, like, done };
        assert!(self.jobs.send(job).is_ok(), "the threads live as long as the crew");
        reading
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let next = waiting.lock().expect("nobody panics while they wait for a job").recv();
        let Ok(Job { block, extractor, like, done }) = next else { return };
        let piece = Piece::read(&block, extractor, &like);
        // If nobody waits for it any more, the strip has failed.
        let _ = done.send(Done { block, piece });
    }
}

/// How the crew is used for one source.
pub(super) struct Guess<'a> {
    crew: &'a Crew,
    like: Arc<Harvest>,
    /// Whether the beginning of the file whose blocks come next has told what it is.
    told: bool,
    /// Whether there are more threads than reading it keeps busy.
    worthwhile: bool,
    wrong: u32,
}

impl Guess<'_> {
    /// For a source that is read for the likes of `harvest`.
    pub(super) fn new<'a>(crew: &'a Crew, harvest: &Harvest) -> Guess<'a> {
        let like = Arc::new(harvest.empty_like());
        Guess { crew, like, told: false, worthwhile: true, wrong: 0 }
    }

    /// How many blocks may be under way.
    pub(super) fn ahead(&self) -> usize {
        if self.told && self.worthwhile { self.crew.ahead() } else { 1 }
    }

    /// Has a block read beside `extractor`, at `offset` of the source; gives it back if it is not
    /// worth a guess.
    pub(super) fn read(
        &self,
        block: Buffer,
        extractor: &Extractor,
        offset: u64,
    ) -> Result<Reading, Buffer> {
        let is_hopeless = self.wrong >= WRONG_MAX || !self.worthwhile;
        if !self.told || is_hopeless || block.last() != Some(&b'\n') {
            return Err(block);
        }
        let Some(beside) = extractor.beside(offset) else { return Err(block) };
        Ok(self.crew.read(block, beside, &self.like))
    }

    /// Another file begins, which is wrapped so. With two threads one reads and unpacks; the
    /// caller's extracts what is wrapped faster alone than by handing pieces round.
    pub(super) fn begin(&mut self, encodings: &[&str]) {
        self.told = false;
        self.worthwhile = encodings.is_empty() || self.crew.is_plenty();
    }

    /// Learns that `extractor` took a block in turn. Records and lists are extracted about as fast
    /// as they are read: of two threads, a second one for them only takes the reading one's time.
    pub(super) fn took(&mut self, extractor: &Extractor) {
        self.told = extractor.is_told();
        self.worthwhile &= self.crew.is_plenty() || !self.told || extractor.is_table();
    }

    /// Learns whether the last guess was right.
    pub(super) fn learn(&mut self, right: bool) {
        self.wrong = if right { 0 } else { self.wrong + 1 };
    }
}
