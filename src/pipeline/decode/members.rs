//! Packed files whose members tell how long they are, on several threads: frames of zstd, as pzstd
//! and the seekable format have them, and the members of gzip that bgzip writes.
//!
//! Whoever reads cuts the packed bytes into members and gives each to one of some threads; what
//! they unpack is handed out in the order of the file. A member that is damaged is unpacked as it
//! is read, so that damage costs only what stands behind it. From the first member on that is too
//! long to be held, or does not tell its length, everything is unpacked as it is read; frames of
//! live streams, for which somebody may wait piece by piece, do not tell how much they hold.

use std::collections::VecDeque;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

use super::Stream;
use super::beside::{Beside, Given, Unpacked};
use super::window::Window;

/// The longest member that is held packed, and unpacked.
const PACKED_BYTES_MAX: usize = 2 << 20;
const UNPACKED_BYTES_MAX: usize = 8 << 20;

/// How long the first member of some bytes is.
enum Length {
    Known(usize),
    /// More of it has to be seen.
    Unseen,
    /// It does not tell.
    Untold,
}

/// A compression with such members.
pub(super) struct Kind {
    length: fn(&[u8]) -> Length,
    /// Unpacks as it is read, all members, with so much memory for its window.
    pub(super) in_turn: for<'a> fn(Stream<'a>, u64) -> io::Result<Stream<'a>>,
}

/// gzip, whose members tell their length if bgzip wrote them.
pub(super) static GZIP: Kind = Kind {
    length: bgzip_length,
    in_turn: |input, _| Ok(Box::new(flate2::bufread::MultiGzDecoder::new(super::buffered(input)))),
};

/// zstd, whose frames are chains of blocks that tell their lengths.
pub(super) static ZSTD: Kind = Kind {
    length: frame_length,
    in_turn: |input, window_bytes_max| {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(super::buffered(input))?;
        decoder.window_log_max(window_bytes_max.ilog2())?;
        Ok(Box::new(super::guard::Windowed(decoder)))
    },
};

fn frame_length(bytes: &[u8]) -> Length {
    /// The longest header of a frame.
    const HEADER_BYTES: usize = 18;
    match zstd::zstd_safe::get_frame_content_size(bytes) {
        Err(_) if bytes.len() < HEADER_BYTES => return Length::Unseen,
        Ok(Some(length)) if length <= UNPACKED_BYTES_MAX as u64 => {}
        _ => return Length::Untold,
    }
    match zstd::zstd_safe::find_frame_compressed_size(bytes) {
        Ok(length) if length <= bytes.len() => Length::Known(length),
        _ => Length::Unseen,
    }
}

/// The subfield `BC` of the extra field says how long a member is, less one.
fn bgzip_length(bytes: &[u8]) -> Length {
    const HAS_EXTRA: u8 = 4;
    const HEAD_BYTES: usize = 12;
    let Some(head) = bytes.get(..HEAD_BYTES) else { return Length::Unseen };
    if head[3] & HAS_EXTRA == 0 || !head.starts_with(b"\x1f\x8b\x08") {
        return Length::Untold;
    }
    let extra_bytes = usize::from(u16::from_le_bytes([head[10], head[11]]));
    let Some(mut extra) = bytes.get(HEAD_BYTES..HEAD_BYTES + extra_bytes) else {
        return Length::Unseen;
    };
    while let [a, b, low, high, rest @ ..] = extra {
        let field = rest.get(..usize::from(u16::from_le_bytes([*low, *high])));
        match (*a, *b, field) {
            (b'B', b'C', Some(&[low, high])) => {
                let length = usize::from(u16::from_le_bytes([low, high])) + 1;
                return if length <= bytes.len() { Length::Known(length) } else { Length::Unseen };
            }
            (_, _, Some(field)) => extra = &rest[field.len()..],
            (_, _, None) => break,
        }
    }
    Length::Untold
}

/// A member for one of the threads.
struct Job {
    kind: &'static Kind,
    member: Arc<Vec<u8>>,
    window_bytes_max: u64,
}

