//! The decisions that the audit log knows, one variant each; not how they are written.

use serde::{Deserialize, Serialize};

use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::base::party::{Actor, EntityId, KeyId, PersonId};

/// One decision. Its JSON has the fields in the order in which they stand here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "leaf", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each variant says what its fields are")]
pub enum Leaf {
    /// An entity was entered.
    EntityAdded { entity: EntityId, actor: Actor },
    /// An entity may receive nothing until it is resumed.
    EntitySuspended { entity: EntityId, actor: Actor },
    /// An entity may receive again.
    EntityResumed { entity: EntityId, actor: Actor },
    /// A person was entered.
    PersonAdded { person: PersonId, actor: Actor },
    /// A person may receive nothing until they are resumed.
    PersonSuspended { person: PersonId, actor: Actor },
    /// A person may receive again.
    PersonResumed { person: PersonId, actor: Actor },
    /// A person became part of an entity, in that role.
    MembershipJoined { person: PersonId, entity: EntityId, role: String, actor: Actor },
    /// A key was made.
    KeyIssued { key: KeyId, person: PersonId, scope: String, expires_ms: i64, actor: Actor },
    /// A key is void from now on.
    KeyRevoked { key: KeyId, actor: Actor },
    /// A person accepted documents, each as `name@version`.
    DocumentsAccepted { person: PersonId, documents: Vec<String>, actor: Actor },
    /// A person applied for an exemption of an entity.
    ExemptionApplied {
        exemption: i64,
        entity: EntityId,
        person: PersonId,
        until_ms: i64,
        actor: Actor,
    },
    /// An exemption is in force from now until `until_ms`.
    ExemptionApproved { exemption: i64, entity: EntityId, until_ms: i64, actor: Actor },
    /// An application was turned down.
    ExemptionRefused { exemption: i64, entity: EntityId, actor: Actor },
    /// An exemption ended early.
    ExemptionRevoked { exemption: i64, entity: EntityId, actor: Actor },
    /// A dataset was entered with its first release.
    DatasetRegistered { dataset: i64, release: String, actor: Actor },
    /// A dataset was given another release, which is current from now on.
    DatasetRefreshed { dataset: i64, release: String, actor: Actor },
    /// A chunk was charged and may be sent: `ids` IDs of the release from ordinal `first` on.
    Opened {
        delivery: DeliveryId,
        attempt: u32,
        person: PersonId,
        key: Option<KeyId>,
        kind: IdKind,
        dataset: i64,
        release: String,
        first: u64,
        ids: u64,
        charges: Vec<Charge>,
        profile: String,
    },
    /// The bytes of these chunks have left: their window began in this leaf's minute.
    Settled { attempts: Vec<AttemptName> },
    /// No byte of this chunk was sent: it does not count any more.
    Released { attempt: AttemptName },
    /// Nothing was charged; `why` is the refusal's word. Of like refusals of one person only the
    /// first of a minute is a leaf.
    Refused {
        person: PersonId,
        key: Option<KeyId>,
        kind: IdKind,
        dataset: i64,
        first: u64,
        ids: u64,
        why: String,
    },
    /// An earlier gateway's open charges are settled by the leaves that follow, its holds are gone,
    /// and so many of its deliveries are broken.
    LedgerStarted { incarnation: i64, broken: u64, profile: String },
    /// An instance never returns: its open charges are settled by the leaves that follow, its holds
    /// are gone, and so many of its deliveries are broken.
    InstanceRetired { incarnation: i64, broken: u64, actor: Actor },
    /// An operator vouched for the wall clock, and ledger time moved on to it.
    LedgerClockAccepted { from_ms: i64, to_ms: i64, actor: Actor },
}

/// What one recipient was charged for a chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Whose meter: `entity:7`.
    pub recipient: String,
    /// Why it may receive: `limit`, `exemption:7`.
    pub basis: String,
    /// How many IDs are live at that meter with this charge.
    pub live_ids: u64,
}

/// One attempt to hand over a chunk: the delivery and the attempt's number within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptName(pub DeliveryId, pub u32);
