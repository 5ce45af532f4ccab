//! The rows of exports and of their files: what may follow what, on every engine.

use super::fresh::on_every_engine;
use crate::base::ids::IdKind;
use crate::base::party::PersonId;
use crate::store::{
    ExportFileRow, ExportRow, FileState, MadeFile, PersonRow, Store, StoreError, Tx,
};

fn check(test: impl Fn(&Tx<'_>) -> Result<(), StoreError> + Send + Copy + 'static) {
    on_every_engine(|fresh| fresh.open().write_blocking(move |tx| test(tx)).unwrap());
}

fn person(tx: &Tx<'_>, mail: &str) -> Result<PersonId, StoreError> {
    tx.person_insert(&PersonRow {
        id: PersonId(0),
        mail: mail.into(),
        name: "Somebody".into(),
        status: "active".into(),
        status_reason: None,
        created_ms: 1,
        erased_ms: None,
    })
}

fn export(tx: &Tx<'_>, person: PersonId) -> Result<ExportRow, StoreError> {
    let row = ExportRow {
        id: 0,
        person,
        dataset: 3,
        release: "aa".into(),
        kind: IdKind::User,
        selection: "{\"part\":\"all\"}".into(),
        format: "xlsx".into(),
        ids: 1 << 40,
        asked_ms: 5,
    };
    Ok(ExportRow { id: tx.export_insert(&row)?, ..row })
}

fn planned(export: &ExportRow, part: u32) -> ExportFileRow {
    ExportFileRow {
        part,
        objects_max: 100,
        from: (part == 1).then_some(0),
        planned_ms: 7,
        ..ExportFileRow::planned(export.id, export.person, 5)
    }
}

fn made(row: &ExportFileRow, removals: i64) -> MadeFile<'static> {
    MadeFile {
        id: row.id,
        attempt: row.attempt,
        next: Some(90),
        objects: 80,
        bytes: 4_096,
        sha256: &[7; 32],
        extension: "xlsx",
        left_out: "[[\"removed\",10]]",
        removals,
        made_ms: 20,
        kept_until_ms: 100,
    }
}

/// A file that is kept.
fn kept(tx: &Tx<'_>, export: &ExportRow) -> Result<ExportFileRow, StoreError> {
    let id = tx.export_file_insert(&planned(export, 1))?;
    assert!(tx.export_file_ask(id, 9)?);
    let row = tx.export_file_take(10, 20)?.unwrap();
    assert!(tx.export_file_made(&made(&row, tx.removal_version()?))?);
    Ok(tx.export_file(id)?.unwrap())
}

#[test]
fn exports_and_planned_files_read_back_as_they_were_entered() {
    check(|tx| {
        let (ada, bo) = (person(tx, "ada@example.org")?, person(tx, "bo@example.org")?);
        let (one, two, other) = (export(tx, ada)?, export(tx, ada)?, export(tx, bo)?);
        assert_eq!(tx.export(one.id)?, Some(one.clone()));
        assert_eq!(tx.export(99)?, None);
        assert_eq!(tx.exports(Some(ada), 9)?, [two.clone(), one.clone()]);
        assert_eq!(tx.exports(None, 2)?, [other, two]);
        let second = tx.export_file_insert(&planned(&one, 2))?;
        let first = tx.export_file_insert(&planned(&one, 1))?;
        let (first, second) = (
            ExportFileRow { id: first, ..planned(&one, 1) },
            ExportFileRow { id: second, ..planned(&one, 2) },
        );
        assert_eq!(tx.export_files_of(one.id)?, [first.clone(), second.clone()]);
        assert_eq!(tx.export_files_of_person(ada)?, [second, first]);
        Ok(())
    });
}

#[test]
fn a_file_goes_from_planned_to_fetched_by_the_newest_attempt_alone() {
    check(|tx| {
        let ada = person(tx, "ada@example.org")?;
        let export = export(tx, ada)?;
        let id = tx.export_file_insert(&planned(&export, 1))?;
        tx.export_file_insert(&planned(&export, 2))?;
        assert!(!tx.export_file_is_wanted(10)?);
        assert_eq!(tx.export_file_take(10, 20)?, None, "nobody has asked");
        assert!(tx.export_file_ask(id, 9)?);
        assert!(!tx.export_file_ask(id, 9)?, "once");
        let first = tx.export_file_take(10, 20)?.unwrap();
        assert_eq!((first.state, first.attempt), (FileState::Running, 1));
        assert_eq!(first.instance.as_deref(), Some(tx.instance()));
        assert_eq!(tx.export_file_under_way(ada)?.map(|row| row.id), Some(id));
        assert!(tx.export_file_renew(id, 1, 30, 44)?);
        assert_eq!(tx.export_file(id)?.unwrap().gathered, 44);
        assert_eq!(tx.export_file_take(29, 40)?, None, "it is somebody's");
        // The first one is silent: a second takes over, and the first finishes nothing.
        let second = tx.export_file_take(30, 40)?.unwrap();
        assert_eq!((second.attempt, second.gathered), (2, 0));
        assert!(!tx.export_file_renew(id, 1, 50, 45)?);
        assert!(!tx.export_file_made(&made(&first, 0))?);
        assert!(!tx.export_file_fail(id, 1, "why", "[]", 31)?);
        assert!(tx.export_file_made(&made(&second, 0))?);
        assert!(tx.export_file_follow(export.id, 2, 90)?);
        assert!(!tx.export_file_follow(export.id, 3, 90)?);
        let row = tx.export_file(id)?.unwrap();
        assert_eq!((row.state, row.objects, row.next), (FileState::Ready, 80, Some(90)));
        assert_eq!((row.bytes, row.sha256), (4_096, Some([7; 32])));
        assert_eq!((row.kept_until_ms, row.extension.as_deref()), (Some(100), Some("xlsx")));
        assert_eq!(tx.export_files_of(export.id)?[1].from, Some(90));
        assert_eq!(tx.export_files_live()?, [id]);
        assert_eq!(tx.export_files_end_after(export.id, 1, "nothing left", 32)?, 1);
        Ok(())
    });
}

