//! How a gateway forgets, while it runs, what is personal and old enough; what that is stands in
//! `directory::retention`.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::directory::retention::Retention;
use crate::operation::{Context, sweep};

/// How often the clock is looked at: it may be one that leaps.
const GLANCE: Duration = Duration::from_secs(5);
/// How much time the clock lets pass between two sweeps, in milliseconds.
const PAUSE_MS: i64 = 60 * 60 * 1_000;

/// The sweeping, again and again.
pub(crate) struct Sweeping {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Sweeping {
    /// Sweeps now, and whenever an hour is over.
    pub(crate) fn start(context: Context, retention: Retention) -> Sweeping {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(keep_on(context, retention, stopped));
        Sweeping { stop, task }
    }

    /// Waits for a sweep under way and begins no other.
    pub(crate) async fn end(self) {
        let _ = self.stop.send(());
        if let Err(bug) = self.task.await {
            tracing::error!(%bug, "what is personal is not swept");
        }
    }
}

async fn keep_on(context: Context, retention: Retention, mut stopped: oneshot::Receiver<()>) {
    let mut glances = tokio::time::interval(GLANCE);
    glances.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut swept_ms = i64::MIN;
    loop {
        tokio::select! {
            _ = glances.tick() => {}
            _ = &mut stopped => return,
        }
        let now_ms = context.clock.now_ms();
        if now_ms.saturating_sub(swept_ms) < PAUSE_MS {
            continue;
        }
        swept_ms = now_ms;
        let context = context.clone();
        let swept = tokio::task::spawn_blocking(move || sweep(&context, retention)).await;
        match swept {
            Ok(Ok(forgotten)) if forgotten.is_nothing() => {}
            Ok(Ok(forgotten)) => tracing::info!(
                deliveries = forgotten.deliveries,
                invitations = forgotten.invitations,
                joins = forgotten.joins,
                addresses = forgotten.addresses,
                "what is personal and old enough is forgotten"
            ),
            Ok(Err(error)) => tracing::warn!(%error, "what is personal cannot be swept now"),
            Err(bug) => tracing::error!(%bug, "what is personal is not swept"),
        }
    }
}
