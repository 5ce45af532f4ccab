//! Downloads at peer-review links: whoever accepts the terms gets an address that is good for a
//! day. That one begins is noted by the ledger, with its first charge.

use crate::audit::{self, Leaf};
use crate::base::date::DAY_MS;
use crate::base::party::DownloadId;
use crate::directory::Secret;
use crate::policy::document::{self, Accepted};
use crate::policy::{Document, Profile};
use crate::store::{DownloadRow, ShareRow, StoreError, Tx};

/// How long the address of a download is good, in milliseconds.
const GOOD_MS: i64 = DAY_MS;
/// How many addresses of one link may wait for their first byte.
const WAITING_MAX: u64 = 1_000;

/// Why no download is made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoDownload {
    /// These documents have to be accepted first.
    #[error("documents have yet to be accepted")]
    Missing(Vec<Document>),
    /// As many have begun as may.
    #[error("all downloads of the link have begun")]
    Spent,
    /// Too many have an address and have not begun.
    #[error("too many downloads of the link wait")]
    TooMany,
    /// The store could not say or keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The documents that are accepted at a link, in the versions in force.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn documents(tx: &Tx<'_>, profile: &Profile, now_ms: i64) -> Result<Vec<Document>, StoreError> {
    let standing = tx.documents_standing(None, now_ms)?;
    Ok(document::in_force(&profile.documents, &standing.published))
}

/// Makes a download of whoever `accepted` these documents at `share`, with the secret in its
/// address.
///
/// # Errors
/// [`NoDownload`]; then nothing is noted.
pub fn make(
    tx: &Tx<'_>,
    profile: &Profile,
    now_ms: i64,
    share: &ShareRow,
    accepted: &[Accepted],
) -> Result<Secret, NoDownload> {
    let documents = documents(tx, profile, now_ms)?;
    let missing = document::missing(documents.clone(), accepted);
    if !missing.is_empty() {
        return Err(NoDownload::Missing(missing));
    }
    tx.downloads_remove_over(now_ms)?;
    if tx.downloads_begun_count(share.id)? >= u64::from(share.downloads_max) {
        return Err(NoDownload::Spent);
    }
    if tx.downloads_waiting_count(share.id)? >= WAITING_MAX {
        return Err(NoDownload::TooMany);
    }
    let secret = Secret::generate();
    let named = documents.into_iter().map(|document| (document.name.to_owned(), document.version));
    let mut row = DownloadRow {
        id: DownloadId(0),
        share: share.id,
        hash: secret.hash().0,
        documents: named.collect(),
        accepted_ms: now_ms,
        until_ms: now_ms + GOOD_MS,
        begun_ms: None,
    };
    row.id = tx.download_insert(&row)?;
    let named = row.documents.iter().map(|(name, version)| format!("{name}@{version}"));
    let leaf =
        Leaf::ShareTermsAccepted { link: share.id, download: row.id, documents: named.collect() };
    audit::append(tx, now_ms, &leaf)?;
    Ok(secret)
}
