//! The rows of a table by masks: 64 bytes a turn, where each cell ends, for rows whose quotes
//! leave no doubt. A quote within a bare cell, text behind a closing quote, a carriage return
//! without its line feed: where such a thing stands, whoever reads cell by cell must tell.

use super::masks::{BLOCK_BYTES, Block, Lanes, Work, last_block};
use super::widest;

/// A row that ends with a line feed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    input: &'a [u8],
    start: usize,
    /// Where the delimiters behind its cells stand, and its line feed.
    ends: &'a [usize],
    count: usize,
}

impl<'a> Row<'a> {
    /// Where it begins.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// How many cells it has.
    pub(crate) fn cells(&self) -> usize {
        self.count
    }

    /// Its bytes up to the first one that ends a line.
    pub(crate) fn line(&self) -> &'a [u8] {
        let feed = self.ends[self.count - 1];
        let line = &self.input[self.start..feed];
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// A cell without the quotes around it; none if others stand within.
    #[inline]
    pub(crate) fn cell(&self, column: usize) -> Option<&'a [u8]> {
        let start = if column == 0 { self.start } else { self.ends[column - 1] + 1 };
        let mut cell = &self.input[start..self.ends[column]];
        if column + 1 == self.count {
            cell = cell.strip_suffix(b"\r").unwrap_or(cell);
        }
        match cell {
            [b'"', text @ .., b'"'] => (!text.contains(&b'"')).then_some(text),
            _ => Some(cell),
        }
    }
}

/// Hands over whole rows of `input` from `start` on until `take` refuses one, until one is
/// doubtful, or until the input ends; says where the first one stands that was not taken. `ends`
/// is room for as many cells as a row should have.
#[inline]
pub(crate) fn rows(
    input: &[u8],
    start: usize,
    delimiter: u8,
    ends: &mut [usize],
    take: impl FnMut(Row<'_>) -> bool,
) -> usize {
    widest(Rows { input, start, delimiter, ends, take })
}

struct Rows<'a, T> {
    input: &'a [u8],
    start: usize,
    delimiter: u8,
    ends: &'a mut [usize],
    take: T,
}

/// What one block leaves over for the next: a bit about its last byte, or all ones.
#[derive(Default)]
struct Left {
    /// All ones inside a quoted cell.
    inside: u64,
    /// A cell may begin behind it, or it was a quote that may be doubled.
    before_quote: u64,
    /// It was a closing quote.
    closing: u64,
    /// It was a carriage return.
    returns: u64,
}

/// The bytes of a block that part cells.
struct Parting {
    delimiters: u64,
    feeds: u64,
    /// Bytes that may not stand where they do.
    doubts: u64,
}

impl Left {
    #[inline(always)]
    fn parting<L: Lanes>(&mut self, block: &Block, delimiter: u8) -> Parting {
        let quotes = L::equal(block, b'"');
        let inside = L::parity(quotes) ^ self.inside;
        let (opening, closing) = (quotes & inside, quotes & !inside);
        let delimiters = L::equal(block, delimiter) & !inside;
        let feeds = L::equal(block, b'\n') & !inside;
        let returns = L::equal(block, b'\r') & !inside;
        let ends = delimiters | feeds | returns;
        let before_quote = ends | closing;
        let doubts = opening & !(before_quote << 1 | self.before_quote)
            | (closing << 1 | self.closing) & !(ends | opening)
            | (returns << 1 | self.returns) & !feeds;
        *self = Left {
            inside: (inside.cast_signed() >> 63).cast_unsigned(),
            before_quote: before_quote >> 63,
            closing: closing >> 63,
            returns: returns >> 63,
        };
        Parting { delimiters, feeds, doubts }
    }
}

