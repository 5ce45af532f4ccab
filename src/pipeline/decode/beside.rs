//! Threads that unpack pieces beside each other. Who gives them out takes them back in order.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

/// What is packed in a piece; none: it has to be unpacked as it is read.
pub(super) type Unpacked = Option<Vec<u8>>;

/// A piece that somebody unpacks.
pub(super) struct Given(Receiver<Unpacked>);

impl Given {
    /// Waits for it. A thread that has panicked gives nothing, like a piece that is damaged.
    pub(super) fn take(self) -> Unpacked {
        self.0.recv().unwrap_or(None)
    }
}

/// The threads, which start with the first piece and end when this is dropped.
pub(super) struct Beside<J> {
    threads: usize,
    work: fn(J) -> Unpacked,
    jobs: Option<Sender<(J, SyncSender<Unpacked>)>>,
}

impl<J: Send + 'static> Beside<J> {
    pub(super) fn new(threads: usize, work: fn(J) -> Unpacked) -> Beside<J> {
        Beside { threads, work, jobs: None }
    }

    /// How many pieces may be under way: one in work and one in wait for each thread.
    pub(super) fn ahead(&self) -> usize {
        2 * self.threads
    }

    /// Gives a piece out; nobody takes it if there is but the caller's own thread.
    pub(super) fn give(&mut self, job: impl FnOnce() -> J) -> Option<Given> {
        if self.threads <= 1 {
            return None;
        }
        let (done, given) = sync_channel(1);
        let (threads, work) = (self.threads, self.work);
        let jobs = self.jobs.get_or_insert_with(|| start(threads, work));
        assert!(jobs.send((job(), done)).is_ok(), "the threads live as long as there are jobs");
        Some(Given(given))
    }
}

fn start<J: Send + 'static>(
    threads: usize,
    work: fn(J) -> Unpacked,
) -> Sender<(J, SyncSender<Unpacked>)> {
    let (jobs, waiting) = channel::<(J, SyncSender<Unpacked>)>();
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..threads {
        let waiting = Arc::clone(&waiting);
        thread::spawn(move || {
            loop {
                let next = waiting.lock().expect("nobody panics while they wait").recv();
                let Ok((job, done)) = next else { return };
                // If nobody waits for it any more, the strip has failed.
                let _ = done.send(work(job));
            }
        });
    }
    jobs
}
