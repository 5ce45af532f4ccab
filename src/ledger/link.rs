//! Whether a peer-review link may hand out, and how much: asked at each chunk anew, so that the end
//! of the link, of the exemption it was made under, or of its maker's or the entity's standing
//! bites at the next one. Who may make a link is `directory`'s business.
//!
//! The link is a recipient of its own: no entity is charged, and what it has handed out counts as
//! long as it lives. Every ID counts each time. Where an exemption has a ceiling, all links under
//! it share that.

use super::charge::{Desk, Entitled, Permit};
use crate::base::ids::IdKind;
use crate::base::party::{DownloadId, ShareId};
use crate::policy::{Basis, LinkEnd, Profile, Recipient, Refusal, document};
use crate::store::{Charged, Door, ShareStandingRow, StoreError, Tx};

/// How many IDs of `kind` the link may hand out in all; or why it hands out nothing.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn link_ceiling(
    tx: &Tx<'_>,
    profile: &Profile,
    share: ShareId,
    kind: IdKind,
    now_ms: i64,
) -> Result<Result<u64, LinkEnd>, StoreError> {
    match tx.share_standing(share, now_ms)? {
        Some(standing) => ceiling(tx, profile, &standing, kind, now_ms),
        None => Ok(Err(LinkEnd::Unknown)),
    }
}

fn ceiling(
    tx: &Tx<'_>,
    profile: &Profile,
    standing: &ShareStandingRow,
    kind: IdKind,
    now_ms: i64,
) -> Result<Result<u64, LinkEnd>, StoreError> {
    let end = if standing.is_revoked {
        LinkEnd::Revoked
    } else if standing.is_published {
        LinkEnd::Published
    } else if standing.expires_ms <= now_ms {
        LinkEnd::Expired
    } else if !standing.maker_is_active || !standing.maker_belongs || standing.door != Door::Open {
        LinkEnd::Maker
    } else {
        let titles = tx.titles(standing.entity, now_ms)?;
        match profile.exemption(kind, standing.exemption, &titles) {
            Some(exempt) => {
                let own = standing.ids_max;
                let Some(ceiling_ids) = exempt.ceiling_ids else { return Ok(Ok(own)) };
                // An exemption that is for so many IDs is for as many by however many links.
                let others = tx.shares_taken_ids(standing.exemption, kind, Some(standing.share))?;
                return Ok(Ok(own.min(ceiling_ids.saturating_sub(others))));
            }
            None => LinkEnd::Unexempt,
        }
    };
    Ok(Err(end))
}

impl Desk<'_> {
    /// The link at which `download` was begun, which is charged alone; or why it hands out nothing.
    pub(super) fn permit_link(
        &self,
        download: DownloadId,
        kind: IdKind,
    ) -> Result<Result<Permit, Refusal>, StoreError> {
        let ended = |how| Ok(Err(Refusal::LinkEnded { how }));
        let Some(standing) = self.tx.share_standing_of(download, self.now_ms)? else {
            return ended(LinkEnd::Unknown);
        };
        match ceiling(self.tx, self.profile(), &standing, kind, self.now_ms)? {
            Ok(ceiling_ids) => {
                let recipient = Recipient::Link(standing.share);
                let basis = Basis::PeerReview(standing.exemption);
                let charged = Charged { recipient, basis, use_case: None };
                let entitled = vec![Entitled { charged, ceiling_ids: Some(ceiling_ids) }];
                Ok(Ok(Permit { person: None, entitled }))
            }
            Err(how) => ended(how),
        }
    }

    /// As [`Desk::permit_link`], where a delivery begins: the address of the download has to be
    /// good, the documents that are in force accepted, and a download that is new one of those that
    /// may begin.
    pub(super) fn permit_link_to_begin(
        &self,
        download: DownloadId,
        kind: IdKind,
    ) -> Result<Result<Permit, Refusal>, StoreError> {
        let permit = match self.permit_link(download, kind)? {
            Ok(permit) => permit,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(row) = self.tx.download(download)?.filter(|row| self.now_ms < row.until_ms) else {
            return Ok(Err(Refusal::LinkEnded { how: LinkEnd::Download }));
        };
        let standing = self.tx.documents_standing(None, self.now_ms)?;
        let documents = document::in_force(&self.profile().documents, &standing.published);
        let missing = document::missing(documents, &row.documents);
        if !missing.is_empty() {
            return Ok(Err(Refusal::DocumentsMissing { missing }));
        }
        if row.begun_ms.is_none() {
            let share = self.tx.share(row.share)?.expect("its standing was found");
            if self.tx.downloads_begun_count(row.share)? >= u64::from(share.downloads_max) {
                return Ok(Err(Refusal::LinkSpent));
            }
        }
        Ok(Ok(permit))
    }
}
