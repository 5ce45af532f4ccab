//! `hydrant document`: lists the documents that people accept, and publishes new versions.

use clap::Subcommand;
use clap::builder::PossibleValuesParser;

use super::reach::operate;
use super::show::{self, Column, date, text};
use super::{Common, Done};
use crate::base::date::begin_ms;
use crate::directory::document::{DOCUMENTS, Publish};
use crate::operation::Operation;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the documents in force, and the versions that are to come
    List,
    /// Publish a version, which everybody has to accept from its day on
    #[command(disable_version_flag = true)]
    Publish {
        /// Which document
        #[arg(value_parser = PossibleValuesParser::new(DOCUMENTS.iter().map(|(name, _)| *name)))]
        name: String,
        /// What the version is called, such as the platform's date of it
        #[arg(long)]
        version: String,
        /// Where it can be read
        #[arg(long)]
        url: String,
        /// The first day, in UTC, like 2027-06-30; or a time with its zone [default: now]
        #[arg(long, value_name = "DATE", value_parser = begin_ms)]
        from: Option<i64>,
    },
}

const COLUMNS: &[Column] = &[
    text("document", "document"),
    text("version", "version"),
    date("from", "from"),
    text("by", "published_by"),
    text("address", "url"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::List => list(common),
        Command::Publish { name, version, url, from } => {
            publish(common, Publish { document: name, version, url, from_ms: from })
        }
    }
}

fn list(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::DocumentList)?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    show::table(show::list(&answer["in_force"]), COLUMNS)?;
    let upcoming = show::list(&answer["upcoming"]);
    if !upcoming.is_empty() {
        show::print("\nTo come:\n")?;
        show::table(upcoming, COLUMNS)?;
    }
    Ok(Done::Clean)
}

fn publish(common: &Common, request: Publish) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::DocumentPublish(request))?;
    if common.json {
        show::json(&answer)?;
    } else {
        eprintln!(
            "version {} of the {} is published: from {} on nobody begins a download without it",
            show::field(&answer, "version"),
            show::field(&answer, "title"),
            show::minute(show::field(&answer, "from")),
        );
    }
    Ok(Done::Clean)
}
