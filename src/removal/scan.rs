//! Finding the lines of a release that a change takes out or brings back: every block of a column
//! is read once, in order, by a few threads. Memory is 10 bytes for each ID of the change, a block
//! for each thread, and 32 bytes for each run of gaps.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::change::{Change, Turned};
use super::known::Known;
use super::probe::Probe;
use crate::base::gaps::{Gaps, Gathering, Run};
use crate::base::ids::{ID_DIGITS_MAX, IdKind};
use crate::release::{Authors, Column, Release, ReleaseError};

/// The most threads that scan: beyond that the disk is what is waited for.
const THREADS_MAX: usize = 8;

/// What a scan has found of one column.
#[derive(Debug)]
pub struct Scanned {
    /// What is left out then.
    pub runs: Vec<Run>,
    /// Of how many Tweets the author is not known, where a change is about users.
    pub unknown_authors: u64,
}

/// Told how many bytes of how many have been scanned.
pub trait Progress: Sync {
    /// So many bytes more.
    fn scanned(&self, bytes: u64);
}

/// Nobody is told.
pub struct Untold;

impl Progress for Untold {
    fn scanned(&self, _bytes: u64) {}
}

/// Whether a change may concern the IDs of `kind` at all.
pub fn concerns(change: &Change, kind: IdKind) -> bool {
    match kind {
        IdKind::Tweet => !change.is_empty(),
        IdKind::User => !change.users.is_empty(),
        IdKind::Dm => false,
    }
}

/// Finds what is left out of a column once `change` is in force, where `gaps` are left out before
/// it. `known` knows what is removed before it.
///
/// # Errors
/// What the disk or the store said; [`ReleaseError::Damaged`] for a block that is no list of IDs.
///
/// # Panics
/// If the release has no such column.
pub fn scan(
    release: &Release,
    kind: IdKind,
    gaps: &Gaps,
    change: &Change,
    known: &Known,
    progress: &dyn Progress,
) -> Result<Scanned, ReleaseError> {
    let column = release.column(kind).expect("only columns that are there are scanned");
    // A Tweet that would come back stays out while its author is removed, so they are looked at
    // then as well.
    let matters = !change.users.is_empty() || !change.tweets.restored.is_empty();
    let authors = match kind {
        IdKind::Tweet if matters => release.authors()?,
        _ => None,
    };
    let is_about_users = kind == IdKind::Tweet && !change.users.is_empty();
    let no_authors = is_about_users && authors.is_none();
    let scan = Scan {
        column,
        authors,
        is_about_users,
        own: Sides::of(change.of(kind)),
        of_authors: Sides::of(&change.users),
        gaps,
        known,
        next: AtomicUsize::new(0),
        unknown_authors: AtomicU64::new(if no_authors { column.ids() } else { 0 }),
        blocks: Mutex::new((0..column.blocks()).map(|_| Vec::new()).collect()),
    };
    let threads = threads().min(column.blocks().max(1));
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| scan.run(progress))).collect();
        let ended = running.into_iter().map(|thread| thread.join().expect("a scan does not panic"));
        ended.collect::<Vec<io::Result<()>>>().into_iter().collect::<io::Result<()>>()
    })
    .map_err(ReleaseError::io(column.path()))?;
    let unknown_authors = scan.unknown_authors.into_inner();
    let blocks = scan.blocks.into_inner().expect("no thread panics");
    Ok(Scanned { runs: blocks.into_iter().flatten().collect(), unknown_authors })
}

/// One processor is left to those who are served.
fn threads() -> usize {
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    all.saturating_sub(1).clamp(1, THREADS_MAX)
}

/// Which IDs of one kind turn to which side.
struct Sides<'a> {
    removed: Probe<'a>,
    restored: Probe<'a>,
}

impl<'a> Sides<'a> {
    fn of(turned: &'a Turned) -> Sides<'a> {
        Sides { removed: Probe::of(&turned.removed), restored: Probe::of(&turned.restored) }
    }

    #[inline]
    fn side(&self, element: u64) -> Side {
        if self.removed.holds(element) {
            Side::Removed
        } else if !self.restored.is_empty() && self.restored.holds(element) {
            Side::Restored
        } else {
            Side::AsBefore
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Removed,
    Restored,
    AsBefore,
}

struct Scan<'a> {
    column: &'a Column,
    authors: Option<Authors>,
    /// Whether it is told of how many Tweets the author is not known.
    is_about_users: bool,
    own: Sides<'a>,
    of_authors: Sides<'a>,
    gaps: &'a Gaps,
    known: &'a Known,
    next: AtomicUsize,
    unknown_authors: AtomicU64,
    /// The runs of each block.
    blocks: Mutex<Vec<Vec<Run>>>,
}

/// A line that one of its two IDs would bring back: it comes if the other lets it.
struct Doubt {
    /// Its place among the lines of the block.
    line: usize,
    /// What must not be removed.
    kind: IdKind,
    element: u64,
}

impl Scan<'_> {
    fn run(&self, progress: &dyn Progress) -> io::Result<()> {
        let (mut text, mut authors, mut lines) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= self.column.blocks() {
                return Ok(());
            }
            let runs = self.block(index, &mut text, &mut authors, &mut lines)?;
            progress.scanned(text.len() as u64);
            if !runs.is_empty() {
                self.blocks.lock().expect("no thread panics")[index] = runs;
            }
        }
    }

