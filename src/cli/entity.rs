//! `hydrant entity`: enters, shows, suspends and resumes entities.

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::reach::operate;
use super::show::{self, Column, date, text};
use super::{Common, Done};
use crate::directory::entity::Add;
use crate::directory::words::Sector;
use crate::operation::Operation;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Enter an entity
    Add {
        /// Its short name in commands: lower-case letters, digits and hyphens
        slug: String,
        /// Its full name
        #[arg(long)]
        name: String,
        /// What kind of organisation it is
        #[arg(long, value_parser = sector_parser())]
        sector: Sector,
        /// Its identifier in the Research Organization Registry, like 01an7q238
        #[arg(long, value_name = "ID")]
        ror: Option<String>,
    },
    /// List all entities
    List,
    /// Show an entity with its people and exemptions
    Show {
        /// The entity
        slug: String,
    },
    /// Let an entity receive nothing until it is resumed
    Suspend {
        /// The entity
        slug: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let a suspended entity receive again
    Resume {
        /// The entity
        slug: String,
    },
}

fn sector_parser() -> impl TypedValueParser<Value = Sector> {
    PossibleValuesParser::new(Sector::WORDS)
        .map(|word| Sector::from_word(&word).expect("the parser takes these words only"))
}

const COLUMNS: &[Column] = &[
    text("slug", "slug"),
    text("name", "name"),
    text("sector", "sector"),
    text("ROR", "ror"),
    text("status", "status"),
    date("since", "created"),
];

const FIELDS: &[Column] = &[
    text("Slug", "slug"),
    text("Name", "name"),
    text("Sector", "sector"),
    text("ROR", "ror"),
    text("Status", "status"),
    text("Reason", "status_reason"),
    date("Entered", "created"),
];

const PEOPLE: &[Column] =
    &[text("person", "mail"), text("name", "name"), text("role", "role"), date("since", "from")];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Add { slug, name, sector, ror } => {
            let request = Add { slug, name, sector, ror };
            change(common, Operation::EntityAdd(request), "is entered")
        }
        Command::List => list(common),
        Command::Show { slug } => one(common, slug),
        Command::Suspend { slug, reason } => {
            let operation = Operation::EntitySuspend { slug, reason };
            change(common, operation, "is suspended and receives nothing")
        }
        Command::Resume { slug } => {
            change(common, Operation::EntityResume { slug }, "may receive again")
        }
    }
}

fn change(common: &Common, operation: Operation, done: &str) -> anyhow::Result<Done> {
    let answer = operate(common, operation)?;
    if common.json {
        show::json(&answer)?;
    } else {
        eprintln!("entity `{}` {done}", show::field(&answer, "slug"));
    }
    Ok(Done::Clean)
}

fn list(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::EntityList)?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("there are no entities yet; `hydrant entity add` enters one");
    } else {
        show::table(show::list(&answer), COLUMNS)?;
    }
    Ok(Done::Clean)
}

fn one(common: &Common, slug: String) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::EntityShow { slug })?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    show::record(&answer, FIELDS)?;
    let people = show::list(&answer["people"]);
    if !people.is_empty() {
        show::print("")?;
        show::table(people, PEOPLE)?;
    }
    let exemptions = show::list(&answer["exemptions"]);
    if !exemptions.is_empty() {
        show::print("")?;
        super::exemption::table(exemptions)?;
    }
    let permissions = show::list(&answer["permissions"]);
    if !permissions.is_empty() {
        show::print("")?;
        super::permission::table(permissions)?;
    }
    Ok(Done::Clean)
}
