//! A store for one test, on any engine.

use tempfile::TempDir;

use super::database::Database;
use crate::store::tx::Connection;
use crate::store::{Address, Store, StoreError, postgres, sqlite};

/// An engine of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Every one.
pub(crate) const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// Runs `test` on a new place for each engine.
pub(crate) fn on_every_engine(test: impl Fn(&Fresh)) {
    for engine in ENGINES {
        let told = TellsEngine(engine);
        test(&Fresh::new(engine));
        std::mem::forget(told);
    }
}

/// Says on which engine a test failed.
struct TellsEngine(Engine);

impl Drop for TellsEngine {
    #[allow(clippy::print_stderr, reason = "a failing test tells where")]
    fn drop(&mut self) {
        eprintln!("on {:?}", self.0);
    }
}

/// A place for rows that nobody else has; it vanishes with the test.
pub(crate) enum Fresh {
    File(TempDir),
    Server(Box<Database>),
}

impl Fresh {
    pub(crate) fn new(engine: Engine) -> Fresh {
        match engine {
            Engine::Sqlite => {
                // In memory, if this machine has such: the disk is not what is tested here.
                let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
                Fresh::File(dir.unwrap())
            }
            Engine::Postgres => Fresh::Server(Box::new(Database::fresh())),
        }
    }

    /// Opens the store, for the instance of that name where there can be several.
    pub(crate) fn try_open(&self, instance: &str) -> Result<Store, StoreError> {
        match self {
            Fresh::File(dir) => Store::open(&dir.path().join("test.sqlite")),
            Fresh::Server(_) => Store::connect(&self.address().for_instance(instance)),
        }
    }

    pub(crate) fn open(&self) -> Store {
        self.try_open("one").unwrap()
    }

    /// A connection whose schema nobody has brought up to date.
    pub(in crate::store) fn bare(&self) -> Box<dyn Connection> {
        match self {
            Fresh::File(dir) => Box::new(
                sqlite::connect(&dir.path().join("test.sqlite"), sqlite::INSTANCE).unwrap(),
            ),
            Fresh::Server(_) => Box::new(postgres::connect_reader(&self.address()).unwrap()),
        }
    }

    /// How its engine makes the table of migrations.
    pub(in crate::store) fn migrations_table(&self) -> &'static str {
        match self {
            Fresh::File(_) => sqlite::MIGRATIONS_TABLE,
            Fresh::Server(_) => postgres::MIGRATIONS_TABLE,
        }
    }

    /// The database on the server.
    pub(crate) fn database(&self) -> &Database {
        let Fresh::Server(database) = self else { panic!("a file is on no server") };
        database
    }

    /// Where the database is, if a server has it.
    pub(crate) fn address(&self) -> Address {
        Address::parse(&self.database().url()).unwrap()
    }
}
