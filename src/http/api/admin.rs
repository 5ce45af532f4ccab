//! The operators' half: `/v1/admin`. Each route is an operation, in one table; who may ask for
//! which is decided where it is carried out, and what a route takes are the operation's members.

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{RawPathParams, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Query;
use crate::base::date::{begin_ms, end_ms, length_ms};
use crate::base::party::{Actor, Credential};
use crate::directory::Requester;
use crate::directory::words::Scope;
use crate::http::auth::Caller;
use crate::http::form;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::operation::{ErrorKind, Once, Operation, OperationError};

/// One route: its method and path below `/v1/admin`, the operation that it is, and what of the
/// operation the path alone decides.
struct Route(MethodFilter, &'static str, &'static str, Decided);

/// Members of an operation by name.
type Decided = &'static [(&'static str, &'static str)];

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const PATCH: MethodFilter = MethodFilter::PATCH;
const PUT: MethodFilter = MethodFilter::PUT;
const DELETE: MethodFilter = MethodFilter::DELETE;

/// Every route of the operators' half.
const ROUTES: &[Route] = &[
    Route(GET, "/entities", "entity-list", &[]),
    Route(POST, "/entities", "entity-add", &[]),
    Route(GET, "/entities/{slug}", "entity-show", &[]),
    Route(POST, "/entities/{slug}/suspend", "entity-suspend", &[]),
    Route(POST, "/entities/{slug}/resume", "entity-resume", &[]),
    Route(GET, "/entities/{slug}/usage", "usage", &[]),
    Route(PATCH, "/entities/{slug}", "entity-edit", &[]),
    Route(POST, "/entities/{slug}/review", "entity-review", &[]),
    Route(GET, "/entity-duplicates", "entity-duplicates", &[]),
    Route(GET, "/entities/{source}/merge/{target}", "entity-merge-effect", &[]),
    Route(POST, "/entities/{source}/merge/{target}", "entity-merge", &[]),
    Route(GET, "/use-cases", "use-case-list", &[]),
    Route(POST, "/entities/{slug}/use-cases", "use-case-propose", &[]),
    Route(POST, "/entities/{slug}/use-case/approve", "use-case-decide", &[("verdict", "approve")]),
    Route(POST, "/entities/{slug}/use-case/refuse", "use-case-decide", &[("verdict", "refuse")]),
    Route(GET, "/entities/{slug}/invitations", "invitation-list", &[]),
    Route(POST, "/entities/{slug}/invitations", "invitation-add", &[]),
    Route(DELETE, "/invitations/{invitation}", "invitation-withdraw", &[]),
    Route(GET, "/joins", "join-list", &[]),
    Route(GET, "/people/{mail}/joins/{slug}", "person-join-effect", &[("role", "member")]),
    Route(POST, "/people/{mail}/joins/{slug}", "person-join", &[]),
    Route(POST, "/joins/{join}/consent", "join-consent", &[]),
    Route(POST, "/joins/{join}/withdraw", "join-withdraw", &[]),
    Route(DELETE, "/people/{mail}/memberships/{slug}", "person-leave", &[]),
    Route(PATCH, "/people/{mail}/memberships/{slug}", "person-role", &[]),
    Route(GET, "/people/{mail}/identities", "person-identities", &[]),
    Route(DELETE, "/people/{mail}/identities", "person-unlink", &[]),
    Route(GET, "/people/{mail}/export", "person-export", &[]),
    Route(POST, "/people/{mail}/erase", "person-erase", &[]),
    Route(GET, "/people", "person-list", &[]),
    Route(POST, "/people", "person-add", &[]),
    Route(POST, "/people/{mail}/suspend", "person-suspend", &[]),
    Route(POST, "/people/{mail}/resume", "person-resume", &[]),
    Route(POST, "/people/{mail}/acceptances", "person-accept", &[]),
    Route(GET, "/keys", "key-list", &[]),
    Route(POST, "/keys", "key-issue", &[]),
    Route(POST, "/keys/{key}/rotate", "key-rotate", &[]),
    Route(POST, "/keys/{key}/reactivate", "key-reactivate", &[]),
    Route(DELETE, "/keys/{key}", "key-revoke", &[]),
    Route(GET, "/sessions", "session-list", &[]),
    Route(DELETE, "/sessions/{session}", "session-revoke", &[]),
    Route(GET, "/registrations", "registration-list", &[]),
    Route(POST, "/registrations/{registration}/assign", "registration-assign", &[]),
    Route(POST, "/registrations/{registration}/refuse", "registration-refuse", &[]),
    Route(GET, "/exemptions", "exemption-list", &[]),
    Route(POST, "/exemptions", "exemption-apply", &[]),
    Route(POST, "/exemptions/{exemption}/approve", "exemption-decide", &[("decision", "approve")]),
    Route(POST, "/exemptions/{exemption}/refuse", "exemption-decide", &[("decision", "refuse")]),
    Route(POST, "/exemptions/{exemption}/revoke", "exemption-decide", &[("decision", "revoke")]),
    Route(GET, "/permissions", "permission-list", &[]),
    Route(POST, "/permissions", "permission-add", &[]),
    Route(POST, "/permissions/{permission}/revoke", "permission-revoke", &[]),
    Route(GET, "/exports", "export-list", &[]),
    Route(GET, "/exports/{export}", "export-show", &[]),
    Route(POST, "/export-files/{file}/cancel", "export-cancel", &[]),
    Route(GET, "/shares", "share-list", &[]),
    Route(GET, "/shares/{share}", "share-show", &[]),
    Route(DELETE, "/shares/{share}", "share-revoke", &[]),
    Route(GET, "/documents", "document-list", &[]),
    Route(POST, "/documents", "document-publish", &[]),
    Route(GET, "/policy", "policy-show", &[]),
    Route(GET, "/datasets", "dataset-list", &[]),
    Route(GET, "/datasets/{slug}", "dataset-show", &[]),
    Route(PATCH, "/datasets/{slug}", "dataset-edit", &[]),
    Route(DELETE, "/datasets/{slug}", "dataset-retire", &[]),
    Route(GET, "/removals", "removal", &[("removal", "list")]),
    Route(POST, "/removals", "removal", &[("removal", "import")]),
    Route(POST, "/removals/{import}/revert", "removal", &[("removal", "revert")]),
    Route(GET, "/removals/holders", "removal", &[("removal", "holders")]),
    Route(GET, "/entities/{slug}/report", "report", &[]),
    Route(GET, "/deliveries", "deliveries", &[]),
    Route(GET, "/deliveries/{delivery}/receipt", "audit-receipt", &[]),
    Route(GET, "/instances", "instance-list", &[]),
    Route(GET, "/ledger", "ledger-status", &[]),
    Route(PUT, "/audit/checkpoint", "audit-checkpoint", &[]),
    Route(GET, "/audit/checkpoints", "audit-checkpoint-sizes", &[]),
    Route(GET, "/audit/reasons", "audit-reasons", &[]),
    Route(GET, "/audit/files/{*names}", "audit-files", &[]),
];

/// The members that are whole numbers, which a path or query has as text.
const NUMBERS: &[&str] = &[
    "key",
    "session",
    "registration",
    "exemption",
    "invitation",
    "join",
    "permission",
    "import",
    "share",
    "export",
    "file",
    "rows_max",
    "after",
];
/// The members that are lists, of which a path or query has one element.
const LISTS: &[&str] = &["names"];
/// The times that may be given as a date, and the member in milliseconds that each stands for.
const DATES: &[(&str, &str)] = &[("until", "until_ms")];
/// The same of times that a date begins.
const FIRST_DATES: &[(&str, &str)] = &[("from", "from_ms")];
/// The lengths of time that may be given like `90d`, and the member that each stands for.
const LENGTHS: &[(&str, &str)] = &[("lifetime", "lifetime_ms"), ("overlap", "overlap_ms")];

/// The longest name that a request may have.
const ONCE_CHARS_MAX: usize = 255;

/// All routes of the operators' half.
pub(in crate::http) fn routes() -> Router<Gateway> {
    let mut router = Router::new();
    for route in ROUTES {
        let Route(method, path, ..) = route;
        let answer = move |state, caller, path, query, headers, body| {
            answer(route, state, caller, path, query, headers, body)
        };
        router = router.route(&format!("/v1/admin{path}"), on(*method, answer));
    }
    router
}

#[allow(clippy::too_many_arguments, reason = "each is a part of the request")]
async fn answer(
    route: &'static Route,
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
    path: RawPathParams,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let actor = actor_of(&requester)?;
    let mut members = Members(Map::new());
    for &(name, value) in route.3 {
        members.take(name, value.into())?;
    }
    for (name, text) in &path {
        members.take_text(name, text)?;
    }
    for (name, text) in &query {
        members.take_text(name, text)?;
    }
    members.take_body(&form::whole(body).await?)?;
    let Members(mut members) = members;
    members.insert("operation".into(), route.2.into());
    let once = match route.0 {
        GET => None,
        _ => named(&headers, &members)?,
    };
    let operation: Operation = serde_json::from_value(Value::Object(members))
        .map_err(|error| bad(format!("the request lacks something or has too much: {error}")))?;
    let done = gateway.carry_out(operation, actor, once).await?;
    let status = if route.2.ends_with("-add") { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(done?)).into_response())
}

