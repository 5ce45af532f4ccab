//! The profile in force: kept in the store, so that a word in somebody's settings never changes a
//! limit by itself. What its numbers mean is `policy`'s.
//!
//! # The story
//!
//! The first start of a gateway puts the profile of its settings in force. From then on a gateway
//! whose settings want another one does not start, and says how to go on. A switch is an
//! operator's decision, with a reason, and is made while no gateway runs. Should one run all the
//! same, cut off from the database perhaps, it charges no more: every start remembers under which
//! profile it began, and is asked for it in each transaction that charges.
//!
//! A ceiling that is lowered may leave somebody over it: nothing goes out to them until it fits.
//! A window may become shorter at any time. Longer it may become only as long as nothing has left
//! the present one: what has left is not kept, so nobody could tell who already received how much
//! of what would count again.

use sha2::{Digest, Sha256};

use super::{clock, usage};
use crate::audit::{self, Leaf, name};
use crate::base::clock::Clock;
use crate::base::ids::IdKind;
use crate::base::party::Actor;
use crate::policy::window::fits_at_ms;
use crate::policy::{Basis, Profile, Recipient, Unit, Window};
use crate::store::{ProfileRow, StoreError, Tx};

/// Somebody who has more live than a profile allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over {
    /// Who.
    pub recipient: Recipient,
    /// Of what.
    pub unit: Unit,
    /// How much is live.
    pub live_ids: u64,
    /// How much may be.
    pub ceiling_ids: u64,
    /// Why so much.
    pub basis: Basis,
    /// When enough has come back, in milliseconds UTC; `None`: what is under way has to end first.
    pub until_ms: Option<i64>,
}

/// Why a profile is not put in force; nothing was changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SwitchError {
    /// It is the one that is.
    #[error("`{0}` is in force already, with these very numbers")]
    Same(String),
    /// No gateway has started yet.
    #[error(
        "no profile is in force yet: the first start of a gateway takes the one that \
         policy.profile names"
    )]
    NotBegun,
    /// A gateway would go on with other numbers.
    #[error("gateways run ({}): stop them all, switch, then start them again", .0.join(", "))]
    Running(Vec<String>),
    /// What would count again is not known any more.
    #[error(
        "the window of {what} would become longer, from {present_hours} to {wanted_hours} hours \
         with its grace, and what has left the present one is not kept: keep the window's length, \
         or begin with an empty store"
    )]
    Longer {
        /// Whose window.
        what: &'static str,
        /// How long it is, in hours, grace included.
        present_hours: i64,
        /// How long it would be.
        wanted_hours: i64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The profile in force, with the row that it was read from; `None` before the first start of a
/// gateway.
///
/// # Errors
/// [`StoreError`] of the look, or [`StoreError::Unfit`] if this program cannot read it.
pub fn in_force(tx: &Tx<'_>) -> Result<Option<(Profile, ProfileRow)>, StoreError> {
    let Some(row) = tx.profile_in_force()? else { return Ok(None) };
    if row.sha256 != digest(&row.toml) {
        return Err(StoreError::Damaged("the profile in force is not what its digest says".into()));
    }
    match Profile::parse(&row.toml) {
        Ok(profile) => Ok(Some((profile, row))),
        Err(error) => {
            let name = &row.name;
            let text = format!(
                "the profile in force, `{name}`, was written by another version of hydrant, \
                 which this one cannot read: {error}"
            );
            Err(StoreError::Unfit(text.into()))
        }
    }
}

/// Makes sure that `wanted` is in force; at the first start of a gateway it is put in force.
pub(super) fn require(tx: &Tx<'_>, now_ms: i64, wanted: &Profile) -> Result<(), StoreError> {
    let Some(row) = tx.profile_in_force()? else {
        return put(tx, now_ms, wanted, None, None);
    };
    if row.toml == wanted.toml() {
        return Ok(());
    }
    let (present, row) = in_force(tx)?.expect("its row was found a moment ago");
    // Another version of this program may write the same numbers in other words.
    if present == *wanted {
        return Ok(());
    }
    let since = crate::base::date::minute(row.since_ms);
    let other = match present.name == wanted.name {
        true => format!("other numbers for `{}` than those that are", wanted.name),
        false => format!("the profile `{}`, and `{}` is", wanted.name, present.name),
    };
    let text = format!(
        "the settings want {other} in force since {since}: `hydrant policy switch --dry-run` tells \
         what would change, `hydrant policy switch --reason TEXT` changes it; or set \
         policy.profile and policy.count back"
    );
    Err(StoreError::Unfit(text.into()))
}

/// Puts `wanted` in force, in place of another profile.
///
/// # Errors
/// [`SwitchError`].
pub fn switch(
    tx: &Tx<'_>,
    clock: &Clock,
    actor: &Actor,
    reason: &str,
    wanted: &Profile,
) -> Result<(), SwitchError> {
    check(tx, clock, wanted)?;
    let mut running = Vec::new();
    for instance in tx.instances()? {
        if tx.instance_is_alive(&instance.name)? == Some(true) {
            running.push(instance.name);
        }
    }
    if !running.is_empty() {
        return Err(SwitchError::Running(running));
    }
    let now_ms = clock::move_on(tx, clock)?;
    Ok(put(tx, now_ms, wanted, Some(actor), Some(reason))?)
}

/// Whether `wanted` could be put in force now, if no gateway runs.
///
/// # Errors
/// [`SwitchError`].
pub fn check(tx: &Tx<'_>, clock: &Clock, wanted: &Profile) -> Result<(), SwitchError> {
    let (present, _) = in_force(tx)?.ok_or(SwitchError::NotBegun)?;
    if present == *wanted {
        return Err(SwitchError::Same(present.name));
    }
    let now_ms = clock::time_ms(tx, clock)?;
    let begin_ms = tx.journal_begin_ms()?.unwrap_or(now_ms);
    for (what, present, wanted) in [
        ("IDs", present.window, wanted.window),
        ("objects", present.objects_window, wanted.objects_window),
    ] {
        let (present_ms, wanted_ms) = (whole_ms(present), whole_ms(wanted));
        if wanted_ms > present_ms && begin_ms <= now_ms - present_ms {
            let hours = |length_ms: i64| length_ms / 3_600_000;
            let (present_hours, wanted_hours) = (hours(present_ms), hours(wanted_ms));
            return Err(SwitchError::Longer { what, present_hours, wanted_hours });
        }
    }
    Ok(())
}

fn whole_ms(window: Window) -> i64 {
    window.length_ms + window.grace_ms
}

/// Everybody who has more live than `profile` allows, entities first.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn over(tx: &Tx<'_>, clock: &Clock, profile: &Profile) -> Result<Vec<Over>, StoreError> {
    let mut over = Vec::new();
    for entity in tx.entities()? {
        for kind in IdKind::ALL {
            over.extend(over_of(tx, clock, profile, entity.id.into(), kind.into())?);
        }
    }
    for person in tx.people()? {
        over.extend(over_of(tx, clock, profile, person.id.into(), Unit::Objects)?);
    }
    Ok(over)
}

