//! Filters in memory in front of what recipients have: which elements are certainly new to one.
//! They save looks into the tables and decide nothing: whatever a filter says, the same is
//! charged.
//!
//! The story: a filter is built from a meter's rows beside the writer when an order is about to be
//! admitted, and told of every element that this gateway charges from then on. Other gateways on
//! the same database charge what it never hears of, so its "certainly new" may be wrong; whoever
//! writes the charge notices, and says so here. A filter that is full, or was wrong too often, is
//! forgotten and built anew.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use bloomfilter::Bloom;

use crate::store::{StoreError, Tx};

/// How often a filter says "perhaps" of an element that is new.
const FALSE_POSITIVES: f64 = 0.01;

/// The fewest elements that a filter is made for.
const ELEMENTS_MIN: u64 = 4_096;

/// The most elements that a filter is made for: 25 MB. A meter of more has none.
const ELEMENTS_MAX: u64 = 1 << 24;

/// How many bytes all filters take together, beyond the one that was used last.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// How often a filter may be wrong before it is built anew.
const WRONG_MAX: u64 = 4_096;

/// Elements as a filter sees them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sorted {
    /// Certainly new, as far as this gateway knows; ascending.
    pub(super) new: Vec<u64>,
    /// Perhaps not new; ascending.
    pub(super) perhaps: Vec<u64>,
}

/// The filters of all meters, as many as there is memory for.
#[derive(Default)]
pub(super) struct Filters {
    kept: Mutex<Kept>,
    #[cfg(test)]
    instead: Option<Instead>,
}

/// What says in a test which elements are certainly new.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) enum Instead {
    /// Every element is perhaps not new.
    AlwaysPerhaps,
    /// Every element is certainly new.
    AlwaysNew,
    /// Chance decides.
    Random,
}

#[derive(Default)]
struct Kept {
    by_meter: HashMap<i64, Filter>,
    /// Counts the uses of all filters.
    uses: u64,
}

struct Filter {
    bloom: Bloom<u64>,
    elements: u64,
    elements_max: u64,
    wrong: u64,
    last_use: u64,
}

impl Filter {
    fn new(ceiling_ids: u64) -> Filter {
        let elements_max = ceiling_ids.clamp(ELEMENTS_MIN, ELEMENTS_MAX);
        // A filter forgets nothing: elements that have left the window stay in it for a while.
        let elements_max = elements_max + elements_max / 4;
        let count = usize::try_from(elements_max).expect("it is small");
        // The two halves of a seed key two hash functions: were they equal, so would the functions
        // be. Chance makes them differ, and differ from those of any other filter.
        let seed: [u8; 32] = rand::random();
        let bloom = Bloom::new_for_fp_rate_with_seed(count, FALSE_POSITIVES, &seed);
        let bloom = bloom.expect("every seed will do");
        Filter { bloom, elements: 0, elements_max, wrong: 0, last_use: 0 }
    }

    fn add(&mut self, element: u64) {
        if !self.bloom.check_and_set(&element) {
            self.elements += 1;
        }
    }

    fn bytes(&self) -> usize {
        (self.bloom.len() / 8) as usize
    }

    fn is_worn_out(&self) -> bool {
        self.elements > self.elements_max || self.wrong > WRONG_MAX
    }
}

impl Filters {
    #[cfg(test)]
    pub(super) fn replaced(instead: Instead) -> Filters {
        Filters { kept: Mutex::default(), instead: Some(instead) }
    }

    /// How many bytes all of them take.
    pub(super) fn bytes(&self) -> usize {
        self.kept().by_meter.values().map(Filter::bytes).sum()
    }

    /// Sorts `elements` by what is known of them; without a filter each is perhaps not new.
    pub(super) fn sort(&self, meter_id: i64, elements: &[u64]) -> Sorted {
        #[cfg(test)]
        if let Some(instead) = self.instead {
            return instead.sort(elements);
        }
        let mut kept = self.kept();
        let Some(filter) = kept.used(meter_id) else {
            return Sorted { new: Vec::new(), perhaps: elements.to_owned() };
        };
        let (perhaps, new) = elements.iter().partition(|&element| filter.bloom.check(element));
        Sorted { new, perhaps }
    }

    /// Remembers that the recipient of a meter is charged for `elements`.
    pub(super) fn add(&self, meter_id: i64, elements: &[u64]) {
        let mut kept = self.kept();
        let Some(filter) = kept.used(meter_id) else { return };
        elements.iter().for_each(|element| filter.add(*element));
        if filter.is_worn_out() {
            kept.by_meter.remove(&meter_id);
        }
    }

    /// Notes that so many elements were not new of which the filter said that they were.
    pub(super) fn was_wrong(&self, meter_id: i64, elements: u64) {
        if let Some(filter) = self.kept().used(meter_id) {
            filter.wrong += elements;
        }
    }

    /// Makes an empty filter for a meter that has none and whose recipient has nothing.
    pub(super) fn begin(&self, meter_id: i64, ceiling_ids: u64) {
        if ceiling_ids <= ELEMENTS_MAX && !self.knows(meter_id) {
            self.keep(meter_id, Filter::new(ceiling_ids));
        }
    }