/// As whom the requester acts here.
fn actor_of(requester: &Requester) -> Result<Actor, Problem> {
    let is_session = matches!(requester.by, Credential::Session(_));
    if requester.scope == Scope::Operate || is_session {
        return Ok(Actor::Person(requester.person));
    }
    let detail = "this key is not for the operators' half; the owner of the gateway's machine \
                  issues one with `hydrant key issue --scope operate`";
    Err(Problem::new(&problem::NOT_ALLOWED, detail))
}

/// The members of an operation, gathered from all parts of a request.
struct Members(Map<String, Value>);

impl Members {
    fn take(&mut self, name: &str, value: Value) -> Result<(), Problem> {
        if name == "operation" || self.0.contains_key(name) {
            return Err(bad(format!("`{name}` is decided by the address and not given again")));
        }
        self.0.insert(name.to_owned(), value);
        Ok(())
    }

    fn take_text(&mut self, name: &str, text: &str) -> Result<(), Problem> {
        let value = if NUMBERS.contains(&name) {
            let number = text.parse::<i64>();
            number.map_err(|_| bad(format!("{name} must be a whole number")))?.into()
        } else if LISTS.contains(&name) {
            vec![text].into()
        } else {
            text.into()
        };
        let (name, value) = in_milliseconds(name.to_owned(), value)?;
        self.take(&name, value)
    }

