//! The answers of operations about links, sessions and registrations, as JSON.

use serde_json::{Value, json};

use super::answer::{entity_of, list, person_of};
use crate::base::date::rfc3339;
use crate::directory::identity::{self, affiliations_in};
use crate::directory::{DirectoryError, Secret, person, registration as registrations, session};
use crate::store::{IdentityRow, PersonRow, RegistrationRow, SessionRow, SignInLinkRow, Tx};

type Answer = Result<Value, DirectoryError>;

/// The one answer that holds a link: its path, for whoever knows under which address the gateway
/// is reached.
pub(super) fn invited(person: &PersonRow, link: &SignInLinkRow, secret: &Secret) -> Answer {
    Ok(json!({
        "mail": person.mail,
        "path": format!("/sign-in/{}", secret.reveal()),
        "expires": rfc3339(link.expires_ms),
    }))
}

pub(super) fn session(tx: &Tx<'_>, row: &SessionRow, now_ms: i64) -> Answer {
    Ok(json!({
        "id": row.id.0.to_string(),
        "person": person_of(tx, row.person)?.mail,
        "browser": row.label,
        "status": session::state(row, now_ms).word(),
        "created": rfc3339(row.created_ms),
        "last_used": rfc3339(row.seen_ms),
        "expires": rfc3339(row.until_ms),
        "revoked": row.revoked_ms.map(rfc3339),
    }))
}

pub(super) fn sessions(tx: &Tx<'_>, mail: Option<&str>, now_ms: i64) -> Answer {
    let rows = match mail {
        Some(mail) => tx.sessions_of(person::find(tx, mail)?.id)?,
        None => tx.sessions()?,
    };
    list(rows, |row| session(tx, &row, now_ms))
}

pub(super) fn registration(tx: &Tx<'_>, row: &RegistrationRow) -> Answer {
    let entity = row.entity.map(|entity| entity_of(tx, entity)).transpose()?;
    let identity = identity::of_registration(tx, row)?.map(|shown| {
        json!({
            "issuer": shown.issuer,
            "subject": shown.subject,
            "affiliations": affiliations_in(&shown.claims),
        })
    });
    Ok(json!({
        "id": row.id.to_string(),
        "mail": row.mail,
        "name": row.name,
        "organisation": row.organisation,
        "purpose": row.purpose,
        "status": row.status,
        "created": rfc3339(row.created_ms),
        "verified": row.verified_ms.map(rfc3339),
        "decided": row.decided_ms.map(rfc3339),
        "decided_by": row.decided_by,
        "reason": row.reason,
        "entity": entity.map(|entity| entity.slug),
        "identity": identity,
    }))
}

/// The identities of a person.
pub(super) fn identities(tx: &Tx<'_>, mail: &str) -> Answer {
    let person = person::find(tx, mail)?;
    list(tx.identities_of(person.id)?, |row| {
        let IdentityRow { issuer, subject, claims, linked_ms, seen_ms, .. } = row;
        Ok(json!({
            "issuer": issuer,
            "subject": subject,
            "affiliations": affiliations_in(&claims),
            "linked": rfc3339(linked_ms),
            "last_used": rfc3339(seen_ms),
        }))
    })
}

pub(super) fn registrations(tx: &Tx<'_>) -> Answer {
    list(registrations::verified(tx)?, |row| registration(tx, &row))
}
