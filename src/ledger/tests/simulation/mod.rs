//! A year of a busy ledger in a few milliseconds, many times over: two gateways on one store that
//! fails, crashes and stalls, people in several entities, exemptions that come and go, numbers
//! that change, against a naive list of what was handed over.
//!
//! One seed is one history. `HYDRANT_SIMULATION_SEEDS=1000000` runs more of them than every run
//! does; a seed that fails is printed, and `HYDRANT_SIMULATION_SEED=N` plays it again, told step
//! by step.

#![allow(clippy::print_stderr, reason = "a failing seed is told to whoever runs the tests")]

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
