//! May so many IDs go to a recipient, and if not, when or how: the decision, not its bookkeeping.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::link::LinkEnd;
use super::window::{Window, minute_of};
use crate::base::ids::IdKind;
use crate::base::party::{EntityId, PersonId, ShareId};

/// The most parts that a plan names: at one part a window more than eight years.
pub const PLAN_PARTS_MAX: usize = 100;

/// What a delivery is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Recipient {
    /// An entity, whoever of its people asked: `entity:7`.
    Entity(EntityId),
    /// A person, of whatever entities, who receives objects: `person:7`.
    Person(PersonId),
    /// A peer-review link, whoever opens it: `link:7`.
    Link(ShareId),
}

/// Why a text names no recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a recipient is `entity:`, `person:` or `link:` and a number")]
pub struct NotARecipient;

impl fmt::Display for Recipient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Recipient::Entity(entity) => write!(out, "entity:{}", entity.0),
            Recipient::Person(person) => write!(out, "person:{}", person.0),
            Recipient::Link(share) => write!(out, "link:{}", share.0),
        }
    }
}

impl From<EntityId> for Recipient {
    fn from(entity: EntityId) -> Recipient {
        Recipient::Entity(entity)
    }
}

impl From<PersonId> for Recipient {
    fn from(person: PersonId) -> Recipient {
        Recipient::Person(person)
    }
}

impl From<ShareId> for Recipient {
    fn from(share: ShareId) -> Recipient {
        Recipient::Link(share)
    }
}

impl From<Recipient> for String {
    fn from(recipient: Recipient) -> String {
        recipient.to_string()
    }
}

impl TryFrom<String> for Recipient {
    type Error = NotARecipient;

    fn try_from(text: String) -> Result<Recipient, NotARecipient> {
        let (whose, number) = text.split_once(':').ok_or(NotARecipient)?;
        let number = number.parse().map_err(|_| NotARecipient)?;
        match whose {
            "entity" => Ok(Recipient::Entity(EntityId(number))),
            "person" => Ok(Recipient::Person(PersonId(number))),
            "link" => Ok(Recipient::Link(ShareId(number))),
            _ => Err(NotARecipient),
        }
    }
}

/// What a meter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Unit {
    /// IDs of one kind.
    Ids(IdKind),
    /// Tweet and User objects together.
    Objects,
}

impl Unit {
    /// The word by which the tables know it: `tweet`, `user`, `dm`, `object`.
    pub fn word(self) -> &'static str {
        match self {
            Unit::Ids(kind) => kind.word(),
            Unit::Objects => "object",
        }
    }

    /// The unit that `word` names, if it names one.
    pub fn from_word(word: &str) -> Option<Unit> {
        let kind = IdKind::from_word(word).map(Unit::Ids);
        kind.or((word == Unit::Objects.word()).then_some(Unit::Objects))
    }
}

impl From<IdKind> for Unit {
    fn from(kind: IdKind) -> Unit {
        Unit::Ids(kind)
    }
}

/// Why a text names no unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a unit is `tweet`, `user`, `dm` or `object`")]
pub struct NotAUnit;

impl TryFrom<String> for Unit {
    type Error = NotAUnit;

    fn try_from(word: String) -> Result<Unit, NotAUnit> {
        Unit::from_word(&word).ok_or(NotAUnit)
    }
}

impl From<Unit> for &'static str {
    fn from(unit: Unit) -> &'static str {
        unit.word()
    }
}

/// Why a recipient may receive what it is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Basis {
    /// It stays below the ceiling of the profile: `limit`.
    Limit,
    /// That exemption lifts the ceiling: `exemption:7`.
    Exemption(i64),
    /// That permission of the platform lifts it: `permission:3`.
    Permission(i64),
    /// It is a link for peer review or validation, made under that exemption: `peer-review:7`.
    PeerReview(i64),
}

