//! Objects that the platform is asked for, because there are bare IDs only. How it is asked, and
//! under which budget, is the business of `hydrate`.
//!
//! # The story
//!
//! First it is written down, durably, which IDs the batch has; then the platform is asked for them,
//! with the budget spent before each request and each answer kept before it is used ([`fetch`]). So
//! whoever is broken off calls [`gather`] again with the same folder, at any time: the batch is
//! what it was, only what was not answered is asked for, and what was is handed to the sink anew.
//! The folder goes when the caller has kept what came.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

use super::chunk::{Came, Wanted, object};
use super::feed::Feed;
use super::gather::strike_out;
use super::record::{id_of_page, understand};
use super::selection::Filter;
use super::stock::Stock;
use super::{GatherError, Gathered, Request, Sink, Tally};
use crate::base::ids::IdKind;
use crate::config::Hydrate;
use crate::export::cover::LeftOut;
use crate::export::object::Object;
use crate::hydrate::{
    Account, Books, Errand, Fetched, Listing, Order, Outcome, Patience, Platform, Stop, StoreBooks,
    Watcher, fetch,
};
use crate::pipeline::{Place, Removed};

/// How often it is looked whether somebody still waits.
const GLANCE: Duration = Duration::from_millis(200);

/// How many objects are handed over together.
const CHUNK: usize = 512;

/// Which IDs a batch has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Plan {
    kind: IdKind,
    /// Ordinals with their IDs; ordinals ascend.
    rows: Vec<(u64, u64)>,
    /// How many were removed.
    removed: u64,
    next: Option<u64>,
}

/// Gathers one batch from the platform, and hands it to `sink` in order. Its plan and the answers
/// are kept in `folder`, which is of no other batch; the caller removes it when it has kept what
/// came.
///
/// # Errors
/// [`GatherError`]; what was answered stays, and the same call goes on later.
pub async fn gather<B: Books>(
    stock: &Stock,
    request: &Request<'_>,
    removed: &dyn Removed,
    folder: &Path,
    errand: &mut Errand<'_, B>,
    sink: &mut dyn Sink,
) -> Result<Gathered, GatherError> {
    request.selection.check()?;
    if request.selection.filter != Filter::default() {
        let clause = "words, hashtags, languages and authors choose among records, and of this \
                      dataset there are bare IDs only";
        return Err(GatherError::Unfit(clause.to_owned()));
    }
    std::fs::create_dir_all(folder).map_err(GatherError::Sink)?;
    let path = folder.join("plan.json");
    let plan = match read(&path).map_err(GatherError::Sink)? {
        Some(plan) => plan,
        None => {
            let plan = choose(stock, request, removed)?;
            write(&path, &plan).map_err(GatherError::Sink)?;
            plan
        }
    };
    let fetched = if plan.rows.is_empty() {
        None
    } else {
        let ids = plan.rows.iter().map(|(_, id)| *id).collect();
        let order = Order { kind: plan.kind, ids, target: folder.join("objects.jsonl") };
        Some(fetch(&order, errand).await?)
    };
    hand_over(&plan, fetched.as_ref(), removed, sink)
}

/// Which IDs the batch has.
fn choose(
    stock: &Stock,
    request: &Request<'_>,
    removed: &dyn Removed,
) -> Result<Plan, GatherError> {
    let mut feed = Feed::of(stock, request, removed)?;
    let mut given = HashSet::new();
    let mut plan = Plan { kind: request.selection.kind, rows: Vec::new(), removed: 0, next: None };
    let mut last = None;
    loop {
        let chunk = feed.next_bare(&given)?;
        if chunk.is_empty() {
            plan.next = feed.next_after(None);
            return Ok(plan);
        }
        for (candidate, gone) in chunk {
            if plan.rows.len() as u64 == request.objects_max {
                plan.next = feed.next_after(last);
                return Ok(plan);
            }
            last = Some(candidate.ordinal);
            if gone {
                plan.removed += 1;
            } else if given.insert(candidate.id) {
                plan.rows.push((candidate.ordinal, candidate.id));
            }
        }
    }
}

