//! The operations on removals: importing and reverting lists, and who holds what went. The long
//! part of an import runs before its one short transaction, which looks again at everything.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::desk::{By, Desk};
use super::{Context, ErrorKind, Need, OperationError};
use crate::base::date::rfc3339;
use crate::base::ids::IdKind;
use crate::directory::{DirectoryError, line};
use crate::removal::import::{self, Committed, Prepared};
use crate::removal::scan::Untold;
use crate::removal::{List, RemovalError, holders, read_spool, read_text};
use crate::store::{ImportState, StoreError, Tx};

/// The longest reason.
const REASON_CHARS_MAX: usize = 2_000;

/// The longest name of a list.
const NAME_CHARS_MAX: usize = 1_000;

/// How often an import is prepared anew because something came between.
const ATTEMPTS_MAX: usize = 10;

/// One thing that may be asked about removals.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "removal", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are those of the commands")]
pub enum Removal {
    /// Put in force what these lines say, or tell what it would do.
    Import {
        lines: String,
        kind: Option<IdKind>,
        reason: String,
        #[serde(default)]
        effect: Effect,
    },
    /// The same with a list that a command of this machine has read.
    ImportFile { path: PathBuf, name: String, reason: String, effect: Effect },
    /// All imports.
    List,
    /// Let an import count no longer.
    Revert { import: i64, reason: String },
    /// Who was sent lines that are left out by now.
    Holders,
}

/// Whether something is done, or only told what it would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It is done.
    #[default]
    Real,
    /// It is told.
    Told,
}

impl Removal {
    /// What it takes to be heard with it.
    pub(super) fn need(&self) -> Need {
        match self {
            Removal::List | Removal::Holders => Need::Look,
            Removal::Import { .. } | Removal::Revert { .. } => Need::Change,
            // It names a file of the machine.
            Removal::ImportFile { .. } => Need::Machine,
        }
    }
}

/// Carries one of them out.
pub(super) fn carry_out(
    desk: &Desk<'_>,
    context: &Context,
    removal: Removal,
) -> Result<Value, OperationError> {
    match removal {
        Removal::List => Ok(desk.look(|tx, _| list(tx))?),
        Removal::Holders => Ok(desk.look(|tx, _| holding(tx))?),
        Removal::Import { lines, kind, reason, effect } => {
            desk.look(|_, _| Ok(Value::Null))?;
            let list = read_text("the request", &lines, kind).map_err(refused)?;
            import_list(desk, context, list, "a request", &reason, effect)
        }
        Removal::ImportFile { path, name, reason, effect } => {
            desk.look(|_, _| Ok(Value::Null))?;
            let list = read_spool(&path).map_err(refused)?;
            import_list(desk, context, list, &name, &reason, effect)
        }
        Removal::Revert { import, reason } => revert(desk, context, import, &reason),
    }
}

fn import_list(
    desk: &Desk<'_>,
    context: &Context,
    list: List,
    name: &str,
    reason: &str,
    effect: Effect,
) -> Result<Value, OperationError> {
    let reason = line("the reason", reason, REASON_CHARS_MAX)?;
    let name = line("the name of the list", name, NAME_CHARS_MAX)?;
    let Context { store, releases, clock, .. } = context;
    let read = json!(list.report);
    let unavailable = |error: StoreError| OperationError::from(DirectoryError::from(error));
    let mut written = None;
    for _ in 0..ATTEMPTS_MAX {
        let sha256 = list.sha256();
        if let Some(row) = store.read(|tx| tx.removal_import_same(&sha256)).map_err(unavailable)? {
            discard(context, written)?;
            let mut answer = import::described(&row);
            answer["repeated"] = true.into();
            answer["list"] = read;
            return Ok(answer);
        }
        let now_ms = clock.now_ms();
        let prepared = import::prepare_import(store, releases, &list, now_ms, &Untold);
        let prepared = prepared.map_err(refused).inspect_err(|_| {
            let _ = discard(context, written);
        })?;
        if effect == Effect::Told {
            let events = list.events.len();
            return Ok(json!({ "list": read, "events": events, "effect": prepared.effect() }));
        }
        let import = match written {
            Some(import) => import,
            None => {
                let begun = import::write_events(store, &list, &name, &reason, now_ms);
                *written.insert(begun.map_err(unavailable)?)
            }
        };
        let told = read.clone();
        let done = commit(desk, prepared, move |tx, by, prepared| {
            import::commit_import(tx, by.now_ms, &by.actor, import, &told, prepared)
        });
        match done {
            Ok(Some(answer)) => {
                // Whoever holds what went is told after the commit: until then some were still
                // sent it. A gateway tells them too, should this process end here.
                let _ = holders::tell(store, clock.now_ms());
                return Ok(answer);
            }
            Ok(None) => {}
            Err(error) => {
                discard(context, written)?;
                return Err(error);
            }
        }
    }
    discard(context, written)?;
    Err(busy())
}

fn discard(context: &Context, import: Option<i64>) -> Result<(), OperationError> {
    let Some(import) = import else { return Ok(()) };
    let discarded = import::discard(&context.store, import);
    discarded.map_err(|error| DirectoryError::from(error).into())
}

