//! Who somebody is here: their entities and what they have used, their keys and their sessions.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::admin::rows;
use super::entity::{Meters, meters_of};
use super::form::{self, Field, SentByMember};
use super::join;
use super::layout::{Tab, sentence};
use super::table::Head::Words;
use super::table::table;
use super::visitor::Member;
use crate::base::date::{DAY_MS, minute};
use crate::base::party::{Actor, Credential, KeyId, PersonId, SessionId};
use crate::directory::key::{self, Issue, KeyState};
use crate::directory::session::{self, SessionState};
use crate::directory::words::{Role, Scope, Status};
use crate::directory::{DirectoryError, document};
use crate::http::api::Segment;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::operation::proposals_before;
use crate::store::{KeyRow, SessionRow, StoreError, Tx};

/// How long a key lives that is made here, by the words of the form, in milliseconds.
const LIVES: &[(&str, &str, i64)] = &[
    ("90", "90 days", 90 * DAY_MS),
    ("30", "30 days", 30 * DAY_MS),
    ("365", "one year", 365 * DAY_MS),
];

/// All that the page shows.
struct Shown {
    entities: Vec<Belonging>,
    keys: Vec<KeyRow>,
    sessions: Vec<SessionRow>,
    missing: usize,
    /// The proposals that somebody joins a further entity.
    joins: Value,
    now_ms: i64,
}

/// An entity that somebody belongs to.
struct Belonging {
    slug: String,
    name: String,
    status: Status,
    role: String,
    meters: Meters,
}

/// `GET /account`.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    member: Member,
) -> Result<Response, Problem> {
    page(&gateway, &member, html! {}).await
}

async fn page(gateway: &Gateway, member: &Member, news: Markup) -> Result<Response, Problem> {
    let shown = shown(gateway, member).await?;
    let signed_in = member.signed_in();
    let content = html! {
        h1 { (signed_in.person.name) }
        p class="lead" {
            (signed_in.person.mail)
            @if let Some(rank) = signed_in.rank { " " span class="tag" { (rank) } }
        }
        (news)
        @if shown.missing > 0 {
            div class="notice bad" {
                p {
                    "Before you receive anything, " a href="/documents" {
                        "accept the documents (" (shown.missing) " are missing)"
                    } "."
                }
            }
        }
        h2 { "Your entities" }
        @for entity in &shown.entities { (belonging(entity)) }
        @if shown.entities.is_empty() {
            p class="faint" { "You belong to no entity, so nothing can be delivered to you." }
        }
        @if !rows(&shown.joins).is_empty() {
            h2 id="joins" { "What waits for your consent" }
            @for row in rows(&shown.joins) { (join::for_members(member, row)) }
        }
        h2 id="keys" { "Keys for programs" }
        (keys(member, &shown))
        h2 id="sessions" { "Where you are signed in" }
        (sessions(member, &shown))
    };
    Ok(member.0.page(Tab::Account, "Account", content))
}

async fn shown(gateway: &Gateway, member: &Member) -> Result<Shown, Problem> {
    let requester = member.signed_in().requester.clone();
    let (profile, clock) = (gateway.profile.clone(), gateway.clock.clone());
    let look = gateway.store.look(move |tx| -> Result<Shown, Problem> {
        let now_ms = clock.now_ms();
        let memberships = tx.memberships_of_person(requester.person)?;
        let mut entities = Vec::new();
        for entity in requester.entities {
            let role = memberships.iter().find(|membership| membership.entity == entity.id);
            entities.push(Belonging {
                role: role.map(|membership| membership.role.clone()).unwrap_or_default(),
                meters: meters_of(tx, &profile, &clock, entity.id)?,
                slug: entity.slug,
                name: entity.name,
                status: entity.status,
            });
        }
        let mut keys = tx.keys()?;
        keys.retain(|key| key.person == requester.person && key.revoked_ms.is_none());
        let mut sessions = tx.sessions_of(requester.person)?;
        sessions.retain(|row| session::state(row, now_ms) == SessionState::Active);
        let missing = document::missing(tx, &profile.documents, now_ms, requester.person)?.len();
        let joins = proposals_before(tx, &profile, &clock, requester.person)?;
        Ok(Shown { entities, keys, sessions, missing, joins, now_ms })
    });
    look.await
}

fn belonging(entity: &Belonging) -> Markup {
    html! {
        section class="card" aria-label=(entity.name) {
            h3 {
                (entity.name) " "
                @if entity.status != Status::Active {
                    span class="tag bad" { (entity.status) } " "
                }
                span class="tag" { (entity.role) }
            }
            (entity.meters.draw())
            @if entity.role == Role::Manager.word() {
                p { a href={ "/entities/" (entity.slug) } { "Use and people of " (entity.name) } }
            }
        }
    }
}

fn keys(member: &Member, shown: &Shown) -> Markup {
    let label = Field {
        name: "label",
        label: "What it is for",
        hint: "",
        value: "",
        kind: "text",
        autocomplete: "off",
        mistake: None,
    };
    html! {
        @if !shown.keys.is_empty() {
            (table(
                Some("Your keys"),
                &[Words("For"), Words("State"), Words("Last used"), Words("Ends"), Words("Revoke")],
                html! {
                    @for row in &shown.keys { (key_row(member, row, shown.now_ms)) }
                },
            ))
        }
        form class="card" method="post" action="/account/keys" {
            h3 { "Make a key" }
            (form::token(&member.0))
            div class="row" {
                (label.draw())
                div class="field" {
                    label for="life" { "Lives for" }
                    select id="life" name="life" {
                        @for (word, words, _) in LIVES { option value=(word) { (words) } }
                    }
                }
                button type="submit" { "Make a key" }
            }
        }
    }
}

