//! Every route on one screen, and the layers around them.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use tracing::Instrument;

use super::api::{
    acceptances, admin, datasets, deliveries, documents, health, ids, removals, shares, strip,
    usage,
};
use super::problem::{self, Problem};
use super::state::Gateway;
use super::web::admin::{merge, permission};
use super::web::layout::{for_people, problems_for_people};
use super::web::{
    self, account, dataset, entity, exemption, home, identity, invitation, join, register, share,
    sign_in, style,
};
use super::{auth, hosts, review, session};
use crate::base::ids::IdKind;

/// The public half of the gateway.
pub(crate) fn router(gateway: Gateway) -> Router {
    let pages = Router::new()
        .route("/", get(home::show))
        .route("/datasets/{slug}", get(dataset::show))
        .route("/sign-in", get(sign_in::show).post(sign_in::ask))
        .route("/sign-in/{secret}", get(sign_in::confirm).post(sign_in::enter))
        .route("/sign-in/unlinked", get(identity::unlinked))
        .route("/sign-in/unlinked/forget", post(identity::forget))
        .route("/sign-out", post(sign_in::leave))
        .route("/register", get(register::show).post(register::ask))
        .route("/register/{secret}", get(register::confirm).post(register::verify))
        .route("/account", get(account::show))
        .route("/account/keys", post(account::make_key))
        .route("/account/keys/{id}/revoke", post(account::revoke_key))
        .route("/account/sessions/{id}/revoke", post(account::revoke_session))
        .route("/account/identities/link", post(identity::link))
        .route("/account/identities/unlink", post(identity::unlink))
        .route("/documents", get(web::documents::show).post(web::documents::accept))
        .route("/exemptions/apply", get(exemption::show).post(exemption::apply))
        .route("/entities/{slug}", get(entity::show))
        .route("/entities/{slug}/report", get(web::report::show))
        .route("/entities/{slug}/report.csv", get(web::report::csv))
        .route("/entities/{slug}/report.pdf", get(web::report::pdf))
        .route("/shares", get(share::list).post(share::make))
        .route("/shares/{id}", get(share::show))
        .route("/shares/{id}/account.csv", get(share::account_csv))
        .route("/shares/{id}/account.txt", get(share::account_text))
        .route("/shares/{id}/{change}", post(share::change))
        .route("/entities/{slug}/invitations", post(invitation::invite))
        .route("/entities/{slug}/use-cases", post(invitation::propose))
        .route("/invitations/{id}/withdraw", post(invitation::withdraw))
        .route("/joins/{id}/{decision}", post(join::answer))
        .route("/admin", get(web::admin::show))
        .route("/admin/registrations/{id}/{decision}", post(web::admin::registration::answer))
        .route("/admin/exemptions/{id}/{decision}", post(web::admin::exemption::answer))
        .route("/admin/use-cases/{slug}/{decision}", post(web::admin::use_case::answer))
        .route("/admin/permissions", get(permission::show).post(permission::enter))
        .route("/admin/permissions/{id}/revoke", post(permission::revoke))
        .route("/admin/merge", get(merge::show).post(merge::carry_out))
        .merge(web::exports::routes())
        .merge(providers())
        .layer(middleware::from_fn_with_state(gateway.clone(), problems_for_people))
        .route("/style/{name}", get(style::show));
    Router::new()
        .merge(pages)
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
        .route("/v1/removals", get(removals::list))
        .route("/v1/exports", any(web::exports::by_hand))
        .merge(shares::routes())
        .merge(admin::routes())
        .route("/problems", get(problem::list))
        .route("/problems/{name}", get(problem::show))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(gateway.clone(), session::refresh))
        // Whoever opens a link is nobody: no session of theirs is looked at.
        .nest("/s", review::routes())
        .layer(middleware::from_fn(auth::no_key_in_query))
        .layer(middleware::from_fn_with_state(gateway.clone(), hosts::check))
        // Probes come from whatever address the machine has.
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .layer(middleware::from_fn(every_answer))
        .with_state(gateway)
}

/// The ways to OpenID providers and back, where this program knows any.
fn providers() -> Router<Gateway> {
    #[cfg(feature = "oidc")]
    return web::provider::routes();
    #[cfg(not(feature = "oidc"))]
    Router::new()
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What every answer carries: no cache may keep it, and its request can be found in the log.
async fn every_answer(request: Request, next: Next) -> Response {
    let id = uuid::Uuid::now_v7().simple().to_string();
    let span = tracing::info_span!(
        "request",
        request = id,
        method = %request.method(),
        path = without_secret(request.uri().path()),
    );
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| tracing::info!(status = response.status().as_u16(), "answered"));
    let headers = response.headers_mut();
    let id = HeaderValue::from_str(&id).expect("an ID of hexadecimal digits");
    headers.insert(REQUEST_ID, id);
    // The style sheet alone says otherwise: it is the same for everybody.
    let kept = HeaderValue::from_static("private, no-store");
    headers.entry(header::CACHE_CONTROL).or_insert(kept);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A path as the log may hold it: some addresses are as good as a password.
fn without_secret(path: &str) -> &str {
    let secret =
        ["/sign-in/", "/register/", "/s/"].into_iter().find(|start| path.starts_with(start));
    secret.unwrap_or(path)
}

async fn not_found(State(gateway): State<Gateway>, headers: HeaderMap) -> Response {
    let response = unknown_address().into_response();
    // Programs that take anything get what they can read.
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    match accepts.is_some_and(|accept| accept.contains("text/html")) {
        true => for_people(&gateway.profile, response),
        false => response,
    }
}

/// The answer for an address that is no route.
pub(super) fn unknown_address() -> Problem {
    Problem::new(&problem::NOT_FOUND, "there is nothing at this address")
}

async fn method_not_allowed(method: Method) -> Response {
    let detail = format!("{method} is not for this address");
    Problem::new(&problem::METHOD_NOT_ALLOWED, detail).into_response()
}
