//! How an import comes into force, and how it is reverted: all views and the version in one
//! transaction, after everything that takes long. Who asked for it, and whether they may, is not
//! known here.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::change::Change;
use super::known::Known;
use super::scan::{self, Progress};
use super::{List, RemovalError};
use crate::audit::{self, Leaf, name};
use crate::base::gaps::Gaps;
use crate::base::ids::IdKind;
use crate::base::party::Actor;
use crate::release::Release;
use crate::store::{ImportState, RemovalImportRow, Store, StoreError, Tx, ViewChangeRow};

/// How many events one transaction writes: few enough that nobody waits long for the writer.
const PIECE_EVENTS: usize = 4_096;

/// How long an import may be prepared before it counts as left behind, in milliseconds.
const LEFT_BEHIND_MS: i64 = 60 * 60 * 1_000;

/// All that comes into force together, worked out against one version of the removals.
#[derive(Debug)]
pub struct Prepared {
    base_version: i64,
    /// The releases that were looked at, all that there were.
    releases: Vec<String>,
    views: Vec<NextView>,
    /// What changes.
    pub change: Change,
    /// Where removals by user cannot bite.
    pub authorless: Vec<Authorless>,
}

/// The next view of a column, and how it differs from the one before.
#[derive(Debug)]
struct NextView {
    release: String,
    kind: IdKind,
    before: Arc<Gaps>,
    after: Gaps,
    removed: Vec<Range<u64>>,
    restored: Vec<Range<u64>>,
}

/// A release of which the authors of Tweets are not known, or not of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorless {
    /// The release.
    pub release: String,
    /// The datasets that have it.
    pub datasets: Vec<String>,
    /// Of how many of its Tweets nobody knows the author.
    pub tweets: u64,
}

/// What became of something that was prepared.
#[derive(Debug)]
pub enum Committed {
    /// It is in force, as this says.
    Done(Value),
    /// Another import or release came between: it has to be prepared anew.
    Stale,
}

fn lines(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}

impl Prepared {
    /// How many lines of releases go, and how many come back.
    pub fn lines(&self) -> (u64, u64) {
        let removed = self.views.iter().map(|view| lines(&view.removed)).sum();
        (removed, self.views.iter().map(|view| lines(&view.restored)).sum())
    }

    /// What it does, as people and programs read it.
    pub fn effect(&self) -> Value {
        let (removed, restored) = self.lines();
        json!({
            "tweets_removed": self.change.tweets.removed.len(),
            "tweets_restored": self.change.tweets.restored.len(),
            "users_removed": self.change.users.removed.len(),
            "users_restored": self.change.users.restored.len(),
            "lines_removed": removed,
            "lines_restored": restored,
            "views": self.views.len(),
            "without_authors": self.authorless.iter().map(|one| json!({
                "release": one.release,
                "datasets": one.datasets,
                "tweets": one.tweets,
            })).collect::<Vec<_>>(),
        })
    }
}

/// Which releases are scanned.
enum Which<'a> {
    All,
    Only(&'a Release),
}

/// Finds out what an import of `list` would do, beside the serving.
///
/// # Errors
/// [`RemovalError`]; then nothing has happened.
pub fn prepare_import(
    store: &Store,
    releases: &Path,
    list: &List,
    now_ms: i64,
    progress: &dyn Progress,
) -> Result<Prepared, RemovalError> {
    let base_version = store.read(|tx| tx.removal_version())?;
    let change = Change::of_import(store, &list.events, now_ms)?;
    prepare(store, releases, base_version, change, progress, Which::All)
}

/// Finds out what reverting an import would do, beside the serving.
///
/// # Errors
/// [`RemovalError`]; then nothing has happened.
pub fn prepare_reversal(
    store: &Store,
    releases: &Path,
    import: i64,
    progress: &dyn Progress,
) -> Result<Prepared, RemovalError> {
    let base_version = store.read(|tx| tx.removal_version())?;
    let change = Change::of_reversal(store, import)?;
    prepare(store, releases, base_version, change, progress, Which::All)
}

/// Finds the views of a release that is about to be entered, for [`enter_release`]; `None` if
/// nothing was ever removed.
///
/// # Errors
/// [`RemovalError`]; then nothing has happened.
pub fn prepare_release(
    store: &Store,
    releases: &Path,
    release: &str,
) -> Result<Option<Prepared>, RemovalError> {
    let base_version = store.read(|tx| tx.removal_version())?;
    if base_version == 0 {
        return Ok(None);
    }
    let change = Change::of_everything(store)?;
    let opened = open(releases, release)?;
    let which = Which::Only(&opened);
    prepare(store, releases, base_version, change, &scan::Untold, which).map(Some)
}

