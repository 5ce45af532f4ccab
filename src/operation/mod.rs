//! What an operator may ask for, whoever carries it out: the command itself, or the gateway that
//! runs on the data folder and is asked through its control socket.
//!
//! An operation is a value of one enum and is carried out by one table. Its answer is JSON, which
//! a program gets as it is and a person as a table.

mod access;
mod account;
mod answer;
mod dataset;
mod delivery;
mod entity;
mod ledger;
mod log;
mod once;
mod person;
mod policy;
mod sign_in;
mod terms;

pub use access::{Need, Subject};
pub use account::actor_of;
pub use answer::{objects, usage};
pub use ledger::ThawRequest;
pub use log::{DeliveryReceipt, receipt};
pub use once::Once;
pub use person::{proposals_before, sweep, welcome};
pub use policy::shown as profile_shown;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::audit::Notary;
use crate::base::clock::Clock;
use crate::base::delivery::DeliveryId;
use crate::base::party::{Actor, KeyId, SessionId};
use crate::directory::dataset::{self as catalogue, BuiltRelease, Plan};
use crate::directory::exemption::{Decision, Judgement};
use crate::directory::use_case::{self, Verdict};
use crate::directory::words::{Rank, Side};
use crate::directory::{
    DirectoryError, document, entity as entities, erasure, exemption, invitation, join, key,
    membership, permission, person as people, registration, session, sign_in as links, staff,
};
use crate::policy::Profile;
use crate::store::{PersonRow, Store, Tx};