fn revert(
    desk: &Desk<'_>,
    context: &Context,
    import: i64,
    reason: &str,
) -> Result<Value, OperationError> {
    let reason = line("the reason", reason, REASON_CHARS_MAX)?;
    let Context { store, releases, clock, .. } = context;
    for _ in 0..ATTEMPTS_MAX {
        desk.look(|tx, _| in_force(tx, import).map(|()| Value::Null))?;
        let prepared = import::prepare_reversal(store, releases, import, &Untold);
        let prepared = prepared.map_err(refused)?;
        let why = reason.clone();
        let done = commit(desk, prepared, move |tx, by, prepared| {
            import::commit_reversal(tx, by.now_ms, &by.actor, import, &why, prepared)
        })?;
        if let Some(answer) = done {
            let _ = holders::tell(store, clock.now_ms());
            return Ok(answer);
        }
    }
    Err(busy())
}

fn in_force(tx: &Tx<'_>, import: i64) -> Result<(), DirectoryError> {
    match tx.removal_import(import)?.map(|row| row.state) {
        Some(ImportState::InForce) => Ok(()),
        Some(ImportState::Reverted) => {
            Err(DirectoryError::Conflict(format!("the import {import} is reverted already")))
        }
        Some(ImportState::Preparing) | None => Err(DirectoryError::NotFound(format!(
            "there is no import {import} in force; `hydrant removal list` shows them all"
        ))),
    }
}

/// Commits what was prepared; `None` if it has to be prepared anew.
fn commit(
    desk: &Desk<'_>,
    prepared: Prepared,
    work: impl FnOnce(&Tx<'_>, &By, &Prepared) -> Result<Committed, StoreError> + Send + 'static,
) -> Result<Option<Value>, OperationError> {
    let is_stale = Arc::new(AtomicBool::new(false));
    let stale = Arc::clone(&is_stale);
    let done = desk.change(move |tx, by| match work(tx, by, &prepared)? {
        Committed::Done(answer) => Ok(answer),
        Committed::Stale => {
            stale.store(true, Ordering::SeqCst);
            // So that what the attempt wrote is undone, the note of the request included.
            Err(DirectoryError::Conflict("something came between".to_owned()))
        }
    });
    match done {
        Ok(answer) => Ok(Some(answer)),
        Err(_) if is_stale.load(Ordering::SeqCst) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Enters something together with the views that its release needs; what is removed already is
/// left out of it from the first byte on.
pub(super) fn with_views(
    desk: &Desk<'_>,
    context: &Context,
    release: &str,
    work: impl Fn(&Tx<'_>, &By) -> Result<Value, DirectoryError> + Send + Sync + 'static,
) -> Result<Value, OperationError> {
    // Whoever may not ask does not make anybody scan.
    desk.look(|_, _| Ok(Value::Null))?;
    let work = Arc::new(work);
    for _ in 0..ATTEMPTS_MAX {
        let prepared = import::prepare_release(&context.store, &context.releases, release);
        let prepared = prepared.map_err(refused)?;
        let (work, release) = (Arc::clone(&work), release.to_owned());
        let is_stale = Arc::new(AtomicBool::new(false));
        let stale = Arc::clone(&is_stale);
        let done = desk.change(move |tx, by| {
            if !import::enter_release(tx, by.now_ms, &release, prepared.as_ref())? {
                stale.store(true, Ordering::SeqCst);
                return Err(DirectoryError::Conflict("something came between".to_owned()));
            }
            work(tx, by)
        });
        match done {
            Err(_) if is_stale.load(Ordering::SeqCst) => {}
            done => return Ok(done?),
        }
    }
    Err(busy())
}

fn busy() -> OperationError {
    let message = "other imports or releases come between again and again; try again later";
    OperationError { kind: ErrorKind::Unavailable, message: message.to_owned() }
}

fn refused(error: RemovalError) -> OperationError {
    let kind = match &error {
        RemovalError::Store(_) | RemovalError::Release { .. } | RemovalError::Spool { .. } => {
            ErrorKind::Unavailable
        }
        RemovalError::Pipeline(_) | RemovalError::KindUndeclared { .. } => ErrorKind::Invalid,
    };
    let mut message = error.to_string();
    if let RemovalError::Release { source, .. } = &error {
        message = format!("{message}: {source}");
    }
    OperationError { kind, message }
}

fn list(tx: &Tx<'_>) -> Result<Value, DirectoryError> {
    let rows = tx.removal_imports()?;
    let shown = rows.iter().filter(|row| row.state != ImportState::Preparing);
    Ok(shown.map(import::described).collect())
}

fn holding(tx: &Tx<'_>) -> Result<Value, DirectoryError> {
    let mut rows = Vec::new();
    for held in holders::held(tx, None)? {
        let person = held.person.map(|id| tx.person_by_id(id)).transpose()?.flatten();
        rows.push(json!({
            "person": person.map(|row| row.mail),
            "dataset": held.dataset,
            "release": held.release,
            "ids": held.kind,
            "lines": held.lines,
            "file": held.copy.map(|copy| copy.file),
        }));
    }
    let newest = tx.removal_newest_ms()?.map(rfc3339);
    Ok(json!({ "holders": rows, "newest_import": newest }))
}
