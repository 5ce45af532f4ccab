//! `hydrant exemption`: applies for academic exemptions and decides about them.

use anyhow::bail;
use clap::Subcommand;
use serde_json::Value;

use super::reach::operate;
use super::show::{self, Column, count, date, text};
use super::{Common, Done};
use crate::base::date::{begin_ms, end_ms};
use crate::directory::attestation;
use crate::directory::exemption::{Apply, Decision};
use crate::operation::Operation;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Apply on behalf of an academic institution
    ///
    /// While an exemption is in force, the application is for the time after it, without a gap.
    Apply(Application),
    /// Show what an applicant signs
    Text,
    /// List all exemptions
    List {
        /// Only the applications that wait for a decision
        #[arg(long)]
        waiting: bool,
    },
    /// Show one application or exemption with everything that it says
    Show {
        /// The exemption's number, as `hydrant exemption list` shows it
        #[arg(value_parser = number)]
        id: i64,
    },
    /// Approve an application: the exemption is in force from now on, or from its later beginning
    Approve {
        #[command(flatten)]
        judgement: Reasoned,
        /// What it is tied to
        #[arg(long, value_name = "TEXT")]
        conditions: Option<String>,
        /// Up to how many IDs in any window [default: as many as were wanted]
        #[arg(long, value_name = "N")]
        ceiling: Option<u64>,
    },
    /// Refuse an application
    Refuse(Reasoned),
    /// End an exemption early; downloads under way heed it
    Revoke(Reasoned),
}

#[derive(clap::Args)]
pub(crate) struct Application {
    /// The institution, an entity of the sector academic with a ROR identifier
    slug: String,
    /// The mail address of who applies; a person of that entity
    #[arg(long, value_name = "MAIL")]
    person: String,
    /// What they are there, such as professor of sociology
    #[arg(long)]
    role: String,
    /// The research that it is for
    #[arg(long)]
    purpose: String,
    /// They state that it is not commercial
    #[arg(long, required = true)]
    non_commercial: bool,
    /// The name with which they signed what `hydrant exemption text` shows
    #[arg(long = "signed-by", value_name = "NAME")]
    signed_by: String,
    /// What supports it: a letter, a grant, an address
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
    /// The first day, in UTC, like 2027-06-30; or a time with its zone [default: the end of the
    /// one in force, or as soon as it is approved]
    #[arg(long, value_name = "DATE", value_parser = begin_ms)]
    from: Option<i64>,
    /// The last day, in UTC, like 2027-06-30; or a time with its zone
    #[arg(long, value_name = "DATE", value_parser = end_ms)]
    until: i64,
    /// For how many IDs in any window, where the profile wants a figure
    #[arg(long, value_name = "N")]
    ceiling: Option<u64>,
}

