//! The rows of datasets and of the entities that see them; who sees one is decided here, once,
//! for every route. The versions of a dataset are in `release.rs`.

use serde::{Deserialize, Serialize};

use crate::base::ids::IdKind;
use crate::base::party::EntityId;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// Who sees a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visibility {
    /// Everybody finds it in the catalogue; its IDs still need a key.
    Public,
    /// Everybody with a valid key or session.
    SignedIn,
    /// The people of the entities that are named for it.
    Entities,
}

impl Visibility {
    /// Every one, in the order in which people list them.
    pub const ALL: [Visibility; 3] =
        [Visibility::Public, Visibility::SignedIn, Visibility::Entities];

    /// The word of the command line and of the database: `public`, `signed-in`, `entities`.
    pub fn word(self) -> &'static str {
        match self {
            Visibility::Public => "public",
            Visibility::SignedIn => "signed-in",
            Visibility::Entities => "entities",
        }
    }

    /// The visibility that `word` names, if it names one.
    pub fn from_word(word: &str) -> Option<Visibility> {
        Visibility::ALL.into_iter().find(|visibility| visibility.word() == word)
    }
}

/// Where the IDs of a dataset come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Supply {
    /// They were copied into releases; the one that is served when none is named.
    Releases {
        /// Its ID.
        current: String,
    },
    /// They are stripped in flight from the upstream of that name in the settings.
    Upstream(String),
}

impl Supply {
    /// The word for it: `index` or `stream`.
    pub fn mode(&self) -> &'static str {
        match self {
            Supply::Releases { .. } => "index",
            Supply::Upstream(_) => "stream",
        }
    }

    /// The release that is served when none is named, where there are releases.
    pub fn current_release(&self) -> Option<&str> {
        match self {
            Supply::Releases { current } => Some(current),
            Supply::Upstream(_) => None,
        }
    }
}

/// A dataset before it has a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDataset {
    /// The name in URLs.
    pub slug: String,
    /// The name for people.
    pub title: String,
    /// Which kinds of IDs its releases hold.
    pub ids: Vec<IdKind>,
    /// How far the IDs were looked for: `own`, `embedded`, `referenced`.
    pub scope: String,
    /// Who sees it.
    pub visibility: Visibility,
    /// Until when nobody sees it, in milliseconds UTC.
    pub embargo_ms: Option<i64>,
    /// The upstream that it is stripped from in flight; without one it will have releases.
    pub upstream: Option<String>,
}

/// A dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetRow {
    /// Its row number.
    pub id: i64,
    /// The name in URLs.
    pub slug: String,
    /// The name for people.
    pub title: String,
    /// Which kinds of IDs its releases hold.
    pub ids: Vec<IdKind>,
    /// How far the IDs were looked for: `own`, `embedded`, `referenced`.
    pub scope: String,
    /// Where its IDs come from.
    pub supply: Supply,
    /// Who sees it.
    pub visibility: Visibility,
    /// Until when nobody sees it, in milliseconds UTC.
    pub embargo_ms: Option<i64>,
    /// When it was entered, in milliseconds UTC.
    pub created_ms: i64,
    /// Since when nobody sees it any more, in milliseconds UTC.
    pub retired_ms: Option<i64>,
}

const INSERT: &str = "
    INSERT INTO datasets
        (slug, title, ids, scope, mode, visibility, embargo_ms, created_ms, upstream)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (slug) DO NOTHING
    RETURNING id";
const INSERT_ENTITY: &str =
    "INSERT INTO dataset_entities (dataset_id, entity_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
const DELETE_ENTITIES: &str = "DELETE FROM dataset_entities WHERE dataset_id = ?1";
const UPDATE: &str =
    "UPDATE datasets SET title = ?2, visibility = ?3, embargo_ms = ?4 WHERE id = ?1";
const UPDATE_RETIRED: &str = "UPDATE datasets SET retired_ms = ?2 WHERE id = ?1";
const UPDATE_CURRENT: &str = "UPDATE datasets SET current_release = ?2 WHERE id = ?1";
const SELECT_BY_SLUG: &str = "
    SELECT id, slug, title, ids, scope, upstream, visibility, embargo_ms, created_ms, retired_ms,
           current_release
    FROM datasets WHERE slug = ?1";
const SELECT_BY_ID: &str = "
    SELECT id, slug, title, ids, scope, upstream, visibility, embargo_ms, created_ms, retired_ms,
           current_release
    FROM datasets WHERE id = ?1";
