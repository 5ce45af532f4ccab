//! The loop that gathers a batch: what is wanted in, objects out in their order.
//!
//! Two threads read, each a load at a time, and their results are put in order again before the
//! sink sees them. A source that has to be decoded from its beginning is read by the caller's
//! thread, because only one can be where it is.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use hashbrown::HashSet;

use super::chunk::{Came, read};
use super::feed::{Feed, Load};
use super::selection::Sieve;
use super::stock::{Pass, Stock, Way};
use super::{GatherError, Gathered, Request, Sink, Tally};
use crate::base::ids::{Id, IdKind};
use crate::export::cover::LeftOut;
use crate::export::object::Object;
use crate::pipeline::Removed;

/// How many threads read.
const THREADS: usize = 2;

/// How many loads are under way at most.
const LOADS_MAX: usize = 2 * THREADS;

/// Gathers one batch from the operator's own records, and hands it to `sink` in order.
///
/// # Errors
/// [`GatherError`]. Records that cannot be shown are no error: the sink is told why.
pub fn gather(
    stock: &Stock,
    request: &Request<'_>,
    removed: &dyn Removed,
    sink: &mut dyn Sink,
) -> Result<Gathered, GatherError> {
    request.selection.check()?;
    let feed = Feed::of(stock, request, removed)?;
    gather_from(stock, request, removed, feed, sink)
}

/// How many objects a feed gives.
pub(super) fn gathered_of(
    stock: &Stock,
    request: &Request<'_>,
    removed: &dyn Removed,
    feed: Feed<'_>,
) -> Result<u64, GatherError> {
    struct Unkept;
    impl Sink for Unkept {
        fn take(&mut self, _: u64, _: Result<Object, LeftOut>) -> std::io::Result<()> {
            Ok(())
        }
    }
    let request = Request { objects_max: u64::MAX, ..*request };
    Ok(gather_from(stock, &request, removed, feed, &mut Unkept)?.objects)
}

fn gather_from(
    stock: &Stock,
    request: &Request<'_>,
    removed: &dyn Removed,
    mut feed: Feed<'_>,
    sink: &mut dyn Sink,
) -> Result<Gathered, GatherError> {
    let mut batch = Batch::new(request, removed, sink);
    let (give, waiting) = channel();
    let waiting = Mutex::new(waiting);
    let (done, results) = channel();
    let is_more = std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let (waiting, done) = (&waiting, done.clone());
            scope.spawn(move || work_off(stock, request.selection.kind, waiting, &done));
        }
        drop(done);
        let mut bench = Bench { stock, give, results, passes: HashMap::new(), under_way: 0 };
        // The threads end with the bench, when nobody has work for them any more.
        bench.run(&mut feed, &mut batch)
    })?;
    let next = feed.next_after(batch.last.filter(|_| is_more));
    Ok(Gathered {
        objects: batch.objects,
        left_out: batch.tally.into_rows(),
        next,
        changed: stock.changed(),
    })
}

/// A load with its place in the order.
type Numbered<T> = (u64, T);

/// What one of the reading threads does.
fn work_off(
    stock: &Stock,
    kind: IdKind,
    waiting: &Mutex<Receiver<Numbered<Load>>>,
    done: &Sender<Numbered<Vec<Came>>>,
) {
    loop {
        let next = waiting.lock().expect("nobody panics while they wait for work").recv();
        let Ok((number, load)) = next else { return };
        // If nobody listens any more, the batch was ended early.
        if done.send((number, read_load(stock, kind, load, &mut None))).is_err() {
            return;
        }
    }
}

/// Everything that becomes of a load, in order.
fn read_load(stock: &Stock, kind: IdKind, load: Load, pass: &mut Option<Pass>) -> Vec<Came> {
    let mut came = load.decided;
    if !load.wanted.is_empty() {
        came.extend(read(&stock.sources[load.source], pass, kind, &load.wanted));
        came.sort_unstable_by_key(|came| came.wanted.ordinal);
    }
    came
}

/// Where loads are given out and come back.
struct Bench<'a> {
    stock: &'a Stock,
    give: Sender<Numbered<Load>>,
    results: Receiver<Numbered<Vec<Came>>>,
    /// The sources that are decoded from their beginning, as far as that has come.
    passes: HashMap<usize, Option<Pass>>,
    /// How many loads the threads have.
    under_way: usize,
}

