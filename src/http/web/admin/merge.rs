//! Merging two entities: what it would do is shown first, and done with a reason.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::{entity_field, operate, reason, reason_field, rows, text, told};
use crate::directory::words::Rank;
use crate::http::api::Query;
use crate::http::problem::Problem;
use crate::http::state::Gateway;
use crate::http::web::form::{self, SentByMember};
use crate::http::web::join::effect;
use crate::http::web::layout::Tab;
use crate::http::web::table::Head::Words;
use crate::http::web::table::table;
use crate::http::web::visitor::Member;
use crate::operation::{ErrorKind, Operation, OperationError};

/// `GET /admin/merge`, with `source` and `target` once they are chosen.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    Query(chosen): Query<BTreeMap<String, String>>,
    member: Member,
) -> Result<Response, Problem> {
    let of = |name: &str| chosen.get(name).cloned().unwrap_or_default();
    page(&gateway, &member, [of("source"), of("target")], None).await
}

async fn page(
    gateway: &Gateway,
    member: &Member,
    [source, target]: [String; 2],
    refusal: Option<OperationError>,
) -> Result<Response, Problem> {
    let entities = operate(gateway, member, Operation::EntityList).await??;
    let likely = operate(gateway, member, Operation::EntityDuplicates).await??;
    let (mut shown, mut refusal) = (Value::Null, refusal);
    if !source.is_empty() {
        let (source, target) = (source.clone(), target.clone());
        let operation = Operation::EntityMergeEffect { source, target };
        match operate(gateway, member, operation).await? {
            Ok(effect) => shown = effect,
            Err(error) => refusal = Some(refusal.unwrap_or(error)),
        }
    }
    let content = html! {
        h1 { "Merge two entities" }
        p class="lead" {
            "People, keys, names and what still counts of the first become the second's. "
            "Exemptions, permissions and use cases do not carry over."
        }
        (told(refusal.as_ref()))
        form class="card" method="get" action="/admin/merge" {
            div class="row" {
                (entity_field("source", "This entity", &entities, &source))
                (entity_field("target", "becomes part of", &entities, &target))
                button type="submit" { "Show what it would do" }
            }
        }
        @if !shown.is_null() { (preview(member, &shown)) }
        h2 { "Entities that may be one" }
        (duplicates(&likely))
    };
    let status = refusal.map(|error| Problem::from(error).status());
    let mut response = member.0.page(Tab::Operators, "Merge two entities", content);
    if let Some(status) = status {
        *response.status_mut() = status;
    }
    Ok(response)
}

fn preview(member: &Member, shown: &Value) -> Markup {
    let (source, target) = (text(shown, "source"), text(shown, "target"));
    html! {
        section class="card" aria-label="What it would do" {
            h2 { (source) " becomes part of " (target) }
            (effect(&shown["effect"], &format!("The meters of {target}")))
            p {
                (shown["people_moved"]) " people come along, "
                (shown["people_in_both"]) " belong to both already."
            }
            @if member.signed_in().rank == Some(Rank::Operator) {
                form method="post" action="/admin/merge" {
                    (form::token(&member.0))
                    input type="hidden" name="source" value=(source);
                    input type="hidden" name="target" value=(target);
                    div class="row" {
                        (reason_field("merge-reason", "Reason for the merge"))
                        button class="danger" type="submit" { "Merge them for good" }
                    }
                }
            }
        }
    }
}

fn duplicates(likely: &Value) -> Markup {
    html! {
        @if rows(likely).is_empty() {
            p class="faint" { "No two have a domain, a ROR identifier or almost a name in common." }
        } @else {
            (table(
                Some("Pairs that may be one and the same"),
                &[Words("Entity"), Words("Other"), Words("In common"), Words("Merge")],
                html! {
                    @for pair in rows(likely) {
                        @let (slug, other) = (text(pair, "slug"), text(pair, "other"));
                        tr {
                            td { (text(pair, "name")) }
                            td { (text(pair, "other_name")) }
                            td {
                                @for why in rows(&pair["why"]) {
                                    (why.as_str().unwrap_or_default()) " "
                                }
                            }
                            td {
                                a href={ "/admin/merge?source=" (slug) "&target=" (other) } {
                                    "Show what merging " (slug) " into " (other) " does"
                                }
                            }
                        }
                    }
                },
            ))
        }
    }
}

/// `POST /admin/merge`.
pub(in crate::http) async fn carry_out(
    State(gateway): State<Gateway>,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let (source, target) = (fields.text("source"), fields.text("target"));
    let operation = Operation::EntityMerge {
        source: source.clone(),
        target: target.clone(),
        reason: reason(&fields),
    };
    match operate(&gateway, &member, operation).await? {
        Ok(_) => Ok(Redirect::to(&format!("/entities/{target}")).into_response()),
        Err(error) if error.kind == ErrorKind::Unavailable => Err(error.into()),
        Err(error) => page(&gateway, &member, [source, target], Some(error)).await,
    }
}
