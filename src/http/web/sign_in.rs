//! Signing in by a link, and out again.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::form::{self, Field, Sent, SentByMember};
use super::identity;
use super::layout::Tab;
use super::visitor::Visitor;
use crate::base::party::{Actor, Credential};
use crate::directory::sign_in::{self, Browser, LinkError};
use crate::directory::{DirectoryError, Secret, session};
use crate::http::api::Segment;
use crate::http::cookie::Cookie;
use crate::http::hosts::Door;
use crate::http::problem::{self, Problem};
use crate::http::session::put;
use crate::http::state::Gateway;
use crate::operation;
use crate::store::StoreError;

/// `GET /sign-in`: asks for the mail address.
pub(in crate::http) async fn show(State(gateway): State<Gateway>, visitor: Visitor) -> Response {
    page(&gateway, &visitor, "", &[])
}

fn page(gateway: &Gateway, visitor: &Visitor, mail: &str, mistakes: &[(&str, String)]) -> Response {
    let field = Field {
        name: "mail",
        label: "Your mail address",
        hint: "We send a link to it, which is good for one time and 15 minutes.",
        value: mail,
        kind: "email",
        autocomplete: "email",
        mistake: form::mistake_of(mistakes, "mail"),
    };
    let content = html! {
        h1 { "Sign in" }
        @if visitor.door == Door::Plain {
            div class="notice bad" {
                p { "Nobody can sign in over this address: it is not protected by TLS." }
                p { "The operator sets " code { "server.public_url" } " to one that is." }
            }
        } @else if gateway.notes.sends_mail {
            (form::mistakes(mistakes))
            form class="stack" method="post" action="/sign-in" novalidate {
                (form::token(visitor))
                (field.draw())
                button type="submit" { "Send me a link" }
            }
        } @else {
            div class="notice" {
                p { "This gateway sends no mail. Ask " (contact(gateway)) " for a link." }
                p class="faint" {
                    "Operators: " code { "hydrant person invite MAIL" } " prints one."
                }
            }
        }
        (identity::sign_in_buttons(gateway, visitor))
        p { "Not known here yet? " a href="/register" { "Register" } "." }
    };
    visitor.page(Tab::SignIn, "Sign in", content)
}

/// Whom people may ask, within a sentence.
pub(super) fn contact(gateway: &Gateway) -> &str {
    match gateway.notes.contact.as_str() {
        "" => "the operator of this gateway",
        contact => contact,
    }
}

/// `POST /sign-in`: the same answer whether somebody has that address or not, and as soon.
pub(in crate::http) async fn ask(
    State(gateway): State<Gateway>,
    sent: Sent,
) -> Result<Response, Problem> {
    sent.slow_down(&gateway)?;
    let mail = sent.fields.text("mail");
    if let Err(mistake) = sign_in::checked_mail(&mail) {
        let mut response = page(&gateway, &sent.visitor, &mail, &[("mail", mistake.to_string())]);
        *response.status_mut() = problem::BAD_REQUEST.status;
        return Ok(response);
    }
    let now_ms = gateway.clock.now_ms();
    if gateway.notes.sends_mail {
        let asked = gateway.store.write(move |tx| sign_in::ask(tx, now_ms, &mail));
        // Nobody waits for it: how long it takes would tell whether the address is known.
        tokio::spawn(async move {
            if let Err(error) = asked.await {
                tracing::warn!(%error, "a link to sign in by could not be noted down");
            }
        });
    }
    let content = html! {
        h1 { "Look into your mail" }
        p class="lead" {
            "If this address is known here, a link is on its way to it. It is good for one time "
            "and 15 minutes."
        }
        p { "Nothing came? Look among unwanted mail, or ask " (contact(&gateway)) "." }
    };
    Ok(sent.visitor.page(Tab::SignIn, "Look into your mail", content))
}

