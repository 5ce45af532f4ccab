//! Whether the IDs of a column went through a floating-point number, told by many of them
//! together; one alone tells nothing, as 1 good ID in 42 ends in 00.
//!
//! Rounded IDs are the commonest damage of this field, and whoever publishes them publishes other
//! tweets. Only IDs above 2^53 can be rounded. Equal ones count once: a user whose ID ends in 00
//! may have written all tweets of a dataset. So that it costs next to nothing, all IDs of a
//! column's beginning are looked at, and later one of many.

use super::found::Found;
use super::reason::Reason;
use crate::base::ids::{Id, IdKind};

/// Up to here each whole number is a floating-point number of its own.
const EXACT_MAX: u64 = 1 << 53;

/// Bits of a double's significand.
const SIGNIFICAND_BITS: u32 = 53;

/// From so many IDs on their last digits tell.
const DIGITS_IDS_MIN: u32 = 25;

/// From so many IDs on it is no chance that a floating-point number holds each of them. Of good
/// ones it holds 45 to 73 in 100 (their last 12 bits are often zero): 0.73^64 is 2 × 10^-9.
const DOUBLES_IDS_MIN: u32 = 64;

/// Different IDs that are judged together.
const JUDGED_IDS: u32 = 1024;

/// Places for them; a power of two, and never all taken.
const SLOTS: usize = 2 * JUDGED_IDS as usize;

/// IDs that are all looked at before most are passed over.
const BEGINNING_IDS: u32 = 4096;

/// Of so many later IDs one is looked at.
const LATER_STEP: usize = 64;

/// The IDs of one kind in a source.
#[derive(Debug, Default)]
struct Column {
    /// IDs to pass over before one is looked at.
    wait: usize,
    /// IDs of the beginning that were looked at.
    begun: u32,
    /// The different IDs looked at; zero is an empty place. No memory before the first one.
    seen: Vec<u64>,
    counts: Counts,
    verdict: Option<Reason>,
}

/// What the different IDs looked at have in common.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    ids: u32,
    /// Those that end in 0, in 00, in 000.
    zeros: [u32; 3],
    /// Those that a double or its shortest digits can spell.
    doubles: u32,
}

/// Samples of the IDs of a source, of each kind.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    columns: [Column; IdKind::ALL.len()],
}

impl Samples {
    /// Looks at the next IDs of a kind.
    pub(crate) fn look<I: Id>(&mut self, found: &[Found<I>]) {
        let column = &mut self.columns[I::KIND as usize];
        let mut at = column.wait;
        while let Some(found) = found.get(at) {
            at += column.look(found.id.value());
        }
        column.wait = at - found.len();
    }

    /// The verdict on each column that is suspect, and begins anew for the next source.
    pub(crate) fn verdicts(&mut self) -> Vec<Reason> {
        self.columns.iter_mut().filter_map(Column::close).collect()
    }
}

impl Column {
    /// Looks at an ID; says how far the next one is that is looked at.
    fn look(&mut self, id: u64) -> usize {
        if id <= EXACT_MAX {
            return 1;
        }
        let step = if self.begun < BEGINNING_IDS { 1 } else { LATER_STEP };
        self.begun = self.begun.saturating_add(1);
        self.add(id);
        step
    }

    fn add(&mut self, id: u64) {
        if self.seen.is_empty() {
            self.seen.resize(SLOTS, 0);
        }
        // The golden ratio spreads IDs that differ in few bits; the upper bits are spread best.
        let hash = id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - SLOTS.ilog2());
        let mut at = hash as usize;
        while self.seen[at] != 0 {
            if self.seen[at] == id {
                return;
            }
            at = (at + 1) % SLOTS;
        }
        self.seen[at] = id;
        self.counts.add(id);
        if self.counts.ids == JUDGED_IDS {
            self.judge();
        }
    }

    /// Judges what was looked at; the gravest verdict stays.
    fn judge(&mut self) {
        let counts = std::mem::take(&mut self.counts);
        self.seen.fill(0);
        let verdict = counts.verdict();
        if self.verdict.is_none() || verdict.is_some_and(|v| Some(v) < self.verdict) {
            self.verdict = verdict;
        }
    }

    fn close(&mut self) -> Option<Reason> {
        if self.counts.ids > 0 {
            self.judge();
        }
        (self.wait, self.begun) = (0, 0);
        self.verdict.take()
    }
}

