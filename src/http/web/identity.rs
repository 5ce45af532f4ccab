//! Identities at OpenID providers on pages: the buttons by which one signs in, what somebody sees
//! who is linked to nobody yet, and linking and unlinking on the account page. How a provider is
//! asked stands in `provider`.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::admin::{rows, text};
use super::form::{self, Field, Sent, SentByMember};
use super::layout::Tab;
use super::sign_in::contact;
use super::table::Head::Words;
use super::table::table;
use super::visitor::{Member, Visitor};
use crate::base::date::minute;
use crate::base::party::{Actor, PersonId};
use crate::directory::TokenHash;
use crate::directory::identity::{self, IdentityError, Unlink, affiliations_in};
use crate::http::cookie::Cookie;
use crate::http::hosts::Door;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::store::{IdentityRow, ShownIdentity, StoreError, Tx};

/// What the account page shows of them.
pub(super) struct Identities {
    linked: Vec<IdentityRow>,
    /// What the browser has shown and nobody has linked.
    shown: Option<ShownIdentity>,
}

/// Those of `person`, whose browser has a cookie with the hash `proof`.
pub(super) fn identities_of(
    tx: &Tx<'_>,
    now_ms: i64,
    person: PersonId,
    proof: Option<TokenHash>,
) -> Result<Identities, StoreError> {
    let shown = proof.map(|hash| identity::shown(tx, now_ms, &hash)).transpose()?;
    Ok(Identities { linked: tx.identities_of(person)?, shown: shown.flatten() })
}

/// Who the browser of `visitor` has shown to be elsewhere.
pub(super) async fn shown_by(
    gateway: &Gateway,
    visitor: &Visitor,
) -> Result<Option<ShownIdentity>, Problem> {
    let Some(hash) = visitor.proof else { return Ok(None) };
    let now_ms = gateway.clock.now_ms();
    Ok(gateway.store.look(move |tx| identity::shown(tx, now_ms, &hash)).await?)
}

/// What people call the provider with that issuer.
fn title_of<'a>(gateway: &'a Gateway, issuer: &'a str) -> &'a str {
    let known = gateway.notes.providers.iter().find(|provider| provider.issuer == issuer);
    known.map_or(issuer, |provider| provider.title.as_str())
}

/// An identity in a clause: `Ada Quill (0000-0001) at ORCID`.
pub(super) fn named(gateway: &Gateway, shown: &ShownIdentity) -> String {
    let title = title_of(gateway, &shown.issuer);
    match &shown.name {
        Some(name) => format!("{name} ({}) at {title}", shown.subject),
        None => format!("{} at {title}", shown.subject),
    }
}

/// A button for each provider, on the page to sign in.
pub(super) fn sign_in_buttons(gateway: &Gateway, visitor: &Visitor) -> Markup {
    let providers = &gateway.notes.providers;
    html! {
        @if !providers.is_empty() && visitor.door != Door::Plain {
            h2 { "With an account elsewhere" }
            div class="row" {
                @for provider in providers {
                    (form::button(visitor, &format!("/sign-in/with/{}", provider.name), "",
                        &format!("Sign in with {}", provider.title), ""))
                }
            }
        }
    }
}

impl Identities {
    /// The offer to link what the browser has shown, at the top of the account page.
    pub(super) fn offer(&self, gateway: &Gateway, member: &Member) -> Markup {
        let Some(shown) = &self.shown else { return html! {} };
        html! {
            section class="notice" aria-label="Link an account" {
                p {
                    "You have shown that you are " strong { (named(gateway, shown)) }
                    ". Link that account, and you can sign in by it from now on."
                }
                p class="faint" {
                    "Whoever can sign in there can then sign in here as you. If it is not yours, "
                    "do not link it."
                }
                div class="row" {
                    (form::button(&member.0, "/account/identities/link", "", "Link it", ""))
                    (form::button(&member.0, "/sign-in/unlinked/forget", "quiet", "Forget it", ""))
                }
            }
        }
    }

    /// The part of the account page about them.
    pub(super) fn draw(&self, gateway: &Gateway, member: &Member) -> Markup {
        let providers = &gateway.notes.providers;
        html! {
            @if !providers.is_empty() || !self.linked.is_empty() {
                h2 id="identities" { "Accounts elsewhere" }
                @if self.linked.is_empty() {
                    p class="faint" { "No account elsewhere is linked to yours." }
                } @else {
                    (table(
                        Some("Accounts by which you sign in"),
                        &[
                            Words("Provider"), Words("Who you are there"), Words("It says"),
                            Words("Last used"), Words("Unlink"),
                        ],
                        html! {
                            @for row in &self.linked { (identity_row(gateway, member, row)) }
                        },
                    ))
                }
                @if member.0.door != Door::Plain {
                    div class="row" {
                        @for provider in providers {
                            (form::button(&member.0,
                                &format!("/account/identities/with/{}", provider.name), "",
                                &format!("Link {}", provider.title), ""))
                        }
                    }
                }
            }
        }
    }
}

fn identity_row(gateway: &Gateway, member: &Member, row: &IdentityRow) -> Markup {
    let title = title_of(gateway, &row.issuer);
    html! {
        tr {
            td { (title) }
            td class="break" { (row.subject) }
            td class="break" { (affiliations_in(&row.claims).join(", ")) }
            td { (minute(row.seen_ms)) }
            td {
                form method="post" action="/account/identities/unlink" {
                    (form::token(&member.0))
                    input type="hidden" name="issuer" value=(row.issuer);
                    input type="hidden" name="subject" value=(row.subject);
                    button type="submit" class="danger"
                        aria-label={ "Unlink " (row.subject) " at " (title) } { "Unlink" }
                }
            }
        }
    }
}

