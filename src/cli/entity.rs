//! `hydrant entity`: enters, shows, changes, reviews, merges, suspends and resumes entities. What
//! they use what they receive for stands in `use_case`, whom they invite in `invitation`.

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::Value;

use super::reach::operate;
use super::show::{self, Column, count, date, text};
use super::{Common, Done, invitation, use_case};
use crate::directory::entity::{Add, Edit};
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
        /// What else it is called; may be repeated
        #[arg(long = "alias", value_name = "NAME")]
        aliases: Vec<String>,
        /// A domain of its people's mail addresses; may be repeated
        #[arg(long = "domain", value_name = "DOMAIN")]
        domains: Vec<String>,
        /// What it uses what it receives for
        #[arg(long, value_name = "TEXT")]
        use_case: Option<String>,
    },
    /// List all entities
    List,
    /// Show an entity with its people, use cases and exemptions
    Show {
        /// The entity
        slug: String,
    },
    /// Change what an entity is known by or counts as
    Edit(EditArguments),
    /// Note that a government entity was reviewed and may receive
    Review {
        /// The entity
        slug: String,
        /// Why it may
        #[arg(long)]
        reason: String,
    },
    /// List entities that may be one and the same
    Duplicates,
    /// Merge an entity into another one, with its people and what it has received
    Merge {
        /// The entity that is no more afterwards
        source: String,
        /// The entity that it becomes part of
        #[arg(long, value_name = "SLUG")]
        into: String,
        /// Why
        #[arg(long, required_unless_present = "dry_run")]
        reason: Option<String>,
        /// Only show what it would do
        #[arg(long)]
        dry_run: bool,
    },
    /// Declare what an entity uses what it receives for, and decide about it
    #[command(subcommand)]
    UseCase(use_case::Command),
    /// Invite colleagues into an entity
    #[command(subcommand)]
    Invitation(invitation::Command),
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

#[derive(clap::Args)]
pub(crate) struct EditArguments {
    /// The entity
    slug: String,
    /// Its full name from now on
    #[arg(long)]
    name: Option<String>,
    /// What kind of organisation it is
    #[arg(long, value_parser = sector_parser())]
    sector: Option<Sector>,
    /// Its identifier in the Research Organization Registry; an empty one removes it
    #[arg(long, value_name = "ID")]
    ror: Option<String>,
    /// A further name; may be repeated
    #[arg(long = "alias", value_name = "NAME")]
    aliases: Vec<String>,
    /// A name that it has no more; may be repeated
    #[arg(long = "remove-alias", value_name = "NAME")]
    aliases_gone: Vec<String>,
    /// A further domain of its people's mail addresses; may be repeated
    #[arg(long = "domain", value_name = "DOMAIN")]
    domains: Vec<String>,
    /// A domain that it has no more; may be repeated
    #[arg(long = "remove-domain", value_name = "DOMAIN")]
    domains_gone: Vec<String>,
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
    text("status", "standing"),
    text("domains", "domains"),
    text("use case", "use"),
    date("since", "created"),
];

const FIELDS: &[Column] = &[
    text("Slug", "slug"),
    text("Name", "name"),
    text("Aliases", "aliases"),
    text("Sector", "sector"),
    text("ROR", "ror"),
    text("Domains", "domains"),
    text("Status", "standing"),
    text("Reason", "status_reason"),
    date("Reviewed", "reviewed"),
    date("Entered", "created"),
];

const PEOPLE: &[Column] =
    &[text("person", "mail"), text("name", "name"), text("role", "role"), date("since", "from")];

const DUPLICATES: &[Column] = &[
    text("entity", "slug"),
    text("name", "name"),
    text("other", "other"),
    text("name", "other_name"),
    text("why", "why"),
];

const EFFECT: &[Column] = &[
    text("IDs", "kind"),
    count("before", "before", ""),
    count("brings", "brings", ""),
    count("after", "after", ""),
    count("ceiling", "ceiling", "none"),
    text("then", "then"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Add { slug, name, sector, ror, aliases, domains, use_case } => {
            let request = Add { slug, name, sector, ror, aliases, domains, use_case };
            change(common, Operation::EntityAdd(request), "is entered")
        }
        Command::List => list(common),
        Command::Show { slug } => one(common, slug),
        Command::Edit(arguments) => {
            let EditArguments { slug, name, sector, ror, aliases, .. } = arguments;
            let EditArguments { aliases_gone, domains, domains_gone, .. } = arguments;
            let request =
                Edit { slug, name, sector, ror, aliases, aliases_gone, domains, domains_gone };
            change(common, Operation::EntityEdit(request), "is changed")
        }
        Command::Review { slug, reason } => {
            let operation = Operation::EntityReview { slug, reason };
            change(common, operation, "is reviewed and may receive")
        }
        Command::Duplicates => duplicates(common),
        Command::Merge { source, into, reason, dry_run } => {
            let reason = reason.filter(|_| !dry_run);
            merge(common, source, into, reason)
        }
        Command::UseCase(command) => use_case::run(common, command),
        Command::Invitation(command) => invitation::run(common, command),
        Command::Suspend { slug, reason } => {
            let operation = Operation::EntitySuspend { slug, reason };
            change(common, operation, "is suspended and receives nothing")
        }
        Command::Resume { slug } => {
            change(common, Operation::EntityResume { slug }, "is not suspended any more")
        }
    }
}