impl Counts {
    fn add(&mut self, id: u64) {
        self.ids += 1;
        for (count, tens) in self.zeros.iter_mut().zip([10, 100, 1000]) {
            *count += u32::from(id.is_multiple_of(tens));
        }
        let spacing_bits = u64::BITS - id.leading_zeros() - SIGNIFICAND_BITS;
        let double = id.trailing_zeros() >= spacing_bits || id.is_multiple_of(10);
        self.doubles += u32::from(double);
    }

    /// Which program rounded them, if one did.
    ///
    /// Excel keeps 15 digits. JavaScript and jq print the shortest digits that tell a double from
    /// its neighbours and fill up with zeros: two of them in most IDs since 2013, one in older
    /// ones. Programs that print all digits of a double give multiples of its spacing.
    fn verdict(&self) -> Option<Reason> {
        let Counts { ids, zeros: [in_0, in_00, in_000], doubles } = *self;
        if ids < DIGITS_IDS_MIN {
            return None;
        }
        if in_000 * 10 > ids * 9 {
            return Some(Reason::ColumnOfSpreadsheet);
        }
        if in_00 * 2 > ids || in_0 * 10 > ids * 9 {
            return Some(Reason::ColumnOfJavaScript);
        }
        match doubles == ids {
            true if ids >= DOUBLES_IDS_MIN => Some(Reason::ColumnOfDoubles),
            true => Some(Reason::PerhapsDoubles),
            false => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::{TweetId, UserId};
    use crate::pipeline::Place;
    use proptest::prelude::*;

    /// A way to damage an ID.
    type Damage = fn(u64) -> u64;

    fn double(id: u64) -> u64 {
        id as f64 as u64
    }

    /// Prints the shortest digits that tell a double from its neighbours, and zeros.
    fn javascript(id: u64) -> u64 {
        format!("{}", id as f64).parse().unwrap()
    }

    fn excel(id: u64) -> u64 {
        let zeros = 10_u64.pow(id.to_string().len().saturating_sub(15) as u32);
        id / zeros * zeros
    }

    const DAMAGES: [(Damage, &[Reason]); 3] = [
        (excel, &[Reason::ColumnOfSpreadsheet, Reason::ColumnOfJavaScript]),
        (javascript, &[Reason::ColumnOfJavaScript, Reason::ColumnOfDoubles]),
        (double, &[Reason::ColumnOfDoubles]),
    ];

    /// Numbers that look like chance and are the same in each run.
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, end: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((u128::from(self.0 >> 1) * u128::from(end)) >> 63) as u64
        }

        /// A good ID of that year: 7 of 10 are the first of their machine's millisecond, as in
        /// real ones; before November 2010 they were handed out one by one.
        fn id_of(&mut self, year: u64) -> u64 {
            const YEAR_MS: u64 = 31_556_952_000;
            const SNOWFLAKES_MS: u64 = 1_288_834_974_657;
            if year < 2011 {
                return 20 + self.below((year - 2005) * 5_000_000_000);
            }
            let ms = (year - 1970) * YEAR_MS + self.below(YEAR_MS) - SNOWFLAKES_MS;
            let sequence = if self.below(10) < 7 { 0 } else { 1 + self.below(15) };
            ms << 22 | self.below(1024) << 12 | sequence
        }
    }

    fn found<I: Id>(ids: impl IntoIterator<Item = u64>) -> Vec<Found<I>> {
        let id = |id| I::from_value(id).unwrap();
        let found = ids.into_iter().map(id);
        found.map(|id| Found { id, author: None, place: Place::default() }).collect()
    }

