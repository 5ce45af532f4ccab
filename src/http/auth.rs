//! Who asks: the key of a request becomes a requester, or a 401 before anything is looked up.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header;
use axum::http::request::Parts;

use super::problem::{self, Problem};
use super::state::Gateway;
use crate::base::party::EntityId;
use crate::directory::{self, AuthError, Requester, Token, TokenHash, key};
use crate::store::{StoreError, Tx};

/// The requester of a request that needs one.
pub(crate) struct Caller(pub(crate) Requester);

/// A key that looks like one of ours; whose it is has not been asked.
pub(crate) struct Presented(TokenHash);

impl Presented {
    /// The key of the `Authorization` field; `None` without one.
    ///
    /// # Errors
    /// 401 for another scheme, and for a key whose checksum is wrong.
    pub(crate) fn from_headers(parts: &Parts) -> Result<Option<Presented>, Problem> {
        let mut fields = parts.headers.get_all(header::AUTHORIZATION).iter();
        let Some(field) = fields.next() else { return Ok(None) };
        if fields.next().is_some() {
            return Err(refused("the request has two Authorization fields"));
        }
        let field = field.to_str().map_err(|_| refused("the Authorization field is not ASCII"))?;
        let (scheme, token) = field.split_once(' ').unwrap_or((field, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(refused("the Authorization field must say `Bearer` and a key"));
        }
        let token = Token::parse(token.trim()).map_err(|bad| refused(&bad.to_string()))?;
        Ok(Some(Presented(token.hash())))
    }

    /// Whose key it is, within a look at the store.
    pub(crate) fn requester(&self, tx: &Tx<'_>, now_ms: i64) -> Result<Requester, AuthError> {
        directory::authenticate(tx, &self.0, now_ms)
    }
}

/// Notes that a key is in use, once a day. Nobody waits for it: should it be lost, the next request
/// notes it.
pub(crate) fn note_use(gateway: &Gateway, requester: &Requester, now_ms: i64) {
    if requester.use_unnoted {
        let used = requester.key;
        drop(gateway.store.write(move |tx| key::note_use(tx, now_ms, used)));
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
            AuthError::Unknown | AuthError::Revoked | AuthError::Expired => {
                refused(&error.to_string())
            }
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
        let presented =
            Presented::from_headers(parts)?.ok_or_else(|| refused("the request carries no key"))?;
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
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            return Ok(None);
        }
        let caller = <Caller as FromRequestParts<Gateway>>::from_request_parts(parts, gateway);
        caller.await.map(Some)
    }
}

impl FromRequestParts<Gateway> for Presented {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Gateway) -> Result<Presented, Problem> {
        Presented::from_headers(parts)?.ok_or_else(|| refused("the request carries no key"))
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
