//! The walk by masks: 64 bytes a turn, all rules of JSON as sums and products of words, a loop
//! only over brackets, words such as `null`, and the outermost keys.
//!
//! It answers for whole records alone. Whatever it cannot vouch for, damage above all, but also
//! what is rare (more than 63 levels, blanks within `{ }` or before a colon, control characters
//! in strings), it leaves to the careful walk, which then says what is wrong and where.
//!
//! A rule that compares a byte with the one before takes the one bit that the last block left
//! over. "The token before" passes over blanks by a carry: adding one where a run of blanks begins
//! leaves it standing behind the run's end. Bits behind the record's end may say anything; no
//! carry runs backwards.

use super::masks::{BLOCK_BYTES, Block, Lanes, Masks, Work, last_block};
use super::text::scalar_end;
use super::{Escapes, Keep};

/// What a swift walk came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The record is well-formed and ends before this byte.
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
        let mut at = start;
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

/// The innermost bracket is an object, and it is the outermost one.
const OUTERMOST: u64 = 0b11;

/// What one block leaves over for the next. Where nothing else is said, a bit 0 or 1 about the
/// last byte.
struct Swift<'a, K> {
    input: &'a [u8],
    keep: &'a mut K,
    /// It was a backslash that escapes the next one.
    escaping: u64,
    /// Which of the next bytes must be hexadecimal digits.
    hex_digits: u64,
    /// All ones inside a string.
    inside: u64,
    /// The token before was an opening bracket, a colon or a comma.
    expecting: u64,
    /// It was an opening bracket.
    opened: u64,
    /// It was a closing quote.
    quoted: u64,
    /// It was part of a number or word.
    scalar: u64,
    /// It was a digit of a number.
    digit: u64,
    /// It was a zero that begins a number.
    zero: u64,
    /// Which of the next bytes belong to a word that began before.
    words: u64,
    /// The last separator lets a key follow.
    keyed: u64,
    /// The open brackets below a one, the innermost lowest: 1 for an object.
    open: u64,
    quote_at: usize,
    backslash_at: usize,
    value_start: usize,
}

