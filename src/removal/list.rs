//! Reading lists of removals: results of compliance jobs, notices of streams, bare lists of IDs.
//! What is damaged is counted and placed; what becomes of the events is not decided here.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::RemovalError;
use super::event::{Aspect, Event, settled};
use crate::base::ids::{ID_MAX, IdKind, parse_digits};
use crate::pipeline::{Line, PipelineError, Watch, lines, list_id};

/// How many places of damage are kept; the others are only counted.
const PLACES_MAX: usize = 100;

/// A line that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The byte of the decoded file at which it begins, from 0.
    pub byte: u64,
    /// Why.
    pub says: String,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Lines that are not blank.
    pub lines: u64,
    /// How many lines said what, by the word of the notice, the reason of a result, or `id`.
    pub said: BTreeMap<String, u64>,
    /// Lines that ask to strip geodata, which is in no ID: they remove nothing here.
    pub scrub_geo: u64,
    /// Lines about something else, such as limits of a stream or DMs.
    pub other: u64,
    /// Lines that could not be used.
    pub damaged: u64,
    /// The first of these.
    pub places: Vec<Damage>,
}

/// All that lists say.
#[derive(Clone, Debug)]
pub struct List {
    /// In the order of their IDs, of each aspect of an ID only the event that counts.
    pub events: Vec<Event>,
    /// What was read.
    pub report: Report,
}

impl List {
    /// A list of these events.
    pub fn of(events: Vec<Event>, report: Report) -> List {
        List { events: settled(events), report }
    }

    /// SHA-256 of all that it says, whatever its files were.
    pub fn sha256(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(b"hydrant removals 1\n");
        for event in &self.events {
            digest.update([event.kind as u8, event.aspect as u8, u8::from(event.removes)]);
            digest.update(event.element.to_le_bytes());
            digest.update(event.at_ms.unwrap_or(i64::MIN).to_le_bytes());
        }
        digest.finalize().into()
    }
}

/// Reads files one after another; `kind` is that of IDs that do not tell theirs.
///
/// # Errors
/// [`RemovalError::KindUndeclared`] if such an ID comes and there is no `kind`;
/// [`RemovalError::Pipeline`] if a file cannot be read.
pub fn read(
    files: &[PathBuf],
    kind: Option<IdKind>,
    watch: &dyn Watch,
) -> Result<List, RemovalError> {
    let mut reading = Reading::new(kind);
    for file in files {
        reading.begin(file.display().to_string());
        let damaged = lines(file.clone(), watch, &mut |line| reading.line(line));
        let undeclared = reading.undeclared.take();
        if let Some(line) = undeclared {
            return Err(RemovalError::KindUndeclared { name: reading.file, line });
        }
        if let Some((number, byte)) = damaged? {
            let line = Line { number, byte, text: &[], is_cut: false };
            reading.damage(&line, "the compressed data is broken or ends early");
        }
    }
    Ok(List::of(reading.events, reading.report))
}

/// Reads a text as [`read`] reads a file of that name.
///
/// # Errors
/// As [`read`].
pub fn read_text(name: &str, text: &str, kind: Option<IdKind>) -> Result<List, RemovalError> {
    let mut reading = Reading::new(kind);
    reading.begin(name.to_owned());
    let mut byte = 0;
    for (number, whole) in (1..).zip(text.split('\n')) {
        let line = Line { number, byte, text: whole.as_bytes(), is_cut: false };
        byte += whole.len() as u64 + 1;
        if let Err(source) = reading.line(line) {
            return Err(match reading.undeclared {
                Some(line) => RemovalError::KindUndeclared { name: reading.file, line },
                None => PipelineError::Write { source }.into(),
            });
        }
    }
    Ok(List::of(reading.events, reading.report))
}

struct Reading {
    kind: Option<IdKind>,
    file: String,
    is_first: bool,
    /// The line that ends the reading because nobody knows its kind.
    undeclared: Option<u64>,
    events: Vec<Event>,
    report: Report,
}

/// What a line says.
enum Said {
    Event(Event, String),
    ScrubGeo,
    Other,
}

/// Why it says nothing.
enum Unsaid {
    Damaged(&'static str),
    KindUndeclared,
}

impl From<&'static str> for Unsaid {
    fn from(says: &'static str) -> Unsaid {
        Unsaid::Damaged(says)
    }
}

impl Reading {
    fn new(kind: Option<IdKind>) -> Reading {
        Reading {
            kind,
            file: String::new(),
            is_first: true,
            undeclared: None,
            events: Vec::new(),
            report: Report::default(),
        }
    }

    fn begin(&mut self, file: String) {
        self.file = file;
        self.is_first = true;
    }

