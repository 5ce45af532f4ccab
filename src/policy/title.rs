//! What lifts the ceiling of an entity: its exemptions and permissions that hold at a moment, and
//! which of them counts. How they came to be is `directory`'s.
//!
//! An exemption lifts the ceilings of Tweet IDs and User IDs, a permission that of Tweet IDs; the
//! policy says nothing of DM IDs, so nothing lifts theirs. Neither ever lowers a ceiling. Of all
//! that hold, the one counts that allows most; of equals the limit itself before an exemption, an
//! exemption before a permission, and the newest of its kind.
//!
//! Where the platform has to permit it, an exemption lifts only what two figures allow: its own
//! ceiling, without which it lifts nothing, and that of a permission that was given for this very
//! exemption. Such a permission lifts nothing by itself.

use serde::Serialize;

use super::decision::{Basis, Unit};
use super::profile::{ExemptionRule, Profile};
use crate::base::ids::IdKind;

/// An exemption that is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exempted {
    /// Its number.
    pub number: i64,
    /// Up to how many IDs; `None`: no figure.
    pub ceiling_ids: Option<u64>,
    /// Its end, in milliseconds UTC.
    pub until_ms: i64,
}

/// A permission that is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permitted {
    /// Its number.
    pub number: i64,
    /// Up to how many IDs; `None`: no ceiling.
    pub ceiling_ids: Option<u64>,
    /// Its end, in milliseconds UTC.
    pub until_ms: i64,
    /// The exemption that it was given for; `None`: it stands by itself.
    pub exemption: Option<i64>,
}

/// All that holds for an entity, each kind in the order of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Titles {
    /// Its exemptions.
    pub exemptions: Vec<Exempted>,
    /// Its permissions.
    pub permissions: Vec<Permitted>,
}

/// How much somebody may have live, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Entitlement {
    /// Why.
    pub basis: Basis,
    /// How much; `None`: as much as there is.
    pub ceiling_ids: Option<u64>,
    /// When the basis ends, in milliseconds UTC; the limit does not.
    pub until_ms: Option<i64>,
}

impl Entitlement {
    /// How much it allows, so that two can be compared.
    fn allows(&self) -> u64 {
        self.ceiling_ids.unwrap_or(u64::MAX)
    }
}

impl Profile {
    /// What anybody may have of `unit` who has no title.
    pub fn limit(&self, unit: Unit) -> Entitlement {
        Entitlement { basis: Basis::Limit, ceiling_ids: self.units_max(unit), until_ms: None }
    }

    /// What an entity with these titles may have of `kind`.
    pub fn entitlement(&self, kind: IdKind, titles: &Titles) -> Entitlement {
        let exemptions = titles.exemptions.iter().rev();
        let exemptions = exemptions.filter_map(|exempted| self.exempted(kind, exempted, titles));
        let permissions = titles.permissions.iter().rev();
        let permissions = permissions.filter_map(|permitted| by_permission(kind, permitted));
        let mut most = self.limit(kind.into());
        for one in exemptions.chain(permissions) {
            if one.allows() > most.allows() {
                most = one;
            }
        }
        most
    }

    /// What the exemption of that number, if it is among `titles`, allows of `kind`; `None`: it
    /// lifts nothing.
    pub fn exemption(&self, kind: IdKind, number: i64, titles: &Titles) -> Option<Entitlement> {
        let found = titles.exemptions.iter().find(|exempted| exempted.number == number)?;
        self.exempted(kind, found, titles)
    }

    fn exempted(&self, kind: IdKind, exempted: &Exempted, titles: &Titles) -> Option<Entitlement> {
        if kind == IdKind::Dm {
            return None;
        }
        let Exempted { number, ceiling_ids, until_ms } = *exempted;
        let basis = Basis::Exemption(number);
        match self.exemption {
            ExemptionRule::Registered => {
                Some(Entitlement { basis, ceiling_ids, until_ms: Some(until_ms) })
            }
            ExemptionRule::RegisteredAndPermitted => {
                let own = ceiling_ids?;
                let given = titles.permissions.iter().rev();
                let given = given.filter(|permitted| permitted.exemption == Some(number));
                let most = given.max_by_key(|given| given.ceiling_ids.unwrap_or(u64::MAX))?;
                Some(Entitlement {
                    basis,
                    ceiling_ids: Some(own.min(most.ceiling_ids.unwrap_or(u64::MAX))),
                    until_ms: Some(until_ms.min(most.until_ms)),
                })
            }
        }
    }
}

