//! What a demo makes up and enters: tweets, a dataset, four entities, people and keys, all by the
//! same operations that an operator uses.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::dataset::for_directory;
use super::progress::Bar;
use super::show;
use crate::base::date::{DAY_MS, rfc3339};
use crate::base::gaps::Gaps;
use crate::base::ids::IdKind;
use crate::base::party::{Actor, KeyId, PersonId};
use crate::demo::Maker;
use crate::directory::dataset::Plan;
use crate::directory::exemption::{Apply, Decision};
use crate::directory::key::Issue;
use crate::directory::words::{Rank, Role, Scope as KeyScope, Sector};
use crate::directory::{attestation, document, entity, permission, person};
use crate::ledger::{Ledger, Order, Ordered, Outcome, Values};
use crate::operation::{Context, Operation, execute};
use crate::pipeline::{Damage, KindSet, Scope};
use crate::policy::ExemptionRule;
use crate::release::{self, Objects, Spec};
use crate::store::Visibility;

/// The slug of the made-up dataset.
pub(super) const DATASET: &str = "harbour-2018";

/// How many tweets are written as v1.1, one a line.
const V1_TWEETS: u64 = 90_000;
/// How many are written as v2 response pages, and how many a page holds.
const V2_PAGES: u64 = 100;
const PAGE_TWEETS: u64 = 100;
/// The same tweets in every demo.
const SEED: u64 = 2_018;

/// How many Tweet IDs the entity that is near its limit has left.
const LEFT_IDS: u64 = 50_000;

/// The label of a demo's keys.
const LABEL: &str = "demo";

/// How long the demo's exemption and keys are good for.
const GOOD_MS: i64 = 30 * DAY_MS;

/// How many IDs the demo's exemption is for, where the profile wants a figure.
const EXEMPT_IDS: u64 = 10_000_000;

/// An entity of the demo with its one person.
struct Party {
    slug: &'static str,
    name: &'static str,
    sector: Sector,
    ror: Option<&'static str>,
    person: &'static str,
    mail: &'static str,
}

const COMMERCIAL: Party = Party {
    slug: "pelican-analytics",
    name: "Pelican Analytics",
    sector: Sector::Commercial,
    ror: None,
    person: "Ada Quill",
    mail: "ada@pelican.example",
};
const ACADEMIC: Party = Party {
    slug: "university-of-orrin",
    name: "University of Orrin",
    sector: Sector::Academic,
    // Made up, with check digits that fit.
    ror: Some("0demnrs73"),
    person: "Bel Corfen",
    mail: "bel@orrin.example",
};
const BRIMFUL: Party = Party {
    slug: "kestrel-press",
    name: "Kestrel Press",
    sector: Sector::Commercial,
    ror: None,
    person: "Jor Selwyn",
    mail: "jor@kestrel.example",
};

/// Who runs the demo's gateway; they belong to a library, so that they may decide for the others.
const OPERATOR: Party = Party {
    slug: "harbour-library",
    name: "Harbour Library",
    sector: Sector::Academic,
    ror: None,
    person: "Wren Hollis",
    mail: "wren@library.example",
};

/// A link by which somebody signs in once.
pub(super) struct SignInLink {
    pub(super) mail: &'static str,
    /// The path below the gateway's address.
    pub(super) path: String,
    pub(super) says: &'static str,
}

/// Somebody who can ask the demo's gateway.
pub(super) struct Requester {
    pub(super) entity: &'static str,
    pub(super) mail: &'static str,
    pub(super) token: String,
    says: String,
}

impl fmt::Display for Requester {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.says)
    }
}

/// Where the demo's operations are carried out.
pub(super) struct Desk {
    pub(super) context: Context,
    pub(super) actor: Actor,
}

impl Desk {
    fn carry_out(&self, operation: Operation) -> anyhow::Result<Value> {
        Ok(execute(operation, &self.context, &self.actor)?)
    }

    /// Makes everything up and enters it.
    pub(super) fn enter_everything(
        &self,
        demo: &Path,
        releases: &Path,
        ledger: &Ledger,
    ) -> anyhow::Result<()> {
        for party in [&COMMERCIAL, &ACADEMIC, &BRIMFUL] {
            self.enter(party)?;
        }
        self.exempt(&ACADEMIC)?;
        eprintln!("making up {} tweets …", show::separated(V1_TWEETS + V2_PAGES * PAGE_TWEETS));
        let sources = make_up(demo)?;
        let dataset = self.add_dataset(releases, &sources)?;
        eprintln!("charging {} until it is near its limit …", BRIMFUL.name);
        self.fill(ledger, &BRIMFUL, &dataset)
    }

