//! The rows of written permissions of the platform; what they allow is decided by `policy`.

use crate::base::party::EntityId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionRow {
    /// Its number, never used twice.
    pub id: i64,
    /// Whom it is for.
    pub entity: EntityId,
    /// The exemption that it approves; `None`: it stands by itself.
    pub exemption: Option<i64>,
    /// Who permits.
    pub issuer: String,
    /// How they name their letter.
    pub reference: String,
    /// The date of the letter, like `2027-06-30`.
    pub issued_on: String,
    /// Valid from here, in milliseconds UTC.
    pub from_ms: i64,
    /// Valid up to here, this instant not included, in milliseconds UTC.
    pub until_ms: i64,
    /// Up to how many IDs; `None`: no ceiling.
    pub ceiling_ids: Option<u64>,
    /// The SHA-256 of the letter.
    pub document_sha256: [u8; 32],
    /// Why it was entered.
    pub reason: String,
    /// When it was entered, in milliseconds UTC.
    pub entered_ms: i64,
    /// Who entered it.
    pub entered_by: String,
    /// When it was revoked, in milliseconds UTC.
    pub revoked_ms: Option<i64>,
    /// Who revoked it.
    pub revoked_by: Option<String>,
    /// Why it was revoked.
    pub revoked_reason: Option<String>,
}

const INSERT: &str = "
    INSERT INTO permissions
        (entity_id, exemption_id, issuer, reference, issued_on, from_ms, until_ms, ceiling_ids,
         document_sha256, reason, entered_ms, entered_by)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
    RETURNING id";
const SELECT_BY_ID: &str = "
    SELECT id, entity_id, exemption_id, issuer, reference, issued_on, from_ms, until_ms,
           ceiling_ids, document_sha256, reason, entered_ms, entered_by, revoked_ms, revoked_by,
           revoked_reason
    FROM permissions WHERE id = ?1";
const SELECT_ALL: &str = "
    SELECT id, entity_id, exemption_id, issuer, reference, issued_on, from_ms, until_ms,
           ceiling_ids, document_sha256, reason, entered_ms, entered_by, revoked_ms, revoked_by,
           revoked_reason
    FROM permissions ORDER BY id";
const UPDATE_REVOKED: &str = "
    UPDATE permissions SET revoked_ms = ?2, revoked_by = ?3, revoked_reason = ?4 WHERE id = ?1";

impl Tx<'_> {
    /// Adds a permission and returns its number; `row.id` and what is said of its revocation are
    /// not looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn permission_insert(&self, row: &PermissionRow) -> Result<i64, StoreError> {
        let values = values![
            row.entity,
            row.exemption,
            &row.issuer,
            &row.reference,
            &row.issued_on,
            row.from_ms,
            row.until_ms,
            row.ceiling_ids,
            &row.document_sha256,
            &row.reason,
            row.entered_ms,
            &row.entered_by
        ];
        self.one(INSERT, values)
    }

    /// The permission with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn permission_by_id(&self, id: i64) -> Result<Option<PermissionRow>, StoreError> {
        self.row(SELECT_BY_ID, values![id], permission)
    }

    /// All permissions, in the order in which they were entered.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn permissions(&self) -> Result<Vec<PermissionRow>, StoreError> {
        self.rows(SELECT_ALL, values![], permission)
    }

    /// Notes that a permission is revoked.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn permission_revoke(
        &self,
        id: i64,
        now_ms: i64,
        actor: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        let changed = self.change(UPDATE_REVOKED, values![id, now_ms, actor, reason])?;
        assert_eq!(changed, 1, "the permission was found in this very transaction");
        Ok(())
    }
}

fn permission(row: &Row<'_>) -> Result<PermissionRow, StoreError> {
    Ok(PermissionRow {
        id: row.get(0)?,
        entity: EntityId(row.get(1)?),
        exemption: row.get(2)?,
        issuer: row.get(3)?,
        reference: row.get(4)?,
        issued_on: row.get(5)?,
        from_ms: row.get(6)?,
        until_ms: row.get(7)?,
        ceiling_ids: row.get(8)?,
        document_sha256: row.get(9)?,
        reason: row.get(10)?,
        entered_ms: row.get(11)?,
        entered_by: row.get(12)?,
        revoked_ms: row.get(13)?,
        revoked_by: row.get(14)?,
        revoked_reason: row.get(15)?,
    })
}
