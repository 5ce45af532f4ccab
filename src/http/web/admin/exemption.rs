//! Applications for exemptions that wait for an operator.

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::{decide, field, reason, reason_field, refusal_form, text};
use crate::base::number::separated;
use crate::directory::exemption::Decision;
use crate::http::problem::{self, Problem};
use crate::http::router::unknown_address;
use crate::http::state::Gateway;
use crate::http::web::account::number;
use crate::http::web::form::{self, SentByMember};
use crate::http::web::identity;
use crate::http::web::visitor::Member;
use crate::operation::Operation;

/// One of them.
pub(super) fn card(member: &Member, row: &Value, may_decide: bool) -> Markup {
    let id = text(row, "id");
    html! {
        section class="card" aria-label={ "Application " (id) } {
            h3 { (text(row, "entity")) }
            dl {
                dt { "Applicant" } dd { (text(row, "person")) }
                dt { "Role" } dd { (text(row, "role")) }
                dt { "Purpose" } dd { (text(row, "purpose")) }
                dt { "Signed by" } dd { (text(row, "signed_by")) }
                @if !text(row, "reference").is_empty() {
                    dt { "Supported by" } dd { (text(row, "reference")) }
                }
                dt { "The institution asserts" } dd { (evidence(&row["evidence"])) }
                (identity::affiliations(&row["evidence"]))
                dt { "Applied" } dd { (text(row, "applied")) }
                dt { "Until" } dd { (text(row, "until")) }
                @if let Some(wanted_ids) = row["wanted_ceiling"].as_u64() {
                    dt { "Wants at most" } dd { (separated(wanted_ids)) " IDs" }
                }
            }
            @if may_decide {
                form method="post" action={ "/admin/exemptions/" (id) "/approve" } {
                    (form::token(&member.0))
                    div class="row" {
                        (reason_field(&format!("why-{id}"), "Reason for approving"))
                        (field(&format!("conditions-{id}"), "conditions", "Conditions"))
                        (field(&format!("ceiling-{id}"), "ceiling", "At most so many IDs"))
                        button type="submit" { "Approve" }
                    }
                }
                (refusal_form(
                    member, &format!("/admin/exemptions/{id}/refuse"), &format!("x-{id}"),
                ))
            }
        }
    }
}

/// What speaks for the applicant without their saying so.
fn evidence(evidence: &Value) -> Markup {
    let domain = text(evidence, "mail_domain");
    html! {
        @match evidence["is_institutions"].as_bool() {
            Some(true) => { "that " (domain) ", where the applicant reads mail, is its own" },
            Some(false) => { "other domains than " (domain) ", where the applicant reads mail" },
            None => { "no domain; the applicant reads mail at " (domain) },
        }
    }
}

/// `POST /admin/exemptions/{id}/{decision}`.
pub(in crate::http) async fn answer(
    State(gateway): State<Gateway>,
    Path((id, decision)): Path<(String, String)>,
    SentByMember { member, fields }: SentByMember,
) -> Result<Response, Problem> {
    let decision = match decision.as_str() {
        "approve" => Decision::Approve,
        "refuse" => Decision::Refuse,
        _ => return Err(unknown_address()),
    };
    let (exemption, reason) = (number(&id)?, reason(&fields));
    let conditions = Some(fields.text("conditions")).filter(|conditions| !conditions.is_empty());
    let ceiling_ids = fields
        .whole_number("ceiling", "the ceiling")
        .map_err(|detail| Problem::new(&problem::BAD_REQUEST, detail))?;
    let operation =
        Operation::ExemptionDecide { exemption, decision, reason, conditions, ceiling_ids };
    decide(&gateway, &member, operation).await
}
