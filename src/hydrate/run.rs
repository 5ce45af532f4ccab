//! The loop of a hydration: spend, ask, keep, apply, and when to wait, to try again or to stop.

use serde_json::Value;

use super::IDS_PER_REQUEST;
use super::books::{Books, BooksError, Step};
use super::budget::{Allotment, Spend, Spent};
use super::error::{HydrateError, Stopped};
use super::outcome::Account;
use super::page;
use super::platform::Platform;
use super::record::{Note, State, StopNote, StopWord};
use super::reply::{Limit, Said};
use super::stop::{Asked, Stop};
use super::workplace::Workplace;
use crate::base::clock::Clock;
use crate::policy::UpstreamNumbers;

/// How long the first pause after a fault is; each further one is twice as long.
const PAUSE_MS: i64 = 1_000;
/// How long a pause after a fault is at most.
const PAUSE_MS_MAX: i64 = 64_000;
/// How often in a row the platform may say that it wants no more requests.
const LIMITED_MAX: u32 = 20;

/// Who fetches, and with what.
pub struct Errand<'a, B: Books> {
    /// Whom to ask.
    pub platform: &'a mut Platform,
    /// Where it is written down first.
    pub books: &'a B,
    /// What time it is.
    pub clock: &'a Clock,
    /// What the platform's documentation says, where its answers say nothing.
    pub numbers: &'a UpstreamNumbers,
    /// What to do about a budget that is spent.
    pub patience: Patience,
    /// Who may ask to stop.
    pub stop: &'a Stop,
    /// Who watches.
    pub watcher: &'a dyn Watcher,
    /// Whether how far it is is noted in the books, where it was entered with [`Step::Begin`].
    pub listing: Listing,
}

/// Whether a hydration is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// It is.
    Listed,
    /// It belongs to something else that is.
    Unlisted,
}

/// What to do when nothing is left of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Stop and say so.
    UntilReset,
    /// Wait for the next month.
    UntilNextMonth,
}

/// Watches a hydration at work.
pub trait Watcher: Sync {
    /// So many IDs have an outcome.
    fn progress(&self, asked: u64, account: &Account);
    /// Nothing is asked until that time, in milliseconds UTC, because of what the clause says.
    fn waits(&self, until_ms: i64, why: &str);
    /// An attempt failed because of what the clause says; it is tried again.
    fn fails(&self, why: &str);
}

/// What was asked of the platform since the last whole answer.
#[derive(Default)]
struct Trouble {
    failures: u32,
    limited: u32,
}

/// Fetches until every ID has an outcome.
///
/// Whoever drops the future loses nothing but, at most, the answer to one request. To lose not even
/// that, ask with [`Stop`].
///
/// # Errors
/// [`HydrateError`]; what has been fetched stays, and the same goes on later.
pub async fn run<B: Books>(
    place: &mut Workplace,
    errand: &mut Errand<'_, B>,
) -> Result<Account, HydrateError> {
    let credential = &errand.platform.credential().label;
    if *credential != place.plan().credential {
        let message = format!(
            "this was begun with the credential `{}`, and `{credential}` does not go on with it",
            place.plan().credential
        );
        return Err(HydrateError::Unfit(message));
    }
    let ended = fetch_all(place, errand).await;
    if errand.listing == Listing::Listed {
        let (state, why) = match &ended {
            Ok(()) => (State::Done, None),
            Err(error) => (State::Paused, Some(error.to_string())),
        };
        let id = place.plan().id.clone();
        let noted =
            errand.books.ask(Step::Note(Note { id, state, why, account: place.account() })).await;
        // What went wrong first is what counts.
        if ended.is_ok() {
            noted?;
        }
    }
    ended.map(|()| place.account())
}

async fn fetch_all<B: Books>(
    place: &mut Workplace,
    errand: &mut Errand<'_, B>,
) -> Result<(), HydrateError> {
    let mut limit = Limit::default();
    let mut trouble = Trouble::default();
    loop {
        errand.watcher.progress(place.asked(), &place.account());
        let mut ids = place.next(IDS_PER_REQUEST)?;
        if ids.is_empty() {
            return Ok(());
        }
        if let Some(until_ms) = limit.next_ms() {
            let until_ms = Limit::bounded(until_ms, errand.clock.now_ms())?;
            errand.wait(until_ms, "the rate limit").await?;
        }
        if errand.stop.is_asked() {
            return Err(Stopped::Asked.into());
        }
        let granted = errand.spend(place, ids.len() as u64, &limit).await?;
        ids.truncate(usize::try_from(granted).unwrap_or(ids.len()));
        let kind = place.plan().kind;
        let reply = errand.platform.look_up(kind, &ids, errand.clock).await;
        let said = match reply {
            Ok(reply) => {
                limit = reply.limit;
                match reply.said(&place.plan().credential) {
                    Said::Page(page) if page::is_page(&page) => {
                        place.keep(ids.len() as u64, &reply.body)?;
                        trouble = Trouble::default();
                        continue;
                    }
                    Said::Page(_) => {
                        Said::Passing("its answer has neither objects nor reasons".to_owned())
                    }
                    said => said,
                }
            }
            Err(why) => Said::Passing(why),
        };
        errand.heed(said, &mut trouble).await?;
    }
}

