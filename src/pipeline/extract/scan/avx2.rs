//! Masks of half a block at a step, by AVX2.

use std::arch::x86_64::{
    __m256i, _MM_HINT_T0, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_prefetch, _mm_set_epi64x,
    _mm_set1_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_set1_epi8, _mm256_sub_epi8,
};

use super::Keep;
use super::masks::{AHEAD_BYTES, Block, Lanes, Masks};
use super::swift::{self, Verdict};

/// Registers of 32 bytes.
pub(super) struct Avx2;

/// Whether this processor has what [`walk`] needs.
pub(super) fn is_here() -> bool {
    std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("bmi1")
        && std::is_x86_feature_detected!("bmi2")
        && std::is_x86_feature_detected!("lzcnt")
        && std::is_x86_feature_detected!("popcnt")
        && std::is_x86_feature_detected!("pclmulqdq")
}

/// The walk; the processor must have what [`is_here`] asks for.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
pub(super) fn walk<K: Keep>(input: &[u8], start: usize, keep: &mut K) -> Verdict {
    swift::walk::<Avx2, K>(input, start, keep)
}

impl Lanes for Avx2 {
    #[inline(always)]
    fn masks(block: &Block) -> Masks {
        // SAFETY: whoever uses these lanes asked for all that this needs.
        unsafe { masks(block) }
    }

    #[inline(always)]
    fn hex_digits(block: &Block) -> u64 {
        // SAFETY: whoever uses these lanes asked for all that this needs.
        unsafe { hex_digits(block) }
    }

    #[inline(always)]
    fn parity(word: u64) -> u64 {
        // SAFETY: whoever uses these lanes asked for all that this needs.
        unsafe { parity(word) }
    }
}

/// The two halves of a block.
type Halves = [__m256i; 2];

#[inline]
#[target_feature(enable = "avx2")]
fn load(block: &Block) -> Halves {
    let start = block.as_ptr();
    // SAFETY: a block has the 64 bytes that are loaded, and may stand anywhere; what is fetched
    // ahead is only a hint, which never faults.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(AHEAD_BYTES).cast());
        [_mm256_loadu_si256(start.cast()), _mm256_loadu_si256(start.add(32).cast())]
    }
}

/// The mask of a block of which `told` sets the bytes of each half.
#[inline]
#[target_feature(enable = "avx2")]
fn mask(told: Halves) -> u64 {
    let [low, high] = told.map(|half| u64::from(_mm256_movemask_epi8(half).cast_unsigned()));
    low | high << 32
}

#[inline]
#[target_feature(enable = "avx2")]
fn equal(bytes: Halves, byte: u8) -> u64 {
    mask(bytes.map(|half| _mm256_cmpeq_epi8(half, _mm256_set1_epi8(byte.cast_signed()))))
}

/// The bytes from `first` to `last`.
#[inline]
#[target_feature(enable = "avx2")]
fn among(bytes: Halves, first: u8, last: u8) -> u64 {
    let most = _mm256_set1_epi8((last - first).cast_signed());
    mask(bytes.map(|half| {
        let above = _mm256_sub_epi8(half, _mm256_set1_epi8(first.cast_signed()));
        _mm256_cmpeq_epi8(_mm256_min_epu8(above, most), above)
    }))
}

/// The bytes with the bit set that letters of lower case have, which also tells `{` from `[`.
#[inline]
#[target_feature(enable = "avx2")]
fn lower(bytes: Halves) -> Halves {
    bytes.map(|half| _mm256_or_si256(half, _mm256_set1_epi8(0x20)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn masks(block: &Block) -> Masks {
    let bytes = load(block);
    Masks {
        quotes: equal(bytes, b'"'),
        backslashes: equal(bytes, b'\\'),
        opens: equal(lower(bytes), b'{'),
        closes: equal(lower(bytes), b'}'),
        colons: equal(bytes, b':'),
        commas: equal(bytes, b','),
        blanks: among(bytes, 0, b' '),
        controls: among(bytes, 0, b' ' - 1),
        digits: among(bytes, b'0', b'9'),
        zeros: equal(bytes, b'0'),
        slashes: equal(bytes, b'/'),
        unicode: equal(bytes, b'u'),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn hex_digits(block: &Block) -> u64 {
    let bytes = load(block);
    among(bytes, b'0', b'9') | among(lower(bytes), b'a', b'f')
}

/// For each bit whether the number of set ones up to it is odd. Wider lanes have nothing better.
#[inline]
#[target_feature(enable = "pclmulqdq")]
pub(super) fn parity(word: u64) -> u64 {
    // Multiplied by all ones without carries, each bit is the sum of those up to it.
    let factor = _mm_set_epi64x(0, word.cast_signed());
    let product = _mm_clmulepi64_si128(factor, _mm_set1_epi8(-1), 0);
    _mm_cvtsi128_si64(product).cast_unsigned()
}
