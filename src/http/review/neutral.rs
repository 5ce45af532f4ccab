//! Refusals and fields of what reviewers see: one text for each kind, so that no answer tells more
//! than its kind.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use serde_json::json;

use crate::http::problem::{self, Kind, Problem, Told};
use crate::http::web::style;
use crate::store::StoreError;

/// Nothing from elsewhere, no script, no style within the page, no frame round it.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// The fields of every answer: no search engine keeps it, and nobody who is led on learns from
/// where.
const FIELDS: &[(&str, &str)] = &[
    ("content-security-policy", POLICY),
    ("referrer-policy", "no-referrer"),
    ("x-robots-tag", "noindex, nofollow, noarchive, noimageindex"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// A kind of refusal, with all that is ever said of it.
pub(super) struct Words {
    pub(super) kind: &'static Kind,
    title: &'static str,
    advice: &'static str,
}

macro_rules! words {
    ($($name:ident = $kind:ident, $title:literal, $advice:literal;)*) => {
        $(pub(super) static $name: Words =
            Words { kind: &problem::$kind, title: $title, advice: $advice };)*

        static ALL: &[&Words] = &[$(&$name),*];
    };
}

words! {
    BAD_REQUEST = BAD_REQUEST,
        "The request cannot be understood",
        "Open the link and use its form, or the line for programs that stands there.";
    NOT_ACCEPTED = ACCEPTANCE_MISSING,
        "The terms have to be accepted first",
        "Open the link, accept each document in the version that it names, and begin again.";
    SPENT = LINK_SPENT,
        "The downloads of this link are used up",
        "Ask whoever gave it to you for another one.";
    PASSPHRASE = PASSPHRASE_WRONG,
        "The passphrase is another one",
        "Type it as it was given to you.";
    NOT_FOUND = NOT_FOUND,
        "There is nothing at this address",
        "Compare it with the link that you were given.";
    NOT_THAT_WAY = METHOD_NOT_ALLOWED,
        "This address is not used that way",
        "Open the link and use its form.";
    TOO_SLOW = TOO_SLOW,
        "The request did not arrive in time",
        "Send it again over a better connection.";
    CLOSED = LINK_CLOSED,
        "This link is closed",
        "Ask whoever gave it to you for another one.";
    CHANGED = VIEW_CHANGED,
        "The earlier part of this download was of something else",
        "Start again without a range.";
    OTHER_TAG = PRECONDITION_FAILED,
        "What If-Match names is not what is here",
        "Ask again without If-Match.";
    TOO_LARGE = TOO_LARGE,
        "The request is too large",
        "Open the link and use its form.";
    NO_SUCH_BYTES = RANGE_NOT_SATISFIABLE,
        "There are no such bytes",
        "Ask for one range of bytes within the length that Content-Range tells.";
    SLOWLY = SLOW_DOWN,
        "Too much is asked at once",
        "Try again when Retry-After says.";
    BROKEN = INTERNAL,
        "Something went wrong here",
        "Try again later.";
    UNAVAILABLE = UNAVAILABLE,
        "Nothing can be delivered at the moment",
        "Try again later.";
    BY_HAND = OBJECTS_BY_HAND,
        "Full objects are handed out to people only",
        "A link hands out IDs, which are hydrated with credentials of one's own.";
}

/// A refusal on its way to a reviewer.
#[derive(Clone)]
pub(super) struct Refused {
    pub(super) words: &'static Words,
    fields: Vec<(HeaderName, String)>,
}

impl Refused {
    pub(super) fn new(words: &'static Words) -> Refused {
        Refused { words, fields: Vec::new() }
    }

    /// The refusal of that status.
    fn of(status: StatusCode) -> Refused {
        let known = ALL.iter().copied().find(|words| words.kind.status == status);
        let otherwise = if status.is_server_error() { &UNAVAILABLE } else { &BAD_REQUEST };
        Refused::new(known.unwrap_or(otherwise))
    }

    /// Says in how many milliseconds it is worth trying again.
    pub(super) fn retry_in(self, wait_ms: i64) -> Refused {
        let seconds = wait_ms.max(0).div_euclid(1_000) + 1;
        self.with(header::RETRY_AFTER, seconds.to_string())
    }

    /// Adds a field, which must tell nothing of anybody.
    pub(super) fn with(mut self, name: HeaderName, value: String) -> Refused {
        self.fields.push((name, value));
        self
    }
}

impl From<Problem> for Refused {
    /// What another handler refuses: of all that it says, only the status is passed on.
    fn from(problem: Problem) -> Refused {
        Refused::of(problem.status())
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Refused {
        // The cause goes to the log there.
        Refused::from(Problem::from(error))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.words.kind.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The layer that puts refusals into words, and the fields on every answer.
pub(super) async fn told(request: Request, next: Next) -> Response {
    let accept = request.headers().get(header::ACCEPT).cloned();
    let response = next.run(request).await;
    let mut headers = HeaderMap::new();
    headers.extend(accept.map(|accept| (header::ACCEPT, accept)));
    shown(response, &headers)
}

/// An answer as it is sent to whoever sent `headers`: a page for a browser, else JSON.
pub(super) fn shown(mut response: Response, headers: &HeaderMap) -> Response {
    // What was refused before a handler of ours was asked.
    let foreign = response.extensions_mut().remove::<Told>().map(|told| told.kind.status);
    let refused = response.extensions_mut().remove::<Refused>();
    if let Some(refused) = refused.or(foreign.map(Refused::of)) {
        let allow = response.headers_mut().remove(header::ALLOW);
        response =
            if wants_page(headers) { refusal_page(&refused) } else { refusal_json(&refused) };
        *response.status_mut() = refused.words.kind.status;
        for (name, value) in refused.fields {
            let value = HeaderValue::from_str(&value).expect("a field of our own is printable");
            response.headers_mut().insert(name, value);
        }
        response.headers_mut().extend(allow.map(|allow| (header::ALLOW, allow)));
    }
    for (name, value) in FIELDS {
        response.headers_mut().insert(*name, HeaderValue::from_static(value));
    }
    response
}

/// Whether a person reads the answer.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn refusal_json(refused: &Refused) -> Response {
    let Words { kind, title, advice } = refused.words;
    let body = json!({
        "type": format!("/problems/{}", kind.name),
        "title": title,
        "status": kind.status.as_u16(),
        "advice": advice,
    });
    let mut response = Json(body).into_response();
    let json = HeaderValue::from_static("application/problem+json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn refusal_page(refused: &Refused) -> Response {
    let Words { title, advice, .. } = refused.words;
    document(
        StatusCode::OK,
        title,
        html! {
            h1 { (title) }
            p class="lead" { (advice) }
        },
    )
}

/// A whole page; what stands round its content is the same for every link.
pub(super) fn document(status: StatusCode, title: &str, content: Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex, nofollow, noarchive";
                meta name="referrer" content="no-referrer";
                title { (title) }
                link rel="stylesheet" href={ "/s" (*style::ADDRESS) };
                link rel="icon" href="data:,";
            }
            body {
                a class="skip" href="#content" { "Skip to content" }
                main id="content" tabindex="-1" { div class="inner" { (content) } }
                footer {
                    div class="inner" {
                        p {
                            "Whoever opens this page is not asked who they are, and nothing is "
                            "kept of them. Only IDs are handed out, never texts."
                        }
                    }
                }
            }
        }
    };
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    (status, [(header::CONTENT_TYPE, html)], markup.into_string()).into_response()
}
