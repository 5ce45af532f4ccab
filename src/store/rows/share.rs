//! The rows of peer-review links, and what holds for one at a moment; who may make one and what it
//! shows is `directory`'s business, what it may hand out the ledger's.

use crate::base::ids::IdKind;
use crate::base::party::{DownloadId, EntityId, PersonId, ShareId};
use crate::store::value::{Row, values};
use crate::store::{Door, StoreError, Tx};

/// One link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareRow {
    /// Its number, never used twice.
    pub id: ShareId,
    /// SHA-256 of its token.
    pub hash: [u8; 32],
    /// Who made it.
    pub person: PersonId,
    /// On behalf of which entity.
    pub entity: EntityId,
    /// Under which exemption of that entity.
    pub exemption: i64,
    /// Of which dataset it hands out IDs.
    pub dataset: i64,
    /// Of which of its releases.
    pub release: String,
    /// Which kind of ID.
    pub kind: IdKind,
    /// The first ordinal.
    pub first: u64,
    /// The first ordinal after those that it hands out.
    pub end: u64,
    /// The word of its purpose.
    pub purpose: String,
    /// The word of what it shows of its maker.
    pub face: String,
    /// What its maker calls it.
    pub label: String,
    /// What the editor is told; empty: nothing.
    pub note: String,
    /// The slow hash of its passphrase; `None`: it has none.
    pub passphrase: Option<String>,
    /// How many wrong passphrases there were in a row.
    pub attempts: u32,
    /// Before when no further one is looked at, in milliseconds UTC.
    pub attempt_after_ms: i64,
    /// The key of the tags of its answers.
    pub tag_key: [u8; 32],
    /// How many downloads may begin.
    pub downloads_max: u32,
    /// How many IDs it may hand out, all downloads together.
    pub ids_max: u64,
    /// When it was made, in milliseconds UTC.
    pub created_ms: i64,
    /// Up to when it is good, this instant not included, in milliseconds UTC.
    pub expires_ms: i64,
    /// When it was revoked, in milliseconds UTC.
    pub revoked_ms: Option<i64>,
    /// Since when it is a page with names, in milliseconds UTC.
    pub published_ms: Option<i64>,
}

/// What holds for a link at a moment, as the ledger must know it within its own transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareStandingRow {
    /// Which link.
    pub share: ShareId,
    /// On behalf of which entity it was made.
    pub entity: EntityId,
    /// Under which exemption.
    pub exemption: i64,
    /// How many downloads may begin.
    pub downloads_max: u32,
    /// How many IDs it may hand out.
    pub ids_max: u64,
    /// Up to when it is good, in milliseconds UTC.
    pub expires_ms: i64,
    /// Whether it is revoked.
    pub is_revoked: bool,
    /// Whether it is a page with names.
    pub is_published: bool,
    /// Whether its maker may receive.
    pub maker_is_active: bool,
    /// Whether its maker belongs to the entity.
    pub maker_belongs: bool,
    /// Whether the entity may receive.
    pub door: Door,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, hash, person_id, entity_id, exemption_id, dataset_id, release_id, unit, ",
            "first_ordinal, end_ordinal, purpose, face, label, note, passphrase, attempts, ",
            "attempt_after_ms, tag_key, downloads_max, ids_max, created_ms, expires_ms, ",
            "revoked_ms, published_ms FROM shares ",
            $rest
        )
    };
}
const SELECT: &str = columns!("WHERE id = ?1");
const SELECT_BY_HASH: &str = columns!("WHERE hash = ?1");
const SELECT_ALL: &str = columns!("ORDER BY id");
const SELECT_OF_PERSON: &str = columns!("WHERE person_id = ?1 ORDER BY id");
const SELECT_OF_ENTITY: &str = "SELECT id FROM shares WHERE entity_id = ?1 ORDER BY id";
const INSERT: &str = "
    INSERT INTO shares
        (hash, person_id, entity_id, exemption_id, dataset_id, release_id, unit, first_ordinal,
         end_ordinal, purpose, face, label, note, passphrase, attempts, attempt_after_ms, tag_key,
         downloads_max, ids_max, created_ms, expires_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0, 0, ?15, ?16, ?17, ?18,
            ?19)
    RETURNING id";
const UPDATE: &str = "
    UPDATE shares SET exemption_id = ?2, expires_ms = ?3, revoked_ms = ?4, published_ms = ?5
    WHERE id = ?1";
// What the other links have handed out under an exemption, and what is kept free for their
// downloads under way.
const SUM_OF_OTHERS: &str = "
    SELECT CAST(coalesce(sum(m.live_ids + m.held_ids), 0) AS BIGINT)
    FROM shares s JOIN meters m ON m.recipient = 'link:' || s.id AND m.unit = ?2
    WHERE s.exemption_id = ?1 AND s.id <> ?3";
const SET_ATTEMPTS: &str = "UPDATE shares SET attempts = ?2, attempt_after_ms = ?3 WHERE id = ?1";
const CLEAR_TEXTS: &str = "UPDATE shares SET label = ?2, note = '' WHERE person_id = ?1";

macro_rules! standing {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.entity_id, s.exemption_id, s.downloads_max, s.ids_max, s.expires_ms, ",
            "s.revoked_ms IS NOT NULL, s.published_ms IS NOT NULL, p.status = 'active', ",
            "EXISTS (SELECT 1 FROM memberships m WHERE m.person_id = s.person_id ",
            "AND m.entity_id = s.entity_id AND (m.until_ms IS NULL OR ?2 < m.until_ms)), ",
            "e.status FROM shares s JOIN people p ON p.id = s.person_id ",
            "JOIN entities e ON e.id = s.entity_id ",
            $rest
        )
    };
}
const STANDING: &str = standing!("WHERE s.id = ?1");
const STANDING_OF_DOWNLOAD: &str =
    standing!("WHERE s.id = (SELECT share_id FROM share_downloads WHERE id = ?1)");

