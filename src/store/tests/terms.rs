//! The rows of documents, exemptions, permissions, notices and profiles read back as they were
//! entered, on every engine.

use super::fresh::on_every_engine;
use crate::base::party::{EntityId, PersonId};
use crate::policy::document::Published;
use crate::policy::{Exempted, Permitted, Titles};
use crate::store::{
    AcceptanceRow, ApplicationRow, DocumentRow, EntityRow, ExemptionRow, MembershipRow, NoticeRow,
    PermissionRow, PersonRow, ProfileRow, StartState, StoreError, Tx,
};

fn check(test: impl Fn(&Tx<'_>) -> Result<(), StoreError> + Send + Copy + 'static) {
    on_every_engine(|fresh| fresh.open().write_blocking(move |tx| test(tx)).unwrap());
}

/// An entity with a person in it.
fn parties(tx: &Tx<'_>) -> Result<(EntityId, PersonId), StoreError> {
    let entity = tx.entity_insert(&EntityRow {
        id: EntityId(0),
        slug: "uni".into(),
        name: "Uni".into(),
        sector: "academic".into(),
        ror: Some("05dxps055".into()),
        status: "active".into(),
        status_reason: None,
        merged_into: None,
        reviewed_ms: None,
        use_case: None,
        created_ms: 1,
    })?;
    let person = tx.person_insert(&PersonRow {
        id: PersonId(0),
        mail: "a@example.org".into(),
        name: "Ada".into(),
        status: "active".into(),
        status_reason: None,
        created_ms: 1,
        erased_ms: None,
    })?;
    let (role, from_ms) = ("member".to_owned(), 1);
    tx.membership_insert(&MembershipRow { person, entity, role, from_ms })?;
    Ok((entity, person))
}

fn exemption(entity: EntityId, person: PersonId) -> ExemptionRow {
    ExemptionRow {
        id: 0,
        entity,
        person,
        purpose: "a study".into(),
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
        application: ApplicationRow {
            role: Some("professor".into()),
            non_commercial: Some(true),
            attestation: Some("2026-11-24".into()),
            attestation_sha256: Some([9; 32]),
            signed_by: Some("Ada Ünïcode".into()),
            signed_ms: Some(3),
            reference: Some("grant 7".into()),
            wanted_from_ms: Some(4),
            wanted_ceiling_ids: Some(5_000),
        },
    }
}

/// Approves it from 10 on, up to so many IDs.
fn approved(
    tx: &Tx<'_>,
    mut row: ExemptionRow,
    ceiling_ids: Option<u64>,
) -> Result<ExemptionRow, StoreError> {
    row.id = tx.exemption_insert(&row)?;
    row.status = "approved".into();
    row.from_ms = Some(10);
    row.decided_ms = Some(9);
    row.conditions = Some("none is passed on".into());
    row.ceiling_ids = ceiling_ids;
    tx.exemption_decide(&row)?;
    Ok(row)
}

fn permission(entity: EntityId, exemption: Option<i64>, until_ms: i64) -> PermissionRow {
    PermissionRow {
        id: 0,
        entity,
        exemption,
        issuer: "the platform".into(),
        reference: "letter 1".into(),
        issued_on: "2026-11-01".into(),
        from_ms: 5,
        until_ms,
        ceiling_ids: Some(3_000_000),
        document_sha256: [7; 32],
        reason: "asked for".into(),
        entered_ms: 4,
        entered_by: "local:ada".into(),
        revoked_ms: None,
        revoked_by: None,
        revoked_reason: None,
    }
}

#[test]
fn an_application_and_what_was_decided_of_it_read_back() {
    check(|tx| {
        let (entity, person) = parties(tx)?;
        let row = approved(tx, exemption(entity, person), Some(4_000))?;
        assert_eq!(tx.exemption_by_id(row.id)?, Some(row.clone()));
        assert_eq!(tx.exemptions()?, [row]);
        Ok(())
    });
}

#[test]
fn of_somebody_erased_no_signature_and_no_notice_stays() {
    check(|tx| {
        let (entity, person) = parties(tx)?;
        let row = approved(tx, exemption(entity, person), None)?;
        tx.permission_insert(&permission(entity, None, 15))?;
        tx.notice_insert(person, "ends", "exemption:1", 5)?;
        tx.texts_replace("platform", |text| Some(text.replace("platform", "(erased)")))?;
        assert_eq!(tx.permissions()?[0].issuer, "the (erased)");
        tx.texts_clear(person, "(erased)")?;
        let said = tx.exemption_by_id(row.id)?.unwrap().application;
        assert_eq!(
            (said.role.as_deref(), said.signed_by.as_deref()),
            (Some("(erased)"), Some("(erased)"))
        );
        assert_eq!(tx.notices_due(99, 10)?, []);
        Ok(())
    });
}

#[test]
fn all_titles_that_hold_are_found_in_one_look_each_once() {
    check(|tx| {
        let (entity, person) = parties(tx)?;
        let first = approved(tx, exemption(entity, person), None)?;
        let second = approved(tx, exemption(entity, person), Some(4_000))?;
        let early = tx.permission_insert(&permission(entity, None, 15))?;
        let late = tx.permission_insert(&permission(entity, Some(second.id), 30))?;
        let revoked = tx.permission_insert(&permission(entity, None, 30))?;
        tx.permission_revoke(revoked, 11, "local:bo", "a mistake")?;
        let permitted = |number, until_ms, exemption| Permitted {
            number,
            ceiling_ids: Some(3_000_000),
            until_ms,
            exemption,
        };
        let both = vec![
            Exempted { number: first.id, ceiling_ids: None, until_ms: 20 },
            Exempted { number: second.id, ceiling_ids: Some(4_000), until_ms: 20 },
        ];
        let late = permitted(late, 30, Some(second.id));
        let early = permitted(early, 15, None);
        for (now_ms, exemptions, permissions) in [
            (4, vec![], vec![]),
            (5, vec![], vec![early, late]),
            (10, both.clone(), vec![early, late]),
            (15, both, vec![late]),
            (20, vec![], vec![late]),
            (30, vec![], vec![]),
        ] {
            let titles = Titles { exemptions, permissions };
            assert_eq!(tx.titles(entity, now_ms)?, titles, "{now_ms}");
            let standing = tx.standing_entities(person, now_ms)?;
            assert_eq!(standing.len(), 1, "{now_ms}");
            assert_eq!(standing[0].titles, titles, "{now_ms}");
        }
        let rows = tx.permissions()?;
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0], PermissionRow { id: rows[0].id, ..permission(entity, None, 15) });
        assert_eq!(rows[2].revoked_reason.as_deref(), Some("a mistake"));
        assert_eq!(tx.permission_by_id(revoked)?.as_ref(), Some(&rows[2]));
        assert_eq!(tx.permission_by_id(99)?, None);
        Ok(())
    });
}

