//! How a refusal of the ledger reads in HTTP: which problem it is, and when to come back.

use axum::http::{HeaderName, header};
use serde_json::{Value, json};

use super::api::{documents, rfc3339, seconds_until};
use super::problem::{self, Problem};
use super::state::Gateway;
use crate::base::date::minute;
use crate::base::ids::IdKind;
use crate::directory::{EntityRef, Requester};
use crate::ledger::Denied;
use crate::policy::{Recipient, Refusal};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The problem for what the ledger answered to a request for IDs of the dataset of that slug, or
/// of a request's body.
pub(super) fn problem(
    gateway: &Gateway,
    denied: Denied,
    requester: &Requester,
    dataset: Option<&str>,
    kind: IdKind,
) -> Problem {
    let refusal = match denied {
        Denied::Refused(refusal) => refusal,
        Denied::Changed => {
            let detail = "removals came into force while this was put together";
            return Problem::new(&problem::VIEW_CHANGED, detail)
                .with_advice("Send the request again.");
        }
        Denied::Unavailable(cause) => return cause.into(),
        Denied::Unread(cause) => return Problem::internal(&cause),
    };
    match &refusal {
        Refusal::NotNow {
            recipient,
            requested_ids,
            remaining_ids,
            ceiling_ids,
            fits_at_ms,
            retry_at_ms,
        } => {
            let asked = match gateway.profile.counts_once(kind) {
                true => "of those asked for are new to it",
                false => "were asked for",
            };
            let detail = format!(
                "{} has room for {remaining_ids} more {} now, {requested_ids} {asked}",
                name(requester, *recipient),
                counted(gateway, kind)
            );
            Problem::new(&problem::ALLOWANCE_USED, detail)
                .with("entity", slug(requester, *recipient))
                .with("requested", *requested_ids)
                .later(gateway, [*remaining_ids, *ceiling_ids], *fits_at_ms, *retry_at_ms)
        }
        Refusal::Over {
            recipient,
            requested_ids,
            live_ids,
            ceiling_ids,
            fits_at_ms,
            retry_at_ms,
        } => {
            let detail = format!(
                "{} has received {live_ids} {} within the window, and may have {ceiling_ids}",
                name(requester, *recipient),
                counted(gateway, kind)
            );
            Problem::new(&problem::ALLOWANCE_USED, detail)
                .with("entity", slug(requester, *recipient))
                .with("requested", *requested_ids)
                .later(gateway, [0, *ceiling_ids], *fits_at_ms, *retry_at_ms)
        }
        Refusal::Never { recipient, requested_ids, ceiling_ids, parts } => {
            let parts: Vec<Value> = parts
                .iter()
                .map(|part| {
                    json!({
                        "offset": part.offset,
                        "limit": part.limit,
                        "earliest": rfc3339(part.earliest_ms),
                        "address": dataset.map(|slug| format!(
                            "/v1/datasets/{slug}/{kind}-ids?offset={}&limit={}",
                            part.offset, part.limit
                        )),
                    })
                })
                .collect();
            let new = match gateway.profile.counts_once(kind) {
                true => ", too many of them new,",
                false => ",",
            };
            let detail = format!(
                "{requested_ids} {} IDs were asked for{new} and {} may have {ceiling_ids} in any \
                 {} days",
                kind.title(),
                name(requester, *recipient),
                window_days(gateway)
            );
            let problem = Problem::new(&problem::NEVER_FITS, detail)
                .with("profile", &*gateway.profile.name)
                .with("entity", slug(requester, *recipient))
                .with("requested", *requested_ids)
                .with("ceiling", *ceiling_ids)
                .with("parts", parts)
                .with_header(RATE_LIMIT_POLICY, &policy(gateway, *ceiling_ids));
            match dataset {
                Some(_) => problem,
                None => problem.with_advice(
                    "Split the body so that each has no more IDs than a part of the plan, and \
                     send each when it fits.",
                ),
            }
        }
        Refusal::EntityUnreviewed { entity } => {
            let recipient = Recipient::Entity(*entity);
            let name = name(requester, recipient);
            let detail = format!(
                "{name} receives nothing until an operator has reviewed it; ask the operator"
            );
            Problem::new(&problem::NOT_ALLOWED, detail).with("entity", slug(requester, recipient))
        }
        Refusal::NoEntity | Refusal::PersonSuspended | Refusal::EntitySuspended { .. } => {
            Problem::new(&problem::NOT_ALLOWED, format!("{refusal}; ask the operator"))
        }
        Refusal::KeyEnded { .. } | Refusal::SessionEnded { .. } => {
            Problem::new(&problem::UNAUTHORIZED, refusal.to_string())
        }
        Refusal::DocumentsMissing { missing } => documents::not_accepted(missing),
        Refusal::LinkEnded { .. } | Refusal::LinkSpent => {
            unreachable!("only who opens a link is told of it, in words of its own")
        }
    }
}

