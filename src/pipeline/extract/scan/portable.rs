//! Masks eight bytes at a step, in plain words: for every machine.

use super::lines::Numeral;
use super::masks::{Block, Frames, Lanes, Tokens};

/// One in every byte of a word.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The lower seven bits of every byte of a word.
const LOWS: u64 = 0x7F7F_7F7F_7F7F_7F7F;
/// The case bit of letters, which also tells `{` from `[`.
const CASE: u64 = ONES * 0x20;

/// Words of eight bytes.
pub(super) struct Portable;

/// The bytes of `word` that are zero, as their highest bits.
#[inline]
const fn zeros(word: u64) -> u64 {
    !(((word & LOWS) + LOWS) | word | LOWS)
}

/// The bytes of `word` that are `byte`, as their highest bits.
#[inline]
const fn equal(word: u64, byte: u8) -> u64 {
    zeros(word ^ (ONES * byte as u64))
}

/// The bytes of `word` below `byte`, which is ASCII, as their highest bits.
#[inline]
const fn below(word: u64, byte: u8) -> u64 {
    !(((word & LOWS) + ONES * (0x80 - byte as u64)) | word) & !LOWS
}

/// The highest bits of the bytes, side by side.
#[inline]
const fn gathered(highs: u64) -> u64 {
    (highs >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// The mask of a block of which `told` tells the bytes of each word.
#[inline]
fn mask(block: &Block, told: impl Fn(u64) -> u64) -> u64 {
    let (words, _) = block.as_chunks::<8>();
    let mask_of = |word: &[u8; 8]| gathered(told(u64::from_le_bytes(*word)));
    words.iter().rev().fold(0, |mask, word| mask << 8 | mask_of(word))
}

impl Lanes for Portable {
    #[inline]
    fn frames(block: &Block) -> Frames {
        Frames {
            quotes: mask(block, |word| equal(word, b'"')),
            backslashes: mask(block, |word| equal(word, b'\\')),
            opens: mask(block, |word| equal(word | CASE, b'{')),
            closes: mask(block, |word| equal(word | CASE, b'}')),
            curly: mask(block, |word| word << 2 & !LOWS),
            controls: mask(block, |word| below(word, b' ')),
        }
    }

    #[inline]
    fn tokens(block: &Block) -> Tokens {
        Tokens {
            colons: mask(block, |word| equal(word, b':')),
            commas: mask(block, |word| equal(word, b',')),
            spaces: mask(block, |word| equal(word, b' ')),
            digits: mask(block, |word| below(word, b'9' + 1) & !below(word, b'0')),
            zeros: mask(block, |word| equal(word, b'0')),
        }
    }

    #[inline]
    fn equal(block: &Block, byte: u8) -> u64 {
        mask(block, |word| equal(word, byte))
    }

    #[inline]
    fn number(numeral: &Numeral, digits: usize) -> Option<u64> {
        let digits = &numeral[numeral.len() - digits..];
        let add = |number: u64, byte: &u8| {
            byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0'))
        };
        // 19 digits stay below 10^19 < 2^64: this cannot overflow.
        digits.iter().try_fold(0, add)
    }

    #[inline]
    fn parity(word: u64) -> u64 {
        [1, 2, 4, 8, 16, 32].into_iter().fold(word, |word, shift| word ^ word << shift)
    }
}