impl<T: FnMut(Row<'_>) -> bool> Work for Rows<'_, T> {
    type Out = usize;

    #[inline(always)]
    fn by<L: Lanes>(self) -> usize {
        let Rows { input, mut start, delimiter, ends, mut take } = self;
        let mut left = Left { before_quote: 1, ..Left::default() };
        let mut count = 0;
        let mut at = start;
        while at < input.len() {
            let parting = match input[at..].first_chunk() {
                Some(block) => left.parting::<L>(block, delimiter),
                None => left.parting::<L>(&last_block(&input[at..], b' '), delimiter),
            };
            let Parting { delimiters, feeds, doubts } = parting;
            // Up to the first doubt everything is as it seems.
            let certain = (doubts & doubts.wrapping_neg()).wrapping_sub(1);
            let mut rest = (delimiters | feeds) & certain;
            while rest != 0 {
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                let end = at + bit as usize;
                if let Some(place) = ends.get_mut(count) {
                    *place = end;
                }
                count += 1;
                if feeds.wrapping_shr(bit) & 1 != 0 {
                    if count > ends.len() || !take(Row { input, start, ends, count }) {
                        return start;
                    }
                    (start, count) = (end + 1, 0);
                }
            }
            if doubts != 0 {
                break;
            }
            at += BLOCK_BYTES;
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

    use super::super::tests::by_each;
    use super::*;

    /// The rows that are handed over from a start on, as their cells, and where they end.
    #[derive(Clone, Copy)]
    struct Handed<'a>(&'a [u8], usize);

    type Cells = Vec<Option<Vec<u8>>>;

    impl Work for Handed<'_> {
        type Out = (Vec<Cells>, usize);

        #[inline(always)]
        fn by<L: Lanes>(self) -> (Vec<Cells>, usize) {
            let (input, start, mut rows) = (self.0, self.1, Vec::new());
            let take = |row: Row<'_>| {
                let cells = (0..row.cells()).map(|column| row.cell(column).map(<[u8]>::to_vec));
                rows.push(cells.collect());
                true
            };
            let ends = &mut [0; 64];
            let end = Rows { input, start, delimiter: b',', ends, take }.by::<L>();
            (rows, end)
        }
    }

    /// The rows of csv-core.
    fn naive(input: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let mut reader = csv::ReaderBuilder::new();
        let mut reader = reader.has_headers(false).flexible(true).from_reader(input);
        let rows = reader.byte_records().map(|row| row.unwrap());
        rows.map(|row| row.iter().map(<[u8]>::to_vec).collect()).collect()
    }

    proptest! {
        #![proptest_config(crate::base::cases::remembered())]

        #[test]
        fn rows_that_are_handed_over_are_those_of_a_naive_reading(
            pieces in prop::collection::vec(prop_oneof![
                4 => Just("a"), 4 => Just(","), 3 => Just("\""), 2 => Just("\n"), 1 => Just("\r\n"),
                1 => Just("\"\""), 1 => Just("\",\""), 1 => Just("\"a long cell, with\nall\""),
                1 => Just("x\n"), 1 => Just("\r"), 1 => Just("\"\n\""), 1 => Just(";"),
                1 => Just("123456789012345678901234567890123456789012345678901234567890"),
            ], 0..80),
            start in any::<prop::sample::Index>(),
        ) {
            let input = pieces.concat().into_bytes();
            let start = start.index(input.len() + 1);
            for (lanes, (rows, end)) in by_each(Handed(&input, start)) {
                // Blank lines are no rows for the one, and rows of one empty cell for the other.
                let rows = rows.into_iter().filter(|row| *row != [Some(Vec::new())]);
                let twins = naive(&input[start..end]).into_iter().filter(|row| *row != [b""]);
                prop_assert_eq!(rows.clone().count(), twins.clone().count(), "{}", lanes);
                for (row, twin) in rows.zip(twins) {
                    prop_assert_eq!(row.len(), twin.len(), "{}", lanes);
                    for (cell, twin) in row.iter().zip(twin) {
                        let odd = cell.is_none() && twin.contains(&b'"');
                        prop_assert!(odd || cell.as_ref() == Some(&twin), "{}", lanes);
                    }
                }
            }
        }

        #[test]
        fn rows_whose_quotes_are_right_are_all_handed_over(
            rows in prop::collection::vec(prop::collection::vec(prop_oneof![
                "[a-z;0-9 ]{1,30}", "\"([a-z,\n\r]|\"\"){0,60}\"",
            ], 1..9), 0..20),
            ending in prop_oneof![Just("\n"), Just("\r\n")],
        ) {
            let lines = rows.iter().map(|row| row.join(",") + ending);
            let input = lines.collect::<String>().into_bytes();
            for (lanes, (handed, end)) in by_each(Handed(&input, 0)) {
                prop_assert_eq!((handed.len(), end), (rows.len(), input.len()), "{}", lanes);
            }
        }
    }
}
