//! One export: what was selected, the columns of its files, the plan over days, and how far each
//! file is. Without scripts the page loads itself anew while a file is made.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::list::{allowance, format_of, usage, words_of};
use super::number;
use crate::base::date::{day, minute};
use crate::base::number::separated;
use crate::base::party::PersonId;
use crate::export::cover::LeftOut;
use crate::http::api::Segment;
use crate::http::problem::{self, Problem};
use crate::http::state::Gateway;
use crate::http::web::form;
use crate::http::web::layout::{Tab, sentence};
use crate::http::web::table::Head::{Numbers, Words};
use crate::http::web::table::table;
use crate::http::web::visitor::Member;
use crate::store::{ExportFileRow, ExportRow, FileState, StoreError, Tx};

/// An export with its files.
pub(super) struct Whole {
    pub(super) row: ExportRow,
    pub(super) slug: String,
    title: String,
    files: Vec<ExportFileRow>,
}

impl Whole {
    /// The export of that number, if it is that of whoever looks.
    pub(super) fn find(tx: &Tx<'_>, person: PersonId, id: i64) -> Result<Whole, Problem> {
        let row = tx.export(id)?.filter(|row| row.person == person);
        let unknown = || Problem::new(&problem::NOT_FOUND, "there is no such export of yours");
        let row = row.ok_or_else(unknown)?;
        let dataset = tx.dataset_by_id(row.dataset)?;
        let (slug, title) =
            dataset.map_or_else(Default::default, |dataset| (dataset.slug, dataset.title));
        let files = tx.export_files_of(row.id)?;
        Ok(Whole { row, slug, title, files })
    }

    /// How many parts it has.
    fn parts(&self) -> u32 {
        self.files.iter().map(|file| file.part).max().unwrap_or(0)
    }
}

/// What people call a state.
pub(super) fn state_words(state: FileState) -> &'static str {
    match state {
        FileState::Planned => "planned",
        FileState::Asked => "waiting",
        FileState::Running => "being made",
        FileState::Ready => "ready",
        FileState::Fetched => "fetched",
        FileState::Cancelled => "given up",
        FileState::Failed => "not made",
        FileState::Purged => "withdrawn",
        FileState::Expired => "no longer kept",
    }
}

/// `GET /exports/{id}`.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    member: Member,
    Segment(id): Segment,
) -> Result<Response, Problem> {
    let (id, person) = (number(&id)?, member.signed_in().requester.person);
    let whole = gateway.store.look(move |tx| Whole::find(tx, person, id)).await?;
    let usage = usage(&gateway, &member).await?;
    let under_way = whole.files.iter().find(|file| file.state.is_under_way());
    let content = html! {
        h1 { "Export of " (whole.title) }
        dl class="card" {
            dt { "Selection" } dd { (words_of(&whole.row)) }
            dt { "Selected" } dd { (separated(whole.row.ids)) " IDs at most" }
            dt { "As" } dd { (format_of(&whole.row)) }
            dt { "Columns" } dd { (columns(&whole.row)) }
            dt { "Asked" } dd { (minute(whole.row.asked_ms)) }
        }
        (allowance(&usage))
        @if let Some(file) = under_way { (progress(&whole, file)) }
        h2 { "Files" }
        p class="faint" {
            "Each file fits the allowance of a day. Nothing counts before you fetch one, and each "
            "is fetched by hand."
        }
        (files(&member, &whole, under_way.is_some()))
        p {
            a href={ "/exports/new?dataset=" (whole.slug) } { "Select something else" } " "
            a href="/exports" { "All your exports" }
        }
    };
    Ok(match under_way {
        None => member.0.page(Tab::Exports, "Export", content),
        Some(_) => member.0.page_of_progress(Tab::Exports, "Export", content),
    })
}

/// What each row of a file tells.
fn columns(row: &ExportRow) -> String {
    crate::export::file::columns_of(row.kind).join(", ")
}

