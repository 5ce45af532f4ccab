//! Leaves in the transactions of what they record.

use crate::audit::{ActorName, Leaf, append};
use crate::base::commitment::Commitment;
use crate::store::{Store, StoreError};

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("test.sqlite")).unwrap();
    (dir, store)
}

fn leaf(entity: u8) -> Leaf {
    let entity = Commitment([entity; 32]);
    Leaf::EntityAdded { entity, actor: ActorName::Local("ada".into()) }
}

#[test]
fn leaves_are_numbered_without_gaps_even_when_a_decision_is_undone() {
    let (_dir, store) = store();
    for _ in 0..2 {
        store.write_blocking(move |tx| append(tx, 5, &leaf(7))).unwrap();
        store
            .write_blocking(|tx| -> Result<(), StoreError> {
                append(tx, 6, &leaf(8))?;
                Err(StoreError::Full)
            })
            .unwrap_err();
    }
    let rows = store.read(|tx| tx.journal_from(1, 10)).unwrap();
    assert_eq!(rows.iter().map(|row| row.sequence).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(rows[1].at_ms, 5);
    let expected = format!(
        r#"{{"at_ms":5,"leaf":"entity-added","entity":"{}","actor":"local:ada"}}"#,
        "07".repeat(32)
    );
    assert_eq!(rows[1].leaf, expected);
}
