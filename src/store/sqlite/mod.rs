//! SQLite as the engine of the store: how a connection is opened, checked and used; what is asked
//! of it stands in `rows/`.

use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::vtab::array;
use rusqlite::{OpenFlags, Statement, ToSql};

use super::StoreError;
use super::tx::{Connection, Take};
use super::value::{Cell, Columns, Row, Value};

/// The oldest library without the race between a WAL reset and a commit, as `major * 1,000,000
/// + minor * 1,000 + patch`: 3.51.3.
const LIBRARY_VERSION_MIN: i32 = 3_051_003;

/// How long a connection waits for another one's lock before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The writer's page cache, in KiB when negative, and where its savepoints keep old pages.
const WRITER_MEMORY: &str = "PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY";

/// How many prepared statements a connection keeps.
const STATEMENTS_MAX: usize = 256;

/// A database file has one gateway at a time, which needs no name of its own.
pub(super) const INSTANCE: &str = "local";

/// Where the applied steps of the schema are remembered.
pub(super) const MIGRATIONS_TABLE: &str = "
    CREATE TABLE IF NOT EXISTS migrations (
        number INTEGER PRIMARY KEY,
        name   TEXT NOT NULL,
        sha256 BLOB NOT NULL
    ) STRICT";

/// A connection to a database file.
pub(super) struct Sqlite {
    connection: rusqlite::Connection,
    instance: &'static str,
}

/// Opens a connection that may change something, for the gateway of that name, and makes sure that
/// its commits are durable.
///
/// # Errors
/// [`StoreError::Unfit`] if library or file system cannot give durable commits.
pub(super) fn connect(path: &Path, instance: &'static str) -> Result<Sqlite, StoreError> {
    if rusqlite::version_number() < LIBRARY_VERSION_MIN {
        let version = rusqlite::version();
        let text = format!("SQLite {version} is older than 3.51.3 and may lose commits");
        return Err(StoreError::Unfit(text.into()));
    }
    let connection = rusqlite::Connection::open(path)?;
    set_up(&connection)?;
    let journal: String = connection.query_row("PRAGMA journal_mode = WAL", [], |r| r.get(0))?;
    connection.execute_batch("PRAGMA synchronous = FULL")?;
    // What is erased does not stay in the free places of pages that are written anyway.
    connection.execute_batch("PRAGMA secure_delete = FAST")?;
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
    Ok(Sqlite { connection, instance })
}

/// Opens a connection that only looks.
///
/// # Errors
/// [`StoreError`] of the file.
pub(super) fn connect_reader(path: &Path, instance: &'static str) -> Result<Sqlite, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(path, flags)?;
    set_up(&connection)?;
    connection.execute_batch("PRAGMA query_only = ON")?;
    Ok(Sqlite { connection, instance })
}

fn set_up(connection: &rusqlite::Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Otherwise the planner looks at the bound values, and parses every cached statement anew each
    // time they change: that cost a quarter of the writer's time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Lists of numbers as a table, under the name that the statements of `rows/` know.
    array::load_module(connection)?;
    connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF")?;
    Ok(())
}

impl Sqlite {
    fn run(&self, statement: &str) -> Result<(), StoreError> {
        self.connection.prepare_cached(statement)?.execute([])?;
        Ok(())
    }
}

impl Connection for Sqlite {
    fn instance(&self) -> &str {
        self.instance
    }

    fn wall_ms(&self) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }

    fn is_taken(&self, _instance: &str) -> Result<Option<bool>, StoreError> {
        Ok(None)
    }

    fn keep_up(&self) {}

    fn begin_step(&self) -> Result<(), StoreError> {
        self.run("BEGIN IMMEDIATE")
    }

    fn begin_change(&self) -> Result<(), StoreError> {
        self.run("BEGIN IMMEDIATE")
    }

    fn begin_look(&self) -> Result<(), StoreError> {
        self.run("BEGIN")
    }

    /// A commit whose fsync failed ends the process: after it nobody knows what is on the disk,
    /// and only a fresh start reads the truth.
    fn commit(&self) -> Result<(), StoreError> {
        let Err(error) = self.connection.execute_batch("COMMIT") else { return Ok(()) };
        let fsync_failed = matches!(
            error.sqlite_error().map(|failure| failure.extended_code),
            Some(rusqlite::ffi::SQLITE_IOERR_FSYNC | rusqlite::ffi::SQLITE_IOERR_DIR_FSYNC)
        );
        if fsync_failed {
            tracing::error!(%error, "the disk did not confirm a commit: the process ends");
            std::process::abort();
        }
        Err(error.into())
    }

    fn rollback(&self) -> bool {
        self.connection.is_autocommit() || self.run("ROLLBACK").is_ok()
    }

    fn script(&self, statements: &str) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch(statements)?)
    }

    fn change(&self, statement: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(statement)?;
        bind(&mut statement, values)?;
        Ok(statement.raw_execute()? as u64)
    }

    fn write(&self, statement: &str, values: &[Value<'_>]) -> Result<(), StoreError> {
        self.change(statement, values).map(drop)
    }

    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn each(
        &self,
        statement: &str,
        values: &[Value<'_>],
        take: Take<'_>,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(statement)?;
        bind(&mut statement, values)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if let ControlFlow::Break(()) = take(&Row(row))? {
                break;
            }
        }
        Ok(())
    }
}

fn bind(statement: &mut Statement<'_>, values: &[Value<'_>]) -> Result<(), StoreError> {
    for (number, value) in (1..).zip(values) {
        statement.raw_bind_parameter(number, value)?;
    }
    Ok(())
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let too_large = |number: u64| {
            let text = format!("the number {number} is larger than any that can be kept");
            rusqlite::Error::ToSqlConversionFailure(text.into())
        };
        Ok(ToSqlOutput::Borrowed(match *self {
            Value::Null => ValueRef::Null,
            Value::Number(number) => ValueRef::Integer(number),
            Value::TooLarge(number) => return Err(too_large(number)),
            Value::List(numbers) => {
                let numbers = numbers.iter().map(|&number| {
                    let number = i64::try_from(number).map_err(|_| too_large(number))?;
                    Ok(rusqlite::types::Value::Integer(number))
                });
                let numbers: array::Array = Rc::new(numbers.collect::<rusqlite::Result<_>>()?);
                return Ok(ToSqlOutput::from_rc(numbers, c"rarray"));
            }
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Columns for rusqlite::Row<'_> {
    fn cell(&self, index: usize) -> Result<Cell<'_>, StoreError> {
        Ok(match self.get_ref(index)? {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number) => Cell::Number(number),
            ValueRef::Text(text) => Cell::Text(std::str::from_utf8(text).map_err(|_| {
                StoreError::Damaged(format!("column {index} of a row is no UTF-8").into())
            })?),
            ValueRef::Blob(bytes) => Cell::Bytes(bytes),
            ValueRef::Real(_) => {
                let text = format!("column {index} of a row holds a fraction");
                return Err(StoreError::Damaged(text.into()));
            }
        })
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => StoreError::Full,
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                StoreError::Damaged(error.to_string().into())
            }
            _ => StoreError::Database(error.to_string().into()),
        }
    }
}
