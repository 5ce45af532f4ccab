//! `count = "distinct"` as a model: an entity's exact set of IDs, references to them by attempt,
//! and a filter in front that may say anything. Holds and queues are `protocol.rs`'s.
//!
//! A chunk is a set of IDs. Those that are live already cost nothing, but the chunk refers to them
//! until it is settled, and then their date is new.

use stateright::Property;

use crate::design::{CertainlyNew, Charged, Design, MaybeSeen, Over, References, Seen, promise};
use crate::{Question, Questioned};

const IDS: usize = 3;
const STREAMS: usize = 2;
/// How many distinct IDs may arrive in a window, before the ceiling is lowered.
const CEILING: u8 = 2;
/// Ticks.
const WINDOW: u8 = 2;
/// Ticks.
const GRACE: u8 = 1;
/// From which age on a date counts no more.
const LEAVES_AT: u8 = WINDOW + GRACE;

/// Some of the IDs, or some of the streams, one bit each.
type Set = u8;

/// The model.
pub struct Distinct {
    pub design: Design,
    /// How often the process dies.
    pub crashes: u8,
    pub question: Question,
}

/// Everything there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    ceiling: u8,
    /// What the meter says.
    live: u8,
    rows: [Row; IDS],
    is_down: bool,
    streams: [Stream; STREAMS],
    /// What dead connections may still deliver, by ID: for how many more ticks, and one.
    strays: [u8; IDS],
    /// How many ticks ago each ID arrived last; beyond the window: not.
    received: [u8; IDS],
    crashes: u8,
    lowered: u8,
    slips: Slips,
}

/// What the set knows of an ID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Row {
    /// How many ticks ago it was settled last.
    date: Option<u8>,
    /// The attempts, by stream, for which it is open.
    references: Set,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Stream {
    #[default]
    Idle,
    Granted(Set),
    Kernel(Set),
    Left(Set),
}

/// What went wrong at some step; nothing, in the right design.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Slips {
    granted_too_much: bool,
    granted_over: bool,
    lost: bool,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A chunk is charged. Of each of its IDs the filter said "maybe seen" or "certainly new".
    Open { stream: u8, ids: Set, maybe_seen: Set },
    /// The kernel takes the chunk.
    Send(u8),
    /// The client receives it.
    Receive(u8),
    /// It has left: it is settled.
    Settle(u8),
    /// The connection breaks: the chunk is settled if it was touched, or else released.
    Break(u8),
    /// The kernel of a dead connection delivers an ID all the same.
    ReceiveStray(u8),
    /// `kill -9`.
    Crash,
    /// The successor settles what is open.
    Start,
    /// The ceiling is lowered by one, as when a permission ends.
    Lower,
    /// A tick goes by.
    Tick,
}

fn each(ids: Set) -> impl Iterator<Item = usize> {
    (0..IDS).filter(move |id| ids & (1 << id) != 0)
}

impl Row {
    fn is_live(&self) -> bool {
        self.references != 0 || self.date.is_some_and(|age| age < LEAVES_AT)
    }

    fn is_stored(&self) -> bool {
        self.references != 0 || self.date.is_some()
    }
}

impl State {
    /// Lets fall what has left its window.
    fn lock(&mut self) {
        for row in &mut self.rows {
            let was_stored = row.is_stored();
            row.date = row.date.filter(|age| *age < LEAVES_AT);
            self.live -= u8::from(was_stored && !row.is_stored());
        }
    }

    fn settle(&mut self, stream: u8) {
        for row in self.rows.iter_mut().filter(|row| row.references & (1 << stream) != 0) {
            row.references &= !(1 << stream);
            row.date = Some(0);
        }
    }

    fn release(&mut self, stream: u8) {
        for row in self.rows.iter_mut().filter(|row| row.references & (1 << stream) != 0) {
            row.references &= !(1 << stream);
            self.live -= u8::from(!row.is_stored());
        }
    }

    fn receive(&mut self, ids: Set) {
        each(ids).for_each(|id| self.received[id] = 0);
    }

    fn stray(&mut self, ids: Set) {
        each(ids).for_each(|id| self.strays[id] = GRACE + 1);
    }

    /// What arrived within the window.
    fn arrived(&self) -> Set {
        let ids = (0..IDS).filter(|id| self.received[*id] < WINDOW);
        ids.fold(0, |set, id| set | 1 << id)
    }

