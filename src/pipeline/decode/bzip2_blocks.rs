//! bzip2 on several threads. Each block of a stream stands for itself, but begins at any bit and
//! tells no length: only its magic does, 48 bits.
//!
//! Whoever reads cuts the packed bytes at whatever looks like a magic, and gives each block, as a
//! stream of its own, to one of some threads; what they unpack is handed out in the order of the
//! file. The cut is a guess, for the magic may stand in a block by chance: then neither half can
//! be unpacked, but both together can. A block that cannot be unpacked even so, or is too long to
//! be held, is unpacked as it is read, so that damage costs only what stands behind it. One
//! thread does the same by itself. Sums are checked, that of each block and that of all blocks of a
//! stream.

use std::collections::VecDeque;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

use bzip2::read::{BzDecoder, MultiBzDecoder};

use super::Stream;
use super::beside::{Beside, Given, Unpacked};
use super::window::Window;

/// What a block begins with.
const BLOCK: u64 = 0x3141_5926_5359;
/// What the end of a stream begins with.
const END: u64 = 0x1772_4538_5090;
const MAGIC_BITS: usize = 48;
const SUM_BITS: usize = 32;
/// A magic, and the sum behind it.
const HEAD_BITS: usize = MAGIC_BITS + SUM_BITS;

/// `BZh` and how long blocks may be: `1` to `9`.
type Header = [u8; HEADER_BYTES];
const HEADER_BYTES: usize = 4;

/// The longest block that is held packed, and unpacked: 0.9 MB, but for long runs of one byte.
const BLOCK_BYTES_MAX: usize = 2 << 20;

/// Bits of a packed file.
#[derive(Clone, Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    /// Appends so many bits of `bytes`, from bit `first` on.
    fn push(&mut self, bytes: &[u8], first: usize, count: usize) {
        let (shift, end) = (first % 8, first + count);
        let mut at = first;
        while self.count.is_multiple_of(8) && at + 64 <= end {
            let Some([nine @ .., last]) = bytes[at / 8..].first_chunk::<9>() else { break };
            let eight: &[u8; 8] = nine.first_chunk().expect("eight of nine bytes");
            let word = u64::from_be_bytes(*eight) << shift | u64::from(*last) << shift >> 8;
            self.bytes.extend_from_slice(&word.to_be_bytes());
            (self.count, at) = (self.count + 64, at + 64);
        }
        for at in (at..end).step_by(8) {
            let taken = (end - at).min(8);
            let next = bytes.get(at / 8 + 1).copied().unwrap_or(0);
            let [eight, _] = (u16::from_be_bytes([bytes[at / 8], next]) << shift).to_be_bytes();
            let eight = eight & !(0xFF_u16 >> taken).to_be_bytes()[1];
            let used = self.count % 8;
            match self.bytes.last_mut() {
                Some(last) if used > 0 => *last |= eight >> used,
                _ => self.bytes.push(eight),
            }
            if used + taken > 8 {
                self.bytes.push(eight << (8 - used));
            }
            self.count += taken;
        }
    }

    /// The sum behind the magic.
    fn sum(&self) -> u32 {
        number(&self.bytes, MAGIC_BITS, SUM_BITS) as u32
    }
}

/// The number that so many bits from bit `first` on are.
fn number(bytes: &[u8], first: usize, count: usize) -> u64 {
    let bit = |at: usize| u64::from(bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1));
    (first..first + count).fold(0, |number, at| number << 1 | bit(at))
}

/// A part of a packed file.
enum Cut<'a> {
    /// A block of a stream whose header this is, up to where the next magic seems to stand.
    Block(Header, Bits),
    /// The end of a stream, and the sum of its blocks.
    End(u32),
    /// What has to be unpacked as it is read, and nothing behind it: no stream, or one that was cut
    /// or damaged.
    InTurn(Stream<'a>),
}

/// Cuts a packed file.
struct Cutter<'a> {
    window: Window<'a>,
    /// The stream in which the window begins, and at which bit; none before the header of one.
    inside: Option<(Header, usize)>,
}

