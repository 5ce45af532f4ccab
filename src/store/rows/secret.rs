//! The rows of keys that are this database's own; what one is for is its user's business.

use crate::store::value::values;
use crate::store::{StoreError, Tx};

const SELECT: &str = "SELECT secret FROM secrets WHERE name = ?1";
const INSERT: &str = "INSERT INTO secrets (name, secret) VALUES (?1, ?2)";

impl Tx<'_> {
    /// The secret of that name; `None`: there was no need of one yet.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn secret(&self, name: &str) -> Result<Option<[u8; 32]>, StoreError> {
        self.row(SELECT, values![name], |row| row.get(0))
    }

    /// Keeps a secret under a name that has none.
    ///
    /// # Errors
    /// [`StoreError`] of the insert, also if there is one.
    pub fn secret_insert(&self, name: &str, secret: &[u8; 32]) -> Result<(), StoreError> {
        self.write(INSERT, values![name, secret])
    }
}
