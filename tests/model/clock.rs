//! Ledger time as a model: two processes of one machine whose clocks jump, whose machine starts
//! anew, and who charge at once whatever fits. The protocol of a charge is `protocol.rs`'s.
//!
//! A tick is a minute; the right design's time is `policy::LedgerTime` itself. The boot clock goes
//! with the truth. The kernel says that the wall clock is synchronised only when it is right, and
//! no more once somebody has set it; an operator accepts it only when it is right. How several
//! instances share one time is not modelled.

use hydrant::base::clock::Reading;
use hydrant::policy::LedgerTime;
use hydrant::policy::time::{Advanced, Leap, Wall};
use stateright::Property;

use crate::ages::Ages;
use crate::design::{Design, Leaps, Time, promise};
use crate::{Question, Questioned};

const TICK_MS: i64 = 60_000;
/// How many IDs may arrive in any window.
const CEILING: u8 = 1;
/// Ticks.
const WINDOW: i8 = 2;
/// Ticks.
const GRACE: i8 = 1;
/// How far the wall clock of the second process is ahead of the first's where each has its own.
const APART: i8 = 2;
/// How far the wall clock may be set wrong: beyond the window and the grace, and back.
const JUMPS: [i8; 3] = [WINDOW + GRACE + 1, -2, 1];

/// The model.
pub struct Clock {
    pub design: Design,
    /// How many ticks there are.
    pub ticks: i8,
    /// How often somebody sets the wall clock.
    pub jumps: u8,
    /// How often the machine starts anew.
    pub boots: u8,
    pub question: Question,
}

/// Everything there is. Times are ticks since the world began.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    now: i8,
    /// How far the wall clock is from the truth.
    wall_error: i8,
    is_synchronised: bool,
    /// When this boot was.
    booted: i8,
    boots: u8,
    jumps: u8,
    /// The row of ledger time; the same as `LedgerTime`.
    row: Row,
    /// When each live charge was settled, by the clock of the one who settled it.
    settled: Vec<i8>,
    received: Ages,
    /// How far ahead the wall clock was when the ledger began.
    began_ahead: i8,
    went_back: bool,
}

/// The fields of `LedgerTime`, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Row {
    time: i8,
    anchor_time: i8,
    anchor_wall: i8,
    anchor_boot: i8,
    boot: u8,
    is_believed: bool,
    behind_since: Option<i8>,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A process charges one ID, if it fits, and hands it over.
    Charge { process: i8 },
    /// A process only moves ledger time on.
    Read,
    /// Somebody sets the wall clock.
    Jump { ticks: i8 },
    /// The machine starts anew; nobody knows what its wall clock shows.
    Boot { wall_error: i8 },
    /// The kernel finds a time server: the wall clock is right.
    Synchronise,
    /// An operator says that the wall clock is right, and it is.
    Accept,
    /// A tick goes by.
    Tick,
}

fn ms(ticks: i8) -> i64 {
    i64::from(ticks) * TICK_MS
}

fn ticks(ms: i64) -> i8 {
    i8::try_from(ms / TICK_MS).expect("it is small")
}

fn boot_id(boot: u8) -> &'static str {
    ["first", "second", "third", "fourth"][usize::from(boot)]
}

impl Row {
    fn read(time: &LedgerTime, boot: u8) -> Row {
        Row {
            time: ticks(time.time_ms),
            anchor_time: ticks(time.anchor_time_ms),
            anchor_wall: ticks(time.anchor_wall_ms),
            anchor_boot: ticks(time.anchor_boot_ms),
            boot,
            is_believed: time.wall == Wall::Believed,
            behind_since: time.behind_since_ms.map(ticks),
        }
    }

    fn ledger_time(self) -> LedgerTime {
        LedgerTime {
            time_ms: ms(self.time),
            anchor_time_ms: ms(self.anchor_time),
            anchor_wall_ms: ms(self.anchor_wall),
            anchor_boot_ms: ms(self.anchor_boot),
            boot_id: boot_id(self.boot).into(),
            wall: if self.is_believed { Wall::Believed } else { Wall::Doubted },
            behind_since_ms: self.behind_since.map(ms),
        }
    }
}

impl State {
    fn wall(&self) -> i8 {
        self.now + self.wall_error
    }

    fn reading(&self) -> Reading {
        Reading {
            wall_ms: ms(self.wall()),
            boot_ms: ms(self.now - self.booted),
            boot_id: boot_id(self.boots).into(),
            synchronised: self.is_synchronised,
        }
    }

    /// Moves ledger time on, as `ledger/clock.rs` does, and puts forward what was settled while
    /// it was behind.
    fn move_on(&mut self, advance: impl Fn(&LedgerTime, &Reading) -> Advanced, leaps: Leaps) -> i8 {
        let advanced = advance(&self.row.ledger_time(), &self.reading());
        let row = Row::read(&advanced.time, self.boots);
        self.went_back |= self.row.time > row.time;
        self.row = row;
        if let (Some(Leap { since_ms, by_ms }), Leaps::PutForward) = (advanced.leap, leaps) {
            let was_behind = |settled: &&mut i8| ms(**settled) >= since_ms;
            self.settled.iter_mut().filter(was_behind).for_each(|settled| *settled += ticks(by_ms));
            self.settled.sort_unstable();
        }
        row.time
    }
}

