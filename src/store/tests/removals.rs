//! The rows of removals and views read back as they were written, on every engine, and count only
//! as long as their import does.

use super::fresh::on_every_engine;
use crate::base::delivery::DeliveryId;
use crate::base::gaps::{Gaps, Run};
use crate::base::ids::{ID_MAX, IdKind};
use crate::base::party::{EntityId, PersonId};
use crate::policy::{Basis, Recipient};
use crate::store::{
    Charged, ImportState, NewDelivery, PersonRow, RemovalEventRow, RemovalImportRow, StoreError,
    Tx, ViewChangeRow,
};

fn check(test: impl Fn(&Tx<'_>) -> Result<(), StoreError> + Send + Copy + 'static) {
    on_every_engine(|fresh| fresh.open().write_blocking(move |tx| test(tx)).unwrap());
}

fn import(sha: u8, events: u64) -> RemovalImportRow {
    RemovalImportRow {
        id: 0,
        state: ImportState::Preparing,
        sha256: [sha; 32],
        name: "list.txt".into(),
        reason: "they asked".into(),
        report: "{}".into(),
        events,
        created_ms: 1_000 + i64::from(sha),
        version: None,
        reverted_ms: None,
        reverted_reason: None,
    }
}

fn event(element: u64, aspect: u32, removes: bool) -> RemovalEventRow {
    RemovalEventRow { kind: IdKind::Tweet, element, aspect, removes, at_ms: 7 }
}

#[test]
fn an_import_counts_from_its_commit_to_its_reversal() {
    check(|tx| {
        let row = import(1, 3);
        let id = tx.removal_import_insert(&row)?;
        let events = [event(20, 0, true), event(20, 1, false), event(ID_MAX, 0, true)];
        for row in &events {
            tx.removal_event_insert(id, row)?;
        }
        let about = |tx: &Tx<'_>, except| {
            let mut found = tx.removal_events_about(IdKind::Tweet, &[20, 21, ID_MAX], except)?;
            found.sort_unstable();
            Ok::<_, StoreError>(found)
        };
        assert_eq!(tx.removal_events_count(id)?, 3);
        assert_eq!(about(tx, None)?, [], "it is still being prepared");
        assert_eq!(tx.removal_events_after(IdKind::Tweet, None, 9)?, []);
        assert_eq!(tx.removal_import_same(&[1; 32])?, None);
        assert!(tx.removal_import_enforce(id, 5, "{\"a\":1}")?);
        assert!(!tx.removal_import_enforce(id, 6, "{}")?, "once");
        tx.removal_set_version(5)?;
        assert_eq!((tx.removal_version()?, tx.removal_told_version()?), (5, 0));
        let in_force = RemovalImportRow {
            id,
            state: ImportState::InForce,
            report: "{\"a\":1}".into(),
            version: Some(5),
            ..row
        };
        assert_eq!(tx.removal_import_same(&[1; 32])?, Some(in_force.clone()));
        assert_eq!(about(tx, None)?, events);
        assert_eq!(about(tx, Some(id))?, []);
        assert_eq!(tx.removal_events_about(IdKind::User, &[20], None)?, [], "kinds are apart");
        assert_eq!(tx.removal_events_of(id, IdKind::Tweet, None, 9)?.len(), 3);
        assert_eq!(tx.removal_events_of(id, IdKind::Tweet, Some(20), 9)?, events[2..]);
        assert_eq!(tx.removal_events_after(IdKind::Tweet, Some(20), 9)?, events[2..]);
        tx.removal_import_discard(id)?;
        assert_eq!(tx.removal_events_count(id)?, 3, "what is in force is not discarded");
        assert!(tx.removal_import_revert(id, 9_000, "a mistake")?);
        assert!(!tx.removal_import_revert(id, 9_001, "again")?);
        assert_eq!(about(tx, None)?, []);
        let reverted = RemovalImportRow {
            state: ImportState::Reverted,
            reverted_ms: Some(9_000),
            reverted_reason: Some("a mistake".into()),
            ..in_force
        };
        assert_eq!(tx.removal_imports()?, [reverted]);
        Ok(())
    });
}

#[test]
fn what_was_left_behind_is_found_and_forgotten() {
    check(|tx| {
        let (old, new) =
            (tx.removal_import_insert(&import(1, 1))?, tx.removal_import_insert(&import(9, 1))?);
        tx.removal_event_insert(old, &event(20, 0, true))?;
        let left = tx.removal_imports_left(1_005)?;
        assert_eq!(left.iter().map(|row| row.id).collect::<Vec<_>>(), [old]);
        tx.removal_import_discard(old)?;
        assert_eq!((tx.removal_import(old)?, tx.removal_events_count(old)?), (None, 0));
        assert!(tx.removal_import(new)?.is_some());
        assert_eq!(tx.removal_newest_ms()?, None);
        Ok(())
    });
}

