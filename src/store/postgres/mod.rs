//! PostgreSQL as the engine of the store: how a connection takes its turn, commits and recovers;
//! what is asked of it stands in `rows/`.
//!
//! # The story of a change
//!
//! Several gateways work on one database, each with one connection that changes. A change begins
//! with a statement that does nothing but lock the one row of `turn`; when it has the lock, every
//! earlier change is committed, and every statement after it (the isolation is READ COMMITTED)
//! sees them all. So changes come one after the other, as they do in a database file, the journal
//! has no gaps, and no two of them can wait for each other in a circle. The price, that no two
//! changes overlap, is small because each turn takes along all that waits at its gateway.
//!
//! The clock is read after the lock, by a statement that asks for it (`clock_timestamp()`):
//! `now()` would tell when the transaction began, which may be long before.
//!
//! # What may go wrong
//!
//! A connection that is lost before the turn came is replaced, a few times, and nobody notices. If
//! it is lost later, the change is lost with it. If it is lost while the commit is confirmed,
//! nobody knows; so each change leaves a mark of its own, and a new connection takes a turn and
//! looks for it. (The number of a transaction would not do: a server that crashes gives the
//! numbers that it forgot to others.) If that cannot be asked either, the answer is that nothing
//! is known, which grants nothing.
//!
//! Behind a new connection may be another database: a standby that lagged behind and took over, or
//! a restored backup. A gateway therefore remembers the newest entry of the journal that it knows
//! to be confirmed, and before anything else is changed on a new connection the database must have
//! it. If it has not, the ledger is frozen in that very turn.
//!
//! A gateway's name is the business of `name.rs`, what a server must be that of `fitness.rs`.

mod address;
mod fitness;
mod name;
mod newest;
mod session;
mod value;

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

pub use address::{Address, NotAnAddress};
use name::Name;
use newest::{Entry, SELECT_NEWEST};
use session::{Driver, Session};

use super::StoreError;
use super::migrate;
use super::tx::{Connection, Take};
use super::value::{Row, Value, values};

/// How often a server is tried before the answer is that it cannot be reached.
const ATTEMPTS_MAX: u32 = 5;
/// How long to wait before the second attempt; before each further one twice as long.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(50);

/// The locks that keep two programs from applying the same migration: any number will do, as long
/// as it is always the same one.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_lock(7303014, 0)";
const MIGRATION_UNLOCK: &str = "SELECT pg_advisory_unlock(7303014, 0)";
// A statement of its own: what comes after it sees all that was committed before it ended.
const TAKE_TURN: &str = "SELECT id FROM turn WHERE id = 1 FOR UPDATE";
const SET_MARK: &str = "
    INSERT INTO marks (instance, mark) VALUES (?1, ?2)
    ON CONFLICT (instance) DO UPDATE SET mark = ?2";
const SELECT_MARK: &str = "SELECT mark FROM marks WHERE instance = ?1";
const WALL: &str = "
    SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)";
// Whatever a role's settings say.
const BEGIN_CHANGE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
const BEGIN_LOOK: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
// A step may take as long as it takes.
const BEGIN_STEP: &str = "
    BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
    SET LOCAL statement_timeout = 0";

/// Where the applied steps of the schema are remembered.
pub(super) const MIGRATIONS_TABLE: &str = "
    CREATE TABLE IF NOT EXISTS migrations (
        number BIGINT PRIMARY KEY,
        name   TEXT   NOT NULL,
        sha256 BYTEA  NOT NULL
    )";

/// A connection to a database server, which outlives its sessions.
pub(super) struct Postgres {
    address: Address,
    role: Role,
    driver: Arc<Driver>,
    session: RefCell<Option<Session>>,
    /// The gateway's name, as long as it is this process's.
    name: RefCell<Option<Name>>,
    /// What the change under way will be known by.
    mark: Cell<Option<i64>>,
    /// The newest entry of the journal that is known to be confirmed, as long as the database is
    /// not known to have lost it.
    newest: Cell<Option<Entry>>,
    /// Whether the database at the other end of the session is known to have it.
    is_in_step: Cell<bool>,
    /// Whether a transaction may be open.
    is_open: Cell<bool>,
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// To change: it holds the gateway's name.
    Changes,
    /// To look.
    Looks,
}

/// Connects, brings the schema up to date, and takes the gateway's name, if it has one.
///
/// # Errors
/// [`StoreError`]; see `Store::connect`.
pub(super) fn connect(address: &Address) -> Result<Postgres, StoreError> {
    let connection = Postgres::new(address, Role::Changes)?;
    connection.script(MIGRATION_LOCK)?;
    let migrated = migrate::up_to_date(&connection, MIGRATIONS_TABLE, migrate::POSTGRES);
    let unlocked = connection.script(MIGRATION_UNLOCK);
    migrated.and(unlocked)?;
    Ok(connection)
}

