//! Objects: a person, a day and an hour, files that are charged whole and fetched again for free.

use super::*;
use crate::base::cases::remembered;
use crate::ledger::objects::{File, FileOrder};
use crate::policy::{Recipient, Unit};
use crate::store::{ExportFileRow, ExportRow, MadeFile};
use proptest::prelude::*;

/// How long a file counts that is settled at the beginning of a minute.
const COUNTED_MS: i64 = 25 * HOUR_MS + MINUTE_MS;

fn file(number: u64, objects: u64) -> File {
    File { number, objects }
}

/// The row of a file that is planned for `person`.
fn planned(tx: &Tx<'_>, person: PersonId) -> Result<ExportFileRow, StoreError> {
    let export = tx.export_insert(&ExportRow {
        id: 0,
        person,
        dataset: 1,
        release: "aa".into(),
        kind: IdKind::Tweet,
        selection: "{}".into(),
        format: "csv".into(),
        ids: 1,
        asked_ms: START_MS,
    })?;
    Ok(ExportFileRow { objects_max: 1, ..ExportFileRow::planned(export, person, START_MS) })
}

/// Makes the file `wanted`, if it is not, and those with lower numbers planned.
fn keep(tx: &Tx<'_>, person: PersonId, wanted: File) -> Result<ExportFileRow, StoreError> {
    let id = wanted.number as i64;
    while tx.export_file(id)?.is_none() {
        tx.export_file_insert(&planned(tx, person)?)?;
    }
    if tx.export_file_ask(id, START_MS)? {
        let taken = tx.export_file_take(START_MS, i64::MAX)?.expect("it was asked for");
        let made = MadeFile {
            id: taken.id,
            attempt: taken.attempt,
            next: None,
            objects: wanted.objects,
            bytes: 1,
            sha256: &[0; 32],
            extension: "zip",
            left_out: "[]",
            removals: tx.removal_version()?,
            made_ms: START_MS,
            kept_until_ms: i64::MAX,
        };
        assert!(tx.export_file_made(&made)?);
    }
    Ok(tx.export_file(id)?.expect("it was made"))
}

impl Rig {
    fn session_of(&self, person: PersonId) -> SessionId {
        let sessions = self.store.read(|tx| tx.sessions()).unwrap();
        let own = sessions.iter().find(|row| row.person == person && row.revoked_ms.is_none());
        own.map_or_else(|| self.session(person, i64::MAX), |row| row.id)
    }

    /// An order for a file as it is now.
    pub(super) fn order(&self, person: PersonId, file: File) -> FileOrder {
        let row = self.write(move |tx| keep(tx, person, file));
        FileOrder {
            person,
            session: self.session_of(person),
            file,
            dataset: 1,
            release: "aa".into(),
            removals: row.removals,
            fetches: row.fetches,
        }
    }

    fn fetch(&self, person: PersonId, file: File) -> Result<Granted<File>, Refusal> {
        let order = self.order(person, file);
        self.wait(self.ledger.admit_file(order)).map_err(refusal)
    }

    /// Hands the file over, or says which word refuses.
    fn hand_over(&self, person: PersonId, file: File) -> Result<(), &'static str> {
        let granted = self.fetch(person, file).map_err(|refusal| refusal.word())?;
        self.ledger.settle(granted);
        self.flush();
        Ok(())
    }

    /// (used, open, remaining) of objects.
    fn objects(&self, person: PersonId) -> (u64, u64, u64) {
        let profile = Arc::clone(self.ledger.profile());
        let usage = self.store.read(|tx| usage(tx, &profile, &self.clock, person, Unit::Objects));
        let usage = usage.unwrap();
        (usage.used_ids, usage.open_ids, usage.remaining_ids.unwrap())
    }
}

#[test]
fn a_person_gets_50_000_objects_in_25_hours_and_not_one_more() {
    let rig = Rig::new();
    let entity = rig.entity();
    let (ada, bo) = (rig.person(&[entity]), rig.person(&[entity]));
    // No exemption enlarges it.
    rig.exempt(entity, START_MS + 30 * DAY_MS);
    assert_eq!(rig.hand_over(ada, file(1, 50_001)), Err("never"));
    assert_eq!(rig.hand_over(ada, file(2, 49_999)), Ok(()));
    assert_eq!(rig.hand_over(ada, file(3, 2)), Err("not-now"));
    assert_eq!(rig.hand_over(ada, file(4, 1)), Ok(()));
    assert_eq!(rig.objects(ada), (50_000, 0, 0));
    assert_eq!(rig.hand_over(bo, file(5, 50_000)), Ok(()), "each person has an allowance");
    assert_eq!(rig.counts(entity), (0, 0, 0), "no ID is charged to the entity");
    rig.clock.advance_ms(COUNTED_MS - 1);
    let fits_at_ms = START_MS + COUNTED_MS;
    let expected = Refusal::NotNow {
        recipient: Recipient::Person(ada),
        requested_ids: 1,
        remaining_ids: 0,
        ceiling_ids: 50_000,
        fits_at_ms,
        retry_at_ms: fits_at_ms,
    };
    assert_eq!(rig.fetch(ada, file(6, 1)).unwrap_err(), expected);
    rig.clock.advance_ms(1);
    assert_eq!(rig.hand_over(ada, file(7, 50_000)), Ok(()));
    rig.verify();
}

