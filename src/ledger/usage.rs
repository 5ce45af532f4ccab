//! What an entity has used, what is left, and when how much comes back.

use serde::Serialize;

use crate::base::clock::Reading;
use crate::base::ids::IdKind;
use crate::base::party::EntityId;
use crate::policy::{Basis, Profile, Return};
use crate::store::{StoreError, Tx};

/// How full an entity's meter is for one kind of ID. Times are milliseconds UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Whose meter.
    pub entity: EntityId,
    /// For which kind of ID.
    pub kind: IdKind,
    /// The ledger time of these numbers.
    pub at_ms: i64,
    /// IDs that were handed over within the window.
    pub used_ids: u64,
    /// IDs that are charged and being handed over.
    pub open_ids: u64,
    /// IDs that are kept free for deliveries under way.
    pub held_ids: u64,
    /// How many may be live (used and open) at most; `None`: no limit.
    pub ceiling_ids: Option<u64>,
    /// How many could be asked for now; never negative; `None`: as many as there are.
    pub remaining_ids: Option<u64>,
    /// Whether more is live than the ceiling: then nothing goes out until it fits again.
    pub over: bool,
    /// Why the entity may receive.
    pub basis: Basis,
    /// When how many of the used IDs come back, earliest first; hour by hour where they are many.
    pub returns: Vec<Return>,
    /// How long a charge counts by the policy, in milliseconds.
    pub window_ms: i64,
    /// How much longer it counts here, in milliseconds.
    pub grace_ms: i64,
    /// The profile whose numbers these are.
    pub profile: String,
}

/// How full the meter of `entity` is at `reading`, by the last commit.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn usage(
    _tx: &Tx<'_>,
    _profile: &Profile,
    _reading: &Reading,
    _entity: EntityId,
    _kind: IdKind,
) -> Result<Usage, StoreError> {
    Err(StoreError::Stopped)
}
