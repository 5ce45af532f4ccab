//! Who was sent lines that are left out by now: worked out from deliveries and from how views
//! changed, told by letter once, and listed for people, programs and the operator. It names
//! releases and ordinals, never an ID. What went out by a peer-review link is told to its maker:
//! nobody knows who the reviewers are, and the maker reaches them through the editor.
//!
//! Of files of full objects that somebody fetched `export` finds out what is to be deleted, and
//! writes the letters; it is listed here.
//!
//! What stands in no release, a body or a source that is stripped in flight, has no ordinals, so
//! nobody can tell from a delivery what was in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use serde::Serialize;
use serde_json::{Value, json};

use crate::base::date::rfc3339;
use crate::base::gaps::{united, within, without};
use crate::base::ids::IdKind;
use crate::base::number::separated;
use crate::base::party::PersonId;
use crate::directory::letter;
use crate::directory::words::Status;
use crate::store::{ExportCopyRow, PersonRow, SentRow, Store, StoreError, Tx, ViewChangeRow};

/// Over how many versions of the removals a feed looks at once.
const VERSIONS_AT_ONCE: i64 = 64;

/// Lines that somebody was sent and that are left out by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who; `None`: they were erased, or it is too long ago.
    pub person: Option<PersonId>,
    /// The slug of the dataset; `None`: it is gone.
    pub dataset: Option<String>,
    /// The release.
    pub release: String,
    /// Which kind of IDs.
    pub kind: IdKind,
    /// How many lines, or objects of a file.
    pub lines: u64,
    /// The copy of a file in which they are; `None`: they are lines of IDs.
    pub copy: Option<HeldCopy>,
}

/// A copy that somebody has of a file with objects that are removed by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldCopy {
    /// The number of the file.
    pub file: i64,
    /// Of which export it is.
    pub export: i64,
    /// Its place among the files of that export, from 1.
    pub part: u32,
    /// Which objects, numbered from 0 in the order of the file.
    pub objects: Vec<Range<u64>>,
}

/// What changed of what somebody was sent, with one version of the removals.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// The version: later ones are higher.
    pub version: i64,
    /// When.
    pub at: Value,
    /// The slug of the dataset.
    pub dataset: Option<String>,
    /// The release.
    pub release: String,
    /// Which kind of IDs.
    pub ids: IdKind,
    /// Ordinals that went, first and last of each range.
    pub removed: Vec<[u64; 2]>,
    /// Ordinals that may be distributed again.
    pub restored: Vec<[u64; 2]>,
    /// In which deliveries they were, or by which link of theirs they went to reviewers, and on
    /// which lines of each, counted from 1.
    pub deliveries: Vec<Value>,
}

/// What somebody should delete from their copies of a file of full objects, as of now.
#[derive(Clone, Debug, Serialize)]
pub struct ToldCopy {
    /// The number of the file.
    pub file: i64,
    /// Of which export it is.
    pub export: i64,
    /// Its place among the files of that export, from 1.
    pub part: u32,
    /// The slug of the dataset.
    pub dataset: Option<String>,
    /// The release.
    pub release: String,
    /// Whether it holds Tweets or Users.
    pub objects_of: IdKind,
    /// Which objects, first and last of each range, counted from 1 in the order of the file.
    pub objects: Vec<[u64; 2]>,
}

impl ToldCopy {
    /// What is told of what is held, if that is a copy.
    pub fn of(held: Held) -> Option<ToldCopy> {
        let Held { dataset, release, kind, .. } = held;
        let HeldCopy { file, export, part, objects } = held.copy?;
        let objects = objects.iter().map(|range| [range.start + 1, range.end]).collect();
        Some(ToldCopy { file, export, part, dataset, release, objects_of: kind, objects })
    }
}