impl<'a, K: Keep> Swift<'a, K> {
    #[inline(always)]
    fn new(input: &'a [u8], start: usize, keep: &'a mut K) -> Swift<'a, K> {
        Swift {
            input,
            keep,
            escaping: 0,
            hex_digits: 0,
            inside: 0,
            expecting: 1,
            opened: 0,
            quoted: 0,
            scalar: 0,
            digit: 0,
            zero: 0,
            words: 0,
            keyed: 0,
            open: 1,
            quote_at: start,
            backslash_at: start,
            value_start: 0,
        }
    }

    /// Takes the block at `at`; says where the record ends, if it does in this block.
    #[inline(always)]
    fn block<L: Lanes>(&mut self, block: &Block, at: usize) -> Result<Option<usize>, Doubt> {
        let masks = L::masks(block);
        let escaped = self.escaped(masks.backslashes);
        let mut doubts = self.escapes::<L>(block, escaped, &masks);
        let quotes = masks.quotes & !escaped;
        let inside = L::parity(quotes) ^ self.inside;
        self.inside = (inside.cast_signed() >> 63).cast_unsigned();
        let strings = inside | quotes;
        let tokens = Tokens {
            opening: quotes & inside,
            closing: quotes & !inside,
            opens: masks.opens & !strings,
            closes: masks.closes & !strings,
            colons: masks.colons & !strings,
            commas: masks.commas & !strings,
            blanks: masks.blanks & !strings,
        };
        doubts |= masks.controls & inside;
        let odd_blanks = masks.controls & !strings;
        if odd_blanks != 0 {
            doubts |= no_blanks(block, odd_blanks);
        }
        let brackets = self.brackets(block, &tokens)?;
        let scalars = !(strings | tokens.separators() | tokens.blanks);
        let scalar_starts = scalars & !(scalars << 1 | self.scalar);
        self.scalar = scalars >> 63;
        doubts |= self.grammar(&tokens, scalar_starts, &brackets);
        doubts |= self.scalars(at, scalars, scalar_starts, &masks);
        if doubts & brackets.valid != 0 {
            return Err(Doubt);
        }
        self.outermost(at, &tokens, masks.backslashes, &brackets)?;
        let end = at + brackets.end as usize;
        if brackets.end == NO_END {
            return Ok(None);
        }
        if self.value_start > 0 {
            self.value(end);
        }
        Ok(Some(end + 1))
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

    /// The bytes that are wrong in escapes.
    #[inline(always)]
    fn escapes<L: Lanes>(&mut self, block: &Block, escaped: u64, masks: &Masks) -> u64 {
        let unicode = escaped & masks.unicode;
        let letters = escaped & !(masks.quotes | masks.backslashes | masks.slashes | unicode);
        let mut wrong = 0;
        if unicode | self.hex_digits != 0 {
            let expected = unicode << 1 | unicode << 2 | unicode << 3 | unicode << 4;
            wrong = (expected | self.hex_digits) & !L::hex_digits(block);
            self.hex_digits = unicode >> 63 | unicode >> 62 | unicode >> 61 | unicode >> 60;
        }
        if letters == 0 { wrong } else { wrong | no_letters(block, letters) }
    }

    /// Opens and closes brackets; in the mask of a block only here and there one.
    #[inline(always)]
    fn brackets(&mut self, block: &Block, tokens: &Tokens) -> Result<Brackets, Doubt> {
        let mut open = self.open;
        let mut brackets = Brackets {
            objects: 0_u64.wrapping_sub(open & 1),
            outermost: 0_u64.wrapping_sub(u64::from(open == OUTERMOST)),
            object_opens: 0,
            valid: !0,
            end: NO_END,
        };
        let mut rest = tokens.opens | tokens.closes;
        let mut mismatched = 0;
        while rest != 0 {
            let at = rest.trailing_zeros();
            let from_here = (!0_u64).wrapping_shl(at);
            let object = u64::from(block[at as usize % BLOCK_BYTES] >> 5 & 1);
            let is_open = tokens.opens.wrapping_shr(at) & 1 != 0;
            let before = open;
            let (opened, closed) = (before << 1 | object, before >> 1);
            open = if is_open { opened } else { closed };
            // Too deep: the one that stands on top of the bits is about to get lost.
            mismatched |= if is_open { before >> 63 } else { (before ^ object) & 1 };
            brackets.object_opens |= if is_open { object.wrapping_shl(at) } else { 0 };
            brackets.objects ^= 0_u64.wrapping_sub((before ^ open) & 1) & from_here;
            // Deeper down neither the outermost keys nor the end can be met.
            if before.min(open) <= OUTERMOST {
                let crossed = (before == OUTERMOST) != (open == OUTERMOST);
                brackets.outermost ^= 0_u64.wrapping_sub(u64::from(crossed)) & from_here;
                if open == 1 {
                    brackets.end = at;
                    brackets.valid = (!0_u64).wrapping_shr(63 - at);
                    break;
                }
            }
            rest &= rest - 1;
        }
        self.open = open;
        if mismatched != 0 { Err(Doubt) } else { Ok(brackets) }
    }

    /// The tokens that may not stand where they do.
    #[inline(always)]
    fn grammar(&mut self, tokens: &Tokens, scalar_starts: u64, brackets: &Brackets) -> u64 {
        let Tokens { opening, closing, opens, closes, colons, commas, blanks } = *tokens;
        let separators = tokens.separators();
        // What stands behind an opening bracket, a colon or a comma, blanks or not.
        let expecting = opens | colons | commas;
        let next = expecting << 1 | self.expecting;
        let (behind, over) = (next & blanks).overflowing_add(blanks);
        let expected = (next | behind) & !blanks;
        self.expecting = expecting >> 63 | u64::from(over);
        let after_open = opens << 1 | self.opened;
        self.opened = opens >> 63;
        let empties = closes & after_open;
        let after_quote = closing << 1 | self.quoted;
        self.quoted = closing >> 63;
        // The next separator behind one that lets a key follow must be a colon, and no other is.
        let keyed = brackets.object_opens | commas & brackets.objects;
        let next = keyed << 1 | self.keyed;
        let (behind, over) = (next & !separators).overflowing_add(!separators);
        let behind_key = (next | behind) & separators;
        self.keyed = keyed >> 63 | u64::from(over);
        (opening | opens | scalar_starts) & !expected
            | (commas | colons) & expected
            | closes & expected & !after_open
            | colons & !after_quote
            | (behind_key & !empties) ^ colons
    }

    /// The bytes outside of strings that are neither numbers nor `true`, `false` and `null`.
    #[inline(always)]
    fn scalars(&mut self, at: usize, scalars: u64, starts: u64, masks: &Masks) -> u64 {
        let digits = scalars & masks.digits;
        let digit_starts = digits & !(digits << 1 | self.digit);
        self.digit = digits >> 63;
        let zeros = starts & masks.zeros;
        let after_zero = zeros << 1 | self.zero;
        self.zero = zeros >> 63;
        let mut words = u128::from(self.words);
        let mut rest = starts & !masks.digits;
        while rest != 0 {
            let from = rest.trailing_zeros();
            words |= u128::from(self.word(at + from as usize)).wrapping_shl(from);
            rest &= rest - 1;
        }
        self.words = (words >> 64) as u64;
        // A fraction, an exponent, a sign: seldom enough to be looked at one by one.
        let odd = scalars & !masks.digits & !(words as u64) | digit_starts & !starts;
        (after_zero & digits) | if odd == 0 { 0 } else { self.odd_numbers(at, odd) }
    }

    /// A bit for each byte of the word that begins at `at`; none if it is no word of JSON.
    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        const NULL: u64 = u32::from_le_bytes(*b"null") as u64;
        const TRUE: u64 = u32::from_le_bytes(*b"true") as u64;
        const FALSE: u64 = u64::from_le_bytes(*b"false\0\0\0");
        let Some(bytes) = self.input[at.min(self.input.len())..].first_chunk() else { return 0 };
        let text = u64::from_le_bytes(*bytes);
        let four = text & 0xFFFF_FFFF;
        let is_four = u64::from(four == NULL) | u64::from(four == TRUE);
        let is_five = u64::from(text & 0xFF_FFFF_FFFF == FALSE);
        (is_four * 0b1111) | (is_five * 0b1_1111)
    }

    /// Those of the bytes `odd` that are not part of a well-formed number.
    #[cold]
    fn odd_numbers(&self, at: usize, odd: u64) -> u64 {
        let is_scalar = |at: usize| {
            let byte = self.input.get(at);
            byte.is_some_and(|byte| *byte > b' ' && !b"{}[]:,\"".contains(byte))
        };
        let mut wrong = 0;
        let mut rest = odd;
        while rest != 0 {
            let bit = rest.trailing_zeros();
            rest &= rest - 1;
            let mut start = at + bit as usize;
            while is_scalar(start - 1) {
                start -= 1;
            }
            let is_number = match self.input.get(start).map(|_| scalar_end(self.input, start)) {
                Some(Ok(end)) => end > at + bit as usize && !is_scalar(end),
                _ => false,
            };
            wrong |= u64::from(!is_number) << bit;
        }
        wrong
    }

    /// Hands over the outermost keys and values that begin or end in this block.
    #[inline(always)]
    fn outermost(
        &mut self,
        at: usize,
        tokens: &Tokens,
        backslashes: u64,
        brackets: &Brackets,
    ) -> Result<(), Doubt> {
        let mut rest = (tokens.colons | tokens.commas) & brackets.outermost & brackets.valid;
        while rest != 0 {
            let bit = rest.trailing_zeros();
            rest &= rest - 1;
            let here = at + bit as usize;
            if tokens.commas.wrapping_shr(bit) & 1 != 0 {
                self.value(here);
                continue;
            }
            let before = !(!0_u64).wrapping_shl(bit);
            let key_start = last(tokens.opening & before, at, self.quote_at) + 1;
            let plain = last(backslashes & before, at, self.backslash_at) < key_start;
            let key = &self.input[key_start..here - 1];
            let escapes = if plain { Escapes::None } else { Escapes::Some };
            self.keep.key(key, escapes).map_err(|_| Doubt)?;
            self.value_start = here + 1;
        }
        self.quote_at = last(tokens.opening, at, self.quote_at);
        self.backslash_at = last(backslashes, at, self.backslash_at);
        Ok(())
    }

    /// Hands over the value that ends before the separator at `end`.
    #[inline(always)]
    fn value(&mut self, end: usize) {
        let (mut start, mut end) = (self.value_start, end);
        while self.input[start] <= b' ' {
            start += 1;
        }
        while self.input[end - 1] <= b' ' {
            end -= 1;
        }
        self.keep.value(start, end);
    }
}

