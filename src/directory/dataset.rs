//! Datasets as an operator enters them: their names, who sees them, and which release is current;
//! not what lies in a release (that is `release`).

use serde::{Deserialize, Serialize};

use super::{DirectoryError, entity, not_found, text};
use crate::audit::{self, Leaf, name};
use crate::base::date::{NotADate, begin_ms, rfc3339};
use crate::base::ids::IdKind;
use crate::base::party::{Actor, EntityId};
use crate::store::{DatasetRow, NewDataset, ReleaseRow, Supply, Tx, Visibility};

/// Longest title.
const TITLE_CHARS_MAX: usize = 300;

/// Bytes of a release's ID: a SHA-256 in hexadecimal.
const RELEASE_ID_BYTES: usize = 64;

/// A new dataset, as an operator describes it before anything is built.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its short name.
    pub slug: String,
    /// Its name for people.
    pub title: String,
    /// Which kinds of IDs its releases hold.
    pub ids: Vec<IdKind>,
    /// How far the IDs are looked for: `own`, `embedded`, `referenced`.
    pub scope: String,
    /// Who sees it.
    pub visibility: Visibility,
    /// The slugs of the entities that see it; empty unless the visibility is `entities`.
    pub entities: Vec<String>,
    /// Until when nobody sees it, in milliseconds UTC.
    pub embargo_ms: Option<i64>,
    /// The name in the settings of the upstream that it is stripped from in flight; without one
    /// it has releases.
    #[serde(default)]
    pub upstream: Option<String>,
}

/// A release that was built, as far as the directory knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuiltRelease {
    /// Its ID.
    pub id: String,
    /// How many IDs it has of each kind that it holds.
    pub counts: Vec<(IdKind, u64)>,
}

/// Whether the dataset could be entered now, so that nobody waits for a release in vain.
///
/// # Errors
/// [`DirectoryError::Invalid`], [`DirectoryError::Conflict`] if the slug is taken, or
/// [`DirectoryError::NotFound`] for an unknown entity.
pub fn check(tx: &Tx<'_>, plan: &Plan) -> Result<(), DirectoryError> {
    accept(tx, plan).map(|_| ())
}

/// Enters a dataset with its first release.
///
/// # Errors
/// As [`check`], and [`DirectoryError::Invalid`] if the release does not fit the plan.
pub fn register(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    plan: &Plan,
    release: &BuiltRelease,
) -> Result<DatasetRow, DirectoryError> {
    let (dataset, entities) = accept(tx, plan)?;
    assert!(dataset.upstream.is_none(), "a release is registered for a dataset that has releases");
    let id = tx.dataset_insert(&dataset, now_ms)?.ok_or_else(|| taken(&dataset.slug, None))?;
    for entity in entities {
        tx.dataset_entity_insert(id, entity)?;
    }
    make_current(tx, now_ms, id, &dataset.ids, release)?;
    let (release, actor) = (release.id.clone(), name::of_actor(tx, actor)?);
    audit::append(tx, now_ms, &Leaf::DatasetRegistered { dataset: id, release, actor })?;
    find(tx, &dataset.slug)
}

/// Enters a dataset that is stripped in flight from the upstream that the plan names.
///
/// # Errors
/// As [`check`], and [`DirectoryError::Invalid`] if the plan names no upstream.
pub fn register_stream(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    plan: &Plan,
) -> Result<DatasetRow, DirectoryError> {
    let (dataset, entities) = accept(tx, plan)?;
    let Some(upstream) = dataset.upstream.clone() else {
        let message = "a dataset that is stripped in flight needs an upstream".to_owned();
        return Err(DirectoryError::Invalid(message));
    };
    let id = tx.dataset_insert(&dataset, now_ms)?.ok_or_else(|| taken(&dataset.slug, None))?;
    for entity in entities {
        tx.dataset_entity_insert(id, entity)?;
    }
    let actor = name::of_actor(tx, actor)?;
    audit::append(tx, now_ms, &Leaf::DatasetStreamed { dataset: id, upstream, actor })?;
    find(tx, &dataset.slug)
}

