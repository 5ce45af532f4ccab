//! How large the worlds are in which the protocol is checked; each is checked to its end.

use crate::ledger::{Entities, PEOPLE};

/// How many connections there are.
pub const STREAMS: usize = 2;

/// How large the world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// How many IDs an entity may receive in any window.
    pub ceiling: u8,
    /// How many IDs an order asks for at most; each is a chunk.
    pub order: u8,
    /// Ticks.
    pub window: u8,
    /// Ticks: how much longer a charge counts, and how long a dead connection may deliver.
    pub grace: u8,
    /// Ticks.
    pub hold: u8,
    /// Which gateway serves each stream.
    pub gateway: [u8; STREAMS],
    /// Who orders on each stream.
    pub person: [u8; STREAMS],
    /// Where each person belongs at first, one bit for each entity.
    pub members: [u8; PEOPLE],
    /// How often a process dies.
    pub crashes: u8,
    /// How often a backup is restored.
    pub restores: u8,
    /// How often the second person joins the first entity.
    pub joins: u8,
    /// How often the second entity is merged into the first one.
    pub merges: u8,
    /// Which of the entities are links: what they hand out counts as long as they live.
    pub links: Entities,
    /// How often what entitles the links comes to its end.
    pub ends: u8,
}

/// One process with two streams.
pub const ONE_GATEWAY: Scope = Scope {
    ceiling: 2,
    order: 2,
    window: 2,
    grace: 1,
    hold: 1,
    gateway: [0, 0],
    person: [0, 0],
    members: [1, 0],
    crashes: 2,
    restores: 0,
    joins: 0,
    merges: 0,
    links: 0,
    ends: 0,
};

/// Two processes on one database.
pub const TWO_GATEWAYS: Scope = Scope { gateway: [0, 1], ..ONE_GATEWAY };

/// Two people of two entities, of whom one joins the other's.
pub const ENTITIES_JOINED: Scope =
    Scope { person: [0, 1], members: [1, 2], crashes: 1, joins: 1, ..ONE_GATEWAY };

/// Two people of two entities, of whom one is merged into the other; the second person may have
/// joined the other before.
pub const ENTITIES_MERGED: Scope = Scope { merges: 1, ..ENTITIES_JOINED };

/// One process with two downloads at one peer-review link, whose exemption ends.
pub const LINK: Scope = Scope { links: 1, ends: 1, ..ONE_GATEWAY };

/// One process with a download at each of two links, which share the ceiling of their exemption.
pub const TWO_LINKS: Scope = Scope { links: 3, person: [0, 1], members: [1, 2], ..LINK };

/// One process whose store is put back to an earlier state.
pub const RESTORED: Scope = Scope { crashes: 2, restores: 1, ..ONE_GATEWAY };
