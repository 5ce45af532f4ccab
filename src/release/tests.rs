//! Tests of whole releases: built from made-up sources, opened, damaged and checked.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::base::ids::IdKind;
use crate::pipeline::{Damage, KindSet, Scope, Unwatched};

struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    fn new() -> Room {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("releases")).unwrap();
        Room { folder }
    }

    fn releases(&self) -> PathBuf {
        self.folder.path().join("releases")
    }

    fn source(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn build(&self, sources: &[PathBuf], now_ms: i64) -> Result<Built, ReleaseError> {
        let objects = Objects::AsTheyLie;
        let ids = KindSet::only(IdKind::Tweet);
        let (scope, damage) = (Scope::Own, Damage::Report);
        let spec = Spec { ids, scope, damage, objects, now_ms };
        build(sources, &spec, &self.releases(), &Unwatched)
    }

    /// Everything that lies in the folder of releases.
    fn entries(&self) -> usize {
        fs::read_dir(self.releases()).unwrap().count()
    }

    /// The folder of a release with all that one can have.
    fn built(&self) -> PathBuf {
        let lines: String = (0..500_u64)
            .map(|n| {
                let (id, user) = (1_000_000_000_000_000_000 - 250 + n, 12 + n * n * 7_919);
                format!(
                    "{{\"id\":{id},\"id_str\":\"{id}\",\"text\":\"a {{}} \\u00e9\",\
                     \"user\":{{\"id\":{user},\"id_str\":\"{user}\"}}}}\n"
                )
            })
            .collect();
        let built = self.build(&[self.source("tweets.jsonl", lines.as_bytes())], 1).unwrap();
        self.releases().join(&**built.release.id())
    }
}

#[test]
fn the_same_content_is_the_same_release_wherever_it_came_from() {
    let room = Room::new();
    let first = room.build(&[room.source("one", b"20\n21\n")], 1).unwrap();
    let split = [room.source("two", b"20\n"), room.source("three", b"21\n")];
    let second = room.build(&split, 2).unwrap();
    assert!(!first.reused && second.reused);
    assert_eq!(first.release.id(), second.release.id());
    assert_eq!(second.release.manifest().built_ms, 1, "the first one is kept as it is");
    let other = room.build(&[room.source("one", b"21\n20\n")], 3).unwrap();
    assert_ne!(first.release.id(), other.release.id(), "the order is part of the content");
    assert_eq!(room.entries(), 2);
}

#[test]
fn a_release_of_a_bare_list_learns_its_authors_from_a_later_build() {
    let room = Room::new();
    let tweet =
        |id| format!("{{\"id\":{id},\"id_str\":\"{id}\",\"text\":\"a\",\"user\":{{\"id\":7}}}}\n");
    let full = room.source("full", (tweet(20) + &tweet(21)).as_bytes());
    let bare = room.build(&[room.source("bare", b"20\n21\n")], 1).unwrap();
    assert!(bare.release.authors().unwrap().is_none());
    for _ in 0..2 {
        let again = room.build(std::slice::from_ref(&full), 2).unwrap();
        assert!(again.reused);
        assert_eq!(again.release.id(), bare.release.id());
        let mut authors = Vec::new();
        again.release.authors().unwrap().unwrap().read(&(0..2), &mut authors).unwrap();
        assert_eq!(authors, [7, 7]);
        verify(&room.releases().join(&**bare.release.id())).unwrap();
    }
    assert_eq!(room.entries(), 1);
}

#[test]
fn a_release_says_what_it_was_built_from() {
    let room = Room::new();
    let source = room.source("tweets.txt", b"20\n21\n");
    let built = room.build(std::slice::from_ref(&source), 77).unwrap();
    let manifest = built.release.manifest();
    assert_eq!(manifest.built_ms, 77);
    let [entry] = &manifest.sources[..] else { panic!("one source") };
    assert_eq!(entry.name, source.canonicalize().unwrap().display().to_string());
    assert_eq!(entry.bytes, 6);
    use sha2::Digest;
    assert_eq!(entry.sha256, *sha2::Sha256::digest(b"20\n21\n"));
    let column = built.release.column(IdKind::Tweet).unwrap();
    assert_eq!((column.ids(), column.bytes(), column.sha256()), (2, 6, entry.sha256));
    assert!(built.release.column(IdKind::User).is_none());
}

