//! One delivery under way: its bytes, frame by frame, as the connection asks for them.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::account::SMALL_QUEUE_BYTES;
use super::closing::Closing;
use super::{Account, Broken, CONNECTION_ENDED, Course, Deliverer, Load, Loaded, Next, Pace};
use super::{SMALL_FRAME_BYTES, Wire};
use crate::base::delivery::DeliveryId;
use crate::ledger::{Denied, Outcome};
use crate::store::StoreError;

/// How many bytes before its end an open chunk asks for its successor, for a recipient without a
/// ceiling. With a ceiling it is asked for when the last bytes have been handed over.
const OPEN_AHEAD_BYTES: u64 = 8 * 1024 * 1024;

/// What HTTP writes around a frame at most where an answer tells no length: its size in
/// hexadecimal and two line ends.
const FRAMING_BYTES_MAX: u64 = 20;

/// One delivery under way: gives its bytes frame by frame as the connection asks for them.
///
/// Dropping it at any moment is safe: what is open is then settled or given back.
pub struct Passage {
    deliverer: Deliverer,
    pace: Pace,
    delivery_id: DeliveryId,
    load: Load,
    /// How many bytes it has, if that is known.
    length: Option<u64>,
    /// The bytes that were handed to the connection.
    handed_until: u64,
    /// The byte up to which the newest chunk that was taken up reaches.
    readable_until: u64,
    /// What may stand on the wire around the bytes up to there.
    framing_bytes: u64,
    account: Account,
    step: Step,
    broken: Option<String>,
}

/// How far the opening of chunks has come.
pub(super) enum Step {
    /// The next chunk is granted, or there is none; it has not been taken up.
    Opened(Course, Option<Loaded>),
    /// The chunk that is being sent is taken up, the next one is not asked for yet.
    Sending(Course),
    /// The next chunk has been asked for. Dropping the sender says that nobody waits for it.
    Opening(JoinHandle<(Course, Next)>, oneshot::Sender<()>),
    /// There are no more chunks.
    Done(Course),
    /// Only while the step is being exchanged.
    Between,
}

impl Step {
    fn take(&mut self) -> Step {
        std::mem::replace(self, Step::Between)
    }
}

impl Passage {
    pub(super) fn new(
        deliverer: Deliverer,
        course: Course,
        first: Loaded,
        load: Load,
        length: Option<u64>,
        wire: Arc<dyn Wire>,
    ) -> Passage {
        let pace = if course.delivery.has_ceiling() { Pace::Small } else { Pace::Large };
        if let Pace::Small = pace {
            wire.bound_queue(SMALL_QUEUE_BYTES);
        }
        Passage {
            deliverer,
            pace,
            delivery_id: course.delivery.id(),
            load,
            length,
            handed_until: 0,
            readable_until: 0,
            framing_bytes: 0,
            account: Account::new(wire),
            step: Step::Opened(course, Some(first)),
            broken: None,
        }
    }

    /// The delivery's public number.
    pub fn delivery_id(&self) -> DeliveryId {
        self.delivery_id
    }

