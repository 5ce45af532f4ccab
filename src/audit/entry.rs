//! An entry of the log: the very bytes that the journal keeps, a leaf with its time before it. How
//! entries are hashed is `tree.rs`.

use serde::{Deserialize, Serialize};

use super::leaf::Leaf;

/// A leaf and when it was written. As JSON the time is the first field, then come the leaf's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<L = Leaf> {
    /// When the decision was made, in milliseconds UTC.
    pub at_ms: i64,
    /// The decision.
    #[serde(flatten)]
    pub leaf: L,
}

impl Entry {
    /// The entry in these bytes; `None`: this program does not know such an entry.
    pub fn parse(bytes: &[u8]) -> Option<Entry> {
        serde_json::from_slice(bytes).ok()
    }
}

impl Entry<&Leaf> {
    /// Its bytes.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a leaf has only keys that JSON knows")
    }
}
