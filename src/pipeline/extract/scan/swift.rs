//! The walk by masks, 64 bytes a turn, for records as programs lay them out: on one line, with
//! nothing but single blanks between tokens.
//!
//! What is walked is one level: the members of the outermost object, by all rules of JSON. What
//! their values hold inside is passed over: its strings must be closed, and its brackets balanced,
//! kind by kind. Whoever looks into such a value walks it in turn, as its own outermost level. So
//! what is read was read by all rules, and what nobody reads costs little more than its bytes.
//!
//! It answers for whole records alone. Whatever it cannot vouch for, damage above all, but also
//! what is rare (control characters, so all that goes on over a line's end; blanks within `{ }` or
//! before a colon), it leaves to the careful walk, which knows all rules at every depth, and says
//! what is wrong and where. A torn line with a bracket too many would else swallow its successors.
//!
//! A rule that compares a byte with the one before takes the one bit that the last block left
//! over. "The token before" passes over blanks by a carry: adding one where a run of blanks begins
//! leaves it standing behind the run's end. Bits behind the record's end may say anything; no
//! carry runs backwards.

use super::careful::DEPTH_MAX;
use super::masks::{BLOCK_BYTES, Block, Frames, Lanes, Work, last_block};
use super::text::scalar_end;
use super::{Escapes, Keep, Span};

/// What a swift walk came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The record is sound and ends before this byte.
    End(usize),
    /// The input ends inside it, and up to there nothing is wrong that shows.
    Incomplete,
    /// The careful walk must tell.
    Unsure,
}

/// The record cannot be vouched for.
struct Doubt;

/// The walk over the object that begins at `start`, to its end.
pub(super) struct Walk<'a, K> {
    pub(super) input: &'a [u8],
    pub(super) start: usize,
    pub(super) keep: &'a mut K,
}

impl<K: Keep> Work for Walk<'_, K> {
    type Out = Verdict;

    #[inline(always)]
    fn by<L: Lanes>(self) -> Verdict {
        let Walk { input, start, keep } = self;
        let mut walk = Swift::new(input, start, keep);
        let mut at = start + 1;
        while let Some(block) = input[at..].first_chunk() {
            match walk.block::<L>(block, at) {
                Ok(None) => at += BLOCK_BYTES,
                Ok(Some(end)) => return Verdict::End(end),
                Err(Doubt) => return Verdict::Unsure,
            }
        }
        match walk.block::<L>(&last_block(&input[at..], b' '), at) {
            Ok(None) => Verdict::Incomplete,
            Ok(Some(end)) => Verdict::End(end),
            Err(Doubt) => Verdict::Unsure,
        }
    }
}

/// How many marks are gathered before they are handed over.
const MARKS: usize = 4 * BLOCK_BYTES;

/// What one block leaves over for the next. Where nothing else is said, a bit 0 or 1 about the
/// last byte.
struct Swift<'a, K> {
    input: &'a [u8],
    keep: &'a mut K,
    /// It was a backslash that escapes the next one.
    escaping: u64,
    /// All ones inside a string.
    inside: u64,
    /// How many brackets are open, the outermost one among them.
    depth: u32,
    /// How many of them are curly.
    curly: u32,
    /// The token before was the outermost bracket, a colon or a comma.
    expecting: u64,
    /// It was the outermost bracket.
    opened: u64,
    /// It was a closing quote.
    quoted: u64,
    /// It was part of a number or word.
    scalar: u64,
    /// It was a zero that begins a number.
    zero: u64,
    /// All ones behind a colon, up to the comma.
    valued: u64,
    /// Bytes of numbers and words that are no digits.
    letters: u32,
    /// Those of them that are words of JSON.
    words: u32,
    /// Whether a backslash stands in any key.
    escapes: Escapes,
    /// Where the outermost bracket stands, then colons and commas by turns, and its end.
    marks: [u32; MARKS],
    marked: usize,
    /// Whether some were handed over.
    handed: bool,
}