fn key_row(member: &Member, row: &KeyRow, now_ms: i64) -> Markup {
    let state = key::state(row, now_ms);
    let class = if state == KeyState::Active { "tag good" } else { "tag bad" };
    html! {
        tr {
            td class="break" { (row.label) }
            td { span class=(class) { (state.word()) } }
            td { @match row.last_used_ms { Some(used) => (minute(used)), None => "never" } }
            td { (minute(row.expires_ms)) }
            td {
                (form::button(&member.0, &format!("/account/keys/{}/revoke", row.id.0), "danger",
                    "Revoke", &format!("the key {}", row.label)))
            }
        }
    }
}

fn sessions(member: &Member, shown: &Shown) -> Markup {
    let own = member.signed_in().requester.by;
    html! {
        (table(
            Some("Your sessions"),
            &[Words("Browser"), Words("Since"), Words("Last used"), Words("End it")],
            html! {
                @for row in &shown.sessions {
                    tr {
                        td {
                            (row.label)
                            @if own == Credential::Session(row.id) {
                                " " span class="tag good" { "this one" }
                            }
                        }
                        td { (minute(row.created_ms)) }
                        td { (minute(row.seen_ms)) }
                        td {
                            (form::button(&member.0,
                                &format!("/account/sessions/{}/revoke", row.id.0), "danger",
                                "End", &format!("the session of {}", row.label)))
                        }
                    }
                }
            },
        ))
    }
}

/// `POST /account/keys`: makes a key and shows it this once.
pub(in crate::http) async fn make_key(
    State(gateway): State<Gateway>,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let life = LIVES.iter().find(|(word, ..)| *word == fields.text("life")).unwrap_or(&LIVES[0]);
    let request = Issue {
        mail: member.signed_in().person.mail.clone(),
        label: Some(fields.text("label")).filter(|label| !label.is_empty()),
        scope: Scope::Download,
        lifetime_ms: Some(life.2),
    };
    let actor = Actor::Person(member.signed_in().requester.person);
    let now_ms = gateway.clock.now_ms();
    let write = gateway.store.write(move |tx| key::issue(tx, now_ms, &actor, &request));
    let (row, token) = match write.await {
        Ok(issued) => issued,
        Err(DirectoryError::Invalid(mistake)) => {
            let news = html! {
                div class="notice bad" role="alert" { p { (sentence(&mistake)) } }
            };
            let mut response = page(&gateway, &member, news).await?;
            *response.status_mut() = problem::BAD_REQUEST.status;
            return Ok(response);
        }
        Err(error) => return Err(error.into()),
    };
    let news = html! {
        div class="notice good" role="status" {
            h2 { "Your new key: " (row.label) }
            p { code class="token" { (token.reveal()) } }
            p { "Copy it now: it is shown only this once. Keep it like a password." }
        }
    };
    page(&gateway, &member, news).await
}

/// `POST /account/keys/{id}/revoke`.
pub(in crate::http) async fn revoke_key(
    State(gateway): State<Gateway>,
    Segment(id): Segment,
    SentByMember { member, .. }: SentByMember,
) -> Result<Response, Problem> {
    let id = KeyId(number(&id)?);
    let owner = move |tx: &Tx<'_>| Ok(tx.key_by_id(id)?.map(|row| row.person));
    void(&gateway, &member, "/account#keys", owner, move |tx, now_ms, actor| {
        key::revoke(tx, now_ms, actor, id).map(drop)
    })
    .await
}

/// `POST /account/sessions/{id}/revoke`.
pub(in crate::http) async fn revoke_session(
    State(gateway): State<Gateway>,
    Segment(id): Segment,
    SentByMember { member, .. }: SentByMember,
) -> Result<Response, Problem> {
    let id = SessionId(number(&id)?);
    let owner = move |tx: &Tx<'_>| Ok(tx.session_by_id(id)?.map(|row| row.person));
    void(&gateway, &member, "/account#sessions", owner, move |tx, now_ms, actor| {
        session::revoke(tx, now_ms, actor, id).map(drop)
    })
    .await
}

/// Voids something of the member's own, and leads to where it stood; what is another's is told
/// like what is not there.
async fn void(
    gateway: &Gateway,
    member: &Member,
    place: &str,
    owner: impl FnOnce(&Tx<'_>) -> Result<Option<PersonId>, StoreError> + Send + 'static,
    revoke: impl FnOnce(&Tx<'_>, i64, &Actor) -> Result<(), DirectoryError> + Send + 'static,
) -> Result<Response, Problem> {
    let person = member.signed_in().requester.person;
    let now_ms = gateway.clock.now_ms();
    let write = gateway.store.write(move |tx| -> Result<(), Problem> {
        if owner(tx)? != Some(person) {
            return Err(Problem::new(&problem::NOT_FOUND, "you have nothing with that number"));
        }
        Ok(revoke(tx, now_ms, &Actor::Person(person))?)
    });
    write.await?;
    Ok(Redirect::to(place).into_response())
}

/// The number of a row in an address.
pub(super) fn number(text: &str) -> Result<i64, Problem> {
    text.parse().map_err(|_| crate::http::router::unknown_address())
}

impl From<DirectoryError> for Problem {
    fn from(error: DirectoryError) -> Problem {
        let kind = match &error {
            DirectoryError::NotFound(_) => &problem::NOT_FOUND,
            DirectoryError::Conflict(_) => &problem::CONFLICT,
            DirectoryError::Invalid(_) => &problem::BAD_REQUEST,
            DirectoryError::Forbidden(_) => &problem::NOT_ALLOWED,
            DirectoryError::Store(error) => return error.clone().into(),
        };
        Problem::new(kind, error.to_string())
    }
}
