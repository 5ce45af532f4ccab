//! Peer-review links: a recipient of their own, with limits for their whole life, and an end that
//! bites at the next chunk, whatever ends them.

use super::*;
use crate::audit::{Leaf, RecipientName};
use crate::base::party::DownloadId;
use crate::policy::{Basis, Document, LinkEnd, Recipient};
use crate::store::ShareRow;

/// A link of somebody of an exempt entity.
struct Link {
    entity: EntityId,
    maker: PersonId,
    exemption: ExemptionRow,
    share: ShareRow,
}

fn link(rig: &Rig, downloads_max: u32, ids_max: u64) -> Link {
    let entity = rig.entity();
    let maker = rig.person(&[entity]);
    let exemption = rig.exempt(entity, START_MS + 100 * DAY_MS);
    let share = rig.share(entity, maker, exemption.id, downloads_max, ids_max);
    Link { entity, maker, exemption, share }
}

impl Link {
    /// A download that was begun just now.
    fn download(&self, rig: &Rig) -> DownloadId {
        rig.download(self.share.id)
    }

    /// An order of the first `ids` IDs as a part of that download.
    fn order(&self, download: DownloadId, ids: u64) -> Order {
        Order { credential: Some(Credential::Link(download)), ..order(self.maker, ids) }
    }

    fn used(&self, rig: &Rig) -> u64 {
        let profile = Arc::clone(rig.ledger.profile());
        let share = self.share.id;
        let usage = rig.store.read(|tx| usage(tx, &profile, &rig.clock, share, IdKind::Tweet));
        let usage = usage.unwrap();
        usage.used_ids + usage.open_ids
    }
}

fn ended<T>(how: LinkEnd) -> Result<T, Refusal> {
    Err(Refusal::LinkEnded { how })
}

#[test]
fn a_link_is_charged_alone_and_its_leaves_name_nobody() {
    let rig = Rig::new();
    let link = link(&rig, 5, 10_000);
    let download = link.download(&rig);
    let (mut delivery, first) = rig.admit(link.order(download, 100)).unwrap();
    assert!(delivery.has_ceiling());
    assert_eq!(first.chunk().ids(), 10, "whoever has a ceiling gets small chunks");
    rig.ledger.settle(first);
    while let Some(next) = rig.open(&mut delivery).unwrap() {
        rig.ledger.settle(next);
    }
    let id = delivery.id();
    rig.ledger.end(delivery, Outcome::Complete);
    rig.flush();
    assert_eq!((link.used(&rig), rig.counts(link.entity)), (100, (0, 0, 0)));
    let row = rig.row(id);
    assert_eq!((row.person, row.download), (None, Some(download)));
    assert_eq!(row.recipients[0].recipient, Recipient::Link(link.share.id));
    assert_eq!(row.recipients[0].basis, Basis::PeerReview(link.exemption.id));
    let leaves: Vec<Leaf> = rig
        .journal()
        .iter()
        .filter_map(|row| serde_json::from_str(&row.leaf).ok())
        .filter(|leaf| matches!(leaf, Leaf::Opened { .. }))
        .collect();
    assert!(leaves.len() > 1);
    for leaf in leaves {
        let Leaf::Opened { person, charges, .. } = leaf else { unreachable!("those were kept") };
        assert_eq!((person, charges.len()), (None, 1));
        assert_eq!(charges[0].recipient, RecipientName::Link(link.share.id));
        assert_eq!(charges[0].basis, format!("peer-review:{}", link.exemption.id));
    }
    rig.verify();
}

#[test]
fn the_limit_of_ids_holds_for_the_whole_life_of_a_link() {
    let rig = Rig::new();
    let link = link(&rig, 99, 250);
    for _ in 0..2 {
        assert_eq!(rig.deliver(link.order(link.download(&rig), 100)), (100, Ok(())));
        // What has left the window of everybody else still counts here.
        rig.clock.advance_ms(CHARGED_MS);
    }
    rig.verify();
    let (sent, result) = rig.deliver(link.order(link.download(&rig), 100));
    assert_eq!((sent, result.unwrap_err().word()), (0, "not-now"));
    assert_eq!(rig.deliver(link.order(link.download(&rig), 50)), (50, Ok(())));
    let (_, result) = rig.deliver(link.order(link.download(&rig), 1));
    assert_eq!(result.unwrap_err().word(), "not-now");
    let (_, result) = rig.deliver(link.order(link.download(&rig), 251));
    assert_eq!(result.unwrap_err().word(), "never");
    assert_eq!(link.used(&rig), 250);
    rig.verify();
}

