//! The rows of identities and of proofs of them read back as they were entered, on every engine.

use super::sign_in::check;
use crate::base::party::PersonId;
use crate::store::{IdentityProofRow, IdentityRow, RegistrationRow, ShownIdentity};

#[test]
fn an_identity_stays_the_person_that_it_was_linked_to() {
    check(|tx, person| {
        let row = IdentityRow {
            issuer: "https://id.example".into(),
            subject: "ada".into(),
            person,
            claims: "{}".into(),
            linked_ms: 1,
            seen_ms: 1,
        };
        tx.identity_link(&row)?;
        let again = IdentityRow { person: PersonId(99), linked_ms: 9, seen_ms: 9, ..row.clone() };
        tx.identity_link(&again)?;
        let kept = IdentityRow { seen_ms: 9, ..row };
        assert_eq!(tx.identity("https://id.example", "ada")?.as_ref(), Some(&kept));
        assert_eq!(tx.identity("https://id.example", "bel")?, None);
        assert_eq!(tx.identities_of(person)?, [kept]);
        tx.identity_unlink("https://id.example", "bel")?;
        assert_eq!(tx.identities_of(person)?.len(), 1);
        tx.identity_unlink("https://id.example", "ada")?;
        assert_eq!(tx.identities_of(person)?, []);
        tx.identity_link(&IdentityRow { person, ..again })?;
        tx.identities_remove_of(person)?;
        assert_eq!(tx.identities_of(person)?, []);
        Ok(())
    });
}

fn proof(number: u8) -> IdentityProofRow {
    IdentityProofRow {
        hash: [number; 32],
        shown: Some(ShownIdentity {
            issuer: "https://id.example".into(),
            subject: format!("subject {number}"),
            claims: "{}".into(),
            name: Some("Ada".into()),
            mail: None,
        }),
        proved_ms: 10,
        expires_ms: 20,
    }
}

#[test]
fn a_proof_is_taken_once_and_says_nothing_more_when_it_has_served() {
    check(|tx, _| {
        assert!(tx.identity_proof_insert(&proof(1))?);
        assert!(!tx.identity_proof_insert(&IdentityProofRow { shown: None, ..proof(1) })?);
        assert_eq!(tx.identity_proof(&[1; 32])?, Some(proof(1)));
        assert_eq!(tx.identity_proof(&[2; 32])?, None);
        tx.identity_proof_set_expires(&[1; 32], 30)?;
        tx.identity_proof_clear(&[1; 32])?;
        let served = IdentityProofRow { shown: None, expires_ms: 30, ..proof(1) };
        assert_eq!(tx.identity_proof(&[1; 32])?, Some(served));
        assert!(!tx.identity_proof_insert(&proof(1))?);
        assert_eq!(tx.identity_proofs_remove_expired(30)?, 0);
        assert_eq!(tx.identity_proofs_remove_expired(31)?, 1);
        Ok(())
    });
}

#[test]
fn a_proof_waits_with_its_registration_and_goes_with_its_person() {
    check(|tx, person| {
        for number in 1..=4 {
            tx.identity_proof_insert(&proof(number))?;
        }
        let mail = "ada@example.org";
        let shown = proof(5).shown.map(|shown| ShownIdentity { mail: Some(mail.into()), ..shown });
        tx.identity_proof_insert(&IdentityProofRow { shown, ..proof(5) })?;
        tx.registration_insert(&RegistrationRow {
            id: 0,
            mail: mail.into(),
            name: "Ada".into(),
            organisation: "Orrin".into(),
            purpose: "a study".into(),
            status: "verified".into(),
            hash: None,
            created_ms: 10,
            expires_ms: 20,
            verified_ms: None,
            decided_ms: None,
            decided_by: None,
            reason: None,
            person: None,
            entity: None,
            proof_hash: Some([2; 32]),
        })?;
        tx.identity_link(&IdentityRow {
            issuer: "https://id.example".into(),
            subject: "subject 3".into(),
            person,
            claims: "{}".into(),
            linked_ms: 1,
            seen_ms: 1,
        })?;
        // 2 by its registration, 3 by the identity, 5 by its address.
        tx.identity_proofs_remove_of(person, mail)?;
        for (number, is_left) in [(1, true), (2, false), (3, false), (4, true), (5, false)] {
            assert_eq!(tx.identity_proof(&[number; 32])?.is_some(), is_left, "{number}");
        }
        tx.identity_proof_insert(&proof(2))?;
        assert_eq!(tx.identity_proofs_remove_expired(99)?, 2);
        assert!(tx.identity_proof(&[2; 32])?.is_some(), "an operator has not decided yet");
        Ok(())
    });
}
