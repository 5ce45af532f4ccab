//! The rows of deliveries, under way and past; how one is charged is `ledger`'s business.

use serde::{Deserialize, Serialize};

use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::base::party::{DownloadId, KeyId, PersonId, ShareId};
use crate::policy::{Basis, Recipient, Unit};
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// A delivery before it has a row.
#[derive(Clone, Debug)]
pub struct NewDelivery<'a> {
    /// Its number.
    pub id: DeliveryId,
    /// Who asked; `None`: nobody knows, at a link.
    pub person: Option<PersonId>,
    /// With which key.
    pub key: Option<KeyId>,
    /// As a part of which download of a link.
    pub download: Option<DownloadId>,
    /// Of which dataset; `None`: of a request's body.
    pub dataset: Option<i64>,
    /// Of which release; `None`: it was stripped for this delivery.
    pub release: Option<&'a str>,
    /// Which kind of ID, or objects.
    pub unit: Unit,
    /// Which view of the release or source the ordinals count in; empty for a body.
    pub view: &'a str,
    /// With which version of the removals that view came into force; 0: nothing is left out, or it
    /// is of no release.
    pub view_version: i64,
    /// The first ordinal that was asked for.
    pub first: u64,
    /// The first ordinal after those that were asked for; `None`: nobody knows yet.
    pub end: Option<u64>,
    /// IDs of the first chunk.
    pub granted_ids: u64,
    /// Who is charged, on which basis.
    pub recipients: &'a [Charged],
    /// The name of the profile.
    pub profile: &'a str,
    /// When it began, in milliseconds UTC.
    pub started_ms: i64,
    /// Which start of a gateway hands it over.
    pub incarnation: i64,
}

/// Who is charged for a delivery, and why they may receive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Charged {
    /// Whose meter.
    pub recipient: Recipient,
    /// On which basis.
    pub basis: Basis,
    /// For which version of its use case; `None`: the recipient has none that is approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_case: Option<u32>,
}

/// Whether a delivery is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// It is under way.
    Running,
    /// Everything that was asked for was handed over.
    Complete,
    /// It ended before that.
    Broken,
}

/// A delivery. Times are milliseconds UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeliveryRow {
    /// Its number.
    pub id: DeliveryId,
    /// Who asked; `None`: they were erased, it is too long ago, or nobody knew.
    pub person: Option<PersonId>,
    /// With which key; `None`: in a session, or nobody knows who asked.
    pub key: Option<KeyId>,
    /// Of which dataset; `None`: of a request's body.
    pub dataset: Option<i64>,
    /// Of which release; `None`: it was stripped for this delivery.
    pub release: Option<String>,
    /// Which kind of ID, or objects.
    pub unit: Unit,
    /// Which view of the release or source the ordinals count in; empty for a body.
    pub view: String,
    /// With which version of the removals that view came into force; 0: nothing is left out, or it
    /// is of no release.
    pub view_version: i64,
    /// The first ordinal that was asked for.
    pub first: u64,
    /// The first ordinal after those that were asked for; `None`: nobody knew.
    pub end: Option<u64>,
    /// How many of its IDs count, or counted within their window.
    pub charged_ids: u64,
    /// How many IDs were given back, because no byte of them was sent.
    pub released_ids: u64,
    /// Who was charged, on which basis; more than one basis if it changed on the way.
    pub recipients: Vec<Charged>,
    /// The name of the profile.
    pub profile: String,
    /// Whether it is under way.
    pub state: DeliveryState,
    /// Why it is broken.
    pub reason: Option<String>,
    /// When it began.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// The report of the strip, as JSON, where it was stripped for this delivery.
    pub report: Option<String>,
    /// As a part of which download of a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download: Option<DownloadId>,
}

const INSERT: &str = "
    INSERT INTO deliveries
        (id, person_id, key_id, dataset_id, release_id, unit, view, first_ordinal, end_ordinal,
         granted_ids, released_ids, recipients, profile, state, started_ms, incarnation_id,
         view_version, download_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11, ?12, 'running', ?13, ?14, ?15,
            ?16)";
const GRANT: &str = "UPDATE deliveries SET granted_ids = granted_ids + ?2 WHERE id = ?1";
const SET_RECIPIENTS: &str = "UPDATE deliveries SET recipients = ?2 WHERE id = ?1";
const SET_REPORT: &str = "UPDATE deliveries SET report = ?2 WHERE id = ?1";
const RELEASE: &str = "UPDATE deliveries SET released_ids = released_ids + ?2 WHERE id = ?1";
const END: &str = "
    UPDATE deliveries SET state = ?2, reason = ?3, ended_ms = ?4
    WHERE id = ?1 AND state = 'running'";