#[test]
fn every_id_counts_each_time_at_a_link_whatever_the_profile_counts() {
    let count = crate::policy::Count::Distinct;
    let rig = Rig::with_profile(Profile { count, ..small_profile() });
    let link = link(&rig, 99, 250);
    let download = link.download(&rig);
    for _ in 0..2 {
        assert_eq!(rig.deliver(link.order(download, 100)), (100, Ok(())));
    }
    assert_eq!(rig.deliver(link.order(download, 100)).1.unwrap_err().word(), "not-now");
    assert_eq!(link.used(&rig), 200);
    rig.verify();
}

#[test]
fn as_many_downloads_begin_as_may_and_one_that_has_begun_goes_on() {
    let rig = Rig::new();
    let link = link(&rig, 2, 10_000);
    let downloads: Vec<_> = (0..3).map(|_| link.download(&rig)).collect();
    for download in &downloads[..2] {
        assert_eq!(rig.deliver(link.order(*download, 10)), (10, Ok(())));
    }
    assert_eq!(rig.deliver(link.order(downloads[2], 10)), (0, Err(Refusal::LinkSpent)));
    // The rest of a download that broke off is a part of it.
    assert_eq!(rig.deliver(link.order(downloads[0], 10)), (10, Ok(())));
    rig.clock.advance_ms(DAY_MS);
    assert_eq!(rig.deliver(link.order(downloads[0], 10)), (0, ended(LinkEnd::Download)));
    assert_eq!(link.used(&rig), 30);
    rig.verify();
}

fn update(rig: &Rig, link: &Link, change: fn(&mut ShareRow)) {
    let mut row = link.share.clone();
    change(&mut row);
    rig.write(move |tx| tx.share_update(&row));
}

fn set_status(rig: &Rig, link: &Link, status: &'static str) {
    let maker = link.maker;
    rig.write(move |tx| tx.person_set_status(maker, status, None));
}

#[test]
fn whatever_ends_a_link_ends_its_stream_at_the_next_chunk() {
    type End = fn(&Rig, &Link);
    let cases: [(End, LinkEnd); 9] = [
        (|rig, link| update(rig, link, |row| row.revoked_ms = Some(1)), LinkEnd::Revoked),
        (|rig, link| update(rig, link, |row| row.published_ms = Some(1)), LinkEnd::Published),
        (|rig, link| update(rig, link, |row| row.expires_ms = START_MS), LinkEnd::Expired),
        (|rig, _| rig.clock.advance_ms(90 * DAY_MS), LinkEnd::Expired),
        (|rig, link| rig.revoke(link.exemption.clone()), LinkEnd::Unexempt),
        (|rig, link| set_status(rig, link, "suspended"), LinkEnd::Maker),
        (|rig, link| set_status(rig, link, "erased"), LinkEnd::Maker),
        (
            |rig, link| {
                let (maker, entity) = (link.maker, link.entity);
                rig.write(move |tx| tx.membership_end(maker, entity, START_MS).map(drop));
            },
            LinkEnd::Maker,
        ),
        (
            |rig, link| {
                let entity = link.entity;
                rig.write(move |tx| tx.entity_set_status(entity, "suspended", None));
            },
            LinkEnd::Maker,
        ),
    ];
    for (end, how) in cases {
        let rig = Rig::new();
        let link = link(&rig, 9, 10_000);
        let download = link.download(&rig);
        let (mut delivery, first) = rig.admit(link.order(download, 1_000)).unwrap();
        rig.ledger.settle(first);
        end(&rig, &link);
        assert_eq!(rig.open(&mut delivery).map(drop), ended(how));
        drop(delivery);
        rig.flush();
        assert_eq!(rig.deliver(link.order(download, 10)), (0, ended(how)));
        assert_eq!(link.used(&rig), 10, "{how:?}: nothing more than the first chunk");
        let refused = rig.journal().iter().filter(|row| row.leaf.contains("\"refused\"")).count();
        assert!(refused >= 1, "{how:?}: a refusal is written down");
        rig.verify();
    }
}

#[test]
fn an_exemption_that_follows_does_not_carry_a_link_on_by_itself() {
    let rig = Rig::new();
    let link = link(&rig, 9, 10_000);
    rig.revoke(link.exemption.clone());
    let next = rig.exempt(link.entity, START_MS + 50 * DAY_MS);
    let download = link.download(&rig);
    assert_eq!(rig.deliver(link.order(download, 10)), (0, ended(LinkEnd::Unexempt)));
    let extended = ShareRow { exemption: next.id, ..link.share.clone() };
    rig.write(move |tx| tx.share_update(&extended));
    assert_eq!(rig.deliver(link.order(download, 10)), (10, Ok(())));
}

