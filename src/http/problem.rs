//! Every refusal that HTTP knows, as one table, and its answer as `application/problem+json`.
//!
//! A problem has two texts: the public one, which says what would have been right and what to do
//! next, and the cause for the log, which the client never sees.

use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// One kind of problem. Its `type` is the path under which the gateway explains it.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The last part of the `type`; stable for ever.
    pub(crate) name: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    /// What to do about it.
    pub(crate) advice: &'static str,
}

macro_rules! problems {
    ($($constant:ident = $name:literal, $status:ident, $title:literal, $advice:literal;)*) => {
        $(pub(crate) static $constant: Kind = Kind {
            name: $name,
            status: StatusCode::$status,
            title: $title,
            advice: $advice,
        };)*

        /// All of them, in the order of their status.
        pub(crate) static PROBLEMS: &[&Kind] = &[$(&$constant),*];
    };
}

problems! {
    BAD_REQUEST = "bad-request", BAD_REQUEST,
        "The request cannot be understood",
        "Mend what the detail names and send it again.";
    KEY_IN_QUERY = "key-in-query", BAD_REQUEST,
        "A key does not belong into an address",
        "Addresses end up in logs. Have this key revoked, and send the next one as \
         `Authorization: Bearer KEY`.";
    UNAUTHORIZED = "unauthorized", UNAUTHORIZED,
        "A valid key is needed",
        "Send `Authorization: Bearer KEY` with a key that is neither expired nor revoked; \
         the operator issues one.";
    SIGN_IN_REFUSED = "sign-in-refused", UNAUTHORIZED,
        "Nothing shows who you are",
        "Begin again on the page to sign in, or sign in by a link. If it stays so, tell the \
         operator.";
    ACCEPTANCE_MISSING = "acceptance-missing", FORBIDDEN,
        "The documents must be accepted first",
        "Read what GET /v1/documents lists and accept it with POST /v1/acceptances.";
    CROSS_SITE = "cross-site", FORBIDDEN,
        "The request was not sent by a page of this gateway",
        "Open the page here and send its form again. If a proxy stands in front of the gateway, \
         the operator sets server.public_url to the address that people see.";
    KEY_DORMANT = "key-dormant", FORBIDDEN,
        "The key has not been used for a year",
        "Ask the operator to reactivate it, or for a new one.";
    NOT_ALLOWED = "not-allowed", FORBIDDEN,
        "This requester may not do that",
        "The detail says why; the operator can tell more.";
    OBJECTS_BY_HAND = "objects-by-hand", FORBIDDEN,
        "Full objects are handed out to people only",
        "Sign in with a browser and ask for a file on the page /exports. Programs and links get \
         IDs, which are hydrated with credentials of one's own.";
    NEVER_FITS = "never-fits", FORBIDDEN,
        "More is asked for than the ceiling ever allows",
        "Take it in the parts that the answer lists, each when it fits, \
         or ask the operator for an academic exemption.";
    LINK_SPENT = "link-spent", FORBIDDEN,
        "The downloads of this link are used up",
        "Ask whoever gave it to you for another one.";
    PASSPHRASE_WRONG = "passphrase-wrong", FORBIDDEN,
        "The passphrase is another one",
        "Type it as it was given to you, as the field `passphrase` of the form.";
    NOT_FOUND = "not-found", NOT_FOUND,
        "There is no such thing here, or not for this requester",
        "GET /v1/datasets lists what there is.";
    METHOD_NOT_ALLOWED = "method-not-allowed", METHOD_NOT_ALLOWED,
        "This address does not take that method",
        "The Allow field lists the methods that it takes.";
    CONFLICT = "conflict", CONFLICT,
        "It would contradict what is there",
        "The detail says what stands against it and what comes first.";
    CONFIRMATION_USED = "confirmation-used", CONFLICT,
        "This confirmation was for another time",
        "Open the page of the file again: each confirmation is good for fetching it once.";
    TOO_SLOW = "too-slow", REQUEST_TIMEOUT,
        "The request did not arrive in time",
        "Send it again over a better connection.";
    LINK_USED = "link-used", GONE,
        "This link is used up or too old",
        "Ask for a new one; each is good for one time.";
    LINK_CLOSED = "link-closed", GONE,
        "This link is closed",
        "Ask whoever gave it to you for another one.";
    FILE_GONE = "file-gone", GONE,
        "This file can no longer be fetched",
        "Ask for it again on the page of its export: it is then made anew.";
    VIEW_CHANGED = "view-changed", PRECONDITION_FAILED,
        "The earlier part of this download was of something else",
        "Go on with the address that the answer names, or start again without a range.";
    PRECONDITION_FAILED = "precondition-failed", PRECONDITION_FAILED,
        "What If-Match names is not what is here",
        "Ask again without If-Match to see the present tag.";
    TOO_LARGE = "too-large", PAYLOAD_TOO_LARGE,
        "The request is larger than this address takes",
        "Send less at once.";
    RANGE_NOT_SATISFIABLE = "range-not-satisfiable", RANGE_NOT_SATISFIABLE,
        "There are no such bytes",
        "Ask for one range of bytes within the length that Content-Range tells.";
    DAMAGED = "damaged", UNPROCESSABLE_ENTITY,
        "A record is damaged",
        "Mend the record that the detail names, or ask without strict=true: then damaged records \
         are left out and counted.";
    UNREADABLE = "unreadable", UNPROCESSABLE_ENTITY,
        "Nothing in the body could be read",
        "Send tweets or IDs in a format that `hydrant strip` reads, plain or packed.";
    MISDIRECTED = "misdirected", MISDIRECTED_REQUEST,
        "This gateway does not answer for that host",
        "Use the address that the operator published.";
    ALLOWANCE_USED = "allowance-used", TOO_MANY_REQUESTS,
        "The allowance does not suffice now",
        "Come back when it fits, as `fits_at` and Retry-After say, or take less.";
    SLOW_DOWN = "slow-down", TOO_MANY_REQUESTS,
        "Too much is asked from this address",
        "Try again in a minute.";
    INTERNAL = "internal", INTERNAL_SERVER_ERROR,
        "Something went wrong here",
        "Nothing that was not delivered is charged for good. Tell the operator the request's id.";
    UPSTREAM_FAILED = "upstream-failed", BAD_GATEWAY,
        "Where this dataset is read from fails",
        "Nothing is charged. Try again later; if it stays so, tell the operator.";
    PROVIDER_FAILED = "provider-failed", BAD_GATEWAY,
        "Where you want to sign in fails",
        "Try again later, or sign in by a link. If it stays so, tell the operator.";
    BUSY = "busy", SERVICE_UNAVAILABLE,
        "Too much is being stripped at the moment",
        "Try again when Retry-After says.";
    UPSTREAM_SLOW = "upstream-slow", GATEWAY_TIMEOUT,
        "Where this dataset is read from is too slow",
        "Nothing is charged. Try again later; if it stays so, tell the operator.";
    PROVIDER_SLOW = "provider-slow", GATEWAY_TIMEOUT,
        "Where you want to sign in is too slow",
        "Try again later, or sign in by a link. If it stays so, tell the operator.";
    RECEIPT_NOT_READY = "receipt-not-ready", SERVICE_UNAVAILABLE,
        "The receipt is not ready",
        "The audit log is signed every few seconds. Ask again after Retry-After.";
    LEDGER_FROZEN = "ledger-frozen", SERVICE_UNAVAILABLE,
        "The ledger is frozen, and nothing is delivered",
        "Charges are missing in the gateway's database. The operator has to thaw it first.";
    UNAVAILABLE = "unavailable", SERVICE_UNAVAILABLE,
        "Nothing can be delivered at the moment",
        "What cannot be recorded is not sent. Try again later.";
}

