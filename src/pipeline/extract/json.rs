//! The lane of JSON: values one after another, on lines of their own or not, or the elements of
//! arrays, which are entered and never held whole. Each object is handed to its format.
//!
//! A damaged value costs only itself. If its brackets and strings still frame it within its line,
//! reading goes on behind it; otherwise at the next line that begins a record (see `resync`).

use super::harvest::Harvest;
use super::key::Key;
use super::record::Record;
use super::resync::{Found, LineStart, Resync};
use super::scan::{Frame, Walk, frame};
use super::value::Torn;
use super::{FORMATS, More, Shape, Task, Window, account_archive, control, feeds};
use crate::pipeline::reason::Reason;

/// Where the lane stands between records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// Between values.
    Top,
    /// In an array of records; the last value still waits for its comma or bracket.
    ArrayAfterValue,
    /// In an array of records, before an element.
    ArrayBeforeValue,
}

/// The lane of JSON.
pub(super) struct Json {
    inside: Inside,
    /// How far the line is indented in which the window begins.
    line: LineStart,
    resync: Option<Resync>,
    /// Whether this is a script of an account archive, of which most hold nothing of ours.
    is_script: bool,
    /// Line feeds in what was used up, until they are asked for.
    pub(super) feeds: u64,
    /// Whether the last value was damaged: a cut array then is not damaged a second time.
    last_damaged: bool,
}

/// What a step came to.
enum Step {
    /// Go on at this byte.
    On(usize),
    /// More input is needed from this byte on.
    Wait(usize),
}

impl Json {
    pub(super) fn new() -> Json {
        Json {
            inside: Inside::Top,
            line: LineStart::default(),
            resync: None,
            is_script: false,
            feeds: 0,
            last_damaged: false,
        }
    }

    /// Whether what follows is read as it would be at the beginning of a source.
    pub(super) fn is_at_rest(&self) -> bool {
        self.inside == Inside::Top && self.resync.is_none() && self.line.is_new() && !self.is_script
    }

    /// Uses up whole values of the window.
    pub(super) fn take(
        &mut self,
        window: &Window<'_>,
        task: &Task,
        formats: &mut [u64; FORMATS.len()],
        harvest: &mut Harvest,
    ) -> usize {
        let mut at = 0;
        while !harvest.is_full() {
            let step = match self.resync.take() {
                Some(resync) => self.recover(resync, window, at, task),
                None => self.step(window, at, task, formats, harvest),
            };
            match step {
                Step::On(next) => at = next,
                Step::Wait(from) => {
                    at = from;
                    break;
                }
            }
        }
        self.line.pass(&window.input[..at]);
        at
    }

    fn step(
        &mut self,
        window: &Window<'_>,
        at: usize,
        task: &Task,
        formats: &mut [u64; FORMATS.len()],
        harvest: &mut Harvest,
    ) -> Step {
        let at = skip_padding(window.input, at, &mut self.feeds);
        let Some(&byte) = window.input.get(at) else {
            if window.more == More::Ended {
                self.end(window, at, harvest);
            }
            return Step::Wait(at);
        };
        match (self.inside, byte) {
            // Lines that end in commas are no array, but people make them.
            (Inside::Top | Inside::ArrayAfterValue, b',') => {
                if self.inside == Inside::ArrayAfterValue {
                    self.inside = Inside::ArrayBeforeValue;
                }
                Step::On(at + 1)
            }
            (Inside::ArrayAfterValue | Inside::ArrayBeforeValue, b']') => {
                self.inside = Inside::Top;
                Step::On(at + 1)
            }
            (Inside::ArrayAfterValue, _) => {
                // A value without a comma before it: the array was cut, and lines follow.
                harvest.flag_at(Reason::ArrayOpen, window.byte(at));
                self.inside = Inside::Top;
                Step::On(at)
            }
            (Inside::Top, b'[') => {
                self.inside = Inside::ArrayBeforeValue;
                Step::On(at + 1)
            }
            (Inside::Top, b'w') => match script(window, at) {
                Script::Begins(value) => {
                    self.is_script = true;
                    Step::On(value)
                }
                Script::Unseen => Step::Wait(at),
                Script::None => self.value(window, at, task, formats, harvest),
            },
            _ => self.value(window, at, task, formats, harvest),
        }
    }

