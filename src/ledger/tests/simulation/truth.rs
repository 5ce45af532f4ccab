//! What is true: a naive list of who was handed what and when, and which entities that counts at;
//! it knows nothing of buckets, meters or holds.

use std::collections::BTreeSet;
use std::ops::Range;

/// Whether orders have IDs in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ids {
    /// No two have: both readings of the rule come to the same.
    OfTheirOrder,
    /// All take from the same few, and each ID counts once at an entity.
    Common,
}

/// A chunk that may have been handed over.
#[derive(Debug)]
struct Handed {
    /// To whom, by number.
    person: usize,
    /// The entities that have it, by number.
    entities: BTreeSet<usize>,
    /// Which IDs, by ordinal of the order's release.
    ordinals: Range<u64>,
    /// When the last byte of it can have arrived, in true milliseconds; `None`: not yet.
    until_ms: Option<i64>,
}

/// Everything that may have been handed over.
pub(super) struct Truth {
    ids: Ids,
    handed: Vec<Handed>,
}

/// What a join or a merge brings along.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Brought {
    /// How many chunks, whenever they arrived.
    pub(super) chunks: u64,
    /// How many of them are not said to have arrived.
    pub(super) open_chunks: u64,
}

impl Truth {
    pub(super) fn new(ids: Ids) -> Truth {
        Truth { ids, handed: Vec::new() }
    }

    /// Enters a chunk, and returns its number.
    pub(super) fn hand(
        &mut self,
        person: usize,
        entities: &BTreeSet<usize>,
        ordinals: Range<u64>,
    ) -> usize {
        let entities = entities.clone();
        self.handed.push(Handed { person, entities, ordinals, until_ms: None });
        self.handed.len() - 1
    }

    /// No byte of that chunk was ever sent.
    pub(super) fn take_back(&mut self, number: usize) {
        self.handed[number].ordinals = 0..0;
    }

    /// All of that chunk has arrived by now, or never will.
    pub(super) fn arrived(&mut self, number: usize, now_ms: i64) {
        self.handed[number].until_ms = Some(now_ms);
    }

    /// `person` joins `entity`: whatever they were handed, it has as well, since the same time.
    pub(super) fn join(&mut self, person: usize, entity: usize) -> Brought {
        self.bring(entity, |handed| handed.person == person)
    }

    /// Whatever `source` has, `target` has as well, since the same time.
    pub(super) fn merge(&mut self, source: usize, target: usize) -> Brought {
        self.bring(target, |handed| handed.entities.contains(&source))
    }

    fn bring(&mut self, entity: usize, what: impl Fn(&Handed) -> bool) -> Brought {
        let mut brought = Brought::default();
        for handed in self.handed.iter_mut().filter(|handed| what(handed)) {
            if handed.entities.insert(entity) && !handed.ordinals.is_empty() {
                brought.chunks += 1;
                brought.open_chunks += u64::from(handed.until_ms.is_none());
            }
        }
        brought
    }

    /// How many IDs that count `entity` may have received after `since_ms`.
    pub(super) fn received(&self, entity: usize, since_ms: i64) -> u64 {
        match self.ids {
            Ids::OfTheirOrder => self.handed_over(entity, since_ms),
            Ids::Common => {
                let ordinals = self.of(entity, since_ms).flat_map(|handed| handed.ordinals.clone());
                ordinals.collect::<BTreeSet<u64>>().len() as u64
            }
        }
    }

    /// How many IDs `entity` may have received after `since_ms`, each as often as it was handed
    /// over.
    pub(super) fn handed_over(&self, entity: usize, since_ms: i64) -> u64 {
        self.of(entity, since_ms).map(|handed| handed.ordinals.end - handed.ordinals.start).sum()
    }

    fn of(&self, entity: usize, since_ms: i64) -> impl Iterator<Item = &Handed> {
        self.handed
            .iter()
            .filter(move |handed| handed.entities.contains(&entity))
            .filter(move |handed| handed.until_ms.is_none_or(|until_ms| until_ms > since_ms))
    }
}
