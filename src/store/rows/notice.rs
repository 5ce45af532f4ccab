//! The rows of notices: what people are to be told, once each; not how it is said or sent.

use crate::base::party::PersonId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRow {
    /// Its number, never used twice.
    pub id: i64,
    /// Who is to be told.
    pub person: PersonId,
    /// The word of its kind.
    pub kind: String,
    /// What it is about, such as `exemption:7`.
    pub subject: String,
    /// From when on it is to be sent, in milliseconds UTC.
    pub due_ms: i64,
    /// When it was sent, in milliseconds UTC; `None`: it waits.
    pub done_ms: Option<i64>,
}

// A second notice of the same is none: nobody is told twice.
const INSERT: &str = "
    INSERT INTO notices (person_id, kind, subject, due_ms) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO NOTHING";
const SELECT_DUE: &str = "
    SELECT id, person_id, kind, subject, due_ms, done_ms FROM notices
    WHERE done_ms IS NULL AND due_ms <= ?1 ORDER BY due_ms, id LIMIT ?2";
const SELECT_ABOUT: &str = "
    SELECT id, person_id, kind, subject, due_ms, done_ms FROM notices
    WHERE subject = ?1 ORDER BY id";
const UPDATE_DONE: &str = "UPDATE notices SET done_ms = ?2 WHERE id = ?1 AND done_ms IS NULL";
const DELETE_WAITING: &str = "
    DELETE FROM notices WHERE kind = ?1 AND subject = ?2 AND done_ms IS NULL";
const SELECT_ENDING: &str = "
    SELECT x.id, x.person_id FROM exemptions x
    WHERE x.status = 'approved' AND x.from_ms <= ?1 AND ?1 < x.until_ms AND x.until_ms <= ?2
      AND NOT EXISTS (SELECT 1 FROM exemptions n
                      WHERE n.entity_id = x.entity_id AND n.id <> x.id AND n.status = 'approved'
                        AND n.from_ms <= x.until_ms AND n.until_ms > x.until_ms)
      AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.person_id = x.person_id AND n.kind = ?3
                        AND n.subject = 'exemption:' || CAST(x.id AS TEXT))
    ORDER BY x.id";

impl Tx<'_> {
    /// Adds a notice, unless there is one of that kind about the same for the same person.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn notice_insert(
        &self,
        person: PersonId,
        kind: &str,
        subject: &str,
        due_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(INSERT, values![person, kind, subject, due_ms])
    }

    /// The notices that are to be sent at `now_ms`, the oldest first, `rows_max` at most.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn notices_due(&self, now_ms: i64, rows_max: u32) -> Result<Vec<NoticeRow>, StoreError> {
        self.rows(SELECT_DUE, values![now_ms, rows_max], notice)
    }

    /// The notices about one thing, sent ones too.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn notices_about(&self, subject: &str) -> Result<Vec<NoticeRow>, StoreError> {
        self.rows(SELECT_ABOUT, values![subject], notice)
    }

    /// Notes that a notice was sent; returns whether it still waited.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn notice_done(&self, id: i64, now_ms: i64) -> Result<bool, StoreError> {
        Ok(self.change(UPDATE_DONE, values![id, now_ms])? == 1)
    }

    /// Takes back the notices of that kind about one thing that were not sent yet.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn notices_take_back(&self, kind: &str, subject: &str) -> Result<(), StoreError> {
        self.write(DELETE_WAITING, values![kind, subject])
    }

    /// The exemptions in force at `now_ms` that end at `until_ms` or before, that none follows,
    /// and whose applicant has no notice of that kind; each with its applicant.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn exemptions_ending(
        &self,
        now_ms: i64,
        until_ms: i64,
        kind: &str,
    ) -> Result<Vec<(i64, PersonId)>, StoreError> {
        let values = values![now_ms, until_ms, kind];
        self.rows(SELECT_ENDING, values, |row| Ok((row.get(0)?, PersonId(row.get(1)?))))
    }
}

fn notice(row: &Row<'_>) -> Result<NoticeRow, StoreError> {
    Ok(NoticeRow {
        id: row.get(0)?,
        person: PersonId(row.get(1)?),
        kind: row.get(2)?,
        subject: row.get(3)?,
        due_ms: row.get(4)?,
        done_ms: row.get(5)?,
    })
}
