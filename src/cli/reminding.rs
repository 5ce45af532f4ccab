//! The gateway's look at exemptions that end soon, and at removals whose holders were not told
//! because a process ended in between: it enters what people are to be told, once;
//! sending it is not done here.

use std::time::Duration;

use crate::directory::notice;
use crate::operation::Context;
use crate::removal::holders;
use crate::store::StoreError;

/// How often it is looked: often enough for days.
const PAUSE: Duration = Duration::from_secs(10);

/// Enters reminders for ever, so many days before an exemption ends.
pub(super) async fn remind(context: Context, days_before: u32) {
    loop {
        match sweep(&context, days_before).await {
            Ok(0) => {}
            Ok(reminders) => tracing::info!(reminders, "exemptions end soon"),
            Err(error) => tracing::warn!(%error, "could not look for exemptions that end soon"),
        }
        tell_holders(&context).await;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn tell_holders(context: &Context) {
    let (store, now_ms) = (context.store.clone(), context.clock.now_ms());
    match tokio::task::spawn_blocking(move || holders::tell(&store, now_ms)).await {
        Ok(Ok(0)) => {}
        Ok(Ok(letters)) => tracing::info!(letters, "who holds what was removed is told"),
        Ok(Err(error)) => tracing::warn!(%error, "could not tell who holds what was removed"),
        Err(bug) => tracing::error!(%bug, "who holds what was removed is not told"),
    }
}

async fn sweep(context: &Context, days_before: u32) -> Result<usize, StoreError> {
    let now_ms = context.clock.now_ms();
    let look = context.store.look(move |tx| notice::would_remind(tx, now_ms, days_before));
    if !look.await? {
        return Ok(0);
    }
    context.store.write(move |tx| notice::remind(tx, now_ms, days_before)).await
}
