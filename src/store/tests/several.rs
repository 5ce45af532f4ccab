//! Several gateways that change one database, and connections that are lost in a commit: what is
//! told is what was done, and nobody decides by what is no more. Beside each the flaws that break
//! it.

use std::sync::Barrier;

use super::flawed::{self, Flaw};
use super::fresh::{Engine, Fresh};
use super::proxy::{Break, Proxy};
use crate::store::value::values;
use crate::store::{Address, Store, StoreError, Tx};

const COUNT: &str = "SELECT count(*) FROM t";
const INSERT: &str = "INSERT INTO t VALUES (?1)";

fn make_table(store: &Store) {
    store.write_blocking(|tx| tx.connection.script("CREATE TABLE t (n BIGINT)")).unwrap();
}

/// Changes whose commits lose their connection in turn before and after the server has heard of
/// them: those that were confirmed, and those that were kept.
fn confirmed_and_kept(flaw: Flaw) -> (Vec<i64>, Vec<i64>) {
    let fresh = Fresh::new(Engine::Postgres);
    let proxy = Proxy::before(fresh.database().host());
    let address = Address::parse(&proxy.url(&fresh.database().url())).unwrap();
    let store = flawed::connect(&address.for_instance("one"), flaw);
    make_table(&store);
    let mut confirmed = Vec::new();
    for n in 0..6 {
        let is_heard = n % 2 == 1;
        proxy.arm(if is_heard { Break::After("COMMIT") } else { Break::Before("COMMIT") });
        let changed = store.write_blocking(move |tx| tx.write(INSERT, values![n]));
        assert!(!proxy.is_armed(), "the commit was met");
        if changed.is_ok() {
            confirmed.push(n);
        }
    }
    let all = "SELECT n FROM t ORDER BY n";
    let kept = store.read(|tx| tx.rows(all, values![], |row| row.get(0)));
    (confirmed, kept.unwrap())
}

#[test]
fn a_commit_that_was_not_confirmed_is_told_as_what_it_was() {
    assert_eq!(confirmed_and_kept(Flaw::None), (vec![1, 3, 5], vec![1, 3, 5]));
}

#[test]
fn without_a_look_changes_are_confirmed_that_are_not_there() {
    let (confirmed, kept) = confirmed_and_kept(Flaw::UnconfirmedIsCommitted);
    assert_eq!((confirmed, kept), (vec![0, 1, 2, 3, 4, 5], vec![1, 3, 5]));
}

#[test]
fn without_a_look_changes_are_there_that_nobody_was_told_of() {
    let (confirmed, kept) = confirmed_and_kept(Flaw::UnconfirmedIsLost);
    assert_eq!((confirmed, kept), (vec![], vec![1, 3, 5]));
}

const GATEWAYS: [&str; 4] = ["one", "two", "three", "four"];
const CEILING: i64 = 20;

/// How many rows there are when several gateways have each added, as often as there may be rows,
/// one if there were fewer.
fn rows_added(flaw: Flaw) -> i64 {
    let fresh = Fresh::new(Engine::Postgres);
    let open = |name| flawed::connect(&fresh.address().for_instance(name), flaw);
    let stores = GATEWAYS.map(open);
    make_table(&stores[0]);
    let add = |tx: &Tx<'_>| -> Result<(), StoreError> {
        if tx.one::<i64>(COUNT, values![])? < CEILING {
            tx.write(INSERT, values![1_i64])
        } else {
            Ok(())
        }
    };
    let together = Barrier::new(stores.len());
    std::thread::scope(|scope| {
        for store in &stores {
            scope.spawn(|| {
                together.wait();
                for _ in 0..CEILING {
                    store.write_blocking(add).unwrap();
                }
            });
        }
    });
    stores[0].read(|tx| tx.one(COUNT, values![])).unwrap()
}

#[test]
fn gateways_that_take_turns_add_up_to_the_ceiling() {
    for _ in 0..3 {
        assert_eq!(rows_added(Flaw::None), CEILING);
    }
}

#[test]
fn gateways_that_take_no_turns_exceed() {
    // A race is not lost every time.
    assert!((0..30).any(|_| rows_added(Flaw::NoTurn) > CEILING));
}
