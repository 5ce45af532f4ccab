//! What holds across the directory: who is let in, what is refused, and what is written down.

use super::exemption::{Decision, Judgement};
use super::words::{Role, Scope, Sector};
use super::*;
use crate::base::date::DAY_MS;
use crate::base::party::{Actor, Credential, KeyId};
use crate::policy::{ExemptionRule, Profile};
use crate::store::{Store, Tx};

const NOW_MS: i64 = 1_800_000_000_000;

/// Runs `check` on a new store with an academic and a commercial entity and a person in both.
fn with_people<T: Send + 'static>(
    check: impl FnOnce(&Tx<'_>) -> Result<T, DirectoryError> + Send + 'static,
) -> Result<T, DirectoryError> {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("test.sqlite")).unwrap();
    store.write_blocking(|tx| {
        for (slug, sector) in [("university", Sector::Academic), ("company", Sector::Commercial)] {
            entity::add(tx, NOW_MS, &actor(), &described(slug, sector))?;
        }
        let person = person::Add {
            mail: "Ada@Example.org".into(),
            name: "Ada".into(),
            entities: vec!["university".into(), "company".into(), "university".into()],
            role: Role::Member,
        };
        person::add(tx, NOW_MS, &actor(), &person)?;
        check(tx)
    })
}

fn actor() -> Actor {
    Actor::Local("operator".into())
}

fn described(slug: &str, sector: Sector) -> entity::Add {
    let ror = (sector == Sector::Academic).then(|| "01an7q238".to_owned());
    entity::Add { ror, ..entity::Add::new(slug, &slug.to_uppercase(), sector) }
}

fn profile() -> Profile {
    Profile::built_in("twitter-2020-03").unwrap()
}

fn judged(decision: Decision, reason: &str) -> Judgement {
    Judgement { decision, reason: reason.into(), conditions: None, ceiling_ids: None }
}

fn issue(tx: &Tx<'_>, lifetime_ms: Option<i64>) -> Result<(KeyId, Token), DirectoryError> {
    let request = key::Issue {
        mail: "ada@example.org".into(),
        label: None,
        scope: Scope::Download,
        lifetime_ms,
    };
    key::issue(tx, NOW_MS, &actor(), &request).map(|(row, token)| (row.id, token))
}

fn application(until_ms: i64) -> exemption::Apply {
    exemption::Apply {
        slug: "university".into(),
        mail: "ada@example.org".into(),
        role: "professor".into(),
        purpose: "a study".into(),
        non_commercial: true,
        attestation: attestation::CURRENT.version.into(),
        signed_by: "Ada".into(),
        reference: None,
        from_ms: None,
        until_ms,
        ceiling_ids: None,
    }
}

