//! Makes files that were asked for, one after the other, beside the serving.
//!
//! A file is taken with a lease, which is renewed while it is made. A gateway that does not renew
//! it, because it is dead or was paused, loses the file to another; whatever it still writes is of
//! its own attempt, and nobody looks at it.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::cabinet::{Cabinet, CabinetError};
use super::spool::{Gathered, Spool};
use super::{Rules, ask};
use crate::base::causes::with_causes;
use crate::base::ids::IdKind;
use crate::export::cover::LeftOut;
use crate::export::file::{Options, WriteError};
use crate::export::object::Object;
use crate::export::source::upstream::Asker;
use crate::export::source::{self, GatherError, Part, Request, Selection, Sink, Stock, Supply};
use crate::policy::Profile;
use crate::release::{Release, ReleaseError};
use crate::store::{ExportFileRow, ExportRow, Store, StoreError, Tx};

/// How often it is looked whether there is something to make, and whether what is made still is.
const GLANCE: Duration = Duration::from_millis(500);

/// For how long a file is taken, in milliseconds: a gateway that is silent for so long is taken for
/// dead, which harms nobody if it is not.
const LEASE_MS: i64 = 60_000;

/// How often a file is held against removals that come into force while it is finished.
const ATTEMPTS_MAX: u32 = 16;

/// What files are made with. Clones share it.
#[derive(Clone)]
pub struct Workshop {
    /// Where files are kept.
    pub cabinet: Cabinet,
    /// The folder of the releases.
    pub releases: PathBuf,
    /// The numbers in force.
    pub profile: Arc<Profile>,
    /// How files are made and kept.
    pub rules: Rules,
    /// How they are written.
    pub options: Options,
    /// Who asks the platform for objects of datasets of bare IDs; `None`: nobody does.
    pub asker: Option<Asker>,
    /// Wakes whoever makes files.
    pub bell: Arc<Notify>,
}

/// Whoever makes files, until told to stop.
pub struct Making {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Why no file was made.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotMade {
    /// Nobody wants it any more, or the gateway stops: somebody else may go on.
    #[error("it was given up")]
    GivenUp,
    /// It cannot be made, and its person is told.
    #[error("{0}")]
    Cannot(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk did.
    #[error(transparent)]
    Disk(#[from] CabinetError),
    /// What is gathered cannot be kept.
    #[error("what is gathered cannot be kept: {0}")]
    Spool(#[from] io::Error),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The release cannot be read.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// Objects cannot be gathered.
    #[error("{}", with_causes(.0))]
    Gather(#[from] GatherError),
}

/// What the thread that makes a file and whoever looks after it tell each other.
#[derive(Default)]
pub(super) struct Course {
    gathered: AtomicU64,
    given_up: AtomicBool,
}

impl Course {
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }

    /// Whether somebody wants it still.
    pub(super) fn check(&self) -> Result<(), NotMade> {
        match self.is_given_up() {
            true => Err(NotMade::GivenUp),
            false => Ok(()),
        }
    }
}

impl Making {
    /// Begins to make what is asked for.
    pub fn start(workshop: Workshop) -> Making {
        let (stop, stopped) = watch::channel(false);
        Making { stop, task: tokio::spawn(keep_on(workshop, stopped)) }
    }

    /// Gives up what is being made, so that another gateway or the next start goes on with it, and
    /// waits for that.
    pub async fn end(self) {
        self.stop.send_replace(true);
        if let Err(bug) = self.task.await {
            tracing::error!(%bug, "nobody makes files any more");
        }
    }
}

async fn keep_on(workshop: Workshop, mut stopped: watch::Receiver<bool>) {
    let mut glances = tokio::time::interval(GLANCE);
    glances.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut is_fresh = true;
    loop {
        tokio::select! {
            _ = glances.tick() => {}
            () = workshop.bell.notified() => {}
            _ = stopped.changed() => break,
        }
        if is_fresh {
            // What this gateway was making when it ended.
            match workshop.store().write(|tx| tx.export_files_let_go()).await {
                Ok(_) => is_fresh = false,
                Err(error) => tracing::warn!(%error, "files that were being made have to wait"),
            }
            continue;
        }
        let cabinet = workshop.cabinet.clone();
        let check = move || cabinet.check_all().and_then(|_| cabinet.check_copies());
        match tokio::task::spawn_blocking(check).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a kept file cannot be held against removals"),
            Err(bug) => tracing::error!(%bug, "kept files are not held against removals"),
        }
        while !*stopped.borrow() {
            match workshop.take().await {
                Ok(Some(row)) => workshop.make(row, &mut stopped).await,
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "nobody can tell which file is to be made");
                    break;
                }
            }
        }
    }
    if let Err(error) = workshop.store().write(|tx| tx.export_files_let_go()).await {
        tracing::warn!(%error, "a file waits until its lease is over");
    }
}

impl Workshop {
    pub(super) fn store(&self) -> &Store {
        self.cabinet.store()
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.cabinet.clock().now_ms()
    }

