//! The books of what is asked of the platform, and who may keep them: a command that reaches them
//! through a gateway, or the gateway itself. What is written in them is `record` and `budget`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::budget::{self, Allotment, Spend};
use super::record::{self, Begin, JobNote, Note, StopNote};
use crate::base::clock::Clock;
use crate::base::party::Actor;
use crate::policy::Profile;
use crate::store::{Store, StoreError, Tx};

/// One thing that is noted in the books, or read from them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are those of the types that they name")]
pub enum Step {
    /// Spend some of a budget; the answer is a [`super::Spent`].
    Spend(Spend),
    /// A hydration begins.
    Begin(Begin),
    /// How far a hydration is.
    Note(Note),
    /// The platform stops a credential.
    Stop(StopNote),
    /// How far a compliance job is.
    Job(JobNote),
    /// The newest hydrations.
    Hydrations { rows_max: u32 },
    /// How credentials stand in their months.
    Budgets { allotments: Vec<Allotment> },
    /// All compliance jobs.
    Jobs,
}

impl Step {
    /// Whether it changes nothing.
    pub fn is_look(&self) -> bool {
        matches!(self, Step::Hydrations { .. } | Step::Budgets { .. } | Step::Jobs)
    }
}

/// Carries out a step in the caller's transaction and returns its answer.
///
/// # Errors
/// [`StoreError`] of the look or the change.
pub fn carry_out(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    profile: &Profile,
    step: &Step,
) -> Result<Value, StoreError> {
    let numbers = &profile.upstream;
    match step {
        Step::Spend(spend) => {
            if let Some(note) = &spend.note {
                record::note(tx, now_ms, actor, note)?;
            }
            if let Some(requests) = spend.requests_limit {
                record::note_limit(tx, &spend.allotment.credential, spend.kind, requests)?;
            }
            let spent = budget::spend(tx, now_ms, numbers, spend)?;
            Ok(serde_json::to_value(spent).expect("what the books say has only keys of JSON"))
        }
        Step::Begin(begin) => record::begin(tx, now_ms, actor, begin),
        Step::Note(note) => record::note(tx, now_ms, actor, note),
        Step::Stop(note) => record::note_stop(tx, now_ms, actor, note),
        Step::Job(note) => record::note_job(tx, now_ms, actor, note),
        Step::Hydrations { rows_max } => record::hydrations(tx, *rows_max),
        Step::Budgets { allotments } => record::budgets(tx, now_ms, numbers, allotments),
        Step::Jobs => record::jobs(tx),
    }
}

/// Why the books could not be kept; the text is for the one who asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BooksError(pub String);

/// Who keeps the books. What was answered is on the disk.
pub trait Books: Sync {
    /// Carries out a step and returns its answer.
    fn ask(&self, step: Step) -> impl Future<Output = Result<Value, BooksError>> + Send;
}

/// Books that this process keeps in its own store.
#[derive(Clone)]
pub struct StoreBooks {
    /// The store.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// The numbers in force.
    pub profile: Arc<Profile>,
    /// Who asks.
    pub actor: Actor,
}

