//! The design that keeps the limit, and the table of tempting ones that do not: each changes one
//! answer of the right one. What a model does with an answer is not here.

use crate::scope::{ENTITIES_JOINED, ENTITIES_MERGED, ONE_GATEWAY, RESTORED, Scope, TWO_GATEWAYS};
use promise::{BALANCED, COVERED, FITS, LIMIT, OVER, OWNED, WHOLE};

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
    /// What a meter says is the sum of its rows.
    pub const BALANCED: &str = "live is the sum of its rows";
    /// Who has taken a whole answer has every ID of it.
    pub const WHOLE: &str = "no ID is lost";
    /// An open charge whose attempt nobody knows would count for ever.
    pub const OWNED: &str = "every open charge is somebody's";
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
};

/// Which model shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    Protocol(Scope),
    Distinct,
    Window,
    Clock,
    Transaction,
}

/// A tempting design.
#[derive(Clone, Copy, Debug)]
pub struct Wrong {
    /// What it does otherwise.
    pub says: &'static str,
    pub design: Design,
    pub model: Model,
    /// The promise that it breaks.
    pub breaks: &'static str,
}

const fn wrong(says: &'static str, design: Design, model: Model, breaks: &'static str) -> Wrong {
    Wrong { says, design, model, breaks }
}

const ONE: Model = Model::Protocol(ONE_GATEWAY);
const TWO: Model = Model::Protocol(TWO_GATEWAYS);
const JOINED: Model = Model::Protocol(ENTITIES_JOINED);
const MERGED: Model = Model::Protocol(ENTITIES_MERGED);
const BACKUP: Model = Model::Protocol(RESTORED);

