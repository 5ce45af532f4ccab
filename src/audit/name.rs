//! How leaves name who acts and who receives; how a commitment is made is `base`'s business.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::leaf::Leaf;
use crate::base::commitment::Commitment;
use crate::base::party::{Actor, EntityId, PersonId, ShareId};
use crate::policy::Recipient;
use crate::store::{Party, StoreError, Tx};

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ActorName {
    /// An account of the machine that hydrant runs on, by its name: `local:ada`. Operators answer
    /// for what they do under that name, so it is not hidden.
    Local(Arc<str>),
    /// A person, acting for themselves: `person:` and their commitment.
    Person(Commitment),
}

/// What was charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RecipientName {
    /// An entity: `entity:` and its commitment.
    Entity(Commitment),
    /// A person, who receives objects: `person:` and their commitment.
    Person(Commitment),
    /// A peer-review link: `link:` and its number, which says nothing of anybody.
    Link(ShareId),
}

impl RecipientName {
    /// How leaves name `recipient`, who has that commitment.
    pub fn of(recipient: Recipient, commitment: Commitment) -> RecipientName {
        match recipient {
            Recipient::Entity(_) => RecipientName::Entity(commitment),
            Recipient::Person(_) => RecipientName::Person(commitment),
            Recipient::Link(share) => RecipientName::Link(share),
        }
    }
}

/// Why a text is no name of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a leaf names `local:` and an account, `person:` or `entity:` and a commitment, or `link:` and \
     a number"
)]
pub struct NotAName;

/// How leaves name a person.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn of_person(tx: &Tx<'_>, person: PersonId) -> Result<Commitment, StoreError> {
    of_party(tx, Party::Person(person))
}

/// How leaves name an entity.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn of_entity(tx: &Tx<'_>, entity: EntityId) -> Result<Commitment, StoreError> {
    of_party(tx, Party::Entity(entity))
}

/// How leaves name who acts.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn of_actor(tx: &Tx<'_>, actor: &Actor) -> Result<ActorName, StoreError> {
    Ok(match actor {
        Actor::Local(account) => ActorName::Local(Arc::clone(account)),
        Actor::Person(person) => ActorName::Person(of_person(tx, *person)?),
    })
}

/// Erases the salt behind the name of `party` in the log: from now on nobody can tell whom its
/// leaves are about, and every proof holds as before. Later leaves name the party anew.
///
/// # Errors
/// [`StoreError`] of the changes.
pub fn erase(tx: &Tx<'_>, now_ms: i64, actor: &Actor, party: Party) -> Result<(), StoreError> {
    let name = of_party(tx, party)?;
    tx.commitment_erase(party, Commitment::to_nobody())?;
    super::append(tx, now_ms, &Leaf::SaltErased { name, actor: of_actor(tx, actor)? })?;
    Ok(())
}

/// Somebody who has no row is nobody.
fn of_party(tx: &Tx<'_>, party: Party) -> Result<Commitment, StoreError> {
    Ok(tx.commitment(party)?.unwrap_or_else(Commitment::to_nobody))
}

impl fmt::Display for ActorName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActorName::Local(account) => write!(out, "local:{account}"),
            ActorName::Person(person) => write!(out, "person:{person}"),
        }
    }
}

impl FromStr for ActorName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<ActorName, NotAName> {
        match text.split_once(':') {
            Some(("local", account)) if !account.is_empty() => Ok(ActorName::Local(account.into())),
            Some(("person", person)) => person.parse().map(ActorName::Person).map_err(|_| NotAName),
            _ => Err(NotAName),
        }
    }
}

impl fmt::Display for RecipientName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecipientName::Entity(entity) => write!(out, "entity:{entity}"),
            RecipientName::Person(person) => write!(out, "person:{person}"),
            RecipientName::Link(share) => write!(out, "link:{}", share.0),
        }
    }
}

impl FromStr for RecipientName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<RecipientName, NotAName> {
        let (whose, commitment) = text.split_once(':').ok_or(NotAName)?;
        if whose == "link" {
            let number = commitment.parse().map_err(|_| NotAName)?;
            return Ok(RecipientName::Link(ShareId(number)));
        }
        let commitment = commitment.parse().map_err(|_| NotAName)?;
        match whose {
            "entity" => Ok(RecipientName::Entity(commitment)),
            "person" => Ok(RecipientName::Person(commitment)),
            _ => Err(NotAName),
        }
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = NotAName;

            fn try_from(text: String) -> Result<$name, NotAName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.to_string()
            }
        }
    };
}

as_text!(ActorName);
as_text!(RecipientName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        let somebody = Commitment([7; 32]);
        for name in [ActorName::Local("ada".into()), ActorName::Person(somebody)] {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        for recipient in [RecipientName::Entity(somebody), RecipientName::Link(ShareId(7))] {
            assert_eq!(recipient.to_string().parse(), Ok(recipient));
        }
        for text in ["", "local:", "person:7", "entity:7", "ada"] {
            assert_eq!(text.parse::<ActorName>(), Err(NotAName), "{text:?}");
            assert_eq!(text.parse::<RecipientName>(), Err(NotAName), "{text:?}");
        }
    }
}
