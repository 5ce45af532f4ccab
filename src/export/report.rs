//! A report on what went to an entity, as a table for programs and as pages for people. It is made
//! of the answer about the entity.

use serde_json::Value;

use super::file::{Options, WriteError, inert};
#[cfg(feature = "pdf")]
use crate::base::date;
use crate::base::number::separated;

/// What a report is called, without its ending.
pub fn name(report: &Value) -> String {
    format!("report-{}", word(report, "entity"))
}

/// The columns of the table: what each is called, and the field of a delivery that stands in it.
const COLUMNS: &[(&str, &str)] = &[
    ("started", "started"),
    ("ended", "ended"),
    ("person", "person"),
    ("link", "link"),
    ("ids", "ids"),
    ("dataset", "dataset"),
    ("release", "release"),
    ("charged", "charged"),
    ("basis", "basis"),
    ("use_case", "use_case"),
    ("profile", "profile"),
    ("state", "state"),
    ("reason", "reason"),
    ("delivery", "delivery"),
    ("receipt", "receipt"),
];

/// The deliveries as CSV (RFC 4180), a row for each; no cell begins like a formula.
pub fn csv(report: &Value) -> String {
    let mut table =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let written = "memory takes whatever is written";
    table.write_record(COLUMNS.iter().map(|(name, _)| *name)).expect(written);
    for delivery in list(report, "deliveries") {
        let cells = COLUMNS.iter().map(|(_, field)| match &delivery[*field] {
            Value::Null => String::new(),
            Value::String(text) => inert(text).into_owned(),
            other => other.to_string(),
        });
        table.write_record(cells).expect(written);
    }
    String::from_utf8(table.into_inner().expect(written)).expect("texts stay texts")
}

/// The sums, a line for each, such as `3 deliveries of 1,500 tweet IDs on the basis limit`.
pub fn sums(report: &Value) -> Vec<String> {
    let line = |sum: &Value| {
        let number = |field: &str| separated(sum[field].as_u64().unwrap_or(0));
        let (count, ids) = (number("deliveries"), number("charged"));
        let (kind, basis) = (kind(sum), word(sum, "basis"));
        let deliveries = if count == "1" { "delivery" } else { "deliveries" };
        format!("{count} {deliveries} of {ids} {kind} on the basis {basis}")
    };
    list(report, "sums").iter().map(line).collect()
}

/// The time that a report is about, in words.
pub fn span(report: &Value) -> String {
    match (report["from"].as_str(), report["until"].as_str()) {
        (None, None) => "everything on record".to_owned(),
        (Some(from), None) => format!("from {from} on"),
        (None, Some(until)) => format!("before {until}"),
        (Some(from), Some(until)) => format!("from {from} on, before {until}"),
    }
}

/// The report as a PDF file.
///
/// # Errors
/// [`WriteError`] if there is no font, or no PDF in this program.
#[cfg(feature = "pdf")]
pub fn pdf(report: &Value, options: &Options) -> Result<Vec<u8>, WriteError> {
    use super::file::pages::{Kind, of_paragraphs};
    let title = format!("What {} received", word(report, "name"));
    let mut paragraphs = vec![
        (Kind::Text, format!("Entity: {}", word(report, "entity"))),
        (Kind::Text, format!("Time: {} (UTC)", span(report))),
        (Kind::Text, format!("Profile in force: {}", word(report, "profile"))),
        (Kind::Text, format!("Made at {}", word(report, "made"))),
        (Kind::Heading, "Sums".to_owned()),
    ];
    let sums = sums(report);
    if sums.is_empty() {
        paragraphs.push((Kind::Text, "Nothing was delivered.".to_owned()));
    }
    paragraphs.extend(sums.into_iter().map(|sum| (Kind::Text, sum)));
    if !list(report, "deliveries").is_empty() {
        paragraphs.push((Kind::Heading, "Deliveries".to_owned()));
    }
    for delivery in list(report, "deliveries") {
        let ids = separated(delivery["charged"].as_u64().unwrap_or(0));
        let what = delivery["dataset"].as_str().unwrap_or("no dataset");
        let head = format!("{} · {ids} {} of {what}", word(delivery, "started"), kind(delivery));
        paragraphs.push((Kind::Strong, head));
        let mut facts = Vec::new();
        for (label, field) in [
            ("to", "person"),
            ("to reviewers by link", "link"),
            ("basis", "basis"),
            ("use case", "use_case"),
            ("profile", "profile"),
            ("state", "state"),
            ("ended", "ended"),
        ] {
            if let Some(text) = delivery[field].as_str().filter(|text| !text.is_empty()) {
                facts.push(format!("{label} {text}"));
            }
        }
        paragraphs.push((Kind::Text, facts.join(" · ")));
        if let Some(release) = delivery["release"].as_str() {
            paragraphs.push((Kind::Small, format!("release {release}")));
        }
        paragraphs.push((Kind::Small, format!("receipt {}", word(delivery, "receipt"))));
    }
    let made_ms = date::end_ms(word(report, "made")).unwrap_or_default();
    of_paragraphs(options, &title, made_ms, &paragraphs)
}

/// The report as a PDF file.
///
/// # Errors
/// [`WriteError::NoPdf`].
#[cfg(not(feature = "pdf"))]
pub fn pdf(_report: &Value, _options: &Options) -> Result<Vec<u8>, WriteError> {
    Err(WriteError::NoPdf)
}

/// What was handed over: `tweet IDs`, or `objects`.
fn kind(value: &Value) -> String {
    match word(value, "ids") {
        "object" => "objects".to_owned(),
        ids => format!("{ids} IDs"),
    }
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn word<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report() -> Value {
        json!({
            "entity": "uni", "name": "University of Examples", "profile": "twitter-2020-03",
            "made": "2027-01-15T08:00:00Z", "from": "2027-01-01T00:00:00Z", "until": null,
            "sums": [{ "ids": "tweet", "basis": "limit", "deliveries": 1, "charged": 1500 }],
            "deliveries": [{
                "started": "2027-01-02T12:00:00Z", "ended": null, "person": "=ada@uni.example",
                "ids": "tweet", "dataset": "walks", "release": "0123", "charged": 1500,
                "basis": "limit", "use_case": "1", "profile": "twitter-2020-03",
                "state": "complete", "reason": null, "delivery": "42", "receipt": "/v1/42",
            }],
        })
    }

    #[test]
    fn a_table_has_a_row_for_each_delivery_and_no_formula() {
        let table = csv(&report());
        let rows: Vec<&str> = table.split("\r\n").collect();
        assert_eq!(rows.len(), 3);
        assert!(rows[0].starts_with("started,ended,person,link,ids,"), "{table}");
        assert_eq!(
            rows[1],
            "2027-01-02T12:00:00Z,,'=ada@uni.example,,tweet,walks,0123,1500,limit,1,\
             twitter-2020-03,complete,,42,/v1/42"
        );
    }

    #[cfg(feature = "pdf")]
    #[test]
    fn pages_tell_the_sums_and_each_delivery() {
        let file = pdf(&report(), &Options::default()).unwrap();
        let said = crate::export::file::read_pdf(&file);
        for expected in [
            "What University of Examples received",
            "from 2027-01-01T00:00:00Z on",
            "1 delivery of 1,500 tweet IDs on the basis limit",
            "2027-01-02T12:00:00Z · 1,500 tweet IDs of walks",
            "to =ada@uni.example · basis limit · use case 1",
            "receipt /v1/42",
        ] {
            assert!(said.contains(expected), "{expected} is not in {said}");
        }
    }
}
