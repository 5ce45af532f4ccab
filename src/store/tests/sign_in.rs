//! The rows of sign-in links, sessions, registrations and letters read back as they were entered,
//! on every engine.

use super::fresh::on_every_engine;
use crate::base::party::{PersonId, SessionId};
use crate::store::{
    LetterRow, PersonRow, RegistrationRow, SessionRow, SignInLinkRow, StoreError, Tx,
};

pub(super) fn check(
    test: impl Fn(&Tx<'_>, PersonId) -> Result<(), StoreError> + Send + Copy + 'static,
) {
    on_every_engine(|fresh| {
        let work = move |tx: &Tx<'_>| {
            let person = tx.person_insert(&PersonRow {
                id: PersonId(0),
                mail: "ada@example.org".into(),
                name: "Ada".into(),
                status: "active".into(),
                status_reason: None,
                created_ms: 1,
                erased_ms: None,
            })?;
            test(tx, person)
        };
        fresh.open().write_blocking(work).unwrap();
    });
}

#[test]
fn links_are_found_by_hash_and_counted_by_person() {
    check(|tx, person| {
        let mut row = SignInLinkRow {
            id: 0,
            person,
            hash: [7; 32],
            created_ms: 10,
            expires_ms: 20,
            used_ms: None,
        };
        row.id = tx.sign_in_link_insert(&row)?;
        assert_eq!(tx.sign_in_link_by_hash(&[7; 32])?.as_ref(), Some(&row));
        assert_eq!(tx.sign_in_link_by_hash(&[8; 32])?, None);
        assert_eq!(
            (tx.sign_in_links_since(person, 9)?, tx.sign_in_links_since(person, 10)?),
            (1, 0)
        );
        tx.sign_in_link_set_used(row.id, 15)?;
        assert_eq!(tx.sign_in_link_by_hash(&[7; 32])?.unwrap().used_ms, Some(15));
        tx.sign_in_links_remove_expired(20)?;
        assert_eq!(tx.sign_in_links_since(person, 0)?, 1);
        tx.sign_in_links_remove_expired(21)?;
        assert_eq!(tx.sign_in_links_since(person, 0)?, 0);
        tx.sign_in_link_insert(&row)?;
        tx.sign_in_links_remove_of(person)?;
        assert_eq!(tx.sign_in_links_since(person, 0)?, 0);
        Ok(())
    });
}

#[test]
fn sessions_are_found_by_their_secret_and_by_the_one_before_it() {
    check(|tx, person| {
        let mut row = SessionRow {
            id: SessionId(0),
            person,
            hash: [1; 32],
            previous_hash: None,
            form_key: [9; 32],
            label: "Firefox on Linux".into(),
            created_ms: 10,
            seen_ms: 11,
            rotated_ms: 12,
            until_ms: 20,
            end_ms: 30,
            revoked_ms: None,
        };
        row.id = tx.session_insert(&row)?;
        assert_eq!(tx.session_by_hash(&[1; 32])?.as_ref(), Some(&row));
        tx.session_set_secret(row.id, &[2; 32], 15)?;
        tx.session_set_seen(row.id, 16, 25)?;
        tx.session_set_revoked(row.id, 17)?;
        let changed = SessionRow {
            hash: [2; 32],
            previous_hash: Some([1; 32]),
            rotated_ms: 15,
            seen_ms: 16,
            until_ms: 25,
            revoked_ms: Some(17),
            ..row
        };
        for hash in [[1; 32], [2; 32]] {
            assert_eq!(tx.session_by_hash(&hash)?.as_ref(), Some(&changed));
        }
        assert_eq!(tx.session_by_id(changed.id)?.as_ref(), Some(&changed));
        tx.sessions_outdate(person)?;
        let outdated = SessionRow { rotated_ms: 0, ..changed.clone() };
        assert_eq!(tx.sessions()?, std::slice::from_ref(&outdated));
        assert_eq!(tx.sessions_of(person)?, [outdated]);
        tx.sessions_remove_ended(25)?;
        assert_eq!(tx.sessions()?.len(), 1);
        tx.sessions_remove_ended(26)?;
        assert_eq!(tx.sessions()?.len(), 0);
        tx.session_insert(&changed)?;
        tx.sessions_remove_of(person)?;
        assert_eq!(tx.sessions()?.len(), 0);
        Ok(())
    });
}

