//! The search for the next record behind a damaged one, line by line.
//!
//! A record that was cut leaves open brackets, so brackets cannot tell where the next one begins;
//! the layout can. The next record begins a line at the damaged one's own indentation. That keeps
//! objects inside a cut pretty-printed record, which are indented deeper, from being taken for
//! records: a wrong ID would be worse than a lost one. Without indentation a line counts only if
//! it holds the whole record, or does not follow a comma or an open bracket.

use super::scan::{Skip, Walk, walk};
use super::{More, Task, Window};

/// How far the line is indented in which a window begins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LineStart {
    blanks: usize,
    /// Whether anything but blanks was passed in the line.
    text: bool,
}

impl LineStart {
    /// Whether the window begins a line.
    pub(super) fn is_new(&self) -> bool {
        self.blanks == 0 && !self.text
    }

    /// Passes bytes that are used up.
    pub(super) fn pass(&mut self, bytes: &[u8]) {
        let rest = match memchr::memrchr(b'\n', bytes) {
            Some(end) => {
                *self = LineStart::default();
                &bytes[end + 1..]
            }
            None => bytes,
        };
        if !self.text {
            let blanks = indent_of(rest);
            self.blanks += blanks;
            self.text = blanks < rest.len();
        }
    }

    /// How far the line is indented that holds the byte `at` of a window that begins here.
    pub(super) fn indent_bytes(mut self, input: &[u8], at: usize) -> usize {
        self.pass(&input[..at]);
        self.blanks
    }
}

fn indent_of(line: &[u8]) -> usize {
    line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// A search that is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resync {
    indent_bytes: usize,
    in_array: bool,
    /// Whether the search stands at the beginning of a line that may hold the record.
    at_line: bool,
    /// The last byte before this line that is not blank.
    before: u8,
}

/// What a search came to.
pub(super) enum Found {
    /// A record, or the next element of the array, begins here.
    Record(usize),
    /// A new array begins here.
    Array(usize),
    /// Nothing yet; what is before this byte need not be kept.
    Nothing(usize),
}

impl Resync {
    /// Searches behind the line in which a damaged record begins, indented so far.
    pub(super) fn new(indent_bytes: usize, in_array: bool) -> Resync {
        Resync { indent_bytes, in_array, at_line: false, before: 0 }
    }

    /// Searches from the byte `at` of the window on.
    pub(super) fn search(&mut self, window: &Window<'_>, mut at: usize, task: &Task) -> Found {
        let input = window.input;
        loop {
            if !self.at_line {
                let line_end = memchr::memchr(b'\n', &input[at..]).map(|end| at + end);
                let line = &input[at..line_end.unwrap_or(input.len())];
                if let Some(&last) = line.iter().rfind(|byte| !byte.is_ascii_whitespace()) {
                    self.before = last;
                }
                let Some(line_end) = line_end else { return Found::Nothing(input.len()) };
                at = line_end + 1;
                self.at_line = true;
            }
            let indent = indent_of(&input[at..]);
            let Some(&first) = input.get(at + indent) else {
                if indent <= self.indent_bytes && window.more == More::MayCome {
                    return Found::Nothing(at);
                }
                // Indented too deep already, whatever comes.
                self.at_line = false;
                return Found::Nothing(input.len());
            };
            let start = at + indent;
            match self.judge(window, start, indent, first, task) {
                Verdict::Record if first == b'[' => return Found::Array(start),
                Verdict::Record => return Found::Record(start),
                Verdict::Wait => return Found::Nothing(at),
                Verdict::No => self.at_line = false,
            }
        }
    }

    /// Whether the line whose text begins at `start` with `first` begins a record.
    fn judge(
        &self,
        window: &Window<'_>,
        start: usize,
        indent: usize,
        first: u8,
        task: &Task,
    ) -> Verdict {
        let fits = match first {
            b'{' => indent == self.indent_bytes,
            b'[' => indent == 0,
            _ => false,
        };
        if !fits {
            return Verdict::No;
        }
        if indent > 0 && self.in_array {
            return Verdict::Record;
        }
        let open = matches!(self.before, b',' | b'[' | b':' | b'{');
        let doubtful = open || self.in_array && first == b'{';
        if !doubtful {
            return Verdict::Record;
        }
        let line_end = memchr::memchr(b'\n', &window.input[start..]).map(|end| start + end);
        match line_end {
            None if window.may_grow(start, task) => Verdict::Wait,
            _ => {
                let line = &window.input[start..line_end.unwrap_or(window.input.len())];
                match walk(line, 0, &mut Skip) {
                    Walk::End(_) => Verdict::Record,
                    _ => Verdict::No,
                }
            }
        }
    }
}

enum Verdict {
    Record,
    No,
    Wait,
}
