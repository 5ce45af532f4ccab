//! The ledger's rows read back as they were written, on every engine; what random sequences of
//! changes do to meters is in `model`.

use super::fresh::{Fresh, on_every_engine};
use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::base::party::{EntityId, KeyId, PersonId};
use crate::policy::time::Wall;
use crate::policy::{Basis, LedgerTime, Recipient};
use crate::store::{Charged, DeliveryState, NewDelivery, PersonRow, Store, StoreError, Tx};

fn person(tx: &Tx<'_>, mail: &str) -> Result<PersonId, StoreError> {
    tx.person_insert(&PersonRow {
        id: PersonId(0),
        mail: mail.into(),
        name: "A Person".into(),
        status: "active".into(),
        status_reason: None,
        created_ms: 1,
        erased_ms: None,
    })
}

fn charged(entity: i64) -> Charged {
    Charged { recipient: Recipient::Entity(EntityId(entity)), basis: Basis::Limit, use_case: None }
}

fn enter(
    tx: &Tx<'_>,
    person: PersonId,
    started_ms: i64,
    end: u64,
) -> Result<DeliveryId, StoreError> {
    let id = DeliveryId::new(started_ms);
    tx.delivery_add(&NewDelivery {
        id,
        person: Some(person),
        key: Some(KeyId(3)),
        download: None,
        dataset: Some(7),
        release: Some(&"a".repeat(64)),
        unit: IdKind::Tweet.into(),
        view: "0",
        view_version: 0,
        first: 10,
        end: Some(end),
        granted_ids: 5,
        recipients: &[charged(1)],
        profile: "own",
        started_ms,
        incarnation: 1,
    })?;
    Ok(id)
}

fn write<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write_blocking(work).unwrap()
}

#[test]
fn a_delivery_reads_back_with_what_happened_to_it() {
    on_every_engine(|fresh| {
        write(&fresh.open(), |tx| {
            let ada = person(tx, "ada@example.org")?;
            let id = enter(tx, ada, 1_000, 90)?;
            tx.delivery_grant(id, 20)?;
            tx.delivery_release(id, 5)?;
            tx.delivery_set_recipients(id, &[charged(1), charged(2)])?;
            let row = tx.delivery(id)?.unwrap();
            assert_eq!((row.charged_ids, row.released_ids), (20, 5));
            assert_eq!(row.recipients, [charged(1), charged(2)]);
            assert_eq!((row.first, row.end, row.key), (10, Some(90), Some(KeyId(3))));
            assert_eq!((row.state, row.ended_ms), (DeliveryState::Running, None));
            tx.delivery_end(id, Some("gone"), 2_000)?;
            tx.delivery_end(id, None, 3_000)?;
            let row = tx.delivery(id)?.unwrap();
            assert_eq!((row.state, row.ended_ms), (DeliveryState::Broken, Some(2_000)));
            assert_eq!(row.reason.as_deref(), Some("gone"));
            Ok(())
        });
    });
}

#[test]
fn deliveries_are_found_newest_first_by_whom_they_belong_to() {
    on_every_engine(|fresh| {
        write(&fresh.open(), |tx| {
            let (ada, bo) = (person(tx, "ada@example.org")?, person(tx, "bo@example.org")?);
            let first = enter(tx, ada, 1_000, 90)?;
            let second = enter(tx, ada, 2_000, 50)?;
            let other = enter(tx, bo, 3_000, 90)?;
            tx.delivery_set_recipients(other, &[charged(12)])?;
            let ids = |rows: Vec<crate::store::DeliveryRow>| -> Vec<DeliveryId> {
                rows.into_iter().map(|row| row.id).collect()
            };
            assert_eq!(ids(tx.deliveries_of(ada, None, 9)?), [second, first]);
            assert_eq!(ids(tx.deliveries_of(ada, Some(second), 9)?), [first]);
            assert_eq!(ids(tx.deliveries_newest(None, None, 2)?), [other, second]);
            assert_eq!(ids(tx.deliveries_newest(Some(ada), None, 1)?), [second]);
            let one = Some(charged(1).recipient);
            assert_eq!(ids(tx.deliveries_newest(None, one, 9)?), [second, first]);
            let latest = |ordinal| tx.delivery_latest(ada, 7, IdKind::Tweet, ordinal);
            assert_eq!(latest(49)?.map(|row| row.id), Some(second));
            assert_eq!(latest(50)?.map(|row| row.id), Some(first));
            assert_eq!(latest(9)?, None);
            // Of what was given back in full nothing is to be continued.
            tx.delivery_release(first, 5)?;
            assert_eq!(latest(50)?, None);
            Ok(())
        });
    });
}

