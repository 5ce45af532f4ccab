//! What operators see of deliveries, as JSON; requesters see their own over HTTP.

use serde_json::{Value, json};

use super::answer::{entity_of, list, person_of};
use crate::base::date::rfc3339;
use crate::directory::{DirectoryError, entity, person};
use crate::policy::Recipient;
use crate::store::{Charged, DeliveryRow, Tx};

/// How many deliveries are listed if nobody says.
pub(super) fn rows_usual() -> u32 {
    100
}

/// The newest deliveries, at most `rows_max`; with a slug those charged to that entity, with a
/// mail address those of that person.
pub(super) fn newest(
    tx: &Tx<'_>,
    slug: Option<&str>,
    mail: Option<&str>,
    rows_max: u32,
) -> Result<Value, DirectoryError> {
    let entity = slug.map(|slug| entity::find_merged_too(tx, slug)).transpose()?;
    let person = mail.map(|mail| person::find(tx, mail)).transpose()?;
    let recipient = entity.map(|entity| Recipient::Entity(entity.id));
    let rows = tx.deliveries_newest(person.map(|person| person.id), recipient, rows_max)?;
    list(rows, |row| described(tx, &row))
}

pub(super) fn described(tx: &Tx<'_>, row: &DeliveryRow) -> Result<Value, DirectoryError> {
    let charged_to = list(row.recipients.clone(), |Charged { recipient, basis, use_case }| {
        Ok(match recipient {
            Recipient::Entity(id) => {
                let slug = entity_of(tx, id)?.slug;
                json!({ "entity": slug, "basis": basis, "use_case": use_case })
            }
            Recipient::Link(id) => json!({ "link": id.0.to_string(), "basis": basis }),
            Recipient::Person(id) => json!({ "person": person_of(tx, id)?.mail, "basis": basis }),
        })
    })?;
    let dataset = row.dataset.map(|id| tx.dataset_by_id(id)).transpose()?.flatten();
    let person = row.person.map(|person| person_of(tx, person)).transpose()?;
    Ok(json!({
        "delivery": row.id.to_string(),
        "person": person.map(|person| person.mail),
        "key": row.key.map(|key| key.0.to_string()),
        "dataset": dataset.map(|dataset| dataset.slug),
        "release": row.release,
        "ids": row.unit.word(),
        "offset": row.first,
        "requested": row.end.map(|end| end - row.first),
        "charged": row.charged_ids,
        "charged_to": charged_to,
        "state": row.state,
        "reason": row.reason,
        "profile": row.profile,
        "started": rfc3339(row.started_ms),
        "ended": row.ended_ms.map(rfc3339),
    }))
}
