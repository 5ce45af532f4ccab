//! Every route on one screen, and the layers around them.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tracing::Instrument;

use super::api::{acceptances, admin, datasets, deliveries, documents, health, ids, strip, usage};
use super::problem::{self, Problem};
use super::state::Gateway;
use super::{auth, hosts};
use crate::base::ids::IdKind;

/// The public half of the gateway.
pub(crate) fn router(gateway: Gateway) -> Router {
    Router::new()
        .route("/v1/datasets", get(datasets::list))
        .route("/v1/datasets/{slug}", get(datasets::show))
        .route("/v1/datasets/{slug}/releases", get(datasets::releases))
        .route("/v1/datasets/{slug}/tweet-ids", ids::route(IdKind::Tweet))
        .route("/v1/datasets/{slug}/user-ids", ids::route(IdKind::User))
        .route("/v1/datasets/{slug}/dm-ids", ids::route(IdKind::Dm))
        .route("/v1/strip", post(strip::strip))
        .route("/v1/usage", get(usage::show))
        .route("/v1/documents", get(documents::list))
        .route("/v1/acceptances", get(acceptances::list).post(acceptances::accept))
        .route("/v1/deliveries", get(deliveries::list))
        .route("/v1/deliveries/{id}", get(deliveries::show))
        .route("/v1/deliveries/{id}/receipt", get(deliveries::receipt))
        .merge(admin::routes())
        .route("/problems", get(problem::list))
        .route("/problems/{name}", get(problem::show))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn(auth::no_key_in_query))
        .layer(middleware::from_fn_with_state(gateway.clone(), hosts::check))
        // Probes come from whatever address the machine has.
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .layer(middleware::from_fn(every_answer))
        .with_state(gateway)
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What every answer carries: no cache may keep it, and its request can be found in the log.
async fn every_answer(request: Request, next: Next) -> Response {
    let id = uuid::Uuid::now_v7().simple().to_string();
    let span = tracing::info_span!(
        "request",
        request = id,
        method = %request.method(),
        path = request.uri().path(),
    );
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| tracing::info!(status = response.status().as_u16(), "answered"));
    let headers = response.headers_mut();
    let id = HeaderValue::from_str(&id).expect("an ID of hexadecimal digits");
    headers.insert(REQUEST_ID, id);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn not_found() -> Problem {
    unknown_address()
}

/// The answer for an address that is no route.
pub(super) fn unknown_address() -> Problem {
    Problem::new(&problem::NOT_FOUND, "there is nothing at this address")
}

async fn method_not_allowed(method: Method) -> Response {
    let detail = format!("{method} is not for this address");
    Problem::new(&problem::METHOD_NOT_ALLOWED, detail).into_response()
}
