//! How a gateway signs its audit log while it runs, and that a log which has lost its head freezes
//! the ledger; what signing means is `audit`'s business.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::audit::NotaryError;
use crate::ledger::freeze::freeze;
use crate::operation::Context;
use crate::store::{Store, StoreError};

/// The signing of the log's head, again and again.
pub(crate) struct Signing {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Signing {
    /// Signs now, and whenever `interval` is over.
    pub(crate) fn start(context: Context, interval: Duration) -> Signing {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(keep_on(context, interval, stopped));
        Signing { stop, task }
    }

    /// Signs what has been written so far, and no more.
    pub(crate) async fn end(self) {
        let _ = self.stop.send(());
        if let Err(bug) = self.task.await {
            tracing::error!(%bug, "the signing of the audit log failed");
        }
    }
}

async fn keep_on(context: Context, interval: Duration, mut stopped: oneshot::Receiver<()>) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_last = tokio::select! {
            _ = ticks.tick() => false,
            _ = &mut stopped => true,
        };
        sign(&context).await;
        if is_last {
            return;
        }
    }
}

async fn sign(context: &Context) {
    let Context { store, clock, notary, .. } = context.clone();
    let work = move || notary.checkpoint(&store, clock.now_ms());
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            let (store, now_ms) = (context.store.clone(), context.clock.now_ms());
            let frozen = tokio::task::spawn_blocking(move || {
                let frozen = freeze_after(&error, &store, now_ms);
                (frozen, error)
            });
            let Ok((frozen, error)) = frozen.await else { return };
            if let Err(error) = frozen {
                tracing::error!(%error, "the ledger should be frozen, and cannot be");
            }
            let error = anyhow::Error::from(error);
            tracing::error!("the audit log is not signed: {error:#}");
        }
        Err(bug) => tracing::error!(%bug, "the audit log is not signed"),
    }
}

/// Freezes the ledger if `error` says that the log is behind a head that somebody knows, or another
/// one; `false`: it says something else.
pub(crate) fn freeze_after(
    error: &NotaryError,
    store: &Store,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let Some((known, log_size)) = error.lost_head() else { return Ok(false) };
    let why = error.to_string();
    store.write_blocking(move |tx| freeze(tx, now_ms, &why, &known, log_size))?;
    Ok(true)
}
