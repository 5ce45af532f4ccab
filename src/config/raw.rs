//! What was said about each setting and where; whether it is right is `check`'s business.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::{DeArray, DeTable, DeValue};

use super::named::{NAMED, Named};
use super::table::{BETWEEN, LISTS, fixed, setting};
use crate::base::nearest::nearest;

/// The file that is read if nobody names another and it is there.
const FILE: &str = "hydrant.toml";
/// What the variables of settings begin with.
const VARIABLE_PREFIX: &str = "HYDRANT__";

/// How the keys of settings end whose values nobody is shown.
const SECRET: &str = ".bearer_token";

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A line of the settings file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
    },
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => out.write_str("default"),
            Origin::File { path, line } => write!(out, "{} line {line}", path.display()),
            Origin::Variable(name) => write!(out, "variable {name}"),
            Origin::Flag(name) => write!(out, "flag {name}"),
        }
    }
}

/// A setting that a flag of the command line gives.
#[derive(Clone, Debug)]
pub struct Flag {
    /// The flag as people type it, such as `--listen`.
    pub name: &'static str,
    /// The setting that it stands for.
    pub key: &'static str,
    /// Its value.
    pub value: String,
}

/// The value of one setting that is in force, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The setting.
    pub key: String,
    /// Its value as text; empty: none.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

impl Effective {
    /// The value as it may be shown: without a password.
    pub fn shown(&self) -> String {
        let is_secret = self.key.ends_with(SECRET) && !self.value.is_empty();
        if is_secret { "…".to_owned() } else { without_password(&self.value) }
    }
}

/// `text`, with … for the password if it is the address of something with one.
fn without_password(text: &str) -> String {
    let hidden = text.split_once("://").and_then(|(scheme, rest)| {
        let (user, host) = rest.rsplit_once('@')?;
        let (name, _) = user.split_once(':')?;
        Some(format!("{scheme}://{name}:…@{host}"))
    });
    hidden.unwrap_or_else(|| text.to_owned())
}

/// What was said, not yet checked.
#[derive(Debug, Default)]
pub struct Raw {
    said: BTreeMap<String, (String, Origin)>,
    /// What is wrong already: unknown keys, bad syntax, an unreadable file.
    pub(super) mistakes: Vec<String>,
}

impl Raw {
    /// Gathers what file, environment and flags say. Without `file`, `hydrant.toml` is read if it
    /// is there.
    pub fn read(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: Vec<Flag>,
    ) -> Raw {
        let mut raw = Raw::default();
        raw.read_file(file);
        let mut variables: Vec<_> = environment
            .into_iter()
            .filter_map(|(name, value)| {
                Some((name.strip_prefix(VARIABLE_PREFIX)?.to_owned(), value))
            })
            .collect();
        variables.sort();
        for (name, value) in variables {
            let key = name.to_ascii_lowercase().replace("__", ".");
            raw.say(&key, value, Origin::Variable(format!("{VARIABLE_PREFIX}{name}")));
        }
        for flag in flags {
            raw.say(flag.key, flag.value, Origin::Flag(flag.name));
        }
        raw
    }

    /// The value of every setting and where it came from, in the table's order; those that have
    /// names follow.
    pub fn effective(&self) -> Vec<Effective> {
        let mut keys: Vec<String> = fixed().map(|setting| setting.key.to_owned()).collect();
        for named in NAMED {
            for name in self.names(named) {
                keys.extend(named.settings.iter().map(|setting| named.key(&name, setting.key)));
            }
        }
        keys.iter().map(|key| self.effective_of(key)).collect()
    }

    /// The names of the tables of that section of which anything is said.
    pub(super) fn names(&self, named: &Named) -> BTreeSet<String> {
        let names = self.said.keys().filter_map(|key| named.parse(key));
        names.map(|(name, _)| name.to_owned()).collect()
    }

    /// As [`Raw::effective`], of one setting.
    ///
    /// # Panics
    /// If the table has no such key.
    pub(super) fn effective_of(&self, key: &str) -> Effective {
        let setting = setting(key).expect("the program asks for settings of the table only");
        let said = self.said.get(key).cloned();
        let (value, origin) = said.unwrap_or_else(|| (setting.default.into(), Origin::Default));
        Effective { key: key.to_owned(), value, origin }
    }

    fn say(&mut self, key: &str, value: String, origin: Origin) {
        match setting(key) {
            Some(_) => {
                self.said.insert(key.to_owned(), (value, origin));
            }
            None => {
                let known = known_like(key);
                let next = match nearest(key, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "`hydrant config show` lists what can be set".to_owned(),
                };
                self.mistakes.push(format!("{key} ({origin}) is no setting; {next}"));
            }
        }
    }

    fn read_file(&mut self, file: Option<&Path>) {
        let path = file.unwrap_or(Path::new(FILE));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => {
                self.mistakes.push(format!("cannot read {}: {error}", path.display()));
                return;
            }
        };
        let (table, errors) = DeTable::parse_recoverable(&text);
        let origin = |at: Option<usize>| Origin::File {
            path: path.to_owned(),
            line: 1 + text[..at.unwrap_or(0)].matches('\n').count(),
        };
        for error in errors {
            let place = origin(error.span().map(|span| span.start));
            self.mistakes.push(format!("{place} is not TOML: {}", error.message()));
        }
        self.read_table("", table.get_ref(), &origin);
    }

    fn read_table(
        &mut self,
        section: &str,
        table: &DeTable<'_>,
        origin: &dyn Fn(Option<usize>) -> Origin,
    ) {
        for (name, value) in table {
            let key = match section {
                "" => name.get_ref().to_string(),
                _ => format!("{section}.{}", name.get_ref()),
            };
            let place = origin(Some(name.span().start));
            let text = match value.get_ref() {
                DeValue::Table(inner) => {
                    self.read_table(&key, inner, origin);
                    continue;
                }
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) => number.to_string(),
                DeValue::Float(number) => number.to_string(),
                DeValue::Boolean(word) => word.to_string(),
                DeValue::Datetime(time) => time.to_string(),
                DeValue::Array(parts) if LISTS.contains(&&*key) => match list(parts) {
                    Some(text) => text,
                    None => {
                        let right = setting(&key).map_or("", |setting| setting.right);
                        self.mistakes.push(format!("{key} ({place}): needs {right}"));
                        continue;
                    }
                },
                DeValue::Array(_) => "a list".to_owned(),
            };
            self.say(&key, text, place);
        }
    }
}

/// The keys that somebody may have meant who wrote `key`.
fn known_like(key: &str) -> Vec<String> {
    let mut known: Vec<String> = fixed().map(|setting| setting.key.to_owned()).collect();
    for named in NAMED {
        if let Some((name, _)) = named.split(key) {
            known.extend(named.settings.iter().map(|setting| named.key(name, setting.key)));
        }
    }
    known
}

/// A list of texts as one text, if it is one.
fn list(parts: &DeArray<'_>) -> Option<String> {
    let parts = parts.iter().map(|part| part.get_ref().as_str());
    let parts: Vec<&str> = parts
        .map(|part| part.filter(|text| !text.is_empty() && !text.contains(BETWEEN)))
        .collect::<Option<_>>()?;
    Some(parts.join(&BETWEEN.to_string()))
}
