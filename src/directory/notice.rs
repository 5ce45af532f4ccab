//! Notices: what people are to be told, once each. What is due becomes a letter where letters are
//! sent; how one is sent is not known here.

use super::letter;
use super::words::Status;
use crate::base::date::{DAY_MS, until};
use crate::base::party::PersonId;
use crate::store::{ExemptionRow, NoticeRow, StoreError, Tx};

/// How many notices become letters at once.
const LETTERS_MAX: u32 = 100;

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
    /// Every kind.
    const ALL: [Kind; 4] = [
        Kind::ExemptionApproved,
        Kind::ExemptionRefused,
        Kind::ExemptionRevoked,
        Kind::ExemptionEnds,
    ];

    fn from_word(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The letter's subject and text about an exemption of that entity.
    fn worded(self, row: &ExemptionRow, entity: &str) -> (&'static str, String) {
        let lasts = until(row.until_ms);
        let why = |reason: &Option<String>| match reason {
            Some(reason) => format!("\n\nThe reason that was given: {reason}"),
            None => String::new(),
        };
        match self {
            Kind::ExemptionApproved => {
                let tied = row.conditions.as_ref();
                let tied = tied.map_or_else(String::new, |said| format!("\n\nConditions: {said}"));
                let text = format!("The academic exemption of {entity} is approved {lasts}.{tied}");
                ("Your academic exemption was approved", text)
            }
            Kind::ExemptionRefused => {
                let why = why(&row.reason);
                let text = format!("The academic exemption of {entity} was not approved.{why}");
                ("Your academic exemption was not approved", text)
            }
            Kind::ExemptionRevoked => {
                let why = why(&row.revoked_reason);
                let text = format!("The academic exemption of {entity} has ended early.{why}");
                ("Your academic exemption was revoked", text)
            }
            Kind::ExemptionEnds => {
                let text = format!(
                    "The academic exemption of {entity} lasts {lasts}. Apply anew before that, \
                     and the next one follows without a gap."
                );
                ("Your academic exemption ends soon", text)
            }
        }
    }
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

/// Writes a letter for each notice that is due; returns how many notices that were.
///
/// # Errors
/// [`StoreError`] of the changes.
pub fn write_letters(tx: &Tx<'_>, now_ms: i64) -> Result<usize, StoreError> {
    let notices = due(tx, now_ms, LETTERS_MAX)?;
    for notice in &notices {
        write_letter(tx, now_ms, notice)?;
        done(tx, now_ms, notice.id)?;
    }
    Ok(notices.len())
}

/// A notice to somebody who is gone, or about what is gone, tells nobody anything.
fn write_letter(tx: &Tx<'_>, now_ms: i64, notice: &NoticeRow) -> Result<(), StoreError> {
    let number = notice.subject.strip_prefix(EXEMPTION).and_then(|text| text.parse().ok());
    let (Some(kind), Some(number)) = (Kind::from_word(&notice.kind), number) else {
        return Ok(());
    };
    let person = tx.person_by_id(notice.person)?;
    let Some(person) = person.filter(|row| Status::of_row(&row.status) == Status::Active) else {
        return Ok(());
    };
    let Some(row) = tx.exemption_by_id(number)? else { return Ok(()) };
    let entity = tx.entity_by_id(row.entity)?.map_or_else(String::new, |entity| entity.name);
    let (subject, text) = kind.worded(&row, &entity);
    letter::notice(tx, now_ms, &person.mail, subject, &text)
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
    format!("{EXEMPTION}{exemption}")
}

/// What a notice about an exemption names before its number.
const EXEMPTION: &str = "exemption:";

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
