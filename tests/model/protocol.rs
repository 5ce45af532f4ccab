//! The open-charge protocol as a model: streams, gateways, kernels, a client, and every order in
//! which their steps can happen. The ledger's transactions are `ledger.rs`'s.
//!
//! A step of a stream that does not come is a process that is paused: between any two steps of one
//! any number of ticks and of other steps may lie. What a dead process gave to its kernel may
//! still arrive, for as long as the grace lasts, or may never.

use stateright::Property;

use crate::design::{
    Attempts, Charged, CutOff, Design, Merging, Predecessor, RightToSend, SilentPeer,
};
use crate::ledger::{Attempt, Delivery, Desk, GATEWAYS, NOT_BEGUN, Store, Waiting};
use crate::scope::{STREAMS, Scope};
use crate::state::{At, Backup, Chunk, Gateway, Phase, Slips, State, Stray, Stream, rename};
use crate::{Question, Questioned};

/// The model.
pub struct Protocol {
    pub design: Design,
    pub scope: Scope,
    pub question: Question,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// An order is admitted, and its first chunk charged: `Ledger::admit`.
    Admit { stream: u8, ids: u8 },
    /// The next chunk is charged: `Ledger::open`.
    Open(u8),
    /// The kernel takes the oldest chunk that is granted: `http/socket.rs`.
    Send(u8),
    /// The client receives the oldest chunk that the kernel has.
    Receive(u8),
    /// The gateway sees that the oldest chunk has left: `Account::settle_what_has_left`.
    Settle(u8),
    /// The connection breaks: `Drop` of `Passage`; its hold is given back.
    Break(u8),
    /// What is still open is settled or released: `Account::close`.
    Close(u8),
    /// The kernel of a connection that is no more delivers all the same.
    ReceiveStray(u8),
    /// What is settled, released and ended is committed: `Ledger::drain`.
    Drain(u8),
    /// `kill -9`, or a power cut: memory is gone.
    Crash(u8),
    /// The successor starts: `Ledger::start`, and after a thaw `Ledger::begin`.
    Start(u8),
    /// An operator settles for a gateway that never returns.
    Retire(u8),
    /// Not in the right design: a peer settles for a gateway that is silent.
    SettleForPeer(u8),
    /// The store is copied while all goes on.
    Backup,
    /// The copy is put back while no gateway runs.
    Restore,
    /// An operator lets a frozen ledger go on.
    Thaw,
    /// The second person joins the first entity: `carry::join`.
    Join,
    /// The second entity is merged into the first one, its people with it: `carry::merge`.
    Merge,
    /// What entitles the links comes to its end: an exemption, a maker, the link itself.
    End,
    /// Not in the right design: what was live at the second entity follows its people.
    MergeCharges,
    /// A tick goes by.
    Tick,
}