    fn line(&mut self, line: Line<'_>) -> io::Result<()> {
        let text = line.text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line.text).trim_ascii();
        if text.is_empty() {
            return Ok(());
        }
        self.report.lines += 1;
        let is_first = std::mem::take(&mut self.is_first);
        let said = if line.is_cut {
            Err(Unsaid::Damaged("the line is longer than any notice"))
        } else if text.starts_with(b"{") {
            match serde_json::from_slice::<Map<String, Value>>(text) {
                Ok(record) => self.record(&record),
                Err(_) => Err(Unsaid::Damaged("not well-formed JSON")),
            }
        } else {
            match self.bare(text) {
                // A header may stand above a list.
                Err(Unsaid::Damaged(_)) if is_first && !text[0].is_ascii_digit() => {
                    self.report.lines -= 1;
                    return Ok(());
                }
                said => said,
            }
        };
        match said {
            Ok(Said::Event(event, word)) => {
                self.events.push(event);
                *self.report.said.entry(word).or_default() += 1;
            }
            Ok(Said::ScrubGeo) => self.report.scrub_geo += 1,
            Ok(Said::Other) => self.report.other += 1,
            Err(Unsaid::Damaged(says)) => self.damage(&line, says),
            Err(Unsaid::KindUndeclared) => {
                self.undeclared = Some(line.number);
                return Err(io::Error::other("a line does not tell its kind"));
            }
        }
        Ok(())
    }

    fn damage(&mut self, line: &Line<'_>, says: &str) {
        self.report.damaged += 1;
        if self.report.places.len() < PLACES_MAX {
            let (file, says) = (self.file.clone(), says.to_owned());
            let place = Damage { file, line: line.number, byte: line.byte, says };
            self.report.places.push(place);
        }
    }

    /// A line of a bare list: an ID, or the address of a Tweet.
    fn bare(&self, text: &[u8]) -> Result<Said, Unsaid> {
        let element = list_id(text).map_err(|reason| Unsaid::Damaged(reason.says()))?;
        let kind = self.kind.ok_or(Unsaid::KindUndeclared)?;
        let (aspect, removes) = (Aspect::Listed, true);
        let event = Event { kind, element, aspect, removes, at_ms: None };
        Ok(Said::Event(event, "id".to_owned()))
    }

    fn record(&self, record: &Map<String, Value>) -> Result<Said, Unsaid> {
        // Envelopes of site streams, and of the v2 compliance streams.
        for (envelope, inner) in [("for_user", "message"), ("data", "data")] {
            if record.contains_key(envelope)
                && let Some(Value::Object(inner)) = record.get(inner)
            {
                return self.record(inner);
            }
        }
        if record.contains_key("action") {
            return self.result(record);
        }
        let notice = NOTICES.iter().find_map(|notice| {
            let body = record.get(notice.0)?.as_object()?;
            Some((notice, body))
        });
        match notice {
            Some((Notice(word, what), body)) => notice_event(word, *what, body, record),
            None if record.contains_key("scrub_geo") => Ok(Said::ScrubGeo),
            None if OTHERS.iter().any(|word| record.contains_key(*word)) => Ok(Said::Other),
            None => Err("neither a notice nor the result of a compliance job".into()),
        }
    }

    /// A line of a compliance job's result: an ID, what is to be done, and why.
    fn result(&self, record: &Map<String, Value>) -> Result<Said, Unsaid> {
        let action = text_of(record, "action").ok_or("the action is no text")?;
        let reason = text_of(record, "reason").unwrap_or(action);
        if [action, reason].contains(&"scrub_geo") {
            return Ok(Said::ScrubGeo);
        }
        let removes = match action {
            "undelete" | "undrop" | "unprotect" | "unsuspend" | "unwithhold" | "restore" => false,
            "delete" | "drop" | "protect" | "suspend" | "withhold" | "remove" => true,
            _ => return Err("an action that is not known".into()),
        };
        let element = id_of(record).ok_or("something else stands where an ID should")?;
        let at_ms = time_of(record, &["redacted_at", "event_at", "timestamp_ms"])?;
        let kind = self.kind.ok_or(Unsaid::KindUndeclared)?;
        let aspect = aspect_of(reason);
        Ok(Said::Event(Event { kind, element, aspect, removes, at_ms }, reason.to_owned()))
    }
}