/// `GET /sign-in/{secret}`: a button, and nothing changes; scanners of mail open every link.
pub(in crate::http) async fn confirm(
    State(gateway): State<Gateway>,
    visitor: Visitor,
    Segment(secret): Segment,
) -> Result<Response, Problem> {
    let hash = Secret::parse(&secret).ok_or_else(|| Problem::from(LinkError::Unknown))?.hash();
    let now_ms = gateway.clock.now_ms();
    let look = gateway.store.look(move |tx| sign_in::look(tx, now_ms, &hash));
    let (_, person) = look.await?;
    let content = html! {
        h1 { "Sign in" }
        p class="lead" { "This link is for " (person.name) " (" (person.mail) ")." }
        form method="post" action={ "/sign-in/" (secret) } {
            (form::token(&visitor))
            button type="submit" { "Sign in" }
        }
    };
    Ok(visitor.page(Tab::SignIn, "Sign in", content))
}

/// `POST /sign-in/{secret}`: uses the link up and begins a session; an earlier one of this browser
/// is over.
pub(in crate::http) async fn enter(
    State(gateway): State<Gateway>,
    Segment(secret): Segment,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let user_agent = request.headers().get(header::USER_AGENT);
    let user_agent = user_agent.and_then(|field| field.to_str().ok()).unwrap_or_default();
    let label = session::label_of(user_agent);
    let sent = <Sent as axum::extract::FromRequest<Gateway>>::from_request(request, &gateway);
    let Sent { visitor, .. } = sent.await?;
    if visitor.door == Door::Plain {
        let detail = "nobody can sign in over an address that is not protected by TLS";
        return Err(Problem::new(&problem::NOT_ALLOWED, detail));
    }
    let hash = Secret::parse(&secret).ok_or_else(|| Problem::from(LinkError::Unknown))?.hash();
    let now_ms = gateway.clock.now_ms();
    let browser = Browser { label, lifetime: gateway.lifetime, before: visitor.cookie };
    let (profile, clock) = (gateway.profile.clone(), gateway.clock.clone());
    let write = gateway.store.write(move |tx| -> Result<Secret, Problem> {
        let (session, secret) = sign_in::sign_in(tx, now_ms, &hash, browser)?;
        // Whoever came by their mail is told of the entities that invited them meanwhile.
        if let Some(person) = tx.person_by_id(session.person)? {
            operation::welcome(tx, &profile, &clock, now_ms, &person.mail)?;
        }
        Ok(secret)
    });
    let secret = write.await?;
    let mut response = Redirect::to("/account").into_response();
    put(&mut response, visitor.door, &secret);
    if let Some(field) = Cookie::Form.clear(visitor.door) {
        response.headers_mut().append(header::SET_COOKIE, field);
    }
    Ok(response)
}

/// `POST /sign-out`: ends this session.
pub(in crate::http) async fn leave(
    State(gateway): State<Gateway>,
    SentByMember { member, .. }: SentByMember,
) -> Result<Response, Problem> {
    let requester = member.signed_in().requester.clone();
    let now_ms = gateway.clock.now_ms();
    if let Credential::Session(session) = requester.by {
        let write = gateway.store.write(move |tx| -> Result<(), StoreError> {
            match session::revoke(tx, now_ms, &Actor::Person(requester.person), session) {
                Err(DirectoryError::Store(error)) => Err(error),
                // Over already is as good.
                _ => Ok(()),
            }
        });
        write.await?;
    }
    let mut response = Redirect::to("/").into_response();
    if let Some(field) = Cookie::Session.clear(member.0.door) {
        response.headers_mut().append(header::SET_COOKIE, field);
    }
    identity::clear(&mut response, &member.0);
    Ok(response)
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Problem {
        match error {
            LinkError::Store(error) => error.into(),
            LinkError::Unknown => Problem::new(&problem::NOT_FOUND, error.to_string())
                .with_advice("Ask for a new one on the page to sign in."),
            LinkError::Used | LinkError::Expired => {
                Problem::new(&problem::LINK_USED, error.to_string())
            }
            LinkError::Suspended => Problem::new(&problem::NOT_ALLOWED, error.to_string()),
        }
    }
}
