//! Tests of gathering: releases of made-up records, and what becomes of selections of them when
//! everything is in order, and when it is not.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::stock::Way;
use super::*;
use crate::base::ids::{Id, IdKind, TweetId};
use crate::pipeline::{Damage, KindSet, Removed, Scope, Unwatched};
use crate::release::{Objects, Release, Spec, build, verify};

/// When the first made-up Tweet was posted, and how far apart they are.
const FIRST_MS: i64 = 1_600_000_000_000;
const STEP_MS: i64 = 60_000;

/// The ID of the Tweet of that number.
fn id(number: u64) -> u64 {
    let made_ms = FIRST_MS + STEP_MS * i64::try_from(number).unwrap();
    TweetId::first_of_ms(made_ms).unwrap().value() + number % 4_096
}

/// Ten people write in turn.
fn author(number: u64) -> u64 {
    100 + number % 10
}

fn line(number: u64) -> String {
    let (id, author) = (id(number), author(number));
    let tags = usize::from(number.is_multiple_of(3));
    // Each is of another length.
    let text = format!("made up {number} {}", "tea ".repeat(number as usize % 37));
    let made_ms = TweetId::from_value(id).unwrap().created_ms().unwrap();
    let made = jiff::Timestamp::from_millisecond(made_ms).unwrap();
    let made = made.strftime("%a %b %d %H:%M:%S %z %Y").to_string();
    serde_json::json!({
        "created_at": made, "id": id, "id_str": id.to_string(),
        "full_text": text, "truncated": false, "lang": if number.is_multiple_of(2) { "en" } else { "de" },
        "entities": { "hashtags": &[serde_json::json!({ "text": "Tea" })][..tags] },
        "user": { "id": author, "id_str": author.to_string(), "name": format!("As of {number}"),
            "screen_name": format!("person_{author}") },
    })
    .to_string()
}

fn lines(numbers: std::ops::Range<u64>) -> String {
    numbers.map(|number| line(number) + "\n").collect()
}

/// Knows these Tweets and Users as removed.
#[derive(Debug, Default)]
struct Gone {
    tweets: Vec<u64>,
    users: Vec<u64>,
}

impl Removed for Gone {
    fn mark(
        &self,
        kind: IdKind,
        ids: &[u64],
        authors: &[Option<u64>],
        gone: &mut [bool],
    ) -> io::Result<()> {
        let own = if kind == IdKind::User { &self.users } else { &self.tweets };
        for ((gone, id), author) in gone.iter_mut().zip(ids).zip(authors) {
            *gone = own.contains(id) || author.is_some_and(|author| self.users.contains(&author));
        }
        Ok(())
    }
}

/// Keeps what it takes.
#[derive(Default)]
struct Kept(Vec<(u64, Result<Object, LeftOut>)>);

impl Sink for Kept {
    fn take(&mut self, ordinal: u64, object: Result<Object, LeftOut>) -> io::Result<()> {
        self.0.push((ordinal, object));
        Ok(())
    }
}

impl Kept {
    /// The IDs of the objects, in their order.
    fn ids(&self) -> Vec<u64> {
        let objects = self.0.iter().filter_map(|(_, object)| object.as_ref().ok());
        let id = |object: &Object| match object {
            Object::Tweet(tweet) => tweet.id.value(),
            Object::User(user) => user.id.value(),
        };
        objects.map(id).collect()
    }
}

struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    fn new() -> Room {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("releases")).unwrap();
        Room { folder }
    }

    fn source(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn build(&self, sources: &[PathBuf]) -> Arc<Release> {
        self.build_for(sources, Objects::AsTheyLie)
    }

    fn build_for(&self, sources: &[PathBuf], objects: Objects) -> Arc<Release> {
        let ids = KindSet::only(IdKind::Tweet);
        let (scope, damage) = (Scope::Own, Damage::Report);
        let spec = Spec { ids, scope, damage, objects, now_ms: 1 };
        build(sources, &spec, &self.folder.path().join("releases"), &Unwatched).unwrap().release
    }

    /// A release of the Tweets 0 to 2,999 in three files.
    fn built(&self) -> Arc<Release> {
        let sources: Vec<PathBuf> = (0..3)
            .map(|part| {
                let text = lines(1_000 * part..1_000 * (part + 1));
                self.source(&format!("{part}.jsonl"), text.as_bytes())
            })
            .collect();
        self.build(&sources)
    }
}

fn selection(part: Part) -> Selection {
    Selection { part, ..Selection::all() }
}

