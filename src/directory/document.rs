//! The documents that recipients accept before they receive anything, and who accepted them.

use serde::{Deserialize, Serialize};

use super::{DirectoryError, not_found, person, text};
use crate::audit::{self, Leaf, name};
use crate::base::party::{Actor, PersonId};
use crate::store::{AcceptanceRow, PersonRow, StoreError, Tx};

/// One document in the version that is in force.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    /// The word of commands and JSON.
    pub name: &'static str,
    /// What people read.
    pub title: &'static str,
    /// The version: the day from which the platform has it in force.
    pub version: &'static str,
    /// Where it can be read.
    pub url: &'static str,
}

/// The four documents of the platform. A new version here asks everybody again.
pub static DOCUMENTS: &[Document] = &[
    Document {
        name: "terms-of-service",
        title: "Terms of Service",
        version: "2020-01-01",
        url: "https://twitter.com/tos",
    },
    Document {
        name: "privacy-policy",
        title: "Privacy Policy",
        version: "2020-01-01",
        url: "https://twitter.com/privacy",
    },
    Document {
        name: "developer-agreement",
        title: "Developer Agreement",
        version: "2020-03-10",
        url: "https://developer.twitter.com/en/developer-terms/agreement",
    },
    Document {
        name: "developer-policy",
        title: "Developer Policy",
        version: "2020-03-10",
        url: "https://developer.twitter.com/en/developer-terms/policy",
    },
];

/// The word that stands for every document.
pub const ALL: &str = "all";

/// Longest evidence.
const EVIDENCE_CHARS_MAX: usize = 2_000;

/// An acceptance that an operator records, such as a signed paper.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The mail address of who accepted.
    pub mail: String,
    /// The names of the documents, or [`ALL`].
    pub documents: Vec<String>,
    /// What shows it.
    pub evidence: String,
}

/// The documents with these names, each once; `all` names every one.
///
/// # Errors
/// [`DirectoryError::NotFound`] for a name that is none, [`DirectoryError::Invalid`] for no name.
pub fn named(names: &[String]) -> Result<Vec<&'static Document>, DirectoryError> {
    let known = || DOCUMENTS.iter().map(|document| document.name);
    for name in names {
        if name != ALL && !known().any(|document| document == name) {
            return Err(not_found("document", name, known(), "hydrant person accept --help"));
        }
    }
    let wanted =
        |document: &&Document| names.iter().any(|name| name == ALL || name == document.name);
    let documents: Vec<_> = DOCUMENTS.iter().filter(wanted).collect();
    if documents.is_empty() {
        return Err(DirectoryError::Invalid("no document is named; `all` names the four".into()));
    }
    Ok(documents)
}

/// The documents that a person has yet to accept, in the version in force.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn missing(tx: &Tx<'_>, person: PersonId) -> Result<Vec<&'static Document>, StoreError> {
    let accepted = tx.acceptances_of(person)?;
    let is_missing = |document: &&Document| {
        !accepted.iter().any(|row| row.document == document.name && row.version == document.version)
    };
    Ok(DOCUMENTS.iter().filter(is_missing).collect())
}

/// Notes that a person accepted these documents; those accepted before keep their date.
///
/// # Errors
/// [`DirectoryError::Invalid`] for the evidence, or the store's.
pub fn accept(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    person: PersonId,
    documents: &[&'static Document],
    evidence: &str,
) -> Result<(), DirectoryError> {
    let evidence = text::line("the evidence", evidence, EVIDENCE_CHARS_MAX)?;
    for document in documents {
        tx.acceptance_insert(&AcceptanceRow {
            person,
            document: document.name.to_owned(),
            version: document.version.to_owned(),
            accepted_ms: now_ms,
            evidence: evidence.clone(),
            actor: actor.to_string(),
        })?;
    }
    let documents =
        documents.iter().map(|document| format!("{}@{}", document.name, document.version));
    let leaf = Leaf::DocumentsAccepted {
        person: name::of_person(tx, person)?,
        documents: documents.collect(),
        actor: name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    Ok(())
}

/// As [`accept`], for a person whom an operator names by mail address; returns them.
///
/// # Errors
/// [`DirectoryError::NotFound`] for the person or a document, else as [`accept`].
pub fn record(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    request: &Accept,
) -> Result<PersonRow, DirectoryError> {
    let person = person::find(tx, &request.mail)?;
    let documents = named(&request.documents)?;
    accept(tx, now_ms, actor, person.id, &documents, &request.evidence)?;
    Ok(person)
}
