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
            "0008-behind.sql", "0009-distinct.sql", "0010-streams.sql", "0011-marks.sql",
            "0012-staff.sql", "0013-parties.sql", "0014-sign-in.sql", "0015-permissions.sql",
            "0016-requests.sql", "0017-removals.sql", "0018-upstream.sql", "0019-reasons.sql",
            "0020-shares.sql", "0021-identities.sql", "0022-exports.sql", "0023-copies.sql")
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
        if is_applied(connection, number, migration)? {
            continue;
        }
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
    // Somebody else may have been faster.
    if !is_applied(connection, number, migration)? {
        let digest = Sha256::digest(migration.sql);
        connection.script(migration.sql)?;
        let tx = Tx { connection };
        tx.change(INSERT_APPLIED, values![number, migration.name, digest.as_slice()])?;
    }
    Ok(())
}

fn is_applied(
    connection: &dyn Connection,
    number: u32,
    migration: &Migration,
) -> Result<bool, StoreError> {
    let tx = Tx { connection };
    let applied: Option<Vec<u8>> = tx.row(SELECT_APPLIED, values![number], |row| row.get(0))?;
    match applied {
        None => Ok(false),
        Some(applied) if applied == Sha256::digest(migration.sql).as_slice() => Ok(true),
        Some(_) => Err(StoreError::Foreign { number, name: migration.name }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::fresh::{Fresh, on_every_engine};

    const FIRST: Migration = Migration { name: "first", sql: "CREATE TABLE a (n INTEGER)" };
    const SECOND: Migration = Migration { name: "second", sql: "CREATE TABLE b (n INTEGER)" };

    fn migrate(fresh: &Fresh, steps: &[Migration]) -> Result<(), StoreError> {
        up_to_date(&*fresh.bare(), fresh.migrations_table(), steps)
    }

    #[test]
    fn every_engine_has_the_same_steps() {
        let names = |steps: &[Migration]| steps.iter().map(|step| step.name).collect::<Vec<_>>();
        assert_eq!(names(SQLITE), names(POSTGRES));
    }

    #[test]
    fn a_newer_or_an_edited_schema_is_refused() {
        on_every_engine(|fresh| {
            migrate(fresh, &[FIRST, SECOND]).unwrap();
            migrate(fresh, &[FIRST, SECOND]).unwrap();
            let newer = migrate(fresh, &[FIRST]);
            assert!(matches!(newer, Err(StoreError::Newer { found: 2, known: 1 })), "{newer:?}");
            let edited = Migration { sql: "CREATE TABLE c (n INTEGER)", ..SECOND };
            let foreign = migrate(fresh, &[FIRST, edited]);
            let is_second = matches!(foreign, Err(StoreError::Foreign { number: 2, .. }));
            assert!(is_second, "{foreign:?}");
        });
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        on_every_engine(|fresh| {
            let sql = "CREATE TABLE b (n INTEGER); SELECT nope";
            migrate(fresh, &[FIRST, Migration { name: "broken", sql }]).unwrap_err();
            migrate(fresh, &[FIRST, SECOND]).unwrap();
        });
    }

    #[test]
    fn a_migration_that_is_killed_half_way_stands_before_it() {
        on_every_engine(|fresh| {
            migrate(fresh, &[FIRST]).unwrap();
            let connection = fresh.bare();
            connection.begin_step().unwrap();
            connection.script(SECOND.sql).unwrap();
            // What the disk holds at this moment, or what the server sees when its client dies.
            let after = match fresh {
                Fresh::File(dir) => {
                    let copy = tempfile::tempdir().unwrap();
                    for entry in std::fs::read_dir(dir.path()).unwrap() {
                        let path = entry.unwrap().path();
                        let to = copy.path().join(path.file_name().unwrap());
                        std::fs::copy(&path, to).unwrap();
                    }
                    Some(Fresh::File(copy))
                }
                Fresh::Server(database) => {
                    database.superuser().run(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                         WHERE datname = current_database() AND pid <> pg_backend_pid()",
                    );
                    None
                }
            };
            migrate(after.as_ref().unwrap_or(fresh), &[FIRST, SECOND]).unwrap();
        });
    }

    #[test]
    fn gateways_that_start_together_migrate_once() {
        on_every_engine(|fresh| {
            if let Fresh::Server(_) = fresh {
                std::thread::scope(|scope| {
                    for name in ["one", "two", "three", "four"] {
                        scope.spawn(|| drop(fresh.try_open(name).unwrap()));
                    }
                });
            }
            fresh.open();
        });
    }
}
