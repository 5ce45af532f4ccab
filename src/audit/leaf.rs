//! The decisions that the audit log knows, one variant each; not how they are written.
//!
//! People and entities are named by commitments, never by row numbers, names or addresses: what a
//! person may ask to have erased stands in the tables alone, and with the salt it is gone.

use serde::{Deserialize, Serialize};

use super::name::{ActorName, RecipientName};
use crate::base::commitment::Commitment;
use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::base::party::{DownloadId, KeyId, SessionId, ShareId};
use crate::policy::Unit;

/// One decision. Its JSON has the fields in the order in which they stand here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "leaf", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each variant says what its fields are")]
pub enum Leaf {
    /// An entity was entered.
    EntityAdded { entity: Commitment, actor: ActorName },
    /// An entity may receive nothing until it is resumed.
    EntitySuspended { entity: Commitment, actor: ActorName },
    /// An entity may receive again.
    EntityResumed { entity: Commitment, actor: ActorName },
    /// An operator reviewed an entity, which may receive from now on.
    EntityReviewed { entity: Commitment, actor: ActorName },
    /// What an entity is known by or counts as was changed; `fields` says what.
    EntityEdited { entity: Commitment, fields: Vec<String>, actor: ActorName },
    /// An entity was merged into another one, which has its people and its charges from now on.
    EntityMerged { source: Commitment, target: Commitment, actor: ActorName },
    /// An entity would use what it receives for something else, under that version.
    UseCaseProposed { entity: Commitment, version: u32, actor: ActorName },
    /// That version of an entity's use case is in force.
    UseCaseApproved { entity: Commitment, version: u32, actor: ActorName },
    /// That version was turned down.
    UseCaseRefused { entity: Commitment, version: u32, actor: ActorName },
    /// A person was entered.
    PersonAdded { person: Commitment, actor: ActorName },
    /// A person may receive nothing until they are resumed.
    PersonSuspended { person: Commitment, actor: ActorName },
    /// A person may receive again.
    PersonResumed { person: Commitment, actor: ActorName },
    /// A person became part of an entity, in that role.
    MembershipJoined { person: Commitment, entity: Commitment, role: String, actor: ActorName },
    /// A person is no part of an entity any more; what they received there stays.
    MembershipLeft { person: Commitment, entity: Commitment, actor: ActorName },
    /// A person is something else in an entity from now on.
    RoleChanged { person: Commitment, entity: Commitment, role: String, actor: ActorName },
    /// A person should become part of a further entity, in that role, once both sides consent.
    JoinProposed {
        join: i64,
        person: Commitment,
        entity: Commitment,
        role: String,
        actor: ActorName,
    },
    /// One side consents: `side` is `person` or `entity`.
    JoinConsented { join: i64, side: String, actor: ActorName },
    /// It will not be.
    JoinWithdrawn { join: i64, actor: ActorName },
    /// Somebody, who is nobody here yet, is invited into an entity.
    Invited { invitation: i64, entity: Commitment, actor: ActorName },
    /// An invitation holds no longer.
    InvitationWithdrawn { invitation: i64, actor: ActorName },
    /// What is held of a person was handed out.
    PersonExported { person: Commitment, actor: ActorName },
    /// A person was erased: `person` is what their earlier leaves name.
    PersonErased { person: Commitment, actor: ActorName },
    /// A person runs the gateway from now on, with that rank; `none`: no longer.
    StaffAppointed { person: Commitment, rank: String, actor: ActorName },
    /// A key was made.
    KeyIssued { key: KeyId, person: Commitment, scope: String, expires_ms: i64, actor: ActorName },
    /// A key is void from now on.
    KeyRevoked { key: KeyId, actor: ActorName },
    /// A key has a successor, and is void from `expires_ms` on.
    KeyRotated { key: KeyId, successor: KeyId, expires_ms: i64, actor: ActorName },
    /// A key that was dormant is awake again.
    KeyReactivated { key: KeyId, actor: ActorName },
    /// A link was made by which that person may sign in once, and handed to the actor.
    SignInLinkMade { person: Commitment, actor: ActorName },
    /// A person signed in, by that OpenID provider if there is one.
    SignedIn {
        session: SessionId,
        person: Commitment,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issuer: Option<String>,
    },
    /// A person may sign in by an identity at that OpenID provider from now on, …
    IdentityLinked { person: Commitment, issuer: String, actor: ActorName },
    /// … and no longer.
    IdentityUnlinked { person: Commitment, issuer: String, actor: ActorName },
    /// A session is void from now on.
    SessionRevoked { session: SessionId, actor: ActorName },
    /// Whoever registered showed that the mail address is theirs.
    RegistrationVerified { registration: i64 },
    /// A registration became a person of that entity.
    RegistrationAssigned {
        registration: i64,
        person: Commitment,
        entity: Commitment,
        actor: ActorName,
    },
    /// A registration was turned down.
    RegistrationRefused { registration: i64, actor: ActorName },
    /// A person accepted documents, each as `name@version`.
    DocumentsAccepted { person: Commitment, documents: Vec<String>, actor: ActorName },
    /// From `from_ms` on everybody has to accept that version of a document.
    DocumentPublished { document: String, version: String, from_ms: i64, actor: ActorName },
    /// A person applied for an exemption of an entity; `attestation` is the digest of what was
    /// signed.
    ExemptionApplied {
        exemption: i64,
        entity: Commitment,
        person: Commitment,
        until_ms: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attestation: Option<String>,
        actor: ActorName,
    },
    /// An exemption is in force from `from_ms`, or from this leaf's time, until `until_ms`, and up
    /// to so many IDs, if there is a figure.
    ExemptionApproved {
        exemption: i64,
        entity: Commitment,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_ms: Option<i64>,
        until_ms: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ceiling_ids: Option<u64>,
        actor: ActorName,
    },
    /// An application was turned down.
    ExemptionRefused { exemption: i64, entity: Commitment, actor: ActorName },
    /// An exemption ended early.
    ExemptionRevoked { exemption: i64, entity: Commitment, actor: ActorName },
    /// A permission of the platform is valid from `from_ms` until `until_ms`, up to so many IDs, or
    /// without a ceiling; `document` is the digest of its letter. One that names an exemption is
    /// about that one alone.
    PermissionEntered {
        permission: i64,
        entity: Commitment,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exemption: Option<i64>,
        from_ms: i64,
        until_ms: i64,
        ceiling_ids: Option<u64>,
        document: String,
        actor: ActorName,
    },
    /// A permission ended early.
    PermissionRevoked { permission: i64, entity: Commitment, actor: ActorName },
    /// Another profile is in force; without an old one and an actor, the first start of a gateway
    /// took it from its settings. The digests are of the profiles' whole texts.
    PolicySwitched {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        old: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        old_sha256: Option<String>,
        new: String,
        new_sha256: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<ActorName>,
    },
    /// A dataset was entered with its first release.
    DatasetRegistered { dataset: i64, release: String, actor: ActorName },
    /// A dataset was entered that is stripped in flight from that upstream of the settings.
    DatasetStreamed { dataset: i64, upstream: String, actor: ActorName },
    /// A dataset was given another release, which is current from now on.
    DatasetRefreshed { dataset: i64, release: String, actor: ActorName },
    /// A dataset has another title, or is seen by others: by `visibility`, from `embargo_ms` on.
    DatasetEdited {
        dataset: i64,
        visibility: String,
        entities: Vec<Commitment>,
        embargo_ms: Option<i64>,
        actor: ActorName,
    },
    /// Nobody sees a dataset any more.
    DatasetRetired { dataset: i64, actor: ActorName },
    /// A list of removals came into force with that version: `list` is the digest of all that it
    /// says, `removed_ids` and `restored_ids` are how many lines of releases went and came back.
    /// From here on no chunk of an earlier view is granted.
    RemovalsImported {
        import: i64,
        version: i64,
        list: String,
        events: u64,
        removed_ids: u64,
        restored_ids: u64,
        actor: ActorName,
    },
    /// A list of removals counts no longer, from that version on.
    RemovalsReverted {
        import: i64,
        version: i64,
        removed_ids: u64,
        restored_ids: u64,
        actor: ActorName,
    },
    /// A person of an exempt entity made a peer-review link, under that exemption: by it anybody
    /// may have these IDs until `expires_ms`, so many and in so many downloads at most.
    ShareMade {
        link: ShareId,
        person: Commitment,
        entity: Commitment,
        exemption: i64,
        dataset: i64,
        release: String,
        kind: IdKind,
        first: u64,
        ids: u64,
        purpose: String,
        face: String,
        downloads_max: u32,
        ids_max: u64,
        expires_ms: i64,
        actor: ActorName,
    },
    /// A link lives longer, and under that exemption.
    ShareExtended { link: ShareId, exemption: i64, expires_ms: i64, actor: ActorName },
    /// A link hands out nothing any more; it is a page with names.
    SharePublished { link: ShareId, actor: ActorName },
    /// A link hands out nothing any more.
    ShareRevoked { link: ShareId, actor: ActorName },
    /// Somebody, whom nobody knows, accepted documents at a link, each as `name@version`, and may
    /// begin that download.
    ShareTermsAccepted { link: ShareId, download: DownloadId, documents: Vec<String> },
    /// A chunk was charged and may be sent: `ids` IDs from ordinal `first` on of a release, or of
    /// a body or stream, whose bytes have that digest. A body belongs to no dataset. Who asked at a
    /// link, nobody knows: then there is no person, and `charges` names the link.
    Opened {
        delivery: DeliveryId,
        attempt: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<Commitment>,
        key: Option<KeyId>,
        kind: IdKind,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dataset: Option<i64>,
        #[serde(flatten)]
        content: Content,
        first: u64,
        ids: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        view: Option<View>,
        charges: Vec<Charge>,
        profile: String,
    },
    /// The bytes of these chunks have left: their window began in this leaf's minute.
    Settled { attempts: Vec<AttemptName> },
    /// No byte of this chunk was sent: it does not count any more.
    Released { attempt: AttemptName },
    /// Nothing was charged; `why` is the refusal's word. Of like refusals of one person only the
    /// first of a minute is a leaf. Who asked at a link, nobody knows: then `link` names it.
    Refused {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<Commitment>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<ShareId>,
        key: Option<KeyId>,
        kind: IdKind,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dataset: Option<i64>,
        first: u64,
        ids: u64,
        why: String,
    },
    /// A file of objects was charged to a person and may be sent to them.
    ObjectsOpened {
        delivery: DeliveryId,
        attempt: u32,
        person: Commitment,
        file: u64,
        objects: u64,
        charge: Charge,
        profile: String,
    },
    /// A file of objects was not charged; as [`Leaf::Refused`].
    ObjectsRefused { person: Commitment, file: u64, objects: u64, why: String },
    /// An earlier gateway's open charges are settled by the leaves that follow, its holds are gone,
    /// and so many of its deliveries are broken.
    LedgerStarted { incarnation: i64, broken: u64, profile: String },
    /// An instance never returns: its open charges are settled by the leaves that follow, its holds
    /// are gone, and so many of its deliveries are broken.
    InstanceRetired { incarnation: i64, broken: u64, actor: ActorName },
    /// Why the decision right before this leaf was made: a commitment to the reason.
    Reason { reason: Commitment },
    /// The salt behind a name was erased: it says no more whom its leaves are about.
    SaltErased { name: Commitment, actor: ActorName },
    /// What is live elsewhere counts at `target` as well, because a person joined or an entity was
    /// merged into it: IDs by the minute in which they were settled, and attempts that are open.
    Carried {
        target: RecipientName,
        kind: IdKind,
        settled: Vec<(i64, u64)>,
        open: Vec<(AttemptName, u64)>,
        actor: ActorName,
    },
    /// A part of the ledger is lost, and stands in for what it may have held: so many IDs of that
    /// kind, or objects, count as handed over in this leaf's minute.
    PhantomCharged { recipient: RecipientName, kind: Unit, ids: u64 },
    /// The ledger was frozen because its log was shorter than the head that is named here, or
    /// another one. It goes on without it: `replayed` of the entries that it lacked came back.
    /// `known_root` is the hash of the head's last entry if a gateway knew no more of it.
    LedgerThawed {
        known_size: u64,
        known_root: String,
        log_size: u64,
        replayed: u64,
        phantoms: u64,
        actor: ActorName,
    },
    /// Ledger time was behind and has caught up: what was settled from minute `since` on by its
    /// reckoning counts `by` minutes longer.
    LedgerTimeLeapt { since: i64, by: i64 },
    /// An operator vouched for the wall clock, and ledger time moved on to it.
    LedgerClockAccepted { from_ms: i64, to_ms: i64, actor: ActorName },
    /// Full objects of so many IDs are fetched from the platform into the operator's archive, with
    /// that credential of the settings.
    HydrationBegun {
        hydration: String,
        kind: IdKind,
        ids: u64,
        credential: String,
        actor: ActorName,
    },
    /// Every ID of a hydration has an outcome; of so many there is a public object.
    HydrationEnded { hydration: String, ids: u64, found: u64, actor: ActorName },
    /// The platform stops a credential of the settings: `usage-cap`, `unauthenticated`,
    /// `forbidden`. Until `until_ms` it is not used.
    UpstreamStopped {
        credential: String,
        why: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_ms: Option<i64>,
        actor: ActorName,
    },
    /// The platform was asked which of so many IDs are gone, and the job has that state now;
    /// `result` is the SHA-256 of its answer.
    ComplianceJobNoted {
        job: String,
        kind: IdKind,
        ids: u64,
        state: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<String>,
        actor: ActorName,
    },
}

