//! `hydrant person`: enters, lists, suspends, resumes, exports and erases people, and records what
//! they accepted. How they come to belong to further entities stands in `join`.

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};

use super::reach::operate;
use super::show::{self, Column, date, text};
use super::{Common, Done, identity, join};
use crate::directory::document::{self, Accept, DOCUMENTS};
use crate::directory::identity::Unlink;
use crate::directory::join::Propose;
use crate::directory::person::Add;
use crate::directory::words::{Rank, Role, Side};
use crate::operation::Operation;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Enter a person
    Add {
        /// Their mail address
        mail: String,
        /// Their name
        #[arg(long)]
        name: String,
        /// An entity that they belong to; may be repeated
        #[arg(long = "entity", value_name = "SLUG", required = true)]
        entities: Vec<String>,
        /// What they are in it
        #[arg(long, default_value = "member", value_parser = role_parser())]
        role: Role,
    },
    /// List all people
    List,
    /// Propose that a person belongs to a further entity, and show what they bring along
    Join {
        /// Their mail address
        mail: String,
        /// The further entity
        #[arg(long, value_name = "SLUG")]
        entity: String,
        /// What they would be in it
        #[arg(long, default_value = "member", value_parser = role_parser())]
        role: Role,
        /// Only show what they would bring along
        #[arg(long)]
        dry_run: bool,
    },
    /// List the proposals that wait for a consent
    Joins,
    /// Record that one side of a proposal consents; the last consent carries it out
    Consent {
        /// The proposal's number
        number: i64,
        /// Which side
        #[arg(long = "for", value_name = "SIDE", value_parser = side_parser())]
        side: Side,
        /// Where the paper lies that shows it
        #[arg(long, value_name = "TEXT")]
        evidence: Option<String>,
    },
    /// Give a proposal up
    Withdraw {
        /// The proposal's number
        number: i64,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Let a person leave an entity; what they received stays with it, and goes with them
    Leave {
        /// Their mail address
        mail: String,
        /// The entity
        #[arg(long, value_name = "SLUG")]
        entity: String,
    },
    /// Change what a person is in an entity
    Role {
        /// Their mail address
        mail: String,
        /// The entity
        #[arg(long, value_name = "SLUG")]
        entity: String,
        /// What they are in it from now on
        #[arg(long = "as", value_name = "ROLE", value_parser = role_parser())]
        role: Role,
    },
    /// List the identities at OpenID providers by which a person may sign in
    Identities {
        /// Their mail address
        mail: String,
    },
    /// Take the identities of a person at an OpenID provider away; their sessions go on
    Unlink {
        /// Their mail address
        mail: String,
        /// The provider, as `hydrant person identities` shows it
        #[arg(long, value_name = "URL")]
        issuer: String,
        /// Only the identity of that subject
        #[arg(long, value_name = "TEXT")]
        subject: Option<String>,
    },
    /// Print everything that is held of a person, as JSON
    Export {
        /// Their mail address
        mail: String,
    },
    /// Erase a person for good; what they were charged goes on counting
    Erase {
        /// Their mail address
        mail: String,
        /// Why, without their name
        #[arg(long)]
        reason: String,
    },
    /// Let a person receive nothing until they are resumed
    Suspend {
        /// Their mail address
        mail: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let a suspended person receive again
    Resume {
        /// Their mail address
        mail: String,
    },
    /// Print a link by which a person signs in once within 15 minutes
    Invite {
        /// Their mail address
        mail: String,
    },
    /// Let a person run the gateway as operator or auditor, or no longer
    Appoint {
        /// Their mail address
        mail: String,
        /// What they may do; none takes it away
        #[arg(long = "as", value_name = "RANK", value_parser = rank_parser())]
        rank: AppointedRank,
    },
    /// Record that a person accepted documents, for instance on a signed paper
    Accept {
        /// Their mail address
        mail: String,
        /// Which documents; separated by commas
        #[arg(long, value_delimiter = ',', required = true, value_parser = document_parser())]
        documents: Vec<String>,
        /// What shows it, such as where the signed paper lies
        #[arg(long, value_name = "TEXT")]
        evidence: String,
    },
}

pub(super) fn role_parser() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::WORDS)
        .map(|word| Role::from_word(&word).expect("the parser takes these words only"))
}

fn side_parser() -> impl TypedValueParser<Value = Side> {
    PossibleValuesParser::new(Side::WORDS)
        .map(|word| Side::from_word(&word).expect("the parser takes these words only"))
}

/// A rank, or that there is none: a type of its own, because an `Option` is an absent flag.
#[derive(Clone, Copy)]
pub(crate) struct AppointedRank(Option<Rank>);

fn rank_parser() -> impl TypedValueParser<Value = AppointedRank> {
    PossibleValuesParser::new(Rank::WORDS.iter().copied().chain(["none"]))
        .map(|word| AppointedRank(Rank::from_word(&word)))
}

fn document_parser() -> PossibleValuesParser {
    let names = DOCUMENTS.iter().map(|(name, _)| *name);
    PossibleValuesParser::new(std::iter::once(document::ALL).chain(names))
}

