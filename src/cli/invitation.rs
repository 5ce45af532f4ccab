//! `hydrant entity invitation`: invites colleagues into an entity, lists and withdraws invitations.

use clap::Subcommand;

use super::reach::operate;
use super::show::{self, Column, date, text};
use super::{Common, Done};
use crate::directory::invitation::Invite;
use crate::operation::Operation;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Invite a colleague, who belongs to the entity once they sign in or register
    Add {
        /// The entity
        slug: String,
        /// The colleague's mail address
        mail: String,
        /// Their name
        #[arg(long)]
        name: String,
    },
    /// List the invitations that wait
    List {
        /// The entity
        slug: String,
    },
    /// Take an invitation back
    Withdraw {
        /// The invitation's number
        number: i64,
    },
}

const COLUMNS: &[Column] = &[
    text("number", "id"),
    text("mail", "mail"),
    text("name", "name"),
    date("invited", "invited"),
    text("by", "invited_by"),
];

pub(crate) fn run(common: &Common, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Add { slug, mail, name } => {
            change(common, Operation::InvitationAdd(Invite { slug, mail, name }), "is invited to")
        }
        Command::List { slug } => list(common, slug),
        Command::Withdraw { number } => {
            let operation = Operation::InvitationWithdraw { invitation: number };
            change(common, operation, "is not invited any more to")
        }
    }
}

fn change(common: &Common, operation: Operation, done: &str) -> anyhow::Result<Done> {
    let answer = operate(common, operation)?;
    if common.json {
        show::json(&answer)?;
    } else {
        let (mail, entity) = (show::field(&answer, "mail"), show::field(&answer, "entity"));
        eprintln!("`{mail}` {done} `{entity}`");
    }
    Ok(Done::Clean)
}

fn list(common: &Common, slug: String) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::InvitationList { slug: slug.clone() })?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("nobody waits; `hydrant entity invitation add {slug} MAIL --name N` invites");
    } else {
        show::table(show::list(&answer), COLUMNS)?;
    }
    Ok(Done::Clean)
}
