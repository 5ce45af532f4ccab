//! The report of a strip as a short table for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::pipeline::Tally;

/// How many places of a reason are shown.
const PLACES_SHOWN: usize = 3;

/// The table, with a line feed at the end of each line.
pub(super) fn for_people(tally: &Tally) -> String {
    let mut text = String::new();
    let mut row = |head: &str, says: String| {
        writeln!(text, "{head:>14}  {says}").expect("a string takes everything");
    };
    let sources = tally.sources.len();
    let files = if sources == 1 { "source" } else { "sources" };
    let (bytes, records) = (grouped(tally.bytes_read), grouped(tally.records));
    row("read", format!("{records} records, {bytes} bytes, {sources} {files}"));
    for (name, count) in formats(tally) {
        row("format", format!("{name}, {} records", grouped(count)));
    }
    for source in of_each_source(tally) {
        row("source", source);
    }
    for columns in columns(tally) {
        row("columns", columns);
    }
    for (kind, ids) in &tally.ids {
        let head = format!("{} IDs", kind.title());
        let mut says = format!("{} handed out", grouped(ids.handed_out));
        for (count, word) in
            [(ids.removed, "deleted"), (ids.suppressed, "removed"), (ids.duplicates, "duplicate")]
        {
            if count > 0 {
                says += &format!(", {} {word} left out", grouped(count));
            }
        }
        row(&head, says);
    }
    for reason in &tally.reasons {
        let head = if reason.damaged { "damaged" } else { "note" };
        let mut says = format!("{} × {}", grouped(reason.count), reason.says);
        for place in reason.first.iter().take(PLACES_SHOWN) {
            let (line, byte) = (place.line, place.byte);
            says += &format!("\n{:>16}{}, line {line}, byte {byte}", "", place.source);
        }
        row(head, says);
    }
    if let Some(written) = &tally.written {
        row("written", format!("{} bytes, sha256 {}", grouped(written.bytes), written.sha256));
    }
    text
}

/// Records of each format over all sources.
fn formats(tally: &Tally) -> BTreeMap<&'static str, u64> {
    let mut formats = BTreeMap::new();
    for (name, count) in tally.sources.iter().flat_map(|source| &source.formats) {
        *formats.entry(*name).or_default() += count;
    }
    formats
}

/// How many sources are told one by one.
const SOURCES_SHOWN: usize = 20;

/// What was found in each of several sources; of many only in those that are damaged.
fn of_each_source(tally: &Tally) -> Vec<String> {
    let all = tally.sources.len();
    let told = |damages| all <= SOURCES_SHOWN || damages > 0;
    let sources = tally.sources.iter().map(|source| (source, source.damages()));
    let sources = sources.filter(|(_, damages)| all > 1 && told(*damages));
    let says = sources.take(SOURCES_SHOWN).map(|(source, damages)| {
        let found: u64 = source.found.values().sum();
        let mut says = format!("{}: {} IDs found", source.name, grouped(found));
        if source.files > 1 {
            says += &format!(" in {} files", grouped(source.files));
        }
        if damages > 0 {
            says += &format!(", {} × damaged", grouped(damages));
        }
        says
    });
    says.collect()
}

/// The different sets of columns that were used.
fn columns(tally: &Tally) -> BTreeSet<String> {
    let tables = tally.sources.iter().filter(|source| !source.columns.is_empty());
    let says = tables.map(|source| {
        let columns = source.columns.iter().map(|(role, name)| format!("{role} from {name}"));
        columns.collect::<Vec<_>>().join(", ")
    });
    says.collect()
}

/// A number with a comma between groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn digits_stand_in_groups_of_three() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (1_500_000, "1,500,000")];
        for (number, expected) in cases {
            assert_eq!(grouped(number), expected);
        }
    }
}