const COLUMNS: &[Column] = &[
    text("mail", "mail"),
    text("name", "name"),
    text("entities", "entities"),
    text("status", "status"),
    text("documents", "documents"),
    date("since", "created"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Add { mail, name, entities, role } => {
            let request = Add { mail, name, entities, role };
            change(common, Operation::PersonAdd(request), "is entered")
        }
        Command::List => list(common),
        Command::Join { mail, entity: slug, role, dry_run } => {
            let then = match dry_run {
                true => Operation::PersonJoinEffect,
                false => Operation::PersonJoin,
            };
            join::propose(common, Propose { mail, slug, role }, then)
        }
        Command::Joins => join::list(common),
        Command::Consent { number, side, evidence } => {
            join::decide(common, Operation::JoinConsent { join: number, side, evidence })
        }
        Command::Withdraw { number, reason } => {
            join::decide(common, Operation::JoinWithdraw { join: number, reason })
        }
        Command::Leave { mail, entity: slug } => {
            let done = format!("has left `{slug}`");
            change(common, Operation::PersonLeave { mail, slug }, &done)
        }
        Command::Role { mail, entity: slug, role } => {
            let done = format!("is {} of `{slug}` from now on", role.word());
            change(common, Operation::PersonRole { mail, slug, role }, &done)
        }
        Command::Identities { mail } => identity::list(common, mail),
        Command::Unlink { mail, issuer, subject } => {
            identity::unlink(common, Unlink { mail, issuer, subject })
        }
        Command::Export { mail } => {
            show::json(&operate(common, Operation::PersonExport { mail })?)?;
            Ok(Done::Clean)
        }
        Command::Erase { mail, reason } => erase(common, mail, reason),
        Command::Suspend { mail, reason } => {
            let operation = Operation::PersonSuspend { mail, reason };
            change(common, operation, "is suspended and receives nothing")
        }
        Command::Resume { mail } => {
            change(common, Operation::PersonResume { mail }, "may receive again")
        }
        Command::Invite { mail } => invite(common, mail),
        Command::Appoint { mail, rank: AppointedRank(rank) } => {
            let done = match rank {
                Some(Rank::Operator) => "is an operator",
                Some(Rank::Auditor) => "is an auditor",
                None => "does not run the gateway any more",
            };
            change(common, Operation::StaffAppoint { mail, rank }, done)
        }
        Command::Accept { mail, documents, evidence } => {
            let request = Accept { mail, documents, evidence };
            change(common, Operation::PersonAccept(request), "has accepted what you named")
        }
    }
}

fn change(common: &Common, operation: Operation, done: &str) -> anyhow::Result<Done> {
    let answer = operate(common, operation)?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    let mail = show::field(&answer, "mail");
    eprintln!("`{mail}` {done}");
    hint_at_missing(mail, &answer);
    Ok(Done::Clean)
}

fn erase(common: &Common, mail: String, reason: String) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::PersonErase { mail, reason })?;
    if common.json {
        show::json(&answer)?;
    } else {
        eprintln!(
            "they are erased; what they received counts on until it leaves its window, also if \
             the same address is entered again"
        );
    }
    Ok(Done::Clean)
}

/// Says how a person gets the documents out of the way that they have yet to accept.
pub(crate) fn hint_at_missing(mail: &str, answer: &Value) {
    let missing = show::list(&answer["documents_missing"]).len();
    if missing > 0 {
        eprintln!(
            "{missing} of {} documents are not accepted yet: \
             `hydrant person accept {mail} --documents all --evidence TEXT` records it",
            DOCUMENTS.len()
        );
    }
}

fn invite(common: &Common, mail: String) -> anyhow::Result<Done> {
    let server = common.settings(None)?.server;
    let mut answer = operate(common, Operation::PersonInvite { mail })?;
    let address = server.public_url.unwrap_or_else(|| format!("http://{}", server.listen));
    let link = format!("{address}{}", show::field(&answer, "path"));
    answer["link"] = json!(link);
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    show::print(&link)?;
    eprintln!(
        "by this link `{}` signs in once, until {}; whoever has it is them",
        show::field(&answer, "mail"),
        show::until(show::field(&answer, "expires"))
    );
    Ok(Done::Clean)
}

fn list(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::PersonList)?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("there are no people yet; `hydrant person add` enters one");
    } else {
        let rows: Vec<Value> = show::list(&answer).iter().map(row).collect();
        show::table(&rows, COLUMNS)?;
    }
    Ok(Done::Clean)
}

/// A person as one line of the list.
fn row(person: &Value) -> Value {
    let mut row = person.clone();
    let entity = |membership: &Value| {
        let (slug, role) = (show::field(membership, "entity"), show::field(membership, "role"));
        if role == Role::Member.word() { slug.to_owned() } else { format!("{slug} ({role})") }
    };
    let memberships = show::list(&person["memberships"]);
    row["entities"] = memberships.iter().map(entity).collect();
    row["documents"] = match show::list(&person["documents_missing"]).len() {
        0 => json!("accepted"),
        missing => json!(format!("{missing} missing")),
    };
    row
}
