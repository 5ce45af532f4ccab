//! How long it takes until a list is in force: 100,000 removals over releases of 100,000,000 IDs,
//! while downloads are charged.
//!
//! The answer: in force within 30 s, and no charge waits longer than a second meanwhile. The rival
//! is reading the same release once, byte by byte, with a count of its lines; it is the ceiling. By
//! default the release has 10,000,000 IDs, and the bar is the same share of it; with
//! `HYDRANT_BENCH_IDS=100000000` it has all of them, in 2 GB of a temporary folder.
//! `HYDRANT_TEST_POSTGRES`, the URL of a database that may be filled, measures that one.
//!
//! `cargo bench --bench removal`

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hydrant::base::ids::IdKind;
use hydrant::base::party::Actor;
use hydrant::directory::dataset::{BuiltRelease, Plan, register};
use hydrant::pipeline::{Damage, KindSet, Scope, Unwatched};
use hydrant::release::{Objects, Spec, build};
use hydrant::removal::import::{self, Committed};
use hydrant::removal::scan::Untold;
use hydrant::removal::{Aspect, Event, Known, List, Report};
use hydrant::store::{Address, Store, StoreError, Visibility};

const REMOVALS: u64 = 100_000;

/// The bar, for the full size.
const IN_FORCE_MAX: Duration = Duration::from_secs(30);
const FULL_IDS: u64 = 100_000_000;

/// How long a small change of somebody else may wait at most.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// IDs as Tweets have them, in no order: releases need not be sorted.
fn id(n: u64) -> u64 {
    let shuffled = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    (1 << 60) + (shuffled << 12) % (1 << 58) + n % 4_096
}

fn main() {
    let ids = std::env::var("HYDRANT_BENCH_IDS").map_or(10_000_000, |ids| ids.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let releases = folder.path().join("releases");
    std::fs::create_dir(&releases).unwrap();
    let store = match std::env::var("HYDRANT_TEST_POSTGRES") {
        Ok(url) => Store::connect(&Address::parse(&url).unwrap()).unwrap(),
        Err(_) => Store::open(&folder.path().join("bench.sqlite")).unwrap(),
    };
    let release = enter(&store, folder.path(), &releases, ids);
    let text = releases.join(&release).join("tweet-ids.txt");
    println!("a release of {ids} IDs, {} MB", text.metadata().unwrap().len() / 1_000_000);
    let begun = Instant::now();
    let lines = count_lines(&text);
    println!("reading it and counting its {lines} lines: {:.2?}", begun.elapsed());
    let event = |n: u64| Event {
        kind: IdKind::Tweet,
        element: id(n * (ids / REMOVALS)),
        aspect: Aspect::Deleted,
        removes: true,
        at_ms: Some(1_000),
    };
    let list = List::of((0..REMOVALS).map(event).collect(), Report::default());
    let (done, longest) = beside_changes(&store, || put_in_force(&store, &releases, &list));
    println!("the longest that somebody else waited for a commit: {longest:.2?}");
    look(&store, &list);
    let bar = IN_FORCE_MAX.mul_f64((ids as f64 / FULL_IDS as f64).max(0.1));
    assert!(done <= bar, "{done:.2?} instead of {bar:.2?} at most");
    assert!(longest <= WAIT_MAX, "others waited {longest:.2?}");
}

fn enter(store: &Store, folder: &Path, releases: &Path, ids: u64) -> String {
    let source = folder.join("ids.txt");
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&source).unwrap());
    for n in 0..ids {
        writeln!(out, "{}", id(n)).unwrap();
    }
    out.flush().unwrap();
    let kinds = KindSet::only(IdKind::Tweet);
    let (scope, damage, objects) = (Scope::Own, Damage::Refuse, Objects::AsTheyLie);
    let spec = Spec { ids: kinds, scope, damage, objects, now_ms: 1 };
    let built = build(std::slice::from_ref(&source), &spec, releases, &Unwatched).unwrap();
    std::fs::remove_file(source).unwrap();
    let id = built.release.id().to_string();
    let release = BuiltRelease { id: id.clone(), counts: vec![(IdKind::Tweet, ids)] };
    let plan = Plan {
        slug: format!("bench-{}", rand::random::<u32>()),
        title: "Made up".into(),
        ids: vec![IdKind::Tweet],
        scope: "own".into(),
        visibility: Visibility::Public,
        entities: Vec::new(),
        embargo_ms: None,
        upstream: None,
    };
    let entered = store.write_blocking(move |tx| -> Result<(), StoreError> {
        register(tx, 1, &Actor::Local("bench".into()), &plan, &release).unwrap();
        Ok(())
    });
    entered.unwrap();
    id
}

