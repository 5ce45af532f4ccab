//! The one writer thread, which turns many waiting changes into one transaction and one commit.
//!
//! The story: callers put jobs into a queue. The thread takes all that wait (up to
//! [`GROUP_JOBS_MAX`]), begins a transaction, runs each job behind a savepoint of its own so that
//! a failing one undoes only itself, commits, and only then answers every caller of the group.
//! While it commits, the next group gathers. A commit that fails is the answer to all of them.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::StoreError;
use super::tx::{Connection, Tx};

/// How many jobs one commit confirms at most: enough that the commit's cost vanishes, few enough
/// that the first of them does not wait long for the last.
const GROUP_JOBS_MAX: usize = 512;

/// How long nobody wants a change before the connection is looked after.
const KEEP_UP_PERIOD: Duration = Duration::from_secs(2);

/// Tells the caller of one job how its commit went.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// One waiting change.
trait Job: Send {
    /// Does the work; `false` asks for its changes to be undone.
    fn run(self: Box<Self>, tx: &Tx<'_>) -> (bool, Answer);
    /// Tells the caller why the work was not even begun.
    fn refuse(self: Box<Self>, error: StoreError);
}

struct Change<F, R> {
    work: F,
    reply: R,
}

impl<T, E, F, R> Job for Change<F, R>
where
    F: FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    R: FnOnce(Result<T, E>) + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    fn run(self: Box<Self>, tx: &Tx<'_>) -> (bool, Answer) {
        let Change { work, reply } = *self;
        let result = work(tx);
        let keep = result.is_ok();
        let answer: Answer = Box::new(move |commit| match commit {
            Ok(()) => reply(result),
            // A refusal of the work itself stands, whatever became of the commit.
            Err(error) => reply(result.and(Err(error.into()))),
        });
        (keep, answer)
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        (self.reply)(Err(error.into()));
    }
}

pub(super) struct Writer {
    jobs: Sender<Box<dyn Job>>,
}

impl Writer {
    pub(super) fn start(connection: Box<dyn Connection>) -> Writer {
        let (jobs, queue) = channel();
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(&*connection, &queue))
            .expect("the system can start one thread");
        Writer { jobs }
    }

    /// Queues `work`; `reply` is called once, after the commit or with the reason for its lack.
    /// If the thread has stopped, `reply` is dropped uncalled, which its waiting end sees.
    pub(super) fn submit<T, E, F, R>(&self, work: F, reply: R)
    where
        F: FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
        R: FnOnce(Result<T, E>) + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let _ = self.jobs.send(Box::new(Change { work, reply }));
    }
}

fn run(connection: &dyn Connection, queue: &Receiver<Box<dyn Job>>) {
    loop {
        let first = match queue.recv_timeout(KEEP_UP_PERIOD) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => {
                connection.keep_up();
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let group = std::iter::once(first).chain(queue.try_iter()).take(GROUP_JOBS_MAX);
        if let Err(bug) = run_group(connection, group) {
            // A panic of a job is a bug of ours. Fail closed: the queue's end is dropped with this
            // thread, and every later change is answered with `Stopped`.
            tracing::error!(panic = panic_text(&*bug), "the store's writer stops");
            return;
        }
    }
}

fn run_group(
    connection: &dyn Connection,
    group: impl Iterator<Item = Box<dyn Job>>,
) -> Result<(), Box<dyn Any + Send>> {
    let mut answers: Vec<Answer> = Vec::new();
    let mut outcome = connection.begin_change();
    for job in group {
        outcome = outcome.and_then(|()| connection.write("SAVEPOINT job", &[]));
        if let Err(error) = &outcome {
            // Told like everybody else when the transaction is over: whoever asks anew then comes
            // into one that is not lost already.
            let error = error.clone();
            answers.push(Box::new(move |_| job.refuse(error)));
            continue;
        }
        let (keep, answer) = catch_unwind(AssertUnwindSafe(|| job.run(&Tx { connection })))?;
        // What the work did not wait for may have failed: then that is the work's own failure.
        let ran = connection.flush();
        if !keep || ran.is_err() {
            outcome = connection.change("ROLLBACK TO job", &[]).map(drop);
        }
        outcome = outcome.and_then(|()| connection.write("RELEASE job", &[]));
        match ran {
            Ok(()) => answers.push(answer),
            Err(error) => answers.push(Box::new(move |_| answer(Err(error)))),
        }
    }
    let outcome = outcome.and_then(|()| connection.commit());
    // What could not be committed must not be the beginning of the next group.
    connection.rollback();
    for answer in answers {
        answer(outcome.clone());
    }
    Ok(())
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text")
}
