//! People and entities as operations have them, on every engine: who may say what, who consents,
//! and what comes of it.

use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::audit::LogPlaces;
use crate::base::party::{Actor, PersonId};
use crate::directory::words::{Role, Sector};
use crate::store::tests::fresh::{Fresh, on_every_engine};

const NOW_MS: i64 = 1_800_000_000_000;

/// A gateway's desk with some entities and people.
struct Office(Context);

/// The machine's owner.
fn owner() -> Actor {
    Actor::Local("owner".into())
}

impl Office {
    /// `uni` with its manager Meg and its member Mo; `lab`, which has a member and no manager;
    /// Olga, an operator who belongs to `desk`; and Ann, an auditor of `desk`.
    fn open(fresh: &Fresh) -> Office {
        let office = Office(Context {
            store: fresh.open(),
            clock: Clock::manual(NOW_MS),
            profile: Arc::new(Profile::built_in("twitter-2020-03").unwrap()),
            notary: Notary::new(LogPlaces {
                origin: None,
                origin_default: "example.org/log".parse().unwrap(),
                key_file: "/nonexistent/audit.key".into(),
                copies: Vec::new(),
            }),
        });
        for slug in ["uni", "lab", "desk"] {
            let add = entities::Add::new(slug, &format!("The {slug}"), Sector::Academic);
            office.done(&owner(), Operation::EntityAdd(add));
        }
        for (name, entity, role) in [
            ("meg", "uni", Role::Manager),
            ("mo", "uni", Role::Member),
            ("leo", "lab", Role::Member),
            ("olga", "desk", Role::Member),
            ("ann", "desk", Role::Member),
        ] {
            let entities = vec![entity.to_owned()];
            let add = people::Add { mail: mail(name), name: name.into(), entities, role };
            office.done(&owner(), Operation::PersonAdd(add));
        }
        for (name, rank) in [("olga", Rank::Operator), ("ann", Rank::Auditor)] {
            let (mail, rank) = (mail(name), Some(rank));
            office.done(&owner(), Operation::StaffAppoint { mail, rank });
        }
        office
    }

    fn ask(&self, actor: &Actor, operation: Operation) -> Result<Value, OperationError> {
        execute(operation, &self.0, actor)
    }

    #[track_caller]
    fn done(&self, actor: &Actor, operation: Operation) -> Value {
        let said = format!("{operation:?}");
        self.ask(actor, operation).unwrap_or_else(|error| panic!("{said}: {error}"))
    }

    #[track_caller]
    fn refused(&self, actor: &Actor, operation: Operation, kind: ErrorKind, message: &str) {
        let said = format!("{operation:?}");
        let error = self.ask(actor, operation).expect_err(&said);
        assert_eq!(error.kind, kind, "{said}: {error}");
        assert!(error.message.contains(message), "{said}: {error}");
    }

    /// The person of that name as they act themselves.
    fn actor(&self, name: &str) -> Actor {
        let row = self.0.store.read(|tx| people::find(tx, &mail(name))).unwrap();
        Actor::Person(row.id)
    }

    fn propose(&self, name: &str, slug: &str) -> i64 {
        let request = join::Propose { mail: mail(name), slug: slug.into(), role: Role::Member };
        let answer = self.done(&owner(), Operation::PersonJoin(request));
        answer["id"].as_str().unwrap().parse().unwrap()
    }

    fn entities_of(&self, name: &str) -> Vec<String> {
        let people = self.done(&owner(), Operation::PersonList);
        let person = people.as_array().unwrap().iter().find(|row| row["mail"] == mail(name));
        let memberships = person.unwrap()["memberships"].as_array().unwrap().clone();
        memberships.iter().map(|row| row["entity"].as_str().unwrap().to_owned()).collect()
    }

    fn welcome(&self, mail: &str) -> Option<PersonId> {
        let (profile, clock, mail) =
            (Arc::clone(&self.0.profile), self.0.clock.clone(), mail.to_owned());
        let welcomed =
            self.0.store.write_blocking(move |tx| welcome(tx, &profile, &clock, NOW_MS, &mail));
        welcomed.unwrap().map(|row| row.id)
    }
}

fn mail(name: &str) -> String {
    format!("{name}@example.org")
}

fn consent(join: i64, side: Side, evidence: Option<&str>) -> Operation {
    Operation::JoinConsent { join, side, evidence: evidence.map(str::to_owned) }
}

fn invite(slug: &str, name: &str) -> Operation {
    let (slug, mail, name) = (slug.into(), mail(name), name.to_owned());
    Operation::InvitationAdd(Invite { slug, mail, name })
}

