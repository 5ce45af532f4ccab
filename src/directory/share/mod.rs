//! Peer-review links: making, extending, revoking and publishing them. What one may hand out at a
//! moment the ledger asks for itself, at each chunk; what its page shows is `http`'s business.
//!
//! A link is made by a person of an entity whose exemption is in force, and under that exemption:
//! when that ends, the link hands out nothing, until its maker extends it under another one.

pub mod download;
pub mod passphrase;
mod token;

use rand::TryRng;
use rand::rngs::SysRng;
use serde::{Deserialize, Serialize};

pub use passphrase::Passphrase;
pub use token::LinkToken;

use super::entity::REASON_CHARS_MAX;
use super::words::{Face, Purpose, Status};
use super::{DirectoryError, entity, person, text};
use crate::audit::{self, Leaf, name};
use crate::base::date::{DAY_MS, rfc3339};
use crate::base::ids::IdKind;
use crate::base::party::{Actor, EntityId, PersonId, ShareId};
use crate::policy::{Entitlement, Profile};
use crate::store::{DatasetRow, PersonRow, ReleaseRow, ShareRow, StoreError, Supply, Tx};

/// Longest label.
const LABEL_CHARS_MAX: usize = 200;
/// The most downloads that may begin at one link.
const DOWNLOADS_MAX: u32 = 100_000;

/// A link that somebody wants to make.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Make {
    /// The mail address of who makes it.
    pub mail: String,
    /// The slug of the exempt entity on whose behalf; `None`: the one that they belong to.
    pub entity: Option<String>,
    /// The slug of the dataset; it has releases.
    pub dataset: String,
    /// Which kind of ID.
    pub ids: IdKind,
    /// Which of the dataset's releases; `None`: the present one.
    pub release: Option<String>,
    /// The ordinal of the first ID; `None`: 0.
    pub offset: Option<u64>,
    /// How many IDs at most; `None`: all from there on.
    pub limit: Option<u64>,
    /// What it is opened for.
    pub purpose: Purpose,
    /// What it shows of its maker.
    pub face: Face,
    /// Its end, in milliseconds UTC; `None`: as the profile says.
    pub until_ms: Option<i64>,
    /// How many downloads may begin; `None`: as the profile says.
    pub downloads_max: Option<u32>,
    /// How many IDs it may hand out in all; `None`: as many as those downloads have.
    pub ids_max: Option<u64>,
    /// What has to be said besides; `None`: nothing.
    pub passphrase: Option<Passphrase>,
    /// What the editor is told.
    pub note: Option<String>,
    /// What its maker calls it.
    pub label: String,
}

/// The exemption that lets somebody make a link.
struct Exempt {
    entity: EntityId,
    exemption: i64,
    entitlement: Entitlement,
}

/// Which IDs a link hands out.
struct Selected {
    dataset: i64,
    release: String,
    first: u64,
    end: u64,
}

