//! Who may do what: one table of operations and what each takes, and how it is checked.
//!
//! An account of the machine that reaches the control socket or the store is the owner and may do
//! everything. A person may do what their rank or their role in an entity allows, and nobody
//! decides for an entity that they belong to.

use super::Operation;
use crate::base::party::{Actor, EntityId, KeyId, PersonId, ShareId};
use crate::directory::words::{Rank, Role, Side, Status};
use crate::directory::{DirectoryError, entity, invitation, join, staff};
use crate::store::{PersonRow, StoreError, Tx};

/// What it takes to be heard with an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// To look: an operator or an auditor.
    Look,
    /// To look at one entity: also whoever manages it.
    LookAt(Subject),
    /// To change what concerns no entity's rights: an operator.
    Change,
    /// To decide what an entity may have: an operator who does not belong to it.
    Decide(Subject),
    /// To decide what several entities may have: an operator who belongs to none of them.
    DecideAll(Vec<Subject>),
    /// To act for an entity: an operator, or whoever manages it.
    Manage(Subject),
    /// To look at one person: an operator, an auditor, or they themselves.
    LookAtPerson(String),
    /// To be the person: what the answer holds makes whoever reads it act as them.
    Be(Bearer),
    /// To look at the link of that number: its maker, an operator or an auditor.
    LookAtShare(ShareId),
    /// To end the link of that number: its maker, or an operator.
    EndShare(ShareId),
    /// To be the maker of the link of that number.
    OwnShare(ShareId),
    /// To speak for a side of the proposal of that number, or for any: the person, a manager of
    /// the entity, or an operator who does not belong to it.
    Join(i64, Option<Side>),
    /// The owner of the machine, and nobody from outside.
    Machine,
}

/// The person whose key an operation makes, as the operation names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// The one with that mail address.
    Mail(String),
    /// The one that this key belongs to.
    Key(KeyId),
}

/// The entity that an operation is about, as the operation names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The one with that slug.
    Entity(String),
    /// The one that this exemption is for.
    Exemption(i64),
    /// The one that this permission is for.
    Permission(i64),
    /// The one that this invitation is for.
    Invitation(i64),
}

