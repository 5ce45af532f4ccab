//! The directory's rows read back as they were entered, on every engine.

use super::fresh::on_every_engine;
use crate::base::party::{Credential, EntityId, KeyId, PersonId, SessionId};
use crate::policy::{Exempted, Titles};
use crate::store::{
    AcceptanceRow, ApplicationRow, Door, EntityRow, EntityStandingRow, ExemptionRow, KeyRow,
    MembershipRow, PersonRow, RequestRow, StandingRow, StoreError, Tx,
};

fn entity(slug: &str) -> EntityRow {
    EntityRow {
        id: EntityId(0),
        slug: slug.into(),
        name: "Ünïcode & Söhne 🐦".into(),
        sector: "academic".into(),
        ror: Some("05dxps055".into()),
        status: "active".into(),
        status_reason: None,
        created_ms: 5,
        use_case: None,
        merged_into: None,
        reviewed_ms: None,
    }
}

fn person(mail: &str) -> PersonRow {
    PersonRow {
        id: PersonId(0),
        mail: mail.into(),
        name: "Ada".into(),
        status: "active".into(),
        status_reason: Some(String::new()),
        created_ms: i64::MAX,
        erased_ms: None,
    }
}

fn check(test: impl Fn(&Tx<'_>) -> Result<(), StoreError> + Send + Copy + 'static) {
    on_every_engine(|fresh| fresh.open().write_blocking(move |tx| test(tx)).unwrap());
}

#[test]
fn entities_are_found_by_slug_and_number_and_listed_by_slug() {
    check(|tx| {
        // In the order of bytes, whatever the server's language makes of it.
        for slug in ["b", "a-z", "ab", "a1"] {
            let id = tx.entity_insert(&entity(slug))?;
            let row = EntityRow { id, ..entity(slug) };
            assert_eq!(tx.entity_by_slug(slug)?.as_ref(), Some(&row));
            assert_eq!(tx.entity_by_id(id)?, Some(row));
        }
        let slugs: Vec<_> = tx.entities()?.into_iter().map(|row| row.slug).collect();
        assert_eq!(slugs, ["a-z", "a1", "ab", "b"]);
        let found = tx.entity_by_slug("ab")?.unwrap();
        let status_reason = Some("why".to_owned());
        let found = EntityRow { status: "suspended".into(), status_reason, ..found };
        tx.entity_update(&found)?;
        let changed = tx.entity_by_id(found.id)?.unwrap();
        assert_eq!(
            (changed.status.as_str(), changed.status_reason.as_deref()),
            ("suspended", Some("why"))
        );
        assert_eq!(tx.entity_by_slug("none")?, None);
        assert_eq!(tx.entity_by_id(EntityId(77))?, None);
        Ok(())
    });
}

#[test]
fn people_are_found_by_mail_and_number_and_listed_by_mail() {
    check(|tx| {
        for mail in ["b@example.org", "a.b@example.org", "ab@example.org"] {
            let id = tx.person_insert(&person(mail))?;
            let row = PersonRow { id, ..person(mail) };
            assert_eq!(tx.person_by_mail(mail)?.as_ref(), Some(&row));
            assert_eq!(tx.person_by_id(id)?, Some(row));
        }
        let mails: Vec<_> = tx.people()?.into_iter().map(|row| row.mail).collect();
        assert_eq!(mails, ["a.b@example.org", "ab@example.org", "b@example.org"]);
        let found = tx.person_by_mail("ab@example.org")?.unwrap();
        tx.person_set_status(found.id, "suspended", None)?;
        let changed = tx.person_by_id(found.id)?.unwrap();
        assert_eq!((changed.status.as_str(), changed.status_reason), ("suspended", None));
        Ok(())
    });
}

#[test]
fn keys_and_acceptances_read_back_as_they_were_entered() {
    check(|tx| {
        let person = tx.person_insert(&person("a@example.org"))?;
        let mut row = KeyRow {
            id: KeyId(0),
            person,
            hash: [255; 32],
            label: "läptop".into(),
            scope: "download".into(),
            created_ms: 1,
            expires_ms: 2,
            revoked_ms: None,
            last_used_ms: None,
            reactivated_ms: None,
            successor: None,
        };
        row.id = tx.key_insert(&row)?;
        assert_eq!(tx.key_by_hash(&[255; 32])?.as_ref(), Some(&row));
        assert_eq!(tx.key_by_hash(&[254; 32])?, None);
        tx.key_set_revoked(row.id, 7)?;
        tx.key_set_last_used(row.id, 8)?;
        tx.key_set_reactivated(row.id, 9)?;
        tx.key_set_successor(row.id, KeyId(10), 11)?;
        let changed = KeyRow {
            revoked_ms: Some(7),
            last_used_ms: Some(8),
            reactivated_ms: Some(9),
            successor: Some(KeyId(10)),
            expires_ms: 11,
            ..row
        };
        assert_eq!(tx.key_by_id(changed.id)?.as_ref(), Some(&changed));
        assert_eq!(tx.keys()?, [changed]);

        let accepted = |document: &str, accepted_ms| AcceptanceRow {
            person,
            document: document.into(),
            version: "1".into(),
            accepted_ms,
            evidence: "paper".into(),
            actor: "local:ada".into(),
        };
        for row in [accepted("terms", 5), accepted("privacy", 6), accepted("terms", 9)] {
            tx.acceptance_insert(&row)?;
        }
        let all = tx.acceptances_of(person)?;
        assert_eq!(all, [accepted("privacy", 6), accepted("terms", 5)], "the first date counts");
        Ok(())
    });
}

#[test]
fn a_standing_is_what_memberships_keys_and_exemptions_say_at_the_moment() {
    check(|tx| {
        let (acme, uni) = (tx.entity_insert(&entity("acme"))?, tx.entity_insert(&entity("uni"))?);
        let person = tx.person_insert(&person("a@example.org"))?;
        for entity in [uni, acme] {
            let (role, from_ms) = ("member".to_owned(), 1);
            tx.membership_insert(&MembershipRow { person, entity, role, from_ms })?;
        }
        let belongs = tx.memberships_of_person(person)?;
        assert_eq!(belongs.iter().map(|row| row.entity).collect::<Vec<_>>(), [acme, uni]);
        assert_eq!(tx.memberships_of_entity(uni)?.len(), 1);
        let mut exemption = ExemptionRow {
            id: 0,
            entity: uni,
            person,
            purpose: "peer review".into(),
            status: "applied".into(),
            applied_ms: 3,
            decided_ms: None,
            decided_by: None,
            reason: None,
            from_ms: None,
            until_ms: 20,
            revoked_ms: None,
            revoked_by: None,
            revoked_reason: None,
            conditions: None,
            ceiling_ids: None,
            application: ApplicationRow::default(),
        };
        exemption.id = tx.exemption_insert(&exemption)?;
        assert_eq!(tx.exemption_by_id(exemption.id)?.as_ref(), Some(&exemption));
        exemption.status = "approved".into();
        exemption.from_ms = Some(10);
        tx.exemption_decide(&exemption)?;
        assert_eq!(tx.exemptions()?, [exemption.clone()]);
        let exempted = Exempted { number: exemption.id, ceiling_ids: None, until_ms: 20 };
        for (now_ms, exemptions) in [(9, vec![]), (10, vec![exempted]), (20, vec![])] {
            let titles = Titles { exemptions, permissions: Vec::new() };
            assert_eq!(tx.titles(uni, now_ms)?, titles, "{now_ms}");
            let standing = |entity, titles| EntityStandingRow {
                entity,
                door: Door::Open,
                use_case: None,
                titles,
            };
            let expected = [standing(acme, Titles::default()), standing(uni, titles)];
            assert_eq!(tx.standing_entities(person, now_ms)?, expected, "{now_ms}");
        }
        let standing = StandingRow {
            person_is_active: true,
            credential_until_ms: None,
            credential_is_revoked: false,
            commitment: tx.standing(person, None)?.unwrap().commitment,
        };
        assert_eq!(tx.standing(person, None)?, Some(standing));
        for unknown in [Credential::Key(KeyId(9)), Credential::Session(SessionId(9))] {
            assert_eq!(tx.standing(person, Some(unknown))?, Some(standing));
        }
        assert_eq!(tx.standing(PersonId(99), None)?, None);
        Ok(())
    });
}

#[test]
fn a_person_has_one_rank_or_none() {
    check(|tx| {
        let id = tx.person_insert(&person("a@example.org"))?;
        assert_eq!(tx.staff_rank(id)?, None);
        assert!(!tx.staff_dismiss(id)?);
        for rank in ["operator", "auditor"] {
            tx.staff_appoint(id, rank, 7, "local:ada")?;
            assert_eq!(tx.staff_rank(id)?.as_deref(), Some(rank));
        }
        assert!(tx.staff_dismiss(id)?);
        assert_eq!(tx.staff_rank(id)?, None);
        Ok(())
    });
}

#[test]
fn a_request_is_found_by_actor_and_name_until_it_is_forgotten() {
    check(|tx| {
        let row = RequestRow {
            actor: "person:7".into(),
            name: "Änderung 1".into(),
            sha256: [7; 32],
            answer: "{}".into(),
            at_ms: 5,
        };
        tx.request_insert(&row)?;
        assert_eq!(tx.request("person:7", "Änderung 1")?.as_ref(), Some(&row));
        assert_eq!(tx.request("person:8", "Änderung 1")?, None);
        tx.requests_forget(5)?;
        assert_eq!(tx.request("person:7", "Änderung 1")?, Some(row));
        tx.requests_forget(6)?;
        assert_eq!(tx.request("person:7", "Änderung 1")?, None);
        Ok(())
    });
}
