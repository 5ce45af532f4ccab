//! The statements inside a transaction as a model: two gateways on one database with a lock, row
//! versions, commits that may be lost, and connections that are cut. The protocol that the
//! transactions make up is `protocol.rs`'s.
//!
//! A statement sees what was committed when its snapshot was taken. READ COMMITTED takes one at
//! the beginning of each statement, before the statement waits for a lock; REPEATABLE READ takes
//! one at the beginning of the first. SQLite's single writer is the same with one gateway's
//! transactions waiting for the other's. Every delivery is one ID.

use stateright::Property;

use crate::ages::Ages;
use crate::design::{Commit, CountRead, Design, Stamp, UnknownOutcome, promise};
use crate::{Question, Questioned};

const GATEWAYS: usize = 2;
/// Ticks.
const WINDOW: u8 = 2;
/// Ticks.
const GRACE: u8 = 1;
/// From which age on a bucket counts no more.
const LEAVES_AT: u8 = WINDOW + GRACE;

/// The model.
pub struct Transaction {
    pub design: Design,
    /// How many IDs may arrive in any window.
    pub ceiling: u8,
    /// How often the power fails.
    pub losses: u8,
    /// How often a connection to the database is cut.
    pub cuts: u8,
    pub question: Question,
}

/// Everything there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    committed: Rows,
    /// What the disk has, or the replica; the same as what is committed, in the right design.
    copied: Rows,
    /// Who holds the lock of the only entity there is.
    lock: Option<usize>,
    gateways: [Gateway; GATEWAYS],
    received: Ages,
    losses: u8,
    cuts: u8,
    sent_uncharged: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Rows {
    /// Whether each gateway's only attempt is open.
    open: [bool; GATEWAYS],
    /// Settled charges by their stamp.
    buckets: Ages,
}

/// A gateway: what it hands over, and its transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Gateway {
    chunk: Chunk,
    transaction: Option<Under>,
    /// Whether the connection was cut while the transaction committed.
    is_cut_off: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Chunk {
    #[default]
    None,
    /// Charged, by what the gateway knows.
    Granted,
    Kernel,
    Left,
    /// The gateway does not know whether it is charged.
    Unknown,
}

/// A transaction under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Under {
    what: What,
    stage: Stage,
    /// How many ticks ago it began.
    began: u8,
    /// What it sees, if that is not what is committed when it looks.
    snapshot: Option<Rows>,
    /// How many ticks ago the time was that it writes down.
    stamp: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    Charge,
    Settle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Begun,
    Waiting,
    Locked,
    Written,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `BEGIN`.
    Begin(usize, What),
    /// The statement that locks begins; its snapshot is taken.
    Lock(usize),
    /// It has the lock and ends.
    Acquire(usize),
    /// The time is read, what counts is counted, the change is written, or all is rolled back.
    Write(usize),
    /// `COMMIT`, and its answer.
    Commit(usize),
    /// The connection is cut between `COMMIT` and its answer.
    Cut(usize),
    /// The database goes on with what the cut connection sent, if it got there.
    Outlive { gateway: usize, commits: bool },
    /// A new connection asks what became of the attempt.
    LookUp(usize),
    /// The kernel takes the chunk.
    Send(usize),
    /// The client receives it.
    Receive(usize),
    /// What is committed reaches the disk, or the replica.
    Copy,
    /// The power fails; the gateways start again and settle what is open.
    PowerLoss,
    /// A tick goes by.
    Tick,
}

impl Rows {
    fn live(&self, now: u8) -> u8 {
        let open = self.open.iter().filter(|open| **open).count();
        // By a clock that shows an earlier time, less has left.
        let counted = (LEAVES_AT + now).min(2 * LEAVES_AT);
        self.buckets.younger_than(counted) + u8::try_from(open).expect("there are two")
    }

    fn settle(&mut self, gateway: usize, stamp: u8) {
        if std::mem::take(&mut self.open[gateway]) {
            self.buckets.add(stamp, 1);
        }
    }

    fn tick(&mut self) {
        self.buckets.tick(2 * LEAVES_AT);
        self.buckets.take_from(2 * LEAVES_AT);
    }
}

impl Transaction {
    fn is_copied_at_once(&self) -> bool {
        self.design.commit != Commit::InMemory && self.design.count != CountRead::OfAReplica
    }

    /// The statement that locks begins.
    fn lock(&self, state: &mut State, gateway: usize) {
        let committed = state.committed;
        let under = state.gateways[gateway].under();
        under.stage = Stage::Waiting;
        under.snapshot = match self.design.count {
            CountRead::AfterTheLock | CountRead::OfAReplica => None,
            CountRead::WithTheLock | CountRead::OfTheTransaction => Some(committed),
        };
    }