#[test]
fn the_later_profile_has_500() {
    let rig = Rig::with_profile(without_documents("x-2025-10"));
    let person = rig.person(&[rig.entity()]);
    assert_eq!(rig.hand_over(person, file(1, 501)), Err("never"));
    assert_eq!(rig.hand_over(person, file(2, 500)), Ok(()));
    assert_eq!(rig.objects(person), (500, 0, 0));
}

#[test]
fn a_file_is_fetched_again_for_free_and_its_date_moves() {
    let rig = Rig::new();
    let person = rig.person(&[rig.entity()]);
    assert_eq!(rig.hand_over(person, file(1, 30_000)), Ok(()));
    rig.clock.advance_ms(20 * HOUR_MS);
    // While it is fetched again it is open, and no longer in its bucket.
    let again = rig.fetch(person, file(1, 30_000)).unwrap();
    assert_eq!(rig.objects(person), (0, 30_000, 20_000));
    rig.ledger.settle(again);
    rig.flush();
    assert_eq!(rig.objects(person), (30_000, 0, 20_000));
    rig.verify();
    rig.clock.advance_ms(20 * HOUR_MS);
    assert_eq!(rig.objects(person), (30_000, 0, 20_000), "its first date has passed");
    rig.clock.advance_ms(5 * HOUR_MS + MINUTE_MS);
    assert_eq!(rig.objects(person), (0, 0, 50_000));
    // Once it does not count any more, it is charged anew, if it fits.
    assert_eq!(rig.hand_over(person, file(2, 20_001)), Ok(()));
    assert_eq!(rig.hand_over(person, file(1, 30_000)), Err("not-now"));
    rig.verify();
}

#[test]
fn a_file_that_is_given_back_counts_where_it_counted_before() {
    let rig = Rig::new();
    let person = rig.person(&[rig.entity()]);
    let granted = rig.fetch(person, file(1, 10)).unwrap();
    assert_eq!(granted.file(), &file(1, 10));
    rig.ledger.release(granted);
    rig.flush();
    assert_eq!(rig.objects(person), (0, 0, 50_000));
    assert_eq!(rig.hand_over(person, file(1, 10)), Ok(()));
    rig.clock.advance_ms(HOUR_MS);
    let again = rig.fetch(person, file(1, 10)).unwrap();
    rig.ledger.release(again);
    rig.flush();
    assert_eq!(rig.objects(person), (10, 0, 49_990));
    rig.clock.advance_ms(COUNTED_MS - HOUR_MS);
    assert_eq!(rig.objects(person), (0, 0, 50_000), "its date has not moved");
    rig.verify();
}

#[test]
fn an_open_file_never_expires_and_the_successor_settles_it() {
    let mut rig = Rig::new();
    let person = rig.person(&[rig.entity()]);
    std::mem::forget(rig.fetch(person, file(1, 50_000)).unwrap());
    rig.clock.advance_ms(100 * DAY_MS);
    assert_eq!(rig.hand_over(person, file(2, 1)), Err("not-now"));
    rig.restart();
    assert_eq!(rig.objects(person), (50_000, 0, 0));
    rig.clock.advance_ms(COUNTED_MS);
    assert_eq!(rig.objects(person), (0, 0, 50_000));
    rig.verify();
}

#[test]
fn who_may_not_receive_gets_no_file_either() {
    let rig = Rig::new();
    let entity = rig.entity();
    let (stranger, person) = (rig.person(&[]), rig.person(&[entity]));
    assert_eq!(rig.hand_over(stranger, file(1, 1)), Err("no-entity"));
    rig.write(move |tx| tx.entity_set_status(entity, "suspended", None));
    assert_eq!(rig.hand_over(person, file(1, 1)), Err("entity-suspended"));
    let refused = rig.journal().iter().filter(|row| row.leaf.contains("objects-refused")).count();
    assert_eq!(refused, 2);
}

#[test]
fn a_confirmation_is_good_for_one_time() {
    let rig = Rig::new();
    let person = rig.person(&[rig.entity()]);
    let order = rig.order(person, file(1, 10));
    let granted = rig.wait(rig.ledger.admit_file(order.clone())).unwrap();
    let delivery = granted.delivery();
    let again = rig.wait(rig.ledger.admit_file(order));
    assert!(matches!(again, Err(Denied::Changed)), "{again:?}");
    rig.ledger.settle(granted);
    rig.ledger.end_file(delivery, Outcome::Complete);
    rig.flush();
    let row = rig.row(delivery);
    assert_eq!((row.unit, row.charged_ids, row.person), (Unit::Objects, 10, Some(person)));
    assert_eq!((row.dataset, row.view.as_str(), row.ended_ms.is_some()), (Some(1), "file-1", true));
    rig.verify();
}