    /// How many bytes it has, if that is known.
    pub fn length(&self) -> Option<u64> {
        self.length
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
                let length = *self.length.get_or_insert(self.handed_until);
                assert_eq!(length, self.handed_until, "the chunks of an order are all of it");
                return Ok(None);
            }
        }
        self.read_ahead();
        let frame_bytes = self.deliverer.frame_bytes(self.pace);
        let bytes = self.load.frame(frame_bytes).await.map_err(Broken::Unreadable)?;
        self.handed_until += bytes.len() as u64;
        if self.handed_until < self.readable_until {
            self.read_ahead();
        }
        self.open_ahead();
        Ok(Some(bytes))
    }

    /// Takes up the next granted chunk as the one that is being sent; `false` at the end.
    async fn take_up_next(&mut self) -> Result<bool, Broken> {
        self.ask_for_next();
        if let Step::Opening(opening, _) = &mut self.step {
            let (course, answer) = opening.await.expect("the ledger answers, whatever it says");
            match answer {
                Ok(next) => self.step = Step::Opened(course, next),
                Err(broken) => {
                    self.step = Step::Done(course);
                    return Err(broken);
                }
            }
        }
        if let Some(asked) = self.ask_of_view() {
            match asked.await {
                Ok(true) => {}
                Ok(false) => return Err(Broken::Denied(Denied::Changed)),
                Err(error) => return Err(Broken::Denied(Denied::Unavailable(error))),
            }
        }
        match self.step.take() {
            Step::Opened(course, Some(Loaded { granted, sealed })) => {
                if course.delivery.has_ceiling() && matches!(self.pace, Pace::Large) {
                    // An exemption has ended on the way: from here on little may be on the way.
                    self.pace = Pace::Small;
                    self.account.keep_queue_small();
                }
                let ordinals_end = granted.chunk().ordinals.end;
                if let Some(sealed) = sealed {
                    self.load = Load::Parcel(sealed.unseal(&granted));
                }
                // Into the account first: whatever fails from here on, the chunk is known there.
                let from = self.readable_until;
                self.account.take_up(granted, from);
                self.step = Step::Sending(course);
                let end = self.load.end_of(ordinals_end, from).await;
                self.readable_until = end.map_err(Broken::Unreadable)?;
                self.count_framing(self.readable_until - from);
                self.account.newest_ends(self.readable_until + self.framing_bytes);
                Ok(true)
            }
            Step::Opened(course, None) | Step::Done(course) => {
                self.step = Step::Done(course);
                Ok(false)
            }
            Step::Sending(_) | Step::Opening(..) | Step::Between => {
                unreachable!("the next chunk was asked for and its answer awaited")
            }
        }
    }

    /// Asks whether a chunk that was opened ahead is still of the view in force: large ones are
    /// granted long before their first byte is sent. One that is not stays untaken, and its charge
    /// is given back.
    fn ask_of_view(&self) -> Option<impl Future<Output = Result<bool, StoreError>> + use<>> {
        let is_ahead = matches!(self.pace, Pace::Large) && self.readable_until > 0;
        match &self.step {
            Step::Opened(_, Some(loaded)) if is_ahead => {
                Some(self.deliverer.ledger.is_in_force(loaded.granted.chunk()))
            }
            _ => None,
        }
    }

    /// What an answer without a length writes around a chunk: no frame is smaller than a small
    /// one, but for the chunk's last.
    fn count_framing(&mut self, chunk_bytes: u64) {
        if self.length.is_none() {
            self.framing_bytes +=
                FRAMING_BYTES_MAX * chunk_bytes.div_ceil(SMALL_FRAME_BYTES as u64);
        }
    }

    /// Starts reading the frame after what was handed over, if it has to be read.
    fn read_ahead(&mut self) {
        let frame_bytes = self.deliverer.frame_bytes(self.pace);
        let (from, until) = (self.handed_until, self.readable_until);
        self.load.read_ahead(|| self.account.newest(), from, until, frame_bytes);
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
            Step::Sending(mut course) => {
                let ledger = self.deliverer.ledger.clone();
                let (waits, left) = oneshot::channel();
                // A task of its own: a connection that breaks meanwhile must not lose the grant.
                let opening = tokio::spawn(async move {
                    let next = course.next(&ledger, left).await;
                    (course, next)
                });
                Step::Opening(opening, waits)
            }
            other => other,
        };
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        let outcome = match self.broken.take() {
            Some(reason) => Outcome::Broken { reason },
            None if self.length == Some(self.handed_until) => Outcome::Complete,
            None => Outcome::Broken { reason: CONNECTION_ENDED.to_owned() },
        };
        let closing = Closing {
            deliverer: self.deliverer.clone(),
            step: self.step.take(),
            reading: self.load.take_reading(),
            account: self.account.take(),
            outcome,
        };
        tokio::spawn(closing.run());
    }
}