/// One page of what somebody should delete.
#[derive(Clone, Debug, Serialize)]
pub struct Feed {
    /// What changed, the oldest first.
    pub removals: Vec<Told>,
    /// What is to be deleted from files of full objects, whatever page this is.
    pub files: Vec<ToldCopy>,
    /// The version up to which this page tells all.
    pub until: i64,
    /// Whether there is more.
    pub has_more: bool,
}

/// How a view was at each version: what was left out then, by ordinal.
struct Past {
    changes: Vec<ViewChangeRow>,
    gone_at: HashMap<i64, Vec<Range<u64>>>,
}

impl Past {
    fn of(tx: &Tx<'_>, release: &str, kind: IdKind) -> Result<Past, StoreError> {
        let changes = tx.view_changes_of(release, kind, i64::MAX)?;
        Ok(Past { changes, gone_at: HashMap::new() })
    }

    /// What was left out when the view had that version.
    fn gone_at(&mut self, version: i64) -> &[Range<u64>] {
        let changes = &self.changes;
        self.gone_at.entry(version).or_insert_with(|| {
            let mut gone: Vec<Range<u64>> = Vec::new();
            for change in changes.iter().take_while(|change| change.version <= version) {
                let (removed, restored) = (&change.removed, &change.restored);
                gone = without(gone.into_iter(), restored.iter().cloned());
                gone.extend(removed.iter().cloned());
                gone = united(gone);
            }
            gone
        })
    }

    /// The ordinals that a delivery handed over, at most.
    fn received(&mut self, sent: &SentRow) -> Vec<Range<u64>> {
        let gone = self.gone_at(sent.view_version);
        let asked = std::iter::once(sent.first..sent.end);
        let kept = without(asked, gone.iter().cloned());
        let (mut left, mut received) = (sent.ids, Vec::new());
        for range in kept {
            let ids = left.min(range.end - range.start);
            if ids == 0 {
                break;
            }
            received.push(range.start..range.start + ids);
            left -= ids;
        }
        received
    }

    /// On which lines of a delivery these ordinals stand, which it handed over.
    fn lines(&mut self, sent: &SentRow, ordinals: &[Range<u64>]) -> Vec<[u64; 2]> {
        let gone = self.gone_at(sent.view_version);
        let mut lines = Vec::new();
        let (mut gone, mut skipped) = (gone.iter().peekable(), 0);
        for range in ordinals {
            while let Some(gap) = gone.next_if(|gap| gap.start < range.start) {
                skipped += gap.end.saturating_sub(gap.start.max(sent.first));
            }
            let first = range.start - sent.first - skipped + 1;
            lines.push([first, first + (range.end - range.start) - 1]);
        }
        lines
    }
}

fn count(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}

fn pairs(ranges: &[Range<u64>]) -> Vec<[u64; 2]> {
    ranges.iter().map(|range| [range.start, range.end - 1]).collect()
}

/// The lines that are left out at present and that somebody was sent, or one person was; one entry
/// for each person, dataset and column.
///
/// # Errors
/// [`StoreError`] of the looks.
pub fn held(tx: &Tx<'_>, person: Option<PersonId>) -> Result<Vec<Held>, StoreError> {
    let mut all = Vec::new();
    for (release, kind, version) in tx.views_with_gaps()? {
        let sent = tx.sent_before(&release, kind, version, person)?;
        if sent.is_empty() {
            continue;
        }
        let mut past = Past::of(tx, &release, kind)?;
        let gone = past.gone_at(version).to_vec();
        for ((person, dataset), ranges) in gathered(&mut past, &sent, &gone) {
            let dataset = slug_of(tx, dataset)?;
            let (release, lines) = (release.clone(), count(&ranges));
            all.push(Held { person, dataset, release, kind, lines, copy: None });
        }
    }
    all.extend(held_copies(tx, person)?);
    Ok(all)
}

