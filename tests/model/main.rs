//! The ledger's protocol as a model: every order in which its steps can happen in small worlds, and
//! every tempting design that breaks the limit in one of them. That the code follows the model is
//! shown by the tests of `src/ledger`, not here.
//!
//! Six models, each checked to its end: every state that can be reached is looked at.
//!
//! * [`protocol`]: pauses, kill -9, broken connections, peers, people of two entities, merges,
//!   restored backups, links that end. A model of
//!   `src/ledger/{admit,charge,link,queue,recover,carry,freeze}.rs`,
//!   `src/deliver.rs` and `src/deliver/account.rs`; what fits is decided by `policy::Level` itself.
//! * [`distinct`]: references, dates and filters where an ID counts once. A model of
//!   `src/ledger/{distinct,filter}.rs`.
//! * [`transaction`]: locks, snapshots, commits that are lost or whose outcome nobody knows. A
//!   model of what `src/store` asks of SQLite and PostgreSQL.
//! * [`clock`]: clocks that jump, machines that start anew. A model of `src/ledger/clock.rs`; time
//!   itself is `policy::LedgerTime`.
//! * [`kept`]: a file of objects that removals hit while it is kept, charged and sent. A model of
//!   `src/export/job/cabinet.rs`, `src/ledger/objects.rs` and `src/deliver/file.rs`.
//! * [`window`]: the arithmetic alone, which is `policy::Window` itself.
//!
//! What a step of the protocol is in the code stands at [`protocol::Step`]. Time is discrete, and a
//! state knows ages instead of times, so those without ticks cover any length of time; the others
//! have as many ticks as they say. The judge is the client: what it received within a window, and
//! what may still arrive.
//!
//! [`design::RIGHT`] is the design of the code, and [`wrong::WRONG`] the table of all others: each
//! changes one answer, and the checker has to find a sequence of steps that breaks the promise that
//! the table names. A right design that passes proves little if nothing happens in its world: so
//! all that is worth looking at has to happen in it, and there is a least number of states.
//!
//! `HYDRANT_TEST_MODEL=deep cargo test --release --test model -- --nocapture` checks larger worlds
//! (some minutes, some gigabytes); `--nocapture` shows figures and counterexamples.

mod ages;
mod clock;
mod design;
mod distinct;
mod judge;
mod kept;
mod ledger;
mod protocol;
mod scope;
mod state;
mod transaction;
mod window;
mod wrong;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries};

use clock::Clock;
use design::{Design, RIGHT};
use distinct::Distinct;
use kept::Kept;
use protocol::Protocol;
use scope::{
    ENTITIES_JOINED, ENTITIES_MERGED, LINK, ONE_GATEWAY, RESTORED, Scope, TWO_GATEWAYS, TWO_LINKS,
};
use transaction::Transaction;
use window::Window;
use wrong::{Model, WRONG, Wrong};

/// What a model is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether its promises are kept in every state that can be reached.
    IsAlwaysTrue,
    /// Whether all that is worth looking at happens in some state.
    Happens,
}

/// A model that can be asked either.
pub trait Questioned: stateright::Model {
    /// The same model, asked that.
    fn ask(self, question: Question) -> Self;
}

/// How large the worlds are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    /// For every run.
    Usual,
    /// On demand.
    Deep,
}

fn depth() -> Depth {
    match std::env::var("HYDRANT_TEST_MODEL").as_deref() {
        Ok("deep") => Depth::Deep,
        Ok(other) => panic!("HYDRANT_TEST_MODEL is `{other}`, but the only other depth is `deep`"),
        Err(_) => Depth::Usual,
    }
}

fn protocol(design: Design, scope: Scope) -> Protocol {
    Protocol { design, scope, question: Question::IsAlwaysTrue }
}

fn distinct(design: Design, depth: Depth) -> Distinct {
    let crashes = if depth == Depth::Deep { 2 } else { 1 };
    Distinct { design, crashes, question: Question::IsAlwaysTrue }
}