/// `GET /sign-in/unlinked`: the ways on for somebody whose identity is nobody's here. Whether their
/// mail address is known it does not tell.
pub(in crate::http) async fn unlinked(
    State(gateway): State<Gateway>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    if visitor.person.is_some() {
        return Ok(Redirect::to("/account").into_response());
    }
    let Some(shown) = shown_by(&gateway, &visitor).await? else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    let field = Field {
        name: "mail",
        label: "The mail address by which you are known here",
        hint: "We send a link to it. Open it in this browser: then you can link the account.",
        value: shown.mail.as_deref().unwrap_or_default(),
        kind: "email",
        autocomplete: "email",
        mistake: None,
    };
    let content = html! {
        h1 { "This account is not linked yet" }
        p class="lead" { "You are " (named(&gateway, &shown)) ", and nobody here is linked to it." }
        h2 { "You are known here already" }
        @if gateway.notes.sends_mail {
            form class="stack" method="post" action="/sign-in" novalidate {
                (form::token(&visitor))
                (field.draw())
                button type="submit" { "Send me a link" }
            }
        } @else {
            p {
                "Ask " (contact(&gateway)) " for a link to sign in by, and open it in this browser."
            }
        }
        h2 { "You are new here" }
        p { a class="button" href="/register" { "Register" } }
        h2 { "That is not you" }
        (form::button(&visitor, "/sign-in/unlinked/forget", "quiet", "Forget it", ""))
    };
    Ok(visitor.page(Tab::SignIn, "This account is not linked yet", content))
}

/// `POST /sign-in/unlinked/forget`.
pub(in crate::http) async fn forget(
    State(gateway): State<Gateway>,
    sent: Sent,
) -> Result<Response, Problem> {
    if let Some(hash) = sent.visitor.proof {
        gateway.store.write(move |tx| identity::forget(tx, &hash)).await?;
    }
    let way = if sent.visitor.person.is_some() { "/account" } else { "/sign-in" };
    let mut response = Redirect::to(way).into_response();
    clear(&mut response, &sent.visitor);
    Ok(response)
}

/// `POST /account/identities/link`: links what this browser has shown.
pub(in crate::http) async fn link(
    State(gateway): State<Gateway>,
    SentByMember { member, .. }: SentByMember,
) -> Result<Response, Problem> {
    let hash = member.0.proof.ok_or_else(|| Problem::from(IdentityError::Gone))?;
    let person = member.signed_in().person.clone();
    let now_ms = gateway.clock.now_ms();
    let write = gateway.store.write(move |tx| identity::link(tx, now_ms, &hash, &person));
    write.await?;
    let mut response = Redirect::to("/account#identities").into_response();
    clear(&mut response, &member.0);
    Ok(response)
}

/// `POST /account/identities/unlink`.
pub(in crate::http) async fn unlink(
    State(gateway): State<Gateway>,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let request = Unlink {
        mail: member.signed_in().person.mail.clone(),
        issuer: fields.text("issuer"),
        subject: Some(fields.text("subject")),
    };
    let actor = Actor::Person(member.signed_in().requester.person);
    let now_ms = gateway.clock.now_ms();
    gateway.store.write(move |tx| identity::unlink(tx, now_ms, &actor, &request)).await?;
    Ok(Redirect::to("/account#identities").into_response())
}

/// What was shown is of no use any more.
pub(super) fn clear(response: &mut Response, visitor: &Visitor) {
    if let Some(field) = Cookie::Proof.clear(visitor.door) {
        response.headers_mut().append(header::SET_COOKIE, field);
    }
}

/// The hash of the cookie by which a browser shows who it was at a provider.
pub(super) fn proof_in(headers: &HeaderMap, door: Door) -> Option<TokenHash> {
    Cookie::Proof.read(headers, door).map(|secret| secret.hash())
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Problem {
        let kind = match &error {
            IdentityError::Store(error) => return error.clone().into(),
            IdentityError::Used => &problem::BAD_REQUEST,
            IdentityError::Gone => &problem::LINK_USED,
            IdentityError::Elsewhere | IdentityError::TooMany => &problem::CONFLICT,
            IdentityError::Suspended => &problem::NOT_ALLOWED,
        };
        Problem::new(kind, error.to_string())
    }
}

/// What an operator sees of the identity that came along with a registration, in a sentence.
pub(super) fn told(identity: &Value) -> Option<String> {
    let said: Vec<&str> =
        rows(&identity["affiliations"]).iter().filter_map(Value::as_str).collect();
    let who = format!("{} at {}", text(identity, "subject"), text(identity, "issuer"));
    identity.is_object().then(|| match said.is_empty() {
        true => who,
        false => format!("{who}, which says: {}", said.join(", ")),
    })
}

/// What providers assert of an applicant, within a list of terms. It is evidence, and decides
/// nothing.
pub(super) fn affiliations(evidence: &Value) -> Markup {
    let asserted = rows(&evidence["affiliations"]);
    let whose = |said: &Value| match said["is_institutions"].as_bool() {
        Some(true) => " (of the institution)",
        Some(false) => " (not of the institution)",
        None => "",
    };
    html! {
        @if !asserted.is_empty() {
            dt { "Providers assert" }
            @for said in asserted {
                dd {
                    (text(said, "affiliation")) (whose(said))
                    ", says " (text(said, "issuer")) " on " (text(said, "asserted"))
                }
            }
        }
    }
}
