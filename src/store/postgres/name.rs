//! The name of a gateway among those on one database: who has it is alive.
//!
//! The name is a lock of the server's, which ends with the session that took it. That session does
//! nothing else: the one that works may be ended by the server because the gateway stood still in
//! the middle of a change, and a gateway that stands still is not dead. So whoever gets the name
//! may settle what its former holder left open.

use std::time::Duration;

use super::session::Session;
use crate::store::StoreError;
use crate::store::value::values;

/// How often the name is tried: its former holder may just have died.
const ATTEMPTS_MAX: u32 = 50;
/// How long to wait between two of them.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(100);

const TAKE: &str = "SELECT pg_try_advisory_lock(hashtextextended(?1, 7303015))";
// Shared: it conflicts with the holder's, not with others who ask, and ends with the look.
const IS_FREE: &str = "SELECT pg_try_advisory_xact_lock_shared(hashtextextended(?1, 7303015))";
const SELF: &str = "
    SELECT CAST(pid AS BIGINT), CAST(backend_start AS TEXT) FROM pg_stat_activity
    WHERE pid = pg_backend_pid()";
const END: &str = "
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE CAST(pid AS BIGINT) = ?1 AND CAST(backend_start AS TEXT) = ?2";

/// A gateway's name, held by a session.
pub(super) struct Name {
    session: Session,
    /// By what the server knows the session: a number, and since when it has it.
    process: i64,
    since: String,
}

impl Name {
    /// Takes the name for `session`.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] if a living gateway has it.
    pub(super) fn take(mut session: Session, name: &str) -> Result<Name, StoreError> {
        let row = session.row(SELF, &[])?;
        let (process, since) = (row.get(0), row.get(1));
        for attempt in 0..ATTEMPTS_MAX {
            if attempt > 0 {
                std::thread::sleep(ATTEMPT_PAUSE);
            }
            if session.row(TAKE, values![name])?.get(0) {
                return Ok(Name { session, process, since });
            }
        }
        let text = format!(
            "a gateway named {name} works on it already; stop that one first, or give this one a \
             name of its own with the setting `instance`"
        );
        Err(StoreError::Unfit(text.into()))
    }

    /// Whether somebody else may have it by now.
    pub(super) fn is_lost(&self) -> bool {
        self.session.is_lost()
    }

    /// Ends a session that is lost at the server too, which may not have noticed.
    pub(super) fn end(self, beside: &mut Session) {
        // If this fails, the server notices by itself a little later.
        if let Err(error) = beside.rows(END, values![self.process, &self.since]) {
            tracing::warn!(%error, "a lost session could not be ended");
        }
    }
}

/// Whether a gateway of that name is alive.
pub(super) fn is_taken(session: &mut Session, name: &str) -> Result<bool, StoreError> {
    let is_free: bool = session.row(IS_FREE, values![name])?.get(0);
    Ok(!is_free)
}
