//! The lines of a list, many at a time: where each ends, and the ID that it is if it is nothing
//! else. What other lines are is not told here.

use super::masks::{BLOCK_BYTES, Block, Lanes, Work, last_block};
use super::widest;
use crate::base::ids::{ID_DIGITS_MAX, ID_MAX};

/// How many lines are found at a time.
const LINES: usize = 512;

/// The bytes of which a number's digits are the last ones.
pub(super) type Numeral = [u8; 32];

/// A line of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Where its line feed stands.
    pub(crate) feed: usize,
    /// The ID that all of it is, but for a carriage return; none for any other line, and for some
    /// that stand too near the beginning of the input.
    pub(crate) id: Option<u64>,
}

/// The next lines of an input.
pub(crate) struct Lines {
    lines: [Line; LINES],
    count: usize,
}

impl Lines {
    pub(crate) fn new() -> Lines {
        Lines { lines: [Line { feed: 0, id: None }; LINES], count: 0 }
    }

    /// Finds lines that have an end, from `start` of `input` on, as many as there is room for;
    /// none if there is none.
    pub(crate) fn find(&mut self, input: &[u8], start: usize) -> &[Line] {
        widest(Find { input, start, lines: self });
        &self.lines[..self.count]
    }

    /// Adds the line feeds of the block at `at`.
    #[inline(always)]
    fn add<L: Lanes>(&mut self, block: &Block, at: usize) {
        let mut rest = L::equal(block, b'\n');
        while rest != 0 {
            self.lines[self.count % LINES].feed = at + rest.trailing_zeros() as usize;
            self.count += 1;
            rest &= rest - 1;
        }
    }
}

/// The search for lines.
struct Find<'a> {
    input: &'a [u8],
    start: usize,
    lines: &'a mut Lines,
}

impl Work for Find<'_> {
    type Out = ();

    #[inline(always)]
    fn by<L: Lanes>(self) {
        let Find { input, start, lines } = self;
        lines.count = 0;
        let mut at = start;
        while lines.count + BLOCK_BYTES <= LINES {
            match input[at..].first_chunk() {
                Some(block) => lines.add::<L>(block, at),
                None => {
                    lines.add::<L>(&last_block(&input[at..], b' '), at);
                    break;
                }
            }
            at += BLOCK_BYTES;
        }
        let mut begin = start;
        for line in &mut lines.lines[..lines.count] {
            line.id = id_of::<L>(input, begin, line.feed);
            begin = line.feed + 1;
        }
    }
}

/// The ID that the line from `begin` to `end` is.
#[inline(always)]
fn id_of<L: Lanes>(input: &[u8], begin: usize, end: usize) -> Option<u64> {
    let end = end - usize::from(end > begin && input[end - 1] == b'\r');
    let digits = end - begin;
    if !(1..=ID_DIGITS_MAX).contains(&digits) {
        return None;
    }
    let numeral = input[..end].last_chunk()?;
    L::number(numeral, digits).filter(|id| *id <= ID_MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, any, prop, prop_assert_eq, prop_oneof, proptest};
    use proptest::strategy::Strategy;

    use super::super::tests::by_each;
    use super::*;
    use crate::base::ids::parse_digits;

    /// The lines that are found from a start on.
    #[derive(Clone, Copy)]
    struct Found<'a>(&'a [u8], usize);

    impl Work for Found<'_> {
        type Out = Vec<Line>;

        #[inline(always)]
        fn by<L: Lanes>(self) -> Vec<Line> {
            let mut lines = Lines::new();
            Find { input: self.0, start: self.1, lines: &mut lines }.by::<L>();
            lines.lines[..lines.count].to_vec()
        }
    }

    proptest! {
        #![proptest_config(crate::base::cases::remembered())]

        #[test]
        fn lines_and_their_ids_are_those_of_a_naive_reading(
            lines in prop::collection::vec(prop_oneof![
                4 => any::<u64>().prop_map(|number| number.to_string().into_bytes()),
                2 => "[0-9]{0,21}\r?".prop_map(String::into_bytes),
                1 => Just(b"\r".to_vec()),
                1 => prop::collection::vec(any::<u8>(), 0..90),
            ], 0..60),
            start in any::<prop::sample::Index>(),
        ) {
            let input = lines.join(&b'\n');
            let start = start.index(input.len() + 1);
            let feeds = (start..input.len()).filter(|at| input[*at] == b'\n');
            let mut begin = start;
            let naive: Vec<Line> = feeds.map(|feed| {
                let line = &input[std::mem::replace(&mut begin, feed + 1)..feed];
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                Line { feed, id: parse_digits(line).ok() }
            }).collect();
            for (lanes, mut found) in by_each(Found(&input, start)) {
                for (found, naive) in found.iter_mut().zip(&naive) {
                    // Near the beginning of the input an ID may be left to others.
                    if found.feed <= 32 && found.id.is_none() {
                        found.id = naive.id;
                    }
                }
                prop_assert_eq!(&found, &naive, "{}", lanes);
            }
        }
    }
}
