//! How much may be asked of the platform with a credential in a month, and the note of it that is
//! made before anything is asked; where the numbers come from is `policy`'s business.

use serde::{Deserialize, Serialize};

use super::error::Stopped;
use super::record::Note;
use crate::base::date::DAY_MS;
use crate::base::ids::IdKind;
use crate::base::month::Month;
use crate::config::{Credential, Hydrate};
use crate::policy::{AccessLevel, UpstreamNumbers};
use crate::store::{SpendingRow, StoreError, Tx};

/// What a credential may have, as the settings say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allotment {
    /// The credential's name.
    pub credential: String,
    /// Its access.
    pub level: AccessLevel,
    /// The day on which its month begins.
    pub period_day: u32,
}

/// What is about to be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spend {
    /// Who asks.
    pub allotment: Allotment,
    /// The other credentials of its use case: if one of them has nothing left, this one has not.
    pub siblings: Vec<Allotment>,
    /// What is asked for.
    pub kind: IdKind,
    /// How many objects at most.
    pub ids: u64,
    /// Requests of this kind in a window, as the last answer's header said.
    pub requests_limit: Option<u64>,
    /// How far the hydration is for which it is asked, if it is one that is listed.
    pub note: Option<Note>,
}

/// What the books say to that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "spent", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the fields are those of `Stopped`")]
pub enum Spent {
    /// So many objects may be asked for now, once; `left`: how many more this month, if there is a
    /// budget.
    Granted { ids: u64, left: Option<u64> },
    /// The month's budget is spent.
    Budget { tweets_max: u64, until_ms: i64 },
    /// The platform said that its cap is reached.
    UsageCap { until_ms: i64 },
    /// Another credential of the use case has nothing left.
    Sibling { credential: String, until_ms: i64 },
}

impl Allotment {
    /// Of a credential of the settings.
    pub fn of(credential: &Credential) -> Allotment {
        Allotment {
            credential: credential.label.clone(),
            level: credential.level,
            period_day: credential.period_day,
        }
    }

    /// Of the other credentials of the same use case.
    pub fn siblings(settings: &Hydrate, credential: &Credential) -> Vec<Allotment> {
        let others = settings.credentials.values().filter(|other| {
            other.use_case == credential.use_case && other.label != credential.label
        });
        others.map(|other| Allotment::of(other)).collect()
    }
}

impl Spent {
    /// How many may be asked for.
    ///
    /// # Errors
    /// [`Stopped`] if none.
    pub(super) fn granted(self, credential: &str) -> Result<u64, Stopped> {
        let credential = credential.to_owned();
        match self {
            Spent::Granted { ids, .. } => Ok(ids),
            Spent::Budget { tweets_max, until_ms } => {
                Err(Stopped::Budget { credential, tweets_max, until_ms })
            }
            Spent::UsageCap { until_ms } => Err(Stopped::UsageCap { credential, until_ms }),
            Spent::Sibling { credential, until_ms } => {
                Err(Stopped::Sibling { credential, until_ms })
            }
        }
    }
}

/// How a credential stands in its month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) month: Month,
    pub(super) spent: SpendingRow,
    /// How much is left of Tweets; `None`: they are not limited.
    pub(super) left: Option<u64>,
    /// Until when the platform's own cap holds, if it said that it is reached.
    pub(super) capped_until_ms: Option<i64>,
}

/// Looks how a credential stands.
pub(super) fn standing(
    tx: &Tx<'_>,
    now_ms: i64,
    numbers: &UpstreamNumbers,
    allotment: &Allotment,
) -> Result<Standing, StoreError> {
    let month = Month::around(now_ms, allotment.period_day);
    let spent = tx.upstream_spent(&allotment.credential, month.begin_ms)?;
    let budget = numbers.budget(allotment.level, IdKind::Tweet);
    let left = budget.map(|budget| budget.saturating_sub(spent.tweets));
    let said = tx.upstream_credential(&allotment.credential)?;
    let capped_until_ms = said
        .filter(|said| said.stop.as_deref() == Some(super::record::StopWord::UsageCap.word()))
        .and_then(|said| said.stop_until_ms)
        .filter(|until_ms| *until_ms > now_ms);
    Ok(Standing { month, spent, left, capped_until_ms })
}

