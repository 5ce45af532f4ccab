//! The second verifier, `tests/audit_verify.py`, which shares no code with this one, agrees with it
//! on good and on damaged logs and receipts.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::damage::{ENTRIES, SIZES, count, damaged};
use super::{Files, head, key, log, made_up, verifier};
use crate::audit::checkpoint::Checkpoint;
use crate::audit::receipt::{Proof, text, verify as shows};
use crate::audit::tree::leaf_hash;
use crate::audit::{Entry, verify};
use crate::base::commitment::Commitment;
use crate::base::delivery::DeliveryId;

/// How many cases the second verifier gets at most: each is a folder.
const CASES_MAX: u64 = 2_000;

/// What the second verifier says to each case: `Ok` with what it found, or its fault.
fn judged(cases: &[Value]) -> Vec<Result<Value, String>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/audit_verify.py");
    let mut python = Command::new("python3")
        .args([script, "batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed");
    let lines: String = cases.iter().map(|case| format!("{case}\n")).collect();
    let mut stdin = python.stdin.take().unwrap();
    // Beside the reading below, or both ends wait for each other.
    let writing = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = python.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<_> = answers
        .lines()
        .map(|line| match line.split_once(' ') {
            Some(("ok", found)) => Ok(serde_json::from_str(found).unwrap()),
            _ => Err(line.to_owned()),
        })
        .collect();
    assert_eq!(answers.len(), cases.len(), "each case has an answer");
    answers
}

fn write(files: &Files, folder: &Path) {
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn both_verifiers_agree_on_good_and_on_damaged_logs() {
    let dir = tempfile::tempdir().unwrap();
    let entries = made_up(ENTRIES);
    let good = log(&entries, SIZES);
    let mut cases = Vec::new();
    let mut own = Vec::new();
    let mut try_one = |files: &Files, pinned: bool, story: String| {
        let folder = dir.path().join(cases.len().to_string());
        write(files, &folder);
        let pin = pinned.then(verifier);
        let key = pin.as_ref().map(ToString::to_string);
        cases.push(json!({ "log": folder, "key": key }));
        own.push((verify(files, pin.as_ref(), &[]).map(|whole| whole.checkpoints), story));
    };
    for size in [1, 2, 255, 256, 257, 512, 513, ENTRIES] {
        let part = log(&entries[..size], &[1, size]);
        try_one(&part, size % 2 == 0, format!("a good log of {size}"));
    }
    for seed in 0..(count() / 10).min(CASES_MAX) {
        let (files, story) = damaged(&good, &entries, seed);
        try_one(&files, true, story);
    }
    for (answer, (own, story)) in judged(&cases).into_iter().zip(own) {
        match (answer, own) {
            (Ok(found), Ok(checkpoints)) => {
                assert_eq!(found["checkpoints"], checkpoints, "{story}")
            }
            (Err(_), Err(_)) => {}
            (answer, own) => panic!("{story}: {answer:?} and {own:?}"),
        }
    }
}

#[test]
fn both_verifiers_agree_on_checkpoints_that_somebody_kept() {
    let dir = tempfile::tempdir().unwrap();
    let entries = made_up(300);
    let mut other = entries.clone();
    other[20].push(b' ');
    let sign = |entries: &[Vec<u8>], size| Checkpoint::sign(&key(), head(entries, size)).note;
    let notes = [
        ("right", sign(&entries, 100), true),
        ("whole", sign(&entries, 300), true),
        ("before the fork", sign(&other, 20), true),
        ("forked", sign(&other, 100), false),
        ("not a note", "a letter".to_owned(), false),
    ];
    let folder = dir.path().join("log");
    let files = log(&entries, &[300]);
    write(&files, &folder);
    let cut = dir.path().join("cut");
    write(&log(&entries[..99], &[99]), &cut);
    let mut cases = Vec::new();
    for (name, note, _) in &notes {
        let path = dir.path().join(name);
        fs::write(&path, note).unwrap();
        cases.push(json!({ "log": folder, "kept": [path] }));
    }
    cases.push(json!({ "log": cut, "kept": [dir.path().join("right")] }));
    let answers = judged(&cases);
    for ((name, note, expected), answer) in notes.iter().zip(&answers) {
        let own = verify(&files, None, &[("kept".into(), note.clone().into_bytes())]);
        assert_eq!((answer.is_ok(), own.is_ok()), (*expected, *expected), "{name}: {answer:?}");
    }
    assert!(answers[5].is_err(), "the log was cut");
}

/// A receipt with a proof for every third of some entries.
fn receipt() -> String {
    let delivery = DeliveryId::new(1_700_000_000_000);
    let leaves: Vec<Vec<u8>> = (0..300)
        .map(|attempt| {
            let leaf = super::store::opened(delivery, attempt, Commitment([7; 32]));
            Entry { at_ms: attempt.into(), leaf: &leaf }.text().into_bytes()
        })
        .collect();
    let hashes: Vec<_> = leaves.iter().map(|entry| leaf_hash(entry)).collect();
    let tiles = crate::audit::proof::Tiles::new(|level, number| match level {
        0 => Ok(hashes[number as usize * 256..].iter().take(256).copied().collect()),
        _ => Ok(vec![crate::audit::tree::subtree_root(&hashes[..256])]),
    });
    let checkpoint = Checkpoint::sign(&key(), head(&leaves, 300)).note;
    let proofs: Vec<Proof> = [0, 3, 255, 256, 299]
        .into_iter()
        .map(|index: u64| Proof {
            index,
            entry: leaves[index as usize].clone(),
            hashes: tiles.inclusion(index, 300).unwrap(),
            checkpoint: checkpoint.clone(),
        })
        .collect();
    text(&proofs)
}

#[test]
fn no_damage_to_a_receipt_passes_either_verifier() {
    let dir = tempfile::tempdir().unwrap();
    let good = receipt();
    let shown = shows(&good, &verifier()).unwrap();
    assert_eq!((shown.chunks, shown.ids), (5, 500));
    let mut cases = Vec::new();
    let mut keep = |bytes: &[u8]| {
        let path = dir.path().join(cases.len().to_string());
        fs::write(&path, bytes).unwrap();
        cases.push(json!({ "receipt": path, "key": verifier().to_string() }));
    };
    keep(good.as_bytes());
    for seed in 0..count() {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut bytes = good.clone().into_bytes();
        let place = chance.random_range(0..bytes.len());
        match chance.random_range(0..4) {
            0 => bytes[place] = bytes[place].wrapping_add(1),
            1 => drop(bytes.remove(place)),
            // Cut between two proofs, it is a receipt of less; within one, of nothing.
            2 if !bytes[place..].starts_with(b"c2sp.org") => bytes.truncate(place),
            _ => bytes[place] ^= 1 << chance.random_range(0..8),
        }
        let own = String::from_utf8(bytes.clone()).ok().map(|text| shows(&text, &verifier()));
        assert!(!matches!(own, Some(Ok(_))), "seed {seed}, byte {place}");
        if seed < (count() / 5).min(CASES_MAX) {
            keep(&bytes);
        }
    }
    let mut answers = judged(&cases).into_iter();
    let found = answers.next().unwrap().unwrap();
    assert_eq!((&found["chunks"], &found["ids"]), (&json!(5), &json!(500)));
    for (seed, answer) in answers.enumerate() {
        assert!(answer.is_err(), "seed {seed}: {answer:?}");
    }
}
