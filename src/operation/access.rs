//! Who may do what: one table of operations and what each takes, and how it is checked.
//!
//! An account of the machine that reaches the control socket or the store is the owner and may do
//! everything. A person may do what their rank or their role in an entity allows, and nobody
//! decides for an entity that they belong to.

use super::Operation;
use crate::base::party::{Actor, EntityId, PersonId};
use crate::directory::words::{Rank, Role, Status};
use crate::directory::{DirectoryError, entity, staff};
use crate::store::{StoreError, Tx};

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
    /// The owner of the machine, and nobody from outside.
    Machine,
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
}

impl Operation {
    /// What it takes to be heard with it.
    pub fn need(&self) -> Need {
        let of = |slug: &String| Subject::Entity(slug.clone());
        match self {
            Operation::EntityList
            | Operation::PersonList
            | Operation::KeyList { .. }
            | Operation::ExemptionList
            | Operation::DocumentList
            | Operation::PermissionList
            | Operation::PolicyShow
            | Operation::PolicyPreview { .. }
            | Operation::Deliveries { .. }
            | Operation::InstanceList
            | Operation::LedgerStatus
            | Operation::AuditReceipt { .. }
            | Operation::AuditFiles { .. }
            | Operation::AuditCheckpointSizes { .. }
            | Operation::DatasetList
            | Operation::DatasetShow { .. } => Need::Look,
            Operation::EntityShow { slug } | Operation::Usage { slug } => Need::LookAt(of(slug)),
            Operation::EntityAdd(_)
            | Operation::PersonAdd(_)
            | Operation::PersonSuspend { .. }
            | Operation::PersonResume { .. }
            | Operation::PersonAccept(_)
            | Operation::KeyIssue(_)
            | Operation::KeyRotate { .. }
            | Operation::KeyReactivate { .. }
            | Operation::KeyRevoke { .. }
            | Operation::DatasetEdit(_)
            | Operation::DatasetRetire { .. }
            | Operation::ExemptionApply(_)
            | Operation::DocumentPublish(_)
            | Operation::AuditCheckpoint => Need::Change,
            Operation::EntitySuspend { slug, .. } | Operation::EntityResume { slug } => {
                Need::Decide(of(slug))
            }
            Operation::ExemptionDecide { exemption, .. } => {
                Need::Decide(Subject::Exemption(*exemption))
            }
            Operation::PermissionAdd(request) => Need::Decide(of(&request.slug)),
            Operation::PermissionRevoke { permission, .. } => {
                Need::Decide(Subject::Permission(*permission))
            }
            Operation::StaffAppoint { .. }
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
        match (self, rank_of_active(tx, *person)?) {
            (Need::Machine, _) => forbidden("this is done on the machine of the gateway only"),
            (Need::Look | Need::LookAt(_), Some(_)) => Ok(()),
            (Need::LookAt(subject), None) => match subject.entity(tx) {
                Ok(entity) if manages(tx, *person, entity)? => Ok(()),
                Err(DirectoryError::Store(error)) => Err(error.into()),
                _ => forbidden("this is for operators, and for managers of the entity"),
            },
            (Need::Look, None) => forbidden("this is for operators and auditors"),
            (Need::Change | Need::Decide(_), Some(Rank::Auditor)) => {
                forbidden("an auditor reads everything and changes nothing")
            }
            (Need::Change | Need::Decide(_), None) => forbidden("this is for operators"),
            (Need::Change, Some(Rank::Operator)) => Ok(()),
            (Need::Decide(subject), Some(Rank::Operator)) => {
                let entity = subject.entity(tx)?;
                match role_in(tx, *person, entity)? {
                    None => Ok(()),
                    Some(_) => forbidden(
                        "nobody decides for an entity that they belong to; ask another operator",
                    ),
                }
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
        }
    }
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