fn request(selection: &Selection) -> Request<'_> {
    Request { selection, listed: &[], from: 0, objects_max: 50_000 }
}

fn gathered(stock: &Stock, request: &Request<'_>, gone: &Gone) -> (Gathered, Kept) {
    let mut kept = Kept::default();
    let gathered = gather(stock, request, gone, &mut kept).unwrap();
    assert_eq!(gathered.objects, kept.ids().len() as u64);
    assert!(kept.0.is_sorted_by_key(|(ordinal, _)| *ordinal));
    (gathered, kept)
}

fn ids(numbers: impl Iterator<Item = u64>) -> Vec<u64> {
    numbers.map(id).collect()
}

#[test]
fn everything_comes_once_and_in_order_however_it_is_cut_into_batches() {
    let room = Room::new();
    let stock = Stock::open(room.built()).unwrap();
    assert_eq!(stock.supply(), Supply::Own);
    for batch in [7, 512, 1_000, 2_999, 3_000, 50_000] {
        let all = Selection::all();
        let mut request = Request { objects_max: batch, ..request(&all) };
        let mut came = Vec::new();
        loop {
            let (gathered, kept) = gathered(&stock, &request, &Gone::default());
            assert_eq!((&gathered.left_out[..], &gathered.changed[..]), (&[][..], &[][..]));
            came.extend(kept.ids());
            match gathered.next {
                Some(next) => request.from = next,
                None => break,
            }
        }
        assert_eq!(came, ids(0..3_000), "batches of {batch}");
    }
}

#[test]
fn a_selection_takes_what_it_says_and_nothing_else() {
    let room = Room::new();
    let stock = Stock::open(room.built()).unwrap();
    let at_ms = |number: u64| FIRST_MS + STEP_MS * number as i64;
    let filter = |change: fn(&mut Filter)| {
        let mut selection = Selection::all();
        change(&mut selection.filter);
        selection
    };
    let (from_ms, until_ms) = (Some(at_ms(900)), Some(at_ms(2_100)));
    for (selection, expected) in [
        (selection(Part::Between { from_ms, until_ms }), ids(900..2_100)),
        (selection(Part::Between { from_ms, until_ms: None }), ids(900..3_000)),
        (selection(Part::Listed { ids: 3 }), ids([5, 1_000, 2_999].into_iter())),
        (filter(|filter| filter.lang = Some("DE".into())), ids((1..3_000).step_by(2))),
        (filter(|filter| filter.hashtag = Some("#TEA".into())), ids((0..3_000).step_by(3))),
        (filter(|filter| filter.author = Some("@Person_104".into())), ids((4..3_000).step_by(10))),
        (filter(|filter| filter.author = Some("104".into())), ids((4..3_000).step_by(10))),
        (filter(|filter| filter.words = vec!["UP 299".into(), "tea".into()]), {
            let with_tea = (0..3_000_u64).filter(|number| number % 37 > 0);
            ids(with_tea.filter(|number| number.to_string().starts_with("299")))
        }),
    ] {
        let listed = ids([5, 7_000, 1_000, 2_999].into_iter());
        let mut request = request(&selection);
        if matches!(selection.part, Part::Listed { .. }) {
            request.listed = &listed;
        }
        let (gathered, kept) = gathered(&stock, &request, &Gone::default());
        assert_eq!(kept.ids(), expected, "{}", selection.in_words());
        assert_eq!((gathered.next, gathered.left_out), (None, Vec::new()));
        let counted = count(&stock, &request, &Gone::default()).unwrap();
        let about = counted.about.unwrap();
        assert!(counted.ids >= expected.len() as u64, "{}", selection.in_words());
        // 400 records tell it to a tenth of all.
        assert!(about.abs_diff(expected.len() as u64) <= 300, "{}: {about}", selection.in_words());
        let unknown = if request.listed.is_empty() { Vec::new() } else { vec![id(7_000)] };
        assert_eq!(counted.unknown, unknown);
    }
}