impl<'a> Cutter<'a> {
    /// The next part; none at the end.
    fn next(&mut self) -> Option<Cut<'a>> {
        let (header, begin) = match self.inside {
            Some(inside) => inside,
            None => {
                while self.window.bytes.len() < HEADER_BYTES && self.window.fill() {}
                if self.window.bytes.is_empty() && self.window.failed.is_none() {
                    return None;
                }
                match self.window.bytes.first_chunk() {
                    Some(header @ [b'B', b'Z', b'h', b'1'..=b'9']) => (*header, 8 * HEADER_BYTES),
                    _ => return Some(self.rest(Vec::new(), 0)),
                }
            }
        };
        while 8 * self.window.bytes.len() < begin + HEAD_BITS && self.window.fill() {}
        match number(&self.window.bytes, begin, MAGIC_BITS) {
            BLOCK => Some(self.block(header, begin)),
            END if 8 * self.window.bytes.len() >= begin + HEAD_BITS => {
                let sum = number(&self.window.bytes, begin + MAGIC_BITS, SUM_BITS) as u32;
                self.window.bytes.drain(..(begin + HEAD_BITS).div_ceil(8));
                self.inside = None;
                Some(Cut::End(sum))
            }
            _ => Some(self.rest(header.to_vec(), begin)),
        }
    }

    fn block(&mut self, header: Header, begin: usize) -> Cut<'a> {
        let mut from = begin + HEAD_BITS;
        let end = loop {
            match magic(&self.window.bytes, from) {
                Some(end) => break end,
                None if self.window.bytes.len() > BLOCK_BYTES_MAX => {
                    return self.rest(header.to_vec(), begin);
                }
                None => from = from.max((8 * self.window.bytes.len()).saturating_sub(MAGIC_BITS)),
            }
            if !self.window.fill() {
                return self.rest(header.to_vec(), begin);
            }
        };
        let mut bits = Bits::default();
        bits.push(&self.window.bytes, begin, end - begin);
        self.window.bytes.drain(..end / 8);
        self.inside = Some((header, end % 8));
        Cut::Block(header, bits)
    }

    /// A header and all bits from `begin` on. If they do not begin with a byte, nothing good stands
    /// behind the window.
    fn rest(&mut self, header: Vec<u8>, begin: usize) -> Cut<'a> {
        let window = std::mem::take(&mut self.window.bytes);
        let mut bits = Bits { count: 8 * header.len(), bytes: header };
        bits.push(&window, begin, 8 * window.len() - begin);
        self.inside = None;
        if !begin.is_multiple_of(8) {
            self.window.input = None;
        }
        let rest = Cursor::new(bits.bytes).chain(self.window.behind());
        Cut::InTurn(Box::new(MultiBzDecoder::new(rest)))
    }
}

/// The first bit from `from` on at which a magic stands.
fn magic(bytes: &[u8], from: usize) -> Option<usize> {
    // A magic that begins in one byte tells the next two of it wholly.
    let first = from / 8 + 1;
    for (at, two) in bytes.windows(2).enumerate().skip(first) {
        let two = usize::from(u16::from_be_bytes([two[0], two[1]]));
        if PAIRS[two / 64] >> (two % 64) & 1 == 0 {
            continue;
        }
        let begins = (8 * (at - 1)..8 * at).filter(|begin| *begin >= from);
        let mut whole = begins.filter(|begin| begin + MAGIC_BITS <= 8 * bytes.len());
        let found = whole.find(|at| matches!(number(bytes, *at, MAGIC_BITS), BLOCK | END));
        if found.is_some() {
            return found;
        }
    }
    None
}

/// A bit for each pair of bytes that may stand in a magic, behind the byte in which it begins.
const PAIRS: [u64; 1024] = {
    let mut pairs = [0; 1024];
    let mut shift = 1;
    while shift <= 8 {
        let (block, end) = ((BLOCK << shift) >> 32 & 0xFFFF, (END << shift) >> 32 & 0xFFFF);
        pairs[block as usize / 64] |= 1 << (block % 64);
        pairs[end as usize / 64] |= 1 << (end % 64);
        shift += 1;
    }
    pairs
};

/// A stream of that block alone.
fn alone(header: Header, block: &Bits) -> Vec<u8> {
    let mut stream = Bits { bytes: header.to_vec(), count: 8 * HEADER_BYTES };
    stream.push(&block.bytes, 0, block.count);
    stream.push(&END.to_be_bytes(), 64 - MAGIC_BITS, MAGIC_BITS);
    stream.push(&block.sum().to_be_bytes(), 0, SUM_BITS);
    stream.bytes
}

/// What is packed in a block; none if it is damaged, cut at the wrong place, or too long.
fn unpacked(header: Header, block: &Bits) -> Unpacked {
    let stream = alone(header, block);
    // Hundreds of thousands of bytes, as the header says, before runs of one byte are drawn out.
    let mut bytes = Vec::with_capacity(usize::from(header[3] - b'0') * 101_000);
    let most = BLOCK_BYTES_MAX as u64 + 1;
    BzDecoder::new(&stream[..]).take(most).read_to_end(&mut bytes).ok()?;
    (bytes.len() <= BLOCK_BYTES_MAX).then_some(bytes)
}

/// What is still to be handed out, in order.
enum Ahead<'a> {
    /// A block, and who unpacks it; none: whoever reads.
    Block(Header, Arc<Bits>, Option<Given>),
    End(u32),
    InTurn(Stream<'a>),
}

/// Unpacks a file, on several threads if there are.
pub(super) struct Unpacking<'a> {
    cutter: Cutter<'a>,
    beside: Beside<(Header, Arc<Bits>)>,
    /// Whether no block was cut yet. The first one is left to whoever reads: many files hold one.
    begins: bool,
    ahead: VecDeque<Ahead<'a>>,
    /// The sum of the blocks of this stream.
    sum: u32,
    /// What is handed out now.
    now: Stream<'a>,
}

