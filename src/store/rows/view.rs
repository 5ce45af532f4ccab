//! The rows of views: which lines of a release are left out, and how that changed; why they are is
//! not known here. Also who was sent which lines, as far as that is compared with it.

use crate::base::delivery::DeliveryId;
use crate::base::gaps::{Gaps, decode_ranges, encode_ranges};
use crate::base::ids::IdKind;
use crate::base::party::{PersonId, ShareId};
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};
use std::ops::Range;

/// How a view changed. Ranges are of ordinals, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewChangeRow {
    /// With which version of the removals.
    pub version: i64,
    /// Of which release.
    pub release: String,
    /// Of which of its columns.
    pub kind: IdKind,
    /// When, in milliseconds UTC.
    pub at_ms: i64,
    /// What is left out since then.
    pub removed: Vec<Range<u64>>,
    /// What is no longer left out.
    pub restored: Vec<Range<u64>>,
}

/// What somebody was sent of a release, or what went out by a link of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRow {
    /// In which delivery.
    pub delivery: DeliveryId,
    /// To whom, or who made the link; `None`: they were erased, or it is too long ago.
    pub person: Option<PersonId>,
    /// Of which dataset.
    pub dataset: Option<i64>,
    /// Which version of the view it was of.
    pub view_version: i64,
    /// The first ordinal that was asked for.
    pub first: u64,
    /// The first ordinal after those that were asked for.
    pub end: u64,
    /// How many IDs went out, at most.
    pub ids: u64,
    /// By which peer-review link.
    pub link: Option<ShareId>,
}

/// For how many changes of a view it is known what was left out before.
const CHANGES_KEPT: u32 = 16;

const SELECT_VERSION: &str =
    "SELECT version FROM release_views WHERE release_id = ?1 AND unit = ?2";
const SELECT_REMOVED: &str =
    "SELECT removed_ids FROM release_views WHERE release_id = ?1 AND unit = ?2";
const SELECT: &str = "SELECT version, gaps FROM release_views WHERE release_id = ?1 AND unit = ?2";
const UPSERT: &str = "
    INSERT INTO release_views (release_id, unit, version, removed_ids, gaps)
    VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (release_id, unit)
    DO UPDATE SET version = excluded.version, removed_ids = excluded.removed_ids,
        gaps = excluded.gaps";
const INSERT_CHANGE: &str = "
    INSERT INTO removal_changes
        (version, release_id, unit, at_ms, removed_ids, restored_ids, removed, restored, before)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const FORGET_BEFORE: &str = "
    UPDATE removal_changes SET before = NULL
    WHERE release_id = ?1 AND unit = ?2 AND before IS NOT NULL AND version NOT IN
        (SELECT version FROM removal_changes WHERE release_id = ?1 AND unit = ?2
         ORDER BY version DESC LIMIT ?3)";
const SELECT_BEFORE: &str = "
    SELECT before FROM removal_changes
    WHERE release_id = ?1 AND unit = ?2 AND version > ?3 ORDER BY version LIMIT 1";
macro_rules! select_changes {
    ($rest:literal) => {
        concat!(
            "SELECT version, release_id, unit, at_ms, removed, restored FROM removal_changes ",
            $rest
        )
    };
}
const SELECT_CHANGES_OF: &str =
    select_changes!("WHERE release_id = ?1 AND unit = ?2 AND version <= ?3 ORDER BY version");
const SELECT_CHANGES_AFTER: &str =
    select_changes!("WHERE version > ?1 AND version <= ?2 ORDER BY version, release_id, unit");
const SELECT_WITH_GAPS: &str = "
    SELECT release_id, unit, version FROM release_views WHERE removed_ids > 0
    ORDER BY release_id, unit";
const SELECT_RELEASE_IDS: &str = "SELECT DISTINCT id FROM releases ORDER BY id";
const IS_KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM releases WHERE id = ?1)";
const SELECT_DATASETS: &str = "
    SELECT d.slug FROM datasets d JOIN releases r ON r.dataset_id = d.id
    WHERE r.id = ?1 ORDER BY d.slug";