#[test]
fn a_sample_is_the_same_for_the_same_seed_and_another_for_another() {
    let room = Room::new();
    let stock = Stock::open(room.built()).unwrap();
    let sample = |seed, from, objects_max| {
        let selection = selection(Part::Sample { objects: 200, seed });
        let request = Request { from, objects_max, ..request(&selection) };
        let (gathered, kept) = gathered(&stock, &request, &Gone::default());
        (kept.ids(), gathered.next)
    };
    let (all, next) = sample(7, 0, 50_000);
    assert_eq!((all.len(), next), (200, None));
    assert_eq!(sample(7, 0, 50_000).0, all);
    assert_ne!(sample(8, 0, 50_000).0, all);
    let (first, next) = sample(7, 0, 120);
    let (second, end) = sample(7, next.unwrap(), 120);
    assert_eq!(([first, second].concat(), end), (all.clone(), None));
    // Each third of the release has its share.
    for third in 0..3 {
        let range = id(1_000 * third)..id(1_000 * (third + 1));
        let share = all.iter().filter(|id| range.contains(id)).count();
        assert!((40..100).contains(&share), "{share} of 200");
    }
}

#[test]
fn what_is_removed_is_never_read_and_is_counted() {
    let room = Room::new();
    let stock = Stock::open(room.built()).unwrap();
    let gone = Gone { tweets: vec![id(1), id(2_000)], users: vec![103] };
    let all = Selection::all();
    let (gathered, kept) = gathered(&stock, &request(&all), &gone);
    let stays = (0..3_000).filter(|number| ![1, 2_000].contains(number) && number % 10 != 3);
    assert_eq!(kept.ids(), ids(stays));
    assert_eq!(gathered.left_out, [(LeftOut::Removed, 302)]);
}

#[test]
fn a_retweet_of_a_removed_account_is_removed_with_it() {
    let room = Room::new();
    let mut retweet: serde_json::Value = serde_json::from_str(&line(1)).unwrap();
    retweet["retweeted_status"] = serde_json::from_str(&line(0)).unwrap();
    let text = format!("{retweet}\n{}\n", line(2));
    let stock = Stock::open(room.build(&[room.source("a", text.as_bytes())])).unwrap();
    let all = Selection::all();
    for gone in [
        Gone { users: vec![author(0)], ..Gone::default() },
        Gone { tweets: vec![id(0)], ..Gone::default() },
    ] {
        let (gathered, kept) = gathered(&stock, &request(&all), &gone);
        assert_eq!(kept.ids(), [id(2)]);
        assert_eq!(gathered.left_out, [(LeftOut::Removed, 1)]);
    }
}

#[test]
fn users_are_as_their_newest_tweet_shows_them() {
    let room = Room::new();
    let stock = Stock::open(room.built()).unwrap();
    let users = |part| Selection { kind: IdKind::User, part, filter: Filter::default() };
    let names = |kept: &Kept| -> BTreeMap<u64, String> {
        let objects = kept.0.iter().filter_map(|(_, object)| object.as_ref().ok());
        let named = objects.map(|object| match object {
            Object::User(user) => (user.id.value(), user.name.clone()),
            Object::Tweet(_) => panic!("Users were asked for"),
        });
        named.collect()
    };
    let as_of = |last: u64| -> BTreeMap<u64, String> {
        (0..10).map(|n| (100 + n, format!("As of {}", last + n))).collect()
    };
    let (gathered_all, kept) = gathered(&stock, &request(&users(Part::All)), &Gone::default());
    assert_eq!((names(&kept), gathered_all.next), (as_of(2_990), None));
    let until_ms = Some(FIRST_MS + STEP_MS * 500);
    let between = users(Part::Between { from_ms: None, until_ms });
    let (_, kept) = gathered(&stock, &request(&between), &Gone::default());
    assert_eq!(names(&kept), as_of(490));
    // In batches, without the one that is removed.
    let gone = Gone { users: vec![104], ..Gone::default() };
    let (mut came, mut from, all) = (BTreeMap::new(), 0, users(Part::All));
    loop {
        let request = Request { from, objects_max: 3, ..request(&all) };
        let (gathered, kept) = gathered(&stock, &request, &gone);
        came.extend(names(&kept));
        match gathered.next {
            Some(next) => from = next,
            None => break,
        }
    }
    let mut expected = as_of(2_990);
    expected.remove(&104);
    assert_eq!(came, expected);
    let sample = users(Part::Sample { objects: 4, seed: 1 });
    let (_, kept) = gathered(&stock, &request(&sample), &Gone::default());
    assert_eq!(kept.0.len(), 4);
    let listed = users(Part::Listed { ids: 3 });
    let request = Request { listed: &[7, 101, 109], ..request(&listed) };
    let (_, kept) = gathered(&stock, &request, &Gone::default());
    assert_eq!(names(&kept).into_keys().collect::<Vec<_>>(), [101, 109]);
    let counted = count(&stock, &request, &Gone::default()).unwrap();
    assert_eq!((counted.ids, counted.unknown), (2, vec![7]));
    let counted = count(&stock, &Request { listed: &[], ..self::request(&all) }, &gone).unwrap();
    assert_eq!(counted.ids, 10);
}

