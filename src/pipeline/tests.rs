//! The pipeline as the rooms above it call it.

use std::io;

use proptest::prelude::{Just, ProptestConfig, prop, prop_oneof, proptest};
use proptest::strategy::Strategy;

use super::*;
use crate::base::ids::{DmId, Id, TweetId, UserId};

/// Gathers what goes out.
#[derive(Debug, Default, PartialEq)]
struct Gathered {
    tweets: Vec<Found<TweetId>>,
    users: Vec<Found<UserId>>,
    rejected: Vec<(u64, u64, Reason)>,
}

impl Outlet for Gathered {
    fn tweets(&mut self, found: &[Found<TweetId>]) -> io::Result<()> {
        self.tweets.extend_from_slice(found);
        Ok(())
    }

    fn users(&mut self, found: &[Found<UserId>]) -> io::Result<()> {
        self.users.extend_from_slice(found);
        Ok(())
    }

    fn dms(&mut self, _found: &[Found<DmId>]) -> io::Result<()> {
        Ok(())
    }

    fn rejected(&mut self, rejected: &Rejected<'_>) -> io::Result<()> {
        self.rejected.push((rejected.line, rejected.byte, rejected.reason));
        Ok(())
    }
}

fn source(name: &str, text: &str) -> Source {
    Source::Bytes { name: name.to_owned(), bytes: text.to_owned().into() }
}

#[test]
fn author_and_place_go_with_each_id_where_they_are_asked_for() {
    let first = r#"{"id":"20","text":"a","author_id":"7"}"#;
    let second = r#"{"id":21,"id_str":"21","text":"b","user":{"id":8,"id_str":"8"}}"#;
    let sources = [source("one", &format!("\n{first}\n")), source("two", second)];
    let strip = Strip { columns: Columns::WithPlaces, ..Strip::of(KindSet::ALL) };
    let mut gathered = Gathered::default();
    let tally = strip.run(&sources, &mut gathered, &Unwatched).unwrap();
    let row = |id, author, source, offset, length: usize| Found {
        id: TweetId::from_value(id).unwrap(),
        author: Some(UserId::from_value(author).unwrap()),
        place: Place { source, offset, length: length as u32 },
    };
    assert_eq!(gathered.tweets, [row(20, 7, 0, 1, first.len()), row(21, 8, 1, 0, second.len())]);
    assert_eq!(gathered.users.iter().map(|user| user.id.value()).collect::<Vec<_>>(), [7, 8]);
    assert!(tally.is_clean() && tally.records == 2);
    assert_eq!(tally.of(IdKind::Tweet).handed_out, 2);
}

#[test]
fn a_bare_list_needs_a_declared_kind_but_urls_tell_theirs() {
    let strip = Strip::of(KindSet::ALL);
    let mut gathered = Gathered::default();
    let error = strip.run(&[source("list", "20\n")], &mut gathered, &Unwatched).unwrap_err();
    assert!(matches!(error, PipelineError::KindUndeclared { name } if name == "list"));
    let url = source("urls", "https://x.com/made_up/status/20\n");
    strip.run(&[url], &mut gathered, &Unwatched).unwrap();
    assert_eq!(gathered.tweets[0].id.value(), 20);
}

#[test]
fn formats_and_their_names_are_unique() {
    for (index, row) in FORMATS.iter().enumerate() {
        assert!(FORMATS[..index].iter().all(|other| other.name != row.name), "{}", row.name);
        assert_eq!(format(row.name).unwrap().number, row.number);
    }
}

