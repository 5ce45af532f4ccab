//! IDs that went through a floating-point number, and others that cannot be.

use serde_json::Value;

use crate::{ids, numbers, report, strip};

/// A made-up ID of 2022, whose digits are as scattered as those of real ones.
fn scattered(number: u64) -> u64 {
    let ms = 357_627_868_652 + number * 7_919;
    (ms << 22) + ((number * 373 % 1024) << 12) + number % 5
}

#[test]
fn a_column_that_was_rounded_is_suspect_whatever_rounded_it() {
    let javascript = |id: u64| format!("{}", id as f64);
    let excel = |id: u64| format!("{}", id / 10_000 * 10_000);
    let double = |id: u64| format!("{}", id as f64 as u64);
    let good = |id: u64| id.to_string();
    let cases: [fn(u64) -> String; 4] = [good, javascript, excel, double];
    let reasons = ["column-of-javascript", "column-of-spreadsheet", "column-of-doubles"];
    let reasons = [None].into_iter().chain(reasons.map(Some));
    for (spell, reason) in cases.into_iter().zip(reasons) {
        let ids: Vec<String> = (1..=200).map(|number| spell(scattered(number))).collect();
        let list = ids.join("\n");
        let table = format!("tweet_id,text\n{}", ids.join(",made up\n") + ",made up");
        let rows = ids
            .iter()
            .map(|id| format!("{{\"id\":\"{id}\",\"text\":\"made up\",\"author_id\":\"7\"}}\n"));
        for input in [list, table, rows.collect()] {
            let output = strip(&["--json"], input.as_bytes());
            let report: Value = serde_json::from_slice(&output.stderr).unwrap();
            let told = report["reasons"][0]["reason"].as_str();
            assert_eq!(told, reason, "{input}");
            assert_eq!(output.status.code(), Some(if reason.is_some() { 3 } else { 0 }));
            assert_eq!(numbers(&output.stdout).len(), 200);
            let (out, code) = self::ids(&["--strict"], input.as_bytes());
            let refused = reason.is_some();
            assert_eq!((out.len(), code), if refused { (0, 1) } else { (200, 0) });
        }
    }
}

#[test]
fn an_id_of_the_future_is_refused_and_one_of_no_tweet_is_noted() {
    let input = b"9223372036854775807\n29700859248\n20\n";
    assert_eq!(ids(&[], input), (vec![29_700_859_248, 20], 3));
    let report = report(&[], input);
    let reasons = report["reasons"].as_array().unwrap().iter();
    let reasons: Vec<_> = reasons.map(|row| (&row["reason"], &row["count"])).collect();
    let expected = [("of-the-future", 1), ("no-such-tweet", 1)];
    let expected: Vec<(Value, Value)> = expected.map(|(r, n)| (r.into(), n.into())).into();
    assert_eq!(reasons, expected.iter().map(|(r, n)| (r, n)).collect::<Vec<_>>());
}
