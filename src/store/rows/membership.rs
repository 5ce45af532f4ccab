//! The rows that say who belongs to which entity; only current ones are looked at here.

use crate::base::party::{EntityId, PersonId};
use crate::store::value::values;
use crate::store::{StoreError, Tx};

/// One current membership.
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

const INSERT: &str = "
    INSERT INTO memberships (person_id, entity_id, role, from_ms) VALUES (?1, ?2, ?3, ?4)";
const END: &str = "
    UPDATE memberships SET until_ms = ?3
    WHERE person_id = ?1 AND entity_id = ?2 AND until_ms IS NULL";
const SELECT_OF_PERSON: &str = "
    SELECT person_id, entity_id, role, from_ms FROM memberships
    WHERE person_id = ?1 AND until_ms IS NULL ORDER BY entity_id";
const SELECT_OF_ENTITY: &str = "
    SELECT person_id, entity_id, role, from_ms FROM memberships
    WHERE entity_id = ?1 AND until_ms IS NULL ORDER BY person_id";

impl Tx<'_> {
    /// Adds a membership that begins at `row.from_ms`.
    ///
    /// # Errors
    /// [`StoreError`] of the insert, also if the person already belongs to the entity.
    pub fn membership_insert(&self, row: &MembershipRow) -> Result<(), StoreError> {
        self.write(INSERT, values![row.person, row.entity, &row.role, row.from_ms])
    }

    /// Ends the current membership of `person` in `entity`, if there is one, at `until_ms`. The row
    /// stays: what they received there is looked for when they join another entity.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn membership_end(
        &self,
        person: PersonId,
        entity: EntityId,
        until_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(END, values![person, entity, until_ms])
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
        self.rows(select, values![number], |row| {
            Ok(MembershipRow {
                person: PersonId(row.get(0)?),
                entity: EntityId(row.get(1)?),
                role: row.get(2)?,
                from_ms: row.get(3)?,
            })
        })
    }
}