/// Gives a dataset a release, which is served from now on where none is named.
///
/// # Errors
/// [`DirectoryError::NotFound`] for an unknown slug, [`DirectoryError::Invalid`] if the release
/// does not fit the dataset.
pub fn refresh(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    slug: &str,
    release: &BuiltRelease,
) -> Result<DatasetRow, DirectoryError> {
    let dataset = find(tx, slug)?;
    if let Supply::Upstream(upstream) = &dataset.supply {
        let message = format!(
            "the dataset `{slug}` is stripped in flight from the upstream `{upstream}` and has no \
             releases"
        );
        return Err(DirectoryError::Conflict(message));
    }
    make_current(tx, now_ms, dataset.id, &dataset.ids, release)?;
    let (release, actor) = (release.id.clone(), name::of_actor(tx, actor)?);
    audit::append(tx, now_ms, &Leaf::DatasetRefreshed { dataset: dataset.id, release, actor })?;
    find(tx, slug)
}

/// What shall become of a dataset's title and of who sees it; what is not named stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Which one.
    pub slug: String,
    /// Its name for people.
    pub title: Option<String>,
    /// Who sees it.
    pub visibility: Option<Visibility>,
    /// The slugs of the entities that see it, in place of those that do.
    pub entities: Option<Vec<String>>,
    /// When its embargo ends.
    pub embargo: Option<Embargo>,
}

/// When an embargo ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Embargo {
    /// At that time, in milliseconds UTC.
    UntilMs(i64),
    /// There is none.
    None,
}

impl From<Embargo> for String {
    fn from(embargo: Embargo) -> String {
        match embargo {
            Embargo::UntilMs(until_ms) => rfc3339(until_ms),
            Embargo::None => "none".to_owned(),
        }
    }
}

impl TryFrom<String> for Embargo {
    type Error = NotADate;

    fn try_from(text: String) -> Result<Embargo, NotADate> {
        match text.as_str() {
            "none" => Ok(Embargo::None),
            date => begin_ms(date).map(Embargo::UntilMs),
        }
    }
}

