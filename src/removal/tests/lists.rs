//! What lists say, line by line.

use std::io::Write;

use super::super::*;
use crate::base::ids::IdKind;
use crate::pipeline::Unwatched;

/// Reads one line and tells what it says: kind, ID, aspect, whether it removes, and when.
fn said(line: &str, kind: Option<IdKind>) -> Vec<(IdKind, u64, Aspect, bool, Option<i64>)> {
    let list = read_text("list", line, kind).unwrap();
    assert_eq!(list.report.damaged, 0, "{line}: {:?}", list.report.places);
    let events = list.events.iter();
    events.map(|e| (e.kind, e.element, e.aspect, e.removes, e.at_ms)).collect()
}

#[test]
fn every_notice_says_what_happened_to_whom_and_when() {
    use Aspect::*;
    use IdKind::{Tweet, User};
    for (line, expected) in [
        (
            r#"{"delete":{"status":{"id":20,"id_str":"20","user_id":7},"timestamp_ms":"1600000000123"}}"#,
            (Tweet, 20, Deleted, true, Some(1_600_000_000_123)),
        ),
        // The number was rounded on its way.
        (
            r#"{"delete":{"status":{"id":1500000000001000000,"id_str":"1500000000001000003"}}}"#,
            (Tweet, 1_500_000_000_001_000_003, Deleted, true, None),
        ),
        (
            r#"{"undelete":{"status":{"id":20},"timestamp_ms":1600000000123}}"#,
            (Tweet, 20, Deleted, false, Some(1_600_000_000_123)),
        ),
        (r#"{"drop":{"status":{"id":20}}}"#, (Tweet, 20, Dropped, true, None)),
        (r#"{"undrop":{"status":{"id":20}}}"#, (Tweet, 20, Dropped, false, None)),
        (
            r#"{"status_withheld":{"id":20,"user_id":7,"withheld_in_countries":["DE"]}}"#,
            (Tweet, 20, Withheld, true, None),
        ),
        (
            r#"{"status_withheld":{"status":{"id":20},"withheld_in_countries":[]}}"#,
            (Tweet, 20, Withheld, false, None),
        ),
        (
            r#"{"user_withheld":{"id":7,"withheld_in_countries":["XX"]}}"#,
            (User, 7, Withheld, true, None),
        ),
        (r#"{"user_delete":{"id":7,"timestamp_ms":"5"}}"#, (User, 7, Deleted, true, Some(5))),
        (r#"{"user_undelete":{"id":7}}"#, (User, 7, Deleted, false, None)),
        (r#"{"user_protect":{"id":7}}"#, (User, 7, Protected, true, None)),
        (r#"{"user_unprotect":{"id":7}}"#, (User, 7, Protected, false, None)),
        (r#"{"user_suspend":{"id":7}}"#, (User, 7, Suspended, true, None)),
        (r#"{"user_unsuspend":{"id":7}}"#, (User, 7, Suspended, false, None)),
        (
            r#"{"for_user":9,"message":{"delete":{"status":{"id":20}}}}"#,
            (Tweet, 20, Deleted, true, None),
        ),
        (
            r#"{"data":{"user_protect":{"user":{"id":"7"},"event_at":"2021-07-06T18:40:40.123Z"}}}"#,
            (User, 7, Protected, true, Some(1_625_596_840_123)),
        ),
        (
            r#"{"data":{"delete":{"tweet":{"id":"20","author_id":"7"},"event_at":"2021-07-06T18:40:40Z"}}}"#,
            (Tweet, 20, Deleted, true, Some(1_625_596_840_000)),
        ),
    ] {
        assert_eq!(said(line, None), [expected], "{line}");
    }
}

#[test]
fn results_of_compliance_jobs_are_of_the_kind_of_their_job_and_have_two_shapes_of_time() {
    use Aspect::*;
    let text = "\n{\"id\":\"20\",\"action\":\"delete\",\"created_at\":\"2019-10-29T17:02:47.000Z\",\
                \"redacted_at\":\"2020-07-29T17:02:47.000Z\",\"reason\":\"deleted\"}\n\
                {\"id\":\"21\",\"action\":\"delete\",\"redacted_at\":\"2020-07-29T17:02:47Z\",\
                \"reason\":\"suspended\"}\r\n\
                {\"id\":\"22\",\"action\":\"delete\",\"redacted_at\":\"1596042167000\",\
                \"reason\":\"protected\"}\n\
                {\"id\":\"23\",\"action\":\"delete\",\"reason\":\"scrub_geo\"}\n\
                {\"id\":\"24\",\"action\":\"delete\",\"reason\":\"deactivated\"}\n\
                {\"id\":\"25\",\"action\":\"delete\",\"reason\":\"something new\"}\n";
    let at_ms = Some(1_596_042_167_000);
    for kind in KINDS {
        let expected = [
            (kind, 20, Deleted, true, at_ms),
            (kind, 21, Suspended, true, at_ms),
            (kind, 22, Protected, true, at_ms),
            (kind, 24, Deleted, true, None),
            (kind, 25, Other, true, None),
        ];
        assert_eq!(said(text, Some(kind)), expected);
    }
    let report = read_text("list", text, Some(IdKind::Tweet)).unwrap().report;
    assert_eq!((report.lines, report.scrub_geo), (6, 1), "the first line is blank");
    let refused = read_text("job.json", text, None).unwrap_err().to_string();
    assert!(refused.contains("job.json, line 2") && refused.contains("--kind"), "{refused}");
}

#[test]
fn bare_lists_take_what_tools_write() {
    let text = "\u{feff}tweet_id\r\n20\r\n\"21\",\nhttps://twitter.com/a/status/22?s=20\n\n";
    let ids: Vec<u64> = said(text, Some(IdKind::Tweet)).iter().map(|event| event.1).collect();
    assert_eq!(ids, [20, 21, 22]);
}

#[test]
fn geodata_and_other_notices_remove_nothing_and_are_counted() {
    let text = "{\"scrub_geo\":{\"user_id\":7,\"up_to_status_id\":20}}\n{\"limit\":{\"track\":1}}\n\
                {\"delete\":{\"direct_message\":{\"id\":5}}}\n";
    let list = read_text("list", text, None).unwrap();
    assert_eq!((list.events.len(), list.report.scrub_geo, list.report.other), (0, 1, 2));
    assert_eq!(list.report.damaged, 0);
}

#[test]
fn damaged_lines_are_counted_and_placed_and_the_rest_goes_on() {
    let lines = [
        "20",
        "1.5e18",
        "{\"delete\":",
        "{\"delete\":{\"status\":{\"id\":1.5e18}}}",
        "{\"delete\":{\"status\":{}}}",
        "{\"id\":\"21\",\"action\":\"explode\",\"reason\":\"x\"}",
        "{\"user_delete\":{\"id\":7,\"timestamp_ms\":\"soon\"}}",
        "{\"hello\":1}",
        "99999999999999999999",
        "22",
    ];
    let list = read_text("list", &lines.join("\n"), Some(IdKind::Tweet)).unwrap();
    assert_eq!(list.events.len(), 2);
    let places: Vec<(u64, u64)> =
        list.report.places.iter().map(|place| (place.line, place.byte)).collect();
    let mut byte = 0;
    let expected = lines.iter().zip(1_u64..).map(|(line, number)| {
        let begins = byte;
        byte += line.len() as u64 + 1;
        (number, begins)
    });
    let expected: Vec<_> = expected.filter(|(number, _)| (2..10).contains(number)).collect();
    assert_eq!(places, expected);
    assert_eq!(list.report.damaged, 8);
}

#[test]
fn of_one_aspect_the_newest_event_counts_and_order_does_not() {
    let notice = |word: &str, at: u64| {
        format!("{{\"{word}\":{{\"status\":{{\"id\":20}},\"timestamp_ms\":\"{at}\"}}}}")
    };
    let lines = [
        notice("delete", 1),
        notice("undelete", 3),
        notice("delete", 2),
        notice("drop", 9),
        // Of the same moment the one that removes counts.
        notice("undrop", 9),
    ];
    for turn in 0..lines.len() {
        let turned: Vec<&str> =
            lines.iter().cycle().skip(turn).take(lines.len()).map(String::as_str).collect();
        let list = read_text("list", &turned.join("\n"), None).unwrap();
        let events: Vec<_> = list.events.iter().map(|e| (e.aspect, e.removes)).collect();
        assert_eq!(events, [(Aspect::Deleted, false), (Aspect::Dropped, true)]);
        let first = read_text("other", &lines.join("\n"), None).unwrap();
        assert_eq!(list.sha256(), first.sha256(), "what a list says has no order");
    }
}

#[test]
fn packed_lists_are_read_and_a_broken_one_is_damaged_where_it_breaks() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("list.zst");
    let text: String = (0..50_000).map(|n| format!("{}\n", n * 7_919)).collect();
    let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
    std::fs::write(&whole, &packed).unwrap();
    let list = read(std::slice::from_ref(&whole), Some(IdKind::User), &Unwatched).unwrap();
    assert_eq!((list.events.len(), list.report.damaged), (50_000, 0));
    let mut broken = std::fs::File::create(&whole).unwrap();
    broken.write_all(&packed[..packed.len() / 2]).unwrap();
    let list = read(&[whole], Some(IdKind::User), &Unwatched).unwrap();
    assert!(list.report.damaged > 0);
    assert!(list.report.places.iter().any(|place| place.says.contains("compressed data")));
}

#[test]
fn a_list_on_its_way_arrives_as_it_was() {
    let text = "20\n{\"user_protect\":{\"id\":7,\"timestamp_ms\":\"5\"}}\nnonsense\n";
    let list = read_text("list", text, Some(IdKind::Tweet)).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    write_spool(file.as_file(), file.path(), &list).unwrap();
    let arrived = read_spool(file.path()).unwrap();
    assert_eq!((&arrived.events, &arrived.report), (&list.events, &list.report));
    std::fs::write(file.path(), "something else, that is longer").unwrap();
    assert!(read_spool(file.path()).is_err());
}
