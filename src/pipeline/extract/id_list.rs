//! Format 16, lists: one ID or tweet URL a line, perhaps under a header, in quotes, with CRLF or
//! a trailing comma. A number has no kind of its own, so the kind must be declared.

use super::harvest::Harvest;
use super::id::{self, Pair};
use super::scan::Lines;
use super::{FORMATS, KindUndeclared, More, Task, Window, format, row_of};
use crate::base::ids::IdKind;
use crate::pipeline::reason::Reason;
use crate::pipeline::wants::Scope;

/// The lane of lists.
pub(super) struct List {
    before_first: bool,
    /// A line longer than the bound is being passed over.
    passing: bool,
}

impl List {
    pub(super) fn new() -> List {
        List { before_first: true, passing: false }
    }

    /// One that goes on within a list.
    pub(super) fn within() -> List {
        List { before_first: false, passing: false }
    }

    /// Whether the next line is read as any other.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.before_first && !self.passing
    }

    /// Uses up whole lines of the window.
    ///
    /// # Errors
    /// [`KindUndeclared`] at the first number whose kind nobody declared.
    pub(super) fn take(
        &mut self,
        window: &Window<'_>,
        task: &Task,
        formats: &mut [u64; FORMATS.len()],
        harvest: &mut Harvest,
    ) -> Result<usize, KindUndeclared> {
        let row = row_of(format("id-list").expect("the table has a row for lists"));
        let lines = &mut formats[row];
        let mut found = Lines::new();
        let mut at = 0;
        while at < window.input.len() && !harvest.is_full() {
            let start = at;
            let found = found.find(window.input, start);
            for run in found.chunk_by(|one, next| one.id.is_some() == next.id.is_some()) {
                match task.declared {
                    Some(kind) if run[0].id.is_some() && !self.passing => {
                        self.before_first = false;
                        *lines += run.len() as u64;
                        harvest.lone_ids(
                            kind,
                            run.iter().filter_map(|line| {
                                let begin = std::mem::replace(&mut at, line.feed + 1);
                                Some((window.byte(begin), line.feed - begin, line.id?))
                            }),
                        );
                    }
                    _ => {
                        for line in run {
                            self.line(window, at, line.feed, task, lines, harvest)?;
                            at = line.feed + 1;
                        }
                    }
                }
            }
            if at > start {
                continue;
            }
            let end = window.input.len();
            if window.more == More::Ended {
                self.line(window, at, end, task, lines, harvest)?;
            } else if window.may_grow(at, task) {
                break;
            } else {
                self.too_long(window, at, harvest);
            }
            at = end;
        }
        Ok(at)
    }

    fn too_long(&mut self, window: &Window<'_>, at: usize, harvest: &mut Harvest) {
        if !self.passing {
            harvest.begin(window.byte(at), 0);
            harvest.flag(Reason::TooLong);
        }
        self.passing = true;
    }

    /// Takes the line from `start` to `end`, whatever it is.
    #[inline]
    fn line(
        &mut self,
        window: &Window<'_>,
        start: usize,
        end: usize,
        task: &Task,
        lines: &mut u64,
        harvest: &mut Harvest,
    ) -> Result<(), KindUndeclared> {
        let text = bare(&window.input[start..end]);
        if std::mem::take(&mut self.passing) || text.is_empty() {
            return Ok(());
        }
        let first = std::mem::take(&mut self.before_first);
        let (kind, read) = match id::of_text(text) {
            Err(reason) => match id::of_url(text) {
                Some(id) => (Some(IdKind::Tweet), Ok(id)),
                None if first && is_header(text) => return Ok(()),
                None if reason == Reason::NotAnId => (task.declared, Err(Reason::NotAnEntry)),
                None => (task.declared, Err(reason)),
            },
            read => (task.declared, read),
        };
        let kind = kind.ok_or(KindUndeclared)?;
        *lines += 1;
        harvest.begin(window.byte(start), end - start);
        harvest.id(kind, Scope::Own, read.map(Pair::Agreed), None);
        harvest.end();
        Ok(())
    }
}

/// Whether a line is an entry of a list: an ID, a mangled one, or a tweet's URL.
pub(super) fn is_entry(line: &[u8]) -> bool {
    let text = bare(line);
    match id::of_text(text) {
        Ok(_) | Err(Reason::Mangled) => true,
        Err(_) => id::of_url(text).is_some() && !text.contains(&b','),
    }
}

/// A line without what tools put around an ID: blanks, quotes, a trailing comma, padding; also
/// the `b'20'` of Python's bytes, as SMMT writes it, and the `="20"` that Excel does not round.
pub(super) fn bare(line: &[u8]) -> &[u8] {
    let mut text = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    loop {
        text = match text {
            [b' ' | b'\t' | b'"' | b'\'' | 0, rest @ ..] => rest,
            [b'b' | b'=', rest @ ..] if matches!(rest, [b'"' | b'\'', ..]) => rest,
            _ => break,
        }
    }
    while let [rest @ .., b' ' | b'\t' | b'\r' | b'"' | b'\'' | b',' | b';' | 0] = text {
        text = rest;
    }
    text
}

/// The ID in a line of a list: digits, or the address of a Tweet.
///
/// # Errors
/// The reason why it is neither.
pub(crate) fn entry_id(line: &[u8]) -> Result<u64, Reason> {
    let text = bare(line);
    id::of_text(text).or_else(|reason| match (id::of_url(text), reason) {
        (Some(id), _) => Ok(id),
        (None, Reason::NotAnId) => Err(Reason::NotAnEntry),
        (None, reason) => Err(reason),
    })
}

/// Whether a first line that is no ID may stand above a list.
fn is_header(text: &[u8]) -> bool {
    text.first().is_some_and(|byte| !byte.is_ascii_digit() && *byte != b'-')
}