/// One thing that an operator may ask for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are those of the commands")]
pub enum Operation {
    /// Enter an entity.
    EntityAdd(entities::Add),
    /// All entities.
    EntityList,
    /// One entity with its people and exemptions.
    EntityShow { slug: String },
    /// Let an entity receive nothing.
    EntitySuspend { slug: String, reason: Option<String> },
    /// Let a suspended entity receive again.
    EntityResume { slug: String },
    /// Change what an entity is known by or counts as.
    EntityEdit(entities::Edit),
    /// Note that an entity which waits for it was reviewed.
    EntityReview { slug: String, reason: String },
    /// The entities that may be one and the same.
    EntityDuplicates,
    /// What a merge of two entities would do.
    EntityMergeEffect { source: String, target: String },
    /// Merge an entity into another one.
    EntityMerge { source: String, target: String, reason: String },
    /// Propose another use of what an entity receives.
    UseCasePropose { slug: String, purpose: String },
    /// Approve or refuse the use that is proposed.
    UseCaseDecide { slug: String, verdict: Verdict, reason: String },
    /// The versions of an entity's use case, or of every entity's.
    UseCaseList { slug: Option<String> },
    /// What a person would bring along to a further entity.
    PersonJoinEffect(join::Propose),
    /// Propose that a person belongs to a further entity.
    PersonJoin(join::Propose),
    /// The proposals that wait for a consent.
    JoinList,
    /// Say that one side of a proposal consents; the last consent carries it out.
    JoinConsent { join: i64, side: Side, evidence: Option<String> },
    /// Give a proposal up.
    JoinWithdraw { join: i64, reason: String },
    /// Let a person leave an entity.
    PersonLeave { mail: String, slug: String },
    /// Invite a colleague into an entity.
    InvitationAdd(invitation::Invite),
    /// The invitations of an entity.
    InvitationList { slug: String },
    /// Take an invitation back.
    InvitationWithdraw { invitation: i64 },
    /// Everything that is held of a person.
    PersonExport { mail: String },
    /// Erase a person.
    PersonErase { mail: String, reason: String },
    /// Enter a person.
    PersonAdd(people::Add),
    /// All people.
    PersonList,
    /// Let a person receive nothing.
    PersonSuspend { mail: String, reason: Option<String> },
    /// Let a suspended person receive again.
    PersonResume { mail: String },
    /// Note that a person accepted documents.
    PersonAccept(document::Accept),
    /// Give a person a say over others, or take it away.
    StaffAppoint { mail: String, rank: Option<Rank> },
    /// Make a key; the one answer that holds its token.
    KeyIssue(key::Issue),
    /// All keys, or those of one person.
    KeyList { mail: Option<String> },
    /// Make a key that takes the place of another; an answer that holds its token.
    KeyRotate { key: KeyId, overlap_ms: Option<i64> },
    /// Wake a dormant key.
    KeyReactivate { key: KeyId },
    /// Void a key.
    KeyRevoke { key: KeyId },
    /// Make a link by which a person signs in once; the one answer that holds it.
    PersonInvite { mail: String },
    /// All sessions, or those of one person.
    SessionList { mail: Option<String> },
    /// Void a session.
    SessionRevoke { session: SessionId },
    /// All registrations whose address is verified.
    RegistrationList,
    /// Make a person of a registration.
    RegistrationAssign(registration::Assign),
    /// Turn a registration down.
    RegistrationRefuse { registration: i64, reason: String },
    /// Apply for an exemption.
    ExemptionApply(exemption::Apply),
    /// All exemptions.
    ExemptionList,
    /// Approve, refuse or revoke an exemption.
    ExemptionDecide {
        exemption: i64,
        decision: Decision,
        reason: String,
        conditions: Option<String>,
        ceiling_ids: Option<u64>,
    },
    /// The documents in force, and those that come into force later.
    DocumentList,
    /// Publish a version of a document, which asks everybody again.
    DocumentPublish(document::Publish),
    /// Enter a written permission of the platform.
    PermissionAdd(permission::Add),
    /// All permissions.
    PermissionList,
    /// End a permission early.
    PermissionRevoke { permission: i64, reason: String },
    /// The profile in force, with every number.
    PolicyShow,
    /// What a profile, which is given as TOML, would change, and who would be over.
    PolicyPreview { toml: String },
    /// Put a profile in force. No gateway may run.
    PolicySwitch { toml: String, reason: String },
    /// How full an entity's meters are.
    Usage { slug: String },
    /// Which deliveries went out: the newest, all or those of a person or charged to an entity.
    Deliveries {
        entity: Option<String>,
        person: Option<String>,
        #[serde(default = "delivery::rows_usual")]
        rows_max: u32,
    },
    /// The gateways that ever started on the database.
    InstanceList,
    /// Whether the ledger is frozen, its time, and its log's head.
    LedgerStatus,
    /// Thaw the frozen ledger.
    LedgerThaw(ThawRequest),
    /// Believe the wall clock from now on.
    LedgerClockAccept { reason: String },
    /// Sign the head of the audit log; the newest checkpoint, and how the log is kept safe.
    AuditCheckpoint,
    /// The receipt of a delivery.
    AuditReceipt { delivery: DeliveryId },
    /// Files of the exported log by name: the first of them, as many as come at once.
    AuditFiles { names: Vec<String> },
    /// The sizes of the checkpoints after that of a size.
    AuditCheckpointSizes { after: u64 },
    /// Whether a dataset could be entered, before its release is built.
    DatasetCheck(Plan),
    /// Enter a dataset with its first release.
    DatasetRegister { plan: Plan, release: BuiltRelease },
    /// Enter a dataset that is stripped in flight.
    DatasetRegisterStream(Plan),
    /// Give a dataset another release.
    DatasetRefresh { slug: String, release: BuiltRelease },
    /// Change a dataset's title and who sees it.
    DatasetEdit(catalogue::Edit),
    /// Hide a dataset for good.
    DatasetRetire { slug: String },
    /// All datasets.
    DatasetList,
    /// One dataset with all its releases.
    DatasetShow { slug: String },
}

/// What operations work on.
#[derive(Clone)]
pub struct Context {
    /// Where everything is kept.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// The numbers in force.
    pub profile: Arc<Profile>,
    /// Who signs the audit log.
    pub notary: Notary,
}

/// Why an operation was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct OperationError {
    /// What kind of reason it is, for programs.
    pub kind: ErrorKind,
    /// The reason, for the one who asked.
    pub message: String,
}

/// What comes back over a control socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// The answer.
    Ok(Value),
    /// Why there is none.
    Error(OperationError),
}