    /// What may still arrive.
    fn on_the_way(&self) -> Set {
        let strays = (0..IDS).filter(|id| self.strays[*id] > 0).fold(0, |set, id| set | 1 << id);
        self.streams.iter().fold(strays, |set, stream| match stream {
            Stream::Granted(ids) | Stream::Kernel(ids) => set | ids,
            Stream::Idle | Stream::Left(_) => set,
        })
    }
}

impl Distinct {
    /// Charges a chunk. Says which of its IDs are sent; `None` if it is refused.
    fn open(&self, state: &mut State, stream: u8, ids: Set, maybe_seen: Set) -> Option<Set> {
        state.lock();
        let is_over = state.live > state.ceiling;
        let ceiling = match self.design.charged {
            Charged::LookedUpForEachChunk => state.ceiling,
            Charged::RememberedFromTheAdmission => CEILING,
        };
        if state.live > ceiling && self.design.over == Over::Nothing {
            return None;
        }
        let (mut sent, mut counted, mut referred) = (ids, 0, ids);
        for id in each(ids) {
            let bit = 1 << id;
            let row = state.rows[id];
            if maybe_seen & bit == 0 {
                let is_new =
                    !row.is_live() || self.design.certainly_new == CertainlyNew::CountsOnceMore;
                counted += u8::from(is_new);
                continue;
            }
            match self.design.maybe_seen {
                MaybeSeen::LookItUp => counted += u8::from(!row.is_live()),
                MaybeSeen::Free => referred &= !bit,
                MaybeSeen::Skip => (sent, referred) = (sent & !bit, referred & !bit),
            }
            let is_open = row.references != 0;
            let is_free = match (self.design.seen, self.design.references) {
                (Seen::IsFreeAsItStands, _) if !is_open => row.is_live(),
                (_, References::OnePerEntity) => is_open,
                _ => false,
            };
            if is_free {
                referred &= !bit;
            }
        }
        if counted > 0 && state.live + counted > ceiling {
            return None;
        }
        state.live += counted;
        each(referred).for_each(|id| state.rows[id].references |= 1 << stream);
        state.slips.granted_over |= is_over;
        state.slips.lost |= each(ids & !sent).any(|id| state.received[id] >= WINDOW);
        Some(sent)
    }

    fn open_and_grant(&self, state: &mut State, stream: u8, ids: Set, maybe_seen: Set) {
        let Some(sent) = self.open(state, stream, ids, maybe_seen) else { return };
        if sent != 0 {
            state.streams[usize::from(stream)] = Stream::Granted(sent);
            let all = state.arrived() | state.on_the_way();
            state.slips.granted_too_much |= all.count_ones() > state.ceiling.into();
        }
    }

    fn break_off(&self, state: &mut State, stream: u8) {
        match std::mem::take(&mut state.streams[usize::from(stream)]) {
            Stream::Granted(_) => state.release(stream),
            Stream::Kernel(ids) => {
                state.settle(stream);
                state.stray(ids);
            }
            Stream::Left(_) => state.settle(stream),
            Stream::Idle => unreachable!("an idle stream does not break"),
        }
    }

    fn crash(&self, state: &mut State) {
        state.crashes -= 1;
        state.is_down = true;
        for stream in std::mem::take(&mut state.streams) {
            if let Stream::Kernel(ids) = stream {
                state.stray(ids);
            }
        }
    }

    fn tick(&self, state: &mut State) {
        for row in &mut state.rows {
            row.date = row.date.map(|age| (age + 1).min(LEAVES_AT));
        }
        state.received.iter_mut().for_each(|age| *age = (*age + 1).min(WINDOW));
        state.strays.iter_mut().for_each(|ticks| *ticks = ticks.saturating_sub(1));
    }

    fn steps_of_stream(&self, state: &State, stream: u8, steps: &mut Vec<Step>) {
        match state.streams[usize::from(stream)] {
            Stream::Idle => {
                for ids in 1..1 << IDS {
                    // Every answer that any filter can give.
                    let answers = (0..1 << IDS).filter(|maybe_seen| maybe_seen & !ids == 0);
                    steps.extend(answers.map(|maybe_seen| Step::Open { stream, ids, maybe_seen }));
                }
                return;
            }
            Stream::Granted(_) => steps.push(Step::Send(stream)),
            Stream::Kernel(_) => steps.push(Step::Receive(stream)),
            Stream::Left(_) => steps.push(Step::Settle(stream)),
        }
        steps.push(Step::Break(stream));
    }
}

