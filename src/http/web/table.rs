//! Tables: every one scrolls by itself on a narrow screen, and can be reached by keyboard.

use maud::{Markup, html};

/// The head of a column.
pub(super) enum Head {
    /// Over words.
    Words(&'static str),
    /// Over numbers, which stand at the right.
    Numbers(&'static str),
}

/// A table with those columns; `rows` are its `tr` elements.
pub(super) fn table(caption: Option<&str>, heads: &[Head], rows: Markup) -> Markup {
    html! {
        div class="scroll" tabindex="0" {
            table {
                @if let Some(caption) = caption { caption { (caption) } }
                thead {
                    tr {
                        @for head in heads {
                            @match head {
                                Head::Words(title) => { th scope="col" { (title) } }
                                Head::Numbers(title) => {
                                    th scope="col" class="number" { (title) }
                                }
                            }
                        }
                    }
                }
                tbody { (rows) }
            }
        }
    }
}
