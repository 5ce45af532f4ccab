//! The rows of letters that are to go out by mail; none holds a secret.

use crate::base::party::PersonId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One letter that has not gone out yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterRow {
    /// Its number, never used twice.
    pub id: i64,
    /// The address that it goes to.
    pub mail: String,
    /// The word of what it says.
    pub kind: String,
    /// Whom it is about.
    pub person: Option<PersonId>,
    /// The registration that it is about.
    pub registration: Option<i64>,
    /// The subject of a notice.
    pub subject: Option<String>,
    /// The text of a notice.
    pub text: Option<String>,
    /// When it was written, in milliseconds UTC.
    pub created_ms: i64,
    /// Not to be tried before, in milliseconds UTC.
    pub due_ms: i64,
    /// Not to be tried from here on, in milliseconds UTC.
    pub expires_ms: i64,
    /// How often it was tried.
    pub attempts: u32,
}

const INSERT: &str = "
    INSERT INTO letters (mail, kind, person_id, registration_id, subject, text, created_ms, due_ms,
                         expires_ms, attempts)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)
    RETURNING id";
const COUNT: &str = "SELECT count(*) FROM letters";
const COUNT_SINCE: &str = "
    SELECT count(*) FROM letters WHERE mail = ?1 AND created_ms > ?2 AND attempts = 0";
const SELECT_DUE: &str = "
    SELECT id, mail, kind, person_id, registration_id, subject, text, created_ms, due_ms,
           expires_ms, attempts
    FROM letters WHERE due_ms <= ?1 ORDER BY due_ms, id LIMIT 1";
const UPDATE_TRIED: &str = "UPDATE letters SET attempts = ?2, due_ms = ?3 WHERE id = ?1";
const DELETE_EXPIRED: &str = "DELETE FROM letters WHERE expires_ms <= ?1";
const DELETE: &str = "DELETE FROM letters WHERE id = ?1";

impl Tx<'_> {
    /// Adds a letter and returns its number; `row.id` and `row.attempts` are not looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn letter_insert(&self, row: &LetterRow) -> Result<i64, StoreError> {
        let values = values![
            &row.mail,
            &row.kind,
            row.person,
            row.registration,
            &row.subject,
            &row.text,
            row.created_ms,
            row.due_ms,
            row.expires_ms
        ];
        self.one(INSERT, values)
    }

    /// How many letters wait.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn letters_waiting(&self) -> Result<u64, StoreError> {
        self.one(COUNT, values![])
    }

    /// How many letters to `mail` wait that were written after that instant and never tried.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn letters_waiting_for(&self, mail: &str, since_ms: i64) -> Result<u64, StoreError> {
        self.one(COUNT_SINCE, values![mail, since_ms])
    }

    /// The letter that has been due longest at `now_ms`.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn letter_due(&self, now_ms: i64) -> Result<Option<LetterRow>, StoreError> {
        self.row(SELECT_DUE, values![now_ms], letter)
    }

    /// Notes that a letter is tried for that time, and when it is due again if it fails.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn letter_set_tried(&self, id: i64, attempts: u32, due_ms: i64) -> Result<(), StoreError> {
        self.write(UPDATE_TRIED, values![id, attempts, due_ms])
    }

    /// Removes the letters that are not to be sent any more.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn letters_remove_expired(&self, now_ms: i64) -> Result<(), StoreError> {
        self.write(DELETE_EXPIRED, values![now_ms])
    }

    /// Removes a letter.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn letter_remove(&self, id: i64) -> Result<(), StoreError> {
        self.write(DELETE, values![id])
    }
}

fn letter(row: &Row<'_>) -> Result<LetterRow, StoreError> {
    Ok(LetterRow {
        id: row.get(0)?,
        mail: row.get(1)?,
        kind: row.get(2)?,
        person: row.get::<Option<i64>>(3)?.map(PersonId),
        registration: row.get(4)?,
        subject: row.get(5)?,
        text: row.get(6)?,
        created_ms: row.get(7)?,
        due_ms: row.get(8)?,
        expires_ms: row.get(9)?,
        attempts: row.get(10)?,
    })
}
