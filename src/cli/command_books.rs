//! The books of what is asked of the platform, as a command keeps them: through the gateway that
//! runs, or in the store itself, each step for itself; and how such a command runs.

use anyhow::Context as _;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use super::Common;
use super::reach::operate;
use crate::hydrate::{Books, BooksError, Step, Stop};
use crate::operation::Operation;

/// The exit code of a program that a signal ended.
const INTERRUPTED: i32 = 130;

/// Books that are reached as every command reaches its store.
pub(super) struct CommandBooks<'a>(pub(super) &'a Common);

impl Books for CommandBooks<'_> {
    async fn ask(&self, step: Step) -> Result<Value, BooksError> {
        // A store on a server has a runtime of its own, which no thread of another one may wait
        // for. Nothing else goes on in this process meanwhile.
        let answer = std::thread::scope(|scope| {
            scope.spawn(|| operate(self.0, Operation::Upstream(step))).join()
        });
        let answer = answer.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        answer.map_err(|error| BooksError(format!("{error:#}")))
    }
}

/// Runs `work` to its end. The first signal asks it to stop, the second ends the process.
pub(super) fn run<T>(
    stop: &Stop,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = stop.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if stop.is_asked() {
                    std::process::exit(INTERRUPTED);
                }
                eprintln!("stops after the request that is under way; again: at once");
                stop.ask();
            }
        });
        work.await
    })
}
