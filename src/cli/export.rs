//! `hydrant export`: who asked for files of full objects, how far they are, and ending one. Nobody
//! asks for a file here: that is for people in a browser.

use clap::Subcommand;

use super::reach::operate;
use super::show::{self, Column, date, text};
use super::{Common, Done};
use crate::operation::Operation;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List exports with their files, the newest first
    List {
        /// Only those of the person with this mail address
        #[arg(long, value_name = "MAIL")]
        person: Option<String>,
    },
    /// Show one export with its files
    Show {
        /// The export's number
        number: i64,
    },
    /// End a file: it is not made, or no longer handed out
    Cancel {
        /// The file's number
        number: i64,
        /// Why, for its person
        #[arg(long)]
        reason: String,
    },
}

const COLUMNS: &[Column] = &[
    text("file", "id"),
    text("export", "export"),
    text("person", "person"),
    text("dataset", "dataset"),
    text("as", "format"),
    text("part", "part"),
    date("planned", "planned"),
    text("state", "state"),
    text("objects", "objects"),
    text("fetched", "fetched"),
    date("kept until", "kept_until"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::List { person } => {
            let answer = operate(common, Operation::ExportList { mail: person })?;
            if common.json {
                show::json(&answer)?;
            } else if show::list(&answer).is_empty() {
                eprintln!("nobody has asked for files; people do so on the page /exports");
            } else {
                table(show::list(&answer))?;
            }
        }
        Command::Show { number } => {
            let answer = operate(common, Operation::ExportShow { export: number })?;
            if common.json {
                show::json(&answer)?;
            } else {
                table(&[answer])?;
            }
        }
        Command::Cancel { number, reason } => {
            let answer = operate(common, Operation::ExportCancel { file: number, reason })?;
            if common.json {
                show::json(&answer)?;
            } else {
                eprintln!("file {number} is not handed out any more");
            }
        }
    }
    Ok(Done::Clean)
}

/// A line for each file.
fn table(exports: &[serde_json::Value]) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for export in exports {
        for file in export["files"].as_array().into_iter().flatten() {
            let mut row = file.clone();
            row["export"] = export["id"].clone();
            for name in ["person", "dataset", "format"] {
                row[name] = export[name].clone();
            }
            rows.push(row);
        }
    }
    show::table(&rows, COLUMNS)
}
