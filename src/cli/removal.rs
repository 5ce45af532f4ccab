//! `hydrant removal`: lists of what must no longer be distributed come into force, are listed and
//! reverted. Lists are read here, whether a gateway runs or not; it is told what they say.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};

use super::progress::{Bar, Spinner};
use super::reach::operate;
use super::show::{self, Column, count, date, separated, text};
use super::{Common, Done};
use crate::base::ids::IdKind;
use crate::operation::{Effect, Operation, Removal};
use crate::removal::{self, Damage, KINDS, List};

/// How many places of damage are shown to people.
const PLACES_SHOWN: usize = 10;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Put lists in force: results of compliance jobs, notices of streams, or bare IDs
    Import(Import),
    /// List all imports
    List,
    /// Let an import count no longer, as a whole
    Revert {
        /// The import's number
        #[arg(value_name = "ID")]
        import: i64,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Show who was sent lines that are removed by now
    Holders,
}

#[derive(clap::Args)]
pub(crate) struct Import {
    /// The lists, plain or packed
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// What IDs are that do not say it themselves: those of bare lists and of compliance jobs
    #[arg(long, value_parser = kind_parser())]
    pub(super) kind: Option<IdKind>,
    /// Why
    #[arg(long)]
    pub(super) reason: String,
    /// Only tell what it would do
    #[arg(long)]
    pub(super) dry_run: bool,
}

fn kind_parser() -> impl TypedValueParser<Value = IdKind> {
    PossibleValuesParser::new(KINDS.map(IdKind::word))
        .map(|word| IdKind::from_word(&word).expect("the parser takes these words only"))
}

const IMPORTS: &[Column] = &[
    text("id", "id"),
    text("state", "state"),
    text("files", "files"),
    count("events", "events", ""),
    count("lines gone", "lines_removed", ""),
    count("lines back", "lines_restored", ""),
    text("reason", "reason"),
    date("since", "created"),
    date("reverted", "reverted"),
];

const HOLDERS: &[Column] = &[
    text("person", "person"),
    text("dataset", "dataset"),
    text("IDs", "ids"),
    count("removed lines", "lines", ""),
    count("in file", "file", ""),
    text("release", "release"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Import(arguments) => import(common, arguments),
        Command::List => list(common),
        Command::Revert { import, reason } => revert(common, import, reason),
        Command::Holders => holders(common),
    }
}

pub(super) fn import(common: &Common, arguments: Import) -> anyhow::Result<Done> {
    let Import { files, kind, reason, dry_run } = arguments;
    let bar = Bar::over_files(&files);
    let list = removal::read(&files, kind, &bar);
    bar.clear();
    let list = list?;
    let names: Vec<_> = files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
    let effect = if dry_run { Effect::Told } else { Effect::Real };
    let answer = hand_over(common, &list, names.join(", "), reason, effect)?;
    let damage = &list.report.places;
    if common.json {
        show::json(&answer)?;
    } else {
        tell(&list, &answer, dry_run)?;
    }
    for Damage { file, line, byte, says } in damage.iter().take(PLACES_SHOWN) {
        eprintln!("damaged: {file}, line {line}, byte {byte}: {says}");
    }
    let is_partial = tell_authorless(&answer);
    Ok(if list.report.damaged > 0 || is_partial { Done::WithDamage } else { Done::Clean })
}

/// Hands a list to whoever carries operations out: it reads it from a file beside its own, which
/// goes when it has.
fn hand_over(
    common: &Common,
    list: &List,
    name: String,
    reason: String,
    effect: Effect,
) -> anyhow::Result<Value> {
    let folder = common.settings(None)?.data_folder;
    let folder = if folder.is_dir() { folder.canonicalize()? } else { std::env::temp_dir() };
    let file = tempfile::Builder::new().prefix(".removal-").tempfile_in(&folder);
    let file = file.with_context(|| format!("cannot write the list to {}", folder.display()))?;
    removal::write_spool(file.as_file(), file.path(), list)?;
    let path: &Path = file.path();
    let spinner = Spinner::start("looking through all releases");
    let path = path.to_owned();
    let asked = Removal::ImportFile { path, name, reason, effect };
    let answer = operate(common, Operation::Removal(asked));
    spinner.clear();
    answer
}

