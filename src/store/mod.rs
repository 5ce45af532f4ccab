//! What is kept: the rows of the control plane, and the only room that knows SQL.
//!
//! Callers hand over closures. A closure that changes something goes to the one writer thread,
//! which runs everything that waits in a single transaction and confirms it with a single commit:
//! an answer that reaches the caller is on the disk. A closure that only looks runs beside it,
//! on a connection of its own, and sees the last commit.
//!
//! Inside a closure stands a [`Tx`], whose methods are small and say one thing each; what they
//! are put together to is decided by `ledger` and `directory`.
//!
//! | file | what |
//! |---|---|
//! | `rows/` | the tables and their statements, each written once |
//! | `tx` | the ways in which a statement is run; what an engine must be able to do |
//! | `sqlite/`, `postgres/` | the engines |
//! | `writer` | the one thread that changes, in groups |
//! | `migrate` | the steps of the schema |
//! | `moving/` | from a file to a server, with a proof |
//! | `folder` | the data folder and its lock |
//! | `place` | where a store is, as settings say it |

#[cfg(test)]
pub(crate) mod failing;
mod folder;
mod migrate;
mod moving;
mod place;
mod postgres;
mod rows;
mod sqlite;
#[cfg(test)]
pub(crate) mod tests;
mod tx;
mod value;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Semaphore;

pub use folder::{DataFolder, FolderError, FolderLock};
pub use moving::{
    JournalHead, MeterTotals, MoveError, TableTotals, Totals, abandon_move, move_store,
};
pub use place::{NotAPlace, Place};
pub use postgres::{Address, NotAnAddress};
pub use rows::carry::PersonBucketRow;
pub use rows::checkpoint::CheckpointRow;
pub use rows::commitment::{CommitmentRow, Party};
pub use rows::compliance_job::ComplianceJobRow;
pub use rows::dataset::{DatasetRow, NewDataset, Supply, Visibility};
pub use rows::delivery::{Charged, DeliveryRow, DeliveryState, NewDelivery};
pub use rows::document::{AcceptanceRow, DocumentRow, DocumentsStanding};
pub use rows::download::DownloadRow;
pub use rows::entity::EntityRow;
pub use rows::entity_mark::{EntityMarkRow, MarkKind};
pub use rows::exemption::{ApplicationRow, ExemptionRow};
pub use rows::export::ExportRow;
pub use rows::export_copy::ExportCopyRow;
pub use rows::export_file::{ExportFileRow, FileState, MadeFile};
pub use rows::freeze::FreezeRow;
pub use rows::hydration::HydrationRow;
pub use rows::identity::IdentityRow;
pub use rows::identity_proof::{IdentityProofRow, ShownIdentity};
pub use rows::instance::InstanceRow;
pub use rows::invitation::InvitationRow;
pub use rows::join::{Consent, JoinRow};
pub use rows::journal::JournalRow;
pub use rows::key::KeyRow;
pub use rows::ledger_clock::StartState;
pub use rows::letter::LetterRow;
pub use rows::membership::MembershipRow;
pub use rows::meter::{BucketRow, MeterRow};
pub use rows::notice::NoticeRow;
pub use rows::open_charge::OpenChargeRow;
pub use rows::permission::PermissionRow;
pub use rows::person::PersonRow;
pub use rows::profile::ProfileRow;
pub use rows::reason::ReasonRow;
pub use rows::registration::RegistrationRow;
pub use rows::release::ReleaseRow;
pub use rows::removal::{ImportState, RemovalEventRow, RemovalImportRow};
pub use rows::request::RequestRow;
pub use rows::seen::{SeenChargeRow, SeenLaterRow, SeenRow};
pub use rows::session::SessionRow;
pub use rows::share::{ShareRow, ShareStandingRow};
pub use rows::sign_in_link::SignInLinkRow;
pub use rows::spending::{CredentialRow, SpendingRow};
pub use rows::standing::{Door, EntityStandingRow, StandingRow};
pub use rows::tile::AuditLogRow;
pub use rows::use_case::UseCaseRow;
pub use rows::view::{SentRow, ViewChangeRow};
use tx::Connection;
pub use tx::Tx;

