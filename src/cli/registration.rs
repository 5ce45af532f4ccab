//! `hydrant registration`: lists people who registered, and decides about them.

use clap::Subcommand;

use super::person::role_parser;
use super::reach::operate;
use super::show::{self, Column, date, text};
use super::{Common, Done};
use crate::directory::registration::Assign;
use crate::directory::words::Role;
use crate::operation::Operation;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List those whose mail address is verified
    List,
    /// Make a person of a registration, who belongs to an entity
    Assign {
        /// The registration's number
        #[arg(value_parser = number)]
        id: i64,
        /// The entity that they belong to
        #[arg(long = "entity", value_name = "SLUG")]
        slug: String,
        /// What they are in it
        #[arg(long, default_value = "member", value_parser = role_parser())]
        role: Role,
    },
    /// Turn a registration down
    Refuse {
        /// The registration's number
        #[arg(value_parser = number)]
        id: i64,
        /// Why, as they will read it
        #[arg(long)]
        reason: String,
    },
}

fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is no registration; `hydrant registration list` shows their numbers")
    })
}

const COLUMNS: &[Column] = &[
    text("id", "id"),
    text("mail", "mail"),
    text("name", "name"),
    text("organisation", "organisation"),
    text("purpose", "purpose"),
    text("status", "status"),
    date("verified", "verified"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::List => list(common),
        Command::Assign { id, slug, role } => {
            let request = Assign { registration: id, slug, role };
            decide(common, Operation::RegistrationAssign(request), "is a person here now")
        }
        Command::Refuse { id, reason } => {
            let operation = Operation::RegistrationRefuse { registration: id, reason };
            decide(common, operation, "is turned down")
        }
    }
}

fn list(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::RegistrationList)?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("nobody waits");
    } else {
        show::table(show::list(&answer), COLUMNS)?;
    }
    Ok(Done::Clean)
}

fn decide(common: &Common, operation: Operation, done: &str) -> anyhow::Result<Done> {
    let answer = operate(common, operation)?;
    if common.json {
        show::json(&answer)?;
    } else {
        eprintln!("`{}` {done}", show::field(&answer, "mail"));
    }
    Ok(Done::Clean)
}
