//! A year of a busy ledger in a few milliseconds, many times over: two gateways on one store that
//! fails, crashes and stalls, people who join entities and leave them, entities that are merged,
//! exemptions that come and go, numbers that change, against a naive list of what was handed over.
//!
//! # What the judge believes
//!
//! A chunk is handed to a person, and counts at each entity that they belong to at that moment,
//! until its window is over after the last instant at which a byte of it can have arrived. When a
//! person joins an entity, all that they were handed counts there as well; when an entity is merged
//! into another, all that counts at it counts there as well: since the same time, and once. Who
//! leaves changes nothing of what was. A change that failed is whole or is not there.
//!
//! After each step, what is live at an entity is at least what counts there in the window that ends
//! now: nothing that was carried is lost, or leaves early. At each grant it fits below the ceiling
//! together with all that was carried: a join or a merge may bring more than fits, but while it is
//! too much nothing is admitted on top. As long as nothing has disturbed clocks or stores, no more
//! is live than counts either. In a quarter of the histories each ID counts once and all orders
//! take from the same few; there, what is carried may count more than it has to.
//!
//! Peer-review links are recipients beside: what one has handed out counts as long as it lives, and
//! after its exemption ended it hands out nothing.
//!
//! One seed is one history. `HYDRANT_SIMULATION_SEEDS=1000000` runs more of them than every run
//! does; a seed that fails is printed, and `HYDRANT_SIMULATION_SEED=N` plays it again, told step
//! by step.

#![allow(clippy::print_stderr, reason = "a failing seed is told to whoever runs the tests")]

mod links;
mod members;
mod seen;
mod truth;
mod world;

use std::ops::Range;

use seen::Seen;
use world::World;

/// How many seeds every run plays, in two halves, so that two processes share them.
const SEEDS: u64 = 10_000;
/// How many things happen in one history.
const STEPS: u32 = 60;

fn seeds() -> u64 {
    number_of("HYDRANT_SIMULATION_SEEDS").unwrap_or(SEEDS)
}

fn number_of(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text}")))
}

/// Plays the seeds; what is never seen to happen is not tested, so that is counted.
fn play(seeds: Range<u64>) {
    let alone = number_of("HYDRANT_SIMULATION_SEED");
    let seeds = alone.map_or(seeds, |seed| seed..seed + 1);
    let mut seen = Seen::default();
    for seed in seeds {
        let played = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            for step in 0..STEPS {
                let happened = world.step();
                if alone.is_some() {
                    eprintln!("seed {seed}, step {step}: {happened}");
                }
            }
            world.finish()
        });
        match played {
            Ok(mut played) => seen.add(&mut played),
            Err(panic) => {
                eprintln!("play it again with HYDRANT_SIMULATION_SEED={seed}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    if alone.is_none() {
        eprintln!("{seen:?}");
        seen.assert_everything();
    }
}

#[test]
fn no_history_of_the_first_half_breaks_the_promise() {
    play(0..seeds() / 2);
}

#[test]
fn no_history_of_the_second_half_breaks_the_promise() {
    play(seeds() / 2..seeds());
}