/// How many looks go on at once on threads of their own, each with a connection: more would only
/// wait for the same disk, and hold files open meanwhile.
const LOOKS_MAX: usize = 16;

/// Why the store could not do what it was asked.
///
/// None of these is ever the answer to a question of policy: whoever meets one grants nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused; the text is its own.
    #[error("the database failed: {0}")]
    Database(Arc<str>),
    /// The disk has no room for the commit. It may succeed when there is room again.
    #[error("the disk of the database is full")]
    Full,
    /// What the database gave back cannot have been written by hydrant; the text says what.
    #[error(
        "the database is damaged: {0}; stop the gateway, keep a copy of the data folder, and \
         restore the newest backup"
    )]
    Damaged(Arc<str>),
    /// The ledger is frozen: nothing is charged, entered or decided until it is thawed.
    #[error("the ledger is frozen: {0}; `hydrant ledger status` tells the way out")]
    Frozen(Arc<str>),
    /// The database server cannot be reached, or the connection to it was lost.
    #[error("the database server does not answer: {0}")]
    Unreachable(Arc<str>),
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
    /// The store is somewhere else.
    #[error("the store has moved to {target}: {advice}")]
    Moved {
        /// Where to, without the password.
        target: Arc<str>,
        /// What to do.
        advice: &'static str,
    },
    /// The library or its settings cannot keep the ledger's promise.
    #[error("the database cannot be used: {0}")]
    Unfit(Arc<str>),
}

/// The open store; clones share it.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    place: Place,
    /// Which gateway works on a database file; a server's address says so itself.
    file_instance: &'static str,
    readers: Mutex<Vec<Box<dyn Connection>>>,
    /// A turn for each look that may be under way.
    looks: Semaphore,
    writer: writer::Writer,
}

impl Store {
    /// Opens the store at `place`: [`Store::open`] or [`Store::connect`].
    ///
    /// # Errors
    /// As theirs.
    pub fn at(place: &Place) -> Result<Store, StoreError> {
        match place {
            Place::File(path) => Store::open(path),
            Place::Server(address) => Store::connect(address),
        }
    }

