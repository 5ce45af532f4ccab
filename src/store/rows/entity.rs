//! The rows of entities, the organisations that are metered; what may be done to them is
//! `directory`'s business.

use crate::base::commitment::{Commitment, PartyKind, Salt};
use crate::base::party::EntityId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityRow {
    /// Its number, never used twice.
    pub id: EntityId,
    /// Its short name in commands and addresses.
    pub slug: String,
    /// Its full name.
    pub name: String,
    /// The word of its sector.
    pub sector: String,
    /// Its ROR identifier, nine characters.
    pub ror: Option<String>,
    /// The word of its status.
    pub status: String,
    /// Why it has that status, in an operator's words.
    pub status_reason: Option<String>,
    /// When it was entered, in milliseconds UTC.
    pub created_ms: i64,
    /// The version of its use case that is in force.
    pub use_case: Option<u32>,
    /// Into which entity it was merged.
    pub merged_into: Option<EntityId>,
    /// When an operator reviewed it, in milliseconds UTC.
    pub reviewed_ms: Option<i64>,
}

const INSERT: &str = "
    INSERT INTO entities
        (slug, name, sector, ror, status, status_reason, created_ms, salt, commitment,
         use_case, merged_into, reviewed_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
    RETURNING id";
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, slug, name, sector, ror, status, status_reason, created_ms, use_case, ",
            "merged_into, reviewed_ms FROM entities ",
            $rest
        )
    };
}
const SELECT_BY_SLUG: &str = select!("WHERE slug = ?1");
const SELECT_BY_ID: &str = select!("WHERE id = ?1");
const SELECT_ALL: &str = select!("ORDER BY slug");
const UPDATE: &str = "
    UPDATE entities
    SET name = ?2, sector = ?3, ror = ?4, status = ?5, status_reason = ?6, use_case = ?7,
        merged_into = ?8, reviewed_ms = ?9
    WHERE id = ?1";

const UPDATE_STATUS: &str = "UPDATE entities SET status = ?2, status_reason = ?3 WHERE id = ?1";

impl Tx<'_> {
    /// Adds an entity with a new salt, and returns its number; `row.id` is not looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert, also if the slug is taken.
    pub fn entity_insert(&self, row: &EntityRow) -> Result<EntityId, StoreError> {
        let salt = Salt::generate();
        let commitment = Commitment::to(PartyKind::Entity, &salt, &row.slug);
        let values = values![
            &row.slug,
            &row.name,
            &row.sector,
            &row.ror,
            &row.status,
            &row.status_reason,
            row.created_ms,
            &salt.0,
            &commitment.0,
            row.use_case,
            row.merged_into,
            row.reviewed_ms
        ];
        self.one(INSERT, values).map(EntityId)
    }

    /// The entity with that slug.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn entity_by_slug(&self, slug: &str) -> Result<Option<EntityRow>, StoreError> {
        self.row(SELECT_BY_SLUG, values![slug], entity)
    }

    /// The entity with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn entity_by_id(&self, id: EntityId) -> Result<Option<EntityRow>, StoreError> {
        self.row(SELECT_BY_ID, values![id], entity)
    }

    /// All entities, by slug.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn entities(&self) -> Result<Vec<EntityRow>, StoreError> {
        self.rows(SELECT_ALL, values![], entity)
    }

    /// Gives an entity another status.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn entity_set_status(
        &self,
        id: EntityId,
        status: &str,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let changed = self.change(UPDATE_STATUS, values![id, status, reason])?;
        assert_eq!(changed, 1, "the entity was found in this very transaction");
        Ok(())
    }

    /// Writes what may change of an entity: everything but its number, short name and date.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn entity_update(&self, row: &EntityRow) -> Result<(), StoreError> {
        let values = values![
            row.id,
            &row.name,
            &row.sector,
            &row.ror,
            &row.status,
            &row.status_reason,
            row.use_case,
            row.merged_into,
            row.reviewed_ms
        ];
        let changed = self.change(UPDATE, values)?;
        assert_eq!(changed, 1, "the entity was found in this very transaction");
        Ok(())
    }
}

fn entity(row: &Row<'_>) -> Result<EntityRow, StoreError> {
    Ok(EntityRow {
        id: EntityId(row.get(0)?),
        slug: row.get(1)?,
        name: row.get(2)?,
        sector: row.get(3)?,
        ror: row.get(4)?,
        status: row.get(5)?,
        status_reason: row.get(6)?,
        created_ms: row.get(7)?,
        use_case: row.get(8)?,
        merged_into: row.get::<Option<i64>>(9)?.map(EntityId),
        reviewed_ms: row.get(10)?,
    })
}
