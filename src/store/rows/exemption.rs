//! The rows of academic exemptions, from the application to the end.

use crate::base::party::{EntityId, PersonId};
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One exemption, applied for or decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExemptionRow {
    /// Its number, never used twice.
    pub id: i64,
    /// The academic institution.
    pub entity: EntityId,
    /// Who applied on its behalf.
    pub person: PersonId,
    /// The research it is for.
    pub purpose: String,
    /// The word of its status.
    pub status: String,
    /// When it was applied for, in milliseconds UTC.
    pub applied_ms: i64,
    /// When it was approved or refused, in milliseconds UTC.
    pub decided_ms: Option<i64>,
    /// Who approved or refused it.
    pub decided_by: Option<String>,
    /// Why it was approved or refused.
    pub reason: Option<String>,
    /// In force from here, in milliseconds UTC; set on approval.
    pub from_ms: Option<i64>,
    /// In force up to here, this instant not included, in milliseconds UTC.
    pub until_ms: i64,
    /// When it was revoked, in milliseconds UTC.
    pub revoked_ms: Option<i64>,
    /// Who revoked it.
    pub revoked_by: Option<String>,
    /// Why it was revoked.
    pub revoked_reason: Option<String>,
    /// Under which conditions it was approved.
    pub conditions: Option<String>,
    /// Up to how many IDs it was approved; `None`: no figure.
    pub ceiling_ids: Option<u64>,
    /// What the applicant said besides the purpose.
    pub application: ApplicationRow,
}

/// What an application says; of those that were made before it was asked, nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplicationRow {
    /// What the applicant is at the institution.
    pub role: Option<String>,
    /// Whether they stated that the research is not commercial.
    pub non_commercial: Option<bool>,
    /// The version of the attestation that they signed.
    pub attestation: Option<String>,
    /// The SHA-256 of its text.
    pub attestation_sha256: Option<[u8; 32]>,
    /// The name under it.
    pub signed_by: Option<String>,
    /// When it was signed, in milliseconds UTC.
    pub signed_ms: Option<i64>,
    /// What supports the application: a letter, a grant, an address.
    pub reference: Option<String>,
    /// From when on it is wanted, in milliseconds UTC; `None`: as soon as may be.
    pub wanted_from_ms: Option<i64>,
    /// For how many IDs it is wanted; `None`: no figure.
    pub wanted_ceiling_ids: Option<u64>,
}

const INSERT: &str = "
    INSERT INTO exemptions
        (entity_id, person_id, purpose, status, applied_ms, until_ms, role, non_commercial,
         attestation, attestation_sha256, signed_by, signed_ms, reference, wanted_from_ms,
         wanted_ceiling_ids)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
    RETURNING id";
const SELECT_BY_ID: &str = "
    SELECT id, entity_id, person_id, purpose, status, applied_ms, decided_ms, decided_by, reason,
           from_ms, until_ms, revoked_ms, revoked_by, revoked_reason, conditions, ceiling_ids,
           role, non_commercial, attestation, attestation_sha256, signed_by, signed_ms, reference,
           wanted_from_ms, wanted_ceiling_ids
    FROM exemptions WHERE id = ?1";
const SELECT_ALL: &str = "
    SELECT id, entity_id, person_id, purpose, status, applied_ms, decided_ms, decided_by, reason,
           from_ms, until_ms, revoked_ms, revoked_by, revoked_reason, conditions, ceiling_ids,
           role, non_commercial, attestation, attestation_sha256, signed_by, signed_ms, reference,
           wanted_from_ms, wanted_ceiling_ids
    FROM exemptions ORDER BY id";
const UPDATE_DECISION: &str = "
    UPDATE exemptions
    SET status = ?2, decided_ms = ?3, decided_by = ?4, reason = ?5, from_ms = ?6,
        revoked_ms = ?7, revoked_by = ?8, revoked_reason = ?9, conditions = ?10, ceiling_ids = ?11
    WHERE id = ?1";

impl Tx<'_> {
    /// Adds an application and returns its number; `row.id` and what follows later are not
    /// looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn exemption_insert(&self, row: &ExemptionRow) -> Result<i64, StoreError> {
        let said = &row.application;
        let values = values![
            row.entity,
            row.person,
            &row.purpose,
            &row.status,
            row.applied_ms,
            row.until_ms,
            &said.role,
            said.non_commercial.map(i64::from),
            &said.attestation,
            said.attestation_sha256.as_ref(),
            &said.signed_by,
            said.signed_ms,
            &said.reference,
            said.wanted_from_ms,
            said.wanted_ceiling_ids
        ];
        self.one(INSERT, values)
    }

    /// The exemption with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn exemption_by_id(&self, id: i64) -> Result<Option<ExemptionRow>, StoreError> {
        self.row(SELECT_BY_ID, values![id], exemption)
    }

    /// All exemptions, in the order in which they were applied for.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn exemptions(&self) -> Result<Vec<ExemptionRow>, StoreError> {
        self.rows(SELECT_ALL, values![], exemption)
    }

    /// Writes what was decided of `row`: its status and everything that came after it was
    /// applied for.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn exemption_decide(&self, row: &ExemptionRow) -> Result<(), StoreError> {
        let changed = self.change(
            UPDATE_DECISION,
            values![
                row.id,
                &row.status,
                row.decided_ms,
                &row.decided_by,
                &row.reason,
                row.from_ms,
                row.revoked_ms,
                &row.revoked_by,
                &row.revoked_reason,
                &row.conditions,
                row.ceiling_ids
            ],
        )?;
        assert_eq!(changed, 1, "the exemption was found in this very transaction");
        Ok(())
    }
}

fn exemption(row: &Row<'_>) -> Result<ExemptionRow, StoreError> {
    Ok(ExemptionRow {
        id: row.get(0)?,
        entity: EntityId(row.get(1)?),
        person: PersonId(row.get(2)?),
        purpose: row.get(3)?,
        status: row.get(4)?,
        applied_ms: row.get(5)?,
        decided_ms: row.get(6)?,
        decided_by: row.get(7)?,
        reason: row.get(8)?,
        from_ms: row.get(9)?,
        until_ms: row.get(10)?,
        revoked_ms: row.get(11)?,
        revoked_by: row.get(12)?,
        revoked_reason: row.get(13)?,
        conditions: row.get(14)?,
        ceiling_ids: row.get(15)?,
        application: ApplicationRow {
            role: row.get(16)?,
            non_commercial: row.get(17)?,
            attestation: row.get(18)?,
            attestation_sha256: row.get(19)?,
            signed_by: row.get(20)?,
            signed_ms: row.get(21)?,
            reference: row.get(22)?,
            wanted_from_ms: row.get(23)?,
            wanted_ceiling_ids: row.get(24)?,
        },
    })
}
