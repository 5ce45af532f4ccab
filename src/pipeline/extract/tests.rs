//! The same answer for every split of the input into reads; the oracle; damage of every kind.
//! Golden records of each format are in the tests of the binary.

mod golden;
mod oracle;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::base::ids::Id;
use crate::pipeline::reason::{Gravity, Reason};
use crate::pipeline::wants::{Columns, KindSet, Scope};

/// What came out of an input: IDs of each kind, then flags with their places.
#[derive(Clone, Debug, Default, PartialEq)]
struct Out {
    tweets: Vec<u64>,
    users: Vec<u64>,
    dms: Vec<u64>,
    flags: Vec<(Reason, u64)>,
}

impl Out {
    fn damages(&self) -> usize {
        let gravity = |(reason, _): &&(Reason, u64)| reason.gravity() == Gravity::Damaged;
        self.flags.iter().filter(gravity).count()
    }
}

/// Extracts from `input`, given in pieces of these lengths, over and over.
fn extract_in(input: &[u8], pieces: &[usize], record_bytes_max: usize) -> Out {
    extract_pieces(input, pieces, record_bytes_max, Scope::Own)
}

/// All that `input` gives in that scope.
fn extract_kinds(input: &[u8], scope: Scope) -> Out {
    extract_pieces(input, &[input.len().max(1)], 1 << 20, scope)
}

/// What `input` gives to somebody who asks for these kinds only.
fn extract_of(input: &[u8], kinds: KindSet) -> Out {
    let harvest = Harvest::new(kinds, Scope::Own, Columns::IdsOnly);
    extract_into(harvest, input, &[input.len().max(1)], 1 << 20)
}

/// As [`extract_in`], in that scope.
fn extract_pieces(input: &[u8], pieces: &[usize], record_bytes_max: usize, scope: Scope) -> Out {
    let harvest = Harvest::new(KindSet::ALL, scope, Columns::WithPlaces);
    extract_into(harvest, input, pieces, record_bytes_max)
}

/// As [`extract_in`], by that harvest.
fn extract_into(
    mut harvest: Harvest,
    input: &[u8],
    pieces: &[usize],
    record_bytes_max: usize,
) -> Out {
    let task = Task { format: None, declared: Some(IdKind::Tweet), record_bytes_max };
    let mut extractor = Extractor::new(task);
    let mut out = Out::default();
    let (mut used, mut seen) = (0, 0);
    let mut pieces = pieces.iter().cycle();
    loop {
        seen = (seen + pieces.next().unwrap()).min(input.len());
        let more = if seen == input.len() { More::Ended } else { More::MayCome };
        loop {
            let taken = extractor.take(&input[used..seen], more, &mut harvest).unwrap();
            used += taken;
            out.tweets.extend(harvest.tweets.iter().map(|found| found.id.value()));
            out.users.extend(harvest.users.iter().map(|found| found.id.value()));
            out.dms.extend(harvest.dms.iter().map(|found| found.id.value()));
            out.flags.extend(harvest.flags.iter().map(|flag| (flag.reason, flag.byte)));
            harvest.clear();
            if taken == 0 {
                break;
            }
        }
        if more == More::Ended {
            assert_eq!(used, input.len(), "everything is used up at the end");
            assert_eq!(extractor.feeds(), feeds(input), "each line feed is counted once");
            return out;
        }
    }
}

fn extract(input: &[u8]) -> Out {
    extract_in(input, &[input.len().max(1)], 1 << 20)
}

/// A made-up v1.1 tweet.
fn tweet(number: u64) -> Value {
    let id = 1_500_000_000_000_000_000 + number * 1_000_003;
    let user = 1_400_000_000_000_000_000 + number;
    json!({
        "id": id, "created_at": "Sat Mar 05 06:47:23 +0000 2022",
        "text": "made up {\"id\":[ \\ ü 🐟", "truncated": false, "score": -1.5e3,
        "user": {"id": user, "id_str": user.to_string(), "screen_name": "made_up"},
        "entities": {"hashtags": [{"text": "x", "indices": [1, 2]}], "urls": []},
        "id_str": id.to_string(),
    })
}

fn flat(number: u64) -> Value {
    let id = 1_500_000_000_000_000_000 + number * 1_000_003;
    let author = 1_400_000_000 + number;
    json!({"id": id.to_string(), "text": "made up", "author_id": author.to_string()})
}