#[test]
fn a_key_lets_its_person_in_with_all_their_entities() {
    with_people(|tx| {
        let (key, token) = issue(tx, None)?;
        let requester = authenticate(tx, &token.hash(), NOW_MS).unwrap();
        assert_eq!((requester.by, requester.name.as_str()), (Credential::Key(key), "Ada"));
        let slugs: Vec<_> = requester.entities.iter().map(|entity| entity.slug.as_str()).collect();
        assert_eq!(slugs, ["university", "company"]);
        assert!(requester.use_unnoted);
        key::note_use(tx, NOW_MS, key)?;
        assert!(!authenticate(tx, &token.hash(), NOW_MS + DAY_MS - 1).unwrap().use_unnoted);
        assert!(authenticate(tx, &token.hash(), NOW_MS + DAY_MS).unwrap().use_unnoted);
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_void_key_lets_nobody_in() {
    with_people(|tx| {
        let unknown = Token::generate().hash();
        assert!(matches!(authenticate(tx, &unknown, NOW_MS), Err(AuthError::Unknown)));

        let (_, short) = issue(tx, Some(DAY_MS))?;
        assert!(authenticate(tx, &short.hash(), NOW_MS + DAY_MS - 1).is_ok());
        let expired = authenticate(tx, &short.hash(), NOW_MS + DAY_MS);
        assert!(matches!(expired, Err(AuthError::Expired)), "{expired:?}");

        let (used, long) = issue(tx, Some(700 * DAY_MS))?;
        assert!(authenticate(tx, &long.hash(), NOW_MS + 365 * DAY_MS).is_ok());
        let dormant = authenticate(tx, &long.hash(), NOW_MS + 365 * DAY_MS + 1);
        assert!(matches!(dormant, Err(AuthError::Dormant)), "{dormant:?}");
        key::note_use(tx, NOW_MS + 300 * DAY_MS, used)?;
        assert!(authenticate(tx, &long.hash(), NOW_MS + 600 * DAY_MS).is_ok());

        person::suspend(tx, NOW_MS, &actor(), "ada@example.org", Some("left"))?;
        let suspended = authenticate(tx, &long.hash(), NOW_MS);
        assert!(matches!(suspended, Err(AuthError::Suspended)), "{suspended:?}");
        person::resume(tx, NOW_MS, &actor(), "ada@example.org")?;

        key::revoke(tx, NOW_MS, &actor(), used)?;
        let revoked = authenticate(tx, &long.hash(), NOW_MS);
        assert!(matches!(revoked, Err(AuthError::Revoked)), "{revoked:?}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn documents_are_missing_until_each_is_accepted() {
    with_people(|tx| {
        let documents = profile().documents;
        let person = person::find(tx, "ADA@example.org")?.id;
        let missing = |now_ms| document::missing(tx, &documents, now_ms, person);
        let named = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            document::named(tx, &documents, NOW_MS, &names)
        };
        assert_eq!(missing(NOW_MS)?.len(), 4);
        let some = named(&["privacy-policy", "privacy-policy"])?;
        document::accept(tx, NOW_MS, &actor(), person, &some, "paper 1")?;
        let names: Vec<_> = missing(NOW_MS)?.iter().map(|document| document.name).collect();
        assert_eq!(names, ["terms-of-service", "developer-agreement", "developer-policy"]);
        document::accept(tx, NOW_MS + 1, &actor(), person, &named(&["all"])?, "paper 2")?;
        assert_eq!(missing(NOW_MS)?, []);
        // What was accepted first keeps its date.
        let dates: Vec<_> = tx.acceptances_of(person)?.iter().map(|row| row.accepted_ms).collect();
        assert_eq!(dates.iter().filter(|&&date| date == NOW_MS).count(), 1);
        let unknown = named(&["privacy-polici"]).unwrap_err().to_string();
        assert!(unknown.contains("did you mean `privacy-policy`?"), "{unknown}");
        Ok(())
    })
    .unwrap();
}

fn version(version: &str, from_ms: Option<i64>) -> document::Publish {
    document::Publish {
        document: "privacy-policy".into(),
        version: version.into(),
        url: "https://platform.example/privacy".into(),
        from_ms,
    }
}

#[test]
fn a_new_version_asks_everybody_again_from_its_day_on_and_can_be_accepted_before() {
    with_people(|tx| {
        let documents = profile().documents;
        let person = person::find(tx, "ada@example.org")?.id;
        let missing = |now_ms| {
            let missing = document::missing(tx, &documents, now_ms, person);
            missing.map(|missing| missing.into_iter().map(|one| one.version).collect::<Vec<_>>())
        };
        let all = document::named(tx, &documents, NOW_MS, &["all".into()])?;
        document::accept(tx, NOW_MS, &actor(), person, &all, "paper")?;
        let day_ms = NOW_MS + DAY_MS;
        document::publish(tx, NOW_MS, &actor(), &version("2027", Some(day_ms)))?;
        assert_eq!(missing(day_ms - 1)?, Vec::<String>::new());
        assert_eq!(missing(day_ms)?, ["2027"]);
        let find =
            |version: &str| document::find(tx, &documents, NOW_MS, "privacy-policy", version);
        assert_eq!(find("1999")?, None);
        let coming = find("2027")?.unwrap();
        assert_eq!(coming.url, "https://platform.example/privacy");
        document::accept(tx, NOW_MS, &actor(), person, &[coming], "paper")?;
        assert_eq!(missing(day_ms)?, Vec::<String>::new());
        // The profile's own version is no more asked for.
        assert_eq!(document::find(tx, &documents, day_ms, "privacy-policy", "2020-01-01")?, None);
        document::publish(tx, day_ms, &actor(), &version("2028", Some(day_ms + 1)))?;
        assert_eq!(missing(day_ms + 1)?, ["2028"]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn an_exemption_is_in_force_from_its_approval_to_its_end() {
    with_people(|tx| {
        let until_ms = NOW_MS + 366 * DAY_MS;
        let applied = exemption::apply(tx, NOW_MS, &actor(), &profile(), &application(until_ms))?;
        assert!(!exemption::is_in_force(&applied, NOW_MS));
        let decide = |now_ms, judgement| {
            exemption::decide(tx, now_ms, &actor(), &profile(), applied.id, &judgement)
        };
        let row = decide(NOW_MS + 5, judged(Decision::Approve, "fine"))?;
        for (at_ms, expected) in
            [(NOW_MS + 4, false), (NOW_MS + 5, true), (until_ms - 1, true), (until_ms, false)]
        {
            assert_eq!(exemption::is_in_force(&row, at_ms), expected, "{at_ms}");
        }
        let row = decide(NOW_MS + 9, judged(Decision::Revoke, "misuse"))?;
        assert!(!exemption::is_in_force(&row, NOW_MS + 9));
        // Why it was approved is still told.
        assert_eq!(row.reason.as_deref(), Some("fine"));
        assert_eq!(row.revoked_reason.as_deref(), Some("misuse"));
        assert_eq!(tx.exemption_by_id(row.id)?, Some(row));
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_renewal_follows_without_a_gap_and_is_called_to_mind_once() {
    with_people(|tx| {
        let day = |days: i64| NOW_MS + days * DAY_MS;
        let apply = |now_ms, until_ms| {
            exemption::apply(tx, now_ms, &actor(), &profile(), &application(until_ms))
        };
        let approve = |now_ms, id| {
            let judgement = judged(Decision::Approve, "fine");
            exemption::decide(tx, now_ms, &actor(), &profile(), id, &judgement)
        };
        let first = apply(NOW_MS, day(300))?.id;
        approve(NOW_MS, first)?;
        let early = apply(day(209), day(500)).unwrap_err().to_string();
        assert!(early.contains("may be applied for 90 days before that"), "{early}");
        assert!(!notice::would_remind(tx, day(270) - 1, 30)?);
        for (now_ms, expected) in [(day(270), 1), (day(271), 0), (day(299), 0)] {
            assert_eq!(notice::remind(tx, now_ms, 30)?, expected);
        }
        let due = notice::due(tx, day(271), 10)?;
        let kinds: Vec<_> = due.iter().map(|notice| notice.kind.as_str()).collect();
        assert_eq!(kinds, ["exemption-approved", "exemption-ends"]);
        assert!(notice::done(tx, day(272), due[1].id)?);
        let long = apply(day(271), day(667)).unwrap_err().to_string();
        assert!(long.contains("lasts 366 days at most"), "{long}");
        let second = apply(day(271), day(666))?;
        let second = approve(day(272), second.id)?;
        assert_eq!((second.from_ms, second.until_ms), (Some(day(300)), day(666)));
        assert_eq!(exemption::standing(&second, day(299)), "upcoming");
        let in_force = |now_ms| {
            let rows = tx.exemptions()?;
            Ok::<_, DirectoryError>(
                rows.iter().filter(|row| exemption::is_in_force(row, now_ms)).count(),
            )
        };
        for now_ms in [day(299), day(300) - 1, day(300), day(666) - 1] {
            assert_eq!(in_force(now_ms)?, 1, "{now_ms}");
        }
        assert_eq!(in_force(day(666))?, 0);
        // The reminder of one that is revoked is taken back.
        assert_eq!(notice::remind(tx, day(640), 30)?, 1);
        let judgement = judged(Decision::Revoke, "misuse");
        exemption::decide(tx, day(641), &actor(), &profile(), second.id, &judgement)?;
        let due = notice::due(tx, day(641), 10)?;
        assert!(due.iter().all(|notice| notice.kind != "exemption-ends"), "{due:?}");
        assert_eq!(due.last().unwrap().kind, "exemption-revoked");
        Ok(())
    })
    .unwrap();
}

#[test]
fn an_application_keeps_what_was_signed_and_what_is_wanted() {
    with_people(|tx| {
        let strict = Profile { exemption: ExemptionRule::RegisteredAndPermitted, ..profile() };
        let request = exemption::Apply {
            reference: Some("grant 7".into()),
            ceiling_ids: Some(5_000),
            ..application(NOW_MS + DAY_MS)
        };
        let row = exemption::apply(tx, NOW_MS, &actor(), &strict, &request)?;
        let said = &row.application;
        assert_eq!(said.attestation_sha256, Some(attestation::CURRENT.sha256()));
        assert_eq!((said.signed_by.as_deref(), said.signed_ms), (Some("Ada"), Some(NOW_MS)));
        assert_eq!(said.non_commercial, Some(true));
        let evidence = exemption::evidence_of(tx, &row)?;
        assert_eq!(evidence.mail_domain, "example.org");
        let approve = |ceiling_ids| {
            let conditions = Some("nothing is passed on".to_owned());
            let judgement =
                Judgement { conditions, ceiling_ids, ..judged(Decision::Approve, "fine") };
            exemption::decide(tx, NOW_MS, &actor(), &strict, row.id, &judgement)
        };
        let more = approve(Some(5_001)).unwrap_err().to_string();
        assert!(more.contains("was wanted for 5000 IDs, not 5001"), "{more}");
        let approved = approve(Some(4_000))?;
        assert_eq!(approved.ceiling_ids, Some(4_000));
        assert_eq!(approved.conditions.as_deref(), Some("nothing is passed on"));
        Ok(())
    })
    .unwrap();
}

fn letter() -> permission::Add {
    permission::Add {
        slug: "company".into(),
        issuer: "the platform".into(),
        reference: "letter 1".into(),
        issued_on: "2026-12-01".into(),
        from_ms: NOW_MS,
        until_ms: NOW_MS + DAY_MS,
        ceiling_ids: Some(3_000_000),
        exemption: None,
        document_sha256: "ab".repeat(32),
        reason: "asked for it".into(),
    }
}

#[test]
fn a_permission_is_valid_for_its_time_or_until_it_is_revoked() {
    with_people(|tx| {
        let request = permission::Add { from_ms: NOW_MS + 5, ..letter() };
        let row = permission::add(tx, NOW_MS, &actor(), &request)?;
        assert_eq!(row.document_sha256, [0xab; 32]);
        for (now_ms, expected) in [
            (NOW_MS, "upcoming"),
            (NOW_MS + 5, "valid"),
            (NOW_MS + DAY_MS - 1, "valid"),
            (NOW_MS + DAY_MS, "ended"),
        ] {
            assert_eq!(permission::standing(&row, now_ms), expected, "{now_ms}");
        }
        let late = permission::revoke(tx, NOW_MS + DAY_MS, &actor(), row.id, "late");
        assert!(late.unwrap_err().to_string().contains("is ended already"));
        let row = permission::revoke(tx, NOW_MS + 9, &actor(), row.id, "withdrawn")?;
        assert_eq!(permission::standing(&row, NOW_MS + 9), "revoked");
        assert_eq!(tx.permission_by_id(row.id)?, Some(row));
        Ok(())
    })
    .unwrap();
}

/// What a refused change says, and the change.
type Refused = (&'static str, fn(&Tx<'_>) -> Result<(), DirectoryError>);

#[test]
fn what_makes_no_sense_is_refused_with_the_next_step() {
    let cases: &[Refused] = &[
        ("there is already an entity `university`: UNIVERSITY", |tx| {
            entity::add(tx, 0, &actor(), &described("university", Sector::Academic)).map(drop)
        }),
        ("`Uni` is no slug", |tx| {
            entity::add(tx, 0, &actor(), &described("Uni", Sector::Academic)).map(drop)
        }),
        ("the name holds the control character U+202E", |tx| {
            let name = "a\u{202E}b".into();
            let request = entity::Add { name, ..described("x", Sector::Academic) };
            entity::add(tx, 0, &actor(), &request).map(drop)
        }),
        ("`01an7q239` is no ROR identifier", |tx| {
            let ror = Some("01an7q239".into());
            let request = entity::Add { ror, ..described("x", Sector::Academic) };
            entity::add(tx, 0, &actor(), &request).map(drop)
        }),
        ("there is no entity `univercity`; did you mean `university`?", |tx| {
            entity::find(tx, "univercity").map(drop)
        }),
        ("there is no entity `zebra`; `hydrant entity list` shows them", |tx| {
            entity::suspend(tx, 0, &actor(), "zebra", None).map(drop)
        }),
        ("entity `company` is already active", |tx| {
            entity::resume(tx, 0, &actor(), "company").map(drop)
        }),
        ("there is no person `bob@example.com`; `hydrant person list` shows them", |tx| {
            person::find(tx, "bob@example.com").map(drop)
        }),
        ("a person belongs to one entity at least", |tx| {
            let (mail, name) = ("b@example.org".into(), "B".into());
            let request = person::Add { mail, name, entities: vec![], role: Role::Member };
            person::add(tx, 0, &actor(), &request).map(drop)
        }),
        ("there is already a person `ada@example.org`: Ada", |tx| {
            let (mail, name) = (" ADA@example.org".into(), "B".into());
            let entities = vec!["company".into()];
            let request = person::Add { mail, name, entities, role: Role::Member };
            person::add(tx, 0, &actor(), &request).map(drop)
        }),
        ("a key of the scope `download` lives for at most 730d", |tx| {
            issue(tx, Some(731 * DAY_MS)).map(drop)
        }),
        ("there is no key 7", |tx| key::revoke(tx, 0, &actor(), KeyId(7)).map(drop)),
        ("only non-commercial research can be exempt", |tx| {
            let request = exemption::Apply { non_commercial: false, ..application(NOW_MS + 9) };
            exemption::apply(tx, NOW_MS, &actor(), &profile(), &request).map(drop)
        }),
        ("the attestation to be signed is version", |tx| {
            let attestation = "2019".into();
            let request = exemption::Apply { attestation, ..application(NOW_MS + 9) };
            exemption::apply(tx, NOW_MS, &actor(), &profile(), &request).map(drop)
        }),
        ("by the profile x-2025-10 an exemption is for as many IDs as are necessary", |tx| {
            let strict = Profile::built_in("x-2025-10").unwrap();
            exemption::apply(tx, NOW_MS, &actor(), &strict, &application(NOW_MS + 9)).map(drop)
        }),
        ("`company` has no ROR identifier", |tx| {
            let add = entity::Add { ror: None, ..described("academy", Sector::Academic) };
            entity::add(tx, 0, &actor(), &add)?;
            let request = exemption::Apply { slug: "academy".into(), ..application(NOW_MS + 9) };
            let refused = exemption::apply(tx, NOW_MS, &actor(), &profile(), &request);
            refused.map(drop).map_err(|error| {
                DirectoryError::Conflict(error.to_string().replace("academy", "company"))
            })
        }),
        ("there is no document `privacy-polici`; did you mean `privacy-policy`?", |tx| {
            let request =
                document::Publish { document: "privacy-polici".into(), ..version("1", None) };
            document::publish(tx, NOW_MS, &actor(), &request).map(drop)
        }),
        ("`javascript:alert(1)` is no address of a document", |tx| {
            let request =
                document::Publish { url: "javascript:alert(1)".into(), ..version("1", None) };
            document::publish(tx, NOW_MS, &actor(), &request).map(drop)
        }),
        ("`a b` is no version", |tx| {
            document::publish(tx, NOW_MS, &actor(), &version("a b", None)).map(drop)
        }),
        ("version 1 of `privacy-policy` is published already", |tx| {
            document::publish(tx, NOW_MS, &actor(), &version("1", None))?;
            document::publish(tx, NOW_MS + 1, &actor(), &version("1", None)).map(drop)
        }),
        ("version 2 of `privacy-policy` is in force from 2027-01-15T08:00:00Z on", |tx| {
            document::publish(tx, NOW_MS, &actor(), &version("2", None))?;
            document::publish(tx, NOW_MS, &actor(), &version("3", None)).map(drop)
        }),
        ("the digest of the letter is no SHA-256", |tx| {
            let request = permission::Add { document_sha256: "ab".into(), ..letter() };
            permission::add(tx, NOW_MS, &actor(), &request).map(drop)
        }),
        ("`1.12.26` is no date like 2027-06-30", |tx| {
            let request = permission::Add { issued_on: "1.12.26".into(), ..letter() };
            permission::add(tx, NOW_MS, &actor(), &request).map(drop)
        }),
        ("the letter is dated 2029-01-01, which is to come", |tx| {
            let request = permission::Add { issued_on: "2029-01-01".into(), ..letter() };
            permission::add(tx, NOW_MS, &actor(), &request).map(drop)
        }),
        ("is no time to come; give a later end", |tx| {
            let request = permission::Add { until_ms: NOW_MS, ..letter() };
            permission::add(tx, NOW_MS, &actor(), &request).map(drop)
        }),
        ("a ceiling of 0 permits nothing", |tx| {
            let request = permission::Add { ceiling_ids: Some(0), ..letter() };
            permission::add(tx, NOW_MS, &actor(), &request).map(drop)
        }),
        ("`company` has no exemption 7", |tx| {
            let request = permission::Add { exemption: Some(7), ..letter() };
            permission::add(tx, NOW_MS, &actor(), &request).map(drop)
        }),
        ("there is no permission 7; `hydrant permission list` shows them", |tx| {
            permission::revoke(tx, NOW_MS, &actor(), 7, "why").map(drop)
        }),
        ("`company` is commercial; only an academic entity can be exempt", |tx| {
            let request = exemption::Apply { slug: "company".into(), ..application(1) };
            exemption::apply(tx, 0, &actor(), &profile(), &request).map(drop)
        }),
        ("the end 2027-01-15T08:00:00Z has passed", |tx| {
            exemption::apply(tx, NOW_MS, &actor(), &profile(), &application(NOW_MS)).map(drop)
        }),
        ("an exemption lasts 366 days at most; give an end up to 2028-01-16T08:00:00Z", |tx| {
            let request = application(NOW_MS + 366 * DAY_MS + 1);
            exemption::apply(tx, NOW_MS, &actor(), &profile(), &request).map(drop)
        }),
        ("application 1 of `university` still waits", |tx| {
            let request = application(NOW_MS + DAY_MS);
            exemption::apply(tx, NOW_MS, &actor(), &profile(), &request)?;
            exemption::apply(tx, NOW_MS, &actor(), &profile(), &request).map(drop)
        }),
        ("exemption 1 is applied, and only approved ones can be revoked", |tx| {
            exemption::apply(tx, NOW_MS, &actor(), &profile(), &application(NOW_MS + DAY_MS))?;
            let judgement = judged(Decision::Revoke, "r");
            exemption::decide(tx, NOW_MS, &actor(), &profile(), 1, &judgement).map(drop)
        }),
        ("exemption 1 would have ended before now", |tx| {
            exemption::apply(tx, NOW_MS, &actor(), &profile(), &application(NOW_MS + DAY_MS))?;
            let judgement = judged(Decision::Approve, "r");
            exemption::decide(tx, NOW_MS + DAY_MS, &actor(), &profile(), 1, &judgement).map(drop)
        }),
        ("the reason is empty", |tx| {
            let judgement = judged(Decision::Approve, " ");
            exemption::decide(tx, NOW_MS, &actor(), &profile(), 1, &judgement).map(drop)
        }),
    ];
    for &(expected, change) in cases {
        let error = with_people(change).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn every_change_leaves_a_leaf_without_names() {
    let leaves = with_people(|tx| {
        let (key, _) = issue(tx, None)?;
        key::revoke(tx, NOW_MS, &actor(), key)?;
        entity::suspend(tx, NOW_MS, &actor(), "university", Some("a secret reason"))?;
        entity::resume(tx, NOW_MS, &actor(), "university")?;
        let rows = tx.journal_from(1, 100)?;
        Ok(rows.into_iter().map(|row| row.leaf).collect::<Vec<_>>())
    })
    .unwrap();
    let kinds: Vec<_> = leaves.iter().map(|leaf| leaf.split('"').nth(5).unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "entity-added",
            "entity-added",
            "person-added",
            "membership-joined",
            "membership-joined",
            "key-issued",
            "key-revoked",
            "entity-suspended",
            "reason",
            "entity-resumed",
        ]
    );
    for name in ["university", "Ada", "example.org", "secret", "hydrant_"] {
        assert!(!leaves.iter().any(|leaf| leaf.contains(name)), "{name}");
    }
}
