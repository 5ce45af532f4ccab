//! Who asks: the key or the cookie of a request becomes a requester, or a 401 before anything is
//! looked up.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header;
use axum::http::request::Parts;

use super::cookie::Cookie;
use super::hosts::Hosts;
use super::problem::{self, Problem};
use super::state::Gateway;
use crate::base::party::{Credential, EntityId};
use crate::directory::{self, AuthError, Requester, Token, TokenHash, key, session};
use crate::store::{StoreError, Tx};

/// The requester of a request that needs one.
pub(crate) struct Caller(pub(crate) Requester);

/// A key or a session that looks like one of ours; whose it is has not been asked.
#[derive(Clone)]
pub(crate) enum Presented {
    /// The key of the `Authorization` field.
    Key(TokenHash),
    /// The session of the cookie.
    Session(TokenHash),
}

impl Presented {
    /// The key of the `Authorization` field, or else the session of the cookie; `None` without
    /// either.
    ///
    /// # Errors
    /// 401 for another scheme, and for a key whose checksum is wrong; 403 for what changes
    /// something by a cookie and was not sent by a page of this gateway.
    fn of(parts: &Parts, hosts: &Hosts) -> Result<Option<Presented>, Problem> {
        let mut fields = parts.headers.get_all(header::AUTHORIZATION).iter();
        let Some(field) = fields.next() else { return Presented::by_cookie(parts, hosts) };
        if fields.next().is_some() {
            return Err(refused("the request has two Authorization fields"));
        }
        let field = field.to_str().map_err(|_| refused("the Authorization field is not ASCII"))?;
        let (scheme, token) = field.split_once(' ').unwrap_or((field, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(refused("the Authorization field must say `Bearer` and a key"));
        }
        let token = Token::parse(token.trim()).map_err(|bad| refused(&bad.to_string()))?;
        Ok(Some(Presented::Key(token.hash())))
    }

    fn by_cookie(parts: &Parts, hosts: &Hosts) -> Result<Option<Presented>, Problem> {
        let door = hosts.door_of(&parts.headers);
        let Some(secret) = Cookie::Session.read(&parts.headers, door) else { return Ok(None) };
        // Browsers bring cookies along wherever a form or a script comes from.
        if !parts.method.is_safe() && !hosts.is_own_page(&parts.headers) {
            let detail = "the request was not sent by a page of this gateway";
            return Err(Problem::new(&problem::CROSS_SITE, detail));
        }
        Ok(Some(Presented::Session(secret.hash())))
    }

    /// Whose key it is, within a look at the store.
    pub(crate) fn requester(&self, tx: &Tx<'_>, now_ms: i64) -> Result<Requester, AuthError> {
        match self {
            Presented::Key(hash) => directory::authenticate(tx, hash, now_ms),
            Presented::Session(hash) => directory::authenticate_session(tx, hash, now_ms),
        }
    }
}

/// Notes that a key is in use, once a day, or a session, once a minute. Nobody waits for it: should
/// it be lost, the next request notes it.
pub(crate) fn note_use(gateway: &Gateway, requester: &Requester, now_ms: i64) {
    if requester.use_unnoted {
        let (used, lifetime) = (requester.by, gateway.lifetime);
        drop(gateway.store.write(move |tx| match used {
            Credential::Key(key) => key::note_use(tx, now_ms, key),
            Credential::Session(session) => session::note_use(tx, now_ms, session, lifetime),
            Credential::Link(_) => unreachable!("a link has no requester"),
        }));
    }
}

/// The entities of a requester, by number.
pub(crate) fn entity_ids(requester: &Requester) -> Vec<EntityId> {
    requester.entities.iter().map(|entity| entity.id).collect()
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Problem {
        match error {
            AuthError::Store(error) => error.into(),
            AuthError::Dormant => Problem::new(&problem::KEY_DORMANT, error.to_string()),
            AuthError::Suspended => Problem::new(&problem::NOT_ALLOWED, error.to_string()),
            AuthError::Unknown
            | AuthError::Revoked
            | AuthError::Expired
            | AuthError::SessionUnknown
            | AuthError::SessionEnded => refused(&error.to_string()),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match error {
            StoreError::Frozen(why) => Problem::new(&problem::LEDGER_FROZEN, why.as_ref()),
            error => Problem::unavailable(&error),
        }
    }
}

fn refused(detail: &str) -> Problem {
    Problem::new(&problem::UNAUTHORIZED, detail)
}

impl FromRequestParts<Gateway> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Caller, Problem> {
        let presented = Presented::from_request_parts(parts, gateway).await?;
        let now_ms = gateway.clock.now_ms();
        let requester = gateway.store.look(move |tx| presented.requester(tx, now_ms)).await?;
        note_use(gateway, &requester, now_ms);
        Ok(Caller(requester))
    }
}

impl OptionalFromRequestParts<Gateway> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Gateway,
    ) -> Result<Option<Caller>, Problem> {
        let Some(presented) = Presented::of(parts, &gateway.hosts)? else { return Ok(None) };
        let now_ms = gateway.clock.now_ms();
        let look = gateway.store.look(move |tx| match presented.requester(tx, now_ms) {
            // A browser keeps the cookie of a session that is over: it shows nobody any more.
            Err(AuthError::SessionUnknown | AuthError::SessionEnded) => Ok(None),
            requester => requester.map(Some),
        });
        let requester = look.await?;
        if let Some(requester) = &requester {
            note_use(gateway, requester, now_ms);
        }
        Ok(requester.map(Caller))
    }
}

impl FromRequestParts<Gateway> for Presented {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Gateway,
    ) -> Result<Presented, Problem> {
        let presented = Presented::of(parts, &gateway.hosts)?;
        presented.ok_or_else(|| refused("the request carries no key"))
    }
}

/// Refuses requests that carry a key in their address, where logs and histories keep it.
pub(crate) async fn no_key_in_query(
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Result<axum::response::Response, Infallible> {
    let query = request.uri().query().unwrap_or_default().to_ascii_lowercase();
    let names = ["key", "api_key", "apikey", "token", "access_token", "authorization"];
    let carries_key = query.contains("hydrant_")
        || query.split('&').any(|pair| names.contains(&pair.split('=').next().unwrap_or_default()));
    if carries_key {
        use axum::response::IntoResponse;
        let detail = "the query holds what looks like a key";
        return Ok(Problem::new(&problem::KEY_IN_QUERY, detail).into_response());
    }
    Ok(next.run(request).await)
}