fn open(releases: &Path, release: &str) -> Result<Arc<Release>, RemovalError> {
    let failed = |source| RemovalError::Release { release: release.to_owned(), source };
    Release::open(&releases.join(release)).map_err(failed)
}

fn prepare(
    store: &Store,
    folder: &Path,
    base_version: i64,
    change: Change,
    progress: &dyn Progress,
    which: Which<'_>,
) -> Result<Prepared, RemovalError> {
    let known = Known::new(store.clone());
    let releases = store.read(|tx| tx.release_ids())?;
    let mut prepared = Prepared {
        base_version,
        releases: releases.clone(),
        views: Vec::new(),
        change,
        authorless: Vec::new(),
    };
    match which {
        Which::Only(release) => {
            look_at(store, release, Before::Nothing, &known, &mut prepared, progress)?;
        }
        Which::All if prepared.change.is_empty() => {}
        Which::All => {
            for release in releases {
                let release = open(folder, &release)?;
                look_at(store, &release, Before::View, &known, &mut prepared, progress)?;
            }
        }
    }
    Ok(prepared)
}

/// From what a scan starts.
#[derive(Clone, Copy)]
enum Before {
    /// From the view in force.
    View,
    /// From all lines: the change is all that was ever removed.
    Nothing,
}

fn look_at(
    store: &Store,
    release: &Release,
    before: Before,
    known: &Known,
    prepared: &mut Prepared,
    progress: &dyn Progress,
) -> Result<(), RemovalError> {
    let id: &str = release.id();
    for kind in super::KINDS {
        if release.column(kind).is_none() || !scan::concerns(&prepared.change, kind) {
            continue;
        }
        let in_force = store.read(|tx| tx.view(id, kind))?.map_or_else(Gaps::none, Arc::new);
        let from = match before {
            Before::View => Arc::clone(&in_force),
            Before::Nothing => Gaps::none(),
        };
        let scanned = scan::scan(release, kind, &from, &prepared.change, known, progress);
        let scanned =
            scanned.map_err(|source| RemovalError::Release { release: id.to_owned(), source })?;
        if scanned.unknown_authors > 0 {
            let datasets = store.read(|tx| tx.release_datasets(id))?;
            let tweets = scanned.unknown_authors;
            prepared.authorless.push(Authorless { release: id.to_owned(), datasets, tweets });
        }
        // The version is given at the commit.
        let after = Gaps::of(0, scanned.runs);
        let (removed, restored) = (after.beyond(&in_force), in_force.beyond(&after));
        if !removed.is_empty() || !restored.is_empty() {
            let release = id.to_owned();
            let before = in_force;
            prepared.views.push(NextView { release, kind, before, after, removed, restored });
        }
    }
    Ok(())
}

/// Writes the events of a list, which do not count yet, and returns the number of the import.
///
/// # Errors
/// [`StoreError`]; what was written does not count, and a later import clears it away.
pub fn write_events(
    store: &Store,
    list: &List,
    name: &str,
    reason: &str,
    now_ms: i64,
) -> Result<i64, StoreError> {
    clear_left_behind(store, now_ms)?;
    let row = RemovalImportRow {
        id: 0,
        state: ImportState::Preparing,
        sha256: list.sha256(),
        name: name.to_owned(),
        reason: reason.to_owned(),
        report: "{}".to_owned(),
        events: list.events.len() as u64,
        created_ms: now_ms,
        version: None,
        reverted_ms: None,
        reverted_reason: None,
    };
    let import = store.write_blocking(move |tx| tx.removal_import_insert(&row))?;
    for events in list.events.chunks(PIECE_EVENTS) {
        let rows: Vec<_> = events.iter().map(|event| event.row(now_ms)).collect();
        store.write_blocking(move |tx| -> Result<(), StoreError> {
            rows.iter().try_for_each(|row| tx.removal_event_insert(import, row))
        })?;
    }
    Ok(import)
}

fn clear_left_behind(store: &Store, now_ms: i64) -> Result<(), StoreError> {
    let left = store.read(|tx| tx.removal_imports_left(now_ms - LEFT_BEHIND_MS))?;
    for row in left {
        discard(store, row.id)?;
    }
    Ok(())
}

/// Forgets an import that never came into force.
///
/// # Errors
/// [`StoreError`] of the change.
pub fn discard(store: &Store, import: i64) -> Result<(), StoreError> {
    store.write_blocking(move |tx| tx.removal_import_discard(import))
}

