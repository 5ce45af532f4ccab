//! A meter as a picture with its numbers in words and in a table; whose it is, the page says.

use maud::{Markup, html};

use super::table::Head::{Numbers, Words};
use super::table::table;
use crate::base::date::minute;
use crate::base::number::separated;
use crate::ledger::Usage;
use crate::policy::Basis;

/// The width of the picture, in its own units.
const WIDTH: u64 = 1_000;

/// How many returns the table lists; the rest is in `/v1/usage`.
const RETURNS_MAX: usize = 12;

/// The meter of `what`, such as `Tweet IDs`.
pub(super) fn meter(usage: &Usage, what: &str) -> Markup {
    let days = usage.window_ms / 86_400_000;
    html! {
        @match usage.ceiling_ids {
            Some(ceiling_ids) => (against(usage, ceiling_ids, what)),
            None => p class="figure" {
                strong { (separated(usage.used_ids + usage.open_ids)) } " " (what)
                " received in the last " (days) " days, without a ceiling"
                @if let Basis::Exemption(number) = usage.basis { " (exemption " (number) ")" }
                "."
            },
        }
        (table(
            Some(&format!("{what} in any {days} days")),
            &[
                Numbers("Used"), Numbers("Open"), Numbers("Held"), Numbers("Ceiling"),
                Numbers("Remaining"), Words("Basis"),
            ],
            html! {
                tr {
                    td class="number" { (separated(usage.used_ids)) }
                    td class="number" { (separated(usage.open_ids)) }
                    td class="number" { (separated(usage.held_ids)) }
                    td class="number" { (or_none(usage.ceiling_ids)) }
                    td class="number" { (or_none(usage.remaining_ids)) }
                    td { (usage.basis) }
                }
            },
        ))
        @if !usage.returns.is_empty() { (returns(usage, what)) }
    }
}

fn or_none(number: Option<u64>) -> String {
    number.map_or_else(|| "none".to_owned(), separated)
}

fn against(usage: &Usage, ceiling_ids: u64, what: &str) -> Markup {
    let remaining_ids = usage.remaining_ids.unwrap_or(0);
    let parts = [
        ("used", usage.used_ids, "used"),
        ("open", usage.open_ids, "being delivered"),
        ("held", usage.held_ids, "held for deliveries under way"),
    ];
    let all_ids = ceiling_ids.max(parts.iter().map(|(_, ids, _)| ids).sum()).max(1);
    let wide = |ids: u64| (u128::from(ids) * u128::from(WIDTH) / u128::from(all_ids)) as u64;
    let mut from = 0;
    let drawn = parts.map(|(class, ids, _)| {
        let place = (class, from, wide(ids));
        from += wide(ids);
        place
    });
    let label = format!(
        "{} of {} {what} used, {} remaining",
        separated(usage.used_ids + usage.open_ids),
        separated(ceiling_ids),
        separated(remaining_ids)
    );
    html! {
        p class="figure" {
            strong { (separated(remaining_ids)) } " of " (separated(ceiling_ids)) " " (what)
            " left"
            @if usage.over { " " span class="tag bad" { "over its ceiling" } }
        }
        svg class="meter" viewBox={ "0 0 " (WIDTH) " 24" } preserveAspectRatio="none" role="img"
            aria-label=(label) {
            rect class="rail" x="0" y="0" width=(WIDTH) height="24" {}
            @for (class, from, width) in drawn {
                @if width > 0 {
                    rect class=(class) x=(from) y="0" width=(width) height="24" {}
                }
            }
        }
        ul class="legend" {
            @for (class, ids, words) in parts {
                li {
                    svg class="meter-key" width="12" height="12" aria-hidden="true" {
                        rect class=(class) width="12" height="12" {}
                    }
                    (separated(ids)) " " (words)
                }
            }
        }
    }
}

fn returns(usage: &Usage, what: &str) -> Markup {
    html! {
        details {
            summary { "When how much comes back" }
            (table(
                Some(&format!("{what} that leave the window, the earliest first (UTC)")),
                &[Words("At"), Numbers("IDs")],
                html! {
                    @for part in usage.returns.iter().take(RETURNS_MAX) {
                        tr {
                            td { (minute(part.at_ms)) }
                            td class="number" { (separated(part.ids)) }
                        }
                    }
                },
            ))
            @if usage.returns.len() > RETURNS_MAX {
                p class="faint" { "More follow; " code { "GET /v1/usage" } " lists all." }
            }
        }
    }
}