impl stateright::Model for Distinct {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let (crashes, received) = (self.crashes, [WINDOW; IDS]);
        vec![State { ceiling: CEILING, crashes, received, ..State::default() }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        steps.push(Step::Tick);
        if state.is_down {
            steps.push(Step::Start);
        } else {
            (0..).zip(&state.streams).for_each(|(s, _)| self.steps_of_stream(state, s, steps));
            if state.crashes > 0 {
                steps.push(Step::Crash);
            }
        }
        if state.lowered == 0 {
            steps.push(Step::Lower);
        }
        let strays = (0..).zip(&state.strays).filter(|(_, ticks)| **ticks > 0);
        steps.extend(strays.map(|(id, _)| Step::ReceiveStray(id)));
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match step {
            Step::Open { stream, ids, maybe_seen } => {
                self.open_and_grant(&mut state, stream, ids, maybe_seen);
            }
            Step::Send(stream) => {
                let Stream::Granted(ids) = state.streams[usize::from(stream)] else { return None };
                state.streams[usize::from(stream)] = Stream::Kernel(ids);
            }
            Step::Receive(stream) => {
                let Stream::Kernel(ids) = state.streams[usize::from(stream)] else { return None };
                state.streams[usize::from(stream)] = Stream::Left(ids);
                state.receive(ids);
            }
            Step::Settle(stream) => {
                state.streams[usize::from(stream)] = Stream::Idle;
                state.settle(stream);
            }
            Step::Break(stream) => self.break_off(&mut state, stream),
            Step::ReceiveStray(id) => {
                state.strays[usize::from(id)] = 0;
                state.receive(1 << id);
            }
            Step::Crash => self.crash(&mut state),
            Step::Start => {
                state.is_down = false;
                (0..).zip(&last.streams).for_each(|(stream, _)| state.settle(stream));
            }
            Step::Lower => {
                state.lowered += 1;
                state.ceiling -= 1;
            }
            Step::Tick => self.tick(&mut state),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Distinct>> {
        match self.question {
            Question::IsAlwaysTrue => promises(),
            Question::Happens => happenings(),
        }
    }
}

fn promises() -> Vec<Property<Distinct>> {
    vec![
        Property::always(promise::LIMIT, |_, state: &State| {
            state.arrived().count_ones() <= CEILING.into()
        }),
        Property::always(promise::COVERED, |_, state: &State| {
            each(state.arrived() | state.on_the_way()).all(|id| state.rows[id].is_live())
        }),
        Property::always(promise::FITS, |_, state: &State| !state.slips.granted_too_much),
        Property::always(promise::OVER, |_, state: &State| !state.slips.granted_over),
        Property::always(promise::WHOLE, |_, state: &State| !state.slips.lost),
        Property::always(promise::BALANCED, |_, state: &State| {
            let stored = state.rows.iter().filter(|row| row.is_stored()).count();
            usize::from(state.live) == stored
        }),
    ]
}

fn happenings() -> Vec<Property<Distinct>> {
    vec![
        Property::sometimes("a chunk is granted", |_, state: &State| {
            state.streams.iter().any(|stream| matches!(stream, Stream::Granted(_)))
        }),
        Property::sometimes("an ID is open for two attempts", |_, state: &State| {
            state.rows.iter().any(|row| row.references.count_ones() == 2)
        }),
        Property::sometimes("an ID that was settled is open again", |_, state: &State| {
            state.rows.iter().any(|row| row.references != 0 && row.date == Some(2))
        }),
        Property::sometimes("a chunk is refused", |model, state: &State| {
            model.open(&mut state.clone(), 0, 0b111, 0b111).is_none()
        }),
        Property::sometimes("a date has left its window", |_, state: &State| {
            state.rows.iter().any(|row| row.date == Some(LEAVES_AT))
        }),
        Property::sometimes("a successor has settled", |_, state: &State| {
            state.crashes == 0 && !state.is_down && state.rows.iter().any(|r| r.date == Some(0))
        }),
        Property::sometimes("an entity is over", |_, state: &State| state.live > state.ceiling),
    ]
}

impl Questioned for Distinct {
    fn ask(mut self, question: Question) -> Distinct {
        self.question = question;
        self
    }
}
