//! The open-charge protocol: no ID leaves without a durable charge, and no charge leaves the
//! window before its ID has been gone for 30 days.
//!
//! # The story
//!
//! A requester orders IDs. In one transaction of the store's single writer the ledger reads its
//! time, looks up whom the order is charged to, lets fall what has left their windows, and asks
//! whether all of it fits all of them ([`Ledger::admit`]). If so, the first chunk becomes an *open
//! charge*, and the rest is *held*: others cannot start what would then not fit. Only when that
//! transaction is on the disk does the caller get a [`Granted`] chunk, and without one nothing can
//! be sent. Every further chunk is a transaction of its own ([`Ledger::open`]), which looks up
//! everything again, so a key that is revoked ends its stream there.
//!
//! What stands in no release is charged in parcels, each named by the digest of its bytes. The IDs
//! of a request's body are counted and admitted together. Of a source that is stripped in flight
//! nobody knows how many there are: nothing is held, and each parcel must fit by itself
//! ([`Ledger::open_parcel`]).
//!
//! An open charge counts in full, for ever. When the chunk's bytes have left, it is *settled*
//! ([`Ledger::settle`]): it goes into the bucket of that minute, and its 30 days begin. If no byte
//! was sent, it is *released* ([`Ledger::release`]). If the caller went away before the grant
//! reached it, the grant releases itself. If the process dies, its successor settles everything
//! ([`Ledger::start`]); the lock on the data folder proves that it is alone.
//!
//! Where an ID counts once (`count = "distinct"`), a chunk is charged for what of it is new to the
//! recipient, and what is not moves into the new charge (`distinct.rs`). Objects, which a person
//! is handed in files, are charged by the same protocol ([`objects`]).
//!
//! When the delivery is over ([`Ledger::end`], or it is dropped), what is still held is free.
//! Settling, releasing and ending are queued and do not wait; each admission comes after what was
//! queued before it.
//!
//! # What may go wrong
//!
//! Any [`StoreError`] is [`Denied::Unavailable`]: nobody can tell, so nothing goes out. Nothing in
//! memory ever grants: two ledgers on one store would give out no more than one.

mod admit;
pub mod carry;
mod charge;
mod clock;
mod delivery;
mod distinct;
mod filter;
pub mod freeze;
mod grant;
mod link;
pub mod objects;
mod preview;
pub mod profile;
mod queue;
mod recover;
mod usage;
mod values;
mod verify;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

pub use clock::{accept_clock, time_ms};
pub use delivery::{Delivery, Order, Ordered, Outcome, Parcel};
pub use grant::{Chunk, Content, Granted};
pub use link::link_ceiling;
pub use recover::{Retired, retire};
pub use usage::{Usage, usage};
pub use values::Values;
pub use verify::verify;

use crate::base::clock::Clock;
use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::base::party::{Credential, PersonId};
use crate::policy::window::minute_of;
use crate::policy::{Profile, Refusal, Unit};
use crate::store::{FolderLock, Store, StoreError};
use admit::{Asked, Withheld};
use charge::Desk;
use filter::Filters;
use queue::{Queue, Step};

/// How many orders whose IDs count once are looked at beforehand at the same time.
const PREVIEWS_MAX: usize = 2;

/// The ledger of a gateway; clones share it.
#[derive(Clone)]
pub struct Ledger(Arc<Shared>);

struct Shared {
    store: Store,
    clock: Clock,
    profile: Arc<Profile>,
    /// The number of this start; [`NOT_BEGUN`] as long as the ledger is frozen since before it.
    incarnation: AtomicI64,
    /// Held by whoever begins.
    begins: tokio::sync::Mutex<()>,
    queue: Queue,
    refused: Mutex<Refused>,
    filters: Filters,
    previews: Semaphore,
}

/// The number of a start that has not settled its predecessors' charges yet.
const NOT_BEGUN: i64 = 0;

/// Who has been refused in which minute, and why: so many refusals are not worth a leaf each.
#[derive(Default)]
struct Refused {
    minute: i64,
    seen: HashMap<(PersonId, Unit), Vec<&'static str>>,
}