/// The copies that people have, or one person has, of files with objects that are removed by now.
///
/// # Errors
/// [`StoreError`] of the looks.
pub fn held_copies(tx: &Tx<'_>, person: Option<PersonId>) -> Result<Vec<Held>, StoreError> {
    let rows = tx.export_copies_hit()?.into_iter();
    let theirs = rows.filter(|row| person.is_none_or(|person| row.person == person));
    theirs
        .map(|row| {
            let ExportCopyRow { file, export, part, release, kind, gone, .. } = row;
            Ok(Held {
                person: Some(row.person),
                dataset: slug_of(tx, Some(row.dataset))?,
                release,
                kind,
                lines: count(&gone),
                copy: Some(HeldCopy { file, export, part, objects: gone }),
            })
        })
        .collect()
}

/// Which of `ordinals` each person received, of each dataset.
#[allow(clippy::type_complexity, reason = "a person and a dataset, and what they have in common")]
fn gathered(
    past: &mut Past,
    sent: &[SentRow],
    ordinals: &[Range<u64>],
) -> BTreeMap<(Option<PersonId>, Option<i64>), Vec<Range<u64>>> {
    let mut by_person: BTreeMap<_, Vec<Range<u64>>> = BTreeMap::new();
    for row in sent {
        let both = within(&past.received(row), ordinals);
        if !both.is_empty() {
            by_person.entry((row.person, row.dataset)).or_default().extend(both);
        }
    }
    by_person.into_iter().map(|(key, ranges)| (key, united(ranges))).collect()
}

fn slug_of(tx: &Tx<'_>, dataset: Option<i64>) -> Result<Option<String>, StoreError> {
    let row = dataset.map(|id| tx.dataset_by_id(id)).transpose()?.flatten();
    Ok(row.map(|row| row.slug))
}

/// What changed of what `person` was sent, after version `since`; pages end with a version, and
/// have `entries` or a few more.
///
/// # Errors
/// [`StoreError`] of the looks.
pub fn feed(tx: &Tx<'_>, person: PersonId, since: i64, entries: usize) -> Result<Feed, StoreError> {
    let newest = tx.removal_version()?;
    let copies = held_copies(tx, Some(person))?;
    let files = copies.into_iter().filter_map(ToldCopy::of).collect();
    let mut feed = Feed { removals: Vec::new(), files, until: since.min(newest), has_more: false };
    while feed.until < newest {
        let until = newest.min(feed.until + VERSIONS_AT_ONCE);
        let changes = tx.view_changes_after(feed.until, until)?;
        for changes in changes.chunk_by(|one, other| one.version == other.version) {
            if feed.removals.len() >= entries {
                feed.has_more = true;
                return Ok(feed);
            }
            for change in changes {
                tell_change(tx, person, change, &mut feed.removals)?;
            }
            feed.until = changes[0].version;
        }
        feed.until = until;
    }
    Ok(feed)
}

fn tell_change(
    tx: &Tx<'_>,
    person: PersonId,
    change: &ViewChangeRow,
    told: &mut Vec<Told>,
) -> Result<(), StoreError> {
    let ViewChangeRow { version, ref release, kind, at_ms, .. } = *change;
    let sent = tx.sent_before(release, kind, version, Some(person))?;
    if sent.is_empty() {
        return Ok(());
    }
    let mut past = Past::of(tx, release, kind)?;
    let mut by_dataset: BTreeMap<Option<i64>, Told> = BTreeMap::new();
    let mut all: BTreeMap<Option<i64>, [Vec<Range<u64>>; 2]> = BTreeMap::new();
    for row in &sent {
        let received = past.received(row);
        let asked = row.first..row.end;
        let removed = within(&received, &change.removed);
        // What was not there then comes back to whoever asked for it.
        let restored = within(std::slice::from_ref(&asked), &change.restored);
        if removed.is_empty() && restored.is_empty() {
            continue;
        }
        let dataset = slug_of(tx, row.dataset)?;
        let told = by_dataset.entry(row.dataset).or_insert_with(|| Told {
            version,
            at: json!(rfc3339(at_ms)),
            dataset,
            release: release.clone(),
            ids: kind,
            removed: Vec::new(),
            restored: Vec::new(),
            deliveries: Vec::new(),
        });
        if !removed.is_empty() {
            let lines = past.lines(row, &removed);
            told.deliveries.push(match row.link {
                Some(link) => json!({ "link": link.0.to_string(), "lines": lines }),
                None => json!({ "delivery": row.delivery.to_string(), "lines": lines }),
            });
        }
        let sums = all.entry(row.dataset).or_default();
        sums[0].extend(removed);
        sums[1].extend(restored);
    }
    for (dataset, [removed, restored]) in all {
        let entry = by_dataset.get_mut(&dataset).expect("both were entered together");
        (entry.removed, entry.restored) = (pairs(&united(removed)), pairs(&united(restored)));
    }
    told.extend(by_dataset.into_values());
    Ok(())
}

