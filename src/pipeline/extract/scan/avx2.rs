//! Masks of half a block at a step, by AVX2.

use std::arch::x86_64::{
    __m256i, _MM_HINT_T0, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_prefetch, _mm_set_epi64x,
    _mm_set1_epi8, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_extract_epi64, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_min_epu8, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_packus_epi32, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32,
    _mm256_slli_epi16, _mm256_sub_epi8, _mm256_subs_epu8, _mm256_testz_si256,
};

use super::lines::Numeral;
use super::masks::{AHEAD_BYTES, Block, Frames, Lanes, Tokens, Work};

/// Registers of 32 bytes.
pub(super) struct Avx2;

/// Whether this processor has what [`run`] needs.
pub(super) fn is_here() -> bool {
    std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("bmi1")
        && std::is_x86_feature_detected!("bmi2")
        && std::is_x86_feature_detected!("lzcnt")
        && std::is_x86_feature_detected!("popcnt")
        && std::is_x86_feature_detected!("pclmulqdq")
}

/// Does `work`; the processor must have what [`is_here`] asks for.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
pub(super) fn run<W: Work>(work: W) -> W::Out {
    work.by::<Avx2>()
}

impl Lanes for Avx2 {
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
        unsafe { number(numeral, digits) }
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

/// The bytes with that bit set: shifted, it is the highest, which is gathered.
#[inline]
#[target_feature(enable = "avx2")]
fn case(bytes: Halves) -> u64 {
    mask(bytes.map(|half| _mm256_slli_epi16::<2>(half)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn frames(block: &Block) -> Frames {
    let bytes = load(block);
    Frames {
        quotes: equal(bytes, b'"'),
        backslashes: equal(bytes, b'\\'),
        opens: equal(lower(bytes), b'{'),
        closes: equal(lower(bytes), b'}'),
        curly: case(bytes),
        controls: among(bytes, 0, b' ' - 1),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
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

/// Ones behind zeros: 32 bytes from the place of a number on are ones where its digits are, if so
/// many bytes stand last.
const LAST: [u8; 64] = {
    let mut ones = [0; 64];
    let mut at = 32;
    while at < ones.len() {
        ones[at] = 0xFF;
        at += 1;
    }
    ones
};

/// The number that the last bytes spell: pairs, fours and eights of digits are added up side by
/// side. Wider lanes have nothing better.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn number(numeral: &Numeral, digits: usize) -> Option<u64> {
    let last = LAST[digits % 32..].first_chunk::<32>()?;
    // SAFETY: both have the 32 bytes that are loaded, and may stand anywhere.
    let (bytes, last) = unsafe {
        (_mm256_loadu_si256(numeral.as_ptr().cast()), _mm256_loadu_si256(last.as_ptr().cast()))
    };
    let digits = _mm256_and_si256(_mm256_sub_epi8(bytes, _mm256_set1_epi8(0x30)), last);
    let above = _mm256_subs_epu8(digits, _mm256_set1_epi8(9));
    let pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(0x010A));
    let fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x0001_0064));
    let fours = _mm256_packus_epi32(fours, fours);
    let eights = _mm256_madd_epi16(fours, _mm256_set1_epi32(0x0001_2710));
    let [high, low] = [_mm256_extract_epi64::<0>(eights), _mm256_extract_epi64::<2>(eights)];
    let [high, low] = [high.cast_unsigned(), low.cast_unsigned()];
    // Of 19 digits three stand in the second eight, so the sum stays below 10^19 < 2^64; one of
    // other bytes may be anything, and is thrown away.
    let number = (high >> 32)
        .wrapping_mul(10_000_000_000_000_000)
        .wrapping_add((low & 0xFFFF_FFFF).wrapping_mul(100_000_000))
        .wrapping_add(low >> 32);
    (_mm256_testz_si256(above, above) == 1).then_some(number)
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
