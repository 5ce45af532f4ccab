//! Peer-review links for their makers: making one, seeing what it was used for, ending it.
//!
//! Everything here is an operation, carried out for the person who has signed in.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::admin::{operate, rows, text, told};
use super::form::{self, Field, SentByMember};
use super::layout::{Tab, sentence};
use super::qr;
use super::share_form::{self, Choice, Said};
use super::table::Head::{Numbers, Words};
use super::table::table;
use super::visitor::Member;
use crate::base::date::end_ms;
use crate::base::number::separated;
use crate::base::party::ShareId;
use crate::directory::share::LinkToken;
use crate::http::api::Segment;
use crate::http::api::shares::account;
use crate::http::auth::entity_ids;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::operation::{self, ErrorKind, Operation, OperationError};
use crate::store::Supply;

/// `GET /shares`.
pub(in crate::http) async fn list(
    State(gateway): State<Gateway>,
    member: Member,
) -> Result<Response, Problem> {
    page(&gateway, &member, &Said::default(), &[]).await
}

async fn page(
    gateway: &Gateway,
    member: &Member,
    said: &Said,
    mistakes: &[(&str, String)],
) -> Result<Response, Problem> {
    let mail = Some(member.signed_in().person.mail.clone());
    let shares = operate(gateway, member, Operation::ShareList { mail }).await??;
    let datasets = choices(gateway, member).await?;
    let profile = &gateway.profile;
    let usual = [profile.share_days_usual, profile.share_days_max, profile.share_downloads_usual];
    let content = html! {
        h1 { "Links for reviewers" }
        p class="lead" {
            "Whoever has such a link sees and downloads the IDs behind a paper, without an "
            "account and without telling who they are. Only people of an institution with an "
            "academic exemption make them."
        }
        (about_host(gateway))
        @if !rows(&shares).is_empty() { (all(rows(&shares))) }
        h2 { "Make a link" }
        @if datasets.is_empty() {
            p class="faint" { "There is no dataset with releases that you see." }
        } @else {
            (share_form::draw(member, &datasets, usual, said, mistakes))
        }
    };
    Ok(member.0.page(Tab::Links, "Links for reviewers", content))
}

/// What reviewers see in any case.
fn about_host(gateway: &Gateway) -> Markup {
    html! {
        div class="notice" {
            p {
                "Reviewers see the name of the host in the link. "
                @if gateway.hosts.hides_its_name() {
                    "Here it is one of its own, which says nothing of whose gateway this is."
                } @else {
                    "Here it is this gateway's own: if it tells whose it is, a blind link does so "
                    "too. The operator can set a neutral one (share.public_url)."
                }
            }
        }
    }
}

fn all(shares: &[Value]) -> Markup {
    html! {
        (table(
            Some("Your links"),
            &[
                Words("Link"), Words("Dataset"), Words("State"), Words("Good until"),
                Numbers("Downloads"), Numbers("IDs"),
            ],
            html! {
                @for share in shares {
                    tr {
                        td class="break" {
                            a href={ "/shares/" (text(share, "id")) } { (text(share, "label")) }
                        }
                        td { (text(share, "dataset")) }
                        td { (state(share)) }
                        td { (until(share)) }
                        td class="number" { (share["downloads"]) " of " (share["downloads_max"]) }
                        td class="number" { (count(share, "ids_used")) }
                    }
                }
            },
        ))
    }
}

async fn choices(gateway: &Gateway, member: &Member) -> Result<Vec<Choice>, Problem> {
    let entities = entity_ids(&member.signed_in().requester);
    let now_ms = gateway.clock.now_ms();
    let look = gateway.store.look(move |tx| -> Result<Vec<Choice>, Problem> {
        let mut visible = tx.datasets_visible(Some(&entities), now_ms)?;
        visible.sort_by(|one, other| one.title.cmp(&other.title));
        let with_releases =
            |row: &crate::store::DatasetRow| matches!(row.supply, Supply::Releases { .. });
        let choices = visible.into_iter().filter(with_releases);
        Ok(choices.map(|row| Choice { slug: row.slug, title: row.title }).collect())
    });
    look.await
}