/// Makes a link and returns it with its token, which cannot be had a second time. `passphrase` is
/// the slow hash of the request's, which takes too long for a transaction.
///
/// # Errors
/// [`DirectoryError::NotFound`] for person, entity, dataset or release;
/// [`DirectoryError::Conflict`] if nobody they belong to is exempt;
/// [`DirectoryError::Invalid`] for what makes no sense.
pub fn make(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    profile: &Profile,
    request: &Make,
    passphrase: Option<String>,
) -> Result<(ShareRow, LinkToken), DirectoryError> {
    let person = person::find(tx, &request.mail)?;
    let exempt = exempt(tx, now_ms, profile, &person, request)?;
    let selected = selected(tx, now_ms, exempt.entity, request)?;
    let taken_ids = tx.shares_taken_ids(exempt.exemption, request.ids, None)?;
    let left_ids = exempt.entitlement.ceiling_ids.map(|ids| ids.saturating_sub(taken_ids));
    let (downloads_max, ids_max) = limits(profile, request, left_ids, &selected)?;
    // To the end of a day: the hour at which it was made would tell where its maker lives.
    let usual_ms = (now_ms / DAY_MS + i64::from(profile.share_days_usual)) * DAY_MS;
    let expires_ms = request.until_ms.unwrap_or(usual_ms);
    check_end(now_ms, profile, expires_ms)?;
    let note = request.note.as_deref().map(str::trim).filter(|note| !note.is_empty());
    let note = note.map(|note| text::line("the note", note, REASON_CHARS_MAX)).transpose()?;
    let token = LinkToken::generate();
    let mut tag_key = [0; 32];
    SysRng.try_fill_bytes(&mut tag_key).expect("the system has random numbers");
    let mut row = ShareRow {
        id: ShareId(0),
        hash: token.hash().0,
        person: person.id,
        entity: exempt.entity,
        exemption: exempt.exemption,
        dataset: selected.dataset,
        release: selected.release,
        kind: request.ids,
        first: selected.first,
        end: selected.end,
        purpose: request.purpose.word().to_owned(),
        face: request.face.word().to_owned(),
        label: text::line("the label", &request.label, LABEL_CHARS_MAX)?,
        note: note.unwrap_or_default(),
        passphrase,
        attempts: 0,
        attempt_after_ms: 0,
        tag_key,
        downloads_max,
        ids_max,
        created_ms: now_ms,
        expires_ms,
        revoked_ms: None,
        published_ms: None,
    };
    row.id = tx.share_insert(&row)?;
    let leaf = Leaf::ShareMade {
        link: row.id,
        person: name::of_person(tx, row.person)?,
        entity: name::of_entity(tx, row.entity)?,
        exemption: row.exemption,
        dataset: row.dataset,
        release: row.release.clone(),
        kind: row.kind,
        first: row.first,
        ids: row.end - row.first,
        purpose: row.purpose.clone(),
        face: row.face.clone(),
        downloads_max,
        ids_max,
        expires_ms,
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    Ok((row, token))
}

/// The exemption in force that allows most of those whom the person belongs to.
fn exempt(
    tx: &Tx<'_>,
    now_ms: i64,
    profile: &Profile,
    person: &PersonRow,
    request: &Make,
) -> Result<Exempt, DirectoryError> {
    let mail = &person.mail;
    if request.ids == IdKind::Dm {
        let message = "a link hands out Tweet IDs or User IDs; the policy says nothing of others";
        return Err(DirectoryError::Invalid(message.into()));
    }
    if Status::of_row(&person.status) != Status::Active {
        let message = format!("`{mail}` is suspended; `hydrant person resume {mail}` comes first");
        return Err(DirectoryError::Conflict(message));
    }
    let wanted = request.entity.as_deref().map(|slug| entity::find(tx, slug)).transpose()?;
    let mut most: Option<Exempt> = None;
    for membership in tx.memberships_of_person(person.id)? {
        let is_wanted = wanted.as_ref().is_none_or(|wanted| wanted.id == membership.entity);
        let row = tx.entity_by_id(membership.entity)?;
        let is_active = row.is_some_and(|row| Status::of_row(&row.status) == Status::Active);
        if is_wanted && is_active {
            let found = exemption_of(tx, now_ms, profile, membership.entity, request.ids)?;
            most = allowing_more(most, found);
        }
    }
    most.ok_or_else(|| {
        let message = format!(
            "`{mail}` belongs to no institution whose academic exemption is in force, and only \
             such people make links; `hydrant exemption apply` asks for one"
        );
        DirectoryError::Conflict(message)
    })
}

/// The exemption of `entity` in force that allows most.
fn exemption_of(
    tx: &Tx<'_>,
    now_ms: i64,
    profile: &Profile,
    entity: EntityId,
    kind: IdKind,
) -> Result<Option<Exempt>, StoreError> {
    let titles = tx.titles(entity, now_ms)?;
    let mut most = None;
    for exempted in &titles.exemptions {
        let entitlement = profile.exemption(kind, exempted.number, &titles);
        let exemption = exempted.number;
        let found = entitlement.map(|entitlement| Exempt { entity, exemption, entitlement });
        most = allowing_more(most, found);
    }
    Ok(most)
}

fn allowing_more(one: Option<Exempt>, other: Option<Exempt>) -> Option<Exempt> {
    let allows = |of: &Exempt| of.entitlement.ceiling_ids.unwrap_or(u64::MAX);
    match (one, other) {
        // Of equals the later one, which was given last.
        (Some(one), Some(other)) if allows(&one) > allows(&other) => Some(one),
        (one, other) => other.or(one),
    }
}

fn selected(
    tx: &Tx<'_>,
    now_ms: i64,
    entity: EntityId,
    request: &Make,
) -> Result<Selected, DirectoryError> {
    let slug = &request.dataset;
    let dataset = tx.dataset_visible_to(slug, Some(&[entity]), now_ms)?;
    let dataset: DatasetRow = dataset.ok_or_else(|| {
        let message = format!("there is no dataset `{slug}` that the institution sees");
        DirectoryError::NotFound(message)
    })?;
    let Supply::Releases { current } = &dataset.supply else {
        let message = format!(
            "`{slug}` is stripped in flight and has no release that stays the same, which a link \
             needs"
        );
        return Err(DirectoryError::Invalid(message));
    };
    let release = request.release.as_ref().unwrap_or(current);
    let row: ReleaseRow = tx.release(dataset.id, release)?.ok_or_else(|| {
        DirectoryError::NotFound(format!("the dataset `{slug}` has no release `{release}`"))
    })?;
    let ids = row.ids(request.ids).ok_or_else(|| {
        let kind = request.ids.title();
        DirectoryError::NotFound(format!("the dataset `{slug}` has no {kind} IDs"))
    })?;
    let first = request.offset.unwrap_or(0);
    if first >= ids || request.limit == Some(0) {
        let message = format!("there are {ids} IDs: offset must be less, and limit 1 at least");
        return Err(DirectoryError::Invalid(message));
    }
    let end = request.limit.map_or(ids, |limit| first.saturating_add(limit).min(ids));
    Ok(Selected { dataset: dataset.id, release: row.id, first, end })
}

/// How many downloads may begin, and how many IDs the link may hand out; `left_ids` is what other
/// links leave of the exemption, if that has a ceiling.
fn limits(
    profile: &Profile,
    request: &Make,
    left_ids: Option<u64>,
    selected: &Selected,
) -> Result<(u32, u64), DirectoryError> {
    let ids = selected.end - selected.first;
    let invalid = |message| Err(DirectoryError::Invalid(message));
    let downloads_max = request.downloads_max.unwrap_or(profile.share_downloads_usual);
    if !(1..=DOWNLOADS_MAX).contains(&downloads_max) {
        return invalid(format!("a link is for 1 to {DOWNLOADS_MAX} downloads"));
    }
    // What the database can count, and more than anybody has.
    let most = left_ids.unwrap_or(u64::MAX).min(i64::MAX as u64);
    if ids > most {
        return invalid(format!(
            "{most} IDs are left of what the exemption allows for all its links together, and a \
             download would have {ids}; select fewer, or ask for an exemption that allows more"
        ));
    }
    let ids_max = request.ids_max.unwrap_or(ids.saturating_mul(downloads_max.into())).min(most);
    if ids_max < ids {
        return invalid(format!(
            "a limit of {ids_max} IDs does not suffice for one download, which has {ids}"
        ));
    }
    Ok((downloads_max, ids_max))
}

fn check_end(now_ms: i64, profile: &Profile, expires_ms: i64) -> Result<(), DirectoryError> {
    let days_max = profile.share_days_max;
    let latest_ms = now_ms + i64::from(days_max) * DAY_MS;
    let message = if expires_ms <= now_ms {
        format!("the end {} has passed; give a later one", rfc3339(expires_ms))
    } else if expires_ms > latest_ms {
        format!(
            "a link lives for {days_max} days at most; give an end up to {}",
            rfc3339(latest_ms)
        )
    } else {
        return Ok(());
    };
    Err(DirectoryError::Invalid(message))
}

/// The link with that number.
///
/// # Errors
/// [`DirectoryError::NotFound`].
pub fn find(tx: &Tx<'_>, share: ShareId) -> Result<ShareRow, DirectoryError> {
    tx.share(share)?.ok_or_else(|| {
        let message = format!("there is no link {}; `hydrant share list` shows them", share.0);
        DirectoryError::NotFound(message)
    })
}

/// Lets a link live up to `until_ms`, under the exemption that is in force now.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if it was ended for good, or no
/// exemption is in force; [`DirectoryError::Invalid`] for the end.
pub fn extend(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    profile: &Profile,
    share: ShareId,
    until_ms: i64,
) -> Result<ShareRow, DirectoryError> {
    let mut row = find_open(tx, share)?;
    check_end(now_ms, profile, until_ms)?;
    if until_ms < row.expires_ms {
        let message = format!(
            "link {} lives up to {} already; `hydrant share revoke {}` ends it",
            share.0,
            rfc3339(row.expires_ms),
            share.0
        );
        return Err(DirectoryError::Invalid(message));
    }
    let titles = tx.titles(row.entity, now_ms)?;
    if profile.exemption(row.kind, row.exemption, &titles).is_none() {
        let found = exemption_of(tx, now_ms, profile, row.entity, row.kind)?;
        row.exemption = found.map(|found| found.exemption).ok_or_else(|| {
            let message = "no exemption of the institution is in force, so the link would hand out \
                           nothing";
            DirectoryError::Conflict(message.into())
        })?;
    }
    row.expires_ms = until_ms;
    tx.share_update(&row)?;
    let leaf = Leaf::ShareExtended {
        link: row.id,
        exemption: row.exemption,
        expires_ms: until_ms,
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    Ok(row)
}

/// Makes a link a page with names, which stays; downloads end at their next chunk.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if it was ended for good.
pub fn publish(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    share: ShareId,
) -> Result<ShareRow, DirectoryError> {
    let mut row = find_open(tx, share)?;
    row.published_ms = Some(now_ms);
    tx.share_update(&row)?;
    let leaf = Leaf::SharePublished { link: row.id, actor: name::of_actor(tx, actor)? };
    audit::append(tx, now_ms, &leaf)?;
    Ok(row)
}

/// Ends a link for good, and the page that it may have become; downloads end at their next chunk.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if it is revoked already.
pub fn revoke(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    share: ShareId,
) -> Result<ShareRow, DirectoryError> {
    let mut row = find(tx, share)?;
    if let Some(revoked_ms) = row.revoked_ms {
        let message = format!("link {} was revoked at {} already", share.0, rfc3339(revoked_ms));
        return Err(DirectoryError::Conflict(message));
    }
    row.revoked_ms = Some(now_ms);
    tx.share_update(&row)?;
    let leaf = Leaf::ShareRevoked { link: row.id, actor: name::of_actor(tx, actor)? };
    audit::append(tx, now_ms, &leaf)?;
    Ok(row)
}

/// Ends all links that `person` made.
///
/// # Errors
/// As [`revoke`].
pub(super) fn revoke_all(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    person: PersonId,
) -> Result<(), DirectoryError> {
    for row in tx.shares(Some(person))? {
        if row.revoked_ms.is_none() {
            revoke(tx, now_ms, actor, row.id)?;
        }
    }
    Ok(())
}

/// The link with that number, if nobody has ended it for good.
fn find_open(tx: &Tx<'_>, share: ShareId) -> Result<ShareRow, DirectoryError> {
    let row = find(tx, share)?;
    let how = match (row.revoked_ms, row.published_ms) {
        (Some(_), _) => "revoked",
        (None, Some(_)) => "a page with names",
        (None, None) => return Ok(row),
    };
    Err(DirectoryError::Conflict(format!("link {} is {how} already", share.0)))
}