impl Operation {
    /// What it takes to be heard with it.
    pub fn need(&self) -> Need {
        let of = |slug: &String| Subject::Entity(slug.clone());
        match self {
            Operation::EntityList
            | Operation::EntityDuplicates
            | Operation::EntityMergeEffect { .. }
            | Operation::UseCaseList { slug: None }
            | Operation::PersonJoinEffect(_)
            | Operation::JoinList
            | Operation::PersonList
            | Operation::KeyList { .. }
            | Operation::SessionList { .. }
            | Operation::RegistrationList
            | Operation::ExemptionList
            | Operation::DocumentList
            | Operation::PermissionList
            | Operation::PolicyShow
            | Operation::PolicyPreview { .. }
            | Operation::Deliveries { .. }
            | Operation::InstanceList
            | Operation::LedgerStatus
            | Operation::AuditReasons
            | Operation::AuditReceipt { .. }
            | Operation::AuditFiles { .. }
            | Operation::AuditCheckpointSizes { .. }
            | Operation::ShareList { mail: None }
            | Operation::ExportList { mail: None }
            | Operation::ExportShow { .. }
            | Operation::DatasetList
            | Operation::DatasetShow { .. } => Need::Look,
            Operation::EntityShow { slug }
            | Operation::UseCaseList { slug: Some(slug) }
            | Operation::InvitationList { slug }
            | Operation::Report { slug, .. }
            | Operation::Usage { slug } => Need::LookAt(of(slug)),
            Operation::Removal(asked) => asked.need(),
            Operation::PersonExport { mail }
            | Operation::PersonIdentities { mail }
            | Operation::ExportList { mail: Some(mail) }
            | Operation::ShareList { mail: Some(mail) } => Need::LookAtPerson(mail.clone()),
            Operation::KeyIssue(request) => Need::Be(Bearer::Mail(request.mail.clone())),
            Operation::ShareAdd(request) => Need::Be(Bearer::Mail(request.mail.clone())),
            Operation::ShareShow { share } => Need::LookAtShare(*share),
            Operation::ShareRevoke { share } => Need::EndShare(*share),
            Operation::ShareExtend { share, .. } | Operation::SharePublish { share } => {
                Need::OwnShare(*share)
            }
            Operation::KeyRotate { key, .. } => Need::Be(Bearer::Key(*key)),
            Operation::UseCasePropose { slug, .. } => Need::Manage(of(slug)),
            Operation::InvitationAdd(request) => Need::Manage(of(&request.slug)),
            Operation::InvitationWithdraw { invitation } => {
                Need::Manage(Subject::Invitation(*invitation))
            }
            Operation::JoinConsent { join, side, .. } => Need::Join(*join, Some(*side)),
            Operation::JoinWithdraw { join, .. } => Need::Join(*join, None),
            Operation::EntityMerge { source, target, .. } => {
                Need::DecideAll(vec![of(source), of(target)])
            }
            Operation::EntityEdit(request) => Need::Decide(of(&request.slug)),
            Operation::EntityReview { slug, .. } | Operation::UseCaseDecide { slug, .. } => {
                Need::Decide(of(slug))
            }
            Operation::EntityAdd(_)
            | Operation::PersonAdd(_)
            | Operation::PersonJoin(_)
            | Operation::PersonLeave { .. }
            | Operation::PersonErase { .. }
            | Operation::PersonUnlink(_)
            | Operation::PersonSuspend { .. }
            | Operation::PersonResume { .. }
            | Operation::PersonAccept(_)
            | Operation::KeyReactivate { .. }
            | Operation::KeyRevoke { .. }
            | Operation::SessionRevoke { .. }
            | Operation::RegistrationRefuse { .. }
            | Operation::ExportCancel { .. }
            | Operation::DatasetEdit(_)
            | Operation::DatasetRetire { .. }
            | Operation::ExemptionApply(_)
            | Operation::DocumentPublish(_)
            | Operation::AuditCheckpoint => Need::Change,
            Operation::EntitySuspend { slug, .. }
            | Operation::EntityResume { slug }
            | Operation::PersonRole { slug, .. } => Need::Decide(of(slug)),
            Operation::RegistrationAssign(request) => Need::Decide(of(&request.slug)),
            Operation::ExemptionDecide { exemption, .. } => {
                Need::Decide(Subject::Exemption(*exemption))
            }
            Operation::PermissionAdd(request) => Need::Decide(of(&request.slug)),
            Operation::PermissionRevoke { permission, .. } => {
                Need::Decide(Subject::Permission(*permission))
            }
            // Only a process on the machine fetches into its archive, and has the credentials.
            Operation::Upstream(step) if !step.is_look() => Need::Machine,
            Operation::Upstream(_) => Need::Look,
            // Whoever has a link is that person.
            Operation::PersonInvite { .. }
            | Operation::StaffAppoint { .. }
            | Operation::PolicySwitch { .. }
            | Operation::LedgerThaw(_)
            | Operation::LedgerClockAccept { .. }
            | Operation::DatasetCheck(_)
            | Operation::DatasetRegister { .. }
            | Operation::DatasetRegisterStream(_)
            | Operation::DatasetRefresh { .. } => Need::Machine,
        }
    }

    /// Whether it is carried out by others, who do not look at what it takes.
    pub(super) fn is_carried_out_elsewhere(&self) -> bool {
        matches!(
            self,
            Operation::LedgerStatus
                | Operation::LedgerThaw(_)
                | Operation::LedgerClockAccept { .. }
                | Operation::AuditCheckpoint
                | Operation::AuditReceipt { .. }
                | Operation::AuditFiles { .. }
                | Operation::AuditCheckpointSizes { .. }
                | Operation::PolicyPreview { .. }
                | Operation::PolicySwitch { .. }
        )
    }
}

