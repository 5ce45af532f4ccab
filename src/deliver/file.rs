//! One file of objects on its way: charged whole, read frame by frame, and asked for before each
//! frame whether it may still be handed out.
//!
//! A removal that comes into force stops the file at the next frame, with less than it was
//! announced to have. A frame and what the kernel holds may then be under way: that was handed over
//! before the removal was in force.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;

use super::{Account, Broken, CONNECTION_ENDED, Deliverer, Wire};
use crate::base::delivery::DeliveryId;
use crate::ledger::objects::{File, FileOrder};
use crate::ledger::{Denied, Outcome};
use crate::store::StoreError;

/// Bytes that are read and handed over at once: few, because before each the removals are asked.
const FRAME_BYTES: u64 = 64 * 1024;

/// What the kernel may hold of a file, in bytes: it is charged whole, so this bounds only what is
/// under way when a removal comes. With less the sender waits for each confirmation.
const QUEUE_BYTES: usize = 256 * 1024;

/// A file of objects that is kept on the disk, and who can tell whether it may be handed out.
pub trait Kept: fmt::Debug + Send + Sync {
    /// Its bytes.
    fn bytes(&self) -> &fs::File;
    /// How many that are; at least one.
    fn length(&self) -> u64;
    /// Whether more of it may be sent now. May wait for the disk.
    ///
    /// # Errors
    /// [`StoreError`]: nobody can tell, and nothing more is sent.
    fn may_go_on(&self) -> Result<bool, StoreError>;
}

/// A file under way: gives its bytes as the connection asks for them.
///
/// Dropping it at any moment is safe: its charge is then settled, or given back if no byte of it
/// touched the socket.
pub struct FilePassage {
    deliverer: Deliverer,
    delivery: DeliveryId,
    kept: Arc<dyn Kept>,
    handed_until: u64,
    account: Account<File>,
    broken: Option<String>,
}

impl Deliverer {
    /// Charges a file of objects and begins to hand it over.
    ///
    /// # Errors
    /// [`Denied`]: nothing is charged.
    pub async fn begin_file(
        &self,
        order: FileOrder,
        kept: Arc<dyn Kept>,
        wire: Arc<dyn Wire>,
    ) -> Result<FilePassage, Denied> {
        let granted = self.ledger.admit_file(order).await?;
        let delivery = granted.delivery();
        wire.bound_queue(QUEUE_BYTES);
        let mut account = Account::new(wire);
        account.take_up(granted, 0);
        let deliverer = self.clone();
        Ok(FilePassage { deliverer, delivery, kept, handed_until: 0, account, broken: None })
    }
}

impl FilePassage {
    /// The delivery's public number.
    pub fn delivery_id(&self) -> DeliveryId {
        self.delivery
    }

    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        self.kept.length()
    }

    /// The next bytes; `None` when all have been handed over.
    ///
    /// # Errors
    /// [`Broken`]: the answer has to end without being complete.
    pub async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        let bytes = FRAME_BYTES.min(self.length() - self.handed_until);
        if bytes == 0 {
            return None;
        }
        let (kept, from) = (Arc::clone(&self.kept), self.handed_until);
        let read = tokio::task::spawn_blocking(move || frame(&*kept, from, bytes)).await;
        let read =
            read.unwrap_or_else(|bug| Err(Broken::Unreadable(io::Error::other(bug.to_string()))));
        match &read {
            Ok(frame) => self.handed_until += frame.len() as u64,
            Err(broken) => self.broken = Some(broken.reason()),
        }
        Some(read)
    }
}

/// The frame that begins at `from`, if it may be sent.
fn frame(kept: &dyn Kept, from: u64, bytes: u64) -> Result<Bytes, Broken> {
    let mut frame = vec![0; usize::try_from(bytes).expect("a frame fits into memory")];
    kept.bytes().read_exact_at(&mut frame, from).map_err(Broken::Unreadable)?;
    // Behind the read, so that what is asked is as new as it can be.
    match kept.may_go_on() {
        Ok(true) => Ok(frame.into()),
        Ok(false) => Err(Broken::Withdrawn),
        Err(error) => Err(Broken::Unknown(error)),
    }
}

impl Drop for FilePassage {
    fn drop(&mut self) {
        let outcome = match self.broken.take() {
            Some(reason) => Outcome::Broken { reason },
            None if self.length() == self.handed_until => Outcome::Complete,
            None => Outcome::Broken { reason: CONNECTION_ENDED.to_owned() },
        };
        let (account, delivery) = (self.account.take(), self.delivery);
        tokio::spawn(close(self.deliverer.clone(), account, delivery, outcome));
    }
}

/// Settles the charge of a file when its bytes have left, or gives it back.
async fn close(
    deliverer: Deliverer,
    account: Account<File>,
    delivery: DeliveryId,
    outcome: Outcome,
) {
    let outcome = match outcome {
        Outcome::Complete if account.drained().await => Outcome::Complete,
        Outcome::Complete => Outcome::Broken { reason: CONNECTION_ENDED.to_owned() },
        broken => {
            account.closed().await;
            broken
        }
    };
    account.close(&deliverer.ledger);
    deliverer.ledger.end_file(delivery, outcome);
}