/// Why a text names no basis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a basis is `limit`, or `exemption:`, `permission:` or `peer-review:` and a number")]
pub struct NotABasis;

impl fmt::Display for Basis {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Basis::Limit => out.write_str("limit"),
            Basis::Exemption(number) => write!(out, "exemption:{number}"),
            Basis::Permission(number) => write!(out, "permission:{number}"),
            Basis::PeerReview(number) => write!(out, "peer-review:{number}"),
        }
    }
}

impl From<Basis> for String {
    fn from(basis: Basis) -> String {
        basis.to_string()
    }
}

impl TryFrom<String> for Basis {
    type Error = NotABasis;

    fn try_from(text: String) -> Result<Basis, NotABasis> {
        if text == "limit" {
            return Ok(Basis::Limit);
        }
        let (title, number) = text.split_once(':').ok_or(NotABasis)?;
        let number = number.parse().map_err(|_| NotABasis)?;
        match title {
            "exemption" => Ok(Basis::Exemption(number)),
            "permission" => Ok(Basis::Permission(number)),
            "peer-review" => Ok(Basis::PeerReview(number)),
            _ => Err(NotABasis),
        }
    }
}

/// How full the meter of a recipient is for one kind of ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// How much may be live; `None`: as much as there is.
    pub ceiling_ids: Option<u64>,
    /// What counts now: settled within the window, or open.
    pub live_ids: u64,
    /// What is kept free for deliveries under way.
    pub held_ids: u64,
}

/// What is asked of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// IDs for which the asking delivery has a hold.
    pub from_hold_ids: u64,
    /// IDs for which it has none.
    pub fresh_ids: u64,
}

/// What the numbers alone say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It fits.
    Fits,
    /// It would fit if that many IDs had come back.
    NotNow {
        /// How many IDs there are too many.
        excess_ids: u64,
    },
    /// More is live than the ceiling allows: nothing goes out until that many have come back.
    Over {
        /// How many IDs there are too many.
        excess_ids: u64,
    },
    /// More is asked than the ceiling ever allows.
    Never,
}

impl Level {
    /// What may still be asked; never negative; `None`: as much as there is.
    pub fn remaining_ids(self) -> Option<u64> {
        let ceiling_ids = self.ceiling_ids?;
        Some(ceiling_ids.saturating_sub(self.live_ids + self.held_ids))
    }

    /// Whether more is live than the ceiling allows: then nothing goes out.
    pub fn is_over(self) -> bool {
        self.ceiling_ids.is_some_and(|ceiling_ids| self.live_ids > ceiling_ids)
    }

    /// Whether `wanted` fits.
    ///
    /// What is live afterwards never exceeds the ceiling. Fresh IDs must leave the holds of others
    /// alone as well; IDs from the asker's own hold need not, because the hold is theirs: a ceiling
    /// that was lowered meanwhile is shared out first come, first served.
    pub fn verdict(self, wanted: Wanted) -> Verdict {
        let Some(ceiling_ids) = self.ceiling_ids else { return Verdict::Fits };
        let all_ids = wanted.from_hold_ids + wanted.fresh_ids;
        let mut needed_ids = self.live_ids + all_ids;
        if wanted.fresh_ids > 0 {
            needed_ids = needed_ids.max(self.live_ids + self.held_ids + wanted.fresh_ids);
        }
        let excess_ids = needed_ids.saturating_sub(ceiling_ids);
        if all_ids > ceiling_ids {
            Verdict::Never
        } else if self.is_over() {
            Verdict::Over { excess_ids }
        } else if excess_ids > 0 {
            Verdict::NotNow { excess_ids }
        } else {
            Verdict::Fits
        }
    }
}

