//! The rows of reasons: why decisions were made, in words. What the journal says of them is
//! `audit`'s business.

use crate::base::commitment::Salt;
use crate::store::value::values;
use crate::store::{StoreError, Tx};

/// Why a decision was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonRow {
    /// The decision's place in the journal.
    pub sequence: u64,
    /// The salt of the commitment; `None`: the reason is not any more as it was given.
    pub salt: Option<Salt>,
    /// The reason.
    pub reason: String,
}

const SELECT_LAST: &str = "SELECT max(sequence) FROM journal";
const INSERT: &str = "INSERT INTO reasons (sequence, salt, reason) VALUES (?1, ?2, ?3)";
const SELECT: &str = "SELECT sequence, salt, reason FROM reasons ORDER BY sequence";

impl Tx<'_> {
    /// Notes why what the newest row of the journal says was decided.
    ///
    /// # Errors
    /// [`StoreError`] of the look or the insert, also if that row has a reason already.
    pub fn reason_insert(&self, salt: &Salt, reason: &str) -> Result<(), StoreError> {
        let sequence: u64 = self.one(SELECT_LAST, values![])?;
        self.write(INSERT, values![sequence, &salt.0, reason])
    }

    /// All reasons, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn reasons(&self) -> Result<Vec<ReasonRow>, StoreError> {
        self.rows(SELECT, values![], |row| {
            let salt: Option<[u8; 32]> = row.get(1)?;
            Ok(ReasonRow { sequence: row.get(0)?, salt: salt.map(Salt), reason: row.get(2)? })
        })
    }
}