impl Need {
    /// Whether `actor` has what it takes.
    ///
    /// # Errors
    /// [`DirectoryError::Forbidden`] if not; [`DirectoryError::NotFound`] for the subject, which
    /// is told to those only who may look.
    pub fn check(&self, tx: &Tx<'_>, actor: &Actor) -> Result<(), DirectoryError> {
        let Actor::Person(person) = actor else { return Ok(()) };
        match self {
            Need::Manage(subject)
                if let Ok(entity) = subject.entity(tx)
                    && manages(tx, *person, entity)? =>
            {
                return Ok(());
            }
            Need::LookAtPerson(mail) if is_active_as(tx, *person, mail)? => return Ok(()),
            Need::Be(bearer) if bearer.is(tx, *person)? => return Ok(()),
            Need::LookAtShare(share) | Need::EndShare(share) | Need::OwnShare(share)
                if made(tx, *person, *share)? =>
            {
                return Ok(());
            }
            Need::Join(number, side) => return check_join(tx, *person, *number, *side),
            _ => {}
        }
        match (self, rank_of_active(tx, *person)?) {
            (Need::Machine, _) => forbidden("this is done on the machine of the gateway only"),
            (Need::Be(_), _) => forbidden(
                "keys and links are made by whom they belong to, on their own pages, and on the \
                 machine of the gateway",
            ),
            (Need::OwnShare(_), _) => forbidden("this is for whoever made the link"),
            (
                Need::Look | Need::LookAt(_) | Need::LookAtPerson(_) | Need::LookAtShare(_),
                Some(_),
            ) => Ok(()),
            (Need::LookAt(subject), None) => match subject.entity(tx) {
                Ok(entity) if manages(tx, *person, entity)? => Ok(()),
                Err(DirectoryError::Store(error)) => Err(error.into()),
                _ => forbidden("this is for operators, and for managers of the entity"),
            },
            (Need::LookAtShare(_) | Need::EndShare(_), None) => {
                forbidden("this is for whoever made the link, and for operators")
            }
            (Need::Look | Need::LookAtPerson(_), None) => {
                forbidden("this is for operators and auditors")
            }
            (_, Some(Rank::Auditor)) => {
                forbidden("an auditor reads everything and changes nothing")
            }
            (Need::Manage(_), None) => {
                forbidden("this is for operators, and for managers of the entity")
            }
            (_, None) => forbidden("this is for operators"),
            (
                Need::Change | Need::Manage(_) | Need::Join(..) | Need::EndShare(_),
                Some(Rank::Operator),
            ) => Ok(()),
            (Need::Decide(subject), Some(Rank::Operator)) => {
                decides(tx, *person, subject.entity(tx)?)
            }
            (Need::DecideAll(subjects), Some(Rank::Operator)) => {
                for subject in subjects {
                    decides(tx, *person, subject.entity(tx)?)?;
                }
                Ok(())
            }
        }
    }
}

impl Bearer {
    /// Whether that is `person`, and they are active.
    fn is(&self, tx: &Tx<'_>, person: PersonId) -> Result<bool, StoreError> {
        match self {
            Bearer::Mail(mail) => is_active_as(tx, person, mail),
            Bearer::Key(key) => {
                let row = tx.key_by_id(*key)?;
                Ok(row.is_some_and(|row| row.person == person) && is_active(tx, person)?)
            }
        }
    }
}

impl Subject {
    fn entity(&self, tx: &Tx<'_>) -> Result<EntityId, DirectoryError> {
        match self {
            Subject::Entity(slug) => Ok(entity::find(tx, slug)?.id),
            Subject::Exemption(id) => {
                let found = tx.exemption_by_id(*id)?.map(|row| row.entity);
                found.ok_or_else(|| DirectoryError::NotFound(format!("there is no exemption {id}")))
            }
            Subject::Permission(id) => {
                let found = tx.permission_by_id(*id)?.map(|row| row.entity);
                found
                    .ok_or_else(|| DirectoryError::NotFound(format!("there is no permission {id}")))
            }
            Subject::Invitation(id) => Ok(invitation::find(tx, *id)?.entity),
        }
    }
}

