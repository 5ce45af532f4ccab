//! One session with a PostgreSQL server: opened, checked, and asked from a thread that may wait;
//! what becomes of a session that is lost is not here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::runtime::Runtime;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Address;
use crate::store::StoreError;
use crate::store::value::Value;

/// How long the server may take to answer a new connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// The oldest server that can tell what became of a transaction: 13.
const SERVER_VERSION_MIN: i64 = 130_000;

/// What every session sets for itself. A gateway that stands still in the middle of a change
/// loses its session, and with it the change, before others have waited for long; a machine that
/// vanishes is noticed.
const SET_UP: &str = "
    SET lock_timeout = '10s';
    SET statement_timeout = '60s';
    SET idle_in_transaction_session_timeout = '10s';
    SET tcp_keepalives_idle = 10;
    SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 3;
    SET client_min_messages = 'warning';
    SET timezone = 'UTC'";

/// What a server must be: the name of a setting, what it must be, and what to do if it is not.
const CHECKS: &[(&str, &[&str], &str)] = &[
    (
        "synchronous_commit",
        &["on", "remote_write", "remote_apply"],
        "a confirmed commit could be lost: take it out of the URL's options, or `ALTER ROLE … \
         RESET synchronous_commit`",
    ),
    ("fsync", &["on"], "a confirmed commit could be lost: set fsync = on in postgresql.conf"),
    (
        "full_page_writes",
        &["on"],
        "a page could be torn at power loss: set full_page_writes = on in postgresql.conf",
    ),
    (
        "default_transaction_read_only",
        &["off"],
        "nothing can be charged there: take it out of the URL's options, or reset it",
    ),
    ("server_encoding", &["UTF8"], "create the database with ENCODING 'UTF8'"),
];

/// A session.
pub(super) struct Session {
    client: Client,
    statements: HashMap<String, Statement>,
    /// Drives the connection whenever this thread waits for an answer.
    runtime: Option<Runtime>,
}

impl Session {
    /// Opens a session and makes sure that its commits are durable and that it is the primary's.
    pub(super) fn open(address: &Address) -> Result<Session, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StoreError::Unreachable(error.to_string().into()))?;
        let mut config = (*address.config).clone();
        config.connect_timeout(CONNECT_MAX);
        if config.get_application_name().is_none() {
            config.application_name("hydrant");
        }
        let tls = MakeRustlsConnect::new(tls_settings()?);
        let (client, connection) =
            runtime.block_on(config.connect(tls)).map_err(|error| unreachable(&error))?;
        // Its end is seen by the client; there is nothing to report twice.
        runtime.spawn(async move { drop(connection.await) });
        let mut session = Session { client, statements: HashMap::new(), runtime: Some(runtime) };
        session.script(SET_UP)?;
        session.check()?;
        Ok(session)
    }

    fn check(&mut self) -> Result<(), StoreError> {
        let unfit = |text: String| Err(StoreError::Unfit(text.into()));
        let version =
            self.number("SELECT CAST(current_setting('server_version_num') AS BIGINT)")?;
        if version < SERVER_VERSION_MIN {
            return unfit(format!("PostgreSQL {} is older than 13", version / 10_000));
        }
        if self.number("SELECT CAST(CAST(pg_is_in_recovery() AS INTEGER) AS BIGINT)")? != 0 {
            return unfit("it is a replica, which cannot keep a charge; name the primary".into());
        }
        for (name, allowed, advice) in CHECKS {
            let rows = self.rows("SELECT current_setting($1)", &[Value::Text(name)])?;
            let found: String = rows[0].get(0);
            if !allowed.contains(&found.as_str()) {
                return unfit(format!("its {name} is {found}; {advice}"));
            }
        }
        Ok(())
    }

    fn number(&mut self, statement: &str) -> Result<i64, StoreError> {
        Ok(self.rows(statement, &[])?[0].get(0))
    }

    /// Whether the server is known to be gone.
    pub(super) fn is_lost(&self) -> bool {
        self.client.is_closed()
    }

    pub(super) fn script(&self, statements: &str) -> Result<(), StoreError> {
        self.wait(self.client.batch_execute(statements))
    }

    pub(super) fn change(
        &mut self,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let statement = self.prepared(statement)?;
        self.wait(self.client.execute(&statement, &parameters(values)))
    }

    pub(super) fn rows(
        &mut self,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let statement = self.prepared(statement)?;
        self.wait(self.client.query(&statement, &parameters(values)))
    }

    /// The statement under its text; parameters are `?1` in the text and `$1` for the server.
    fn prepared(&mut self, text: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(text) {
            return Ok(statement.clone());
        }
        let numbered = text.replace('?', "$");
        let statement = self.wait(self.client.prepare(&numbered))?;
        self.statements.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }

    fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        let runtime = self.runtime.as_ref().expect("it is there until the session is dropped");
        runtime.block_on(answer).map_err(|error| failure(&error))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // In the background: a session may be dropped where nobody may wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn parameters<'a>(values: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
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
        Some(refusal) => {
            let text = format!("{} (SQLSTATE {})", refusal.message(), refusal.code().code());
            StoreError::Database(text.into())
        }
        None if error.is_closed() => StoreError::Unreachable(text_of(error).into()),
        None => StoreError::Database(text_of(error).into()),
    }
}

fn text_of(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
