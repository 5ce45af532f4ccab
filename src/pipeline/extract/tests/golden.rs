//! The golden files of all formats: the same answer for every split of the input, no more than the
//! oracle gives, and no wrong ID from any file of which a byte was flipped or lost.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::oracle::ids_of;
use super::{Out, extract_kinds, extract_pieces};
use crate::base::ids::IdKind;
use crate::pipeline::wants::Scope;

/// Golden files, by their names' endings.
fn files(endings: &[&str]) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/strip");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| endings.iter().any(|ending| path.to_str().unwrap().ends_with(ending)))
        .collect();
    files.sort();
    assert!(files.len() > 5, "there are golden files");
    files
}

/// What the oracle allows of a text of JSON values, if all of it can be parsed.
fn allowed(text: &[u8], scope: Scope) -> Option<HashSet<(IdKind, u64)>> {
    let text = String::from_utf8_lossy(text).replace("window.", "\n");
    let text: String = text
        .lines()
        .map(|line| match line.split_once(".part0 = ").or(line.split_once("_CONFIG = ")) {
            Some((_, rest)) => rest.to_owned() + "\n",
            None => line.to_owned() + "\n",
        })
        .collect();
    let values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let values: Vec<Value> = values.collect::<Result<_, _>>().ok()?;
    let ids = values.iter().flat_map(ids_of).filter(|(_, far, _)| *far <= scope);
    Some(ids.map(|(kind, _, id)| (kind, id)).collect())
}

fn found(out: &Out) -> HashSet<(IdKind, u64)> {
    let of = |kind, ids: &[u64]| ids.iter().map(move |id| (kind, *id)).collect::<Vec<_>>();
    let tweets = of(IdKind::Tweet, &out.tweets);
    tweets.into_iter().chain(of(IdKind::User, &out.users)).chain(of(IdKind::Dm, &out.dms)).collect()
}

#[test]
fn every_split_of_every_golden_file_gives_the_same() {
    for path in files(&["json", "jsonl", "csv", "txt", "js"]) {
        let input = std::fs::read(&path).unwrap();
        for scope in [Scope::Own, Scope::Referenced] {
            let whole = extract_kinds(&input, scope);
            for pieces in [&[1][..], &[2], &[3, 1], &[7], &[64], &[63, 65], &[1000, 1]] {
                let split = extract_pieces(&input, pieces, 1 << 20, scope);
                assert_eq!(split, whole, "{} in pieces of {pieces:?}", path.display());
            }
        }
    }
}

#[test]
fn the_oracle_gives_all_that_is_found_in_whole_files_and_nothing_else() {
    let mut compared = 0;
    for path in files(&["json", "jsonl", "js"]) {
        let input = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        for scope in Scope::ALL {
            let Some(allowed) = allowed(&input, scope) else { continue };
            let out = extract_kinds(&input, scope);
            let found = found(&out);
            let extra: Vec<_> = found.difference(&allowed).collect();
            assert!(extra.is_empty(), "{name}, {scope:?}: {extra:?} is not in the record");
            // What is convicted of damage or deleted is left out on purpose.
            if out.damages() == 0 && !["archive-rest.js"].contains(&name) {
                let missing: Vec<_> = allowed.difference(&found).collect();
                assert!(missing.is_empty(), "{name}, {scope:?}: {missing:?} was not found");
                compared += 1;
            }
        }
    }
    assert!(compared > 40, "{compared} files compared");
}

/// Each byte of each small file is flipped in one bit, then lost; whatever can still be parsed
/// says which IDs are right.
#[test]
fn no_flipped_or_lost_byte_gives_an_id_that_the_oracle_does_not_give() {
    let mut judged = 0;
    for path in files(&["jsonl"]) {
        let whole = std::fs::read(&path).unwrap();
        let lines: Vec<&[u8]> = whole.split(|byte| *byte == b'\n').collect();
        for line in lines.iter().filter(|line| line.starts_with(b"{") && line.len() < 800) {
            for at in 0..line.len() {
                for damage in [Some(1 << (at % 7)), None] {
                    let mut input = line.to_vec();
                    match damage {
                        Some(bit) => input[at] ^= bit,
                        None => drop(input.remove(at)),
                    }
                    let out = extract_kinds(&input, Scope::Referenced);
                    let Some(allowed) = allowed(&input, Scope::Referenced) else { continue };
                    let found = found(&out);
                    let extra: Vec<_> = found.difference(&allowed).collect();
                    let text = String::from_utf8_lossy(&input);
                    assert!(extra.is_empty(), "{extra:?} of byte {at} of {text}");
                    judged += 1;
                }
            }
        }
    }
    assert!(judged > 10_000, "{judged} texts judged");
}

/// A table or a list has no oracle but its own good rows: damage may cost rows, and must not
/// panic or hand out an ID that no longer stands in the text.
#[test]
fn damage_to_tables_and_lists_hands_out_only_what_stands_there() {
    for path in files(&["csv", "ids.txt", "user-ids.txt", "links.csv"]) {
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            for damage in [Some(1 << (at % 7)), None] {
                let mut input = whole.clone();
                match damage {
                    Some(bit) => input[at] ^= bit,
                    None => drop(input.remove(at)),
                }
                let text = String::from_utf8_lossy(&input).into_owned();
                for (_, id) in found(&extract_kinds(&input, Scope::Referenced)) {
                    let digits = id.to_string();
                    assert!(text.contains(&digits), "{id} from {text}");
                }
            }
        }
    }
}
