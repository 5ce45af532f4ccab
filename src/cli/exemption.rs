//! `hydrant exemption`: applies for academic exemptions and decides about them.

use clap::Subcommand;
use serde_json::Value;

use super::reach::operate;
use super::show::{self, Column, date, text};
use super::{Common, Done};
use crate::base::date::end_ms;
use crate::directory::exemption::{Apply, Decision};
use crate::operation::Operation;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Apply on behalf of an academic institution
    Apply {
        /// The institution, an entity of the sector academic
        slug: String,
        /// The mail address of who applies; a person of that entity
        #[arg(long, value_name = "MAIL")]
        person: String,
        /// The non-commercial research that it is for
        #[arg(long)]
        purpose: String,
        /// The last day, in UTC, like 2027-06-30; or a time with its zone
        #[arg(long, value_name = "DATE", value_parser = end_ms)]
        until: i64,
    },
    /// List all exemptions
    List,
    /// Approve an application: the exemption is in force from now on
    Approve(Judgement),
    /// Refuse an application
    Refuse(Judgement),
    /// End an exemption early; downloads under way heed it
    Revoke(Judgement),
}

#[derive(clap::Args)]
pub(crate) struct Judgement {
    /// The exemption's number, as `hydrant exemption list` shows it
    #[arg(value_parser = number)]
    id: i64,
    /// Why
    #[arg(long)]
    reason: String,
}

fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is no exemption number; `hydrant exemption list` shows them")
    })
}

const COLUMNS: &[Column] = &[
    text("id", "id"),
    text("entity", "entity"),
    text("person", "person"),
    text("status", "standing"),
    date("from", "from"),
    text("lasts", "lasts"),
    text("purpose", "purpose"),
    text("reason", "reason"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Apply { slug, person, purpose, until } => {
            apply(common, Apply { slug, mail: person, purpose, until_ms: until })
        }
        Command::List => list(common),
        Command::Approve(judgement) => decide(common, Decision::Approve, judgement),
        Command::Refuse(judgement) => decide(common, Decision::Refuse, judgement),
        Command::Revoke(judgement) => decide(common, Decision::Revoke, judgement),
    }
}

fn apply(common: &Common, request: Apply) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::ExemptionApply(request))?;
    if common.json {
        show::json(&answer)?;
    } else {
        let (id, entity) = (show::field(&answer, "id"), show::field(&answer, "entity"));
        eprintln!(
            "application {id} of `{entity}`, {}, waits; \
             `hydrant exemption approve {id} --reason TEXT` brings it into force",
            show::until(show::field(&answer, "until"))
        );
    }
    Ok(Done::Clean)
}

fn decide(common: &Common, decision: Decision, judgement: Judgement) -> anyhow::Result<Done> {
    let Judgement { id: exemption, reason } = judgement;
    let answer = operate(common, Operation::ExemptionDecide { exemption, decision, reason })?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    let entity = show::field(&answer, "entity");
    let until = show::until(show::field(&answer, "until"));
    match decision {
        Decision::Approve => eprintln!("`{entity}` is exempt from now {until}"),
        Decision::Refuse => eprintln!("application {exemption} of `{entity}` is refused"),
        Decision::Revoke => eprintln!("exemption {exemption} of `{entity}` has ended"),
    }
    Ok(Done::Clean)
}

fn list(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::ExemptionList)?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("there are no exemptions yet; `hydrant exemption apply` asks for one");
    } else {
        table(show::list(&answer))?;
    }
    Ok(Done::Clean)
}

/// Prints exemptions as a table.
pub(crate) fn table(exemptions: &[Value]) -> anyhow::Result<()> {
    let rows: Vec<Value> = exemptions.iter().map(row).collect();
    show::table(&rows, COLUMNS)
}

/// An exemption as one line of the list.
fn row(exemption: &Value) -> Value {
    let mut row = exemption.clone();
    let standing = match (show::field(exemption, "status"), &exemption["in_force"]) {
        ("approved", Value::Bool(true)) => "in force",
        ("approved", _) => "ended",
        (status, _) => status,
    };
    row["standing"] = standing.into();
    row["lasts"] = show::until(show::field(exemption, "until")).into();
    if exemption["revoked"].is_string() {
        let reasons = ["reason", "revoked_reason"].map(|name| show::field(exemption, name));
        row["lasts"] = format!("until {}", show::minute(show::field(exemption, "revoked"))).into();
        row["reason"] = format!("{}; revoked: {}", reasons[0], reasons[1]).into();
    }
    row
}