#[test]
fn the_journal_counts_from_one_without_gaps_whatever_fails() {
    on_every_engine(|fresh| {
        let store = fresh.open();
        for fails in [false, true, false, false] {
            let added = store.write_blocking(move |tx| {
                tx.journal_append(5, "{\"a\":\"ü\"}", None)?;
                if fails { Err(StoreError::Stopped) } else { Ok(()) }
            });
            assert_eq!(added.is_err(), fails);
        }
        let rows = store.read(|tx| tx.journal_from(2, 9)).unwrap();
        assert_eq!(rows.iter().map(|row| row.sequence).collect::<Vec<_>>(), [2, 3]);
        assert_eq!((rows[0].at_ms, rows[0].leaf.as_str()), (5, "{\"a\":\"ü\"}"));
        assert_eq!(store.read(|tx| tx.journal_from(1, 1)).unwrap().len(), 1);
    });
}

#[test]
fn each_instance_has_its_own_ledger_time_and_sees_the_others_newest() {
    let time = |time_ms, boot: &str| LedgerTime {
        time_ms,
        anchor_time_ms: 1,
        anchor_wall_ms: 2,
        anchor_boot_ms: 3,
        boot_id: boot.into(),
        wall: Wall::Believed,
        behind_since_ms: Some(time_ms),
    };
    on_every_engine(|fresh| {
        let store = fresh.open();
        assert_eq!(write(&store, |tx| tx.ledger_time()), None);
        write(&store, move |tx| tx.ledger_time_set(&time(100, "left")));
        assert_eq!(write(&store, |tx| tx.ledger_time()), Some(time(100, "left")));
        let back = store.write_blocking(move |tx| tx.ledger_time_set(&time(99, "left")));
        assert!(matches!(back, Err(StoreError::Database(_))), "{back:?}");
        if let Fresh::Server(_) = fresh {
            let other = fresh.try_open("two").unwrap();
            assert_eq!(write(&other, |tx| tx.ledger_time()), None);
            assert_eq!(write(&other, |tx| tx.ledger_time_of_others()), Some(100));
            write(&other, move |tx| tx.ledger_time_set(&time(200, "right")));
            assert_eq!(write(&store, |tx| tx.ledger_time()), Some(time(100, "left")));
            assert_eq!(write(&store, |tx| tx.ledger_time_of_others()), Some(200));
        }
    });
}

#[test]
fn a_start_ends_the_earlier_ones_of_its_instance_only() {
    on_every_engine(|fresh| {
        let store = fresh.open();
        let first = write(&store, |tx| tx.incarnation_begin(5));
        let second = write(&store, |tx| tx.incarnation_begin(6));
        assert!(second > first);
        let runs = |number| write(&store, move |tx| tx.incarnation_runs(number));
        assert_eq!((runs(first), runs(second), runs(99)), (false, true, false));
        if let Fresh::Server(_) = fresh {
            let other = fresh.try_open("two").unwrap();
            let third = write(&other, |tx| tx.incarnation_begin(7));
            assert_eq!((runs(second), runs(third)), (true, true));
        }
    });
}
