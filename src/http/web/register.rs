//! Registration: a form, a link that shows that the address is theirs, and then an operator.

use axum::extract::State;
use axum::response::Response;
use maud::html;

use super::form::{self, Field, Fields, Sent};
use super::identity::{named, shown_by};
use super::layout::Tab;
use super::sign_in::contact;
use super::visitor::Visitor;
use crate::directory::registration::{self, Ask, Mistakes};
use crate::directory::sign_in::LinkError;
use crate::directory::{Secret, identity};
use crate::http::api::Segment;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::operation;
use crate::store::ShownIdentity;

/// `GET /register`.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let shown = shown_by(&gateway, &visitor).await?;
    let (name, mail) = shown.as_ref().map(|shown| (&shown.name, &shown.mail)).unzip();
    let known = |said: Option<&Option<String>>| said.cloned().flatten().unwrap_or_default();
    let ask = Ask { name: known(name), mail: known(mail), ..Ask::default() };
    Ok(page(&gateway, &visitor, &ask, &[], shown.as_ref()))
}

fn page(
    gateway: &Gateway,
    visitor: &Visitor,
    ask: &Ask,
    mistakes: &[(&'static str, String)],
    shown: Option<&ShownIdentity>,
) -> Response {
    let field = |name, label, hint, value, kind, autocomplete| {
        let mistake = form::mistake_of(mistakes, name);
        Field { name, label, hint, value, kind, autocomplete, mistake }.draw()
    };
    let content = html! {
        h1 { "Register" }
        @if gateway.notes.sends_mail {
            p class="lead" {
                "You confirm your mail address, then an operator looks at it and assigns you to "
                "your organisation."
            }
            @if let Some(shown) = shown {
                div class="notice" { p {
                    "You are " (named(gateway, shown)) ". Confirm your mail address in this "
                    "browser, and you can sign in by that account once you are let in."
                } }
            }
            (form::mistakes(mistakes))
            form class="stack" method="post" action="/register" novalidate {
                (form::token(visitor))
                (field("name", "Your name", "", &ask.name, "text", "name"))
                (field("mail", "Your mail address",
                    "Best one of your organisation: it shows that you belong to it.",
                    &ask.mail, "email", "email"))
                (field("organisation", "Your organisation", "", &ask.organisation, "text",
                    "organization"))
                (field("purpose", "What you want the IDs for", "A sentence or two.",
                    &ask.purpose, "text", ""))
                button type="submit" { "Register" }
            }
        } @else {
            div class="notice" {
                p {
                    "This gateway sends no mail, so nobody can register here. Ask "
                    (contact(gateway)) " to be entered."
                }
            }
        }
    };
    visitor.page(Tab::SignIn, "Register", content)
}

/// `POST /register`: the same answer whether the address is known or not.
pub(in crate::http) async fn ask(
    State(gateway): State<Gateway>,
    sent: Sent,
) -> Result<Response, Problem> {
    sent.slow_down(&gateway)?;
    if !gateway.notes.sends_mail {
        return Ok(page(&gateway, &sent.visitor, &Ask::default(), &[], None));
    }
    let said = said(&sent.fields);
    let checked = match registration::checked(&said) {
        Ok(checked) => checked,
        Err(Mistakes(mistakes)) => {
            let shown = shown_by(&gateway, &sent.visitor).await?;
            let mut response = page(&gateway, &sent.visitor, &said, &mistakes, shown.as_ref());
            *response.status_mut() = problem::BAD_REQUEST.status;
            return Ok(response);
        }
    };
    let (now_ms, proof) = (gateway.clock.now_ms(), sent.visitor.proof);
    let asked =
        gateway.store.write(move |tx| registration::ask(tx, now_ms, &checked, proof.as_ref()));
    // Nobody waits for it: how long it takes would tell whether the address is known.
    tokio::spawn(async move {
        if let Err(error) = asked.await {
            tracing::warn!(%error, "a registration could not be noted down");
        }
    });
    let content = html! {
        h1 { "Look into your mail" }
        p class="lead" {
            "A letter is on its way to " (said.mail) ". Confirm your address by the link in it, "
            "within a day."
        }
    };
    Ok(sent.visitor.page(Tab::SignIn, "Look into your mail", content))
}

fn said(fields: &Fields) -> Ask {
    Ask {
        mail: fields.text("mail"),
        name: fields.text("name"),
        organisation: fields.text("organisation"),
        purpose: fields.text("purpose"),
    }
}

/// `GET /register/{secret}`: a button, and nothing changes; scanners of mail open every link.
pub(in crate::http) async fn confirm(
    State(gateway): State<Gateway>,
    visitor: Visitor,
    Segment(secret): Segment,
) -> Result<Response, Problem> {
    let hash = Secret::parse(&secret).ok_or_else(|| Problem::from(LinkError::Unknown))?.hash();
    let (now_ms, proof) = (gateway.clock.now_ms(), visitor.proof);
    let look = gateway.store.look(move |tx| -> Result<_, LinkError> {
        let row = registration::look(tx, now_ms, &hash)?;
        let shown = identity::sent_along(tx, now_ms, &row, proof.as_ref())?;
        Ok((row, shown))
    });
    let (row, shown) = look.await?;
    let content = html! {
        h1 { "Confirm your mail address" }
        p class="lead" { (row.name) ", is " (row.mail) " your address?" }
        @if let Some(shown) = &shown {
            p { "Then you will also sign in as " (named(&gateway, shown)) "." }
        }
        form method="post" action={ "/register/" (secret) } {
            (form::token(&visitor))
            button type="submit" { "Yes, it is mine" }
        }
    };
    Ok(visitor.page(Tab::SignIn, "Confirm your mail address", content))
}

/// `POST /register/{secret}`.
pub(in crate::http) async fn verify(
    State(gateway): State<Gateway>,
    Segment(secret): Segment,
    sent: Sent,
) -> Result<Response, Problem> {
    let hash = Secret::parse(&secret).ok_or_else(|| Problem::from(LinkError::Unknown))?.hash();
    let now_ms = gateway.clock.now_ms();
    let (profile, clock) = (gateway.profile.clone(), gateway.clock.clone());
    let proof = sent.visitor.proof;
    let write = gateway.store.write(move |tx| -> Result<bool, Problem> {
        let row = registration::verify(tx, now_ms, &hash, proof.as_ref())?;
        // Whom a manager has invited needs no operator: the address was all that was missing.
        let person = operation::welcome(tx, &profile, &clock, now_ms, &row.mail)?;
        if let Some(person) = &person {
            registration::settle_invited(tx, now_ms, row, person)?;
        }
        Ok(person.is_some())
    });
    let is_invited = write.await?;
    let content = html! {
        h1 { "Thank you" }
        @if is_invited {
            p class="lead" {
                "Your address is confirmed, and you were invited: you can sign in at once."
            }
            p { a class="button" href="/sign-in" { "Sign in" } }
        } @else {
            p class="lead" {
                "Your address is confirmed. An operator looks at your registration now, and you "
                "are told by mail what comes of it."
            }
        }
    };
    Ok(sent.visitor.page(Tab::SignIn, "Thank you", content))
}
