//! Groups of changes and looks beside them: what undoes what, and who sees what.

use super::fresh::on_every_engine;
use crate::store::value::values;
use crate::store::{Store, StoreError, Tx};

/// A store with one more table, of numbers that are not given twice.
fn check(test: impl Fn(&Store)) {
    on_every_engine(|fresh| {
        let store = fresh.open();
        store
            .write_blocking(|tx| tx.connection.script("CREATE TABLE t (n BIGINT UNIQUE)"))
            .unwrap();
        test(&store);
    });
}

fn insert(tx: &Tx<'_>, n: i64) -> Result<(), StoreError> {
    tx.change("INSERT INTO t VALUES (?1)", values![n]).map(drop)
}

fn count(tx: &Tx<'_>) -> Result<i64, StoreError> {
    tx.one("SELECT count(*) FROM t", values![])
}

#[test]
fn a_failing_change_undoes_itself_and_nothing_of_its_group() {
    check(|store| {
        let waiting: Vec<_> = (0..100)
            .map(|n| {
                store.write(move |tx| {
                    insert(tx, n)?;
                    // Every third one breaks the uniqueness of its own row.
                    if n % 3 == 0 { insert(tx, n) } else { Ok(()) }
                })
            })
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let results = waiting.into_iter().map(|change| runtime.block_on(change));
        let kept = results.filter(|result: &Result<(), StoreError>| result.is_ok()).count();
        assert_eq!(kept, 66);
        assert_eq!(store.read(count).unwrap(), 66);
    });
}

#[test]
fn after_a_panic_nothing_is_confirmed_any_more() {
    check(|store| {
        let broken = store.write_blocking(|_| -> Result<(), StoreError> { panic!("a bug") });
        assert!(matches!(broken, Err(StoreError::Stopped)), "{broken:?}");
        let later = store.write_blocking(|tx| insert(tx, 1));
        assert!(matches!(later, Err(StoreError::Stopped)), "{later:?}");
        assert_eq!(store.read(count).unwrap(), 0);
    });
}

#[test]
fn a_look_cannot_change_anything() {
    check(|store| {
        let refused = store.read(|tx| insert(tx, 1));
        assert!(matches!(refused, Err(StoreError::Database(_))), "{refused:?}");
        assert_eq!(store.read(count).unwrap(), 0);
    });
}

#[test]
fn a_look_sees_one_moment_whatever_is_committed_meanwhile() {
    check(|store| {
        let (before, after) = store
            .read(|tx| -> Result<_, StoreError> {
                let before = count(tx)?;
                store.write_blocking(|tx| insert(tx, 1))?;
                Ok((before, count(tx)?))
            })
            .unwrap();
        assert_eq!((before, after), (0, 0));
        assert_eq!(store.read(count).unwrap(), 1);
    });
}

#[test]
fn a_work_that_did_not_wait_for_its_last_statement_fails_by_itself() {
    check(|store| {
        let add = |numbers: [i64; 2]| {
            store.write(move |tx| -> Result<(), StoreError> {
                numbers.iter().try_for_each(|&n| tx.write("INSERT INTO t VALUES (?1)", values![n]))
            })
        };
        // The second one's last statement is refused, and nobody has waited for it.
        let changes = [add([1, 2]), add([3, 1]), add([5, 6])];
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let [first, second, third] = changes.map(|change| runtime.block_on(change));
        assert!(first.is_ok() && third.is_ok(), "{first:?} {third:?}");
        assert!(matches!(second, Err(StoreError::Database(_))), "{second:?}");
        let all = "SELECT n FROM t ORDER BY n";
        let kept = store.read(|tx| tx.rows(all, values![], |row| row.get::<i64>(0))).unwrap();
        assert_eq!(kept, [1, 2, 5, 6]);
    });
}

#[test]
fn what_was_not_waited_for_is_seen_by_the_next_statement() {
    check(|store| {
        let seen = store.write_blocking(|tx| {
            tx.write("INSERT INTO t VALUES (?1)", values![7_i64])?;
            count(tx)
        });
        assert_eq!(seen.unwrap(), 1);
    });
}

#[test]
fn a_number_that_no_column_holds_is_refused() {
    check(|store| {
        let large = u64::MAX;
        for n in [large, large - 1] {
            let insert = "INSERT INTO t VALUES (?1)";
            let refused = store.write_blocking(move |tx| tx.write(insert, values![n]));
            assert!(matches!(refused, Err(StoreError::Database(_))), "{refused:?}");
        }
        assert_eq!(store.read(count).unwrap(), 0);
    });
}