/// Why nothing goes out, and when or how it would. Times are milliseconds UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "refusal", rename_all = "kebab-case")]
pub enum Refusal {
    /// Too many for now.
    NotNow {
        /// Whose meter refuses.
        recipient: Recipient,
        /// How many IDs were asked for.
        requested_ids: u64,
        /// How many could be asked for instead.
        remaining_ids: u64,
        /// How many may be live.
        ceiling_ids: u64,
        /// From when on it fits if all that is under way is delivered now.
        fits_at_ms: i64,
        /// From when on it is worth asking again: it may fit if a delivery under way breaks off.
        retry_at_ms: i64,
    },
    /// More is live than a lowered ceiling, or one without its exemption, allows.
    Over {
        /// Whose meter refuses.
        recipient: Recipient,
        /// How many IDs were asked for.
        requested_ids: u64,
        /// How many IDs are live.
        live_ids: u64,
        /// How many may be.
        ceiling_ids: u64,
        /// From when on it fits if all that is under way is delivered now.
        fits_at_ms: i64,
        /// From when on it is worth asking again.
        retry_at_ms: i64,
    },
    /// More than the ceiling ever allows in one window.
    Never {
        /// Whose meter refuses.
        recipient: Recipient,
        /// How many IDs were asked for.
        requested_ids: u64,
        /// How many may be live in any window.
        ceiling_ids: u64,
        /// How it can be had in parts; at most [`PLAN_PARTS_MAX`] of them are named.
        parts: Vec<Part>,
    },
    /// The person belongs to no entity that could be charged.
    NoEntity,
    /// The person is suspended, or is not known any more.
    PersonSuspended,
    /// An entity of the person is suspended.
    EntitySuspended {
        /// Which one.
        entity: EntityId,
    },
    /// An entity of the person waits for an operator's review.
    EntityUnreviewed {
        /// Which one.
        entity: EntityId,
    },
    /// The key that asked has come to its end.
    KeyEnded {
        /// How.
        how: CredentialEnd,
    },
    /// The session that asked has come to its end.
    SessionEnded {
        /// How.
        how: CredentialEnd,
    },
    /// The link that was opened hands out nothing any more.
    LinkEnded {
        /// Why.
        how: LinkEnd,
    },
    /// As many downloads have begun at the link as may.
    LinkSpent,
    /// Documents have yet to be accepted: by the person, or at the link.
    DocumentsMissing {
        /// Which, each in the version that is in force.
        missing: Vec<Document>,
    },
}

/// How a key or a session came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialEnd {
    /// Somebody revoked it.
    Revoked,
    /// Its time is up.
    Expired,
    /// The person has none of that number.
    Unknown,
}

