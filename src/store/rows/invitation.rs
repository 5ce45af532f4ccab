//! The rows of colleagues whom a manager would have in their entity; who becomes a person of it
//! is decided by `directory`.

use crate::base::party::EntityId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One invitation that nobody has accepted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationRow {
    /// Its number, never used twice.
    pub id: i64,
    /// Into which entity.
    pub entity: EntityId,
    /// The mail address, normalised.
    pub mail: String,
    /// The colleague's name.
    pub name: String,
    /// When, in milliseconds UTC.
    pub invited_ms: i64,
    /// Who invites.
    pub invited_by: String,
}

const INSERT: &str = "
    INSERT INTO invitations (entity_id, mail, name, invited_ms, invited_by)
    VALUES (?1, ?2, ?3, ?4, ?5)
    RETURNING id";
const SELECT_BY_ID: &str = "
    SELECT id, entity_id, mail, name, invited_ms, invited_by FROM invitations WHERE id = ?1";
const SELECT_ALL: &str = "
    SELECT id, entity_id, mail, name, invited_ms, invited_by FROM invitations ORDER BY id";
const SELECT_TO: &str = "
    SELECT id, entity_id, mail, name, invited_ms, invited_by FROM invitations
    WHERE mail = ?1 ORDER BY id";
const DELETE: &str = "DELETE FROM invitations WHERE id = ?1";
const DELETE_TO: &str = "DELETE FROM invitations WHERE mail = ?1";
const DELETE_OLD: &str = "DELETE FROM invitations WHERE invited_ms < ?1";

impl Tx<'_> {
    /// Adds an invitation and returns its number; `row.id` is not looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert, also if the address is invited into the entity already.
    pub fn invitation_insert(&self, row: &InvitationRow) -> Result<i64, StoreError> {
        let values = values![row.entity, &row.mail, &row.name, row.invited_ms, &row.invited_by];
        self.one(INSERT, values)
    }

    /// The invitation with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn invitation_by_id(&self, id: i64) -> Result<Option<InvitationRow>, StoreError> {
        self.row(SELECT_BY_ID, values![id], invitation)
    }

    /// Every invitation, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn invitations(&self) -> Result<Vec<InvitationRow>, StoreError> {
        self.rows(SELECT_ALL, values![], invitation)
    }

    /// The invitations that an address has, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn invitations_to(&self, mail: &str) -> Result<Vec<InvitationRow>, StoreError> {
        self.rows(SELECT_TO, values![mail], invitation)
    }

    /// Removes an invitation.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn invitation_remove(&self, id: i64) -> Result<(), StoreError> {
        self.write(DELETE, values![id])
    }

    /// Removes the invitations that an address has.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn invitations_remove_to(&self, mail: &str) -> Result<(), StoreError> {
        self.write(DELETE_TO, values![mail])
    }

    /// Removes the invitations from before `before_ms`, and returns how many there were.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn invitations_remove_old(&self, before_ms: i64) -> Result<u64, StoreError> {
        self.change(DELETE_OLD, values![before_ms])
    }
}

fn invitation(row: &Row<'_>) -> Result<InvitationRow, StoreError> {
    Ok(InvitationRow {
        id: row.get(0)?,
        entity: EntityId(row.get(1)?),
        mail: row.get(2)?,
        name: row.get(3)?,
        invited_ms: row.get(4)?,
        invited_by: row.get(5)?,
    })
}