/// Hands what was fetched to the sink.
fn hand_over(
    plan: &Plan,
    fetched: Option<&Fetched>,
    removed: &dyn Removed,
    sink: &mut dyn Sink,
) -> Result<Gathered, GatherError> {
    let mut tally = Tally::default();
    (0..plan.removed).for_each(|_| tally.add(LeftOut::Removed));
    let mut gathered = Gathered { next: plan.next, ..Gathered::default() };
    if let Some(fetched) = fetched {
        let outcomes = fetched.outcomes()?;
        let mut lines = Lines::open(fetched.lines()).map_err(GatherError::Read)?;
        for rows in plan.rows.iter().zip(&outcomes).collect::<Vec<_>>().chunks(CHUNK) {
            let mut came = Vec::with_capacity(rows.len());
            for ((ordinal, id), (answered, outcome)) in rows {
                assert_eq!(id, answered, "what is ordered is answered in its order");
                let held = lines.take(plan.kind, *id).map_err(GatherError::Read)?;
                let wanted = Wanted { ordinal: *ordinal, id: *id, place: Place::default() };
                came.push(Came { wanted, object: held.unwrap_or(Err(reason(*outcome))) });
            }
            strike_out(&mut came, removed).map_err(GatherError::Read)?;
            for Came { wanted, object } in came {
                match &object {
                    Ok(_) => gathered.objects += 1,
                    Err(reason) => tally.add(*reason),
                }
                sink.take(wanted.ordinal, object).map_err(GatherError::Sink)?;
            }
        }
    }
    gathered.left_out = tally.into_rows();
    Ok(gathered)
}

/// Why there is no object of an ID.
fn reason(outcome: Outcome) -> LeftOut {
    match outcome {
        Outcome::Deleted => LeftOut::Gone,
        Outcome::Protected => LeftOut::Protected,
        Outcome::Suspended => LeftOut::Suspended,
        Outcome::Withheld => LeftOut::Withheld,
        Outcome::Found | Outcome::Unknown => LeftOut::UnknownUpstream,
    }
}

/// The objects that came, in the order of their IDs; not each ID has one.
struct Lines {
    input: BufReader<File>,
    /// The next line that was not taken; empty at the end.
    line: Vec<u8>,
}

impl Lines {
    fn open(path: &Path) -> io::Result<Lines> {
        let mut lines = Lines { input: BufReader::new(File::open(path)?), line: Vec::new() };
        lines.advance()?;
        Ok(lines)
    }

    fn advance(&mut self) -> io::Result<()> {
        self.line.clear();
        self.input.read_until(b'\n', &mut self.line).map(|_| ())
    }

    /// The object of that ID, if the next line is its.
    fn take(&mut self, kind: IdKind, id: u64) -> io::Result<Option<Result<Object, LeftOut>>> {
        if self.line.is_empty() {
            return Ok(None);
        }
        let damaged =
            || io::Error::new(io::ErrorKind::InvalidData, "an answer that was kept is damaged");
        if id_of_page(&self.line).ok_or_else(damaged)? != id {
            return Ok(None);
        }
        let object = understand(&self.line).and_then(|record| object(&*record, kind, id));
        self.advance()?;
        Ok(Some(object))
    }
}

fn read(path: &Path) -> io::Result<Option<Plan>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a plan, whole or not at all; it is durable.
fn write(path: &Path, plan: &Plan) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".plan-").tempfile_in(folder)?;
    file.write_all(&serde_json::to_vec(plan)?)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

/// Whom to ask, for callers that wait.
#[derive(Clone)]
pub struct Asker {
    /// The platform.
    pub settings: Arc<Hydrate>,
    /// The name of the credential that asks.
    pub credential: String,
    /// Where it is written down first.
    pub books: StoreBooks,
}

/// Notes nothing: whoever waits for a file sees how many objects it has.
struct Unwatched;

impl Watcher for Unwatched {
    fn progress(&self, _: u64, _: &Account) {}
    fn waits(&self, _: i64, _: &str) {}
    fn fails(&self, _: &str) {}
}

impl Asker {
    /// As [`gather`], on the caller's thread, until somebody gives it up: then it ends after the
    /// request that is under way.
    ///
    /// # Errors
    /// As [`gather`]; [`crate::hydrate::Stopped::Asked`] if it was given up.
    pub fn gather(
        &self,
        stock: &Stock,
        request: &Request<'_>,
        removed: &dyn Removed,
        folder: &Path,
        is_given_up: impl Fn() -> bool,
        sink: &mut dyn Sink,
    ) -> Result<Gathered, GatherError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(GatherError::Sink)?.block_on(async {
            let mut platform = Platform::connect(&self.settings, Some(&self.credential)).await?;
            let stop = Stop::new();
            let mut errand = Errand {
                platform: &mut platform,
                books: &self.books,
                clock: &self.books.clock,
                numbers: &self.books.profile.upstream,
                patience: Patience::UntilReset,
                stop: &stop,
                watcher: &Unwatched,
                listing: Listing::Unlisted,
            };
            let watched = async {
                while !is_given_up() {
                    tokio::time::sleep(GLANCE).await;
                }
                stop.ask();
                std::future::pending::<()>().await;
            };
            tokio::select! {
                gathered = gather(stock, request, removed, folder, &mut errand, sink) => gathered,
                () = watched => unreachable!("it never ends"),
            }
        })
    }
}

#[cfg(test)]
mod tests;
