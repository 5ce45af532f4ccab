//! One dataset: what there is, and how to fetch it.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::layout::Tab;
use super::table::Head::{Numbers, Words};
use super::table::table;
use super::visitor::Visitor;
use crate::base::date::minute;
use crate::base::ids::IdKind;
use crate::base::number::separated;
use crate::http::api::Segment;
use crate::http::api::ids::unknown_dataset;
use crate::http::auth::entity_ids;
use crate::http::problem::Problem;
use crate::http::state::Gateway;
use crate::store::{DatasetRow, ReleaseRow, StoreError, Tx};

/// A dataset as pages show it.
pub(super) struct Shown {
    pub(super) row: DatasetRow,
    pub(super) release: Option<ReleaseRow>,
    /// How many IDs of each kind there are; empty where nobody has counted.
    pub(super) columns: Vec<(IdKind, u64)>,
}

/// What pages show of a dataset.
pub(super) fn shown_of(tx: &Tx<'_>, row: DatasetRow) -> Result<Shown, StoreError> {
    let current = row.supply.current_release().map(|id| tx.release(row.id, id));
    let release = current.transpose()?.flatten();
    let columns = release.as_ref().map(|release| {
        let counted = |kind| release.ids(kind).map(|ids| (kind, ids));
        IdKind::ALL.into_iter().filter_map(counted).collect()
    });
    Ok(Shown { row, release, columns: columns.unwrap_or_default() })
}

/// `GET /datasets/{slug}`.
pub(in crate::http) async fn show(
    State(gateway): State<Gateway>,
    visitor: Visitor,
    Segment(slug): Segment,
) -> Result<Response, Problem> {
    let now_ms = gateway.clock.now_ms();
    let entities = visitor.person.as_ref().map(|person| entity_ids(&person.requester));
    let look = gateway.store.look(move |tx| {
        let row = tx.dataset_visible_to(&slug, entities.as_deref(), now_ms)?;
        let row = row.ok_or_else(|| unknown_dataset(&slug))?;
        Ok::<_, Problem>(shown_of(tx, row)?)
    });
    let dataset = look.await?;
    let content = html! {
        h1 { (dataset.row.title) }
        dl class="card" {
            dt { "Name" } dd { code { (dataset.row.slug) } }
            dt { "Shown to" } dd { (dataset.row.visibility.word()) }
            @if let Some(release) = &dataset.release {
                dt { "Release" } dd { code class="token" { (release.id) } }
                dt { "Made" } dd { (minute(release.created_ms)) " UTC" }
            }
        }
        h2 { "IDs" }
        (columns(&visitor, &dataset))
        @if visitor.person.is_some() && has_objects(&dataset) {
            h2 id="objects" { "A spreadsheet or a PDF" }
            p {
                "By hand, up to " (separated(visitor.profile.objects_per_person_max))
                " full objects in any " (visitor.profile.objects_window.length_ms / 3_600_000)
                " hours are yours as CSV, XLSX or PDF. "
                a href={ "/exports/new?dataset=" (dataset.row.slug) } { "Select what you need" }
            }
        }
    };
    Ok(visitor.page(Tab::Datasets, &dataset.row.title, content))
}

/// Whether there is anything of which objects may be asked for.
pub(super) fn has_objects(dataset: &Shown) -> bool {
    dataset.columns.iter().any(|(kind, ids)| *kind != IdKind::Dm && *ids > 0)
}

fn columns(visitor: &Visitor, dataset: &Shown) -> Markup {
    let address = |kind: &IdKind| format!("/v1/datasets/{}/{kind}-ids", dataset.row.slug);
    let count = |kind: &IdKind| {
        let column = dataset.columns.iter().find(|(of, _)| of == kind);
        column.map_or_else(|| "nobody knows".to_owned(), |(_, ids)| separated(*ids))
    };
    html! {
        (table(
            None,
            &[Words("Kind"), Numbers("How many"), Words("Fetch")],
            html! {
                @for kind in &dataset.row.ids {
                    tr {
                        td { (kind.title()) }
                        td class="number" { (count(kind)) }
                        td {
                            @if visitor.person.is_some() {
                                a href=(address(kind)) download {
                                    "Download " (kind.title()) " IDs"
                                }
                            } @else {
                                a href="/sign-in" { "Sign in to download" }
                            }
                        }
                    }
                }
            },
        ))
        p class="faint" {
            "Every download counts for your entity. With a key of your "
            a href="/account" { "account" } ", a program fetches the same:"
        }
        @for kind in &dataset.row.ids {
            p {
                code class="token" {
                    "curl -H 'Authorization: Bearer KEY' -C - -O " (visitor.origin)
                    (address(kind)) ".txt"
                }
            }
        }
    }
}