/// A made-up v1.1 tweet, long enough that a few thousand fill some blocks.
fn tweet(number: u64) -> String {
    let id = 1_500_000_000_000_000_000 + number * 1_000_003;
    let text = "made up ".repeat(20 + number as usize % 50);
    format!(r#"{{"id":{id},"id_str":"{id}","text":"{text}","user":{{"id":{number},"a":[1]}}}}"#)
}

/// What comes out of the blocks of `sources` with so many threads.
fn with_threads(ids: KindSet, sources: &[Vec<String>], threads: usize) -> (String, Gathered) {
    let strip = Strip { threads, columns: Columns::WithPlaces, ..Strip::of(ids) };
    let (mut pipes, mut piped) = (Vec::new(), Vec::new());
    for blocks in sources {
        let (pipe, source) = pipe("made up");
        pipes.push((pipe, blocks.clone()));
        piped.push(Source::Piped(source));
    }
    let mut gathered = Gathered::default();
    let tally = std::thread::scope(|scope| {
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                for (pipe, blocks) in pipes {
                    for block in blocks {
                        // A strip that refuses its source has hung up.
                        if pipe.send(block.into()).await.is_err() {
                            break;
                        }
                    }
                    pipe.end().await;
                }
            });
        });
        let tally = match strip.run(&piped, &mut gathered, &Unwatched) {
            Ok(tally) => serde_json::to_string(&tally).unwrap(),
            Err(error) => error.to_string(),
        };
        // Sources behind one that is refused are not opened: nobody waits for them.
        drop(piped);
        tally
    });
    (tally, gathered)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..crate::base::cases::remembered() })]

    #[test]
    fn what_comes_out_is_the_same_for_every_number_of_threads(
        sources in prop::collection::vec(prop::collection::vec(prop_oneof![
            4 => (1..900_u64).prop_map(|number| tweet(number) + "\n"),
            1 => (1..900_u64, 1..900_u64).prop_map(|(a, b)| format!("{}\n{}", tweet(a), tweet(b))),
            1 => (1..900_u64, 0..1000_usize).prop_map(|(number, cut)| {
                let mut line = tweet(number);
                line.truncate(cut);
                line + "\n"
            }),
            1 => (1..900_u64).prop_map(|number| format!("[\n{},\n", tweet(number))),
            1 => Just("]\n".to_owned()),
            1 => Just("{\n  \"id\": 5,\n".to_owned()),
            1 => Just("\"text\": \"x\",\n\"user\": {}}\n".to_owned()),
            1 => Just("{\"delete\":{\"status\":{\"id\":1500000000001000009}}}\n".to_owned()),
            1 => Just("{\"id\":NaN}\n".to_owned()),
            1 => Just("\n \n".to_owned()),
            1 => Just("id,text\n20,a\n".to_owned()),
        ], 1..30), 1..3),
    ) {
        same_for_all_threads(KindSet::ALL, &sources);
    }

    #[test]
    fn tables_and_lists_are_the_same_for_every_number_of_threads(
        begin in prop_oneof![
            Just("id,text,user_id\n"),
            Just("id;text;user_id\r\n"),
            Just("20\n"),
            Just("tweet_id\n"),
        ],
        sources in prop::collection::vec(prop::collection::vec(prop_oneof![
            4 => (1..900_u64).prop_map(|number| format!("{number},\"a \"\"cell\"\"\nof it\",7\n")),
            2 => (1..900_u64).prop_map(|number| format!("{number};x;7\r\n{number};\"y\";\r\n")),
            4 => (1..900_u64).prop_map(|number| format!("{number}\n{number}0000000000\r\n")),
            1 => Just("5,\"a quoted cell goes on\n".to_owned()),
            1 => Just("until here\",7\n".to_owned()),
            1 => Just("\"20\",\n".to_owned()),
            1 => Just("1.5e+18\n".to_owned()),
            1 => Just("https://x.com/made_up/status/20\n".to_owned()),
            1 => Just("6,a \"quote\" within,7\n".to_owned()),
            1 => Just("\n\r\n".to_owned()),
            1 => Just("7,one,two,three\n8".to_owned()),
        ], 1..30), 1..3),
    ) {
        let begun = |blocks: Vec<String>| [vec![begin.to_owned()], blocks].concat();
        let sources: Vec<Vec<String>> = sources.into_iter().map(begun).collect();
        same_for_all_threads(KindSet::ALL, &sources);
        same_for_all_threads(KindSet::only(IdKind::Tweet), &sources);
    }
}

#[track_caller]
fn same_for_all_threads(ids: KindSet, sources: &[Vec<String>]) {
    let alone = with_threads(ids, sources, 1);
    for threads in [2, 3, 5, 8] {
        assert_eq!(with_threads(ids, sources, threads), alone, "{threads} threads");
    }
}