// Two looks in one: what was asked for with a key or in a session is somebody's own, what went out
// by a link is its maker's, whom alone anybody knows.
macro_rules! select_sent {
    ($to_person:literal, $by_person:literal) => {
        concat!(
            "SELECT d.id, d.person_id, d.dataset_id, d.view_version, d.first_ordinal, ",
            "coalesce(d.end_ordinal, d.first_ordinal), d.granted_ids - d.released_ids, ",
            "CAST(NULL AS BIGINT) FROM deliveries d ",
            "WHERE d.download_id IS NULL AND d.release_id = ?1 AND d.unit = ?2 ",
            "AND d.view_version < ?3 AND d.granted_ids > d.released_ids ",
            $to_person,
            " UNION ALL ",
            "SELECT d.id, s.person_id, d.dataset_id, d.view_version, d.first_ordinal, ",
            "coalesce(d.end_ordinal, d.first_ordinal), d.granted_ids - d.released_ids, s.id ",
            "FROM shares s JOIN share_downloads b ON b.share_id = s.id ",
            "JOIN deliveries d ON d.download_id = b.id ",
            "WHERE d.release_id = ?1 AND d.unit = ?2 ",
            "AND d.view_version < ?3 AND d.granted_ids > d.released_ids ",
            $by_person,
            " ORDER BY 1"
        )
    };
}
const SELECT_SENT: &str = select_sent!("", "");
const SELECT_SENT_TO: &str = select_sent!("AND d.person_id = ?4", "AND s.person_id = ?4");