/// Spends as much of the budget as `spend` asks for and there is; what is granted is on the disk
/// with the caller's transaction, before anything is asked.
///
/// # Errors
/// [`StoreError`] of the look or the change.
pub(super) fn spend(
    tx: &Tx<'_>,
    now_ms: i64,
    numbers: &UpstreamNumbers,
    spend: &Spend,
) -> Result<Spent, StoreError> {
    for sibling in &spend.siblings {
        let standing = standing(tx, now_ms, numbers, sibling)?;
        let is_empty = spend.kind == IdKind::Tweet && standing.left == Some(0);
        let until_ms = standing.capped_until_ms.or(is_empty.then_some(standing.month.end_ms));
        if let Some(until_ms) = until_ms {
            return Ok(Spent::Sibling { credential: sibling.credential.clone(), until_ms });
        }
    }
    let standing = standing(tx, now_ms, numbers, &spend.allotment)?;
    if let Some(until_ms) = standing.capped_until_ms {
        return Ok(Spent::UsageCap { until_ms });
    }
    let left = standing.left.filter(|_| spend.kind == IdKind::Tweet);
    let ids = left.map_or(spend.ids, |left| left.min(spend.ids));
    if ids == 0 {
        let tweets_max = numbers.tweets_max(spend.allotment.level);
        return Ok(Spent::Budget { tweets_max, until_ms: standing.month.end_ms });
    }
    let (tweets, users) = if spend.kind == IdKind::Tweet { (ids, 0) } else { (0, ids) };
    let more = SpendingRow { requests: 1, tweets, users };
    let day_ms = now_ms - now_ms.rem_euclid(DAY_MS);
    tx.upstream_spend(&spend.allotment.credential, day_ms, &more)?;
    Ok(Spent::Granted { ids, left: left.map(|left| left - ids) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::date::end_ms;
    use crate::base::party::Actor;
    use crate::hydrate::record::{self, StopNote, StopWord};
    use crate::policy::Profile;
    use crate::store::tests::fresh::on_every_engine;

    fn allotment(credential: &str, tweets: u64, period_day: u32) -> Allotment {
        Allotment { credential: credential.into(), level: AccessLevel::Own(tweets), period_day }
    }

    fn asks(allotment: Allotment, kind: IdKind, ids: u64, siblings: &[Allotment]) -> Spend {
        let siblings = siblings.to_vec();
        Spend { allotment, siblings, kind, ids, requests_limit: None, note: None }
    }

    fn at(text: &str) -> i64 {
        end_ms(text).unwrap()
    }

    /// Spends one after the other, each at its time, and compares what the books say.
    fn check(steps: Vec<(&'static str, Spend, Spent)>) {
        on_every_engine(|fresh| {
            let numbers = Profile::built_in("twitter-2020-03").unwrap().upstream;
            let store = fresh.open();
            for (number, (time, asked, expected)) in steps.clone().into_iter().enumerate() {
                let now_ms = at(time);
                let said = store.write_blocking(move |tx| spend(tx, now_ms, &numbers, &asked));
                assert_eq!(said.unwrap(), expected, "step {number}");
            }
        });
    }

    fn granted(ids: u64, left: u64) -> Spent {
        Spent::Granted { ids, left: Some(left) }
    }

    #[test]
    fn a_budget_is_spent_to_its_last_tweet_and_begins_anew_on_its_day() {
        let one = |ids| asks(allotment("a", 250, 19), IdKind::Tweet, ids, &[]);
        let until_ms = at("2027-06-19T00:00:00Z");
        check(vec![
            ("2027-05-19T00:00:00Z", one(100), granted(100, 150)),
            ("2027-06-01T00:00:00Z", one(100), granted(100, 50)),
            ("2027-06-18T23:59:59Z", one(100), granted(50, 0)),
            ("2027-06-18T23:59:59Z", one(1), Spent::Budget { tweets_max: 250, until_ms }),
            ("2027-06-19T00:00:00Z", one(100), granted(100, 150)),
            // A clock that is set back gives nothing back, but what is spent later counts too.
            ("2027-05-20T00:00:00Z", one(1), Spent::Budget { tweets_max: 250, until_ms }),
        ]);
    }

    #[test]
    fn another_day_of_the_month_counts_the_same_days_once_more() {
        let on = |day, ids| asks(allotment("a", 250, day), IdKind::Tweet, ids, &[]);
        check(vec![
            ("2027-05-25T00:00:00Z", on(1, 200), granted(200, 50)),
            ("2027-05-26T00:00:00Z", on(20, 100), granted(50, 0)),
            ("2027-06-02T00:00:00Z", on(1, 100), granted(100, 150)),
        ]);
    }

    #[test]
    fn users_are_written_down_and_not_limited() {
        let user = |ids| asks(allotment("a", 1, 1), IdKind::User, ids, &[]);
        let unlimited = Spent::Granted { ids: 100, left: None };
        check(vec![
            ("2027-05-25T00:00:00Z", user(100), unlimited.clone()),
            ("2027-05-25T00:00:00Z", user(100), unlimited),
        ]);
    }

    #[test]
    fn a_second_credential_of_a_use_case_gets_round_nothing() {
        let (a, b) = (allotment("a", 100, 1), allotment("b", 100, 1));
        let until_ms = at("2027-07-01T00:00:00Z");
        let stopped = Spent::Sibling { credential: "a".into(), until_ms };
        let b_asks = |kind| asks(b.clone(), kind, 100, std::slice::from_ref(&a));
        check(vec![
            ("2027-06-02T00:00:00Z", asks(a.clone(), IdKind::Tweet, 100, &[]), granted(100, 0)),
            ("2027-06-02T00:00:00Z", b_asks(IdKind::Tweet), stopped),
            ("2027-06-02T00:00:00Z", b_asks(IdKind::User), Spent::Granted { ids: 100, left: None }),
            ("2027-07-01T00:00:00Z", b_asks(IdKind::Tweet), granted(100, 0)),
        ]);
    }

    #[test]
    fn a_cap_of_the_platform_holds_until_the_month_ends_whatever_is_left() {
        on_every_engine(|fresh| {
            let numbers = Profile::built_in("twitter-2020-03").unwrap().upstream;
            let note = StopNote { credential: "a".into(), word: StopWord::UsageCap, period_day: 7 };
            let now_ms = at("2027-06-08T12:00:00Z");
            let until_ms = at("2027-07-07T00:00:00Z");
            let store = fresh.open();
            store
                .write_blocking(move |tx| {
                    record::note_stop(tx, now_ms, &Actor::Local("ada".into()), &note).map(drop)
                })
                .unwrap();
            for (kind, now_ms, expected) in [
                (IdKind::Tweet, now_ms, Spent::UsageCap { until_ms }),
                (IdKind::User, until_ms - 1, Spent::UsageCap { until_ms }),
                (IdKind::Tweet, until_ms, granted(100, 400)),
            ] {
                let asked = asks(allotment("a", 500, 7), kind, 100, &[]);
                let said = store.write_blocking(move |tx| spend(tx, now_ms, &numbers, &asked));
                assert_eq!(said.unwrap(), expected);
            }
        });
    }
}
