//! The table of tempting designs that break the limit: each changes one answer of the right one,
//! and a model has to show how it breaks a promise.

use crate::design::promise::{BALANCED, COVERED, ENDED, FITS, GONE, LIMIT, OVER, OWNED, WHOLE};
use crate::design::{
    Arithmetic, Attempts, CertainlyNew, Charged, Commit, CountRead, CutOff, Design, Ended,
    FileAsked, FileCharged, FileHeld, Grace, Joining, Leaps, LinkCeiling, LinkCounts, MaybeSeen,
    Membership, Merging, Over, Predecessor, RIGHT, References, Restored, RightToSend, Seen,
    SilentPeer, Stamp, Successor, Time, UnknownOutcome, WindowStarts,
};
use crate::scope::{
    ENTITIES_JOINED, ENTITIES_MERGED, LINK, ONE_GATEWAY, RESTORED, Scope, TWO_GATEWAYS, TWO_LINKS,
};

/// Which model shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    Protocol(Scope),
    Distinct,
    Window,
    Clock,
    Transaction,
    Kept,
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
const LINKED: Model = Model::Protocol(LINK);
const TWO_LINKED: Model = Model::Protocol(TWO_LINKS);
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
    // Who opens a link.
    wrong(
        "a link goes on after its exemption ended",
        Design { ended: Ended::LookedUpAtTheAdmission, ..RIGHT },
        LINKED,
        ENDED,
    ),
    wrong(
        "what a link has handed out leaves with the window of entities",
        Design { link_counts: LinkCounts::WithinTheWindow, ..RIGHT },
        LINKED,
        LIMIT,
    ),
    wrong(
        "each link has the whole ceiling of its exemption",
        Design { link_ceiling: LinkCeiling::EachAll, ..RIGHT },
        TWO_LINKED,
        OVER,
    ),
    // What is kept.
    wrong(
        "a file is looked at when it is shown, and charged later",
        Design { file_charged: FileCharged::IfTheRowWasGoodBefore, ..RIGHT },
        Model::Kept,
        GONE,
    ),
    wrong(
        "a file that is charged is sent to its end",
        Design { file_asked: FileAsked::AtTheCharge, ..RIGHT },
        Model::Kept,
        GONE,
    ),
    wrong(
        "a file is held against removals, and then it is asked which version that was",
        Design { file_held: FileHeld::ThenAskedForTheVersion, ..RIGHT },
        Model::Kept,
        GONE,
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
