//! One open transaction, and the four ways in which a statement is run in it; the statements
//! themselves are in `rows/`, and what runs them is an engine.

use std::ops::ControlFlow;

use super::StoreError;
use super::value::{FromCell, Row, Value};

/// One open transaction, or one consistent look at the last commit.
pub struct Tx<'a> {
    pub(super) connection: &'a dyn Connection,
}

/// A connection to a database, whichever it is.
///
/// Statements are written so that every engine understands them, with parameters `?1`, `?2`, ….
/// An engine keeps each prepared under its text.
pub(super) trait Connection: Send {
    /// The name of the gateway that the connection belongs to, among those on one database.
    fn instance(&self) -> &str;
    /// What the database's own wall clock shows now, in milliseconds UTC; `None` if it has none
    /// but this machine's.
    fn wall_ms(&self) -> Result<Option<i64>, StoreError>;
    /// Begins a transaction that may change something: nobody else's runs beside it, here or in
    /// another process, from now to its end.
    fn begin_change(&self) -> Result<(), StoreError>;
    /// Begins a transaction of the migration, which has made sure that it is alone.
    fn begin_step(&self) -> Result<(), StoreError>;
    /// Begins a look at the last commit, in which nothing can be changed.
    fn begin_look(&self) -> Result<(), StoreError>;
    /// Ends the transaction; after `Ok` all of it is on the disk, after an error nothing of it.
    fn commit(&self) -> Result<(), StoreError>;
    /// Ends the transaction, if one is open, without a trace; `false` if the connection is lost.
    fn rollback(&self) -> bool;
    /// Whether a gateway of that name is alive; `None` where that cannot be known.
    fn is_taken(&self, instance: &str) -> Result<Option<bool>, StoreError>;
    /// Is called now and then while there is nothing to do: what was lost may be replaced.
    fn keep_up(&self);
    /// Runs statements that have no parameters.
    fn script(&self, statements: &str) -> Result<(), StoreError>;
    /// Runs one statement and returns how many rows it has changed.
    fn change(&self, statement: &str, values: &[Value<'_>]) -> Result<u64, StoreError>;
    /// Takes one statement whose answer nobody looks at. An engine may run it later, but before
    /// whatever comes next; that it failed is then told by that one, or by [`Connection::flush`].
    fn write(&self, statement: &str, values: &[Value<'_>]) -> Result<(), StoreError>;
    /// Waits until every statement so far has run.
    fn flush(&self) -> Result<(), StoreError>;
    /// Runs one statement and hands over its rows until `take` has enough.
    fn each(&self, statement: &str, values: &[Value<'_>], take: Take<'_>)
    -> Result<(), StoreError>;
}

/// Takes one row, and says whether it wants another.
pub(super) type Take<'a> = &'a mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>;

impl Tx<'_> {
    /// The name of the gateway that works here, among those on one database.
    pub fn instance(&self) -> &str {
        self.connection.instance()
    }

    /// What the database's own wall clock shows now, in milliseconds UTC; `None` if it has none
    /// but this machine's.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn wall_ms(&self) -> Result<Option<i64>, StoreError> {
        self.connection.wall_ms()
    }

    /// Whether a gateway of that name is alive; `None` where that cannot be known.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn instance_is_alive(&self, instance: &str) -> Result<Option<bool>, StoreError> {
        self.connection.is_taken(instance)
    }

    /// Runs a statement whose answer nobody looks at. That it failed may be told by a later
    /// statement of the same work, or be the end of the work.
    pub(super) fn write(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<(), StoreError> {
        self.connection.write(statement, values)
    }

    /// Runs a statement and returns how many rows it has changed.
    pub(super) fn change(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        self.connection.change(statement, values)
    }

    /// The first row of the answer, if there is one.
    pub(super) fn row<T>(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut read = Some(read);
        let mut found = None;
        self.connection.each(statement, values, &mut |row| {
            if let Some(read) = read.take() {
                found = Some(read(row)?);
            }
            // To the end, or a statement that changes something would be broken off.
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// The first column of the first row, where there is always one.
    pub(super) fn one<T: FromCell>(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<T, StoreError> {
        self.row(statement, values, |row| row.get(0))?
            .ok_or_else(|| StoreError::Damaged("an answer that has a row has none".into()))
    }

    /// All rows of the answer.
    pub(super) fn rows<T>(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.each(statement, values, |row| {
            found.push(read(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// The rows of the answer one by one, as far as `take` wants more.
    pub(super) fn each(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        mut take: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        self.connection.each(statement, values, &mut take)
    }
}
