//! What became of an ID that was asked for, and how often each of it happened; how an answer says
//! so is `page`'s business.

use serde::{Deserialize, Serialize};

/// What became of an ID that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The object is in the archive, and it is public.
    Found,
    /// There is no such object: it was deleted, or it never was.
    Deleted,
    /// Its account is protected. Of a Tweet the platform does not tell whether its account is
    /// protected or suspended. A User's object is in the archive.
    Protected,
    /// Its account is suspended.
    Suspended,
    /// It is withheld in some countries, or everywhere. Its object is in the archive.
    Withheld,
    /// The platform did not say: neither object nor reason came.
    Unknown,
}

impl Outcome {
    /// Every outcome, in the order in which they are listed.
    pub const ALL: [Outcome; 6] = [
        Outcome::Found,
        Outcome::Deleted,
        Outcome::Protected,
        Outcome::Suspended,
        Outcome::Withheld,
        Outcome::Unknown,
    ];

    /// The word of tables and files.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Found => "found",
            Outcome::Deleted => "deleted",
            Outcome::Protected => "protected",
            Outcome::Suspended => "suspended",
            Outcome::Withheld => "withheld",
            Outcome::Unknown => "unknown",
        }
    }

    /// What it means, for people.
    pub fn says(self) -> &'static str {
        match self {
            Outcome::Found => "in the archive",
            Outcome::Deleted => "deleted, or never there",
            Outcome::Protected => "the account is protected (of Tweets: or suspended)",
            Outcome::Suspended => "the account is suspended",
            Outcome::Withheld => "in the archive, but withheld somewhere",
            Outcome::Unknown => "the platform did not say",
        }
    }

    /// The byte that stands for it in a file of outcomes; 0 stands for none yet.
    pub(super) fn code(self) -> u8 {
        self as u8 + 1
    }

    /// The outcome for which a byte stands, if it stands for one.
    pub(super) fn from_code(code: u8) -> Option<Outcome> {
        Outcome::ALL.get(usize::from(code.checked_sub(1)?)).copied()
    }
}

/// How often each outcome happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account([u64; Outcome::ALL.len()]);

impl Account {
    /// Counts one more.
    pub(super) fn add(&mut self, outcome: Outcome) {
        self.0[outcome as usize] += 1;
    }

    /// How often `outcome` happened.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.0[outcome as usize]
    }

    /// How many IDs have an outcome.
    pub fn ids(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The counts in the order of [`Outcome::ALL`].
    pub fn counts(&self) -> [u64; Outcome::ALL.len()] {
        self.0
    }
}

impl From<[u64; Outcome::ALL.len()]> for Account {
    fn from(counts: [u64; Outcome::ALL.len()]) -> Account {
        Account(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_code_of_its_own() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_code(outcome.code()), Some(outcome));
            let mut account = Account::default();
            account.add(outcome);
            assert_eq!((account.of(outcome), account.ids()), (1, 1));
            assert_eq!(Outcome::ALL[outcome as usize], outcome);
        }
        assert_eq!(Outcome::from_code(0), None);
        assert_eq!(Outcome::from_code(7), None);
    }
}
