//! How a download begins: the terms are accepted, and the answer leads to an address that is good
//! for a day. Nothing is charged or counted yet.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::facts::{self, Facts, Found};
use super::neutral::{
    BAD_REQUEST, CLOSED, NOT_ACCEPTED, PASSPHRASE, Refused, SLOWLY, SPENT, wants_page,
};
use super::page;
use crate::directory::share::download::{self, NoDownload};
use crate::directory::share::{Passphrase, passphrase};
use crate::http::api::Segment;
use crate::http::form::whole;
use crate::http::listener::Peer;
use crate::http::problem::Problem;
use crate::http::state::Gateway;
use crate::policy::document::Accepted;
use crate::store::{ShareRow, StoreError};

/// How many passphrases are compared at once: each takes a processor and 19 MiB for a while.
static COMPARED_MAX: Semaphore = Semaphore::const_new(2);

/// How long a link may be busy with its many downloads, in milliseconds.
const BUSY_MS: i64 = 60_000;

/// What stands in the form.
#[derive(Default)]
struct Said {
    accepted: Vec<Accepted>,
    passphrase: String,
}

/// `POST /s/{token}/downloads`.
pub(super) async fn begin(
    State(gateway): State<Gateway>,
    peer: Option<Extension<Peer>>,
    Segment(token): Segment,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let asker = facts::asker(&gateway, peer, &headers);
    let (share, facts) = match facts::find(&gateway, &token, asker).await? {
        Found::Open(found) => *found,
        Found::Published(_) => return Err(Refused::new(&CLOSED)),
    };
    if let Some(address) = asker {
        let pace = gateway.pace.take(address, gateway.clock.now_ms());
        pace.map_err(|_| Refused::new(&SLOWLY).retry_in(BUSY_MS))?;
    }
    let said = said(&headers, body).await?;
    let begun = match check_passphrase(&gateway, &share, said.passphrase).await {
        Ok(()) => make(&gateway, share, said.accepted).await,
        Err(refused) => Err(refused),
    };
    match begun {
        Ok(secret) => {
            let address = HeaderValue::from_str(&format!("/s/downloads/{secret}"));
            let address = address.expect("letters and digits");
            Ok((StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response())
        }
        Err(refused) => again(&gateway, &facts, &token, &headers, refused),
    }
}

async fn said(headers: &HeaderMap, body: Body) -> Result<Said, Refused> {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if !kind.starts_with(b"application/x-www-form-urlencoded") {
        return Err(Refused::new(&BAD_REQUEST));
    }
    let bytes = whole(body).await?;
    let mut said = Said::default();
    for (name, value) in form_urlencoded::parse(&bytes) {
        match (&*name, value.split_once('@')) {
            ("accept", Some((document, version))) => {
                said.accepted.push((document.to_owned(), version.to_owned()));
            }
            ("passphrase", _) => said.passphrase = value.into_owned(),
            _ => {}
        }
    }
    Ok(said)
}

/// Compares the passphrase, if the link asks for one. An attempt counts before it is looked at.
async fn check_passphrase(
    gateway: &Gateway,
    share: &ShareRow,
    said: String,
) -> Result<(), Refused> {
    let Some(hash) = share.passphrase.clone() else { return Ok(()) };
    let (id, now_ms) = (share.id, gateway.clock.now_ms());
    let taken = gateway.store.write(move |tx| passphrase::take_attempt(tx, now_ms, id));
    taken.await?.map_err(|wait_ms| Refused::new(&SLOWLY).retry_in(wait_ms))?;
    let turn = COMPARED_MAX.acquire().await.expect("it is never closed");
    let compared = tokio::task::spawn_blocking(move || Passphrase(said).is(&hash)).await;
    drop(turn);
    if !compared.map_err(|panic| Problem::internal(&panic))? {
        return Err(Refused::new(&PASSPHRASE));
    }
    let forgiven: Result<(), StoreError> =
        gateway.store.write(move |tx| passphrase::forgive_attempts(tx, id)).await;
    Ok(forgiven?)
}

/// Makes the download, and returns the secret of its address.
async fn make(
    gateway: &Gateway,
    share: ShareRow,
    accepted: Vec<Accepted>,
) -> Result<String, Refused> {
    let (profile, now_ms) = (gateway.profile.clone(), gateway.clock.now_ms());
    let made =
        gateway.store.write(move |tx| download::make(tx, &profile, now_ms, &share, &accepted));
    match made.await {
        Ok(secret) => Ok(secret.reveal().to_owned()),
        Err(NoDownload::Missing(_)) => Err(Refused::new(&NOT_ACCEPTED)),
        Err(NoDownload::Spent) => Err(Refused::new(&SPENT)),
        Err(NoDownload::TooMany) => Err(Refused::new(&SLOWLY).retry_in(BUSY_MS)),
        Err(NoDownload::Store(error)) => Err(error.into()),
    }
}

/// The page once more for a person who can mend what they sent; else the refusal.
fn again(
    gateway: &Gateway,
    facts: &Facts,
    token: &str,
    headers: &HeaderMap,
    refused: Refused,
) -> Result<Response, Refused> {
    let status = refused.words.kind.status;
    let mistake = match refused.words.kind.name {
        name if name == PASSPHRASE.kind.name => "The passphrase is another one.",
        name if name == NOT_ACCEPTED.kind.name => "Accept each of the documents first.",
        _ => return Err(refused),
    };
    if !wants_page(headers) {
        return Err(refused);
    }
    Ok(page::drawn(facts, token, &facts::origin(gateway, headers), Some((status, mistake))))
}
