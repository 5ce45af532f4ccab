//! What the directory says of a requester at this moment, as the ledger must know it within its
//! own transaction; how the directory's rows come to be is not here.

use crate::base::commitment::Commitment;
use crate::base::party::{Credential, EntityId, PersonId};
use crate::policy::{Exempted, Permitted, Titles};
use crate::store::value::{Row, values};
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
    pub(super) fn of_status(word: &str) -> Door {
        match word {
            "active" => Door::Open,
            "pending" => Door::Unreviewed,
            _ => Door::Shut,
        }
    }
}

/// An entity that a person belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityStandingRow {
    /// Which one.
    pub entity: EntityId,
    /// Whether it may receive.
    pub door: Door,
    /// The version of its use case that is in force.
    pub use_case: Option<u32>,
    /// Its exemptions and permissions that hold.
    pub titles: Titles,
}

const SELECT_PERSON_BY_KEY: &str = "
    SELECT p.status = 'active', k.expires_ms, k.revoked_ms IS NOT NULL, p.commitment
    FROM people p LEFT JOIN keys k ON k.id = ?2 AND k.person_id = p.id
    WHERE p.id = ?1";
const SELECT_PERSON_BY_SESSION: &str = "
    SELECT p.status = 'active', s.until_ms, s.revoked_ms IS NOT NULL, p.commitment
    FROM people p LEFT JOIN sessions s ON s.id = ?2 AND s.person_id = p.id
    WHERE p.id = ?1";
// A row for each pair of an exemption and a permission that hold: few have one, hardly any two.
const SELECT_ENTITIES: &str = "
    SELECT e.id, e.status, e.use_case, x.id, x.ceiling_ids, x.until_ms,
           p.id, p.ceiling_ids, p.until_ms, p.exemption_id
    FROM entities e
    LEFT JOIN exemptions x ON x.entity_id = e.id AND x.status = 'approved'
                          AND x.from_ms <= ?2 AND ?2 < x.until_ms
    LEFT JOIN permissions p ON p.entity_id = e.id AND p.revoked_ms IS NULL
                           AND p.from_ms <= ?2 AND ?2 < p.until_ms
    WHERE e.id IN (SELECT m.entity_id FROM memberships m
                   WHERE m.person_id = ?1 AND (m.until_ms IS NULL OR ?2 < m.until_ms))
    ORDER BY e.id, x.id, p.id";
const SELECT_TITLES: &str = "
    SELECT e.id, e.status, e.use_case, x.id, x.ceiling_ids, x.until_ms,
           p.id, p.ceiling_ids, p.until_ms, p.exemption_id
    FROM entities e
    LEFT JOIN exemptions x ON x.entity_id = e.id AND x.status = 'approved'
                          AND x.from_ms <= ?2 AND ?2 < x.until_ms
    LEFT JOIN permissions p ON p.entity_id = e.id AND p.revoked_ms IS NULL
                           AND p.from_ms <= ?2 AND ?2 < p.until_ms
    WHERE e.id = ?1
    ORDER BY x.id, p.id";

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
            Some(Credential::Link(_)) => panic!("what holds for a link is asked of the link"),
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
        let mut entities: Vec<EntityStandingRow> = Vec::new();
        self.rows(SELECT_ENTITIES, values![person, now_ms], |row| add(row, &mut entities))?;
        Ok(entities)
    }

    /// What holds for `entity` at `now_ms`.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn titles(&self, entity: EntityId, now_ms: i64) -> Result<Titles, StoreError> {
        let mut entities = Vec::new();
        self.rows(SELECT_TITLES, values![entity, now_ms], |row| add(row, &mut entities))?;
        Ok(entities.pop().map(|found| found.titles).unwrap_or_default())
    }
}

/// Adds what a row says to the last of `entities`, or to one that begins with it.
fn add(row: &Row<'_>, entities: &mut Vec<EntityStandingRow>) -> Result<(), StoreError> {
    let entity = EntityId(row.get(0)?);
    if entities.last().is_none_or(|last| last.entity != entity) {
        let door = Door::of_status(&row.get::<String>(1)?);
        let (use_case, titles) = (row.get(2)?, Titles::default());
        entities.push(EntityStandingRow { entity, door, use_case, titles });
    }
    let titles = &mut entities.last_mut().expect("one was just added").titles;
    if let Some(number) = row.get(3)? {
        let (ceiling_ids, until_ms) = (row.get(4)?, row.get(5)?);
        let exempted = Exempted { number, ceiling_ids, until_ms };
        if !titles.exemptions.contains(&exempted) {
            titles.exemptions.push(exempted);
        }
    }
    if let Some(number) = row.get(6)? {
        let (ceiling_ids, until_ms, exemption) = (row.get(7)?, row.get(8)?, row.get(9)?);
        let permitted = Permitted { number, ceiling_ids, until_ms, exemption };
        if !titles.permissions.contains(&permitted) {
            titles.permissions.push(permitted);
        }
    }
    Ok(())
}
