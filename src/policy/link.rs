//! Why a peer-review link hands out nothing any more, in words. What has to hold for it is looked
//! up by `ledger`, in each transaction anew.

use serde::Serialize;

/// Why a link hands out nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkEnd {
    /// There is none of that number.
    Unknown,
    /// Somebody revoked it.
    Revoked,
    /// The review is over: it is a page with names, and downloads are the catalogue's again.
    Published,
    /// Its time is up.
    Expired,
    /// The exemption that it was made under is not in force any more.
    Unexempt,
    /// Whoever made it may not receive anything, does not belong to the exempt entity any more, or
    /// that entity may not receive anything.
    Maker,
    /// The time of this one download is up; another may begin.
    Download,
}

impl LinkEnd {
    /// The word by which the journal and the log know it.
    pub fn word(self) -> &'static str {
        match self {
            LinkEnd::Unknown => "link-unknown",
            LinkEnd::Revoked => "link-revoked",
            LinkEnd::Published => "link-published",
            LinkEnd::Expired => "link-expired",
            LinkEnd::Unexempt => "link-unexempt",
            LinkEnd::Maker => "link-maker",
            LinkEnd::Download => "link-download-over",
        }
    }

    /// The same as a clause for whoever made the link.
    pub fn clause(self) -> &'static str {
        match self {
            LinkEnd::Unknown => "there is no such link",
            LinkEnd::Revoked => "the link is revoked",
            LinkEnd::Published => "the link is a page with names now",
            LinkEnd::Expired => "the link has expired",
            LinkEnd::Unexempt => "the exemption that the link was made under is not in force",
            LinkEnd::Maker => "whoever made the link may hand out nothing",
            LinkEnd::Download => "the time of this download is up",
        }
    }
}
