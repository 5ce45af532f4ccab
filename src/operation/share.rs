//! The answers about peer-review links: what one is, and what it was used for, in numbers and days.
//! Nothing of whoever opened one is known, so nothing can be said.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::By;
use super::answer::{entity_of, list, person_of};
use crate::base::date::{day, rfc3339};
use crate::base::party::ShareId;
use crate::directory::share::LinkToken;
use crate::directory::{DirectoryError, person, share};
use crate::ledger::link_ceiling;
use crate::policy::Profile;
use crate::store::{ShareRow, Tx};

type Answer = Result<Value, DirectoryError>;

/// A link that was just made; the one answer that holds its token.
pub(super) fn made(tx: &Tx<'_>, by: &By, row: &ShareRow, token: &LinkToken) -> Answer {
    let mut answer = brief(tx, &by.profile, row, by.now_ms)?;
    answer["token"] = token.reveal().into();
    Ok(answer)
}

/// All links, or those that the person with that mail address made.
pub(super) fn all(tx: &Tx<'_>, profile: &Profile, mail: Option<&str>, now_ms: i64) -> Answer {
    let person = mail.map(|mail| person::find(tx, mail)).transpose()?;
    let rows = tx.shares(person.map(|person| person.id))?;
    list(rows, |row| brief(tx, profile, &row, now_ms))
}

/// A link with what it was used for, day by day and delivery by delivery.
pub(super) fn whole(tx: &Tx<'_>, profile: &Profile, id: ShareId, now_ms: i64) -> Answer {
    let row = share::find(tx, id)?;
    let mut answer = brief(tx, profile, &row, now_ms)?;
    let mut days: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for download in tx.downloads_begun(id)? {
        let begun_ms = download.begun_ms.expect("those were looked for that have begun");
        days.entry(day(begun_ms)).or_default().0 += 1;
    }
    let deliveries = tx.deliveries_of_share(id)?;
    for delivery in &deliveries {
        days.entry(day(delivery.started_ms)).or_default().1 += delivery.charged_ids;
    }
    let days = days
        .into_iter()
        .map(|(day, (downloads, ids))| json!({ "day": day, "downloads": downloads, "ids": ids }));
    answer["days"] = days.collect();
    let deliveries = (1..).zip(&deliveries).map(|(number, delivery)| {
        json!({
            "number": number,
            "day": day(delivery.started_ms),
            "ids": delivery.charged_ids,
            "state": delivery.state,
        })
    });
    answer["deliveries"] = deliveries.collect::<Vec<Value>>().into();
    Ok(answer)
}

/// A link as every answer has it.
pub(super) fn brief(tx: &Tx<'_>, profile: &Profile, row: &ShareRow, now_ms: i64) -> Answer {
    let dataset = tx.dataset_by_id(row.dataset)?;
    let end = link_ceiling(tx, profile, row.id, row.kind, now_ms)?.err();
    let used_ids: u64 = tx.deliveries_of_share(row.id)?.iter().map(|row| row.charged_ids).sum();
    Ok(json!({
        "id": row.id.0.to_string(),
        "label": row.label,
        "maker": person_of(tx, row.person)?.mail,
        "entity": entity_of(tx, row.entity)?.slug,
        "exemption": row.exemption.to_string(),
        "dataset": dataset.as_ref().map(|dataset| &dataset.slug),
        "title": dataset.as_ref().map(|dataset| &dataset.title),
        "release": row.release,
        "ids": row.kind.word(),
        "offset": row.first,
        "count": row.end - row.first,
        "purpose": row.purpose,
        "face": row.face,
        "note": row.note,
        "has_passphrase": row.passphrase.is_some(),
        "state": end.map_or("open", |end| end.word().trim_start_matches("link-")),
        "state_reason": end.map(|end| end.clause()),
        "created": rfc3339(row.created_ms),
        "expires": rfc3339(row.expires_ms),
        "revoked": row.revoked_ms.map(rfc3339),
        "published": row.published_ms.map(rfc3339),
        "downloads": tx.downloads_begun_count(row.id)?,
        "downloads_max": row.downloads_max,
        "ids_used": used_ids,
        "ids_max": row.ids_max,
    }))
}
