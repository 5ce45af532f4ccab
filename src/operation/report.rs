//! What went to an entity under which basis, as JSON: for the platform's or the institution's
//! questions. How it is printed is `export`'s business.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer::list;
use super::delivery::described;
use crate::base::date::rfc3339;
use crate::directory::{DirectoryError, entity};
use crate::policy::{Profile, Recipient};
use crate::store::Tx;

/// The time that a report is about, in milliseconds UTC: from the first on, before the second.
pub(super) type Span = [Option<i64>; 2];

/// Every delivery that began within `span` and was charged to that entity, to a peer-review link
/// that was made on its behalf, or, of objects, to a person who belonged to it then; oldest first,
/// with the sums for each kind on each basis.
pub(super) fn of_entity(
    tx: &Tx<'_>,
    profile: &Profile,
    slug: &str,
    span: Span,
    now_ms: i64,
) -> Result<Value, DirectoryError> {
    let row = entity::find_merged_too(tx, slug)?;
    let mut recipients = vec![(Recipient::Entity(row.id), [None, None])];
    let links = tx.shares_of_entity(row.id)?;
    recipients.extend(links.into_iter().map(|link| (Recipient::Link(link), [None, None])));
    let members = tx.memberships_ever_of_entity(row.id)?;
    recipients.extend(members.into_iter().map(|(member, until_ms)| {
        (Recipient::Person(member.person), [Some(member.from_ms), until_ms])
    }));
    let [from_ms, until_ms] = span;
    let mut deliveries = Vec::new();
    for (recipient, belongs) in &recipients {
        let charged = tx.deliveries_newest(None, Some(*recipient), u32::MAX)?;
        deliveries.extend(charged.into_iter().filter(|delivery| {
            [span, *belongs].iter().all(|span| is_within(delivery.started_ms, *span))
        }));
    }
    let recipients: Vec<Recipient> = recipients.into_iter().map(|(one, _)| one).collect();
    deliveries.sort_by_key(|delivery| delivery.id);
    let mut sums: BTreeMap<(&'static str, String), (u64, u64)> = BTreeMap::new();
    let deliveries = list(deliveries, |delivery| {
        let charged = delivery.recipients.iter();
        let charged = charged.filter(|charged| recipients.contains(&charged.recipient));
        let bases: Vec<String> = charged.clone().map(|charged| charged.basis.to_string()).collect();
        let use_cases = charged.filter_map(|charged| charged.use_case);
        let use_cases: Vec<String> = use_cases.map(|version| version.to_string()).collect();
        let basis = bases.join(", ");
        let (count, ids) = sums.entry((delivery.unit.word(), basis.clone())).or_default();
        *count += 1;
        *ids += delivery.charged_ids;
        let mut shown = described(tx, &delivery)?;
        let link = delivery.recipients.iter().find_map(|charged| match charged.recipient {
            Recipient::Link(link) => Some(link.0.to_string()),
            Recipient::Entity(_) | Recipient::Person(_) => None,
        });
        shown["link"] = link.into();
        shown["basis"] = basis.into();
        shown["use_case"] = use_cases.join(", ").into();
        shown["receipt"] = format!("/v1/deliveries/{}/receipt", delivery.id).into();
        Ok(shown)
    })?;
    let sums = sums.into_iter().map(|((kind, basis), (deliveries, ids))| {
        json!({ "ids": kind, "basis": basis, "deliveries": deliveries, "charged": ids })
    });
    Ok(json!({
        "entity": row.slug,
        "name": row.name,
        "profile": profile.name,
        "made": rfc3339(now_ms),
        "from": from_ms.map(rfc3339),
        "until": until_ms.map(rfc3339),
        "sums": sums.collect::<Vec<_>>(),
        "deliveries": deliveries,
    }))
}

fn is_within(at_ms: i64, [from_ms, until_ms]: Span) -> bool {
    from_ms.is_none_or(|from_ms| from_ms <= at_ms)
        && until_ms.is_none_or(|until_ms| at_ms < until_ms)
}