impl Refusal {
    /// The word by which the journal and the log know the refusal.
    pub fn word(&self) -> &'static str {
        match self {
            Refusal::NotNow { .. } => "not-now",
            Refusal::Over { .. } => "over",
            Refusal::Never { .. } => "never",
            Refusal::NoEntity => "no-entity",
            Refusal::PersonSuspended => "person-suspended",
            Refusal::EntitySuspended { .. } => "entity-suspended",
            Refusal::EntityUnreviewed { .. } => "entity-unreviewed",
            Refusal::KeyEnded { how: CredentialEnd::Revoked } => "key-revoked",
            Refusal::KeyEnded { how: CredentialEnd::Expired } => "key-expired",
            Refusal::KeyEnded { how: CredentialEnd::Unknown } => "key-unknown",
            Refusal::SessionEnded { how: CredentialEnd::Revoked } => "session-revoked",
            Refusal::SessionEnded { how: CredentialEnd::Expired } => "session-expired",
            Refusal::SessionEnded { how: CredentialEnd::Unknown } => "session-unknown",
            Refusal::LinkEnded { how } => how.word(),
            Refusal::LinkSpent => "link-spent",
            Refusal::DocumentsMissing { .. } => "documents-missing",
        }
    }

    /// When it is worth asking again, if time alone can help.
    pub fn retry_at_ms(&self) -> Option<i64> {
        match self {
            Refusal::NotNow { retry_at_ms, .. } | Refusal::Over { retry_at_ms, .. } => {
                Some(*retry_at_ms)
            }
            _ => None,
        }
    }

    /// The graver of two refusals: where several meters refuse, the one that has the last word.
    #[must_use]
    pub fn graver(self, other: Refusal) -> Refusal {
        let last_word = |refusal: &Refusal| refusal.retry_at_ms().unwrap_or(i64::MAX);
        if last_word(&other) > last_word(&self) { other } else { self }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Refusal::NotNow { .. } => "the allowance has no room for it now",
            Refusal::Over { .. } => "the entity is over its ceiling",
            Refusal::Never { .. } => "it is more than the ceiling ever allows at once",
            Refusal::NoEntity => "the person belongs to no entity",
            Refusal::PersonSuspended => "the person is suspended",
            Refusal::EntitySuspended { .. } => "an entity of the person is suspended",
            Refusal::EntityUnreviewed { .. } => {
                "an entity of the person waits for its review by an operator"
            }
            Refusal::KeyEnded { how: CredentialEnd::Revoked } => "the key is revoked",
            Refusal::KeyEnded { how: CredentialEnd::Expired } => "the key has expired",
            Refusal::KeyEnded { how: CredentialEnd::Unknown } => "there is no such key",
            Refusal::SessionEnded { how: CredentialEnd::Revoked } => "the session is revoked",
            Refusal::SessionEnded { how: CredentialEnd::Expired } => "the session has ended",
            Refusal::SessionEnded { how: CredentialEnd::Unknown } => "there is no such session",
            Refusal::LinkEnded { how } => how.clause(),
            Refusal::LinkSpent => "all downloads of the link have begun",
            Refusal::DocumentsMissing { .. } => "documents have yet to be accepted",
        })
    }
}

/// One part of a delivery that is too large for one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The ordinal at which the part begins.
    pub offset: u64,
    /// How many IDs it has.
    pub limit: u64,
    /// When it fits at the earliest, if nothing else is asked for, in milliseconds UTC.
    pub earliest_ms: i64,
}

