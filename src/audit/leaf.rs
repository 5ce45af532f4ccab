//! The decisions that the audit log knows, one variant each; not how they are written.

use serde::{Deserialize, Serialize};

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
}