impl Protocol {
    /// Runs one transaction of a gateway, unless another has taken over from it.
    fn transact<T>(
        &self,
        state: &mut State,
        gateway: u8,
        work: impl FnOnce(&mut Desk<'_>, &mut Gateway) -> T,
    ) -> Option<T> {
        let process = &mut state.gateways[usize::from(gateway)];
        let newest = state.store.incarnations[usize::from(gateway)];
        if !process.is_up || process.incarnation != newest {
            return None;
        }
        process.silent = 0;
        let before = state.backup.as_ref().map(|_| state.store.clone());
        let mut desk = Desk { design: &self.design, scope: &self.scope, store: &mut state.store };
        let result = work(&mut desk, process);
        if let (Some(before), Some(backup)) = (before, &mut state.backup) {
            backup.is_stale |= before != state.store;
        }
        Some(result)
    }

    fn desk<'a>(&'a self, state: &'a mut State) -> Desk<'a> {
        Desk { design: &self.design, scope: &self.scope, store: &mut state.store }
    }

    fn delivery(&self, stream: u8, incarnation: u8) -> Delivery {
        Delivery { stream, gateway: self.scope.gateway[usize::from(stream)], incarnation }
    }

    pub fn person(&self, stream: u8) -> u8 {
        self.scope.person[usize::from(stream)]
    }

    /// The steps of `waiting`, in the transaction that is under way.
    fn carry_out(&self, desk: &mut Desk<'_>, process: &mut Gateway) {
        let waiting = std::mem::take(&mut process.waiting);
        desk.carry_out(&waiting, |stream| {
            (self.delivery(stream, process.incarnation), self.person(stream))
        });
    }

    pub fn admit(&self, state: &mut State, stream: u8, ids: u8) -> Option<()> {
        let place = usize::from(stream);
        let gateway = self.scope.gateway[place];
        let attempt = self.attempt_name(state, stream);
        let admitted = self.transact(state, gateway, |desk, process| {
            self.carry_out(desk, process);
            let delivery = self.delivery(stream, process.incarnation);
            desk.admit(delivery, self.person(stream), ids, attempt)
        })?;
        if admitted {
            let under_way = &mut state.streams[place];
            under_way.phase = Phase::Sending;
            under_way.rest = ids;
            if self.design.charged == Charged::RememberedFromTheAdmission {
                under_way.charged = state.store.members[usize::from(self.person(stream))];
            }
            if self.design.right_to_send == RightToSend::Grant {
                under_way.rest -= 1;
                under_way.chunks.push(Chunk { attempt: Some(attempt), at: At::Granted });
                self.look_at_grant(state, stream);
            }
        }
        Some(())
    }

    fn open(&self, state: &mut State, stream: u8) -> Option<()> {
        let place = usize::from(stream);
        let gateway = self.scope.gateway[place];
        let attempt = self.attempt_name(state, stream);
        let remembered = state.streams[place].charged;
        let opened = self.transact(state, gateway, |desk, process| {
            let delivery = self.delivery(stream, process.incarnation);
            let person = self.person(stream);
            let entities = match self.design.charged {
                Charged::LookedUpForEachChunk => desk.charged(person),
                Charged::RememberedFromTheAdmission => remembered,
            };
            desk.open(delivery, person, entities, attempt)
        })?;
        let under_way = &mut state.streams[place];
        if opened {
            under_way.rest -= 1;
            under_way.chunks.push(Chunk { attempt: Some(attempt), at: At::Granted });
            self.look_at_grant(state, stream);
        } else {
            // The answer breaks off.
            self.break_off(state, stream);
        }
        Some(())
    }

    /// The kernel takes a chunk.
    fn send(&self, state: &mut State, stream: u8) {
        let under_way = &mut state.streams[usize::from(stream)];
        let attempt = match under_way.chunks.iter_mut().find(|chunk| chunk.at == At::Granted) {
            Some(chunk) => {
                chunk.at = At::Kernel;
                chunk.attempt
            }
            None => {
                assert_ne!(self.design.right_to_send, RightToSend::Grant, "it is not compiled");
                under_way.rest -= 1;
                under_way.chunks.push(Chunk { attempt: None, at: At::Kernel });
                None
            }
        };
        let everybody = state.store.members[usize::from(self.person(stream))];
        let is_charged = |attempt| {
            let charge = state.store.opens.iter().find(|open| open.attempt == attempt);
            charge.is_some_and(|open| open.entities & everybody == everybody)
        };
        state.slips.sent_uncharged |= !attempt.is_some_and(is_charged);
    }

    fn receive(&self, state: &mut State, stream: u8) {
        let under_way = &mut state.streams[usize::from(stream)];
        let next = under_way.chunks.iter_mut().find(|chunk| chunk.at == At::Kernel);
        next.expect("the kernel has one").at = At::Left;
        state.received[usize::from(self.person(stream))].add(0, 1);
    }

    fn settle(&self, state: &mut State, stream: u8) {
        let under_way = &mut state.streams[usize::from(stream)];
        let oldest = under_way.chunks.remove(0);
        let is_over = under_way.rest == 0 && under_way.chunks.is_empty();
        if is_over {
            under_way.phase = Phase::Idle;
        }
        let waiting = match oldest.attempt {
            Some(attempt) => Waiting::Settle(attempt),
            None => Waiting::ChargeAfterwards(stream),
        };
        self.wait(state, stream, waiting);
        if is_over {
            self.wait(state, stream, Waiting::End(stream));
        }
    }

    fn wait(&self, state: &mut State, stream: u8, step: Waiting) {
        let gateway = self.scope.gateway[usize::from(stream)];
        let waiting = &mut state.gateways[usize::from(gateway)].waiting;
        waiting.push(step);
        waiting.sort_unstable();
    }

    fn break_off(&self, state: &mut State, stream: u8) {
        let under_way = &mut state.streams[usize::from(stream)];
        under_way.phase = Phase::Closing;
        under_way.rest = 0;
        if self.design.right_to_send == RightToSend::Grant {
            self.wait(state, stream, Waiting::End(stream));
        }
    }

    fn close(&self, state: &mut State, stream: u8) {
        let under_way = &mut state.streams[usize::from(stream)];
        under_way.phase = Phase::Idle;
        for chunk in std::mem::take(&mut under_way.chunks) {
            let touched = match (chunk.at, self.design.cut_off) {
                (At::Granted, _) | (At::Kernel, CutOff::RefundsWhatWasNotConfirmed) => false,
                (At::Kernel, CutOff::SettlesWhatWasTouched) | (At::Left, _) => true,
            };
            match chunk.attempt {
                Some(attempt) if touched => self.wait(state, stream, Waiting::Settle(attempt)),
                Some(attempt) => self.wait(state, stream, Waiting::Release(attempt)),
                None => self.wait(state, stream, Waiting::ChargeAfterwards(stream)),
            }
            if chunk.at == At::Kernel {
                self.stray(state, stream);
            }
        }
        if self.design.right_to_send != RightToSend::Grant {
            self.wait(state, stream, Waiting::End(stream));
        }
    }

    fn stray(&self, state: &mut State, stream: u8) {
        state.strays.push(Stray { person: self.person(stream), ticks: self.scope.grace });
        state.strays.sort_unstable();
    }

    fn crash(&self, state: &mut State, gateway: u8) {
        state.crashes -= 1;
        state.gateways[usize::from(gateway)] = Gateway::default();
        for stream in self.streams_of(gateway) {
            let under_way = std::mem::take(&mut state.streams[usize::from(stream)]);
            for chunk in under_way.chunks {
                if chunk.at == At::Kernel {
                    self.stray(state, stream);
                }
            }
        }
    }

    fn start(&self, state: &mut State, gateway: u8) {
        self.desk(state).recover(gateway, |stream| self.person(stream));
        if let Some(backup) = &mut state.backup {
            backup.is_stale = true;
        }
        let process = &mut state.gateways[usize::from(gateway)];
        if !process.is_up || process.incarnation == NOT_BEGUN {
            let newest = state.store.incarnations[usize::from(gateway)];
            process.incarnation = if state.store.is_frozen { NOT_BEGUN } else { newest };
            process.is_up = true;
        }
    }

    fn settle_for(&self, state: &mut State, gateway: u8) {
        self.desk(state).settle_all(gateway);
        if let Some(backup) = &mut state.backup {
            backup.is_stale = true;
        }
    }

    fn restore(&self, state: &mut State) {
        state.restores -= 1;
        let Backup { store, is_stale } = state.backup.take().expect("there is a backup");
        state.store = Store { is_behind: is_stale, ..store };
    }

    fn tick(&self, state: &mut State) {
        state.store.tick(&self.scope);
        if let Some(backup) = &mut state.backup {
            backup.store.tick(&self.scope);
        }
        for (received, members) in state.received.iter_mut().zip(state.store.members) {
            received.tick(self.scope.window);
            if members & self.scope.links == 0 {
                received.take_from(self.scope.window);
            }
        }
        state.strays.retain(|stray| stray.ticks > 0);
        for stray in &mut state.strays {
            stray.ticks -= 1;
        }
        if self.design.silent_peer == SilentPeer::IsSettledAfterATimeOut {
            for process in &mut state.gateways {
                process.silent = (process.silent + 1).min(self.scope.hold);
            }
        }
    }

    /// A name that no attempt has which anything remembers.
    fn attempt_name(&self, state: &State, stream: u8) -> Attempt {
        if self.design.attempts == Attempts::AreNamedAfterTheirWorker {
            let chunks = state.streams[usize::from(stream)].chunks.len();
            return 4 * stream + u8::try_from(chunks).expect("there are few");
        }
        let waits = |attempt: Attempt| {
            let named = [Waiting::Settle(attempt), Waiting::Release(attempt)];
            state.gateways.iter().flat_map(|process| &process.waiting).any(|w| named.contains(w))
        };
        let in_memory = |attempt: Attempt| {
            let mut chunks = state.streams.iter().flat_map(|stream| &stream.chunks);
            chunks.any(|chunk| chunk.attempt == Some(attempt))
        };
        let in_store = |store: &Store, attempt| store.opens.iter().any(|o| o.attempt == attempt);
        let is_used = |attempt: &Attempt| {
            waits(*attempt)
                || in_memory(*attempt)
                || in_store(&state.store, *attempt)
                || state.backup.as_ref().is_some_and(|backup| in_store(&backup.store, *attempt))
        };
        (0..).find(|attempt| !is_used(attempt)).expect("there are few")
    }

    fn streams_of(&self, gateway: u8) -> impl Iterator<Item = u8> {
        let served_by = self.scope.gateway;
        (0..).zip(served_by).filter(move |(_, by)| *by == gateway).map(|(stream, _)| stream)
    }
}

impl stateright::Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let Scope { members, gateway, crashes, restores, joins, merges, ends, .. } = self.scope;
        let mut gateways: [Gateway; GATEWAYS] = Default::default();
        for process in gateway.map(usize::from) {
            gateways[process].is_up = true;
            gateways[process].incarnation = NOT_BEGUN + 1;
        }
        let incarnations = [NOT_BEGUN + 1; GATEWAYS];
        let (store, slips) =
            (Store { members, incarnations, ..Store::default() }, Slips::default());
        let (backup, strays, received) = (None, Vec::new(), Default::default());
        let streams = Default::default();
        vec![State {
            store,
            backup,
            gateways,
            streams,
            strays,
            received,
            crashes,
            restores,
            joins,
            merges,
            ends,
            is_merging: false,
            slips,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        steps.push(Step::Tick);
        for (stream, under_way) in (0..).zip(&state.streams) {
            self.steps_of_stream(state, stream, under_way, steps);
        }
        steps.extend((0..).zip(&state.strays).map(|(stray, _)| Step::ReceiveStray(stray)));
        for gateway in 0..=self.scope.gateway[STREAMS - 1] {
            self.steps_of_gateway(state, gateway, steps);
        }
        if self.scope.restores > 0 {
            let all_down = state.gateways.iter().all(|process| !process.is_up);
            if state.restores > 0 {
                steps.push(Step::Backup);
            }
            if state.backup.is_some() && all_down && state.restores > 0 {
                steps.push(Step::Restore);
            }
            if state.store.is_frozen {
                steps.push(Step::Thaw);
            }
        }
        let second = state.store.members[1];
        if state.joins > 0 && second & 1 == 0 {
            steps.push(Step::Join);
        }
        if state.merges > 0 {
            steps.push(Step::Merge);
        }
        if state.ends > 0 {
            steps.push(Step::End);
        }
        if state.is_merging {
            steps.push(Step::MergeCharges);
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match step {
            Step::Admit { stream, ids } => self.admit(&mut state, stream, ids)?,
            Step::Open(stream) => self.open(&mut state, stream)?,
            Step::Send(stream) => self.send(&mut state, stream),
            Step::Receive(stream) => self.receive(&mut state, stream),
            Step::Settle(stream) => self.settle(&mut state, stream),
            Step::Break(stream) => self.break_off(&mut state, stream),
            Step::Close(stream) => self.close(&mut state, stream),
            Step::ReceiveStray(stray) => {
                let stray = state.strays.remove(usize::from(stray));
                state.received[usize::from(stray.person)].add(0, 1);
            }
            Step::Drain(gateway) => {
                self.transact(&mut state, gateway, |desk, process| {
                    self.carry_out(desk, process);
                })?;
            }
            Step::Crash(gateway) => self.crash(&mut state, gateway),
            Step::Start(gateway) => self.start(&mut state, gateway),
            Step::Retire(gateway) | Step::SettleForPeer(gateway) => {
                self.settle_for(&mut state, gateway);
            }
            Step::Backup => {
                state.backup = Some(Backup { store: state.store.clone(), is_stale: false });
            }
            Step::Restore => self.restore(&mut state),
            Step::Thaw => {
                self.desk(&mut state).thaw();
            }
            Step::Join => {
                state.joins -= 1;
                self.desk(&mut state).join(1, 0);
            }
            Step::Merge => {
                state.merges -= 1;
                state.is_merging = self.design.merging == Merging::MovesPeopleFirst;
                let mut desk = self.desk(&mut state);
                if self.design.merging != Merging::MovesPeopleFirst {
                    desk.merge_charges(1, 0);
                }
                desk.move_people(1, 0);
            }
            Step::End => {
                state.ends -= 1;
                state.store.is_ended = true;
            }
            Step::MergeCharges => {
                state.is_merging = false;
                self.desk(&mut state).merge_charges(1, 0);
            }
            Step::Tick => self.tick(&mut state),
        }
        if self.design.attempts == Attempts::EachHasItsName {
            rename(&mut state);
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Protocol>> {
        match self.question {
            Question::IsAlwaysTrue => self.promises(),
            Question::Happens => self.happenings(),
        }
    }
}

impl Protocol {
    fn steps_of_stream(
        &self,
        state: &State,
        stream: u8,
        under_way: &Stream,
        steps: &mut Vec<Step>,
    ) {
        let is_at = |at| under_way.chunks.iter().any(|chunk| chunk.at == at);
        let gateway = self.scope.gateway[usize::from(stream)];
        if is_at(At::Kernel) {
            steps.push(Step::Receive(stream));
        }
        match under_way.phase {
            Phase::Idle => {
                if state.gateways[usize::from(gateway)].is_up {
                    steps.extend((1..=self.scope.order).map(|ids| Step::Admit { stream, ids }));
                }
            }
            Phase::Sending => {
                let by_grant = self.design.right_to_send == RightToSend::Grant;
                if is_at(At::Granted) || (!by_grant && under_way.rest > 0) {
                    steps.push(Step::Send(stream));
                } else if under_way.rest > 0 {
                    steps.push(Step::Open(stream));
                }
                if under_way.chunks.first().is_some_and(|oldest| oldest.at == At::Left) {
                    steps.push(Step::Settle(stream));
                }
                steps.push(Step::Break(stream));
            }
            Phase::Closing => steps.push(Step::Close(stream)),
        }
    }

    fn steps_of_gateway(&self, state: &State, gateway: u8, steps: &mut Vec<Step>) {
        let process = &state.gateways[usize::from(gateway)];
        if process.is_up && process.incarnation == NOT_BEGUN && !state.store.is_frozen {
            steps.push(Step::Start(gateway));
        }
        let has_open = state.store.opens.iter().any(|open| open.gateway == gateway);
        let may_be_settled =
            self.design.silent_peer == SilentPeer::IsSettledAfterATimeOut && has_open;
        if process.is_up {
            if !process.waiting.is_empty() {
                steps.push(Step::Drain(gateway));
            }
            if state.crashes > 0 {
                steps.push(Step::Crash(gateway));
            }
            let is_newest = process.incarnation == state.store.incarnations[usize::from(gateway)];
            if self.design.predecessor == Predecessor::IsTakenForDead && is_newest {
                steps.push(Step::Start(gateway));
            }
            if may_be_settled && process.silent >= self.scope.hold {
                steps.push(Step::SettleForPeer(gateway));
            }
        } else {
            steps.push(Step::Start(gateway));
            if has_open && self.scope.gateway[0] != self.scope.gateway[1] {
                steps.push(Step::Retire(gateway));
            }
        }
    }
}

impl Questioned for Protocol {
    fn ask(mut self, question: Question) -> Protocol {
        self.question = question;
        self
    }
}
