//! A connection to a server with a flaw around the real one: what the tests of the engine must
//! notice.

use crate::store::postgres::{self, Postgres};
use crate::store::tx::{Connection, Take};
use crate::store::value::{Value, values};
use crate::store::{Address, Place, Store, StoreError};

/// What is wrong with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Nothing, for comparison.
    None,
    /// A commit that was not confirmed is taken for one that went through.
    UnconfirmedIsCommitted,
    /// A commit that was not confirmed is taken for one that did not go through.
    UnconfirmedIsLost,
    /// Nobody waits for their turn.
    NoTurn,
}

/// A store whose changes have that flaw.
pub(super) fn connect(address: &Address, flaw: Flaw) -> Store {
    let inner = postgres::connect(address).unwrap();
    Store::on(Place::Server(address.clone()), "", Box::new(Flawed { inner, flaw }))
}

struct Flawed {
    inner: Postgres,
    flaw: Flaw,
}

impl Flawed {
    /// Which process of the server is at the other end.
    fn process(&self) -> Option<i64> {
        let mut process = None;
        let statement = "SELECT CAST(pg_backend_pid() AS BIGINT)";
        let asked = self.inner.each(statement, values![], &mut |row| {
            process = Some(row.get(0)?);
            Ok(std::ops::ControlFlow::Continue(()))
        });
        asked.ok().and(process)
    }
}

impl Connection for Flawed {
    fn instance(&self) -> &str {
        self.inner.instance()
    }

    fn wall_ms(&self) -> Result<Option<i64>, StoreError> {
        self.inner.wall_ms()
    }

    fn is_taken(&self, instance: &str) -> Result<Option<bool>, StoreError> {
        self.inner.is_taken(instance)
    }

    fn keep_up(&self) {
        self.inner.keep_up();
    }

    fn begin_change(&self) -> Result<(), StoreError> {
        match self.flaw {
            Flaw::NoTurn => self.inner.begin_step(),
            _ => self.inner.begin_change(),
        }
    }

    fn begin_step(&self) -> Result<(), StoreError> {
        self.inner.begin_step()
    }

    fn begin_look(&self) -> Result<(), StoreError> {
        self.inner.begin_look()
    }

    fn commit(&self) -> Result<(), StoreError> {
        if self.flaw == Flaw::UnconfirmedIsLost {
            let before = self.process();
            self.inner.commit()?;
            // Another one by now: the outcome was looked up.
            let lost = StoreError::Unreachable("the connection is lost".into());
            return if self.process() == before { Ok(()) } else { Err(lost) };
        }
        match self.inner.commit() {
            Err(StoreError::Unreachable(_)) if self.flaw == Flaw::UnconfirmedIsCommitted => Ok(()),
            committed => committed,
        }
    }

    fn rollback(&self) -> bool {
        self.inner.rollback()
    }

    fn script(&self, statements: &str) -> Result<(), StoreError> {
        self.inner.script(statements)
    }

    fn change(&self, statement: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.inner.change(statement, values)
    }

    fn write(&self, statement: &str, values: &[Value<'_>]) -> Result<(), StoreError> {
        self.inner.write(statement, values)
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.inner.flush()
    }

    fn each(
        &self,
        statement: &str,
        values: &[Value<'_>],
        take: Take<'_>,
    ) -> Result<(), StoreError> {
        self.inner.each(statement, values, take)
    }
}