    fn enter(&self, party: &Party) -> anyhow::Result<()> {
        let mut entity = entity::Add::new(party.slug, party.name, party.sector);
        entity.ror = party.ror.map(str::to_owned);
        self.carry_out(Operation::EntityAdd(entity))?;
        self.carry_out(Operation::PersonAdd(person::Add {
            mail: party.mail.into(),
            name: party.person.into(),
            entities: vec![party.slug.into()],
            role: Role::Manager,
        }))?;
        self.carry_out(Operation::PersonAccept(document::Accept {
            mail: party.mail.into(),
            documents: vec![document::ALL.into()],
            evidence: "made up by `hydrant demo`".into(),
        }))?;
        Ok(())
    }

    fn exempt(&self, party: &Party) -> anyhow::Result<()> {
        let needs_figure = self.context.profile.exemption == ExemptionRule::RegisteredAndPermitted;
        let applied = self.carry_out(Operation::ExemptionApply(Apply {
            slug: party.slug.into(),
            mail: party.mail.into(),
            role: "professor of linguistics (made up)".into(),
            purpose: "How harbours were spoken of in the spring of 2018 (made up)".into(),
            non_commercial: true,
            attestation: attestation::CURRENT.version.into(),
            signed_by: party.person.into(),
            reference: None,
            from_ms: None,
            until_ms: self.context.clock.now_ms() + GOOD_MS,
            ceiling_ids: needs_figure.then_some(EXEMPT_IDS),
        }))?;
        self.carry_out(Operation::ExemptionDecide {
            exemption: number(&applied),
            decision: Decision::Approve,
            reason: "so that the demo has an exempt entity".into(),
            conditions: None,
            ceiling_ids: None,
        })?;
        if needs_figure {
            self.permit(party, number(&applied))?;
        }
        Ok(())
    }

    /// Enters the platform's letter about an exemption, without which the profile lets it lift
    /// nothing.
    fn permit(&self, party: &Party, exemption: i64) -> anyhow::Result<()> {
        let now_ms = self.context.clock.now_ms();
        self.carry_out(Operation::PermissionAdd(permission::Add {
            slug: party.slug.into(),
            issuer: "the platform (made up)".into(),
            reference: "letter 1 (made up)".into(),
            issued_on: rfc3339(now_ms)[..10].to_owned(),
            from_ms: now_ms,
            until_ms: now_ms + GOOD_MS,
            ceiling_ids: Some(EXEMPT_IDS),
            exemption: Some(exemption),
            document_sha256: hex::encode(Sha256::digest("a letter that nobody wrote")),
            reason: "so that the demo's exemption holds".into(),
        }))?;
        Ok(())
    }

    fn add_dataset(&self, releases: &Path, sources: &[PathBuf]) -> anyhow::Result<Value> {
        let spec = Spec {
            ids: KindSet::only(IdKind::Tweet),
            scope: Scope::Own,
            damage: Damage::Refuse,
            objects: Objects::AsTheyLie,
            now_ms: self.context.clock.now_ms(),
        };
        let bar = Bar::over_files(sources);
        let built = release::build(sources, &spec, releases, &bar);
        bar.clear();
        let plan = Plan {
            slug: DATASET.into(),
            title: "Harbour talk of May and June 2018 (made up)".into(),
            ids: vec![IdKind::Tweet],
            scope: Scope::Own.word().into(),
            visibility: Visibility::SignedIn,
            entities: Vec::new(),
            embargo_ms: None,
            upstream: None,
        };
        let release = for_directory(&built?);
        self.carry_out(Operation::DatasetRegister { plan, release })
    }

    /// Charges an entity until [`LEFT_IDS`] are left to it, by whole deliveries of the protocol
    /// that every download goes through; only the sending is left out.
    fn fill(&self, ledger: &Ledger, party: &Party, dataset: &Value) -> anyhow::Result<()> {
        let people = self.carry_out(Operation::PersonList)?;
        let person = show::list(&people).iter().find(|row| show::field(row, "mail") == party.mail);
        let release = &dataset["release"];
        let ids = release["counts"]["tweet"].as_u64().unwrap_or_default();
        let order = |ordered_ids: u64, unheard: u64| Order {
            person: PersonId(person.map(number).unwrap_or_default()),
            credential: None,
            kind: IdKind::Tweet,
            ordered: Ordered::Release {
                dataset: number(dataset),
                release: Arc::from(show::field(release, "id")),
                ordinals: 0..ordered_ids,
                view: "demo".into(),
                gaps: Gaps::none(),
            },
            values: Some(Arc::new(Unheard(unheard))),
        };
        let ceiling = self.context.profile.tweet_ids_max;
        let mut left = ceiling.saturating_sub(LEFT_IDS);
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        while left > 0 {
            let ordered_ids = left.min(ids);
            runtime.block_on(deliver(ledger, order(ordered_ids, left)))?;
            left -= ordered_ids;
        }
        Ok(runtime.block_on(ledger.flush())?)
    }

