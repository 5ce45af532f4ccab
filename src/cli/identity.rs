//! The identities of people at OpenID providers, as `hydrant person` lists and unlinks them.

use serde_json::Value;

use super::reach::operate;
use super::show::{self, Column, date, text};
use super::{Common, Done};
use crate::directory::identity::Unlink;
use crate::operation::Operation;

const COLUMNS: &[Column] = &[
    text("provider", "issuer"),
    text("subject", "subject"),
    text("affiliation", "affiliation"),
    date("linked", "linked"),
    date("last used", "last_used"),
];

pub(crate) fn list(common: &Common, mail: String) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::PersonIdentities { mail })?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("they sign in by links alone; they link identities on their account page");
    } else {
        let rows: Vec<Value> = show::list(&answer).iter().map(row).collect();
        show::table(&rows, COLUMNS)?;
    }
    Ok(Done::Clean)
}

/// An identity as one line of the list.
fn row(identity: &Value) -> Value {
    let mut row = identity.clone();
    let said = show::list(&identity["affiliations"]).iter().filter_map(Value::as_str);
    row["affiliation"] = said.collect::<Vec<_>>().join(", ").into();
    row
}

pub(crate) fn unlink(common: &Common, request: Unlink) -> anyhow::Result<Done> {
    let mail = request.mail.clone();
    let answer = operate(common, Operation::PersonUnlink(request))?;
    if common.json {
        show::json(&answer)?;
    } else {
        eprintln!(
            "`{mail}` does not sign in by it any more; `hydrant session list {mail}` shows where \
             they are signed in"
        );
    }
    Ok(Done::Clean)
}
