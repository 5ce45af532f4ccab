//! The arithmetic of the window as a model: whoever asks takes IDs at once, as many as the
//! arithmetic allows. Charges that are open are `protocol.rs`'s.
//!
//! A tick is half a minute, so that a bucket holds charges of two instants. There is no grace: the
//! buckets alone have to keep the limit.

use hydrant::policy::Window as TrailingWindow;
use hydrant::policy::window::{MINUTE_MS, minute_of};
use stateright::Property;

use crate::design::{Arithmetic, Design, promise};
use crate::{Question, Questioned};

const TICK_MS: i64 = MINUTE_MS / 2;
/// The policy's window, in ticks.
const WINDOW: usize = 4;
const TRAILING: TrailingWindow = TrailingWindow { length_ms: WINDOW as i64 * TICK_MS, grace_ms: 0 };
const TICKS_MAX: usize = 24;

/// The model.
pub struct Window {
    pub design: Design,
    /// How many IDs may arrive in any window.
    pub limit: u8,
    /// How many ticks there are.
    pub ticks: u8,
    pub question: Question,
}

/// Everything there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    now: u8,
    /// What arrived at each tick.
    taken: [u8; TICKS_MAX],
    /// What is in the bucket, in parts of the window's length.
    tokens: u8,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Somebody takes one ID.
    Take,
    /// A tick goes by.
    Tick,
}

impl State {
    fn sum(&self, from: usize, until: usize) -> u8 {
        self.taken[from.min(until)..until].iter().sum()
    }

    /// What arrived in (now − window, now].
    fn in_window(&self) -> u8 {
        let end = usize::from(self.now) + 1;
        self.sum(end.saturating_sub(WINDOW), end)
    }
}

impl Window {
    /// Whether the arithmetic allows one more.
    fn allows(&self, state: &State) -> bool {
        let now = usize::from(state.now);
        let now_ms = i64::from(state.now) * TICK_MS;
        let counted_from = |has_left: &dyn Fn(i64) -> bool| {
            let minute = |tick: &usize| minute_of(*tick as i64 * TICK_MS);
            let first = (0..=now).find(|tick| !has_left(minute(tick))).unwrap_or(now);
            state.sum(first, now + 1)
        };
        let counted = match self.design.arithmetic {
            Arithmetic::TrailingBuckets => {
                counted_from(&|minute| minute <= TRAILING.newest_left(now_ms))
            }
            Arithmetic::LeavesWithItsFirstInstant => {
                counted_from(&|minute| minute * MINUTE_MS + TRAILING.length_ms <= now_ms)
            }
            Arithmetic::EpochBuckets => state.sum(now / WINDOW * WINDOW, now + 1),
            Arithmetic::TwoWeightedWindows => {
                let start = now / WINDOW * WINDOW;
                let before = usize::from(state.sum(start.saturating_sub(WINDOW), start));
                let weighted = before * (WINDOW - (now - start)) / WINDOW;
                u8::try_from(weighted).expect("it is small") + state.sum(start, now + 1)
            }
            Arithmetic::TokenBucket => {
                return usize::from(state.tokens) >= WINDOW;
            }
        };
        counted < self.limit
    }

    fn tokens_max(&self) -> u8 {
        self.limit * u8::try_from(WINDOW).expect("it is small")
    }
}

impl stateright::Model for Window {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let tokens = match self.design.arithmetic {
            Arithmetic::TokenBucket => self.tokens_max(),
            _ => 0,
        };
        vec![State { tokens, ..State::default() }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if self.allows(state) {
            steps.push(Step::Take);
        }
        if state.now + 1 < self.ticks {
            steps.push(Step::Tick);
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match (step, self.design.arithmetic) {
            (Step::Take, arithmetic) => {
                state.taken[usize::from(state.now)] += 1;
                if arithmetic == Arithmetic::TokenBucket {
                    state.tokens -= u8::try_from(WINDOW).expect("it is small");
                }
            }
            (Step::Tick, Arithmetic::TokenBucket) => {
                state.now += 1;
                state.tokens = (state.tokens + self.limit).min(self.tokens_max());
            }
            (Step::Tick, _) => state.now += 1,
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Window>> {
        match self.question {
            Question::IsAlwaysTrue => {
                vec![Property::always(promise::LIMIT, |model: &Window, state: &State| {
                    state.in_window() <= model.limit
                })]
            }
            Question::Happens => vec![
                Property::sometimes("the limit is reached", |model: &Window, state: &State| {
                    state.in_window() == model.limit
                }),
                Property::sometimes("one more is refused", |model: &Window, state: &State| {
                    !model.allows(state)
                }),
                Property::sometimes("what has left makes room", |model: &Window, state: &State| {
                    state.sum(0, TICKS_MAX) == 2 * model.limit && state.in_window() == model.limit
                }),
            ],
        }
    }
}

impl Questioned for Window {
    fn ask(mut self, question: Question) -> Window {
        self.question = question;
        self
    }
}
