//! Brings a database from the schema it has to the one this program knows; never back.
//!
//! Each migration runs in a transaction of its own together with the row that records it, so a
//! database stands before a migration or after it, never between. The text that was applied is
//! remembered by its SHA-256: a file that was edited after its release is noticed.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use sha2::{Digest, Sha256};

use crate::store::StoreError;

/// One step of the schema.
struct Migration {
    name: &'static str,
    sql: &'static str,
}

macro_rules! migration {
    ($file:literal) => {
        Migration { name: $file, sql: include_str!(concat!("../../../schema/sqlite/", $file)) }
    };
}

/// All migrations in order; a migration's number is its place here, from 1 on.
const MIGRATIONS: &[Migration] = &[
    migration!("0001-journal.sql"),
    migration!("0002-directory.sql"),
    migration!("0003-datasets.sql"),
    migration!("0004-ledger.sql"),
];

const CREATE_TABLE: &str = "
    CREATE TABLE IF NOT EXISTS migrations (
        number INTEGER PRIMARY KEY,
        name   TEXT NOT NULL,
        sha256 BLOB NOT NULL
    ) STRICT";
const SELECT_APPLIED: &str = "SELECT sha256 FROM migrations WHERE number = ?1";
const SELECT_NEWEST: &str = "SELECT coalesce(max(number), 0) FROM migrations";
const INSERT_APPLIED: &str = "INSERT INTO migrations (number, name, sha256) VALUES (?1, ?2, ?3)";

pub(super) fn up_to_date(connection: &mut Connection) -> Result<(), StoreError> {
    apply(connection, MIGRATIONS)
}

fn apply(connection: &mut Connection, migrations: &[Migration]) -> Result<(), StoreError> {
    connection.execute_batch(CREATE_TABLE)?;
    let found: u32 = connection.query_row(SELECT_NEWEST, [], |row| row.get(0))?;
    let known = u32::try_from(migrations.len()).expect("migrations are few");
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (number, migration) in (1_u32..).zip(migrations) {
        let digest = Sha256::digest(migration.sql);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let applied: Option<Vec<u8>> =
            transaction.query_row(SELECT_APPLIED, [number], |row| row.get(0)).optional()?;
        match applied {
            Some(applied) if applied == digest.as_slice() => {}
            Some(_) => return Err(StoreError::Foreign { number, name: migration.name }),
            None => {
                transaction.execute_batch(migration.sql)?;
                let row = (number, migration.name, digest.as_slice());
                transaction.execute(INSERT_APPLIED, row)?;
            }
        }
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Migration = Migration { name: "first", sql: "CREATE TABLE a (n INTEGER)" };
    const SECOND: Migration = Migration { name: "second", sql: "CREATE TABLE b (n INTEGER)" };

    #[test]
    fn a_newer_or_an_edited_schema_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &[FIRST, SECOND]).unwrap();
        apply(&mut connection, &[FIRST, SECOND]).unwrap();
        let newer = apply(&mut connection, &[FIRST]);
        assert!(matches!(newer, Err(StoreError::Newer { found: 2, known: 1 })), "{newer:?}");
        let edited = Migration { sql: "CREATE TABLE c (n INTEGER)", ..SECOND };
        let foreign = apply(&mut connection, &[FIRST, edited]);
        assert!(matches!(foreign, Err(StoreError::Foreign { number: 2, .. })), "{foreign:?}");
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let mut connection = Connection::open_in_memory().unwrap();
        let broken = Migration { name: "broken", sql: "CREATE TABLE b (n INTEGER); SELECT nope" };
        apply(&mut connection, &[FIRST, broken]).unwrap_err();
        apply(&mut connection, &[FIRST, SECOND]).unwrap();
    }
}
