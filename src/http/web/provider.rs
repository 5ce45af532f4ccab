//! Signing in at an OpenID provider: the way there, and the way back. What is believed of the
//! answer `oidc` decides, and what comes of it `directory`.

use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::html;

use super::form::{Sent, SentByMember};
use super::identity::clear;
use super::layout::Tab;
use super::visitor::Visitor;
use crate::directory::identity::{self, Entered, IdentityError, Proof};
use crate::directory::sign_in::Browser;
use crate::directory::{Secret, TokenHash, session};
use crate::http::api::Segment;
use crate::http::cookie::Cookie;
use crate::http::hosts::Door;
use crate::http::problem::{self, Problem};
use crate::http::session::put;
use crate::http::state::Gateway;
use crate::oidc::{Answer, Attempt, AttemptError, Provider, ProviderError, Purpose};
use crate::operation;

/// Where somebody is told that nobody here has their identity.
const UNLINKED: &str = "/sign-in/unlinked";

/// The pages on the way there and back.
pub(in crate::http) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/sign-in/with/{provider}", post(sign_in))
        .route("/sign-in/with/{provider}/callback", get(come_back))
        .route("/account/identities/with/{provider}", post(link))
}

/// `POST /sign-in/with/{provider}`.
async fn sign_in(
    State(gateway): State<Gateway>,
    Segment(name): Segment,
    sent: Sent,
) -> Result<Response, Problem> {
    sent.slow_down(&gateway)?;
    send_off(&gateway, &sent.visitor, &name, Purpose::SignIn).await
}

/// `POST /account/identities/with/{provider}`.
async fn link(
    State(gateway): State<Gateway>,
    Segment(name): Segment,
    SentByMember { member, .. }: SentByMember,
) -> Result<Response, Problem> {
    send_off(&gateway, &member.0, &name, Purpose::Link).await
}

/// Sends a browser to a provider, by a page of ours and not by a redirect: browsers hold every
/// address to which the answer to a form redirects against `form-action` of the page with the
/// form, and a provider may pass people on to any number of institutions. So the policy stays as
/// strict as on every page.
async fn send_off(
    gateway: &Gateway,
    visitor: &Visitor,
    name: &str,
    purpose: Purpose,
) -> Result<Response, Problem> {
    if visitor.door == Door::Plain {
        let detail = "nobody can sign in over an address that is not protected by TLS";
        return Err(Problem::new(&problem::NOT_ALLOWED, detail));
    }
    let provider = find(gateway, name)?;
    let secret = Secret::generate();
    let attempt = Attempt::begin(secret.reveal(), name, purpose, gateway.clock.now_ms());
    let address = provider.address(&attempt, &way_back(visitor, name)).await;
    let address = address.map_err(|error| refused(provider, &error))?;
    let title = &provider.settings().title;
    let content = html! {
        h1 { "On to " (title) }
        p class="lead" { a href=(address) { "Go on to " (title) } }
        p class="faint" { "You come back here by yourself when you have signed in there." }
    };
    let mut response = visitor.page(Tab::SignIn, &format!("On to {title}"), content);
    let refresh = HeaderValue::from_str(&format!("0; url={address}"));
    let refresh = refresh.map_err(|error| Problem::internal(&error))?;
    response.headers_mut().insert(HeaderName::from_static("refresh"), refresh);
    if let Some(field) = Cookie::Proof.set(visitor.door, &secret) {
        response.headers_mut().append(header::SET_COOKIE, field);
    }
    Ok(response)
}

fn find<'a>(gateway: &'a Gateway, name: &str) -> Result<&'a Provider, Problem> {
    let found = gateway.providers.get(name);
    found.ok_or_else(|| Problem::new(&problem::NOT_FOUND, "there is no such provider here"))
}

/// Where the provider sends a browser back to: the address under which it sees this gateway, which
/// is `server.public_url` where TLS is. A provider knows it, and sends nobody elsewhere.
fn way_back(visitor: &Visitor, name: &str) -> String {
    format!("{}/sign-in/with/{name}/callback", visitor.origin)
}

/// `GET /sign-in/with/{provider}/callback`.
async fn come_back(
    State(gateway): State<Gateway>,
    Segment(name): Segment,
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let visitor = Visitor::from_request_parts(&mut parts, &gateway).await?;
    let provider = find(&gateway, &name)?;
    let doubtful = |detail: &str| {
        tracing::warn!(provider = name, why = detail, "a sign-in was refused");
        Problem::new(&problem::BAD_REQUEST, detail)
            .with_advice("Begin again on the page to sign in.")
    };
    let Some(secret) = Cookie::Proof.read(&parts.headers, visitor.door) else {
        return Err(doubtful("this browser has not begun to sign in, or it took too long"));
    };
    let said = said(parts.uri.query().unwrap_or_default());
    let (state, answer) = said.ok_or_else(|| doubtful("the answer says something twice"))?;
    let now_ms = gateway.clock.now_ms();
    let attempt = Attempt::resume(secret.reveal(), &name, &state, now_ms);
    let attempt = attempt.map_err(|error: AttemptError| doubtful(&error.to_string()))?;
    let proof = provider.proof(&attempt, &way_back(&visitor, &name), answer).await;
    let proof = proof.map_err(|error| refused(provider, &error))?;
    let user_agent = parts.headers.get(header::USER_AGENT);
    let label = session::label_of(user_agent.and_then(|field| field.to_str().ok()).unwrap_or(""));
    let browser = Browser { label, lifetime: gateway.lifetime, before: visitor.cookie };
    let came = Came { hash: secret.hash(), proof };
    let outcome = match (attempt.purpose, &visitor.person) {
        (Purpose::SignIn, _) => enter(&gateway, &visitor, came, browser).await,
        (Purpose::Link, Some(_)) => show(&gateway, &visitor, came).await,
        (Purpose::Link, None) => {
            return Err(doubtful("you are signed in no longer; sign in and link it again"));
        }
    };
    outcome.inspect_err(|problem| {
        tracing::warn!(provider = name, status = %problem.status(), "a sign-in was refused");
    })
}