#[test]
fn of_each_document_the_newest_version_in_force_is_found_with_what_was_accepted() {
    check(|tx| {
        let (_, person) = parties(tx)?;
        let row = |name: &str, version: &str, from_ms| DocumentRow {
            published: Published {
                name: name.into(),
                version: version.into(),
                url: "https://a.example/é".into(),
                from_ms,
            },
            published_ms: 2,
            published_by: "local:ada".into(),
        };
        let rows = [row("terms", "1", 5), row("terms", "2", 10), row("policy", "1", 7)];
        for row in &rows {
            tx.document_insert(row)?;
        }
        assert_eq!(tx.documents()?, rows);
        tx.acceptance_insert(&AcceptanceRow {
            person,
            document: "terms".into(),
            version: "1".into(),
            accepted_ms: 3,
            evidence: "paper".into(),
            actor: "local:ada".into(),
        })?;
        for (now_ms, expected) in
            [(4, vec![]), (5, vec![("terms", "1")]), (10, vec![("policy", "1"), ("terms", "2")])]
        {
            let standing = tx.documents_standing(Some(person), now_ms)?;
            let mut found: Vec<_> = standing
                .published
                .iter()
                .map(|published| (published.name.as_str(), published.version.as_str()))
                .collect();
            found.sort_unstable();
            assert_eq!(found, expected, "{now_ms}");
            assert_eq!(standing.accepted, [("terms".to_owned(), "1".to_owned())]);
            assert_eq!(tx.documents_standing(None, now_ms)?.accepted, []);
        }
        Ok(())
    });
}

