//! `hydrant migrate`: moves a store from the database file to a PostgreSQL database.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::instance::settle;
use super::show::{self, Column, count, text};
use super::{Common, Done};
use crate::store::{Address, Place, Totals, abandon_move, move_store};

/// Move the store from its file to a PostgreSQL database
///
/// With the gateway stopped. Copies every table in one transaction, proves that all of it arrived,
/// and prints the proof; otherwise nothing is kept at the target. The file stays where it is, but
/// no gateway starts on it any more. Releases stay in the data folder.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The database, empty: postgres://user:password@host:5432/database
    #[arg(long, value_name = "URL", required_unless_present_any = ["to_file", "abandon"])]
    to: Option<String>,
    /// A file whose first line is the database's URL, so that no list of processes shows it
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    to_file: Option<PathBuf>,
    /// Use the file again after a move that was broken off
    #[arg(long, conflicts_with_all = ["to", "to_file"])]
    abandon: bool,
}

/// What a store in a file calls its one gateway.
const INSTANCE: &str = "local";

const TABLES: &[Column] =
    &[text("table", "table"), count("rows", "rows", ""), text("SHA-256", "sha256")];
const METERS: &[Column] = &[
    text("meters", "meters"),
    count("live", "live", ""),
    count("settled", "settled", ""),
    count("open", "open", ""),
    count("held", "held", ""),
];

pub(crate) fn run(common: &Common, arguments: Arguments) -> anyhow::Result<Done> {
    let settings = common.settings(None)?;
    let folder = super::existing_folder(&settings)?;
    let place = super::place(&settings, &folder);
    let Some(file) = place.file() else {
        bail!("the store is on a server already: {place}");
    };
    if !file.is_file() {
        bail!("there is no store at {}", file.display());
    }
    let _lock = folder.lock(&format!("hydrant migrate (process {})", std::process::id()))?;
    if arguments.abandon {
        let begun = abandon_move(file)?;
        eprintln!("{}", if begun { "the file is used again" } else { "no move was broken off" });
        return Ok(Done::Clean);
    }
    let target = address(&arguments)?;
    let totals = move_store(file, &target, common.clock().now_ms())?;
    let answer = described(&totals, &target);
    if common.json {
        show::json(&answer)?;
    } else {
        show::table(show::list(&answer["tables"]), TABLES)?;
        show::print("")?;
        show::table(std::slice::from_ref(&answer["sums"]), METERS)?;
        eprintln!("both databases hold the same; set store.url to {target} in the settings");
    }
    // Whoever holds the folder's lock knows that the file's gateway is not alive.
    settle(common, &target, INSTANCE, "the store moved from a file to a server").context(
        "the store has moved, but what its last gateway left open still counts as open: \
         `hydrant instance retire local --reason …` settles it",
    )?;
    Ok(Done::Clean)
}

fn address(arguments: &Arguments) -> anyhow::Result<Address> {
    let text = match (&arguments.to, &arguments.to_file) {
        (Some(url), _) => url.clone(),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            text.lines().next().unwrap_or_default().trim().to_owned()
        }
        (None, None) => unreachable!("the parser of the command line wants one of them"),
    };
    match Place::parse(&text)? {
        Place::Server(address) => Ok(address),
        Place::File(_) => bail!("a store moves to a server: --to postgres://…"),
    }
}

fn described(totals: &Totals, target: &Address) -> Value {
    let tables = totals.tables.iter().map(|table| {
        json!({ "table": table.name, "rows": table.rows, "sha256": hex::encode(table.sha256) })
    });
    let meters = totals.meters.iter().map(|meter| {
        json!({
            "meter": meter.name,
            "live": meter.live_ids,
            "settled": meter.settled_ids,
            "open": meter.open_ids,
            "held": meter.held_ids,
        })
    });
    let sum = |of: fn(&crate::store::MeterTotals) -> u64| totals.meters.iter().map(of).sum::<u64>();
    json!({
        "target": target.to_string(),
        "tables": tables.collect::<Vec<_>>(),
        "meters": meters.collect::<Vec<_>>(),
        "sums": {
            "meters": totals.meters.len().to_string(),
            "live": sum(|meter| meter.live_ids),
            "settled": sum(|meter| meter.settled_ids),
            "open": sum(|meter| meter.open_ids),
            "held": sum(|meter| meter.held_ids),
        },
        "journal": totals.journal.as_ref().map(|head| {
            json!({ "leaves": head.sequence, "last_sha256": hex::encode(head.sha256) })
        }),
    })
}