/// An operator decides for entities that they do not belong to.
fn decides(tx: &Tx<'_>, operator: PersonId, entity: EntityId) -> Result<(), DirectoryError> {
    match role_in(tx, operator, entity)? {
        None => Ok(()),
        Some(_) => {
            forbidden("nobody decides for an entity that they belong to; ask another operator")
        }
    }
}

/// Whether `person` speaks for that side of a proposal, or for any; an operator may, who does not
/// belong to its entity.
fn check_join(
    tx: &Tx<'_>,
    person: PersonId,
    number: i64,
    side: Option<Side>,
) -> Result<(), DirectoryError> {
    let rank = rank_of_active(tx, person)?;
    let Some(row) = tx.join_by_id(number)? else {
        return match rank {
            Some(_) => join::find_waiting(tx, number).map(drop),
            None => forbidden("this is for operators, and for both sides of the proposal"),
        };
    };
    for asked in [Side::Person, Side::Entity] {
        if side.is_none_or(|side| side == asked)
            && is_active(tx, person)?
            && join::speaks_for(tx, person, &row, asked)?
        {
            return Ok(());
        }
    }
    match rank {
        Some(Rank::Operator) => decides(tx, person, row.entity),
        Some(Rank::Auditor) => forbidden("an auditor reads everything and changes nothing"),
        None => forbidden("this is for operators, and for both sides of the proposal"),
    }
}

/// Whether `person` is active and made that link.
fn made(tx: &Tx<'_>, person: PersonId, share: ShareId) -> Result<bool, StoreError> {
    let row = tx.share(share)?;
    Ok(row.is_some_and(|row| row.person == person) && is_active(tx, person)?)
}

fn is_active(tx: &Tx<'_>, person: PersonId) -> Result<bool, StoreError> {
    let row = tx.person_by_id(person)?;
    Ok(row.is_some_and(|row| Status::of_row(&row.status) == Status::Active))
}

/// Whether `person` is active and has that address.
fn is_active_as(tx: &Tx<'_>, person: PersonId, mail: &str) -> Result<bool, StoreError> {
    let row = tx.person_by_id(person)?;
    let is_theirs = |row: PersonRow| row.mail == mail.trim().to_lowercase();
    Ok(is_active(tx, person)? && row.is_some_and(is_theirs))
}

fn forbidden(message: &str) -> Result<(), DirectoryError> {
    Err(DirectoryError::Forbidden(message.to_owned()))
}

/// Who is suspended has no say, whatever their rank.
fn rank_of_active(tx: &Tx<'_>, person: PersonId) -> Result<Option<Rank>, StoreError> {
    let row = tx.person_by_id(person)?;
    match row.is_some_and(|row| Status::of_row(&row.status) == Status::Active) {
        true => staff::rank_of(tx, person),
        false => Ok(None),
    }
}

fn manages(tx: &Tx<'_>, person: PersonId, entity: EntityId) -> Result<bool, StoreError> {
    let is_active =
        tx.person_by_id(person)?.is_some_and(|row| Status::of_row(&row.status) == Status::Active);
    Ok(is_active && role_in(tx, person, entity)? == Some(Role::Manager))
}

/// What `person` is in `entity`; a word of a newer program counts as the least role.
fn role_in(tx: &Tx<'_>, person: PersonId, entity: EntityId) -> Result<Option<Role>, StoreError> {
    let memberships = tx.memberships_of_person(person)?;
    let found = memberships.iter().find(|membership| membership.entity == entity);
    Ok(found.map(|membership| Role::from_word(&membership.role).unwrap_or(Role::Member)))
}
