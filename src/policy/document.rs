//! The documents that people accept before they receive anything: which are in force, and which
//! somebody has yet to accept. Who published or accepted one is not known here.

use serde::Serialize;

/// The four documents of the platform: the word of commands and JSON, and what people read.
pub const DOCUMENTS: &[(&str, &str)] = &[
    ("terms-of-service", "Terms of Service"),
    ("privacy-policy", "Privacy Policy"),
    ("developer-agreement", "Developer Agreement"),
    ("developer-policy", "Developer Policy"),
];

/// One document in one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    /// Its word in [`DOCUMENTS`].
    pub name: &'static str,
    /// What people read.
    pub title: &'static str,
    /// The version: the day from which the platform has it in force, or what it calls it.
    pub version: String,
    /// Where it can be read.
    pub url: String,
}

/// A version that an operator has published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The document's word.
    pub name: String,
    /// The version.
    pub version: String,
    /// Where it can be read.
    pub url: String,
    /// From when on everybody has to accept it, in milliseconds UTC.
    pub from_ms: i64,
}

/// What a person has accepted: a document's word and a version.
pub type Accepted = (String, String);

impl Document {
    /// The document with that word, in that version; `None` if there is none.
    pub fn of(name: &str, version: &str, url: &str) -> Option<Document> {
        let (name, title) = *DOCUMENTS.iter().find(|(known, _)| *known == name)?;
        Some(Document { name, title, version: version.to_owned(), url: url.to_owned() })
    }
}

/// The documents in force: of each the version that was published last, and before any was
/// published the profile's. `published` has one version of a document at most.
pub fn in_force(of_profile: &[Document], published: &[Published]) -> Vec<Document> {
    let newest = |name: &str| {
        let newer = published.iter().find(|newer| newer.name == name);
        let newer = newer.and_then(|newer| Document::of(name, &newer.version, &newer.url));
        newer.or_else(|| of_profile.iter().find(|document| document.name == name).cloned())
    };
    DOCUMENTS.iter().filter_map(|(name, _)| newest(name)).collect()
}

/// Those of `documents` that are not among what was `accepted`, in that very version.
pub fn missing(documents: Vec<Document>, accepted: &[Accepted]) -> Vec<Document> {
    let is_accepted = |document: &Document| {
        accepted
            .iter()
            .any(|(name, version)| *name == document.name && *version == document.version)
    };
    documents.into_iter().filter(|document| !is_accepted(document)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_published_last_takes_the_place_of_the_profiles() {
        let document = |name, version| Document::of(name, version, "https://a.example").unwrap();
        let of_profile = [document("terms-of-service", "1"), document("developer-policy", "1")];
        let published = [Published {
            name: "developer-policy".into(),
            version: "2".into(),
            url: "https://a.example".into(),
            from_ms: 5,
        }];
        let accepted = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        for (published, accepted, expected) in [
            (&published[..0], vec![], vec![("terms-of-service", "1"), ("developer-policy", "1")]),
            (
                &published[..0],
                vec![accepted("developer-policy", "1")],
                vec![("terms-of-service", "1")],
            ),
            (
                &published[..],
                vec![accepted("developer-policy", "1"), accepted("terms-of-service", "1")],
                vec![("developer-policy", "2")],
            ),
            (
                &published[..],
                vec![accepted("developer-policy", "2"), accepted("terms-of-service", "1")],
                vec![],
            ),
        ] {
            let missing = missing(in_force(&of_profile, published), &accepted);
            let missing: Vec<_> =
                missing.iter().map(|document| (document.name, document.version.as_str())).collect();
            assert_eq!(missing, expected);
        }
    }
}