impl<'a, K: Keep> Swift<'a, K> {
    #[inline(always)]
    fn new(input: &'a [u8], start: usize, keep: &'a mut K) -> Swift<'a, K> {
        Swift {
            input,
            keep,
            escaping: 0,
            inside: 0,
            depth: 1,
            curly: 1,
            expecting: 1,
            opened: 1,
            quoted: 0,
            scalar: 0,
            zero: 0,
            valued: 0,
            letters: 0,
            words: 0,
            escapes: Escapes::None,
            marks: [start as u32; MARKS],
            marked: 1,
            handed: false,
        }
    }

    /// Takes the block at `at`; says where the record ends, if it does in this block.
    #[inline(always)]
    fn block<L: Lanes>(&mut self, block: &Block, at: usize) -> Result<Option<usize>, Doubt> {
        let frames = L::frames(block);
        let strings = self.strings::<L>(&frames);
        let (opens, closes) = (frames.opens & !strings.inside, frames.closes & !strings.inside);
        let brackets = match self.depth {
            1 if strings.inside == !0 && strings.quotes == 0 => {
                self.note_escapes(strings.backslashes & !self.valued);
                return passed(strings.controls);
            }
            depth if depth > closes.count_ones() + 1 => {
                self.pass_over(opens, closes, frames.curly)?;
                return passed(strings.controls);
            }
            _ => self.brackets(opens, closes, frames.curly)?,
        };
        if brackets.level | brackets.values == 0 {
            (self.expecting, self.quoted, self.scalar, self.zero) = (0, 0, 0, 0);
            return passed(strings.controls);
        }
        let separators = self.level::<L>(block, &strings, &brackets)?;
        self.mark(at, separators);
        if brackets.end == NO_END {
            if self.marked > MARKS - BLOCK_BYTES {
                self.hand_over()?;
            }
            return Ok(None);
        }
        self.hand_over()?;
        if self.letters != self.words && !self.numbers() {
            return Err(Doubt);
        }
        Ok(Some(at + brackets.end as usize + 1))
    }

    /// Tells strings from what is around them.
    #[inline(always)]
    fn strings<L: Lanes>(&mut self, frames: &Frames) -> Strings {
        let quotes = frames.quotes & !self.escaped(frames.backslashes);
        let inside = L::parity(quotes) ^ self.inside;
        self.inside = (inside.cast_signed() >> 63).cast_unsigned();
        let Frames { backslashes, controls, .. } = *frames;
        Strings { quotes, inside, backslashes, controls }
    }

    /// Which bytes are escaped by the backslash before them.
    #[inline(always)]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
        let beginning = backslashes & !self.escaping;
        // Subtracting runs through each row of backslashes and tells whether it is even or odd.
        let maybe = beginning << 1 | ODD;
        let escapes_and_ends = maybe.wrapping_sub(beginning) ^ ODD;
        let escaped = escapes_and_ends ^ (backslashes | self.escaping);
        self.escaping = (escapes_and_ends & backslashes) >> 63;
        escaped
    }

    /// Passes over a block that stays inside the values.
    #[inline(always)]
    fn pass_over(&mut self, opens: u64, closes: u64, curly: u64) -> Result<(), Doubt> {
        self.depth = balanced(self.depth, opens, closes);
        self.curly = balanced(self.curly, opens & curly, closes & curly);
        if self.depth as usize > DEPTH_MAX { Err(Doubt) } else { Ok(()) }
    }

    /// Opens and closes the brackets of a block that may touch the outermost level.
    #[inline(always)]
    fn brackets(&mut self, opens: u64, closes: u64, curly: u64) -> Result<Brackets, Doubt> {
        let outermost = 0_u64.wrapping_sub(u64::from(self.depth == 1));
        let mut brackets = Brackets { level: outermost, values: 0, valid: !0, end: NO_END };
        let mut depth = self.depth;
        let mut rest = opens | closes;
        while rest != 0 {
            let bit = rest.trailing_zeros();
            let (here, from_here) = (1_u64.wrapping_shl(bit), (!0_u64).wrapping_shl(bit));
            if opens & here != 0 {
                if depth == 1 {
                    brackets.values |= here;
                    brackets.level ^= from_here;
                }
                depth = depth.wrapping_add(1);
            } else {
                depth = depth.wrapping_sub(1);
                if depth <= 1 {
                    let so_far = curly & !(from_here << 1);
                    if depth != balanced(self.curly, opens & so_far, closes & so_far) {
                        return Err(Doubt);
                    }
                    if depth == 0 {
                        brackets.end = bit;
                        brackets.valid = !(from_here << 1);
                        break;
                    }
                    brackets.level ^= from_here << 1;
                }
            }
            rest &= rest - 1;
        }
        self.depth = depth;
        self.curly = balanced(self.curly, opens & curly, closes & curly);
        Ok(brackets)
    }

    /// Holds the tokens of the outermost level against the rules of JSON; says which of them
    /// separate keys and values: the colons, the commas, the end.
    #[inline(always)]
    fn level<L: Lanes>(
        &mut self,
        block: &Block,
        strings: &Strings,
        brackets: &Brackets,
    ) -> Result<u64, Doubt> {
        let Strings { quotes, inside, backslashes, controls } = *strings;
        let tokens = L::tokens(block);
        let plain = brackets.level & !(inside | quotes);
        let end = 1_u64.checked_shl(brackets.end).unwrap_or(0);
        let (colons, commas) = (tokens.colons & plain, tokens.commas & plain);
        let (separators, blanks) = (colons | commas, tokens.spaces & plain);
        let (opening, closing) = (quotes & inside, quotes & !inside & brackets.level);
        let scalars = plain & !(separators | blanks | end);
        let scalar_starts = scalars & !(scalars << 1 | self.scalar);
        self.scalar = scalars >> 63;
        // What stands behind the outermost bracket, a colon or a comma, blanks or not.
        let next = separators << 1 | self.expecting;
        let (behind, over) = (next & blanks).overflowing_add(blanks);
        let expected = (next | behind) & !blanks;
        self.expecting = separators >> 63 | u64::from(over);
        let empty = end & self.opened;
        self.opened = 0;
        let after_quote = closing << 1 | self.quoted;
        self.quoted = closing >> 63;
        // Colons and commas take turns, a colon first.
        let valued = L::parity(separators) ^ self.valued;
        let zeros = scalar_starts & tokens.zeros;
        let after_zero = zeros << 1 | self.zero;
        self.zero = zeros >> 63;
        let starts = opening & brackets.level | brackets.values | scalar_starts;
        let doubts = starts & !expected
            | separators & expected
            | end & (expected | !valued) & !empty
            | colons & !after_quote
            | separators & valued ^ colons
            | scalars & tokens.digits & after_zero
            | controls;
        if doubts & brackets.valid != 0 {
            return Err(Doubt);
        }
        self.note_escapes(backslashes & brackets.level & !valued & brackets.valid);
        self.valued = (valued.cast_signed() >> 63).cast_unsigned();
        self.letters += (scalars & !tokens.digits & brackets.valid).count_ones();
        Ok((separators | end) & brackets.valid)
    }

    /// Notes backslashes in keys.
    #[inline(always)]
    fn note_escapes(&mut self, backslashes: u64) {
        if backslashes != 0 {
            self.escapes = Escapes::Some;
        }
    }

    /// Marks where the `separators` of the block at `at` stand.
    #[inline(always)]
    fn mark(&mut self, at: usize, separators: u64) {
        let room = self.marks[self.marked..].first_chunk_mut::<BLOCK_BYTES>();
        let (fours, _) = room.expect("marks are handed over in time").as_chunks_mut::<4>();
        let mut rest = separators;
        // Four at a time, needed or not: how many there are is hard to foresee.
        for [first, second, third, fourth] in fours {
            for mark in [first, second, third, fourth] {
                *mark = (at as u32).wrapping_add(rest.trailing_zeros());
                rest &= rest.wrapping_sub(1);
            }
            if rest == 0 {
                break;
            }
        }
        self.marked += separators.count_ones() as usize;
    }

    /// Hands over the members that have an end.
    fn hand_over(&mut self) -> Result<(), Doubt> {
        let mut at = 0;
        while let Some(marks) = self.marks[at..self.marked].first_chunk() {
            let (key, value) = member(self.input, marks);
            let key = &self.input[key.0..key.1];
            self.keep.member(key, self.escapes, value).map_err(|_| Doubt)?;
            self.words += word(self.input, value);
            at += 2;
        }
        if self.depth > 0 {
            self.marks.copy_within(at..self.marked, 0);
            self.marked -= at;
            self.handed = true;
        }
        Ok(())
    }

    /// Whether all numbers and words are well-formed; says no if some were handed over before.
    /// Most records hold nothing but digits and words, so the walk only counts what else there is.
    #[cold]
    fn numbers(&self) -> bool {
        let marks = &self.marks[..self.marked];
        let mut letters = 0;
        for marks in (0..).step_by(2).map_while(|at| marks.get(at..)?.first_chunk()) {
            let (_, (start, end)) = member(self.input, marks);
            if matches!(self.input[start], b'"' | b'{' | b'[') {
                continue;
            }
            match scalar_end(self.input, start) {
                Ok(well_formed) if well_formed == end => {
                    let is_letter = |byte: &&u8| !byte.is_ascii_digit();
                    letters += self.input[start..end].iter().filter(is_letter).count();
                }
                _ => return false,
            }
        }
        !self.handed && letters == self.letters as usize
    }
}