impl Leaf {
    /// The one delivery that it is about; a leaf about many, or none, belongs to nobody's receipt.
    pub fn delivery(&self) -> Option<DeliveryId> {
        match self {
            Leaf::Opened { delivery, .. } | Leaf::ObjectsOpened { delivery, .. } => Some(*delivery),
            Leaf::Released { attempt } => Some(attempt.0),
            _ => None,
        }
    }
}

/// What says which IDs a chunk has: one field of its leaf, `release` or `sha256`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// The immutable release that they stand in.
    Release(String),
    /// The SHA-256 of the bytes that were sent for them, in hexadecimal.
    Sha256(String),
}

/// Which view of a release a chunk is of: its IDs are those from its first ordinal up to `end`,
/// without what the removals of that version leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The version.
    pub version: i64,
    /// The first ordinal after the chunk.
    pub end: u64,
}

/// What one recipient was charged for a chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Whose meter.
    pub recipient: RecipientName,
    /// Why it may receive: `limit`, `exemption:7`, `permission:3`.
    pub basis: String,
    /// For which version of its use case, if it has one that is approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_case: Option<u32>,
    /// Where an element counts once: how much of the charge was new to the recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_ids: Option<u64>,
    /// How many IDs are live at that meter with this charge.
    pub live_ids: u64,
}

/// One attempt to hand over a chunk: the delivery and the attempt's number within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptName(pub DeliveryId, pub u32);