#[test]
fn a_table_and_a_list_of_many_blocks_are_the_same_for_every_number_of_threads() {
    let id = |number: u64| 1_500_000_000_000_000_000 + number * 1_000_003;
    let mut list: Vec<String> = (0..150_000).map(|number| format!("{}\n", id(number))).collect();
    list[70_000] = "no ID\n".to_owned();
    list[100_000] = "https://x.com/made_up/status/20\n".to_owned();
    let row = |number| format!("{},\"made up,\nof \"\"lines\"\"\",7\r\n", id(number));
    let mut rows: Vec<String> = (0..60_000).map(row).collect();
    rows[20_000] = "7,\"not closed\r\n".to_owned();
    rows[40_000] = "7,too,many,cells\r\n".to_owned();
    let table = "id,text,user_id\r\n".to_owned() + &rows.concat();
    for text in [list.concat(), table] {
        assert!(text.len() > 5 << 19, "it fills some blocks");
        let run = |threads| {
            let tweets = Strip::of(KindSet::only(IdKind::Tweet));
            let strip = Strip { threads, columns: Columns::WithPlaces, ..tweets };
            let mut gathered = Gathered::default();
            let tally = strip.run(&[source("many", &text)], &mut gathered, &Unwatched).unwrap();
            (serde_json::to_string(&tally).unwrap(), gathered)
        };
        let alone = run(1);
        assert!(alone.1.tweets.len() > 59_990 && !alone.1.rejected.is_empty(), "{}", alone.0);
        for threads in [2, 3, 8] {
            assert!(run(threads) == alone, "{threads} threads");
        }
    }
}

#[test]
fn a_source_of_many_blocks_is_the_same_for_every_number_of_threads() {
    let mut lines: Vec<String> = (1..9_000).map(|number| tweet(number) + "\n").collect();
    lines[4_000].truncate(300);
    lines[6_000] = "[\n".to_owned();
    lines[7_000] = "]\n".to_owned();
    lines[8_000] = lines[8_000].replace(",", ",\n");
    let text = lines.concat();
    assert!(text.len() > 3 << 20, "it fills some blocks");
    let run = |threads| {
        let strip = Strip { threads, columns: Columns::WithPlaces, ..Strip::of(KindSet::ALL) };
        let mut gathered = Gathered::default();
        let tally = strip.run(&[source("many", &text)], &mut gathered, &Unwatched).unwrap();
        (serde_json::to_string(&tally).unwrap(), gathered)
    };
    let alone = run(1);
    // The cut line takes the next one with it, whose text it runs into.
    assert!(alone.1.tweets.len() > 8_900 && !alone.1.rejected.is_empty(), "{}", alone.0);
    for threads in [2, 3, 8] {
        assert_eq!(run(threads), alone, "{threads} threads");
    }
}

#[test]
fn files_that_are_read_before_their_turn_come_out_in_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let line = |id: u64| format!("{{\"id\":\"{id}\",\"text\":\"made up\",\"author_id\":\"7\"}}\n");
    let file = |number: u64| {
        let text: String =
            (0..number * 500).map(|row| line(1_000_000 * number + row + 1)).collect();
        let (name, bytes) = match number % 4 {
            0 => ("notes.md", text.into_bytes()),
            1 => ("lines.jsonl", text.into_bytes()),
            2 => ("lines.jsonl.zst", zstd::encode_all(text.as_bytes(), 1).unwrap()),
            _ => ("cut.jsonl", text.as_bytes()[..text.len() - 9].to_vec()),
        };
        let path = folder.path().join(format!("{number:02}-{name}"));
        std::fs::write(&path, bytes).unwrap();
        Source::Found(path)
    };
    let mut sources: Vec<Source> = (1..=14).map(file).collect();
    sources.insert(7, source("in memory", &line(20)));
    let run = |sources: &[Source], threads| {
        let strip = Strip { threads, columns: Columns::WithPlaces, ..Strip::of(KindSet::ALL) };
        let mut gathered = Gathered::default();
        let tally = strip.run(sources, &mut gathered, &Unwatched);
        (gathered, tally.map(|tally| format!("{tally:?}")).map_err(|error| error.to_string()))
    };
    let alone = run(&sources, 1);
    assert_eq!(alone.0.rejected.len(), 3, "those that are cut");
    for threads in [2, 3, 8] {
        assert!(run(&sources, threads) == alone, "{threads} threads");
    }
    // One that is missing fails in its turn, by its name.
    sources.insert(9, Source::File(folder.path().join("missing.jsonl")));
    let alone = run(&sources, 1);
    assert!(alone.1.as_ref().unwrap_err().contains("missing.jsonl"), "{:?}", alone.1);
    for threads in [2, 8] {
        assert!(run(&sources, threads) == alone, "{threads} threads");
    }
}