    async fn take(&self) -> Result<Option<ExportFileRow>, StoreError> {
        let now_ms = self.now_ms();
        if !self.store().look(move |tx| tx.export_file_is_wanted(now_ms)).await? {
            return Ok(None);
        }
        self.store().write(move |tx| tx.export_file_take(now_ms, now_ms + LEASE_MS)).await
    }

    /// Makes one file, and keeps its lease meanwhile.
    async fn make(&self, row: ExportFileRow, stopped: &mut watch::Receiver<bool>) {
        let course = Arc::new(Course::default());
        let (id, attempt) = (row.id, row.attempt);
        let mut making = {
            let (workshop, course, row) = (self.clone(), Arc::clone(&course), row.clone());
            tokio::task::spawn_blocking(move || workshop.make_blocking(&row, &course))
        };
        let mut glances = tokio::time::interval(GLANCE);
        let made = loop {
            tokio::select! {
                made = &mut making => break made,
                _ = glances.tick() => {
                    let (until_ms, gathered) =
                        (self.now_ms() + LEASE_MS, course.gathered.load(Ordering::Relaxed));
                    let renew = move |tx: &Tx<'_>| {
                        tx.export_file_renew(id, attempt, until_ms, gathered)
                    };
                    match self.store().write(renew).await {
                        Ok(true) => {}
                        Ok(false) => course.given_up.store(true, Ordering::Relaxed),
                        Err(error) => tracing::warn!(%error, file = id, "a lease is not renewed"),
                    }
                    if *stopped.borrow() {
                        course.given_up.store(true, Ordering::Relaxed);
                    }
                }
            }
        };
        match made {
            Ok(Ok(())) => tracing::info!(file = id, attempt, "a file of objects is made"),
            Ok(Err(NotMade::GivenUp)) => tracing::info!(file = id, attempt, "a file is given up"),
            Ok(Err(error)) => self.fail(&row, &error).await,
            Err(bug) => {
                let reason = format!("the gateway has a bug: {bug}");
                self.fail(&row, &NotMade::Cannot(reason)).await;
            }
        }
    }

    async fn fail(&self, row: &ExportFileRow, error: &NotMade) {
        let (id, attempt, now_ms) = (row.id, row.attempt, self.now_ms());
        tracing::warn!(%error, file = id, attempt, "a file of objects cannot be made");
        let reason = match error {
            NotMade::Cannot(reason) => reason.clone(),
            other => format!("{other}; the operator can tell more"),
        };
        let failed = self.store().write(move |tx| {
            let row = tx.export_file(id)?;
            let left_out = row.map_or_else(|| "[]".to_owned(), |row| row.left_out);
            tx.export_file_fail(id, attempt, &reason, &left_out, now_ms)
        });
        if let Err(error) = failed.await {
            tracing::warn!(%error, file = id, "that it cannot be made is not noted");
        }
    }

    /// Makes one file. Waits for the disk, and for whatever objects come from.
    fn make_blocking(&self, row: &ExportFileRow, course: &Course) -> Result<(), NotMade> {
        let export = self.store().read(|tx| tx.export(row.export))?;
        let export = export.ok_or_else(|| NotMade::Cannot("nobody asked for it".into()))?;
        self.check_compliance()?;
        let batch = self.gather(&export, row, course)?;
        for _ in 0..ATTEMPTS_MAX {
            course.check()?;
            if self.write(&export, row, &batch, course)? {
                self.cabinet.forget_attempts(row.id, row.attempt);
                return Ok(());
            }
        }
        Err(NotMade::Cannot("removals come into force all the time; ask for it again".into()))
    }

