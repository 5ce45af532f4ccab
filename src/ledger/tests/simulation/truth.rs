//! What is true: a naive list of who was handed what and when, that knows nothing of buckets,
//! meters or holds.

use std::ops::Range;

/// A chunk that may have been handed over.
#[derive(Debug)]
pub(super) struct Handed {
    /// The entities that have it, by number.
    pub(super) entities: Vec<usize>,
    /// Which IDs, by ordinal of the one release.
    pub(super) ordinals: Range<u64>,
    /// When the last byte of it can have arrived, in true milliseconds; `None`: not yet.
    pub(super) until_ms: Option<i64>,
}

/// Everything that may have been handed over.
#[derive(Default)]
pub(super) struct Truth {
    pub(super) handed: Vec<Handed>,
}

impl Truth {
    /// Enters a chunk, and returns its number.
    pub(super) fn hand(&mut self, entities: &[usize], ordinals: Range<u64>) -> usize {
        let entities = entities.to_vec();
        self.handed.push(Handed { entities, ordinals, until_ms: None });
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

    /// How many IDs `entity` may have received after `since_ms`, each as often as it was handed
    /// over.
    pub(super) fn received(&self, entity: usize, since_ms: i64) -> u64 {
        self.handed
            .iter()
            .filter(|handed| handed.entities.contains(&entity))
            .filter(|handed| handed.until_ms.is_none_or(|until_ms| until_ms > since_ms))
            .map(|handed| handed.ordinals.end - handed.ordinals.start)
            .sum()
    }
}
