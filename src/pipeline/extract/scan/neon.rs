//! Masks of a quarter of a block at a step, by NEON, which every 64-bit ARM has.

use std::arch::aarch64::{
    uint8x16_t, vandq_u8, vceqq_u8, vcleq_u8, vcltq_u8, vdupq_n_u8, vgetq_lane_u64, vld1q_u8,
    vorrq_u8, vpaddq_u8, vreinterpretq_u64_u8, vsubq_u8, vtstq_u8,
};

use super::lines::Numeral;
use super::masks::{Block, Frames, Lanes, Tokens};
use super::portable::Portable;

/// Registers of 16 bytes.
pub(super) struct Neon;

/// The four quarters of a block.
type Quarters = [uint8x16_t; 4];

/// A bit of its own for each byte of a half register.
const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];

fn load(block: &Block) -> Quarters {
    let start = block.as_ptr();
    // SAFETY: a block has the 64 bytes that are loaded, and may stand anywhere.
    unsafe {
        [vld1q_u8(start), vld1q_u8(start.add(16)), vld1q_u8(start.add(32)), vld1q_u8(start.add(48))]
    }
}

/// The mask of a block of which `told` has all bits set in the bytes in question: each is left one
/// bit, and neighbours are added up until eight of them are a byte.
fn mask(bytes: Quarters, told: impl Fn(uint8x16_t) -> uint8x16_t) -> u64 {
    // SAFETY: there are the 16 bytes that are loaded, and every processor of this kind has NEON.
    unsafe {
        let bits = vld1q_u8(BITS.as_ptr());
        let [first, second, third, fourth] = bytes.map(|quarter| vandq_u8(told(quarter), bits));
        let halves = vpaddq_u8(vpaddq_u8(first, second), vpaddq_u8(third, fourth));
        vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(halves, halves)))
    }
}

fn equal(bytes: Quarters, byte: u8) -> u64 {
    // SAFETY: every processor of this kind has NEON.
    mask(bytes, |quarter| unsafe { vceqq_u8(quarter, vdupq_n_u8(byte)) })
}

fn below(bytes: Quarters, byte: u8) -> u64 {
    // SAFETY: every processor of this kind has NEON.
    mask(bytes, |quarter| unsafe { vcltq_u8(quarter, vdupq_n_u8(byte)) })
}

/// The bytes from `first` to `last`.
fn among(bytes: Quarters, first: u8, last: u8) -> u64 {
    // SAFETY: every processor of this kind has NEON.
    mask(bytes, |quarter| unsafe {
        vcleq_u8(vsubq_u8(quarter, vdupq_n_u8(first)), vdupq_n_u8(last - first))
    })
}

/// The bytes with the bit set that letters of lower case have, which also tells `{` from `[`.
fn lower(bytes: Quarters) -> Quarters {
    // SAFETY: every processor of this kind has NEON.
    bytes.map(|quarter| unsafe { vorrq_u8(quarter, vdupq_n_u8(0x20)) })
}

/// The bytes with that bit set.
fn case(bytes: Quarters) -> u64 {
    // SAFETY: every processor of this kind has NEON.
    mask(bytes, |quarter| unsafe { vtstq_u8(quarter, vdupq_n_u8(0x20)) })
}

impl Lanes for Neon {
    #[inline]
    fn frames(block: &Block) -> Frames {
        let bytes = load(block);
        Frames {
            quotes: equal(bytes, b'"'),
            backslashes: equal(bytes, b'\\'),
            opens: equal(lower(bytes), b'{'),
            closes: equal(lower(bytes), b'}'),
            curly: case(bytes),
            controls: below(bytes, b' '),
        }
    }

    #[inline]
    fn tokens(block: &Block) -> Tokens {
        let bytes = load(block);
        Tokens {
            colons: equal(bytes, b':'),
            commas: equal(bytes, b','),
            spaces: equal(bytes, b' '),
            digits: among(bytes, b'0', b'9'),
            zeros: equal(bytes, b'0'),
        }
    }

    #[inline]
    fn equal(block: &Block, byte: u8) -> u64 {
        equal(load(block), byte)
    }

    /// As on every machine: digits are added up by words as fast.
    #[inline]
    fn number(numeral: &Numeral, digits: usize) -> Option<u64> {
        Portable::number(numeral, digits)
    }

    /// As on every machine: the product without carries is no part of what all of them have.
    #[inline]
    fn parity(word: u64) -> u64 {
        Portable::parity(word)
    }
}
