//! What bytes are: the walk over one JSON value, which finds its end, checks its structure, and
//! tells where the values of the outermost keys stand; the lines of a list; and the rows of a
//! table. Not what they mean.
//!
//! Sans-IO: a slice in, a verdict out. No tree, no allocation, no recursion: brackets are bits.
//! Strings are bytes: invalid UTF-8, lone surrogates and escapes that spell nothing are let
//! through, a raw line feed is not.
//!
//! There are two walks. The `swift` one goes 64 bytes a turn by the widest instructions that this
//! processor has, and answers for sound records on one line only; it passes over what the values
//! of the outermost keys hold inside, as long as strings are closed and brackets balanced there.
//! The `careful` one goes token by token, takes everything, knows all rules at every depth, and
//! names the place and the reason of damage. So a value inside may turn out to be torn when
//! somebody looks into it (see `value`).
//!
//! The tests hold the careful walk against serde_json, and the swift one against the careful one
//! over a copy whose inner values were emptied byte by byte.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "intrinsics load from addresses and need their processor")]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "intrinsics load from addresses and need their processor")]
mod avx512;
mod careful;
mod lines;
mod masks;
#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code, reason = "intrinsics load from addresses and need their processor")]
mod neon;
mod portable;
mod rows;
mod swift;
mod text;

use super::super::reason::Reason;
pub(crate) use careful::{Frame, frame};
pub(crate) use lines::Lines;
use masks::Work;
pub(crate) use rows::rows;
use swift::Verdict;
pub(crate) use text::skip_blanks;

/// What a walk came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// The value ends before this byte.
    End(usize),
    /// The input ends inside the value.
    Incomplete,
    /// The value is broken at this byte.
    Damaged(usize, Reason),
}

/// From which byte on, and before which one.
pub(crate) type Span = (usize, usize);

/// Takes the members of the outermost object.
pub(crate) trait Keep {
    /// Forgets everything: the careful walk begins. Only what it takes may hold line feeds.
    fn restart(&mut self);
    /// Takes a key (without quotes) with the span of its value; refuses one that was there before.
    fn member(&mut self, key: &[u8], escapes: Escapes, value: Span) -> Result<(), Reason>;
}

/// Whether a string may hold escapes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// Its bytes are its text.
    #[default]
    None,
    /// It may hold a backslash.
    Some,
}

/// Keeps nothing: for finding the end alone.
pub(crate) struct Skip;

impl Keep for Skip {
    #[inline]
    fn restart(&mut self) {}

    #[inline]
    fn member(&mut self, _key: &[u8], _escapes: Escapes, _value: Span) -> Result<(), Reason> {
        Ok(())
    }
}

/// Walks the value that begins at `start` to its end.
pub(crate) fn walk<K: Keep>(input: &[u8], start: usize, keep: &mut K) -> Walk {
    if input.get(start) == Some(&b'{')
        && let Verdict::End(end) = swift_walk(input, start, keep)
    {
        return Walk::End(end);
    }
    keep.restart();
    careful::walk(input, start, keep)
}

/// The same, if more input may come: a value that is cut may be called incomplete although it is
/// damaged before the cut. So it is not walked twice.
pub(crate) fn walk_so_far<K: Keep>(input: &[u8], start: usize, keep: &mut K) -> Walk {
    if input.get(start) == Some(&b'{') {
        match swift_walk(input, start, keep) {
            Verdict::End(end) => return Walk::End(end),
            Verdict::Incomplete => return Walk::Incomplete,
            Verdict::Unsure => {}
        }
    }
    keep.restart();
    careful::walk(input, start, keep)
}

fn swift_walk<K: Keep>(input: &[u8], start: usize, keep: &mut K) -> Verdict {
    assert!(u32::try_from(input.len()).is_ok(), "a window stays below 4 GiB");
    widest(swift::Walk { input, start, keep })
}

/// Does `work` by the widest lanes of this processor.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "a function for certain processors alone is unsafe to call")]
fn widest<W: Work>(work: W) -> W::Out {
    if avx512::is_here() {
        // SAFETY: the processor has what the work asks for.
        unsafe { avx512::run(work) }
    } else if avx2::is_here() {
        // SAFETY: the processor has what the work asks for.
        unsafe { avx2::run(work) }
    } else {
        work.by::<portable::Portable>()
    }
}

/// Does `work` by the lanes that every processor of this kind has.
#[cfg(target_arch = "aarch64")]
fn widest<W: Work>(work: W) -> W::Out {
    work.by::<neon::Neon>()
}

/// Does `work` by plain words.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn widest<W: Work>(work: W) -> W::Out {
    work.by::<portable::Portable>()
}

#[cfg(test)]
mod tests;