impl<B: Books> Errand<'_, B> {
    /// Has so many objects written down as asked for; how many of them may be.
    async fn spend(&self, place: &Workplace, ids: u64, limit: &Limit) -> Result<u64, HydrateError> {
        let credential = self.platform.credential();
        loop {
            let note = (self.listing == Listing::Listed).then(|| Note {
                id: place.plan().id.clone(),
                state: State::Running,
                why: None,
                account: place.account(),
            });
            let step = Step::Spend(Spend {
                allotment: Allotment::of(credential),
                siblings: Allotment::siblings(self.platform.settings(), credential),
                kind: place.plan().kind,
                ids,
                requests_limit: limit.requests,
                note,
            });
            let stopped = match spent(self.books.ask(step).await?)?.granted(&credential.label) {
                Ok(granted) => return Ok(granted),
                Err(stopped) => stopped,
            };
            self.wait_or_stop(stopped).await?;
        }
    }

    /// Waits for the next month, if that is what whoever started this wants.
    async fn wait_or_stop(&self, stopped: Stopped) -> Result<(), HydrateError> {
        match (self.patience, stopped.until_ms()) {
            (Patience::UntilNextMonth, Some(until_ms)) => {
                self.wait(until_ms, &stopped.to_string()).await
            }
            _ => Err(stopped.into()),
        }
    }

    /// Does what an answer says that holds no objects: waits, stops, or lets it be tried again.
    async fn heed(&mut self, said: Said, trouble: &mut Trouble) -> Result<(), HydrateError> {
        let now_ms = self.clock.now_ms();
        match said {
            Said::Page(_) => unreachable!("a page was kept, and what is none was told apart"),
            Said::Limited(reset_ms) => {
                trouble.limited += 1;
                if trouble.limited > LIMITED_MAX {
                    let message = format!("{LIMITED_MAX} times in a row");
                    return Err(Stopped::Limits(message).into());
                }
                let until_ms = reset_ms.unwrap_or(now_ms + self.numbers.requests_window_ms);
                // Not at once, whatever the platform's clock says.
                let until_ms = Limit::bounded(until_ms, now_ms)?.max(now_ms + PAUSE_MS);
                self.wait(until_ms, "the rate limit").await
            }
            Said::UsageCap => {
                let until_ms = self.note_stop(StopWord::UsageCap).await?;
                let credential = self.platform.credential().label.clone();
                self.wait_or_stop(Stopped::UsageCap { credential, until_ms }).await
            }
            Said::Stop(stopped) => {
                match &stopped {
                    Stopped::Unauthenticated { .. } => {
                        self.note_stop(StopWord::Unauthenticated).await?;
                    }
                    Stopped::Forbidden { .. } => {
                        self.note_stop(StopWord::Forbidden).await?;
                    }
                    _ => {}
                }
                Err(stopped.into())
            }
            Said::Passing(why) => {
                trouble.failures += 1;
                let attempts = trouble.failures;
                if attempts >= self.platform.settings().attempts_max {
                    return Err(Stopped::Failing { attempts, last: why }.into());
                }
                self.watcher.fails(&why);
                let pause_ms = PAUSE_MS.saturating_mul(1 << (attempts - 1).min(16));
                self.wait(now_ms + pause_ms.min(PAUSE_MS_MAX), &why).await?;
                // It may have moved.
                self.platform.renew().await;
                Ok(())
            }
        }
    }

    /// Has it written down that the platform stops this credential; until when, in milliseconds.
    async fn note_stop(&self, word: StopWord) -> Result<i64, HydrateError> {
        let credential = self.platform.credential();
        let note = StopNote {
            credential: credential.label.clone(),
            word,
            period_day: credential.period_day,
        };
        let answer = self.books.ask(Step::Stop(note)).await?;
        Ok(answer["until_ms"].as_i64().unwrap_or_default())
    }

    async fn wait(&self, until_ms: i64, why: &str) -> Result<(), HydrateError> {
        if until_ms <= self.clock.now_ms() {
            return Ok(());
        }
        self.watcher.waits(until_ms, why);
        let waited = self.stop.wait(self.clock, until_ms).await;
        waited.map_err(|Asked| Stopped::Asked.into())
    }
}

fn spent(answer: Value) -> Result<Spent, BooksError> {
    serde_json::from_value(answer)
        .map_err(|error| BooksError(format!("what the books answered is no such answer: {error}")))
}