impl Clock {
    /// The time of a transaction of `process`.
    fn time(&self, state: &mut State, process: i8) -> i8 {
        match self.design.time {
            Time::Ledger => {
                state.move_on(|time, reading| time.advance(reading, None), self.design.leaps)
            }
            Time::WallClockAfterReboot => state.move_on(
                |time, reading| {
                    if time.boot_id == reading.boot_id {
                        time.advance(reading, None)
                    } else {
                        time.accept(reading)
                    }
                },
                self.design.leaps,
            ),
            Time::WallClock | Time::ApartWallClocks => state.wall() + process * APART,
        }
    }

    fn charge(&self, state: &mut State, process: i8) {
        let time = self.time(state, process);
        state.settled.retain(|settled| settled + WINDOW + GRACE > time);
        if state.settled.len() < usize::from(CEILING) {
            state.settled.push(time);
            state.settled.sort_unstable();
            state.received.add(0, 1);
        }
    }

    /// How many processes there are whose clocks differ.
    fn processes(&self) -> i8 {
        if self.design.time == Time::ApartWallClocks { 2 } else { 1 }
    }
}

impl stateright::Model for Clock {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let began = |wall_error: i8| {
            let reading = Reading {
                wall_ms: ms(wall_error),
                boot_ms: 0,
                boot_id: boot_id(0).into(),
                synchronised: wall_error == 0,
            };
            State {
                now: 0,
                wall_error,
                is_synchronised: reading.synchronised,
                booted: 0,
                boots: 0,
                jumps: 0,
                row: Row::read(&LedgerTime::first(&reading), 0),
                settled: Vec::new(),
                received: Ages::default(),
                began_ahead: wall_error.max(0),
                went_back: false,
            }
        };
        [0].into_iter().chain(JUMPS).map(began).collect()
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        steps.extend((0..self.processes()).map(|process| Step::Charge { process }));
        steps.push(Step::Read);
        if state.now < self.ticks {
            steps.push(Step::Tick);
        }
        let clocks_err = self.design.time != Time::ApartWallClocks;
        if clocks_err && state.jumps < self.jumps {
            steps.extend(JUMPS.map(|ticks| Step::Jump { ticks }));
        }
        if clocks_err && state.boots < self.boots {
            steps.push(Step::Boot { wall_error: 0 });
            steps.extend(JUMPS.map(|wall_error| Step::Boot { wall_error }));
        }
        if !state.is_synchronised {
            steps.push(Step::Synchronise);
        }
        if state.wall_error == 0 {
            steps.push(Step::Accept);
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match step {
            Step::Charge { process } => self.charge(&mut state, process),
            Step::Read => {
                self.time(&mut state, 0);
            }
            Step::Jump { ticks } => {
                state.jumps += 1;
                state.wall_error += ticks;
                state.is_synchronised = false;
            }
            Step::Boot { wall_error } => {
                state.boots += 1;
                state.booted = state.now;
                state.wall_error = wall_error;
                state.is_synchronised = false;
            }
            Step::Synchronise => {
                state.wall_error = 0;
                state.is_synchronised = true;
            }
            Step::Accept => {
                state.move_on(|time, reading| time.advance(reading, None), self.design.leaps);
                state.move_on(LedgerTime::accept, self.design.leaps);
            }
            Step::Tick => {
                state.now += 1;
                let window = u8::try_from(WINDOW).expect("it is positive");
                state.received.tick(window);
                state.received.take_from(window);
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Clock>> {
        match self.question {
            Question::IsAlwaysTrue => promises(),
            Question::Happens => happenings(),
        }
    }
}

fn promises() -> Vec<Property<Clock>> {
    vec![
        Property::always(promise::LIMIT, |_, state: &State| state.received.sum() <= CEILING),
        Property::always(promise::NOT_AHEAD, |_, state: &State| {
            state.row.time <= state.now + state.began_ahead
        }),
        Property::always(promise::FORWARD, |_, state: &State| !state.went_back),
    ]
}

fn happenings() -> Vec<Property<Clock>> {
    vec![
        Property::sometimes("a charge has left its window", |_, state: &State| {
            state.settled.iter().any(|settled| state.now >= settled + WINDOW + GRACE)
                && state.row.time == state.now
        }),
        Property::sometimes("ledger time is late", |_, state: &State| {
            state.row.time < state.now && state.received.sum() > 0
        }),
        Property::sometimes("the wall clock is doubted", |_, state: &State| !state.row.is_believed),
        Property::sometimes("a doubted wall clock is believed again", |_, state: &State| {
            state.boots > 0 && state.row.is_believed && state.row.boot > 0
        }),
        Property::sometimes("the wall clock is beyond the window", |_, state: &State| {
            state.wall_error > WINDOW + GRACE && state.received.sum() > 0
        }),
    ]
}

impl Questioned for Clock {
    fn ask(mut self, question: Question) -> Clock {
        self.question = question;
        self
    }
}
