//! The rows of releases; what lies in a release's folder is the room `release`'s business.

use crate::base::ids::IdKind;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One version of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRow {
    /// The ID that its content gives it, 64 hexadecimal digits; the name of its folder.
    pub id: String,
    /// When it was registered for this dataset, in milliseconds UTC.
    pub created_ms: i64,
    /// How many IDs it has of each kind, in the order of [`IdKind::ALL`]; `None`: no such column.
    counts: [Option<u64>; 3],
}

impl ReleaseRow {
    /// A release that has a column of each kind of `counts`, with so many IDs.
    pub fn new(id: String, created_ms: i64, counts: &[(IdKind, u64)]) -> ReleaseRow {
        let count_of = |kind| counts.iter().find(|count| count.0 == kind).map(|count| count.1);
        ReleaseRow { id, created_ms, counts: IdKind::ALL.map(count_of) }
    }

    /// How many IDs of `kind` it has; `None` if it has no such column.
    pub fn ids(&self, kind: IdKind) -> Option<u64> {
        self.counts[kind as usize]
    }
}

// The same content may come back later; its row is there already, and stays as it is.
const INSERT: &str = "
    INSERT INTO releases (dataset_id, id, created_ms, tweet_ids, user_ids, dm_ids)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
const SELECT: &str = "
    SELECT id, created_ms, tweet_ids, user_ids, dm_ids
    FROM releases WHERE dataset_id = ?1 AND id = ?2";
const SELECT_OF_DATASET: &str = "
    SELECT id, created_ms, tweet_ids, user_ids, dm_ids
    FROM releases WHERE dataset_id = ?1 ORDER BY created_ms DESC, id";

impl Tx<'_> {
    /// Enters a release of a dataset; nothing happens if the dataset has it already.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn release_insert(&self, dataset: i64, release: &ReleaseRow) -> Result<(), StoreError> {
        let ReleaseRow { id, created_ms, counts: [tweets, users, dms] } = release;
        let values = values![dataset, id, *created_ms, *tweets, *users, *dms];
        self.write(INSERT, values)
    }

    /// The release of that ID, if it is one of the dataset.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn release(&self, dataset: i64, id: &str) -> Result<Option<ReleaseRow>, StoreError> {
        self.row(SELECT, values![dataset, id], release_row)
    }

    /// All releases of a dataset, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn releases(&self, dataset: i64) -> Result<Vec<ReleaseRow>, StoreError> {
        self.rows(SELECT_OF_DATASET, values![dataset], release_row)
    }
}

fn release_row(row: &Row<'_>) -> Result<ReleaseRow, StoreError> {
    let counts = [row.get(2)?, row.get(3)?, row.get(4)?];
    Ok(ReleaseRow { id: row.get(0)?, created_ms: row.get(1)?, counts })
}
