//! What holds across the directory: who is let in, what is refused, and what is written down.

use super::exemption::Decision;
use super::words::{Role, Scope, Sector};
use super::*;
use crate::base::date::DAY_MS;
use crate::base::party::{Actor, Credential, KeyId};
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
    entity::Add::new(slug, &slug.to_uppercase(), sector)
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
        purpose: "a study".into(),
        until_ms,
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
        let person = person::find(tx, "ADA@example.org")?.id;
        assert_eq!(document::missing(tx, person)?.len(), 4);
        let some = document::named(&["privacy-policy".into(), "privacy-policy".into()])?;
        document::accept(tx, NOW_MS, &actor(), person, &some, "paper 1")?;
        let missing: Vec<_> = document::missing(tx, person)?.iter().map(|d| d.name).collect();
        assert_eq!(missing, ["terms-of-service", "developer-agreement", "developer-policy"]);
        let all = document::named(&["all".into()])?;
        document::accept(tx, NOW_MS + 1, &actor(), person, &all, "paper 2")?;
        assert_eq!(document::missing(tx, person)?, Vec::<&document::Document>::new());
        // What was accepted first keeps its date.
        let dates: Vec<_> = tx.acceptances_of(person)?.iter().map(|row| row.accepted_ms).collect();
        assert_eq!(dates.iter().filter(|&&date| date == NOW_MS).count(), 1);
        let unknown = document::named(&["privacy-polici".into()]).unwrap_err().to_string();
        assert!(unknown.contains("did you mean `privacy-policy`?"), "{unknown}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn an_exemption_is_in_force_from_its_approval_to_its_end() {
    with_people(|tx| {
        let until_ms = NOW_MS + 366 * DAY_MS;
        let applied = exemption::apply(tx, NOW_MS, &actor(), 366, &application(until_ms))?;
        assert!(!exemption::is_in_force(&applied, NOW_MS));
        let row =
            exemption::decide(tx, NOW_MS + 5, &actor(), applied.id, Decision::Approve, "fine")?;
        for (at_ms, expected) in
            [(NOW_MS + 4, false), (NOW_MS + 5, true), (until_ms - 1, true), (until_ms, false)]
        {
            assert_eq!(exemption::is_in_force(&row, at_ms), expected, "{at_ms}");
        }
        let row =
            exemption::decide(tx, NOW_MS + 9, &actor(), applied.id, Decision::Revoke, "misuse")?;
        assert!(!exemption::is_in_force(&row, NOW_MS + 9));
        // Why it was approved is still told.
        assert_eq!(row.reason.as_deref(), Some("fine"));
        assert_eq!(row.revoked_reason.as_deref(), Some("misuse"));
        assert_eq!(tx.exemption_by_id(row.id)?, Some(row));
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
        ("a key lives for at most 730d", |tx| issue(tx, Some(731 * DAY_MS)).map(drop)),
        ("there is no key 7", |tx| key::revoke(tx, 0, &actor(), KeyId(7)).map(drop)),
        ("`company` is commercial; only an academic entity can be exempt", |tx| {
            let request = exemption::Apply { slug: "company".into(), ..application(1) };
            exemption::apply(tx, 0, &actor(), 366, &request).map(drop)
        }),
        ("the end 2027-01-15T08:00:00Z has passed", |tx| {
            exemption::apply(tx, NOW_MS, &actor(), 366, &application(NOW_MS)).map(drop)
        }),
        ("an exemption lasts 366 days at most; give an end up to 2028-01-16T08:00:00Z", |tx| {
            let request = application(NOW_MS + 366 * DAY_MS + 1);
            exemption::apply(tx, NOW_MS, &actor(), 366, &request).map(drop)
        }),
        ("application 1 of `university` still waits", |tx| {
            let request = application(NOW_MS + DAY_MS);
            exemption::apply(tx, NOW_MS, &actor(), 366, &request)?;
            exemption::apply(tx, NOW_MS, &actor(), 366, &request).map(drop)
        }),
        ("exemption 1 is applied, and only approved ones can be revoked", |tx| {
            exemption::apply(tx, NOW_MS, &actor(), 366, &application(NOW_MS + DAY_MS))?;
            exemption::decide(tx, NOW_MS, &actor(), 1, Decision::Revoke, "r").map(drop)
        }),
        ("exemption 1 would have ended before now", |tx| {
            exemption::apply(tx, NOW_MS, &actor(), 366, &application(NOW_MS + DAY_MS))?;
            exemption::decide(tx, NOW_MS + DAY_MS, &actor(), 1, Decision::Approve, "r").map(drop)
        }),
        ("the reason is empty", |tx| {
            exemption::decide(tx, NOW_MS, &actor(), 1, Decision::Approve, " ").map(drop)
        }),
    ];
    for &(expected, change) in cases {
        let error = with_people(change).expect_err(expected).to_string();
        assert!(error.starts_with(expected), "{error}");
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
            "entity-resumed",
        ]
    );
    for name in ["university", "Ada", "example.org", "secret", "hydrant_"] {
        assert!(!leaves.iter().any(|leaf| leaf.contains(name)), "{name}");
    }
}
