//! What entities and people are beyond their names reads back as it was entered, and what is
//! erased is in no row, on every engine.

use super::fresh::on_every_engine;
use crate::base::commitment::Salt;
use crate::base::delivery::DeliveryId;
use crate::base::ids::IdKind;
use crate::base::party::{EntityId, KeyId, PersonId};
use crate::policy::{Basis, Recipient, Unit};
use crate::store::{
    AcceptanceRow, Charged, Consent, Door, EntityMarkRow, EntityRow, InvitationRow, JoinRow,
    KeyRow, MarkKind, MembershipRow, NewDataset, NewDelivery, PersonRow, ReasonRow, StoreError, Tx,
    UseCaseRow, Visibility,
};

fn check(test: impl Fn(&Tx<'_>) -> Result<(), StoreError> + Send + Copy + 'static) {
    on_every_engine(|fresh| fresh.open().write_blocking(move |tx| test(tx)).unwrap());
}

fn entity(tx: &Tx<'_>, slug: &str) -> Result<EntityRow, StoreError> {
    let mut row = EntityRow {
        id: EntityId(0),
        slug: slug.into(),
        name: slug.into(),
        sector: "academic".into(),
        ror: None,
        status: "active".into(),
        status_reason: None,
        created_ms: 5,
        use_case: None,
        merged_into: None,
        reviewed_ms: None,
    };
    row.id = tx.entity_insert(&row)?;
    Ok(row)
}

fn person(tx: &Tx<'_>, mail: &str) -> Result<PersonRow, StoreError> {
    let mut row = PersonRow {
        id: PersonId(0),
        mail: mail.into(),
        name: "Ada Example".into(),
        status: "active".into(),
        status_reason: None,
        created_ms: 5,
        erased_ms: None,
    };
    row.id = tx.person_insert(&row)?;
    Ok(row)
}

#[test]
fn everything_about_an_entity_may_change_but_its_number_and_short_name() {
    check(|tx| {
        let (uni, target) = (entity(tx, "uni")?, entity(tx, "target")?);
        let changed = EntityRow {
            name: "Ünïversity".into(),
            sector: "government".into(),
            ror: Some("05dxps055".into()),
            status: "merged".into(),
            status_reason: Some("why".into()),
            use_case: Some(3),
            merged_into: Some(target.id),
            reviewed_ms: Some(9),
            ..uni
        };
        tx.entity_update(&changed)?;
        assert_eq!(tx.entity_by_id(changed.id)?, Some(changed));
        Ok(())
    });
}

#[test]
fn marks_and_use_cases_read_back_and_a_mark_is_had_once() {
    check(|tx| {
        let entity = entity(tx, "uni")?.id;
        let mark = |kind, mark: &str| EntityMarkRow { entity, kind, mark: mark.into() };
        let marks = [
            mark(MarkKind::Alias, "Ünï"),
            mark(MarkKind::Domain, "a.example"),
            mark(MarkKind::Domain, "b.example"),
        ];
        for mark in marks.iter().rev().chain(&marks) {
            tx.entity_mark_insert(mark)?;
        }
        assert_eq!(tx.entity_marks_of(entity)?, marks);
        assert_eq!(tx.entity_marks()?, marks);
        assert!(tx.entity_mark_remove(&marks[1])?);
        assert!(!tx.entity_mark_remove(&marks[1])?);

        let mut row = UseCaseRow {
            entity,
            version: 1,
            purpose: "rumours".into(),
            status: "proposed".into(),
            proposed_ms: 6,
            proposed_by: "local:ada".into(),
            decided_ms: None,
            decided_by: None,
            reason: None,
        };
        tx.use_case_set(&row)?;
        row.status = "approved".into();
        (row.decided_ms, row.decided_by) = (Some(7), Some("person:3".into()));
        row.reason = Some("fine".into());
        tx.use_case_set(&row)?;
        assert_eq!(tx.use_cases_of(entity)?, std::slice::from_ref(&row));
        assert_eq!(tx.use_cases()?, [row]);
        Ok(())
    });
}

#[test]
fn joins_and_invitations_read_back_until_they_are_removed() {
    check(|tx| {
        let (entity, person) = (entity(tx, "uni")?.id, person(tx, "ada@example.org")?.id);
        let mut row = JoinRow {
            id: 0,
            person,
            entity,
            role: "manager".into(),
            proposed_ms: 6,
            proposed_by: "local:ada".into(),
            of_person: None,
            of_entity: None,
            ended_ms: None,
            outcome: None,
            reason: None,
        };
        row.id = tx.join_insert(&row)?;
        assert_eq!(tx.join_by_id(row.id)?.as_ref(), Some(&row));
        let (at_ms, by) = (7, "local:ada".to_owned());
        row.of_person = Some(Consent { at_ms, by, evidence: Some("binder 7".into()) });
        tx.join_update(&row)?;
        assert_eq!(tx.joins_waiting()?, std::slice::from_ref(&row));
        let (at_ms, by) = (8, "person:1".to_owned());
        row.of_entity = Some(Consent { at_ms, by, evidence: None });
        (row.ended_ms, row.outcome) = (Some(8), Some("joined".into()));
        row.reason = Some("so".into());
        tx.join_update(&row)?;
        assert_eq!(tx.joins_waiting()?, []);
        assert_eq!(tx.joins_of_person(person)?, std::slice::from_ref(&row));
        assert_eq!(tx.joins_remove_ended(8)?, 0);
        assert_eq!(tx.joins_remove_ended(9)?, 1);
        tx.join_insert(&row)?;
        tx.joins_remove_of_person(person)?;
        assert_eq!(tx.joins_of_person(person)?, []);

        let invited = |tx: &Tx<'_>, mail: &str, invited_ms| {
            let (mail, name, invited_by) = (mail.into(), "Bob".into(), "person:1".into());
            let mut row = InvitationRow { id: 0, entity, mail, name, invited_ms, invited_by };
            row.id = tx.invitation_insert(&row)?;
            Ok::<_, StoreError>(row)
        };
        let first = invited(tx, "b@example.org", 5)?;
        let second = invited(tx, "c@example.org", 9)?;
        assert_eq!(tx.invitations()?, [first.clone(), second.clone()]);
        assert_eq!(tx.invitations_to("c@example.org")?, std::slice::from_ref(&second));
        assert_eq!(tx.invitation_by_id(first.id)?, Some(first));
        assert_eq!(tx.invitations_remove_old(9)?, 1);
        tx.invitations_remove_to("b@example.org")?;
        tx.invitation_remove(second.id)?;
        assert_eq!(tx.invitations()?, []);
        Ok(())
    });
}