const SELECT_ALL: &str = "
    SELECT id, slug, title, ids, scope, upstream, visibility, embargo_ms, created_ms, retired_ms,
           current_release
    FROM datasets ORDER BY slug";
const SELECT_ENTITIES: &str =
    "SELECT entity_id FROM dataset_entities WHERE dataset_id = ?1 ORDER BY entity_id";
const SHARE_ENTITIES: &str = "
    INSERT INTO dataset_entities (dataset_id, entity_id)
    SELECT dataset_id, ?2 FROM dataset_entities WHERE entity_id = ?1
    ON CONFLICT DO NOTHING";
const DROP_ENTITY: &str = "DELETE FROM dataset_entities WHERE entity_id = ?1";

impl Tx<'_> {
    /// Enters a dataset, and returns its row number; `None` if there is one of that slug.
    /// Without an upstream it cannot be read back before [`Tx::release_insert`] and
    /// [`Tx::dataset_set_current`].
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn dataset_insert(
        &self,
        dataset: &NewDataset,
        created_ms: i64,
    ) -> Result<Option<i64>, StoreError> {
        let NewDataset { slug, title, ids, scope, visibility, embargo_ms, upstream } = dataset;
        let ids: Vec<&str> = ids.iter().map(|kind| kind.word()).collect();
        let ids = ids.join(",");
        let mode = if upstream.is_some() { "stream" } else { "index" };
        let (visibility, embargo_ms) = (visibility.word(), *embargo_ms);
        let values =
            values![slug, title, &ids, scope, mode, visibility, embargo_ms, created_ms, upstream];
        self.row(INSERT, values, |row| row.get(0))
    }

    /// Lets an entity see a dataset whose visibility is [`Visibility::Entities`].
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn dataset_entity_insert(&self, dataset: i64, entity: EntityId) -> Result<(), StoreError> {
        self.write(INSERT_ENTITY, values![dataset, entity])
    }

    /// Lets none of the entities that are named for a dataset see it any more.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn dataset_entities_remove(&self, dataset: i64) -> Result<(), StoreError> {
        self.write(DELETE_ENTITIES, values![dataset])
    }

    /// Writes the title, visibility and embargo of `row`.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn dataset_set(&self, row: &DatasetRow) -> Result<(), StoreError> {
        self.write(UPDATE, values![row.id, &row.title, row.visibility.word(), row.embargo_ms])
    }

    /// Hides a dataset from everybody from then on.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn dataset_set_retired(&self, dataset: i64, retired_ms: i64) -> Result<(), StoreError> {
        self.write(UPDATE_RETIRED, values![dataset, retired_ms])
    }

    /// Makes a release of the dataset the one that is served when none is named.
    ///
    /// # Errors
    /// [`StoreError`] of the update, also if the dataset has no such release.
    pub fn dataset_set_current(&self, dataset: i64, release: &str) -> Result<(), StoreError> {
        let rows = self.change(UPDATE_CURRENT, values![dataset, release])?;
        assert_eq!(rows, 1, "a release was made current for a dataset that has no row");
        Ok(())
    }

    /// The dataset of that slug, whoever may see it: for the operator's commands.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn dataset_by_slug(&self, slug: &str) -> Result<Option<DatasetRow>, StoreError> {
        self.row(SELECT_BY_SLUG, values![slug], dataset_row)
    }

    /// The dataset with that row number, whoever may see it.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn dataset_by_id(&self, id: i64) -> Result<Option<DatasetRow>, StoreError> {
        self.row(SELECT_BY_ID, values![id], dataset_row)
    }

    /// All datasets by slug, whoever may see them: for the operator's commands.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn datasets(&self) -> Result<Vec<DatasetRow>, StoreError> {
        self.rows(SELECT_ALL, values![], dataset_row)
    }

    /// Lets `target` see every dataset that names `source`, which sees them no longer, and
    /// returns how many there are.
    ///
    /// # Errors
    /// [`StoreError`] of the changes.
    pub fn dataset_entities_move(
        &self,
        source: EntityId,
        target: EntityId,
    ) -> Result<u64, StoreError> {
        self.write(SHARE_ENTITIES, values![source, target])?;
        self.change(DROP_ENTITY, values![source])
    }

    /// The entities that are named for a dataset, in the order of their numbers.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn dataset_entities(&self, dataset: i64) -> Result<Vec<EntityId>, StoreError> {
        self.rows(SELECT_ENTITIES, values![dataset], |row| row.get(0).map(EntityId))
    }

    /// The dataset of that slug, if a requester of these entities may know of it at `now_ms`.
    /// `entities` is `None` for somebody without key and session.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn dataset_visible_to(
        &self,
        slug: &str,
        entities: Option<&[EntityId]>,
        now_ms: i64,
    ) -> Result<Option<DatasetRow>, StoreError> {
        let Some(dataset) = self.dataset_by_slug(slug)? else { return Ok(None) };
        let visible = self.is_visible(&dataset, entities, now_ms)?;
        Ok(visible.then_some(dataset))
    }

    /// The catalogue of a requester: all datasets that [`Tx::dataset_visible_to`] would show.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn datasets_visible(
        &self,
        entities: Option<&[EntityId]>,
        now_ms: i64,
    ) -> Result<Vec<DatasetRow>, StoreError> {
        let mut visible = Vec::new();
        for dataset in self.datasets()? {
            if self.is_visible(&dataset, entities, now_ms)? {
                visible.push(dataset);
            }
        }
        Ok(visible)
    }

    fn is_visible(
        &self,
        dataset: &DatasetRow,
        entities: Option<&[EntityId]>,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let embargoed = dataset.embargo_ms.is_some_and(|until_ms| now_ms < until_ms);
        if embargoed || dataset.retired_ms.is_some() {
            return Ok(false);
        }
        match (dataset.visibility, entities) {
            (Visibility::Public, _) | (Visibility::SignedIn, Some(_)) => Ok(true),
            (Visibility::SignedIn | Visibility::Entities, None) => Ok(false),
            (Visibility::Entities, Some(entities)) => {
                let named = self.dataset_entities(dataset.id)?;
                Ok(entities.iter().any(|entity| named.contains(entity)))
            }
        }
    }
}

