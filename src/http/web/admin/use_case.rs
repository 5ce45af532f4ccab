//! Use cases that entities propose, and government entities, which wait for a review.

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::{decide, reason, reason_field, refusal_form, text};
use crate::directory::use_case::Verdict;
use crate::http::problem::Problem;
use crate::http::router::unknown_address;
use crate::http::state::Gateway;
use crate::http::web::form::{self, SentByMember};
use crate::http::web::visitor::Member;
use crate::operation::Operation;

/// A use case that is proposed.
pub(super) fn card(member: &Member, row: &Value, may_decide: bool) -> Markup {
    let slug = text(row, "entity");
    html! {
        section class="card" aria-label={ "Use case of " (slug) } {
            h3 { (slug) }
            dl {
                dt { "Version" } dd { (row["version"]) }
                dt { "Would use the IDs for" } dd { (text(row, "purpose")) }
                dt { "Proposed" } dd { (text(row, "proposed")) }
            }
            @if may_decide {
                (approval(member, &format!("/admin/use-cases/{slug}/approve"),
                    &format!("use-{slug}"), "Approve"))
                (refusal_form(member, &format!("/admin/use-cases/{slug}/refuse"),
                    &format!("u-{slug}")))
            }
        }
    }
}

/// A government entity that receives nothing before it is reviewed.
pub(super) fn review(member: &Member, row: &Value, may_decide: bool) -> Markup {
    let slug = text(row, "slug");
    html! {
        section class="card" aria-label={ "Review of " (slug) } {
            h3 { (text(row, "name")) }
            p { (text(row, "status_reason")) "." }
            @if may_decide {
                (approval(member, &format!("/admin/use-cases/{slug}/review"),
                    &format!("review-{slug}"), "Let it receive"))
            }
        }
    }
}

fn approval(member: &Member, action: &str, id: &str, label: &str) -> Markup {
    html! {
        form method="post" action=(action) {
            (form::token(&member.0))
            div class="row" {
                (reason_field(id, "Reason for approving"))
                button type="submit" { (label) }
            }
        }
    }
}

/// `POST /admin/use-cases/{slug}/{decision}`.
pub(in crate::http) async fn answer(
    State(gateway): State<Gateway>,
    Path((slug, decision)): Path<(String, String)>,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let reason = reason(&fields);
    let operation = match decision.as_str() {
        "approve" => Operation::UseCaseDecide { slug, verdict: Verdict::Approve, reason },
        "refuse" => Operation::UseCaseDecide { slug, verdict: Verdict::Refuse, reason },
        "review" => Operation::EntityReview { slug, reason },
        _ => return Err(unknown_address()),
    };
    decide(&gateway, &member, operation).await
}