    /// Removals have to be known up to lately, if the operator says so.
    fn check_compliance(&self) -> Result<(), NotMade> {
        let Some(age_ms) = self.rules.compliance_age_ms else { return Ok(()) };
        let newest_ms = self.store().read(|tx| tx.removal_newest_ms())?;
        match ask::is_compliant(newest_ms, age_ms, self.now_ms()) {
            true => Ok(()),
            false => Err(NotMade::Cannot(ask::stale(newest_ms))),
        }
    }

    /// Looks up everything that no earlier attempt did.
    fn gather(
        &self,
        export: &ExportRow,
        row: &ExportFileRow,
        course: &Course,
    ) -> Result<Batch, NotMade> {
        let path = self.cabinet.spool(row.id, row.attempt);
        let selection = selection_of(export)?;
        // Users come in another order than the one in which batches of them go on.
        let stock = Stock::open(Release::open(&self.releases.join(&export.release))?)?;
        let asker = match (stock.supply(), &self.asker) {
            (Supply::Own, _) => None,
            (Supply::Upstream, Some(asker)) => Some(asker),
            (Supply::Upstream, None) => return Err(NotMade::Cannot(ask::BARE_IDS.into())),
        };
        // What the platform answered is handed over from its beginning, and asked for once.
        let goes_on = selection.kind == IdKind::Tweet && asker.is_none();
        let earlier = self.cabinet.earlier_spool(row.id, row.attempt).filter(|_| goes_on);
        let mut spool = Spool::begin(&path, earlier.as_deref())?;
        course.gathered.store(spool.ordinals(), Ordering::Relaxed);
        let mut left_out = spool.left_out();
        let listed = match selection.part {
            Part::Listed { .. } => self.cabinet.list(export.id)?,
            _ => Vec::new(),
        };
        let from =
            row.from.ok_or_else(|| NotMade::Cannot("nobody knows where it begins".into()))?;
        let request = Request {
            selection: &selection,
            listed: &listed,
            from: spool.last().map_or(from, |last| last + 1),
            objects_max: row.objects_max - spool.objects(),
        };
        let mut next = Some(request.from);
        if request.objects_max > 0 {
            let mut sink = Spooling { spool: &mut spool, course };
            let known = self.cabinet.known();
            let gathered = match asker {
                None => source::gather(&stock, &request, known, &mut sink),
                Some(asker) => {
                    let folder = self.cabinet.answers(row.id);
                    let is_given_up = || course.is_given_up();
                    asker.gather(&stock, &request, known, &folder, is_given_up, &mut sink)
                }
            };
            course.check()?;
            let gathered = gathered?;
            for source in &gathered.changed {
                let (source, release) = (source.display(), &export.release);
                let message = "a source changed; of its records count those with their IDs";
                tracing::warn!(%source, release, "{message}");
            }
            for (reason, count) in gathered.left_out {
                *left_out.entry(reason).or_default() += count;
            }
            next = gathered.next;
        }
        Ok(Batch { gathered: spool.finish()?, left_out, next })
    }
}

/// What was gathered for one file.
pub(super) struct Batch {
    pub(super) gathered: Gathered,
    pub(super) left_out: BTreeMap<LeftOut, u64>,
    /// At which ordinal the file behind it begins; `None`: it is the last.
    pub(super) next: Option<u64>,
}

/// Puts what is gathered into a spool, as long as somebody wants it.
struct Spooling<'a> {
    spool: &'a mut Spool,
    course: &'a Course,
}

impl Sink for Spooling<'_> {
    fn take(&mut self, ordinal: u64, object: Result<Object, LeftOut>) -> io::Result<()> {
        if self.course.is_given_up() {
            return Err(io::Error::other("nobody wants it any more"));
        }
        self.spool.put(ordinal, &object)?;
        self.course.gathered.store(self.spool.ordinals(), Ordering::Relaxed);
        Ok(())
    }
}

/// What an export selects.
pub(super) fn selection_of(export: &ExportRow) -> Result<Selection, NotMade> {
    let selection = serde_json::from_str(&export.selection);
    selection.map_err(|_| NotMade::Cannot("nobody knows what it selects".into()))
}