fn change(common: &Common, operation: Operation, done: &str) -> anyhow::Result<Done> {
    let answer = operate(common, operation)?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    let slug = show::field(&answer, "slug");
    eprintln!("entity `{slug}` {done}");
    if show::field(&answer, "status") == "pending" {
        let reason = show::field(&answer, "status_reason");
        eprintln!("{reason}: `hydrant entity review {slug} --reason TEXT` records it");
    }
    for other in show::list(&answer["resembles"]) {
        let (other_slug, name) = (show::field(other, "slug"), show::field(other, "name"));
        let why: Vec<&str> = show::list(&other["why"]).iter().filter_map(Value::as_str).collect();
        eprintln!(
            "it may be the same as `{other_slug}` ({name}): {}; if so, \
             `hydrant entity merge {slug} --into {other_slug} --dry-run` shows what a merge does",
            why.join(", ")
        );
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
        show::table(&show::list(&answer).iter().map(row).collect::<Vec<_>>(), COLUMNS)?;
    }
    Ok(Done::Clean)
}

/// An entity as one line of the list, or as a record.
fn row(entity: &Value) -> Value {
    let mut row = entity.clone();
    row["standing"] = match show::field(entity, "merged_into") {
        "" => show::field(entity, "status").into(),
        target => format!("merged into {target}").into(),
    };
    row["use"] = match entity["use_case"].as_u64() {
        None => "none".into(),
        Some(version) => format!("version {version}").into(),
    };
    row
}

fn one(common: &Common, slug: String) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::EntityShow { slug })?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    show::record(&row(&answer), FIELDS)?;
    let people = show::list(&answer["people"]);
    if !people.is_empty() {
        show::print("")?;
        show::table(people, PEOPLE)?;
    }
    let use_cases = show::list(&answer["use_cases"]);
    if !use_cases.is_empty() {
        show::print("")?;
        use_case::table(use_cases)?;
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

fn duplicates(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::EntityDuplicates)?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("no two entities have a domain, a ROR identifier or almost a name in common");
    } else {
        show::table(show::list(&answer), DUPLICATES)?;
    }
    Ok(Done::Clean)
}

/// Merges with a reason, and only shows what that would do without one.
fn merge(
    common: &Common,
    source: String,
    target: String,
    reason: Option<String>,
) -> anyhow::Result<Done> {
    let is_done = reason.is_some();
    let operation = match reason {
        Some(reason) => Operation::EntityMerge { source, target, reason },
        None => Operation::EntityMergeEffect { source, target },
    };
    let answer = operate(common, operation)?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    effect(&answer)?;
    let (source, target) = (show::field(&answer, "source"), show::field(&answer, "target"));
    let (moved, in_both) = (&answer["people_moved"], &answer["people_in_both"]);
    match is_done {
        true => eprintln!("`{source}` is part of `{target}` now"),
        false => eprintln!("nothing is changed yet; --reason TEXT instead of --dry-run does it"),
    }
    eprintln!("people of `{source}` that come to `{target}`: {moved}; in both already: {in_both}");
    for exemption in show::list(&answer["exemptions_left"]) {
        let number = exemption.as_str().unwrap_or_default();
        eprintln!("exemption {number} of `{source}` does not carry over to `{target}`");
    }
    eprintln!("permissions and use cases of `{source}` do not carry over either");
    Ok(Done::Clean)
}

/// Prints what the meters of an entity become.
pub(crate) fn effect(answer: &Value) -> anyhow::Result<()> {
    let mut rows = show::list(&answer["effect"]).to_vec();
    for row in &mut rows {
        row["then"] = match &row["over"] {
            Value::Bool(true) => "over: nothing goes out until it fits",
            _ => "fits",
        }
        .into();
    }
    show::table(&rows, EFFECT)
}