/// Connects, to look only.
///
/// # Errors
/// [`StoreError`] of the server.
pub(super) fn connect_reader(address: &Address) -> Result<Postgres, StoreError> {
    Postgres::new(address, Role::Looks)
}

impl Postgres {
    fn new(address: &Address, role: Role) -> Result<Postgres, StoreError> {
        let connection = Postgres {
            address: address.clone(),
            role,
            driver: Driver::new()?,
            session: RefCell::default(),
            name: RefCell::default(),
            mark: Cell::default(),
            newest: Cell::default(),
            is_in_step: Cell::default(),
            is_open: Cell::default(),
        };
        connection.reconnect()?;
        Ok(connection)
    }

    /// Replaces what is lost.
    fn reconnect(&self) -> Result<(), StoreError> {
        if self.session.borrow().as_ref().is_none_or(Session::is_lost) {
            // The old one first: the server gives up with it what it has locked.
            *self.session.borrow_mut() = None;
            let mut session = Session::open(&self.address, &self.driver)?;
            fitness::check(&mut session)?;
            self.is_in_step.set(false);
            *self.session.borrow_mut() = Some(session);
        }
        let Some(instance) = self.address.instance.as_deref() else { return Ok(()) };
        if self.role == Role::Changes && self.name.borrow().as_ref().is_none_or(Name::is_lost) {
            let former = self.name.take();
            let mut session = Session::open(&self.address, &self.driver)?;
            if let Some(former) = former {
                former.end(&mut session);
            }
            *self.name.borrow_mut() = Some(Name::take(session, instance)?);
        }
        Ok(())
    }

    /// Runs `work` on the session there is.
    fn with<T>(
        &self,
        work: impl FnOnce(&mut Session) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match &mut *self.session.borrow_mut() {
            Some(session) => work(session),
            None => Err(StoreError::Unreachable("the connection is lost".into())),
        }
    }

    fn is_lost(&self) -> bool {
        let has_name = self.role == Role::Looks || self.address.instance.is_none();
        self.session.borrow().as_ref().is_none_or(Session::is_lost)
            || !has_name && self.name.borrow().as_ref().is_none_or(Name::is_lost)
    }

    /// Runs `begin`, which has changed nothing if it fails, on a new session if the old one is
    /// lost, a few times.
    fn begin(&self, begin: impl Fn() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut pause = ATTEMPT_PAUSE;
        for attempt in 1.. {
            self.driver.look();
            let connected = if self.is_lost() { self.reconnect() } else { Ok(()) };
            let Err(error) = connected.and_then(|()| begin()) else { return Ok(()) };
            if !self.is_lost() {
                self.rollback();
                return Err(error);
            }
            if attempt == ATTEMPTS_MAX || matches!(error, StoreError::Unfit(_)) {
                return Err(error);
            }
            tracing::warn!(%error, attempt, "the database is tried again");
            std::thread::sleep(pause);
            pause *= 2;
        }
        unreachable!("the last attempt returns")
    }

    fn take_turn(&self) -> Result<(), StoreError> {
        self.is_open.set(true);
        self.with(|session| {
            session.forget();
            session.send(BEGIN_CHANGE, &[])?;
            session.row(TAKE_TURN, &[]).map(drop)
        })
    }

    /// Freezes the ledger if the database has lost what is known to be confirmed, before anything
    /// else is done in the turn that was taken.
    fn freeze_if_behind(&self) -> Result<(), StoreError> {
        if self.is_in_step.get() {
            return Ok(());
        }
        if let Some(newest) = self.newest.get()
            && !self.with(|session| newest.is_in(session))?
        {
            let why = newest.freeze(self)?;
            self.with(|session| session.change("COMMIT", &[]))?;
            self.is_open.set(false);
            tracing::error!("the ledger is frozen: {why}");
            // From here on the database itself says so, also after it was thawed.
            self.newest.set(None);
            return Err(StoreError::Frozen(why.into()));
        }
        self.is_in_step.set(true);
        Ok(())
    }

    /// What became of a change whose commit was not confirmed.
    fn look_up(&self, mark: i64, lost: StoreError) -> Result<(), StoreError> {
        let mut pause = ATTEMPT_PAUSE;
        for _ in 0..ATTEMPTS_MAX {
            if let Ok(found) = self.newest_mark() {
                return match found {
                    Some((found, newest)) if found == mark => {
                        tracing::warn!("the connection was lost in a commit that went through");
                        self.newest.set(newest);
                        Ok(())
                    }
                    // Commands have no mark of their own, and another one may have been here.
                    Some(_) if self.address.instance.is_none() => break,
                    _ => Err(lost),
                };
            }
            std::thread::sleep(pause);
            pause *= 2;
        }
        tracing::error!(%lost, "the connection was lost in a commit, and nobody knows its outcome");
        Err(StoreError::Unreachable(
            "the connection was lost while a change was committed, and nobody can tell whether it \
             was; look before you try again"
                .into(),
        ))
    }