#[test]
fn a_join_is_carried_out_when_the_person_and_a_manager_have_said_yes() {
    on_every_engine(|fresh| {
        let office = Office::open(fresh);
        let [meg, mo, leo, olga] = ["meg", "mo", "leo", "olga"].map(|name| office.actor(name));
        let join = office.propose("leo", "uni");
        let again = join::Propose { mail: mail("leo"), slug: "uni".into(), role: Role::Member };
        let again = Operation::PersonJoin(again);
        office.refused(&owner(), again, ErrorKind::Conflict, "is proposed already");
        // Colleagues and strangers say nothing; nobody speaks for the other side.
        for (actor, side) in
            [(&mo, Side::Entity), (&mo, Side::Person), (&meg, Side::Person), (&leo, Side::Entity)]
        {
            office.refused(actor, consent(join, side, Some("p")), ErrorKind::Forbidden, "sides");
        }
        let paper = "theirs to give";
        office.refused(&olga, consent(join, Side::Entity, None), ErrorKind::Invalid, paper);
        let waits = |person: &Actor| {
            let Actor::Person(person) = *person else { unreachable!() };
            let Context { store, profile, clock, .. } = &office.0;
            let before = store.read(|tx| proposals_before(tx, profile, clock, person));
            before.unwrap().as_array().unwrap().len()
        };
        assert_eq!((waits(&leo), waits(&meg), waits(&mo)), (1, 1, 0));
        let answer = office.done(&leo, consent(join, Side::Person, None));
        assert_eq!(answer["outcome"], Value::Null);
        assert_eq!((waits(&leo), waits(&meg)), (0, 1));
        office.refused(
            &leo,
            consent(join, Side::Person, None),
            ErrorKind::Conflict,
            "has consented",
        );
        assert_eq!(office.entities_of("leo"), ["lab"]);
        let answer = office.done(&meg, consent(join, Side::Entity, None));
        assert_eq!(answer["outcome"], "joined");
        assert_eq!(office.entities_of("leo"), ["uni", "lab"]);
        let over = consent(join, Side::Entity, None);
        office.refused(&meg, over, ErrorKind::Conflict, "is joined");
    });
}

#[test]
fn an_entity_without_a_manager_is_spoken_for_by_an_operator_who_is_on_neither_side() {
    on_every_engine(|fresh| {
        let office = Office::open(fresh);
        let olga = office.actor("olga");
        let join = office.propose("mo", "lab");
        office.done(&olga, consent(join, Side::Entity, None));
        office.done(&olga, consent(join, Side::Person, Some("binder 7")));
        assert_eq!(office.entities_of("mo"), ["uni", "lab"]);

        let own = office.propose("olga", "lab");
        let both = "nobody consents for both sides";
        office.refused(&olga, consent(own, Side::Entity, None), ErrorKind::Forbidden, both);
        office.done(&olga, consent(own, Side::Person, None));
        office.done(&owner(), consent(own, Side::Entity, None));
        let next = office.propose("leo", "desk");
        let own = "an entity that they belong to";
        office.refused(&olga, consent(next, Side::Entity, None), ErrorKind::Forbidden, own);
        let reason = "changed their mind".to_owned();
        let leo = office.actor("leo");
        let withdrawn =
            office.done(&leo, Operation::JoinWithdraw { join: next, reason: reason.clone() });
        assert_eq!(withdrawn["outcome"], "withdrawn");
        let again = Operation::JoinWithdraw { join: next, reason };
        office.refused(&owner(), again, ErrorKind::Conflict, "is withdrawn");
    });
}

#[test]
fn an_invited_colleague_is_let_in_once_their_address_is_proven() {
    on_every_engine(|fresh| {
        let office = Office::open(fresh);
        let [meg, mo] = ["meg", "mo"].map(|name| office.actor(name));
        office.refused(&mo, invite("uni", "new"), ErrorKind::Forbidden, "managers of the entity");
        office.refused(&meg, invite("lab", "new"), ErrorKind::Forbidden, "managers of the entity");
        office.done(&meg, invite("uni", "new"));
        let twice = invite("uni", "new");
        office.refused(&meg, twice, ErrorKind::Conflict, "is invited to `uni` already");
        let colleague = invite("uni", "mo");
        office.refused(&meg, colleague, ErrorKind::Conflict, "belongs to `uni` already");
        // Nobody is told that the address is somebody's.
        office.done(&meg, invite("uni", "leo"));

        assert_eq!(office.welcome("stranger@example.org"), None);
        assert!(office.welcome("New@Example.org").is_some());
        assert_eq!(office.entities_of("new"), ["uni"]);
        // Who has received elsewhere is asked first.
        office.welcome(&mail("leo"));
        assert_eq!(office.entities_of("leo"), ["lab"]);
        let waiting = office.done(&owner(), Operation::JoinList);
        assert_eq!(waiting[0]["consent_of_entity"]["evidence"], "an invitation");
        assert_eq!(waiting[0]["consent_of_person"], Value::Null);
        let list = Operation::InvitationList { slug: "uni".into() };
        assert_eq!(office.done(&meg, list), Value::Array(Vec::new()));
    });
}