/// Own tweets of records by a full parse, slow and obvious.
fn oracle(records: &[Value]) -> Vec<u64> {
    let mut ids = Vec::new();
    for record in records {
        let tweets = match record.get("data") {
            Some(data) => data.as_array().unwrap().clone(),
            None => vec![record.clone()],
        };
        ids.extend(tweets.iter().map(|tweet| {
            let text = tweet["id_str"].as_str().or(tweet["id"].as_str());
            text.unwrap().parse::<u64>().unwrap()
        }));
    }
    ids
}

fn record() -> impl Strategy<Value = Value> {
    prop_oneof![
        (1..1000_u64).prop_map(tweet),
        (1..1000_u64).prop_map(flat),
        prop::collection::vec(1..1000_u64, 1..4).prop_map(|numbers| {
            let data: Vec<Value> = numbers.into_iter().map(flat).collect();
            json!({"data": data, "includes": {"tweets": [flat(2000)]}, "meta": {"newest_id": "9"}})
        }),
    ]
}

/// Records on lines, as an array, or as a pretty-printed array.
fn laid_out(records: &[Value], layout: usize) -> String {
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    match layout {
        0 => lines.join("\n"),
        1 => lines.join("\r\n\r\n") + "\r\n",
        2 => format!("[{}]", lines.join(",")),
        3 => format!("[\n{}\n]\n", lines.join(",\n")),
        4 => serde_json::to_string_pretty(records).unwrap(),
        _ => lines.concat(),
    }
}

proptest! {
    #![proptest_config(crate::base::cases::remembered())]

    #[test]
    fn the_oracle_agrees_and_every_split_gives_the_same(
        records in prop::collection::vec(record(), 1..8),
        layout in 0..6_usize,
        pieces in prop::collection::vec(1..400_usize, 1..8),
    ) {
        let input = laid_out(&records, layout);
        let whole = extract(input.as_bytes());
        prop_assert_eq!(&whole.tweets, &oracle(&records));
        prop_assert_eq!(&whole.flags, &vec![]);
        prop_assert_eq!(extract_in(input.as_bytes(), &pieces, 1 << 20), whole);
    }

    #[test]
    fn damage_gives_no_wrong_id_in_any_split(
        numbers in prop::collection::vec(1..1000_u64, 1..6),
        layout in 0..6_usize,
        at in any::<prop::sample::Index>(),
        byte in prop_oneof![
            Just(b'"'), Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'\n'), Just(b'\\'),
            Just(b','), any::<u8>()
        ],
        // The damage is in one place, too small to reach from `id` to `id_str`: the one convicts the
        // other, and a record that lost one of them whole cannot be told from one that never had it.
        cut_after in 0..50_usize,
        cut_bytes in 0..100_usize,
        pieces in prop::collection::vec(1..400_usize, 1..8),
    ) {
        let records: Vec<Value> = numbers.iter().copied().map(tweet).collect();
        let truth = oracle(&records);
        let mut input = laid_out(&records, layout).into_bytes();
        let index = at.index(input.len());
        input[index] = byte;
        let from = (index + cut_after).min(input.len());
        let to = (from + cut_bytes).min(input.len());
        input.drain(from..to);
        if input.is_empty() {
            return Ok(());
        }
        let whole = extract(&input);
        for id in &whole.tweets {
            prop_assert!(truth.contains(id), "{id} from {}", String::from_utf8_lossy(&input));
        }
        prop_assert_eq!(extract_in(&input, &pieces, 1 << 20), whole);
    }

    #[test]
    fn any_bytes_are_survived_in_any_split(
        input in prop::collection::vec(prop_oneof![
            Just(b'"'), Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'\n'), Just(b'\\'),
            Just(b','), Just(b':'), Just(b'1'), Just(b' '), any::<u8>()
        ], 1..200),
        pieces in prop::collection::vec(1..20_usize, 1..8),
    ) {
        prop_assert_eq!(extract_in(&input, &pieces, 1 << 20), extract(&input));
    }

    #[test]
    fn tables_and_lists_give_the_same_in_every_split(
        ids in prop::collection::vec(1_u64 << 50..u64::MAX / 2, 1..40),
        form in 0..4_usize,
        pieces in prop::collection::vec(1..60_usize, 1..8),
    ) {
        let rows: Vec<String> = ids.iter().map(|id| match form {
            0 => format!("{id}"),
            1 => format!("\"{id}\",\r"),
            2 => format!("{id},\"a \"\"cell\"\"\nof lines, {id}\",5"),
            _ => format!("{id};x;"),
        }).collect();
        let header = ["", "id\r\n", "tweet_id,text,user_id\n", "id_str;text;user_id\n"][form];
        let input = header.to_owned() + &rows.join("\n");
        let whole = extract(input.as_bytes());
        prop_assert_eq!(&whole.tweets, &ids);
        prop_assert_eq!(&whole.flags, &vec![]);
        prop_assert_eq!(extract_in(input.as_bytes(), &pieces, 1 << 20), whole);
    }
}