/// What kind of reason an [`OperationError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// What was named is not there.
    NotFound,
    /// It would contradict what is there.
    Conflict,
    /// What was said makes no sense by itself.
    Invalid,
    /// It is not for the one who asks.
    Forbidden,
    /// The store cannot say or keep it now.
    Unavailable,
}

impl Operation {
    /// Whether no gateway may run while it is carried out.
    pub fn needs_no_gateway(&self) -> bool {
        matches!(self, Operation::PolicySwitch { .. })
    }

    /// Whether it makes sense where there is no data folder yet.
    pub fn may_begin(&self) -> bool {
        matches!(
            self,
            Operation::EntityAdd(_)
                | Operation::DatasetCheck(_)
                | Operation::DatasetRegister { .. }
                | Operation::DatasetRegisterStream(_)
        )
    }
}

impl From<DirectoryError> for OperationError {
    fn from(error: DirectoryError) -> OperationError {
        let kind = match &error {
            DirectoryError::NotFound(_) => ErrorKind::NotFound,
            DirectoryError::Conflict(_) => ErrorKind::Conflict,
            DirectoryError::Invalid(_) => ErrorKind::Invalid,
            DirectoryError::Forbidden(_) => ErrorKind::Forbidden,
            DirectoryError::Store(_) => ErrorKind::Unavailable,
        };
        OperationError { kind, message: error.to_string() }
    }
}

/// Carries out `operation` on behalf of `actor` and returns its answer. Waits for the disk.
///
/// # Errors
/// [`OperationError`]; then nothing was changed. [`ErrorKind::Forbidden`] if it is not for `actor`.
pub fn execute(
    operation: Operation,
    context: &Context,
    actor: &Actor,
) -> Result<Value, OperationError> {
    execute_once(operation, context, actor, None)
}