    fn write(&self, state: &mut State, gateway: usize) {
        let seen = match self.design.count {
            CountRead::OfAReplica => state.copied,
            _ => state.committed,
        };
        let has_left = state.gateways[gateway].chunk == Chunk::Left;
        let under = state.gateways[gateway].under();
        under.stamp = match self.design.stamp {
            Stamp::AfterTheLock => 0,
            Stamp::TransactionStart => under.began,
        };
        let seen = under.snapshot.take().unwrap_or(seen);
        let fits = seen.live(under.stamp) < self.ceiling;
        let does = match under.what {
            What::Charge => fits,
            What::Settle => has_left,
        };
        if does {
            under.stage = Stage::Written;
            if under.what == What::Charge && self.design.commit == Commit::Sent {
                state.gateways[gateway].chunk = Chunk::Granted;
            }
        } else {
            state.gateways[gateway].transaction = None;
            state.lock = None;
        }
    }

    /// The database carries out a commit, or does not.
    fn finish(&self, state: &mut State, gateway: usize, commits: bool) {
        let under = state.gateways[gateway].transaction.take().expect("it is under way");
        state.lock = None;
        if commits {
            match under.what {
                What::Charge => state.committed.open[gateway] = true,
                What::Settle => state.committed.settle(gateway, under.stamp),
            }
            if self.is_copied_at_once() {
                state.copied = state.committed;
            }
        }
    }

    fn commit(&self, state: &mut State, gateway: usize) {
        let what = state.gateways[gateway].under().what;
        self.finish(state, gateway, true);
        let chunk = &mut state.gateways[gateway].chunk;
        match what {
            What::Charge if *chunk == Chunk::None => *chunk = Chunk::Granted,
            What::Charge => {}
            What::Settle => *chunk = Chunk::None,
        }
    }

    fn cut(&self, state: &mut State, gateway: usize) {
        state.cuts += 1;
        let process = &mut state.gateways[gateway];
        process.is_cut_off = true;
        if process.chunk == Chunk::None {
            process.chunk = match self.design.unknown_outcome {
                UnknownOutcome::TakenAsDone => Chunk::Granted,
                _ => Chunk::Unknown,
            };
        }
    }

    fn look_up(&self, state: &mut State, gateway: usize) {
        let is_open = state.committed.open[gateway];
        let process = &mut state.gateways[gateway];
        process.chunk = if is_open { Chunk::Granted } else { Chunk::None };
        process.is_cut_off = process.transaction.is_some();
    }

    fn power_loss(&self, state: &mut State) {
        state.losses += 1;
        state.committed = state.copied;
        (0..GATEWAYS).for_each(|gateway| state.committed.settle(gateway, 0));
        state.copied = state.committed;
        state.gateways = Default::default();
        state.lock = None;
    }

    fn tick(&self, state: &mut State) {
        state.committed.tick();
        state.copied.tick();
        state.received.tick(WINDOW);
        state.received.take_from(WINDOW);
        for under in state.gateways.iter_mut().filter_map(|g| g.transaction.as_mut()) {
            under.began = (under.began + 1).min(LEAVES_AT);
            under.stamp = (under.stamp + 1).min(LEAVES_AT);
            under.snapshot.iter_mut().for_each(Rows::tick);
        }
    }

    fn steps_of(&self, state: &State, gateway: usize, steps: &mut Vec<Step>) {
        let process = &state.gateways[gateway];
        match process.chunk {
            Chunk::Granted => steps.push(Step::Send(gateway)),
            Chunk::Kernel => steps.push(Step::Receive(gateway)),
            Chunk::None | Chunk::Left | Chunk::Unknown => {}
        }
        match &process.transaction {
            _ if process.is_cut_off => self.steps_after_cut(state, gateway, steps),
            None => match process.chunk {
                Chunk::None => steps.push(Step::Begin(gateway, What::Charge)),
                // The steps that wait are taken when the lock is there.
                Chunk::Kernel | Chunk::Left => steps.push(Step::Begin(gateway, What::Settle)),
                Chunk::Granted | Chunk::Unknown => {}
            },
            Some(under) => match under.stage {
                Stage::Begun => steps.push(Step::Lock(gateway)),
                Stage::Waiting if state.lock.is_none() => steps.push(Step::Acquire(gateway)),
                Stage::Waiting => {}
                Stage::Locked => steps.push(Step::Write(gateway)),
                Stage::Written => {
                    steps.push(Step::Commit(gateway));
                    if state.cuts < self.cuts {
                        steps.push(Step::Cut(gateway));
                    }
                }
            },
        }
    }

    fn steps_after_cut(&self, state: &State, gateway: usize, steps: &mut Vec<Step>) {
        let process = &state.gateways[gateway];
        let is_pending = process.transaction.is_some();
        if is_pending {
            steps.extend([true, false].map(|commits| Step::Outlive { gateway, commits }));
        }
        let may_look = match self.design.unknown_outcome {
            UnknownOutcome::LookedUpUnderTheLock => state.lock.is_none(),
            UnknownOutcome::LookedUpAtOnce | UnknownOutcome::TakenAsDone => true,
        };
        if process.chunk == Chunk::Unknown && may_look {
            steps.push(Step::LookUp(gateway));
        }
    }
}

