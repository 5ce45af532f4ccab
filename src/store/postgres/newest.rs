//! The newest entry of the journal that a gateway knows to be confirmed, and what becomes of a
//! database that has it no more; when that is looked at is in `mod.rs`.
//!
//! A standby that lagged behind and took over, or a backup that was put in the place of the
//! newest database, has lost charges of deliveries that happened. Copies of signed heads tell that
//! too, but only up to the last checkpoint; what was charged since then is known to nobody but the
//! gateways that are running.

use super::session::Session;
use crate::store::tx::{Connection, Tx};
use crate::store::value::{Columns, Row, values};
use crate::store::{FreezeRow, StoreError};

/// The newest entry, with its hash in the tree of the audit log.
pub(super) const SELECT_NEWEST: &str = "
    SELECT sequence, sha256(decode('00', 'hex') || convert_to(leaf, 'UTF8'))
    FROM journal ORDER BY sequence DESC LIMIT 1";
const SELECT_HASH: &str = "
    SELECT sha256(decode('00', 'hex') || convert_to(leaf, 'UTF8'))
    FROM journal WHERE sequence = ?1";
const SELECT_SIZE: &str = "SELECT coalesce(max(sequence), 0) FROM journal";

/// An entry of the journal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Its place, from 1 on.
    sequence: u64,
    /// Its hash in the tree of the audit log.
    hash: [u8; 32],
}

impl Entry {
    /// Reads a row of [`SELECT_NEWEST`].
    pub(super) fn of(row: &impl Columns) -> Result<Entry, StoreError> {
        let row = Row(row);
        Ok(Entry { sequence: row.get(0)?, hash: row.get(1)? })
    }

    /// Whether the journal has it, where it was.
    pub(super) fn is_in(&self, session: &mut Session) -> Result<bool, StoreError> {
        let found = session.rows(SELECT_HASH, values![self.sequence])?;
        let hash = found.first().map(|row| Row(row).get::<[u8; 32]>(0)).transpose()?;
        Ok(hash == Some(self.hash))
    }

    /// Freezes the ledger, whose journal has lost this entry, and says why; the caller has a turn
    /// and commits.
    pub(super) fn freeze(&self, connection: &dyn Connection) -> Result<String, StoreError> {
        let tx = Tx { connection };
        let log_size: u64 = tx.one(SELECT_SIZE, values![])?;
        let why = format!(
            "the audit log has {log_size} entries, and this gateway knows that entry {} was \
             written and is there no more: the database is an older one, such as a standby that \
             lagged behind or a restored backup",
            self.sequence
        );
        // Another gateway may have been here, and may know of less.
        let known = tx.freeze_in_force()?.map(|freeze| freeze.known_size);
        if known.is_none_or(|known| known < self.sequence) {
            let at_ms = tx.wall_ms()?.expect("a server has a clock of its own");
            let (known_size, known_root) = (self.sequence, self.hash);
            let why = why.clone();
            tx.freeze_add(&FreezeRow { id: 0, at_ms, why, known_size, known_root, log_size })?;
        }
        Ok(why)
    }
}
