//! The rows of what an entity is known by besides its names: aliases and mail domains.

use crate::base::party::EntityId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// What a mark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// Another name.
    Alias,
    /// A domain of its people's mail addresses.
    Domain,
}

/// Something that an entity is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityMarkRow {
    /// Which entity.
    pub entity: EntityId,
    /// What it is.
    pub kind: MarkKind,
    /// A name, or a mail domain in lower case.
    pub mark: String,
}

const INSERT: &str = "
    INSERT INTO entity_marks (entity_id, kind, mark) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
const DELETE: &str = "DELETE FROM entity_marks WHERE entity_id = ?1 AND kind = ?2 AND mark = ?3";
const SELECT_OF_ENTITY: &str = "
    SELECT entity_id, kind, mark FROM entity_marks WHERE entity_id = ?1 ORDER BY kind, mark";
const SELECT_ALL: &str = "
    SELECT entity_id, kind, mark FROM entity_marks ORDER BY entity_id, kind, mark";

impl MarkKind {
    fn word(self) -> &'static str {
        match self {
            MarkKind::Alias => "alias",
            MarkKind::Domain => "domain",
        }
    }
}

impl Tx<'_> {
    /// Adds a mark, unless the entity has it.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn entity_mark_insert(&self, row: &EntityMarkRow) -> Result<(), StoreError> {
        self.write(INSERT, values![row.entity, row.kind.word(), &row.mark])
    }

    /// Removes a mark, and returns whether the entity had it.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn entity_mark_remove(&self, row: &EntityMarkRow) -> Result<bool, StoreError> {
        Ok(self.change(DELETE, values![row.entity, row.kind.word(), &row.mark])? > 0)
    }

    /// What an entity is known by, aliases first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn entity_marks_of(&self, entity: EntityId) -> Result<Vec<EntityMarkRow>, StoreError> {
        self.rows(SELECT_OF_ENTITY, values![entity], mark)
    }

    /// What all entities are known by, by the entity's number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn entity_marks(&self) -> Result<Vec<EntityMarkRow>, StoreError> {
        self.rows(SELECT_ALL, values![], mark)
    }
}

fn mark(row: &Row<'_>) -> Result<EntityMarkRow, StoreError> {
    let kind: String = row.get(1)?;
    Ok(EntityMarkRow {
        entity: EntityId(row.get(0)?),
        kind: match kind.as_str() {
            "domain" => MarkKind::Domain,
            _ => MarkKind::Alias,
        },
        mark: row.get(2)?,
    })
}
