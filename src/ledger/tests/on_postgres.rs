//! The tests of the ledger on PostgreSQL; what they are stands beside.

use super::*;

struct OnPostgres;

impl On for OnPostgres {
    const ENGINE: Engine = Engine::Postgres;
    const CASES: u32 = 6;
}

type Rig = RigOn<OnPostgres>;

#[path = "allowance.rs"]
mod allowance;
#[path = "carried.rs"]
mod carried;
#[path = "crash.rs"]
mod crash;
#[path = "distinct.rs"]
mod distinct;
#[path = "distinct_random.rs"]
mod distinct_random;
#[path = "in_force.rs"]
mod in_force;
#[path = "links.rs"]
mod links;
#[path = "objects.rs"]
mod objects;
#[path = "parcels.rs"]
mod parcels;
#[path = "permission.rs"]
mod permission;
#[path = "protocol.rs"]
mod protocol;
#[path = "random.rs"]
mod random;
#[path = "views.rs"]
mod views;