#[test]
fn each_line_cut_anywhere_costs_only_itself() {
    let lines: Vec<String> = (1..5).map(|number| tweet(number).to_string()).collect();
    let truth = oracle(&(1..5).map(tweet).collect::<Vec<_>>());
    for cut in 1..lines[1].len() {
        let mut cut_lines = lines.clone();
        cut_lines[1].truncate(0);
        cut_lines[1].extend(lines[1].chars().take(cut));
        if cut_lines[1] == lines[1] {
            continue;
        }
        let out = extract((cut_lines.join("\n") + "\n").as_bytes());
        assert_eq!(out.tweets, [truth[0], truth[2], truth[3]], "cut at {cut}");
        assert_eq!(out.damages(), 1, "cut at {cut}");
    }
}

#[test]
fn a_cut_pretty_printed_element_costs_only_itself_and_gives_nothing_embedded() {
    let mut carrier = tweet(2);
    carrier["retweeted_status"] = tweet(3);
    let text = serde_json::to_string_pretty(&[tweet(1), carrier, tweet(4)]).unwrap();
    let elements: Vec<usize> = text.match_indices("\n  {").map(|(at, _)| at).collect();
    let truth = oracle(&[tweet(1), tweet(4)]);
    for from in elements[1] + 5..elements[2] - 4 {
        if !text.is_char_boundary(from) {
            continue;
        }
        let cut = [&text[..from], &text[elements[2]..]].concat();
        let out = extract(cut.as_bytes());
        assert_eq!(out.tweets, truth, "cut at {from}");
        assert!(out.damages() >= 1, "cut at {from}");
    }
}

#[test]
fn framed_damage_costs_only_itself_even_on_its_line() {
    let (first, last) = (tweet(1).to_string(), tweet(2).to_string());
    let truth = oracle(&[tweet(1), tweet(2)]);
    for broken in
        ["{\"id\":NaN}", "{\"id\":01,\"text\":\"}{\"}", "{\"id\":1,\"id\":2}", "{\"a\" 1}"]
    {
        for input in [format!("{first}{broken}{last}"), format!("[{first},{broken},{last}]")] {
            let out = extract(input.as_bytes());
            assert_eq!((out.tweets.as_slice(), out.damages()), (&truth[..], 1), "{input}");
        }
    }
}

#[test]
fn a_record_that_something_else_ended_gives_nothing() {
    let rest = tweet(2).to_string();
    for torn in [
        "{\"id\":1500000000001000009,\"user\":{\"id\":7}}\"entities\":{},\"text\":\"x\"}",
        "{\"id\":1500000000001000009,\"user\":{\"id\":7}},\"entities\":{},\"text\":\"x\"}",
        "{\"id\":1500000000001000009,\"user\":{\"id\":7}} : 5,\"text\":\"x\"}",
        "{\"id\":1500000000001000009,\"user\":{\"id\":7}}}",
    ] {
        let out = extract(format!("{torn}\n{rest}\n").as_bytes());
        assert_eq!((out.tweets, out.flags.len()), (oracle(&[tweet(2)]), 1), "{torn}");
    }
}

#[test]
fn a_record_beyond_the_bound_is_damaged_and_the_rest_goes_on() {
    let long = json!({"id": 1, "text": "x".repeat(5000), "user": {"id": 2}}).to_string();
    let input = format!("{}\n{long}\n{}\n", tweet(1), tweet(2));
    let out = extract_in(input.as_bytes(), &[100], 2000);
    assert_eq!(out.tweets, oracle(&[tweet(1), tweet(2)]));
    let start = tweet(1).to_string().len() as u64 + 1;
    assert_eq!(out.flags, [(Reason::TooLong, start)]);
}

