//! `hydrant key`: issues, lists and revokes API keys.

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
        /// What it opens: the catalogue and downloads, or the catalogue alone
        #[arg(long, default_value = "download", value_parser = scope_parser())]
        scope: Scope,
        /// How long it lives, like 90d or 12w [default: 365d]
        #[arg(long, value_name = "LENGTH", value_parser = length_ms)]
        expires: Option<i64>,
    },
    /// List all keys, or those of one person
    List {
        /// The mail address of the person
        mail: Option<String>,
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
            issue(common, Issue { mail, label, scope, lifetime_ms: expires })
        }
        Command::List { mail } => list(common, mail),
        Command::Revoke { id } => revoke(common, KeyId(id)),
    }
}

fn issue(common: &Common, request: Issue) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::KeyIssue(request))?;
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

fn revoke(common: &Common, key: KeyId) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::KeyRevoke { key })?;
    if common.json {
        show::json(&answer)?;
    } else {
        let (id, person) = (show::field(&answer, "id"), show::field(&answer, "person"));
        eprintln!("key {id} of `{person}` is revoked");
    }
    Ok(Done::Clean)
}