#[test]
fn what_a_gateway_was_making_is_let_go() {
    check(|tx| {
        let export = export(tx, person(tx, "ada@example.org")?)?;
        let id = tx.export_file_insert(&planned(&export, 1))?;
        tx.export_file_ask(id, 9)?;
        tx.export_file_take(10, i64::MAX)?.unwrap();
        assert_eq!(tx.export_files_let_go()?, 1);
        assert_eq!(tx.export_files_let_go()?, 0);
        assert_eq!(tx.export_file_take(11, 20)?.unwrap().attempt, 2);
        Ok(())
    });
}

#[test]
fn a_person_has_one_file_made_at_a_time() {
    on_every_engine(|fresh| {
        let store: Store = fresh.open();
        let ids = store.write_blocking(|tx| -> Result<_, StoreError> {
            let export = export(tx, person(tx, "ada@example.org")?)?;
            let one = tx.export_file_insert(&planned(&export, 1))?;
            tx.export_file_ask(one, 9)?;
            Ok((one, tx.export_file_insert(&planned(&export, 2))?))
        });
        let (one, two) = ids.unwrap();
        let refused = store.write_blocking(move |tx| tx.export_file_ask(two, 9));
        assert!(matches!(refused, Err(StoreError::Database(_))), "{refused:?}");
        store.write_blocking(move |tx| tx.export_file_cancel(one, None, 10)).unwrap();
        assert!(store.write_blocking(move |tx| tx.export_file_ask(two, 11)).unwrap());
    });
}

#[test]
fn a_file_is_fetched_once_for_each_time_it_was_shown() {
    check(|tx| {
        let (ada, bo) = (person(tx, "ada@example.org")?, person(tx, "bo@example.org")?);
        let row = kept(tx, &export(tx, ada)?)?;
        let id = row.id;
        for (person, fetches, objects, now_ms) in
            [(bo, 0, 80, 50), (ada, 1, 80, 50), (ada, 0, 79, 50), (ada, 0, 80, 100)]
        {
            assert!(!tx.export_file_fetch(id, person, fetches, objects, now_ms)?);
        }
        assert!(!tx.export_file_may_go_on(id)?, "nobody fetches it");
        assert!(tx.export_file_fetch(id, ada, 0, 80, 50)?);
        assert!(!tx.export_file_fetch(id, ada, 0, 80, 50)?);
        assert!(tx.export_file_may_go_on(id)?);
        assert!(tx.export_file_fetch(id, ada, 1, 80, 50)?);
        assert_eq!(tx.export_file(id)?.unwrap().fetches, 2);
        Ok(())
    });
}

#[test]
fn a_removal_bars_every_file_until_it_is_held_against_it() {
    check(|tx| {
        let ada = person(tx, "ada@example.org")?;
        let export = export(tx, ada)?;
        let (one, two) = (kept(tx, &export)?.id, kept(tx, &export)?.id);
        assert!(tx.export_file_fetch(one, ada, 0, 80, 50)?);
        assert_eq!(tx.export_files_unchecked(0)?, []);
        tx.removal_set_version(1)?;
        assert!(!tx.export_file_may_go_on(one)?);
        assert!(!tx.export_file_fetch(one, ada, 1, 80, 50)?);
        let unchecked = tx.export_files_unchecked(1)?;
        assert_eq!(unchecked.iter().map(|row| row.id).collect::<Vec<_>>(), [one, two]);
        assert!(tx.export_file_found_clean(one, 1)?);
        assert!(!tx.export_file_found_clean(one, 1)?, "it is known");
        assert!(tx.export_file_fetch(one, ada, 1, 80, 50)?);
        assert!(tx.export_file_purge(two, "removed", 60)?);
        assert!(!tx.export_file_purge(two, "removed", 60)?);
        assert!(!tx.export_file_found_clean(two, 1)?, "purged is for good");
        assert_eq!(tx.export_files_live()?, [one]);
        Ok(())
    });
}

#[test]
fn files_end_when_they_were_kept_long_enough_and_with_their_person() {
    check(|tx| {
        let ada = person(tx, "ada@example.org")?;
        let export = export(tx, ada)?;
        let first = kept(tx, &export)?.id;
        assert_eq!(tx.export_files_expire(99)?, 0);
        assert_eq!(tx.export_files_expire(100)?, 1);
        assert_eq!(tx.export_file(first)?.unwrap().state, FileState::Expired);
        let second = kept(tx, &export)?.id;
        tx.export_file_insert(&planned(&export, 2))?;
        assert_eq!(tx.exports_of_use(i64::MAX)?, [export.id]);
        assert_eq!(tx.export_files_purge_of(ada, "erased", 60)?, 2);
        let row = tx.export_file(second)?.unwrap();
        assert_eq!((row.state, row.reason.as_deref()), (FileState::Purged, Some("erased")));
        assert_eq!(tx.exports_of_use(i64::MAX)?, [0_i64; 0]);
        assert_eq!(tx.exports_of_use(59)?, [export.id]);
        Ok(())
    });
}
