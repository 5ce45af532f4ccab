//! Peer-review links and their downloads read back as they were entered, and what holds for one is
//! told with it, on every engine.

use super::fresh::on_every_engine;
use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::base::party::{DownloadId, EntityId, PersonId, ShareId};
use crate::policy::{Basis, Recipient};
use crate::store::{
    ApplicationRow, Charged, Door, DownloadRow, EntityRow, ExemptionRow, MembershipRow,
    NewDelivery, PersonRow, ShareRow, StoreError, Tx,
};

fn check(test: impl Fn(&Tx<'_>) -> Result<(), StoreError> + Send + Copy + 'static) {
    on_every_engine(|fresh| fresh.open().write_blocking(move |tx| test(tx)).unwrap());
}

/// A link of Ada at the university, made under an exemption.
fn share(tx: &Tx<'_>) -> Result<ShareRow, StoreError> {
    let entity = tx.entity_insert(&EntityRow {
        id: EntityId(0),
        slug: "uni".into(),
        name: "Uni".into(),
        sector: "academic".into(),
        ror: None,
        status: "active".into(),
        status_reason: None,
        created_ms: 5,
        use_case: None,
        merged_into: None,
        reviewed_ms: None,
    })?;
    let person = tx.person_insert(&PersonRow {
        id: PersonId(0),
        mail: "ada@uni.example".into(),
        name: "Ada Example".into(),
        status: "active".into(),
        status_reason: None,
        created_ms: 5,
        erased_ms: None,
    })?;
    tx.membership_insert(&MembershipRow { person, entity, role: "member".into(), from_ms: 5 })?;
    let exemption = tx.exemption_insert(&ExemptionRow {
        id: 0,
        entity,
        person,
        purpose: "peer review".into(),
        status: "applied".into(),
        applied_ms: 5,
        decided_ms: None,
        decided_by: None,
        reason: None,
        from_ms: None,
        until_ms: 100,
        revoked_ms: None,
        revoked_by: None,
        revoked_reason: None,
        conditions: None,
        ceiling_ids: None,
        application: ApplicationRow::default(),
    })?;
    let mut row = ShareRow {
        id: ShareId(0),
        hash: [7; 32],
        person,
        entity,
        exemption,
        dataset: 3,
        release: "r".into(),
        kind: IdKind::User,
        first: 10,
        end: 30,
        purpose: "peer-review".into(),
        face: "blind".into(),
        label: "paper of Ada Example".into(),
        note: "two reviewers".into(),
        passphrase: Some("$argon2id$…".into()),
        attempts: 0,
        attempt_after_ms: 0,
        tag_key: [9; 32],
        downloads_max: 2,
        ids_max: 40,
        created_ms: 5,
        expires_ms: 100,
        revoked_ms: None,
        published_ms: None,
    };
    row.id = tx.share_insert(&row)?;
    Ok(row)
}

fn download(share: ShareId, hash: u8) -> DownloadRow {
    DownloadRow {
        id: DownloadId(0),
        share,
        hash: [hash; 32],
        documents: vec![("terms-of-service".into(), "2020-01-01".into())],
        accepted_ms: 10,
        until_ms: 50,
        begun_ms: None,
    }
}

#[test]
fn a_link_reads_back_as_it_was_made_and_as_it_was_changed() {
    check(|tx| {
        let mut row = share(tx)?;
        assert_eq!(tx.share(row.id)?, Some(row.clone()));
        assert_eq!(tx.share_by_hash(&[7; 32])?, Some(row.clone()));
        assert_eq!(tx.share_by_hash(&[8; 32])?, None);
        assert_eq!(tx.shares(None)?, [row.clone()]);
        assert_eq!(tx.shares(Some(PersonId(row.person.0 + 1)))?, []);
        (row.expires_ms, row.revoked_ms, row.published_ms) = (200, Some(60), Some(50));
        tx.share_update(&row)?;
        (row.attempts, row.attempt_after_ms) = (3, 77);
        tx.share_set_attempts(row.id, 3, 77)?;
        assert_eq!(tx.shares(Some(row.person))?, [row.clone()]);
        tx.shares_clear_texts(row.person, "(erased)")?;
        let cleared = tx.share(row.id)?.unwrap();
        assert_eq!((cleared.label.as_str(), cleared.note.as_str()), ("(erased)", ""));
        Ok(())
    });
}

#[test]
fn what_holds_for_a_link_is_told_with_it() {
    check(|tx| {
        let row = share(tx)?;
        let standing = tx.share_standing(row.id, 10)?.unwrap();
        assert_eq!((standing.share, standing.entity), (row.id, row.entity));
        assert_eq!((standing.downloads_max, standing.ids_max), (2, 40));
        assert!(standing.maker_is_active && standing.maker_belongs);
        assert!(!standing.is_revoked && !standing.is_published);
        assert_eq!(standing.door, Door::Open);
        let id = tx.download_insert(&download(row.id, 1))?;
        assert_eq!(tx.share_standing_of(id, 10)?, Some(standing));
        tx.membership_end(row.person, row.entity, 20)?;
        assert!(tx.share_standing(row.id, 19)?.unwrap().maker_belongs);
        assert!(!tx.share_standing(row.id, 20)?.unwrap().maker_belongs);
        tx.person_set_status(row.person, "suspended", None)?;
        assert!(!tx.share_standing(row.id, 10)?.unwrap().maker_is_active);
        assert_eq!(tx.share_standing(ShareId(99), 10)?, None);
        assert_eq!(tx.share_standing_of(DownloadId(99), 10)?, None);
        Ok(())
    });
}

#[test]
fn a_download_begins_once_and_is_forgotten_if_it_never_does() {
    check(|tx| {
        let share = share(tx)?.id;
        let mut row = download(share, 1);
        row.id = tx.download_insert(&row)?;
        let idle = tx.download_insert(&download(share, 2))?;
        assert_eq!(tx.download(row.id)?, Some(row.clone()));
        assert_eq!(tx.download_by_hash(&[1; 32])?, Some(row.clone()));
        assert_eq!((tx.downloads_begun_count(share)?, tx.downloads_waiting_count(share)?), (0, 2));
        tx.download_begin(row.id, 20)?;
        tx.download_begin(row.id, 30)?;
        row.begun_ms = Some(20);
        assert_eq!(tx.downloads_begun(share)?, [row.clone()]);
        assert_eq!((tx.downloads_begun_count(share)?, tx.downloads_waiting_count(share)?), (1, 1));
        tx.downloads_remove_over(49)?;
        assert!(tx.download(idle)?.is_some());
        tx.downloads_remove_over(50)?;
        assert_eq!((tx.download(idle)?, tx.download(row.id)?), (None, Some(row)));
        Ok(())
    });
}

#[test]
fn a_delivery_of_a_link_has_its_download_and_nobody_who_asked() {
    check(|tx| {
        let row = share(tx)?;
        let download = tx.download_insert(&download(row.id, 1))?;
        let recipient = Recipient::Link(row.id);
        let charged = Charged { recipient, basis: Basis::PeerReview(1), use_case: None };
        let ids = [1, 2].map(DeliveryId::new);
        for id in ids {
            tx.delivery_add(&NewDelivery {
                id,
                person: None,
                key: None,
                download: Some(download),
                dataset: Some(3),
                release: Some("r"),
                unit: IdKind::User.into(),
                view_version: 0,
                view: "v",
                first: 10,
                end: Some(20),
                granted_ids: 5,
                recipients: &[charged],
                profile: "own",
                started_ms: 20,
                incarnation: 1,
            })?;
        }
        let all = tx.deliveries_of_share(row.id)?;
        assert_eq!(all.iter().map(|row| row.id).collect::<Vec<_>>(), ids);
        assert_eq!((all[0].person, all[0].download), (None, Some(download)));
        assert_eq!(all[0].recipients, [charged]);
        assert_eq!(tx.delivery_latest_of_download(download, 19)?.map(|row| row.id), Some(ids[1]));
        assert_eq!(tx.delivery_latest_of_download(download, 20)?, None);
        assert_eq!(tx.delivery_latest_of_download(DownloadId(99), 19)?, None);
        assert_eq!(tx.deliveries_newest(None, Some(recipient), 9)?.len(), 2);
        let meter = tx.meter(recipient, IdKind::User)?;
        assert_eq!(tx.meter_find(recipient, IdKind::User)?, Some(meter));
        Ok(())
    });
}