    fn verdicts(ids: impl IntoIterator<Item = u64>) -> Vec<Reason> {
        let mut samples = Samples::default();
        let found: Vec<Found<TweetId>> = found(ids);
        found.chunks(100).for_each(|found| samples.look(found));
        samples.verdicts()
    }

    /// Whether a verdict says that damage is certain.
    fn convicted(ids: impl IntoIterator<Item = u64>) -> Vec<Reason> {
        let mut reasons = verdicts(ids);
        reasons.retain(|reason| *reason != Reason::PerhapsDoubles);
        reasons
    }

    #[test]
    fn good_ids_of_every_year_raise_no_alarm_in_sets_of_any_size() {
        let mut chance = Chance(1);
        for year in 2006..=2027 {
            for ids in [25, 26, 63, 64, 65, 100, 1000, 1025, 10_000] {
                for _ in 0..100_000 / ids {
                    let set: Vec<u64> = (0..ids).map(|_| chance.id_of(year)).collect();
                    assert_eq!(convicted(set), [], "{ids} IDs of {year}");
                }
            }
        }
    }

    #[test]
    fn damage_of_each_program_is_found_in_ids_of_every_year() {
        let mut chance = Chance(2);
        for year in 2011..=2027 {
            for (damage, reasons) in DAMAGES {
                for ids in [64, 100, 5000] {
                    let found = verdicts((0..ids).map(|_| damage(chance.id_of(year))));
                    assert!(
                        found.len() == 1 && reasons.contains(&found[0]),
                        "{found:?} of {ids} IDs of {year}, not one of {reasons:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn twenty_five_ids_are_enough_for_digits_and_for_a_word_of_warning() {
        let mut chance = Chance(3);
        for year in 2014..=2027 {
            for (damage, reasons) in DAMAGES {
                let ids: Vec<u64> = (0..25).map(|_| damage(chance.id_of(year))).collect();
                let warned = [&[Reason::PerhapsDoubles], reasons].concat();
                assert!(warned.contains(&verdicts(ids.clone())[0]), "{year}");
                assert_eq!(verdicts(ids[..24].to_vec()), [], "{year}");
            }
        }
    }

    #[test]
    fn damage_that_begins_late_is_found() {
        let mut chance = Chance(4);
        let good: Vec<u64> = (0..50_000).map(|_| chance.id_of(2020)).collect();
        let bad: Vec<u64> = (0..200_000).map(|_| javascript(chance.id_of(2020))).collect();
        assert_eq!(verdicts(good.into_iter().chain(bad)), [Reason::ColumnOfJavaScript]);
    }

    #[test]
    fn one_id_many_times_is_one_id() {
        assert_eq!(verdicts(vec![1_220_648_527_006_720_000; 100_000]), []);
    }

    #[test]
    fn kinds_are_judged_alone_and_a_source_forgets_the_one_before() {
        let mut chance = Chance(5);
        let mut samples = Samples::default();
        let good: Vec<Found<TweetId>> = found((0..2000).map(|_| chance.id_of(2020)));
        let bad: Vec<Found<UserId>> = found((0..2000).map(|_| excel(chance.id_of(2020))));
        for (good, bad) in good.chunks(10).zip(bad.chunks(10)) {
            samples.look(good);
            samples.look(bad);
        }
        assert_eq!(samples.verdicts(), [Reason::ColumnOfSpreadsheet]);
        samples.look(&good);
        assert_eq!(samples.verdicts(), []);
    }

    proptest! {
        #![proptest_config(crate::base::cases::remembered())]

        #[test]
        fn no_valid_snowflakes_are_suspect(
            seed in any::<u64>(), year in 2006..2028_u64, ids in 1..3000_usize
        ) {
            let mut chance = Chance(seed);
            prop_assert_eq!(convicted((0..ids).map(|_| chance.id_of(year))), []);
        }
    }
}
