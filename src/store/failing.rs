//! A connection that fails when it is told to, around a real one: what a disk or a server may do
//! to the store, for tests.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::StoreError;
use super::tx::{Connection, Take};
use super::value::Value;

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The disk is full.
    Full,
    /// The disk or the server fails.
    Broken,
    /// A commit goes through and nobody is told so; any other call is as [`Fault::Broken`].
    Unconfirmed,
}

/// Which calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Each call to the database: beginnings, ends, savepoints, statements. How changes are
    /// grouped decides how many there are.
    All,
    /// Statements, and the commits of transactions that have any: the same ones however changes
    /// are grouped.
    Statements,
}

/// Which calls fail, for all who share it.
#[derive(Clone)]
pub(crate) struct Plan(Arc<Planned>);

struct Planned {
    counted: Counted,
    calls: AtomicU64,
    next: Mutex<Option<(u64, Fault)>>,
}

impl Plan {
    pub(crate) fn new(counted: Counted) -> Plan {
        Plan(Arc::new(Planned { counted, calls: AtomicU64::new(0), next: Mutex::new(None) }))
    }

    /// Lets the call fail that comes after `calls` further ones, once.
    pub(crate) fn fail_after(&self, calls: u64, fault: Fault) {
        *self.0.next.lock().unwrap() = Some((self.calls() + calls, fault));
    }

    /// How many calls there were so far.
    pub(crate) fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// Whether the planned call has failed, or none was planned.
    pub(crate) fn is_spent(&self) -> bool {
        self.0.next.lock().unwrap().is_none()
    }

    /// Takes the plan back.
    pub(crate) fn clear(&self) {
        *self.0.next.lock().unwrap() = None;
    }

    fn count(&self) -> Option<Fault> {
        let call = self.0.calls.fetch_add(1, Ordering::SeqCst);
        let mut next = self.0.next.lock().unwrap();
        match *next {
            Some((planned, fault)) if planned <= call => {
                *next = None;
                Some(fault)
            }
            _ => None,
        }
    }

    /// Lets a call pass, if it counts and is not the planned one.
    fn pass(&self, counts: bool) -> Result<(), StoreError> {
        let fault = if counts || self.0.counted == Counted::All { self.count() } else { None };
        fault.map_or(Ok(()), |fault| Err(error_of(fault)))
    }
}

fn error_of(fault: Fault) -> StoreError {
    match fault {
        Fault::Full => StoreError::Full,
        Fault::Broken | Fault::Unconfirmed => StoreError::Database("a planned fault".into()),
    }
}

/// The real connection and its plan.
pub(super) struct Failing<C> {
    inner: C,
    plan: Plan,
    /// Whether the transaction under way has a statement that counts.
    has_statements: Cell<bool>,
}

impl<C> Failing<C> {
    pub(super) fn new(inner: C, plan: Plan) -> Failing<C> {
        Failing { inner, plan, has_statements: Cell::new(false) }
    }

    fn pass(&self, statement: &str) -> Result<(), StoreError> {
        let verb = statement.split_ascii_whitespace().next();
        let counts = !matches!(verb, Some("SAVEPOINT" | "RELEASE" | "ROLLBACK"));
        self.has_statements.set(self.has_statements.get() || counts);
        self.plan.pass(counts)
    }
}

impl<C: Connection> Connection for Failing<C> {
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
        self.has_statements.set(false);
        self.plan.pass(false)?;
        self.inner.begin_change()
    }

    fn begin_step(&self) -> Result<(), StoreError> {
        self.inner.begin_step()
    }

    fn begin_look(&self) -> Result<(), StoreError> {
        self.inner.begin_look()
    }

    fn commit(&self) -> Result<(), StoreError> {
        let counts = self.has_statements.get() || self.plan.0.counted == Counted::All;
        match if counts { self.plan.count() } else { None } {
            None => self.inner.commit(),
            Some(Fault::Unconfirmed) => {
                self.inner.commit()?;
                Err(error_of(Fault::Unconfirmed))
            }
            Some(fault) => Err(error_of(fault)),
        }
    }

    // Never fails: a transaction that cannot even be given up is a dead connection's.
    fn rollback(&self) -> bool {
        self.inner.rollback()
    }

    fn script(&self, statements: &str) -> Result<(), StoreError> {
        self.inner.script(statements)
    }

    fn change(&self, statement: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.pass(statement)?;
        self.inner.change(statement, values)
    }

    fn write(&self, statement: &str, values: &[Value<'_>]) -> Result<(), StoreError> {
        self.pass(statement)?;
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
        self.pass(statement)?;
        self.inner.each(statement, values, take)
    }
}
