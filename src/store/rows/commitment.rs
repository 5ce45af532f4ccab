//! The commitments of people and entities with their salts: how the audit log names them. What a
//! commitment is stands in `base`; when one is erased is decided by `audit`.

use crate::base::commitment::{Commitment, PartyKind, Salt};
use crate::base::party::{EntityId, PersonId};
use crate::policy::Recipient;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// A person or an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A person.
    Person(PersonId),
    /// An entity.
    Entity(EntityId),
}

/// What is known of a party's name in the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitmentRow {
    /// Whose.
    pub party: Party,
    /// What they are known by: a mail address or a short name.
    pub identity: String,
    /// The salt; `None`: erased, or there never was one.
    pub salt: Option<Salt>,
    /// How leaves name them.
    pub commitment: Commitment,
}

const SELECT_PERSON: &str = "SELECT commitment FROM people WHERE id = ?1";
const SELECT_ENTITY: &str = "SELECT commitment FROM entities WHERE id = ?1";
const SELECT_PARTY: &str = "
    SELECT id, NULL FROM people WHERE commitment = ?1
    UNION ALL
    SELECT NULL, id FROM entities WHERE commitment = ?1";
const SELECT_PEOPLE: &str = "SELECT id, mail, salt, commitment FROM people ORDER BY id";
const SELECT_ENTITIES: &str = "SELECT id, slug, salt, commitment FROM entities ORDER BY id";
const ERASE_PERSON: &str = "UPDATE people SET salt = NULL, commitment = ?2 WHERE id = ?1";
const ERASE_ENTITY: &str = "UPDATE entities SET salt = NULL, commitment = ?2 WHERE id = ?1";

impl Party {
    /// Which kind it is.
    pub fn kind(self) -> PartyKind {
        match self {
            Party::Person(_) => PartyKind::Person,
            Party::Entity(_) => PartyKind::Entity,
        }
    }

    fn number(self) -> i64 {
        match self {
            Party::Person(PersonId(number)) | Party::Entity(EntityId(number)) => number,
        }
    }
}

impl Party {
    /// The party that `recipient` is; `None`: a link, which is nobody.
    pub fn of(recipient: Recipient) -> Option<Party> {
        match recipient {
            Recipient::Entity(entity) => Some(Party::Entity(entity)),
            Recipient::Person(person) => Some(Party::Person(person)),
            Recipient::Link(_) => None,
        }
    }
}

impl Tx<'_> {
    /// How leaves name `party` from now on; `None` if there is no such party.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn commitment(&self, party: Party) -> Result<Option<Commitment>, StoreError> {
        let statement = match party {
            Party::Person(_) => SELECT_PERSON,
            Party::Entity(_) => SELECT_ENTITY,
        };
        self.row(statement, values![party.number()], |row| row.get(0).map(Commitment))
    }

    /// Who is named so; `None`: nobody, or somebody whose name has been erased.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn party_by_commitment(&self, commitment: Commitment) -> Result<Option<Party>, StoreError> {
        self.row(SELECT_PARTY, values![&commitment.0], |row| {
            let person: Option<i64> = row.get(0)?;
            let entity: Option<i64> = row.get(1)?;
            let person = person.map(|id| Party::Person(PersonId(id)));
            person
                .or(entity.map(|id| Party::Entity(EntityId(id))))
                .ok_or_else(|| StoreError::Damaged("a party has no number".into()))
        })
    }

    /// Every person and every entity with their commitment.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn commitments(&self) -> Result<Vec<CommitmentRow>, StoreError> {
        let read = |row: &Row<'_>, party: fn(i64) -> Party| {
            Ok(CommitmentRow {
                party: party(row.get(0)?),
                identity: row.get(1)?,
                salt: row.get::<Option<[u8; 32]>>(2)?.map(Salt),
                commitment: Commitment(row.get(3)?),
            })
        };
        let people =
            self.rows(SELECT_PEOPLE, values![], |row| read(row, |id| Party::Person(PersonId(id))));
        let entities = self
            .rows(SELECT_ENTITIES, values![], |row| read(row, |id| Party::Entity(EntityId(id))));
        Ok([people?, entities?].concat())
    }

    /// Erases the salt of `party` and names it from now on by `commitment`.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn commitment_erase(&self, party: Party, commitment: Commitment) -> Result<(), StoreError> {
        let statement = match party {
            Party::Person(_) => ERASE_PERSON,
            Party::Entity(_) => ERASE_ENTITY,
        };
        let changed = self.change(statement, values![party.number(), &commitment.0])?;
        assert_eq!(changed, 1, "the party was found in this very transaction");
        Ok(())
    }
}
