//! Academic exemptions: applying, and what an operator decides; the ledger asks for itself
//! whether one is in force.

use serde::{Deserialize, Serialize};

use super::attestation;
use super::entity::{self, REASON_CHARS_MAX};
use super::notice::{self, Kind};
use super::words::{ExemptionStatus, Sector, Status};
use super::{DirectoryError, person, text};
use crate::audit::{self, Leaf, name};
use crate::base::date::{DAY_MS, rfc3339};
use crate::base::party::{Actor, EntityId};
use crate::policy::{ExemptionRule, Profile};
use crate::store::{ApplicationRow, EntityRow, ExemptionRow, MarkKind, PersonRow, StoreError, Tx};

/// Longest purpose, and longest conditions.
const PURPOSE_CHARS_MAX: usize = 2_000;
/// Longest role, name and reference.
const NAME_CHARS_MAX: usize = 500;
/// How long before its beginning an exemption may be applied for: what is reviewed once a year is
/// not approved for two.
pub const AHEAD_DAYS_MAX: u32 = 90;

/// An application on behalf of an academic institution.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// The institution's slug.
    pub slug: String,
    /// The mail address of who applies for it.
    pub mail: String,
    /// What they are there.
    pub role: String,
    /// The non-commercial research it is for.
    pub purpose: String,
    /// Whether they state that it is not commercial; without that there is no exemption.
    pub non_commercial: bool,
    /// The version of the attestation that they signed.
    pub attestation: String,
    /// The name under it.
    pub signed_by: String,
    /// What supports it: a letter, a grant, an address.
    pub reference: Option<String>,
    /// From when on, in milliseconds UTC; `None`: from the end of the one that is in force, or as
    /// soon as may be.
    pub from_ms: Option<i64>,
    /// The end, in milliseconds UTC; at this instant it is over.
    pub until_ms: i64,
    /// For how many IDs in any window; the profile may want a figure.
    pub ceiling_ids: Option<u64>,
}

/// What an operator makes of an exemption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It is in force from now on, or from its later beginning.
    Approve,
    /// It never comes into force.
    Refuse,
    /// It was approved, and is no longer.
    Revoke,
}

/// A decision with all that belongs to it.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// What is decided.
    pub decision: Decision,
    /// Why.
    pub reason: String,
    /// Under which conditions it is approved.
    pub conditions: Option<String>,
    /// Up to how many IDs in any window it is approved; `None`: as many as were wanted, if there
    /// was a figure.
    pub ceiling_ids: Option<u64>,
}

impl Decision {
    /// The status that an exemption must have, and the one that it gets.
    fn step(self) -> (ExemptionStatus, ExemptionStatus) {
        match self {
            Decision::Approve => (ExemptionStatus::Applied, ExemptionStatus::Approved),
            Decision::Refuse => (ExemptionStatus::Applied, ExemptionStatus::Refused),
            Decision::Revoke => (ExemptionStatus::Approved, ExemptionStatus::Revoked),
        }
    }

    fn notice(self) -> Kind {
        match self {
            Decision::Approve => Kind::ExemptionApproved,
            Decision::Refuse => Kind::ExemptionRefused,
            Decision::Revoke => Kind::ExemptionRevoked,
        }
    }
}

