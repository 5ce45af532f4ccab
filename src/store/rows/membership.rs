//! The rows that say who belongs to which entity; and that said so once.

use crate::base::party::{EntityId, PersonId};
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One membership, current where nothing else is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipRow {
    /// Who.
    pub person: PersonId,
    /// Of which entity.
    pub entity: EntityId,
    /// The word of the role.
    pub role: String,
    /// Since when, in milliseconds UTC.
    pub from_ms: i64,
}

// Who left and comes back within the same millisecond never left.
const INSERT: &str = "
    INSERT INTO memberships (person_id, entity_id, role, from_ms) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (person_id, entity_id, from_ms) DO UPDATE
    SET until_ms = NULL, role = excluded.role WHERE memberships.until_ms IS NOT NULL";
const END: &str = "
    UPDATE memberships SET until_ms = ?3
    WHERE person_id = ?1 AND entity_id = ?2 AND until_ms IS NULL";
const SET_ROLE: &str = "
    UPDATE memberships SET role = ?3
    WHERE person_id = ?1 AND entity_id = ?2 AND until_ms IS NULL";
const SELECT_PAST: &str = "
    SELECT person_id, entity_id, role, from_ms, until_ms FROM memberships
    WHERE person_id = ?1 AND until_ms IS NOT NULL ORDER BY from_ms, entity_id";
const SELECT_OF_PERSON: &str = "
    SELECT person_id, entity_id, role, from_ms FROM memberships
    WHERE person_id = ?1 AND until_ms IS NULL ORDER BY entity_id";
const SELECT_OF_ENTITY: &str = "
    SELECT person_id, entity_id, role, from_ms FROM memberships
    WHERE entity_id = ?1 AND until_ms IS NULL ORDER BY person_id";

const SELECT_EVER_OF_ENTITY: &str = "
    SELECT person_id, entity_id, role, from_ms, until_ms FROM memberships
    WHERE entity_id = ?1 ORDER BY person_id, from_ms";

impl Tx<'_> {
    /// Who belongs to an entity or once did, by the person's number; each with its end in
    /// milliseconds UTC, if it has ended.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn memberships_ever_of_entity(
        &self,
        entity: EntityId,
    ) -> Result<Vec<(MembershipRow, Option<i64>)>, StoreError> {
        let read = |row: &Row<'_>| Ok((membership(row)?, row.get(4)?));
        self.rows(SELECT_EVER_OF_ENTITY, values![entity], read)
    }

    /// Adds a membership that begins at `row.from_ms`.
    ///
    /// # Errors
    /// [`StoreError`] of the insert, also if the person already belongs to the entity.
    pub fn membership_insert(&self, row: &MembershipRow) -> Result<(), StoreError> {
        self.write(INSERT, values![row.person, row.entity, &row.role, row.from_ms])
    }

    /// Ends the current membership of `person` in `entity` at `until_ms`, and returns whether there
    /// was one. The row stays: what they received there is looked for when they join another
    /// entity.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn membership_end(
        &self,
        person: PersonId,
        entity: EntityId,
        until_ms: i64,
    ) -> Result<bool, StoreError> {
        Ok(self.change(END, values![person, entity, until_ms])? > 0)
    }

    /// Changes what `person` is in `entity`, to which they belong now.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn membership_set_role(
        &self,
        person: PersonId,
        entity: EntityId,
        role: &str,
    ) -> Result<(), StoreError> {
        self.write(SET_ROLE, values![person, entity, role])
    }

    /// Where a person belonged once, each with its end in milliseconds UTC.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn memberships_past(
        &self,
        person: PersonId,
    ) -> Result<Vec<(MembershipRow, i64)>, StoreError> {
        self.rows(SELECT_PAST, values![person], |row| Ok((membership(row)?, row.get(4)?)))
    }

    /// Where a person belongs now, by the entity's number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn memberships_of_person(
        &self,
        person: PersonId,
    ) -> Result<Vec<MembershipRow>, StoreError> {
        self.memberships(SELECT_OF_PERSON, person.0)
    }

    /// Who belongs to an entity now, by the person's number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn memberships_of_entity(
        &self,
        entity: EntityId,
    ) -> Result<Vec<MembershipRow>, StoreError> {
        self.memberships(SELECT_OF_ENTITY, entity.0)
    }

    fn memberships(
        &self,
        select: &'static str,
        number: i64,
    ) -> Result<Vec<MembershipRow>, StoreError> {
        self.rows(select, values![number], membership)
    }
}

fn membership(row: &Row<'_>) -> Result<MembershipRow, StoreError> {
    Ok(MembershipRow {
        person: PersonId(row.get(0)?),
        entity: EntityId(row.get(1)?),
        role: row.get(2)?,
        from_ms: row.get(3)?,
    })
}
