//! The pipeline as the rooms above it call it.

use std::io;

use proptest::prelude::{Just, ProptestConfig, prop, prop_assert_eq, prop_oneof, proptest};
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
fn with_threads(sources: &[Vec<String>], threads: usize) -> (String, Gathered) {
    let strip = Strip { threads, columns: Columns::WithPlaces, ..Strip::of(KindSet::ALL) };
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
        match strip.run(&piped, &mut gathered, &Unwatched) {
            Ok(tally) => serde_json::to_string(&tally).unwrap(),
            Err(error) => error.to_string(),
        }
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
        let alone = with_threads(&sources, 1);
        prop_assert_eq!(&with_threads(&sources, 2), &alone);
        prop_assert_eq!(&with_threads(&sources, 5), &alone);
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