#[test]
fn deep_nesting_is_damage_and_the_rest_goes_on() {
    let input = format!("{}\n{}\n", "[".repeat(100_000), tweet(1));
    assert_eq!(extract(input.as_bytes()).tweets, oracle(&[tweet(1)]));
    let input = format!("{{\"a\":{}\n{}\n", "[".repeat(100_000), tweet(1));
    assert_eq!(extract(input.as_bytes()).tweets, oracle(&[tweet(1)]));
}

#[test]
fn a_quote_that_swallows_rows_costs_only_its_row() {
    for (input, tweets) in [
        ("id,text\n1,\"open\n2,two\n3,three\n", vec![2, 3]),
        ("id,text\n1,\"open\n2,\"two\"\n3,three\n", vec![2, 3]),
        ("id,text,lang\n1,\"open,x\n2,two,en\n3,\"th,ree\",en\n", vec![2, 3]),
        ("id,text\n1,one,more\n2,two\n", vec![2]),
        ("id,text\n1\n2,two\n", vec![2]),
    ] {
        let out = extract(input.as_bytes());
        assert_eq!((&out.tweets, out.damages()), (&tweets, 1), "{input:?}");
    }
}

#[test]
fn what_nobody_looks_into_needs_only_be_closed() {
    // Inside of the user a comma is missing; the tweet's own ID is as sound as ever.
    let torn = tweet(1).to_string().replace(",\"id_str\":\"1400", " \"id_str\":\"1400");
    let input = format!("{torn}\n{}\n", tweet(2));
    let own = extract_of(input.as_bytes(), KindSet::only(IdKind::Tweet));
    assert_eq!((own.tweets, own.flags), (oracle(&[tweet(1), tweet(2)]), vec![]));
    // Whoever asks for users looks into it: then nothing of the record is believed.
    let out = extract(input.as_bytes());
    let at = torn.find(" \"id_str\":\"1400").unwrap() + 1;
    assert_eq!(out.tweets, oracle(&[tweet(2)]));
    assert_eq!(out.users, [1_400_000_000_000_000_002]);
    assert_eq!(out.flags, [(Reason::Syntax, at as u64)]);
}

#[test]
fn a_page_with_a_torn_element_gives_nothing_and_tells_where() {
    let page = json!({"data": [flat(1), flat(2), flat(3)], "meta": {}}).to_string();
    let next = json!({"data": [flat(4)]});
    for (whole, torn) in [
        ("},{\"id\":\"1500000000002000006\"", "} {\"id\":\"1500000000002000006\""),
        ("\"author_id\":\"1400000002\"", "\"author_id\" \"1400000002\""),
        ("\"author_id\":\"1400000002\"", "\"author_id\":\"1400000002\"5"),
        ("\"author_id\":\"1400000002\"", "\"id\":\"1400000002\""),
    ] {
        assert!(page.contains(whole), "{page}");
        let input = format!("{}\n{next}\n", page.replace(whole, torn));
        let out = extract(input.as_bytes());
        assert_eq!(out.tweets, oracle(&[flat(4)]), "{torn}");
        let [(Reason::Syntax | Reason::DuplicateKey, at)] = out.flags[..] else {
            panic!("{torn}: {:?}", out.flags)
        };
        let second = page.find("1500000000002000006").unwrap() as u64 - 7;
        assert!((second..second + 90).contains(&at), "{torn} {at}");
    }
}

#[test]
fn two_torn_lines_do_not_swallow_those_between_them() {
    // The first has a bracket too many inside, the last one too few: together they are balanced.
    let open = tweet(1).to_string().replace("\"urls\":[]", "\"urls\":{[]");
    let close = tweet(4).to_string().replace("\"urls\":[]", "\"urls\":[]}");
    for between in [",\n", "\n", "\r\n"] {
        let lines = [open.clone(), tweet(2).to_string(), tweet(3).to_string(), close.clone()];
        let out = extract((lines.join(between) + "\n").as_bytes());
        assert_eq!(out.tweets, oracle(&[tweet(2), tweet(3)]), "{between:?}");
        assert_eq!(out.damages(), 2, "{between:?}: {:?}", out.flags);
    }
}
