//! Whether an ID is removed, asked of the store, with a filter in front that says "certainly not"
//! of most and decides nothing else.
//!
//! The story: a filter holds every ID of which an import in force says that it goes. It belongs to
//! one version of the removals; whoever asks reads the version in the same look as the events, and
//! a filter of another version is built anew. So a filter never hides what was committed before
//! the look, whichever gateway committed it.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use bloomfilter::Bloom;

use super::event::is_removed;
use super::{Event, KINDS, List};
use crate::base::ids::IdKind;
use crate::pipeline::Removed;
use crate::store::{RemovalEventRow, Store, StoreError, Tx};

/// How often the filter says "perhaps" of an ID that no list names.
const FALSE_POSITIVES: f64 = 0.01;

/// How many rows are read together while a filter is built.
const PAGE_ROWS: u32 = 16_384;

/// Knows what is removed. Clones share it.
#[derive(Clone)]
pub struct Known(Arc<Shared>);

struct Shared {
    store: Store,
    filter: Mutex<Option<Arc<Filter>>>,
    #[cfg(test)]
    instead: Option<Instead>,
}

/// What says in a test which IDs are certainly not removed.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) enum Instead {
    /// None: each is perhaps removed.
    AlwaysPerhaps,
    /// Every one, which is wrong.
    AlwaysNot,
    /// Of those that are certainly not some by chance.
    Random,
}

/// The IDs that lists name, of one version of the removals.
struct Filter {
    version: i64,
    of: HashMap<IdKind, Bloom<u64>>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Known")
    }
}

impl Known {
    /// Knows what the store says is removed.
    pub fn new(store: Store) -> Known {
        Known(Arc::new(Shared {
            store,
            filter: Mutex::default(),
            #[cfg(test)]
            instead: None,
        }))
    }

    #[cfg(test)]
    pub(super) fn replaced(store: Store, instead: Instead) -> Known {
        let filter = Mutex::default();
        Known(Arc::new(Shared { store, filter, instead: Some(instead) }))
    }

    /// The version of the removals: it grows with every commit of removals, so whoever keeps
    /// something of before compares it with the version of then.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn version(&self) -> Result<i64, StoreError> {
        self.0.store.read(|tx| tx.removal_version())
    }

    /// Which of these IDs of `kind` are removed now, in their order. For Tweets this says nothing
    /// of their authors.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn removed_among(&self, kind: IdKind, elements: &[u64]) -> Result<Vec<bool>, StoreError> {
        if elements.is_empty() || kind == IdKind::Dm {
            return Ok(vec![false; elements.len()]);
        }
        self.0.store.read(|tx| self.removed_in(tx, kind, elements))
    }

    /// As [`Known::removed_among`], within a look.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn removed_in(
        &self,
        tx: &Tx<'_>,
        kind: IdKind,
        elements: &[u64],
    ) -> Result<Vec<bool>, StoreError> {
        let mut removed = vec![false; elements.len()];
        let version = tx.removal_version()?;
        if version == 0 {
            return Ok(removed);
        }
        let filter = self.filter(tx, version)?;
        let mut suspects: Vec<u64> = elements
            .iter()
            .copied()
            .filter(|element| self.perhaps(&filter, kind, *element))
            .collect();
        if suspects.is_empty() {
            return Ok(removed);
        }
        suspects.sort_unstable();
        suspects.dedup();
        let mut said = tx.removal_events_about(kind, &suspects, None)?;
        said.sort_unstable();
        let gone: Vec<u64> = said
            .chunk_by(|one, other| one.element == other.element)
            .filter(|said| is_removed(said))
            .map(|said| said[0].element)
            .collect();
        for (removed, element) in removed.iter_mut().zip(elements) {
            *removed = gone.binary_search(element).is_ok();
        }
        Ok(removed)
    }

    fn perhaps(&self, filter: &Filter, kind: IdKind, element: u64) -> bool {
        let perhaps = filter.of.get(&kind).is_some_and(|bloom| bloom.check(&element));
        #[cfg(test)]
        match self.0.instead {
            Some(Instead::AlwaysPerhaps) => return true,
            Some(Instead::AlwaysNot) => return false,
            Some(Instead::Random) => return perhaps || rand::random(),
            None => {}
        }
        perhaps
    }

    /// The filter of that version, which is the present one of `tx`.
    fn filter(&self, tx: &Tx<'_>, version: i64) -> Result<Arc<Filter>, StoreError> {
        // Held while one is built: everybody else would build the same one.
        let mut kept = self.0.filter.lock().expect("nobody panics while they hold the filter");
        if let Some(filter) = kept.as_ref().filter(|filter| filter.version == version) {
            return Ok(Arc::clone(filter));
        }
        let filter = Arc::new(Filter::build(tx, version)?);
        // A look may see an older version than an earlier one did; the newer filter stays.
        if kept.as_ref().is_none_or(|kept| kept.version < version) {
            *kept = Some(Arc::clone(&filter));
        }
        Ok(filter)
    }
}