const END_BEFORE: &str = "
    UPDATE deliveries SET state = 'broken', reason = ?2, ended_ms = ?3
    WHERE state = 'running'
      AND incarnation_id IN (SELECT id FROM incarnations WHERE instance = ?1 AND id < ?4)";
const FORGET_OLD: &str = "
    UPDATE deliveries SET person_id = NULL, key_id = NULL
    WHERE person_id IS NOT NULL AND state <> 'running' AND ended_ms < ?1";
const FORGET_ERASED: &str = "
    UPDATE deliveries SET person_id = NULL, key_id = NULL
    WHERE state <> 'running' AND person_id IN (SELECT id FROM people WHERE erased_ms IS NOT NULL)";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, person_id, key_id, dataset_id, release_id, unit, view, first_ordinal, ",
            "end_ordinal, granted_ids, released_ids, recipients, profile, state, reason, ",
            "started_ms, ended_ms, report, view_version, download_id FROM deliveries ",
            $rest
        )
    };
}
const SELECT: &str = select!("WHERE id = ?1");
const SELECT_OF_PERSON: &str =
    select!("WHERE person_id = ?1 AND (id < ?2 OR ?2 IS NULL) ORDER BY id DESC LIMIT ?3");
const SELECT_NEWEST: &str = select!(
    "WHERE (person_id = ?1 OR ?1 IS NULL) AND (recipients LIKE ?2 OR ?2 IS NULL)
     ORDER BY id DESC LIMIT ?3"
);
const SELECT_LATEST: &str = select!(
    "WHERE person_id = ?1 AND dataset_id = ?2 AND unit = ?3
       AND first_ordinal <= ?4
       AND ?4 < coalesce(end_ordinal, first_ordinal + granted_ids - released_ids)
       AND granted_ids > released_ids
     ORDER BY id DESC LIMIT 1"
);
const SELECT_OF_SHARE: &str = select!(
    "WHERE download_id IN (SELECT id FROM share_downloads WHERE share_id = ?1) ORDER BY id"
);
const SELECT_LATEST_OF_DOWNLOAD: &str = select!(
    "WHERE download_id = ?1 AND first_ordinal <= ?2 AND ?2 < end_ordinal
       AND granted_ids > released_ids
     ORDER BY id DESC LIMIT 1"
);

const SELECT_LATEST_OF: &str = select!(
    "WHERE person_id = ?1 AND dataset_id = ?2 AND unit = ?3 AND release_id = ?4
       AND granted_ids > released_ids
     ORDER BY id DESC LIMIT 1"
);

