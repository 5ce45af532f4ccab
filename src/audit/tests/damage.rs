//! Logs that somebody has damaged: whatever is flipped, deleted, reordered, truncated, rolled back
//! or forked, the verifier says so.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Files, head, key, log, made_up, origin, verifier};
use crate::audit::checkpoint::Checkpoint;
use crate::audit::tile::{TileKind, TileName, entries, push_entry};
use crate::audit::{LogFault, Whole, verify};

/// How many random damages are tried, unless the variable says otherwise.
const DAMAGES: u64 = 1_000;
const DAMAGES_VARIABLE: &str = "HYDRANT_AUDIT_DAMAGES";

/// Two full tiles and a partial one, with checkpoints in and between them.
pub(super) const ENTRIES: usize = 600;
pub(super) const SIZES: &[usize] = &[1, 100, 255, 256, 257, 512, 599, 600];

/// How many random damages are tried.
pub(super) fn count() -> u64 {
    let wanted = std::env::var(DAMAGES_VARIABLE).ok();
    wanted.map_or(DAMAGES, |count| count.parse().expect("a number of damages"))
}

fn check(files: &Files) -> Result<Whole, LogFault> {
    verify(files, Some(&verifier()), &[])
}

#[test]
fn a_whole_log_of_any_size_is_whole() {
    let entries = made_up(1_100);
    for size in [1, 2, 255, 256, 257, 511, 512, 513, 768, 1_100] {
        let sizes: Vec<usize> = SIZES.iter().copied().filter(|known| *known < size).collect();
        let files = log(&entries[..size], &[&sizes[..], &[size]].concat());
        let whole = check(&files).unwrap_or_else(|fault| panic!("of {size} entries: {fault}"));
        assert_eq!(whole.head, head(&entries, size));
        assert_eq!(whole.checkpoints, sizes.len() as u64 + 1);
        assert_eq!(whole.newest_entry, entries[size - 1]);
    }
}

#[test]
fn a_log_with_three_levels_is_whole_and_a_flip_in_each_level_is_seen() {
    let entries = made_up(65_800);
    let files = log(&entries, &[300, 65_536, 65_800]);
    check(&files).unwrap();
    for (name, byte) in [("tile/1/000", 8_191), ("tile/1/001.p/1", 0), ("tile/2/000.p/1", 5)] {
        let mut files = files.clone();
        files.get_mut(name).unwrap()[byte] ^= 1;
        let fault = check(&files).unwrap_err();
        assert!(matches!(&fault, LogFault::Hash { name: of, .. } if of == name), "{fault}");
    }
}

#[test]
fn partial_tiles_of_smaller_heads_may_lie_beside_and_are_checked() {
    let entries = made_up(ENTRIES);
    let mut files = log(&entries, SIZES);
    for (name, bytes) in log(&entries[..570], &[570]) {
        if name.contains(".p/") {
            files.insert(name, bytes);
        }
    }
    check(&files).unwrap();
    for name in ["tile/0/002.p/58", "tile/entries/002.p/58"] {
        let mut files = files.clone();
        files.get_mut(name).expect("the smaller head has it")[7] ^= 4;
        check(&files).unwrap_err();
    }
}

/// What may be done to a log by somebody without its key.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Flip,
    Delete,
    Truncate,
    Extend,
    SwapFiles,
    SwapEntries,
    DropEntry,
    AddFile,
    /// An entry is changed and every tile is made anew to fit.
    Rebuild,
    /// Everything is made anew as it was at an earlier checkpoint, but later ones are still known.
    RollBack,
}

const ALL: &[Damage] = &[
    Damage::Flip,
    Damage::Flip,
    Damage::Flip,
    Damage::Delete,
    Damage::Truncate,
    Damage::Extend,
    Damage::SwapFiles,
    Damage::SwapEntries,
    Damage::DropEntry,
    Damage::AddFile,
    Damage::Rebuild,
    Damage::RollBack,
];

/// Damages `files`, the log of `of`, in a way that follows from `seed`, and says how.
pub(super) fn damaged(files: &Files, of: &[Vec<u8>], seed: u64) -> (Files, String) {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut files = files.clone();
    // An earlier checkpoint that is missing is no fault of the log: whoever kept it still has it.
    let names: Vec<String> = files
        .keys()
        .filter(|name| !name.starts_with("checkpoints/") && *name != "verifier-key")
        .cloned()
        .collect();
    let all: Vec<String> = files.keys().cloned().collect();
    let name = names[chance.random_range(0..names.len())].clone();
    let damage = ALL[chance.random_range(0..ALL.len())];
    let story = match damage {
        Damage::Flip => {
            let name = all[chance.random_range(0..all.len())].clone();
            let bytes = files.get_mut(&name).unwrap();
            let (byte, bit) = (chance.random_range(0..bytes.len()), chance.random_range(0..8));
            bytes[byte] ^= 1 << bit;
            format!("bit {bit} of byte {byte} of {name}")
        }
        Damage::Delete => {
            files.remove(&name);
            name
        }
        Damage::Truncate => {
            let bytes = files.get_mut(&name).unwrap();
            let length = chance.random_range(0..bytes.len());
            bytes.truncate(length);
            format!("{name} to {length} bytes")
        }
        Damage::Extend => {
            let more: u8 = chance.random();
            files.get_mut(&name).unwrap().push(more);
            format!("{name} by {more}")
        }
        Damage::SwapFiles => {
            let names: Vec<_> = names.iter().filter(|name| name.starts_with("tile/")).collect();
            let first = chance.random_range(0..names.len());
            let second = (first + chance.random_range(1..names.len())) % names.len();
            let taken = files[names[first]].clone();
            let other = files.insert(names[second].clone(), taken).unwrap();
            files.insert(names[first].clone(), other);
            format!("{} and {}", names[first], names[second])
        }
        Damage::SwapEntries | Damage::DropEntry => damage_bundle(&mut files, damage, &mut chance),
        Damage::AddFile => {
            let strangers = [
                "tile/0/003",
                "tile/0/002.p/89",
                "tile/0/2",
                "tile/1/001.p/1",
                "tile/entries/003.p/1",
                "tile/notes.txt",
                "checkpoints/601",
                "checkpoints/x001/000",
                "checkpoints/newest",
            ];
            let name = strangers[chance.random_range(0..strangers.len())];
            files.insert(name.into(), files["checkpoint"].clone());
            name.into()
        }
        Damage::Rebuild => rebuild(&mut files, of, &mut chance),
        Damage::RollBack => {
            let size = SIZES[chance.random_range(0..SIZES.len() - 1)];
            let earlier = log(&of[..size], &[size]);
            files.retain(|name, _| name.starts_with("checkpoints/"));
            files.extend(earlier);
            format!("to {size} entries")
        }
    };
    (files, format!("{damage:?} {story} (seed {seed})"))
}