    fn take_body(&mut self, body: &[u8]) -> Result<(), Problem> {
        if body.is_empty() {
            return Ok(());
        }
        let members: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|error| bad(format!("the body is not a JSON object: {error}")))?;
        for (name, value) in members {
            let (name, value) = in_milliseconds(name, value)?;
            self.take(&name, value)?;
        }
        Ok(())
    }
}

/// A time or length that is given as people write it, as the operation has it.
pub(super) fn in_milliseconds(name: String, value: Value) -> Result<(String, Value), Problem> {
    let known = |names: &[(&str, &'static str)]| {
        names.iter().find(|(short, _)| *short == name).map(|(_, member)| *member)
    };
    let wrong = |why: &dyn std::fmt::Display| bad(format!("{name} is {value}: {why}"));
    let text = value.as_str().unwrap_or_default();
    if let Some(member) = known(DATES) {
        let time_ms = end_ms(text).map_err(|why| wrong(&why))?;
        return Ok((member.to_owned(), time_ms.into()));
    }
    if let Some(member) = known(FIRST_DATES) {
        let time_ms = begin_ms(text).map_err(|why| wrong(&why))?;
        return Ok((member.to_owned(), time_ms.into()));
    }
    if let Some(member) = known(LENGTHS) {
        let length_ms = length_ms(text).map_err(|why| wrong(&why))?;
        return Ok((member.to_owned(), length_ms.into()));
    }
    Ok((name, value))
}

/// The name that the sender gave the request, if it carries one, with what it asks for.
pub(super) fn named(
    headers: &HeaderMap,
    members: &Map<String, Value>,
) -> Result<Option<Once>, Problem> {
    let mut fields = headers.get_all("idempotency-key").iter();
    let Some(field) = fields.next() else { return Ok(None) };
    let name = field.to_str().unwrap_or_default().trim().trim_matches('"');
    if name.is_empty() || name.len() > ONCE_CHARS_MAX || fields.next().is_some() {
        let detail = format!(
            "an Idempotency-Key is given once and has 1 to {ONCE_CHARS_MAX} printable ASCII \
             characters, for instance a UUID"
        );
        return Err(bad(detail));
    }
    let sha256 = Sha256::digest(Value::Object(members.clone()).to_string());
    Ok(Some(Once { name: name.to_owned(), sha256: sha256.into() }))
}

pub(super) fn bad(detail: String) -> Problem {
    Problem::new(&problem::BAD_REQUEST, detail)
}

impl From<OperationError> for Problem {
    fn from(OperationError { kind, message }: OperationError) -> Problem {
        match kind {
            ErrorKind::NotFound => Problem::new(&problem::NOT_FOUND, message)
                .with_advice("The detail says what to do."),
            ErrorKind::Conflict => Problem::new(&problem::CONFLICT, message),
            ErrorKind::Invalid => bad(message),
            ErrorKind::Forbidden => Problem::new(&problem::NOT_ALLOWED, message),
            ErrorKind::Unavailable => {
                Problem::unavailable(&message).with_header(header::RETRY_AFTER, "5")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The operations that only the owner of the machine may ask for, or that build on its disk;
    /// and those of makers of links, which `/v1/shares` has.
    const NOT_HERE: &[&str] = &[
        "dataset-check",
        "dataset-refresh",
        "dataset-register",
        "dataset-register-stream",
        "ledger-clock-accept",
        "ledger-thaw",
        "person-invite",
        "policy-preview",
        "policy-switch",
        "share-add",
        "share-extend",
        "share-publish",
        "staff-appoint",
        "upstream",
    ];

    #[test]
    fn every_operation_is_a_route_or_left_out_by_name() {
        let unknown = serde_json::json!({ "operation": "?" });
        let error = serde_json::from_value::<Operation>(unknown).unwrap_err().to_string();
        let all: BTreeSet<&str> =
            error.split('`').skip(3).step_by(2).filter(|name| !name.is_empty()).collect();
        let routes: BTreeSet<&str> = ROUTES.iter().map(|route| route.2).collect();
        let left_out: BTreeSet<&str> = NOT_HERE.iter().copied().collect();
        assert!(routes.is_disjoint(&left_out));
        assert_eq!(routes.union(&left_out).copied().collect::<BTreeSet<_>>(), all);
    }
}
