//! The rules of the house that a machine can keep: which room may use which, and what stands where.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from the ground up, and which others each may name in a `crate::` path.
/// An arrow that is missing here is missing on purpose: change the design before the table.
const ARROWS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("telemetry", &[]),
    ("policy", &["base"]),
    ("store", &["base", "policy"]),
    ("pipeline", &["base"]),
    ("audit", &["base", "policy", "store"]),
    ("ledger", &["base", "policy", "store", "audit"]),
    ("directory", &["base", "policy", "store", "audit"]),
    ("release", &["base", "store", "pipeline", "ledger"]),
    ("removal", &["base", "store", "audit", "pipeline", "directory", "release"]),
    ("transit", &["base", "pipeline", "ledger"]),
    ("demo", &["base"]),
    ("config", &["base", "policy", "store"]),
    ("upstream", &["base", "config"]),
    ("oidc", &["base", "directory", "config", "upstream"]),
    ("hydrate", &["base", "policy", "store", "audit", "config", "upstream"]),
    (
        "export",
        &[
            "base",
            "policy",
            "store",
            "audit",
            "pipeline",
            "ledger",
            "directory",
            "release",
            "removal",
            "config",
            "upstream",
            "hydrate",
        ],
    ),
    ("mail", &["base", "store", "directory", "config"]),
    (
        "operation",
        &[
            "base",
            "policy",
            "store",
            "audit",
            "ledger",
            "directory",
            "release",
            "removal",
            "hydrate",
            "export",
        ],
    ),
    (
        "deliver",
        &["base", "policy", "store", "ledger", "directory", "release", "transit", "export"],
    ),
    (
        "http",
        &[
            "base",
            "policy",
            "store",
            "config",
            "ledger",
            "directory",
            "release",
            "removal",
            "transit",
            "upstream",
            "oidc",
            "export",
            "operation",
            "deliver",
        ],
    ),
    (
        "cli",
        &[
            "base",
            "telemetry",
            "policy",
            "store",
            "pipeline",
            "audit",
            "ledger",
            "directory",
            "release",
            "removal",
            "demo",
            "config",
            "hydrate",
            "export",
            "mail",
            "export",
            "operation",
            "deliver",
            "http",
        ],
    ),
];

/// What a line may hold only in the places beside it.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("StatusCode", &["src/http/"]),
    ("SystemTime", &["src/base/clock.rs"]),
    ("Instant::now", &[]),
    ("Timestamp::now", &[]),
    ("println!", &["src/cli/"]),
    ("eprintln!", &["src/cli/"]),
    ("rusqlite", &["src/store/"]),
    ("tokio_postgres", &["src/store/"]),
    ("unsafe {", &["src/http/socket.rs", "src/pipeline/extract/scan/"]),
    ("INSERT INTO", &["src/store/"]),
    ("SELECT ", &["src/store/"]),
];

/// What stands at the top of the tree, hidden files apart.
const TOP: &[&str] =
    &["Cargo.lock", "Cargo.toml", "README.md", "benches", "deploy", "schema", "src", "tests"];

/// Beyond this many lines a file is about more than one noun.
const FILE_LINES_MAX: usize = 600;

const LINE_COLUMNS_MAX: usize = 100;

/// A source file, by its path from the top of the tree.
struct Source {
    path: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut folders: Vec<PathBuf> = ["src", "tests", "benches"].map(|top| root().join(top)).into();
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                sources.push(Source { path, text });
            }
        }
    }
    assert!(sources.len() > 20, "the sources are found");
    sources
}

/// The room of a file below `src`; `main.rs` and `lib.rs` stand in none.
fn room(path: &str) -> Option<&str> {
    let within = path.strip_prefix("src/")?;
    let room = within.split('/').next()?.trim_end_matches(".rs");
    (!["main", "lib"].contains(&room)).then_some(room)
}

/// Whether a file below `src` holds unit tests only: those may use any room.
fn is_test(path: &str) -> bool {
    path.ends_with("tests.rs") || path.contains("/tests/")
}

/// The part of a file before its unit tests, without comments, line by line with its number.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end]
        .lines()
        .enumerate()
        .map(|(number, line)| (number + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn report(mistakes: &[String]) {
    assert!(mistakes.is_empty(), "\n{}", mistakes.join("\n"));
}

#[test]
fn arrows_point_one_way() {
    let mut mistakes = Vec::new();
    for source in sources() {
        let Some(room) = room(&source.path).filter(|_| !is_test(&source.path)) else { continue };
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == room) else {
            mistakes.push(format!("{}: the room `{room}` is not in the table", source.path));
            continue;
        };
        for (number, line) in code(&source.text) {
            for path in line.split("crate::").skip(1) {
                let end = path.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let target = &path[..end.unwrap_or(path.len())];
                let is_room = ARROWS.iter().any(|(known, _)| *known == target);
                if is_room && target != room && !allowed.contains(&target) {
                    mistakes.push(format!("{}:{number}: {room} → {target}", source.path));
                }
            }
        }
    }
    report(&mistakes);
}

#[test]
fn a_room_uses_only_rooms_that_stand_above_it_in_the_table() {
    for (place, (room, allowed)) in ARROWS.iter().enumerate() {
        for target in *allowed {
            let stands = ARROWS.iter().position(|(known, _)| known == target);
            assert!(stands.is_some_and(|stands| stands < place), "{room} → {target}");
        }
    }
}

#[test]
fn each_thing_stands_where_it_belongs() {
    let mut mistakes = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/")) {
        if is_test(&source.path) {
            continue;
        }
        for (number, line) in code(&source.text) {
            for (thing, places) in ONLY_IN {
                if line.contains(thing)
                    && !places.iter().any(|place| source.path.starts_with(place))
                {
                    mistakes.push(format!("{}:{number}: {thing}", source.path));
                }
            }
        }
    }
    report(&mistakes);
}

#[test]
fn a_file_says_what_it_is_and_stays_readable() {
    let mut mistakes = Vec::new();
    for Source { path, text } in sources() {
        if !text.starts_with("//!") {
            mistakes.push(format!("{path}: does not begin with a `//!` sentence"));
        }
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            mistakes.push(format!("{path}: {lines} lines"));
        }
        for (number, line) in (1..).zip(text.lines()) {
            // What a test expects is given as it is printed.
            if line.chars().count() > LINE_COLUMNS_MAX && !is_test(&path) {
                mistakes.push(format!("{path}:{number}: longer than {LINE_COLUMNS_MAX} columns"));
            }
            if ["todo!(", "unimplemented!(", "FIXME", "dbg!("]
                .iter()
                .any(|mark| path.starts_with("src/") && line.contains(mark))
            {
                mistakes.push(format!("{path}:{number}: unfinished"));
            }
        }
    }
    report(&mistakes);
}

#[test]
fn only_known_names_stand_at_the_top() {
    let mut strangers = Vec::new();
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let built_or_run = ["target", "hydrant-data", "hydrant-demo"].contains(&name.as_str());
        if !name.starts_with('.') && !built_or_run && !TOP.contains(&name.as_str()) {
            strangers.push(name);
        }
    }
    report(&strangers);
}