impl Bench<'_> {
    /// Fills the batch; says whether there is more than it takes.
    fn run(&mut self, feed: &mut Feed<'_>, batch: &mut Batch<'_>) -> Result<bool, GatherError> {
        let mut ready: BTreeMap<u64, Vec<Came>> = BTreeMap::new();
        let (mut given, mut taken) = (0, 0);
        let mut is_end = false;
        loop {
            while !is_end && self.under_way + ready.len() < LOADS_MAX {
                let loads = feed.next(&batch.given)?;
                is_end = loads.is_empty();
                for load in loads {
                    if let Some(came) = self.give_out(given, load, batch.request.selection.kind) {
                        ready.insert(given, came);
                    }
                    given += 1;
                }
            }
            while let Some(came) = ready.remove(&taken) {
                taken += 1;
                let is_more = batch.take(came)?;
                if batch.is_full() {
                    let is_more = is_more || taken < given;
                    return Ok(is_more || !feed.next(&batch.given)?.is_empty());
                }
            }
            if taken == given {
                if is_end {
                    return Ok(false);
                }
                continue;
            }
            if self.under_way > 0 {
                let (number, came) = self.results.recv().expect("the threads outlive their work");
                self.under_way -= 1;
                ready.insert(number, came);
            }
        }
    }

    /// Gives a load to the threads, or reads it where only this thread can.
    fn give_out(&mut self, number: u64, load: Load, kind: IdKind) -> Option<Vec<Came>> {
        let is_pass =
            !load.wanted.is_empty() && matches!(self.stock.sources[load.source].way, Way::Pass);
        if is_pass || load.wanted.is_empty() {
            let pass = self.passes.entry(load.source).or_default();
            return Some(read_load(self.stock, kind, load, pass));
        }
        self.give.send((number, load)).expect("the threads wait for work as long as there is any");
        self.under_way += 1;
        None
    }
}

/// What has come of a batch.
struct Batch<'a> {
    request: &'a Request<'a>,
    sieve: Sieve,
    removed: &'a dyn Removed,
    sink: &'a mut dyn Sink,
    /// The IDs whose objects were given; an ID that comes again is not.
    given: HashSet<u64>,
    objects: u64,
    tally: Tally,
    /// The last ordinal that was taken.
    last: Option<u64>,
}

impl<'a> Batch<'a> {
    fn new(
        request: &'a Request<'a>,
        removed: &'a dyn Removed,
        sink: &'a mut dyn Sink,
    ) -> Batch<'a> {
        Batch {
            request,
            sieve: Sieve::of(request.selection),
            removed,
            sink,
            given: HashSet::new(),
            objects: 0,
            tally: Tally::default(),
            last: None,
        }
    }

    fn is_full(&self) -> bool {
        self.objects == self.request.objects_max
    }

    /// Takes what came, up to the last object of the batch; says whether any of it is left.
    fn take(&mut self, mut came: Vec<Came>) -> Result<bool, GatherError> {
        strike_out(&mut came, self.removed).map_err(GatherError::Read)?;
        for Came { wanted, object } in came {
            if self.is_full() {
                return Ok(true);
            }
            self.last = Some(wanted.ordinal);
            if self.given.contains(&wanted.id) {
                continue;
            }
            match &object {
                Ok(object) if !self.sieve.passes(object) => continue,
                Ok(_) => {
                    self.given.insert(wanted.id);
                    self.objects += 1;
                }
                Err(reason) => self.tally.add(*reason),
            }
            self.sink.take(wanted.ordinal, object).map_err(GatherError::Sink)?;
        }
        Ok(false)
    }
}

/// Takes out what turned out to be of removed accounts, or repeats a removed Tweet, now that the
/// records are read.
pub(super) fn strike_out(came: &mut [Came], removed: &dyn Removed) -> std::io::Result<()> {
    let (mut at, mut ids, mut authors) = (Vec::new(), Vec::new(), Vec::new());
    for (place, came) in came.iter().enumerate() {
        let Ok(Object::Tweet(tweet)) = &came.object else { continue };
        let original = tweet.retweet_of.as_ref();
        let original = original.map(|original| (original.id, original.author.id));
        for (id, author) in [(tweet.id, tweet.author.id)].into_iter().chain(original) {
            at.push(place);
            ids.push(id.value());
            authors.push(Some(author.value()));
        }
    }
    let mut gone = vec![false; ids.len()];
    removed.mark(IdKind::Tweet, &ids, &authors, &mut gone)?;
    for (place, _) in at.into_iter().zip(gone).filter(|(_, gone)| *gone) {
        came[place].object = Err(LeftOut::Removed);
    }
    Ok(())
}
