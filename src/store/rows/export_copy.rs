//! The copies that people have of files of exports which are no longer kept here, and what of each
//! was removed since. What is in one stands on the disk, as for a file that is kept.

use std::ops::Range;

use crate::base::gaps::{decode_ranges, encode_ranges};
use crate::base::ids::IdKind;
use crate::base::party::PersonId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// A file that somebody fetched and that is no longer kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportCopyRow {
    /// The number of the file.
    pub file: i64,
    /// Which attempt made it.
    pub attempt: u32,
    /// On which gateway.
    pub instance: Option<String>,
    /// Who fetched it.
    pub person: PersonId,
    /// Of which export it is.
    pub export: i64,
    /// Its place among the files of that export, from 1.
    pub part: u32,
    /// Of which dataset.
    pub dataset: i64,
    /// Of which release.
    pub release: String,
    /// Whether it holds Tweets or Users.
    pub kind: IdKind,
    /// Which version of the removals it was last held against.
    pub removals: i64,
    /// Which of its objects, numbered from 0, are removed.
    pub gone: Vec<Range<u64>>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT f.id, f.attempt, f.instance, f.person_id, f.export_id, f.part, ",
            "e.dataset_id, e.release_id, e.unit, f.removals, f.gone ",
            "FROM export_files f JOIN exports e ON e.id = f.export_id ",
            "JOIN people p ON p.id = f.person_id ",
            "WHERE f.fetches > 0 AND f.state NOT IN ('ready', 'fetched') ",
            "AND p.erased_ms IS NULL ",
            $rest
        )
    };
}
const SELECT: &str = select!("AND f.id = ?1");
const SELECT_BEFORE: &str = select!("AND f.removals < ?1 ORDER BY f.id");
const SELECT_HIT: &str = select!("AND length(f.gone) > 0 ORDER BY f.id");
const SELECT_NUMBERS: &str = "
    SELECT id FROM export_files
    WHERE fetches > 0 AND person_id IN (SELECT id FROM people WHERE erased_ms IS NULL)
    ORDER BY id";
const HELD_AGAINST: &str = "
    UPDATE export_files SET gone = ?2, removals = ?3
    WHERE id = ?1 AND removals < ?3 AND fetches > 0 AND state NOT IN ('ready', 'fetched')";

impl Tx<'_> {
    /// The copy of the file with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn export_copy(&self, file: i64) -> Result<Option<ExportCopyRow>, StoreError> {
        self.row(SELECT, values![file], export_copy)
    }

    /// The copies that were not held against that version of the removals.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn export_copies_unchecked(&self, removals: i64) -> Result<Vec<ExportCopyRow>, StoreError> {
        self.rows(SELECT_BEFORE, values![removals], export_copy)
    }

    /// The copies with something in them that is removed.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn export_copies_hit(&self) -> Result<Vec<ExportCopyRow>, StoreError> {
        self.rows(SELECT_HIT, values![], export_copy)
    }

    /// The numbers of all files that were fetched, kept or not, and whose person is known.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn export_files_fetched(&self) -> Result<Vec<i64>, StoreError> {
        self.rows(SELECT_NUMBERS, values![], |row| row.get(0))
    }

    /// Notes which objects of a copy are removed by that version of the removals; `false` if it was
    /// held against that version before.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn export_copy_held_against(
        &self,
        file: i64,
        gone: &[Range<u64>],
        removals: i64,
    ) -> Result<bool, StoreError> {
        let gone = encode_ranges(gone);
        Ok(self.change(HELD_AGAINST, values![file, gone.as_slice(), removals])? == 1)
    }
}

fn export_copy(row: &Row<'_>) -> Result<ExportCopyRow, StoreError> {
    let kind: String = row.get(8)?;
    let gone: Vec<u8> = row.get(10)?;
    let damaged = |what: &str| StoreError::Damaged(what.into());
    Ok(ExportCopyRow {
        file: row.get(0)?,
        attempt: row.get(1)?,
        instance: row.get(2)?,
        person: PersonId(row.get(3)?),
        export: row.get(4)?,
        part: row.get(5)?,
        dataset: row.get(6)?,
        release: row.get(7)?,
        kind: IdKind::from_word(&kind).ok_or_else(|| damaged("the unit of an export"))?,
        removals: row.get(9)?,
        gone: decode_ranges(&gone).ok_or_else(|| damaged("what is removed of a copy"))?,
    })
}