    /// Takes the value that begins at `at`.
    #[inline]
    fn value(
        &mut self,
        window: &Window<'_>,
        at: usize,
        task: &Task,
        formats: &mut [u64; FORMATS.len()],
        harvest: &mut Harvest,
    ) -> Step {
        let torn = Torn::default();
        let (record, walk) = match window.may_grow(at, task) {
            true => Record::walk_so_far(window.input, at, &torn),
            false => Record::walk(window.input, at, &torn),
        };
        let (damaged_at, reason) = match walk {
            Walk::End(end) => {
                match seam(window.input, end) {
                    Seam::Unseen if window.may_grow(at, task) => return Step::Wait(at),
                    Seam::Torn(torn_at) => {
                        return self.damaged(window, at, torn_at, Reason::Syntax, harvest);
                    }
                    Seam::Unseen | Seam::Whole => {}
                }
                self.went_well();
                if record.is_on_lines() {
                    self.feeds += feeds(&window.input[at..end]);
                }
                harvest.begin(window.byte(at), end - at);
                let taken = match window.input[at] {
                    b'{' => take_record(&record, task, harvest),
                    _ => Taken::Unknown,
                };
                match (torn.met(), taken) {
                    (Some((torn_at, reason)), _) => {
                        harvest.take_back();
                        harvest.flag_at(reason, window.byte(torn_at));
                        self.last_damaged = true;
                    }
                    (None, Taken::Format(row)) => {
                        formats[row] += 1;
                        harvest.end();
                    }
                    (None, Taken::Control) => harvest.end(),
                    (None, Taken::Unknown) if self.is_script => harvest.end(),
                    (None, Taken::Unknown) => harvest.flag(Reason::Unknown),
                }
                return Step::On(end);
            }
            Walk::Incomplete if window.may_grow(at, task) => return Step::Wait(at),
            Walk::Incomplete if window.more == More::Ended => (at, Reason::CutOff),
            Walk::Incomplete => (at, Reason::TooLong),
            Walk::Damaged(damaged_at, reason) => (damaged_at, reason),
        };
        if reason == Reason::NotARecord || !matches!(window.input[at], b'{' | b'[') {
            return self.damaged(window, at, at, Reason::NotARecord, harvest);
        }
        if matches!(reason, Reason::Syntax | Reason::DuplicateKey) {
            match frame(window.input, at) {
                Frame::End(end) => {
                    harvest.begin(window.byte(at), end - at);
                    harvest.flag_at(reason, window.byte(damaged_at));
                    self.went_well();
                    self.last_damaged = true;
                    return Step::On(end);
                }
                Frame::Incomplete if window.may_grow(at, task) => return Step::Wait(at),
                Frame::Incomplete | Frame::None => {}
            }
        }
        self.damaged(window, at, damaged_at, reason, harvest)
    }

    fn went_well(&mut self) {
        self.last_damaged = false;
        if self.inside == Inside::ArrayBeforeValue {
            self.inside = Inside::ArrayAfterValue;
        }
    }

    /// Notes the damaged value at `at` and looks for the next record from there on.
    #[cold]
    fn damaged(
        &mut self,
        window: &Window<'_>,
        at: usize,
        damaged_at: usize,
        reason: Reason,
        harvest: &mut Harvest,
    ) -> Step {
        harvest.begin(window.byte(at), 0);
        harvest.flag_at(reason, window.byte(damaged_at));
        self.last_damaged = true;
        let indent_bytes = self.line.indent_bytes(window.input, at);
        self.resync = Some(Resync::new(indent_bytes, self.inside != Inside::Top));
        Step::On(at)
    }

    fn recover(&mut self, mut resync: Resync, window: &Window<'_>, at: usize, task: &Task) -> Step {
        let found = resync.search(window, at, task);
        let (Found::Record(to) | Found::Array(to) | Found::Nothing(to)) = found;
        self.feeds += feeds(&window.input[at..to]);
        match found {
            Found::Record(start) => {
                if self.inside != Inside::Top {
                    self.inside = Inside::ArrayBeforeValue;
                }
                Step::On(start)
            }
            Found::Array(start) => {
                self.inside = Inside::Top;
                Step::On(start)
            }
            Found::Nothing(from) => {
                self.resync = Some(resync);
                Step::Wait(from)
            }
        }
    }