/// What is packed in a member; none if it is damaged or too long.
fn unpacked(job: Job) -> Unpacked {
    let Job { kind, member, window_bytes_max } = job;
    let mut bytes = Vec::with_capacity(4 * member.len());
    let stream = (kind.in_turn)(Box::new(member.as_slice()), window_bytes_max).ok()?;
    stream.take(UNPACKED_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() <= UNPACKED_BYTES_MAX).then_some(bytes)
}

/// What is still to be handed out, in order.
enum Ahead<'a> {
    /// A member, and who unpacks it; none: whoever reads.
    Member(Arc<Vec<u8>>, Option<Given>),
    /// Everything behind.
    InTurn(Stream<'a>),
}

/// Unpacks a file, on several threads if there are.
pub(super) struct Unpacking<'a> {
    kind: &'static Kind,
    window_bytes_max: u64,
    window: Window<'a>,
    beside: Beside<Job>,
    ahead: VecDeque<Ahead<'a>>,
    /// Whether no member was cut yet. The first is left to whoever reads: many files hold one.
    begins: bool,
    /// What is handed out now.
    now: Stream<'a>,
}

impl<'a> Unpacking<'a> {
    pub(super) fn new(
        kind: &'static Kind,
        input: Stream<'a>,
        window_bytes_max: u64,
        threads: usize,
    ) -> Unpacking<'a> {
        Unpacking {
            kind,
            window_bytes_max,
            window: Window::new(input),
            beside: Beside::new(threads, unpacked),
            ahead: VecDeque::new(),
            begins: true,
            now: Box::new(io::empty()),
        }
    }

    /// Cuts the next member; none at the end.
    fn cut(&mut self) -> io::Result<Option<Ahead<'a>>> {
        loop {
            let length = match self.window.bytes.is_empty() {
                true => Length::Unseen,
                false => (self.kind.length)(&self.window.bytes),
            };
            let is_long = self.window.bytes.len() > PACKED_BYTES_MAX;
            match length {
                Length::Known(length) => {
                    let rest = self.window.bytes.split_off(length);
                    let member = Arc::new(std::mem::replace(&mut self.window.bytes, rest));
                    let (kind, window_bytes_max) = (self.kind, self.window_bytes_max);
                    let given = match std::mem::take(&mut self.begins) {
                        true => None,
                        false => self.beside.give(|| Job {
                            kind,
                            member: Arc::clone(&member),
                            window_bytes_max,
                        }),
                    };
                    return Ok(Some(Ahead::Member(member, given)));
                }
                Length::Unseen if !is_long && self.window.fill() => {}
                _ => return self.rest(),
            }
        }
    }

    /// Everything that is not cut; none if that is nothing.
    fn rest(&mut self) -> io::Result<Option<Ahead<'a>>> {
        let window = std::mem::take(&mut self.window.bytes);
        if window.is_empty() && self.window.input.is_none() {
            return self.window.failed.take().map_or(Ok(None), Err);
        }
        let rest = Box::new(Cursor::new(window).chain(self.window.behind()));
        Ok(Some(Ahead::InTurn((self.kind.in_turn)(rest, self.window_bytes_max)?)))
    }

    /// Gets the next bytes ready; says no at the end.
    fn advance(&mut self) -> io::Result<bool> {
        while self.ahead.len() < self.beside.ahead() {
            match self.cut()? {
                Some(next) => self.ahead.push_back(next),
                None => break,
            }
        }
        match self.ahead.pop_front() {
            None => return Ok(false),
            Some(Ahead::InTurn(rest)) => self.now = rest,
            Some(Ahead::Member(member, given)) => {
                let (kind, window_bytes_max) = (self.kind, self.window_bytes_max);
                let bytes = match given {
                    Some(given) => given.take(),
                    None => unpacked(Job { kind, member: Arc::clone(&member), window_bytes_max }),
                };
                self.now = match bytes {
                    Some(bytes) => Box::new(Cursor::new(bytes)),
                    None => {
                        let member = Box::new(Cursor::new(Arc::unwrap_or_clone(member)));
                        (kind.in_turn)(member, window_bytes_max)?
                    }
                };
            }
        }
        Ok(true)
    }

    /// Nothing comes behind damage.
    fn stop(&mut self) {
        self.ahead.clear();
        (self.window, self.now) = (Window::default(), Box::new(io::empty()));
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