/// `POST /shares`: makes a link and shows it this once.
pub(in crate::http) async fn make(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let said = Said::read(&fields);
    let mail = &member.signed_in().person.mail;
    let made = match said.members(mail) {
        Ok(members) => match serde_json::from_value(Value::Object(members)) {
            Ok(operation) => operate(&gateway, &member, operation).await?,
            Err(error) => return Err(Problem::new(&problem::BAD_REQUEST, error.to_string())),
        },
        Err(mistakes) => return refused(&gateway, &member, &said, &mistakes).await,
    };
    match made {
        Ok(share) => {
            let origin = gateway.hosts.links_origin(&headers);
            Ok(shown_once(&gateway, &member, &share, &origin))
        }
        Err(OperationError { kind: ErrorKind::Unavailable, message }) => {
            Err(Problem::unavailable(&message))
        }
        Err(error) => {
            let mistakes = [(place_of(&error.message), sentence(&error.message))];
            refused(&gateway, &member, &said, &mistakes).await
        }
    }
}

async fn refused(
    gateway: &Gateway,
    member: &Member,
    said: &Said,
    mistakes: &[(&str, String)],
) -> Result<Response, Problem> {
    let mut response = page(gateway, member, said, mistakes).await?;
    *response.status_mut() = problem::BAD_REQUEST.status;
    Ok(response)
}

/// The field that a refusal is about.
fn place_of(message: &str) -> &'static str {
    for (word, field) in [
        ("passphrase", "passphrase"),
        ("offset", "offset"),
        ("downloads", "downloads_max"),
        ("limit of", "ids_max"),
        ("label", "label"),
        ("note", "note"),
        ("end", "until"),
        ("days at most", "until"),
    ] {
        if message.contains(word) {
            return field;
        }
    }
    "dataset"
}

fn shown_once(gateway: &Gateway, member: &Member, share: &Value, origin: &str) -> Response {
    let token = text(share, "token");
    let url = format!("{origin}/s/{token}");
    let content = html! {
        h1 { "The link is made" }
        div class="notice good" role="status" {
            h2 { (text(share, "label")) }
            p { code class="token" { (url) } }
            p { "Copy it now: it is shown only this once, and only its hash is kept." }
        }
        section class="card" aria-label="To print" {
            h2 { "To print" }
            (qr::code(&url, "The link as a QR code"))
            p {
                "Or typed, with or without the hyphens: " code class="token" {
                    (origin) "/s/" (LinkToken::grouped(token))
                }
            }
            @if share["has_passphrase"] == true {
                p { "Hand over the passphrase by another way. It is not shown again." }
            }
        }
        (about_host(gateway))
        p { a href={ "/shares/" (text(share, "id")) } { "Its use, its end, its account" } }
    };
    member.0.page(Tab::Links, "The link is made", content)
}

/// `GET /shares/{id}`.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    member: Member,
    Segment(id): Segment,
) -> Result<Response, Problem> {
    one(&gateway, &member, number(&id)?, None).await
}

async fn one(
    gateway: &Gateway,
    member: &Member,
    id: ShareId,
    refusal: Option<&OperationError>,
) -> Result<Response, Problem> {
    let share = operate(gateway, member, Operation::ShareShow { share: id }).await??;
    let label = text(&share, "label");
    let content = html! {
        h1 { (label) }
        p class="lead" {
            (count(&share, "count")) " " (text(&share, "ids")) " IDs of "
            (text(&share, "title")) ", " (text(&share, "purpose")) ", " (text(&share, "face"))
        }
        (told(refusal))
        dl class="card" {
            dt { "State" } dd {
                (state(&share))
                @if let Some(reason) = share["state_reason"].as_str() { " " (sentence(reason)) }
            }
            dt { "Good until" } dd { (until(&share)) }
            dt { "Downloads" } dd {
                (share["downloads"]) " of at most " (share["downloads_max"])
            }
            dt { "IDs" } dd {
                (count(&share, "ids_used")) " of at most " (count(&share, "ids_max"))
            }
            dt { "Passphrase" } dd { @if share["has_passphrase"] == true { "yes" } @else { "no" } }
            dt { "Release" } dd { code class="token" { (text(&share, "release")) } }
            dt { "Exemption" } dd { (text(&share, "exemption")) }
            @if !text(&share, "note").is_empty() {
                dt { "Note for the editor" } dd { (text(&share, "note")) }
            }
        }
        h2 { "Use" }
        (used(&share))
        (changes(member, &share))
    };
    Ok(member.0.page(Tab::Links, label, content))
}

fn used(share: &Value) -> Markup {
    let days = rows(&share["days"]);
    let id = text(share, "id");
    html! {
        @if days.is_empty() { p class="faint" { "Nobody has downloaded anything yet." } }
        @else {
            (table(
                Some("Day by day"),
                &[Words("Day (UTC)"), Numbers("Downloads"), Numbers("IDs")],
                html! {
                    @for day in days {
                        tr {
                            td { (text(day, "day")) }
                            td class="number" { (day["downloads"]) }
                            td class="number" { (count(day, "ids")) }
                        }
                    }
                },
            ))
        }
        p class="faint" { "Who it was is not known, and nothing of them is kept." }
        p {
            "For the editor: "
            a href={ "/shares/" (id) "/account.txt" } download { "the account as a text" } ", "
            a href={ "/shares/" (id) "/account.csv" } download { "as a table" }
        }
    }
}

