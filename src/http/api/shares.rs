//! Peer-review links for their makers: `/v1/shares`. Each route is an operation, carried out for
//! the person whose key or session it is. What is told of use are numbers and days.

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use super::admin::{bad, in_milliseconds, named};
use super::{Segment, deliveries};
use crate::base::party::{Actor, ShareId};
use crate::directory::Requester;
use crate::directory::words::Scope;
use crate::http::attachment::attachment;
use crate::http::auth::Caller;
use crate::http::form;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::operation::{ACCOUNT_NAME, Once, Operation, account_csv, account_text};

/// All routes of `/v1/shares`.
pub(in crate::http) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/v1/shares", get(list).post(make))
        .route("/v1/shares/{id}", get(show).delete(revoke))
        .route("/v1/shares/{id}/extend", post(extend))
        .route("/v1/shares/{id}/publish", post(publish))
        .route("/v1/shares/{id}/account.csv", get(csv))
        .route("/v1/shares/{id}/account.txt", get(text))
        .route("/v1/shares/{id}/deliveries/{number}/receipt", get(receipt))
}

/// `GET /v1/shares`: those that the requester's person made.
async fn list(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
) -> Result<Json<Value>, Problem> {
    let mail = Some(mail_of(&gateway, &requester).await?);
    let shares = operate(&gateway, &requester, Operation::ShareList { mail }, None).await?;
    Ok(Json(json!({ "shares": shares })))
}

/// `POST /v1/shares`: the one answer that holds the link.
async fn make(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let mut members = Map::new();
    for (name, value) in read(body).await? {
        let (name, value) = in_milliseconds(name, value)?;
        members.insert(name, value);
    }
    let mail = mail_of(&gateway, &requester).await?;
    for (name, value) in [("operation", "share-add"), ("mail", &mail)] {
        if members.insert(name.to_owned(), value.into()).is_some() {
            return Err(bad(format!("`{name}` is decided by the key and not given")));
        }
    }
    for (name, usual) in [("ids", "tweet"), ("purpose", "peer-review"), ("face", "blind")] {
        members.entry(name).or_insert_with(|| usual.into());
    }
    // What is kept of a request must not help anybody to guess its passphrase.
    let mut compared = members.clone();
    if let Some(passphrase) = compared.get_mut("passphrase") {
        *passphrase = true.into();
    }
    let once = named(&headers, &compared)?;
    let operation = serde_json::from_value(Value::Object(members))
        .map_err(|error| bad(format!("the request lacks something or has too much: {error}")))?;
    let mut answer = operate(&gateway, &requester, operation, once).await?;
    if let Some(token) = answer["token"].as_str() {
        answer["url"] = format!("{}/s/{token}", gateway.hosts.links_origin(&headers)).into();
    }
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// `GET /v1/shares/{id}`: with its use, day by day.
async fn show(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
    Segment(id): Segment,
) -> Result<Json<Value>, Problem> {
    let operation = |share| Operation::ShareShow { share };
    on_one(&gateway, &requester, &id, operation).await.map(Json)
}

/// `DELETE /v1/shares/{id}`.
async fn revoke(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
    Segment(id): Segment,
) -> Result<Json<Value>, Problem> {
    let operation = |share| Operation::ShareRevoke { share };
    on_one(&gateway, &requester, &id, operation).await.map(Json)
}

/// `POST /v1/shares/{id}/extend`: the body says until when.
async fn extend(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
    Segment(id): Segment,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let members = read(body).await?;
    let until = members.get("until").filter(|_| members.len() == 1);
    let until = until.ok_or_else(|| bad("the body says `until` and nothing else".into()))?;
    let (_, until_ms) = in_milliseconds("until".into(), until.clone())?;
    let until_ms = until_ms.as_i64().expect("a time is a number of milliseconds");
    let operation = Operation::ShareExtend { share: number(&id)?, until_ms };
    Ok(Json(operate(&gateway, &requester, operation, None).await?))
}

/// `POST /v1/shares/{id}/publish`.
async fn publish(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
    Segment(id): Segment,
) -> Result<Json<Value>, Problem> {
    let operation = |share| Operation::SharePublish { share };
    on_one(&gateway, &requester, &id, operation).await.map(Json)
}

/// `GET /v1/shares/{id}/account.csv`.
async fn csv(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
    Segment(id): Segment,
) -> Result<Response, Problem> {
    let share = on_one(&gateway, &requester, &id, |share| Operation::ShareShow { share }).await?;
    Ok(account("text/csv; charset=utf-8", "csv", account_csv(&share)))
}

/// `GET /v1/shares/{id}/account.txt`.
async fn text(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
    Segment(id): Segment,
) -> Result<Response, Problem> {
    let share = on_one(&gateway, &requester, &id, |share| Operation::ShareShow { share }).await?;
    Ok(account("text/plain; charset=utf-8", "txt", account_text(&share)))
}

/// An account as a file.
pub(in crate::http) fn account(kind: &str, ending: &str, text: String) -> Response {
    attachment(kind, &format!("{ACCOUNT_NAME}.{ending}"), text)
}

/// `GET /v1/shares/{id}/deliveries/{number}/receipt`: proofs that the audit log holds one of the
/// link's deliveries, for its maker alone.
async fn receipt(
    State(gateway): State<Gateway>,
    Caller(requester): Caller,
    Path((id, place)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let share = number(&id)?;
    // Whether they may is decided there.
    operate(&gateway, &requester, Operation::ShareShow { share }, None).await?;
    let place: usize = place.parse().map_err(|_| unknown())?;
    let look = gateway.store.look(move |tx| {
        let deliveries = tx.deliveries_of_share(share)?;
        let row = place.checked_sub(1).and_then(|place| deliveries.into_iter().nth(place));
        Ok::<_, Problem>(row.ok_or_else(unknown)?.id)
    });
    deliveries::receipt_of(&gateway, look.await?).await
}

async fn read(body: Body) -> Result<Map<String, Value>, Problem> {
    let body = form::whole(body).await?;
    serde_json::from_slice(&body)
        .map_err(|error| bad(format!("the body is not a JSON object: {error}")))
}

async fn mail_of(gateway: &Gateway, requester: &Requester) -> Result<String, Problem> {
    let person = requester.person;
    let look = gateway.store.look(move |tx| Ok::<_, Problem>(tx.person_by_id(person)?));
    look.await?.map(|person| person.mail).ok_or_else(unknown)
}

/// Carries out what is about the link with that number.
async fn on_one(
    gateway: &Gateway,
    requester: &Requester,
    id: &str,
    operation: impl FnOnce(ShareId) -> Operation,
) -> Result<Value, Problem> {
    operate(gateway, requester, operation(number(id)?), None).await
}

async fn operate(
    gateway: &Gateway,
    requester: &Requester,
    operation: Operation,
    once: Option<Once>,
) -> Result<Value, Problem> {
    if requester.scope == Scope::Catalogue {
        let detail = "this key may read the catalogue only; ask the operator for a download key";
        return Err(Problem::new(&problem::NOT_ALLOWED, detail));
    }
    Ok(gateway.carry_out(operation, Actor::Person(requester.person), once).await??)
}

fn number(text: &str) -> Result<ShareId, Problem> {
    text.parse().map(ShareId).map_err(|_| unknown())
}

fn unknown() -> Problem {
    Problem::new(&problem::NOT_FOUND, "there is no such link of yours")
        .with_advice("GET /v1/shares lists yours.")
}