#[test]
fn a_reason_loses_its_salt_with_a_word_that_is_taken_out_of_it() {
    check(|tx| {
        let salts = [Salt::generate(), Salt::generate()];
        for (salt, reason) in salts.iter().zip(["asked by Ada", "a letter"]) {
            tx.journal_append(5, "{}", None)?;
            tx.reason_insert(salt, reason)?;
            assert_eq!(tx.journal_row(1)?.map(|row| row.leaf), Some("{}".into()));
        }
        let row =
            |sequence, salt, reason: &str| ReasonRow { sequence, salt, reason: reason.into() };
        let [first, second] = salts;
        let both = [row(1, Some(first), "asked by Ada"), row(2, Some(second), "a letter")];
        assert_eq!(tx.reasons()?, both);
        tx.texts_replace("ada", |text| Some(text.replace("Ada", "?")))?;
        let both = [row(1, None, "asked by ?"), row(2, Some(second), "a letter")];
        assert_eq!(tx.reasons()?, both);
        Ok(())
    });
}

#[test]
fn who_left_comes_back_and_what_was_stays_known() {
    check(|tx| {
        let (entity, person) = (entity(tx, "uni")?.id, person(tx, "ada@example.org")?.id);
        let row =
            |from_ms, role: &str| MembershipRow { person, entity, role: role.into(), from_ms };
        tx.membership_insert(&row(10, "member"))?;
        assert!(tx.membership_end(person, entity, 10)?);
        assert!(!tx.membership_end(person, entity, 11)?);
        assert_eq!(tx.memberships_of_person(person)?, []);
        assert_eq!(tx.memberships_past(person)?, [(row(10, "member"), 10)]);
        // Within the same millisecond nobody was away.
        tx.membership_insert(&row(10, "member"))?;
        tx.membership_set_role(person, entity, "manager")?;
        assert_eq!(tx.memberships_of_entity(entity)?, [row(10, "manager")]);
        assert_eq!(tx.memberships_past(person)?, []);
        tx.membership_end(person, entity, 12)?;
        tx.membership_insert(&row(20, "member"))?;
        assert_eq!(tx.memberships_of_person(person)?, [row(20, "member")]);
        assert_eq!(tx.memberships_past(person)?, [(row(10, "manager"), 12)]);
        Ok(())
    });
}

