//! `hydrant serve`: runs the gateway until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::signing::{Signing, freeze_after};
use super::upkeep::{Habits, Upkeep};
use super::{Common, Done};
use crate::audit::Notary;
use crate::base::clock::Clock;
use crate::config::{Export, Privacy, Settings};
use crate::directory::retention::Retention;
use crate::export::file::Options;
use crate::export::job::maker::{Making, Workshop};
use crate::export::job::{Cabinet, Rules};
use crate::export::source::upstream::Asker;
use crate::http::control::Control;
use crate::http::{Limits, Server};
use crate::hydrate::StoreBooks;
use crate::ledger::Ledger;
use crate::mail::Post;
use crate::operation;
use crate::store::{DataFolder, FolderLock, Store};

/// Bytes of an answer that a client has to take within `server.idle_seconds_max`.
const PROGRESS_BYTES_MIN: u64 = 4 * 1024;

/// Open files that a gateway needs besides one for each connection.
const FILES_BESIDE_CONNECTIONS: u64 = 256;

/// Serve datasets of IDs over HTTP
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Address and port to listen on; port 0 lets the system choose one
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
}

pub(crate) fn run(common: &Common, arguments: Arguments) -> anyhow::Result<Done> {
    let settings = common.settings(arguments.listen)?;
    super::start_log(&settings);
    let clock = common.clock();
    let gateway = Gateway::prepare(&settings, clock)?;
    gateway.serve(|address| println!("hydrant serves on http://{address}"))
}

/// How often a gateway tells the others what time it is, even if it has nothing to write: the
/// grace of every window makes up for many of them.
const BEAT: Duration = Duration::from_secs(5);

/// A gateway that has its data folder for itself and has settled what an earlier one left open.
pub(crate) struct Gateway<'a> {
    settings: &'a Settings,
    clock: Clock,
    folder: DataFolder,
    store: Store,
    ledger: Ledger,
    notary: Notary,
    _lock: FolderLock,
}

