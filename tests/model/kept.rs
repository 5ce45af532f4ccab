//! A kept file of objects as a model: removals come into force while it is held against them,
//! charged and sent. A model of `src/export/job/cabinet.rs`, `src/ledger/objects.rs` and
//! `src/deliver/file.rs`; what is charged, and for how long, is not modelled here.

use stateright::Property;

use crate::design::{Design, FileAsked, FileCharged, FileHeld, promise};
use crate::{Question, Questioned};

/// Frames of the file.
const FRAMES: u8 = 2;

/// The model.
pub struct Kept {
    pub design: Design,
    /// How many imports of removals come into force.
    pub removals: u8,
    /// How often somebody confirms that they want the file.
    pub fetches: u8,
    pub question: Question,
}

/// Everything there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The version of the removals in force.
    version: u8,
    /// Whether one of them hits something in the file.
    is_hit: bool,
    /// The row of the file.
    is_kept: bool,
    clean_of: u8,
    /// Whoever holds the file against the removals.
    holder: Holder,
    fetcher: Fetcher,
    fetches: u8,
    /// Whether a frame left, or a charge was made, after a removal that hits was in force.
    was_sent_late: bool,
    was_broken_off: bool,
    was_purged: bool,
    whole: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Holder {
    Idle,
    /// They know whether it is hit, but not by which version that is.
    Content(bool),
    /// They know both.
    Both(bool, u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fetcher {
    Idle,
    /// The page was shown, and the row was good then.
    Confirmed(bool),
    /// It is charged, and so many frames are sent.
    Sending(u8),
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Removals come into force.
    Remove { hits: bool },
    /// Somebody looks whether the file is hit.
    LookAtContent,
    /// Somebody looks which version that is by.
    LookAtVersion,
    /// They write down what they found.
    Write,
    /// Somebody confirms that they want the file.
    Confirm,
    /// The transaction that charges it.
    Charge,
    /// The next frame is asked for and sent.
    Send,
}

impl State {
    fn is_good(&self) -> bool {
        self.is_kept && self.clean_of == self.version
    }
}

impl stateright::Model for Kept {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            version: 0,
            is_hit: false,
            is_kept: true,
            clean_of: 0,
            holder: Holder::Idle,
            fetcher: Fetcher::Idle,
            fetches: 0,
            was_sent_late: false,
            was_broken_off: false,
            was_purged: false,
            whole: 0,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.version < self.removals {
            steps.extend([true, false].map(|hits| Step::Remove { hits }));
        }
        steps.push(match state.holder {
            Holder::Idle => Step::LookAtContent,
            Holder::Content(_) => Step::LookAtVersion,
            Holder::Both(..) => Step::Write,
        });
        match state.fetcher {
            Fetcher::Idle if state.fetches < self.fetches => steps.push(Step::Confirm),
            Fetcher::Idle => {}
            Fetcher::Confirmed(_) => steps.push(Step::Charge),
            Fetcher::Sending(_) => steps.push(Step::Send),
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match step {
            Step::Remove { hits } => {
                state.version += 1;
                state.is_hit |= hits;
            }
            Step::LookAtContent => {
                state.holder = match self.design.file_held {
                    FileHeld::InOneLook => Holder::Both(state.is_hit, state.version),
                    FileHeld::ThenAskedForTheVersion => Holder::Content(state.is_hit),
                };
            }
            Step::LookAtVersion => {
                let Holder::Content(is_hit) = state.holder else { return None };
                state.holder = Holder::Both(is_hit, state.version);
            }
            Step::Write => {
                let Holder::Both(is_hit, version) = state.holder else { return None };
                if is_hit {
                    state.was_purged |= state.is_kept;
                    state.is_kept = false;
                } else {
                    state.clean_of = state.clean_of.max(version);
                }
                state.holder = Holder::Idle;
            }
            Step::Confirm => {
                state.fetches += 1;
                state.fetcher = Fetcher::Confirmed(state.is_good());
            }
            Step::Charge => {
                let Fetcher::Confirmed(was_good) = state.fetcher else { return None };
                let is_granted = match self.design.file_charged {
                    FileCharged::IfTheRowIsGoodInTheTransaction => state.is_good(),
                    FileCharged::IfTheRowWasGoodBefore => was_good,
                };
                state.was_sent_late |= is_granted && state.is_hit;
                state.fetcher = if is_granted { Fetcher::Sending(0) } else { Fetcher::Idle };
            }
            Step::Send => {
                let Fetcher::Sending(frames) = state.fetcher else { return None };
                let goes_on = match self.design.file_asked {
                    FileAsked::BeforeEachFrame => state.is_good(),
                    FileAsked::AtTheCharge => true,
                };
                state.was_sent_late |= goes_on && state.is_hit;
                state.was_broken_off |= !goes_on;
                state.whole += u8::from(goes_on && frames + 1 == FRAMES);
                state.fetcher = match goes_on && frames + 1 < FRAMES {
                    true => Fetcher::Sending(frames + 1),
                    false => Fetcher::Idle,
                };
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Kept>> {
        match self.question {
            Question::IsAlwaysTrue => {
                vec![Property::always(promise::GONE, |_, state: &State| !state.was_sent_late)]
            }
            Question::Happens => happenings(),
        }
    }
}

fn happenings() -> Vec<Property<Kept>> {
    vec![
        Property::sometimes("a file is purged", |_, state: &State| state.was_purged),
        Property::sometimes("a download is broken off", |_, state: &State| state.was_broken_off),
        Property::sometimes("a file is fetched twice", |_, state: &State| state.whole == 2),
        Property::sometimes("removals that hit nothing keep nobody", |_, state: &State| {
            state.version > 0 && state.whole == 1 && !state.was_broken_off
        }),
        Property::sometimes("somebody is late with an older version", |_, state: &State| {
            let Holder::Both(_, version) = state.holder else { return false };
            version < state.version
        }),
    ]
}

impl Questioned for Kept {
    fn ask(mut self, question: Question) -> Kept {
        self.question = question;
        self
    }
}