/// Nothing more is asked of a block without control characters.
#[inline(always)]
fn passed(controls: u64) -> Result<Option<usize>, Doubt> {
    if controls == 0 { Ok(None) } else { Err(Doubt) }
}

/// How many are open behind a block.
#[inline(always)]
fn balanced(open: u32, opens: u64, closes: u64) -> u32 {
    open.wrapping_add(opens.count_ones()).wrapping_sub(closes.count_ones())
}

/// Where the key (without its quotes) and the value stand between the bracket or comma, the colon,
/// and the comma or bracket.
#[inline(always)]
fn member(input: &[u8], marks: &[u32; 3]) -> (Span, Span) {
    let [before, colon, behind] = marks.map(|mark| mark as usize);
    let mut key_start = before + 2;
    while input[key_start - 1] == b' ' {
        key_start += 1;
    }
    let (mut start, mut end) = (colon + 1, behind);
    while input[start] == b' ' {
        start += 1;
    }
    while input[end - 1] == b' ' {
        end -= 1;
    }
    ((key_start, colon - 1), (start, end))
}

/// How many bytes of the value are a word of JSON: all or none.
#[inline(always)]
fn word(input: &[u8], (start, end): Span) -> u32 {
    const NULL: u64 = u32::from_le_bytes(*b"null") as u64;
    const TRUE: u64 = u32::from_le_bytes(*b"true") as u64;
    const FALSE: u64 = u64::from_le_bytes(*b"false\0\0\0");
    let Some(bytes) = input[start..].first_chunk() else { return 0 };
    let text = u64::from_le_bytes(*bytes);
    let (four, five) = (text & 0xFFFF_FFFF, text & 0xFF_FFFF_FFFF);
    let is_four = (four == NULL) | (four == TRUE);
    4 * u32::from(is_four & (end - start == 4))
        + 5 * u32::from((five == FALSE) & (end - start == 5))
}

/// What the quotes and backslashes of a block say of it.
struct Strings {
    /// The quotes that are not escaped.
    quotes: u64,
    /// The bytes inside of strings, the opening quotes among them.
    inside: u64,
    backslashes: u64,
    controls: u64,
}

/// No end in this block.
const NO_END: u32 = BLOCK_BYTES as u32;

/// What the brackets of a block say of it.
struct Brackets {
    /// The bytes of the outermost level; the brackets of its values are not among them.
    level: u64,
    /// The brackets that begin its values.
    values: u64,
    /// The bytes up to the record's end.
    valid: u64,
    /// The bit of the record's last bracket, or [`NO_END`].
    end: u32,
}
