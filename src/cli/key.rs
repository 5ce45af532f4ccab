//! `hydrant key`: issues, rotates, wakes, lists and revokes API keys.

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::reach::operate;
use super::show::{self, Column, date, text};
use super::{Common, Done};
use crate::base::date::length_ms;
use crate::base::party::KeyId;
use crate::directory::key::Issue;
use crate::directory::words::Scope;
use crate::operation::Operation;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Issue a key and print its token, which is shown only this once
    Issue {
        /// The mail address of who gets it
        mail: String,
        /// What it is for
        #[arg(long)]
        label: Option<String>,
        /// What it opens: the catalogue and downloads, the catalogue alone, or the operators' API
        #[arg(long, default_value = "download", value_parser = scope_parser())]
        scope: Scope,
        /// How long it lives, like 90d or 12w [default: 365d, and 90d with the scope operate]
        #[arg(long, value_name = "LENGTH", value_parser = length_ms)]
        expires: Option<i64>,
    },
    /// List all keys, or those of one person
    List {
        /// The mail address of the person
        mail: Option<String>,
    },
    /// Issue a key that takes the place of another, and print its token
    Rotate {
        /// The key's number, as `hydrant key list` shows it
        #[arg(value_parser = number)]
        id: i64,
        /// How long both are good [default: 7d]
        #[arg(long, value_name = "LENGTH", value_parser = length_ms)]
        overlap: Option<i64>,
    },
    /// Wake a key that was not used for a year
    Reactivate {
        /// The key's number, as `hydrant key list` shows it
        #[arg(value_parser = number)]
        id: i64,
    },
    /// Void a key at once; downloads under way stop
    Revoke {
        /// The key's number, as `hydrant key list` shows it
        #[arg(value_parser = number)]
        id: i64,
    },
}

fn scope_parser() -> impl TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::WORDS)
        .map(|word| Scope::from_word(&word).expect("the parser takes these words only"))
}

fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("`{text}` is no key number; `hydrant key list` shows them"))
}

const COLUMNS: &[Column] = &[
    text("id", "id"),
    text("person", "person"),
    text("label", "label"),
    text("scope", "scope"),
    text("status", "status"),
    date("issued", "created"),
    date("expires", "expires"),
    date("last used", "last_used"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Issue { mail, label, scope, expires } => {
            issue(common, Operation::KeyIssue(Issue { mail, label, scope, lifetime_ms: expires }))
        }
        Command::Rotate { id, overlap } => {
            issue(common, Operation::KeyRotate { key: KeyId(id), overlap_ms: overlap })
        }
        Command::Reactivate { id } => {
            change(common, Operation::KeyReactivate { key: KeyId(id) }, "is awake again")
        }
        Command::List { mail } => list(common, mail),
        Command::Revoke { id } => {
            change(common, Operation::KeyRevoke { key: KeyId(id) }, "is revoked")
        }
    }
}

fn issue(common: &Common, operation: Operation) -> anyhow::Result<Done> {
    let answer = operate(common, operation)?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    let person = show::field(&answer, "person");
    let expires = show::minute(show::field(&answer, "expires"));
    show::print(show::field(&answer, "token"))?;
    eprintln!(
        "key {} of `{person}`, good until {expires}; its token is shown only this once",
        show::field(&answer, "id")
    );
    super::person::hint_at_missing(person, &answer);
    Ok(Done::Clean)
}

fn list(common: &Common, mail: Option<String>) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::KeyList { mail })?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("there are no keys yet; `hydrant key issue` makes one");
    } else {
        show::table(show::list(&answer), COLUMNS)?;
    }
    Ok(Done::Clean)
}

fn change(common: &Common, operation: Operation, done: &str) -> anyhow::Result<Done> {
    let answer = operate(common, operation)?;
    if common.json {
        show::json(&answer)?;
    } else {
        let (id, person) = (show::field(&answer, "id"), show::field(&answer, "person"));
        eprintln!("key {id} of `{person}` {done}");
    }
    Ok(Done::Clean)
}
