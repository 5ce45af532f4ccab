//! The HTTP edge: the only room that knows status codes.
//!
//! `listener` accepts connections and holds their deadlines, `router` lists every route, `problem`
//! every refusal; `api` answers programs, `web` people, and `review` whoever opens a peer-review
//! link. What an answer may
//! contain is decided behind `deliver`.

mod api;
mod attachment;
mod auth;
mod body;
pub mod control;
mod cookie;
mod form;
mod hosts;
mod listener;
mod pace;
mod problem;
mod range;
mod refusal;
mod review;
mod router;
mod session;
mod socket;
mod state;
mod web;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use self::hosts::Hosts;
pub use self::listener::Limits;
use self::pace::Pace;
use self::state::{Gateway, Notes, Parts, ProviderNote, Shelf, Strips};
use crate::config::{Provider, Session, StripBounds, Upstream};
use crate::deliver::Deliverer;
use crate::directory::session::Lifetime;
use crate::export::job::maker::Workshop;
use crate::ledger::Ledger;
use crate::operation::Context;
use crate::store::{DataFolder, StoreError};

/// What a gateway serves from and under which bounds.
pub struct Server {
    /// The data folder, whose lock the caller holds.
    pub folder: DataFolder,
    /// What operations work on: the store, the clock of keys, embargoes and labels, the numbers
    /// in force.
    pub context: Context,
    /// The ledger on that store.
    pub ledger: Ledger,
    /// How the gateway is reached from outside, if not by its own address.
    pub public_url: Option<String>,
    /// How links for reviewers are reached, if not as the gateway is.
    pub share_url: Option<String>,
    /// The proxies whose word for who asked is believed where strangers are slowed down.
    pub trusted_proxies: Vec<IpNet>,
    /// How long somebody stays signed in.
    pub session: Session,
    /// Whom people may ask who cannot get in; empty: nobody in particular.
    pub contact: String,
    /// Whether letters leave.
    pub sends_mail: bool,
    /// How often the audit log is signed, and receipts of what is new become possible.
    pub checkpoint_interval: Duration,
    /// Where files of objects are asked for and kept.
    pub workshop: Workshop,
    /// How many bytes a list of IDs may have that somebody uploads.
    pub upload_bytes_max: u64,
    /// The bounds of connections.
    pub limits: Limits,
    /// The bounds of what is stripped for a request.
    pub strip: StripBounds,
    /// Where datasets come from that are stripped in flight, by name.
    pub upstreams: BTreeMap<String, Arc<Upstream>>,
    /// The OpenID providers by which people may sign in, by name.
    pub providers: BTreeMap<String, Arc<Provider>>,
}

impl Server {
    /// Serves on `listener` until `shutdown` ends; then lets running answers end, but not longer
    /// than `hurry`, and returns when everything that was delivered is recorded.
    ///
    /// # Errors
    /// [`StoreError`] if the last of it could not be recorded: the next start settles it.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
        hurry: impl Future<Output = ()>,
    ) -> Result<(), StoreError> {
        let listen: SocketAddr =
            listener.local_addr().expect("a socket that listens has an address");
        let providers = self.providers.values().map(|provider| ProviderNote {
            name: provider.name.clone(),
            title: provider.title.clone(),
            issuer: provider.issuer.clone(),
        });
        let notes = Notes {
            contact: self.contact,
            sends_mail: self.sends_mail,
            providers: providers.collect(),
        };
        let (deliverer, all_accounted) = Deliverer::new(self.ledger.clone());
        let known = self.workshop.cabinet.known().clone();
        let gateway = Gateway::new(Parts {
            store: self.context.store.clone(),
            clock: self.context.clock.clone(),
            profile: Arc::clone(&self.context.profile),
            context: self.context.clone(),
            ledger: self.ledger.clone(),
            deliverer,
            known,
            hosts: Hosts::new(listen, self.public_url.as_deref())
                .with_links_at(self.share_url.as_deref()),
            shelf: Shelf::new(self.folder.releases()),
            workshop: self.workshop,
            upload_bytes_max: self.upload_bytes_max,
            checkpoint_interval: self.checkpoint_interval,
            lifetime: Lifetime {
                idle_ms: milliseconds(self.session.idle_max),
                whole_ms: milliseconds(self.session.whole_max),
            },
            #[cfg(feature = "oidc")]
            providers: crate::oidc::Providers::new(self.providers, &self.context.clock),
            notes,
            pace: Pace::behind(self.trusted_proxies),
            guesses: Pace::default(),
            strips: Strips {
                places: Arc::new(Semaphore::new(self.strip.running_max)),
                bounds: self.strip,
                upstreams: self.upstreams,
                spool_folder: self.folder.spools(),
            },
        });
        listener::serve(listener, router::router(gateway), self.limits, shutdown, hurry).await;
        // The router and with it the last deliverer are dropped: only passages remain.
        all_accounted.wait().await;
        self.ledger.flush().await
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
