//! Several connections to one database server: names, lost sessions, and what a server must be.

use super::fresh::{Engine, Fresh};
use crate::store::value::values;
use crate::store::{Address, Store, StoreError};

fn postgres() -> Fresh {
    Fresh::new(Engine::Postgres)
}

fn refused(address: &Address) -> String {
    match Store::connect(address) {
        Err(StoreError::Unfit(text)) => text.to_string(),
        other => panic!("{:?}", other.map(drop)),
    }
}

#[test]
fn a_name_is_one_gateways_until_it_is_gone() {
    let fresh = postgres();
    let first = fresh.open();
    assert!(refused(&fresh.address().for_instance("one")).contains("a gateway named one"));
    let other = fresh.try_open("two").unwrap();
    let alive = |name: &'static str| {
        other.read(|tx| tx.instance_is_alive(name)).unwrap().expect("a server can tell")
    };
    assert!(alive("one") && alive("two") && !alive("three"));
    drop(first);
    fresh.open();
}

#[test]
fn a_name_that_was_lost_is_taken_again() {
    let fresh = postgres();
    let store = fresh.open();
    let sessions = "
        SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for _ in 0..3 {
        fresh.database().superuser().run(sessions);
        store.write_blocking(|tx| tx.journal_append(1, "{}", None)).unwrap();
        store.read(|tx| tx.journal_from(1, 1)).unwrap();
        assert!(refused(&fresh.address().for_instance("one")).contains("a gateway named one"));
    }
}

/// The statement that ends a lost session at the server failed, and took the new one with it: from
/// the first loss on the name changed hands with every change, and others could get between.
#[test]
fn a_name_that_was_taken_again_stays_with_its_session() {
    let fresh = postgres();
    let store = fresh.open();
    let superuser = fresh.database().superuser();
    let others = "FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    superuser.run(&format!("SELECT pg_terminate_backend(pid, 60000) {others}"));
    let sessions = || {
        store.write_blocking(|tx| tx.journal_append(1, "{}", None)).unwrap();
        superuser.rows(&format!("SELECT pid {others} ORDER BY pid"))
    };
    let taken_again = sessions();
    assert_eq!(taken_again.len(), 2, "one that changes, and one that has the name");
    for _ in 0..3 {
        assert_eq!(sessions(), taken_again);
    }
}

#[test]
fn a_session_that_is_ended_in_the_middle_of_a_change_takes_the_change_with_it() {
    let fresh = postgres();
    let store = fresh.open();
    let superuser = fresh.database().superuser();
    let changed = store.write_blocking(move |tx| {
        tx.journal_append(1, "{}", None)?;
        superuser.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND state = 'idle in transaction'",
        );
        tx.journal_append(2, "{}", None)
    });
    assert!(matches!(changed, Err(StoreError::Unreachable(_))), "{changed:?}");
    store.write_blocking(|tx| tx.journal_append(3, "{}", None)).unwrap();
    let rows = store.read(|tx| tx.journal_from(1, 9)).unwrap();
    assert_eq!(rows.iter().map(|row| (row.sequence, row.at_ms)).collect::<Vec<_>>(), [(1, 3)]);
}

#[test]
fn a_server_whose_commits_may_be_lost_is_refused() {
    let fresh = postgres();
    let url = fresh.database().url();
    let off = format!("{url}?options=-c%20synchronous_commit%3Doff");
    assert!(refused(&Address::parse(&off).unwrap()).contains("synchronous_commit is off"));
    let read_only = format!("{url}?options=-c%20default_transaction_read_only%3Don");
    assert!(refused(&Address::parse(&read_only).unwrap()).contains("read_only is on"));
    let role = fresh.database().role();
    for setting in ["synchronous_commit = local", "synchronous_commit = off"] {
        fresh.database().admin().run(&format!("ALTER ROLE {role} SET {setting}"));
        assert!(refused(&fresh.address()).contains("synchronous_commit is"), "{setting}");
    }
    fresh.database().admin().run(&format!("ALTER ROLE {role} RESET ALL"));
    Store::connect(&fresh.address()).unwrap();
}

#[test]
fn whatever_a_role_is_set_to_a_change_sees_what_was_committed_before_it() {
    let fresh = postgres();
    let role = fresh.database().role();
    let set = "SET default_transaction_isolation = 'serializable'";
    fresh.database().admin().run(&format!("ALTER ROLE {role} {set}"));
    let store = fresh.open();
    let isolation = |tx: &crate::store::Tx<'_>| -> Result<String, StoreError> {
        tx.one("SELECT current_setting('transaction_isolation')", values![])
    };
    assert_eq!(store.write_blocking(isolation).unwrap(), "read committed");
    assert_eq!(store.read(isolation).unwrap(), "repeatable read");
}
