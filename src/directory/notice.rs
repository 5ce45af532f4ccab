//! Notices: what people are to be told, once each. Who sends them asks what is due, and says when
//! it is done; how a notice is worded or sent is not known here.

use crate::base::date::DAY_MS;
use crate::base::party::PersonId;
use crate::store::{NoticeRow, StoreError, Tx};

/// What a notice says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An application was approved.
    ExemptionApproved,
    /// An application was refused.
    ExemptionRefused,
    /// An exemption was revoked.
    ExemptionRevoked,
    /// An exemption ends soon, and none follows.
    ExemptionEnds,
}

impl Kind {
    /// The word of the database.
    pub fn word(self) -> &'static str {
        match self {
            Kind::ExemptionApproved => "exemption-approved",
            Kind::ExemptionRefused => "exemption-refused",
            Kind::ExemptionRevoked => "exemption-revoked",
            Kind::ExemptionEnds => "exemption-ends",
        }
    }
}

/// The notices that are to be sent now, the oldest first, `rows_max` at most. `subject` names what
/// one is about: `exemption:7`.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn due(tx: &Tx<'_>, now_ms: i64, rows_max: u32) -> Result<Vec<NoticeRow>, StoreError> {
    tx.notices_due(now_ms, rows_max)
}

/// Notes that a notice was sent; returns whether it still waited.
///
/// # Errors
/// [`StoreError`] of the change.
pub fn done(tx: &Tx<'_>, now_ms: i64, notice: i64) -> Result<bool, StoreError> {
    tx.notice_done(notice, now_ms)
}

/// Lets `person` be told about an exemption, as soon as somebody sends notices.
pub(super) fn tell(
    tx: &Tx<'_>,
    now_ms: i64,
    person: PersonId,
    kind: Kind,
    exemption: i64,
) -> Result<(), StoreError> {
    tx.notice_insert(person, kind.word(), &subject(exemption), now_ms)
}

/// How a notice names an exemption.
pub(super) fn subject(exemption: i64) -> String {
    format!("exemption:{exemption}")
}

/// Whether [`remind`] would remind anybody now.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn would_remind(tx: &Tx<'_>, now_ms: i64, days_before: u32) -> Result<bool, StoreError> {
    Ok(!ending(tx, now_ms, days_before)?.is_empty())
}

/// Lets everybody be reminded whose exemption ends within so many days and has no successor, once
/// for each exemption; returns how many.
///
/// # Errors
/// [`StoreError`] of the look or the change.
pub fn remind(tx: &Tx<'_>, now_ms: i64, days_before: u32) -> Result<usize, StoreError> {
    let ending = ending(tx, now_ms, days_before)?;
    for (exemption, person) in &ending {
        tell(tx, now_ms, *person, Kind::ExemptionEnds, *exemption)?;
    }
    Ok(ending.len())
}

fn ending(tx: &Tx<'_>, now_ms: i64, days_before: u32) -> Result<Vec<(i64, PersonId)>, StoreError> {
    let until_ms = now_ms + i64::from(days_before) * DAY_MS;
    tx.exemptions_ending(now_ms, until_ms, Kind::ExemptionEnds.word())
}
