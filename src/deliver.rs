//! Where both planes meet: a granted chunk becomes bytes on a connection, and is accounted for.
//!
//! The story of one delivery. The ledger admits the order and opens its first chunk in one commit.
//! From then on the connection drives: whenever it has room for more, the next bytes of the open
//! chunk are given to it: read from a release, or taken out of a parcel that was stripped for this
//! delivery. Shortly before a chunk is used up the next one is opened, so that the commit overlaps
//! with the sending; no byte is read that is not granted.
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
mod closing;
mod course;
mod file;
mod frame;
mod load;
mod passage;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use tokio::sync::mpsc;

use self::account::Account;
pub use self::account::Wire;
use self::course::{Course, Loaded, Next};
pub use self::file::{FilePassage, Kept};
use self::load::Load;
pub use self::passage::Passage;
use crate::base::ids::IdKind;
use crate::base::party::{Credential, PersonId};
use crate::ledger::{Denied, Ledger, Order, Ordered, Parcel, Values};
use crate::policy::ChunkSize;
use crate::release::View;
use crate::store::StoreError;
use crate::transit::{Parcels, Report, StripError};

/// Bytes that are read and handed to the connection at once, for a recipient with a ceiling:
/// few, because what is handed over counts as received.
const SMALL_FRAME_BYTES: usize = 16 * 1024;

/// The most bytes of one frame for a recipient without a ceiling, for speed.
const LARGE_FRAME_BYTES_MAX: usize = 512 * 1024;

/// What the frames of all deliveries together may take, as long as each has its small one.
const FRAMES_BYTES_MAX: usize = 96 * 1024 * 1024;

/// How many frames of one delivery are in memory: one being read, one handed over.
const FRAMES_PER_DELIVERY: usize = 2;

/// Why a delivery ended whose client left, in the delivery's row.
const CONNECTION_ENDED: &str = "the connection ended";

/// A stretch of a view of a release: which IDs are charged and which bytes are sent.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// The view that it is cut from.
    pub view: View,
    /// The IDs, by ordinal.
    pub ordinals: Range<u64>,
    /// The bytes of the view; they lie within the lines of `ordinals`.
    pub bytes: Range<u64>,
}

/// Who asks for IDs that stand in no release.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    /// Who.
    pub person: PersonId,
    /// By which key or session.
    pub credential: Option<Credential>,
    /// For which kind of ID.
    pub kind: IdKind,
}

/// A dataset that is stripped in flight, as far as its deliveries name it.
#[derive(Clone, Debug)]
pub struct Streamed {
    /// The dataset.
    pub dataset: i64,
    /// Which view of its source the ordinals count in.
    pub view: String,
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
    /// What the IDs are stripped from broke off.
    #[error("the source failed")]
    Source(#[source] StripError),
    /// A file of objects must no longer be handed out.
    #[error("something in the file was removed, or its person may receive nothing any more")]
    Withdrawn,
    /// Nobody can tell whether a file of objects may still be handed out.
    #[error("the removals could not be asked for")]
    Unknown(#[source] StoreError),
}

/// How a delivery of parcels begins.
pub enum Begun {
    /// With its first chunk.
    Passage(Box<Passage>),
    /// Not at all: there are no IDs, and this is what was read.
    Nothing(Report),
}

/// Why nothing of a parcel was handed over.
#[derive(Debug, thiserror::Error)]
pub enum Unbegun {
    /// Nothing is charged.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// What the IDs are stripped from failed before the first was whole.
    #[error(transparent)]
    Source(#[from] StripError),
}

impl Values for Stretch {
    fn read(&self, ordinals: Range<u64>) -> io::Result<Vec<u64>> {
        self.view.values_for_ledger(ordinals)
    }
}

impl Broken {
    /// The reason that is kept with the delivery.
    fn reason(&self) -> String {
        match self {
            Broken::Denied(denied) => format!("{self}: {denied}"),
            Broken::Unreadable(error) => format!("{self}: {error}"),
            Broken::Source(error) => format!("{self}: {error}"),
            Broken::Unknown(error) => format!("{self}: {error}"),
            Broken::Withdrawn => self.to_string(),
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
        let (delivery, granted) = self.ledger.admit(order).await?;
        let length = Some(stretch.bytes.end - stretch.bytes.start);
        let load = Load::of_stretch(stretch);
        let course = Course { delivery, parcels: None };
        let first = Loaded { granted, sealed: None };
        Ok(Passage::new(self.clone(), course, first, load, length, wire))
    }

    /// How many IDs the first parcel of a delivery may have at most.
    pub fn first_parcel_ids_max(&self) -> u64 {
        self.ledger.profile().chunk_ids(ChunkSize::Small, 0)
    }

    /// Admits the IDs of a body, all together, and opens the first parcel.
    ///
    /// # Errors
    /// [`Unbegun`]: nothing is charged.
    ///
    /// # Panics
    /// If the parcels are not of a body.
    pub async fn begin_body(
        &self,
        asker: Asker,
        parcels: Parcels,
        wire: Arc<dyn Wire>,
    ) -> Result<Begun, Unbegun> {
        let ids = parcels.ids().expect("the IDs of a body are counted");
        let removals = parcels.removals();
        let ordered = |next| Ordered::Body { ordinals: 0..ids, removals, next };
        self.begin_parcels(asker, parcels, wire, ordered).await
    }

    /// Opens the first parcel of a stream.
    ///
    /// # Errors
    /// [`Unbegun`]: nothing is charged.
    pub async fn begin_stream(
        &self,
        asker: Asker,
        streamed: Streamed,
        parcels: Parcels,
        wire: Arc<dyn Wire>,
    ) -> Result<Begun, Unbegun> {
        let Streamed { dataset, view } = streamed;
        let (first, removals) = (parcels.first(), parcels.removals());
        self.begin_parcels(asker, parcels, wire, |next| Ordered::Stream {
            dataset,
            view: view.clone(),
            removals,
            first,
            next,
        })
        .await
    }

    async fn begin_parcels(
        &self,
        asker: Asker,
        mut parcels: Parcels,
        wire: Arc<dyn Wire>,
        ordered: impl Fn(Parcel) -> Ordered,
    ) -> Result<Begun, Unbegun> {
        let Some(mut sealed) = parcels.next(self.first_parcel_ids_max()).await? else {
            let report = parcels.take_report().expect("the end of parcels comes with a report");
            return Ok(Begun::Nothing(report));
        };
        let Asker { person, credential, kind } = asker;
        let (delivery, granted) = loop {
            let parcel = sealed.parcel();
            // All IDs of a body are known; of a stream those of the parcel.
            let values = parcels.values().unwrap_or_else(|| Arc::clone(&parcel.values));
            let (ordered, values) = (ordered(parcel), Some(values));
            let order = Order { person, credential, kind, ordered, values };
            match self.ledger.admit(order).await {
                Ok(admitted) => break admitted,
                Err(denied) => sealed = course::cut_to_fit(&mut parcels, sealed, denied)?,
            }
        };
        let length = parcels.text_bytes();
        let mut course = Course { delivery, parcels: Some(parcels) };
        course.keep_report(&self.ledger);
        let first = Loaded { granted, sealed: Some(sealed) };
        let passage = Passage::new(self.clone(), course, first, Load::empty(), length, wire);
        Ok(Begun::Passage(Box::new(passage)))
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