impl<'a> Gateway<'a> {
    /// Takes the data folder, opens the store and starts the ledger.
    pub(crate) fn prepare(settings: &'a Settings, clock: Clock) -> anyhow::Result<Gateway<'a>> {
        let folder = super::folder(settings)?;
        let process = std::process::id();
        let holder = format!("hydrant serve (process {process}) on {}", settings.server.listen);
        let lock = folder.lock(&holder)?;
        let place = super::place(settings, &folder).for_instance(&settings.instance);
        let store = Store::at(&place).with_context(|| format!("cannot use the store {place}"))?;
        // Before anything is written: an older database than a copy knows of charges nothing.
        let notary = super::notary(settings);
        if let Err(error) = notary.open(&store)
            && !freeze_after(&error, &store, clock.now_ms())?
        {
            return Err(error.into());
        }
        let profile = Arc::clone(&settings.profile);
        let ledger = Ledger::start(&lock, store.clone(), clock.clone(), profile)?;
        Ok(Gateway { settings, clock, folder, store, ledger, notary, _lock: lock })
    }

    /// The store that it works on.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Where releases lie.
    pub(crate) fn releases(&self) -> std::path::PathBuf {
        self.folder.releases()
    }

    /// The ledger that it charges.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Who signs its audit log.
    pub(crate) fn notary(&self) -> &Notary {
        &self.notary
    }

    /// Where files of full objects are made and kept.
    fn workshop(&self) -> anyhow::Result<Workshop> {
        let export = &self.settings.export;
        let Export { folder, keep_hours, file_objects_max, compliance_age_hours, .. } = export;
        let folder = folder.clone().unwrap_or_else(|| self.folder.exports());
        let cabinet = Cabinet::open(&folder, self.store.clone(), self.clock.clone())?;
        let hours_ms = |hours: u32| i64::from(hours) * 3_600_000;
        let age_ms = (*compliance_age_hours > 0).then(|| hours_ms(*compliance_age_hours));
        Ok(Workshop {
            cabinet,
            releases: self.folder.releases(),
            profile: Arc::clone(&self.settings.profile),
            rules: Rules {
                keep_ms: hours_ms(*keep_hours),
                file_objects_max: *file_objects_max,
                compliance_age_ms: age_ms,
            },
            options: Options {
                // Where whole texts lie anyway, and nobody else reads.
                folder,
                fonts: export.fonts.clone(),
                pdf_objects_max: export.pdf_objects_max,
            },
            asker: self.asker()?,
            bell: Arc::default(),
        })
    }

    /// Who asks the platform for objects of datasets of bare IDs, if a credential is named for it.
    fn asker(&self) -> anyhow::Result<Option<Asker>> {
        let Some(credential) = &self.settings.export.credential else { return Ok(None) };
        let settings = Arc::clone(&self.settings.hydrate);
        if !settings.credentials.contains_key(credential) {
            bail!(
                "export.credential names `{credential}`, and [hydrate.credentials.{credential}] is \
                 not in the settings"
            );
        }
        let books = StoreBooks {
            store: self.store.clone(),
            clock: self.clock.clone(),
            profile: Arc::clone(&self.settings.profile),
            actor: operation::actor_of(nix::unistd::Uid::effective().as_raw()),
        };
        Ok(Some(Asker { settings, credential: credential.clone(), books }))
    }

    /// Serves until SIGTERM or SIGINT; calls `ready` once connections are accepted.
    pub(crate) fn serve(self, ready: impl FnOnce(SocketAddr)) -> anyhow::Result<Done> {
        let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
        runtime.block_on(self.serve_async(ready))?;
        Ok(Done::Clean)
    }

    async fn serve_async(self, ready: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
        let bounds = &self.settings.server;
        let workshop = self.workshop()?;
        let files = bounds.connections_max as u64 + FILES_BESIDE_CONNECTIONS;
        allow_open_files(files);
        let listener = TcpListener::bind(bounds.listen).await.with_context(|| {
            format!("cannot listen on {}; choose another address with --listen", bounds.listen)
        })?;
        let address = listener.local_addr()?;
        let (stop, stopped) = tokio::sync::watch::channel(Stop::NotYet);
        let (close, closed) = tokio::sync::watch::channel(Stop::NotYet);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let context = operation::Context {
            store: self.store.clone(),
            clock: self.clock.clone(),
            profile: Arc::clone(&self.settings.profile),
            notary: self.notary,
            releases: self.folder.releases(),
        };
        let signing = Signing::start(context.clone(), self.settings.audit.checkpoint_interval);
        let Privacy { delivery_days, invitation_days } = self.settings.privacy;
        let retention = Retention { delivery_days, invitation_days };
        let habits = Habits { reminder_days: self.settings.reminder_days, retention };
        let upkeep = Upkeep::start(context.clone(), workshop.cabinet.clone(), habits);
        let making = Making::start(workshop.clone());
        let control = Control::bind(&self.folder)
            .with_context(|| format!("cannot bind {}", self.folder.control_socket().display()))?;
        if self.store.is_shared() {
            tokio::spawn(keep_time(self.ledger.clone()));
        }
        let control = tokio::spawn(control.serve(context.clone(), told(closed, Stop::WhenDone)));
        if let Some(mail) = &self.settings.mail {
            let url = bounds.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
            let post = Post::new(self.store.clone(), self.clock.clone(), mail, url);
            tokio::spawn(post.map_err(anyhow::Error::msg)?.run());
        }
        let server = Server {
            folder: self.folder,
            context,
            ledger: self.ledger,
            public_url: bounds.public_url.clone(),
            share_url: self.settings.share.public_url.clone(),
            trusted_proxies: bounds.trusted_proxies.clone(),
            session: self.settings.session,
            contact: bounds.contact.clone(),
            sends_mail: self.settings.mail.is_some(),
            checkpoint_interval: self.settings.audit.checkpoint_interval,
            workshop,
            upload_bytes_max: self.settings.export.upload_bytes_max,
            limits: Limits {
                connections_max: bounds.connections_max,
                // A first byte and then a head: both together have the time of the setting.
                head: bounds.header_max / 2,
                progress: bounds.idle_max,
                progress_bytes_min: PROGRESS_BYTES_MIN,
                shutdown: bounds.shutdown_max,
            },
            strip: self.settings.strip,
            upstreams: self.settings.upstreams.clone(),
            providers: self.settings.providers.clone(),
        };
        let shutdown = told(stopped.clone(), Stop::WhenDone);
        let hurry = told(stopped, Stop::Now);
        let mut served = tokio::spawn(server.serve(listener, shutdown, hurry));
        tracing::info!(%address, "the gateway accepts connections");
        ready(address);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            // Nobody told it to, so it failed.
            ended = &mut served => return Ok(ended.context("the gateway failed")??),
        }
        let seconds = bounds.shutdown_max.as_secs();
        tracing::info!(
            "the gateway stops: running downloads get {seconds} seconds; another signal, such as \
             Control-C, cuts them now"
        );
        stop.send_replace(Stop::WhenDone);
        let ended = loop {
            tokio::select! {
                ended = &mut served => break ended,
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            stop.send_replace(Stop::Now);
        };
        // Until here commands still go through the gateway.
        close.send_replace(Stop::WhenDone);
        ended.context("the gateway failed")??;
        control.await.context("the control socket failed")?;
        upkeep.end().await;
        making.end().await;
        // Commands have written their last leaves.
        signing.end().await;
        Ok(())
    }
}

/// Moves ledger time on for ever, so that no gateway is far behind the others.
async fn keep_time(ledger: Ledger) {
    loop {
        tokio::time::sleep(BEAT).await;
        if let Err(error) = ledger.ready().await {
            tracing::warn!(%error, "could not tell the time");
        }
    }
}

/// How urgently the gateway is to stop.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stop {
    NotYet,
    WhenDone,
    Now,
}

/// Ends when the gateway is told to stop as urgently as that.
async fn told(mut stopped: tokio::sync::watch::Receiver<Stop>, urgency: Stop) {
    // An error means that the sender is gone, and with it the gateway.
    let _ = stopped.wait_for(|stopped| *stopped >= urgency).await;
}

/// Raises this process's own limit of open files as far as it may be raised.
fn allow_open_files(wanted: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let current = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(current), ..limit });
    if raised.is_err() || current < wanted {
        tracing::warn!(
            wanted,
            allowed = current,
            "fewer files may be open than there may be connections: raise `ulimit -n`"
        );
    }
}
