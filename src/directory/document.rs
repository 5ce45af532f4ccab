//! The documents that recipients accept before they receive anything: publishing new versions, and
//! noting who accepted which. Which are in force is `policy`'s arithmetic, and that nobody begins
//! a delivery without them is the ledger's.

use serde::{Deserialize, Serialize};

use super::{DirectoryError, not_found, person, text};
use crate::audit::{self, Leaf, name as audit_name};
use crate::base::date::rfc3339;
use crate::base::party::{Actor, PersonId};
use crate::policy::document::{self, Published};
pub use crate::policy::document::{DOCUMENTS, Document};
use crate::policy::profile::{is_link, is_version};
use crate::store::{AcceptanceRow, DocumentRow, PersonRow, StoreError, Tx};

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

/// A new version of a document.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The document's name.
    pub document: String,
    /// What the version is called; the platform's date of it, for instance.
    pub version: String,
    /// Where it can be read.
    pub url: String,
    /// From when on everybody has to accept it, in milliseconds UTC; `None`: from now on.
    pub from_ms: Option<i64>,
}

/// The documents in force; `of_profile` are those that hold as long as none was published.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn in_force(
    tx: &Tx<'_>,
    of_profile: &[Document],
    now_ms: i64,
) -> Result<Vec<Document>, StoreError> {
    let standing = tx.documents_standing(None, now_ms)?;
    Ok(document::in_force(of_profile, &standing.published))
}

/// The versions that are published and come into force later, each with the time when it does.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn upcoming(tx: &Tx<'_>, now_ms: i64) -> Result<Vec<(Document, i64)>, StoreError> {
    let later = tx.documents()?.into_iter().map(|row| row.published);
    let later = later.filter(|published| published.from_ms > now_ms);
    let known = later.filter_map(|published| {
        let document = Document::of(&published.name, &published.version, &published.url)?;
        Some((document, published.from_ms))
    });
    Ok(known.collect())
}

/// The document of that name in that version, if it is in force or comes into force later.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn find(
    tx: &Tx<'_>,
    of_profile: &[Document],
    now_ms: i64,
    name: &str,
    version: &str,
) -> Result<Option<Document>, StoreError> {
    let later = upcoming(tx, now_ms)?.into_iter().map(|(document, _)| document);
    let mut known = in_force(tx, of_profile, now_ms)?.into_iter().chain(later);
    Ok(known.find(|document| document.name == name && document.version == version))
}

/// The documents with these names in the version in force, each once; `all` names every one.
///
/// # Errors
/// [`DirectoryError::NotFound`] for a name that is none, [`DirectoryError::Invalid`] for no name.
pub fn named(
    tx: &Tx<'_>,
    of_profile: &[Document],
    now_ms: i64,
    names: &[String],
) -> Result<Vec<Document>, DirectoryError> {
    for name in names.iter().filter(|name| *name != ALL) {
        check_name(name)?;
    }
    let wanted =
        |document: &Document| names.iter().any(|name| name == ALL || name == document.name);
    let mut documents = in_force(tx, of_profile, now_ms)?;
    documents.retain(wanted);
    if documents.is_empty() {
        return Err(DirectoryError::Invalid("no document is named; `all` names the four".into()));
    }
    Ok(documents)
}

fn check_name(name: &str) -> Result<(), DirectoryError> {
    let known = || DOCUMENTS.iter().map(|(name, _)| *name);
    match known().any(|known| known == name) {
        true => Ok(()),
        false => Err(not_found("document", name, known(), "hydrant document list")),
    }
}

/// The documents that a person has yet to accept, in the version in force.
///
/// # Errors
/// [`StoreError`] of the look.
pub fn missing(
    tx: &Tx<'_>,
    of_profile: &[Document],
    now_ms: i64,
    person: PersonId,
) -> Result<Vec<Document>, StoreError> {
    let standing = tx.documents_standing(Some(person), now_ms)?;
    let documents = document::in_force(of_profile, &standing.published);
    Ok(document::missing(documents, &standing.accepted))
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
    documents: &[Document],
    evidence: &str,
) -> Result<(), DirectoryError> {
    let evidence = text::line("the evidence", evidence, EVIDENCE_CHARS_MAX)?;
    for document in documents {
        tx.acceptance_insert(&AcceptanceRow {
            person,
            document: document.name.to_owned(),
            version: document.version.clone(),
            accepted_ms: now_ms,
            evidence: evidence.clone(),
            actor: actor.to_string(),
        })?;
    }
    let documents =
        documents.iter().map(|document| format!("{}@{}", document.name, document.version));
    let leaf = Leaf::DocumentsAccepted {
        person: audit_name::of_person(tx, person)?,
        documents: documents.collect(),
        actor: audit_name::of_actor(tx, actor)?,
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
    of_profile: &[Document],
    request: &Accept,
) -> Result<PersonRow, DirectoryError> {
    let person = person::find(tx, &request.mail)?;
    let documents = named(tx, of_profile, now_ms, &request.documents)?;
    accept(tx, now_ms, actor, person.id, &documents, &request.evidence)?;
    Ok(person)
}

/// Publishes a version of a document: from its time on nobody begins a delivery who has not
/// accepted it. What is under way by then goes on.
///
/// # Errors
/// [`DirectoryError::NotFound`] for the name, [`DirectoryError::Invalid`] for version or address,
/// [`DirectoryError::Conflict`] if that version is published, or a later one is.
pub fn publish(
    tx: &Tx<'_>,
    now_ms: i64,
    actor: &Actor,
    request: &Publish,
) -> Result<DocumentRow, DirectoryError> {
    let Publish { document: name, version, url, from_ms } = request;
    check_name(name)?;
    if !is_version(version) {
        let message = format!(
            "`{version}` is no version; one has 1 to 64 letters, digits, dots and hyphens, like \
             2027-06-30"
        );
        return Err(DirectoryError::Invalid(message));
    }
    if !is_link(url) {
        let message =
            format!("`{url}` is no address of a document; one begins with https:// or http://");
        return Err(DirectoryError::Invalid(message));
    }
    let from_ms = from_ms.unwrap_or(now_ms);
    for row in tx.documents()?.into_iter().filter(|row| row.published.name == *name) {
        let other = row.published;
        if other.version == *version {
            let message = format!("version {version} of `{name}` is published already");
            return Err(DirectoryError::Conflict(message));
        }
        if other.from_ms >= from_ms {
            let message = format!(
                "version {} of `{name}` is in force from {} on; give a later --from",
                other.version,
                rfc3339(other.from_ms)
            );
            return Err(DirectoryError::Conflict(message));
        }
    }
    let published =
        Published { name: name.clone(), version: version.clone(), url: url.clone(), from_ms };
    let row = DocumentRow { published, published_ms: now_ms, published_by: actor.to_string() };
    tx.document_insert(&row)?;
    let leaf = Leaf::DocumentPublished {
        document: name.clone(),
        version: version.clone(),
        from_ms,
        actor: audit_name::of_actor(tx, actor)?,
    };
    audit::append(tx, now_ms, &leaf)?;
    Ok(row)
}
