//! Masks of a whole block at a step, by AVX-512.

use std::arch::x86_64::{
    __m512i, _MM_HINT_T0, _mm_prefetch, _mm512_cmpeq_epi8_mask, _mm512_cmplt_epu8_mask,
    _mm512_loadu_si512, _mm512_or_si512, _mm512_set1_epi8, _mm512_sub_epi8, _mm512_test_epi8_mask,
};

use super::avx2;
use super::lines::Numeral;
use super::masks::{AHEAD_BYTES, Block, Frames, Lanes, Tokens, Work};

/// Registers of 64 bytes.
pub(super) struct Avx512;

/// Whether this processor has what [`run`] needs.
pub(super) fn is_here() -> bool {
    avx2::is_here()
        && std::is_x86_feature_detected!("avx512f")
        && std::is_x86_feature_detected!("avx512bw")
}

/// Does `work`; the processor must have what [`is_here`] asks for.
#[target_feature(enable = "avx2,avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
pub(super) fn run<W: Work>(work: W) -> W::Out {
    work.by::<Avx512>()
}

impl Lanes for Avx512 {
    #[inline(always)]
    fn frames(block: &Block) -> Frames {
        // SAFETY: whoever uses these lanes asked for all that this needs.
        unsafe { frames(block) }
    }

    #[inline(always)]
    fn tokens(block: &Block) -> Tokens {
        // SAFETY: whoever uses these lanes asked for all that this needs.
        unsafe { tokens(block) }
    }

    #[inline(always)]
    fn equal(block: &Block, byte: u8) -> u64 {
        // SAFETY: whoever uses these lanes asked for all that this needs.
        unsafe { equal(load(block), byte) }
    }

    #[inline(always)]
    fn number(numeral: &Numeral, digits: usize) -> Option<u64> {
        // SAFETY: whoever uses these lanes asked for all that this needs.
        unsafe { avx2::number(numeral, digits) }
    }

    #[inline(always)]
    fn parity(word: u64) -> u64 {
        // SAFETY: whoever uses these lanes asked for all that this needs.
        unsafe { avx2::parity(word) }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load(block: &Block) -> __m512i {
    // SAFETY: a block has the 64 bytes that are loaded, and may stand anywhere; what is fetched
    // ahead is only a hint, which never faults.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(block.as_ptr().wrapping_add(AHEAD_BYTES).cast());
        _mm512_loadu_si512(block.as_ptr().cast())
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn equal(bytes: __m512i, byte: u8) -> u64 {
    _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte.cast_signed()))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn below(bytes: __m512i, byte: u8) -> u64 {
    _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(byte.cast_signed()))
}

/// The bytes from `first` on, so many.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn among(bytes: __m512i, first: u8, count: u8) -> u64 {
    below(_mm512_sub_epi8(bytes, _mm512_set1_epi8(first.cast_signed())), count)
}

/// The bytes with the bit set that letters of lower case have, which also tells `{` from `[`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn lower(bytes: __m512i) -> __m512i {
    _mm512_or_si512(bytes, _mm512_set1_epi8(0x20))
}

/// The bytes with that bit set.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn case(bytes: __m512i) -> u64 {
    _mm512_test_epi8_mask(bytes, _mm512_set1_epi8(0x20))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
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
#[target_feature(enable = "avx512f,avx512bw")]
fn tokens(block: &Block) -> Tokens {
    let bytes = load(block);
    Tokens {
        colons: equal(bytes, b':'),
        commas: equal(bytes, b','),
        spaces: equal(bytes, b' '),
        digits: among(bytes, b'0', 10),
        zeros: equal(bytes, b'0'),
    }
}
