//! Where both planes meet: a granted chunk becomes bytes on a connection, and is accounted for.
//!
//! The story of one delivery. The ledger admits the order and opens its first chunk in one commit.
//! From then on the connection drives: whenever it has room for more, the next bytes of the open
//! chunk are read from the release and given to it. Shortly before a chunk is used up the next one
//! is opened, so that the commit overlaps with the sending; no byte is read that is not granted.
//!
//! Chunks are settled when their bytes have left the kernel's queue. When the connection ends, for
//! whatever reason, the chunks that are still open are looked at once more: one of which the
//! kernel took not a single byte is given back, every other one is settled in full.
//!
//! ```text
//! charged:   [ chunk 0 ][ chunk 1 ][ chunk 2 ]
//! the wire:  [ left ......... | queued |  in hyper | not yet read ]
//! then:      settled     settled     settled (touched)      given back (untouched)
//! ```

mod account;
mod frame;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use self::account::Account;
pub use self::account::Wire;
use self::frame::{Buffers, Frame};
use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::ledger::{Chunk, Delivery, Denied, Granted, Ledger, Order, Outcome, Values};
use crate::release::{Column, Release};

/// Bytes that are read and handed to the connection at once, for a recipient with a ceiling:
/// few, because what is handed over counts as received.
const SMALL_FRAME_BYTES: usize = 16 * 1024;

/// The most bytes of one frame for a recipient without a ceiling, for speed.
const LARGE_FRAME_BYTES_MAX: usize = 512 * 1024;

/// What the frames of all deliveries together may take, as long as each has its small one.
const FRAMES_BYTES_MAX: usize = 96 * 1024 * 1024;

/// How many frames of one delivery are in memory: one being read, one handed over.
const FRAMES_PER_DELIVERY: usize = 2;

/// How many bytes before its end an open chunk asks for its successor, for a recipient without a
/// ceiling. With a ceiling it is asked for when the last bytes have been handed over.
const OPEN_AHEAD_BYTES: u64 = 8 * 1024 * 1024;

/// Why a delivery ended whose client left, in the delivery's row.
const CONNECTION_ENDED: &str = "the connection ended";

/// A stretch of one column of a release: which IDs are charged and which bytes are sent.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// The release.
    pub release: Arc<Release>,
    /// Which of its columns.
    pub kind: IdKind,
    /// The IDs, by ordinal.
    pub ordinals: Range<u64>,
    /// The bytes of the column's text; they lie within the lines of `ordinals`.
    pub bytes: Range<u64>,
}

