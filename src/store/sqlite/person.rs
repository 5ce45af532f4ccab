//! The rows of people; where they belong stands in `membership`, what they hold in `key`.

use rusqlite::{OptionalExtension, Row};

use super::Tx;
use crate::base::party::PersonId;
use crate::store::StoreError;

/// One person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// Their number, never used twice.
    pub id: PersonId,
    /// Their mail address, normalised.
    pub mail: String,
    /// Their name.
    pub name: String,
    /// The word of their status.
    pub status: String,
    /// Why they have that status, in an operator's words.
    pub status_reason: Option<String>,
    /// When they were entered, in milliseconds UTC.
    pub created_ms: i64,
}

const INSERT: &str = "
    INSERT INTO people (mail, name, status, status_reason, created_ms)
    VALUES (?1, ?2, ?3, ?4, ?5)";
const SELECT_BY_MAIL: &str = "
    SELECT id, mail, name, status, status_reason, created_ms FROM people WHERE mail = ?1";
const SELECT_BY_ID: &str = "
    SELECT id, mail, name, status, status_reason, created_ms FROM people WHERE id = ?1";
const SELECT_ALL: &str = "
    SELECT id, mail, name, status, status_reason, created_ms FROM people ORDER BY mail";
const UPDATE_STATUS: &str = "UPDATE people SET status = ?2, status_reason = ?3 WHERE id = ?1";

impl Tx<'_> {
    /// Adds a person and returns their number; `row.id` is not looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert, also if the address is taken.
    pub fn person_insert(&self, row: &PersonRow) -> Result<PersonId, StoreError> {
        let mut statement = self.connection.prepare_cached(INSERT)?;
        let values = (&row.mail, &row.name, &row.status, &row.status_reason, row.created_ms);
        Ok(PersonId(statement.insert(values)?))
    }

    /// The person with that normalised mail address.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn person_by_mail(&self, mail: &str) -> Result<Option<PersonRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(SELECT_BY_MAIL)?;
        Ok(statement.query_row([mail], person).optional()?)
    }

    /// The person with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn person_by_id(&self, id: PersonId) -> Result<Option<PersonRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(SELECT_BY_ID)?;
        Ok(statement.query_row([id.0], person).optional()?)
    }

    /// All people, by mail address.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn people(&self) -> Result<Vec<PersonRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(SELECT_ALL)?;
        let rows = statement.query_map([], person)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Gives a person another status.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn person_set_status(
        &self,
        id: PersonId,
        status: &str,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let changed =
            self.connection.prepare_cached(UPDATE_STATUS)?.execute((id.0, status, reason))?;
        assert_eq!(changed, 1, "the person was found in this very transaction");
        Ok(())
    }
}

fn person(row: &Row<'_>) -> rusqlite::Result<PersonRow> {
    Ok(PersonRow {
        id: PersonId(row.get(0)?),
        mail: row.get(1)?,
        name: row.get(2)?,
        status: row.get(3)?,
        status_reason: row.get(4)?,
        created_ms: row.get(5)?,
    })
}
