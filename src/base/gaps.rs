//! Gaps: which lines of a column are left out of a view of it, by ordinal and by byte; not why, and
//! not which IDs stand there.
//!
//! A column never changes, so a view of it is told by its gaps alone. Ordinals are those of the
//! column, the same in every view; bytes are those of the column or of the view, as each says.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use sha2::{Digest, Sha256};

/// Bytes of a view's digest that name it.
const NAME_BYTES: usize = 16;

/// Lines that follow each other and are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The ordinal of the first.
    pub first: u64,
    /// How many.
    pub ids: u64,
    /// Where the first begins in the column.
    pub byte: u64,
    /// How many bytes they take with their line feeds.
    pub bytes: u64,
}

impl Run {
    /// The ordinals.
    pub fn ordinals(&self) -> Range<u64> {
        self.first..self.first + self.ids
    }
}

/// What is left out of a column. 32 bytes of memory for each run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gaps {
    version: i64,
    name: String,
    /// Ascending; no two of them touch.
    rows: Vec<Row>,
    ids: u64,
    bytes: u64,
}

/// The beginning of a run, and what all runs before it left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    first: u64,
    byte: u64,
    ids_before: u64,
    bytes_before: u64,
}

static NONE: LazyLock<Arc<Gaps>> = LazyLock::new(|| Arc::new(Gaps::of(0, [])));

impl Gaps {
    /// No gaps, as in a release of which nothing was ever removed.
    pub fn none() -> Arc<Gaps> {
        Arc::clone(&NONE)
    }

    /// Gaps that came into force with `version`. Runs that touch become one.
    ///
    /// # Panics
    /// If the runs are not in ascending order or overlap.
    pub fn of(version: i64, runs: impl IntoIterator<Item = Run>) -> Gaps {
        let mut gaps = Gaps { version, name: String::new(), rows: Vec::new(), ids: 0, bytes: 0 };
        let mut end = None;
        for run in runs.into_iter().filter(|run| run.ids > 0) {
            assert!(end.is_none_or(|end| end <= run.first), "runs of gaps ascend");
            if end != Some(run.first) {
                gaps.rows.push(Row {
                    first: run.first,
                    byte: run.byte,
                    ids_before: gaps.ids,
                    bytes_before: gaps.bytes,
                });
            }
            gaps.ids += run.ids;
            gaps.bytes += run.bytes;
            end = Some(run.first + run.ids);
        }
        if !gaps.is_empty() {
            gaps.name = hex::encode(&Sha256::digest(gaps.encode())[..NAME_BYTES]);
        }
        gaps
    }

    /// The same gaps, in force with another version.
    pub fn with_version(&self, version: i64) -> Gaps {
        Gaps { version, ..self.clone() }
    }

    /// With which version of the removals it came into force; 0: there was never anything.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// What follows from the gaps alone: two views of one column with the same name are the same
    /// bytes. Empty if nothing is left out.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many IDs are left out.
    pub fn ids(&self) -> u64 {
        self.ids
    }