#[test]
fn a_door_is_open_for_the_active_alone_and_tells_the_use_case() {
    check(|tx| {
        let (uni, person) = (entity(tx, "uni")?, person(tx, "ada@example.org")?.id);
        let (role, from_ms) = ("member".to_owned(), 1);
        tx.membership_insert(&MembershipRow { person, entity: uni.id, role, from_ms })?;
        for (status, door) in [
            ("active", Door::Open),
            ("pending", Door::Unreviewed),
            ("suspended", Door::Shut),
            ("merged", Door::Shut),
            ("odd", Door::Shut),
        ] {
            let use_case = Some(2);
            tx.entity_update(&EntityRow { status: status.into(), use_case, ..uni.clone() })?;
            let standing = tx.standing_entities(person, 5)?.remove(0);
            assert_eq!((standing.door, standing.use_case), (door, use_case), "{status}");
        }
        Ok(())
    });
}

#[test]
fn datasets_that_name_an_entity_go_on_to_the_one_it_is_merged_into() {
    check(|tx| {
        let (source, target) = (entity(tx, "source")?.id, entity(tx, "target")?.id);
        let dataset = NewDataset {
            slug: "walks".into(),
            title: "Walks".into(),
            ids: vec![IdKind::Tweet],
            scope: "own".into(),
            visibility: Visibility::Entities,
            embargo_ms: None,
            upstream: Some("archive".into()),
        };
        let dataset = tx.dataset_insert(&dataset, 1)?.unwrap();
        assert_eq!(tx.dataset_entities_move(source, target)?, 0);
        tx.dataset_entity_insert(dataset, source)?;
        assert_eq!(tx.dataset_entities_move(source, target)?, 1);
        assert_eq!(tx.dataset_entities(dataset)?, [target]);
        // Of both entities, and once.
        tx.dataset_entity_insert(dataset, source)?;
        assert_eq!(tx.dataset_entities_move(source, target)?, 1);
        assert_eq!(tx.dataset_entities(dataset)?, [target]);
        Ok(())
    });
}

#[test]
fn a_word_is_taken_out_of_every_text_that_somebody_wrote() {
    check(|tx| {
        let ada = person(tx, "ada@example.org")?;
        let other = person(tx, "b@example.org")?;
        let key = |tx: &Tx<'_>, person, label: &str, byte| {
            tx.key_insert(&KeyRow {
                id: KeyId(0),
                person,
                hash: [byte; 32],
                label: label.into(),
                scope: "download".into(),
                created_ms: 1,
                expires_ms: 2,
                revoked_ms: None,
                last_used_ms: None,
                reactivated_ms: None,
                successor: None,
            })
        };
        key(tx, ada.id, "laptop", 1)?;
        key(tx, other.id, "Jürgen's; 100%_", 2)?;
        tx.person_set_status(other.id, "suspended", Some("asked by JÜRGEN"))?;
        let accepted = AcceptanceRow {
            person: ada.id,
            document: "terms".into(),
            version: "1".into(),
            accepted_ms: 1,
            evidence: "paper".into(),
            actor: "local:ada".into(),
        };
        tx.acceptance_insert(&accepted)?;
        tx.acceptance_insert(&AcceptanceRow { person: other.id, ..accepted })?;
        tx.texts_replace("Jürgen", |text| Some(format!("<{}>", text.len())))?;
        tx.texts_clear(ada.id, "(erased)")?;
        let labels: Vec<_> = tx.keys()?.into_iter().map(|row| row.label).collect();
        assert_eq!(labels, ["(erased)", "<16>"]);
        let changed = tx.person_by_id(other.id)?.unwrap();
        assert_eq!(changed.status_reason.as_deref(), Some("<16>"));
        assert_eq!(tx.acceptances_of(ada.id)?, []);
        assert_eq!(tx.acceptances_of(other.id)?.len(), 1);
        Ok(())
    });
}