impl Gateway {
    fn under(&mut self) -> &mut Under {
        self.transaction.as_mut().expect("a transaction is under way")
    }
}

impl stateright::Model for Transaction {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        steps.push(Step::Tick);
        (0..GATEWAYS).for_each(|gateway| self.steps_of(state, gateway, steps));
        if state.losses < self.losses {
            steps.push(Step::PowerLoss);
        }
        if state.copied != state.committed {
            steps.push(Step::Copy);
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match step {
            Step::Begin(gateway, what) => {
                let (stage, snapshot) = (Stage::Begun, None);
                let under = Under { what, stage, began: 0, snapshot, stamp: 0 };
                state.gateways[gateway].transaction = Some(under);
            }
            Step::Lock(gateway) => self.lock(&mut state, gateway),
            Step::Acquire(gateway) => {
                state.lock = Some(gateway);
                state.gateways[gateway].under().stage = Stage::Locked;
            }
            Step::Write(gateway) => self.write(&mut state, gateway),
            Step::Commit(gateway) => self.commit(&mut state, gateway),
            Step::Cut(gateway) => self.cut(&mut state, gateway),
            Step::Outlive { gateway, commits } => {
                self.finish(&mut state, gateway, commits);
                state.gateways[gateway].is_cut_off = false;
            }
            Step::LookUp(gateway) => self.look_up(&mut state, gateway),
            Step::Send(gateway) => {
                state.gateways[gateway].chunk = Chunk::Kernel;
                state.sent_uncharged |= !state.committed.open[gateway];
            }
            Step::Receive(gateway) => {
                state.gateways[gateway].chunk = Chunk::Left;
                state.received.add(0, 1);
            }
            Step::Copy => state.copied = state.committed,
            Step::PowerLoss => self.power_loss(&mut state),
            Step::Tick => self.tick(&mut state),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Transaction>> {
        match self.question {
            Question::IsAlwaysTrue => promises(),
            Question::Happens => happenings(),
        }
    }
}

fn promises() -> Vec<Property<Transaction>> {
    vec![
        Property::always(promise::LIMIT, |model: &Transaction, state: &State| {
            state.received.sum() <= model.ceiling
        }),
        Property::always(promise::CHARGED, |_, state: &State| !state.sent_uncharged),
        Property::always(promise::COVERED, |_, state: &State| {
            let may_arrive = |g: &&Gateway| matches!(g.chunk, Chunk::Granted | Chunk::Kernel);
            let on_the_way = state.gateways.iter().filter(may_arrive).count();
            usize::from(state.committed.live(0)) >= usize::from(state.received.sum()) + on_the_way
        }),
        Property::always(promise::OWNED, |_, state: &State| {
            (0..GATEWAYS).all(|gateway| {
                !state.committed.open[gateway] || state.gateways[gateway].chunk != Chunk::None
            })
        }),
    ]
}

fn happenings() -> Vec<Property<Transaction>> {
    vec![
        Property::sometimes("one waits for the other's lock", |_, state: &State| {
            let waits =
                |g: &Gateway| g.transaction.as_ref().is_some_and(|u| u.stage == Stage::Waiting);
            state.lock.is_some() && state.gateways.iter().any(waits)
        }),
        Property::sometimes("all of the ceiling arrives", |model: &Transaction, state: &State| {
            state.received.sum() == model.ceiling
        }),
        Property::sometimes("a charge is refused", |model: &Transaction, state: &State| {
            let locked = state.gateways.iter().filter_map(|g| g.transaction.as_ref());
            let mut locked = locked.filter(|under| under.stage == Stage::Locked);
            locked.any(|under| under.what == What::Charge)
                && state.committed.live(0) >= model.ceiling
        }),
        Property::sometimes("a lock is long in coming", |_, state: &State| {
            let mut under = state.gateways.iter().filter_map(|g| g.transaction.as_ref());
            under.any(|under| under.stage == Stage::Locked && under.began == LEAVES_AT)
        }),
        Property::sometimes("a commit outlives its connection", |_, state: &State| {
            (0..GATEWAYS).any(|gateway| {
                state.committed.open[gateway] && state.gateways[gateway].chunk == Chunk::Unknown
            })
        }),
        Property::sometimes("a successor has settled", |_, state: &State| {
            state.losses > 0 && state.committed.buckets.sum() > 0
        }),
        Property::sometimes("a charge has left its window", |_, state: &State| {
            state.committed.buckets.sum() > state.committed.live(0)
        }),
    ]
}

impl Questioned for Transaction {
    fn ask(mut self, question: Question) -> Transaction {
        self.question = question;
        self
    }
}
