//! The rows of people; where they belong stands in `membership`, what they hold in `key`.

use crate::base::commitment::{Commitment, PartyKind, Salt};
use crate::base::party::PersonId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

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
    /// When they were erased, in milliseconds UTC.
    pub erased_ms: Option<i64>,
}

const INSERT: &str = "
    INSERT INTO people (mail, name, status, status_reason, created_ms, salt, commitment)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    RETURNING id";
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, mail, name, status, status_reason, created_ms, erased_ms FROM people ",
            $rest
        )
    };
}
const SELECT_BY_MAIL: &str = select!("WHERE mail = ?1");
const SELECT_BY_ID: &str = select!("WHERE id = ?1");
const SELECT_ALL: &str = select!("ORDER BY mail");
const SELECT_ERASED: &str = select!("WHERE erased_ms < ?1 ORDER BY id");
const UPDATE_STATUS: &str = "UPDATE people SET status = ?2, status_reason = ?3 WHERE id = ?1";
const UPDATE: &str = "
    UPDATE people SET mail = ?2, name = ?3, status = ?4, status_reason = ?5, erased_ms = ?6
    WHERE id = ?1";
const RENAME: &str = "UPDATE people SET salt = ?2, commitment = ?3 WHERE id = ?1";

impl Tx<'_> {
    /// Adds a person with a new salt, and returns their number; `row.id` is not looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert, also if the address is taken.
    pub fn person_insert(&self, row: &PersonRow) -> Result<PersonId, StoreError> {
        let salt = Salt::generate();
        let commitment = Commitment::to(PartyKind::Person, &salt, &row.mail);
        let values = values![
            &row.mail,
            &row.name,
            &row.status,
            &row.status_reason,
            row.created_ms,
            &salt.0,
            &commitment.0
        ];
        self.one(INSERT, values).map(PersonId)
    }

    /// The person with that normalised mail address.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn person_by_mail(&self, mail: &str) -> Result<Option<PersonRow>, StoreError> {
        self.row(SELECT_BY_MAIL, values![mail], person)
    }

    /// The person with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn person_by_id(&self, id: PersonId) -> Result<Option<PersonRow>, StoreError> {
        self.row(SELECT_BY_ID, values![id], person)
    }

    /// All people, by mail address.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn people(&self) -> Result<Vec<PersonRow>, StoreError> {
        self.rows(SELECT_ALL, values![], person)
    }

    /// The people who were erased before `before_ms`, by number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn people_erased(&self, before_ms: i64) -> Result<Vec<PersonRow>, StoreError> {
        self.rows(SELECT_ERASED, values![before_ms], person)
    }

    /// Writes what may change of a person: everything but their number, date and commitment.
    ///
    /// # Errors
    /// [`StoreError`] of the update, also if the address is taken.
    pub fn person_update(&self, row: &PersonRow) -> Result<(), StoreError> {
        let values =
            values![row.id, &row.mail, &row.name, &row.status, &row.status_reason, row.erased_ms];
        let changed = self.change(UPDATE, values)?;
        assert_eq!(changed, 1, "the person was found in this very transaction");
        Ok(())
    }

    /// Names a person in the audit log anew, from their address in `row`.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn person_commit_anew(&self, row: &PersonRow) -> Result<(), StoreError> {
        let salt = Salt::generate();
        let commitment = Commitment::to(PartyKind::Person, &salt, &row.mail);
        self.write(RENAME, values![row.id, &salt.0, &commitment.0])
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
        let changed = self.change(UPDATE_STATUS, values![id, status, reason])?;
        assert_eq!(changed, 1, "the person was found in this very transaction");
        Ok(())
    }
}

fn person(row: &Row<'_>) -> Result<PersonRow, StoreError> {
    Ok(PersonRow {
        id: PersonId(row.get(0)?),
        mail: row.get(1)?,
        name: row.get(2)?,
        status: row.get(3)?,
        status_reason: row.get(4)?,
        created_ms: row.get(5)?,
        erased_ms: row.get(6)?,
    })
}
