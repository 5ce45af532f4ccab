//! A PostgreSQL database for one test, on the server that `HYDRANT_TEST_POSTGRES` names; how a
//! server is started is the business of `tests/postgres`.
//!
//! Databases are made once and used again, because making and dropping one costs the server a
//! checkpoint: a test takes the first that no living test has, and empties it.

#![allow(dead_code, reason = "each test binary uses a part of the harness")]

use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// The variable that names the server.
const VARIABLE: &str = "HYDRANT_TEST_POSTGRES";

/// The class of the locks by which tests tell each other which databases they have.
const LOCKS: i32 = 7_303_000;

/// A session with a server, for a thread that may wait.
pub struct Session {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Session {
    #[track_caller]
    pub fn open(url: &str) -> Session {
        Session::try_open(url).unwrap_or_else(|error| panic!("no session with {url}: {error:?}"))
    }

    pub fn try_open(url: &str) -> Result<Session, tokio_postgres::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls))?;
        runtime.spawn(async move { drop(connection.await) });
        Ok(Session { runtime, client })
    }

    /// Runs statements that have to succeed.
    #[track_caller]
    pub fn run(&self, statements: &str) {
        self.try_run(statements).unwrap_or_else(|error| panic!("{statements}: {error:?}"));
    }

    pub fn try_run(&self, statements: &str) -> Result<(), tokio_postgres::Error> {
        self.runtime.block_on(self.client.batch_execute(statements))
    }

    /// The rows of an answer, every column as text.
    #[track_caller]
    pub fn rows(&self, statement: &str) -> Vec<Vec<String>> {
        let answer = self.runtime.block_on(self.client.simple_query(statement));
        let answer = answer.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        let rows = answer.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| {
            (0..row.len()).map(|column| row.get(column).unwrap_or("NULL").to_owned()).collect()
        })
        .collect()
    }

    /// The one value of an answer.
    #[track_caller]
    pub fn one(&self, statement: &str) -> String {
        let mut rows = self.rows(statement);
        assert_eq!((rows.len(), rows[0].len()), (1, 1), "{statement}");
        rows.remove(0).remove(0)
    }
}

/// An empty database that nobody else has until it is dropped. It belongs to a role of its own,
/// which is no superuser, and new: whoever is still at it for an earlier test cannot come back.
pub struct Database {
    server: Server,
    name: String,
    role: String,
    /// A session with the server's first database, which holds the lock.
    admin: Session,
}

impl Database {
    /// # Panics
    /// If no server is named or it does not answer: nothing is skipped.
    pub fn fresh() -> Database {
        Database::fresh_on(&Server::of_the_tests())
    }

    pub fn fresh_on(server: &Server) -> Database {
        let admin = Session::open(&server.admin_url);
        let number = (0..)
            .find(|number| {
                admin.one(&format!("SELECT pg_try_advisory_lock({LOCKS}, {number})")) == "t"
            })
            .expect("there are numbers enough");
        let name = format!("hydrant_test_{number}");
        let role = format!("{name}_{:x}", rand::random::<u32>());
        make(&admin, &name, &role);
        let database = Database { server: server.clone(), name, role, admin };
        database.superuser().run(&format!(
            "DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public AUTHORIZATION {}",
            database.role
        ));
        database.forget_earlier_roles();
        database
    }

    fn forget_earlier_roles(&self) {
        let earlier =
            format!("starts_with(rolname, '{}_') AND rolname <> '{}'", self.name, self.role);
        for row in self.admin.rows(&format!("SELECT rolname FROM pg_roles WHERE {earlier}")) {
            self.admin.run(&format!("DROP ROLE {}", row[0]));
        }
    }

    /// Where it is, for its own role.
    pub fn url(&self) -> String {
        let Database { server, name, role, .. } = self;
        format!("postgres://{role}:made-up@{}/{name}", server.host)
    }

    /// The server's `host:port`.
    pub fn host(&self) -> &str {
        self.server.host()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The role that it belongs to.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// A session of the server's superuser on it.
    pub fn superuser(&self) -> Session {
        let (before, _) = self.server.admin_url.rsplit_once('/').expect("a URL has a path");
        Session::open(&format!("{before}/{}", self.name))
    }

    /// The session that looks after it, on another database.
    pub fn admin(&self) -> &Session {
        &self.admin
    }
}

/// Makes the role, and the database if it is not there, and forgets what was set for it.
fn make(admin: &Session, name: &str, role: &str) {
    admin.run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'made-up'"));
    if admin.one(&format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'")) == "0" {
        admin.run(&format!("CREATE DATABASE {name} TEMPLATE template0"));
    }
    admin.run(&format!(
        "ALTER DATABASE {name} OWNER TO {role}; ALTER DATABASE {name} RESET ALL;
         ALTER DATABASE {name} CONNECTION LIMIT -1;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    ));
}

/// A server, by the URL of its superuser.
#[derive(Clone, Debug)]
pub struct Server {
    admin_url: String,
    host: String,
}

impl Server {
    /// The one that all tests share: nobody may stop it or change its settings.
    pub fn of_the_tests() -> Server {
        let url = std::env::var(VARIABLE).unwrap_or_else(|_| {
            panic!(
                "{VARIABLE} names no PostgreSQL server for the tests: run tests/run, or \
                 `export {VARIABLE}=$(tests/postgres start /tmp/hydrant-postgres)`"
            )
        });
        Server::at(&url)
    }

    pub fn at(admin_url: &str) -> Server {
        let after = admin_url.rsplit_once('@').map_or(admin_url, |(_, after)| after);
        let host = after.split('/').next().unwrap_or(after).to_owned();
        Server { admin_url: admin_url.to_owned(), host }
    }

    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// `host:port`.
    pub fn host(&self) -> &str {
        &self.host
    }
}
