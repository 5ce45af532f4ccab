//! Brings a database from the schema it has to the one this program knows; never back.
//!
//! Each migration runs in a transaction of its own together with the row that records it, so a
//! database stands before a migration or after it, never between. The text that was applied is
//! remembered by its SHA-256: a file that was edited after its release is noticed.

use sha2::{Digest, Sha256};

use super::StoreError;
use super::tx::{Connection, Tx};
use super::value::values;

/// One step of the schema.
#[derive(Clone, Copy)]
pub(super) struct Migration {
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
}

/// All steps of an engine's schema, from its folder below `schema/`; a step's number is its place
/// here, from 1 on. Every engine has the same ones.
macro_rules! migrations {
    ($folder:literal) => {
        migrations!($folder: "0001-journal.sql", "0002-directory.sql", "0003-datasets.sql",
            "0004-ledger.sql", "0005-instances.sql", "0006-audit.sql", "0007-carries.sql",
            "0008-behind.sql", "0009-distinct.sql",
            "0010-streams.sql")
    };
    ($folder:literal: $($file:literal),*) => {
        &[$($crate::store::migrate::Migration {
            name: $file,
            sql: include_str!(concat!("../../schema/", $folder, "/", $file)),
        }),*]
    };
}

/// The schema of a database file.
pub(super) const SQLITE: &[Migration] = migrations!("sqlite");
/// The schema of a PostgreSQL database.
pub(super) const POSTGRES: &[Migration] = migrations!("postgres");

const SELECT_APPLIED: &str = "SELECT sha256 FROM migrations WHERE number = ?1";
const SELECT_NEWEST: &str = "SELECT coalesce(max(number), 0) FROM migrations";
const INSERT_APPLIED: &str = "INSERT INTO migrations (number, name, sha256) VALUES (?1, ?2, ?3)";

/// Applies what is missing of `migrations`; `table` makes the table that remembers them.
///
/// # Errors
/// [`StoreError::Newer`] or [`StoreError::Foreign`] if the schema is not ours.
pub(super) fn up_to_date(
    connection: &dyn Connection,
    table: &str,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    connection.script(table)?;
    let found: u32 = Tx { connection }.one(SELECT_NEWEST, values![])?;
    let known = u32::try_from(migrations.len()).expect("migrations are few");
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (number, migration) in (1_u32..).zip(migrations) {
        connection.begin_step()?;
        match apply(connection, number, migration) {
            Ok(()) => connection.commit()?,
            Err(error) => {
                connection.rollback();
                return Err(error);
            }
        }
    }
    Ok(())
}

fn apply(
    connection: &dyn Connection,
    number: u32,
    migration: &Migration,
) -> Result<(), StoreError> {
    let tx = Tx { connection };
    let digest = Sha256::digest(migration.sql);
    let applied: Option<Vec<u8>> = tx.row(SELECT_APPLIED, values![number], |row| row.get(0))?;
    match applied {
        Some(applied) if applied == digest.as_slice() => Ok(()),
        Some(_) => Err(StoreError::Foreign { number, name: migration.name }),
        None => {
            connection.script(migration.sql)?;
            tx.change(INSERT_APPLIED, values![number, migration.name, digest.as_slice()])?;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite;

    const TABLE: &str = sqlite::MIGRATIONS_TABLE;
    const FIRST: Migration = Migration { name: "first", sql: "CREATE TABLE a (n INTEGER)" };
    const SECOND: Migration = Migration { name: "second", sql: "CREATE TABLE b (n INTEGER)" };

    fn connection() -> (tempfile::TempDir, impl Connection) {
        let dir = tempfile::tempdir().unwrap();
        let connection =
            sqlite::connect(&dir.path().join("test.sqlite"), sqlite::INSTANCE).unwrap();
        (dir, connection)
    }

    #[test]
    fn every_engine_has_the_same_steps() {
        let names = |steps: &[Migration]| steps.iter().map(|step| step.name).collect::<Vec<_>>();
        assert_eq!(names(SQLITE), names(POSTGRES));
    }

    #[test]
    fn a_newer_or_an_edited_schema_is_refused() {
        let (_dir, connection) = connection();
        up_to_date(&connection, TABLE, &[FIRST, SECOND]).unwrap();
        up_to_date(&connection, TABLE, &[FIRST, SECOND]).unwrap();
        let newer = up_to_date(&connection, TABLE, &[FIRST]);
        assert!(matches!(newer, Err(StoreError::Newer { found: 2, known: 1 })), "{newer:?}");
        let edited = Migration { sql: "CREATE TABLE c (n INTEGER)", ..SECOND };
        let foreign = up_to_date(&connection, TABLE, &[FIRST, edited]);
        assert!(matches!(foreign, Err(StoreError::Foreign { number: 2, .. })), "{foreign:?}");
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let (_dir, connection) = connection();
        let broken = Migration { name: "broken", sql: "CREATE TABLE b (n INTEGER); SELECT nope" };
        up_to_date(&connection, TABLE, &[FIRST, broken]).unwrap_err();
        up_to_date(&connection, TABLE, &[FIRST, SECOND]).unwrap();
    }
}