#[test]
fn a_file_that_is_not_known_to_be_clean_of_the_removals_in_force_is_not_handed_over() {
    let rig = Rig::new();
    let person = rig.person(&[rig.entity()]);
    assert_eq!(rig.hand_over(person, file(1, 10)), Ok(()));
    let order = rig.order(person, file(1, 10));
    rig.write(|tx| tx.removal_set_version(1));
    let refused = rig.wait(rig.ledger.admit_file(order.clone()));
    assert!(matches!(refused, Err(Denied::Changed)), "{refused:?}");
    assert_eq!(rig.objects(person), (10, 0, 49_990), "its date has not moved");
    rig.write(|tx| tx.export_file_found_clean(1, 1));
    let granted = rig.wait(rig.ledger.admit_file(order)).unwrap();
    rig.ledger.settle(granted);
    rig.flush();
    rig.write(|tx| tx.export_file_purge(1, "removed", START_MS));
    let refused = rig.wait(rig.ledger.admit_file(rig.order(person, file(1, 10))));
    assert!(matches!(refused, Err(Denied::Changed)), "{refused:?}");
}

#[test]
fn another_persons_file_and_a_session_that_is_over_hand_nothing_over() {
    let rig = Rig::new();
    let entity = rig.entity();
    let (ada, bo) = (rig.person(&[entity]), rig.person(&[entity]));
    let order = rig.order(ada, file(1, 10));
    let session = rig.session_of(bo);
    let theirs = FileOrder { person: bo, session, ..order.clone() };
    let refused = rig.wait(rig.ledger.admit_file(theirs));
    assert!(matches!(refused, Err(Denied::Changed)), "{refused:?}");
    rig.write(move |tx| tx.session_set_revoked(order.session, START_MS));
    let refused = rig.wait(rig.ledger.admit_file(order)).map_err(refusal);
    assert_eq!(refused.unwrap_err().word(), "session-revoked");
    assert_eq!(rig.objects(ada), (0, 0, 50_000));
}

/// What a person does; times are milliseconds.
#[derive(Clone, Copy, Debug)]
enum Step {
    Fetch { number: u64, sends_ms: i64 },
    GiveBack { number: u64 },
    Wait { ms: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..13_u64, 0..2 * HOUR_MS)
            .prop_map(|(number, sends_ms)| Step::Fetch { number, sends_ms }),
        1 => (1..13_u64).prop_map(|number| Step::GiveBack { number }),
        4 => (0..9 * HOUR_MS).prop_map(|ms| Step::Wait { ms }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: Rig::CASES / 2, ..remembered() })]

    /// Days begin at any hour, and the longest, when clocks are put back, has 25.
    #[test]
    fn no_calendar_day_of_any_zone_has_more_than_50_000_objects(
        steps in proptest::collection::vec(step(), 1..80)
    ) {
        let rig = Rig::new();
        let person = rig.person(&[rig.entity()]);
        let objects = |number: u64| 1 + (number - 1) * 2_500;
        // What was on its way from when until when.
        let mut sent: Vec<(u64, i64, i64)> = Vec::new();
        for step in steps {
            match step {
                Step::Fetch { number, sends_ms } => {
                    let Ok(granted) = rig.fetch(person, file(number, objects(number))) else {
                        continue;
                    };
                    let from_ms = rig.clock.now_ms();
                    rig.clock.advance_ms(sends_ms);
                    sent.push((number, from_ms, rig.clock.now_ms()));
                    rig.ledger.settle(granted);
                    rig.flush();
                }
                Step::GiveBack { number } => {
                    if let Ok(granted) = rig.fetch(person, file(number, objects(number))) {
                        rig.ledger.release(granted);
                        rig.flush();
                    }
                }
                Step::Wait { ms } => rig.clock.advance_ms(ms),
            }
            let (used, open, _) = rig.objects(person);
            prop_assert!(used + open <= 50_000);
        }
        rig.verify();
        for &(_, _, day_starts_ms) in &sent {
            let day_ends_ms = day_starts_ms + 25 * HOUR_MS;
            let mut files: Vec<u64> = sent
                .iter()
                .filter(|(_, from, until)| *until >= day_starts_ms && *from < day_ends_ms)
                .map(|(number, _, _)| *number)
                .collect();
            files.sort_unstable();
            files.dedup();
            let received: u64 = files.into_iter().map(objects).sum();
            prop_assert!(received <= 50_000, "{received} objects in one day");
        }
    }
}
