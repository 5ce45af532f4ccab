//! Moving a whole store from a database file to a database server, with a proof that nothing was
//! lost on the way; who may do that and when is not here.
//!
//! The story: the file is marked as about to move, so that no gateway starts on it by accident
//! whatever happens next. Then, in one transaction of the server, every table is copied row by row
//! into the empty tables there, all rows are read back, and what both sides hold is compared: the
//! number and the digest of the rows of each table, how full each meter is and what it is the sum
//! of, and the end of the journal. Only if all of it is the same the transaction is committed, and
//! the file is marked as moved. A move that was broken off between the two is done again: if the
//! server has the very same rows by now, only the mark is left to set.

mod table;
mod totals;

use std::path::Path;

use table::Table;
pub use totals::{JournalHead, MeterTotals, TableTotals, Totals};

use super::tx::{Connection, Tx};
use super::value::values;
use super::{Address, StoreError, migrate, postgres, sqlite};

/// How many rows are sent to the server before their answers are waited for.
const ROWS_PER_ANSWER: usize = 1_000;

const SELECT_MOVED: &str = "SELECT target, state FROM moved";
const SET_MOVED: &str = "
    INSERT INTO moved (id, target, state, at_ms) VALUES (1, ?1, ?2, ?3)
    ON CONFLICT (id) DO UPDATE SET target = ?1, state = ?2, at_ms = ?3";
const FORGET_MOVE: &str = "DELETE FROM moved WHERE state = 'begun'";

/// Why a store was not moved. Nothing was written at the target, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// One of the two databases failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It has moved before.
    #[error("this store has moved to {target} before")]
    Elsewhere {
        /// Where to, without the password.
        target: String,
    },
    /// The target is not empty.
    #[error(
        "the database at the target is not empty: its table {table} has {rows} rows; name an \
         empty one"
    )]
    NotEmpty {
        /// The first table that has rows.
        table: String,
        /// How many.
        rows: u64,
    },
    /// What arrived is not what was sent.
    #[error("what arrived at the target is not what was sent: {0}; nothing was kept there")]
    Differs(String),
    /// Nobody knows whether the target has kept it.
    #[error("whether the target has kept what was sent is not known; run the same command again")]
    Unknown(#[source] StoreError),
}

/// Moves the store in `file` to the database at `target` and returns what both hold.
///
/// The caller holds the lock on the file's data folder. From the first moment on no gateway opens
/// the file; if the move fails it may be opened again, unless the failure is
/// [`MoveError::Unknown`].
///
/// # Errors
/// [`MoveError`].
pub fn move_store(file: &Path, target: &Address, at_ms: i64) -> Result<Totals, MoveError> {
    let source = sqlite::connect(file, sqlite::INSTANCE)?;
    migrate::up_to_date(&source, sqlite::MIGRATIONS_TABLE, migrate::SQLITE)?;
    let server = postgres::connect(target)?;
    let name = target.to_string();
    if let Some((elsewhere, state)) = moved(&source)?
        && (state == "done" || elsewhere != name)
    {
        return Err(MoveError::Elsewhere { target: elsewhere });
    }
    mark(&source, &name, "begun", at_ms)?;
    let copied = copy(&source, &server);
    match &copied {
        Ok(_) => mark(&source, &name, "done", at_ms)?,
        Err(MoveError::Unknown(_)) => {}
        Err(_) => forget(&source)?,
    }
    copied
}

/// Lets a store be used again whose move was begun and not ended; `false` if there is none.
///
/// # Errors
/// [`StoreError`] of the file.
pub fn abandon_move(file: &Path) -> Result<bool, StoreError> {
    let source = sqlite::connect(file, sqlite::INSTANCE)?;
    migrate::up_to_date(&source, sqlite::MIGRATIONS_TABLE, migrate::SQLITE)?;
    let begun = moved(&source)?.is_some_and(|(_, state)| state == "begun");
    forget(&source)?;
    Ok(begun)
}