    /// How many bytes are left out.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The runs, ascending.
    pub fn runs(&self) -> impl Iterator<Item = Run> + '_ {
        (0..self.rows.len()).map(|index| self.run(index))
    }

    /// The parts of `ordinals` that are left out, ascending.
    pub fn runs_within(&self, ordinals: &Range<u64>) -> impl Iterator<Item = Range<u64>> + '_ {
        let after = self.rows.partition_point(|row| row.first <= ordinals.start);
        let Range { start, end } = *ordinals;
        (after.saturating_sub(1)..self.rows.len())
            .map(|index| self.run(index).ordinals())
            .take_while(move |run| run.start < end)
            .map(move |run| run.start.max(start)..run.end.min(end))
            .filter(|run| run.start < run.end)
    }

    fn run(&self, index: usize) -> Run {
        let Row { first, byte, ids_before, bytes_before } = self.rows[index];
        let next = self.rows.get(index + 1);
        let ids = next.map_or(self.ids, |next| next.ids_before) - ids_before;
        let bytes = next.map_or(self.bytes, |next| next.bytes_before) - bytes_before;
        Run { first, ids, byte, bytes }
    }

    /// The last run that begins at `ordinal` or before it.
    fn run_at(&self, ordinal: u64) -> Option<Run> {
        let after = self.rows.partition_point(|row| row.first <= ordinal);
        after.checked_sub(1).map(|index| self.run(index))
    }

    /// Whether the ID of that ordinal is left out.
    pub fn holds(&self, ordinal: u64) -> bool {
        self.run_at(ordinal).is_some_and(|run| run.ordinals().contains(&ordinal))
    }

    /// How many of the IDs before that ordinal are left out.
    fn ids_before(&self, ordinal: u64) -> u64 {
        let after = self.rows.partition_point(|row| row.first <= ordinal);
        let Some(index) = after.checked_sub(1) else { return 0 };
        let run = self.run(index);
        self.rows[index].ids_before + run.ids.min(ordinal - run.first)
    }

    /// How many IDs with these ordinals are in the view.
    pub fn ids_kept(&self, ordinals: &Range<u64>) -> u64 {
        let all = ordinals.end - ordinals.start;
        if self.is_empty() {
            return all;
        }
        all - (self.ids_before(ordinals.end) - self.ids_before(ordinals.start))
    }

    /// The first ordinal from `ordinal` on that is in the view, if the column goes so far.
    pub fn next_kept(&self, ordinal: u64) -> u64 {
        match self.run_at(ordinal) {
            Some(run) if run.ordinals().contains(&ordinal) => run.first + run.ids,
            _ => ordinal,
        }
    }

    /// The first part of `ordinals`, `span` long: a little longer, if otherwise no ID of it were in
    /// the view, or if none of what follows is.
    pub fn cut(&self, ordinals: &Range<u64>, span: u64) -> Range<u64> {
        let end = ordinals.start.saturating_add(span);
        let end = end.max(self.next_kept(ordinals.start).saturating_add(1));
        if end >= ordinals.end || self.next_kept(end) >= ordinals.end {
            return ordinals.clone();
        }
        ordinals.start..end
    }

    /// Where the line of an ordinal begins in the view, or would begin if it were there; `byte` is
    /// where it begins in the column.
    pub fn view_byte(&self, ordinal: u64, byte: u64) -> u64 {
        let after = self.rows.partition_point(|row| row.first <= ordinal);
        let Some(index) = after.checked_sub(1) else { return byte };
        let (row, run) = (self.rows[index], self.run(index));
        if run.ordinals().contains(&ordinal) {
            row.byte - row.bytes_before
        } else {
            byte - row.bytes_before - run.bytes
        }
    }

    /// The byte of the column that is byte `byte` of the view.
    pub fn column_byte(&self, byte: u64) -> u64 {
        let after = self.rows.partition_point(|row| row.byte - row.bytes_before <= byte);
        match after.checked_sub(1) {
            Some(index) => byte + self.rows[index].bytes_before + self.run(index).bytes,
            None => byte,
        }
    }

    /// The bytes of the column that follow each other in the view from its byte `byte` on, up to
    /// the next gap.
    pub fn stretch_from(&self, byte: u64) -> Range<u64> {
        let after = self.rows.partition_point(|row| row.byte - row.bytes_before <= byte);
        let end = self.rows.get(after).map_or(u64::MAX, |row| row.byte);
        self.column_byte(byte)..end
    }

    /// All runs in few bytes: four numbers of 7 bits a byte for each, counted from the run before.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (mut ordinal, mut at) = (0, 0);
        for run in self.runs() {
            push_number(&mut bytes, run.first - ordinal);
            push_number(&mut bytes, run.ids);
            push_number(&mut bytes, run.byte - at);
            push_number(&mut bytes, run.bytes);
            (ordinal, at) = (run.first + run.ids, run.byte + run.bytes);
        }
        bytes
    }

    /// Reads what [`Gaps::encode`] wrote; `None` if it did not.
    pub fn decode(version: i64, mut bytes: &[u8]) -> Option<Gaps> {
        let mut runs = Vec::new();
        let (mut ordinal, mut at) = (0_u64, 0_u64);
        while !bytes.is_empty() {
            let mut number = || take_number(&mut bytes);
            let (skipped, ids) = (number()?, number()?);
            let (skipped_bytes, length) = (number()?, number()?);
            let first = ordinal.checked_add(skipped)?;
            let byte = at.checked_add(skipped_bytes)?;
            ordinal = first.checked_add(ids)?;
            at = byte.checked_add(length)?;
            runs.push(Run { first, ids, byte, bytes: length });
        }
        Some(Gaps::of(version, runs))
    }

    /// The ordinals that are left out here and not in `other`.
    pub fn beyond(&self, other: &Gaps) -> Vec<Range<u64>> {
        let (mine, others) = (self.runs(), other.runs());
        without(mine.map(|run| run.ordinals()), others.map(|run| run.ordinals()))
    }
}