/// Why an answer that has begun breaks off; the connection ends without its last bytes.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The ledger refused the next chunk or could not be asked.
    #[error("the next chunk was not granted")]
    Denied(#[source] Denied),
    /// The release could not be read.
    #[error("the release could not be read")]
    Unreadable(#[source] io::Error),
}

impl Stretch {
    fn column(&self) -> &Column {
        self.release.column(self.kind).expect("a stretch is cut from a column that is there")
    }
}

impl Values for Stretch {
    fn read(&self, ordinals: Range<u64>) -> io::Result<Vec<u64>> {
        self.column().values_for_ledger(ordinals)
    }
}

impl Broken {
    /// The reason that is kept with the delivery.
    fn reason(&self) -> String {
        match self {
            Broken::Denied(denied) => format!("{self}: {denied}"),
            Broken::Unreadable(error) => format!("{self}: {error}"),
        }
    }
}

/// Makes deliveries, and knows when the last of them has been accounted for.
#[derive(Clone)]
pub struct Deliverer {
    ledger: Ledger,
    /// Every passage holds a clone; when all are dropped, nothing is left to settle.
    alive: mpsc::Sender<std::convert::Infallible>,
}

/// Waits for the last passage; see [`Deliverer::new`].
pub struct AllAccounted(mpsc::Receiver<std::convert::Infallible>);

impl AllAccounted {
    /// Ends when every deliverer is dropped and every delivery has been handed to the ledger.
    pub async fn wait(mut self) {
        let none = self.0.recv().await;
        assert!(none.is_none(), "nobody can send what does not exist");
    }
}

impl Deliverer {
    /// A deliverer on that ledger, and what to wait for before the process ends.
    pub fn new(ledger: Ledger) -> (Deliverer, AllAccounted) {
        let (alive, all) = mpsc::channel(1);
        (Deliverer { ledger, alive }, AllAccounted(all))
    }

    /// Admits `order` and opens its first chunk; the order's ordinals are those of `stretch`.
    ///
    /// # Errors
    /// [`Denied`]: nothing is charged.
    pub async fn begin(
        &self,
        order: Order,
        stretch: Stretch,
        wire: Arc<dyn Wire>,
    ) -> Result<Passage, Denied> {
        let (delivery, first) = self.ledger.admit(order).await?;
        let pace = if delivery.has_ceiling() { Pace::Small } else { Pace::Large };
        if let Pace::Small = pace {
            wire.keep_queue_small();
        }
        Ok(Passage {
            deliverer: self.clone(),
            pace,
            delivery_id: delivery.id(),
            handed_until: stretch.bytes.start,
            readable_until: stretch.bytes.start,
            stretch,
            account: Account::new(wire),
            step: Step::Opened(delivery, Some(first)),
            reading: None,
            buffers: Buffers::default(),
            broken: None,
        })
    }

    /// How large a frame may be, so that all deliveries together stay within their memory.
    fn frame_bytes(&self, pace: Pace) -> usize {
        let fair_share = FRAMES_BYTES_MAX / (FRAMES_PER_DELIVERY * self.alive.strong_count());
        match pace {
            Pace::Small => SMALL_FRAME_BYTES,
            Pace::Large => fair_share.clamp(SMALL_FRAME_BYTES, LARGE_FRAME_BYTES_MAX),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Pace {
    Small,
    Large,
}

/// One delivery under way: gives its bytes frame by frame as the connection asks for them.
///
/// Dropping it at any moment is safe: what is open is then settled or given back.
pub struct Passage {
    deliverer: Deliverer,
    pace: Pace,
    delivery_id: DeliveryId,
    stretch: Stretch,
    /// The byte of the column up to which bytes were handed to the connection.
    handed_until: u64,
    /// The byte of the column up to which the newest chunk that was taken up reaches.
    readable_until: u64,
    account: Account,
    step: Step,
    reading: Option<JoinHandle<io::Result<Frame>>>,
    buffers: Buffers,
    broken: Option<String>,
}

/// How far the opening of chunks has come.
enum Step {
    /// The next chunk is granted, or there is none; it has not been taken up.
    Opened(Delivery, Option<Granted<Chunk>>),
    /// The chunk that is being sent is taken up, the next one is not asked for yet.
    Sending(Delivery),
    /// The next chunk has been asked for.
    Opening(JoinHandle<(Delivery, NextChunk)>),
    /// There are no more chunks.
    Done(Delivery),
    /// Only while the step is being exchanged.
    Between,
}

/// What the ledger says to the question for the next chunk.
type NextChunk = Result<Option<Granted<Chunk>>, Denied>;

impl Step {
    fn take(&mut self) -> Step {
        std::mem::replace(self, Step::Between)
    }
}

impl Passage {
    /// The delivery's public number.
    pub fn delivery_id(&self) -> DeliveryId {
        self.delivery_id
    }

    /// The next bytes; `None` when all have been handed over.
    ///
    /// # Errors
    /// [`Broken`]: the answer has to end without being complete.
    pub async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        let next = self.try_next().await;
        if let Err(broken) = &next {
            self.broken = Some(broken.reason());
        }
        next.transpose()
    }

    async fn try_next(&mut self) -> Result<Option<Bytes>, Broken> {
        self.account.settle_what_has_left(&self.deliverer.ledger);
        while self.handed_until == self.readable_until {
            if !self.take_up_next().await? {
                return Ok(None);
            }
        }
        if self.reading.is_none() {
            self.read_on();
        }
        let reading = self.reading.as_mut().expect("a read is under way");
        let frame = reading.await.map_err(|error| io::Error::other(error.to_string()));
        self.reading = None;
        let frame = frame.flatten().map_err(Broken::Unreadable)?;
        self.handed_until += frame.bytes as u64;
        if self.handed_until < self.readable_until {
            self.read_on();
        }
        self.open_ahead();
        Ok(Some(Bytes::from_owner(frame)))
    }

    /// Takes up the next granted chunk as the one that is being sent; `false` at the end.
    async fn take_up_next(&mut self) -> Result<bool, Broken> {
        self.ask_for_next();
        if let Step::Opening(opening) = &mut self.step {
            let (delivery, answer) = opening.await.expect("the ledger answers, whatever it says");
            match answer {
                Ok(next) => self.step = Step::Opened(delivery, next),
                Err(denied) => {
                    self.step = Step::Done(delivery);
                    return Err(Broken::Denied(denied));
                }
            }
        }
        match self.step.take() {
            Step::Opened(delivery, Some(granted)) => {
                if delivery.has_ceiling() && matches!(self.pace, Pace::Large) {
                    // An exemption has ended on the way: from here on little may be on the way.
                    self.pace = Pace::Small;
                    self.account.keep_queue_small();
                }
                let ordinals_end = granted.chunk().ordinals.end;
                // Into the account first: whatever fails from here on, the chunk is known there.
                self.account.take_up(granted, self.readable_until - self.stretch.bytes.start);
                self.step = Step::Sending(delivery);
                self.readable_until = self.locate_end(ordinals_end).await?;
                self.account.newest_ends(self.readable_until - self.stretch.bytes.start);
                Ok(true)
            }
            Step::Opened(delivery, None) | Step::Done(delivery) => {
                self.step = Step::Done(delivery);
                Ok(false)
            }
            Step::Sending(_) | Step::Opening(_) | Step::Between => {
                unreachable!("the next chunk was asked for and its answer awaited")
            }
        }
    }

    /// The byte at which the wanted bytes of a chunk end.
    async fn locate_end(&self, ordinals_end: u64) -> Result<u64, Broken> {
        if ordinals_end == self.stretch.ordinals.end {
            return Ok(self.stretch.bytes.end);
        }
        let stretch = self.stretch.clone();
        let located = tokio::task::spawn_blocking(move || stretch.column().byte_of(ordinals_end));
        let located = located.await.map_err(|error| io::Error::other(error.to_string())).flatten();
        Ok(located.map_err(Broken::Unreadable)?.min(self.stretch.bytes.end))
    }

    /// Starts reading the frame after what was handed over.
    fn read_on(&mut self) {
        let from = self.handed_until;
        let frame_bytes = self.deliverer.frame_bytes(self.pace);
        let wanted = usize::try_from(self.readable_until - from).unwrap_or(usize::MAX);
        let wanted = wanted.min(frame_bytes);
        let mut frame = self.buffers.take(frame_bytes);
        let granted = self.account.newest();
        let stretch = self.stretch.clone();
        self.reading = Some(tokio::task::spawn_blocking(move || {
            frame.bytes = stretch.column().read(&granted, from, &mut frame.buffer[..wanted])?;
            assert_eq!(frame.bytes, wanted, "what is asked for lies within the grant");
            Ok(frame)
        }));
    }

    /// Asks for the next chunk when it is time to.
    fn open_ahead(&mut self) {
        let rest = self.readable_until - self.handed_until;
        let ahead = match self.pace {
            Pace::Small => 0,
            Pace::Large => OPEN_AHEAD_BYTES,
        };
        if rest <= ahead {
            self.ask_for_next();
        }
    }

    fn ask_for_next(&mut self) {
        self.step = match self.step.take() {
            Step::Sending(mut delivery) => {
                let ledger = self.deliverer.ledger.clone();
                // A task of its own: a connection that breaks meanwhile must not lose the grant.
                Step::Opening(tokio::spawn(async move {
                    let next = ledger.open(&mut delivery).await;
                    (delivery, next)
                }))
            }
            other => other,
        };
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        let outcome = match self.broken.take() {
            Some(reason) => Outcome::Broken { reason },
            None if self.handed_until == self.stretch.bytes.end => Outcome::Complete,
            None => Outcome::Broken { reason: CONNECTION_ENDED.to_owned() },
        };
        let closing = Closing {
            deliverer: self.deliverer.clone(),
            step: self.step.take(),
            reading: self.reading.take(),
            account: self.account.take(),
            outcome,
        };
        tokio::spawn(closing.run());
    }
}

/// What remains to be done for a delivery when its connection asks for nothing more.
struct Closing {
    deliverer: Deliverer,
    step: Step,
    reading: Option<JoinHandle<io::Result<Frame>>>,
    account: Account,
    outcome: Outcome,
}

impl Closing {
    async fn run(self) {
        if let Some(reading) = self.reading {
            // It shares its chunk; its bytes are of no use any more.
            let _ = reading.await;
        }
        let (delivery, untaken) = match self.step {
            Step::Opened(delivery, untaken) => (delivery, untaken),
            Step::Sending(delivery) | Step::Done(delivery) => (delivery, None),
            Step::Opening(opening) => {
                let (delivery, answer) = opening.await.expect("the ledger answers");
                (delivery, answer.ok().flatten())
            }
            Step::Between => unreachable!("a step is exchanged within one call"),
        };
        let ledger = &self.deliverer.ledger;
        if let Some(granted) = untaken {
            // Nobody has read a byte of it.
            ledger.release(granted);
        }
        if matches!(self.outcome, Outcome::Complete) {
            // Nothing is held any more, so nobody waits for the end.
            let outcome = match self.account.drained().await {
                true => Outcome::Complete,
                false => Outcome::Broken { reason: CONNECTION_ENDED.to_owned() },
            };
            ledger.end(delivery, outcome);
        } else {
            // What is held is freed before anything is waited for: an immediate resume fits.
            ledger.end(delivery, self.outcome);
            self.account.closed().await;
        }
        self.account.close(ledger);
    }
}