fn count_lines(text: &Path) -> usize {
    let (mut file, mut buffer, mut lines) = (File::open(text).unwrap(), vec![0; 1 << 20], 0);
    loop {
        let length = file.read(&mut buffer).unwrap();
        if length == 0 {
            return lines;
        }
        lines += buffer[..length].iter().filter(|byte| **byte == b'\n').count();
    }
}

fn put_in_force(store: &Store, releases: &Path, list: &List) -> Duration {
    let begun = Instant::now();
    let prepared = import::prepare_import(store, releases, list, 1_000, &Untold).unwrap();
    let scanned = begun.elapsed();
    let number = import::write_events(store, list, "bench", "bench", 1_000).unwrap();
    let written = begun.elapsed();
    let (removed, _) = prepared.lines();
    let done = store.write_blocking(move |tx| {
        let (actor, list) = (Actor::Local("bench".into()), serde_json::Value::Null);
        import::commit_import(tx, 1_000, &actor, number, &list, &prepared)
    });
    assert!(matches!(done.unwrap(), Committed::Done(_)));
    let in_force = begun.elapsed();
    println!("found {removed} lines of {REMOVALS} IDs: {scanned:.2?}");
    println!("wrote the events: {:.2?}", written - scanned);
    println!("put in force: {:.2?}; all of it: {in_force:.2?}", in_force - written);
    assert!(removed >= REMOVALS, "every ID stands in the release");
    in_force
}

/// Runs `work` while somebody else commits small changes one after another, and returns the
/// longest that one of these took.
fn beside_changes<T>(store: &Store, work: impl FnOnce() -> T) -> (T, Duration) {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let changes = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            while !is_over.load(Ordering::Relaxed) {
                let begun = Instant::now();
                store.write_blocking(|tx| tx.removal_set_told_version(0)).unwrap();
                longest = longest.max(begun.elapsed());
            }
            longest
        });
        let done = work();
        is_over.store(true, Ordering::Relaxed);
        (done, changes.join().unwrap())
    })
}

fn look(store: &Store, list: &List) {
    let known = Known::new(store.clone());
    let begun = Instant::now();
    assert_eq!(known.removed_among(IdKind::Tweet, &[1]).unwrap(), [false]);
    println!("the filter of {} IDs is built in {:.2?}", list.events.len(), begun.elapsed());
    let others: Vec<u64> = (0..1_000_000).map(|n| (1 << 61) + n * 4_097).collect();
    let begun = Instant::now();
    for others in others.chunks(16_384) {
        assert!(!known.removed_among(IdKind::Tweet, others).unwrap().contains(&true));
    }
    let each = begun.elapsed() / 1_000_000;
    println!("a look for an ID that is not removed: {each:.2?}");
    let removed: Vec<u64> = list.events.iter().map(|event| event.element).collect();
    let begun = Instant::now();
    for removed in removed.chunks(4_096) {
        assert!(known.removed_among(IdKind::Tweet, removed).unwrap().iter().all(|gone| *gone));
    }
    let each = begun.elapsed() / u32::try_from(removed.len()).unwrap();
    println!("a look for one that is: {each:.2?}");
}