/// Makes sure that the store is still here.
///
/// # Errors
/// [`StoreError::Moved`].
pub(super) fn refuse_if_moved(connection: &dyn Connection) -> Result<(), StoreError> {
    match moved(connection)? {
        None => Ok(()),
        Some((target, state)) => Err(StoreError::Moved {
            target: target.into(),
            advice: if state == "done" {
                "set store.url to it"
            } else {
                "that was broken off: run `hydrant migrate` with the same target again; or, if \
                 nothing works on that database, `hydrant migrate --abandon`"
            },
        }),
    }
}

/// Where the store moved to, and whether that was `begun` or is `done`.
fn moved(connection: &dyn Connection) -> Result<Option<(String, String)>, StoreError> {
    Tx { connection }.row(SELECT_MOVED, values![], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn mark(
    source: &dyn Connection,
    target: &str,
    state: &'static str,
    at_ms: i64,
) -> Result<(), StoreError> {
    source.begin_change()?;
    source.change(SET_MOVED, values![target, state, at_ms])?;
    source.commit()
}

fn forget(source: &dyn Connection) -> Result<(), StoreError> {
    source.begin_change()?;
    source.change(FORGET_MOVE, values![])?;
    source.commit()
}

fn copy(source: &dyn Connection, server: &dyn Connection) -> Result<Totals, MoveError> {
    let tables = table::all(source)?;
    let sent = totals::of(source, &tables, Table::select)?;
    server.begin_change()?;
    let arrived = copy_tables(source, server, &tables, &sent);
    if arrived.is_err() {
        server.rollback();
    }
    arrived?;
    server.commit().map_err(MoveError::Unknown)?;
    Ok(sent)
}

fn copy_tables(
    source: &dyn Connection,
    server: &dyn Connection,
    tables: &[Table],
    sent: &Totals,
) -> Result<(), MoveError> {
    table::let_all_be_written(server)?;
    let here = totals::of_server(server, tables)?;
    if here == *sent {
        // An earlier try came as far as this.
        return Ok(table::guard_again(server, source)?);
    }
    let (here, new) = (here.tables.iter(), pristine(tables)?.tables);
    if let Some((full, _)) = here.zip(&new).find(|(here, new)| *here != *new) {
        return Err(MoveError::NotEmpty { table: full.name.clone(), rows: full.rows });
    }
    for table in tables {
        // What the schema itself has put there comes along with the rest.
        server.script(&format!("DELETE FROM {}", table.name))?;
    }
    for table in tables {
        copy_table(source, server, table)?;
    }
    let arrived = totals::of_server(server, tables)?;
    if let Some(difference) = sent.difference(&arrived) {
        return Err(MoveError::Differs(difference));
    }
    Ok(table::guard_again(server, source)?)
}

/// What a store holds that nobody has used yet: the rows that the schema itself writes.
fn pristine(tables: &[Table]) -> Result<Totals, MoveError> {
    let unusable = |error: std::io::Error| StoreError::Unfit(error.to_string().into());
    let folder = tempfile::tempdir().map_err(unusable)?;
    let new = sqlite::connect(&folder.path().join("new.sqlite"), sqlite::INSTANCE)?;
    migrate::up_to_date(&new, sqlite::MIGRATIONS_TABLE, migrate::SQLITE)?;
    Ok(totals::of(&new, tables, Table::select)?)
}

fn copy_table(
    source: &dyn Connection,
    server: &dyn Connection,
    table: &Table,
) -> Result<(), StoreError> {
    let insert = table.insert();
    let mut rows = 0;
    source.each(&table.select(), &[], &mut |row| {
        let cells = (0..table.columns()).map(|column| Ok(row.0.cell(column)?.into()));
        server.write(&insert, &cells.collect::<Result<Vec<_>, StoreError>>()?)?;
        rows += 1;
        if rows % ROWS_PER_ANSWER == 0 {
            server.flush()?;
        }
        Ok(std::ops::ControlFlow::Continue(()))
    })?;
    server.flush()
}
