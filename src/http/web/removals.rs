//! What somebody should delete because it was removed since they received it, on their own page.

use maud::{Markup, html};

use super::table::Head::{Numbers, Words};
use super::table::table;
use crate::base::number::separated;
use crate::removal::holders::Held;

/// The section, if there is anything to delete.
pub(super) fn draw(held: &[Held]) -> Markup {
    if held.is_empty() {
        return html! {};
    }
    html! {
        div class="notice bad" {
            h2 id="removals" { "What you should delete" }
            p {
                "Some of what you downloaded, or reviewers did by your links, was deleted, \
                 protected, suspended or withheld since then. Delete these lines from your files, \
                 and everything that you hydrated from them, within 24 hours, and have the editor \
                 to whom you gave a link tell the reviewers. "
                a href="/v1/removals" { "Which lines they are, delivery by delivery" }
                " (JSON: releases and line numbers, no IDs)."
            }
            (table(
                Some("Removed lines that were sent to you"),
                &[Words("Dataset"), Words("IDs"), Numbers("Lines"), Words("Release")],
                html! {
                    @for row in held {
                        tr {
                            td {
                                @match &row.dataset {
                                    Some(slug) => a href={ "/datasets/" (slug) } { (slug) },
                                    None => "(gone)",
                                }
                            }
                            td { (row.kind.title()) }
                            td class="number" { (separated(row.lines)) }
                            td class="break" { (row.release) }
                        }
                    }
                },
            ))
        }
    }
}