#[test]
fn a_source_that_changed_never_shows_another_tweet() {
    let room = Room::new();
    let release = room.built();
    let path = room.folder.path().join("1.jsonl");
    let whole = fs::read(&path).unwrap();
    let all = Selection::all();
    let others = || ids((0..1_000).chain(2_000..3_000));
    let check = |bytes: Option<&[u8]>, expected: Vec<u64>, reasons: &[(LeftOut, u64)]| {
        match bytes {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let stock = Stock::open(Arc::clone(&release)).unwrap();
        let (gathered, kept) = gathered(&stock, &request(&all), &Gone::default());
        assert_eq!(kept.ids(), expected);
        assert_eq!(gathered.left_out, reasons);
        assert_eq!(gathered.changed, [path.canonicalize().unwrap_or(path.clone())]);
    };
    // Another file of the same records lies there, one place on.
    let shifted = lines(1_001..2_001);
    let mut came = others();
    came.sort_unstable();
    let none_of_it = [(LeftOut::NotInSource, 1_000)];
    check(Some(&shifted.as_bytes()[..whole.len()]), came.clone(), &none_of_it);
    // One record was replaced by another of the same length.
    let (one, other) = (line(1_500), line(1_611));
    assert_eq!(one.len(), other.len());
    let at = whole.windows(one.len()).position(|window| window == one.as_bytes()).unwrap();
    let mut replaced = whole.clone();
    replaced[at..at + one.len()].copy_from_slice(other.as_bytes());
    let stays = ids((0..3_000).filter(|number| *number != 1_500));
    check(Some(&replaced), stays, &[(LeftOut::NotInSource, 1)]);
    // It was cut in the middle of a record.
    let cut = lines(1_000..1_400).len() + 10;
    check(Some(&whole[..cut]), ids((0..1_400).chain(2_000..3_000)), &[(LeftOut::NotInSource, 600)]);
    check(None, came, &none_of_it);
}

#[test]
fn bare_ids_have_no_records_and_nonsense_is_refused() {
    let room = Room::new();
    let stock = Stock::open(room.build(&[room.source("ids.txt", b"20\n21\n")])).unwrap();
    assert_eq!(stock.supply(), Supply::Upstream);
    let stock = Stock::open(room.built()).unwrap();
    let mut of_users = Selection { kind: IdKind::User, ..Selection::all() };
    of_users.filter.words.push("tea".into());
    for (selection, expected) in [
        (Selection { kind: IdKind::Dm, ..Selection::all() }, "not of messages"),
        (of_users, "choose Tweets"),
        (selection(Part::Sample { objects: 0, seed: 1 }), "nothing is selected"),
        (selection(Part::Between { from_ms: Some(2), until_ms: Some(2) }), "before it begins"),
    ] {
        let refused = gather(&stock, &request(&selection), &Gone::default(), &mut Kept::default());
        let message = refused.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

/// The text in every container that holds one file.
fn containers(plain: &str) -> Vec<(&'static str, Vec<u8>)> {
    let gzip = |bytes: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let bzip2 = |bytes: &[u8]| {
        let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    let xz = |bytes: &[u8]| {
        let mut out = liblzma::write::XzEncoder::new(Vec::new(), 1);
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let bytes = plain.as_bytes();
    let in_pieces = |pack: &dyn Fn(&[u8]) -> Vec<u8>, piece: usize| -> Vec<u8> {
        bytes.chunks(piece).flat_map(pack).collect()
    };
    let marked = [b"\xEF\xBB\xBF".as_slice(), bytes].concat();
    let wide: Vec<u8> =
        [0xFEFF].into_iter().chain(plain.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let mut seekable = Vec::new();
    crate::pipeline::Blocks::pack(&mut &*bytes, &mut seekable).unwrap();
    // As bgzip ends: a member without anything in it.
    let like_bgzip = [in_pieces(&gzip, 4_096), gzip(b"")].concat();
    vec![
        ("plain", bytes.to_vec()),
        ("with a mark", marked.clone()),
        ("UTF-16", wide.clone()),
        ("one gzip", gzip(bytes)),
        ("gzips", in_pieces(&gzip, 50_000)),
        ("like bgzip", like_bgzip),
        ("gzips with a mark", [gzip(&marked[..10_000]), gzip(&marked[10_000..])].concat()),
        ("UTF-16 in gzips", [gzip(&wide[..10_001]), gzip(&wide[10_001..])].concat()),
        ("one zstd", zstd(bytes)),
        ("zstds", in_pieces(&zstd, 70_000)),
        ("seekable zstd", seekable),
        ("one bzip2", bzip2(bytes)),
        ("bzip2s", in_pieces(&bzip2, 60_000)),
        ("xz", xz(bytes)),
        ("gzip in gzip", gzip(&gzip(bytes))),
    ]
}

#[test]
fn every_container_gives_the_same_as_a_plain_file() {
    let plain = lines(0..700);
    let thirds = selection(Part::Sample { objects: 200, seed: 3 });
    let all = Selection::all();
    let mut sample: Option<Vec<u64>> = None;
    for (name, bytes) in containers(&plain) {
        for objects in [Objects::AsTheyLie, Objects::AtHand] {
            let room = Room::new();
            let release = room.build_for(&[room.source(name, &bytes)], objects);
            verify(release.folder()).unwrap();
            let stock = Stock::open(release).unwrap();
            let is_pass = matches!(stock.sources[0].way, Way::Pass);
            assert!(!is_pass || objects == Objects::AsTheyLie, "{name}");
            let (_, kept) = gathered(&stock, &request(&thirds), &Gone::default());
            let expected = sample.get_or_insert_with(|| kept.ids());
            assert_eq!((&kept.ids(), kept.0.len()), (&*expected, 200), "{name} {objects:?}");
            let (gathered, kept) = gathered(&stock, &request(&all), &Gone::default());
            assert_eq!((kept.ids(), gathered.left_out), (ids(0..700), Vec::new()), "{name}");
        }
    }
}

#[test]
fn a_release_is_made_ready_for_objects_later_and_stays_what_it_is() {
    let room = Room::new();
    let plain = lines(0..700);
    let pack = |name: &str| {
        let containers = containers(&plain);
        containers.into_iter().find(|(known, _)| *known == name).unwrap().1
    };
    let first = room.build(&[room.source("a", &pack("one gzip"))]);
    let all = Selection::all();
    let check = |release: &Arc<Release>| {
        assert_eq!(release.id(), first.id());
        verify(release.folder()).unwrap();
        assert!(release.authors().unwrap().is_some());
        let stock = Stock::open(Release::open(release.folder()).unwrap()).unwrap();
        let (_, kept) = gathered(&stock, &request(&all), &Gone::default());
        assert_eq!(kept.ids(), ids(0..700));
        let copies = fs::read_dir(release.folder()).unwrap();
        copies
            .filter(|file| file.as_ref().unwrap().path().extension() == Some("zst".as_ref()))
            .count()
    };
    assert_eq!(check(&first), 0);
    let ready = room.build_for(&[room.source("a", &pack("one gzip"))], Objects::AtHand);
    assert_eq!(check(&ready), 1);
    // Whoever had the release open has its authors as before.
    assert_eq!(check(&first), 1);
    // The copy serves when the source is gone.
    fs::remove_file(room.folder.path().join("a")).unwrap();
    assert_eq!(check(&ready), 1);
    // Another source of the same IDs, which has blocks of its own: the copy goes.
    let other = room.build_for(&[room.source("b", &pack("gzips"))], Objects::AtHand);
    assert_eq!(check(&other), 0);
    // A build that asks for nothing changes nothing.
    let bare = room.build(&[room.source("c", &pack("xz"))]);
    assert_eq!(bare.manifest(), other.manifest());
}

#[test]
fn damage_to_blocks_costs_what_lies_in_them_only() {
    let room = Room::new();
    let plain = lines(0..700);
    let packed = containers(&plain).into_iter().find(|(name, _)| *name == "gzips").unwrap().1;
    let path = room.source("a", &packed);
    let release = room.build_for(std::slice::from_ref(&path), Objects::AtHand);
    let mut damaged = packed.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 20].fill(0);
    fs::write(&path, damaged).unwrap();
    let stock = Stock::open(release).unwrap();
    let all = Selection::all();
    let (gathered, kept) = gathered(&stock, &request(&all), &Gone::default());
    let lost = 700 - kept.ids().len() as u64;
    assert!((50..400).contains(&lost), "{lost}");
    assert_eq!(gathered.left_out, [(LeftOut::NotInSource, lost)]);
    assert_eq!(gathered.changed.len(), 1);
    // What came is what stands there, in order.
    let mut expected = ids(0..700).into_iter();
    assert!(kept.ids().iter().all(|id| expected.any(|other| other == *id)));
}
