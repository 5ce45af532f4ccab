//! What a file says of itself: what it holds, from where, for whom, under which rule, and what was
//! left out and why.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::base::date;
use crate::base::ids::{TweetId, UserId};
use crate::base::number::separated;

/// The cover sheet of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// What the file is called by people.
    pub title: String,
    /// The dataset's short name.
    pub dataset: String,
    /// The release: its ID.
    pub release: String,
    /// What of it was asked for, in words.
    pub selection: String,
    /// Who asked.
    pub person: String,
    /// For which entity, or several.
    pub entity: String,
    /// When the file was made, in milliseconds UTC.
    pub made_ms: i64,
    /// The zone of every time in the file, such as `Europe/Berlin`; [`zone`] reads it.
    pub zone: String,
    /// The profile's name.
    pub profile: String,
    /// The words and addresses of the platform.
    pub platform: Platform,
    /// How many Tweets the file holds; it is an error to write another number.
    pub tweets: u64,
    /// How many Users it holds.
    pub users: u64,
    /// What was asked for and is not in the file.
    pub left_out: Vec<(LeftOut, u64)>,
    /// When a list of removals was last imported, in milliseconds UTC, if ever.
    pub compliance_ms: Option<i64>,
    /// The terms under which the file is handed out: documents that were accepted, what may be
    /// done with it; a paragraph each.
    pub terms: Vec<String>,
}

/// What the platform is called and where its pages are: of the profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// `Twitter` or `X`.
    pub name: String,
    /// What a Tweet is called: `Tweet` or `Post`.
    pub word: String,
    /// Where permalinks begin, without a slash at the end: `https://twitter.com`.
    pub permalink_base: String,
}

impl Platform {
    /// Where a Tweet is shown.
    pub fn tweet_link(&self, username: &str, id: TweetId) -> String {
        format!("{}/{username}/status/{id}", self.permalink_base)
    }

    /// Where an account is shown, whatever it is called by now.
    pub fn user_link(&self, id: UserId) -> String {
        format!("{}/i/user/{id}", self.permalink_base)
    }
}

/// Why something that was asked for is not in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOut {
    /// Its account is protected.
    Protected,
    /// It is withheld somewhere.
    Withheld,
    /// It, or its author, is on a list of removals.
    Removed,
    /// The platform says that it is no longer there.
    Gone,
    /// Its record holds a part of the text only.
    Truncated,
    /// Its account is suspended.
    Suspended,
    /// It was edited, and the record holds an earlier version of it.
    Superseded,
    /// Its record does not name the author, who would have to be shown.
    AuthorUnknown,
    /// Its record does not say when it was posted.
    TimeUnknown,
    /// The source has no record of it.
    NotInSource,
    /// Its record cannot be read.
    Damaged,
    /// The platform told nothing of it.
    UnknownUpstream,
}

impl LeftOut {
    /// Every reason with its word and what people are told.
    pub const ALL: &[(LeftOut, &str, &str)] = &[
        (LeftOut::Protected, "protected", "of protected accounts"),
        (LeftOut::Withheld, "withheld", "withheld in at least one country"),
        (LeftOut::Removed, "removed", "must no longer be distributed, or are of such an account"),
        (LeftOut::Gone, "gone", "no longer available on the platform"),
        (LeftOut::Truncated, "truncated", "of which only a part of the text is on record"),
        (LeftOut::Suspended, "suspended", "of suspended accounts"),
        (LeftOut::Superseded, "superseded", "of which an edit made a newer version"),
        (LeftOut::AuthorUnknown, "author-unknown", "whose author is not on record"),
        (LeftOut::TimeUnknown, "time-unknown", "whose time is not on record"),
        (LeftOut::NotInSource, "not-in-source", "not found in the source"),
        (LeftOut::Damaged, "damaged", "whose record is damaged"),
        (LeftOut::UnknownUpstream, "unknown-upstream", "of which the platform told nothing"),
    ];

    /// The word of stores and journals.
    pub fn word(self) -> &'static str {
        self.row().1
    }

    /// What people are told: it completes "12 left out: …".
    pub fn text(self) -> &'static str {
        self.row().2
    }

    /// The reason that `word` names, if it names one.
    pub fn from_word(word: &str) -> Option<LeftOut> {
        LeftOut::ALL.iter().find(|(_, known, _)| *known == word).map(|row| row.0)
    }

    fn row(self) -> &'static (LeftOut, &'static str, &'static str) {
        LeftOut::ALL.iter().find(|row| row.0 == self).expect("every reason has a row")
    }
}

/// Why a name is no zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time zone on this machine: one looks like Europe/Berlin or UTC")]
pub struct NotAZone(pub String);

/// The time zone of that name.
///
/// # Errors
/// [`NotAZone`] for a name that this machine's table of zones does not have.
pub fn zone(name: &str) -> Result<TimeZone, NotAZone> {
    if name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name).map_err(|_| NotAZone(name.to_owned()))
}

impl Cover {
    /// The sheet as rows of a name and a text, in reading order: every format shows these. A name
    /// is empty where a row belongs to the one before.
    pub fn rows(&self, zone: &TimeZone) -> Vec<(String, String)> {
        let word = &self.platform.word;
        let mut rows = Vec::new();
        let mut row = |name: &str, text: String| rows.push((name.to_owned(), text));
        row("Title", self.title.clone());
        row("Dataset", self.dataset.clone());
        row("Release", self.release.clone());
        row("Selection", self.selection.clone());
        row("Made for", self.person.clone());
        row("On behalf of", self.entity.clone());
        row("Made at", date::in_zone(self.made_ms, zone));
        row("Times", format!("in the time zone {}", self.zone));
        row("From", self.platform.name.clone());
        row("Rule", format!("profile {}", self.profile));
        row("In this file", format!("{word}s: {}", separated(self.tweets)));
        row("", format!("Users: {}", separated(self.users)));
        let left_out: u64 = self.left_out.iter().map(|(_, count)| count).sum();
        row("Left out", separated(left_out));
        for (reason, count) in self.left_out.iter().filter(|(_, count)| *count > 0) {
            row("", format!("{} {}", separated(*count), reason.text()));
        }
        row(
            "Removals known up to",
            match self.compliance_ms {
                Some(time_ms) => date::in_zone(time_ms, zone),
                None => "no list of removals was ever imported".to_owned(),
            },
        );
        for (place, term) in self.terms.iter().enumerate() {
            row(if place == 0 { "Terms" } else { "" }, term.clone());
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_word_of_its_own() {
        for (reason, word, text) in LeftOut::ALL {
            assert_eq!(LeftOut::from_word(word), Some(*reason));
            assert_eq!((reason.word(), reason.text()), (*word, *text));
            assert_eq!(serde_json::to_value(reason).unwrap(), *word);
        }
    }

    #[test]
    fn a_zone_is_one_that_the_machine_knows() {
        assert!(zone("UTC").is_ok());
        assert!(zone("Europe/Berlin").is_ok());
        assert_eq!(zone("Mars/Olympus"), Err(NotAZone("Mars/Olympus".into())));
    }
}
