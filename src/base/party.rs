//! Who takes part: entities, people and keys as numbers that never mix, and who acts.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! party_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);
    };
}

party_type!(
    /// The row number of an entity: the organisation that is metered.
    EntityId
);
party_type!(
    /// The row number of a person: a human who belongs to one or more entities.
    PersonId
);
party_type!(
    /// The row number of an API key, which belongs to one person.
    KeyId
);

party_type!(
    /// The row number of a session: a browser in which a person has signed in.
    SessionId
);

party_type!(
    /// The row number of a peer-review link, which is a recipient of its own.
    ShareId
);
party_type!(
    /// The row number of a download that somebody began at a peer-review link.
    DownloadId
);

/// By what a request shows on whose behalf it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Credential {
    /// An API key.
    Key(KeyId),
    /// A session of a browser.
    Session(SessionId),
    /// A download of a peer-review link, made on behalf of whoever made the link: nobody knows who
    /// asks, and the link is charged, not its maker.
    Link(DownloadId),
}

impl Credential {
    /// The key, if it is one.
    pub fn key(self) -> Option<KeyId> {
        match self {
            Credential::Key(key) => Some(key),
            Credential::Session(_) | Credential::Link(_) => None,
        }
    }
}

impl Credential {
    /// The download of a link, if it is one.
    pub fn download(self) -> Option<DownloadId> {
        match self {
            Credential::Link(download) => Some(download),
            Credential::Key(_) | Credential::Session(_) => None,
        }
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credential::Key(key) => write!(out, "key {}", key.0),
            Credential::Session(session) => write!(out, "session {}", session.0),
            Credential::Link(download) => write!(out, "download {}", download.0),
        }
    }
}

/// Who did something, as the audit log and the tables name them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// An account of the machine that hydrant runs on, by its name: `local:ada`.
    Local(Arc<str>),
    /// A person of the directory, acting for themselves: `person:7`.
    Person(PersonId),
}

/// Why a text names no actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an actor is `local:` and an account's name, or `person:` and a number")]
pub struct NotAnActor;

impl fmt::Display for Actor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Local(account) => write!(out, "local:{account}"),
            Actor::Person(person) => write!(out, "person:{}", person.0),
        }
    }
}

impl FromStr for Actor {
    type Err = NotAnActor;

    fn from_str(text: &str) -> Result<Actor, NotAnActor> {
        match text.split_once(':') {
            Some(("local", account)) if !account.is_empty() => Ok(Actor::Local(account.into())),
            Some(("person", number)) => {
                number.parse().map(|number| Actor::Person(PersonId(number))).map_err(|_| NotAnActor)
            }
            _ => Err(NotAnActor),
        }
    }
}

impl TryFrom<String> for Actor {
    type Error = NotAnActor;

    fn try_from(text: String) -> Result<Actor, NotAnActor> {
        text.parse()
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> String {
        actor.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_read_as_it_is_written() {
        for actor in [Actor::Local("ada".into()), Actor::Person(PersonId(7))] {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
        for text in ["", "local:", "person:ada", "ada", "gateway"] {
            assert_eq!(text.parse::<Actor>(), Err(NotAnActor), "{text:?}");
        }
    }
}
