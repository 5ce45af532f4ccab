//! Leaves in the transactions of what they record.

use crate::audit::{Leaf, append};
use crate::base::party::{Actor, EntityId};
use crate::store::{Store, StoreError};

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("test.sqlite")).unwrap();
    (dir, store)
}

fn leaf(entity: i64) -> Leaf {
    Leaf::EntityAdded { entity: EntityId(entity), actor: Actor::Local("ada".into()) }
}

#[test]
fn leaves_are_numbered_without_gaps_even_when_a_decision_is_undone() {
    let (_dir, store) = store();
    for expected in [1, 2] {
        let sequence = store.write_blocking(move |tx| append(tx, 5, &leaf(7))).unwrap();
        assert_eq!(sequence, expected);
        store
            .write_blocking(|tx| -> Result<(), StoreError> {
                append(tx, 6, &leaf(8))?;
                Err(StoreError::Full)
            })
            .unwrap_err();
    }
    let rows = store.read(|tx| tx.journal_from(1, 10)).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1].at_ms, 5);
    assert_eq!(rows[1].leaf, r#"{"leaf":"entity-added","entity":7,"actor":"local:ada"}"#);
}