/// As [`execute`]; what was carried out as `once` before is answered and not done again.
///
/// # Errors
/// As [`execute`]; [`ErrorKind::Conflict`] if the name of `once` was given to something else.
pub fn execute_once(
    operation: Operation,
    context: &Context,
    actor: &Actor,
    once: Option<Once>,
) -> Result<Value, OperationError> {
    let desk = Desk { context, actor, need: operation.need(), once };
    if operation.is_carried_out_elsewhere() {
        desk.look(|_, _| Ok(Value::Null))?;
    }
    let numbers = Numbers { profile: Arc::clone(&context.profile), clock: context.clock.clone() };
    let outcome = match operation {
        Operation::EntityAdd(request) => desk.change(move |tx, by| {
            entity::added(tx, &entities::add(tx, by.now_ms, &by.actor, &request)?)
        }),
        Operation::EntityList => desk.look(|tx, _| entity::all(tx)),
        Operation::EntityShow { slug } => desk
            .look(|tx, now_ms| entity::whole(tx, &entities::find_merged_too(tx, &slug)?, now_ms)),
        Operation::EntitySuspend { slug, reason } => desk.change(move |tx, by| {
            let reason = reason.as_deref();
            entity::brief(tx, &entities::suspend(tx, by.now_ms, &by.actor, &slug, reason)?)
        }),
        Operation::EntityResume { slug } => desk.change(move |tx, by| {
            entity::brief(tx, &entities::resume(tx, by.now_ms, &by.actor, &slug)?)
        }),
        Operation::EntityEdit(request) => desk.change(move |tx, by| {
            entity::added(tx, &entities::edit(tx, by.now_ms, &by.actor, &request)?)
        }),
        Operation::EntityReview { slug, reason } => desk.change(move |tx, by| {
            entity::brief(tx, &entities::review(tx, by.now_ms, &by.actor, &slug, &reason)?)
        }),
        Operation::EntityDuplicates => desk.look(|tx, _| entity::duplicates(tx)),
        Operation::EntityMergeEffect { source, target } => {
            desk.look(|tx, now_ms| entity::merge_effect(tx, now_ms, &numbers, &source, &target))
        }
        Operation::EntityMerge { source, target, reason } => {
            desk.change(move |tx, by| entity::merge(tx, by, &numbers, [&source, &target], &reason))
        }
        Operation::UseCasePropose { slug, purpose } => desk.change(move |tx, by| {
            let row = use_case::propose(tx, by.now_ms, &by.actor, &slug, &purpose)?;
            entity::use_case(tx, &row)
        }),
        Operation::UseCaseDecide { slug, verdict, reason } => desk.change(move |tx, by| {
            let row = use_case::decide(tx, by.now_ms, &by.actor, &slug, verdict, &reason)?;
            entity::use_case(tx, &row)
        }),
        Operation::UseCaseList { slug } => {
            desk.look(|tx, _| entity::use_cases(tx, slug.as_deref()))
        }
        Operation::PersonJoinEffect(request) => {
            desk.look(|tx, _| person::join_effect(tx, &numbers, &request))
        }
        Operation::PersonJoin(request) => desk.change(move |tx, by| {
            let row = join::propose(tx, by.now_ms, &by.actor, &request)?;
            person::proposal(tx, &numbers, &row)
        }),
        Operation::JoinList => desk.look(|tx, _| person::proposals(tx, &numbers)),
        Operation::JoinConsent { join, side, evidence } => desk.change(move |tx, by| {
            person::consent(tx, by, &numbers, join, side, evidence.as_deref())
        }),
        Operation::JoinWithdraw { join, reason } => desk.change(move |tx, by| {
            let row = join::withdraw(tx, by.now_ms, &by.actor, join, &reason)?;
            person::proposal(tx, &numbers, &row)
        }),
        Operation::PersonLeave { mail, slug } => desk.change(move |tx, by| {
            by.person(tx, &membership::end(tx, by.now_ms, &by.actor, &mail, &slug)?)
        }),
        Operation::InvitationAdd(request) => desk.change(move |tx, by| {
            person::invited(tx, &invitation::invite(tx, by.now_ms, &by.actor, &request)?)
        }),
        Operation::InvitationList { slug } => desk.look(|tx, _| person::invitations(tx, &slug)),
        Operation::InvitationWithdraw { invitation } => desk.change(move |tx, by| {
            let row = invitation::withdraw(tx, by.now_ms, &by.actor, invitation)?;
            person::invited(tx, &row)
        }),
        Operation::PersonExport { mail } => {
            // Not in one transaction: nothing may wait while the whole log is searched.
            let noted = mail.clone();
            desk.change(move |tx, by| person::note_export(tx, by, &noted))?;
            desk.look(|tx, now_ms| person::export(tx, &numbers, now_ms, &mail))
        }
        Operation::PersonErase { mail, reason } => desk.change(move |tx, by| {
            by.person(tx, &erasure::erase(tx, by.now_ms, &by.actor, &mail, &reason)?)
        }),
        Operation::PersonAdd(request) => {
            desk.change(move |tx, by| by.person(tx, &person::add(tx, by, &numbers, &request)?))
        }
        Operation::PersonList => {
            desk.look(|tx, now_ms| answer::people(tx, &context.profile, now_ms))
        }
        Operation::PersonSuspend { mail, reason } => desk.change(move |tx, by| {
            let reason = reason.as_deref();
            by.person(tx, &people::suspend(tx, by.now_ms, &by.actor, &mail, reason)?)
        }),
        Operation::PersonResume { mail } => desk
            .change(move |tx, by| by.person(tx, &people::resume(tx, by.now_ms, &by.actor, &mail)?)),
        Operation::PersonAccept(request) => desk.change(move |tx, by| {
            let documents = &by.profile.documents;
            let row = document::record(tx, by.now_ms, &by.actor, documents, &request)?;
            by.person(tx, &row)
        }),
        Operation::StaffAppoint { mail, rank } => desk.change(move |tx, by| {
            let row = staff::appoint(tx, by.now_ms, &by.actor, &mail, rank)?;
            by.person(tx, &row)
        }),
        Operation::KeyIssue(request) => desk.change(move |tx, by| {
            let (row, token) = key::issue(tx, by.now_ms, &by.actor, &request)?;
            answer::key_issued(tx, &by.profile, &row, &token, by.now_ms)
        }),
        Operation::KeyList { mail } => {
            desk.look(|tx, now_ms| answer::keys(tx, mail.as_deref(), now_ms))
        }
        Operation::KeyRotate { key, overlap_ms } => desk.change(move |tx, by| {
            let (row, token) = key::rotate(tx, by.now_ms, &by.actor, key, overlap_ms)?;
            answer::key_issued(tx, &by.profile, &row, &token, by.now_ms)
        }),
        Operation::KeyReactivate { key } => desk.change(move |tx, by| {
            answer::key(tx, &key::reactivate(tx, by.now_ms, &by.actor, key)?, by.now_ms)
        }),
        Operation::KeyRevoke { key } => desk.change(move |tx, by| {
            answer::key(tx, &key::revoke(tx, by.now_ms, &by.actor, key)?, by.now_ms)
        }),
        Operation::PersonInvite { mail } => desk.change(move |tx, by| {
            let (person, link, secret) = links::invite(tx, by.now_ms, &by.actor, &mail)?;
            sign_in::invited(&person, &link, &secret)
        }),
        Operation::SessionList { mail } => {
            desk.look(|tx, now_ms| sign_in::sessions(tx, mail.as_deref(), now_ms))
        }
        Operation::SessionRevoke { session } => desk.change(move |tx, by| {
            let row = session::revoke(tx, by.now_ms, &by.actor, session)?;
            sign_in::session(tx, &row, by.now_ms)
        }),
        Operation::RegistrationList => desk.look(|tx, _| sign_in::registrations(tx)),
        Operation::RegistrationAssign(request) => desk.change(move |tx, by| {
            sign_in::registration(tx, &person::assign(tx, by, &numbers, &request)?)
        }),
        Operation::RegistrationRefuse { registration: number, reason } => {
            desk.change(move |tx, by| {
                let row = registration::refuse(tx, by.now_ms, &by.actor, number, &reason)?;
                sign_in::registration(tx, &row)
            })
        }
        Operation::ExemptionApply(request) => desk.change(move |tx, by| {
            let row = exemption::apply(tx, by.now_ms, &by.actor, &by.profile, &request)?;
            terms::exemption(tx, &row, by.now_ms)
        }),
        Operation::ExemptionList => desk.look(terms::exemptions),
        Operation::ExemptionDecide { exemption, decision, reason, conditions, ceiling_ids } => {
            let judgement = Judgement { decision, reason, conditions, ceiling_ids };
            desk.change(move |tx, By { actor, now_ms, profile }| {
                let row = exemption::decide(tx, *now_ms, actor, profile, exemption, &judgement)?;
                terms::exemption(tx, &row, *now_ms)
            })
        }
        Operation::DocumentList => {
            desk.look(|tx, now_ms| terms::documents(tx, &context.profile, now_ms))
        }
        Operation::DocumentPublish(request) => desk.change(move |tx, by| {
            let row = document::publish(tx, by.now_ms, &by.actor, &request)?;
            Ok(terms::published(&row))
        }),
        Operation::PermissionAdd(request) => desk.change(move |tx, by| {
            let row = permission::add(tx, by.now_ms, &by.actor, &request)?;
            terms::permission(tx, &row, by.now_ms)
        }),
        Operation::PermissionList => desk.look(terms::permissions),
        Operation::PermissionRevoke { permission, reason } => desk.change(move |tx, by| {
            let row = permission::revoke(tx, by.now_ms, &by.actor, permission, &reason)?;
            terms::permission(tx, &row, by.now_ms)
        }),
        Operation::PolicyShow => desk.look(|tx, _| policy::show(tx, &context.profile)),
        Operation::PolicyPreview { toml } => return policy::preview(context, &toml),
        Operation::PolicySwitch { toml, reason } => {
            return policy::switch(context, actor, &toml, &reason);
        }
        Operation::Usage { slug } => desk
            .look(|tx, _| usage(tx, &context.profile, &context.clock, &entities::find(tx, &slug)?)),
        Operation::Deliveries { entity, person, rows_max } => {
            desk.look(|tx, _| delivery::newest(tx, entity.as_deref(), person.as_deref(), rows_max))
        }
        Operation::InstanceList => desk.look(|tx, _| answer::instances(tx)),
        Operation::LedgerStatus => return ledger::status(context),
        Operation::LedgerThaw(request) => return ledger::thaw_as_told(context, actor, request),
        Operation::LedgerClockAccept { reason } => {
            return ledger::clock_accept(context, actor, &reason);
        }
        Operation::AuditCheckpoint => return log::checkpoint(context),
        Operation::AuditReceipt { delivery } => return log::receipt_of(context, delivery),
        Operation::AuditFiles { names } => return log::files(context, &names),
        Operation::AuditCheckpointSizes { after } => {
            return log::checkpoint_sizes(context, after);
        }
        Operation::DatasetCheck(plan) => {
            desk.look(|tx, _| catalogue::check(tx, &plan).map(|()| Value::Null))
        }
        Operation::DatasetRegister { plan, release } => desk.change(move |tx, by| {
            let row = catalogue::register(tx, by.now_ms, &by.actor, &plan, &release)?;
            dataset::brief(tx, &row)
        }),
        Operation::DatasetRegisterStream(plan) => desk.change(move |tx, by| {
            let row = catalogue::register_stream(tx, by.now_ms, &by.actor, &plan)?;
            dataset::brief(tx, &row)
        }),
        Operation::DatasetRefresh { slug, release } => desk.change(move |tx, by| {
            let row = catalogue::refresh(tx, by.now_ms, &by.actor, &slug, &release)?;
            dataset::brief(tx, &row)
        }),
        Operation::DatasetEdit(request) => desk.change(move |tx, by| {
            dataset::brief(tx, &catalogue::edit(tx, by.now_ms, &by.actor, &request)?)
        }),
        Operation::DatasetRetire { slug } => desk.change(move |tx, by| {
            dataset::brief(tx, &catalogue::retire(tx, by.now_ms, &by.actor, &slug)?)
        }),
        Operation::DatasetList => desk.look(|tx, _| dataset::list(tx)),
        Operation::DatasetShow { slug } => {
            desk.look(|tx, _| dataset::whole(tx, &catalogue::find(tx, &slug)?))
        }
    };
    Ok(outcome?)
}