/// The problem for what the ledger answered to somebody who wants a file of objects.
pub(super) fn problem_of_file(gateway: &Gateway, denied: Denied, requester: &Requester) -> Problem {
    let profile = &gateway.profile;
    let day_hours = profile.objects_window.length_ms / 3_600_000;
    match denied {
        Denied::Refused(Refusal::NotNow {
            requested_ids,
            remaining_ids,
            ceiling_ids,
            fits_at_ms,
            ..
        }) => {
            let detail = format!(
                "you may have {ceiling_ids} objects in any {day_hours} hours: there is room for \
                 {remaining_ids} more now, and the file has {requested_ids}; it fits {}",
                minute(fits_at_ms)
            );
            let seconds = seconds_until(gateway.clock.now_ms(), fits_at_ms).max(1);
            Problem::new(&problem::ALLOWANCE_USED, detail)
                .with("profile", &*profile.name)
                .with("requested", requested_ids)
                .with("remaining", remaining_ids)
                .with("fits_at", rfc3339(fits_at_ms))
                .with_header(header::RETRY_AFTER, &seconds.to_string())
        }
        Denied::Refused(Refusal::Over { live_ids, ceiling_ids, fits_at_ms, .. }) => {
            let detail = format!(
                "you have received {live_ids} objects within {day_hours} hours, and may have \
                 {ceiling_ids}; it fits {}",
                minute(fits_at_ms)
            );
            let seconds = seconds_until(gateway.clock.now_ms(), fits_at_ms).max(1);
            Problem::new(&problem::ALLOWANCE_USED, detail)
                .with("profile", &*profile.name)
                .with("fits_at", rfc3339(fits_at_ms))
                .with_header(header::RETRY_AFTER, &seconds.to_string())
        }
        Denied::Refused(Refusal::Never { requested_ids, ceiling_ids, .. }) => {
            let detail = format!(
                "the file has {requested_ids} objects, and you may have {ceiling_ids} in any \
                 {day_hours} hours"
            );
            Problem::new(&problem::NEVER_FITS, detail)
                .with("profile", &*profile.name)
                .with_advice("Select less, or ask for the rest in files of the following days.")
        }
        denied => problem(gateway, denied, requester, None, IdKind::Tweet),
    }
}

impl Problem {
    /// Says when it fits and when it is worth asking again.
    fn later(
        self,
        gateway: &Gateway,
        [remaining_ids, ceiling_ids]: [u64; 2],
        fits_at_ms: i64,
        retry_at_ms: i64,
    ) -> Problem {
        let now_ms = gateway.clock.now_ms();
        let retry_seconds = seconds_until(now_ms, retry_at_ms).max(1);
        let fits_seconds = seconds_until(now_ms, fits_at_ms);
        let limit = format!("{};r={remaining_ids};t={fits_seconds}", policy_name(gateway));
        self.with("profile", &*gateway.profile.name)
            .with("remaining", remaining_ids)
            .with("fits_at", rfc3339(fits_at_ms))
            .with("retry_at", rfc3339(retry_at_ms))
            .with_header(header::RETRY_AFTER, &retry_seconds.to_string())
            .with_header(RATE_LIMIT_POLICY, &policy(gateway, ceiling_ids))
            .with_header(RATE_LIMIT, &limit)
    }
}

/// The rule as `RateLimit-Policy` says it, for whoever has that ceiling.
fn policy(gateway: &Gateway, ceiling_ids: u64) -> String {
    let window_seconds = gateway.profile.window.length_ms / 1_000;
    format!("{};q={ceiling_ids};w={window_seconds}", policy_name(gateway))
}

fn policy_name(gateway: &Gateway) -> String {
    format!("\"entity-{}d\"", window_days(gateway))
}

fn window_days(gateway: &Gateway) -> i64 {
    gateway.profile.window.length_ms / 86_400_000
}

/// What is counted, for people: under one of the two readings an ID counts once.
fn counted(gateway: &Gateway, kind: IdKind) -> String {
    let distinct = if gateway.profile.counts_once(kind) { "distinct " } else { "" };
    format!("{distinct}{} IDs", kind.title())
}

/// The recipient's name for the requester, who is one of its members.
fn name(requester: &Requester, recipient: Recipient) -> String {
    let entity = member_of(requester, recipient);
    entity.map_or_else(|| "the entity".to_owned(), |entity| entity.name.clone())
}

fn slug(requester: &Requester, recipient: Recipient) -> Value {
    let entity = member_of(requester, recipient);
    entity.map_or(Value::Null, |entity| entity.slug.clone().into())
}

fn member_of(requester: &Requester, recipient: Recipient) -> Option<&EntityRef> {
    requester.entities.iter().find(|entity| Recipient::Entity(entity.id) == recipient)
}
