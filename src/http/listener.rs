//! Accepts connections and serves HTTP/1.1 on each under its deadlines; not what is answered.
//!
//! Own loop, because nothing ready-made has all the deadlines a public gateway needs. A connection
//! must send its first byte and then its whole request head in time; an answer must keep moving:
//! a client that takes less than [`Limits::progress_bytes_min`] in [`Limits::progress`] is reset,
//! so that what was charged for it is settled and the rest given back.
//!
//! On shutdown the listener closes first, running answers get their time, and whatever remains
//! then is reset.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::{Service, ServiceExt};

use super::socket::{Socket, TcpWire};
use crate::deliver::Wire;

/// The bounds of every connection.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections are open at once; more wait in the kernel's backlog.
    pub connections_max: usize,
    /// How long a connection may take for its first byte, and again for its request head.
    pub head: Duration,
    /// The stretch of time in which an answer has to move by `progress_bytes_min`.
    pub progress: Duration,
    /// Bytes that a client has to take in each `progress`.
    pub progress_bytes_min: u64,
    /// How long running answers get on shutdown.
    pub shutdown: Duration,
}

/// How much hyper reads of a request head, and how much it gathers of an answer before it waits
/// for the socket: small, because what it gathered is charged.
const HYPER_BUFFER_BYTES: usize = 32 * 1024;

/// How often within its deadline an answer's progress is looked at.
const PROGRESS_TICKS: u32 = 10;

/// How often a connection that has ended is asked whether its last bytes have left.
const DRAIN_LOOK: Duration = Duration::from_millis(5);

/// How long a client that still sends is listened to after it was answered, and how much of it is
/// taken: enough for it to see the answer and stop.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long the loop waits after an error of `accept`, most often too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Who is at the other end of a connection; behind a proxy it is the proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Serves until `shutdown` ends, then until the running answers have ended, their time is up, or
/// `hurry` ends.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
    hurry: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let (cut, hurried) = tokio::sync::watch::channel(());
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (place, stream) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let watcher = graceful.watcher();
        let connection = connection(stream, router.clone(), limits, watcher, hurried.clone());
        tokio::spawn(async move {
            connection.await;
            drop(place);
        });
    }
    drop(listener);
    let all_ended = tokio::select! {
        () = graceful.shutdown() => true,
        () = tokio::time::sleep(limits.shutdown) => false,
        () = hurry => false,
    };
    if !all_ended {
        tracing::warn!("some answers had not ended: their connections are reset");
    }
    // Whoever still runs sees this end; the last of them drops the other side.
    drop(hurried);
    cut.send_replace(());
    cut.closed().await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (tokio::sync::OwnedSemaphorePermit, TcpStream) {
    let place = Arc::clone(places).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (place, stream),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    watcher: hyper_util::server::graceful::Watcher,
    mut hurried: tokio::sync::watch::Receiver<()>,
) {
    // hyper's clock for a head starts with its first byte, so a silent connection needs this one.
    let mut byte = [0];
    let first_byte = tokio::time::timeout(limits.head, stream.peek(&mut byte));
    let begun = tokio::select! {
        first = first_byte => matches!(first, Ok(Ok(bytes)) if bytes > 0),
        _ = hurried.changed() => false,
    };
    if !begun {
        return;
    }
    let _ = stream.set_nodelay(true);
    let peer = stream.peer_addr().map(|address| Peer(address.ip())).ok();
    let socket = Socket::new(stream);
    let wire = socket.wire();
    // Declared before what is served, so that it comes after it: also after a panic deliveries
    // learn that their connection is over.
    let _close = CloseAtEnd(Arc::clone(&wire));
    let service = TowerToHyperService::new(with_wire(router, Arc::clone(&wire), peer));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(HYPER_BUFFER_BYTES)
        .serve_connection(TokioIo::new(socket), service);
    let served = watcher.watch(served);
    let ended = tokio::select! {
        _ = served => true,
        () = stalled(&wire, limits) => false,
        _ = hurried.changed() => false,
    };
    // hyper has nothing more to say, but the kernel may still be sending: what it holds is charged
    // and has not left, and its deadlines go on.
    let drained = ended
        && tokio::select! {
            () = drained(&wire) => true,
            () = stalled(&wire, limits) => false,
            _ = hurried.changed() => false,
        };
    if !drained {
        wire.reset_on_close();
    } else if wire.lingers() {
        let leftovers = tokio::time::timeout(LINGER, wire.discard(LINGER_BYTES_MAX));
        tokio::select! {
            _ = leftovers => {}
            _ = hurried.changed() => {}
        }
    }
}

/// Marks a connection as over when its task ends, however it ends.
struct CloseAtEnd(Arc<TcpWire>);

impl Drop for CloseAtEnd {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Ends when the other side has confirmed all that the kernel took, or will take nothing more.
async fn drained(wire: &TcpWire) {
    while wire.left() < wire.written() && !wire.is_reset() {
        tokio::time::sleep(DRAIN_LOOK).await;
    }
}

/// Puts the connection's wire into each request, where deliveries find it.
fn with_wire(
    router: Router,
    wire: Arc<TcpWire>,
    peer: Option<Peer>,
) -> impl Service<
    hyper::Request<Incoming>,
    Response = hyper::Response<Body>,
    Error = Infallible,
    Future: Send + 'static,
> + Clone {
    tower::service_fn(move |request: hyper::Request<Incoming>| {
        let (router, wire) = (router.clone(), Arc::clone(&wire));
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(wire);
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        router.oneshot(request)
    })
}

/// Ends when a client has taken too little of an answer for too long.
async fn stalled(wire: &TcpWire, limits: Limits) {
    let mut left_before = wire.left();
    let mut ticks_without_progress = 0;
    loop {
        tokio::time::sleep(limits.progress / PROGRESS_TICKS).await;
        let waits = wire.is_blocked() || wire.written() > wire.left();
        let left = wire.left();
        if !waits || left.saturating_sub(left_before) >= limits.progress_bytes_min {
            left_before = left;
            ticks_without_progress = 0;
            continue;
        }
        ticks_without_progress += 1;
        if ticks_without_progress == PROGRESS_TICKS {
            return;
        }
    }
}