fn window(design: Design, depth: Depth) -> Window {
    let ticks = if depth == Depth::Deep { 20 } else { 14 };
    Window { design, limit: 3, ticks, question: Question::IsAlwaysTrue }
}

fn clock(design: Design, depth: Depth) -> Clock {
    let (ticks, jumps) = if depth == Depth::Deep { (7, 2) } else { (5, 1) };
    Clock { design, ticks, jumps, boots: 2, question: Question::IsAlwaysTrue }
}

fn transaction(design: Design, depth: Depth) -> Transaction {
    let (ceiling, losses, cuts) = if depth == Depth::Deep { (3, 2, 2) } else { (2, 1, 1) };
    Transaction { design, ceiling, losses, cuts, question: Question::IsAlwaysTrue }
}

fn kept(design: Design, depth: Depth) -> Kept {
    let (removals, fetches) = if depth == Depth::Deep { (6, 4) } else { (3, 3) };
    Kept { design, removals, fetches, question: Question::IsAlwaysTrue }
}

/// Says what a check found, for whoever asks for it with `--nocapture`.
#[expect(clippy::print_stderr, reason = "figures that somebody asked for")]
fn tell(what: std::fmt::Arguments<'_>) {
    eprintln!("{what}");
}

/// Looks at every state that `model` can reach: all promises are kept in each, all that is worth
/// looking at happens in some, and there are at least `states_min`.
fn check<M>(name: &str, model: impl Fn() -> M, states_min: usize)
where
    M: Questioned + Send + Sync + 'static,
    M::State: Clone + Debug + PartialEq + Hash + Send + Sync,
    M::Action: Clone + Debug + PartialEq,
{
    let began = Instant::now();
    let checker = model().ask(Question::IsAlwaysTrue).checker().spawn_bfs().join();
    if let Some((broken, path)) = checker.discoveries().into_iter().next() {
        let (last, steps) = (path.last_state().clone(), path.into_actions());
        panic!("{name}: not always: {broken}\n{steps:?}\nleads to\n{last:#?}");
    }
    // The checker stops early only when every promise is broken, and none is.
    assert!(checker.is_done(), "{name}: states are left that nobody has looked at");
    let (states, steps) = (checker.unique_state_count(), checker.state_count());
    tell(format_args!("{name}: {states} states, {steps} steps, {:.1?}", began.elapsed()));
    assert!(states >= states_min, "{name}: only {states} states, so little can happen");
    let checker = model().ask(Question::Happens).checker().spawn_bfs().join();
    checker.assert_properties();
}

/// Looks for the steps by which `model`, of a wrong design, breaks the promise that it is said to.
fn catch<M>(wrong: &Wrong, model: M)
where
    M: Questioned + Send + Sync + 'static,
    M::State: Clone + Debug + PartialEq + Hash + Send + Sync,
    M::Action: Clone + Debug + PartialEq,
{
    let Wrong { says, breaks, .. } = *wrong;
    let began = Instant::now();
    let looked_for = HasDiscoveries::AllOf(BTreeSet::from([breaks]));
    let model = model.ask(Question::IsAlwaysTrue);
    let checker = model.checker().finish_when(looked_for).spawn_bfs().join();
    let states = checker.unique_state_count();
    let Some(path) = checker.discovery(breaks) else {
        panic!("not caught in {states} states: {says}");
    };
    let (steps, took) = (path.into_actions(), began.elapsed());
    tell(format_args!("{says}\n  breaks: {breaks} ({states} states, {took:.1?})\n  {steps:?}"));
}

