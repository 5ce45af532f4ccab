//! Which entities may be one and the same: by domain, by ROR identifier, or by what they are
//! called. It only points out; what is merged an operator decides.

use std::collections::{BTreeMap, BTreeSet};

use super::DirectoryError;
use crate::base::party::EntityId;
use crate::store::{EntityRow, MarkKind, Tx};

/// From which likeness on two names are pointed out: 1 is the same, 0 has nothing in common.
const LIKENESS_MIN: f64 = 0.85;

/// Words that tell no two organisations apart.
const IDLE_WORDS: &[&str] = &[
    "a",
    "ag",
    "an",
    "and",
    "at",
    "co",
    "company",
    "corp",
    "corporation",
    "de",
    "der",
    "des",
    "ev",
    "for",
    "gmbh",
    "inc",
    "la",
    "limited",
    "llc",
    "ltd",
    "of",
    "plc",
    "the",
    "und",
];

/// Why two entities may be one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// They have that identifier in common.
    Ror(String),
    /// They have that mail domain in common.
    Domain(String),
    /// The one is called so, the other almost so.
    Name(String, String),
}

/// Two entities that may be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The one that was entered first.
    pub first: EntityRow,
    /// The other.
    pub second: EntityRow,
    /// Everything that speaks for it.
    pub why: Vec<Likeness>,
}

/// What is compared of an entity.
struct Known {
    row: EntityRow,
    domains: BTreeSet<String>,
    /// Each name as it is written, and as it is compared.
    names: Vec<(String, String)>,
}

/// Every pair of entities that may be one, as they were entered. Merged ones are left out.
///
/// # Errors
/// [`DirectoryError`] of the store.
pub fn all(tx: &Tx<'_>) -> Result<Vec<Duplicate>, DirectoryError> {
    let known = known(tx)?;
    let mut duplicates = Vec::new();
    for (first, second) in candidates(&known) {
        duplicates.extend(compared(&known[first], &known[second]));
    }
    Ok(duplicates)
}

/// The entities that may be the same as the one with that number.
///
/// # Errors
/// [`DirectoryError`] of the store.
pub fn of(tx: &Tx<'_>, entity: EntityId) -> Result<Vec<Duplicate>, DirectoryError> {
    let known = known(tx)?;
    let Some(own) = known.iter().find(|known| known.row.id == entity) else {
        return Ok(Vec::new());
    };
    let others = known.iter().filter(|known| known.row.id != entity);
    Ok(others.filter_map(|other| compared(other, own)).collect())
}

fn known(tx: &Tx<'_>) -> Result<Vec<Known>, DirectoryError> {
    let mut known: BTreeMap<EntityId, Known> = BTreeMap::new();
    for row in tx.entities()?.into_iter().filter(|row| row.merged_into.is_none()) {
        let names = vec![(row.name.clone(), comparable(&row.name))];
        known.insert(row.id, Known { row, domains: BTreeSet::new(), names });
    }
    for mark in tx.entity_marks()? {
        let Some(known) = known.get_mut(&mark.entity) else { continue };
        match mark.kind {
            MarkKind::Domain => drop(known.domains.insert(mark.mark)),
            MarkKind::Alias => {
                let compared = comparable(&mark.mark);
                known.names.push((mark.mark, compared));
            }
        }
    }
    Ok(known.into_values().collect())
}

/// A name without what tells nobody apart: case, signs, idle words and the order of words.
fn comparable(name: &str) -> String {
    let name = name.to_lowercase();
    let words = name.split(|char: char| !char.is_alphanumeric());
    let mut words: Vec<_> =
        words.filter(|word| !word.is_empty() && !IDLE_WORDS.contains(word)).collect();
    words.sort_unstable();
    words.join(" ")
}

/// The pairs that are worth a comparison: those that have anything in common that is cheap to
/// see. All pairs of many thousand entities would take minutes.
fn candidates(known: &[Known]) -> BTreeSet<(usize, usize)> {
    let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, Known { row, domains, names }) in known.iter().enumerate() {
        let mut signs: BTreeSet<String> =
            domains.iter().map(|domain| format!("@{domain}")).collect();
        signs.extend(row.ror.iter().map(|ror| format!("ror {ror}")));
        for (_, name) in names {
            signs.extend(name.split(' ').map(|word| word.chars().take(4).collect::<String>()));
        }
        for sign in signs {
            alike.entry(sign).or_default().push(place);
        }
    }
    let mut pairs = BTreeSet::new();
    for places in alike.values() {
        for (index, &first) in places.iter().enumerate() {
            pairs.extend(places[index + 1..].iter().map(|&second| (first, second)));
        }
    }
    pairs
}

fn compared(first: &Known, second: &Known) -> Option<Duplicate> {
    let mut why = Vec::new();
    if let Some(ror) = first.row.ror.as_ref().filter(|_| first.row.ror == second.row.ror) {
        why.push(Likeness::Ror(ror.clone()));
    }
    let shared = first.domains.intersection(&second.domains);
    why.extend(shared.map(|domain| Likeness::Domain(domain.clone())));
    let mut nearest: Option<(f64, Likeness)> = None;
    for (shown, name) in &first.names {
        for (other_shown, other) in &second.names {
            let likeness = strsim::normalized_damerau_levenshtein(name, other);
            let is_nearer = nearest.as_ref().is_none_or(|(nearest, _)| likeness > *nearest);
            if likeness >= LIKENESS_MIN && is_nearer {
                nearest = Some((likeness, Likeness::Name(shown.clone(), other_shown.clone())));
            }
        }
    }
    why.extend(nearest.map(|(_, likeness)| likeness));
    let (first, second) = (first.row.clone(), second.row.clone());
    (!why.is_empty()).then_some(Duplicate { first, second, why })
}

impl std::fmt::Display for Likeness {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Likeness::Ror(ror) => write!(out, "the same ROR identifier {ror}"),
            Likeness::Domain(domain) => write!(out, "the same mail domain {domain}"),
            Likeness::Name(one, other) => write!(out, "similar names: {one}, {other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_compared_without_what_tells_nobody_apart() {
        for (one, other, expected) in [
            ("University of Example", "Example University", true),
            ("The Example-Institute", "example institute", true),
            ("Acme Analytics GmbH", "ACME Analytics, Inc.", true),
            ("Acme Analytics", "Acme Analitics", true),
            ("Example University", "Example College", false),
            ("Acme", "Apex", false),
        ] {
            let likeness =
                strsim::normalized_damerau_levenshtein(&comparable(one), &comparable(other));
            assert_eq!(likeness >= LIKENESS_MIN, expected, "{one} / {other}: {likeness}");
        }
    }
}