fn damage_bundle(files: &mut Files, damage: Damage, chance: &mut StdRng) -> String {
    let number = chance.random_range(0..3);
    let width = if number < 2 { 256 } else { ENTRIES - 512 };
    let bundle = TileName { kind: TileKind::Entries, number, width }.path();
    let bytes = files[&bundle].clone();
    let mut all = entries(&bytes).unwrap();
    let first = chance.random_range(0..width);
    let second = (first + chance.random_range(1..width)) % width;
    match damage {
        Damage::SwapEntries => all.swap(first, second),
        _ => drop(all.remove(first)),
    }
    let mut damaged = Vec::new();
    all.iter().for_each(|entry| push_entry(&mut damaged, entry));
    files.insert(bundle.clone(), damaged);
    format!("{bundle} at {first}, {second}")
}

/// Whoever holds the files may make a log that fits in itself; its checkpoints do not.
fn rebuild(files: &mut Files, of: &[Vec<u8>], chance: &mut StdRng) -> String {
    let mut other = of.to_vec();
    let at = chance.random_range(0..other.len());
    let how = chance.random_range(0..3);
    match how {
        0 => other[at].push(b' '),
        1 => drop(other.remove(at)),
        _ => other.swap(at, if at == 0 { 1 } else { at - 1 }),
    }
    let forged = log(&other, &[]);
    files.retain(|name, _| !name.starts_with("tile/"));
    files.extend(forged.into_iter().filter(|(name, _)| name.starts_with("tile/")));
    format!("with another entry {at}, way {how}")
}

#[test]
fn no_random_damage_passes() {
    let entries = made_up(ENTRIES);
    let files = log(&entries, SIZES);
    check(&files).unwrap();
    for seed in 0..count() {
        let (damaged, story) = damaged(&files, &entries, seed);
        assert!(damaged != files, "nothing was damaged: {story}");
        assert!(check(&damaged).is_err(), "it passed: {story}");
    }
}

#[test]
fn whoever_kept_a_checkpoint_sees_a_log_that_its_own_operator_cut_or_forked() {
    let entries = made_up(ENTRIES);
    let kept = |size| {
        let note = Checkpoint::sign(&key(), head(&entries, size)).note.into_bytes();
        ("kept".to_owned(), note)
    };
    let extended = verify(&log(&entries, &[600]), None, &[kept(300), kept(600)]).unwrap();
    assert_eq!(extended.checkpoints, 2);

    // The operator has the key: nothing in the folder itself gives them away.
    let cut = log(&entries[..290], &[290]);
    check(&cut).unwrap();
    let fault = verify(&cut, None, &[kept(300)]).unwrap_err();
    assert!(matches!(fault, LogFault::Cut { size: 300, log_size: 290, .. }), "{fault}");

    let mut other = entries.clone();
    other[20] = b"something else".to_vec();
    let forked = log(&other, &[600]);
    check(&forked).unwrap();
    verify(&forked, None, &[kept(20)]).unwrap();
    let fault = verify(&forked, None, &[kept(20), kept(300)]).unwrap_err();
    assert!(matches!(fault, LogFault::Changed { size: 300, .. }), "{fault}");
    // A checkpoint of the fork beside those of before gives it away, too.
    let mut both = log(&entries, &[100]);
    both.retain(|name, _| name.starts_with("checkpoints/"));
    both.extend(forked);
    let fault = check(&both).unwrap_err();
    assert!(matches!(fault, LogFault::Changed { size: 100, .. }), "{fault}");
}

#[test]
fn another_key_is_not_the_logs() {
    let files = log(&made_up(5), &[5]);
    let other = crate::audit::SigningKey::from_seed(&origin("example.org/log"), &[4; 32]);
    let fault = verify(&files, Some(other.verifier()), &[]).unwrap_err();
    assert!(matches!(fault, LogFault::Key), "{fault}");
    let mut without = files.clone();
    without.remove("verifier-key");
    assert!(matches!(verify(&without, None, &[]), Err(LogFault::Missing { .. })));
    verify(&without, Some(&verifier()), &[]).unwrap();
}