    /// Notes an array that the end of the input leaves open.
    fn end(&mut self, window: &Window<'_>, at: usize, harvest: &mut Harvest) {
        if self.inside != Inside::Top && !self.last_damaged {
            harvest.flag_at(Reason::ArrayOpen, window.byte(at));
        }
        self.inside = Inside::Top;
    }
}

/// Whether a script of an account archive begins.
enum Script {
    /// What is assigned begins here.
    Begins(usize),
    /// It does not.
    None,
    /// The window ends before that can be told.
    Unseen,
}

/// How far the sign of equality may be in the first line of a script.
const ASSIGNED_BYTES_MAX: usize = 256;

fn script(window: &Window<'_>, at: usize) -> Script {
    let head = &window.input[at..];
    let head = &head[..head.len().min(ASSIGNED_BYTES_MAX)];
    let begin = account_archive::SCRIPT;
    let equals = memchr::memchr2(b'=', b'\n', head).map(|end| (end, head[end]));
    match equals {
        Some((end, b'=')) if head.starts_with(begin) => Script::Begins(at + end + 1),
        Some(_) => Script::None,
        None if !begin.starts_with(&head[..head.len().min(begin.len())]) => Script::None,
        None if window.more == More::MayCome && head.len() < ASSIGNED_BYTES_MAX => Script::Unseen,
        None => Script::None,
    }
}

/// What stands where a value ended.
enum Seam {
    /// The next value, or what may stand between two.
    Whole,
    /// At this byte something that belongs into an object: it was not the value's own bracket that
    /// ended it, so that nothing can be believed of it.
    Torn(usize),
    /// The window ends here.
    Unseen,
}

/// Looks at what follows the value that ended before `end`, up to the line's end.
#[inline]
fn seam(input: &[u8], end: usize) -> Seam {
    let behind_blanks = |mut at: usize| {
        while let Some(b' ' | b'\t' | b'\r') = input.get(at) {
            at += 1;
        }
        at
    };
    let mut at = behind_blanks(end);
    if input.get(at) == Some(&b',') {
        at = behind_blanks(at + 1);
        return match input.get(at) {
            Some(b'"') => Seam::Torn(at),
            Some(_) => Seam::Whole,
            None => Seam::Unseen,
        };
    }
    match input.get(at) {
        Some(b'"' | b':' | b'}') => Seam::Torn(at),
        Some(_) => Seam::Whole,
        None => Seam::Unseen,
    }
}

/// Skips what may stand between values: blanks, NUL padding, byte order marks of joined files.
/// Counts the line feeds among them.
#[inline]
fn skip_padding(input: &[u8], mut at: usize, feeds: &mut u64) -> usize {
    loop {
        match input.get(at) {
            Some(b'\n') => {
                *feeds += 1;
                at += 1;
            }
            Some(b'\r' | b' ' | b'\t' | 0) => at += 1,
            Some(0xEF) if input[at..].starts_with(b"\xEF\xBB\xBF") => at += 3,
            _ => return at,
        }
    }
}

/// Who took a record.
enum Taken {
    /// The format of this row.
    Format(usize),
    /// It is a control line.
    Control,
    /// Nobody knows it.
    Unknown,
}

/// Hands a whole object to its format.
#[inline]
fn take_record(record: &Record<'_>, task: &Task, harvest: &mut Harvest) -> Taken {
    if record.has(Key::ForUser)
        && let Some(message) = record.object(Key::Message)
    {
        return take_record(&message, task, harvest);
    }
    if control::recognise(record) {
        harvest.flag(Reason::Control);
        control::extract(record, harvest);
        return Taken::Control;
    }
    let row = match task.format {
        Some(format) => Some((super::row_of(format), format)),
        None => FORMATS.iter().enumerate().find(|(_, format)| match &format.shape {
            Shape::Json { recognise, .. } | Shape::Removals { recognise, .. } => recognise(record),
            Shape::Table { .. } | Shape::List => false,
        }),
    };
    let Some((row, format)) = row else { return Taken::Unknown };
    match (&format.shape, task.format) {
        (Shape::Json { extract, .. }, _) | (Shape::Removals { extract, .. }, Some(_)) => {
            extract(record, harvest);
        }
        (Shape::Removals { .. }, None) => harvest.flag(Reason::Removal),
        (Shape::Table { .. } | Shape::List, _) => return Taken::Unknown,
    }
    Taken::Format(row)
}