impl Tx<'_> {
    /// With which version the present view of a column came into force; 0: nothing of it was ever
    /// left out.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn view_version(&self, release: &str, kind: IdKind) -> Result<i64, StoreError> {
        let found = self.row(SELECT_VERSION, values![release, kind.word()], |row| row.get(0))?;
        Ok(found.unwrap_or(0))
    }

    /// How many IDs are left out of a column at present.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn view_removed_ids(&self, release: &str, kind: IdKind) -> Result<u64, StoreError> {
        let found = self.row(SELECT_REMOVED, values![release, kind.word()], |row| row.get(0))?;
        Ok(found.unwrap_or(0))
    }

    /// What is left out of a column at present.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn view(&self, release: &str, kind: IdKind) -> Result<Option<Gaps>, StoreError> {
        let found = self.row(SELECT, values![release, kind.word()], |row| {
            Ok((row.get::<i64>(0)?, row.get::<Vec<u8>>(1)?))
        })?;
        let damaged = || StoreError::Damaged(format!("the gaps of release {release}").into());
        found.map(|(version, gaps)| Gaps::decode(version, &gaps).ok_or_else(damaged)).transpose()
    }

    /// Puts a view of a column in force.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn view_set(&self, release: &str, kind: IdKind, gaps: &Gaps) -> Result<(), StoreError> {
        let encoded = gaps.encode();
        let values = values![release, kind.word(), gaps.version(), gaps.ids(), encoded.as_slice()];
        self.write(UPSERT, values)
    }

    /// Notes how a view changed, and what was left out before; that of the oldest changes is
    /// forgotten.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn view_change_insert(&self, row: &ViewChangeRow, before: &Gaps) -> Result<(), StoreError> {
        let before = before.encode();
        let ids = |ranges: &[Range<u64>]| ranges.iter().map(|r| r.end - r.start).sum::<u64>();
        let (removed, restored) = (encode_ranges(&row.removed), encode_ranges(&row.restored));
        self.write(
            INSERT_CHANGE,
            values![
                row.version,
                &row.release,
                row.kind.word(),
                row.at_ms,
                ids(&row.removed),
                ids(&row.restored),
                removed.as_slice(),
                restored.as_slice(),
                before.as_slice()
            ],
        )?;
        self.write(FORGET_BEFORE, values![&row.release, row.kind.word(), CHANGES_KEPT])
    }

    /// What was left out of a column when its view had that version, if it has changed since then
    /// and that was not too long ago.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn view_then(
        &self,
        release: &str,
        kind: IdKind,
        version: i64,
    ) -> Result<Option<Gaps>, StoreError> {
        let before = self.row(SELECT_BEFORE, values![release, kind.word(), version], |row| {
            row.get::<Option<Vec<u8>>>(0)
        })?;
        let damaged = || StoreError::Damaged(format!("the gaps of release {release}").into());
        let decode = |gaps: Vec<u8>| Gaps::decode(version, &gaps).ok_or_else(damaged);
        before.flatten().map(decode).transpose()
    }

    /// How the view of a column changed up to `version`, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn view_changes_of(
        &self,
        release: &str,
        kind: IdKind,
        version: i64,
    ) -> Result<Vec<ViewChangeRow>, StoreError> {
        self.rows(SELECT_CHANGES_OF, values![release, kind.word(), version], change)
    }

    /// How views changed after version `after` and up to `until`, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn view_changes_after(
        &self,
        after: i64,
        until: i64,
    ) -> Result<Vec<ViewChangeRow>, StoreError> {
        self.rows(SELECT_CHANGES_AFTER, values![after, until], change)
    }

    /// The columns of which something is left out, each with the version of its view.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn views_with_gaps(&self) -> Result<Vec<(String, IdKind, i64)>, StoreError> {
        self.rows(SELECT_WITH_GAPS, values![], |row| {
            let kind: String = row.get(1)?;
            let kind = IdKind::from_word(&kind);
            let kind = kind.ok_or_else(|| StoreError::Damaged("the kind of a view".into()))?;
            Ok((row.get(0)?, kind, row.get(2)?))
        })
    }

    /// The IDs of all releases of all datasets, each once, ascending.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn release_ids(&self) -> Result<Vec<String>, StoreError> {
        self.rows(SELECT_RELEASE_IDS, values![], |row| row.get(0))
    }

    /// Whether any dataset has that release.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn release_is_known(&self, release: &str) -> Result<bool, StoreError> {
        self.one(IS_KNOWN, values![release])
    }

    /// The slugs of the datasets that have that release.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn release_datasets(&self, release: &str) -> Result<Vec<String>, StoreError> {
        self.rows(SELECT_DATASETS, values![release], |row| row.get(0))
    }

    /// What was sent of a column while its view was older than `version`, to anybody or to one.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn sent_before(
        &self,
        release: &str,
        kind: IdKind,
        version: i64,
        person: Option<PersonId>,
    ) -> Result<Vec<SentRow>, StoreError> {
        match person {
            None => self.rows(SELECT_SENT, values![release, kind.word(), version], sent),
            Some(person) => {
                self.rows(SELECT_SENT_TO, values![release, kind.word(), version, person], sent)
            }
        }
    }
}

fn change(row: &Row<'_>) -> Result<ViewChangeRow, StoreError> {
    let ranges = |column| {
        let damaged = || StoreError::Damaged("the ordinals of a change".into());
        decode_ranges(&row.get::<Vec<u8>>(column)?).ok_or_else(damaged)
    };
    let kind: String = row.get(2)?;
    let kind = IdKind::from_word(&kind);
    Ok(ViewChangeRow {
        version: row.get(0)?,
        release: row.get(1)?,
        kind: kind.ok_or_else(|| StoreError::Damaged("the kind of a change".into()))?,
        at_ms: row.get(3)?,
        removed: ranges(4)?,
        restored: ranges(5)?,
    })
}

fn sent(row: &Row<'_>) -> Result<SentRow, StoreError> {
    let id: [u8; 16] = row.get(0)?;
    Ok(SentRow {
        delivery: DeliveryId::from_bytes(id),
        person: row.get::<Option<i64>>(1)?.map(PersonId),
        dataset: row.get(2)?,
        view_version: row.get(3)?,
        first: row.get(4)?,
        end: row.get(5)?,
        ids: row.get(6)?,
        link: row.get::<Option<i64>>(7)?.map(ShareId),
    })
}
