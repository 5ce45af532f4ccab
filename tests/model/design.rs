//! The design that keeps the limit: one answer to each question on which a design may go wrong.
//! What a model does with an answer is not here.

/// What a model shows to be kept or broken.
pub mod promise {
    /// For every instant t: what arrived in (t − window, t] is not more than the limit.
    pub const LIMIT: &str = "the limit holds in every window";
    /// Nothing is handed to the kernel that is not charged to everybody who has to be.
    pub const CHARGED: &str = "nothing is sent that is not charged";
    /// Whatever arrived within the window, or still may arrive, counts as live.
    pub const COVERED: &str = "nothing expires early";
    /// Together with all that arrived or may arrive, a grant fits below the ceiling.
    pub const FITS: &str = "what is granted fits";
    /// While more is live than the ceiling, nothing is granted.
    pub const OVER: &str = "over the ceiling nothing is granted";
    /// Once what entitles a link is over, it is granted nothing.
    pub const ENDED: &str = "a link hands out nothing after its exemption ended";
    /// What a meter says is the sum of its rows.
    pub const BALANCED: &str = "live is the sum of its rows";
    /// Who has taken a whole answer has every ID of it.
    pub const WHOLE: &str = "no ID is lost";
    /// An open charge whose attempt nobody knows would count for ever.
    pub const OWNED: &str = "every open charge is somebody's";
    /// No frame of a file leaves, and none is charged, once something in it is removed.
    pub const GONE: &str = "a file that is hit is not handed over";
    /// Ledger time is never ahead of the truth.
    pub const NOT_AHEAD: &str = "ledger time is never ahead";
    /// Ledger time never goes back.
    pub const FORWARD: &str = "ledger time never goes back";
}

/// One answer to each question on which a design may go wrong.
#[derive(Clone, Copy, Debug)]
pub struct Design {
    pub right_to_send: RightToSend,
    pub window_starts: WindowStarts,
    pub cut_off: CutOff,
    pub successor: Successor,
    pub predecessor: Predecessor,
    pub attempts: Attempts,
    pub silent_peer: SilentPeer,
    pub grace: Grace,
    pub membership: Membership,
    pub joining: Joining,
    pub merging: Merging,
    pub charged: Charged,
    pub ended: Ended,
    pub link_counts: LinkCounts,
    pub link_ceiling: LinkCeiling,
    pub over: Over,
    pub restored: Restored,
    pub seen: Seen,
    pub references: References,
    pub maybe_seen: MaybeSeen,
    pub certainly_new: CertainlyNew,
    pub arithmetic: Arithmetic,
    pub time: Time,
    pub leaps: Leaps,
    pub count: CountRead,
    pub stamp: Stamp,
    pub commit: Commit,
    pub unknown_outcome: UnknownOutcome,
    pub file_held: FileHeld,
    pub file_charged: FileCharged,
    pub file_asked: FileAsked,
}

/// What a stream needs before it may hand an ID to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RightToSend {
    /// A confirmed charge.
    Grant,
    /// A reservation, which becomes a charge afterwards; it expires, and whatever is left of it
    /// when its process dies is charged.
    Reservation,
    /// Room that was kept until the process ends; the charge is written afterwards.
    Room,
}

/// When the window of a charge begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowStarts {
    WhenSettled,
    WhenCharged,
}

/// What becomes of a chunk whose bytes the kernel took before the connection broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutOff {
    SettlesWhatWasTouched,
    RefundsWhatWasNotConfirmed,
}

/// What the successor of a dead process does with what is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Successor {
    Settles,
    Refunds,
}

/// What a successor waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predecessor {
    /// The lock on the data folder, which only a dead process lets go.
    IsDead,
    IsTakenForDead,
}

/// How an attempt is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    EachHasItsName,
    /// By its worker and its place in the delivery; the worker's next incarnation goes on with
    /// the rows of that name.
    AreNamedAfterTheirWorker,
}

/// What happens to the open charges of an instance that is not heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SilentPeer {
    IsLeftAlone,
    IsSettledAfterATimeOut,
}

/// How much longer than the window a charge counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grace {
    /// As long as the kernel may go on delivering for a process that is dead.
    Kept,
    None,
}

/// Which entities of a person are charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    EveryEntityIsCharged,
    OneEntityIsCharged,
}

/// What a person brings along who joins an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joining {
    CopiesWhatIsLive,
    /// What is open is copied by nobody when it is settled.
    CopiesWhatIsSettled,
    BringsNothing,
}

/// What an entity gets into which another one is merged, with its people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merging {
    /// What is open, and for each person and minute what it does not have yet.
    AddsWhatIsLive,
    /// The open charges stay with the source, and are settled there.
    AddsWhatIsSettled,
    /// For each minute what it does not have yet, whoever received it.
    AddsUpToTheLarger,
    /// What is live follows in a transaction of its own.
    MovesPeopleFirst,
}

/// Who is charged for the further chunks of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charged {
    /// Every entity that the person belongs to when the chunk is opened.
    LookedUpForEachChunk,
    /// Those that they belonged to when the delivery was admitted, up to the ceilings of then.
    RememberedFromTheAdmission,
}