fn changes(member: &Member, share: &Value) -> Markup {
    let action = |change: &str| format!("/shares/{}/{change}", text(share, "id"));
    let until = Field {
        name: "until",
        label: "New last day",
        hint: "",
        value: "",
        kind: "text",
        autocomplete: "off",
        mistake: None,
    };
    let is_open = share["revoked"].is_null() && share["published"].is_null();
    html! {
        @if is_open {
            form class="card" method="post" action=(action("extend")) {
                h2 { "Extend it" }
                (form::token(&member.0))
                div class="row" { (until.draw()) button type="submit" { "Extend" } }
            }
            form class="card" method="post" action=(action("publish")) {
                h2 { "Make it a page with names" }
                p {
                    "When the review is over, the link can become a page that shows your name, "
                    "your institution's and the dataset's, to everybody who has it. It hands out "
                    "nothing any more, and it never becomes blind again."
                }
                (form::token(&member.0))
                button type="submit" class="quiet" { "Make it a page with names" }
            }
        }
        @if share["revoked"].is_null() {
            form class="card" method="post" action=(action("revoke")) {
                h2 { "End it" }
                p { "Downloads under way stop at once. It cannot be undone." }
                (form::token(&member.0))
                button type="submit" class="danger" { "Revoke the link" }
            }
        }
    }
}

/// `POST /shares/{id}/extend`, `…/publish` and `…/revoke`.
pub(in crate::http) async fn change(
    State(gateway): State<Gateway>,
    Path((id, change)): Path<(String, String)>,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let share = number(&id)?;
    let operation = match change.as_str() {
        "extend" => match end_ms(&fields.text("until")) {
            Ok(until_ms) => Operation::ShareExtend { share, until_ms },
            Err(error) => {
                let refusal =
                    OperationError { kind: ErrorKind::Invalid, message: error.to_string() };
                return refused_change(&gateway, &member, share, &refusal).await;
            }
        },
        "publish" => Operation::SharePublish { share },
        "revoke" => Operation::ShareRevoke { share },
        _ => return Err(crate::http::router::unknown_address()),
    };
    match operate(&gateway, &member, operation).await? {
        Ok(_) => Ok(Redirect::to(&format!("/shares/{}", share.0)).into_response()),
        Err(refusal) if matches!(refusal.kind, ErrorKind::Invalid | ErrorKind::Conflict) => {
            refused_change(&gateway, &member, share, &refusal).await
        }
        Err(refusal) => Err(refusal.into()),
    }
}

async fn refused_change(
    gateway: &Gateway,
    member: &Member,
    share: ShareId,
    refusal: &OperationError,
) -> Result<Response, Problem> {
    let mut response = one(gateway, member, share, Some(refusal)).await?;
    *response.status_mut() = problem::CONFLICT.status;
    Ok(response)
}

/// `GET /shares/{id}/account.csv`.
pub(in crate::http) async fn account_csv(
    State(gateway): State<Gateway>,
    member: Member,
    Segment(id): Segment,
) -> Result<Response, Problem> {
    let operation = Operation::ShareShow { share: number(&id)? };
    let share = operate(&gateway, &member, operation).await??;
    Ok(account("text/csv; charset=utf-8", "csv", operation::account_csv(&share)))
}

/// `GET /shares/{id}/account.txt`.
pub(in crate::http) async fn account_text(
    State(gateway): State<Gateway>,
    member: Member,
    Segment(id): Segment,
) -> Result<Response, Problem> {
    let operation = Operation::ShareShow { share: number(&id)? };
    let share = operate(&gateway, &member, operation).await??;
    Ok(account("text/plain; charset=utf-8", "txt", operation::account_text(&share)))
}

fn number(id: &str) -> Result<ShareId, Problem> {
    super::account::number(id).map(ShareId)
}

fn count(value: &Value, field: &str) -> String {
    separated(value[field].as_u64().unwrap_or(0))
}

fn state(share: &Value) -> Markup {
    let state = text(share, "state");
    let class = if state == "open" { "tag good" } else { "tag bad" };
    html! { span class=(class) { (state) } }
}

fn until(share: &Value) -> String {
    end_ms(text(share, "expires")).map(crate::base::date::until).unwrap_or_default()
}