/// Puts a prepared import, whose events are written, in force.
///
/// # Errors
/// [`StoreError`] of the changes.
pub fn commit_import(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    import: i64,
    list: &Value,
    prepared: &Prepared,
) -> Result<Committed, StoreError> {
    let row = tx.removal_import(import)?.filter(|row| row.state == ImportState::Preparing);
    let Some(row) = row else { return Ok(Committed::Stale) };
    let is_whole = tx.removal_events_count(import)? == row.events;
    // Of two that say the same only one comes into force.
    let is_first = tx.removal_import_same(&row.sha256)?.is_none();
    if !is_whole || !is_first || !is_current(tx, prepared)? {
        return Ok(Committed::Stale);
    }
    let version = put_in_force(tx, now_ms, prepared)?;
    let report = json!({ "list": list, "effect": prepared.effect() });
    tx.removal_import_enforce(import, version, &report.to_string())?;
    let (removed_ids, restored_ids) = prepared.lines();
    let leaf = Leaf::RemovalsImported {
        import,
        version,
        list: hex::encode(row.sha256),
        events: row.events,
        removed_ids,
        restored_ids,
        actor: name::of_actor(tx, actor)?,
    };
    audit::append_decision(tx, now_ms, &leaf, Some(&row.reason))?;
    let row = tx.removal_import(import)?;
    let row = row.ok_or_else(|| StoreError::Damaged("an import that was just there".into()))?;
    Ok(Committed::Done(described(&row)))
}

/// Lets an import count no longer.
///
/// # Errors
/// [`StoreError`] of the changes.
pub fn commit_reversal(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    import: i64,
    reason: &str,
    prepared: &Prepared,
) -> Result<Committed, StoreError> {
    if !is_current(tx, prepared)? || !tx.removal_import_revert(import, now_ms, reason)? {
        return Ok(Committed::Stale);
    }
    let version = put_in_force(tx, now_ms, prepared)?;
    let (removed_ids, restored_ids) = prepared.lines();
    let leaf = Leaf::RemovalsReverted {
        import,
        version,
        removed_ids,
        restored_ids,
        actor: name::of_actor(tx, actor)?,
    };
    audit::append_decision(tx, now_ms, &leaf, Some(reason))?;
    let row = tx.removal_import(import)?;
    let row = row.ok_or_else(|| StoreError::Damaged("an import that was just there".into()))?;
    let mut answer = described(&row);
    answer["effect"] = prepared.effect();
    Ok(Committed::Done(answer))
}

/// Puts the views of a release in force with which a dataset is entered or refreshed, in the same
/// transaction and before its row; whether they still fit.
///
/// # Errors
/// [`StoreError`] of the changes.
pub fn enter_release(
    tx: &Tx<'_>,
    now_ms: i64,
    release: &str,
    prepared: Option<&Prepared>,
) -> Result<bool, StoreError> {
    let Some(prepared) = prepared else { return Ok(tx.removal_version()? == 0) };
    if tx.removal_version()? != prepared.base_version {
        return Ok(false);
    }
    if prepared.views.is_empty() {
        return Ok(true);
    }
    if tx.release_is_known(release)? {
        // It may be under way to somebody: who wrote its Tweets is known only now.
        put_in_force(tx, now_ms, prepared)?;
    } else {
        write_views(tx, now_ms, prepared.base_version, prepared)?;
    }
    Ok(true)
}

/// Whether nothing came between that would have changed what was prepared.
fn is_current(tx: &Tx<'_>, prepared: &Prepared) -> Result<bool, StoreError> {
    Ok(tx.removal_version()? == prepared.base_version && tx.release_ids()? == prepared.releases)
}

fn put_in_force(tx: &Tx<'_>, now_ms: i64, prepared: &Prepared) -> Result<i64, StoreError> {
    let version = prepared.base_version + 1;
    tx.removal_set_version(version)?;
    write_views(tx, now_ms, version, prepared)?;
    Ok(version)
}

fn write_views(
    tx: &Tx<'_>,
    now_ms: i64,
    version: i64,
    prepared: &Prepared,
) -> Result<(), StoreError> {
    for NextView { release, kind, before, after, removed, restored } in &prepared.views {
        tx.view_set(release, *kind, &after.with_version(version))?;
        let row = ViewChangeRow {
            version,
            release: release.clone(),
            kind: *kind,
            at_ms: now_ms,
            removed: removed.clone(),
            restored: restored.clone(),
        };
        tx.view_change_insert(&row, before)?;
    }
    Ok(())
}

/// An import as people and programs read it.
pub fn described(row: &RemovalImportRow) -> Value {
    use crate::base::date::rfc3339;
    let report: Value = serde_json::from_str(&row.report).unwrap_or_default();
    json!({
        "id": row.id.to_string(),
        "state": row.state.word(),
        "files": row.name,
        "reason": row.reason,
        "sha256": hex::encode(row.sha256),
        "events": row.events,
        "version": row.version,
        "created": rfc3339(row.created_ms),
        "reverted": row.reverted_ms.map(rfc3339),
        "reverted_reason": row.reverted_reason,
        "list": report["list"],
        "effect": report["effect"],
    })
}
