//! What each of 64 bytes is, a bit a byte: the only thing that an instruction set has to tell the
//! walk. The walk itself is written once, over these masks.

use super::lines::Numeral;

/// Bytes of a block: a bit of a word each.
pub(super) const BLOCK_BYTES: usize = 64;

/// How far ahead of a block memory is asked for its bytes: processors look ahead by themselves, but
/// not beyond a page, and too late for a walk that hardly waits for anything else.
pub(super) const AHEAD_BYTES: usize = 4096;

/// 64 bytes, of which the walk asks what they are.
pub(super) type Block = [u8; BLOCK_BYTES];

/// The block that begins with `rest`, which is shorter, and is filled up.
#[inline(always)]
pub(super) fn last_block(rest: &[u8], filling: u8) -> Block {
    let mut block = [filling; BLOCK_BYTES];
    block[..rest.len()].copy_from_slice(rest);
    block
}

/// What frames values: strings and brackets; bit 0 is the first byte's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frames {
    /// `"`
    pub(super) quotes: u64,
    /// `\`
    pub(super) backslashes: u64,
    /// `{` and `[`
    pub(super) opens: u64,
    /// `}` and `]`
    pub(super) closes: u64,
    /// `{` and `}`, and many bytes that are no brackets.
    pub(super) curly: u64,
    /// Control characters: below 0x20.
    pub(super) controls: u64,
}

/// What stands between strings and brackets; bit 0 is the first byte's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tokens {
    /// `:`
    pub(super) colons: u64,
    /// `,`
    pub(super) commas: u64,
    /// 0x20
    pub(super) spaces: u64,
    /// `0` to `9`
    pub(super) digits: u64,
    /// `0`
    pub(super) zeros: u64,
}

/// An instruction set.
pub(super) trait Lanes {
    /// Which bytes of `block` frame values.
    fn frames(block: &Block) -> Frames;

    /// Which of them stand between strings and brackets.
    fn tokens(block: &Block) -> Tokens;

    /// Which of them are `byte`, which is ASCII.
    fn equal(block: &Block, byte: u8) -> u64;

    /// The number that the last bytes of `numeral` spell, if all of so many are digits: 1 to 19.
    fn number(numeral: &Numeral, digits: usize) -> Option<u64>;

    /// A word whose every bit is the parity of the bits of `word` up to this one.
    fn parity(word: u64) -> u64;
}

/// Work that is written once for all instruction sets.
pub(super) trait Work {
    /// What it comes to.
    type Out;

    /// Does it by these lanes; always inlined, so that it is compiled for their processor.
    fn by<L: Lanes>(self) -> Self::Out;
}
