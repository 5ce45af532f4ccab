//! Where an operation is carried out: whether it is heard is looked at in the very transaction in
//! which it changes something.

use std::sync::Arc;

use serde_json::Value;

use super::access::Need;
use super::{Context, Once, answer};
use crate::base::clock::Clock;
use crate::base::party::Actor;
use crate::directory::DirectoryError;
use crate::policy::Profile;
use crate::store::{PersonRow, Tx};

/// What tells how full a meter is.
#[derive(Clone)]
pub(super) struct Numbers {
    pub(super) profile: Arc<Profile>,
    pub(super) clock: Clock,
}

impl By {
    /// A person as operations answer with them.
    pub(super) fn person(&self, tx: &Tx<'_>, row: &PersonRow) -> Result<Value, DirectoryError> {
        answer::person(tx, &self.profile, row, self.now_ms)
    }
}

/// Where an operation is carried out.
pub(super) struct Desk<'a> {
    pub(super) context: &'a Context,
    pub(super) actor: &'a Actor,
    /// What it takes to be heard; looked at in the very transaction that carries it out.
    pub(super) need: Need,
    /// What the request is called, if it may be sent twice.
    pub(super) once: Option<Once>,
}

/// Who changes something, and when.
pub(super) struct By {
    pub(super) actor: Actor,
    pub(super) now_ms: i64,
    /// The numbers in force.
    pub(super) profile: Arc<Profile>,
}

impl Desk<'_> {
    pub(super) fn change(
        &self,
        work: impl FnOnce(&Tx<'_>, &By) -> Result<Value, DirectoryError> + Send + 'static,
    ) -> Result<Value, DirectoryError> {
        let by = By {
            actor: self.actor.clone(),
            now_ms: self.context.clock.now_ms(),
            profile: Arc::clone(&self.context.profile),
        };
        let (need, once) = (self.need.clone(), self.once.clone());
        self.context.store.write_blocking(move |tx| {
            need.check(tx, &by.actor)?;
            let Some(once) = once else { return work(tx, &by) };
            match once.answered(tx, &by)? {
                Some(answer) => Ok(answer),
                None => {
                    let answer = work(tx, &by)?;
                    once.note(tx, &by, &answer)?;
                    Ok(answer)
                }
            }
        })
    }

    pub(super) fn look(
        &self,
        work: impl FnOnce(&Tx<'_>, i64) -> Result<Value, DirectoryError>,
    ) -> Result<Value, DirectoryError> {
        let now_ms = self.context.clock.now_ms();
        self.context.store.read(|tx| {
            self.need.check(tx, self.actor)?;
            work(tx, now_ms)
        })
    }
}