fn by_permission(kind: IdKind, permitted: &Permitted) -> Option<Entitlement> {
    let Permitted { number, ceiling_ids, until_ms, exemption } = *permitted;
    (kind == IdKind::Tweet && exemption.is_none()).then_some(Entitlement {
        basis: Basis::Permission(number),
        ceiling_ids,
        until_ms: Some(until_ms),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exempted(number: i64, ceiling_ids: Option<u64>) -> Exempted {
        Exempted { number, ceiling_ids, until_ms: 100 }
    }

    fn permitted(number: i64, ceiling_ids: Option<u64>, exemption: Option<i64>) -> Permitted {
        Permitted { number, ceiling_ids, until_ms: 50, exemption }
    }

    /// Exemptions, permissions, and what counts of them: its basis and ceiling.
    type Case = (Vec<Exempted>, Vec<Permitted>, &'static str, Option<u64>);

    #[track_caller]
    fn check(profile: &str, kind: IdKind, cases: Vec<Case>) {
        let mut profile = Profile::built_in(profile).unwrap();
        (profile.tweet_ids_max, profile.user_ids_max, profile.dm_ids_max) =
            (1_000, Some(1_000), Some(1_000));
        for (exemptions, permissions, basis, ceiling_ids) in cases {
            let titles = Titles { exemptions, permissions };
            let entitled = profile.entitlement(kind, &titles);
            let found = (entitled.basis.to_string(), entitled.ceiling_ids);
            assert_eq!(found, (basis.to_owned(), ceiling_ids), "{titles:?}");
        }
    }

    #[test]
    fn what_allows_most_counts_and_nothing_lowers_the_limit() {
        let cases = vec![
            (vec![], vec![], "limit", Some(1_000)),
            (vec![exempted(7, None)], vec![], "exemption:7", None),
            (vec![exempted(7, Some(999))], vec![], "limit", Some(1_000)),
            (vec![exempted(7, Some(1_000))], vec![], "limit", Some(1_000)),
            (vec![exempted(7, None), exempted(9, None)], vec![], "exemption:9", None),
            (vec![exempted(7, None), exempted(9, Some(2_000))], vec![], "exemption:7", None),
            (vec![], vec![permitted(3, Some(5_000), None)], "permission:3", Some(5_000)),
            (vec![], vec![permitted(3, Some(500), None)], "limit", Some(1_000)),
            (
                vec![],
                vec![permitted(3, Some(5_000), None), permitted(4, Some(2_000), None)],
                "permission:3",
                Some(5_000),
            ),
            (vec![exempted(7, None)], vec![permitted(3, None, None)], "exemption:7", None),
            (vec![exempted(7, Some(2_000))], vec![permitted(3, None, None)], "permission:3", None),
            // Given for an exemption, it lifts nothing by itself.
            (vec![], vec![permitted(3, None, Some(7))], "limit", Some(1_000)),
        ];
        check("twitter-2020-03", IdKind::Tweet, cases);
    }

    #[test]
    fn where_the_platform_permits_an_exemption_lifts_up_to_both_figures() {
        let cases = vec![
            (vec![exempted(7, Some(9_000))], vec![], "limit", Some(1_000)),
            (vec![exempted(7, None)], vec![permitted(3, None, Some(7))], "limit", Some(1_000)),
            (
                vec![exempted(7, Some(9_000))],
                vec![permitted(3, None, Some(7))],
                "exemption:7",
                Some(9_000),
            ),
            (
                vec![exempted(7, Some(9_000))],
                vec![permitted(3, Some(5_000), Some(7))],
                "exemption:7",
                Some(5_000),
            ),
            (
                vec![exempted(7, Some(9_000))],
                vec![permitted(3, None, Some(8))],
                "limit",
                Some(1_000),
            ),
            (
                vec![exempted(7, Some(9_000))],
                vec![permitted(3, Some(4_000), None)],
                "permission:3",
                Some(4_000),
            ),
        ];
        check("x-2025-10", IdKind::Tweet, cases);
    }

    #[test]
    fn nothing_lifts_the_ceiling_of_dm_ids_and_no_permission_that_of_user_ids() {
        let all = || (vec![exempted(7, None)], vec![permitted(3, None, None)]);
        let (exemptions, permissions) = all();
        check("twitter-2020-03", IdKind::Dm, vec![(exemptions, permissions, "limit", Some(1_000))]);
        let permission = vec![(vec![], all().1, "limit", Some(1_000))];
        check("twitter-2020-03", IdKind::User, permission);
        let exemption = vec![(all().0, vec![], "exemption:7", None)];
        check("twitter-2020-03", IdKind::User, exemption);
    }

    #[test]
    fn it_ends_with_whatever_ends_first() {
        let profile = Profile::built_in("x-2025-10").unwrap();
        let titles = Titles {
            exemptions: vec![exempted(7, Some(2_000_000))],
            permissions: vec![permitted(3, None, Some(7))],
        };
        assert_eq!(profile.entitlement(IdKind::Tweet, &titles).until_ms, Some(50));
        assert_eq!(profile.limit(Unit::Objects).until_ms, None);
    }
}