    /// Opens the database file at `path`, makes it if it is not there, and brings its schema up to
    /// date.
    ///
    /// The caller holds the data folder's lock, or is a reader of a gateway's folder.
    ///
    /// # Errors
    /// [`StoreError::Newer`] or [`StoreError::Foreign`] if the schema is not ours,
    /// [`StoreError::Moved`] if it went to a server, [`StoreError::Unfit`] if library or file
    /// system cannot give durable commits.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        let connection = sqlite::connect(path, sqlite::INSTANCE)?;
        migrate::up_to_date(&connection, sqlite::MIGRATIONS_TABLE, migrate::SQLITE)?;
        moving::refuse_if_moved(&connection)?;
        Ok(Store::on(Place::File(path.to_owned()), sqlite::INSTANCE, Box::new(connection)))
    }

    /// As [`Store::open`], for the gateway of that name among several on one file, with changes
    /// that fail as `plan` says.
    #[cfg(test)]
    pub(crate) fn failing(
        path: &Path,
        instance: &'static str,
        plan: &failing::Plan,
    ) -> Result<Store, StoreError> {
        let inner = sqlite::connect(path, instance)?;
        migrate::up_to_date(&inner, sqlite::MIGRATIONS_TABLE, migrate::SQLITE)?;
        let connection = failing::Failing::new(inner, plan.clone());
        Ok(Store::on(Place::File(path.to_owned()), instance, Box::new(connection)))
    }

    /// Connects to the PostgreSQL database at `address` and brings its schema up to date.
    ///
    /// With an instance's name in `address` nobody else works under that name as long as the store
    /// is open; the database gives the name up when this process is dead.
    ///
    /// # Errors
    /// As [`Store::open`]; [`StoreError::Unfit`] also if the server is a replica, does not make
    /// commits durable, or has a gateway of that name.
    pub fn connect(address: &Address) -> Result<Store, StoreError> {
        let connection = postgres::connect(address)?;
        let place = Place::Server(address.clone());
        Ok(Store::on(place, sqlite::INSTANCE, Box::new(connection)))
    }

    /// Whether other gateways may work on the same database.
    pub fn is_shared(&self) -> bool {
        matches!(self.0.place, Place::Server(_))
    }

    fn on(place: Place, file_instance: &'static str, connection: Box<dyn Connection>) -> Store {
        Store(Arc::new(Shared {
            place,
            file_instance,
            readers: Mutex::default(),
            looks: Semaphore::new(LOOKS_MAX),
            writer: writer::Writer::start(connection),
        }))
    }

    /// Runs `work` in a transaction; the future ends when its commit is on the disk.
    ///
    /// Everything that waits shares one transaction and one commit. An `Err` of `work` undoes what
    /// this `work` wrote and nothing else. The work runs even if the future is dropped.
    ///
    /// # Errors
    /// What `work` returned, or the [`StoreError`] of the commit: then nothing was written.
    pub fn write<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, E>> + use<T, E, F>
    where
        F: FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.0.writer.submit(work, move |result| {
            // A caller that no longer waits is no reason to undo a commit.
            let _ = reply.send(result);
        });
        async move { answer.await.unwrap_or_else(|_| Err(StoreError::Stopped.into())) }
    }

    /// As [`Store::write`], for threads that may wait.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_blocking<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = std::sync::mpsc::sync_channel(1);
        self.0.writer.submit(work, move |result| {
            let _ = reply.send(result);
        });
        answer.recv().unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    /// As [`Store::write`], for callers that do not wait: `reply` is called on the writer's thread,
    /// after the commit or with the reason why there is none; never, if the writer has stopped.
    pub fn write_then<T, E, F, R>(&self, work: F, reply: R)
    where
        F: FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
        R: FnOnce(Result<T, E>) + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.0.writer.submit(work, reply);
    }

    /// Looks at the last commit, on this thread. `work` cannot change anything.
    ///
    /// # Errors
    /// What `work` returned, or the [`StoreError`] of opening a connection.
    pub fn read<T, E>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let pooled = self.readers().pop();
        // A server may have closed a connection that was long of no use: then a new one is made.
        let pooled = pooled.filter(|connection| connection.begin_look().is_ok());
        let connection = match pooled {
            Some(connection) => connection,
            None => {
                let connection = self.connect_reader()?;
                // One transaction, so that several looks of one `work` see the same moment.
                connection.begin_look()?;
                connection
            }
        };
        let result = work(&Tx { connection: &*connection });
        if connection.rollback() {
            self.readers().push(connection);
        }
        result
    }

    /// As [`Store::read`], on a thread that may wait for the disk.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn look<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let turn = self.0.looks.acquire().await.map_err(|_| StoreError::Stopped)?;
        let store = self.clone();
        let looked = tokio::task::spawn_blocking(move || store.read(work)).await;
        drop(turn);
        looked.unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    fn connect_reader(&self) -> Result<Box<dyn Connection>, StoreError> {
        Ok(match &self.0.place {
            Place::File(path) => Box::new(sqlite::connect_reader(path, self.0.file_instance)?),
            Place::Server(address) => Box::new(postgres::connect_reader(address)?),
        })
    }

    fn readers(&self) -> MutexGuard<'_, Vec<Box<dyn Connection>>> {
        self.0.readers.lock().expect("no reader panics while it holds the list of connections")
    }
}