/// Gathers gaps line by line.
#[derive(Debug, Default)]
pub struct Gathering(Vec<Run>);

impl Gathering {
    /// Leaves out one line more, behind all others so far.
    pub fn push(&mut self, ordinal: u64, byte: u64, bytes: u64) {
        match self.0.last_mut() {
            Some(run) if run.first + run.ids == ordinal => {
                run.ids += 1;
                run.bytes += bytes;
            }
            _ => self.0.push(Run { first: ordinal, ids: 1, byte, bytes }),
        }
    }

    /// The runs.
    pub fn runs(self) -> Vec<Run> {
        self.0
    }
}

/// What is in the first ranges and not in the others; both ascend.
pub fn without(
    ranges: impl Iterator<Item = Range<u64>>,
    others: impl Iterator<Item = Range<u64>>,
) -> Vec<Range<u64>> {
    let mut left = Vec::new();
    let mut others = others.peekable();
    for mut range in ranges {
        while let Some(other) = others.peek() {
            if other.end <= range.start {
                others.next();
                continue;
            }
            if other.start >= range.end {
                break;
            }
            if range.start < other.start {
                left.push(range.start..other.start);
            }
            range.start = other.end.min(range.end);
            if other.end > range.end {
                break;
            }
        }
        if !range.is_empty() {
            left.push(range);
        }
    }
    left
}

/// What is in both; both ascend.
pub fn within(ranges: &[Range<u64>], others: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut both = Vec::new();
    let (mut one, mut other) = (ranges.iter().peekable(), others.iter().peekable());
    while let (Some(a), Some(b)) = (one.peek(), other.peek()) {
        let range = a.start.max(b.start)..a.end.min(b.end);
        let first_ends = a.end <= b.end;
        if !range.is_empty() {
            both.push(range);
        }
        if first_ends {
            one.next();
        } else {
            other.next();
        }
    }
    both
}

/// Ascending ranges that do not touch, of ranges in any order.
pub fn united(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_unstable_by_key(|range| range.start);
    let mut united: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match united.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => united.push(range),
        }
    }
    united
}

