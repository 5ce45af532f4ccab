//! `hydrant usage`: what an entity has used, what is left, and when how much returns.

use serde_json::Value;

use super::reach::operate;
use super::show::{self, Column, count, date, text};
use super::{Common, Done};
use crate::operation::Operation;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The entity
    slug: String,
}

const METERS: &[Column] = &[
    text("IDs", "kind"),
    text("counted", "count"),
    count("used", "used", ""),
    count("open", "open", ""),
    count("held", "held", ""),
    count("ceiling", "ceiling", "none"),
    count("remaining", "remaining", "all"),
    text("basis", "basis"),
    text("basis lasts", "lasts"),
    text("profile", "profile"),
];

const RETURNS: &[Column] =
    &[date("returns at", "at"), text("IDs", "kind"), count("how many", "ids", "")];

pub(crate) fn run(common: &Common, arguments: Arguments) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::Usage { slug: arguments.slug })?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    let mut meters = show::list(&answer["meters"]).to_vec();
    for meter in &mut meters {
        meter["profile"] = answer["profile"].clone();
        if let Some(until) = meter["basis_until"].as_str() {
            meter["lasts"] = show::until(until).into();
        }
    }
    let (name, slug) = (show::field(&answer, "name"), show::field(&answer, "entity"));
    let hours = |field: &str| answer[field].as_u64().unwrap_or_default() / 3_600;
    let (window, grace) = (hours("window_seconds"), hours("grace_seconds"));
    show::print(&format!(
        "{name} ({slug}): what was handed over counts for {} days and {grace} hours",
        window / 24
    ))?;
    show::print("")?;
    show::table(&meters, METERS)?;
    let returns: Vec<Value> = meters.iter().flat_map(returns_of).collect();
    if !returns.is_empty() {
        show::print("")?;
        show::table(&returns, RETURNS)?;
    }
    if meters.iter().any(|meter| meter["over"] == true) {
        eprintln!("more is live than the ceiling: nothing goes out until it fits again");
    }
    match show::field(&answer, "status") {
        "active" => {}
        "pending" => eprintln!("the entity waits for its review: nothing goes out until then"),
        _ => eprintln!("the entity is suspended: nothing goes out until it is resumed"),
    }
    Ok(Done::Clean)
}

/// What comes back to a meter with a ceiling; to one without, nobody waits for it.
fn returns_of(meter: &Value) -> Vec<Value> {
    if meter["ceiling"].is_null() {
        return Vec::new();
    }
    let mut returns = show::list(&meter["returns"]).to_vec();
    for part in &mut returns {
        part["kind"] = meter["kind"].clone();
    }
    returns
}
