//! Hydrations that are killed at every moment of their work: no ID is lost, and none is asked for
//! again whose answer had been kept.
//!
//! The measure: after each kill, what the dead process had kept is read from its folder: the
//! objects and reasons in archive and outcomes, and the answer that was not applied yet. No ID of
//! these may be asked for again. What was under way at the moment of the kill is at most one
//! request, which nobody can have kept, and which is asked again.

mod harness;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::database::Database;
use harness::platform::{Fate, Moment, Platform};
use harness::{Bench, tweet_ids};
use rand::{RngExt, SeedableRng};
use serde_json::Value;

/// How many kills each hydration meets; `HYDRANT_TEST_KILLS` sets more.
const KILLS: u64 = 20;

fn kills() -> u64 {
    let said = std::env::var("HYDRANT_TEST_KILLS").ok();
    said.map_or(KILLS, |said| said.parse().expect("HYDRANT_TEST_KILLS is a number"))
}

/// The IDs whose answers are kept in the folder of a hydration whose process is dead.
fn kept(bench: &Bench, ids: &[u64]) -> BTreeSet<u64> {
    let folder = bench.path("archive.jsonl.hydrating");
    let read = |name: &str| std::fs::read(folder.join(name)).ok();
    let Some(progress) = read("progress.json") else { return BTreeSet::new() };
    let progress: Value = serde_json::from_slice(&progress).unwrap();
    let mut asked = progress["asked"].as_u64().unwrap();
    if let Some(answer) = read("answer") {
        let end = answer.iter().position(|byte| *byte == b'\n').unwrap();
        let about: Value = serde_json::from_slice(&answer[..end]).unwrap();
        asked = asked.max(about["first"].as_u64().unwrap() + about["ids"].as_u64().unwrap());
    }
    ids[..usize::try_from(asked).unwrap()].iter().copied().collect()
}

fn archived(path: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(path).unwrap();
    let id = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["data"]["id"].as_str().unwrap().parse().unwrap()
    };
    text.lines().map(id).collect()
}

/// Kills the process that asks at a moment of some answer, perhaps a little later.
struct Assassin {
    victim: Arc<Mutex<Option<Child>>>,
    answers_left: u32,
    moment: Moment,
    pause: Duration,
}

impl Assassin {
    fn meets(&mut self, moment: Moment) {
        if moment != self.moment {
            return;
        }
        if self.answers_left > 0 {
            self.answers_left -= 1;
            return;
        }
        std::thread::sleep(self.pause);
        if let Some(victim) = &mut *self.victim.lock().unwrap() {
            // It may have ended by itself.
            let _ = victim.kill();
        }
    }
}

fn kill(bench: &Bench, platform: &Platform, batches: u64) {
    bench.settings(&platform.settings("elevated"));
    let ids: Vec<u64> = tweet_ids(1, batches * 100).collect();
    let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
    std::fs::write(bench.path("ids.txt"), text).unwrap();
    let arguments = ["hydrate", "ids.txt", "-o", "archive.jsonl"];
    let seed: u64 = rand::random();
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let (mut kept_before, mut heard) = (BTreeSet::new(), 0);
    let moments = [Moment::Before, Moment::Middle, Moment::After];
    for round in 0..kills() {
        let place = format!("seed {seed}, round {round}");
        let moment = moments[random.random_range(0..moments.len())];
        // After an answer most of the work begins.
        let pause_us = if moment == Moment::After { random.random_range(0..60_000) } else { 0 };
        let victim = Arc::new(Mutex::new(None));
        let mut assassin = Assassin {
            victim: Arc::clone(&victim),
            answers_left: random.random_range(0..3),
            moment,
            pause: Duration::from_micros(pause_us),
        };
        platform.ambushes(Some(Box::new(move |moment| assassin.meets(moment))));
        let mut command = bench.command(&arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        *victim.lock().unwrap() = Some(command.spawn().unwrap());
        let mut ended = None;
        harness::wait_until("the process is dead", || {
            ended = victim.lock().unwrap().as_mut().unwrap().try_wait().unwrap();
            ended.is_some()
        });
        let signal = ended.and_then(|ended| ended.signal());
        assert_eq!(signal, Some(9), "{place}: it ended by itself");
        platform.ambushes(None);
        // None of what earlier processes had kept was asked for by this one.
        let asked = platform.asked();
        for asked in &asked[heard..] {
            let again = asked.ids.iter().find(|id| kept_before.contains(*id));
            assert_eq!(again, None, "{place}: it was asked for twice");
        }
        heard = asked.len();
        let kept = kept(bench, &ids);
        assert!(kept.is_superset(&kept_before), "{place}: something was lost");
        kept_before = kept;
    }
    bench.done(&arguments);
    let asked = platform.asked();
    for asked in &asked[heard..] {
        assert!(!asked.ids.iter().any(|id| kept_before.contains(id)), "seed {seed}, at the end");
    }
    judge(bench, &asked, &ids, seed);
}

/// At the end everything is there once, and the books tell at least what was asked.
fn judge(bench: &Bench, asked: &[harness::platform::Asked], ids: &[u64], seed: u64) {
    let expected: Vec<u64> =
        ids.iter().copied().filter(|id| Fate::of(*id).has_object("tweet")).collect();
    assert_eq!(archived(&bench.path("archive.jsonl")), expected, "seed {seed}");
    let account = std::fs::read_to_string(bench.path("archive.jsonl.account.csv")).unwrap();
    let told = account.lines().skip(1).map(str::to_owned);
    let outcome = |id: &u64| format!("{id},{}", Fate::of(*id).outcome());
    assert!(told.eq(ids.iter().map(outcome)), "seed {seed}: the account");
    let mut times = BTreeMap::new();
    asked.iter().flat_map(|asked| &asked.ids).for_each(|id| *times.entry(id).or_insert(0) += 1);
    assert!(ids.iter().all(|id| times.contains_key(id)), "seed {seed}: none is lost");
    let batches = ids.len() as u64 / 100;
    let again = asked.len() as u64 - batches;
    assert!(again <= kills(), "seed {seed}: {again} requests too many");
    let spent = bench.json(&["hydrate", "budget"])[0]["spent"].as_u64().unwrap();
    let asked_ids = asked.len() as u64 * 100;
    assert!(spent >= asked_ids, "seed {seed}: {spent} spent, {asked_ids} asked for");
    assert!(spent <= asked_ids + 100 * kills(), "seed {seed}: {spent} spent");
}

/// So many batches that no hydration ends before its last kill.
fn batches() -> u64 {
    kills() * 4
}

#[test]
fn over_all_kills_no_id_is_lost_and_none_that_was_kept_is_asked_for_again() {
    kill(&Bench::new(), &Platform::start(), batches());
}

#[test]
fn the_same_holds_while_a_gateway_keeps_the_books() {
    let (bench, platform) = (Bench::new(), Platform::start());
    bench.settings(&platform.settings("elevated"));
    let gateway = bench.serve();
    kill(&bench, &platform, batches());
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn the_same_holds_with_books_on_postgres() {
    let database = Database::fresh();
    kill(&Bench::on(&database.url()), &Platform::start(), batches());
}