/// Every design that looks good and is not.
pub const WRONG: &[Wrong] = &[
    // What counts.
    wrong(
        "buckets of one window's length, aligned to the epoch",
        Design { arithmetic: Arithmetic::EpochBuckets, ..RIGHT },
        Model::Window,
        LIMIT,
    ),
    wrong(
        "two aligned windows, the earlier weighted by what of it is still in the window",
        Design { arithmetic: Arithmetic::TwoWeightedWindows, ..RIGHT },
        Model::Window,
        LIMIT,
    ),
    wrong(
        "a token bucket",
        Design { arithmetic: Arithmetic::TokenBucket, ..RIGHT },
        Model::Window,
        LIMIT,
    ),
    wrong(
        "a bucket leaves with its first instant",
        Design { arithmetic: Arithmetic::LeavesWithItsFirstInstant, ..RIGHT },
        Model::Window,
        LIMIT,
    ),
    // The right to send.
    wrong(
        "a reservation that expires gives the right to send",
        Design { right_to_send: RightToSend::Reservation, ..RIGHT },
        ONE,
        LIMIT,
    ),
    wrong("charge after sending", Design { right_to_send: RightToSend::Room, ..RIGHT }, ONE, LIMIT),
    wrong(
        "the window starts when the charge is written",
        Design { window_starts: WindowStarts::WhenCharged, ..RIGHT },
        ONE,
        LIMIT,
    ),
    // What broke off.
    wrong(
        "refund what a disconnected client did not confirm, although the kernel took it",
        Design { cut_off: CutOff::RefundsWhatWasNotConfirmed, ..RIGHT },
        ONE,
        LIMIT,
    ),
    wrong(
        "refund what a dead process had open",
        Design { successor: Successor::Refunds, ..RIGHT },
        ONE,
        LIMIT,
    ),
    wrong(
        "no grace for what the kernel of a dead process still delivers",
        Design { grace: Grace::None, ..RIGHT },
        ONE,
        LIMIT,
    ),
    wrong(
        "attempts are named after their worker",
        Design { attempts: Attempts::AreNamedAfterTheirWorker, ..RIGHT },
        ONE,
        LIMIT,
    ),
    wrong(
        "a successor starts while its predecessor is only paused",
        Design { predecessor: Predecessor::IsTakenForDead, ..RIGHT },
        ONE,
        COVERED,
    ),
    wrong(
        "a peer settles a silent instance's open charges after a time-out",
        Design { silent_peer: SilentPeer::IsSettledAfterATimeOut, ..RIGHT },
        TWO,
        LIMIT,
    ),
    // People and entities.
    wrong(
        "of a person's entities one is charged",
        Design { membership: Membership::OneEntityIsCharged, ..RIGHT },
        JOINED,
        FITS,
    ),
    wrong(
        "a person who joins brings nothing along",
        Design { joining: Joining::BringsNothing, ..RIGHT },
        JOINED,
        FITS,
    ),
    wrong(
        "a person who joins brings along what is settled, and not what is open",
        Design { joining: Joining::CopiesWhatIsSettled, ..RIGHT },
        JOINED,
        FITS,
    ),
    wrong(
        "a merge forgets open charges",
        Design { merging: Merging::AddsWhatIsSettled, ..RIGHT },
        MERGED,
        FITS,
    ),
    wrong(
        "a merge takes what two entities received in one minute for the same",
        Design { merging: Merging::AddsUpToTheLarger, ..RIGHT },
        MERGED,
        FITS,
    ),
    wrong(
        "the people of a merged entity move before its charges",
        Design { merging: Merging::MovesPeopleFirst, ..RIGHT },
        MERGED,
        FITS,
    ),
    wrong(
        "an admission in flight at the merge is charged to the old entity only",
        Design { charged: Charged::RememberedFromTheAdmission, ..RIGHT },
        MERGED,
        FITS,
    ),
    wrong(
        "what is held may be opened while the entity is over",
        Design { over: Over::WhatIsHeldOrSeen, ..RIGHT },
        JOINED,
        OVER,
    ),
    // What was distinct.
    wrong(
        "an ID seen before is free, without refreshing its date",
        Design { seen: Seen::IsFreeAsItStands, ..RIGHT },
        Model::Distinct,
        LIMIT,
    ),
    wrong(
        "an ID is free because another stream charged it, whose charge is then released",
        Design { references: References::OnePerEntity, ..RIGHT },
        Model::Distinct,
        LIMIT,
    ),
    wrong(
        "a filter's maybe seen is free",
        Design { maybe_seen: MaybeSeen::Free, ..RIGHT },
        Model::Distinct,
        LIMIT,
    ),
    wrong(
        "a filter's maybe seen is skipped",
        Design { maybe_seen: MaybeSeen::Skip, ..RIGHT },
        Model::Distinct,
        WHOLE,
    ),
    wrong(
        "a filter that forgot decides what is new",
        Design { certainly_new: CertainlyNew::CountsOnceMore, ..RIGHT },
        Model::Distinct,
        BALANCED,
    ),
    wrong(
        "seen IDs are sent while the entity is over",
        Design { over: Over::WhatIsHeldOrSeen, ..RIGHT },
        Model::Distinct,
        OVER,
    ),
    wrong(
        "a permission that has ended still lifts the ceiling",
        Design { charged: Charged::RememberedFromTheAdmission, ..RIGHT },
        Model::Distinct,
        OVER,
    ),
    // Whose time.
    wrong(
        "the wall clock, which somebody sets",
        Design { time: Time::WallClock, ..RIGHT },
        Model::Clock,
        LIMIT,
    ),
    wrong(
        "the wall clock of each process, two ticks apart",
        Design { time: Time::ApartWallClocks, ..RIGHT },
        Model::Clock,
        LIMIT,
    ),
    wrong(
        "the wall clock is believed as soon as the machine has started",
        Design { time: Time::WallClockAfterReboot, ..RIGHT },
        Model::Clock,
        LIMIT,
    ),
    wrong(
        "what was settled while ledger time was behind keeps its date",
        Design { leaps: Leaps::Leave, ..RIGHT },
        Model::Clock,
        LIMIT,
    ),
    // Inside the database.
    wrong(
        "one statement locks and counts",
        Design { count: CountRead::WithTheLock, ..RIGHT },
        Model::Transaction,
        LIMIT,
    ),
    wrong(
        "an advisory lock as the first statement of REPEATABLE READ",
        Design { count: CountRead::OfTheTransaction, ..RIGHT },
        Model::Transaction,
        LIMIT,
    ),
    wrong(
        "now() is when the transaction began",
        Design { stamp: Stamp::TransactionStart, ..RIGHT },
        Model::Transaction,
        LIMIT,
    ),
    wrong(
        "a replica says what is live",
        Design { count: CountRead::OfAReplica, ..RIGHT },
        Model::Transaction,
        LIMIT,
    ),
    wrong(
        "a commit that is not on the disk (synchronous=NORMAL, synchronous_commit=off)",
        Design { commit: Commit::InMemory, ..RIGHT },
        Model::Transaction,
        LIMIT,
    ),
    wrong(
        "send while the commit is under way",
        Design { commit: Commit::Sent, ..RIGHT },
        Model::Transaction,
        LIMIT,
    ),
    wrong(
        "a commit whose answer was lost is taken as done",
        Design { unknown_outcome: UnknownOutcome::TakenAsDone, ..RIGHT },
        Model::Transaction,
        LIMIT,
    ),
    wrong(
        "a commit whose answer was lost is looked up without its lock",
        Design { unknown_outcome: UnknownOutcome::LookedUpAtOnce, ..RIGHT },
        Model::Transaction,
        OWNED,
    ),
    // What was put back.
    wrong(
        "last night's backup is restored, and service goes on",
        Design { restored: Restored::GoesOn, ..RIGHT },
        BACKUP,
        LIMIT,
    ),
    wrong(
        "a restored ledger thaws without a charge for the gap",
        Design { restored: Restored::FreezesAndForgetsTheGap, ..RIGHT },
        BACKUP,
        LIMIT,
    ),
];