/// How `ordinals`, which are more than `ceiling_ids`, can be had in parts.
///
/// Either what is left now comes first and every later part waits a window, or one waits for the
/// whole ceiling (until `empty_at_ms`) first: whichever has all of it sooner.
pub fn parts(
    ordinals: Range<u64>,
    level: Level,
    window: Window,
    now_ms: i64,
    empty_at_ms: i64,
) -> Vec<Part> {
    let ceiling_ids = level.ceiling_ids.unwrap_or(0);
    let left_ids = level.remaining_ids().unwrap_or(0);
    if ceiling_ids == 0 {
        return Vec::new();
    }
    let requested_ids = ordinals.end - ordinals.start;
    let waits_if_now = (requested_ids - left_ids).div_ceil(ceiling_ids);
    let waits_if_later = requested_ids.div_ceil(ceiling_ids) - 1;
    let now_is_sooner = left_ids > 0 && waits_if_now <= waits_if_later;
    let (mut limit, mut earliest_ms) =
        if now_is_sooner { (left_ids, now_ms) } else { (ceiling_ids, empty_at_ms) };
    let mut offset = ordinals.start;
    let mut parts = Vec::new();
    while offset < ordinals.end && parts.len() < PLAN_PARTS_MAX {
        limit = limit.min(ordinals.end - offset);
        parts.push(Part { offset, limit, earliest_ms });
        offset += limit;
        limit = ceiling_ids;
        earliest_ms = window.leaves_ms(minute_of(earliest_ms));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(ceiling_ids: u64, live_ids: u64, held_ids: u64) -> Level {
        Level { ceiling_ids: Some(ceiling_ids), live_ids, held_ids }
    }

    #[test]
    fn exactly_the_ceiling_fits_and_one_more_does_not() {
        use Verdict::{Fits, Never, NotNow, Over};
        for (level, from_hold_ids, fresh_ids, expected) in [
            (level(10, 0, 0), 0, 10, Fits),
            (level(10, 0, 0), 0, 11, Never),
            (level(10, 4, 0), 0, 6, Fits),
            (level(10, 4, 0), 0, 7, NotNow { excess_ids: 1 }),
            (level(10, 4, 5), 0, 2, NotNow { excess_ids: 1 }),
            (level(10, 4, 6), 6, 0, Fits),
            (level(10, 4, 6), 6, 1, NotNow { excess_ids: 1 }),
            (level(10, 11, 0), 0, 1, Over { excess_ids: 2 }),
            (level(10, 11, 3), 1, 0, Over { excess_ids: 2 }),
            // The ceiling was lowered, and the hold of somebody else is beyond it.
            (level(10, 4, 20), 6, 0, Fits),
            (level(10, 5, 20), 6, 0, NotNow { excess_ids: 1 }),
            (level(0, 0, 0), 0, 1, Never),
        ] {
            let wanted = Wanted { from_hold_ids, fresh_ids };
            assert_eq!(level.verdict(wanted), expected, "{level:?} {wanted:?}");
        }
        let unlimited = Level { ceiling_ids: None, live_ids: u64::MAX / 2, held_ids: 0 };
        assert_eq!(unlimited.verdict(Wanted { from_hold_ids: 0, fresh_ids: 1 }), Fits);
    }

    #[test]
    fn what_remains_is_never_negative() {
        assert_eq!(level(10, 4, 3).remaining_ids(), Some(3));
        assert_eq!(level(10, 14, 3).remaining_ids(), Some(0));
        assert!(level(10, 11, 0).is_over());
        assert!(!level(10, 10, 5).is_over());
    }

    #[test]
    fn a_plan_covers_the_order_and_ends_as_soon_as_it_can() {
        let window = Window { length_ms: 600_000, grace_ms: 0 };
        let part = |offset, limit, earliest_ms| Part { offset, limit, earliest_ms };
        let tiny = level(1, 0, 0);
        for (level, expected) in [
            (level(10, 0, 0), vec![part(5, 10, 0), part(15, 10, 660_000), part(25, 5, 1_320_000)]),
            (level(10, 4, 0), vec![part(5, 6, 0), part(11, 10, 660_000), part(21, 9, 1_320_000)]),
            // What is left now would not make it a part fewer: wait until all is free.
            (level(10, 9, 0), {
                vec![part(5, 10, 300_000), part(15, 10, 960_000), part(25, 5, 1_620_000)]
            }),
            (level(0, 0, 0), vec![]),
        ] {
            assert_eq!(parts(5..30, level, window, 0, 300_000), expected, "{level:?}");
        }
        assert_eq!(parts(0..1_000, tiny, window, 0, 0).len(), PLAN_PARTS_MAX);
    }

    #[test]
    fn a_basis_and_a_recipient_are_read_as_they_are_written() {
        let bases = [Basis::Exemption(7), Basis::Permission(3), Basis::PeerReview(7)];
        for basis in bases.into_iter().chain([Basis::Limit]) {
            assert_eq!(Basis::try_from(basis.to_string()), Ok(basis));
        }
        assert_eq!(Basis::try_from("exemption:".to_owned()), Err(NotABasis));
        let (entity, person) = (EntityId(7).into(), PersonId(7).into());
        for recipient in [entity, person, Recipient::Link(ShareId(7))] {
            assert_eq!(Recipient::try_from(recipient.to_string()), Ok(recipient));
        }
        for unit in [Unit::Ids(IdKind::Dm), Unit::Objects] {
            assert_eq!(Unit::try_from(unit.word().to_owned()), Ok(unit));
        }
        assert_eq!(Unit::try_from("objects".to_owned()), Err(NotAUnit));
        for text in ["key:7", "person:", "entity", "7"] {
            assert_eq!(Recipient::try_from(text.to_owned()), Err(NotARecipient), "{text}");
        }
    }
}
