//! A request's body: stripped as it arrives, its IDs spooled until they are counted.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use tokio::task::JoinHandle;

use super::{MEMORY_BYTES_MAX, Report, Sealed, StripError, Wish};
use crate::ledger::Values;
use crate::pipeline::{IdSpool, Order, Pipe, Source, Unwatched, pipe};

/// What the report calls a body.
const NAME: &str = "body";

/// A body that is being stripped; awaiting it gives what came out.
pub type Stripping = JoinHandle<Result<Body, StripError>>;

/// The IDs of a body, counted.
#[derive(Clone, Debug)]
pub struct Body {
    spool: Arc<IdSpool>,
    report: Report,
    removals: i64,
}

/// Begins to strip a body whose bytes are sent into the pipe. `place` is held until the thread has
/// ended, however that is.
///
/// Dropping the pipe before its end breaks the strip off.
pub fn strip_body(wish: Wish, place: impl Send + 'static) -> (Pipe, Stripping) {
    let (pipe, piped) = pipe(NAME);
    let stripping = tokio::task::spawn_blocking(move || {
        let stripped = strip(&wish, Source::Piped(piped));
        drop(place);
        stripped
    });
    (pipe, stripping)
}

fn strip(wish: &Wish, source: Source) -> Result<Body, StripError> {
    let mut spool = IdSpool::new(wish.kind, MEMORY_BYTES_MAX / 2, &wish.spool_folder);
    let removals = wish.without.version;
    let tally = wish.strip(Order::Spooled).run(&[source], &mut spool, &Unwatched)?;
    Ok(Body { spool: Arc::new(spool), report: Report::from(&tally), removals })
}

impl Values for Body {
    fn read(&self, ordinals: Range<u64>) -> io::Result<Vec<u64>> {
        self.spool.read(ordinals.start, ordinals.end - ordinals.start)
    }
}

impl Body {
    /// How many IDs there are.
    pub fn ids(&self) -> u64 {
        self.spool.ids()
    }

    /// How many bytes they take as text, one a line.
    pub fn text_bytes(&self) -> u64 {
        self.spool.text_bytes()
    }

    /// The version of the removals that its IDs are without.
    pub(super) fn removals(&self) -> i64 {
        self.removals
    }

    /// What was read and what fell out.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The IDs from ordinal `first` on, at most `ids_max`; `None` behind the last. Reads the disk.
    pub(super) fn seal(&self, first: u64, ids_max: u64) -> io::Result<Option<Sealed>> {
        let ids = ids_max.min(self.ids() - first);
        if ids == 0 {
            return Ok(None);
        }
        Ok(Some(Sealed::new(self.spool.kind(), first, &self.spool.read(first, ids)?)))
    }
}
