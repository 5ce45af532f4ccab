//! The page of a link: what there is, the terms, and how to begin. It changes nothing.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use maud::{Markup, html};

use super::facts::{self, Facts, Found, Names};
use super::neutral::{self, Refused};
use crate::base::number::separated;
use crate::directory::words::Purpose;
use crate::http::api::Segment;
use crate::http::listener::Peer;
use crate::http::state::Gateway;

/// `GET /s/{token}`.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    peer: Option<Extension<Peer>>,
    Segment(token): Segment,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let origin = facts::origin(&gateway, &headers);
    let asker = facts::asker(&gateway, peer, &headers);
    Ok(match facts::find(&gateway, &token, asker).await? {
        Found::Open(found) => drawn(&found.1, &token, &origin, None),
        Found::Published(names) => published(&names),
    })
}

/// The page with the form; `mistake` is what was wrong with the one that was sent.
pub(super) fn drawn(
    facts: &Facts,
    token: &str,
    origin: &str,
    mistake: Option<(StatusCode, &str)>,
) -> Response {
    let (title, why) = match facts.purpose {
        Purpose::PeerReview => ("Data for peer review", "so that a paper can be reviewed"),
        Purpose::Replication => ("Data for replication", "so that results can be repeated"),
    };
    let kind = facts.kind.title();
    let content = html! {
        h1 { (title) }
        p class="lead" {
            (separated(facts.ids)) " " (kind) " IDs, " (why) ". Each stands for a public record of "
            "the platform, which you look up there yourself."
        }
        @if let Some((_, mistake)) = mistake {
            div class="notice bad" role="alert" { p { (mistake) } }
        }
        @if let Some(names) = &facts.names { (names_of(names)) }
        dl class="card" {
            dt { "What it is" } dd { (kind) " IDs, one a line, as text" }
            dt { "How many" } dd { (separated(facts.ids)) }
            dt { "Open" } dd { "to the end of " (facts.last_day) " (UTC)" }
        }
        h2 { "Terms" }
        (form(facts, token))
        (for_programs(facts, token, origin))
    };
    neutral::document(mistake.map_or(StatusCode::OK, |(status, _)| status), title, content)
}

fn form(facts: &Facts, token: &str) -> Markup {
    html! {
        form class="stack" method="post" action={ "/s/" (token) "/downloads" } {
            fieldset {
                legend { "Whoever receives IDs accepts these documents of the platform first:" }
                @for term in &facts.documents {
                    div class="check" {
                        input type="checkbox" id=(term.value) name="accept" value=(term.value)
                            required;
                        label for=(term.value) {
                            "I accept: "
                            @match &term.url {
                                Some(url) => {
                                    a href=(url) rel="noreferrer noopener" { (term.title) }
                                }
                                None => (term.title),
                            }
                            " (version " (term.version) ")"
                        }
                    }
                }
            }
            @if facts.asks_passphrase {
                div class="field" {
                    label for="passphrase" { "Passphrase" }
                    p class="hint" id="passphrase-hint" { "It was given to you with the link." }
                    input id="passphrase" name="passphrase" type="password" required
                        autocomplete="off" aria-describedby="passphrase-hint";
                }
            }
            button type="submit" { "Accept and download" }
        }
    }
}

fn for_programs(facts: &Facts, token: &str, origin: &str) -> Markup {
    let accept: Vec<String> =
        facts.documents.iter().map(|term| format!("-d accept={}", term.value)).collect();
    let passphrase = match facts.asks_passphrase {
        true => " --data-urlencode passphrase=…",
        false => "",
    };
    let file = format!("{}-ids.txt", facts.kind);
    html! {
        details class="card" {
            summary { "With a program, or if a download breaks off" }
            p { "This accepts the same documents and downloads the IDs:" }
            p {
                code class="token" {
                    "curl --fail -L -o " (file) " " (accept.join(" ")) (passphrase) " "
                    (origin) "/s/" (token) "/downloads"
                }
            }
            p {
                "The address to which it leads is good for 24 hours, also for a browser: what "
                "broke off goes on there where it stopped, with " code { "curl -C - -o " (file) }
                " and that address."
            }
        }
    }
}

fn names_of(names: &Names) -> Markup {
    html! {
        dl class="card" {
            dt { "Dataset" } dd { (names.dataset) }
            dt { "By" } dd { (names.person) ", " (names.entity) }
        }
    }
}

/// What is left when the review is over.
fn published(names: &Names) -> Response {
    let content = html! {
        h1 { (names.dataset) }
        p class="lead" {
            "The IDs of this dataset were reviewed here. The review is over, and this page hands "
            "out nothing any more."
        }
        (names_of(names))
        @if let Some(path) = &names.path {
            p { "The dataset stands in the catalogue under " code { (path) } "." }
        }
    };
    neutral::document(StatusCode::OK, &names.dataset, content)
}
