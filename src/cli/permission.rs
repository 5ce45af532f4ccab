//! `hydrant permission`: enters, lists and revokes written permissions of the platform.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::reach::operate;
use super::show::{self, Column, count, date, text};
use super::{Common, Done};
use crate::base::date::{begin_ms, end_ms};
use crate::directory::permission::Add;
use crate::operation::Operation;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Enter a letter that allows an entity more Tweet IDs while it is valid
    ///
    /// Of the letter itself only its SHA-256 is kept: keep the file. With --exemption it approves
    /// that exemption alone, for profiles under which the platform has to.
    Add(Letter),
    /// List all permissions
    List,
    /// End a permission early; downloads under way heed it
    Revoke {
        /// The permission's number, as `hydrant permission list` shows it
        #[arg(value_parser = number)]
        id: i64,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

#[derive(clap::Args)]
pub(crate) struct Letter {
    /// The entity that it is for
    slug: String,
    /// Who permits
    #[arg(long)]
    issuer: String,
    /// How they name their letter
    #[arg(long)]
    reference: String,
    /// The date of the letter, like 2027-06-30
    #[arg(long, value_name = "DATE")]
    issued_on: String,
    /// The first day, in UTC; or a time with its zone
    #[arg(long, value_name = "DATE", value_parser = begin_ms)]
    from: i64,
    /// The last day, in UTC; or a time with its zone
    #[arg(long, value_name = "DATE", value_parser = end_ms)]
    until: i64,
    #[command(flatten)]
    most: Most,
    /// The exemption that it approves, by its number
    #[arg(long, value_name = "ID")]
    exemption: Option<i64>,
    /// The letter
    #[arg(long, value_name = "FILE")]
    document: PathBuf,
    /// Why it is entered
    #[arg(long)]
    reason: String,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Most {
    /// Up to how many IDs in any window
    #[arg(long, value_name = "N")]
    ceiling: Option<u64>,
    /// It names no ceiling
    #[arg(long)]
    no_ceiling: bool,
}

fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is no permission number; `hydrant permission list` shows them")
    })
}

const COLUMNS: &[Column] = &[
    text("id", "id"),
    text("entity", "entity"),
    text("status", "standing"),
    count("ceiling", "ceiling", "none"),
    date("from", "from"),
    text("lasts", "lasts"),
    text("for", "for"),
    text("issuer", "issuer"),
    text("reference", "reference"),
    text("dated", "issued_on"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Add(letter) => add(common, letter),
        Command::List => list(common),
        Command::Revoke { id: permission, reason } => {
            let answer = operate(common, Operation::PermissionRevoke { permission, reason })?;
            if common.json {
                show::json(&answer)?;
            } else {
                let entity = show::field(&answer, "entity");
                eprintln!("permission {permission} of `{entity}` has ended");
            }
            Ok(Done::Clean)
        }
    }
}

fn add(common: &Common, letter: Letter) -> anyhow::Result<Done> {
    let document_sha256 = digest(&letter.document)?;
    let Letter { slug, issuer, reference, issued_on, exemption, reason, .. } = letter;
    let request = Add {
        slug,
        issuer,
        reference,
        issued_on,
        from_ms: letter.from,
        until_ms: letter.until,
        ceiling_ids: letter.most.ceiling,
        exemption,
        document_sha256,
        reason,
    };
    let answer = operate(common, Operation::PermissionAdd(request))?;
    if common.json {
        show::json(&answer)?;
    } else {
        let most = answer["ceiling"].as_u64();
        let most = most.map_or("any number of".to_owned(), show::separated);
        let what = match answer["exemption"].as_str() {
            Some(exemption) => format!("exemption {exemption} is approved for {most} IDs"),
            None => format!("`{}` may have {most} Tweet IDs", show::field(&answer, "entity")),
        };
        eprintln!(
            "permission {} is entered: {what} from {} {}; its letter has the SHA-256 {}",
            show::field(&answer, "id"),
            show::minute(show::field(&answer, "from")),
            show::until(show::field(&answer, "until")),
            show::field(&answer, "document_sha256"),
        );
    }
    Ok(Done::Clean)
}

fn digest(path: &Path) -> anyhow::Result<String> {
    let letter =
        fs::read(path).with_context(|| format!("cannot read the letter {}", path.display()))?;
    Ok(hex::encode(Sha256::digest(letter)))
}

fn list(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::PermissionList)?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("there are no permissions yet; `hydrant permission add` enters one");
    } else {
        table(show::list(&answer))?;
    }
    Ok(Done::Clean)
}

/// Prints permissions as a table.
pub(crate) fn table(permissions: &[Value]) -> anyhow::Result<()> {
    let rows: Vec<Value> = permissions.iter().map(row).collect();
    show::table(&rows, COLUMNS)
}

/// A permission as one line of the list.
fn row(permission: &Value) -> Value {
    let mut row = permission.clone();
    row["lasts"] = match permission["revoked"].as_str() {
        Some(revoked) => format!("until {}", show::minute(revoked)).into(),
        None => show::until(show::field(permission, "until")).into(),
    };
    row["for"] = match permission["exemption"].as_str() {
        Some(exemption) => format!("exemption {exemption}").into(),
        None => "Tweet IDs".into(),
    };
    row
}