#[test]
fn an_erased_person_is_told_from_others_and_named_anew() {
    check(|tx| {
        let ada = person(tx, "ada@example.org")?;
        assert_eq!(tx.people_erased(i64::MAX)?, []);
        let erased = PersonRow { mail: "erased:1".into(), erased_ms: Some(7), ..ada.clone() };
        tx.person_update(&erased)?;
        assert_eq!(tx.people_erased(7)?, []);
        assert_eq!(tx.people_erased(8)?, [erased]);
        let before = tx.standing(ada.id, None)?.unwrap().commitment;
        tx.person_update(&ada)?;
        tx.person_commit_anew(&ada)?;
        assert_ne!(tx.standing(ada.id, None)?.unwrap().commitment, before);
        assert_eq!(tx.person_by_mail("ada@example.org")?, Some(ada));

        assert_eq!(tx.secret("a")?, None);
        tx.secret_insert("a", &[255; 32])?;
        assert_eq!(tx.secret("a")?, Some([255; 32]));

        tx.journal_append(1, "{\"leaf\":\"x\",\"person\":\"abcd\"}", None)?;
        tx.journal_append(1, "{\"leaf\":\"x\"}", None)?;
        assert_eq!(tx.leaves_naming("abcd")?, ["{\"leaf\":\"x\",\"person\":\"abcd\"}"]);
        Ok(())
    });
}

#[test]
fn what_counts_of_a_person_is_seen_at_every_meter_of_theirs() {
    check(|tx| {
        let (uni, ada) = (entity(tx, "uni")?.id, person(tx, "ada@example.org")?.id);
        let (role, from_ms) = ("member".to_owned(), 1);
        tx.membership_insert(&MembershipRow { person: ada, entity: uni, role, from_ms })?;
        assert!(!tx.person_has_live(ada, 0)?);
        let recipients = [
            (Recipient::Entity(uni), Unit::Ids(IdKind::Tweet)),
            (Recipient::Person(ada), Unit::Objects),
        ];
        for (recipient, unit) in recipients {
            let meter = tx.meter(recipient, unit)?;
            tx.bucket_add(meter.id, 10, ada, 5)?;
            assert!(tx.person_has_live(ada, 9)?, "{recipient}");
            assert!(!tx.person_has_live(ada, 10)?, "{recipient}");
            tx.buckets_remove(meter.id, 10)?;
        }
        Ok(())
    });
}

#[test]
fn a_delivery_forgets_who_asked_when_it_is_over_and_its_time_has_come() {
    check(|tx| {
        let (ada, bob) = (person(tx, "ada@example.org")?, person(tx, "bob@example.org")?.id);
        let use_case = Some(4);
        let recipient = Recipient::Entity(EntityId(1));
        let charged = [Charged { recipient, basis: Basis::Limit, use_case }];
        let enter = |tx: &Tx<'_>, person| {
            let id = DeliveryId::new(1_000);
            tx.delivery_add(&NewDelivery {
                id,
                person: Some(person),
                key: Some(KeyId(3)),
                download: None,
                dataset: Some(7),
                release: None,
                unit: IdKind::Tweet.into(),
                view: "0",
                view_version: 0,
                first: 0,
                end: None,
                granted_ids: 5,
                recipients: &charged,
                profile: "own",
                started_ms: 1_000,
                incarnation: 1,
            })?;
            Ok::<_, StoreError>(id)
        };
        let (running, ended) = (enter(tx, ada.id)?, enter(tx, ada.id)?);
        let others = enter(tx, bob)?;
        tx.delivery_end(ended, None, 2_000)?;
        tx.delivery_end(others, None, 2_000)?;
        assert_eq!(tx.deliveries_forget_erased()?, 0);
        tx.person_update(&PersonRow { erased_ms: Some(1), ..ada })?;
        assert_eq!(tx.deliveries_forget_erased()?, 1);
        let row = tx.delivery(ended)?.unwrap();
        assert_eq!((row.person, row.key, row.recipients), (None, None, charged.to_vec()));
        assert_eq!(tx.deliveries_forget_old(2_000)?, 0);
        assert_eq!(tx.deliveries_forget_old(2_001)?, 1);
        assert_eq!(tx.delivery(others)?.unwrap().person, None);
        assert_eq!(tx.delivery(running)?.unwrap().person, Some(PersonId(1)));
        Ok(())
    });
}