#[test]
fn an_invitation_ends_with_its_inviter() {
    on_every_engine(|fresh| {
        let office = Office::open(fresh);
        let meg = office.actor("meg");
        let taken_back = office.done(&meg, invite("uni", "first"));
        let invitation = taken_back["id"].as_str().unwrap().parse().unwrap();
        let [mo, withdraw] = [office.actor("mo"), meg.clone()];
        let operation = || Operation::InvitationWithdraw { invitation };
        office.refused(&mo, operation(), ErrorKind::Forbidden, "managers of the entity");
        office.done(&withdraw, operation());
        office.done(&meg, invite("uni", "new"));
        let (mail, reason) = (mail("meg"), Some("left".to_owned()));
        office.done(&owner(), Operation::PersonSuspend { mail, reason });
        assert_eq!(office.welcome("first@example.org"), None);
        assert_eq!(office.welcome("new@example.org"), None);
    });
}

#[test]
fn what_concerns_an_entity_takes_an_operator_who_is_not_of_it() {
    type Asked = fn() -> Operation;
    let merge = |source: &str, target: &str| Operation::EntityMerge {
        source: source.into(),
        target: target.into(),
        reason: "the same".into(),
    };
    let review = |slug: &str| Operation::EntityReview { slug: slug.into(), reason: "r".into() };
    let cases: &[(&str, Asked, &[&str])] = &[
        ("propose", || propose_use("uni"), &["olga", "meg"]),
        ("propose", || propose_use("desk"), &["olga"]),
        ("decide", || decide_use("uni"), &["olga"]),
        ("decide", || decide_use("desk"), &[]),
        ("list", || Operation::UseCaseList { slug: None }, &["olga", "ann"]),
        ("list", || Operation::UseCaseList { slug: Some("uni".into()) }, &["olga", "ann", "meg"]),
        ("export", || Operation::PersonExport { mail: mail("mo") }, &["olga", "ann", "mo"]),
        ("duplicates", || Operation::EntityDuplicates, &["olga", "ann"]),
        ("joins", || Operation::JoinList, &["olga", "ann"]),
    ];
    on_every_engine(|fresh| {
        let office = Office::open(fresh);
        for (what, operation, heard) in cases {
            for name in ["olga", "ann", "meg", "mo"] {
                let answer = office.ask(&office.actor(name), operation());
                let is_heard = !matches!(&answer, Err(error) if error.kind == ErrorKind::Forbidden);
                assert_eq!(is_heard, heard.contains(&name), "{what} {name}: {answer:?}");
            }
        }
        let olga = office.actor("olga");
        let own = "an entity that they belong to";
        office.refused(&olga, merge("desk", "lab"), ErrorKind::Forbidden, own);
        office.refused(&olga, merge("lab", "desk"), ErrorKind::Forbidden, own);
        office.refused(&olga, review("desk"), ErrorKind::Forbidden, own);
        office.refused(&olga, review("uni"), ErrorKind::Conflict, "waits for no review");
        office.done(&olga, merge("lab", "uni"));
        assert_eq!(office.entities_of("leo"), ["uni"]);
        let meg = office.actor("meg");
        for actor in [&meg, &office.actor("ann")] {
            let erase = Operation::PersonErase { mail: mail("mo"), reason: "r".into() };
            assert_eq!(office.ask(actor, erase).unwrap_err().kind, ErrorKind::Forbidden);
        }
    });
}

fn propose_use(slug: &str) -> Operation {
    Operation::UseCasePropose { slug: slug.into(), purpose: "rumours".into() }
}

fn decide_use(slug: &str) -> Operation {
    let (verdict, reason) = (Verdict::Approve, "fine".into());
    Operation::UseCaseDecide { slug: slug.into(), verdict, reason }
}
