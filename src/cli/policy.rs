//! `hydrant policy`: shows the profile in force, tests one of a file, and puts another in force.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use super::reach::operate;
use super::show::{self, Column, count, date, text};
use super::{Common, Done};
use crate::operation::{Operation, profile_shown};
use crate::policy::Profile;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show the profile in force, with every number
    Show,
    /// Test a profile of a file and tell every mistake at once
    Check {
        /// The file
        file: PathBuf,
    },
    /// Put another profile in force, while no gateway runs
    Switch {
        /// A built-in profile, or the path of a file with a slash in it or .toml at its end
        /// [default: what policy.profile names]
        #[arg(value_name = "NAME|FILE")]
        profile: Option<String>,
        /// Change nothing: tell what would change, and who would have more than they may
        #[arg(long)]
        dry_run: bool,
        /// Why
        #[arg(long, required_unless_present = "dry_run")]
        reason: Option<String>,
    },
}

const FIELDS: &[Column] = &[
    text("Profile", "profile"),
    date("In force since", "since"),
    text("Put in force by", "actor"),
    text("Reason", "reason"),
    text("SHA-256", "sha256"),
];

const NUMBERS: &[Column] = &[text("number", "key"), text("value", "value")];

const CHANGES: &[Column] =
    &[text("number", "key"), text("before", "before"), text("after", "after")];

const DOCUMENTS: &[Column] =
    &[text("document", "name"), text("version", "version"), text("address", "url")];

const OVER: &[Column] = &[
    text("who", "who"),
    text("of", "unit"),
    count("has received", "live", ""),
    count("may have", "ceiling", ""),
    count("too many", "excess", ""),
    text("basis", "basis"),
    date("until", "until"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Show => show_in_force(common),
        Command::Check { file } => check(common, &file),
        Command::Switch { profile, dry_run: true, .. } => preview(common, profile.as_deref()),
        Command::Switch { profile, reason, .. } => {
            switch(common, profile.as_deref(), reason.unwrap_or_default())
        }
    }
}

fn show_in_force(common: &Common) -> anyhow::Result<Done> {
    let settings = common.settings(None)?;
    let answer = match settings.store.is_some() || settings.data_folder.is_dir() {
        true => operate(common, Operation::PolicyShow)?,
        false => profile_shown(&settings.profile, None),
    };
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    show::record(&answer, FIELDS)?;
    show::print("")?;
    let numbers = answer["numbers"].as_object().into_iter().flatten();
    let rows: Vec<Value> = numbers
        .filter(|(key, _)| *key != "documents")
        .map(|(key, value)| json!({ "key": key, "value": shown(value) }))
        .collect();
    show::table(&rows, NUMBERS)?;
    if answer["in_force"] == false {
        eprintln!("it comes into force at the first start of a gateway");
    } else if answer["profile"] != settings.profile.name.as_str() {
        eprintln!(
            "the settings want `{}`: no gateway starts until `hydrant policy switch` put it in \
             force, or policy.profile is set back",
            settings.profile.name
        );
    }
    Ok(Done::Clean)
}

/// A number with its separators, or a word.
fn shown(value: &Value) -> String {
    match (value.as_u64(), value.as_str()) {
        (Some(number), _) => show::separated(number),
        (None, Some(word)) => word.to_owned(),
        (None, None) if value.is_null() => "none".to_owned(),
        (None, None) => value.to_string(),
    }
}

fn check(common: &Common, file: &std::path::Path) -> anyhow::Result<Done> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the profile {}", file.display()))?;
    match Profile::parse(&text) {
        Ok(profile) if common.json => show::json(&json!({ "ok": true, "profile": profile.name }))?,
        Ok(profile) => eprintln!("`{}` is right: {}", profile.name, file.display()),
        Err(error) => {
            let mistakes: Vec<String> =
                error.mistakes.iter().map(|mistake| format!("  - {mistake}")).collect();
            let count = match mistakes.len() {
                1 => "1 mistake".to_owned(),
                count => format!("{count} mistakes"),
            };
            bail!("{} has {count} to correct:\n{}", file.display(), mistakes.join("\n"));
        }
    }
    Ok(Done::Clean)
}

/// The profile that is to be put in force, as TOML: it counts as the settings say.
fn wanted(common: &Common, profile: Option<&str>) -> anyhow::Result<String> {
    let settings = common.settings(None)?;
    let Some(name) = profile else { return Ok(settings.profile.toml()) };
    match common.raw_settings(None).profile_named(name) {
        Ok(profile) => Ok(profile.toml()),
        Err(mistakes) => bail!("{name}: {}", mistakes.join("; ")),
    }
}

fn preview(common: &Common, profile: Option<&str>) -> anyhow::Result<Done> {
    let toml = wanted(common, profile)?;
    let answer = operate(common, Operation::PolicyPreview { toml })?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    tell(&answer)?;
    match answer["hindrance"].as_str() {
        Some(hindrance) => eprintln!("nothing was changed, and it could not be: {hindrance}"),
        None => eprintln!("nothing was changed"),
    }
    Ok(Done::Clean)
}

fn switch(common: &Common, profile: Option<&str>, reason: String) -> anyhow::Result<Done> {
    let toml = wanted(common, profile)?;
    let answer = operate(common, Operation::PolicySwitch { toml, reason })?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    tell(&answer)?;
    let after = show::field(&answer, "after");
    eprintln!("`{after}` is in force");
    if common.settings(None)?.profile.name != after {
        eprintln!("set policy.profile to it too: no gateway starts with other settings");
    }
    Ok(Done::Clean)
}

/// Prints what a switch changes.
fn tell(answer: &Value) -> anyhow::Result<()> {
    let before = answer["before"].as_str().unwrap_or("no profile");
    show::print(&format!("From {before} to {}", show::field(answer, "after")))?;
    let changes: Vec<Value> = show::list(&answer["changes"])
        .iter()
        .map(|change| {
            let [before, after] = ["before", "after"].map(|side| shown(&change[side]));
            json!({ "key": change["key"], "before": before, "after": after })
        })
        .collect();
    if !changes.is_empty() {
        show::print("")?;
        show::table(&changes, CHANGES)?;
    }
    let documents = show::list(&answer["documents"]);
    if !documents.is_empty() {
        show::print("\nEverybody is asked to accept:\n")?;
        show::table(documents, DOCUMENTS)?;
    }
    let over = show::list(&answer["over"]);
    if over.is_empty() {
        show::print("\nNobody has more than they may.")
    } else {
        show::print(
            "\nMore than they may have, so that nothing goes out to them until it fits:\n",
        )?;
        show::table(over, OVER)
    }
}