impl Books for StoreBooks {
    async fn ask(&self, step: Step) -> Result<Value, BooksError> {
        let (actor, profile) = (self.actor.clone(), Arc::clone(&self.profile));
        let now_ms = self.clock.now_ms();
        let carried_out =
            self.store.write(move |tx| carry_out(tx, now_ms, &actor, &profile, &step));
        carried_out.await.map_err(|error: StoreError| BooksError(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::IdKind;
    use crate::hydrate::budget::Spent;
    use crate::hydrate::outcome::{Account, Outcome};
    use crate::hydrate::record::State;
    use crate::policy::AccessLevel;
    use crate::store::tests::fresh::{Fresh, on_every_engine};

    fn books(fresh: &Fresh) -> StoreBooks {
        StoreBooks {
            store: fresh.open(),
            clock: Clock::manual(1_800_000_000_000),
            profile: Arc::new(Profile::built_in("twitter-2020-03").unwrap()),
            actor: Actor::Local("ada".into()),
        }
    }

    fn ask(books: &StoreBooks, step: &Step) -> Value {
        // As a command hands it to a gateway.
        let text = serde_json::to_string(step).unwrap();
        let step = serde_json::from_str(&text).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(books.ask(step)).unwrap()
    }

    #[test]
    fn the_books_tell_what_was_written_in_them() {
        on_every_engine(|fresh| {
            let books = books(fresh);
            let begin = Begin {
                id: "0198".into(),
                kind: IdKind::Tweet,
                credential: "main".into(),
                archive: "/archive.jsonl".into(),
                ids: 300,
            };
            ask(&books, &Step::Begin(begin.clone()));
            ask(&books, &Step::Begin(begin));
            let mut account = Account::default();
            account.add(Outcome::Deleted);
            let note = Note { id: "0198".into(), state: State::Running, why: None, account };
            let allotment = Allotment {
                credential: "main".into(),
                level: AccessLevel::Own(1_000),
                period_day: 1,
            };
            let spend = Step::Spend(Spend {
                allotment: allotment.clone(),
                siblings: Vec::new(),
                kind: IdKind::Tweet,
                ids: 100,
                requests_limit: Some(450),
                note: Some(note.clone()),
            });
            let spent: Spent = serde_json::from_value(ask(&books, &spend)).unwrap();
            assert_eq!(spent, Spent::Granted { ids: 100, left: Some(900) });
            let listed = ask(&books, &Step::Hydrations { rows_max: 9 });
            assert_eq!(listed.as_array().unwrap().len(), 1);
            assert_eq!((&listed[0]["asked"], &listed[0]["deleted"]), (&1.into(), &1.into()));
            assert_eq!(listed[0]["started_by"], "local:ada");
            let budgets = ask(&books, &Step::Budgets { allotments: vec![allotment] });
            assert_eq!((&budgets[0]["left"], &budgets[0]["spent"]), (&900.into(), &100.into()));
            assert_eq!(budgets[0]["tweets_requests"], 450);
            let done = Note { state: State::Done, ..note };
            ask(&books, &Step::Note(done.clone()));
            ask(&books, &Step::Note(done));
            let unknown = Note { id: "7".into(), state: State::Done, why: None, account };
            ask(&books, &Step::Note(unknown));
            assert_eq!(ask(&books, &Step::Hydrations { rows_max: 9 })[0]["state"], "done");
            let leaves = books.store.read(|tx| tx.journal_from(1, 100)).unwrap().len();
            assert_eq!(leaves, 2, "it began and it ended");
        });
    }

    #[test]
    fn a_job_goes_from_state_to_state() {
        on_every_engine(|fresh| {
            let books = books(fresh);
            let mut note = JobNote {
                id: "1372966999991541762".into(),
                kind: IdKind::User,
                credential: "main".into(),
                name: "spring".into(),
                ids: Some(7),
                state: "created".into(),
                result: None,
            };
            ask(&books, &Step::Job(note.clone()));
            note.ids = None;
            note.state = "complete".into();
            note.result = Some(("/spring.jsonl".into(), "07".repeat(32)));
            ask(&books, &Step::Job(note.clone()));
            note.result = None;
            ask(&books, &Step::Job(note));
            let jobs = ask(&books, &Step::Jobs);
            assert_eq!((&jobs[0]["ids"], &jobs[0]["state"]), (&7.into(), &"complete".into()));
            assert_eq!(jobs[0]["result"], "/spring.jsonl");
            assert_eq!(jobs[0]["result_sha256"], "07".repeat(32));
            let leaves = books.store.read(|tx| tx.journal_from(1, 100)).unwrap().len();
            assert_eq!(leaves, 2);
        });
    }
}
