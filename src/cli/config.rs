//! `hydrant config`: tests the settings and shows which are in force and who says so.

use clap::Subcommand;
use serde_json::{Value, json};

use super::show::{self, Column, text};
use super::{Common, Done};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Test all settings and tell every mistake at once
    Check,
    /// Show every setting that is in force and where it came from
    Show,
}

const COLUMNS: &[Column] = &[text("setting", "key"), text("value", "value"), text("from", "from")];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    let raw = common.raw_settings(None);
    let effective = raw.effective();
    // A table of settings that are not right would look as if they were.
    raw.check()?;
    match command {
        Command::Check if common.json => show::json(&json!({ "ok": true }))?,
        Command::Check => eprintln!("all settings are right"),
        Command::Show => {
            let row = |setting: &crate::config::Effective| {
                let from = setting.origin.to_string();
                json!({ "key": setting.key, "value": setting.shown(), "from": from })
            };
            let rows: Vec<Value> = effective.iter().map(row).collect();
            if common.json {
                show::json(&Value::Array(rows))?;
            } else {
                show::table(&rows, COLUMNS)?;
            }
        }
    }
    Ok(Done::Clean)
}
