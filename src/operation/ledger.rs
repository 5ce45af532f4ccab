//! The operations on the ledger as a whole: how it stands, what time it has, and the way out of a
//! freeze.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Context, ErrorKind, OperationError};
use crate::audit::head::Place;
use crate::audit::{LogCopy, NotaryError};
use crate::base::date::rfc3339;
use crate::base::party::Actor;
use crate::directory::{DirectoryError, entity};
use crate::ledger::freeze::{Thaw, ThawError, thaw};
use crate::ledger::{accept_clock, time_ms};
use crate::policy::time::Wall;
use crate::store::StoreError;

/// How an operator thaws the ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThawRequest {
    /// Why it may go on, for the record.
    pub reason: String,
    /// The folder of an exported log that has more than the store, if there is one.
    pub journal: Option<PathBuf>,
    /// By an entity's slug, how many Tweet IDs it is proven to have received, where that is more
    /// than its ceiling.
    pub proven: BTreeMap<String, u64>,
}

/// How the ledger stands: frozen or not, its time, its log and the copies of its head.
pub(super) fn status(context: &Context) -> Result<Value, OperationError> {
    let kept = context.notary.safekeeping(&context.store).map_err(refused)?;
    let (freeze, time, now_ms, log) = context.store.read(|tx| {
        let now_ms = time_ms(tx, &context.clock)?;
        Ok::<_, StoreError>((tx.freeze_in_force()?, tx.ledger_time()?, now_ms, tx.audit_log()?))
    })?;
    let copies = kept.known.heads.iter().filter_map(|known| match &known.place {
        Place::Copy(path) => Some(json!({ "path": path, "size": known.head.size })),
        Place::Database => None,
    });
    let failures = kept.known.unreadable.iter().chain(&kept.failed);
    Ok(json!({
        "state": if freeze.is_some() { "frozen" } else { "charging" },
        "why": freeze.as_ref().map(|freeze| &freeze.why),
        "frozen_since": freeze.as_ref().map(|freeze| rfc3339(freeze.at_ms)),
        "known_size": freeze.as_ref().map(|freeze| freeze.known_size),
        "log_size": log.size,
        "checkpoint_size": kept.checkpoint.as_ref().map(|checkpoint| checkpoint.size),
        "copies": copies.collect::<Vec<_>>(),
        "failures": failures
            .map(|copy| json!({ "path": copy.path, "failure": copy.why }))
            .collect::<Vec<_>>(),
        "time": rfc3339(now_ms),
        "behind_ms": (context.clock.now_ms() - now_ms).max(0),
        "wall_clock": time.map(|time| match time.wall {
            Wall::Believed => "believed",
            Wall::Doubted => "doubted",
        }),
    }))
}

/// Believes the wall clock from now on.
pub(super) fn clock_accept(
    context: &Context,
    actor: &Actor,
    reason: &str,
) -> Result<Value, OperationError> {
    if reason.trim().is_empty() {
        return Err(invalid("a reason is needed: --reason TEXT"));
    }
    tracing::warn!(%actor, reason, "an operator vouches for the wall clock");
    let (clock, actor, reason) = (context.clock.clone(), actor.clone(), reason.to_owned());
    let to_ms =
        context.store.write_blocking(move |tx| accept_clock(tx, &clock, &actor, &reason))?;
    Ok(json!({ "time": rfc3339(to_ms) }))
}

/// Thaws the ledger.
pub(super) fn thaw_as_told(
    context: &Context,
    actor: &Actor,
    request: ThawRequest,
) -> Result<Value, OperationError> {
    if request.reason.trim().is_empty() {
        return Err(invalid("a reason is needed: --reason TEXT"));
    }
    let kept = context.notary.safekeeping(&context.store).map_err(refused)?;
    if let Some(copy) = kept.known.unreadable.first() {
        return Err(OperationError {
            kind: ErrorKind::Conflict,
            message: format!(
                "the copy {} cannot be read ({}), and may hold the newest head: repair it or take \
                 it out of the settings first",
                copy.path.display(),
                copy.why
            ),
        });
    }
    let entries = match &request.journal {
        Some(folder) => {
            let log = context.store.read(|tx| LogCopy::beyond(tx, folder, &kept.verifier_key));
            log.map_err(|error| OperationError {
                kind: ErrorKind::Conflict,
                message: format!("{}: {error}", folder.display()),
            })?
        }
        None => Vec::new(),
    };
    let mut proven = BTreeMap::new();
    for (slug, ids) in &request.proven {
        let entity = context.store.read(|tx| entity::find(tx, slug))?;
        proven.insert(entity.id, *ids);
    }
    let heads = kept.known.heads.iter().map(|known| known.head).collect();
    let told = Thaw { reason: request.reason, entries, proven, heads };
    let (profile, clock, actor) = (context.profile.clone(), context.clock.clone(), actor.clone());
    let thawed = context
        .store
        .write_blocking(move |tx| thaw(tx, &profile, &clock, &actor, &told))
        .map_err(|error| match error {
            ThawError::Store(error) => error.into(),
            error => OperationError { kind: ErrorKind::Conflict, message: error.to_string() },
        })?;
    let moved = context.notary.abandon(&context.store, &thawed.abandoned).map_err(refused)?;
    let slug = |id| {
        let row = context.store.read(|tx| tx.entity_by_id(id));
        row.map(|row| row.map(|row| row.slug).unwrap_or_default())
    };
    let mut phantoms = Vec::new();
    for (entity, kind, ids) in &thawed.phantoms {
        phantoms.push(json!({ "entity": slug(*entity)?, "kind": kind, "ids": ids }));
    }
    let mut exempt = Vec::new();
    for entity in &thawed.exempt {
        exempt.push(slug(*entity)?);
    }
    Ok(json!({
        "known_size": thawed.freeze.known_size,
        "log_size": thawed.freeze.log_size,
        "replayed": thawed.replayed,
        "phantoms": phantoms,
        "exempt": exempt,
        "moved": moved,
    }))
}

fn invalid(message: &str) -> OperationError {
    OperationError { kind: ErrorKind::Invalid, message: message.into() }
}

fn refused(error: NotaryError) -> OperationError {
    let kind = match error {
        NotaryError::Store(_) => ErrorKind::Unavailable,
        _ => ErrorKind::Conflict,
    };
    OperationError { kind, message: error.to_string() }
}

impl From<StoreError> for OperationError {
    fn from(error: StoreError) -> OperationError {
        DirectoryError::Store(error).into()
    }
}
