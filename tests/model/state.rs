//! What the world of the protocol consists of at one moment; what may happen next is not here.

use crate::ages::Ages;
use crate::ledger::{Attempt, Entities, GATEWAYS, OpenCharge, PEOPLE, Store, Waiting};
use crate::scope::STREAMS;

/// Everything there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub store: Store,
    pub backup: Option<Backup>,
    pub gateways: [Gateway; GATEWAYS],
    pub streams: [Stream; STREAMS],
    /// What the kernels of dead connections may still deliver, in no order.
    pub strays: Vec<Stray>,
    /// What each person has received, by the time since.
    pub received: [Ages; PEOPLE],
    pub crashes: u8,
    pub restores: u8,
    pub joins: u8,
    pub merges: u8,
    pub ends: u8,
    /// Only in a design that has two transactions for it: the second one has not come yet.
    pub is_merging: bool,
    pub slips: Slips,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Backup {
    pub store: Store,
    /// Whether anything was written since.
    pub is_stale: bool,
}

/// A process and what it has in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gateway {
    pub is_up: bool,
    pub incarnation: u8,
    /// The steps that nobody waits for, and that die with the process.
    pub waiting: Vec<Waiting>,
    /// Ticks since it was last heard of; kept only where somebody counts them.
    pub silent: u8,
}

/// A connection that asks for something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stream {
    pub phase: Phase,
    /// IDs that were admitted and are not charged yet.
    pub rest: u8,
    /// Whom it is charged to; kept only where somebody remembers it.
    pub charged: Entities,
    /// Oldest first.
    pub chunks: Vec<Chunk>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    #[default]
    Idle,
    Sending,
    /// The connection has broken; what is open has not been looked at yet.
    Closing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chunk {
    /// None only in designs that send without a charge.
    pub attempt: Option<Attempt>,
    pub at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// Charged; no byte has touched the socket.
    Granted,
    /// In the kernel's buffer.
    Kernel,
    /// With the client.
    Left,
}

/// An ID in the kernel's buffer of a connection whose process does not care any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stray {
    pub person: u8,
    /// For how many more ticks it may still be delivered.
    pub ticks: u8,
}

/// What went wrong at some step; nothing, in the right design.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Slips {
    pub sent_uncharged: bool,
    pub granted_too_much: bool,
    pub granted_over: bool,
    pub granted_after_end: bool,
}

/// Names attempts by their place, because nothing depends on a name but whose it is.
pub fn rename(state: &mut State) {
    let mut names: Vec<Attempt> = Vec::with_capacity(8);
    let mut rename = |attempt: &mut Attempt| {
        let known = names.iter().position(|name| name == attempt);
        let place = known.unwrap_or_else(|| {
            names.push(*attempt);
            names.len() - 1
        });
        *attempt = u8::try_from(place).expect("there are few");
    };
    let chunks = state.streams.iter_mut().flat_map(|stream| &mut stream.chunks);
    chunks.filter_map(|chunk| chunk.attempt.as_mut()).for_each(&mut rename);
    for process in &mut state.gateways {
        for step in &mut process.waiting {
            if let Waiting::Settle(attempt) | Waiting::Release(attempt) = step {
                rename(attempt);
            }
        }
        process.waiting.sort_unstable();
    }
    let backup = state.backup.as_mut().map(|backup| &mut backup.store);
    for store in [Some(&mut state.store), backup].into_iter().flatten() {
        store.opens.sort_unstable_by_key(|open| OpenCharge { attempt: 0, ..*open });
        store.opens.iter_mut().for_each(|open| rename(&mut open.attempt));
        store.opens.sort_unstable();
    }
}