    fn block(
        &self,
        index: usize,
        text: &mut Vec<u8>,
        authors: &mut Vec<u64>,
        lines: &mut Vec<(u64, u32)>,
    ) -> io::Result<Vec<Run>> {
        let (ordinals, begin) = self.column.read_block(index, text)?;
        let ids = (ordinals.end - ordinals.start) as usize;
        read_lines(text, lines)
            .filter(|_| lines.len() == ids)
            .ok_or_else(|| self.column.damaged_block(index))?;
        if let Some(column) = &self.authors {
            column.read(&ordinals, authors)?;
        }
        if self.is_about_users && self.authors.is_some() {
            let unknown = authors.iter().filter(|author| **author == Authors::UNKNOWN).count();
            self.unknown_authors.fetch_add(unknown as u64, Ordering::Relaxed);
        }
        let mut gone = vec![false; ids];
        for run in self.gaps.runs_within(&ordinals) {
            let from = (run.start - ordinals.start) as usize;
            gone[from..(run.end - ordinals.start) as usize].fill(true);
        }
        let mut doubts = Vec::new();
        for (line, &(element, _)) in lines.iter().enumerate() {
            let author = if self.authors.is_some() { authors[line] } else { Authors::UNKNOWN };
            self.judge(line, element, author, &mut gone, &mut doubts);
        }
        self.resolve(&doubts, &mut gone)?;
        let (mut gathering, mut byte) = (Gathering::default(), begin);
        for ((ordinal, &(_, bytes)), &gone) in (ordinals.start..).zip(&*lines).zip(&gone) {
            if gone {
                gathering.push(ordinal, byte, bytes.into());
            }
            byte += u64::from(bytes);
        }
        Ok(gathering.runs())
    }

    #[inline]
    fn judge(
        &self,
        line: usize,
        element: u64,
        author: u64,
        gone: &mut [bool],
        doubts: &mut Vec<Doubt>,
    ) {
        let own = self.own.side(element);
        let of_author = match author {
            Authors::UNKNOWN => Side::AsBefore,
            author => self.of_authors.side(author),
        };
        match (own, of_author) {
            (Side::AsBefore, Side::AsBefore) => {}
            (Side::Removed, _) | (_, Side::Removed) => gone[line] = true,
            (Side::Restored, Side::Restored) => gone[line] = false,
            (Side::Restored, Side::AsBefore) => {
                gone[line] = false;
                // Its author may have been removed at any time, whatever this change is about.
                if author != Authors::UNKNOWN {
                    doubts.push(Doubt { line, kind: IdKind::User, element: author });
                }
            }
            (Side::AsBefore, Side::Restored) => {
                gone[line] = false;
                doubts.push(Doubt { line, kind: IdKind::Tweet, element });
            }
        }
    }

    fn resolve(&self, doubts: &[Doubt], gone: &mut [bool]) -> io::Result<()> {
        for kind in super::KINDS {
            let of_kind = || doubts.iter().filter(|doubt| doubt.kind == kind);
            let elements: Vec<u64> = of_kind().map(|doubt| doubt.element).collect();
            let removed = self.known.removed_among(kind, &elements).map_err(io::Error::other)?;
            for (doubt, removed) in of_kind().zip(removed) {
                gone[doubt.line] = removed;
            }
        }
        Ok(())
    }
}

/// Reads lines of digits: the number and the bytes of each with its line feed. `None` if
/// something else stands there.
fn read_lines(text: &[u8], lines: &mut Vec<(u64, u32)>) -> Option<()> {
    lines.clear();
    let (mut number, mut bytes) = (0_u64, 0_u32);
    for &byte in text {
        bytes += 1;
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            // 19 digits do not overflow; longer lines are noticed at their end.
            number = number.wrapping_mul(10).wrapping_add(digit.into());
        } else if byte == b'\n' && (2..=ID_DIGITS_MAX as u32 + 1).contains(&bytes) {
            lines.push((number, bytes));
            (number, bytes) = (0, 0);
        } else {
            return None;
        }
    }
    (bytes == 0).then_some(())
}
