//! What every request handler shares.

use std::collections::{BTreeMap, HashMap};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::header;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::hosts::Hosts;
use super::pace::Pace;
use super::problem::{self, Problem};
use crate::base::clock::Clock;
use crate::base::gaps::Gaps;
use crate::base::ids::IdKind;
use crate::base::party::Actor;
use crate::config::{StripBounds, Upstream};
use crate::deliver::Deliverer;
use crate::directory::session::Lifetime;
use crate::export::job::maker::Workshop;
use crate::ledger::Ledger;
use crate::operation::{Context, Once, Operation, OperationError, execute_once};
use crate::policy::Profile;
use crate::release::{Release, ReleaseError};
use crate::removal::Known;
use crate::store::{Store, StoreError};
use crate::transit::Without;

/// The gateway as its handlers see it; clones share it.
#[derive(Clone)]
pub(crate) struct Gateway(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) profile: Arc<Profile>,
    /// What operations work on.
    pub(crate) context: Context,
    pub(crate) ledger: Ledger,
    pub(crate) deliverer: Deliverer,
    /// Which IDs are removed.
    pub(crate) known: Known,
    pub(crate) hosts: Hosts,
    pub(crate) shelf: Shelf,
    /// Where files of objects are asked for and kept.
    pub(crate) workshop: Workshop,
    /// How many bytes a list of IDs may have that somebody uploads.
    pub(crate) upload_bytes_max: u64,
    /// How often the audit log is signed.
    pub(crate) checkpoint_interval: Duration,
    pub(crate) strips: Strips,
    /// How long sessions last.
    pub(crate) lifetime: Lifetime,
    /// Where people sign in elsewhere.
    #[cfg(feature = "oidc")]
    pub(crate) providers: crate::oidc::Providers,
    /// What pages say besides.
    pub(crate) notes: Notes,
    /// How often strangers may send forms.
    pub(crate) pace: Pace,
    /// How often addresses of links may be tried that are none.
    pub(crate) guesses: Pace,
}

/// What the operator has settled that pages tell.
pub(crate) struct Notes {
    /// Whom people may ask who cannot get in; empty: nobody in particular.
    pub(crate) contact: String,
    /// Whether letters leave; else links come from an operator.
    pub(crate) sends_mail: bool,
    /// By which providers people may sign in.
    pub(crate) providers: Vec<ProviderNote>,
}

/// A provider, as pages name it.
pub(crate) struct ProviderNote {
    /// Its name in addresses.
    pub(crate) name: String,
    /// What people call it.
    pub(crate) title: String,
    /// What it calls itself.
    pub(crate) issuer: String,
}

/// What is needed to strip for a request, and its bounds.
pub(crate) struct Strips {
    /// A place for each strip that may run.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) bounds: StripBounds,
    /// By name.
    pub(crate) upstreams: BTreeMap<String, Arc<Upstream>>,
    /// Where spools go that outgrow memory.
    pub(crate) spool_folder: PathBuf,
}

impl Strips {
    /// A place for one more strip, as long as it is held.
    ///
    /// # Errors
    /// 503 if all are taken.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|_| {
            let detail = format!("{} strips run already", self.bounds.running_max);
            Problem::new(&problem::BUSY, detail).with_header(header::RETRY_AFTER, "5")
        })
    }
}

impl Gateway {
    pub(crate) fn new(parts: Parts) -> Gateway {
        Gateway(Arc::new(parts))
    }
}

impl Deref for Gateway {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Gateway {
    /// Carries `operation` out on behalf of `actor`, once only if it has a name.
    ///
    /// # Errors
    /// The inner error is the operation's refusal.
    pub(crate) async fn carry_out(
        &self,
        operation: Operation,
        actor: Actor,
        once: Option<Once>,
    ) -> Result<Result<Value, OperationError>, Problem> {
        let context = self.context.clone();
        let carried = move || execute_once(operation, &context, &actor, once);
        let outcome = tokio::task::spawn_blocking(carried).await;
        outcome.map_err(|panic| Problem::internal(&panic))
    }

    /// What is left out of a column by the view of that version, or of a newer one that is in force
    /// by now.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub(crate) async fn gaps(
        &self,
        release: &str,
        kind: IdKind,
        version: i64,
    ) -> Result<Arc<Gaps>, StoreError> {
        if version == 0 {
            return Ok(Gaps::none());
        }
        if let Some(gaps) = self.shelf.gaps(release, kind, version) {
            return Ok(gaps);
        }
        let name = release.to_owned();
        let found = self.store.look(move |tx| tx.view(&name, kind)).await?;
        let gaps = found.map_or_else(Gaps::none, Arc::new);
        self.shelf.keep(release, kind, &gaps);
        Ok(gaps)
    }
}

impl Gateway {
    /// Which IDs a strip for a request has to leave out.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub(crate) async fn without(&self, kind: IdKind) -> Result<Without, StoreError> {
        let version = self.store.look(|tx| tx.removal_version()).await?;
        let removed = (version > 0 && kind != IdKind::Dm)
            .then(|| -> Arc<dyn crate::transit::Removed> { Arc::new(self.known.clone()) });
        Ok(Without { version, removed })
    }
}

/// The releases that have been opened. A release never changes, so one is opened once.
pub(crate) struct Shelf {
    folder: PathBuf,
    opened: Mutex<HashMap<String, Arc<Release>>>,
    /// What is left out of each column, as it was when somebody last asked for it.
    views: Mutex<HashMap<(String, IdKind), Arc<Gaps>>>,
}

impl Shelf {
    /// A shelf over the folder that holds a folder for each release.
    pub(crate) fn new(folder: PathBuf) -> Shelf {
        Shelf { folder, opened: Mutex::default(), views: Mutex::default() }
    }

    /// The release of that ID. Reads the disk the first time.
    pub(crate) fn release(&self, id: &str) -> Result<Arc<Release>, ReleaseError> {
        if let Some(release) = self.opened().get(id) {
            return Ok(Arc::clone(release));
        }
        // Two requests may open the same one at once: one of the two is kept.
        let release = Release::open(&self.folder.join(id))?;
        Ok(Arc::clone(self.opened().entry(id.to_owned()).or_insert(release)))
    }

    /// What is left out of a column, if that view was the last to be asked for.
    fn gaps(&self, release: &str, kind: IdKind, version: i64) -> Option<Arc<Gaps>> {
        let views = self.views.lock().expect("nobody panics while holding the list of views");
        let gaps = views.get(&(release.to_owned(), kind))?;
        (gaps.version() == version).then(|| Arc::clone(gaps))
    }

    fn keep(&self, release: &str, kind: IdKind, gaps: &Arc<Gaps>) {
        let mut views = self.views.lock().expect("nobody panics while holding the list of views");
        views.insert((release.to_owned(), kind), Arc::clone(gaps));
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Release>>> {
        self.opened.lock().expect("nobody panics while holding the list of releases")
    }
}
