//! The pipeline as the rooms above it call it.

use std::io;

use super::*;
use crate::base::ids::{DmId, Id, TweetId, UserId};

/// Gathers what goes out.
#[derive(Default)]
struct Gathered {
    tweets: Vec<Found<TweetId>>,
    users: Vec<Found<UserId>>,
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