/// Enters an application, which waits for an operator.
///
/// One that is made while an exemption is in force follows on it, without a gap.
///
/// # Errors
/// [`DirectoryError::NotFound`] for entity or person; [`DirectoryError::Conflict`] if the entity
/// is not academic or has no ROR identifier, the person is not of it, one of them is suspended, or
/// an application already waits; [`DirectoryError::Invalid`] for what is said.
pub fn apply(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    profile: &Profile,
    request: &Apply,
) -> Result<ExemptionRow, DirectoryError> {
    let entity = entity::find(tx, &request.slug)?;
    let person = person::find(tx, &request.mail)?;
    check_applicant(tx, &entity, &person)?;
    let begin_ms = match request.from_ms {
        Some(from_ms) => from_ms.max(now_ms),
        None => newest_end_ms(tx, entity.id, now_ms)?.unwrap_or(now_ms),
    };
    check_period(now_ms, begin_ms, profile.exemption_days_max, request.until_ms)?;
    let mut row = ExemptionRow {
        id: 0,
        entity: entity.id,
        person: person.id,
        purpose: text::line("the purpose", &request.purpose, PURPOSE_CHARS_MAX)?,
        status: ExemptionStatus::Applied.word().to_owned(),
        applied_ms: now_ms,
        decided_ms: None,
        decided_by: None,
        reason: None,
        from_ms: None,
        until_ms: request.until_ms,
        revoked_ms: None,
        revoked_by: None,
        revoked_reason: None,
        conditions: None,
        ceiling_ids: None,
        application: said(now_ms, begin_ms, profile, request)?,
    };
    row.id = tx.exemption_insert(&row)?;
    let leaf = Leaf::ExemptionApplied {
        exemption: row.id,
        entity: name::of_entity(tx, row.entity)?,
        person: name::of_person(tx, row.person)?,
        until_ms: row.until_ms,
        attestation: row.application.attestation_sha256.map(hex::encode),
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    Ok(row)
}

/// What the applicant says, if it is all that is needed.
fn said(
    now_ms: i64,
    begin_ms: i64,
    profile: &Profile,
    request: &Apply,
) -> Result<ApplicationRow, DirectoryError> {
    let invalid = |message: String| Err(DirectoryError::Invalid(message));
    if !request.non_commercial {
        let message = "only non-commercial research can be exempt; the applicant has to state it";
        return invalid(message.into());
    }
    let attestation = attestation::CURRENT;
    if request.attestation != attestation.version {
        let message = format!(
            "the attestation to be signed is version {} now, and not {}; \
             `hydrant exemption text` shows it",
            attestation.version, request.attestation
        );
        return invalid(message);
    }
    check_ceiling(profile, request.ceiling_ids)?;
    let line = |what, said: &str| text::line(what, said, NAME_CHARS_MAX);
    let reference = request.reference.as_deref();
    Ok(ApplicationRow {
        role: Some(line("the role", &request.role)?),
        non_commercial: Some(request.non_commercial),
        attestation: Some(attestation.version.to_owned()),
        attestation_sha256: Some(attestation.sha256()),
        signed_by: Some(line("the name under the attestation", &request.signed_by)?),
        signed_ms: Some(now_ms),
        reference: reference.map(|said| line("the reference", said)).transpose()?,
        wanted_from_ms: (begin_ms > now_ms).then_some(begin_ms),
        wanted_ceiling_ids: request.ceiling_ids,
    })
}

fn check_ceiling(profile: &Profile, ceiling_ids: Option<u64>) -> Result<(), DirectoryError> {
    let is_wanted = profile.exemption == ExemptionRule::RegisteredAndPermitted;
    let message = match ceiling_ids {
        None if is_wanted => format!(
            "by the profile {} an exemption is for as many IDs as are necessary; say how many \
             with --ceiling",
            profile.name
        ),
        Some(0) => "an exemption for no ID is none; give a number with --ceiling".to_owned(),
        _ => return Ok(()),
    };
    Err(DirectoryError::Invalid(message))
}

fn check_applicant(
    tx: &Tx<'_>,
    entity: &EntityRow,
    person: &PersonRow,
) -> Result<(), DirectoryError> {
    let (slug, mail) = (&entity.slug, &person.mail);
    let conflict = |message| Err(DirectoryError::Conflict(message));
    if entity.sector != Sector::Academic.word() {
        let sector = &entity.sector;
        return conflict(format!("`{slug}` is {sector}; only an academic entity can be exempt"));
    }
    if entity.ror.is_none() {
        return conflict(format!(
            "`{slug}` has no ROR identifier, by which an exemption names the institution"
        ));
    }
    if Status::of_row(&entity.status) != Status::Active {
        return conflict(format!("`{slug}` is suspended; `hydrant entity resume {slug}` first"));
    }
    if Status::of_row(&person.status) != Status::Active {
        return conflict(format!("`{mail}` is suspended; `hydrant person resume {mail}` first"));
    }
    let memberships = tx.memberships_of_person(person.id)?;
    if !memberships.iter().any(|membership| membership.entity == entity.id) {
        return conflict(format!("`{mail}` does not belong to `{slug}` and cannot apply for it"));
    }
    let waits = |row: &&ExemptionRow| {
        row.entity == entity.id && row.status == ExemptionStatus::Applied.word()
    };
    if let Some(waiting) = tx.exemptions()?.iter().find(waits) {
        let id = waiting.id;
        return conflict(format!(
            "application {id} of `{slug}` still waits; \
             `hydrant exemption approve {id}` or `refuse {id}` decides it"
        ));
    }
    Ok(())
}

/// When the last of the exemptions ends that are approved for `entity`.
fn newest_end_ms(tx: &Tx<'_>, entity: EntityId, now_ms: i64) -> Result<Option<i64>, StoreError> {
    let approved = tx
        .exemptions()?
        .into_iter()
        .filter(|row| row.entity == entity && row.status == ExemptionStatus::Approved.word());
    Ok(approved.map(|row| row.until_ms).filter(|until_ms| *until_ms > now_ms).max())
}

fn check_period(
    now_ms: i64,
    begin_ms: i64,
    days_max: u32,
    until_ms: i64,
) -> Result<(), DirectoryError> {
    let latest_ms = begin_ms + i64::from(days_max) * DAY_MS;
    let message = if until_ms <= now_ms {
        format!("the end {} has passed; give a later --until", rfc3339(until_ms))
    } else if until_ms <= begin_ms {
        format!("it would begin at {}; give a later --until", rfc3339(begin_ms))
    } else if begin_ms > now_ms + i64::from(AHEAD_DAYS_MAX) * DAY_MS {
        format!(
            "it would begin at {}, and may be applied for {AHEAD_DAYS_MAX} days before that",
            rfc3339(begin_ms)
        )
    } else if until_ms > latest_ms {
        format!(
            "an exemption lasts {days_max} days at most; give an end up to {} with --until",
            rfc3339(latest_ms)
        )
    } else {
        return Ok(());
    };
    Err(DirectoryError::Invalid(message))
}

/// Decides an application, or ends an exemption early; the ledger heeds it at the next chunk. The
/// applicant is to be told.
///
/// # Errors
/// [`DirectoryError::NotFound`]; [`DirectoryError::Conflict`] if it is not at the step that the
/// decision is about; [`DirectoryError::Invalid`] for reason, conditions or ceiling.
pub fn decide(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    profile: &Profile,
    exemption: i64,
    judgement: &Judgement,
) -> Result<ExemptionRow, DirectoryError> {
    let decision = judgement.decision;
    let reason = text::line("the reason", &judgement.reason, REASON_CHARS_MAX)?;
    let mut row = tx.exemption_by_id(exemption)?.ok_or_else(|| {
        let message =
            format!("there is no exemption {exemption}; `hydrant exemption list` shows them");
        DirectoryError::NotFound(message)
    })?;
    let (before, after) = decision.step();
    if row.status != before.word() {
        let status = &row.status;
        let message = format!("exemption {exemption} is {status}, and only {before} ones can be");
        return Err(DirectoryError::Conflict(format!("{message} {after}")));
    }
    row.status = after.word().to_owned();
    match decision {
        Decision::Approve => approve(&mut row, now_ms, profile, judgement)?,
        Decision::Refuse => {}
        Decision::Revoke => {
            row.revoked_ms = Some(now_ms);
            row.revoked_by = Some(actor.to_string());
            row.revoked_reason = Some(reason.clone());
            let subject = notice::subject(exemption);
            tx.notices_take_back(Kind::ExemptionEnds.word(), &subject)?;
        }
    }
    if decision != Decision::Revoke {
        row.decided_ms = Some(now_ms);
        row.decided_by = Some(actor.to_string());
        row.reason = Some(reason.clone());
    }
    tx.exemption_decide(&row)?;
    notice::tell(tx, now_ms, row.person, decision.notice(), exemption)?;
    let leaf = leaf_of(tx, &row, decision, actor)?;
    audit::append_decision(tx, now_ms, &leaf, Some(&reason))?;
    Ok(row)
}

/// From when on it is in force, under which conditions, and up to how many IDs.
fn approve(
    row: &mut ExemptionRow,
    now_ms: i64,
    profile: &Profile,
    judgement: &Judgement,
) -> Result<(), DirectoryError> {
    let exemption = row.id;
    if row.until_ms <= now_ms {
        let message = format!("exemption {exemption} would have ended before now; apply anew");
        return Err(DirectoryError::Conflict(message));
    }
    let wanted_ids = row.application.wanted_ceiling_ids;
    let ceiling_ids = judgement.ceiling_ids.or(wanted_ids);
    check_ceiling(profile, ceiling_ids)?;
    if let (Some(ceiling_ids), Some(wanted_ids)) = (ceiling_ids, wanted_ids)
        && ceiling_ids > wanted_ids
    {
        let message =
            format!("exemption {exemption} was wanted for {wanted_ids} IDs, not {ceiling_ids}");
        return Err(DirectoryError::Invalid(message));
    }
    let conditions = judgement.conditions.as_deref();
    row.conditions =
        conditions.map(|said| text::line("the conditions", said, PURPOSE_CHARS_MAX)).transpose()?;
    row.ceiling_ids = ceiling_ids;
    row.from_ms = Some(row.application.wanted_from_ms.map_or(now_ms, |from| from.max(now_ms)));
    Ok(())
}

fn leaf_of(
    tx: &Tx<'_>,
    row: &ExemptionRow,
    decision: Decision,
    actor: &Actor,
) -> Result<Leaf, StoreError> {
    let (exemption, actor) = (row.id, name::of_actor(tx, actor)?);
    let entity = name::of_entity(tx, row.entity)?;
    Ok(match decision {
        Decision::Approve => Leaf::ExemptionApproved {
            exemption,
            entity,
            from_ms: row.from_ms,
            until_ms: row.until_ms,
            ceiling_ids: row.ceiling_ids,
            actor,
        },
        Decision::Refuse => Leaf::ExemptionRefused { exemption, entity, actor },
        Decision::Revoke => Leaf::ExemptionRevoked { exemption, entity, actor },
    })
}

/// Whether the exemption is in force at that time.
pub fn is_in_force(row: &ExemptionRow, now_ms: i64) -> bool {
    standing(row, now_ms) == "in force"
}

/// How an exemption stands, in a word or two: its status, and of an approved one `upcoming`,
/// `in force` or `ended`.
pub fn standing(row: &ExemptionRow, now_ms: i64) -> &'static str {
    let status = ExemptionStatus::from_word(&row.status);
    match (status, row.from_ms) {
        (Some(ExemptionStatus::Approved), Some(from_ms)) if now_ms < from_ms => "upcoming",
        (Some(ExemptionStatus::Approved), Some(_)) if now_ms < row.until_ms => "in force",
        (Some(ExemptionStatus::Approved), _) => "ended",
        (Some(status), _) => status.word(),
        // A word of a newer program lifts nothing that this one may honour.
        (None, _) => "ended",
    }
}

/// What the institution itself asserts of an applicant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The domain of the applicant's mail address.
    pub mail_domain: String,
    /// Whether that is one of the institution's; `None`: no domain of it is known.
    pub is_institutions: Option<bool>,
}

/// What speaks for the applicant, for whoever decides.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn evidence_of(tx: &Tx<'_>, row: &ExemptionRow) -> Result<Evidence, StoreError> {
    let person = tx.person_by_id(row.person)?;
    let mail = person.map(|person| person.mail).unwrap_or_default();
    let domain = mail.rsplit_once('@').map(|(_, domain)| domain.to_owned());
    let mail_domain = domain.unwrap_or_default();
    let marks = tx.entity_marks_of(row.entity)?;
    let mut domains = marks.iter().filter(|mark| mark.kind == MarkKind::Domain).peekable();
    let is_institutions =
        domains.peek().is_some().then(|| domains.any(|known| known.mark == mail_domain));
    Ok(Evidence { mail_domain, is_institutions })
}
