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
//! nobody knows; then the server is asked what became of the transaction's number, and if it
//! cannot say so either, the answer is that nothing is known, which grants nothing.

mod address;
mod session;
mod value;

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::time::Duration;

pub use address::{Address, NotAnAddress};
use session::Session;

use super::StoreError;
use super::migrate;
use super::tx::{Connection, Take};
use super::value::{Row, Value};

/// How often a server is tried before the answer is that it cannot be reached.
const ATTEMPTS_MAX: u32 = 5;
/// How long to wait before the second attempt; before each further one twice as long.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(50);
/// How often the name of a gateway is tried: its former holder may just have died.
const NAME_ATTEMPTS_MAX: u32 = 50;
/// How long to wait between two of them.
const NAME_PAUSE: Duration = Duration::from_millis(100);

/// The locks that keep two programs from applying the same migration: any number will do, as long
/// as it is always the same one.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_lock(7303014, 0)";
const MIGRATION_UNLOCK: &str = "SELECT pg_advisory_unlock(7303014, 0)";
/// The lock that a gateway has on its name, as long as its session lives.
const TAKE_NAME: &str = "SELECT pg_try_advisory_lock(7303015, hashtext(?1))";
const TAKE_TURN: &str = "
    SELECT CAST(pg_current_xact_id() AS TEXT) FROM turn WHERE id = 1 FOR UPDATE";
const OUTCOME: &str = "SELECT pg_xact_status(CAST(CAST(?1 AS TEXT) AS xid8))";
const WALL: &str = "
    SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)";

const MIGRATIONS_TABLE: &str = "
    CREATE TABLE IF NOT EXISTS migrations (
        number BIGINT PRIMARY KEY,
        name   TEXT   NOT NULL,
        sha256 BYTEA  NOT NULL
    )";

/// A connection to a database server, which outlives its sessions.
pub(super) struct Postgres {
    address: Address,
    role: Role,
    session: RefCell<Option<Session>>,
    /// The number of the transaction under way that changes something.
    transaction: RefCell<Option<String>>,
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
    connection.script(MIGRATION_UNLOCK)?;
    migrated?;
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
            session: RefCell::default(),
            transaction: RefCell::default(),
        };
        connection.reconnect()?;
        Ok(connection)
    }

    /// Replaces the session.
    fn reconnect(&self) -> Result<(), StoreError> {
        // The old one first: the server gives the name up with it.
        *self.session.borrow_mut() = None;
        let mut session = Session::open(&self.address)?;
        if let (Role::Changes, Some(name)) = (self.role, &self.address.instance) {
            take_name(&mut session, name)?;
        }
        *self.session.borrow_mut() = Some(session);
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
        self.session.borrow().as_ref().is_none_or(Session::is_lost)
    }

    /// Runs `begin`, which has changed nothing if it fails, on a new session if the old one is
    /// lost, a few times.
    fn begin(&self, begin: impl Fn() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut pause = ATTEMPT_PAUSE;
        for attempt in 1.. {
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
        self.script("BEGIN")?;
        let rows = self.with(|session| session.rows(TAKE_TURN, &[]))?;
        let row = rows.first().ok_or_else(|| StoreError::Damaged("nobody has a turn".into()))?;
        *self.transaction.borrow_mut() = Some(row.get(0));
        Ok(())
    }

    /// What became of a transaction whose commit was not confirmed.
    fn look_up(&self, transaction: &str, lost: StoreError) -> Result<(), StoreError> {
        let mut pause = ATTEMPT_PAUSE;
        for _ in 0..ATTEMPTS_MAX {
            std::thread::sleep(pause);
            pause *= 2;
            if self.is_lost() && self.reconnect().is_err() {
                continue;
            }
            let asked = self.with(|session| session.rows(OUTCOME, &[Value::Text(transaction)]));
            let Ok(rows) = asked else { continue };
            match rows[0].get::<_, Option<&str>>(0) {
                Some("committed") => {
                    tracing::warn!("the connection was lost in a commit that went through");
                    return Ok(());
                }
                Some("aborted") => return Err(lost),
                // The server has not noticed yet that we left, or does not know the number.
                _ => {}
            }
        }
        tracing::error!("the connection was lost in a commit, and nobody knows its outcome");
        Err(lost)
    }
}

fn take_name(session: &mut Session, name: &str) -> Result<(), StoreError> {
    for _ in 0..NAME_ATTEMPTS_MAX {
        let rows = session.rows(TAKE_NAME, &[Value::Text(name)])?;
        if rows[0].get(0) {
            return Ok(());
        }
        std::thread::sleep(NAME_PAUSE);
    }
    let text = format!(
        "a gateway named {name} works on it already; stop that one first, or give this one a name \
         of its own with the setting `instance`"
    );
    Err(StoreError::Unfit(text.into()))
}

impl Connection for Postgres {
    fn instance(&self) -> &str {
        self.address.instance.as_deref().unwrap_or_default()
    }

    fn wall_ms(&self) -> Result<Option<i64>, StoreError> {
        self.with(|session| Ok(Some(session.rows(WALL, &[])?[0].get(0))))
    }

    fn begin_change(&self) -> Result<(), StoreError> {
        self.begin(|| self.take_turn())
    }

    fn begin_step(&self) -> Result<(), StoreError> {
        self.script("BEGIN")
    }

    fn begin_look(&self) -> Result<(), StoreError> {
        self.begin(|| self.script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"))
    }

    fn commit(&self) -> Result<(), StoreError> {
        let committed = self.script("COMMIT");
        let transaction = self.transaction.take();
        match (committed, transaction) {
            (Err(lost), Some(transaction)) if self.is_lost() => self.look_up(&transaction, lost),
            (committed, _) => committed,
        }
    }

    fn rollback(&self) -> bool {
        self.transaction.take();
        // Outside of a transaction the server only warns.
        !self.is_lost() && self.script("ROLLBACK").is_ok()
    }

    fn script(&self, statements: &str) -> Result<(), StoreError> {
        self.with(|session| session.script(statements))
    }

    fn change(&self, statement: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.with(|session| session.change(statement, values))
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
