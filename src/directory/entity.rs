//! Entities: entering, finding, reviewing, changing, suspending and resuming them. What they use
//! what they receive for stands in `use_case`, and how two become one in `merge`.

use serde::{Deserialize, Serialize};

use super::words::{Sector, Status};
use super::{DirectoryError, mail, not_found, ror, text, use_case};
use crate::audit::{self, Leaf, name};
use crate::base::party::{Actor, EntityId};
use crate::policy::Exempted;
use crate::store::{EntityMarkRow, EntityRow, MarkKind, Tx};

/// Longest slug: it has to fit into one label of a host name and one part of a path.
const SLUG_CHARS_MAX: usize = 63;
/// Longest name.
const NAME_CHARS_MAX: usize = 200;
/// Longest reason.
pub(super) const REASON_CHARS_MAX: usize = 2_000;
/// How many aliases and domains an entity may have.
const MARKS_MAX: usize = 100;
/// Why an entity of a state does not receive yet.
const WAITS_FOR_REVIEW: &str = "a government entity receives nothing before an operator's review";

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
    /// What else it is called.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The domains of its people's mail addresses.
    #[serde(default)]
    pub domains: Vec<String>,
    /// What it uses what it receives for; approved with its entry.
    #[serde(default)]
    pub use_case: Option<String>,
}

impl Add {
    /// An entity of which nothing more is known.
    pub fn new(slug: &str, name: &str, sector: Sector) -> Add {
        Add {
            slug: slug.to_owned(),
            name: name.to_owned(),
            sector,
            ror: None,
            aliases: Vec::new(),
            domains: Vec::new(),
            use_case: None,
        }
    }
}

/// What should be different about an entity. Its slug never changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Which entity.
    pub slug: String,
    /// Its full name from now on.
    pub name: Option<String>,
    /// What kind of organisation it is.
    pub sector: Option<Sector>,
    /// Its ROR identifier; empty: none any more.
    pub ror: Option<String>,
    /// What else it is called.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What it is not called any more.
    #[serde(default)]
    pub aliases_gone: Vec<String>,
    /// Further domains of its people's mail addresses.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Domains that are its own no longer.
    #[serde(default)]
    pub domains_gone: Vec<String>,
}

/// Enters an entity, which may receive from now on; one of a state once it is reviewed.
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
        use_case: None,
        merged_into: None,
        reviewed_ms: None,
    };
    set_open(&mut row);
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
    enter_marks(tx, row.id, &request.aliases, &request.domains)?;
    match &request.use_case {
        Some(purpose) => use_case::enter_first(tx, now_ms, actor, &row, purpose),
        None => Ok(row),
    }
}

/// The entity with that slug.
///
/// # Errors
/// [`DirectoryError::NotFound`], with the nearest slug if one is near;
/// [`DirectoryError::Conflict`] if it was merged, with the one that it is part of now.
pub fn find(tx: &Tx<'_>, slug: &str) -> Result<EntityRow, DirectoryError> {
    let row = find_merged_too(tx, slug)?;
    if row.merged_into.is_none() {
        return Ok(row);
    }
    let target = in_the_end(tx, row)?.slug;
    let message = format!("`{slug}` was merged into `{target}`; say `{target}` instead");
    Err(DirectoryError::Conflict(message))
}

/// As [`find`], and also one that was merged into another: for what it received before.
///
/// # Errors
/// [`DirectoryError::NotFound`], with the nearest slug if one is near.
pub fn find_merged_too(tx: &Tx<'_>, slug: &str) -> Result<EntityRow, DirectoryError> {
    if let Some(row) = tx.entity_by_slug(slug)? {
        return Ok(row);
    }
    let known = tx.entities()?;
    let slugs = known.iter().map(|row| row.slug.as_str());
    Err(not_found("entity", slug, slugs, "hydrant entity list"))
}

/// The entity that `row` is part of by now: itself, unless it was merged.
///
/// # Errors
/// [`DirectoryError`] of the store.
pub fn in_the_end(tx: &Tx<'_>, row: EntityRow) -> Result<EntityRow, DirectoryError> {
    let mut last = row;
    while let Some(target) = last.merged_into {
        let next = tx.entity_by_id(target)?;
        last = next.expect("an entity is merged into one that is there: a foreign key says so");
    }
    Ok(last)
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
    let mut row = find(tx, slug)?;
    if Status::of_row(&row.status) == Status::Suspended {
        return Err(DirectoryError::Conflict(format!("entity `{slug}` is already suspended")));
    }
    row.status = Status::Suspended.word().to_owned();
    row.status_reason = reason;
    tx.entity_update(&row)?;
    let entity = name::of_entity(tx, row.id)?;
    let leaf = Leaf::EntitySuspended { entity, actor: name::of_actor(tx, actor)? };
    audit::append_decision(tx, now_ms, &leaf, row.status_reason.as_deref())?;
    Ok(row)
}

/// Ends the suspension of an entity. It may receive again, unless it still waits for its review.
///
/// # Errors
/// [`DirectoryError::Conflict`] if it is not suspended.
pub fn resume(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    slug: &str,
) -> Result<EntityRow, DirectoryError> {
    let mut row = find(tx, slug)?;
    match Status::of_row(&row.status) {
        Status::Suspended => {}
        Status::Pending => {
            let message = format!(
                "entity `{slug}` is not suspended, it waits for its review; \
                 `hydrant entity review {slug} --reason TEXT` lets it receive"
            );
            return Err(DirectoryError::Conflict(message));
        }
        status => {
            return Err(DirectoryError::Conflict(format!("entity `{slug}` is already {status}")));
        }
    }
    set_open(&mut row);
    tx.entity_update(&row)?;
    let entity = name::of_entity(tx, row.id)?;
    let leaf = Leaf::EntityResumed { entity, actor: name::of_actor(tx, actor)? };
    audit::append(tx, now_ms, &leaf)?;
    Ok(row)
}