/// Why nothing is granted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Denied {
    /// The rules say no.
    #[error("{0}")]
    Refused(Refusal),
    /// Nobody can tell, so nothing goes out.
    #[error("the ledger is not available")]
    Unavailable(#[from] StoreError),
    /// Removals came into force, or were reverted, since what was asked for was put together.
    #[error("other IDs are left out of it by now; what follows would not be the same view")]
    Changed,
    /// The IDs count once, and nobody can tell which they are.
    #[error("the IDs that are asked for could not be read")]
    Unread(#[source] Arc<io::Error>),
}

impl Ledger {
    /// Starts the ledger: settles all that an earlier gateway left open and ends its deliveries.
    ///
    /// The lock on the data folder is the proof that no earlier gateway lives; where several work
    /// on one database, it is the name that the store was opened with. A frozen ledger starts as
    /// well, and does this once it is thawed; until then it grants nothing.
    ///
    /// # Errors
    /// [`StoreError`] of the transaction; [`StoreError::Unfit`] if the store has no name, or if
    /// another profile is in force.
    pub fn start(
        _lock: &FolderLock,
        store: Store,
        clock: Clock,
        profile: Arc<Profile>,
    ) -> Result<Ledger, StoreError> {
        let (at_start, wanted) = (clock.clone(), Arc::clone(&profile));
        let begun = store.write_blocking(move |tx| recover::begin(tx, &at_start, &wanted));
        let incarnation = match begun {
            Ok(incarnation) => incarnation,
            Err(frozen @ StoreError::Frozen(_)) => {
                tracing::error!("{frozen}");
                NOT_BEGUN
            }
            Err(error) => return Err(error),
        };
        Ok(Ledger(Arc::new(Shared {
            store,
            clock,
            profile,
            incarnation: incarnation.into(),
            begins: tokio::sync::Mutex::default(),
            queue: Queue::default(),
            refused: Mutex::default(),
            filters: Filters::default(),
            previews: Semaphore::new(PREVIEWS_MAX),
        })))
    }

    /// Does what [`Ledger::start`] could not do while the ledger was frozen.
    async fn begin(&self) -> Result<(), StoreError> {
        if self.incarnation() != NOT_BEGUN {
            return Ok(());
        }
        let _alone = self.0.begins.lock().await;
        if self.incarnation() == NOT_BEGUN {
            let (clock, wanted) = (self.0.clock.clone(), Arc::clone(&self.0.profile));
            let begun = self.0.store.write(move |tx| recover::begin(tx, &clock, &wanted)).await?;
            self.0.incarnation.store(begun, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Ends when a commit of the ledger is on the disk: deliveries can be recorded.
    ///
    /// # Errors
    /// [`StoreError`]: they cannot.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.begin().await?;
        let ledger = self.clone();
        // Ledger time moves on, so that there is something to write.
        self.0.store.write(move |tx| clock::now_ms(tx, &ledger).map(drop)).await
    }

    /// Admits an order and charges its first chunk, in one transaction.
    ///
    /// # Errors
    /// [`Denied`]; then nothing is charged.
    ///
    /// # Panics
    /// If the order asks for no ID at all: then there is nothing to grant.
    pub async fn admit(&self, order: Order) -> Result<(Delivery, Granted<Chunk>), Denied> {
        assert!(!order.ordered.ordinals().is_empty(), "an order asks for at least one ID");
        self.begin().await?;
        self.drain();
        let asked = Arc::new((self.preview(&order).await?, order));
        let (delivery, opened) = loop {
            let (ledger, asked) = (self.clone(), Arc::clone(&asked));
            let admitted =
                self.0.store.write(move |tx| admit::admit(tx, &ledger, &asked.1, &asked.0));
            match admitted.await? {
                Ok(admitted) => break admitted,
                Err(Withheld::Refused(refusal)) => return Err(Denied::Refused(refusal)),
                Err(Withheld::Changed) => return Err(Denied::Changed),
                Err(Withheld::Leaving) => {}
            }
        };
        Ok((delivery, opened.unclaimed.claim()))
    }

    /// Whether a single ID of `kind`, of a dataset or of a body, would be admitted: worth asking
    /// before a body is read or an upstream is. Where an ID counts once it may be one that the
    /// recipient has.
    ///
    /// # Errors
    /// [`Denied`]: it would not.
    pub async fn inquire(
        &self,
        person: PersonId,
        credential: Option<Credential>,
        kind: IdKind,
        dataset: Option<i64>,
    ) -> Result<(), Denied> {
        self.begin().await?;
        self.drain();
        let ledger = self.clone();
        let asked = Asked { person, credential, kind, dataset, ordinals: 0..1, ids: 1 };
        let asked = Arc::new(asked);
        loop {
            let (ledger, asked) = (ledger.clone(), Arc::clone(&asked));
            let answer = self.0.store.write(move |tx| {
                let now_ms = clock::now_ms(tx, &ledger)?;
                admit::inquire(&Desk { tx, shared: &ledger.0, now_ms }, &asked)
            });
            match answer.await? {
                Ok(()) => return Ok(()),
                Err(Withheld::Refused(refusal)) => return Err(Denied::Refused(refusal)),
                Err(Withheld::Changed) => return Err(Denied::Changed),
                Err(Withheld::Leaving) => {}
            }
        }
    }

    /// Charges the next chunk of `delivery`, which is of a release; `None` if the whole order is
    /// charged.
    ///
    /// # Errors
    /// [`Denied`]; then nothing more is charged, and the delivery should be ended.
    pub async fn open(&self, delivery: &mut Delivery) -> Result<Option<Granted<Chunk>>, Denied> {
        if delivery.further.ordered.ordinals().is_empty() {
            return Ok(None);
        }
        self.open_next(delivery).await.map(Some)
    }

    /// Charges a further parcel of `delivery`, which is of a body or a stream.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    ///
    /// # Panics
    /// If the parcel is empty, larger than [`Delivery::parcel_ids_max`] or than what was admitted.
    pub async fn open_parcel(
        &self,
        delivery: &mut Delivery,
        parcel: Parcel,
    ) -> Result<Granted<Chunk>, Denied> {
        delivery.further.values = Some(Arc::clone(&parcel.values));
        delivery.further.ordered.ask_for(parcel);
        self.open_next(delivery).await
    }

    async fn open_next(&self, delivery: &mut Delivery) -> Result<Granted<Chunk>, Denied> {
        let further = delivery.further.clone();
        // Before the wait, so that a number is not used again if this future is dropped.
        delivery.further.attempt.number += 1;
        let asked = Arc::new((self.preview_next(&further).await?, further));
        let opened = loop {
            let (ledger, asked) = (self.clone(), Arc::clone(&asked));
            let opened = self.0.store.write(move |tx| admit::open(tx, &ledger, &asked.1, &asked.0));
            match opened.await? {
                Ok(opened) => break opened,
                Err(Withheld::Refused(refusal)) => return Err(Denied::Refused(refusal)),
                Err(Withheld::Changed) => return Err(Denied::Changed),
                Err(Withheld::Leaving) => {}
            }
        };
        let granted = opened.unclaimed.claim();
        delivery.further.ordered.pass(granted.chunk());
        delivery.further.recipients = opened.recipients;
        delivery.has_ceiling = opened.has_ceiling;
        Ok(granted)
    }

    /// Whether the view is still in force that a chunk of a release was granted of: worth asking
    /// where a chunk was granted long before its first byte is sent.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn is_in_force(
        &self,
        chunk: &Chunk,
    ) -> impl Future<Output = Result<bool, StoreError>> + use<> {
        let (store, kind, version) = (self.0.store.clone(), chunk.kind, chunk.gaps.version());
        let release = match &chunk.content {
            Content::Release(release) if kind != IdKind::Dm => Some(Arc::clone(release)),
            _ => None,
        };
        async move {
            let Some(release) = release else { return Ok(true) };
            let now = store.look(move |tx| tx.view_version(&release, kind)).await?;
            Ok::<bool, StoreError>(now == version)
        }
    }

    /// Says that the chunk's bytes have left: its window starts now. Returns at once.
    pub fn settle<T>(&self, granted: Granted<T>) {
        self.push(Step::Settle(granted.give_back(self)));
    }

    /// Gives back the charge of a chunk of which no byte has touched the socket. Returns at once;
    /// an admission that is asked for afterwards sees it.
    pub fn release<T>(&self, granted: Granted<T>) {
        self.push(Step::Release(granted.give_back(self)));
    }

    /// Keeps the report of what a delivery was stripped from, as JSON. Returns at once.
    pub fn report(&self, delivery: DeliveryId, report: String) {
        self.push(Step::Report { delivery, report });
    }

    /// Ends a delivery and frees what is held for it. Returns at once; an admission that is asked
    /// for afterwards sees it.
    pub fn end(&self, mut delivery: Delivery, outcome: Outcome) {
        delivery.ended = true;
        self.push(Step::End { delivery: delivery.id(), outcome });
    }

    /// Waits until all that was settled, released and ended before is committed.
    ///
    /// # Errors
    /// [`StoreError`] of the commit; the steps still wait, and may be flushed again.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.drain();
        self.0.store.write(|_| Ok::<(), StoreError>(())).await?;
        self.drain_failure().map_or(Ok(()), Err)
    }

    /// How many bytes of memory the filters of IDs that count once take at the moment.
    pub fn filter_bytes(&self) -> usize {
        self.0.filters.bytes()
    }

    /// The numbers in force.
    pub fn profile(&self) -> &Arc<Profile> {
        &self.0.profile
    }

    fn incarnation(&self) -> i64 {
        self.0.incarnation()
    }
}

impl Shared {
    fn incarnation(&self) -> i64 {
        self.incarnation.load(Ordering::SeqCst)
    }

    /// Whether `person` is refused `unit` for this reason for the first time in this minute.
    fn is_first_of_minute(
        &self,
        person: PersonId,
        unit: Unit,
        why: &'static str,
        now_ms: i64,
    ) -> bool {
        let mut refused = self.refused.lock().expect("nobody panics while they hold this");
        let minute = minute_of(now_ms);
        if refused.minute != minute {
            *refused = Refused { minute, seen: HashMap::new() };
        }
        let reasons = refused.seen.entry((person, unit)).or_default();
        let is_first = !reasons.contains(&why);
        if is_first {
            reasons.push(why);
        }
        is_first
    }
}