/// A refusal on its way to the client. Small, because every handler may return one.
#[derive(Debug)]
pub(crate) struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: &'static Kind,
    detail: String,
    advice: &'static str,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of that kind; `detail` is for people and says what is wrong in this case.
    pub(crate) fn new(kind: &'static Kind, detail: impl Into<String>) -> Problem {
        let detail = detail.into();
        let (advice, members, headers) = (kind.advice, Map::new(), Vec::new());
        Problem(Box::new(Parts { kind, detail, advice, members, headers }))
    }

    /// What cannot be recorded is not sent. The cause goes to the log, once, here.
    pub(crate) fn unavailable(cause: &dyn std::fmt::Display) -> Problem {
        tracing::error!(%cause, "a request ends with 503");
        Problem::new(&UNAVAILABLE, "the gateway cannot record deliveries at the moment")
    }

    /// A bug or a damaged file of ours. The cause goes to the log, once, here.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Problem {
        tracing::error!(%cause, "a request ends with 500");
        Problem::new(&INTERNAL, "the gateway could not answer")
    }

    /// The status of its answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.0.kind.status
    }

    /// Says what to do in this case, where the advice of the kind leads elsewhere.
    pub(crate) fn with_advice(mut self, advice: &'static str) -> Problem {
        self.0.advice = advice;
        self
    }

    /// Adds a member to the JSON object.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Problem {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a header field.
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Problem {
        let value = HeaderValue::from_str(value).expect("a header value of our own is printable");
        self.0.headers.push((name, value));
        self
    }
}

/// What a problem says, beside its answer: a page for people is made of it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) kind: &'static Kind,
    pub(crate) detail: String,
    pub(crate) advice: &'static str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Parts { kind, detail, advice, members, headers } = *self.0;
        let mut body = Map::new();
        body.insert("type".into(), format!("/problems/{}", kind.name).into());
        body.insert("title".into(), kind.title.into());
        body.insert("status".into(), kind.status.as_u16().into());
        body.insert("detail".into(), detail.clone().into());
        body.insert("advice".into(), advice.into());
        body.extend(members);
        let mut response = (kind.status, Json(Value::Object(body))).into_response();
        let fields = response.headers_mut();
        fields.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json; charset=utf-8"),
        );
        if kind.status == StatusCode::UNAUTHORIZED {
            fields.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"hydrant\""),
            );
        }
        for (name, value) in headers {
            fields.insert(name, value);
        }
        response.extensions_mut().insert(Told { kind, detail, advice });
        response
    }
}

/// `GET /problems`: the whole table.
pub(crate) async fn list() -> Json<Value> {
    Json(json!({ "problems": PROBLEMS.iter().map(|kind| explained(kind)).collect::<Vec<_>>() }))
}

/// `GET /problems/{name}`: what one `type` means.
pub(crate) async fn show(Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    let known = PROBLEMS.iter().find(|kind| kind.name == name);
    let kind = known.ok_or_else(|| {
        Problem::new(&NOT_FOUND, "there is no such problem")
            .with_advice("GET /problems lists them.")
    })?;
    Ok(Json(explained(kind)))
}

fn explained(kind: &Kind) -> Value {
    json!({
        "type": format!("/problems/{}", kind.name),
        "title": kind.title,
        "status": kind.status.as_u16(),
        "advice": kind.advice,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_a_name_of_its_own() {
        let mut names: Vec<_> = PROBLEMS.iter().map(|kind| kind.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PROBLEMS.len());
    }
}
