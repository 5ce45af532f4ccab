//! One session with a PostgreSQL server: opened, checked, and asked from a thread that may wait;
//! what becomes of a session that is lost is not here.
//!
//! What nobody waits for ([`Session::send`]) is sent together with the next statement that has an
//! answer: on a line of half a millisecond a charge would otherwise spend its time on the way.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::runtime::Runtime;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Address;
use super::value::Kept;
use crate::store::StoreError;
use crate::store::value::Value;

/// How long the server may take to answer a new connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// What every session sets for itself. A gateway that stands still in the middle of a change
/// loses its session, and with it the change, before others have waited for long; a machine that
/// vanishes is noticed.
const SET_UP: &str = "
    SET lock_timeout = '20s';
    SET statement_timeout = '60s';
    SET idle_in_transaction_session_timeout = '5s';
    SET tcp_keepalives_idle = 10;
    SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 3;
    SET client_min_messages = 'warning';
    SET timezone = 'UTC'";

/// What drives sessions whenever their thread waits for an answer.
pub(super) struct Driver(Option<Runtime>);

impl Driver {
    pub(super) fn new() -> Result<Arc<Driver>, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StoreError::Unreachable(error.to_string().into()))?;
        Ok(Arc::new(Driver(Some(runtime))))
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("it is there until it is dropped")
    }

    /// Lets the sessions see what has arrived meanwhile, above all that they have ended.
    pub(super) fn look(&self) {
        self.runtime().block_on(async {
            // Once to hear of it, once to read it, once more to end.
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        });
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // In the background: it may be dropped where nobody may wait.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A session.
pub(super) struct Session {
    driver: Arc<Driver>,
    client: Client,
    statements: HashMap<String, Statement>,
    /// What is sent with the next statement that has an answer.
    waiting: Vec<(Statement, Vec<Kept>)>,
    lost: bool,
}

impl Session {
    /// Opens a session.
    pub(super) fn open(address: &Address, driver: &Arc<Driver>) -> Result<Session, StoreError> {
        let mut config = (*address.config).clone();
        config.connect_timeout(CONNECT_MAX);
        if config.get_application_name().is_none() {
            config.application_name("hydrant");
        }
        let tls = MakeRustlsConnect::new(tls_settings()?);
        let runtime = driver.runtime();
        let (client, connection) =
            runtime.block_on(config.connect(tls)).map_err(|error| unreachable(&error))?;
        // Its end is seen by the client; there is nothing to report twice.
        runtime.spawn(async move { drop(connection.await) });
        let mut session = Session {
            driver: Arc::clone(driver),
            client,
            statements: HashMap::new(),
            waiting: Vec::new(),
            lost: false,
        };
        session.script(SET_UP)?;
        Ok(session)
    }

    /// Whether the server is known to be gone, or to have ended the session.
    pub(super) fn is_lost(&self) -> bool {
        self.lost || self.client.is_closed()
    }

    /// Runs statements that have no parameters.
    pub(super) fn script(&mut self, statements: &str) -> Result<(), StoreError> {
        assert!(self.waiting.is_empty(), "a script does not overtake what was sent before");
        self.wait(async |client| client.batch_execute(statements).await)
    }

    /// Takes a statement whose answer nobody looks at; whether it failed is told by the next one.
    pub(super) fn send(&mut self, statement: &str, values: &[Value<'_>]) -> Result<(), StoreError> {
        let statement = self.prepared(statement)?;
        let kept = values.iter().map(Kept::new).collect::<Result<_, _>>()?;
        self.waiting.push((statement, kept));
        Ok(())
    }

    /// Waits for the answers to all that was sent.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.ask(async |_| Ok(()))
    }

    /// Forgets what was not sent yet, with the transaction that it belonged to.
    pub(super) fn forget(&mut self) {
        self.waiting.clear();
    }

    /// Runs a statement and returns how many rows it has changed.
    pub(super) fn change(
        &mut self,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let statement = self.prepared(statement)?;
        let kept = values.iter().map(Kept::new).collect::<Result<Vec<_>, _>>()?;
        self.ask(async |client| client.execute(&statement, &parameters(&kept)).await)
    }

    /// Runs a statement and returns its rows.
    pub(super) fn rows(
        &mut self,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let statement = self.prepared(statement)?;
        let kept = values.iter().map(Kept::new).collect::<Result<Vec<_>, _>>()?;
        self.ask(async |client| client.query(&statement, &parameters(&kept)).await)
    }

    /// Runs a statement and returns its rows, and right behind it one that changes.
    pub(super) fn rows_and_change(
        &mut self,
        look: &str,
        change: &str,
    ) -> Result<Vec<Row>, StoreError> {
        let (look, change) = (self.prepared(look)?, self.prepared(change)?);
        self.ask(async |client| {
            let looks = vec![client.query(&look, &[])];
            let (mut looked, changed) = together(looks, client.execute(&change, &[])).await;
            // The first failure counts here as well.
            let rows = looked.pop().expect("one look has one answer")?;
            changed.map(|_| rows)
        })
    }

    /// The first row of an answer that always has one.
    pub(super) fn row(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Row, StoreError> {
        let first = self.rows(statement, values)?.into_iter().next();
        first.ok_or_else(|| StoreError::Damaged(format!("no row for{statement}").into()))
    }

    /// Sends what waits, and right behind it the question; the first failure is the one that
    /// counts, because after it the server carries out nothing more of the transaction.
    fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.wait(async |client| {
            let sent = waiting.iter().map(|(statement, kept)| async move {
                client.execute(statement, &parameters(kept)).await.map(drop)
            });
            let (sent, answer) = together(sent.collect(), question(client)).await;
            sent.into_iter().collect::<Result<(), _>>().and(answer)
        })
    }

    /// The statement under its text; parameters are `?1` in the text and `$1` for the server.
    fn prepared(&mut self, text: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(text) {
            return Ok(statement.clone());
        }
        let numbered = text.replace('?', "$");
        let statement = self.wait(async |client| client.prepare(&numbered).await)?;
        self.statements.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }

    fn wait<T>(
        &mut self,
        question: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let answer = self.driver.runtime().block_on(question(&self.client));
        answer.map_err(|error| {
            self.lost |= ends_the_session(&error);
            failure(&error)
        })
    }
}

/// Drives all futures at once, each from its first step on in the order given: so statements leave
/// in that order, without waiting for each other's answers.
async fn together<A, B>(
    sent: Vec<impl Future<Output = A>>,
    last: impl Future<Output = B>,
) -> (Vec<A>, B) {
    type Slot<F, A> = (Pin<Box<F>>, Option<A>);
    let mut sent: Vec<Slot<_, A>> = sent.into_iter().map(|one| (Box::pin(one), None)).collect();
    let (mut last, mut answer) = (Box::pin(last), None);
    std::future::poll_fn(|context| {
        for (one, answer) in sent.iter_mut().filter(|(_, answer)| answer.is_none()) {
            if let Poll::Ready(done) = one.as_mut().poll(context) {
                *answer = Some(done);
            }
        }
        if answer.is_none()
            && let Poll::Ready(done) = last.as_mut().poll(context)
        {
            answer = Some(done);
        }
        let all = answer.is_some() && sent.iter().all(|(_, answer)| answer.is_some());
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    let done = "it ended when all were there";
    let sent = sent.into_iter().map(|(_, answer)| answer.expect(done)).collect();
    (sent, answer.expect(done))
}

fn parameters(kept: &[Kept]) -> Vec<&(dyn ToSql + Sync)> {
    kept.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// TLS that trusts what this machine trusts.
fn tls_settings() -> Result<ClientConfig, StoreError> {
    let unfit = |error: rustls::Error| StoreError::Unfit(error.to_string().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unfit)?;
    Ok(builder.with_platform_verifier().map_err(unfit)?.with_no_client_auth())
}

/// The server answers to a mistake and goes on; anything else is the end.
fn ends_the_session(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_none_or(|refusal| {
        matches!(refusal.parsed_severity(), None | Some(Severity::Fatal | Severity::Panic))
    })
}

fn unreachable(error: &tokio_postgres::Error) -> StoreError {
    match error.as_db_error() {
        // The server is there and says why not.
        Some(refusal) => StoreError::Unreachable(refusal.message().into()),
        None => StoreError::Unreachable(text_of(error).into()),
    }
}

fn failure(error: &tokio_postgres::Error) -> StoreError {
    match error.as_db_error() {
        Some(refusal) if *refusal.code() == SqlState::DISK_FULL => StoreError::Full,
        Some(refusal) if !ends_the_session(error) => {
            let text = format!("{} (SQLSTATE {})", refusal.message(), refusal.code().code());
            StoreError::Database(text.into())
        }
        _ => unreachable(error),
    }
}

fn text_of(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