/// When it is looked up whether what entitles a link is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    LookedUpForEachChunk,
    LookedUpAtTheAdmission,
}

/// How long what a link has handed out counts there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkCounts {
    AsLongAsItLives,
    WithinTheWindow,
}

/// What of the ceiling of their exemption a link may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkCeiling {
    /// What the others have not handed out and do not hold.
    LeftByOthers,
    /// All of it.
    EachAll,
}

/// What an entity over its ceiling is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    Nothing,
    /// What it has room for by a hold, or has seen before.
    WhatIsHeldOrSeen,
}

/// What happens when a ledger turns out to be older than its newest known head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// It is frozen; thawing charges every ceiling once for what is unknown.
    FreezesAndChargesTheGap,
    FreezesAndForgetsTheGap,
    GoesOn,
}

/// What happens to the date of an ID that is handed over again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    IsOpenedAgain,
    IsFreeAsItStands,
}

/// Whose an open reference to a distinct ID is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum References {
    OnePerAttempt,
    OnePerEntity,
}

/// What a filter's "maybe seen" means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaybeSeen {
    LookItUp,
    Free,
    Skip,
}

/// What a filter's "certainly new" means; a filter may have forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertainlyNew {
    TheSetDecides,
    CountsOnceMore,
}

/// How what counts is told from what does not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// Buckets of a minute that leave when their last instant has (`policy::Window`).
    TrailingBuckets,
    LeavesWithItsFirstInstant,
    EpochBuckets,
    TwoWeightedWindows,
    TokenBucket,
}

/// Whose clock says what has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// The ledger's (`policy::LedgerTime`).
    Ledger,
    /// The wall clock, which may be set.
    WallClock,
    /// The wall clock of the process that asks; none is ever set, but two are apart.
    ApartWallClocks,
    /// The ledger's within a boot, but the wall clock at once after a new one.
    WallClockAfterReboot,
}

/// What happens to what was settled while ledger time was behind, once it has caught up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaps {
    PutForward,
    Leave,
}

/// With which snapshot a transaction counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountRead {
    /// READ COMMITTED: lock the row in a statement of its own, then count.
    AfterTheLock,
    /// READ COMMITTED: one statement locks and counts with the snapshot of its beginning.
    WithTheLock,
    /// REPEATABLE READ, an advisory lock first: its statement takes the snapshot, then waits.
    OfTheTransaction,
    /// A replica is asked for the count.
    OfAReplica,
}

/// Which time a transaction writes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// `clock_timestamp()` after the lock.
    AfterTheLock,
    /// `now()`, when the transaction began.
    TransactionStart,
}

/// When a commit counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// When it is on the disk.
    Durable,
    /// SQLite's `synchronous=NORMAL` in WAL, PostgreSQL's `synchronous_commit=off`.
    InMemory,
    /// When it is under way.
    Sent,
}

/// What a gateway does whose connection was cut during COMMIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownOutcome {
    /// By the attempt's name, and under the lock, which whoever may still commit it holds.
    LookedUpUnderTheLock,
    LookedUpAtOnce,
    TakenAsDone,
}

/// How a kept file is held against the removals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileHeld {
    /// What is in it and the version are asked in one look.
    InOneLook,
    /// The version is asked afterwards.
    ThenAskedForTheVersion,
}

/// When a kept file may be charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileCharged {
    IfTheRowIsGoodInTheTransaction,
    /// It was when its person was shown it.
    IfTheRowWasGoodBefore,
}

/// When it is asked whether a file that is charged may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileAsked {
    BeforeEachFrame,
    AtTheCharge,
}

/// The design of `src/ledger`.
pub const RIGHT: Design = Design {
    right_to_send: RightToSend::Grant,
    window_starts: WindowStarts::WhenSettled,
    cut_off: CutOff::SettlesWhatWasTouched,
    successor: Successor::Settles,
    predecessor: Predecessor::IsDead,
    attempts: Attempts::EachHasItsName,
    silent_peer: SilentPeer::IsLeftAlone,
    grace: Grace::Kept,
    membership: Membership::EveryEntityIsCharged,
    joining: Joining::CopiesWhatIsLive,
    merging: Merging::AddsWhatIsLive,
    charged: Charged::LookedUpForEachChunk,
    ended: Ended::LookedUpForEachChunk,
    link_counts: LinkCounts::AsLongAsItLives,
    link_ceiling: LinkCeiling::LeftByOthers,
    over: Over::Nothing,
    restored: Restored::FreezesAndChargesTheGap,
    seen: Seen::IsOpenedAgain,
    references: References::OnePerAttempt,
    maybe_seen: MaybeSeen::LookItUp,
    certainly_new: CertainlyNew::TheSetDecides,
    arithmetic: Arithmetic::TrailingBuckets,
    time: Time::Ledger,
    leaps: Leaps::PutForward,
    count: CountRead::AfterTheLock,
    stamp: Stamp::AfterTheLock,
    commit: Commit::Durable,
    unknown_outcome: UnknownOutcome::LookedUpUnderTheLock,
    file_held: FileHeld::InOneLook,
    file_charged: FileCharged::IfTheRowIsGoodInTheTransaction,
    file_asked: FileAsked::BeforeEachFrame,
};
