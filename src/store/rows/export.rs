//! The rows of exports: what somebody asked to have as files. The files stand in `export_file`.

use crate::base::ids::IdKind;
use crate::base::party::PersonId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// What somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRow {
    /// Its number.
    pub id: i64,
    /// Who asked.
    pub person: PersonId,
    /// Of which dataset.
    pub dataset: i64,
    /// Of which of its releases.
    pub release: String,
    /// Tweets or Users.
    pub kind: IdKind,
    /// What of it, as JSON.
    pub selection: String,
    /// In which format, by its word.
    pub format: String,
    /// How many those may be.
    pub ids: u64,
    /// When, in milliseconds UTC.
    pub asked_ms: i64,
}

const INSERT: &str = "
    INSERT INTO exports
        (person_id, dataset_id, release_id, unit, selection, format, ids, asked_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    RETURNING id";
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, person_id, dataset_id, release_id, unit, selection, format, ids, ",
            "asked_ms FROM exports ",
            $rest
        )
    };
}
const SELECT: &str = select!("WHERE id = ?1");
const SELECT_NEWEST: &str = select!("ORDER BY id DESC LIMIT ?1");
const SELECT_OF_PERSON: &str = select!("WHERE person_id = ?1 ORDER BY id DESC LIMIT ?2");

const FORGET: &str = "UPDATE exports SET selection = '{}' WHERE person_id = ?1";

impl Tx<'_> {
    /// Forgets what a person selected.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn exports_forget_of(&self, person: PersonId) -> Result<(), StoreError> {
        self.write(FORGET, values![person])
    }

    /// Adds what somebody asked for and returns its number; `row.id` is not looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn export_insert(&self, row: &ExportRow) -> Result<i64, StoreError> {
        self.one(
            INSERT,
            values![
                row.person,
                row.dataset,
                &row.release,
                row.kind.word(),
                &row.selection,
                &row.format,
                row.ids,
                row.asked_ms
            ],
        )
    }

    /// The export with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn export(&self, id: i64) -> Result<Option<ExportRow>, StoreError> {
        self.row(SELECT, values![id], export)
    }

    /// At most `rows_max` exports, or those of one person, newest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn exports(
        &self,
        person: Option<PersonId>,
        rows_max: u32,
    ) -> Result<Vec<ExportRow>, StoreError> {
        match person {
            Some(person) => self.rows(SELECT_OF_PERSON, values![person, rows_max], export),
            None => self.rows(SELECT_NEWEST, values![rows_max], export),
        }
    }
}

fn export(row: &Row<'_>) -> Result<ExportRow, StoreError> {
    let kind: String = row.get(4)?;
    let kind = IdKind::from_word(&kind);
    Ok(ExportRow {
        id: row.get(0)?,
        person: PersonId(row.get(1)?),
        dataset: row.get(2)?,
        release: row.get(3)?,
        kind: kind.ok_or_else(|| StoreError::Damaged("the unit of an export".into()))?,
        selection: row.get(5)?,
        format: row.get(6)?,
        ids: row.get(7)?,
        asked_ms: row.get(8)?,
    })
}
