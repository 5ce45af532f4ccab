//! `hydrant instance`: the gateways on one database, and the end of one that never returns.

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde_json::json;

use super::reach::operate;
use super::show::{self, Column, count, date, text};
use super::{Common, Done};
use crate::ledger;
use crate::operation::{Operation, actor_of};
use crate::store::{Address, Place, Store, StoreError};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the gateways that ever started on the database
    List,
    /// End an instance that never returns: what it left open is settled, its deliveries end
    ///
    /// A gateway that starts again under its name does this by itself. Refused while the instance
    /// is alive. Make sure that its machine is off, or its process gone: one that is only cut off
    /// from the database could still be sending.
    Retire {
        /// The instance, as `hydrant instance list` shows it
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

const COLUMNS: &[Column] = &[
    text("instance", "name"),
    text("state", "state"),
    date("started", "started"),
    count("open IDs", "open", ""),
    count("deliveries", "deliveries", ""),
    date("retired", "retired"),
    text("by", "retired_by"),
    text("reason", "retired_reason"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::List => list(common),
        Command::Retire { name, reason } => retire(common, &name, &reason),
    }
}

fn list(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::InstanceList)?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("no gateway has started on this database yet; `hydrant serve` starts one");
    } else {
        show::table(show::list(&answer), COLUMNS)?;
    }
    Ok(Done::Clean)
}

fn retire(common: &Common, name: &str, reason: &str) -> anyhow::Result<Done> {
    if reason.trim().is_empty() {
        bail!("the reason is empty: say why `{name}` never returns");
    }
    let settings = common.settings(None)?;
    let Some(Place::Server(address)) = &settings.store else {
        bail!(
            "a database file has one gateway, whose next start settles what it left open: \
             `hydrant serve`"
        );
    };
    let store = Store::connect(address)?;
    let known = store.read(|tx| tx.instances())?;
    if !known.iter().any(|row| row.name == name) {
        bail!("there is no instance `{name}`; `hydrant instance list` shows them");
    }
    if store.read(|tx| tx.instance_is_alive(name))? == Some(true) {
        bail!("the instance `{name}` is alive: stop it, and its next start settles what it left");
    }
    drop(store);
    let retired = settle(common, address, name, reason)?;
    if common.json {
        show::json(&json!({
            "name": name,
            "settled": retired.settled_ids,
            "deliveries": retired.deliveries,
        }))?;
    } else {
        eprintln!(
            "`{name}` is retired: {} open IDs are settled, {} deliveries have ended",
            show::separated(retired.settled_ids),
            show::separated(retired.deliveries)
        );
    }
    Ok(Done::Clean)
}

/// Takes the name, which proves that no gateway has it, and settles what it left.
pub(super) fn settle(
    common: &Common,
    address: &Address,
    name: &str,
    reason: &str,
) -> anyhow::Result<ledger::Retired> {
    let store =
        Store::connect(&address.clone().for_instance(name)).map_err(|error| match error {
            StoreError::Unfit(_) => {
                anyhow::Error::new(error).context("it is not to be retired now")
            }
            error => error.into(),
        })?;
    let actor = actor_of(nix::unistd::Uid::effective().as_raw());
    ledger::retire(&store, &common.clock(), &actor, reason).context("nothing was settled")
}
