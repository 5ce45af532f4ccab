//! The commands of `hydrant person` about belonging to a further entity: proposing it, consenting,
//! giving it up, leaving, inviting colleagues.

use serde_json::Value;

use super::reach::operate;
use super::show::{self, Column, date, text};
use super::{Common, Done, entity};
use crate::directory::join::Propose;
use crate::operation::Operation;

const COLUMNS: &[Column] = &[
    text("number", "id"),
    text("person", "person"),
    text("entity", "entity"),
    text("role", "role"),
    date("proposed", "proposed"),
    text("waits for", "waits"),
];

/// Shows what a person would bring along, and proposes it unless that is all that is asked.
pub(crate) fn propose(
    common: &Common,
    request: Propose,
    then: impl Fn(Propose) -> Operation,
) -> anyhow::Result<Done> {
    let answer = operate(common, then(request))?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    entity::effect(&answer)?;
    match answer["id"].as_str() {
        Some(_) => say_what_it_waits_for(&answer),
        None => eprintln!("nothing is proposed yet; without --dry-run it is"),
    }
    Ok(Done::Clean)
}

/// Records a consent, or gives a proposal up.
pub(crate) fn decide(common: &Common, operation: Operation) -> anyhow::Result<Done> {
    let answer = operate(common, operation)?;
    if common.json {
        show::json(&answer)?;
        return Ok(Done::Clean);
    }
    let (person, entity) = (show::field(&answer, "person"), show::field(&answer, "entity"));
    match show::field(&answer, "outcome") {
        "joined" => {
            entity::effect(&answer)?;
            eprintln!("`{person}` belongs to `{entity}` from now on");
        }
        "withdrawn" => eprintln!("that `{person}` joins `{entity}` is withdrawn"),
        _ => say_what_it_waits_for(&answer),
    }
    Ok(Done::Clean)
}

fn say_what_it_waits_for(proposal: &Value) {
    let id = show::field(proposal, "id");
    eprintln!("proposal {id} waits for {}", waits(proposal));
    if proposal["consent_of_person"].is_null() {
        eprintln!(
            "`hydrant person consent {id} --for person --evidence TEXT` records the person's \
             consent, if you have it on paper"
        );
    }
    if proposal["consent_of_entity"].is_null() {
        let evidence = match proposal["managers"].as_u64() {
            Some(0) => ", which has no manager: consent in place if you do not belong to it",
            _ => " --evidence TEXT` records a manager's consent, if you have it on paper",
        };
        let command = format!("`hydrant person consent {id} --for entity");
        match proposal["managers"].as_u64() {
            Some(0) => eprintln!("{command}` consents for the entity{evidence}"),
            _ => eprintln!("{command}{evidence}"),
        }
    }
}

fn waits(proposal: &Value) -> String {
    let sides = [("the person", "consent_of_person"), ("the entity", "consent_of_entity")];
    let missing = sides.iter().filter(|(_, field)| proposal[*field].is_null());
    missing.map(|(side, _)| *side).collect::<Vec<_>>().join(" and ")
}

pub(crate) fn list(common: &Common) -> anyhow::Result<Done> {
    let answer = operate(common, Operation::JoinList)?;
    if common.json {
        show::json(&answer)?;
    } else if show::list(&answer).is_empty() {
        eprintln!("no proposal waits; `hydrant person join` makes one");
    } else {
        let mut rows = show::list(&answer).to_vec();
        for row in &mut rows {
            row["waits"] = waits(row).into();
        }
        show::table(&rows, COLUMNS)?;
    }
    Ok(Done::Clean)
}
