//! What went to an entity under which basis, for those who manage it and those who run the
//! gateway: a page, and the same as a table for programs and as a PDF file.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::admin::{operate, rows, text};
use super::form::{Field, mistake_of, mistakes};
use super::layout::Tab;
use super::table::Head::{Numbers, Words};
use super::table::table;
use super::visitor::Member;
use crate::base::date::{NotADate, begin_ms, end_ms};
use crate::base::number::separated;
use crate::export::report;
use crate::http::api::{Query, Segment};
use crate::http::attachment::attachment;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::operation::Operation;

/// The fields of the form, as they were sent.
type Asked = BTreeMap<String, String>;

/// `GET /entities/{slug}/report`, with `from` and `until` once they are chosen.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    Segment(slug): Segment,
    Query(asked): Query<Asked>,
    member: Member,
) -> Result<Response, Problem> {
    let (operation, wrong) = operation(&slug, &asked);
    let shown = operate(&gateway, &member, operation).await??;
    let of = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let (from, until) = (of("from"), of("until"));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("from", from), ("until", until)])
        .finish();
    let date = |name, label, value| {
        let mistake = mistake_of(&wrong, name);
        Field { name, label, hint: "", value, kind: "optional", autocomplete: "", mistake }.draw()
    };
    let here = format!("/entities/{slug}/report");
    let content = html! {
        h1 { "What " (text(&shown, "name")) " received" }
        (mistakes(&wrong))
        form class="card" method="get" action=(here) {
            div class="row" {
                (date("from", "From the day on, like 2027-01-01 (UTC)", from))
                (date("until", "To the end of the day (UTC)", until))
                button type="submit" { "Show" }
            }
        }
        p { "Time: " (report::span(&shown)) ". Profile in force: " (text(&shown, "profile")) "." }
        @if rows(&shown["deliveries"]).is_empty() {
            p class="faint" { "Nothing was delivered." }
        } @else {
            ul { @for sum in report::sums(&shown) { li { (sum) } } }
            (deliveries(&shown))
        }
        p {
            a href={ (here) ".csv?" (query) } download { "The report as a table (CSV)" } ", "
            a href={ (here) ".pdf?" (query) } download { "as pages (PDF)" }
        }
    };
    let mut response = member.0.page(Tab::Account, "Report", content);
    if !wrong.is_empty() {
        *response.status_mut() = problem::BAD_REQUEST.status;
    }
    Ok(response)
}

fn deliveries(shown: &Value) -> Markup {
    table(
        Some("Each delivery, oldest first"),
        &[
            Words("Began"),
            Words("To"),
            Words("Dataset"),
            Words("IDs"),
            Numbers("Charged"),
            Words("Basis"),
            Words("Use case"),
            Words("Profile"),
            Words("State"),
            Words("Delivery"),
        ],
        html! {
            @for row in rows(&shown["deliveries"]) {
                tr {
                    td { (text(row, "started")) }
                    td class="break" {
                        @match row["link"].as_str() {
                            Some(link) => { "reviewers by link " (link) }
                            None => (text(row, "person")),
                        }
                    }
                    td { (text(row, "dataset")) }
                    td { (text(row, "ids")) }
                    td class="number" { (separated(row["charged"].as_u64().unwrap_or(0))) }
                    td { (text(row, "basis")) }
                    td { (text(row, "use_case")) }
                    td { (text(row, "profile")) }
                    td { (text(row, "state")) }
                    td class="break" { (text(row, "delivery")) }
                }
            }
        },
    )
}

/// `GET /entities/{slug}/report.csv`.
pub(in crate::http) async fn csv(
    State(gateway): State<Gateway>,
    Segment(slug): Segment,
    Query(asked): Query<Asked>,
    member: Member,
) -> Result<Response, Problem> {
    let shown = operate(&gateway, &member, operation(&slug, &asked).0).await??;
    let table = report::csv(&shown).into_bytes();
    Ok(attachment("text/csv; charset=utf-8", &format!("{}.csv", report::name(&shown)), table))
}

/// `GET /entities/{slug}/report.pdf`.
pub(in crate::http) async fn pdf(
    State(gateway): State<Gateway>,
    Segment(slug): Segment,
    Query(asked): Query<Asked>,
    member: Member,
) -> Result<Response, Problem> {
    let shown = operate(&gateway, &member, operation(&slug, &asked).0).await??;
    let name = format!("{}.pdf", report::name(&shown));
    // Letters are set on a thread that nobody waits on.
    let options = gateway.workshop.options.clone();
    let set = tokio::task::spawn_blocking(move || report::pdf(&shown, &options));
    let pages = set.await.map_err(|panic| Problem::internal(&panic))?;
    let pages = pages.map_err(|error| Problem::internal(&error))?;
    Ok(attachment("application/pdf", &name, pages))
}

/// What is asked for, and what is wrong with it; a wrong date is taken for none.
fn operation(slug: &str, asked: &Asked) -> (Operation, Vec<(&'static str, String)>) {
    let mut wrong = Vec::new();
    let mut date = |name: &'static str, read: fn(&str) -> Result<i64, NotADate>| {
        let said = asked.get(name).filter(|said| !said.is_empty())?;
        read(said).map_err(|error| wrong.push((name, error.to_string()))).ok()
    };
    let (from_ms, until_ms) = (date("from", begin_ms), date("until", end_ms));
    (Operation::Report { slug: slug.to_owned(), from_ms, until_ms }, wrong)
}
