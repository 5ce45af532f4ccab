//! The walk token by token: takes whatever comes, and tells the place and the reason of damage.

use super::text::{self, skip_blanks, string_end};
use super::{Escapes, Keep, Span, Walk};
use crate::pipeline::reason::Reason;

/// How deep brackets may nest.
pub(crate) const DEPTH_MAX: usize = 1024;

/// Which brackets are open: a bit each, 1 for an object.
struct Brackets {
    bits: [u64; DEPTH_MAX / 64],
    depth: usize,
}

impl Brackets {
    fn new() -> Brackets {
        Brackets { bits: [0; DEPTH_MAX / 64], depth: 0 }
    }

    #[inline]
    fn open(&mut self, object: u64) -> Option<()> {
        let word = self.bits.get_mut(self.depth / 64)?;
        let bit = self.depth % 64;
        *word = *word & !(1 << bit) | object << bit;
        self.depth += 1;
        Some(())
    }

    /// The innermost open bracket: 1 for an object, 0 for an array.
    #[inline]
    fn innermost(&self) -> u64 {
        let at = self.depth - 1;
        self.bits[at / 64 % (DEPTH_MAX / 64)] >> (at % 64) & 1
    }
}

/// Walks the value that begins at `start` to its end.
pub(super) fn walk<K: Keep>(input: &[u8], start: usize, keep: &mut K) -> Walk {
    let walker = Walker { input, at: start, open: Brackets::new(), keep };
    match walker.value_to_end() {
        Ok(end) => Walk::End(end),
        Err(Stop::Incomplete) => Walk::Incomplete,
        Err(Stop::Damaged(at, reason)) => Walk::Damaged(at, reason),
    }
}

/// Why a step of a walk could not go on.
pub(super) enum Stop {
    Incomplete,
    Damaged(usize, Reason),
}

/// An outermost member whose value is walked.
#[derive(Default)]
struct Member {
    key: Span,
    escapes: Escapes,
    value_start: usize,
}

struct Walker<'a, K> {
    input: &'a [u8],
    at: usize,
    open: Brackets,
    keep: &'a mut K,
}

impl<K: Keep> Walker<'_, K> {
    fn value_to_end(mut self) -> Result<usize, Stop> {
        let mut member = Member::default();
        loop {
            // A value stands here.
            match self.byte()? {
                b'{' => {
                    self.open(1)?;
                    if self.next_token()? == b'}' {
                        self.close(1)?;
                    } else {
                        self.key(&mut member)?;
                        continue;
                    }
                }
                b'[' => {
                    self.open(0)?;
                    if self.next_token()? != b']' {
                        continue;
                    }
                    self.close(0)?;
                }
                b'"' => self.at = string_end(self.input, self.at + 1)?.0,
                _ => self.at = text::scalar_end(self.input, self.at)?,
            }
            // A value ended here: what follows closes brackets until a comma comes.
            loop {
                match self.open.depth {
                    0 => return Ok(self.at),
                    1 if self.open.innermost() == 1 => self.ended(&member)?,
                    _ => {}
                }
                match self.next_token()? {
                    b',' => {
                        self.at += 1;
                        self.next_token()?;
                        if self.open.innermost() == 1 {
                            self.key(&mut member)?;
                        }
                        break;
                    }
                    b'}' => self.close(1)?,
                    b']' => self.close(0)?,
                    _ => return Err(self.damaged(Reason::Syntax)),
                }
            }
        }
    }

    /// Takes a key and its colon, and remembers it if it is an outermost one.
    #[inline]
    fn key(&mut self, member: &mut Member) -> Result<(), Stop> {
        if self.byte()? != b'"' {
            return Err(self.damaged(Reason::Syntax));
        }
        let key_start = self.at + 1;
        let (end, escapes) = string_end(self.input, key_start)?;
        self.at = end;
        if self.next_token()? != b':' {
            return Err(self.damaged(Reason::Syntax));
        }
        self.at += 1;
        self.next_token()?;
        if self.open.depth == 1 {
            *member = Member { key: (key_start, end - 1), escapes, value_start: self.at };
        }
        Ok(())
    }

    /// Hands over the outermost member whose value ends here.
    #[inline]
    fn ended(&mut self, member: &Member) -> Result<(), Stop> {
        let Member { key: (start, end), escapes, value_start } = *member;
        self.keep
            .member(&self.input[start..end], escapes, (value_start, self.at))
            .map_err(|reason| Stop::Damaged(start, reason))
    }

    #[inline]
    fn open(&mut self, object: u64) -> Result<(), Stop> {
        self.open.open(object).ok_or(Stop::Damaged(self.at, Reason::TooDeep))?;
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn close(&mut self, object: u64) -> Result<(), Stop> {
        if self.open.innermost() != object {
            return Err(self.damaged(Reason::Bracket));
        }
        self.open.depth -= 1;
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn byte(&self) -> Result<u8, Stop> {
        self.input.get(self.at).copied().ok_or(Stop::Incomplete)
    }

    /// Goes to the next byte that is not blank.
    #[inline]
    fn next_token(&mut self) -> Result<u8, Stop> {
        let byte = self.byte()?;
        if byte > b' ' {
            return Ok(byte);
        }
        self.at = skip_blanks(self.input, self.at);
        self.byte()
    }

    #[cold]
    fn damaged(&self, reason: Reason) -> Stop {
        Stop::Damaged(self.at, reason)
    }
}

/// Where the broken value that begins at `start` ends, if its brackets and strings frame it
/// before the line ends.
pub(crate) enum Frame {
    /// It ends before this byte.
    End(usize),
    /// The line ends first, or the brackets do not match.
    None,
    /// The input ends first.
    Incomplete,
}

/// Looks for the frame of a value that is no JSON, such as `{"a": NaN}`.
pub(crate) fn frame(input: &[u8], start: usize) -> Frame {
    let mut open = Brackets::new();
    let mut at = start;
    loop {
        let Some(&byte) = input.get(at) else { return Frame::Incomplete };
        at += 1;
        match byte {
            b'\n' => return Frame::None,
            b'"' => match string_end(input, at) {
                Ok((end, _)) => at = end,
                Err(Stop::Incomplete) => return Frame::Incomplete,
                Err(Stop::Damaged(..)) => return Frame::None,
            },
            b'{' | b'[' => match open.open(u64::from(byte == b'{')) {
                Some(()) => {}
                None => return Frame::None,
            },
            b'}' | b']' => {
                if open.depth == 0 || open.innermost() != u64::from(byte == b'}') {
                    return Frame::None;
                }
                open.depth -= 1;
                if open.depth == 0 {
                    return Frame::End(at);
                }
            }
            _ => {}
        }
    }
}