    /// The mark of this instance's last change that was committed, and the newest entry of the
    /// journal. Until the old session is over, whatever became of it, nobody else gets a turn.
    fn newest_mark(&self) -> Result<Option<(i64, Option<Entry>)>, StoreError> {
        self.driver.look();
        if self.is_lost() {
            self.reconnect()?;
        }
        self.rollback();
        self.take_turn()?;
        let found = self.with(|session| session.rows(SELECT_MARK, values![self.instance()]))?;
        let newest = self.with(|session| session.rows(SELECT_NEWEST, &[]))?;
        self.rollback();
        let newest = newest.first().map(Entry::of).transpose()?;
        Ok(found.first().map(|row| (row.get(0), newest)))
    }
}

impl Connection for Postgres {
    fn instance(&self) -> &str {
        self.address.instance.as_deref().unwrap_or_default()
    }

    fn wall_ms(&self) -> Result<Option<i64>, StoreError> {
        self.with(|session| Ok(Some(session.row(WALL, &[])?.get(0))))
    }

    fn is_taken(&self, instance: &str) -> Result<Option<bool>, StoreError> {
        self.with(|session| name::is_taken(session, instance).map(Some))
    }

    fn keep_up(&self) {
        self.driver.look();
        let connected = if self.is_lost() { self.reconnect() } else { Ok(()) };
        // What is lost is told at once: another gateway may know nothing of it.
        let looked = connected.and_then(|()| match self.is_in_step.get() {
            true => Ok(()),
            false => self.take_turn().and_then(|()| self.freeze_if_behind()),
        });
        self.rollback();
        if let Err(error) = looked {
            tracing::warn!(%error, "the database is not as it should be; it is tried again");
        }
    }

    fn begin_change(&self) -> Result<(), StoreError> {
        self.begin(|| {
            self.take_turn()?;
            self.freeze_if_behind()
        })?;
        let mark = rand::random();
        self.mark.set(Some(mark));
        self.with(|session| session.send(SET_MARK, values![self.instance(), mark]))
    }

    fn begin_step(&self) -> Result<(), StoreError> {
        self.is_open.set(true);
        self.script(BEGIN_STEP)
    }

    fn begin_look(&self) -> Result<(), StoreError> {
        self.begin(|| {
            self.is_open.set(true);
            self.script(BEGIN_LOOK)
        })
    }

    fn commit(&self) -> Result<(), StoreError> {
        let Some(mark) = self.mark.take() else {
            let committed = self.with(|session| session.change("COMMIT", &[]));
            self.is_open.set(committed.is_err());
            return committed.map(drop);
        };
        let committed = self.with(|session| session.rows_and_change(SELECT_NEWEST, "COMMIT"));
        match committed {
            // Also if the server gave a reason: it may have given up waiting for a standby after
            // it had committed.
            Err(error) => self.look_up(mark, error),
            Ok(newest) => {
                self.is_open.set(false);
                if let Some(newest) = newest.first() {
                    let entry = Entry::of(newest).expect("a row of it is a number and a hash");
                    self.newest.set(Some(entry));
                }
                Ok(())
            }
        }
    }

    fn rollback(&self) -> bool {
        self.mark.take();
        let rolled_back = self.with(|session| {
            session.forget();
            // Outside of a transaction the server only warns.
            if self.is_open.get() { session.script("ROLLBACK") } else { Ok(()) }
        });
        self.is_open.set(false);
        rolled_back.is_ok() && !self.is_lost()
    }

    fn script(&self, statements: &str) -> Result<(), StoreError> {
        self.with(|session| {
            session.flush()?;
            session.script(statements)
        })
    }

    fn change(&self, statement: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.with(|session| session.change(statement, values))
    }

    fn write(&self, statement: &str, values: &[Value<'_>]) -> Result<(), StoreError> {
        self.with(|session| session.send(statement, values))
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.with(Session::flush)
    }

    fn each(
        &self,
        statement: &str,
        values: &[Value<'_>],
        take: Take<'_>,
    ) -> Result<(), StoreError> {
        let rows = self.with(|session| session.rows(statement, values))?;
        for row in &rows {
            if let ControlFlow::Break(()) = take(&Row(row))? {
                break;
            }
        }
        Ok(())
    }
}