fn over_of(
    tx: &Tx<'_>,
    clock: &Clock,
    profile: &Profile,
    recipient: Recipient,
    unit: Unit,
) -> Result<Option<Over>, StoreError> {
    let usage = usage(tx, profile, clock, recipient, unit)?;
    let live_ids = usage.used_ids + usage.open_ids;
    let Some(ceiling_ids) = usage.ceiling_ids.filter(|ceiling_ids| live_ids > *ceiling_ids) else {
        return Ok(None);
    };
    let until_ms = fits_at_ms(live_ids - ceiling_ids, &usage.returns);
    let basis = usage.basis;
    Ok(Some(Over { recipient, unit, live_ids, ceiling_ids, basis, until_ms }))
}

pub(super) fn put(
    tx: &Tx<'_>,
    now_ms: i64,
    wanted: &Profile,
    actor: Option<&Actor>,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    let old = tx.profile_in_force()?;
    let toml = wanted.toml();
    let sha256 = digest(&toml);
    tx.profile_insert(&ProfileRow {
        id: 0,
        name: wanted.name.clone(),
        toml,
        sha256,
        since_ms: now_ms,
        actor: actor.map(Actor::to_string),
        reason: reason.map(str::to_owned),
    })?;
    let leaf = Leaf::PolicySwitched {
        old: old.as_ref().map(|row| row.name.clone()),
        old_sha256: old.as_ref().map(|row| hex::encode(row.sha256)),
        new: wanted.name.clone(),
        new_sha256: hex::encode(sha256),
        actor: actor.map(|actor| name::of_actor(tx, actor)).transpose()?,
    };
    audit::append_decision(tx, now_ms, &leaf, reason)
}

fn digest(toml: &str) -> [u8; 32] {
    Sha256::digest(toml).into()
}
