//! Requests that may be sent twice and are carried out once: the sender gives each a name, and gets
//! the same answer for a day. The name is noted in the transaction of the change itself.

use serde_json::{Value, json};

use super::By;
use crate::base::date::DAY_MS;
use crate::directory::DirectoryError;
use crate::store::{RequestRow, StoreError, Tx};

/// For how long a name is remembered, in milliseconds.
const REMEMBERED_MS: i64 = DAY_MS;

/// What is left out of an answer that is given again: it is shown once.
const SECRET: &str = "token";

/// A request that may be sent twice.
#[derive(Clone, Debug)]
pub struct Once {
    /// The name that its sender gave it.
    pub name: String,
    /// SHA-256 of all that it asks for.
    pub sha256: [u8; 32],
}

impl Once {
    /// Forgets the requests that are not remembered any more: their answers may name people.
    pub(super) fn forget_old(tx: &Tx<'_>, now_ms: i64) -> Result<(), StoreError> {
        tx.requests_forget(now_ms - REMEMBERED_MS)
    }

    /// What was answered when it was carried out, if it was, with `replayed`.
    pub(super) fn answered(&self, tx: &Tx<'_>, by: &By) -> Result<Option<Value>, DirectoryError> {
        Once::forget_old(tx, by.now_ms)?;
        let Some(row) = tx.request(&by.actor.to_string(), &self.name)? else { return Ok(None) };
        if row.sha256 != self.sha256 {
            let message = format!(
                "the Idempotency-Key `{}` was given to another request less than a day ago; \
                 give each request one of its own",
                self.name
            );
            return Err(DirectoryError::Conflict(message));
        }
        let mut answer: Value = serde_json::from_str(&row.answer)
            .map_err(|_| StoreError::Damaged("an answer that was noted".into()))?;
        if let Some(members) = answer.as_object_mut() {
            members.insert("replayed".into(), json!(true));
        }
        Ok(Some(answer))
    }

    /// Notes that it was carried out, and what was answered.
    pub(super) fn note(&self, tx: &Tx<'_>, by: &By, answer: &Value) -> Result<(), StoreError> {
        let mut answer = answer.clone();
        if let Some(members) = answer.as_object_mut() {
            members.shift_remove(SECRET);
        }
        tx.request_insert(&RequestRow {
            actor: by.actor.to_string(),
            name: self.name.clone(),
            sha256: self.sha256,
            answer: answer.to_string(),
            at_ms: by.now_ms,
        })
    }
}
