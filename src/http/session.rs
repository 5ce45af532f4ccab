//! The layer that keeps sessions fresh: their secret is replaced once a day, whatever is asked for.

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;

use super::cookie::Cookie;
use super::hosts::Door;
use super::state::Gateway;
use crate::directory::{AuthError, Secret, session};
use crate::store::StoreError;

/// Gives a session whose secret is old another one with the answer.
pub(crate) async fn refresh(
    State(gateway): State<Gateway>,
    request: Request,
    next: Next,
) -> Response {
    let door = gateway.hosts.door_of(request.headers());
    let presented = Cookie::Session.read(request.headers(), door);
    let Some(presented) = presented else { return next.run(request).await };
    let secret = fresh_secret(&gateway, presented).await;
    let mut response = next.run(request).await;
    let is_set = response.headers().contains_key(header::SET_COOKIE);
    match secret {
        // Whoever signs in or out meanwhile has set the cookie already.
        Ok(Some(secret)) if !is_set => put(&mut response, door, &secret),
        Ok(_) => {}
        // The secret is as good as it was; the next request tries again.
        Err(error) => tracing::warn!(%error, "the secret of a session could not be replaced"),
    }
    response
}

/// Another secret for the session of `presented`, if it needs one.
async fn fresh_secret(gateway: &Gateway, presented: Secret) -> Result<Option<Secret>, StoreError> {
    let (hash, now_ms) = (presented.hash(), gateway.clock.now_ms());
    let found = gateway.store.look(move |tx| session::find(tx, &hash, now_ms)).await;
    let row = match found {
        Ok(row) => row,
        Err(AuthError::Store(error)) => return Err(error),
        Err(_) => return Ok(None),
    };
    if !session::is_secret_old(&row, &hash, now_ms) {
        return Ok(None);
    }
    gateway.store.write(move |tx| session::rotate(tx, now_ms, row.id, &hash)).await
}

/// Puts the secret of a session into the answer's cookie.
pub(crate) fn put(response: &mut Response, door: Door, secret: &Secret) {
    if let Some(field) = Cookie::Session.set(door, secret) {
        response.headers_mut().append(header::SET_COOKIE, field);
    }
}