/// Changes a dataset's title and who sees it; a download under way goes on.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Invalid`] if nobody would see it, or entities
/// are named where all do; [`DirectoryError::Conflict`] if it is retired.
pub fn edit(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    request: &Edit,
) -> Result<DatasetRow, DirectoryError> {
    let mut row = in_use(tx, &request.slug)?;
    if let Some(title) = &request.title {
        row.title = text::line("the title", title, TITLE_CHARS_MAX)?;
    }
    row.visibility = request.visibility.unwrap_or(row.visibility);
    row.embargo_ms = match request.embargo {
        Some(Embargo::UntilMs(embargo_ms)) => Some(embargo_ms),
        Some(Embargo::None) => None,
        None => row.embargo_ms,
    };
    let mut entities = tx.dataset_entities(row.id)?;
    if row.visibility != Visibility::Entities {
        entities.clear();
    }
    if let Some(slugs) = &request.entities {
        let named = slugs.iter().map(|slug| Ok(entity::find(tx, slug)?.id));
        entities = named.collect::<Result<_, DirectoryError>>()?;
    }
    check_seen(row.visibility, entities.len())?;
    tx.dataset_set(&row)?;
    tx.dataset_entities_remove(row.id)?;
    let mut names = Vec::new();
    for entity in entities {
        tx.dataset_entity_insert(row.id, entity)?;
        names.push(name::of_entity(tx, entity)?);
    }
    let leaf = Leaf::DatasetEdited {
        dataset: row.id,
        visibility: row.visibility.word().to_owned(),
        entities: names,
        embargo_ms: row.embargo_ms,
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    find(tx, &request.slug)
}

/// Hides a dataset from everybody, for good; its releases stay on the disk.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if it is retired.
pub fn retire(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    slug: &str,
) -> Result<DatasetRow, DirectoryError> {
    let row = in_use(tx, slug)?;
    tx.dataset_set_retired(row.id, now_ms)?;
    let leaf = Leaf::DatasetRetired { dataset: row.id, actor: name::of_actor(tx, actor)? };
    audit::append(tx, now_ms, &leaf)?;
    find(tx, slug)
}

fn in_use(tx: &Tx<'_>, slug: &str) -> Result<DatasetRow, DirectoryError> {
    let row = find(tx, slug)?;
    match row.retired_ms {
        None => Ok(row),
        Some(_) => Err(DirectoryError::Conflict(format!("the dataset `{slug}` is retired"))),
    }
}

/// Whether somebody sees a dataset, and nobody is named in vain.
fn check_seen(visibility: Visibility, entities: usize) -> Result<(), DirectoryError> {
    match (visibility, entities) {
        (Visibility::Entities, 0) => Err(DirectoryError::Invalid(
            "with the visibility `entities` nobody would see the dataset; name those who may with \
             --entity SLUG"
                .into(),
        )),
        (Visibility::Public | Visibility::SignedIn, 1..) => Err(DirectoryError::Invalid(
            "entities are named only with the visibility `entities`".into(),
        )),
        _ => Ok(()),
    }
}

/// The dataset with that slug, whoever may see it.
///
/// # Errors
/// [`DirectoryError::NotFound`], with the nearest slug if one is near.
pub fn find(tx: &Tx<'_>, slug: &str) -> Result<DatasetRow, DirectoryError> {
    if let Some(row) = tx.dataset_by_slug(slug)? {
        return Ok(row);
    }
    let known = tx.datasets()?;
    let slugs = known.iter().map(|row| row.slug.as_str());
    Err(not_found("dataset", slug, slugs, "hydrant dataset list"))
}

fn accept(tx: &Tx<'_>, plan: &Plan) -> Result<(NewDataset, Vec<EntityId>), DirectoryError> {
    let invalid = |message: &str| Err(DirectoryError::Invalid(message.to_owned()));
    let slug = entity::slug(&plan.slug)?;
    if let Some(other) = tx.dataset_by_slug(&slug)? {
        return Err(taken(&slug, Some(&other.title)));
    }
    if plan.ids.is_empty() {
        return invalid("a dataset has at least one kind of IDs: tweet, user or dm");
    }
    check_seen(plan.visibility, plan.entities.len())?;
    let entities = plan.entities.iter().map(|slug| Ok(entity::find(tx, slug)?.id));
    let entities = entities.collect::<Result<_, DirectoryError>>()?;
    let dataset = NewDataset {
        slug,
        title: text::line("the title", &plan.title, TITLE_CHARS_MAX)?,
        ids: IdKind::ALL.into_iter().filter(|kind| plan.ids.contains(kind)).collect(),
        scope: plan.scope.clone(),
        visibility: plan.visibility,
        embargo_ms: plan.embargo_ms,
        upstream: plan.upstream.clone(),
    };
    Ok((dataset, entities))
}

fn make_current(
    tx: &Tx<'_>,
    now_ms: i64,
    dataset: i64,
    ids: &[IdKind],
    release: &BuiltRelease,
) -> Result<(), DirectoryError> {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if release.id.len() != RELEASE_ID_BYTES || !release.id.bytes().all(digit) {
        let message =
            format!("`{}` is no ID of a release, which has 64 hexadecimal digits", release.id);
        return Err(DirectoryError::Invalid(message));
    }
    if !release.counts.iter().map(|count| count.0).eq(ids.iter().copied()) {
        let message = "the release does not hold the kinds of IDs that the dataset has".to_owned();
        return Err(DirectoryError::Invalid(message));
    }
    tx.release_insert(dataset, &ReleaseRow::new(release.id.clone(), now_ms, &release.counts))?;
    tx.dataset_set_current(dataset, &release.id)?;
    Ok(())
}

fn taken(slug: &str, title: Option<&str>) -> DirectoryError {
    let title = title.map(|title| format!(": {title}")).unwrap_or_default();
    DirectoryError::Conflict(format!(
        "there is already a dataset `{slug}`{title}; choose another slug, or give it a new release \
         with `hydrant dataset refresh {slug}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::words::Sector;
    use crate::store::{Store, StoreError};
    use serde_json::json;

    fn plan(slug: &str) -> Plan {
        Plan {
            slug: slug.into(),
            title: "Storms of 2019".into(),
            ids: vec![IdKind::User, IdKind::Tweet],
            scope: "own".into(),
            visibility: Visibility::SignedIn,
            entities: Vec::new(),
            embargo_ms: None,
            upstream: None,
        }
    }

    fn release(digit: &str, kinds: &[IdKind]) -> BuiltRelease {
        let counts = kinds.iter().map(|&kind| (kind, 7)).collect();
        BuiltRelease { id: digit.repeat(RELEASE_ID_BYTES), counts }
    }

    /// Runs `work` in a store with one entity and one dataset, `storms`.
    fn in_store(work: impl FnOnce(&Tx<'_>, &Actor) + Send + 'static) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("test.sqlite")).unwrap();
        let actor = Actor::Local("ada".into());
        let done = store.write_blocking(move |tx| -> Result<(), StoreError> {
            let (slug, name) = ("example-university", "Example University");
            let request = entity::Add::new(slug, name, Sector::Academic);
            entity::add(tx, 1, &actor, &request).unwrap();
            let built = release("a", &[IdKind::Tweet, IdKind::User]);
            register(tx, 2, &actor, &plan("storms"), &built).unwrap();
            work(tx, &actor);
            Ok(())
        });
        done.unwrap();
    }

    #[test]
    fn a_dataset_has_its_kinds_in_order_and_one_current_release() {
        in_store(|tx, actor| {
            let row = find(tx, "storms").unwrap();
            assert_eq!(row.ids, [IdKind::Tweet, IdKind::User]);
            assert_eq!(row.supply.current_release().unwrap(), "a".repeat(64));
            let next = release("b", &[IdKind::Tweet, IdKind::User]);
            let row = refresh(tx, 3, actor, "storms", &next).unwrap();
            assert_eq!(row.supply.current_release().unwrap(), next.id);
            assert_eq!(tx.releases(row.id).unwrap().len(), 2);
            let leaves = tx.journal_from(3, 9).unwrap();
            let expected = json!({
                "at_ms": 3,
                "leaf": "dataset-refreshed",
                "dataset": 1,
                "release": next.id,
                "actor": "local:ada",
            });
            assert_eq!(leaves[0].leaf, expected.to_string());
        });
    }

    #[test]
    fn what_makes_no_sense_is_refused_before_anything_is_built() {
        let entities = Visibility::Entities;
        let of = |slug: &str| vec![slug.to_owned()];
        let near = of("example-universty");
        let cases = [
            (Plan { slug: "Storms".into(), ..plan("") }, "is no slug"),
            (plan("../etc"), "is no slug"),
            (plan("storms"), "there is already a dataset `storms`: Storms of 2019"),
            (Plan { title: " ".into(), ..plan("new") }, "the title is empty"),
            (Plan { ids: Vec::new(), ..plan("new") }, "at least one kind"),
            (Plan { visibility: entities, ..plan("new") }, "nobody would see"),
            (Plan { entities: of("example-university"), ..plan("new") }, "only with the visib"),
            (
                Plan { visibility: entities, entities: near, ..plan("new") },
                "did you mean `example-university`?",
            ),
        ];
        in_store(move |tx, _| {
            for (plan, expected) in cases {
                let message = check(tx, &plan).unwrap_err().to_string();
                assert!(message.contains(expected), "{message:?} lacks {expected:?}");
            }
            check(tx, &plan("new")).unwrap();
            assert_eq!(tx.datasets().unwrap().len(), 1);
        });
    }

    #[test]
    fn a_release_of_other_kinds_or_without_an_id_is_refused() {
        in_store(|tx, actor| {
            let both = [IdKind::Tweet, IdKind::User];
            for (built, expected) in [
                (release("c", &[IdKind::Tweet]), "does not hold the kinds"),
                (release("C", &both), "is no ID of a release"),
                (release("c/", &both), "is no ID of a release"),
            ] {
                let message = refresh(tx, 3, actor, "storms", &built).unwrap_err().to_string();
                assert!(message.contains(expected), "{message:?} lacks {expected:?}");
            }
            let unknown = refresh(tx, 3, actor, "storm", &release("c", &both)).unwrap_err();
            assert!(unknown.to_string().contains("did you mean `storms`?"), "{unknown}");
        });
    }
}
