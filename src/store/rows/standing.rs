//! What the directory says of a requester at this moment, as the ledger must know it within its
//! own transaction; how the directory's rows come to be is not here.

use crate::base::commitment::Commitment;
use crate::base::party::{Credential, EntityId, PersonId};
use crate::store::value::values;
use crate::store::{StoreError, Tx};

/// A person, and the key or session with which they ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingRow {
    /// Whether the person may receive.
    pub person_is_active: bool,
    /// Up to when the key or session is good, this instant not included, in milliseconds UTC;
    /// `None`: the person has none of that number.
    pub credential_until_ms: Option<i64>,
    /// Whether the key or session is revoked.
    pub credential_is_revoked: bool,
    /// How the audit log names the person.
    pub commitment: Commitment,
}

/// Whether an entity may receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// It may.
    Open,
    /// It may not until an operator has reviewed it.
    Unreviewed,
    /// It may not, because it is suspended or has a status that this program does not know.
    Shut,
}

impl Door {
    fn of_status(word: &str) -> Door {
        match word {
            "active" => Door::Open,
            "pending" => Door::Unreviewed,
            _ => Door::Shut,
        }
    }
}

/// An entity that a person belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityStandingRow {
    /// Which one.
    pub entity: EntityId,
    /// Whether it may receive.
    pub door: Door,
    /// The version of its use case that is in force.
    pub use_case: Option<u32>,
    /// The exemption that is in force for it.
    pub exemption: Option<i64>,
}

const SELECT_PERSON_BY_KEY: &str = "
    SELECT p.status = 'active', k.expires_ms, k.revoked_ms IS NOT NULL, p.commitment
    FROM people p LEFT JOIN keys k ON k.id = ?2 AND k.person_id = p.id
    WHERE p.id = ?1";
const SELECT_PERSON_BY_SESSION: &str = "
    SELECT p.status = 'active', s.until_ms, s.revoked_ms IS NOT NULL, p.commitment
    FROM people p LEFT JOIN sessions s ON s.id = ?2 AND s.person_id = p.id
    WHERE p.id = ?1";
const EXEMPTION_IN_FORCE: &str = "
    SELECT max(x.id) FROM exemptions x
    WHERE x.entity_id = ?1 AND x.status = 'approved' AND x.from_ms <= ?2 AND ?2 < x.until_ms";
const SELECT_ENTITIES: &str = "
    SELECT DISTINCT m.entity_id, e.status, e.use_case,
           (SELECT max(x.id) FROM exemptions x
            WHERE x.entity_id = m.entity_id AND x.status = 'approved'
              AND x.from_ms <= ?2 AND ?2 < x.until_ms)
    FROM memberships m JOIN entities e ON e.id = m.entity_id
    WHERE m.person_id = ?1 AND (m.until_ms IS NULL OR ?2 < m.until_ms)
    ORDER BY m.entity_id";

impl Tx<'_> {
    /// The standing of `person` and of the credential they ask with; `None` if there is no such
    /// person.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn standing(
        &self,
        person: PersonId,
        credential: Option<Credential>,
    ) -> Result<Option<StandingRow>, StoreError> {
        let (statement, number) = match credential {
            None => (SELECT_PERSON_BY_KEY, None),
            Some(Credential::Key(key)) => (SELECT_PERSON_BY_KEY, Some(key.0)),
            Some(Credential::Session(session)) => (SELECT_PERSON_BY_SESSION, Some(session.0)),
        };
        self.row(statement, values![person, number], |row| {
            Ok(StandingRow {
                person_is_active: row.get(0)?,
                credential_until_ms: row.get(1)?,
                credential_is_revoked: row.get(2)?,
                commitment: Commitment(row.get(3)?),
            })
        })
    }

    /// The entities that `person` belongs to at `now_ms`, in ascending order.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn standing_entities(
        &self,
        person: PersonId,
        now_ms: i64,
    ) -> Result<Vec<EntityStandingRow>, StoreError> {
        self.rows(SELECT_ENTITIES, values![person, now_ms], |row| {
            Ok(EntityStandingRow {
                entity: EntityId(row.get(0)?),
                door: Door::of_status(&row.get::<String>(1)?),
                use_case: row.get(2)?,
                exemption: row.get(3)?,
            })
        })
    }

    /// The exemption of `entity` that is in force at `now_ms`.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn exemption_in_force(
        &self,
        entity: EntityId,
        now_ms: i64,
    ) -> Result<Option<i64>, StoreError> {
        self.one(EXEMPTION_IN_FORCE, values![entity, now_ms])
    }
}
