//! The report of a strip: what was read, what was handed out, what fell out and why.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::reason::{Gravity, Reason};
use crate::base::ids::IdKind;

/// How many places of each reason are kept; the others are only counted.
pub const PLACES_MAX: usize = 10;

/// The report of one strip.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    /// Whether no record was damaged.
    pub clean: bool,
    /// Records read: JSON values, rows, lines of a list.
    pub records: u64,
    /// Bytes read from the sources, still encoded.
    pub bytes_read: u64,
    /// What became of the IDs of each kind that was asked for.
    #[serde(serialize_with = "by_kind")]
    pub ids: Vec<(IdKind, IdTally)>,
    /// Each reason that occurred, the damages first.
    pub reasons: Vec<ReasonTally>,
    /// Each source, in order.
    pub sources: Vec<SourceTally>,
    /// What was written, where the strip wrote one file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<Written>,
}

/// What became of the IDs of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IdTally {
    /// IDs found in records.
    pub found: u64,
    /// Of these, left out because a delete notice names them.
    pub removed: u64,
    /// Of these, left out because they are removed for good or for now.
    #[serde(skip_serializing_if = "is_none")]
    pub suppressed: u64,
    /// Of these, left out because they were there before.
    pub duplicates: u64,
    /// IDs handed out: found, less the three above.
    pub handed_out: u64,
}

/// Most strips know of no removals.
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// How often a reason occurred, and where first.
#[derive(Clone, Debug, Serialize)]
pub struct ReasonTally {
    /// The reason's word.
    #[serde(serialize_with = "slug")]
    pub reason: Reason,
    /// What it means.
    pub says: &'static str,
    /// Whether it makes the strip unclean.
    pub damaged: bool,
    /// How often.
    pub count: u64,
    /// The first few places.
    pub first: Vec<ReasonPlace>,
}

/// Where a reason occurred.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReasonPlace {
    /// The source's name.
    pub source: String,
    /// Line of the decoded source, from 1.
    pub line: u64,
    /// Byte of the decoded source, from 0.
    pub byte: u64,
}

/// What was read from one source.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SourceTally {
    /// Its name.
    pub name: String,
    /// Bytes read, still encoded.
    pub bytes_read: u64,
    /// Bytes after decoding.
    pub bytes_decoded: u64,
    /// Its wrappings, from the outside in: `gzip`, `tar`, `utf-16le`.
    pub encodings: Vec<&'static str>,
    /// Files read: more than one if it is an archive.
    pub files: u64,
    /// Records read.
    pub records: u64,
    /// Records of each format.
    pub formats: BTreeMap<&'static str, u64>,
    /// Columns of a table that were used: role to name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, String>,
    /// IDs found of each kind that was asked for.
    pub found: BTreeMap<&'static str, u64>,
    /// How often each reason occurred in it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<&'static str, u64>,
}

/// The one file that a strip wrote.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

impl SourceTally {
    /// How many damages there were in it.
    pub fn damages(&self) -> u64 {
        let damaged = |slug: &str| {
            let mut all = Reason::ALL.iter();
            all.any(|reason| reason.slug() == slug && reason.gravity() == Gravity::Damaged)
        };
        self.reasons.iter().filter(|(slug, _)| damaged(slug)).map(|(_, count)| count).sum()
    }
}

impl Tally {
    /// Whether no record was damaged.
    pub fn is_clean(&self) -> bool {
        self.reasons.iter().all(|reason| !reason.damaged)
    }

    /// What became of the IDs of `kind`; all zero if it was not asked for.
    pub fn of(&self, kind: IdKind) -> IdTally {
        let row = self.ids.iter().find(|(other, _)| *other == kind);
        row.map(|(_, tally)| *tally).unwrap_or_default()
    }

    /// How often `reason` occurred.
    pub fn count(&self, reason: Reason) -> u64 {
        self.reasons.iter().find(|row| row.reason == reason).map_or(0, |row| row.count)
    }
}

/// How often each reason occurred.
pub(crate) type ReasonCounts = [u64; Reason::ALL.len()];

/// Counts reasons while a strip is at work.
pub(crate) struct Reasons {
    counts: ReasonCounts,
    first: [Vec<ReasonPlace>; Reason::ALL.len()],
}

impl Default for Reasons {
    fn default() -> Reasons {
        const REASONS: usize = Reason::ALL.len();
        Reasons { counts: [0; REASONS], first: [const { Vec::new() }; REASONS] }
    }
}

impl Reasons {
    /// Counts one occurrence; `place` is only called for the first few.
    pub(crate) fn count(&mut self, reason: Reason, place: impl FnOnce() -> ReasonPlace) {
        let index = reason as usize;
        self.counts[index] += 1;
        if self.first[index].len() < PLACES_MAX {
            self.first[index].push(place());
        }
    }

    /// Counts `count` occurrences that have no single place.
    pub(crate) fn add(&mut self, reason: Reason, count: u64) {
        self.counts[reason as usize] += count;
    }

    /// How often each reason occurred so far.
    pub(crate) fn counts(&self) -> ReasonCounts {
        self.counts
    }

    /// The reasons that occurred since then, and how often.
    pub(crate) fn since(&self, before: &ReasonCounts) -> BTreeMap<&'static str, u64> {
        let counts = self.counts.iter().zip(before).map(|(now, before)| now - before);
        let rows = Reason::ALL.iter().zip(counts).filter(|(_, count)| *count > 0);
        rows.map(|(reason, count)| (reason.slug(), count)).collect()
    }

    /// How often `reason` occurred so far.
    pub(crate) fn count_of(&self, reason: Reason) -> u64 {
        self.counts[reason as usize]
    }

    /// The rows of the report.
    pub(crate) fn into_rows(mut self) -> Vec<ReasonTally> {
        let mut rows = Vec::new();
        for &reason in Reason::ALL {
            let index = reason as usize;
            if self.counts[index] > 0 {
                rows.push(ReasonTally {
                    reason,
                    says: reason.says(),
                    damaged: reason.gravity() == Gravity::Damaged,
                    count: self.counts[index],
                    first: std::mem::take(&mut self.first[index]),
                });
            }
        }
        rows
    }
}

fn by_kind<S: Serializer>(rows: &[(IdKind, IdTally)], out: S) -> Result<S::Ok, S::Error> {
    let mut map = out.serialize_map(Some(rows.len()))?;
    for (kind, tally) in rows {
        map.serialize_entry(kind.word(), tally)?;
    }
    map.end()
}

fn slug<S: Serializer>(reason: &Reason, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(reason.slug())
}