#[test]
fn a_build_that_fails_leaves_nothing() {
    let room = Room::new();
    for (source, expected) in [
        (PathBuf::from("-"), "standard input"),
        (room.folder.path().to_owned(), "is no file"),
        (room.folder.path().join("missing"), "cannot use"),
    ] {
        let error = room.build(&[source], 1).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(room.entries(), 0);
}

#[test]
fn private_columns_stand_beside_the_ids() {
    let room = Room::new();
    let folder = room.built();
    verify(&folder).unwrap();
    let text = fs::read_to_string(folder.join("tweet-ids.txt")).unwrap();
    let authors = fs::read(folder.join("tweet-authors.u64")).unwrap();
    let places = fs::read(folder.join("tweet-places")).unwrap();
    let source = fs::read(room.folder.path().join("tweets.jsonl")).unwrap();
    assert_eq!((text.lines().count(), authors.len(), places.len()), (500, 4_000, 8_000));
    let number = |bytes: &[u8], at: usize, length: usize| {
        let mut wide = [0; 8];
        wide[..length].copy_from_slice(&bytes[at..at + length]);
        u64::from_le_bytes(wide)
    };
    for (ordinal, id) in text.lines().enumerate() {
        let at = ordinal * 16;
        assert_eq!(number(&places, at, 4), 0, "there is one source");
        let length = number(&places, at + 4, 4) as usize;
        let offset = number(&places, at + 8, 8) as usize;
        let record = &source[offset..offset + length];
        let record: serde_json::Value = serde_json::from_slice(record).unwrap();
        assert_eq!(record["id_str"], id);
        assert_eq!(record["user"]["id"], number(&authors, ordinal * 8, 8));
    }
}

#[test]
fn every_damaged_byte_is_found_and_its_file_named() {
    let room = Room::new();
    let folder = room.built();
    for name in ["tweet-ids.txt", "tweet-ids.idx", "tweet-authors.u64", "tweet-places"] {
        let path = folder.join(name);
        let whole = fs::read(&path).unwrap();
        let flips = (0..whole.len()).step_by(whole.len() / 7 + 1).map(|at| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            bytes
        });
        let longer = [&whole[..], b"7\n"].concat();
        let cut = whole[..whole.len() - 1].to_vec();
        for bytes in flips.chain([longer, cut, Vec::new()]) {
            fs::write(&path, bytes).unwrap();
            check_damaged(&folder, name);
        }
        fs::remove_file(&path).unwrap();
        let missing = verify(&folder).unwrap_err().to_string();
        assert!(missing.contains(name), "{missing}");
        fs::write(&path, whole).unwrap();
    }
    verify(&folder).unwrap();
}

fn check_damaged(folder: &Path, name: &str) {
    match verify(folder) {
        Err(ReleaseError::Damaged { path, .. }) => assert!(path.ends_with(name), "{path:?}"),
        other => panic!("damage of {name} was answered with {other:?}"),
    }
}

#[test]
fn a_manifest_that_was_tampered_with_is_refused() {
    let room = Room::new();
    let folder = room.built();
    let path = folder.join("release.json");
    let whole = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("\"scope\": \"own\"", "\"scope\": \"embedded\""),
        ("\"ids\": 500", "\"ids\": 499"),
        ("\"kind\": \"tweet\"", "\"kind\": \"user\""),
        ("\"release\": \"", "\"release\": \"0"),
        ("{", ""),
    ] {
        assert!(whole.contains(from), "{from}");
        fs::write(&path, whole.replacen(from, to, 1)).unwrap();
        check_damaged(&folder, "release.json");
    }
    fs::write(&path, whole.replacen("\"format\": 1", "\"format\": 2", 1)).unwrap();
    let newer = Release::open(&folder).unwrap_err();
    assert!(matches!(newer, ReleaseError::Newer { found: 2, .. }), "{newer:?}");
}

#[test]
fn a_release_under_another_name_is_refused() {
    let room = Room::new();
    let folder = room.built();
    let moved = room.releases().join("0".repeat(64));
    fs::rename(folder, &moved).unwrap();
    Release::open(&moved).unwrap();
    check_damaged(&moved, &"0".repeat(64));
}
