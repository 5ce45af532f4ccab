//! `hydrant entity use-case`: what entities use what they receive for, and what is decided of it.

use clap::Subcommand;
use serde_json::Value;

use super::reach::operate;
use super::show::{self, Column, date, text};
use super::{Common, Done};
use crate::directory::use_case::Verdict;
use crate::operation::Operation;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Propose another use, which waits for an operator
    Propose {
        /// The entity
        slug: String,
        /// What it would use what it receives for
        #[arg(long, value_name = "TEXT")]
        purpose: String,
    },
    /// Bring the use that is proposed into force
    Approve(Judgement),
    /// Turn the use down that is proposed
    Refuse(Judgement),
    /// List every version
    List {
        /// Only those of this entity
        slug: Option<String>,
    },
}

#[derive(clap::Args)]
pub(crate) struct Judgement {
    /// The entity
    slug: String,
    /// Why
    #[arg(long)]
    reason: String,
}

const COLUMNS: &[Column] = &[
    text("entity", "entity"),
    text("version", "version"),
    text("use case", "purpose"),
    text("status", "status"),
    date("proposed", "proposed"),
    date("decided", "decided"),
    text("reason", "reason"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Propose { slug, purpose } => {
            change(common, Operation::UseCasePropose { slug, purpose })
        }
        Command::Approve(judgement) => decide(common, Verdict::Approve, judgement),
        Command::Refuse(judgement) => decide(common, Verdict::Refuse, judgement),
        Command::List { slug } => list(common, slug),
    }
}

fn decide(common: &Common, verdict: Verdict, judgement: Judgement) -> anyhow::Result<Done> {
    let Judgement { slug, reason } = judgement;
    change(common, Operation::UseCaseDecide { slug, verdict, reason })
}

fn change(common: &Common, operation: Operation) -> anyhow::Result<Done> {
    let answer = operate(common, operation)?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    let (slug, version) = (show::field(&answer, "entity"), &answer["version"]);
    match show::field(&answer, "status") {
        "proposed" => eprintln!(
            "version {version} of the use case of `{slug}` waits; \
             `hydrant entity use-case approve {slug} --reason TEXT` brings it into force"
        ),
        status => eprintln!("version {version} of the use case of `{slug}` is {status}"),
    }
    Ok(Done::Clean)
}

fn list(common: &Common, slug: Option<String>) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::UseCaseList { slug })?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("no use case is declared yet; `hydrant entity use-case propose` declares one");
    } else {
        table(show::list(&answer))?;
    }
    Ok(Done::Clean)
}

/// Prints versions as a table.
pub(crate) fn table(use_cases: &[Value]) -> anyhow::Result<()> {
    show::table(use_cases, COLUMNS)
}