/// Catches every wrong design that models like this one show.
fn catch_all(is_shown: impl Fn(&Model) -> bool) {
    let shown: Vec<&Wrong> = WRONG.iter().filter(|wrong| is_shown(&wrong.model)).collect();
    assert!(!shown.is_empty(), "there are wrong designs to be caught");
    for wrong in shown {
        match wrong.model {
            Model::Protocol(scope) => catch(wrong, protocol(wrong.design, scope)),
            Model::Distinct => catch(wrong, distinct(wrong.design, Depth::Usual)),
            Model::Window => catch(wrong, window(wrong.design, Depth::Usual)),
            Model::Clock => catch(wrong, clock(wrong.design, Depth::Usual)),
            Model::Transaction => catch(wrong, transaction(wrong.design, Depth::Usual)),
            Model::Kept => catch(wrong, kept(wrong.design, Depth::Usual)),
        }
    }
}

fn check_protocol(name: &str, [usual, deep]: [Scope; 2], states_min: usize) {
    let scope = if depth() == Depth::Deep { deep } else { usual };
    check(name, || protocol(RIGHT, scope), states_min);
}

#[test]
fn one_gateway_keeps_every_promise() {
    let usual = Scope { ceiling: 3, order: 3, ..ONE_GATEWAY };
    let deep = Scope { ceiling: 4, order: 3, window: 3, hold: 2, crashes: 3, ..ONE_GATEWAY };
    check_protocol("one gateway", [usual, deep], 200_000);
}

#[test]
fn two_gateways_on_one_database_keep_every_promise() {
    let usual = Scope { ceiling: 3, order: 2, ..TWO_GATEWAYS };
    let deep = Scope { ceiling: 4, order: 3, hold: 2, ..TWO_GATEWAYS };
    check_protocol("two gateways", [usual, deep], 200_000);
}

#[test]
fn people_of_several_entities_keep_every_promise() {
    let deep = Scope { crashes: 2, ..ENTITIES_JOINED };
    check_protocol("two entities", [ENTITIES_JOINED, deep], 1_000_000);
}

#[test]
fn merged_entities_keep_every_promise() {
    let deep = Scope { crashes: 2, ..ENTITIES_MERGED };
    check_protocol("merged entities", [ENTITIES_MERGED, deep], 1_000_000);
}

#[test]
fn a_link_keeps_every_promise() {
    let usual = Scope { ceiling: 3, order: 2, ..LINK };
    let deep = Scope { ceiling: 4, order: 3, hold: 2, ..LINK };
    check_protocol("a link", [usual, deep], 50_000);
}

#[test]
fn links_under_one_exemption_keep_every_promise() {
    let deep = Scope { ceiling: 3, order: 3, ..TWO_LINKS };
    check_protocol("two links", [TWO_LINKS, deep], 20_000);
}

#[test]
fn a_ledger_that_is_put_back_keeps_every_promise() {
    let deep = Scope { ceiling: 3, ..RESTORED };
    check_protocol("restored", [RESTORED, deep], 80_000);
}

#[test]
fn distinct_ids_keep_every_promise() {
    check("distinct", || distinct(RIGHT, depth()), 400_000);
}

#[test]
fn transactions_keep_every_promise() {
    check("transaction", || transaction(RIGHT, depth()), 500_000);
}

#[test]
fn ledger_time_keeps_every_promise() {
    check("clock", || clock(RIGHT, depth()), 100_000);
}

#[test]
fn trailing_buckets_keep_every_promise() {
    check("window", || window(RIGHT, depth()), 10_000);
}

#[test]
fn a_kept_file_keeps_every_promise() {
    check("kept", || kept(RIGHT, depth()), 500);
}

#[test]
fn every_wrong_way_to_keep_a_file_is_caught() {
    catch_all(|model| *model == Model::Kept);
}

#[test]
fn every_wrong_protocol_is_caught() {
    catch_all(|model| matches!(model, Model::Protocol(_)));
}

#[test]
fn every_wrong_count_of_distinct_ids_is_caught() {
    catch_all(|model| *model == Model::Distinct);
}

#[test]
fn every_wrong_transaction_is_caught() {
    catch_all(|model| *model == Model::Transaction);
}

#[test]
fn every_wrong_clock_is_caught() {
    catch_all(|model| *model == Model::Clock);
}

#[test]
fn every_wrong_window_is_caught() {
    catch_all(|model| *model == Model::Window);
}