#[test]
fn a_notice_is_entered_once_and_done_once() {
    check(|tx| {
        let (entity, person) = parties(tx)?;
        let row = approved(tx, exemption(entity, person), None)?;
        let subject = format!("exemption:{}", row.id);
        assert_eq!(tx.exemptions_ending(12, 19, "ends")?, []);
        assert_eq!(tx.exemptions_ending(12, 20, "ends")?, [(row.id, person)]);
        for due_ms in [12, 13] {
            tx.notice_insert(person, "ends", &subject, due_ms)?;
        }
        assert_eq!(tx.exemptions_ending(12, 20, "ends")?, []);
        assert_eq!(tx.notices_due(11, 10)?, []);
        let due = tx.notices_due(12, 10)?;
        let expected = NoticeRow {
            id: due[0].id,
            person,
            kind: "ends".into(),
            subject: subject.clone(),
            due_ms: 12,
            done_ms: None,
        };
        assert_eq!(due, [expected]);
        assert!(tx.notice_done(due[0].id, 14)?);
        assert!(!tx.notice_done(due[0].id, 15)?);
        assert_eq!(tx.notices_due(99, 10)?, []);
        tx.notices_take_back("ends", &subject)?;
        assert_eq!(tx.notices_about(&subject)?[0].done_ms, Some(14), "what was sent stays");
        tx.notice_insert(person, "approved", &subject, 9)?;
        tx.notices_take_back("approved", &subject)?;
        assert_eq!(tx.notices_due(99, 10)?, []);
        Ok(())
    });
}

#[test]
fn an_exemption_that_another_follows_does_not_end() {
    check(|tx| {
        let (entity, person) = parties(tx)?;
        let first = approved(tx, exemption(entity, person), None)?;
        let mut next = ExemptionRow { until_ms: 40, ..exemption(entity, person) };
        next.id = tx.exemption_insert(&next)?;
        assert_eq!(tx.exemptions_ending(12, 20, "ends")?, [(first.id, person)]);
        next.status = "approved".into();
        next.from_ms = Some(20);
        tx.exemption_decide(&next)?;
        assert_eq!(tx.exemptions_ending(12, 20, "ends")?, []);
        Ok(())
    });
}

#[test]
fn a_start_charges_only_under_the_profile_with_which_it_began() {
    on_every_engine(|fresh| {
        let store = fresh.open();
        let row = ProfileRow {
            id: 0,
            name: "own".into(),
            toml: "name = \"own\"".into(),
            sha256: [3; 32],
            since_ms: 5,
            actor: None,
            reason: Some("why".into()),
        };
        store
            .write_blocking(move |tx| {
                assert_eq!(tx.profile_in_force()?, None);
                assert_eq!(tx.journal_begin_ms()?, None);
                let before = tx.incarnation_begin(1)?;
                assert_eq!(tx.incarnation_state(before)?, StartState::Charges);
                tx.profile_insert(&row)?;
                let found = tx.profile_in_force()?.unwrap();
                assert_eq!(found, ProfileRow { id: found.id, ..row.clone() });
                assert_eq!(tx.incarnation_state(before)?, StartState::OtherProfile);
                let after = tx.incarnation_begin(2)?;
                assert_eq!(tx.incarnation_state(before)?, StartState::Ended);
                assert_eq!(tx.incarnation_state(after)?, StartState::Charges);
                tx.profile_insert(&ProfileRow { actor: Some("local:ada".into()), ..row })?;
                assert_eq!(tx.incarnation_state(after)?, StartState::OtherProfile);
                assert_eq!(tx.incarnation_state(99)?, StartState::Ended);
                Ok::<_, StoreError>(())
            })
            .unwrap();
    });
}