/// What a browser came back with.
struct Came {
    /// Of the secret in its cookie.
    hash: TokenHash,
    proof: Proof,
}

/// The state and the rest of an answer; `None` if it says one of them twice.
fn said(query: &str) -> Option<(String, Answer)> {
    let (mut state, mut answer) = (None, Answer::default());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let place = match name.as_ref() {
            "state" => &mut state,
            "code" => &mut answer.code,
            "iss" => &mut answer.issuer,
            "error" => &mut answer.error,
            _ => continue,
        };
        if place.replace(value.into_owned()).is_some() {
            return None;
        }
    }
    Some((state.unwrap_or_default(), answer))
}

async fn enter(
    gateway: &Gateway,
    visitor: &Visitor,
    came: Came,
    browser: Browser,
) -> Result<Response, Problem> {
    let now_ms = gateway.clock.now_ms();
    let (profile, clock) = (gateway.profile.clone(), gateway.clock.clone());
    let write = gateway.store.write(move |tx| -> Result<Option<Secret>, Problem> {
        match identity::enter(tx, now_ms, &came.hash, came.proof, browser)? {
            Entered::Unlinked => Ok(None),
            Entered::SignedIn(person, secret) => {
                // The account is theirs, and with it the invitations to its address.
                if let Some(person) = tx.person_by_id(person)? {
                    operation::welcome(tx, &profile, &clock, now_ms, &person.mail)?;
                }
                Ok(Some(secret))
            }
        }
    });
    let Some(secret) = write.await? else {
        return Ok(Redirect::to(UNLINKED).into_response());
    };
    let mut response = Redirect::to("/account").into_response();
    put(&mut response, visitor.door, &secret);
    if let Some(field) = Cookie::Form.clear(visitor.door) {
        response.headers_mut().append(header::SET_COOKIE, field);
    }
    clear(&mut response, visitor);
    Ok(response)
}

async fn show(gateway: &Gateway, visitor: &Visitor, came: Came) -> Result<Response, Problem> {
    let person = visitor.person.as_ref().map(|signed_in| signed_in.requester.person);
    let person = person.ok_or_else(|| Problem::from(IdentityError::Gone))?;
    let now_ms = gateway.clock.now_ms();
    let write =
        gateway.store.write(move |tx| identity::show(tx, now_ms, &came.hash, came.proof, person));
    write.await?;
    Ok(Redirect::to("/account").into_response())
}

/// The answer to whoever could not be believed; the reason goes to the log, once, here.
fn refused(provider: &Provider, error: &ProviderError) -> Problem {
    let settings = provider.settings();
    tracing::warn!(provider = settings.name, %error, "a sign-in was refused");
    let title = &settings.title;
    match error {
        ProviderError::Unusable(_) => {
            let detail = format!("{title} cannot be used to sign in at the moment");
            Problem::new(&problem::PROVIDER_FAILED, detail)
        }
        ProviderError::Slow => {
            let detail = format!("{title} does not answer");
            Problem::new(&problem::PROVIDER_SLOW, detail)
        }
        ProviderError::Refused(why) if why == "access_denied" => {
            let detail = format!("{title} says that you do not want to sign in here");
            Problem::new(&problem::BAD_REQUEST, detail)
                .with_advice("Begin again on the page to sign in, or sign in by a link.")
        }
        ProviderError::Refused(_) => {
            let detail = format!("{title} does not say who you are");
            Problem::new(&problem::BAD_REQUEST, detail)
                .with_advice("Begin again on the page to sign in, or sign in by a link.")
        }
        ProviderError::Untrue(_) => {
            let detail = format!("the answer of {title} does not prove who you are");
            Problem::new(&problem::SIGN_IN_REFUSED, detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_everything_once() {
        let (state, answer) = said("code=a%20b&state=s&iss=i&more=1&more=2").unwrap();
        assert_eq!((state.as_str(), answer.code.as_deref()), ("s", Some("a b")));
        assert_eq!((answer.issuer.as_deref(), answer.error), (Some("i"), None));
        assert_eq!(said("").unwrap().0, "");
        for twice in ["code=a&code=b", "state=a&state=a", "iss=a&code=b&iss=c", "error=&error="] {
            assert!(said(twice).is_none(), "{twice}");
        }
    }
}