/// A notice by its word, and what it says.
struct Notice(&'static str, What);

/// What a notice says of which kind: that an aspect removes or removes no more, or where
/// something is withheld.
#[derive(Clone, Copy)]
enum What {
    Removes(IdKind, Aspect),
    Restores(IdKind, Aspect),
    Withholds(IdKind),
}

const NOTICES: &[Notice] = &[
    Notice("delete", What::Removes(IdKind::Tweet, Aspect::Deleted)),
    Notice("undelete", What::Restores(IdKind::Tweet, Aspect::Deleted)),
    Notice("drop", What::Removes(IdKind::Tweet, Aspect::Dropped)),
    Notice("undrop", What::Restores(IdKind::Tweet, Aspect::Dropped)),
    Notice("status_withheld", What::Withholds(IdKind::Tweet)),
    Notice("withheld", What::Withholds(IdKind::Tweet)),
    Notice("user_withheld", What::Withholds(IdKind::User)),
    Notice("user_delete", What::Removes(IdKind::User, Aspect::Deleted)),
    Notice("user_undelete", What::Restores(IdKind::User, Aspect::Deleted)),
    Notice("user_protect", What::Removes(IdKind::User, Aspect::Protected)),
    Notice("user_unprotect", What::Restores(IdKind::User, Aspect::Protected)),
    Notice("user_suspend", What::Removes(IdKind::User, Aspect::Suspended)),
    Notice("user_unsuspend", What::Restores(IdKind::User, Aspect::Suspended)),
];

/// What else stands in streams and says nothing about removals.
const OTHERS: &[&str] =
    &["limit", "disconnect", "warning", "friends", "friends_str", "event", "control", "info"];

fn notice_event(
    word: &str,
    what: What,
    body: &Map<String, Value>,
    record: &Map<String, Value>,
) -> Result<Said, Unsaid> {
    if body.contains_key("direct_message") {
        return Ok(Said::Other);
    }
    let subject =
        ["status", "tweet", "user"].into_iter().find_map(|key| body.get(key)?.as_object());
    let element = id_of(subject.unwrap_or(body));
    let element = element.ok_or("something else stands where an ID should")?;
    const TIMES: &[&str] = &["timestamp_ms", "event_at", "timestamp"];
    let at_ms = match time_of(body, TIMES)? {
        Some(at_ms) => Some(at_ms),
        None => time_of(record, TIMES)?,
    };
    let (kind, aspect, removes) = match what {
        What::Removes(kind, aspect) => (kind, aspect, true),
        What::Restores(kind, aspect) => (kind, aspect, false),
        // Withheld nowhere is withheld no longer.
        What::Withholds(kind) => {
            let countries = body.get("withheld_in_countries").and_then(Value::as_array);
            (kind, Aspect::Withheld, countries.is_none_or(|countries| !countries.is_empty()))
        }
    };
    Ok(Said::Event(Event { kind, element, aspect, removes, at_ms }, word.to_owned()))
}

/// The aspect behind the reason of a compliance job's result.
fn aspect_of(reason: &str) -> Aspect {
    match reason {
        "deleted" | "delete" | "undelete" | "deactivated" => Aspect::Deleted,
        "dropped" | "drop" | "undrop" => Aspect::Dropped,
        "withheld" | "withhold" | "unwithhold" => Aspect::Withheld,
        "protected" | "protect" | "unprotect" => Aspect::Protected,
        "suspended" | "suspend" | "unsuspend" => Aspect::Suspended,
        _ => Aspect::Other,
    }
}

fn text_of<'a>(record: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    record.get(key)?.as_str()
}

/// The ID of an object: as text if it is there so, for a number may have been rounded.
fn id_of(object: &Map<String, Value>) -> Option<u64> {
    let value = object.get("id_str").filter(|value| !value.is_null()).or(object.get("id"))?;
    match value {
        Value::String(digits) => parse_digits(digits.as_bytes()).ok(),
        Value::Number(number) => number.as_u64().filter(|id| *id <= ID_MAX),
        _ => None,
    }
}

/// The first of these times that is there, in milliseconds UTC: RFC 3339 with or without
/// fractions, or milliseconds as digits.
fn time_of(object: &Map<String, Value>, keys: &[&str]) -> Result<Option<i64>, &'static str> {
    let value = keys.iter().find_map(|key| object.get(*key).filter(|value| !value.is_null()));
    let at_ms = match value {
        None => return Ok(None),
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok()
        }
        Some(Value::String(text)) => {
            text.parse::<Timestamp>().ok().map(|time| time.as_millisecond())
        }
        Some(_) => None,
    };
    // One in the far future would win for ever.
    let is_time = |at_ms: &i64| (0..=TIME_MS_MAX).contains(at_ms);
    at_ms.filter(is_time).map(Some).ok_or("something else stands where a time should")
}

/// The end of the year 2199.
const TIME_MS_MAX: i64 = 7_258_118_399_999;
