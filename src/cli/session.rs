//! `hydrant session`: lists and revokes the sessions of browsers.

use clap::Subcommand;

use super::reach::operate;
use super::show::{self, Column, date, text};
use super::{Common, Done};
use crate::base::party::SessionId;
use crate::operation::Operation;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List all sessions, or those of one person
    List {
        /// The mail address of the person
        mail: Option<String>,
    },
    /// Void a session at once; downloads under way stop
    Revoke {
        /// The session's number, as `hydrant session list` shows it
        #[arg(value_parser = number)]
        id: i64,
    },
}

fn number(text: &str) -> Result<i64, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is no session number; `hydrant session list` shows them"))
}

const COLUMNS: &[Column] = &[
    text("id", "id"),
    text("person", "person"),
    text("browser", "browser"),
    text("status", "status"),
    date("began", "created"),
    date("last used", "last_used"),
    date("ends", "expires"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::List { mail } => list(common, mail),
        Command::Revoke { id } => revoke(common, SessionId(id)),
    }
}

fn list(common: &Common, mail: Option<String>) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::SessionList { mail })?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("nobody has signed in; `hydrant person invite` makes a link to sign in by");
    } else {
        show::table(show::list(&answer), COLUMNS)?;
    }
    Ok(Done::Clean)
}

fn revoke(common: &Common, session: SessionId) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::SessionRevoke { session })?;
    if common.json {
        show::json(&answer)?;
    } else {
        let (id, person) = (show::field(&answer, "id"), show::field(&answer, "person"));
        eprintln!("session {id} of `{person}` is revoked");
    }
    Ok(Done::Clean)
}