/// Ascending ranges of ordinals in few bytes.
pub fn encode_ranges(ranges: &[Range<u64>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut at = 0;
    for range in ranges {
        push_number(&mut bytes, range.start - at);
        push_number(&mut bytes, range.end - range.start);
        at = range.end;
    }
    bytes
}

/// Reads what [`encode_ranges`] wrote; `None` if it did not.
pub fn decode_ranges(mut bytes: &[u8]) -> Option<Vec<Range<u64>>> {
    let mut ranges = Vec::new();
    let mut at = 0_u64;
    while !bytes.is_empty() {
        let start = at.checked_add(take_number(&mut bytes)?)?;
        at = start.checked_add(take_number(&mut bytes)?)?;
        ranges.push(start..at);
    }
    Some(ranges)
}

fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A column whose lines have those lengths, of which some are left out; the same the simple
    /// way: the ordinal and the column's byte of each byte of the view.
    fn naive(lines: &[(u64, bool)]) -> (Gaps, Vec<(u64, u64)>) {
        let (mut gathering, mut bytes, mut at) = (Gathering::default(), Vec::new(), 0);
        for (ordinal, &(length, gone)) in (0..).zip(lines) {
            match gone {
                true => gathering.push(ordinal, at, length),
                false => bytes.extend((at..at + length).map(|byte| (ordinal, byte))),
            }
            at += length;
        }
        (Gaps::of(7, gathering.runs()), bytes)
    }

    fn starts(lines: &[(u64, bool)]) -> Vec<u64> {
        let mut starts = vec![0];
        lines.iter().for_each(|(length, _)| starts.push(starts.last().unwrap() + length));
        starts
    }

    fn check(lines: &[(u64, bool)]) {
        let (gaps, bytes) = naive(lines);
        let kept = |ordinal: usize| !lines[ordinal].1;
        for (at, &(_, byte)) in (0..).zip(&bytes) {
            assert_eq!(gaps.column_byte(at), byte);
            let stretch = gaps.stretch_from(at);
            assert_eq!(stretch.start, byte);
            if let Some((_, next)) = bytes.get(at as usize + 1) {
                assert_eq!(stretch.end > byte + 1, *next == byte + 1);
            }
        }
        for (ordinal, &start) in (0_u64..).zip(&starts(lines)) {
            let before = bytes.iter().filter(|(other, _)| *other < ordinal).count() as u64;
            assert_eq!(gaps.view_byte(ordinal, start), before, "ordinal {ordinal}");
            for end in ordinal..=lines.len() as u64 {
                let naive = (ordinal..end).filter(|&ordinal| kept(ordinal as usize)).count();
                assert_eq!(gaps.ids_kept(&(ordinal..end)), naive as u64);
            }
        }
        for ordinal in 0..lines.len() {
            assert_eq!(gaps.holds(ordinal as u64), !kept(ordinal));
        }
        assert_eq!(Gaps::decode(7, &gaps.encode()), Some(gaps));
    }

    fn lines() -> impl Strategy<Value = Vec<(u64, bool)>> {
        proptest::collection::vec((2_u64..21, any::<bool>()), 0..40)
    }

    proptest! {
        #![proptest_config(crate::base::cases::remembered())]

        #[test]
        fn a_view_agrees_with_lines_that_are_really_left_out(lines in lines()) {
            check(&lines);
        }

        #[test]
        fn parts_that_are_cut_one_after_another_are_all_and_each_holds_an_id(
            lines in lines(), span in 1_u64..7,
        ) {
            let (gaps, _) = naive(&lines);
            let mut rest = 0..lines.len() as u64;
            if gaps.ids_kept(&rest) > 0 {
                while !rest.is_empty() {
                    let part = gaps.cut(&rest, span);
                    prop_assert!(gaps.ids_kept(&part) > 0);
                    prop_assert!(gaps.ids_kept(&part) <= span);
                    rest.start = part.end;
                }
            }
        }

        #[test]
        fn what_two_views_do_not_share_is_told_by_ordinal(
            lines in proptest::collection::vec((any::<bool>(), any::<bool>()), 0..60),
        ) {
            let of = |which: fn(&(bool, bool)) -> bool| {
                let mut gathering = Gathering::default();
                let gone = (0_u64..).zip(&lines).filter(|(_, line)| which(line));
                gone.for_each(|(ordinal, _)| gathering.push(ordinal, ordinal * 2, 2));
                Gaps::of(1, gathering.runs())
            };
            let (one, other) = (of(|line| line.0), of(|line| line.1));
            let beyond = one.beyond(&other);
            let told: Vec<u64> = beyond.iter().cloned().flatten().collect();
            let all = (0_u64..).zip(&lines).filter(|(_, line)| line.0 && !line.1);
            prop_assert_eq!(&told, &all.map(|(ordinal, _)| ordinal).collect::<Vec<_>>());
            let (mine, others): (Vec<_>, Vec<_>) = (
                one.runs().map(|run| run.ordinals()).collect(),
                other.runs().map(|run| run.ordinals()).collect(),
            );
            let both: Vec<u64> = within(&mine, &others).into_iter().flatten().collect();
            let shared = (0_u64..).zip(&lines).filter(|(_, line)| line.0 && line.1);
            prop_assert_eq!(both, shared.map(|(ordinal, _)| ordinal).collect::<Vec<_>>());
            prop_assert_eq!(decode_ranges(&encode_ranges(&beyond)), Some(beyond));
        }
    }

    #[test]
    fn the_name_is_of_the_gaps_and_not_of_their_version() {
        let run = |first| Run { first, ids: 1, byte: first * 20, bytes: 20 };
        let (one, again) = (Gaps::of(1, [run(3)]), Gaps::of(5, [run(3)]));
        assert_eq!((one.name(), one.name().len()), (again.name(), 2 * NAME_BYTES));
        assert_ne!(one.name(), Gaps::of(1, [run(4)]).name());
        assert_eq!((Gaps::none().name(), Gaps::none().version()), ("", 0));
    }

    #[test]
    fn what_is_no_list_of_gaps_is_not_read() {
        for bytes in [&[0x80_u8][..], &[1], &[1, 1, 1], &[0xFF; 11]] {
            assert_eq!(Gaps::decode(1, bytes), None, "{bytes:?}");
        }
        let mut overflow = encode_ranges(std::slice::from_ref(&(u64::MAX - 1..u64::MAX)));
        overflow.extend(encode_ranges(std::slice::from_ref(&(1..2))));
        assert_eq!(decode_ranges(&overflow), None);
    }
}
