//! A source that is stripped in flight: its IDs are handed on in parcels as they are found, and
//! wait for whoever takes them. Deletes count from where they stand on.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::{Report, Sealed, StripError, Wish};
use crate::base::ids::{DmId, Id, IdKind, TweetId, UserId};
use crate::pipeline::{Found, Gone, Order, Outlet, Pipe, Reason, Source, Tally, Unwatched, pipe};

/// How many parcels wait between the thread that strips and whoever takes them.
const PARCELS_WAITING_MAX: usize = 1;

/// Where the bytes of a stream are sent.
#[derive(Debug)]
pub struct Feed {
    pipe: Pipe,
    /// Closed when nobody wants parcels any more.
    taker: oneshot::Sender<()>,
}

/// What the thread that strips says.
#[derive(Debug)]
pub(super) enum Said {
    Parcel(Sealed),
    Ended(Result<Report, StripError>),
}

/// The end at which parcels come out.
#[derive(Debug)]
pub(super) struct Outflow {
    pub(super) said: mpsc::Receiver<Said>,
    /// How many IDs a parcel may have that is sealed from now on.
    pub(super) ids_max: Arc<AtomicU64>,
    /// Tells the feed that nobody takes parcels any more, when it is dropped.
    _taker: oneshot::Receiver<()>,
}

/// Begins to strip a stream that reports call `name`, and leaves out its first `skipped_ids` IDs.
/// Its first parcels have at most `ids_max` IDs. `place` is held until the thread has ended.
///
/// Dropping the feed before its end breaks the stream off; dropping the parcels ends the thread.
pub fn stream(
    name: &str,
    wish: Wish,
    skipped_ids: u64,
    ids_max: u64,
    place: impl Send + 'static,
) -> (Feed, super::Parcels) {
    let (pipe, piped) = pipe(name);
    let (say, said) = mpsc::channel(PARCELS_WAITING_MAX);
    let (taker, still_there) = oneshot::channel();
    let ids_max = Arc::new(AtomicU64::new(ids_max));
    let removals = wish.without.version;
    let mut outlet = Sealing {
        kind: wish.kind,
        skipped_ids,
        next: skipped_ids,
        ids: Vec::new(),
        ids_max: Arc::clone(&ids_max),
        say,
    };
    tokio::task::spawn_blocking(move || {
        let sources = [Source::Piped(piped)];
        let tally = wish.strip(Order::Streamed).run(&sources, &mut outlet, &Unwatched);
        let ended = tally.map_err(StripError::from).and_then(|tally| outlet.end(&tally));
        // If nobody takes parcels any more, nobody waits for their end.
        let _ = outlet.say.blocking_send(Said::Ended(ended));
        drop(place);
    });
    let outflow = Outflow { said, ids_max, _taker: still_there };
    (Feed { pipe, taker }, super::Parcels::of_stream(outflow, skipped_ids, removals))
}

impl Feed {
    /// Sends bytes, and waits for room if need be.
    ///
    /// # Errors
    /// [`Gone`]: nobody wants them.
    pub async fn send(&mut self, bytes: Bytes) -> Result<(), Gone> {
        tokio::select! {
            biased;
            () = self.taker.closed() => Err(Gone),
            sent = self.pipe.send(bytes) => sent,
        }
    }

    /// Ends when nobody wants bytes any more.
    pub async fn gone(&mut self) {
        self.taker.closed().await;
    }

    /// Says that these were all bytes, and that they were the right ones.
    pub async fn end(self) {
        self.pipe.end().await;
    }

    /// Breaks the stream off for that reason.
    pub async fn fail(self, error: io::Error) {
        self.pipe.fail(error).await;
    }
}

/// Puts IDs into parcels.
struct Sealing {
    kind: IdKind,
    /// How many more IDs are left out.
    skipped_ids: u64,
    /// The ordinal of the next parcel's first ID.
    next: u64,
    ids: Vec<u64>,
    ids_max: Arc<AtomicU64>,
    say: mpsc::Sender<Said>,
}

impl Sealing {
    fn take<I: Id>(&mut self, found: &[Found<I>]) -> io::Result<()> {
        let skipped = found.len().min(usize::try_from(self.skipped_ids).unwrap_or(usize::MAX));
        self.skipped_ids -= skipped as u64;
        for row in &found[skipped..] {
            self.ids.push(row.id.value());
            if self.ids.len() as u64 >= self.ids_max.load(Ordering::Relaxed) {
                self.seal()?;
            }
        }
        Ok(())
    }

    /// Hands over what was gathered.
    fn seal(&mut self) -> io::Result<()> {
        let sealed = Sealed::new(self.kind, self.next, &self.ids);
        self.next += sealed.ids();
        self.ids.clear();
        let said = self.say.blocking_send(Said::Parcel(sealed));
        said.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, Gone))
    }

    /// Hands over the rest, if the source was read to its end.
    fn end(&mut self, tally: &Tally) -> Result<Report, StripError> {
        if tally.count(Reason::Container) > 0 {
            return Err(StripError::Container);
        }
        if !self.ids.is_empty() {
            self.seal().map_err(StripError::Spool)?;
        }
        Ok(Report::from(tally))
    }
}

impl Outlet for Sealing {
    fn tweets(&mut self, found: &[Found<TweetId>]) -> io::Result<()> {
        self.take(found)
    }

    fn users(&mut self, found: &[Found<UserId>]) -> io::Result<()> {
        self.take(found)
    }

    fn dms(&mut self, found: &[Found<DmId>]) -> io::Result<()> {
        self.take(found)
    }
}
