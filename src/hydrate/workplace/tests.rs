//! What a process leaves behind at any point of its work, its successor comes to the same from.

use super::*;

const PAGE: &str = include_str!("../../../tests/data/platform/tweets.json");

/// The IDs of the page, and two more that a second request asks for.
const IDS: [u64; 4] = [1_500_000_000_001_000_003, 1_500_000_000_011_000_033, 20, 21];

const SECOND: &str = "{\"data\":[{\"id\":\"20\",\"text\":\"just made up\"}]}";

fn begin(archive: &Path) -> Workplace {
    Workplace::begin(archive, IdKind::Tweet, "main", IDS.into_iter().map(Ok)).unwrap()
}

/// Every file of a folder with its bytes, but the lock.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let name = |entry: &std::fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut files: Vec<_> = entries
        .filter(|entry| entry.path().is_file() && name(entry) != "lock")
        .map(|entry| (name(&entry), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

fn put(folder: &Path, name: &str, before: &[(String, Vec<u8>)]) {
    let path = folder.join(name);
    match before.iter().find(|(known, _)| known == name) {
        Some((_, bytes)) => std::fs::write(path, bytes).unwrap(),
        None => std::fs::remove_file(path).unwrap(),
    }
}

fn told(place: &Workplace) -> Vec<(u64, Outcome)> {
    let mut told = Vec::new();
    place
        .each(|id, outcome| {
            told.push((id, outcome));
            Ok(())
        })
        .unwrap();
    told
}

#[test]
fn what_was_kept_is_applied_once_wherever_the_process_died() {
    use Outcome::{Deleted, Found};
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive.jsonl.zst");
    let folder = folder_of(&archive);
    let mut place = begin(&archive);
    assert_eq!(place.next(2).unwrap(), IDS[..2]);
    let (before, empty) = (files(&folder), std::fs::read(&archive).unwrap());
    place.keep(2, PAGE.as_bytes()).unwrap();
    drop(place);
    let (after, full) = (files(&folder), std::fs::read(&archive).unwrap());
    assert!(!full.is_empty());
    // Undone from the end: progress, then outcomes, then the archive, whole or half written.
    let undone: &[&[&str]] = &[&[], &["progress.json"], &["progress.json", "outcomes"]];
    for names in undone {
        for left in [empty.len(), full.len() / 2, full.len()] {
            names.iter().for_each(|name| put(&folder, name, &before));
            if !names.is_empty() {
                std::fs::write(&archive, &full[..left]).unwrap();
            }
            let place = Workplace::go_on(&archive).unwrap();
            assert_eq!(place.asked(), 2);
            assert_eq!(told(&place), [(IDS[0], Found), (IDS[1], Deleted)]);
            assert_eq!(files(&folder), after);
            assert_eq!(std::fs::read(&archive).unwrap(), full);
        }
    }
    // Without the answer nothing is known of these IDs, and they are asked for again.
    for name in ["progress.json", "outcomes", "answer"] {
        put(&folder, name, &before);
    }
    let mut place = Workplace::go_on(&archive).unwrap();
    assert_eq!((place.asked(), place.next(100).unwrap()), (0, IDS.to_vec()));
    place.keep(2, PAGE.as_bytes()).unwrap();
    assert_eq!(std::fs::read(&archive).unwrap(), full);
}

#[test]
fn a_hydration_ends_with_an_account_and_leaves_only_its_archive() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive.jsonl");
    let mut place = begin(&archive);
    place.keep(2, PAGE.as_bytes()).unwrap();
    place.keep(2, SECOND.as_bytes()).unwrap();
    assert!(place.next(100).unwrap().is_empty());
    assert_eq!(place.account().counts(), [2, 1, 0, 0, 0, 1]);
    let account = dir.path().join("account.csv");
    place.write_account(&account).unwrap();
    let text = std::fs::read_to_string(&account).unwrap();
    let rows = "1500000000001000003,found\n1500000000011000033,deleted\n20,found\n21,unknown\n";
    assert_eq!(text, format!("id,outcome\n{rows}"));
    place.remove().unwrap();
    let names = files(dir.path()).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names, ["account.csv", "archive.jsonl"]);
    assert!(!Workplace::is_begun(&archive));
    assert_eq!(std::fs::read_to_string(&archive).unwrap().lines().count(), 2);
}

#[test]
fn a_place_has_one_worker_and_one_purpose() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive.jsonl");
    let refused = |begun: Result<Workplace, HydrateError>| begun.unwrap_err().to_string();
    let nothing = std::iter::empty();
    let begun = Workplace::begin(&archive, IdKind::Tweet, "main", nothing);
    assert!(refused(begun).contains("no ID"));
    assert!(files(dir.path()).is_empty(), "what did not begin leaves nothing");
    let place = begin(&archive);
    assert!(refused(Workplace::go_on(&archive)).contains("another process"));
    let again = Workplace::begin(&archive, IdKind::Tweet, "main", IDS.into_iter().map(Ok));
    assert!(refused(again).contains("is there already"));
    place.require(IDS.into_iter().map(Ok)).unwrap();
    let other = place.require(IDS[1..].iter().copied().map(Ok)).unwrap_err().to_string();
    assert!(other.contains("4 other IDs"), "{other}");
    drop(place);
    let mut place = Workplace::go_on(&archive).unwrap();
    place.keep(2, PAGE.as_bytes()).unwrap();
    drop(place);
    std::fs::write(&archive, "").unwrap();
    assert!(refused(Workplace::go_on(&archive)).contains("shorter than it was"));
}