fn dataset_row(row: &Row<'_>) -> Result<DatasetRow, StoreError> {
    let ids: String = row.get(3)?;
    let visibility: String = row.get(6)?;
    Ok(DatasetRow {
        id: row.get(0)?,
        slug: row.get(1)?,
        title: row.get(2)?,
        ids: ids.split(',').filter_map(IdKind::from_word).collect(),
        scope: row.get(4)?,
        supply: match (row.get::<Option<String>>(5)?, row.get::<Option<String>>(10)?) {
            (Some(upstream), None) => Supply::Upstream(upstream),
            (None, Some(current)) => Supply::Releases { current },
            _ => return Err(StoreError::Damaged("where a dataset's IDs come from".into())),
        },
        // The column is checked; should a word be unknown all the same, few see it.
        visibility: Visibility::from_word(&visibility).unwrap_or(Visibility::Entities),
        embargo_ms: row.get(7)?,
        created_ms: row.get(8)?,
        retired_ms: row.get(9)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::fresh::on_every_engine;
    use crate::store::{ReleaseRow, Store};

    const NOW_MS: i64 = 1_000;

    fn add(tx: &Tx<'_>, slug: &str, visibility: Visibility, embargo_ms: Option<i64>) -> i64 {
        let dataset = NewDataset {
            slug: slug.into(),
            title: "Made up".into(),
            ids: vec![IdKind::Tweet, IdKind::Dm],
            scope: "own".into(),
            visibility,
            embargo_ms,
            upstream: None,
        };
        let id = tx.dataset_insert(&dataset, 5).unwrap().unwrap();
        assert_eq!(tx.dataset_insert(&dataset, 6).unwrap(), None, "a slug is given once");
        let counts = [(IdKind::Tweet, 7), (IdKind::Dm, 0)];
        let release = ReleaseRow::new("a".repeat(64), 5, &counts);
        tx.release_insert(id, &release).unwrap();
        tx.release_insert(id, &release).unwrap();
        tx.dataset_set_current(id, &release.id).unwrap();
        assert_eq!(tx.releases(id).unwrap(), std::slice::from_ref(&release));
        assert_eq!(tx.release(id, &release.id).unwrap(), Some(release));
        assert_eq!(tx.release(id, &"b".repeat(64)).unwrap(), None);
        id
    }

    fn enter_entities(tx: &Tx<'_>) {
        for (id, slug) in [(1_i64, "e1"), (2, "e2")] {
            let statement = "INSERT INTO entities (id, slug, name, sector, status, created_ms)
                             VALUES (?1, ?2, 'E', 'academic', 'active', 1)";
            tx.change(statement, values![id, slug]).unwrap();
        }
    }

    fn with_datasets(check: impl Fn(&Store)) {
        on_every_engine(|fresh| {
            let store = fresh.open();
            enter_datasets(&store);
            check(&store);
        });
    }

    fn enter_datasets(store: &Store) {
        store
            .write_blocking(|tx| -> Result<(), StoreError> {
                enter_entities(tx);
                add(tx, "open", Visibility::Public, None);
                add(tx, "members", Visibility::SignedIn, None);
                let named = add(tx, "named", Visibility::Entities, None);
                tx.dataset_entity_insert(named, EntityId(2))?;
                add(tx, "later", Visibility::Public, Some(NOW_MS + 1));
                add(tx, "since", Visibility::Public, Some(NOW_MS));
                let retired = add(tx, "retired", Visibility::Public, None);
                tx.dataset_set_retired(retired, 1)?;
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn each_requester_sees_what_is_meant_for_them_and_nothing_else_exists() {
        with_datasets(|store| {
            let (one, both) = ([EntityId(1)], [EntityId(1), EntityId(2)]);
            for (entities, expected) in [
                (None, vec!["open", "since"]),
                (Some(&[][..]), vec!["members", "open", "since"]),
                (Some(&one[..]), vec!["members", "open", "since"]),
                (Some(&both[..]), vec!["members", "named", "open", "since"]),
            ] {
                let seen = store.read(|tx| tx.datasets_visible(entities, NOW_MS)).unwrap();
                let slugs: Vec<&str> = seen.iter().map(|dataset| dataset.slug.as_str()).collect();
                assert_eq!(slugs, expected, "{entities:?}");
                for dataset in store.read(|tx| tx.datasets()).unwrap() {
                    let slug = dataset.slug.as_str();
                    let one = store.read(|tx| tx.dataset_visible_to(slug, entities, NOW_MS));
                    assert_eq!(one.unwrap().is_some(), expected.contains(&slug), "{slug}");
                }
            }
        });
    }

    #[test]
    fn a_dataset_reads_back_as_it_was_entered() {
        with_datasets(|store| {
            let named = store.read(|tx| tx.dataset_by_slug("named")).unwrap().unwrap();
            let same = store.read(|tx| tx.dataset_by_id(named.id)).unwrap();
            assert_eq!(same.as_ref(), Some(&named));
            assert_eq!(named.ids, [IdKind::Tweet, IdKind::Dm]);
            assert_eq!(named.visibility, Visibility::Entities);
            assert_eq!((named.created_ms, named.embargo_ms, named.retired_ms), (5, None, None));
            assert_eq!((named.scope.as_str(), named.supply.mode()), ("own", "index"));
            assert_eq!(named.supply.current_release(), Some(&*"a".repeat(64)));
        });
    }

    #[test]
    fn a_dataset_that_is_edited_reads_back_so() {
        with_datasets(|store| {
            let edited = store.write_blocking(|tx| -> Result<_, StoreError> {
                let mut row = tx.dataset_by_slug("named")?.unwrap();
                row.title = "Another".into();
                row.visibility = Visibility::Public;
                row.embargo_ms = Some(7);
                tx.dataset_set(&row)?;
                tx.dataset_entities_remove(row.id)?;
                assert_eq!(tx.dataset_entities(row.id)?, []);
                Ok((row, tx.dataset_by_slug("named")?.unwrap()))
            });
            let (wanted, found) = edited.unwrap();
            assert_eq!(wanted, found);
        });
    }

    #[test]
    fn a_dataset_that_is_stripped_in_flight_has_no_release() {
        with_datasets(|store| {
            let dataset = NewDataset {
                slug: "far".into(),
                title: "Made up".into(),
                ids: vec![IdKind::Tweet],
                scope: "own".into(),
                visibility: Visibility::Public,
                embargo_ms: None,
                upstream: Some("archive".into()),
            };
            store.write_blocking(move |tx| tx.dataset_insert(&dataset, 5)).unwrap().unwrap();
            let far = store.read(|tx| tx.dataset_by_slug("far")).unwrap().unwrap();
            assert_eq!(far.supply, Supply::Upstream("archive".into()));
        });
    }

    #[test]
    fn a_release_of_another_dataset_cannot_be_made_current() {
        with_datasets(|store| {
            let refused = store.write_blocking(|tx| tx.dataset_set_current(1, &"c".repeat(64)));
            assert!(matches!(refused, Err(StoreError::Database(_))), "{refused:?}");
        });
    }
}
