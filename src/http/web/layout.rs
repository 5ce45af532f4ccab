//! What every page has: head, navigation, footer, and the fields that keep strangers out.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::form;
use super::style;
use super::visitor::Visitor;
use crate::http::problem::Told;
use crate::http::state::Gateway;
use crate::policy::Profile;

/// Nothing from elsewhere, no script, no style within the page, no frame round it.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The same for a page that follows something which is being made, with the one script there is.
const POLICY_OF_PROGRESS: &str = "default-src 'none'; style-src 'self'; img-src data:; \
                                  script-src 'self'; connect-src 'self'; form-action 'self'; \
                                  frame-ancestors 'none'; base-uri 'none'";

/// After how many seconds a page without scripts loads itself anew while it waits for something.
const RELOAD_SECONDS: u32 = 3;

/// A hydrant, drawn.
const MARK: &str = concat!(
    r#"<svg width="22" height="24" viewBox="0 0 22 24" aria-hidden="true" fill="currentColor">"#,
    r#"<path d="M11 0 14 3v2h2a1 1 0 0 1 0 2h-.5v3H18a1 1 0 0 1 1 1v2a1 1 0 0 1-1 1h-2.5v7H18"#,
    r#"a1 1 0 0 1 0 2H4a1 1 0 0 1 0-2h2.5v-7H4a1 1 0 0 1-1-1v-2a1 1 0 0 1 1-1h2.5V7H6"#,
    r#"a1 1 0 0 1 0-2h2V3z"/></svg>"#,
);

/// Which part of the gateway a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Tab {
    Datasets,
    Exports,
    Account,
    Documents,
    Exemption,
    Links,
    Operators,
    SignIn,
}

/// A whole page for `visitor`.
pub(super) fn page(visitor: &Visitor, tab: Tab, title: &str, content: Markup) -> Response {
    document(&visitor.profile, title, html! {}, navigation(visitor, tab), content)
}

/// Where else a visitor can go, and who they are.
fn navigation(visitor: &Visitor, tab: Tab) -> Markup {
    let link = |to: &str, of: Tab, label: &str| {
        html! { li { a href=(to) aria-current=[(of == tab).then_some("page")] { (label) } } }
    };
    html! {
        nav aria-label="Main" {
            ul {
                (link("/", Tab::Datasets, "Datasets"))
                @if let Some(signed_in) = &visitor.person {
                    (link("/exports", Tab::Exports, "Exports"))
                    (link("/account", Tab::Account, "Account"))
                    (link("/documents", Tab::Documents, "Documents"))
                    (link("/exemptions/apply", Tab::Exemption, "Exemption"))
                    (link("/shares", Tab::Links, "Review links"))
                    @if signed_in.rank.is_some() {
                        (link("/admin", Tab::Operators, "Operators"))
                    }
                }
            }
        }
        div class="who" {
            @match &visitor.person {
                Some(signed_in) => {
                    span { (signed_in.person.name) }
                    (form::button(visitor, "/sign-out", "quiet", "Sign out", ""))
                }
                None => a href="/sign-in" aria-current=[(tab == Tab::SignIn).then_some("page")] {
                    "Sign in"
                }
            }
        }
    }
}

/// A page that follows something which is being made: by the one script, or by loading itself anew.
pub(super) fn page_of_progress(
    visitor: &Visitor,
    tab: Tab,
    title: &str,
    content: Markup,
) -> Response {
    let follows = html! {
        noscript { meta http-equiv="refresh" content=(RELOAD_SECONDS); }
        script src=(*style::SCRIPT_ADDRESS) defer {}
    };
    let mut response =
        document(&visitor.profile, title, follows, navigation(visitor, tab), content);
    let policy = HeaderValue::from_static(POLICY_OF_PROGRESS);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

fn document(
    profile: &Profile,
    title: &str,
    head: Markup,
    navigation: Markup,
    content: Markup,
) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – hydrant" }
                link rel="stylesheet" href=(*style::ADDRESS);
                link rel="icon" href="data:,";
                (head)
            }
            body {
                a class="skip" href="#content" { "Skip to content" }
                header {
                    div class="inner" {
                        a class="mark" href="/" { (PreEscaped(MARK)) "hydrant" }
                        (navigation)
                    }
                }
                main id="content" tabindex="-1" { div class="inner" { (content) } }
                footer {
                    div class="inner" {
                        p {
                            "Rules in force: profile " code { (profile.name) }
                            ", where what is counted is called a " (profile.word) ". "
                            "Programs and links get IDs, never texts."
                        }
                    }
                }
            }
        }
    };
    with_fields(markup.into_string().into_response())
}

fn with_fields(mut response: Response) -> Response {
    let fields: [(HeaderName, &'static str); 4] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fields {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The layer that puts a refusal on a page, where a person would read it.
pub(in crate::http) async fn problems_for_people(
    State(gateway): State<Gateway>,
    request: Request,
    next: Next,
) -> Response {
    let profile = Arc::clone(&gateway.profile);
    for_people(&profile, next.run(request).await)
}

/// A problem that programs would read, as a page; other answers stay as they are.
pub(in crate::http) fn for_people(profile: &Profile, response: Response) -> Response {
    let Some(told) = response.extensions().get::<Told>().cloned() else { return response };
    let (mut parts, _) = response.into_parts();
    let content = html! {
        h1 { (told.kind.title) }
        p class="lead" { (sentence(&told.detail)) }
        p { (told.advice) }
        p { a href="/" { "Back to the datasets" } }
    };
    let page = document(profile, told.kind.title, html! {}, html! {}, content);
    let (mut shown, body) = page.into_parts();
    shown.status = parts.status;
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        parts.headers.remove(name);
    }
    shown.headers.extend(parts.headers);
    Response::from_parts(shown, body)
}

/// A clause as a sentence.
pub(super) fn sentence(clause: &str) -> String {
    let mut chars = clause.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if clause.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}