impl Tx<'_> {
    /// Adds a link and returns its number; `row.id` and what comes later are not looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn share_insert(&self, row: &ShareRow) -> Result<ShareId, StoreError> {
        let values = values![
            &row.hash,
            row.person,
            row.entity,
            row.exemption,
            row.dataset,
            &row.release,
            row.kind.word(),
            row.first,
            row.end,
            &row.purpose,
            &row.face,
            &row.label,
            &row.note,
            &row.passphrase,
            &row.tag_key,
            row.downloads_max,
            row.ids_max,
            row.created_ms,
            row.expires_ms
        ];
        Ok(ShareId(self.one(INSERT, values)?))
    }

    /// The link with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn share(&self, id: ShareId) -> Result<Option<ShareRow>, StoreError> {
        self.row(SELECT, values![id], share)
    }

    /// The link whose token has that SHA-256.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn share_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ShareRow>, StoreError> {
        self.row(SELECT_BY_HASH, values![hash], share)
    }

    /// All links, or those that `person` made, in the order in which they were made.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn shares(&self, person: Option<PersonId>) -> Result<Vec<ShareRow>, StoreError> {
        match person {
            Some(person) => self.rows(SELECT_OF_PERSON, values![person], share),
            None => self.rows(SELECT_ALL, values![], share),
        }
    }

    /// The numbers of the links that were made on behalf of an entity.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn shares_of_entity(&self, entity: EntityId) -> Result<Vec<ShareId>, StoreError> {
        self.rows(SELECT_OF_ENTITY, values![entity], |row| Ok(ShareId(row.get(0)?)))
    }

    /// Writes under which exemption a link stands, when it ends, and what ended it.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn share_update(&self, row: &ShareRow) -> Result<(), StoreError> {
        let ShareRow { id, exemption, expires_ms, revoked_ms, published_ms, .. } = *row;
        self.write(UPDATE, values![id, exemption, expires_ms, revoked_ms, published_ms])
    }

    /// Writes how many wrong passphrases there were, and before when none is looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn share_set_attempts(
        &self,
        id: ShareId,
        attempts: u32,
        after_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(SET_ATTEMPTS, values![id, attempts, after_ms])
    }

    /// Puts `word` in the place of what `person` calls their links, and takes away their notes.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn shares_clear_texts(&self, person: PersonId, word: &str) -> Result<(), StoreError> {
        self.write(CLEAR_TEXTS, values![person, word])
    }

    /// How many IDs of `kind` the links under `exemption` take up, `but` one: what they have handed
    /// out in all their life, and what is kept free for downloads under way.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn shares_taken_ids(
        &self,
        exemption: i64,
        kind: IdKind,
        but: Option<ShareId>,
    ) -> Result<u64, StoreError> {
        let but = but.unwrap_or(ShareId(0));
        self.one(SUM_OF_OTHERS, values![exemption, kind.word(), but])
    }

    /// What holds for a link at `now_ms`.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn share_standing(
        &self,
        id: ShareId,
        now_ms: i64,
    ) -> Result<Option<ShareStandingRow>, StoreError> {
        self.row(STANDING, values![id, now_ms], standing)
    }

    /// What holds at `now_ms` for the link at which that download was begun.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn share_standing_of(
        &self,
        download: DownloadId,
        now_ms: i64,
    ) -> Result<Option<ShareStandingRow>, StoreError> {
        self.row(STANDING_OF_DOWNLOAD, values![download, now_ms], standing)
    }
}

fn standing(row: &Row<'_>) -> Result<ShareStandingRow, StoreError> {
    Ok(ShareStandingRow {
        share: ShareId(row.get(0)?),
        entity: EntityId(row.get(1)?),
        exemption: row.get(2)?,
        downloads_max: row.get(3)?,
        ids_max: row.get(4)?,
        expires_ms: row.get(5)?,
        is_revoked: row.get(6)?,
        is_published: row.get(7)?,
        maker_is_active: row.get(8)?,
        maker_belongs: row.get(9)?,
        door: Door::of_status(&row.get::<String>(10)?),
    })
}

fn share(row: &Row<'_>) -> Result<ShareRow, StoreError> {
    let kind: String = row.get(7)?;
    Ok(ShareRow {
        id: ShareId(row.get(0)?),
        hash: row.get(1)?,
        person: PersonId(row.get(2)?),
        entity: EntityId(row.get(3)?),
        exemption: row.get(4)?,
        dataset: row.get(5)?,
        release: row.get(6)?,
        kind: IdKind::from_word(&kind)
            .ok_or_else(|| StoreError::Damaged("the unit of a link".into()))?,
        first: row.get(8)?,
        end: row.get(9)?,
        purpose: row.get(10)?,
        face: row.get(11)?,
        label: row.get(12)?,
        note: row.get(13)?,
        passphrase: row.get(14)?,
        attempts: row.get(15)?,
        attempt_after_ms: row.get(16)?,
        tag_key: row.get(17)?,
        downloads_max: row.get(18)?,
        ids_max: row.get(19)?,
        created_ms: row.get(20)?,
        expires_ms: row.get(21)?,
        revoked_ms: row.get(22)?,
        published_ms: row.get(23)?,
    })
}
