//! The answers about documents, exemptions and permissions: under which terms anybody receives.

use serde_json::{Value, json};

use super::answer::{entity_of, list, person_of};
use crate::base::date::rfc3339;
use crate::directory::exemption::{self, evidence_of};
use crate::directory::{DirectoryError, document, permission};
use crate::policy::{Document, Profile};
use crate::store::{DocumentRow, ExemptionRow, PermissionRow, Tx};

type Answer = Result<Value, DirectoryError>;

/// The documents in force, each with who published it, and those that come into force later.
pub(super) fn documents(tx: &Tx<'_>, profile: &Profile, now_ms: i64) -> Answer {
    let rows = tx.documents()?;
    let in_force = list(document::in_force(tx, &profile.documents, now_ms)?, |document| {
        let is_of = |row: &&DocumentRow| {
            row.published.name == document.name && row.published.version == document.version
        };
        Ok(described(&document, rows.iter().find(is_of), profile))
    })?;
    let upcoming = rows.iter().filter(|row| row.published.from_ms > now_ms);
    let upcoming = list(upcoming.collect(), |row| Ok(published(row)))?;
    Ok(json!({ "in_force": in_force, "upcoming": upcoming }))
}

fn described(document: &Document, row: Option<&DocumentRow>, profile: &Profile) -> Value {
    json!({
        "document": document.name,
        "title": document.title,
        "version": document.version,
        "url": document.url,
        "from": row.map(|row| rfc3339(row.published.from_ms)),
        "published_by": row.map_or(&profile.name, |row| &row.published_by),
    })
}

/// A version that was published.
pub(super) fn published(row: &DocumentRow) -> Value {
    let title = document::DOCUMENTS.iter().find(|(name, _)| *name == row.published.name);
    json!({
        "document": row.published.name,
        "title": title.map(|(_, title)| title),
        "version": row.published.version,
        "url": row.published.url,
        "from": rfc3339(row.published.from_ms),
        "published_by": row.published_by,
    })
}

pub(super) fn exemption(tx: &Tx<'_>, row: &ExemptionRow, now_ms: i64) -> Answer {
    let entity = entity_of(tx, row.entity)?;
    let said = &row.application;
    let notices = tx.notices_about(&format!("exemption:{}", row.id))?;
    let reminder = notices.iter().find(|notice| notice.kind == "exemption-ends");
    Ok(json!({
        "id": row.id.to_string(),
        "entity": entity.slug,
        "ror": entity.ror.map(|ror| format!("https://ror.org/{ror}")),
        "person": person_of(tx, row.person)?.mail,
        "role": said.role,
        "purpose": row.purpose,
        "non_commercial": said.non_commercial,
        "attestation": said.attestation,
        "attestation_sha256": said.attestation_sha256.map(hex::encode),
        "signed_by": said.signed_by,
        "signed": said.signed_ms.map(rfc3339),
        "reference": said.reference,
        "wanted_from": said.wanted_from_ms.map(rfc3339),
        "wanted_ceiling": said.wanted_ceiling_ids,
        "evidence": evidence_of(tx, row)?,
        "status": row.status,
        "standing": exemption::standing(row, now_ms),
        "in_force": exemption::is_in_force(row, now_ms),
        "applied": rfc3339(row.applied_ms),
        "decided": row.decided_ms.map(rfc3339),
        "decided_by": row.decided_by,
        "reason": row.reason,
        "conditions": row.conditions,
        "ceiling": row.ceiling_ids,
        "from": row.from_ms.map(rfc3339),
        "until": rfc3339(row.until_ms),
        "reminder_due": reminder.map(|notice| rfc3339(notice.due_ms)),
        "reminded": reminder.and_then(|notice| notice.done_ms).map(rfc3339),
        "revoked": row.revoked_ms.map(rfc3339),
        "revoked_by": row.revoked_by,
        "revoked_reason": row.revoked_reason,
    }))
}

pub(super) fn exemptions(tx: &Tx<'_>, now_ms: i64) -> Answer {
    list(tx.exemptions()?, |row| exemption(tx, &row, now_ms))
}

pub(super) fn permission(tx: &Tx<'_>, row: &PermissionRow, now_ms: i64) -> Answer {
    Ok(json!({
        "id": row.id.to_string(),
        "entity": entity_of(tx, row.entity)?.slug,
        "exemption": row.exemption.map(|exemption| exemption.to_string()),
        "issuer": row.issuer,
        "reference": row.reference,
        "issued_on": row.issued_on,
        "from": rfc3339(row.from_ms),
        "until": rfc3339(row.until_ms),
        "ceiling": row.ceiling_ids,
        "document_sha256": hex::encode(row.document_sha256),
        "standing": permission::standing(row, now_ms),
        "reason": row.reason,
        "entered": rfc3339(row.entered_ms),
        "entered_by": row.entered_by,
        "revoked": row.revoked_ms.map(rfc3339),
        "revoked_by": row.revoked_by,
        "revoked_reason": row.revoked_reason,
    }))
}

pub(super) fn permissions(tx: &Tx<'_>, now_ms: i64) -> Answer {
    list(tx.permissions()?, |row| permission(tx, &row, now_ms))
}
