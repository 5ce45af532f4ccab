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
mod desk;
mod entity;
mod export;
mod invitation;
mod ledger;
mod log;
mod once;
mod person;
mod policy;
mod removal;
mod report;
mod share;
mod share_account;
mod sign_in;
mod sweep;
mod table;
mod terms;

pub use access::{Need, Subject};
pub use account::actor_of;
pub use answer::{objects, usage};
pub use invitation::welcome;
pub use ledger::ThawRequest;
pub use log::{DeliveryReceipt, receipt};
pub use once::Once;
pub use person::proposals_before;
pub use policy::shown as profile_shown;
pub use removal::{Effect, Removal};
pub use share_account::{ACCOUNT_NAME, account_csv, account_text};
pub use sweep::sweep;
pub use table::{execute, execute_once};

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use desk::{By, Numbers};

use crate::audit::Notary;
use crate::base::clock::Clock;
use crate::base::delivery::DeliveryId;
use crate::base::party::{KeyId, SessionId, ShareId};
use crate::directory::dataset::{self as catalogue, BuiltRelease, Plan};
use crate::directory::exemption::Decision;
use crate::directory::invitation::Invite;
use crate::directory::use_case::Verdict;
use crate::directory::words::{Rank, Role, Side};
use crate::directory::{
    DirectoryError, document, entity as entities, exemption, identity, join, key, permission,
    person as people, registration, share as shares,
};
use crate::hydrate;
use crate::policy::Profile;
use crate::store::Store;

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
    /// Change what a person is in an entity.
    PersonRole { mail: String, slug: String, role: Role },
    /// Invite a colleague into an entity.
    InvitationAdd(Invite),
    /// The invitations of an entity.
    InvitationList { slug: String },
    /// Take an invitation back.
    InvitationWithdraw { invitation: i64 },
    /// By which identities at OpenID providers a person may sign in.
    PersonIdentities { mail: String },
    /// Take a person's identities at a provider away, or the one of that subject there.
    PersonUnlink(identity::Unlink),
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
    /// Make a peer-review link; the one answer that holds its token.
    ShareAdd(shares::Make),
    /// All peer-review links, or those of one person.
    ShareList { mail: Option<String> },
    /// One link with what it was used for.
    ShareShow { share: ShareId },
    /// Let a link live longer.
    ShareExtend { share: ShareId, until_ms: i64 },
    /// Make a link a page with names, which hands out nothing any more.
    SharePublish { share: ShareId },
    /// End a link.
    ShareRevoke { share: ShareId },
    /// The newest exports of full objects, or those of one person.
    ExportList { mail: Option<String> },
    /// One export with its files.
    ExportShow { export: i64 },
    /// End a file of an export.
    ExportCancel { file: i64, reason: String },
    /// The profile in force, with every number.
    PolicyShow,
    /// What a profile, which is given as TOML, would change, and who would be over.
    PolicyPreview { toml: String },
    /// Put a profile in force. No gateway may run.
    PolicySwitch { toml: String, reason: String },
    /// How full an entity's meters are.
    Usage { slug: String },
    /// What went to an entity under which basis, within a time.
    Report { slug: String, from_ms: Option<i64>, until_ms: Option<i64> },
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
    /// Why things were decided: the reasons that the log commits to.
    AuditReasons,
    /// The receipt of a delivery.
    AuditReceipt { delivery: DeliveryId },
    /// Files of the exported log by name: the first of them, as many as come at once.
    AuditFiles { names: Vec<String> },
    /// The sizes of the checkpoints after that of a size.
    AuditCheckpointSizes { after: u64 },
    /// Import lists of removals, revert them, and see who holds what went.
    Removal(Removal),
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
    /// Note what is asked of the platform, or tell what was.
    Upstream(hydrate::Step),
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
    /// The folder of the releases, which removals are looked for in.
    pub releases: PathBuf,
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

    /// Whether it looks through whole releases.
    pub fn takes_long(&self) -> bool {
        matches!(
            self,
            Operation::Removal(_)
                | Operation::DatasetRegister { .. }
                | Operation::DatasetRefresh { .. }
        )
    }

    /// Whether it makes sense where there is no data folder yet.
    pub fn may_begin(&self) -> bool {
        matches!(
            self,
            Operation::EntityAdd(_)
                | Operation::DatasetCheck(_)
                | Operation::DatasetRegister { .. }
                | Operation::DatasetRegisterStream(_)
        ) || matches!(self, Operation::Upstream(step) if !step.is_look())
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

#[cfg(test)]
mod tests;
