//! `hydrant deliveries`: who received what, charged to which entity.

use serde_json::Value;

use super::reach::operate;
use super::show::{self, Column, count, date, text};
use super::{Common, Done};
use crate::operation::Operation;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only those that were charged to this entity
    #[arg(long, value_name = "SLUG")]
    entity: Option<String>,
    /// Only those of the person with this mail address
    #[arg(long, value_name = "MAIL")]
    person: Option<String>,
    /// How many at most
    #[arg(
        long, value_name = "N", default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    limit: u32,
}

const COLUMNS: &[Column] = &[
    date("started", "started"),
    date("ended", "ended"),
    text("person", "person"),
    text("dataset", "dataset"),
    text("IDs", "ids"),
    count("charged", "charged", ""),
    text("to", "to"),
    text("state", "standing"),
];

pub(crate) fn run(common: &Common, arguments: Arguments) -> anyhow::Result<Done> {
    let Arguments { entity, person, limit } = arguments;
    let answer = operate(common, Operation::Deliveries { entity, person, rows_max: limit })?;
    let deliveries = show::list(&answer);
    if common.json {
        show::json(&answer)?;
    } else if deliveries.is_empty() {
        eprintln!("there are no such deliveries");
    } else {
        show::table(&deliveries.iter().map(row).collect::<Vec<_>>(), COLUMNS)?;
        if deliveries.len() == limit as usize {
            eprintln!("these are the newest {limit}; a higher --limit shows more");
        }
    }
    Ok(Done::Clean)
}

/// A delivery as one line of the list.
fn row(delivery: &Value) -> Value {
    let mut row = delivery.clone();
    let charged = |to: &Value| {
        let (entity, basis) = (show::field(to, "entity"), show::field(to, "basis"));
        match to["use_case"].as_u64() {
            Some(version) => format!("{entity} ({basis}, use case {version})"),
            None => format!("{entity} ({basis})"),
        }
    };
    row["to"] = show::list(&delivery["charged_to"]).iter().map(charged).collect();
    let state = show::field(delivery, "state");
    row["standing"] = match show::field(delivery, "reason") {
        "" => state.into(),
        reason => format!("{state}: {reason}").into(),
    };
    row
}