#[derive(clap::Args)]
pub(crate) struct Reasoned {
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

const FIELDS: &[Column] = &[
    text("Exemption", "id"),
    text("Status", "standing"),
    text("Institution", "entity"),
    text("ROR", "ror"),
    text("Applicant", "person"),
    text("Role", "role"),
    text("Mail domain", "mail_domain"),
    text("Affiliation", "affiliation"),
    text("Purpose", "purpose"),
    text("Not commercial", "non_commercial"),
    text("Signed by", "signed_by"),
    date("Signed", "signed"),
    text("Attestation", "attestation"),
    text("Reference", "reference"),
    date("Wanted from", "wanted_from"),
    count("Wanted IDs", "wanted_ceiling", ""),
    date("Applied", "applied"),
    date("From", "from"),
    text("Lasts", "lasts"),
    count("Ceiling", "ceiling", ""),
    text("Conditions", "conditions"),
    text("Decided by", "decided_by"),
    text("Reason", "reason"),
    text("Revoked by", "revoked_by"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Apply(application) => apply(common, application),
        Command::Text => {
            let attestation = attestation::CURRENT;
            match common.json {
                true => show::json(&serde_json::to_value(attestation)?)?,
                false => show::print(attestation.text)?,
            }
            Ok(Done::Clean)
        }
        Command::List { waiting } => list(common, waiting),
        Command::Show { id } => one(common, id),
        Command::Approve { judgement, conditions, ceiling } => {
            decide(common, Decision::Approve, judgement, conditions, ceiling)
        }
        Command::Refuse(judgement) => decide(common, Decision::Refuse, judgement, None, None),
        Command::Revoke(judgement) => decide(common, Decision::Revoke, judgement, None, None),
    }
}

fn apply(common: &Common, application: Application) -> anyhow::Result<Done> {
    let Application { slug, person, role, purpose, non_commercial, signed_by, .. } = application;
    let request = Apply {
        slug,
        mail: person,
        role,
        purpose,
        non_commercial,
        attestation: attestation::CURRENT.version.to_owned(),
        signed_by,
        reference: application.reference,
        from_ms: application.from,
        until_ms: application.until,
        ceiling_ids: application.ceiling,
    };
    let answer = operate(common, Operation::ExemptionApply(request))?;
    if common.json {
        show::json(&answer)?;
    } else {
        let (id, entity) = (show::field(&answer, "id"), show::field(&answer, "entity"));
        let from = answer["wanted_from"].as_str();
        let from = from.map(|from| format!("from {} ", show::minute(from))).unwrap_or_default();
        eprintln!(
            "application {id} of `{entity}`, {from}{}, waits; \
             `hydrant exemption approve {id} --reason TEXT` brings it into force",
            show::until(show::field(&answer, "until"))
        );
    }
    Ok(Done::Clean)
}

fn decide(
    common: &Common,
    decision: Decision,
    judgement: Reasoned,
    conditions: Option<String>,
    ceiling_ids: Option<u64>,
) -> anyhow::Result<Done> {
    let Reasoned { id: exemption, reason } = judgement;
    let operation =
        Operation::ExemptionDecide { exemption, decision, reason, conditions, ceiling_ids };
    let answer = operate(common, operation)?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    let entity = show::field(&answer, "entity");
    let until = show::until(show::field(&answer, "until"));
    match decision {
        Decision::Approve if answer["in_force"] == true => {
            eprintln!("`{entity}` is exempt from now {until}");
        }
        Decision::Approve => {
            let from = show::minute(show::field(&answer, "from"));
            eprintln!("`{entity}` is exempt from {from} {until}");
        }
        Decision::Refuse => eprintln!("application {exemption} of `{entity}` is refused"),
        Decision::Revoke => eprintln!("exemption {exemption} of `{entity}` has ended"),
    }
    Ok(Done::Clean)
}

fn list(common: &Common, waiting: bool) -> anyhow::Result<Done> {
    let mut answer = operate(common, Operation::ExemptionList)?;
    if let Some(rows) = answer.as_array_mut().filter(|_| waiting) {
        rows.retain(|row| row["status"] == "applied");
    }
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() && waiting {
        eprintln!("no application waits");
    } else if show::list(&answer).is_empty() {
        eprintln!("there are no exemptions yet; `hydrant exemption apply` asks for one");
    } else {
        table(show::list(&answer))?;
    }
    Ok(Done::Clean)
}

fn one(common: &Common, id: i64) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::ExemptionList)?;
    let found = show::list(&answer).iter().find(|row| show::field(row, "id") == id.to_string());
    let Some(found) = found else {
        bail!("there is no exemption {id}; `hydrant exemption list` shows them");
    };
    if common.json {
        show::json(found)?;
        return Ok(Done::Clean);
    }
    let mut shown = row(found);
    let evidence = &found["evidence"];
    let domain = show::field(evidence, "mail_domain");
    let whose = match evidence["is_institutions"].as_bool() {
        Some(true) => "the institution's",
        Some(false) => "not the institution's",
        None => "no domain of the institution is known",
    };
    shown["mail_domain"] = format!("{domain} ({whose})").into();
    let asserted = show::list(&evidence["affiliations"]).iter().map(affiliation);
    shown["affiliation"] = asserted.collect::<Vec<_>>().join("; ").into();
    let said = if found["non_commercial"] == true { "stated" } else { "not stated" };
    shown["non_commercial"] = said.into();
    show::record(&shown, FIELDS)?;
    Ok(Done::Clean)
}

/// What an OpenID provider asserts, in a clause.
fn affiliation(asserted: &Value) -> String {
    let whose = match asserted["is_institutions"].as_bool() {
        Some(true) => ", of the institution",
        Some(false) => ", not of the institution",
        None => "",
    };
    let [affiliation, issuer, day] =
        ["affiliation", "issuer", "asserted"].map(|name| show::field(asserted, name));
    format!("{affiliation} (says {issuer} on {day}{whose})")
}

/// Prints exemptions as a table.
pub(crate) fn table(exemptions: &[Value]) -> anyhow::Result<()> {
    let rows: Vec<Value> = exemptions.iter().map(row).collect();
    show::table(&rows, COLUMNS)
}

/// An exemption as one line of the list.
fn row(exemption: &Value) -> Value {
    let mut row = exemption.clone();
    row["lasts"] = show::until(show::field(exemption, "until")).into();
    if exemption["revoked"].is_string() {
        let reasons = ["reason", "revoked_reason"].map(|name| show::field(exemption, name));
        row["lasts"] = format!("until {}", show::minute(show::field(exemption, "revoked"))).into();
        row["reason"] = format!("{}; revoked: {}", reasons[0], reasons[1]).into();
    }
    row
}