fn gaps(version: i64, first: u64) -> Gaps {
    let run = Run { first, ids: 2, byte: first * 20, bytes: 40 };
    Gaps::of(version, [run])
}

#[test]
fn a_view_reads_back_with_how_it_came_to_be() {
    check(|tx| {
        let release = "a".repeat(64);
        assert_eq!(tx.view_version(&release, IdKind::Tweet)?, 0);
        assert_eq!(tx.view(&release, IdKind::Tweet)?, None);
        for (version, first) in [(3, 10), (4, 20)] {
            tx.view_set(&release, IdKind::Tweet, &gaps(version, first))?;
            let row = ViewChangeRow {
                version,
                release: release.clone(),
                kind: IdKind::Tweet,
                at_ms: version * 100,
                removed: vec![first..first + 2, 90..91],
                restored: vec![0..1, 5..7],
            };
            tx.view_change_insert(&row, &gaps(0, first - 10 + 1))?;
            assert_eq!(tx.view_changes_after(version - 1, version)?, [row]);
        }
        assert_eq!(tx.view(&release, IdKind::Tweet)?, Some(gaps(4, 20)));
        assert_eq!(tx.view_version(&release, IdKind::Tweet)?, 4);
        assert_eq!(tx.view_version(&release, IdKind::User)?, 0);
        assert_eq!(tx.view_removed_ids(&release, IdKind::Tweet)?, 2);
        assert_eq!(tx.views_with_gaps()?, [(release.clone(), IdKind::Tweet, 4)]);
        assert_eq!(tx.view_changes_of(&release, IdKind::Tweet, 3)?.len(), 1);
        assert_eq!(tx.view_then(&release, IdKind::Tweet, 0)?, Some(gaps(0, 1)));
        assert_eq!(tx.view_then(&release, IdKind::Tweet, 3)?, Some(gaps(3, 11)));
        assert_eq!(tx.view_then(&release, IdKind::Tweet, 4)?, None, "it is the present one");
        for version in 5..25 {
            let row = ViewChangeRow {
                version,
                release: release.clone(),
                kind: IdKind::Tweet,
                at_ms: 1,
                removed: Vec::new(),
                restored: Vec::new(),
            };
            tx.view_change_insert(&row, &gaps(0, 5))?;
        }
        assert_eq!(tx.view_then(&release, IdKind::Tweet, 3)?, None, "too long ago");
        assert_eq!(tx.view_then(&release, IdKind::Tweet, 20)?, Some(gaps(20, 5)));
        Ok(())
    });
}

#[test]
fn what_was_sent_of_an_older_view_is_found() {
    check(|tx| {
        let person = tx.person_insert(&PersonRow {
            id: PersonId(0),
            mail: "ada@example.org".into(),
            name: "Ada".into(),
            status: "active".into(),
            status_reason: None,
            created_ms: 5,
            erased_ms: None,
        })?;
        let (release, basis) = ("a".repeat(64), Basis::Limit);
        let recipient = Recipient::Entity(EntityId(1));
        for (started_ms, view_version) in [(1, 0), (2, 3), (3, 4)] {
            tx.delivery_add(&NewDelivery {
                id: DeliveryId::new(started_ms),
                person: Some(person),
                download: None,
                key: None,
                dataset: Some(7),
                release: Some(&release),
                unit: IdKind::Tweet.into(),
                view: "v",
                view_version,
                first: 10,
                end: Some(90),
                granted_ids: 5,
                recipients: &[Charged { recipient, basis, use_case: None }],
                profile: "own",
                started_ms,
                incarnation: 1,
            })?;
        }
        let sent = tx.sent_before(&release, IdKind::Tweet, 4, Some(person))?;
        let seen = sent.iter().map(|row| (row.view_version, row.first, row.end, row.ids));
        assert_eq!(seen.collect::<Vec<_>>(), [(0, 10, 90, 5), (3, 10, 90, 5)]);
        assert_eq!(tx.sent_before(&release, IdKind::Tweet, 4, None)?, sent);
        assert_eq!(tx.sent_before(&release, IdKind::User, 4, None)?, []);
        let nobody = Some(PersonId(77));
        assert_eq!(tx.sent_before(&release, IdKind::Tweet, 4, nobody)?, []);
        Ok(())
    });
}