fn tell(list: &List, answer: &Value, dry_run: bool) -> anyhow::Result<()> {
    let report = &list.report;
    let words = report.said.iter().map(|(word, lines)| format!("{} {word}", separated(*lines)));
    let words = words.collect::<Vec<_>>().join(", ");
    eprintln!(
        "read {} lines: {words}; {} about geodata alone, {} about other things, {} damaged",
        separated(report.lines),
        separated(report.scrub_geo),
        separated(report.other),
        separated(report.damaged),
    );
    if answer["repeated"] == true {
        eprintln!("nothing changes: import {} says the same", show::field(answer, "id"));
        return Ok(());
    }
    tell_effect(&answer["effect"], if dry_run { "would go" } else { "are gone" });
    if !dry_run {
        eprintln!("import {} is in force", show::field(answer, "id"));
    }
    Ok(())
}

fn tell_effect(effect: &Value, gone: &str) {
    let number = |field: &str| separated(effect[field].as_u64().unwrap_or_default());
    eprintln!(
        "{} Tweets and {} users {gone}, {} and {} come back; {} lines of releases {gone}, {} come \
         back",
        number("tweets_removed"),
        number("users_removed"),
        number("tweets_restored"),
        number("users_restored"),
        number("lines_removed"),
        number("lines_restored"),
    );
}

/// Says where removals by user cannot bite, and whether there is such a place.
fn tell_authorless(answer: &Value) -> bool {
    let places = show::list(&answer["effect"]["without_authors"]);
    for place in places {
        let datasets = show::list(&place["datasets"]).iter().filter_map(Value::as_str);
        let datasets = datasets.collect::<Vec<_>>().join(", ");
        eprintln!(
            "WARNING: {datasets}: nobody knows who wrote {} of its Tweets, so removals by user do \
             not reach them; build it from sources that tell, with `hydrant dataset refresh`",
            separated(place["tweets"].as_u64().unwrap_or_default()),
        );
    }
    !places.is_empty()
}

fn list(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::Removal(Removal::List))?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("nothing was ever removed; `hydrant removal import` puts a list in force");
    } else {
        let flat = |row: &Value| {
            let mut row = row.clone();
            for field in ["lines_removed", "lines_restored"] {
                row[field] = row["effect"][field].clone();
            }
            row
        };
        let rows: Vec<Value> = show::list(&answer).iter().map(flat).collect();
        show::table(&rows, IMPORTS)?;
    }
    Ok(Done::Clean)
}

fn revert(common: &Common, import: i64, reason: String) -> anyhow::Result<Done> {
    let spinner = Spinner::start("looking through all releases");
    let answer = operate(common, Operation::Removal(Removal::Revert { import, reason }));
    spinner.clear();
    let answer = answer?;
    if common.json {
        show::json(&answer)?;
    } else {
        tell_effect(&answer["effect"], "are gone");
        eprintln!("import {import} counts no longer");
    }
    Ok(Done::Clean)
}

fn holders(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::Removal(Removal::Holders))?;
    let holders = show::list(&answer["holders"]);
    if common.json {
        show::json(&answer)?;
    } else if holders.is_empty() {
        eprintln!("nobody was sent a line that is removed by now");
    } else {
        let named = |row: &Value| {
            let mut row = row.clone();
            if row["person"].is_null() {
                row["person"] = json!("(no longer known)");
            }
            row
        };
        show::table(&holders.iter().map(named).collect::<Vec<_>>(), HOLDERS)?;
    }
    Ok(Done::Clean)
}
