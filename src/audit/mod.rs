//! The audit log: what a leaf is, and how one is written in the transaction of the decision that
//! it records. The rows themselves are `store`'s.
//!
//! A leaf holds row numbers, never names, mail addresses, tokens, reasons in words or lists of
//! IDs: what a person may ask to have erased stands in the tables alone. A range of an immutable
//! release stands for its IDs.

mod leaf;

pub use leaf::{AttemptName, Charge, Content, Leaf};

use crate::store::{StoreError, Tx};

/// The longest leaf in bytes: what one entry bundle of a transparency log can hold.
pub const LEAF_BYTES_MAX: usize = 65_535;

/// Writes `leaf` into the journal, in the caller's transaction, and returns its sequence number.
///
/// # Errors
/// [`StoreError`] of the insert; the caller's whole transaction is then given up.
///
/// # Panics
/// If the leaf is longer than [`LEAF_BYTES_MAX`]: leaves are small by construction.
pub fn append(tx: &Tx<'_>, now_ms: i64, leaf: &Leaf) -> Result<u64, StoreError> {
    let text = serde_json::to_string(leaf).expect("a leaf has only keys that JSON knows");
    assert!(
        text.len() <= LEAF_BYTES_MAX,
        "a leaf names ranges and numbers and never lists IDs, so it is short"
    );
    tx.journal_append(now_ms, &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::party::{Actor, EntityId};
    use crate::store::Store;

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
}
