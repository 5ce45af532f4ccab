//! The rows of those who run the gateway; what a rank may do is `operation`'s business.

use crate::base::party::PersonId;
use crate::store::value::values;
use crate::store::{StoreError, Tx};

const SELECT: &str = "SELECT rank FROM staff WHERE person_id = ?1";
const UPSERT: &str = "
    INSERT INTO staff (person_id, rank, appointed_ms, appointed_by) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (person_id) DO UPDATE
    SET rank = excluded.rank, appointed_ms = excluded.appointed_ms,
        appointed_by = excluded.appointed_by";
const DELETE: &str = "DELETE FROM staff WHERE person_id = ?1";

impl Tx<'_> {
    /// The word of the rank that `person` has; `None`: they do not run the gateway.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn staff_rank(&self, person: PersonId) -> Result<Option<String>, StoreError> {
        self.row(SELECT, values![person], |row| row.get(0))
    }

    /// Gives `person` that rank, in place of the one that they may have.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn staff_appoint(
        &self,
        person: PersonId,
        rank: &str,
        now_ms: i64,
        actor: &str,
    ) -> Result<(), StoreError> {
        self.write(UPSERT, values![person, rank, now_ms, actor])
    }

    /// Takes the rank of `person` away; whether they had one.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn staff_dismiss(&self, person: PersonId) -> Result<bool, StoreError> {
        Ok(self.change(DELETE, values![person])? > 0)
    }
}
