//! The rows of downloads that were begun at peer-review links; nothing of whoever began one is in
//! them.

use crate::base::party::{DownloadId, ShareId};
use crate::policy::document::Accepted;
use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// One download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadRow {
    /// Its number, never used twice.
    pub id: DownloadId,
    /// At which link.
    pub share: ShareId,
    /// SHA-256 of the secret in its address.
    pub hash: [u8; 32],
    /// Which documents were accepted before, in which version.
    pub documents: Vec<Accepted>,
    /// When, in milliseconds UTC.
    pub accepted_ms: i64,
    /// Up to when its address is good, this instant not included, in milliseconds UTC.
    pub until_ms: i64,
    /// When its first ID was charged, in milliseconds UTC; `None`: none was.
    pub begun_ms: Option<i64>,
}

const INSERT: &str = "
    INSERT INTO share_downloads (share_id, hash, documents, accepted_ms, until_ms)
    VALUES (?1, ?2, ?3, ?4, ?5)
    RETURNING id";
const SELECT: &str = "
    SELECT id, share_id, hash, documents, accepted_ms, until_ms, begun_ms FROM share_downloads
    WHERE id = ?1";
const SELECT_BY_HASH: &str = "
    SELECT id, share_id, hash, documents, accepted_ms, until_ms, begun_ms FROM share_downloads
    WHERE hash = ?1";
const SELECT_OF_SHARE: &str = "
    SELECT id, share_id, hash, documents, accepted_ms, until_ms, begun_ms FROM share_downloads
    WHERE share_id = ?1 AND begun_ms IS NOT NULL ORDER BY id";
const COUNT_BEGUN: &str = "
    SELECT count(*) FROM share_downloads WHERE share_id = ?1 AND begun_ms IS NOT NULL";
const COUNT_WAITING: &str = "
    SELECT count(*) FROM share_downloads WHERE share_id = ?1 AND begun_ms IS NULL";
const BEGIN: &str = "UPDATE share_downloads SET begun_ms = ?2 WHERE id = ?1 AND begun_ms IS NULL";
const DELETE_OVER: &str = "DELETE FROM share_downloads WHERE begun_ms IS NULL AND until_ms <= ?1";

impl Tx<'_> {
    /// Adds a download and returns its number; `row.id` and `row.begun_ms` are not looked at.
    ///
    /// # Errors
    /// [`StoreError`] of the insert.
    pub fn download_insert(&self, row: &DownloadRow) -> Result<DownloadId, StoreError> {
        let documents = serde_json::to_string(&row.documents).expect("documents are plain words");
        let values = values![row.share, &row.hash, &documents, row.accepted_ms, row.until_ms];
        Ok(DownloadId(self.one(INSERT, values)?))
    }

    /// The download with that number.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn download(&self, id: DownloadId) -> Result<Option<DownloadRow>, StoreError> {
        self.row(SELECT, values![id], download)
    }

    /// The download whose secret has that SHA-256.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn download_by_hash(&self, hash: &[u8; 32]) -> Result<Option<DownloadRow>, StoreError> {
        self.row(SELECT_BY_HASH, values![hash], download)
    }

    /// The downloads of a link of which something was charged, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn downloads_begun(&self, share: ShareId) -> Result<Vec<DownloadRow>, StoreError> {
        self.rows(SELECT_OF_SHARE, values![share], download)
    }

    /// How many downloads of a link have begun.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn downloads_begun_count(&self, share: ShareId) -> Result<u64, StoreError> {
        self.one(COUNT_BEGUN, values![share])
    }

    /// How many downloads of a link have an address and have not begun.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn downloads_waiting_count(&self, share: ShareId) -> Result<u64, StoreError> {
        self.one(COUNT_WAITING, values![share])
    }

    /// Notes that the first ID of a download is charged, if that is new.
    ///
    /// # Errors
    /// [`StoreError`] of the update.
    pub fn download_begin(&self, id: DownloadId, now_ms: i64) -> Result<(), StoreError> {
        self.write(BEGIN, values![id, now_ms])
    }

    /// Removes the downloads that did not begin in time.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn downloads_remove_over(&self, now_ms: i64) -> Result<(), StoreError> {
        self.write(DELETE_OVER, values![now_ms])
    }
}

fn download(row: &Row<'_>) -> Result<DownloadRow, StoreError> {
    let documents: String = row.get(3)?;
    Ok(DownloadRow {
        id: DownloadId(row.get(0)?),
        share: ShareId(row.get(1)?),
        hash: row.get(2)?,
        documents: serde_json::from_str(&documents)
            .map_err(|_| StoreError::Damaged("the documents of a download".into()))?,
        accepted_ms: row.get(4)?,
        until_ms: row.get(5)?,
        begun_ms: row.get(6)?,
    })
}