#[test]
fn where_the_platform_has_to_permit_it_a_link_has_no_more_than_its_exemption() {
    let exemption = crate::policy::ExemptionRule::RegisteredAndPermitted;
    let rig = Rig::with_profile(Profile { exemption, ..small_profile() });
    let link = link(&rig, 9, 10_000);
    let download = link.download(&rig);
    assert_eq!(rig.deliver(link.order(download, 10)), (0, ended(LinkEnd::Unexempt)));
    let row = rig.exempt_up_to(link.entity, START_MS + 50 * DAY_MS, Some(100));
    let permission = rig.permit(link.entity, START_MS + 50 * DAY_MS, None, Some(row.id));
    let under = ShareRow { exemption: row.id, ..link.share.clone() };
    rig.write(move |tx| tx.share_update(&under));
    assert_eq!(rig.deliver(link.order(download, 101)).1.unwrap_err().word(), "never");
    assert_eq!(rig.deliver(link.order(download, 90)), (90, Ok(())));
    rig.withdraw(permission);
    assert_eq!(rig.deliver(link.order(download, 10)), (0, ended(LinkEnd::Unexempt)));
    rig.verify();
}

#[test]
fn all_links_under_an_exemption_share_its_ceiling() {
    let exemption = crate::policy::ExemptionRule::RegisteredAndPermitted;
    let rig = Rig::with_profile(Profile { exemption, ..small_profile() });
    let one = link(&rig, 9, 10_000);
    let row = rig.exempt_up_to(one.entity, START_MS + 50 * DAY_MS, Some(100));
    rig.permit(one.entity, START_MS + 50 * DAY_MS, None, Some(row.id));
    let under = ShareRow { exemption: row.id, ..one.share.clone() };
    rig.write(move |tx| tx.share_update(&under));
    let share = rig.share(one.entity, one.maker, row.id, 9, 10_000);
    let other = Link { share, entity: one.entity, maker: one.maker, exemption: row };
    let (first, second) = (one.download(&rig), other.download(&rig));
    assert_eq!(rig.deliver(one.order(first, 60)), (60, Ok(())));
    assert_eq!(rig.deliver(other.order(second, 41)).1.unwrap_err().word(), "never");
    assert_eq!(rig.deliver(other.order(second, 40)), (40, Ok(())));
    for (link, download) in [(&one, first), (&other, second)] {
        assert_eq!(rig.deliver(link.order(download, 1)).0, 0, "nothing is left for either");
    }
    // Long after the window: a link counts for its whole life.
    rig.clock.advance_ms(CHARGED_MS);
    let third = one.download(&rig);
    assert_eq!(rig.deliver(one.order(third, 1)).0, 0);
    rig.verify();
}

#[test]
fn nothing_begins_at_a_link_without_the_documents_in_force() {
    let documents = vec![Document::of("privacy-policy", "1", "https://a.example").unwrap()];
    let rig = Rig::with_profile(Profile { documents: documents.clone(), ..small_profile() });
    let link = link(&rig, 9, 10_000);
    let refused = Refusal::DocumentsMissing { missing: documents };
    let download = link.download(&rig);
    assert_eq!(rig.deliver(link.order(download, 10)), (0, Err(refused)));
}

#[test]
fn ten_downloads_at_once_stop_exactly_at_the_limit_of_the_link() {
    for (downloads_max, ids_max, expected) in [(99, 350, 3), (4, 10_000, 4)] {
        let rig = Rig::new();
        let link = link(&rig, downloads_max, ids_max);
        let orders: Vec<_> = (0..10).map(|_| link.order(link.download(&rig), 100)).collect();
        let ledger = rig.ledger.clone();
        let admitted = rig.wait(async move {
            let mut under_way = Vec::new();
            for order in orders {
                let ledger = ledger.clone();
                under_way.push(tokio::spawn(async move { ledger.admit(order).await }));
            }
            let mut admitted = Vec::new();
            for one in under_way {
                admitted.extend(one.await.unwrap().ok());
            }
            admitted
        });
        assert_eq!(admitted.len(), expected);
        for (mut delivery, first) in admitted {
            rig.ledger.settle(first);
            while let Some(next) = rig.open(&mut delivery).unwrap() {
                rig.ledger.settle(next);
            }
            rig.ledger.end(delivery, Outcome::Complete);
        }
        rig.flush();
        assert_eq!(link.used(&rig), 100 * expected as u64);
        rig.verify();
    }
}

#[test]
fn what_a_dead_gateway_left_open_counts_at_the_link() {
    let mut rig = Rig::new();
    let link = link(&rig, 9, 100);
    let (delivery, first) = rig.admit(link.order(link.download(&rig), 100)).unwrap();
    std::mem::forget((delivery, first));
    let _dead = rig.restart();
    assert_eq!(link.used(&rig), 10);
    assert_eq!(rig.deliver(link.order(link.download(&rig), 91)).1.unwrap_err().word(), "not-now");
    assert_eq!(rig.deliver(link.order(link.download(&rig), 90)), (90, Ok(())));
    rig.verify();
}
