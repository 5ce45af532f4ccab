//! What is kept: the rows of the control plane, and the only room that knows SQL.
//!
//! Callers hand over closures. A closure that changes something goes to the one writer thread,
//! which runs everything that waits in a single transaction and confirms it with a single commit:
//! an answer that reaches the caller is on the disk. A closure that only looks runs beside it,
//! on a connection of its own, and sees the last commit.
//!
//! Inside a closure stands a [`Tx`], whose methods are small and say one thing each; what they
//! are put together to is decided by `ledger` and `directory`.

mod folder;
mod sqlite;

pub use folder::{DataFolder, FolderError, FolderLock};
pub use sqlite::dataset::{DatasetRow, NewDataset, Visibility};
pub use sqlite::delivery::{Charged, DeliveryRow, DeliveryState, NewDelivery};
pub use sqlite::document::AcceptanceRow;
pub use sqlite::entity::EntityRow;
pub use sqlite::exemption::ExemptionRow;
pub use sqlite::journal::JournalRow;
pub use sqlite::key::KeyRow;
pub use sqlite::membership::MembershipRow;
pub use sqlite::meter::{BucketRow, MeterRow};
pub use sqlite::open_charge::OpenChargeRow;
pub use sqlite::person::PersonRow;
pub use sqlite::release::ReleaseRow;
pub use sqlite::standing::{EntityStandingRow, StandingRow};
pub use sqlite::{Store, Tx};

/// Why the store could not do what it was asked.
///
/// None of these is ever the answer to a question of policy: whoever meets one grants nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused; the text is its own.
    #[error("the database failed: {0}")]
    Database(std::sync::Arc<str>),
    /// The disk has no room for the commit. It may succeed when there is room again.
    #[error("the disk of the database is full")]
    Full,
    /// The writer has stopped, so nothing more can be confirmed.
    #[error("the store has stopped")]
    Stopped,
    /// The file was written by a newer hydrant.
    #[error(
        "the database has schema {found}, and this hydrant knows {known} at most: \
         use the hydrant that wrote it, or a newer one"
    )]
    Newer {
        /// The file's schema number.
        found: u32,
        /// The newest number that this program knows.
        known: u32,
    },
    /// A migration that was applied is not the one that this program carries.
    #[error("migration {number} was applied with another text than this hydrant's: {name}")]
    Foreign {
        /// The migration's number.
        number: u32,
        /// The migration's file name.
        name: &'static str,
    },
    /// The library or its settings cannot keep the ledger's promise.
    #[error("the database cannot be used: {0}")]
    Unfit(std::sync::Arc<str>),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => StoreError::Full,
            _ => StoreError::Database(error.to_string().into()),
        }
    }
}
