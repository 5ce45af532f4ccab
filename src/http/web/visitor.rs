//! Who looks at a page: anybody, or a person who has signed in; with what every page needs.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;

use super::identity::proof_in;
use super::layout::{self, Tab};
use crate::directory::words::Rank;
use crate::directory::{AuthError, Requester, Secret, TokenHash, authenticate_session, staff};
use crate::http::auth::note_use;
use crate::http::cookie::Cookie;
use crate::http::hosts::Door;
use crate::http::problem::Problem;
use crate::http::state::Gateway;
use crate::policy::Profile;
use crate::store::{PersonRow, SessionRow, Tx};

/// Anybody who looks at a page.
pub(in crate::http) struct Visitor {
    pub(super) door: Door,
    /// Under which address they see the gateway, without a slash at its end.
    pub(super) origin: String,
    pub(super) profile: Arc<Profile>,
    /// The hash of the session cookie, whether it is good or not.
    pub(super) cookie: Option<TokenHash>,
    /// The hash of the cookie by which their browser shows who it was at a provider.
    pub(super) proof: Option<TokenHash>,
    /// Who they are, if they have signed in.
    pub(super) person: Option<Box<SignedIn>>,
    form: FormSecret,
}

/// A person who has signed in.
pub(super) struct SignedIn {
    pub(super) requester: Requester,
    pub(super) person: PersonRow,
    pub(super) session: SessionRow,
    pub(super) rank: Option<Rank>,
}

/// What the forms of a visitor carry, so that nobody else's form passes for one.
enum FormSecret {
    /// Of the session.
    Session(String),
    /// Of the cookie that came with the request.
    Cookie(Secret),
    /// There was none: the answer sets it.
    New(Secret),
}

/// A visitor who has signed in; others are led to where they can.
pub(in crate::http) struct Member(pub(super) Visitor);

impl Visitor {
    /// What a form has to carry.
    pub(super) fn form_token(&self) -> &str {
        match &self.form {
            FormSecret::Session(token) => token,
            FormSecret::Cookie(secret) | FormSecret::New(secret) => secret.reveal(),
        }
    }

    /// Whether a form that carries `token` was made for this visitor.
    pub(super) fn made_form(&self, token: &str) -> bool {
        // What is compared is as good as random, so its time tells nothing of use.
        !matches!(self.form, FormSecret::New(_)) && self.form_token() == token
    }

    /// The answer that shows `content` under `title`.
    pub(super) fn page(&self, tab: Tab, title: &str, content: Markup) -> Response {
        self.with_form_cookie(layout::page(self, tab, title, content))
    }

    /// As [`Visitor::page`], of something that is being made and is followed.
    pub(super) fn page_of_progress(&self, tab: Tab, title: &str, content: Markup) -> Response {
        self.with_form_cookie(layout::page_of_progress(self, tab, title, content))
    }

    fn with_form_cookie(&self, mut response: Response) -> Response {
        if let FormSecret::New(secret) = &self.form
            && let Some(field) = Cookie::Form.set(self.door, secret)
        {
            response.headers_mut().append(header::SET_COOKIE, field);
        }
        response
    }
}

impl Member {
    /// Who it is.
    pub(super) fn signed_in(&self) -> &SignedIn {
        self.0.person.as_ref().expect("a member has signed in: nobody else becomes one")
    }
}

impl FromRequestParts<Gateway> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Visitor, Problem> {
        let door = gateway.hosts.door_of(&parts.headers);
        let cookie = Cookie::Session.read(&parts.headers, door).map(|secret| secret.hash());
        let now_ms = gateway.clock.now_ms();
        let person = match cookie {
            Some(hash) => gateway.store.look(move |tx| signed_in(tx, &hash, now_ms)).await?,
            None => None,
        };
        if let Some(person) = &person {
            note_use(gateway, &person.requester, now_ms);
        }
        let form = match &person {
            Some(person) => FormSecret::Session(hex::encode(person.session.form_key)),
            None => match Cookie::Form.read(&parts.headers, door) {
                Some(secret) => FormSecret::Cookie(secret),
                None => FormSecret::New(Secret::generate()),
            },
        };
        let profile = Arc::clone(&gateway.profile);
        let origin = gateway.hosts.origin_of(&parts.headers);
        let proof = proof_in(&parts.headers, door);
        Ok(Visitor { door, origin, profile, cookie, proof, person: person.map(Box::new), form })
    }
}

/// Who a session stands for; a session that is over, or of somebody who is suspended, for nobody.
fn signed_in(tx: &Tx<'_>, hash: &TokenHash, now_ms: i64) -> Result<Option<SignedIn>, Problem> {
    let requester = match authenticate_session(tx, hash, now_ms) {
        Ok(requester) => requester,
        Err(AuthError::Store(error)) => return Err(error.into()),
        Err(_) => return Ok(None),
    };
    let session = tx.session_by_hash(&hash.0)?;
    let person = tx.person_by_id(requester.person)?;
    let rank = staff::rank_of(tx, requester.person)?;
    Ok(session.zip(person).map(|(session, person)| SignedIn { requester, person, session, rank }))
}

impl FromRequestParts<Gateway> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Member, Response> {
        let visitor = Visitor::from_request_parts(parts, gateway).await;
        let visitor = visitor.map_err(IntoResponse::into_response)?;
        Member::of(visitor).map_err(IntoResponse::into_response)
    }
}

impl Member {
    /// The visitor as a member.
    ///
    /// # Errors
    /// The way to where they can sign in, if they have not.
    pub(super) fn of(visitor: Visitor) -> Result<Member, Redirect> {
        match visitor.person {
            Some(_) => Ok(Member(visitor)),
            None => Err(Redirect::to("/sign-in")),
        }
    }
}
