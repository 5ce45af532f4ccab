//! The closed lists of words that the directory uses: sectors, roles, scopes and statuses.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$of])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// Every word, in the order in which people list them.
            pub const WORDS: &'static [&'static str] = &[$($word,)+];

            /// The word of commands, JSON and the database.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }

            /// What `word` means, if it is one of [`Self::WORDS`].
            pub fn from_word(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.pad(self.word())
            }
        }
    };
}

words! {
    /// What kind of organisation an entity is.
    Sector {
        /// A university or another institution of research or teaching.
        Academic = "academic",
        /// A company.
        Commercial = "commercial",
        /// An organisation that is no company and makes no profit.
        NonProfit = "non-profit",
        /// A body of a state; not a university that a state pays for.
        Government = "government",
        /// One human alone.
        Individual = "individual",
    }
}

words! {
    /// What somebody is in an entity.
    Role {
        /// Belongs to it.
        Member = "member",
        /// Also answers for it.
        Manager = "manager",
    }
}

words! {
    /// What somebody may do who runs the gateway.
    Rank {
        /// Decides and changes, for entities that they do not belong to themselves.
        Operator = "operator",
        /// Reads everything and changes nothing.
        Auditor = "auditor",
    }
}

words! {
    /// What a key opens. No key opens full objects, whatever its scope.
    Scope {
        /// The catalogue, and downloads of IDs.
        Download = "download",
        /// The catalogue alone.
        Catalogue = "catalogue",
        /// What its owner's rank allows, over the operators' half of the API; no downloads.
        Operate = "operate",
    }
}

words! {
    /// Whether an entity or a person may receive.
    Status {
        /// They may.
        Active = "active",
        /// They may not until an operator has looked at them.
        Pending = "pending",
        /// They may not until an operator resumes them.
        Suspended = "suspended",
        /// The entity is part of another one now.
        Merged = "merged",
        /// The person asked to be forgotten, and was.
        Erased = "erased",
    }
}

impl Status {
    /// What a word of the database means. A word of a newer program counts as suspended: who is
    /// not known to be active receives nothing.
    pub fn of_row(word: &str) -> Status {
        Status::from_word(word).unwrap_or(Status::Suspended)
    }
}

words! {
    /// How far a version of a use case has come.
    UseCaseStatus {
        /// It waits for an operator.
        Proposed = "proposed",
        /// An operator approved it.
        Approved = "approved",
        /// An operator turned it down.
        Refused = "refused",
    }
}

words! {
    /// Who consents that a person joins an entity.
    Side {
        /// The person.
        Person = "person",
        /// The entity, by a manager.
        Entity = "entity",
    }
}

words! {
    /// What a link is opened for.
    Purpose {
        /// Somebody reviews a paper.
        PeerReview = "peer-review",
        /// Somebody repeats what was done.
        Replication = "replication",
    }
}

words! {
    /// What a link shows of whoever made it.
    Face {
        /// Nothing.
        Blind = "blind",
        /// Their name, their organisation's and the dataset's.
        Named = "named",
    }
}

words! {
    /// How far an exemption has come.
    ExemptionStatus {
        /// It waits for an operator.
        Applied = "applied",
        /// It is in force until its last day.
        Approved = "approved",
        /// An operator turned it down.
        Refused = "refused",
        /// An operator ended it early.
        Revoked = "revoked",
    }
}

words! {
    /// How far a registration has come.
    RegistrationStatus {
        /// The mail address is not verified.
        Asked = "asked",
        /// It waits for an operator.
        Verified = "verified",
        /// A person came of it.
        Assigned = "assigned",
        /// An operator turned it down.
        Refused = "refused",
    }
}

words! {
    /// What a letter says.
    LetterKind {
        /// By which link to sign in.
        SignIn = "sign-in",
        /// By which link to show that an address is theirs.
        Verification = "verification",
        /// Something that they should know.
        Notice = "notice",
    }
}