/// What tells how full a meter is.
#[derive(Clone)]
struct Numbers {
    profile: Arc<Profile>,
    clock: Clock,
}

impl By {
    /// A person as operations answer with them.
    fn person(&self, tx: &Tx<'_>, row: &PersonRow) -> Result<Value, DirectoryError> {
        answer::person(tx, &self.profile, row, self.now_ms)
    }
}

/// Where an operation is carried out.
struct Desk<'a> {
    context: &'a Context,
    actor: &'a Actor,
    /// What it takes to be heard; looked at in the very transaction that carries it out.
    need: Need,
    /// What the request is called, if it may be sent twice.
    once: Option<Once>,
}

/// Who changes something, and when.
struct By {
    actor: Actor,
    now_ms: i64,
    /// The numbers in force.
    profile: Arc<Profile>,
}

impl Desk<'_> {
    fn change(
        &self,
        work: impl FnOnce(&Tx<'_>, &By) -> Result<Value, DirectoryError> + Send + 'static,
    ) -> Result<Value, DirectoryError> {
        let by = By {
            actor: self.actor.clone(),
            now_ms: self.context.clock.now_ms(),
            profile: Arc::clone(&self.context.profile),
        };
        let (need, once) = (self.need.clone(), self.once.clone());
        self.context.store.write_blocking(move |tx| {
            need.check(tx, &by.actor)?;
            let Some(once) = once else { return work(tx, &by) };
            match once.answered(tx, &by)? {
                Some(answer) => Ok(answer),
                None => {
                    let answer = work(tx, &by)?;
                    once.note(tx, &by, &answer)?;
                    Ok(answer)
                }
            }
        })
    }

    fn look(
        &self,
        work: impl FnOnce(&Tx<'_>, i64) -> Result<Value, DirectoryError>,
    ) -> Result<Value, DirectoryError> {
        let now_ms = self.context.clock.now_ms();
        self.context.store.read(|tx| {
            self.need.check(tx, self.actor)?;
            work(tx, now_ms)
        })
    }
}

#[cfg(test)]
mod tests;
