//! What a gateway does now and then while it runs: it looks for exemptions that end soon and for
//! holders of removed lines who were not told yet, throws away files that were kept long enough,
//! and forgets what is personal and old enough. What each is stands in `directory`, `removal` and
//! `export`.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::directory::retention::Retention;
use crate::directory::{DirectoryError, notice};
use crate::export::job::Cabinet;
use crate::operation::{Context, sweep};
use crate::removal::holders;
use crate::store::Tx;

/// How often the clock is looked at: it may be one that leaps.
const GLANCE: Duration = Duration::from_secs(5);

/// What is done, and how much time the clock lets pass before it is done again, in milliseconds.
const TASKS: &[(Task, i64)] = &[
    (Task::Remind, 10_000),
    (Task::TellHolders, 10_000),
    (Task::SweepExports, 60_000),
    (Task::Sweep, 3_600_000),
];

/// Something that is done now and then.
#[derive(Clone, Copy, Debug)]
enum Task {
    /// Enter what people are to be told of exemptions that end soon; sending it is done elsewhere.
    Remind,
    /// Enter who is to be told of removals: an import does, unless its process ended in between.
    TellHolders,
    /// Throw away files of objects that were kept long enough.
    SweepExports,
    /// Forget what is personal and old enough.
    Sweep,
}

/// How the tasks are done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    /// How many days before the end of an exemption it is called to mind.
    pub(crate) reminder_days: u32,
    /// How long what is personal is kept.
    pub(crate) retention: Retention,
}

/// All tasks, again and again.
pub(crate) struct Upkeep {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Upkeep {
    /// Does each task now, and whenever its time has come.
    pub(crate) fn start(context: Context, cabinet: Cabinet, habits: Habits) -> Upkeep {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(keep_on(context, cabinet, habits, stopped));
        Upkeep { stop, task }
    }

    /// Waits for a task under way and begins no other.
    pub(crate) async fn end(self) {
        let _ = self.stop.send(());
        if let Err(bug) = self.task.await {
            tracing::error!(%bug, "the upkeep has ended");
        }
    }
}

async fn keep_on(
    context: Context,
    cabinet: Cabinet,
    habits: Habits,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut glances = tokio::time::interval(GLANCE);
    glances.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut done_ms = [i64::MIN; TASKS.len()];
    loop {
        tokio::select! {
            _ = glances.tick() => {}
            _ = &mut stopped => return,
        }
        for (&(task, pause_ms), done_ms) in TASKS.iter().zip(&mut done_ms) {
            let now_ms = context.clock.now_ms();
            if now_ms.saturating_sub(*done_ms) < pause_ms {
                continue;
            }
            *done_ms = now_ms;
            let (context, cabinet) = (context.clone(), cabinet.clone());
            let run = move || task.run(&context, &cabinet, habits);
            match tokio::task::spawn_blocking(run).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, ?task, "a task cannot be done now"),
                Err(bug) => tracing::error!(%bug, ?task, "a task is not done"),
            }
        }
    }
}

impl Task {
    /// Does it. Waits for the disk.
    fn run(self, context: &Context, cabinet: &Cabinet, habits: Habits) -> anyhow::Result<()> {
        match self {
            Task::Remind => remind(context, habits.reminder_days)?,
            Task::TellHolders => {
                let letters = holders::tell(&context.store, context.clock.now_ms())
                    .map_err(DirectoryError::from)?;
                if letters > 0 {
                    tracing::info!(letters, "who holds what was removed is told");
                }
            }
            Task::SweepExports => {
                let files = cabinet.sweep()?;
                if files > 0 {
                    tracing::info!(files, "files of objects were kept long enough");
                }
            }
            Task::Sweep => {
                let forgotten = sweep(context, habits.retention)?;
                if !forgotten.is_nothing() {
                    tracing::info!(
                        deliveries = forgotten.deliveries,
                        invitations = forgotten.invitations,
                        joins = forgotten.joins,
                        addresses = forgotten.addresses,
                        "what is personal and old enough is forgotten"
                    );
                }
            }
        }
        Ok(())
    }
}

fn remind(context: &Context, days_before: u32) -> Result<(), DirectoryError> {
    let now_ms = context.clock.now_ms();
    if context.store.read(|tx| notice::would_remind(tx, now_ms, days_before))? {
        let remind = move |tx: &Tx<'_>| notice::remind(tx, now_ms, days_before);
        let reminders = context.store.write_blocking(remind)?;
        tracing::info!(reminders, "exemptions end soon");
    }
    Ok(())
}