    /// Makes links by which an operator and a researcher sign in; the operator is entered if an
    /// earlier demo had none.
    pub(super) fn invite(&self) -> anyhow::Result<[SignInLink; 2]> {
        let people = self.carry_out(Operation::PersonList)?;
        let is_operator = |row: &Value| show::field(row, "mail") == OPERATOR.mail;
        if !show::list(&people).iter().any(is_operator) {
            self.enter(&OPERATOR)?;
            let (mail, rank) = (OPERATOR.mail.into(), Some(Rank::Operator));
            self.carry_out(Operation::StaffAppoint { mail, rank })?;
        }
        Ok([
            self.link(&OPERATOR, "as Wren Hollis, who runs the gateway")?,
            self.link(&ACADEMIC, "as Bel Corfen of the University of Orrin")?,
        ])
    }

    fn link(&self, party: &Party, says: &'static str) -> anyhow::Result<SignInLink> {
        let invited = self.carry_out(Operation::PersonInvite { mail: party.mail.into() })?;
        let path = show::field(&invited, "path").to_owned();
        Ok(SignInLink { mail: party.mail, path, says })
    }

    /// Gives each person a new key, and voids those of earlier starts.
    pub(super) fn issue_keys(&self) -> anyhow::Result<[Requester; 3]> {
        Ok([
            self.issue(&COMMERCIAL, "has the ordinary ceiling")?,
            self.issue(&ACADEMIC, "has an approved academic exemption")?,
            self.issue(&BRIMFUL, "is near its ceiling")?,
        ])
    }

    fn issue(&self, party: &Party, says: &str) -> anyhow::Result<Requester> {
        let keys = self.carry_out(Operation::KeyList { mail: Some(party.mail.into()) })?;
        for key in show::list(&keys) {
            if show::field(key, "label") == LABEL && show::field(key, "status") == "active" {
                self.carry_out(Operation::KeyRevoke { key: KeyId(number(key)) })?;
            }
        }
        let issued = self.carry_out(Operation::KeyIssue(Issue {
            mail: party.mail.into(),
            label: Some(LABEL.into()),
            scope: KeyScope::Download,
            lifetime_ms: Some(GOOD_MS),
        }))?;
        Ok(Requester {
            entity: party.slug,
            mail: party.mail,
            token: show::field(&issued, "token").to_owned(),
            says: format!("{} of {}, which {says}", party.person, party.name),
        })
    }
}

/// The row number in an answer.
fn number(answer: &Value) -> i64 {
    show::field(answer, "id").parse().expect("an answer names its row by a number")
}

/// One delivery of which nothing is sent.
async fn deliver(ledger: &Ledger, order: Order) -> anyhow::Result<()> {
    let (mut delivery, first) = ledger.admit(order).await?;
    let mut granted = Some(first);
    while let Some(chunk) = granted {
        ledger.settle(chunk);
        granted = ledger.open(&mut delivery).await?;
    }
    ledger.end(delivery, Outcome::Complete);
    Ok(())
}

/// Writes the full tweets into `folder`.
/// IDs that nobody has heard of: where an ID counts once, only such use an allowance up. They are
/// all those below the number.
#[derive(Debug)]
struct Unheard(u64);

impl Values for Unheard {
    fn read(&self, ordinals: Range<u64>) -> io::Result<Vec<u64>> {
        Ok(ordinals.map(|ordinal| self.0 - ordinal).collect())
    }
}

fn make_up(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut maker = Maker::new(SEED);
    let v1 = folder.join("tweets-v1.jsonl");
    write(&v1, V1_TWEETS, |buffer| {
        maker.v1_line(buffer);
    })?;
    let v2 = folder.join("tweets-v2-pages.jsonl");
    write(&v2, V2_PAGES, |buffer| {
        maker.v2_page(PAGE_TWEETS, buffer);
    })?;
    Ok(vec![v1, v2])
}

fn write(path: &Path, records: u64, make: impl FnMut(&mut Vec<u8>)) -> anyhow::Result<()> {
    let mut file = File::create(path)?;
    crate::demo::stream(records, &mut file, make)?;
    Ok(file.flush()?)
}
