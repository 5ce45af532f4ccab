//! What somebody has asked for, how much of their allowance is left, and where they may select.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::one::state_words;
use crate::base::date::minute;
use crate::base::number::separated;
use crate::export::file::Format;
use crate::export::source::Selection;
use crate::http::auth::entity_ids;
use crate::http::problem::Problem;
use crate::http::state::Gateway;
use crate::http::web::dataset::{has_objects, shown_of};
use crate::http::web::layout::Tab;
use crate::http::web::table::Head::{Numbers, Words};
use crate::http::web::table::table;
use crate::http::web::visitor::Member;
use crate::ledger::Usage;
use crate::store::{DatasetRow, ExportFileRow, ExportRow, FileState};

/// How many exports are shown.
const ROWS_MAX: u32 = 100;

/// `GET /exports`.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    member: Member,
) -> Result<Response, Problem> {
    let requester = &member.signed_in().requester;
    let (person, entities) = (requester.person, entity_ids(requester));
    let now_ms = gateway.clock.now_ms();
    let look = gateway.store.look(move |tx| -> Result<_, Problem> {
        let mut exports = Vec::new();
        for row in tx.exports(Some(person), ROWS_MAX)? {
            let (dataset, files) = (tx.dataset_by_id(row.dataset)?, tx.export_files_of(row.id)?);
            exports.push((row, dataset, files));
        }
        let mut datasets = Vec::new();
        for row in tx.datasets_visible(Some(&entities), now_ms)? {
            let shown = shown_of(tx, row)?;
            if has_objects(&shown) {
                datasets.push(shown.row);
            }
        }
        datasets.sort_by(|one, other| one.title.cmp(&other.title));
        Ok((exports, datasets))
    });
    let (exports, datasets) = look.await?;
    let usage = usage(&gateway, &member).await?;
    let content = html! {
        h1 { "Spreadsheets and PDFs" }
        p class="lead" {
            "Full " (gateway.profile.word) "s and Users, as files for people: you select, a file "
            "is made, and you fetch it by hand."
        }
        (allowance(&usage))
        h2 { "Select from a dataset" }
        @if datasets.is_empty() {
            p class="faint" { "There is no dataset with objects that you see." }
        } @else {
            ul {
                @for dataset in &datasets {
                    li { a href={ "/exports/new?dataset=" (dataset.slug) } { (dataset.title) } }
                }
            }
        }
        @if !exports.is_empty() { (all(&exports)) }
    };
    Ok(member.0.page(Tab::Exports, "Exports", content))
}

/// How full the meter of objects of whoever looks is.
///
/// # Errors
/// 503 if nobody can tell.
pub(super) async fn usage(gateway: &Gateway, member: &Member) -> Result<Usage, Problem> {
    let (workshop, person) = (gateway.workshop.clone(), member.signed_in().requester.person);
    let usage = tokio::task::spawn_blocking(move || workshop.usage(person)).await;
    Ok(usage.map_err(|bug| Problem::internal(&bug))??)
}

/// What is left of an allowance, and when more is.
pub(super) fn allowance(usage: &Usage) -> Markup {
    let left = usage.remaining_ids.unwrap_or(0);
    html! {
        p {
            "You may have " strong { (separated(usage.ceiling_ids.unwrap_or(0))) }
            " objects in any " (usage.window_ms / 3_600_000) " hours, Tweets and Users together. "
            "Now there is room for " strong { (separated(left)) } "."
            @if let Some(next) = usage.returns.first() {
                " The next " (separated(next.ids)) " come back " (minute(next.at_ms)) "."
            }
        }
    }
}

fn all(exports: &[(ExportRow, Option<DatasetRow>, Vec<ExportFileRow>)]) -> Markup {
    html! {
        (table(
            Some("Your exports"),
            &[
                Words("Asked"), Words("Dataset"), Words("Selection"), Words("Format"),
                Numbers("Selected"), Words("Files"),
            ],
            html! {
                @for (row, dataset, files) in exports {
                    tr {
                        td { a href={ "/exports/" (row.id) } { (minute(row.asked_ms)) } }
                        td { (dataset.as_ref().map_or("(gone)", |dataset| &dataset.title)) }
                        td { (words_of(row)) }
                        td { (format_of(row)) }
                        td class="number" { (separated(row.ids)) }
                        td { (in_short(files)) }
                    }
                }
            },
        ))
    }
}

/// How far the files of an export are, in short.
fn in_short(files: &[ExportFileRow]) -> String {
    let count = |state| files.iter().filter(|file| file.state == state).count();
    let states = FileState::ALL.into_iter().map(|state| (count(state), state));
    let states = states.filter(|(count, _)| *count > 0);
    states
        .map(|(count, state)| format!("{count} {}", state_words(state)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// What an export selects, for people.
pub(super) fn words_of(row: &ExportRow) -> String {
    let selection: Option<Selection> = serde_json::from_str(&row.selection).ok();
    selection.map_or_else(|| row.selection.clone(), |selection| selection.in_words())
}

/// What the format of an export is called.
pub(super) fn format_of(row: &ExportRow) -> String {
    let format = Format::from_word(&row.format);
    format.map_or_else(|| row.format.clone(), |format| format.kind().word.to_uppercase())
}