/// Notes that an operator has reviewed an entity that waits for it: it may receive from now on.
///
/// # Errors
/// [`DirectoryError::Conflict`] if it does not wait; [`DirectoryError::Invalid`] for the reason.
pub fn review(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    slug: &str,
    reason: &str,
) -> Result<EntityRow, DirectoryError> {
    let reason = text::line("the reason", reason, REASON_CHARS_MAX)?;
    let mut row = find(tx, slug)?;
    let status = Status::of_row(&row.status);
    if status != Status::Pending {
        let message = format!("entity `{slug}` is {status} and waits for no review");
        return Err(DirectoryError::Conflict(message));
    }
    row.reviewed_ms = Some(now_ms);
    set_open(&mut row);
    row.status_reason = Some(reason);
    tx.entity_update(&row)?;
    let entity = name::of_entity(tx, row.id)?;
    let leaf = Leaf::EntityReviewed { entity, actor: name::of_actor(tx, actor)? };
    audit::append_decision(tx, now_ms, &leaf, row.status_reason.as_deref())?;
    Ok(row)
}

/// Gives an entity that is neither suspended nor merged the status that its sector asks for.
fn set_open(row: &mut EntityRow) {
    let waits = row.sector == Sector::Government.word() && row.reviewed_ms.is_none();
    let status = if waits { Status::Pending } else { Status::Active };
    row.status = status.word().to_owned();
    row.status_reason = waits.then(|| WAITS_FOR_REVIEW.to_owned());
}

/// Changes what an entity is known by or counts as.
///
/// # Errors
/// [`DirectoryError::Invalid`] for a text, or if nothing would change; [`DirectoryError::NotFound`]
/// for a mark that it does not have; [`DirectoryError::Conflict`] if it is exempt and would not be
/// academic any more.
pub fn edit(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    request: &Edit,
) -> Result<EntityRow, DirectoryError> {
    let mut row = find(tx, &request.slug)?;
    let before = row.clone();
    if let Some(name) = &request.name {
        row.name = text::line("the name", name, NAME_CHARS_MAX)?;
    }
    if let Some(sector) = request.sector {
        check_sector(tx, now_ms, &row, sector)?;
        row.sector = sector.word().to_owned();
        if Status::of_row(&row.status) != Status::Suspended && row.sector != before.sector {
            set_open(&mut row);
        }
    }
    match request.ror.as_deref() {
        None => {}
        Some("") => row.ror = None,
        Some(text) => row.ror = Some(ror_id(text)?),
    }
    let mut fields = Vec::new();
    for (field, has_changed) in [
        ("name", row.name != before.name),
        ("sector", row.sector != before.sector),
        ("ror", row.ror != before.ror),
        ("aliases", !request.aliases.is_empty() || !request.aliases_gone.is_empty()),
        ("domains", !request.domains.is_empty() || !request.domains_gone.is_empty()),
    ] {
        if has_changed {
            fields.push(field.to_owned());
        }
    }
    if fields.is_empty() {
        let message = "nothing would change; name what should be different, as in --name";
        return Err(DirectoryError::Invalid(message.into()));
    }
    tx.entity_update(&row)?;
    enter_marks(tx, row.id, &request.aliases, &request.domains)?;
    for mark in marks(row.id, &request.aliases_gone, &request.domains_gone)? {
        if !tx.entity_mark_remove(&mark)? {
            let (slug, mark) = (&row.slug, &mark.mark);
            let message = format!("`{slug}` is not known by `{mark}`");
            return Err(DirectoryError::NotFound(message));
        }
    }
    let entity = name::of_entity(tx, row.id)?;
    let leaf = Leaf::EntityEdited { entity, fields, actor: name::of_actor(tx, actor)? };
    audit::append(tx, now_ms, &leaf)?;
    Ok(row)
}

/// An exemption is for an academic entity, so its end comes first.
fn check_sector(
    tx: &Tx<'_>,
    now_ms: i64,
    row: &EntityRow,
    sector: Sector,
) -> Result<(), DirectoryError> {
    let titles = tx.titles(row.id, now_ms)?;
    let exemption = titles.exemptions.last().filter(|_| sector != Sector::Academic);
    if let Some(Exempted { number: exemption, .. }) = exemption {
        let slug = &row.slug;
        let message = format!(
            "`{slug}` is exempt as an academic entity; \
             `hydrant exemption revoke {exemption} --reason TEXT` comes first"
        );
        return Err(DirectoryError::Conflict(message));
    }
    Ok(())
}

fn enter_marks(
    tx: &Tx<'_>,
    entity: EntityId,
    aliases: &[String],
    domains: &[String],
) -> Result<(), DirectoryError> {
    for mark in marks(entity, aliases, domains)? {
        tx.entity_mark_insert(&mark)?;
    }
    let count = tx.entity_marks_of(entity)?.len();
    if count > MARKS_MAX {
        let message = format!("that would be {count} aliases and domains; {MARKS_MAX} is the most");
        return Err(DirectoryError::Invalid(message));
    }
    Ok(())
}

fn marks(
    entity: EntityId,
    aliases: &[String],
    domains: &[String],
) -> Result<Vec<EntityMarkRow>, DirectoryError> {
    let mut marks = Vec::new();
    for alias in aliases {
        let mark = text::line("the alias", alias, NAME_CHARS_MAX)?;
        marks.push(EntityMarkRow { entity, kind: MarkKind::Alias, mark });
    }
    for domain in domains {
        let mark = mail::domain(domain)?;
        marks.push(EntityMarkRow { entity, kind: MarkKind::Domain, mark });
    }
    Ok(marks)
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