/// How far a file is that is being made: without scripts as of when the page was loaded.
fn progress(whole: &Whole, file: &ExportFileRow) -> Markup {
    let max = file.objects_max.min(whole.row.ids).max(1);
    html! {
        section class="notice" aria-labelledby="progress" {
            h2 id="progress" { "File " (file.part) " is made" }
            p role="status" id="progress-words" {
                @match file.state {
                    FileState::Asked => "It waits for its turn.",
                    _ => {
                        (separated(file.gathered)) " looked up of at most " (separated(max)) "."
                    }
                }
            }
            progress id="progress-bar" max=(max) value=(file.gathered.min(max))
                aria-labelledby="progress" data-events={ "/exports/" (whole.row.id) "/events" } {
                (separated(file.gathered))
            }
            p class="faint" {
                "The page follows by itself. You may leave it: the file is made anyway."
            }
        }
    }
}

fn files(member: &Member, whole: &Whole, is_busy: bool) -> Markup {
    let parts = whole.parts();
    html! {
        (table(
            Some("The files of this export"),
            &[
                Words("File"), Words("Fits"), Words("State"), Numbers("Objects"), Words("Left out"),
                Words("What you can do"),
            ],
            html! {
                @for file in &whole.files {
                    tr {
                        td { (file.part) " of " (parts) }
                        td { (day(file.planned_ms)) }
                        td {
                            (state_words(file.state))
                            @if let Some(reason) = &file.reason {
                                p class="faint" { (sentence(reason)) }
                            }
                        }
                        td class="number" {
                            @match file.state.is_kept() {
                                true => (separated(file.objects)),
                                false => { "at most " (separated(file.objects_max)) }
                            }
                        }
                        td { (left_out(file)) }
                        td { (actions(member, whole, file, is_busy)) }
                    }
                }
            },
        ))
    }
}

/// What was left out, in words.
pub(super) fn left_out(file: &ExportFileRow) -> Markup {
    let counts: Vec<(LeftOut, u64)> = serde_json::from_str(&file.left_out).unwrap_or_default();
    html! {
        @if !counts.is_empty() {
            ul { @for (why, count) in &counts { li { (separated(*count)) " " (why.text()) } } }
        }
    }
}

/// Whether a later row is about the same part: then the older one says what became of it.
fn is_superseded(whole: &Whole, file: &ExportFileRow) -> bool {
    whole.files.iter().any(|other| other.part == file.part && other.id > file.id)
}

fn actions(member: &Member, whole: &Whole, file: &ExportFileRow, is_busy: bool) -> Markup {
    let name = format!("file {}", file.part);
    let at = |what: &str| format!("/exports/files/{}/{what}", file.id);
    let make = |label| {
        html! {
            @if file.from.is_some() && !is_busy && !is_superseded(whole, file) {
                (form::button(&member.0, &at("make"), "", label, &name))
            }
        }
    };
    let cancel = || form::button(&member.0, &at("cancel"), "quiet", "Give up", &name);
    html! {
        @match file.state {
            FileState::Planned => {
                @if file.from.is_none() {
                    span class="faint" { "The file before it comes first" }
                }
                (make("Make"))
            }
            FileState::Asked | FileState::Running => (cancel()),
            FileState::Ready | FileState::Fetched => {
                a class="button" href={ "/exports/files/" (file.id) }
                    aria-label={ "Fetch " (name) } { "Fetch" }
                @if let Some(until_ms) = file.kept_until_ms {
                    p class="faint" { "Kept until " (minute(until_ms)) }
                }
                (cancel())
            }
            FileState::Purged | FileState::Expired | FileState::Failed | FileState::Cancelled => {
                (make("Make again"))
            }
        }
    }
}

/// The newest state of the file of an export that is under way, for [`super::events`]; `None`: none
/// is.
pub(super) fn under_way(
    tx: &Tx<'_>,
    person: PersonId,
    id: i64,
) -> Result<Option<ExportFileRow>, StoreError> {
    let row = tx.export(id)?.filter(|row| row.person == person);
    let Some(row) = row else { return Ok(None) };
    let file = tx.export_file_under_way(row.person)?;
    Ok(file.filter(|file| file.export == id))
}
