//! What a recipient has used, what is left, and when how much comes back.

use serde::Serialize;

use super::clock::time_ms;
use crate::base::clock::Clock;
use crate::policy::{Basis, Level, Profile, Recipient, Return, Unit};
use crate::store::{StoreError, Tx};

/// From how many returns on they are told by the hour instead of by the minute.
const RETURNS_MAX: usize = 100;

const HOUR_MS: i64 = 3_600_000;

/// How full a recipient's meter is for one unit; where it counts objects, "IDs" are objects. Times
/// are milliseconds UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Whose meter.
    pub recipient: Recipient,
    /// What it counts.
    pub unit: Unit,
    /// The ledger time of these numbers.
    pub at_ms: i64,
    /// IDs that were handed over within the window; each once, where they count once.
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
    /// Why the recipient may receive.
    pub basis: Basis,
    /// When that ends; the limit does not.
    pub basis_until_ms: Option<i64>,
    /// When how many of the used IDs come back, earliest first; hour by hour where they are many.
    pub returns: Vec<Return>,
    /// How long a charge counts by the policy, in milliseconds.
    pub window_ms: i64,
    /// How much longer it counts here, in milliseconds.
    pub grace_ms: i64,
    /// The profile whose numbers these are.
    pub profile: String,
}

/// How full the meter of `recipient` is now, by the last commit. An element that counts once is
/// told to return with its newest delivery, even if an older one was settled later.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn usage(
    tx: &Tx<'_>,
    profile: &Profile,
    clock: &Clock,
    recipient: impl Into<Recipient>,
    unit: impl Into<Unit>,
) -> Result<Usage, StoreError> {
    let (recipient, unit) = (recipient.into(), unit.into());
    let now_ms = time_ms(tx, clock)?;
    let entitled = match (recipient, unit) {
        (Recipient::Entity(entity), Unit::Ids(kind)) => {
            profile.entitlement(kind, &tx.titles(entity, now_ms)?)
        }
        // Nothing lifts the ceiling of objects.
        // Nor is there more to say of a link, whose limits are its own.
        (Recipient::Person(_) | Recipient::Link(_), _) | (_, Unit::Objects) => profile.limit(unit),
    };
    let window = profile.window_at(recipient, unit);
    let mut level = Level { ceiling_ids: entitled.ceiling_ids, live_ids: 0, held_ids: 0 };
    let mut returns: Vec<Return> = Vec::new();
    let mut used_ids = 0;
    if let Some(meter) = tx.meter_find(recipient, unit)? {
        let newest_left = window.newest_left(now_ms);
        level.live_ids = meter.level.live_ids - tx.buckets_left(meter.id, newest_left)?;
        level.held_ids = meter.level.held_ids - tx.holds_expired(meter.id, now_ms)?;
        tx.buckets(meter.id, newest_left, |bucket| {
            let at_ms = window.leaves_ms(bucket.minute);
            returns.push(Return { at_ms, ids: bucket.ids });
            used_ids += bucket.ids;
            true
        })?;
    }
    Ok(Usage {
        recipient,
        unit,
        at_ms: now_ms,
        used_ids,
        open_ids: level.live_ids - used_ids,
        held_ids: level.held_ids,
        ceiling_ids: level.ceiling_ids,
        remaining_ids: level.remaining_ids(),
        over: level.is_over(),
        basis: entitled.basis,
        basis_until_ms: entitled.until_ms,
        returns: if returns.len() > RETURNS_MAX { by_hour(&returns) } else { returns },
        window_ms: window.length_ms,
        grace_ms: window.grace_ms,
        profile: profile.name.clone(),
    })
}

/// Puts the returns of each hour together at the last of them, so that none is promised early.
fn by_hour(returns: &[Return]) -> Vec<Return> {
    let same_hour = |a: &Return, b: &Return| a.at_ms / HOUR_MS == b.at_ms / HOUR_MS;
    let together = |hour: &[Return]| Return {
        at_ms: hour[hour.len() - 1].at_ms,
        ids: hour.iter().map(|part| part.ids).sum(),
    };
    returns.chunk_by(same_hour).map(together).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_of_one_hour_come_with_its_last() {
        let part = |at_ms, ids| Return { at_ms, ids };
        let returns = [part(1, 2), part(HOUR_MS - 1, 3), part(HOUR_MS, 5)];
        assert_eq!(by_hour(&returns), [part(HOUR_MS - 1, 5), part(HOUR_MS, 5)]);
    }
}
