//! What lists say of one ID, and what follows from all that is said of it; not where it is kept.

use crate::base::ids::IdKind;
use crate::store::RemovalEventRow;

/// What may have happened to a Tweet or a user. The numbers are those of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Aspect {
    /// Deleted by its author, or an account that was deactivated.
    Deleted = 0,
    /// Dropped from public view for now.
    Dropped = 1,
    /// Withheld somewhere.
    Withheld = 2,
    /// Of a protected account.
    Protected = 3,
    /// Of a suspended account.
    Suspended = 4,
    /// On a list that says no more than that.
    Listed = 5,
    /// Removed for a reason that this program does not know.
    Other = 6,
}

impl Aspect {
    /// Every aspect.
    pub const ALL: [Aspect; 7] = [
        Aspect::Deleted,
        Aspect::Dropped,
        Aspect::Withheld,
        Aspect::Protected,
        Aspect::Suspended,
        Aspect::Listed,
        Aspect::Other,
    ];

    /// The aspect of that number.
    pub(super) fn of_number(number: u8) -> Option<Aspect> {
        Aspect::ALL.into_iter().find(|aspect| *aspect as u8 == number)
    }
}

/// Something that a list says of an ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// A Tweet or a User.
    pub kind: IdKind,
    /// Its ID.
    pub element: u64,
    /// What about it.
    pub aspect: Aspect,
    /// Whether it must not be distributed.
    pub removes: bool,
    /// When that happened, in milliseconds UTC; `None`: the list does not tell, and the time of
    /// its import counts.
    pub at_ms: Option<i64>,
}

impl Event {
    fn key(&self) -> (IdKind, u64, Aspect) {
        (self.kind, self.element, self.aspect)
    }

    /// What of two events of one aspect counts: the newer one; of the same moment the one that
    /// removes. Without a time it is the newest.
    fn rank(&self) -> (i64, bool) {
        (self.at_ms.unwrap_or(i64::MAX), self.removes)
    }

    /// The row of an import that is begun at `now_ms`.
    pub(super) fn row(&self, now_ms: i64) -> RemovalEventRow {
        RemovalEventRow {
            kind: self.kind,
            element: self.element,
            aspect: self.aspect as u32,
            removes: self.removes,
            at_ms: self.at_ms.unwrap_or(now_ms),
        }
    }
}

/// Events in the order of their IDs, of each aspect of an ID only the one that counts.
pub(super) fn settled(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_unstable_by_key(|event| (event.key(), event.rank()));
    events.reverse();
    events.dedup_by_key(|event| event.key());
    events.reverse();
    events
}

/// Whether an ID of which lists say all this is removed, in whatever order they say it.
pub fn is_removed(said: &[RemovalEventRow]) -> bool {
    said.iter().any(|event| {
        let is_newest = |other: &RemovalEventRow| {
            other.aspect != event.aspect
                || (other.at_ms, other.removes) <= (event.at_ms, event.removes)
        };
        event.removes && said.iter().all(is_newest)
    })
}
