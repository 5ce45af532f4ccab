//! Written permissions of the platform: entering and revoking them; what they allow is decided by
//! `policy`, and the ledger asks for itself which are valid.

use serde::{Deserialize, Serialize};

use super::entity::{self, REASON_CHARS_MAX};
use super::{DirectoryError, text};
use crate::audit::{self, Leaf, name};
use crate::base::date::{begin_ms, rfc3339};
use crate::base::party::Actor;
use crate::store::{PermissionRow, Tx};

/// Longest issuer and longest reference.
const NAME_CHARS_MAX: usize = 500;

/// A letter of the platform, as an operator enters it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// The slug of the entity that it is for.
    pub slug: String,
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
    /// The exemption of that entity which it approves; `None`: it stands by itself.
    pub exemption: Option<i64>,
    /// The SHA-256 of the letter, in hexadecimal.
    pub document_sha256: String,
    /// Why it is entered.
    pub reason: String,
}

/// Enters a permission. One that names no exemption raises the entity's ceiling of Tweet IDs while
/// it is valid; one that names an exemption lets that one lift the ceiling where the profile wants
/// the platform to permit it.
///
/// # Errors
/// [`DirectoryError::NotFound`] for the entity or its exemption, [`DirectoryError::Invalid`] for
/// what makes no sense.
pub fn add(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    request: &Add,
) -> Result<PermissionRow, DirectoryError> {
    let invalid = |message: String| Err(DirectoryError::Invalid(message));
    let entity = entity::find(tx, &request.slug)?;
    let Add { from_ms, until_ms, ceiling_ids, exemption, .. } = *request;
    let mut document_sha256 = [0; 32];
    if hex::decode_to_slice(&request.document_sha256, &mut document_sha256).is_err() {
        return invalid("the digest of the letter is no SHA-256 of 64 hexadecimal digits".into());
    }
    let issued_ms = match begin_ms(&request.issued_on) {
        Ok(issued_ms) if request.issued_on.len() == "2027-06-30".len() => issued_ms,
        _ => return invalid(format!("`{}` is no date like 2027-06-30", request.issued_on)),
    };
    if issued_ms > now_ms {
        return invalid(format!("the letter is dated {}, which is to come", request.issued_on));
    }
    if until_ms <= from_ms || until_ms <= now_ms {
        let (from, until) = (rfc3339(from_ms), rfc3339(until_ms));
        return invalid(format!("from {from} until {until} is no time to come; give a later end"));
    }
    if ceiling_ids == Some(0) {
        return invalid("a ceiling of 0 permits nothing; give a number, or none".into());
    }
    if let Some(exemption) = exemption {
        let known = tx.exemption_by_id(exemption)?;
        if known.is_none_or(|row| row.entity != entity.id) {
            let message = format!("`{}` has no exemption {exemption}", entity.slug);
            return Err(DirectoryError::NotFound(message));
        }
    }
    let mut row = PermissionRow {
        id: 0,
        entity: entity.id,
        exemption,
        issuer: text::line("the issuer", &request.issuer, NAME_CHARS_MAX)?,
        reference: text::line("the reference", &request.reference, NAME_CHARS_MAX)?,
        issued_on: request.issued_on.clone(),
        from_ms,
        until_ms,
        ceiling_ids,
        document_sha256,
        reason: text::line("the reason", &request.reason, REASON_CHARS_MAX)?,
        entered_ms: now_ms,
        entered_by: actor.to_string(),
        revoked_ms: None,
        revoked_by: None,
        revoked_reason: None,
    };
    row.id = tx.permission_insert(&row)?;
    let leaf = Leaf::PermissionEntered {
        permission: row.id,
        entity: name::of_entity(tx, row.entity)?,
        exemption,
        from_ms,
        until_ms,
        ceiling_ids,
        document: hex::encode(document_sha256),
        actor: name::of_actor(tx, actor)?,
    };
    audit::append_decision(tx, now_ms, &leaf, Some(&row.reason))?;
    Ok(row)
}

/// Ends a permission early; the ledger heeds it at the next chunk.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if it has ended or is revoked.
pub fn revoke(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    permission: i64,
    reason: &str,
) -> Result<PermissionRow, DirectoryError> {
    let reason = text::line("the reason", reason, REASON_CHARS_MAX)?;
    let mut row = tx.permission_by_id(permission)?.ok_or_else(|| {
        let message =
            format!("there is no permission {permission}; `hydrant permission list` shows them");
        DirectoryError::NotFound(message)
    })?;
    let standing = standing(&row, now_ms);
    if matches!(standing, "revoked" | "ended") {
        let message = format!("permission {permission} is {standing} already");
        return Err(DirectoryError::Conflict(message));
    }
    tx.permission_revoke(permission, now_ms, &actor.to_string(), &reason)?;
    let leaf = Leaf::PermissionRevoked {
        permission,
        entity: name::of_entity(tx, row.entity)?,
        actor: name::of_actor(tx, actor)?,
    };
    audit::append_decision(tx, now_ms, &leaf, Some(&reason))?;
    row.revoked_ms = Some(now_ms);
    row.revoked_by = Some(actor.to_string());
    row.revoked_reason = Some(reason);
    Ok(row)
}

/// How a permission stands, in one word: `revoked`, `upcoming`, `valid` or `ended`.
pub fn standing(row: &PermissionRow, now_ms: i64) -> &'static str {
    if row.revoked_ms.is_some() {
        "revoked"
    } else if now_ms < row.from_ms {
        "upcoming"
    } else if now_ms < row.until_ms {
        "valid"
    } else {
        "ended"
    }
}