fn registration(mail: &str) -> RegistrationRow {
    RegistrationRow {
        id: 0,
        mail: mail.into(),
        name: "Bel".into(),
        organisation: "Orrin".into(),
        purpose: "a study".into(),
        status: "asked".into(),
        hash: None,
        created_ms: 10,
        expires_ms: 20,
        verified_ms: None,
        decided_ms: None,
        decided_by: None,
        reason: None,
        person: None,
        entity: None,
        proof_hash: Some([5; 32]),
    }
}

fn letter(mail: &str, due_ms: i64) -> LetterRow {
    LetterRow {
        id: 0,
        mail: mail.into(),
        kind: "notice".into(),
        person: None,
        registration: None,
        subject: Some("Ünïcode".into()),
        text: Some("two\nlines".into()),
        created_ms: 10,
        due_ms,
        expires_ms: 50,
        attempts: 0,
    }
}

#[test]
fn registrations_go_with_their_letters() {
    check(|tx, person| {
        let mut row = registration("bel@example.org");
        row.id = tx.registration_insert(&row)?;
        assert_eq!(tx.registration_by_id(row.id)?.as_ref(), Some(&row));
        tx.registration_set_hash(row.id, &[3; 32])?;
        tx.registration_set_verified(row.id, "verified", 15, Some(&[6; 32]))?;
        let verified = tx.registration_by_id(row.id)?.unwrap();
        assert_eq!((verified.proof_hash, verified.verified_ms), (Some([6; 32]), Some(15)));
        row = RegistrationRow {
            status: "assigned".into(),
            hash: Some([3; 32]),
            verified_ms: Some(15),
            decided_ms: Some(16),
            decided_by: Some("local:ada".into()),
            reason: Some("known".into()),
            person: Some(person),
            proof_hash: None,
            ..row
        };
        tx.registration_decide(&row)?;
        assert_eq!(tx.registration_by_hash(&[3; 32])?.as_ref(), Some(&row));
        assert_eq!(tx.registrations()?, [row.clone()]);
        assert_eq!(tx.registrations_of("bel@example.org")?, [row.clone()]);
        let late = tx.registration_insert(&registration("cor@example.org"))?;
        tx.letter_insert(&LetterRow { registration: Some(late), ..letter("cor@example.org", 10) })?;
        tx.registrations_remove_expired(21)?;
        assert_eq!((tx.registrations()?.len(), tx.letters_waiting()?), (1, 0));
        tx.letter_insert(&LetterRow { registration: Some(row.id), ..letter("x@example.org", 10) })?;
        tx.registrations_remove_of("bel@example.org")?;
        assert_eq!((tx.registrations()?.len(), tx.letters_waiting()?), (0, 0));
        Ok(())
    });
}

#[test]
fn the_letter_that_is_due_longest_comes_first() {
    check(|tx, person| {
        let mut early = LetterRow { person: Some(person), ..letter("a@example.org", 11) };
        tx.letter_insert(&letter("b@example.org", 12))?;
        early.id = tx.letter_insert(&early)?;
        assert_eq!(tx.letter_due(10)?, None);
        assert_eq!(tx.letter_due(12)?.as_ref(), Some(&early));
        assert_eq!(tx.letters_waiting_for("a@example.org", 9)?, 1);
        assert_eq!(tx.letters_waiting_for("a@example.org", 10)?, 0);
        tx.letter_set_tried(early.id, 1, 40)?;
        assert_eq!(tx.letter_due(12)?.unwrap().mail, "b@example.org");
        tx.letter_remove(early.id)?;
        assert_eq!(tx.letters_waiting()?, 1);
        tx.letters_remove_expired(49)?;
        assert_eq!(tx.letters_waiting()?, 1);
        tx.letters_remove_expired(50)?;
        assert_eq!(tx.letters_waiting()?, 0);
        Ok(())
    });
}
