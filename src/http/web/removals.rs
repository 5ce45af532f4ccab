//! What somebody should delete because it was removed since they received it, on their own page.

use maud::{Markup, html};

use super::table::Head::{Numbers, Words};
use super::table::table;
use crate::base::number::{from_one, separated};
use crate::removal::holders::{Held, HeldCopy};

/// The section, if there is anything to delete.
pub(super) fn draw(held: &[Held]) -> Markup {
    let lines: Vec<&Held> = held.iter().filter(|held| held.copy.is_none()).collect();
    let copies: Vec<(&Held, &HeldCopy)> =
        held.iter().filter_map(|held| Some((held, held.copy.as_ref()?))).collect();
    html! {
        @if !held.is_empty() {
            div class="notice bad" {
                h2 id="removals" { "What you should delete" }
                @if !lines.is_empty() { (of_lists(&lines)) }
                @if !copies.is_empty() { (of_copies(&copies)) }
            }
        }
    }
}

fn of_lists(held: &[&Held]) -> Markup {
    html! {
        p {
            "Some of what you downloaded, or reviewers did by your links, was deleted, protected, "
            "suspended or withheld since then. Delete these lines from your files, and everything "
            "that you hydrated from them, within 24 hours, and have the editor to whom you gave a "
            "link tell the reviewers. "
            a href="/v1/removals" { "Which lines they are, delivery by delivery" }
            " (JSON: releases and line numbers, no IDs)."
        }
        (table(
            Some("Removed lines that were sent to you"),
            &[Words("Dataset"), Words("IDs"), Numbers("Lines"), Words("Release")],
            html! {
                @for row in held {
                    tr {
                        td { (dataset(row)) }
                        td { (row.kind.title()) }
                        td class="number" { (separated(row.lines)) }
                        td class="break" { (row.release) }
                    }
                }
            },
        ))
    }
}

fn of_copies(held: &[(&Held, &HeldCopy)]) -> Markup {
    html! {
        p {
            "Some of what is in files that you fetched was deleted, protected, suspended or "
            "withheld since then. Delete these objects from every copy of the file, and everything "
            "that you made of them, within 24 hours. Their numbers count the objects of a file in "
            "its order: the rows of a table without its header, the entries of a PDF."
        }
        (table(
            Some("Removed objects in files that you fetched"),
            &[Words("Dataset"), Words("File"), Numbers("Objects"), Words("Which")],
            html! {
                @for (row, copy) in held {
                    tr {
                        td { (dataset(row)) }
                        td {
                            a href={ "/exports/" (copy.export) } {
                                "file " (copy.part) " of export " (copy.export)
                            }
                        }
                        td class="number" { (separated(row.lines)) }
                        td { (from_one(&copy.objects)) }
                    }
                }
            },
        ))
    }
}

fn dataset(row: &Held) -> Markup {
    html! {
        @match &row.dataset {
            Some(slug) => a href={ "/datasets/" (slug) } { (slug) },
            None => "(gone)",
        }
    }
}