/// The bytes of a block that tell something, outside of strings.
struct Tokens {
    /// Quotes that open strings.
    opening: u64,
    /// Quotes that close them.
    closing: u64,
    opens: u64,
    closes: u64,
    colons: u64,
    commas: u64,
    blanks: u64,
}

impl Tokens {
    #[inline(always)]
    fn separators(&self) -> u64 {
        self.opens | self.closes | self.colons | self.commas
    }
}

/// No end in this block.
const NO_END: u32 = BLOCK_BYTES as u32;

/// What the brackets of a block say of it.
struct Brackets {
    /// The bytes whose innermost bracket is an object.
    objects: u64,
    /// The bytes whose innermost bracket is the outermost one.
    outermost: u64,
    /// The brackets that open objects.
    object_opens: u64,
    /// The bytes up to the record's end.
    valid: u64,
    /// The bit of the record's last bracket, or [`NO_END`].
    end: u32,
}

/// Where the last of the `bits` of the block at `at` stands, or `before` if there is none.
#[inline(always)]
fn last(bits: u64, at: usize, before: usize) -> usize {
    if bits == 0 { before } else { at + 63 - bits.leading_zeros() as usize }
}

/// Those of the escaped bytes that are no letter of an escape.
#[inline(always)]
fn no_letters(block: &Block, escaped: u64) -> u64 {
    let mut wrong = 0;
    let mut rest = escaped;
    while rest != 0 {
        let bit = rest.trailing_zeros();
        rest &= rest - 1;
        let is_letter = b"bfnrt".contains(&block[bit as usize % BLOCK_BYTES]);
        wrong |= u64::from(!is_letter).wrapping_shl(bit);
    }
    wrong
}

/// Those of the `controls` that are no blanks of JSON.
#[inline(always)]
fn no_blanks(block: &Block, controls: u64) -> u64 {
    let mut wrong = 0;
    let mut rest = controls;
    while rest != 0 {
        let bit = rest.trailing_zeros();
        rest &= rest - 1;
        let is_blank = matches!(block[bit as usize % BLOCK_BYTES], b'\n' | b'\r' | b'\t');
        wrong |= u64::from(!is_blank).wrapping_shl(bit);
    }
    wrong
}