impl<'a> Unpacking<'a> {
    pub(super) fn new(input: Stream<'a>, threads: usize) -> Unpacking<'a> {
        Unpacking {
            cutter: Cutter { window: Window::new(input), inside: None },
            beside: Beside::new(threads, |(header, block)| unpacked(header, &block)),
            begins: true,
            ahead: VecDeque::new(),
            sum: 0,
            now: Box::new(io::empty()),
        }
    }

    /// Gives out what comes next, as much as may be under way.
    fn read_ahead(&mut self) {
        while self.ahead.len() < self.beside.ahead() {
            let next = match self.cutter.next() {
                None => return,
                Some(Cut::Block(header, block)) => {
                    let block = Arc::new(block);
                    let is_first = std::mem::take(&mut self.begins);
                    let given = match is_first {
                        true => None,
                        false => self.beside.give(|| (header, Arc::clone(&block))),
                    };
                    Ahead::Block(header, block, given)
                }
                Some(Cut::End(sum)) => Ahead::End(sum),
                Some(Cut::InTurn(rest)) => Ahead::InTurn(rest),
            };
            self.ahead.push_back(next);
        }
    }

    /// Gets the next bytes ready; says no at the end.
    fn advance(&mut self) -> io::Result<bool> {
        self.read_ahead();
        match self.ahead.pop_front() {
            None => return Ok(false),
            Some(Ahead::Block(header, block, given)) => {
                self.sum = self.sum.rotate_left(1) ^ block.sum();
                let bytes = match given {
                    Some(given) => given.take(),
                    None => unpacked(header, &block),
                };
                self.now = match bytes.or_else(|| self.joined(header, &block)) {
                    Some(bytes) => Box::new(Cursor::new(bytes)),
                    None => Box::new(BzDecoder::new(Cursor::new(alone(header, &block)))),
                };
            }
            Some(Ahead::End(sum)) => {
                if std::mem::take(&mut self.sum) != sum {
                    let why = "the sum of a stream's blocks is not what stands at its end";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
            }
            Some(Ahead::InTurn(rest)) => self.now = rest,
        }
        Ok(true)
    }

    /// What is packed in a block and the one behind it, if it was wrong to cut between them.
    fn joined(&mut self, header: Header, block: &Bits) -> Unpacked {
        let Some(Ahead::Block(_, next, _)) = self.ahead.front() else { return None };
        let mut both = block.clone();
        both.push(&next.bytes, 0, next.count);
        let bytes = unpacked(header, &both)?;
        self.ahead.pop_front();
        Some(bytes)
    }

    /// Nothing comes behind damage.
    fn stop(&mut self) {
        self.ahead.clear();
        self.cutter = Cutter { window: Window::default(), inside: None };
        self.now = Box::new(io::empty());
    }
}

impl Read for Unpacking<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match self.now.read(buffer) {
                Ok(0) if !buffer.is_empty() => self.advance().map(|more| (!more).then_some(0)),
                read => read.map(Some),
            };
            match read {
                Ok(None) => {}
                Ok(Some(read)) => return Ok(read),
                Err(error) => {
                    self.stop();
                    return Err(error);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #![proptest_config(crate::base::cases::remembered())]

        #[test]
        fn bits_are_moved_as_one_by_one(
            bytes in prop::collection::vec(any::<u8>(), 1..40),
            spans in prop::collection::vec((any::<prop::sample::Index>(), 0..300_usize), 1..5),
        ) {
            let (mut moved, mut naive) = (Bits::default(), String::new());
            for (first, count) in spans {
                let first = first.index(8 * bytes.len());
                let count = count.min(8 * bytes.len() - first);
                moved.push(&bytes, first, count);
                let all: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
                naive += &all[first..first + count];
            }
            prop_assert_eq!(moved.count, naive.len());
            let told: String = moved.bytes.iter().map(|byte| format!("{byte:08b}")).collect();
            let zeros = "0".repeat(told.len() - naive.len());
            prop_assert_eq!(told, naive + &zeros);
        }

        #[test]
        fn a_block_that_was_cut_where_no_magic_stands_is_whole_again(share in 0.0..1.0_f64) {
            let text: Vec<u8> = (0..30_000_u32).flat_map(|n| (n ^ n << 7).to_le_bytes()).collect();
            let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
            packer.write_all(&text).unwrap();
            let packed = packer.finish().unwrap();
            let end = magic(&packed, 8 * HEADER_BYTES + HEAD_BITS).unwrap();
            let (first, bits) = (8 * HEADER_BYTES, end - 8 * HEADER_BYTES);
            let cut = HEAD_BITS + ((bits - HEAD_BITS) as f64 * share) as usize;
            let mut unpacking = Unpacking::new(Box::new(io::empty()), 2);
            for (first, count) in [(first, cut), (first + cut, bits - cut)] {
                let mut half = Bits::default();
                half.push(&packed, first, count);
                unpacking.ahead.push_back(Ahead::Block(*b"BZh9", Arc::new(half), None));
            }
            let mut bytes = Vec::new();
            unpacking.read_to_end(&mut bytes).unwrap();
            prop_assert_eq!(bytes, text);
        }
    }
}