    /// Builds the filter of a meter from its rows, if it has none.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub(super) fn build(
        &self,
        tx: &Tx<'_>,
        meter_id: i64,
        ceiling_ids: u64,
    ) -> Result<(), StoreError> {
        if self.knows(meter_id) {
            return Ok(());
        }
        // A ceiling that was lowered may leave more there than it allows.
        let elements = ceiling_ids.max(tx.seen_counted(meter_id, i64::MIN)?);
        if elements > ELEMENTS_MAX {
            return Ok(());
        }
        let mut filter = Filter::new(elements);
        tx.seen_each(meter_id, |element| filter.add(element))?;
        self.keep(meter_id, filter);
        Ok(())
    }

    /// Whether a meter has a filter.
    pub(super) fn knows(&self, meter_id: i64) -> bool {
        self.kept().by_meter.contains_key(&meter_id)
    }

    fn keep(&self, meter_id: i64, filter: Filter) {
        let mut kept = self.kept();
        kept.by_meter.insert(meter_id, filter);
        kept.used(meter_id);
        kept.forget_unused();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("nobody panics while they hold the filters")
    }
}

impl Kept {
    fn used(&mut self, meter_id: i64) -> Option<&mut Filter> {
        self.uses += 1;
        let filter = self.by_meter.get_mut(&meter_id)?;
        filter.last_use = self.uses;
        Some(filter)
    }

    /// Forgets the filters that were used longest ago, until the others have room.
    fn forget_unused(&mut self) {
        while self.by_meter.len() > 1
            && self.by_meter.values().map(Filter::bytes).sum::<usize>() > BYTES_MAX
        {
            let oldest = self.by_meter.iter().min_by_key(|(_, filter)| filter.last_use);
            let (&meter_id, _) = oldest.expect("there are several");
            self.by_meter.remove(&meter_id);
        }
    }
}

#[cfg(test)]
impl Instead {
    fn sort(self, elements: &[u64]) -> Sorted {
        let (new, perhaps) = elements.iter().partition(|_| match self {
            Instead::AlwaysPerhaps => false,
            Instead::AlwaysNew => true,
            Instead::Random => rand::random(),
        });
        Sorted { new, perhaps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Snowflakes of one second each, from `first` on.
    fn elements(first: u64, count: u64) -> Vec<u64> {
        (first..first + count).map(|second| (second * 1_000) << 22).collect()
    }

    /// How many of 100,000 new elements in 1,000 a bloom filter with that seed takes for known,
    /// with 100,000 in it.
    fn false_positives(seed: [u8; 32]) -> usize {
        let mut bloom = Bloom::new_for_fp_rate_with_seed(100_000, FALSE_POSITIVES, &seed).unwrap();
        elements(0, 100_000).iter().for_each(|element| bloom.set(element));
        elements(100_000, 100_000).iter().filter(|element| bloom.check(element)).count() / 100
    }

    #[test]
    fn a_seed_of_two_equal_halves_would_ruin_a_filter_and_no_filter_has_one() {
        assert!(false_positives([7; 32]) > 25, "the trap is still there");
        let seeds: Vec<[u8; 32]> = (0..100).map(|_| Filter::new(1).bloom.seed()).collect();
        for (number, seed) in seeds.iter().enumerate() {
            assert_ne!(seed[..16], seed[16..]);
            assert!(!seeds[..number].contains(seed), "each filter has a seed of its own");
        }
        assert!(false_positives(seeds[0]) < 20);
    }

    #[test]
    fn what_was_added_is_never_called_new_and_few_others_are_called_known() {
        let filters = Filters::default();
        let known = elements(0, 50_000);
        assert_eq!(filters.sort(1, &known).perhaps, known, "without a filter nothing is certain");
        filters.begin(1, 50_000);
        filters.add(1, &known);
        assert_eq!(filters.sort(1, &known), Sorted { new: Vec::new(), perhaps: known });
        let others = elements(50_000, 50_000);
        let Sorted { new, perhaps } = filters.sort(1, &others);
        assert!(perhaps.len() < 1_000, "{}", perhaps.len());
        assert_eq!(new.len() + perhaps.len(), others.len());
        assert_eq!(filters.sort(2, &others).perhaps, others, "each meter has a filter of its own");
    }

    #[test]
    fn a_filter_that_is_full_or_often_wrong_is_forgotten() {
        for spoil in [
            |filters: &Filters| filters.add(1, &elements(0, 2 * ELEMENTS_MIN)),
            |filters: &Filters| {
                filters.was_wrong(1, WRONG_MAX + 1);
                filters.add(1, &[1]);
            },
        ] {
            let filters = Filters::default();
            filters.begin(1, 1);
            assert!(filters.knows(1));
            spoil(&filters);
            assert!(!filters.knows(1));
        }
    }

    #[test]
    fn filters_stay_within_their_memory_and_the_least_used_go_first() {
        let filters = Filters::default();
        for meter_id in 0..40 {
            filters.begin(meter_id, 1_500_000);
            filters.sort(0, &[1]);
        }
        let kept = filters.kept();
        assert!(kept.by_meter.values().map(Filter::bytes).sum::<usize>() <= BYTES_MAX);
        assert!(kept.by_meter.len() > 20, "{}", kept.by_meter.len());
        for (meter_id, is_kept) in [(0, true), (1, false), (39, true)] {
            assert_eq!(kept.by_meter.contains_key(&meter_id), is_kept, "{meter_id}");
        }
    }
}
