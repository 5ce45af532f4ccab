//! `hydrant ledger`: how the ledger stands, what time it has, and the way out of a freeze.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::reach::operate;
use super::show::{self, Column, count, date, text};
use super::{Common, Done};
use crate::operation::{Operation, ThawRequest};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show whether the ledger charges or is frozen, its time, and where its head is kept
    Status,
    /// Thaw a frozen ledger, which goes on without what it has lost
    Thaw {
        /// Why it may go on, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The folder of an exported audit log that has what the database has lost
        #[arg(long, value_name = "DIR")]
        journal: Option<PathBuf>,
        /// What an entity is proven to have received, where that is more than its ceiling; may be
        /// given several times
        #[arg(long, value_name = "ENTITY=IDS", value_parser = proven)]
        proven: Vec<(String, u64)>,
    },
    /// Look after the ledger's clock
    #[command(subcommand)]
    Clock(Clock),
}

#[derive(Subcommand)]
pub(crate) enum Clock {
    /// Say that this machine's clock is right, after a start at which nothing else says so
    Accept {
        /// How that is known, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

const STATUS: &[Column] = &[
    text("ledger", "state"),
    text("why", "why"),
    date("frozen since", "frozen_since"),
    count("entries in the log", "log_size", ""),
    count("entries known", "known_size", ""),
    count("signed up to", "checkpoint_size", ""),
    date("ledger time", "time"),
    text("wall clock", "wall_clock"),
];
const COPIES: &[Column] =
    &[text("copy", "path"), count("signed up to", "size", ""), text("failure", "failure")];
const PHANTOMS: &[Column] =
    &[text("entity", "entity"), text("kind", "kind"), count("charged", "ids", "")];

fn proven(said: &str) -> Result<(String, u64), String> {
    let (slug, ids) = said.split_once('=').ok_or("write it as ENTITY=IDS, like library=2000000")?;
    let ids = ids.replace(['_', ','], "");
    let ids = ids.parse().map_err(|_| format!("{ids} is no number of IDs"))?;
    Ok((slug.to_owned(), ids))
}

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Status => status(common),
        Command::Thaw { reason, journal, proven } => {
            // The gateway, which may carry this out, stands in another folder.
            let journal = journal.map(std::path::absolute).transpose()?;
            let proven: BTreeMap<String, u64> = proven.into_iter().collect();
            thaw(common, ThawRequest { reason, journal, proven })
        }
        Command::Clock(Clock::Accept { reason }) => {
            let answer = operate(common, Operation::LedgerClockAccept { reason })?;
            if common.json {
                show::json(&answer)?;
            } else {
                eprintln!("ledger time is {}", show::minute(show::field(&answer, "time")));
            }
            Ok(Done::Clean)
        }
    }
}

fn status(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::LedgerStatus)?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    show::table(std::slice::from_ref(&answer), STATUS)?;
    let copies = [show::list(&answer["copies"]), show::list(&answer["failures"])].concat();
    if copies.is_empty() {
        eprintln!(
            "the log's head is kept nowhere but in the database, so a restored backup goes \
             unnoticed: name files on other devices with `audit.checkpoint_copies`"
        );
    } else {
        show::table(&copies, COPIES)?;
    }
    if show::field(&answer, "state") == "frozen" {
        eprintln!(
            "The database is not the newest one: charges are missing in it, so nothing goes out.\n\
             1. If the newest database still exists, stop the gateway and put that one back.\n\
             2. Otherwise, if somebody has an export of the audit log that is newer:\n   \
             hydrant ledger thaw --journal DIR --reason TEXT\n\
             3. Otherwise: hydrant ledger thaw --reason TEXT\n   \
             Each entity is then charged its whole ceiling for one window, since it may have \
             received as much; --proven ENTITY=IDS names a larger figure that you know."
        );
    }
    Ok(Done::Clean)
}

fn thaw(common: &Common, request: ThawRequest) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::LedgerThaw(request))?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    let number = |name: &str| answer[name].as_u64().unwrap_or(0);
    eprintln!(
        "the ledger charges again; its log had {} entries where {} were known, and {} came back",
        number("log_size"),
        number("known_size"),
        number("replayed")
    );
    let phantoms = show::list(&answer["phantoms"]);
    if !phantoms.is_empty() {
        eprintln!("for what is lost these are charged from now on, for one window:");
        show::table(phantoms, PHANTOMS)?;
    }
    let exempt = show::list(&answer["exempt"]);
    if !exempt.is_empty() {
        let names: Vec<&str> = exempt.iter().filter_map(Value::as_str).collect();
        eprintln!("exempt, and charged nothing for it: {}", names.join(", "));
    }
    for path in show::list(&answer["moved"]) {
        eprintln!(
            "a head that the log goes on without was moved to {}",
            show::field(&json!({"path": path}), "path")
        );
    }
    Ok(Done::Clean)
}
