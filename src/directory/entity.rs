//! Entities: entering, finding, suspending and resuming them.

use serde::{Deserialize, Serialize};

use super::words::{Sector, Status};
use super::{DirectoryError, not_found, ror, text};
use crate::audit::{self, Leaf, name};
use crate::base::party::{Actor, EntityId};
use crate::store::{EntityRow, Tx};

/// Longest slug: it has to fit into one label of a host name and one part of a path.
const SLUG_CHARS_MAX: usize = 63;
/// Longest name.
const NAME_CHARS_MAX: usize = 200;
/// Longest reason.
pub(super) const REASON_CHARS_MAX: usize = 2_000;

/// A new entity, as an operator describes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// Its short name.
    pub slug: String,
    /// Its full name.
    pub name: String,
    /// What kind of organisation it is.
    pub sector: Sector,
    /// Its ROR identifier, bare or as an address.
    pub ror: Option<String>,
}

/// Enters an entity, which may receive from now on.
///
/// # Errors
/// [`DirectoryError::Invalid`] or [`DirectoryError::Conflict`] if the slug is taken.
pub fn add(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    request: &Add,
) -> Result<EntityRow, DirectoryError> {
    let mut row = EntityRow {
        id: EntityId(0),
        slug: slug(&request.slug)?,
        name: text::line("the name", &request.name, NAME_CHARS_MAX)?,
        sector: request.sector.word().to_owned(),
        ror: request.ror.as_deref().map(ror_id).transpose()?,
        status: Status::Active.word().to_owned(),
        status_reason: None,
        created_ms: now_ms,
    };
    if let Some(other) = tx.entity_by_slug(&row.slug)? {
        let message = format!(
            "there is already an entity `{}`: {}; choose another slug",
            other.slug, other.name
        );
        return Err(DirectoryError::Conflict(message));
    }
    row.id = tx.entity_insert(&row)?;
    audit::append(
        tx,
        now_ms,
        &Leaf::EntityAdded {
            entity: name::of_entity(tx, row.id)?,
            actor: name::of_actor(tx, actor)?,
        },
    )?;
    Ok(row)
}

/// The entity with that slug.
///
/// # Errors
/// [`DirectoryError::NotFound`], with the nearest slug if one is near.
pub fn find(tx: &Tx<'_>, slug: &str) -> Result<EntityRow, DirectoryError> {
    if let Some(row) = tx.entity_by_slug(slug)? {
        return Ok(row);
    }
    let known = tx.entities()?;
    let slugs = known.iter().map(|row| row.slug.as_str());
    Err(not_found("entity", slug, slugs, "hydrant entity list"))
}

/// Lets an entity receive nothing until it is resumed.
///
/// # Errors
/// [`DirectoryError::Conflict`] if it is suspended already.
pub fn suspend(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    slug: &str,
    reason: Option<&str>,
) -> Result<EntityRow, DirectoryError> {
    let reason =
        reason.map(|reason| text::line("the reason", reason, REASON_CHARS_MAX)).transpose()?;
    let row = set_status(tx, slug, Status::Suspended, reason.as_deref())?;
    audit::append(
        tx,
        now_ms,
        &Leaf::EntitySuspended {
            entity: name::of_entity(tx, row.id)?,
            actor: name::of_actor(tx, actor)?,
        },
    )?;
    Ok(row)
}

/// Lets a suspended entity receive again.
///
/// # Errors
/// [`DirectoryError::Conflict`] if it is not suspended.
pub fn resume(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    slug: &str,
) -> Result<EntityRow, DirectoryError> {
    let row = set_status(tx, slug, Status::Active, None)?;
    audit::append(
        tx,
        now_ms,
        &Leaf::EntityResumed {
            entity: name::of_entity(tx, row.id)?,
            actor: name::of_actor(tx, actor)?,
        },
    )?;
    Ok(row)
}

fn set_status(
    tx: &Tx<'_>,
    slug: &str,
    status: Status,
    reason: Option<&str>,
) -> Result<EntityRow, DirectoryError> {
    let mut row = find(tx, slug)?;
    if row.status == status.word() {
        return Err(DirectoryError::Conflict(format!("entity `{slug}` is already {status}")));
    }
    row.status = status.word().to_owned();
    row.status_reason = reason.map(str::to_owned);
    tx.entity_set_status(row.id, &row.status, reason)?;
    Ok(row)
}

/// `text` as a slug: of an entity, or of a dataset.
pub(super) fn slug(text: &str) -> Result<String, DirectoryError> {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = !text.is_empty()
        && text.len() <= SLUG_CHARS_MAX
        && text.bytes().all(inside)
        && !text.starts_with('-');
    if !fits {
        let message = format!(
            "`{text}` is no slug; one has 1 to {SLUG_CHARS_MAX} lower-case letters, digits and \
             hyphens and does not begin with a hyphen, like `example-university`"
        );
        return Err(DirectoryError::Invalid(message));
    }
    Ok(text.to_owned())
}

fn ror_id(text: &str) -> Result<String, DirectoryError> {
    ror::parse(text).ok_or_else(|| {
        DirectoryError::Invalid(format!(
            "`{text}` is no ROR identifier, or its two check digits do not fit; \
             https://ror.org finds the right one, like 01an7q238"
        ))
    })
}