/// Writes a letter to everybody who holds lines that went since this was last done; returns how
/// many letters. Nothing is told twice, and nothing is forgotten by a crash.
///
/// # Errors
/// [`StoreError`] of the looks or the change.
pub fn tell(store: &Store, now_ms: i64) -> Result<usize, StoreError> {
    let (told, newest) = store
        .read(|tx| Ok::<_, StoreError>((tx.removal_told_version()?, tx.removal_version()?)))?;
    if told >= newest {
        return Ok(0);
    }
    let letters = store.read(|tx| to_tell(tx, told, newest))?;
    store.write_blocking(move |tx| -> Result<usize, StoreError> {
        if tx.removal_told_version()? != told {
            // Another gateway was faster.
            return Ok(0);
        }
        for (person, lost) in &letters {
            let person = tx.person_by_id(*person)?.filter(is_active);
            let Some(person) = person else { continue };
            letter::notice(tx, now_ms, &person.mail, SUBJECT, &text(lost))?;
        }
        tx.removal_set_told_version(newest)?;
        Ok(letters.len())
    })
}

fn is_active(row: &PersonRow) -> bool {
    Status::of_row(&row.status) == Status::Active
}

/// How many lines of each dataset somebody should delete.
type Lost = BTreeMap<String, u64>;

fn to_tell(tx: &Tx<'_>, after: i64, until: i64) -> Result<BTreeMap<PersonId, Lost>, StoreError> {
    let mut letters: BTreeMap<PersonId, Lost> = BTreeMap::new();
    for change in tx.view_changes_after(after, until)? {
        if change.removed.is_empty() {
            continue;
        }
        let ViewChangeRow { ref release, kind, version, .. } = change;
        let sent = tx.sent_before(release, kind, version, None)?;
        let mut past = Past::of(tx, release, kind)?;
        for ((person, dataset), ranges) in gathered(&mut past, &sent, &change.removed) {
            let (Some(person), Some(slug)) = (person, slug_of(tx, dataset)?) else { continue };
            let dataset = format!("{slug} ({} IDs)", kind.title());
            *letters.entry(person).or_default().entry(dataset).or_default() += count(&ranges);
        }
    }
    Ok(letters)
}

const SUBJECT: &str = "IDs that you received must be deleted";

fn text(lost: &Lost) -> String {
    let datasets: BTreeSet<String> = lost
        .iter()
        .map(|(dataset, lines)| format!("* {dataset}: {} lines", separated(*lines)))
        .collect();
    format!(
        "Some of what you downloaded here was deleted, protected, suspended or withheld since \
         then, and must not be kept or passed on:\n\n{}\n\nDelete these IDs, and everything you \
         hydrated from them, within 24 hours, and ask whoever has them from you, such as the \
         editor to whom you gave a link, to do so. Which lines of the files they are, your \
         account's page tells, and programs read it at /v1/removals.",
        datasets.into_iter().collect::<Vec<_>>().join("\n")
    )
}