impl Filter {
    fn build(tx: &Tx<'_>, version: i64) -> Result<Filter, StoreError> {
        let mut of = HashMap::new();
        for kind in KINDS {
            let mut elements = Vec::new();
            let mut after = None;
            loop {
                let rows = tx.removal_events_after(kind, after, PAGE_ROWS)?;
                let Some(last) = rows.last() else { break };
                // Rows of the last ID that are on no page say no more than that it is named.
                after = Some(last.element);
                elements.extend(rows.iter().map(|row| row.element));
            }
            // Chance makes the two halves of the seed differ: equal ones would ruin the filter.
            let seed: [u8; 32] = rand::random();
            let count = elements.len().max(1);
            let bloom = Bloom::new_for_fp_rate_with_seed(count, FALSE_POSITIVES, &seed);
            let mut bloom = bloom.expect("every seed will do");
            elements.iter().for_each(|element| bloom.set(element));
            of.insert(kind, bloom);
        }
        Ok(Filter { version, of })
    }
}

impl Removed for Known {
    fn mark(
        &self,
        kind: IdKind,
        ids: &[u64],
        authors: &[Option<u64>],
        gone: &mut [bool],
    ) -> io::Result<()> {
        let known: Vec<u64> = authors.iter().flatten().copied().collect();
        if kind == IdKind::Dm && known.is_empty() {
            gone.fill(false);
            return Ok(());
        }
        // In one look, so that both are of one version.
        let found = self.0.store.read(|tx| -> Result<_, StoreError> {
            Ok((self.removed_in(tx, kind, ids)?, self.removed_in(tx, IdKind::User, &known)?))
        });
        let (found, of_authors) = found.map_err(io::Error::other)?;
        let mut of_authors = of_authors.into_iter();
        for ((gone, found), author) in gone.iter_mut().zip(found).zip(authors) {
            let of_author = author.is_some() && of_authors.next() == Some(true);
            *gone = found || of_author;
        }
        Ok(())
    }
}

/// What one list removes, without a store: for `hydrant strip --removals`.
#[derive(Debug)]
pub struct Listed {
    tweets: Vec<u64>,
    users: Vec<u64>,
}

impl Listed {
    /// What is removed if this list is all that is said.
    pub fn of(list: &List) -> Listed {
        let of_kind = |kind| {
            let rows = list.events.iter().filter(|event: &&Event| event.kind == kind);
            let rows: Vec<RemovalEventRow> = rows.map(|event| event.row(i64::MAX)).collect();
            rows.chunk_by(|one, other| one.element == other.element)
                .filter(|said| is_removed(said))
                .map(|said| said[0].element)
                .collect()
        };
        Listed { tweets: of_kind(IdKind::Tweet), users: of_kind(IdKind::User) }
    }
}

impl Removed for Listed {
    fn mark(
        &self,
        kind: IdKind,
        ids: &[u64],
        authors: &[Option<u64>],
        gone: &mut [bool],
    ) -> io::Result<()> {
        let own = match kind {
            IdKind::Tweet => &self.tweets[..],
            IdKind::User => &self.users[..],
            IdKind::Dm => &[],
        };
        let holds = |list: &[u64], id: &u64| list.binary_search(id).is_ok();
        for ((gone, id), author) in gone.iter_mut().zip(ids).zip(authors) {
            let of_author = author.as_ref().is_some_and(|author| holds(&self.users, author));
            *gone = of_author || holds(own, id);
        }
        Ok(())
    }
}
