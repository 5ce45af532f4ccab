//! The store on SQLite: opening, the checks at start, and the readers beside the one writer.

pub(super) mod dataset;
pub(super) mod delivery;
pub(super) mod document;
pub(super) mod entity;
pub(super) mod exemption;
pub(super) mod hold;
pub(super) mod journal;
pub(super) mod key;
pub(super) mod ledger_clock;
pub(super) mod membership;
pub(super) mod meter;
mod migrate;
pub(super) mod open_charge;
pub(super) mod person;
pub(super) mod release;
pub(super) mod standing;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::StoreError;

/// The oldest library without the race between a WAL reset and a commit, as `major * 1,000,000
/// + minor * 1,000 + patch`: 3.51.3.
const LIBRARY_VERSION_MIN: i32 = 3_051_003;

/// How long a connection waits for another one's lock before it gives up.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// The writer's page cache, in KiB when negative, and where its savepoints keep old pages.
const WRITER_MEMORY: &str = "PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY";

/// How many looks go on at once on threads of their own, each with a connection: more would only
/// wait for the same disk, and hold files open meanwhile.
const LOOKS_MAX: usize = 16;

/// How many prepared statements a connection keeps.
const STATEMENTS_MAX: usize = 256;

/// One open transaction, or one consistent look at the last commit.
pub struct Tx<'a> {
    pub(super) connection: &'a Connection,
}

/// The open store; clones share it.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    /// A turn for each look that may be under way.
    looks: Semaphore,
    writer: writer::Writer,
}

impl Store {
    /// Opens the database at `path`, makes it if it is not there, and brings its schema up to date.
    ///
    /// The caller holds the data folder's lock, or is a reader of a gateway's folder.
    ///
    /// # Errors
    /// [`StoreError::Newer`] or [`StoreError::Foreign`] if the schema is not ours,
    /// [`StoreError::Unfit`] if library or file system cannot give durable commits.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        if rusqlite::version_number() < LIBRARY_VERSION_MIN {
            let version = rusqlite::version();
            let text = format!("SQLite {version} is older than 3.51.3 and may lose commits");
            return Err(StoreError::Unfit(text.into()));
        }
        let mut connection = connect(path)?;
        migrate::up_to_date(&mut connection)?;
        let writer = writer::Writer::start(connection);
        Ok(Store(Arc::new(Shared {
            path: path.to_owned(),
            readers: Mutex::default(),
            looks: Semaphore::new(LOOKS_MAX),
            writer,
        })))
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
        let connection = match pooled {
            Some(connection) => connection,
            None => connect_reader(&self.0.path)?,
        };
        // One transaction, so that several looks of one `work` see the same moment.
        connection.execute_batch("BEGIN").map_err(StoreError::from)?;
        let result = work(&Tx { connection: &connection });
        if connection.execute_batch("ROLLBACK").is_ok() {
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

    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.0.readers.lock().expect("no reader panics while it holds the list of connections")
    }
}

/// Opens a connection that may write, and makes sure that its commits are durable.
fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    set_up(&connection)?;
    let journal: String = connection.query_row("PRAGMA journal_mode = WAL", [], |r| r.get(0))?;
    connection.execute_batch("PRAGMA synchronous = FULL")?;
    // The hot ends of the ledger's tables stay in memory, and what a savepoint would undo never
    // goes to a file of its own.
    connection.execute_batch(WRITER_MEMORY)?;
    let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |r| r.get(0))?;
    if journal != "wal" || synchronous != 2 {
        let text = format!(
            "it gives journal_mode {journal} and synchronous {synchronous} where wal and 2 (FULL) \
             are needed; put the data folder on a local disk"
        );
        return Err(StoreError::Unfit(text.into()));
    }
    Ok(connection)
}

fn connect_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    set_up(&connection)?;
    connection.execute_batch("PRAGMA query_only = ON")?;
    Ok(connection)
}

fn set_up(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Otherwise the planner looks at the bound values, and parses every cached statement anew each
    // time they change: that cost a quarter of the writer's time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF")?;
    Ok(())
}