impl Tx<'_> {
    /// Enters a delivery that begins with its first chunk.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn delivery_add(&self, new: &NewDelivery<'_>) -> Result<(), StoreError> {
        self.write(
            INSERT,
            values![
                new.id.as_bytes(),
                new.person,
                new.key,
                new.dataset,
                new.release,
                new.unit.word(),
                new.view,
                new.first,
                new.end,
                new.granted_ids,
                &recipients_text(new.recipients),
                new.profile,
                new.started_ms,
                new.incarnation,
                new.view_version,
                new.download
            ],
        )
    }

    /// Counts a further chunk of a delivery.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn delivery_grant(&self, id: DeliveryId, ids: u64) -> Result<(), StoreError> {
        self.write(GRANT, values![id.as_bytes(), ids])
    }

    /// Writes who has been charged for a delivery so far.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn delivery_set_recipients(
        &self,
        id: DeliveryId,
        recipients: &[Charged],
    ) -> Result<(), StoreError> {
        let text = recipients_text(recipients);
        self.write(SET_RECIPIENTS, values![id.as_bytes(), &text])
    }

    /// Writes what a delivery was stripped from, as JSON.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn delivery_set_report(&self, id: DeliveryId, report: &str) -> Result<(), StoreError> {
        self.write(SET_REPORT, values![id.as_bytes(), report])?;
        Ok(())
    }

    /// Counts IDs of a delivery that were given back unsent.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn delivery_release(&self, id: DeliveryId, ids: u64) -> Result<(), StoreError> {
        self.write(RELEASE, values![id.as_bytes(), ids])
    }

    /// Ends a delivery, if it is under way; with a `reason` it is broken, without one complete.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn delivery_end(
        &self,
        id: DeliveryId,
        reason: Option<&str>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let state = if reason.is_some() { "broken" } else { "complete" };
        self.write(END, values![id.as_bytes(), state, reason, now_ms])
    }

    /// Ends every delivery as broken that starts of this instance before `incarnation` left under
    /// way, and returns how many there were.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn deliveries_end_before(
        &self,
        incarnation: i64,
        reason: &str,
        now_ms: i64,
    ) -> Result<u64, StoreError> {
        self.change(END_BEFORE, values![self.instance(), reason, now_ms, incarnation])
    }

    /// Forgets who asked for the deliveries that ended before `before_ms`, and returns how many
    /// there were. What they were charged to stays.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn deliveries_forget_old(&self, before_ms: i64) -> Result<u64, StoreError> {
        self.change(FORGET_OLD, values![before_ms])
    }

    /// Forgets who asked for the deliveries of everybody who was erased, as far as they have
    /// ended, and returns how many there were.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn deliveries_forget_erased(&self) -> Result<u64, StoreError> {
        self.change(FORGET_ERASED, values![])
    }

    /// The delivery with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRow>, StoreError> {
        self.row(SELECT, values![id.as_bytes()], delivery)
    }

    /// At most `rows_max` deliveries of `person`, newest first; with `before`, those older than it.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn deliveries_of(
        &self,
        person: PersonId,
        before: Option<DeliveryId>,
        rows_max: u32,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        let before = before.as_ref().map(DeliveryId::as_bytes);
        self.rows(SELECT_OF_PERSON, values![person, before, rows_max], delivery)
    }

    /// At most `rows_max` deliveries, newest first: with `person` only theirs, with `recipient`
    /// only those that were charged to it, wherever their person belongs by now.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn deliveries_newest(
        &self,
        person: Option<PersonId>,
        recipient: Option<Recipient>,
        rows_max: u32,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        // As `recipients_text` writes it; a recipient's text has none of LIKE's own signs.
        let charged = recipient.map(|recipient| format!("%\"recipient\":\"{recipient}\"%"));
        self.rows(SELECT_NEWEST, values![person, &charged, rows_max], delivery)
    }

    /// The newest delivery of IDs of `kind` of that dataset to `person` that was to hold the ID
    /// `ordinal`, and of which something is charged: what a range without a validator that begins
    /// behind that ID is compared with.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn delivery_latest(
        &self,
        person: PersonId,
        dataset: i64,
        kind: IdKind,
        ordinal: u64,
    ) -> Result<Option<DeliveryRow>, StoreError> {
        self.row(SELECT_LATEST, values![person, dataset, kind.word(), ordinal], delivery)
    }

    /// The newest delivery of IDs of `kind` of that release to `person`, of which something is
    /// charged.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn delivery_latest_of(
        &self,
        person: PersonId,
        dataset: i64,
        kind: IdKind,
        release: &str,
    ) -> Result<Option<DeliveryRow>, StoreError> {
        self.row(SELECT_LATEST_OF, values![person, dataset, kind.word(), release], delivery)
    }

    /// The deliveries of all downloads of a link, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn deliveries_of_share(&self, share: ShareId) -> Result<Vec<DeliveryRow>, StoreError> {
        self.rows(SELECT_OF_SHARE, values![share], delivery)
    }

    /// As [`Tx::delivery_latest`], within one download of a link.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn delivery_latest_of_download(
        &self,
        download: DownloadId,
        ordinal: u64,
    ) -> Result<Option<DeliveryRow>, StoreError> {
        self.row(SELECT_LATEST_OF_DOWNLOAD, values![download, ordinal], delivery)
    }
}

fn recipients_text(recipients: &[Charged]) -> String {
    serde_json::to_string(recipients).expect("recipients are plain words")
}

fn delivery(row: &Row<'_>) -> Result<DeliveryRow, StoreError> {
    let granted_ids: u64 = row.get(9)?;
    let released_ids: u64 = row.get(10)?;
    let unit: String = row.get(5)?;
    let recipients: String = row.get(11)?;
    let state: String = row.get(13)?;
    Ok(DeliveryRow {
        id: DeliveryId::from_bytes(row.get(0)?),
        person: row.get::<Option<i64>>(1)?.map(PersonId),
        key: row.get::<Option<i64>>(2)?.map(KeyId),
        dataset: row.get(3)?,
        release: row.get(4)?,
        unit: Unit::from_word(&unit)
            .ok_or_else(|| StoreError::Damaged("the unit of a delivery".into()))?,
        view: row.get(6)?,
        first: row.get(7)?,
        end: row.get(8)?,
        charged_ids: granted_ids - released_ids,
        released_ids,
        recipients: serde_json::from_str(&recipients)
            .map_err(|_| StoreError::Damaged("the recipients of a delivery".into()))?,
        profile: row.get(12)?,
        state: match state.as_str() {
            "running" => DeliveryState::Running,
            "complete" => DeliveryState::Complete,
            _ => DeliveryState::Broken,
        },
        reason: row.get(14)?,
        started_ms: row.get(15)?,
        ended_ms: row.get(16)?,
        report: row.get(17)?,
        view_version: row.get(18)?,
        download: row.get::<Option<i64>>(19)?.map(DownloadId),
    })
}
